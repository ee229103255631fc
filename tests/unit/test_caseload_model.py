"""The stock from flow as a model among models."""

import numpy as np
import pandas as pd
import pytest

from demand import ForecastSpec, backtest, forecast
from demand.calendar import Frequency
from demand.caseload.model import CaseloadSpec, caseload_of
from demand.combine import weigh
from demand.data.people import CountSpec, count_episodes
from demand.errors import DataError, SettingsError
from demand.models import build
from demand.people import Beside
from demand.replay import Task, cube_of, replay
from pipelines.results import redrawn

MODELS = ["seasonal_naive", "theta"]
COUNTS = [CountSpec(where={"service": ["front"]}, unit="people"), CountSpec(where={"service": ["care"]}, kind="stock", unit="people")]
KEYS = ["service", "type"]


def people(*, waves=True, seed=1):
    """Ten years in two types of place, with starts that rise and fall over three years, so that stocks follow them late."""
    rng = np.random.default_rng(seed)
    months = pd.date_range("2016-04-01", "2026-03-01", freq="MS")
    rate = 30 * np.exp(0.6 * np.sin(2 * np.pi * np.arange(len(months)) / 36)) if waves else np.full(len(months), 30.0)
    count = rng.poisson(rate)
    opened = np.repeat(months.to_numpy(), count) + rng.integers(0, 28, count.sum()).astype("timedelta64[D]")
    home = rng.random(len(opened)) < 0.4
    stay = np.ceil(rng.exponential(np.where(home, 500, 250))).astype("timedelta64[D]")
    care = pd.DataFrame(
        {"service": "care", "type": np.where(home, "home", "foster"), "opened": opened, "closed": opened + stay, "price": 500.0}
    )
    front = care.assign(service="front", type="asked", closed=care["opened"] + pd.Timedelta(days=20), price=np.nan)
    table = pd.concat([care, front], ignore_index=True).assign(person_id=lambda t: np.arange(len(t)) % len(care))
    return table.assign(closed=table["closed"].where(table["closed"] <= pd.Timestamp("2026-03-31")))


def counted(table):
    return count_episodes(table, COUNTS, keys=KEYS, frequency=Frequency("M"), last=pd.Timestamp("2026-03-31"))


def made(table, history=None, **settings):
    return caseload_of(table, COUNTS, keys=KEYS, history=history or counted(table), spec=CaseloadSpec(**settings))


def forecast_of(history, stocks, models):
    return forecast(history, ForecastSpec(horizon=12, models=models, draws=50, reconcile="bottom_up"), seed=1, beside=Beside(stocks))


@pytest.fixture(scope="module")
def with_flows():
    table = people()
    return forecast_of(counted(table), made(table), [*MODELS, "caseload"])


def test_it_takes_part_and_evidence_gives_it_the_weight(with_flows):
    assert with_flows.weights["caseload"] > 0.6
    assert sum(with_flows.weights.values()) == pytest.approx(1)


def test_what_only_rounding_changed_is_no_part_of_a_forecast(with_flows):
    draws = with_flows.draws.astype(float)
    same, more = (redrawn(with_flows, draws + added, feature="more").components for added in (1e-8, 1.0))
    assert not (same["feature"] == "more").any()
    assert (more["feature"] == "more").sum() == draws.sizes["series"] * draws.sizes["ds"]


def test_without_evidence_for_it_the_others_keep_the_weight():
    table = people(waves=False)
    history = counted(table)
    years = (table["opened"] - pd.Timestamp("2026-03-31")).dt.days / 365.25
    wrong = table[np.random.default_rng(2).random(len(table)) < np.exp(0.4 * years)]  # starts that grow, of a stock that does not
    assert forecast_of(history, made(wrong, history), [*MODELS, "caseload"]).weights["caseload"] < 0.2


def test_flows_are_forecast_as_if_it_were_not_there_and_shares_add_up(with_flows):
    plain = forecast_of(counted(people()), None, MODELS)
    flow = with_flows.means["unique_id"] == "front/asked"
    both = with_flows.means[flow].merge(plain.means, on=["unique_id", "ds", "model"])
    assert len(both) == int((plain.means["unique_id"] == "front/asked").sum())
    assert np.allclose(both["weight_x"], both["weight_y"])
    assert with_flows.means.groupby(["unique_id", "ds"])["weight"].sum().to_numpy() == pytest.approx(1)
    whole = with_flows.components.groupby(["unique_id", "ds"])["contribution"].sum()
    mean = with_flows.means.assign(part=lambda t: t["mean"] * t["weight"]).groupby(["unique_id", "ds"])["part"].sum()
    assert np.allclose(whole, mean, atol=1e-6)


def test_it_says_that_an_extract_holds_a_closed_group_and_that_prices_lack():
    table = people(waves=False)
    assert not made(table).predict(counted(table), 3, seed=1, explain=True).notes
    one = table[table["opened"] < "2025-03-01"].assign(price=lambda t: t["price"].where(t["person_id"] % 2 == 0))
    said = made(one, counted(one)).predict(counted(one), 3, seed=1, explain=True)
    lacking, closed = (note.text for note in said.notes)
    assert "have no price" in lacking
    assert "hardly anybody comes any more" in closed
    assert made(one, counted(one)).expected_starts(pd.Timestamp("2026-03-01"), 12, seed=1).sum() < 20  # some 360 a year came before


