"""What the forecast would have said at an earlier date, with what was known then.

In: a history, a forecast with its replays, the dates. Out: `Look`s, one at a time: joint draws and what came. Nested: at each date weights,
residual paths and spreads come from the cutoffs that a forecast made on that day would have had, and from what had come by then. Models
are asked again only at dates at which the forecast itself had not replayed them. Refuses dates outside the data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from demand.calendar import FinancialYear, Frequency, year_shares
from demand.combine import combined, weigh
from demand.cube import Cube
from demand.events import by_then, clean
from demand.forecast import Forecast, ForecastSpec, raced_of
from demand.hierarchy import HierarchySpec
from demand.nested import ENOUGH, draws_then, known_then, stretches, widths
from demand.people import People
from demand.reconcile import Totals, reconcile
from demand.replay import BUDGET, COST, Task, cube_of, cutoffs_at, replay
from demand.tables import History

__all__ = ["Evidence", "Look", "gather", "looks", "year_ends"]

MOST_DRAWS, FEWEST_DRAWS, ROOM = 400, 200, 20_000_000
"""Draws at each date: so many, or fewer where series times periods times draws would be more than `ROOM`."""
YEARS = 12
"""Most financial years that are looked back on."""
NAIVE = "seasonal_naive"


@dataclass(frozen=True)
class Look:
    """What the combination would have said at one cutoff, and what came.

    Parameters
    ----------
    cutoff : pandas.Timestamp
        The last period that was known.
    place : int
        Its place in the calendar, in periods.
    calibrated : bool
        Whether enough earlier errors stood behind its ranges.
    ds : pandas.DatetimeIndex
        The periods ahead that have been counted since.
    opening : numpy.ndarray
        Shape (series,): the last count that was known.
    y, naive : numpy.ndarray
        Shape (series, periods): what came, and the seasonal naive forecast; NaN where not known.
    draws : numpy.ndarray
        Shape (series, periods, draws); NaN for a series of which nothing was said.
    """

    cutoff: pd.Timestamp
    place: int
    calibrated: bool
    ds: pd.DatetimeIndex
    opening: np.ndarray
    y: np.ndarray
    naive: np.ndarray
    draws: np.ndarray


@dataclass(frozen=True)
class Evidence:
    """Replays as arrays: those that the forecast rests on, and those together with more at the dates that are judged.

    Parameters
    ----------
    own, all : Cube
    judged : tuple of pandas.Timestamp
        The dates, ascending.
    """

    own: Cube
    all: Cube
    judged: tuple[pd.Timestamp, ...]


def gather(
    history: History,
    forecast: Forecast,
    spec: ForecastSpec,
    *,
    seed: int,
    drivers: pd.DataFrame | None = None,
    start_month: int = 4,
    jobs: int = 1,
    progress: Callable[[str, float], None] | None = None,
) -> Evidence:
    """Choose the dates, and ask models there that the forecast has not asked.

    Parameters
    ----------
    history : History
        Of the series that were forecast.
    forecast : Forecast
    spec : ForecastSpec
        With `backtest.cutoffs` those dates; else the main cutoffs of the forecast, and each end of a financial year from which the ranges
        of the year that followed could have been calibrated.
    seed : int
    drivers : pandas.DataFrame, optional
        As the forecast had them.
    start_month : int
        The month in which financial years begin.
    jobs : int
    progress : callable, optional

    Returns
    -------
    Evidence

    Raises
    ------
    SettingsError
        Where `backtest.cutoffs` names dates outside the data.
    """
    steps, index = int(forecast.settings["steps"]), pd.DatetimeIndex(history.wide.index)
    own = cube_of(forecast.replays, history, steps=steps, events=spec.events)
    listed = spec.backtest.cutoffs
    if listed is not None:
        judged, models = list(cutoffs_at(history, listed)), {c: list(forecast.weights) for c in cutoffs_at(history, listed)}
    else:
        whole = steps >= int(history.frequency.per_year) and len(own.at)
        ends = year_ends(index, history.frequency, start_month) if whole else []
        known = {c: known_then(history, own, int(index.get_loc(c)), spec.horizon) for c in ends}
        ends = [c for c in ends if known[c].whole.sum() >= ENOUGH][-YEARS:]
        models = {c: [m for m, w in _weights(known[c], forecast, spec).items() if w > 0 or m == NAIVE] for c in ends}
        judged = [pd.Timestamp(c) for c in forecast.settings["main_cutoffs"]] + ends
    mine = forecast.replays[forecast.replays["unique_id"].isin(history.ids)]
    there = set(zip(mine["model"], pd.DatetimeIndex(mine["cutoff"]), strict=True))
    if len(forecast.driver_futures):
        lag = {} if drivers is None else drivers.attrs
        drivers = forecast.driver_futures.copy()
        drivers.attrs.update(lag)
    tasks = [Task(m, c) for m, c in _affordable(models, history) if (m, c) not in there]
    if not tasks:
        return Evidence(own, own, tuple(sorted(set(judged))))
    models_of = People(spec.per or "", forecast.settings.get("people", {}), forecast.beside).build
    more = replay(history, models_of, tasks, steps=steps, seed=seed, events=spec.events, drivers=drivers, jobs=jobs, progress=progress)
    every = pd.concat([forecast.replays, more], ignore_index=True) if len(forecast.replays) else more
    return Evidence(own, cube_of(every, history, steps=steps, events=spec.events), tuple(sorted(set(judged))))


def year_ends(index: pd.DatetimeIndex, frequency: Frequency, start_month: int) -> list[pd.Timestamp]:
    """Give the last periods that ended before a financial year of which every day was counted since.

    Parameters
    ----------
    index : pandas.DatetimeIndex
        The periods that were counted.
    frequency : Frequency
        Where periods are years, they are the years meant, whenever they begin.
    start_month : int

    Returns
    -------
    list of pandas.Timestamp
    """
    if frequency.family == "Y":
        return list(index[:-1])
    days, shares, found = frequency.days_in(index), year_shares(index, frequency, start_month), []
    for label in shares.columns:
        year, covered = FinancialYear.parse(label, start_month), shares[label].to_numpy() * days
        first = int(np.argmax(covered > 0))
        if first > 0 and round(covered.sum()) == (year.end - year.start).days + 1:
            found.append(index[first - 1])
    return found


def looks(
    history: History,
    evidence: Evidence,
    *,
    forecast: Forecast,
    spec: ForecastSpec,
    seed: int,
    hierarchy: HierarchySpec = "auto",
    jobs: int = 1,
) -> Iterator[Look]:
    """Look back from each date.

    Parameters
    ----------
    history : History
    evidence : Evidence
    forecast : Forecast
    spec : ForecastSpec
    seed : int
    hierarchy : HierarchySpec
        As the forecast had it.
    jobs : int

    Yields
    ------
    Look
        Dates at which no model had anything to say are left out.
    """
    index, cube = pd.DatetimeIndex(history.wide.index), evidence.all
    totals = Totals.of(history, hierarchy, spec.reconcile, jobs=jobs)
    for cutoff in evidence.judged:
        k = int(cube.cutoffs.get_indexer(pd.DatetimeIndex([cutoff]))[0])
        if k < 0:
            continue
        place, reach = int(cube.at[k]), min(cube.y.shape[2], len(index) - 1 - int(cube.at[k]))
        known = known_then(history, evidence.own, place, spec.horizon)
        weights = _weights(known, forecast, spec)
        if not any(weights.get(m, 0) > 0 for m in cube.means):
            continue
        plain = combined({m: v[k, :, :reach] for m, v in cube.means.items()}, weights)
        then = partial(_seen_then, history, cutoff, spec)
        about = {"totals": totals, "replays": forecast.replays, "seen": then, "how": spec.reconcile, "seed": seed}
        mean = reconcile(known, weights, plain, cutoff=cutoff, **about).mean
        if not np.isfinite(mean).all(axis=1).any():
            continue
        draws = min(spec.draws, int(np.clip(ROOM // max(mean.size, 1), FEWEST_DRAWS, MOST_DRAWS)))
        past = history.until(cutoff)
        by = widths(past, known, list(forecast.weights), raced=raced_of(spec), horizon=spec.horizon, seed=seed)
        values = draws_then(past, known, mean, weights, draws=draws, seed=seed, by=by)
        naive = cube.means[NAIVE][k, :, :reach] if NAIVE in cube.means else np.full(mean.shape, np.nan)
        opening = history.wide.ffill().iloc[place].to_numpy(dtype=float)
        ds = index[place + 1 : place + 1 + reach]
        yield Look(cutoff, place, bool(known.whole.sum() >= ENOUGH), ds, opening, cube.y[k, :, :reach], naive, values)


def _seen_then(history: History, cutoff: pd.Timestamp, spec: ForecastSpec) -> History:
    return clean(history.until(cutoff), by_then(spec.events, cutoff, history.frequency))


def _weights(known: Cube, forecast: Forecast, spec: ForecastSpec) -> dict[str, float]:
    return weigh(known, list(forecast.weights), stretches=stretches(known), raced=raced_of(spec))


def _affordable(models: dict[pd.Timestamp, list[str]], history: History) -> Sequence[tuple[str, pd.Timestamp]]:
    """Give models and dates without the slow models that so many series and dates would make too slow; the others take their weight."""
    pairs = [(m, c) for c, names in models.items() for m in names]
    often = pd.Series([m for m, _ in pairs], dtype=object).value_counts()
    rough = len(history.wide) / 120 * len(history.ids)
    dear = {m for m, n in often.items() if COST.get(str(m), 0.1) > COST["theta"] and COST.get(str(m), 0.1) * rough * n > BUDGET["main"]}
    return [(m, c) for m, c in pairs if m not in dear]
