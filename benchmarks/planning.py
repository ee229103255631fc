"""How long planning takes at scale: python benchmarks/planning.py [SERIES].

Makes 500 draws of 1,000 series over 60 months, with ten scenarios, four prices, two grants, income and steps. In one process applies the
scenarios, prices them, and makes the tables of the budget; then changes a price and makes the budget again from the same demand. Prints
seconds, CPU seconds, peak memory and the load of the computer. Exits 1 where the whole takes more than 20 CPU seconds or 4 GiB, or pricing
anew more than 2.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import xarray as xr
from scale import peak_gibibytes

from demand.budget import (
    BudgetLine,
    BudgetSpec,
    FixedCost,
    Grant,
    Reimbursed,
    StepCost,
    UnitCost,
    budget_table,
    cost_table,
    finance_periods,
    price,
    risk_table,
    with_items,
)
from demand.budget.prices import Cost
from demand.calendar import Frequency
from demand.scenario import Change, Scenario, apply
from demand.spec import Assumption
from demand.tables import History, make_draws

SERIES, MONTHS, DRAWS, TYPES, AREAS = 1_000, 60, 500, 4, 20
MOST_SECONDS, MOST_AGAIN, MOST_GIBIBYTES = 20.0, 2.0, 4.0
YEARS = ("2026-27", "2027-28", "2028-29", "2029-30", "2030-31")


def number(value: float, unit: str = "ratio", wide: float = 0.1) -> Assumption:
    """Make an assumption with a range of 10 % to both sides."""
    low, high = value * (1 - wide), value * (1 + wide)
    return Assumption(value=value, low=low, high=high, unit=unit, source="benchmark", as_of=date(2026, 3, 31), owner="benchmark")


def forecast(series: int) -> tuple[xr.DataArray, History]:
    """Make a forecast and the year before it."""
    rng = np.random.default_rng(1)
    ds = Frequency("M").periods(pd.Timestamp("2025-04-01"), 12)
    about = pd.DataFrame(
        {
            "unique_id": [f"s{i:04d}" for i in range(series)],
            "type": [f"type {i % TYPES}" for i in range(series)],
            "place": [f"place {i // TYPES}" for i in range(series)],
            "area": [f"area {i // TYPES % AREAS}" for i in range(series)],
            "kind": "stock",
            "unit": "households",
        }
    )
    table = about.merge(pd.DataFrame({"ds": ds}), how="cross").assign(y=rng.poisson(20, series * 12).astype(float))
    history = History.of(table, Frequency("M"), keys=["type", "place", "area"])
    values = rng.poisson(20, (series, MONTHS, DRAWS)).astype(np.float32)
    future = Frequency("M").after(history.last, MONTHS)
    return make_draws(values, history.series, future, frequency=Frequency("M"), cutoff=history.last, seed=1, fingerprint="made"), history


def scenarios() -> list[Scenario]:
    """Make ten: four that touch a type, two an area, two everything, a shift, and a combination."""

    def of(name: str, effect: str, value: float, **more: object) -> Scenario:
        change = Change.model_validate({"name": name, "effect": effect, "size": number(value), "start": "2027-04", **more})
        return Scenario(name=name, changes=(change,))

    several = [of(f"type {k} falls", "multiply", 0.9, where={"type": f"type {k}"}, ramp_months=12) for k in range(TYPES)]
    several += [of(f"area {k} rises", "multiply", 1.1, where={"area": f"area {k}"}) for k in range(2)]
    several += [of("all rise", "multiply", 1.05), of("all fall", "multiply", 0.95, ramp_months=24)]
    several.append(of("moved", "shift", 0.2, where={"type": "type 0"}, to={"type": "type 1"}))
    return [*several, Scenario(name="together", combines=("type 0 falls", "area 1 rises", "moved"), together="multiply")]


def costs(first: float = 400.0) -> list[UnitCost]:
    """Make a price for each type, one of which moves on 1 July."""
    on = ["1 July", "", "", ""]
    return [
        UnitCost(
            name=f"place {k}",
            where={"type": [f"type {k}"]},
            amount=number(first + 100 * k, "GBP/household/week"),
            uplift=number(0.03, "per year"),
            uplift_on=on[k],
        )
        for k in range(TYPES)
    ]


def planned(demand: xr.DataArray, history: History, prices: list[UnitCost]) -> Cost:
    """Price demand, put the items beside it, and make the tables that are stored."""
    spec = BudgetSpec(
        lines=tuple(BudgetLine(name=f"type {k}", where={"type": [f"type {k}"]}, years=dict.fromkeys(YEARS, 1e8)) for k in range(TYPES))
    )
    items = [
        Grant(name="grant", line="type 0", years=dict.fromkeys(YEARS, 1e6)),
        FixedCost(name="team", line="type 1", amount=number(3e5, "GBP/year")),
        Reimbursed(name="health", line="type 2", rule="reimbursed", where={"type": ["type 2"]}, share=number(0.2)),
        StepCost(name="hostels", line="type 3", where={"type": ["type 3"]}, places=30, amount=number(1e5, "GBP/year")),
    ]
    cost = with_items(price(demand, prices, seed=1, history=history), items, seed=1)
    finance_periods(cost, spec, budget_table(cost, spec))
    risk_table(cost, spec)
    cost_table(cost, spec)
    return cost


def measured(name: str, work: Callable[[], object]) -> tuple[object, float]:
    """Do some work, print what it took, and give its CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    made = work()
    spent = time.process_time() - cpu
    print(f"{name:28} {time.perf_counter() - wall:6.2f} s, CPU {spent:6.2f} s, peak {peak_gibibytes():.2f} GiB so far", flush=True)
    return made, spent


def main() -> int:
    """Measure, and say whether it is fast and small enough."""
    series = int(sys.argv[1]) if len(sys.argv) > 1 else SERIES
    draws, history = forecast(series)
    print(
        f"{series} series x {MONTHS} months x {DRAWS} draws x 10 scenarios; load {os.getloadavg()[0]:.1f}; peak {peak_gibibytes():.2f} GiB"
    )
    (demand, _), applied = measured("scenarios applied", lambda: apply(draws, scenarios(), seed=1))  # type: ignore[misc]
    _, priced = measured("priced and summarised", lambda: planned(demand, history, costs()))
    _, again = measured("a price changed", lambda: price(demand, costs(450.0), seed=1, history=history))
    peak = peak_gibibytes()
    print(
        f"in all {applied + priced:.1f} CPU s (at most {MOST_SECONDS:g}), again {again:.1f} (at most {MOST_AGAIN:g}), peak {peak:.2f} GiB"
    )
    return int(applied + priced > MOST_SECONDS or again > MOST_AGAIN or peak > MOST_GIBIBYTES)


if __name__ == "__main__":
    sys.exit(main())
