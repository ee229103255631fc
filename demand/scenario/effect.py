"""What one change does to demand, alone.

In: the baseline's draws and one `Change`. Out: `Applied`: the series that it touches, with their new draws. Refuses selections that match
nothing, units that do not fit, drivers without effects, and people who would have nowhere to go.

Each change is worked out from the baseline alone, never from the result of another, so that their order cannot matter. In draws in which a
change does not happen its path is 0 throughout, and every effect leaves the baseline to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from demand.errors import Fault, ScenarioError
from demand.scenario.case import Applied, WhatIf
from demand.scenario.change import FLOWS, Change
from demand.scenario.drivers import driven
from demand.scenario.flows import Acting, Flows
from demand.scenario.level import gaps
from demand.scenario.shift import leaving, shift
from demand.scenario.timing import chosen, dates, paths
from demand.scenario.units import in_a_period
from demand.tables import match, series_of

__all__ = ["flowed", "kept", "work_out"]


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
    path = paths(case, change)
    weight = np.where((kinds == "flow")[:, None, None], path["flow"], path["stock"])
    active = np.asarray((weight > 0).any(axis=2))
    size = _size(case, change)
    if change.effect in FLOWS:
        return _flowed(case, change, rows, np.broadcast_to(path["flow"], weight.shape), size, at=at)  # over the days, though stocks follow
    old = case.draws.transpose("series", "ds", "draw").to_numpy()[rows].astype(np.float64)
    if change.effect == "price":
        return Applied(rows, old, active, dates(case, change), prices=np.broadcast_to(1 + weight * (size - 1), old.shape))
    if change.effect == "shift":
        return shift(case, change, rows, leaving(case, change, rows, weight, size, at=at), at=at)
    if change.effect in ("add", "cap"):
        total = size * in_a_period(case, change, series.iloc[rows], at=at)
        if change.effect == "cap":
            return _capped(case, change, rows, old, weight, total, at=at)
        return Applied(rows, _add(old, weight, total), active, dates(case, change))
    warnings: dict[str, str] = {}
    if change.effect == "level":
        ratio, warnings = gaps(case, change, rows, at=at)
        old = old * (1 + weight * size * (ratio - 1)[:, None, None])
    elif change.effect == "driver":
        ratio, warnings = driven(case, change, series.index[rows], weight, size, at=at)
        old, active = old * ratio, active | (ratio != 1).any(axis=2)
    else:
        ratio = size if change.effect == "multiply" else _fallen_through(case, change, size)
        for kind in path:
            old[kinds == kind] *= 1 + path[kind] * (ratio - 1)
    return Applied(rows, old, active, {**dates(case, change), **warnings})


def _flowed(case: WhatIf, change: Change, rows: np.ndarray, weight: np.ndarray, size: np.ndarray, *, at: str) -> Applied:
    """Change who comes, how long they stay or where they move, and with it every stock that they come to."""
    if case.flows is None:
        do_next = "Add a `caseload` section (`{}` will do); what a stored run holds does not suffice, because people are not kept"
        raise ScenarioError(Fault(f"'effect: {change.effect}' needs stocks that are followed person by person", at, do_next=do_next))
    ids = case.draws["series"].to_numpy()
    here = case.flows.place([str(i) for i in ids[rows]], change=change, at=f"{at}.where")
    base = case.draws.transpose("series", "ds", "draw").to_numpy()
    factor = np.ones((len(case.flows.stocks.series), *base.shape[1:]))
    factor[here[here >= 0]] = 1 + weight[here >= 0] * (size - 1)
    return replace(flowed(case, case.flows, [Acting(change, factor, at)]), warnings=dates(case, change))


def flowed(case: WhatIf, flows: Flows, acting: Sequence[Acting]) -> Applied:
    """Draw people again under some changes of entries, stay and moves together.

    Parameters
    ----------
    case : WhatIf
    flows : Flows
    acting : sequence of Acting

    Returns
    -------
    Applied
        `flow` is the change where there is one alone.

    Raises
    ------
    ScenarioError
        Where moves to no series are meant.
    """
    ids, base = case.draws["series"].to_numpy(), case.draws.transpose("series", "ds", "draw").to_numpy()
    more, prices = flows.under(acting)
    place = pd.Index(ids).get_indexer(flows.stocks.series.index)
    touched = np.flatnonzero((place >= 0) & ((more != 0) | (prices != 1)).any(axis=(1, 2)))
    touched = touched[np.argsort(place[touched])]
    old = base[place[touched]].astype(np.float64)
    active = (more[touched] != 0).any(axis=2) | (prices[touched] != 1).any(axis=2)
    alone = acting[0] if len(acting) == 1 else None
    return Applied(place[touched], np.maximum(old + more[touched], 0.0), active, prices=prices[touched], flow=alone)


def _capped(case: WhatIf, change: Change, rows: np.ndarray, old: np.ndarray, weight: np.ndarray, total: np.ndarray, *, at: str) -> Applied:
    """Hold series to a number together; who does not fit goes where the change says, or is counted nowhere."""
    share = kept(old, weight, total)
    if change.to is not None:
        return replace(shift(case, change, rows, 1 - share, at=at), ceiling=total, weight=weight)
    return Applied(rows, old * share, np.asarray((weight > 0).any(axis=2)), dates(case, change), ceiling=total, weight=weight)


def _size(case: WhatIf, change: Change) -> np.ndarray:
    """Draw the size; of variants, the one that each draw takes."""
    draws, name = case.draws.sizes["draw"], f"change {change.identity}"
    if change.size is not None:
        return change.size.draw(draws, seed=case.seed, name=name)
    which = chosen(case, change)
    each = [v.size.draw(draws, seed=case.seed, name=f"{name} {label}") for label, v in change.variants.items()]
    return np.asarray(np.choose(np.minimum(which, len(each) - 1), each))


def _fallen_through(case: WhatIf, change: Change, new: np.ndarray) -> np.ndarray:
    """Give the ratio of those who are counted when a rate of success changes: (1 - new) / (1 - old), or new / old of successes.

    Rates that are drawn beyond their range are held half way between its end and the bound at which nobody would be left.
    """
    if change.rate_now is None:
        return np.ones(len(new))
    now = change.rate_now.draw(len(new), seed=case.seed, name=f"rate now {change.identity}")
    if change.counts == "successes":
        return np.asarray(np.clip(new, 0.0, 1.0) / np.clip(now, change.rate_now.low / 2, 1.0))
    return np.asarray((1 - np.clip(new, 0.0, 1.0)) / (1 - np.clip(now, 0.0, (1 + change.rate_now.high) / 2)))


def _add(old: np.ndarray, weight: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Add a number to all series together, shared out by their baseline means; nothing falls below zero."""
    means = old.mean(axis=2)
    whole = means.sum(axis=0)
    shares = np.where(whole > 0, means / np.where(whole > 0, whole, 1.0), 1 / len(old))
    return np.asarray(np.maximum(old + weight * shares[:, :, None] * total, 0.0))


def kept(old: np.ndarray, weight: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Give the share that a cap leaves of each series, so that all of them together stay under it; each gives up the same share."""
    together = old.sum(axis=0)
    over = np.clip(1 - total / np.where(together > 0, together, 1.0), 0.0, 1.0)
    return np.asarray(1 - weight * over)
