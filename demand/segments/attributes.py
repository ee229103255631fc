"""Attributes: what each column of an extract is, and how it becomes something that can be compared.

In: a table with one row a person or place, as councils have it: numbers, counts, yes/no needs, ordered bands, categories, much missing.
Out: `Attribute`, the frozen reading of one column, and `Coded`, the numbers and codes of all rows. Leaves out, with a note that names the
column and the reason: protected characteristics (unless listed), identifiers, dates, constant, empty and doubled columns, codes too many.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from demand.segments.protected import protected
from demand.segments.screening import as_numbers, double, mostly_numbers, unusable, words_of_caution
from demand.spec import Spec

__all__ = [
    "NOT_ATTRIBUTES",
    "Attribute",
    "Coded",
    "Reading",
    "encode",
    "normal_text",
    "numbers_of",
    "protected",
    "read_attributes",
    "unseen",
]

NOT_ATTRIBUTES = ("person_id", "place_id", "episode_id", "opened", "closed", "price", "segment", "certainty")
"""Columns of PEOPLE that say who, when and how much, not what a person is like."""
KEYS = ("area", "service", "type")
"""Where a table does not say which columns are its keys, these are taken as keys."""
UNKNOWN = frozenset({"", "nan", "null", "na", "n/a", "<na>", "nat", "unknown", "not known", "not recorded", "not stated", "not asked",
    "missing", "refused", "prefer not to say", "declined", "don't know", "don’t know", "do not know", "dk", "not available", "no data",
    "not provided", "not disclosed", "undisclosed", "not yet known", "information not yet obtained", "to be confirmed", "tbc",
    "unspecified", "not specified", "?", "??", "-", "--", "—", ".", "..", "anhysbys", "ddim yn hysbys", "heb ei gofnodi", "gwrthodwyd",
    "ddim yn gwybod", "mae'n well gen i beidio â dweud"})  # fmt: skip
"""Words that mean that nobody knows. Not known is not "no"."""
YES, NO = frozenset({"yes", "y", "true", "t"}), frozenset({"no", "n", "false", "f"})
OTHER = "(other)"
MOST_LEVELS, MOST_BANDS = 12, 5
READ_ROWS = 50_000
PILE = 0.25
"""A number of which so large a share is one value (most often 0) is taken in bands: a bell curve would shrink to the pile."""
LEAST_SHARE = 0.01
"""A level that fewer than 1 % have is joined with the others like it."""
_BAND = re.compile(
    r"^(?P<low>under|below|less than|up to|<)?\s*(over|above|more than|>|band|decile|quintile|quartile|grade|level|stage|tier)?\s*£?"
    r"(?P<number>\d[\d,]*\.?\d*)"
)
_SCALES = (
    ("none", "low", "medium", "high"), ("none", "mild", "moderate", "severe"), ("low", "moderate", "high"),
    ("low", "medium", "high", "very high"),
    ("very poor", "poor", "fair", "good", "very good", "excellent"), ("poor", "average", "good", "excellent"),
    ("very bad", "bad", "fair", "good", "very good"), ("never", "rarely", "sometimes", "often", "always"), ("small", "medium", "large"),
)  # fmt: skip


class Attribute(Spec):
    """How one column is read: frozen, so that next year's people are read alike."""

    name: str
    kind: str
    """number, ordered, banded (a number that piles up on a few values) or category (yes/no is a category with two levels)."""
    levels: tuple[str, ...] = ()
    """The values known, in order; "(other)" last where rare ones were joined."""
    joined: tuple[str, ...] | None = None
    """The rare values joined in "(other)", as digests: a new one can be told from them, and no rare value lies open in the rules."""
    edges: tuple[float, ...] = ()
    """Where the bands of a banded number begin, but for the first."""
    log: bool = False
    """True where log(1 + x) is taken, because a few are very large."""
    low: float = 0.0
    """Numbers below this count as this, so that one outlier does not make a segment."""
    high: float = 0.0
    centre: float = 0.0
    scale: float = 1.0
    floor: float = 0.01
    """The least variance that a segment may have: the rounding of the values alone."""


