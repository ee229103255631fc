"""Ranges that failed at earlier cutoffs are widened, the others hardly changed; totals may be widened beyond their parts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.calibration import Widening
from demand.combine import combined, joint_draws, weigh
from demand.evaluation import backtest
from demand.evaluation.looks import gather, looks
from demand.forecast import Forecast, ForecastSpec, forecast
from demand.nested import Widths, draws_then, known_then, stretches, whole_numbers, widths
from demand.replay import cube_of
from demand.swings import Swings
from demand.tables import History
from demand.uncertainty import draw_paths, learn_errors

YEARS, SERIES = 26, 6
SPEC = ForecastSpec(horizon=2, models=["seasonal_naive", "theta"], draws=300, reconcile="bottom_up")


def history(*, restless: bool) -> History:
    """Give annual counts; restless ones are moved, all together, by shocks that become larger every year."""
    rng = np.random.default_rng(4)
    size = 0.005 * 1.14 ** np.arange(YEARS) if restless else np.full(YEARS, 0.03)
    common = np.exp(np.cumsum(rng.choice([-1, 1], YEARS) * size * (1 if restless else 0)))
    ds = Frequency("Y", 3).periods(pd.Timestamp("1998-04-01"), YEARS)
    tables = [
        pd.DataFrame({"unique_id": f"s{i}", "ds": ds, "y": rng.poisson(600 * (i + 1) * common), "kind": "flow", "unit": "people"})
        for i in range(SERIES)
    ]
    return History.of(pd.concat(tables), Frequency("Y", 3))


@pytest.fixture(scope="module")
def restless() -> tuple[History, Forecast]:
    h = history(restless=True)
    return h, forecast(h, SPEC, seed=1)


def test_ranges_that_failed_are_widened_and_it_is_said(restless: tuple[History, Forecast]) -> None:
    h, made = restless
    by = made.settings["widened"]
    assert by["series"] > 1
    told = made.notes.loc[made.notes["note"].str.contains("times as wide"), "note"]
    assert f"made {by['series']:.2f} times as wide: at" in told.iloc[0]
    cube = cube_of(made.replays, h, steps=2)
    mean = made.means.assign(m=made.means["mean"] * made.means["weight"]).groupby(["unique_id", "ds"])["m"].sum().unstack().to_numpy()
    plain = joint_draws(cube, made.weights, mean, whole=whole_numbers(h), draws=300, seed=1)
    ratio = made.draws.to_numpy().std(axis=2) / plain.std(axis=2)
    assert np.median(ratio) > 0.95 * by["series"]


def test_ranges_that_held_stay_about_as_they_are() -> None:
    made = forecast(history(restless=False), SPEC, seed=1)
    assert made.settings["widened"] == pytest.approx({"series": 1.0, "total": 1.0}, abs=0.12)


def test_the_widening_is_nested_too(restless: tuple[History, Forecast]) -> None:
    """What a look back widens by rests on what had come by then: changing what came later changes nothing."""
    h, made = restless
    before = backtest(h, made, SPEC, seed=1)
    last = h.table["ds"].max()
    changed = History(h.table.assign(y=h.table["y"].where(h.table["ds"] < last, 3 * h.table["y"])), h.series, h.frequency)
    after = backtest(changed, forecast(changed, SPEC, seed=1), SPEC, seed=1)
    early = [
        b.rows[(b.rows["model"] == "combined") & (b.rows["ds"] < last)].drop(columns="y").reset_index(drop=True) for b in (before, after)
    ]
    assert len(early[0])
    pd.testing.assert_frame_equal(*early)


def test_more_is_inside_with_the_widening_than_without(restless: tuple[History, Forecast]) -> None:
    h, made = restless
    evidence = gather(h, made, SPEC, seed=1)
    cube, inside = evidence.all, {"with": 0, "without": 0}
    for look in looks(h, evidence, forecast=made, spec=SPEC, seed=1):
        k = int(np.flatnonzero(cube.at == look.place)[0])
        then, known = h.until(look.cutoff), known_then(h, evidence.own, look.place, 2)
        weights = weigh(known, list(made.weights), stretches=stretches(known))
        mean = combined({m: v[k, :, : look.y.shape[1]] for m, v in cube.means.items()}, weights)
        plain = draws_then(then, known, mean, weights, draws=300, seed=1, by=Widths())
        for name, draws in (("with", look.draws), ("without", plain)):
            low, high = np.quantile(draws, [0.1, 0.9], axis=2)
            inside[name] += int(((look.y >= low) & (look.y <= high)).sum())
    assert inside["with"] > inside["without"]


def test_what_series_have_in_common_is_widened_by_the_factor_and_they_stay_counts() -> None:
    rng = np.random.default_rng(2)
    common = rng.normal(0, 30, (1, 5, 2000))
    values = np.rint(np.maximum(400 + common + rng.normal(0, 10, (8, 5, 2000)), 0)).astype(np.float32)
    about = pd.DataFrame({"kind": "flow", "unit": "people"}, index=[f"s{i}" for i in range(8)])
    before = values.sum(axis=0)
    by = Widths(total=Widening(1.5, 0.4, 6))
    after = by.applied(values.copy(), about, whole=np.ones(8, dtype=bool), seed=1)
    np.testing.assert_array_equal(after, np.rint(after))
    np.testing.assert_allclose(after.sum(axis=0).std(axis=1), 1.5 * before.std(axis=1), rtol=0.01)
    np.testing.assert_allclose(after.mean(axis=2), values.mean(axis=2), rtol=0.002)
    same = Widths().applied(values.copy(), about, whole=np.ones(8, dtype=bool), seed=1)
    np.testing.assert_array_equal(same, values)


def test_a_history_too_short_to_look_back_widens_nothing() -> None:
    ds = pd.date_range("2020-01-01", periods=5, freq="MS")
    h = History.of(pd.DataFrame({"unique_id": "a", "ds": ds, "y": [1.0, 2, 3, 2, 1]}), Frequency("M"))
    made = forecast(h, ForecastSpec(horizon=3, models=["seasonal_naive"], draws=20), seed=1)
    cube = cube_of(made.replays, h, steps=int(made.settings["steps"]))
    alone = widths(h, cube, ["seasonal_naive"], raced=(), horizon=3, seed=1)
    assert alone.series == alone.tail == alone.total == Widening()
    assert stretches(cube) > 0
    assert alone.settings["widened_for_few_stretches"] == 1, "a single series has no total that errs together"
    assert not made.notes["note"].str.contains("ranges of totals").any()
    assert made.settings["widened_for_few_series"] > 1.1, "one series, seen once or twice, does not tell how large its errors are"
    assert made.notes["note"].str.contains("ranges of a year's total of one series").any()


def test_a_range_of_95_that_failed_is_made_wider_and_the_one_of_80_stays() -> None:
    values = np.random.default_rng(2).normal(400, 30, (1, 4, 4000)).astype(np.float32)
    about = pd.DataFrame({"kind": ["flow"], "unit": "people"}, index=["a"])
    by = Widths(tail=Widening(1.3, 0.85, 6))
    after = by.applied(values.copy(), about, whole=np.zeros(1, dtype=bool), seed=1)
    before, now = (np.quantile(v, [0.025, 0.1, 0.9, 0.975], axis=2)[:, 0] for v in (values, after))
    np.testing.assert_allclose(now[1:3], before[1:3], rtol=1e-3)
    np.testing.assert_allclose((now[3] - now[0]) / (before[3] - before[0]), 1.3, rtol=0.03)
    told = by.noted(pd.DataFrame([("", "x", "y")], columns=["unique_id", "model", "note"]))["note"].iloc[-1]
    assert told == "95% ranges of single figures are made 1.30 times as wide: at 6 earlier dates those said to hold 19 in 20 held 85%"


def test_what_several_series_have_in_common_is_wider_the_fewer_times_it_was_seen_and_it_is_said() -> None:
    values = 400 + np.random.default_rng(2).normal(0, 30, (1, 5, 2000)).repeat(3, axis=0).astype(np.float32)
    about = pd.DataFrame({"kind": ["flow", "flow", "stock"], "unit": "people"}, index=list("abc"))
    by = Widths(stretches=2.0)
    after = by.applied(values.copy(), about, whole=np.zeros(3, dtype=bool), seed=1)
    np.testing.assert_allclose(after.std(axis=2) / values.std(axis=2), np.array([1.196, 1.196, 1.0])[:, None] * np.ones((3, 5)), rtol=1e-3)
    assert Widths(stretches=20.0).few < by.few < Widths(stretches=1.0).few
    told = by.noted(pd.DataFrame([("", "x", "y")], columns=["unique_id", "model", "note"]))["note"].iloc[-1]
    assert told.startswith("ranges of totals of several series are made 1.20 times as wide")
    assert "in 2.0 stretches" in told


def test_what_lasts_all_year_is_wider_where_little_was_seen_of_it_and_what_comes_and_goes_is_not() -> None:
    rng = np.random.default_rng(2)
    values = (400 + rng.normal(0, 5, (1, 1, 4000)) + rng.normal(0, 30, (1, 24, 4000))).astype(np.float32)
    about = pd.DataFrame({"kind": ["flow"], "unit": "people"}, index=["a"])
    by = Widths(pieces=6.0, year=12)
    after = by.applied(values.copy(), about, whole=np.zeros(1, dtype=bool), seed=1)
    assert by.lasting == pytest.approx(1.124, abs=0.001)  # 1.440 of a table of t, 6 degrees, over 1.2816
    years = [v.reshape(2, 12, 4000).sum(axis=1).std(axis=1) for v in (values, after)]
    np.testing.assert_allclose(years[1] / years[0], by.lasting, rtol=0.002)
    assert (after.std(axis=2) / values.std(axis=2)).max() < 1.03
    assert Widths(pieces=30.0).lasting == 1 < Widths(pieces=20.0).lasting < by.lasting < Widths(pieces=0.5).lasting


def test_nothing_seen_is_no_narrower_than_the_least_that_was_seen() -> None:
    assert Widths(pieces=0.0).lasting == Widths(pieces=1.0).lasting > Widths(pieces=4.0).lasting > Widths().lasting == 1
    mean, whole = np.full((4, 12), 50.0), np.ones(4, dtype=bool)
    nothing = np.full((1, 4, 12), np.nan)
    years = draw_paths(mean, learn_errors(nothing, nothing, horizon=12, whole=whole), whole=whole, draws=1000, seed=1).sum(axis=1)
    # What is common to all is assumed: their total is as wide as independent ones' would be, made wider for a single stretch.
    assert years.sum(axis=0).std() / years.std(axis=1).mean() > 2 * Widths(stretches=1.0).few * 0.8


@pytest.mark.parametrize(("single", "tail", "total"), [(1, 1.2, 1), (1, 2, 1), (1.3, 1, 1), (2, 0.8, 1), (1, 1, 1.5), (1, 1, 0.8)])
def test_low_counts_keep_their_mean_and_stay_counts_however_their_ranges_are_moved(single: float, tail: float, total: float) -> None:
    level = np.array([0.3, 0.5, 1, 4, 50])[:, None, None]
    values = np.random.default_rng(3).poisson(level, (5, 6, 1000)).astype(np.float32)
    about = pd.DataFrame({"kind": "flow", "unit": "people"}, index=list("abcde"))
    by = Widths(Widening(single), Widening(tail), Widening(total))
    after = by.applied(values.copy(), about, whole=np.ones(5, dtype=bool), seed=1)
    np.testing.assert_array_equal(after, np.rint(after))
    assert after.min() == 0
    np.testing.assert_allclose(after.mean(axis=2), values.mean(axis=2), rtol=0.01)
    if tail < single:
        low, high = np.quantile(values[4], [0.1, 0.9], axis=1)[..., None]
        assert ((after[4] < low) | (after[4] > high)).mean() > 0.1, "what lies beyond the 80% range does not sit on its ends"
    assert all(np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.8 for a, b in zip(after, values, strict=True)), "the same paths"


def test_one_lucky_replay_is_no_reason_to_be_sure() -> None:
    whole, swung = np.ones(1, dtype=bool), Swings(np.array([[0.1]]), np.array([[3]]))
    mean, actual = np.full((1, 1, 1), 61.0), np.full((1, 1, 1), 61.2)
    errors = learn_errors(actual, mean, horizon=1, whole=whole, swung=swung)
    draws = draw_paths(mean[0], errors, whole=whole, draws=500, seed=1, swung=Swings(swung.size[0], swung.count[0]))
    assert draws.std() > 0.6 * 61**0.5, "nearly as far as counting alone moves it; the replay itself was 0.2 off"
