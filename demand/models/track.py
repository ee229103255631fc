"""One series as a model may see it, and what stands in where a model has nothing to say.

In: a HISTORY. Out: `Track`s without gaps, seasons borrowed from other series or from the calendar, a plain path for the shortest
series, and a guard through which every path goes. Refuses nothing: whatever had to be mended is told in a `Note`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from demand.calendar import Frequency
from demand.features import position, season_design
from demand.models.prediction import Note
from demand.tables import ASIDE, History

__all__ = ["Track", "borrowed_seasons", "guard", "plain_path", "pooled_course", "split_path", "tracks"]

CEILING = 3.0
"""No path goes above so many times the highest count ever seen."""
WANDER = 0.15
"""How far levels of short series are taken to move from period to period, as a share of themselves: against the chance of counting, it
says how much the latest count weighs in a plain path. On public sets cut to 2 to 8 counts the error is 3 % lower so."""
HALF = 0.5
"""The share of the growth of the others that a short series is given: all of it was too much on two public sets of five, none on one."""
OTHERS = (5, 200)
"""Growth is borrowed from so many other series of the kind at least, and looked at in so many at most."""


@dataclass(frozen=True)
class Track:
    """One series without gaps, from its first count to its last.

    Parameters
    ----------
    unique_id : str
    kind : str
        flow or stock.
    ds : pandas.DatetimeIndex
        First days of its periods, without gaps; empty where nothing was ever counted.
    y : numpy.ndarray
        Counts; gaps are bridged.
    gap : int
        Periods from its last count to the last period of the history.
    bridged : int
        How many of `y` were bridged.
    aside : int
        How many of these were counted, and set aside by an event.
    """

    unique_id: str
    kind: str
    ds: pd.DatetimeIndex
    y: np.ndarray
    gap: int
    bridged: int
    aside: int = 0

    @property
    def bridges(self) -> str:
        """Which periods were bridged, as a sentence; empty where none was."""
        holes = [(self.bridged - self.aside, "without a count"), (self.aside, "that an event set aside")]
        told = [f"{n} {'period' if n == 1 else 'periods'} {which}" for n, which in holes if n]
        return f"bridged for the fit: {' and '.join(told)}" if told else ""


def tracks(history: History) -> list[Track]:
    """Give every series of a history as a track, in order.

    Parameters
    ----------
    history : History

    Returns
    -------
    list of Track
    """
    wide, kinds = history.wide, history.series["kind"]
    index, values = pd.DatetimeIndex(wide.index), wide.to_numpy()
    aside = _aside(history)
    return [
        _track(str(name), kinds.loc[name], index, values[:, i], history.frequency, aside=aside[:, i]) for i, name in enumerate(wide.columns)
    ]


def _aside(history: History) -> np.ndarray:
    """Say which counts an event set aside; shape (periods, series)."""
    wide = history.wide
    if ASIDE not in history.table:
        return np.zeros(wide.shape, dtype=bool)
    marked = history.table[history.table[ASIDE]]
    found = np.zeros(wide.shape, dtype=bool)
    found[wide.index.get_indexer(marked["ds"]), wide.columns.get_indexer(marked["unique_id"])] = True
    return found


def _track(unique_id: str, kind: str, index: pd.DatetimeIndex, column: np.ndarray, frequency: Frequency, *, aside: np.ndarray) -> Track:
    there = np.flatnonzero(~np.isnan(column))
    if there.size == 0:
        return Track(unique_id, kind, index[:0], column[:0], 0, 0)
    first, last = int(there[0]), int(there[-1])
    ds, y = index[first : last + 1], column[first : last + 1]
    missing = np.isnan(y)
    set_aside = int((missing & aside[first : last + 1]).sum())
    return Track(unique_id, kind, ds, _bridge(y, ds, frequency), len(column) - 1 - last, int(missing.sum()), set_aside)


def _bridge(y: np.ndarray, ds: pd.DatetimeIndex, frequency: Frequency) -> np.ndarray:
    """Bridge gaps: a straight line between neighbours, with the season laid over it where two seasons are known."""
    missing = np.isnan(y)
    if not missing.any():
        return y.astype(float)
    steps = np.arange(len(y))
    straight = np.where(missing, np.interp(steps, steps[~missing], y[~missing]), y)
    if (~missing).sum() < 2 * frequency.per_year or frequency.family == "Y":
        return np.asarray(straight)
    shape = np.exp(season_design(ds, frequency) @ _season(straight, ds, frequency, where=~missing))
    level = np.interp(steps, steps[~missing], (y / shape)[~missing])
    return np.where(missing, level * shape, y)


def _season(y: np.ndarray, ds: pd.DatetimeIndex, frequency: Frequency, where: np.ndarray | None = None) -> np.ndarray:
    """Fit the yearly shape of one series: log counts less their slow course, on the season's columns, shrunk by a year of nothing."""
    design, logs = season_design(ds, frequency), np.log1p(y)
    window = round(frequency.per_year)
    slow = pd.Series(logs).rolling(window, center=True, min_periods=max(1, window // 2)).mean().to_numpy()
    slow = np.where(np.isnan(slow), logs.mean(), slow)
    keep = np.ones(len(y), dtype=bool) if where is None else where
    x, target = design[keep], (logs - slow)[keep]
    ridge = np.eye(x.shape[1]) * (x**2).sum(axis=0).mean() * window / max(len(target), 1)
    return np.asarray(np.linalg.solve(x.T @ x + ridge, x.T @ target))


def borrowed_seasons(series: list[Track], frequency: Frequency, horizon: int) -> tuple[list[np.ndarray | None], list[int]]:
    """Say which season each series takes from elsewhere, and which one an engine is to find by itself.

    Months and quarters with two years or more are left to the engine. Weeks and days with two years get a smooth yearly shape of
    their own, so that years of 52 and 53 weeks agree. A shorter series takes the average shape of the longer ones of its kind: the less of
    it, the less that average repeats itself from year to year.

    Parameters
    ----------
    series : list of Track
    frequency : Frequency
    horizon : int
        Periods after the last one of the history.

    Returns
    -------
    list of numpy.ndarray or None
        A factor for each period of the track and of its future, None where it is 1 everywhere.
    list of int
        The season length for the engine.
    """
    if frequency.family == "Y":
        return [None] * len(series), [1] * len(series)
    enough = 2 * frequency.per_year
    shorter = {t.kind for t in series if 0 < len(t.y) < enough}
    needed = frequency.family in "WD" or shorter  # else each engine finds every season by itself
    own = {t.unique_id: _season(t.y, t.ds, frequency) for t in series if len(t.y) >= enough and t.y.max() > 0} if needed else {}
    pooled = {
        kind: _repeats([t for t in series if t.unique_id in own and t.kind == kind], frequency)
        * np.mean([own[t.unique_id] for t in series if t.unique_id in own and t.kind == kind], axis=0)
        for kind in {t.kind for t in series if t.unique_id in own} & shorter
    }
    shapes: list[np.ndarray | None] = []
    lengths: list[int] = []
    for t in series:
        long = len(t.y) >= enough
        engine = frequency.season_length if frequency.family in "MQ" and long else 7 if frequency.family == "D" and len(t.y) >= 21 else 1
        weights = own.get(t.unique_id) if long and frequency.family in "WD" else pooled.get(t.kind) if not long else None
        shapes.append(
            None if weights is None or len(t.y) == 0 else np.exp(season_design(_all_days(t, frequency, horizon), frequency) @ weights)
        )
        lengths.append(engine)
    return shapes, lengths


def _repeats(series: list[Track], frequency: Frequency) -> float:
    """Say how much of the average season of some series repeats itself: 1 - 1 / F, of the season against what is left beside it."""
    window, found = round(frequency.per_year), {}
    for t in series[: OTHERS[1]]:
        logs = pd.Series(np.log1p(t.y), index=t.ds)
        found[t.unique_id] = logs - logs.rolling(window, center=True, min_periods=max(1, window // 2)).mean()
    together = pd.DataFrame(found).mean(axis=1)
    together -= together.mean()
    design = season_design(pd.DatetimeIndex(together.index), frequency)
    design = design - design.mean(axis=0)
    fitted = design @ np.linalg.lstsq(design, together.to_numpy(), rcond=None)[0]
    terms = int(np.linalg.matrix_rank(design))
    rest = ((together - fitted) ** 2).sum() / max(len(together) - terms - 1, 1)
    season = (fitted**2).sum() / max(terms, 1)
    return float(max(0.0, 1.0 - rest / season)) if season > 0 else 0.0


def _all_days(track: Track, frequency: Frequency, horizon: int) -> pd.DatetimeIndex:
    return frequency.periods(track.ds[0], len(track.y) + track.gap + horizon)


def plain_path(y: np.ndarray, periods: int) -> np.ndarray:
    """Give the path that stands in for a model: the level of the latest counts, and no trend.

    Parameters
    ----------
    y : numpy.ndarray
        Counts without gaps, free of season; may be empty.
    periods : int
        How many future periods.

    Returns
    -------
    numpy.ndarray
        Shape (periods,).

    References
    ----------
    The weight of the latest count is that of a local level in its steady state, whose noise is that of counting: Harvey, A. C. (1989).
    Forecasting, Structural Time Series Models and the Kalman Filter, section 4.3. Many counts: the latest alone; few: an average.
    """
    if len(y) == 0:
        return np.zeros(periods)
    signal = WANDER**2 * max(float(y.mean()), 0.3)
    latest = (np.sqrt(signal**2 + 4 * signal) - signal) / 2
    weights = (1 - latest) ** np.arange(len(y))
    return np.full(periods, float(weights @ y[::-1] / weights.sum()))


def pooled_course(series: list[Track], paths: list[np.ndarray | None], frequency: Frequency, periods: int) -> dict[str, np.ndarray]:
    """Say how the longer series of each kind go on, for those that are too short to say so themselves.

    Parameters
    ----------
    series : list of Track
    paths : list of numpy.ndarray or None
        What an engine says of each, with its own season; None where it says nothing. Those with a gap at the end are not looked at.
    frequency : Frequency
    periods : int

    Returns
    -------
    dict of str to numpy.ndarray
        Kind to a factor for each period: half (in logs) of the median growth over the level of the latest counts. Kinds with few longer
        series are not in it.
    """
    grown: dict[str, list[np.ndarray]] = {}
    for t, path in zip(series, paths, strict=True):
        of_kind = grown.setdefault(t.kind, [])
        if path is None or t.gap or len(t.y) < 2 * frequency.per_year or len(of_kind) >= OTHERS[1] or t.y.max() <= 0:
            continue
        ds = frequency.periods(t.ds[0], len(t.y) + periods)
        shape = np.ones(len(ds)) if frequency.family not in "MQ" else np.exp(season_design(ds, frequency) @ _season(t.y, t.ds, frequency))
        level = plain_path(t.y / shape[: len(t.y)], 1)
        of_kind.append(np.log1p(np.maximum(path[:periods] / shape[len(t.y) :], 0.0)) - np.log1p(level))
    return {kind: np.exp(HALF * np.median(each, axis=0)) for kind, each in grown.items() if len(each) >= OTHERS[0]}


def guard(path: np.ndarray, track: Track, *, model: str) -> tuple[np.ndarray, list[Note]]:
    """Hold a path between nothing and three times the highest count, and say so where that mattered.

    Parameters
    ----------
    path : numpy.ndarray
        Finite.
    track : Track
    model : str

    Returns
    -------
    numpy.ndarray
        The path, never negative.
    list of Note
    """
    top = CEILING * float(track.y.max()) if len(track.y) else 0.0
    held = np.clip(path, 0.0, top)
    notes = []
    if (path > top * 1.0001 + 1e-6).any():
        notes.append(Note(track.unique_id, model, f"held at {top:g}: three times the highest count ever seen"))
    if (path < -max(0.5, 0.02 * top)).any():
        notes.append(Note(track.unique_id, model, "held at 0: the path went below"))
    return held, notes


def split_path(path: np.ndarray, track: Track, *, frequency: Frequency, horizon: int) -> dict[str, np.ndarray]:
    """Split a path into level (where the series stands now), season and trend, which add up to it.

    Level is the average of the last season of counts (a year at most). Season is what is left of the path by place in the season
    when a straight line is taken out. Trend is the rest.

    Parameters
    ----------
    path : numpy.ndarray
        At least `horizon` periods; two seasons or more let trend and season be told apart.
    track : Track
    frequency : Frequency
    horizon : int
        How many of them are wanted.

    Returns
    -------
    dict of str to numpy.ndarray
        level, trend, season, each of shape (horizon,).
    """
    if len(track.y) == 0:
        nothing = np.zeros(horizon)
        return {"level": path[:horizon], "trend": nothing, "season": nothing}
    level = np.full(len(path), track.y[-max(1, round(frequency.per_year)) :].mean())
    ds = frequency.after(track.ds[-1], track.gap + len(path))[track.gap :]
    steps = np.arange(len(path), dtype=float)
    line = np.column_stack([np.ones(len(path)), steps - steps.mean()])
    design = season_design(ds, frequency) if len(path) >= 2 * frequency.per_year else np.zeros((len(path), 0))
    if frequency.family == "D" and len(path) >= 14:
        design = np.hstack([design, np.eye(7)[position(ds, frequency)] - 1 / 7])
    weights = np.linalg.lstsq(np.hstack([line, design]), path, rcond=None)[0]
    season = design @ weights[2:]
    return {"level": level[:horizon], "trend": (path - level - season)[:horizon], "season": season[:horizon]}
