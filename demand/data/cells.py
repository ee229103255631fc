"""Cells as text, and row numbers as people read them.

In: a column of a file, of whatever type. Out: its cells as text, where a blank says nothing. Refuses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from demand.errors import Row

__all__ = ["BLANK", "MOJIBAKE", "filled", "matches", "plain_numbers", "rows_text", "to_text"]

BLANK = frozenset({"", "nan", "nat", "n/a", "#n/a", "null"})
"""Cells that say nothing, whatever the case of their letters. Marks such as `*` or `:` are named in `missing`."""

MOJIBAKE = re.compile("Å[·µ¶´]|Ã[\x80-\xbf¢¤©ª®´¶¼½¾]|â€")
"""Letters of one encoding read in another: ŷ, ŵ, é as UTF-8 read in Windows-1252."""


ENDLESS = re.compile(r"e[+-]?\d{5}", re.IGNORECASE)
"""Powers of ten that no number has; references such as 1E2155767033 look so, and break pandas' own reading down (segmentation fault)."""


def plain_numbers(words: Sequence[object]) -> np.ndarray:
    """Read what is a number and nothing else; NaN for everything else.

    Examples
    --------
    >>> plain_numbers(["12", "1e3", "1,5", "1E2155767033"]).tolist()
    [12.0, 1000.0, nan, nan]
    """
    safe = [None if isinstance(w, str) and ENDLESS.search(w) else w for w in words]
    return np.asarray(pd.to_numeric(pd.Series(safe, dtype=object), errors="coerce").to_numpy(dtype=float))


def to_text(column: pd.Series, missing: Sequence[str] = ()) -> pd.Series:
    """Give a column as text without blanks at its ends; None where it says nothing.

    Parameters
    ----------
    column : pandas.Series
        Text, numbers, booleans or dates.
    missing : sequence of str
        Marks that say nothing, beside the usual ones.

    Returns
    -------
    pandas.Series
        object; whole numbers are written without a decimal point, dates as 2024-01-31.
    """
    codes, values = pd.factorize(column.astype(object), use_na_sentinel=True)
    nothing = BLANK | {m.strip().casefold() for m in missing}
    words = [_word(v) for v in values]
    lookup = np.array([*(None if w.casefold() in nothing else w for w in words), None], dtype=object)
    return pd.Series(lookup[codes], index=column.index, dtype=object)


def matches(column: pd.Series, pattern: re.Pattern[str]) -> np.ndarray:
    """Say which cells hold text that a pattern finds: bool, shape (rows,). Each different text is looked at once."""
    codes, words = pd.factorize(column, use_na_sentinel=True)
    found = np.array([*(isinstance(w, str) and pattern.search(w) is not None for w in words), False], dtype=bool)
    return np.asarray(found[codes])


def filled(column: pd.Series) -> np.ndarray:
    """Say which cells hold something: bool, shape (rows,)."""
    given = column.notna().to_numpy()
    if column.dtype == object:
        given &= ~(column == "").to_numpy(dtype=bool, na_value=True)
    return np.asarray(given)


def rows_text(rows: Iterable[Row], most: int = 5) -> str:
    """Give row numbers as they are read: "row 7" or "rows 7, 9 and 12 more"."""
    every = list(rows)
    rest = f" and {len(every) - most} more" if len(every) > most else ""
    return f"row{'s' if len(every) > 1 else ''} {', '.join(str(r) for r in every[:most])}{rest}"


def _word(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
    if hasattr(value, "isoformat"):  # also days of the year 9999, which pandas cannot hold
        return str(value).removesuffix(" 00:00:00")
    return str(value)
