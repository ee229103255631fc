"""What each kind of change does to draws."""

import numpy as np
import pandas as pd
import pytest
from planning_cases import change, effects, forecast, number

from demand.calendar import Frequency
from demand.people import People
from demand.scenario import Scenario, WhatIf, apply, compare, demand_table, exposure_of, measured
from demand.scenario.timing import phase
from demand.tables import summarise


def one(*changes, **more):
    return Scenario(name="s", changes=changes, **more)


def test_a_ramp_grows_by_the_same_step_every_day() -> None:
    ds = pd.date_range("2027-03-01", periods=9, freq="MS")
    flow, stock = phase(ds, Frequency("M"), change(start="2027-04", ramp_months=6))
    assert flow[0] == stock[0] == 0
    assert stock[1] == pytest.approx(30 / (6 * 365.25 / 12))
    assert flow[1] == pytest.approx(stock[1] / 2 + 0.5 / (6 * 365.25 / 12))
    assert flow[8] == stock[8] == 1
    assert (np.diff(flow) >= 0).all()


def test_a_change_that_begins_within_a_period_acts_on_its_share_of_the_days() -> None:
    flow, stock = phase(pd.DatetimeIndex(["2027-01-01"]), Frequency("Y"), change(start="2027-04"))
    assert flow[0] == pytest.approx(275 / 365)
    assert stock[0] == 1


def test_a_change_that_ended_is_gone() -> None:
    flow, stock = phase(pd.date_range("2027-01-01", periods=4, freq="MS"), Frequency("M"), change(start="2027-02", end="2027-03-15"))
    assert flow == pytest.approx([0, 1, 15 / 31, 0])
    assert stock.tolist() == [0, 1, 0, 0]


def test_multiply_takes_its_share_after_the_start_alone() -> None:
    draws, _ = forecast()
    demand, applied = apply(draws, [one(change(where={"type": "bnb"}, start="2027-04", size=number(0.9)))], seed=1)
    assert demand["scenario"].to_numpy().tolist() == ["baseline", "s"]
    before, after = draws["ds"] < np.datetime64("2027-04-01"), draws["ds"] >= np.datetime64("2027-04-01")
    np.testing.assert_array_equal(demand[1][:, before], draws[:, before])
    np.testing.assert_allclose(demand[1].sel(series="North/bnb")[after], 0.9 * draws.sel(series="North/bnb")[after], rtol=1e-6)
    np.testing.assert_array_equal(demand[1].sel(series="North/hostel"), draws.sel(series="North/hostel"))
    assert applied["unique_id"].tolist() == ["North/bnb", "South/bnb"]
    assert (applied["new_mean"] / applied["old_mean"]).to_numpy() == pytest.approx([0.9, 0.9])


def test_add_is_shared_out_by_baseline_means() -> None:
    draws, _ = forecast(kind="flow")
    demand, _ = apply(draws, [one(change(effect="add", size=number(12, unit="households/quarter")))], seed=1)
    added = (demand[1] - demand[0]).sum("series")
    np.testing.assert_allclose(added, 4.0, rtol=1e-4)
    first = (demand[1] - demand[0])[:, 0].mean("draw").to_numpy()
    means = draws[:, 0].mean("draw").to_numpy()
    assert first == pytest.approx(4 * means / means.sum(), rel=1e-4)


def test_nothing_falls_below_zero() -> None:
    draws, _ = forecast()
    demand, _ = apply(draws, [one(change(effect="add", where={"area": "North"}, size=number(-1000, unit="households")))], seed=1)
    assert float(demand[1].sel(series=["North/bnb", "North/hostel"]).max()) == 0


def test_a_cap_holds_all_series_together() -> None:
    draws, _ = forecast(mean=30)
    demand, _ = apply(draws, [one(change(effect="cap", where={"area": "North"}, size=number(55, unit="households")))], seed=1)
    north = demand.sel(series=["North/bnb", "North/hostel"]).sum("series")
    assert float(north[1].max()) <= 55 + 1e-4
    under = north[0] <= 55
    np.testing.assert_array_equal(north[1].where(under, 0), north[0].where(under, 0))


def test_a_shift_moves_people_to_the_like_series_and_loses_nobody() -> None:
    draws, _ = forecast()
    moved = change(effect="shift", where={"type": "bnb", "area": "North"}, to={"type": "hostel"}, size=number(0.3))
    demand, applied = apply(draws, [one(moved)], seed=1)
    gone = draws.sel(series="North/bnb") - demand[1].sel(series="North/bnb")
    np.testing.assert_allclose(gone, 0.3 * draws.sel(series="North/bnb"), rtol=1e-5)
    np.testing.assert_allclose(demand[1].sum("series"), draws.sum("series"), rtol=1e-5)
    np.testing.assert_array_equal(demand[1].sel(series="South/hostel"), draws.sel(series="South/hostel"))
    assert set(applied["unique_id"]) == {"North/bnb", "North/hostel"}


