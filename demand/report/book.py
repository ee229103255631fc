"""The workbook's paper: looks, headings, headers, and how text and money are written into cells.

In: an open file. Out: sheets with their titles, and cells. Text is written as text, whatever it begins with. Refuses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from demand.languages import message, say
from demand.report import words
from demand.report.inputs import BASELINE, PAST_REVIEW, PLACEHOLDER, ReportInput

__all__ = ["NOT_A_SUM", "Book", "label_of", "letter_of", "money_cell", "scenario_name"]

NOT_A_SUM = message(
    "Low and high: 4 years in 5 the truth is expected between them. They are worked out by themselves: they are not the sum of the lines."
)
RESTS = {
    PLACEHOLDER: message("figures on this sheet rest on numbers that nobody has given yet. See the sheet Assumptions."),
    PAST_REVIEW: message("figures on this sheet rest on numbers that should have been looked at again by now. See the sheet Assumptions."),
}


@dataclass
class Book:
    """The file in the making, with its looks."""

    file: Any
    inputs: ReportInput
    looks: dict[str, Any] = field(default_factory=dict)
    widths: tuple[int, ...] = ()
    places: dict[tuple[str, ...], str] = field(default_factory=dict)
    """Addresses of cells and ranges that other sheets refer to, by what they hold."""
    labels: dict[str, str] = field(default_factory=dict)
    """Names of sheets, titles, headings and explanations, and the sheet on which each stands first."""
    welsh: dict[str, str] = field(default_factory=dict)
    """Sentences with numbers of the run, and the same in Welsh."""

    def order(self, names: Sequence[str]) -> None:
        """Lay the sheets out in the order of reading, whichever is filled first."""
        for name in names:
            self.file.add_worksheet(name)

    def look(self, *names: str) -> Any:
        """Give a cell format made of named parts."""
        parts: Mapping[str, dict[str, Any]] = {
            "text": {"text_wrap": True, "valign": "top"},
            "bold": {"bold": True},
            "total": {"bold": True, "top": 1},
            "pounds": {"num_format": "£#,##0.00;-£#,##0.00"},
            "count": {"num_format": "#,##0.0"},
            "share": {"num_format": "0%"},
            "percent": {"num_format": "0.0%"},
            "head": {"bold": True, "bg_color": "#12436D", "font_color": "#FFFFFF", "text_wrap": True, "valign": "top"},
            "title": {"bold": True, "font_size": 16},
            "range": {"font_color": "#505A5F", "italic": True},
            "hollow": {"bold": True, "bg_color": "#FFDD00"},
            "date": {"num_format": "d mmmm yyyy", "align": "left", "valign": "top"},
            "number": {"num_format": "#,##0.####", "valign": "top"},
            "thousands": {"num_format": "#,##0,;-#,##0,;0"},
            "exact": {"num_format": "0.000000"},
            "live": {"bg_color": "#FFF3B0", "border": 1, "border_color": "#B58800", "locked": False},
            "later": {"bg_color": "#D2E2F1", "border": 1, "border_color": "#1D70B8", "locked": False},
            "aside": {"indent": 1},
            "right": {"align": "right"},
            "middle": {"align": "center", "valign": "top"},
            "warn": {"bold": True, "font_color": "#D4351C"},
        }
        key = " ".join(names)
        if key not in self.looks:
            self.looks[key] = self.file.add_format({k: v for name in names for k, v in parts[name].items()})
        return self.looks[key]

    def sheet(
        self, name: str, *, title: str, note: str | tuple[str, ...] = "", hollow: str = "", typed: bool = False, widths: Sequence[int]
    ) -> tuple[Any, int]:
        """Open a sheet with its title, notes and widths; gives it and the first free row.

        `typed`: its figures are those of the run and do not follow the inputs, which is said as soon as one is changed.
        """
        sheet = self.file.get_worksheet_by_name(name)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.hide_gridlines(2)
        self.widths = tuple(widths)
        for i, width in enumerate(widths):
            sheet.set_column(i, i, width)
        sheet.write_string(0, 0, title, self.look("title"))
        self.labelled(sheet, name, title)
        row = 1
        stamp = f"{say('Internal')}. " if self.inputs.spec.audience == "council" else ""
        notes = (note,) if isinstance(note, str) else note
        if stamp or note:
            row = self.say(sheet, row, stamp + " ".join(notes))
        self.labelled(sheet, *notes)
        for mark, why in RESTS.items():
            if say(mark) in hollow:
                row = self.say(sheet, row, f"{say(mark)}: {say(why)}", "hollow")
        if typed and ("changes",) in self.places:
            told = say("Inputs were changed: the typed figures here are still those of the run. Read the workbook back to renew them.")
            sheet.write_formula(row, 0, f'=IF({self.places["changes",]}>0,"{told}","")', self.look("warn"), "")
            row += 1
        sheet.set_footer(f"&L{_plain(self.inputs.title)}&C{stamp.strip()}&RPage &P of &N")
        return sheet, row + 1

    def say(self, sheet: Any, row: int, text: str, *looks: str) -> int:
        """Write a sentence across the columns, wrapped; gives the next row."""
        last, look = len(self.widths) - 1, self.look("text", *looks)
        if last > 0:
            sheet.merge_range(row, 0, row, last, "", look)
        sheet.write_string(row, 0, text, look)
        sheet.set_row(row, 15.0 * max(1, -(-round(len(text) * 1.12) // max(sum(self.widths), 1))))
        return row + 1

    def fit(self, sheet: Any, row: int, texts: Sequence[str]) -> None:
        """Make a row as high as its longest wrapped text needs; programs other than Excel do not do it by themselves."""
        lines = max((-(-round(len(text) * 1.12) // max(width, 1)) for text, width in zip(texts, self.widths, strict=False)), default=1)
        sheet.set_row(row, 15.0 * max(1, lines))

    def labelled(self, sheet: Any, *labels: str) -> None:
        """Remember labels, for the sheet that says them in another language."""
        for label in labels:
            self.labels.setdefault(label, sheet.get_name())

    def headings(self, sheet: Any, row: int, names: Sequence[str], *, words: int = 99) -> None:
        """Write the row of headings and freeze it; after the first so many columns there are numbers, which stand on the right."""
        for i, name in enumerate(names):
            sheet.write_string(row, i, name, self.look("head", *(["right"] if i >= words else [])))
        self.labelled(sheet, *names)
        self.fit(sheet, row, names)
        sheet.freeze_panes(row + 1, 1)
        sheet.repeat_rows(row)


def _plain(text: str) -> str:
    """Take out what the header of a printed sheet would read as a command."""
    return re.sub(r"&", "and", text)[:120]


def label_of(book: Book, name: object) -> str:
    """Turn a code of the data into words that begin with a capital."""
    return words.capital(words.label(name, book.inputs.spec.names))


def letter_of(column: int) -> str:
    """Give the letters of a column, counted from nought.

    Examples
    --------
    >>> letter_of(0), letter_of(25), letter_of(26), letter_of(702)
    ('A', 'Z', 'AA', 'AAA')
    """
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def scenario_name(book: Book, name: str) -> str:
    """Say what a scenario is called."""
    return "No change" if name == BASELINE else label_of(book, name)


def money_cell(book: Book, sheet: Any, place: tuple[int, int], value: float, *looks: str) -> None:
    """Write pounds and pence, or an empty cell where there are none."""
    if pd.notna(value):
        sheet.write_number(*place, round(float(value), 2), book.look("pounds", *looks))
    else:
        sheet.write_string(*place, "", book.look("text"))
