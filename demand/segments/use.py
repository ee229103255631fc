"""Who uses how much: what each segment asks of services.

In: PEOPLE with episodes, and the members. Out: one row a segment: episodes a person, how many come back, how long they stay (with those who
are still there counted as such, not left out), and what share of the cost they are. Refuses people without dates and people in no segment.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from demand.errors import DataError, Fault, did_you_mean, raise_all

__all__ = ["back_within", "median_stay", "use"]

WEEK, YEAR = 7.0, 365


def use(people: pd.DataFrame, members: pd.DataFrame, *, as_of: pd.Timestamp | None = None) -> pd.DataFrame:
    """Sum up the use of services by segment.

    Parameters
    ----------
    people : pandas.DataFrame
        PEOPLE: person_id, opened, closed (NaT = still open), optionally price in GBP a week; one row an episode, as `episodes` gives it.
    members : pandas.DataFrame
        person_id, segment.
    as_of : pandas.Timestamp, optional
        The day up to which episodes were known; by default the last date in the table.

    Returns
    -------
    pandas.DataFrame
        segment, people, share_of_people, episodes, episodes_per_person, repeat_share, back_within_year (of those whose first period of
        need has ended, with those watched for less than a year counted as such; NaN where nobody was watched so long), open_now,
        median_stay_days (NaN where fewer than half have left), weeks, and with prices: priced_share (of episodes), cost (GBP until as_of),
        share_of_cost, cost_per_person, cost_per_week. The last row, "everybody", is about all.

    Raises
    ------
    DataError
        Where a column is missing, or a person is in no segment.
    """
    needed = [c for c in ("person_id", "opened", "closed") if c not in people.columns]
    raise_all(
        [Fault(f"no column '{c}'", allowed=did_you_mean(c, map(str, people.columns))) for c in needed], DataError, during="summing up use"
    )
    table = people.assign(segment=people["person_id"].astype(str).map(members.set_index("person_id")["segment"]))
    if table["segment"].isna().any():
        lost = int(table.loc[table["segment"].isna(), "person_id"].nunique())
        raise DataError(Fault(f"{lost} people are in no segment", do_next="Put them into the segments first"))
    end = as_of if as_of is not None else pd.concat([table["opened"], table["closed"]]).max()
    table = table[table["opened"] <= end]
    left = table["closed"].notna() & (table["closed"] <= end)
    days = (table["closed"].where(left, end) - table["opened"]).dt.days.clip(lower=0)
    table = table.assign(days=days, left=left)
    if "price" in table.columns:
        table["cost"] = table["price"].astype(float) * table["days"] / WEEK
    table = table.join(_gaps(table, end), on="person_id")
    groups = [(str(name), rows) for name, rows in table.groupby("segment", sort=True)]
    if len(groups) != 1:
        groups.append(("everybody", table))
    return pd.DataFrame([{"segment": name, **_row(rows, table)} for name, rows in groups])


def _row(rows: pd.DataFrame, everybody: pd.DataFrame) -> dict[str, float]:
    episodes = rows.groupby("person_id").size()
    out: dict[str, float] = {
        "people": len(episodes),
        "share_of_people": len(episodes) / everybody["person_id"].nunique(),
        "episodes": len(rows),
        "episodes_per_person": float(episodes.mean()),
        "repeat_share": float((episodes > 1).mean()),
        "back_within_year": _back(rows.drop_duplicates("person_id")),
        "open_now": int(rows.loc[~rows["left"], "person_id"].nunique()),
        "median_stay_days": median_stay(rows["days"].to_numpy(dtype=float), rows["left"].to_numpy(dtype=bool)),
        "weeks": float(rows["days"].sum() / WEEK),
    }
    if "cost" in rows.columns:
        cost, total = float(rows["cost"].sum()), float(everybody["cost"].sum())
        weeks = float(rows.loc[rows["cost"].notna(), "days"].sum()) / WEEK
        out |= {"priced_share": float(rows["cost"].notna().mean()), "cost": cost, "share_of_cost": cost / total if total > 0 else np.nan,
                "cost_per_person": cost / len(episodes), "cost_per_week": cost / weeks if weeks > 0 else np.nan}  # fmt: skip
    return out


def _gaps(table: pd.DataFrame, end: pd.Timestamp) -> pd.DataFrame:
    """Give, by person, the days from the end of the first period of need to the next one or to `end`, and whether there was a next one.

    Episodes that overlap, or follow one another without a day between, are one period of need: a move is no return.
    """
    ordered = table.sort_values(["person_id", "opened"], kind="stable")
    closed = ordered["closed"].where(ordered["left"], end + pd.Timedelta(days=1))
    latest = closed.groupby(ordered["person_id"]).cummax().groupby(ordered["person_id"]).shift()
    begins = latest.isna() | (ordered["opened"] > latest + pd.Timedelta(days=1))
    period = begins.groupby(ordered["person_id"]).cumsum()
    ended = closed[period == 1].groupby(ordered["person_id"]).max()
    again = ordered.loc[period == 2].groupby("person_id")["opened"].min().reindex(ended.index)
    watched = (again.fillna(end) - ended).dt.days  # who has not come back has been watched until the end
    return pd.DataFrame({"gap": watched.where(ended <= end), "back": again.notna()})


def _back(people: pd.DataFrame) -> float:
    known = people["gap"].notna()
    return back_within(people.loc[known, "gap"].to_numpy(dtype=float), people.loc[known, "back"].to_numpy(dtype=bool), YEAR)


def back_within(days: np.ndarray, back: np.ndarray, limit: float) -> float:
    """Give the share who came back within so many days; those watched for less count for as long as they were.

    Parameters
    ----------
    days : numpy.ndarray
        Until they came back, or until now.
    back : numpy.ndarray
        True where they did.
    limit : float

    Returns
    -------
    float
        One less the estimate of Kaplan and Meier (1958) at the limit; NaN where nobody was watched so long.

    Examples
    --------
    >>> round(back_within(np.array([100.0, 400.0, 400.0, 50.0]), np.array([True, False, False, False]), 365), 3)
    0.333
    """
    if not (days >= limit).any():
        return float("nan")
    moments, away = _staying(days, back)
    before = moments <= limit
    return float(1 - away[before][-1]) if before.any() else 0.0


def _staying(days: np.ndarray, ended: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the days on which anything happened, and the share for whom nothing had ended after each."""
    order = np.argsort(days, kind="stable")
    times, over = days[order], ended[order]
    moments, first = np.unique(times, return_index=True)
    there = len(times) - first
    leaving = np.add.reduceat(over.astype(float), first) if len(first) else np.empty(0)
    return moments, np.cumprod(1 - leaving / there)


def median_stay(days: np.ndarray, left: np.ndarray) -> float:
    """Give the day by which half have left; those still there count for as long as they have been there.

    Parameters
    ----------
    days : numpy.ndarray
        Length of each stay, until its end or until now.
    left : numpy.ndarray
        True where the stay ended.

    Returns
    -------
    float
        NaN where fewer than half have left.

    References
    ----------
    Kaplan, E. L. and Meier, P. (1958). Nonparametric estimation from incomplete observations. JASA 53, 457-481.

    Examples
    --------
    >>> median_stay(np.array([10.0, 20.0, 30.0, 40.0]), np.array([True, False, True, True]))
    30.0
    """
    moments, staying = _staying(days, left)
    below = np.flatnonzero(staying <= 0.5 + 1e-12)
    return float(moments[below[0]]) if len(below) else float("nan")
