"""On which days bills are paid, and for which days each run of payments pays.

In: how often, and a day on which it is done. Out: runs, each with its day and the days that it pays for. Refuses nothing.
"""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple

import pandas as pd

from demand.spec import Spec

__all__ = ["Payment", "Run"]

WEEKS = {"week": 1, "fortnight": 2, "four weeks": 4}


class Run(NamedTuple):
    """One run of payments: the day on which it is done, and the first and last day that it pays for."""

    day: pd.Timestamp
    first: pd.Timestamp
    last: pd.Timestamp


class Payment(Spec):
    """How often a bill is paid.

    Runs of weeks follow each other at the same distance, before `on` and after it, over 31 March too: some years have 14 of four weeks.
    In arrears, a run pays for the days since the run before it; in advance, for its own day and those until the next. A month is paid in
    arrears on the same day of the month after it, and in advance on that day of the month itself.
    """

    every: Literal["week", "fortnight", "four weeks", "month"]
    """How far it is from one run to the next."""
    on: date
    """Any day on which it is paid."""
    arrears: bool = True
    """True where the days before it are paid for, False where those that follow."""

    def runs(self, first: pd.Timestamp, last: pd.Timestamp) -> list[Run]:
        """Give the runs that pay for any of these days, in order.

        Examples
        --------
        >>> paid = Payment(every="four weeks", on=date(2026, 4, 10))
        >>> april = pd.Timestamp("2026-04-01"), pd.Timestamp("2026-04-30")
        >>> [f"{r.day:%d %b} for {r.first:%d %b} to {r.last:%d %b}" for r in paid.runs(*april)]
        ['10 Apr for 13 Mar to 09 Apr', '08 May for 10 Apr to 07 May']
        """
        if self.every == "month":
            months = pd.period_range(first, last, freq="M")
            return [Run(self._in(month + 1 if self.arrears else month), month.start_time, month.end_time.normalize()) for month in months]
        step = pd.Timedelta(weeks=WEEKS[self.every])
        begins = pd.Timestamp(self.on) - (step if self.arrears else pd.Timedelta(0))
        begins += (first - begins) // step * step
        found = []
        while begins <= last:
            found.append(Run(begins + step if self.arrears else begins, begins, begins + step - pd.Timedelta(days=1)))
            begins += step
        return found

    def _in(self, month: pd.Period) -> pd.Timestamp:
        return pd.Timestamp(month.year, month.month, min(self.on.day, month.days_in_month))
