"""Pounds by period of the forecast: by month, week or quarter, in place of the financial year.

In: `Cost`. Out: COST, an array that is made when it is asked for, and never kept. Refuses nothing.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from demand.budget.prices import Cost
from demand.calendar import FinancialYear, span_shares
from demand.scenario.application import price_factors
from demand.scenario.exposure import lengths

__all__ = ["by_period"]


def by_period(cost: Cost) -> xr.DataArray:
    """Give COST: float64 GBP, dims (scenario, series, ds, draw), the priced series; the periods of the forecast alone, without actuals.

    A period in which a price moves is paid at both prices, by days.
    """
    exposure, ids = cost.exposure, cost.years["series"].to_numpy()
    year, last = FinancialYear.of(exposure.ds[0], exposure.start_month), exposure.frequency.end_of(exposure.ds[-1:])[0]
    years = [
        FinancialYear(first, exposure.start_month) for first in range(year.first, FinancialYear.of(last, exposure.start_month).first + 1)
    ]
    place = {row: position for position, row in enumerate(exposure.series.index.get_indexer(ids))}
    ordered = cost.demand.transpose("scenario", "series", "ds", "draw").to_numpy()
    factors = price_factors(cost.demand)
    pounds = np.zeros((ordered.shape[0], len(ids), *ordered.shape[2:]))
    for part in cost.parts:
        spans = part.cost.spans(years)
        rate = span_shares(exposure.ds, exposure.frequency, spans) @ part.span_prices(spans)
        if part.per is not None:
            rate *= lengths(exposure.ds, exposure.frequency, part.per)[:, None]
        rows = [place[row] for row in part.rows]
        for position in range(ordered.shape[0]):
            values = ordered[position, part.rows]
            there = values if part.per is None else exposure.average(values, part.rows)
            there = there if part.times is None else there * part.times
            if factors is not None and not part.cost.on_top:
                there = there * factors[position, part.rows]
            pounds[position, rows] += rate * there
    coords = {n: c for n, c in cost.demand.coords.items() if len(c.dims) < 2 and c.dims != ("series",)}
    about = {n: c for n, c in cost.years.coords.items() if c.dims == ("series",)}
    return xr.DataArray(
        pounds, dims=("scenario", "series", "ds", "draw"), coords={**coords, **about}, attrs=dict(cost.years.attrs), name="cost"
    )
