"""People: pseudonyms, age bands, and episodes counted into series.

In: references of people and episodes with an opening and a closing day. Out: keyed pseudonyms, bands, and a HISTORY with every period of
every combination of keys that ever occurs (here a zero is a real zero). Refuses keys that are too short and counts that overlap unnamed.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from demand.calendar import Frequency
from demand.errors import DataError, Fault, SettingsError, did_you_mean, listed, raise_all
from demand.spec import Spec, Where
from demand.tables import History

__all__ = ["AGE_BANDS", "BLANK_KEY", "CountSpec", "age_band", "count_episodes", "pseudonymise"]

AGE_BANDS = (0, 16, 18, 25, 35, 45, 55, 65, 75)
"""First ages of the bands in England's and Wales's homelessness returns, with children below 16 together."""
BLANK_KEY = "(not given)"
"""The value of a key column whose cell is empty: people are not lost from the count."""


class CountSpec(Spec):
    """One way of counting episodes."""

    where: Where = Field(default_factory=dict)
    """Which episodes: key column -> values; all of them where nothing is said."""
    kind: Literal["flow", "stock"] = "flow"
    """flow: opened in the period. stock: open at the end of the period's last day."""
    unit: str = "people"
    """What one episode is: people, households, children, placements..."""
    name: str | None = None
    """Where the same episodes are counted in two ways: what this count is called. The names become the key column `count`."""


def pseudonymise(values: pd.Series, key: bytes, *, purpose: str) -> pd.Series:
    """Replace references by pseudonyms that nobody without the key can turn back or make again.

    Parameters
    ----------
    values : pandas.Series
        References; blanks at their ends do not count.
    key : bytes
        At least 16 bytes, kept apart from the data.
    purpose : str
        "person", "episode"...: the same reference has another pseudonym for another purpose.

    Returns
    -------
    pandas.Series
        Sixteen hexadecimal digits each (HMAC-SHA256, RFC 2104, cut to 64 bits); None where there is no reference.

    Raises
    ------
    DataError
        Where the key is too short.

    Examples
    --------
    >>> pseudonymise(pd.Series(["C001", "C001 "]), b"a key for this example", purpose="person").nunique()
    1
    """
    if len(key) < 16:
        raise DataError(Fault(f"a key of {len(key)} bytes", allowed="A key for pseudonyms has 16 bytes or more"))
    codes, unique = pd.factorize(values.astype(object), use_na_sentinel=True)
    prefix = purpose.encode() + b"\x1f"
    digests = [hmac.digest(key, prefix + str(v).strip().encode(), "sha256").hex()[:16] for v in unique]
    return pd.Series(np.array([*digests, None], dtype=object)[codes], index=values.index, dtype=object)


def age_band(ages: pd.Series, *, starts: Sequence[int] = AGE_BANDS) -> pd.Series:
    """Put ages in years into bands.

    Parameters
    ----------
    ages : pandas.Series
        Years, NaN where not known.
    starts : sequence of int
        The first age of each band, in order.

    Returns
    -------
    pandas.Series
        Ordered categories such as "18-24" and "75+"; missing where the age is missing or below the first band.

    Examples
    --------
    >>> list(age_band(pd.Series([17.5, 18, 90])))
    ['16-17', '18-24', '75+']
    """
    labels = [f"{low}-{high - 1}" for low, high in pairwise(starts)] + [f"{starts[-1]}+"]
    return pd.cut(ages.astype(float), [*map(float, starts), np.inf], right=False, labels=labels, ordered=True)


