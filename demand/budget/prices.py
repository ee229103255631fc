"""What demand costs, draw by draw.

In: DEMAND, unit costs with their ranges and uplifts, and the history before the forecast. Out: `Cost`: pounds by scenario, series,
financial year and draw, actuals to date among them. Refuses prices whose unit does not fit what a series counts, and two prices on one
series where neither says that it comes on top. Series without a price are listed, never taken as free.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from pydantic import Field, model_validator

from demand.budget.payment import Payment
from demand.budget.uplift import Rise, Rising, averaged, path_faults, summed
from demand.calendar import FinancialYear
from demand.course import Course
from demand.ended import with_ended
from demand.errors import BudgetError, Fault, ScenarioError, did_you_mean, listed, raise_all
from demand.scenario.application import price_factors
from demand.scenario.exposure import DAYS, PERIODS_A_YEAR, Exposure, Span
from demand.spec import Assumption, Unit, Where
from demand.tables import History, match

__all__ = ["Cost", "Part", "UnitCost", "item_array", "price", "priced", "unit_faults", "yearly"]

TIMES = (*DAYS, *PERIODS_A_YEAR)
ABOUT_ITEMS: Mapping[str, Any] = {"item": object, "line": object, "kind": object, "recurring": bool, "where": object,
                                  "first_day": "datetime64[ns]", "last_day": "datetime64[ns]"}  # fmt: skip
"""What is known of each item of a cost."""


class UnitCost(Rising):
    """What one person, household or placement costs, and how that grows.

    The price in a financial year is amount x (1 + uplift) ^ n, where n is the number of whole financial years from the one of
    `price_base` to that year (negative for years before it): fees move on 1 April, or on `uplift_on`. All numbers are drawn from their
    ranges.
    """

    where: Where = Field(default_factory=dict)
    """Which series it is paid for: key column -> values. Empty means all."""
    size: Assumption | None = None
    """Where the bill counts something else than the series: how many of it one of theirs is, such as 2.3 person/household for a price per
    person, or 1.4 room/household."""
    weeks: float | None = Field(default=None, ge=52, le=53)
    """How many weeks of a price per week are paid in a financial year: 52, 52.143... Without it, days / 7."""
    on_top: bool = False
    """True for a cost that comes on top of another one of the same series: security, storage."""
    paid: Payment | None = None
    """How often it is paid: {every: four weeks, on: 2026-04-10}. It moves no cost, only when it is paid. Without it, in its month."""

    @model_validator(mode="after")
    def _holds(self) -> UnitCost:
        unit = Unit.parse(self.amount.unit)
        if unit.of != "GBP":
            raise ValueError(f"the amount of '{self.name}' is in '{self.amount.unit}'. Write for example 'GBP/household/week'.")
        if unit.counted is None:
            raise ValueError(f"'{self.amount.unit}' says not for whom '{self.name}' is paid. Write for example 'GBP/household/week'.")
        if len(unit.per) > 2 or (unit.period is not None and unit.period not in TIMES):
            raise ValueError(f"'{self.amount.unit}' cannot be priced. A price is per person (household...) and night, week, month or year.")
        if self.size is not None:
            size = Unit.parse(self.size.unit)
            if size.of != unit.counted or len(size.per) != 1:
                allowed = f"Write '{unit.counted}/household', if households are what is counted."
                raise ValueError(f"the size of '{self.name}' is in '{self.size.unit}', and its price per {unit.counted}. {allowed}")
        if self.weeks is not None and unit.period != "week":
            raise ValueError(f"'{self.name}' says how many weeks a year has, and has no price per week.")
        return self

    @property
    def counted(self) -> str:
        """What the series count that it is paid for: household, child..."""
        return Unit.parse(self.size.unit).per[0] if self.size else str(Unit.parse(self.amount.unit).counted)

    def numbers(self) -> dict[str, Assumption]:
        """Give the assumptions that it rests on, by what they are called in tables."""
        rates = {f"uplift: {label}".removesuffix(": "): rate for label, rate in self.rates().items()}
        return {"amount": self.amount, **rates, **({"size": self.size} if self.size else {})}

    def with_number(self, name: str, value: float) -> UnitCost:
        """Give the same cost with one of its numbers certain."""
        sure = self.numbers()[name].model_copy(update={"value": value, "low": value, "high": value})
        if not name.startswith("uplift: "):
            return self.model_copy(update={name: sure})
        return self.model_copy(update={"uplift": {**self.rates(), name.removeprefix("uplift: "): sure}})


@dataclass(frozen=True)
class Part:
    """One unit cost with the series that it is paid for and its drawn prices.

    Parameters
    ----------
    cost : UnitCost
    rows : numpy.ndarray
        Positions along the series.
    per : str or None
        Unit of time for stocks; None for flows.
    amounts : numpy.ndarray
        GBP per person (household...) that the series count, in prices of the base, shape (draws,).
    rise : Rise
        How it grows.
    times : numpy.ndarray, optional
        By what it is multiplied as people leave and start (see `demand.course`), shape (rows, periods of the forecast, draws).
    """

    cost: UnitCost
    rows: np.ndarray
    per: str | None
    amounts: np.ndarray = field(repr=False)
    rise: Rise = field(repr=False)
    times: np.ndarray | None = field(default=None, repr=False)

    @classmethod
    def drawn(cls, cost: UnitCost, rows: np.ndarray, *, draws: int, seed: int, start_month: int, times: np.ndarray | None = None) -> Part:
        """Draw the prices: of a unit cost of the same name, the same in every run."""
        amounts = cost.amount.draw(draws, seed=seed, name=f"price {cost.name}")
        if cost.size is not None:
            amounts = amounts * cost.size.draw(draws, seed=seed, name=f"size {cost.size.source}")
        rise = Rise.drawn(cost, start_month=start_month, draws=draws, seed=seed)
        return cls(cost, rows, Unit.parse(cost.amount.unit).period, amounts, rise, times)

    def prices(self, years: Sequence[FinancialYear]) -> np.ndarray:
        """Give GBP by financial year and draw: where the price moves within a year, the average over its days."""
        spans = self.cost.spans(years)
        return averaged(self.span_prices(spans), spans)

    def span_prices(self, spans: Sequence[Span]) -> np.ndarray:
        """Give GBP by span of days, in which the price stays the same, and draw."""
        prices = self.amounts * self.rise.times([first for first, _, _ in spans])
        if self.cost.weeks is None:
            return np.asarray(prices)
        years = [FinancialYear.of(first, self.rise.start_month) for first, _, _ in spans]
        return np.asarray(prices * np.array([self.cost.weeks * 7 / ((y.end - y.start).days + 1) for y in years])[:, None])

    def steps(self, years: Sequence[FinancialYear]) -> np.ndarray:
        """Give how many times the price has been uplifted when each financial year begins."""
        return self.rise.steps([year.start for year in years])

    def quantity(
        self,
        exposure: Exposure,
        values: np.ndarray,
        rows: np.ndarray,
        prices: np.ndarray | None = None,
        *,
        spans: Sequence[Span] | None = None,
        together: bool = True,
    ) -> np.ndarray:
        """Give how much of some of its series is paid for: values, and by what prices are multiplied, are (rows, periods, draws).

        Gives (rows, spans of one price, draws); of `spans` where given, for all rows `together`. What comes on top is not multiplied.
        """
        several, own = spans is not None, self.cost.spans(exposure.years)
        times = None if self.times is None else self.times[np.searchsorted(self.rows, rows)]
        if prices is not None and not self.cost.on_top:
            values, times = (values * prices, times) if self.per is None else (values, prices if times is None else times * prices)
        cut = spans if several else None if len(own) == len(exposure.years) else own
        return exposure.quantity(values, rows, per=self.per, spans=cut, times=times, together=several and together)

    def pounds(self, quantity: np.ndarray, years: Sequence[FinancialYear]) -> np.ndarray:
        """Price quantities by span: shape (..., spans, draws). Gives GBP, shape (..., years, draws)."""
        spans = self.cost.spans(years)
        return summed(quantity * self.span_prices(spans), spans)


@dataclass(frozen=True)
class Cost:
    """Pounds, draw by draw.

    Parameters
    ----------
    years : xarray.DataArray
        float64 GBP, dims (scenario, series, financial_year, draw): whole financial years only, priced series only; the coordinate
        months_actual says how many months of a year are actuals. NaN where a period of the year was not counted.
    parts : tuple of Part
    demand : xarray.DataArray
        What was priced; not copied.
    exposure : Exposure
    unpriced : pandas.DataFrame
        unique_id, reason: what is in the forecast or the history and not in the pounds.
    items : xarray.DataArray
        What no series is priced for (`with_items`): GBP, dims (scenario, item, financial_year, draw); what comes in is below zero. `years`
        stays gross: net = gross + items.
    notes : tuple of str
        What a reader of the figures has to know.
    course : Course, optional
        How prices move as people leave and start.
    """

    years: xr.DataArray = field(repr=False)
    parts: tuple[Part, ...]
    demand: xr.DataArray = field(repr=False)
    exposure: Exposure
    unpriced: pd.DataFrame = field(repr=False)
    items: xr.DataArray = field(repr=False)
    notes: tuple[str, ...] = ()
    course: Course | None = field(default=None, repr=False)

    @property
    def labels(self) -> tuple[str, ...]:
        """The whole financial years, in order."""
        return self.exposure.labels


def price(
    demand: xr.DataArray,
    unit_costs: Sequence[UnitCost],
    *,
    seed: int,
    history: History | None,
    start_month: int = 4,
    course: Course | None = None,
) -> Cost:
    """Price demand under every scenario, draw by draw.

    Parameters
    ----------
    demand : xarray.DataArray
        DEMAND, dims (scenario, series, ds, draw).
    unit_costs : sequence of UnitCost
    seed : int
        The run's seed: prices are drawn from it, the same for a unit cost of the same name in every run.
    history : History or None
        What was counted before: the current year is actuals to date plus the rest. None where only the forecast is known: then the first
        year is shown only if all of it lies ahead. Series that ended in the current year are priced for what was counted (`with_ended`).
    start_month : int
        The month in which financial years begin.
    course : Course, optional
        How the price of a place moves as people leave and start: it multiplies every price by time, but for what comes `on_top`.

    Returns
    -------
    Cost

    Raises
    ------
    BudgetError
        With every fault of every unit cost at once.
    """
    if history is not None:
        demand, history = with_ended(demand, history, start_month=start_month)
    exposure = Exposure(demand[0], history, start_month)
    parts = _parts(exposure, unit_costs, draws=demand.sizes["draw"], seed=seed, course=course)
    rows = np.unique(np.concatenate([p.rows for p in parts])) if parts else np.array([], dtype=int)
    shape = (demand.sizes["scenario"], len(rows), len(exposure.labels), demand.sizes["draw"])
    pounds = np.empty(shape, dtype=np.float64)
    ordered = demand.transpose("scenario", "series", "ds", "draw").to_numpy()
    factors = price_factors(demand)
    for position, values in enumerate(ordered):
        other = None if factors is None else factors[position]
        same = [np.array_equal(values[r], ordered[0, r]) and (other is None or bool((other[r] == 1).all())) for r in rows]
        moved = rows[~np.array(same, dtype=bool)] if position else rows
        pounds[position] = pounds[0] if position else 0.0
        times = None if other is None else other[moved]
        pounds[position, np.searchsorted(rows, moved)] = priced(parts, exposure, values[moved], moved, times)
    about = {n: (c.dims, c.to_numpy()[rows]) for n, c in demand.coords.items() if c.dims == ("series",)}
    coords = {"scenario": demand["scenario"].to_numpy(), "financial_year": np.array(exposure.labels, dtype=object), **about,
              "draw": demand["draw"].to_numpy(), "months_actual": ("financial_year", exposure.months_actual)}  # fmt: skip
    attrs = {**demand.attrs, "unit": "GBP"}
    years = xr.DataArray(pounds, dims=("scenario", "series", "financial_year", "draw"), coords=coords, attrs=attrs)
    items = item_array(years, np.zeros((shape[0], 0, *shape[2:])), {})
    return Cost(years, parts, demand, exposure, _unpriced(exposure, rows, history), items, tuple(_notes(parts, years, course)), course)


def yearly(cost: Cost) -> xr.DataArray:
    """Give pounds by scenario, series, whole financial year and draw (GBP, float64); months_actual is a coordinate of the year."""
    return cost.years


def priced(parts: Sequence[Part], exposure: Exposure, values: np.ndarray, rows: np.ndarray, prices: np.ndarray | None = None) -> np.ndarray:
    """Price some series of one scenario by whole financial year.

    Parameters
    ----------
    parts : sequence of Part
    exposure : Exposure
    values : numpy.ndarray
        Shape (rows, periods, draws).
    rows : numpy.ndarray
        Positions of the series, ascending.
    prices : numpy.ndarray, optional
        By what prices are multiplied, in the shape of `values`.

    Returns
    -------
    numpy.ndarray
        float64 GBP, shape (rows, years, draws); zero for series that no part pays for.
    """
    pounds = np.zeros((len(rows), len(exposure.labels), values.shape[2]))
    for part in parts:
        both, _, at = np.intersect1d(part.rows, rows, return_indices=True)
        times = None if prices is None else prices[at]
        pounds[at] += part.pounds(part.quantity(exposure, values[at], both, times), exposure.years)
    return pounds


def _parts(exposure: Exposure, unit_costs: Sequence[UnitCost], *, draws: int, seed: int, course: Course | None) -> tuple[Part, ...]:
    parts: list[Part] = []
    faults: list[Fault] = []
    paid: dict[int, str] = {}
    names = [c.name for c in unit_costs]
    faults += [Fault(f"two unit costs are called '{n}'", where="costs") for n in sorted(set(names)) if names.count(n) > 1]
    for cost in unit_costs:
        at = f"costs > {cost.name}"
        try:
            rows = np.flatnonzero(match(exposure.series, cost.where, at=f"{at} > where"))
        except ScenarioError as error:
            faults += list(error.faults)
            continue
        faults += path_faults(cost, exposure.start_month, at=at)
        faults += unit_faults(cost.amount.unit, cost.counted, exposure.series.iloc[rows], where=f"{at} > amount.unit")
        twice = [int(r) for r in rows if int(r) in paid] if not cost.on_top else []
        if twice:
            found = f"{listed(exposure.series.index[twice])} already cost '{paid[twice[0]]}'"
            faults.append(Fault(found, at, "One price a series", "Narrow one of the two, or say 'on_top: true' where both are paid"))
        paid |= {int(r): cost.name for r in rows if not cost.on_top}
        moves = course if Unit.parse(cost.amount.unit).period and not cost.on_top and not _grows_twice(cost, course) else None
        times = None if moves is None else moves.times(exposure.series.index[rows], exposure.ds, draws)
        parts.append(Part.drawn(cost, rows, draws=draws, seed=seed, start_month=exposure.start_month, times=times))
    raise_all(faults, BudgetError, during="reading the unit costs")
    return tuple(parts)


def _grows_twice(cost: UnitCost, course: Course | None) -> bool:
    """Say whether a price has an uplift of its own, and new starts grow by their trend beside it."""
    return course is not None and course.grows and cost.uplift is not None


def unit_faults(written: str, counted: str, series: pd.DataFrame, *, where: str) -> list[Fault]:
    """Say why a price in a unit does not fit what series count; `counted` is what one of theirs has to be."""
    unit, faults = Unit.parse(written), []
    others = series[[Unit.parse(str(u)).of != counted for u in series["unit"]]]
    if len(others):
        counts = sorted(set(others["unit"]))
        allowed = f"{listed(others.index)} count {listed(counts)}. {did_you_mean(counted, counts)}"
        each = Unit.parse(str(counts[0])).of
        do_next = f"Or say how many one {each} is: size, in '{unit.counted}/{each}'"
        faults.append(Fault(f"a price per {counted} ('{written}') on series of {listed(counts)}", where, allowed, do_next))
    flows, stocks = series.index[series["kind"] == "flow"], series.index[series["kind"] == "stock"]
    if unit.period and len(flows):
        allowed = f"{listed(flows)} count who came, not how long they stayed. Price the stock, or write what one of them costs in all"
        faults.append(Fault(f"a price per {unit.period} on a flow", where, allowed, f"For example 'GBP/{unit.counted}'"))
    if not unit.period and len(stocks):
        allowed = f"{listed(stocks)} count who is there: they are paid for by time"
        faults.append(Fault(f"a price without a time ('{written}') on a stock", where, allowed, f"For example 'GBP/{unit.counted}/week'"))
    return faults


def item_array(years: xr.DataArray, pounds: np.ndarray, about: Mapping[str, Any]) -> xr.DataArray:
    """Give `Cost.items`: GBP of shape (scenarios, items, years, draws), with `ABOUT_ITEMS` and targets as coordinates."""
    coords = {n: c for n, c in years.coords.items() if "series" not in c.dims}
    known = {n: ("item", np.array(about.get(n, []), dtype=of)) for n, of in ABOUT_ITEMS.items()}
    dims = ("scenario", "item", "financial_year", "draw")
    targets = {"target": (dims[:3], about.get("target", np.zeros(pounds.shape[:3])))}
    return xr.DataArray(pounds, dims=dims, coords={**coords, **known, **targets}, attrs={"unit": "GBP"})


def _unpriced(exposure: Exposure, rows: np.ndarray, history: History | None) -> pd.DataFrame:
    free = exposure.series.index.delete(rows)
    gone = [] if history is None else [str(i) for i in history.series.index.difference(exposure.series.index)]
    reasons = ["no unit cost"] * len(free) + ["not forecast"] * len(gone)
    return pd.DataFrame({"unique_id": [*free, *gone], "reason": reasons}, dtype=object)


def _notes(parts: Sequence[Part], years: xr.DataArray, course: Course | None) -> list[str]:
    notes = []
    own = [p.cost.name for p in parts if p.per is not None and not p.cost.on_top and _grows_twice(p.cost, course)]
    if own:
        notes.append(f"{listed(own)}: grows by its own uplift alone, because new starts follow their trend in this run (`prices`).")
    running = [p.cost.name for p in parts if p.times is not None]
    if running:
        notes.append(f"{listed(running)}: every placement runs on at its own price, and new starts come at that of recent starts.")
    flat = [p.cost.name for p in parts if p.cost.uplift is None and p.times is None]
    if flat:
        notes.append(f"{listed(flat)}: no uplift was given, so later years are in the prices of the price base.")
    for part in parts:
        labels = [label for label in part.cost.rates() if label]
        beyond = [str(y) for y in years["financial_year"].to_numpy() if labels and str(y) > max(labels)]
        if beyond:
            notes.append(
                f"{part.cost.name}: on the path of its uplift no rate is given for {listed(beyond)}, so that of the nearest year holds."
            )
    guesses = [p.cost.name for p in parts if any(n.placeholder for n in p.cost.numbers().values())]
    if guesses:
        notes.append(f"{listed(guesses)}: the figure is a placeholder that nobody has answered for yet.")
    holes = years.isnull().any(("scenario", "draw"))
    for label in years["financial_year"].to_numpy()[holes.any("series").to_numpy()]:
        ids = years["series"].to_numpy()[holes.sel(financial_year=label).to_numpy()]
        notes.append(f"{label}: {listed(ids)} have periods that were not counted, so the year is not priced for them.")
    return notes
