"""Spells: placements put in order, so that every stock is what came, less what went.

In: PEOPLE, of the rows that a stock counts. Out: SPELLS, one row an unbroken stay in one series, that says where the person came from and
went to; and from them, by period, starts, ends, moves, nights and stock, which add up exactly. Refuses rows without the columns needed.

Rules. A stay of no night is left out. One person is in one place a night: a stay that lies within another one of the same person
(respite, a double booking) is left out, and otherwise the earlier one ends where the later begins. Stays of one person in one series
that touch, or have one night between them, are one. With one night between two series the person moved, and that night counts where they
were before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from demand.calendar import Frequency
from demand.data.people import BLANK_KEY
from demand.errors import DataError, Fault, did_you_mean, raise_all

__all__ = ["OUTSIDE", "as_known", "flows", "monthly_return", "spells_of", "yearly_return"]

OUTSIDE = ""
"""Where people come from who were in no place before, and go to who leave."""
NIGHT = pd.Timedelta(days=1)
NEVER = pd.Timestamp("2200-01-01")


def spells_of(
    people: pd.DataFrame, *, keys: Sequence[str], where: Mapping[str, Sequence[str]] | None = None, one_place: bool = True
) -> pd.DataFrame:
    """Put placements in order.

    Parameters
    ----------
    people : pandas.DataFrame
        PEOPLE with person_id, opened, closed (NaT = open), the keys and, where known, price (GBP a week).
    keys : sequence of str
        Columns whose combinations are the series.
    where : mapping of column to values, optional
        Which rows the stock counts.
    one_place : bool
        Whether a person is in one place at a time; False where several packages may run side by side: then overlaps stay, and only stays
        in one series that touch are made one.

    Returns
    -------
    pandas.DataFrame
        SPELLS: the columns of `people`, with unique_id (keys joined by "/"), opened, closed, price (of the last row that was merged),
        came and goes (a unique_id, or "" for outside; goes is "" while the spell is open). `attrs["left_out"]` counts rows left out by
        reason.

    Raises
    ------
    DataError
        Where a column is missing, or no row is left.
    """
    known = [str(c) for c in people.columns]
    lacking = [c for c in ("person_id", "opened", "closed", *keys, *(where or {})) if c not in known]
    raise_all([Fault(f"people have no column '{c}'", allowed=did_you_mean(c, known)) for c in lacking], DataError, during="ordering stays")
    meant = np.logical_and.reduce([people[c].astype(str).isin(list(v)) for c, v in (where or {}).items()] or [np.ones(len(people), bool)])
    rows = people[meant & people["opened"].notna().to_numpy()].copy()
    rows[["opened", "closed"]] = rows[["opened", "closed"]].apply(lambda d: d.dt.normalize())
    rows["unique_id"] = rows[list(keys)].astype(object).where(rows[list(keys)].notna(), BLANK_KEY).astype(str).agg("/".join, axis=1)
    short = rows["closed"].notna() & (rows["closed"] <= rows["opened"])
    rows = rows[~short].assign(_until=lambda t: t["closed"].fillna(NEVER))
    by = ["person_id"] if one_place else ["person_id", "unique_id"]
    rows = rows.sort_values([*by, "opened", "_until"], ascending=[*[True] * len(by), True, False], kind="stable", ignore_index=True)
    rows, inner = _one_place(rows, by)
    rows = _moved(_merged(rows, by), by, one_place=one_place)
    if rows.empty:
        raise DataError(Fault("no placement is left", where="data > people", do_next="Look at the days of opening and closing"))
    out = rows.assign(closed=rows["_until"].mask(rows["_until"] == NEVER)).drop(columns=["_until", "_who"])
    out.attrs["left_out"] = {"of no night": int(short.sum()), "within another": inner}
    return out


def _one_place(rows: pd.DataFrame, by: list[str]) -> tuple[pd.DataFrame, int]:
    """Leave out what lies within an earlier stay, and end each where the next begins."""
    person = rows.groupby(by, sort=False).ngroup().to_numpy()
    until = rows["_until"].to_numpy().astype("datetime64[D]").astype(np.int64)
    span = int(until.max(initial=0)) + 1
    reach = np.maximum.accumulate(person * span + until) if len(rows) else until
    before = np.r_[-1, reach[:-1]]
    inner = (before // span == person) & (until <= before % span)
    rows, person = rows[~inner].reset_index(drop=True).assign(_who=person[~inner]), person[~inner]
    following = rows["opened"].shift(-1).where(np.r_[person[1:] == person[:-1], np.zeros(min(len(person), 1), bool)], NEVER)
    return rows.assign(_until=np.minimum(rows["_until"], following)), int(inner.sum())


def _merged(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Make one spell of a person's stays in one series that touch or have a night between them; the last price runs on."""
    same = (rows[[*by, "unique_id"]] == rows[[*by, "unique_id"]].shift()).all(axis=1)
    joined = same & (rows["opened"] - rows["_until"].shift() <= NIGHT)
    group = (~joined).cumsum().to_numpy()
    last = ~pd.Series(group).duplicated(keep="last").to_numpy()
    first = rows[~pd.Series(group).duplicated().to_numpy()].reset_index(drop=True)
    first["_until"] = rows.loc[last, "_until"].to_numpy()
    if "price" in rows:
        first["price"] = rows.groupby(group, sort=False)["price"].last().to_numpy()
    return first


