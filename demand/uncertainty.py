"""Joint draws: what errors were, so that futures can be drawn whose errors hang together as they did.

In: what models said at earlier cutoffs, and what came. Out: `Errors`, whole residual paths of all series, scaled per series, and draws of
joint futures made from them: never negative, and counts where counts are counted. Refuses nothing: where there are no errors to learn from,
the spread is assumed and `Errors.assumed` says so.

Notes
-----
How large the errors of a series are is learnt from two sides: from its errors in replay, which are few, and from how much its counts
have swung from period to period in all of its history. The longer that history is, the more the swings say.

Each draw takes one earlier cutoff, with one random sign: what all series' errors had in common then stays common, and errors stay
correlated over time as they were. Most series are dealt the standardised path of another series at that cutoff, so that a series has as
many futures as there were cutoffs and series, not cutoffs alone; the others keep their own. Low counts go through the negative
binomial, with ranks that follow the same paths (a copula) as far as more than counting moves them, so that a series with a mean of 2 has
draws 0, 1, 2, the right share of zeros, and no whole year of nought because one month is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demand.spec import stream

__all__ = ["Errors", "Swings", "draw_paths", "learn_errors", "swings"]

PROPORTION = 0.1
"""The part of a series' standard deviation that is in proportion to its level, before its own scale: see `_base`."""
OWN = 1.0
"""Variance of the logarithm of the size of a series' errors in replay that is noise, for one stretch of errors; falls with their number."""
NOISE = 8.0
"""Variance of the logarithm of a series' swings that says nothing about its errors, when one change was seen; falls with their number."""
UNLIKE = (0.25, 2.0)
"""Variance of the logarithm of swings between series that is believed beforehand, and as how many series' word that counts."""
SECOND = 1.6
"""How much larger differences of differences are than differences, where both are noise around a season that stays (about the square root
of 2, and a little more)."""
LOW = 15.0
"""Series whose mean stays below are drawn as low counts."""
ASSUMED = 1.5
"""Spread in units of `_base` where no error was ever seen: a little more than Poisson counts have."""
STEADY = 0.7
"""A low series whose variance is less than this share of its mean is steadier than counting, and rounded instead."""
DEALT = 0.8
"""Share of the series that take another one's path at the cutoff of a draw: see Notes; all of them where cutoffs are few."""
UNSTEADY = 0.3
"""How unsteady the size of errors itself is from one stretch to the next, as a standard deviation of its logarithm."""
HOPEFUL = 1.1
"""Weights were learnt from the same replays as errors, which therefore look a little smaller than they will be."""
MANY = 6
"""Cutoffs, or steps, from which there are many."""
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
        Shape (horizon,): how the size grows with the step, 1 at the first.
    assumed : bool
        True where no error was ever seen.
    typical, unlike : float
        The swings of all series in units of `_base`, and the variance of their logarithm from series to series.
    """

    paths: np.ndarray
    scale: np.ndarray
    growth: np.ndarray
    assumed: bool = False
    typical: float = 1.0
    unlike: float = 0.0


@dataclass(frozen=True)
class Swings:
    """How much series have swung from period to period, as it was known at each of several times.

    Parameters
    ----------
    size : numpy.ndarray
        Shape (times, series): mean absolute change of the square root of counts; NaN where no change was seen.
    count : numpy.ndarray
        Same shape: how many changes were seen.
    """

    size: np.ndarray
    count: np.ndarray

    def at(self, times: np.ndarray | int) -> Swings:
        """Give what was known at these times."""
        return Swings(self.size[times], self.count[times])

    def only(self, series: np.ndarray) -> Swings:
        """Give these series."""
        return Swings(self.size[:, series], self.count[:, series])


def swings(values: np.ndarray, season: int) -> Swings:
    """Say how much series have swung, at each period, by what was known then.

    The square root makes the noise of counts of one size whatever their level (Bartlett 1936, JRSS Supplement 3, 68-78). Of changes from
    one period to the next, from a year ago, and of the one less the other, those that are smallest are taken: a season is no swing.

    Parameters
    ----------
    values : numpy.ndarray
        Shape (periods, series); NaN where nothing was counted.
    season : int
        Periods in a season, 1 where there is none.

    Returns
    -------
    Swings
        Times are the periods.
    """
    root = np.sqrt(np.maximum(values, 0.0))
    size, count = _running(root[1:] - root[:-1], 1, len(root))
    if season > 1 and len(root) > season + 1:
        yearly = root[season:] - root[:-season]
        for changes, lag, least in ((yearly, season, 1.0), (yearly[1:] - yearly[:-1], season + 1, SECOND)):
            other, seen = _running(changes, lag, len(root))
            size = np.fmin(size, np.where(seen >= season, other / least, np.nan))
    return Swings(size, count)


def learn_errors(actual: np.ndarray, mean: np.ndarray, *, horizon: int, whole: np.ndarray, swung: Swings | None = None) -> Errors:
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

    Returns
    -------
    Errors
    """
    series = actual.shape[1]
    if not np.isfinite(actual - mean).any():
        return Errors(np.empty((0, series, horizon)), np.full(series, ASSUMED), np.sqrt(np.arange(1, horizon + 1) ** 0.5), assumed=True)
    shaped = None if swung is None else Swings(swung.size[:, :, None], swung.count[:, :, None])
    typical, unlike = (1.0, 0.0) if shaped is None else _compared(mean, whole[None, :, None], shaped)
    relative = (actual - mean) / _sized(mean, whole[None, :, None], shaped, typical, unlike)
    growth = np.ones(actual.shape[2])
    for _ in range(3):
        scale = _scale(relative / growth)
        growth = _growth(relative / scale[None, :, None])
    scale = _scale(relative / growth)
    paths = relative / (scale[None, :, None] * growth)
    paths = paths[np.isfinite(paths).any(axis=(1, 2))]
    return Errors(_completed(paths, horizon), scale, _extended(growth, horizon), typical=typical, unlike=unlike)


