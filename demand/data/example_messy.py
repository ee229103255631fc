"""One extract of the example council on its way to a messy file, and the files as reporting tools and spreadsheets write them.

In: a table of text, with where faults were planted in it. Out: the bytes of a CSV file or a workbook, and the row of each fault in it.
Refuses nothing.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

__all__ = ["DAY", "Made", "Messy", "as_csv", "as_excel"]

DAY = "%d/%m/%Y"


@dataclass
class Messy:
    """One extract on its way to a messy file.

    Parameters
    ----------
    name : str
        The file.
    table : pandas.DataFrame
        Text; a row is changed where a fault is planted in it.
    rng : numpy.random.Generator
    """

    name: str
    table: pd.DataFrame
    rng: np.random.Generator
    planted: list[tuple[str, str, int]] = field(default_factory=list)
    used: set[int] = field(default_factory=set)

    def some(self, among: np.ndarray, low: int = 2, high: int = 7) -> np.ndarray:
        """Draw a few rows, of those that no fault has been planted in."""
        free = np.array([i for i in among if i not in self.used], dtype=int)
        rows = np.sort(self.rng.choice(free, size=min(int(self.rng.integers(low, high + 1)), len(free)), replace=False))
        self.used.update(int(r) for r in rows)
        return rows

    def plant(self, rule: str, column: str, rows: Sequence[int] | np.ndarray, values: object = None) -> None:
        """Write values into a column and remember where."""
        if values is not None:
            self.table.loc[rows, column] = values
        self.planted += [(rule, column, int(r)) for r in rows]

    def days(self, column: str) -> pd.Series:
        """Give a column of days."""
        return pd.to_datetime(self.table[column], format=DAY, errors="coerce")


Made = tuple[Messy, bytes, list[tuple[str, str, object]]]


def as_csv(
    m: Messy,
    encoding: str,
    *,
    title: Sequence[str],
    blanks: bool = False,
    total: str = "",
    pushed: Sequence[int] | np.ndarray = (),
    separator: str = ",",
    two_rows: bool = False,
) -> Made:
    """Write a file as a reporting tool does: titles, names in one row or two, blank rows, a total, a remark."""
    names, lines, truth = list(m.table.columns), [*title], [("title_rows", "", i + 1) for i in range(len(title))]
    width = len(names) - 1
    lines = [line + separator * width for line in title]
    for row in _headed(names) if two_rows else [names]:
        lines.append(_line(row, separator))
        truth += [("two_row_header", "", len(lines))] if two_rows else []
    where: dict[int, object] = {-1: ""}
    gaps = set(m.rng.choice(len(m.table), size=3, replace=False)) if blanks else set()
    wide = {int(p) for p in pushed}
    for i, cells in enumerate(m.table.itertuples(index=False)):
        if i in gaps:
            lines.append(separator * width)
            truth.append(("blank_rows", "", len(lines)))
        lines.append(_line(list(cells), separator) + (f"{separator}late" if i in wide else ""))
        where[i] = len(lines)
    if total:
        lines.append(_line(["Total" if n == names[0] else str(len(m.table)) if n == names[-1] else "" for n in names], separator))
        truth.append(("total_rows", "", len(lines)))
    lines.append(f"Run by a user on 03/04/2026 09:{int(m.rng.integers(10, 59))}" + separator * width)
    truth.append(("footer", "", len(lines)))
    content = ("\r\n".join(lines) + "\r\n").encode(encoding)
    return m, content, [*truth, *((rule, column, where[row]) for rule, column, row in m.planted)]


def _headed(names: Sequence[str]) -> list[list[str]]:
    """Tell names in two rows, as merged cells do: what several have in common above, once, and the rest below."""
    above, below = [name.split("_")[0] for name in names], ["_".join(name.split("_")[1:]) for name in names]
    return [[a if i == 0 or a != above[i - 1] else "" for i, a in enumerate(above)], below]


def _line(cells: Sequence[object], separator: str) -> str:
    return separator.join(f'"{c}"' if separator in str(c) or '"' in str(c) else str(c) for c in cells)


def as_excel(m: Messy, sheets: dict[str, np.ndarray], *, title: Sequence[str]) -> Made:
    """Write a workbook: a title, a total and a remark on every sheet; days are days of Excel's where they read as such."""
    out, truth = io.BytesIO(), []
    where: dict[int, object] = {-1: ""}
    days = [c for c in m.table.columns if m.table[c].astype(str).str.fullmatch(r"\d\d/\d\d/\d{4}").any()]
    cells = m.table.copy()
    for column in days:
        typed = pd.to_datetime(cells[column], format=DAY, errors="coerce")
        cells[column] = typed.astype(object).where(typed.notna(), cells[column])
    numbers = [c for c in cells.columns if cells[c].astype(str).str.fullmatch(r"-?\d+(\.\d+)?").mean() > 0.5]
    for column in numbers:
        plain = pd.to_numeric(cells[column], errors="coerce")
        cells[column] = plain.astype(object).where(plain.notna(), cells[column])
    with pd.ExcelWriter(out, engine="openpyxl", datetime_format="DD/MM/YYYY") as book:
        for name, rows in sheets.items():
            label = f"{name}!" if len(sheets) > 1 else ""
            part = cells.loc[rows]
            first = len(title) + 1
            total = pd.DataFrame(
                [["Total" if c == cells.columns[0] else len(rows) if c == cells.columns[-1] else None for c in cells.columns]]
            )
            part.to_excel(book, sheet_name=name, startrow=first - 1, index=False)
            total.to_excel(book, sheet_name=name, startrow=first + len(rows), index=False, header=False)
            sheet = book.sheets[name]
            for i, line in enumerate(title):
                sheet.cell(row=i + 1, column=1, value=line)
            sheet.cell(row=first + len(rows) + 3, column=1, value="Printed by a user on 3 April 2026")
            where |= {int(r): first + 1 + i for i, r in enumerate(rows)}
            told = [("title_rows", i + 1) for i in range(len(title))]
            told += [("total_rows", first + len(rows) + 1), ("blank_rows", first + len(rows) + 2), ("footer", first + len(rows) + 3)]
            truth += [(rule, "", f"{label}{row}" if label and rule != "title_rows" else row) for rule, row in told]
            where |= {int(r): f"{label}{first + 1 + i}" if label else first + 1 + i for i, r in enumerate(rows)}
    return m, out.getvalue(), [*truth, *((rule, column, where[row]) for rule, column, row in m.planted)]
