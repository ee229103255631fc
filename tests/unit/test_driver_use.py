"""Which model used which driver, how it responds, and that a driver which none used is told loudly."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.forecast import Forecast, ForecastSpec, forecast
from demand.tables import History

MONTHS = pd.date_range("2016-04-01", periods=108, freq="MS")


def planted() -> tuple[History, pd.DataFrame]:
    """Counts that follow a restless driver at once, elasticity 1, and a driver that never moves."""
    rng = np.random.default_rng(11)
    jobs = np.cumsum(rng.normal(0, 0.08, 96 + 12))
    tables = [
        pd.DataFrame({"unique_id": f"s{i}", "ds": MONTHS[:96], "y": rng.poisson(400 * np.exp(jobs[:96])).astype(float)}) for i in range(6)
    ]
    drivers = [
        pd.DataFrame({"ds": MONTHS, "name": "claimants", "value": 1000 * np.exp(jobs)}),
        pd.DataFrame({"ds": MONTHS, "name": "still", "value": 50.0}),
    ]
    return History.of(pd.concat(tables), Frequency("M")), pd.concat(drivers, ignore_index=True)


@pytest.fixture(scope="module")
def made() -> Forecast:
    history, drivers = planted()
    return forecast(
        history, ForecastSpec(horizon=6, models=["lightgbm", "theta"], draws=50, backtest={"windows": 2}), seed=1, drivers=drivers
    )


def test_the_table_says_who_used_what(made: Forecast) -> None:
    table = made.driver_use.set_index(["driver", "model"])
    assert table["used"].to_dict() == {
        ("claimants", "lightgbm"): True,
        ("still", "lightgbm"): False,
        ("claimants", "theta"): False,
        ("still", "theta"): False,
    }
    assert table["weight"].groupby("model").first().to_dict() == made.weights


def test_a_models_own_response_stands_beside_the_estimated_effect(made: Forecast) -> None:
    row = made.driver_use.set_index(["driver", "model"]).loc[("claimants", "lightgbm")]
    assert row["response_first"] > 0.2
    assert row["effect_low"] < 1.0 < row["effect_high"]
    told = made.notes.loc[made.notes["model"] == "lightgbm", "note"].tolist()
    assert "uses the drivers 'claimants'" in told
    assert any(t.startswith("its own response to 'claimants', for comparison only: +") for t in told)


def test_a_driver_that_no_model_used_is_told_loudly(made: Forecast) -> None:
    first = made.notes.iloc[0]
    assert first["model"] == "combined"
    assert first["note"].startswith("NO MODEL USED THE DRIVER: 'still'.")


def test_without_drivers_there_is_nothing_to_tell() -> None:
    history, _ = planted()
    plain = forecast(history, ForecastSpec(horizon=3, models=["theta"], draws=20), seed=1)
    assert plain.driver_use.empty
    assert not plain.notes["note"].str.contains("NO MODEL").any()
