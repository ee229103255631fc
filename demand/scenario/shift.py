"""Moving people from some series to others, so that nobody is made or lost on the way.

In: a `Change` with `effect: shift`. Out: `Applied`, with who leaves and where they arrive. Refuses people who would have nowhere to go.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from demand.errors import Fault, ScenarioError, raise_all
from demand.scenario.case import Applied, Move, WhatIf
from demand.scenario.change import Change
from demand.scenario.timing import dates
from demand.scenario.units import in_a_period
from demand.tables import match, series_of

__all__ = ["leaving", "moved", "shift"]


def shift(case: WhatIf, change: Change, rows: np.ndarray, share: np.ndarray, *, at: str) -> Applied:
    """Move a share of the people of each series to those that differ from it in the keys of `to` alone; shape (rows, periods, draws).

    Raises
    ------
    ScenarioError
        Where people would have nowhere to go.
    """
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
    move = Move(rows, share, tuple(_arrivals(base, ends) for ends in fits))
    touched = np.unique(np.concatenate([rows, *(ends for ends in fits)]))
    active = np.zeros((len(touched), base.shape[1]), dtype=bool)
    for position, (row, ends) in enumerate(zip(rows, fits, strict=True)):
        active[np.searchsorted(touched, [row, *ends])] |= (share[position] > 0).any(axis=1)
    level = base[touched].astype(np.float64)
    return Applied(touched, moved(level, touched, base[rows].astype(np.float64), move), active, dates(case, change), move)


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


def leaving(case: WhatIf, change: Change, rows: np.ndarray, weight: np.ndarray, size: np.ndarray, *, at: str) -> np.ndarray:
    """Give the share of each series that a shift moves: shape (rows, periods, draws)."""
    series, old = series_of(case.draws).iloc[rows], case.draws.transpose("series", "ds", "draw").to_numpy()[rows]
    share = size if change.is_share else _as_share(case, change, old, series, size, at=at)
    return np.asarray(np.clip(weight * share, 0.0, 1.0))


def _as_share(case: WhatIf, change: Change, old: np.ndarray, series: pd.DataFrame, size: np.ndarray, *, at: str) -> np.ndarray:
    """Turn a number that moves into the share of all that are there."""
    together = old.sum(axis=0, dtype=np.float64)
    return np.asarray(np.clip(size * in_a_period(case, change, series, at=at) / np.where(together > 0, together, 1.0), 0.0, 1.0))
