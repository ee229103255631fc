"""Costs that do not follow each person: fixed ones, and those that come in whole steps.

In: GBP a year, from and to a day; or GBP a year for each step of so many places. Out: pounds by scenario, year and draw. Refuses steps for
series that count nobody together, and dates in the wrong order.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from demand.budget.items import Item, amount, rows_of
from demand.budget.prices import Cost
from demand.budget.uplift import Rise, Rising, averaged, path_faults, summed
from demand.errors import BudgetError, Fault, listed, raise_all
from demand.spec import Where

__all__ = ["FixedCost", "StepCost"]


class FixedCost(Item, Rising):
    """A cost that is the same however many come: a contract, a team, a building."""

    kind: ClassVar[str] = "fixed"
    section: ClassVar[str] = "fixed_costs"

    start: date | None = None
    """The first day for which it is paid; without it, always."""
    end: date | None = None
    """The last day for which it is paid; without it, for good."""
    one_off: bool = False
    """True for an amount that is paid once, in full, in the year of `start`; it is then in GBP."""

    @model_validator(mode="after")
    def _holds(self) -> FixedCost:
        amount(self.amount, self.name, "the amount")
        if self.start and self.end and self.end < self.start:
            raise ValueError(f"'{self.name}' ends on {self.end}, before it starts on {self.start}.")
        if self.one_off and self.start is None:
            raise ValueError(f"'{self.name}' is paid once. Say when: start.")
        return self

    @property
    def recurring(self) -> bool:
        """False where it is paid once, or known to end."""
        return not self.one_off and self.end is None

    @property
    def first_day(self) -> date | None:
        """The first day for which it is paid."""
        return self.start

    @property
    def last_day(self) -> date | None:
        """The last day for which it is paid; the only one, where it is paid once."""
        return self.start if self.one_off else self.end

    def pounds(self, cost: Cost, *, seed: int) -> np.ndarray:
        """Give GBP by year and draw.

        Raises
        ------
        BudgetError
            Where a year of its path is none.
        """
        years, start_month = cost.exposure.years, cost.exposure.start_month
        raise_all(path_faults(self, start_month, at=f"{self.section} > {self.name}"), BudgetError, during="reading the fixed costs")
        draws, spans = cost.years.sizes["draw"], self.spans(years)
        rise = Rise.drawn(self, start_month=start_month, draws=draws, seed=seed)
        amounts = self.amount.draw(draws, seed=seed, name=f"{self.kind} {self.name}")
        if self.one_off and self.start is not None:
            first = pd.Timestamp(self.start)
            return np.array([(y.start <= first <= y.end) * amounts * rise.times([first])[0] for y in years]).reshape(len(years), draws)
        begin, end = pd.Timestamp(self.start or pd.Timestamp.min), pd.Timestamp(self.end or pd.Timestamp.max)
        days = np.array([max((min(last, end) - max(first, begin)).days + 1, 0) for first, last, _ in spans])
        whole = np.array([(years[y].end - years[y].start).days + 1 for _, _, y in spans])
        return summed(amounts * rise.times([first for first, _, _ in spans]) * (days / whole)[:, None], spans)

    def notes(self, cost: Cost) -> list[str]:
        """Say where it lies outside the years that are shown."""
        years = cost.exposure.years
        last = self.start if self.one_off else self.end
        gone = years and ((last and last < years[0].start.date()) or (self.start and self.start > years[-1].end.date()))
        return [f"{self.name}: nothing is paid within the years that are shown."] if gone else []


class StepCost(Item, Rising):
    """A cost that comes in whole steps: another hostel for every 30 places, another worker for every 25 cases a year.

    In each draw and financial year there are as many steps as the fullest period needs (a stock), or the number of the year (a flow).
    """

    kind: ClassVar[str] = "step"
    section: ClassVar[str] = "step_costs"

    where: Where = Field(default_factory=dict)
    """Which series are counted, all together: key column -> values. Empty means all."""
    places: float = Field(gt=0)
    """For how many one step suffices: 30 places, or 25 cases a year."""
    included: int = Field(default=0, ge=0)
    """How many steps are there already and paid for elsewhere."""

    @model_validator(mode="after")
    def _holds(self) -> StepCost:
        amount(self.amount, self.name, "the amount of a step")
        return self

    def pounds(self, cost: Cost, *, seed: int) -> np.ndarray:
        """Give GBP by scenario, year and draw: `amount` is what a step costs a year.

        Raises
        ------
        BudgetError
            Where it means no series, or some that do not count the same, or a year of its path is none.
        """
        at, exposure = f"step_costs > {self.name}", cost.exposure
        rows = rows_of(cost, self.where, at=at)
        about = exposure.series.iloc[rows]
        faults = [
            Fault(f"{listed(about.index)} differ in their {column}: {listed(sorted(set(about[column])))}", f"{at} > where", allowed)
            for column, allowed in (("kind", "Either who comes, or who is there"), ("unit", "Steps are of one unit"))
            if about[column].nunique() > 1
        ]
        raise_all([*faults, *path_faults(self, exposure.start_month, at=at)], BudgetError, during="reading the step costs")
        demand = cost.demand.transpose("scenario", "series", "ds", "draw").to_numpy()
        draws, spans = demand.shape[-1], self.spans(exposure.years)
        rise = Rise.drawn(self, start_month=exposure.start_month, draws=draws, seed=seed)
        each = self.amount.draw(draws, seed=seed, name=f"step {self.name}") * averaged(rise.times([f for f, _, _ in spans]), spans)
        if about["kind"].iloc[0] == "flow":
            needed = [exposure.quantity(v[rows], rows).sum(axis=0) for v in demand]
        else:
            needed = [exposure.highest(v[rows], rows) for v in demand]
        return np.asarray(each * np.clip(np.ceil(np.array(needed) / self.places - 1e-9) - self.included, 0, None))

    def notes(self, cost: Cost) -> list[str]:
        """Say how steps are counted."""
        told = f"{self.name}: whole steps of {self.places:g}, as many as the fullest period of each year needs (of a flow: its number)."
        return [told] if cost.labels else []
