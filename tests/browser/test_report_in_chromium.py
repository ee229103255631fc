"""What people open in a browser: it fits the window, works by keyboard, asks the network for nothing, prints, and shuts nobody out."""

from __future__ import annotations

import itertools
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from plan_made import plan_tables
from report_made import made

from demand.report.html import quality_page, report_page, section_page
from demand.report.moved_section import moved_section

MOST_PAGES = 12
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
"""What axe-core is asked for: WCAG 2.2 at level AA, and what its makers advise beyond it."""


def _pages() -> dict[str, str]:
    """Give every page that the package writes, by the name of its file."""
    inputs = replace(made(), **plan_tables())
    finding = {
        "severity": "warn",
        "rule": "spike",
        "message": "One month is far from its neighbours",
        "where": "ta/hostel",
        "count": 1,
        "rows": [12],
    }
    steps = pd.DataFrame({"line": "hostel", "financial_year": "2026-27", "step": ["data", "prices"], "amount_pence": [900, -400],
                          "before_pence": [100_000] * 2, "after_pence": [100_500] * 2})  # fmt: skip
    said = pd.DataFrame([{"line": "hostel", "financial_year": "2026-27", "forecast": "now", "counted_to": "March 2026",
                          "expected_pence": 100_500, "p10_pence": 90_000, "p90_pence": 120_000, "projected_pence": 99_000}])  # fmt: skip
    return {
        "report.html": report_page(inputs),
        "languages.html": report_page(replace(inputs, spec=inputs.spec.model_copy(update={"languages": ["en", "cy"]}))),
        "public.html": report_page(replace(inputs, spec=inputs.spec.model_copy(update={"audience": "public"}))),
        "quality.html": quality_page({"verdict": "warn", "about": {"people": 900}, "findings": [finding]}, languages=["cy", "en"]),
        "moved.html": section_page("What has moved", lambda: moved_section(["The hostel costs more."], steps, said, names={})),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with every page."""
    place = tmp_path_factory.mktemp("pages")
    for name, text in _pages().items():
        (place / name).write_text(text, encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def browser(tool: Callable[[str], str]) -> Iterator[Any]:
    """Give a Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=tool("chromium"), args=["--disable-gpu", "--disable-background-networking"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any, folder: Path) -> Iterator[Any]:
    """Give the report, just opened."""
    shown = browser.new_page(viewport={"width": 1280, "height": 1000})
    shown.goto((folder / "report.html").as_uri())
    yield shown
    shown.close()


@pytest.mark.parametrize(("width", "opened"), [(1280, False), (1280, True), (360, True)], ids=["folded", "unfolded", "narrow"])
@pytest.mark.parametrize("name", ["report.html", "languages.html#cy", "public.html", "quality.html", "moved.html"])
def test_axe_finds_nothing_that_shuts_anybody_out(page: Any, folder: Path, name: str, width: int, opened: bool) -> None:
    """axe-core, in every state: wide and as narrow as a telephone, with what is folded closed and open."""
    from axe_playwright_python.sync_playwright import Axe

    page.set_viewport_size({"width": width, "height": 1000})
    page.goto(f"{folder.as_uri()}/{name}")
    page.evaluate("open => document.querySelectorAll('details').forEach(d => { d.open = open; })", opened)
    # every rule is run; the places are listed only where one is broken, which halves the time
    asked = {"runOnly": {"type": "tag", "values": WCAG}, "resultTypes": ["violations"]}
    found = Axe().run(page, options=asked).response
    assert len(found["passes"]) > 10
    assert [(v["id"], node["html"][:120]) for v in found["violations"] for node in v["nodes"]] == []


def test_the_language_is_switched_by_keyboard_and_stays(page: Any, folder: Path) -> None:
    shown = "[...document.querySelectorAll('.language')].filter(e => e.checkVisibility()).map(e => e.lang)"
    page.goto((folder / "languages.html").as_uri())
    assert page.evaluate(shown) == ["en-GB"]
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate(shown) == ["cy"]
    assert page.evaluate("document.activeElement.closest('.language').lang + ' ' + document.activeElement.textContent") == "cy English"
    assert page.evaluate("document.documentElement.lang") == "cy"
    page.click("#cy .contents a >> nth=2")
    assert page.evaluate(shown) == ["cy"]
    page.click("#cy .others a")
    assert page.evaluate(shown) == ["en-GB"]


def test_axe_is_awake(page: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page.evaluate("document.images[0].removeAttribute('alt')")
    assert [v["id"] for v in Axe().run(page).response["violations"]] == ["image-alt"]


def test_nothing_is_asked_of_the_network_and_nothing_is_complained_of(browser: Any, folder: Path) -> None:
    asked: list[str] = []
    said: list[str] = []
    page = browser.new_page()
    page.on("request", lambda r: asked.append(r.url))
    page.on("console", lambda m: said.append(m.text))
    page.on("pageerror", lambda e: said.append(str(e)))
    every = sorted(folder.glob("*.html"))
    assert len(every) > 3
    for one in every:
        page.goto(one.as_uri())
    page.close()
    assert [u for u in asked if not u.startswith(("file:", "data:"))] == []
    assert said == []


def test_every_picture_is_shown(page: Any) -> None:
    sizes = page.evaluate("[...document.images].map(i => [i.complete, i.naturalWidth])")
    assert sizes
    assert all(complete and width > 100 for complete, width in sizes)


@pytest.mark.parametrize("width", [1280, 768, 360])
def test_the_page_fits_the_window(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 1000})
    inner, needed = page.evaluate("[window.innerWidth, document.documentElement.scrollWidth]")
    assert needed <= inner + 1


def test_words_stand_out_from_their_ground(page: Any) -> None:
    """WCAG 1.4.3: 4.5 to 1, for all text that is shown."""
    low = page.evaluate("""() => {
      const channel = v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
      const parse = c => c.match(/[\\d.]+/g).map(Number);
      const light = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
      const ground = e => {
        for (; e; e = e.parentElement) {
          const c = parse(getComputedStyle(e).backgroundColor);
          if (c.length < 4 || c[3] > 0) return c;
        }
        return [255, 255, 255];
      };
      const bad = [];
      for (const e of document.querySelectorAll('body *')) {
        if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || !e.getClientRects().length) continue;
        const a = light(parse(getComputedStyle(e).color)), b = light(ground(e));
        if ((Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5) bad.push(e.tagName + ': ' + e.textContent.slice(0, 40));
      }
      return bad; }""")
    assert low == []


def test_the_keyboard_reaches_the_answers_and_opens_a_table(page: Any) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    for _ in range(4):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "SUMMARY":
            break
    assert page.evaluate("document.activeElement.textContent") == "The figures behind this picture"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open")


def test_the_keyboard_alone_reaches_everything_and_is_never_caught(page: Any) -> None:
    """WCAG 2.1.1, 2.1.2 and 2.4.7: whatever can be used is reached in the order of the page, is seen to be reached, and is left again."""
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")  # tables that fit are no stops from then on
    assert not page.evaluate("[...document.querySelectorAll('.scroll[tabindex]')].some(e => e.scrollWidth <= e.clientWidth)")
    wanted = page.evaluate("""() => [...document.querySelectorAll('a[href], summary, [tabindex="0"], button, input, select')]
        .map((e, i) => { e.dataset.stop = i; return i; })""")
    reached = []
    for _ in wanted:
        page.keyboard.press("Tab")
        stop, seen = page.evaluate("""() => { const e = document.activeElement, s = getComputedStyle(e);
            return [Number(e.dataset.stop), s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 || e.className === 'skip']; }""")
        assert seen, f"stop {stop} does not show that it is reached"
        reached.append(stop)
    assert reached == wanted


def test_headings_go_down_one_step_at_a_time(page: Any) -> None:
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => Number(h.tagName[1]))")
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))


@pytest.mark.parametrize("which", ["made up", "homelessness", "children", "adult_care"])
def test_it_prints_on_few_pages_with_the_six_answers_on_the_first(
    page: Any, tool: Callable[[str], str], tiny_run: Callable[[str], Path], tmp_path: Path, which: str
) -> None:
    if which != "made up":
        page.goto((tiny_run(which) / "report.html").as_uri())
    pdf = tmp_path / "report.pdf"
    page.pdf(path=pdf, prefer_css_page_size=True)
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", pdf.read_bytes())) <= MOST_PAGES
    said = subprocess.run([tool("pdftotext"), "-l", "1", str(pdf), "-"], capture_output=True, text=True, check=True).stdout
    assert "What will happen?" in said
    assert "Were we right before?" in said
