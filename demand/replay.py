"""Rolling origin: what any model would have said at each cutoff, with nothing that was not known then.

In: a history, models, cutoffs. Out: REPLAYS, a long table (unique_id, ds, cutoff, model, y, mean), and the same as arrays. At each cutoff
a model sees the history up to it, cleaned of events as it could be cleaned then, and drivers that had been published; later values of a
driver are taken to stay at the last one published. Refuses nothing: a model that cannot be fitted hands back its own labelled fallback.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from demand.cube import Cube
from demand.errors import Fault, SettingsError, raise_all
from demand.events import Event, begun, by_then, clean, concerned, unsettled
from demand.models import Forecaster
from demand.processes import apart, many
from demand.spec import stream
from demand.swings import swings
from demand.tables import BOUNDS, History

__all__ = ["COLUMNS", "Origins", "Task", "cube_of", "cutoffs_at", "drivers_as_known", "origins", "plan", "replay", "rough_seconds"]

COLUMNS = ("unique_id", "ds", "cutoff", "model", "y", "mean")
CLOSE = 24
"""Most cutoffs at which cheap models are replayed, for residual paths."""
MAIN = 5
"""Most cutoffs at which every model is replayed, for weights."""
COST = {
    "seasonal_naive": 0.0005,
    "theta": 0.005,
    "ces": 0.005,
    "ets": 0.08,
    "arima": 0.4,
    "prophet": 0.25,
    "lightgbm": 0.02,
    "caseload": 0.05,
}
"""Rough seconds that a series of 120 months takes on one core. They decide how much is replayed, never what comes out of a fit."""
BUDGET = {"close": 14.0, "main": 14.0, "race": 7.0}
"""Seconds, by the same rough count, that one model may take: at close cutoffs, at main ones, and in a race on a sample of series."""
FEWEST = 8
"""A sample has at least so many series."""
RACED = ("arima", "prophet")
"""Slow models that are seldom the best on such series: always raced on a sample, and fitted everywhere only where they earn it."""
RACE = (6, 2)
"""Series and main cutoffs of such a race."""
LAG_MONTHS = 2
T = TypeVar("T")


@dataclass(frozen=True)
class Origins:
    """From where forecasts are replayed.

    Parameters
    ----------
    close : tuple of pandas.Timestamp
        Closely spaced cutoffs, ascending: the last periods that were known. Of the last ones the path has come in part: they tell what
        errors are like now.
    main : tuple of pandas.Timestamp
        Those among them at which every model is replayed.
    steps : int
        Periods ahead that are replayed: the horizon, or fewer where the history is short.
    """

    close: tuple[pd.Timestamp, ...]
    main: tuple[pd.Timestamp, ...]
    steps: int


@dataclass(frozen=True)
class Task:
    """One model at one cutoff, for some series or (None) all of them."""

    model: str
    cutoff: pd.Timestamp
    ids: tuple[str, ...] | None = None


def origins(history: History, horizon: int, *, windows: int | None = None) -> Origins:
    """Choose the cutoffs.

    Parameters
    ----------
    history : History
        Of the series that will be forecast.
    horizon : int
    windows : int, optional
        Main cutoffs; chosen by the length of the history where it is not given.

    Returns
    -------
    Origins
        The last main cutoff lies `steps` before the last period, so that whole paths are compared; without main cutoffs where the history
        has fewer than three periods.
    """
    index, seen = pd.DatetimeIndex(history.wide.index), history.wide.notna().to_numpy()
    length = int(np.median(len(index) - seen.argmax(axis=0)))
    season = history.frequency.season_length
    least = max(min(2 * season + 1, length // 2), min(4, length - 1), 1)
    steps = max(min(horizon, (length - least + 1) // 2), 1)
    room = length - steps - least
    if room < 0:
        return Origins((), (), steps)
    last = len(index) - 1 - steps
    gap = max(1, -(-(room + steps - 1) // (CLOSE - 1)))
    close = [*range(last, last - room - 1, -gap), *range(last + gap, last + steps, gap)]
    count = windows if windows is not None else MAIN
    apart = max(gap, gap * round(min(steps, room / max(count - 1, 1)) / gap))
    main = [last - k * apart for k in range(count) if k * apart <= room]
    every = sorted({*close, *main})
    return Origins(tuple(index[every]), tuple(index[sorted(main)]), steps)


def cutoffs_at(history: History, days: Sequence[date]) -> tuple[pd.Timestamp, ...]:
    """Give the last periods that had ended on given days.

    Parameters
    ----------
    history : History
    days : sequence of datetime.date

    Returns
    -------
    tuple of pandas.Timestamp
        Ascending, each once.

    Raises
    ------
    SettingsError
        Where a day leaves fewer than three periods before it, or none after it.
    """
    index = pd.DatetimeIndex(history.wide.index)
    ends = history.frequency.end_of(index)
    places = ends.searchsorted(pd.DatetimeIndex(pd.to_datetime(list(days))), side="right") - 1
    first, last = (ends[min(2, len(ends) - 1)], ends[max(len(ends) - 2, 0)])
    faults = [
        Fault(
            f"{day} leaves {'nothing to learn from' if place < 2 else 'nothing to compare with'}",
            where="forecast > backtest > cutoffs",
            allowed=f"The data allow {first:%Y-%m-%d} to {last:%Y-%m-%d}",
        )
        for day, place in zip(days, places, strict=True)
        if not 2 <= place < len(index) - 1
    ]
    raise_all(faults, SettingsError, during="reading the dates of the backtest")
    return tuple(index[np.unique(places)])


def plan(history: History, models: Sequence[str], of: Origins) -> list[Task]:
    """Say which model is replayed where: cheap ones at all cutoffs, dear ones at main cutoffs or in a race on a sample of series."""
    tasks: list[Task] = []
    for model in models:
        each = rough_seconds(model, history, 1)
        if model in RACED:
            cutoffs = _spread(of.main, RACE[1])
            ids = _sample(history, cutoffs, RACE[0])
            tasks += [Task(model, cutoff, ids) for cutoff in cutoffs]
        elif COST.get(model, 0.1) <= COST["theta"]:
            most = int(np.clip(BUDGET["close"] / max(each * len(history.ids), 1e-9), FEWEST, CLOSE))
            tasks += [Task(model, cutoff) for cutoff in sorted({*_spread(of.close, most), *of.main})]
        elif each * len(history.ids) * max(len(of.main), 1) <= BUDGET["main"]:
            tasks += [Task(model, cutoff) for cutoff in of.main]
        else:
            cutoffs = list(of.main[-3:])
            ids = _sample(history, cutoffs, int(max(BUDGET["race"] / max(each * len(cutoffs), 1e-9), FEWEST)))
            tasks += [Task(model, cutoff, ids) for cutoff in cutoffs]
    return tasks


def rough_seconds(model: str, history: History, series: int) -> float:
    """Say what so many series as long as a history's take on one core, by the rough count of `COST`."""
    return COST.get(model, 0.1) * (len(history.wide) / 120 * (1.0 if history.frequency.season_length > 1 else 0.1)) * series


