"""How much series swing from period to period, by all that was counted of them.

In: counts. Out: `Swings`, at each period by what was known then. Refuses nothing: where no change was seen, the size is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Swings", "swings"]

SECOND = 1.6
"""How much larger differences of differences are than differences, where both are noise around a season that stays (about the square root
of 2, and a little more)."""


@dataclass(frozen=True)
class Swings:
    """How much series have swung from period to period, as it was known at each of several times.

    Parameters
    ----------
    size : numpy.ndarray
        Shape (times, series): mean absolute change of the square root of counts; NaN where no change was seen.
    count : numpy.ndarray
        Same shape: how many changes were seen.
    """

    size: np.ndarray
    count: np.ndarray

    def at(self, times: np.ndarray | int) -> Swings:
        """Give what was known at these times."""
        return Swings(self.size[times], self.count[times])

    def only(self, series: np.ndarray) -> Swings:
        """Give these series."""
        return Swings(self.size[:, series], self.count[:, series])


def swings(values: np.ndarray, season: int) -> Swings:
    """Say how much series have swung, at each period, by what was known then.

    The square root makes the noise of counts of one size whatever their level (Bartlett 1936, JRSS Supplement 3, 68-78). Of changes from
    one period to the next, from a year ago, and of the one less the other, those that are smallest are taken: a season is no swing.

    Parameters
    ----------
    values : numpy.ndarray
        Shape (periods, series); NaN where nothing was counted.
    season : int
        Periods in a season, 1 where there is none.

    Returns
    -------
    Swings
        Times are the periods.
    """
    root = np.sqrt(np.maximum(values, 0.0))
    size, count = _running(root[1:] - root[:-1], 1, len(root))
    if season > 1 and len(root) > season + 1:
        yearly = root[season:] - root[:-season]
        for changes, lag, least in ((yearly, season, 1.0), (yearly[1:] - yearly[:-1], season + 1, SECOND)):
            other, seen = _running(changes, lag, len(root))
            size = np.fmin(size, np.where(seen >= season, other / least, np.nan))
    return Swings(size, count)


def _running(changes: np.ndarray, lag: int, periods: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the mean size of changes up to each period, and of how many; shape (periods, series)."""
    seen = np.isfinite(changes)
    count = np.zeros((periods, changes.shape[1]))
    total = np.zeros_like(count)
    count[lag:] = seen.cumsum(axis=0)
    total[lag:] = np.where(seen, np.abs(changes), 0.0).cumsum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan), count
