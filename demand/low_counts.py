"""Draws of low counts: 0, 1, 2, ... with the share of noughts that was seen, not a bell curve cut off at nought.

In: what is expected, how far errors spread, and paths of errors. Out: counts whose ranks follow the paths (a copula) as far as more than
counting moves them. Refuses nothing.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["draw_low", "more_noughts"]

STEADY = 0.7
"""A low series whose variance is less than this share of its mean is steadier than counting, and rounded instead."""
LOWEST = 0.5
"""Below this mean it is never rounded: all would be nought."""
FEW = 8.0
"""Expected counts to this mean tell how many noughts there are."""
BELIEVED = 40.0
"""The share of noughts of a series is drawn towards that of all as if these had the word of so many replayed counts."""
LEAST, ROUNDS = 1e-3, 40
"""What difference in a share does not matter, and how many rounds are spent on it."""
EPSILON = 1e-9


def more_noughts(actual: np.ndarray, mean: np.ndarray, spread: np.ndarray, *, safety: float) -> np.ndarray:
    """Say how many more noughts came than a negative binomial has.

    Parameters
    ----------
    actual, mean, spread : numpy.ndarray
        Shape (cutoffs, series, steps): what came, what was expected, and the standard deviation of errors; NaN where not known.
    safety : float
        As in `draw_low`.

    Returns
    -------
    numpy.ndarray
        Shape (series,): what is to be added to the logarithm of the odds of a nought; 0 where no count was low.
    """
    seen = np.isfinite(actual) & (mean < FEW) & (mean > 0)
    if not seen.any():
        return np.zeros(actual.shape[1])
    level, variance = np.where(seen, mean, 1.0), _variance(np.where(seen, mean, 1.0), np.where(seen, spread, 1.0) ** 2, safety)
    expected = np.where(seen, _nought(level, variance), 0.0).sum(axis=(0, 2))
    came, count = (seen & (actual == 0)).sum(axis=(0, 2)), seen.sum(axis=(0, 2))
    share = (expected + 0.5) / (count + 1)
    of_all = _odds((came.sum() + 1) / (count.sum() + 2)) - _odds((expected.sum() + 1) / (count.sum() + 2))
    like_all = 1 / (1 + np.exp(-_odds(share) - of_all))
    own = (came + BELIEVED * like_all) / (count + BELIEVED)
    return np.asarray(np.where(count > 0, _odds(own) - _odds(share), 0.0))


def draw_low(
    mean: np.ndarray, spread: np.ndarray, z: np.ndarray, rng: np.random.Generator, *, safety: float, anew: bool, noughts: float
) -> np.ndarray:
    """Draw low counts: negative binomial or Poisson where counting explains the spread, rounded where the series is steadier than that.

    What counting itself adds, a variance as large as the mean, is drawn anew in each period of a flow; only the rest hangs together as
    errors did. Those whom a stock counts are mostly there in the next period too: all of it hangs together.

    Parameters
    ----------
    mean, spread : numpy.ndarray
        Shape (horizon,).
    z : numpy.ndarray
        Shape (horizon, draws): standardised errors.
    rng : numpy.random.Generator
    safety : float
        Factor on the spread for what is not known of it; counting needs none: its variance is known.
    anew : bool
        Whether it is a flow.
    noughts : float
        From `more_noughts`.

    Returns
    -------
    numpy.ndarray
        Shape (horizon, draws): whole numbers.
    """
    from scipy import special

    seen = (spread * z.std(axis=1, dtype=np.float64)) ** 2
    variance = _variance(mean, seen, safety)
    together = np.clip(1 - mean / np.maximum(variance, EPSILON), 0.0 if anew else 1.0, 1.0)[:, None]
    score = special.ndtri(_ranks(z))
    ranks = _ranks(np.sqrt(together) * score + np.sqrt(1 - together) * rng.standard_normal(z.shape))
    values = np.rint(np.maximum(mean[:, None] + safety * spread[:, None] * z, 0.0))
    counted = np.flatnonzero((seen * safety**2 >= STEADY * mean) | (mean < LOWEST))
    values[counted[mean[counted] < EPSILON]] = 0
    counted = counted[mean[counted] >= EPSILON]
    for h, *shape in zip(counted, *_hurdles(mean[counted], variance[counted], noughts), strict=True):
        values[h] = np.searchsorted(_count_cdf(*shape), ranks[h], side="left")
    return np.asarray(values)


def _variance(mean: np.ndarray, seen: np.ndarray, safety: float) -> np.ndarray:
    """Give the variance of counts: what was seen, and more for safety of what counting does not explain."""
    return np.asarray(seen + (safety**2 - 1) * np.maximum(seen - mean, 0.0))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Give the place of each draw among those of its period, between 0 and 1."""
    order, places = values.argsort(axis=1, kind="stable"), np.empty(values.shape)
    np.put_along_axis(places, order, np.arange(0.5, values.shape[1])[None], axis=1)
    return np.asarray(places / values.shape[1])


def _count_cdf(ratio: float, nought: float, inner: float) -> np.ndarray:
    """Give the distribution of a count whose chance of a nought is given, and whose other values are those of a count of mean `inner`."""
    from scipy import special

    top = np.arange(int(inner + 12 * math.sqrt(ratio * inner) + 12))
    plain = special.pdtr(top, inner) if ratio <= 1.01 else special.betainc(inner / (ratio - 1), top + 1, 1 / ratio)
    return np.asarray(nought + (1 - nought) * (plain - plain[0]) / (1 - plain[0]))


def _hurdles(mean: np.ndarray, variance: np.ndarray, noughts: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give variance over mean, the chance of a nought, and the mean of the count behind the others, of counts of these means.

    The count is negative binomial, or Poisson where the variance is no more than the mean. The odds of a nought are moved by `noughts`;
    what is left is a count that is not nought, of the mean that is needed (a hurdle model: Mullahy 1986, Journal of Econometrics 33,
    341-365).
    """
    ratio, plain, inner = np.maximum(variance / mean, 1.0), _nought(mean, variance), mean.copy()
    moved = 1 / (1 + np.exp(-_odds(plain) - noughts))
    # the least mean of what is not nought (logarithmic distribution)
    fewest = np.where(ratio > 1.01, (ratio - 1) / np.log(np.maximum(ratio, 1.01)), 1.0)
    nought = np.where(np.abs(moved - plain) > LEAST, np.maximum(moved, np.minimum(plain, 1 - 0.9 * mean / fewest)), plain)
    rising = np.flatnonzero(np.abs(moved - plain) > LEAST)
    for _ in range(ROUNDS):  # rises, or falls, to where the whole has the mean that is asked for
        last = inner[rising]
        inner[rising] = mean[rising] * (1 - _nought(last, ratio[rising] * last)) / (1 - nought[rising])
        rising = rising[np.abs(inner[rising] - last) >= LEAST * mean[rising]]
        if not len(rising):
            break
    return ratio, nought, inner


def _nought(mean: np.ndarray | float, variance: np.ndarray | float) -> np.ndarray:
    """Give the chance of a nought: negative binomial, or Poisson where the variance is no more than the mean."""
    ratio = np.maximum(np.asarray(variance) / mean, 1.0)
    more = np.maximum(ratio - 1, 1e-3)
    return np.asarray(np.where(ratio <= 1.01, np.exp(-np.asarray(mean)), ratio ** (-np.asarray(mean) / more)))


def _odds(share: np.ndarray | float) -> np.ndarray:
    """Give the logarithm of the odds."""
    share = np.clip(share, EPSILON, 1 - EPSILON)
    return np.asarray(np.log(share / (1 - share)))