def _moved(rows: pd.DataFrame, by: list[str], *, one_place: bool) -> pd.DataFrame:
    """Say where people came from and went to, and count a night between two places where they were before."""
    if not one_place:
        return rows.assign(came=OUTSIDE, goes=OUTSIDE)
    after = rows[by].eq(rows[by].shift(-1)).all(axis=1) & (rows["opened"].shift(-1) - rows["_until"] <= NIGHT)
    until = rows["_until"].mask(after, rows["opened"].shift(-1))
    goes = rows["unique_id"].shift(-1).where(after, OUTSIDE)
    came = rows["unique_id"].shift().where(after.shift(fill_value=False), OUTSIDE)
    return rows.assign(_until=until, goes=goes, came=came)


def as_known(spells: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """Give SPELLS as they were known at the end of a day: later openings are not there, later ends and moves are not known."""
    seen = spells[spells["opened"] <= day]
    later = ~(seen["closed"] <= day)
    return seen.assign(closed=seen["closed"].mask(later), goes=seen["goes"].mask(later, OUTSIDE))


def flows(
    spells: pd.DataFrame, frequency: Frequency, *, first: pd.Timestamp, last: pd.Timestamp, ids: Sequence[str] | None = None
) -> pd.DataFrame:
    """Count by series and period what came and what went; stock = stock before + starts - ends + moved_in - moved_out, exactly.

    Parameters
    ----------
    spells : pandas.DataFrame
        SPELLS.
    frequency : Frequency
        Any; leap years and weeks 53 are periods of the length that they have.
    first, last : pandas.Timestamp
        Any day of the first and of the last period.
    ids : sequence of str, optional
        The series; those of the spells where they are not given.

    Returns
    -------
    pandas.DataFrame
        unique_id, ds, opening, starts (from outside: what returns call occurrences), ends (to outside), moved_in, moved_out, stock (at
        the end of the period's last day), nights (a night belongs to the day on which it begins).
    """
    periods = frequency.between(first, last)
    names = pd.Index(sorted(spells["unique_id"].unique()) if ids is None else list(ids))
    starts, ends = _days(periods), _days(frequency.end_of(periods))
    opened, closed = _days(spells["opened"]), _days(spells["closed"].fillna(NEVER))
    row, shape = names.get_indexer(spells["unique_id"]), (len(names), len(periods))
    at = {"in": np.searchsorted(ends, opened), "out": np.searchsorted(ends, closed)}

    def count(place: np.ndarray, day: np.ndarray, mask: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
        kept = mask & (row >= 0) & (place < shape[1]) & (day >= starts[0])
        flat = np.bincount(row[kept] * shape[1] + place[kept], None if weight is None else weight[kept], minlength=shape[0] * shape[1])
        return np.asarray(flat.reshape(shape))

    outside_in, outside_out = (spells["came"] == OUTSIDE).to_numpy(), (spells["goes"] == OUTSIDE).to_numpy()
    every = np.ones(len(spells), dtype=bool)
    came, went = count(at["in"], opened, every), count(at["out"], closed, every)
    there = np.bincount(row[(opened < starts[0]) & (closed >= starts[0]) & (row >= 0)], minlength=len(names))
    stock = there[:, None] + (came - went).cumsum(axis=1)
    begun = np.clip(at["in"], 0, shape[1] - 1)
    gone = np.clip(at["out"], 0, shape[1] - 1)
    days = ends - starts + 1
    nights = stock * days - count(at["in"], opened, every, (opened - starts[begun]).astype(float))
    nights = nights + count(at["out"], closed, every, (closed - starts[gone]).astype(float))
    index = pd.MultiIndex.from_product([names, periods], names=["unique_id", "ds"]).to_frame(index=False)
    columns = {
        "opening": np.hstack([there[:, None], stock[:, :-1]]),
        "starts": count(at["in"], opened, outside_in), "ends": count(at["out"], closed, outside_out),
        "moved_in": count(at["in"], opened, ~outside_in), "moved_out": count(at["out"], closed, ~outside_out),
        "stock": stock, "nights": np.rint(nights).astype(np.int64),
    }  # fmt: skip
    return index.assign(**{name: values.reshape(-1) for name, values in columns.items()})


def monthly_return(spells: pd.DataFrame, *, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    """Count as the monthly return on temporary accommodation does: individuals, and occurrences without transfers.

    Returns
    -------
    pandas.DataFrame
        ds, occurrences (placements of people who were in none before), individuals (in a place at the end of the month). A row of PEOPLE
        is one individual, or as many as its column `individuals` says.

    References
    ----------
    Welsh Government, Homelessness accommodation provision and rough sleeping: definitions on StatsWales.
    """
    many = pd.to_numeric(spells["individuals"]).to_numpy(dtype=float) if "individuals" in spells else np.ones(len(spells))
    months = Frequency("M").between(first, last)
    ends = _days(Frequency("M").end_of(months))
    opened, closed = _days(spells["opened"]), _days(spells["closed"].fillna(NEVER))
    new = (spells["came"] == OUTSIDE).to_numpy() & (opened >= _days(months)[0])
    began = np.bincount(np.searchsorted(ends, opened)[new], many[new], minlength=len(months) + 1)[: len(months)]
    there = [float(many[(opened <= day) & (closed > day)].sum()) for day in ends]
    return pd.DataFrame({"ds": months, "occurrences": began, "individuals": there})


def yearly_return(spells: pd.DataFrame, *, first: pd.Timestamp, last: pd.Timestamp, household: str) -> pd.DataFrame:
    """Count as the yearly return does: households in a place on 31 March.

    Parameters
    ----------
    spells : pandas.DataFrame
        SPELLS.
    first, last : pandas.Timestamp
    household : str
        The column with the reference of the household; people of one household count once.

    Returns
    -------
    pandas.DataFrame
        day (31 March), households.

    Raises
    ------
    DataError
        Where there is no such column: people are not turned into households by a guess.
    """
    if household not in spells:
        known = did_you_mean(household, [str(c) for c in spells.columns])
        raise DataError(Fault(f"people have no column '{household}' of households", where="data > people", allowed=known))
    days = list(pd.date_range(first, last, freq="YE-MAR"))
    open_at = [(spells["opened"] <= d) & ~(spells["closed"] <= d) for d in days]
    return pd.DataFrame({"day": pd.DatetimeIndex(days), "households": [int(spells.loc[m, household].nunique()) for m in open_at]})


def _days(values: pd.Series | pd.DatetimeIndex) -> np.ndarray:
    """Give days since 1 January 1970."""
    return np.asarray(values).astype("datetime64[D]").astype(np.int64)
