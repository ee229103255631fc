"""From files to checked tables: HISTORY here; PEOPLE, places and DRIVERS through extracts.py.

In: the settings of a file (its columns, dates, kinds) and the folder it is in. Out: the table with the package's own column names, and what
was found on the way (the date format, rows left out). Refuses, all at once and with row numbers: text where a number should be, dates that
fit no format, negative counts, periods that are there twice, gaps that were not allowed, keys that change within a series.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field, field_validator

from demand.calendar import FREQUENCIES, Frequency
from demand.data.cells import rows_text, to_text
from demand.data.codes import code_gates
from demand.data.counts import read_counts, with_bounds
from demand.data.dates import PeriodRule, Periods, format_note, read_days, to_periods
from demand.data.drivers import DriversSpec, read_drivers
from demand.data.extracts import PeopleSpec, PlacesSpec, read_people, read_places
from demand.data.files import RawTable, empty_faults, open_table
from demand.data.formats import DateFormat, Dates
from demand.data.identifiers import shape_faults
from demand.data.labels import QUARTER
from demand.data.people import BLANK_KEY
from demand.data.quality import Finding
from demand.data.shapes import MEASURE, ShapeSpec, reshaped
from demand.errors import DataError, Fault, did_you_mean, listed, raise_all
from demand.spec import NameList, Spec, Where
from demand.tables import BOUNDS, KINDS, History

__all__ = [
    "ColumnSpec",
    "DriversSpec",
    "HistorySpec",
    "PeopleSpec",
    "PlacesSpec",
    "read_drivers",
    "read_history",
    "read_people",
    "read_places",
]


class ColumnSpec(Spec):
    """A setting that each row says for itself."""

    column: str
    """The column that says it."""
    names: Where = Field(default_factory=dict)
    """Where the column's values are not the words needed: word -> the values that mean it, for example {stock: [CLA_at_31_March]}."""


class HistorySpec(ShapeSpec):
    """A long table of counts: one row a series and period."""

    frequency: str
    """D, W-MON ... W-SUN (the weekday of the dates in the file), M, Q or Y."""
    date_format: DateFormat = "auto"
    """auto takes the one format that fits every row, day first for slashes; dmy, mdy, iso or excel fix it."""
    kind: Literal["flow", "stock"] | ColumnSpec = "flow"
    """flow (counted in the period) or stock (counted at its end), or {column: NAME}: values that begin with either word count."""
    unit: str | ColumnSpec = "people"
    """What is counted: people, households, children... or {column: NAME}."""
    split: NameList = Field(default_factory=list)
    """Names for the parts of the series' name between slashes: [group, type] makes "TA/hostels" group TA, type hostels. They are keys."""
    gaps: Literal["stop", "leave", "interpolate"] = "stop"
    """What to do with periods that are missing inside a series: stop and name them, leave them empty, or draw a straight line."""

    @field_validator("frequency")
    @classmethod
    def _known_frequency(cls, code: str) -> str:
        if code not in FREQUENCIES:
            raise ValueError(f"'{code}' is not a frequency. {did_you_mean(code, FREQUENCIES)}")
        return code


def read_history(spec: HistorySpec, folder: Path) -> tuple[History, list[Finding]]:
    """Read a long table of counts.

    Parameters
    ----------
    spec : HistorySpec
    folder : pathlib.Path
        Where a relative path is looked up.

    Returns
    -------
    history : History
    findings : list of Finding
        The date format found, rows left out, what was taken for granted.

    Raises
    ------
    DataError
        With every fault of the file at once.
    """
    wide = spec.across == "periods"
    raw = reshaped(open_table(spec, folder, columns=_history_columns(spec), every=wide, periods=wide and not spec.date_parts), spec)
    raw = _selected(_with_series(raw, spec), spec)
    faults = list(raw.faults)
    rows, frequency, findings = _history_rows(raw, spec, faults)
    faults += _within_series(rows, spec, raw.name)
    raise_all(faults, DataError, during=f"reading {raw.name}")
    table, found = _complete(rows, frequency, spec, raw.name)
    keys = [*spec.keys, *spec.split]
    codes = code_gates(raw.data[spec.keys], raw.name, raw.rows)
    return History.of(table, frequency, keys=keys), [*raw.findings, *codes, *findings, *found]


