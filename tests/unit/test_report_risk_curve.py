"""The risk curve says what the budget's table says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from live_case import made_live

from demand.languages import speaking
from demand.report.facts import Money
from demand.report.inputs import ReportSpec
from demand.report.risk_curve import needs_by_future, risk_curve


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
