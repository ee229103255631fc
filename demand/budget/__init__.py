"""Pounds by financial year: prices, grants and other items, lines, risk, sensitivity, and who gets how much.

In: DEMAND, unit costs, items, the budget's lines. Out: `Cost`, and the tables of money, each from one function: cost_table (cost.parquet),
budget_table (budget.csv), risk_table (risk.csv), sensitivity (sensitivity.csv), waterfall (waterfall.csv), reconciliation
(reconciliation.csv), outturn (outturn.csv). Acts on draws, never on models.
"""

from demand.budget.allocation import Allocation, Envelope, FixedTotal, HoldService, allocate
from demand.budget.fixed import FixedCost, StepCost
from demand.budget.grants import Grant
from demand.budget.income import Contribution, HousingBenefit, IncomeRule, Reimbursed
from demand.budget.items import Item, with_items
from demand.budget.lines import (
    TOTAL,
    BudgetLine,
    BudgetSpec,
    budget_notes,
    gross_costs,
    horizon_needed,
    item_costs,
    line_costs,
    pence,
    shortfall,
)
from demand.budget.live import price_draws, quantities
from demand.budget.outturn import outturn, outturn_notes
from demand.budget.period_costs import by_period
from demand.budget.prices import Cost, UnitCost, price, yearly
from demand.budget.reconciliation import reconciliation, reconciliation_notes
from demand.budget.savings import Saving
from demand.budget.sensitivity import POUNDS, sensitivity, sweep, waterfall
from demand.budget.shares import cost_by
from demand.budget.tables import budget_table, cost_table, risk_table

__all__ = [
    "POUNDS",
    "TOTAL",
    "Allocation",
    "BudgetLine",
    "BudgetSpec",
    "Contribution",
    "Cost",
    "Envelope",
    "FixedCost",
    "FixedTotal",
    "Grant",
    "HoldService",
    "HousingBenefit",
    "IncomeRule",
    "Item",
    "Reimbursed",
    "Saving",
    "StepCost",
    "UnitCost",
    "allocate",
    "budget_notes",
    "budget_table",
    "by_period",
    "cost_by",
    "cost_table",
    "gross_costs",
    "horizon_needed",
    "item_costs",
    "line_costs",
    "outturn",
    "outturn_notes",
    "pence",
    "price",
    "price_draws",
    "quantities",
    "reconciliation",
    "reconciliation_notes",
    "risk_table",
    "sensitivity",
    "shortfall",
    "sweep",
    "waterfall",
    "with_items",
    "yearly",
]
