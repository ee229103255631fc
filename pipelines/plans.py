"""The tables that finance plans with, written beside the budget.

In: a job, what its scenarios were made from, the cost, and what was counted. Out: reconciliation.csv, mtfp.csv, bridge.csv, backcast.csv
and, where the config asks for one, allocation.csv. Refuses what each table refuses.
"""

from __future__ import annotations

from demand.budget import BudgetSpec, Cost, reconciliation, reconciliation_notes
from demand.budget.allocation import allocate, allocation_notes, allocation_table
from demand.budget.backcast import backcast, backcast_notes
from demand.budget.bridge import bridge, bridge_notes
from demand.budget.movement import steps_of
from demand.budget.mtfp import mtfp, mtfp_notes
from demand.budget.reconciliation import with_outturns
from demand.scenario import WhatIf
from demand.tables import History
from pipelines.job import Job
from pipelines.results import without_known
from pipelines.store import Writer

__all__ = ["write_plans"]


def write_plans(job: Job, writer: Writer, case: WhatIf, cost: Cost, spec: BudgetSpec, counted: History) -> list[str]:
    """Write the tables, and give what a reader of them has to know.

    Parameters
    ----------
    job : Job
    writer : Writer
    case : WhatIf
    cost : Cost
    spec : BudgetSpec
    counted : History
        Without declared totals.

    Returns
    -------
    list of str
        Whole sentences.
    """
    config, told = job.config, []
    ledger, said = job.inputs.outturn
    if ledger is not None:
        spec, told = with_outturns(spec, ledger), [f"{f.where}: {f.message}." for f in said if f.rule == "ledger_line"]
    came = job.store.table("starts.parquet") if job.has("starts.parquet") else None
    agreed = reconciliation(cost, spec, counted)
    found = steps_of(case, cost, spec, counted, came=came, without_known=without_known(job, cost))
    events = config.forecast.events if config.forecast else []
    judged = backcast(cost, spec, counted, job.store.table("backtest_years.parquet"), events=events)
    for name, table in (("reconciliation", agreed), ("mtfp", mtfp(found)), ("bridge", bridge(found, spec)), ("backcast", judged)):
        writer.table(f"{name}.csv", table)
    told += [*backcast_notes(judged), *reconciliation_notes(agreed, spec), *mtfp_notes(found), *bridge_notes(found)]
    if config.allocation is None:
        return told
    plan = allocate(cost, config.allocation, spec, seed=case.seed)
    writer.table("allocation.csv", allocation_table(plan))
    return [*allocation_notes(plan), *told]
