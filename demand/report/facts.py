"""The figures that the first page speaks of, looked up in the run's tables.

In: a `ReportInput`. Out: the line that matters most with its past, future and years; the money of a year; what it is made of.
Every figure is one that the run has stored, or a sum or a difference of expected values. Refuses nothing; what is not there is None.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from demand.calendar import FinancialYear, average_stock, stock_weights, year_shares
from demand.disclosure.open_data import ALL
from demand.languages import say
from demand.report.inputs import BASELINE, ReportInput
from demand.report.words import label, percent, period

__all__ = [
    "TOTAL",
    "Line",
    "Money",
    "lines",
    "may_show",
    "none_counted",
    "said_change",
    "scenario_demand",
    "why_parts",
]

TOTAL = ("total", "all", "all lines", "everything")
"""What the row of all lines together may be called."""
BANDS = {"low": "q0.1", "high": "q0.9", "lower": "q0.025", "upper": "q0.975"}


@dataclass(frozen=True)
class Line:
    """One line of the totals: what is counted, its past, its future, its financial years.

    Parameters
    ----------
    inputs : ReportInput
    kind, unit : str
    where : dict
        Key column -> value: which series it adds up.
    rows : pandas.DataFrame
        Its rows of `totals`.
    """

    inputs: ReportInput
    kind: str
    unit: str
    where: dict[str, str]
    rows: pd.DataFrame

    @cached_property
    def title(self) -> str:
        """What is counted, in words: households (temporary accommodation)."""
        members, shared = self.members, dict(self.where)
        for key in self.inputs.keys:
            if key not in shared and key != "segment" and not members.empty and members[key].nunique() == 1:
                shared[key] = str(members[key].iloc[0])
        named = [label(v, self.inputs.spec.names) for v in shared.values()]
        if self.series and not named and self.alone:
            named = [label(self.series, self.inputs.spec.names)]
        unit = label(self.unit, self.inputs.spec.names)
        if own := next((n for n in named if n.lower().startswith(f"{unit} ".lower())), ""):  # a name that says what is counted itself
            unit, named = own, [n for n in (label(v, self.inputs.spec.names) for v in self.where.values()) if n != own]
        return unit + (f" ({', '.join(named)})" if named else "")

    @cached_property
    def series(self) -> str:
        """The series that the line is, where it adds nothing up."""
        rows = self.rows
        return str(rows["unique_id"].iloc[0]) if "unique_id" in rows and rows["level"].iloc[0] == "series" else ""

    @cached_property
    def alone(self) -> bool:
        """Whether it is one of several series that the run does not add up."""
        totals = self.inputs.totals
        return bool(self.series) and totals is not None and totals.loc[totals["level"] == "series", "unique_id"].nunique() > 1

    @cached_property
    def members(self) -> pd.DataFrame:
        """The history of the series that it adds up; a declared total is none of them."""
        history, level = self.inputs.history, str(self.rows["level"].iloc[0])
        if history is None:
            return pd.DataFrame(columns=["unique_id", "ds", "y"])
        if self.series:
            return history[history["unique_id"] == self.series]
        if level in self.inputs.parts:
            return history[history["unique_id"].isin(self.inputs.parts[level])]
        single = history if self.inputs.forecast is None else history[history["unique_id"].isin(self.inputs.forecast["unique_id"])]
        mask = (single["kind"] == self.kind) & (single["unit"] == self.unit)
        for key, value in (self.where or _kin(history, level, single)).items():
            mask &= single[key].astype(str) == value
        return single[mask]

    @property
    def whole(self) -> bool:
        """Whether it adds up every series of its keys that is forecast, as published sums do; a declared total may not."""
        inputs = self.inputs
        if inputs.history is None or self.series:
            return inputs.history is not None
        mine = (inputs.history["kind"] == self.kind) & (inputs.history["unit"] == self.unit)
        for key, value in self.where.items():
            mine &= inputs.history[key].astype(str) == value
        there = set(inputs.history.loc[mine, "unique_id"])
        return set(self.members["unique_id"]) == (there if inputs.forecast is None else there & set(inputs.forecast["unique_id"]))

    @cached_property
    def past(self) -> pd.DataFrame:
        """ds, y: counted so far; a period in which a series was not collected has no total."""
        grouped = self.members.groupby("ds")["y"]
        y = grouped.sum().where(grouped.count() == grouped.size())
        return may_show(self, y).rename("y").reset_index()

    @cached_property
    def future(self) -> pd.DataFrame:
        """ds, mean, low, high, lower, upper; the forecast itself where the totals have no periods of a series."""
        rows, single = self.rows[self.rows["ds"].notna()], self.inputs.forecast
        if rows.empty and self.series and single is not None:
            rows = single[single["unique_id"] == self.series]
        return _banded(rows.sort_values("ds"), ["ds", "mean"])

    @cached_property
    def years(self) -> pd.DataFrame:
        """financial_year, months_actual, mean, low, high; years that were counted to the end have no range."""
        rows = (
            self.rows[self.rows["financial_year"].notna()].sort_values("financial_year") if "financial_year" in self.rows else self.rows[:0]
        )
        years = _banded(rows, ["financial_year", "months_actual", "mean"])
        return years.assign(financial_year=years["financial_year"].astype(str))

    @cached_property
    def past_years(self) -> pd.Series:
        """Whole financial years that were counted: the sum of a flow, the average of a stock."""
        months, counted = self.inputs.start_month, self.past
        if counted.empty or self.inputs.frequency.family == "W":
            return pd.Series(dtype=float)
        labels = [str(FinancialYear.of(pd.Timestamp(d), months)) for d in counted["ds"]]
        grouped = counted.groupby(labels)["y"]
        due = {"D": 365, "M": 12, "Q": 4, "Y": 1}[self.inputs.frequency.family]
        whole = (grouped.count() >= due) & (grouped.count() == grouped.size())
        if self.kind == "flow":
            return grouped.sum()[whole]
        days = pd.Series(self.inputs.frequency.days_in(pd.DatetimeIndex(counted["ds"])), index=counted.index)
        held = pd.Series(average_stock(counted["y"].to_numpy(dtype=float), counted["y"].shift(1).to_numpy(dtype=float)), index=days.index)
        return ((held * days).groupby(labels).sum() / days.groupby(labels).sum())[whole]

    @property
    def events(self) -> pd.DataFrame | None:
        """The events that concern any of its series; one without `where` concerns all."""
        return self.inputs.events_of(self.members.drop_duplicates("unique_id"))

    @property
    def ahead(self) -> pd.Series | None:
        """The first financial year that is all future, or None."""
        rows = self.years[none_counted(self.years)]
        return None if rows.empty else rows.iloc[0]

    def write(self, day: object) -> str:
        """Name a period."""
        return period(day, self.inputs.frequency.family)


def _kin(history: pd.DataFrame, total: str, single: pd.DataFrame) -> dict[str, str]:
    """Give the keys that a declared total has in common with its parts: those of its values that single series have too."""
    own = history[history["unique_id"] == total].head(1)
    keys = [c for c in history.columns if c not in ("unique_id", "ds", "y", "kind", "unit")] if len(own) else []
    return {str(k): str(own[k].iloc[0]) for k in keys if (single[k].astype(str) == str(own[k].iloc[0])).any()}


def lines(inputs: ReportInput) -> list[Line]:
    """Give the top line of each thing that is counted, the one with most of the cost (then the largest) first.

    Parameters
    ----------
    inputs : ReportInput

    Returns
    -------
    list of Line
    """
    totals = inputs.totals
    if totals is None or totals.empty:
        return []
    if "scenario" in totals:
        totals = totals[totals["scenario"].isna() | (totals["scenario"] == BASELINE)]
    if (totals["level"] != "series").any():
        totals = totals[totals["level"] != "series"]
    keys = [k for k in inputs.keys if k in totals]
    depth = totals[keys].notna().sum(axis=1) if keys else pd.Series(0, index=totals.index)
    single = ["unique_id"] if "unique_id" in totals and (totals["level"] == "series").all() else []
    found = []
    for (kind, unit), rows in totals.groupby(["kind", "unit"], sort=True):
        top = rows[depth[rows.index] == depth[rows.index].min()]
        for _, one in top.groupby(["level", *single, *keys], dropna=False, sort=True):
            where = {k: str(one[k].iloc[0]) for k in keys if pd.notna(one[k].iloc[0])}
            found.append(Line(inputs, str(kind), str(unit), where, one))
    return sorted(found, key=lambda line: (-_cost_of(line), -float(line.future["mean"].mean() if len(line.future) else 0)))


def may_show(line: Line, counted: pd.Series) -> pd.Series:
    """Give observed sums of a line, by period, as the report's readers may have them.

    For the public they are the published ones: what is drawn here and what is published beside it must not be joined to more than either
    tells. Where nothing is published of the line, nothing is shown.
    """
    if line.inputs.spec.audience == "council":
        return counted
    table = line.inputs.public_counts
    mine = table[(table["kind"] == line.kind) & (table["unit"] == line.unit)]
    for key, value in ({"series": line.series} if line.series and "series" in table else line.where).items():
        mine = mine[mine[key] == value] if key in mine else mine[:0]
    summed = (mine[[c for c in mine.columns if c not in ("kind", "unit", "period", "counted")]] == ALL).sum(axis=1)
    mine = mine[summed == summed.max()]
    if mine["period"].duplicated().any() or not line.whole:
        mine = mine[:0]
    shown = pd.Series(pd.to_numeric(mine["counted"], errors="coerce").to_numpy(dtype=float), index=pd.DatetimeIndex(mine["period"]))
    return pd.Series(shown.reindex(pd.DatetimeIndex(counted.index)).to_numpy(), index=counted.index).where(counted.notna())


def none_counted(table: pd.DataFrame) -> pd.Series:
    """Say which rows have no month that was counted already."""
    months = table["months_actual"]
    return (months.isna() | (months == 0)).astype(bool)


def _cost_of(line: Line) -> float:
    cost = line.inputs.cost
    if cost is None or cost.empty:
        return 0.0
    mine = cost[cost["unique_id"].isin(line.members["unique_id"].unique()) & (cost["scenario"] == BASELINE)]
    return float(mine["expected"].sum())


def _banded(rows: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    table = pd.DataFrame({c: rows.get(c, pd.NA) for c in columns})
    for name, column in BANDS.items():
        table[name] = rows[column].astype(float) if column in rows else float("nan")
    return table.reset_index(drop=True)


@dataclass(frozen=True)
class Money:
    """The budget table in pounds, with a row of all lines together for each scenario and year.

    Parameters
    ----------
    lines : pandas.DataFrame
        scenario, line, financial_year, months_actual, budget, expected, low, middle, high, p_overspend, tested: single lines.
    totals : pandas.DataFrame
        The same without `line`: all lines together; ranges are NaN where the run has none for the total.
    """

    lines: pd.DataFrame
    totals: pd.DataFrame

    @classmethod
    def of(cls, budget: pd.DataFrame | None) -> Money | None:
        """Read budget.csv's table; None where there is none."""
        if budget is None or budget.empty:
            return None
        table = budget.copy()
        for name, column in (
            ("budget", "budget_pence"),
            ("expected", "expected_pence"),
            ("low", "p10_pence"),
            ("middle", "p50_pence"),
            ("high", "p90_pence"),
        ):
            table[name] = pd.to_numeric(table[column]).astype("Float64").to_numpy(dtype=float, na_value=float("nan")) / 100
        table["financial_year"] = table["financial_year"].astype(str)
        table["tested"] = table["tested"].astype(bool) if "tested" in table else True
        whole = table["line"].astype(str).str.lower().isin(TOTAL)
        single = table[~whole]
        by = ["scenario", "financial_year"]
        if single.empty:
            return cls(table, table)
        if whole.any():
            return cls(single, table[whole])
        added = (
            single.groupby(by, sort=False)
            .agg(
                line=("line", "size"),
                months_actual=("months_actual", "max"),
                budget=("budget", lambda v: v.sum(min_count=1)),
                expected=("expected", "sum"),
                low=("low", "first"),
                middle=("middle", "first"),
                high=("high", "first"),
                p_overspend=("p_overspend", "first"),
                tested=("tested", "all"),
            )
            .reset_index()
        )
        many = added["line"] > 1
        added.loc[many, ["low", "middle", "high", "p_overspend"]] = float("nan")
        return cls(single, added)

    def years(self, scenario: str = BASELINE) -> pd.DataFrame:
        """All lines together by year, under one scenario."""
        return self.totals[self.totals["scenario"] == scenario].sort_values("financial_year").reset_index(drop=True)

    @cached_property
    def year(self) -> str:
        """The year that the first page speaks of: the first that is all future and has a budget, else the first that is all future."""
        rows = self.years()
        future = rows[none_counted(rows)]
        budgeted = future[future["budget"].notna()]
        best = budgeted if len(budgeted) else future if len(future) else rows
        return str(best["financial_year"].iloc[0])

    def has(self, scenario: str, year: str) -> bool:
        """Say whether a scenario was priced in a year."""
        return bool(((self.totals["scenario"] == scenario) & (self.totals["financial_year"] == year)).any())

    def year_of_options(self, scenarios: Sequence[str]) -> str:
        """The first year, from the one of the first page on, in which any of the scenarios costs something else."""
        for year in (y for y in self.years()["financial_year"] if y >= self.year):
            base = float(self.at(BASELINE, year)["expected"])
            if any(abs(float(self.at(s, year)["expected"]) - base) > 0.0005 * abs(base) for s in scenarios if self.has(s, year)):
                return str(year)
        return self.year

    def at(self, scenario: str, year: str) -> pd.Series:
        """One scenario in one year, which must be there."""
        return self.totals[(self.totals["scenario"] == scenario) & (self.totals["financial_year"] == year)].iloc[0]


