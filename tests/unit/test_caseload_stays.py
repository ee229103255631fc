"""How long people stay, and who runs on."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.caseload.levers import Lever, Pull
from demand.caseload.runoff import run_on
from demand.caseload.spells import as_known, spells_of
from demand.caseload.stays import learn_stays, seen_since
from demand.errors import DataError

DAY = pd.Timestamp("2026-03-31")
IDS = ["foster", "home"]
KINDS = {i: i for i in IDS}


def lived(n=6000, *, mean=(200.0, 400.0), moves=0.3, seed=5, price=(100.0, 900.0)):
    """People who came evenly over eleven years; stays are exponential, and of those from foster care some move on."""
    rng = np.random.default_rng(seed)
    opened = pd.Timestamp("2015-04-01") + pd.to_timedelta(np.sort(rng.integers(0, 4018, n)), unit="D")
    stay = np.ceil(rng.exponential(mean[0], n))
    first = pd.DataFrame({"person_id": np.arange(n), "type": "foster", "opened": opened, "price": price[0]})
    first["closed"] = first["opened"] + pd.to_timedelta(stay, unit="D")
    on = first[rng.random(n) < moves]
    then = on.assign(type="home", opened=on["closed"], price=price[1])
    then["closed"] = then["opened"] + pd.to_timedelta(np.ceil(rng.exponential(mean[1], len(on))), unit="D")
    return spells_of(pd.concat([first, then], ignore_index=True), keys=["type"])


def learnt(spells, **more):
    return learn_stays(as_known(spells, DAY), DAY, ids=IDS, kinds=KINDS, **more)


def none(periods=24, draws=200):
    return np.zeros((2, periods, draws))


def test_lengths_of_stay_come_back_from_open_stays_and_from_an_extract_that_begins_late():
    spells = lived(40_000)
    late = spells[spells["closed"].isna() | (spells["closed"] >= pd.Timestamp("2023-04-01"))]  # who left before is not in the extract
    for one in (spells, late):
        stays = learnt(one)
        assert stays.median(0) == pytest.approx(200 * np.log(2), rel=0.06)
        assert stays.median(1) == pytest.approx(400 * np.log(2), rel=0.1)
        assert np.allclose(stays.moving[0, :7, 0], 0.3, atol=0.04)
        assert stays.to.tolist() == [[0.0, 1.0], [0.0, 0.0]]


def test_a_few_stray_ends_before_an_extract_begins_do_not_make_stays_long():
    spells = lived(40_000)
    strays = spells[spells["closed"].between("2020-01-01", "2023-03-31")].iloc[::400]  # two a month, of some 300 that there were
    late = spells[spells["closed"].isna() | (spells["closed"] >= pd.Timestamp("2023-04-01"))]
    stays = learnt(pd.concat([strays, late]))
    assert seen_since(pd.concat([strays, late])) == pd.Timestamp("2023-04-01")
    assert stays.median(0) == pytest.approx(200 * np.log(2), rel=0.06)
    assert stays.unsure.max() < 0.1


@pytest.mark.parametrize("a_month", [4, 10, 30])
def test_a_stray_end_counts_in_no_service_however_small(a_month):
    months = pd.date_range("2020-01-01", "2025-12-01", freq="MS")
    ended = pd.DatetimeIndex(["2011-05-04", "2013-02-11", "2019-06-01"]).append(months.repeat(a_month))
    spells = pd.DataFrame({"opened": ended - pd.Timedelta(days=100), "closed": ended})
    assert seen_since(spells) == pd.Timestamp("2020-01-01")


def test_groups_are_learnt_apart_and_small_ones_lean_on_their_type():
    quick, slow = lived(3000, mean=(60.0, 400.0)), lived(3000, mean=(400.0, 400.0), seed=6)
    slow = slow.assign(person_id=slow["person_id"] + 10_000)
    both = pd.concat([quick.assign(alone="yes"), slow.assign(alone="no"), slow.head(2).assign(alone="rare")], ignore_index=True)
    stays = learnt(both, group="alone")
    assert stays.groups == ["no", "rare", "yes"]
    assert stays.median(0, 2) == pytest.approx(60 * np.log(2), rel=0.15)
    assert stays.median(0, 0) == pytest.approx(400 * np.log(2), rel=0.15)
    assert stays.median(0, 2) < stays.median(0, 1) < stays.median(0, 0) * 1.2


def test_stays_cut_by_a_birthday_do_not_shorten_the_others():
    rng = np.random.default_rng(3)
    n = 12_000
    opened = pd.Timestamp("2015-04-01") + pd.to_timedelta(rng.integers(0, 4018, n), unit="D")
    birth = rng.uniform(0, 17.9, n)
    stay = np.ceil(np.minimum(rng.exponential(900, n), (18 - birth) * 365.25))
    table = pd.DataFrame({"person_id": np.arange(n), "type": "foster", "opened": opened, "age": np.floor(birth)})
    spells = spells_of(table.assign(closed=table["opened"] + pd.to_timedelta(stay, unit="D")), keys=["type"])
    free = learn_stays(as_known(spells, DAY), DAY, ids=["foster"], kinds={"foster": "foster"}, leaves_at=18)
    assert free.median(0) == pytest.approx(900 * np.log(2), rel=0.1)
    assert free.staying_on == 0
    told = run_on(as_known(spells, DAY), free, np.zeros((1, 36, 200)), frequency=Frequency("M"), seed=1, leaves_at=18)
    ends = Frequency("M").end_of(pd.DatetimeIndex(told["ds"].to_numpy()))[35]
    there = spells[(spells["opened"] <= DAY) & ~(spells["closed"] <= DAY)]
    really = int((there["closed"] > ends).sum())
    assert float(told["people"][0, 35].mean()) == pytest.approx(really, abs=3 * np.sqrt(really))


def test_everybody_runs_on_as_time_already_served_says():
    spells = as_known(lived(), DAY)
    stays = learnt(spells)
    told = run_on(spells, stays, none(), frequency=Frequency("M"), seed=3)
    there = spells[spells["closed"].isna()].groupby("unique_id").size()
    ends = Frequency("M").end_of(pd.DatetimeIndex(told["ds"].to_numpy()))
    for k in (0, 5, 23):
        left = there["foster"] * np.exp(-(ends[k] - DAY).days / 200)
        assert float(told["committed_people"][0, k].mean()) == pytest.approx(left, rel=0.15, abs=3)
    assert (told["people"].to_numpy() >= told["committed_people"].to_numpy()).all()
    assert float(told["people"].sum("series")[0].max()) <= len(spells)


@pytest.mark.parametrize("drift", [-0.4, 0.4])
def test_hazards_change_by_calendar_time_however_far_ahead_is_asked(drift):
    spells = as_known(lived(), DAY)
    found = learnt(lived())
    stays = replace(
        found, rate=np.full_like(found.rate, 1 / 500), rests=np.full_like(found.rests, 1e9), unsure=np.zeros(2),
        drift=np.stack([np.full(found.drift.shape[:2], drift), np.zeros(found.drift.shape[:2])], axis=2), moving=found.moving * [0, 1],
    )  # fmt: skip
    starts = np.full((2, 60, 50), 3.0)
    short, long = (run_on(spells, stays, starts[:, :n], frequency=Frequency("M"), seed=4) for n in (12, 60))
    assert np.allclose(short["people"], long["people"][:, :12], atol=1e-9)
    years = (Frequency("M").end_of(pd.DatetimeIndex(long["ds"])) - DAY).days.to_numpy() / 365.25
    stay_on = np.exp(-365.25 / 500 * np.expm1(drift * years) / drift)  # Gompertz's law by calendar time
    left = (long["committed_people"].sum("series").mean("draw") / float(long["people_now"].sum())).to_numpy()
    assert np.allclose(left[:24], stay_on[:24], atol=0.01)


def test_one_end_in_all_says_little_of_a_types_share_of_moves():
    spells = lived(400)
    once = spells[(spells["unique_id"] == "home") & spells["closed"].notna()].tail(1)
    for goes in ("", "foster"):
        stays = learnt(pd.concat([spells[spells["unique_id"] == "foster"], once.assign(goes=goes)]))
        share = stays.drawn_moves(1, 400)[1]
        assert stays.moving[1, :, 1].max() == pytest.approx(1.0)
        assert (np.quantile(share, 0.9, axis=1) - np.quantile(share, 0.1, axis=1)).min() > 0.5


def test_a_known_end_is_that_of_the_place_and_goes_when_its_person_moves():
    quick = as_known(lived(4000, mean=(5.0, 4000.0), moves=1.0), DAY)
    one = quick[quick["closed"].isna()].head(1).assign(unique_id="foster", opened=DAY, planned_end=pd.Timestamp("2026-05-31"))
    told = run_on(one, learnt(quick), none(6, 400), frequency=Frequency("M"), seed=1, known_end="planned_end")
    assert told.people.sel(series="home").mean("draw").isel(ds=-1) > 0.8
    assert told.people.sel(series="foster")[2:].max() == 0


def test_each_placement_runs_on_at_its_own_price_until_its_known_end():
    spells = as_known(lived(400), DAY)
    dear = pd.DataFrame({"person_id": [-1], "type": ["home"], "opened": [pd.Timestamp("2026-02-01")], "closed": [pd.NaT], "price":
    [9000.0], "unique_id": ["home"], "came": [""], "goes": [""]})  # fmt: skip
    alone = spells[spells["closed"].notna()]
    one = pd.concat([alone, dear], ignore_index=True).assign(planned_end=pd.NaT)
    one.loc[one["person_id"] == -1, "planned_end"] = pd.Timestamp("2026-04-11")
    told = run_on(one, learnt(alone), none(3, 4000), frequency=Frequency("M"), seed=1, known_end="planned_end")
    pounds = told["committed_pounds"].sel(series="home").to_numpy()
    assert pounds[0].max() == pytest.approx(10 * 9000 / 7)  # the nights of 1 to 10 April
    assert pounds[1:].max() == 0
    assert np.rint(pounds[0] / (9000 / 7)) - pounds[0] / (9000 / 7) == pytest.approx(0, abs=1e-6)
    assert told["people"].sel(series="home")[0].max() == 0


def test_new_starters_fill_the_stock_to_starts_times_stay():
    spells = as_known(lived(), DAY)
    starts = np.zeros((2, 60, 200))
    starts[0] = np.random.default_rng(1).poisson(45, (60, 200))
    told = run_on(spells, learnt(spells), starts, frequency=Frequency("M"), seed=2)
    level = 45 / 30.44 * 200  # Little's law
    assert float(told["people"][0, -1].mean()) == pytest.approx(level, rel=0.08)
    assert float(told["people"][1, -1].mean()) == pytest.approx(level / 200 * 0.3 * 400, rel=0.12)
    prices = told["pounds"].sel(series="home")[-1].mean() / told["people"].sel(series="home")[-1].mean()
    assert float(prices) == pytest.approx(900 * 31 / 7, rel=0.03)


def test_the_dear_ones_stay_as_dear():
    spells = as_known(lived(), DAY)
    heavy = spells.assign(price=np.where(np.arange(len(spells)) % 20 == 0, 10_000.0, 100.0))
    starts = np.zeros((2, 1, 2000))
    starts[0] = 1
    told = run_on(heavy[heavy["closed"].notna()], learnt(heavy), starts, frequency=Frequency("M"), seed=2)
    weekly = told["pounds"][0, 0].to_numpy()
    assert 0.02 < (weekly > 3000).mean() < 0.08
    assert weekly.max() > 30_000


def test_a_placement_without_a_price_takes_its_types_mean_and_is_counted():
    spells = as_known(lived(300), DAY)
    some = spells.assign(price=spells["price"].mask(spells["closed"].isna() & (np.arange(len(spells)) % 3 == 0)))
    told = run_on(some, learnt(some), none(2, 10), frequency=Frequency("M"), seed=1)
    assert told.attrs["without_price"] == int(some.loc[some["closed"].isna(), "price"].isna().sum()) > 0
    assert np.isfinite(told["pounds"].to_numpy()).all()


def test_the_same_seed_gives_the_same_draws():
    spells = as_known(lived(500), DAY)
    one, two, other = (run_on(spells, learnt(spells), none(6, 20), frequency=Frequency("M"), seed=s) for s in (1, 1, 2))
    assert one.equals(two)
    assert not one.equals(other)


def test_half_starts_are_refused():
    spells = as_known(lived(300), DAY)
    with pytest.raises(DataError, match="whole numbers"):
        run_on(spells, learnt(spells), np.full((2, 3, 4), 0.5), frequency=Frequency("M"), seed=1)


def pulled(spells, starts, *, towards=(1.0, 1.0), **factors):
    """Run on with factors by series, the same in every period and draw."""
    ds = Frequency("M").after(DAY, starts.shape[1])
    edges = np.r_[np.asarray(ds).astype("datetime64[D]").astype(float), (Frequency("M").end_of(ds)[-1] - pd.Timestamp(0)).days + 1.0]
    shaped = {k: np.array(f)[:, None, None] * np.ones(starts.shape) for k, f in factors.items()}
    levers = [Lever(k, f, np.array(towards) == 1) for k, f in shaped.items()]
    pull = Pull.of(levers, starts, edges, ids=list(learnt(spells).ids), seed=1)
    return run_on(spells, learnt(spells), starts, frequency=Frequency("M"), seed=1, pull=pull)


def test_levers_on_stay_and_moves_do_what_they_say_and_nothing_else():
    spells = as_known(lived(), DAY)
    starts = none(48, 200)
    starts[0] = 45
    plain = pulled(spells, starts)
    halved = pulled(spells, starts, stay=[0.5, 1.0])

    def ratio(one, series):
        return float(one["people"][series, -1].mean() / plain["people"][series, -1].mean())

    assert ratio(halved, 0) == pytest.approx(0.5, rel=0.06)
    fewer = pulled(spells, starts, moves=[0.5, 0.5])
    assert ratio(fewer, 1) == pytest.approx(0.5, rel=0.15)
    assert ratio(fewer, 0) == pytest.approx(1, rel=0.03)
    same = pulled(spells, starts, stay=[1.0, 1.0])
    assert np.allclose(same["people"].mean("draw"), plain["people"].mean("draw"), rtol=1e-9)


def test_moves_towards_another_place_leave_the_others_as_they_are():
    spells = as_known(lived(), DAY)
    starts = none(24, 100)
    starts[0] = 45
    plain, meant, others = (pulled(spells, starts, moves=[2.0, 2.0], towards=t) for t in ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0)))
    assert np.array_equal(plain["people"], pulled(spells, starts)["people"])
    assert float(meant["people"][1, -1].mean()) > 1.6 * float(plain["people"][1, -1].mean())
    assert np.array_equal(others["people"], plain["people"])  # all who move go home
