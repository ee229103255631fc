"""What each driver does to each series, with its uncertainty: the one source for "why" and "what if".

In: a HISTORY, and drivers. Out: EFFECTS: for each series, driver and draw an elasticity (a driver that is 1 % higher goes with so
many % more people), and the range in which the driver was ever observed. Refuses a driver with gaps. A driver that is not always
above 0 has no elasticity and is left out of the table: a scenario that names it is told so.

An elasticity from history is an association: whatever moves with the driver is in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import linalg

from demand.calendar import Frequency
from demand.features import driver_table, season_design
from demand.spec import stream
from demand.tables import History

__all__ = ["EFFECT_COLUMNS", "estimate_effects"]

EFFECT_COLUMNS = ("unique_id", "driver", "draw", "elasticity", "source", "observed_low", "observed_high", "half_life")
LONGEST = 400
"""Periods, the latest ones, from which effects are estimated."""
WANDERING = (0.0, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0)
"""Candidates for how much the level wanders a period, as a share of the variance of a single count."""
HALF_LIVES = (0.0, 2.0, 4.0, 8.0, 16.0)
"""Candidates, in periods, for how long a stock takes to follow a driver: people who came stay on."""
PRIOR = 1.0
"""Before any evidence an elasticity is around 0, seldom beyond 2 either way: the standard deviation of that."""
SPREAD = (0.1, 0.5)
"""Elasticities of series of one kind differ by the first at least and the second at most (standard deviations)."""


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


def estimate_effects(history: History, drivers: pd.DataFrame, *, draws: int, seed: int) -> pd.DataFrame:
    """Estimate what each driver does to each series.

    The log of a count is a season, a line, a level that wanders (a random walk, as if differenced), and elasticity x log driver:
    generalised least squares, each share of wandering weighted by its restricted likelihood (Harville 1977, JASA 72, 320-338). What the
    series of one kind and unit have in common is estimated from their average, so that errors that they share are not taken for
    evidence; then each series may differ from it as far as its own counts say so (DerSimonian and Laird 1986, Controlled Clinical Trials
    7, 177-188). Where evidence is thin all are drawn towards 0. A stock follows a driver slowly: it sees the driver's moving
    average, and its elasticity is that of the long run.

    Parameters
    ----------
    history : History
        Cleaned of events.
    drivers : pandas.DataFrame
        ds, name, value: first days of periods; the future is not looked at.
    draws : int
    seed : int

    Returns
    -------
    pandas.DataFrame
        EFFECTS: unique_id, driver, draw, elasticity, source, observed_low, observed_high, half_life (periods; 0 follows at once).

    Raises
    ------
    DataError
        Where a driver has gaps. Periods for which a driver is not published yet are not looked at.
    """
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
    found = [_group(history, list(map(str, ids)), np.log(table), str(kind), draws=draws, seed=seed) for (kind, _), ids in groups.items()]
    effects = pd.concat(found, ignore_index=True)
    effects["observed_low"] = effects["driver"].map(table.min())
    effects["observed_high"] = effects["driver"].map(table.max())
    return effects.sort_values(["unique_id", "driver", "draw"], ignore_index=True)[list(EFFECT_COLUMNS)]


def _group(history: History, ids: list[str], logs: pd.DataFrame, kind: str, *, draws: int, seed: int) -> pd.DataFrame:
    """Estimate the series of one kind: what they have in common from their average, then how each differs from it."""
    wide, names = history.wide[ids].iloc[-LONGEST:], list(map(str, logs.columns))
    frame = _Frame(_fixed(pd.DatetimeIndex(wide.index), history.frequency), len(names))
    y = np.log1p(wide.to_numpy())
    average = _average(y)
    tried = []
    for half_life in HALF_LIVES if kind == "stock" else (0.0,):
        followed = _followed(logs, half_life).reindex(wide.index).to_numpy()
        tried += [(half_life, followed, answer) for answer in frame.regress(average[:, None], followed)]
    common, which = _draw_common([t[2] for t in tried], names, draws=draws, stream_name="/".join(ids), seed=seed)
    slowness = np.array([t[0] for t in tried])[which] if tried else np.zeros(draws)
    likeliest = max(tried, key=lambda t: float(t[2].likelihood[0])) if tried else (0.0, logs.reindex(wide.index).to_numpy(), None)
    half_life, followed, _ = likeliest
    values = common + _draw_differences(y - average[:, None], followed, frame, ids=ids, names=names, draws=draws, seed=seed)
    slow = f", followed with a half-life of {half_life:g} periods" if half_life else ""
    unit = history.series.loc[ids[0], "unit"]
    source = f"estimated from history: {len(ids)} series ({kind}, {unit}) of up to {len(wide)} periods{slow}"
    index = pd.MultiIndex.from_product([ids, names, range(draws)], names=["unique_id", "driver", "draw"])
    half_lives = np.tile(slowness, len(ids) * len(names))
    return index.to_frame(index=False).assign(elasticity=values.reshape(-1), source=source, half_life=half_lives)


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


def _draw_common(answers: list[_Answer], names: list[str], *, draws: int, stream_name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw what the series have in common, shape (drivers, draws), and the answer that each draw is from: a mixture by likelihood."""
    many = len(names)
    chance = stream(seed, "effects", stream_name)
    normal = np.stack([stream(seed, "effects", stream_name, n).standard_normal(draws) for n in names])
    if not answers:
        return PRIOR * normal, np.zeros(draws, dtype=int)
    likelihood = np.array([a.likelihood[0] for a in answers])
    weights = np.exp(likelihood - likelihood.max())
    which = chance.choice(len(answers), size=draws, p=weights / weights.sum())
    values = np.zeros((many, draws))
    for k in np.unique(which):
        precision = np.linalg.inv(answers[k].covariance[0])
        posterior = np.linalg.inv(precision + np.eye(many) / PRIOR**2)
        centre = posterior @ precision @ answers[k].found[0]
        here = which == k
        values[:, here] = centre[:, None] + np.linalg.cholesky(posterior) @ normal[:, here]
    return values, which


