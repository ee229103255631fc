"""What one more placement costs, by type: the page and the sheet.

In: a `ReportInput`, or the open book. Out: a `Section` (None where prices were not taken from the extract), or a sheet. Refuses nothing.
"""

from __future__ import annotations

import pandas as pd

from demand.languages import message, say
from demand.report import bars, words
from demand.report.book import Book, label_of, money_cell
from demand.report.inputs import ReportInput
from demand.report.parts import Section, table_of

__all__ = ["price_sheet", "prices_section"]

FEW = message("few starts: the spread of all types")


def _rows(inputs: ReportInput) -> pd.DataFrame:
    table = inputs.start_prices
    if table is None or table.empty:
        return pd.DataFrame()
    pounds = {c.removesuffix("_pence"): pd.to_numeric(table[c]).astype(float) / 100 for c in table.columns if c.endswith("_pence")}
    return table.assign(**pounds, note=[say(FEW) if p else "" for p in table["pooled"].astype(bool)])


def prices_section(inputs: ReportInput) -> Section | None:
    """Show what one more placement of each type costs a year, from the real prices of those who came."""
    rows = _rows(inputs)
    if rows.empty:
        return None
    shown = rows.assign(
        name=[words.capital(words.label(t, inputs.spec.names)) for t in rows["type"]],
        grown=[_grown(words.percent(g), words.percent(low), words.percent(high)) if pd.notna(g) else ""
               for g, low, high in zip(rows["growth"], rows["growth_low"], rows["growth_high"], strict=True)],
    )  # fmt: skip
    frame = shown.assign(mean=shown["one_more"], low=shown["one_more_low"], high=shown["one_more_high"])
    frame = frame[["name", "mean", "low", "high"]].reset_index(drop=True)
    picture = bars.ranges(frame, title=say("what one more placement costs a year"), of=say("Type"), money=True)
    names = {
        "name": "Type",
        "starts": "Starts with a price",
        "open": "There now",
        "price_of_open": "A week, those there now",
        "price_of_start": "A week, new starts",
        "grown": "Growth a year",
        "one_more": "One more, a year",
        "one_more_low": "Low",
        "one_more_high": "High",
        "note": "Rests on",
    }
    money = dict.fromkeys(("price_of_open", "price_of_start", "one_more", "one_more_low", "one_more_high"), "exact")
    formats = {**money, "starts": "count", "open": "count"}
    table = table_of(
        shown,
        say("Prices of those who are there and of new starts"),
        names=names,
        formats=formats,
        note=say("Low to high: 4 in 5 of them."),
    )
    lead = say("Prices are drawn from what was really paid, dear ones included: an average alone hides what one more placement may cost.")
    return Section("prices", say("What one more placement costs"), (picture, table), lead, mark=inputs.marked("prices"))


def _grown(share: str, low: str, high: str) -> str:
    return say("{share} ({low} to {high})", share=share, low=low, high=high)


def price_sheet(book: Book) -> None:
    """Write what those who are there, and new starts, cost by type."""
    rows = _rows(book.inputs)
    note = message(
        "Pounds a week, and a year for one more. Low to high: 4 in 5 of those who came. Few starts: the spread is that of all types."
    )
    sheet, row = book.sheet("One more placement", title="What one more placement costs", note=note, typed=True,
                            widths=[32, 12, 12, 16, 16, 10, 10, 10, 18, 18, 18, 34])  # fmt: skip
    heads = ["Type", "Starts with a price", "There now", "A week, those there now", "A week, new starts", "Growth a year", "Low", "High"]
    book.headings(sheet, row, [*heads, "One more, a year", "Low", "High", "Rests on"], words=1)
    for line in rows.to_dict("records"):
        row += 1
        sheet.write_string(row, 0, label_of(book, line["type"]), book.look("text"))
        for i, name in ((1, "starts"), (2, "open")):
            sheet.write_number(row, i, int(line[name]))
        for i, name in ((3, "price_of_open"), (4, "price_of_start"), (8, "one_more"), (9, "one_more_low"), (10, "one_more_high")):
            money_cell(book, sheet, (row, i), line[name], *(["range"] if name.endswith(("low", "high")) else []))
        for i, name in ((5, "growth"), (6, "growth_low"), (7, "growth_high")):
            if pd.notna(line[name]):
                sheet.write_number(row, i, float(line[name]), book.look("percent"))
        sheet.write_string(row, 11, line["note"], book.look("text"))
    sheet.print_area(0, 0, row, 11)
