"""Tables that are no rows of series and period: made so before they are read.

In: the rows of a file as they stand, and what the config says of their shape: counts side by side, dates in several columns, names in the
first row of a group only. Out: one row a series and period, with what was done. Refuses files in which no columns are named by periods.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Literal, Self

import numpy as np
import pandas as pd
from pydantic import Field, field_validator, model_validator

from demand.data.cells import filled, matches, to_text
from demand.data.files import LEFT_OUT, FileSpec, RawTable
from demand.data.formats import period_columns
from demand.data.labels import PART_OF_YEAR, first_month
from demand.data.layout import SAYS_TOTAL, WHOLE_TOTAL
from demand.data.quality import Finding
from demand.errors import DataError, Fault, listed
from demand.spec import NameList, Where

__all__ = ["MEASURE", "ShapeSpec", "parts_of_years", "reshaped"]

MEASURE = "measure"
"""The key that columns of counts side by side make."""
PART = "part of the year"
PARTS = {"quarter": "Q", "qtr": "Q", "chwarter": "Q", "period": "P", "cyfnod": "P"}


class ShapeSpec(FileSpec):
    """Which columns of a table of counts hold what, and how it stands."""

    series: str | None = None
    """The column that names the series; without it, the keys joined by "/" do."""
    date: str = "ds"
    """The column of dates."""
    value: str = "y"
    """The column of counts."""
    keys: NameList = Field(default_factory=list)
    """The columns that say what a series is about: area, service, type."""
    where: Where = Field(default_factory=dict)
    """Only the rows with these values: column -> values."""
    across: Literal["periods"] | NameList | None = None
    """Where counts stand side by side: periods (a column a month, quarter or year; `date` and `value` are then only names; with
    `date_parts: [year]` a column a month or quarter of the year in the row), or the names of the columns that hold counts, which then make
    the key `measure`."""
    date_parts: NameList = Field(default_factory=list)
    """Columns that make the date together, such as [year, quarter] or [year, month]; `date` is then only its name."""
    dates: Literal["auto", "start", "end"] = "auto"
    """Whether a date is the first or the last day of its period; auto: last where all are the last days of months. Where a year such as
    2021 does not begin in January: whether 2021 is the year in which it begins or ends."""
    year_end: str = "auto"
    """The last day of the year, such as 03-31, for years and quarters; auto: the one that agrees with the dates."""
    fill_down: NameList = Field(default_factory=list)
    """Columns that are filled in the first row of a group only, as merged cells are: what stands above holds for the rows below."""

    @field_validator("year_end")
    @classmethod
    def _month_end(cls, text: str) -> str:
        ends = {f"{d.month:02d}-{d.day:02d}" for d in pd.date_range("2023-01-31", periods=12, freq="ME")} | {"02-29", "auto"}
        if text not in ends:
            raise ValueError(f"'{text}' is not the last day of a month. Write month and day, such as '03-31', or 'auto'.")
        return text

    @model_validator(mode="after")
    def _one_shape(self) -> Self:
        if isinstance(self.across, list) and MEASURE not in self.keys:
            raise ValueError(f"columns side by side make the key '{MEASURE}': name it in 'keys'.")
        return self


def reshaped(raw: RawTable, spec: ShapeSpec) -> RawTable:
    """Make one row a series and period, as the config says.

    Parameters
    ----------
    raw : RawTable
    spec : ShapeSpec

    Returns
    -------
    RawTable
        As it was where the config says nothing of its shape.

    Raises
    ------
    DataError
        Where columns named by periods are looked for and there are none, or nobody can tell in which year their months lie.
    """
    for column in spec.fill_down:
        raw = _filled_down(raw, column)
    raw = _without_totals(raw, [c for c in spec.fill_down if c not in spec.where])
    if spec.across == "periods" and spec.date_parts:
        parts = _parts_of_years(raw, spec)
        return _joined_date(_in_calendar_years(_turned(raw, parts, PART, spec), parts, spec), spec, [*spec.date_parts, PART])
    if spec.across == "periods":
        return _turned(raw, _periods(raw), spec.date, spec)
    if spec.date_parts:
        raw = _joined_date(raw, spec, spec.date_parts)
    if spec.across:
        return _turned(raw, list(spec.across), MEASURE, spec)
    return raw


def _filled_down(raw: RawTable, column: str) -> RawTable:
    text = to_text(raw.data[column])
    full = text.ffill()
    added = text.isna() & full.notna()
    told = "cells below the first row of a group take its name, as the config says"
    found = Finding.of("filled_down", "note", f"{raw.name} > {column}", rows=raw.rows[added], message=told)
    return replace(raw, data=raw.data.assign(**{column: full}), findings=(*raw.findings, *([found] if added.any() else [])))


def _without_totals(raw: RawTable, columns: list[str]) -> RawTable:
    """Leave out rows in which a cell says total and nothing else; a column that says so in every row tells nothing."""
    total = np.zeros(len(raw.data), dtype=bool)
    for column in columns:
        says = matches(raw.data[column], WHOLE_TOTAL)
        total |= says & ~says[filled(raw.data[column])].all()
    if not total.any():
        return raw
    found = Finding.of("total_rows", "note", raw.name, rows=raw.rows[total], message=LEFT_OUT["total_rows"])
    return replace(raw.kept(~total), findings=(*raw.findings, found))


def _in_calendar_years(raw: RawTable, parts: list[str], spec: ShapeSpec) -> RawTable:
    """Give each month the calendar year in which it lies, where years such as 2021 begin in another month than January.

    Columns from April to March prove it, and so does `year_end` for months; whether 2021 is the year that begins or ends then, only
    `dates` can say.
    """
    year, months = spec.date_parts[0], {p: first_month(p) for p in parts}
    order = _through_the_year(parts, months)
    if spec.year_end != "auto" and len(parts) == 12 and order[0] == min(parts, key=months.__getitem__):
        ends = int(spec.year_end[:2]) % 12
        order = [*order[ends:], *order[:ends]]
    first, last = order[0], order[-1]
    text = to_text(raw.data[year])
    plain = text.str.fullmatch(r"\d{4}").eq(True)
    if months[first] < months[last] or not plain.any():
        return raw
    if spec.dates == "auto":
        found = f"'{text[plain].iloc[0]}' from {first} to {last} may be the year that begins or the year that ends then"
        mend = "Write 2021-22 for 2021 to 2022; or say 'dates: start' where years are named by their beginning, 'dates: end' by their end"
        raise DataError(Fault(found, where=f"{raw.name} > {year}", allowed="A year that names its months", do_next=mend))
    after = raw.data[PART].map({p: month < months[first] for p, month in months.items()}).astype(int)
    move = after if spec.dates == "start" else after - 1
    moved = text.where(~plain, (pd.to_numeric(text.where(plain)) + move).map("{:.0f}".format))
    told = f"years are taken to run from {first} to {last}, named by the year in which they {'begin' if spec.dates == 'start' else 'end'}"
    note = Finding.of("assumed", "note", f"{raw.name} > {year}", count=len(raw.rows), message=told)
    return replace(raw, data=raw.data.assign(**{year: moved}), findings=(*raw.findings, note))


def _through_the_year(parts: list[str], months: dict[str, int]) -> list[str]:
    """Give months or quarters as the year runs: as the columns stand where they go on over the new year, else from January."""
    for order in (parts, parts[::-1]):
        back = [months[b] < months[a] for a, b in pairwise(order)]
        if sum(back) == 1 and months[order[-1]] < months[order[0]]:
            return order
    return sorted(parts, key=months.__getitem__)


def _joined_date(raw: RawTable, spec: ShapeSpec, columns: list[str]) -> RawTable:
    """Write the parts of a date one behind the other: "2021-22" and "Q1" are "2021-22 Q1"; a month in figures stands behind its year."""
    parts = [to_text(raw.data[c]) for c in columns]
    parts = [_part(p, column) for p, column in zip(parts, columns, strict=True)]
    mark = "-" if all(p.dropna().str.fullmatch(r"\d{1,4}").all() for p in parts) else " "
    parts = [p.where(p.str.len() > 1, "0" + p) for p in parts] if mark == "-" else parts
    joined = parts[0]
    for part in parts[1:]:
        joined = joined + mark + part
    told = f"dates are made of {listed(columns)}"
    found = Finding.of("joined_date", "note", f"{raw.name} > {spec.date}", count=len(raw.rows), message=told)
    return replace(raw, data=raw.data.assign(**{spec.date: joined}), findings=(*raw.findings, found))


def _part(text: pd.Series, column: str) -> pd.Series:
    """Say of figures in a column of quarters or periods that they are quarters or periods."""
    sign = next((mark for word, mark in PARTS.items() if word in column.casefold()), "")
    return text.where(~text.str.fullmatch(r"\d{1,2}").fillna(False).astype(bool), sign + text) if sign else text


def _periods(raw: RawTable) -> list[str]:
    found = period_columns([str(c) for c in raw.data.columns])
    if not found:
        fault = Fault("'across: periods' is said, and no three columns are named by periods one after the other", where=raw.name)
        allowed = f"Names such as 2021-22, Q1 2021-22, Apr-Jun 2021, April 2021 or 01/04/2021. Columns: {listed(raw.data.columns, most=12)}"
        raise DataError(replace(fault, allowed=allowed, do_next="Take 'across' out where each row tells its own date"))
    return found


def _parts_of_years(raw: RawTable, spec: ShapeSpec) -> list[str]:
    found = parts_of_years([str(c) for c in raw.data.columns if c not in (*spec.date_parts, *spec.keys)])
    if not found:
        fault = Fault("'across: periods' and 'date_parts' are said, and no columns are named by months or quarters", where=raw.name)
        raise DataError(replace(fault, allowed=f"Names such as April or Q1. Columns: {listed(raw.data.columns, most=12)}"))
    return found


def parts_of_years(names: list[str]) -> list[str]:
    """Say which columns are named by months or quarters without a year.

    Examples
    --------
    >>> parts_of_years(["Year", "Q1", "Q2", "Q3", "Q4", "Total"])
    ['Q1', 'Q2', 'Q3', 'Q4']
    """
    found = [n for n in names if PART_OF_YEAR.fullmatch(n)]
    return found if len(found) in (4, 12) else []


def _turned(raw: RawTable, columns: list[str], name: str, spec: ShapeSpec) -> RawTable:
    """Turn columns into rows; rows of totals, and those with nothing in any of the columns (remarks), are left out, and that is said."""
    kept = [c for c in raw.data.columns if c not in columns]
    others = [c for c in kept if c != name]
    empty = np.logical_and.reduce([to_text(raw.data[c]).isna().to_numpy() for c in columns])
    words = [c for c in others if raw.data[c].dtype == object and c not in spec.where]
    some = _without_totals(raw.kept(~empty), words)
    findings = [Finding.of("footer", "note", raw.name, rows=raw.rows[empty], message=LEFT_OUT["footer"])] if empty.any() else []
    findings += [_perhaps_total(some, c) for c in words if c in (*spec.keys, spec.series) and matches(some.data[c], SAYS_TOTAL).any()]
    table = some.data.melt(id_vars=kept, value_vars=columns, var_name=name, value_name=spec.value)
    rows = np.array([f"{row} ({column})" for column in columns for row in some.rows], dtype=object)
    told = f"{len(columns)} columns from '{columns[0]}' to '{columns[-1]}' were turned into rows: one row a series and period"
    unused = [c for c in others if c not in (*spec.keys, spec.series, spec.date, *spec.where)]
    told += f". Not used: {listed(unused)}" if unused else ""
    findings.append(Finding.of("turned_columns", "note", raw.name, count=len(columns), message=told))
    return replace(some, data=table, rows=rows, findings=(*some.findings, *findings))


def _perhaps_total(raw: RawTable, column: str) -> Finding:
    mask = matches(raw.data[column], SAYS_TOTAL)
    named = listed(dict.fromkeys(to_text(raw.data[column][mask])), most=3)
    told = f"{named}: kept as a series; where others are parts of it, they are counted twice: say in 'where' which rows count"
    return Finding.of("undeclared_total", "warn", f"{raw.name} > {column}", rows=raw.rows[mask], message=told)
