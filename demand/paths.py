"""Paths of errors, and who takes which in a draw: joint futures whose errors hang together as they did.

In: standardised paths of errors at earlier cutoffs, and what each series is called. Out: the same without gaps, and for each draw one path
a series. The numbers of a series go by what it is called, never by its place among the others. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from demand.spec import stream

__all__ = ["completed", "standard_paths"]

DEALT = 0.8
"""Share of the series that are dealt a path at the cutoff of a draw, the others keep their own; all of them where cutoffs are few."""
UNSTEADY = 0.3
"""How unsteady the size of errors itself is from one stretch to the next, as a standard deviation of its logarithm."""
MANY = 6
"""Cutoffs from which there are many."""


def completed(paths: np.ndarray, horizon: int) -> np.ndarray:
    """Fill steps of paths that are not known, and those beyond their last; a path without a known step stays NaN.

    Parameters
    ----------
    paths : numpy.ndarray
        Shape (cutoffs, series, steps).
    horizon : int

    Returns
    -------
    numpy.ndarray
        Shape (cutoffs, series, horizon).
    """
    known, found = np.isfinite(paths), np.full((*paths.shape[:2], horizon), np.nan)
    for there in np.unique(known.reshape(-1, paths.shape[2]), axis=0):
        if there.any():
            mine = (known == there).all(axis=2)
            found[mine] = paths[mine][:, _turned(there, horizon)]
    return found


def _turned(known: np.ndarray, horizon: int) -> np.ndarray:
    """Say which known step stands for each: those that are known are told again backwards from the nearest.

    So errors that last go on lasting, and those that come and go do so: one of them carried on would last as none did.
    """
    told, steps = np.flatnonzero(known), np.arange(horizon)
    near = np.abs(steps[:, None] - told[None, :]).argmin(axis=1)
    away = steps - told[near]
    place = (near - np.sign(away) * (np.abs(away) - 1)) % (2 * len(told))
    return np.asarray(told[np.minimum(place, 2 * len(told) - 1 - place)])


def standard_paths(
    paths: np.ndarray | None, chances: np.ndarray, kinds: np.ndarray, *, keys: Sequence[object], horizon: int, draws: int, seed: int
) -> np.ndarray:
    """Draw standardised error paths of all series.

    Parameters
    ----------
    paths : numpy.ndarray or None
        Shape (cutoffs, series, horizon), from `completed`; None where no error was ever seen: they are then assumed.
    chances : numpy.ndarray
        Shape (cutoffs,): how often each cutoff is drawn.
    kinds : numpy.ndarray
        Shape (series,): a number for each kind of series.
    keys : sequence
        What each series is called.
    horizon, draws, seed : int

    Returns
    -------
    numpy.ndarray
        float32, shape (series, horizon, draws).
    """
    rng = stream(seed, "joint draws")
    if paths is None:
        return _assumed(rng.standard_normal(draws), keys, horizon, seed)
    paths = paths.astype(np.float32)
    count, there, series = len(paths), np.isfinite(paths).all(axis=2), np.arange(len(keys))
    share, z = DEALT if count >= MANY else 1.0, np.empty((len(keys), horizon, draws), dtype=np.float32)
    # Every cutoff comes as often as its chance says, and either sign as often as the other, to within one draw (Madow 1949).
    order = rng.permutation(2 * count)
    reached = np.cumsum(np.repeat(chances / 2, 2)[order])
    pairs = rng.permutation(order[np.searchsorted(reached, reached[-1] * (np.arange(draws) + rng.random()) / draws)])
    size = np.exp(UNSTEADY * rng.standard_normal(draws) - UNSTEADY**2)
    places, own = np.moveaxis(np.stack([stream(seed, "dealt", key).random((2, draws)) for key in keys]), 1, 0)
    at = _for_kinds(pairs // 2, there, chances, kinds, seed)
    for d in range(draws):
        dealt = _dealt(there[at[:, d], series], kinds, places[:, d], own[:, d] / share, lone=count >= MANY)
        z[:, :, d] = (1 - 2 * (pairs[d] % 2)) * size[d] * paths[at[dealt, d], dealt]
    return z


def _for_kinds(cutoffs: np.ndarray, there: np.ndarray, chances: np.ndarray, kinds: np.ndarray, seed: int) -> np.ndarray:
    """Give the cutoff from which each series takes its path, shape (series, draws): the draw's own, the same for all.

    Where none of a kind has a path there (all are set aside, for a change of recording of theirs), the kind takes another cutoff at which
    it has some: errors of stocks last, and would be none of a flow.
    """
    at = np.tile(cutoffs, (len(kinds), 1))
    for kind in np.unique(kinds):
        has = np.asarray(there[:, kinds == kind].any(axis=1))
        if has.any() and not has.all():
            lacking = ~has[cutoffs]
            rng = stream(seed, "another cutoff", int(kind))
            at[np.ix_(kinds == kind, lacking)] = rng.choice(len(has), size=int(lacking.sum()), p=chances * has / (chances * has).sum())
    return at


def _assumed(common: np.ndarray, keys: Sequence[object], horizon: int, seed: int) -> np.ndarray:
    """Draw paths where nothing is known of errors: half of their variance stays over time, and a quarter of that is common to all."""
    z = np.empty((len(keys), horizon, len(common)), dtype=np.float32)
    for i, key in enumerate(keys):
        own, noise = np.split(stream(seed, "assumed", key).standard_normal((1 + horizon, len(common))), [1])
        z[i] = np.sqrt(0.5) * (0.5 * common + np.sqrt(0.75) * own + noise)
    return z


def _dealt(there: np.ndarray, kinds: np.ndarray, places: np.ndarray, own: np.ndarray, *, lone: bool) -> np.ndarray:
    """Say whose path each series takes: its own, or one of its kind that no other takes before all are taken.

    Two series that took the same path would err together as they never did. The series of a kind stand in a circle, each at its own
    random place: each takes the path of the next one, so that a series more changes what one other takes. Those without a path take that
    of the next one that has one, or of the first one after it that none of them has taken. As many keep their own as a random order would
    let, and those whose number `own` is above 1. Where a kind has one series with a path, and `lone` is not said, or none, all are of one
    kind.
    """
    found = np.arange(len(kinds))
    for kind in np.unique(kinds):
        mine = kinds == kind
        lenders = np.flatnonzero(mine & there)
        few = len(lenders) < (1 if lone else 2)
        if few:
            rest, lenders = np.flatnonzero(mine), np.flatnonzero(there)
        else:
            circle = _around(lenders[own[lenders] < 1 - 1 / len(lenders)], places)
            found[circle] = np.roll(circle, -1)
            rest = np.flatnonzero(mine & ~there)
        rest, lenders, turn = _around(rest, places), _around(lenders, places), np.arange(2 * len(rest))
        after = np.searchsorted(places[lenders], places[rest], side="right")
        after = np.append(after, after + len(lenders))  # twice round, so that the first ones see what the last ones took
        found[rest] = lenders[(np.maximum.accumulate(after - turn) + turn)[len(rest) :] % len(lenders)]
    return found


def _around(series: np.ndarray, places: np.ndarray) -> np.ndarray:
    return np.asarray(series[np.argsort(places[series], kind="stable")])
