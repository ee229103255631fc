"""Futures of drivers: drawn from ranges or from their own past, and what they add to the draws of demand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.driver_futures import Futures, driver_futures, spread_by_drivers
from demand.errors import DataError
from demand.forecast import ForecastSpec, forecast
from demand.replay import drivers_as_known
from demand.tables import History

MONTHS = pd.date_range("2018-04-01", periods=84, freq="MS")
AHEAD = pd.date_range("2025-04-01", periods=24, freq="MS")
NONE = pd.DatetimeIndex([])


def counts(count: int = 3, level: float = 200.0, kind: str = "flow") -> History:
    rng = np.random.default_rng(3)
    tables = [pd.DataFrame({"unique_id": f"s{i}", "ds": MONTHS, "y": rng.poisson(level, 84).astype(float)}) for i in range(count)]
    return History.of(pd.concat(tables), Frequency("M"), kind=kind)


def rents(width: float = 0.2, *, until: str = "2027-03-01") -> pd.DataFrame:
    """Known to March 2025, then published with a range that grows with the square root of time, to `width` after a year."""
    rng = np.random.default_rng(5)
    ds = MONTHS.append(AHEAD)
    known = np.log(600) + np.cumsum(rng.normal(0.002, 0.01, 84))
    value = np.exp(np.append(known, np.full(24, known[-1])))
    wide = np.append(np.full(84, np.nan), width * np.sqrt(np.arange(1, 25) / 12))
    table = pd.DataFrame({"ds": ds, "name": "rent", "value": value, "low": value * np.exp(-wide), "high": value * np.exp(wide)})
    return table[table["ds"] <= until]


def effects_of(history: History, draws: int, *, elasticity: float, half_life: float = 0.0) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([history.ids, ["rent"], range(draws)], names=["unique_id", "driver", "draw"])
    return index.to_frame(index=False).assign(elasticity=elasticity, half_life=half_life)


def known_path(width: float, draws: int, effects: pd.DataFrame) -> Futures:
    """A driver that was never uncertain before, and whose draws stay where they begin."""
    z = np.random.default_rng(1).standard_normal(draws)
    table = pd.DataFrame({"ds": MONTHS.append(AHEAD), "name": "rent", "value": 600.0, "low": np.nan, "high": np.nan})
    return Futures(table, {"rent": np.tile(width * z, (24, 1))}, effects)


def test_four_draws_in_five_lie_in_the_published_range_and_paths_hang_together() -> None:
    futures = driver_futures(rents(), counts(), 24, draws=4000, seed=1)
    paths = futures.paths["rent"]
    assert paths.shape == (24, 4000)
    wide = 0.2 * np.sqrt(np.arange(1, 25) / 12)
    np.testing.assert_allclose(np.quantile(paths, 0.1, axis=1), -wide, rtol=0.08)
    np.testing.assert_allclose(np.quantile(paths, 0.9, axis=1), wide, rtol=0.08)
    along = np.corrcoef(paths)
    assert along[11, 12] > 0.95
    assert 0.6 < along[5, 23] < 0.9
    ahead = futures.table[futures.table["ds"] > MONTHS[-1]]
    assert set(ahead["source"]) == {"published"}
    assert futures.notes == (
        "driver 'rent': the future is drawn from the published low to high, and acts on the ranges through its elasticity",
    )


def test_a_lopsided_range_keeps_its_middle() -> None:
    table = rents()
    table["high"] = table["value"] * (table["high"] / table["value"]) ** 3
    paths = driver_futures(table, counts(), 24, draws=4000, seed=1).paths["rent"]
    assert np.median(paths[11]) == pytest.approx(0.0, abs=0.02)
    assert np.quantile(paths[11], 0.9) == pytest.approx(0.6, rel=0.1)


@pytest.mark.parametrize("until", ["2025-03-01", "2025-01-01", "2025-12-01"])
def test_a_driver_that_stops_too_early_is_forecast_from_its_own_past(until: str) -> None:
    futures = driver_futures(rents(until=until), counts(), 24, draws=300, seed=1)
    mine = futures.table[futures.table["source"] == "own forecast"]
    assert mine["ds"].iloc[0] == pd.Timestamp(until) + pd.DateOffset(months=1)
    assert mine["ds"].iloc[-1] == AHEAD[-1]
    assert ((mine["low"] < mine["value"]) & (mine["value"] < mine["high"])).all()
    spread = futures.paths["rent"].std(axis=1)
    assert spread[-1] > spread[0] > 0
    assert "no published future from" in futures.notes[0]
    if until == "2025-12-01":
        assert np.corrcoef(futures.paths["rent"][8], futures.paths["rent"][9])[0, 1] > 0.5


def test_a_future_without_a_range_is_taken_as_known_and_that_is_said() -> None:
    futures = driver_futures(rents().assign(low=np.nan, high=np.nan), counts(), 24, draws=50, seed=1)
    assert not futures.paths
    assert futures.notes == ("driver 'rent': the future is taken as known, because no low and high are given",)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (rents(until="2025-03-01").tail(5), "it has 5 figures, and 8 are needed"),
        (rents(until="2025-03-01").assign(value=lambda t: t["value"] - 600), "it is not always above 0"),
        (rents(until="2023-10-01"), "it ends 17 periods before the history does"),
        (rents().assign(high=lambda t: t["low"]), "24 rows whose range does not hold the value"),
        (rents().assign(high=np.nan), "24 rows whose range does not hold the value"),
        (rents().assign(value=lambda t: t["value"].where(t.index != 3, np.inf)), "not finite for 2018-07-01"),
        (rents().assign(high=lambda t: t["high"].where(t["high"].isna(), np.inf)), "not finite for 2025-04-01"),
        (pd.concat([rents(), rents().tail(1)]), "two figures for 2027-03-01"),
    ],
)
def test_what_cannot_be_drawn_is_refused(table: pd.DataFrame, told: str) -> None:
    with pytest.raises(DataError, match=told):
        driver_futures(table, counts(), 24, draws=20, seed=1)


def test_a_driver_that_is_nought_at_times_is_no_elasticity_and_that_is_told() -> None:
    history, term = counts(1), rents().assign(name="term", low=np.nan, high=np.nan, value=lambda t: (t["ds"].dt.month != 8).astype(float))
    assert driver_futures(term, history, 24, draws=20, seed=1).effects.empty
    made = forecast(history, ForecastSpec(horizon=6, models=["theta"], draws=20), seed=1, drivers=term)
    assert made.notes["note"].iloc[0] == (
        "NO MODEL USED THE DRIVER: 'term'. Nothing follows it: no elasticity could be estimated, because it is not always above 0"
    )


def test_a_driver_without_a_past_is_not_said_to_be_nought_or_to_leave_its_range() -> None:
    history, plan = counts(1), rents().loc[lambda t: t["ds"] > MONTHS[-1]].assign(name="plan")
    made = forecast(history, ForecastSpec(horizon=6, models=["theta"], draws=20), seed=1, drivers=plan)
    assert made.notes["note"].iloc[0] == (
        "NO MODEL USED THE DRIVER: 'plan'. Nothing follows it: no elasticity could be estimated, because no figures of it are known for the"
        " periods of the counts"
    )
    assert not made.notes["note"].str.contains("that was observed|nan", regex=True).any()


def test_each_draw_is_multiplied_by_its_own_driver_and_elasticity_and_the_mean_stays() -> None:
    history, draws = counts(2), 2000
    values = np.random.default_rng(2).normal(1e5, 1.0, (2, 24, draws))
    effects = effects_of(history, draws, elasticity=0.5)
    effects.loc[effects["unique_id"] == "s1", "elasticity"] = 0.0
    futures = known_path(0.1, draws, effects)
    moved = spread_by_drivers(values, futures, history=history, cutoffs=NONE, whole=np.zeros(2, dtype=bool), seed=1)
    expected = np.exp(0.5 * futures.paths["rent"])
    np.testing.assert_allclose(moved[0] / 1e5, expected / expected.mean(axis=1, keepdims=True), rtol=1e-3)
    np.testing.assert_allclose(moved.mean(axis=2), values.mean(axis=2), rtol=1e-12)
    np.testing.assert_allclose(moved[1], values[1])


def test_counts_stay_counts_with_their_mean() -> None:
    history, draws = counts(1, level=3.0), 3000
    values = np.random.default_rng(2).poisson(3.0, (1, 24, draws)).astype(float)
    futures = known_path(0.5, draws, effects_of(history, draws, elasticity=1.0))
    moved = spread_by_drivers(values, futures, history=history, cutoffs=NONE, whole=np.ones(1, dtype=bool), seed=1)
    np.testing.assert_array_equal(moved, np.rint(moved))
    assert moved.min() == 0
    np.testing.assert_allclose(moved.mean(axis=2), values.mean(axis=2), atol=2 / draws)
    assert moved.sum(axis=1).var() > 2 * values.sum(axis=1).var()


def test_a_stock_follows_its_driver_slowly() -> None:
    history, draws = counts(1, kind="stock"), 500
    values, futures = np.full((1, 24, draws), 1e4), known_path(0.1, draws, effects_of(counts(1), draws, elasticity=1.0, half_life=6.0))
    moved = spread_by_drivers(values, futures, history=history, cutoffs=NONE, whole=np.zeros(1, dtype=bool), seed=1)
    spread = np.log(moved[0]).std(axis=1)
    np.testing.assert_allclose(spread[[5, 11]] / futures.paths["rent"].std(axis=1)[0], [0.5, 0.75], rtol=0.03)


def test_what_replays_already_held_is_not_counted_twice() -> None:
    """The driver has jumped at random before, by as much as its range ahead says: the spread of demand stays what it was."""
    history, draws, jump = counts(1), 4000, 0.2
    rng = np.random.default_rng(8)
    value = np.exp(rng.normal(0, jump / np.sqrt(2), 84))
    past = pd.DataFrame({"ds": MONTHS, "name": "rent", "value": value, "low": np.nan, "high": np.nan})
    futures = Futures(past, {"rent": rng.normal(0, jump, (24, draws))}, effects_of(history, draws, elasticity=1.0))
    values = np.random.default_rng(2).normal(1e4, 3e3, (1, 24, draws))
    moved = spread_by_drivers(values, futures, history=history, cutoffs=MONTHS[20:60], whole=np.zeros(1, dtype=bool), seed=1)
    twice = spread_by_drivers(values, futures, history=history, cutoffs=NONE, whole=np.zeros(1, dtype=bool), seed=1)
    ratio = (moved.std(axis=2) / values.std(axis=2)).mean()
    assert 1.0 <= ratio < 1.06
    assert (twice.std(axis=2) / values.std(axis=2)).mean() > 1.15
    assert np.corrcoef(np.log(moved[0, 3]), futures.paths["rent"][3])[0, 1] > 0.5


def test_the_lag_of_publication_widens_what_was_unforeseen() -> None:
    history, draws = counts(1), 2000
    walk = np.exp(np.cumsum(np.random.default_rng(4).normal(0, 0.05, 84)))
    past = pd.DataFrame({"ds": MONTHS, "name": "rent", "value": walk, "low": np.nan, "high": np.nan})
    values, spreads = np.random.default_rng(2).normal(1e4, 2e3, (1, 6, draws)), []
    for lag in (0, 12):
        past.attrs["lag_months"] = lag
        futures = Futures(past, {"rent": np.random.default_rng(1).normal(0, 0.5, (6, draws))}, effects_of(history, draws, elasticity=0.4))
        moved = spread_by_drivers(
            values,
            futures,
            history=history,
            cutoffs=MONTHS[30:70],
            whole=np.zeros(1, bool),
            seed=1,
        )
        spreads.append(moved[0, 0].std())
    assert spreads[1] < 0.99 * spreads[0]


def test_a_forecast_carries_its_drivers_and_is_the_same_to_the_bit() -> None:
    history, spec = counts(2), ForecastSpec(horizon=6, models=["theta"], draws=60)
    plain = forecast(history, spec, seed=1)
    made = [forecast(history, spec, seed=1, drivers=rents(2.0, until=until)) for until in ("2025-09-01", "2025-09-01", "2025-03-01")]
    assert made[0].draws.to_numpy().tobytes() == made[1].draws.to_numpy().tobytes()
    np.testing.assert_allclose(made[0].draws.mean("draw"), plain.draws.mean("draw"), atol=1 / 60)
    assert set(made[0].effects["driver"]) == {"rent"}
    assert made[0].driver_futures["ds"].max() == pd.Timestamp("2025-09-01")
    told = made[2].notes.loc[made[2].notes["model"] == "combined", "note"]
    assert told.str.contains("no published future from April 2025 on: forecast from its own past").any()
    assert plain.effects.empty
    assert plain.driver_futures.empty


def test_a_driver_that_goes_where_it_never_was_is_told() -> None:
    table = rents()
    higher = table.assign(value=np.where(table["ds"] > MONTHS[-1], 2000.0, table["value"]), low=np.nan, high=np.nan)
    told = driver_futures(higher, counts(), 24, draws=20, seed=1).notes
    assert any("goes to 2,000 to 2,000 in the periods ahead, outside the" in text for text in told)
    assert not any("outside" in text for text in driver_futures(table, counts(), 24, draws=20, seed=1).notes)


@pytest.mark.parametrize(
    ("code", "lag", "late"), [("M", 0, 0), ("M", 2, 2), ("M", 4, 4), ("Q", 0, 0), ("Q", 2, 1), ("Q", 4, 2), ("Y", 2, 1)]
)
def test_a_replay_sees_of_a_driver_what_was_published_by_then(code: str, lag: int, late: int) -> None:
    frequency = Frequency(code)
    ds = frequency.periods(pd.Timestamp("2010-01-01"), 20)
    table = pd.DataFrame({"ds": ds, "name": "rent", "value": np.arange(20.0) + 100, "low": np.nan, "high": np.nan})
    table.attrs["lag_months"] = lag
    known = drivers_as_known(table, ds[12], ds[13:16])
    assert known is not None
    seen = known.set_index("ds")["value"]
    assert seen[ds[12 - late]] == 112 - late
    assert (seen[ds[13 - late] : ds[15]] == 112 - late).all()
    assert seen.index.max() == ds[15]
