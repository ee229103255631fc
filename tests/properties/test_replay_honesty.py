"""No replay sees past its cutoff; children sum to parents; the order of rows and the number of processes change nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demand.calendar import Frequency
from demand.evaluation import backtest
from demand.events import Event
from demand.forecast import ForecastSpec, forecast
from demand.hierarchy import levels, totals
from demand.models import build
from demand.processes import apart
from demand.replay import drivers_as_known, origins, plan, replay
from demand.tables import History, make_draws

MONTH = Frequency("M")
MODELS = ["seasonal_naive", "theta"]


def history(values: np.ndarray) -> History:
    ds = MONTH.periods(pd.Timestamp("2019-01-01"), values.shape[1])
    tables = [
        pd.DataFrame({"unique_id": f"s{i}", "ds": ds, "y": y.astype(float), "area": f"a{i % 2}", "kind": "stock" if i == 3 else "flow"})
        for i, y in enumerate(values)
    ]
    return History.of(pd.concat(tables), MONTH, keys=["area"])


def counts(seed: int, periods: int = 42, level: float = 30.0) -> np.ndarray:
    return np.random.default_rng(seed).poisson(level, (4, periods))


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10_000), later=st.integers(0, 500), event=st.booleans())
def test_what_comes_after_a_cutoff_changes_nothing_that_was_said_at_it(seed: int, later: int, event: bool) -> None:
    before = counts(seed)
    h = history(before)
    of = origins(h, 6)
    cutoff = of.close[len(of.close) // 2]
    changed = before.copy()
    changed[:, int(h.wide.index.get_loc(cutoff)) + 1 :] = later
    events = [Event(name="new form", start="2020-02", kind="recording"), Event(name="late", start="2022-10", kind="step")] if event else []
    tasks = [t for t in plan(h, MODELS, of) if t.cutoff <= cutoff]
    said = [replay(each, build, tasks, steps=6, seed=1, events=events).drop(columns="y") for each in (h, history(changed))]
    pd.testing.assert_frame_equal(*said)


@pytest.mark.parametrize(("periods", "horizon"), [(42, 6), (120, 36), (9, 4), (5, 12)])
def test_replays_reach_to_the_last_counts_while_whole_paths_stay_for_the_weights(periods: int, horizon: int) -> None:
    h = history(counts(1, periods))
    of, index = origins(h, horizon), h.wide.index
    places = index.get_indexer(pd.DatetimeIndex(of.close))
    apart_by = int(np.diff(places).max()) if len(places) > 1 else 1
    assert len(places) <= 24
    assert len(index) - 1 - apart_by <= places[-1] < len(index) - 1
    assert (index.get_indexer(pd.DatetimeIndex(of.main)) + of.steps < len(index)).all()
    assert set(of.main) <= set(of.close)


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_nested_forecast_at_a_cutoff_uses_nothing_later(seed: int) -> None:
    before = counts(seed)
    spec = ForecastSpec(horizon=6, models=MODELS, draws=30)
    changed = before.copy()
    changed[:, -6:] = before[:, -6:] * 3 + 7
    found = []
    for values in (before, changed):
        h = history(values)
        rows = backtest(h, forecast(h, spec, seed=1), spec, seed=1).rows
        early = rows[(rows["model"] == "combined") & (rows["cutoff"] <= h.wide.index[-7])]
        found.append(early.drop(columns="y").reset_index(drop=True))
    assert len(found[0])
    pd.testing.assert_frame_equal(*found)


@settings(max_examples=15, deadline=None)
@given(cutoff=st.integers(5, 30), lag=st.integers(0, 4), later=st.floats(-100, 100))
def test_a_driver_is_known_to_its_last_publication(cutoff: int, lag: int, later: float) -> None:
    ds = MONTH.periods(pd.Timestamp("2019-01-01"), 48)
    drivers = pd.DataFrame({"ds": ds, "name": "rent", "value": np.arange(48.0), "low": np.nan, "high": np.nan})
    drivers.attrs["lag_months"] = lag
    changed = drivers.copy()
    changed.attrs["lag_months"] = lag
    changed.loc[cutoff - lag + 1 :, "value"] = later
    ahead = MONTH.after(ds[cutoff], 6)
    one, other = (drivers_as_known(d, ds[cutoff], ahead) for d in (drivers, changed))
    pd.testing.assert_frame_equal(one, other)
    assert one["ds"].max() == ahead[-1]
    assert one["value"].iloc[-1] == cutoff - lag


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), ahead=st.integers(1, 30))
def test_children_sum_to_parents(seed: int, ahead: int) -> None:
    h = history(counts(seed, 30))
    values = np.random.default_rng(seed).gamma(2.0, 10.0, (4, ahead, 5))
    d = make_draws(values, h.series, h.frequency.after(h.last, ahead), frequency=MONTH, cutoff=h.last, seed=1, fingerprint="t")
    table = totals(d, levels(h.series), history=h)
    by = ["kind", "ds", "financial_year"]
    sums = {name: t.groupby(by, dropna=False)["mean"].sum() for name, t in table.groupby("level")}
    np.testing.assert_allclose(sums["total"], sums["area"], rtol=1e-9)
    years = table[table["financial_year"].notna()]
    means = {name: t.groupby(["kind", "financial_year"])["mean"].sum() for name, t in years.groupby("level")}
    if len(years):
        np.testing.assert_allclose(means["total"], means["series"], rtol=1e-9)


def test_shuffled_rows_change_nothing() -> None:
    values = counts(5)
    h, spec = history(values), ForecastSpec(horizon=5, models=MODELS, draws=40)
    long = h.table.merge(h.series, left_on="unique_id", right_index=True).sample(frac=1, random_state=1)
    shuffled = History.of(long, MONTH, keys=["area"])
    assert forecast(h, spec, seed=1).draws.to_numpy().tobytes() == forecast(shuffled, spec, seed=1).draws.to_numpy().tobytes()


def test_more_processes_and_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    h, spec = history(counts(5)), ForecastSpec(horizon=5, models=["seasonal_naive", "ets", "lightgbm"], draws=40)
    first = forecast(h, spec, seed=1, jobs=1).draws
    monkeypatch.setattr("demand.processes.WORTH", 0.0)  # else so little work stays in one process
    monkeypatch.setattr("demand.trees.MANY_ROWS", 0)
    assert apart(2, items=2, seconds=0.1)
    assert first.to_numpy().tobytes() == forecast(h, spec, seed=1, jobs=2).draws.to_numpy().tobytes()