def test_a_shift_meets_a_cut_without_making_people() -> None:
    draws, _ = forecast()
    cut = change("cut", where={"type": "bnb"}, size=number(0.5))
    moved = change("moved", effect="shift", where={"type": "bnb"}, to={"type": "hostel"}, size=number(0.4))
    demand, _ = apply(draws, [one(cut, moved, together="multiply")], seed=1)
    north, south = draws.sel(series="North/bnb"), draws.sel(series="South/bnb")
    np.testing.assert_allclose(demand[1].sum("series"), draws.sum("series") - 0.5 * (north + south), rtol=1e-5)
    np.testing.assert_allclose(demand[1].sel(series="North/bnb"), 0.5 * 0.6 * north, rtol=1e-5)


def test_a_driver_acts_by_its_elasticity_in_every_draw() -> None:
    draws, _ = forecast()
    known = effects(draws)
    demand, _ = apply(draws, [one(change(effect="driver", driver="rents", size=number(1.1)))], seed=1, effects=known)
    elasticity = known.pivot(index="unique_id", columns="draw", values="elasticity").to_numpy()
    np.testing.assert_allclose(demand[1], draws * (1.1**elasticity)[:, None, :], rtol=1e-5)


def test_a_stock_that_follows_a_driver_slowly_follows_its_new_path_as_slowly() -> None:
    draws, _ = forecast()
    known = effects(draws).assign(elasticity=0.5, half_life=lambda t: np.where(t["unique_id"].str.startswith("North"), 8.0, 0.0))
    higher = change(effect="driver", driver="rents", size=number(1.2), start="2026-07")
    demand, _ = apply(draws, [one(higher)], seed=1, effects=known)
    ratio = (demand[1] / demand[0]).to_numpy()
    ahead = np.maximum(draws["ds"].dt.year.to_numpy() * 12 + draws["ds"].dt.month.to_numpy() - (2026 * 12 + 6), 0)
    np.testing.assert_allclose(ratio[0, :, 0], np.exp(0.5 * np.log(1.2) * (1 - 0.5 ** (ahead / 8))), rtol=1e-5)
    np.testing.assert_allclose(ratio[3, :, 0], np.where(ahead > 0, 1.2**0.5, 1.0), rtol=1e-5)


def test_a_driver_outside_what_was_observed_is_told() -> None:
    draws, _ = forecast()
    path = pd.DataFrame({"ds": draws["ds"].to_numpy(), "name": "rents", "value": 115.0})
    _, applied = apply(
        draws, [one(change(effect="driver", driver="rents", size=number(1.1)))], seed=1, effects=effects(draws), drivers=path
    )
    assert applied["warning"].str.contains("observed from 80 to 120").all()


def test_a_population_given_by_area_is_held_against_its_own_range() -> None:
    draws, _ = forecast()
    known = effects(draws, driver="population")
    north = known["unique_id"].str.startswith("North")
    known = known.assign(observed_low=np.where(north, 80.0, 900.0), observed_high=np.where(north, 120.0, 1200.0))
    path = [
        {"ds": d, "name": f"population ({a})", "value": v} for a, v in (("North", 115.0), ("South", 1000.0)) for d in draws["ds"].to_numpy()
    ]
    case = {"seed": 1, "effects": known, "drivers": pd.DataFrame(path)}
    more = change(effect="driver", driver="population", size=number(1.1))
    _, applied = apply(draws, [one(more)], **case)
    assert (
        applied["warning"]
        .str.contains("'population (North)' would be 126.5 to 126.5; its effect was observed from 80 to 120", regex=False)
        .all()
    )
    assert not applied["warning"].str.contains("South").any()
    _, applied = apply(draws, [one(more.model_copy(update={"where": {"area": ["South"]}}))], **case)
    assert not applied["warning"].str.contains("would be").any()


def test_the_people_of_each_area_have_a_range_of_their_own() -> None:
    figures = pd.DataFrame({"name": ["population (N)"] * 2 + ["population (S)"] * 2, "value": [80.0, 120, 900, 1200]})
    known = People("population", {"n": "population (N)", "s": "population (S)"}).effects(["n", "s"], 3, figures)
    seen = known.groupby("unique_id")[["observed_low", "observed_high"]].agg(["min", "max"])
    assert seen.loc["n"].tolist() == [80, 80, 120, 120]
    assert seen.loc["s"].tolist() == [900, 900, 1200, 1200]


def test_a_series_without_an_effect_stays_and_is_told() -> None:
    draws, _ = forecast()
    known = effects(draws)[lambda t: t["unique_id"] != "North/bnb"]
    demand, applied = apply(draws, [one(change(effect="driver", driver="rents", size=number(1.1)))], seed=1, effects=known)
    np.testing.assert_array_equal(demand[1].sel(series="North/bnb"), draws.sel(series="North/bnb"))
    assert "no effect of 'rents'" in applied.set_index("unique_id").loc["North/bnb", "warning"]


def test_changes_outside_the_forecast_are_told() -> None:
    draws, _ = forecast()
    late, early = change("late", start="2040-01"), change("early", start="2020-01")
    _, applied = apply(draws, [Scenario(name="a", changes=(late,)), Scenario(name="b", changes=(early,))], seed=1)
    warnings = applied.groupby("scenario")["warning"].first()
    assert "after the forecast ends" in warnings["a"]
    assert "may already hold a part" in warnings["b"]


