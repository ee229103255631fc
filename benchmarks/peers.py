"""The forecasters that ours is held against, each with its own ranges.

In: a HISTORY that ends at a cutoff. Out: `Said`: quantiles, and joint totals where a peer has paths. What a peer cannot forecast (too
short, an engine's error, a number that is not finite) is forecast by the seasonal naive method, and counted. No peer may say less than
nothing: quantiles below 0 are taken as 0, which helps peers. Refuses nothing.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm

from benchmarks.scores import QUANTILES, Said
from demand.tables import History

__all__ = ["PEERS", "STATISTICAL", "ask", "median_of"]

LEVELS = (95, 80, 60, 40, 20)
"""Of central ranges, in per cent: their ends are `QUANTILES`, the median apart."""
STATISTICAL = {
    "SeasonalNaive": "SeasonalNaive",
    "AutoETS": "AutoETS",
    "DynamicOptimizedTheta": "DynamicOptimizedTheta",
    "AutoCES": "AutoCES",
    "AutoARIMA": "AutoARIMA",
}
"""Name in our table to class of statsforecast."""
PEERS = (*STATISTICAL, "Prophet", "LightGBM", "AutoGluon")
FAILURES = (ValueError, IndexError, ArithmeticError, RuntimeError, np.linalg.LinAlgError)
"""What engines raise on series that they cannot forecast; anything else is a fault of this file and is not caught."""
TOO_SHORT = 3
"""How autogluon_peer.py ends where AutoGluon refuses the series."""
DRAWS = 1000
CALIBRATION = 2
"""Windows of mlforecast's conformal ranges: its default."""


def ask(peer: str, known: History, horizon: int, season: int, *, jobs: int = 1, autogluon_python: str | None = None) -> Said:
    """Ask a peer for its forecast.

    Parameters
    ----------
    peer : str
        One of `PEERS`.
    known : History
        Up to the cutoff.
    horizon, season, jobs : int
    autogluon_python : str, optional
        The interpreter of an environment that has AutoGluon.
    """
    start, spent = time.perf_counter(), None
    counts = [_filled(known.wide[name].to_numpy()) for name in known.ids]
    if peer == "LightGBM":
        said, totals = _boosted(known, counts, horizon, season), None
    elif peer == "AutoGluon":
        (said, spent), totals = _autogluon(known, counts, horizon, python=str(autogluon_python)), None
    elif peer == "Prophet":
        said, totals = _prophet(known, counts, horizon, jobs)
    else:
        said, totals = _each(partial(_statistical, peer, horizon=horizon, season=season), counts, jobs), None
    missing = [k for k, one in enumerate(said) if one is None]
    quantiles = np.stack([naive(y, horizon, season) if one is None else one for y, one in zip(counts, said, strict=True)])
    if totals is not None and missing:
        totals[missing] = _crude_totals(quantiles[missing], totals.shape[1])
    quantiles = np.maximum(np.maximum.accumulate(quantiles, axis=2), 0.0)
    return Said(quantiles, totals, time.perf_counter() - start if spent is None else spent, len(missing))


def median_of(every: list[Said]) -> Said:
    """Give the median of some peers, quantile by quantile."""
    middle = np.median([one.quantiles for one in every], axis=0)
    return Said(middle, None, sum(one.seconds for one in every), max(one.fallbacks for one in every))


