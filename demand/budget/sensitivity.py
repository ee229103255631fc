"""Which assumption moves the total, and which change moves the pounds.

In: `Cost`, and what its scenarios were made from (`WhatIf`). Out: sensitivity.csv; waterfall.csv and sweep.csv, in people and in pounds.
Every figure is a difference of totals under the same draws. Refuses sweeps of what is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from demand.assumptions import numbers_in
from demand.budget.items import Item, with_items
from demand.budget.prices import Cost, Part, UnitCost, priced
from demand.languages import message
from demand.scenario import (
    BASELINE,
    PRICES,
    Exposure,
    Measure,
    Outcome,
    Scenario,
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
from demand.spec import Assumption, Unit
from demand.tables import History

__all__ = ["NET", "POUNDS", "SENSITIVITY", "SWEEP", "sensitivity", "sweep", "waterfall"]

POUNDS = "pounds"
"""The measure of money in waterfall.csv: what all series cost, gross."""
NET = "pounds, net"
"""The same with what stands beside the series (income, grants, teams): each of them has a row of its own."""
SWEEP = ["sweep", "scenario", "lever_1", "value_1", "lever_2", "value_2", "financial_year", "measure", "mean", "low", "high", "difference",
         "difference_low", "difference_high"]  # fmt: skip
"""The columns of sweep.csv: mean and 80 % range of the total, and of its difference from the baseline within each draw."""
SENSITIVITY = ["assumption", "financial_year", "low_pence", "high_pence", "kind", "scenario", "step", "step_pence"]
POINTS = ("1", "ratio", "share", "probability")
"""Units of numbers that are themselves a percentage: their step is one point, 0.01."""
Pounds = Callable[[float], np.ndarray]
"""From a value of a number to expected pounds by financial year."""


def sensitivity(case: WhatIf, cost: Cost, items: Sequence[Item] = ()) -> pd.DataFrame:
    """Make sensitivity.csv: what happens to the expected total when one assumption is at its low, or at its high, and all else as drawn.

    Prices and uplifts are moved under the baseline; the numbers of a change under the scenario that wrote it; those of an item under
    the first scenario in which it counts. A grant that ends has a row in each year after: low is what the total would be less by, were
    it paid on as in its last year.

    Parameters
    ----------
    case : WhatIf
        What the scenarios were made from.
    cost : Cost
    items : sequence of Item, optional
        Those that the cost was given (`with_items`).

    Returns
    -------
    pandas.DataFrame
        `SENSITIVITY`: low_pence and high_pence are differences from the expected total of all that is priced, in the year. step_pence is
        what one step more of the number does (one less does about the opposite): step is "1 %" of its value, or "1 point" (0.01) where it
        is a percentage itself; it is read off the line between the low and the high end. Years that cannot be told are left out.
    """
    rows: list[tuple[str, str, str, np.ndarray, np.ndarray, str, np.ndarray]] = []
    base = cost.demand.sel(scenario=BASELINE).transpose("series", "ds", "draw").to_numpy()
    for part in cost.parts:
        pounds, now = _prices(part, cost, base[part.rows], seed=case.seed)
        for name, number in part.cost.numbers().items():
            kind = "uplift" if name.startswith("uplift") else "price"
            moved = _moved(partial(pounds, name), number, (number.low, number.high), now)
            rows.append((f"{part.cost.name}: {name}", kind, BASELINE, *moved))
    base_pounds = _expected(cost, base, np.arange(len(base)))
    known = by_name(case.scenarios)
    for scenario in case.scenarios:
        outcome = under(case, unfold(scenario, known), together=scenario.together)
        pounds = partial(_resized, case, cost, base_pounds, outcome, scenario)
        now = pounds({})
        for label, (change, _) in outcome.parts.items():
            for key, ends in change.ends.items() if change in scenario.changes else ():
                number = change.sizes[0] if key == "size" else getattr(change, key)
                name = f"{scenario.name}: {label}" + ("" if key == "size" else f": {key.replace('_', ' ')}")

                def at(value: float, of: tuple[str, str] = (label, key), pounds: partial[np.ndarray] = pounds) -> np.ndarray:
                    return pounds({of: value})

                rows.append((name, "scenario", scenario.name, *_moved(at, number, ends, now)))
    rows += [*_of_items(cost, items, seed=case.seed), *_cliffs(cost)]
    told = [
        (name, year, _penny(low[y]), _penny(high[y]), kind, scenario, step, _penny(one[y]))
        for name, kind, scenario, low, high, step, one in rows
        for y, year in enumerate(cost.labels)
        if np.isfinite(low[y]) and np.isfinite(high[y])
    ]
    return pd.DataFrame(told, columns=SENSITIVITY).astype(dict.fromkeys(("low_pence", "high_pence", "step_pence"), "Int64"))


def _resized(
    case: WhatIf, cost: Cost, base: np.ndarray, outcome: Outcome, scenario: Scenario, numbers: Mapping[tuple[str, str], float]
) -> np.ndarray:
    """Give how far a scenario is from the baseline, in expected pounds by year, with some of its numbers certain."""
    end = resized(case, outcome, numbers, together=scenario.together)
    return np.asarray((_expected(cost, end.values, end.rows, end.prices) - base[end.rows]).sum(axis=0))


def _moved(at: Pounds, number: Assumption, ends: tuple[float, float], now: np.ndarray) -> tuple[np.ndarray, np.ndarray, str, np.ndarray]:
    """Give what both ends do, the name of a step, and what one step does."""
    points = Unit.parse(number.unit).of in POINTS
    step = 0.01 if points else 0.01 * abs(number.value)
    low, high = (at(end) for end in ends)
    first, last = ends
    between = high - low
    if first == last:
        # Down at most to nothing: a number that cannot be below zero is not taken there.
        first, last = max(number.value - step, min(0.0, number.value)), number.value + step
        between = at(last) - at(first)
    one = between * (step / (last - first)) if last > first else np.full(len(now), np.nan)
    return low - now, high - now, message("1 point") if points else "1 %", one


def _of_items(cost: Cost, items: Sequence[Item], *, seed: int) -> list[tuple[str, str, str, np.ndarray, np.ndarray, str, np.ndarray]]:
    """Give what each number of a grant, of income, of a fixed cost or of a saving does."""
    found = []
    for item in items:
        scenario = item.scenarios[0] if item.scenarios else BASELINE
        alone = replace(cost, years=cost.years.sel(scenario=[scenario]), demand=cost.demand.sel(scenario=[scenario]))
        there = item.model_copy(update={"scenarios": []})
        for name, number in numbers_in(item):
            at = partial(_item_pounds, alone, there, number, seed)
            now = with_items(alone, [there], seed=seed).items.to_numpy()[0, 0].mean(axis=1)
            found.append((name, item.kind, scenario, *_moved(at, number, (number.low, number.high), now)))
    return found


def _item_pounds(cost: Cost, item: Item, number: Assumption, seed: int, value: float) -> np.ndarray:
    """Give expected pounds by year of an item with one of its numbers certain, under the only scenario of the cost."""
    return np.asarray(with_items(cost, [item.with_number(number, value)], seed=seed).items.to_numpy()[0, 0].mean(axis=1))


def _cliffs(cost: Cost) -> list[tuple[str, str, str, np.ndarray, np.ndarray, str, np.ndarray]]:
    """Give, for each grant that ends, what the years after would be less by, were it paid on as in its last year."""
    found = []
    base = cost.items.sel(scenario=BASELINE).mean("draw")
    for position, kind in enumerate(cost.items["kind"].to_numpy()):
        ends, paid = cost.items["last_day"].to_numpy()[position], base.isel(item=position).to_numpy()
        after = np.array([kind == "grant" and not np.isnat(ends) and y.start > pd.Timestamp(ends) for y in cost.exposure.years], dtype=bool)
        if not after.any() or after.all() or not (paid[~after] < 0).any():
            continue
        last = paid[~after][np.flatnonzero(paid[~after])[-1]]
        less = np.where(after, last, np.nan)
        name = f"{cost.items['item'].to_numpy()[position]}: ends {pd.Timestamp(ends):%d %B %Y}"
        found.append((name, "grant", BASELINE, less, np.where(after, 0.0, np.nan), "", np.full(len(after), np.nan)))
    return found


def _penny(pounds: float) -> int | None:
    return int(np.rint(pounds * 100)) if np.isfinite(pounds) else None


def waterfall(
    case: WhatIf,
    *,
    history: History | None,
    start_month: int = 4,
    cost: Cost | None = None,
    pairs: Sequence[tuple[str, str]] | None = None,
) -> pd.DataFrame:
    """Make waterfall.csv: from the baseline to each scenario, change by change, in people and, where there is a cost, in pounds.

    Parameters
    ----------
    case : WhatIf
    history : History, optional
        What was counted before the forecast.
    start_month : int
        The month in which financial years begin.
    cost : Cost, optional
        With it, a measure `POUNDS` for all that is priced and, where anything stands beside the series (`with_items`), `NET`.
    pairs : sequence of (str, str), optional
        From which scenario to which; from the baseline to each, where it is not given.

    Returns
    -------
    pandas.DataFrame
        As `demand.scenario.compare` gives it; the amounts of one pair, year and measure add up to `to_total` - `from_total`.
    """
    exposure, measure = _measure(case, history, start_month, cost)
    wanted = pairs if pairs is not None else [(BASELINE, scenario.name) for scenario in case.scenarios]
    table = steps(case, wanted, exposure=exposure, measure=measure)
    return table if cost is None or not cost.items.sizes["item"] else pd.concat([table, _net(table, cost)], ignore_index=True)


def _net(table: pd.DataFrame, cost: Cost) -> pd.DataFrame:
    """Give the steps in pounds once more, with a row for each item that differs between the two scenarios: they add up to the net.

    Rows of items begin with their kind ("income: charges"): an item may be called as a change is.
    """
    gross = cost.years.sum("series", skipna=False).transpose("scenario", "financial_year", "draw")
    items = cost.items.transpose("scenario", "item", "financial_year", "draw")
    rows = []
    for (a, b), pair in table[table["measure"] == POUNDS].groupby(["from", "to"], sort=False):
        ends = [items.sel(scenario=name).to_numpy() for name in (a, b)]
        whole = [gross.sel(scenario=name).to_numpy() + end.sum(axis=0) for name, end in zip((a, b), ends, strict=True)]
        names = [f"{kind}: {name}" for kind, name in zip(items["kind"].to_numpy(), items["item"].to_numpy(), strict=True)]
        more = [(name, d) for name, d in zip(names, ends[1] - ends[0], strict=True) if d.any()]
        for year, block in pair.groupby("financial_year", sort=False):
            y = cost.labels.index(str(year))
            beside = [(a, b, year, name, NET, d[y].mean(), 0.0, 0.0, *_tenths(d[y]), 0.0, 0.0) for name, d in more]
            steps_ = pd.concat([block, pd.DataFrame(beside, columns=list(table.columns))], ignore_index=True) if beside else block
            least, most = _tenths(whole[1][y] - whole[0][y])
            totals = {"from_total": whole[0][y].mean(), "to_total": whole[1][y].mean()}
            rows.append(steps_.assign(measure=NET, **totals, difference_low=least, difference_high=most))
    return pd.concat(rows, ignore_index=True) if rows else table.iloc[:0]


def sweep(
    case: WhatIf,
    sweeps: Sequence[Sweep],
    *,
    history: History | None,
    start_month: int = 4,
    cost: Cost | None = None,
    items: Sequence[Item] = (),
) -> pd.DataFrame:
    """Make sweep.csv: a scenario at every combination of some of its numbers, in people and, where there is a cost, in pounds.

    Parameters
    ----------
    case, history, start_month, cost
        As for `waterfall`.
    sweeps : sequence of Sweep
    items : sequence of Item, optional
        Those that the cost was given (`with_items`): with them, a measure `NET` too.

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
    whole = baseline_of(case, exposure, measure)
    base = {name: values.sum(axis=0) for name, values in whole.items()}
    if cost is not None and items:
        before = cost.items.sel(scenario=BASELINE).sum("item").transpose("financial_year", "draw").to_numpy()
        base[NET] = base[POUNDS] + before
    rows: list[tuple[object, ...]] = []
    for one in sweeps:
        names = [f"{lever.change}" + ("" if lever.number == "size" else f": {lever.number.replace('_', ' ')}") for lever in one.levers]
        for values, outcome in grid(case, one):
            at = [part for pair in zip([*names, ""], [*values, np.nan], strict=True) for part in pair][:4]
            moved = differences(whole, measure, outcome)
            if cost is not None and items:
                moved[NET] = moved[POUNDS] + _beside(_as_if(cost, outcome, one.scenario), items, seed=case.seed) - before
            for name, difference in moved.items():
                total = base[name] + difference
                for y in np.flatnonzero(np.isfinite(total).all(axis=1)):
                    figures = [figure for draws in (total[y], difference[y]) for figure in (draws.mean(), *np.quantile(draws, [0.1, 0.9]))]
                    rows.append((one.name, one.scenario, *at, exposure.labels[y], name, *figures))
    return pd.DataFrame(rows, columns=SWEEP)


