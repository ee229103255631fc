"""Pounds by financial year: prices, lines, risk, sensitivity, and who gets how much.

In: DEMAND, unit costs, the budget's lines. Out: `Cost`, and the tables of money, each from one function: cost_table (cost.parquet),
budget_table (budget.csv), risk_table (risk.csv), sensitivity (sensitivity.csv), waterfall (waterfall.csv), reconciliation
(reconciliation.csv). Acts on draws, never on models.
"""

from demand.budget.allocation import Allocation, Envelope, FixedTotal, HoldService, allocate
from demand.budget.lines import (
    TOTAL,
    BudgetLine,
    BudgetSpec,
    budget_notes,
    budget_table,
    cost_table,
    horizon_needed,
    line_costs,
    pence,
    risk_table,
    shortfall,
)
from demand.budget.live import price_draws, quantities
from demand.budget.prices import Cost, UnitCost, by_period, price, yearly
from demand.budget.reconciliation import reconciliation, reconciliation_notes
from demand.budget.sensitivity import POUNDS, sensitivity, waterfall
from demand.budget.shares import cost_by

__all__ = [
    "POUNDS",
    "TOTAL",
    "Allocation",
    "BudgetLine",
    "BudgetSpec",
    "Cost",
    "Envelope",
    "FixedTotal",
    "HoldService",
    "UnitCost",
    "allocate",
    "budget_notes",
    "budget_table",
    "by_period",
    "cost_by",
    "cost_table",
    "horizon_needed",
    "line_costs",
    "pence",
    "price",
    "price_draws",
    "quantities",
    "reconciliation",
    "reconciliation_notes",
    "risk_table",
    "sensitivity",
    "shortfall",
    "waterfall",
    "yearly",
]