def _history_columns(spec: HistorySpec) -> dict[str, str]:
    parts = {f"date {i + 1}": c for i, c in enumerate(spec.date_parts)}
    columns = (parts if spec.across == "periods" else parts or {"date": spec.date}) | ({} if spec.across else {"value": spec.value})
    columns |= {f"counts {i + 1}": c for i, c in enumerate(spec.across)} if isinstance(spec.across, list) else {}
    columns |= {"series": spec.series} if spec.series else {}
    columns |= {f"key {k}": k for k in spec.keys if not (k == MEASURE and spec.across)} | {
        f"where {c}": c for c in spec.where if c not in spec.split
    }
    said = {"kind": spec.kind, "unit": spec.unit}
    return columns | {name: s.column for name, s in said.items() if isinstance(s, ColumnSpec)}


def _with_series(raw: RawTable, spec: HistorySpec) -> RawTable:
    """Add the series' name and the parts of it, as text; keys become text."""
    data = raw.data.copy()
    findings = list(raw.findings)
    for key in spec.keys:
        text = to_text(data[key])
        if text.isna().any():
            at = f"{raw.name} > {key}"
            message = f"empty cells of a key are counted as '{BLANK_KEY}'"
            findings.append(Finding.of("blank_key", "warn", at, rows=raw.rows[text.isna()], message=message))
        data[key] = text.fillna(BLANK_KEY)
    if spec.series:
        data["_series"] = to_text(data[spec.series])
    else:
        data["_series"] = data[spec.keys].agg("/".join, axis=1) if spec.keys else "all"
    if spec.split:
        parts = data["_series"].fillna("").str.split("/", n=len(spec.split) - 1, expand=True).reindex(columns=range(len(spec.split)))
        data[list(spec.split)] = parts.fillna("").to_numpy()
    return replace(raw, data=data, findings=tuple(findings))


def _selected(raw: RawTable, spec: HistorySpec) -> RawTable:
    """Keep the rows that `where` names."""
    mask, faults = np.ones(len(raw.data), dtype=bool), []
    for column, values in spec.where.items():
        text = to_text(raw.data[column])
        known = sorted(text.dropna().unique())
        at = f"data > history > where > {column}"
        faults += [Fault(f"'{v}' matches no row", where=at, allowed=did_you_mean(v, known)) for v in values if v not in set(known)]
        mask &= text.isin(values).to_numpy()
    if not faults and not mask.any():
        faults.append(Fault(f"no row of {raw.name} matches {spec.where} taken together", where="data > history > where"))
    raise_all(faults, DataError, during=f"selecting rows of {raw.name}")
    return raw.kept(mask)


