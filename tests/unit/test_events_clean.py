"""Events: shocks are set aside, levels are joined, holidays come back, what is known to come acts on the draws."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from demand.calendar import Frequency
from demand.errors import ScenarioError
from demand.events import Event, check_events, clean, factors, joined
from demand.spec import Assumption
from demand.tables import History


def history(*columns: np.ndarray, code: str = "M", start: str = "2018-01-01") -> History:
    frequency = Frequency(code)
    tables = [
        pd.DataFrame({"unique_id": f"s{i}", "area": f"a{i}", "ds": frequency.periods(pd.Timestamp(start), len(y)), "y": y})
        for i, y in enumerate(columns)
    ]
    return History.of(pd.concat(tables), frequency, keys=["area"])


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