def draw_paths(
    mean: np.ndarray, errors: Errors, *, whole: np.ndarray, draws: int, seed: int, swung: Swings | None = None, widen: float = 1.0
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
    swung : Swings, optional
        What is known now, shape (series,); given where errors were learnt with it.
    widen : float
        Factor on all errors.

    Returns
    -------
    numpy.ndarray
        float32, shape (series, horizon, draws); finite, not negative.
    """
    z = _standard(errors, mean.shape, draws, seed)
    shaped = None if swung is None else Swings(swung.size[:, None], swung.count[:, None])
    spread = (
        HOPEFUL
        * widen
        * errors.scale[:, None]
        * errors.growth[None, :]
        * _sized(mean, whole[:, None], shaped, errors.typical, errors.unlike)
    )
    low = whole & (mean.max(axis=1) < LOW)
    for i in range(len(z)):  # a series at a time, in the place of its errors: the array is the largest there is
        drawn = np.maximum(mean[i][:, None] + spread[i][:, None] * z[i], 0.0)
        z[i] = _low_counts(mean[i], spread[i], z[i], stream(seed, "counting", i)) if low[i] else np.rint(drawn) if whole[i] else drawn
    return z


def _base(mean: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Give the standard deviation that a count of this mean would have if counting, and a tenth of its level, were all that moves it."""
    level = np.maximum(mean, 0.0)
    seen = np.isfinite(level)
    average = np.where(seen, level, 0.0).sum(axis=-1, keepdims=True) / np.maximum(seen.sum(axis=-1, keepdims=True), 1)
    counted = np.sqrt(np.maximum(level, 0.3) + (PROPORTION * level) ** 2)
    return np.asarray(np.where(whole, counted, PROPORTION * np.maximum(level, 0.2 * average) + EPSILON))


def _ratio(mean: np.ndarray, whole: np.ndarray, swung: Swings) -> np.ndarray:
    """Give the swings of a series over `_base`; NaN where they are not known."""
    level = np.maximum(mean, 0.0)
    average = np.nanmean(np.where(np.isfinite(level), level, 0.0))
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


def _running(changes: np.ndarray, lag: int, periods: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the mean size of changes up to each period, and of how many; shape (periods, series)."""
    seen = np.isfinite(changes)
    count = np.zeros((periods, changes.shape[1]))
    total = np.zeros_like(count)
    count[lag:] = seen.cumsum(axis=0)
    total[lag:] = np.where(seen, np.abs(changes), 0.0).cumsum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan), count


def _scale(relative: np.ndarray) -> np.ndarray:
    """Give each series' size of errors, drawn towards that of all series as far as they are alike and its own rest on little."""
    seen = np.isfinite(relative)
    count = seen.sum(axis=(0, 2))
    own = NORMAL * np.where(seen, np.abs(relative), 0.0).sum(axis=(0, 2)) / np.maximum(count, 1)
    stretches = seen.any(axis=2).sum(axis=0) ** 0.5
    pooled = np.median(own[count > 0])
    pooled = pooled if pooled > 0 else max(own[count > 0].mean(), EPSILON)
    logs = np.where(count > 0, np.log(np.maximum(own, 0.1 * pooled) / pooled), np.nan)
    noise = OWN / np.maximum(stretches, 1)
    return np.asarray(pooled * np.exp(np.where(count > 0, logs * _trust(_unlike(logs, noise), noise), 0.0)))


def _unlike(logs: np.ndarray, noise: np.ndarray) -> float:
    """Give the variance of logarithms between series beyond noise, which is a variance itself; around 0, their median."""
    known = np.isfinite(logs)
    more = float((logs[known] ** 2 - np.broadcast_to(noise, logs.shape)[known]).sum())
    return max(more + UNLIKE[0] * UNLIKE[1], 0.0) / (int(known.sum()) + UNLIKE[1])


def _trust(unlike: float, noise: np.ndarray) -> np.ndarray:
    """Give the share of a series' own word (empirical Bayes; Efron and Morris 1973, JASA 68, 117-130)."""
    return np.asarray(unlike / np.maximum(unlike + noise, 1e-12))


def _growth(relative: np.ndarray) -> np.ndarray:
    """Give the size of errors by step over the size at the first: never falling, the mean of the nearest bounds from below and above."""
    seen = np.isfinite(relative)
    cut, count = np.where(seen, np.minimum(np.abs(relative), CUT), 0.0), seen.sum(axis=(0, 1))
    steps, told = np.arange(relative.shape[2]), np.flatnonzero(count)  # an event may have set every error of a step aside
    size = np.interp(steps, told, np.maximum(cut.sum(axis=(0, 1))[told] / count[told], EPSILON))
    steady = (np.maximum.accumulate(size) + np.minimum.accumulate(size[::-1])[::-1]) / 2
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


def _completed(paths: np.ndarray, horizon: int) -> np.ndarray:
    """Bridge unknown steps of a path with the nearest known one, and carry the last on to the horizon."""
    import pandas as pd

    steps = paths.shape[2]
    flat = pd.DataFrame(paths.reshape(-1, steps)).ffill(axis=1).bfill(axis=1).to_numpy().reshape(paths.shape)
    return np.concatenate([flat, np.repeat(flat[:, :, -1:], max(horizon - steps, 0), axis=2)], axis=2)[:, :, :horizon]


def _standard(errors: Errors, shape: tuple[int, int], draws: int, seed: int) -> np.ndarray:
    """Draw standardised error paths of all series; shape (series, horizon, draws), float32."""
    rng = stream(seed, "joint draws")
    if errors.assumed:
        common, own = rng.standard_normal((2, draws)), rng.standard_normal((shape[0], draws, 2))
        level = np.sqrt(0.5) * (common[0][None, :] * 0.5 + own[:, :, 0] * np.sqrt(0.75))
        noise = np.sqrt(0.5) * rng.standard_normal((*shape, draws))
        return np.asarray(level[:, None, :] + noise, dtype=np.float32)
    paths, every = errors.paths.astype(np.float32), np.arange(shape[0])
    count, there = len(paths), np.isfinite(errors.paths).all(axis=2)
    share, z = DEALT if count >= MANY else 1.0, np.empty((*shape, draws), dtype=np.float32)
    # Every cutoff and sign comes equally often: all of them once, in a random order, before any comes again.
    pairs = np.concatenate([rng.permutation(2 * count) for _ in range(-(-draws // (2 * count)))])[:draws]
    size = np.exp(UNSTEADY * rng.standard_normal(draws) - UNSTEADY**2)
    for d in range(draws):
        cutoff, mirror = divmod(int(pairs[d]), 2)
        valid = np.flatnonzero(there[cutoff])
        dealt = valid[rng.integers(0, len(valid), shape[0])]
        own = np.where(there[cutoff] & (rng.random(shape[0]) >= share), every, dealt)
        z[:, :, d] = (1 - 2 * mirror) * size[d] * paths[cutoff, own]
    return z


def _low_counts(mean: np.ndarray, spread: np.ndarray, z: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw low counts: negative binomial or Poisson where counting explains the spread, rounded where the series is steadier than that.

    What counting itself adds, a variance as large as the mean, is drawn anew in each period; only the rest hangs together as errors did.
    """
    from scipy import special

    seen = (spread * z.std(axis=1, dtype=np.float64) / HOPEFUL) ** 2
    variance = seen + (HOPEFUL**2 - 1) * np.maximum(seen - mean, 0.0)  # counting needs no safety: its variance is known
    together = np.clip(1 - mean / np.maximum(variance, EPSILON), 0.0, 1.0)[:, None]
    score = special.ndtri(_ranks(z))
    ranks = _ranks(np.sqrt(together) * score + np.sqrt(1 - together) * rng.standard_normal(z.shape))
    values = np.rint(np.maximum(mean[:, None] + spread[:, None] * z, 0.0))
    for h in np.flatnonzero((seen * HOPEFUL**2 >= STEADY * mean) | (mean < 0.5)):
        values[h] = np.searchsorted(_count_cdf(mean[h], variance[h]), ranks[h], side="left")
    return np.asarray(values)


def _ranks(values: np.ndarray) -> np.ndarray:
    """Give the place of each draw among those of its period, between 0 and 1."""
    return np.asarray((values.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable") + 0.5) / values.shape[1])


def _count_cdf(mean: float, variance: float) -> np.ndarray:
    """Give the distribution of a count: negative binomial, or Poisson where the variance is no more than the mean."""
    from scipy import special

    if mean < EPSILON:
        return np.ones(1)
    top = np.arange(int(mean + 12 * np.sqrt(max(variance, mean)) + 12))
    if variance <= 1.01 * mean:
        return np.asarray(special.pdtr(top, mean))
    size, chance = mean**2 / (variance - mean), mean / variance
    return np.asarray(special.betainc(size, top + 1, chance))
