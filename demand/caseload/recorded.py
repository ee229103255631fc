"""The last months as they will be once everything is recorded: what models see where earlier extracts show how late recording is.

In: extracts by the day on which each was made, what is counted of them, and a HISTORY counted from the last of them. Out: how much of each
of the last months is recorded, and the HISTORY with what is still to come. Refuses extracts without days of opening.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from demand.caseload.late import nowcast
from demand.counts import to_counts
from demand.data.people import CountSpec, count_episodes
from demand.spec import stream
from demand.tables import History

__all__ = ["as_if_recorded", "growth_of", "late_recording", "late_sentence", "with_unrecorded"]

COLUMNS = ["count", "day", "ds", "recorded", "expected", "low", "high"]
EIGHTY = 1.2816
"""Half of an 80 % range in standard deviations."""
LEAST = 0.01
"""Growth below which a month is taken as full."""


def late_recording(extracts: Mapping[pd.Timestamp, pd.DataFrame], counts: Sequence[CountSpec], *, seed: int) -> pd.DataFrame:
    """Say what the last months of each count will grow to.

    Parameters
    ----------
    extracts : mapping of Timestamp to DataFrame
        See `nowcast`; the last is the extract of now.
    counts : sequence of CountSpec
        Of a stock both what opened and what closed is looked at.
    seed : int

    Returns
    -------
    pandas.DataFrame
        count (its name), day ("opened" or "closed"), ds, recorded, expected, low, high (80 %). Empty where no two extracts were made
        a month apart: late recording is then not known.
    """
    tables = []
    for count in counts:
        for day in ("opened", "closed") if count.kind == "stock" else ("opened",):
            rows = {made: _meant(people, count) for made, people in extracts.items()}
            rows = {made: people for made, people in rows.items() if people[day].notna().any()}
            if rows:
                tables.append(nowcast(rows, day=day, seed=seed).assign(count=_name(count), day=day))
    tables = [t for t in tables if len(t)]
    return pd.concat(tables, ignore_index=True)[COLUMNS] if tables else pd.DataFrame(columns=COLUMNS)


def as_if_recorded(history: History, people: pd.DataFrame, counts: Sequence[CountSpec], late: pd.DataFrame) -> History:
    """Give a HISTORY with what is still to be recorded.

    Parameters
    ----------
    history : History
        Counted from `people` by months.
    people : pandas.DataFrame
        PEOPLE, with the keys of the history.
    counts : sequence of CountSpec
    late : pandas.DataFrame
        From `late_recording`. What is missing is shared out among series as what is there: few cases a series tell no more. A stock gains
        what opened and is not recorded, and loses what closed.

    Returns
    -------
    History
    """
    named = any(c.name for c in counts)
    keys = [k for k in history.keys if not (named and k == "count")]
    more = pd.Series(0.0, index=pd.MultiIndex.from_frame(history.table[["unique_id", "ds"]]))
    for (name, day), rows in late.groupby(["count", "day"], sort=False):
        count = next(c for c in counts if _name(c) == name)
        growth = pd.Series(growth_of(rows, count, day=str(day))) - 1
        seen = people.assign(opened=people[str(day)])
        seen = seen[seen["opened"] >= growth.index.min()]
        if _meant(seen, count).empty:
            continue
        flow = CountSpec(where=count.where, unit=count.unit, name=_name(count) if named else None)
        found = count_episodes(seen, [flow], keys=keys, frequency=history.frequency, first=growth.index.min(), last=history.last).wide
        missing = found.mul(growth.reindex(found.index, fill_value=0.0), axis=0)
        if count.kind == "stock":
            missing = missing.cumsum() * (1 if day == "opened" else -1)
        more = more.add(missing.rename_axis(index="ds", columns="unique_id").unstack().reindex(more.index), fill_value=0.0)
    whole = np.maximum(history.table["y"].to_numpy() + more.to_numpy(), 0.0)
    return History(history.table.assign(y=whole), history.series, history.frequency)


def with_unrecorded(
    draws: xr.DataArray,
    history: History,
    counts: Sequence[CountSpec],
    late: pd.DataFrame,
    *,
    seed: int,
    lasting: Callable[[pd.Timestamp, int, str], pd.DataFrame] | None = None,
) -> xr.DataArray:
    """Give DRAWS of stocks that are as unsure as how many are there now and not recorded.

    Parameters
    ----------
    draws : xarray.DataArray
        DRAWS, made from a HISTORY of `as_if_recorded`.
    history : History
    counts : sequence of CountSpec
    late : pandas.DataFrame
        From `late_recording`.
    seed : int
    lasting : callable, optional
        Takes the last period, how many are ahead, and "opened" or "closed", and gives of those whose opening (closing) is not recorded the
        share that is still there at the end of each period ahead, by series (index) and period (columns): `Caseload.lasting`. Without it
        they are taken to stay: too wide where stays are short.

    Returns
    -------
    xarray.DataArray
        In each draw the openings and closings that nobody has entered yet are another number inside their range, fewer as they leave.
        Series of whole numbers stay whole. Flows stay as they are: next month's do not rest on who was missed.
    """
    ahead = draws.sizes["ds"]
    left = {d: lasting(history.last, ahead, d) if lasting is not None else pd.DataFrame() for d in ("opened", "closed")}
    found, named = draws.transpose("series", "ds", "draw").to_numpy().astype(float), any(c.name for c in counts)
    now, keys = history.wide.iloc[-1], history.series.reindex(draws["series"].to_numpy())
    for count in (c for c in counts if c.kind == "stock"):
        rows = late[late["count"] == _name(count)]
        mine = ((keys["kind"] == "stock") & (keys["count"] == _name(count) if named else True)).to_numpy()
        share = now.reindex(keys.index[mine]).fillna(0.0).to_numpy()  # a stock that is hidden now: nobody is shared out to it
        spread = ((rows["high"] - rows["low"]) / (2 * EIGHTY)).to_numpy(dtype=float)
        if not share.sum() or not spread.sum():
            continue
        luck = stream(seed, "unrecorded", _name(count)).standard_normal((draws.sizes["draw"], len(spread)))
        missed = (luck - luck.mean(axis=0)) * spread
        for at, part in zip(np.flatnonzero(mine), share / share.sum(), strict=True):
            whole, name, there = (found[at] == np.rint(found[at])).all(), str(keys.index[at]), np.zeros_like(found[at])
            for day, stay in left.items():
                fade = stay.loc[name].to_numpy() if name in stay.index else np.ones(ahead)
                there += fade[:, None] * part * missed[:, (rows["day"] == day).to_numpy()].sum(axis=1)
            found[at] += to_counts(there, stream(seed, "unrecorded", name)) if whole else there
    told = draws.transpose("series", "ds", "draw").copy(data=np.maximum(found, 0.0).astype(draws.dtype))
    return told.transpose(*draws.dims)


def growth_of(late: pd.DataFrame, count: CountSpec, *, day: str = "opened") -> dict[pd.Timestamp, float]:
    """Give by month how many times as many there will be as are recorded, at least 1."""
    rows = late[(late["count"] == _name(count)) & (late["day"] == day)]
    times = (rows["expected"] / rows["recorded"].clip(lower=1.0)).clip(lower=1.0)
    return {pd.Timestamp(ds): float(t) for ds, t in zip(rows["ds"], times, strict=True)}


def late_sentence(late: pd.DataFrame) -> str:
    """Say by how much the last months are taken to be higher than what is recorded; empty where they are full."""
    told = []
    for name, rows in late[late["day"] == "opened"].groupby("count", sort=False):
        short = rows[rows["expected"] > rows["recorded"] * (1 + LEAST)]
        for ds, now, whole, low, high in short[["ds", "recorded", "expected", "low", "high"]].itertuples(index=False):
            told.append(f"{name}, {ds:%B %Y}: {now:.0f} recorded so far, {whole:.0f} expected ({low:.0f} to {high:.0f})")
    return "; ".join(told)


def _name(count: CountSpec) -> str:
    return count.name or f"{count.kind} of {count.unit}"


def _meant(people: pd.DataFrame, count: CountSpec) -> pd.DataFrame:
    mask = np.ones(len(people), dtype=bool)
    for column, values in count.where.items():
        mask &= people[column].astype(str).isin(list(values)).to_numpy()
    return people[mask & people["opened"].notna().to_numpy()]
