"""What holds for all money: doubled prices double the cost, more money never means more shortfall, pence add up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planning_cases import forecast, number, unit_cost

from demand.budget import BudgetLine, BudgetSpec, FixedTotal, allocate, budget_table, pence, price, risk_table, shortfall
from demand.scenario import apply

MADE = {code: forecast(code, first="2025-04-01", past=4 if code == "Q" else 12, ahead=8 if code == "Q" else 24, draws=15) for code in "MQ"}
DEMAND = {code: apply(draws, [], seed=1)[0] for code, (draws, _) in MADE.items()}
POUNDS = st.floats(0, 3e6, allow_nan=False)


def cost_of(amount, code="M", uplift=0.03):
    growth = number(uplift, uplift * 0.5, uplift * 2, "per year")
    costs = [unit_cost("all", {}, number(amount, amount * 0.8, amount * 1.5, "GBP/household/week"), uplift=growth)]
    return price(DEMAND[code], costs, seed=1, history=MADE[code][1])


COST = cost_of(400)


def spec(*budgets):
    names = [("B&B", {"type": "bnb"}), ("hostels", {"type": "hostel"})]
    return BudgetSpec(lines=tuple(BudgetLine(name=n, where=w, years={"2026-27": b}) for (n, w), b in zip(names, budgets, strict=True)))


@given(st.floats(0.01, 1e5), st.sampled_from("MQ"), st.floats(0, 0.2))
@settings(max_examples=25, deadline=None)
def test_doubled_prices_double_the_cost(amount, code, uplift) -> None:
    np.testing.assert_allclose(cost_of(2 * amount, code, uplift).years, 2 * cost_of(amount, code, uplift).years, rtol=1e-12)


@given(st.floats(0, 3))
@settings(max_examples=15, deadline=None)
def test_cost_is_linear_in_demand(times) -> None:
    history, demand = MADE["M"][1], DEMAND["M"]
    flat = history.table.assign(y=history.table["y"] * times)
    scaled = type(history)(flat, history.series, history.frequency)
    costs = [unit_cost("all", {}, number(7, 6, 9, "GBP/household/night"))]
    one = price(demand, costs, seed=1, history=history).years
    other = price(demand.copy(data=demand.to_numpy().astype(np.float64) * times), costs, seed=1, history=scaled).years
    np.testing.assert_allclose(other, times * one, rtol=1e-6)


@given(POUNDS, POUNDS, st.floats(0, 1e6))
@settings(max_examples=25, deadline=None)
def test_more_money_never_means_more_shortfall(first, second, more) -> None:
    poor, rich = spec(first, second), spec(first + more, second)
    assert (shortfall(COST, rich).sel(financial_year="2026-27") <= shortfall(COST, poor).sel(financial_year="2026-27") + 1e-9).all()
    before, after = risk_table(COST, poor), risk_table(COST, rich)
    for column in ("p_overspend", "reserve_p80_pence", "reserve_p95_pence", "expected_overspend_pence"):
        assert (after[column] <= before[column]).all()


@given(st.lists(st.floats(-1e9, 1e9), max_size=12))
def test_pence_add_up_to_the_rounded_total(pounds) -> None:
    whole = pence(pounds)
    assert whole.sum() == np.rint((np.asarray(pounds) * 100).sum())
    assert (np.abs(whole - np.asarray(pounds) * 100) <= 1 + 1e-6).all()


@given(st.floats(1, 2000))
@settings(max_examples=15, deadline=None)
def test_lines_add_up_to_their_total_to_the_penny(amount) -> None:
    table = budget_table(cost_of(amount), spec(1e6, 1e6)).pivot(index="financial_year", columns="line", values="expected_pence")
    assert (table["B&B"] + table["hostels"] == table["total"]).all()


@given(POUNDS, st.floats(0, 1e6), st.floats(0, 1e6))
@settings(max_examples=40, deadline=None)
def test_a_plan_spends_what_there_is_and_no_more(total, one, other) -> None:
    lines = [line.model_copy(update={"floor": floor, "years": {}}) for line, floor in zip(spec(0, 0).lines, (one, other), strict=True)]
    plan = allocate(COST, FixedTotal(years={"2026-27": total}), lines)
    spent = int(plan.table["allocated_pence"].sum())
    assert spent + plan.left_pence["2026-27"] == pytest.approx(total * 100, abs=2)
    assert plan.feasible == (one + other <= total + 0.005)
    if plan.feasible:
        assert (plan.table["allocated_pence"] >= plan.table["floor_pence"] - 1).all()
