"""How good forecasts are, ours beside others' in one run: python benchmarks/accuracy.py --data FOLDER [options].

By rolling origin: at each cutoff every forecaster is handed the counts up to it, and nothing else. Which tables, columns and cutoffs: see
benchmarks/sets.yaml, or the file of the same form named by --describe. Prints the tables and writes them to --output
(benchmarks/accuracy.md for the windows of the claim). Times are those of the run in which a forecast was made; forecasts of peers are
kept in --cache.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks.peers import PEERS, ask, median_of  # noqa: E402
from benchmarks.scores import QUANTILES, Said, geometric_mean, rows_of, scale_of, summary  # noqa: E402
from benchmarks.sets import Set, Window, described, windows_of  # noqa: E402
from demand.forecast import ForecastSpec, forecast  # noqa: E402

OURS, MEDIAN = "demand", "median of ETS, Theta, CES"
MEMBERS = ("AutoETS", "DynamicOptimizedTheta", "AutoCES")
ENGINES = ("statsforecast", "prophet", "mlforecast", "lightgbm")
FORM = {"DynamicOptimizedTheta": "2", "AutoCES": "2"}
"""Goes into the name of a kept forecast ("1" where nothing is said): raised when a peer is asked in another way."""
SINGLE = tuple(p for p in PEERS if p != "AutoGluon")
"""AutoGluon is a combination itself, and shown apart."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, write."""
    options = _options(arguments)
    sets = described(options.describe)
    wanted = options.sets.split(",") if options.sets else list(sets)
    unknown = sorted(set(wanted) - set(sets)) + sorted(set(options.models) - {OURS, *PEERS})
    if unknown:
        print(f"not known: {', '.join(unknown)}. Sets: {', '.join(sets)}. Models: {', '.join((OURS, *PEERS))}", file=sys.stderr)
        return 2
    rows, times = [], []
    for name in wanted:
        for window in windows_of(sets[name], options.data, which=options.windows, series=options.series):
            for model, said in everyone(sets[name], window, options).items():
                if options.prepare:
                    continue
                scale = scale_of(window.known.wide.to_numpy(), sets[name].season)
                about = {"set": name, "cutoff": window.cutoff, "model": model}
                rows.append(rows_of(window.known.ids, window.actual, said, scale).assign(**about))
                times.append({**about, "seconds": said.seconds, "fallbacks": said.fallbacks, "asked": len(window.known.ids)})
    if options.prepare:
        return 0
    told = report(pd.concat(rows, ignore_index=True), pd.DataFrame(times), sets, options)
    print(told)
    options.output.write_text(told, encoding="utf-8")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    folder = os.environ.get("DEMAND_REAL_DATA")
    parser.add_argument("--data", type=Path, default=folder, required=folder is None, help="folder of the long tables (DEMAND_REAL_DATA)")
    parser.add_argument("--describe", type=Path, default=Path(__file__).with_name("sets.yaml"), help="YAML that describes the sets")
    parser.add_argument("--sets", help="names of sets, with commas between; all of them where it is left out")
    parser.add_argument(
        "--windows", choices=["dev", "claim", "all"], default="dev", help="claim: the last two of each set; dev: all others"
    )
    parser.add_argument("--models", type=lambda s: s.split(","), default=[OURS, *PEERS], help="with commas between; all where left out")
    parser.add_argument("--series", type=int, help="at most so many series of a set, evenly spaced; the same ones for every model")
    parser.add_argument("--arima-series", type=int, default=130, help="AutoARIMA is slow: not run on sets of more series")
    parser.add_argument("--autogluon-python", help="the Python of an environment that has autogluon.timeseries")
    parser.add_argument("--cache", type=Path, help="folder in which forecasts of peers are kept")
    parser.add_argument("--prepare", action="store_true", help="only fill the cache: nothing is scored, so that no window is opened by it")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--output", type=Path, help="default: accuracy.md of the claim, accuracy-dev.md or accuracy-all.md of other windows"
    )
    options = parser.parse_args(arguments)
    if options.output is None:  # a run on other windows must not stand where the claim is told
        options.output = Path(__file__).with_name("accuracy.md" if options.windows == "claim" else f"accuracy-{options.windows}.md")
    return options


