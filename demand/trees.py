"""Regression trees: the only file that fits LightGBM and asks it for SHAP values.

In: a table of features and a target. Out: `Trees`, which predict, say what each feature contributed, and can be written as text.
Refuses targets that are not finite (LightGBM takes a missing label for 0) and columns in another order than those that were learnt
(an error of hundreds, silently).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from demand.errors import Fault, ModelError, listed
from demand.spec import stream

__all__ = ["TreeSettings", "Trees", "fit_trees", "trees_from_text"]

MANY_ROWS = 50_000
"""Rows from which more than one core is worth it: below, threads wait for each other longer than they work."""


@dataclass(frozen=True)
class TreeSettings:
    """How trees are grown on few rows.

    Parameters
    ----------
    objective : str
        "l1" learns medians, "l2" means.
    rounds : int
        How many trees.
    learning_rate : float
    leaves : int
        At most so many in a tree.
    rows_per_leaf : int or None
        Fewest rows in a leaf; None gives a fiftieth of the rows, between 3 and 20. (LightGBM's own 20 gives one constant on 36 rows.)
    """

    objective: str = "l1"
    rounds: int = 100
    learning_rate: float = 0.05
    leaves: int = 8
    rows_per_leaf: int | None = None


@dataclass(frozen=True)
class Trees:
    """Grown trees.

    Parameters
    ----------
    booster : lightgbm.Booster
    columns : tuple of str
        The features, in order.
    """

    booster: Any
    columns: tuple[str, ...]

    def predict(self, table: pd.DataFrame, *, first: int | None = None) -> np.ndarray:
        """Predict for each row, by all trees or by the first few that were grown.

        Raises
        ------
        ModelError
            Where the columns are not those that were learnt, in their order.
        """
        return np.asarray(self.booster.predict(self._checked(table), num_iteration=first, num_threads=1), dtype=np.float64)

    def contributions(self, table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Say what each feature contributed to each prediction: exact SHAP values of the trees (Lundberg et al. 2020, Nature MI 2, 56-67).

        Parameters
        ----------
        table : pandas.DataFrame

        Returns
        -------
        numpy.ndarray
            Shape (rows, columns).
        numpy.ndarray
            Shape (rows,): the average prediction, which is the same in each row. Both add up to `predict`.

        Raises
        ------
        ModelError
            Where the columns are not those that were learnt, in their order.
        """
        values = np.asarray(self.booster.predict(self._checked(table), pred_contrib=True, num_threads=1), dtype=np.float64)
        return values[:, :-1], values[:, -1]

    def to_text(self) -> str:
        """Give the trees as LightGBM's own text."""
        return str(self.booster.model_to_string())

    def _checked(self, table: pd.DataFrame) -> np.ndarray:
        if tuple(map(str, table.columns)) != self.columns:
            found = Fault(f"features {listed(table.columns, most=20)}", allowed=f"These, in this order: {listed(self.columns, most=20)}")
            raise ModelError(found)
        return np.asarray(table.to_numpy(dtype=np.float64))


def fit_trees(table: pd.DataFrame, target: np.ndarray, *, settings: TreeSettings, seed: int, threads: int = 1) -> Trees:
    """Grow trees.

    Parameters
    ----------
    table : pandas.DataFrame
        One row an observation, numeric columns; NaN is a missing feature.
    target : numpy.ndarray
        Shape (rows,).
    settings : TreeSettings
    seed : int
    threads : int
        Cores; the trees are the same for any number of them.

    Returns
    -------
    Trees

    Raises
    ------
    ModelError
        Where a target is not finite or there is no row.
    """
    if len(target) == 0 or not np.isfinite(target).all():
        raise ModelError(Fault("trees cannot be grown from no rows, or from a target that is missing or infinite"))
    import lightgbm

    rows = settings.rows_per_leaf or int(np.clip(len(target) // 50, 3, 20))
    options = {
        "objective": settings.objective, "learning_rate": settings.learning_rate, "num_leaves": settings.leaves, "min_data_in_leaf": rows,
        "lambda_l2": 1.0, "bagging_fraction": 0.8, "bagging_freq": 1, "feature_fraction": 0.8, "min_data_in_bin": 1 if len(target) <
        200 else 3, "seed": int(stream(seed, "trees").integers(2**31 - 1)), "deterministic": True, "force_row_wise": True,
        "num_threads": threads if len(target) > MANY_ROWS else 1, "verbosity": -1, "feature_pre_filter": False,
    }  # fmt: skip
    columns = tuple(map(str, table.columns))
    labels = np.asarray(target, dtype=np.float64)
    data = lightgbm.Dataset(table.to_numpy(dtype=np.float64), labels, feature_name=list(columns), params=options)
    return Trees(lightgbm.train(options, data, num_boost_round=settings.rounds), columns)


def trees_from_text(text: str) -> Trees:
    """Read trees that `Trees.to_text` wrote.

    Raises
    ------
    ModelError
        Where the text is not LightGBM's.
    """
    import lightgbm

    try:
        booster = lightgbm.Booster(model_str=text)
    except lightgbm.basic.LightGBMError as reason:
        raise ModelError(Fault(f"a saved model that LightGBM cannot read: {reason}")) from reason
    return Trees(booster, tuple(booster.feature_name()))
