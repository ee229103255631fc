"""Levers: rates of success, dates that are not certain, changes that may not happen, variants, levelling, people and households."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from planning_cases import change, effects, forecast, number, weekly_prices
from scipy.stats import norm

from demand.budget import price, sensitivity
from demand.errors import ScenarioError
from demand.scenario import Change, Scenario, WhatIf, apply, compare
from demand.tables import make_draws, series_of

DRAWS, HISTORY = forecast(draws=2000, past=3, ahead=30)


def one(*changes, **more):
    return Scenario(name="s", changes=changes, **more)


def ratio(*changes, draws=DRAWS, **more):
    demand, _ = apply(draws, [one(*changes)], seed=1, **more)
    return (demand[1] / demand[0].where(demand[0] > 0)).to_numpy()


def _variant(several):
    return Change.model_validate({"name": "population", "effect": "multiply", "variants": several})


def test_a_better_rate_of_success_leaves_fewer_who_fall_through() -> None:
    prevented = change(effect="rate", rate_now=number(0.55), size=number(0.65), where={"type": "bnb"}, start="2027-04")
    demand, applied = apply(DRAWS, [one(prevented)], seed=1)
    after = demand["ds"] >= np.datetime64("2027-04-01")
    np.testing.assert_allclose(demand[1, 0, after], demand[0, 0, after] * 0.35 / 0.45, rtol=1e-6)
    assert applied["sentence"].iloc[0] == "type bnb: success goes from 0.55 to 0.65 (failures counted), from 2027-04-01"
    kept = ratio(prevented.model_copy(update={"counts": "successes", "start": None}))[0]
    np.testing.assert_allclose(kept, 0.65 / 0.55, rtol=1e-6)


def test_both_rates_are_drawn_from_their_ranges() -> None:
    found = ratio(change(effect="rate", rate_now=number(0.55, 0.5, 0.6), size=number(0.65, 0.6, 0.7)))[0, 0]
    assert np.nanmedian(found) == pytest.approx(0.35 / 0.45, rel=0.02)
    assert np.isfinite(found[~np.isnan(found)]).all()
    assert np.nanstd(found) > 0.05


def test_a_start_that_is_not_certain_begins_in_another_month_in_each_draw() -> None:
    late = number(6, 0, 12, "months")
    found = ratio(change(start="2026-10", delay=late, size=number(0.5)))[0] < 0.75
    share = np.nanmean(found, axis=1)
    months = pd.Series(share, index=DRAWS["ds"].to_numpy())
    found = [months.loc[day] for day in ("2026-09-01", "2026-10-01", "2027-04-01", "2027-10-01")]
    assert found == pytest.approx([0, norm.cdf(-5.5 / 6 * 1.2816), norm.cdf(0.5 / 6 * 1.2816), norm.cdf(6.5 / 6 * 1.2816)], abs=0.03)
    assert (np.diff(share) >= 0).all()


def test_a_delay_of_nothing_is_no_delay() -> None:
    sure = change(start="2027-04", ramp_months=6)
    np.testing.assert_array_equal(ratio(sure), ratio(sure.model_copy(update={"delay": number(0, unit="months")})))


def test_a_change_that_may_not_happen_happens_as_often_as_was_said() -> None:
    found = ratio(change(size=number(0.5), probability=number(0.6)))[0, 0]
    assert np.mean(found[np.isfinite(found)] == 0.5) == pytest.approx(0.6, abs=0.04)
    assert set(np.unique(found[np.isfinite(found)])) == {0.5, 1.0}


def test_the_same_draws_take_the_change_in_every_period_and_series() -> None:
    found = ratio(change(size=number(0.5), probability=number(0.6)))
    whole = np.where(np.isnan(found), np.nan, found < 0.75)
    assert (np.nanmax(whole, axis=(0, 1)) == np.nanmin(whole, axis=(0, 1))).all()


def test_each_draw_takes_one_variant_and_the_rest_stays_as_forecast() -> None:
    several = {"higher": {"probability": 0.2, "size": number(1.5)}, "lower": {"probability": 0.3, "size": number(0.5)}}
    found = ratio(_variant(several))[0, 0]
    values, counts = np.unique(found[np.isfinite(found)], return_counts=True)
    assert values.tolist() == [0.5, 1.0, 1.5]
    assert counts / counts.sum() == pytest.approx([0.3, 0.5, 0.2], abs=0.04)


def test_variants_that_leave_no_rest_are_all_that_is_drawn() -> None:
    several = {name: {"probability": 1 / 3, "size": number(size)} for name, size in (("a", 0.5), ("b", 0.75), ("c", 1.5))}
    found = ratio(_variant(several))[0, 0]
    assert set(np.unique(found[np.isfinite(found)])) == {0.5, 0.75, 1.5}


def test_an_assumed_elasticity_stands_in_for_an_estimated_one() -> None:
    assumed = change(effect="driver", driver="rents", size=number(1.1), elasticity=number(0.5))
    demand, applied = apply(DRAWS, [one(assumed)], seed=1)
    np.testing.assert_allclose(demand[1], DRAWS * 1.1**0.5, rtol=1e-6)
    assert applied["warning"].str.contains("is assumed (test), not estimated", regex=False).all()


def uneven():
    """North expects twice as much as South."""
    values = DRAWS.to_numpy() * np.array([2, 2, 1, 1])[:, None, None]
    return make_draws(values, series_of(DRAWS), pd.DatetimeIndex(DRAWS["ds"].to_numpy()), frequency=HISTORY.frequency, cutoff=HISTORY.last,
                      seed=1, fingerprint="uneven")  # fmt: skip


@pytest.mark.parametrize(("towards", "north", "south"), [("highest", 1.0, 2.0), ("lowest", 0.5, 1.0), ("average", 0.75, 1.5)])
def test_levelling_brings_groups_together(towards, north, south) -> None:
    found = ratio(change(effect="level", between="area", towards=towards, size=number(1)), draws=uneven())
    assert np.nanmedian(found[0]) == pytest.approx(north, rel=0.02)
    assert np.nanmedian(found[3]) == pytest.approx(south, rel=0.02)
    half = ratio(change(effect="level", between="area", towards=towards, size=number(0.5)), draws=uneven())
    assert np.nanmedian(half[3]) == pytest.approx(1 + (south - 1) / 2, rel=0.02)


def test_levelling_towards_the_average_keeps_what_all_expect_together() -> None:
    level = change(effect="level", between="area", towards="average", size=number(1))
    demand, _ = apply(uneven(), [one(level)], seed=1)
    means = demand.mean("draw").sum(["series", "ds"])
    assert float(means[1]) == pytest.approx(float(means[0]), rel=1e-6)


def test_rates_are_levelled_where_a_population_is_known_by_group() -> None:
    people = [
        {"ds": d, "name": f"population ({a})", "value": v} for a, v in (("North", 200.0), ("South", 100.0)) for d in DRAWS["ds"].to_numpy()
    ]
    level = change(effect="level", between="area", towards="highest", size=number(1), per="population")
    found = ratio(level, draws=uneven(), drivers=pd.DataFrame(people))
    assert np.nanmedian(found, axis=(1, 2)) == pytest.approx([1, 1, 1, 1], rel=0.02)
    with pytest.raises(ScenarioError, match="groups would share one population"):
        ratio(level.model_copy(update={"between": "type"}), draws=uneven(), drivers=pd.DataFrame(people))


def test_a_number_of_people_joins_households_by_their_size_alone() -> None:
    added = change(effect="add", size=number(20, unit="people"), household_size=number(2, unit="people/household"))
    demand, _ = apply(DRAWS, [one(added)], seed=1)
    np.testing.assert_allclose((demand[1] - demand[0]).sum("series"), 10, rtol=1e-3)


def test_segments_and_other_keys_select_and_receive() -> None:
    series = series_of(DRAWS).assign(segment=["families", "single", "families", "single"])
    keyed = make_draws(DRAWS.to_numpy(), series, pd.DatetimeIndex(DRAWS["ds"].to_numpy()), frequency=HISTORY.frequency, cutoff=HISTORY.last,
                       seed=1, fingerprint="keyed")  # fmt: skip
    moved = change(
        effect="shift", where={"segment": "families", "area": "North"}, to={"segment": "single", "type": "hostel"}, size=number(0.5)
    )
    demand, applied = apply(keyed, [one(moved)], seed=1)
    assert set(applied["unique_id"]) == {"North/bnb", "North/hostel"}
    np.testing.assert_allclose(demand[1].sum("series"), demand[0].sum("series"), rtol=1e-5)


def test_every_number_of_a_change_is_in_the_sensitivity_and_all_its_bars_in_the_waterfall() -> None:
    draws, history = forecast(draws=200)
    likely, late = number(0.6, 0.3, 0.9), number(3, 0, 12, "months")
    rate = change("rate", "rate", rate_now=number(0.55, 0.5, 0.6), size=number(0.65, 0.6, 0.7), where={"type": "bnb"}, probability=likely)
    level = change("level", "level", between="area", towards="lowest", size=number(0.5, 0.2, 0.8), where={"type": "hostel"})
    level = level.model_copy(update={"start": date(2027, 4, 1), "delay": late})
    case = WhatIf(draws, (one(rate, level, together="multiply"),), 1, effects(draws))
    demand, _ = apply(draws, case.scenarios, seed=1)
    table = sensitivity(case, price(demand, weekly_prices(), seed=1, history=history))
    assert set(table.loc[table["kind"] == "scenario", "assumption"]) == {
        "s: rate", "s: rate: probability", "s: rate: rate now", "s: level", "s: level: delay",
    }  # fmt: skip
    found = compare(case, "baseline", "s", history=history)
    assert set(found["change"]) == {"rate", "level", "interaction"}
