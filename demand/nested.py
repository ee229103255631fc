"""What would have been known and drawn at an earlier cutoff, and how wide the ranges there should have been.

In: a history and replays as arrays. Out: the replays that a forecast made then would have had, its joint draws, and `Widths`: factors by
which ranges are made wider where those of earlier cutoffs held too little, and narrower where they held too much. Nothing is fitted again.
Refuses nothing: on too little evidence nothing is changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from demand.calibration import Widening, widening
from demand.combine import combined, joint_draws, weigh
from demand.counts import to_counts
from demand.cube import Cube
from demand.replay import origins
from demand.spec import stream
from demand.tables import BOUNDS, History

__all__ = ["ENOUGH", "Widths", "draws_then", "known_then", "stretches", "whole_numbers", "widths"]

ENOUGH = 3
"""Earlier cutoffs whose whole path had come: fewer, and ranges are not calibrated."""
LOOKS, SERIES, DRAWS = 8, 60, 200
"""The most earlier cutoffs, series and draws from which it is judged how wide ranges must be."""


@dataclass(frozen=True)
class Widths:
    """How wide the ranges are made, over how wide errors alone would make them.

    Parameters
    ----------
    series : Widening
        On the errors of every series, by single periods.
    total : Widening
        Beyond that, on what all series of one kind and unit have in common, by their total over a year (or the horizon).
    """

    series: Widening = field(default_factory=Widening)
    total: Widening = field(default_factory=Widening)

    @property
    def settings(self) -> dict[str, Any]:
        """The factors, as plain data."""
        return {"widened": {"series": self.series.factor, "total": self.total.factor}}

    def noted(self, notes: pd.DataFrame) -> pd.DataFrame:
        """Add to the notes of a forecast what was widened, and why."""
        told = []
        for one, what in ((self.series, "single figures"), (self.total, "totals")):
            if f"{one.factor:.2f}" != "1.00":
                text = f"ranges of {what} are made {one.factor:.2f} times as wide: at {one.cutoffs} earlier dates "
                told.append(f"{text}those said to hold 4 in 5 held {one.inside:.0%}")
        return (
            pd.concat([notes, pd.DataFrame([("", "combined", t) for t in told], columns=notes.columns)], ignore_index=True)
            if told
            else notes
        )

    def applied(self, values: np.ndarray, series: pd.DataFrame, *, whole: np.ndarray, seed: int) -> np.ndarray:
        """Widen, or narrow, what series have in common: each takes its share of how far its total lies from the mean, draw by draw.

        Parameters
        ----------
        values : numpy.ndarray
            Shape (series, periods, draws), the errors of series already widened; changed in place.
        series : pandas.DataFrame
            Their kind and unit, in the same order.
        whole : numpy.ndarray
            bool, shape (series,): series that stay counts.
        seed : int

        Returns
        -------
        numpy.ndarray
        """
        if self.total.factor == 1:
            return values
        for rows in series.reset_index(drop=True).groupby(["kind", "unit"]).indices.values():
            total = values[rows].sum(axis=0, dtype=np.float64)
            middle = total.mean(axis=1, keepdims=True)
            push = (self.total.factor - 1) * (total - middle) / np.maximum(middle, 1e-9)
            for row in rows:
                moved = np.maximum(values[row] + values[row].mean(axis=1, keepdims=True, dtype=np.float64) * push, 0.0)
                values[row] = to_counts(moved, stream(seed, "widened", series.index[row])) if whole[row] else moved
        return values


def whole_numbers(history: History) -> np.ndarray:
    """Say which series are of whole numbers: counts, so that their draws are counts; shape (series,).

    A hidden count is a whole number too, whatever the middle of its interval: its ends are looked at.
    """
    values = history.wide
    if BOUNDS[0] in history.table:
        low, high = (history.table.pivot(index="ds", columns="unique_id", values=b).reindex_like(values) for b in BOUNDS)
        values = values.where(~((low < high) & (low % 1 == 0) & (high % 1 == 0)), low)
    numbers = values.to_numpy()
    return np.asarray((np.isnan(numbers) | (numbers == np.rint(numbers))).all(axis=0))


def stretches(cube: Cube) -> float:
    """Say on how many independent stretches of errors replays rest: what came since the first cutoff, over the steps."""
    return 0.0 if len(cube.at) == 0 else float(min(cube.at[-1] + cube.y.shape[2], cube.now) - cube.at[0]) / cube.y.shape[2]


def known_then(history: History, cube: Cube, place: int, horizon: int) -> Cube:
    """Give the replays that a forecast made at a date would have had: its cutoffs, its steps, and what had come by then.

    They are those of today's replays that lie where it would have put its own, which it might have spaced more closely.

    Parameters
    ----------
    history : History
    cube : Cube
    place : int
        The last period that was known, in the calendar.
    horizon : int

    Returns
    -------
    Cube
    """
    index = pd.DatetimeIndex(history.wide.index)
    of = origins(history.until(index[place]), horizon)
    known = cube.known_by(place)
    kept = known.at <= (index.get_loc(of.close[-1]) if of.close else -1)
    y, means = known.y[kept][:, :, : of.steps], {m: v[kept][:, :, : of.steps] for m, v in known.means.items()}
    return replace(known, cutoffs=known.cutoffs[kept], at=known.at[kept], y=y, means=means)


def draws_then(
    history: History, known: Cube, mean: np.ndarray, weights: Mapping[str, float], *, draws: int, seed: int, by: Widths
) -> np.ndarray:
    """Draw the joint futures that a forecast made at a date would have drawn.

    Parameters
    ----------
    history : History
        Up to that date.
    known : Cube
        From `known_then`.
    mean : numpy.ndarray
        Shape (series, periods): what the combination expected then; a series with a NaN is left out.
    weights : mapping of str to float
    draws, seed : int
    by : Widths
        As it would have been then.

    Returns
    -------
    numpy.ndarray
        float32, shape (series, periods, draws), NaN for a series that is left out.
    """
    there = np.isfinite(mean).all(axis=1)
    mine = history.only(np.array(known.ids)[there])
    whole, values = whole_numbers(mine), np.full((*mean.shape, draws), np.nan, dtype=np.float32)
    drawn = joint_draws(known.only(there), weights, mean[there], whole=whole, draws=draws, seed=seed, widen=by.series.factor)
    values[there] = by.applied(drawn, mine.series, whole=whole, seed=seed)
    return values


def widths(history: History, cube: Cube, models: Sequence[str], *, raced: Sequence[str], horizon: int, seed: int) -> Widths:
    """Judge the ranges of earlier cutoffs that do not overlap, each with what was known then, and say how wide they should have been.

    Parameters
    ----------
    history : History
        As far as it is known.
    cube : Cube
        Its replays.
    models, raced : sequence of str
        As in `weigh`.
    horizon : int
    seed : int

    Returns
    -------
    Widths
    """
    reach = int(min(cube.y.shape[2], max(round(history.frequency.per_year), 1)))
    some = np.unique(np.round(np.linspace(0, len(cube.ids) - 1, min(SERIES, len(cube.ids)))).astype(int))
    part, single, total, at = cube.only(some), [], [], []
    about = history.series.reindex(part.ids)
    counts = pd.Series(whole_numbers(history), index=history.ids).reindex(part.ids, fill_value=True).to_numpy()
    for k in _apart(cube, reach)[:LOOKS]:
        place = int(cube.at[k])
        known = known_then(history, part, place, horizon)
        if known.whole.sum() < ENOUGH:
            continue
        weights = weigh(known, models, stretches=stretches(known), raced=raced)
        if not any(weights.get(m, 0) > 0 for m in part.means):
            continue
        mean = combined({m: v[k, :, :reach] for m, v in part.means.items()}, weights)
        if np.isfinite(mean).all(axis=1).any():
            then = history.until(pd.Timestamp(cube.cutoffs[k]))
            values = draws_then(then, known, mean, weights, draws=DRAWS, seed=seed, by=Widths())
            single.append(_scores(part.told[k, :, :reach], values, counts[:, None]).reshape(-1))
            total.append(_of_totals(part.told[k, :, :reach], values, about, counts))
            at.append(place)
    if not at:
        return Widths()
    one = widening(np.stack(single), np.repeat(np.array(at)[:, None], single[0].size, axis=1), reach)
    beyond = np.stack(total) / one.factor  # totals are made as much wider as their parts are
    return Widths(one, widening(beyond, np.repeat(np.array(at)[:, None], total[0].size, axis=1), reach))


def _apart(cube: Cube, reach: int) -> list[int]:
    """Give cutoffs whose stretch has come and does not overlap that of the next, the last one first."""
    found: list[int] = []
    for k in range(len(cube.at) - 1, -1, -1):
        limit = cube.at[found[-1]] if found else cube.now
        if cube.at[k] + reach <= limit:
            found.append(k)
    return found


def _scores(y: np.ndarray, draws: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Say how far off figures were in units of their 80 % range, from its middle to its end on that side: at most 1 is inside."""
    low, middle, high = np.quantile(draws, [0.1, 0.5, 0.9], axis=-1)
    half = np.where(y >= middle, high - middle, middle - low) + np.where(whole, 0.5, 1e-9)
    inside = (y >= low) & (y <= high)
    score = np.abs(y - middle) / half
    return np.where(np.isfinite(y) & np.isfinite(low), np.where(inside, np.minimum(score, 1.0), np.maximum(score, 1.0 + 1e-9)), np.nan)


def _of_totals(y: np.ndarray, draws: np.ndarray, series: pd.DataFrame, whole: np.ndarray) -> np.ndarray:
    """Give the scores of the totals over all series of one kind and unit, and over all periods."""
    there = np.isfinite(y).all(axis=1) & np.isfinite(draws[:, 0, 0])
    found = []
    for rows in series.reset_index(drop=True).groupby(["kind", "unit"]).indices.values():
        mine = rows[there[rows]]
        total = draws[mine].sum(axis=(0, 1), dtype=np.float64)
        found.append(float(_scores(y[mine].sum(), total, whole[mine].all())) if len(mine) else np.nan)
    return np.array(found)
