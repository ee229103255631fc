"""The search of segments: how many data sets without groups solutions are held against."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from demand.segments.find import SegmentSpec, find_segments


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
