"""What was forecast and what came, for every level of the hierarchy and every span of time, with its range.

In: a `Look` back, levels. Out: a table, a row a series or group, span and cutoff. Spans are single periods, the whole horizon, and whole
financial years: a flow is added up over a year, a stock averaged. A series with a gap in a span is left out of it on both sides. Refuses
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from demand.calendar import FinancialYear, Frequency, stock_weights, year_shares
from demand.evaluation.looks import Look
from demand.hierarchy import Level
from demand.tables import QUANTILES, quantile_columns

__all__ = ["COLUMNS", "NEXT_YEAR", "SUM", "YEAR", "next_year", "pooled", "resting_on", "sums"]

SUM, YEAR = "sum", "year"
"""Spans that are not single periods: the whole horizon, and a financial year ("year 1" is the first whole one ahead)."""
COLUMNS = ["level", "name", "kind", "unit", "span", "step", "financial_year", "ds", "cutoff", "place", "calibrated", "y", "mean", "naive",
           *quantile_columns(), "below", "upto", "n_series"]  # fmt: skip
"""Columns of the sums, beside the key columns of the data."""
NEXT_YEAR = ["unique_id", "financial_year", "cutoff", "calibrated", "said"]
"""Columns of what was said of the year ahead: `said` is an array, one figure a draw."""
USED = ("q0.025", "q0.1", "q0.5", "q0.9", "q0.975")
"""Quantiles that errors and coverage are made of."""


@dataclass(frozen=True)
class _Span:
    """A stretch of time: its name, its financial year, its last step, and what the count of each period weighs in it."""

    name: str
    year: str
    last: int
    flow: np.ndarray
    stock: np.ndarray
    opening: float = 0.0


def sums(look: Look, of: Sequence[Level], frequency: Frequency, *, steps: int, start_month: int = 4, years: bool = True) -> pd.DataFrame:
    """Add up what was forecast and what came.

    Parameters
    ----------
    look : Look
    of : sequence of Level
        From `levels`; the last is "series".
    frequency : Frequency
    steps : int
        Periods of a whole horizon.
    start_month : int
    years : bool
        Whether the financial years ahead are wanted.

    Returns
    -------
    pandas.DataFrame
        level, name, key columns, kind, unit, span ("1", "2", ..., "sum", "year 1", ...), step (its last), financial_year, ds (of single
        periods), cutoff, place, calibrated, y, mean, naive, quantiles, below and upto (the shares of the draws below y, and not above
        it), n_series.
    """
    labels = of[-1].labels
    stock = (labels["kind"] == "stock").to_numpy()
    rows: list[dict[str, np.ndarray]] = []
    spans = list(_spans(look, frequency, steps, start_month, years))
    for s, span in enumerate(spans):
        y, naive, draws = _of_series(look, span, stock)
        there = np.isfinite(y) & np.isfinite(draws[:, 0])
        for n, level in enumerate(of):
            one = _of_level(level, there, y, naive, draws)
            size = len(one["y"])
            rows.append({**one, "span_at": np.full(size, s), "level_at": np.full(size, n)})
    table = pd.DataFrame({c: np.concatenate([r[c] for r in rows]) for c in rows[0] if c != "quantiles"})
    quantiles = pd.DataFrame(np.concatenate([r["quantiles"] for r in rows]), columns=quantile_columns())
    table = _named(pd.concat([table, quantiles], axis=1), of, spans, look)
    table = table.assign(cutoff=look.cutoff, place=look.place, calibrated=look.calibrated)
    return table[[*of[-1].keys, *COLUMNS]]


def next_year(look: Look, lowest: Level, frequency: Frequency, *, start_month: int = 4) -> pd.DataFrame:
    """Give what would have been said of the financial year ahead, series by series and draw by draw, so that it can be priced.

    Parameters
    ----------
    look : Look
    lowest : Level
        The level of the series themselves.
    frequency : Frequency
    start_month : int

    Returns
    -------
    pandas.DataFrame
        `NEXT_YEAR`: of a flow how many come in the year, of a stock how many are there on average. Without rows where the year ahead
        has not been counted since; without a row for a series of which nothing was said.
    """
    stock = (lowest.labels["kind"] == "stock").to_numpy()
    span = next((s for s in _spans(look, frequency, len(look.ds), start_month, years=True) if s.name == f"{YEAR} 1"), None)
    if span is None:
        return pd.DataFrame(columns=NEXT_YEAR)
    _, _, draws = _of_series(look, span, stock)
    there = np.isfinite(draws).all(axis=1)
    ids = lowest.labels["unique_id"].to_numpy()[there]
    told = {"unique_id": ids, "financial_year": span.year, "cutoff": look.cutoff, "calibrated": look.calibrated}
    return pd.DataFrame({**told, "said": list(draws[there].astype(np.float32))}, columns=NEXT_YEAR)


def pooled(found: pd.DataFrame) -> pd.DataFrame:
    """Give sums by horizon: each span by itself, all single periods together ("all"), all financial years together ("year").

    Parameters
    ----------
    found : pandas.DataFrame
        From `sums`.

    Returns
    -------
    pandas.DataFrame
        The same rows with a column horizon, those of single periods and of years twice; of the quantiles only those of `USED`.
    """
    found = found[[c for c in found.columns if c in COLUMNS and (c not in quantile_columns() or c in USED)]]
    single, year = found["span"].str.isdigit(), found["span"].str.startswith(YEAR)
    parts = [found[single].assign(horizon="all"), found[year].assign(horizon=YEAR), found.assign(horizon=found["span"])]
    return pd.concat([p for p in parts if len(p)] or parts, ignore_index=True)


def resting_on(rows: pd.DataFrame) -> pd.DataFrame:
    """Say on how many dates, series and rows each level and horizon rests.

    Returns
    -------
    pandas.DataFrame
        n_cutoffs, n_series, n_rows, by level and horizon.
    """
    by = ["level", "horizon"]
    members = rows.groupby([*by, "name", "kind", "unit"])["n_series"].max().groupby(level=by).sum()
    about = rows.groupby(by).agg(n_cutoffs=("cutoff", "nunique"), n_rows=("y", "size"))
    return about.assign(n_series=members)[["n_cutoffs", "n_series", "n_rows"]]


def _named(table: pd.DataFrame, of: Sequence[Level], spans: Sequence[_Span], look: Look) -> pd.DataFrame:
    """Say which series or group, and which span, each row is of."""
    names = []
    for level in of:
        own = level.labels.drop(columns="unique_id", errors="ignore")
        name = level.labels["unique_id"] if "unique_id" in level.labels else own[list(level.keys)].astype(str).agg("/".join, axis=1)
        name = name if "unique_id" in level.labels or level.keys else pd.Series("", index=own.index)
        names.append(own.assign(level=level.name, name=name.astype(str)))
    first = np.cumsum([0, *(len(t) for t in names)])[:-1]
    about = pd.concat(names, ignore_index=True)
    about = about.iloc[first[table["level_at"]] + table["group"].to_numpy()].reset_index(drop=True)
    which = table["span_at"].to_numpy()
    table = table.assign(
        span=np.array([s.name for s in spans], dtype=object)[which],
        financial_year=np.array([s.year for s in spans], dtype=object)[which],
        step=np.array([s.last for s in spans])[which],
        ds=pd.DatetimeIndex([look.ds[s.last - 1] if s.name.isdigit() else pd.NaT for s in spans])[which],
    )
    return pd.concat([about, table.drop(columns=["level_at", "span_at", "group"])], axis=1)


def _spans(look: Look, frequency: Frequency, steps: int, start_month: int, years: bool) -> Iterator[_Span]:
    reach = len(look.ds)
    for h in range(reach):
        one = np.eye(1, reach, h)[0]
        yield _Span(str(h + 1), "", h + 1, one, one)
    if reach == steps:
        yield _Span(SUM, "", reach, np.ones(reach), np.ones(reach))
    if not years:
        return
    lengths, ahead = frequency.days_in(look.ds), 0
    if frequency.family == "Y":
        shares = pd.DataFrame(np.eye(reach), columns=[str(FinancialYear.of(d, look.ds[0].month)) for d in look.ds])
        whole = dict(zip(shares.columns, lengths, strict=True))
    else:
        shares = year_shares(look.ds, frequency, start_month)
        found = {label: FinancialYear.parse(label, start_month) for label in shares.columns}
        whole = {label: (year.end - year.start).days + 1 for label, year in found.items()}
    for label in shares.columns:
        share = shares[label].to_numpy()
        days = share * lengths
        if round(days.sum()) == whole[label]:
            ahead += 1
            closing, opening = stock_weights(days / days.sum())
            yield _Span(f"{YEAR} {ahead}", label, int(np.flatnonzero(share)[-1]) + 1, share, closing, float(opening))


def _of_series(look: Look, span: _Span, stock: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give what came, the naive forecast and the draws of a span, of each series; NaN where a period of it is missing."""
    weights = np.where(stock[:, None], span.stock, span.flow)
    opening = np.where(stock & (span.opening > 0), span.opening * look.opening, 0.0)
    used = (span.flow > 0) | (span.stock > 0)
    y, naive = ((values[:, used] * weights[:, used]).sum(axis=1) + opening for values in (look.y, look.naive))
    if used.sum() == 1:
        return y, naive, look.draws[:, np.argmax(used)] * weights[:, [np.argmax(used)]] + opening[:, None]
    # No weights are 0 in one kind and not in the other but at the edge of a year of weeks, where both kinds need the period.
    return y, naive, np.einsum("shd,sh->sd", look.draws[:, used].astype(np.float64), weights[:, used]) + opening[:, None]