def test_a_change_has_the_same_draws_wherever_it_stands() -> None:
    draws, _ = forecast()
    a = Scenario(name="a", changes=(change(where={"area": "North"}),))
    both = Scenario(name="both", combines=("a",), changes=(change("other", where={"area": "South"}),))
    demand, _ = apply(draws, [a, both], seed=1)
    np.testing.assert_array_equal(demand[1].sel(series="North/bnb"), demand[2].sel(series="North/bnb"))


def test_compare_between_two_scenarios_counts_what_differs() -> None:
    draws, history = forecast()
    a = Scenario(name="a", changes=(change("shared", where={"area": "North"}), change("only a", where={"area": "South"})))
    b = Scenario(name="b", changes=(change("shared", where={"area": "North"}),))
    table = compare(WhatIf(draws, (a, b), 1), "a", "b", history=history)
    assert table["change"].unique().tolist() == ["without: only a", "interaction"]
    year = table[table["financial_year"] == "2027-28"]
    assert year["amount"].iloc[0] > 0
    assert year["amount"].sum() == pytest.approx(year["to_total"].iloc[0] - year["from_total"].iloc[0], rel=1e-9)


def test_kinds_are_never_added_to_each_other() -> None:
    draws, history = forecast(kind=["flow", "flow", "stock", "stock"])
    table = compare(WhatIf(draws, (one(change()),), 1), "baseline", "s", history=history)
    assert set(table["measure"]) == {"households in the year", "households at one time"}


def test_the_table_of_demand_repeats_the_baseline_where_nothing_changed() -> None:
    draws, _ = forecast()
    demand, _ = apply(draws, [one(change(where={"area": "North"}))], seed=1)
    table = demand_table(demand)
    assert table.columns[:4].tolist() == ["scenario", "unique_id", "ds", "mean"]
    expected = summarise(demand[1])
    pd.testing.assert_frame_equal(table[table["scenario"] == "s"].drop(columns="scenario").reset_index(drop=True), expected)


@pytest.mark.parametrize("together", ["multiply", "add"])
def test_a_cap_holds_whatever_it_is_joined_with(together) -> None:
    draws, _ = forecast()
    cap = change("cap", "cap", size=number(50, unit="households"), where={"area": "North"})
    tight = change("tight", "cap", size=number(20, unit="households"), where={"type": "bnb"})
    more = change("more", size=number(1.5))
    moved = change("move", effect="shift", where={"type": "bnb"}, to={"type": "hostel"}, size=number(0.5))
    parts = (cap, tight, more, moved)
    scenarios = [Scenario(name=str(n), changes=order, together=together) for n, order in enumerate((parts, parts[::-1]))]
    demand, _ = apply(draws, scenarios, seed=1)
    north = demand.sel(series=["North/bnb", "North/hostel"], scenario="0").sum("series").to_numpy()
    bnb = demand.sel(series=["North/bnb", "South/bnb"], scenario="0").sum("series").to_numpy()
    assert north.max() <= 50 * (1 + 1e-5)
    assert bnb.max() <= 20 * (1 + 1e-5)
    np.testing.assert_allclose(demand.sel(scenario="0").to_numpy(), demand.sel(scenario="1").to_numpy(), rtol=1e-6)


def test_the_range_of_a_difference_is_that_of_pairs_of_draws() -> None:
    draws, history = forecast(draws=400)
    certain = change("certain", size=number(0.9), where={"type": "bnb"})
    table = compare(WhatIf(draws, (one(certain),), 1), "baseline", "s", history=history)
    year = table[(table["financial_year"] == "2027-28") & (table["change"] == "certain")].iloc[0]
    exposure = exposure_of(WhatIf(draws), history, 4)
    at = exposure.labels.index("2027-28")
    ids = np.flatnonzero(draws["type"].to_numpy() == "bnb")
    paired = -0.1 * measured(exposure, draws.to_numpy()[ids], ids)["households at one time"][:, at].sum(axis=0)
    assert [year["amount"], year["low"], year["high"]] == pytest.approx([paired.mean(), *np.quantile(paired, [0.1, 0.9])], rel=1e-5)
    assert year["difference_low"] == pytest.approx(year["low"])
    assert year["high"] - year["low"] < 0.1 * (year["from_total"] * 0.1)


def test_two_runs_of_one_baseline_are_compared_whatever_their_scenarios_are_called() -> None:
    draws, history = forecast()
    mine = WhatIf(draws, (one(change(size=number(0.9))),), 1)
    same, theirs = WhatIf(draws, (one(change(size=number(0.9))),), 1), WhatIf(draws, (one(change(size=number(0.8))),), 1)
    assert compare(mine, "s", "s", other=same, history=history)["amount"].abs().max() == 0
    table = compare(mine, "s", "s", other=theirs, history=history)
    assert table["change"].unique().tolist() == ["without: fewer", "fewer", "interaction"]
    assert set(table["to"]) == {"s (other run)"}
    assert (table.groupby("financial_year")["to_total"].first() < table.groupby("financial_year")["from_total"].first()).all()
