"""Changes of who comes, how long they stay, where they move and what a place costs: each apart, in people and in pounds."""

import numpy as np
import pandas as pd
import pytest
from planning_cases import change, forecast, number, unit_cost

from demand.budget import BudgetLine, BudgetSpec, line_costs, price, waterfall
from demand.budget.movement import steps_of
from demand.calendar import Frequency
from demand.caseload.known import KnownChange
from demand.caseload.levers import Lever, Pull
from demand.caseload.model import caseload_of
from demand.course import Course, joined
from demand.data.people import CountSpec, count_episodes
from demand.errors import ScenarioError
from demand.scenario import Flows, Scenario, WhatIf, apply, under
from demand.tables import make_draws

LAST, AHEAD, DRAWS = pd.Timestamp("2026-03-01"), 24, 40
SPEC = BudgetSpec(lines=[BudgetLine(name="foster", where={"type": ["foster"]}), BudgetLine(name="home", where={"type": ["home"]})])
COSTS = [
    unit_cost("foster", {"type": ["foster"]}, number(600, unit="GBP/child/week")),
    unit_cost("home", {"type": ["home"]}, number(5000, unit="GBP/child/week")),
]


@pytest.fixture(scope="module")
def made():
    """Children who begin in foster care, of whom three in ten move on to a home."""
    rng = np.random.default_rng(1)
    n = 1500
    opened = pd.Timestamp("2018-04-01") + pd.to_timedelta(np.sort(rng.integers(0, 2922, n)), unit="D")
    middle = opened + pd.to_timedelta(np.ceil(rng.exponential(250, n)), unit="D")
    first = pd.DataFrame({"person_id": np.arange(n), "type": "foster", "opened": opened, "closed": middle, "price": 600.0})
    moved = first[rng.random(n) < 0.3]
    second = moved.assign(type="home", opened=moved["closed"], price=5000.0)
    second["closed"] = second["opened"] + pd.to_timedelta(np.ceil(rng.exponential(400, len(second))), unit="D")
    people = pd.concat([first, second], ignore_index=True)
    day = pd.Timestamp("2026-03-31")
    people = people[people["opened"] <= day].assign(closed=lambda t: t["closed"].where(t["closed"] <= day)).reset_index(drop=True)
    counts = [CountSpec(kind="stock", unit="children")]
    history = count_episodes(people, counts, keys=["type"], frequency=Frequency("M"), last=LAST)
    stocks = caseload_of(people, counts, keys=["type"], history=history)
    starts = np.stack([rng.poisson(m, (AHEAD, DRAWS)).astype(float) for m in (15, 0)])
    ran = stocks.draws(starts, LAST, seed=1)
    ds = history.frequency.after(LAST, AHEAD)
    values = rng.permuted(ran.people.to_numpy(), axis=2) + 2
    draws = make_draws(values, history.series, ds, frequency=history.frequency, cutoff=LAST, seed=1, fingerprint="test")
    run_off = joined(draws, starts, ran, ran)
    return WhatIf(draws, (), 1, flows=Flows(stocks, run_off, LAST, 1)), history, Course.of(run_off)


def asked(made, *changes, together=None):
    case, history, course = made
    scenario = Scenario(name="s", question="?", changes=changes, together=together)
    case = WhatIf(case.draws, (scenario,), case.seed, flows=case.flows)
    demand, applied = apply(case.draws, case.scenarios, seed=1, flows=case.flows)
    return case, demand, price(demand, COSTS, seed=1, history=history, course=course), applied


def gap(demand):
    """How many more are there at the end under the scenario, by series."""
    more = demand.sel(scenario="s") - demand.sel(scenario="baseline")
    return more.mean("draw").isel(ds=-1).to_series()


def pounds(cost):
    lines = line_costs(cost, SPEC).isel(financial_year=-1).mean("draw")
    return (lines.sel(scenario="s") - lines.sel(scenario="baseline")).to_series()


