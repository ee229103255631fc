"""Events: shocks are set aside, levels are joined, holidays come back, what is known to come acts on the draws."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from demand.calendar import Frequency
from demand.errors import ScenarioError
from demand.events import Event, by_then, check_events, clean, factors, joined, remarks, unsettled
from demand.forecast import ForecastSpec, forecast
from demand.models import build
from demand.models.track import tracks
from demand.replay import Task, cube_of, replay
from demand.spec import Assumption
from demand.tables import History


def history(*columns: np.ndarray, code: str = "M", start: str = "2018-01-01") -> History:
    frequency = Frequency(code)
    tables = [
        pd.DataFrame({"unique_id": f"s{i}", "area": f"a{i}", "ds": frequency.periods(pd.Timestamp(start), len(y)), "y": y})
        for i, y in enumerate(columns)
    ]
    return History.of(pd.concat(tables), frequency, keys=["area"])


def test_a_shock_in_the_middle_of_a_month_is_known_when_that_month_is() -> None:
    lockdown = Event(name="lockdown", start="2020-03-23", end="2020-06", kind="shock")
    told = {month: by_then([lockdown], pd.Timestamp(f"2020-{month:02d}-01"), Frequency("M")) for month in (2, 3)}
    assert told == {2: [], 3: [lockdown]}
    past = history(np.full(27, 10.0)).until(pd.Timestamp("2020-03-01"))
    assert clean(past, told[3]).wide.iloc[-1].isna().all()


def test_dates_are_whole_periods() -> None:
    event = Event(name="lockdown", start="2020-03", end="2021", kind="shock")
    assert event.start == datetime.date(2020, 3, 1)
    assert event.end == datetime.date(2021, 12, 31)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"kind": "shock", "start": "2020-03"}, "needs an 'end'"),
        ({"kind": "shock", "start": "2020-03", "end": "2020-01"}, "before it begins"),
        ({"kind": "known", "start": "2020-03"}, "needs a 'size'"),
        ({"kind": "step", "start": "Marchember"}, "Marchember"),
    ],
)
def test_events_that_cannot_be_are_refused(wrong: dict, told: str) -> None:
    with pytest.raises((ValidationError, ValueError), match=told):
        Event(name="e", **wrong)


def test_a_shock_is_set_aside_and_the_history_stays() -> None:
    h = history(np.full(48, 10.0))
    seen = clean(h, [Event(name="e", start="2020-03", end="2020-06", kind="shock")])
    assert seen.wide["s0"].isna().sum() == 4
    assert h.wide["s0"].notna().all()


def test_a_shock_that_leaves_nothing_leaves_the_counts() -> None:
    h = history(np.full(6, 10.0))
    assert clean(h, [Event(name="e", start="2018-01", end="2018-05", kind="shock")]).wide["s0"].notna().all()


def test_levels_are_joined_where_recording_changed() -> None:
    y = np.where(np.arange(60) < 36, 50.0, 100.0)
    seen = clean(history(y, y), [Event(name="new form", start="2021-01", kind="recording", where={"area": ["a0"]})])
    np.testing.assert_allclose(seen.wide["s0"], 100.0)
    np.testing.assert_allclose(seen.wide["s1"], y)


def test_small_series_borrow_the_ratio_of_the_others() -> None:
    rng, off, alone = np.random.default_rng(1), [], []
    event = [Event(name="new form", start="2021-01", kind="recording")]
    for _ in range(6):
        y = rng.poisson(np.where(np.arange(60)[:, None] < 36, 1.0, 1.4) * rng.uniform(2, 40, 10)).astype(float)
        level = clean(history(*y.T), event).wide.to_numpy()
        off.append(np.log(level[:36].sum(axis=0) / y[:36].sum(axis=0) / 1.4))
        alone.append([np.log(clean(history(c), event).wide.to_numpy()[:36].sum() / c[:36].sum() / 1.4) for c in y.T])
    assert np.square(off).mean() < 0.5 * np.square(alone).mean()


def test_series_that_changed_differently_keep_their_own_ratio() -> None:
    step = np.arange(60) >= 36
    seen = clean(history(np.where(step, 500.0, 1000.0), np.where(step, 2000.0, 1000.0)), [Event(name="e", start="2021-01", kind="step")])
    np.testing.assert_allclose(seen.wide["s0"], 500.0, rtol=0.02)
    np.testing.assert_allclose(seen.wide["s1"], 2000.0, rtol=0.02)


def test_joined_counts_stand_beside_the_raw_ones() -> None:
    y = np.where(np.arange(60) < 36, 50.0, 100.0)
    events = [Event(name="new form", start="2021-01", kind="recording"), Event(name="e", start="2019-01", end="2019-03", kind="shock")]
    level = joined(history(y), events)
    assert level is not None
    np.testing.assert_allclose(level.wide["s0"], 100.0)  # the shock is still there: it was counted
    assert joined(history(y), events[1:]) is None


def test_a_known_event_acts_with_its_range() -> None:
    size = Assumption(value=0.5, low=0.4, high=0.6, unit="ratio", source="plan", as_of="2020-01-01", owner="planning")
    h = history(np.full(24, 10.0))
    ds = h.frequency.after(h.last, 6)
    by = factors(h, [Event(name="closure", start="2020-03", end="2020-04", kind="known", size=size)], ds, draws=500, seed=1)
    assert by is not None
    assert (by[0, [0, 1, 4, 5]] == 1).all()
    assert np.median(by[0, 2]) == pytest.approx(0.5, abs=0.02)


def test_a_holiday_comes_back() -> None:
    days = pd.date_range("2022-01-01", periods=365 * 2, freq="D")
    y = np.where((days.month == 12) & (days.day == 25), 5.0, 20.0)
    h = history(y, code="D", start="2022-01-01")
    ds = h.frequency.after(h.last, 366)
    event = Event(name="Christmas", start="2022-12-25", end="2022-12-25", kind="holiday")
    by = factors(h, [event], ds, draws=2, seed=1)
    assert by is not None
    there = np.flatnonzero(by[0, :, 0] != 1)
    assert [f"{ds[t]:%m-%d}" for t in there] == ["12-25"]
    assert by[0, there[0], 0] == pytest.approx(0.25)
    assert clean(h, [event]).wide["s0"].isna().sum() == 2


def test_school_holidays_move_and_are_measured_where_they_were() -> None:
    days = pd.date_range("2022-01-01", periods=365 * 3, freq="D")
    stretches = [("2022-07-21", "2022-08-31"), ("2023-07-24", "2023-09-01"), ("2024-07-22", "2024-08-30")]
    away = np.any([(days >= a) & (days <= b) for a, b in stretches], axis=0)
    h = history(np.where(away, 8.0, 20.0), code="D", start="2022-01-01")
    also = [{"start": a, "end": b} for a, b in [*stretches[1:], ("2025-07-21", "2025-08-29")]]
    event = Event(name="school holidays", kind="holiday", start=stretches[0][0], end=stretches[0][1], also=also)
    assert (clean(h, [event]).wide["s0"].isna().to_numpy() == away).all()
    ds = h.frequency.after(h.last, 330)
    by = factors(h, [event], ds, draws=2, seed=1)
    assert by is not None
    there = (ds >= "2025-07-21") & (ds <= "2025-08-29")
    assert (by[0, ~there, 0] == 1).all()
    assert by[0, there, 0] == pytest.approx(0.4, abs=0.05)
    with pytest.raises(ValidationError, match="declare each by itself"):
        Event(name="x", kind="shock", start="2022-01", end="2022-02", also=also)


def test_a_selector_that_means_nothing_is_told() -> None:
    with pytest.raises(ScenarioError, match="Did you mean 'a0'"):
        check_events(history(np.full(12, 1.0)), [Event(name="e", start="2018-02", end="2018-02", kind="shock", where={"area": ["a00"]})])


def test_an_event_may_concern_none_of_the_series_at_hand_but_one_of_all() -> None:
    months = pd.date_range("2020-01-01", periods=24, freq="MS")
    rows = [pd.DataFrame({"unique_id": a, "ds": months, "y": 9.0, "area": a}) for a in ("North", "South")]
    history = History.of(pd.concat(rows), Frequency("M"), keys=["area"])
    event = Event(name="x", start="2021-01", end="2021-02", kind="shock", where={"area": ["South"]})
    assert clean(history.only(["North"]), [event]).table["y"].notna().all()
    check_events(history, [event])
    with pytest.raises(ScenarioError, match="Did you mean 'South'"):
        check_events(history, [Event(name="x", start="2021-01", end="2021-02", kind="shock", where={"area": ["Sout"]})])


def known(value: float = 1.3, low: float = 1.2, high: float = 1.4, unit: str = "ratio") -> Assumption:
    return Assumption(value=value, low=low, high=high, unit=unit, source="plan", as_of="2020-01-01", owner="planning")


def test_a_known_event_that_has_begun_is_not_counted_twice() -> None:
    y = np.where(np.arange(60) < 54, 200.0, 260.0)  # from July 2022, counted to December
    event = Event(name="new duty", start="2022-07", end="2023-03", kind="known", size=known())
    h = history(y)
    np.testing.assert_allclose(clean(h, [event]).wide["s0"], 260.0, rtol=0.01)
    by = factors(h, [event], h.frequency.after(h.last, 6), draws=50, seed=1)
    assert by is not None
    assert (by[0, :3] == 1).all()  # it goes on: the level has it
    np.testing.assert_allclose(by[0, 3:], 1 / 1.3, rtol=0.01)  # it is over
    endless = event.model_copy(update={"end": None})
    assert factors(h, [endless], h.frequency.after(h.last, 6), draws=50, seed=1) is None


def test_the_forecast_is_the_same_before_and_after_a_known_event_begins() -> None:
    y = np.random.default_rng(5).poisson(np.where(np.arange(61) < 60, 200.0, 260.0)).astype(float)
    event = Event(name="new duty", start="2023-01", kind="known", size=known())
    for counted in (60, 61):
        spec = ForecastSpec(horizon=6, models=["ets"], draws=200, events=[event])
        assert float(forecast(history(y[:counted]), spec, seed=1).draws.mean()) == pytest.approx(260, rel=0.05)


def test_a_known_event_that_is_over_is_set_aside() -> None:
    y = np.where((np.arange(60) >= 40) & (np.arange(60) < 46), 100.0, 200.0)
    event = Event(name="closure", start="2021-05", end="2021-10", kind="known", size=known(0.5, 0.4, 0.6))
    h = history(y)
    assert clean(h, [event]).wide["s0"].isna().sum() == 6
    assert factors(h, [event], h.frequency.after(h.last, 6), draws=5, seed=1) is None
    before = h.until(pd.Timestamp("2021-04-01"))  # what a forecast made then did
    assert clean(before, [event]).wide["s0"].notna().all()
    assert factors(before, [event], before.frequency.after(before.last, 6), draws=5, seed=1) is not None


def test_one_count_since_it_began_weighs_as_much_as_it_is_certain() -> None:
    y = np.append(np.full(48, 20.0), 40.0)  # assumed 26, came 40
    loose, firm = (
        clean(history(y), [Event(name="e", start="2022-01", kind="known", size=known(1.3, *ends))]).wide["s0"].iloc[0]
        for ends in ((0.6, 2.8), (1.3, 1.3))
    )
    assert firm == pytest.approx(26)
    assert 30 < loose < 40


def test_a_month_that_a_known_event_covers_in_part_tells_neither_level() -> None:
    y = np.append(np.full(48, 200.0), 230.0)
    seen = clean(history(y), [Event(name="e", start="2022-01-16", kind="known", size=known())]).wide["s0"]
    assert np.isnan(seen.iloc[-1])
    np.testing.assert_allclose(seen.iloc[:-1], 260.0)


def test_replays_know_of_a_known_event_only_what_was_known() -> None:
    y = np.where(np.arange(72) < 60, 200.0, 260.0)
    h, event = history(y), Event(name="new duty", start="2023-01", kind="known", size=known())
    tasks = [Task("seasonal_naive", pd.Timestamp(d), None) for d in ("2022-06-01", "2023-06-01")]
    told = replay(h, build, tasks, steps=12, seed=1, events=[event]).set_index("cutoff")
    np.testing.assert_allclose(told.loc["2022-06-01", "mean"], 200.0)
    assert told.loc["2022-06-01"].dropna()["ds"].max() == pd.Timestamp("2022-12-01")  # what it did is no error of a model
    np.testing.assert_allclose(told.loc["2023-06-01", "mean"], 260.0, rtol=0.02)
    over = event.model_copy(update={"end": pd.Timestamp("2023-03-31").date()})
    told = replay(history(np.where(np.arange(72) == 60, 260.0, 200.0)), build, tasks, steps=12, seed=1, events=[over])
    kept = told.dropna(subset=["y"])
    assert not kept["ds"].between("2023-01-01", "2023-03-01").any()
    np.testing.assert_allclose(kept["mean"], kept["y"])


@pytest.mark.parametrize("size", [known(30, 20, 40, unit="people"), known(-0.1, -0.2, 0.0), known(0.5, -0.1, 1.0), known(0.0, 0.0, 0.0)])
def test_sizes_that_are_no_ratios_are_refused(size: Assumption) -> None:
    with pytest.raises(ValidationError, match=r"0\.9 means a tenth fewer"):
        Event(name="e", start="2022-01", kind="known", size=size)


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"kind": "holiday", "start": "2019-12-25", "end": "2019-12-26"}, "a holiday is part of the season"),
        ({"kind": "step", "start": "2022-01"}, "what is to come is an event of kind 'known'"),
        ({"kind": "shock", "start": "2022-01", "end": "2022-03"}, "what is to come is an event of kind 'known'"),
        ({"kind": "recording", "start": "2018-01"}, "no level before it"),
        ({"kind": "shock", "start": "2015", "end": "2016"}, "over before the first count"),
        ({"kind": "known", "start": "2021-06", "size": known()}, "has begun: the level since then holds it"),
        ({"kind": "known", "start": "2021-06", "end": "2021-08", "size": known()}, "has begun: its periods are set aside"),
    ],
)
def test_events_that_do_nothing_say_so(event: dict, told: str) -> None:
    h = history(np.full(48, 10.0))  # 2018 to 2021
    (which, said) = remarks(h, [Event(name="e", **event)])[0]
    assert which == ""
    assert said.startswith(f"the {event['kind']} 'e'")
    assert told in said


def test_events_that_act_are_not_remarked_upon() -> None:
    h, acting = history(np.full(48, 10.0)), [("shock", "2019-01", "2019-03"), ("step", "2020-01", None)]
    assert remarks(h, [Event(name=kind, kind=kind, start=start, end=end) for kind, start, end in acting]) == []
    assert remarks(h, [Event(name="e", kind="known", start="2022-02", size=known())]) == []


def test_a_shock_that_is_ignored_for_a_series_is_told_for_it_and_in_the_notes() -> None:
    long, short = np.full(48, 10.0), np.append(np.full(44, np.nan), np.arange(4.0))
    event = Event(name="flood", kind="shock", start="2021-10", end="2021-12")
    told = [("s1", "the shock 'flood' is ignored here: fewer than 3 counts would be left")]
    assert remarks(history(long, short), [event]) == told
    notes = forecast(history(long, short), ForecastSpec(horizon=3, models=["seasonal_naive"], draws=10, events=[event]), seed=1).notes
    assert ("s1", told[0][1]) in set(zip(notes["unique_id"], notes["note"], strict=True))


def test_what_an_event_set_aside_is_not_told_as_not_counted() -> None:
    y = np.full(48, 10.0)
    y[5] = np.nan
    event = Event(name="flood", kind="shock", start="2019-01", end="2019-06")
    (track,) = tracks(clean(history(y), [event]))
    assert (track.bridged, track.aside) == (7, 6)
    notes = build("ets").predict(clean(history(y), [event]), 3, seed=1).notes
    assert [n.text for n in notes] == ["bridged for the fit: 1 period without a count and 6 periods that an event set aside"]
    assert [n.text for n in build("ets").predict(history(y), 3, seed=1).notes] == ["bridged for the fit: 1 period without a count"]


EVENTS = [
    Event(name="lockdown", start="2020-03", end="2020-08", kind="shock"),
    Event(name="new system", start="2022-01", kind="recording", where={"area": ["a0"]}),
]


def test_within_a_shock_and_a_season_after_any_change_less_is_known_than_at_other_times() -> None:
    found = unsettled(history(np.full(72, 50.0), np.full(72, 30.0)), EVENTS)
    months = pd.date_range("2018-01-01", periods=72, freq="MS")
    shock = (months >= "2020-03") & (months < "2021-09")
    np.testing.assert_array_equal(found[:, 1], shock)
    np.testing.assert_array_equal(found[:, 0], shock | ((months >= "2022-01") & (months < "2023-01")))


def test_errors_of_a_forecast_made_in_a_shock_say_nothing_of_one_made_in_calm() -> None:
    h = history(np.full(72, 50.0), np.full(72, 30.0))
    cutoffs = [pd.Timestamp(c) for c in ("2019-06-01", "2019-12-01", "2020-06-01", "2021-10-01", "2022-06-01")]
    replays = replay(h, build, [Task("seasonal_naive", c) for c in cutoffs], steps=6, seed=1, events=EVENTS)
    cube = cube_of(replays, h, steps=6, events=EVENTS)
    told, known = np.isfinite(cube.told), np.isfinite(cube.y)
    assert known[[2, 4]][:, :, -1].all()
    assert not told[2].any()
    assert not told[4, 0].any()
    np.testing.assert_array_equal(told[[0, 1, 3]], known[[0, 1, 3]])
    assert told[4, 1].all()
    then = cube.known_by(int(h.wide.index.get_loc(pd.Timestamp("2020-08-01"))))  # within the shock itself all errors count
    np.testing.assert_array_equal(np.isfinite(then.told), np.isfinite(then.y))
