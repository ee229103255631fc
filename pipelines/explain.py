"""Say what each forecast is made of, and how steady the order of its drivers is."""

from __future__ import annotations

from demand.events import clean
from demand.explain import driver_windows, explain
from pipelines.config import RunConfig
from pipelines.forecast import missing
from pipelines.job import Job
from pipelines.results import load_forecast, load_history
from pipelines.store import Writer

__all__ = ["NEEDS", "missing", "rests_on", "run"]

NEEDS = ("forecast",)
DRAWS = 100
"""Estimates of each driver in each window."""


def rests_on(config: RunConfig) -> list[object]:
    """Give the settings that the results depend on, beside the data and the stages before."""
    return [config.forecast, config.data.drivers]


def run(job: Job, writer: Writer) -> None:
    """Write explanation.parquet, whose contributions add up to the forecast's mean, and driver_windows.csv."""
    made = load_forecast(job.store)
    writer.table("explanation.parquet", explain(made))
    spec, store = job.config.forecast, job.store
    if spec is None or not store.has("drivers.parquet") or made.effects.empty or made.settings["people"]:
        return
    history = clean(load_history(store.folder).only(map(str, made.draws["series"].to_numpy())), spec.events)
    signs = job.config.data.drivers.signs if job.config.data.drivers else None
    drivers = store.table("drivers.parquet")
    writer.table("driver_windows.csv", driver_windows(history, drivers, draws=DRAWS, seed=job.config.seed, signs=signs))
