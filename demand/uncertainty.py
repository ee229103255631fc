"""Joint draws: what errors were, so that futures can be drawn whose errors hang together as they did.

In: what models said at earlier cutoffs, and what came. Out: `Errors`, whole residual paths of all series, scaled per series, and draws of
joint futures made from them: never negative, and counts where counts are counted. Refuses nothing: where there are no errors to learn from,
the spread is assumed and `Errors.assumed` says so.

Notes
-----
How large the errors of a series are is learnt from two sides: from its errors in replay, which are few, and from how much its counts
have swung from period to period in all of its history. The longer that history is, the more the swings say.

Errors of stocks last and grow with the step, those of flows come and go: growth, and the paths that series lend each other, are those of
a series' own kind.

Recent errors count more than old ones: how unsteady a service is changes slowly, and what came since a cutoff a horizon ago tells of the
first steps long before it tells of the last.

Each draw takes one earlier cutoff, with one random sign: what all series' errors had in common then stays common, and errors stay
correlated over time as they were. Most series are dealt the standardised path of another series at that cutoff, so that a series has as
many futures as there were cutoffs and series, not cutoffs alone; the others keep their own. Low counts go through the negative
binomial, with ranks that follow the same paths (a copula) as far as more than counting moves them, so that a series with a mean of 2 has
draws 0, 1, 2, the right share of zeros, and no whole year of nought because one month is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from demand.low_counts import draw_low, more_noughts
from demand.paths import completed, standard_paths
from demand.spec import stream
from demand.swings import Swings

__all__ = ["Errors", "draw_paths", "learn_errors"]

PROPORTION = 0.1
"""The part of a series' standard deviation that is in proportion to its level, before its own scale: see `_base`."""
OWN = 1.0
"""Variance of the logarithm of the size of a series' errors in replay that is noise, for one stretch of errors; falls with their number."""
NOISE = 8.0
"""Variance of the logarithm of a series' swings that says nothing about its errors, when one change was seen; falls with their number."""
UNLIKE = (0.25, 2.0)
"""Variance of the logarithm of swings between series that is believed beforehand, and as how many series' word that counts."""
LOW = (60.0, 15.0)
"""Flows, and other series, whose mean stays below are drawn as low counts."""
ASSUMED = 1.5
"""Spread in units of `_base` where no error was ever seen: a little more than Poisson counts have."""
FLOW = 0
"""The kind of series that counts those who came in a period, not those who are there."""
HOPEFUL = 1.1
"""Weights were learnt from the same replays as errors, which therefore look a little smaller than they will be."""
MANY = 6
"""Steps, and errors, from which there are many."""
LIKE = 1.0
"""The growth of a kind of series is drawn towards that of all as if these had the word of so many series."""
HALF = 2.0
"""Age at which an error counts half as much, in lengths of the replayed path; longer where too few cutoffs would be left that count."""
COUNTING = 0.5
"""The least share of the cutoffs that their weights are worth, as an effective number."""
SWUNG = 1.1
"""Standard deviation of errors over the mean change from one period to the next: 1.25 of a random walk, 0.89 of noise around a level."""
KNOWN = 0.5
"""Paths of which less than this share has come tell how large errors are, and are not drawn."""
CUT = 4.0
"""Standardised errors beyond this count as this in the growth of the spread."""
NORMAL = (np.pi / 2) ** 0.5
"""Standard deviation over mean absolute deviation of a normal."""
EPSILON = 1e-9


@dataclass(frozen=True)
class Errors:
    """What errors were.

    Parameters
    ----------
    paths : numpy.ndarray
        Shape (cutoffs, series, steps): standardised errors; NaN where a series has none at a cutoff.
    scale : numpy.ndarray
        Shape (series,): size of a series' errors one step ahead, in units of `_base`.
    growth : numpy.ndarray
        Shape (series, horizon): how the size grows with the step, 1 at the first.
    kinds : numpy.ndarray
        Shape (series,): a number for each kind of series.
    noughts : numpy.ndarray
        Shape (series,): how much the odds of a nought are moved, see `demand.low_counts`.
    chances : numpy.ndarray
        Shape (cutoffs,): how often each cutoff is drawn; they add up to 1.
    assumed : bool
        True where no error was ever seen.
    typical, unlike : float
        The swings of all series in units of `_base`, and the variance of their logarithm from series to series.
    """

    paths: np.ndarray
    scale: np.ndarray
    growth: np.ndarray
    kinds: np.ndarray
    noughts: np.ndarray
    chances: np.ndarray
    assumed: bool = False
    typical: float = 1.0
    unlike: float = 0.0


