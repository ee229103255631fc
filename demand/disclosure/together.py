"""Several tables that leave together: which of their counts are the same, and which add up across tables.

In: tables of exact counts, each with what its counts are of. Out: one list of counts, where each lies in which table, and the sums between
them. Refuses nothing. Whoever holds two tables joins them: a count that one hides and the other shows is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from demand.disclosure.additive import Relation, relations

__all__ = ["Counted", "Joined", "Leaving", "joined", "told_of"]

Counted = frozenset[tuple[str, str]]
"""Who is counted: {("segment", "A"), ("need", "yes")} are those of segment A with that need."""


@dataclass(frozen=True)
class Leaving:
    """One of the tables.

    Parameters
    ----------
    table : pandas.DataFrame
        Exact counts, what is said of those counted, and keys.
    counts, values, plain : sequence of str
        As in `demand.disclosure.protect`.
    sums : mapping, optional
        Row -> the rows that it is the sum of.
    earlier : pandas.DataFrame, optional
        The table as it left before.
    amounts : mapping, optional
        As in `demand.disclosure.protect`.
    who : mapping, optional
        Column of counts -> by row, who is counted there. The same people in two places are one count; where one key more is told, the
        parts add up to the count without it.
    """

    table: pd.DataFrame
    counts: Sequence[str]
    values: Sequence[str] = ()
    plain: Sequence[str] = ()
    sums: Mapping[int, Sequence[int]] | None = None
    earlier: pd.DataFrame | None = None
    amounts: Mapping[str, Sequence[Sequence[float]] | None] = field(default_factory=dict)
    who: Mapping[str, Sequence[Counted]] = field(default_factory=dict)

    @property
    def keys(self) -> list[str]:
        """The columns that say what a row is about."""
        return [str(c) for c in self.table.columns if c not in {*self.counts, *self.values, *self.plain}]

    @property
    def exact(self) -> np.ndarray:
        """(row, count), float64."""
        numbers = self.table[list(self.counts)].apply(pd.to_numeric).to_numpy(dtype=float)
        return np.asarray(numbers.reshape(len(self.table), len(self.counts)))


@dataclass(frozen=True)
class Joined:
    """The counts of several tables.

    Parameters
    ----------
    exact : numpy.ndarray
        One number a count, however often it is told.
    places : list of numpy.ndarray
        By table, (row, count): the number of the count that stands there.
    relations : list of Relation
    """

    exact: np.ndarray
    places: list[np.ndarray]
    relations: list[Relation]


def told_of(table: pd.DataFrame, keys: Mapping[str, str], **fixed: str) -> list[Counted]:
    """Say who is counted in each row: those with the values of some columns.

    Examples
    --------
    >>> told_of(pd.DataFrame({"level": ["yes"]}), {"need": "level"}) == [frozenset({("need", "yes")})]
    True
    """
    columns = [[(name, str(v)) for v in table[column]] for name, column in keys.items()]
    return [frozenset({*row, *fixed.items()}) for row in zip(*columns, strict=True)]


def joined(tables: Sequence[Leaving]) -> Joined:
    """Number the counts of several tables, and find the sums within and between them.

    Parameters
    ----------
    tables : sequence of Leaving

    Returns
    -------
    Joined
    """
    exact: list[float] = []
    known: dict[Counted, int] = {}
    places, found = [], []
    for one in tables:
        place = _places(one, exact, known)
        places.append(place)
        flat = place.ravel()
        own = relations(one.table, counts=one.counts, keys=one.keys, sums=one.sums)
        found += [(int(flat[t]), tuple(dict.fromkeys(int(flat[p]) for p in parts))) for t, parts in own]
    found += _between(known, exact)
    adds_up = [(t, p) for t, p in dict.fromkeys(found) if t not in p and np.isclose(sum(exact[k] for k in p), exact[t])]
    return Joined(np.array(exact), places, adds_up)


def _places(one: Leaving, exact: list[float], known: dict[Counted, int]) -> np.ndarray:
    values = one.exact
    place = np.empty(values.shape, dtype=int)
    for j, column in enumerate(one.counts):
        who = one.who.get(column)
        for i, value in enumerate(values[:, j]):
            seen = known.get(who[i]) if who is not None else None
            if seen is None or exact[seen] != value:  # other people under one name are another count
                exact.append(float(value))
                seen = len(exact) - 1
                if who is not None:
                    known.setdefault(who[i], seen)
            place[i, j] = seen
    return place


def _between(known: Mapping[Counted, int], exact: Sequence[float]) -> list[Relation]:
    """Find counts that are the sum over one key more, or the same as one of those: nobody was left out there."""
    parts: dict[tuple[Counted, str], list[int]] = {}
    for who, number in known.items():
        for key, value in who:
            rest = who - {(key, value)}
            if rest in known:
                parts.setdefault((rest, key), []).append(number)
    found: list[Relation] = []
    for (rest, _), numbers in parts.items():
        total = known[rest]
        if np.isclose(sum(exact[n] for n in numbers), exact[total]):
            found.append((total, tuple(numbers)))
        else:
            found += [(total, (n,)) for n in numbers if exact[n] == exact[total]]
    return found
