"""The contributions that LightGBM gives against those of the package shap."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from demand.trees import TreeSettings, fit_trees


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_contributions_are_the_shap_values(seed: int) -> None:
    shap = pytest.importorskip("shap")
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.normal(size=(120, 4)), columns=list("abcd"))
    table.iloc[::7, 1] = np.nan
    target = 2 * table["a"].to_numpy() + table["b"].fillna(-1).to_numpy() * table["c"].to_numpy() + rng.normal(size=120)
    trees = fit_trees(table, target, settings=TreeSettings(rounds=40), seed=seed)
    ours, average = trees.contributions(table)
    theirs = shap.TreeExplainer(trees.booster, feature_perturbation="tree_path_dependent")
    np.testing.assert_allclose(ours, theirs.shap_values(table.to_numpy()), atol=1e-9)
    np.testing.assert_allclose(average, np.ravel(theirs.expected_value)[0], atol=1e-9)
    np.testing.assert_allclose(ours.sum(axis=1) + average, trees.predict(table), atol=1e-9)
