"""Would the forecast have been right? Replayed at earlier dates, with what was known then."""

from __future__ import annotations

from dataclasses import replace

from demand.evaluation import backtest
from demand.forecast import ForecastSpec
from demand.people import Beside
from pipelines.config import RunConfig
from pipelines.forecast import missing
from pipelines.job import Job
from pipelines.results import load_forecast, load_history, others_of, start_month, stocks_of
from pipelines.store import Writer

__all__ = ["NEEDS", "missing", "rests_on", "run"]

NEEDS = ("forecast",)


def rests_on(config: RunConfig) -> list[object]:
    """Give the settings that the results depend on, beside the data and the stages before."""
    return [config.forecast, config.caseload, start_month(config)]


def run(job: Job, writer: Writer) -> None:
    """Write what was said and what came, accuracy and coverage, and the track record in words."""
    history = load_history(job.store.folder)
    made = replace(load_forecast(job.store), beside=Beside.of(stocks_of(job, history), others_of(job, history), history))
    spec = ForecastSpec.model_validate(job.store.json("model_settings.json")["spec"])
    found = backtest(
        history,
        made,
        spec,
        seed=job.config.seed,
        drivers=job.inputs.drivers,
        hierarchy=job.config.data.hierarchy,
        start_month=start_month(job.config),
        jobs=job.jobs,
        progress=job.progress,
    )
    writer.table("backtest.parquet", found.rows)
    writer.table("backtest_summary.csv", found.summary)
    writer.table("backtest_sums.parquet", found.sums)
    writer.table("backtest_groups.csv", found.groups)
    writer.table("backtest_years.parquet", found.years)
    writer.json("track_record.json", list(found.track_record))
