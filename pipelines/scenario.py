"""Apply the config's scenarios to the forecast, in the same possible futures."""

from __future__ import annotations

from demand.assumptions import ledger, ledger_notes, marked
from demand.budget import levers, sweep, waterfall
from demand.scenario import demand_table, standing
from pipelines.config import RunConfig
from pipelines.job import Job
from pipelines.results import planned, run_day, start_month
from pipelines.store import Writer

__all__ = ["NEEDS", "missing", "rests_on", "run"]

NEEDS = ("forecast",)


def missing(config: RunConfig) -> str:
    """Say what the config lacks for this stage."""
    return "" if config.forecast and (config.scenarios or config.costs or config.prices) else "Add a `scenarios` section"


def rests_on(config: RunConfig) -> list[object]:
    """Give the settings that the results depend on, beside the data and the stages before."""
    given = [config.scenarios, config.costs, config.prices, config.items, config.budget, config.allocation, config.assumptions]
    return [*given, config.sweeps]


def run(job: Job, writer: Writer) -> None:
    """Write demand.parquet, waterfall.csv (people, and pounds where there are costs), what was changed, levers, and the ledger."""
    plan = planned(job)
    case, history, cost = plan.case, plan.history, plan.cost
    writer.table("demand.parquet", demand_table(plan.demand))
    first = start_month(job.config)
    writer.table("waterfall.csv", waterfall(case, history=history, start_month=first, cost=cost))
    writer.table("levers.parquet", levers(case, history=history, start_month=first, cost=cost, spec=job.config.budget))
    if job.config.sweeps:
        swept = sweep(case, job.config.sweeps, history=history, start_month=first, cost=cost, items=job.config.items)
        writer.table("sweep.csv", swept)
    writer.table("scenario_changes.csv", plan.applied)
    today = run_day(job.config, history)
    used = {**job.config.numbers(), **({"prices": plan.prices.costs} if plan.prices else {})}
    numbers = marked(ledger(used, as_of=today, entries=job.config.assumptions), job.edits)
    writer.table("assumptions.csv", numbers)
    writer.json("scenario_notes.json", [*standing(case.scenarios, today), *ledger_notes(numbers, job.config.assumptions)])
