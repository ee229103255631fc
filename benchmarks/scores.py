"""Scores of forecasts: what was said, held against what came.

In: quantiles, and draws of totals where a forecaster has them, beside what came. Out: a row a series and window, and from those rows the
scores of a set. Refuses nothing; what cannot be scored is NaN.

References
----------
Hyndman, R. J. and Koehler, A. B. (2006). Another look at measures of forecast accuracy. International Journal of Forecasting 22(4): MASE.
Gneiting, T. and Raftery, A. E. (2007). Strictly proper scoring rules, prediction, and estimation. JASA 102(477): quantile (pinball) loss.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

__all__ = ["QUANTILES", "Said", "geometric_mean", "rows_of", "scale_of", "summary"]

QUANTILES = (0.025, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.975)
MEDIAN = QUANTILES.index(0.5)
RANGES = {"80": (0.1, 0.9), "95": (0.025, 0.975)}


@dataclass(frozen=True)
class Said:
    """What a forecaster said at one cutoff.

    Parameters
    ----------
    quantiles : numpy.ndarray
        Shape (series, horizon, quantiles): at `QUANTILES`.
    totals : numpy.ndarray or None
        Shape (series, draws): totals over the horizon, drawn jointly; None where the forecaster has no paths.
    seconds : float
    fallbacks : int
        Series for which it had nothing to say, so that the seasonal naive forecast stands in.
    """

    quantiles: np.ndarray
    totals: np.ndarray | None
    seconds: float
    fallbacks: int = 0


def scale_of(wide: np.ndarray, season: int) -> np.ndarray:
    """Give each series' mean absolute error of the seasonal naive forecast in the counts that were known.

    Where a series is too short for that, or never changed over a season, the naive forecast is taken; where that is 0 as well, NaN.

    Parameters
    ----------
    wide : numpy.ndarray
        Shape (periods, series), NaN where there was no count.
    season : int
    """
    found = np.full(wide.shape[1], np.nan)
    for lag in dict.fromkeys((season, 1)):
        if len(wide) > lag:
            change = np.abs(wide[lag:] - wide[:-lag])
            known = np.isfinite(change)
            mean = np.where(known, change, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
            found = np.where(np.isnan(found) & (mean > 0), mean, found)
    return found


def rows_of(ids: list[str], actual: np.ndarray, said: Said, scale: np.ndarray) -> pd.DataFrame:
    """Give a row a series: sums and means over the periods of one window, from which `summary` makes the scores."""
    known = np.isfinite(actual)
    y = np.where(known, actual, 0.0)
    gap = y[..., None] - said.quantiles
    levels = np.array(QUANTILES)
    pinball = 2 * np.maximum(levels * gap, (levels - 1) * gap).mean(axis=-1)
    loss = np.where(known, pinball, 0.0).sum(axis=1)
    error = np.where(known, said.quantiles[..., MEDIAN] - y, 0.0)
    count = known.sum(axis=1)
    size = np.where(count > 0, scale * count, np.nan)
    rows = pd.DataFrame({
        "unique_id": ids, "n": count, "size": np.abs(y).sum(axis=1), "y": y.sum(axis=1), "loss": loss, "error": error.sum(axis=1),
        "mase": np.abs(error).sum(axis=1) / size, "sql": loss / size,
    })  # fmt: skip
    whole = known.all(axis=1)
    for name, (low, high) in RANGES.items():
        inside = (y >= said.quantiles[..., QUANTILES.index(low)]) & (y <= said.quantiles[..., QUANTILES.index(high)]) & known
        rows[f"in{name}"] = inside.sum(axis=1)
        rows[f"total{name}"] = np.nan
        rows[f"grand{name}"] = np.nan
        if said.totals is not None and whole.any():
            ends = np.quantile(said.totals, [low, high], axis=1)
            rows[f"total{name}"] = np.where(whole, (y.sum(axis=1) >= ends[0]) & (y.sum(axis=1) <= ends[1]), np.nan)
            ends = np.quantile(said.totals[whole].sum(axis=0), [low, high])
            rows[f"grand{name}"] = float(ends[0] <= y[whole].sum() <= ends[1])
    return rows


def summary(rows: pd.DataFrame) -> pd.Series:
    """Give the scores of one forecaster on one set, from the rows of all its windows (column cutoff tells them apart).

    Returns
    -------
    pandas.Series
        mase, sql: means over series and windows; wql: the quantile loss of all over the sum of what came; coverage80, coverage95, bias;
        total80, total95: of series' totals over the horizon; grand80, grand95: windows whose grand total lay inside; windows, series.
    """
    grand = rows.groupby("cutoff")[["grand80", "grand95"]].first()
    asked = float(grand["grand80"].notna().sum())
    return pd.Series({
        "mase": rows["mase"].mean(),
        "wql": rows["loss"].sum() / rows["size"].sum(),
        "sql": rows["sql"].mean(),
        "coverage80": rows["in80"].sum() / rows["n"].sum(),
        "coverage95": rows["in95"].sum() / rows["n"].sum(),
        "bias": rows["error"].sum() / rows["y"].sum(),
        "total80": rows["total80"].mean(),
        "total95": rows["total95"].mean(),
        "grand80": grand["grand80"].sum() if asked else np.nan,
        "grand95": grand["grand95"].sum() if asked else np.nan,
        "windows": float(len(grand)),
        "series": float(rows["unique_id"].nunique()),
    })  # fmt: skip


def geometric_mean(values: pd.Series) -> float:
    """Give the geometric mean; NaN where a value is missing, so that no mean over fewer sets is taken for one over all."""
    numbers = values.to_numpy(dtype=float)
    return float(np.exp(np.log(numbers).mean())) if len(numbers) and np.isfinite(numbers).all() and (numbers > 0).all() else float("nan")
