"""What what-ifs are made from, and what one change alone makes of them.

In: the baseline's draws, scenarios, effects of drivers. Out: `WhatIf`, and `Applied`: the series that a change touches, with their new
draws. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import xarray as xr

from demand.scenario.change import Scenario
from demand.scenario.flows import Acting, Flows

__all__ = ["Applied", "Move", "WhatIf"]


@dataclass(frozen=True)
class WhatIf:
    """Everything that the what-ifs of one run are made from.

    Parameters
    ----------
    draws : xarray.DataArray
        DRAWS: the baseline.
    scenarios : sequence of Scenario
    seed : int
        The run's seed: sizes are drawn from it, the same for the same change in every scenario.
    effects : pandas.DataFrame, optional
        EFFECTS: unique_id, driver, draw, elasticity, observed_low, observed_high.
    drivers : pandas.DataFrame, optional
        DRIVERS: ds, name, value: to say where a driver would leave the range that was observed, and for populations.
    version : str
        What made the forecast; runs of other versions are not compared.
    flows : Flows, optional
        Stocks as they come about, for changes of entries, stay and moves.
    """

    draws: xr.DataArray = field(repr=False)
    scenarios: Sequence[Scenario] = ()
    seed: int = 1
    effects: pd.DataFrame | None = field(default=None, repr=False)
    drivers: pd.DataFrame | None = field(default=None, repr=False)
    version: str = ""
    flows: Flows | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Move:
    """People on their way: the share that leaves each series of `rows`, and for each the series where they arrive, with their shares."""

    rows: np.ndarray
    leaving: np.ndarray = field(repr=False)
    arrivals: tuple[tuple[np.ndarray, np.ndarray], ...] = field(repr=False)


@dataclass(frozen=True)
class Applied:
    """What one change alone does: the series that it touches and their new draws.

    Parameters
    ----------
    rows : numpy.ndarray
        Positions along the series.
    values : numpy.ndarray
        float64, shape (rows, periods, draws).
    active : numpy.ndarray
        bool, shape (rows, periods): where the change is at work.
    warnings : mapping of str to str
        By unique_id; '' for the change as a whole.
    move : Move, optional
        Of shifts: who goes where.
    ceiling : numpy.ndarray, optional
        Of caps: what all series together are held to, shape (draws,).
    weight : numpy.ndarray, optional
        Of caps: how far they have come, shape (rows, periods, draws), or one for all draws.
    prices : numpy.ndarray, optional
        By what the price of one is multiplied, in the shape of `values`.
    flow : Acting, optional
        Of entries, stay and moves: what is drawn again together with others of them.
    """

    rows: np.ndarray
    values: np.ndarray = field(repr=False)
    active: np.ndarray = field(repr=False)
    warnings: Mapping[str, str] = field(default_factory=dict)
    move: Move | None = None
    ceiling: np.ndarray | None = field(default=None, repr=False)
    weight: np.ndarray | None = field(default=None, repr=False)
    prices: np.ndarray | None = field(default=None, repr=False)
    flow: Acting | None = field(default=None, repr=False)
