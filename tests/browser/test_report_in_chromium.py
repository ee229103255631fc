"""The report in a real browser: it loads by itself, fits the window, works by keyboard, and asks the network for nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from plan_made import plan_tables
from report_made import made

from demand.report.html import report_page


@pytest.fixture(scope="module")
def browser(tool: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Give a Chromium with the report open."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    folder = tmp_path_factory.mktemp("report")
    page = folder / "report.html"
    page.write_text(report_page(replace(made(), **plan_tables())), encoding="utf-8")
    options = webdriver.ChromeOptions()
    options.binary_location = tool("chromium")
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(tool("chromedriver")))
    driver.set_window_size(1280, 1000)
    driver.get(page.as_uri())
    yield driver
    driver.quit()


def test_nothing_is_asked_of_the_network_and_nothing_is_complained_of(browser: Any) -> None:
    import json

    sent = [json.loads(e["message"])["message"] for e in browser.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in sent if m["method"] == "Network.requestWillBeSent"]
    assert [u for u in asked if not u.startswith(("file:", "data:", "chrome:"))] == []
    assert [e for e in browser.get_log("browser") if e["level"] in ("SEVERE", "WARNING")] == []


def test_every_picture_is_shown(browser: Any) -> None:
    sizes = browser.execute_script("return [...document.images].map(i => [i.complete, i.naturalWidth])")
    assert sizes
    assert all(complete and width > 100 for complete, width in sizes)


@pytest.mark.parametrize("width", [1280, 768, 360])
def test_the_page_fits_the_window(browser: Any, width: int) -> None:
    browser.set_window_size(width, 1000)
    inner, needed = browser.execute_script("return [window.innerWidth, document.documentElement.scrollWidth]")
    assert needed <= inner + 1


def test_words_stand_out_from_their_ground(browser: Any) -> None:
    """WCAG 1.4.3: 4.5 to 1, for all text that is shown."""
    low = browser.execute_script("""
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
      return bad;""")
    assert low == []


def test_the_keyboard_reaches_the_answers_and_opens_a_table(browser: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.set_window_size(1280, 1000)
    browser.execute_script("document.body.focus()")
    browser.switch_to.active_element.send_keys(Keys.TAB)
    assert browser.switch_to.active_element.text == "Skip to the answers"
    for _ in range(4):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        if browser.switch_to.active_element.tag_name == "summary":
            break
    summary = browser.switch_to.active_element
    assert summary.text == "The figures behind this picture"
    summary.send_keys(Keys.ENTER)
    assert browser.execute_script("return arguments[0].parentElement.open", summary)


def test_headings_go_down_one_step_at_a_time(browser: Any) -> None:
    levels = browser.execute_script("return [...document.querySelectorAll('h1,h2,h3,h4')].map(h => Number(h.tagName[1]))")
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))


def test_it_prints_on_few_pages(browser: Any, tmp_path: Path) -> None:
    import base64
    import re

    pdf = base64.b64decode(browser.print_page())
    (tmp_path / "report.pdf").write_bytes(pdf)
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    assert 3 <= pages <= 16
