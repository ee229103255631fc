"""Income by rule: housing benefit subsidy, what people contribute, and shares of cost that others pay.

In: `Cost`, and rules that say for which series how much comes in. Out: pounds below zero by scenario, year and draw; never more than the
series cost, at any price of the year. Refuses rules whose units do not fit what is counted, and series that cost nothing.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from demand.budget.items import Item, rows_of, share
from demand.budget.prices import Cost, unit_faults
from demand.budget.uplift import Rise, Rising, path_faults, summed
from demand.calendar import FinancialYear
from demand.errors import BudgetError, Fault, listed, raise_all
from demand.scenario import price_factors
from demand.scenario.exposure import Span
from demand.spec import Assumption, Unit, Where

__all__ = ["Contribution", "HousingBenefit", "Income", "IncomeRule", "Reimbursed", "capped_mean"]

SELF_CONTAINED = 0.9
"""Of the local housing allowance: DWP, Housing Benefit subsidy guidance manual, section 6 (temporary accommodation)."""


class Income(Item):
    """What comes in for some of the series."""

    kind: ClassVar[str] = "income"
    section: ClassVar[str] = "income"

    where: Where = Field(default_factory=dict)
    """For which series it comes in: key column -> values. Empty means all."""
    share: Assumption | None = None
    """For what share of them: 0.85 where 85 % are entitled, or pay. Without it, for all."""

    @model_validator(mode="after")
    def _ratio(self) -> Income:
        share(self.share, self.name)
        return self

    def shares(self, draws: int, *, seed: int) -> np.ndarray:
        """Draw the share."""
        return np.ones(draws) if self.share is None else self.share.draw(draws, seed=seed, name=f"share {self.name}").clip(max=1.0)

    def gross(self, cost: Cost) -> tuple[np.ndarray, np.ndarray]:
        """Give the positions of its series, and what they cost: GBP, shape (scenarios, series, years, draws).

        Raises
        ------
        BudgetError
            Where it means no series, or one that has no price.
        """
        at, known = f"income > {self.name}", cost.years.get_index("series")
        rows = rows_of(cost, self.where, at=at)
        ids = cost.exposure.series.index[rows]
        free = ids.difference(known)
        if len(free):
            do_next = "Give them a unit cost, or narrow 'where'"
            raise BudgetError(
                Fault(f"{listed(free)} have no price", f"{at} > where", "What comes in is never more than the series cost", do_next)
            )
        return rows, cost.years.transpose("scenario", "series", "financial_year", "draw").to_numpy()[:, known.get_indexer(ids)]

    def notes(self, cost: Cost) -> list[str]:
        """Say nothing more: what is assumed stands in the ledger."""
        return [] if cost.labels else [f"{self.name}: there is no whole financial year that it could be shown for."]


class Limited(Income):
    """So much for everybody who is there, and in each draw and stretch of days at one price no more than the series cost."""

    @property
    @abstractmethod
    def number(self) -> Assumption:
        """The number whose unit says for whom it is, and for how long."""

    @abstractmethod
    def limits(self, years: Sequence[FinancialYear], *, draws: int, seed: int) -> np.ndarray:
        """Draw what there is for one of those counted, in its unit of time: shape (spans of one rate, draws)."""

    def pounds(self, cost: Cost, *, seed: int) -> np.ndarray:
        """Give GBP by scenario, year and draw: what comes in, below zero.

        Raises
        ------
        BudgetError
            Where it means no series, or series that do not fit or have no price.
        """
        rows, gross = self.gross(cost)
        at, unit, exposure = f"income > {self.name}", Unit.parse(self.number.unit), cost.exposure
        faults = unit_faults(self.number.unit, str(unit.counted), exposure.series.iloc[rows], where=at)
        paths = path_faults(self, exposure.start_month, at=at) if isinstance(self, Rising) else []
        raise_all([*faults, *paths], BudgetError, during="reading the income")
        draws, years = gross.shape[-1], exposure.years
        own = self.spans(years) if isinstance(self, Rising) else [(y.start, y.end, position) for position, y in enumerate(years)]
        parts = [part for part in cost.parts if np.isin(part.rows, rows).any()]
        spans = _cut([own, *(part.cost.spans(years) for part in parts)], years)
        at_rate = np.searchsorted([first for first, _, _ in own], [first for first, _, _ in spans], side="right") - 1
        limits, shares = self.limits(years, draws=draws, seed=seed)[at_rate], self.shares(draws, seed=seed)
        demand, times = cost.demand.transpose("scenario", "series", "ds", "draw").to_numpy(), price_factors(cost.demand)
        found = np.empty((len(gross), len(years), draws))
        for s, values in enumerate(demand):
            paid = gross[s]
            if len(spans) > len(years):
                paid = np.zeros((len(rows), len(spans), draws))
                for part in parts:
                    both, mine, _ = np.intersect1d(rows, part.rows, return_indices=True)
                    more = None if times is None else times[s, both]
                    used = part.quantity(exposure, values[both], both, more, spans=spans, together=False)
                    paid[mine] += used * part.span_prices(spans)
            most = exposure.quantity(values[rows], rows, per=unit.period, spans=spans) * limits
            found[s] = -shares * summed(np.minimum(paid, most), spans).sum(axis=0)
        return found


def _cut(several: Sequence[Sequence[Span]], years: Sequence[FinancialYear]) -> list[Span]:
    """Cut financial years wherever one of several rates moves."""
    begins = sorted({first for spans in several for first, _, _ in spans})
    ends = [*(day - pd.Timedelta(days=1) for day in begins[1:]), *(year.end for year in years[-1:])]
    return [
        (first, last, next(p for p, y in enumerate(years) if y.start <= first <= y.end)) for first, last in zip(begins, ends, strict=True)
    ]


class HousingBenefit(Limited):
    """Housing benefit subsidy for temporary accommodation: the rent, but no more than a limit set by the allowances of January 2011.

    Where homes are not self-contained the limit is the allowance for one bedroom, else 90 % of the one for the size of the home.

    References
    ----------
    Department for Work and Pensions, Housing Benefit subsidy guidance manual, section 6: temporary accommodation.
    """

    rule: Literal["housing_benefit"]
    """The name of the rule."""
    lha_2011: Assumption
    """The local housing allowance of January 2011 in GBP/household/week: for one bedroom, or for the size of the homes."""
    self_contained: bool
    """True for homes with their own kitchen and bathroom."""

    @property
    def number(self) -> Assumption:
        """The allowance."""
        return self.lha_2011

    def limits(self, years: Sequence[FinancialYear], *, draws: int, seed: int) -> np.ndarray:
        """Draw the limit, the same in every year: allowances of one source lie alike in their ranges."""
        limit = self.lha_2011.draw(draws, seed=seed, name=f"allowance {self.lha_2011.source}")
        return np.broadcast_to(limit * (SELF_CONTAINED if self.self_contained else 1.0), (len(years), draws))


class Contribution(Limited, Rising):
    """What people pay towards their care: so much a week on average, each no more than a cap."""

    rule: Literal["contribution"]
    """The name of the rule."""
    cap: Assumption | None = None
    """What nobody pays more than, in the unit of the amount: 100 GBP/person/week. Without it, there is no cap."""
    spread: float = Field(default=0.0, ge=0)
    """How unlike people are in what they could pay: the standard deviation of its logarithm, 0.6 for example. 0 takes all as alike."""

    @model_validator(mode="after")
    def _fits(self) -> Contribution:
        if self.cap is not None and Unit.parse(self.cap.unit) != Unit.parse(self.amount.unit):
            raise ValueError(f"the cap of '{self.name}' is in '{self.cap.unit}', and its amount in '{self.amount.unit}'. Use one unit.")
        return self

    @property
    def number(self) -> Assumption:
        """The amount."""
        return self.amount

    def limits(self, years: Sequence[FinancialYear], *, draws: int, seed: int) -> np.ndarray:
        """Draw what people pay on average, each no more than the cap."""
        days = [first for first, _, _ in self.spans(years)]
        rise = Rise.drawn(self, start_month=years[0].start_month if years else 4, draws=draws, seed=seed)
        amounts = self.amount.draw(draws, seed=seed, name=f"contribution {self.name}")
        paid = amounts * rise.times(days)
        return (
            np.asarray(paid)
            if self.cap is None
            else capped_mean(paid, self.cap.draw(draws, seed=seed, name=f"cap {self.name}"), self.spread)
        )

    def notes(self, cost: Cost) -> list[str]:
        """Say where the cap meets an average, which overstates what comes in."""
        told = super().notes(cost)
        if self.cap is not None and self.spread == 0:
            told.append(f"{self.name}: all are taken to pay alike, so that the cap binds all or nobody. Give 'spread' if people differ.")
        return told


class Reimbursed(Income):
    """A share of what the series cost that others pay: health, education, another council."""

    rule: Literal["reimbursed"]
    """The name of the rule."""
    share: Assumption
    """The share that they pay: 0.3 is 30 %."""

    def pounds(self, cost: Cost, *, seed: int) -> np.ndarray:
        """Give GBP by scenario, year and draw: what comes in, below zero.

        Raises
        ------
        BudgetError
            Where it means no series, or one that has no price.
        """
        _, gross = self.gross(cost)
        return np.asarray(-gross.sum(axis=1) * self.shares(gross.shape[-1], seed=seed))


IncomeRule = Annotated[HousingBenefit | Contribution | Reimbursed, Field(discriminator="rule")]
"""One of the rules, told apart by `rule`."""


def capped_mean(mean: np.ndarray, cap: np.ndarray, spread: float) -> np.ndarray:
    """Give the average of amounts of which none exceeds a cap: the amounts are log-normal with a mean and a spread of their logarithm.

    References
    ----------
    The limited expected value of the log-normal: Klugman, S. A., Panjer, H. H. and Willmot, G. E. (2012). Loss Models, 4th edition,
    appendix A.5.1.1.

    Examples
    --------
    >>> capped_mean(np.array([80.0, 120.0]), np.array([100.0]), 0.0).tolist()
    [80.0, 100.0]
    """
    from scipy.special import ndtr

    if spread == 0:
        return np.asarray(np.minimum(mean, cap))
    with np.errstate(over="ignore"):
        z = np.log(np.maximum(cap, 1e-9) / np.maximum(mean, 1e-9)) / spread
    return np.asarray(mean * ndtr(z - spread / 2) + cap * ndtr(-z - spread / 2))
