"""What each scenario does to demand, and which change does how much of it.

In: what the scenarios were made from (`WhatIf`), or DEMAND. Out: demand.parquet, and the waterfall from one scenario to another by change,
with an explicit row for what changes do only together. Refuses scenarios that it does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from demand.errors import Fault, ScenarioError, did_you_mean
from demand.scenario.application import under
from demand.scenario.change import BASELINE, Change, Scenario, by_name, unfold
from demand.scenario.effect import WhatIf
from demand.scenario.exposure import AVERAGE, Exposure
from demand.tables import History, quantile_columns, summarise

__all__ = ["INTERACTION", "WATERFALL", "compare", "demand_table", "demand_under", "measured", "steps"]

INTERACTION = "interaction"
"""The row for what changes do only together."""
WATERFALL = ["from", "to", "financial_year", "change", "measure", "amount", "from_total", "to_total"]
Measure = Callable[[xr.DataArray], dict[str, np.ndarray]]
"""Gives, for the draws of one scenario, the expected amount by financial year of each measure."""


def compare(case: WhatIf, a: str, b: str, *, history: History | None = None, start_month: int = 4) -> pd.DataFrame:
    """Say what makes demand differ between two scenarios: one row a change, and one for what they do only together.

    The same draws lie under both, so the difference is theirs alone. Each change is measured alone against the baseline; one that only `a`
    has counts with the opposite sign. Flows are counted in the year; of stocks, how many there are on average at one time. Kinds and units
    are never added to each other.

    Parameters
    ----------
    case : WhatIf
    a, b : str
        Names of scenarios, or 'baseline'.
    history : History, optional
        What was counted before the forecast, so that the current financial year is whole.
    start_month : int
        The month in which financial years begin.

    Returns
    -------
    pandas.DataFrame
        `WATERFALL`: the amounts of one year and measure add up to `to_total` - `from_total`.

    Raises
    ------
    ScenarioError
        Where a name is not known, or a scenario cannot be applied.
    """
    exposure = Exposure(case.draws, history, start_month)
    return steps(case, a, b, labels=exposure.labels, measure=lambda values: measured(exposure, values))


def measured(exposure: Exposure, draws: xr.DataArray) -> dict[str, np.ndarray]:
    """Give expected demand by whole financial year, for each kind and unit: 'households in the year', 'households at one time'."""
    found = {}
    values = draws.transpose("series", "ds", "draw").to_numpy()
    for (kind, unit), group in exposure.series.groupby(["kind", "unit"], sort=True):
        rows = exposure.series.index.get_indexer(group.index)
        name = f"{unit} in the year" if kind == "flow" else f"{unit} at one time"
        means = values[rows].mean(axis=2, dtype=np.float64)[:, :, None]
        found[name] = exposure.quantity(means, rows, per=None if kind == "flow" else AVERAGE).sum(axis=(0, 2))
    return found


def steps(case: WhatIf, a: str, b: str, *, labels: Sequence[str], measure: Measure) -> pd.DataFrame:
    """Make the waterfall between two scenarios in any measure; `compare` and the waterfall in pounds are both made here.

    Parameters
    ----------
    case : WhatIf
    a, b : str
    labels : sequence of str
        The financial years of the measures.
    measure : callable
        From the draws of one scenario to expected amounts by year, by the name of the measure.

    Returns
    -------
    pandas.DataFrame
        `WATERFALL`. Years that a measure cannot tell (NaN) are left out.
    """
    known = by_name(case.scenarios)
    ends = [_changes(name, known) for name in (a, b)]
    shared = {c.fingerprint for c in ends[0].values()} & {c.fingerprint for c in ends[1].values()}
    rules = [known[name].together if name in known else None for name in (a, b)]
    base, totals = measure(case.draws), [measure(demand_under(case, changes, rule)) for changes, rule in zip(ends, rules, strict=True)]
    moves: list[tuple[str, dict[str, np.ndarray]]] = []
    for sign, changes in zip((-1, 1), ends, strict=True):
        for label, change in changes.items():
            if change.fingerprint not in shared:
                single = measure(demand_under(case, {label: change}, None))
                moves.append((label if sign == 1 else f"without: {label}", {m: sign * (single[m] - base[m]) for m in base}))
    rows = []
    for name in base:
        start, end = totals[0][name], totals[1][name]
        rest = end - start - sum((amounts[name] for _, amounts in moves), np.zeros(len(labels)))
        for label, amounts in [*((label, all_[name]) for label, all_ in moves), (INTERACTION, rest)]:
            rows += [(a, b, y, label, name, amounts[i], start[i], end[i]) for i, y in enumerate(labels) if np.isfinite(end[i] - start[i])]
    return pd.DataFrame(rows, columns=WATERFALL)


def demand_table(demand: xr.DataArray) -> pd.DataFrame:
    """Make demand.parquet: mean and quantiles by scenario, series and period.

    Parameters
    ----------
    demand : xarray.DataArray
        DEMAND.

    Returns
    -------
    pandas.DataFrame
        scenario, unique_id, ds, mean, the quantiles, period_end. Series that a scenario leaves alone have the baseline's figures to the
        bit.
    """
    values = demand.transpose("scenario", "series", "ds", "draw").to_numpy()
    base = summarise(demand[0])
    figures = ["mean", *quantile_columns()]
    tables, periods = [], demand.sizes["ds"]
    for position, name in enumerate(demand["scenario"].to_numpy()):
        table = base.copy()
        moved = np.flatnonzero([not np.array_equal(values[position, row], values[0, row]) for row in range(values.shape[1])])
        if len(moved):
            rows = (moved[:, None] * periods + np.arange(periods)).ravel()
            table.loc[rows, figures] = summarise(demand[position, moved])[figures].to_numpy()
        table.insert(0, "scenario", str(name))
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _changes(name: str, known: dict[str, Scenario]) -> dict[str, Change]:
    if name == BASELINE:
        return {}
    if name not in known:
        raise ScenarioError(Fault(f"'{name}' is not a scenario", allowed=did_you_mean(name, [BASELINE, *known])))
    return unfold(known[name], known)


def demand_under(case: WhatIf, changes: dict[str, Change], together: Literal["multiply", "add"] | None) -> xr.DataArray:
    """Give demand under some changes, dims (series, ds, draw); without any, the baseline itself.

    Raises
    ------
    ScenarioError
        Where a change cannot be applied.
    """
    if not changes:
        return case.draws
    values = np.empty(case.draws.transpose("series", "ds", "draw").shape, dtype=np.float32)
    under(case, changes, together=together, at="scenarios", out=values)
    return case.draws.transpose("series", "ds", "draw").copy(data=values)
