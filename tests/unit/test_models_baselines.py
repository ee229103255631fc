"""Statistical models: what comes out for ordinary, short and broken series."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.errors import ModelError
from demand.models import Prediction, build
from demand.models.baselines import STATISTICAL
from demand.models.track import borrowed_seasons, tracks
from demand.tables import History


def history(*columns: list[float] | np.ndarray, code: str = "M", start: str = "2018-01-01", kind: str = "flow") -> History:
    frequency = Frequency(code)
    rows = [
        pd.DataFrame({"unique_id": f"s{i}", "ds": frequency.periods(pd.Timestamp(start), len(y)), "y": np.asarray(y, dtype=float)})
        for i, y in enumerate(columns)
    ]
    return History.of(pd.concat(rows), frequency, kind=kind)


def seasonal(periods: int, level: float = 100.0, length: int = 12) -> np.ndarray:
    return level * (1 + 0.3 * np.sin(2 * np.pi * np.arange(periods) / length))


def test_unknown_model_names_its_neighbour() -> None:
    with pytest.raises(ModelError, match="Did you mean 'theta'"):
        build("thetta")


def test_seasonal_naive_repeats_the_last_year() -> None:
    y = seasonal(36)
    means = build("seasonal_naive").predict(history(y), 18, seed=1).means
    np.testing.assert_allclose(means["mean"], np.resize(y[-12:], 18))
    assert means["ds"].iloc[0] == pd.Timestamp("2021-01-01")


@pytest.mark.parametrize("name", STATISTICAL)
def test_a_clean_season_is_continued(name: str) -> None:
    y = seasonal(72)
    means = build(name).predict(history(y + np.random.default_rng(1).normal(0, 0.5, 72)), 12, seed=1).means
    np.testing.assert_allclose(means["mean"], y[:12], atol=8)


@pytest.mark.parametrize("name", STATISTICAL)
def test_parts_add_up_to_the_mean(name: str) -> None:
    rng = np.random.default_rng(2)
    told = build(name).predict(history(rng.poisson(seasonal(60)), rng.poisson(2, 30), [5.0]), 7, seed=1, explain=True)
    assert told.parts is not None
    added = told.parts.groupby(["unique_id", "ds"])["contribution"].sum().to_numpy()
    np.testing.assert_allclose(added, told.means["mean"], atol=1e-6)


def test_a_short_series_borrows_the_season_of_its_kind() -> None:
    y = seasonal(72)
    short = history(y, y * 2, y[60:69] / 10)
    shapes, lengths = borrowed_seasons(tracks(short), short.frequency, 12)
    assert lengths == [12, 12, 1]
    assert shapes[0] is None
    assert shapes[2] is not None
    assert np.corrcoef(shapes[2], np.resize(y, len(shapes[2])))[0, 1] > 0.95


def test_weeks_keep_their_place_in_years_of_53_weeks() -> None:
    weeks = Frequency("W-MON").periods(pd.Timestamp("2017-01-02"), 52 * 7 + 1)
    y = 100 * (1 + 0.4 * np.cos(2 * np.pi * weeks.dayofyear / 365.25))
    means = build("theta").predict(history(y, code="W-MON", start="2017-01-02"), 52, seed=1).means
    expected = 100 * (1 + 0.4 * np.cos(2 * np.pi * pd.DatetimeIndex(means["ds"]).dayofyear / 365.25))
    assert np.abs(means["mean"] - expected).max() < 15


def test_a_ragged_end_is_told_and_dated_from_the_last_period_of_all() -> None:
    y = seasonal(48)
    told = build("ets").predict(history(y, np.r_[y[:44], [np.nan] * 4]), 6, seed=1)
    assert set(told.means["ds"]) == set(pd.date_range("2022-01-01", periods=6, freq="MS"))
    assert any(n.unique_id == "s1" and "last 4 periods" in n.text for n in told.notes)
    np.testing.assert_allclose(told.means["mean"][6:], y[:6], atol=5)


def test_the_contract_refuses_what_cannot_be_true() -> None:
    table = pd.DataFrame({"unique_id": ["a"], "ds": [pd.Timestamp("2020-01-01")], "mean": [-1.0]})
    with pytest.raises(ModelError, match="negative or not finite"):
        Prediction(table)


@pytest.mark.parametrize("name", STATISTICAL)
def test_other_series_do_not_change_a_long_series(name: str) -> None:
    y = np.random.default_rng(3).poisson(seasonal(60)).astype(float)
    alone = build(name).predict(history(y), 6, seed=1).means["mean"].to_numpy()
    among = build(name).predict(history(y, seasonal(50, 20), [1, 2]), 6, seed=1).means["mean"].to_numpy()[:6]
    np.testing.assert_array_equal(alone, among)
