"""Groups that were planted come back, and groups that were not do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from demand.data.example import example_council
from demand.segments.find import SegmentSpec, find_segments


def planted(n: int, *, missing: float, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Four groups in numbers, counts, bands, yes/no and categories."""
    rng = np.random.default_rng(seed)
    group = rng.choice(4, n, p=[0.4, 0.3, 0.2, 0.1])
    has = np.array([[0.85, 0.1, 0.5], [0.2, 0.8, 0.1], [0.1, 0.15, 0.8], [0.9, 0.9, 0.85]])[group]
    needs = rng.random((n, 3)) < has
    table = pd.DataFrame(
        {
            "income": rng.normal(np.array([200, 420, 300, 150])[group], 60),
            "contacts": rng.poisson(np.array([1, 3, 8, 14])[group]),
            "band": np.array(["0-9", "10-19", "20-29", "30 and over"])[np.clip(group + rng.integers(-1, 2, n), 0, 3)],
            "tenure": np.where(rng.random(n) < 0.7, np.array(["rent", "own", "rent", "none"])[group], "shared"),
            **{f"need_{j}": np.where(needs[:, j], "yes", "no") for j in range(3)},
            "noise": rng.normal(size=n),
        }
    ).astype(object)
    return table.mask(rng.random(table.shape) < missing).assign(person_id=[f"p{i:05d}" for i in range(n)]), group


@pytest.mark.parametrize(("n", "missing"), [(300, 0.0), (900, 0.3)])
def test_four_planted_groups_come_back(n: int, missing: float) -> None:
    from sklearn.metrics import adjusted_rand_score

    people, group = planted(n, missing=missing, seed=4)
    found = find_segments(people, seed=1)
    assert len(found.model.labels) == 4
    assert adjusted_rand_score(group, found.members["segment"]) > 0.75


@pytest.mark.parametrize("shape", ["correlated numbers", "skewed counts", "one trait behind yes and no"])
def test_where_no_groups_were_planted_none_are_found(shape: str) -> None:
    rng = np.random.default_rng(11)
    n, trait = 400, np.random.default_rng(12).normal(size=400)
    columns = {
        "correlated numbers": rng.normal(size=(n, 4)) + trait[:, None],
        "skewed counts": rng.poisson(np.exp(0.8 * trait[:, None] + 0.5 * rng.normal(size=(n, 4)))),
        "one trait behind yes and no": np.where(trait[:, None] + rng.normal(size=(n, 5)) > 0.3, "yes", "no"),
    }[shape]
    people = pd.DataFrame(columns).add_prefix("v").assign(person_id=[f"p{i}" for i in range(n)])
    found = find_segments(people, seed=1)
    assert found.model.labels == ("all",)
    assert not found.evidence["chosen"].any()


@pytest.mark.parametrize(("service", "least"), [("homelessness", 0.7), ("adult_care", 0.7)])
def test_the_segments_of_the_example_council_come_back(service: str, least: float) -> None:
    from sklearn.metrics import adjusted_rand_score

    council = example_council(seed=2026, size="standard")
    people, truth = council.people(service), council.truth.segments(service)
    members = find_segments(people, seed=2026, attributes=council.attributes(service)).members
    assert adjusted_rand_score(truth.loc[members["person_id"]], members["segment"]) > least


@pytest.mark.long
def test_a_hundred_thousand_people_are_placed() -> None:
    from sklearn.metrics import adjusted_rand_score

    people, group = planted(100_000, missing=0.15, seed=5)
    found = find_segments(people, SegmentSpec(features=[c for c in people.columns if c != "person_id"]), seed=1)
    assert len(found.members) == 100_000
    assert adjusted_rand_score(group, found.members["segment"]) > 0.75
