"""Prices from the extract: what new starts cost by type, how that has grown, and what those who are there cost now.

In: episodes of people with a price a week, and the series that they are counted in. Out: `StartPrices.found`: a unit cost for each type,
whose amount is drawn from the real, heavy-tailed prices, and a table that says what one more placement costs. Refuses extracts without
prices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from demand.budget.payment import Payment
from demand.budget.prices import UnitCost
from demand.budget.uplift import refuse_rates
from demand.errors import BudgetError, Fault, did_you_mean, listed
from demand.pooling import pooled, shrunk
from demand.spec import EIGHTY, Assumption, NameList, Spec, Unit, stream

__all__ = ["START_PRICES", "FoundPrices", "Sampled", "StartPrices"]

START_PRICES = [
    "type", "starts", "open", "price_of_open", "price_of_start", "growth", "growth_low", "growth_high", "spread", "one_more_low_pence",
    "one_more_pence", "one_more_high_pence", "pooled",
]  # fmt: skip
"""The columns of start_prices.csv: prices in GBP a week, growth a year, one more placement in pence a year."""
ENOUGH, FEWEST = 30, 5
"""How many prices of its own a type needs for its spread; and for a trend, or an average of those who are there."""
MOST = 2_000
"""How many starts a trend looks at: it compares each with each."""
TIMES = 999
"""How often the mean of prices is drawn anew."""
WEEKS = 365.25 / 7


class Sampled(Assumption):
    """A number whose draws follow what was seen, not a normal: `points` are evenly spaced quantiles of it."""

    points: tuple[float, ...]
    """From the lowest to the highest."""

    def places(self, draws: int, *, seed: int, name: str) -> np.ndarray:
        """Draw where in its range the number lies, so that `at` gives the quantiles that were seen."""
        from scipy.special import ndtr

        share = ndtr(super().places(draws, seed=seed, name=name) * EIGHTY)
        beyond = np.interp(share, np.linspace(0, 1, len(self.points)), self.points) - self.value
        width = np.where(beyond < 0, self.value - self.low, self.high - self.value)
        return np.asarray(np.divide(beyond, width, out=np.zeros(draws), where=width > 0))


@dataclass(frozen=True)
class FoundPrices:
    """What an extract says of prices.

    Parameters
    ----------
    costs : tuple of UnitCost
        One for each type that is counted as a stock.
    table : pandas.DataFrame
        `START_PRICES`.
    notes : tuple of str
    """

    costs: tuple[UnitCost, ...]
    table: pd.DataFrame = field(repr=False)
    notes: tuple[str, ...]


class StartPrices(Spec):
    """Prices that are taken from the extract of people, in place of unit costs that somebody writes."""

    by: str
    """The key whose values have a price each: type."""
    values: NameList = Field(default_factory=list)
    """Which of its values; empty means all that have a price and are counted as a stock."""
    years: float = Field(default=5, gt=0)
    """How far back starts are looked at."""
    owner: str
    """Who answers for the prices in the extract: a role, not a name."""
    uplift: Assumption | dict[str, Assumption] | None = None
    """How all prices grow, or the name of a path under `uplifts`; without it, by the trend of new starts."""
    uplift_on: str = ""
    """The day of the year on which the uplift comes, such as 1 July; without it the first day of the financial year."""

    paid: Payment | None = None
    """How often they are paid, as for a unit cost; without it, in their month."""

    @model_validator(mode="after")
    def _grows(self) -> StartPrices:
        refuse_rates("prices", self.uplift)
        return self

    def found(
        self, people: pd.DataFrame | None, series: pd.DataFrame, *, as_of: pd.Timestamp, seed: int, run_off: bool = False
    ) -> FoundPrices:
        """Estimate prices.

        Logs of the prices of starts follow a straight line in time (Theil-Sen, so that single dear placements do not tilt it); slopes of
        types are drawn towards each other by how much of what tells them apart is chance. What is around the line is kept as it is: the
        price of a start is the line's times the mean of what is around it (Duan's smearing). The amount of a unit cost is what those who
        are there cost now, where there are enough of them; its draws are means of so many resampled prices as there are people there and
        starts in a year, so that few placements give wide ranges.

        Parameters
        ----------
        people : pandas.DataFrame or None
            PEOPLE with opened, closed and price (GBP a week).
        series : pandas.DataFrame
            The series, as `History.series` has them.
        as_of : pandas.Timestamp
            The last day that is known.
        seed : int
        run_off : bool
            Whether every placement runs on at its own price (see `demand.course`): what those who are there cost is then known, and the
            trend of new starts acts on new starts alone.

        Returns
        -------
        FoundPrices

        Raises
        ------
        BudgetError
            Where there are no prices, or no such key.

        References
        ----------
        Sen, P. K. (1968). Estimates of the regression coefficient based on Kendall's tau. JASA 63, 1379-1389. Duan, N. (1983). Smearing
        estimate: a nonparametric retransformation method. JASA 78, 605-610.
        """
        episodes = self._episodes(people, series, as_of)
        places = {value: series.index[(series[self.by] == value) & (series["kind"] == "stock")] for value in self._values(episodes, series)}
        starts = {value: _Starts.of(episodes[episodes[self.by] == value], as_of, self.years) for value in places}
        slopes, errors = _slopes([one.slope for one in starts.values()], [one.noise for one in starts.values()])
        shapes = np.concatenate([one.around(slope) for one, slope in zip(starts.values(), slopes, strict=True)])
        rows, costs, notes = [], [], []
        for (value, one), slope, error in zip(starts.items(), slopes, errors, strict=True):
            few = len(one.logs) < ENOUGH
            shape = np.exp(shapes if few else one.around(slope))
            start = float(np.exp(one.level(slope)) * shape.mean())
            low, high = np.quantile(shape, [0.1, 0.9]) / shape.mean() * start * WEEKS
            growth = [float(np.expm1(slope + z * error)) for z in (-EIGHTY, 0, EIGHTY)]
            there = float(one.open.mean()) if len(one.open) else np.nan
            spread, dear = float(np.std(np.log(shape))), (round(p * 100) for p in (low, start * WEEKS, high))
            rows.append([value, len(one.logs), len(one.open), there, start, growth[1], growth[0], growth[2], spread, *dear, few])
            cost = self._cost(value, one, start=start, shape=shape, growth=growth, series=series.loc[places[value]], seed=seed)
            costs.append(self._as_asked(cost, one, run_off=run_off))
            notes.append(_told(value, one, low=low, expected=start * WEEKS, high=high, few=few))
        return FoundPrices(tuple(costs), pd.DataFrame(rows, columns=START_PRICES), tuple(notes))

    def _episodes(self, people: pd.DataFrame | None, series: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
        """Give the episodes that have a price and had begun."""
        faults = []
        if people is None or not {"price", "opened", "closed"} <= set(people):
            do_next = "Name the columns: data > people > price, opened and closed"
            faults.append(Fault("the extract of people has no prices with dates", "prices", do_next=do_next))
        elif self.by not in people or self.by not in series:
            keys = [c for c in series.columns if c in people and c not in ("kind", "unit")]
            faults.append(
                Fault(f"'{self.by}' is not a key of the people and of what is counted", "prices > by", did_you_mean(self.by, keys))
            )
        if faults or people is None:
            raise BudgetError(faults, during="taking prices from the extract")
        found = people[(people["price"] > 0) & (people["opened"] <= as_of)]
        return found.sort_values(["opened", "price"], ignore_index=True)

    def _values(self, episodes: pd.DataFrame, series: pd.DataFrame) -> list[str]:
        stocks = series[series["kind"] == "stock"]
        known = sorted(set(episodes[self.by].dropna().astype(str)) & set(stocks[self.by].astype(str)))
        wrong = [v for v in self.values if v not in known]
        if wrong or not known:
            found = (
                f"{listed(wrong)} of '{self.by}' has no prices in the extract" if wrong else "no type has prices and is counted as a stock"
            )
            raise BudgetError(Fault(found, "prices > values", did_you_mean(wrong[0], known) if wrong else ""))
        return list(self.values) or known

    def _cost(
        self, value: str, one: _Starts, *, start: float, shape: np.ndarray, growth: list[float], series: pd.DataFrame, seed: int
    ) -> UnitCost:
        """Make the unit cost of a type: the amount is resampled, and the uplift is the trend of its starts."""
        enough = len(one.open) >= FEWEST
        level, shape = (float(one.open.mean()), one.open if len(one.open) >= ENOUGH else shape) if enough else (start, shape)
        count = max(len(one.open) + one.a_year, 1)
        rng = stream(seed, "prices of", value)
        means = np.array([rng.choice(shape, count).mean() for _ in range(TIMES)]) / shape.mean() * level
        points = np.quantile(means, np.linspace(0, 1, 201))
        source = f"the extract: {value}, {len(one.open)} there on {one.as_of.date()}, {len(one.logs)} starts in {self.years:g} years"
        passport = {"source": source, "as_of": one.as_of.date(), "owner": self.owner}
        unit = Unit.parse(str(series["unit"].iloc[0])).of
        amount = Sampled(
            value=points[100], low=points[20], high=points[180], unit=f"GBP/{unit}/week", points=tuple(points.tolist()), **passport
        )
        grown = {**passport, "source": f"the extract: trend of new starts in {self.years:g} years"}  # of one source: types move together
        uplift = Assumption(value=growth[1], low=growth[0], high=growth[2], unit="per year", **grown)
        moves = one.as_of + pd.DateOffset(months=6, days=1)
        moves += pd.Timedelta(days=int((moves.month, moves.day) == (2, 29)))  # a day that every year has
        where = {"unique_id": [str(i) for i in series.index]}
        name = f"{value} (from the extract)"
        return UnitCost(
            name=name, where=where, amount=amount, uplift=uplift, uplift_on=f"{moves:%d %B}", price_base=one.as_of.date(), paid=self.paid
        )

    def _as_asked(self, cost: UnitCost, one: _Starts, *, run_off: bool) -> UnitCost:
        """Put the uplift that is given in the place of the trend, and where placements run on the price that is known."""
        if run_off and len(one.open):
            there = float(one.open.mean())
            known = {**cost.amount.model_dump(exclude={"points"}), "value": there, "low": there, "high": there}
            cost = cost.model_copy(update={"amount": Assumption.model_validate(known)})
        if self.uplift is None and not run_off:
            return cost
        return cost.model_copy(update={"uplift": self.uplift, "uplift_on": self.uplift_on})


@dataclass(frozen=True)
class _Starts:
    """The prices of one type: logs of those of starts, when they were, and what those who are there cost."""

    as_of: pd.Timestamp
    years: np.ndarray
    logs: np.ndarray
    open: np.ndarray
    a_year: int
    slope: float
    noise: float

    @classmethod
    def of(cls, episodes: pd.DataFrame, as_of: pd.Timestamp, years: float) -> _Starts:
        """Estimate the trend of one type by itself: NaN where it has too few starts, or all on one day."""
        from scipy.stats import theilslopes

        since = ((episodes["opened"] - as_of).dt.days / 365.25).to_numpy()
        recent = since > -years
        ago, logs = since[recent], np.log(episodes["price"].to_numpy(dtype=float)[recent])
        there = episodes["closed"].isna() | (episodes["closed"] > as_of)
        slope = noise = np.nan
        if len(logs) >= 2 * FEWEST and np.ptp(ago) > 1:
            few = slice(None, None, -(-len(logs) // MOST))
            line = theilslopes(logs[few], ago[few], alpha=0.8)
            slope, noise = float(line.slope), max(float((line.high_slope - line.low_slope) / 2 / EIGHTY) ** 2, 1e-8)
        return cls(as_of, ago, logs, episodes["price"].to_numpy(dtype=float)[there.to_numpy()], int((ago > -1).sum()), slope, noise)

    def level(self, slope: float) -> float:
        """Give the log of the middle price on the last day."""
        return float(np.median(self.logs - slope * self.years)) if len(self.logs) else float(np.log(np.median(self.open)))

    def around(self, slope: float) -> np.ndarray:
        """Give what is around the line, in logs."""
        return np.asarray(self.logs - slope * self.years - self.level(slope))


def _slopes(each: Sequence[float], noise: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Draw slopes towards each other, and give their standard errors; types without one take the mean, or 0 where nobody has one."""
    own, variance = np.array(each), np.array(noise)
    known = np.isfinite(own)
    if not known.any():
        return np.zeros(len(own)), np.full(len(own), np.log(1.05) / EIGHTY)
    mean, error, between = pooled(own[known], variance[known])
    slopes = np.where(known, shrunk(own, variance), mean)
    alone = np.where(known, variance, np.inf)
    weight = between / (between + alone) if known.sum() > 1 else np.where(known, 1.0, 0.0)
    left = np.where(np.isfinite(alone), weight * np.where(known, variance, 0.0), between)
    return slopes, np.sqrt(left + (1 - weight) ** 2 * error**2)


def _told(value: str, one: _Starts, *, low: float, expected: float, high: float, few: bool) -> str:
    spread = f"; {len(one.logs)} starts are too few for a spread of their own, so that of all types is taken" if few else ""
    return (
        f"One more placement of type {value} costs {expected:,.0f} GBP a year at the price of new starts "
        f"({low:,.0f} to {high:,.0f} for 4 in 5 of them), from {len(one.logs)} starts{spread}."
    )