def scenario_demand(inputs: ReportInput, line: Line) -> pd.DataFrame:
    """Add up the expected numbers of a line's series under every scenario.

    Returns
    -------
    pandas.DataFrame
        scenario, ds, mean.
    """
    if inputs.demand is None:
        return pd.DataFrame(columns=["scenario", "ds", "mean"])
    mine = inputs.demand[inputs.demand["unique_id"].isin(line.members["unique_id"].unique())]
    return mine.groupby(["scenario", "ds"], sort=False)["mean"].sum().reset_index()


def why_parts(inputs: ReportInput, line: Line, year: str) -> pd.DataFrame:
    """Split an expected year into what it is made of.

    Parameters
    ----------
    inputs : ReportInput
    line : Line
    year : str
        A financial year.

    Returns
    -------
    pandas.DataFrame
        feature, amount: sums over the line's series; over periods the sum of a flow, the average of a stock (what was there when the year
        began is part of the level). Empty without an explanation.
    """
    table = inputs.explanation
    if table is None or table.empty:
        return pd.DataFrame(columns=["feature", "amount"])
    mine = table[table["unique_id"].isin(line.members["unique_id"].unique())]
    if mine.empty:
        return pd.DataFrame(columns=["feature", "amount"])
    ds = pd.DatetimeIndex(mine["ds"].drop_duplicates().sort_values())
    shares = year_shares(ds, inputs.frequency, inputs.start_month)
    weights, before = shares[year].to_numpy() if year in shares else 0.0 * ds.day.to_numpy(), 0.0
    if line.kind == "stock":
        days = weights * inputs.frequency.days_in(ds)
        weights, opening = stock_weights(days / max(days.sum(), 1.0))
        before = float(opening)
    amount = (mine["contribution"] * mine["ds"].map(dict(zip(ds, weights, strict=True)))).groupby(mine["feature"]).sum()
    if before > 0 and len(line.past):
        amount["level"] = amount.get("level", 0.0) + before * float(line.past["y"].iloc[-1])
    return amount.rename("amount").reset_index()


def said_change(now: float, then: float) -> str:
    """Say a change in words: 12% more than."""
    if pd.isna(now) or pd.isna(then) or then <= 0:
        return ""
    share = now / then - 1
    if abs(share) < 0.01:
        return say("about the same as")
    return say("{share} more than", share=percent(share)) if share > 0 else say("{share} fewer than", share=percent(-share))
