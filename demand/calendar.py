"""Periods, financial years and weeks.

In: dates and the name of a frequency. Out: first and last days of periods, season lengths, how the days of a period fall into financial
years, and how many were there in a period on average. Every period is known by its first day. Refuses frequencies that it does not know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, total_ordering
from typing import cast

import numpy as np
import pandas as pd

from demand.errors import Fault, SettingsError, did_you_mean

__all__ = [
    "FREQUENCIES",
    "FinancialYear",
    "Frequency",
    "average_stock",
    "bank_holidays",
    "months_over",
    "span_shares",
    "stock_weights",
    "working_days",
    "year_shares",
]

WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
FREQUENCIES = ("D", *(f"W-{d}" for d in WEEKDAYS), "M", "Q", "Y")
"""Day, week beginning on a weekday, month, quarter, year."""
SEASONS = {"D": 7, "W": 52, "M": 12, "Q": 4, "Y": 1}
LAST_YEAR = pd.Timestamp.max.year - 1
"""The last year that a date can have all of."""
PER_YEAR = {"D": 365.25, "W": 365.25 / 7, "M": 12.0, "Q": 4.0, "Y": 1.0}


@dataclass(frozen=True)
class Frequency:
    """How often a series is counted.

    Parameters
    ----------
    code : str
        One of `FREQUENCIES`. `W-MON` means weeks that begin on a Monday.
    year_end_month : int
        The month in which years, and so quarters, end: 3 for years to 31 March.

    Raises
    ------
    SettingsError
        Where the code is not known.

    Examples
    --------
    >>> Frequency("Y", year_end_month=3).start_of(pd.DatetimeIndex(["2013-03-31"]))[0]
    Timestamp('2012-04-01 00:00:00')
    """

    code: str
    year_end_month: int = 12

    def __post_init__(self) -> None:
        """Refuse codes that nobody knows."""
        if self.code not in FREQUENCIES:
            raise SettingsError(Fault(f"'{self.code}' is not a frequency", allowed=did_you_mean(self.code, FREQUENCIES)))
        if self.year_end_month not in range(1, 13):
            raise SettingsError(Fault(f"a year cannot end in month {self.year_end_month}", allowed="Months are 1 to 12"))

    @property
    def family(self) -> str:
        """D, W, M, Q or Y."""
        return self.code[0]

    @property
    def alias(self) -> str:
        """The pandas offset that steps from one first day to the next."""
        begins = MONTHS[self.year_end_month % 12]
        return {"M": "MS", "Q": f"QS-{begins}", "Y": f"YS-{begins}"}.get(self.family, self.code)

    @property
    def season_length(self) -> int:
        """Periods in a season: 7, 52, 12, 4 or 1."""
        return SEASONS[self.family]

    @property
    def per_year(self) -> float:
        """Periods in a year, on average."""
        return PER_YEAR[self.family]

    @property
    def _period(self) -> str:
        if self.family == "W":
            return f"W-{WEEKDAYS[(WEEKDAYS.index(self.code[2:]) - 1) % 7]}"
        ends = MONTHS[self.year_end_month - 1]
        return {"D": "D", "M": "M", "Q": f"Q-{ends}", "Y": f"Y-{ends}"}[self.family]

    def start_of(self, days: pd.DatetimeIndex) -> pd.DatetimeIndex:
        """Give the first day of the period that each day lies in."""
        return cast("pd.DatetimeIndex", days.to_period(self._period).start_time.normalize())

    def end_of(self, days: pd.DatetimeIndex) -> pd.DatetimeIndex:
        """Give the last day of the period that each day lies in."""
        return cast("pd.DatetimeIndex", days.to_period(self._period).end_time.normalize())

    def days_in(self, days: pd.DatetimeIndex) -> np.ndarray:
        """Give the number of days of the period that each day lies in."""
        return _days_in(self, days.to_numpy().astype("datetime64[D]").tobytes())

    def periods(self, start: pd.Timestamp, count: int) -> pd.DatetimeIndex:
        """Give the first days of `count` periods, beginning with the one that `start` lies in.

        Raises
        ------
        SettingsError
            Where they end after the last year that a date can have.
        """
        if pd.Timestamp(start).year + count / self.per_year > LAST_YEAR:
            raise _too_late(f"{count - 1:,} periods from {start:%Y-%m-%d} on")
        return _periods(self, pd.Timestamp(start), count).view()

    def between(self, first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
        """Give the first days of all periods from the one of `first` to the one of `last`, both included.

        Raises
        ------
        SettingsError
            Where they end after the last year that a date can have.
        """
        if pd.Timestamp(last).year > LAST_YEAR:
            raise _too_late(f"periods from {first:%Y-%m-%d} to {last:%Y-%m-%d}")
        return _between(self, pd.Timestamp(first), pd.Timestamp(last)).view()

    def after(self, day: pd.Timestamp, count: int) -> pd.DatetimeIndex:
        """Give the first days of the `count` periods that follow the one of `day`."""
        return self.periods(day, count + 1)[1:]


@lru_cache(maxsize=256)
def _periods(frequency: Frequency, start: pd.Timestamp, count: int) -> pd.DatetimeIndex:
    """Lay periods out once: replays ask for the same ones at every cutoff, model by model."""
    first = frequency.start_of(pd.DatetimeIndex([start]))[0]
    return _kept(pd.date_range(first, periods=count, freq=frequency.alias))


@lru_cache(maxsize=256)
def _between(frequency: Frequency, first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    ends = frequency.start_of(pd.DatetimeIndex([first, last]))
    return _kept(pd.date_range(ends[0], ends[1], freq=frequency.alias))


def _kept(index: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Let nobody write to what is handed out again and again."""
    index.to_numpy().flags.writeable = False
    return index