def replay(
    history: History,
    build: Callable[[str], Forecaster],
    tasks: Sequence[Task],
    *,
    steps: int,
    seed: int,
    events: Sequence[Event] = (),
    drivers: pd.DataFrame | None = None,
    jobs: int = 1,
    progress: Callable[[str, float], None] | None = None,
) -> pd.DataFrame:
    """Ask models what they would have said.

    Parameters
    ----------
    history : History
        As counted.
    build : callable
        Gives the model of a name.
    tasks : sequence of Task
    steps : int
        Periods ahead.
    seed, jobs : int
        The numbers do not depend on `jobs`.
    events : sequence of Event
    drivers : pandas.DataFrame, optional
    progress : callable, optional

    Returns
    -------
    pandas.DataFrame
        REPLAYS. `y` is NaN in periods that an event set aside, and where a step of the series lies between cutoff and period; known events
        that have begun are among them (`demand.events.begun`).
    """
    tasks, events = sorted(tasks, key=lambda t: t.cutoff), begun(history, events)
    kept: dict[tuple[pd.Timestamp, tuple[str, ...] | None], History] = {}

    def one(task: Task, inner: int = 1) -> pd.DataFrame:
        key = (task.cutoff, task.ids)
        if key not in kept:  # models follow each other at a cutoff: what was known then is put together once
            kept.clear()
            kept[key] = _known(history, task, events)
        return _one(kept[key], build(task.model), task, steps=steps, seed=seed, drivers=drivers, jobs=inner)

    rough = sum(COST.get(t.model, 0.1) * len(t.ids or history.ids) * len(history.wide) / 120 for t in tasks)
    found: list[pd.DataFrame] = []
    elsewhere = apart(jobs, items=len(tasks), seconds=rough)
    said = many(one, tasks, jobs=jobs) if elsewhere else (one(task, jobs) for task in tasks)
    for k, (task, table) in enumerate(zip(tasks, said, strict=True)):
        found.append(table)
        if progress is not None:
            progress(f"replay {task.model}", (k + 1) / len(tasks))
    if not found:
        return pd.DataFrame({c: pd.Series(dtype="datetime64[ns]" if c in ("ds", "cutoff") else object) for c in COLUMNS})
    table = pd.concat(found, ignore_index=True).merge(_truth(history, events), on=["unique_id", "ds"], how="left")
    for event in (e for e in events if e.kind in ("step", "recording")):
        first = history.frequency.start_of(pd.DatetimeIndex([event.start]))[0]
        meant = table["unique_id"].isin(np.array(history.ids)[concerned(history, event)])
        table.loc[meant & (table["cutoff"] < first) & (table["ds"] >= first), "y"] = np.nan
    table = table[table["ds"] <= history.last]
    return table[list(COLUMNS)].sort_values(["model", "cutoff", "unique_id", "ds"], kind="stable", ignore_index=True)