@pytest.mark.parametrize("effect", ["entries", "stay", "moves", "price"])
def test_no_change_is_the_baseline_to_the_bit(made, effect) -> None:
    _, demand, cost, _ = asked(made, change("none", effect, size=number(1.0), start="2026-06"))
    assert np.array_equal(demand.sel(scenario="s"), demand.sel(scenario="baseline"))
    assert np.array_equal(cost.years.sel(scenario="s"), cost.years.sel(scenario="baseline"))


def test_fewer_entries_are_fewer_in_both_places_and_later_in_the_second(made) -> None:
    _, demand, cost, applied = asked(made, change("prevention", "entries", size=number(0.5), start="2026-10", where={"type": "foster"}))
    more = gap(demand)
    assert more["foster"] < -20
    assert more["home"] < -3
    assert np.array_equal(demand.sel(scenario="s").isel(ds=slice(0, 6)), demand.sel(scenario="baseline").isel(ds=slice(0, 6)))
    assert (pounds(cost) < 0).all()
    assert set(applied["unique_id"]) == {"foster", "home"}
    assert applied["sentence"].iloc[0] == "type foster: entries times 0.5, from 2026-10-01"


@pytest.mark.parametrize(
    ("effect", "size", "sign", "moved"), [("entries", 0.9, -1, "foster"), ("entries", 1.1, 1, "foster"), ("moves", 0.8, -1, "home")]
)
def test_whom_a_lever_does_not_touch_stays_as_without_it_so_that_no_future_moves_the_other_way(made, effect, size, sign, moved) -> None:
    _, demand, _, _ = asked(made, change("prevention", effect, size=number(size), where={"type": "foster"}))
    more = sign * (demand.sel(scenario="s") - demand.sel(scenario="baseline"))
    assert float(more.min()) >= 0
    assert float(more.sel(series=moved).isel(ds=-1).mean()) > 1


def test_a_lever_from_the_middle_of_a_month_acts_on_half_of_its_entries(made) -> None:
    whole, half = (
        asked(made, change("stop", "entries", size=number(0.0), start=day, where={"type": "foster"}))[1]
        for day in ("2026-10-01", "2026-10-16")
    )
    fewer = [float((d.sel(scenario="s") - d.sel(scenario="baseline")).sel(series="foster").isel(ds=6).mean()) for d in (whole, half)]
    assert fewer[1] / fewer[0] == pytest.approx(16 / 31, abs=0.1)


@pytest.mark.parametrize(("where", "count", "day", "first"), [("home", 2, "2027-01-15", 9), ("foster", -1, "2026-10-15", 6)])
def test_a_known_change_leaves_all_others_as_they_were(made, where, count, day, first) -> None:
    flows = made[0].flows
    starts = flows.run_off.starts.transpose("series", "ds", "draw").to_numpy()
    known = KnownChange.model_validate(
        {"date": day, "where": {"type": where}, "change": count, "likelihood": 1, "owner": "placements team"}
    )
    plain, after = (flows.stocks.draws(starts, LAST, seed=1, changes=c).people for c in ([], [known]))
    more = (after - plain).transpose("ds", "series", "draw").to_numpy()
    assert (more[:first] == 0).all()
    assert ((more * np.sign(count) >= 0) & (np.abs(more) <= abs(count))).all()
    assert (more[first:] != 0).any()


def test_shorter_stays_act_where_they_are_meant_and_step_downs_where_they_lead(made) -> None:
    _, demand, _, _ = asked(made, change("move on", "stay", size=number(0.7), where={"type": "home"}))
    assert gap(demand)["home"] < -5
    assert gap(demand)["foster"] == pytest.approx(0, abs=1e-6)
    _, fewer, cost, _ = asked(made, change("stay put", "moves", size=number(0.4), where={"type": "foster"}, to={"type": "home"}))
    assert gap(fewer)["home"] < -10
    assert pounds(cost)["home"] < 0


