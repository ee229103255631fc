"""The live workbook: input cells, formulas whose stored values are the run's, and when it is typed instead."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from live_case import made_live
from openpyxl import load_workbook

from demand.report import ReportSpec
from demand.report import live as room
from demand.report.words import banned_in
from demand.report.workbook import workbook


def opened(content: bytes, *, values: bool = False) -> Any:
    return load_workbook(io.BytesIO(content), data_only=values)


def test_stored_values_are_the_runs_so_that_programs_that_do_not_calculate_show_them() -> None:
    inputs = made_live()
    assert inputs.budget is not None
    stored, live = opened(workbook(inputs), values=True)["Budget"], opened(workbook(inputs))["Budget"]
    names = {"baseline": "No change", "fewer": "Fewer"}
    places = {tuple(str(c.value) for c in row[:3]): row[0].row for row in stored.iter_rows()}
    for line in inputs.budget.itertuples():
        row = places[names[line.scenario], line.financial_year, "All lines" if line.line == "total" else line.line.capitalize()]
        assert round(stored.cell(row, 6).value * 100) == line.expected_pence
        assert round(stored.cell(row, 8).value * 100) == line.p10_pence
        assert str(live.cell(row, 6).value).startswith("=SUM(" if line.line == "total" else "=(O")
        assert str(live.cell(row, 8).value).startswith("=ROUND(PERCENTILE('Possible futures'!")


def test_what_may_be_changed_is_open_coloured_and_takes_numbers_alone() -> None:
    sheet = opened(workbook(made_live()))["Assumptions"]
    assert sheet.protection.sheet
    heads = next(row for row in sheet.iter_rows() if row[0].value == "Assumption")
    rows = list(sheet.iter_rows(min_row=heads[0].row + 1))
    checked = {str(area) for rule in sheet.data_validations.dataValidation for area in rule.sqref.ranges}
    assert {row[17].value for row in rows} >= {"bed and breakfast: amount", "budget: hostels: 2026-27", "fewer: fewer"}
    for row in rows:
        numbers = [c for c in row[1:4] if c.value is not None]
        assert numbers
        assert all(not c.protection.locked and c.fill.fgColor.rgb in ("FFFFF3B0", "FFD2E2F1") and c.coordinate in checked for c in numbers)
        assert row[0].protection.locked
        assert row[10].value == ("When read back" if str(row[17].value).startswith("fewer") else "At once")


def test_the_words_of_the_new_sheets_are_plain() -> None:
    book = opened(workbook(made_live()))
    assert {"Possible prices", "Possible futures"} <= set(book.sheetnames)
    sheets = [book[name] for name in ("Read me", "Budget", "Assumptions", "Possible prices", "Possible futures", "Risk", "Checks")]
    told = " ".join(str(c.value) for s in sheets for row in s.iter_rows() for c in row if c.data_type == "s")
    assert banned_in(told) == []


@pytest.mark.parametrize("reason", ["no draws", "public", "too large", "no price in the ledger"])
def test_a_workbook_that_cannot_be_live_is_typed_and_says_so(reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = made_live()
    assert inputs.assumptions is not None
    if reason == "no draws":
        inputs = replace(inputs, price_draws=None)
    elif reason == "public":
        inputs = replace(inputs, spec=ReportSpec(audience="public"))
    elif reason == "too large":
        monkeypatch.setattr(room, "MOST_CELLS", 100)
    else:
        inputs = replace(inputs, assumptions=inputs.assumptions[inputs.assumptions["name"] != "bed and breakfast: amount"])
    book = opened(workbook(inputs))
    assert "Possible futures" not in book.sheetnames
    assert isinstance(book["Budget"]["F5"].value, float)
    counts = {row[10].value for row in book["Assumptions"].iter_rows(min_row=5)}
    assert "At once" not in counts
    told = " ".join(str(c.value) for row in book["Read me"].iter_rows() for c in row)
    assert ("typed" in told) == (reason != "public")


def test_pounds_that_no_price_explains_stand_in_the_futures_as_they_are() -> None:
    inputs = made_live()
    assert inputs.price_quantities is not None
    assert inputs.price_draws is not None
    fixed = inputs.price_quantities["cost"] == "hostel place"
    table = inputs.price_quantities.assign(cost=inputs.price_quantities["cost"].mask(fixed, ""))
    book = opened(workbook(replace(inputs, price_quantities=table)))
    heads = [c.value for row in book["Possible futures"].iter_rows(min_row=8, max_row=8) for c in row]
    assert "Pounds that no price here explains" in heads
    assert pd.notna(book["Budget"]["F5"].value)


def test_what_is_paid_and_owed_is_empty_where_it_is_not_known() -> None:
    inputs = made_live()
    periods = inputs.finance_periods
    assert periods is not None
    year = periods["financial_year"].iloc[-1]
    unknown = periods["financial_year"] == year
    known = periods.assign(**{c: periods[c].mask(unknown) for c in ("paid_pence", "owed_pence")})
    sheet = opened(workbook(replace(inputs, finance_periods=known)))["Finance periods"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows() if row[1].value == year]
    assert len(rows) > 14
    assert {cell for row in rows for cell in (row[10], row[11])} <= {None, ""}
    assert all(row[7] is not None for row in rows if str(row[3]).isdigit())
    agree = [row[12] for row in rows if row[4] == "The year"]
    assert all("K" not in formula for formula in agree)
