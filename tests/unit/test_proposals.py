"""Events are proposed where counts changed at once, and only there; nothing is applied."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from demand.calendar import Frequency
from demand.events import Event, clean
from demand.proposals import Proposal, propose, proposed_findings
from demand.tables import History

STARTS = pd.Timestamp("2016-01-04")


def council(code: str, periods: int, *, series: int = 20, seed: int = 3, wander: float = 0.0, by: np.ndarray | float = 1.0) -> History:
    """Simulate counts with trend, season, counting noise and, if asked, levels that wander; `by` multiplies what is expected."""
    rng, frequency = np.random.default_rng(seed), Frequency(code)
    season, t = frequency.per_year, np.arange(periods)[:, None]
    level, slope = np.exp(rng.uniform(3, 7, series)), rng.normal(0, 0.05, series) / season
    wave = rng.uniform(0, 0.3, series) * np.sin(2 * np.pi * t / season + rng.uniform(0, 6, series)) if season > 1 else 0.0
    walk = np.cumsum(wander * rng.normal(size=(periods, series)), axis=0)
    y = rng.poisson(level * np.exp(slope * t + wave + walk) * rng.gamma(50, 1 / 50, size=(periods, series)) * by)
    ds = frequency.periods(STARTS, periods)
    names = np.repeat([f"s{i:02d}" for i in range(series)], periods)
    areas = np.repeat(["North" if i % 2 else "South" for i in range(series)], periods)
    table = pd.DataFrame({"unique_id": names, "ds": np.tile(ds, series), "y": y.T.reshape(-1).astype(float), "area": areas})
    return History.of(table, frequency, keys=["area"])


def during(periods: int, first: int, last: int | None, ratio: float) -> np.ndarray:
    """1, and `ratio` from one period to before another; shape (periods, 1)."""
    return np.where((np.arange(periods) >= first) & (np.arange(periods) < (last or periods)), ratio, 1.0)[:, None]


CODES = [("M", 84), ("M", 40), ("Q", 60), ("Q", 20), ("Y", 14), ("W-MON", 210)]


@pytest.mark.parametrize(("code", "periods"), CODES)
@pytest.mark.parametrize("wander", [0.0, 0.04])
def test_few_clean_series_propose_anything(code: str, periods: int, wander: float) -> None:
    found = propose(council(code, periods, series=150, wander=wander))
    assert sum(p.of > 1 for p in found) == 0
    assert len({str(p.where) for p in found}) <= 0.05 * 150, [p.text for p in found]


@pytest.mark.parametrize(("code", "periods", "length"), [("M", 84, 9), ("M", 48, 6), ("Q", 40, 4), ("Q", 28, 4), ("W-MON", 210, 20)])
def test_a_shock_of_all_series_is_found_with_its_dates(code: str, periods: int, length: int) -> None:
    at = periods // 2
    history = council(code, periods, by=during(periods, at, at + length, 0.6))
    found = [p for p in propose(history) if p.of == 20]
    assert [p.kind for p in found] == ["shock"], [p.text for p in found]
    ds, one = history.wide.index, found[0]
    off = max(round(history.frequency.per_year / 12), 1)
    assert ds[at - off] <= one.start <= ds[at + off]
    assert one.end is not None
    assert ds[at + length - 1 - off] <= one.end <= ds[min(at + length + off, periods - 1)] + pd.Timedelta(days=92)
    assert one.ratio == pytest.approx(0.6, abs=0.12)
    assert one.series >= 15


def test_a_shock_of_one_area_names_the_area() -> None:
    half = np.where(np.arange(20) % 2 == 1, during(84, 40, 50, 0.5), 1.0)
    found = propose(council("M", 84, by=half))
    assert {"area": ["North"]} in [dict(p.where) for p in found]
    assert all("South" not in str(p.where) for p in found)


def test_steps_of_single_series_are_found_and_slow_growth_is_not() -> None:
    by = np.ones((84, 20))
    by[42:, :8] = 0.4
    by[:, 8:14] = np.geomspace(1, 4, 84)[:, None]
    found = propose(council("M", 84, by=by))
    names = {i for p in found if p.kind == "step" for i in p.where["unique_id"]}
    assert len(names & {f"s{i:02d}" for i in range(8)}) >= 6, [p.text for p in found]
    assert len(names - {f"s{i:02d}" for i in range(8)}) <= 1
    assert all(abs((p.start - council("M", 84).wide.index[42]).days) <= 31 for p in found)


def test_the_line_declares_the_event_and_then_nothing_is_left_to_propose() -> None:
    history = council("M", 84, by=during(84, 40, 49, 0.5))
    text = proposed_findings(history)[0]
    assert text.rule == "event_proposed"
    line = text.message[text.message.index("- {") :]
    events = [Event.model_validate(e) for e in YAML(typ="safe", pure=True).load(line)]
    assert events[0].kind == "shock"
    assert not [p for p in propose(clean(history, events)) if p.of == 20]
    pd.testing.assert_frame_equal(history.table, council("M", 84, by=during(84, 40, 49, 0.5)).table)


def test_of_many_single_series_the_strongest_are_told_and_the_others_listed() -> None:
    by = np.ones((84, 60))
    for i in range(40):
        by[20 + i :, i] = 0.25
    told = proposed_findings(council("M", 84, series=60, by=by))
    assert len([f for f in told if f.severity == "warn"]) <= 16
    assert told[-1].severity == "note"
    assert told[-1].count >= 10


def test_names_with_quotes_travel_through_the_line() -> None:
    one = Proposal("step", pd.Timestamp("2020-01-01"), None, 0.5, {"unique_id": ['a "b", c: d']}, 1, 1, 7.0)
    told = YAML(typ="safe", pure=True).load(one.line)[0]
    assert told["where"] == {"unique_id": ['a "b", c: d']}
    assert "fell at once by 50 %, and stayed there" in one.text


def test_days_are_looked_at_by_week() -> None:
    days = 7 * 170
    history = council("D", days, series=6, by=during(days, 7 * 80, 7 * 100, 0.5))
    found = [p for p in propose(history) if p.of == 6]
    assert found[0].kind == "shock"
    assert abs((found[0].start - history.wide.index[7 * 80]).days) <= 14


def test_a_short_history_proposes_nothing() -> None:
    assert propose(council("M", 30, by=during(30, 20, None, 0.3))) == []
