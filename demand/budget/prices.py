"""What demand costs, draw by draw.

In: DEMAND, unit costs with their ranges and uplifts, and the history before the forecast. Out: `Cost`: pounds by scenario, series,
financial year and draw, actuals to date among them. Refuses prices whose unit does not fit what a series counts, and two prices on one
series where neither says that it comes on top. Series without a price are listed, never taken as free.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from pydantic import Field, model_validator

from demand.calendar import FinancialYear, year_shares
from demand.ended import with_ended
from demand.errors import BudgetError, Fault, ScenarioError, did_you_mean, listed, raise_all
from demand.scenario.exposure import DAYS, PERIODS_A_YEAR, Exposure, lengths
from demand.spec import Assumption, Spec, Unit, Where
from demand.tables import History, match

__all__ = ["Cost", "Part", "UnitCost", "by_period", "item_array", "places", "price", "priced", "yearly"]

TIMES = (*DAYS, *PERIODS_A_YEAR)
ABOUT_ITEMS: Mapping[str, Any] = {"item": object, "line": object, "kind": object, "recurring": bool, "last_day": "datetime64[ns]"}
"""What is known of each item of a cost."""


class UnitCost(Spec):
    """What one person, household or placement costs, and how that grows.

    The price in a financial year is amount x (1 + uplift) ^ n, where n is the number of whole financial years from the one of
    `price_base` to that year (negative for years before it): fees move on 1 April. Amount and uplift are drawn from their ranges.
    """

    name: str
    """What it is called in tables."""
    where: Where = Field(default_factory=dict)
    """Which series it is paid for: key column -> values. Empty means all."""
    amount: Assumption
    """GBP per household and week (or child, night, year...) for a stock; GBP per household for a flow."""
    uplift: Assumption | None = None
    """Growth a year: 0.03 is 3 %. Without it, prices stay those of the price base. Uplifts that have the same source move together."""
    price_base: date | None = None
    """The day whose prices the amount is in; without it, the day for which the amount was right."""
    on_top: bool = False
    """True for a cost that comes on top of another one of the same series: security, storage."""

    @model_validator(mode="after")
    def _holds(self) -> UnitCost:
        unit = Unit.parse(self.amount.unit)
        if unit.of != "GBP":
            raise ValueError(f"the amount of '{self.name}' is in '{self.amount.unit}'. Write for example 'GBP/household/week'.")
        if unit.counted is None:
            raise ValueError(f"'{self.amount.unit}' says not for whom '{self.name}' is paid. Write for example 'GBP/household/week'.")
        if len(unit.per) > 2 or (unit.period is not None and unit.period not in TIMES):
            raise ValueError(f"'{self.amount.unit}' cannot be priced. A price is per person (household...) and night, week, month or year.")
        if self.uplift is not None:
            grows = Unit.parse(self.uplift.unit)
            if grows.per != ("year",) or grows.of not in ("1", "ratio"):
                raise ValueError(f"the uplift of '{self.name}' is in '{self.uplift.unit}'. Write 'per year': 0.03 is 3 %.")
            if self.uplift.low <= -1:
                raise ValueError(f"an uplift of {self.uplift.low:g} leaves nothing of '{self.name}'. 0.03 is 3 %.")
        return self

    @property
    def base(self) -> date:
        """The day whose prices the amount is in."""
        return self.price_base or self.amount.as_of


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
        GBP in prices of the base, shape (draws,).
    growth : numpy.ndarray
        1 + uplift, shape (draws,).
    """

    cost: UnitCost
    rows: np.ndarray
    per: str | None
    amounts: np.ndarray = field(repr=False)
    growth: np.ndarray = field(repr=False)

    def prices(self, years: Sequence[FinancialYear]) -> np.ndarray:
        """Give GBP by financial year and draw."""
        return np.asarray(self.amounts * self.growth ** self.steps(years)[:, None])

    def steps(self, years: Sequence[FinancialYear]) -> np.ndarray:
        """Give how many times the price has been uplifted in each financial year."""
        return np.array([y.first - FinancialYear.of(self.cost.base, y.start_month).first for y in years], dtype=float)


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
    """

    years: xr.DataArray = field(repr=False)
    parts: tuple[Part, ...]
    demand: xr.DataArray = field(repr=False)
    exposure: Exposure
    unpriced: pd.DataFrame = field(repr=False)
    items: xr.DataArray = field(repr=False)
    notes: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The whole financial years, in order."""
        return self.exposure.labels

    @property
    def draws(self) -> xr.DataArray:
        """COST by period: made when it is asked for, and not kept."""
        return by_period(self)


