"""Guesses about an extract of people: which columns are references, days, keys and attributes.

In: the table of a file. Out: settings that read it, or nothing where the file does not look like one row an episode. Refuses nothing; what
it guesses is for a person to check.
"""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from demand.data.cells import matches, to_text
from demand.data.codes import proposed_codes
from demand.data.extracts import FAR_FUTURE, YES_NO, PeopleSpec, PlacesSpec, examine_people
from demand.data.files import ROW, RawTable
from demand.data.formats import parse_dates
from demand.data.identifiers import identifier_faults
from demand.data.names import of_people
from demand.data.numbers import to_numbers
from demand.data.policies import LEAVES_OUT, QualitySpec
from demand.errors import DataError

__all__ = ["guess_codes", "guess_described", "guess_people", "guess_policies"]

BEGINS = re.compile(r"start|open|present|begin|from|admi|referr|approach|^decom$|dechrau|agor|derbyn|cyfeiri", re.IGNORECASE)
ENDS = re.compile(r"end|clos|ceas|left|leav|discharg|until|to$|^dec$|gorffen|diwedd|\bcau\b|gadael", re.IGNORECASE)
NO_EPISODE = re.compile(r"dob|birth|born|updated|modified|review|planned|expected|assess|duty|geni|adolyg|diweddar", re.IGNORECASE)
PERSON = re.compile(
    r"person|client|applicant|household|child|service_user|customer|citizen|cleient|aelwyd|plentyn|ymgeisydd", re.IGNORECASE
)
EPISODE = re.compile(r"placement|episode|case|line|package|spell|ref|\bid\b|_id|cyfeirnod|achos|lleoliad", re.IGNORECASE)
DAY_NAME = re.compile(r"date|day|start|end|open|clos|dyddiad", re.IGNORECASE)
NAMES = re.compile(
    r"(fore|first|last|given|family|middle|sur|known.?as.?|full|client|applicant|child|tenant)_?\s?-?names?\b|^names?$|surname|nickname|enw",
    re.IGNORECASE,
)
"""What a column of names of people is called: never proposed, whatever it holds."""
AREA = re.compile(r"area|ward|locality|patch|district|cluster|ardal", re.IGNORECASE)
TYPES = tuple(
    re.compile(p, re.IGNORECASE)
    for p in (r"(placement|service|ta|accommodation)_?type", r"type|^math\b", r"service|category|gwasanaeth|categori")
)
LATER = re.compile(
    r"end|outcome|clos|discharg|status|ceas|team|centre|provider|worker|rate|charge|fee|cost|gross|nightly|weekly|price|invoice|date|_ref|_no$|sheet",
    re.IGNORECASE,
)
"""What is known only afterwards, or says who dealt with it."""
WEEKLY = re.compile(r"week", re.IGNORECASE)
ACTIVITY = re.compile(r"last_?(updated|contact|payment|activity)", re.IGNORECASE)
PLACE = re.compile(
    r"\b(la|lad|authority|council|area|ward|lsoa|msoa|gss|region|school|ons)\b.*code|^(la|lsoa|msoa|ward)( ?cd)?$", re.IGNORECASE
)
LEAST_ROWS, LEAST_ATTRIBUTES = 50, 3
"""Below these a table describes too few, or too little, for groups to be looked for."""
MOST_ATTRIBUTES = 10
MOST_KINDS = 40
KEY = b"only for looking: nothing of it is kept"


def guess_people(raw: RawTable) -> PeopleSpec | None:
    """Guess how an extract of people is to be read.

    Parameters
    ----------
    raw : RawTable
        The whole file.

    Returns
    -------
    PeopleSpec or None
        None where no two columns hold the days on which something began and ended, or nothing names each row.
    """
    texts = {str(c): to_text(raw.data[c]) for c in raw.data.columns}
    days = {c: d for c, t in texts.items() if (d := _days(c, t)) is not None and not NO_EPISODE.search(c)}
    pair = _pair(days)
    reference = _reference(texts, days)
    if pair is None or reference is None:
        return None
    opened, closed = pair
    person = next((c for c, t in texts.items() if PERSON.search(c) and c != reference and c not in days and 0.1 < _distinct(t) <= 1), None)
    kinds = {c: t for c, t in texts.items() if c not in (*days, reference, person) and 1 < t.nunique() <= MOST_KINDS and _words(t)}
    kind = next((k for k in (_first(kinds, pattern) for pattern in TYPES) if k), None)
    keys = [k for k in (kind, _first(kinds, AREA)) if k]
    dates = {c for c, t in texts.items() if _days(c, t) is not None}
    described = [
        c for c, t in texts.items() if c not in (reference, person, *keys) and c not in dates and not LATER.search(c) and _tells(raw, c, t)
    ]
    price = next((c for c in texts if WEEKLY.search(c) and to_numbers(texts[c]).wrong.mean() < 0.1), None)
    activity = next((c for c in texts if ACTIVITY.search(c)), None)
    given = {"person": person, "price": price, "activity": activity}
    spec = {"path": raw.name, "id": reference, "opened": opened, "closed": closed, "keys": keys, "attributes": described[:MOST_ATTRIBUTES]}
    return PeopleSpec.model_validate({**spec, **{k: v for k, v in given.items() if v}})


