"""Who is there, on the page and on a sheet: run-off, stays, ends, returns, cases without activity."""

from __future__ import annotations

import io
from dataclasses import replace

import openpyxl
from people_made import there

from demand.report.caseload_section import caseload_section, caseload_tables
from demand.report.workbook import workbook


def test_the_year_adds_pounds_and_counts_people_at_its_end() -> None:
    told = next(t for t in caseload_tables(there()) if t.caption == "Run-off and new starts").frame
    assert told["year"].tolist() == ["2026-27"] * 3 + ["2027-28"] * 3
    assert told["item"].tolist()[:3] == ["Open now", "New starts", "Total"]
    assert told["people"].tolist()[:3] == [12.0, 8.0, 20.0]
    assert told["pounds"].tolist()[:3] == [14_400.0, 9_600.0, 24_000.0]


def test_page_and_sheet_show_the_same_tables_and_the_public_neither() -> None:
    section = caseload_section(there())
    assert section is not None
    captions = ["Run-off and new starts", "Lengths of stay", "How stays have ended after a year", "For the monthly return",
                "Open cases with no activity"]  # fmt: skip
    assert [p.caption for p in section.parts] == captions
    ends = section.parts[2]
    assert ends.rows == (("Hotel", "50%", "20%"),)
    assert len(section.parts[3].rows) == 13
    assert "11 more rows are in the workbook" in section.parts[3].note
    sheet = openpyxl.load_workbook(io.BytesIO(workbook(there())))["Who is there"]
    cells = [c.value for row in sheet.iter_rows() for c in row if c.value is not None]
    assert all(any(str(v).startswith(c) for v in cells) for c in captions)
    assert cells.count(31) == 24
    assert caseload_section(there("public")) is None
    assert caseload_section(replace(there(), commitments=None, stays=None, stay_ends=None, returns_monthly=None, no_activity=None)) is None
