"""How long a browser takes to open the report: a new Chromium each time, so that nothing is kept from the time before.

`python benchmarks/opening.py outputs/homelessness/report.html` prints the middle and the slowest of some openings, in milliseconds from the
start of the navigation: until something is seen (first contentful paint), and until all of it is there (the load event).
"""

from __future__ import annotations

import shutil
import statistics
import sys
from pathlib import Path

TIMES = 5
NAMES = ("chromium", "chromium-browser", "google-chrome")
READ = """() => ({
    "something is seen": performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN,
    "all of it is there": performance.getEntriesByType("navigation")[0].loadEventEnd,
})"""


def opened(report: Path) -> list[dict[str, float]]:
    """Open a page some times, each in a browser of its own."""
    from playwright.sync_api import sync_playwright

    found = []
    with sync_playwright() as driver:
        for _ in range(TIMES):
            chromium = driver.chromium.launch(executable_path=next(filter(None, map(shutil.which, NAMES))), args=["--disable-gpu"])
            page = chromium.new_page(viewport={"width": 1280, "height": 1000})
            page.goto(report.resolve().as_uri(), wait_until="load")
            page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
            found.append(page.evaluate(READ))
            chromium.close()
    return found


if __name__ == "__main__":
    for name in sys.argv[1:]:
        times = opened(Path(name))
        for what in times[0]:
            each = [t[what] for t in times]
            size = Path(name).stat().st_size / 1e6
            print(f"{name} ({size:.2f} MB): {what} after {statistics.median(each):.0f} ms (slowest of {TIMES}: {max(each):.0f} ms)")