@dataclass(frozen=True)
class Coded:
    """Rows as numbers.

    `numbers` has a column a number or ordered attribute (standardised, NaN = missing), `codes` a column a category (-1 = missing).
    `missing` and `new` count, by column, the values that are not known and those that the fit had not seen.
    """

    numbers: np.ndarray
    codes: np.ndarray
    sizes: tuple[int, ...]
    missing: dict[str, int]
    new: dict[str, int]
    lined: tuple[bool, ...] = ()
    """By category: whether its levels stand in a line, as bands of a number do."""

    def rows(self, index: np.ndarray) -> Coded:
        """Give some of the rows."""
        return Coded(self.numbers[index], self.codes[index], self.sizes, {}, {}, self.lined)

    def __len__(self) -> int:
        """Give how many rows there are."""
        return len(self.numbers)


@dataclass(frozen=True)
class Reading:
    """The attributes that are used, and a note for each column that is not or that needs a word."""

    attributes: tuple[Attribute, ...]
    notes: tuple[str, ...]


def normal_text(values: pd.Series) -> pd.Series:
    """Give values as text that does not depend on how a file was read: 3.0 is "3", True is "yes"; missing where nobody knows."""
    codes, words = spelt(values)
    return pd.Series(words[codes], index=values.index, dtype=object)


