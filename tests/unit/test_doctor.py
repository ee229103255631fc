"""What a computer would stumble over is found, and a run goes on where it can."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.doctor import examine, on_network, synced


def looked(folder: Path) -> str:
    return " | ".join(f"{e.what} {e.do_next}" for e in examine(folder) if e.grave)


def test_a_plain_folder_has_nothing_against_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert looked(tmp_path / "out") == ""
    assert not on_network(tmp_path)


def test_synced_and_long_folders_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "kept in step with a cloud" in looked(tmp_path / "OneDrive - Cyngor Gwynedd" / "out")
    assert "signs" in looked(tmp_path / ("x" * 120) / ("y" * 120))
    assert not synced(tmp_path)
    monkeypatch.setenv("OneDrive", str(tmp_path))
    assert synced(tmp_path / "work")


def test_a_workbook_that_is_open_elsewhere_is_told(tmp_path: Path) -> None:
    (tmp_path / "budget.xlsx").write_bytes(b"")
    assert "open in another program" not in looked(tmp_path)
    (tmp_path / "~$budget.xlsx").write_bytes(b"")
    assert "budget.xlsx is open in another program" in looked(tmp_path)


def test_where_mlflow_and_the_key_lie_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = tmp_path / "key"
    key.write_text("a key of more than sixteen bytes")
    key.chmod(0o644)
    monkeypatch.setenv("DEMAND_KEY_FILE", str(key))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'Dropbox' / 'mlflow.db'}")
    assert "can be read by others" in looked(tmp_path)
    assert "SQLite loses data there" in looked(tmp_path)
    monkeypatch.setenv("DEMAND_KEY_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking.example")
    assert "https" in looked(tmp_path)
    assert "KEY_FILE" not in looked(tmp_path)  # a first run has no key yet
    assert "makes a key there" in " | ".join(e.what for e in examine(tmp_path))


FORECAST = """
import demand
from demand.forecast import ForecastSpec
from demand.models.additive import blocked
council = demand.example_council(seed=2026, size="tiny")
history = council.history("homelessness")
history = history.only(history.ids[:2])
made = demand.forecast(history, ForecastSpec(horizon=3, models=["seasonal_naive", "prophet"], draws=20), seed=1)
print(blocked(), "|", sorted(made.weights), "|", *made.notes["note"])
"""


@pytest.mark.skipif(os.name != "posix", reason="the right to start a program is a file's on POSIX systems")
def test_a_run_goes_on_without_prophet_where_its_program_is_blocked(tmp_path: Path, root: Path) -> None:
    found = importlib.util.find_spec("prophet")
    assert found is not None
    copy, original = tmp_path / "prophet", Path(str(found.origin)).parent
    shutil.copytree(original, copy, ignore=shutil.ignore_patterns("cmdstan*", "__pycache__", "tests", "prophet_model.bin"))
    (copy / "stan_model" / "prophet_model.bin").write_bytes(b"blocked")
    place = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{root}"}
    done = subprocess.run([sys.executable, "-c", FORECAST], env=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    why, weights, notes = done.stdout.split("|")
    assert "denied" in why
    assert "prophet" not in weights
    assert "PROPHET WAS LEFT OUT" in notes