def learn_errors(
    actual: np.ndarray,
    mean: np.ndarray,
    *,
    horizon: int,
    whole: np.ndarray,
    swung: Swings | None = None,
    kinds: np.ndarray | None = None,
    aged: np.ndarray | None = None,
) -> Errors:
    """Learn the size, the growth and the shape of errors from what was said at earlier cutoffs.

    Parameters
    ----------
    actual, mean : numpy.ndarray
        Shape (cutoffs, series, steps): what came (NaN where it is not known), and what was expected (NaN where nothing was said).
    horizon : int
        Steps that will be drawn; may be more than were seen.
    whole : numpy.ndarray
        bool, shape (series,): series of whole numbers, whose errors are at least those of counting.
    swung : Swings, optional
        What was known at the cutoffs.
    kinds : numpy.ndarray, optional
        Shape (series,): a number for each kind of series, such as flows and stocks; all are of one kind where it is not given.
    aged : numpy.ndarray, optional
        Shape (cutoffs,): how many periods have come since each cutoff; where it is not given, all count alike.

    Returns
    -------
    Errors
    """
    series = actual.shape[1]
    kinds = np.zeros(series, dtype=int) if kinds is None else kinds
    if not np.isfinite(actual - mean).any():
        growth = np.tile(np.sqrt(np.arange(1, horizon + 1) ** 0.5), (series, 1))
        return Errors(np.empty((0, series, horizon)), np.full(series, ASSUMED), growth, kinds, np.zeros(series), np.empty(0), assumed=True)
    steps = actual.shape[2]
    old = np.full(len(actual), steps) if aged is None else aged
    count = _recency(old, HALF * steps)
    shaped = None if swung is None else Swings(swung.size[:, :, None], swung.count[:, :, None])
    typical, unlike = (1.0, 0.0) if shaped is None else _compared(mean, whole[None, :, None], shaped)
    size = _sized(mean, whole[None, :, None], shaped, typical, unlike)
    relative = (actual - mean) / size
    growth = np.ones(actual.shape[1:])
    for _ in range(3):
        scale = _scale(relative / growth, count)
        growth = _growth_of(relative / scale[None, :, None], kinds, count)
    scale = _scale(relative / growth, count)
    paths = relative / (scale[None, :, None] * growth)
    scale *= _believed(scale, paths, typical, swung)
    spread = scale[:, None] * growth * size * np.nanmean(paths**2) ** 0.5
    noughts = np.where(whole, more_noughts(actual, mean, spread, safety=HOPEFUL), 0.0)
    told = np.isfinite(paths).any(axis=(1, 2))
    long = told & (old >= KNOWN * steps)
    drawn = np.flatnonzero(long if long.any() else told)
    ahead = np.stack([_extended(one, horizon) for one in growth])
    chances = count[drawn] / count[drawn].sum()
    return Errors(completed(paths[drawn], horizon), scale, ahead, kinds, noughts, chances, typical=typical, unlike=unlike)


def _recency(old: np.ndarray, half: float) -> np.ndarray:
    """Weigh cutoffs by their age, shape (cutoffs,), at most 1.

    Notes
    -----
    So many weights w are worth (sum w)^2 / sum w^2 equal ones (Kish 1965, Survey Sampling, section 11.7). A short path after a long history
    would leave one or two: the half-life is then lengthened until `COUNTING` of the cutoffs count.
    """
    weights = 0.5 ** ((old - old.min()) / half)
    while weights.sum() ** 2 < COUNTING * len(weights) * (weights**2).sum():
        half *= 2**0.5
        weights = 0.5 ** ((old - old.min()) / half)
    return np.asarray(weights)


