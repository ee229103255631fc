"""How much demand falls into each financial year: people for flows, person-time for stocks.

In: draws by period and the history before them. Out: by series, whole financial year and draw: how many came (flow), or how many
person-weeks were lived through (stock). Refuses a forecast that does not begin where the history ends; years not fully covered are left
out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import xarray as xr

from demand.calendar import FinancialYear, Frequency, average_stock, months_over, span_shares, stock_weights, year_shares
from demand.errors import DataError, Fault
from demand.tables import History, frequency_of, series_of

__all__ = ["AVERAGE", "Exposure", "Span", "lengths"]

AVERAGE = "average"
"""A pseudo unit of time: person-time divided by the length of the financial year, which is how many were there on average."""
DAYS = {"night": 1, "day": 1, "week": 7, "fortnight": 14, "four weeks": 28}
Span = tuple[pd.Timestamp, pd.Timestamp, int]
"""First day, last day, and the position of the financial year that they lie in."""
PERIODS_A_YEAR = {"month": 12, "quarter": 4, "year": 1}


def lengths(ds: pd.DatetimeIndex, frequency: Frequency, per: str) -> np.ndarray:
    """Give the length of periods in nights, days, weeks, months, quarters or years.

    Nights, days and weeks are counted by days. Months, quarters and years are counted as the calendar's: every month is one month and a
    twelfth of a year, whatever its days; days and weeks are parts of a year of 365.25 days.

    Raises
    ------
    KeyError
        Where `per` is none of them.
    """
    if per in PERIODS_A_YEAR:
        return np.full(len(ds), PERIODS_A_YEAR[per] / frequency.per_year)
    return np.asarray(frequency.days_in(ds) / DAYS[per])


@dataclass(frozen=True)
class Exposure:
    """How the periods of a forecast, and the counted periods before it, fall into financial years.

    Parameters
    ----------
    draws : xarray.DataArray
        DRAWS or DEMAND; only the series and the periods are looked at.
    history : History, optional
        What was counted before: the current financial year is actuals to date plus the rest. Without it, only years that lie wholly in the
        forecast are whole.
    start_month : int
        The month in which financial years begin.

    Raises
    ------
    DataError
        Where the forecast does not begin in the period after the last of the history.
    """

    draws: xr.DataArray = field(repr=False)
    history: History | None = field(default=None, repr=False)
    start_month: int = 4

    def __post_init__(self) -> None:
        """Lay the periods out once."""
        ds = pd.DatetimeIndex(self.draws["ds"].to_numpy())
        frequency = frequency_of(self.draws)
        series = series_of(self.draws)
        wide = _wide(self.history, series.index, ds, frequency)
        first = FinancialYear.of(ds[0], self.start_month)
        known = pd.DatetimeIndex(wide.index)
        past = known[frequency.end_of(known) >= first.start] if len(known) else known
        labels = _whole(past.append(ds), frequency, self.start_month)
        shares = [_shares(periods, frequency, labels, start_month=self.start_month) for periods in (past, ds)]
        about = {"ds": ds, "frequency": frequency, "series": series, "past": past, "labels": labels, "_wide": wide, "_shares": shares}
        for name, value in about.items():
            object.__setattr__(self, name, value)

    ds: pd.DatetimeIndex = field(init=False, repr=False)
    frequency: Frequency = field(init=False, repr=False)
    series: pd.DataFrame = field(init=False, repr=False)
    past: pd.DatetimeIndex = field(init=False, repr=False)
    labels: tuple[str, ...] = field(init=False)
    """The whole financial years, in order of time."""
    _wide: pd.DataFrame = field(init=False, repr=False)
    _shares: list[np.ndarray] = field(init=False, repr=False)

    @property
    def years(self) -> list[FinancialYear]:
        """The whole financial years."""
        return [FinancialYear.parse(label, self.start_month) for label in self.labels]

    @property
    def months_actual(self) -> list[int]:
        """For each whole year, how many of its twelve months had ended, and been counted, when the forecast was made."""
        return [months_over(year, self.ds[0]) for year in self.years]

    def quantity(
        self,
        values: np.ndarray,
        rows: np.ndarray,
        *,
        per: str | None = None,
        spans: Sequence[Span] | None = None,
        times: np.ndarray | None = None,
        together: bool = False,
    ) -> np.ndarray:
        """Say how much falls into each whole financial year, actuals to date among it.

        Parameters
        ----------
        values : numpy.ndarray
            Shape (rows, periods, draws): the forecast of the series of `rows`.
        rows : numpy.ndarray
            Which series they are: positions along the series of the draws.
        per : str, optional
            None for flows: the number that came. For stocks the unit of person-time: night, day, week, month, quarter, year, or `AVERAGE`.
        spans : sequence of (first day, last day, year), optional
            Stretches of the whole financial years, in place of these.
        times : numpy.ndarray, optional
            Of stocks: what each period of the forecast counts for, in the shape of `values`.
        together : bool
            Whether all rows are added up to one.

        Returns
        -------
        numpy.ndarray
            float64, shape (rows, years or spans, draws). NaN where a period of the year was not counted.
        """
        both = self._shares if spans is None else [span_shares(ds, self.frequency, spans) for ds in (self.past, self.ds)]
        behind, ahead = (self._weights(ds, shares, per) for ds, shares in zip((self.past, self.ds), both, strict=True))
        actual = self._actual(rows, stock=per is not None)
        gaps = np.isnan(actual)
        done = np.where(gaps, 0.0, actual) @ behind
        done[(gaps.astype(float) @ (behind > 0)) > 0] = np.nan
        opening = self._opening(values, rows)
        if times is not None:
            values = self.average(values, rows) * times
        if together:
            done, values, opening = (part.sum(axis=0, keepdims=True, dtype=np.float64) for part in (done, values, opening))
        total = np.empty((len(values), ahead.shape[1], values.shape[2]))
        if per is None or times is not None:
            _weighed(ahead, values, total)
        else:
            closing, before = stock_weights(ahead)
            _weighed(closing, values, total)
            total += opening[:, None, :] * before[None, :, None]
        return np.asarray(total + done[:, :, None])

    def before(self, rows: np.ndarray, *, per: str | None, spans: Sequence[Span]) -> np.ndarray:
        """Say how much fell into stretches of days before the first whole financial year, as counted: shape (rows, spans).

        NaN where a period that lies in the stretch was not counted, or the counts begin later.
        """
        ds = pd.DatetimeIndex(self._wide.index)
        shares = span_shares(ds, self.frequency, spans) if len(ds) else np.zeros((0, len(spans)))
        weights = shares if per is None else shares * lengths(ds, self.frequency, per)[:, None]
        counts = self._counts(rows, stock=per is not None)
        found = np.where(np.isnan(counts), 0.0, counts) @ weights
        found[(np.isnan(counts).astype(float) @ (weights > 0)) > 0] = np.nan
        days = shares.T @ self.frequency.days_in(ds) if len(ds) else np.zeros(len(spans))
        found[:, np.rint(days) < [(last - first).days + 1 for first, last, _ in spans]] = np.nan
        return np.asarray(found)

    def highest(self, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Give the highest count of some series together at the end of any period of each whole financial year, actuals to date among them.

        Shape (years, draws); NaN where a period was not counted.
        """
        ahead = values.sum(axis=0, dtype=np.float64)
        behind = self._wide.to_numpy()[len(self._wide) - len(self.past) :, rows].sum(axis=1)
        counts = np.concatenate([np.broadcast_to(behind[:, None], (len(behind), ahead.shape[1])), ahead])
        within = np.concatenate(self._shares) > 0
        return np.array([counts[within[:, year]].max(axis=0) for year in range(len(self.labels))]).reshape(len(self.labels), ahead.shape[1])

    def average(self, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Give the average stock in each period of the forecast (`average_stock`): float64, shape (rows, periods, draws)."""
        closing = values.astype(np.float64)
        before = np.broadcast_to(self._last(rows)[:, None, None], (len(rows), 1, values.shape[2]))
        return average_stock(closing, np.concatenate([before, closing[:, :-1]], axis=1))

    def _last(self, rows: np.ndarray) -> np.ndarray:
        return self._wide.iloc[-1].to_numpy()[rows] if len(self._wide) else np.full(len(rows), np.nan)

    def _opening(self, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Give how many were there before the forecast, or in its first period where that is not known: shape (rows, draws)."""
        last = self._last(rows)[:, None]
        return np.asarray(np.where(np.isnan(last), values[:, 0, :].astype(np.float64), last))

    def _counts(self, rows: np.ndarray, *, stock: bool) -> np.ndarray:
        """Give what was counted; of stocks, how many were there on average: shape (rows, periods)."""
        counts = self._wide.to_numpy()[:, rows].T
        if stock:
            before = np.concatenate([np.full((len(rows), 1), np.nan), counts[:, :-1]], axis=1)[:, : counts.shape[1]]
            counts = average_stock(counts, before)
        return np.asarray(counts)

    def _actual(self, rows: np.ndarray, *, stock: bool) -> np.ndarray:
        counts = self._counts(rows, stock=stock)
        return np.asarray(counts[:, counts.shape[1] - len(self.past) :])

    def _weights(self, ds: pd.DatetimeIndex, shares: np.ndarray, per: str | None) -> np.ndarray:
        """Give, by period and year, what a count of one comes to."""
        if per is None:
            return shares
        if per == AVERAGE:
            days = np.array([(y.end - y.start).days + 1 for y in self.years])
            return np.asarray(shares * self.frequency.days_in(ds)[:, None] / days)
        return np.asarray(shares * lengths(ds, self.frequency, per)[:, None])


def _weighed(weights: np.ndarray, values: np.ndarray, total: np.ndarray) -> None:
    """Weigh the periods of each series: (periods, years) and (rows, periods, draws) give (rows, years, draws).

    Row by row, in float64: a copy of the whole would not fit into the fast memory of the processor.
    """
    for row, draws in enumerate(values):
        np.matmul(weights.T, draws.astype(np.float64), out=total[row])


def _wide(history: History | None, ids: pd.Index, ds: pd.DatetimeIndex, frequency: Frequency) -> pd.DataFrame:
    if history is None:
        return pd.DataFrame(index=pd.DatetimeIndex([]), columns=ids, dtype=float)
    if frequency.after(history.last, 1)[0] != ds[0]:
        found = f"the forecast begins on {ds[0].date()}, and the last period of the history on {history.last.date()}"
        raise DataError(Fault(found, allowed="The forecast begins in the period after it", do_next="Use the history it was made from"))
    return history.wide.reindex(columns=ids)


def _whole(ds: pd.DatetimeIndex, frequency: Frequency, start_month: int) -> tuple[str, ...]:
    """Give the labels of the financial years whose every day lies in one of the periods (which follow each other without a hole)."""
    first, last = frequency.start_of(ds[:1])[0], frequency.end_of(ds[-1:])[0]
    year, labels = FinancialYear.of(first, start_month), []
    while year.end <= last:
        labels += [str(year)] if year.start >= first else []
        year = year.next
    return tuple(labels)


def _shares(ds: pd.DatetimeIndex, frequency: Frequency, labels: Sequence[str], *, start_month: int) -> np.ndarray:
    """Give the share of each period in each of the years named; there may be no period at all."""
    table, shares = year_shares(ds, frequency, start_month), np.zeros((len(ds), len(labels)))
    for position, label in enumerate(labels):
        if label in table:
            shares[:, position] = table[label]
    return shares
