"""How good forecasts have been: the forecast itself, replayed at earlier cutoffs with what was known then.

In: a history and a `Forecast` with its replays. Out: `Backtest`: a row a series, period and cutoff, a summary, the track record in words.
Nested: at each cutoff weights, residual paths and spreads come from earlier cutoffs alone, and from what had come by then; rows without
enough earlier ones are marked `calibrated = False` and left out of coverage. Nothing is fitted again. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from demand.combine import combined, joint_draws, weigh
from demand.forecast import Forecast, ForecastSpec, raced_of, stretches, whole_numbers
from demand.replay import Cube, cube_of
from demand.tables import QUANTILES, History, quantile_columns

if TYPE_CHECKING:
    from pandas.core.groupby import DataFrameGroupBy

__all__ = ["Backtest", "backtest", "scale_of"]

ENOUGH = 3
"""Earlier cutoffs whose whole path had come: fewer, and ranges are not calibrated."""
MOST_DRAWS = 400
"""Draws at each cutoff."""
SCORED = (0.025, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.975)
"""Quantiles in the quantile losses."""
WITHIN = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 75, 100)
"""Percentages in which the track record speaks."""
SUMMARY = ["model", "level", "horizon", "measure", "value", "n_cutoffs", "n_series", "n_rows"]


@dataclass(frozen=True)
class Backtest:
    """What replay says about the forecast.

    Parameters
    ----------
    rows : pandas.DataFrame
        unique_id, ds, cutoff, model ('combined' is the forecast itself), calibrated, y, mean, quantiles (of 'combined').
    summary : pandas.DataFrame
        model, level ("series", "total"), horizon ("1", "2", ..., "all", or "sum": the total over the horizon), measure, value, n_cutoffs,
        n_series, n_rows. Slow models are replayed on a sample of series: models with different n_rows are not judged on the same rows, and
        only "skill" compares them, each with the seasonal naive forecast on its own rows.
    track_record : list of str
        Sentences.
    """

    rows: pd.DataFrame
    summary: pd.DataFrame
    track_record: list[str]


@dataclass(frozen=True)
class _Look:
    """What the combination would have said at one cutoff, and what came: arrays (series, steps), draws behind."""

    cutoff: pd.Timestamp
    calibrated: bool
    y: np.ndarray
    draws: np.ndarray
    mean: np.ndarray


def backtest(history: History, forecast: Forecast, spec: ForecastSpec, *, seed: int) -> Backtest:
    """Evaluate a forecast as it would have been made at each main cutoff.

    Parameters
    ----------
    history : History
        As counted.
    forecast : Forecast
        With the replays it was made of.
    spec : ForecastSpec
    seed : int

    Returns
    -------
    Backtest
    """
    own = history.only(str(i) for i in forecast.draws["series"].to_numpy())
    steps = int(forecast.settings["steps"])
    cube = cube_of(forecast.replays, own, steps=steps)
    main = [pd.Timestamp(c) for c in forecast.settings["main_cutoffs"]]
    looks = list(_looks(own, cube, main, forecast=forecast, spec=spec, seed=seed))
    rows = _rows(own, cube, looks)
    scale = {look.cutoff: scale_of(own, look.cutoff) for look in looks}
    parts = [_accuracy(rows, scale, own), _coverage(looks), _of_totals(own, looks)]
    summary = pd.concat([p for p in parts if len(p)], ignore_index=True) if looks else pd.DataFrame(columns=SUMMARY)
    return Backtest(rows, summary[SUMMARY], _track_record(own, looks))


def scale_of(history: History, cutoff: pd.Timestamp) -> pd.Series:
    """Give the scale of MASE for each series: the mean error of the seasonal naive forecast in the counts up to the cutoff.

    References
    ----------
    Hyndman, R. J. and Koehler, A. B. (2006). Another look at measures of forecast accuracy. International Journal of Forecasting 22(4).
    """
    known = history.wide.loc[:cutoff]
    scale = known.diff(history.frequency.season_length).abs().mean()
    return scale.where(scale > 0)


def _looks(history: History, cube: Cube, main: list[pd.Timestamp], *, forecast: Forecast, spec: ForecastSpec, seed: int) -> Iterator[_Look]:
    draws, models = min(spec.draws, MOST_DRAWS), list(forecast.weights)
    for cutoff in main:
        k = int(cube.cutoffs.get_indexer(pd.DatetimeIndex([cutoff]))[0])
        if k < 0:
            continue
        known = cube.known_by(int(cube.at[k]))
        weights = weigh(known, models, stretches=stretches(known), raced=raced_of(spec))
        if not any(weights.get(m, 0) > 0 for m in cube.means):
            continue
        mean = combined({m: v[k] for m, v in cube.means.items()}, weights)
        said = np.isfinite(mean).all(axis=1)
        if not said.any():
            continue
        enough = int((known.at <= cube.at[k] - cube.y.shape[2]).sum()) >= ENOUGH
        whole = whole_numbers(history.until(cutoff).only(np.array(cube.ids)[said]))
        values = np.full((*mean.shape, draws), np.nan)
        values[said] = joint_draws(known.only(said), weights, mean[said], whole=whole, draws=draws, seed=seed)
        yield _Look(cutoff, enough, cube.y[k], values, mean)


def _rows(history: History, cube: Cube, looks: list[_Look]) -> pd.DataFrame:
    """Give backtest.parquet: every model's means, and the combination's with quantiles, where it is known what came."""
    index, tables = pd.DatetimeIndex(history.wide.index), []
    for look in looks:
        k = int(cube.cutoffs.get_indexer(pd.DatetimeIndex([look.cutoff]))[0])
        ds = index[cube.at[k] + 1 : cube.at[k] + 1 + cube.y.shape[2]]
        keys = pd.MultiIndex.from_product([cube.ids, ds], names=["unique_id", "ds"]).to_frame(index=False)
        keys = keys.assign(cutoff=look.cutoff, y=look.y.reshape(-1))
        quantiles = np.moveaxis(np.quantile(look.draws, QUANTILES, axis=2), 0, -1).reshape(-1, len(QUANTILES))
        mine = keys.assign(model="combined", calibrated=look.calibrated, mean=look.draws.mean(axis=2).reshape(-1))
        tables.append(pd.concat([mine, pd.DataFrame(quantiles, columns=quantile_columns())], axis=1))
        tables += [keys.assign(model=m, calibrated=False, mean=v[k].reshape(-1)) for m, v in cube.means.items() if np.isfinite(v[k]).any()]
    columns = ["unique_id", "ds", "cutoff", "model", "calibrated", "y", "mean", *quantile_columns()]
    if not tables:
        return pd.DataFrame(columns=columns)
    rows = pd.concat(tables, ignore_index=True).reindex(columns=columns).dropna(subset=["y", "mean"])
    return rows.sort_values(["model", "cutoff", "unique_id", "ds"], kind="stable", ignore_index=True)


def _accuracy(rows: pd.DataFrame, scale: dict[pd.Timestamp, pd.Series], history: History) -> pd.DataFrame:
    """Give MASE (of the median where there is one), bias, and for the combination quantile losses, by model and step."""
    index = pd.DatetimeIndex(history.wide.index)
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


def _coverage(looks: list[_Look]) -> pd.DataFrame:
    """Give the share of single periods inside the 80 and 95 % ranges, by step, from calibrated cutoffs alone."""
    used = [look for look in looks if look.calibrated]
    if not used:
        return pd.DataFrame(columns=SUMMARY)
    rows = []
    for name, tail in (("coverage80", 0.1), ("coverage95", 0.025)):
        inside = np.stack([_inside(look.y, look.draws, tail) for look in used])
        rows.append((name, "all", *_hits(inside)))
        rows += [(name, str(h + 1), *_hits(inside[:, :, h])) for h in range(inside.shape[2]) if np.isfinite(inside[:, :, h]).any()]
    table = pd.DataFrame(rows, columns=["measure", "horizon", "value", "n_series", "n_rows"])
    return table.assign(model="combined", level="series", n_cutoffs=len(used))


def _hits(inside: np.ndarray) -> tuple[float, int, int]:
    """Give the share inside, and how many series and rows it rests on; `inside` has looks first, then series."""
    known = np.isfinite(inside)
    series = known.any(axis=tuple(n for n in range(inside.ndim) if n != 1))
    return float(np.nanmean(inside)), int(series.sum()), int(known.sum())


def _inside(y: np.ndarray, draws: np.ndarray, tail: float) -> np.ndarray:
    """Give 1 where y lies in the range, 0 where not, NaN where either is not known; the last axis of `draws` goes."""
    low, high = np.quantile(draws, [tail, 1 - tail], axis=-1)
    return np.where(np.isfinite(y) & np.isfinite(low), (y >= low) & (y <= high), np.nan)


def _of_totals(history: History, looks: list[_Look]) -> pd.DataFrame:
    """Give coverage of totals over the horizon: of each series, and of all series of one kind and unit."""
    used, rows = [look for look in looks if look.calibrated], []
    for name, tail in (("coverage80", 0.1), ("coverage95", 0.025)):
        own = [_inside(look.y.sum(axis=1), look.draws.sum(axis=1), tail) for look in used]
        every = [_inside(y, draws, tail) for look in used for y, draws in _groups(history, look).values()]
        for level, values in (("series", own), ("total", every)):
            flat = np.concatenate([np.atleast_1d(v) for v in values]) if values else np.empty(0)
            if np.isfinite(flat).any():
                series = int(np.isfinite(np.stack(own)).any(axis=0).sum())
                rows.append(("combined", level, "sum", name, float(np.nanmean(flat)), len(used), series, int(np.isfinite(flat).sum())))
    return pd.DataFrame(rows, columns=SUMMARY)


def _groups(history: History, look: _Look, *, steps: int | None = None) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
    """Add up over series of one kind and unit, and over `steps` periods: what came, and the draws of it; series with a gap are left out."""
    y, draws = look.y[:, :steps], look.draws[:, :steps]
    there = np.isfinite(y).all(axis=1) & np.isfinite(draws[:, :, 0]).all(axis=1)
    found = {}
    for (kind, unit), places in history.series.reset_index(drop=True).groupby(["kind", "unit"]).groups.items():
        mine = np.asarray(places)[there[np.asarray(places)]]
        if len(mine):
            found[str(kind), str(unit)] = (y[mine].sum(keepdims=True).reshape(()), draws[mine].sum(axis=(0, 1)))
    return found


def _track_record(history: History, looks: list[_Look]) -> list[str]:
    """Tell in words how near the total of the year ahead would have been."""
    year = round(history.frequency.per_year)
    steps = min(year, looks[0].y.shape[1]) if looks else 0
    span = "year ahead" if steps == year else f"next {steps} periods"
    told = []
    for kind, unit in history.series[["kind", "unit"]].drop_duplicates().itertuples(index=False):
        seen = [(look, *_groups(history, look, steps=steps).get((kind, unit), (None, None))) for look in looks]
        seen = [(look, float(y), draws) for look, y, draws in seen if draws is not None and float(y) > 0]
        if not seen:
            continue
        off = np.array([abs(float(np.median(draws)) / y - 1) * 100 for _, y, draws in seen])
        within = next((p for p in WITHIN if (off <= p).mean() >= 0.75), None)
        what = f"the total of {unit} over the {span}" if kind == "flow" else f"the average number of {unit} over the {span}"
        dates = ", ".join(f"{day:%B %Y}" for day in history.frequency.end_of(pd.DatetimeIndex([look.cutoff for look, _, _ in seen])))
        near = f"within {within}% in {int((off <= within).sum())} of {len(off)}" if within else f"more than 100% off in most of {len(off)}"
        text = f"Had we forecast after {dates}, {what} would have been {near} times"
        ranges = [(y, draws) for look, y, draws in seen if look.calibrated]
        if ranges:
            hits = sum(bool(_inside(np.array(y), draws, 0.1)) for y, draws in ranges)
            text += f", and inside the range said to hold 4 in 5 in {hits} of {len(ranges)}"
        told.append(text + ".")
    return told