def cube_of(replays: pd.DataFrame, history: History, *, steps: int, events: Sequence[Event] = ()) -> Cube:
    """Give REPLAYS as arrays, for the series of `history`; what a shock or a holiday set aside is no swing.

    A count that was hidden was not the middle of what it can be: errors are measured against a number drawn inside, each as likely.
    """
    index, ids = pd.DatetimeIndex(history.wide.index), history.ids
    cutoffs = pd.DatetimeIndex(sorted(replays["cutoff"].unique()))
    places = index.get_indexer(cutoffs)
    c = cutoffs.get_indexer(pd.DatetimeIndex(replays["cutoff"]))
    s = history.series.index.get_indexer(replays["unique_id"])
    r = index.get_indexer(pd.DatetimeIndex(replays["ds"])) - places[c] - 1
    inside = (s >= 0) & (r >= 0) & (r < steps)
    y = np.full((len(cutoffs), len(ids), steps), np.nan)
    y[c[inside], s[inside], r[inside]] = replays["y"].to_numpy(dtype=float)[inside]
    for row, other in _told_apart(history):
        at = index.get_loc(row.ds) - places - 1
        there = np.flatnonzero((at >= 0) & (at < steps))
        y[there, history.series.index.get_loc(row.unique_id), at[there]] += other
    means: dict[str, np.ndarray] = {}
    for model in sorted(replays["model"].unique()):
        mine = inside & (replays["model"] == model).to_numpy()
        means[model] = np.full(y.shape, np.nan)
        means[model][c[mine], s[mine], r[mine]] = replays["mean"].to_numpy(dtype=float)[mine]
    swung = swings(_kept(history, events).wide.to_numpy(), history.frequency.season_length)
    season, kinds = history.frequency.season_length, (history.series["kind"] == "stock").to_numpy(dtype=int)
    return Cube(ids, cutoffs, np.asarray(places), y, means, swung, season, len(index) - 1, kinds, unsettled(history, events))


