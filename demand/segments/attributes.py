"""Attributes: what each column of an extract is, and how it becomes something that can be compared.

In: a table with one row a person or place, as councils have it: numbers, counts, yes/no needs, ordered bands, categories, much missing.
Out: `Attribute`, the frozen reading of one column, and `Coded`, the numbers and codes of all rows. Leaves out, with a note that names the
column and the reason: protected characteristics (unless listed), identifiers, dates, constant, empty and doubled columns, codes too many.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from demand.errors import listed
from demand.spec import Spec

__all__ = ["NOT_ATTRIBUTES", "Attribute", "Coded", "Reading", "encode", "normal_text", "protected", "read_attributes"]

NOT_ATTRIBUTES = ("person_id", "place_id", "episode_id", "opened", "closed", "price", "segment", "certainty")
"""Columns of PEOPLE that say who, when and how much, not what a person is like."""
KEYS = ("area", "service", "type")
"""Where a table does not say which columns are its keys, these are taken as keys."""
UNKNOWN = frozenset({"", "nan", "null", "na", "n/a", "<na>", "nat", "unknown", "not known", "not recorded", "not stated", "not asked",
    "missing", "refused", "prefer not to say", "declined", "?", "-", "."})  # fmt: skip
"""Words that mean that nobody knows. Not known is not "no"."""
YES, NO = frozenset({"yes", "y", "true", "t"}), frozenset({"no", "n", "false", "f"})
OTHER = "(other)"
MOST_LEVELS, MOST_BANDS = 12, 5
PILE = 0.25
"""A number of which so large a share is one value (most often 0) is taken in bands: a bell curve would shrink to the pile."""
LEAST_SHARE = 0.01
"""A level that fewer than 1 % have is joined with the others like it."""
PROTECTED = {
    "age": "age ages aged dob birth born oed oedran",
    "disability": "disab disability disabled impairment wheelchair anabledd",
    "gender reassignment": "trans transgender reassignment genderreassignment",
    "marriage and civil partnership": "marital married marriage civilpartnership priod",
    "pregnancy and maternity": "pregnant pregnancy maternity beichiog",
    "race": "race ethnic ethnicity ethnicgroup nationality afam bame hil ethnigrwydd",
    "religion or belief": "religion religious belief faith crefydd",
    "sex": "sex gender male female rhyw",
    "sexual orientation": "sexual sexuality orientation lgbt",
    "language": "language languages iaith welsh cymraeg",
}
"""The nine characteristics of the Equality Act 2010, section 4, and language, with the words by which column names tell them."""
_WORDS = {word: name for name, words in PROTECTED.items() for word in words.split()}
_DATE = re.compile(r"^\s*(\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[/.-]\d{1,2}[/.-](\d{4}|\d{2}))([ T]\d{1,2}:\d{2}.*)?\s*$")
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


def protected(name: str) -> str | None:
    """Name the protected characteristic that a column's name tells, if it tells one.

    Examples
    --------
    >>> protected("age_band"), protected("agency"), protected("FirstLanguage")
    ('age', None, 'language')
    """
    parts = [p.lower() for p in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", str(name))]
    pairs = [a + b for a, b in pairwise(parts)]
    return next((_WORDS[p] for p in [*pairs, *parts] if p in _WORDS), None)


def normal_text(values: pd.Series) -> pd.Series:
    """Give values as text that does not depend on how a file was read: 3.0 is "3", True is "yes"; missing where nobody knows."""
    if pd.api.types.infer_dtype(values, skipna=True) in ("mixed", "mixed-integer"):
        # 0 and False are one and the same to pandas, so that the first of them would speak for both.
        return pd.Series([None if pd.isna(v) else _word(v) for v in values], index=values.index, dtype=object)
    codes, uniques = pd.factorize(values, use_na_sentinel=True)
    words = np.array([_word(u) for u in uniques] + [None], dtype=object)
    return pd.Series(words[codes], index=values.index, dtype=object)


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
        One row a person or place.
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
    used: list[Attribute] = []
    notes: list[str] = []
    seen: dict[bytes, str] = {}
    for name in names:
        kin = protected(name)
        if kin and features is None:
            notes.append(f"'{name}' was not used to find segments: it tells of {kin}, a protected characteristic. List it to use it.")
            continue
        text = normal_text(table[name])
        reason = _unusable(name, table[name], text)
        mark = pd.util.hash_pandas_object(text, index=False).to_numpy().tobytes()
        if not reason and mark in seen:
            reason = f"it says the same as '{seen[mark]}' in every row"
        attribute = None if reason else _attribute(name, table[name], text)
        if attribute is None:
            notes.append(f"'{name}' was not used to find segments: {reason or 'its codes are too many and too rare to compare'}.")
            continue
        seen[mark] = name
        used.append(attribute)
        if (share := float(text.isna().mean())) > 0.4:
            notes.append(f"'{name}' is not known for {share:.0%} of the rows; those rows are placed by what else is known.")
    return Reading(tuple(used), tuple(notes))


def _unusable(name: str, values: pd.Series, text: pd.Series) -> str:
    """Say why a column cannot tell segments apart; empty where it can."""
    known = text.dropna()
    distinct = known.nunique()
    if known.empty:
        return "it is empty"
    if distinct == 1:
        return "it has the same value in every row where it is known"
    if pd.api.types.is_datetime64_any_dtype(values) or bool(known.head(200).map(lambda v: bool(_DATE.match(v))).mean() > 0.9):
        return "it holds dates; make an attribute of it first, such as years since"
    if distinct > 0.9 * len(known) and len(known) >= 20:
        numbers = pd.to_numeric(known, errors="coerce")
        if numbers.isna().any():
            return f"nearly every row has its own value ({listed(known.head(2))}), so it looks like an identifier"
        whole = bool((numbers % 1 == 0).all())
        named = re.search(r"(^|_|\b)(id|ref|reference|number|no|uprn|nhs|nino|code|key)(_|\b|$)", str(name), re.IGNORECASE)
        if whole and (named or numbers.max() - numbers.min() < 3 * len(numbers) or numbers.min() > 1e6):
            return "nearly every row has its own whole number, so it looks like an identifier"
    return ""


def _attribute(name: str, values: pd.Series, text: pd.Series) -> Attribute | None:
    known = text.dropna()
    numbers = pd.to_numeric(known, errors="coerce")
    if not isinstance(values.dtype, pd.CategoricalDtype) and numbers.notna().all() and np.isfinite(numbers).all():
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
    return Attribute(name=name, kind="category", levels=(*sorted(kept.index), OTHER) if rest else tuple(sorted(kept.index)))


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
        text = normal_text(table[a.name])
        missing[a.name] = int(text.isna().sum())
        if a.kind in ("number", "banded"):
            raw = pd.to_numeric(text, errors="coerce").to_numpy(dtype=float, copy=True)
            raw[~np.isfinite(raw)] = np.nan
            new[a.name] = int(np.isnan(raw).sum()) - missing[a.name]
            if a.kind == "banded":
                codes.append(np.where(np.isnan(raw), -1, np.searchsorted(np.array(a.edges), raw, side="right")))
                sizes.append(len(a.levels))
                continue
            shown = np.log1p(np.maximum(raw, 0.0)) if a.log else raw
            numbers.append((np.clip(shown, a.low, a.high) - a.centre) / a.scale)
            continue
        place = {level: i for i, level in enumerate(a.levels) if level != OTHER}
        other = len(a.levels) - 1 if a.levels[-1] == OTHER else -1
        found = text.map(place)
        unseen = (found.isna() & text.notna()).to_numpy()
        new[a.name] = int(unseen.sum()) if other < 0 else 0
        code = found.fillna(-1).to_numpy().astype(np.int64)
        if a.kind == "ordered":
            numbers.append(np.where(code < 0, np.nan, (code - a.centre) / a.scale))
            continue
        code[unseen] = other
        codes.append(code)
        sizes.append(len(a.levels))
    n = len(table)
    return Coded(np.column_stack(numbers) if numbers else np.empty((n, 0)), np.column_stack(codes) if codes else np.empty((n, 0), np.int64),
                 tuple(sizes), missing, new, tuple(a.kind == "banded" for a in attributes if a.kind in ("banded", "category")))  # fmt: skip
