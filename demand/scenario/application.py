"""Applying scenarios to a forecast, draw by draw.

In: DRAWS, scenarios and, for changes of drivers, EFFECTS. Out: DEMAND, the same joint futures under every scenario ('baseline' first),
and a list of what was applied, old -> new. Refuses selections that match nothing, units that do not fit, and changes that meet without a
rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from demand.errors import Fault, ScenarioError, listed, raise_all
from demand.scenario.change import BASELINE, Change, Scenario, by_name, unfold
from demand.scenario.effect import Applied, WhatIf, moved, work_out

__all__ = ["APPLIED", "apply", "under"]

APPLIED = ["scenario", "change", "unique_id", "effect", "start", "old_mean", "new_mean", "warning"]
"""The columns of the list of what was applied."""


def apply(
    draws: xr.DataArray,
    scenarios: Sequence[Scenario],
    *,
    seed: int,
    effects: pd.DataFrame | None = None,
    drivers: pd.DataFrame | None = None,
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

    Returns
    -------
    demand : xarray.DataArray
        DEMAND, float32, dims (scenario, series, ds, draw); 'baseline' first, equal to `draws`. Values may be fractional.
    applied : pandas.DataFrame
        `APPLIED`: a row a scenario, change and series, with its mean over the periods in which the change is at work, old and new.

    Raises
    ------
    ScenarioError
        With every fault of every scenario at once.
    """
    case = WhatIf(draws, tuple(scenarios), seed, effects, drivers)
    known = by_name(case.scenarios)
    base = draws.transpose("series", "ds", "draw").to_numpy()
    values = np.empty((len(known) + 1, *base.shape), dtype=np.float32)
    values[0], told, faults = base, [], []
    for position, scenario in enumerate(known.values(), start=1):
        try:
            parts = under(
                case, unfold(scenario, known), together=scenario.together, at=f"scenarios > {scenario.name}", out=values[position]
            )
        except ScenarioError as error:
            faults += list(error.faults)
            continue
        told += [_tell(case, scenario.name, label, change, part) for label, (change, part) in parts.items()]
    raise_all(faults, ScenarioError, during="applying the scenarios")
    about = {str(n): (c.dims, c.to_numpy()) for n, c in draws.coords.items()}
    coords = {"scenario": np.array([BASELINE, *known], dtype=object), **about}
    demand = xr.DataArray(values, dims=("scenario", "series", "ds", "draw"), coords=coords, attrs=dict(draws.attrs), name="y")
    return demand, pd.concat(told, ignore_index=True) if told else pd.DataFrame(columns=APPLIED)


def under(
    case: WhatIf, changes: Mapping[str, Change], *, together: Literal["multiply", "add"] | None, at: str, out: np.ndarray
) -> dict[str, tuple[Change, Applied]]:
    """Write demand under some changes into `out`, and give what each of them does alone.

    Parameters
    ----------
    case : WhatIf
    changes : mapping of label to Change
        As `unfold` gives them.
    together : "multiply", "add" or None
        What happens where two of them meet.
    at : str
        The place in the config, for messages.
    out : numpy.ndarray
        float32, shape (series, periods, draws): filled.

    Raises
    ------
    ScenarioError
        With the faults of all changes at once.
    """
    done, faults = {}, []
    for label, change in changes.items():
        try:
            done[label] = (change, work_out(case, change, at=f"{at} > {label}"))
        except ScenarioError as error:
            faults += list(error.faults)
    raise_all(faults, ScenarioError, during="applying the changes")
    if together is None:
        _refuse_meetings(case, done, at=at)
    out[:] = case.draws.transpose("series", "ds", "draw").to_numpy()
    _join(out, done, together=together)
    return done


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


def _join(out: np.ndarray, parts: Mapping[str, tuple[Change, Applied]], *, together: Literal["multiply", "add"] | None) -> None:
    """Join changes into `out`, which holds the baseline.

    By 'add', differences from the baseline are added. By 'multiply', ratios to the baseline are multiplied (a baseline of zero has no
    ratio: there differences are added), and then shifts move their shares of what that leaves, so that nobody is made or lost on the way.
    """
    shifts = [(part.rows, part.move) for _, part in parts.values() if part.move is not None and together == "multiply"]
    levels = [part for _, part in parts.values() if part.move is None or together != "multiply"]
    for row in np.unique(np.concatenate([part.rows for part in levels])) if levels else ():
        news = [part.values[position] for part in levels for position in np.flatnonzero(part.rows == row)]
        old = out[row].astype(np.float64)
        joined = old + sum(new - old for new in news) if len(news) > 1 else news[0]
        if together == "multiply" and len(news) > 1:
            safe = np.where(old > 0, old, 1.0)
            joined = np.where(old > 0, old * np.prod([new / safe for new in news], axis=0), joined)
        out[row] = np.maximum(joined, 0.0)
    before = {row: out[row].astype(np.float64) for rows, _ in shifts for row in rows}
    after = {row: level.copy() for row, level in before.items()}
    for rows, move in shifts:
        level = np.stack([before[row] for row in rows])
        change = moved(level, rows, np.stack([before[row] for row in move.rows]), move)
        for position, row in enumerate(rows):
            after[row] += change[position] - level[position]
    for row, level in after.items():
        out[row] = np.maximum(level, 0.0)


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
    }
    return pd.DataFrame(rows)[APPLIED]
