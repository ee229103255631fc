"""The sheets Possible prices and Possible futures: every price and every line's pounds in each future, as live formulas.

In: the open book, with the addresses of the input cells, and `Live`. Out: two sheets, and the addresses of the pounds by scenario, line and
financial year. Formulas are stored with their values. Columns that would say the same thing stand there once. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from demand.languages import message
from demand.report.book import Book, label_of, letter_of, scenario_name
from demand.report.facts import TOTAL
from demand.report.live import Block, Live

__all__ = ["FUTURES", "PRICES", "futures", "prices"]

PRICES, FUTURES = "Possible prices", "Possible futures"
HEAD = 4
"""The row of the first of the four headings, counted from nought; the futures stand below them, in the same rows on both sheets."""
FIRST = HEAD + 4
SHOWN = 12
"""Rows and columns that are printed: a glance at what is there. The rest is for calculating."""
LIVE = message("Live: these follow the yellow cells of the sheet Assumptions.")


@dataclass
class Columns:
    """A sheet that grows to the right, a column at a time."""

    book: Book
    sheet: Any
    name: str
    count: int
    used: int = 1
    known: dict[Any, str] = field(default_factory=dict)

    def add(self, key: Any, heads: Sequence[str], values: np.ndarray, *, formula: str | None = None, looks: Sequence[str] = ()) -> str:
        """Write a column with its four headings, or find the one that says the same; gives its letter.

        `formula` has {r} where the row's number stands.
        """
        if key in self.known:
            return self.known[key]
        at, look = self.used, self.book.look(*looks)
        for i, text in enumerate(heads):
            self.sheet.write_string(HEAD + i, at, text, self.book.look("head"))
        for i, value in enumerate(values):
            if formula is None:
                self.sheet.write_number(FIRST + i, at, float(value), look)
            else:
                self.sheet.write_formula(FIRST + i, at, formula.format(r=FIRST + i + 1), look, float(value))
        self.known[key] = letter_of(at)
        self.used += 1
        return self.known[key]

    def span(self, letter: str) -> str:
        """Give the address of all futures in a column."""
        return f"'{self.name}'!${letter}${FIRST + 1}:${letter}${FIRST + self.count}"


def _opened(book: Book, name: str, *, title: str, note: str, count: int) -> Columns:
    sheet, _ = book.sheet(
        name, title=title, note=(LIVE, note), hollow=book.inputs.marked("cost", "price", "uplift", "item"), widths=[12, *[17] * 11]
    )
    sheet.set_column(1, 400, 17)
    for i, text in enumerate(
        ("Scenario", "Financial year", "Budget line", "Future") if name == FUTURES else ("Unit cost", "", "", "Future")
    ):
        sheet.write_string(HEAD + i, 0, text, book.look("head"))
        sheet.set_row(HEAD + i, 30)
    for i in range(count):
        sheet.write_number(FIRST + i, 0, i + 1)
    sheet.freeze_panes(FIRST, 1)
    sheet.repeat_rows(HEAD, FIRST - 1)
    return Columns(book, sheet, name, count)


def _closed(columns: Columns) -> None:
    columns.sheet.print_area(0, 0, FIRST + min(columns.count, SHOWN) - 1, min(columns.used, SHOWN) - 1)
    columns.sheet.protect("", {"format_cells": True, "format_columns": True, "format_rows": True})


def prices(book: Book, live: Live) -> None:
    """Write where each price lies in its range in each future, and what it is then."""
    note = message("Where in the range: -1 is the low end, 0 the value, 1 the high end; it was drawn once and stays.")
    columns = _opened(book, PRICES, title="Prices in each possible future", note=note, count=live.count)
    for cost in live.costs:
        name = label_of(book, cost)
        letters = {n: _number(columns, live, (cost, name), n) for n in ("amount", "uplift")}
        for steps in live.steps(cost):
            letter = letters["amount"]
            if letters["uplift"]:
                formula = f"={letters['amount']}{{r}}*{letters['uplift']}{{r}}^{steps}"
                heads = (name, "Price", f"after {steps} uplifts" if steps != 1 else "after 1 uplift", "Pounds")
                letter = columns.add((cost, steps), heads, live.price(cost, steps), formula=formula, looks=["pounds"])
            book.places["price", cost, str(steps)] = f"'{PRICES}'!{letter}{{r}}"
    _closed(columns)


def _number(columns: Columns, live: Live, named: tuple[str, str], number: str) -> str:
    """Write where a price's amount or uplift was drawn, and the number itself; gives the number's letter."""
    cost, label = named
    place = live.places(cost, number)
    if place is None:
        return ""
    z = columns.add(place.tobytes(), (label, "Where in the range", number, ""), place, looks=["exact"])
    value, low, high = (columns.book.places["assumption", f"{cost}: {number}", n] for n in ("value", "low", "high"))
    drawn = f"{value}+{z}{{r}}*IF({z}{{r}}<0,{value}-{low},{high}-{value})"
    floor = -1 if number == "uplift" else -1e99
    formula = f"=MAX(IF({low}<0,{floor:g},0),{drawn})"
    if number == "uplift":
        formula = f"=1+{formula[1:]}"
    said = ("Amount", "in prices of its day", "Pounds") if number == "amount" else ("Growth", "in a year", "times")
    return columns.add(
        (cost, number), (label, *said), live.number(cost, number), formula=formula, looks=["pounds" if number == "amount" else "exact"]
    )


def futures(book: Book, live: Live) -> None:
    """Write how much each line pays for and what that costs, in each future."""
    note = message("What a scenario leaves as it is stands once, under the first scenario that has it.")
    columns = _opened(book, FUTURES, title="What each line costs in each possible future", note=note, count=live.count)
    sums: dict[tuple[str, str], list[tuple[str, np.ndarray]]] = {}
    for block in live.blocks():
        letter, pounds = _block(columns, live, block)
        book.places["pounds", block.scenario, block.line, block.year] = columns.span(letter)
        sums.setdefault((block.scenario, block.year), []).append((letter, pounds))
    for (scenario, year), lines in sums.items():
        letters = tuple(letter for letter, _ in lines)
        letter = letters[0]
        if len(lines) > 1:
            formula = "=" + "+".join(f"{name}{{r}}" for name in letters)
            heads = (scenario_name(book, scenario), year, "All lines", "Pounds")
            letter = columns.add(letters, heads, np.sum([p for _, p in lines], axis=0), formula=formula, looks=["pounds", "bold"])
        for name in TOTAL:
            book.places.setdefault(("pounds", scenario, name, year), columns.span(letter))
    _closed(columns)


def _block(columns: Columns, live: Live, block: Block) -> tuple[str, np.ndarray]:
    """Write the columns of one line, year and scenario; gives the letter of its pounds, and the pounds."""
    book = columns.book
    head = (scenario_name(book, block.scenario), block.year, label_of(book, block.line))
    parts, pounds = [], np.zeros(live.count)
    for cost, steps, quantity in block.terms:
        said = f"How much: {label_of(book, cost)}" if cost else "Pounds that no price here explains"
        letter = columns.add((cost, block.year, quantity.tobytes()), (*head, said), quantity, looks=["count" if cost else "pounds"])
        price = book.places.get(("price", cost, str(steps)), "1")
        parts.append(f"{letter}{{r}}" + (f"*{price}" if cost else ""))
        pounds = pounds + quantity * (live.price(cost, steps) if cost else 1.0)
    letter = columns.add(tuple(parts), (*head, "Pounds"), pounds, formula="=" + "+".join(parts), looks=["pounds", "bold"])
    return letter, pounds
