"""Columns that name people, told by what they hold and not by what they are called.

In: a column that somebody asked to load. Out: faults where it holds national insurance or NHS numbers, postcodes, phone numbers, e-mail
addresses, names of people, or free text. Refuses such columns; messages say which kind and which rows, never what stands there.

National insurance numbers: HMRC manual NIM39110. NHS numbers: ten digits, the last a check digit modulo 11 (NHS Data Dictionary).
Postcodes: BS 7666 as in the Government Data Standards Catalogue. A postcode district alone (CF10) is an area and is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from demand.data.cells import matches, rows_text, to_text
from demand.errors import Fault, Row

__all__ = ["identifier_faults"]

KINDS = {
    "national insurance numbers": re.compile(r"(?<![A-Z])[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b", re.IGNORECASE),
    "postcodes": re.compile(r"\b(?:[A-Z]{1,2}\d[A-Z\d]?|GIR) ?\d[ABD-HJLNP-UW-Z]{2}\b", re.IGNORECASE),
    "e-mail addresses": re.compile(r"[^\s@]+@[^\s@]+\.[A-Za-z]{2,}"),
    "phone numbers": re.compile(r"(?<!\w)(?:\+44 ?(?:\(0\))?|\(?0)(?=(?:[ ()-]{0,2}\d){9,10}(?!\d))[ ()-]{0,2}[1-9]"),
}
"""One cell is enough."""
NHS = re.compile(r"^\d{3}[ -]?\d{3}[ -]?\d{4}$")
NAME = re.compile(r"^(?:(?:Mr|Mrs|Ms|Miss|Dr)\.? )?[A-ZŴŶÂÊÎÔÛ][\w'’.\-]*,?(?: (?:ap|ab|ferch|de|van|Mc)?\s?[A-ZŴŶÂÊÎÔÛ][\w'’.\-]*){0,3}$")
LEAST, MANY, MOSTLY, MANY_DIFFERENT = 3, 20, 0.8, 0.3
"""Names are told by their number: at least so many cells, most of them written like names, and so large a share of them different."""
LONG_WORDS = 6
"""Cells with more words than this, and no two alike, are free text."""


def identifier_faults(column: pd.Series, rows: np.ndarray, where: str) -> list[Fault]:
    """Say whether a column names people.

    Parameters
    ----------
    column : pandas.Series
    rows : numpy.ndarray
        Row numbers.
    where : str
        File and column.

    Returns
    -------
    list of Fault
        At most one.
    """
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        return []
    text = to_text(column)
    for kind, mask in (*_patterns(text), *_by_number(text)):
        if mask.any():
            return [_fault(kind, rows[mask], where)]
    return []


def _patterns(text: pd.Series) -> Iterator[tuple[str, np.ndarray]]:
    """Find what has a shape of its own; a number alone is a phone number only where most of the column are."""
    for kind, pattern in KINDS.items():
        mask = matches(text, pattern)
        bare = kind == "phone numbers" and mask.any() and mask.sum() < 0.5 * text.notna().sum() and not _spaced(text[mask])
        if not bare:
            yield kind, mask


def _by_number(text: pd.Series) -> Iterator[tuple[str, np.ndarray]]:
    """Find what shows only in many cells: NHS numbers by their check digits, free text, names."""
    words = pd.Series(text.dropna().unique(), dtype=object).astype(str)
    given = max(int(text.notna().sum()), 1)
    ten = words[words.str.match(NHS)]
    if len(ten) >= LEAST and _checked(ten).mean() > 0.5:
        yield "NHS numbers", text.isin(set(ten)).to_numpy()
    if len(words) / given <= MANY_DIFFERENT:
        return
    sentences = words[words.str.count(r"\S+") > LONG_WORDS]
    if len(sentences) >= max(LEAST, 0.5 * len(words)):
        yield "free text", text.isin(set(sentences)).to_numpy()
    named = words[words.str.match(NAME) & ~words.str.contains(r"\d", regex=True)]
    if given >= MANY and len(named) > MOSTLY * len(words):
        yield "names of people", text.isin(set(named)).to_numpy()


def _spaced(text: pd.Series) -> bool:
    """Say whether numbers are written as phone numbers are: with blanks, +44 or 07."""
    return bool(text.str.contains(r"\d[ -]\d|\+44|^07\d{9}$", regex=True).any())


def _checked(numbers: pd.Series) -> pd.Series:
    """Say which NHS numbers carry their right check digit."""
    digits = np.array([[int(d) for d in word if d.isdigit()] for word in numbers])
    check = 11 - (digits[:, :9] * np.arange(10, 1, -1)).sum(axis=1) % 11
    return pd.Series(np.where(check == 11, 0, check) == digits[:, 9], index=numbers.index)


def _fault(kind: str, rows: np.ndarray, where: str) -> Fault:
    every: tuple[Row, ...] = tuple(rows)
    allowed = "Columns that describe and do not name: bands, areas, yes or no"
    mend = "Leave it out of 'keys' and 'attributes'; only columns that are named are loaded"
    return Fault(f"the column holds {kind}, {rows_text(every)}", where, allowed, mend, rule="identifier", rows=every)
