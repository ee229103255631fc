"""The workbook opened and recalculated by LibreOffice: expected costs are the run's, to the penny."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from openpyxl import load_workbook
from report_made import made
from spreadsheet import recalculated

from demand.report.workbook import workbook


def test_expected_costs_are_those_of_the_run_to_the_penny(tool: Callable[[str], str], tmp_path: Path) -> None:
    inputs = made()
    assert inputs.budget is not None
    book = load_workbook(__import__("io").BytesIO(workbook(inputs)))
    sheet = book["Budget"]
    line = next(r for r in range(1, sheet.max_row) if sheet.cell(r, 3).value == "Hostel")
    source = tmp_path / "budget.xlsx"
    book.save(source)  # openpyxl drops the stored values: what is read below has been worked out by LibreOffice
    after = recalculated(tool, source, tmp_path)
    names = {"baseline": "No change", "early_help": "Early help", "rents_up": "Rents up"}
    lines = {"bed_and_breakfast": "Bed and breakfast", "hostel": "Hostel", "total": "All lines"}
    told = {tuple(str(c.value) for c in row[:3]): row for row in after["Budget"].iter_rows(min_row=line - 1)}
    for row in inputs.budget.itertuples():
        cells = told[names[row.scenario], row.financial_year, lines[row.line]]
        assert round(cells[5].value * 100) == row.expected_pence
        assert round(cells[4].value * 100) == row.budget_pence
        assert round(cells[6].value * 100) == row.expected_pence - row.budget_pence
    assert {row[4].value for row in after["Checks"].iter_rows(min_row=5) if row[0].value} == {"yes"}
    errors = [c.value for s in after.worksheets for r in s.iter_rows() for c in r if isinstance(c.value, str) and c.value.startswith("#")]
    assert errors == []


def test_a_changed_line_changes_its_total(tool: Callable[[str], str], tmp_path: Path) -> None:
    book = load_workbook(__import__("io").BytesIO(workbook(made())))
    sheet = book["Budget"]
    row = next(r for r in range(1, sheet.max_row) if sheet.cell(r, 3).value == "Hostel")
    before = sum(sheet.cell(r, 6).value for r in (row - 1, row))
    sheet.cell(row, 6).value += 1000.25
    source = tmp_path / "budget.xlsx"
    book.save(source)
    after = recalculated(tool, source, tmp_path)
    assert round(after["Budget"].cell(row + 1, 6).value * 100) == round((before + 1000.25) * 100)
    assert "no" in {r[4].value for r in after["Checks"].iter_rows(min_row=5)}
