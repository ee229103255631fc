"""Where one system followed another: names that end where others begin.

In: names with the days on which they were used. Out: findings, for a person to say whether it is the same thing under another name.
Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from demand.data.quality import Finding
from demand.errors import listed
from demand.tables import History

__all__ = ["renamed_codes", "renamed_series"]

LEAST_USED = 10
"""A code that stands in fewer rows says nothing about when it began."""
ROOM_DAYS, ROOM_SPACINGS = 120.0, 6.0
"""A code has ended, or is new, when it was silent for so many days and for so many times its usual spacing (chance: e to the minus six)."""
NEAR_DAYS = 45.0
"""Days between the last use of the old name and the first of the new one, for a code that is used often."""
PERIODS_ROOM, PERIODS_NEAR = 2, 3
"""The same of series, in periods."""
MORE = 2
"""Where more than so many series begin for each that ends, something new is collected."""
LEVEL = 3.0
"""A series that begins at more than so many times the level at which another ended, or less, is not the same one."""


def renamed_codes(people: pd.DataFrame, keys: Sequence[str], where: str) -> list[Finding]:
    """Find keys whose codes end where other codes begin.

    Parameters
    ----------
    people : pandas.DataFrame
        With `opened` and the keys.
    keys : sequence of str
    where : str
        The file, for messages.

    Returns
    -------
    list of Finding
        system_change: one a key.
    """
    found = []
    for key in keys:
        used = people[[key, "opened"]].dropna().astype({key: str}).groupby(key)["opened"].agg(["min", "max", "size"])
        used = used[used["size"] >= LEAST_USED]
        if len(used) < 2:
            continue
        spacing = (used["max"] - used["min"]).dt.days / used["size"]
        room = np.maximum(ROOM_DAYS, ROOM_SPACINGS * spacing)
        ended = used[(people["opened"].max() - used["max"]).dt.days > room]["max"]
        begun = used[(used["min"] - people["opened"].min()).dt.days > room]["min"]
        near = np.maximum.outer(*(np.maximum(NEAR_DAYS, ROOM_SPACINGS * spacing[s.index].to_numpy()) for s in (begun, ended)))
        gap = (begun.to_numpy()[:, None] - ended.to_numpy()[None, :]) / np.timedelta64(1, "D")
        new = (np.abs(gap) <= near).any(axis=1)
        if new.any():
            days = listed(sorted({f"{d:%B %Y}" for d in begun[new]}))
            told = f"codes end where others begin, in {days}: another system, or another list? 'codes' merges what is the same"
            found.append(Finding.of("system_change", "warn", f"{where} > {key}", count=int(new.sum()), message=told))
    return found


def renamed_series(history: History) -> list[Finding]:
    """Find series that end where others of the same kind begin, at about the same level.

    Parameters
    ----------
    history : History

    Returns
    -------
    list of Finding
        system_change.
    """
    wide = history.wide
    pairs: list[str] = []
    for ids in history.series.groupby(["kind", "unit"]).groups.values():
        some = wide[list(ids)].dropna(axis=1, how="all")
        given = some.notna().to_numpy()
        first, last = given.argmax(axis=0), len(wide) - 1 - given[::-1].argmax(axis=0)
        level = some.mean().to_numpy()
        for start in np.unique(first[first >= PERIODS_ROOM]):
            new = np.flatnonzero(first == start)
            old = np.flatnonzero((start > last) & (start - last <= PERIODS_NEAR) & (last < len(wide) - PERIODS_ROOM))
            if len(new) > MORE * len(old):  # something that was not collected before
                continue
            for n in new:
                like = [o for o in old if max(level[n], level[o]) <= LEVEL * min(level[n], level[o])]
                name, same = str(some.columns[n]), [str(some.columns[o]) for o in like]
                beside = [other for other in same if _differ(name, other)]
                pairs += [f"'{name}' after {listed(beside)} ({wide.index[start]:%Y-%m})"] if beside else []
    if not pairs:
        return []
    told = f"series begin where others end: {listed(pairs)}. Another system, another list, or a merger? Under one name they are one history"
    return [Finding.of("system_change", "warn", "history", count=len(pairs), message=told)]


def _differ(one: str, other: str) -> bool:
    """Say whether two names of series differ in one part alone."""
    a, b = one.split("/"), other.split("/")
    return len(a) == len(b) and sum(x != y for x, y in zip(a, b, strict=True)) == 1
