"""When a change acts: how far it has come in each period and draw.

In: the periods of a forecast and a `Change` with its dates, delay and probability. Out: its path from 0 (not begun) to 1 (whole). Refuses
nothing.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from demand.calendar import Frequency
from demand.scenario.case import WhatIf
from demand.scenario.change import Change
from demand.spec import stream
from demand.tables import frequency_of

__all__ = ["chosen", "dates", "happens", "paths", "phase"]

MONTH_DAYS = 365.25 / 12


def phase(ds: pd.DatetimeIndex, frequency: Frequency, change: Change, *, late_months: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Say how far a change has come in each period, from 0 (not begun) to 1 (whole).

    The change grows by the same step every day of its ramp, and is gone after its last day. A flow feels the average over the days of its
    period; a stock, counted at the end of the period, feels the last day.

    Parameters
    ----------
    ds : pandas.DatetimeIndex
    frequency : Frequency
    change : Change
    late_months : int
        How many months later than its `start` it begins.

    Returns
    -------
    flow, stock : numpy.ndarray
        Shape (periods,).
    """
    first, last = frequency.start_of(ds), frequency.end_of(ds)
    days = pd.date_range(first[0], last[-1], freq="D")
    start = pd.Timestamp(change.start) + pd.DateOffset(months=late_months) if change.start else days[0]
    passed = (days - start).days.to_numpy() + 1.0
    ramp = max(change.ramp_months * MONTH_DAYS, 1.0)
    size = np.clip(passed / ramp, 0.0, 1.0)
    if change.end:
        size[days > pd.Timestamp(change.end)] = 0.0
    begins, ends = (first - days[0]).days.to_numpy(), (last - days[0]).days.to_numpy()
    total = np.concatenate([[0.0], np.cumsum(size)])
    flow = (total[ends + 1] - total[begins]) / (ends + 1 - begins)
    whole = np.minimum.reduceat(size, begins) == 1.0
    return np.where(whole, 1.0, flow), size[ends]


def happens(case: WhatIf, change: Change) -> np.ndarray | None:
    """Say in which draws the change happens at all: shape (draws,), bool; None where that is certain."""
    draws = case.draws.sizes["draw"]
    there = np.ones(draws, dtype=bool)
    if change.probability is not None:
        likely = change.probability.draw(draws, seed=case.seed, name=f"probability {change.identity}")
        there &= stream(case.seed, "happens", change.identity).random(draws) < likely
    if change.variants:
        there &= chosen(case, change) < len(change.variants)
    return None if there.all() else there


def chosen(case: WhatIf, change: Change) -> np.ndarray:
    """Say which variant each draw takes, by position; the number of variants where it takes none and stays as forecast."""
    ends = np.cumsum([variant.probability for variant in change.variants.values()])
    ends[-1] = 1.0 if ends[-1] > 1 - 1e-9 else ends[-1]
    return np.searchsorted(ends, stream(case.seed, "variant", change.identity).random(case.draws.sizes["draw"]), side="right")


def paths(case: WhatIf, change: Change) -> dict[str, np.ndarray]:
    """Give the path of a change for flows and for stocks, in every draw.

    Returns
    -------
    dict of kind to numpy.ndarray
        Shape (periods, draws), or (periods, 1) where all draws have the same.
    """
    ds, frequency, draws = pd.DatetimeIndex(case.draws["ds"].to_numpy()), frequency_of(case.draws), case.draws.sizes["draw"]
    if change.delay is None:
        flow, stock = (path[:, None] for path in phase(ds, frequency, change))
    else:
        late = np.rint(change.delay.draw(draws, seed=case.seed, name=f"delay {change.identity}")).astype(int)
        months, which = np.unique(late, return_inverse=True)
        each = [phase(ds, frequency, change, late_months=int(month)) for month in months]
        flow, stock = (np.stack([pair[kind] for pair in each], axis=1)[:, which] for kind in (0, 1))
    there = happens(case, change)
    return {kind: path if there is None else path * there for kind, path in (("flow", flow), ("stock", stock))}


def dates(case: WhatIf, change: Change) -> dict[str, str]:
    """Say so where a change begins before the forecast or after it."""
    ds = pd.DatetimeIndex(case.draws["ds"].to_numpy())
    first, last = ds[0], frequency_of(case.draws).end_of(ds[-1:])[0]
    if change.start and change.delay is None and pd.Timestamp(change.start) > last:
        return {"": f"begins on {change.start}, after the forecast ends: changes nothing"}
    if change.end and pd.Timestamp(change.end) < first:
        return {"": f"ended on {change.end}, before the forecast begins: changes nothing"}
    if change.start and pd.Timestamp(change.start) < first:
        return {"": f"began on {change.start}, before the forecast: the history may already hold a part of it"}
    return {}
