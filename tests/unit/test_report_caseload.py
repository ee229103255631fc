"""Who is there, on the page and on a sheet: run-off, stays, ends, returns, cases without activity."""

from __future__ import annotations

import io
from dataclasses import replace

import openpyxl
import pandas as pd

from demand.report.caseload_section import caseload_section, caseload_tables
from demand.report.inputs import ReportInput, ReportSpec
from demand.report.workbook import workbook


def inputs(audience: str = "council") -> ReportInput:
    ds = pd.date_range("2026-04-01", periods=24, freq="MS").strftime("%Y-%m-%d")
    rows = [
        pd.DataFrame({"unique_id": i, "ds": ds, "item": item, "people": people, "pounds": 100.0 * people})
        for i in ("hotel", "flat")
        for item, people in (("open now", 6.0), ("new starts", 4.0), ("total", 10.0))
    ]
    stays = pd.DataFrame({
        "by": ["type"], "group": ["hotel"], "spells": [90], "ends": [60], "days_quarter": [20.0], "days_half": [61.0],
        "days_three_quarters": [None], "half_low": [50.0], "half_high": [70.0],
    })  # fmt: skip
    ends = pd.DataFrame(
        {"type": ["hotel", "hotel", "hotel"], "ends_in": ["left", "flat", "left"], "days": [365, 365, 28], "share": [0.5, 0.2, 0.1]}
    )
    returns = pd.DataFrame({"ds": pd.date_range("2024-04-01", periods=24, freq="MS"), "occurrences": 7.0, "individuals": 31.0})
    silent = pd.DataFrame({"unique_id": ["hotel"], "open": [9], "without_activity": [2], "with_activity": [7]})
    about = {"stays": stays, "stay_ends": ends, "returns_monthly": returns, "no_activity": silent}
    return ReportInput(title="Care", spec=ReportSpec(audience=audience), commitments=pd.concat(rows), **about)


def test_the_year_adds_pounds_and_counts_people_at_its_end() -> None:
    told = next(t for t in caseload_tables(inputs()) if t.caption == "Run-off and new starts").frame
    assert told["year"].tolist() == ["2026-27"] * 3 + ["2027-28"] * 3
    assert told["item"].tolist()[:3] == ["Open now", "New starts", "Total"]
    assert told["people"].tolist()[:3] == [12.0, 8.0, 20.0]
    assert told["pounds"].tolist()[:3] == [14_400.0, 9_600.0, 24_000.0]


def test_page_and_sheet_show_the_same_tables_and_the_public_neither() -> None:
    section = caseload_section(inputs())
    assert section is not None
    captions = ["Run-off and new starts", "Lengths of stay", "How stays have ended after a year", "For the monthly return",
                "Open cases with no activity"]  # fmt: skip
    assert [p.caption for p in section.parts] == captions
    ends = section.parts[2]
    assert ends.rows == (("Hotel", "50%", "20%"),)
    assert len(section.parts[3].rows) == 13
    assert "11 more rows are in the workbook" in section.parts[3].note
    sheet = openpyxl.load_workbook(io.BytesIO(workbook(inputs())))["Who is there"]
    cells = [c.value for row in sheet.iter_rows() for c in row if c.value is not None]
    assert all(any(str(v).startswith(c) for v in cells) for c in captions)
    assert cells.count(31) == 24
    assert caseload_section(inputs("public")) is None
    assert caseload_section(replace(inputs(), commitments=None, stays=None, stay_ends=None, returns_monthly=None, no_activity=None)) is None