def naive(y: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """Give quantiles of the seasonal naive forecast, or the naive one where a season and one more count are not there.

    References
    ----------
    Hyndman, R. J. and Athanasopoulos, G. (2021). Forecasting: principles and practice, 3rd ed., section 5.5.
    """
    lag = season if len(y) > season else 1
    middle = np.resize(y[-lag:], horizon)
    change = y[lag:] - y[:-lag] if len(y) > lag else np.empty(0)
    spread = float(np.sqrt(np.mean(change**2))) if len(change) else float(np.sqrt(max(y[-1], 1.0)))
    wide = spread * np.sqrt(np.arange(horizon) // lag + 1)
    return np.asarray(middle[:, None] + wide[:, None] * norm.ppf(QUANTILES)[None, :])


def _filled(values: np.ndarray) -> np.ndarray:
    """Give the counts from the first on; in a gap the count before it stands, because engines take no gaps."""
    return pd.Series(values).ffill().dropna().to_numpy()


def _each(one: Callable[[np.ndarray], np.ndarray | None], counts: list[np.ndarray], jobs: int) -> list[np.ndarray | None]:
    from joblib import Parallel, delayed

    return list(Parallel(n_jobs=jobs, batch_size=8)(delayed(one)(y) for y in counts))


def _finite(quantiles: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    return quantiles if quantiles.shape == shape and np.isfinite(quantiles).all() else None


def _quantiles(point: np.ndarray, end: Callable[[str, int], np.ndarray]) -> np.ndarray:
    """Put the ends of central ranges in the order of `QUANTILES`, with the point forecast as the median."""
    return np.stack([*(end("lo", level) for level in LEVELS), point, *(end("hi", level) for level in reversed(LEVELS))], axis=-1)


def _statistical(peer: str, y: np.ndarray, *, horizon: int, season: int) -> np.ndarray | None:
    """Forecast one series with its model's own ranges (statsforecast)."""
    import statsforecast.models as engines

    _normal_at_once()
    model = getattr(engines, STATISTICAL[peer])(season_length=season)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            said: Mapping[str, np.ndarray] = model.forecast(y=y.astype(np.float64), h=horizon, level=list(LEVELS))
    except Exception as error:
        if type(error) is Exception or isinstance(error, FAILURES):  # AutoCES: Exception("no model able to be fitted")
            return None
        raise
    return _finite(_quantiles(np.asarray(said["mean"]), lambda side, level: np.asarray(said[f"{side}-{level}"])), (horizon, len(QUANTILES)))


class _Normal:
    """A normal distribution around 0 that draws as scipy's does, number for number."""

    def __init__(self, sigma: float) -> None:
        self.sigma = sigma

    def rvs(self, *, size: tuple[int, ...], random_state: np.random.Generator) -> np.ndarray:
        """Draw."""
        return random_state.normal(0.0, self.sigma, size)


def _normal_at_once() -> None:
    """Let statsforecast draw normal errors without making a scipy distribution for each of 5,000 paths.

    It does so for series of fewer than ten counts, at 2 s a series in AutoCES. The same numbers come out.
    """
    from statsforecast import simulation

    made = simulation.frozen_error_distribution
    if made.__name__ == "light":
        return

    def light(sigma: float, distribution: str, params: Mapping[str, float] | None = None) -> object:
        return _Normal(sigma) if distribution == "normal" else made(sigma, distribution, params)

    simulation.frozen_error_distribution = light


def _prophet(known: History, counts: list[np.ndarray], horizon: int, jobs: int) -> tuple[list[np.ndarray | None], np.ndarray]:
    """Forecast each series with Prophet's defaults, and its own draws."""
    from joblib import Parallel, delayed

    ends, ahead = known.wide.index, known.frequency.after(known.last, horizon)
    paths = Parallel(n_jobs=jobs, batch_size=8)(delayed(_prophet_one)(y, pd.DatetimeIndex(ends[-len(y) :]), ahead) for y in counts)
    totals = np.stack([np.zeros(DRAWS) if p is None else np.maximum(p, 0).sum(axis=0) for p in paths])
    return [None if p is None else np.quantile(p, QUANTILES, axis=1).T for p in paths], totals


def _prophet_one(y: np.ndarray, ds: pd.DatetimeIndex, ahead: pd.DatetimeIndex) -> np.ndarray | None:
    from prophet import Prophet

    for name in ("prophet", "cmdstanpy"):
        logging.getLogger(name).setLevel(logging.ERROR)
    np.random.seed(1)  # noqa: NPY002  (Prophet draws from the global state)
    try:
        model = Prophet(uncertainty_samples=DRAWS).fit(pd.DataFrame({"ds": ds, "y": y}))
        found = np.asarray(model.predictive_samples(pd.DataFrame({"ds": ahead}))["yhat"])
    except FAILURES:
        return None
    return _finite(found, (len(ahead), DRAWS))


def _crude_totals(quantiles: np.ndarray, draws: int) -> np.ndarray:
    """Draw totals for the few series that a peer with paths could not forecast: one random number for the whole path."""
    places = np.random.default_rng(1).random((len(quantiles), draws))
    sums = quantiles.sum(axis=1)
    return np.stack([np.interp(u, QUANTILES, q) for u, q in zip(places, sums, strict=True)])


def _long(known: History, counts: list[np.ndarray], places: list[int]) -> pd.DataFrame:
    index = known.wide.index
    tables = [pd.DataFrame({"unique_id": known.ids[k], "ds": index[-len(counts[k]) :], "y": counts[k]}) for k in places]
    return pd.concat(tables, ignore_index=True)


def _boosted(known: History, counts: list[np.ndarray], horizon: int, season: int) -> list[np.ndarray | None]:
    """Forecast all series with one LightGBM with its defaults: a season of lags, the month or quarter, conformal ranges (mlforecast).

    Ranges are calibrated for the whole horizon where most series are long enough for that, else from errors one step ahead.
    """
    from lightgbm import LGBMRegressor
    from mlforecast import MLForecast
    from mlforecast.utils import PredictionIntervals

    lags = list(range(1, max(season, 3) + 1))
    said: list[np.ndarray | None] = [None] * len(counts)
    sizes = np.array([len(y) for y in counts])
    reach = horizon if np.median(sizes) > CALIBRATION * horizon + len(lags) else 1
    places = [int(k) for k in np.flatnonzero(sizes > CALIBRATION * reach + len(lags))]
    if not places:
        return said
    dates = {"M": ["month"], "Q": ["quarter"], "D": ["dayofweek"], "W": ["week"]}.get(known.frequency.family, [])
    model = MLForecast(
        {"m": LGBMRegressor(verbosity=-1, random_state=1, n_jobs=1)}, freq=known.frequency.alias, lags=lags, date_features=dates
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(_long(known, counts, places), static_features=[], prediction_intervals=PredictionIntervals(CALIBRATION, reach))
            found = model.predict(horizon, level=list(LEVELS))
    except FAILURES:
        return said
    for name, rows in found.groupby("unique_id"):
        quantiles = _quantiles(rows["m"].to_numpy(), lambda side, level, rows=rows: rows[f"m-{side}-{level}"].to_numpy())
        said[known.ids.index(name)] = _finite(quantiles, (horizon, len(QUANTILES)))
    return said


def _autogluon(known: History, counts: list[np.ndarray], horizon: int, *, python: str) -> tuple[list[np.ndarray | None], float]:
    """Forecast all series with AutoGluon-TimeSeries in its own environment (benchmarks/autogluon_peer.py), and give its seconds."""
    with tempfile.TemporaryDirectory() as folder:
        table, told = Path(folder) / "known.parquet", Path(folder) / "said.parquet"
        _long(known, counts, list(range(len(counts)))).to_parquet(table)
        words = json.dumps({"horizon": horizon, "freq": known.frequency.alias, "quantiles": QUANTILES})
        script = Path(__file__).with_name("autogluon_peer.py")
        done = subprocess.run([python, str(script), str(table), str(told), words], capture_output=True, text=True, check=False)
        if done.returncode not in (0, TOO_SHORT):
            raise RuntimeError(f"AutoGluon failed:\n{done.stderr[-2000:]}")
        if done.returncode == TOO_SHORT:
            print(f"  AutoGluon ended without a forecast, and the seasonal naive one stands in: {done.stderr[-500:]}", file=sys.stderr)
            return [None] * len(counts), 0.0
        found = pd.read_parquet(told)
    said: list[np.ndarray | None] = [None] * len(counts)
    for name, rows in found.sort_values("ds").groupby("unique_id"):
        said[known.ids.index(name)] = _finite(rows[[f"q{q:g}" for q in QUANTILES]].to_numpy(), (horizon, len(QUANTILES)))
    return said, float(done.stdout.split()[-1])