def _as_if(cost: Cost, outcome: Outcome, scenario: str) -> Cost:
    """Give the cost of one scenario alone, where it comes to another outcome than in the run."""
    demand = cost.demand.sel(scenario=[BASELINE]).transpose("scenario", "series", "ds", "draw").assign_coords(scenario=[scenario]).copy()
    demand[0, outcome.rows] = outcome.values
    years = cost.years.sel(scenario=[BASELINE]).transpose("scenario", "series", "financial_year", "draw").assign_coords(scenario=[scenario])
    years, paid = years.copy(), demand.get_index("series").get_indexer(years.get_index("series"))
    times = None if outcome.prices is None else np.ones(demand.shape)
    if times is not None:
        times[0, outcome.rows] = outcome.prices
        demand = demand.assign_coords({PRICES: (demand.dims, times)})
        times = times[0, paid]
    years[0] = priced(cost.parts, cost.exposure, demand.to_numpy()[0, paid], paid, times)
    return replace(cost, years=years, demand=demand)


def _beside(cost: Cost, items: Sequence[Item], *, seed: int) -> np.ndarray:
    """Give what stands beside the series of a cost of one scenario, in GBP by year and draw."""
    [scenario] = cost.years["scenario"].to_numpy()
    pounds = np.zeros((1, len(cost.labels), cost.years.sizes["draw"]))
    for item in items:
        if not item.scenarios or scenario in item.scenarios:
            pounds += item.pounds(cost, seed=seed)
    return np.asarray(pounds[0])


