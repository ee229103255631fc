"""What is said of a forecast: levels and years beside single periods, dates that the analyst names, and the track record in words."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.errors import SettingsError
from demand.evaluation import Backtest, backtest
from demand.evaluation.coverage import coverage, deciles
from demand.evaluation.looks import year_ends
from demand.evaluation.record import _without, track_record
from demand.forecast import BacktestSpec, Earlier, Forecast, ForecastSpec, forecast
from demand.tables import History

CHEAP = ["seasonal_naive", "theta"]


def history(periods: int = 96, code: str = "M", start: str = "2016-04-01") -> History:
    rng, frequency = np.random.default_rng(5), Frequency(code, 3)
    ds = frequency.periods(pd.Timestamp(start), periods)
    season = 1 + 0.2 * np.sin(np.arange(periods) * 2 * np.pi / frequency.season_length)
    tables = [
        pd.DataFrame(
            {"unique_id": f"{area}/{kind}", "ds": ds, "y": rng.poisson(level * season), "area": area, "kind": kind, "unit": "people"}
        )
        for area, level in (("North", 90), ("South", 20))
        for kind in ("flow", "stock")
    ]
    return History.of(pd.concat(tables), frequency, keys=["area"])


@pytest.fixture(scope="module")
def made() -> tuple[History, ForecastSpec, Forecast, Backtest]:
    h, spec = history(), ForecastSpec(horizon=24, models=CHEAP, draws=100)
    f = forecast(h, spec, seed=1)
    return h, spec, f, backtest(h, f, spec, seed=1)


def test_every_level_and_every_year_is_judged(made) -> None:
    _, _, _, b = made
    assert set(b.summary["level"]) == {"total", "area", "series"}
    for level in ("total", "area", "series"):
        one = b.summary[b.summary["level"] == level]
        assert {"1", "24", "all", "sum", "year", "year 1", "year 2"} <= set(one["horizon"])
        assert {"coverage80", "coverage95", "bias", "skill", "pit1", "pit10"} <= set(one["measure"])
    pits = b.summary[b.summary["measure"].str.startswith("pit")].groupby(["level", "horizon"])["value"].sum()
    np.testing.assert_allclose(pits, 1.0)


def test_what_was_said_of_the_year_ahead_is_kept_draw_by_draw(made) -> None:
    _, _, _, b = made
    sums = b.sums[(b.sums["level"] == "series") & (b.sums["span"] == "year 1")].set_index(["name", "cutoff"])
    years = b.years.set_index(["unique_id", "cutoff"])
    assert set(sums.index) <= set(years.index)
    for at, row in sums.iterrows():
        assert years.loc[at, "said"].mean() == pytest.approx(row["mean"], rel=1e-5)
        assert np.quantile(years.loc[at, "said"], 0.9) == pytest.approx(row["q0.9"], rel=1e-5)
        assert years.loc[at, "financial_year"] == row["financial_year"]


def test_a_year_is_the_sum_of_a_flow_and_the_average_of_a_stock(made) -> None:
    h, _, _, b = made
    row = b.sums[(b.sums["level"] == "total") & (b.sums["financial_year"] == "2022-23") & (b.sums["span"] == "year 1")]
    row = row.set_index("kind")
    assert row["cutoff"].eq(pd.Timestamp("2022-03-01")).all()
    year = h.wide.loc["2022-04-01":"2023-03-01"]
    flows = [c for c in h.ids if c.endswith("flow")]
    assert row.loc["flow", "y"] == year[flows].to_numpy().sum()
    stocks = h.wide.loc["2022-03-01":"2023-03-01", [c for c in h.ids if c.endswith("stock")]].sum(axis=1)
    days = h.frequency.days_in(pd.DatetimeIndex(year.index))
    held = (stocks.to_numpy()[1:] + stocks.to_numpy()[:-1]) / 2
    assert row.loc["stock", "y"] == pytest.approx((held * days).sum() / days.sum())


def test_sums_of_parts_are_the_totals(made) -> None:
    _, _, _, b = made
    by = ["kind", "span", "cutoff"]
    y = {level: t.groupby(by)[["y", "mean", "naive"]].sum() for level, t in b.sums.groupby("level")}
    pd.testing.assert_frame_equal(y["total"], y["area"], rtol=1e-6)
    whole = y["series"].index
    pd.testing.assert_frame_equal(y["total"].loc[whole], y["series"], rtol=1e-6)


def test_evidence_is_counted_in_dates_that_do_not_overlap(made) -> None:
    _, _, _, b = made
    one = b.summary[(b.summary["level"] == "total") & (b.summary["measure"] == "coverage80")].set_index("horizon")
    assert one.loc["year 1", "n_independent"] == one.loc["year 1", "n_cutoffs"] >= 4
    assert one.loc["year 2", "n_independent"] <= (one.loc["year 2", "n_cutoffs"] + 1) // 2
    assert one.loc["sum", "n_independent"] < one.loc["sum", "n_cutoffs"]
    assert (
        one.loc["year 1", "verdict"]
        == f"{round(one.loc['year 1', 'value'] * one.loc['year 1', 'n_rows'])} of {one.loc['year 1', 'n_rows']} figures "
        f"at {one.loc['year 1', 'n_cutoffs']} dates"
    )


def test_cumulative_error_is_told_in_people_and_has_a_sign(made) -> None:
    _, _, _, b = made
    row = b.groups[(b.groups["level"] == "total") & (b.groups["kind"] == "flow") & (b.groups["horizon"] == "year")].iloc[0]
    mine = b.sums[(b.sums["level"] == "total") & (b.sums["kind"] == "flow") & b.sums["span"].str.startswith("year")]
    assert row["error"] == pytest.approx((mine["mean"] - mine["y"]).mean())
    assert row["bias"] == pytest.approx(mine["mean"].sum() / mine["y"].sum() - 1)


def test_the_record_speaks_of_each_april(made) -> None:
    _, _, _, b = made
    assert b.track_record[0].startswith("Had we forecast each April since 20")
    assert "the total of people over the year would have been within" in b.track_record[0]
    assert "the average number of people over the year" in b.track_record[1]
    assert "For single series" in b.track_record[2]


def test_the_record_counts_what_it_says() -> None:
    y = np.array([100.0, 100, 100, 100, 100, 100])
    mean = np.array([100.0, 106, 94, 103, 99, 120])
    cutoffs = pd.date_range("2019-03-01", periods=6, freq="YS-MAR")
    found = pd.DataFrame({
        "level": "total", "name": "", "kind": "flow", "unit": "placements", "span": "year 1", "step": 12, "cutoff": cutoffs,
        "place": np.arange(6) * 12, "calibrated": [False, True, True, True, True, True], "y": y, "mean": mean, "q0.5": mean,
        "q0.1": mean - 5, "q0.9": mean + 5,
    })  # fmt: skip
    groups = pd.DataFrame(columns=["level", "name", "horizon", "skill"])
    assert track_record(found, groups, Frequency("M")) == [
        "Had we forecast each April since 2019, the total of placements over the year would have been within 6% in 5 of 6 years, and "
        "inside its range in 2 of 5 (4 in 5 expected). All together, forecasts came to 4% more than what happened."
    ]


@pytest.mark.parametrize(
    ("mean", "words"),
    [
        ([152.0, 77, 65], "too far off to rely on: 52% too high, 23% too low, 35% too low"),
        ([100.2, 98, 126], "out: right, 2% too low, 26% too high"),
    ],
)
def test_a_record_far_off_tells_the_misses_and_claims_no_hit(mean: list[float], words: str) -> None:
    y = np.array([100.0, 100, 100])
    found = pd.DataFrame({
        "level": "total", "name": "", "kind": "flow", "unit": "people", "span": "year 1", "step": 12, "place": [0, 12, 24],
        "cutoff": pd.date_range("2023-03-01", periods=3, freq="YS-MAR"), "calibrated": False, "y": y, "mean": mean, "q0.5": mean,
        "q0.1": mean, "q0.9": mean,
    })  # fmt: skip
    told = track_record(found, pd.DataFrame(columns=["level", "name", "horizon", "skill"]), Frequency("M"))[0]
    assert f"would have been {words}." in told
    assert "within" not in told


@pytest.mark.parametrize(("where", "told"), [({}, "leaving out"), ({"area": ["South"]}, "leaving out some series in")])
def test_the_record_names_the_years_that_a_shock_set_aside(where: dict[str, list[str]], told: str) -> None:
    shock = {"name": "first lockdown", "kind": "shock", "start": "2022-05", "end": "2022-08", "where": where}
    h, spec = history(), ForecastSpec(horizon=24, models=CHEAP, draws=40, events=[shock])
    b = backtest(h, forecast(h, spec, seed=1), spec, seed=1)
    assert f", {told} 2022-23 (first lockdown), the total of people over the year would have been within" in b.track_record[0]


def test_the_record_says_what_it_does_not_take_in() -> None:
    h, spec = history(), ForecastSpec(horizon=12, models=CHEAP, draws=40)
    gone = h.table["unique_id"].eq("South/flow") & (h.table["ds"] >= "2022-01-01")
    h = History(h.table[~gone].reset_index(drop=True), h.series, h.frequency)
    rents = pd.DataFrame({"ds": h.wide.index, "name": "rents", "value": np.random.default_rng(1).normal(100, 3, len(h.wide))})
    told = backtest(h, forecast(h, spec, seed=1, drivers=rents), spec, seed=1, drivers=rents).track_record
    assert told[-2].startswith("1 series that has ended is in no figure of this record")
    assert told[-1] == "The forecast's ranges take in what its drivers may do; those of this record do not."
    plain = history()
    assert not any("record" in s for s in backtest(plain, forecast(plain, spec, seed=1), spec, seed=1).track_record)


def test_declared_totals_have_their_own_sentence(made) -> None:
    h, _, _, b = made
    areas = b.sums.assign(place=0, name=b.sums["name"].where(b.sums["level"] == "series", ""))
    declared = areas[(areas["level"] != "total") & (areas["area"] != "South")]
    told = track_record(declared.replace({"level": {"area": "North/all"}}), b.groups, h.frequency)
    assert "the total of people (North/all) over the year would have been within" in told[0]
    assert "the average number of people (North/all) over the year" in told[1]


def test_series_for_which_repeating_the_past_was_nearer_are_named(made) -> None:
    h, _, _, b = made
    worse = b.groups.assign(skill=np.where(b.groups["name"] == "South/flow", -0.2, 0.3))
    told = track_record(b.sums.assign(place=0), worse, h.frequency)[-1]
    nearer = "would have been nearer for 1 of 4 series: 'South/flow'."
    assert told == f"The last counts again, with the season as far as it could be told, {nearer}"
    assert track_record(b.sums.assign(place=0), worse, Frequency("Y", 3))[-1] == f"The last count again {nearer}"


def test_dates_may_be_listed(made) -> None:
    h, spec, f, _ = made
    named = spec.model_copy(update={"backtest": BacktestSpec(cutoffs=["2021-06", "2022-03"])})
    b = backtest(h, f, named, seed=1)
    assert sorted(b.rows["cutoff"].unique()) == [pd.Timestamp("2021-06-01"), pd.Timestamp("2022-03-01")]
    assert set(b.rows["model"]) == {*CHEAP, "combined"}
    assert set(b.sums.loc[b.sums["span"] == "year 1", "financial_year"]) == {"2022-23"}
    assert b.track_record[0].startswith("Had we forecast after June 2021, March 2022,")
    again = forecast(h, named, seed=1, earlier=Earlier(f.replays))
    assert again.draws.to_numpy().tobytes() == f.draws.to_numpy().tobytes()


@pytest.mark.parametrize(
    ("day", "why"), [("2016-05", "nothing to learn from"), ("2024-03", "nothing to compare with"), ("2030-01", "compare")]
)
def test_dates_outside_the_data_are_refused_before_anything_is_fitted(day: str, why: str) -> None:
    spec = ForecastSpec(horizon=3, models=CHEAP, backtest=BacktestSpec(cutoffs=[day]))
    with pytest.raises(SettingsError, match=f"{why}.*2016-06-30 to 2024-02-29"):
        forecast(history(), spec, seed=1)


def test_a_day_means_what_was_known_on_it() -> None:
    assert BacktestSpec(cutoffs=["2022-02", date(2023, 3, 31)]).cutoffs == [date(2022, 2, 28), date(2023, 3, 31)]


@pytest.mark.parametrize(
    ("code", "expected"),
    [("M", ["2017-03-01", "2018-03-01"]), ("Q", ["2017-01-01", "2018-01-01"]), ("Y", ["2016-04-01", "2017-04-01"]),
     ("D", ["2017-03-31", "2018-03-31"]),
     ("W-MON", ["2017-03-20", "2018-03-19"])],
)  # fmt: skip
def test_years_begin_after_the_last_whole_period_before_them(code: str, expected: list[str]) -> None:
    frequency = Frequency(code, 3)
    index = frequency.between(pd.Timestamp("2016-06-01") if code != "Y" else pd.Timestamp("2016-04-01"), pd.Timestamp("2019-03-31"))
    assert [str(c.date()) for c in year_ends(index, frequency, 4)] == expected


@pytest.mark.parametrize("code", ["Q", "Y", "W-MON"])
def test_other_frequencies_have_years_too(code: str) -> None:
    h = history({"Q": 40, "Y": 16, "W-MON": 320}[code], code)
    spec = ForecastSpec(horizon={"Q": 8, "Y": 3, "W-MON": 53}[code], models=CHEAP, draws=40)
    b = backtest(h, forecast(h, spec, seed=1), spec, seed=1)
    assert "year 1" in set(b.sums["span"])
    assert b.sums.loc[b.sums["span"] == "year 1", "cutoff"].nunique() >= 2
    assert len(b.track_record) >= 2


def test_counts_are_spread_over_the_tenths_that_they_could_lie_in() -> None:
    found = deciles(np.array([0.0, 0.25, 0.4, 1.0]), np.array([0.2, 0.25, 0.95, 1.0]))
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_allclose(found[0, :3], [0.5, 0.5, 0])
    assert found[1, 2] == 1
    np.testing.assert_allclose(found[2, [3, 4, 9]], [0, 1 / 5.5, 0.5 / 5.5])
    assert found[3, 9] == 1


def test_twenty_independent_dates_give_a_verdict_and_fewer_none() -> None:
    def verdict(count: int, off: float) -> str:
        y = np.random.default_rng(1).normal(size=count) * off
        table = pd.DataFrame({"level": "total", "name": "", "kind": "flow", "unit": "u", "span": "year 1", "step": 12, "n_series": 3,
                              "cutoff": np.arange(count), "place": np.arange(count) * 12, "calibrated": True, "y": y, "below": 0.5,
                              "upto": 0.5, "q0.1": -1.28, "q0.9": 1.28, "q0.025": -1.96, "q0.975": 1.96})  # fmt: skip
        found = coverage(table, seed=1)
        return str(found.loc[(found["measure"] == "coverage80") & (found["horizon"] == "year 1"), "verdict"].iloc[0])

    assert verdict(60, 1.0) == "holds"
    assert verdict(60, 3.0) == "too narrow"
    assert verdict(60, 0.2) == "too wide"
    assert verdict(19, 0.2) == "19 of 19"


@pytest.mark.parametrize(("periods", "span"), [(3, ""), (6, "over the next month"), (14, "over the next 4 months")])
@pytest.mark.parametrize("cutoffs", [None, ["2016-06"]])
def test_a_short_history_is_looked_back_on_as_far_as_it_goes(periods: int, span: str, cutoffs: list[str] | None) -> None:
    h = history(max(periods, 4) if cutoffs else periods)
    spec = ForecastSpec(horizon=12, models=CHEAP, draws=20, backtest=BacktestSpec(cutoffs=cutoffs))
    b = backtest(h, forecast(h, spec, seed=1), spec, seed=1)
    assert not b.summary["measure"].str.startswith("coverage").any()
    assert not b.rows["calibrated"].any()
    phrases = ("would have been within", "would have been too far off", "would have been out", "nearer")
    assert all(any(p in s for p in phrases) for s in b.track_record)
    assert span in " ".join(b.track_record)


def test_a_shock_long_before_the_first_year_judged_is_not_said_to_be_left_out_of_it() -> None:
    years = [pd.Timestamp(f"{y}-03-01") for y in range(2020, 2027)]
    rows = pd.DataFrame({"cutoff": years[4:], "span": "year 1"})
    aside = [
        ("year 1", years[0], "2020-21", "lockdown"),
        ("year 1", years[1], "2021-22", "lockdown"),
        ("year 1", years[3], "2023-24", "flood"),
    ]
    assert _without(rows, aside) == ", with 2023-24 (flood) before that set aside"
    assert _without(rows, aside[:2]) == ""