def _too_late(found: str) -> SettingsError:
    return SettingsError(Fault(found, allowed=f"Dates go to the year {pd.Timestamp.max.year}", do_next="Shorten the horizon"))


@lru_cache(maxsize=64)
def _days_in(frequency: Frequency, days: bytes) -> np.ndarray:
    """Count days once for the same periods: pricing asks again and again, and the answer is not to be written to."""
    index = pd.DatetimeIndex(np.frombuffer(days, dtype="datetime64[D]"))
    found = np.asarray((frequency.end_of(index) - frequency.start_of(index)).days + 1)
    found.flags.writeable = False
    return found


@total_ordering
@dataclass(frozen=True)
class FinancialYear:
    """A year of money: April to March unless said otherwise.

    Parameters
    ----------
    first : int
        The calendar year in which it begins.
    start_month : int
        The month in which it begins.

    Examples
    --------
    >>> str(FinancialYear.of(pd.Timestamp("2027-03-31")))
    '2026-27'
    """

    first: int
    start_month: int = 4

    @classmethod
    def of(cls, day: pd.Timestamp | date, start_month: int = 4) -> FinancialYear:
        """Give the financial year that a day lies in."""
        return cls(day.year if day.month >= start_month else day.year - 1, start_month)

    @classmethod
    def parse(cls, label: str, start_month: int = 4) -> FinancialYear:
        """Read '2026-27' (or '2026' where years begin in January).

        Raises
        ------
        SettingsError
            Where the label is not a financial year.
        """
        head, _, tail = str(label).partition("-")
        year = cls(int(head), start_month) if head.isdigit() and len(head) == 4 else None
        if year is None or str(year) != str(label):
            shape = f"Write it as '{cls(2026, start_month)}'" + (f"; '{tail}' does not follow '{head}'" if year and tail else "")
            raise SettingsError(Fault(f"'{label}' is not a financial year", allowed=shape))
        return year

    @property
    def start(self) -> pd.Timestamp:
        """The first day."""
        return pd.Timestamp(self.first, self.start_month, 1)

    @property
    def end(self) -> pd.Timestamp:
        """The last day."""
        return pd.Timestamp(self.first + 1, self.start_month, 1) - pd.Timedelta(days=1)

    @property
    def next(self) -> FinancialYear:
        """The year after."""
        return FinancialYear(self.first + 1, self.start_month)

    def __str__(self) -> str:
        """Give the label: 2026-27."""
        return str(self.first) if self.start_month == 1 else f"{self.first}-{(self.first + 1) % 100:02d}"

    def __lt__(self, other: FinancialYear) -> bool:
        """Order by time."""
        return bool(self.start < other.start)


def year_shares(ds: pd.DatetimeIndex, frequency: Frequency, start_month: int = 4) -> pd.DataFrame:
    """Say how much of each period falls into which financial year, by days.

    Parameters
    ----------
    ds : pandas.DatetimeIndex
        First days of periods.
    frequency : Frequency
    start_month : int
        The month in which financial years begin.

    Returns
    -------
    pandas.DataFrame
        A row a period, a column a financial year (its label, in order of time), shares that add up to 1 along each row. A week that
        holds 1 April is split by its days.

    Examples
    --------
    >>> year_shares(pd.DatetimeIndex(["2026-03-30"]), Frequency("W-MON")).round(3).to_dict("records")
    [{'2025-26': 0.286, '2026-27': 0.714}]
    """
    starts, ends = frequency.start_of(ds), frequency.end_of(ds)
    if len(ds) == 0:
        return pd.DataFrame(index=ds)
    year, shares = FinancialYear.of(starts.min(), start_month), {}
    while year.start <= ends.max():
        first, last = starts.where(starts >= year.start, year.start), ends.where(ends <= year.end, year.end)
        shares[str(year)] = np.clip((last - first).days + 1, 0, None) / ((ends - starts).days + 1)
        year = year.next
    return pd.DataFrame(shares, index=ds)


