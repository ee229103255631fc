"""What moved since last month: the sentences, the causes that add up, and what each forecast of this year said, month by month.

In: the tables of the stage `moved`, or the open book. Out: a `Section`, for a page of its own and for the report, or a sheet. Refuses
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from demand.languages import message, say
from demand.moved import erased_sentences, month_said, moved_sentences, record_sentences, since_said
from demand.report import words
from demand.report.book import Book
from demand.report.inputs import ReportInput
from demand.report.laid import Laid, sheet_of
from demand.report.parts import Block, Section

__all__ = ["TITLE", "moved_part", "moved_section", "moved_sheet", "what_moved"]

TITLE, LEAD, TOTAL = message("What has moved"), message("What has changed in what is expected, and why."), "total"
ALL, NOW = message("All lines"), message("now")
CAUSES = {
    "revised data": message("Revised data"),
    "new actuals": message("New actuals"),
    "drivers": message("Drivers"),
    "known changes": message("Known changes"),
    "model": message("Model"),
    "prices and lines": message("Prices and lines"),
}


def moved_section(told: Sequence[str], table: pd.DataFrame, said: pd.DataFrame, *, names: Mapping[str, str]) -> Section:
    """Lay out what moved.

    Parameters
    ----------
    told : sequence of str
        From `demand.moved.moved_sentences`.
    table : pandas.DataFrame
        From `demand.moved.moved`.
    said : pandas.DataFrame
        line, financial_year, forecast (which), counted_to, expected_pence, p10_pence, p90_pence, projected_pence.
    names : mapping
        Words for the names of lines.

    Returns
    -------
    Section
    """
    tables = (t.table for t in _tables(table, said, names))
    return Section("moved", say(TITLE), (Block(tuple(told), heading=say("In words")), *tables), say(LEAD))


def what_moved(table: pd.DataFrame, said: pd.DataFrame, since: Mapping[str, Any]) -> list[str]:
    """Say what moved since which run, what each forecast said, and what was erased: in the language that is spoken."""
    return [*moved_sentences(table, since=since_said(since)), *record_sentences(said), *erased_sentences(since)]


def moved_part(inputs: ReportInput) -> Section | None:
    """Give the section of the report; None where nothing is compared, or the report is for the public."""
    if inputs.moved is None or inputs.said is None or inputs.spec.audience == "public":
        return None
    told = what_moved(inputs.moved, inputs.said, inputs.moved_since)
    return moved_section(told, inputs.moved, inputs.said, names=inputs.spec.names)


def moved_sheet(book: Book) -> None:
    """Write the same tables."""
    moved, said = book.inputs.moved, book.inputs.said
    if moved is not None and said is not None:
        sheet_of(book, _tables(moved, said, book.inputs.spec.names), name=TITLE, title=TITLE, note=LEAD)


def _tables(table: pd.DataFrame, said: pd.DataFrame, names: Mapping[str, str]) -> list[Laid]:
    named = said.assign(forecast=[say(NOW) if f == NOW else month_said(str(f)) for f in said["forecast"]])
    table, named = (
        t.assign(line=[say(ALL) if n == TOTAL else words.capital(words.label(n, names)) for n in t["line"]]) for t in (table, named)
    )
    return [_causes(table), _by_month(named), _all_said(named)]


def _causes(table: pd.DataFrame) -> Laid:
    wide = table.pivot(index=["line", "financial_year"], columns="step", values="amount_pence")[list(dict.fromkeys(table["step"]))] / 100
    ends = table.groupby(["line", "financial_year"], sort=False).agg(then=("before_pence", "first"), now=("after_pence", "last")) / 100
    causes = ends[["then"]].join(wide).join(ends[["now"]]).loc[ends.index].reset_index()
    names = {
        "line": "Line",
        "financial_year": "Year",
        "then": "Then",
        **{c: CAUSES.get(str(c), words.capital(str(c))) for c in wide.columns},
        "now": "Now",
    }
    note = message(
        "Pounds. Then, the causes and now add up. Each cause is put in after those to the left of it, with the earlier model held until "
        "its turn."
    )
    pounds = {c: "exact" for c in names if c not in ("line", "financial_year")}
    return Laid(message("What moved, cause by cause"), causes, names, pounds, note)


def _by_month(said: pd.DataFrame) -> Laid:
    """All lines together: a row a forecast, in the order in which they were made, a column a financial year."""
    rows = said[said["line"] == say(ALL)].sort_values("counted_to", kind="stable")
    order = pd.factorize(rows["counted_to"].astype(str) + rows["forecast"].astype(str))[0]
    rows = rows.assign(order=order, pounds=rows["expected_pence"] / 100)
    wide = rows.pivot_table(index=["order", "counted_to", "forecast"], columns="financial_year", values="pounds", sort=True).reset_index()
    years = [c for c in wide.columns if c not in ("order", "counted_to", "forecast")]
    wide = wide.assign(counted_to=[words.day(d) for d in wide["counted_to"]])
    names = {"counted_to": "Counted to", "forecast": "Forecast", **{y: str(y) for y in years}}
    caption = message("Month by month: what each forecast expected, all lines together")
    return Laid(caption, wide, names, dict.fromkeys(years, "exact"), message("Pounds."))


def _all_said(said: pd.DataFrame) -> Laid:
    money = said.assign(**{c: pd.to_numeric(said[c]) / 100 for c in said.columns if str(c).endswith("_pence")})
    money = money.assign(counted_to=[words.day(d) for d in money["counted_to"]])
    names = {"line": "Line", "financial_year": "Year", "forecast": "Forecast", "counted_to": "Counted to", "expected_pence": "Expected",
             "p10_pence": "Low", "p90_pence": "High", "projected_pence": "Projected outturn"}  # fmt: skip
    formats = dict.fromkeys(("expected_pence", "p10_pence", "p90_pence", "projected_pence"), "exact")
    caption = message("What each forecast said, line by line")
    note = message(
        "Low to high holds four years in five. For the year under way the two figures differ: expected is every month at the prices given "
        "here; projected outturn takes the months of the ledger as they were spent."
    )
    return Laid(caption, money, names, formats, note, most=200)
