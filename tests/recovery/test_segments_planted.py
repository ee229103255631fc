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


def test_groups_in_yes_and_no_alone_are_told_from_one_trait() -> None:
    from sklearn.metrics import adjusted_rand_score

    rng = np.random.default_rng(21)
    group = rng.integers(0, 2, 1000)
    has = np.where(group[:, None] == 0, 0.2, 0.75)
    people = (
        pd.DataFrame(np.where(rng.random((1000, 9)) < has, "yes", "no"))
        .add_prefix("need_")
        .assign(person_id=[f"p{i:04d}" for i in range(1000)])
    )
    found = find_segments(people, seed=1)
    assert len(found.model.labels) == 2
    assert adjusted_rand_score(group, found.members["segment"]) > 0.75


def test_numbers_that_are_no_bell_curves_make_no_further_groups() -> None:
    from sklearn.metrics import adjusted_rand_score

    rng = np.random.default_rng(22)
    group = rng.integers(0, 2, 3000)
    people = pd.DataFrame({f"x{j}": rng.gamma(0.7, 1.0, 3000) + 2.5 * (group == j % 2) for j in range(5)})
    people["need"] = np.where(rng.random(3000) < np.where(group == 0, 0.2, 0.8), "yes", "no")
    found = find_segments(people.assign(person_id=[f"p{i:04d}" for i in range(3000)]), seed=1)
    assert adjusted_rand_score(group, found.members["segment"]) > 0.85


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_groups_whose_numbers_go_together_are_told_apart(missing: float) -> None:
    """Three long parallel clouds: latent classes, which take numbers as independent within a class, cut them across."""
    from sklearn.metrics import adjusted_rand_score

    rng = np.random.default_rng(23)
    group = rng.integers(0, 3, 900)
    along = rng.normal(size=(900, 1)) * 2.0
    x = along * [1.0, 1.0, -1.0, 0.5] + rng.normal(size=(900, 4)) * 0.4
    x += np.array([[0, 0, 0, 0], [2.2, -2.2, 0, 0], [0, 2.2, 2.2, 0]])[group]
    people = pd.DataFrame(x).add_prefix("score_").mask(rng.random(x.shape) < missing)
    found = find_segments(people.assign(person_id=[f"p{i:03d}" for i in range(900)]), seed=1)
    assert found.model.method == "gaussian_mixture"
    assert len(found.model.labels) == 3
    assert adjusted_rand_score(group, found.members.sort_values("person_id")["segment"]) > (0.95 if missing == 0 else 0.75)


@pytest.mark.long
def test_a_wide_extract_with_everything_that_goes_wrong_is_placed_and_told() -> None:
    """Fifty columns, a hundred thousand rows: identifiers, dates, codes by the thousand, empty and constant columns, much missing."""
    rng = np.random.default_rng(9)
    n = 100_000
    group = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    table = pd.DataFrame(index=range(n))
    for j in range(16):
        table[f"number_{j}"] = rng.normal(rng.permutation(3)[group] * 0.8)
    for j in range(22):
        table[f"need_{j}"] = np.where(rng.random(n) < rng.uniform(0.1, 0.9, 3)[group], "Yes", "No")
    for j in range(4):
        table[f"diagnosis_{j}"] = np.char.add("F", rng.integers(0, 4000, n).astype(str))
    table = table.astype(object).mask(rng.random(table.shape) < 0.35)
    fixed = {"opened_on": "2024-03-01", "constant": "x", "empty": None}
    table = table.assign(
        case_ref=[f"C{i:06d}" for i in range(n)], age=rng.integers(18, 90, n), ward_code=rng.integers(6000, 6400, n), **fixed
    )
    table["person_id"] = [f"p{i:06d}" for i in range(n)]
    table.loc[::2, "opened_on"] = "2023-11-30"
    found = find_segments(table, seed=1)
    assert found.model.labels == ("A", "B", "C")
    told = "\n".join(found.notes)
    for name in ("case_ref", "opened_on", "constant", "empty", "age", "ward_code", "diagnosis_0"):
        assert f"'{name}' was not used" in told


@pytest.mark.long
def test_a_hundred_thousand_people_are_placed() -> None:
    from sklearn.metrics import adjusted_rand_score

    people, group = planted(100_000, missing=0.15, seed=5)
    found = find_segments(people, SegmentSpec(features=[c for c in people.columns if c != "person_id"]), seed=1)
    assert len(found.members) == 100_000
    assert adjusted_rand_score(group, found.members["segment"]) > 0.75
