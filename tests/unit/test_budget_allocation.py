"""Sharing out an envelope."""

import pytest
from planning_cases import forecast, weekly_prices

from demand.budget import BudgetLine, FixedTotal, HoldService, allocate, price
from demand.scenario import apply


@pytest.fixture(scope="module")
def cost():
    draws, history = forecast(draws=100)
    return price(apply(draws, [], seed=1)[0], weekly_prices(), seed=1, history=history)


def lines(bnb=0.0, hostel=0.0):
    return [BudgetLine(name="B&B", where={"type": "bnb"}, floor=bnb), BudgetLine(name="hostels", where={"type": "hostel"}, floor=hostel)]


def test_a_fixed_total_is_spent_where_it_is_likeliest_to_be_needed(cost) -> None:
    plan = allocate(cost, FixedTotal(years={"2027-28": 2.5e6}), lines())
    assert plan.feasible
    assert plan.table["allocated_pence"].sum() == 250_000_000
    assert plan.table["p_overspend"].max() - plan.table["p_overspend"].min() <= 0.011
    assert set(plan.table["binds"]) == {"total"}


def test_floors_come_first(cost) -> None:
    plan = allocate(cost, FixedTotal(years={"2027-28": 2.5e6}), lines(hostel=1.2e6)).table.set_index("line")
    assert plan.loc["hostels", "allocated_pence"] == 120_000_000
    assert plan.loc["hostels", "binds"] == "floor"


def test_an_envelope_that_cannot_hold_the_duties_says_which_breaks(cost) -> None:
    plan = allocate(cost, FixedTotal(years={"2027-28": 1.0e6}), lines(bnb=8e5, hostel=5e5))
    assert not plan.feasible
    assert plan.broken.to_dict("records") == [{"financial_year": "2027-28", "line": "hostels", "short_pence": 30_000_000}]
    assert plan.table["allocated_pence"].tolist() == [80_000_000, 20_000_000]


def test_money_that_nobody_would_need_is_left(cost) -> None:
    plan = allocate(cost, FixedTotal(years={"2027-28": 9e6}), lines())
    assert plan.table["expected_shortfall_pence"].sum() == 0
    assert set(plan.table["binds"]) == {"demand"}
    assert plan.left_pence["2027-28"] + plan.table["allocated_pence"].sum() == pytest.approx(900_000_000, abs=1)


def test_holding_service_suffices_as_often_as_was_asked(cost) -> None:
    plan = allocate(cost, HoldService(chance=0.9), lines())
    assert len(plan.table) == 2 * 3
    assert (plan.table["p_overspend"] <= 0.1 + 1e-9).all()
