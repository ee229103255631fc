"""What is done about entries, stays and moves, all at once, while people are drawn.

In: `Lever`s: factors by series, period and draw. Out: `Pull`, which changes who comes, stretches stays and changes how many ends are moves.
Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from demand.counts import to_counts
from demand.spec import stream

__all__ = ["Lever", "Pull"]


@dataclass(frozen=True)
class Lever:
    """What one change does about entries, stays or moves.

    Parameters
    ----------
    acts_on : "entries", "stay" or "moves"
        New starts from outside, what is left of a stay from the period on, or of the ends those that are moves.
    factor : numpy.ndarray
        Shape (series, periods, draws): by what it is multiplied.
    towards : numpy.ndarray, optional
        Shape (series,), bool: the series that moves are meant to; all where it is not given.
    """

    acts_on: str
    factor: np.ndarray
    towards: np.ndarray | None = None


@dataclass(frozen=True)
class Pull:
    """What levers do together.

    Parameters
    ----------
    edges : numpy.ndarray
        Shape (periods + 1,): first days of the periods, and the day after the last, as numbers.
    entries, stay : numpy.ndarray or None
        Shape (series, periods, draws): how many come from outside, in whole numbers, and the factor of what is left of a stay; None where
        nothing acts.
    moves : tuple of (numpy.ndarray, numpy.ndarray)
        Factors of how many ends are moves, and the series that are meant, 1 or 0, shape (series,).
    """

    edges: np.ndarray
    entries: np.ndarray | None = None
    stay: np.ndarray | None = None
    moves: tuple[tuple[np.ndarray, np.ndarray], ...] = ()

    @classmethod
    def of(cls, levers: Sequence[Lever], starts: np.ndarray, edges: np.ndarray, *, ids: Sequence[str], seed: int) -> Pull | None:
        """Join levers, which meet by their product; None where there are none."""
        if not levers:
            return None
        by: dict[str, np.ndarray] = {}
        for lever in levers:
            by[lever.acts_on] = by.get(lever.acts_on, np.ones(1)) * lever.factor
        entries = None
        if "entries" in by:
            wanted = starts * by["entries"]
            entries = np.stack([to_counts(w, stream(seed, "levers", i)) for i, w in zip(ids, wanted, strict=True)])
        every = np.ones(len(ids))
        moves = ((m.factor, every if m.towards is None else m.towards.astype(float)) for m in levers if m.acts_on == "moves")
        return cls(edges, entries, by.get("stay"), tuple(moves))

    def stretched(self, series: np.ndarray, draw: np.ndarray, since: np.ndarray, left: np.ndarray) -> np.ndarray:
        """Give what is left of each stay where a day under the lever counts 1 / factor of one."""
        if self.stay is None:
            return left
        spent, now = np.zeros(len(left)), since.copy()
        left, done = left.copy(), np.zeros(len(left), dtype=bool)
        for period in range(len(self.edges) - 1):
            factor = np.maximum(self.stay[series, period, draw], 1e-3)
            room = np.clip(self.edges[period + 1] - now, 0.0, None)
            takes = left * factor
            ends = ~done & (takes <= room) & (room > 0)
            spent = np.where(ends, spent + takes, np.where(done, spent, spent + room))
            left = np.where(done | ends, left, left - room / factor)
            now, done = np.where(done | ends, now, now + room), done | ends
        return np.asarray(np.where(done, spent, spent + left))

    def more_moves(self, to: np.ndarray, series: np.ndarray, draw: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Give by what the chance of a move is multiplied where stays end on a day; `to` says where moves lead, rows adding up to 1.

        The mean over destinations of a product of 1 + (factor - 1) is the sum over sets of levers that mean the same destinations.
        """
        more = np.ones(len(series))
        at = [(self._acting(factor, series, draw, end) - 1, towards) for factor, towards in self.moves]
        for many in range(1, len(at) + 1):
            for some in combinations(at, many):
                share = to @ np.prod([towards for _, towards in some], axis=0)
                more += np.prod([by for by, _ in some], axis=0) * share[series]
        return more

    def led(self, to: np.ndarray, series: np.ndarray, draw: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Give where moves lead, shape (stays, series); rows add up to whatever they do."""
        leads = to[series]
        for factor, towards in self.moves:
            leads = leads * (1 + (self._acting(factor, series, draw, end) - 1)[:, None] * towards)
        return np.asarray(leads)

    def _acting(self, factor: np.ndarray, series: np.ndarray, draw: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Give the factor at work where stays end on a day; 1 beyond the periods."""
        found = np.ones(len(series))
        period = np.searchsorted(self.edges, end, side="right") - 1
        inside = (period >= 0) & (period < len(self.edges) - 1)
        found[inside] = factor[series[inside], period[inside], draw[inside]]
        return found
