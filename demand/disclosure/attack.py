"""The attack on a written table: what somebody can work out who has the file, the policy and whole numbers to fill in.

In: for each cell the least and the greatest count that it can stand for, and which cells add up. Out: the range that is left of each
hidden cell, by integer programming (HiGHS through `scipy.optimize.milp`). Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from demand.disclosure.additive import Relation
from demand.disclosure.policies import Policy
from demand.disclosure.together import Leaving, joined

__all__ = ["bounds_told", "matrix_of", "most", "ranges", "readings", "recovered", "recovered_together"]


def most(exact: np.ndarray) -> float:
    """Give a count that is greater than any that an attacker must think of."""
    return float(2 * exact.max(initial=0) + exact.sum() + 100)


def matrix_of(relations: Sequence[Relation], size: int) -> np.ndarray:
    """Give the sums as rows of a matrix A with A z = 0."""
    rows = np.zeros((len(relations), size))
    for k, (total, parts) in enumerate(relations):
        rows[k, total] -= 1
        rows[k, list(parts)] += 1
    return rows


def bounds_told(exact: np.ndarray, hidden: np.ndarray, policy: Policy, reading: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Give the least and the greatest count of each cell, as the file tells them and as somebody reads the mark of hidden ones."""
    low, high = np.empty(len(exact)), np.empty(len(exact))
    for i, value in enumerate(exact):
        low[i], high[i] = reading if hidden[i] else policy.told(policy.rounded(value))
    return low, high


def readings(policy: Policy, large: float) -> list[tuple[float, float]]:
    """Give the ways of reading the mark: any count, any count but none, and a small count."""
    least = 0.0 if policy.hide_zero else 1.0
    return [(0.0, large), (1.0, large), (least, float(max(policy.hide_below - 1, least)))]


def ranges(low: np.ndarray, high: np.ndarray, relations: Sequence[Relation], cells: Sequence[int]) -> np.ndarray:
    """Work out what is left of some cells.

    Parameters
    ----------
    low, high : numpy.ndarray
        The least and the greatest count that each cell can stand for.
    relations : sequence of Relation
        Which cells add up to which.
    cells : sequence of int
        Those that are attacked.

    Returns
    -------
    numpy.ndarray
        (cell, 2): the least and the greatest count left; NaN where no whole numbers fit at all.

    Examples
    --------
    >>> ranges(np.array([1, 1, 8]), np.array([4, 4, 12]), [(2, (0, 1))], [0]).tolist()
    [[4.0, 4.0]]
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    size, left = len(low), np.full((len(cells), 2), np.nan)
    adds = LinearConstraint(matrix_of(relations, size), 0, 0) if relations else ()
    for k, cell in enumerate(cells):
        for side, sign in enumerate((1.0, -1.0)):
            aim = np.zeros(size)
            aim[cell] = sign
            found = milp(aim, constraints=adds, bounds=Bounds(low, high), integrality=np.ones(size))
            if found.x is None:
                return left
            left[k, side] = np.round(found.x[cell])
    return left


def recovered(exact: np.ndarray, hidden: np.ndarray, relations: Sequence[Relation], policy: Policy) -> np.ndarray:
    """Say which hidden cells somebody could work out exactly, however the mark is read.

    Where counts are shown as they are, also those that can be narrowed to fewer counts than the policy hides.

    Parameters
    ----------
    exact : numpy.ndarray
        The counts, to see whether the attack is right.
    hidden : numpy.ndarray of bool
    relations : sequence of Relation
    policy : Policy

    Returns
    -------
    numpy.ndarray of bool
    """
    large = most(exact)
    widest, *narrower = readings(policy, large)
    out = _narrow(exact, hidden, relations, bounds_told(exact, hidden, policy, widest), policy.hide_below if policy.round_to == 1 else 1)
    for reading in narrower:
        out |= _narrow(exact, hidden & ~out, relations, bounds_told(exact, hidden, policy, reading), 1)
    return out


def recovered_together(tables: Sequence[Leaving], written: Sequence[pd.DataFrame], policies: Sequence[Policy]) -> int:
    """Count the hidden figures that somebody could work out who holds several written tables and joins them.

    Parameters
    ----------
    tables : sequence of Leaving
        With exact counts, to see whether the attack is right, and who is counted where: what an outsider knows from the headings.
    written : sequence of pandas.DataFrame
        The same tables as they left, or as they were read back: a whole number, a mark, or nothing.
    policies : sequence of Policy
        Of each table.

    Returns
    -------
    int
        How many counts that some table hides are narrowed to one number, or shown by another table.
    """
    cells, out = joined(tables), 0
    large = most(cells.exact)
    told = [_told(one, text, place, len(cells.exact)) for one, text, place in zip(tables, written, cells.places, strict=True)]
    hidden = np.any([marked for marked, _ in told], axis=0)
    for k in range(len(readings(policies[0], large))):
        low, high = np.zeros(len(cells.exact)), np.full(len(cells.exact), large)
        for (marked, shown), policy in zip(told, policies, strict=True):
            reading = readings(policy, large)[k]
            low[marked], high[marked] = np.maximum(low[marked], reading[0]), np.minimum(high[marked], reading[1])
            for i in np.flatnonzero(~np.isnan(shown)):
                least, greatest = policy.told(int(shown[i]))
                low[i], high[i] = max(low[i], least), min(high[i], greatest)
        found = _narrow(cells.exact, hidden, cells.relations, (low, high), 1)
        out, hidden = out + int(found.sum()), hidden & ~found
    return out


def _told(one: Leaving, text: pd.DataFrame, place: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Give, by count, whether a written table hides it, and the figure where it shows one."""
    marked, shown = np.zeros(size, dtype=bool), np.full(size, np.nan)
    for j, column in enumerate(one.counts):
        numbers = pd.to_numeric(text[column], errors="coerce").to_numpy(dtype=float)
        empty = (text[column].isna() | (text[column].astype(str) == "")).to_numpy()
        marked[place[np.isnan(numbers) & ~empty, j]] = True
        shown[place[~np.isnan(numbers), j]] = numbers[~np.isnan(numbers)]
    return marked, shown


def _narrow(
    exact: np.ndarray, cells: np.ndarray, relations: Sequence[Relation], told: tuple[np.ndarray, np.ndarray], width: int
) -> np.ndarray:
    """Say which cells the file narrows to less than a width around their true count; each table that fits is evidence for all cells."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    least, greatest = np.full(len(exact), np.inf), np.full(len(exact), -np.inf)
    adds = LinearConstraint(matrix_of(relations, len(exact)), 0, 0) if relations else ()
    for cell in np.flatnonzero(cells):
        for sign in (1.0, -1.0):
            if greatest[cell] - least[cell] >= width:
                break
            aim = np.zeros(len(exact))
            aim[cell] = sign
            found = milp(aim, constraints=adds, bounds=Bounds(*told), integrality=np.ones(len(exact)))
            if found.x is None:  # the mark cannot be read so
                return np.zeros(len(exact), dtype=bool)
            fits = np.round(found.x)
            least, greatest = np.minimum(least, fits), np.maximum(greatest, fits)
    return np.asarray(cells & (greatest - least < width) & (least <= exact) & (exact <= greatest))
