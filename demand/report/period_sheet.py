"""The sheet Finance periods: what each line costs, and what is paid, month by month, with what is owed between the two.

In: the open book. Out: a sheet whose sums, net and what is owed are live formulas; each year is held against the sheet Budget. Refuses
nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from demand.languages import message
from demand.report.book import Book, label_of, money_cell, scenario_name
from demand.report.facts import TOTAL

__all__ = ["finance_period_sheet"]

NAMES = (
    *("Scenario", "Financial year", "Budget line", "Period", "First day", "Last day", "Runs of payments", "Gross cost of these days"),
    *("What comes in", "Net", "Paid, gross", "Owed at the end", "Agrees with the sheet Budget"),
)
WIDTHS = (20, 11, 26, 9, 17, 17, 11, 18, 18, 18, 18, 18, 14)
NOTE = message(
    "Expected figures. Costs stand in the month for whose days they are; payments in the month in which they are made. Period 13 holds "
    "what is owed when the year ends, less what was owed when it began: with it, what is paid adds up to the cost of the year. What is "
    "paid and owed is empty where payments of the year are for days that are not known."
)


def finance_period_sheet(book: Book) -> None:
    """Write a block of thirteen periods for each scenario, year and line, what was owed before it, and its sum."""
    table = book.inputs.finance_periods
    if table is None:
        return
    sheet, row = book.sheet("Finance periods", title="By finance period", note=NOTE, typed=True, widths=WIDTHS,
                            hollow=book.inputs.marked("cost", "price", "uplift", "item", "scenario"))  # fmt: skip
    book.headings(sheet, row, NAMES, words=6)
    top = row
    for (scenario, year, line), block in table.groupby(["scenario", "financial_year", "line"], sort=False):
        said = "All lines" if str(line).lower() in TOTAL else label_of(book, line)
        head = (scenario_name(book, str(scenario)), str(year), said)
        row = _block(book, sheet, row + 1, block, head=head, place=(str(scenario), str(line), str(year)))
    sheet.autofilter(top, 0, row, len(NAMES) - 1)
    sheet.print_area(0, 0, row, len(NAMES) - 1)


def _block(book: Book, sheet: Any, row: int, block: pd.DataFrame, *, head: tuple[str, str, str], place: tuple[str, str, str]) -> int:
    """Write one year of a line; gives the row of its sum."""
    pounds = {c.removesuffix("_pence"): block[c].astype(float).to_numpy() / 100 for c in block.columns if c.endswith("_pence")}
    first, cash = row + 2, not np.isnan(pounds["paid"]).any()
    _texts(book, sheet, row, (*head, "", "Owed before"))
    money_cell(book, sheet, (row, 11), pounds["owed"][0] - pounds["gross"][0] + pounds["paid"][0])
    for k, line in enumerate(block.itertuples()):
        row += 1
        last = int(line.period) == 13
        _texts(book, sheet, row, (*head, f"{int(line.period):02d}", "Accrual" if last else ""))
        if not last:
            for i, day in ((4, line.first_day), (5, line.last_day)):
                sheet.write_datetime(row, i, pd.Timestamp(day).to_pydatetime(), book.look("date"))
            sheet.write_number(row, 6, int(line.runs))
        for i, name in ((7, "gross"), (8, "received"), (10, "paid")):
            money_cell(book, sheet, (row, i), pounds[name][k])
        sheet.write_formula(row, 9, f"=H{row + 1}+I{row + 1}", book.look("pounds"), round(pounds["net"][k], 2))
        if not cash:
            continue
        owed = f"=L{row}" if last else f"=L{row}+H{row + 1}-K{row + 1}"
        sheet.write_formula(row, 11, owed, book.look("pounds"), round(pounds["owed"][k], 2))
    row += 1
    _texts(book, sheet, row, (*head, "", "The year"), "total")
    for i, name in ((7, "gross"), (8, "received"), (9, "net"), (10, "paid"))[: 4 if cash else 3]:
        letter = "ABCDEFGHIJKLM"[i]
        formula = f"=SUM({letter}{first}:{letter}{row})"
        sheet.write_formula(row, i, formula, book.look("pounds", "total"), round(float(pounds[name].sum()), 2))
    expected = book.places.get(("expected", *place))
    if expected is not None:
        changed = book.places.get(("changes",), "0")
        agrees = f"AND(ABS(J{row + 1}-{expected})<0.005{f',ABS(H{row + 1}-K{row + 1})<0.005' if cash else ''})"
        formula = f'=IF({agrees},"yes",IF({changed}>0,"inputs were changed","no"))'
        sheet.write_formula(row, 12, formula, book.look("middle", "total"), "yes")
    return row


def _texts(book: Book, sheet: Any, row: int, texts: tuple[str, ...], *looks: str) -> None:
    for i, text in enumerate(texts):
        sheet.write_string(row, i, text, book.look("text", *looks))
