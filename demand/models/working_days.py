"""What bank holidays and the number of working days do to counts: taken out before a model learns, put back into what it expects.

In: a model and a HISTORY. Out: the model's answer with the working days of the periods ahead in it, as a part of its own. Days and weeks:
kinds of days and weeks (Christmas, other bank holidays, the day after one...) against the same weekdays, or the weeks, around them. Months:
the number of working days, against the same month a year before. Effects are pooled over the series of a kind, and left out where they
cannot be told from chance. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from demand.calendar import Frequency, bank_holidays, working_days
from demand.models.prediction import Forecaster, Note, Prediction
from demand.pooling import pooled, shrunk
from demand.tables import History

__all__ = ["OnWorkingDays", "day_kinds", "working_day_factors"]

KINDS = {
    "D": ("Christmas", "other bank holidays", "days between Christmas and New Year", "days after a bank holiday"),
    "W": ("Christmas week", "New Year's week", "other weeks with two bank holidays", "weeks with one bank holiday"),
}
"""Kinds of days and weeks that are compared with those around them, numbered from 1."""
AROUND = {"D": (7, 14, 21, 28), "W": (1, 2, 3, 4)}
"""Periods before and after with which one is compared."""
FEWEST = 3
"""A kind of day is measured where it came so often."""
SURE = 3.0
"""An effect so many standard errors from nothing is taken into account."""
SMALL = np.log(1.03)
"""Effects below 3 % are left out."""
MANY = 5.0
"""Months: series with fewer counts a month say nothing about it."""
YEARS = 3
"""Months: years of counts from which the number of working days is looked at."""


@dataclass(frozen=True)
class OnWorkingDays:
    """A model that learns from counts as if there were no bank holidays.

    Parameters
    ----------
    inner : Forecaster
    """

    inner: Forecaster

    @property
    def name(self) -> str:
        """The name of the model inside."""
        return self.inner.name

    def predict(
        self,
        history: History,
        horizon: int,
        *,
        seed: int,
        drivers: pd.DataFrame | None = None,
        explain: bool = False,
        saved: Mapping[str, str] | None = None,
        jobs: int = 1,
    ) -> Prediction:
        """Say what to expect (see `Forecaster`)."""
        found = working_day_factors(history, horizon)
        if found is None:
            return self.inner.predict(history, horizon, seed=seed, drivers=drivers, explain=explain, saved=saved, jobs=jobs)
        past, ahead, told = found
        said = self.inner.predict(_without(history, past), horizon, seed=seed, drivers=drivers, explain=explain, saved=saved, jobs=jobs)
        mean = said.means["mean"].to_numpy()
        change = mean * (ahead.T.reshape(-1) - 1.0)
        means = said.means.assign(mean=np.maximum(mean + change, 0.0))
        parts = said.parts
        if parts is not None:
            mine = said.means[["unique_id", "ds"]].assign(feature="working_days", value=np.nan, contribution=change)
            parts = pd.concat([parts, mine], ignore_index=True).sort_values(["unique_id", "ds"], kind="stable", ignore_index=True)
        return replace(said, means=means, parts=parts, notes=(*said.notes, Note("", self.name, told)))


def working_day_factors(history: History, horizon: int) -> tuple[np.ndarray, np.ndarray, str] | None:
    """Measure what working days do.

    Parameters
    ----------
    history : History
    horizon : int
        Periods ahead.

    Returns
    -------
    past : numpy.ndarray
        Shape (periods, series): by what the counts were multiplied.
    ahead : numpy.ndarray
        Shape (horizon, series).
    told : str
        In words.
    None where nothing can be told from chance.
    """
    frequency = history.frequency
    ds = frequency.periods(history.table["ds"].min(), len(history.wide) + horizon)
    if frequency.family in KINDS:
        logs, told = _of_kinds(history, day_kinds(ds, frequency))
    elif frequency.family == "M":
        logs, told = _of_months(history, working_days(ds, frequency), ds)
    else:
        return None
    if not told:
        return None
    factor = np.exp(logs)
    return factor[: len(history.wide)], factor[len(history.wide) :], f"working days are taken into account: {'; '.join(told)}"


def day_kinds(ds: pd.DatetimeIndex, frequency: Frequency) -> np.ndarray:
    """Give the number of each day's or week's kind in `KINDS`, 0 for all others.

    Parameters
    ----------
    ds : pandas.DatetimeIndex
        First days of the periods.
    frequency : Frequency
        Days or weeks.

    Returns
    -------
    numpy.ndarray
        int, shape (periods,).
    """
    first, last = ds.min() - pd.Timedelta(days=7), frequency.end_of(ds).max()
    free = bank_holidays(first, last)
    if frequency.family == "W":
        count = np.array([((free >= d) & (free < d + pd.Timedelta(days=7))).sum() for d in ds])
        holds = [[any((d + pd.Timedelta(days=k)).strftime("%m-%d") == day for k in range(7)) for d in ds] for day in ("12-25", "01-01")]
        return np.select([np.array(holds[0]), np.array(holds[1]), count >= 2, count == 1], [1, 2, 3, 4], 0)
    month, day = np.asarray(ds.month), np.asarray(ds.day)
    christmas = (month == 12) & ((day == 25) | (day == 26))
    bank = np.asarray(ds.isin(free))
    between = (month == 12) & (day >= 24) & ~christmas & ~bank
    weekend = np.asarray(ds.dayofweek >= 5)
    after = np.zeros(len(ds), dtype=bool)
    waiting = False
    for k in range(len(ds)):
        waiting = waiting or bool(bank[k])
        after[k] = waiting and not bank[k] and not weekend[k]
        waiting = waiting and not after[k]
    return np.select([christmas, bank, between, after], [1, 2, 3, 4], 0)


def _of_kinds(history: History, kinds: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Compare the counts of each kind of day with those around them; logs of shape (periods, series), and what was found."""
    values, family = history.wide.to_numpy(), history.frequency.family
    past = kinds[: len(values)]
    usual = _usual(np.where(past[:, None] > 0, np.nan, values), AROUND[family])
    both = np.isfinite(values) & np.isfinite(usual)
    plain = both & (past[:, None] == 0)
    off = np.where(plain, (values - usual) ** 2, 0.0).sum(axis=0)
    level = np.where(plain, usual, 0.0).sum(axis=0)
    spread = np.maximum(off / np.maximum(level, 1e-9), 1.0)
    logs, told = np.zeros((len(kinds), values.shape[1])), []
    for number, name in enumerate(KINDS[family], start=1):
        cells = both & (past[:, None] == number)
        if cells.any(axis=1).sum() < FEWEST:
            continue
        came, due = np.where(cells, values, 0.0).sum(axis=0), np.where(cells, usual, 0.0).sum(axis=0)
        each = np.where(due > 0, np.log((came + 0.5) / (due + 0.5)), np.nan)
        noise = spread * (1 / (came + 0.5) + 1 / (2 * len(AROUND[family]) * np.maximum(due, 0.5)))
        for kind in sorted(set(history.series["kind"])):
            mine = (history.series["kind"] == kind).to_numpy() & np.isfinite(each)
            mean, error, _ = pooled(each[mine], noise[mine]) if mine.any() else (0.0, 1.0, 0.0)
            if abs(mean) < max(SMALL, SURE * error):
                continue
            logs[np.ix_(kinds == number, mine)] = shrunk(each[mine], noise[mine])
            told.append(f"{name} {np.exp(mean) - 1:+.0%}".replace("%", " %"))
    return logs, list(dict.fromkeys(told))


