"""How fast forecasts are and how much memory they take, as ratios: python benchmarks/speed.py [--parts overhead,autogluon,scale] [options].

overhead    forecast() against the library calls that it makes (fits and forecasts of statsforecast, Prophet, LightGBM, mlforecast), divided
            by the cores: at most 1.25. With several cores also against the same calls made on all of them at once: cores that share a
            chip, its memory or its power each do less then, whoever asks them
autogluon   250 monthly series of 84 counts, 12 ahead, backtest, combination and 500 joint draws, against AutoGluon's fast preset in the
            same run (--autogluon-python): at most twice its time, at a lower weighted quantile loss
scale       time a series at --many series over that at --few: at most 1.1; and the peak memory at --many series, 36 ahead, 500 draws:
            below 4 GiB

Counts are made, with a season, a trend, a common part and more noise than counting has. Prints the table and writes it to --output
(benchmarks/speed.md). Ratios mean something on a quiet computer only.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks.peers import ask  # noqa: E402
from benchmarks.scores import QUANTILES, Said, rows_of, scale_of, summary  # noqa: E402
from demand.calendar import Frequency  # noqa: E402
from demand.evaluation import backtest  # noqa: E402
from demand.forecast import ForecastSpec, forecast  # noqa: E402
from demand.processes import many  # noqa: E402
from demand.tables import History  # noqa: E402

PARTS = ("overhead", "autogluon", "scale")
MOST = {"overhead": 1.25, "autogluon": 2.0, "scale": 1.1, "memory": 4.0}
AREAS, SERVICES = 20, 5
"""Most areas and services of the made-up history."""
CALLS = {
    "statsforecast": {"StatsForecast": ("forecast", "fit", "predict", "fit_predict")},
    "prophet": {"Prophet": ("fit", "predict", "predict_trend", "predict_seasonal_components", "setup_dataframe", "predictive_samples")},
    "mlforecast": {"MLForecast": ("fit", "preprocess", "predict")},
    "lightgbm": {"": ("train",), "Booster": ("predict",)},
}
"""Library -> class ("" for the module itself) -> what of it counts as its own work."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write."""
    options = _options(arguments)
    if options.child:
        print(json.dumps(_child(options)))
        return 0
    made = {"overhead": _overhead, "autogluon": _beside_autogluon, "scale": _scale}
    rows = [row for part in options.parts for row in made[part](options)]
    lines = ["| what | measured | target |", "|---|---|---|", *(f"| {a} | {b} | {c} |" for a, b, c in rows)]
    told = (
        f"# Speed, as ratios\n\n{os.cpu_count()} cores; `python benchmarks/speed.py --help` says what is measured.\n\n"
        + "\n".join(lines)
        + "\n"
    )
    print(told)
    options.output.write_text(told, encoding="utf-8")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=lambda s: s.split(","), default=list(PARTS), help="with commas between; all where left out")
    parser.add_argument("--series", type=int, default=60, help="series in the part overhead")
    parser.add_argument("--beside", type=int, default=250, help="series in the part autogluon")
    parser.add_argument("--few", type=int, default=500)
    parser.add_argument("--many", type=int, default=5000)
    parser.add_argument("--models", default="auto", help="in the part scale: auto, or names with commas between (quicker: theta)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--autogluon-python", help="the Python of an environment that has autogluon.timeseries")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("speed.md"))
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def counts(series: int, periods: int, *, seed: int) -> np.ndarray:
    """Make monthly counts: shape (series, periods), from a handful to some thousands a month."""
    rng = np.random.default_rng(seed)
    t = np.arange(periods)
    level = np.exp(rng.normal(4.0, 1.2, series))[:, None]
    season = rng.uniform(0.0, 0.25, series)[:, None] * np.sin(2 * np.pi * (t + rng.integers(0, 12, series)[:, None]) / 12)
    trend = rng.normal(0.0, 0.003, series)[:, None] * t
    common = np.cumsum(rng.normal(0.0, 0.015, periods))
    own = np.cumsum(rng.normal(0.0, 0.02, (series, periods)), axis=1)
    mean = level * np.exp(season + trend + common + own)
    return rng.poisson(mean * rng.gamma(60.0, 1 / 60.0, mean.shape)).astype(float)


