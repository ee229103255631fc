"""What sets each segment apart: small trees that put people back into their segments, and what these trees look at.

In: people or places with their segments and the attributes that found them. Out: for each segment how much of the telling apart each
attribute does, and how well the trees do it on people that they have not seen. Refuses nothing; with one segment there is nothing to tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from demand.segments.attributes import Attribute
from demand.segments.columns import by_attribute, tree_columns
from demand.spec import stream
from demand.trees import TreeSettings, fit_trees

__all__ = ["Contrast", "contrast"]

MOST_ROWS = 5_000
"""More people tell the same, and take longer."""
FOLDS = 5
SMALL = TreeSettings(objective="binary", rounds=60, learning_rate=0.1, leaves=8)


@dataclass(frozen=True)
class Contrast:
    """What sets segments apart.

    Parameters
    ----------
    marks : pandas.DataFrame
        segment, feature, share: of the mean absolute SHAP values of the segment's trees, largest first; adds up to 1 in each segment.
    found_again : dict of str to float
        By segment, the share of its people whom trees that had not seen them put back into it.
    balanced_accuracy : float
        The mean of these shares; NaN with one segment.
    chance : float
        What guessing would reach: one over the number of segments.
    """

    marks: pd.DataFrame
    found_again: dict[str, float]
    balanced_accuracy: float
    chance: float


def contrast(rows: pd.DataFrame, segment: pd.Series, attributes: Sequence[Attribute], *, seed: int) -> Contrast:
    """Say what sets each segment apart.

    Parameters
    ----------
    rows : pandas.DataFrame
        One row a person or place.
    segment : pandas.Series
        The segment of each row.
    attributes : sequence of Attribute
        Those that found the segments.
    seed : int

    Returns
    -------
    Contrast

    References
    ----------
    Lundberg, S. M. et al. (2020). From local explanations to global understanding with explainable AI for trees. Nature Machine
    Intelligence 2, 56-67. Balanced accuracy: Brodersen, K. H. et al. (2010). The balanced accuracy and its posterior distribution. ICPR.
    Trees of each segment against the rest; their probability is divided by the segment's share, which is the best rule for that measure.
    """
    names = sorted(map(str, segment.unique()))
    if len(names) < 2 or not attributes:
        return Contrast(pd.DataFrame(columns=["segment", "feature", "share"]), {}, np.nan, np.nan)
    at = np.sort(stream(seed, "segments", "contrast").permutation(len(rows))[:MOST_ROWS])
    table, owners = tree_columns(rows.iloc[at].reset_index(drop=True), attributes)
    labels = segment.iloc[at].astype(str).to_numpy()
    fold = stream(seed, "segments", "contrast folds").permutation(len(table)) % FOLDS
    likely = np.zeros((len(table), len(names)))
    marks = []
    for k, name in enumerate(names):
        target = (labels == name).astype(float)
        for f in range(FOLDS):
            trees = fit_trees(table[fold != f], target[fold != f], settings=SMALL, seed=seed)
            likely[fold == f, k] = trees.predict(table[fold == f]) / max(target.mean(), 1e-9)
        sizes = by_attribute(fit_trees(table, target, settings=SMALL, seed=seed).contributions(table)[0], owners)
        share = sizes / sizes.sum() if sizes.sum() > 0 else sizes
        marks.append(pd.DataFrame({"segment": name, "feature": share.index, "share": share.to_numpy()}))
    again = np.array(names, dtype=object)[likely.argmax(axis=1)]
    found = {name: float((again[labels == name] == name).mean()) for name in names if (labels == name).any()}
    return Contrast(pd.concat(marks, ignore_index=True), found, float(np.mean(list(found.values()))), 1 / len(names))
