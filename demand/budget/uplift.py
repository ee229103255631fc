"""How amounts of money grow: once a year on a day, by one rate, or by a path of rates.

In: an amount, its price base, and an uplift with its range. Out: the factor by which it has grown on any day, draw by draw, and the spans
of days in which it stays the same. Refuses days that no year has, and rates that leave nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd
from pydantic import model_validator

from demand.calendar import FinancialYear
from demand.errors import Fault, SettingsError
from demand.scenario.exposure import Span
from demand.spec import Assumption, Spec, Unit

__all__ = ["Rise", "Rising", "averaged", "path_faults", "refuse_rates", "summed"]


class Rising(Spec):
    """An amount of money that grows.

    On every uplift day after `price_base` it is multiplied by 1 + uplift; for days before the base it is divided likewise.
    """

    name: str
    """What it is called in tables."""
    amount: Assumption
    """GBP per household and week (or child, night, year...) for a stock; GBP per household for a flow; GBP/year where nobody is counted."""
    uplift: Assumption | dict[str, Assumption] | None = None
    """Growth a year: 0.03 is 3 %. Or a path, a rate for each financial year: {2026-27: ..., 2027-28: ...}; before and after it the nearest
    rate holds. Or the name of a path under `uplifts`. Without it, nothing grows. Uplifts that have the same source move together."""
    uplift_on: str = ""
    """The day of the year on which it moves, such as 1 July; without it the first day of the financial year."""
    price_base: date | None = None
    """The day whose prices the amount is in; without it, the day for which the amount was right."""

    @model_validator(mode="after")
    def _grows(self) -> Rising:
        refuse_rates(self.name, self.uplift)
        self.day(4)
        return self

    @property
    def base(self) -> date:
        """The day whose prices the amount is in."""
        return self.price_base or self.amount.as_of

    def spans(self, years: Sequence[FinancialYear]) -> list[Span]:
        """Cut financial years where the amount moves within them."""
        found: list[Span] = []
        for position, year in enumerate(years):
            on = self.day(year.start_month)
            moves = pd.Timestamp(year.first + (on < (year.start_month, 1)), *on)
            if moves == year.start or self.uplift is None:
                found.append((year.start, year.end, position))
            else:
                found += [(year.start, moves - pd.Timedelta(days=1), position), (moves, year.end, position)]
        return found

    def rates(self) -> dict[str, Assumption]:
        """Give the rates by financial year; under '' where one holds for all."""
        if self.uplift is None:
            return {}
        return {"": self.uplift} if isinstance(self.uplift, Assumption) else self.uplift

    def day(self, start_month: int) -> tuple[int, int]:
        """Give the month and the day of the month on which it moves.

        Raises
        ------
        ValueError
            Where no year has such a day, or not every year.
        """
        if not self.uplift_on:
            return start_month, 1
        try:
            found = pd.to_datetime(f"{self.uplift_on} 2027", format="%d %B %Y")
        except ValueError as error:
            raise ValueError(f"'{self.uplift_on}' is not a day that every year has. Write for example '1 July'.") from error
        return found.month, found.day


def refuse_rates(name: str, uplift: Assumption | Mapping[str, Assumption] | None) -> None:
    """Refuse rates that are none.

    Raises
    ------
    ValueError
        Where a rate has another unit, or leaves nothing; where a path has no year.
    """
    for label, rate in ({"": uplift} if isinstance(uplift, Assumption) else uplift or {}).items():
        which = f"the uplift of '{name}'" + (f" for {label}" if label else "")
        unit = Unit.parse(rate.unit)
        if unit.per != ("year",) or unit.of not in ("1", "ratio"):
            raise ValueError(f"{which} is in '{rate.unit}'. Write 'per year': 0.03 is 3 %.")
        if rate.low <= -1:
            raise ValueError(f"an uplift of {rate.low:g} leaves nothing of '{name}'. 0.03 is 3 %.")
    if uplift is not None and not isinstance(uplift, Assumption) and not uplift:
        raise ValueError(f"the uplift of '{name}' is a path without a year. Write for example {{2027-28: cpi_2027}}.")


@dataclass(frozen=True)
class Rise:
    """By how much an amount has grown, draw by draw.

    Parameters
    ----------
    base : date
        The day of the price base.
    on : (int, int)
        Month and day on which it moves.
    start_month : int
        The month in which financial years begin.
    rates : mapping of str to numpy.ndarray
        1 + uplift, shape (draws,), by financial year; under '' where one holds for all; empty where nothing grows.
    """

    base: date
    on: tuple[int, int]
    start_month: int
    rates: Mapping[str, np.ndarray] = field(repr=False)

    @classmethod
    def drawn(cls, rising: Rising, *, start_month: int, draws: int, seed: int) -> Rise:
        """Draw the rates: of the same source (and, on a path, of the same year), the same."""
        names = {label: f"uplift {rate.source} {label}".strip() for label, rate in rising.rates().items()}
        rates = {label: 1 + np.maximum(rate.draw(draws, seed=seed, name=names[label]), -1.0) for label, rate in rising.rates().items()}
        return cls(rising.base, rising.day(start_month), start_month, rates)

    def steps(self, days: Sequence[date]) -> np.ndarray:
        """Give how many times it has moved from the base to each day: below nought for days before it."""
        return np.array([self._turn(day) - self._turn(self.base) for day in days], dtype=float)

    def times(self, days: Sequence[date]) -> np.ndarray:
        """Give the factor by which it has grown on each day: shape (days, draws), or (days, 1) where nothing grows."""
        if not self.rates:
            return np.ones((len(days), 1))
        if "" in self.rates:
            return np.asarray(self.rates[""] ** self.steps(days)[:, None])
        return np.array([self._along(self._turn(day)) for day in days]).reshape(len(days), len(next(iter(self.rates.values()))))

    def _turn(self, day: date) -> int:
        """Number the stretch between two moves that a day lies in, by the calendar year of the move that begins it."""
        return day.year if (day.month, day.day) >= self.on else day.year - 1

    def _along(self, turn: int) -> np.ndarray:
        """Multiply the rates of a path from the base on, or divide by them back to a day before it."""
        begin, factor = self._turn(self.base), np.ones(len(next(iter(self.rates.values()))))
        for move in range(min(begin, turn) + 1, max(begin, turn) + 1):
            rate = self._rate(FinancialYear.of(date(move, *self.on), self.start_month))
            factor = factor * rate if turn > begin else factor / rate
        return factor

    def _rate(self, year: FinancialYear) -> np.ndarray:
        known = sorted(FinancialYear.parse(label, self.start_month) for label in self.rates)
        nearest = min(max(year, known[0]), known[-1])
        return self.rates[str(max(k for k in known if k <= nearest))]


def path_faults(rising: Rising, start_month: int, *, at: str) -> list[Fault]:
    """Say which years of a path are none."""
    wrong: list[Fault] = []
    for label in filter(None, rising.rates()):
        try:
            FinancialYear.parse(label, start_month)
        except SettingsError as error:
            wrong += [Fault(f.found, f"{at} > uplift", f.allowed) for f in error.faults]
    return wrong


def summed(values: np.ndarray, spans: Sequence[Span]) -> np.ndarray:
    """Sum over the spans of each financial year: the last axis but one."""
    first = np.flatnonzero(np.diff([year for _, _, year in spans], prepend=-1))
    return values if len(first) == len(spans) else np.asarray(np.add.reduceat(values, first, axis=-2))


def averaged(values: np.ndarray, spans: Sequence[Span]) -> np.ndarray:
    """Average over the days of the spans of each financial year: the last axis but one."""
    days = np.array([(last - first).days + 1 for first, last, _ in spans], dtype=float)[:, None]
    total = summed(days, spans)
    return values if len(total) == len(spans) else summed(values * days, spans) / total
