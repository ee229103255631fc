"""Days as councils write them, read with one format for a whole column.

In: a column of a file. Out: days, and the name of the one format that fits every row. Day comes first where slashes leave it open:
01/02/2024 is 1 February. Refuses nothing: rows that do not fit the format are marked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from demand.data.cells import plain_numbers, to_text
from demand.data.labels import FINANCIAL_YEAR, ISO_WEEK, NAMED, YEAR, in_english, month_or_year, without_week

__all__ = ["DateFormat", "Dates", "parse_dates", "period_columns"]

DateFormat = Literal["auto", "dmy", "mdy", "iso", "excel"]


def _by(*patterns: str) -> Callable[[pd.Series], pd.Series]:
    def read(words: pd.Series) -> pd.Series:
        found = pd.to_datetime(words, format=patterns[0], errors="coerce", exact=True)
        for pattern in patterns[1:]:
            found = found.where(found.notna(), pd.to_datetime(words, format=pattern, errors="coerce", exact=True))
        return found

    return read


def _timestamps(words: pd.Series) -> pd.Series:
    wide = words.where(words.str.contains(":", regex=False))
    found = pd.to_datetime(wide, format="ISO8601", errors="coerce", utc=True)
    return found.dt.tz_convert("Europe/London").dt.tz_localize(None) if _zoned(words) else found.dt.tz_localize(None)


def _iso_weeks(words: pd.Series) -> pd.Series:
    return pd.to_datetime(words.where(words.str.contains("W", regex=False)) + "-1", format="%G-W%V-%u", errors="coerce")


def _months(words: pd.Series) -> pd.Series:
    return _by("%Y-%m", "%Y/%m")(words).where(~pd.Series(month_or_year(words), index=words.index))


def _zoned(words: pd.Series) -> bool:
    return bool(words.str.contains(r"(?:Z|[+-]\d\d:?\d\d)$", regex=True).any())


def _serials(words: pd.Series) -> pd.Series:
    numbers = pd.Series(plain_numbers(words.tolist()), index=words.index)
    inside = numbers.between(10_000, 80_000)
    days = pd.Series(np.datetime64("NaT", "ns"), index=words.index)
    days[inside] = pd.Timestamp("1899-12-30") + pd.to_timedelta(numbers[inside], unit="D")  # pandas multiplies missing ones past all bounds
    return days


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
    FINANCIAL_YEAR: NAMED[FINANCIAL_YEAR],
    "year-month (2024-01)": ("iso", _months),
    "month year (January 2024)": ("dmy", _by("%B %Y", "%b %Y")),
    "month-year (Jan-24)": ("dmy", _by("%b-%y", "%b-%Y", "%B-%y", "%B-%Y", "%b %y", "%B %y", "%b/%y", "%b '%y")),
    "month/year (01/2024)": ("dmy", _by("%m/%Y")),
    "year month (2024 January)": ("dmy", _by("%Y %B", "%Y %b")),
    **NAMED,
    ISO_WEEK: ("iso", _iso_weeks),
    YEAR: ("iso", _by("%Y")),
    "year, month and day in eight figures (20240131)": ("iso", _by("%Y%m%d")),
    "Excel's number of a day (45292)": ("excel", _serials),
}
"""In this order: the first format that fits every row is taken, so day comes before month; a financial year (2021-22) before a month,
since months a year and a month apart are no series."""
HAS_YEAR = re.compile(r"(?:19|20)\d\d(?!\d)|\d\d[-/]\d\d|[a-z]{3,}\W{0,2}\d\d$", re.IGNORECASE)
LEAST_PERIODS, MOSTLY, EVEN = 3, 0.75, 1.25
"""So many columns named by periods make a table that is wider than long, where so large a share of the steps between them are alike."""
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
    marked : bool
        Whether something hung on them was taken away, such as [p] for provisional.
    """

    values: pd.Series
    label: str
    family: str
    wrong: np.ndarray
    marked: bool = False


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
    plain, marked = in_english(pd.Series(unique, dtype=object))
    words, week = without_week(plain)
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
    known = READERS[label][0] if label else date_format
    return Dates(values, week or label, known, values.isna().to_numpy() & text.notna().to_numpy(), marked)


def period_columns(names: Sequence[str]) -> list[str]:
    """Say which columns are named by periods, one after the other, as published tables have them.

    Parameters
    ----------
    names : sequence of str
        Of all columns.

    Returns
    -------
    list of str
        Those that one format reads, and whose steps are alike; none where there are fewer than three. Totals of years are not among them.

    Examples
    --------
    >>> period_columns(["Area", "2021-22", "2022-23", "2023-24", "Change"])
    ['2021-22', '2022-23', '2023-24']
    >>> period_columns(["ref", "start_date", "end_date"])
    []
    """
    likely = [n for n in names if HAS_YEAR.search(n)]
    if len(likely) < LEAST_PERIODS or len(set(likely)) < len(likely):
        return []
    read = parse_dates(pd.Series(likely, dtype=object))
    found = [n for n, wrong in zip(likely, read.wrong, strict=True) if not wrong]
    steps = np.diff(read.values[~read.wrong].to_numpy()).astype("timedelta64[D]").astype(float)
    if len(found) < LEAST_PERIODS or not ((steps > 0).all() or (steps < 0).all()):
        return []
    usual, steps = float(np.median(np.abs(steps))), np.abs(steps)
    alike = (steps <= EVEN * usual) & (usual <= EVEN * steps)
    return found if alike.mean() >= MOSTLY else []
