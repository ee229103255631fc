"""The nested evaluation against forecasts that were really made on the shortened history.

They are equal, to the last bit, where today's replays stand at the same cutoffs as those of a forecast made then: histories short enough
for a cutoff in every period, long enough that the first cutoff is the same, and models cheap enough to be replayed at each. Elsewhere they
may differ in three ways: a long history spaces its cutoffs, in another phase than a shorter one would; a very short one has earlier cutoffs
than today's; and slow models are replayed at few cutoffs, which are others in a shorter history.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.evaluation.looks import gather, looks
from demand.events import Event
from demand.forecast import ForecastSpec, forecast
from demand.tables import History


def history(code: str, periods: int) -> History:
    rng, frequency = np.random.default_rng(8), Frequency(code, 3)
    ds = frequency.periods(pd.Timestamp("2014-04-01"), periods)
    season = 1 + 0.3 * np.sin(np.arange(periods) * 2 * np.pi / frequency.season_length)
    tables = [pd.DataFrame({"unique_id": f"s{i}", "ds": ds, "y": rng.poisson(m * season)}) for i, m in enumerate((150, 40, 6, 1))]
    return History.of(pd.concat(tables), frequency)


@pytest.mark.parametrize("events", [False, True])
@pytest.mark.parametrize(("code", "periods", "horizon"), [("Q", 33, 4), ("Y", 15, 3)])
def test_a_look_back_is_the_forecast_that_would_have_been_made(code: str, periods: int, horizon: int, events: bool) -> None:
    h = history(code, periods)
    known = [Event(name="a bad year", start="2017-04", end="2018-03", kind="shock")] if events else []
    spec = ForecastSpec(horizon=horizon, models=["seasonal_naive", "theta", "ces"], draws=60, events=known)
    made = forecast(h, spec, seed=3)
    compared, enough = 0, 2 * (2 * h.frequency.season_length + 1)
    for look in looks(h, gather(h, made, spec, seed=3), forecast=made, spec=spec, seed=3):
        if look.place + 1 < enough:
            continue
        then = forecast(h.until(look.cutoff), spec, seed=3)
        np.testing.assert_array_equal(look.draws, then.draws.to_numpy()[:, : look.draws.shape[1]])
        compared += look.calibrated
    assert compared >= 5
