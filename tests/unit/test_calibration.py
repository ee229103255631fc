"""Independent cutoffs, shares with their intervals, and the factor by which a range that failed is widened."""

from __future__ import annotations

import numpy as np
import pytest

from demand.calibration import MOST, blocks, share, widening


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


def test_ranges_that_held_stay_as_they_are() -> None:
    scores = np.random.default_rng(2).exponential(0.5, (30, 6))
    found = widening(scores, np.repeat(np.arange(30)[:, None], 6, axis=1), 1)
    assert found.factor == 1.0
    assert found.inside == pytest.approx((scores <= 1).mean())
    assert found.cutoffs == 30


def test_ranges_are_never_narrowed() -> None:
    assert widening(np.full((30, 3), 0.1), np.repeat(np.arange(30)[:, None], 3, axis=1), 1).factor == 1.0


def test_a_range_that_failed_is_widened_to_what_would_have_held() -> None:
    """Of errors from the normal, with a range half as wide as it should be, the factor is about two."""
    scores = np.abs(np.random.default_rng(3).normal(size=(60, 20))) / (0.5 * 1.2816)
    found = widening(scores, np.repeat(np.arange(60)[:, None], 20, axis=1), 1)
    assert found.factor == pytest.approx(2.0, rel=0.08)
    assert (scores <= found.factor).mean() == pytest.approx(0.8, abs=0.02)
    assert widening(100 * scores, np.repeat(np.arange(60)[:, None], 20, axis=1), 1).factor == MOST


@pytest.mark.parametrize("count", [1, 2, 3])
def test_too_few_independent_cutoffs_widen_nothing(count: int) -> None:
    assert widening(np.full(count, 2.0), np.arange(count), 1).factor == 1.0
    close = widening(np.full(24, 2.0), np.arange(24), 8)
    assert close.factor == 1.0
    assert close.cutoffs == 3


def test_one_miss_too_many_is_chance() -> None:
    scores = np.array([0.5, 0.6, 1.5, 0.2, 1.2, 0.9])
    assert widening(scores, np.arange(6), 1).factor == 1.0
    assert widening(np.array([1.5, 1.6, 1.5, 0.2, 1.2, 1.9]), np.arange(6), 1).factor == 1.9


def test_figures_that_are_not_known_yet_count_for_nothing() -> None:
    scores = np.array([np.nan] * 10 + [2.0] * 4)
    assert widening(scores, np.arange(14), 1).cutoffs == 4
    assert widening(np.full(5, np.nan), np.arange(5), 1).factor == 1.0