def _told_apart(history: History) -> Iterator[tuple[Any, float]]:
    """Give each hidden count, and how far a number drawn inside its interval lies from the middle: the same whatever is forecast."""
    if BOUNDS[0] in history.table:
        for row in history.table[history.table[BOUNDS[0]] < history.table[BOUNDS[1]]].itertuples():
            drawn = stream(0, "hidden", row.unique_id, row.ds).integers(int(row.y_low), int(row.y_high) + 1)
            yield row, float(drawn) - (row.y_low + row.y_high) / 2


def drivers_as_known(drivers: pd.DataFrame | None, cutoff: pd.Timestamp, ahead: pd.DatetimeIndex) -> pd.DataFrame | None:
    """Give drivers as they stood at a cutoff: what had been published by then, and from there on the last value.

    Parameters
    ----------
    drivers : pandas.DataFrame or None
        DRIVERS; `attrs["lag_months"]` is their publication lag (two months where it is not said).
    cutoff : pandas.Timestamp
    ahead : pandas.DatetimeIndex
        The periods to be forecast.

    Returns
    -------
    pandas.DataFrame or None
    """
    if drivers is None or drivers.empty:
        return drivers
    published = pd.Timestamp(cutoff) - pd.DateOffset(months=int(drivers.attrs.get("lag_months", LAG_MONTHS)))
    until = drivers[drivers["ds"] <= ahead[-1]].copy()
    until.loc[until["ds"] > published, ["value", "low", "high"]] = np.nan
    until = until.sort_values(["name", "ds"], kind="stable", ignore_index=True)
    until["value"] = until.groupby("name", sort=False)["value"].ffill()
    return until.dropna(subset=["value"]).reset_index(drop=True)


def _known(history: History, task: Task, events: Sequence[Event]) -> History:
    """Give what was known at a cutoff; periods after it are cut off before anything else is done."""
    known = history.until(task.cutoff)
    known = known if task.ids is None else known.only(task.ids)
    return clean(known, by_then(events, task.cutoff, history.frequency))


def _one(known: History, model: Forecaster, task: Task, *, steps: int, seed: int, drivers: pd.DataFrame | None, jobs: int) -> pd.DataFrame:
    """Replay one model at one cutoff."""
    if known.last < task.cutoff:
        return pd.DataFrame(columns=["unique_id", "ds", "mean", "cutoff", "model"])
    ahead = known.frequency.after(task.cutoff, steps)
    said = model.predict(known, steps, seed=seed, drivers=drivers_as_known(drivers, task.cutoff, ahead), jobs=jobs)
    return said.means.assign(cutoff=task.cutoff, model=task.model)


def _truth(history: History, events: Sequence[Event]) -> pd.DataFrame:
    """Give what came, without the periods that a shock or a holiday set aside."""
    return _kept(history, events).table[["unique_id", "ds", "y"]]


def _kept(history: History, events: Sequence[Event]) -> History:
    """Give the history without what was set aside; levels stay as they were counted, so that nothing later is needed."""
    return clean(history, [e for e in begun(history, events) if e.kind in ("shock", "holiday")])


def _sample(history: History, cutoffs: Sequence[pd.Timestamp], most: int) -> tuple[str, ...]:
    """Take series from small to large, evenly, by their counts up to the first cutoff: nothing later may choose them."""
    if not cutoffs:
        return ()
    return tuple(_spread(tuple(str(i) for i in history.until(cutoffs[0]).wide.mean().sort_values(kind="stable").index), most))


def _spread(items: Sequence[T], most: int) -> list[T]:
    """Take at most so many items, evenly spaced, the last among them."""
    if len(items) <= most:
        return list(items)
    places = np.unique(np.round(np.linspace(0, len(items) - 1, most)).astype(int))
    return [items[k] for k in places]