def test_a_price_alone_moves_pounds_and_nobody(made) -> None:
    case, demand, cost, _ = asked(made, change("in-house", "price", size=number(0.9), start="2027-04", where={"type": "home"}))
    assert np.array_equal(demand.sel(scenario="s"), demand.sel(scenario="baseline"))
    year = cost.years.sel(series="home", financial_year="2027-28")
    np.testing.assert_allclose(year.sel(scenario="s"), 0.9 * year.sel(scenario="baseline"), rtol=1e-6)
    told = waterfall(case, history=made[1], cost=cost)
    assert (told.loc[told["measure"] != "pounds", "amount"] == 0).all()
    assert (told.loc[(told["measure"] == "pounds") & (told["financial_year"] == "2027-28"), "amount"].sum()) < 0


def test_where_it_may_not_happen_those_futures_stay_as_they_are_to_the_bit(made) -> None:
    one = change("maybe", "stay", size=number(0.6), probability=number(0.5), where={"type": "foster"})
    _, demand, _, _ = asked(made, one)
    same = (demand.sel(scenario="s") == demand.sel(scenario="baseline")).all(("series", "ds")).to_numpy()
    assert 5 < same.sum() < DRAWS - 5


def test_waterfall_and_bridge_add_up_in_people_and_in_pounds(made) -> None:
    changes = [
        change("prevention", "entries", size=number(0.8, 0.7, 0.9), start="2026-06", ramp_months=3),
        change("move on", "stay", size=number(0.9, 0.85, 0.95), where={"type": "home"}),
        change("fees", "price", size=number(1.1, 1.0, 1.2), start="2026-10"),
    ]
    case, _, cost, _ = asked(made, *changes, together="multiply")
    told = waterfall(case, history=made[1], cost=cost)
    for _, rows in told.groupby(["financial_year", "measure"]):
        assert rows["amount"].sum() == pytest.approx(float((rows["to_total"] - rows["from_total"]).iloc[0]), abs=1e-6)
    whole = line_costs(cost, BudgetSpec()).sel(line="total").mean("draw").to_series()
    for year, rows in told[told["measure"] == "pounds"].groupby("financial_year"):
        assert rows["to_total"].iloc[0] == pytest.approx(whole["s", year], rel=1e-6)
    steps = steps_of(case, cost, SPEC, made[1])
    for line in ("foster", "home"):
        ends = [steps.pounds["s", line, y] for y in ("2026-27", "2027-28")]
        drawn = [s.pounds for s in steps.steps if (s.scenario, s.line, s.year) == ("s", line, "2027-28")]
        np.testing.assert_allclose(np.sum(drawn, axis=0), ends[1] - ends[0], atol=0.01)


def test_the_same_change_is_the_same_in_every_scenario_whatever_stands_beside_it(made) -> None:
    one = change("prevention", "entries", size=number(0.8, 0.7, 0.9))
    alone = under(made[0], {"a": one}, together=None)
    beside = under(made[0], {"a": one, "b": change("fees", "price", size=number(1.2))}, together="multiply")
    assert np.array_equal(alone.parts["a"][1].values, beside.parts["a"][1].values)


def test_changes_of_flows_need_people_and_name_what_there_is(made) -> None:
    one = change("prevention", "entries", size=number(0.8))
    with pytest.raises(ScenarioError, match="needs stocks that are followed person by person"):
        apply(made[0].draws, [Scenario(name="s", changes=(one,))], seed=1)
    with pytest.raises(ScenarioError, match="Did you mean 'home'"):
        asked(made, change("step down", "moves", size=number(2.0), to={"type": "hom"}))
    with pytest.raises(ValueError, match="'to' belongs to effect: shift and effect: moves and effect: cap"):
        change("x", "stay", size=number(0.9), to={"type": "home"})
    with pytest.raises(ValueError, match="needs a size in 'ratio'"):
        change("x", "entries", size=number(5, unit="children"))


