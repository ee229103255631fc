"""Prophet, one series at a time: a trend that bends, a yearly shape, and its parts.

In: a HISTORY. Out: expected counts with level, trend and season as their parts, and the fitted models as JSON. Refuses nothing: where a
series is too short or Prophet's fit does not end well, the plain path stands in, and a note says so. Drivers are not used.

Prophet draws from numpy's global random state, which is seeded and restored here and nowhere else. It is fitted on log counts, so that
no forecast is negative, and its trend is faded out over the years ahead, because a straight line in logs explodes.
"""

from __future__ import annotations

import json
import logging
import subprocess
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from demand.calendar import Frequency
from demand.models.prediction import Note, Prediction, ignored, logarithmic_mean, means_table, parts_table
from demand.models.track import Track, borrowed_seasons, guard, plain_path, tracks
from demand.processes import many
from demand.spec import stream
from demand.tables import History

__all__ = ["Additive", "blocked"]

FILE = "prophet.json"
SHORTEST = 8
"""Counts below which the plain path stands in: Prophet draws a straight line through two points, with a range of no width."""
FADE_YEARS = 0.6
"""The slope of the trend falls to 1/e in so many years ahead. On five public sets the error is 13 % higher without."""
WAVES = {"D": 6, "W": 5, "M": 4, "Q": 2, "Y": 0}
"""Waves in the yearly shape; Prophet's own 10 are more than months can tell apart."""


@dataclass(frozen=True)
class _Task:
    """One series to be fitted, or a fitted one to be used again; `text` is the model as JSON."""

    ds: pd.DatetimeIndex
    y: np.ndarray
    frequency: Frequency
    periods: int
    seed: int
    text: str | None


@dataclass(frozen=True)
class _Fit:
    """What Prophet says in logs: trend and season, over the history and the future."""

    trend: np.ndarray
    season: np.ndarray
    text: str


