"""Numbers as councils and statistics offices write them, with what is hidden as an interval.

In: a column of a file. Out: numbers, and for each hidden count the lowest and highest that it can be. "1,234", "(1,234)", "1234-", "£1.2m"
and "1,234 [p]" are numbers; "<5", "1 to 4", "*" and "[c]" are hidden counts; "[x]", "[z]", "." and ".." say that there is no figure.
Refuses nothing: what is none of these is marked as wrong.

The marks are those of the UK statistics offices (Government Analysis Function, "Symbols in tables": [c] confidential, [x] not available,
[z] not applicable, [r] revised, [p] provisional, [e] estimated, [low] rounds to zero) and of StatsWales (* . ..).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from demand.data.cells import plain_numbers, to_text

__all__ = ["HIDDEN", "Numbers", "decimal_commas", "scale_of", "to_numbers"]

HIDDEN: Mapping[str, tuple[float, float]] = {"*": (1, 4), "**": (1, 4), "[c]": (1, 4), "(c)": (1, 4), "c": (1, 4), "[low]": (0, 0.5)}
"""Marks of hidden counts: the house style of Welsh statistics hides 1 to 4. `suppressed` in the config says otherwise."""
NO_FIGURE = frozenset({"[x]", "[z]", "[r]", "[p]", "[e]", "[u]", "[w]", "x", "z", ".", "..", "...", ":", "not available", "not applicable",
                       "not collected"})  # fmt: skip
"""Marks that say that there is no figure."""
WRITTEN = re.compile(
    r"(?P<open>\()?(?P<sign>[+\-−–]?)\s*(?P<pounds>£?)\s*(?P<after>[+\-−–]?)"
    r"(?P<whole>\d{1,3}(?:[, \u00a0\u202f]\d{3})+|\d+|(?=\.\d))(?P<part>\.\d+)?(?P<times>[km]?)(?P<close>\))?"
    r"(?P<behind>[\-−–]?)(?:\s*(?P<side>CR|DR))?",
    re.IGNORECASE,
)
FLAGGED = re.compile(r"(?<=[\d)])\s*(?:\[[a-z0-9]{1,4}\]|\([rpe]\)|\(\d\)|[¹²³⁴⁵†‡§#]+|\*|\s[rpe]|[rp])$", re.IGNORECASE)
"""What is hung on a number: revised, provisional, estimated, a footnote."""
BELOW = re.compile(r"(?:<|≤|(?:fewer|less) than|under)\s*(\d+)$", re.IGNORECASE)
BETWEEN = re.compile(r"(\d{1,2})\s*(?:-|–|to)\s*(\d{1,2})$", re.IGNORECASE)
DECIMAL_COMMA = re.compile(r"[£€]?\s?[+-]?(?:\d{1,3}(?:\.\d{3})+|\d+),\d{1,2}")
GROUPED = re.compile(r"\d{1,3}(?:\.\d{3})+")
LEAST_COMMAS = 3
"""So many different numbers have to show a decimal comma; one alone may be a slip."""
MOST_HIDDEN = 20
"""A range that reaches higher than this is not a hidden count but a band or a date."""
MINUS = frozenset("-−–")
THOUSANDS = re.compile(r"£\s*'?000|£\s*k\b|\bthousands?\b|\b000s\b", re.IGNORECASE)


@dataclass(frozen=True)
class Numbers:
    """A column of numbers.

    Parameters
    ----------
    values : numpy.ndarray
        float64; the middle of the interval where a count is hidden, NaN where there is nothing.
    low, high : numpy.ndarray
        float64; the same as `values` but where a count is hidden.
    wrong : numpy.ndarray
        bool, True where there is something that is no number.
    hidden : numpy.ndarray
        bool, True where a count is hidden.
    assumed : numpy.ndarray
        bool, True where it is hidden by a mark that does not itself say below which number.
    flagged : numpy.ndarray
        bool, True where something is hung on the number: revised, provisional, a footnote.
    """

    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    wrong: np.ndarray
    hidden: np.ndarray
    assumed: np.ndarray
    flagged: np.ndarray


def to_numbers(column: pd.Series, missing: Sequence[str] = (), suppressed: Mapping[str, tuple[float, float]] | None = None) -> Numbers:
    """Give a column as numbers.

    Parameters
    ----------
    column : pandas.Series
    missing : sequence of str
        Marks that say nothing.
    suppressed : mapping of str to (float, float), optional
        Marks of hidden counts, with the lowest and the highest that each can stand for; beside `HIDDEN`.

    Returns
    -------
    Numbers
        "<5" is 0 to 4; where the column shows zeros they are evidently not hidden, and it is 1 to 4.
    """
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = column.to_numpy(dtype=float, na_value=np.nan)
        no = np.zeros(len(column), dtype=bool)
        return Numbers(values, values, values, no, no, no, no)
    text = to_text(column, missing)
    codes, unique = pd.factorize(text, use_na_sentinel=True)
    words = _with_points(list(unique))
    plain = plain_numbers(words)
    marks = {**HIDDEN, **{m.strip().casefold(): tuple(pair) for m, pair in (suppressed or {}).items()}}
    least = 1.0 if (plain == 0).any() else 0.0
    odd = np.flatnonzero(np.isnan(plain))
    low, high, kinds = plain.copy(), plain.copy(), np.full(len(words) + 1, "", dtype=object)
    for place in odd:
        low[place], high[place], kinds[place] = _marked(str(words[place]), marks, least)
    low, high = np.append(low, np.nan)[codes], np.append(high, np.nan)[codes]
    told = kinds[codes]
    hidden = (told == "hidden") | (told == "assumed")
    values = low.copy()
    values[hidden] = (low[hidden] + high[hidden]) / 2
    return Numbers(values, low, high, told == "wrong", hidden, told == "assumed", told == "flagged")


def scale_of(name: str) -> float:
    """Say by how much the numbers of a column are to be multiplied: 1000 where its name says £000.

    Examples
    --------
    >>> scale_of("Actual £'000"), scale_of("households")
    (1000.0, 1.0)
    """
    return 1000.0 if THOUSANDS.search(name) else 1.0


def _with_points(words: list[str]) -> list[str]:
    """Write a point for a decimal comma ("1.234,5" is 1234.5), where all numbers of a column with a comma can only be meant so."""
    if not decimal_commas(words):
        return words
    return [str(w).replace(".", "").replace(",", ".") if "," in str(w) or GROUPED.fullmatch(str(w)) else w for w in words]


def decimal_commas(words: Iterable[object]) -> bool:
    """Say whether the commas of a column can only be decimal ones.

    Examples
    --------
    >>> decimal_commas(["1.234,5", "12,50", "7,5", "3"]), decimal_commas(["1,234", "12,5", "7,5"])
    (True, False)
    """
    commas = {w for w in map(str, words) if "," in w}
    return len(commas) >= LEAST_COMMAS and all(DECIMAL_COMMA.fullmatch(w) for w in commas)


def _marked(word: str, marks: Mapping[str, tuple[float, ...]], least: float) -> tuple[float, float, str]:
    """Read what is not plainly a number: lowest, highest, and flagged, hidden, assumed, wrong or nothing."""
    folded = word.casefold()
    if folded in marks:
        return marks[folded][0], marks[folded][1], "assumed"
    if folded in NO_FIGURE:
        return np.nan, np.nan, ""
    below = BELOW.match(word)
    if below and int(below[1]) > 0:
        top = float(below[1]) - (0 if word.startswith("≤") else 1)
        return min(least, top), top, "hidden"
    between = BETWEEN.match(word)
    if between and int(between[1]) < int(between[2]) <= MOST_HIDDEN:
        return float(between[1]), float(between[2]), "hidden"
    bare = FLAGGED.sub("", word)
    value = _written(bare)
    return (value, value, "flagged" if bare != word else "") if not np.isnan(value) else (np.nan, np.nan, "wrong")


def _written(word: str) -> float:
    found = WRITTEN.fullmatch(word)
    if not found or bool(found["open"]) != bool(found["close"]) or (found["times"] and not found["pounds"]):
        return float("nan")
    signs = [found["sign"], found["after"], found["behind"]]
    if sum(bool(s) for s in signs) + bool(found["open"]) > 1:
        return float("nan")
    value = float(re.sub(r"[, \u00a0\u202f]", "", found["whole"] or "0") + (found["part"] or ""))
    value *= {"k": 1e3, "m": 1e6}.get(found["times"].casefold(), 1.0)
    negative = bool(found["open"]) or any(s in MINUS for s in signs if s) or (found["side"] or "").upper() == "CR"
    return -value if negative else value
