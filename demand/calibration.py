"""Whether ranges held what they said, counted in stretches of time that do not overlap, and how much wider they should have been.

In: for each earlier forecast where it stood, how far it looked, and how far off it was in units of its own range. Out: blocks of cutoffs
that count as one piece of evidence, shares with their intervals, and the factor that would have made a range true. Refuses nothing: too
little evidence changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demand.spec import stream

__all__ = ["VERDICT", "Widening", "blocks", "share", "widening"]

VERDICT = 20
"""Independent cutoffs from which a range is said to hold or not; with fewer the result says 'k of n' and no more."""
RESAMPLES = 2000
"""Resamples of the bootstrap."""
TAIL = 0.025
"""What lies beyond each end of a 95 % interval."""
LEAST = 4
"""Independent cutoffs below which nothing is widened and no interval given: with four an 80 % range is corrected by the worst."""
MOST = 3.0
"""A range is never made more than so many times as wide: beyond that the model is wrong, not its range."""


@dataclass(frozen=True)
class Widening:
    """How much wider ranges must be.

    Parameters
    ----------
    factor : float
        On all errors; 1 where the ranges held, or too little is known.
    inside : float
        Share of earlier figures inside the range as it was.
    cutoffs : int
        Independent cutoffs that this rests on.
    """

    factor: float = 1.0
    inside: float = float("nan")
    cutoffs: int = 0


def blocks(at: np.ndarray, reach: int) -> np.ndarray:
    """Say which cutoffs hang together because what they forecast overlaps.

    Parameters
    ----------
    at : numpy.ndarray
        Places of cutoffs in the calendar, in periods; any order, may repeat.
    reach : int
        Periods that each forecast spans.

    Returns
    -------
    numpy.ndarray
        The number of each one's block, from 0. A block begins where the forecasts of the one before have ended, so that there are as many
        blocks as forecasts that do not overlap.

    Examples
    --------
    >>> blocks(np.array([3, 6, 9, 15, 15, 27]), 12).tolist()
    [0, 0, 0, 1, 1, 2]
    """
    places = np.unique(at)
    begins = [float("-inf")]
    for place in places:
        if place - begins[-1] >= reach:
            begins.append(place)
    return np.searchsorted(np.array(begins[1:]), at, side="right") - 1


def share(values: np.ndarray, block: np.ndarray, *, seed: int) -> tuple[float, float, float]:
    """Give the mean of some values, and its 95 % interval by resampling whole blocks of cutoffs.

    Parameters
    ----------
    values : numpy.ndarray
        1 where a range held and 0 where not, or shares.
    block : numpy.ndarray
        The block of each, from `blocks`.
    seed : int

    Returns
    -------
    mean, low, high : float
        The ends are NaN where there are fewer than four blocks.

    References
    ----------
    Carlstein, E. (1986). The use of subseries values for estimating the variance of a general statistic from a stationary sequence.
    Annals of Statistics 14(3).
    """
    if not len(values):
        return float("nan"), float("nan"), float("nan")
    total, count = np.bincount(block, values), np.bincount(block).astype(float)
    total, count = total[count > 0], count[count > 0]
    if len(count) < LEAST:
        return float(np.mean(values)), float("nan"), float("nan")
    taken = stream(seed, "blocks of cutoffs").integers(0, len(count), (RESAMPLES, len(count)))
    found = total[taken].sum(axis=1) / count[taken].sum(axis=1)
    low, high = np.quantile(found, [TAIL, 1 - TAIL])
    return float(total.sum() / count.sum()), float(low), float(high)


def widening(scores: np.ndarray, at: np.ndarray, reach: int, *, nominal: float = 0.8) -> Widening:
    """Give the factor by which ranges must be widened so that earlier ones would have held what they said.

    Parameters
    ----------
    scores : numpy.ndarray
        How far off each earlier figure was: its distance from the middle of its range over the distance from there to the end of the
        range on that side. At most 1 means inside. NaN where it is not known yet.
    at : numpy.ndarray
        The place of each figure's cutoff in the calendar, in periods; the same shape.
    reach : int
        Periods that each figure spans.
    nominal : float
        What share the range is said to hold.

    Returns
    -------
    Widening
        Its factor is above 1 only where the ranges failed beyond what chance would do: where the share inside, by block, is below nominal
        by a one-sided t test or, counted in whole blocks, by an exact binomial test (each at 0.025), on at least four independent
        cutoffs. Ranges are never narrowed.

    References
    ----------
    Vovk, V., Gammerman, A. and Shafer, G. (2005). Algorithmic learning in a random world. Springer. Lei, J., G'Sell, M., Rinaldo, A.,
    Tibshirani, R. J. and Wasserman, L. (2018). Distribution-free predictive inference for regression. JASA 113(523), section 5.2: split
    conformal with locally weighted scores. Blocks, not figures, count as exchangeable here, which is cautious.
    """
    known = np.isfinite(scores)
    score, block = scores[known], blocks(at[known], reach) if known.any() else np.empty(0, dtype=int)
    if not len(score):
        return Widening()
    count = np.bincount(block)
    inside = np.bincount(block, score <= 1.0) / count
    told = Widening(1.0, float(np.mean(score <= 1.0)), len(count))
    if len(count) < LEAST or not _failed(inside, nominal):
        return told
    # Every block weighs alike, as one piece of evidence; one more, unseen and infinitely far off, stands for the next.
    order = np.argsort(score, kind="stable")
    weight = np.cumsum((1.0 / count[block])[order]) / (len(count) + 1)
    place = int(np.searchsorted(weight, nominal - 1e-12))
    factor = float(score[order][min(place, len(score) - 1)])
    return Widening(float(np.clip(factor, 1.0, MOST)), told.inside, told.cutoffs)


def _failed(inside: np.ndarray, nominal: float) -> bool:
    """Say whether the shares inside, one a block, are below nominal by more than chance."""
    from scipy import special

    count, mean = len(inside), float(inside.mean())
    if mean >= nominal:
        return False
    spread = float(inside.std(ddof=1)) / count**0.5
    by_mean = spread > 0 and special.stdtr(count - 1, (mean - nominal) / spread) < TAIL
    return bool(by_mean or special.bdtr(np.ceil(inside.sum() - 1e-9), count, nominal) < TAIL)
