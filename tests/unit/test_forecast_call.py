"""The one call: what comes out, what is left out, what is refused; evaluation and explanation of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from planning_cases import number

from demand.calendar import Frequency
from demand.errors import DataError, SettingsError
from demand.evaluation import backtest, scale_of
from demand.events import Event
from demand.explain import explain
from demand.forecast import Earlier, Forecast, ForecastSpec, forecast
from demand.hierarchy import TotalSpec
from demand.tables import History, summarise

CHEAP = ["seasonal_naive", "theta", "ces"]


def history(periods: int = 72, code: str = "M", levels: tuple[float, ...] = (120, 40, 3, 0.4), seed: int = 0) -> History:
    rng, frequency = np.random.default_rng(seed), Frequency(code)
    season = 1 + 0.2 * np.sin(np.arange(periods) * 2 * np.pi / frequency.season_length)
    ds = frequency.periods(pd.Timestamp("2018-01-01"), periods)
    tables = [pd.DataFrame({"unique_id": f"s{i}", "ds": ds, "y": rng.poisson(level * season)}) for i, level in enumerate(levels)]
    return History.of(pd.concat(tables), frequency)


@pytest.fixture(scope="module")
def made() -> tuple[History, ForecastSpec, Forecast]:
    h, spec = history(), ForecastSpec(horizon=15, models=CHEAP, draws=120)
    return h, spec, forecast(h, spec, seed=1)


def test_draws_are_counts_of_every_series_ahead(made) -> None:
    _, _, f = made
    assert f.draws.dims == ("series", "ds", "draw")
    assert f.draws.shape == (4, 15, 120)
    assert pd.Timestamp(f.draws["ds"].to_numpy()[0]) == pd.Timestamp("2024-01-01")
    values = f.draws.to_numpy()
    np.testing.assert_array_equal(values, np.rint(values))
    assert (values >= 0).all()
    zeros = (values[3] == 0).mean()
    assert zeros == pytest.approx(np.exp(-0.4), abs=0.15)
    assert set(f.draws.coords) >= {"kind", "unit"}


def test_the_same_seed_gives_the_same_draws_to_the_bit(made) -> None:
    h, spec, f = made
    again = forecast(h, spec, seed=1)
    assert again.draws.to_numpy().tobytes() == f.draws.to_numpy().tobytes()
    assert again.draws.attrs == f.draws.attrs
    other = forecast(h, spec, seed=2)
    assert other.draws.to_numpy().tobytes() != f.draws.to_numpy().tobytes()


def test_replays_can_be_handed_back(made) -> None:
    h, spec, f = made
    again = forecast(h, spec, seed=1, earlier=Earlier(f.replays))
    assert again.draws.to_numpy().tobytes() == f.draws.to_numpy().tobytes()


def test_weights_add_up_and_the_means_agree_with_the_draws(made) -> None:
    _, _, f = made
    assert sum(f.weights.values()) == pytest.approx(1)
    weighted = f.means.assign(m=f.means["mean"] * f.means["weight"]).groupby(["unique_id", "ds"])["m"].sum()
    drawn = summarise(f.draws).set_index(["unique_id", "ds"])["mean"]
    assert (drawn / weighted).loc["s0"].mean() == pytest.approx(1, abs=0.03)


def test_explanations_add_up_to_the_mean(made) -> None:
    _, _, f = made
    table = explain(f)
    assert list(table.columns) == ["unique_id", "ds", "model", "feature", "value", "contribution"]
    told = table.groupby(["unique_id", "ds"])["contribution"].sum()
    mean = summarise(f.draws).set_index(["unique_id", "ds"])["mean"]
    np.testing.assert_allclose(told, mean, atol=1e-6)
    assert {"reconciliation", "calibration"} <= set(table.loc[table["model"] == "combined", "feature"])


@pytest.mark.parametrize("factor", [1.3, 0.7])
def test_a_known_event_changes_low_counts_by_its_factor(factor) -> None:
    h = history(48, levels=(0.4, 60))
    known = Event(name="a new duty", start="2022-01", kind="known", size=number(factor))
    plain, spec = (ForecastSpec(horizon=6, models=["ets"], draws=2000, events=events) for events in ([], [known]))
    before = forecast(h, plain, seed=1)
    after = forecast(h, spec, seed=1, earlier=Earlier(before.replays))
    values = after.draws.to_numpy()
    np.testing.assert_array_equal(values, np.rint(values))
    np.testing.assert_allclose(values.mean(axis=2), factor * before.draws.to_numpy().mean(axis=2), rtol=0.01)
    assert 0.2 < before.draws.sel(series="s0").mean() < 0.6
    spread = values.sum(axis=1).std(axis=1) / before.draws.to_numpy().sum(axis=1).std(axis=1)
    assert (spread >= 0.9 * min(factor, 1)).all()
    told = explain(after).groupby(["unique_id", "ds"])["contribution"].sum()
    np.testing.assert_allclose(told, summarise(after.draws).set_index(["unique_id", "ds"])["mean"], atol=1e-6)


def test_backtest_has_rows_of_every_model_and_of_the_combination(made) -> None:
    h, spec, f = made
    b = backtest(h, f, spec, seed=1)
    assert set(b.rows["model"]) == {*CHEAP, "combined"}
    assert b.rows["cutoff"].nunique() >= 2
    truth = b.rows.merge(h.table, on=["unique_id", "ds"], suffixes=("", "_true"))
    np.testing.assert_array_equal(truth["y"], truth["y_true"])
    assert (b.rows["ds"] > b.rows["cutoff"]).all()
    assert not b.rows.loc[b.rows["cutoff"] == b.rows["cutoff"].min(), "calibrated"].any()
    assert {"mase", "wql", "sql", "bias", "coverage80", "coverage95"} <= set(b.summary["measure"])
    assert list(b.summary.columns[:8]) == ["model", "level", "horizon", "measure", "value", "n_cutoffs", "n_series", "n_rows"]
    assert b.track_record[0].startswith("Had we forecast")


def test_skill_compares_a_model_with_the_naive_forecast_on_the_same_rows(made) -> None:
    h, spec, f = made
    sampled = f.replays[(f.replays["model"] != "ces") | (f.replays["unique_id"] == "s2")]
    b = backtest(h, replace(f, replays=sampled), spec, seed=1)
    whole = b.summary[(b.summary["horizon"] == "all") & (b.summary["level"] == "series")].set_index(["model", "measure"])
    assert whole.loc[("ces", "mase"), ["n_series", "n_rows"]].tolist() == [1, (b.rows["model"] == "ces").sum()]
    assert whole.loc[("theta", "mase"), "n_series"] == 4
    keys, mean = ["unique_id", "ds", "cutoff"], {}
    rows = b.rows[b.rows["unique_id"] == "s2"].set_index(keys)
    for model in ("ces", "seasonal_naive"):
        mine = rows[rows["model"] == model]
        scale = [scale_of(h, cutoff)["s2"] for cutoff in mine.index.get_level_values("cutoff")]
        mean[model] = (np.abs(mine["y"] - mine["mean"]) / scale).mean()
    assert whole.loc[("ces", "skill"), "value"] == pytest.approx(1 - mean["ces"] / mean["seasonal_naive"])
    assert whole.loc[("ces", "skill"), "n_rows"] == len(mine)
    assert whole.loc[("seasonal_naive", "skill"), "value"] == 0


def test_totals_and_ended_series_are_listed_not_forecast() -> None:
    h = history(48, levels=(50, 50, 50))
    table = h.table[~((h.table["unique_id"] == "s2") & (h.table["ds"] > "2021-03-01"))].copy()
    h = History.of(table, h.frequency)
    f = forecast(h, ForecastSpec(horizon=3, models=CHEAP, draws=20), seed=1, hierarchy=[TotalSpec(total="s0", parts=["s1"])])
    assert f.draws["series"].to_numpy().tolist() == ["s1"]
    assert f.not_forecast["unique_id"].tolist() == ["s0", "s2"]
    assert f.not_forecast["last"].tolist()[1] == pd.Timestamp("2021-03-01")


@pytest.mark.parametrize("periods", [1, 2])
def test_a_history_of_one_or_two_counts_is_refused(periods: int) -> None:
    with pytest.raises(DataError, match="too short"):
        forecast(history(periods), ForecastSpec(horizon=6, models=CHEAP, draws=30), seed=1)


@pytest.mark.parametrize("periods", [3, 5])
@pytest.mark.parametrize("code", ["M", "Q", "Y"])
def test_the_shortest_series_are_forecast_and_it_is_said(periods: int, code: str) -> None:
    f = forecast(history(periods, code), ForecastSpec(horizon=6, models=CHEAP, draws=30), seed=1)
    values = f.draws.to_numpy()
    assert np.isfinite(values).all()
    assert values[0].std() > 0
    assert len(f.notes)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_new_series_among_old_ones_is_forecast(count: int) -> None:
    h = history(60, levels=(50, 50, 50))
    first = h.wide.index[-count]
    table = h.table[(h.table["unique_id"] != "s2") | (h.table["ds"] >= first)]
    f = forecast(History.of(table, h.frequency), ForecastSpec(horizon=4, models=CHEAP, draws=50), seed=1)
    assert f.draws.sizes["series"] == 3
    assert f.draws.sel(series="s2").to_numpy().mean() == pytest.approx(50, rel=0.5)


@pytest.mark.parametrize("code", ["D", "W-MON"])
def test_days_and_weeks(code: str) -> None:
    f = forecast(history(150, code), ForecastSpec(horizon=10, models=["seasonal_naive", "theta"], draws=30), seed=1)
    assert f.draws.shape == (4, 10, 30)


def test_unknown_model_and_drivers_whose_future_nobody_knows_are_refused() -> None:
    h = history(30)
    with pytest.raises(SettingsError, match="Did you mean 'theta'"):
        forecast(h, ForecastSpec(horizon=3, models=["theeta"]), seed=1)
    with pytest.raises(SettingsError, match="Dates go to the year 2262"):
        forecast(h, ForecastSpec(horizon=3700, models=["theta"]), seed=1)
    ds = h.frequency.periods(pd.Timestamp("2018-01-01"), 31)
    drivers = pd.DataFrame({"ds": ds, "name": "rent", "value": -1.0, "low": np.nan, "high": np.nan})
    with pytest.raises(DataError, match="'rent' has no future"):
        forecast(h, ForecastSpec(horizon=3, models=CHEAP), seed=1, drivers=drivers)


def test_nothing_left_to_forecast_is_refused() -> None:
    h = history(30, levels=(5, 6))
    table = h.table.copy()
    table.loc[table["ds"] > "2019-01-01", "y"] = np.nan
    with pytest.raises(DataError, match="no series is left"):
        forecast(History(table, h.series, h.frequency), ForecastSpec(horizon=3), seed=1)


def test_quantities_that_are_not_counts_stay_fractions() -> None:
    h = history(40)
    part = History(h.table.assign(y=h.table["y"] * 0.37), h.series, h.frequency)
    values = forecast(part, ForecastSpec(horizon=4, models=CHEAP, draws=40), seed=1).draws.to_numpy()
    assert (values[0] != np.rint(values[0])).any()
