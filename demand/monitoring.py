"""Is the forecast of record still right? What was counted since, held against its own joint draws, month by month.

In: DRAWS of the forecast of record, and the HISTORY of now. Out: `Monitoring`: a chart of residuals (X) and of their changes (mR) for every
series and total, what stands out, coverage so far, and what to do: nothing, look or refit. Refuses a history without a series of the
forecast.

A control chart of raw seasonal counts alarms on the season; so residuals are charted. Months forecast from one origin err together, so the
usual limits (2.66 times the mean moving range), which take months as independent, are not used: each draw of the forecast is taken for what
came, its statistics are computed like those of the counts, and the limit is what the largest of all statistics of all series passes in one
draw of twenty. So a month raises any alarm with a chance of 5 %, over all series and rules together, as far as the forecast's ranges hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from demand.combine import PARTIAL
from demand.errors import DataError, Fault
from demand.languages import message, say
from demand.spec import EIGHTY
from demand.tables import History

__all__ = ["ACTIONS", "CHART", "Monitoring", "contest", "contest_said", "drivers_apart", "monitor", "signal_said"]

FALSE_ALARMS = 0.05
"""The chance that a month raises any alarm where nothing is wrong."""
FEWER = 0.7
"""Where a smaller share of counts than this lies inside its ranges, nobody is told that this is as expected."""
ACTIONS = ("nothing", "look", "refit")
RULES = {"point": (1, "look"), "change": (2, "look"), "level": (3, "refit"), "direction": (4, "refit")}
"""What is looked at: months that it needs, and what it asks for."""
WORDS = {
    "point": message("the last count is far from what was forecast"),
    "change": message("the last count has jumped against the forecast"),
    "level": message("counts have been {side} the forecast on average since it was made"),
    "direction": message("counts are drifting {side} the forecast: its direction has changed"),
}
CHART = ["unique_id", "ds", "y", "mean", "q0.1", "q0.9", "residual", "moving_range", "limit", "moving_range_limit", "inside"]
TOTAL, LEAST = "total", 1e-9
LEAST_MOVE = 0.01
"""A driver that came this near to what was expected moves no forecast by more than about as much, however narrow its published range."""
NOT_REPLAYED = message("not compared: a model of the forecast of record, or the challenger, was not replayed")
NONE_IN_COMMON = message("not compared: there is no date at which all models of the forecast of record, and the challenger, were replayed")
ENOUGH, CLEARLY, BETTER = 8, 0.05, 0.02
"""A challenger needs so many cutoffs, so small a chance that it won them by luck (sign test), and an error lower by so large a share."""


@dataclass(frozen=True)
class Monitoring:
    """What the months since the forecast of record say.

    Parameters
    ----------
    chart : pandas.DataFrame
        `CHART`: a row a series (and total of a unit) and month: the residual in standard deviations of the forecast (of square roots, which
        makes counts large and small alike), its change since the month before, and the limits that each is held against.
    signals : pandas.DataFrame
        unique_id, rule, value, limit, action, why: what stands out in the last month.
    coverage : dict
        inside, of (series and months), share, expected (0.8), verdict: as expected, too few inside, or fewer (but no fewer than chance
        can make).
    months : int
        Months since the forecast.
    action : str
        One of `ACTIONS`.
    """

    chart: pd.DataFrame
    signals: pd.DataFrame
    coverage: dict[str, Any]
    months: int
    action: str


def monitor(draws: xr.DataArray, now: History) -> Monitoring:
    """Hold what was counted since a forecast against it.

    Parameters
    ----------
    draws : xarray.DataArray
        DRAWS of the forecast of record.
    now : History
        With the periods that have been counted since. A period in which a series was not counted says nothing of it, nor of its total.

    Returns
    -------
    Monitoring

    Raises
    ------
    DataError
        Where no series of the forecast is among the counts.

    References
    ----------
    Wheeler, D. J. (2000). Understanding Variation. Limits for all statistics together by their largest: Westfall, P. H. and Young, S. S.
    (1993). Resampling-based multiple testing. Square roots of counts: Anscombe, F. J. (1948). Biometrika 35, 246-254.
    """
    wide = now.wide
    ids = [str(i) for i in draws["series"].to_numpy() if str(i) in wide.columns]
    if not ids:
        raise DataError(Fault("no series of the forecast of record is among the counts", do_next="Were series renamed? Approve a new run"))
    ds = pd.DatetimeIndex(draws["ds"].to_numpy()).intersection(pd.DatetimeIndex(wide.index))
    if wide.loc[ds, ids].isna().all(axis=None):
        nothing = {"inside": 0, "of": 0, "share": None, "expected": 0.8, "verdict": message("nothing has been counted since")}
        return Monitoring(pd.DataFrame(columns=CHART), _signals([]), nothing, 0, ACTIONS[0])
    said = draws.sel(series=ids, ds=ds).transpose("series", "ds", "draw").to_numpy().astype(float)
    names, said, counted = _with_totals(ids, draws.sel(series=ids), said, wide.loc[ds, ids].to_numpy().T)
    residual, of_draws = _residuals(counted, said)
    low, high = np.quantile(said, [0.1, 0.9], axis=2)
    values, null = _scaled(_statistics(residual[..., None]), _statistics(of_draws))
    missed, missed_null = _missed(counted, said, low, high, series=len(ids))
    limit = float(np.quantile(np.fmax(null, missed_null), 1 - FALSE_ALARMS, method="higher"))
    signals = [
        {
            "unique_id": names[s],
            "rule": rule,
            "value": float(v),
            "limit": limit,
            "action": RULES[rule][1],
            "why": signal_said(rule, float(v)),
        }
        for rule, of_rule in values.items()
        for s, v in enumerate(of_rule)
        if abs(v) > limit
    ]
    known = ~np.isnan(counted[: len(ids)])
    inside = known & (counted[: len(ids)] >= low[: len(ids)]) & (counted[: len(ids)] <= high[: len(ids)])
    few = missed > limit
    share = float(inside.sum() / max(known.sum(), 1))
    chance = message("fewer, but no fewer than chance can make of series and months that go together")
    verdict = message("too few inside") if few else chance if share < FEWER else message("as expected")
    coverage = {"inside": int(inside.sum()), "of": int(known.sum()), "share": share, "expected": 0.8, "verdict": verdict}
    asked = [str(s["action"]) for s in signals] + (["refit"] if few else [])
    action = max(asked, key=ACTIONS.index, default=ACTIONS[0])
    return Monitoring(_chart(names, ds, (counted, said), (residual, of_draws), limit), _signals(signals), coverage, len(ds), action)


def _with_totals(ids: list[str], about: xr.DataArray, said: np.ndarray, counted: np.ndarray) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Add the total of each kind and unit of which there are several series."""
    of = np.array([f"{k} of {u}" for k, u in zip(about["kind"].to_numpy(), about["unit"].to_numpy(), strict=True)])
    groups = [g for g in dict.fromkeys(of) if (of == g).sum() > 1]
    names = [*ids, *(f"{TOTAL}: {g}" for g in groups)]
    said = np.concatenate([said, *(said[of == g].sum(axis=0)[None] for g in groups)])
    return names, said, np.concatenate([counted, *(counted[of == g].sum(axis=0)[None] for g in groups)])