def test_who_does_not_fit_goes_to_the_dearer_place_at_its_price() -> None:
    draws, history = forecast()
    full = change("full", "cap", size=number(25, unit="households"), where={"area": "North", "type": "hostel"}, to={"type": "bnb"})
    demand, _ = apply(draws, [Scenario(name="s", changes=(full,))], seed=1)
    base, new = (demand.sel(scenario=n) for n in ("baseline", "s"))
    spilt = np.maximum(base.sel(series="North/hostel") - 25, 0)
    np.testing.assert_allclose(new.sel(series="North/hostel"), np.minimum(base.sel(series="North/hostel"), 25), atol=1e-4)
    np.testing.assert_allclose(new.sel(series="North/bnb") - base.sel(series="North/bnb"), spilt, atol=1e-4)
    costs = [unit_cost(n, {"type": n}, number(p, unit="GBP/household/week")) for n, p in (("hostel", 300), ("bnb", 700))]
    cost = price(demand, costs, seed=1, history=history).years.sum("series").sel(financial_year="2027-28")
    more = (cost.sel(scenario="s") - cost.sel(scenario="baseline")).mean("draw")
    assert float(more) == pytest.approx(float(spilt.mean()) * 400 * 366 / 7, rel=0.15)


def test_a_cap_holds_what_other_changes_have_made_and_nobody_is_lost() -> None:
    draws, _ = forecast()
    hostels = {"area": ["North"], "type": ["hostel"]}
    full = change("full", "cap", size=number(25, unit="households"), where=hostels, to={"type": "bnb"})
    more = change("more", size=number(1.5), where=hostels)
    for changes in ((full, more), (more, full)):
        demand, _ = apply(draws, [Scenario(name="s", changes=changes, together="multiply")], seed=1)
        new, base = demand.sel(scenario="s"), demand.sel(scenario="baseline")
        assert float(new.sel(series="North/hostel").max()) <= 25 + 1e-4
        whole = base.sel(series="North/bnb") + 1.5 * base.sel(series="North/hostel")
        np.testing.assert_allclose(new.sel(series=["North/bnb", "North/hostel"]).sum("series"), whole, rtol=1e-5)


def test_caps_hold_where_part_of_what_goes_on_comes_back() -> None:
    draws, _ = forecast()
    hostel, bnb = ({"area": ["North"], "type": [name]} for name in ("hostel", "bnb"))
    full = change("full", "cap", size=number(5, unit="households"), where=hostel, to={"type": "bnb", "area": ["North", "South"]})
    back = change("back", "cap", size=number(6, unit="households"), where=bnb, to={"type": "hostel", "area": ["North", "South"]})
    demand, _ = apply(draws, [Scenario(name="s", changes=(full, back), together="multiply")], seed=1)
    new, base = demand.sel(scenario="s"), demand.sel(scenario="baseline")
    np.testing.assert_allclose(new.sum("series"), base.sum("series"), rtol=1e-5)
    assert float(new.sel(series="North/hostel").max()) <= 5 + 1e-4
    assert float(new.sel(series="North/bnb").max()) <= 6 + 1e-4


def test_the_place_that_takes_the_overflow_has_a_cap_in_turn() -> None:
    draws, _ = forecast()
    hostel, bnb = {"area": ["North"], "type": ["hostel"]}, {"area": ["North"], "type": ["bnb"]}
    full = change("full", "cap", size=number(25, unit="households"), where=hostel, to={"type": "bnb"})
    next_full = change("next full", "cap", size=number(12, unit="households"), where=bnb, to={"area": "South"})
    back = change("back", "cap", size=number(12, unit="households"), where=bnb, to={"type": "hostel"})
    for changes in ((full, next_full), (next_full, full), (full, back)):
        demand, _ = apply(draws, [Scenario(name="s", changes=changes, together="multiply")], seed=1)
        new, base = demand.sel(scenario="s"), demand.sel(scenario="baseline")
        np.testing.assert_allclose(new.sum("series"), base.sum("series"), rtol=1e-5)
        if back not in changes:
            assert float(new.sel(series="North/hostel").max()) <= 25 + 1e-4
            assert float(new.sel(series="North/bnb").max()) <= 12 + 1e-4


