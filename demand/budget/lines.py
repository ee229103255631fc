"""Pounds against the budget: lines, risk and shortfall by financial year.

In: `Cost` and the budget's lines. Out: cost.parquet, budget.csv and risk.csv. A line is integer pence, rounded once, so that lines add up
to their total; ranges of a total come from its own draws and are not the sum of the lines. Refuses lines that share a series, and years
that the forecast does not reach.
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
from demand.tables import QUANTILES, match, quantile_columns, series_of

__all__ = [
    "MONTHS", "TOTAL", "BudgetLine", "BudgetSpec", "budget_notes", "budget_table", "cost_table", "horizon_needed", "line_costs",
    "owning_lines", "pence", "risk_table", "shortfall",
]  # fmt: skip

TOTAL = "total"
"""The row for all lines of the budget together; without lines, for all that is priced."""
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
    floor: float = Field(default=0, ge=0)
    """GBP a year that statutory duties need: no plan goes below it."""

    @model_validator(mode="after")
    def _holds(self) -> BudgetLine:
        if self.name == TOTAL:
            raise ValueError(f"'{self.name}' is the name of a row that the package writes. Choose another.")
        below = [year for year, amount in self.years.items() if not amount >= 0]
        if below:
            raise ValueError(f"the budget of '{self.name}' for {below[0]} is below zero.")
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


def line_costs(cost: Cost, spec: BudgetSpec) -> xr.DataArray:
    """Sum pounds by line, draw by draw.

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
    names = [line.name for line in spec.lines]
    sums = [values[:, owners == position].sum(axis=1) for position in range(len(names))]
    whole = np.sum(sums, axis=0) if sums else values.sum(axis=1)
    coords = {n: c for n, c in cost.years.coords.items() if "series" not in c.dims}
    coords["line"] = xr.DataArray(np.array([*names, TOTAL], dtype=object), dims="line")
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
    gone = sorted({label for line in spec.lines for label in line.years} - set(cost.labels))
    if gone:
        notes.append(f"The budget for {listed(gone)} is not compared: these years are over, or only partly counted.")
    outside = cost.years["series"].to_numpy()[owning_lines(cost, spec) < 0]
    if spec.lines and len(outside):
        year = cost.labels[-1] if cost.labels else ""
        pounds = cost.years.sel(scenario=BASELINE, series=outside).mean("draw").sum("series").to_numpy()
        told = f"; {pounds[-1]:,.0f} GBP expected in {year}" if year and np.isfinite(pounds[-1]) else ""
        notes.append(f"Priced, but in no line of the budget, and so not in its total: {listed(outside)}{told}.")
    return tuple(notes)


def shortfall(cost: Cost, spec: BudgetSpec) -> xr.DataArray:
    """Give pounds above the budget, draw by draw: never negative, NaN where a line has no budget for the year.

    Returns
    -------
    xarray.DataArray
        float64 GBP, dims (scenario, line, financial_year, draw).
    """
    pounds = line_costs(cost, spec)
    budgets = _budgets(spec, [str(n) for n in pounds["line"].to_numpy()], cost.labels)
    return (pounds - budgets[None, :, :, None]).clip(min=0)