def test_it_sees_nothing_that_was_not_known():
    table, cutoff = people(), pd.Timestamp("2023-03-01")
    day = pd.Timestamp("2023-03-31")
    later = table.assign(closed=table["closed"].where(~(table["closed"] > day), table["closed"] + pd.Timedelta(days=400)))
    later.loc[later["opened"] > day, "type"] = "home"
    said = [made(t).predict(counted(t).until(cutoff), 6, seed=1).means for t in (table, later[later["opened"] <= day], later)]
    pd.testing.assert_frame_equal(said[0], said[1])
    pd.testing.assert_frame_equal(said[0], said[2])


def test_starts_are_those_that_were_known_although_the_service_grew_later():
    table = people(waves=False)
    small = table[(table["opened"] >= "2022-04-01") | (table["person_id"] % 20 == 0)]  # later twenty times as many
    short = small[small["opened"] < "2020-01-01"].assign(closed=lambda t: t["closed"].where(t["closed"] < "2020-01-01"))
    long, cut = (made(t, counted(small)).starts(pd.Timestamp("2019-12-01")).table for t in (small, short))
    pd.testing.assert_frame_equal(long, cut)


def test_at_a_cutoff_before_starts_were_recorded_nothing_is_said_and_others_forecast():
    table = people(waves=False)
    begun = table[~(table["closed"] < "2023-03-15")]  # who left before is not in the extract
    cutoff, history = pd.Timestamp("2023-03-01"), counted(begun)
    stocks = made(begun, history)
    assert stocks.predict(history.until(cutoff), 6, seed=1).means.empty
    with pytest.raises(DataError, match="no whole period"):
        made(begun, history.until(cutoff)).predict(history.until(cutoff), 6, seed=1)
    tasks = [Task(model, cutoff) for model in ("theta", "caseload")]
    of = {"theta": build("theta"), "caseload": stocks}
    for some in (tasks, tasks[1:]):
        replays = replay(history, of.__getitem__, some, steps=6, seed=1)
        assert set(replays["model"]) == {t.model for t in some if t.model == "theta"}
    replays = replay(history, of.__getitem__, tasks, steps=6, seed=1)
    assert weigh(cube_of(replays, history, steps=6), ["theta", "caseload"], stretches=5)["caseload"] == 0


def test_ends_that_are_known_cap_the_run_off_and_are_not_seen_by_replays():
    table = people(waves=False)
    ended = table.assign(known_end=pd.Timestamp("2026-06-30"))
    history = counted(table)
    plain, capped = made(table), made(ended)
    assert capped.spec.known_end == "known_end"
    starts = np.zeros((len(plain.series), 6, 20))
    left = [m.draws(starts, history.last, seed=1)["committed_people"].sum("series").mean("draw").to_numpy() for m in (plain, capped)]
    assert left[1][-1] == 0
    assert left[0][-1] > 10
    assert np.allclose(left[0][:2], left[1][:2])
    then = [m.predict(history.until(pd.Timestamp("2025-09-01")), 12, seed=1).means for m in (plain, capped)]
    pd.testing.assert_frame_equal(*then)


def test_starts_that_rise_are_seen_in_the_stock_before_the_stock_shows_them():
    table = people(waves=False)
    extra = table[(table["opened"] >= "2026-01-01") & (table["service"] == "care")]
    more = pd.concat([table, *(extra.assign(person_id=extra["person_id"] + 10_000 * k) for k in (1, 2))], ignore_index=True)
    stock = {}
    for name, one in (("even", table), ("risen", more)):
        history = counted(one)
        said = made(one).predict(history, 12, seed=1).means
        now = history.wide[["care/foster", "care/home"]].iloc[-1].sum()
        stock[name] = said.groupby("ds")["mean"].sum().iloc[-1] / now
    assert stock["risen"] > stock["even"] + 0.1


def test_it_is_not_a_model_where_no_people_are_given():
    with pytest.raises(SettingsError, match="'caseload' is not a model"):
        forecast_of(counted(people()), None, ["caseload"])


def test_a_count_without_a_stock_is_refused():
    table = people()
    with pytest.raises(DataError, match="no stock is counted"):
        caseload_of(table, COUNTS[:1], keys=KEYS, history=counted(table))


def test_who_came_and_who_is_expected_stand_in_one_table():
    table = people(waves=False)
    history = counted(table)
    stocks = made(table, history)
    coming = stocks.coming(history.last, 12, seed=1)
    assert list(coming.columns) == ["unique_id", "ds", "starts"]
    assert set(coming["unique_id"]) == set(stocks.series.index)
    whole = coming.groupby("ds")["starts"].sum()
    assert whole.index[-1] == pd.Timestamp("2027-03-01")
    opened = table[(table["service"] == "care") & table["opened"].between("2025-04-01", "2026-03-31")]
    assert whole.loc["2025-04-01":"2026-03-01"].sum() == pytest.approx(len(opened))
    assert whole.loc["2026-04-01":].sum() == pytest.approx(360, rel=0.15)


def test_it_is_asked_again_where_the_forecast_is_judged(with_flows):
    history = counted(people())
    found = backtest(history, with_flows, ForecastSpec(horizon=12, models=[*MODELS, "caseload"], draws=50, reconcile="bottom_up"), seed=1)
    said = found.rows[found.rows["model"] == "caseload"]
    assert set(said["unique_id"]) == {"care/foster", "care/home"}
    both = said.merge(found.rows[found.rows["model"] == "theta"], on=["unique_id", "ds", "cutoff"])
    assert (both["mean_x"] - both["y_x"]).abs().mean() < (both["mean_y"] - both["y_x"]).abs().mean()
    assert set(found.rows.loc[found.rows["model"] == "combined", "unique_id"]) == set(history.ids)
