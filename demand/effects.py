"""What each driver does to each series, with its uncertainty: the one source for "why" and "what if".

In: a HISTORY, and drivers. Out: EFFECTS: for each series, driver and draw an elasticity (a driver that is 1 % higher goes with so
many % more people), and the range in which the driver was ever observed. Refuses a driver with gaps. A driver that is not always
above 0 has no elasticity and is left out of the table: a scenario that names it is told so.

An elasticity from history is an association: whatever moves with the driver is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import linalg, special

from demand.calendar import Frequency
from demand.errors import Fault, SettingsError, did_you_mean, raise_all
from demand.features import driver_table, season_design
from demand.spec import stream
from demand.tables import History

__all__ = ["EFFECT_COLUMNS", "Sign", "estimate_effects"]

Sign = Literal["positive", "negative"]
"""Positive: more of the driver, more people."""

EFFECT_COLUMNS = ("unique_id", "driver", "draw", "elasticity", "source", "observed_low", "observed_high", "half_life")
LONGEST = 400
"""Periods, the latest ones, from which effects are estimated."""
WANDERING = (0.0, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0)
"""Candidates for how much the level wanders a period, as a share of the variance of a single count."""
HALF_LIVES = (0.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Candidates, in periods, for how long a stock takes to follow a driver: people who came stay on."""
PRIOR = 1.0
"""Before any evidence an elasticity is around 0, seldom beyond 2 either way: the standard deviation of that."""
SPREAD = (0.1, 0.5)
"""Elasticities of series of one kind differ by the first at least and the second at most (standard deviations)."""
SWEEPS = 30
"""Rounds of Gibbs sampling for elasticities whose sign is held."""
AGAINST = 0.1
"""Where the counts give the sign that was asked for less probability than this, they speak against it."""
NEVER_MOVED = "not estimated: the driver never changed in all that time, so that what it does is anybody's guess"


@dataclass(frozen=True)
class _Answer:
    """What a regression says with one share of wandering, for several series at once.

    Parameters
    ----------
    found : numpy.ndarray
        Elasticities, shape (series, drivers).
    covariance : numpy.ndarray
        Shape (series, drivers, drivers).
    likelihood : numpy.ndarray
        Restricted log likelihood, shape (series,).
    """

    found: np.ndarray
    covariance: np.ndarray
    likelihood: np.ndarray


def estimate_effects(
    history: History, drivers: pd.DataFrame, *, draws: int, seed: int, signs: Mapping[str, Sign] | None = None
) -> pd.DataFrame:
    """Estimate what each driver does to each series.

    The log of a count is a season, a line, a level that wanders (a random walk, as if differenced), and elasticity x log driver:
    generalised least squares, each share of wandering weighted by its restricted likelihood (Harville 1977, JASA 72, 320-338). What the
    series of one kind and unit have in common is estimated from their average, so that errors that they share are not taken for
    evidence; then each series may differ from it as far as its own counts say so (DerSimonian and Laird 1986, Controlled Clinical Trials
    7, 177-188). Where evidence is thin all are drawn towards 0. A stock follows a driver slowly: it sees the driver's moving
    average, and its elasticity is that of the long run.

    A sign that is asked for is kept in every draw: the posterior is cut off at 0, first of what the series have in common, then of how
    each differs from it, and drawn from by Gibbs sampling (Geweke 1991, Computing Science and Statistics 23, 571-578). It is not moved:
    where the counts say the opposite, elasticities lie close to 0, and `source` says so.

    Parameters
    ----------
    history : History
        Cleaned of events.
    drivers : pandas.DataFrame
        ds, name, value: first days of periods; the future is not looked at.
    draws : int
    seed : int
    signs : mapping of str to "positive" or "negative", optional
        By driver.

    Returns
    -------
    pandas.DataFrame
        EFFECTS: unique_id, driver, draw, elasticity, source, observed_low, observed_high, half_life (periods; 0 follows at once).

    Raises
    ------
    DataError
        Where a driver has gaps. Periods for which a driver is not published yet are not looked at.
    SettingsError
        Where a sign is asked for of a driver that nobody knows.
    """
    held = dict(signs or {})
    known = sorted(map(str, drivers["name"].unique())) if len(drivers) else []
    faults = [Fault(f"'{n}' is not a driver", "data > drivers > signs", did_you_mean(n, known)) for n in held if n not in known]
    raise_all(faults, SettingsError, during="reading the signs of drivers")
    past = drivers[drivers["ds"] <= history.last] if len(drivers) else drivers
    if past.empty:
        return pd.DataFrame({c: [] for c in EFFECT_COLUMNS})
    first = min(pd.Timestamp(past["ds"].min()), pd.Timestamp(history.table["ds"].min()))
    published = min(pd.Timestamp(history.last), pd.Timestamp(past.groupby("name")["ds"].max().min()))
    table = driver_table(past[past["ds"] <= published], history.frequency, first=first, last=published)
    table = table[[name for name, column in table.items() if column.min() > 0]]
    if table.shape[1] == 0:
        return pd.DataFrame({c: [] for c in EFFECT_COLUMNS})
    groups = history.series.groupby(["kind", "unit"], sort=True).groups
    logs, ways = np.log(table), np.array([{"positive": 1.0, "negative": -1.0}.get(held.get(str(n), ""), 0.0) for n in table])
    found = [_group(history, list(map(str, ids)), logs, str(kind), signs=ways, draws=draws, seed=seed) for (kind, _), ids in groups.items()]
    effects = pd.concat(found, ignore_index=True)
    still = effects["driver"].isin([name for name, column in table.items() if column.min() == column.max()])
    effects["source"] = effects["source"].mask(still, NEVER_MOVED)
    effects["observed_low"] = effects["driver"].map(table.min())
    effects["observed_high"] = effects["driver"].map(table.max())
    return effects.sort_values(["unique_id", "driver", "draw"], ignore_index=True)[list(EFFECT_COLUMNS)]