def everyone(one: Set, window: Window, options: argparse.Namespace) -> dict[str, Said]:
    """Give what every forecaster says at one cutoff; those that are not to be run are left out."""
    said = {}
    for model in options.models:
        if model == OURS:
            said[OURS] = ours(window, one.horizon, seed=options.seed, jobs=options.jobs)
        elif not (model == "AutoARIMA" and len(window.known.ids) > options.arima_series):
            kept = _kept(one, window, model, options)
            if kept is not None:
                said[model] = kept
        if model in said:
            print(f"  {one.name} {window.cutoff:%Y-%m} {model}: {said[model].seconds:.1f} s", file=sys.stderr, flush=True)
    if set(MEMBERS) <= set(said):
        said[MEDIAN] = median_of([said[m] for m in MEMBERS])
    return said


def ours(window: Window, horizon: int, *, seed: int, jobs: int) -> Said:
    """Forecast with `models: auto`; a series that is not forecast gets the seasonal naive forecast, and is counted."""
    start = time.perf_counter()
    made = forecast(window.known, ForecastSpec(horizon=horizon), seed=seed, jobs=jobs)
    seconds = time.perf_counter() - start
    places = pd.Index(window.known.ids).get_indexer(made.draws["series"].to_numpy())
    quantiles = np.full((*window.actual.shape, len(QUANTILES)), np.nan)
    totals = np.full((len(window.known.ids), made.draws.sizes["draw"]), np.nan)
    values = made.draws.to_numpy().astype(float)
    quantiles[places] = np.moveaxis(np.quantile(values, QUANTILES, axis=2), 0, -1)
    totals[places] = values.sum(axis=1)
    missing = np.flatnonzero(np.isnan(totals[:, 0]))
    if len(missing):
        rest = ask("SeasonalNaive", window.known, horizon, window.known.frequency.season_length)
        quantiles[missing] = rest.quantiles[missing]
        totals[missing] = rest.quantiles[missing].sum(axis=1)[:, [QUANTILES.index(0.5)]]
    return Said(quantiles, totals, seconds, len(missing))


def _kept(one: Set, window: Window, peer: str, options: argparse.Namespace) -> Said | None:
    """Give a peer's forecast, from the cache where it was made before from the same counts."""
    import json

    words = [
        window.known.fingerprint,
        one.horizon,
        one.season,
        peer,
        FORM.get(peer, "1"),
        *(version(e) for e in ENGINES if peer != "AutoGluon"),
    ]
    mark = hashlib.sha256(json.dumps(words).encode()).hexdigest()[:12]
    path = None if options.cache is None else options.cache / f"{one.name}_{window.cutoff:%Y%m%d}_{peer}_{mark}.npz"
    if path is not None and path.exists():
        with np.load(path) as found:
            totals = found["totals"] if found["totals"].size else None
            return Said(found["quantiles"], totals, float(found["seconds"]), int(found["fallbacks"]))
    if peer == "AutoGluon" and options.autogluon_python is None:
        return None
    said = ask(peer, window.known, one.horizon, one.season, jobs=options.jobs, autogluon_python=options.autogluon_python)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.stem}.part.npz")
        totals = np.empty(0) if said.totals is None else said.totals.astype(np.float32)
        np.savez_compressed(part, quantiles=said.quantiles, totals=totals, seconds=said.seconds, fallbacks=said.fallbacks)
        part.replace(path)
    return said


