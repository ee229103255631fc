"""Screening: columns that cannot tell segments apart, and values that need a word.

In: a column as it was read and as normal text. Out: why it cannot be used, what it doubles, and what in it looks like a slip. Refuses
nothing. No value of an identifier is ever repeated in what is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

__all__ = ["as_numbers", "double", "mostly_numbers", "share_words", "unusable", "words_of_caution"]

DATE = re.compile(
    r"^\s*(\d{4}-\d{1,2}(-\d{1,2})?|\d{4}/\d{1,2}/\d{1,2}|\d{1,2}[/.-]\d{1,2}[/.-](\d{4}|\d{2})|\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{2,4})"
    r"([ T]\d{1,2}:\d{2}.*)?\s*$"
)
REFERENCE = re.compile(r"(^|_|\b)(id|ref|reference|uprn|usrn|urn|upn|nhs|nino|postcode|key)(_|\b|$)", re.IGNORECASE)
NUMBERED = re.compile(r"(^|_|\b)(number|no|code|rhif)(_|\b|$)", re.IGNORECASE)
CODE = re.compile(r"(^|_|\b)(codes?|lsoa|msoa|ward|uprn|cod)$", re.IGNORECASE)
MOST_STRAY = 0.01
"""A column of numbers may hold so large a share of words (slips, which then count as not known) and stay one."""
SAME = 0.98
"""Two columns that agree at least so far (correlation, or Cramer's V) say one thing twice."""
LOOKED_AT = 5000
STANDS_FOR_NOTHING = (-999.0, -99.0, -9.0, -1.0, 99.0, 999.0, 9999.0, 99999.0)
"""Numbers by which forms often say that nobody knows."""


def share_words(part: int, whole: int) -> str:
    """Say a share in whole per cent: notes are read by all readers of a report, and hold no small counts of people.

    Examples
    --------
    >>> share_words(3, 2000), share_words(0, 10), share_words(5, 20)
    ('less than 1 %', 'none', '25 %')
    """
    share = part / max(whole, 1)
    return "none" if part == 0 else "less than 1 %" if share < 0.01 else f"{100 * share:.0f} %"


def as_numbers(words: Iterable[str | None]) -> np.ndarray:
    """Read each word as a number, exactly as a column of numbers would have it; NaN where it is none.

    One rule for all who read attributes: pandas' own reader may differ in the last bit, and in what it takes for a number.

    Examples
    --------
    >>> as_numbers(["7", " 2.50 ", "1_000", "inf", None]).tolist()
    [7.0, 2.5, nan, nan, nan]
    """
    read = np.array([_float(w) for w in words], dtype=float)
    read[~np.isfinite(read)] = np.nan
    return read


def _float(word: str | None) -> float:
    try:
        return float(word) if word is not None and "_" not in word else float("nan")
    except ValueError:
        return float("nan")


def mostly_numbers(known: pd.Series) -> pd.Series | None:
    """Give a column's values as numbers, slips left out; None where it is no column of numbers."""
    codes, uniques = pd.factorize(known)
    numbers = pd.Series(as_numbers(uniques)[codes], index=known.index)
    stray = int(numbers.isna().sum())
    if not len(numbers) or stray > MOST_STRAY * len(known):
        return None
    return numbers.dropna()


def unusable(name: str, values: pd.Series, text: pd.Series) -> str:
    """Say why a column cannot tell segments apart; empty where it can.

    Parameters
    ----------
    name : str
    values : pandas.Series
        The column as it was read.
    text : pandas.Series
        The same as normal text, missing where nobody knows.
    """
    known = text.dropna()
    distinct = known.nunique()
    if distinct < 2:
        return "it has the same value in every row where it is known" if distinct else "it is empty"
    numbers = mostly_numbers(known)
    if _dates(values, known, numbers):
        return "it holds dates; make an attribute of it first, such as years since"
    return _identifier(name, known, numbers, distinct)


def _identifier(name: str, known: pd.Series, numbers: pd.Series | None, distinct: int) -> str:
    """Say why values look like those of an identifier or like codes; empty where they do not."""
    reference = REFERENCE.search(name) is not None
    if reference and (distinct > max(50, 0.1 * len(known)) or distinct == len(known)):
        return "its name and its many values say that it is an identifier"
    own = distinct > 0.9 * len(known) and len(known) >= 20
    if numbers is None:
        return "nearly every row has its own value, so it looks like an identifier or free text" if own else ""
    whole = bool((numbers % 1 == 0).all())
    named = reference or NUMBERED.search(name) is not None
    if own and whole and (named or numbers.max() - numbers.min() < 3 * len(numbers) or numbers.min() > 1e6):
        return "nearly every row has its own whole number, so it looks like an identifier"
    if whole and distinct > 12 and CODE.search(name):
        return "it holds codes, too many to compare and without an order; group them first"
    return ""


def _dates(values: pd.Series, known: pd.Series, numbers: pd.Series | None) -> bool:
    if pd.api.types.is_datetime64_any_dtype(values) or isinstance(values.dtype, pd.PeriodDtype):
        return True
    if numbers is None:
        return bool(known.head(200).map(lambda v: DATE.match(v) is not None).mean() > 0.9)
    # 20260131: a day written as one number.
    day, month = numbers % 100, numbers // 100 % 100
    inside = numbers.between(19_000_101, 21_001_231) & day.between(1, 31) & month.between(1, 12) & (numbers % 1 == 0)
    return bool(inside.mean() > 0.95)


def double(codes: np.ndarray, earlier: Mapping[str, np.ndarray], *, number: bool, kinds: Mapping[str, bool]) -> str | None:
    """Name the earlier column that says the same: alike up to rounding, or the same groups under other names.

    Parameters
    ----------
    codes : numpy.ndarray
        The column as numbers or as codes of its levels, NaN where missing.
    earlier : mapping
        The same of the columns that are used already.
    number : bool
        Whether the column is a number (or an ordered band).
    kinds : mapping
        The same of the earlier columns.
    """
    here = codes[:LOOKED_AT]
    for name, there in earlier.items():
        if kinds[name] != number:
            continue
        both = ~np.isnan(here) & ~np.isnan(there[:LOOKED_AT])
        # Where one is missing and the other is not, the two do not say the same.
        if both.sum() < 20 or both.sum() < 0.95 * max((~np.isnan(here)).sum(), (~np.isnan(there[:LOOKED_AT])).sum()):
            continue
        a, b = here[both], there[:LOOKED_AT][both]
        if (_correlation(a, b) if number else _cramer(a, b)) >= SAME:
            return name
    return None


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    return abs(float(np.corrcoef(a, b)[0, 1])) if a.std() > 0 and b.std() > 0 else 0.0


def _cramer(a: np.ndarray, b: np.ndarray) -> float:
    """Give Cramer's V of two columns of codes.

    References
    ----------
    Cramér, H. (1946). Mathematical Methods of Statistics, section 21.9. Princeton.
    """
    rows, columns = np.unique(a, return_inverse=True)[1], np.unique(b, return_inverse=True)[1]
    table = np.zeros((rows.max() + 1, columns.max() + 1))
    np.add.at(table, (rows, columns), 1)
    # Where one has more levels, it says more: then the two are not one.
    if min(table.shape) < 2 or table.shape[0] != table.shape[1]:
        return 0.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / len(a)
    return float(np.sqrt(((table - expected) ** 2 / expected).sum() / (len(a) * (min(table.shape) - 1))))


def words_of_caution(name: str, known: pd.Series, *, reach: tuple[float, float] | None) -> Sequence[str]:
    """Say what in a used column looks like a slip, and what was done.

    Parameters
    ----------
    name : str
    known : pandas.Series
        Normal text, without what is missing.
    reach : (float, float), optional
        The least and the largest value as which a number may count, as the rule has it before logs.
    """
    numbers = mostly_numbers(known)
    if numbers is None:
        return []
    notes = []
    if stray := len(known) - len(numbers):
        notes.append(f"'{name}' holds numbers but for {share_words(stray, len(known))} that are words; those count as not known.")
    common = numbers.value_counts()
    for code in STANDS_FOR_NOTHING:
        others = numbers[numbers != code]
        if common.get(code, 0) < max(0.005 * len(numbers), 2) or others.nunique() < 3:
            continue
        if (code < 0 and others.min() >= 0) or (code > 0 and others.max() < code and code - others.max() > (others.max() - others.min())):
            share = share_words(int(common[code]), len(numbers))
            notes.append(f"'{name}' is {code:g} for {share} of the known, apart from all others. If that means not known, leave it empty.")
    if reach is not None:
        low, high = reach
        width = max(high - low, 1e-12)
        far = int(((numbers > high + width) | (numbers < low - width)).sum())
        if far:
            usual = f"the nearest usual value ({low:g} to {high:g})"
            share = share_words(far, len(numbers))
            notes.append(f"'{name}' is far from all others for {share}; that counts as {usual}, so that nobody makes a segment alone.")
    return notes