def draw_paths(
    mean: np.ndarray,
    errors: Errors,
    *,
    whole: np.ndarray,
    draws: int,
    seed: int,
    keys: Sequence[object] | None = None,
    swung: Swings | None = None,
    widen: float = 1.0,
) -> np.ndarray:
    """Draw joint futures.

    Parameters
    ----------
    mean : numpy.ndarray
        Shape (series, horizon): what is expected.
    errors : Errors
    whole : numpy.ndarray
        bool, shape (series,): series whose draws are whole numbers.
    draws, seed : int
    keys : sequence, optional
        What each series is called: its random numbers go by that and not by its place, so that a series more leaves those of the others
        as they are; places where it is not given.
    swung : Swings, optional
        What is known now, shape (series,); given where errors were learnt with it.
    widen : float
        Factor on all errors.

    Returns
    -------
    numpy.ndarray
        float32, shape (series, horizon, draws); finite, not negative.
    """
    names: Sequence[object] = range(len(mean)) if keys is None else keys
    z = standard_paths(
        None if errors.assumed else errors.paths, errors.chances, errors.kinds, keys=names, horizon=mean.shape[1], draws=draws, seed=seed
    )
    shaped = None if swung is None else Swings(swung.size[:, None], swung.count[:, None])
    spread = HOPEFUL * widen * errors.scale[:, None] * errors.growth * _sized(mean, whole[:, None], shaped, errors.typical, errors.unlike)
    if swung is not None and not errors.assumed:
        begun = np.maximum.accumulate(np.isfinite(errors.paths).any(axis=2), axis=0)
        alone = errors.chances @ ~begun  # share of draws that take an error from before there were any of this series:
        for new in np.flatnonzero(alone > EPSILON):  # its level is a mean of few counts, and wrong alike in all periods ahead
            level = stream(seed, "level", names[int(new)]).standard_normal(draws) * (alone[new] / (swung.count[new] + 1)) ** 0.5
            z[new] += level / errors.growth[new][:, None]
    flow = errors.kinds == FLOW
    low = whole & (mean.max(axis=1) < np.where(flow, *LOW))
    for i in range(len(z)):  # a series at a time, in the place of its errors: the array is the largest there is
        if low[i]:
            rng, noughts = stream(seed, "counting", names[i]), float(errors.noughts[i])
            z[i] = draw_low(mean[i], spread[i] / HOPEFUL, z[i], rng, safety=HOPEFUL, anew=bool(flow[i]), noughts=noughts)
            continue
        drawn = np.maximum(mean[i][:, None] + spread[i][:, None] * z[i], 0.0)
        z[i] = np.rint(drawn) if whole[i] else drawn
    return z


