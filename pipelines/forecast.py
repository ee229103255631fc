"""Forecast demand for every series, as joint possible futures."""

from __future__ import annotations

from demand.budget import horizon_needed
from demand.caseload.model import Caseload
from demand.caseload.recorded import with_unrecorded
from demand.commitments import commitments, drawn_starts
from demand.course import joined, run_off_table, with_known
from demand.errors import DataError, Fault
from demand.forecast import Forecast, ForecastSpec, forecast
from demand.hierarchy import levels, totals
from demand.people import Beside
from demand.tables import History
from pipelines.config import RunConfig
from pipelines.job import Job
from pipelines.results import has_trend, known_changes_of, others_of, redrawn, rules_of, start_month, stocks_of, write_forecast
from pipelines.store import Writer

__all__ = ["NEEDS", "missing", "rests_on", "run"]

NEEDS = ("check", "segment")


def missing(config: RunConfig) -> str:
    """Say what the config lacks for this stage."""
    if config.forecast is None:
        return "Add a `forecast` section"
    people = config.data.people is not None and config.data.people.opened is not None
    return "" if config.data.history or config.data.example or people else "Name `history` (or `people` with `opened`) under `data`"


def rests_on(config: RunConfig) -> list[object]:
    """Give the settings that the results depend on, beside the data and the stages before."""
    years = sorted({year for line in config.budget.lines for year in line.years}) if config.budget else []
    return [config.forecast, config.caseload, years, start_month(config), has_trend(config) if config.caseload else True]


def run(job: Job, writer: Writer) -> None:
    """Write history, forecast, draws, totals and effects, and what the forecast can be made again from.

    Raises
    ------
    DataError
        Where the data holds nothing that can be counted.
    """
    config, inputs = job.config, job.inputs
    history = inputs.history_by(rules_of(job))
    if config.forecast is None or history is None:
        raise DataError(Fault("there is no history to forecast", do_next="Name `history`, or `people` with a column for `opened`"))
    needed = horizon_needed(config.budget, history.last, history.frequency) if config.budget else 0
    spec = config.forecast.model_copy(update={"horizon": max(config.forecast.horizon, needed)})
    hierarchy, drivers, told, stocks = config.data.hierarchy, inputs.drivers, job.progress, stocks_of(job, history)
    beside = Beside.of(stocks, others_of(job, history), history)
    made = forecast(history, spec, seed=config.seed, drivers=drivers, hierarchy=hierarchy, jobs=job.jobs, beside=beside, progress=told)
    if inputs.late is not None:
        lasting = stocks.lasting if stocks else None
        wide = with_unrecorded(made.draws, history, inputs.counts, inputs.late, seed=config.seed, lasting=lasting)
        made = redrawn(made, wide, feature="not recorded yet")
    if stocks is not None:
        made = _with_stays(job, writer, stocks, made, history)
    about = {"spec": spec.model_dump(mode="json"), "hierarchy": config.model_dump(mode="json")["data"]["hierarchy"], "seed": config.seed}
    write_forecast(writer, history, made, about)
    if drivers is not None:
        writer.table("drivers.parquet", drivers)
    of = levels(history.only(map(str, made.draws["series"].to_numpy())).series, hierarchy)
    writer.table("totals.parquet", totals(made.draws, of, start_month=start_month(config), history=history))


def _with_stays(job: Job, writer: Writer, stocks: Caseload, made: Forecast, history: History) -> Forecast:
    """Write what stays say of people and pounds, and give the forecast with the changes that somebody knows of."""
    config, last, drivers, changes = job.config, history.last, job.inputs.drivers, known_changes_of(job)
    spec = ForecastSpec(horizon=made.draws.sizes["ds"], draws=made.draws.sizes["draw"])
    writer.table("starts.parquet", stocks.coming(last, spec.horizon, seed=config.seed, drivers=drivers))
    starts = drawn_starts(stocks, last, spec, seed=config.seed, drivers=drivers, jobs=job.jobs)
    without, after, table = commitments(stocks, starts, last, seed=config.seed, changes=changes, trend=has_trend(config))
    writer.table("commitments.csv", table)
    run_off = joined(made.draws, starts, without, after)
    writer.table("run_off.parquet", run_off_table(run_off))
    return redrawn(made, with_known(made.draws, run_off), feature="known changes") if changes else made