def spelt(values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Give a column as places in a list of words, each value spelt once; the last word, at place -1, is None: nobody knows."""
    if pd.api.types.infer_dtype(values, skipna=True) in ("mixed", "mixed-integer"):
        # 0 and False are one and the same to pandas, so that the first of them would speak for both.
        codes, uniques = pd.factorize(np.array([None if pd.isna(v) else _word(v) for v in values], dtype=object), use_na_sentinel=True)
        return codes, np.array([*uniques, None], dtype=object)
    codes, uniques = pd.factorize(values, use_na_sentinel=True)
    return codes, np.array([_word(u) for u in uniques] + [None], dtype=object)


def _word(value: object) -> str | None:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    text = " ".join(str(value).split())
    folded = text.casefold()
    if folded in UNKNOWN:
        return None
    return "yes" if folded in YES else "no" if folded in NO else text


def read_attributes(table: pd.DataFrame, features: Sequence[str] | None, candidates: Sequence[str] | None = None) -> Reading:
    """Say what each column is, and which are used.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a person or place; of a very long table, fifty thousand rows from all over it are read.
    features : sequence of str or None
        The columns that the analyst listed; None chooses: every candidate that is not a protected characteristic.
    candidates : sequence of str or None
        The attribute columns of the table; None takes all but ids, dates of episodes, price and keys.

    Returns
    -------
    Reading
    """
    free = [c for c in table.columns if c not in NOT_ATTRIBUTES and c not in KEYS]
    names = list(dict.fromkeys(features if features is not None else (candidates if candidates is not None else free)))
    table = table.iloc[np.unique(np.linspace(0, len(table) - 1, READ_ROWS).astype(np.int64))] if len(table) > READ_ROWS else table
    used: list[Attribute] = []
    notes: list[str] = []
    seen: dict[bytes, str] = {}
    shown: dict[str, np.ndarray] = {}
    numeric: dict[str, bool] = {}
    for name in names:
        kin = protected(name)
        if kin and features is None:
            notes.append(f"'{name}' was not used to find segments: it tells of {kin}, a protected characteristic. List it to use it.")
            continue
        text = normal_text(table[name])
        reason = unusable(name, table[name], text)
        mark = pd.util.hash_pandas_object(text, index=False).to_numpy().tobytes()
        if not reason and mark in seen:
            reason = f"it says the same as '{seen[mark]}' in every row"
        attribute = None if reason else _attribute(name, table[name], text)
        if attribute is not None:
            values, number = _values(text, attribute)
            twin = double(values, shown, number=number, kinds=numeric)
            if twin:
                attribute, reason = None, f"it says the same as '{twin}' in other words or nearly so"
        if attribute is None:
            notes.append(f"'{name}' was not used to find segments: {reason or _too_rare(text)}.")
            continue
        seen[mark], shown[name], numeric[name] = name, values, number
        used.append(attribute)
        if (share := float(text.isna().mean())) > 0.4:
            notes.append(f"'{name}' is not known for {share:.0%} of the rows; those rows are placed by what else is known.")
        notes += words_of_caution(name, text.dropna(), reach=_reach(attribute))
    return Reading(tuple(used), tuple(notes))


def _too_rare(text: pd.Series) -> str:
    share = float(text.value_counts(normalize=True).iloc[0])
    if share > 1 - LEAST_SHARE:
        return "nearly every row has the same value"
    return "its codes are too many and too rare to compare; group them first"


def _values(text: pd.Series, attribute: Attribute) -> tuple[np.ndarray, bool]:
    """Give a column's values as numbers (of a category: which level), NaN where missing, and whether they are numbers."""
    if attribute.kind in ("number", "banded"):
        return numbers_of(text)[0], True
    place = {level: float(i) for i, level in enumerate(attribute.levels)}
    return text.map(place).to_numpy(dtype=float), attribute.kind == "ordered"


def _reach(attribute: Attribute) -> tuple[float, float] | None:
    """Give the least and the largest value as which a number counts, as it was written."""
    if attribute.kind != "number":
        return None
    low, high = (np.expm1(attribute.low), np.expm1(attribute.high)) if attribute.log else (attribute.low, attribute.high)
    return float(low), float(high)


def _attribute(name: str, values: pd.Series, text: pd.Series) -> Attribute | None:
    known = text.dropna()
    numbers = mostly_numbers(known)
    if not isinstance(values.dtype, pd.CategoricalDtype) and numbers is not None:
        if numbers.nunique() > 2:
            x = numbers.to_numpy(dtype=float)
            return _banded(name, x) or _number(name, x, kind="number")
        return Attribute(name=name, kind="category", levels=tuple(sorted(known.unique())))
    order = _order(values, known)
    if order:
        ranks = known.map({level: i for i, level in enumerate(order)}).to_numpy(dtype=float)
        return _number(name, ranks, kind="ordered", levels=order)
    shares = known.value_counts(normalize=True)
    shares = shares[sorted(shares.index)].sort_values(ascending=False, kind="stable")
    kept = shares[(shares >= max(LEAST_SHARE, 5 / len(known)))].head(MOST_LEVELS)
    if kept.sum() < 0.5 or (len(kept) < 2 and kept.sum() > 1 - LEAST_SHARE):
        return None
    rest = len(kept) < len(shares)
    if not rest:
        return Attribute(name=name, kind="category", levels=tuple(sorted(kept.index)))
    joined = tuple(sorted(_digest(str(level)) for level in shares.index.difference(kept.index)))
    return Attribute(name=name, kind="category", levels=(*sorted(kept.index), OTHER), joined=joined)


def _digest(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()[:12]


def unseen(words: Iterable[str | None], attribute: Attribute) -> np.ndarray:
    """Say of each word whether it is a value that the fit had not seen.

    Parameters
    ----------
    words : iterable of str or None
        Normal text; None = not known.
    attribute : Attribute
        Of categories or ordered bands. Rules of an earlier kind, that do not say what was joined in "(other)", call nothing new.
    """
    levels, joined = set(attribute.levels) - {OTHER}, set(attribute.joined or ())
    if OTHER in attribute.levels and attribute.joined is None:
        return np.array([False for _ in words])
    return np.array([w is not None and w not in levels and _digest(w) not in joined for w in words], dtype=bool)


def _order(values: pd.Series, known: pd.Series) -> tuple[str, ...]:
    """Give the levels of ordered bands in their order; empty where the levels have none."""
    levels = [str(v) for v in sorted(known.unique())]
    if isinstance(values.dtype, pd.CategoricalDtype) and values.cat.ordered:
        return tuple(w for c in values.cat.categories if (w := _word(c)) in set(levels))
    folded = {level.casefold(): level for level in levels}
    for scale in _SCALES:
        if len(levels) >= 3 and set(folded) <= set(scale):
            return tuple(folded[s] for s in scale if s in folded)
    found = [_BAND.match(level.casefold()) for level in levels]
    if len(levels) < 3 or len(levels) > 40 or not all(found):
        return ()
    starts = [(float(m["number"].replace(",", "")), 0 if m["low"] else 1, level) for m, level in zip(found, levels, strict=True) if m]
    return tuple(level for *_, level in sorted(starts)) if len({s[:2] for s in starts}) == len(starts) else ()


def _number(name: str, x: np.ndarray, *, kind: str, levels: tuple[str, ...] = ()) -> Attribute:
    log = kind == "number" and bool(x.min() >= 0) and _skew(x) > 1 and abs(_skew(np.log1p(x))) < _skew(x)
    x = np.log1p(x) if log else x
    first, third = np.quantile(x, [0.25, 0.75])
    reach = 3 * (third - first)
    low, high = (first - reach, third + reach) if reach > 0 else np.quantile(x, [0.005, 0.995])
    low, high = (max(low, x.min()), min(high, x.max())) if high > low else (x.min(), x.max())
    x = np.clip(x, low, high)
    scale = float(x.std()) or 1.0
    distinct, count = np.unique(x, return_counts=True)
    step = float(np.average(np.diff(distinct), weights=count[:-1] + count[1:])) / scale if len(distinct) < 60 else 0.0
    return Attribute(name=name, kind=kind, levels=levels, log=log, low=float(low), high=float(high), centre=float(x.mean()), scale=scale,
                     floor=max(0.01, step**2 / 12))  # fmt: skip


def _banded(name: str, x: np.ndarray) -> Attribute | None:
    """Read a number in bands where it piles up on one value; None where it does not."""
    distinct, count = np.unique(x, return_counts=True)
    if count.max() < PILE * len(x) or len(distinct) > 0.5 * len(x):
        return None
    least = max(len(x) / (2 * MOST_BANDS), 5)
    starts, held = [0], 0
    for i, n in enumerate(count):
        # A band ends before a pile, after a pile, and where it holds enough.
        if held and (held >= least or n >= PILE * len(x)):
            starts.append(i)
            held = 0
        held += int(n)
    if held < least and len(starts) > 2:
        starts.pop()
    if len(starts) < 2:
        return None
    ends = [*(i - 1 for i in starts[1:]), len(distinct) - 1]
    levels = [f"{distinct[a]:g}" if a == b else f"{distinct[a]:g} to {distinct[b]:g}" for a, b in zip(starts, ends, strict=True)]
    levels[-1] = f"{distinct[starts[-1]]:g} and over" if starts[-1] != ends[-1] else levels[-1]
    return Attribute(name=name, kind="banded", levels=tuple(levels), edges=tuple(float(distinct[i]) for i in starts[1:]))


def _skew(x: np.ndarray) -> float:
    spread = float(x.std())
    return float(((x - x.mean()) ** 3).mean() / spread**3) if spread > 0 else 0.0


def encode(table: pd.DataFrame, attributes: Sequence[Attribute]) -> Coded:
    """Turn rows into numbers and codes; each row by itself, so that the company it keeps changes nothing.

    Parameters
    ----------
    table : pandas.DataFrame
        Has every attribute's column.
    attributes : sequence of Attribute

    Returns
    -------
    Coded
    """
    numbers, codes, sizes = [], [], []
    missing: dict[str, int] = {}
    new: dict[str, int] = {}
    for a in attributes:
        if a.kind in ("number", "banded"):
            raw, missing[a.name] = numbers_of(table[a.name])
            new[a.name] = int(np.isnan(raw).sum()) - missing[a.name]
            if a.kind == "banded":
                codes.append(np.where(np.isnan(raw), -1, np.searchsorted(np.array(a.edges), raw, side="right")))
                sizes.append(len(a.levels))
                continue
            shown = np.log1p(np.maximum(raw, 0.0)) if a.log else raw
            numbers.append((np.clip(shown, a.low, a.high) - a.centre) / a.scale)
            continue
        at, words = spelt(table[a.name])
        unknown = np.array([w is None for w in words])
        place = {level: i for i, level in enumerate(a.levels) if level != OTHER}
        other = len(a.levels) - 1 if a.levels[-1] == OTHER else -1
        each = np.array([place.get(w, -1) for w in words], dtype=np.int64)
        missing[a.name] = int(unknown[at].sum())
        new[a.name] = int(unseen(words, a)[at].sum())
        if a.kind == "ordered":
            numbers.append(np.where(each < 0, np.nan, (each - a.centre) / a.scale)[at])
            continue
        codes.append(np.where((each < 0) & ~unknown, other, each)[at])
        sizes.append(len(a.levels))
    n = len(table)
    lined = tuple(a.kind == "banded" for a in attributes if a.kind in ("banded", "category"))
    told = np.column_stack(numbers) if numbers else np.empty((n, 0))
    return Coded(told, np.column_stack(codes) if codes else np.empty((n, 0), np.int64), tuple(sizes), missing, new, lined)


def numbers_of(values: pd.Series) -> tuple[np.ndarray, int]:
    """Give a column's numbers, NaN where there is none, and how many are not known."""
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        raw = values.to_numpy(dtype=float, na_value=np.nan, copy=True)
        missing = int(np.isnan(raw).sum())
    else:
        at, words = spelt(values)
        raw = as_numbers(words)[at]
        missing = int(np.array([w is None for w in words])[at].sum())
    raw[~np.isfinite(raw)] = np.nan
    return raw, missing
