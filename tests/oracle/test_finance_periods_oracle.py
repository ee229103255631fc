"""Finance periods against a walk through every day: what it costs, and on which day it is paid."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from planning_cases import change, forecast, number, unit_cost

from demand.budget import BudgetLine, BudgetSpec, FixedCost, Grant, budget_table, finance_period_notes, finance_periods, price, with_items
from demand.calendar import FinancialYear
from demand.scenario import Scenario, apply

SPEC = BudgetSpec(lines=[BudgetLine(name="rooms", where={"type": ["bnb"]}), BudgetLine(name="hostels", where={"type": ["hostel"]})])
TEAM = FixedCost(name="team", line="rooms", amount=number(120_000, unit="GBP/year"), start=date(2026, 12, 15))
MOVE = FixedCost(name="move", line="rooms", amount=number(5_000, unit="GBP"), start=date(2027, 5, 9), one_off=True)
HELP = Grant(name="help", line="hostels", years={"2026-27": 90_000.0}, ends=date(2026, 9, 30))
SEED = 5


def paid_on(day: pd.Timestamp, paid: dict[str, Any]) -> pd.Timestamp:
    """Look for the first run that a day waits for, or for the last one that came before it, one day at a time."""
    if paid["every"] == "month":
        return day.replace(day=1) + pd.DateOffset(months=1, day=paid["on"].day) if paid["arrears"] else day.replace(day=paid["on"].day)
    length = {"week": 7, "fortnight": 14, "four weeks": 28}[paid["every"]]
    at = day + pd.Timedelta(days=1) if paid["arrears"] else day
    while (at - pd.Timestamp(paid["on"])).days % length:
        at += pd.Timedelta(days=1 if paid["arrears"] else -1)
    return at


@pytest.mark.parametrize(
    ("code", "paid"),
    [
        ("M", {"every": "four weeks", "on": date(2026, 8, 12), "arrears": True}),
        ("W-WED", {"every": "fortnight", "on": date(2030, 1, 3), "arrears": False}),
        ("M", {"every": "month", "on": date(2026, 8, 28), "arrears": True}),
    ],
)
def test_every_day_is_paid_by_its_run_and_put_into_its_period(code: str, paid: dict[str, Any]) -> None:
    first, past, ahead = ("2025-11-01", 8, 22) if code == "M" else ("2025-11-05", 34, 100)
    draws, history = forecast(code, first=first, past=past, ahead=ahead, draws=2)
    growth = number(0.04, 0.02, 0.07, "per year")
    amount = number(400, 300, 600, "GBP/household/week")
    costs = [unit_cost("room", {"type": "bnb"}, amount, uplift=growth, uplift_on="9 June", paid=paid),
             unit_cost("place", {"type": "hostel"}, amount)]  # fmt: skip
    demand, _ = apply(draws, [Scenario(name="s", changes=(change(start="2026-12"),))], seed=SEED)
    cost = with_items(price(demand, costs, seed=SEED, history=history), [TEAM, MOVE, HELP], seed=SEED)
    budget = budget_table(cost, SPEC)
    table = finance_periods(cost, SPEC, budget)
    assert cost.labels == ("2026-27", "2027-28")[: len(cost.labels)]
    assert len(cost.labels) >= 1
    part, frequency, ends = cost.parts[0], history.frequency, [FinancialYear.parse(label).end for label in cost.labels]
    known: dict[pd.Timestamp, tuple[int, pd.Timestamp, pd.Period, pd.Period]] = {}
    for day in pd.date_range(first, "2029-06-30"):
        turns = sum(pd.Timestamp("2026-03-31") < pd.Timestamp(y, 6, 9) <= day for y in range(2024, 2031))
        turns -= sum(day < pd.Timestamp(y, 6, 9) <= pd.Timestamp("2026-03-31") for y in range(2024, 2031))
        due = paid_on(day, paid)
        known[day] = turns, due, day.to_period("M"), due.to_period("M")
    for scenario in ("baseline", "s"):
        gross, done, owed = {}, {}, {}
        for series, draw in itertools.product(("North/bnb", "South/bnb"), range(2)):
            counted = history.table[history.table["unique_id"] == series].set_index("ds")["y"]
            before = None
            ahead_counts = demand.sel(scenario=scenario, series=series, draw=draw).to_numpy().astype(float)
            for begins, closing in zip([*counted.index, *demand["ds"].to_numpy()], [*counted, *ahead_counts], strict=True):
                average, before = closing if before is None else (before + closing) / 2, closing
                for day in pd.date_range(begins, frequency.end_of(pd.DatetimeIndex([begins]))[0]):
                    turns, due, month, due_month = known[day]
                    pounds = average * part.amounts[draw] * part.rise.rates[""][draw] ** turns / 7 / 2
                    gross[month] = gross.get(month, 0.0) + pounds
                    done[due_month] = done.get(due_month, 0.0) + pounds
                    for label, end in zip(cost.labels, ends, strict=True):
                        owed[label] = owed.get(label, 0.0) + pounds * (int(day <= end < due) - int(due <= end < day))
        for label in cost.labels:
            rows = table[(table["scenario"] == scenario) & (table["line"] == "rooms") & (table["financial_year"] == label)]
            rows = rows.set_index("period")
            for period in range(1, 13):
                month = rows["first_day"][period].to_period("M")
                days = pd.date_range(month.start_time, month.end_time.normalize())
                year = FinancialYear.parse(label)
                beside = sum((day.date() >= TEAM.start) for day in days) * 120_000 / ((year.end - year.start).days + 1)
                beside += 5_000 * (month == pd.Period("2027-05", "M"))
                assert abs(rows["gross_pence"][period] - (gross[month] + beside) * 100) <= 1
                assert abs(rows["paid_pence"][period] - (done.get(month, 0.0) + beside) * 100) <= 1
            assert abs(rows["owed_pence"][13] - owed[label] * 100) <= 30  # pence of thirteen rounded periods


def test_every_sum_is_that_of_the_budget_to_the_penny() -> None:
    draws, history = forecast(first="2025-11-01", past=8, ahead=46, draws=5)
    paid = {"every": "four weeks", "on": "2026-04-10"}
    amount = number(400, 300, 600, "GBP/household/week")
    demand, _ = apply(draws, [Scenario(name="s", changes=(change(start="2026-12"),))], seed=SEED)
    cost = price(demand, [unit_cost("room", {"type": "bnb"}, amount, paid=paid), unit_cost("place", {"type": "hostel"}, amount)], seed=SEED,
                 history=history)  # fmt: skip
    cost = with_items(cost, [TEAM, MOVE, HELP], seed=SEED)
    budget = budget_table(cost, SPEC).set_index(["scenario", "line", "financial_year"])
    table = finance_periods(cost, SPEC, budget.reset_index())
    sums = table.groupby(["scenario", "line", "financial_year"])[["gross_pence", "received_pence", "net_pence", "paid_pence"]].sum()
    assert sorted(sums.index) == sorted(budget.index)
    both = sums.join(budget[["gross_pence", "grant_pence", "expected_pence"]], rsuffix="_of_the_year")
    assert (both["gross_pence"] == both["gross_pence_of_the_year"]).all()
    assert (both["paid_pence"] == both["gross_pence_of_the_year"]).all()
    assert (both["received_pence"] == both["grant_pence"]).all()
    assert (both["net_pence"] == both["expected_pence"]).all()
    one = table[(table["scenario"] == "s") & (table["line"] == "rooms")]
    assert one["runs"].tolist().count(2) == len(cost.labels)  # one month of each of these years has two runs
    assert one.loc[one["period"] == 13, "owed_pence"].is_monotonic_increasing or np.ptp(one["owed_pence"]) > 0
    for line in SPEC.lines:
        mine = table[(table["scenario"] == "baseline") & (table["line"] == line.name)].reset_index(drop=True)
        moved = mine["gross_pence"] - mine["paid_pence"]
        ledger = mine["period"] < 13
        start = int(mine["owed_pence"][0] - moved[0])
        assert (start + moved[ledger].cumsum() == mine.loc[ledger, "owed_pence"]).all()  # what is owed runs on from year to year
        assert mine.loc[mine["period"] == 13, "paid_pence"].sum() == mine["owed_pence"].iloc[-1] - start


@pytest.mark.parametrize(
    ("arrears", "first", "past", "ahead", "empty"),
    [
        (False, "2025-11-01", 8, 21, ["2027-28"]),  # the forecast ends with March, and the run of March pays for days of April
        (False, "2025-11-01", 8, 22, []),
        (True, "2026-04-01", 3, 22, ["2026-27"]),  # the run of April pays for days of March, and the counts begin in April
        (True, "2026-03-01", 4, 22, []),
    ],
)
def test_cash_that_rests_on_days_that_are_not_known_is_empty_and_said_to_be(
    arrears: bool, first: str, past: int, ahead: int, empty: list[str]
) -> None:
    draws, history = forecast(first=first, past=past, ahead=ahead, draws=2)
    paid, amount = {"every": "four weeks", "on": "2026-04-10", "arrears": arrears}, number(400, unit="GBP/household/week")
    demand, _ = apply(draws, (), seed=SEED)
    costs = [unit_cost("room", {"type": "bnb"}, amount, paid=paid), unit_cost("place", {"type": "hostel"}, amount)]
    cost = price(demand, costs, seed=SEED, history=history)
    budget = budget_table(cost, SPEC)
    table = finance_periods(cost, SPEC, budget)
    sums = table.groupby(["line", "financial_year"])["gross_pence"].sum()
    pd.testing.assert_series_equal(sums, budget.set_index(["line", "financial_year"])["gross_pence"].sort_index(), check_dtype=False)
    unknown = table["financial_year"].isin(empty) & table["line"].isin(["rooms", "total"])
    assert (table[["paid_pence", "owed_pence"]].isna().all(axis=1) == unknown).all()
    assert (table[["paid_pence", "owed_pence"]].isna().any(axis=1) == unknown).all()
    said = [note for note in finance_period_notes(cost, table) if "left empty" in note]
    assert len(said) == len(empty)
    assert all(year in note and "rooms" in note and "hostels" not in note for year, note in zip(empty, said, strict=True))
