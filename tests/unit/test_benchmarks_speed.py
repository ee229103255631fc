"""The clock of benchmarks/speed.py: what libraries do is counted once, and they are left as they were."""

from __future__ import annotations

import time

import numpy as np

from benchmarks.speed import Clock, counts, history_of, libraries_timed
from demand.forecast import ForecastSpec, forecast
from demand.sums import sums_of


def test_a_call_inside_a_call_is_counted_once() -> None:
    clock = Clock()
    inner = clock.timed("inner", lambda: time.sleep(0.01))
    outer = clock.timed("outer", inner)
    outer()
    assert set(clock.seconds) == {"outer"}
    inner()
    assert set(clock.seconds) == {"outer", "inner"}


def test_library_calls_of_a_forecast_are_seen_and_libraries_left_as_they_were() -> None:
    from statsforecast import StatsForecast

    before, start = StatsForecast.forecast, time.perf_counter()
    with libraries_timed() as clock:
        forecast(history_of(counts(2, 30, seed=1)), ForecastSpec(horizon=3, models=["theta"], draws=20), seed=1)
    assert StatsForecast.forecast is before
    assert 0 < clock.seconds["statsforecast"] < time.perf_counter() - start


def test_made_counts_are_counts_and_come_back_for_a_seed() -> None:
    made = counts(5, 40, seed=2)
    assert made.shape == (5, 40)
    assert (made >= 0).all()
    assert (made == np.rint(made)).all()
    assert np.array_equal(made, counts(5, 40, seed=2))
    assert history_of(made).ids[0] == "s00000"
    assert len(sums_of(history_of(counts(100, 24, seed=2)).series).ids) == 1 + 20 + 5
