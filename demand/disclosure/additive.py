"""Which counts of a table add up to which others: what an attacker would subtract.

In: a table of exact counts. Out: relations between its cells, found in the numbers themselves, whatever a total is called. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

__all__ = ["Relation", "relations"]

Relation = tuple[int, tuple[int, ...]]
"""The number of a total, and of the cells that add up to it. Cells are numbered along the rows: row x number of counts + count."""


def relations(
    table: pd.DataFrame, *, counts: Sequence[str], keys: Sequence[str], sums: Mapping[int, Sequence[int]] | None = None
) -> list[Relation]:
    """Find the sums in a table.

    Parameters
    ----------
    table : pandas.DataFrame
        Exact counts.
    counts : sequence of str
        The columns that count.
    keys : sequence of str
        The columns that say what a row is about.
    sums : mapping, optional
        Row -> the rows that it is the sum of, where totals are nested.

    Returns
    -------
    list of Relation
        A value of a key is a total where, for all other keys, it is the sum of all its other values; a column, where it is the sum of all
        others in every row.

    Examples
    --------
    >>> table = pd.DataFrame({"area": ["Harbour", "Castle", "Wales"], "people": [3, 4, 7]})
    >>> relations(table, counts=["people"], keys=["area"])
    [(2, (0, 1))]
    """
    exact = table[list(counts)].to_numpy(dtype=float)
    found = _across_columns(exact) + _given(exact, sums or {})
    for key in keys:
        others = [k for k in keys if k != key]
        group = table.groupby(others, dropna=False, sort=False).ngroup().to_numpy() if others else np.zeros(len(table), dtype=int)
        level = table[key].astype(object).where(table[key].notna(), "").astype(str).to_numpy()
        found += _seen(exact, group, level)
    return list(dict.fromkeys(found))


def _across_columns(exact: np.ndarray) -> list[Relation]:
    width = exact.shape[1]
    if width < 3:
        return []
    total = exact.sum(axis=1)
    sums = [j for j in range(width) if np.array_equal(2 * exact[:, j], total) and total.any()]
    return [(i * width + j, tuple(i * width + k for k in range(width) if k != j)) for j in sums for i in range(len(exact))]


def _seen(exact: np.ndarray, group: np.ndarray, level: np.ndarray) -> list[Relation]:
    """Find the values of a key that are the sum of all others in every group."""
    width, found = exact.shape[1], []
    pairs = pd.Series(list(zip(group, level, strict=True)))
    if pairs.duplicated().any():
        return []
    members = {g: np.flatnonzero(group == g) for g in np.unique(group)} if len(np.unique(group)) < len(group) else {}
    large = {g: rows for g, rows in members.items() if len(rows) > 2}
    inside = np.isin(group, list(large))
    fits = np.column_stack(
        [(2 * exact[:, j] == pd.Series(exact[:, j]).groupby(group).transform("sum").to_numpy()) & inside for j in range(width)]
    )
    # A column of zeros fits any value: what is a total there is seen in the other columns.
    for name in np.unique(level[(fits & (exact > 0)).any(axis=1)]):
        mine = np.flatnonzero((level == name) & inside)
        for j in np.flatnonzero(fits[mine].all(axis=0)):
            found += [(i * width + j, tuple(k * width + j for k in large[group[i]] if k != i)) for i in map(int, mine)]
    return [(int(t), tuple(map(int, p))) for t, p in found]


def _given(exact: np.ndarray, sums: Mapping[int, Sequence[int]]) -> list[Relation]:
    width = exact.shape[1]
    fits = {row: np.isclose(exact[list(parts)].sum(axis=0), exact[row]) for row, parts in sums.items() if len(parts)}
    return [(row * width + j, tuple(k * width + j for k in sums[row])) for row, yes in fits.items() for j in range(width) if yes[j]]
