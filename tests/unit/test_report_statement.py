"""What a forecast is made of, as a statement that adds up: to what is expected, and to what it costs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_made import made

from demand.errors import ModelError
from demand.report.statement import hard_to_explain, statement, told
from demand.report.words import banned_in

SERIES = "ta/hostel/Harbour"


def test_parts_add_up_to_what_is_expected_in_people_and_pounds() -> None:
    inputs = made()
    table = statement(inputs, SERIES)
    assert list(dict.fromkeys(table["financial_year"])) == ["2026-27", "2027-28", "2028-29"]
    assert inputs.cost is not None
    for year, rows in table.groupby("financial_year"):
        parts, whole = rows[rows["part"] != "expected"], rows[rows["part"] == "expected"].iloc[0]
        assert parts["people"].sum() == pytest.approx(whole["people"], abs=1e-9)
        cost = inputs.cost[(inputs.cost["unique_id"] == SERIES) & (inputs.cost["financial_year"] == year)]["expected"].iloc[0]
        assert parts["pounds"].sum() == pytest.approx(cost, abs=1e-6)
        assert whole["pounds"] == pytest.approx(cost, abs=1e-6)


def test_a_flow_is_the_sum_of_its_periods() -> None:
    inputs = made()
    assert inputs.forecast is not None
    mine = inputs.forecast[inputs.forecast["unique_id"] == "prevention/advice/Harbour"]
    year = mine[mine["ds"] < "2027-04-01"]["mean"].sum()
    table = statement(inputs, "prevention/advice/Harbour").set_index(["financial_year", "part"])
    assert table.loc[("2026-27", "expected"), "people"] == pytest.approx(year)
    assert table["pounds"].isna().all()


def test_the_text_says_what_it_is_and_claims_no_cause() -> None:
    text = told(made(), SERIES)
    assert "Recent level" in text
    assert "Private rent" in text
    assert "not always what causes it" in text
    assert "HARD" not in text
    assert "-0.0 " not in text
    assert banned_in(text) == []


def test_a_forecast_that_bookkeeping_made_is_called_hard_to_explain() -> None:
    inputs = made()
    assert inputs.explanation is not None
    turned = inputs.explanation.replace({"feature": {"level": "reconciliation"}})
    bookkept = replace(inputs, explanation=turned)
    assert hard_to_explain(statement(bookkept, SERIES)) == ["2026-27", "2027-28", "2028-29"]
    assert "HARD TO EXPLAIN in 2026-27, 2027-28 and 2028-29" in told(bookkept, SERIES)


def test_a_series_that_was_not_forecast_is_named_with_the_nearest() -> None:
    with pytest.raises(ModelError, match=r"'ta/hostel/Harbor' was not forecast.*Did you mean 'ta/hostel/Harbour'\?"):
        statement(made(), "ta/hostel/Harbor")


def test_too_short_a_forecast_says_what_to_do() -> None:
    inputs = made()
    assert inputs.explanation is not None
    short = inputs.explanation[inputs.explanation["ds"] < "2026-09-01"]
    with pytest.raises(ModelError, match=r"no whole financial year.*forecast\.horizon"):
        statement(replace(inputs, explanation=short), SERIES)
