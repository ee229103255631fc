"""The ledger of a run: every number that somebody gave, with its passport.

In: the parts of a config that hold assumptions, and the ledger that they may refer to by name. Out: assumptions.csv, and notes on what is
old, not answered for, or not used. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

import pandas as pd

from demand.errors import listed
from demand.spec import Assumption, Spec

__all__ = ["CHANGES", "COLUMNS", "ledger", "ledger_notes", "marked", "no_changes", "numbers_in", "with_numbers"]

PASSPORT = ["value", "unit", "low", "high", "source", "as_of", "owner", "placeholder"]
CHANGES = ["sheet", "cell", "assumption", "number", "old", "new", "unit", "changed_by", "why"]
"""The columns of inputs_changes.csv: what a workbook that was read back has changed."""
COLUMNS = ["name", *PASSPORT, "used_in", "entry", "review_by", "overdue", "moves_with"]
"""The columns of assumptions.csv."""


def numbers_in(part: object, name: str = "") -> Iterator[tuple[str, Assumption]]:
    """Give every assumption inside settings, with what it is called: 'hostel place: uplift', 'early_help: fewer entries'."""
    if isinstance(part, Assumption):
        yield name, part
    elif isinstance(part, Spec):
        for key in type(part).model_fields:
            yield from numbers_in(getattr(part, key), _label(part, key, name))
    elif isinstance(part, Mapping):
        for key, inner in part.items():
            yield from numbers_in(inner, f"{name}: {key}" if name else str(key))
    elif isinstance(part, list | tuple):
        for inner in part:
            yield from numbers_in(inner, name)


def with_numbers(part: Any, new: Mapping[str, Assumption], name: str = "") -> Any:
    """Give settings in which some assumptions are others: `new` has them by the names of `numbers_in`.

    Raises
    ------
    ValueError
        Where the settings refuse a number.
    """
    if isinstance(part, Assumption):
        return new.get(name, part)
    if isinstance(part, Spec):
        if not any(found in new for found, _ in numbers_in(part, name)):
            return part
        inner = {key: with_numbers(getattr(part, key), new, _label(part, key, name)) for key in type(part).model_fields}
        return type(part).model_validate(inner)
    if isinstance(part, Mapping):
        return {key: with_numbers(inner, new, f"{name}: {key}" if name else str(key)) for key, inner in part.items()}
    if isinstance(part, list | tuple):
        return type(part)(with_numbers(inner, new, name) for inner in part)
    return part


def _label(part: Spec, key: str, name: str) -> str:
    """Give what the numbers under one key of some settings are called."""
    here = ": ".join(filter(None, (name, getattr(part, "name", None))))
    return here if key in ("size", "changes", "lines", "prevention") else f"{here}: {key.replace('_', ' ')}"


def ledger(used: Mapping[str, Iterable[Spec]], *, as_of: date, entries: Mapping[str, Assumption] | None = None) -> pd.DataFrame:
    """List every assumption of a run with its passport.

    Parameters
    ----------
    used : mapping of str to Spec
        Parts of a config, by the word that says where they are used: costs, scenarios.
    as_of : date
        The day of the run: numbers to be reviewed before it are overdue.
    entries : mapping of name to Assumption, optional
        The ledger that numbers may come from.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`; entry is the name in the ledger, empty for numbers that are written where they are used.
    """
    names = {number.fingerprint: name for name, number in (entries or {}).items()}
    rows = [
        {
            "name": name,
            **{c: getattr(number, c) for c in PASSPORT},
            "used_in": place,
            "entry": names.get(number.fingerprint, ""),
            "review_by": number.review_by,
            "overdue": number.review_by is not None and number.review_by < as_of,
            "moves_with": ", ".join(f"{other} {rank:g}" for other, rank in number.moves_with.items()),
        }
        for place, parts in used.items()
        for part in parts
        for name, number in numbers_in(part)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def ledger_notes(table: pd.DataFrame, own: Iterable[str] = ()) -> tuple[str, ...]:
    """Say which numbers are past their review, which nobody has answered for, and which entries of the config's ledger nobody uses.

    Parameters
    ----------
    table : pandas.DataFrame
        As `ledger` gives it.
    own : iterable of str
        The names of the config's own ledger.
    """
    old, hollow = (table.loc[table[column].astype(bool)] for column in ("overdue", "placeholder"))
    spare = [name for name in own if name not in set(table["entry"])]
    notes = [f"'{r['name']}' was to be reviewed by {r['review_by']}: ask {r['owner']} for a new figure." for r in old.to_dict("records")]
    notes += [f"{listed(hollow['name'])}: a placeholder that nobody has answered for yet."] if len(hollow) else []
    notes += [f"{listed(spare)} of the ledger: used nowhere."] if spare else []
    return tuple(notes)


def no_changes() -> pd.DataFrame:
    """Give inputs_changes.csv of a run that no workbook was read back for."""
    return pd.DataFrame(columns=CHANGES)


def marked(table: pd.DataFrame, changes: pd.DataFrame | None) -> pd.DataFrame:
    """Give the ledger in which every number that was changed in a workbook says so as its source.

    Parameters
    ----------
    table : pandas.DataFrame
        As `ledger` gives it.
    changes : pandas.DataFrame or None
        `CHANGES`.

    Returns
    -------
    pandas.DataFrame
    """
    if changes is None or changes.empty:
        return table
    told = {}
    for name, rows in changes.groupby("assumption", sort=False):
        what = ", ".join(f"{r['number']} {r['old']:g} -> {r['new']:g} ({r['cell']})" for r in rows.to_dict("records"))
        who = next((f" by {w}" for w in rows["changed_by"] if w), "")
        why = next((f": {w}" for w in rows["why"] if w), "")
        told[str(name)] = f"edited in the workbook{who}, {what}{why}. Before: "
    sources = [told.get(name, "") + source for name, source in zip(table["name"], table["source"], strict=True)]
    return table.assign(source=sources)