def _group(history: History, ids: list[str], logs: pd.DataFrame, kind: str, *, signs: np.ndarray, draws: int, seed: int) -> pd.DataFrame:
    """Estimate the series of one kind: what they have in common from their average, then how each differs from it."""
    wide, names = history.wide[ids].iloc[-LONGEST:], list(map(str, logs.columns))
    frame = _Frame(_fixed(pd.DatetimeIndex(wide.index), history.frequency), len(names))
    y = np.log1p(wide.to_numpy())
    average = _average(y)
    tried = []
    for half_life in HALF_LIVES if kind == "stock" else (0.0,):
        followed = _followed(logs, half_life).reindex(wide.index).to_numpy()
        tried += [(half_life, followed, answer) for answer in frame.regress(average[:, None], followed)]
    mixture = _Mixture([t[2] for t in tried], len(names))
    common, which = mixture.draw(names, signs, draws=draws, stream_name="/".join(ids), seed=seed)
    slowness = np.array([t[0] for t in tried])[which] if tried else np.zeros(draws)
    likeliest = max(tried, key=lambda t: float(t[2].likelihood[0])) if tried else (0.0, logs.reindex(wide.index).to_numpy(), None)
    half_life, followed, _ = likeliest
    own = _differences(y - average[:, None], followed, frame) if len(ids) > 1 else None
    values = np.stack([common + _draw_own(own, i, common, signs, names=names, unique_id=name, seed=seed) for i, name in enumerate(ids)])
    slow = f", followed with a half-life of {half_life:g} periods" if half_life else ""
    unit = history.series.loc[ids[0], "unit"]
    source = f"estimated from history: {len(ids)} series ({kind}, {unit}) of up to {len(wide)} periods{slow}"
    told = {n: source + _about_sign(sign, mixture.share(j, sign)) for j, (n, sign) in enumerate(zip(names, signs, strict=True))}
    table = pd.MultiIndex.from_product([ids, names, range(draws)], names=["unique_id", "driver", "draw"]).to_frame(index=False)
    half_lives = np.tile(slowness, len(ids) * len(names))
    return table.assign(elasticity=values.reshape(-1), source=table["driver"].map(told), half_life=half_lives)


def _about_sign(sign: float, share: float) -> str:
    if not sign:
        return ""
    told = f", held {'positive' if sign > 0 else 'negative'} as asked"
    return told + (f" although the counts alone give that {share:.0%}" if share < AGAINST else "")


def _average(y: np.ndarray) -> np.ndarray:
    """Average the series around their own means, larger ones (whose logs are less noisy) more; NaN where fewer than half were counted."""
    seen = np.isfinite(y)
    means = np.where(seen.any(axis=0), np.nansum(y, axis=0) / np.maximum(seen.sum(axis=0), 1), 0.0)
    weights = seen / (np.exp(-means) + 0.01)
    total = weights.sum(axis=1)
    average = (np.where(seen, y - means, 0.0) * weights).sum(axis=1) / np.maximum(total, 1e-12)
    begun = seen.sum(axis=1)
    return np.where((begun > 0) & (begun * 2 >= begun.max()), average, np.nan)


