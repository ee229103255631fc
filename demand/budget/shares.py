"""For whom the pounds are: cost by the values of one key, such as the segment, and its share of the whole.

In: `Cost`, and the name of a key. Out: one row a scenario, value and financial year, with ranges from the draws. Refuses keys that the
series do not have.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from demand.budget.lines import pence
from demand.budget.prices import Cost
from demand.errors import BudgetError, Fault, did_you_mean

__all__ = ["cost_by"]


def cost_by(cost: Cost, key: str) -> pd.DataFrame:
    """Sum pounds by the values of a key, draw by draw.

    Parameters
    ----------
    cost : Cost
    key : str
        A key column of the series: segment, area...

    Returns
    -------
    pandas.DataFrame
        scenario, the key, financial_year, expected_pence, p10_pence, p90_pence, share (of the expected cost of the scenario and year). Only
        expected_pence may be added up; years that are not priced whole are left out.

    Raises
    ------
    BudgetError
        Where the series have no such key.

    Notes
    -----
    Pence are rounded by the largest remainder, so that the values add up to the rounded cost of all.
    """
    years = cost.years
    keys = [str(n) for n, c in years.coords.items() if c.dims == ("series",) and n != "series"]
    if key not in keys:
        raise BudgetError(Fault(f"the pounds are not told apart by '{key}'", allowed=did_you_mean(key, keys)))
    values = years.transpose("scenario", "financial_year", "series", "draw").to_numpy()
    of = years[key].to_numpy().astype(str)
    names = sorted(set(of))
    rows = []
    for i, scenario in enumerate(years["scenario"].to_numpy()):
        for j, year in enumerate(years["financial_year"].to_numpy()):
            sums = np.array([values[i, j, of == name].sum(axis=0) for name in names])
            means = sums.mean(axis=1)
            if not np.isfinite(means).all():
                continue
            low, high = np.quantile(sums, [0.1, 0.9], axis=1)
            whole = pence(means)
            rows += [
                {"scenario": str(scenario), key: name, "financial_year": str(year), "expected_pence": int(whole[k]),
                 "p10_pence": int(np.rint(low[k] * 100)), "p90_pence": int(np.rint(high[k] * 100)),
                 "share": float(means[k] / means.sum()) if means.sum() > 0 else float("nan")}
                for k, name in enumerate(names)
            ]  # fmt: skip
    columns = ["scenario", key, "financial_year", "expected_pence", "p10_pence", "p90_pence", "share"]
    return pd.DataFrame(rows, columns=columns)
