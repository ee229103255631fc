"""Stages stand where nothing that they rest on has changed, and are done again where something has."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from demand.assumptions import CHANGES
from pipelines.console import open_job
from pipelines.job import Job
from pipelines.run import _recorded_there, run

CONFIG = """name: counts
data:
  history: {path: counts.csv, series: unique_id, frequency: M, kind: flow, unit: people, keys: [area]}
forecast: {horizon: 15, models: [seasonal_naive], draws: 30}
scenarios:
  less: {question: Less?, changes: [{name: fewer, effect: multiply, start: 2025-02, size: {SIZE}}]}
costs:
  - {name: case, amount: {value: PRICE, low: 90, high: 210, unit: GBP/person, source: a test, as_of: 2025-01-01, owner: tester}}
tracking: {uri: none}
"""
SIZE = "value: 0.9, low: 0.8, high: 1.0, unit: ratio, source: a test, as_of: 2025-01-01, owner: tester"


def done(folder: Path, price: str = "100", *changes: str) -> Job:
    (folder / "counts.yaml").write_text(CONFIG.replace("SIZE", SIZE).replace("PRICE", price), encoding="utf-8")
    job = open_job(folder / "counts.yaml", output=str(folder / "out"), jobs=1, changes=list(changes))
    run(job, job.wanted())
    return job


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with counts, and all that a run makes of them."""
    folder = tmp_path_factory.mktemp("job")
    months = pd.date_range("2020-01-01", "2024-12-01", freq="MS").strftime("%Y-%m-%d")
    y = np.random.default_rng(1).poisson(30, len(months))
    pd.DataFrame({"unique_id": "North", "ds": months, "y": y, "area": "North"}).to_csv(folder / "counts.csv", index=False)
    assert done(folder).reused == []
    return folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    """A copy of it for each test: stages stand wherever the folder lies."""
    return Path(shutil.copytree(finished, tmp_path, dirs_exist_ok=True))


def test_only_what_rests_on_a_change_is_done_again(folder: Path) -> None:
    assert set(done(folder).timings) == set()
    assert set(done(folder, "120").timings) == {"scenario", "budget", "report"}
    assert set(done(folder, "120", "title=Another").timings) == {"check", "report"}
    assert set(done(folder, "120", "title=Another", "publish.publisher=Us").timings) == {"report"}
    assert "forecast" in done(folder, "120", "title=Another", "seed=2").timings


def test_changed_data_and_changed_results_are_noticed(folder: Path) -> None:
    (folder / "out" / "forecast.parquet").write_bytes(b"not what was written")
    assert "forecast" in done(folder).timings
    table = pd.read_csv(folder / "counts.csv")
    table.assign(y=table["y"] + 1).to_csv(folder / "counts.csv", index=False)
    assert {"check", "forecast", "report"} <= set(done(folder).timings)


def test_a_run_that_did_nothing_took_no_time(folder: Path) -> None:
    store = done(folder).store
    assert store.manifest["took"] == 0
    assert sum(store.manifest["timings"].values()) > 0


def test_one_stage_is_recorded_again_where_records_are_kept_elsewhere_or_are_gone(folder: Path) -> None:
    job, other = (
        open_job(folder / "counts.yaml", output=str(folder / "out"), jobs=1, changes=[f"tracking.uri=sqlite:///{folder / name}.db"])
        for name in ("here", "there")
    )
    for name in ("here.db", "there.db"):
        (folder / name).touch()
    job.finish("a run")
    other.store.manifest = job.store.manifest
    assert (_recorded_there(job), _recorded_there(other)) == (True, False)
    (folder / "here.db").unlink()
    assert not _recorded_there(job)


def test_a_stage_that_the_config_says_nothing_about_is_not_wanted(folder: Path) -> None:
    assert "segment" not in done(folder).wanted()


def test_results_that_rest_on_something_else_are_no_longer_vouched_for(folder: Path) -> None:
    job = open_job(folder / "counts.yaml", output=str(folder / "out"), jobs=1, changes=["seed=2"])
    run(job, ["forecast"])
    assert job.store.has("forecast.parquet")
    assert not job.store.has("report.html")
    assert not job.store.has("budget.csv")
    assert (folder / "out" / "report.html").exists()


def test_another_reason_for_the_same_number_is_written_down(folder: Path) -> None:
    row = dict.fromkeys(CHANGES, "") | {"assumption": "case: amount", "number": "value", "old": 90.0, "new": 100.0}
    for why in ("a slip", "the new contract"):
        job = open_job(folder / "counts.yaml", output=str(folder / "out"), jobs=1, changes=[])
        job.edits = pd.DataFrame([{**row, "why": why}], columns=CHANGES)
        run(job, ["budget"])
        assert "forecast" in job.reused
        assert job.store.table("inputs_changes.csv")["why"].tolist() == [why]
        assert job.store.table("assumptions.csv")["source"].str.contains(why).any()