def _followed(logs: pd.DataFrame, half_life: float) -> pd.DataFrame:
    return logs.ewm(halflife=half_life, adjust=False).mean().where(logs.notna()) if half_life else logs


def _fixed(ds: pd.DatetimeIndex, frequency: Frequency) -> np.ndarray:
    steps = np.linspace(-1, 1, len(ds))
    season = season_design(ds, frequency)
    season = season[:, :-1] if frequency.family in "MQ" else season
    weekday = np.eye(7)[np.asarray(ds.dayofweek)][:, :-1] if frequency.family == "D" else np.zeros((len(ds), 0))
    return np.hstack([np.ones((len(ds), 1)), steps[:, None], season, weekday])


@dataclass(frozen=True)
class _Frame:
    """The columns that every regression has: level, line, season; and how many drivers stand beside them."""

    fixed: np.ndarray
    drivers: int

    def regress(self, y: np.ndarray, logs: np.ndarray) -> list[_Answer]:
        """Regress series that were counted in the same periods, once for each share of wandering; nothing where counts are too few."""
        usable = np.isfinite(y).all(axis=1) & np.isfinite(logs).all(axis=1)
        rows = np.flatnonzero(usable)
        if len(rows) < self.fixed.shape[1] + self.drivers + 4:
            return []
        x = np.hstack([self.fixed[rows], logs[rows] - logs[rows].mean(axis=0)])
        walk = np.minimum.outer(rows, rows) - rows.min()
        return [_least_squares(x, y[rows], np.eye(len(rows)) + share * walk, self.drivers) for share in WANDERING]


def _least_squares(x: np.ndarray, y: np.ndarray, errors: np.ndarray, drivers: int) -> _Answer:
    """Generalised least squares with errors of known shape and unknown size."""
    n, p = x.shape
    lower = np.linalg.cholesky(errors)
    xw, yw = linalg.solve_triangular(lower, x, lower=True), linalg.solve_triangular(lower, y, lower=True)
    inner = xw.T @ xw + 1e-9 * np.eye(p)
    inverse = np.linalg.inv(inner)
    weights = inverse @ (xw.T @ yw)
    variance = np.maximum(((yw - xw @ weights) ** 2).sum(axis=0) / (n - p), 1e-8)
    determinants = 2 * np.log(np.diag(lower)).sum() + np.linalg.slogdet(inner)[1]
    covariance = inverse[-drivers:, -drivers:][None] * variance[:, None, None] + 1e-9 * np.eye(drivers)
    return _Answer(weights[-drivers:].T, covariance, -0.5 * ((n - p) * np.log(variance) + determinants))


