"""The benchmark of segments at scale, on few people: both parts run and say what they found."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCALE = Path(__file__).parents[2] / "benchmarks" / "scale.py"


@pytest.mark.parametrize("words", [("segments", "300"), ("kmeans", "300", "4")])
def test_each_part_says_its_time_memory_and_agreement(words: tuple[str, ...]) -> None:
    folder = SCALE.parents[1]
    code = f"import sys, runpy; sys.path.insert(0, {str(folder)!r}); sys.argv = {['scale.py', '--part', *words]!r}; "
    code += f"runpy.run_path({str(SCALE)!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert {"seconds", "gibibytes", "agreement"} <= set(told)
    assert told["agreement"] > 0.2
