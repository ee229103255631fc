"""The lines of a budget, and what falls into each, draw by draw.

In: `Cost` and the budget's lines. Out: gross pounds, items and net pounds by line, what is above the budget, and what a reader has to know.
Net is gross and items, in every draw. Refuses lines that share a series, and years that the forecast does not reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr
from pydantic import Field, model_validator

from demand.budget.prices import Cost
from demand.calendar import FinancialYear, Frequency
from demand.errors import BudgetError, Fault, ScenarioError, SettingsError, listed, raise_all
from demand.scenario import BASELINE
from demand.spec import Spec, Where
from demand.tables import match, series_of

__all__ = [
    "KINDS", "MONTHS", "PAID", "TOTAL", "BudgetLine", "BudgetSpec", "budget_notes", "gross_costs", "horizon_needed", "item_costs",
    "line_budgets", "line_costs", "owning_lines", "pence", "shortfall",
]  # fmt: skip

TOTAL = "total"
"""The row for all lines of the budget together; without lines, for all that is priced."""
KINDS = ("fixed", "step", "income", "grant", "saving")
"""The kinds of items; the last three come in, and are below zero."""
PAID = ("fixed", "step")
"""Those of them that are paid, and gross of what comes in."""
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


class BudgetLine(Spec):
    """What has been set aside for some of the series."""

    name: str
    """What it is called in the budget book."""
    where: Where = Field(default_factory=dict)
    """Which series are paid from it: key column -> values. Empty means all."""
    years: dict[str, float] = Field(default_factory=dict)
    """The budget by financial year: {2026-27: 4100000}, in GBP."""
    outturn: dict[str, float] = Field(default_factory=dict)
    """What the ledger says was spent, by financial year that is over: {2025-26: 12890000}, in GBP, gross of income and grants."""
    tolerance: float = Field(default=0.05, ge=0)
    """How far volume x price may lie from the outturn, as a share of it: 0.05 is 5 %."""
    starts: Where = Field(default_factory=dict)
    """Which series count those who come into the line's stock (a flow): with it, the bridge tells more starts from longer stays."""
    floor: float = Field(default=0, ge=0)
    """GBP a year that statutory duties need: no plan goes below it."""
    items_only: bool = False
    """True for a line that no series is paid from: only grants, fixed costs and the like, each of which names its line."""

    @model_validator(mode="after")
    def _holds(self) -> BudgetLine:
        if self.name == TOTAL:
            raise ValueError(f"'{self.name}' is the name of a row that the package writes. Choose another.")
        below = [year for year, amount in self.years.items() if not amount >= 0]
        if below:
            raise ValueError(f"the budget of '{self.name}' for {below[0]} is below zero.")
        if self.items_only and self.where:
            raise ValueError(f"'{self.name}' says 'items_only', and which series are paid from it. Take one of the two out.")
        return self


class BudgetSpec(Spec):
    """The budget: its lines, and when its years begin."""

    year_start: Literal[MONTHS] = "April"  # type: ignore[valid-type]
    """The month in which financial years begin."""
    lines: tuple[BudgetLine, ...] = ()
    """The lines; no series belongs to two."""

    @model_validator(mode="after")
    def _holds(self) -> BudgetSpec:
        names = [line.name for line in self.lines]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"two budget lines are called '{twice[0]}'. Give each its own name.")
        for line in self.lines:
            for key, labels in (("years", line.years), ("outturn", line.outturn)):
                for label in labels:
                    try:
                        FinancialYear.parse(label, self.start_month)
                    except SettingsError as error:
                        raise ValueError(f"{line.name} > {key}: {error}") from error
        return self

    @property
    def start_month(self) -> int:
        """The month in which financial years begin, as a number."""
        return MONTHS.index(self.year_start) + 1

    @property
    def last_year(self) -> FinancialYear | None:
        """The last financial year that any line has money for."""
        return max((FinancialYear.parse(label, self.start_month) for line in self.lines for label in line.years), default=None)


def horizon_needed(spec: BudgetSpec, last: pd.Timestamp, frequency: Frequency) -> int:
    """Give the number of periods after `last` that the budget needs: to the end of its last financial year.

    Examples
    --------
    >>> spec = BudgetSpec(lines=[BudgetLine(name="all", years={"2026-27": 1e6})])
    >>> horizon_needed(spec, pd.Timestamp("2026-06-01"), Frequency("M"))
    9
    """
    year = spec.last_year
    return 0 if year is None or year.end <= last else len(frequency.between(last, year.end)) - 1


