"""Pounds by financial year: prices, grants and other items, lines, risk, sensitivity, and who gets how much.

In: DEMAND, unit costs, items, the budget's lines. Out: `Cost`, and the tables of money, each from one function: cost_table (cost.parquet),
budget_table (budget.csv), risk_table (risk.csv), sensitivity (sensitivity.csv), waterfall (waterfall.csv), reconciliation
(reconciliation.csv), outturn (outturn.csv), finance_periods (finance_periods.csv), mtfp and bridge (of the same name, from `steps_of`),
backcast, allocation_table. Acts on draws, never on models.
"""

from demand.budget.allocation import Allocation, AllocationSpec, Envelope, FixedTotal, HoldService, allocate, allocation_table
from demand.budget.backcast import backcast, backcast_notes
from demand.budget.bridge import bridge, bridge_notes
from demand.budget.finance_periods import finance_period_notes, finance_periods
from demand.budget.fixed import FixedCost, StepCost
from demand.budget.grants import Grant
from demand.budget.income import Contribution, HousingBenefit, IncomeRule, Reimbursed
from demand.budget.items import Item, with_items
from demand.budget.levers import levers
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
from demand.budget.movement import steps_of
from demand.budget.mtfp import mtfp, mtfp_notes
from demand.budget.outturn import outturn, outturn_notes
from demand.budget.payment import Payment
from demand.budget.period_costs import by_period
from demand.budget.prevention import Prevention
from demand.budget.prices import Cost, UnitCost, price, yearly
from demand.budget.reconciliation import reconciliation, reconciliation_notes
from demand.budget.savings import Saving
from demand.budget.sensitivity import NET, POUNDS, sensitivity, sweep, waterfall
from demand.budget.shares import cost_by
from demand.budget.start_prices import FoundPrices, StartPrices
from demand.budget.tables import budget_table, cost_table, risk_table

__all__ = [
    "NET",
    "POUNDS",
    "TOTAL",
    "Allocation",
    "AllocationSpec",
    "BudgetLine",
    "BudgetSpec",
    "Contribution",
    "Cost",
    "Envelope",
    "FixedCost",
    "FixedTotal",
    "FoundPrices",
    "Grant",
    "HoldService",
    "HousingBenefit",
    "IncomeRule",
    "Item",
    "Payment",
    "Prevention",
    "Reimbursed",
    "Saving",
    "StartPrices",
    "StepCost",
    "UnitCost",
    "allocate",
    "allocation_table",
    "backcast",
    "backcast_notes",
    "bridge",
    "bridge_notes",
    "budget_notes",
    "budget_table",
    "by_period",
    "cost_by",
    "cost_table",
    "finance_period_notes",
    "finance_periods",
    "gross_costs",
    "horizon_needed",
    "item_costs",
    "levers",
    "line_costs",
    "mtfp",
    "mtfp_notes",
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
    "steps_of",
    "sweep",
    "waterfall",
    "with_items",
    "yearly",
]
