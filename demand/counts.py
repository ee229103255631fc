"""Numbers made into counts, so that the mean over the draws stays what it was.

In: draws that something multiplied. Out: draws that are whole numbers. Refuses nothing.
"""

from __future__ import annotations

import numpy as np

__all__ = ["to_counts"]


def to_counts(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Make counts of numbers: each goes up with the probability of its fraction, so that the mean over the draws stays (to 1 / draws).

    Rounding to the nearest would lose a factor where counts are low: 1.3 times a count of 1 is 1. Of the draws of a period, taken in a
    random order, as many go up as their fractions add up to.

    Parameters
    ----------
    values : numpy.ndarray
        Shape (periods, draws).
    rng : numpy.random.Generator
        Of the series, so that its numbers do not depend on which others there are.

    Returns
    -------
    numpy.ndarray

    References
    ----------
    Madow, W. G. (1949). On the theory of systematic sampling, II. Annals of Mathematical Statistics 20(3).
    """
    lower = np.floor(values)
    share = values - lower
    if not share.any():
        return values
    chance = rng.random((len(values), values.shape[1] + 1))  # by period, so that those ahead do not depend on how many follow
    order = np.argsort(chance[:, 1:], axis=1)
    reached = np.floor(np.cumsum(np.take_along_axis(share, order, axis=1), axis=1) + chance[:, :1])
    up = np.empty_like(values)
    np.put_along_axis(up, order, np.diff(reached, axis=1, prepend=0.0), axis=1)
    return np.asarray(lower + up)