def count_episodes(
    people: pd.DataFrame,
    counts: Sequence[CountSpec] = (CountSpec(),),
    *,
    keys: Sequence[str],
    frequency: Frequency,
    first: pd.Timestamp | None = None,
    last: pd.Timestamp | None = None,
) -> History:
    """Count episodes by period: how many began, and how many were open at the end.

    Parameters
    ----------
    people : pandas.DataFrame
        PEOPLE with `opened` and `closed` (NaT = open).
    counts : sequence of CountSpec
        What to count; the default counts every episode that was opened, as people.
    keys : sequence of str
        Columns of `people` whose combinations are the series.
    frequency : Frequency
    first, last : pandas.Timestamp, optional
        Any day of the first and of the last period; by default those of the first and the last opening. Give `last` where the extract
        stops within a period, so that half a month is not taken for a whole one.

    Returns
    -------
    History
        unique_id is the keys joined by "/". Every period from first to last is there; a period without episodes counts 0. An episode that
        closed on a day is no longer open at the end of that day.

    Raises
    ------
    DataError
        Where a column is missing, nothing can be counted, or two counts give the same series.
    SettingsError
        Where a count selects by a column or a value that is not there.
    """
    _check_columns(people, [*keys, "opened", "closed"])
    opened = people["opened"].dropna()
    if opened.empty:
        raise DataError(Fault("no episode has an opening day", do_next="Give the column of opening days as 'opened'"))
    periods = frequency.between(first if first is not None else opened.min(), last if last is not None else opened.max())
    named = any(c.name for c in counts)
    parts = [_count_one(people, count, list(keys), frequency=frequency, periods=periods, named=named) for count in counts]
    table = pd.concat(parts, ignore_index=True)
    doubled = table.loc[table.duplicated(["unique_id", "ds"]), "unique_id"].unique()
    if len(doubled):
        raise DataError(Fault(f"two counts give the same series {listed(doubled)}", where="data > people > counts",
                              do_next="Give the counts different 'where', or each a 'name'"))  # fmt: skip
    return History.of(table, frequency, keys=[*keys, "count"] if named else list(keys))


def _check_columns(people: pd.DataFrame, needed: Sequence[str]) -> None:
    known = [str(c) for c in people.columns]
    lacking = [c for c in needed if c not in known]
    raise_all(
        [Fault(f"people have no column '{c}'", allowed=did_you_mean(c, known)) for c in lacking], DataError, during="counting episodes"
    )


def _count_one(
    people: pd.DataFrame, count: CountSpec, keys: list[str], *, frequency: Frequency, periods: pd.DatetimeIndex, named: bool
) -> pd.DataFrame:
    rows = people[_meant(people, count) & people["opened"].notna().to_numpy()]
    if rows.empty:
        raise DataError(Fault(f"no episode matches {dict(count.where)}", where="data > people > counts"))
    labels = rows[keys].astype(object).where(rows[keys].notna(), BLANK_KEY).astype(str)
    group = labels.groupby(keys, sort=True).ngroup().to_numpy() if keys else np.zeros(len(rows), dtype=int)
    about = labels.assign(_g=group).drop_duplicates("_g").sort_values("_g").drop(columns="_g").reset_index(drop=True)
    values = _tally(rows, group, len(about), frequency=frequency, periods=periods, stock=count.kind == "stock")
    if named:
        about = about.assign(count=count.name or f"{count.kind} of {count.unit}")
    ids = about.agg("/".join, axis=1) if len(about.columns) else pd.Series([count.kind])
    table = about.assign(unique_id=ids, kind=count.kind, unit=count.unit).loc[np.repeat(np.arange(len(about)), len(periods))]
    return table.assign(ds=np.tile(periods.to_numpy(), len(about)), y=values.reshape(-1)).reset_index(drop=True)


def _meant(people: pd.DataFrame, count: CountSpec) -> np.ndarray:
    mask, faults = np.ones(len(people), dtype=bool), []
    for column, values in count.where.items():
        if column not in people.columns:
            faults.append(
                Fault(f"'{column}' is not a column of people", where="counts > where", allowed=did_you_mean(column, people.columns))
            )
            continue
        found = people[column].astype(str)
        unknown = [v for v in values if v not in set(found.unique())]
        faults += [
            Fault(f"'{v}' matches no episode", where=f"counts > where > {column}", allowed=did_you_mean(v, found.unique())) for v in unknown
        ]
        mask &= found.isin(values).to_numpy()
    raise_all(faults, SettingsError, during="reading what is counted")
    return mask


def _tally(
    rows: pd.DataFrame, group: np.ndarray, groups: int, *, frequency: Frequency, periods: pd.DatetimeIndex, stock: bool
) -> np.ndarray:
    """Count by group and period: entries, or entries so far less exits so far."""
    ends = frequency.end_of(periods).to_numpy()
    count = len(periods)
    began = np.searchsorted(ends, rows["opened"].dt.normalize().to_numpy())
    if not stock:
        inside = (began < count) & (rows["opened"].to_numpy() >= periods[0].to_numpy())
        return np.bincount(group[inside] * count + began[inside], minlength=groups * count).reshape(groups, count).astype(float)
    closed = rows["closed"].dt.normalize()
    left = np.where(closed.isna(), count, np.searchsorted(ends, closed.fillna(pd.Timestamp.max).to_numpy()))
    left = np.maximum(left, began)
    steps = np.zeros((groups, count + 1))
    np.add.at(steps, (group, began), 1.0)
    np.add.at(steps, (group, left), -1.0)
    return steps.cumsum(axis=1)[:, :count]
