"""What one change does to demand, alone.

In: the baseline's draws and one `Change`. Out: `Applied`: the series that it touches, with their new draws. Refuses selections that match
nothing, units that do not fit, drivers without effects, and people who would have nowhere to go.

Each change is worked out from the baseline alone, never from the result of another, so that their order cannot matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import xarray as xr

from demand.calendar import Frequency
from demand.errors import Fault, ScenarioError, did_you_mean, listed, raise_all
from demand.people import whose
from demand.scenario.change import Change, Scenario
from demand.scenario.exposure import PERIODS_A_YEAR
from demand.spec import PERIODS, Unit
from demand.tables import frequency_of, match, series_of

__all__ = ["Applied", "Move", "WhatIf", "kept", "moved", "phase", "work_out"]

A_YEAR = {**PERIODS_A_YEAR, "day": 365.25, "night": 365.25, "week": 365.25 / 7}
MONTH_DAYS = 365.25 / 12


@dataclass(frozen=True)
class WhatIf:
    """Everything that the what-ifs of one run are made from.

    Parameters
    ----------
    draws : xarray.DataArray
        DRAWS: the baseline.
    scenarios : sequence of Scenario
    seed : int
        The run's seed: sizes are drawn from it, the same for the same change in every scenario.
    effects : pandas.DataFrame, optional
        EFFECTS: unique_id, driver, draw, elasticity, observed_low, observed_high.
    drivers : pandas.DataFrame, optional
        DRIVERS: ds, name, value; only to say where a driver would leave the range that was observed.
    """

    draws: xr.DataArray = field(repr=False)
    scenarios: Sequence[Scenario] = ()
    seed: int = 1
    effects: pd.DataFrame | None = field(default=None, repr=False)
    drivers: pd.DataFrame | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Move:
    """People on their way: the share that leaves each series of `rows`, and for each the series where they arrive, with their shares."""

    rows: np.ndarray
    leaving: np.ndarray = field(repr=False)
    arrivals: tuple[tuple[np.ndarray, np.ndarray], ...] = field(repr=False)


@dataclass(frozen=True)
class Applied:
    """What one change alone does: the series that it touches and their new draws.

    Parameters
    ----------
    rows : numpy.ndarray
        Positions along the series.
    values : numpy.ndarray
        float64, shape (rows, periods, draws).
    active : numpy.ndarray
        bool, shape (rows, periods): where the change is at work.
    warnings : mapping of str to str
        By unique_id; '' for the change as a whole.
    move : Move, optional
        Of shifts: who goes where.
    ceiling : numpy.ndarray, optional
        Of caps: what all series together are held to, shape (draws,).
    weight : numpy.ndarray, optional
        Of caps: how far they have come, shape (rows, periods).
    """

    rows: np.ndarray
    values: np.ndarray = field(repr=False)
    active: np.ndarray = field(repr=False)
    warnings: Mapping[str, str] = field(default_factory=dict)
    move: Move | None = None
    ceiling: np.ndarray | None = field(default=None, repr=False)
    weight: np.ndarray | None = field(default=None, repr=False)


def phase(ds: pd.DatetimeIndex, frequency: Frequency, change: Change) -> tuple[np.ndarray, np.ndarray]:
    """Say how far a change has come in each period, from 0 (not begun) to 1 (whole).

    The change grows by the same step every day of its ramp, and is gone after its last day. A flow feels the average over the days of its
    period; a stock, counted at the end of the period, feels the last day.

    Returns
    -------
    flow, stock : numpy.ndarray
        Shape (periods,).
    """
    first, last = frequency.start_of(ds), frequency.end_of(ds)
    days = pd.date_range(first[0], last[-1], freq="D")
    start = pd.Timestamp(change.start) if change.start else days[0]
    passed = (days - start).days.to_numpy() + 1.0
    ramp = max(change.ramp_months * MONTH_DAYS, 1.0)
    size = np.clip(passed / ramp, 0.0, 1.0)
    if change.end:
        size[days > pd.Timestamp(change.end)] = 0.0
    begins, ends = (first - days[0]).days.to_numpy(), (last - days[0]).days.to_numpy()
    total = np.concatenate([[0.0], np.cumsum(size)])
    flow = (total[ends + 1] - total[begins]) / (ends + 1 - begins)
    whole = np.minimum.reduceat(size, begins) == 1.0
    return np.where(whole, 1.0, flow), size[ends]


def work_out(case: WhatIf, change: Change, *, at: str) -> Applied:
    """Work out one change against the baseline.

    Parameters
    ----------
    case : WhatIf
    change : Change
    at : str
        The place in the config, for messages.

    Raises
    ------
    ScenarioError
        Where the change does not fit the forecast.
    """
    series = series_of(case.draws)
    rows = np.flatnonzero(match(series, change.where, at=f"{at}.where"))
    kinds = series["kind"].to_numpy()[rows]
    flow, stock = phase(pd.DatetimeIndex(case.draws["ds"].to_numpy()), frequency_of(case.draws), change)
    weight = np.where((kinds == "flow")[:, None], flow, stock)
    size = change.size.draw(case.draws.sizes["draw"], seed=case.seed, name=f"change {change.identity}")
    base = case.draws.transpose("series", "ds", "draw").to_numpy()
    old = base[rows].astype(np.float64)
    if change.effect == "multiply":
        for kind, path in (("flow", flow), ("stock", stock)):
            mine = kinds == kind
            old[mine] *= 1 + path[:, None] * (size - 1)
        return Applied(rows, old, weight > 0, _dates(case, change))
    if change.effect == "driver":
        elasticity, warnings = _elasticities(case, change, series.index[rows], at=at)
        new = old * (1 + weight[:, :, None] * (size - 1)) ** elasticity[:, None, :]
        return Applied(rows, new, weight > 0, {**_dates(case, change), **warnings})
    if change.effect == "shift":
        return _shift(case, change, rows, weight, size, at=at)
    total = size * _per_period(change, series.iloc[rows], frequency_of(case.draws), at=at)
    if change.effect == "cap":
        return Applied(rows, old * kept(old, weight, total), weight > 0, _dates(case, change), ceiling=total, weight=weight)
    return Applied(rows, _add(old, weight, total), weight > 0, _dates(case, change))


def _add(old: np.ndarray, weight: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Add a number to all series together, shared out by their baseline means; nothing falls below zero."""
    means = old.mean(axis=2)
    whole = means.sum(axis=0)
    shares = np.where(whole > 0, means / np.where(whole > 0, whole, 1.0), 1 / len(old))
    return np.asarray(np.maximum(old + (weight * shares)[:, :, None] * total, 0.0))


