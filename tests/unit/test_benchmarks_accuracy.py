"""The benchmark's scores against utilsforecast's and numbers made by hand; its windows, which show no forecaster what came later."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.accuracy import OURS, main, ours
from benchmarks.peers import ask, median_of, naive
from benchmarks.scores import QUANTILES, Said, geometric_mean, rows_of, scale_of, summary
from benchmarks.sets import Set, Window, described, windows_of
from demand.calendar import Frequency
from demand.tables import History

CHEAP = ("SeasonalNaive", "DynamicOptimizedTheta")
SMALL = """
shelters:
  path: shelters.csv
  columns: {series: place, date: month_end, value: people}
  frequency: M
  season: 12
  horizon: 6
  windows: 4
  step: 3
  where: {kind: ["n*"]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    ends = pd.date_range("2019-01-31", periods=48, freq="ME")
    made = [
        pd.DataFrame({"place": name, "month_end": ends[begin:], "kind": kind, "people": rng.poisson(level, 48 - begin)})
        for name, level, begin, kind in (("a", 30, 0, "night"), ("b", 80, 0, "night"), ("c", 9, 30, "night"), ("x", 5, 0, "day"))
    ]
    pd.concat(made).to_csv(tmp_path / "shelters.csv", index=False)
    (tmp_path / "sets.yaml").write_text(SMALL, encoding="utf-8")
    return tmp_path


def said_of(y: np.ndarray, seed: int) -> tuple[Said, np.ndarray]:
    draws = np.random.default_rng(seed).gamma(9.0, y[..., None] / 9.0, (*y.shape, 300))
    return Said(np.moveaxis(np.quantile(draws, QUANTILES, axis=2), 0, -1), draws.sum(axis=1), 1.0), draws


def test_scores_are_those_of_utilsforecast() -> None:
    from utilsforecast.losses import coverage, mase, scaled_mqloss

    rng, ids = np.random.default_rng(1), ["a", "b", "c"]
    wide, actual = rng.gamma(5.0, 20.0, (30, 3)), rng.gamma(5.0, 20.0, (3, 6))
    said, _ = said_of(actual, 2)
    rows = rows_of(ids, actual, said, scale_of(wide, 4))

    ds = pd.date_range("2020", periods=36, freq="QS")
    train = pd.concat([pd.DataFrame({"unique_id": i, "ds": ds[:30], "y": wide[:, k]}) for k, i in enumerate(ids)])
    levels = [f"m{q}" for q in QUANTILES]
    table = pd.concat([
        pd.DataFrame(said.quantiles[k], columns=levels).assign(unique_id=i, ds=ds[30:], y=actual[k]) for k, i in enumerate(ids)
    ])  # fmt: skip
    table = table.assign(**{"m-lo-80": table["m0.1"], "m-hi-80": table["m0.9"], "m": table["m0.5"]})
    assert np.allclose(rows["mase"], mase(table, ["m"], 4, train)["m"])
    theirs = scaled_mqloss(table, {"m": levels}, np.array(QUANTILES), 4, train)["m"]
    assert np.allclose(rows["sql"], 2 * theirs)
    assert np.allclose(rows["in80"] / rows["n"], coverage(table, ["m"], 80)["m"])


def test_sums_over_a_set_by_hand() -> None:
    middle = np.array([[10.0, 10.0], [20.0, 20.0]])
    spread = np.linspace(-5, 5, len(QUANTILES))
    totals = np.array([np.linspace(0, 40, 101), np.linspace(30, 50, 101)])
    actual = np.array([[12.0, 4.0], [20.0, np.nan]])
    rows = rows_of(["a", "b"], actual, Said(middle[..., None] + spread, totals, 0.0), np.array([2.0, np.nan]))
    told = summary(rows.assign(cutoff=pd.Timestamp("2020-01-01")))
    assert told["mase"] == pytest.approx((2 + 6) / 2 / 2)  # the second series has no scale
    assert told["bias"] == pytest.approx((-2 + 6 + 0) / 36)
    assert told["coverage80"] == pytest.approx(2 / 3)
    assert told["coverage95"] == pytest.approx(2 / 3)
    assert told["total80"] == 1.0  # 16 within 4 to 36; the second series has a gap
    assert told["grand80"] == 1.0
    by_hand = sum(
        2 * max(q * (y - m - s), (q - 1) * (y - m - s)) / len(QUANTILES)
        for y, m in ((12, 10), (4, 10), (20, 20))
        for q, s in zip(QUANTILES, spread, strict=True)
    )
    assert told["wql"] == pytest.approx(by_hand / 36)


def test_a_scale_that_is_not_there_is_taken_from_the_period_before_or_left_out() -> None:
    wide = np.array([[np.nan, 1, 5.0], [np.nan, 2, 5], [np.nan, 4, 5], [3, 4, 5], [7, 4, 5]])
    assert scale_of(wide, 4) == pytest.approx([4.0, 3.0, np.nan], nan_ok=True)
    assert scale_of(wide, 12) == pytest.approx([4.0, 0.75, np.nan], nan_ok=True)


def test_a_mean_over_fewer_sets_is_not_taken_for_one_over_all() -> None:
    assert geometric_mean(pd.Series([1.0, 4.0])) == pytest.approx(2.0)
    assert np.isnan(geometric_mean(pd.Series([1.0, np.nan])))


def test_windows_are_those_described(folder: Path) -> None:
    one = described(folder / "sets.yaml")["shelters"]
    every = windows_of(one, folder)
    assert [f"{w.cutoff:%Y-%m}" for w in every] == ["2021-09", "2021-12", "2022-03", "2022-06"]
    assert [w.known.ids for w in every] == [["a", "b", "c"]] * 4
    assert [w.cutoff for w in windows_of(one, folder, which="dev")] == [w.cutoff for w in every[:2]]
    assert [w.cutoff for w in windows_of(one, folder, which="claim")] == [w.cutoff for w in every[2:]]
    assert all(w.known.last == w.cutoff and w.actual.shape == (3, 6) for w in every)
    assert [w.known.ids for w in windows_of(one, folder, series=2)] == [["a", "c"]] * 4


def test_nobody_sees_beyond_the_cutoff(folder: Path) -> None:
    one = described(folder / "sets.yaml")["shelters"]
    before = windows_of(one, folder, which="dev")
    table = pd.read_csv(folder / "shelters.csv")
    late = table["month_end"] > "2021-12-31"
    table.loc[late, "people"] = table.loc[late, "people"] * 50 + 1000
    table.to_csv(folder / "shelters.csv", index=False)
    after = windows_of(one, folder, which="dev")
    assert not np.array_equal(before[1].actual, after[1].actual)
    for peer in CHEAP:
        first, second = (_ask(peer, one, windows[1]) for windows in (before, after))
        assert np.array_equal(first.quantiles, second.quantiles)
    first, second = (ours(windows[1], 6, seed=1, jobs=1) for windows in (before, after))
    assert np.array_equal(first.quantiles, second.quantiles)


def test_a_run_writes_its_table_and_takes_peers_from_the_cache(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--data", str(folder), "--describe", str(folder / "sets.yaml"), "--models", f"{OURS},{','.join(CHEAP)}"]
    words += ["--output", str(folder / "told.md"), "--cache", str(folder / "cache")]
    assert main(words) == 0
    told = (folder / "told.md").read_text(encoding="utf-8")
    assert capsys.readouterr().out.strip() == told.strip()
    assert "3 series, 2 windows, 6 periods ahead" in told
    assert "Not run: AutoETS, AutoCES, AutoARIMA, Prophet, LightGBM, AutoGluon." in told
    kept = {p: p.stat().st_mtime_ns for p in (folder / "cache").iterdir()}
    assert len(kept) == 4
    assert main(words) == 0
    assert {p: p.stat().st_mtime_ns for p in (folder / "cache").iterdir()} == kept
    capsys.readouterr()
    assert main([*words, "--windows", "claim", "--models", "SeasonalNaive", "--prepare"]) == 0
    assert capsys.readouterr().out == ""
    assert len(list((folder / "cache").iterdir())) == 6
    assert main([*words, "--sets", "shelter"]) == 2
    assert "not known: shelter" in capsys.readouterr().err


def test_a_peer_that_cannot_forecast_a_short_series_falls_back_and_is_counted(folder: Path) -> None:
    one = described(folder / "sets.yaml")["shelters"]
    window = windows_of(one, folder)[0]
    short = window.known.table["unique_id"].eq("c") & (window.known.table["ds"] < window.cutoff)
    known = type(window.known)(window.known.table[~short].reset_index(drop=True), window.known.series, window.known.frequency)
    said = ask("LightGBM", known, 6, 12)
    assert said.fallbacks == 1
    last = known.table.loc[known.table["unique_id"] == "c", "y"].to_numpy()
    assert np.array_equal(said.quantiles[2], np.maximum(naive(last, 6, 12), 0))
    assert (np.diff(said.quantiles, axis=2) >= 0).all()
    both = median_of([said, _ask("SeasonalNaive", one, Window(window.cutoff, known, window.actual))])
    assert both.fallbacks == 1


@pytest.mark.parametrize("peer", ["SeasonalNaive", "AutoETS", "DynamicOptimizedTheta", "AutoCES"])
def test_a_series_of_nine_years_is_forecast_by_the_peer_itself_with_its_own_numbers(peer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from statsforecast import distributions, models, simulation

    y = np.array([1112, 1226, 1180, 1300, 1250, 1234, 1290, 1275, 1330.0])
    ds = pd.date_range("2012-01-01", periods=9, freq="YS")
    known = History.of(pd.DataFrame({"unique_id": "a", "ds": ds, "y": y}), Frequency("Y"))
    model = getattr(models, peer)(season_length=1)
    monkeypatch.setattr(simulation, "frozen_error_distribution", distributions.frozen_error_distribution)  # as it comes
    direct = model.forecast(y=y, h=3, level=[80])
    said = ask(peer, known, 3, 1)
    assert said.fallbacks == 0
    assert np.allclose(said.quantiles[0, :, 1], direct["lo-80"])
    assert np.allclose(said.quantiles[0, :, 9], direct["hi-80"])


def _ask(peer: str, one: Set, window: Window) -> Said:
    return ask(peer, window.known, one.horizon, one.season)
