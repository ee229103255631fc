"""Weights, scores and combinations against slow, obvious versions of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.combine import combined, scores, unused, weigh
from demand.cube import Cube
from demand.evaluation import scale_of
from demand.hierarchy import levels, totals
from demand.swings import Swings
from demand.tables import History, make_draws


def cube(seed: int = 0) -> Cube:
    rng = np.random.default_rng(seed)
    y = rng.poisson(40, (6, 3, 4)).astype(float)
    y[5, 2, 3] = np.nan
    noise = rng.normal(size=y.shape)
    means = {"good": y + noise, "fair": y - noise * 1.05, "bad": y + 30.0}
    means["fair"][:2] = np.nan
    return Cube(
        ["a", "b", "c"],
        pd.date_range("2020-01-01", periods=6, freq="MS"),
        np.arange(6),
        y,
        means,
        Swings(np.full((12, 3), np.nan), np.zeros((12, 3))),
        12,
        11,
        np.zeros(3, dtype=int),
        np.zeros((12, 3), dtype=bool),
    )


def test_scores_are_ratios_on_the_rows_that_both_have() -> None:
    c = cube()
    found = scores(c, ["good", "fair", "bad"])
    size = [np.nanmean([abs(c.y[k, s, h] - c.means["good"][k, s, h]) for k in range(6) for h in range(4)]) for s in range(3)]
    plain, scaled = [0.0, 0.0], [0.0, 0.0]
    for k in range(2, 6):
        for s in range(3):
            for h in range(4):
                if np.isfinite(c.y[k, s, h]):
                    for i, m in enumerate(("fair", "good")):
                        e = abs(c.y[k, s, h] - c.means[m][k, s, h])
                        plain[i] += e
                        scaled[i] += e / size[s]
    assert found["good"] == pytest.approx(1.0)
    assert found["fair"] == pytest.approx((plain[0] / plain[1] * scaled[0] / scaled[1]) ** 0.5)


def test_weights_leave_out_the_far_and_add_up() -> None:
    weights = weigh(cube(), ["good", "fair", "bad"], stretches=3.0)
    assert weights["bad"] == 0
    assert weights["good"] > weights["fair"] > 0.3
    assert sum(weights.values()) == pytest.approx(1)
    equal = weigh(cube(), ["good", "fair", "bad"], stretches=0.0)
    assert equal["good"] == pytest.approx(equal["fair"])


def test_combined_gives_the_weight_of_the_silent_to_the_others() -> None:
    means = {"a": np.array([1.0, np.nan, np.nan]), "b": np.array([3.0, 3.0, np.nan])}
    np.testing.assert_allclose(combined(means, {"a": 0.75, "b": 0.25}), [1.5, 3.0, np.nan])


def test_known_by_drops_what_had_not_come() -> None:
    c = cube()
    known = c.known_by(3)
    assert known.at.tolist() == [0, 1, 2]
    for k in range(3):
        for h in range(4):
            assert np.isnan(known.y[k, :, h]).all() == (k + h + 1 > 3)


def test_scale_is_the_naive_error_before_the_cutoff() -> None:
    ds = pd.date_range("2020-01-01", periods=30, freq="MS")
    y = np.random.default_rng(1).poisson(20, 30).astype(float)
    h = History.of(pd.DataFrame({"unique_id": "a", "ds": ds, "y": y}), Frequency("M"))
    expected = np.mean([abs(y[t] - y[t - 12]) for t in range(12, 25)])
    assert scale_of(h, ds[24])["a"] == pytest.approx(expected)


def test_totals_are_sums_of_draws_one_by_one() -> None:
    ds = pd.date_range("2023-04-01", periods=24, freq="MS")
    rng = np.random.default_rng(2)
    table = pd.concat([pd.DataFrame({"unique_id": i, "ds": ds[:12], "y": rng.poisson(9, 12), "k": i[0]}) for i in ("xa", "xb", "yc")])
    h = History.of(table, Frequency("M"), keys=["k"])
    d = make_draws(
        rng.poisson(9, (3, 12, 9)).astype(float), h.series, ds[12:], frequency=h.frequency, cutoff=h.last, seed=1, fingerprint="t"
    )
    found = totals(d, levels(h.series), history=h)
    row = found[(found["level"] == "k") & (found["k"] == "x") & (found["financial_year"] == "2024-25")].iloc[0]
    sums = [sum(float(d.sel(series=s).to_numpy()[t, j]) for s in ("xa", "xb") for t in range(12)) for j in range(9)]
    assert row["mean"] == pytest.approx(np.mean(sums))
    assert row["q0.9"] == pytest.approx(np.quantile(sums, 0.9))
    month = found[(found["level"] == "total") & (found["ds"] == ds[13])].iloc[0]
    assert month["q0.5"] == pytest.approx(np.median(d.to_numpy()[:, 1].sum(axis=0)))


def test_a_raced_model_must_be_clearly_better() -> None:
    c = cube()
    assert weigh(c, ["good", "fair"], stretches=3.0, raced=["good"])["good"] == 0
    assert weigh(c, ["good", "bad"], stretches=3.0, raced=["good"])["good"] > 0
    assert weigh(c, ["good", "fair"], stretches=3.0, raced=["good", "fair"])["good"] > 0


def raced(few: list[float]) -> dict[str, float]:
    """Weigh a model that was replayed on so many of 12 series; its error over that of the other on each is given."""
    return weigh(race(few), ["everywhere", "raced"], stretches=3.0, raced=["raced"])


def race(few: list[float]) -> Cube:
    """Give its replays."""
    rng, c = np.random.default_rng(5), cube()
    y = rng.normal(100.0, 5.0, (6, 12, 4))
    means = {"everywhere": y + rng.choice([-4.0, 4.0], y.shape), "raced": np.full(y.shape, np.nan)}
    for s, size in enumerate(few):
        means["raced"][:, s] = y[:, s] + 4.0 * size
    nothing = np.zeros((12, 12), dtype=bool)
    c = replace(
        c, ids=[str(s) for s in range(12)], y=y, means=means, swings=Swings(nothing * np.nan, nothing * 0.0), kinds=np.zeros(12, int)
    )
    return replace(c, unsettled=nothing)


def test_a_race_on_a_few_series_that_do_not_agree_earns_nothing() -> None:
    assert raced([0.7] * 6)["raced"] > 0.5
    assert raced([0.3, 1.1, 0.3, 1.1, 0.3, 1.1])["raced"] == 0
    assert raced([0.7])["raced"] == 0


def test_a_raced_model_that_is_left_out_is_told_by_the_score_that_decided() -> None:
    few = [0.3, 1.1, 0.3, 1.1, 0.3, 1.1]
    told = unused(race(few), raced(few), raced=["raced"])["raced"]
    assert told.startswith("it was not clearly enough better on a sample of 6 series: its error, as far as the sample is believed, was 0.")
    asked = float(told.split("other model, ")[1].split(" ")[0])
    assert asked > 0.9 > scores(race(few), ["everywhere", "raced"])["raced"]


def test_a_model_that_was_not_raced_is_told_by_its_error() -> None:
    c = cube()
    found = scores(c, ["good", "bad"])["bad"]
    assert unused(c, {"good": 1.0, "bad": 0.0}) == {
        "bad": f"its error was {found:.2f} times that of the best model, in replays of 3 series"
    }