def guess_described(raw: RawTable) -> PeopleSpec | PlacesSpec | None:
    """Guess how a table without dates describes places, or people: one row each.

    Parameters
    ----------
    raw : RawTable
        The whole file.

    Returns
    -------
    PeopleSpec, PlacesSpec or None
        People whom no column names are told apart by their rows. None where the table is too small, or says too little.
    """
    if len(raw.data) < LEAST_ROWS:
        return None
    texts = {str(c): to_text(raw.data[c]) for c in raw.data.columns}
    names = [c for c, t in texts.items() if t.notna().all() and not t.duplicated().any()]
    place = next((c for c in names if PLACE.search(c.replace("_", " "))), None)
    reference = place or next((c for c in names if PERSON.search(c) or EPISODE.search(c)), ROW)
    described = [c for c, t in texts.items() if c != reference and not LATER.search(c) and _tells(raw, c, t)]
    if place is None and len(described) < LEAST_ATTRIBUTES:
        return None
    if place is not None:
        return PlacesSpec(path=raw.name, id=place)
    return PeopleSpec(path=raw.name, id=reference, attributes=described[:MOST_ATTRIBUTES])


def guess_policies(spec: PeopleSpec, folder: Path) -> dict[str, int]:
    """Say which rules rows would have to be left out for, so that the extract can be used, and how many rows each concerns.

    Parameters
    ----------
    spec : PeopleSpec
    folder : pathlib.Path

    Returns
    -------
    dict of str to int

    Raises
    ------
    DataError
        Where the file cannot be read at all.
    """
    extract = examine_people(spec, folder, key=KEY, quality=QualitySpec())
    hard = [f for f in extract.faults if f.rule not in LEAVES_OUT]
    if hard:
        raise DataError(hard, during=f"reading {spec.path}")
    return {f.rule: len(f.rows) for f in extract.faults}


def guess_codes(raw: RawTable, columns: list[str]) -> dict[str, dict[str, list[str]]]:
    """Give the spellings that may be one code."""
    found = {c: proposed_codes(to_text(raw.data[c]).dropna()) for c in columns}
    return {column: codes for column, codes in found.items() if codes}


def _days(name: str, text: pd.Series) -> pd.Series | None:
    """Read a column as days; None where it holds none, or references of five figures that only could be Excel's numbers of days."""
    text = text.where(~matches(text, FAR_FUTURE))
    given = text.dropna()
    if given.empty or (to_numbers(given).wrong.mean() < 0.5 and not given.astype(str).str.fullmatch(r"\d{5}|\d{8}").any()):
        return None
    read = parse_dates(text)
    if read.family == "excel" and (EPISODE.search(name) or PERSON.search(name)) and not DAY_NAME.search(name):
        return None
    return read.values if read.wrong.mean() < 0.1 and read.values.notna().sum() > 0 else None


def _pair(days: dict[str, pd.Series]) -> tuple[str, str] | None:
    """Choose the columns of days on which episodes begin and end: named alike, filled, and one after the other."""
    best, most = None, -1.0
    for (a, first), (b, last) in product(days.items(), repeat=2):
        if a == b or not BEGINS.search(a) or not ENDS.search(b) or first.notna().mean() < 0.95:
            continue
        both = first.notna() & last.notna()
        if not both.any() or (last[both] >= first[both]).mean() < 0.9:
            continue
        shared = len(_stem(a, BEGINS) & _stem(b, ENDS))
        score = shared + first.nunique() / len(first) + both.mean() / 10
        if score > most:
            best, most = (a, b), score
    return best


def _stem(name: str, without: re.Pattern[str]) -> set[str]:
    return {w for w in re.split(r"[\s_\-]+", name.casefold()) if w and not without.search(w)}


def _reference(texts: dict[str, pd.Series], days: dict[str, pd.Series]) -> str | None:
    """Choose the column that names each row: filled, nearly all different, and called so."""
    likely = [c for c, t in texts.items() if c not in days and t.notna().mean() > 0.98 and _distinct(t) > 0.97 and EPISODE.search(c)]
    return max(likely, key=lambda c: (not PERSON.search(c), _distinct(texts[c])), default=None)


def _distinct(text: pd.Series) -> float:
    return float(text.nunique() / max(len(text), 1))


def _words(text: pd.Series) -> bool:
    return bool(to_numbers(text.dropna()).wrong.mean() > 0.5)


def _first(kinds: dict[str, pd.Series], pattern: re.Pattern[str]) -> str | None:
    return next((c for c in kinds if pattern.search(c)), None)


def _tells(raw: RawTable, column: str, text: pd.Series) -> bool:
    """Say whether a column can describe a person: few kinds or a number, filled, and naming nobody."""
    numbers = to_numbers(text.dropna())
    number = bool(numbers.wrong.mean() == 0 and np.isfinite(numbers.values).any())
    if of_people(column.casefold()) and not number and not set(text.dropna().str.casefold()) <= set(YES_NO):
        return False
    few = 1 < text.nunique() <= (200 if number else MOST_KINDS)
    return few and text.notna().mean() > 0.8 and not NAMES.search(column) and not identifier_faults(raw.data[column], raw.rows, column)
