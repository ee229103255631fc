"""The totals above the lowest level as series of their own, and how far forecasts of them move the series below.

In: the series of a history and what adds up. Out: each total once, its counts, and the weights of MinT. Refuses nothing: a total that was
seldom counted whole is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from demand.hierarchy import GROUP, HierarchySpec, levels
from demand.tables import History

__all__ = ["Sums", "mint_gains", "summed", "sums_of"]

SHORTEST = 8
"""Periods in which a total was counted whole, below which it is not forecast by itself."""
MOST = 200
"""Series from which it is learnt how far correlations can be trusted."""
LEAST = 0.1
"""Correlations are drawn towards 0 by so much at least."""


@dataclass(frozen=True)
class Sums:
    """The totals above the lowest level, each once.

    Parameters
    ----------
    ids : list of str
        "sum of area North (flow, households)", for example.
    matrix : numpy.ndarray
        Shape (totals, series): 1 where a series belongs to a total.
    series : list of str
        The lowest level.
    labels : pandas.DataFrame
        kind and unit of each total.
    """

    ids: list[str]
    matrix: np.ndarray
    series: list[str]
    labels: pd.DataFrame


def sums_of(series: pd.DataFrame, spec: HierarchySpec = "auto") -> Sums:
    """Give the totals that have more than one part and differ in their parts, of all levels.

    Parameters
    ----------
    series : pandas.DataFrame
        The lowest level, as `History.series` has it.
    spec : HierarchySpec

    Returns
    -------
    Sums
    """
    ids, rows, labels = [], [], []
    known: set[bytes] = set()
    for level in levels(series, spec)[:-1]:
        for row, about in zip(level.matrix, level.labels.to_dict("records"), strict=True):
            if row.sum() > 1 and row.tobytes() not in known:
                known.add(row.tobytes())
                which = " ".join(str(about[key]) for key in level.keys)
                ids.append(f"sum of {level.name} {which}".rstrip() + f" ({about['kind']}, {about['unit']})")
                rows.append(row)
                labels.append({name: about[name] for name in GROUP})
    matrix = np.stack(rows) if rows else np.zeros((0, len(series)))
    return Sums(ids, matrix, [str(i) for i in series.index], pd.DataFrame(labels, columns=list(GROUP)))


def summed(history: History, sums: Sums) -> History | None:
    """Add up a history of the lowest level: the totals that were counted whole often enough, in the periods in which they were.

    Parameters
    ----------
    history : History
        Of the lowest level, up to a cutoff; series that had not begun are not in it.
    sums : Sums

    Returns
    -------
    History or None
        None where there is none.
    """
    wide = history.wide.reindex(columns=sums.series)
    values = wide.to_numpy() @ np.zeros((len(sums.series), 0)) if not sums.ids else _whole_sums(wide.to_numpy(), sums.matrix)
    often = np.isfinite(values).sum(axis=0) >= SHORTEST
    latest = np.isfinite(values[-1]) if len(values) else often
    kept = np.flatnonzero(often & latest)
    if not len(kept):
        return None
    about = sums.labels.assign(unique_id=sums.ids).iloc[np.repeat(kept, len(wide))]
    table = about.assign(ds=np.tile(wide.index.to_numpy(), len(kept)), y=values[:, kept].T.reshape(-1))
    return History.of(table.dropna(subset=["y"]), history.frequency)


def _whole_sums(values: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    missing = np.isnan(values)
    # Where a part is missing the sum is NaN; the zeros only stand in for it while the others are added up.
    return np.where(missing.astype(float) @ matrix.T > 0, np.nan, np.where(missing, 0.0, values) @ matrix.T)


def mint_gains(errors: np.ndarray, of_totals: np.ndarray, matrix: np.ndarray, *, overlap: int) -> np.ndarray:
    """Say how far each series moves for each unit that a total's own forecast lies above the sum of its parts.

    MinT (Wickramasuriya, Athanasopoulos and Hyndman 2019, Journal of the American Statistical Association 114, 804-819), written for the
    lowest level, b + (W_bb A' - W_ba) (A W_bb A' - A W_ba - W_ab A' + W_aa)^-1 (a - A b), so that nothing larger than series x totals is
    ever formed. W, the covariance of base errors, is drawn towards its diagonal (Schäfer and Strimmer 2005, Statistical Applications in
    Genetics and Molecular Biology 4), more so where errors overlap in time.

    Parameters
    ----------
    errors, of_totals : numpy.ndarray
        Shape (samples, series) and (samples, totals): errors of base forecasts; NaN where not known.
    matrix : numpy.ndarray
        A: shape (totals, series).
    overlap : int
        How many samples in a row are one surprise: the steps of a path.

    Returns
    -------
    numpy.ndarray
        Shape (series, totals).
    """
    both = np.hstack([errors, of_totals])
    seen = np.isfinite(both)
    count = np.maximum(seen.sum(axis=0), 1)
    variance = (np.where(seen, both, 0.0) ** 2).sum(axis=0) / count
    variance = np.maximum(variance, 1e-3 * variance[variance > 0].mean() if (variance > 0).any() else 1.0)
    # A missing error says nothing of how errors hang together: 0 leaves it out of the sum of products.
    standard = np.where(seen, both, 0.0) / np.sqrt(variance)
    keep = 1 - _shrinkage(standard, overlap)
    many, n = len(standard), errors.shape[1]
    b, a = (part * np.sqrt(v) for part, v in ((standard[:, :n], variance[:n]), (standard[:, n:], variance[n:])))
    up = b @ matrix.T
    bottom = (1 - keep) * variance[:n, None] * matrix.T + keep * b.T @ up / many
    across = keep * b.T @ a / many
    above = (1 - keep) * np.diag(variance[n:]) + keep * a.T @ a / many
    middle = matrix @ bottom - matrix @ across - (matrix @ across).T + above
    return np.asarray(np.linalg.solve(middle + 1e-9 * np.trace(middle) / len(middle) * np.eye(len(middle)), (bottom - across).T).T)


def _shrinkage(standard: np.ndarray, overlap: int) -> float:
    """Give how far correlations are drawn towards 0: 1 is all the way; from at most `MOST` columns, evenly taken."""
    columns = np.unique(np.linspace(0, standard.shape[1] - 1, min(MOST, standard.shape[1])).round().astype(int))
    z, n = standard[:, columns], len(standard)
    products = np.einsum("ti,tj->ij", z, z) / n
    squares = np.einsum("ti,tj->ij", z**2, z**2) / n
    off = ~np.eye(len(columns), dtype=bool)
    noise = ((squares - products**2) * n / max(n - 1, 1) ** 2)[off].sum()
    signal = (products**2)[off].sum()
    return float(np.clip(overlap * noise / signal, LEAST, 1.0)) if signal > 0 else 1.0
