"""The course of prices: what a place costs as those who are there leave and others start, in the same futures as the forecast.

In: DRAWS, and a run-off of the same stocks with and without known changes. Out: DRAWS with known changes in them, RUN_OFF (in
run_off.parquet), and `Course`, by which prices are multiplied. Refuses nothing.

The forecast says how many are there, weighing the run-off and other models; the run-off says what they cost. People are the forecast's in
every future; the price of one of them in a period is the run-off's pounds over its person-weeks. So that dear futures stay dear, each
future of the forecast is joined to one of the run-off: that of the same rank by people, each weighed by what a place of its series costs
today. The run-off's futures are kept whole, so what hangs together over series and time goes on doing so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

__all__ = ["RUN_OFF", "Course", "joined", "price_of", "run_off_table", "with_known"]

RUN_OFF = ["unique_id", "ds", "draw", "run", "starts", "people", "price", "known", "price_without", "people_now", "pounds_now"]
"""The columns of run_off.parquet. `run` is the run-off's number of the future, people and starts its counts, price what one place costs
(GBP a week, before any uplift), known how many more are there for the known changes, price_without what a place would cost without these;
people_now and pounds_now (a week) on the last day that is known."""


def joined(draws: xr.DataArray, starts: np.ndarray, without: xr.Dataset, after: xr.Dataset) -> xr.Dataset:
    """Join the futures of a run-off to those of the forecast.

    Parameters
    ----------
    draws : xarray.DataArray
        DRAWS: the forecast, without known changes.
    starts : numpy.ndarray
        Shape (series, periods, draws): the new starts that the run-off was made from.
    without, after : xarray.Dataset
        As `Caseload.draws` gives them without and with known changes, of as many draws as the forecast.

    Returns
    -------
    xarray.Dataset
        The columns of `RUN_OFF`, dims series, ds, draw (the forecast's).

    References
    ----------
    Clark, M. et al. (2004). The Schaake shuffle. Journal of Hydrometeorology 5(1), 243-262: futures of two sources joined by rank.
    """
    ids = [i for i in after["series"].to_numpy() if i in set(draws["series"].to_numpy())]
    weight = (after.pounds_now / after.people_now.where(after.people_now > 0)).sel(series=ids)
    weight = weight.fillna(weight.mean() if bool(weight.notnull().any()) else 1.0)
    mine, theirs = ((a.sel(series=ids) * weight).sum(("series", "ds")).to_numpy() for a in (draws, without.people))
    run = np.empty(len(mine), dtype=int)
    run[np.argsort(mine, kind="stable")] = np.argsort(theirs, kind="stable")
    found = {"starts": after.people.copy(data=starts), "people": after.people, "price": price_of(after), "price_without": price_of(without)}
    before = draws.reindex(series=after["series"].to_numpy(), fill_value=0.0).transpose("series", "ds", "draw").to_numpy().astype(float)
    more = (after.people - without.people).where(after["series"].isin(ids), 0.0).isel(draw=run).to_numpy()
    known = np.maximum(before + more, 0.0) - before  # nobody falls below zero
    table = xr.Dataset(found).isel(draw=run).assign_coords(draw=draws["draw"].to_numpy())
    return table.assign(
        known=(("series", "ds", "draw"), known), run=("draw", run), people_now=after.people_now, pounds_now=after.pounds_now
    )


def with_known(draws: xr.DataArray, run_off: xr.Dataset, *, times: int = 1) -> xr.DataArray:
    """Give DRAWS with the known changes of a run-off in them; `times` -1 takes them out again."""
    there = {name: draws[name].to_numpy() for name in draws.dims}
    more = run_off.known.reindex(there, fill_value=0.0).transpose(*draws.dims).to_numpy()
    return draws.copy(data=np.maximum(draws.to_numpy() + times * more, 0.0).astype(draws.dtype))


def run_off_table(run_off: xr.Dataset) -> pd.DataFrame:
    """Give run_off.parquet."""
    return run_off.to_dataframe(dim_order=["series", "ds", "draw"]).reset_index().rename(columns={"series": "unique_id"})[RUN_OFF]


@dataclass(frozen=True)
class Course:
    """How the price of a place moves beside today's.

    Parameters
    ----------
    price : xarray.DataArray
        GBP a week, dims series, ds, draw; NaN where no price is known.
    people, pounds : xarray.DataArray
        Who is there on the last day that is known, and what they cost a week, by series; NaN where no price is known.
    grows : bool
        Whether the price of new starts goes on growing in it as it did: a price with an uplift of its own must then not follow it too.
    """

    price: xr.DataArray
    people: xr.DataArray
    pounds: xr.DataArray
    grows: bool = False

    @classmethod
    def of(cls, run_off: xr.Dataset, *, known: bool = True, grows: bool = False) -> Course:
        """Take it from a run-off, with its known changes or without them."""
        return cls(run_off.price if known else run_off.price_without, run_off.people_now, run_off.pounds_now, grows)

    def times(self, ids: pd.Index, ds: pd.DatetimeIndex, draws: int) -> np.ndarray | None:
        """Give by what a price of some series is multiplied; None where none of them has a course.

        Parameters
        ----------
        ids : pandas.Index
            The series that one price is paid for.
        ds : pandas.DatetimeIndex
        draws : int

        Returns
        -------
        numpy.ndarray or None
            Shape (series, periods, draws): the price beside what all who are there today in these series cost on average; 1 where nothing
            is known. Periods before or after its own take the nearest.
        """
        priced = set(self.pounds["series"].to_numpy()[self.pounds.notnull().to_numpy()])
        mine = [i for i in ids if i in priced]
        price = self.price.sel(series=mine).reindex(ds=ds, method="nearest").isel(draw=np.arange(draws) % self.price.sizes["draw"])
        people, pounds = (float(of.sel(series=mine).sum()) for of in (self.people, self.pounds))
        today = pounds / people if people else float(price.isel(ds=0).mean()) if mine else np.nan
        if not mine or not np.isfinite(today) or today <= 0:
            return None
        found = np.ones((len(ids), len(ds), draws))
        relative = price.transpose("series", "ds", "draw").to_numpy() / today
        found[ids.get_indexer(mine)] = np.where(np.isfinite(relative), relative, 1.0)
        return found


def price_of(of: xr.Dataset) -> xr.DataArray:
    """Give pounds over person-weeks; where nobody is there in a future, the price of all futures, else that of the period before."""
    weeks = of.weeks.where(of.weeks > 0)
    every = (of.pounds.sum("draw", skipna=False) / weeks.sum("draw")).transpose("series", "ds")
    price: xr.DataArray = (of.pounds / weeks).fillna(every.copy(data=every.to_pandas().ffill(axis=1).to_numpy()))
    return price.transpose(*of.people.dims)
