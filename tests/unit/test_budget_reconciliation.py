"""Volume x price of the years that are over against the ledger."""

import numpy as np
import pandas as pd
import pytest
from planning_cases import forecast, number, unit_cost, weekly_prices

from demand.budget import BudgetLine, BudgetSpec, price, reconciliation, reconciliation_notes
from demand.budget.past import past
from demand.scenario import apply
from demand.tables import History

DRAWS, HISTORY = forecast(first="2023-04-01", past=36, draws=20)
COST = price(apply(DRAWS, [], seed=1)[0], weekly_prices(), seed=1, history=HISTORY)


def spec(bnb=None, hostel=None, tolerance=0.05):
    return BudgetSpec(
        lines=(
            BudgetLine(name="B&B", where={"type": "bnb"}, outturn=bnb or {}, tolerance=tolerance),
            BudgetLine(name="hostels", where={"type": "hostel"}, outturn=hostel or {}, tolerance=tolerance),
        )
    )


def slow(of, year, prices):
    """Walk through the months of a year: mean of opening and closing count x weeks x price."""
    total = 0.0
    for area in ("North", "South"):
        counts = HISTORY.table[HISTORY.table["unique_id"] == f"{area}/{of}"].set_index("ds")["y"]
        for month in pd.date_range(f"{year}-04-01", periods=12, freq="MS"):
            before = counts.get(month - pd.DateOffset(months=1), counts[month])
            total += (before + counts[month]) / 2 * month.days_in_month / 7 * prices
    return total


def test_what_was_counted_at_the_price_of_its_year() -> None:
    bnb, hostel = COST.parts
    spent = past(COST, HISTORY).spent(spec())
    assert list(spent.columns) == ["2023-24", "2024-25", "2025-26"]
    assert spent.loc["B&B", "2023-24"] == pytest.approx(slow("bnb", 2023, np.mean(bnb.amounts * bnb.rise.rates[""] ** -2.0)))
    assert spent.loc["hostels", "2025-26"] == pytest.approx(slow("hostel", 2025, hostel.amounts.mean()))
    assert spent.loc["total"].to_numpy() == pytest.approx(spent.loc[["B&B", "hostels"]].sum().to_numpy())


def test_the_gap_stands_by_itself_and_nothing_is_scaled() -> None:
    table = reconciliation(COST, spec({"2025-26": 2e6}, {"2025-26": 9e5}), HISTORY).set_index("line")
    assert (table["gap_pence"] == table["outturn_pence"] - table["modelled_pence"]).all()
    assert table.loc["total", "modelled_pence"] == table.loc[["B&B", "hostels"], "modelled_pence"].sum()
    assert table.loc["total", "outturn_pence"] == 290_000_000
    modelled = past(COST, HISTORY).spent(spec()).loc["B&B", "2025-26"]
    assert table.loc["B&B", "modelled_pence"] == pytest.approx(modelled * 100, abs=1)
    assert not table.loc["B&B", "within"]


@pytest.mark.parametrize(("times", "within"), [(1.049, True), (1.06, False), (0.96, True)])
def test_the_tolerance_is_a_share_of_the_outturn(times, within) -> None:
    modelled = past(COST, HISTORY).spent(spec()).loc["B&B", "2025-26"]
    table = reconciliation(COST, spec({"2025-26": modelled * times}), HISTORY)
    assert table["line"].tolist() == ["B&B"]
    assert bool(table["within"].iloc[0]) == within


def test_years_that_cannot_be_told_are_named() -> None:
    told = spec({"2025-26": 1.6e6, "2026-27": 1.7e6, "2019-20": 1e6})
    table = reconciliation(COST, told, HISTORY)
    assert table["financial_year"].tolist() == ["2025-26"]
    notes = " ".join(reconciliation_notes(table, told))
    assert "is not explained" in notes
    assert "B&B: the outturn of '2019-20', '2026-27' cannot be held against what was counted" in notes
    assert reconciliation_notes(reconciliation(COST, spec(), HISTORY), spec()) == ()


def test_a_year_with_a_gap_is_not_told_and_a_series_that_ended_counts_until_then() -> None:
    holes, gone = HISTORY.table.copy(), HISTORY.table
    holes.loc[(holes["unique_id"] == "North/bnb") & (holes["ds"] == "2024-08-01"), "y"] = np.nan
    spent = past(COST, History(holes, HISTORY.series, HISTORY.frequency)).spent(spec())
    assert np.isnan(spent.loc["B&B", "2024-25"])
    assert np.isnan(spent.loc["total", "2024-25"])
    assert np.isfinite(spent.loc["hostels"]).all()
    gone = gone[(gone["unique_id"] != "North/bnb") | (gone["ds"] < "2024-04-01")]
    gone = History(gone.reset_index(drop=True), HISTORY.series, HISTORY.frequency)
    left = price(apply(DRAWS.sel(series=DRAWS["series"] != "North/bnb"), [], seed=1)[0], weekly_prices(), seed=1, history=HISTORY)
    ended = past(left, gone).spent(spec())
    assert ended.loc["B&B", "2023-24"] == pytest.approx(past(COST, HISTORY).spent(spec()).loc["B&B", "2023-24"])
    assert 0 < ended.loc["B&B", "2025-26"] < past(COST, HISTORY).spent(spec()).loc["B&B", "2025-26"]


def test_flows_are_counted_and_not_averaged() -> None:
    draws, history = forecast(kind="flow", first="2023-04-01", past=36, draws=5)
    cost = price(apply(draws, [], seed=1)[0], [unit_cost("case", {}, number(100, unit="GBP/household"))], seed=1, history=history)
    spent = past(cost, history).spent(BudgetSpec())
    counted = history.table[history.table["ds"] >= "2025-04-01"]["y"].sum()
    assert spent.loc["total", "2025-26"] == pytest.approx(100 * counted)


def test_the_last_months_of_a_series_that_is_late_are_not_nought() -> None:
    table = HISTORY.table[(HISTORY.table["unique_id"] != "North/bnb") | (HISTORY.table["ds"] < "2026-02-01")]
    late = History(table.reset_index(drop=True), HISTORY.series, HISTORY.frequency)
    assert np.isnan(past(COST, late).spent(spec()).loc["B&B", "2025-26"])
    assert "2025-26" not in set(reconciliation(COST, spec(bnb={"2025-26": 1e6}), late)["financial_year"])
