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
from demand.spec import EIGHTY, stream
from demand.tables import BOUNDS, History

__all__ = ["ENOUGH", "Widths", "draws_then", "known_then", "stretches", "whole_numbers", "widths"]

ENOUGH = 3
"""Earlier cutoffs whose whole path had come: fewer, and ranges are not calibrated."""
LOOKS, SERIES, DRAWS = 8, 60, 200
"""The most earlier cutoffs, series and draws from which it is judged how wide ranges must be."""
PIECES = 2.0
"""As how many pieces of evidence on what series have in common one stretch of errors counts: its first steps and its last do not err as
one. On development windows of six public sets 1 makes ranges of totals too wide, and none at all leaves them too narrow."""
MANY = 30.0
"""Pieces of evidence from which a size is taken as known: Student's t is within 2 % of a normal."""
ENDS = {0.8: (0.1, 0.9), 0.95: (0.025, 0.975)}
"""Where ranges that hold so much end."""
SLIGHT = 0.005
"""A factor that differs less from 1 changes nothing."""
REACH = 1.53
"""How much further from the middle a 95 % range of a normal reaches than its 80 % range."""
CLOSEST = 0.5
"""What lies beyond the 80 % range is drawn in to no less than this: nearer, and a fifth of all draws would sit on its two ends."""


@dataclass(frozen=True)
class Widths:
    """How wide the ranges are made, over how wide errors alone would make them.

    Parameters
    ----------
    series : Widening
        On the errors of every series, by single periods.
    tail : Widening
        The same of their 95 % ranges, over what errors alone would make them; what lies beyond the 80 % range follows it.
    total : Widening
        Beyond that, on what all series of one kind and unit have in common, by their total over a year (or the horizon).
    stretches : float
        Independent stretches of errors from which it is learnt how series err together; 0 where no two have a total, or none was seen: a
        quarter of what lasts is then assumed to be common to all (`demand.paths`), which makes totals as wide as one stretch would.
    pieces : float
        Pieces of evidence on how large that part of a series' errors is which lasts; infinite where it is known. None at all counts as the
        least: what is assumed then is wide enough for single periods, not for their total over a year.
    year : int
        Periods in a year, or the horizon where that is shorter.
    """

    series: Widening = field(default_factory=Widening)
    tail: Widening = field(default_factory=Widening)
    total: Widening = field(default_factory=Widening)
    stretches: float = 0.0
    pieces: float = np.inf
    year: int = 1

    @property
    def far(self) -> float:
        """How much wider 95 % ranges are made: by `tail`, as far as what lies beyond the 80 % range is not drawn in too far."""
        return max(self.tail.factor, self.series.factor * (1 + CLOSEST * (REACH - 1)) / REACH)

    @property
    def few(self) -> float:
        """How much wider what several series have in common is made because it was seen only a few times.

        How large the errors of one series are is learnt from all series, how they err together from stretches of time alone.
        """
        return _student(PIECES * max(self.stretches, 1.0)) if self.stretches > 0 else 1.0

    @property
    def lasting(self) -> float:
        """How much wider that part of a series' errors is made which lasts all year: of a lone series it too was seen only a few times."""
        return _student(max(self.pieces, PIECES)) if self.pieces < MANY else 1.0

    @property
    def settings(self) -> dict[str, Any]:
        """The factors, as plain data."""
        return {
            "widened": {"series": self.series.factor, "total": self.total.factor},
            "widened_95": self.far,
            "widened_for_few_stretches": self.few,
            "widened_for_few_series": self.lasting,
        }

    def noted(self, notes: pd.DataFrame) -> pd.DataFrame:
        """Add to the notes of a forecast what was widened, and why."""
        told = []
        tail = replace(self.tail, factor=self.far)
        of = ((self.series, "ranges of single figures", "4 in 5"), (tail, "95% ranges of single figures", "19 in 20"))
        for one, what, said in (*of, (self.total, "ranges of totals", "4 in 5")):
            if f"{one.factor:.2f}" != "1.00":
                text = f"{what} are made {one.factor:.2f} times as wide: at {one.cutoffs} earlier dates "
                bound = (
                    "; what lies beyond the 80% range is drawn in by half at the most"
                    if one is tail and self.far != self.tail.factor
                    else ""
                )
                told.append(f"{text}those said to hold {said} held {one.inside:.0%}{bound}")
        if f"{self.lasting:.2f}" != "1.00":
            seen = f"how large errors are that last was seen in {self.pieces:.1f} pieces of evidence"
            told.append(f"ranges of a year's total of one series are made {self.lasting:.2f} times as wide: {seen}")
        if f"{self.few:.2f}" != "1.00":
            seen = f"how series err together was seen in {self.stretches:.1f} stretches of time that do not overlap"
            told.append(f"ranges of totals of several series are made {self.few:.2f} times as wide: {seen}")
        return (
            pd.concat([notes, pd.DataFrame([("", "combined", t) for t in told], columns=notes.columns)], ignore_index=True)
            if told
            else notes
        )

    def applied(self, values: np.ndarray, series: pd.DataFrame, *, whole: np.ndarray, seed: int) -> np.ndarray:
        """Widen, or narrow, the ends of ranges, what lasts of errors, and what series have in common.

        Of what they have in common each takes its share of how far its total lies from the mean, draw by draw. The mean of every period
        stays: counts cannot go below nought, so what is moved away from the middle would else move it up, and what is drawn in down.

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
        beyond = (REACH * self.far / self.series.factor - 1) / (REACH - 1)
        for row in range(len(values) if abs(beyond - 1) > SLIGHT else 0):  # a series at a time: the array is the largest there is
            low, high = np.quantile(values[row], ENDS[0.8], axis=1)[..., None]
            moved = np.clip(values[row], low, high)
            values[row] = _around(moved + beyond * (values[row] - moved), values[row])
        for row in range(len(values) if self.lasting - 1 > SLIGHT else 0):
            values[row] = _around(values[row] + (self.lasting - 1) * _lasting(values[row], self.year), values[row])
        for rows in series.reset_index(drop=True).groupby(["kind", "unit"]).indices.values():
            factor = self.total.factor * (self.few if len(rows) > 1 else 1.0)
            if factor == 1:
                continue
            total = values[rows].sum(axis=0, dtype=np.float64)
            middle = total.mean(axis=1, keepdims=True)
            push = (factor - 1) * (total - middle) / np.maximum(middle, 1e-9)
            for row in rows:
                values[row] = _around(values[row] + values[row].mean(axis=1, keepdims=True, dtype=np.float64) * push, values[row])
        for row in np.flatnonzero(whole).tolist():
            values[row] = to_counts(values[row], stream(seed, "widened", series.index[row]))
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
    part, total, at = cube.only(some), [], []
    single: list[np.ndarray] = []
    far: list[np.ndarray] = []
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
            then_by = Widths(stretches=stretches(known), pieces=_pieces(known), year=reach)
            values = draws_then(then, known, mean, weights, draws=DRAWS, seed=seed, by=then_by)
            for found, nominal in ((single, 0.8), (far, 0.95)):
                found.append(_scores(part.told[k, :, :reach], values, counts[:, None], nominal).reshape(-1))
            total.append(_of_totals(part.told[k, :, :reach], values, about, counts))
            at.append(place)
    several = history.series.groupby(["kind", "unit"]).size().max() > 1
    every = Widths(stretches=stretches(cube) if several else 0.0, pieces=_pieces(cube), year=reach)
    if not at:
        return every
    places = np.repeat(np.array(at)[:, None], single[0].size, axis=1)
    one, tail = widening(np.stack(single), places, reach), widening(np.stack(far), places, reach, nominal=0.95)
    beyond = np.stack(total) / one.factor  # totals are made as much wider as their parts are
    whole = widening(beyond, np.repeat(np.array(at)[:, None], total[0].size, axis=1), reach)
    return replace(every, series=one, tail=tail, total=whole)


def _student(pieces: float) -> float:
    """Give the end of an 80 % range of Student's t over that of a normal (1908, Biometrika 6, 1-25): a size learnt from so many pieces."""
    from scipy import special

    return float(special.stdtrit(pieces, 0.9) / EIGHTY)


