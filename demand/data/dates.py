"""Days of a file, and the periods that they stand for.

In: a column of a file. Out: days, and periods by their first days. Refuses rows that do not fit the format of the others, days that are not
where their period says they should be, and names of periods that are not those that are counted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from demand.calendar import MONTHS, WEEKDAYS, Frequency
from demand.data.cells import rows_text, to_text
from demand.data.files import RawTable
from demand.data.formats import DateFormat, Dates, parse_dates
from demand.data.labels import FINANCIAL_YEAR, QUARTER, UNITS, WEEK_ENDING, YEAR, month_or_year
from demand.data.quality import Finding
from demand.errors import Fault, listed

__all__ = ["PeriodRule", "Periods", "format_note", "read_days", "to_periods"]

DatesAre = Literal["auto", "start", "end"]
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


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
        if month_or_year(pd.Series(to_text(raw.data[column], missing).dropna().unique())):
            read = "2010-11 alone may be November 2010, or April 2010 to March 2011"
            next_step = "Write the month as 2010-11-01, the financial year as FY 2010-11"
        found = f"{seen} fits no format with the others, {rows_text(raw.rows[days.wrong])}"
        faults.append(Fault(found, where, read, next_step, rule="date_format", rows=tuple(raw.rows[days.wrong])))
    return days


def format_note(raw: RawTable, column: str, days: Dates) -> Finding:
    """Record the format in which a column of dates was read."""
    told = f"read as {days.label}" + ("; marks behind them, such as [p], are taken away" if days.marked else "")
    return Finding.of("date_format", "note", f"{raw.name} > {column}", count=len(raw.rows), message=told)


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
        dates = "end" if ends or label == WEEK_ENDING else "start"
    if UNITS.get(label, family) != family:
        frequency = Frequency(rule.frequency)
        return Periods(frequency.start_of(index), frequency, dates, np.ones(len(index), dtype=bool), _other_unit(label))
    if label in UNITS and family in "MQ":
        dates = "start"
    if family == "W":
        return _weeks(index, rule.frequency, dates)
    if family == "Q" and label == QUARTER:
        return _named_quarters(index, rule)
    month = _year_end_month(index, rule, dates)
    frequency = Frequency(rule.frequency, month)
    if family == "Y" and label == YEAR:
        return _named_years(index, frequency, rule)
    if family == "Y" and label == FINANCIAL_YEAR:
        return _financial_years(index, rule)
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


def _financial_years(index: pd.DatetimeIndex, rule: PeriodRule) -> Periods:
    """Read 2021-22 as the year from April, or as it is said that years end; never as a year that ends in December."""
    month = int(rule.year_end[:2]) if rule.year_end != "auto" else 3
    frequency = Frequency("Y", month)
    first = pd.DatetimeIndex([pd.Timestamp(d.year, month % 12 + 1, 1) for d in index])
    allowed = "A year such as 2021-22 lies in two calendar years: say in 'year_end' when it ends, such as 03-31"
    return Periods(frequency.start_of(first), frequency, "start", np.full(len(index), month == 12), allowed)


def _other_unit(label: str) -> str:
    unit = UNITS[label]
    code = "W-MON ... W-SUN, the weekday of the days" if unit == "W" else unit
    return f"The file names each {label}: say 'frequency: {code}'"


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
    most = int((np.bincount(index.weekday, minlength=7) if len(index) else np.zeros(7)).argmax())
    allowed = f"'{code}' says that the days in the file are {DAYS[weekday]}s; most are {DAYS[most]}s: 'W-{WEEKDAYS[most]}'"
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
