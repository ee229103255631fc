"""Who uses how much: what each segment asks of services.

In: PEOPLE with episodes, and the members. Out: one row a segment: episodes a person, how many come back, how long they stay (with those who
are still there counted as such, not left out), and what share of the cost they are. Refuses people without dates and people in no segment.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from demand.errors import DataError, Fault, did_you_mean, raise_all

__all__ = ["median_stay", "use"]

WEEK = 7.0


def use(people: pd.DataFrame, members: pd.DataFrame, *, as_of: pd.Timestamp | None = None) -> pd.DataFrame:
    """Sum up the use of services by segment.

    Parameters
    ----------
    people : pandas.DataFrame
        PEOPLE: person_id, opened, closed (NaT = still open), optionally price in GBP a week; one row an episode.
    members : pandas.DataFrame
        person_id, segment.
    as_of : pandas.Timestamp, optional
        The day up to which episodes were known; by default the last date in the table.

    Returns
    -------
    pandas.DataFrame
        segment, people, share_of_people, episodes, episodes_per_person, repeat_share, open_now, median_stay_days (NaN where fewer than half
        have left), weeks, and with prices: priced_share (of episodes), cost (GBP until as_of), share_of_cost, cost_per_person. The last
        row, "everybody", is about all.

    Raises
    ------
    DataError
        Where a column is missing, or a person is in no segment.
    """
    needed = [c for c in ("person_id", "opened", "closed") if c not in people.columns]
    raise_all(
        [Fault(f"no column '{c}'", allowed=did_you_mean(c, map(str, people.columns))) for c in needed], DataError, during="summing up use"
    )
    # A case that is counted in two ways, as a start and as a stay, has two rows with the same days: one episode.
    people = people.sort_values("price").drop_duplicates(["person_id", "opened", "closed"]) if "price" in people else people
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
        "open_now": int((~rows["left"]).sum()),
        "median_stay_days": median_stay(rows["days"].to_numpy(dtype=float), rows["left"].to_numpy(dtype=bool)),
        "weeks": float(rows["days"].sum() / WEEK),
    }
    if "cost" in rows.columns:
        cost, total = float(rows["cost"].sum()), float(everybody["cost"].sum())
        out |= {"priced_share": float(rows["cost"].notna().mean()), "cost": cost, "share_of_cost": cost / total if total > 0 else np.nan,
                "cost_per_person": cost / len(episodes)}  # fmt: skip
    return out


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
    order = np.argsort(days, kind="stable")
    times, ended = days[order], left[order]
    moments, first = np.unique(times, return_index=True)
    there = len(times) - first
    leaving = np.add.reduceat(ended.astype(float), first) if len(first) else np.empty(0)
    staying = np.cumprod(1 - leaving / there)
    below = np.flatnonzero(staying <= 0.5 + 1e-12)
    return float(moments[below[0]]) if len(below) else float("nan")