def span_shares(ds: pd.DatetimeIndex, frequency: Frequency, spans: Sequence[tuple[pd.Timestamp, pd.Timestamp, int]]) -> np.ndarray:
    """Say how much of each period falls into each span of days (first, last, anything), by days: shape (periods, spans)."""
    if not len(ds) or not len(spans):
        return np.zeros((len(ds), len(spans)))
    starts, ends = (days.to_numpy().astype("datetime64[D]")[:, None] for days in (frequency.start_of(ds), frequency.end_of(ds)))
    begin, end = (pd.DatetimeIndex([span[k] for span in spans]).to_numpy().astype("datetime64[D]") for k in (0, 1))
    within = (np.minimum(ends, end) - np.maximum(starts, begin)).astype(int) + 1
    return np.asarray(np.clip(within, 0, None) / ((ends - starts).astype(int) + 1))


def months_over(year: FinancialYear, ahead: pd.Timestamp) -> int:
    """Say how many whole months of a financial year are over where `ahead` is the first day that is still to come.

    Examples
    --------
    >>> months_over(FinancialYear(2026), pd.Timestamp("2026-12-21"))
    8
    """
    return int(np.clip((ahead.year - year.start.year) * 12 + ahead.month - year.start.month, 0, 12))


def bank_holidays(first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    """Give the bank holidays of Wales (those of England too) from one day to another, both included.

    Parameters
    ----------
    first, last : pandas.Timestamp

    Returns
    -------
    pandas.DatetimeIndex
        With the days in lieu of those that fall on a weekend.

    Examples
    --------
    >>> [f"{d:%d %B}" for d in bank_holidays(pd.Timestamp("2026-03-01"), pd.Timestamp("2026-05-31"))]
    ['03 April', '06 April', '04 May', '25 May']
    """
    days = pd.DatetimeIndex(_bank_holidays(first.year, last.year))
    return days[(days >= first) & (days <= last)]


@lru_cache(maxsize=64)
def _bank_holidays(first_year: int, last_year: int) -> tuple[date, ...]:
    import holidays

    return tuple(sorted(holidays.country_holidays("GB", subdiv="WLS", years=range(first_year, last_year + 1))))


def working_days(ds: pd.DatetimeIndex, frequency: Frequency) -> np.ndarray:
    """Count the days from Monday to Friday that are no bank holidays in the period that each day lies in.

    Examples
    --------
    >>> working_days(pd.DatetimeIndex(["2026-04-01", "2026-05-01"]), Frequency("M")).tolist()
    [20, 19]
    """
    return _working_days(frequency, ds.to_numpy().astype("datetime64[D]").tobytes())


@lru_cache(maxsize=64)
def _working_days(frequency: Frequency, days: bytes) -> np.ndarray:
    """Count them once for the same periods; the answer is not to be written to."""
    ds = pd.DatetimeIndex(np.frombuffer(days, dtype="datetime64[D]"))
    starts, ends = frequency.start_of(ds), frequency.end_of(ds)
    off = bank_holidays(starts.min(), ends.max()).to_numpy().astype("datetime64[D]")
    stop = ends.to_numpy().astype("datetime64[D]") + np.timedelta64(1, "D")
    found = np.asarray(np.busday_count(starts.to_numpy().astype("datetime64[D]"), stop, holidays=off))
    found.flags.writeable = False
    return found


def average_stock(closing: np.ndarray, opening: np.ndarray) -> np.ndarray:
    """Say how many were there on average in a period, from the counts at its beginning and its end.

    The one rule by which a stock becomes person-time everywhere in this package: person-weeks = (opening + closing) / 2 x days / 7. It is
    the trapezoid rule: exact where people come and go evenly within the period. Where the opening count is not known, the closing one
    stands for both.

    Parameters
    ----------
    closing : numpy.ndarray
        The counts at the ends of the periods.
    opening : numpy.ndarray
        The counts at the ends of the periods before; NaN where not known. Same shape.

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> average_stock(np.array([110.0, 90.0]), np.array([100.0, np.nan])).tolist()
    [105.0, 90.0]
    """
    return np.asarray((np.where(np.isnan(opening), closing, opening) + closing) / 2)


def stock_weights(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weigh closing counts of periods that follow each other as `average_stock` does: half of a period's weight goes to its opening.

    Parameters
    ----------
    weights : numpy.ndarray
        Shape (periods, ...): what the average of each period counts.

    Returns
    -------
    closing : numpy.ndarray
        The same shape: what each closing count weighs.
    opening : numpy.ndarray
        Shape (...): what the count before the first period weighs.

    Examples
    --------
    >>> stock_weights(np.array([1.0, 1.0]))
    (array([1. , 0.5]), np.float64(0.5))
    """
    closing = weights / 2
    closing[:-1] += weights[1:] / 2
    return closing, weights[0] / 2
