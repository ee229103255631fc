"""Bytes that are found by what they make the reading do (atheris, libFuzzer): read, or refused in our own words."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

RUNS = 20_000
CODE = """
import sys, warnings
from pathlib import Path
import atheris
with atheris.instrument_imports(include=["demand.data", "pipelines.reading", "pipelines.config", "yaml"]):
    from demand.data.read import HistorySpec, PeopleSpec, read_history, read_people
    from demand.errors import DemandError
    from pipelines.config import load_config
warnings.simplefilter("ignore")
place = Path(sys.argv[1])
history = HistorySpec(path="x.csv", frequency="M", gaps="leave")
people = PeopleSpec(path="x.csv", id="ref", person="who", opened="start", closed="end", keys=["area"])
def one(data):
    kind, raw = (data[0] % 3 if data else 0), data[1:]
    (place / ("x.yaml" if kind == 2 else "x.csv")).write_bytes(raw)
    try:
        if kind == 0:
            read_history(history, place)
        elif kind == 1:
            read_people(people, place, key=b"a published key for tests")
        else:
            load_config(place / "x.yaml")
    except DemandError:
        return
atheris.Setup([sys.argv[0], *sys.argv[2:]], one)
atheris.Fuzz()
"""
SEEDS = {
    "history": b'\x00ds,y,unique_id\n2024-01,3,a\n2024-02,<5,a\n01/03/2024,"1,234",a\n',
    "people": b"\x01ref,who,start,end,area\n0007,p1,01/02/2024,31/12/9999,North\n8,p2,45323,,South\n",
    "config": b"\x02name: a\ndata:\n  history: {path: x.csv, frequency: M}\nforecast: {horizon: 3}\n",
}


@pytest.mark.long
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed: pip install atheris")
def test_bytes_found_by_what_they_do_are_read_or_refused_in_our_own_words(root: Path, tmp_path: Path) -> None:
    (tmp_path / "seeds").mkdir()
    for name, content in SEEDS.items():
        (tmp_path / "seeds" / name).write_bytes(content)
    words = [sys.executable, "-c", CODE, str(tmp_path), str(tmp_path / "seeds"), f"-runs={RUNS}", "-max_len=4096", "-timeout=30"]
    place = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    done = subprocess.run(words, cwd=tmp_path, env=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    assert f"Done {RUNS} runs" in done.stderr
