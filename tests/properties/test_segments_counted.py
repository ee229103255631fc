"""Counts by segment: as at the time of each episode, adding up to the whole, with scenarios and pounds by segment."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from planning_cases import change, number, unit_cost

from demand.budget import price
from demand.calendar import Frequency
from demand.data.people import count_episodes
from demand.forecast import ForecastSpec, forecast
from demand.hierarchy import levels, totals
from demand.scenario import Scenario, apply
from demand.segments.find import SegmentSpec, find_segments
from demand.segments.model import SegmentModel, episode_segments
from demand.tables import History


def episodes(n: int = 600) -> pd.DataFrame:
    """People of whom half come back, a year later and with more needs; the first two needs tell segments."""
    rng = np.random.default_rng(2)
    many = rng.random(n) < 0.5

    def needs(likely: np.ndarray) -> dict[str, np.ndarray]:
        return {name: np.where(rng.random(len(likely)) < likely, "yes", "no") for name in ("drugs", "debts", "health", "arrears")}

    day = pd.Timestamp("2021-01-05") + pd.to_timedelta(rng.integers(0, 1400, n), unit="D")
    first = pd.DataFrame({"person_id": [f"p{i:03d}" for i in range(n)], "opened": day, **needs(np.where(many, 0.9, 0.1))})
    later = first.iloc[::2].assign(opened=day[::2] + pd.Timedelta(days=365), **needs(np.full(len(first.iloc[::2]), 0.95)))
    table = pd.concat([first, later], ignore_index=True)
    return table.assign(episode_id=[f"e{i:04d}" for i in range(len(table))], closed=table["opened"] + pd.Timedelta(days=30), area="North")


@pytest.fixture(scope="module")
def rules() -> SegmentModel:
    return find_segments(episodes(), SegmentSpec(method="latent_class", count=2), seed=1).model


def counted(table: pd.DataFrame, keys: list[str]) -> History:
    last = pd.Timestamp("2024-12-31")
    return count_episodes(table, keys=keys, frequency=Frequency("M"), first=pd.Timestamp("2021-01-01"), last=last)


def test_an_episode_counts_where_its_own_attributes_put_it(rules: SegmentModel) -> None:
    table = episodes()
    segment = episode_segments(rules, table)
    back = table["person_id"].duplicated()
    assert segment[back].nunique() < segment[~back].nunique() or (segment[back].value_counts(normalize=True).max() > 0.9)
    assert (
        segment[back].to_numpy() != segment[~back].set_axis(table.loc[~back, "person_id"])[table.loc[back, "person_id"]].to_numpy()
    ).any()


def test_what_is_learnt_later_changes_no_earlier_count(rules: SegmentModel) -> None:
    table, day = episodes(), pd.Timestamp("2023-01-01")
    other = table.copy()
    other.loc[other["opened"] >= day, ["drugs", "debts", "health", "arrears"]] = "no"
    before = [counted(t.assign(segment=episode_segments(rules, t)), ["area", "segment"]).table for t in (table, other)]
    a, b = (t[t["ds"] < day].sort_values(["unique_id", "ds"])["y"].to_numpy() for t in before)
    assert np.array_equal(a, b)
    assert not np.array_equal(before[0]["y"].to_numpy(), before[1]["y"].to_numpy())


def test_counts_forecasts_scenarios_and_pounds_by_segment_add_up(rules: SegmentModel) -> None:
    table = episodes()
    history = counted(table.assign(segment=episode_segments(rules, table)), ["area", "segment"])
    whole = counted(table, ["area"])
    assert "segment" in history.keys
    assert history.table.groupby("ds")["y"].sum().to_numpy().tolist() == whole.table["y"].tolist()
    made = forecast(history, ForecastSpec(horizon=15, models=["seasonal_naive"], draws=50), seed=1)
    told = totals(made.draws, levels(history.series), history=history)
    months = told[told["ds"].notna()]
    parts = months[months["level"] == "segment"].groupby("ds")["mean"].sum()
    drawn = made.draws.sum("series").mean("draw").to_numpy()
    assert np.allclose(parts.to_numpy(), drawn)
    assert np.allclose(months[months["level"] == "total"].sort_values("ds")["mean"], drawn)
    middle = np.quantile(made.draws.sum("series").to_numpy(), 0.9, axis=1)
    assert np.allclose(months[months["level"] == "total"].sort_values("ds")["q0.9"], middle, rtol=1e-5)
    names = [str(s) for s in made.draws["segment"].to_numpy()]
    scenario = Scenario(name="fewer", changes=[change("prevention", where={"segment": [names[0]]}, size=number(0.5), start="2025-04")])
    demand, _ = apply(made.draws, [scenario], seed=1)
    gap = (demand.sel(scenario="baseline") - demand.sel(scenario="fewer")).sum("ds")
    assert (gap[0] >= 0).all()
    assert float(gap[0].sum()) > 0
    assert float(abs(gap[1]).max()) == 0
    paid = [unit_cost(f"case {n}", {"segment": [n]}, number(100.0 * (i + 1), unit="GBP/person")) for i, n in enumerate(names)]
    cost = price(demand, paid, seed=1, history=history)
    assert cost.years.sizes["series"] == 2
    assert len(cost.labels) >= 1
