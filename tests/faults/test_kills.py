"""A run that is killed at any moment, and the same command again: the same bytes, and nothing that was finished is done twice."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from demand.spec import stream
from pipelines.store import Store

CONFIG = """
name: small
data:
  history: {path: history.csv, series: series, date: month, value: households, frequency: M, kind: flow, unit: households, keys: [area]}
forecast: {horizon: 6, models: [seasonal_naive, theta], draws: 50, backtest: {windows: 3}}
scenarios:
  fewer:
    question: What if one in ten did not come?
    changes:
      - {name: fewer, where: {area: Castle}, effect: multiply, start: 2026-05,
         size: {value: 0.9, low: 0.85, high: 0.97, unit: ratio, source: a pilot, as_of: 2026-03-31, owner: housing team}}
tracking: {uri: none}
"""
WORDS = ["run", "small.yaml", "--jobs", "1", "--quiet"]
FULL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), resource.RLIM_INFINITY))
from pipelines.__main__ import main
main()
"""
"""A run on a disk that has room for files of so many bytes only."""
VARIES = ("timings", "took", "started", "mlflow_run_id")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, root: Path) -> tuple[Path, dict[str, object], float]:
    """A folder with the data, what an undisturbed run leaves, and how long that took."""
    folder = tmp_path_factory.mktemp("kills")
    rng = stream(1, "kills")
    months = pd.date_range("2021-04-01", "2026-03-01", freq="MS")
    rows = [(a, f"{d:%Y-%m}", int(n)) for a in ("Castle", "Harbour") for d, n in zip(months, rng.poisson(30, len(months)), strict=True)]
    table = pd.DataFrame(rows, columns=["series", "month", "households"]).assign(area=lambda t: t["series"])
    table.to_csv(folder / "history.csv", index=False)
    (folder / "small.yaml").write_text(CONFIG)
    run(folder, folder / "warm", root).wait()  # what is compiled at the first run belongs to no run
    begun = time.perf_counter()
    assert run(folder, folder / "whole", root).wait() == 0
    return folder, contents(folder / "whole"), time.perf_counter() - begun


def run(folder: Path, out: Path, root: Path) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "pipelines", *WORDS, "--output", str(out)]
    return subprocess.Popen(words, cwd=folder, env={**os.environ, "PYTHONPATH": str(root)}, start_new_session=True)


def contents(out: Path) -> dict[str, object]:
    found: dict[str, object] = {p.relative_to(out).as_posix(): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}
    manifest = json.loads((out / "manifest.json").read_text())
    return {**found, "manifest.json": {k: v for k, v in manifest.items() if k not in VARIES}}


def killed_and_repeated(whole: tuple[Path, dict[str, object], float], root: Path, kills: int, seed: int) -> tuple[int, int]:
    """Kill and repeat; give how many kills met a run at work, and how many stages stood afterwards."""
    folder, expected, seconds = whole
    met = stood = 0
    for k, moment in enumerate(stream(seed, "kills").uniform(0.2, 1.0, kills)):
        out = folder / f"out-{seed}-{k}"
        process = run(folder, out, root)
        time.sleep(moment * seconds)
        met += process.poll() is None
        os.killpg(process.pid, signal.SIGKILL) if process.poll() is None else None
        process.wait()
        store = Store(out)
        done = [s for s, about in store.manifest.get("stages", {}).items() if store.fresh(s, about["key"])]
        written = {n: (out / n).stat().st_mtime_ns for s in done for n in store.manifest["stages"][s]["files"]}
        stood += len(done)
        assert run(folder, out, root).wait() == 0
        assert contents(out) == expected
        assert {n: (out / n).stat().st_mtime_ns for n in written} == written
    return met, stood


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX systems")
def test_a_killed_run_is_taken_up_where_it_was(whole: tuple[Path, dict[str, object], float], root: Path) -> None:
    met, _ = killed_and_repeated(whole, root, 2, seed=1)
    assert met > 0


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX systems")
def test_fifty_killed_runs_are_taken_up_where_they_were(whole: tuple[Path, dict[str, object], float], root: Path) -> None:
    met, stood = killed_and_repeated(whole, root, 50, seed=2)
    assert met >= 25
    assert stood >= 25


@pytest.mark.skipif(os.name != "posix", reason="limits of files are of POSIX systems")
@pytest.mark.parametrize(("share", "change"), [(0.5, "report.audience=public"), (0.0, "forecast.horizon=7")])
def test_a_disk_that_is_full_at_the_last_stage_or_the_first_leaves_all_results(
    whole: tuple[Path, dict[str, object], float], root: Path, share: float, change: str
) -> None:
    folder, expected, _ = whole
    out = folder / f"full-{share}"
    shutil.copytree(folder / "whole", out)
    room = max(500, int(share * (out / "report.html").stat().st_size))
    words = [sys.executable, "-c", FULL, str(room), *WORDS, "--output", str(out), "--set", change]
    place = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(words, cwd=folder, env=place, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "cannot be written: File too large" in done.stderr
    assert "Earlier results are as they were" in done.stderr
    assert contents(out) == expected
    assert all(Store(out).has(name) for name in Store(out).manifest["files"])


def test_a_bit_flipped_in_any_output_is_noticed_when_it_is_read(whole: tuple[Path, dict[str, object], float]) -> None:
    store = Store(whole[0] / "whole")
    rng = stream(3, "bits")
    assert len(store.manifest["files"]) > 15
    for name in store.manifest["files"]:
        path = store.folder / name
        kept = path.read_bytes()
        for place in rng.integers(0, len(kept), 3) if kept else ():
            path.write_bytes(kept[:place] + bytes([kept[place] ^ (1 << int(rng.integers(8)))]) + kept[place + 1 :])
            assert not store.has(name)
        path.write_bytes(kept)
        assert store.has(name)
    assert np.all([store.has(n) for n in store.manifest["files"]])