@dataclass(frozen=True)
class _Mixture:
    """What the series have in common: one normal for each half-life and share of wandering, each as likely as the counts make it."""

    answers: list[_Answer]
    drivers: int

    @property
    def likelihood(self) -> np.ndarray:
        """Log likelihood of each."""
        return np.array([a.likelihood[0] for a in self.answers])

    def normal(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Centre and covariance of one, with the prior."""
        precision = np.linalg.inv(self.answers[k].covariance[0])
        posterior = np.linalg.inv(precision + np.eye(self.drivers) / PRIOR**2)
        return posterior @ precision @ self.answers[k].found[0], posterior

    def share(self, j: int, sign: float) -> float:
        """Say how probable it is that one driver's elasticity has a sign, before any sign is held."""
        if not self.answers or not sign:
            return 0.5
        weights = np.exp(self.likelihood - self.likelihood.max())
        each = [special.ndtr(sign * centre[j] / np.sqrt(covariance[j, j])) for centre, covariance in map(self.normal, range(len(weights)))]
        return float(np.average(each, weights=weights))

    def draw(self, names: list[str], signs: np.ndarray, *, draws: int, stream_name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw elasticities, shape (drivers, draws), and the number of the normal that each draw is from."""
        chance = stream(seed, "effects", stream_name)
        normal = np.stack([stream(seed, "effects", stream_name, n).standard_normal(draws) for n in names])
        bound = np.zeros((self.drivers, draws))
        if not self.answers:
            return _held(np.zeros(self.drivers), PRIOR**2 * np.eye(self.drivers), normal, signs, bound, chance), np.zeros(draws, dtype=int)
        likelihood, normals = self.likelihood, [self.normal(k) for k in range(len(self.answers))]
        if signs.any():
            # How much of each normal the signs leave, by one driver at a time.
            likelihood = likelihood + [_log_inside(signs * centre / np.sqrt(np.diag(cov)), signs) for centre, cov in normals]
        weights = np.exp(likelihood - likelihood.max())
        which = chance.choice(len(normals), size=draws, p=weights / weights.sum())
        values = np.zeros((self.drivers, draws))
        for k in np.unique(which):
            here = which == k
            centre, covariance = normals[k]
            values[:, here] = _held(centre, covariance, normal[:, here], signs, bound[:, here], chance)
        return values, which


def _log_inside(away: np.ndarray, signs: np.ndarray) -> float:
    return float(special.log_ndtr(away[signs != 0]).sum())


def _held(
    centre: np.ndarray, covariance: np.ndarray, normal: np.ndarray, signs: np.ndarray, bound: np.ndarray, chance: np.random.Generator
) -> np.ndarray:
    """Draw from a normal, and where a sign is held, from the part of it beyond `bound`; shape (drivers, draws)."""
    free = centre[:, None] + np.linalg.cholesky(covariance) @ normal
    if not signs.any():
        return np.asarray(free)
    precision, on = np.linalg.inv(covariance), np.flatnonzero(signs)
    values = free.copy()
    values[on] = signs[on, None] * np.maximum(signs[on, None] * free[on], signs[on, None] * bound[on])
    for _ in range(SWEEPS if len(centre) > 1 else 1):
        for j in range(len(centre)):
            spread = 1 / np.sqrt(precision[j, j])
            others = np.arange(len(centre)) != j
            middle = centre[j] - spread**2 * (precision[j, others] @ (values[others] - centre[others, None]))
            if not signs[j]:
                values[j] = middle + spread * chance.standard_normal(values.shape[1])
                continue
            # The upper tail by its own probability, so that nothing is lost where the bound is far out.
            tail = special.ndtr(-signs[j] * (bound[j] - middle) / spread)
            drawn = -special.ndtri(np.maximum(tail * (1 - chance.random(values.shape[1])), 1e-300))
            values[j] = middle + signs[j] * spread * np.maximum(drawn, signs[j] * (bound[j] - middle) / spread)
    return np.asarray(values)


@dataclass(frozen=True)
class _Own:
    """How series differ from what they have in common: found, with covariances, and how far they truly differ."""

    found: np.ndarray
    covariance: np.ndarray
    spread: np.ndarray


def _differences(y: np.ndarray, logs: np.ndarray, frame: _Frame) -> _Own:
    """Estimate how each series differs from the average; series that were counted in the same periods, at once."""
    count, many = y.shape[1], frame.drivers
    found, covariance = np.zeros((count, many)), np.tile(np.eye(many) * 1e4, (count, 1, 1))
    patterns: dict[bytes, list[int]] = {}
    for i in range(count):
        patterns.setdefault(np.isfinite(y[:, i]).tobytes(), []).append(i)
    for which in patterns.values():
        answers = frame.regress(np.where(np.isfinite(y[:, which[:1]]), y[:, which], np.nan), logs)
        for k, i in enumerate(which if answers else ()):
            best = answers[int(np.argmax([a.likelihood[k] for a in answers]))]
            found[i], covariance[i] = best.found[k], best.covariance[k]
    return _Own(found, covariance, np.array([_spread(found[:, j], covariance[:, j, j]) for j in range(many)]))


def _draw_own(
    own: _Own | None, i: int, common: np.ndarray, signs: np.ndarray, *, names: list[str], unique_id: str, seed: int
) -> np.ndarray:
    """Draw how one series differs from the average, drawn towards no difference as far as evidence is thin; shape (drivers, draws)."""
    if own is None:
        return np.zeros_like(common)
    precision = np.linalg.inv(own.covariance[i])
    posterior = np.linalg.inv(precision + np.diag(1 / own.spread**2))
    noise = np.stack([stream(seed, "effects", unique_id, n).standard_normal(common.shape[1]) for n in names])
    return _held(posterior @ precision @ own.found[i], posterior, noise, signs, -common, stream(seed, "effects", unique_id, "signs"))


def _spread(found: np.ndarray, variance: np.ndarray) -> float:
    """Say how far the series of one kind truly differ: what differs more than chance explains (DerSimonian and Laird)."""
    weights = 1 / variance
    mean = (weights * found).sum() / weights.sum()
    excess = (weights * (found - mean) ** 2).sum() - (len(found) - 1)
    scale = weights.sum() - (weights**2).sum() / weights.sum()
    return float(np.clip(np.sqrt(max(excess / scale, 0.0)) if scale > 0 else 0.0, *SPREAD))
