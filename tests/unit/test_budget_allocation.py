"""Sharing out an envelope."""

import numpy as np
import pytest
from planning_cases import forecast, number, weekly_prices

from demand.budget import BudgetLine, FixedTotal, HoldService, allocate, price
from demand.budget.allocation import ALLOCATION, AllocationSpec, Bounds, allocation_notes, allocation_table
from demand.budget.prevention import Prevention
from demand.errors import BudgetError
from demand.scenario import apply
from demand.tables import History


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


def early_help(most=6e5, avoids=0.3, half=1e5, lag=9.0, **more):
    curve = {"avoids": number(avoids), "half": number(half, unit="GBP/year"), "lag": number(lag, unit="month")}
    return Prevention(name="early help", line="B&B", most=most, **curve, **more)


TOTALS = dict.fromkeys(("2026-27", "2027-28", "2028-29"), 2.3e6)


def test_bounds_hold_and_bind(cost) -> None:
    spec = AllocationSpec(total={"2027-28": 2.5e6}, bounds={"hostels": Bounds(least=1.1e6), "B&B": Bounds(most=1.2e6)})
    plan = allocate(cost, spec, lines(hostel=2e5))
    rows = plan.table.set_index("line")
    assert rows.loc["B&B", ["allocated_pence", "binds"]].tolist() == [120_000_000, "most"]
    assert rows.loc["hostels", "allocated_pence"] >= 110_000_000
    low = allocate(cost, AllocationSpec(total={"2027-28": 1.5e6}, bounds={"hostels": Bounds(least=1.1e6)}), lines(hostel=2e5)).table
    assert low.set_index("line").loc["hostels", ["allocated_pence", "binds"]].tolist() == [110_000_000, "least"]


def test_prevention_is_bought_where_a_pound_of_it_saves_more(cost) -> None:
    plain = allocate(cost, FixedTotal(years=TOTALS), lines()).table
    plan = allocate(cost, AllocationSpec(total=TOTALS, prevention=[early_help()]), lines())
    rows = plan.table[plan.table["kind"] == "prevention"].set_index("financial_year")
    assert rows.loc["2026-27", "allocated_pence"] > 1_000_000
    assert rows.loc["2028-29", "allocated_pence"] < rows.loc["2026-27", "allocated_pence"]  # little of it would act before the end
    short = [t.loc[t["kind"] == "line", "expected_shortfall_pence"].sum() for t in (plan.table, plain)]
    assert short[0] < 0.9 * short[1]
    sums = allocation_table(plan).groupby("financial_year")["allocated_pence"].sum()
    assert sums.tolist() == [230_000_000] * 3


def test_a_balanced_programme_saves_about_a_pound_with_its_next_pound(cost) -> None:
    plan = allocate(cost, AllocationSpec(total={"2026-27": 2.3e6}, prevention=[early_help(lag=0.0)]), lines()).table
    row = plan[plan["kind"] == "prevention"].iloc[0]
    assert row["binds"] == "balance"
    # A pound less for the lines is missed in the futures that fall short; the pound saved counts in the same futures.
    assert row["marginal_pound"] == pytest.approx(1.0, abs=0.1)


def test_what_saves_nothing_in_time_is_not_bought(cost) -> None:
    plan = allocate(cost, AllocationSpec(total=TOTALS, prevention=[early_help(lag=40.0)]), lines())
    assert (plan.table.loc[plan.table["kind"] == "prevention", "allocated_pence"] == 0).all()
    assert "nothing is spent on it: its first pound would save 0.00 GBP" in allocation_notes(plan)[0]


def test_when_it_pays_back_and_how_likely(cost) -> None:
    fixed = early_help(most=50_000.0, least=50_000.0, lag=0.0, avoids=0.2, half=50_000.0)
    plan = allocate(cost, AllocationSpec(total=TOTALS, prevention=[fixed]), lines())
    row = plan.table[plan.table["kind"] == "prevention"].iloc[0]
    draws = cost.years.sel(scenario="baseline", financial_year="2026-27", series=["North/bnb", "South/bnb"]).sum("series").to_numpy()
    assert row["saved_pence"] == pytest.approx(100 * draws.mean() * 0.2 * 0.5, rel=1e-6)
    assert row["p_paid_back"] == pytest.approx(np.mean(draws * 0.1 >= 50_000))
    assert "by the end of 2026-27 it has more likely than not paid back" in allocation_notes(plan)[0]
    late = fixed.model_copy(update={"lag": number(18, unit="month")})
    saved = (
        allocate(cost, AllocationSpec(total=TOTALS, prevention=[late]), lines()).table.query("kind == 'prevention'")["saved_pence"].tolist()
    )
    assert saved[0] == 0
    assert 0 < saved[1] < saved[2]  # half of the first year's spending acts in the second year


def test_holding_service_with_prevention_costs_less(cost) -> None:
    plain, plan = (allocate(cost, AllocationSpec(hold=0.8, prevention=p), lines()).table for p in ([], [early_help(half=3e4, lag=3.0)]))
    assert plan["allocated_pence"].sum() < plain["allocated_pence"].sum()
    assert (plan.loc[plan["kind"] == "line", "p_overspend"] <= 0.2 + 1e-9).all()


def test_a_service_that_a_bound_cuts_off_is_told(cost) -> None:
    plan = allocate(cost, AllocationSpec(hold=0.8, bounds={"B&B": Bounds(most=5e5)}), lines())
    assert not plan.feasible
    assert set(plan.broken["line"]) == {"B&B"}
    assert "the envelope cannot pay for 'B&B'" in allocation_notes(plan)[0]


def test_the_stored_table_has_its_columns_and_what_is_left(cost) -> None:
    table = allocation_table(allocate(cost, AllocationSpec(total={"2027-28": 9e6}), lines()))
    assert table.columns.tolist() == ALLOCATION
    assert table["kind"].tolist() == ["line", "line", "left"]
    assert table["allocated_pence"].sum() == 900_000_000
    assert allocation_table(allocate(cost, HoldService(), lines()))["kind"].unique().tolist() == ["line"]


def test_a_year_with_a_period_that_was_not_counted_is_left_out_or_refused() -> None:
    draws, history = forecast()
    table = history.table[(history.table["unique_id"] != history.ids[0]) | (history.table["ds"] != "2026-05-01")]
    holed = History(table.reset_index(drop=True), history.series, history.frequency)
    cost = price(apply(draws, [], seed=1)[0], weekly_prices(), seed=1, history=holed)
    plan = allocate(cost, HoldService(chance=0.8), lines())
    assert set(plan.table["financial_year"]) == {"2027-28", "2028-29"}
    with pytest.raises(BudgetError, match="'2026-27' cannot be told: a period of it was not counted"):
        allocate(cost, FixedTotal(years={"2026-27": 1e6}), lines())
