"""Cells of a CSV file that a spreadsheet program would take for formulas: made harmless when written, and as they were when read.

In: tables. Out: tables in which text that begins with = + - @, a tab or a line break stands behind an apostrophe (OWASP ASVS 5, 1.2.10),
and back. Numbers, also those written as text, are left alone. Refuses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd

__all__ = ["as_given", "neutral"]

FORMULA = re.compile(r"'*[=+\-@\t\r\n\x00＝＋－＠]")
NUMBER = re.compile(r"[+-]?(\d[\d,]*)?(\.\d+)?([eE][+-]?\d+)?%?$")


def neutral(table: pd.DataFrame) -> pd.DataFrame:
    """Give the table with an apostrophe before each text that would be a formula, in its cells and in its headings.

    Parameters
    ----------
    table : pandas.DataFrame

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> neutral(pd.DataFrame({"name": ["=1+1", "Ann", "-5"]}))["name"].tolist()
    ["'=1+1", 'Ann', '-5']
    """
    out = table.rename(columns={c: _quoted(c) for c in table.columns})
    return _each(out, _quoted)


def as_given(table: pd.DataFrame) -> pd.DataFrame:
    """Take away the apostrophes that `neutral` set.

    Parameters
    ----------
    table : pandas.DataFrame

    Returns
    -------
    pandas.DataFrame
    """
    out = table.rename(columns={c: _bare(c) for c in table.columns})
    return _each(out, _bare)


def _each(table: pd.DataFrame, change: Callable[[object], object]) -> pd.DataFrame:
    for place, kind in enumerate(table.dtypes):
        if isinstance(kind, pd.CategoricalDtype | pd.StringDtype) or kind.kind == "O":
            column = table.iloc[:, place]
            changed = column.astype(object).map(change, na_action="ignore")
            if not changed.equals(column.astype(object)):
                table.isetitem(place, changed)
    return table


def _quoted(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    text = cell.replace("\r\n", "\n").replace("\r", "\n")  # which alone would end the row: it is not quoted
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text


def _bare(cell: object) -> object:
    return cell[1:] if isinstance(cell, str) and cell.startswith("'") and FORMULA.match(cell) else cell
