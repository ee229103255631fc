"""Estimates of many series, each drawn towards their mean by how much of what tells them apart is chance.

In: estimates and their variances. Out: the same, drawn together. Refuses nothing: what is not known (NaN) stays so.
"""

from __future__ import annotations

import numpy as np

__all__ = ["pooled", "shrunk"]


def pooled(each: np.ndarray, noise: np.ndarray) -> tuple[float, float, float]:
    """Give the mean of estimates, its standard error, and the variance between them that is not chance.

    Parameters
    ----------
    each, noise : numpy.ndarray
        Finite estimates, at least one, and their variances, above 0.

    Returns
    -------
    mean, error, between : float

    References
    ----------
    DerSimonian, R. and Laird, N. (1986). Meta-analysis in clinical trials. Controlled Clinical Trials 7, 177-188.

    Examples
    --------
    >>> mean, error, between = pooled(np.array([1.0, 1.0, 4.0, 4.0]), np.full(4, 0.01))
    >>> mean, round(between, 1)
    (2.5, 3.0)
    """
    weight, between = 1 / noise, 0.0
    if len(each) > 1:
        mean = (weight * each).sum() / weight.sum()
        beyond = (weight * (each - mean) ** 2).sum() - (len(each) - 1)
        between = max(float(beyond / (weight.sum() - (weight**2).sum() / weight.sum())), 0.0)
    weight = 1 / (noise + between)
    return float((weight * each).sum() / weight.sum()), float(weight.sum() ** -0.5), between


def shrunk(each: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Draw estimates towards their mean.

    Parameters
    ----------
    each, noise : numpy.ndarray
        Estimates (NaN where there is none) and their variances.

    Returns
    -------
    numpy.ndarray
        The same shape; a lone estimate stays as it is.
    """
    known = np.isfinite(each)
    if known.sum() < 2:
        return each
    mean, _, between = pooled(each[known], noise[known])
    own, drawn = between / (between + noise[known]), each.copy()
    drawn[known] = own * each[known] + (1 - own) * mean
    return drawn