def report(rows: pd.DataFrame, times: pd.DataFrame, sets: dict[str, Set], options: argparse.Namespace) -> str:
    """Give all the tables as Markdown."""
    models = [m for m in (OURS, *PEERS, MEDIAN) if m in set(rows["model"])]
    absent = [m for m in (OURS, *PEERS) if m not in models]
    scores = pd.DataFrame({key: summary(part) for key, part in rows.groupby(["set", "model"])}).T
    scores.index.names = ["set", "model"]
    scores = scores.join(times.groupby(["set", "model"])[["seconds", "fallbacks", "asked"]].sum())
    names = [n for n in sets if n in set(rows["set"])]
    which = {"dev": "all windows but the last two of each set", "claim": "the last two windows of each set", "all": "all windows"}
    parts = [
        "# Accuracy, beside others in one run\n\n"
        f"Windows: {which[options.windows]}. {_sample(options)} Every forecaster was handed the counts up to each cutoff and nothing else. "
        "`python benchmarks/accuracy.py --help` tells how; benchmarks/sets.yaml tells which series and cutoffs.",
        "## Over the sets\n\n" + table_of(_overall(scores, [n for n in names if not sets[n].extra], models, absent)),
        "## Ours in proportion to others (below 1: ours is better)\n\n" + table_of(_ratios(scores, rows, names, sets)),
    ]
    for name in names:
        one = scores.loc[name].reindex(models).dropna(how="all")
        about = f"{int(one['series'].max())} series, {int(one['windows'].max())} windows, {sets[name].horizon} periods ahead"
        parts.append(f"## {sets[name].title or name}\n\n`{name}`: {about}\n\n" + table_of(_of_set(one)))
    parts.append(_legend(scores, models, absent))
    return "\n\n".join(parts) + "\n"


def _sample(options: argparse.Namespace) -> str:
    return (
        "All series." if options.series is None else f"At most {options.series} series of each set, evenly spaced, the same for everybody."
    )


def _overall(scores: pd.DataFrame, names: list[str], models: list[str], absent: list[str]) -> pd.DataFrame:
    """Give geometric means of losses and plain means of shares over the sets; blank where a model was not run on all of them."""
    lines = []
    for model in models:
        mine = scores.xs(model, level="model").reindex(names)
        ran = mine["wql"].notna()
        line = {"model": model, "sets": f"{int(ran.sum())} of {len(names)}"}
        line |= {m.upper(): f"{geometric_mean(mine[m]):.4f}" if ran.all() else "" for m in ("mase", "wql", "sql")}
        line |= {t: percent(mine[c].mean(skipna=False)) for t, c in SHARES.items()}
        line |= {"grand total in 80 %": out_of(mine["grand80"].sum(min_count=1), mine["windows"].sum())}
        lines.append({**line, "bias, size of": percent(mine["bias"].abs().mean(skipna=False)), "seconds": f"{mine['seconds'].sum():.0f}"})
    return pd.DataFrame([*lines, *({"model": model, "sets": "not run"} for model in absent)]).fillna("")  # words alone are missing


SHARES = {"80 % holds": "coverage80", "95 % holds": "coverage95", "80 % of totals": "total80", "95 % of totals": "total95"}


def _of_set(one: pd.DataFrame) -> pd.DataFrame:
    lines = []
    for model, s in one.iterrows():
        line = {"model": model, "MASE": f"{s['mase']:.4f}", "WQL": f"{s['wql']:.4f}", "SQL": f"{s['sql']:.4f}"}
        line |= {t: percent(s[c]) for t, c in SHARES.items()}
        line |= {"grand total in 80 %": out_of(s["grand80"], s["windows"]), "in 95 %": out_of(s["grand95"], s["windows"])}
        lines.append(
            {**line, "bias": f"{100 * s['bias']:+.1f}", "seconds": f"{s['seconds']:.1f}", "fell back": out_of(s["fallbacks"], s["asked"])}
        )
    return pd.DataFrame(lines)


