"""Is the forecast of record still right: alarms that hold their rate, what is found, and a challenger that has to win often enough."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from demand.calendar import Frequency
from demand.errors import DataError
from demand.monitoring import CHART, contest, drivers_apart, monitor
from demand.report.monitor_section import monitor_section
from demand.tables import History, make_draws

FREQUENCY = Frequency("M")
SERIES, AHEAD, DRAWS = 6, 9, 200
IDS = [f"s{i}" for i in range(SERIES)]


def future(rng: np.random.Generator, *, months: int = 6, drift: float = 0.0, jump: float = 0.0) -> tuple[xr.DataArray, History]:
    """Draws of persistent, related series, and counts that come from where the draws come from, but for a drift or a jump."""
    level = rng.uniform(5, 60, SERIES)

    def paths(count: int) -> np.ndarray:
        own, common = rng.normal(0, 0.05, (SERIES, AHEAD, count)), rng.normal(0, 0.03, (1, AHEAD, count))
        return rng.poisson(level[:, None, None] * np.exp(np.cumsum(own + common, axis=1)))

    past = FREQUENCY.periods(pd.Timestamp("2024-04-01"), 24)
    ahead = FREQUENCY.after(past[-1], AHEAD)
    came = paths(1)[:, :, 0] * np.exp(drift * np.arange(1, AHEAD + 1))
    came[0, months - 1] *= 1 + jump
    rows = [(u, d, float(round(level[i]))) for i, u in enumerate(IDS) for d in past]
    rows += [(u, d, float(came[i, j])) for i, u in enumerate(IDS) for j, d in enumerate(ahead[:months])]
    table = pd.DataFrame(rows, columns=["unique_id", "ds", "y"]).assign(kind="stock", unit="people")
    now = History.of(table.assign(area=table["unique_id"]), FREQUENCY, keys=["area"])
    made = make_draws(paths(DRAWS), now.series, ahead, frequency=FREQUENCY, cutoff=past[-1], seed=1, fingerprint="test")
    return made, now


@pytest.mark.parametrize("months", [1, 6])
def test_a_month_raises_any_alarm_by_chance_one_time_in_twenty(months: int) -> None:
    rng = np.random.default_rng(months)
    alarms = sum(monitor(*future(rng, months=months)).action != "nothing" for _ in range(120))
    assert alarms <= 12  # 6 are expected; more than 12 come one time in a hundred


def test_a_drift_asks_for_a_refit_and_a_jump_for_a_look() -> None:
    rng = np.random.default_rng(1)
    found = [monitor(*future(rng, drift=0.12)) for _ in range(10)]
    assert sum(f.action == "refit" for f in found) >= 9
    assert any("above the forecast" in w for f in found for w in f.signals["why"])
    jumped = monitor(*future(rng, jump=5.0))
    assert "point" in set(jumped.signals.loc[jumped.signals["unique_id"] == "s0", "rule"])
    assert set(jumped.signals.loc[jumped.signals["rule"] == "point", "action"]) == {"look"}


def test_the_chart_holds_residuals_and_their_changes_and_counts_what_was_inside() -> None:
    draws, now = future(np.random.default_rng(5), months=4)
    found = monitor(draws, now)
    assert [*found.chart.columns] == CHART
    assert len(found.chart) == (SERIES + 1) * 4
    one = found.chart[found.chart["unique_id"] == "s2"]
    values = draws.sel(series="s2").to_numpy()[:4].astype(float)
    roots = np.sqrt(values + 0.375)
    by_hand = (np.sqrt(one["y"].to_numpy() + 0.375) - roots.mean(axis=1)) / roots.std(axis=1)
    assert np.allclose(one["residual"], by_hand)
    assert np.allclose(one["moving_range"].to_numpy()[1:], np.abs(np.diff(by_hand)))
    changes = np.diff((roots - roots.mean(axis=1, keepdims=True)) / roots.std(axis=1, keepdims=True), axis=0)
    assert np.allclose(one["moving_range_limit"].to_numpy()[1:], one["limit"].iloc[0] * changes.std(axis=1))
    own = found.chart[~found.chart["unique_id"].str.startswith("total")]
    assert (found.coverage["inside"], found.coverage["of"]) == (int(own["inside"].astype(bool).sum()), SERIES * 4)
    total = found.chart[found.chart["unique_id"].str.startswith("total")]
    assert np.allclose(total["y"].to_numpy(), own.groupby("ds")["y"].sum().to_numpy())


def test_the_page_says_what_to_do_about_each_and_charts_what_stands_out_first() -> None:
    found = monitor(*future(np.random.default_rng(1), jump=5.0))
    told = {
        "record": {"name": "Budget 2027-28 as set", "by": "treasurer"},
        "since": "2026-03-01",
        "months": found.months,
        "action": "look",
        "false_alarms": "5 times in 100",
        "signals": found.signals.to_dict("records"),
        "coverage": found.coverage,
        "drivers": [{"name": "rent", "came": 900.0, "expected": 800.0, "action": "refit"}],
        "segments": {"reason": "no segments to watch", "action": "nothing"},
        "challenger": {"why": "the two say the same", "verdict": "keep"},
    }
    section = monitor_section(told, found.chart, write=lambda d: f"{d:%Y-%m}")
    words, table, *charts = section.parts
    assert words.lines[0].startswith("Look at it")
    assert words.lines[1].endswith("Held against “Budget 2027-28 as set”, approved by the treasurer; 6 periods since 2026-03.")
    assert ("S0", "The last count is far from what was forecast", "look") in table.rows
    assert ("Driver rent", "Came to 900, 800 expected", "refit") in table.rows
    assert "s0" in charts[0].alt.lower()
    assert "outside its limits in 2026-09" in charts[0].alt
    assert len(charts) == 6
    assert charts[0].svg.startswith("<svg")


def test_a_month_that_was_not_counted_raises_no_alarm_and_nothing_since_is_said() -> None:
    draws, now = future(np.random.default_rng(2), months=5, jump=30.0)
    table = now.table.copy()
    table.loc[(table["unique_id"] == "s0") & (table["ds"] == table["ds"].max()), "y"] = np.nan
    gap = monitor(draws, History(table, now.series, now.frequency))
    assert not gap.signals["unique_id"].isin(["s0", "total: stock of people"]).any()
    assert gap.coverage["of"] == SERIES * 5 - 1
    before = now.until(pd.Timestamp(draws.attrs["cutoff"]))
    assert monitor(draws, before).coverage["verdict"] == "nothing has been counted since"
    table.loc[table["ds"] > pd.Timestamp(draws.attrs["cutoff"]), "y"] = np.nan
    elsewhere = monitor(draws, History(table, now.series, now.frequency))
    assert (elsewhere.coverage["share"], elsewhere.coverage["verdict"]) == (None, "nothing has been counted since")
    assert (elsewhere.months, elsewhere.action) == (0, "nothing")
    with pytest.raises(DataError, match="no series of the forecast of record"):
        monitor(draws.assign_coords(series=[f"x{i}" for i in range(SERIES)]), now)


def test_fewer_inside_than_expected_is_told_also_where_chance_can_make_so_few() -> None:
    draws, now = future(np.random.default_rng(3), months=1)
    table = now.table.copy()
    ahead = table["ds"] == table["ds"].max()
    high = {str(i): float(np.quantile(draws.sel(series=i).to_numpy()[0], 0.9)) for i in draws["series"].to_numpy()[:2]}
    table.loc[ahead & table["unique_id"].isin(list(high)), "y"] = [np.ceil(v) + 1 for v in high.values()]
    found = monitor(draws, History(table, now.series, now.frequency))
    assert found.coverage["share"] <= 4 / 6
    assert found.coverage["verdict"].startswith("fewer, but no fewer than chance")
    assert "level" not in set(found.signals["rule"])


def test_a_driver_outside_its_range_is_named() -> None:
    ds = pd.to_datetime(["2026-04-01", "2026-05-01"])
    both = {"ds": [*ds, *ds], "name": ["rents"] * 2 + ["jobs"] * 2}
    ahead = pd.DataFrame({**both, "value": 100.0, "low": 98.0, "high": 102.0, "source": "published"})
    now = pd.DataFrame({**both, "value": [100.0, 112.0, 101.0, 99.5], "low": np.nan, "high": np.nan})
    told = {d["name"]: d for d in drivers_apart(ahead, now, pd.Timestamp("2026-03-01"))}
    assert (told["rents"]["action"], told["jobs"]["action"]) == ("refit", "nothing")
    assert told["rents"]["apart"] == pytest.approx(12 / (4 / (2 * 1.2815515655)), rel=1e-6)
    narrow = ahead.assign(low=99.99, high=100.01)  # as projections of a population are published
    assert {d["name"]: d["action"] for d in drivers_apart(narrow, now, pd.Timestamp("2026-03-01"))} == {"rents": "refit", "jobs": "nothing"}
    assert drivers_apart(ahead, now.assign(low=1.0), pd.Timestamp("2026-03-01")) == []


@pytest.mark.parametrize(("dates", "better", "verdict"), [(10, 0.2, "replace"), (5, 0.2, "keep"), (10, -0.2, "keep"), (10, 0.01, "keep")])
def test_a_challenger_replaces_the_champion_only_when_it_wins_often_enough(dates: int, better: float, verdict: str) -> None:
    rng = np.random.default_rng(1)
    rows = []
    for cutoff in pd.date_range("2023-01-01", periods=dates, freq="MS"):
        for name in ("a", "b", "c"):
            y, error = 50.0, float(rng.uniform(4, 6))
            for model, mean in (("ets", y + error), ("theta", y + error), ("combined", y + error * (1 - better))):
                rows.append((name, cutoff + pd.DateOffset(months=1), cutoff, model, y, mean))
    told = contest(pd.DataFrame(rows, columns=["unique_id", "ds", "cutoff", "model", "y", "mean"]), {"ets": 0.5, "theta": 0.5, "ces": 0.0})
    assert told["verdict"] == verdict
    assert told["cutoffs"] == dates
    assert told["better"] == pytest.approx(better, abs=1e-9)
    table = pd.DataFrame(rows, columns=["unique_id", "ds", "cutoff", "model", "y", "mean"])
    assert "not replayed" in contest(table, {"prophet": 1.0})["why"]
    apart = table[(table["cutoff"] < "2023-03-01") == (table["model"] == "theta")]
    assert contest(apart, {"ets": 0.5, "theta": 0.5})["why"].startswith("not compared: there is no date")


def test_a_model_of_stocks_alone_keeps_no_flow_out_of_the_contest() -> None:
    rows = []
    for cutoff in pd.date_range("2023-01-01", periods=9, freq="MS"):
        day = cutoff + pd.DateOffset(months=1)
        for name, says in (("stock", ("ets", "caseload")), ("flow", ("ets",))):
            error = {"ets": 8.0, "caseload": 4.0, "combined": 3.0}
            rows += [(name, day, cutoff, model, 50.0, 50.0 + error[model]) for model in (*says, "combined")]
        rows.append(
            ("stock", day + pd.DateOffset(months=1), cutoff, "combined", 50.0, 90.0)
        )  # of which the champion's models were not asked
    table = pd.DataFrame(rows, columns=["unique_id", "ds", "cutoff", "model", "y", "mean"])
    told = contest(table, {"ets": 0.25, "caseload": 0.75})
    assert (told["cutoffs"], told["won"], told["verdict"]) == (9, 9, "replace")
    assert told["better"] == pytest.approx(1 - 3 / ((0.25 * 8 + 0.75 * 4 + 8) / 2))
