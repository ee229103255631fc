"""The search of segments: what solutions are held against, and how many of these data sets without groups there are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from demand.segments.attributes import encode, read_attributes
from demand.segments.find import SegmentSpec, find_segments
from demand.segments.prepared import Prepared
from demand.segments.stability import tied_together, without_groups


@pytest.mark.parametrize("method", ["kmeans", "hdbscan"])
def test_methods_without_a_mixture_are_held_against_all_data_sets_without_groups(method: str) -> None:
    rng = np.random.default_rng(4)
    group = rng.integers(0, 2, 120)
    people = pd.DataFrame(
        {"person_id": [f"p{i}" for i in range(120)], "a": group * 4 + rng.normal(size=120), "b": group * 4 + rng.normal(size=120)}
    )
    told: list[tuple[str, float]] = []
    find_segments(people, SegmentSpec(method=method, count=2), seed=1, progress=lambda what, share: told.append((what, share)))  # type: ignore[arg-type]
    shares = [share for what, share in told if what == "data without groups"]
    assert max(shares) == pytest.approx(0.6)  # 0.4 where the search stops after the first half of them


def counts_of_one_trait(n: int = 400) -> Prepared:
    """Counts of which the small ones are mostly chance: they go together where the trait is large, and little where it is small."""
    rng = np.random.default_rng(4011)
    trait = np.random.default_rng(4012).normal(size=(n, 1))
    table = pd.DataFrame(rng.poisson(np.exp(0.8 * trait + 0.5 * rng.normal(size=(n, 4))))).add_prefix("visits_")
    return Prepared.of(encode(table, read_attributes(table, None).attributes), np.empty(0))


def test_data_without_groups_go_together_as_the_real_ones_do_at_each_end_and_in_as_many_components() -> None:
    data = counts_of_one_trait()
    nothing = [without_groups(data, np.random.default_rng(i)) for i in range(12)]

    def ends(rows: Prepared) -> np.ndarray:
        """Correlations of being high, and of being low."""
        return np.array([np.corrcoef(half.T)[~np.eye(4, dtype=bool)].mean() for half in (rows.coded.codes >= 2, rows.coded.codes == 0)])

    high, low = ends(data)
    assert high - low > 0.05
    shown = np.array([ends(rows) for rows in nothing])
    assert np.mean(shown[:, 0] - shown[:, 1]) > 0.04
    assert tied_together(data) == pytest.approx(np.mean([tied_together(rows) for rows in nothing], axis=0), abs=0.06)
    assert {rows.scores.shape[1] for rows in nothing} == {data.scores.shape[1]}
