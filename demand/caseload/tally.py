"""Stays that are drawn together, and the count of them: who comes and goes, by series, period and draw.

In: arrays with a row a stay. Out: people, person-weeks and pounds. Refuses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from demand.calendar import Frequency

__all__ = ["Some", "Tally", "day_numbers"]

FEW = 4
"""Cells for each stay from which stays are added one by one, not all cells at once."""


@dataclass(frozen=True)
class Some:
    """Stays drawn together: by stay the series, draw, day begun, group, known end of the place, birthday that ends it, and price.

    came is the day from which it is drawn and counted, turns the birthday at which it moves to another budget, there says whether it is
    one of those that are open now, and key what its random numbers come from (see `demand.caseload.luck`).
    """

    series: np.ndarray
    draw: np.ndarray
    begun: np.ndarray
    group: np.ndarray
    until: np.ndarray
    leaves: np.ndarray
    price: np.ndarray
    came: np.ndarray
    turns: np.ndarray
    there: np.ndarray
    key: np.ndarray

    def __len__(self) -> int:
        return len(self.series)

    def of(self, which: np.ndarray | slice) -> Some:
        """Give some of them."""
        return Some(**{f.name: getattr(self, f.name)[which] for f in fields(self)})


class Tally:
    """What is counted: people and weekly pounds that came and went, by series, period and draw."""

    def __init__(self, shape: tuple[int, int, int], ds: pd.DatetimeIndex, frequency: Frequency) -> None:
        self.shape, self.starts = shape, day_numbers(ds)
        self.ends = day_numbers(frequency.end_of(ds))
        self.people, self.nights, self.weekly, self.extra = (np.zeros(shape) for _ in range(4))

    def add(self, some: Some, day: np.ndarray, sign: float) -> None:
        """Count stays that begin (sign 1) or end (-1) on a day; a night belongs to the day on which it begins."""
        period = np.searchsorted(self.ends, day)
        kept = period < self.shape[1]
        flat = (some.series[kept] * self.shape[1] + period[kept]) * self.shape[2] + some.draw[kept]
        price, into, size = some.price[kept], (day[kept] - self.starts[period[kept]]), self.people.size
        sums = ((self.people, np.full(len(flat), sign)), (self.nights, -sign * into), (self.weekly, sign * price))
        for total, each in (*sums, (self.extra, -sign * price * into)):
            if len(flat) * FEW < size:  # a few stays touch a few cells
                np.add.at(total.reshape(-1), flat, each)
            else:
                total += np.bincount(flat, each, minlength=size).reshape(self.shape)

    def told(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give people at the end of each period, and person-weeks and pounds within it."""
        days, people = (self.ends - self.starts + 1)[None, :, None], self.people.cumsum(axis=1)
        return people, (people * days + self.nights) / 7, (self.weekly.cumsum(axis=1) * days + self.extra) / 7


def day_numbers(days: pd.DatetimeIndex) -> np.ndarray:
    """Give days since 1 January 1970."""
    return np.asarray(days).astype("datetime64[D]").astype(np.float64)
