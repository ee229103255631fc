"""Grants: what others pay towards a line, by financial year, until a day.

In: amounts by year and the day on which the grant ends. Out: pounds below zero by year and draw; after the end there are none, which is
the cliff. Refuses money for years after the end, and years that are none.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar

import numpy as np
from pydantic import model_validator

from demand.budget.items import Item, amount, drawn
from demand.budget.prices import Cost
from demand.calendar import FinancialYear
from demand.errors import BudgetError, Fault, SettingsError, listed
from demand.spec import Assumption

__all__ = ["Grant"]


class Grant(Item):
    """A grant: so much in each financial year, and nothing after its last day."""

    kind: ClassVar[str] = "grant"
    section: ClassVar[str] = "grants"

    years: dict[str, Assumption | float]
    """What comes in by financial year: {2026-27: 450000}, in GBP or as an assumption in GBP/year."""
    ends: date | None = None
    """The last day of the grant: there is nothing after it. Without it, years that are not named have nothing, and the notes say so."""

    @model_validator(mode="after")
    def _holds(self) -> Grant:
        for number in self.years.values():
            amount(number, self.name, "an amount")
        return self

    @property
    def recurring(self) -> bool:
        """False where it has an end."""
        return self.ends is None

    @property
    def last_day(self) -> date | None:
        """The day on which it ends."""
        return self.ends

    def pounds(self, cost: Cost, *, seed: int) -> np.ndarray:
        """Give GBP by year and draw: what comes in, below zero.

        Raises
        ------
        BudgetError
            Where a year is none, or begins after the end.
        """
        faults, at, month = [], f"grants > {self.name} > years", cost.exposure.start_month
        for label in self.years:
            try:
                begins = FinancialYear.parse(label, month).start
            except SettingsError as error:
                faults += [Fault(f.found, at, f.allowed) for f in error.faults]
                continue
            if self.ends is not None and begins.date() > self.ends:
                faults.append(Fault(f"there is money for {label}, and the grant ends on {self.ends}", at, "Nothing comes in after the end"))
        if faults:
            raise BudgetError(faults, during="reading the grants")
        count = cost.years.sizes["draw"]
        rows = [drawn(self.years.get(label, 0.0), count, seed=seed, name=f"grant {self.name} {label}") for label in cost.labels]
        return -np.array(rows).reshape(len(cost.labels), count)

    def notes(self, cost: Cost) -> list[str]:
        """Tell of the cliff where the grant ends, and of years without an amount."""
        told, bare = [], [y for y in cost.exposure.years if str(y) not in self.years]
        before = [y for y in cost.exposure.years if str(y) in self.years]
        after = [y for y in bare if self.ends is not None and y.start.date() > self.ends]
        if after:
            last = self.years[str(before[-1])] if before else 0.0
            was = last.value if isinstance(last, Assumption) else last
            less = f", {was:,.0f} GBP a year less than in {before[-1]}" if before else ""
            told.append(f"{self.name} ends on {self.ends}: nothing comes in from {after[0]} on{less}.")
        unknown = [str(y) for y in bare if y not in after]
        if unknown:
            told.append(f"{self.name}: no amount is given for {listed(unknown)}, so nothing is counted on.")
        return told
