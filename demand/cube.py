"""Replays as arrays: what came, and what each model had expected, by cutoff, series and step.

In: arrays, which `demand.replay.cube_of` makes of REPLAYS. Out: `Cube`, and what of it was known at an earlier time. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from demand.swings import Swings

__all__ = ["Cube"]

SETTLED = 3
"""Where fewer cutoffs of a series would be left, those at which an event had just been are learnt from too."""


@dataclass(frozen=True)
class Cube:
    """REPLAYS as arrays.

    Parameters
    ----------
    ids : list of str
    cutoffs : pandas.DatetimeIndex
        Ascending.
    at : numpy.ndarray
        Shape (cutoffs,): the cutoffs' place in the calendar, in periods.
    y : numpy.ndarray
        Shape (cutoffs, series, steps): what came; NaN where it is not known.
    means : mapping of str to numpy.ndarray
        Model to what it expected, same shape; NaN where it was not asked.
    swings : Swings
        How much series had swung by each period of the calendar.
    season : int
        Periods in a season.
    now : int
        The place of the last period that is known.
    kinds : numpy.ndarray
        Shape (series,): 0 for flows, 1 for stocks.
    unsettled : numpy.ndarray
        bool, shape (periods, series): whether an event had just been, see `demand.events.unsettled`.
    """

    ids: list[str]
    cutoffs: pd.DatetimeIndex
    at: np.ndarray
    y: np.ndarray
    means: Mapping[str, np.ndarray]
    swings: Swings
    season: int
    now: int
    kinds: np.ndarray
    unsettled: np.ndarray

    @property
    def told(self) -> np.ndarray:
        """What came, NaN where a forecast now could not learn from it: an event had just been at that cutoff, and none has now."""
        unlike = self.unsettled[self.at] & ~self.unsettled[self.now]
        left = (~unlike).sum(axis=0) >= SETTLED
        return np.where((unlike & left)[:, :, None], np.nan, self.y)

    @property
    def whole(self) -> np.ndarray:
        """Whether the whole path has come; bool, shape (cutoffs,)."""
        return np.asarray(self.at + self.y.shape[2] <= self.now)

    def known_by(self, place: int) -> Cube:
        """Give what could be known when the period at `place` was the last one: earlier cutoffs, and what had come by then."""
        kept = self.at < place
        steps = np.arange(1, self.y.shape[2] + 1)
        late = (self.at[kept][:, None] + steps[None, :] > place)[:, None, :]
        means = {name: mean[kept] for name, mean in self.means.items()}
        y = np.where(late, np.nan, self.y[kept])
        return replace(self, cutoffs=self.cutoffs[kept], at=self.at[kept], y=y, means=means, now=place)

    def only(self, series: np.ndarray) -> Cube:
        """Give the same for some series (bool or places)."""
        means = {name: mean[:, series] for name, mean in self.means.items()}
        ids = list(np.asarray(self.ids, dtype=object)[series])
        return replace(
            self,
            ids=ids,
            y=self.y[:, series],
            means=means,
            swings=self.swings.only(series),
            kinds=self.kinds[series],
            unsettled=self.unsettled[:, series],
        )
