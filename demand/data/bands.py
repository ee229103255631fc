"""What may be kept of a date of birth and of a postcode: an age band, and an area.

In: columns of an extract of people. Out: bands and areas in their place; neither the day nor the postcode is kept. Refuses days that cannot
be read, and a table of postcodes that says two areas for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from demand.data.cells import rows_text, to_text
from demand.data.dates import read_days
from demand.data.files import FileSpec, RawTable, open_table
from demand.data.formats import DateFormat
from demand.data.people import age_band
from demand.data.quality import Finding
from demand.errors import DataError, Fault

__all__ = ["AGE_BAND", "POSTCODE_AREA", "PostcodeSpec", "bands_of_births", "postcode_areas"]

AGE_BAND, POSTCODE_AREA = "age_band", "postcode_area"
"""What the columns are called that stand in place of dates of birth and postcodes."""
OLDEST_AGE = 110
DISTRICT = r"^([A-Z]{1,2}\d[A-Z\d]?)(?:\d[A-Z]{2})?$"
"""A postcode without blanks, or its first half alone (BS 7666)."""


class PostcodeSpec(FileSpec):
    """A table of postcodes and the areas that they lie in, such as the statistics office's (ONS Postcode Directory)."""

    postcode: str = "postcode"
    """The column of postcodes, however they are spaced."""
    area: str = "area"
    """The column of areas: wards, small areas, or the council's own."""


def bands_of_births(
    raw: RawTable, column: str, on: pd.Series, *, setting: DateFormat, missing: Sequence[str], faults: list[Fault]
) -> tuple[pd.Series, list[Finding]]:
    """Put dates of birth into age bands.

    Parameters
    ----------
    raw : RawTable
    column : str
    on : pandas.Series
        The day on which the age is meant: that on which the episode began.
    setting : {"auto", "dmy", "mdy", "iso", "excel"}
    missing : sequence of str
        Marks that say nothing.
    faults : list of Fault
        Added to: rows that are no day.

    Returns
    -------
    bands : pandas.Series
        Text such as "18-24"; missing where the day, or an age that can be true, is.
    findings : list of Finding
        implausible_value: rows with a birth after that day, or more than 110 years before it.
    """
    born = read_days(raw, column, setting=setting, missing=missing, faults=faults, private=True).values
    before = (on.dt.month * 100 + on.dt.day) < (born.dt.month * 100 + born.dt.day)
    years = (on.dt.year - born.dt.year - before).where(born.notna() & on.notna())
    odd = ((years < 0) | (years > OLDEST_AGE)).to_numpy()
    bands = age_band(years.mask(odd)).astype(object)
    if not odd.any():
        return bands.where(bands.notna(), None), []
    told = f"born after the day on which the episode began, or more than {OLDEST_AGE} years before: their age is not known"
    return bands.where(bands.notna(), None), [
        Finding.of("implausible_value", "warn", f"{raw.name} > {column}", rows=raw.rows[odd], message=told)
    ]


def postcode_areas(
    raw: RawTable, column: str, *, lookup: PostcodeSpec | None, folder: Path, missing: Sequence[str]
) -> tuple[pd.Series, list[Finding]]:
    """Put postcodes into areas.

    Parameters
    ----------
    raw : RawTable
    column : str
    lookup : PostcodeSpec or None
        The table that says which area a postcode lies in; without one, its district (CF10) is the area.
    folder : pathlib.Path
    missing : sequence of str

    Returns
    -------
    areas : pandas.Series
        Missing where the postcode is no postcode, or is not in the table.
    findings : list of Finding
        postcode_unknown: how many those are.

    Raises
    ------
    DataError
        Where the table cannot be read, or says two areas for one postcode.
    """
    codes = _closed(raw.data[column], missing)
    areas = codes.str.extract(DISTRICT)[0] if lookup is None else codes.map(_areas(lookup, folder))
    areas = areas.astype(object).where(areas.notna(), None)
    lost = (codes.notna() & areas.isna()).to_numpy()
    told = "no postcodes, or of no area that is known: their area is not given"
    found = [Finding.of("postcode_unknown", "warn", f"{raw.name} > {column}", rows=raw.rows[lost], message=told)] if lost.any() else []
    return areas, found


def _closed(column: pd.Series, missing: Sequence[str]) -> pd.Series:
    return to_text(column, missing).str.upper().str.replace(r"[^A-Z0-9]", "", regex=True)


def _areas(lookup: PostcodeSpec, folder: Path) -> pd.Series:
    raw = open_table(lookup, folder, columns={"id": lookup.postcode, "area": lookup.area})
    table = pd.DataFrame(
        {"code": _closed(raw.data[lookup.postcode], lookup.missing), "area": to_text(raw.data[lookup.area], lookup.missing)}
    )
    several = table.dropna().groupby("code")["area"].transform("nunique").reindex(table.index).to_numpy(dtype=float) > 1
    if np.any(several):
        raise DataError(
            Fault(f"a postcode lies in two areas, {rows_text(raw.rows[several])}", where=raw.name, allowed="One area for each postcode")
        )
    return table.dropna().drop_duplicates("code").set_index("code")["area"]
