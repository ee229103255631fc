"""A table of other areas: how many, of how many people.

In: the settings of a published table. Out: one row an area. Refuses populations that are none, and areas that are there twice.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import Field

from demand.data.cells import rows_text, to_text
from demand.data.files import FileSpec, open_table
from demand.data.quality import Finding
from demand.errors import DataError, Fault, listed, raise_all
from demand.spec import Where

__all__ = ["ComparatorsSpec", "read_areas"]


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
    columns = {"area": spec.area, "count": spec.count, "population": spec.population}
    raw = open_table(spec, folder, columns=columns | {f"where {c}": c for c in spec.where})
    meant = np.ones(len(raw.data), dtype=bool)
    for column, values in spec.where.items():
        meant &= to_text(raw.data[column], spec.missing).isin(values).to_numpy()
    raw = raw.kept(meant)
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
