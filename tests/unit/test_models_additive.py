"""Prophet: quiet, seeded, saved as JSON, never negative, explained."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.models import Prediction, build
from demand.tables import History


def history(*columns: np.ndarray | list[float], code: str = "M") -> History:
    frequency = Frequency(code)
    ds = [frequency.periods(pd.Timestamp("2018-01-01"), len(y)) for y in columns]
    rows = [
        pd.DataFrame({"unique_id": f"s{i}", "ds": d, "y": np.asarray(y, dtype=float)})
        for i, (d, y) in enumerate(zip(ds, columns, strict=True))
    ]
    return History.of(pd.concat(rows), frequency)


SEASON = 100 * (1 + 0.3 * np.sin(2 * np.pi * np.arange(60) / 12))


@pytest.fixture(scope="module")
def several() -> History:
    falling = np.round(np.geomspace(200, 2, 60))
    return history(SEASON, falling, [4.0, 9.0], np.zeros(30))


@pytest.fixture(scope="module")
def told(several: History) -> Prediction:
    return build("prophet").predict(several, 24, seed=1, explain=True)


def test_season_is_continued_and_nothing_is_negative(told: Prediction) -> None:
    means = told.means["mean"].to_numpy().reshape(4, 24)
    np.testing.assert_allclose(means[0, :12], SEASON[:12], rtol=0.12)
    assert (means >= 0).all()
    assert means[1].max() < 20
    assert (means[3] == 0).all()


def test_parts_add_up(told: Prediction) -> None:
    assert told.parts is not None
    added = told.parts.groupby(["unique_id", "ds"])["contribution"].sum().to_numpy()
    np.testing.assert_allclose(added, told.means["mean"], atol=1e-6)


def test_what_stood_in_is_told(told: Prediction) -> None:
    assert {n.unique_id for n in told.notes if "stand in" in n.text} == {"s2", "s3"}


def test_saved_models_give_the_same_numbers_and_threads_change_nothing(several: History, told: Prediction) -> None:
    again = build("prophet").predict(several, 24, seed=5, saved=told.saved)
    pd.testing.assert_frame_equal(told.means, again.means, check_exact=True)
    threads = build("prophet").predict(several, 24, seed=1, jobs=2)
    pd.testing.assert_frame_equal(told.means, threads.means, check_exact=True)


def test_random_state_and_loggers_are_put_back(several: History) -> None:
    np.random.seed(7)  # noqa: NPY002
    expected = np.random.random(3)  # noqa: NPY002
    np.random.seed(7)  # noqa: NPY002
    logging.getLogger("cmdstanpy").setLevel(logging.INFO)
    build("prophet").predict(several.only(["s0"]), 3, seed=1)
    np.testing.assert_array_equal(np.random.random(3), expected)  # noqa: NPY002
    assert logging.getLogger("cmdstanpy").level == logging.INFO
    assert not logging.getLogger("cmdstanpy").disabled
