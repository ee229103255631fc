"""Income with caps and costs in steps against slow loops: one draw, one series, one day at a time."""

import itertools
import math
from datetime import date

import numpy as np
import pandas as pd
import pytest
from planning_cases import change, forecast, number, unit_cost

from demand.budget import Contribution, FixedCost, HousingBenefit, StepCost, price, with_items
from demand.calendar import FinancialYear
from demand.scenario import Scenario, apply

UNIT = "GBP/household/week"
BASE, MOVES = date(2026, 2, 1), (7, 1)
YEARLY = number(0.09, unit="per year")


def made(code="M", ahead=22):
    draws, history = forecast(code, first="2026-01-05" if code.startswith("W") else "2026-01-01", past=6, ahead=ahead, draws=2, mean=14)
    demand, _ = apply(draws, [Scenario(name="s", changes=(change(start="2026-12"),))], seed=5)
    costs = [unit_cost("place", {}, number(95, 80, 130, UNIT), uplift=YEARLY, uplift_on="1 July", price_base=BASE)]
    return price(demand, costs, seed=5, history=history), history


def days_of(cost, history, scenario, series, draw, label):
    """Give every day of a year with the average count of its period and the number of times that a price has moved by then."""
    counted = history.table[history.table["unique_id"] == series].set_index("ds")["y"]
    ahead = cost.demand.sel(scenario=scenario, series=series, draw=draw).to_numpy().astype(float)
    ds, values, year = [*counted.index, *cost.demand["ds"].to_numpy()], [*counted, *ahead], FinancialYear.parse(label)
    for k, first in enumerate(ds):
        last = history.frequency.end_of(pd.DatetimeIndex([first]))[0]
        for day in pd.date_range(first, last):
            if year.start <= day <= year.end:
                turns = sum(pd.Timestamp(BASE) < pd.Timestamp(y, *MOVES) <= day for y in range(2024, 2031))
                yield day, (values[k] + (values[k - 1] if k else values[k])) / 2, values[k], turns


@pytest.mark.parametrize(("code", "ahead"), [("M", 22), ("W-MON", 70)])
def test_income_is_capped_person_by_person_and_day_by_day_by_what_is_paid(code, ahead) -> None:
    cost, history = made(code, ahead)
    paid = Contribution(
        name="c", line="x", rule="contribution", where={"type": "bnb"}, amount=number(70, 60, 90, UNIT), cap=number(80, 70, 95, UNIT),
        uplift=YEARLY, uplift_on="1 July", price_base=BASE, share=number(0.6, 0.5, 0.7),
    )  # fmt: skip
    subsidy = HousingBenefit(
        name="h", line="x", rule="housing_benefit", where={"type": "bnb"}, lha_2011=number(100, 80, 120, UNIT), self_contained=True
    )
    found = with_items(cost, [paid, subsidy], seed=5).items
    amount = paid.amount.draw(2, seed=5, name="contribution c")
    cap, share = paid.cap.draw(2, seed=5, name="cap c"), paid.share.draw(2, seed=5, name="share c")
    allowance = subsidy.lha_2011.draw(2, seed=5, name="allowance test")
    rent = cost.parts[0].amounts
    for label, scenario, draw in itertools.product(cost.labels, ("baseline", "s"), range(2)):
        income = benefit = 0.0
        for series in ("North/bnb", "South/bnb"):
            for _, average, _, turns in days_of(cost, history, scenario, series, draw, label):
                gross = average * rent[draw] * 1.09**turns / 7
                income += share[draw] * min(average * min(amount[draw] * 1.09**turns, cap[draw]) / 7, gross)
                benefit += min(average * 0.9 * allowance[draw] / 7, gross)
        at = {"scenario": scenario, "financial_year": label, "draw": draw}
        assert float(found.sel(item="c", **at)) == pytest.approx(-income, rel=1e-9)
        assert float(found.sel(item="h", **at)) == pytest.approx(-benefit, rel=1e-9)


def test_steps_and_fixed_costs_by_slow_loops() -> None:
    cost, history = made()
    hostel = StepCost(
        name="hostel", line="x", where={"type": "hostel"}, places=9, included=1, amount=number(4e4, 3e4, 6e4, "GBP/year"), uplift=YEARLY,
        uplift_on="1 July", price_base=BASE,
    )  # fmt: skip
    team = FixedCost(
        name="team", line="x", amount=number(2e5, 1.5e5, 3e5, "GBP/year"), uplift=YEARLY, uplift_on="1 July", price_base=BASE,
        start=date(2026, 5, 20), end=date(2027, 9, 9),
    )  # fmt: skip
    found = with_items(cost, [hostel, team], seed=5).items
    each, yearly = hostel.amount.draw(2, seed=5, name="step hostel"), team.amount.draw(2, seed=5, name="fixed team")
    for label, scenario, draw in itertools.product(cost.labels, ("baseline", "s"), range(2)):
        pairs = [list(days_of(cost, history, scenario, series, draw, label)) for series in ("North/hostel", "South/hostel")]
        fullest = max(a[2] + b[2] for a, b in zip(*pairs, strict=True))
        steps = max(math.ceil(fullest / 9) - 1, 0)
        step_cost = np.mean([each[draw] * 1.09**turns for _, _, _, turns in pairs[0]]) * steps
        paid = [yearly[draw] * 1.09**turns / len(pairs[0]) for day, _, _, turns in pairs[0] if team.start <= day.date() <= team.end]
        at = {"scenario": scenario, "financial_year": label, "draw": draw}
        assert float(found.sel(item="hostel", **at)) == pytest.approx(step_cost, rel=1e-9)
        assert float(found.sel(item="team", **at)) == pytest.approx(sum(paid), rel=1e-9)
