"""What can be known about a period before it is counted: its place in the season, its length, the drivers.

In: first days of periods, and drivers. Out: columns of numbers, each with the moment at which it is known. Refuses a driver without
a future.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from demand.calendar import Frequency

__all__ = ["position", "season_design"]

HARMONICS = 3
"""Waves in the yearly shape of weeks and days: enough for a winter peak and a summer dip, few enough for three years."""


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