def pence(pounds: Sequence[float] | np.ndarray) -> np.ndarray:
    """Turn amounts in GBP into integer pence that add up to their rounded total, by the largest remainder.

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
    rest = int(np.rint(exact.sum()) - whole.sum())
    whole[np.argsort(-(exact - whole), kind="stable")[:rest]] += 1
    return whole.astype(np.int64)


def budget_table(cost: Cost, spec: BudgetSpec, *, tested_until: pd.Timestamp | None = None) -> pd.DataFrame:
    """Make budget.csv: each line by scenario and whole financial year, in pence.

    Parameters
    ----------
    cost : Cost
    spec : BudgetSpec
    tested_until : pandas.Timestamp, optional
        A day in the last period that lies within the longest horizon that the backtest tried. Ranges of later years were not tested.

    Returns
    -------
    pandas.DataFrame
        scenario, line, financial_year, months_actual, budget_pence, expected_pence, p10_pence, p50_pence, p90_pence, p_overspend, tested.
        Lines add up to `TOTAL` in expected_pence, to the penny; ranges do not add up. Missing where a line has no budget.
    """
    pounds = line_costs(cost, spec)
    names = [str(n) for n in pounds["line"].to_numpy()]
    budgets = _budgets(spec, names, cost.labels)
    values = pounds.to_numpy()
    low, middle, high = np.quantile(values, [0.1, 0.5, 0.9], axis=-1) if values.size else np.empty((3, *values.shape[:-1]))
    expected = values.mean(axis=-1)
    over = (values > budgets[None, :, :, None]).mean(axis=-1)
    until = None if tested_until is None else cost.exposure.frequency.end_of(pd.DatetimeIndex([tested_until]))[0]
    rows = []
    for s, scenario in enumerate(pounds["scenario"].to_numpy()):
        for y, year in enumerate(cost.exposure.years):
            whole = _rounded(expected[s, :, y], names)
            for n, name in enumerate(names):
                if np.isfinite(expected[s, n, y]):
                    budget = budgets[n, y]
                    rows.append({
                        "scenario": scenario, "line": name, "financial_year": str(year), "months_actual": cost.exposure.months_actual[y],
                        "budget_pence": _penny(budget), "expected_pence": whole[n], "p10_pence": _penny(low[s, n, y]),
                        "p50_pence": _penny(middle[s, n, y]), "p90_pence": _penny(high[s, n, y]),
                        "p_overspend": over[s, n, y] if np.isfinite(budget) else np.nan, "tested": until is not None and year.end <= until,
                    })  # fmt: skip
    columns = ["scenario", "line", "financial_year", "months_actual", "budget_pence", "expected_pence", "p10_pence", "p50_pence",
    "p90_pence",
               "p_overspend", "tested"]  # fmt: skip
    return _typed(pd.DataFrame(rows, columns=columns), "months_actual")


def risk_table(cost: Cost, spec: BudgetSpec) -> pd.DataFrame:
    """Make risk.csv: for each line with a budget, the chance of overspending and the reserve that would cover it.

    Returns
    -------
    pandas.DataFrame
        scenario, line, financial_year, p_overspend; reserve_p80_pence and reserve_p95_pence (what must lie beside the budget so that it
        suffices 4 years in 5, 19 in 20); expected_overspend_pence (averaged over all futures, those without an overspend among them);
        overspend_if_it_happens_pence (averaged over those with one; missing where there is none).
    """
    short = shortfall(cost, spec)
    values, rows = short.to_numpy(), []
    for s, n, y in np.ndindex(*values.shape[:3]):
        over = values[s, n, y]
        if np.isfinite(over).all():
            reserve = np.quantile(over, [0.8, 0.95])
            happens = over[over > 0].mean() if (over > 0).any() else np.nan
            rows.append({
                "scenario": short["scenario"].to_numpy()[s], "line": short["line"].to_numpy()[n], "financial_year": cost.labels[y],
                "p_overspend": (over > 0).mean(), "reserve_p80_pence": _penny(reserve[0]), "reserve_p95_pence": _penny(reserve[1]),
                "expected_overspend_pence": _penny(over.mean()), "overspend_if_it_happens_pence": _penny(happens),
            })  # fmt: skip
    columns = ["scenario", "line", "financial_year", "p_overspend", "reserve_p80_pence", "reserve_p95_pence", "expected_overspend_pence",
               "overspend_if_it_happens_pence"]  # fmt: skip
    return _typed(pd.DataFrame(rows, columns=columns))


def cost_table(cost: Cost) -> pd.DataFrame:
    """Make cost.parquet: GBP by scenario, series and whole financial year.

    Returns
    -------
    pandas.DataFrame
        scenario, unique_id, financial_year, months_actual, expected, then the quantiles. Only `expected` may be summed. Without a row where
        no financial year is covered whole.
    """
    values = cost.years.transpose("scenario", "series", "financial_year", "draw").to_numpy()
    index = pd.MultiIndex.from_product(
        [cost.years["scenario"].to_numpy(), cost.years["series"].to_numpy(), range(len(cost.labels))],
        names=["scenario", "unique_id", "year"],
    )
    table = index.to_frame(index=False)
    year = table.pop("year").to_numpy(dtype=int)
    table["financial_year"] = np.array(cost.labels, dtype=object)[year]
    table["months_actual"] = np.array(cost.exposure.months_actual, dtype=int)[year]
    flat = values.reshape(len(table), values.shape[-1])
    table["expected"] = flat.mean(axis=1)
    table[quantile_columns()] = np.quantile(flat, QUANTILES, axis=1).T
    return table[table["expected"].notna()].reset_index(drop=True)


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


def _budgets(spec: BudgetSpec, names: Sequence[str], labels: Sequence[str]) -> np.ndarray:
    """Give budgets in GBP by line and year; NaN where there is none, and for the total where one of its lines has none."""
    lines = np.array([[line.years.get(label, np.nan) for label in labels] for line in spec.lines]).reshape(len(spec.lines), len(labels))
    total = lines.sum(axis=0) if len(lines) else np.full(len(labels), np.nan)
    known = dict(zip([line.name for line in spec.lines], lines, strict=True)) | {TOTAL: total}
    return np.array([known.get(name, np.full(len(labels), np.nan)) for name in names]).reshape(len(names), len(labels))


def _rounded(expected: np.ndarray, names: Sequence[str]) -> list[int | None]:
    """Round the expected amounts of one scenario and year so that the lines add up to their total."""
    lines = [n for n, name in enumerate(names) if name != TOTAL and np.isfinite(expected[n])]
    whole: list[int | None] = [_penny(amount) for amount in expected]
    for position, amount in zip(lines, pence(expected[lines]), strict=True):
        whole[position] = int(amount)
    if lines and whole[-1] is not None:
        whole[-1] = sum(int(whole[n] or 0) for n in lines)
    return whole


def _penny(pounds: float) -> int | None:
    return int(np.rint(pounds * 100)) if np.isfinite(pounds) else None


def _typed(table: pd.DataFrame, *more: str) -> pd.DataFrame:
    whole = [c for c in table.columns if c.endswith("_pence") or c in more]
    return table.astype(dict.fromkeys(whole, "Int64"))