def price(demand: xr.DataArray, unit_costs: Sequence[UnitCost], *, seed: int, history: History | None, start_month: int = 4) -> Cost:
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
    parts = _parts(exposure, unit_costs, draws=demand.sizes["draw"], seed=seed)
    rows = np.unique(np.concatenate([p.rows for p in parts])) if parts else np.array([], dtype=int)
    shape = (demand.sizes["scenario"], len(rows), len(exposure.labels), demand.sizes["draw"])
    pounds = np.empty(shape, dtype=np.float64)
    ordered = demand.transpose("scenario", "series", "ds", "draw").to_numpy()
    for position in range(shape[0]):
        pounds[position] = priced(parts, exposure, ordered[position, rows], rows)
    about = {n: (c.dims, c.to_numpy()[rows]) for n, c in demand.coords.items() if c.dims == ("series",)}
    coords = {"scenario": demand["scenario"].to_numpy(), "financial_year": np.array(exposure.labels, dtype=object), **about,
              "draw": demand["draw"].to_numpy(), "months_actual": ("financial_year", exposure.months_actual)}  # fmt: skip
    attrs = {**demand.attrs, "unit": "GBP"}
    years = xr.DataArray(pounds, dims=("scenario", "series", "financial_year", "draw"), coords=coords, attrs=attrs)
    items = item_array(years, np.zeros((shape[0], 0, *shape[2:])), {})
    return Cost(years, parts, demand, exposure, _unpriced(exposure, rows, history), items, tuple(_notes(parts, years)))


def yearly(cost: Cost) -> xr.DataArray:
    """Give pounds by scenario, series, whole financial year and draw (GBP, float64); months_actual is a coordinate of the year."""
    return cost.years


