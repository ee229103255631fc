"""The projected outturn: the ledger to date, what is committed, and the forecast of the months after; nothing twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from planning_cases import forecast, number, unit_cost, weekly_prices

from demand.budget import BudgetLine, BudgetSpec, Cost, by_period, outturn, outturn_notes, price
from demand.budget.fixed import FixedCost
from demand.budget.grants import Grant
from demand.budget.items import with_items
from demand.budget.outturn import OUTTURN, last_day, remainder
from demand.calendar import FinancialYear
from demand.data.ledger import LEDGER_COLUMNS, ActualsSpec, read_actuals
from demand.errors import DataError
from demand.scenario import apply
from demand.tables import History

LINES = BudgetSpec(
    lines=(
        BudgetLine(name="bed and breakfast", where={"type": ["bnb"]}, years={"2026-27": 2_000_000}),
        BudgetLine(name="hostels", where={"type": ["hostel"]}, years={"2026-27": 1_000_000}),
    )
)


def planned(code: str = "M", **more: object) -> tuple[Cost, History]:
    draws, history = forecast(code, **more)  # type: ignore[arg-type]
    return price(apply(draws, [], seed=1)[0], weekly_prices(), seed=1, history=history), history


def ledger(period: int = 3, *, commitment: float = 0.0, actual: float = 400_000.0) -> pd.DataFrame:
    row = {"financial_year": "2026-27", "period": period, "original_budget": 2e6, "virement": 1e5, "current_budget": 2.1e6,
           "actual": actual, "accrual": 5000.0, "commitment": commitment}  # fmt: skip
    return pd.DataFrame([{"line": name, **row} for name in ("bed and breakfast", "hostels")])[LEDGER_COLUMNS]


def test_the_months_after_the_ledger_and_the_months_before_make_the_year() -> None:
    cost, history = planned()
    year = cost.years.sel(scenario="baseline", financial_year="2026-27").transpose("series", "draw")
    whole = remainder(cost, history, until=pd.Timestamp("2026-04-30"), seed=1)
    after = remainder(cost, history, until=pd.Timestamp("2026-06-30"), seed=1)
    # The history ends in June 2026: April alone is what lies between the year and the months after April.
    april = year - whole
    counts = history.wide.loc["2026-04-01", year["series"].to_numpy()]
    before = history.wide.loc["2026-03-01", year["series"].to_numpy()]
    prices = {p.cost.name: p.prices([FinancialYear(2026)])[0] for p in cost.parts}
    for i, series in enumerate(year["series"].to_numpy()):
        own = prices["bed and breakfast" if "bnb" in series else "hostel place"]
        assert np.allclose(april.to_numpy()[i], (counts[series] + before[series]) / 2 * 30 / 7 * own)
    assert (after < whole).all()
    assert np.allclose(remainder(cost, history, until=pd.Timestamp("2027-03-31"), seed=1), 0.0)
    # The ledger may be ahead of the count: what the forecast says of those months is not used.
    ahead = remainder(cost, history, until=pd.Timestamp("2027-02-28"), seed=1)
    march = by_period(cost).sel(scenario="baseline", ds="2027-03-01").transpose("series", "draw")
    assert np.allclose(ahead.transpose("series", "draw"), march)


def test_a_week_that_holds_the_day_counts_by_its_days_after_it() -> None:
    cost, history = planned("W-MON", past=65, ahead=60)
    thursday = pd.Timestamp("2026-07-30")
    some, less = (remainder(cost, history, until=day, seed=1) for day in (thursday, thursday + pd.Timedelta(days=1)))
    week = by_period(cost).sel(scenario="baseline", ds="2026-07-27")
    assert np.allclose((some - less).transpose("series", "draw"), week.transpose("series", "draw") / 7)


def test_it_adds_up_across_and_down_and_its_range_is_of_its_own_draws() -> None:
    cost, history = planned()
    table = outturn(cost, LINES, ledger(commitment=50_000.0), history, seed=1).set_index("line")
    assert [*table.reset_index().columns] == OUTTURN
    parts = table[["actual_pence", "accrual_pence", "commitment_pence", "remainder_pence"]].sum(axis=1)
    assert (parts == table["projected_pence"]).all()
    for column in ("actual_pence", "remainder_pence", "projected_pence", "variance_pence", "current_budget_pence"):
        assert table.loc[["bed and breakfast", "hostels"], column].sum() == table.loc["total", column]
    assert table.loc["total", "p90_pence"] < table.loc[["bed and breakfast", "hostels"], "p90_pence"].sum()
    assert (table["variance_pence"] == table["projected_pence"] - table["current_budget_pence"]).all()
    assert table["previous_pence"].isna().all()


def test_commitments_are_not_counted_on_top_of_the_demand_that_they_are_for() -> None:
    cost, history = planned()
    base = outturn(cost, LINES, ledger(), history, seed=1).set_index("line")
    some = outturn(cost, LINES, ledger(commitment=100_000.0), history, seed=1).set_index("line")
    assert (some["projected_pence"] == base["projected_pence"]).all()
    assert (some["remainder_pence"] == base["remainder_pence"] - some["commitment_pence"]).all()
    beside = outturn(cost, LINES, ledger(commitment=100_000.0), history, seed=1, commitments="beside").set_index("line")
    assert (beside["projected_pence"] - base["projected_pence"] == beside["commitment_pence"]).all()
    # More is committed than the forecast comes to in any future: then the commitments are what is added, and there is no range left.
    all_of_it = outturn(cost, LINES, ledger(commitment=9e6), history, seed=1).set_index("line")
    assert (all_of_it["remainder_pence"] == 0).all()
    assert (all_of_it["p10_pence"] == all_of_it["p90_pence"]).all()
    # In between, the larger of the two is taken in each future, so that the mean lies above both.
    middle = float(base.loc["hostels", "remainder_pence"]) / 100
    close = outturn(cost, LINES, ledger(commitment=middle), history, seed=1).set_index("line")
    assert close.loc["hostels", "remainder_pence"] > 0
    assert close.loc["hostels", "p10_pence"] >= base.loc["hostels", "p10_pence"]
    assert "never both" in outturn_notes(some.reset_index(), LINES, ledger())[0]
    assert "No projected outturn for hostels" in outturn_notes(some.reset_index().iloc[:1], LINES, ledger())[1]


def test_the_last_period_is_the_ledger_alone_and_movement_is_since_the_month_before() -> None:
    cost, history = planned()
    before = outturn(cost, LINES, ledger(11), history, seed=1)
    last = outturn(cost, LINES, ledger(13, actual=1_900_000.0), history, seed=1, previous=before).set_index("line")
    assert (last["p10_pence"] == last["projected_pence"]).all()
    assert last.loc["hostels", "projected_pence"] == 190_500_000
    then = before.set_index("line")["projected_pence"]
    assert (last["movement_pence"] == last["projected_pence"] - then).all()
    assert last_day(FinancialYear(2026), 12) == last_day(FinancialYear(2026), 14) == pd.Timestamp("2027-03-31")


def test_a_month_that_was_not_counted_leaves_its_line_out_and_says_so() -> None:
    draws, history = forecast()
    table = history.table.copy()
    table.loc[(table["unique_id"] == "North/hostel") & (table["ds"] == "2026-06-01"), "y"] = np.nan
    gap = History(table, history.series, history.frequency)
    cost = price(apply(draws, [], seed=1)[0], weekly_prices(), seed=1, history=gap)
    told = outturn(cost, LINES, ledger(2), gap, seed=1)
    assert told["line"].tolist() == ["bed and breakfast", "total"]


def test_a_flow_is_priced_by_those_who_come_after_the_ledger() -> None:
    draws, history = forecast(kind="flow")
    costs = [unit_cost("each", {}, number(100, unit="GBP/household"))]
    cost = price(apply(draws, [], seed=1)[0], costs, seed=1, history=history)
    left = remainder(cost, history, until=pd.Timestamp("2026-05-31"), seed=1)
    june = history.wide.loc["2026-06-01", left["series"].to_numpy()].to_numpy()
    ahead = draws.sel(ds=slice("2026-07-01", "2027-03-01")).sum("ds").transpose("series", "draw").to_numpy()
    assert np.allclose(left.transpose("series", "draw"), 100 * (june[:, None] + ahead))


LEDGER = """cost_centre,financial_year,period,original_budget,virement,actual_to_date,accruals,committed
TA01,2026-27,P05,"1,000,000",0,1,0,0
TA01,2026-27,P06,"1,000,000","50,000","400,000.50",1000,20000
TA02,2026-27,P06,500000,,200000,,
HO01,2026-27,P06,700000,-50000,300000,0,0
XX99,2026-27,P06,10,0,77,0,0
Grand Total,2026-27,P06,2200010,0,900077.5,1000,20000
TA01,2025-26,P12,9,0,9,0,0
"""
SPEC = {"path": "ledger.csv", "line": "cost_centre", "lines": {"bed and breakfast": ["TA01", "TA02"], "hostels": ["HO01"]},
        "virement": "virement", "accrual": "accruals", "commitment": "committed"}  # fmt: skip


def read(folder: Path, text: str, **more: object) -> tuple[pd.DataFrame, list[str]]:
    (folder / "ledger.csv").write_text(text, encoding="utf-8")
    names = [line.name for line in LINES.lines]
    table, findings = read_actuals(ActualsSpec.model_validate({**SPEC, **more}), folder, lines=names)
    return table, [f.message for f in findings]


def test_the_ledger_is_read_at_its_last_period_and_what_is_of_no_line_is_told(tmp_path: Path) -> None:
    table, told = read(tmp_path, LEDGER)
    assert table.to_dict("records") == [
        {"line": "bed and breakfast", "financial_year": "2026-27", "period": 6, "original_budget": 1.5e6, "virement": 5e4,
         "current_budget": 1.55e6, "actual": 600000.5, "accrual": 1000, "commitment": 20000},
        {"line": "hostels", "financial_year": "2026-27", "period": 6, "original_budget": 7e5, "virement": -5e4,
         "current_budget": 6.5e5, "actual": 3e5, "accrual": 0, "commitment": 0},
    ]  # fmt: skip
    assert any("no budget line" in t and "XX99" in t and "77 GBP" in t for t in told)
    assert any("rows of totals" in t for t in told)
    missing, told = read(tmp_path, LEDGER.replace("HO01", "HO02"))
    assert missing["line"].tolist() == ["bed and breakfast"]
    assert any("nothing in the ledger at P06 for" in t and "hostels" in t for t in told)


@pytest.mark.parametrize(
    ("old", "new", "more", "message"),
    [
        ("P05", "later", {}, "no finance period or no year in row 2"),
        ("2025-26", "2025-27", {}, "'2025-27' is not a financial year"),
        ("200000", "two", {}, "no amount in row 4"),
        ("TA0", "ZZ0", {"lines": {"hostels": ["nowhere"]}}, "no row of the ledger is of a line of the budget"),
        ("", "", {"lines": {"hostel": ["HO01"]}}, "'hostel' is not a line of the budget"),
    ],
)
def test_what_a_ledger_may_not_hold(tmp_path: Path, old: str, new: str, more: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, LEDGER.replace(old, new) if old else LEDGER, **more)


def test_what_is_paid_by_the_year_is_in_a_gross_ledger_too_and_what_comes_in_is_not() -> None:
    cost, history = planned()
    several = [
        FixedCost(name="contract", line="hostels", amount=number(120_000, unit="GBP/year")),
        Grant(name="grant", line="hostels", years={"2026-27": 60_000}),
    ]
    bare = outturn(cost, LINES, ledger(), history, seed=1, basis="gross").set_index("line")["projected_pence"]
    cost = with_items(cost, several, seed=1)
    for basis, more in (("gross", 90_000), ("net", 45_000)):
        told = outturn(cost, LINES, ledger(), history, seed=1, basis=basis).set_index("line")["projected_pence"]
        assert told["hostels"] - bare["hostels"] == pytest.approx(more * 100, abs=1)
        assert told["bed and breakfast"] == pytest.approx(bare["bed and breakfast"], abs=1)


def test_a_forecast_that_ends_before_the_year_projects_nothing_and_says_so() -> None:
    unset = BudgetSpec(lines=tuple(line.model_copy(update={"years": {}}) for line in LINES.lines))
    cost, history = planned(ahead=6)
    told = outturn(cost, unset, ledger(), history, seed=1)
    assert told.empty
    assert "not counted or not forecast" in outturn_notes(told, unset, ledger())[-1]
    cost, history = planned(ahead=9)
    assert len(outturn(cost, unset, ledger(), history, seed=1)) == 3
