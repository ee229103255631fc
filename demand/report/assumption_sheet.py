"""The sheet Assumptions: every number that was given, in cells that finance may change.

In: the open book. Out: the sheet, and the addresses of its cells for the formulas of other sheets. Numbers that the workbook works with are
input cells; some are taken up when the workbook is read back; what is fixed says why. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from demand.languages import message
from demand.report.book import Book, label_of
from demand.report.inputs import BASELINE, PAST_REVIEW, PLACEHOLDER
from demand.report.live import Live

__all__ = ["BUDGET", "COLUMNS", "FIXED", "KEY", "SHEET", "assumptions", "budget_key", "has_assumptions"]

SHEET = "Assumptions"
KEY = "Name in the config"
COLUMNS = (
    *("Assumption", "Value", "Low", "High", "Unit", "Source", "As of", "Answers for it", "Used in", "Standing", "When a change counts"),
    *("State", "Changed by", "Why it was changed", "Value in the run", "Low in the run", "High in the run", KEY),
)
WIDTHS = (34, 14, 10, 10, 20, 36, 15, 16, 10, 14, 14, 16, 16, 26, 14, 14, 14, 40)
AT = {name: i for i, name in enumerate(COLUMNS)}
BUDGET = "budget"
FOUND = "prices"
"""Where numbers are used that the config does not have: they are found in the extract in each run."""
NUMBERS = ("value", "low", "high")
AT_ONCE, READ_BACK, FIXED = "At once", "When read back", "Fixed: worked out from the prices of the extract"


def budget_key(line: str, year: str) -> str:
    """Give the name under which the sheet keeps the budget of a line and financial year."""
    return f"{BUDGET}: {line}: {year}"


@dataclass(frozen=True)
class Row:
    """One number of the sheet."""

    key: str
    label: str
    numbers: tuple[float, ...]
    texts: dict[str, str]
    counts: str
    standing: str = "Sourced"
    as_of: object = None
    numeric: dict[str, float] = field(default_factory=dict)


def has_assumptions(book: Book) -> bool:
    """Say whether the run has numbers that somebody answers for."""
    return book.inputs.assumptions is not None and not book.inputs.assumptions.empty


def assumptions(book: Book, live: Live | None) -> None:
    """Write the sheet."""
    note = message(
        "Low to high: 4 times in 5 the truth is expected inside. Yellow cells: the workbook works with them at once. Blue cells: taken up "
        "when the workbook is read back (demand budget CONFIG --inputs budget.xlsx)."
    )
    hollow = book.inputs.marked()
    sheet, top = book.sheet(SHEET, title="Every number that was given", note=note, hollow=hollow, widths=WIDTHS)
    book.headings(sheet, top, COLUMNS)
    rows = [*_given(book, live), *_budgets(book, live)]
    for place, row in enumerate(rows, start=top + 1):
        _write(book, sheet, place, row)
    last = top + len(rows)
    state = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[AT["State"]]
    sheet.write_string(top - 1, AT["State"] - 1, "Inputs changed:", book.look("bold"))
    span = f"{state}{top + 2}:{state}{last + 1}"
    sheet.write_formula(top - 1, AT["State"], f'=COUNTIF({span},"changed")+COUNTIF({span},"FAULT*")', book.look("bold"), 0)
    book.places["changes",] = f"{SHEET}!${state}${top}"
    sheet.conditional_format(top + 1, AT["State"], last, AT["State"], {"type": "no_blanks", "format": book.look("warn")})
    sheet.autofilter(top, 0, last, len(COLUMNS) - 1)
    allowed = {"format_cells": True, "format_columns": True, "format_rows": True, "sort": True, "autofilter": True}
    sheet.protect("", allowed)
    sheet.print_area(0, 0, last, AT["State"])


def _given(book: Book, live: Live | None) -> Iterator[Row]:
    """Give the ledger: what the workbook works with, and what it does not."""
    table = book.inputs.assumptions
    for record in (table if table is not None else pd.DataFrame()).to_dict("records"):
        name, used = str(record["name"]), str(record.get("used_in") or "")
        counts = FIXED if used == FOUND else AT_ONCE if live is not None and name in live.names else READ_BACK
        yield Row(
            name,
            label_of(book, name),
            tuple(float(record[n]) for n in NUMBERS),
            {"Unit": str(record["unit"]), "Source": str(record["source"]), "Answers for it": str(record["owner"]), "Used in": used},
            counts,
            PLACEHOLDER if record.get("placeholder", False) else PAST_REVIEW if record.get("overdue", False) else "Sourced",
            record.get("as_of"),
        )


def _budgets(book: Book, live: Live | None) -> Iterator[Row]:
    """Give the budgets of the lines, which are numbers without a range."""
    table = book.inputs.budget
    if table is None or table.empty:
        return
    rows = table[(table["scenario"] == BASELINE) & (table["line"] != "total") & table["budget_pence"].notna()]
    for line in rows.itertuples():
        key = budget_key(str(line.line), str(line.financial_year))
        label = f"Budget {line.financial_year}: {label_of(book, line.line)}"
        counts = READ_BACK if live is None else AT_ONCE
        yield Row(
            key, label, (float(line.budget_pence) / 100,), {"Unit": "GBP", "Used in": BUDGET, "Source": "The budget that was set"}, counts
        )


def _write(book: Book, sheet: Any, place: int, row: Row) -> None:
    open_cells = book.inputs.spec.audience == "council" and row.counts != FIXED
    paint = [] if not open_cells else ["live" if row.counts == AT_ONCE else "later"]
    texts = {
        "Assumption": row.label,
        "When a change counts": row.counts if open_cells or row.counts == FIXED else "",
        "Standing": row.standing,
        **row.texts,
    }
    for name, text in texts.items():
        marked = name == "Standing" and row.standing != "Sourced"
        look = ["hollow"] if marked else ["text", "aside"] if name == "Unit" else ["text"]
        sheet.write_string(place, AT[name], text, book.look(*look))
    sheet.write_string(place, AT[KEY], row.key, book.look("text"))
    for name in ("Changed by", "Why it was changed"):
        sheet.write_string(place, AT[name], "", book.look("text", *paint[:1]))
    for i, (number, value) in enumerate(zip(NUMBERS, row.numbers, strict=False)):
        at = AT["Value"] + i
        sheet.write_number(place, at, value, book.look("number", *paint))
        sheet.write_number(place, AT["Value in the run"] + i, value, book.look("number", "range"))
        book.places["assumption", row.key, number] = f"{SHEET}!${'ABCD'[at]}${place + 1}"
        if open_cells:
            limits = {"validate": "decimal", "criteria": "between", "minimum": -1e12, "maximum": 1e12, "error_title": "A number, please"}
            limits |= {"error_message": "Type a number: no text, no unit, no thousands sign other than your program's own."}
            sheet.data_validation(place, at, place, at, limits)
    if open_cells:
        sheet.write_formula(place, AT["State"], _state(place + 1, ranged=len(row.numbers) > 1), book.look("text", "warn"), "")
    if row.as_of is not None and pd.notna(row.as_of):
        sheet.write_datetime(place, AT["As of"], pd.Timestamp(str(row.as_of)).to_pydatetime(), book.look("date"))
    book.fit(sheet, place, [texts.get(name, row.key if name == KEY else "") for name in COLUMNS])


def _state(row: int, *, ranged: bool) -> str:
    """Say in a cell whether a number was changed, and whether it still lies in its range."""
    if not ranged:
        return f'=IF(ISNUMBER(B{row}),IF(B{row}=O{row},"","changed"),"FAULT: not a number")'
    same, order = f"AND(B{row}=O{row},C{row}=P{row},D{row}=Q{row})", f"AND(C{row}<=B{row},B{row}<=D{row})"
    return (
        f'=IF(COUNT(B{row}:D{row})<3,"FAULT: not a number",IF({same},"",IF({order},"changed","FAULT: low, value, high are not in order")))'
    )
