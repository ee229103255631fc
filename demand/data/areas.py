"""A table of other areas: how many, of how many people.

In: the settings of a published table. Out: one row an area. Refuses populations that are none, and areas that are there twice.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from demand.calendar import Frequency
from demand.data.cells import rows_text, to_text
from demand.data.dates import read_days
from demand.data.files import FileSpec, RawTable, open_table
from demand.data.quality import Finding
from demand.data.read import HistorySpec, read_history
from demand.errors import DataError, Fault, listed, raise_all
from demand.spec import Where
from demand.tables import History

__all__ = ["ComparatorsSpec", "read_areas", "read_others"]


class ComparatorsSpec(FileSpec):
    """Other areas, to see ours beside: one row an area, as national statistics publish them."""

    area: str = "area"
    """The column of names or codes."""
    count: str = "count"
    """The column of what is compared."""
    population: str = "population"
    """The column of how many people live there (or households, where the rate is per household)."""
    ours: str
    """Which of the areas is ours."""
    what: str = "people"
    """What is counted, in words: households in temporary accommodation."""
    date: str | None = None
    """The column of dates, where the table holds several periods: rates are of the last one, and the forecast learns from how the other
    areas went."""
    kind: Literal["flow", "stock"] = "stock"
    """flow (counted in the period) or stock (counted at its end), where there are several periods."""
    dates: Literal["auto", "start", "end"] = "auto"
    """Whether a date is the first or the last day of its period."""
    where: Where = Field(default_factory=dict)
    """Which rows are of our kind: column -> values, such as {family: [Welsh valleys], year: [2025-26]}. Empty means all."""


def read_areas(spec: ComparatorsSpec, folder: Path) -> tuple[pd.DataFrame, list[Finding]]:
    """Read a table of areas.

    Parameters
    ----------
    spec : ComparatorsSpec
    folder : pathlib.Path
        Where a relative path is looked up.

    Returns
    -------
    table : pandas.DataFrame
        area, count (NaN where it is hidden or not known), population.
    findings : list of Finding

    Raises
    ------
    DataError
        With every fault of the file at once.
    """
    columns = {"area": spec.area, "count": spec.count, "population": spec.population} | ({"date": spec.date} if spec.date else {})
    raw = open_table(spec, folder, columns=columns | {f"where {c}": c for c in spec.where})
    meant = np.ones(len(raw.data), dtype=bool)
    for column, values in spec.where.items():
        meant &= to_text(raw.data[column], spec.missing).isin(values).to_numpy()
    raw = raw.kept(meant)
    if spec.date:
        raw = raw.kept(_last_period(raw, spec))
    area, count, people = to_text(raw.data[spec.area], spec.missing), raw.numbers(spec.count), raw.numbers(spec.population)
    faults = []
    for column, read in ((spec.count, count), (spec.population, people)):
        if read.wrong.any():
            faults.append(
                Fault(f"no number in {rows_text(raw.rows[read.wrong])}", where=f"{raw.name} > {column}", allowed="A count, or empty")
            )
    if (twice := area.duplicated(keep=False) & area.notna()).any():
        hint = "Say which rows are meant in data.comparators.where: a year, a kind of area"
        faults.append(Fault(f"{listed(area[twice].unique())} are there more than once", where=f"{raw.name} > {spec.area}", do_next=hint))
    if not len(raw.data):
        faults.append(Fault("no row is of our kind", where="data > comparators > where"))
    raise_all(faults, DataError, during=f"reading {raw.name}")
    unknown = area.isna().to_numpy() | count.hidden | np.isnan(count.values) | np.isnan(people.values)
    findings = list(raw.findings)
    if unknown.any():
        told = "areas are left out: their count is hidden or not known"
        findings.append(Finding.of("comparator", "note", raw.name, rows=raw.rows[unknown], message=told))
    shown = np.where(count.hidden, np.nan, count.values)
    return pd.DataFrame({"area": area, "count": shown, "population": people.values}).dropna(subset=["area"]), findings


def _last_period(raw: RawTable, spec: ComparatorsSpec) -> np.ndarray:
    """Say which rows are of the last date on which ours was counted."""
    faults: list[Fault] = []
    days = read_days(raw, str(spec.date), setting="auto", missing=spec.missing, faults=faults)
    raise_all(faults, DataError, during=f"reading {raw.name}")
    mine = (to_text(raw.data[spec.area], spec.missing) == spec.ours).to_numpy() & np.isfinite(raw.numbers(spec.count).values)
    return np.asarray(days.values == days.values[mine].max()) if mine.any() else np.ones(len(raw.data), dtype=bool)


def read_others(spec: ComparatorsSpec, folder: Path, *, frequency: Frequency) -> History:
    """Read what other areas counted, period by period.

    Parameters
    ----------
    spec : ComparatorsSpec
        With `date`.
    folder : pathlib.Path
    frequency : Frequency
        That of our own counts.

    Returns
    -------
    History
        A series an area, without ours.

    Raises
    ------
    DataError
        With every fault of the file at once, or where no other area is there.
    """
    file = {name: getattr(spec, name) for name in FileSpec.model_fields}
    year_end = f"{pd.Timestamp(2023, frequency.year_end_month, 1) + pd.offsets.MonthEnd(0):%m-%d}"
    about = {"date": str(spec.date), "value": spec.count, "frequency": frequency.code, "dates": spec.dates, "gaps": "leave"}
    if frequency.family in "QY":
        about["year_end"] = year_end
    asked = HistorySpec.model_validate({**file, **about, "kind": spec.kind, "keys": [spec.area], "where": spec.where})
    found = read_history(asked, folder)[0]
    others = [i for i in found.ids if i != spec.ours]
    if not others:
        raise DataError(Fault("no other area is there to learn from", where="data > comparators"))
    return found.only(others)