@cache
def blocked() -> str:
    """Say why Prophet's own program cannot be started on this computer; empty where it can.

    Returns
    -------
    str
        In the words of the system: locked-down computers refuse programs that lie in a user's folder.
    """
    found = find_spec("prophet")
    program = Path(str(found.origin)).parent / "stan_model" / "prophet_model.bin" if found else None
    if program is None or not program.exists():
        return "it is not installed"
    try:
        subprocess.run([program, "help"], capture_output=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(getattr(error, "strerror", None) or "it does not answer").lower()
    return ""


@dataclass(frozen=True)
class Additive:
    """The model `prophet`.

    Parameters
    ----------
    name : str
    """

    name: str = "prophet"

    def predict(
        self,
        history: History,
        horizon: int,
        *,
        seed: int,
        drivers: pd.DataFrame | None = None,
        explain: bool = False,
        saved: Mapping[str, str] | None = None,
        jobs: int = 1,
    ) -> Prediction:
        """Say what to expect (see `Forecaster`); with `saved` the fitted models in it are used and nothing is fitted."""
        every, frequency = tracks(history), history.frequency
        kept: dict[str, str] = json.loads(saved[FILE]) if saved and FILE in saved else {}
        fits = _run([_task(t, frequency, horizon, seed=seed, text=kept.get(t.unique_id)) for t in every], jobs=jobs)
        shapes, _ = borrowed_seasons(every, frequency, horizon)
        parts = {name: np.zeros((len(every), horizon)) for name in ("level", "trend", "season", "limit")}
        notes, whole = ignored(drivers, self.name), np.zeros((len(every), horizon))
        for i, (track, fit, shape) in enumerate(zip(every, fits, shapes, strict=True)):
            pieces = _stand_in(track, shape, horizon) if fit is None else _pieces(track, fit, frequency, horizon)
            path = sum(pieces.values(), np.zeros(horizon))
            whole[i], held = guard(path, track, model=self.name)
            notes += [*self._notes(track, fitted=fit is not None), *held]
            for name, amount in {**pieces, "limit": whole[i] - path}.items():
                parts[name][i] = amount
        ds = frequency.after(history.last, horizon)
        if not parts["limit"].any():
            del parts["limit"]
        text = json.dumps({t.unique_id: f.text for t, f in zip(every, fits, strict=True) if f is not None})
        table = parts_table(history.ids, ds, parts=parts, values={}) if explain else None
        return Prediction(means_table(history.ids, ds, whole), table, tuple(notes), {FILE: text})

    def _notes(self, track: Track, *, fitted: bool) -> list[Note]:
        if not fitted:
            why = f"too few counts ({len(track.y)})" if len(track.y) < SHORTEST else "nothing to learn from, or no fit"
            return [Note(track.unique_id, self.name, f"{why}: the latest counts, without a trend, stand in")]
        if track.bridged:
            return [Note(track.unique_id, self.name, track.bridges)]
        return []


def _task(track: Track, frequency: Frequency, horizon: int, *, seed: int, text: str | None) -> _Task | None:
    if len(track.y) < SHORTEST or np.ptp(track.y) == 0:
        return None
    number = int(stream(seed, "prophet", track.unique_id).integers(1, 2**31 - 1))
    return _Task(track.ds, track.y, frequency, track.gap + horizon, number, text)


def _run(tasks: list[_Task | None], *, jobs: int) -> list[_Fit | None]:
    """Fit or read all series. Threads are best here: most of the time is spent in Stan's own processes."""
    real = [t for t in tasks if t is not None]
    if not real:
        return [None] * len(tasks)
    with _quiet(), _numpy_state(real[0].seed):
        done = list(many(_fit, real, jobs=jobs, threads=True)) if jobs > 1 and len(real) > 1 else [_fit(t) for t in real]
    found = iter(done)
    return [None if t is None else next(found) for t in tasks]


def _fit(task: _Task) -> _Fit | None:
    from prophet.serialize import model_from_json, model_to_json

    if task.text is not None:
        model = model_from_json(task.text)
    else:
        model = _model(task)
        try:
            model.fit(pd.DataFrame({"ds": task.ds, "y": np.log1p(task.y)}), seed=task.seed)
        except RuntimeError:  # Stan's optimiser ended without a result
            return None
    days = task.frequency.periods(task.ds[0], len(task.ds) + task.periods)
    told = model.setup_dataframe(pd.DataFrame({"ds": days}))
    trend = np.asarray(model.predict_trend(told), dtype=np.float64)
    shapes = model.predict_seasonal_components(told)
    season = np.asarray(shapes["additive_terms"], dtype=np.float64)
    if not (np.isfinite(trend).all() and np.isfinite(season).all()):
        return None
    return _Fit(trend, season, task.text or model_to_json(model))


def _model(task: _Task) -> Any:
    from prophet import Prophet

    years = len(task.y) / task.frequency.per_year
    waves = WAVES[task.frequency.family] if years >= 2 else 0
    return Prophet(
        n_changepoints=int(np.clip(len(task.y) // 4, 1, 25)),
        yearly_seasonality=waves or False,
        weekly_seasonality=3 if task.frequency.family == "D" and len(task.y) >= 21 else False,
        daily_seasonality=False,
        uncertainty_samples=0,
    )


def _pieces(track: Track, fit: _Fit, frequency: Frequency, horizon: int) -> dict[str, np.ndarray]:
    """Turn trend and season in logs into people: level (the trend's last value), trend and season add up to the path.

    The faded slope follows Gardner and McKenzie 1985 (Management Science 31, 1237-1246). A mean of logs is not the log of a mean, so
    the path is multiplied by the ratio of what was counted to what was fitted (Duan 1983, JASA 78, 605-610).
    """
    n = len(track.y)
    fade = np.exp(-np.arange(1, len(fit.trend) - n + 1) / (FADE_YEARS * frequency.per_year))
    rise = np.cumsum(np.diff(fit.trend[n - 1 :]) * fade)[track.gap :][:horizon]
    season = fit.season[n + track.gap :][:horizon]
    fitted = np.expm1(fit.trend[:n] + fit.season[:n]).sum()
    smear = float(np.clip(track.y.sum() / fitted, 1.0, 1.5)) if fitted > 0 else 1.0
    start = fit.trend[n - 1]
    mean = logarithmic_mean(np.exp(np.minimum(start + rise + season, 50.0)), np.exp(start)) * smear
    return {"level": np.full(horizon, np.expm1(start) * smear), "trend": mean * rise, "season": mean * season}


def _stand_in(track: Track, shape: np.ndarray | None, horizon: int) -> dict[str, np.ndarray]:
    factor = np.ones(len(track.y) + track.gap + horizon) if shape is None else shape
    flat = plain_path(track.y / factor[: len(track.y)], horizon)
    return {"level": flat, "season": flat * (factor[len(factor) - horizon :] - 1.0)}


@contextmanager
def _numpy_state(seed: int) -> Iterator[None]:
    """Seed numpy's global random state, and put it back as it was."""
    before = np.random.get_state()  # noqa: NPY002 - Prophet knows no other
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Prophet and cmdstanpy from telling each fit, and put their loggers back as they were."""
    loggers = [logging.getLogger(name) for name in ("cmdstanpy", "prophet", "prophet.plot")]
    before = [(logger.level, logger.disabled) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
        logger.disabled = True
    try:
        with warnings.catch_warnings():
            # Prophet 1.x trips deprecations of pandas and importlib on import; none of them can change a number.
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, (level, disabled) in zip(loggers, before, strict=True):
            logger.setLevel(level)
            logger.disabled = disabled
