"""Say what each forecast is made of."""

from __future__ import annotations

from demand.explain import explain
from pipelines.config import RunConfig
from pipelines.forecast import missing
from pipelines.job import Job
from pipelines.results import load_forecast
from pipelines.store import Writer

__all__ = ["NEEDS", "missing", "rests_on", "run"]

NEEDS = ("forecast",)


def rests_on(config: RunConfig) -> list[object]:
    """Give the settings that the results depend on, beside the data and the stages before."""
    return [config.forecast]


def run(job: Job, writer: Writer) -> None:
    """Write explanation.parquet: per series and period the contributions add up to the forecast's mean."""
    writer.table("explanation.parquet", explain(load_forecast(job.store)))
