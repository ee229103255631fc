"""Why a forecast is what it is: the parts of every model, weighted, adding up to the forecast's mean; and how steady the drivers are.

In: a `Forecast`; a history with drivers. Out: explanation.parquet: unique_id, ds, model, feature, value, contribution; driver_windows.csv.
Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from demand.effects import Sign, estimate_effects
from demand.forecast import Forecast
from demand.tables import History

__all__ = ["WINDOWS", "driver_windows", "explain", "sizes"]

WINDOWS = ("with other random numbers", "without the last year", "without the last two years")
"""How drivers are estimated anew."""


def explain(forecast: Forecast) -> pd.DataFrame:
    """Give the parts of a forecast, row by row.

    Parameters
    ----------
    forecast : Forecast

    Returns
    -------
    pandas.DataFrame
        unique_id, ds, model, feature, value, contribution; sorted by series and period. For each series and period all contributions add
        up to the mean of the draws (1e-6): rows of each model already carry its weight; 'combined' has the events ahead, 'known changes'
        (what somebody knows of people to come or to leave), 'reconciliation' (what making levels agree changed) and 'calibration' (the
        mean of the draws less the weighted mean: counts cannot be negative).
    """
    draws = forecast.draws
    index = pd.MultiIndex.from_product([draws["series"].to_numpy(), draws["ds"].to_numpy()], names=["unique_id", "ds"])
    mean = pd.Series(draws.transpose("series", "ds", "draw").to_numpy().astype(np.float64).mean(axis=2).reshape(-1), index=index)
    told = forecast.components.groupby(["unique_id", "ds"])["contribution"].sum().reindex(index)
    rest = {"calibration": mean - told}
    if not (forecast.components["feature"] == "reconciliation").any():
        rest["reconciliation"] = mean * 0.0
    rows = [
        values.rename("contribution").reset_index().assign(model="combined", feature=name, value=np.nan) for name, values in rest.items()
    ]
    table = pd.concat([forecast.components, *rows], ignore_index=True)[list(forecast.components.columns)]
    return table.sort_values(["unique_id", "ds"], kind="stable", ignore_index=True)


def driver_windows(
    history: History, drivers: pd.DataFrame, *, draws: int, seed: int, signs: Mapping[str, Sign] | None = None
) -> pd.DataFrame:
    """Say how the order of drivers changes when they are estimated with other random numbers, or from less history.

    Parameters
    ----------
    history : History
        Cleaned of events.
    drivers : pandas.DataFrame
        ds, name, value.
    draws : int
    seed : int
    signs : mapping of str to "positive" or "negative", optional

    Returns
    -------
    pandas.DataFrame
        window, driver, elasticity (the mean over series and draws), does (`sizes`, the mean over draws), place (1 goes with most).
    """
    years, rows = round(history.frequency.per_year), []
    ends = sorted(history.table["ds"].unique())
    for window, back, other in zip(WINDOWS, (0, years, 2 * years), (1, 0, 0), strict=True):
        if len(ends) - back < 2 * years:
            continue
        seen = history.until(pd.Timestamp(ends[len(ends) - 1 - back]))
        effects = estimate_effects(seen, drivers, draws=draws, seed=seed + other, signs=signs)
        does = sizes(effects).mean()
        mean = effects.groupby("driver")["elasticity"].mean()
        places = does.rank(ascending=False, method="first")
        rows += [(window, str(n), float(mean[n]), float(does[n]), int(places[n])) for n in does.index]
    return pd.DataFrame(rows, columns=["window", "driver", "elasticity", "does", "place"])


def sizes(effects: pd.DataFrame) -> pd.DataFrame:
    """Give what each driver goes with over the values that were seen, on average over series: a row a draw, a column a driver.

    Parameters
    ----------
    effects : pandas.DataFrame
        EFFECTS.

    Returns
    -------
    pandas.DataFrame
        As a share: elasticity x log(highest / lowest value), without its sign.
    """
    seen = np.log(effects["observed_high"].astype(float) / effects["observed_low"].astype(float).where(lambda v: v > 0))
    size = (effects["elasticity"].astype(float).abs() * seen).groupby([effects["draw"], effects["driver"]]).mean().unstack("driver")
    return size.dropna(axis=1, how="all").dropna()
