"""Price every scenario by financial year and hold it against the budget."""

from __future__ import annotations

from demand.assumptions import no_changes
from demand.budget import (
    BudgetSpec,
    budget_notes,
    budget_table,
    cost_by,
    cost_table,
    finance_period_notes,
    finance_periods,
    outturn,
    outturn_notes,
    price_draws,
    quantities,
    risk_table,
    sensitivity,
)
from demand.hierarchy import declared
from pipelines.config import RunConfig
from pipelines.job import Job
from pipelines.plans import write_plans
from pipelines.results import planned, tested_until
from pipelines.store import Writer

__all__ = ["NEEDS", "missing", "rests_on", "run"]

NEEDS = ("forecast", "backtest", "scenario")


def missing(config: RunConfig) -> str:
    """Say what the config lacks for this stage."""
    return "" if config.forecast and (config.costs or config.prices) else "Add a `costs` section (and `forecast`)"


def rests_on(config: RunConfig) -> list[object]:
    """Give the settings that the results depend on, beside the data and the stages before."""
    return [config.scenarios, config.costs, config.prices, config.items, config.budget, config.allocation]


def run(job: Job, writer: Writer) -> None:
    """Write the tables of money, what has no price, and what a reader has to know."""
    plan, job.planned = planned(job), None
    case, history, cost, prices, spec = plan.case, plan.history, plan.cost, plan.prices, job.config.budget or BudgetSpec()
    if prices is not None:
        writer.table("start_prices.csv", prices.table)
    writer.table("cost.parquet", cost_table(cost, spec))
    budget = budget_table(cost, spec, tested_until=tested_until(job.store))
    periods = finance_periods(cost, spec, budget)
    writer.table("budget.csv", budget)
    writer.table("finance_periods.csv", periods)
    if "segment" in history.keys:
        writer.table("segment_cost.csv", cost_by(cost, "segment", spec))
    writer.table("risk.csv", risk_table(cost, spec))
    writer.table("sensitivity.csv", sensitivity(case, cost, job.config.items))
    writer.table("price_quantities.parquet", quantities(cost, spec, seed=case.seed, items=job.config.items))
    writer.table("price_draws.parquet", price_draws(cost, spec, seed=case.seed, items=job.config.items))
    writer.table("unpriced.csv", cost.unpriced)
    writer.table("inputs_changes.csv", no_changes() if job.edits is None else job.edits)
    counted = history.only(set(history.ids) - set(declared(history, job.config.data.hierarchy)))
    told = [*write_plans(job, writer, case, cost, spec, counted), *(prices.notes if prices else ()), *budget_notes(cost, spec)]
    told += finance_period_notes(cost, periods)
    if (asked := job.config.data.actuals) is not None and (ledger := job.inputs.actuals) is not None:
        before = job.inputs.table_before(asked.previous, "outturn.csv")
        projected = outturn(cost, spec, ledger, counted, seed=case.seed, previous=before, commitments=asked.commitments, basis=asked.basis)
        writer.table("outturn.csv", projected)
        told = [*outturn_notes(projected, spec, ledger, commitments=asked.commitments), *told]
    if (example := job.config.data.example) is not None and example.size != "standard":
        small = f"The budgets and outturns of the example are for its standard size: beside one of size {example.size} they say nothing."
        told = [small, *told]
    writer.json("budget_notes.json", told)