def priced(parts: Sequence[Part], exposure: Exposure, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Price some series of one scenario by whole financial year.

    Parameters
    ----------
    parts : sequence of Part
    exposure : Exposure
    values : numpy.ndarray
        Shape (rows, periods, draws).
    rows : numpy.ndarray
        Positions of the series, ascending.

    Returns
    -------
    numpy.ndarray
        float64 GBP, shape (rows, years, draws); zero for series that no part pays for.
    """
    pounds = np.zeros((len(rows), len(exposure.labels), values.shape[2]))
    for part in parts:
        both, _, at = np.intersect1d(part.rows, rows, return_indices=True)
        pounds[at] += exposure.quantity(values[at], both, per=part.per) * part.prices(exposure.years)
    return pounds


def by_period(cost: Cost) -> xr.DataArray:
    """Give COST: float64 GBP, dims (scenario, series, ds, draw), the priced series; the periods of the forecast alone, without actuals.

    A period in which a financial year begins is paid at the prices of both, by days.
    """
    exposure, ids = cost.exposure, cost.years["series"].to_numpy()
    shares = year_shares(exposure.ds, exposure.frequency, exposure.start_month)
    years = [FinancialYear.parse(str(label), exposure.start_month) for label in shares.columns]
    place = {row: position for position, row in enumerate(exposure.series.index.get_indexer(ids))}
    ordered = cost.demand.transpose("scenario", "series", "ds", "draw").to_numpy()
    pounds = np.zeros((ordered.shape[0], len(ids), *ordered.shape[2:]))
    for part in cost.parts:
        rate = shares.to_numpy() @ part.prices(years)
        if part.per is not None:
            rate *= lengths(exposure.ds, exposure.frequency, part.per)[:, None]
        rows = [place[row] for row in part.rows]
        for position in range(ordered.shape[0]):
            values = ordered[position, part.rows]
            pounds[position, rows] += rate * (values if part.per is None else exposure.average(values, part.rows))
    coords = {n: c for n, c in cost.demand.coords.items() if c.dims != ("series",)}
    about = {n: c for n, c in cost.years.coords.items() if c.dims == ("series",)}
    return xr.DataArray(
        pounds, dims=("scenario", "series", "ds", "draw"), coords={**coords, **about}, attrs=dict(cost.years.attrs), name="cost"
    )


def _parts(exposure: Exposure, unit_costs: Sequence[UnitCost], *, draws: int, seed: int) -> tuple[Part, ...]:
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
        faults += _unit_faults(cost, exposure.series.iloc[rows], at=at)
        twice = [int(r) for r in rows if int(r) in paid] if not cost.on_top else []
        if twice:
            found = f"{listed(exposure.series.index[twice])} already cost '{paid[twice[0]]}'"
            faults.append(Fault(found, at, "One price a series", "Narrow one of the two, or say 'on_top: true' where both are paid"))
        paid |= {int(r): cost.name for r in rows if not cost.on_top}
        parts.append(_drawn(cost, rows, draws=draws, seed=seed))
    raise_all(faults, BudgetError, during="reading the unit costs")
    return tuple(parts)


def places(cost: UnitCost, *, draws: int, seed: int) -> dict[str, np.ndarray]:
    """Draw where in their ranges the amount and, where there is one, the uplift lie (`Assumption.places`)."""
    found = {"amount": cost.amount.places(draws, seed=seed, name=f"price {cost.name}")}
    if cost.uplift is not None:
        found["uplift"] = cost.uplift.places(draws, seed=seed, name=f"uplift {cost.uplift.source}")
    return found


def _drawn(cost: UnitCost, rows: np.ndarray, *, draws: int, seed: int) -> Part:
    place = places(cost, draws=draws, seed=seed)
    amounts = cost.amount.at(place["amount"])
    growth = np.ones(draws)
    if cost.uplift is not None:
        growth = 1 + np.maximum(cost.uplift.at(place["uplift"]), -1.0)
    unit = Unit.parse(cost.amount.unit)
    return Part(cost, rows, unit.period, amounts, growth)


def _unit_faults(cost: UnitCost, series: pd.DataFrame, *, at: str) -> list[Fault]:
    unit, faults = Unit.parse(cost.amount.unit), []
    where, written = f"{at} > amount.unit", cost.amount.unit
    others = series[[Unit.parse(str(u)).of != unit.counted for u in series["unit"]]]
    if len(others):
        counts = sorted(set(others["unit"]))
        allowed = f"{listed(others.index)} count {listed(counts)}. {did_you_mean(str(unit.counted), counts)}"
        faults.append(Fault(f"a price per {unit.counted} ('{written}') on series of {listed(counts)}", where, allowed))
    flows, stocks = series.index[series["kind"] == "flow"], series.index[series["kind"] == "stock"]
    if unit.period and len(flows):
        allowed = f"{listed(flows)} count who came, not how long they stayed. Price the stock, or write what one of them costs in all"
        faults.append(Fault(f"a price per {unit.period} on a flow", where, allowed, f"For example 'GBP/{unit.counted}'"))
    if not unit.period and len(stocks):
        allowed = f"{listed(stocks)} count who is there: they are paid for by time"
        faults.append(Fault(f"a price without a time ('{written}') on a stock", where, allowed, f"For example 'GBP/{unit.counted}/week'"))
    return faults


def item_array(years: xr.DataArray, pounds: np.ndarray, about: Mapping[str, Sequence[Any]]) -> xr.DataArray:
    """Give `Cost.items`: GBP of shape (scenarios, items, years, draws), with `ABOUT_ITEMS` as coordinates."""
    coords = {n: c for n, c in years.coords.items() if "series" not in c.dims}
    known = {n: ("item", np.array(about.get(n, []), dtype=of)) for n, of in ABOUT_ITEMS.items()}
    dims = ("scenario", "item", "financial_year", "draw")
    return xr.DataArray(pounds, dims=dims, coords={**coords, **known}, attrs={"unit": "GBP"})


def _unpriced(exposure: Exposure, rows: np.ndarray, history: History | None) -> pd.DataFrame:
    free = exposure.series.index.delete(rows)
    gone = [] if history is None else [str(i) for i in history.series.index.difference(exposure.series.index)]
    reasons = ["no unit cost"] * len(free) + ["not forecast"] * len(gone)
    return pd.DataFrame({"unique_id": [*free, *gone], "reason": reasons}, dtype=object)


def _notes(parts: Sequence[Part], years: xr.DataArray) -> list[str]:
    notes = []
    flat = [p.cost.name for p in parts if p.cost.uplift is None]
    if flat:
        notes.append(f"{listed(flat)}: no uplift was given, so later years are in the prices of the price base.")
    guesses = [p.cost.name for p in parts if p.cost.amount.placeholder or (p.cost.uplift is not None and p.cost.uplift.placeholder)]
    if guesses:
        notes.append(f"{listed(guesses)}: the figure is a placeholder that nobody has answered for yet.")
    holes = years.isnull().any(("scenario", "draw"))
    for label in years["financial_year"].to_numpy()[holes.any("series").to_numpy()]:
        ids = years["series"].to_numpy()[holes.sel(financial_year=label).to_numpy()]
        notes.append(f"{label}: {listed(ids)} have periods that were not counted, so the year is not priced for them.")
    return notes
