"""Earlier extracts of the same table, as they were on their days: how late things are recorded can be seen from them alone.

In: a folder or a list of files whose names hold the day on which each was made, and the settings of the extract of now. Out: by the last
day of the last whole month of each, its PEOPLE. Refuses files without a day in their names, and what the reading of an extract refuses.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from demand.data.episodes import last_day
from demand.data.extracts import PeopleSpec, read_people
from demand.data.policies import QualitySpec
from demand.data.quality import Finding
from demand.errors import DataError, Fault, raise_all

__all__ = ["counted_from", "dated_files", "read_snapshots", "whole_month", "whole_until"]

NEARLY = 4
"""Days: an extract that ends so near to the end of a month, over a weekend or a bank holiday, holds it whole."""
WHERE = "data > snapshots"
DAY = re.compile(r"(?<!\d)(20\d{2})[-_.]?(\d{2})[-_.]?(\d{2})(?!\d)")


def dated_files(named: str | list[str], folder: Path) -> dict[pd.Timestamp, Path]:
    """Give the files by the days in their names.

    Parameters
    ----------
    named : str or list of str
        A folder, of which all files with a day in their names are taken; or the files.
    folder : pathlib.Path
        Where relative paths are looked up.

    Returns
    -------
    dict of Timestamp to Path
        In the order of the days.

    Raises
    ------
    DataError
        Where there is no such folder or file, a name holds no day, or two the same.
    """
    if isinstance(named, str):
        place = folder / named
        if not place.is_dir():
            raise DataError(Fault("there is no such folder", where=f"{WHERE} > {named}", do_next="Name a folder, or a list of files"))
        paths = sorted(p for p in place.iterdir() if p.is_file() and _day(p.name) is not None)
        if not paths:
            raise DataError(Fault("no file here has a day in its name", where=f"{WHERE} > {named}", allowed="placements_2026-03-31.csv"))
    else:
        paths = [folder / name for name in named]
    found: dict[pd.Timestamp, Path] = {}
    faults = []
    for path in paths:
        day = _day(path.name)
        if not path.is_file():
            faults.append(Fault("there is no such file", where=f"{WHERE} > {path.name}"))
        elif day is None:
            faults.append(Fault("the name holds no day", where=f"{WHERE} > {path.name}", allowed="placements_2026-03-31.csv"))
        elif day in found:
            faults.append(Fault(f"'{found[day].name}' is of the same day", where=f"{WHERE} > {path.name}", do_next="Name one of the two"))
        else:
            found[day] = path
    raise_all(faults, DataError, during="looking for earlier extracts")
    return dict(sorted(found.items()))


def read_snapshots(
    files: dict[pd.Timestamp, Path], spec: PeopleSpec, *, key: bytes, quality: QualitySpec, before: pd.Timestamp
) -> dict[pd.Timestamp, pd.DataFrame]:
    """Read earlier extracts.

    Parameters
    ----------
    files : dict of Timestamp to Path
        As `dated_files` gives them.
    spec : PeopleSpec
        Of the extract of now; no more than days and keys are read.
    key : bytes
    quality : QualitySpec
    before : pandas.Timestamp
        The last day of the last whole month of the extract of now; only earlier ones are read.

    Returns
    -------
    dict of Timestamp to DataFrame
        The last day of the last whole month that each holds, to its PEOPLE; of two made in one month, the later.

    Raises
    ------
    DataError
        As the reading of an extract.
    """
    slim: dict[str, Any] = {
        "attributes": [],
        "price": None,
        "activity": None,
        "known_end": None,
        "household": None,
        "seen": {},
        "sql": "",
        "url": "",
    }
    found = {}
    for day, path in files.items():
        made = whole_month(day)
        if made < before:
            one = spec.model_copy(update={**slim, "path": str(path.resolve()), "extracted": day.date()})
            found[made] = read_people(one, path.parent, key=key, quality=quality)[0]
    return found


def whole_until(
    people: pd.DataFrame, *, as_of: pd.Timestamp | None, extracted: date | None, name: str
) -> tuple[pd.Timestamp, list[Finding]]:
    """Say up to which day an extract holds whole months.

    Parameters
    ----------
    people : pandas.DataFrame
        PEOPLE.
    as_of : pandas.Timestamp or None
        Nothing later is looked at.
    extracted : datetime.date or None
        The day on which the extract was made, where it is known; else the last day on which anything happened in it.
    name : str
        The file.

    Returns
    -------
    day : pandas.Timestamp
        The last day of a month.
    findings : list of Finding
        What is said of the month in which the extract stops.
    """
    stops = pd.Timestamp(extracted) if extracted else _last_happened(people)
    until = stops if as_of is None else min(as_of, stops)
    month_end = until + pd.offsets.MonthEnd(0)
    nearly = not extracted and (as_of is None or as_of >= month_end) and until + pd.Timedelta(days=NEARLY) > month_end
    if until == month_end or nearly:
        return month_end, []
    told = f"the extract ends on {until.day} {until:%B %Y}: {until:%B} is not whole and is not counted"
    hint = "; where it is whole, say so with `extracted`"
    return month_end - pd.offsets.MonthEnd(1), [Finding.of("half_month", "warn", name, count=1, message=told + hint)]


def counted_from(people: pd.DataFrame, *, since: date | None, until: pd.Timestamp) -> pd.Timestamp:
    """Say with which month counts begin: with the first opening, or later where the extract holds everybody only from a later day.

    Parameters
    ----------
    people : pandas.DataFrame
        PEOPLE.
    since : datetime.date or None
        The day from which the extract holds everybody; the month in which it lies counts where it is the first of the month.
    until : pandas.Timestamp
        The last day of the last month that the extract holds whole.

    Returns
    -------
    pandas.Timestamp
        A day of the first month. A service has no history before its first opening: months before it are not counted as noughts.

    Raises
    ------
    DataError
        Where no whole month is left.
    """
    first = pd.Timestamp(people["opened"].min())
    if since is not None:
        day = pd.Timestamp(since)
        first = max(day if day.is_month_start else day + pd.offsets.MonthBegin(1), first)
    if first > until:
        found = f"no whole month lies between {first.day} {first:%B %Y} and the end of the extract"
        where = "data.people" if since is None else "data.people.since"
        mend = "Give an extract that reaches further" + ("" if since is None else ", or an earlier day")
        raise DataError(Fault(found, where=where, allowed=f"Its last whole month is {until:%B %Y}", do_next=mend))
    return first


def _last_happened(people: pd.DataFrame) -> pd.Timestamp:
    """Give the last day on which anything opened or closed; an end planned for next year has not happened."""
    last = last_day(people["opened"])
    return pd.Timestamp(max(last, people["closed"][people["closed"] <= last + pd.Timedelta(days=31)].max())).normalize()


def whole_month(day: pd.Timestamp) -> pd.Timestamp:
    """Give the last day of the last month that had ended on a day."""
    return day if day.is_month_end else day - pd.offsets.MonthEnd(1)


def _day(name: str) -> pd.Timestamp | None:
    for parts in DAY.findall(name):
        day = pd.to_datetime("-".join(parts), errors="coerce")
        if not pd.isna(day):
            return pd.Timestamp(day)
    return None
