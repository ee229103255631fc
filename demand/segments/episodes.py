"""Episodes: one row each, where an extract records the same case more than once.

In: PEOPLE with dates, the key columns, and how the rows are counted. Out: the rows that are episodes. A person who is in two services on
the same days has two episodes; a start that is recorded beside the stay that began with it is that stay. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from demand.data.people import CountSpec

__all__ = ["episodes"]


def episodes(people: pd.DataFrame, *, keys: Sequence[str], counts: Sequence[CountSpec] = ()) -> pd.DataFrame:
    """Give one row an episode.

    Parameters
    ----------
    people : pandas.DataFrame
        PEOPLE: person_id, opened, closed, the keys, optionally price.
    keys : sequence of str
        The columns that say which service, of which type, where: they are part of what an episode is.
    counts : sequence of CountSpec
        How rows are counted. A row without a price that is counted as a start alone, beside one of the same person and days that is counted
        as a stay, is that stay's start and no episode of its own.

    Returns
    -------
    pandas.DataFrame
        Some of the rows, in their order; of rows that say the same person, days and keys, the first with a price.

    Examples
    --------
    >>> day = pd.Timestamp("2025-04-01")
    >>> people = pd.DataFrame({"person_id": "a", "opened": day, "closed": pd.NaT, "service": ["ta", "care", "care"]})
    >>> episodes(people, keys=["service"])["service"].tolist()
    ['ta', 'care']
    """
    same = ["person_id", "opened", "closed"]
    priced = people["price"].notna() if "price" in people else pd.Series(False, index=people.index)
    rows = people[[*same, *(k for k in keys if k in people)]].assign(priced=priced, at=range(len(people)))
    stays = rows.assign(stay=_counted(people, counts, "stock")).groupby(same, dropna=False)["stay"].transform("any")
    starts = _counted(people, counts, "flow") & ~_counted(people, counts, "stock") & ~priced
    own = rows[~(starts & stays)].sort_values("priced", ascending=False, kind="stable")
    return people.iloc[sorted(own.drop_duplicates([c for c in rows if c not in ("priced", "at")])["at"])]


def _counted(people: pd.DataFrame, counts: Sequence[CountSpec], kind: str) -> pd.Series:
    """Say which rows are counted in this way."""
    out = pd.Series(False, index=people.index)
    for count in counts:
        if count.kind == kind:
            mine = pd.Series(True, index=people.index)  # without `where`, every row is counted
            for key, values in count.where.items():
                mine &= people[key].astype(str).isin(list(values))
            out |= mine
    return out
