"""How far off forecasts were: errors by model and step, bias, skill over the seasonal naive forecast, and what finance feels.

In: replayed forecasts beside what came. Out: tables of measures. Refuses nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from demand.calibration import blocks
from demand.evaluation.sums import SUM, YEAR, pooled, resting_on
from demand.tables import History

if TYPE_CHECKING:
    from pandas.core.groupby import DataFrameGroupBy

__all__ = ["RECORD", "accuracy", "by_group", "of_sums", "scale_of"]

SCORED = (0.025, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.975)
"""Quantiles in the quantile losses."""
GROUP = ["level", "name", "kind", "unit"]
RECORD = [*GROUP, "horizon", "n_cutoffs", "n_independent", "y", "error", "bias", "miss", "skill", "inside80", "inside95", "judged"]
"""The columns of the record of series and groups."""


def scale_of(history: History, cutoff: pd.Timestamp) -> pd.Series:
    """Give the scale of MASE for each series: the mean error of the seasonal naive forecast in the counts up to the cutoff.

    References
    ----------
    Hyndman, R. J. and Koehler, A. B. (2006). Another look at measures of forecast accuracy. International Journal of Forecasting 22(4).
    """
    known = history.wide.loc[:cutoff]
    scale = known.diff(history.frequency.season_length).abs().mean()
    return scale.where(scale > 0)


def accuracy(rows: pd.DataFrame, history: History) -> pd.DataFrame:
    """Give the errors of single periods by model, over all steps and by step.

    Parameters
    ----------
    rows : pandas.DataFrame
        As backtest.parquet.
    history : History

    Returns
    -------
    pandas.DataFrame
        model, level, horizon, measure, value, n_cutoffs, n_series, n_rows. Measures: mase (of the median where there is one), bias, wql and
        sql (of the combination), skill.
    """
    index = pd.DatetimeIndex(history.wide.index)
    scale = {cutoff: scale_of(history, cutoff) for cutoff in rows["cutoff"].unique()}
    step = index.get_indexer(pd.DatetimeIndex(rows["ds"])) - index.get_indexer(pd.DatetimeIndex(rows["cutoff"]))
    sizes = pd.concat(scale, names=["cutoff", "unique_id"])
    size = sizes.reindex(pd.MultiIndex.from_frame(rows[["cutoff", "unique_id"]])).to_numpy()
    point = rows["q0.5"].fillna(rows["mean"]).to_numpy()
    y, told = rows["y"].to_numpy(), rows[[f"q{q:g}" for q in SCORED]].to_numpy()
    gap = y[:, None] - told
    loss = 2 * np.maximum(np.array(SCORED) * gap, (np.array(SCORED) - 1) * gap).mean(axis=1)
    work = rows[["model", "cutoff", "unique_id", "ds"]].assign(
        step=step, y=np.abs(y), scaled=np.abs(y - point) / size, error=point - y, loss=loss, scaled_loss=loss / size
    )
    both = _beside_naive(work)
    tables = []
    for by in (["model"], ["model", "step"]):
        g, beside = work.groupby(by), both.groupby(by)
        sums = g[["y", "error", "loss"]].sum(min_count=1)
        shares = sums[["loss", "error"]].div(sums["y"].where(sums["y"] > 0), axis=0).set_axis(["wql", "bias"], axis=1)
        found = shares.assign(mase=g["scaled"].mean(), sql=g["scaled_loss"].mean())
        naive = beside["naive"].mean()
        skill = (1 - beside["scaled"].mean() / naive.where(naive > 0)).to_frame("skill")
        tables += [_long(found, g), _long(skill, beside)]
    return pd.concat(tables, ignore_index=True).dropna(subset=["value"])


def _beside_naive(work: pd.DataFrame) -> pd.DataFrame:
    """Put each scaled error beside that of the seasonal naive forecast for the same count and cutoff; rows without both are left out.

    Skill is 1 less the ratio of their means; below 0 the naive forecast is better.
    """
    keys = ["unique_id", "ds", "cutoff"]
    naive = work.loc[work["model"] == "seasonal_naive", [*keys, "scaled"]].rename(columns={"scaled": "naive"})
    return work.merge(naive, on=keys, how="inner").dropna(subset=["scaled", "naive"])


def _long(found: pd.DataFrame, groups: DataFrameGroupBy) -> pd.DataFrame:
    """Give measures one below the other, with the rows, series and cutoffs that they rest on."""
    by = list(found.index.names)
    about = groups.agg(n_cutoffs=("cutoff", "nunique"), n_series=("unique_id", "nunique"), n_rows=("unique_id", "size"))
    long = found.join(about).reset_index().melt([*by, *about.columns], var_name="measure")
    return long.assign(horizon=long["step"].astype(str) if "step" in by else "all", level="series")


def of_sums(found: pd.DataFrame) -> pd.DataFrame:
    """Give the errors of the combination's sums: of groups in single periods, and of series and groups over years and the horizon.

    Parameters
    ----------
    found : pandas.DataFrame
        From `sums`.

    Returns
    -------
    pandas.DataFrame
        level, horizon, measure, value, n_cutoffs, n_series, n_rows. Measures: bias (forecast less actual, over actual), miss (the mean
        distance of the median from what came, over what came; sums of nothing are left out) and skill (of the mean, over the seasonal
        naive forecast, pooled).
    """
    # Single periods of series stand in the table by model.
    rows = _with_errors(pooled(found[(found["level"] != "series") | ~found["span"].str.isdigit()]))
    g, about = rows.groupby(["level", "horizon"], sort=False), resting_on(rows)
    total = g[["y", "error", "off", "naive_off"]].sum(min_count=1)
    measures = pd.DataFrame({
        "bias": total["error"] / total["y"].where(total["y"] > 0),
        "miss": g["miss"].mean(),
        "skill": 1 - total["off"] / total["naive_off"].where(total["naive_off"] > 0),
    })  # fmt: skip
    long = measures.join(about).reset_index().melt(["level", "horizon", *about.columns], var_name="measure")
    return long.dropna(subset=["value"])


def _with_errors(rows: pd.DataFrame) -> pd.DataFrame:
    off, naive_off = (rows["mean"] - rows["y"]).abs(), (rows["naive"] - rows["y"]).abs()
    miss = (rows["q0.5"] / rows["y"].where(rows["y"] > 0) - 1).abs()
    return rows.assign(error=rows["mean"] - rows["y"], miss=miss, off=off.where(naive_off.notna()), naive_off=naive_off)


def by_group(found: pd.DataFrame) -> pd.DataFrame:
    """Give the record of each series and group: over single periods, financial years and the whole horizon.

    Parameters
    ----------
    found : pandas.DataFrame
        From `sums`.

    Returns
    -------
    pandas.DataFrame
        level, name, kind, unit, horizon ("all", "year", "sum"), n_cutoffs, n_independent, y (what came, on average), error (forecast less
        actual, on average: people, not per cent), bias (the same over what came), miss, skill, inside80 and inside95 (how often the range
        held) of judged.
    """
    rows = _with_errors(pooled(found))
    rows = rows[rows["horizon"].isin(["all", YEAR, SUM])]
    judged = rows["calibrated"].astype(bool)
    rows = rows.assign(
        inside80=(rows["y"].between(rows["q0.1"], rows["q0.9"]) & judged).astype(int),
        inside95=(rows["y"].between(rows["q0.025"], rows["q0.975"]) & judged).astype(int),
        judged=judged.astype(int),
    )
    g = rows.groupby([*GROUP, "horizon"], sort=False)
    total = g[["off", "naive_off"]].sum(min_count=1)
    table = g.agg(n_cutoffs=("cutoff", "nunique"), y=("y", "mean"), error=("error", "mean"), miss=("miss", "mean"))
    table["n_independent"] = [int(blocks(t["place"].to_numpy(), int(t["step"].max())).max()) + 1 for _, t in g]
    table["bias"] = table["error"] / table["y"].where(table["y"] > 0)
    table["skill"] = 1 - total["off"] / total["naive_off"].where(total["naive_off"] > 0)
    return table.join(g[["inside80", "inside95", "judged"]].sum()).reset_index()[RECORD]