def _usual(values: np.ndarray, around: tuple[int, ...]) -> np.ndarray:
    """Give the mean of the periods so many before and after; NaN where fewer than two are known."""
    table = pd.DataFrame(values)
    sides = np.stack([table.shift(k).to_numpy() for k in around] + [table.shift(-k).to_numpy() for k in around])
    known = np.isfinite(sides)
    return np.where(known.sum(axis=0) >= 2, np.where(known, sides, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1), np.nan)


def _of_months(history: History, days: np.ndarray, ds: pd.DatetimeIndex) -> tuple[np.ndarray, list[str]]:
    """Measure how the flows of months go with the number of working days: changes over a year, of all series of one month as one."""
    flows = (history.series["kind"] == "flow").to_numpy()
    wide, logs = history.wide.to_numpy(), np.zeros((len(ds), len(history.ids)))
    large = flows & (history.wide.mean() >= MANY).to_numpy() & (history.wide.notna().sum() >= 12 * YEARS).to_numpy()
    if not large.any():
        return logs, []
    change = np.log1p(wide[12:, large]) - np.log1p(wide[:-12, large])
    usual = pd.DataFrame(change).sub(pd.DataFrame(change).median()).abs().median().clip(lower=0.01).to_numpy()
    known = np.isfinite(change / usual)
    together = np.where(known, change / usual, 0.0).sum(axis=1) / np.maximum((known / usual).sum(axis=1), 1e-9)
    step = np.log(days[12 : len(wide)] / days[: len(wide) - 12])
    slope, error = _slope(step, together)
    if slope < SURE * error or slope * np.abs(step).max() < SMALL:
        return logs, []
    slope = min(slope, 1.0)
    typical = pd.Series(np.log(days)).groupby(np.asarray(ds.month)).transform("mean").to_numpy()
    logs[:, flows] = (slope * (np.log(days) - typical))[:, None]
    return logs, [f"a month with one working day more counts {np.exp(slope / 21) - 1:.1%} more".replace("%", " %")]


def _slope(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Give slope and standard error of a line through points, the farthest tenth held (Huber, in two steps)."""
    weight = np.ones(len(x))
    slope, error = 0.0, np.inf
    for _ in range(3):
        mx, my = np.average(x, weights=weight), np.average(y, weights=weight)
        across = (weight * (x - mx) ** 2).sum()
        if across <= 0:
            return 0.0, np.inf
        slope = (weight * (x - mx) * (y - my)).sum() / across
        rest = y - my - slope * (x - mx)
        error = float(np.sqrt((weight * rest**2).sum() / max(len(x) - 2, 1) / across))
        scale = max(1.4826 * float(np.median(np.abs(rest))), 1e-9)
        weight = np.minimum(1.0, 2.0 * scale / np.maximum(np.abs(rest), 1e-12))
    return float(slope), error


def _without(history: History, factor: np.ndarray) -> History:
    """Give the history as it would have been without; where a factor is far from 1, small counts would only be blown up: see `_filled`."""
    wide = history.wide.to_numpy()
    usual = _usual(np.where(factor != 1.0, np.nan, wide), AROUND[history.frequency.family]) if history.frequency.family == "D" else wide
    seen = np.where((history.frequency.family == "D") & (factor != 1.0) & np.isfinite(usual), usual, wide / factor)
    rows = history.table[["unique_id", "ds"]]
    at = history.wide.index.get_indexer(pd.DatetimeIndex(rows["ds"])), history.series.index.get_indexer(rows["unique_id"])
    return History(history.table.assign(y=np.where(history.table["y"].isna(), np.nan, seen[at])), history.series, history.frequency)
