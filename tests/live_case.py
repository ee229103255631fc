"""A small priced run with a budget, and the workbook's input made from it, as the stages of a run make it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
import xarray as xr
from planning_cases import change, forecast, number, unit_cost, weekly_prices

from demand.assumptions import ledger
from demand.budget import (
    BudgetLine,
    BudgetSpec,
    FixedCost,
    Payment,
    UnitCost,
    budget_table,
    finance_periods,
    price,
    price_draws,
    quantities,
    risk_table,
    with_items,
)
from demand.course import Course
from demand.report import ReportInput
from demand.scenario import Scenario, apply

SEED = 5
YEARS = {"2026-27": 1_900_000.0, "2027-28": 1_950_000.55}
SPEC = BudgetSpec(
    lines=[
        BudgetLine(name="rooms", where={"type": ["bnb"]}, years=YEARS),
        BudgetLine(name="hostels", where={"type": ["hostel"]}, years=dict.fromkeys(YEARS, 1000000.0)),
    ]
)
TEAM = FixedCost(
    name="team", line="rooms", amount=number(90_000, 70_000, 120_000, "GBP/year"), uplift=number(0.02, 0.0, 0.05, "per year", source="pay"),
    start=date(2026, 10, 1), scenarios=["fewer"],
)  # fmt: skip
FEWER = Scenario(name="fewer", question="What if fewer come?", changes=(change(start="2027-04"),))


def prices() -> list[UnitCost]:
    """Two prices, one with an uplift and paid every four weeks, and one on top of both."""
    rooms, hostels = weekly_prices()
    rooms = rooms.model_copy(update={"paid": Payment(every="four weeks", on=date(2026, 4, 10))})
    return [rooms, hostels, unit_cost("security", {}, number(20, 10, 40, "GBP/household/week"), on_top=True)]


def wandering(draws: int) -> Course:
    """Prices of two stocks that move as people leave and start, in each future its own way."""
    possible, _ = forecast(draws=draws)
    rooms = possible.sel(series=["North/bnb", "South/bnb"]).astype(float)
    steps = np.random.default_rng(1).standard_normal(rooms.shape).cumsum(axis=1)
    people = xr.DataArray([30.0, 10.0], dims="series", coords={"series": rooms["series"].to_numpy()})
    return Course(rooms.copy(data=550 * np.exp(0.02 * steps)), people, people * xr.DataArray([500.0, 700.0], dims="series"))


def made_live(
    costs: Sequence[UnitCost] | None = None, spec: BudgetSpec = SPEC, *, draws: int = 40, own_prices: bool = False, team: FixedCost = TEAM
) -> ReportInput:
    """Price two scenarios and hand over what a run stores; with `own_prices` every placement has its own, and the scenario changes them."""
    costs = prices() if costs is None else costs
    possible, history = forecast(draws=draws)
    dear = change("dearer", "price", size=number(1.1, 1.0, 1.25), start="2026-10")
    fewer = FEWER.model_copy(update={"changes": (*FEWER.changes, dear), "together": "multiply"}) if own_prices else FEWER
    demand, _ = apply(possible, [fewer], seed=SEED)
    cost = price(demand, costs, seed=SEED, history=history, course=wandering(draws) if own_prices else None)
    cost = with_items(cost, [team], seed=SEED)
    budget = budget_table(cost, spec)
    return ReportInput(
        title="Temporary accommodation",
        run={"name": "made", "seed": SEED, "as_of": pd.Timestamp("2026-06-30"), "draws": draws},
        budget=budget,
        finance_periods=finance_periods(cost, spec, budget),
        risk=risk_table(cost, spec),
        assumptions=ledger({"costs": costs, "scenarios": [FEWER], "items": [team]}, as_of=date(2026, 6, 30)),
        price_quantities=quantities(cost, spec, seed=SEED, items=[team]),
        price_draws=price_draws(cost, spec, seed=SEED, items=[team]),
        questions={"fewer": FEWER.question},
    )