def _tenths(pounds: np.ndarray) -> np.ndarray:
    """Give the ends of an 80 % range."""
    return np.asarray(np.quantile(pounds, [0.1, 0.9]))


def _measure(case: WhatIf, history: History | None, start_month: int, cost: Cost | None) -> tuple[Exposure, Measure]:
    """Give what is measured in waterfalls and sweeps: people by kind and unit, and pounds where there is a cost."""
    exposure = cost.exposure if cost is not None else exposure_of(case, history, start_month)

    def measure(values: np.ndarray, rows: np.ndarray, prices: np.ndarray | None) -> dict[str, np.ndarray]:
        people = measured(exposure, values, rows)
        return people if cost is None else {**people, POUNDS: priced(cost.parts, exposure, values, rows, prices)}

    return exposure, measure


def _expected(cost: Cost, values: np.ndarray, rows: np.ndarray, prices: np.ndarray | None = None) -> np.ndarray:
    """Give expected pounds by series and whole financial year."""
    return np.asarray(priced(cost.parts, cost.exposure, values, rows, prices).mean(axis=2))


def _prices(part: Part, cost: Cost, values: np.ndarray, *, seed: int) -> tuple[Callable[[str, float], np.ndarray], np.ndarray]:
    """Give expected pounds by year with one number of a unit cost certain, and as they are; `values` is (rows, periods, draws)."""
    years, draws = cost.exposure.years, values.shape[2]
    quantity = part.quantity(cost.exposure, values, part.rows).sum(axis=0)

    def expected(unit_cost: UnitCost) -> np.ndarray:
        other = Part.drawn(unit_cost, part.rows, draws=draws, seed=seed, start_month=cost.exposure.start_month)
        return np.asarray(other.pounds(quantity, years).mean(axis=1))

    return lambda name, value: expected(part.cost.with_number(name, value)), expected(part.cost)
