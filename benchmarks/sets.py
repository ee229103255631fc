"""Sets of series for benchmarks, and the windows in which forecasts of them are judged.

In: a description of each set (benchmarks/sets.yaml says how it reads) and the folder with the tables. Out: windows: what was known at a
cutoff, and, apart from it, what came. A forecaster is handed the first part only. Refuses a set that it cannot find.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from demand.calendar import Frequency
from demand.tables import History

__all__ = ["CLAIM", "Set", "Window", "described", "windows_of"]

CLAIM = 2
"""So many of the last windows of a set are kept for the claim."""


@dataclass(frozen=True)
class Set:
    """One set: see benchmarks/sets.yaml for what each field means."""

    name: str
    path: str
    frequency: str
    season: int
    horizon: int
    windows: int
    step: int
    columns: dict[str, str] = field(default_factory=lambda: {"series": "unique_id", "date": "ds", "value": "y"})
    title: str = ""
    year_end: int = 12
    where: dict[str, list[str]] = field(default_factory=dict)
    not_where: dict[str, list[str]] = field(default_factory=dict)
    fewest: int = 1
    stocks: dict[str, list[str]] = field(default_factory=dict)
    extra: bool = False


@dataclass(frozen=True)
class Window:
    """One cutoff of a set.

    Parameters
    ----------
    cutoff : pandas.Timestamp
        The last period that was known.
    known : History
        The counts up to the cutoff, of the series that were counted at it.
    actual : numpy.ndarray
        Shape (series, horizon): what came; NaN where it was not counted. In the order of `known.ids`.
    """

    cutoff: pd.Timestamp
    known: History
    actual: np.ndarray


def described(path: Path) -> dict[str, Set]:
    """Read the descriptions of sets."""
    from ruamel.yaml import YAML

    table: dict[str, dict[str, Any]] = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    return {name: Set(name=name, **about) for name, about in table.items()}


def windows_of(one: Set, folder: Path, *, which: str = "all", series: int | None = None) -> list[Window]:
    """Give the windows of a set, oldest first.

    Parameters
    ----------
    one : Set
    folder : pathlib.Path
    which : str
        "dev": all but the last two; "claim": the last two; "all".
    series : int, optional
        At most so many series, taken evenly in alphabetical order.
    """
    history = _read(one, folder, series)
    index = pd.DatetimeIndex(history.wide.index)
    places = [len(index) - 1 - one.horizon - k * one.step for k in reversed(range(one.windows))]
    kept = {"dev": places[:-CLAIM], "claim": places[-CLAIM:], "all": places}[which]
    return [_window(history, index[place], one.horizon) for place in kept if place >= 0]


def _window(history: History, cutoff: pd.Timestamp, horizon: int) -> Window:
    known = history.until(cutoff)
    at = known.wide.loc[cutoff]
    known = known.only(at.index[at.notna()])
    actual = history.wide.reindex(index=history.frequency.after(cutoff, horizon), columns=known.ids)
    return Window(cutoff, known, actual.to_numpy().T)


def _read(one: Set, folder: Path, series: int | None) -> History:
    path = folder / one.path
    raw = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    raw = raw[_matches(raw, one.where, empty=True) & ~_matches(raw, one.not_where, empty=False)]
    frequency = Frequency(one.frequency, one.year_end)
    table = pd.DataFrame({
        "unique_id": raw[one.columns["series"]].astype(str),
        "ds": frequency.start_of(pd.DatetimeIndex(raw[one.columns["date"]])),
        "y": raw[one.columns["value"]].astype(float),
        "kind": np.where(_matches(raw, one.stocks, empty=False), "stock", "flow"),
    }).dropna(subset=["y"])  # fmt: skip
    count = table["unique_id"].value_counts()
    ids = sorted(count.index[count >= one.fewest])
    if series is not None and series < len(ids):
        ids = [ids[k] for k in np.unique(np.linspace(0, len(ids) - 1, series).round().astype(int))]
    table = table[table["unique_id"].isin(ids)]
    return _gaps_shown(table, frequency)


def _gaps_shown(table: pd.DataFrame, frequency: Frequency) -> History:
    """Give every period between a series' first and last count a row, as a HISTORY has it."""
    ends = table.groupby("unique_id")["ds"].agg(["min", "max"])
    every = pd.concat([pd.DataFrame({"unique_id": i, "ds": frequency.between(a, b)}) for i, a, b in ends.itertuples()])
    kinds = table.groupby("unique_id")["kind"].first().rename("kind").reset_index()
    whole = every.merge(table.drop(columns="kind"), on=["unique_id", "ds"], how="left").merge(kinds, on="unique_id")
    return History.of(whole, frequency)


def _matches(raw: pd.DataFrame, patterns: dict[str, list[str]], *, empty: bool) -> np.ndarray:
    found = np.full(len(raw), bool(patterns) or empty)
    for column, wanted in patterns.items():
        words = raw[column].astype(str)
        good = {w for w in words.unique() if any(fnmatchcase(w, p) for p in wanted)}
        found &= words.isin(good).to_numpy()
    return found