def _history_rows(raw: RawTable, spec: HistorySpec, faults: list[Fault]) -> tuple[pd.DataFrame, Frequency, list[Finding]]:
    """Turn cells into series, days and numbers; faults are added to the list, and the rows that have none are given back."""
    data, rows = raw.data, raw.rows
    columns = dict.fromkeys(c for c in (*spec.keys, spec.series, spec.value) if c)
    of_persons = [f for column in columns for f in shape_faults(data[column], rows, f"{raw.name} > {column}")]
    raise_all(of_persons, DataError, during=f"reading {raw.name}")  # alone: what else is wrong there would be told with its values
    table = pd.DataFrame({"unique_id": data["_series"], "row": rows})
    table[[*spec.keys, *spec.split]] = data[[*spec.keys, *spec.split]]
    unnamed = data["_series"].isna().to_numpy()
    if spec.split:
        unnamed |= (data[spec.split[-1]] == "").to_numpy()
    if unnamed.any():
        parts = f"with {len(spec.split)} parts between slashes" if spec.split else "in every row"
        faults.append(Fault(f"no name of a series in {rows_text(rows[unnamed])}", where=raw.name, allowed=f"A name {parts}"))
    counts, odd = read_counts(raw, spec.value, faults)
    table, hidden = with_bounds(table, counts, raw, spec.value)
    table["kind"], table["unit"] = _said(raw, spec.kind, "kind", faults), _said(raw, spec.unit, "unit", faults)
    days = read_days(raw, spec.date, setting=spec.date_format, missing=spec.missing, faults=faults)
    faults += empty_faults(days.values.isna().to_numpy() & ~days.wrong, raw, spec.date, "a date")
    dated = ~(unnamed | days.values.isna().to_numpy())
    periods = to_periods(days.values[dated], PeriodRule(spec.frequency, spec.dates, spec.year_end), label=days.label)
    if periods.wrong.any():
        faults.append(Fault(f"{int(periods.wrong.sum())} dates are not where their period says, {rows_text(rows[dated][periods.wrong])}",
                            where=f"{raw.name} > {spec.date}", allowed=periods.allowed))  # fmt: skip
    told = table.assign(odd=odd)[dated].assign(ds=periods.ds)[~periods.wrong]
    faults += _doubled(told, spec, raw.name, days)
    if faults and spec.gaps == "stop" and len(told) == len(table):  # gaps are told in the same breath; what cannot be read is no gap
        gaps = _laid_out(told.assign(y=told["y"].where(~told["odd"], 0.0)), periods.frequency)[1]
        faults += [_gap_fault(gaps, raw.name)] if len(gaps) else []
    kept = told[~told["odd"]].drop(columns="odd")
    return kept, periods.frequency, [*hidden, format_note(raw, spec.date, days), *_assumed(spec, periods, raw.name, days.label)]


def _said(raw: RawTable, said: str | ColumnSpec, name: str, faults: list[Fault]) -> pd.Series:
    """Give the kind or the unit of each row: one word for all, or what the row's own column says."""
    if isinstance(said, str):
        return pd.Series(said, index=raw.data.index, dtype=object)
    text = to_text(raw.data[said.column])
    meaning = {v: word for word, values in said.names.items() for v in values}
    words = text.map(meaning) if meaning else text
    if name == "kind" and not meaning:
        words = text.map({t: next((k for k in KINDS if str(t).casefold().startswith(k)), None) for t in text.dropna().unique()})
    unsaid = words.isna().to_numpy()
    if unsaid.any():
        odd = listed(text[unsaid].fillna("").unique())
        allowed = (
            f"Known: {listed(meaning)}"
            if meaning
            else "Words that begin with 'flow' or 'stock'"
            if name == "kind"
            else "A unit in every row"
        )
        faults.append(Fault(f"{odd} gives no {name}, {rows_text(raw.rows[unsaid])}", where=f"{raw.name} > {said.column}", allowed=allowed))
    return words.fillna("flow" if name == "kind" else "people")


def _doubled(table: pd.DataFrame, spec: HistorySpec, name: str, days: Dates) -> list[Fault]:
    """Name the periods that a series has twice."""
    twice = table[table.duplicated(["unique_id", "ds"], keep=False)]
    if twice.empty:
        return []
    rows = twice.sort_values(["unique_id", "ds", "row"], kind="stable")["row"]
    hint = (
        f"The dates were read as {days.label}: if that is wrong, state 'date_format'. "
        if days.family == "dmy" and "/" in days.label
        else ""
    )
    more = "Add the column that tells these rows apart to 'keys' or 'series', or select with 'where'"
    if spec.across:
        more += ". A pivot table of Excel needs Design > Report Layout > Show in Tabular Form and Repeat All Item Labels, without subtotals"
    found = f"{len(twice)} rows give a period that another row of their series gives too, {rows_text(rows)}"
    allowed = f"One row for each series and period of frequency {spec.frequency}"
    return [Fault(found, where=f"{name}, series {listed(twice['unique_id'].unique(), most=3)}", allowed=allowed, do_next=hint + more)]


def _within_series(table: pd.DataFrame, spec: HistorySpec, name: str) -> list[Fault]:
    """Name the keys, kinds and units that change within a series."""
    faults = []
    for column in [*spec.keys, "kind", "unit"]:
        several = table.groupby("unique_id")[column].nunique()
        changing = several[several > 1].index
        if len(changing):
            faults.append(Fault(f"'{column}' changes within {len(changing)} series: {listed(changing, most=3)}", where=name,
                                allowed="A series has one value of each key, one kind and one unit",
                                do_next="Leave the column out of 'keys', or make it part of the series' name"))  # fmt: skip
    return faults


