"""The benchmark of groups: cases are told by their number and block, and the oracle knows what was planted."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from groups import SHAPES, null_case, planted_case


def test_a_case_is_told_by_its_number_and_block_alone() -> None:
    for make in (null_case, planted_case):
        one, again, other = make(3, 7)[0], make(3, 7)[0], make(3, 8)[0]
        pd.testing.assert_frame_equal(one, again)
        assert not one.equals(other)
    assert [null_case(k, 1)[1].split(",")[0] for k in range(len(SHAPES))] == [shape.__name__ for shape in SHAPES]


def test_the_oracle_knows_the_groups_better_the_further_they_are_apart() -> None:
    for family in range(4):
        reached = []
        for step in range(3):
            scores = []
            for k in range(3):
                _, made, _ = planted_case(family + 4 * (step + 3 * k), 11)
                scores.append(adjusted_rand_score(made.group, made.log_density.argmax(axis=1)))
            reached.append(np.mean(scores))
        assert reached[0] < reached[2]
        assert reached[2] > 0.5


def test_what_is_missing_tells_the_oracle_nothing() -> None:
    table, made, told = next(case for case in (planted_case(k, 5) for k in range(2, 40, 4)) if "40% missing" in case[2])
    assert "correlated numbers" in told
    empty = table[[c for c in table if c.startswith("score")]].isna().all(axis=1).to_numpy()
    assert empty.any()
    assert np.allclose(made.log_density[empty], made.log_density[empty][0])