def kept(old: np.ndarray, weight: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Give the share that a cap leaves of each series, so that all of them together stay under it; each gives up the same share."""
    together = old.sum(axis=0)
    over = np.clip(1 - total / np.where(together > 0, together, 1.0), 0.0, 1.0)
    return np.asarray(1 - weight[:, :, None] * over)


def _shift(case: WhatIf, change: Change, rows: np.ndarray, weight: np.ndarray, size: np.ndarray, *, at: str) -> Applied:
    """Move people from each series to those that differ from it in the keys of `to` alone."""
    series, base = series_of(case.draws), case.draws.transpose("series", "ds", "draw").to_numpy()
    targets = np.flatnonzero(match(series, change.to or {}, at=f"{at}.to"))
    keep = [c for c in series.columns if c not in (change.to or {})]
    likes = list(series[keep].itertuples(index=False, name=None))
    homes: dict[tuple[object, ...], list[int]] = {}
    for target in targets:
        homes.setdefault(likes[target], []).append(int(target))
    fits = [[t for t in homes.get(likes[row], []) if t != row] for row in rows]
    lost = [Fault(f"people who leave '{series.index[row]}' have nowhere to go", f"{at}.to",
                  f"A series like it, of the same kind and unit, that matches {dict(change.to or {})}")
            for row, ends in zip(rows, fits, strict=True) if not ends]  # fmt: skip
    raise_all(lost, ScenarioError)
    share = size if change.is_share else _as_share(change, base[rows], series.iloc[rows], size, frequency_of(case.draws), at=at)
    leaving = np.clip(weight[:, :, None] * share, 0.0, 1.0)
    move = Move(rows, leaving, tuple(_arrivals(base, ends) for ends in fits))
    touched = np.unique(np.concatenate([rows, *(ends for ends in fits)]))
    active = np.zeros((len(touched), base.shape[1]), dtype=bool)
    for position, (row, ends) in enumerate(zip(rows, fits, strict=True)):
        active[np.searchsorted(touched, [row, *ends])] |= weight[position] > 0
    level = base[touched].astype(np.float64)
    return Applied(touched, moved(level, touched, base[rows].astype(np.float64), move), active, _dates(case, change), move)


def _arrivals(base: np.ndarray, ends: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Share arrivals out among the series where they can go, by their baseline means."""
    means = base[ends].mean(axis=2, dtype=np.float64)
    whole = means.sum(axis=0)
    return np.array(ends), np.where(whole > 0, means / np.where(whole > 0, whole, 1.0), 1 / len(ends))


def moved(level: np.ndarray, touched: np.ndarray, source: np.ndarray, move: Move) -> np.ndarray:
    """Give the `level` of the series of `touched` after people have moved; `source` is how many there are to move from."""
    new = level.copy()
    for position, row in enumerate(move.rows):
        people = source[position] * move.leaving[position]
        ends, shares = move.arrivals[position]
        new[np.searchsorted(touched, row)] -= people
        new[np.searchsorted(touched, ends)] += shares[:, :, None] * people
    return np.asarray(np.maximum(new, 0.0))


def _as_share(change: Change, old: np.ndarray, series: pd.DataFrame, size: np.ndarray, frequency: Frequency, *, at: str) -> np.ndarray:
    """Turn a number that moves into the share of all that are there."""
    together = old.sum(axis=0, dtype=np.float64)
    return np.asarray(np.clip(size * _per_period(change, series, frequency, at=at) / np.where(together > 0, together, 1.0), 0.0, 1.0))


def _per_period(change: Change, series: pd.DataFrame, frequency: Frequency, *, at: str) -> float:
    """Check the unit of a number of people against the series, and say what one of it is in a period of theirs."""
    unit, faults = Unit.parse(change.size.unit), []
    counted = {Unit.parse(str(u)).of for u in series["unit"]}
    if counted != {unit.of}:
        allowed = f"These series count {listed(sorted(counted))}. A size is in one unit; people and households are never mixed"
        faults.append(Fault(f"the unit '{change.size.unit}' does not fit", where=f"{at}.size.unit", allowed=allowed))
    if series["kind"].nunique() > 1:
        faults.append(Fault("flows and stocks are taken together", where=f"{at}.where", do_next="Make one change for each"))
    if unit.period and "stock" in set(series["kind"]):
        faults.append(Fault(f"a stock has no size per {unit.period}", where=f"{at}.size.unit", allowed=f"Write '{unit.of}'"))
    if unit.per and (unit.period is None or unit.period not in A_YEAR or len(unit.per) > 1):
        faults.append(
            Fault(f"the unit '{change.size.unit}' is not a number", f"{at}.size.unit", f"One of {listed(sorted(PERIODS & set(A_YEAR)))}")
        )
    raise_all(faults, ScenarioError)
    return A_YEAR[unit.period] / frequency.per_year if unit.period else 1.0


def _elasticities(case: WhatIf, change: Change, ids: pd.Index, *, at: str) -> tuple[np.ndarray, dict[str, str]]:
    effects, count = case.effects, case.draws.sizes["draw"]
    if effects is None or effects.empty:
        found = f"no effects of drivers are known, so what '{change.driver}' would do cannot be said"
        raise ScenarioError(Fault(found, f"{at}.driver", do_next="Give drivers under data.drivers, or a change with 'effect: multiply'"))
    ours = effects[effects["driver"] == change.driver]
    if ours.empty:
        known = sorted(effects["driver"].astype(str).unique())
        raise ScenarioError(
            Fault(f"'{change.driver}' is not a driver of this forecast", f"{at}.driver", did_you_mean(str(change.driver), known))
        )
    table = ours.pivot(index="unique_id", columns="draw", values="elasticity").reindex(ids)
    missing = table.isna().all(axis=1).to_numpy()
    if missing.all():
        raise ScenarioError(Fault(f"no effect of '{change.driver}' is known on {listed(ids)}", f"{at}.where"))
    if table.shape[1] != count or table[~missing].isna().any(axis=None):
        found = f"the effects of '{change.driver}' have {table.shape[1]} draws, or holes; the forecast has {count} draws"
        raise ScenarioError(Fault(found, f"{at}.driver", do_next="Use the effects that were estimated with this forecast"))
    warnings = {str(i): f"no effect of '{change.driver}' is known here: left as it was" for i in ids[missing]}
    outside = _outside(case, change, ours[ours["unique_id"].isin(ids)])
    return np.where(missing[:, None], 0.0, table.to_numpy(dtype=np.float64)), {**warnings, **({"": outside} if outside else {})}


def _outside(case: WhatIf, change: Change, effects: pd.DataFrame) -> str:
    """Say where the driver's new path leaves the range in which its effect was observed."""
    if case.drivers is None or not {"observed_low", "observed_high"} <= set(effects.columns):
        return ""
    ds = pd.DatetimeIndex(case.draws["ds"].to_numpy())
    of = whose(str(change.driver), series_of(case.draws), set(case.drivers["name"].astype(str)))
    weight, told = pd.Series(phase(ds, frequency_of(case.draws), change)[0], index=ds), []
    for name, mine in effects.groupby(effects["unique_id"].astype(str).map(of), sort=False):
        path = case.drivers[(case.drivers["name"] == name) & case.drivers["ds"].isin(ds)]
        level = path["value"].to_numpy(dtype=float) * (1 + weight.reindex(path["ds"]).to_numpy() * (change.size.value - 1))
        low, high = mine["observed_low"].min(), mine["observed_high"].max()
        if ((level < low) | (level > high)).any():
            far = f"'{name}' would be {level.min():g} to {level.max():g}"
            told.append(f"{far}; its effect was observed from {low:g} to {high:g} only, so beyond that it is a guess")
    return "; ".join(told)


def _dates(case: WhatIf, change: Change) -> dict[str, str]:
    """Say so where a change begins before the forecast or after it."""
    ds = pd.DatetimeIndex(case.draws["ds"].to_numpy())
    first, last = ds[0], frequency_of(case.draws).end_of(ds[-1:])[0]
    if change.start and pd.Timestamp(change.start) > last:
        return {"": f"begins on {change.start}, after the forecast ends: changes nothing"}
    if change.end and pd.Timestamp(change.end) < first:
        return {"": f"ended on {change.end}, before the forecast begins: changes nothing"}
    if change.start and pd.Timestamp(change.start) < first:
        return {"": f"began on {change.start}, before the forecast: the history may already hold a part of it"}
    return {}
