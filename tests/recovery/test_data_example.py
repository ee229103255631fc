"""The truth that is planted in the example council is there in its people, before any model has looked.

A large council is used, so that chance is small beside what was planted.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from demand.data.example import Council, example_council
from demand.data.example_people import shock_factor

SERVICES = ("homelessness", "children", "adult_care")


@pytest.fixture(scope="module")
def council() -> Council:
    return example_council(7, 60_000)


def first_entries(council: Council, service: str) -> pd.Series:
    """Count by month those who come for the first time, recorded or not."""
    lives = council.lives(service)
    opened = lives.opened[(lives.type < 0) & (lives.spell == 0)].astype("datetime64[D]").astype("datetime64[ns]")
    months = pd.date_range(council.first, council.last, freq="MS")
    return pd.Series(opened).dt.to_period("M").value_counts().reindex(months.to_period("M")).set_axis(months)


@pytest.mark.parametrize("service", SERVICES)
def test_entries_follow_the_drivers_with_the_planted_elasticities(council: Council, service: str) -> None:
    plan, months = council.plan(service), pd.date_range(council.first, council.last, freq="MS")
    years = np.arange(len(months)) / 12
    growth = np.log(sum(s.share * np.exp(s.growth * years) for s in plan.segments))
    known = growth + np.log(np.array(plan.season)[months.month - 1]) + np.log(shock_factor(plan, months))
    entries = first_entries(council, service)
    drivers = np.log(council.truth.drivers(service).reindex(months))
    # Population moves too smoothly to be told from growth: its planted effect is taken as known, as an analyst would take it.
    smooth = [d for d in drivers if d.startswith("population")]
    known = known + sum(plan.elasticities[d] * drivers[d] for d in smooth)
    moving = drivers.drop(columns=smooth)
    design = np.column_stack([np.ones(len(months)), moving])
    target = np.log(entries.to_numpy(dtype=float)) - known.to_numpy()
    found, _, _, _ = np.linalg.lstsq(design, target, rcond=None)
    residual = target - design @ found
    error = np.sqrt(residual.var(ddof=design.shape[1]) * np.diag(np.linalg.inv(design.T @ design)))
    for name, value, wide in zip(moving.columns, found[1:], error[1:], strict=True):
        # The common noise remembers, so that the error of ordinary least squares is up to twice too small.
        assert abs(value - plan.elasticities[name]) < 5 * wide
        assert value > 2 * wide


@pytest.mark.parametrize("service", SERVICES)
def test_the_shock_takes_away_the_planted_share_of_entries(council: Council, service: str) -> None:
    plan, entries = council.plan(service), first_entries(council, service)
    months = pd.DatetimeIndex(entries.index)
    left = pd.Series(shock_factor(plan, months), index=months)
    strength = council.truth.intensity(service).reindex(months) @ [s.share for s in plan.segments]
    without = strength / left
    expected = without * (entries[left == 1].sum() / without[left == 1].sum())
    inside = left < 1
    assert inside.sum() == 16
    found, planted = entries[inside].sum() / expected[inside].sum(), strength[inside].sum() / without[inside].sum()
    assert found == pytest.approx(planted, abs=4 / np.sqrt(expected[inside].sum()))
    assert found < 0.9


def test_the_season_is_seen_in_the_counts(council: Council) -> None:
    history = council.history("homelessness")
    flow = history.wide[history.series.index[history.series["kind"] == "flow"]].sum(axis=1)
    season = flow[:"2020-02"].groupby(flow[:"2020-02"].index.month).mean()
    planted = pd.Series(council.truth.season("homelessness"), index=range(1, 13))
    assert np.corrcoef(season, planted)[0, 1] > 0.8
    assert season.idxmin() == planted.idxmin() == 12


@pytest.mark.parametrize("service", SERVICES)
def test_the_new_case_system_records_more_first_contacts(council: Council, service: str) -> None:
    lives = council.lives(service)
    begun = lives.opened[lives.type < 0].astype("datetime64[D]")
    kept = lives.recorded[lives.type < 0]
    change = np.datetime64("2022-10-01")
    assert kept[begun >= change].all()
    assert 1 / kept[begun < change].mean() == pytest.approx(council.truth.recording(service), rel=0.02)


@pytest.mark.parametrize("service", ["homelessness", "adult_care"])
def test_lengths_of_stay_are_the_planted_ones_and_segments_differ(council: Council, service: str) -> None:
    lives, plan = council.lives(service), council.plan(service)
    seen = (lives.opened >= np.datetime64("2016-04-01").astype(int)) & (lives.opened < np.datetime64("2017-04-01").astype(int))
    table = pd.DataFrame({
        "segment": np.array([s.name for s in plan.segments])[lives.segment[lives.person]],
        "type": np.array([*plan.prices, ""])[lives.type],
        "days": lives.closed - lives.opened,
    })[seen & (lives.type >= 0)]  # fmt: skip
    found = table.groupby(["segment", "type"])["days"].agg(["median", "size"])
    planted = council.truth.stays(service).set_index(["segment", "type"])
    both = found.join(planted)
    both = both[both["size"] >= 60]
    assert len(both) >= 6
    expected = both["median_days"] * (1 + both["growth"] / 2)
    # The median of n lognormal stays has the standard error sigma x sqrt(pi / 2n) on the scale of logarithms.
    error = both["sigma"] * np.sqrt(np.pi / (2 * both["size"]))
    assert (np.abs(np.log(both["median"] / expected)) < 4 * error + 1 / both["median"]).all()
    assert both["median_days"].max() > 2 * both["median_days"].min()


def test_no_child_is_looked_after_beyond_the_eighteenth_birthday(council: Council) -> None:
    lives = council.lives("children")
    stays = lives.type >= 0
    assert ((lives.closed - lives.birth[lives.person])[stays] <= 18 * 365.25 + 1).all()


@pytest.mark.parametrize("service", SERVICES)
def test_people_of_a_segment_come_back_as_planted(council: Council, service: str) -> None:
    people, segment = council.people(service), council.truth.segments(service)
    front = people[people["service"] == council.plan(service).front]
    again = (front["times_before"] > 0).groupby(front["person_id"].map(segment)).mean()
    planted = pd.Series(council.truth.returning(service))
    assert list(again.sort_values().index) == list(planted.sort_values().index)


@pytest.mark.parametrize("service", SERVICES)
def test_segments_can_be_told_from_attributes(council: Council, service: str) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    people = council.people(service).drop_duplicates("person_id").head(3000)
    about = people[council.attributes(service)]
    coded = pd.get_dummies(about.astype(dict.fromkeys(about.select_dtypes("category"), object)), dummy_na=True).astype(float)
    design = StandardScaler().fit_transform(coded.fillna(coded.median()))
    truth = people["person_id"].map(council.truth.segments(service)).to_numpy()
    fitted = LogisticRegression(max_iter=400).fit(design[::2], truth[::2])
    assert fitted.score(design[1::2], truth[1::2]) > 0.9


@pytest.mark.parametrize("service", SERVICES)
def test_segments_go_to_different_places_and_cost_different_sums(council: Council, service: str) -> None:
    people = council.people(service)
    places = people[people["price"].notna()]
    segment = places["person_id"].map(council.truth.segments(service))
    shares = pd.crosstab(segment, places["type"], normalize="index")
    assert (shares.max() - shares.min() > 0.2).sum() >= 2
    costs = (places["price"] / places.groupby("type")["price"].transform("mean")).groupby(segment).mean()
    assert costs.max() / costs.min() > 1.1


def test_prices_rise_as_planted(council: Council) -> None:
    people = council.people("adult_care")
    new = people[people["price"].notna() & (people["opened"] >= council.first)]
    years = (new["opened"] - council.first).dt.days / 365.25
    level = np.log(new["price"]) - np.log(new.groupby("type")["price"].transform("mean"))
    assert np.polyfit(years, level, 1)[0] == pytest.approx(council.plan("adult_care").price_growth, abs=0.005)
