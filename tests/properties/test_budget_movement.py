"""Bridges and increments add up to the penny, whatever the prices, the changes and the counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planning_cases import change, forecast, number, unit_cost

from demand.budget import BudgetLine, BudgetSpec, budget_table, price
from demand.budget.bridge import bridge
from demand.budget.movement import steps_of
from demand.budget.mtfp import mtfp
from demand.budget.volumes import shapley
from demand.scenario import Scenario, WhatIf, apply

KINDS = ("flow", "stock", "flow", "stock")
DRAWS, HISTORY = forecast(kind=KINDS, first="2024-04-01", past=24, ahead=36, draws=12, mean=6)
WHERE = {"cases": {"type": "bnb"}, "places": {"type": "hostel"}}
SCENARIOS = (
    Scenario(name="one", changes=(change("fewer", where={"type": "hostel"}, start="2026-10", ramp_months=7),)),
    Scenario(name="two", changes=(change("more", size=number(1.2, 1.1, 1.3), where={"area": "North"}, start="2027-06", end="2028-01"),)),
    Scenario(name="both", combines=("one", "two"), together="multiply"),
)
CASE = WhatIf(DRAWS, SCENARIOS, 3)
DEMAND = apply(DRAWS, SCENARIOS, seed=3)[0]


def cost_of(case_price, week_price, growth):
    uplift = number(growth, growth - 0.01, growth + 0.02, "per year")
    return price(
        DEMAND,
        [
            unit_cost("case", WHERE["cases"], number(case_price, 0, 2 * case_price, "GBP/household"), uplift=uplift),
            unit_cost(
                "place", WHERE["places"], number(week_price, 0, 2 * week_price, "GBP/household/week"), uplift=uplift, uplift_on="1 July"
            ),
            unit_cost("security", {"area": "South", "type": "hostel"}, number(9, unit="GBP/household/night"), on_top=True),
        ],
        seed=3,
        history=HISTORY,
    )


def spec(outturn, starts):
    return BudgetSpec(
        lines=(
            BudgetLine(name="cases", where=WHERE["cases"], outturn={"2025-26": outturn}),
            BudgetLine(name="places", where=WHERE["places"], outturn={"2025-26": 1e5}, starts=WHERE["cases"] if starts else {}),
        )
    )


@given(st.floats(0.01, 5e3), st.floats(0.01, 2e3), st.floats(-0.1, 0.3), st.floats(0, 1e6), st.booleans())
@settings(max_examples=20, deadline=None)
def test_bridges_and_increments_add_up_to_the_penny(case_price, week_price, growth, outturn, starts) -> None:
    cost, lines = cost_of(case_price, week_price, growth), spec(outturn, starts)
    found = steps_of(CASE, cost, lines, HISTORY)
    budget = budget_table(cost, lines).set_index(["scenario", "line", "financial_year"])["expected_pence"]
    told = bridge(found, lines)
    keys = ["scenario", "line", "from", "to"]
    for (scenario, line, before, year), rows in told.groupby(keys):
        amount = rows.set_index("kind")["amount_pence"]
        assert amount["start"] + rows.loc[rows["kind"] == "step", "amount_pence"].sum() == amount["end"] == budget[scenario, line, year]
        if before in cost.labels:
            assert amount["start"] == budget[scenario, line, before]
    ends = told[told["kind"] == "end"].pivot_table(index=["scenario", "to"], columns="line", values="amount_pence")
    assert (ends["cases"] + ends["places"] == ends["total"]).all()
    for name in ("cases", "places"):
        for year in cost.labels[1:]:
            one = [s for s in found.steps if (s.scenario, s.line, s.year) == ("both", name, year)]
            moved = found.pounds["both", name, year] - found.pounds["both", name, one[0].before]
            np.testing.assert_allclose(sum(s.pounds for s in one), moved, rtol=1e-5, atol=0.01)
    plan = mtfp(found)
    for (scenario, line, year), rows in plan.groupby(["scenario", "line", "financial_year"]):
        if year != "2026-27":
            before = cost.labels[cost.labels.index(year) - 1]
            assert rows["medium_pence"].sum() == budget[scenario, line, year] - budget[scenario, line, before]
    items = plan.pivot_table(
        index=["scenario", "financial_year", "item"], columns="line", values="medium_pence", fill_value=0, aggfunc="sum"
    )
    assert (items["cases"] + items["places"] == items["total"]).all()


@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 1e4)), min_size=1, max_size=4))
@settings(deadline=None)
def test_factors_leave_nothing_over_and_their_order_does_not_matter(pairs) -> None:
    before, after = ([np.array(p[i]) for p in pairs] for i in (0, 1))
    parts, scale = np.array(shapley(before, after)), 1e-9 * float(np.prod([max(p) for p in pairs])) + 1e-9
    assert parts.sum() == pytest.approx(float(np.prod(after) - np.prod(before)), abs=scale)
    assert np.array(shapley(before[::-1], after[::-1]))[::-1] == pytest.approx(parts, abs=scale)
    assert all(part == 0 for part, (x, y) in zip(parts, pairs, strict=True) if x == y)