def _pieces(cube: Cube) -> float:
    """Count the pieces of evidence on how large that part of errors is which lasts: each series' stretches, without what was set aside."""
    steps, told = cube.y.shape[2], np.zeros((len(cube.ids), cube.now + 1), dtype=bool)
    for at, seen in zip(cube.at.tolist(), np.isfinite(cube.told), strict=True):
        told[:, at + 1 : at + 1 + steps] |= seen[:, : cube.now - at]
    return float(PIECES * told.sum() / steps)


def _lasting(values: np.ndarray, year: int) -> np.ndarray:
    """Give how far each draw, shape (periods, draws), lies from the mean in all of a year: its share of the mean of every period."""
    mean, starts = values.mean(axis=1, keepdims=True, dtype=np.float64), np.arange(0, len(values), year)
    middle = np.add.reduceat(mean, starts)
    share = np.divide(
        np.add.reduceat(values, starts, dtype=np.float64) - middle, middle, out=np.zeros((len(starts), values.shape[1])), where=middle > 0
    )
    return np.asarray(mean * share[np.arange(len(values)) // year])


def _around(moved: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Give draws that were moved, none below nought, the mean that each period had before."""
    moved = np.maximum(moved, 0.0)
    mean, now = (v.mean(axis=1, keepdims=True, dtype=np.float64) for v in (before, moved))
    return np.asarray(moved * np.divide(mean, now, out=np.ones_like(now), where=now > 0))


def _apart(cube: Cube, reach: int) -> list[int]:
    """Give cutoffs whose stretch has come and does not overlap that of the next, the last one first."""
    found: list[int] = []
    for k in range(len(cube.at) - 1, -1, -1):
        limit = cube.at[found[-1]] if found else cube.now
        if cube.at[k] + reach <= limit:
            found.append(k)
    return found


def _scores(y: np.ndarray, draws: np.ndarray, whole: np.ndarray, nominal: float = 0.8) -> np.ndarray:
    """Say how far off figures were in units of a range, from its middle to its end on that side: at most 1 is inside."""
    low, middle, high = np.quantile(draws, [ENDS[nominal][0], 0.5, ENDS[nominal][1]], axis=-1)
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
