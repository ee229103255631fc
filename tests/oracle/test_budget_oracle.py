"""Pricing and allocation against slow, obvious second implementations: one day, one draw, one pound at a time."""

import itertools

import numpy as np
import pandas as pd
import pytest
from planning_cases import change, forecast, number, unit_cost

from demand.budget import BudgetLine, FixedTotal, allocate, price
from demand.budget.allocation import AllocationSpec
from demand.budget.prevention import Prevention
from demand.calendar import FinancialYear
from demand.scenario import Scenario, apply


def slow_year(label, ds, frequency, values, opening, rate):
    """Walk through every day of every period: average of opening and closing, times the day's price."""
    year, total, before = FinancialYear.parse(label), 0.0, opening
    for first, closing in zip(ds, values, strict=True):
        last = frequency.end_of(pd.DatetimeIndex([first]))[0]
        average = closing if before is None else (before + closing) / 2
        for day in pd.date_range(first, last):
            if year.start <= day <= year.end:
                total += average * rate(day)
        before = closing
    return total


@pytest.mark.parametrize("on", ["", "1 July", "10 October"])
@pytest.mark.parametrize(
    ("code", "first", "past", "ahead"),
    [
        ("M", "2026-02-01", 5, 22),
        ("Q", "2025-04-01", 5, 7),
        ("W-WED", "2026-02-04", 20, 70),
        ("D", "2026-03-20", 40, 340),
        ("Y", "2021-01-01", 5, 4),
    ],
)
def test_stocks_are_paid_day_by_day(code, first, past, ahead, on) -> None:
    draws, history = forecast(code, first=first, past=past, ahead=ahead, draws=2, year_end_month=12 if code == "Y" else 3)
    growth = number(0.04, 0.02, 0.07, "per year")
    amount = number(400, 300, 600, "GBP/household/week")
    costs = [unit_cost("place", {"type": "bnb"}, amount, uplift=growth, price_base="2025-10-01", uplift_on=on)]
    month, day_of_month = {"": (4, 1), "1 July": (7, 1), "10 October": (10, 10)}[on]
    demand, _ = apply(draws, [Scenario(name="s", changes=(change(start="2026-12"),))], seed=5)
    cost = price(demand, costs, seed=5, history=history)
    part, frequency = cost.parts[0], history.frequency
    counted = history.table[history.table["unique_id"] == "South/bnb"].set_index("ds")["y"]
    ds = counted.index.append(pd.DatetimeIndex(draws["ds"].to_numpy()))
    assert len(cost.labels) >= 1
    for label, draw, scenario in itertools.product(cost.labels, range(2), ("baseline", "s")):
        values = [*counted, *demand.sel(scenario=scenario, series="South/bnb", draw=draw).to_numpy().astype(float)]

        def rate(day, draw=draw):
            moves = [pd.Timestamp(year, month, day_of_month) for year in range(2020, 2032)]
            years = sum(pd.Timestamp("2025-10-01") < m <= day for m in moves) - sum(day < m <= pd.Timestamp("2025-10-01") for m in moves)
            return part.amounts[draw] / 7 * part.rise.rates[""][draw] ** years

        found = float(cost.years.sel(scenario=scenario, series="South/bnb", financial_year=label, draw=draw))
        assert found == pytest.approx(slow_year(label, ds, frequency, values, None, rate), rel=1e-9)


def test_flows_are_paid_one_by_one() -> None:
    draws, history = forecast("W-MON", kind="flow", first="2026-01-05", past=20, ahead=100, draws=3)
    demand, _ = apply(draws, [], seed=5)
    cost = price(
        demand, [unit_cost("advice", {}, number(80, 60, 90, "GBP/household"), uplift=number(0.1, unit="per year"))], seed=5, history=history
    )
    part, frequency = cost.parts[0], history.frequency
    counted = history.table[history.table["unique_id"] == "North/hostel"]
    for label, draw in itertools.product(cost.labels, range(3)):
        ahead = zip(draws["ds"].to_numpy(), draws.sel(series="North/hostel", draw=draw).to_numpy(), strict=True)
        total = 0.0
        for first, count in [*zip(counted["ds"], counted["y"], strict=True), *ahead]:
            days = pd.date_range(first, frequency.end_of(pd.DatetimeIndex([first]))[0])
            for day in days:
                year = FinancialYear.of(day)
                total += (str(year) == label) * float(count) / len(days) * part.amounts[draw] * 1.1 ** (year.first - 2025)
        assert float(cost.years.sel(scenario="baseline", series="North/hostel", financial_year=label, draw=draw)) == pytest.approx(
            total, rel=1e-9
        )


