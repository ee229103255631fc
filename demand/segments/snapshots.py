"""Snapshots: what was known of each person on a day, and how often they came in the year after it.

In: PEOPLE with dates, and a day. Out: one row a person known to the service on that day, with what was recorded by then and how much they
had used, and the count of episodes in the twelve months that follow. Nothing after the day is among what was known. Refuses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

__all__ = ["PAST", "Snapshot", "snapshot"]

PAST = ("past_episodes_year", "past_episodes_two_years", "past_episodes", "days_since_opened", "open_now", "days_in_service_year")
"""What is known of past use on the day."""
YEAR, WINDOW_YEARS = 365, 3


@dataclass(frozen=True)
class Snapshot:
    """People on a day.

    Parameters
    ----------
    day : pandas.Timestamp
    rows : pandas.DataFrame
        One row a person: the row of their last episode that began by the day, and `PAST`.
    later : numpy.ndarray
        Episodes that began in the twelve months after the day, by row; it means something only where the data reach so far.
    """

    day: pd.Timestamp
    rows: pd.DataFrame
    later: np.ndarray


def snapshot(people: pd.DataFrame, day: pd.Timestamp) -> Snapshot:
    """Take a snapshot of those who came in the three years up to a day.

    Parameters
    ----------
    people : pandas.DataFrame
        PEOPLE: person_id, opened, closed and attributes, one row an episode, as `episodes` gives it.
    day : pandas.Timestamp

    Returns
    -------
    Snapshot
        In the order of person_id.
    """
    order = ["person_id", "opened", *(c for c in ("episode_id",) if c in people)]
    table = people.dropna(subset=["opened"]).sort_values(order, kind="stable")
    known = table[table["opened"] <= day]
    days = (day - known["opened"]).dt.days
    end = known["closed"].where(known["closed"] <= day, day)
    start = known["opened"].where(days <= YEAR, day - pd.Timedelta(days=YEAR))
    marked = pd.DataFrame(
        {
            "person_id": known["person_id"],
            "past_episodes_year": days < YEAR,
            "past_episodes_two_years": days < 2 * YEAR,
            "past_episodes": 1,
            "open_now": known["closed"].isna() | (known["closed"] > day),
            "days_in_service_year": (end - start).dt.days.clip(lower=0),
        }
    )
    past = marked.groupby("person_id", sort=True).sum().astype(float)
    last = known.drop_duplicates("person_id", keep="last").set_index("person_id").sort_index()
    past["days_since_opened"] = (day - last["opened"]).dt.days.astype(float)
    past["open_now"] = (past["open_now"] > 0).astype(float)
    rows = last.join(past[list(PAST)])
    rows = rows[rows["days_since_opened"] < WINDOW_YEARS * YEAR].reset_index()
    after = table[(table["opened"] > day) & (table["opened"] <= day + pd.Timedelta(days=YEAR))]
    # Who has no episode in that year has none: here the absence of rows is a count of nought.
    later = after.groupby("person_id").size().reindex(rows["person_id"]).fillna(0).to_numpy(dtype=float)
    return Snapshot(day, rows, later)
