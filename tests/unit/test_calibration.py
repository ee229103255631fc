"""Independent cutoffs, shares with their intervals, and the factor by which a range that failed is widened."""

from __future__ import annotations

import numpy as np
import pytest

from demand.calibration import FEWEST, MOST, blocks, share, widening


def test_cutoffs_whose_forecasts_overlap_count_once() -> None:
    at = np.arange(0, 24)
    assert blocks(at, 12).max() + 1 == 2
    assert blocks(at, 1).max() + 1 == 24
    assert blocks(np.array([30, 0, 30, 13]), 12).tolist() == [2, 0, 2, 1]


def test_the_interval_is_that_of_the_blocks_not_of_the_rows() -> None:
    rng = np.random.default_rng(1)
    by_block = rng.random(25) < 0.8
    block = np.repeat(np.arange(25), 40)
    mean, low, high = share(by_block[block].astype(float), block, seed=1)
    alone, less, more = share(by_block.astype(float), np.arange(25), seed=1)
    assert (mean, low, high) == pytest.approx((alone, less, more))
    assert high - low > 0.2
    assert low < mean < high
    assert np.isnan(share(np.ones(30), np.repeat(np.arange(3), 10), seed=1)[1])


def normal(width: float, *, cutoffs: int = 60, figures: int = 20, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Give scores of errors from the normal, in ranges so many times as wide as true ones, and their places."""
    scores = np.abs(np.random.default_rng(seed).normal(size=(cutoffs, figures))) / (width * 1.2816)
    return scores, np.repeat(np.arange(cutoffs)[:, None], figures, axis=1)


def test_ranges_that_held_stay_about_as_they_are() -> None:
    found = [widening(*normal(1.0, cutoffs=8, figures=12, seed=seed), 1) for seed in range(40)]
    factors = np.log([f.factor for f in found])
    raw = np.log([np.quantile(normal(1.0, cutoffs=8, figures=12, seed=seed)[0], 0.8) for seed in range(40)])
    assert abs(factors.mean()) < 0.02
    assert factors.std() < 0.7 * raw.std()
    assert found[0].inside == pytest.approx((normal(1.0, cutoffs=8, figures=12, seed=0)[0] <= 1).mean())
    assert found[0].cutoffs == 8


def test_ranges_are_narrowed_where_they_held_too_much_and_never_far() -> None:
    scores, at = normal(1.1)
    assert widening(scores, at, 1).factor == pytest.approx(1 / 1.1, abs=0.03)
    assert widening(np.full((30, 3), 0.1), at[:30, :3], 1).factor == FEWEST
    few, thin = normal(1.1, cutoffs=4, figures=2)[0], normal(1.1, cutoffs=4, figures=2)[1]
    assert widening(few, thin, 1).factor > 0.95


def test_a_range_that_failed_is_widened_to_what_would_have_held() -> None:
    """Of errors from the normal, with a range half as wide as it should be, the factor is about two."""
    scores, at = normal(0.5)
    found = widening(scores, at, 1)
    assert found.factor == pytest.approx(2.0, rel=0.08)
    assert (scores <= found.factor).mean() == pytest.approx(0.8, abs=0.02)
    assert widening(100 * scores, at, 1).factor == MOST


def test_cutoffs_that_differ_say_less_than_cutoffs_that_agree() -> None:
    scores, at = normal(0.8, cutoffs=8)
    unlike = scores * np.exp(np.random.default_rng(1).normal(0, 0.5, 8))[:, None]
    raw = [np.quantile(s, 0.8) for s in (scores, unlike)]
    drawn = [widening(s, at, 1).factor for s in (scores, unlike)]
    assert np.log(drawn[1]) / np.log(raw[1]) < 0.5 * np.log(drawn[0]) / np.log(raw[0])


@pytest.mark.parametrize("count", [1, 2, 3])
def test_too_few_independent_cutoffs_widen_nothing(count: int) -> None:
    assert widening(np.full(count, 2.0), np.arange(count), 1).factor == 1.0
    close = widening(np.full(24, 2.0), np.arange(24), 8)
    assert close.factor == 1.0
    assert close.cutoffs == 3


def test_one_miss_too_many_is_mostly_chance() -> None:
    scores = np.array([0.5, 0.6, 1.5, 0.2, 1.2, 0.9])
    assert 1.0 < widening(scores, np.arange(6), 1).factor < 1.1
    assert widening(np.array([1.5, 1.6, 1.5, 1.4, 1.5, 1.6]), np.arange(6), 1).factor == pytest.approx(1.5, abs=0.1)


def test_figures_that_are_not_known_yet_count_for_nothing() -> None:
    scores = np.array([np.nan] * 10 + [2.0] * 4)
    assert widening(scores, np.arange(14), 1).cutoffs == 4
    assert widening(np.full(5, np.nan), np.arange(5), 1).factor == 1.0
