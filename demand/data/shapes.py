"""Tables that are no rows of series and period: made so before they are read.

In: the rows of a file as they stand, and what the config says of their shape: counts side by side, dates in several columns, names in the
first row of a group only. Out: one row a series and period, with what was done. Refuses files in which no columns are named by periods.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from demand.data.cells import matches, to_text
from demand.data.files import LEFT_OUT, FileSpec, RawTable
from demand.data.formats import period_columns
from demand.data.labels import PART_OF_YEAR
from demand.data.layout import SAYS_TOTAL
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
    fill_down: NameList = Field(default_factory=list)
    """Columns that are filled in the first row of a group only, as merged cells are: what stands above holds for the rows below."""

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
        Where columns named by periods are looked for and there are none.
    """
    for column in spec.fill_down:
        raw = _filled_down(raw, column)
    if spec.across == "periods" and spec.date_parts:
        return _joined_date(_turned(raw, _parts_of_years(raw, spec), PART, spec), spec, [*spec.date_parts, PART])
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
    words = [c for c in others if raw.data[c].dtype == object]
    total = np.logical_or.reduce([matches(raw.data[c], SAYS_TOTAL) for c in words]) if words else np.zeros(len(raw.data), dtype=bool)
    empty = np.logical_and.reduce([to_text(raw.data[c]).isna().to_numpy() for c in columns])
    findings = [Finding.of(rule, "note", raw.name, rows=raw.rows[mask], message=LEFT_OUT[rule])
                for rule, mask in (("total_rows", total & ~empty), ("footer", empty)) if mask.any()]  # fmt: skip
    some = raw.kept(~(total | empty))
    table = some.data.melt(id_vars=kept, value_vars=columns, var_name=name, value_name=spec.value)
    rows = np.array([f"{row} ({column})" for column in columns for row in some.rows], dtype=object)
    told = f"{len(columns)} columns from '{columns[0]}' to '{columns[-1]}' were turned into rows: one row a series and period"
    unused = [c for c in others if c not in (*spec.keys, spec.series, spec.date, *spec.where)]
    told += f". Not used: {listed(unused)}" if unused else ""
    findings.append(Finding.of("turned_columns", "note", raw.name, count=len(columns), message=told))
    return replace(some, data=table, rows=rows, findings=(*raw.findings, *findings))
