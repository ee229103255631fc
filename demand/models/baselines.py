"""Statistical models, one series at a time: seasonal naive, ETS, Theta, CES, ARIMA (statsforecast).

In: a HISTORY. Out: expected counts, with level, trend and season as their parts. Refuses nothing: where the engine cannot be used
(too few counts, no variation, a path that is not finite) the plain path stands in, and a note says so. Drivers are not used.

Each series is freed of the seasons that its engine cannot find by itself (`demand.models.track.borrowed_seasons`), forecast, and
given them back.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from demand.calendar import Frequency
from demand.models.prediction import Note, Prediction, ignored, means_table, parts_table
from demand.models.track import Track, borrowed_seasons, guard, plain_path, pooled_course, split_path, tracks
from demand.processes import apart, many
from demand.tables import History

__all__ = ["STATISTICAL", "Statistical"]

STATISTICAL: tuple[str, ...] = ("seasonal_naive", "ets", "theta", "ces", "arima")
SHORTEST = {"seasonal_naive": 1, "ets": 6, "theta": 5, "ces": 10, "arima": 12}
"""Fewest counts on which each engine is asked; below, the plain path stands in. (ETS, for one, raises or gives a line through two
points.)"""
SECONDS = {"seasonal_naive": 0.0, "ets": 0.04, "theta": 0.005, "ces": 0.01, "arima": 0.2}
"""Rough cost of a series of 120 months on one core: decides whether a second process is worth its start."""


@dataclass(frozen=True)
class _Task:
    """One series, free of borrowed season, with the season length that is left to the engine."""

    y: np.ndarray
    season_length: int
    periods: int


@dataclass(frozen=True)
class Statistical:
    """A statistical model of `STATISTICAL`.

    Parameters
    ----------
    name : str
    """

    name: str

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
        """Say what to expect (see `Forecaster`): fitted anew each time, without chance, so that nothing need be saved."""
        del seed, saved
        frequency, every = history.frequency, tracks(history)
        length = max(horizon, math.ceil(2 * frequency.per_year)) if explain else horizon
        shapes, seasons = borrowed_seasons(every, frequency, length)
        tasks = [_task(*each, length) for each in zip(every, shapes, seasons, strict=True)]
        found, notes = _run(self.name, tasks, jobs=jobs), ignored(drivers, self.name)
        paths, course = np.empty((len(every), length)), self._course(every, found, frequency, length)
        for i, (track, task, shape, path) in enumerate(zip(every, tasks, shapes, found, strict=True)):
            notes += _about(track, self.name, fell_back=path is None)
            whole = plain_path(task.y, task.periods) * _stretched(course.get(track.kind), task.periods) if path is None else path
            paths[i], held = guard((whole * shape[len(track.y) :] if shape is not None else whole)[track.gap :], track, model=self.name)
            notes += held
        means = means_table(history.ids, frequency.after(history.last, horizon), paths[:, :horizon])
        return Prediction(means, _parts(paths, every, frequency, horizon, history) if explain else None, tuple(notes))

    def _course(self, every: list[Track], found: list[np.ndarray | None], frequency: Frequency, length: int) -> dict[str, np.ndarray]:
        """Give the growth that the shortest series borrow, where there are any."""
        short = any(path is None and len(track.y) for track, path in zip(every, found, strict=True))
        return pooled_course(every, found, frequency, length) if short else {}


def _stretched(course: np.ndarray | None, periods: int) -> np.ndarray:
    """Carry a course on at its last value; 1 where there is none."""
    if course is None:
        return np.ones(periods)
    return np.append(course, np.full(max(periods - len(course), 0), course[-1]))[:periods]


def _task(track: Track, shape: np.ndarray | None, season_length: int, length: int) -> _Task:
    y = track.y if shape is None else track.y / shape[: len(track.y)]
    return _Task(y, season_length, track.gap + length)


def _about(track: Track, model: str, *, fell_back: bool) -> list[Note]:
    notes = []
    if len(track.y) == 0:
        return [Note(track.unique_id, model, "nothing was ever counted: 0 stands where a forecast cannot be made")]
    if fell_back:
        what = "the latest counts stand in, with the season and half of the growth of the longer series of their kind, if there are any"
        why = "too few counts" if len(track.y) < SHORTEST[model] else "no path that could be used"
        notes.append(Note(track.unique_id, model, f"{why} ({len(track.y)}): {what}"))
    if track.bridged:
        notes.append(Note(track.unique_id, model, track.bridges))
    if track.gap:
        notes.append(
            Note(
                track.unique_id, model, f"the last {track.gap} periods have no count that could be learnt from: the path begins before them"
            )
        )
    return notes


def _parts(paths: np.ndarray, every: list[Track], frequency: Frequency, horizon: int, history: History) -> pd.DataFrame:
    split = [split_path(path, track, frequency=frequency, horizon=horizon) for path, track in zip(paths, every, strict=True)]
    stacked = {name: np.stack([s[name] for s in split]) for name in ("level", "trend", "season")}
    return parts_table(history.ids, frequency.after(history.last, horizon), parts=stacked, values={})


def _run(name: str, tasks: list[_Task], *, jobs: int) -> list[np.ndarray | None]:
    """Run the engine over all tasks, in other processes where there is enough to do."""
    if not apart(jobs, items=len(tasks), seconds=SECONDS[name] * len(tasks)):
        return _paths(name, tasks)
    size = math.ceil(len(tasks) / jobs)
    blocks = [tasks[i : i + size] for i in range(0, len(tasks), size)]
    return [path for block in many(partial(_paths, name), blocks, jobs=jobs) for path in block]


def _paths(name: str, tasks: list[_Task]) -> list[np.ndarray | None]:
    if name == "seasonal_naive":
        return [_seasonal_naive(task) for task in tasks]
    found: list[np.ndarray | None] = [None] * len(tasks)
    for season_length in sorted({t.season_length for t in tasks}):
        which = [i for i, t in enumerate(tasks) if t.season_length == season_length and len(t.y) >= SHORTEST[name]]
        flat = [i for i in which if np.ptp(tasks[i].y) == 0]
        for i in flat:
            found[i] = np.full(tasks[i].periods, tasks[i].y[-1])
        which = [i for i in which if i not in set(flat)]
        for i, path in zip(which, _engine(name, [tasks[i] for i in which], season_length), strict=True):
            found[i] = path if np.isfinite(path).all() else None
    return found


def _seasonal_naive(task: _Task) -> np.ndarray | None:
    """Repeat the last season; where there is none, the last count."""
    if len(task.y) == 0:
        return None
    last = task.y[-task.season_length :] if len(task.y) >= task.season_length else task.y[-1:]
    return np.resize(last, task.periods)


def _engine(name: str, tasks: list[_Task], season_length: int) -> list[np.ndarray]:
    """Ask statsforecast; NaN where it could not fit."""
    if not tasks:
        return []
    from statsforecast import StatsForecast
    from statsforecast.models import NaNModel

    sizes = [len(t.y) for t in tasks]
    table = pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(len(tasks)), sizes),
            "ds": np.concatenate([np.arange(n) for n in sizes]),
            "y": np.concatenate([t.y for t in tasks]),
        }
    )
    periods = max(t.periods for t in tasks)
    engines = _engines(name, season_length)
    with warnings.catch_warnings():
        # statsforecast and scipy warn of overflow and slow convergence while they try candidates; what comes out is checked instead.
        warnings.simplefilter("ignore")
        with np.errstate(all="ignore"):
            out = StatsForecast(models=engines, freq=1, fallback_model=NaNModel()).forecast(df=table, h=periods)
        several = out.drop(columns=["unique_id", "ds"]).to_numpy(dtype=np.float64).reshape(len(tasks), periods, len(engines))
        whole = np.where(np.isfinite(several).all(axis=1, keepdims=True), several, np.nan)
        paths = np.nanmean(whole, axis=2)
    return [path[: t.periods] for path, t in zip(paths, tasks, strict=True)]


def _engines(name: str, season_length: int) -> list[Any]:
    """Give the engines whose average is the model.

    ETS is the average of the best one without trend and the best one with a damped trend: as good on public counts as the choice of one by
    AICc, and three times faster; an undamped trend is never drawn out over years.
    """
    from statsforecast import models

    if name == "ets":
        level = models.AutoETS(season_length=season_length, model="ZNZ", alias="level")
        return [level, models.AutoETS(season_length=season_length, model="AZZ", damped=True, alias="damped")]
    if name == "theta":
        return [models.DynamicOptimizedTheta(season_length=season_length)]
    if name == "ces":
        return [models.AutoCES(season_length=season_length)]
    return [models.AutoARIMA(season_length=season_length, approximation=True)]
