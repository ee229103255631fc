"""Applying scenarios to a forecast, draw by draw.

In: DRAWS, scenarios and, for changes of drivers, EFFECTS. Out: DEMAND, the same joint futures under every scenario ('baseline' first),
and a list of what was applied, old -> new. Refuses selections that match nothing, units that do not fit, and changes that meet without a
rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from demand.errors import Fault, ScenarioError, listed, raise_all
from demand.scenario.case import Applied, WhatIf
from demand.scenario.change import BASELINE, Change, Scenario, by_name, places, unfold
from demand.scenario.effect import flowed, kept, work_out
from demand.scenario.flows import Flows
from demand.scenario.shift import moved

__all__ = ["APPLIED", "PRICES", "Outcome", "apply", "price_factors", "resized", "under"]

Together = Literal["multiply", "add"] | None
APPLIED = ["scenario", "change", "unique_id", "effect", "start", "old_mean", "new_mean", "warning", "sentence"]
"""The columns of the list of what was applied."""
PRICES = "prices"
"""The coordinate of DEMAND that says by what prices are multiplied."""
ROUNDS = 200
"""Most rounds in which what is over a cap goes on to the next place."""
SETTLED = 1e-6
"""So few people on their way are nobody."""


@dataclass(frozen=True)
class Outcome:
    """What some changes come to together: the series that they touch and their new draws.

    Parameters
    ----------
    rows : numpy.ndarray
        Positions along the series, ascending.
    values : numpy.ndarray
        float32, shape (rows, periods, draws).
    parts : mapping of label to (Change, Applied)
        What each change does alone.
    prices : numpy.ndarray, optional
        By what the price of one is multiplied, in the shape of `values`; None where no change moves prices.
    """

    rows: np.ndarray
    values: np.ndarray = field(repr=False)
    parts: Mapping[str, tuple[Change, Applied]]
    prices: np.ndarray | None = field(default=None, repr=False)


def apply(
    draws: xr.DataArray,
    scenarios: Sequence[Scenario],
    *,
    seed: int,
    effects: pd.DataFrame | None = None,
    drivers: pd.DataFrame | None = None,
    flows: Flows | None = None,
) -> tuple[xr.DataArray, pd.DataFrame]:
    """Say how demand would be under each scenario, in the same joint futures as the baseline.

    Parameters
    ----------
    draws : xarray.DataArray
        DRAWS, dims (series, ds, draw).
    scenarios : sequence of Scenario
    seed : int
        The run's seed.
    effects : pandas.DataFrame, optional
        EFFECTS, needed by changes of drivers.
    drivers : pandas.DataFrame, optional
        DRIVERS with their future; they only serve to warn where a driver would leave its observed range.
    flows : Flows, optional
        Stocks as they come about, needed by changes of entries, stay and moves.

    Returns
    -------
    demand : xarray.DataArray
        DEMAND, float32, dims (scenario, series, ds, draw); 'baseline' first, equal to `draws`. Values may be fractional. Where a change
        moves prices, the coordinate `PRICES` says by what they are multiplied.
    applied : pandas.DataFrame
        `APPLIED`: a row a scenario, change and series, with its mean over the periods in which the change is at work, old and new.

    Raises
    ------
    ScenarioError
        With every fault of every scenario at once.
    """
    case = WhatIf(draws, tuple(scenarios), seed, effects, drivers, flows=flows)
    known = by_name(case.scenarios)
    base = draws.transpose("series", "ds", "draw").to_numpy()
    values = np.empty((len(known) + 1, *base.shape), dtype=np.float32)
    values[0], told, faults = base, [], []
    prices: np.ndarray | None = None
    for position, scenario in enumerate(known.values(), start=1):
        try:
            changes, at = unfold(scenario, known), {"": f"scenarios > {scenario.name}", **places(scenario, known)}
            outcome = under(case, changes, together=scenario.together, at=at)
        except ScenarioError as error:
            faults += list(error.faults)
            continue
        values[position] = base
        values[position, outcome.rows] = outcome.values
        if outcome.prices is not None:
            prices = np.ones(values.shape, dtype=np.float32) if prices is None else prices
            prices[position, outcome.rows] = outcome.prices
        told += [_tell(case, scenario.name, label, change, part) for label, (change, part) in outcome.parts.items()]
    raise_all(list(dict.fromkeys(faults)), ScenarioError, during="applying the scenarios")
    about = {str(n): (c.dims, c.to_numpy()) for n, c in draws.coords.items()}
    coords = {"scenario": np.array([BASELINE, *known], dtype=object), **about}
    demand = xr.DataArray(values, dims=("scenario", "series", "ds", "draw"), coords=coords, attrs=dict(draws.attrs), name="y")
    if prices is not None:
        demand = demand.assign_coords({PRICES: (demand.dims, prices)})
    return demand, pd.concat(told, ignore_index=True) if told else pd.DataFrame(columns=APPLIED)


def price_factors(demand: xr.DataArray) -> np.ndarray | None:
    """Give by what prices are multiplied under each scenario, dims (scenario, series, ds, draw); None where no change moves them."""
    return demand.coords[PRICES].transpose("scenario", "series", "ds", "draw").to_numpy() if PRICES in demand.coords else None


def under(case: WhatIf, changes: Mapping[str, Change], *, together: Together, at: Mapping[str, str] | None = None) -> Outcome:
    """Work out some changes, each alone and all together.

    Parameters
    ----------
    case : WhatIf
    changes : mapping of label to Change
        As `unfold` gives them.
    together : "multiply", "add" or None
        What happens where two of them meet.
    at : mapping of label to str, optional
        The places of the changes in the config, for messages; '' for the scenario as a whole.

    Returns
    -------
    Outcome

    Raises
    ------
    ScenarioError
        With the faults of all changes at once.
    """
    parts, faults, places_ = {}, [], at or {}
    for label, change in changes.items():
        try:
            parts[label] = (change, work_out(case, change, at=places_.get(label, label)))
        except ScenarioError as error:
            faults += list(error.faults)
    raise_all(faults, ScenarioError, during="applying the changes")
    if together is None:
        _refuse_meetings(case, parts, at=places_.get("", ""))
    return _joined(case, parts, together)


def resized(case: WhatIf, outcome: Outcome, numbers: Mapping[tuple[str, str], float], *, together: Together) -> Outcome:
    """Give the outcome with some numbers certain, all others as they are.

    Parameters
    ----------
    case : WhatIf
    outcome : Outcome
    numbers : mapping of (label, key) to float
        Which number of which change (a key of `Change.ends`), and its value.
    together : "multiply", "add" or None

    Raises
    ------
    ScenarioError
        Where the number does not fit.
    """
    changes: dict[str, Change] = {}
    for (label, key), value in numbers.items():
        changes[label] = changes.get(label, outcome.parts[label][0]).fixed(key, value)
    parts = {label: (change, work_out(case, change, at=label)) for label, change in changes.items()}
    return _joined(case, {**outcome.parts, **parts}, together)


def _refuse_meetings(case: WhatIf, parts: Mapping[str, tuple[Change, Applied]], *, at: str) -> None:
    ids, ds, faults = case.draws["series"].to_numpy(), pd.DatetimeIndex(case.draws["ds"].to_numpy()), []
    for (one, (_, a)), (two, (_, b)) in combinations(parts.items(), 2):
        rows, at_a, at_b = np.intersect1d(a.rows, b.rows, return_indices=True)
        both = a.active[at_a] & b.active[at_b]
        if both.any():
            first, found = ds[np.flatnonzero(both.any(axis=0))[0]].date(), listed(ids[rows[both.any(axis=1)]])
            allowed = "Say 'together: multiply' (their ratios are multiplied) or 'together: add' (their differences are added)"
            faults.append(Fault(f"'{one}' and '{two}' both act on {found} from {first}", at, allowed))
    raise_all(faults, ScenarioError)


def _joined(case: WhatIf, parts: Mapping[str, tuple[Change, Applied]], together: Together) -> Outcome:
    """Join changes that were worked out alone.

    By 'add', differences from the baseline are added. By 'multiply', ratios to the baseline are multiplied (a baseline of zero has no
    ratio: there differences are added), and then shifts move their shares of what that leaves, so that nobody is made or lost on the way.
    In both, caps come last and act on what the others have made, so that no cap is exceeded; where caps meet, the tightest counts.
    Changes of entries, stay and moves are one part: people are drawn once under all of them.
    """
    base = case.draws.transpose("series", "ds", "draw").to_numpy()
    if not parts:
        return Outcome(np.array([], dtype=int), base[:0], parts)
    each = [part for _, part in parts.values() if part.flow is None]
    acting = [part.flow for _, part in parts.values() if part.flow is not None]
    if acting and case.flows is not None:
        each.append(flowed(case, case.flows, acting))
    rows = np.unique(np.concatenate([part.rows for part in each]))
    late = [part for part in each if part.move is not None and part.ceiling is None and together == "multiply"]
    caps = [part for part in each if part.ceiling is not None and together is not None]
    levels = [part for part in each if (part.move is None or together != "multiply") and not any(part is c for c in caps)]
    values = _levels(base, rows, levels, ratios=together == "multiply")
    before = values.copy() if late else values
    for part in late:
        if part.move is not None:
            at, sources = np.searchsorted(rows, part.rows), np.searchsorted(rows, part.move.rows)
            values[at] += moved(before[at], part.rows, before[sources], part.move) - before[at]
    values = np.maximum(values, 0.0)
    values = _under_caps(rows, values, caps) if caps else values
    return Outcome(rows, values.astype(np.float32), parts, _prices(rows, values.shape, each))


def _prices(rows: np.ndarray, shape: tuple[int, ...], parts: Sequence[Applied]) -> np.ndarray | None:
    """Multiply what changes do to prices; None where none does anything."""
    found: np.ndarray | None = None
    for part in parts:
        if part.prices is not None:
            found = np.ones(shape) if found is None else found
            found[np.searchsorted(rows, part.rows)] *= part.prices
    return found


def _under_caps(rows: np.ndarray, values: np.ndarray, caps: Sequence[Applied]) -> np.ndarray:
    """Hold series under caps: where several meet the least counts, so that all hold in whatever order they come; the rest goes on.

    Who goes on counts where they arrive, and what is full there goes on in turn, until nobody has to: where some of it comes back, that
    takes many rounds, in each of which fewer are on their way. Where the chain is closed and all are full, the last to arrive stay.
    """
    meant = [(part, np.searchsorted(rows, part.rows if part.move is None else part.move.rows)) for part in caps]
    arrived, new, moving = np.zeros(values.shape), values, list[float]()
    for _ in range(ROUNDS):
        pool, share, come, gone = values + arrived, np.ones(values.shape), np.zeros(values.shape), set[int]()
        for part, at in meant:
            if part.ceiling is not None and part.weight is not None:
                share[at] = np.minimum(share[at], kept(pool[at], part.weight, part.ceiling))
        for part, at in meant:
            for position, row in enumerate(at) if part.move is not None else ():
                if part.move is not None and int(row) not in gone:
                    ends, shares = part.move.arrivals[position]
                    come[np.searchsorted(rows, ends)] += shares[:, :, None] * (pool[row] - pool[row] * share[row])
                    gone.add(int(row))
        new, on = pool * share + (come - arrived), np.abs(come - arrived)
        moving.append(float(on.sum()))
        closed = len(moving) > len(caps) + 1 and moving[-1] >= moving[-len(caps) - 2] * (1 - SETTLED)
        if closed or on.max() <= SETTLED:
            break
        arrived = come
    return new


def _levels(base: np.ndarray, rows: np.ndarray, parts: Sequence[Applied], *, ratios: bool) -> np.ndarray:
    """Join changes of level, series by series; where one change alone is at work on a series, its values are taken as they are."""
    values = np.empty((len(rows), *base.shape[1:]))
    news: list[list[np.ndarray]] = [[] for _ in rows]
    for part in parts:
        for position, at in enumerate(np.searchsorted(rows, part.rows)):
            news[at].append(part.values[position])
    for at, (row, several) in enumerate(zip(rows, news, strict=True)):
        if len(several) < 2:
            values[at] = several[0] if several else base[row]
            continue
        old = base[row].astype(np.float64)
        positive = old > 0 if ratios else np.zeros(old.shape, dtype=bool)
        if not positive.all():
            values[at] = old + sum(new - old for new in several)
        if positive.any():
            product = several[0].copy()
            for new in several[1:]:
                np.multiply(product, np.divide(new, old, out=np.ones_like(old), where=positive), out=product)
            np.copyto(values[at], product, where=positive)
    return values


def _tell(case: WhatIf, scenario: str, label: str, change: Change, part: Applied) -> pd.DataFrame:
    base, ids = case.draws.transpose("series", "ds", "draw").to_numpy(), case.draws["series"].to_numpy()
    old, new = base[part.rows].mean(axis=2, dtype=np.float64), part.values.mean(axis=2)
    periods = np.maximum(part.active.sum(axis=1), 1)
    names = [str(i) for i in ids[part.rows]]
    general = part.warnings.get("", "")
    rows = {
        "scenario": scenario,
        "change": label,
        "unique_id": names,
        "effect": change.effect,
        "start": pd.Timestamp(change.start) if change.start else pd.Timestamp(case.draws["ds"].to_numpy()[0]),
        "old_mean": np.where(part.active, old, 0).sum(axis=1) / periods,
        "new_mean": np.where(part.active, new, 0).sum(axis=1) / periods,
        "warning": ["; ".join(w for w in (general, part.warnings.get(n, "")) if w) for n in names],
        "sentence": change.sentence,
    }
    return pd.DataFrame(rows)[APPLIED]
