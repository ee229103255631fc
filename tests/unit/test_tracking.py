"""What a run leaves in MLflow, and whether a forecast comes back from the registry as it was. MLflow and SQLite are the real ones."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from pipelines.config import RunConfig
from pipelines.console import carry_out
from pipelines.store import Store
from pipelines.tracking import load_model, track


@pytest.fixture
def recorded(tiny_run: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The output folder of a recorded run; MLFLOW_TRACKING_URI points to its record."""
    folder = tiny_run("homelessness")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder.parent / 'homelessness.db'}")
    return folder


def rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(folder.parent / "homelessness.db") as database:
        return database.execute(query).fetchall()


def test_a_run_has_its_settings_scores_and_scenarios(recorded: Path) -> None:
    params = dict(rows(recorded, "select key, value from params"))
    assert params["forecast.models"] == "auto"
    scores = {str(k) for (k,) in rows(recorded, "select distinct key from metrics")}
    assert {"mase/series/combined", "mase/series/seasonal_naive"} <= scores
    parents = rows(recorded, "select run_uuid from tags where key = 'mlflow.parentRunId'")
    scenarios = rows(recorded, "select run_uuid from tags where key = 'question'")
    assert len(scenarios) == 4
    assert set(scenarios) < set(parents)
    names = {n for (n,) in rows(recorded, "select name from runs")}
    assert {"homelessness", "early_help", "all_together"} <= names
    assert {s for (s,) in rows(recorded, "select status from runs")} == {"FINISHED"}


def test_the_forecast_and_the_models_that_stood_against_it_have_their_scores(recorded: Path) -> None:
    import mlflow

    client = mlflow.MlflowClient(os.environ["MLFLOW_TRACKING_URI"])
    found = client.search_runs([e.experiment_id for e in client.search_experiments()], "tags.role != ''")
    runs = {r.data.tags["model"]: r.data for r in found}
    summary = pd.read_csv(recorded / "backtest_summary.csv").astype({"horizon": str}).set_index(["model", "measure", "level", "horizon"])
    assert set(runs) == set(summary.index.get_level_values("model"))
    assert [m for m, r in runs.items() if r.tags["role"] == "champion"] == ["combined"]
    for model, run in runs.items():
        for measure in ("mase", "skill", "bias"):
            value = summary.loc[(model, measure, "series", "all"), "value"]
            assert run.metrics[f"{measure}/series/all"] == pytest.approx(float(value))
    weights = sum(float(r.params["weight"]) for m, r in runs.items() if m != "combined")
    assert weights == pytest.approx(1)
    year = summary.loc[("combined", "coverage80", "total", "year 1")]
    assert runs["combined"].metrics["coverage80/total/year 1"] == pytest.approx(float(year["value"]))
    assert runs["combined"].tags["coverage80/total/year 1"] == year["verdict"]
    assert " of " in year["verdict"]


def test_no_person_level_file_and_no_pickle_is_kept(recorded: Path) -> None:
    kept = [p for p in (recorded.parent / "mlartifacts").rglob("*") if p.is_file()]
    names = {p.name for p in kept}
    assert {"report.html", "budget.xlsx", "MLmodel", "history.parquet"} <= names
    assert "segments.parquet" not in names
    assert not [n for n in names if n.endswith((".pkl", ".pickle", ".joblib", ".skops"))]
    assert not [p for p in kept if p.read_bytes()[:2] in (b"\x80\x04", b"\x80\x05")]


def test_a_forecast_from_the_registry_gives_the_same_numbers(recorded: Path) -> None:
    again = load_model("homelessness").predict(None)
    pd.testing.assert_frame_equal(again, pd.read_parquet(recorded / "forecast.parquet"))


def test_the_database_is_its_owners_alone(recorded: Path) -> None:
    assert (recorded.parent / "homelessness.db").stat().st_mode & 0o077 == 0


@pytest.mark.usefixtures("recorded")
def test_nothing_of_a_record_stays_behind_for_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(os.environ)
    load_model("homelessness")
    assert dict(os.environ) == before
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'other.db'}")
    assert (
        carry_out(
            "check",
            "example:homelessness",
            data_dir="",
            output=str(tmp_path / "out"),
            jobs=1,
            changes=["data.example.size=tiny"],
            quiet=True,
        )
        == 0
    )
    with sqlite3.connect(tmp_path / "other.db") as database:
        assert database.execute("select count(*) from runs").fetchone() == (1,)
    assert "MLFLOW_EXPERIMENT_ID" not in os.environ


def test_a_run_that_mlflow_started_is_joined(root: Path, tmp_path: Path) -> None:
    place = {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'joined.db'}", "MLFLOW_DISABLE_TELEMETRY": "true"}
    binaries = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    words = ["run", str(root), "-e", "check", "--env-manager", "local", "-P", "config=example:children", "-P", f"output={tmp_path / 'out'}"]
    done = subprocess.run(
        [sys.executable, "-m", "mlflow", *words],
        cwd=tmp_path,
        env={**os.environ, **place, "PATH": binaries},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "out" / "quality.json").is_file()
    with sqlite3.connect(tmp_path / "joined.db") as database:
        runs = database.execute("select run_uuid, status from runs").fetchall()
        artifacts = database.execute("select key from tags where key like 'data.%'").fetchall()
    assert len(runs) == 1
    assert runs[0][1] == "FINISHED"
    assert artifacts


def test_a_forecast_that_stands_is_not_logged_again(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, database = tmp_path / "out", tmp_path / "again.db"
    shutil.copytree(recorded, folder)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{database}")
    store = Store(folder)
    config = RunConfig.model_validate(store.manifest["config"])

    def logged() -> tuple[int, int]:
        assert track(config, store)
        with sqlite3.connect(database) as open_database:
            models = open_database.execute("select count(*) from model_versions").fetchone()[0]
            return models, open_database.execute("select count(*) from tags where key = 'role'").fetchone()[0]

    first = logged()
    assert first[0] == 1
    assert first[1] > 1
    assert logged() == first
    store.manifest["stages"]["forecast"]["key"] = "made anew"
    assert logged() == (2, 2 * first[1])
    assert logged() == (2, 2 * first[1])
