"""A made-up run with two changes and two prices, and Python's own answer when any of their numbers is another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from planning_cases import change, forecast, number, weekly_prices

from demand.budget import BudgetSpec, Cost, price
from demand.scenario import AVERAGE, Change, Scenario, WhatIf, apply
from demand.tables import History

YEARS = {"2026-27": 2_000_000, "2027-28": 2_000_000}
LINES = [{"name": "nightly", "where": {"type": "bnb"}, "years": YEARS}, {"name": "hostels", "where": {"type": "hostel"}, "years": YEARS}]


@dataclass(frozen=True)
class Tried:
    """What levers are made from."""

    case: WhatIf
    history: History
    cost: Cost
    spec: BudgetSpec


def tried(numbers: Mapping[str, float] | None = None, *, empty: str = "") -> Tried:
    """Give the run, or the same run with these numbers certain: by the name of the change or of the unit cost; one area may be empty."""
    numbers = numbers or {}
    draws, history = forecast(past=12)
    draws = draws.where(~draws["series"].astype(str).str.startswith(f"{empty}/"), 0) if empty else draws
    changes = [
        change("fewer", start="2027-01", ramp_months=6),
        change("to hostel", "shift", where={"type": "bnb"}, to={"type": "hostel"}, size=number(0.3, 0.1, 0.4)),
    ]
    more = {"effect": "add", "size": number(10, 0, 20.5, "households")}
    scenarios = [
        Scenario(name="both", question="What do both do?", changes=_held(changes, numbers), together="multiply"),
        *(
            Scenario(
                name=name, question="?", changes=_held([change(f"{name} {n}", where=where, **more) for n in "ab"], numbers), together=rule
            )
            for name, where, rule in (("nights", {"type": "bnb"}, "add"), ("opened", {"area": "South", "type": "bnb"}, "multiply"))
        ),
    ]
    costs = [c.with_number("amount", numbers[c.name]) if c.name in numbers else c for c in weekly_prices()]
    case = WhatIf(draws, tuple(scenarios), 1)
    demand, _ = apply(draws, case.scenarios, seed=1)
    return Tried(case, history, price(demand, costs, seed=1, history=history), BudgetSpec.model_validate({"lines": LINES}))


def _held(changes: list[Change], numbers: Mapping[str, float]) -> list[Change]:
    """Hold the changes that have a number at it."""
    return [c.fixed("size", numbers[c.name]) if c.name in numbers else c for c in changes]


def answer(run: Tried, scenario: str, area: str | None) -> dict[str, tuple[float, float]]:
    """Give by financial year the households at one time and the pounds of a scenario, everywhere or in one area."""
    cost, demand = run.cost, run.cost.demand.sel(scenario=scenario).transpose("series", "ds", "draw").to_numpy()
    series = pd.Index(run.cost.demand["series"].to_numpy())
    rows = [i for i, name in enumerate(series) if area is None or name.startswith(f"{area}/")]
    people = cost.exposure.quantity(demand[rows], rows, per=AVERAGE).mean(axis=2).sum(axis=0)
    pounds = cost.years.sel(scenario=scenario, series=list(series[rows])).mean("draw").sum("series")
    return {str(y): (float(people[i]), float(pounds.sel(financial_year=str(y)))) for i, y in enumerate(cost.labels)}
