"""What was used, and what it came to, in financial years that are over.

In: `Cost` and the history before the forecast, without declared totals. Out: `Past`: volumes by series and year, and pounds
by line. Years of which a period was not counted cannot be told: they are NaN, never filled. Refuses nothing that was not refused before.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from demand.budget.lines import TOTAL, BudgetSpec
from demand.budget.prices import Cost, Part
from demand.calendar import FinancialYear, Frequency, average_stock, year_shares
from demand.scenario.exposure import lengths
from demand.tables import History, match

__all__ = ["Past", "line_of", "past"]


@dataclass(frozen=True)
class Past:
    """What was used in each financial year that was counted whole.

    Parameters
    ----------
    years : tuple of FinancialYear
        In order of time.
    series : pandas.DataFrame
        The series, as `History.series` has them; those that ended are among them.
    parts : tuple of Part
        The unit costs.
    """

    years: tuple[FinancialYear, ...]
    series: pd.DataFrame = field(repr=False)
    parts: tuple[Part, ...] = field(repr=False)
    _ds: pd.DatetimeIndex = field(repr=False)
    _frequency: Frequency = field(repr=False)
    _counts: np.ndarray = field(repr=False)
    _shares: np.ndarray = field(repr=False)

    @property
    def labels(self) -> list[str]:
        """The financial years."""
        return [str(year) for year in self.years]

    def rows(self, part: Part) -> np.ndarray:
        """Give the positions of the series that a unit cost is paid for."""
        kind = "flow" if part.per is None else "stock"
        meant = match(self.series, part.cost.where, at=f"costs > {part.cost.name} > where")
        return np.flatnonzero(meant & (self.series["kind"] == kind).to_numpy())

    def quantity(self, rows: np.ndarray, *, per: str | None) -> np.ndarray:
        """Say how many came (flow: `per` is None), or how much person-time was lived through (stock), as `Exposure.quantity` does.

        Returns
        -------
        numpy.ndarray
            Shape (rows, years); NaN where a period of the year was not counted.
        """
        values, weights = self._counts[rows], self._shares
        if per is not None:
            before = np.concatenate([np.full((len(rows), 1), np.nan), values[:, :-1]], axis=1)
            values, weights = average_stock(values, before), weights * lengths(self._ds, self._frequency, per)[:, None]
        quantity = np.where(np.isnan(values), 0.0, values) @ weights
        quantity[np.isnan(values).astype(float) @ (weights > 0) > 0] = np.nan
        return np.asarray(quantity)

    def spent(self, spec: BudgetSpec) -> pd.DataFrame:
        """Give volume x price in GBP at the expected price of each year: a row a line, then `TOTAL`, and a column a year.

        The total is that of the lines; without lines, of all that is priced. NaN where a series of the line was not counted in the year.
        """
        owners, names = line_of(self.series, spec), [line.name for line in spec.lines]
        table = pd.DataFrame(0.0, index=[*names, TOTAL], columns=self.labels)
        for part in self.parts:
            rows = self.rows(part)
            pounds = self.quantity(rows, per=part.per) * part.prices(self.years).mean(axis=1)
            for name in names:
                table.loc[name] += pounds[(owners.iloc[rows] == name).to_numpy()].sum(axis=0)
            if not names:
                table.loc[TOTAL] += pounds.sum(axis=0)
        if names:
            table.loc[TOTAL] = table.loc[names].sum(skipna=False)
        return table


def past(cost: Cost, history: History) -> Past:
    """Say what was used in the financial years that were counted whole.

    Parameters
    ----------
    cost : Cost
    history : History
        Without declared totals, which would be counted twice. After the last count of a series that ended (it is forecast no longer) nobody
        was there any more; other gaps stay gaps, also the last months of a series that is late.

    Returns
    -------
    Past
    """
    start, frequency, wide = cost.exposure.start_month, history.frequency, history.wide
    ds = pd.DatetimeIndex(wide.index)
    shares, days = year_shares(ds, frequency, start), frequency.days_in(ds)
    found = [FinancialYear.parse(str(label), start) for label in shares.columns]
    whole = tuple(y for y in found if round(float(shares[str(y)] @ days)) == (y.end - y.start).days + 1)
    late = cost.exposure.series.index.difference(cost.demand.attrs.get("ended", []))
    counts = wide.mask(wide.bfill().isna() & ~wide.columns.isin(late), 0.0).to_numpy(dtype=float).T
    return Past(whole, history.series, cost.parts, ds, frequency, counts, shares[[str(y) for y in whole]].to_numpy())


def line_of(series: pd.DataFrame, spec: BudgetSpec) -> pd.Series:
    """Name the budget line of each series; "" where it belongs to none."""
    owners = pd.Series("", index=series.index, dtype=object)
    for line in (line for line in spec.lines if not line.items_only):
        owners[match(series, line.where, at=f"budget > lines > {line.name} > where")] = line.name
    return owners