def _draw_differences(
    y: np.ndarray, logs: np.ndarray, frame: _Frame, *, ids: list[str], names: list[str], draws: int, seed: int
) -> np.ndarray:
    """Draw how each series differs from the average, drawn towards no difference as far as evidence is thin; (series, drivers, draws)."""
    count, many = len(ids), len(names)
    found, covariance = np.zeros((count, many)), np.tile(np.eye(many) * 1e4, (count, 1, 1))
    patterns: dict[bytes, list[int]] = {}
    for i in range(count):
        patterns.setdefault(np.isfinite(y[:, i]).tobytes(), []).append(i)
    for which in patterns.values() if count > 1 else ():
        answers = frame.regress(np.where(np.isfinite(y[:, which[:1]]), y[:, which], np.nan), logs)
        for k, i in enumerate(which if answers else ()):
            best = answers[int(np.argmax([a.likelihood[k] for a in answers]))]
            found[i], covariance[i] = best.found[k], best.covariance[k]
    spread = np.array([_spread(found[:, j], covariance[:, j, j]) for j in range(many)])
    values = np.zeros((count, many, draws))
    for i, unique_id in enumerate(ids):
        precision = np.linalg.inv(covariance[i])
        posterior = np.linalg.inv(precision + np.diag(1 / spread**2))
        noise = np.stack([stream(seed, "effects", unique_id, n).standard_normal(draws) for n in names])
        if count > 1:
            values[i] = (posterior @ precision @ found[i])[:, None] + np.linalg.cholesky(posterior) @ noise
    return values


def _spread(found: np.ndarray, variance: np.ndarray) -> float:
    """Say how far the series of one kind truly differ: what differs more than chance explains (DerSimonian and Laird)."""
    weights = 1 / variance
    mean = (weights * found).sum() / weights.sum()
    excess = (weights * (found - mean) ** 2).sum() - (len(found) - 1)
    scale = weights.sum() - (weights**2).sum() / weights.sum()
    return float(np.clip(np.sqrt(max(excess / scale, 0.0)) if scale > 0 else 0.0, *SPREAD))
