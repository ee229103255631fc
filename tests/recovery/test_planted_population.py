"""Demand = rate x people: a planted rate comes back where people are about to change, and its range holds what comes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from demand.calendar import Frequency
from demand.explain import explain
from demand.forecast import Forecast, ForecastSpec, forecast
from demand.tables import History, summarise

MONTHS = pd.date_range("2017-04-01", periods=96, freq="MS")
AHEAD = pd.date_range("2025-04-01", periods=24, freq="MS")
RATES = {"North": 0.004, "South": 0.009}
SPEC = ForecastSpec(horizon=24, models=["theta"], draws=300, per="population", reconcile="bottom_up")


def people() -> pd.DataFrame:
    """North has been growing and will shrink; South has been still and will grow by a third."""
    past, ahead = np.arange(96) / 12, np.arange(1, 25) / 12
    paths = {
        "North": np.append(40_000 * 1.02**past, 40_000 * 1.02 ** past[-1] * 0.90**ahead),
        "South": np.append(np.full(96, 20_000.0), 20_000 * 1.15**ahead),
    }
    wide = np.append(np.full(96, np.nan), 0.03 * np.sqrt(ahead))
    tables = [
        pd.DataFrame(
            {
                "ds": MONTHS.append(AHEAD),
                "name": "population",
                "area": area,
                "value": path,
                "low": path * np.exp(-wide),
                "high": path * np.exp(wide),
            }
        )
        for area, path in paths.items()
    ]
    return pd.concat(tables, ignore_index=True)


def world(seed: int) -> tuple[History, np.ndarray]:
    """Counts by area and type, and what will come: with people who turn out somewhere in their published range."""
    rng, table = np.random.default_rng(seed), people()
    rows, later = [], []
    for area, rate in RATES.items():
        path = table[table["area"] == area]["value"].to_numpy()
        off = 0.03 / 1.2816 * np.cumsum(rng.normal(0, 1, 24)) / np.sqrt(12)
        for kind in ("hostel", "advice"):
            y = rng.poisson(rate / 2 * path * np.exp(np.append(np.zeros(96), off))).astype(float)
            rows.append(pd.DataFrame({"unique_id": f"{area}/{kind}", "area": area, "type": kind, "ds": MONTHS, "y": y[:96]}))
            later.append(pd.Series(y[96:], name=f"{area}/{kind}"))
    history = History.of(pd.concat(rows), Frequency("M"), keys=["area", "type"])
    return history, pd.concat(later, axis=1)[history.ids].to_numpy().T


@pytest.fixture(scope="module")
def made() -> Forecast:
    history, _ = world(1)
    return forecast(history, SPEC, seed=1, drivers=people())


def test_the_rate_comes_back_and_goes_with_the_people_ahead(made: Forecast) -> None:
    table, year = people(), slice(12, 24)
    for area, rate in RATES.items():
        ahead = table[(table["area"] == area) & (table["ds"] >= AHEAD[0])]["value"].to_numpy()
        mine = made.draws.sel(series=[f"{area}/advice", f"{area}/hostel"]).sum("series").mean("draw").to_numpy()
        assert mine[year].sum() == pytest.approx(rate * ahead[year].sum(), rel=0.06)
    plain = forecast(world(1)[0], SPEC.model_copy(update={"per": None}), seed=1)
    south = [m.draws.sel(series=["South/advice", "South/hostel"]).sum("series").mean("draw").to_numpy()[-1] for m in (made, plain)]
    assert south[0] > 1.2 * south[1]


def test_people_are_a_part_of_the_explanation_and_of_the_effects(made: Forecast) -> None:
    parts = explain(made)
    told = parts.groupby(["unique_id", "ds"])["contribution"].sum()
    np.testing.assert_allclose(told, summarise(made.draws).set_index(["unique_id", "ds"])["mean"], atol=1e-6)
    south = parts[(parts["feature"] == "population") & (parts["unique_id"] == "South/advice")]
    assert south["contribution"].iloc[-1] > 0.25 * 90
    assert (made.effects.loc[made.effects["driver"] == "population", "elasticity"] == 1).all()
    assert made.notes["note"].str.contains(r"population \(North\).*drawn from the published low to high").any()
    values = made.draws.to_numpy()
    np.testing.assert_array_equal(values, np.rint(values))


def test_the_range_of_the_total_takes_in_the_people_and_holds_what_comes() -> None:
    certain = people().assign(low=np.nan, high=np.nan)
    hits, wider = [], []
    for seed in range(12):
        history, came = world(100 + seed)
        drawn = forecast(history, SPEC, seed=seed, drivers=people()).draws.to_numpy().astype(float).sum(axis=(0, 1))
        low, high = np.quantile(drawn, [0.1, 0.9])
        hits.append(bool(low <= came.sum() <= high))
        if seed < 2:
            known = forecast(history, SPEC, seed=seed, drivers=certain).draws.to_numpy().astype(float).sum(axis=(0, 1))
            wider.append(drawn.std() / known.std())
    assert min(wider) > 1.0
    found = binomtest(sum(hits), len(hits)).proportion_ci(0.95)
    assert found.low <= 0.8 <= found.high, hits
