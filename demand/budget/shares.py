"""For whom the pounds are: net beside gross by series, and cost by the values of one key, such as the segment, and its share of the whole.

In: `Cost`, the budget's lines, and the name of a key. Out: expected net pounds by series; one row a scenario, value and financial year,
with ranges from the draws. Refuses keys that the series do not have.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from demand.budget.lines import BudgetSpec, owning_lines, pence
from demand.budget.prices import Cost
from demand.errors import BudgetError, Fault, did_you_mean
from demand.tables import match

__all__ = ["cost_by", "net_of_series"]


def net_of_series(cost: Cost, spec: BudgetSpec) -> np.ndarray:
    """Give what each series is expected to cost net: GBP, shape (scenarios, series, years); NaN where a year was not counted.

    Each item is shared out over the series that it is for (`where`), else over those of its line, in proportion to what they are expected
    to cost; what belongs to a line from which no series is paid is shared out over none.
    """
    gross = cost.years.transpose("scenario", "series", "financial_year", "draw").to_numpy().mean(axis=-1)
    owners = owning_lines(cost, spec) if spec.lines else np.zeros(gross.shape[1], dtype=int)
    names = [line.name for line in spec.lines]
    series = cost.exposure.series.loc[cost.years["series"].to_numpy()]
    means = cost.items.transpose("scenario", "item", "financial_year", "draw").to_numpy().mean(axis=-1)
    net = gross.copy()
    for k, (line, where) in enumerate(zip(cost.items["line"].to_numpy(), cost.items["where"].to_numpy(), strict=True)):
        mine = owners == (names.index(line) if line in names else -2 if names else 0)
        if where is not None:
            meant = match(series, where, at=f"{cost.items['item'].to_numpy()[k]} > where")
            mine = meant & mine if (meant & mine).any() else meant
        if mine.any():
            weights = gross[:, mine]
            whole = weights.sum(axis=1, keepdims=True)
            even = np.full_like(weights, 1 / mine.sum())
            net[:, mine] += np.divide(weights, whole, out=even, where=~(whole == 0)) * means[:, k][:, None]
    return np.asarray(net)


def cost_by(cost: Cost, key: str, spec: BudgetSpec | None = None) -> pd.DataFrame:
    """Sum pounds by the values of a key, draw by draw.

    Parameters
    ----------
    cost : Cost
    key : str
        A key column of the series: segment, area...
    spec : BudgetSpec, optional
        Its lines, for what stands beside the series; without it, nothing does.

    Returns
    -------
    pandas.DataFrame
        scenario, the key, financial_year, expected_pence, p10_pence, p90_pence, share (of the expected cost of the scenario and year), all
        of them gross; net_pence (see `net_of_series`). Only expected_pence and net_pence may be added up; years that are not priced whole
        are left out.

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
    nets = values.mean(axis=-1).swapaxes(1, 2) if spec is None else net_of_series(cost, spec)
    rows = []
    for i, scenario in enumerate(years["scenario"].to_numpy()):
        for j, year in enumerate(years["financial_year"].to_numpy()):
            sums = np.array([values[i, j, of == name].sum(axis=0) for name in names])
            means = sums.mean(axis=1)
            if not np.isfinite(means).all():
                continue
            low, high = np.quantile(sums, [0.1, 0.9], axis=1)
            whole, net = pence(means), pence([nets[i, of == name, j].sum() for name in names])
            rows += [
                {"scenario": str(scenario), key: name, "financial_year": str(year), "expected_pence": int(whole[k]),
                 "p10_pence": int(np.rint(low[k] * 100)), "p90_pence": int(np.rint(high[k] * 100)),
                 "share": float(means[k] / means.sum()) if means.sum() > 0 else float("nan"), "net_pence": int(net[k])}
                for k, name in enumerate(names)
            ]  # fmt: skip
    columns = ["scenario", key, "financial_year", "expected_pence", "p10_pence", "p90_pence", "share", "net_pence"]
    return pd.DataFrame(rows, columns=columns)
