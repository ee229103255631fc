"""What lies behind demand in the example council: rents, unemployment, population by age, delays in hospital.

In: a seed. Out: DRIVERS, monthly from April 2016, with five published years ahead and their ranges, and what really happened afterwards.
Refuses nothing. Every council has a course of its own, and past and future are drawn by the same rule: what a forecast could not know in
the past is like what it cannot know now. The lockdowns alone, which everybody knows of, are the same in all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from demand.data.example_truth import FIRST, LAST, SHOCK
from demand.spec import EIGHTY, stream

__all__ = ["YEARS_AHEAD", "driver_paths", "published_drivers"]

YEARS_AHEAD = 5
"""How many years the publishers look ahead."""
MONTHS_AHEAD = 12 * YEARS_AHEAD
KEPT = 0.97
"""The share of a surge of growth that is there a month later: half of it is gone after two years."""
FADING = 1.1
"""In how many years what the lockdowns did to a driver falls to 1/e."""


@dataclass(frozen=True)
class Course:
    """The rule by which one driver goes; of its logarithm.

    A local linear trend whose slope is damped, and a level that fades (Harvey 1989, Forecasting, structural time series models, section
    2.3), both in balance from the first month on, with innovations of one size throughout.

    Parameters
    ----------
    start : float
        In April 2016.
    growth, surges : float
        Growth a year in the long run, and how far that of a month is from it: one standard deviation.
    wobble, kept : float
        How far off its trend the level is, one standard deviation; the share of that which is there a month later.
    rise : float
        How much growth rises over ten years.
    season : float
        How much higher January is than the year.
    jump : float
        What the lockdowns add in April 2020.
    """

    start: float
    growth: float
    surges: float
    wobble: float = 0.0
    kept: float = 0.0
    rise: float = 0.0
    season: float = 0.0
    jump: float = 0.0

    def path(self, shocks: np.ndarray) -> np.ndarray:
        """Give the driver where standard normal shocks of growth and of the level come, shape (months, 2)."""
        years = np.arange(len(shocks)) / 12
        growth = self.growth + self.rise * years / 10 + self.surges * _remembered(shocks[:, 0], KEPT)
        since = years - float(_months().get_loc(pd.Timestamp(SHOCK[0])) + 1) / 12
        lockdowns = self.jump * np.where(since >= 0, np.exp(-np.clip(since, 0, None) / FADING), 0.0)
        level = self.season * np.cos(2 * np.pi * (years - 0.8)) + lockdowns
        return np.asarray(self.start * np.exp(np.cumsum(growth / 12) + level + self.wobble * _remembered(shocks[:, 1], self.kept)))

    @cached_property
    def spread(self) -> np.ndarray:
        """How far off a projection may be that knows all up to its day, months ahead: one standard deviation of the logarithm."""
        ago = np.arange(MONTHS_AHEAD)
        surge = self.surges * np.sqrt(1 - KEPT**2) * np.cumsum(KEPT**ago) / 12
        wobble = self.wobble * np.sqrt(1 - self.kept**2) * self.kept**ago
        return np.asarray(np.sqrt(np.cumsum(surge**2 + wobble**2)))


COURSES = {
    "private_rent_median": Course(545, growth=0.038, surges=0.022, wobble=0.027, kept=0.9),
    "unemployment_claimants": Course(3150, growth=0.0, surges=0.0, wobble=0.13, kept=0.96, jump=0.62),
    "hospital_delays": Course(96, growth=0.025, surges=0.04, wobble=0.125, kept=0.6, season=0.14),
    "population_0_17": Course(31_000, growth=-0.005, surges=0.003),
    "population_18_64": Course(88_000, growth=0.002, surges=0.002, rise=0.001),
    "population_85_plus": Course(4_100, growth=0.018, surges=0.005, rise=0.010),
}
"""Rents rise by 1 to 7 % a year in 80 months of 100; claimants come and go; delays are highest in winter, and restless."""


def driver_paths(seed: int) -> pd.DataFrame:
    """Give what each driver really was, and will have been, by month.

    Parameters
    ----------
    seed : int

    Returns
    -------
    pandas.DataFrame
        A row a month (first days, April 2016 to five years after the history), a column a driver.
    """
    months = _months()
    return pd.DataFrame({name: COURSES[name].path(_shocks(seed, name, months)).round(2) for name in sorted(COURSES)}, index=months)


def published_drivers(seed: int) -> pd.DataFrame:
    """Give the drivers as they are published: known to March 2026, projected for five years, with 80 % ranges.

    The publishers know how drivers go, and where they stood in March 2026: they project what then comes without another shock.

    Parameters
    ----------
    seed : int

    Returns
    -------
    pandas.DataFrame
        DRIVERS: ds, name, value, low, high; low and high are missing where the value is known.

    Examples
    --------
    >>> sorted(published_drivers(2026)["name"].unique())[:2]
    ['hospital_delays', 'population_0_17']
    """
    months, parts = _months(), []
    known = np.asarray(months <= LAST)
    for name in sorted(COURSES):
        value = COURSES[name].path(_shocks(seed, name, months) * known[:, None])
        width = np.full(len(months), np.nan)
        width[~known] = np.exp(EIGHTY * COURSES[name].spread)
        parts.append(pd.DataFrame({"ds": months, "name": name, "value": value, "low": value / width, "high": value * width}))
    table = pd.concat(parts, ignore_index=True)
    return table.assign(**{c: table[c].round(2) for c in ("value", "low", "high")})


def _months() -> pd.DatetimeIndex:
    return pd.date_range(FIRST, pd.Timestamp(LAST) + pd.DateOffset(months=MONTHS_AHEAD), freq="MS")


def _shocks(seed: int, name: str, months: pd.DatetimeIndex) -> np.ndarray:
    return stream(seed, "example", "driver", name).standard_normal((len(months), 2))


def _remembered(shocks: np.ndarray, kept: float) -> np.ndarray:
    """Let each shock fade by a constant share a month; in balance from the first month on, with a standard deviation of 1."""
    levels = np.empty(len(shocks))
    levels[0] = level = shocks[0]
    for month, shock in enumerate(shocks[1:] * np.sqrt(1 - kept**2), start=1):
        levels[month] = level = kept * level + shock
    return levels
