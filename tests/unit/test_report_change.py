"""What has changed: steps that add up, against last year and against the forecast before, and how sure the order of drivers is."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from plan_made import plan_tables
from report_made import made

from demand.moved import STEPS
from demand.report.answers import answers
from demand.report.change_section import driver_order, hard_to_explain, since_last_forecast, since_last_year
from demand.report.facts import lines
from demand.report.html import report_page
from demand.report.parts import Figure
from demand.report.words import banned_in


def numbers(figure: Figure) -> list[float]:
    return [float(row[1].replace(",", "").replace("£", "")) for row in figure.table.rows]


def test_the_steps_from_last_year_add_up_to_what_is_expected() -> None:
    inputs = made()
    for line in lines(inputs):
        figure = since_last_year(inputs, line)
        assert figure is not None
        start, *steps, end = numbers(figure)
        assert start + sum(steps) == pytest.approx(end, abs=0.3)
        assert start == pytest.approx(line.past_years.iloc[-1], abs=0.05)
        assert line.ahead is not None
        assert end == pytest.approx(line.ahead["mean"], rel=0.02)
    first = since_last_year(inputs, lines(inputs)[0])
    assert first is not None
    why = next(a for a in answers(inputs) if a.question == "Why?")
    assert float(why.number.split()[0]) == pytest.approx(sum(numbers(first)[1:-1]), abs=0.6)


def test_without_an_explanation_there_are_no_steps() -> None:
    bare = replace(made(), explanation=None)
    assert since_last_year(bare, lines(bare)[0]) is None
    assert since_last_forecast(bare) == []


def moved() -> pd.DataFrame:
    amounts = [-90_000_00, 40_000_00, 0, 10_000_00, -5_000_00, 20_000_00]
    rows, at = [], 300_000_000
    for step, amount in zip(STEPS, amounts, strict=True):
        rows.append({"line": "total", "financial_year": "2026-27", "step": step, "before_pence": at, "after_pence": at + amount})
        at += amount
    table = pd.DataFrame(rows)
    return table.assign(amount_pence=table["after_pence"] - table["before_pence"])


def test_the_steps_from_the_forecast_before_add_up() -> None:
    (figure,) = since_last_forecast(replace(made(), moved=moved()))
    assert isinstance(figure, Figure)
    start, *steps, end = numbers(figure)
    assert (start, end) == (3_000_000, 2_975_000)
    assert start + sum(steps) == end
    assert "New counts" in figure.alt
    assert banned_in(figure.alt) == []


def test_a_forecast_that_is_mostly_bookkeeping_is_called_hard_to_explain() -> None:
    inputs = made()
    line = lines(inputs)[0]
    assert hard_to_explain(inputs, line) == []
    assert inputs.explanation is not None
    kept = replace(inputs, explanation=inputs.explanation.replace({"feature": {"level": "reconciliation"}}))
    (said,) = hard_to_explain(kept, lines(kept)[0])
    assert said.kind == "warning"
    assert "hard to explain" in said.lines[0]
    assert "hard to explain" in report_page(kept)


def effects(spread: float) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    rows = [
        {"unique_id": s, "driver": d, "draw": i, "elasticity": rng.normal(middle, spread), "observed_low": 100.0, "observed_high": 150.0}
        for s in ("a", "b") for d, middle in (("private_rent", 0.8), ("claimants", 0.4)) for i in range(200)
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(source="estimated from history")


def test_an_order_of_drivers_that_the_history_settles_is_told() -> None:
    found = driver_order(replace(made(), effects=effects(0.02)))
    assert found is not None
    table, said = found
    assert table.rows[0][:2] == ("1", "Private rent")
    assert table.rows[0][3] == "100%"
    assert "can be relied on" in said.lines[0]


def test_an_order_that_changes_with_the_estimate_names_no_main_reason() -> None:
    found = driver_order(replace(made(), effects=effects(2.0)))
    assert found is not None
    assert "not stable" in found[1].lines[0]
    one = effects(0.1)
    assert driver_order(replace(made(), effects=one[one["driver"] == "claimants"])) is None


def test_no_page_claims_a_cause() -> None:
    page = report_page(replace(made(), **plan_tables(), effects=effects(0.5), moved=moved()))
    assert "How sure the order of drivers is" in page
    assert "since the forecast before" in page
    assert not re.search(r"caused by|because of|due to|leads? to", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL))
