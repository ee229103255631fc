"""Savings that were proposed, and whether they will be delivered.

In: amounts by year, or an amount a year from a day on, and the chance that the saving is delivered. Out: pounds below zero by year and
draw: in each draw it is delivered or not. Refuses chances that are none, and amounts said twice.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from demand.budget.items import Item, amount, drawn, share
from demand.budget.prices import Cost
from demand.calendar import FinancialYear
from demand.errors import BudgetError, Fault, SettingsError, raise_all
from demand.spec import Assumption, stream

__all__ = ["Saving"]


class Saving(Item):
    """A saving: so much in each year if it is delivered, and nothing if it is not."""

    kind: ClassVar[str] = "saving"
    section: ClassVar[str] = "savings"

    years: dict[str, Assumption | float] = Field(default_factory=dict)
    """What is saved by financial year: {2026-27: 100000}, in GBP or as an assumption in GBP/year. In place of `amount`."""
    amount: Assumption | float | None = None
    """What is saved in a full year, GBP: from `start` on."""
    start: date | None = None
    """The first day on which anything is saved."""
    ramp_months: int = Field(default=0, ge=0, le=120)
    """How many months it takes from there to the full amount, evenly."""
    chance: Assumption | float
    """How likely it is to be delivered: 0.7 is 7 times in 10."""
    owner: str
    """Who answers for its delivery: a role, not a name."""
    one_off: bool = False
    """True for a saving that does not come back: it is then written by `years`."""

    @model_validator(mode="after")
    def _holds(self) -> Saving:
        if bool(self.years) == (self.amount is not None):
            raise ValueError(f"'{self.name}' needs either its amounts by 'years', or an 'amount' a year with a 'start'.")
        if (self.start is None) != (self.amount is None) or (self.amount is None and self.ramp_months):
            raise ValueError(
                f"'{self.name}': 'start' and 'ramp_months' belong to an 'amount' a year. Years say for themselves when it begins."
            )
        if self.one_off and not self.years:
            raise ValueError(f"'{self.name}' does not come back. Write in which year it is saved: years.")
        for number in (*self.years.values(), *([] if self.amount is None else [self.amount])):
            amount(number, self.name, "an amount")
        if isinstance(self.chance, Assumption):
            share(self.chance, self.name)
        elif not 0 <= self.chance <= 1:
            raise ValueError(f"the chance of '{self.name}' is {self.chance:g}. Write a ratio: 0.7 is 7 times in 10.")
        return self

    @property
    def recurring(self) -> bool:
        """False where it does not come back."""
        return not self.one_off

    @property
    def first_day(self) -> date | None:
        """The first day on which anything is saved."""
        return self.start

    def pounds(self, cost: Cost, *, seed: int) -> np.ndarray:
        """Give GBP by year and draw: what is saved, below zero.

        Raises
        ------
        BudgetError
            Where a year is none.
        """
        month, faults = cost.exposure.start_month, []
        for label in self.years:
            try:
                FinancialYear.parse(label, month)
            except SettingsError as error:
                faults += [Fault(f.found, f"savings > {self.name} > years", f.allowed) for f in error.faults]
        raise_all(faults, BudgetError, during="reading the savings")
        draws = cost.years.sizes["draw"]
        chance = drawn(self.chance, draws, seed=seed, name=f"chance {self.name}")
        delivered = stream(seed, "saving", self.name).random(draws) < chance
        return -self._planned(cost, draws=draws, seed=seed) * delivered

    def target(self, cost: Cost) -> np.ndarray:
        """Give what is saved by year if it is delivered: the values themselves, GBP."""
        return np.array([self._part(year) * _value(self._of(year)) for year in cost.exposure.years])

    def notes(self, cost: Cost) -> list[str]:
        """Say what is counted on, and what hangs on its delivery."""
        if not cost.labels:
            return []
        likely = self.chance.value if isinstance(self.chance, Assumption) else self.chance
        planned = self.target(cost)
        told = f"{planned[-1]:,.0f} GBP in {cost.labels[-1]}"
        return [f"{self.name}: {told} if it is delivered, which is taken to happen {likely:.0%} of the time. {self.owner} answers for it."]

    def _planned(self, cost: Cost, *, draws: int, seed: int) -> np.ndarray:
        """Draw what is saved by year if it is delivered; an amount a year is drawn once."""
        names = [f"saving {self.name} {year}" if self.years else f"saving {self.name}" for year in cost.exposure.years]
        pairs = zip(cost.exposure.years, names, strict=True)
        return np.array([self._part(y) * drawn(self._of(y), draws, seed=seed, name=name) for y, name in pairs]).reshape(-1, draws)

    def _of(self, year: FinancialYear) -> Assumption | float:
        """Give the amount of a full year."""
        return self.years.get(str(year), 0.0) if self.amount is None else self.amount

    def _part(self, year: FinancialYear) -> float:
        """Give the part of the full amount that falls into a year, by days."""
        if self.start is None:
            return 1.0
        start = pd.Timestamp(self.start)
        full = start + pd.DateOffset(months=self.ramp_months)
        days = pd.date_range(year.start, year.end)
        grown = np.clip(((days - start).days + 1) / max((full - start).days, 1), 0, 1)
        return float(grown.to_numpy().mean())


def _value(number: Assumption | float) -> float:
    return number.value if isinstance(number, Assumption) else float(number)
