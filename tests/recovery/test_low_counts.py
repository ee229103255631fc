"""Low counts come back as counts: the right mean, and nearly the right share of noughts and ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.forecast import ForecastSpec, forecast
from demand.tables import History

PERIODS, SERIES, AHEAD = 60, 16, 8
Counts = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]
PLANTED: dict[str, tuple[Counts, float]] = {
    "Poisson, mean 2": (lambda rng, shape: rng.poisson(2.0, shape), np.exp(-2.0)),
    "Poisson, mean 0.3": (lambda rng, shape: rng.poisson(0.3, shape), np.exp(-0.3)),
    "negative binomial, mean 2": (lambda rng, shape: rng.negative_binomial(1.5, 1.5 / 3.5, shape), (1.5 / 3.5) ** 1.5),
    "half of the months nothing, else Poisson, mean 4": (
        lambda rng, shape: rng.poisson(4.0, shape) * (rng.random(shape) < 0.5),
        0.5 + 0.5 * np.exp(-4.0),
    ),
}
TOLERANCE = 0.05
"""On the share of noughts: what replays held of them is learnt. Chance alone makes 0.02."""


@pytest.mark.parametrize("name", PLANTED)
def test_the_share_of_noughts_comes_back(name: str) -> None:
    draw, noughts = PLANTED[name]
    y = draw(np.random.default_rng(4), (PERIODS, SERIES)).astype(float)
    frequency = Frequency("M")
    table = pd.DataFrame(
        {
            "unique_id": np.repeat([f"s{i:02d}" for i in range(SERIES)], PERIODS),
            "ds": np.tile(frequency.periods(pd.Timestamp("2019-01-01"), PERIODS), SERIES),
            "y": y.T.reshape(-1),
        }
    )
    spec = ForecastSpec(horizon=AHEAD, models=["seasonal_naive", "theta"], draws=300)
    draws = forecast(History.of(table, frequency), spec, seed=1, hierarchy="none").draws.to_numpy()
    assert (draws == np.rint(draws)).all()
    assert draws.mean() == pytest.approx(y.mean(), rel=0.15)
    assert (draws == 0).mean() == pytest.approx(noughts, abs=TOLERANCE)
    assert set(np.unique(draws[draws < 4])) == {0.0, 1.0, 2.0, 3.0}
