"""Starters: whom recent new starts were like, and how fast their prices grow.

In: SPELLS as they were known on a day, with the numbers of their series, type and group. Out: by series, recent starters to draw new ones
from, at today's prices, and the growth of prices by type. Refuses nothing.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from demand.caseload.spells import OUTSIDE

__all__ = ["YEAR", "YEARS", "starters"]

YEAR = 365.25
YEARS = 8
"""Years back that are looked at."""
RECENT = 730
"""Days back from which starters count as recent, or the last `FEWEST` of them where there are fewer."""
FEWEST = 30


def starters(one: pd.DataFrame, day: pd.Timestamp, kind: np.ndarray, kinds: int) -> tuple[dict[int, pd.DataFrame], np.ndarray]:
    """Give recent starters of each series, with prices brought to today's level, and the growth of prices by type."""
    ago = ((day - one["opened"]).dt.days / YEAR).to_numpy()
    price = one["price"].to_numpy(dtype=float) if "price" in one else np.full(len(one), np.nan)
    age = one["age"].to_numpy(dtype=float) if "age" in one else np.full(len(one), np.nan)
    growth = np.zeros((kinds, 2))
    for k in range(kinds):
        mine = (one["_kind"].to_numpy() == k) & np.isfinite(price) & (price > 0) & (ago < YEARS)
        growth[k] = _trend(-ago[mine], np.log(price[mine]))
    table = pd.DataFrame({
        "group": one["_group"].to_numpy(), "age": age, "price": price * np.exp(growth[one["_kind"].to_numpy(), 0] * ago),
        "from_outside": (one["came"] == OUTSIDE).to_numpy(), "ago": ago,
    })  # fmt: skip
    found = {}
    for s, k in enumerate(kind):
        rows = (one["_row"] == s).to_numpy()
        if rows.sum() < 5:
            rows = (one["_kind"] == k).to_numpy()
        if not rows.any():  # nobody was in a place of this type yet
            rows = np.ones(len(one), dtype=bool)
        mine = table[rows].sort_values("ago", kind="stable")
        recent = mine.head(max(FEWEST, int((mine["ago"] * YEAR <= RECENT).sum()))).drop(columns="ago").reset_index(drop=True)
        known, unknown = recent["price"].dropna().to_numpy(), recent["price"].isna().to_numpy()
        if len(known):  # one without a price takes that of another, so that the spread of prices stays
            recent.loc[unknown, "price"] = np.resize(known, int(unknown.sum()))
        found[s] = recent
    return found, growth


def _trend(years: np.ndarray, logs: np.ndarray) -> tuple[float, float]:
    """Give the growth a year and its standard error by least squares, 0 +- 0.05 where there are fewer than ten prices."""
    if len(logs) < 10 or np.ptp(years) < 1:
        return 0.0, 0.05
    x = years - years.mean()
    slope = float((x * logs).sum() / (x**2).sum())
    left = logs - logs.mean() - slope * x
    return slope, float(np.sqrt((left**2).sum() / (len(x) - 2) / (x**2).sum()))
