"""What stands beside the series in a budget: grants and all else that is not paid by the head.

In: `Cost`, and items: each knows its line, under which scenarios it counts, and its pounds by financial year and draw. Out: the same cost
with `items` filled in. Refuses two items of one name, scenarios that are not there, and what each item refuses. What comes in (income,
grants, savings) is below zero, so that net = gross + items.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from demand.budget.prices import Cost, item_array
from demand.errors import BudgetError, Fault, ScenarioError, did_you_mean, listed, raise_all
from demand.spec import Assumption, NameList, Spec, Unit, Where
from demand.tables import match

__all__ = ["Item", "amount", "drawn", "rows_of", "share", "with_items"]


class Item(Spec):
    """Pounds of a budget line that no series is priced for."""

    kind: ClassVar[str]
    """income, grant, fixed, step or saving."""
    section: ClassVar[str]
    """Where in the config it is written."""

    name: str
    """What it is called in tables."""
    line: str
    """The budget line that it belongs to."""
    scenarios: NameList = Field(default_factory=list)
    """Under which scenarios it counts (baseline is one too): what a new team costs belongs to the scenario that has the team, and,
    in a config, to those that combine it. Empty means under all."""

    @property
    def recurring(self) -> bool:
        """True where it comes back every year."""
        return True

    @property
    def first_day(self) -> date | None:
        """The first day for which there is any of it, where that is known."""
        return None

    @property
    def last_day(self) -> date | None:
        """The last day for which there is any of it, where that is known."""
        return None

    @abstractmethod
    def pounds(self, cost: Cost, *, seed: int) -> np.ndarray:
        """Give GBP that broadcasts to (scenarios, years, draws): below zero for what comes in.

        Raises
        ------
        BudgetError
            Where it does not fit the forecast.
        """

    def with_number(self, number: Assumption, value: float) -> Item:
        """Give the same item with one of its numbers certain."""
        sure = number.model_copy(update={"value": value, "low": value, "high": value})
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        alone = {name: sure for name, held in fields.items() if held is number}
        within = {
            name: {key: sure if one is number else one for key, one in held.items()}
            for name, held in fields.items()
            if isinstance(held, dict) and any(one is number for one in held.values())
        }
        return self.model_copy(update={**alone, **within})

    def target(self, cost: Cost) -> np.ndarray:
        """Give GBP by year that are hoped for and not certain to come: savings have such an amount."""
        return np.zeros(len(cost.labels))

    @abstractmethod
    def notes(self, cost: Cost) -> list[str]:
        """Say what a reader of the figures has to know."""


def with_items(cost: Cost, items: Sequence[Item], *, seed: int) -> Cost:
    """Put grants and other items beside what the series cost, draw by draw.

    Parameters
    ----------
    cost : Cost
    items : sequence of Item
    seed : int
        The run's seed: an item of the same name is drawn the same in every run.

    Returns
    -------
    Cost
        With `items`: float64 GBP, dims (scenario, item, financial_year, draw), coords line, kind, recurring, where (of those that are
        for some series), first_day, last_day and (of savings, by year) target of each item.

    Raises
    ------
    BudgetError
        With every fault of every item at once.
    """
    known, faults = [str(s) for s in cost.years["scenario"].to_numpy()], []
    names = [i.name for i in items]
    faults += [Fault(f"two items are called '{n}'", where=i.section) for i, n in zip(items, names, strict=True) if names.count(n) > 1][:1]
    pounds = np.zeros((len(known), len(items), len(cost.labels), cost.years.sizes["draw"]))
    targets = np.zeros(pounds.shape[:-1])
    for position, item in enumerate(items):
        at = f"{item.section} > {item.name}"
        faults += [Fault(f"'{s}' is not a scenario", f"{at} > scenarios", did_you_mean(s, known)) for s in item.scenarios if s not in known]
        try:
            pounds[:, position] = item.pounds(cost, seed=seed)
            targets[:, position] = item.target(cost)
        except BudgetError as error:
            faults += list(error.faults)
            continue
        if item.scenarios:
            pounds[[s not in item.scenarios for s in known], position] = 0.0
            targets[[s not in item.scenarios for s in known], position] = 0.0
    raise_all(faults, BudgetError, during="reading grants, income, fixed costs and savings")
    about: dict[str, Any] = {
        "item": names,
        "line": [i.line for i in items],
        "kind": [i.kind for i in items],
        "recurring": [i.recurring for i in items],
        "where": [getattr(i, "where", None) for i in items],
        "first_day": [np.datetime64("NaT") if i.first_day is None else np.datetime64(i.first_day) for i in items],
        "last_day": [np.datetime64("NaT") if i.last_day is None else np.datetime64(i.last_day) for i in items],
        "target": targets,
    }
    notes = [note for item in items for note in item.notes(cost)]
    follow = [i.name for i in items if i.scenarios or i.kind in ("income", "step")]
    if follow and len(known) > 1:
        notes.append(
            f"{listed(follow)}: in the budget of each scenario, and rows of their own among the net steps from one scenario to the other; "
            "what a reader moves in the report and the sensitivity of a scenario's numbers are gross."
        )
    return replace(cost, items=item_array(cost.years, pounds, about), notes=(*cost.notes, *notes))


def amount(number: Assumption | float, name: str, what: str) -> None:
    """Refuse an amount that is not in pounds.

    Raises
    ------
    ValueError
        Where its unit says anything else.
    """
    if isinstance(number, Assumption):
        unit = Unit.parse(number.unit)
        if unit.of != "GBP" or unit.per not in ((), ("year",)):
            raise ValueError(f"{what} of '{name}' is in '{number.unit}'. Write 'GBP/year': pounds, not thousands of pounds.")
        number = number.low
    if not number >= 0:
        raise ValueError(f"{what} of '{name}' is below zero. Write it as it is: the package knows what comes in and what goes out.")


def drawn(number: Assumption | float, draws: int, *, seed: int, name: str) -> np.ndarray:
    """Give a number in each draw; a plain one is the same in all."""
    return number.draw(draws, seed=seed, name=name) if isinstance(number, Assumption) else np.full(draws, float(number))


def rows_of(cost: Cost, where: Where, *, at: str) -> np.ndarray:
    """Give the positions of the series that an item means.

    Raises
    ------
    BudgetError
        Where it means none.
    """
    try:
        return np.flatnonzero(match(cost.exposure.series, where, at=f"{at} > where"))
    except ScenarioError as error:
        raise BudgetError(error.faults) from error


def share(number: Assumption | None, name: str) -> None:
    """Refuse a share that is not between nothing and all.

    Raises
    ------
    ValueError
        Where it is below 0 or above 1, or has another unit than a ratio.
    """
    if number is not None and (Unit.parse(number.unit).of not in ("ratio", "1") or not 0 <= number.low <= number.high <= 1):
        raise ValueError(f"a share of '{name}' is {number.low:g} to {number.high:g} {number.unit}. Write a ratio: 0.85 is 85 %.")
