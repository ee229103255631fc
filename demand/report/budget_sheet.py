"""The sheets Budget and Checks: what each line is expected to cost, and whether the totals are the run's.

In: the open book, with the addresses of the input cells and of the pounds in each possible future. Out: two sheets. Where the run stored
what is needed, expected costs, ranges and chances are formulas over all possible futures, rounded to the penny by the largest remainder as
the run rounds them; else they are typed. Refuses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from demand.languages import message
from demand.report.assumption_sheet import budget_key
from demand.report.book import NOT_A_SUM, Book, label_of, money_cell, scenario_name
from demand.report.facts import Money

__all__ = ["budget", "checks"]

HEADINGS = (
    *("Scenario", "Financial year", "Budget line", "Months already counted", "Budget", "Expected cost", "Expected less budget"),
    *("Low (not the sum of the lines)", "Middle (not the sum of the lines)", "High (not the sum of the lines)", "Chance of overspend"),
    *("Range tested against the past",),
)
WIDTHS = (22, 11, 28, 10, 17, 17, 17, 17, 17, 17, 12, 14, 4, 20, 20, 14)
WORKING = ("Working: average in pence", "Working: whole pence", "Working: rest")
"""Beside the printed page: how the average is rounded so that lines add up to their total."""
RANGES = (("low", 0.1), ("middle", 0.5), ("high", 0.9))


@dataclass(frozen=True)
class Lines:
    """The rows of one scenario and year: from the first to the last, as a spreadsheet counts them."""

    first: int
    last: int

    def of(self, column: str) -> str:
        """Give the address of the rows in a column."""
        return f"{column}${self.first}:{column}${self.last}"


def budget(book: Book, money: Money) -> None:
    """Write the sheet of lines, and keep the addresses of the expected cost of each scenario, line and year."""
    sheet, top = book.sheet(
        "Budget",
        title="Budget and expected cost by line and financial year",
        note=(message("Expected figures add up."), NOT_A_SUM),
        hollow=book.inputs.marked("cost", "price", "budget", "uplift", "item", "scenario", "change"),
        widths=WIDTHS,
    )
    book.headings(sheet, top, HEADINGS, words=3)
    if any(key[0] == "pounds" for key in book.places):
        for i, name in enumerate(WORKING):
            sheet.write_string(top, 13 + i, name, book.look("range", "text"))
    row = top
    for (scenario, year), block in money.lines.groupby(["scenario", "financial_year"], sort=False):
        lines = Lines(row + 2, row + 1 + len(block))
        for line in block.itertuples():
            row += 1
            _line(book, sheet, row, line, lines=lines)
        row += 1
        if not money.has(str(scenario), str(year)):
            sheet.write_string(row, 0, "The total of this year is not known: a line has no figure for it.", book.look("range"))
        else:
            _total(book, sheet, row, money.at(str(scenario), str(year)), lines=lines, block=block)
        row += 1
    sheet.autofilter(top, 0, row, 11)
    sheet.print_area(0, 0, row, 11)


def _line(book: Book, sheet: Any, row: int, line: Any, *, lines: Lines) -> None:
    head = (scenario_name(book, str(line.scenario)), str(line.financial_year), label_of(book, line.line))
    for i, text in enumerate(head):
        sheet.write_string(row, i, text, book.look("text"))
    if pd.notna(line.months_actual):
        sheet.write_number(row, 3, int(line.months_actual))
    place = (str(line.scenario), str(line.line), str(line.financial_year))
    given, span, at = book.places.get(("assumption", budget_key(*place[1:]), "value")), book.places.get(("pounds", *place)), row + 1
    if given and pd.notna(line.budget):
        sheet.write_formula(row, 4, f"={given}", book.look("pounds"), round(float(line.budget), 2))
    else:
        money_cell(book, sheet, (row, 4), line.budget)
    if span is None:
        money_cell(book, sheet, (row, 5), line.expected)
    else:
        _rounded(book, sheet, row, float(line.expected), span=span, lines=lines)
    if pd.notna(line.budget):
        sheet.write_formula(row, 6, f"=F{at}-E{at}", book.look("pounds"), round(line.expected - line.budget, 2))
    _ranges(book, sheet, row, line._asdict(), span=span, looks=())
    sheet.write_string(row, 11, "yes" if line.tested else "no: too far ahead", book.look("middle"))
    book.places["budget", *place] = f"Budget!$E${at}"
    book.places["expected", *place] = f"Budget!$F${at}"


def _rounded(book: Book, sheet: Any, row: int, expected: float, *, span: str, lines: Lines) -> None:
    """Write the average over all futures as pounds and pence: whole pence, and one more where the rest is among the largest."""
    at, count = row + 1, f"ROUND(SUM({lines.of('N')}),0)-SUM({lines.of('O')})"
    rank = f"SUMPRODUCT(--({lines.of('P')}>P{at}))+SUMPRODUCT(--(P${lines.first}:P{at}=P{at}))"
    whole = float(np.floor(expected * 100))
    sheet.write_formula(row, 5, f"=(O{at}+IF({rank}<={count},1,0))/100", book.look("pounds"), round(expected, 2))
    sheet.write_formula(row, 13, f"=AVERAGE({span})*100", book.look("range", "exact"), round(expected * 100, 2))
    sheet.write_formula(row, 14, f"=INT(N{at})", book.look("range"), whole)
    sheet.write_formula(row, 15, f"=N{at}-O{at}", book.look("range", "exact"), 0.0)


def _ranges(book: Book, sheet: Any, row: int, line: Any, *, span: str | None, looks: tuple[str, ...]) -> None:
    """Write low, middle and high, and the chance of an overspend: live where the futures are there."""
    for i, (name, share) in enumerate(RANGES):
        if span is None or pd.isna(line[name]):
            money_cell(book, sheet, (row, 7 + i), line[name], "range", *looks)
        else:
            formula = f"=ROUND(PERCENTILE({span},{share}),2)"
            sheet.write_formula(row, 7 + i, formula, book.look("pounds", "range", *looks), round(float(line[name]), 2))
    if pd.isna(line["p_overspend"]) or pd.isna(line["budget"]):
        if looks:
            sheet.write_blank(row, 10, None, book.look(*looks))
    elif span is None:
        sheet.write_number(row, 10, float(line["p_overspend"]), book.look("share", *looks))
    else:
        formula = f"=SUMPRODUCT(--({span}>E{row + 1}))/COUNT({span})"
        sheet.write_formula(row, 10, formula, book.look("share", *looks), float(line["p_overspend"]))


def _total(book: Book, sheet: Any, row: int, total: pd.Series, *, lines: Lines, block: pd.DataFrame) -> None:
    place = (str(total["scenario"]), "total", str(total["financial_year"]))
    for i, text in enumerate((scenario_name(book, place[0]), place[2], "All lines")):
        sheet.write_string(row, i, text, book.look("total"))
    sheet.write_blank(row, 3, None, book.look("total"))
    at, expected = row + 1, round(float(block["expected"].sum()), 2)
    if pd.notna(total["budget"]):
        added = round(float(block["budget"].sum()), 2)
        sheet.write_formula(row, 4, f"=SUM({lines.of('E')})".replace("$", ""), book.look("pounds", "total"), added)
        sheet.write_formula(row, 6, f"=F{at}-E{at}", book.look("pounds", "total"), round(expected - added, 2))
    else:
        sheet.write_blank(row, 4, None, book.look("total"))
        sheet.write_blank(row, 6, None, book.look("total"))
    sheet.write_formula(row, 5, f"=SUM({lines.of('F')})".replace("$", ""), book.look("pounds", "total"), expected)
    _ranges(book, sheet, row, total, span=book.places.get(("pounds", *place)), looks=("total",))
    sheet.write_string(row, 11, "yes" if total["tested"] else "no: too far ahead", book.look("total", "middle"))
    book.places["budget", *place] = f"Budget!$E${at}"
    book.places["expected", *place] = f"Budget!$F${at}"


def checks(book: Book, money: Money) -> None:
    """Write live checks of the totals."""
    note = message(
        "Each total on the sheet Budget against the figure that the run worked out by itself. A difference of a penny or more is a fault, "
        "unless an input was changed."
    )
    sheet, row = book.sheet("Checks", title="Checks", note=note, widths=[28, 16, 24, 24, 24])
    book.headings(sheet, row, ["Scenario", "Financial year", "Total on the sheet Budget", "Total of the run", "Agrees"], words=2)
    changed = book.places.get(("changes",), "0")
    for (scenario, year), block in money.lines.groupby(["scenario", "financial_year"], sort=False):
        address = book.places.get(("expected", str(scenario), "total", str(year)))
        if address is None:
            continue
        row += 1
        value, added = round(float(money.at(str(scenario), str(year))["expected"]), 2), round(float(block["expected"].sum()), 2)
        sheet.write_string(row, 0, scenario_name(book, str(scenario)))
        sheet.write_string(row, 1, str(year))
        sheet.write_formula(row, 2, f"={address}", book.look("pounds"), added)
        sheet.write_number(row, 3, value, book.look("pounds"))
        formula = f'=IF(ABS(C{row + 1}-D{row + 1})<0.005,"yes",IF({changed}>0,"inputs were changed","no"))'
        sheet.write_formula(row, 4, formula, book.look("middle"), "yes" if abs(added - value) < 0.005 else "no")
    sheet.print_area(0, 0, row, 4)
