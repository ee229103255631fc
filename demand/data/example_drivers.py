"""What lies behind demand in the example council: rents, unemployment, population by age, delays in hospital.

In: a seed. Out: DRIVERS, monthly from April 2016, with five published years ahead and their ranges, and what really happened afterwards.
Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from demand.data.example_truth import FIRST, LAST
from demand.spec import EIGHTY, stream

__all__ = ["YEARS_AHEAD", "driver_paths", "published_drivers"]

YEARS_AHEAD = 5
"""How many years the publishers look ahead."""
MONTHS_AHEAD = 12 * YEARS_AHEAD
POPULATIONS = {
    "population_0_17": (31_000, -0.005, 0.0),
    "population_18_64": (88_000, 0.002, 0.001),
    "population_85_plus": (4_100, 0.018, 0.010),
}
"""Residents in April 2016; growth a year then; how much that growth rises over the ten years."""
SPREADS = {
    "private_rent_median": 0.022,
    "unemployment_claimants": 0.095,
    "hospital_delays": 0.10,
    "population_0_17": 0.004,
    "population_18_64": 0.003,
    "population_85_plus": 0.006,
}
"""How far off the published path may be after one year: one standard deviation of the logarithm; it grows with the square root of time."""


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
    table = published_drivers(seed)
    paths = table.pivot(index="ds", columns="name", values="value")
    ahead = np.arange(1, MONTHS_AHEAD + 1) / 12
    for name in paths.columns:
        steps = stream(seed, "example", "driver that happened", name).standard_normal(MONTHS_AHEAD) / np.sqrt(12)
        paths.loc[paths.index > LAST, name] *= np.exp(SPREADS[str(name)] * np.cumsum(steps) * np.minimum(1.0, ahead + 0.5))
    return paths


def published_drivers(seed: int) -> pd.DataFrame:
    """Give the drivers as they are published: known to March 2026, projected for five years, with 80 % ranges.

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
    months = pd.date_range(FIRST, pd.Timestamp(LAST) + pd.DateOffset(months=MONTHS_AHEAD), freq="MS")
    makers: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
        "private_rent_median": _rents,
        "unemployment_claimants": _claimants,
        "hospital_delays": _delays,
    }
    years, known = np.arange(len(months)) / 12, np.asarray(months <= LAST)
    ahead = np.clip(years - years[known][-1], 0, None)
    parts = []
    for name in sorted(SPREADS):
        rng = stream(seed, "example", "driver", name)
        value = makers[name](years, rng) if name in makers else _population(years, name)
        width = np.exp(EIGHTY * SPREADS[name] * np.sqrt(ahead))
        low, high = np.where(known, np.nan, value / width), np.where(known, np.nan, value * width)
        parts.append(pd.DataFrame({"ds": months, "name": name, "value": value, "low": low, "high": high}))
    table = pd.concat(parts, ignore_index=True)
    return table.assign(**{c: table[c].round(2) for c in ("value", "low", "high")})


def _rents(years: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """GBP a month: slow until 2021, steep for three years, then calmer; published years grow by 3 %."""
    growth = np.select([years < 5, years < 8, years < 10], [0.020, 0.075, 0.042], 0.030)
    wobble = _memory(rng.standard_normal(len(years)) * 0.012, 0.9) * (years < 10)
    return np.asarray(545 * np.exp(np.cumsum(growth / 12) + wobble))


def _claimants(years: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """People claiming: a slow cycle, a jump in spring 2020 that fades in three years, wobbles; published years return to the middle."""
    jump = np.where(years >= 4, 0.62 * np.exp(-np.clip(years - 4, 0, None) / 1.1), 0.0)
    cycle = 0.16 * np.sin(2 * np.pi * (years - 0.8) / 6.5) * np.exp(-np.clip(years - 10, 0, None))
    wobble = _memory(rng.standard_normal(len(years)) * 0.035, 0.85) * (years < 10)
    return np.asarray(3150 * np.exp(jump + cycle + wobble))


def _delays(years: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """People whose discharge is delayed, in a month: growing, highest in winter, restless."""
    season = 0.14 * np.cos(2 * np.pi * (years - 0.8))
    wobble = _memory(rng.standard_normal(len(years)) * 0.10, 0.6) * (years < 10)
    return np.asarray(96 * np.exp(0.025 * years + season + wobble))


def _population(years: np.ndarray, name: str) -> np.ndarray:
    """Residents: mid-year figures, joined by straight lines."""
    start, growth, rise = POPULATIONS[name]
    nodes = np.arange(0, np.ceil(years[-1]) + 1)
    levels = start * np.exp(growth * nodes + rise * nodes**2 / 20)
    return np.asarray(np.interp(years, nodes, levels))


def _memory(shocks: np.ndarray, keep: float) -> np.ndarray:
    """Let each shock fade by a constant share a month."""
    level, levels = 0.0, np.empty(len(shocks))
    for month, shock in enumerate(shocks):
        levels[month] = level = keep * level + shock
    return levels
