"""What is done about entries, stays and moves, each apart, while people are drawn.

In: factors by series, period and draw. Out: `Pull`, which stretches stays and changes how many ends are moves. Refuses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Pull"]


@dataclass(frozen=True)
class Pull:
    """What is done about entries, stays and moves.

    Parameters
    ----------
    edges : numpy.ndarray
        Shape (periods + 1,): first days of the periods, and the day after the last, as numbers.
    stay, moves : numpy.ndarray or None
        Shape (series, periods, draws): factors of what is left of a stay, and of how many ends are moves; None where nothing acts.
    towards : numpy.ndarray
        Shape (series,): 1 where moves to a series are meant, else 0.
    entries : numpy.ndarray, optional
        Shape (series, periods, draws): how many come from outside in place of those who were drawn; None where nothing acts.
    """

    edges: np.ndarray
    stay: np.ndarray | None
    moves: np.ndarray | None
    towards: np.ndarray
    entries: np.ndarray | None = None

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

    def moving(self, series: np.ndarray, draw: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Give by what the moves that are meant are multiplied where stays end on a day; 1 beyond the periods."""
        factor = np.ones(len(series))
        if self.moves is not None:
            period = np.searchsorted(self.edges, end, side="right") - 1
            inside = (period >= 0) & (period < len(self.edges) - 1)
            factor[inside] = self.moves[series[inside], period[inside], draw[inside]]
        return factor
