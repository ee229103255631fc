"""Why a forecast is what it is: the parts of every model, weighted, adding up to the forecast's mean.

In: a `Forecast`. Out: explanation.parquet: unique_id, ds, model, feature, value, contribution. Refuses nothing.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from demand.forecast import Forecast

__all__ = ["explain"]


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
