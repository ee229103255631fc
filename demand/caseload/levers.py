"""Levers: what a council can do about entries, stays, moves and prices, each apart.

In: `Lever`, a number with its range, from a day on. Out: factors by series, period and draw; and `Pull`, which stretches stays and
changes how many ends are moves while stays are drawn. Refuses what the forecast does not have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import BeforeValidator, Field

from demand.events import read_day
from demand.spec import Assumption, Spec, Where
from demand.tables import match

__all__ = ["Lever", "Pull", "factor_of", "pull_of"]


class Lever(Spec):
    """One thing that a council does about its placements."""

    name: str
    """What it is called."""
    acts_on: Literal["entries", "stay", "moves", "price"]
    """entries: new starts from outside. stay: what is left of a stay, from the day on. moves: of the ends, those that are moves. price:
    pounds per place, of all who are there."""
    where: Where = Field(default_factory=dict)
    """Which series: key column -> values; all where nothing is said."""
    size: Assumption
    """The factor: 0.9 means a tenth less."""
    start: Annotated[date, BeforeValidator(lambda v: read_day(v, end=False))]
    """The first day."""
    end: Annotated[date, BeforeValidator(lambda v: read_day(v, end=True))] | None = None
    """The last day; none: it goes on."""
    ramp_months: int = Field(default=0, ge=0)
    """Months over which it grows to its full size."""


@dataclass(frozen=True)
class Pull:
    """What levers do to stays and moves.

    Parameters
    ----------
    edges : numpy.ndarray
        Shape (periods + 1,): first days of the periods, and the day after the last, as numbers.
    stay, moves : numpy.ndarray or None
        Shape (series, periods, draws): factors; None where no lever acts.
    """

    edges: np.ndarray
    stay: np.ndarray | None = None
    moves: np.ndarray | None = None

    def stretched(self, series: np.ndarray, draw: np.ndarray, since: np.ndarray, left: np.ndarray) -> np.ndarray:
        """Give what is left of each stay where a day under the lever counts 1 / factor of one."""
        if self.stay is None:
            return left
        spent, now = np.zeros(len(left)), since.copy()
        left, done = left.copy(), np.zeros(len(left), dtype=bool)
        for period in range(len(self.edges) - 1):
            factor = self.stay[series, period, draw]
            room = np.clip(self.edges[period + 1] - now, 0.0, None)
            takes = left * factor
            ends = ~done & (takes <= room) & (room > 0)
            spent = np.where(ends, spent + takes, np.where(done, spent, spent + room))
            left = np.where(done | ends, left, left - room / factor)
            now, done = np.where(done | ends, now, now + room), done | ends
        return np.asarray(np.where(done, spent, spent + left))

    def moving(self, series: np.ndarray, draw: np.ndarray, end: np.ndarray, chance: np.ndarray) -> np.ndarray:
        """Give the chance that an end is a move."""
        if self.moves is None:
            return chance
        period = np.searchsorted(self.edges, end, side="right") - 1
        inside = (period >= 0) & (period < len(self.edges) - 1)
        factor = np.where(inside, self.moves[series, np.clip(period, 0, len(self.edges) - 2), draw], 1.0)
        return np.asarray(np.minimum(chance * factor, 1.0))


def factor_of(
    levers: Sequence[Lever], acts_on: str, series: pd.DataFrame, ds: pd.DatetimeIndex, *, draws: int, seed: int
) -> np.ndarray | None:
    """Give the factor of all levers that act on one thing.

    Parameters
    ----------
    levers : sequence of Lever
    acts_on : str
    series : pandas.DataFrame
        As `History.series` has them.
    ds : pandas.DatetimeIndex
        First days of the periods ahead.
    draws, seed : int
        A lever has one size in a draw, the same in every series and period.

    Returns
    -------
    numpy.ndarray or None
        Shape (series, periods, draws); None where no lever acts. Two levers on one thing multiply.

    Raises
    ------
    ScenarioError
        Where a selector matches no series.
    """
    mine = [lever for lever in levers if lever.acts_on == acts_on]
    if not mine:
        return None
    factor = np.ones((len(series), len(ds), draws))
    for lever in mine:
        months = np.asarray((ds.year - lever.start.year) * 12 + ds.month - lever.start.month, dtype=float)
        grown = np.clip((months + 1) / (lever.ramp_months + 1), 0.0, 1.0)
        if lever.end is not None:
            grown = np.where(ds > pd.Timestamp(lever.end), 0.0, grown)
        size = lever.size.draw(draws, seed=seed, name=f"lever {lever.name}")
        rows = match(series, lever.where, at=f"levers > {lever.name} > where")
        factor[rows] *= (1 + grown[:, None] * (size - 1)[None, :])[None]
    return factor


def pull_of(
    levers: Sequence[Lever], series: pd.DataFrame, ds: pd.DatetimeIndex, *, last: pd.Timestamp, draws: int, seed: int
) -> Pull | None:
    """Give what levers do to stays and moves; None where none does. `last` is the last day of the last period."""
    stay, moves = (factor_of(levers, on, series, ds, draws=draws, seed=seed) for on in ("stay", "moves"))
    if stay is None and moves is None:
        return None
    edges = np.r_[np.asarray(ds).astype("datetime64[D]").astype(float), (last - pd.Timestamp(0)).days + 1.0]
    return Pull(edges, None if stay is None else np.maximum(stay, 1e-3), moves)
