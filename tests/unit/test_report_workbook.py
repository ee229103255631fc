"""The workbook: sheets for readers, live sums with stored values, text that stays text."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from functools import cache
from typing import Any

import pandas as pd
import pytest
from openpyxl import load_workbook
from report_made import made

from demand.report import ReportInput
from demand.report.html import report_page
from demand.report.words import banned_in
from demand.report.workbook import workbook

ALLOWED = ("=SUM(", "=IF(", "=Budget!", "=Assumptions!", "=COUNTIF(", "=ABS(", "=F", "=B", "=C", "=D")


@cache
def raw() -> bytes:
    return workbook(made())


def opened(content: bytes, *, values: bool = False) -> Any:
    return load_workbook(io.BytesIO(content), data_only=values)


def rows_of(sheet: Any) -> list[dict[str, Any]]:
    """Give the rows below the frozen headings, by heading."""
    top = int("".join(c for c in sheet.freeze_panes if c.isdigit())) - 1
    names = [cell.value for cell in sheet[top]]
    return [dict(zip(names, [c.value for c in row], strict=True)) for row in sheet.iter_rows(min_row=top + 1) if row[0].value]


def test_sheets_are_named_for_their_readers_and_print() -> None:
    book = opened(raw())
    assert book.sheetnames == ["Read me", "Summary", "Budget", "Scenarios", "Forecast", "Risk", "What moves it", "Assumptions", "Checks"]
    for sheet in book.worksheets:
        assert sheet.print_area
        assert sheet.page_setup.orientation == "landscape"
        if sheet.title != "Read me":
            assert sheet.freeze_panes


def test_labels_are_plain_english() -> None:
    book = opened(raw())
    text = " ".join(
        str(c.value) for s in book.worksheets for row in s.iter_rows() for c in row if isinstance(c.value, str) and c.data_type == "s"
    )
    assert banned_in(text) == []


def test_totals_are_live_sums_whose_stored_values_are_the_runs_to_the_penny() -> None:
    inputs, live, stored = made(), opened(raw())["Budget"], opened(raw(), values=True)["Budget"]
    assert inputs.budget is not None
    sums = [r for r in rows_of(live) if r["Budget line"] == "All lines"]
    values = {(r["Scenario"], r["Financial year"]): r for r in rows_of(stored) if r["Budget line"] == "All lines"}
    assert sums
    assert all(str(r["Expected cost"]).startswith("=SUM(F") for r in sums)
    assert all(str(r["Budget"]).startswith("=SUM(E") for r in sums)
    names = {"baseline": "No change", "early_help": "Early help", "rents_up": "Rents up"}
    for row in inputs.budget[inputs.budget["line"] == "total"].itertuples():
        told = values[names[row.scenario], row.financial_year]
        assert round(told["Expected cost"] * 100) == row.expected_pence
        assert round(told["Expected less budget"] * 100) == row.expected_pence - row.budget_pence
        assert isinstance(told["Low (not the sum of the lines)"], int | float)


def test_ranges_are_typed_values_and_labelled() -> None:
    for row in rows_of(opened(raw())["Budget"]):
        for name in ("Low", "Middle", "High"):
            assert isinstance(row[f"{name} (not the sum of the lines)"], int | float)


def test_checks_say_yes_and_would_say_no() -> None:
    assert {r["Agrees"] for r in rows_of(opened(raw(), values=True)["Checks"])} == {"yes"}
    inputs = made()
    assert inputs.budget is not None
    wrong = inputs.budget.copy()
    wrong.loc[wrong["line"] == "total", "expected_pence"] += 1
    assert {r["Agrees"] for r in rows_of(opened(workbook(replace(inputs, budget=wrong)), values=True)["Checks"])} == {"no"}


@pytest.mark.parametrize("nasty", ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x")', "\t=1", "http://x.example", "{=1}"])
def test_text_is_written_as_text(nasty: str) -> None:
    base = made()
    assert base.assumptions is not None
    assert base.budget is not None
    inputs = replace(
        base,
        title=nasty,
        questions={"early_help": nasty},
        assumptions=base.assumptions.assign(source=nasty, owner=nasty, name=nasty, unit=nasty),
        budget=base.budget.replace({"line": {"hostel": nasty}}),
    )
    book = opened(workbook(inputs))
    formulas = [str(c.value) for s in book.worksheets for row in s.iter_rows() for c in row if c.data_type == "f"]
    assert formulas
    assert all(f.startswith(ALLOWED) and "HYPERLINK" not in f for f in formulas)
    assert not [c for s in book.worksheets for row in s.iter_rows() for c in row if c.hyperlink]
    assert nasty.strip() in {str(c.value).strip() for s in book.worksheets for row in s.iter_rows() for c in row if c.data_type == "s"}


def test_placeholders_are_said_on_each_sheet_that_rests_on_them() -> None:
    book = opened(raw())
    said = {s.title for s in book.worksheets if any("PLACEHOLDER" in str(c.value) for row in s.iter_rows(max_row=4) for c in row)}
    assert {"Budget", "Scenarios", "Risk", "What moves it", "Summary", "Assumptions"} <= said
    assert "Forecast" not in said


def test_the_same_run_gives_the_same_bytes_and_no_macro_or_link() -> None:
    assert workbook(made()) == raw()
    names = zipfile.ZipFile(io.BytesIO(raw())).namelist()
    assert not [n for n in names if "vba" in n.lower() or "external" in n.lower()]


def test_a_run_without_money_still_has_a_workbook() -> None:
    book = opened(workbook(made(budget=None, risk=None, sensitivity=None, waterfall=None, cost=None)))
    assert "Budget" not in book.sheetnames
    assert opened(workbook(ReportInput("Nothing yet"))).sheetnames == ["Read me", "Summary"]


def test_a_year_without_a_total_says_so_and_sums_nothing() -> None:
    inputs = made()
    assert inputs.budget is not None
    holed = inputs.budget[~((inputs.budget["line"] == "total") & (inputs.budget["financial_year"] == "2028-29"))]
    book = opened(workbook(replace(inputs, budget=holed)))
    text = [str(c.value) for row in book["Budget"].iter_rows() for c in row]
    assert sum("total of this year is not known" in t for t in text) == 3
    assert {row["Financial year"] for row in rows_of(book["Checks"])} == {"2026-27", "2027-28"}
    nothing = inputs.budget[inputs.budget["line"] != "total"].assign(line="total of something")
    assert workbook(replace(inputs, budget=nothing))


@pytest.mark.parametrize("names", [("budget",), ("risk",), ("cost",), ("budget", "risk", "cost", "sensitivity", "waterfall")])
def test_tables_of_money_without_a_row_leave_the_report_whole(names: tuple[str, ...]) -> None:
    base = made()
    inputs = replace(base, **{name: pd.DataFrame(columns=getattr(base, name).columns) for name in names})
    assert "Summary" in opened(workbook(inputs)).sheetnames
    assert "<html" in report_page(inputs)
