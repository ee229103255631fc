"""Lines, risk, sensitivity and waterfall in pounds."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from planning_cases import change, forecast, number, unit_cost, weekly_prices

from demand.assumptions import ledger
from demand.budget import (
    POUNDS,
    TOTAL,
    BudgetLine,
    BudgetSpec,
    FixedCost,
    Grant,
    Saving,
    budget_notes,
    budget_table,
    cost_table,
    horizon_needed,
    line_costs,
    pence,
    price,
    risk_table,
    sensitivity,
    shortfall,
    waterfall,
    with_items,
)  # fmt: skip
from demand.calendar import Frequency
from demand.scenario import Scenario, WhatIf, apply

FEWER = Scenario(name="fewer", changes=(change(where={"type": "bnb"}, start="2027-04"),))
MOVED = Scenario(
    name="moved", changes=(change("move", effect="shift", where={"type": "bnb"}, to={"type": "hostel"}, size=number(0.2, 0.1, 0.3)),)
)
BOTH = Scenario(name="both", combines=("fewer", "moved"), together="multiply")


@pytest.fixture(scope="module")
def made():
    draws, history = forecast(draws=100)
    case = WhatIf(draws, (FEWER, MOVED, BOTH), 1)
    demand, _ = apply(draws, case.scenarios, seed=1)
    return case, price(demand, weekly_prices(), seed=1, history=history), history


def budget(**years):
    return BudgetSpec(lines=(BudgetLine(name="B&B", where={"type": "bnb"}, years=years or {"2027-28": 1.6e6}),))


def test_the_budget_table_has_its_fixed_columns_and_adds_up(made) -> None:
    _, cost, _ = made
    spec = BudgetSpec(lines=(*budget().lines, BudgetLine(name="hostels", where={"type": "hostel"}, years={"2027-28": 9e5})))
    table = budget_table(cost, spec, tested_until=pd.Timestamp("2028-03-01"))
    assert table.columns.tolist() == [
        "scenario", "line", "financial_year", "months_actual", "budget_pence", "gross_pence", "income_pence",
        "grant_pence", "saving_pence", "expected_pence", "p10_pence", "p50_pence", "p90_pence",
        "p_overspend", "tested",
    ]  # fmt: skip
    wide = table.pivot(index=["scenario", "financial_year"], columns="line", values="expected_pence")
    assert (wide["B&B"] + wide["hostels"] == wide[TOTAL]).all()
    assert table.groupby("financial_year")["tested"].first().to_dict() == {"2026-27": True, "2027-28": True, "2028-29": False}
    row = table[(table["scenario"] == "baseline") & (table["line"] == TOTAL) & (table["financial_year"] == "2027-28")].iloc[0]
    total = cost.years.sel(scenario="baseline", financial_year="2027-28").sum("series").to_numpy()
    assert row["budget_pence"] == 250_000_000
    assert row["expected_pence"] == round(total.mean() * 100)
    assert row["p90_pence"] == round(np.quantile(total, 0.9) * 100)
    assert row["p_overspend"] == (total > 2.5e6).mean()


def test_without_a_backtest_nothing_was_tested(made) -> None:
    assert not budget_table(made[1], budget())["tested"].any()


def test_what_is_in_no_line_is_told_and_not_in_the_total(made) -> None:
    _, cost, _ = made
    table = budget_table(cost, budget()).pivot(index=["scenario", "financial_year"], columns="line", values="expected_pence")
    assert (table[TOTAL] == table["B&B"]).all()
    notes = " ".join(budget_notes(cost, budget()))
    expected = float(
        cost.years.sel(scenario="baseline", series=["North/hostel", "South/hostel"], financial_year="2028-29").sum("series").mean()
    )
    assert f"in no line of the budget, and so not in its total: 'North/hostel', 'South/hostel'; {expected:,.0f} GBP" in notes


def test_a_budget_of_past_years_alone_is_told(made) -> None:
    _, cost, _ = made
    past, both = (" ".join(budget_notes(cost, budget(**years))) for years in ({"2019-20": 1e6}, {"2019-20": 1e6, "2027-28": 1.6e6}))
    assert "The budget is for '2019-20' alone, before the forecast begins" in past
    assert "before the forecast begins" not in both


def test_without_lines_the_total_is_of_all_that_is_priced(made) -> None:
    _, cost, _ = made
    table = budget_table(cost, BudgetSpec())
    assert set(table["line"]) == {TOTAL}
    assert table["budget_pence"].isna().all()
    assert table["p_overspend"].isna().all()
    year = cost.years.sel(scenario="baseline", financial_year="2027-28").sum("series").mean()
    assert table.set_index(["scenario", "financial_year"]).loc[("baseline", "2027-28"), "expected_pence"] == round(float(year) * 100)


def test_ranges_of_a_total_are_its_own(made) -> None:
    spec = BudgetSpec(lines=(*budget().lines, BudgetLine(name="hostels", where={"type": "hostel"})))
    table = budget_table(made[1], spec).set_index(["scenario", "line", "financial_year"])["p90_pence"]
    assert table["baseline", TOTAL, "2027-28"] < table["baseline", "B&B", "2027-28"] + table["baseline", "hostels", "2027-28"]


def test_risk_tells_the_reserve_that_suffices(made) -> None:
    _, cost, _ = made
    table = risk_table(cost, budget()).set_index(["scenario", "line", "financial_year"])
    draws = line_costs(cost, budget()).sel(scenario="baseline", line="B&B", financial_year="2027-28").to_numpy()
    row = table.loc[("baseline", "B&B", "2027-28")]
    assert row["p_overspend"] == (draws > 1.6e6).mean()
    assert (draws <= 1.6e6 + row["reserve_p80_pence"] / 100 + 0.01).mean() >= 0.8 - 1e-9
    assert (draws <= 1.6e6 + row["reserve_p95_pence"] / 100 + 0.01).mean() >= 0.95 - 1e-9
    over = draws[draws > 1.6e6] - 1.6e6
    assert row["overspend_if_it_happens_pence"] == round(over.mean() * 100)
    assert row["expected_overspend_pence"] == round(over.sum() / len(draws) * 100)


def test_no_shortfall_is_told_where_there_is_no_budget(made) -> None:
    short = shortfall(made[1], budget())
    assert short.sel(financial_year="2026-27").isnull().all()
    assert (short.sel(line="B&B", financial_year="2027-28") >= 0).all()


def test_the_cost_table_is_by_series_and_year(made) -> None:
    table = cost_table(made[1])
    assert table.columns[:5].tolist() == ["scenario", "unique_id", "financial_year", "months_actual", "expected"]
    assert len(table) == 4 * 4 * 3
    one = made[1].years.sel(scenario="both", series="South/bnb", financial_year="2028-29").to_numpy()
    row = table.set_index(["scenario", "unique_id", "financial_year"]).loc[("both", "South/bnb", "2028-29")]
    assert row["expected"] == pytest.approx(one.mean())
    assert row["q0.9"] == pytest.approx(np.quantile(one, 0.9))


def test_sensitivity_moves_one_assumption_at_a_time(made) -> None:
    case, cost, history = made
    table = sensitivity(case, cost)
    assert table.columns[:4].tolist() == ["assumption", "financial_year", "low_pence", "high_pence"]
    assert {"bed and breakfast: amount", "bed and breakfast: uplift", "hostel place: amount", "fewer: fewer", "moved: move"} == set(
        table["assumption"]
    )
    rows = table.set_index(["assumption", "financial_year"])
    cheap = [
        c.model_copy(update={"amount": number(250, unit="GBP/household/week")}) if c.name == "hostel place" else c for c in weekly_prices()
    ]
    other = price(cost.demand, cheap, seed=1, history=history)
    moved = (other.years - cost.years).sel(scenario="baseline", financial_year="2027-28").sum("series").mean()
    assert rows.loc[("hostel place: amount", "2027-28"), "low_pence"] == pytest.approx(float(moved) * 100, abs=1)
    certain, _ = apply(case.draws, [FEWER.model_copy(update={"changes": (FEWER.changes[0].fixed("size", 0.8),)})], seed=1)
    lower = price(certain, weekly_prices(), seed=1, history=history).years.sel(scenario="fewer") - cost.years.sel(scenario="fewer")
    assert rows.loc[("fewer: fewer", "2028-29"), "low_pence"] == pytest.approx(
        float(lower.sel(financial_year="2028-29").sum("series").mean()) * 100, abs=1
    )


def test_the_waterfall_is_in_people_and_in_pounds(made) -> None:
    case, cost, history = made
    table = waterfall(case, history=history, cost=cost)
    assert table.columns[:6].tolist() == ["from", "to", "financial_year", "change", "measure", "amount"]
    assert set(table["measure"]) == {"households at one time", POUNDS}
    both = table[(table["to"] == "both") & (table["measure"] == POUNDS) & (table["financial_year"] == "2028-29")]
    assert both["change"].tolist()[-1] == "interaction"
    assert both["amount"].iloc[-1] != 0
    total = cost.years.sel(financial_year="2028-29").sum("series").mean("draw")
    assert both["amount"].sum() == pytest.approx(float(total.sel(scenario="both") - total.sel(scenario="baseline")), rel=1e-9)
    people = waterfall(case, history=history)
    assert set(people["measure"]) == {"households at one time"}


def test_the_horizon_that_a_budget_needs() -> None:
    spec = budget(**{"2028-29": 1e6})
    assert horizon_needed(spec, pd.Timestamp("2026-06-01"), Frequency("M")) == 33
    assert horizon_needed(spec, pd.Timestamp("2026-04-01"), Frequency("Q")) == 11
    assert horizon_needed(spec, pd.Timestamp("2029-03-01"), Frequency("M")) == 0
    assert horizon_needed(BudgetSpec(), pd.Timestamp("2029-03-01"), Frequency("M")) == 0


def test_pence_go_to_the_largest_remainders() -> None:
    assert pence([0.004, 0.004, 0.004]).tolist() == [1, 0, 0]
    assert pence([]).tolist() == []


def test_the_ledger_lists_every_assumption() -> None:
    table = ledger({"costs": weekly_prices(), "scenarios": [FEWER, MOVED, BOTH]}, as_of=date(2026, 3, 31))
    assert table["name"].tolist() == [
        "bed and breakfast: amount", "bed and breakfast: uplift", "hostel place: amount", "fewer: fewer", "moved: move",
    ]  # fmt: skip
    assert set(table["used_in"]) == {"costs", "scenarios"}


def test_where_no_year_is_covered_whole_tables_are_empty_and_the_notes_say_why(made) -> None:
    draws, history = forecast(draws=10, past=1, ahead=5)
    case = WhatIf(draws, (FEWER,), 1)
    demand, _ = apply(draws, case.scenarios, seed=1)
    cost, spec = price(demand, weekly_prices(), seed=1, history=history), BudgetSpec(lines=(BudgetLine(name="B&B", where={"type": "bnb"}),))
    assert cost.labels == ()
    tables = [(budget_table(c, spec), risk_table(c, spec), cost_table(c)) for c in (cost, made[1])]
    for empty, full in zip(*tables, strict=True):
        assert empty.empty
        assert empty.columns.tolist() == full.columns.tolist()
    assert sensitivity(case, cost).empty
    assert waterfall(case, history=history, cost=cost).empty
    assert "no financial year is covered whole: make forecast.horizon longer" in " ".join(budget_notes(cost, spec))
    assert shortfall(cost, spec).sizes["financial_year"] == 0


def test_sensitivity_moves_the_years_of_a_path_and_the_size_of_a_household(made) -> None:
    case, cost, history = made
    path = {label: number(0.05, 0.02, 0.08, "per year") for label in ("2026-27", "2027-28")}
    size = number(2.5, 2.0, 3.0, "person/household")
    costs = [unit_cost("all", {}, number(9, unit="GBP/person/night"), uplift=path, uplift_on="1 July", size=size)]
    table = sensitivity(case, price(cost.demand, costs, seed=1, history=history)).set_index(["assumption", "financial_year"])
    assert {"all: amount", "all: uplift: 2026-27", "all: uplift: 2027-28", "all: size"} < set(table.index.get_level_values(0))
    dearer = [costs[0].with_number("size", 3.0)]
    bills = [
        price(cost.demand, c, seed=1, history=history).years.sel(scenario="baseline", financial_year="2027-28") for c in (costs, dearer)
    ]
    moved = float((bills[1] - bills[0]).sum("series").mean()) * 100
    assert table.loc[("all: size", "2027-28"), "high_pence"] == pytest.approx(moved, abs=1)
    assert table.loc[("all: uplift: 2027-28", "2026-27"), "high_pence"] == 0


def test_sensitivity_moves_the_numbers_of_items_under_the_scenario_in_which_they_count(made) -> None:
    case, cost, _ = made
    items = [
        FixedCost(name="team", line="x", amount=number(1e5, 8e4, 1.5e5, "GBP/year"), scenarios=["fewer"]),
        Grant(name="grant", line="x", years={"2027-28": number(3e5, 2e5, 4e5, "GBP/year")}),
        Saving(name="plan", line="x", years={"2026-27": 1e5}, chance=number(0.5, 0.2, 1.0), owner="head"),
    ]
    table = sensitivity(case, with_items(cost, items, seed=1), items).set_index(["assumption", "financial_year"])
    team = with_items(cost, items, seed=1).items.sel(item="team", scenario="fewer", financial_year="2027-28")
    row = table.loc[("team: amount", "2027-28")]
    assert (row["kind"], row["scenario"]) == ("fixed", "fewer")
    assert row["high_pence"] == pytest.approx((1.5e5 - float(team.mean())) * 100, abs=1)
    assert row["step_pence"] == 100_000
    assert table.loc[("grant: years: 2027-28", "2027-28"), "low_pence"] > 0
    assert table.loc[("grant: years: 2027-28", "2026-27"), "low_pence"] == 0
    assert table.loc[("plan: chance", "2026-27"), "high_pence"] < 0 < table.loc[("plan: chance", "2026-27"), "low_pence"]
