"""Effects of drivers: their table, their reach, and the truth that was planted in simple series."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.effects import EFFECT_COLUMNS, estimate_effects
from demand.errors import DataError, SettingsError
from demand.tables import History

MONTHS = pd.date_range("2016-04-01", periods=120, freq="MS")


def drivers(seed: int, periods: int = 120) -> pd.DataFrame:
    rng, steps = np.random.default_rng(seed), np.arange(periods)
    rent = np.log(600) + 0.002 * steps + np.cumsum(rng.normal(0, 0.01, periods))
    jobs = np.cumsum(rng.normal(0, 0.03, periods)) + 0.2 * np.sin(steps / 17)
    ds = pd.date_range(MONTHS[0], periods=periods, freq="MS")
    return pd.concat([pd.DataFrame({"ds": ds, "name": n, "value": np.exp(v)}) for n, v in (("rent", rent), ("unemployment", jobs))])


def planted(seed: int, *, elasticity: float, count: int = 5, level: float = 80.0) -> tuple[History, pd.DataFrame]:
    rng, table = np.random.default_rng(seed + 1000), drivers(seed)
    push = np.log(table[table["name"] == "unemployment"]["value"].to_numpy())
    season = 0.1 * np.sin(2 * np.pi * np.arange(120) / 12)
    wander = [np.cumsum(rng.normal(0, 0.005, 120)) for _ in range(count)]
    rows = [
        pd.DataFrame(
            {"unique_id": f"s{i}", "ds": MONTHS, "y": rng.poisson(level * np.exp(elasticity * push + season + wander[i])).astype(float)}
        )
        for i in range(count)
    ]
    return History.of(pd.concat(rows), Frequency("M")), table


def middle(effects: pd.DataFrame, driver: str) -> float:
    return float(effects.loc[effects["driver"] == driver, "elasticity"].mean())


def test_the_table_has_every_series_driver_and_draw() -> None:
    history, table = planted(1, elasticity=0.5)
    effects = estimate_effects(history, table, draws=50, seed=1)
    assert tuple(effects.columns) == EFFECT_COLUMNS
    assert len(effects) == 5 * 2 * 50
    assert np.isfinite(effects["elasticity"]).all()
    rent = table[table["name"] == "rent"]["value"]
    assert effects.loc[effects["driver"] == "rent", "observed_high"].iloc[0] == rent.max()
    pd.testing.assert_frame_equal(effects, estimate_effects(history, table, draws=50, seed=1), check_exact=True)


@pytest.mark.parametrize("truth", [0.0, 0.6])
def test_a_planted_elasticity_comes_back(truth: float) -> None:
    found = [middle(estimate_effects(*planted(seed, elasticity=truth), draws=200, seed=1), "unemployment") for seed in range(4)]
    assert abs(np.mean(found) - truth) < 0.1


def test_thin_evidence_is_drawn_towards_nothing_and_stays_wide() -> None:
    history, table = planted(3, elasticity=1.5, count=1, level=2.0)
    few = history.until(pd.Timestamp("2018-03-01"))
    effects = estimate_effects(few, table, draws=400, seed=1)
    draws = effects.loc[effects["driver"] == "rent", "elasticity"]
    assert abs(draws.mean()) < 1.0
    assert draws.std() > 0.5


def test_a_series_too_short_to_speak_takes_the_effect_of_its_kind() -> None:
    history, table = planted(4, elasticity=0.6)
    short = History.of(
        pd.concat([history.table, pd.DataFrame({"unique_id": "new", "ds": MONTHS[-3:], "y": [4.0, 5.0, 6.0]})]), Frequency("M")
    )
    effects = estimate_effects(short, table, draws=200, seed=1)
    own = effects[(effects["unique_id"] == "new") & (effects["driver"] == "unemployment")]["elasticity"]
    assert abs(own.mean() - 0.6) < 0.25


def test_gaps_are_refused_and_drivers_without_logs_left_out() -> None:
    history, table = planted(5, elasticity=0.3)
    with pytest.raises(DataError, match="rent: it has no value for 2019-01-01"):
        estimate_effects(history, table[(table["name"] != "rent") | (table["ds"] != "2019-01-01")], draws=5, seed=1)
    below = table.assign(value=table["value"].where(table["name"] == "rent", table["value"] - 10))
    assert set(estimate_effects(history, below, draws=5, seed=1)["driver"]) == {"rent"}
    assert estimate_effects(history, table.iloc[:0], draws=5, seed=1).empty


def test_a_driver_that_never_changed_is_not_said_to_be_estimated() -> None:
    history, table = planted(1, elasticity=0.5)
    still = pd.concat([table, table[table["name"] == "rent"].assign(name="cap", value=5.0)])
    told = estimate_effects(history, still, draws=50, seed=1).groupby("driver")["source"].first()
    assert told["cap"].startswith("not estimated: the driver never changed")
    assert told["rent"].startswith("estimated from history")


def test_the_future_of_a_driver_changes_nothing() -> None:
    history, table = planted(6, elasticity=0.3)
    later = drivers(6, 150)
    known = later["ds"] <= history.last
    mixed = pd.concat([table, later[~known]])
    pd.testing.assert_frame_equal(
        estimate_effects(history, table, draws=20, seed=1), estimate_effects(history, mixed, draws=20, seed=1), check_exact=True
    )


def test_a_driver_that_is_a_straight_line_says_little_and_stays_within_reason() -> None:
    history, table = planted(7, elasticity=0.3)
    line = pd.DataFrame({"ds": MONTHS, "name": "population", "value": np.exp(11 + 0.0004 * np.arange(120))})
    effects = estimate_effects(history, pd.concat([table, line]), draws=200, seed=1)
    draws = effects.loc[effects["driver"] == "population", "elasticity"]
    assert draws.abs().max() < 8
    assert abs(draws.mean()) < 1.5


def test_a_sign_that_is_asked_for_is_kept_in_every_draw() -> None:
    history, table = planted(8, elasticity=0.05, level=30.0)
    free = estimate_effects(history, table, draws=800, seed=1)
    held = estimate_effects(history, table, draws=800, seed=1, signs={"unemployment": "positive"})
    before, after = (e.loc[e["driver"] == "unemployment", "elasticity"] for e in (free, held))
    assert 0.1 < (before < 0).mean() < 0.9
    assert (after > 0).all()
    # What is left of a posterior that is cut off: its own part beyond 0, not a part that was moved.
    kept = before[before > 0]
    assert abs(after.mean() - kept.mean()) < 0.35 * kept.std()
    sources = held.groupby("driver")["source"].unique()
    assert sources["unemployment"][0].endswith(", held positive as asked")
    assert "held" not in sources["rent"][0]
    rents = (e.loc[e["driver"] == "rent", "elasticity"] for e in (free, held))
    assert abs(np.subtract(*(r.mean() for r in rents))) < 0.5


def test_counts_that_speak_against_the_sign_leave_an_effect_near_nothing_and_that_is_said() -> None:
    history, table = planted(9, elasticity=0.6)
    held = estimate_effects(history, table, draws=400, seed=1, signs={"unemployment": "negative"})
    mine = held[held["driver"] == "unemployment"]
    assert (mine["elasticity"] < 0).all()
    assert mine["elasticity"].mean() > -0.25
    assert "held negative as asked although the counts alone give that 0%" in mine["source"].iloc[0]
    pd.testing.assert_frame_equal(held, estimate_effects(history, table, draws=400, seed=1, signs={"unemployment": "negative"}))


def test_a_sign_of_an_unknown_driver_is_refused() -> None:
    history, table = planted(5, elasticity=0.3)
    with pytest.raises(SettingsError, match=r"'unemploymnt' is not a driver[\s\S]*Did you mean 'unemployment'"):
        estimate_effects(history, table, draws=5, seed=1, signs={"unemploymnt": "positive"})


def test_periods_for_which_a_driver_is_not_published_yet_are_not_looked_at() -> None:
    history, table = planted(6, elasticity=0.6)
    late = table[(table["name"] != "rent") | (table["ds"] <= MONTHS[-3])]
    effects = estimate_effects(history, late, draws=100, seed=1)
    assert abs(middle(effects, "unemployment") - middle(estimate_effects(history, table, draws=100, seed=1), "unemployment")) < 0.1
