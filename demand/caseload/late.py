"""Late recording and cases without activity: what the last months of an extract do not say yet, and what it says too long.

In: earlier extracts of the same service with the day on which each was made; or open placements with the day of their last activity.
Out: how full recent months are, and what they will grow to; stocks with and without cases that seem forgotten. Refuses extracts without
days of opening.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd

from demand.calendar import Frequency
from demand.errors import DataError, Fault, did_you_mean
from demand.spec import stream

__all__ = ["fullness", "no_activity", "nowcast"]

MONTHS = 6
"""The last months that may still grow; older ones are taken as full."""
DRAWS = 2000


def fullness(extracts: Mapping[pd.Timestamp, pd.DataFrame], *, day: str = "opened") -> pd.DataFrame:
    """Say how much of a month was recorded so many months later.

    Parameters
    ----------
    extracts : mapping of Timestamp to DataFrame
        The day on which each was made (the last day of a month) to its PEOPLE.
    day : str
        What is counted: `opened` or `closed`.

    Returns
    -------
    pandas.DataFrame
        months_after (0: at the end of the month itself), share (recorded by then, of what was recorded one month later), seen (how many
        that rests on). Empty where there are fewer than two extracts: late recording is then not estimated.

    Raises
    ------
    DataError
        Where an extract has no such column.

    References
    ----------
    The chain ladder: Mack, T. (1993), ASTIN Bulletin 23(2).
    """
    counts = _counts(extracts, day)
    now: dict[int, float] = {}
    later: dict[int, float] = {}
    made = sorted(counts)
    for first, second in pairwise(made):
        if _months(second, first) != 1:
            continue
        for age in range(MONTHS):
            month = (first - age).to_timestamp()
            if month in counts[first].index and month in counts[second].index:
                now[age] = now.get(age, 0.0) + float(counts[first][month])
                later[age] = later.get(age, 0.0) + float(counts[second][month])
    rows = [(a, min(now[a] / later[a], 1.0), later[a]) for a in sorted(now) if later[a] > 0]
    return pd.DataFrame(rows, columns=["months_after", "share", "seen"])


def nowcast(extracts: Mapping[pd.Timestamp, pd.DataFrame], *, day: str = "opened", seed: int) -> pd.DataFrame:
    """Say what the last months of the latest extract will grow to.

    Parameters
    ----------
    extracts : mapping of Timestamp to DataFrame
    day : str
    seed : int

    Returns
    -------
    pandas.DataFrame
        ds, recorded, expected, low, high (80 %): the last months; empty where late recording cannot be estimated.

    Raises
    ------
    DataError
        As `fullness`.
    """
    shares = fullness(extracts, day=day).set_index("months_after")
    if shares.empty:
        return pd.DataFrame(columns=["ds", "recorded", "expected", "low", "high"])
    latest, rng, rows = max(_counts(extracts, day)), stream(seed, "nowcast", day), []
    counts = _counts(extracts, day)[latest]
    grown = np.ones(DRAWS)
    for age in sorted(shares.index, reverse=True):
        seen = shares.loc[age, "seen"]
        grown = grown * rng.beta(shares.loc[age, "share"] * seen + 0.5, (1 - shares.loc[age, "share"]) * seen + 0.5, DRAWS)
        month = (latest - age).to_timestamp()
        if month in counts.index:
            recorded = float(counts[month])
            missing = rng.negative_binomial(recorded + 0.5, np.minimum(grown, 1 - 1e-9), DRAWS)
            whole = recorded + missing
            rows.append((month, recorded, float(whole.mean()), *np.quantile(whole, [0.1, 0.9])))
    return pd.DataFrame(rows, columns=["ds", "recorded", "expected", "low", "high"])


def no_activity(spells: pd.DataFrame, day: pd.Timestamp, *, last_activity: str, limit_days: int = 90) -> pd.DataFrame:
    """Show open placements that nobody has paid for, visited or written about for long, apart from the others.

    Parameters
    ----------
    spells : pandas.DataFrame
        SPELLS as known on the day.
    day : pandas.Timestamp
    last_activity : str
        The column with the day of the last payment or contact; a placement without one counts from its opening.
    limit_days : int

    Returns
    -------
    pandas.DataFrame
        unique_id, open, without_activity, with_activity.

    Raises
    ------
    DataError
        Where there is no such column.
    """
    if last_activity not in spells:
        known = did_you_mean(last_activity, [str(c) for c in spells.columns])
        raise DataError(Fault(f"people have no column '{last_activity}' of last activity", where="data > people", allowed=known))
    there = spells[(spells["opened"] <= day) & ~(spells["closed"] <= day)]
    silent = (day - there[last_activity].fillna(there["opened"])).dt.days > limit_days
    table = pd.DataFrame({"unique_id": there["unique_id"], "open": 1, "without_activity": silent.astype(int)})
    told = table.groupby("unique_id", as_index=False).sum()
    return told.assign(with_activity=told["open"] - told["without_activity"])


def _counts(extracts: Mapping[pd.Timestamp, pd.DataFrame], day: str) -> dict[pd.Period, pd.Series]:
    found = {}
    for made, people in extracts.items():
        if day not in people:
            raise DataError(Fault(f"the extract of {made:%d %B %Y} has no column '{day}'", where="snapshots"))
        days = people[day].dropna()
        if days.empty:
            raise DataError(Fault(f"the extract of {made:%d %B %Y} has no day in '{day}'", where="snapshots"))
        months = Frequency("M").between(days.min(), made)
        months_of = Frequency("M").start_of(pd.DatetimeIndex(days[days <= made]))
        found[pd.Timestamp(made).to_period("M")] = pd.Series(months_of).value_counts().reindex(months, fill_value=0)
    return found


def _months(later: pd.Period, earlier: pd.Period) -> int:
    return int((later.year - earlier.year) * 12 + later.month - earlier.month)