@pytest.mark.parametrize("total", [1.0e6, 1.9e6, 2.3e6, 2.8e6])
@pytest.mark.parametrize("floor", [0.0, 9e5])
def test_no_other_way_of_sharing_a_total_leaves_less_shortfall(total, floor) -> None:
    draws, history = forecast(draws=30)
    costs = [
        unit_cost("bnb", {"type": "bnb"}, number(500, 400, 700, "GBP/household/week")),
        unit_cost("hostel", {"type": "hostel"}, number(250, 240, 260, "GBP/household/week")),
    ]
    cost = price(apply(draws, [], seed=1)[0], costs, seed=1, history=history)
    lines = [BudgetLine(name="bnb", where={"type": "bnb"}), BudgetLine(name="hostel", where={"type": "hostel"}, floor=floor)]
    plan = allocate(cost, FixedTotal(years={"2027-28": total}), lines)
    year = cost.years.sel(scenario="baseline", financial_year="2027-28")
    bnb, hostel = (year.sel(series=[f"North/{of}", f"South/{of}"]).sum("series").to_numpy() for of in ("bnb", "hostel"))
    best = min(np.clip(bnb - (total - x), 0, None).mean() + np.clip(hostel - x, 0, None).mean() for x in np.linspace(floor, total, 4001))
    assert plan.table["expected_shortfall_pence"].sum() / 100 <= best + 0.02


@pytest.mark.parametrize("total", [1.6e6, 2.0e6, 2.3e6])
@pytest.mark.parametrize(("avoids", "half", "lag"), [(0.3, 1e5, 6), (0.15, 4e4, 0), (0.5, 4e5, 15)])
def test_no_other_spending_on_prevention_leaves_a_hundredth_less_shortfall(total, avoids, half, lag) -> None:
    draws, history = forecast(draws=20, ahead=33)
    costs = [
        unit_cost("bnb", {"type": "bnb"}, number(500, 400, 700, "GBP/household/week")),
        unit_cost("hostel", {"type": "hostel"}, number(250, 240, 260, "GBP/household/week")),
    ]
    cost = price(apply(draws, [], seed=1)[0], costs, seed=1, history=history)
    lines = [BudgetLine(name="bnb", where={"type": "bnb"}), BudgetLine(name="hostel", where={"type": "hostel"}, floor=2e5)]
    curve = {"avoids": number(avoids), "half": number(half, unit="GBP/year"), "lag": number(lag, unit="month")}
    spec = AllocationSpec(
        total=dict.fromkeys(("2027-28", "2028-29"), total), prevention=[Prevention(name="early help", line="bnb", most=5e5, **curve)]
    )
    found = allocate(cost, spec, lines).table
    short = found.loc[found["kind"] == "line", "expected_shortfall_pence"].sum() / 100
    year = cost.years.sel(scenario="baseline", financial_year=["2027-28", "2028-29"])
    bnb, hostel = (year.sel(series=[f"North/{of}", f"South/{of}"]).sum("series").to_numpy() for of in ("bnb", "hostel"))
    whole, part = divmod(lag / 12, 1)
    best = np.inf
    for first, second in itertools.product(np.linspace(0, 5e5, 51), repeat=2):
        reached = [1 - 0.5 ** (first / half), 1 - 0.5 ** (second / half)]
        acts = [(1 - part) * reached[0], part * reached[0] + (1 - part) * reached[1]] if whole == 0 else [0.0, (1 - part) * reached[0]]
        lost = 0.0
        for y, spent in enumerate((first, second)):
            left = total - spent
            a = np.linspace(0, left - 2e5, 401)[:, None]
            dear = np.clip(bnb[y] * (1 - avoids * acts[y]) - a, 0, None).mean(axis=1)
            lost += (dear + np.clip(hostel[y] - (left - a), 0, None).mean(axis=1)).min()
        best = min(best, lost)
    assert short <= 1.01 * best + 1
