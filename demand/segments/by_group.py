"""Expected use by group, so that no figure is that of a few: not by itself, and not as a total less what is shown.

In: what is expected of each person (and what was counted), and by column the level of each. Out: sums and means of groups; levels of fewer
than ten are joined with the next smallest. Refuses nothing.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["PARTS", "TENTHS", "calibrated", "expected_by", "joined", "rough"]

LEAST_BASE = 10
"""A group of fewer people is told nowhere: its figures would be those of a person."""
JOINED = "(others)"
ROUNDED = 5
PARTS, TENTHS = 10, "tenth of the expected"
EXPECTED = ["by", "level", "segment", "people", "expected", "per_person"]


def calibrated(expected: np.ndarray, use: np.ndarray, by: dict[str, np.ndarray]) -> pd.DataFrame:
    """Hold what was expected of each tenth of the people, and of each group, against what was counted.

    Parameters
    ----------
    expected, use : numpy.ndarray
        By person.
    by : dict of str to numpy.ndarray
        By column, the level of each person.

    Returns
    -------
    pandas.DataFrame
        by, level, people (of columns to the nearest five), expected, observed (means), low and high (95 % of the observed).
    """
    order = expected.argsort(kind="stable").argsort(kind="stable")
    tenth = np.array([f"{k + 1:02d}" for k in order * PARTS // len(order)], dtype=object)
    rows = []
    for name, level in {TENTHS: tenth, **{column: joined(values) for column, values in by.items()}}.items():
        for value in sorted(set(level) - ({JOINED} if (level == JOINED).all() else set())):
            inside = level == value
            if (n := int(inside.sum())) < LEAST_BASE:
                continue
            mean, half = float(use[inside].mean()), 1.96 * float(use[inside].std(ddof=1)) / np.sqrt(n)
            shown = n if name in (TENTHS, "segment") else ROUNDED * round(n / ROUNDED)
            rows.append({"by": name, "level": value, "people": shown, "expected": float(expected[inside].mean()), "observed": mean,
                         "low": max(mean - half, 0.0), "high": mean + half})  # fmt: skip
    return pd.DataFrame(rows)


def expected_by(ahead: np.ndarray, by: dict[str, np.ndarray]) -> pd.DataFrame:
    """Sum by group, and by group and segment; within a segment small groups are joined, so that none is the total less the others.

    Parameters
    ----------
    ahead : numpy.ndarray
        The expected use by person.
    by : dict of str to numpy.ndarray
        By column, the level of each person; the segment is one of them.

    Returns
    -------
    pandas.DataFrame
        by, level, segment, people, expected (sum), per_person.
    """
    frame = pd.DataFrame({"segment": by["segment"], "use": ahead})
    frames = [frame.assign(by="segment", level=frame["segment"])]
    for column in (c for c in by if c != "segment"):
        levels = frame.assign(level=by[column]).groupby("segment")["level"].transform(lambda g: joined(g.to_numpy()))
        frames.append(frame.assign(by=column, level=levels))
    table = pd.concat(frames, ignore_index=True).groupby(["by", "level", "segment"], sort=True)["use"].agg(people="size", expected="sum")
    table = table.reset_index().sort_values("by", key=lambda c: c.map({name: i for i, name in enumerate(by)}), kind="stable")
    shown = (table["people"] >= LEAST_BASE) & ~((table["level"] == JOINED) & ~table.duplicated(["by", "segment"], keep=False))
    return table[shown].assign(per_person=lambda t: t["expected"] / t["people"]).reset_index(drop=True)[EXPECTED]


def joined(levels: np.ndarray) -> np.ndarray:
    """Join levels of fewer than ten people, and with them the next smallest until they are ten: the rest of a total is never fewer.

    Examples
    --------
    >>> sorted(set(joined(np.array(["a"] * 30 + ["b"] * 12 + ["c"] * 3))))
    ['(others)', 'a']
    """
    names, counts = np.unique(levels, return_counts=True)
    order = counts.argsort(kind="stable")
    small = int((counts < LEAST_BASE).sum())
    if small:
        small = max(small, int(np.searchsorted(counts[order].cumsum(), LEAST_BASE)) + 1)
    return np.where(np.isin(levels, names[order[:small]]), JOINED, levels.astype(object))


def rough(total: float) -> float:
    """Give a total to three figures: less the sum of the segments that are shown, it tells nothing of a few who are in none.

    Examples
    --------
    >>> rough(2057.4), rough(12.34)
    (2060.0, 12.3)
    """
    return float(f"{total:.3g}")
