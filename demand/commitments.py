"""Commitments: what those who are there now will go on to cost, and what new starts and known changes add.

In: a model of stocks from flow, how demand is forecast. Out: joint draws of people and pounds, and a table by item whose rows add up:
open now, new starts, each known change. New starts come from the forecast itself, made for the counts of starts. Refuses what these
refuse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from demand.caseload.known import KnownChange
from demand.caseload.model import STARTERS, Caseload
from demand.forecast import ForecastSpec, forecast
from demand.people import of_all
from demand.spec import stream

__all__ = ["TOTAL", "commitments", "drawn_starts", "shared_out"]

WITH_DRIVERS = ("lightgbm",)
"""Models of new starts that see drivers, where there are any: replay weighs them beside the others."""
TOTAL = "total"
"""The item that is the sum of the others."""


def drawn_starts(
    stocks: Caseload, last: pd.Timestamp, spec: ForecastSpec, *, seed: int, drivers: pd.DataFrame | None = None, jobs: int = 1
) -> np.ndarray:
    """Draw new starts from outside: all of them with the forecast engine, shared out as starts were of late.

    Parameters
    ----------
    stocks : Caseload
    last : pandas.Timestamp
        The last period that is known.
    spec : ForecastSpec
        Its horizon and draws; the models are the quick ones, of starts per head where it says so.
    seed, jobs : int
    drivers : pandas.DataFrame, optional
        DRIVERS, with their future: starts go with them as demand does.

    Returns
    -------
    numpy.ndarray
        Shape (series, periods, draws), whole numbers; a series in which nobody was ever seen to start has none.

    Notes
    -----
    What makes more people come makes more come to all series at once: series drawn one by one, and added up, are far too sure of their sum.
    The shares are as unsure as the starts they were counted from (a Dirichlet posterior: Gelman, A. et al. (2013). Bayesian Data Analysis,
    3rd edition, section 3.4).
    """
    total, weighed = stocks.all_starts(last)
    asked = ForecastSpec(
        horizon=spec.horizon, draws=spec.draws, models=[*STARTERS, *(WITH_DRIVERS if drivers is not None else ())], per=stocks.per
    )
    made = (
        forecast(total, asked, seed=seed, drivers=of_all(drivers, stocks.per, stocks.series), jobs=jobs)
        .draws.isel(series=0)
        .transpose("ds", "draw")
        .to_numpy()
    )
    shared = shared_out(np.rint(made), {i: w for i, w in zip(stocks.series.index, weighed, strict=True) if w > 0}, seed=seed)
    return np.stack([shared.get(i, np.zeros(made.shape)) for i in stocks.series.index])


def shared_out(total: np.ndarray, seen: Mapping[str, float], *, seed: int) -> dict[str, np.ndarray]:
    """Share new starts out among series, each by its own name: a series more takes from all and changes nothing else.

    Parameters
    ----------
    total : numpy.ndarray
        Shape (periods, draws), whole numbers.
    seen : mapping of str to float
        Starts that each series' share was counted from.
    seed : int

    Returns
    -------
    dict of str to numpy.ndarray
        Whole numbers that add up to `total`: multinomial, at shares drawn from the Dirichlet posterior.

    Notes
    -----
    Shares are gamma variates over their sum; a multinomial is one binomial after the other (Devroye, L. (1986). Non-Uniform Random Variate
    Generation, sections XI.4.1 and XI.1.4). Here they halve the series by the digits of a random number of each name, and each half's luck
    goes by its digits.
    """
    from scipy.stats import binom

    shares = {name: stream(seed, "caseload", "share", name).gamma(many, size=total.shape[1]) for name, many in seen.items()}
    places = {name: f"{int(stream(seed, 'caseload', 'place', name).integers(2**62)):062b}" for name in seen}
    shared, halves = {}, [("", list(seen), total)]
    while halves:
        begins, names, many = halves.pop()
        if len(names) == 1:
            shared[names[0]] = many
        if len(names) < 2:
            continue
        parts = [sorted(n for n in names if places[n][len(begins)] == digit) for digit in "01"]
        of = [np.sum([shares[n] for n in part], axis=0) for part in parts]
        first = many * bool(parts[0])
        if all(parts):
            luck = 1 - stream(seed, "caseload", "shares", begins).random(many.shape)
            first = binom.ppf(luck, many, of[0] / np.maximum(of[0] + of[1], 1e-300))
        halves += [(begins + "0", parts[0], first), (begins + "1", parts[1], many - first)]
    return shared


def commitments(
    stocks: Caseload,
    starts: np.ndarray,
    last: pd.Timestamp,
    *,
    seed: int,
    changes: Sequence[KnownChange] = (),
    trend: bool = True,
) -> tuple[xr.Dataset, xr.Dataset, pd.DataFrame]:
    """Draw people and pounds, and say what each part of them is.

    Parameters
    ----------
    stocks : Caseload
    starts : numpy.ndarray
        As `drawn_starts` gives them.
    last : pandas.Timestamp
    seed : int
    changes : sequence of KnownChange
    trend : bool
        Whether the price of new starts goes on growing as it did.

    Returns
    -------
    without, draws : xarray.Dataset
        people, weeks, pounds, committed_people, committed_pounds by series, ds and draw (see `demand.caseload.runoff`), without known
        changes and with them.
    table : pandas.DataFrame
        unique_id, ds, item, people, pounds, and for the total people_low, people_high, pounds_low, pounds_high (80 %). Without the total
        the items add up to it: each known change is what is different once it is known beside those before it.

    Raises
    ------
    DataError, ScenarioError
        Where a known change means more people than are there; where a selector matches no series.
    """
    without = now = stocks.draws(starts, last, seed=seed, trend=trend)
    new = (now.people - now.committed_people, now.pounds - now.committed_pounds)
    items = {"open now": (now.committed_people, now.committed_pounds), "new starts": new}
    for number, change in enumerate(changes, start=1):
        after = stocks.draws(starts, last, seed=seed, changes=changes[:number], trend=trend)
        label = f"known: {change.label}"
        label = f"{label} ({number})" if label in items else label
        items[label] = (after.people - now.people, after.pounds - now.pounds)
        now = after
    index = pd.MultiIndex.from_product([now["series"].to_numpy(), now["ds"].to_numpy()], names=["unique_id", "ds"]).to_frame(index=False)
    rows = [_means(index, item, people, pounds) for item, (people, pounds) in items.items()]
    ranges = {
        f"{name}_{end}": now[name].quantile(q, dim="draw").to_numpy().reshape(-1)
        for name in ("people", "pounds")
        for end, q in (("low", 0.1), ("high", 0.9))
    }
    rows.append(_means(index, TOTAL, now.people, now.pounds).assign(**ranges))
    return without, now, pd.concat(rows, ignore_index=True)


def _means(index: pd.DataFrame, item: str, people: xr.DataArray, pounds: xr.DataArray) -> pd.DataFrame:
    means = {name: part.mean("draw").to_numpy().reshape(-1) for name, part in (("people", people), ("pounds", pounds))}
    return index.assign(item=item, **means)