def _residuals(counted: np.ndarray, said: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give residuals of the counts, and of each draw in their place, in standard deviations of square roots; NaN where not counted."""
    roots, root = np.sqrt(np.maximum(said, 0) + 0.375), np.sqrt(np.maximum(counted, 0) + 0.375)
    mean, spread = roots.mean(axis=2), np.maximum(roots.std(axis=2), 1e-3)
    gone = np.isnan(counted)
    return (root - mean) / spread, np.where(gone[..., None], np.nan, (roots - mean[..., None]) / spread[..., None])


def _statistics(residual: np.ndarray) -> dict[str, np.ndarray]:
    """Give each rule's statistic in the last month, by series and draw; NaN where a month that it needs was not counted."""
    months, last = residual.shape[1], residual[:, -1]
    step = np.arange(months) - (months - 1) / 2
    every: dict[str, Callable[[], np.ndarray]] = {
        "point": lambda: last,
        "change": lambda: last - residual[:, -2],
        "level": lambda: residual.mean(axis=1),
        "direction": lambda: np.asarray(np.tensordot(residual, step / (step**2).sum(), axes=(1, 0))),
    }
    return {rule: make() for rule, make in every.items() if months >= RULES[rule][0]}


def _scaled(found: dict[str, np.ndarray], null: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Give the statistics in standard deviations of what the draws show, and by draw the largest of all in their place."""
    values, largest = {}, np.zeros(next(iter(null.values())).shape[1])
    for rule, of_draws in null.items():
        mean, spread = of_draws.mean(axis=1, keepdims=True), np.maximum(of_draws.std(axis=1, keepdims=True), LEAST)
        values[rule] = ((found[rule] - mean) / spread)[:, 0]
        largest = np.fmax(largest, np.fmax.reduce(np.abs(_among_others(of_draws)), axis=0))
    return values, largest


def _among_others(of_draws: np.ndarray) -> np.ndarray:
    """Standardise each draw by all the others, as the counts are: by all, an extreme draw would make itself look usual."""
    others = of_draws.shape[-1] - 1
    mean = (of_draws.sum(axis=-1, keepdims=True) - of_draws) / others
    square = ((of_draws**2).sum(axis=-1, keepdims=True) - of_draws**2) / others
    return np.asarray((of_draws - mean) / np.maximum(np.sqrt(np.maximum(square - mean**2, 0.0)), LEAST))


def _missed(counted: np.ndarray, said: np.ndarray, low: np.ndarray, high: np.ndarray, *, series: int) -> tuple[float, np.ndarray]:
    """Give how many figures lay outside their range, in standard deviations of how many of each draw do, and the same by draw."""
    known = ~np.isnan(counted[:series])
    outside = (known & ((counted[:series] < low[:series]) | (counted[:series] > high[:series]))).sum()
    of_draws = (known[..., None] & ((said[:series] < low[:series, :, None]) | (said[:series] > high[:series, :, None]))).sum(axis=(0, 1))
    return float((outside - of_draws.mean()) / max(float(of_draws.std()), LEAST)), _among_others(of_draws.astype(float))


def signal_said(rule: str, value: float) -> str:
    """Say why a series stands out, in the language that is spoken."""
    return say(WORDS[rule], side=say("above") if value > 0 else say("below"))


def _signals(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["unique_id", "rule", "value", "limit", "action", "why"])


def _chart(
    names: list[str], ds: pd.DatetimeIndex, counts: tuple[np.ndarray, np.ndarray], residuals: tuple[np.ndarray, np.ndarray], limit: float
) -> pd.DataFrame:
    (counted, said), (residual, of_draws) = counts, residuals
    changes = np.diff(of_draws, axis=1, prepend=np.nan).std(axis=2)
    low, high = np.quantile(said, [0.1, 0.9], axis=2)
    moving = np.abs(np.diff(residual, axis=1, prepend=np.nan))
    index = pd.MultiIndex.from_product([names, ds], names=["unique_id", "ds"]).to_frame(index=False)
    columns = {"y": counted, "mean": said.mean(axis=2), "q0.1": low, "q0.9": high, "residual": residual, "moving_range": moving}
    columns["moving_range_limit"] = limit * changes
    table = index.assign(**{name: values.reshape(-1) for name, values in columns.items()}, limit=limit)
    inside = table["y"].between(table["q0.1"], table["q0.9"]).astype(object)
    return table.assign(inside=inside.where(table["y"].notna(), None))[CHART]


def drivers_apart(futures: pd.DataFrame, now: pd.DataFrame, since: pd.Timestamp) -> list[dict[str, Any]]:
    """Say which drivers have left the range that the forecast of record gave them.

    Parameters
    ----------
    futures : pandas.DataFrame
        The forecast's driver_futures: ds, name, value, low, high, source.
    now : pandas.DataFrame
        DRIVERS of now.
    since : pandas.Timestamp
        The last period that the forecast had counted.

    Returns
    -------
    list of dict
        name, ds, expected, came, apart (in standard deviations; None where it had no range), limit, action. The last published figure of
        each driver is judged; the limit holds for all drivers together (Bonferroni at 5 %). Less than `LEAST_MOVE` off is near enough.
    """
    from scipy.stats import norm

    ahead = futures[(futures["ds"] > since) & (futures["source"] != "known")]
    both = ahead.merge(now.loc[now["low"].isna(), ["ds", "name", "value"]], on=["ds", "name"], suffixes=("", "_now"))
    last = both.sort_values("ds").groupby("name", sort=True).tail(1)
    limit = float(norm.ppf(1 - FALSE_ALARMS / 2 / max(len(last), 1)))
    rows = []
    for row in last.sort_values("name").to_dict("records"):
        width = (row["high"] - row["low"]) / (2 * EIGHTY)
        apart = None if not np.isfinite(width) or width <= 0 else float((row["value_now"] - row["value"]) / width)
        far = abs(row["value_now"] - row["value"]) >= LEAST_MOVE * abs(row["value"])
        moved = apart is not None and abs(apart) > limit and far
        said = {"expected": float(row["value"]), "came": float(row["value_now"]), "apart": apart, "limit": limit}
        rows.append({"name": str(row["name"]), "ds": str(row["ds"].date()), **said, "action": "refit" if moved else "nothing"})
    return rows


def contest(rows: pd.DataFrame, weights: Mapping[str, float]) -> dict[str, Any]:
    """Hold a challenger, the forecast as it would be made now, against the champion: the weights of the forecast of record.

    Parameters
    ----------
    rows : pandas.DataFrame
        backtest.parquet of the run of now: unique_id, ds, cutoff, model, y, mean; 'combined' is the challenger, at each cutoff as it would
        have been made then.
    weights : mapping
        The champion's weights by model.

    Returns
    -------
    dict
        cutoffs, won, better (share by which the challenger's error is lower), chance (of so many wins by luck), verdict (keep, replace).
        Only rows that every model of the champion was asked for are compared; of a series of which a model of stocks from flow never
        speaks, the others take its weight, as they do in a forecast. The champion's weights were learnt from some of these
        cutoffs, so that it has an advantage: a challenger that wins all the same deserves it.
        Cutoffs near one another forecast the same periods and err together, so the chance is a bar to clear and no probability.
    """
    from scipy.stats import binomtest

    used = {m: w for m, w in weights.items() if w > 0}
    wide = rows.pivot_table(index=["unique_id", "ds", "cutoff"], columns="model", values="mean", aggfunc="first")
    counted = rows.groupby(["unique_id", "ds", "cutoff"])["y"].first()
    lacking = [m for m in [*used, "combined"] if m not in wide.columns]
    nothing = {"cutoffs": 0, "won": 0, "better": None, "chance": None, "verdict": "keep"}
    if lacking or not used:
        return nothing | {"why": NOT_REPLAYED, "lacking": lacking}
    says = wide[list(used)].notna()
    silent = says.assign(**{m: ~says[m].groupby("unique_id").transform("any") if m in PARTIAL else False for m in used})
    both = wide[["combined"]].assign(y=counted)[(says | silent).all(axis=1) & says.any(axis=1)].dropna()
    share = (~silent).loc[both.index] * pd.Series(used)
    champion = (wide.loc[both.index, list(used)] * share).sum(axis=1) / share.sum(axis=1)
    scale = both.groupby("unique_id")["y"].transform("mean").clip(lower=1.0)
    error = pd.DataFrame({"champion": (champion - both["y"]).abs() / scale, "challenger": (both["combined"] - both["y"]).abs() / scale})
    at = error.groupby("cutoff").mean()
    if at.empty:
        return nothing | {"why": NONE_IN_COMMON}
    differ = at[(at["champion"] - at["challenger"]).abs() > 1e-9]
    won, n = int((differ["challenger"] < differ["champion"]).sum()), len(differ)
    if not n:
        return nothing | {"cutoffs": len(at), "why": message("the two say the same")}
    better = float(1 - at["challenger"].mean() / at["champion"].mean())
    chance = float(binomtest(won, n, 0.5, alternative="greater").pvalue)
    wins = n >= ENOUGH and chance < CLEARLY and better >= BETTER
    why = contest_said(won, n, better)
    return {"cutoffs": n, "won": won, "better": better, "chance": chance, "verdict": "replace" if wins else "keep", "why": why}


def contest_said(won: int, of: int, better: float) -> str:
    """Say how the contest went, in the language that is spoken."""
    told = {"won": won, "number": of, "share": f"{abs(better):.1%}"}
    if better >= 0:
        return say("the challenger won {won} of {number} dates, with {share} less error", **told)
    return say("the challenger won {won} of {number} dates, with {share} more error", **told)
