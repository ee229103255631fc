"""Dates as councils write them, read with one format for a whole column, and put into periods.

In: a column of a file. Out: days, and the name of the one format that fits every row. Day comes first where slashes leave it open:
01/02/2024 is 1 February. Refuses rows that do not fit the format, and days that are not where their period says they should be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from demand.calendar import MONTHS, WEEKDAYS, Frequency
from demand.data.cells import rows_text, to_text
from demand.data.files import RawTable
from demand.data.quality import Finding
from demand.errors import Fault, listed

__all__ = ["DateFormat", "Dates", "PeriodRule", "Periods", "format_note", "parse_dates", "read_days", "to_periods"]

DateFormat = Literal["auto", "dmy", "mdy", "iso", "excel"]
DatesAre = Literal["auto", "start", "end"]


def _by(*patterns: str) -> Callable[[pd.Series], pd.Series]:
    def read(words: pd.Series) -> pd.Series:
        found = [pd.to_datetime(words, format=p, errors="coerce", exact=True) for p in patterns]
        return found[0] if len(found) == 1 else found[0].where(found[0].notna(), found[1])

    return read


def _timestamps(words: pd.Series) -> pd.Series:
    wide = words.where(words.str.contains(":", regex=False))
    found = pd.to_datetime(wide, format="ISO8601", errors="coerce", utc=True)
    return found.dt.tz_convert("Europe/London").dt.tz_localize(None) if _zoned(words) else found.dt.tz_localize(None)


def _zoned(words: pd.Series) -> bool:
    return bool(words.str.contains(r"(?:Z|[+-]\d\d:?\d\d)$", regex=True).any())


def _serials(words: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(words, errors="coerce")
    inside = numbers.between(10_000, 80_000)
    days = pd.Series(np.datetime64("NaT", "ns"), index=words.index)
    days[inside] = pd.Timestamp("1899-12-30") + pd.to_timedelta(numbers[inside], unit="D")  # pandas multiplies missing ones past all bounds
    return days


def _quarters(words: pd.Series) -> pd.Series:
    parts = words.str.extract(r"^(?:(?P<y>\d{4})[ -]?Q(?P<q>[1-4])|Q(?P<r>[1-4])[ -]?(?P<z>\d{4}))$")
    parts = parts.astype(float)
    year, quarter = parts["y"].combine_first(parts["z"]), parts["q"].combine_first(parts["r"])
    whole = pd.DataFrame({"year": year, "month": quarter * 3 - 2, "day": year * 0 + 1})
    return pd.to_datetime(whole, errors="coerce")


READERS: dict[str, tuple[str, Callable[[pd.Series], pd.Series]]] = {
    "year-month-day (2024-01-31)": ("iso", _by("%Y-%m-%d")),
    "year-month-day and time": ("iso", _timestamps),
    "year/month/day (2024/01/31)": ("iso", _by("%Y/%m/%d")),
    "day/month/year (01/02/2024 is 1 February)": ("dmy", _by("%d/%m/%Y")),
    "day/month/year and time": ("dmy", _by("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S")),
    "day-month-year (01-02-2024 is 1 February)": ("dmy", _by("%d-%m-%Y")),
    "day.month.year (01.02.2024 is 1 February)": ("dmy", _by("%d.%m.%Y")),
    "day/month/two-digit year (01/02/24 is 1 February)": ("dmy", _by("%d/%m/%y")),
    "day month year (1 February 2024)": ("dmy", _by("%d %B %Y", "%d %b %Y")),
    "day-month-year (01-Feb-2024)": ("dmy", _by("%d-%b-%Y", "%d-%b-%y")),
    "month/day/year (01/02/2024 is 2 January)": ("mdy", _by("%m/%d/%Y")),
    "month/day/two-digit year (01/02/24 is 2 January)": ("mdy", _by("%m/%d/%y")),
    "year-month (2024-01)": ("iso", _by("%Y-%m")),
    "month year (January 2024)": ("dmy", _by("%B %Y", "%b %Y")),
    "month-year (Jan-24)": ("dmy", _by("%b-%y", "%b-%Y")),
    "month/year (01/2024)": ("dmy", _by("%m/%Y")),
    "quarter (2024 Q1)": ("iso", _quarters),
    "year (2024)": ("iso", _by("%Y")),
    "year, month and day in eight figures (20240131)": ("iso", _by("%Y%m%d")),
    "Excel's number of a day (45292)": ("excel", _serials),
}
"""In this order: the first format that fits every row is taken, so day comes before month."""
WELSH_MONTH = {
    rf"(?i)\b{welsh}\b": english
    for welsh, english in zip(
        ("Ionawr", "Chwefror", "Mawrth", "Ebrill", "Mai", "Mehefin", "Gorffennaf", "Awst", "Medi", "Hydref", "Tachwedd", "Rhagfyr"),
        pd.date_range("2024-01-01", periods=12, freq="MS").strftime("%B"),
        strict=True,
    )
}
QUARTER, YEAR = "quarter (2024 Q1)", "year (2024)"
TYPED = "dates that the file holds as dates"


@dataclass(frozen=True)
class Dates:
    """A column of dates.

    Parameters
    ----------
    values : pandas.Series
        datetime64[ns] at midnight; NaT where there is nothing or where the row does not fit.
    label : str
        The format in words.
    family : str
        iso, dmy, mdy or excel.
    wrong : numpy.ndarray
        bool, True where there is something that does not fit.
    """

    values: pd.Series
    label: str
    family: str
    wrong: np.ndarray


def parse_dates(column: pd.Series, *, date_format: DateFormat = "auto", missing: tuple[str, ...] = ()) -> Dates:
    """Read a column of dates with the one format that fits every row.

    Parameters
    ----------
    column : pandas.Series
    date_format : {"auto", "dmy", "mdy", "iso", "excel"}
        What is known of the format. `auto` takes the first that fits every row, day first.
    missing : tuple of str
        Marks that say nothing.

    Returns
    -------
    Dates
        Where no format fits every row, the one that fits most, with the others marked as wrong.
    """
    if pd.api.types.is_datetime64_any_dtype(column):
        days = column.dt.tz_convert("Europe/London").dt.tz_localize(None) if column.dt.tz is not None else column
        return Dates(days.astype("datetime64[ns]").dt.normalize(), TYPED, "iso", np.zeros(len(column), dtype=bool))
    text = to_text(column, missing)
    codes, unique = pd.factorize(text, use_na_sentinel=True)
    words = pd.Series(unique, dtype=object).replace(WELSH_MONTH, regex=True)
    best, label = pd.Series(np.full(len(words), np.datetime64("NaT", "ns"))), ""
    for name, (family, read) in READERS.items():
        if date_format not in ("auto", family) or words.empty:
            continue
        found = read(words)
        if not label or found.notna().sum() > best.notna().sum():
            best, label = found.astype("datetime64[ns]").dt.normalize(), name
        if found.notna().all():
            break
    values = pd.Series(np.append(best.to_numpy(), np.datetime64("NaT", "ns"))[codes], index=column.index)
    return Dates(values, label, READERS[label][0] if label else date_format, values.isna().to_numpy() & text.notna().to_numpy())


def read_days(
    raw: RawTable,
    column: str,
    *,
    setting: DateFormat,
    missing: Sequence[str],
    faults: list[Fault],
    private: bool = False,
) -> Dates:
    """Read a column of days and add what is wrong with it to the faults.

    Parameters
    ----------
    raw : RawTable
    column : str
    setting : {"auto", "dmy", "mdy", "iso", "excel"}
    missing : sequence of str
        Marks that say nothing.
    faults : list of Fault
        Added to: rows that do not fit the format of the others. Empty cells are no fault here.
    private : bool
        True for extracts of people, of whom no value is told.

    Returns
    -------
    Dates
    """
    days = parse_dates(raw.data[column], date_format=setting, missing=tuple(missing))
    where = f"{raw.name} > {column}"
    if days.wrong.any():
        seen = "a date" if private else listed(to_text(raw.data[column][days.wrong]).unique(), most=3)
        read = f"The others read as {days.label}" if not days.wrong.all() else "Dates such as 2024-01-31 or 31/01/2024"
        next_step = "Correct these rows, or state 'date_format': dmy, mdy, iso or excel"
        found = f"{seen} fits no format with the others, {rows_text(raw.rows[days.wrong])}"
        faults.append(Fault(found, where, read, next_step, rule="date_format", rows=tuple(raw.rows[days.wrong])))
    return days


def format_note(raw: RawTable, column: str, days: Dates) -> Finding:
    """Record the format in which a column of dates was read."""
    return Finding.of("date_format", "note", f"{raw.name} > {column}", count=len(raw.rows), message=f"read as {days.label}")


@dataclass(frozen=True)
class PeriodRule:
    """How the days of a file stand for periods.

    Parameters
    ----------
    frequency : str
        As in the config; `W-SUN` says that the days in the file are Sundays.
    dates : {"auto", "start", "end"}
        Whether a day is the first or the last of its period.
    year_end : str
        "03-31", or "auto".
    """

    frequency: str
    dates: DatesAre = "auto"
    year_end: str = "auto"


@dataclass(frozen=True)
class Periods:
    """Days put into periods.

    Parameters
    ----------
    ds : pandas.DatetimeIndex
        First days of the periods.
    frequency : Frequency
    dates : str
        start or end, as stated or found.
    wrong : numpy.ndarray
        bool, True where a day is not where its period says it should be.
    allowed : str
        What would have been right.
    """

    ds: pd.DatetimeIndex
    frequency: Frequency
    dates: str
    wrong: np.ndarray
    allowed: str


def to_periods(days: pd.Series, rule: PeriodRule, *, label: str = "") -> Periods:
    """Put days into periods.

    Parameters
    ----------
    days : pandas.Series
        datetime64, no NaT.
    rule : PeriodRule
    label : str
        The format in which the days were written: "2024 Q1" names a period, not a day: a quarter of a calendar year, and refused where
        years are said to end elsewhere.

    Returns
    -------
    Periods
        With `dates: auto`, days that are all the last of a month (in months, quarters or years) are ends; otherwise they are starts.
        With `year_end: auto` years end in the one month that agrees with the days.
    """
    index = pd.DatetimeIndex(days)
    family = rule.frequency[0]
    dates = rule.dates
    if dates == "auto":
        ends = family in "MQY" and len(index) > 0 and bool(index.is_month_end.all())
        dates = "end" if ends else "start"
    if family == "W":
        return _weeks(index, rule.frequency, dates)
    if family == "Q" and label == QUARTER:
        return _named_quarters(index, rule)
    month = _year_end_month(index, rule, dates)
    frequency = Frequency(rule.frequency, month)
    if family == "Y" and label == YEAR:
        return _named_years(index, frequency, rule)
    dates = "start" if label == QUARTER else dates
    ds = frequency.start_of(index)
    edge = ds if dates == "start" else frequency.end_of(index)
    wrong = np.asarray(index.month != edge.month) if family in "QY" else np.zeros(len(index), dtype=bool)
    return Periods(ds, frequency, dates, wrong, _rule_text(frequency, dates))


def _named_years(index: pd.DatetimeIndex, frequency: Frequency, rule: PeriodRule) -> Periods:
    month = frequency.year_end_month
    unsaid = month != 12 and rule.dates == "auto"
    first_month = 1 if month == 12 else month + 1
    days = pd.DatetimeIndex([pd.Timestamp(d.year, month if rule.dates == "end" else first_month, 1) for d in index])
    allowed = (
        "A year such as 2024 that does not end in December may be named by its beginning or its end: say 'dates: start' or 'dates: end'"
    )
    dates = "end" if rule.dates == "end" else "start"
    return Periods(frequency.start_of(days), frequency, dates, np.full(len(index), unsaid), allowed)


def _named_quarters(index: pd.DatetimeIndex, rule: PeriodRule) -> Periods:
    """Read 2024 Q1 as a quarter of the calendar year; where years are said to end elsewhere, nobody can tell which months are meant."""
    frequency = Frequency(rule.frequency)
    unsaid = rule.year_end not in ("auto", "12-31")
    allowed = (
        f"A quarter such as 2024 Q1 is read as January to March; where years end on {rule.year_end} it may be another: "
        "give its first day (2024-04-01), or say 'year_end: auto' where Q1 is January to March"
    )
    return Periods(frequency.start_of(index), frequency, "start", np.full(len(index), unsaid), allowed)


def _rule_text(frequency: Frequency, dates: str) -> str:
    side, begins, noun = ("first", "begins", _noun(frequency)) if dates == "start" else ("last", "ends", _noun(frequency))
    months = listed_months(frequency, dates)
    return f"With 'dates: {dates}' each day lies in the {side} month of its {noun}, which {begins} in {months}. See 'dates' and 'year_end'"


def listed_months(frequency: Frequency, dates: str) -> str:
    """Give the months in which the periods of a frequency begin or end: "March, June, September, December"."""
    step = 3 if frequency.family == "Q" else 12
    first = (frequency.year_end_month + (1 if dates == "start" else 0) - 1) % step
    return ", ".join(MONTHS[m].title() for m in range(first, 12, step))


def _weeks(index: pd.DatetimeIndex, code: str, dates: str) -> Periods:
    weekday = WEEKDAYS.index(code[2:])
    wrong = np.asarray(index.weekday != weekday)
    begins = (weekday + 1) % 7 if dates == "end" else weekday
    frequency = Frequency(f"W-{WEEKDAYS[begins]}")
    counted = np.bincount(index.weekday, minlength=7) if len(index) else np.zeros(7)
    allowed = f"'{code}' says that the days in the file are {code[2:].title()}days; most are 'W-{WEEKDAYS[int(counted.argmax())]}'"
    return Periods(frequency.start_of(index), frequency, dates, wrong, allowed)


def _year_end_month(index: pd.DatetimeIndex, rule: PeriodRule, dates: str) -> int:
    family = rule.frequency[0]
    stated = re.match(r"^(\d\d)-\d\d$", rule.year_end)
    if stated:
        return int(stated.group(1))
    if family not in "QY" or len(index) == 0:
        return 12
    step = 3 if family == "Q" else 12
    edge = np.asarray(index.month) - (1 if dates == "start" else 0)
    month = int(np.bincount(edge % step, minlength=step).argmax())
    return 12 if month == 0 else month if family == "Y" else (month + 9) if month else 12


def _noun(frequency: Frequency) -> str:
    return {"D": "day", "W": "week", "M": "month", "Q": "quarter", "Y": "year"}[frequency.family]