def _complete(table: pd.DataFrame, frequency: Frequency, spec: HistorySpec, name: str) -> tuple[pd.DataFrame, list[Finding]]:
    """Cut empty ends off, lay out every period between, and do with the gaps what was asked."""
    findings = []
    counted = table[table["y"].notna()]
    lost = sorted(set(table["unique_id"]) - set(counted["unique_id"]))
    if lost:
        text = f"series without a single count are left out: {listed(lost)}"
        findings.append(Finding.of("empty_series", "warn", name, count=len(lost), message=text))
    if counted.empty:
        raise DataError(Fault("there is not a single count", where=f"{name} > {spec.value}", allowed="One count at least"))
    bounds = [b for b in BOUNDS if b in counted]
    full, gaps = _laid_out(counted, frequency)
    if len(gaps):
        findings.append(_gaps(gaps, spec, name))
    if spec.gaps == "interpolate":
        full["y"] = full.groupby("unique_id")["y"].transform(lambda y: y.interpolate("linear"))
    for bound in bounds:
        full[bound] = full[bound].where(full[bound].notna(), full["y"])
    about = counted.groupby("unique_id")[[*spec.keys, *spec.split, "kind", "unit"]].first()
    return full.join(about, on="unique_id"), findings


def _laid_out(table: pd.DataFrame, frequency: Frequency) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lay out every period between a series' first count and its last, and give those that have none."""
    counted = table[table["y"].notna()].drop_duplicates(["unique_id", "ds"])
    if counted.empty:
        return counted, counted
    spans = counted.groupby("unique_id")["ds"].agg(["min", "max"])
    calendars = {pair: frequency.between(*pair) for pair in set(zip(spans["min"], spans["max"], strict=True))}
    grid = pd.concat([pd.DataFrame({"unique_id": i, "ds": calendars[(a, b)]}) for i, a, b in spans.itertuples()], ignore_index=True)
    bounds = [b for b in BOUNDS if b in counted]
    full = grid.merge(counted[["unique_id", "ds", "y", *bounds]], how="left", on=["unique_id", "ds"])
    return full, full[full["y"].isna()]


def _gap_fault(gaps: pd.DataFrame, name: str) -> Fault:
    some = [f"{i} {d:%Y-%m-%d}" for i, d in zip(gaps["unique_id"], gaps["ds"], strict=True)]
    found = f"{len(gaps)} periods inside {gaps['unique_id'].nunique()} series have no count: {listed(some)}"
    return Fault(found, where=name, allowed="A count in every period between a series' first and last",
                 do_next="Find the counts; or say 'gaps: leave' (not collected) or 'gaps: interpolate'")  # fmt: skip


def _gaps(gaps: pd.DataFrame, spec: HistorySpec, name: str) -> Finding:
    """Stop at gaps, or say what was done with them."""
    fault = _gap_fault(gaps, name)
    if spec.gaps == "stop":
        raise DataError(fault)
    done = "left empty" if spec.gaps == "leave" else "filled along a straight line, as the config asks"
    return Finding.of("gap", "warn", name, count=len(gaps), message=f"{fault.found}; {done}")


def _assumed(spec: HistorySpec, periods: Periods, name: str, label: str) -> list[Finding]:
    """Say what the config left open and what was taken instead."""
    notes = []
    if spec.dates == "auto" and spec.frequency != "D":
        notes.append(f"dates taken as the {'first' if periods.dates == 'start' else 'last'} days of their periods")
    if spec.year_end == "auto" and spec.frequency == "Y":
        notes.append(f"years taken to end in month {periods.frequency.year_end_month}")
    if label == QUARTER:
        notes.append("Q1 of a year such as 2024 is taken as January to March; write 2024-25 where it is April to June")
    notes += [f"'{key}' is not stated: taken as {getattr(spec, key)}" for key in ("kind", "unit") if key not in spec.model_fields_set]
    return [Finding.of("assumed", "note", name, count=1, message=text) for text in notes]