def gross_costs(cost: Cost, spec: BudgetSpec) -> xr.DataArray:
    """Sum what the series cost by line, draw by draw: gross, without any item.

    Returns
    -------
    xarray.DataArray
        float64 GBP, dims (scenario, line, financial_year, draw): the lines in order, then `TOTAL`, their sum in every draw. What is priced
        and belongs to no line is not in it (`budget_notes` tells of it); without any line, the total is that of all that is priced.

    Raises
    ------
    BudgetError
        Where a line matches nothing that is priced, two lines share a series, or the forecast ends before a year of the budget.
    """
    owners = owning_lines(cost, spec)
    values = cost.years.transpose("scenario", "series", "financial_year", "draw").to_numpy()
    sums = [values[:, owners == position].sum(axis=1) for position in range(len(spec.lines))]
    return _by_line(cost, spec, sums, np.sum(sums, axis=0) if sums else values.sum(axis=1))


def item_costs(cost: Cost, spec: BudgetSpec, kinds: Sequence[str] = KINDS) -> xr.DataArray:
    """Sum items of some kinds by line, draw by draw, as `gross_costs` sums series; what comes in is below zero.

    Returns
    -------
    xarray.DataArray
        float64 GBP, dims (scenario, line, financial_year, draw).
    """
    meant, of = np.isin(cost.items["kind"].to_numpy(), kinds), cost.items["line"].to_numpy()
    values = cost.items.transpose("scenario", "item", "financial_year", "draw").to_numpy()
    sums = [values[:, meant & (of == line.name)].sum(axis=1) for line in spec.lines]
    return _by_line(cost, spec, sums, np.sum(sums, axis=0) if sums else values[:, meant].sum(axis=1))


def line_costs(cost: Cost, spec: BudgetSpec) -> xr.DataArray:
    """Give what each line costs net, draw by draw: gross, and every item of the line.

    Returns
    -------
    xarray.DataArray
        float64 GBP, dims (scenario, line, financial_year, draw), as `gross_costs`.

    Raises
    ------
    BudgetError
        As `gross_costs`.
    """
    return gross_costs(cost, spec) + item_costs(cost, spec)


def _by_line(cost: Cost, spec: BudgetSpec, sums: Sequence[np.ndarray], whole: np.ndarray) -> xr.DataArray:
    coords = {n: c for n, c in cost.years.coords.items() if "series" not in c.dims}
    coords["line"] = xr.DataArray(np.array([*(line.name for line in spec.lines), TOTAL], dtype=object), dims="line")
    return xr.DataArray(np.stack([*sums, whole], axis=1), dims=("scenario", "line", "financial_year", "draw"), coords=coords)


def budget_notes(cost: Cost, spec: BudgetSpec) -> tuple[str, ...]:
    """Say what a reader of the budget has to know: the notes of the cost, what has no price, and what is priced and in no line.

    Parameters
    ----------
    cost : Cost
    spec : BudgetSpec

    Returns
    -------
    tuple of str
        Whole sentences.

    Raises
    ------
    BudgetError
        As `line_costs`.
    """
    notes, free = list(cost.notes), cost.unpriced
    for reason, rows in free.groupby("reason", sort=True):
        notes.append(f"Not priced ({reason}): {listed(rows['unique_id'])}.")
    if not cost.labels:
        notes.append("There are no pounds by year: no financial year is covered whole: make forecast.horizon longer.")
    first = FinancialYear.of(cost.exposure.ds[0], cost.exposure.start_month)
    given = {label for line in spec.lines for label in line.years}
    asked = {label for label in given if FinancialYear.parse(label, first.start_month) >= first}
    if given and not asked:
        notes.append(f"The budget is for {listed(sorted(given))} alone, before the forecast begins: nothing expected is compared with it.")
    gone = sorted(asked - set(cost.labels))
    if gone:
        notes.append(f"The budget for {listed(gone)} is not compared: these years are only partly counted.")
    outside = cost.years["series"].to_numpy()[owning_lines(cost, spec) < 0]
    if spec.lines and len(outside):
        year = cost.labels[-1] if cost.labels else ""
        pounds = cost.years.sel(scenario=BASELINE, series=outside).mean("draw").sum("series").to_numpy()
        told = f"; {pounds[-1]:,.0f} GBP expected in {year}" if year and np.isfinite(pounds[-1]) else ""
        notes.append(f"Priced, but in no line of the budget, and so not in its total: {listed(outside)}{told}.")
    notes += _too_much(cost, spec)
    names = [line.name for line in spec.lines]
    lost = [
        f"{i} ({line})" for i, line in zip(cost.items["item"].to_numpy(), cost.items["line"].to_numpy(), strict=True) if line not in names
    ]
    if spec.lines and lost:
        notes.append(f"Of a line that the budget does not have, and so not in its total: {listed(lost)}.")
    return tuple(notes)


