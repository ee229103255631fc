"""What drives demand, read from a file and brought to the periods of the history.

In: the settings of a file and the folder it is in. Out: DRIVERS by period. Refuses, all at once and with row numbers: rows without a day,
a name or a figure, and drivers with gaps.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pandas as pd
from pydantic import Field

from demand.calendar import Frequency
from demand.data.cells import to_text
from demand.data.codes import code_gates
from demand.data.counts import marked_figures, read_figures
from demand.data.dates import PeriodRule, format_note, read_days, to_periods
from demand.data.files import FileSpec, empty_faults, open_table
from demand.data.formats import DateFormat
from demand.data.quality import Finding, ReadingError
from demand.errors import Fault, listed
from demand.spec import NameList

__all__ = ["DriversSpec", "as_said", "read_drivers"]


class DriversSpec(FileSpec):
    """What drives demand: one row a driver and period, with its published future."""

    lag_months: int = Field(default=2, ge=0)
    """How many months after a period's end its figure is known."""
    date: str = "ds"
    """The column of dates."""
    name: str = "name"
    """The column that names the driver."""
    value: str = "value"
    """The column of figures."""
    low: str | None = None
    """The column with the lower end of the published range, for the future."""
    high: str | None = None
    """The column with the upper end."""
    date_format: DateFormat = "auto"
    """auto takes the one format that fits every row, day first for slashes."""
    keys: NameList = Field(default_factory=list)
    """Columns that are keys of the history too, such as area: whose figures they are. For the population of forecast.per alone."""
    signs: dict[str, Literal["positive", "negative"]] = Field(default_factory=dict)
    """Which way a driver can act only, by its name: positive where more of it means more people. Its estimated effect keeps that sign."""


def read_drivers(spec: DriversSpec, folder: Path, *, frequency: Frequency) -> tuple[pd.DataFrame, list[Finding]]:
    """Read drivers and bring them to the frequency of the history.

    Parameters
    ----------
    spec : DriversSpec
    folder : pathlib.Path
    frequency : Frequency
        Of the history. Several figures in one of its periods are averaged, and that is said.

    Returns
    -------
    drivers : pandas.DataFrame
        ds, name, value, low, high (NaN where no range is given), and the key columns; sorted by name, keys and ds.
    findings : list of Finding

    Raises
    ------
    DataError
        Where the file cannot be read.
    ReadingError
        With every fault of the file at once, and what else was found; also where a driver has no figure in a period between its first and
        its last.
    """
    ranges = {use: column for use, column in (("low", spec.low), ("high", spec.high)) if column}
    raw = open_table(
        spec, folder, columns={"date": spec.date, "name": spec.name, "value": spec.value} | ranges | {f"key {k}": k for k in spec.keys}
    )
    faults = list(raw.faults)
    days = read_days(raw, spec.date, setting=spec.date_format, missing=spec.missing, faults=faults)
    faults += empty_faults(days.values.isna().to_numpy() & ~days.wrong, raw, spec.date, "a date")
    names = to_text(raw.data[spec.name])
    faults += empty_faults(names.isna().to_numpy(), raw, spec.name, "the name of a driver")
    figures = {use: read_figures(raw, column, faults) for use, column in {"value": spec.value, **ranges}.items()}
    faults += empty_faults(to_text(raw.data[spec.value], spec.missing).isna().to_numpy(), raw, spec.value, "a figure")
    findings = [*raw.findings, *code_gates(raw.data[[spec.name, *spec.keys]], raw.name, raw.rows), *marked_figures(raw, spec.value)]
    if faults:
        raise ReadingError(faults, findings=findings, during=f"reading {raw.name}")
    rule = PeriodRule(frequency.code if frequency.family != "W" else "D")
    ds = frequency.start_of(to_periods(days.values, rule, label=days.label).ds)
    keys = {k: to_text(raw.data[k], spec.missing) for k in spec.keys}
    table, by = pd.DataFrame({"ds": ds, "name": names, **figures, **keys}), ["name", *spec.keys, "ds"]
    findings.append(format_note(raw, spec.date, days))
    if table.duplicated(by).any():
        text = f"several figures of a driver in one period of frequency {frequency.code} are averaged"
        findings.append(Finding.of("driver_mean", "note", raw.name, count=int(table.duplicated(by).sum()), message=text))
    drivers = table.groupby(by, as_index=False, dropna=False).mean().reindex(columns=["ds", "name", "value", "low", "high", *spec.keys])
    drivers = drivers[drivers["value"].notna()]  # a figure that is not published yet is none
    if gaps := [*_without_figure(table, raw.name, by[:-1]), *_driver_gaps(drivers, frequency, raw.name, by[:-1])]:
        raise ReadingError(gaps, findings=findings, during=f"reading {raw.name}")
    return drivers.sort_values(by, ignore_index=True), findings


def _without_figure(table: pd.DataFrame, name: str, by: list[str]) -> list[Fault]:
    known = table["value"].notna().groupby([table[b] for b in by], dropna=False).any()
    lost = [", ".join(str(p) for p in (at if isinstance(at, tuple) else (at,)) if pd.notna(p)) for at in known.index[~known]]
    return [Fault(f"drivers without a single figure: {listed(lost)}", where=name, allowed="One figure at least")] if lost else []


def _driver_gaps(drivers: pd.DataFrame, frequency: Frequency, name: str, by: list[str]) -> list[Fault]:
    faults = []
    for place, rows in drivers.groupby(by, dropna=False):
        driver = ", ".join(str(p) for p in place if pd.notna(p))
        lacking = frequency.between(rows["ds"].min(), rows["ds"].max()).difference(pd.DatetimeIndex(rows["ds"]))
        if len(lacking):
            days = listed([f"{d:%Y-%m-%d}" for d in lacking], most=3)
            faults.append(Fault(f"driver '{driver}' has no figure in {len(lacking)} periods: {days}", where=name,
                                allowed=f"A figure in every period of frequency {frequency.code}",
                                do_next="Spread a driver that is counted less often than the history over its periods first"))  # fmt: skip
    return faults


def as_said(drivers: pd.DataFrame, spec: DriversSpec) -> pd.DataFrame:
    """Say on DRIVERS how late they are published, for replays to see no more than was known, and which way they can act.

    Parameters
    ----------
    drivers : pandas.DataFrame
    spec : DriversSpec

    Returns
    -------
    pandas.DataFrame
        A copy, with `lag_months` and `signs` in its attrs.
    """
    told = drivers.copy()
    told.attrs.update(lag_months=spec.lag_months, signs=dict(spec.signs))
    return told
