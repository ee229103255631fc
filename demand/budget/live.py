"""What a spreadsheet needs to work the pounds out again: how much is paid for, and how each price was drawn, future by future.

In: `Cost`, the budget's lines, the run's seed. Out: two long tables, from which any program that multiplies and adds comes to the same
pounds as `line_costs`, also after a price was changed. Refuses what `line_costs` refuses.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from demand.budget.lines import BudgetSpec, line_costs, owning_lines
from demand.budget.prices import Cost, Part, places

__all__ = ["PRICE_DRAWS", "QUANTITIES", "price_draws", "quantities"]

QUANTITIES = ["scenario", "line", "cost", "financial_year", "steps", "draw", "quantity"]
PRICE_DRAWS = ["cost", "number", "draw", "z"]
SAME = 1e-9
"""Share of the pounds up to which two ways of working them out agree."""


def price_draws(cost: Cost, *, seed: int) -> pd.DataFrame:
    """Give where each price lay in its range, future by future.

    Parameters
    ----------
    cost : Cost
    seed : int
        The run's seed.

    Returns
    -------
    pandas.DataFrame
        cost, number (amount or uplift), draw, z: -1 is the low end, 0 the value, 1 the high end. The number itself is value + z x (value -
        low) below nought, value + z x (high - value) above, and never negative where `low` is not. Prices that are not an amount that
        grows by an uplift are left out: `quantities` holds their pounds as they are.
    """
    count = cost.years.sizes["draw"]
    found = [
        pd.DataFrame({"cost": part.cost.name, "number": number, "draw": np.arange(count), "z": z})
        for part in cost.parts
        if _plain(part, cost, seed=seed)
        for number, z in places(part.cost, draws=count, seed=seed).items()
    ]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=PRICE_DRAWS)


def quantities(cost: Cost, spec: BudgetSpec, *, seed: int) -> pd.DataFrame:
    """Give how much of each unit cost a line pays for, future by future.

    Parameters
    ----------
    cost : Cost
    spec : BudgetSpec
    seed : int
        The run's seed.

    Returns
    -------
    pandas.DataFrame
        scenario, line, cost, financial_year, steps (how many times the price has been uplifted by then), draw, quantity (person-weeks,
        people... as the price is per). A row whose cost is empty holds pounds that no price explains: what they rest on cannot be changed
        outside a run. In every future, quantity x price, summed, is `line_costs`.

    Raises
    ------
    BudgetError
        As `line_costs`.
    """
    pounds = line_costs(cost, spec)
    names = [str(n) for n in pounds["line"].to_numpy()]
    names = names[:-1] if len(names) > 1 else names
    belongs = owning_lines(cost, spec) if spec.lines else np.zeros(cost.years.sizes["series"], dtype=int)
    place = pd.Series(belongs, index=cost.years["series"].to_numpy())
    line_of = place.reindex(cost.exposure.series.index, fill_value=-1).to_numpy()
    live = [part for part in cost.parts if _plain(part, cost, seed=seed)]
    demand = cost.demand.transpose("scenario", "series", "ds", "draw").to_numpy()
    blocks: list[pd.DataFrame] = []
    for s, scenario in enumerate(cost.years["scenario"].to_numpy()):
        for n, line in enumerate(names):
            rest = pounds.sel(scenario=scenario, line=line).transpose("financial_year", "draw").to_numpy()
            size = np.abs(rest)
            for part in live:
                rows = part.rows[line_of[part.rows] == n]
                if len(rows):
                    amount = cost.exposure.quantity(demand[s, rows], rows, per=part.per).sum(axis=0)
                    rest = rest - amount * part.prices(cost.exposure.years)
                    blocks += _rows(cost, amount, part=part, head={"scenario": scenario, "line": line})
            if (np.abs(rest) > SAME * np.maximum(size, 1.0)).any():
                blocks += _rows(cost, rest, part=None, head={"scenario": scenario, "line": line})
    return pd.concat(blocks, ignore_index=True)[QUANTITIES] if blocks else pd.DataFrame(columns=QUANTITIES)


def _plain(part: Part, cost: Cost, *, seed: int) -> bool:
    """Say whether a price is nothing but its amount, grown by its uplift, so that it can be worked out from where each was drawn."""
    if isinstance(part.cost.uplift, dict):
        return False
    z = places(part.cost, draws=cost.years.sizes["draw"], seed=seed)
    amounts = part.cost.amount.at(z["amount"])
    growth = np.ones(1) if part.cost.uplift is None else 1 + np.maximum(part.cost.uplift.at(z["uplift"]), -1.0)
    prices = amounts * growth ** part.steps(cost.exposure.years)[:, None]
    return bool(np.allclose(prices, part.prices(cost.exposure.years), rtol=SAME, atol=0))


def _rows(cost: Cost, amount: np.ndarray, *, part: Part | None, head: dict[str, str]) -> Iterator[pd.DataFrame]:
    """Give the rows of the years that can be told; nothing where there is nothing in any future."""
    steps = np.zeros(len(cost.labels)) if part is None else part.steps(cost.exposure.years)
    for y, year in enumerate(cost.labels):
        if np.isfinite(amount[y]).all() and amount[y].any():
            about = {**head, "cost": "" if part is None else part.cost.name, "financial_year": year, "steps": int(steps[y])}
            yield pd.DataFrame({**about, "draw": np.arange(amount.shape[1]), "quantity": amount[y]})
