"""What a spreadsheet needs to work the pounds out again: how much is paid for, and how each price was drawn, future by future.

In: `Cost`, the budget's lines, the run's seed. Out: two long tables, from which any program that multiplies and adds comes to the same
pounds as `line_costs`, also after a price was changed. Refuses what `line_costs` refuses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from demand.budget.fixed import FixedCost
from demand.budget.items import Item
from demand.budget.lines import TOTAL, BudgetSpec, line_costs, owning_lines
from demand.budget.prices import Cost, Part, UnitCost
from demand.budget.uplift import Rise
from demand.scenario import price_factors
from demand.spec import Assumption

__all__ = ["PRICE_DRAWS", "QUANTITIES", "price_draws", "quantities"]

QUANTITIES = ["scenario", "line", "cost", "financial_year", "steps", "draw", "quantity"]
PRICE_DRAWS = ["cost", "number", "draw", "z"]
SAME = 1e-9
"""Share of the pounds up to which two ways of working them out agree."""


def price_draws(cost: Cost, spec: BudgetSpec, *, seed: int, items: Sequence[Item] = ()) -> pd.DataFrame:
    """Give where each price lay in its range, future by future.

    Parameters
    ----------
    cost : Cost
    spec : BudgetSpec
    seed : int
        The run's seed.
    items : sequence of Item, optional
        Those that the cost was given: fixed costs are told as prices of so much of a year.

    Returns
    -------
    pandas.DataFrame
        cost, number (amount or uplift), draw, z: -1 is the low end, 0 the value, 1 the high end. The number itself is value + z x (value -
        low) below nought, value + z x (high - value) above, and never negative where `low` is not. Prices that are not an amount that
        grows by an uplift are left out: `quantities` holds their pounds as they are.
    """
    found = [
        pd.DataFrame({"cost": name, "number": number, "draw": np.arange(len(z)), "z": z})
        for name, places in [
            *((known.part.cost.name, known.places) for known in _knowns(cost, spec, seed=seed)),
            *((team.name, team.places) for team in _teams(cost, spec, items, seed=seed)),
        ]
        for number, z in places.items()
    ]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=PRICE_DRAWS)


def quantities(cost: Cost, spec: BudgetSpec, *, seed: int, items: Sequence[Item] = ()) -> pd.DataFrame:
    """Give how much of each unit cost a line pays for, future by future.

    Parameters
    ----------
    cost : Cost
    spec : BudgetSpec
    seed : int
        The run's seed.
    items : sequence of Item, optional
        Those that the cost was given: fixed costs are told as prices of so much of a year.

    Returns
    -------
    pandas.DataFrame
        scenario, line, cost, financial_year, steps (how many times the price has been uplifted by then), draw, quantity (person-weeks,
        people... as the price is per; with all else that the price is multiplied by). A row whose cost is empty holds pounds that no price
        explains: what they rest on cannot be changed outside a run. In every future, quantity x price, summed, is `line_costs`.

    Raises
    ------
    BudgetError
        As `line_costs`.
    """
    pounds = line_costs(cost, spec)
    names = [str(n) for n in pounds["line"].to_numpy()]
    names = names[:-1] if len(names) > 1 else names
    line_of = _line_of(cost, spec)
    live, teams, years = _knowns(cost, spec, seed=seed), _teams(cost, spec, items, seed=seed), cost.exposure.years
    demand, times = cost.demand.transpose("scenario", "series", "ds", "draw").to_numpy(), price_factors(cost.demand)
    blocks: list[pd.DataFrame] = []
    for s, scenario in enumerate(cost.years["scenario"].to_numpy()):
        for n, line in enumerate(names):
            rest = pounds.sel(scenario=scenario, line=line).transpose("financial_year", "draw").to_numpy()
            size, head = np.abs(rest), {"scenario": scenario, "line": line}
            for known in live:
                rows = known.part.rows[line_of[known.part.rows] == n]
                if len(rows):
                    one = known.part.pounds(
                        known.part.quantity(cost.exposure, demand[s, rows], rows, None if times is None else times[s, rows]), years
                    ).sum(axis=0)
                    rest = rest - one * known.amounts
                    about = {**head, "cost": known.part.cost.name}
                    blocks += _rows(cost, one / known.growth ** known.steps[:, None], known.steps, head=about)
            for team in (t for t in teams if line in (t.line, TOTAL)):
                rest = rest - team.pounds[s]
                blocks += _rows(cost, team.quantity[s], team.steps, head={**head, "cost": team.name})
            if (np.abs(rest) > SAME * np.maximum(size, 1.0)).any():
                blocks += _rows(cost, rest, np.zeros(len(years)), head={**head, "cost": ""})
    return pd.concat(blocks, ignore_index=True)[QUANTITIES] if blocks else pd.DataFrame(columns=QUANTITIES)


@dataclass(frozen=True)
class _Known:
    """A unit cost whose pounds are something times its drawn amount and, where one rate holds for all years, its uplift.

    `part` is the unit cost at an amount of one pound; `growth` is 1 where the uplift is a path, or moves within a year: it is then in the
    quantity.
    """

    part: Part
    amounts: np.ndarray
    growth: np.ndarray
    steps: np.ndarray
    places: dict[str, np.ndarray]


@dataclass(frozen=True)
class _Team:
    """A fixed cost: pounds by scenario, year and draw, and of how much of a year at its drawn amount and uplift they are."""

    name: str
    line: str
    pounds: np.ndarray
    quantity: np.ndarray
    steps: np.ndarray
    places: dict[str, np.ndarray]


def _teams(cost: Cost, spec: BudgetSpec, items: Sequence[Item], *, seed: int) -> list[_Team]:
    """Give the fixed costs that can be worked out from where their numbers were drawn."""
    found, draws, years = [], cost.years.sizes["draw"], cost.exposure.years
    taken, lines = {part.cost.name for part in cost.parts}, {line.name for line in spec.lines}
    for item in (i for i in items if isinstance(i, FixedCost) and i.name not in taken and (i.line in lines or not lines)):
        places = {"amount": item.amount.places(draws, seed=seed, name=f"{item.kind} {item.name}")}
        amounts = item.amount.at(places["amount"])
        if not (amounts > 0).all():
            continue
        pounds = cost.items.sel(item=item.name).transpose("scenario", "financial_year", "draw").to_numpy()
        quantity, steps = pounds / amounts, np.zeros(len(years))
        if isinstance(item.uplift, Assumption):
            z = item.uplift.places(draws, seed=seed, name=f"uplift {item.uplift.source}")
            rate, month = 1 + np.maximum(item.uplift.at(z), -1.0), cost.exposure.start_month
            turns = Rise(item.base, item.day(month), month, {}).steps([year.start for year in years])
            rest = quantity / np.where(rate > 0, rate, np.nan) ** turns[:, None]
            if np.allclose(rest, rest[..., :1], rtol=SAME, atol=0):  # one rate, on the first day of each year
                quantity, steps, places["uplift"] = rest, turns, z
        found.append(_Team(item.name, item.line, pounds, quantity, steps, places))
    return found


def _places(cost: UnitCost, *, draws: int, seed: int) -> dict[str, np.ndarray]:
    """Draw where in their ranges the amount and, where there is one, the uplift lie (`Assumption.places`)."""
    found = {"amount": cost.amount.places(draws, seed=seed, name=f"price {cost.name}")}
    if isinstance(cost.uplift, Assumption):
        found["uplift"] = cost.uplift.places(draws, seed=seed, name=f"uplift {cost.uplift.source}")
    return found


def _line_of(cost: Cost, spec: BudgetSpec) -> np.ndarray:
    """Give the position of the line of each series of the demand; -1 where none."""
    belongs = owning_lines(cost, spec) if spec.lines else np.zeros(cost.years.sizes["series"], dtype=int)
    place = pd.Series(belongs, index=cost.years["series"].to_numpy())
    return np.asarray(place.reindex(cost.exposure.series.index, fill_value=-1).to_numpy())


def _knowns(cost: Cost, spec: BudgetSpec, *, seed: int) -> list[_Known]:
    """Give the unit costs that can be worked out from where their numbers were drawn.

    Those of lines with income by rule are left out: what comes in depends on what the series cost. Where income has a line of its own, from
    which no series is paid, or there are no lines, it may depend on all.
    """
    found = []
    line_of = _line_of(cost, spec)
    ruled = set(cost.items["line"].to_numpy()[cost.items["kind"].to_numpy() == "income"])
    paid = {line.name for n, line in enumerate(spec.lines) if (line_of == n).any()}
    dependent = [n for n, line in enumerate(spec.lines) if line.name in ruled]
    for part in cost.parts:
        if ruled - paid or np.isin(line_of[part.rows], dependent).any():
            continue
        place, years = _places(part.cost, draws=cost.years.sizes["draw"], seed=seed), cost.exposure.years
        amounts = part.cost.amount.at(place["amount"])
        if not (amounts > 0).all() or (part.cost.size is None and not np.allclose(part.amounts, amounts, rtol=SAME, atol=0)):
            continue
        one = replace(part, amounts=part.amounts / amounts)
        growth, steps, uplift = np.ones(len(amounts)), np.zeros(len(years)), part.cost.uplift
        if isinstance(uplift, Assumption):
            rate, turns = 1 + np.maximum(uplift.at(place["uplift"]), -1.0), part.steps(years)
            rest = (
                one.prices(years) / one.amounts / rate ** turns[:, None] if (rate > 0).all() else np.full((len(years), len(rate)), np.nan)
            )
            if np.allclose(rest, rest[:, :1], rtol=SAME, atol=0):  # one rate, on the first day of each year
                growth, steps = rate, turns
            else:
                place.pop("uplift")
        found.append(_Known(one, amounts, growth, steps, place))
    return found


def _rows(cost: Cost, amount: np.ndarray, steps: np.ndarray, *, head: dict[str, str]) -> Iterator[pd.DataFrame]:
    """Give the rows of the years that can be told; nothing where there is nothing in any future."""
    for y, year in enumerate(cost.labels):
        if np.isfinite(amount[y]).all() and amount[y].any():
            about = {**head, "financial_year": year, "steps": int(steps[y])}
            yield pd.DataFrame({**about, "draw": np.arange(amount.shape[1]), "quantity": amount[y]})
