"""The clustergram: how segments split as their number grows, so that the choice of a number can be seen.

In: prepared rows and the solutions of one method by count. Out: a table of places on the first main component and of shares of people that
go from each segment to each segment of the next count. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from demand.segments.mixture import Fit
from demand.segments.prepared import Prepared

__all__ = ["COLUMNS", "clustergram"]

COLUMNS = ["method", "count", "segment", "position", "came_from", "share", "chosen"]


def clustergram(data: Prepared, fits: Sequence[Fit], chosen: int | None) -> pd.DataFrame:
    """Follow people from each count of segments to the next.

    Parameters
    ----------
    data : Prepared
        The rows that the solutions were fitted to.
    fits : sequence of Fit
        Solutions of one method, by rising count.
    chosen : int or None
        The count that was taken.

    Returns
    -------
    pandas.DataFrame
        method, count, segment (1 = largest), position (mean of the first main component), came_from (the segment of the count before; 0 =
        everybody), share (of all rows, 0 to 1), chosen.

    References
    ----------
    Schonlau, M. (2002). The clustergram: a graph for visualizing hierarchical and nonhierarchical cluster analyses. Stata Journal 2(4),
    391-402.
    """
    first = data.scores[:, 0]
    before = np.zeros(len(data), np.int64)
    out: list[dict[str, object]] = []
    for solution in sorted(fits, key=lambda f: f.count):
        sizes = np.bincount(solution.labels, minlength=solution.count)
        place = np.empty(solution.count, np.int64)
        place[np.argsort(-sizes, kind="stable")] = np.arange(1, solution.count + 1)
        labels = place[solution.labels]
        for segment in np.unique(labels):
            inside = labels == segment
            common = {"method": solution.public, "count": solution.count, "segment": int(segment),
                      "position": round(float(first[inside].mean()), 6), "chosen": solution.count == chosen}  # fmt: skip
            out += [common | {"came_from": int(b), "share": float((inside & (before == b)).mean())} for b in np.unique(before[inside])]
        before = labels
    return pd.DataFrame(out, columns=COLUMNS)
