"""Short and new series borrow season, growth and error from the others of their kind, and are told of."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.forecast import ForecastSpec, forecast
from demand.models import build
from demand.models.track import plain_path
from demand.tables import History

MONTHS, T, AHEAD = Frequency("M"), 72, 12
START = pd.Timestamp("2018-01-01")


def council(*, growth: float = 0.0, season: float = 0.0, new: int = 4, counts: int = 3, seed: int = 1) -> tuple[History, pd.DataFrame]:
    """Simulate sixteen like series; some have the last few counts only. Also gives what comes after."""
    rng, t = np.random.default_rng(seed), np.arange(T + AHEAD)[:, None]
    level = np.exp(rng.uniform(5, 7, 16))
    y = rng.poisson(level * np.exp(growth * t / 12 + season * np.cos(2 * np.pi * t / 12))).astype(float)
    wide = pd.DataFrame(y, index=MONTHS.periods(START, T + AHEAD), columns=[f"s{i:02d}" for i in range(16)])
    past = wide.iloc[:T].copy()
    past.iloc[: T - counts, :new] = np.nan
    long = past.rename_axis("ds").reset_index().melt("ds", var_name="unique_id", value_name="y").dropna()
    return History.of(long, MONTHS), wide.iloc[T:]


def error(told: pd.DataFrame, truth: pd.DataFrame, names: list[str]) -> float:
    said = told.pivot(index="ds", columns="unique_id", values="mean")[names]
    return float((said - truth[names]).abs().to_numpy().sum() / truth[names].to_numpy().sum())


NEW = [f"s{i:02d}" for i in range(4)]


@pytest.mark.parametrize("counts", [1, 2, 3, 6])
@pytest.mark.parametrize("model", ["theta", "ets"])
def test_the_season_of_the_others_is_borrowed(model: str, counts: int) -> None:
    history, truth = council(season=0.4, counts=counts)
    told = build(model).predict(history, AHEAD, seed=1)
    assert error(told.means, truth, NEW) < 0.12  # the last count alone: 0.4
    if counts < 5:
        assert {n.unique_id for n in told.notes if "too few counts" in n.text} == set(NEW)


def test_a_season_that_does_not_repeat_is_not_borrowed() -> None:
    history, _ = council(season=0.0, counts=2)
    told = build("theta").predict(history, AHEAD, seed=1).means
    mean = told[told["unique_id"].isin(NEW)].groupby("unique_id")["mean"]
    assert (mean.max() / mean.min() < 1.04).all()


def test_half_of_the_growth_of_the_others_is_borrowed() -> None:
    history, truth = council(growth=0.3, counts=3)
    told = build("theta").predict(history, AHEAD, seed=1).means
    rise = [told.loc[told["unique_id"] == i, "mean"].iloc[-1] / told.loc[told["unique_id"] == i, "mean"].iloc[0] for i in NEW]
    assert 1.02 < np.mean(rise) < np.exp(0.3)
    naive = pd.concat([told.assign(mean=told["unique_id"].map(history.wide.iloc[-1]))])
    assert error(told, truth, NEW) < error(naive, truth, NEW)


def test_many_counts_speak_for_themselves_and_few_are_averaged() -> None:
    assert plain_path(np.array([8000.0, 8000.0, 10000.0]), 1)[0] > 9800
    assert plain_path(np.array([1.0, 1.0, 4.0]), 1)[0] < 2.5
    assert plain_path(np.array([7.0]), 2).tolist() == [7.0, 7.0]


@pytest.mark.parametrize("counts", [2, 4, 8, 24])
def test_ranges_of_new_series_hold_what_comes(counts: int) -> None:
    inside, wide = [], []
    for seed in (1, 2, 3):
        history, truth = council(season=0.2, counts=counts, seed=seed)
        made = forecast(history, ForecastSpec(horizon=AHEAD, models=["seasonal_naive", "theta"], draws=200), seed=1)
        low, high = (made.draws.sel(series=NEW).quantile(q, "draw").to_numpy() for q in (0.1, 0.9))
        y = truth[NEW].to_numpy().T
        inside.append(((y >= low) & (y <= high)).mean())
        wide.append(((high - low) / y).mean())
        if counts == 2:
            said = made.notes[made.notes["note"].str.contains("only one or two counts")]
            assert set(said["unique_id"]) == set(NEW)
    assert 0.6 <= np.mean(inside) <= 1.0
    assert np.mean(wide) < 0.8
