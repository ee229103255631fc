"""Levers: the run's own figures by part and year, and what each number does, as sensitivity has it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lever_case import Tried, tried
from planning_cases import change, number

from demand.budget import cost_table, sensitivity
from demand.budget.levers import levers
from demand.scenario import Scenario, WhatIf


@pytest.fixture(scope="module")
def found() -> tuple[Tried, pd.DataFrame]:
    case = tried()
    return case, levers(case.case, history=case.history, cost=case.cost, spec=case.spec)


def test_the_run_s_own_rows_are_its_costs_by_part_and_add_up(found: tuple[Tried, pd.DataFrame]) -> None:
    case, table = found
    run = table[table["change"] == ""]
    cost = cost_table(case.cost).merge(case.history.series[["area", "type"]], left_on="unique_id", right_index=True)
    for key in ("area", "type"):
        mine = run[(run["measure"] == "pounds") & (run["line"] == "all lines") & (run["key"] == key)]
        wanted = cost.groupby(["scenario", key, "financial_year"])["expected"].sum()
        got = mine.set_index(["scenario", "part", "financial_year"])["mean"]
        pd.testing.assert_series_equal(got.sort_index(), wanted.sort_index(), check_names=False)
    priced = run[run["per_pound"].notna()]
    sums = priced.groupby(["scenario", "key", "part", "financial_year"])["mean"].sum()
    whole = run[run["line"] == "all lines"].set_index(["scenario", "key", "part", "financial_year"])
    pd.testing.assert_series_equal(sums.sort_index(), whole["mean"].sort_index(), check_names=False)
    assert (whole["low"] < whole["mean"]).all()
    assert (whole["mean"] < whole["high"]).all()


def test_each_end_of_a_number_does_what_sensitivity_says(found: tuple[Tried, pd.DataFrame]) -> None:
    case, table = found
    told = sensitivity(case.case, case.cost)
    everything = table[(table["key"] == "") & table["line"].isin([line.name for line in case.spec.lines]) & (table["measure"] != "pounds")]
    pounds = everything.groupby(["scenario", "change", "value", "financial_year"], dropna=False)["mean"].sum()
    run = everything[everything["change"] == ""].groupby(["scenario", "financial_year"])["mean"].sum()
    for name, ends in (("fewer", (0.8, 0.95)), ("to hostel", (0.1, 0.4))):
        for row in told[told["assumption"] == f"both: {name}"].itertuples():
            for end, pence in zip(ends, (row.low_pence, row.high_pence), strict=True):
                moved = pounds["both", name, end, row.financial_year] - run["both", row.financial_year]
                assert moved == pytest.approx(pence / 100, abs=0.02)
    prices = everything[everything["per_pound"].notna() & (everything["scenario"] == "baseline")]
    for row in told[told["assumption"] == "bed and breakfast: amount"].itertuples():
        mine = prices[(prices["measure"] == "bed and breakfast") & (prices["financial_year"] == row.financial_year)]
        assert (450 * mine["per_pound"] - mine["mean"]).sum() == pytest.approx(row.low_pence / 100, abs=0.02)


def test_a_number_without_a_range_and_a_flow_have_no_lever(found: tuple[Tried, pd.DataFrame]) -> None:
    case, _ = found
    sure = Scenario(name="sure", question="?", changes=[change("certain", size=number(0.9))])
    table = levers(WhatIf(case.case.draws, (sure,), 1), history=case.history)
    assert set(table["change"]) == {""}
    assert set(table["measure"]) == {"households at one time"}
    assert np.isfinite(table[["mean", "low", "high"]]).all(axis=None)


def test_each_scenario_has_its_own_value_of_a_change_of_the_same_name(found: tuple[Tried, pd.DataFrame]) -> None:
    case, _ = found
    pair = [
        Scenario(name=name, question="?", changes=[change("early help", size=number(v, 0.9, 0.99))])
        for name, v in (("a", 0.95), ("b", 0.9))
    ]
    table = levers(WhatIf(case.case.draws, pair, 1), history=case.history)
    moved = table[table["change"] == "early help"]
    assert moved.groupby("scenario")["as_run"].unique().map(list).to_dict() == {"a": [0.95], "b": [0.9]}


def test_a_delay_of_one_whole_month_only_has_no_lever(found: tuple[Tried, pd.DataFrame]) -> None:
    case, _ = found
    late = change("late", start="2027-01", delay=number(1, 0.6, 1.4, "months"))
    table = levers(WhatIf(case.case.draws, [Scenario(name="late", question="?", changes=[late])], 1), history=case.history)
    assert set(table["number"]) == {"", "size"}