def _base(mean: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Give the standard deviation that a count of this mean would have if counting, and a tenth of its level, were all that moves it."""
    level, average = _level(mean)
    counted = np.sqrt(np.maximum(level, 0.3) + (PROPORTION * level) ** 2)
    return np.asarray(np.where(whole, counted, PROPORTION * np.maximum(level, 0.2 * average) + EPSILON))


def _level(mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give what is expected, not below nought, and its average over the steps (of the series itself: others may be in other units)."""
    level = np.maximum(mean, 0.0)
    seen = np.isfinite(level)
    return level, np.where(seen, level, 0.0).sum(axis=-1, keepdims=True) / np.maximum(seen.sum(axis=-1, keepdims=True), 1)


def _ratio(mean: np.ndarray, whole: np.ndarray, swung: Swings) -> np.ndarray:
    """Give the swings of a series over `_base`; NaN where they are not known."""
    level, average = _level(mean)
    change = 2 * np.sqrt(np.maximum(level, np.where(whole, 0.3, 0.2 * average))) * swung.size
    return np.asarray(np.where(change > 0, change / _base(mean, whole), np.nan))


def _compared(mean: np.ndarray, whole: np.ndarray, swung: Swings) -> tuple[float, float]:
    """Give the typical ratio of `_ratio`, and how much its logarithm varies from series to series beyond noise."""
    log = np.log(_ratio(mean, whole, swung))
    known = np.isfinite(log)
    if not known.any():
        return 1.0, 0.0
    times = known.sum(axis=(0, 2))
    mine = np.where(known, log, 0.0).sum(axis=(0, 2))[times > 0] / times[times > 0]
    count = np.broadcast_to(swung.count, log.shape).max(axis=(0, 2))[times > 0]
    middle = float(np.median(mine))
    return float(np.exp(middle)), _unlike(mine - middle, NOISE / count)


def _sized(mean: np.ndarray, whole: np.ndarray, swung: Swings | None, typical: float, unlike: float) -> np.ndarray:
    """Give the standard deviation that errors have before a series' own scale.

    By its swings, as far as they are to be trusted: series that are alike share what is typical of them, and those that are not go by
    their own.
    """
    base = _base(mean, whole)
    if swung is None:
        return base
    ratio = _ratio(mean, whole, swung) / typical
    return np.asarray(base * typical * np.where(np.isfinite(ratio), ratio, 1.0) ** _trust(unlike, NOISE / np.maximum(swung.count, 1)))


def _scale(relative: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Give each series' size of errors, drawn towards that of all series as far as they are alike and its own rest on little."""
    seen = np.isfinite(relative)
    weight = seen * counts[:, None, None]
    count = weight.sum(axis=(0, 2))
    own = NORMAL * np.where(seen, np.abs(relative) * weight, 0.0).sum(axis=(0, 2)) / np.maximum(count, EPSILON)
    by = seen.any(axis=2) * counts[:, None]
    stretches = by.sum(axis=0) / np.maximum((by**2).sum(axis=0), EPSILON) ** 0.5  # root of the number of cutoffs that weigh as much
    pooled = np.median(own[count > 0])
    pooled = pooled if pooled > 0 else max(own[count > 0].mean(), EPSILON)
    logs = np.where(count > 0, np.log(np.maximum(own, 0.1 * pooled) / pooled), np.nan)
    noise = OWN / np.maximum(stretches, 1)
    return np.asarray(pooled * np.exp(np.where(count > 0, logs * _trust(_unlike(logs, noise), noise), 0.0)))


def _believed(scale: np.ndarray, paths: np.ndarray, typical: float, swung: Swings | None) -> float:
    """Give a factor on all sizes where all series have fewer than `MANY` errors between them: one that was small is no reason to be sure.

    Sizes are drawn towards that of swings, and these, where few changes were seen, towards that of counting (empirical Bayes, as above).
    How far an error's own word is taken grows evenly from that of a single one to all of it at `MANY`: no error more is a jump.
    """
    told = np.isfinite(paths)
    if told.sum() >= MANY or swung is None:
        return 1.0
    changes = max(float(swung.count.max(axis=0).sum()), 1.0)
    beforehand = SWUNG * typical ** (float(_trust(UNLIKE[0], np.asarray(NOISE / changes))) - 1)
    middle = max(float(np.median(scale[told.any(axis=(0, 2))])), EPSILON)
    lacking = float(MANY - told.sum()) / (MANY - 1)
    trust = 1 - lacking * (1 - float(_trust(UNLIKE[0], np.asarray(OWN))))
    return float((beforehand / middle) * (max(middle, 0.1 * lacking * beforehand) / beforehand) ** trust)


def _unlike(logs: np.ndarray, noise: np.ndarray) -> float:
    """Give the variance of logarithms between series beyond noise, which is a variance itself; around 0, their median."""
    known = np.isfinite(logs)
    more = float((logs[known] ** 2 - np.broadcast_to(noise, logs.shape)[known]).sum())
    return max(more + UNLIKE[0] * UNLIKE[1], 0.0) / (int(known.sum()) + UNLIKE[1])


def _trust(unlike: float, noise: np.ndarray) -> np.ndarray:
    """Give the share of a series' own word (empirical Bayes; Efron and Morris 1973, JASA 68, 117-130)."""
    return np.asarray(unlike / np.maximum(unlike + noise, 1e-12))


def _growth_of(relative: np.ndarray, kinds: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Give the growth of each series: that of its kind, drawn towards that of all where few series tell it; shape (series, steps)."""
    every = _growth(relative, counts)
    found, told = np.tile(every, (relative.shape[1], 1)), np.isfinite(relative).any(axis=(0, 2))
    for kind in np.unique(kinds):
        mine = kinds == kind
        if (mine & told).any() and (~mine & told).any():
            trust = (mine & told).sum() / ((mine & told).sum() + LIKE)
            found[mine] = every ** (1 - trust) * _growth(relative[:, mine], counts) ** trust
    return found


def _growth(relative: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Give the size of errors by step over the size at the first: never falling, by isotonic regression (Barlow et al. 1972)."""
    from scipy.optimize import isotonic_regression

    seen = np.isfinite(relative)
    weight = seen * counts[:, None, None]
    cut, count = np.where(seen, np.minimum(np.abs(relative), CUT) * weight, 0.0), weight.sum(axis=(0, 1))
    told = np.flatnonzero(count)  # an event may have set every error of a step aside
    size = isotonic_regression(cut.sum(axis=(0, 1))[told] / count[told], weights=count[told]).x
    steady = np.interp(np.arange(relative.shape[2]), told, np.maximum(size, EPSILON))
    return np.asarray(steady / steady[0])


def _extended(growth: np.ndarray, horizon: int) -> np.ndarray:
    """Carry growth on beyond the steps that were seen, by the power of the step that fits it (0.25 to 0.75; 0.5 where too few)."""
    steps = len(growth)
    if steps >= horizon:
        return growth[:horizon]
    power = 0.5
    if steps >= MANY:
        log = np.log(np.arange(1, steps + 1))
        power = float(np.clip((log * np.log(growth)).sum() / (log**2).sum(), 0.25, 0.75))
    return np.append(growth, growth[-1] * (np.arange(steps + 1, horizon + 1) / steps) ** power)
