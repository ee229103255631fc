"""What the page does by itself, in real Chromium: tables that are sorted and saved, levers that agree with Python."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from report_made import made

from demand.report.html import report_page

TABLE = "Expected numbers by financial year"


@pytest.fixture(scope="module")
def page(tool: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Give the report of a made-up run, open in a Chromium, with everything unfolded."""
    from playwright.sync_api import sync_playwright

    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(report_page(made()), encoding="utf-8")
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=tool("chromium"), args=["--disable-gpu", "--disable-background-networking"])
        shown = chromium.new_page(viewport={"width": 1280, "height": 1000})
        shown.goto(file.as_uri())
        shown.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        yield shown
        chromium.close()


def _column(table: Any, at: int) -> list[str]:
    return list(table.evaluate("(t, at) => [...t.tBodies[0].rows].map(r => r.cells[at].textContent.trim())", at))


def test_a_heading_sorts_its_table_up_down_and_back_by_keyboard(page: Any) -> None:
    table = page.locator("table", has=page.locator("caption", has_text=TABLE)).first
    head = table.locator("thead th.n").first
    at = head.evaluate("h => h.cellIndex")
    before, amounts = _column(table, at), []
    for said in ("ascending", "descending", None):
        head.get_by_role("button").press("Enter")
        assert head.get_attribute("aria-sort") == said
        amounts.append([float(v.replace(",", "")) for v in _column(table, at)])
    assert len(set(before)) > 2
    assert amounts[0] == sorted(amounts[0])
    assert amounts[1] == sorted(amounts[0], reverse=True)
    assert _column(table, at) == before


def test_every_table_can_be_saved_with_its_numbers_as_a_spreadsheet_reads_them(page: Any, tmp_path: Path) -> None:
    tables, buttons = page.locator(".scroll > table").count(), page.locator("button.save")
    assert buttons.count() == tables > 5
    place = page.locator(".scroll", has=page.locator("caption", has_text=TABLE)).first
    with page.expect_download() as saved:
        place.locator("xpath=following-sibling::button[1]").press("Enter")
    assert saved.value.suggested_filename == "expected_numbers_by_financial_year.csv"
    saved.value.save_as(tmp_path / "table.csv")
    text = (tmp_path / "table.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    shown = place.locator("tr").evaluate_all("rows => rows.map(r => [...r.cells].map(c => c.textContent.trim()))")
    assert [len(r) for r in rows] == [len(r) for r in shown]
    at = rows[0].index("Expected")
    assert [float(r[at]) for r in rows[1:]] == [float(r[at].replace(",", "")) for r in shown[1:]]


def test_nothing_in_a_saved_table_runs_as_a_formula(page: Any, tmp_path: Path) -> None:
    cell = page.locator(".scroll > table tbody th").first
    cell.evaluate("c => { c.textContent = '=HYPERLINK(\"x\")'; }")
    with page.expect_download() as saved:
        page.locator("button.save").first.click()
    saved.value.save_as(tmp_path / "table.csv")
    assert "\"'=HYPERLINK" in (tmp_path / "table.csv").read_text(encoding="utf-8-sig")