def test_changes_of_flows_that_meet_act_on_the_same_people_in_one_run(made) -> None:
    """A tenth fewer come and they stay half as long: everybody is drawn once under both, not the product of two answers."""
    flows, several = made[0].flows, [
        change("prevention", "entries", size=number(0.7), where={"type": "foster"}),
        change("move on", "stay", size=number(0.5)),
        change("stay put", "moves", size=number(0.4), where={"type": "foster"}, to={"type": "home"}),
    ]  # fmt: skip
    _, demand, _, _ = asked(made, *several, together="multiply")
    on = np.ones((2, AHEAD, DRAWS))
    levers = [
        Lever("entries", on * np.array([0.7, 1.0])[:, None, None]),
        Lever("stay", on * 0.5),
        Lever("moves", on * np.array([0.4, 1.0])[:, None, None], np.array([False, True])),
    ]
    run = flows.run_off.run.to_numpy()
    starts = flows.run_off.starts.transpose("series", "ds", "draw").to_numpy()[:, :, np.argsort(run)]
    drawn = flows.stocks.draws(starts, LAST, seed=1, levers=levers).people.to_numpy()[:, :, run]
    base = demand.sel(scenario="baseline").to_numpy()
    wanted = np.maximum(base + drawn - flows.run_off.people.transpose("series", "ds", "draw").to_numpy(), 0)
    np.testing.assert_allclose(demand.sel(scenario="s"), wanted, rtol=1e-6)
    assert np.array_equal(demand, asked(made, *several, together="add")[1])


def test_levers_on_one_thing_multiply_and_moves_to_two_places_stay_apart() -> None:
    starts, ids = np.full((3, 2, 4), 10.0), ["a", "b", "c"]
    one, two, to = np.full(starts.shape, 0.5), np.full(starts.shape, 3.0), np.array([[0, 0.25, 0.75], [0, 0, 0], [0, 0, 0]])
    meant = [Lever("moves", f, np.isin(ids, t)) for f, t in ((one, ["b"]), (two, ["b", "c"]))]
    pull = Pull.of([Lever("stay", one), Lever("stay", two), *meant], starts, np.array([0.0, 30.0, 61.0]), ids=ids, seed=1)
    who = (np.array([0]), np.array([0]), np.array([5.0]))
    assert (pull.stay == 1.5).all()
    assert pull.more_moves(to, *who) == pytest.approx([0.25 * 1.5 + 0.75 * 3])
    assert pull.led(to, *who)[0] == pytest.approx([0, 0.25 * 1.5, 0.75 * 3])
    assert pull.more_moves(to, *who[:2], np.array([80.0])) == pytest.approx([1])


def test_whose_stay_changes_stays_the_same_person_wherever_they_go(made) -> None:
    """Shorter first stays bring everybody to the second place sooner, for as long and with the same next step."""
    flows = made[0].flows
    starts = np.zeros((2, 60, 20))
    on = np.ones(starts.shape) * np.array([0.6, 1.0])[:, None, None]
    plain, other = (flows.stocks.draws(starts, LAST, seed=seed).weeks.isel(series=1).sum("ds") for seed in (1, 2))
    after = flows.stocks.draws(starts, LAST, seed=1, levers=[Lever("stay", on)]).weeks.isel(series=1).sum("ds")
    assert float((np.abs(after - plain) / plain).mean()) < 0.02
    assert float((np.abs(other - plain) / plain).mean()) > 0.1
