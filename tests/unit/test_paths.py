"""Who takes whose path of errors: by what a series is called, so that one more moves few of the others; each path once."""

from __future__ import annotations

import numpy as np
import pytest

from demand.paths import completed, standard_paths
from demand.uncertainty import draw_paths, learn_errors

CUTOFFS, SERIES, STEPS = 12, 9, 4


def paths(series: int = SERIES, cutoffs: int = CUTOFFS) -> np.ndarray:
    """Give paths that tell whose they are: the whole part of each number is the series."""
    return np.tile(np.arange(1.0, series + 1)[None, :, None], (cutoffs, 1, STEPS))


def taken(given: np.ndarray, keys: list[str], kinds: np.ndarray | None = None, draws: int = 400) -> np.ndarray:
    """Give whose path each series takes in each draw, and that its size and sign are those of the draw."""
    kinds = np.zeros(len(keys), dtype=int) if kinds is None else kinds
    z = standard_paths(given, np.full(len(given), 1 / len(given)), kinds, keys=keys, horizon=STEPS, draws=draws, seed=3)
    ones = standard_paths(np.ones_like(given), np.full(len(given), 1 / len(given)), kinds, keys=keys, horizon=STEPS, draws=draws, seed=3)
    return np.rint(z[:, 0] / ones[:, 0]).astype(int) - 1


def test_one_series_more_changes_what_one_other_takes() -> None:
    keys = [f"s{i}" for i in range(SERIES)]
    before, after = taken(paths(), keys), taken(paths(SERIES + 1), [*keys, "new"])
    moved = (before != after[:-1]).sum(axis=0)
    assert np.median(moved) == 1  # it takes the path of the new one; now and then another no longer keeps its own
    assert (moved > 2).mean() < 0.05


def test_numbers_go_by_what_a_series_is_called_and_not_by_its_place() -> None:
    keys, order = [f"s{i}" for i in range(SERIES)], np.random.default_rng(1).permutation(SERIES)
    there = order[taken(paths(), [keys[i] for i in order])]  # whose path, told by the places of before
    np.testing.assert_array_equal(there, taken(paths(), keys)[order])


@pytest.mark.parametrize("cutoffs", [4, CUTOFFS])
def test_no_path_is_taken_twice_before_all_are(cutoffs: int) -> None:
    found = taken(paths(cutoffs=cutoffs), [f"s{i}" for i in range(SERIES)])
    assert all(len(set(one)) == SERIES for one in found.T)
    own = (found == np.arange(SERIES)[:, None]).mean()
    assert own == pytest.approx(1 / SERIES + (0.2 * (1 - 1 / SERIES) if cutoffs == CUTOFFS else 0), abs=0.04)


def test_series_without_a_path_take_different_ones_of_their_kind() -> None:
    given = paths(8)
    given[:, 6:] = np.nan
    found = taken(given, [f"s{i}" for i in range(8)], np.array([0, 0, 0, 0, 1, 1, 0, 0]))
    assert set(found[6:].ravel()) == {0, 1, 2, 3}
    assert (found[6] != found[7]).all()
    assert set(found[4:6].ravel()) == {4, 5}


def test_a_kind_without_any_path_at_a_cutoff_takes_another_cutoff_and_not_another_kind() -> None:
    given, kinds = paths(6), np.array([0, 0, 0, 1, 1, 1])
    given[: CUTOFFS // 2, :3] = np.nan  # a change of recording of the flows sets their errors aside; stocks keep theirs
    found = taken(given, [f"s{i}" for i in range(6)], kinds)
    assert set(found[:3].ravel()) == {0, 1, 2}
    assert set(found[3:].ravel()) == {3, 4, 5}


def test_a_path_is_told_backwards_where_it_is_not_known() -> None:
    given = np.array([[[1.0, 2.0, np.nan, np.nan]], [[np.nan] * 4]])
    np.testing.assert_array_equal(completed(given, 5)[0, 0], [1, 2, 2, 1, 1])
    assert np.isnan(completed(given, 5)[1]).all()


def test_draws_of_low_counts_stay_when_a_series_is_added_elsewhere() -> None:
    y = np.random.default_rng(2).poisson(2.0, (24, 5, 6)).astype(float)
    errors = learn_errors(y, np.full(y.shape, 2.0), horizon=6, whole=np.ones(5, dtype=bool))
    mean, whole = np.full((5, 6), 2.0), np.ones(5, dtype=bool)
    one, other = (draw_paths(mean, errors, whole=whole, draws=200, seed=1, keys=list(k)) for k in ("abcde", "abcdz"))
    assert (one[:4] == other[:4]).mean() > 0.8 > 0.5 > (one[4] == other[4]).mean()
