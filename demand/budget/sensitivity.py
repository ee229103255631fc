"""Which assumption moves the total, and which change moves the pounds.

In: `Cost`, and what its scenarios were made from (`WhatIf`). Out: sensitivity.csv; waterfall.csv and sweep.csv, in people and in pounds.
Every figure is a difference of totals under the same draws. Refuses sweeps of what is not there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from demand.budget.prices import Cost, Part, UnitCost, priced
from demand.scenario import (
    BASELINE,
    Exposure,
    Measure,
    Sweep,
    WhatIf,
    baseline_of,
    by_name,
    differences,
    exposure_of,
    grid,
    measured,
    resized,
    steps,
    under,
    unfold,
)  # fmt: skip
from demand.tables import History

__all__ = ["POUNDS", "SENSITIVITY", "SWEEP", "sensitivity", "sweep", "waterfall"]

POUNDS = "pounds"
"""The measure of money in waterfall.csv."""
SWEEP = ["sweep", "scenario", "lever_1", "value_1", "lever_2", "value_2", "financial_year", "measure", "mean", "low", "high", "difference",
         "difference_low", "difference_high"]  # fmt: skip
"""The columns of sweep.csv: mean and 80 % range of the total, and of its difference from the baseline within each draw."""
SENSITIVITY = ["assumption", "financial_year", "low_pence", "high_pence", "kind", "scenario"]


def sensitivity(case: WhatIf, cost: Cost) -> pd.DataFrame:
    """Make sensitivity.csv: what happens to the expected total when one assumption is at its low, or at its high, and all else as drawn.

    Prices and uplifts are moved under the baseline; the size of a change under the scenario that wrote it.

    Parameters
    ----------
    case : WhatIf
        What the scenarios were made from.
    cost : Cost

    Returns
    -------
    pandas.DataFrame
        `SENSITIVITY`: low_pence and high_pence are differences from the expected total of all that is priced, in the year. Years that
        cannot be told are left out.
    """
    rows: list[tuple[str, str, str, np.ndarray, np.ndarray]] = []
    base = cost.demand.sel(scenario=BASELINE).transpose("series", "ds", "draw").to_numpy()
    for part in cost.parts:
        rows += [(name, kind, BASELINE, *ends) for name, kind, ends in _price_ends(part, cost, base[part.rows], seed=case.seed)]
    base_pounds = _expected(cost, base, np.arange(len(base)))
    known = by_name(case.scenarios)
    for scenario in case.scenarios:
        outcome = under(case, unfold(scenario, known), together=scenario.together)
        now = (_expected(cost, outcome.values, outcome.rows) - base_pounds[outcome.rows]).sum(axis=0)
        for label, (change, _) in outcome.parts.items():
            if change in scenario.changes:
                for key, values in change.ends.items():
                    ends = [resized(case, outcome, {(label, key): value}, together=scenario.together) for value in values]
                    low, high = ((_expected(cost, end.values, end.rows) - base_pounds[end.rows]).sum(axis=0) - now for end in ends)
                    name = f"{scenario.name}: {label}" + ("" if key == "size" else f": {key.replace('_', ' ')}")
                    rows.append((name, "scenario", scenario.name, low, high))
    told = [
        (name, year, int(np.rint(low[y] * 100)), int(np.rint(high[y] * 100)), kind, scenario)
        for name, kind, scenario, low, high in rows
        for y, year in enumerate(cost.labels)
        if np.isfinite(low[y]) and np.isfinite(high[y])
    ]
    return pd.DataFrame(told, columns=SENSITIVITY).astype({"low_pence": "Int64", "high_pence": "Int64"})


def waterfall(case: WhatIf, *, history: History | None, start_month: int = 4, cost: Cost | None = None) -> pd.DataFrame:
    """Make waterfall.csv: from the baseline to each scenario, change by change, in people and, where there is a cost, in pounds.

    Parameters
    ----------
    case : WhatIf
    history : History, optional
        What was counted before the forecast.
    start_month : int
        The month in which financial years begin.
    cost : Cost, optional
        With it, a measure `POUNDS` for all that is priced.

    Returns
    -------
    pandas.DataFrame
        As `demand.scenario.compare` gives it; the amounts of one pair, year and measure add up to `to_total` - `from_total`.
    """
    exposure, measure = _measure(case, history, start_month, cost)
    pairs = [(BASELINE, scenario.name) for scenario in case.scenarios]
    return steps(case, pairs, exposure=exposure, measure=measure)


def sweep(
    case: WhatIf, sweeps: Sequence[Sweep], *, history: History | None, start_month: int = 4, cost: Cost | None = None
) -> pd.DataFrame:
    """Make sweep.csv: a scenario at every combination of some of its numbers, in people and, where there is a cost, in pounds.

    Parameters
    ----------
    case, history, start_month, cost
        As for `waterfall`.
    sweeps : sequence of Sweep

    Returns
    -------
    pandas.DataFrame
        `SWEEP`; lever_2 and value_2 are empty where there is one lever. Years that cannot be told are left out.

    Raises
    ------
    ScenarioError
        With what the sweeps name and that is not there.
    """
    exposure, measure = _measure(case, history, start_month, cost)
    base = baseline_of(case, exposure, measure)
    rows: list[tuple[object, ...]] = []
    for one in sweeps:
        names = [f"{lever.change}" + ("" if lever.number == "size" else f": {lever.number.replace('_', ' ')}") for lever in one.levers]
        for values, outcome in grid(case, one):
            at = [part for pair in zip([*names, ""], [*values, np.nan], strict=True) for part in pair][:4]
            moved = differences(base, measure, outcome.values, outcome.rows)
            for name, difference in moved.items():
                total = base[name].sum(axis=0) + difference
                for y in np.flatnonzero(np.isfinite(total).all(axis=1)):
                    figures = [figure for draws in (total[y], difference[y]) for figure in (draws.mean(), *np.quantile(draws, [0.1, 0.9]))]
                    rows.append((one.name, one.scenario, *at, exposure.labels[y], name, *figures))
    return pd.DataFrame(rows, columns=SWEEP)


def _measure(case: WhatIf, history: History | None, start_month: int, cost: Cost | None) -> tuple[Exposure, Measure]:
    """Give what is measured in waterfalls and sweeps: people by kind and unit, and pounds where there is a cost."""
    exposure = cost.exposure if cost is not None else exposure_of(case, history, start_month)

    def measure(values: np.ndarray, rows: np.ndarray) -> dict[str, np.ndarray]:
        people = measured(exposure, values, rows)
        return people if cost is None else {**people, POUNDS: priced(cost.parts, exposure, values, rows)}

    return exposure, measure


def _expected(cost: Cost, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Give expected pounds by series and whole financial year."""
    return np.asarray(priced(cost.parts, cost.exposure, values, rows).mean(axis=2))


def _price_ends(part: Part, cost: Cost, values: np.ndarray, *, seed: int) -> list[tuple[str, str, tuple[np.ndarray, np.ndarray]]]:
    """Give the differences that each number of a price makes at both ends of its range; `values` is (rows, periods, draws)."""
    years, draws = cost.exposure.years, values.shape[2]
    quantity = part.quantity(cost.exposure, values, part.rows).sum(axis=0)

    def expected(unit_cost: UnitCost) -> np.ndarray:
        other = Part.drawn(unit_cost, part.rows, draws=draws, seed=seed, start_month=cost.exposure.start_month)
        return np.asarray(other.pounds(quantity, years).mean(axis=1))

    now, found = expected(part.cost), []
    for name, number in part.cost.numbers().items():
        low, high = (expected(part.cost.with_number(name, end)) - now for end in (number.low, number.high))
        found.append((f"{part.cost.name}: {name}", "uplift" if name.startswith("uplift") else "price", (low, high)))
    return found
