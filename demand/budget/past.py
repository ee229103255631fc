"""What was used, and what it came to, in financial years that are over.

In: `Cost` and the history before the forecast, without declared totals. Out: `Past`: volumes by unit cost, series and year, and pounds
by line. Years of which a period was not counted cannot be told: they are NaN, never filled. Refuses nothing that was not refused before.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from demand.budget.lines import TOTAL, BudgetSpec
from demand.budget.prices import Cost, Part
from demand.calendar import FinancialYear, average_stock, year_shares
from demand.scenario.exposure import lengths
from demand.tables import History, match

__all__ = ["Past", "line_of", "past"]


@dataclass(frozen=True)
class Past:
    """What was used in each financial year that was counted whole and lies before the forecast.

    Parameters
    ----------
    years : tuple of FinancialYear
        In order of time.
    series : pandas.DataFrame
        The series, as `History.series` has them; those that ended are among them.
    volumes : tuple of (Part, pandas.Index, numpy.ndarray)
        For each unit cost the series that it is paid for, and how many came (flow) or how much person-time was lived through (stock),
        in the unit of the price: shape (series, years), NaN where a period was not counted.
    """

    years: tuple[FinancialYear, ...]
    series: pd.DataFrame = field(repr=False)
    volumes: tuple[tuple[Part, pd.Index, np.ndarray], ...] = field(repr=False)

    @property
    def labels(self) -> list[str]:
        """The financial years."""
        return [str(year) for year in self.years]

    def spent(self, spec: BudgetSpec) -> pd.DataFrame:
        """Give volume x price in GBP at the expected price of each year: a row a line, then `TOTAL`, and a column a year.

        The total is that of the lines; without lines, of all that is priced. NaN where a series of the line was not counted in the year.
        """
        owners, names = line_of(self.series, spec), [line.name for line in spec.lines]
        table = pd.DataFrame(0.0, index=[*names, TOTAL], columns=self.labels)
        for part, ids, quantity in self.volumes:
            pounds = quantity * part.prices(self.years).mean(axis=1)
            for name in names:
                table.loc[name] += pounds[(owners[ids] == name).to_numpy()].sum(axis=0)
            if not names:
                table.loc[TOTAL] += pounds.sum(axis=0)
        if names:
            table.loc[TOTAL] = table.loc[names].sum(skipna=False)
        return table


def past(cost: Cost, history: History) -> Past:
    """Say what was used in the financial years before the forecast that were counted whole.

    Parameters
    ----------
    cost : Cost
    history : History
        Without declared totals, which would be counted twice.

    Returns
    -------
    Past
    """
    start, frequency = cost.exposure.start_month, history.frequency
    wide, ds = history.wide, pd.DatetimeIndex(history.wide.index)
    shares, days = year_shares(ds, frequency, start), frequency.days_in(ds)
    found = [FinancialYear.parse(str(label), start) for label in shares.columns]
    whole = [y for y in found if round(float(shares[str(y)] @ days)) == (y.end - y.start).days + 1]
    weights = shares[[str(y) for y in whole]].to_numpy()
    counts = _with_ends(wide).to_numpy().T
    before = np.concatenate([np.full((len(counts), 1), np.nan), counts[:, :-1]], axis=1)
    volumes = []
    for part in cost.parts:
        kinds = "flow" if part.per is None else "stock"
        rows = np.flatnonzero(match(history.series, part.cost.where, at="costs") & (history.series["kind"] == kinds).to_numpy())
        values = counts[rows] if part.per is None else average_stock(counts[rows], before[rows])
        weighed = weights if part.per is None else weights * lengths(ds, frequency, part.per)[:, None]
        quantity = np.where(np.isnan(values), 0.0, values) @ weighed
        quantity[np.isnan(values).astype(float) @ (weights > 0) > 0] = np.nan
        volumes.append((part, history.series.index[rows], quantity))
    return Past(tuple(whole), history.series, tuple(volumes))


def line_of(series: pd.DataFrame, spec: BudgetSpec) -> pd.Series:
    """Name the budget line of each series; "" where it belongs to none. A line that matches none of them has none."""
    owners = pd.Series("", index=series.index, dtype=object)
    for line in spec.lines:
        owners[match(series, line.where, at=f"budget > lines > {line.name} > where")] = line.name
    return owners


def _with_ends(wide: pd.DataFrame) -> pd.DataFrame:
    """Put zero after the last count of a series that ended: nobody was there any more. Other gaps stay gaps."""
    return wide.mask(wide.bfill().isna(), 0.0)
