"""Whether ranges held what they said, counted in stretches of time that do not overlap, and how wide they should have been.

In: for each earlier forecast where it stood, how far it looked, and how far off it was in units of its own range. Out: blocks of cutoffs
that count as one piece of evidence, shares with their intervals, and the factor that makes a range true, as far as the evidence goes.
Refuses nothing: too little evidence changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demand.spec import stream

__all__ = ["VERDICT", "Widening", "blocks", "share", "widening"]

VERDICT = 20
"""Independent cutoffs from which a range is said to hold or not; with fewer the result says 'k of n' and no more."""
RESAMPLES, ROUNDS = 2000, 200
"""Resamples of the bootstrap: of a share, and of a factor."""
TAIL = 0.025
"""What lies beyond each end of a 95 % interval."""
LEAST = 4
"""Independent cutoffs below which no width is changed and no interval given."""
MOST, FEWEST = 3.0, 0.8
"""A range is made at most, and at least, so many times as wide: beyond the one the model is wrong, not its range; and calm years are no
promise."""
BELIEF = 0.1
"""How far from true ranges are believed to be beforehand: the standard deviation of the logarithm of the factor."""
BEYOND = 3.0
"""Where ranges were too narrow by more than so many standard errors, they failed, and belief gives way to what was seen."""


@dataclass(frozen=True)
class Widening:
    """How wide ranges must be, over how wide they were.

    Parameters
    ----------
    factor : float
        On all errors; near 1 where the ranges held, and 1 where too little is known.
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
    """Give the factor on the width of ranges with which earlier ones would have held what they said, as far as the evidence goes.

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
        The factor is the score that a share `nominal` of the blocks' figures does not pass, each block as one piece of evidence. Its
        logarithm is drawn towards 0 by how much resampled blocks vary beside `BELIEF`: above 1 and below it alike. Ranges that failed by
        far more than chance (`BEYOND`) are widened by what was seen.

    References
    ----------
    Vovk, V., Gammerman, A. and Shafer, G. (2005). Algorithmic learning in a random world. Springer. Lei, J., G'Sell, M., Rinaldo, A.,
    Tibshirani, R. J. and Wasserman, L. (2018). Distribution-free predictive inference for regression. JASA 113(523), section 5.2: split
    conformal with locally weighted scores. Blocks, not figures, count as exchangeable here, which is cautious. Drawn towards 0 by
    empirical Bayes: Efron, B. and Morris, C. (1973). JASA 68, 117-130.
    """
    known = np.isfinite(scores)
    score, block = scores[known], blocks(at[known], reach) if known.any() else np.empty(0, dtype=int)
    if not len(score):
        return Widening()
    block = np.unique(block, return_inverse=True)[1].reshape(-1)
    count = np.bincount(block)
    told = Widening(1.0, float(np.mean(score <= 1.0)), len(count))
    if len(count) < LEAST:
        return told
    order = np.argsort(score, kind="stable")
    log, of = np.log(np.maximum(score[order], 1e-6)), block[order]
    taken = stream(0, "blocks of scores").integers(0, len(count), (ROUNDS, len(count)))
    times = np.vstack([np.ones(len(count)), (taken[:, :, None] == np.arange(len(count))).sum(axis=1)])
    weight = np.cumsum((times / count)[:, of], axis=1)
    found = log[(weight < nominal * weight[:, -1:] - 1e-9).sum(axis=1)]
    seen, noise = float(found[0]), float(found[1:].var()) * len(count) / (len(count) - 1)
    believed = max(BELIEF**2, seen**2 - BEYOND**2 * noise) if seen > 0 else BELIEF**2
    factor = float(np.exp(seen * believed / (believed + noise)))
    return Widening(float(np.clip(factor, FEWEST, MOST)), told.inside, told.cutoffs)
