"""The risk curve says what the budget's table says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from live_case import made_live

from demand.languages import speaking
from demand.report.facts import Money
from demand.report.inputs import ReportSpec
from demand.report.risk_curve import needs_by_future, risk_curve, risk_table


def test_the_curve_is_that_of_the_budget_s_own_futures() -> None:
    inputs = made_live()
    money = Money.of(inputs.budget)
    assert money is not None
    needs = needs_by_future(inputs, money.year)
    total = money.at("baseline", money.year)
    assert needs.sum(axis=1).mean() == pytest.approx(total["expected"], abs=0.01)
    assert needs.sum(axis=1).quantile(0.9) == pytest.approx(total["high"], abs=0.01)
    (figure,) = risk_curve(inputs)
    assert figure.table.columns[1] == "All lines"
    assert figure.table.rows[0][:2] == ("9 in 10", f"£{total['low']:,.0f}")
    assert figure.svg.startswith("<svg")
    with speaking("cy"):
        assert "Siawns o fod angen mwy" in risk_curve(inputs)[0].table.columns
    assert risk_curve(replace(inputs, spec=ReportSpec(audience="public"))) == []
    assert risk_curve(replace(inputs, price_draws=None)) == []


def test_every_scenario_and_year_has_the_chances_of_its_own_futures() -> None:
    inputs = made_live()
    money = Money.of(inputs.budget)
    assert money is not None
    (table,) = risk_table(inputs)
    assert len(table.rows) == (1 + len(inputs.scenarios)) * len(money.years())
    place, scenarios = table.columns.index("1 in 10"), ["baseline", *inputs.scenarios]
    years = [str(y) for y in money.years()["financial_year"]]
    for row, (scenario, year) in zip(table.rows, [(s, y) for s in scenarios for y in years], strict=True):
        assert row[place] == f"£{money.at(scenario, year)['high']:,.0f}"
    assert risk_table(replace(inputs, spec=ReportSpec(audience="public"))) == []
