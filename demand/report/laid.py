"""Tables that stand on the page and, with the same figures, on a sheet of the workbook.

In: a table with what its columns are called and how their numbers are written. Out: a `Table` of the page, or rows of a sheet. Refuses
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from demand.languages import say, say_many
from demand.report.book import Book
from demand.report.parts import Table, table_of

__all__ = ["Laid", "sheet_of"]

LOOKS = {"count": "number", "exact": "pounds", "percent": "percent"}


@dataclass(frozen=True)
class Laid:
    """A table, not yet in words; caption, headings and note are messages.

    Parameters
    ----------
    caption : str
    frame : pandas.DataFrame
    names : mapping
        Column -> heading, in the order wanted.
    formats : mapping
        Column -> how its numbers are written (see `table_of`); other columns are text.
    note : str
    most : int
        Rows that the page shows; the sheet has all.
    """

    caption: str
    frame: pd.DataFrame
    names: Mapping[str, str]
    formats: Mapping[str, str | Callable[[float], str]] = field(default_factory=dict)
    note: str = ""
    most: int = 40

    @property
    def table(self) -> Table:
        """The table of the page."""
        left = len(self.frame) - self.most
        rest = say_many("{number} more row is in the workbook.", "{number} more rows are in the workbook.", left, number=left)
        note = f"{say(self.note)} {rest if left > 0 else ''}".strip()
        return table_of(self.frame.head(self.most), say(self.caption), names=self.names, formats=self.formats, note=note)


def sheet_of(book: Book, tables: Sequence[Laid], *, name: str, title: str, note: str) -> None:
    """Write tables one below the other on a sheet.

    Parameters
    ----------
    book : Book
    tables : sequence of Laid
    name, title, note : str
    """
    wide = max(len(t.names) for t in tables)
    sheet, row = book.sheet(name, title=title, note=note, typed=True, widths=[34, *[16] * (wide - 1)])
    for laid in tables:
        columns = [c for c in laid.names if c in laid.frame]
        row = book.say(sheet, row, f"{laid.caption}. {laid.note}".strip(), "bold")
        for i, column in enumerate(columns):
            sheet.write_string(row, i, laid.names[column], book.look("head", *(["right"] if column in laid.formats else [])))
        book.labelled(sheet, laid.caption, laid.note, *(laid.names[c] for c in columns))
        book.fit(sheet, row, [laid.names[c] for c in columns])
        for values in laid.frame[columns].itertuples(index=False):
            row += 1
            for i, (column, value) in enumerate(zip(columns, values, strict=True)):
                if column in laid.formats and not isinstance(value, str):
                    if pd.notna(value):
                        sheet.write_number(row, i, float(value), book.look(LOOKS.get(str(laid.formats[column]), "number")))
                else:
                    sheet.write_string(row, i, "" if pd.isna(value) else str(value), book.look("text"))
        row += 2
    sheet.print_area(0, 0, row, wide - 1)
