"""What can be known about a period before it is counted: its place in the season, its length, the drivers.

In: first days of periods, and drivers. Out: columns of numbers, each with the moment at which it is known. Refuses a driver without
a future.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from demand.calendar import Frequency
from demand.errors import DataError, Fault, raise_all

__all__ = ["Feature", "calendar_features", "driver_changes", "driver_table", "lag_features", "position", "season_design"]

HARMONICS = 3
"""Waves in the yearly shape of weeks and days: enough for a winter peak and a summer dip, few enough for three years."""

LAGS = {"D": (1, 2, 3, 7, 14), "W": (1, 2, 3, 4), "M": tuple(range(1, 13)), "Q": (1, 2, 3, 4), "Y": (1, 2)}
"""Which earlier periods a model looks at: the latest ones, and the same season."""


@dataclass(frozen=True)
class Feature:
    """A column, and the moment at which it is known.

    Parameters
    ----------
    name : str
    known : "always", "after" or "published"
        From the calendar; once an earlier period has been counted; or from somebody who publishes a future of it.
    periods : int
        For "after": how many periods earlier the latest count lies that it looks at.
    """

    name: str
    known: Literal["always", "after", "published"]
    periods: int = 0


def lag_features(frequency: Frequency) -> tuple[Feature, ...]:
    """Give the earlier periods that a model looks at."""
    return tuple(Feature(f"lag{k}", "after", k) for k in LAGS[frequency.family])


def calendar_features(ds: pd.DatetimeIndex, frequency: Frequency) -> pd.DataFrame:
    """Give what the calendar alone says about each period, always known: month, quarter, weekday, smooth place in the year.

    Parameters
    ----------
    ds : pandas.DatetimeIndex
        First days of periods.
    frequency : Frequency

    Returns
    -------
    pandas.DataFrame
        A row a period; no columns for years.
    """
    columns: dict[str, np.ndarray] = {}
    if frequency.family in "MQ":
        columns["season_position"] = position(ds, frequency).astype(float)
    if frequency.family == "D":
        columns["season_position"] = position(ds, frequency).astype(float)
    if frequency.family in "WD":
        turn = 2 * np.pi * (np.asarray(ds.dayofyear) - 1) / 365.25
        columns |= {"season_wave_1": np.sin(turn), "season_wave_2": np.cos(turn)}
    return pd.DataFrame(columns, index=ds)


def driver_table(drivers: pd.DataFrame, frequency: Frequency, *, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    """Give drivers with a row a period and a column a driver, from `first` to `last`.

    Parameters
    ----------
    drivers : pandas.DataFrame
        ds (first days of periods), name, value.
    frequency : Frequency
    first, last : pandas.Timestamp
        The last period is the end of the horizon.

    Returns
    -------
    pandas.DataFrame
        NaN before a driver begins, and nowhere else.

    Raises
    ------
    DataError
        Where a driver ends before `last`, or is missing in between.
    """
    wide = drivers.pivot(index="ds", columns="name", values="value").reindex(frequency.between(first, last))
    faults = []
    for name, column in wide.items():
        there = np.flatnonzero(column.notna())
        if not there.size or there[-1] < len(wide) - 1:
            told = f"ends in {wide.index[there[-1]]:%Y-%m-%d}" if there.size else "has no value in the time that is needed"
            faults.append(
                Fault(
                    f"it {told}: a driver without a future",
                    where=f"drivers > {name}",
                    allowed=f"Values are needed to {last:%Y-%m-%d}, the end of the horizon",
                    do_next="Add its published projection, shorten the horizon, or leave the driver out",
                )
            )
        elif column.iloc[there[0] :].isna().any():
            gap = column.index[there[0] :][column.iloc[there[0] :].isna()][0]
            faults.append(Fault(f"it has no value for {gap:%Y-%m-%d}", where=f"drivers > {name}", do_next="Fill the gap in the file"))
    raise_all(faults, DataError, during="reading drivers")
    return wide


def driver_changes(table: pd.DataFrame, steps: int) -> pd.DataFrame:
    """Give the change of each driver over so many periods: of its logarithm, or plain where it is not always above 0.

    Parameters
    ----------
    table : pandas.DataFrame
        As `driver_table` gives it.
    steps : int
        Over how many periods.

    Returns
    -------
    pandas.DataFrame
        The same shape.
    """
    logs = {name: np.log(column) if column.min() > 0 else column for name, column in table.items()}
    return pd.DataFrame(logs, index=table.index).diff(steps)


def position(ds: pd.DatetimeIndex, frequency: Frequency) -> np.ndarray:
    """Give the place of each period in its season: 0 for January, Monday or the first quarter; always known.

    Parameters
    ----------
    ds : pandas.DatetimeIndex
        First days of periods.
    frequency : Frequency

    Returns
    -------
    numpy.ndarray
        int, shape (periods,). Weeks count from the first of January; years have one place only.
    """
    if frequency.family == "D":
        return np.asarray(ds.dayofweek)
    if frequency.family == "W":
        return np.asarray((ds.dayofyear - 1) // 7)
    if frequency.family == "Y":
        return np.zeros(len(ds), dtype=int)
    return np.asarray((ds.month - 1) // (3 if frequency.family == "Q" else 1))


def season_design(ds: pd.DatetimeIndex, frequency: Frequency) -> np.ndarray:
    """Give the columns whose weighted sum is a yearly shape: one a month or quarter, or smooth waves for weeks and days.

    Parameters
    ----------
    ds : pandas.DatetimeIndex
        First days of periods.
    frequency : Frequency

    Returns
    -------
    numpy.ndarray
        Shape (periods, columns); no columns for years.
    """
    if frequency.family == "Y":
        return np.zeros((len(ds), 0))
    if frequency.family in "MQ":
        return np.asarray(np.eye(frequency.season_length)[position(ds, frequency)] - 1.0 / frequency.season_length)
    turn = 2 * np.pi * (np.asarray(ds.dayofyear) - 1) / 365.25
    return np.column_stack([wave(k * turn) for k in range(1, HARMONICS + 1) for wave in (np.sin, np.cos)])
