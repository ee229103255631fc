"""Which further counts are hidden, so that no small one can be worked out from sums: the fewest that do, chosen by integer programming.

In: exact counts, which are hidden because they are small, and which cells add up. Out: which further ones are hidden, and which must be
withheld under a mark of their own because nothing else helps. Refuses nothing.

The model is cell suppression as in Fischetti and Salazar (2001), "Solving the cell suppression problem on tabular data with linear
constraints", Management Science 47: for each hidden count the file must leave another table possible in which it is another number; where
counts are shown exactly, two tables that lie as far apart as the policy hides. One integer programme (HiGHS) finds the cheapest cells.
The result is then attacked as an outsider would, and one cell more is asked for until the attack finds nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from demand.disclosure.additive import Relation
from demand.disclosure.attack import bounds_told, matrix_of, most, recovered
from demand.disclosure.policies import Policy

__all__ = ["further_hidden"]

MOST_ROUNDS = 40
MOST_VARIABLES = 4000
"""Of other tables in one programme: the rest waits for the next round."""
TOTALS_WEIGH = 3.0
"""A total is worth so many times what a cell is worth to its readers."""


@dataclass(frozen=True)
class _Table:
    exact: np.ndarray
    small: np.ndarray
    relations: list[Relation]
    policy: Policy


def further_hidden(exact: np.ndarray, small: np.ndarray, relations: Sequence[Relation], policy: Policy) -> tuple[np.ndarray, np.ndarray]:
    """Choose the counts that are hidden to protect small ones.

    Parameters
    ----------
    exact : numpy.ndarray
        Counts, one a cell.
    small : numpy.ndarray of bool
        Those that are hidden already.
    relations : sequence of Relation
    policy : Policy

    Returns
    -------
    hidden : numpy.ndarray of bool
        All that are hidden, the small ones among them.
    withheld : numpy.ndarray of bool
        Totals that must be left out altogether: even with all else hidden they would tell (four ones that are four).
    """
    hidden, withheld = small.copy(), np.zeros(len(exact), dtype=bool)
    for cells, own in _components(relations, len(exact)):
        if not small[cells].any():
            continue
        place = {cell: k for k, cell in enumerate(cells)}
        inner = [(place[t], tuple(place[p] for p in parts)) for t, parts in own]
        chosen, left_out = _protected(_Table(exact[cells], small[cells], inner, policy))
        hidden[cells], withheld[cells] = chosen, left_out
    return hidden, withheld


def _components(relations: Sequence[Relation], size: int) -> list[tuple[np.ndarray, list[Relation]]]:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = [(t, p) for t, parts in relations for p in parts]
    if not ends:
        return []
    rows, columns = np.array(ends).T
    _, label = connected_components(coo_array((np.ones(len(rows)), (rows, columns)), shape=(size, size)), directed=False)
    groups: dict[int, list[Relation]] = {}
    for relation in relations:
        groups.setdefault(int(label[relation[0]]), []).append(relation)
    return [(np.flatnonzero(label == name), own) for name, own in groups.items()]


def _protected(table: _Table) -> tuple[np.ndarray, np.ndarray]:
    hidden, withheld = table.small.copy(), np.zeros(len(table.exact), dtype=bool)
    need = recovered(table.exact, hidden, table.relations, table.policy)
    for _ in range(MOST_ROUNDS):
        if not need.any():
            return hidden, withheld
        if hidden.all():
            break
        more = _cheapest(table, hidden, need)
        hidden = more if more is not None and more.sum() > hidden.sum() else _one_more(table, hidden)
        need = recovered(table.exact, hidden, table.relations, table.policy)
    if need.any():
        hidden[:] = True
        withheld[[t for t, _ in table.relations]] = True
    return hidden, withheld


def _worth(table: _Table) -> np.ndarray:
    worth = np.log2(2.0 + table.exact)
    totals = sorted({t for t, _ in table.relations})
    worth[totals] *= TOTALS_WEIGH
    return worth


def _one_more(table: _Table, hidden: np.ndarray) -> np.ndarray:
    """Hide the least of those that are still shown."""
    more = hidden.copy()
    more[int(np.argmin(np.where(hidden, np.inf, _worth(table))))] = True
    return more


def _cheapest(table: _Table, hidden: np.ndarray, need: np.ndarray) -> np.ndarray | None:
    """Solve the programme: x says which shown cells are hidden, and each block z is another table that the file must leave possible."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import block_diag, coo_array, eye_array, hstack, vstack

    size, large = len(table.exact), most(table.exact)
    sides = (1, -1) if table.policy.round_to == 1 else (0,)
    goals = np.flatnonzero(need)[: max(1, MOST_VARIABLES // (size * len(sides)))]
    blocks = len(goals) * len(sides)
    low, high = bounds_told(table.exact, hidden, table.policy, (0.0, large))
    every = block_diag([coo_array(matrix_of(table.relations, size))] * blocks)
    sums = hstack([coo_array((every.shape[0], size)), every, coo_array((every.shape[0], len(goals)))])
    # z_i + low x_i >= low and z_i - (large - high) x_i <= high: where i is hidden nothing is left of its bounds.
    same, none = eye_array(size * blocks), coo_array((size * blocks, len(goals)))
    floor = hstack([vstack([coo_array(np.diag(low))] * blocks), same, none])
    ceiling = hstack([vstack([coo_array(np.diag(high - large))] * blocks), same, none])
    aims, least, greatest = _aims(table, goals, (size, blocks, large))
    count = size * (1 + blocks) + len(goals)
    lower, upper, whole, cost = np.zeros(count), np.full(count, large), np.zeros(count), np.zeros(count)
    upper[:size] = upper[size * (1 + blocks) :] = 1
    whole[:size] = whole[size * (1 + blocks) :] = 1
    lower[:size], cost[:size] = hidden, _worth(table)
    constraints = [
        LinearConstraint(sums.tocsc(), 0, 0),
        LinearConstraint(floor.tocsc(), np.tile(low, blocks), np.inf),
        LinearConstraint(ceiling.tocsc(), -np.inf, np.tile(high, blocks)),
        LinearConstraint(aims, least, greatest),
    ]
    found = milp(cost, constraints=constraints, bounds=Bounds(lower, upper), integrality=whole, options={"mip_rel_gap": 0.02})
    return None if found.x is None else np.asarray(np.round(found.x[:size]) > 0)


def _aims(table: _Table, goals: np.ndarray, sizes: tuple[int, int, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ask of the other tables that the count at which they aim is another one: above or below, or both as far apart as the policy hides."""
    size, blocks, large = sizes
    per = blocks // len(goals)
    rows = np.zeros((len(goals) * (3 - per), size * (1 + blocks) + len(goals)))
    least, greatest = np.full(len(rows), -np.inf), np.full(len(rows), np.inf)
    for g, p in enumerate(map(int, goals)):
        first, value = size * (1 + g * per) + p, float(table.exact[p])
        if per == 2:
            rows[g, first], rows[g, first + size] = 1, -1
            least[g] = table.policy.hide_below
            continue
        rows[2 * g : 2 * g + 2, first] = 1
        rows[2 * g : 2 * g + 2, size * (1 + blocks) + g] = large
        least[2 * g], greatest[2 * g + 1] = value + 1, value - 1 + large
    return rows, least, greatest
