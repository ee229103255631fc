"""Changes of who comes, how long they stay or where they move, and what they do to stocks and to the price of a place.

In: `Acting` changes of entries, stay or moves, and `Flows`: the stocks as they come about, with the futures that the forecast is joined to.
Out: how many more are there, and by what prices are multiplied. Refuses changes of stocks that nobody follows person by person.

People are drawn again under the changes, all at once, and each with the same random numbers. What differs is added to the forecast of the
same future, and the price of a place moves as it does there; where and as long as nothing has begun, nothing differs, to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import xarray as xr

from demand.caseload.known import KnownChange
from demand.caseload.levers import Lever
from demand.caseload.model import Caseload
from demand.course import price_of
from demand.errors import Fault, ScenarioError, listed
from demand.scenario.change import Change
from demand.spec import fingerprint
from demand.tables import match

__all__ = ["Acting", "Flows"]


@dataclass(frozen=True)
class Acting:
    """One change of flows, as it was drawn.

    Parameters
    ----------
    change : Change
    factor : numpy.ndarray
        Shape (series of the run-off, periods, draws): by what entries, stays or moves are multiplied.
    at : str
        The place in the config.
    """

    change: Change
    factor: np.ndarray = field(repr=False)
    at: str


@dataclass(frozen=True)
class Flows:
    """Stocks as they come about.

    Parameters
    ----------
    stocks : Caseload
    run_off : xarray.Dataset
        RUN_OFF in the futures of the forecast (`demand.course.joined`).
    last : pandas.Timestamp
        The last period that is known.
    seed : int
    known : sequence of KnownChange
        Those that the run-off was made with.
    trend : bool
        Whether it was made with the trend of prices of new starts.
    """

    stocks: Caseload = field(repr=False)
    run_off: xr.Dataset = field(repr=False)
    last: pd.Timestamp
    seed: int
    known: Sequence[KnownChange] = ()
    trend: bool = True
    _seen: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict, repr=False, compare=False)

    def under(self, acting: Sequence[Acting]) -> tuple[np.ndarray, np.ndarray]:
        """Say how many more are there, and by what the price of a place is multiplied, under changes that act together.

        Parameters
        ----------
        acting : sequence of Acting
            Two that act on the same people multiply.

        Returns
        -------
        more, times : numpy.ndarray
            Shape (series of the run-off, periods, draws).

        Raises
        ------
        ScenarioError
            Where moves to no series are meant.
        """
        mark = fingerprint(sorted(one.change.fingerprint for one in acting))
        if mark not in self._seen:
            run = self.run_off.run.to_numpy()
            back = np.argsort(run)
            order = list(self.stocks.series.index)
            starts = self.run_off.starts.sel(series=order).transpose("series", "ds", "draw").to_numpy()[:, :, back]
            levers = [Lever(one.change.effect, one.factor[:, :, back], self._towards(one)) for one in acting]
            drawn = self.stocks.draws(starts, self.last, seed=self.seed, levers=levers, changes=self.known, trend=self.trend)
            was = self.run_off.sel(series=order)
            people, price = (part.transpose("series", "ds", "draw").to_numpy()[:, :, run] for part in (drawn.people, price_of(drawn)))
            ratio = price / was.price.transpose("series", "ds", "draw").to_numpy()
            more = people - was.people.transpose("series", "ds", "draw").to_numpy()
            begun = np.logical_or.accumulate(np.any([(one.factor != 1).any(axis=0) for one in acting], axis=0), axis=0)
            ratio = np.where(begun & np.isfinite(ratio) & (ratio > 0), ratio, 1.0)
            self._seen[mark] = np.where(begun, more, 0.0), ratio
        return self._seen[mark]

    def _towards(self, one: Acting) -> np.ndarray | None:
        return match(self.stocks.series, one.change.to, at=f"{one.at}.to") if one.change.to else None

    def place(self, ids: Sequence[str], *, change: Change, at: str) -> np.ndarray:
        """Give the positions of series in the run-off; -1 where they are not in it.

        Raises
        ------
        ScenarioError
            Where none of them is.
        """
        found = self.stocks.series.index.get_indexer(list(ids))
        if (found < 0).all():
            fault = Fault(
                f"'effect: {change.effect}' acts on stocks that are followed person by person, and {listed(ids)} are not",
                at, f"One or more of {listed(self.stocks.series.index)}", "Name them under 'where'",
            )  # fmt: skip
            raise ScenarioError(fault)
        return np.asarray(found)