def history_of(values: np.ndarray) -> History:
    """Make a HISTORY of counts by month, shape (series, periods), by area and service, so that totals are forecast too."""
    series, periods = values.shape
    ds = pd.date_range("2018-01-01", periods=periods, freq="MS")
    names = np.array([f"s{k:05d}" for k in range(series)])
    table = pd.DataFrame({"unique_id": np.repeat(names, periods), "ds": np.tile(ds, series), "y": values.reshape(-1)})
    which = np.repeat(np.arange(series), periods)
    table = table.assign(area=[f"area {k % AREAS:02d}" for k in which], service=[f"service {k // AREAS % SERVICES}" for k in which])
    return History.of(table, Frequency("M"), keys=["area", "service"])


class Clock:
    """Seconds spent inside libraries: the outermost call of each thread counts."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._lock, self._inside = threading.Lock(), threading.local()

    def timed(self, library: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Give the call with a clock around it."""

        def run(*arguments: Any, **named: Any) -> Any:
            if getattr(self._inside, "on", False):
                return call(*arguments, **named)
            self._inside.on, start = True, time.perf_counter()
            try:
                return call(*arguments, **named)
            finally:
                self._inside.on = False
                with self._lock:
                    self.seconds[library] = self.seconds.get(library, 0.0) + time.perf_counter() - start

        return run


@contextmanager
def libraries_timed() -> Iterator[Clock]:
    """Put a clock around the libraries' own work, and take it off again."""
    import importlib

    clock, before = Clock(), []
    for library, classes in CALLS.items():
        module = importlib.import_module(library)
        for owner, names in classes.items():
            where = getattr(module, owner) if owner else module
            for name in (n for n in names if hasattr(where, n)):
                before.append((where, name, getattr(where, name)))
                setattr(where, name, clock.timed(library, getattr(where, name)))
    try:
        yield clock
    finally:
        for where, name, call in before:
            setattr(where, name, call)


def _overhead(options: argparse.Namespace) -> Iterator[tuple[str, str, str]]:
    """Compare with what libraries take on one core; with several cores, with that divided by the cores."""
    history, spec = history_of(counts(options.series, 84, seed=options.seed)), ForecastSpec(horizon=12)
    forecast(history_of(counts(4, 84, seed=0)), spec, seed=1)  # imports and compiles
    with libraries_timed() as clock:
        alone = _seconds(lambda: forecast(history, spec, seed=1, jobs=1))
    inside = sum(clock.seconds.values())
    parts = ", ".join(f"{name} {100 * s / alone:.0f} %" for name, s in sorted(clock.seconds.items(), key=lambda p: -p[1]))
    about = f"{options.series} monthly series of 84 counts, 12 ahead"
    yield f"forecast() over its library calls, one core ({about})", f"{alone / inside:.2f} ({alone:.1f} s: {parts})", f"{MOST['overhead']}"
    if options.jobs > 1:
        several = _seconds(lambda: forecast(history, spec, seed=1, jobs=options.jobs))
        again = _seconds(lambda: forecast(history, spec, seed=1, jobs=options.jobs))
        busy = sum(many(_library_seconds, [(options.series, options.seed)] * options.jobs, jobs=options.jobs)) / options.jobs
        cores = f"{options.jobs} cores"
        for what, seconds in ((f"the same with {cores}", several), ("once more, the processes being there", again)):
            told = f"{seconds / (inside / options.jobs):.2f} ({seconds:.1f} s)"
            yield f"{what}; library calls alone on the chip / {options.jobs}", told, f"{MOST['overhead']}"
            told = f"{seconds / (busy / options.jobs):.2f}"
            yield f"{what}; library calls on {cores} at once / {options.jobs}", told, f"{MOST['overhead']}"
        yield f"library calls on {cores} at once, over the same alone on the chip", f"{busy / inside:.2f}", ""
        yield f"how often {options.jobs} processes add up numbers while one does it once", f"{_at_once(options.jobs):.2f}", ""


def _library_seconds(asked: tuple[int, int]) -> float:
    """Say how long the library calls of a whole forecast on one core take, in a process of its own."""
    series, seed = asked
    spec = ForecastSpec(horizon=12)
    forecast(history_of(counts(4, 84, seed=0)), spec, seed=1)  # imports and compiles
    with libraries_timed() as clock:
        forecast(history_of(counts(series, 84, seed=seed)), spec, seed=1)
    return sum(clock.seconds.values())


