"""The council beside others of its kind: the page and the sheet.

In: a `ReportInput`, or the open book. Out: a `Section` (None where no other areas were given), or a sheet. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from demand.languages import message, say
from demand.report.book import Book
from demand.report.inputs import ReportInput
from demand.report.laid import Laid, sheet_of
from demand.report.parts import Block, Section

__all__ = ["comparators_section", "comparators_sheet"]

TITLE = message("Beside other areas")
LEAD = message("How many there are for every 10,000 people, here and elsewhere, and how far that may be chance.")
PLACES = {
    "very high": message("Far above"),
    "high": message("Above"),
    "as others": message("As others"),
    "low": message("Below"),
    "very low": message("Far below"),
}
NAMES = {
    "name": message("Area"),
    "count": message("Count"),
    "population": message("People"),
    "rate": message("Per 10,000"),
    "others_rate": message("Others together"),
    "low95": message("Usual from"),
    "high95": message("Usual to"),
    "low998": message("Hardly below"),
    "high998": message("Hardly above"),
    "said": message("Beside others of its size"),
}


def comparators_section(inputs: ReportInput) -> Section | None:
    """Show our rate beside those of other areas."""
    found = _laid(inputs)
    said = (Block(inputs.comparator_notes, stored=True),) if inputs.comparator_notes else ()
    return None if found is None else Section("comparators", say(TITLE), (found.table, *said), say(LEAD))


def comparators_sheet(book: Book) -> None:
    """Write the same table."""
    found = _laid(book.inputs)
    if found is not None:
        sheet_of(book, [found], name=TITLE, title=TITLE, note=LEAD)


def _laid(inputs: ReportInput) -> Laid | None:
    table = inputs.comparators
    if table is None or table.empty:
        return None
    rows = table.assign(
        name=[say("{area} (ours)", area=a) if o else str(a) for a, o in zip(table["area"], table["ours"].astype(bool), strict=True)],
        said=[say(PLACES.get(str(p), str(p))) for p in table["place"]],
    )
    ours = pd.concat([rows[rows["ours"].astype(bool)], rows[~rows["ours"].astype(bool)]], ignore_index=True)
    rates = [c for c in NAMES if c not in ("name", "count", "population", "said")]
    formats: dict[str, str | Callable[[float], str]] = {"count": "count", "population": "count", **dict.fromkeys(rates, _one)}
    note = say(
        "Ours first, then from the highest. An area like the others lies in the usual range 19 times in 20, and beyond the wider one twice "
        "in 1,000 times. Small areas have wide ranges."
    )
    return Laid(say("Rates per 10,000, with funnel limits"), ours, NAMES, formats, note)


def _one(value: float) -> str:
    return f"{value:.1f}"
