"""What those who are there go on to cost, beside new starts and known changes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.caseload.known import KnownChange
from demand.caseload.model import CaseloadSpec, caseload_of
from demand.caseload.spells import as_known
from demand.commitments import TOTAL, commitments, drawn_starts, shared_out
from demand.data.people import CountSpec, count_episodes
from demand.forecast import ForecastSpec

LAST, HEADS = pd.Timestamp("2026-03-01"), (("foster", 900.0), ("home", 100.0))


@pytest.fixture(scope="module")
def stocks():
    rng = np.random.default_rng(1)
    n = 2400
    opened = pd.Timestamp("2018-04-01") + pd.to_timedelta(np.sort(rng.integers(0, 2922, n)), unit="D")
    kind = np.where(rng.random(n) < 0.5, "foster", "home")
    closed = opened + pd.to_timedelta(np.ceil(rng.exponential(np.where(kind == "foster", 200, 500))), unit="D")
    people = pd.DataFrame({"person_id": np.arange(n), "type": kind, "opened": opened, "price": np.where(kind == "foster", 600.0, 5000.0)})
    people["closed"] = closed.where(closed <= pd.Timestamp("2026-03-31"))
    counts = [CountSpec(kind="stock", unit="children")]
    history = count_episodes(people, counts, keys=["type"], frequency=Frequency("M"), last=LAST)
    return caseload_of(people, counts, keys=["type"], history=history)


def test_items_add_up_to_the_total_with_known_changes_on_lines_of_their_own(stocks):
    starts = np.random.default_rng(2).poisson(12, (2, 12, 200)).astype(float)
    said = {"date": "2026-06-01", "change": -2, "likelihood": 0.5, "owner": "team"}
    changes = [KnownChange.model_validate({**said, "where": {"type": t}}) for t in ("home", "foster")]
    _, draws, table = commitments(stocks, starts, LAST, seed=1, changes=changes)
    items = table[table["item"] != TOTAL].groupby(["unique_id", "ds"])[["people", "pounds"]].sum()
    total = table[table["item"] == TOTAL].set_index(["unique_id", "ds"])
    assert np.allclose(items, total[["people", "pounds"]])
    assert set(table["item"]) == {"open now", "new starts", "known: team, 01 June 2026", "known: team, 01 June 2026 (2)", TOTAL}
    assert (total["pounds_low"] <= total["pounds"]).all()
    assert (total["pounds"] <= total["pounds_high"]).all()
    first = table[table["item"] == "known: team, 01 June 2026"].set_index(["unique_id", "ds"])
    assert first.loc[("home", pd.Timestamp("2026-07-01")), "people"] == pytest.approx(-1, abs=0.3)
    assert float(draws["people"].sum()) == pytest.approx(float(total["people"].sum() * 200))


def test_new_starts_go_with_the_people_whom_they_are_forecast_per_and_those_who_are_there_only_leave(stocks):
    """A population, given by type, that stands still for years and is half as large again from the next month on."""
    ds = pd.date_range("2017-01-01", "2027-03-01", freq="MS")
    figures = [pd.DataFrame({"ds": ds, "name": "population", "type": t, "value": np.where(ds > LAST, 1.5, 1.0) * n}) for t, n in HEADS]
    drivers = pd.concat(figures, ignore_index=True)
    per = replace(stocks, per="population")
    starts = drawn_starts(per, LAST, ForecastSpec(horizon=12, draws=40), seed=1, drivers=drivers)
    assert starts.shape == (2, 12, 40)
    assert starts.sum() / 40 / 12 == pytest.approx(1.5 * 25, rel=0.25)  # 2,400 starts in 96 months
    named = drivers.assign(name=drivers["name"] + " (" + drivers["type"] + ")").drop(columns="type")
    expected = [s.expected_starts(LAST, 12, seed=1, drivers=d).sum() for s, d in ((stocks, None), (per, named))]
    assert expected[1] / expected[0] == pytest.approx(1.5)
    *_, table = commitments(stocks, starts, LAST, seed=1)
    kept = table[table["item"] == "open now"].pivot(index="ds", columns="unique_id", values="people")
    assert (kept.diff().dropna() <= 0).all(axis=None)
    assert (table.loc[table["item"] == "new starts", "people"] >= 0).all()
    lasting = stocks.lasting(LAST, 12).loc["foster"]
    assert lasting.iloc[-1] == pytest.approx(np.exp(-365 / 200), abs=0.04)
    assert (lasting.diff().dropna() < 0).all()


def test_who_is_not_recorded_leaves_as_their_own_group_does_and_whose_end_is_not_as_those_who_are_there():
    """A tenth stay for years and the others for weeks: of starters few stay, of those who are there most."""
    rng = np.random.default_rng(1)
    opened = pd.Timestamp("2018-04-01") + pd.to_timedelta(np.sort(rng.integers(0, 2922, 2400)), unit="D")
    group = np.where(rng.random(2400) < 0.1, "a long", "short")
    closed = opened + pd.to_timedelta(np.ceil(rng.exponential(np.where(group == "a long", 2000, 60))), unit="D")
    people = pd.DataFrame({"person_id": np.arange(2400), "type": "foster", "group": group, "opened": opened})
    people["closed"] = closed.where(closed <= pd.Timestamp("2026-03-31"))
    counts = [CountSpec(kind="stock", unit="children")]
    history = count_episodes(people, counts, keys=["type"], frequency=Frequency("M"), last=LAST)
    told = caseload_of(people, counts, keys=["type"], history=history, spec=CaseloadSpec(group="group"))
    days = np.array([30, 91, 183, 365])
    started, there = (told.lasting(LAST, 12, day).iloc[0, [0, 2, 5, 11]].to_numpy() for day in ("opened", "closed"))
    assert started == pytest.approx(0.1 * np.exp(-days / 2000) + 0.9 * np.exp(-days / 60), abs=0.05)
    ran = told.draws(np.zeros((1, 12, 100)), LAST, seed=1)
    assert there == pytest.approx((ran.people.mean("draw") / ran.people_now).to_numpy()[0, [0, 2, 5, 11]], abs=0.03)


def test_nothing_is_learnt_of_what_lies_before_the_history():
    """An old system of which one end in four was carried over: starts of its years are too few, and no population reaches so far back."""
    rng = np.random.default_rng(1)
    opened = pd.Timestamp("2012-04-01") + pd.to_timedelta(np.sort(rng.integers(0, 5113, 1500)), unit="D")
    closed = opened + pd.to_timedelta(np.ceil(rng.exponential(300, 1500)), unit="D")
    people = pd.DataFrame({"person_id": np.arange(1500), "type": "home", "opened": opened})
    people["closed"] = closed.where(closed <= pd.Timestamp("2026-03-31"))
    people = people[(people["closed"] >= "2016-04-01") | people["closed"].isna() | (rng.random(1500) < 0.25)]
    first, counts = pd.Timestamp("2016-04-01"), [CountSpec(kind="stock", unit="children")]
    history = count_episodes(people, counts, keys=["type"], frequency=Frequency("M"), first=first, last=LAST)
    told = caseload_of(people, counts, keys=["type"], history=history)
    assert told.starts(LAST).wide.index[0] == first
    day = pd.Timestamp("2018-03-31")
    whole, cut = (replace(told, since=s).stays(as_known(told.spells, day), day).median(0) for s in (None, first))
    assert cut == pytest.approx(300 * np.log(2), rel=0.15)
    assert whole > cut
    drivers = pd.DataFrame({"ds": pd.date_range(first, LAST, freq="MS"), "name": "population", "value": 1000.0})
    assert replace(told, per="population").expected_starts(LAST, 12, seed=1, drivers=drivers).sum() == pytest.approx(1500 / 14, rel=0.25)


def test_one_stay_in_a_series_more_leaves_the_people_of_the_others_who_they_are():
    rng = np.random.default_rng(1)
    opened = pd.Timestamp("2020-04-01") + pd.to_timedelta(np.sort(rng.integers(0, 2190, 900)), unit="D")
    closed = opened + pd.to_timedelta(np.ceil(rng.exponential(200, 900)), unit="D")
    people = pd.DataFrame({"person_id": np.arange(900), "type": "home", "opened": opened, "price": 600.0})
    people["closed"] = closed.where(closed <= pd.Timestamp("2026-03-31"))
    day = pd.Timestamp("2021-05-01")
    more = pd.DataFrame({"person_id": [-1], "type": ["abbey"], "opened": [day], "price": [600.0], "closed": [day + pd.Timedelta(days=30)]})
    counts, found = [CountSpec(kind="stock", unit="children")], []
    for table in (people, pd.concat([more, people], ignore_index=True)):
        history = count_episodes(table, counts, keys=["type"], frequency=Frequency("M"), last=LAST)
        told = caseload_of(table, counts, keys=["type"], history=history)
        starts = np.where(told.series.index == "home", 12.0, 0.0)[:, None, None] * np.ones((1, 12, 100))
        found.append(told.draws(starts, LAST, seed=1)["people"].sel(series="home").to_numpy())
    assert (found[0] == found[1]).mean() > 0.9
    assert np.corrcoef(found[0][-1], found[1][-1])[0, 1] > 0.99


def test_a_type_that_nobody_was_in_by_a_cutoff_starts_like_all_others():
    rng = np.random.default_rng(1)
    opened = pd.Timestamp("2018-04-01") + pd.to_timedelta(np.sort(rng.integers(0, 2922, 600)), unit="D")
    late = (opened >= "2025-07-01") & (rng.random(600) < 0.5)
    people = pd.DataFrame({"person_id": np.arange(600), "type": np.where(late, "new", "home"), "opened": opened, "price": 600.0})
    closed = opened + pd.Timedelta(days=200)
    people["closed"] = closed.where(closed <= pd.Timestamp("2026-03-31"))
    counts = [CountSpec(kind="stock", unit="children")]
    history = count_episodes(people, counts, keys=["type"], frequency=Frequency("M"), last=LAST)
    told = caseload_of(people, counts, keys=["type"], history=history).predict(history.until(pd.Timestamp("2024-03-01")), 12, seed=1)
    assert told.means.groupby("unique_id")["mean"].mean()["new"] < 5


def test_a_new_series_takes_its_share_of_starts_and_leaves_those_of_others_as_they_were():
    total = np.full((6, 2000), 60.0)
    seen = {"a/hostel": 40.0, "b/hostel": 25.0, "a/hotel": 20.0, "b/hotel": 15.0}
    before = shared_out(total, seen, seed=3)
    assert np.array_equal(sum(before.values()), total)
    backwards = shared_out(total, dict(reversed(seen.items())), seed=3)
    assert all(np.array_equal(before[name], backwards[name]) for name in seen)
    for name, weight in seen.items():  # the Dirichlet-multinomial: Johnson, Kotz and Balakrishnan 1997, section 35.13.1
        share, drawn = weight / 100, before[name][0]
        assert drawn.mean() == pytest.approx(60 * share, rel=0.03)
        assert drawn.var() == pytest.approx(60 * share * (1 - share) * (100 + 60) / 101, rel=0.12)
    after = shared_out(total, {"a/new": 0.5, **seen}, seed=3)
    assert np.mean([np.abs(after[name] - before[name]).sum() for name in seen]) < 0.01 * total.sum()
    assert np.mean([(after[name] == before[name]).mean() for name in seen]) > 0.85