def _of_level(level: Level, there: np.ndarray, y: np.ndarray, naive: np.ndarray, draws: np.ndarray) -> dict[str, np.ndarray]:
    """Add up over the series of each group that are there."""
    if level.name == "series":
        group, size = np.flatnonzero(there), np.ones(int(there.sum()))
        y, naive, values = y[there], naive[there], draws[there].astype(np.float64)
    else:
        matrix = level.matrix[:, there]
        group, size = np.flatnonzero(matrix.any(axis=1)), matrix.sum(axis=1)
        y, naive, values = matrix @ y[there], _added(matrix, naive[there]), matrix @ draws[there].astype(np.float64)
        y, naive, values, size = y[group], naive[group], values[group], size[group]
    return {
        "group": group, "y": y, "mean": values.mean(axis=1), "naive": naive, "n_series": size.astype(int),
        "below": (values < y[:, None] - 1e-9).mean(axis=1), "upto": (values <= y[:, None] + 1e-9).mean(axis=1),
        "quantiles": np.quantile(values, QUANTILES, axis=1).T.reshape(-1, len(QUANTILES)),
    }  # fmt: skip


def _added(matrix: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Add up by group; NaN where any of a group's values is, and nowhere else."""
    missing = np.isnan(values)
    return np.where(matrix @ missing > 0, np.nan, matrix @ np.where(missing, 0.0, values))