def _too_much(cost: Cost, spec: BudgetSpec) -> list[str]:
    """Say where several rules of income together bring more than a line costs: each alone is held to what its series cost."""
    names = [line.name for line in spec.lines if not line.items_only] or [TOTAL]
    left = gross_costs(cost, spec) + item_costs(cost, spec, (*PAID, "income"))
    below = left.sel(scenario=BASELINE, line=names).mean("draw") < -0.005
    return [
        f"{name}: the rules of income together bring more than it costs in {listed(below['financial_year'].to_numpy()[over])}, so some of "
        "them pay for the same people twice. Narrow their `where`, or their shares."
        for name, over in zip(names, below.to_numpy(), strict=True)
        if over.any()
    ]


def shortfall(cost: Cost, spec: BudgetSpec) -> xr.DataArray:
    """Give pounds above the budget, draw by draw: never negative, NaN where a line has no budget for the year.

    Returns
    -------
    xarray.DataArray
        float64 GBP, dims (scenario, line, financial_year, draw).
    """
    pounds = line_costs(cost, spec)
    budgets = line_budgets(spec, [str(n) for n in pounds["line"].to_numpy()], cost.labels)
    return (pounds - budgets[None, :, :, None]).clip(min=0)


def pence(pounds: Sequence[float] | np.ndarray, *, total: int | None = None) -> np.ndarray:
    """Turn amounts in GBP into integer pence that add up to their rounded total, or to `total`, by the largest remainder.

    Parameters
    ----------
    pounds : sequence of float
    total : int, optional
        What they shall add up to, where that has been rounded already: their sum, up or down to the next penny.

    Raises
    ------
    ValueError
        Where an amount is not finite.

    Examples
    --------
    >>> pence([0.333333, 0.333333, 0.333334]).tolist()
    [33, 33, 34]
    """
    exact = np.asarray(pounds, dtype=np.float64) * 100
    if not np.isfinite(exact).all():
        raise ValueError("an amount is not a number")
    whole = np.floor(exact)
    rest = int((np.rint(exact.sum()) if total is None else total) - whole.sum())
    if len(whole):
        whole += rest // len(whole)
        whole[np.argsort(-(exact - whole), kind="stable")[: rest % len(whole)]] += 1
    return whole.astype(np.int64)


def owning_lines(cost: Cost, spec: BudgetSpec) -> np.ndarray:
    """Give the position of the line that each priced series belongs to; -1 where none.

    Raises
    ------
    BudgetError
        Where a line matches nothing that is priced, two lines share a series, or the forecast ends before a year of the budget.
    """
    series, faults = series_of(cost.demand), []
    place = pd.Series(range(cost.years.sizes["series"]), index=cost.years["series"].to_numpy())
    owners = np.full(len(place), -1)
    for position, line in enumerate(spec.lines):
        at = f"budget > lines > {line.name}"
        try:
            ids = series.index[match(series, line.where, at=f"{at} > where")]
        except ScenarioError as error:
            faults += list(error.faults)
            continue
        mine = place.reindex(ids).dropna().astype(int).to_numpy()
        if line.items_only:
            continue
        if len(mine) == 0:
            faults.append(Fault("nothing in this line has a price", at, "At least one series with a unit cost", "Add one under costs"))
        taken = mine[owners[mine] >= 0]
        if len(taken):
            other = spec.lines[owners[taken[0]]].name
            found = f"{listed(place.index[taken])} already belong to '{other}'"
            faults.append(Fault(found, at, "A series belongs to one line, else it would be counted twice"))
        owners[mine] = position
    faults += _year_faults(cost, spec)
    raise_all(faults, BudgetError, during="reading the budget")
    return owners


def _year_faults(cost: Cost, spec: BudgetSpec) -> list[Fault]:
    if spec.lines and spec.start_month != cost.exposure.start_month:
        return [Fault(f"the budget's years begin in {spec.year_start}, those of the cost in month {cost.exposure.start_month}", "budget")]
    last = spec.last_year
    reached = max(cost.exposure.years, default=None)
    if last is None or (reached is not None and last <= reached):
        return []
    found = f"there is a budget for {last}, and the forecast ends before {last.end.date()}"
    return [Fault(found, "budget > lines", "A year is shown only where all of it is covered", "Make forecast.horizon longer")]


def line_budgets(spec: BudgetSpec, names: Sequence[str], labels: Sequence[str]) -> np.ndarray:
    """Give budgets in GBP by line and year; NaN where there is none, and for the total where one of its lines has none."""
    lines = np.array([[line.years.get(label, np.nan) for label in labels] for line in spec.lines]).reshape(len(spec.lines), len(labels))
    total = lines.sum(axis=0) if len(lines) else np.full(len(labels), np.nan)
    known = dict(zip([line.name for line in spec.lines], lines, strict=True)) | {TOTAL: total}
    return np.array([known.get(name, np.full(len(labels), np.nan)) for name in names]).reshape(len(names), len(labels))
