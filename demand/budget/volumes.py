"""How much each budget line uses, at which price, and what of it moves the pounds from one financial year to another.

In: `Cost`, the budget's lines, and what was counted before (`Past`). Out: `Volumes`, the last year that was counted beside those of the
forecast. Refuses selectors that match nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd

from demand.budget.lines import TOTAL, BudgetSpec
from demand.budget.past import Past, line_of
from demand.budget.prices import Cost
from demand.calendar import FinancialYear, year_shares
from demand.scenario import BASELINE
from demand.tables import match

__all__ = ["MIX", "PRICE", "STARTS", "STAY", "VOLUME", "Volumes", "shapley", "volumes_of"]

STARTS, STAY, VOLUME, MIX, PRICE = "starts", "length of stay", "volume", "mix", "price"
"""Why the pounds of the forecast itself move. Volume is starts and length of stay together, where only how many are there is counted."""


@dataclass(frozen=True)
class _Group:
    """What is counted in the same unit: the line of each row (a series and its unit cost), its volume and its price in each year."""

    lines: np.ndarray
    used: np.ndarray = field(repr=False)
    """Shape (rows, years, draws)."""
    prices: np.ndarray = field(repr=False)
    stock: bool


@dataclass(frozen=True)
class Volumes:
    """How much each line uses, and at which price, in the last year that was counted (where it was) and in those of the forecast."""

    labels: tuple[str, ...]
    groups: tuple[_Group, ...]
    starts: Mapping[str, np.ndarray] = field(repr=False)
    """By line, where it says what its starts are: shape (years, draws)."""

    def pounds(self, line: str, y: int) -> np.ndarray:
        """Give volume x price in GBP by draw."""
        return np.asarray(sum((g.used[m, y] * g.prices[m, y]).sum(axis=0) for g in self.groups for m in [_of(g, line)]))

    def reasons(self, line: str, y: int, z: int) -> dict[str, np.ndarray]:
        """Give what starts and length of stay (or volume), mix and price do between two years, in GBP by draw."""
        found: dict[str, np.ndarray] = {}
        for group in self.groups:
            mine = _of(group, line)
            if not mine.any():
                continue
            volumes = [group.used[mine, i].sum(axis=0) for i in (y, z)]
            shares = [_ratio(group.used[mine, i], volumes[n]) for n, i in enumerate((y, z))]
            shares = [np.where(volumes[n] > 0, shares[n], shares[1 - n]) for n in (0, 1)]
            names = [VOLUME if group.stock else STARTS, MIX, PRICE]
            sides = [[volumes[n], shares[n], group.prices[mine, i]] for n, i in enumerate((y, z))]
            starts = self.starts.get(line)
            if starts is not None and group.stock and (starts[[y, z]] > 0).all():
                names = [STARTS, STAY, MIX, PRICE]
                sides = [[starts[i], volumes[n] / starts[i], *sides[n][1:]] for n, i in enumerate((y, z))]
            for name, amount in zip(names, shapley(*sides), strict=True):
                found[name] = found.get(name, 0.0) + amount.sum(axis=0)
        return found


def _of(group: _Group, line: str) -> np.ndarray:
    return np.asarray((group.lines == line) | (line == TOTAL))


def _ratio(amounts: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(amounts, whole, out=np.zeros_like(amounts), where=whole > 0))


def volumes_of(cost: Cost, behind: Past, spec: BudgetSpec, came: pd.DataFrame | None = None) -> Volumes:
    """Put the last year that was counted before the years of the forecast.

    Parameters
    ----------
    cost : Cost
    behind : Past
        That year is left out where not all of it was counted.
    spec : BudgetSpec
    came : pandas.DataFrame, optional
        unique_id, ds, starts: who came into each stock from outside, counted and then expected; for lines that do not name their `starts`.
    """
    first = FinancialYear.parse(cost.labels[0], cost.exposure.start_month) if cost.labels else None
    base = [y for y in behind.years if first is not None and y.next == first]
    years = [*base, *cost.exposure.years]
    values = cost.demand.sel(scenario=BASELINE).transpose("series", "ds", "draw").to_numpy()

    def used(rows: np.ndarray, ahead: np.ndarray, per: str | None) -> tuple[pd.Index, np.ndarray]:
        """Put what was counted before what is forecast; a series that is in one of the two only is zero in the other."""
        ids = [behind.series.index[rows], cost.exposure.series.index[ahead]]
        every = ids[1].union(ids[0], sort=False)
        amounts = np.zeros((len(every), len(years), values.shape[2]))
        if base:
            amounts[every.get_indexer(ids[0]), 0] = behind.quantity(rows, per=per)[:, [behind.years.index(base[0])]]
        amounts[every.get_indexer(ids[1]), len(base) :] = cost.exposure.quantity(values[ahead], ahead, per=per)
        return every, amounts

    owners: dict[str, str] = {**line_of(behind.series, spec), **line_of(cost.exposure.series, spec)}
    groups: dict[tuple[str, str | None], list[_Group]] = {}
    for part in cost.parts:
        ids, amounts = used(behind.rows(part), part.rows, part.per)
        mine, prices = np.array([owners[str(i)] for i in ids], dtype=object), np.broadcast_to(part.prices(years), amounts.shape).copy()
        # Where a price moves within a year, what was paid for one is the pounds of the year over its volume.
        at = np.ix_(ids.get_indexer(cost.exposure.series.index[part.rows]), np.arange(len(base), len(years)))
        pounds = part.pounds(part.quantity(cost.exposure, values[part.rows], part.rows), cost.exposure.years)
        prices[at] = np.divide(pounds, amounts[at], out=prices[at], where=amounts[at] > 0)
        groups.setdefault((part.cost.counted, part.per), []).append(_Group(mine, amounts, prices, part.per is not None))
    starts = {}
    for line in (line for line in spec.lines if line.starts):
        where = f"budget > lines > {line.name} > starts"
        counted, coming = (np.flatnonzero(match(s, line.starts, at=where)) for s in (behind.series, cost.exposure.series))
        starts[line.name] = used(counted, coming, None)[1].sum(axis=0)
    if came is not None:
        starts = {**_starts(came, owners, cost, years), **starts}
    return Volumes(tuple(map(str, years)), tuple(_joined(several) for several in groups.values()), starts)


def _starts(came: pd.DataFrame, owners: Mapping[str, str], cost: Cost, years: Sequence[FinancialYear]) -> dict[str, np.ndarray]:
    """Add starts up by line and year, the same in every draw: shape (years, draws); NaN for a year of which a period is not known."""
    line = came["unique_id"].map(owners).fillna("")
    wide = came.assign(line=line).pivot_table(
        index="ds", columns="line", values="starts", aggfunc=lambda s: s.sum(skipna=False), dropna=False
    )
    ds = pd.DatetimeIndex(wide.index)
    shares = year_shares(ds, cost.exposure.frequency, cost.exposure.start_month)
    days = shares.mul(cost.exposure.frequency.days_in(ds), axis=0).sum()
    found: dict[str, np.ndarray] = {}
    for name in (str(n) for n in wide.columns if n):
        whole = [str(y) in days and round(days[str(y)]) == (y.end - y.start).days + 1 for y in years]
        parts = {str(y): shares[str(y)][shares[str(y)] > 0] for y, ok in zip(years, whole, strict=True) if ok}
        by_year = [float(wide.loc[parts[str(y)].index, name] @ parts[str(y)]) if str(y) in parts else np.nan for y in years]
        found[name] = np.repeat(np.array(by_year)[:, None], cost.years.sizes["draw"], axis=1)
    return found


def _joined(several: Sequence[_Group]) -> _Group:
    lines, used, prices = (np.concatenate([getattr(g, name) for g in several]) for name in ("lines", "used", "prices"))
    return _Group(lines, used, prices, several[0].stock)


def shapley(before: Sequence[np.ndarray], after: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Share the change of a product out among its factors; what several do together is shared equally.

    Parameters
    ----------
    before, after : sequence of numpy.ndarray
        The factors, in shapes that can be multiplied.

    Returns
    -------
    list of numpy.ndarray
        What each factor does; they add up to the product of `after` less that of `before`.

    Notes
    -----
    The Shapley value of the factors, which is the complete decomposition of Sun (1998): nothing is left over, and no order is chosen.

    References
    ----------
    Sun, J. W. (1998). Changes in energy consumption and energy intensity: a complete decomposition model. Energy Economics 20(1), 85-100.

    Examples
    --------
    >>> [float(x) for x in shapley([np.array(10.0), np.array(2.0)], [np.array(12.0), np.array(3.0)])]
    [5.0, 11.0]
    """
    count, found = len(before), []
    for k in range(count):
        others = [i for i in range(count) if i != k]
        total = np.array(0.0)
        for size in range(count):
            weight = factorial(size) * factorial(count - 1 - size) / factorial(count)
            for moved in combinations(others, size):
                product = np.array(weight)
                for i in others:
                    product = product * (after[i] if i in moved else before[i])
                total = total + product
        found.append(np.asarray(total * (after[k] - before[k])))
    return found
