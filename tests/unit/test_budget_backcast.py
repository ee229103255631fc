"""What the budget would have been in each past April, in pounds."""

import numpy as np
import pandas as pd
import pytest
from planning_cases import forecast, number, unit_cost

from demand.budget import BudgetLine, BudgetSpec, price
from demand.budget.backcast import FORECAST, SET, backcast, backcast_notes
from demand.budget.past import past
from demand.events import Event
from demand.scenario import apply

KINDS = ("flow", "stock", "flow", "stock")
DRAWS, HISTORY = forecast(kind=KINDS, first="2022-04-01", past=48, draws=20)
GROWTH = number(0.04, unit="per year")
COSTS = [
    unit_cost("case", {"type": "bnb"}, number(200, unit="GBP/household"), uplift=GROWTH),
    unit_cost("place", {"type": "hostel"}, number(300, unit="GBP/household/week"), uplift=GROWTH),
]
COST = price(apply(DRAWS, [], seed=1)[0], COSTS, seed=1, history=HISTORY)
SPEC = BudgetSpec(
    lines=(
        BudgetLine(name="cases", where={"type": "bnb"}, years={"2024-25": 1e5}),
        BudgetLine(name="places", where={"type": "hostel"}, years={"2024-25": 1.1e6, "2025-26": 1e6}),
    )
)
YEARS = {"2024-25": "2024-03-01", "2025-26": "2025-03-01"}


def mean_of(unique_id, year):
    """What came, as `next_year` tells it: the number of a flow, the average of a stock."""
    behind = past(COST, HISTORY)
    row, kind = np.array([behind.series.index.get_loc(unique_id)]), behind.series.loc[unique_id, "kind"]
    quantity = behind.quantity(row, per=None if kind == "flow" else "day")[0, behind.labels.index(year)]
    return quantity if kind == "flow" else quantity / 365


def said(times=1.0, spread=0.0, ids=None):
    """Say what came, times something, in 101 draws that are spread evenly around it."""
    about = np.linspace(1 - spread, 1 + spread, 101)
    rows = [(i, y, pd.Timestamp(c), True, mean_of(i, y) * times * about) for y, c in YEARS.items() for i in ids or HISTORY.ids]
    return pd.DataFrame(rows, columns=["unique_id", "financial_year", "cutoff", "calibrated", "said"])


def test_a_forecast_that_was_right_is_right_in_pounds() -> None:
    table = backcast(COST, SPEC, HISTORY, said())
    rows = table[table["method"] == FORECAST]
    assert set(rows["line"]) == {"cases", "places", "total"}
    assert (rows["error_pence"].abs() <= 1e-6 * rows["actual_pence"]).all()
    spent = past(COST, HISTORY).spent(SPEC)
    for row in rows.itertuples():
        assert row.actual_pence == pytest.approx(100 * spent.loc[row.line, row.financial_year], abs=2)
    assert rows["decided"].unique().tolist() == [pd.Timestamp("2024-03-31"), pd.Timestamp("2025-03-31")]


def test_errors_and_ranges_are_in_pounds() -> None:
    table = backcast(COST, SPEC, HISTORY, said(1.1, 0.2))
    rows = table[table["method"] == FORECAST]
    assert (rows["error_pence"] / rows["actual_pence"]).to_list() == pytest.approx([0.1] * 6, abs=1e-4)
    assert rows["inside"].all()
    assert (rows["p90_pence"] / rows["actual_pence"]).to_list() == pytest.approx([1.1 * 1.16] * 6, rel=1e-3)
    assert not backcast(COST, SPEC, HISTORY, said(1.5, 0.2)).query("method == 'forecast'")["inside"].any()


def test_last_year_plus_three_per_cent_and_the_budget_that_was_set_stand_beside_it() -> None:
    table = backcast(COST, SPEC, HISTORY, said())
    spent = past(COST, HISTORY).spent(SPEC)
    row = table.query("method == 'last year plus 3 %' and line == 'places' and financial_year == '2025-26'").iloc[0]
    assert row["expected_pence"] == pytest.approx(103 * spent.loc["places", "2024-25"], abs=2)
    assert pd.isna(row["inside"])
    budgets = table[table["method"] == SET].set_index(["line", "financial_year"])["expected_pence"]
    assert budgets["total", "2024-25"] == budgets["cases", "2024-25"] + budgets["places", "2024-25"] == 120_000_000
    assert ("places", "2025-26") in budgets.index
    assert ("total", "2025-26") not in budgets.index


def test_series_of_which_nothing_was_said_are_left_out_on_both_sides() -> None:
    table = backcast(COST, SPEC, HISTORY, said(ids=["North/bnb", "North/hostel"]))
    rows = table.query("line == 'places' and financial_year == '2025-26'").set_index("method")
    assert rows.loc[FORECAST, "error_pence"] == pytest.approx(0, abs=100)
    assert rows.loc[FORECAST, "actual_pence"] < 0.7 * rows.loc[SET, "actual_pence"]


def test_the_sentence_counts_years_and_names_shocks() -> None:
    shock = Event(name="the lockdowns", start="2024-06", end="2024-09", kind="shock")
    table = backcast(COST, SPEC, HISTORY, said(1.05, 0.2), events=[shock])
    (note,) = backcast_notes(table)
    assert "Forecast: " in note
    assert "(5.0%) in 2 years, 2024-25 to 2025-26; 2 of 2 inside the range that was to hold 4 in 5" in note
    assert "'2024-25 (the lockdowns)'" in note
    assert backcast_notes(backcast(COST, SPEC, HISTORY, said().head(0))) == ()


def test_ranges_that_were_not_calibrated_count_in_no_k_of_n() -> None:
    (note,) = backcast_notes(backcast(COST, SPEC, HISTORY, said(1.0, 0.2).assign(calibrated=False)))
    assert "inside" not in note


def test_without_lines_all_that_is_priced_is_judged() -> None:
    assert set(backcast(COST, BudgetSpec(), HISTORY, said())["line"]) == {"total"}


def test_a_line_of_which_nothing_was_said_is_not_counted_as_right() -> None:
    table = backcast(COST, SPEC, HISTORY, said(ids=["North/hostel", "South/hostel"]))
    assert set(table.loc[table["line"] == "cases", "method"]) == {SET}
    assert {"places", "total"} <= set(table.loc[table["method"] == FORECAST, "line"])
