"""Columns for trees: the attributes of people as numbers, one column a number and one a level.

In: rows and the attributes that were read from them. Out: a table of floats in which NaN is what is not known, and the attribute that each
column belongs to, so that what trees say can be summed by attribute. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from demand.segments.attributes import Attribute, encode

__all__ = ["by_attribute", "tree_columns"]


def tree_columns(rows: pd.DataFrame, attributes: Sequence[Attribute]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Turn attributes into columns that trees can split.

    Parameters
    ----------
    rows : pandas.DataFrame
        Has every attribute's column.
    attributes : sequence of Attribute

    Returns
    -------
    pandas.DataFrame
        Numbers, ordered levels and bands are one column each; of a category each level is a column of 0 and 1. NaN is not known.
    tuple of str
        By column, the attribute's name.
    """
    coded = encode(rows, attributes)
    columns: list[np.ndarray] = []
    owners: list[str] = []
    number, category = 0, 0
    for a in attributes:
        if a.kind in ("number", "ordered"):
            columns.append(coded.numbers[:, number])
            owners.append(a.name)
            number += 1
            continue
        code = coded.codes[:, category]
        category += 1
        known = code >= 0
        if a.kind == "banded" or len(a.levels) == 2:
            columns.append(np.where(known, code, np.nan))
            owners.append(a.name)
            continue
        for level in range(len(a.levels)):
            columns.append(np.where(known, code == level, np.nan))
            owners.append(a.name)
    # LightGBM takes no punctuation in names, so columns are numbered.
    names = [f"c{i}" for i in range(len(columns))]
    table = np.column_stack(columns).astype(float) if columns else np.empty((len(rows), 0))
    return pd.DataFrame(table, columns=names, index=rows.index), tuple(owners)


def by_attribute(contributions: np.ndarray, owners: Sequence[str]) -> pd.Series:
    """Sum what columns contributed by the attribute that they belong to, and give the mean size of it, largest first.

    Parameters
    ----------
    contributions : numpy.ndarray
        (rows, columns): SHAP values.
    owners : sequence of str

    Returns
    -------
    pandas.Series
        Mean absolute contribution by attribute.
    """
    # Summed before the absolute value: the levels of one attribute are one thing that is known of a person.
    total = {name: np.zeros(len(contributions)) for name in dict.fromkeys(owners)}
    for j, name in enumerate(owners):
        total[name] += contributions[:, j]
    means = pd.Series({name: float(np.abs(v).mean()) for name, v in total.items()}, dtype=float)
    return means.sort_values(ascending=False, kind="stable")
