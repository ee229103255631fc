"""What holds for every number with a range: it moves with others as closely as was asked, and keeps its own range."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planning_cases import number
from pydantic import ValidationError
from scipy.stats import kstest, norm, spearmanr

RANK = st.floats(-0.98, 0.98)
MANY = 20_000


def drawn(name, moves_with=None, *, value=3.0, low=2.0, high=5.0, seed=1):
    more = {} if moves_with is None else {"moves_with": moves_with}
    return number(value, low, high, "per year", **more).draw(MANY, seed=seed, name=name)


@given(RANK, st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_the_rank_correlation_that_was_asked_for_comes_out(rank, seed) -> None:
    leader, follower = drawn("prices", "inflation", seed=seed), drawn("wages", {"inflation": rank}, value=10, low=4, high=11, seed=seed)
    assert spearmanr(leader, follower).statistic == pytest.approx(rank, abs=0.035)


@given(RANK, RANK, st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_two_followers_are_joined_through_what_they_share_alone(one, other, seed) -> None:
    found = spearmanr(drawn("a", {"inflation": one}, seed=seed), drawn("b", {"inflation": other}, seed=seed)).statistic
    normal = np.prod(2 * np.sin(np.pi * np.array([one, other]) / 6))
    assert found == pytest.approx(6 / np.pi * np.arcsin(normal / 2), abs=0.035)


@given(st.dictionaries(st.sampled_from(["inflation", "pay", "rents"]), st.floats(-0.55, 0.55), max_size=3), st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_a_number_keeps_its_own_range_whatever_it_moves_with(moves_with, seed) -> None:
    z = np.where((x := drawn("a", moves_with, seed=seed)) < 3, (x - 3) / 1, (x - 3) / 2) * norm.ppf(0.9)
    assert kstest(np.where(x > 0, z, norm.rvs(size=MANY, random_state=1)), "norm").pvalue > 1e-6
    assert np.quantile(x, [0.1, 0.5, 0.9]) == pytest.approx([2, 3, 5], abs=0.1)


def test_a_name_alone_means_fully_together_and_minus_one_against() -> None:
    a, b, against = drawn("a", "inflation"), drawn("b", "inflation", value=10, low=4, high=11), drawn("c", {"inflation": -1})
    assert spearmanr(a, b).statistic == pytest.approx(1, abs=1e-4)
    assert spearmanr(a, against).statistic == pytest.approx(-1, abs=1e-4)


def test_without_the_key_nothing_changes_and_others_are_not_moved() -> None:
    np.testing.assert_array_equal(drawn("a"), drawn("a", {}))
    np.testing.assert_array_equal(drawn("a"), drawn("a", {"inflation": 0.0}))
    assert abs(spearmanr(drawn("a"), drawn("b", "inflation")).statistic) < 0.035


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValidationError, match="cannot move this closely with several others at once"):
        number(3, 2, 5, moves_with={"inflation": 0.9, "pay": 0.8})
    with pytest.raises(ValidationError, match="less than or equal to 1"):
        number(3, 2, 5, moves_with={"inflation": 1.2})