def _ratios(scores: pd.DataFrame, rows: pd.DataFrame, names: list[str], sets: dict[str, Set]) -> pd.DataFrame:
    """Give our losses over others' by set, and their geometric means over the sets that are not extra."""
    lines: list[dict[str, object]] = []
    for name in names:
        one = scores.loc[name]
        if OURS not in one.index:
            continue
        single = one["wql"].reindex([p for p in SINGLE if p in one.index])
        lines.append({
            "set": name + (" (extra)" if sets[name].extra else ""),
            "best single peer": single.idxmin() if len(single) else "",
            "WQL to it": one.loc[OURS, "wql"] / single.min() if len(single) else np.nan,
            **{f"{m.upper()} to median": _over(one, m, MEDIAN) for m in ("wql", "sql")},
            "WQL to Prophet": _over(one, "wql", "Prophet"),
            "WQL to AutoGluon": _over(one, "wql", "AutoGluon"),
            "MASE to naive": _over(one, "mase", "SeasonalNaive"),
            "naive wins": _naive_wins(rows[rows["set"] == name]),
        })  # fmt: skip
    if not lines:
        return pd.DataFrame({"set": ["ours was not run"]})
    table = pd.DataFrame(lines)
    numbers = [c for c in table.columns if " to " in c]
    core = table[~table["set"].str.endswith("(extra)")]
    whole = {"set": "geometric mean", **{c: geometric_mean(core[c]) for c in numbers}}
    table = pd.concat([table, pd.DataFrame([whole])], ignore_index=True)
    table[numbers] = table[numbers].map(lambda v: "" if pd.isna(v) else f"{v:.3f}")
    return table.fillna("")  # words alone are missing here


def _over(one: pd.DataFrame, measure: str, model: str) -> float:
    return float(one.loc[OURS, measure] / one.loc[model, measure]) if model in one.index else float("nan")


def _naive_wins(rows: pd.DataFrame) -> str:
    """Count the series whose mean scaled error over all windows is smaller with the seasonal naive forecast than with ours."""
    by = rows.groupby(["unique_id", "model"])["mase"].mean().unstack()
    if "SeasonalNaive" not in by:
        return ""
    return f"{int((by['SeasonalNaive'] < by[OURS]).sum())} of {len(by)}"


def _legend(scores: pd.DataFrame, models: list[str], absent: list[str]) -> str:
    partly = [f"{p} on {', '.join(sorted(scores.xs(p, level='model').index))} only" for p in models
              if len(scores.xs(p, level="model")) < scores.index.get_level_values("set").nunique()]  # fmt: skip
    lines = [
        "MASE: of the median, scaled by the seasonal naive error in the counts that were known. WQL: twice the quantile loss at 0.025, "
        "0.1, 0.2 ... 0.9, 0.975 over the sum of what came. SQL: the same loss scaled as MASE, mean over series. Shares in per cent.",
        "Totals are of the whole horizon: of each series, and of all series that were counted throughout (overlapping groups "
        "included). Only forecasters that draw paths have ranges of totals; Prophet draws each series by itself.",
        "Fell back: series and windows that a forecaster could not forecast; the seasonal naive forecast stands in. Seconds of peers are "
        "those of the run that made the forecast.",
        f"Not run: {', '.join(absent)}." if absent else "",
        "AutoGluon needs an environment of its own (--autogluon-python): see benchmarks/autogluon_peer.py."
        if "AutoGluon" in absent
        else "",
        f"Run on some sets alone: {'; '.join(partly)}." if partly else "",
        "Versions: " + ", ".join(f"{e} {version(e)}" for e in ENGINES) + ".",
    ]
    return "\n\n".join(line for line in lines if line)


def percent(share: float) -> str:
    """Give a share in per cent; blank where it is not known."""
    return "" if pd.isna(share) else f"{100 * share:.1f}"


def out_of(count: float, whole: float) -> str:
    """Give "k of n"; blank where it is not known."""
    return "" if pd.isna(count) else f"{int(count)} of {int(whole)}"


def table_of(table: pd.DataFrame) -> str:
    """Lay a table of words out in Markdown, columns aligned."""
    words = [list(table.columns), *table.astype(str).to_numpy().tolist()]
    wide = [max(len(w[k]) for w in words) for k in range(len(words[0]))]
    lines = ["| " + " | ".join(v.ljust(n) for v, n in zip(w, wide, strict=True)) + " |" for w in words]
    return "\n".join([lines[0], "|" + "|".join("-" * (n + 2) for n in wide) + "|", *lines[1:]])


if __name__ == "__main__":
    sys.exit(main())
