"""The one call that judges a forecast.

In: a history and a `Forecast` with its replays. Out: `Backtest`. At each date weights, residual paths and spreads come from earlier cutoffs
alone; dates without enough of them are marked `calibrated = False` and left out of coverage. Refuses dates outside the data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from demand.evaluation.accuracy import RECORD, accuracy, by_group, of_sums
from demand.evaluation.coverage import coverage
from demand.evaluation.looks import Evidence, Look, gather, looks, year_ends
from demand.evaluation.record import set_aside, track_record
from demand.evaluation.sums import COLUMNS, NEXT_YEAR, next_year, sums
from demand.forecast import Forecast, ForecastSpec
from demand.hierarchy import HierarchySpec, levels
from demand.tables import History, quantile_columns

__all__ = ["Backtest", "backtest"]

ROWS = ["unique_id", "ds", "cutoff", "model", "calibrated", "y", "mean", *quantile_columns()]
SUMMARY = ["model", "level", "horizon", "measure", "value", "n_cutoffs", "n_series", "n_rows", "n_independent", "low", "high", "verdict"]
SUMS = [c for c in COLUMNS if c != "place"]


@dataclass(frozen=True)
class Backtest:
    """What replay says about the forecast.

    Parameters
    ----------
    rows : pandas.DataFrame
        Single periods of series: unique_id, ds, cutoff, model ('combined' is the forecast itself), calibrated, y, mean, quantiles (of
        'combined').
    summary : pandas.DataFrame
        model, level ("series" and those of the hierarchy), horizon ("1", "2", ..., "all"; "sum", the whole horizon; "year 1", "year 2",
        ..., "year", the whole financial years ahead), measure, value, n_cutoffs, n_series, n_rows, n_independent, low, high, verdict.
        Slow models are replayed on a sample of series: models with different n_rows are not judged on the same rows, and only "skill"
        compares them, each with the seasonal naive forecast on its own rows.
    sums : pandas.DataFrame
        The combination's sums beside what came: a row a series or group, span and cutoff; single periods of groups only.
    groups : pandas.DataFrame
        The record of each series and group.
    years : pandas.DataFrame
        What would have been said of the financial year ahead at the end of each year before, draw by draw (`next_year`).
    track_record : list of str
        Sentences.
    """

    rows: pd.DataFrame
    summary: pd.DataFrame
    sums: pd.DataFrame
    groups: pd.DataFrame
    years: pd.DataFrame
    track_record: list[str]


def backtest(
    history: History,
    forecast: Forecast,
    spec: ForecastSpec,
    *,
    seed: int,
    drivers: pd.DataFrame | None = None,
    hierarchy: HierarchySpec = "auto",
    start_month: int = 4,
    jobs: int = 1,
    progress: Callable[[str, float], None] | None = None,
) -> Backtest:
    """Evaluate a forecast as it would have been made at earlier dates.

    Parameters
    ----------
    history : History
        As counted.
    forecast : Forecast
        With the replays it was made of.
    spec : ForecastSpec
    seed : int
    drivers : pandas.DataFrame, optional
        As the forecast had them: models are asked again at the ends of financial years.
    hierarchy : HierarchySpec
        Which sums are judged.
    start_month : int
        The month in which financial years begin.
    jobs : int
    progress : callable, optional

    Returns
    -------
    Backtest

    Raises
    ------
    SettingsError
        Where `backtest.cutoffs` names dates outside the data.
    """
    own = history.only(str(i) for i in forecast.draws["series"].to_numpy())
    evidence = gather(own, forecast, spec, seed=seed, drivers=drivers, start_month=start_month, jobs=jobs, progress=progress)
    of, steps = levels(own.series, hierarchy), int(forecast.settings["steps"])
    index = pd.DatetimeIndex(own.wide.index)
    ends = set(evidence.judged if spec.backtest.cutoffs else year_ends(index, own.frequency, start_month))
    rows, found, aside, years = [], [], [], []
    for look in looks(own, evidence, forecast=forecast, spec=spec, seed=seed, hierarchy=hierarchy, jobs=jobs):
        one = sums(look, of, own.frequency, steps=steps, start_month=start_month, years=look.cutoff in ends)
        single = (one["level"] == "series") & one["span"].str.isdigit()
        rows += [_combined(one[single]), *_of_models(own, evidence, look)]
        found.append(one)
        years += [next_year(look, of[-1], own.frequency, start_month=start_month)] if look.cutoff in ends else []
        if look.cutoff in ends or steps < own.frequency.per_year:
            aside += set_aside(look, spec.events, own.frequency, start_month)
    if not found:
        nothing = [pd.DataFrame(columns=c) for c in (ROWS, SUMMARY, SUMS, RECORD, NEXT_YEAR)]
        return Backtest(nothing[0], nothing[1], nothing[2], nothing[3], nothing[4], [])
    table = pd.concat(rows, ignore_index=True)[ROWS].sort_values(["model", "cutoff", "unique_id", "ds"], kind="stable", ignore_index=True)
    every = pd.concat(found, ignore_index=True)
    groups = by_group(every)
    measured = [accuracy(table, own), of_sums(every).assign(model="combined"), coverage(every, seed=seed).assign(model="combined")]
    summary = pd.concat([m for m in measured if len(m)], ignore_index=True).reindex(columns=SUMMARY)
    kept = every[(every["level"] != "series") | ~every["span"].str.isdigit()].drop(columns="place").reset_index(drop=True)
    ended = sum(str(r).startswith("ended") for r in forecast.not_forecast["reason"])
    drivers = bool(len(forecast.driver_futures) and forecast.driver_futures[["low", "high"]].notna().any(axis=None))
    told = track_record(every, groups, own.frequency, aside=aside, ended=ended, drivers=drivers)
    said = [y for y in years if len(y)]
    ahead = pd.concat(said, ignore_index=True) if said else pd.DataFrame(columns=NEXT_YEAR)
    return Backtest(table, summary, kept, groups, ahead, told)


def _combined(single: pd.DataFrame) -> pd.DataFrame:
    return single.rename(columns={"name": "unique_id"}).assign(model="combined").reindex(columns=ROWS)


def _of_models(history: History, evidence: Evidence, look: Look) -> list[pd.DataFrame]:
    """Give what each model said, where it is known what came."""
    cube, reach = evidence.all, len(look.ds)
    k = int(cube.cutoffs.get_indexer(pd.DatetimeIndex([look.cutoff]))[0])
    keys = pd.MultiIndex.from_product([history.ids, look.ds], names=["unique_id", "ds"]).to_frame(index=False)
    keys = keys.assign(cutoff=look.cutoff, calibrated=False, y=look.y.reshape(-1))
    said = [keys.assign(model=m, mean=v[k, :, :reach].reshape(-1)).dropna(subset=["y", "mean"]) for m, v in cube.means.items()]
    return [t.reindex(columns=ROWS) for t in said if len(t)]
