"""Dense groups: HDBSCAN, which is told no count and leaves those who fit nowhere outside.

In: `Prepared` rows, and the share of people whom the smallest group must hold. Out: a `Fit` with the count that was found, or None where
fewer than two dense groups were. Refuses nothing.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from demand.segments.mixture import Fit, normal_groups, posterior
from demand.segments.prepared import Prepared

__all__ = ["SMALLEST", "dense_groups"]

SMALLEST = (0.03, 0.08)
"""The shares of people that the smallest group is asked to hold, each a solution of its own."""
ROWS, NEIGHBOURS = 2000, 10


def dense_groups(data: Prepared, smallest: float) -> Fit | None:
    """Find dense groups on the main components.

    Parameters
    ----------
    data : Prepared
        More than two thousand rows are placed by the groups of the first two thousand.
    smallest : float
        Share of the rows that a group holds at least.

    Returns
    -------
    Fit or None
        `nowhere` is the share of rows in no group.

    References
    ----------
    Campello, R. J. G. B., Moulavi, D. and Sander, J. (2013). Density-based clustering based on hierarchical density estimates. PAKDD,
    160-172.
    """
    from sklearn.cluster import HDBSCAN

    scores = data.scores[:ROWS]
    least = max(int(np.ceil(smallest * len(scores))), 10)
    if len(scores) < 2 * least:
        return None
    labels = HDBSCAN(min_cluster_size=least, min_samples=NEIGHBOURS, copy=True).fit(scores).labels_.astype(np.int64)
    if labels.max() < 1:
        return None
    found = normal_groups(data.rows(np.arange(len(scores))), labels)
    return found if len(scores) == len(data) else replace(found, share=posterior(data, found))
