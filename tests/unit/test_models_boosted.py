"""LightGBM over all series: not flat, not exploding, never negative, explained to the last person."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.errors import DataError, ModelError
from demand.models import build
from demand.tables import History
from demand.trees import TreeSettings, fit_trees, trees_from_text


def history(*columns: np.ndarray | list[float], code: str = "M") -> History:
    frequency = Frequency(code)
    ds = [frequency.periods(pd.Timestamp("2018-01-01"), len(y)) for y in columns]
    rows = [
        pd.DataFrame({"unique_id": f"s{i}", "ds": d, "y": np.asarray(y, dtype=float)})
        for i, (d, y) in enumerate(zip(ds, columns, strict=True))
    ]
    return History.of(pd.concat(rows), frequency)


def counts(periods: int, level: float = 80.0, growth: float = 0.0, seed: int = 1) -> np.ndarray:
    steps = np.arange(periods)
    return np.random.default_rng(seed).poisson(level * np.exp(growth * steps) * (1 + 0.3 * np.sin(2 * np.pi * steps / 12))).astype(float)


@pytest.fixture(scope="module")
def three() -> History:
    return history(counts(60), counts(60, 8, seed=2), np.r_[counts(56, 200, seed=3), [np.nan] * 4], [3.0, 4.0])


def test_thirty_six_points_are_not_a_flat_line() -> None:
    means = build("lightgbm").predict(history(counts(36, 200)), 12, seed=1).means["mean"].to_numpy()
    assert np.ptp(means) > 0.15 * means.mean()


def test_three_years_of_growth_neither_explode_nor_go_negative() -> None:
    y = np.round(np.geomspace(4, 400, 48))
    means = build("lightgbm").predict(history(y, y[::-1]), 36, seed=1).means["mean"].to_numpy().reshape(2, 36)
    assert means[0].max() <= 3 * 400
    assert (means >= 0).all()
    assert means[0, -1] > 400 > means[1, -1]


def test_contributions_add_up_and_name_what_they_are(three: History) -> None:
    told = build("lightgbm").predict(three, 12, seed=1, explain=True)
    assert told.parts is not None
    added = told.parts.groupby(["unique_id", "ds"])["contribution"].sum().to_numpy()
    np.testing.assert_allclose(added, told.means["mean"], atol=1e-6)
    assert {"level", "drift", "recent_changes", "season"} <= set(told.parts["feature"])
    assert any(n.unique_id == "s3" and "too few counts (2)" in n.text for n in told.notes)


def test_saved_trees_give_the_same_numbers(three: History) -> None:
    first = build("lightgbm").predict(three, 12, seed=1)
    again = build("lightgbm").predict(three, 12, seed=99, saved=first.saved)
    pd.testing.assert_frame_equal(first.means, again.means, check_exact=True)


def test_a_driver_is_used_and_one_without_a_future_is_refused(three: History) -> None:
    ds = pd.date_range("2018-01-01", periods=72, freq="MS")
    drivers = pd.DataFrame({"ds": ds, "name": "rent", "value": np.geomspace(500, 900, 72) * (1 + 0.1 * np.sin(np.arange(72)))})
    told = build("lightgbm").predict(three, 12, seed=1, drivers=drivers, explain=True)
    assert told.parts is not None
    assert "rent" in set(told.parts["feature"])
    with pytest.raises(DataError, match="rent: it ends in 2023-06-01: a driver without a future"):
        build("lightgbm").predict(three, 12, seed=1, drivers=drivers[drivers["ds"] <= "2023-06-01"])


def test_trees_refuse_missing_labels_other_columns_and_broken_text() -> None:
    table = pd.DataFrame({"a": np.arange(40.0), "b": np.arange(40.0)[::-1]})
    trees = fit_trees(table, np.arange(40.0), settings=TreeSettings(), seed=1)
    with pytest.raises(ModelError, match="in this order"):
        trees.predict(table[["b", "a"]])
    with pytest.raises(ModelError, match="missing or infinite"):
        fit_trees(table, np.r_[np.nan, np.arange(39.0)], settings=TreeSettings(), seed=1)
    with pytest.raises(ModelError, match="cannot read"):
        trees_from_text("not a model")
    values, base = trees.contributions(table)
    np.testing.assert_allclose(values.sum(axis=1) + base, trees.predict(table), atol=1e-9)
