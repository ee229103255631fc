"""The planted effects of drivers, season and growth come back inside their 80 % ranges, about as often as such ranges promise.

One trial is one council, so that trials do not depend on each other: what its series have in common is one number. Population moves too
smoothly to be told from growth: its range must stay as wide as it was before any count, and hold the truth.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from demand.data.example import example_council
from demand.effects import PRIOR, estimate_effects
from demand.events import Event, clean
from demand.forecast import ForecastSpec, forecast

SERVICES = ("homelessness", "children", "adult_care")
LONG, SHORT = range(64), range(100, 110)
KINDS = ("flow", "stock")


def events(front: str) -> list[Event]:
    """What the configs of the example say had happened."""
    return [
        Event(name="the lockdowns", start="2020-03", end="2021-06", kind="shock"),
        Event(name="new case system", start="2022-10", kind="recording", where={"service": [front]}),
    ]


@cache
def estimated(service: str, seed: int) -> pd.DataFrame:
    """Give what the effects of one council have in common, by kind and driver: their 80 % range beside the truth."""
    council = example_council(seed, "tiny")
    history, plan = council.history(service), council.plan(service)
    effects = estimate_effects(clean(history, events(plan.front)), council.drivers(service), draws=400, seed=seed)
    effects["kind"] = effects["unique_id"].map(history.series["kind"])
    common = effects.groupby(["kind", "driver", "draw"])["elasticity"].mean().groupby(["kind", "driver"])
    table = pd.DataFrame({"low": common.quantile(0.1), "middle": common.median(), "high": common.quantile(0.9)})
    truth = table.index.get_level_values("driver").map(plan.elasticities)
    return table.assign(truth=truth, hit=(table["low"] <= truth) & (truth <= table["high"]), seed=seed)


def trials(service: str, seeds: range) -> pd.DataFrame:
    return pd.concat([estimated(service, seed) for seed in seeds]).reset_index()


def interval(hits: pd.Series) -> tuple[float, float]:
    """Give the 95 % interval of a rate (Clopper and Pearson)."""
    found = binomtest(int(hits.sum()), len(hits)).proportion_ci(0.95)
    return float(found.low), float(found.high)


def holds(hits: pd.Series) -> bool:
    """Say whether the interval of the rate has 0.8 in it."""
    low, high = interval(hits)
    return low <= 0.8 <= high


@pytest.mark.long
@pytest.mark.parametrize("service", SERVICES)
def test_effects_lie_in_their_ranges_as_often_as_promised(service: str) -> None:
    """First contacts follow a driver at once: as promised. Places fill slowly and evidence is thin: no less than promised."""
    table = trials(service, LONG)
    moving = table[~table["driver"].str.startswith("population")]
    rates = moving.groupby(["kind", "driver"])["hit"].agg(["mean", "size"])
    at_once = moving[moving["kind"] == "flow"].groupby("driver")["hit"].agg(holds)
    slowly = moving[moving["kind"] == "stock"].groupby("driver")["hit"].agg(lambda hits: interval(hits)[1] >= 0.8)
    assert at_once.all(), rates.to_string()
    assert slowly.all(), rates.to_string()


@pytest.mark.parametrize("service", ["homelessness"])
def test_effects_lie_in_their_ranges_in_a_few_councils(service: str) -> None:
    table = trials(service, SHORT)
    flows = table[(table["kind"] == "flow") & ~table["driver"].str.startswith("population")]
    assert holds(flows["hit"]), flows.to_string()
    # The restless driver is found in its place; rents rise too evenly in so small a council, and are drawn towards nothing.
    middle = flows.groupby("driver")["middle"].mean()
    assert middle["unemployment_claimants"] == pytest.approx(0.4, abs=0.2)
    assert 0.1 < middle["private_rent_median"] < 0.9


def test_nothing_is_claimed_to_be_learnt_of_a_driver_that_moves_too_smoothly() -> None:
    table = trials("homelessness", SHORT)
    smooth = table[table["driver"].str.startswith("population")]
    assert smooth["hit"].all()
    before = 2 * 1.2816 * PRIOR
    assert ((smooth["high"] - smooth["low"]) > 0.8 * before).all()


def year_ahead(service: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the first contacts of the first year ahead by quarter: as drawn, shape (4, draws), and as they really came."""
    council = example_council(seed, "tiny")
    history, plan = council.history(service), council.plan(service)
    flows = history.only(history.series.index[history.series["kind"] == "flow"])
    spec = ForecastSpec(horizon=12, models=["theta"], draws=300, events=events(plan.front))
    made = forecast(flows, spec, seed=seed, drivers=council.drivers(service))
    came = council.truth.future(service).only(flows.ids).wide.iloc[:12].sum(axis=1).to_numpy()
    drawn = made.draws.to_numpy().sum(axis=0, dtype=float)
    return drawn.reshape(4, 3, -1).sum(axis=1), came.reshape(4, 3).sum(axis=1)


def inside(drawn: np.ndarray, came: float) -> bool:
    return bool(np.quantile(drawn, 0.1) <= came <= np.quantile(drawn, 0.9))


def growth_and_season(service: str, seeds: range) -> pd.DataFrame:
    """Say by council whether the year's total, which tells growth, and the quarters' shares, which tell the season, came in range."""
    rows = []
    for seed in seeds:
        drawn, came = year_ahead(service, seed)
        year = drawn.sum(axis=0)
        some = year > 0
        shares = [inside(drawn[q, some] / year[some], came[q] / came.sum()) for q in range(4)]
        rows.append((inside(drawn.sum(axis=0), came.sum()), *shares))
    return pd.DataFrame(rows, columns=["growth", "q1", "q2", "q3", "q4"])


@pytest.mark.long
@pytest.mark.parametrize("service", SERVICES)
def test_growth_and_season_lie_in_their_ranges_as_often_as_promised(service: str) -> None:
    found = growth_and_season(service, LONG)
    # Councils whose growth is steady are forecast with the ranges of those whose growth is not: no less than promised.
    assert found.apply(lambda hits: interval(hits)[1] >= 0.8).all(), found.mean().to_string()


def test_growth_and_season_lie_in_their_ranges_in_a_few_councils() -> None:
    found = growth_and_season("homelessness", range(100, 106))
    assert holds(found[["growth", "q1", "q3"]].stack()), found.to_string()