def _at_once(jobs: int) -> float:
    """Say what so many processes get done beside one, where nothing but arithmetic is to be done: cores that share a chip do less."""
    list(many(_add_up, [1] * jobs, jobs=jobs))  # the processes are there
    alone = _seconds(lambda: _add_up(20_000_000))
    return jobs * alone / _seconds(lambda: list(many(_add_up, [20_000_000] * jobs, jobs=jobs)))


def _add_up(count: int) -> int:
    return sum(number for number in range(count))


def _beside_autogluon(options: argparse.Namespace) -> Iterator[tuple[str, str, str]]:
    values, spec = counts(options.beside, 96, seed=options.seed), ForecastSpec(horizon=12, draws=500)
    known, actual = history_of(values[:, :84]), values[:, 84:]
    start = time.perf_counter()
    made = forecast(known, spec, seed=1, jobs=options.jobs)
    told = backtest(known, made, spec, seed=1)
    seconds = time.perf_counter() - start
    draws = made.draws.to_numpy().astype(float)
    mine = _scored(known, actual, Said(np.moveaxis(np.quantile(draws, QUANTILES, axis=2), 0, -1), draws.sum(axis=1), seconds))
    about = f"{options.beside} monthly series of 84 counts, 12 ahead"
    yield (
        f"{about}: ours, with backtest and {draws.shape[2]} draws",
        f"{seconds:.0f} s, WQL {mine:.4f}, {len(told.rows)} rows of backtest",
        "",
    )
    if options.autogluon_python is None:
        yield "the same by AutoGluon's fast preset", "not run: --autogluon-python names no environment", ""
        return
    said = ask("AutoGluon", known, 12, 12, autogluon_python=options.autogluon_python)
    theirs = _scored(known, actual, said)
    yield "the same by AutoGluon's fast preset, without pretrained models", f"{said.seconds:.0f} s, WQL {theirs:.4f}", ""
    yield "time, ours over AutoGluon's", f"{seconds / said.seconds:.2f}", f"{MOST['autogluon']}"
    yield "WQL, ours over AutoGluon's", f"{mine / theirs:.3f}", "1"


def _scored(known: History, actual: np.ndarray, said: Said) -> float:
    rows = rows_of(known.ids, actual, said, scale_of(known.wide.to_numpy(), 12))
    return float(summary(rows.assign(cutoff=known.last))["wql"])


def _scale(options: argparse.Namespace) -> Iterator[tuple[str, str, str]]:
    """Measure few and many in processes of their own, so that the peak memory is theirs."""
    found = {}
    for series in (options.few, options.many):
        words = [
            sys.executable,
            __file__,
            "--child",
            str(series),
            "--jobs",
            str(options.jobs),
            "--seed",
            str(options.seed),
            "--models",
            options.models,
        ]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        found[series] = json.loads(done.stdout.splitlines()[-1])
        spent, peak = found[series]["seconds"], found[series]["gibibytes"]
        told = f"{spent:.0f} s, {1000 * spent / series:.0f} ms a series, peak {peak:.2f} GiB"
        yield (
            f"{series} monthly series of 36 counts, 36 ahead, 500 draws, models: {options.models}",
            told,
            f"{MOST['memory']:g} GiB" if series == options.many else "",
        )
    each = {series: one["seconds"] / series for series, one in found.items()}
    yield f"time a series, {options.many} over {options.few} series", f"{each[options.many] / each[options.few]:.2f}", f"{MOST['scale']}"


def _child(options: argparse.Namespace) -> dict[str, float]:
    import resource

    forecast(history_of(counts(4, 36, seed=0)), ForecastSpec(horizon=6), seed=1)  # imports and compiles
    history = history_of(counts(options.child, 36, seed=options.seed))
    spec = ForecastSpec(horizon=36, draws=500, models="auto" if options.models == "auto" else options.models.split(","))
    seconds = _seconds(lambda: forecast(history, spec, seed=1, jobs=options.jobs))
    unit = 1 if sys.platform == "darwin" else 1024
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {"seconds": seconds, "gibibytes": peak * unit / 2**30}


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
