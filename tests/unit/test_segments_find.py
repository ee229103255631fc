"""Finding segments, saving the rules, and using them again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from demand.errors import ModelError
from demand.segments.find import Segmentation, SegmentSpec, assign_segments, find_segments
from demand.segments.model import SegmentModel


def three_groups(n: int = 600, seed: int = 2) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 3, n)
    people = pd.DataFrame(
        {
            "person_id": [f"p{i:05d}" for i in range(n)],
            "income": np.round(np.array([90, 210, 420])[group] + rng.normal(size=n) * 30),
            "visits": rng.poisson(np.array([8, 1, 4])[group]),
            "tenure": np.where(rng.random(n) < 0.9, np.array(["none", "rent", "own"])[group], "shared"),
            "need": np.where(rng.random(n) < np.array([0.8, 0.1, 0.4])[group], "yes", "no"),
        }
    )
    for column in ("income", "need"):
        people[column] = people[column].astype(object).where(rng.random(n) > 0.15, None)
    return people, group


@pytest.fixture(scope="module")
def found() -> tuple[Segmentation, pd.DataFrame, np.ndarray]:
    people, group = three_groups()
    return find_segments(people, seed=1), people, group


def test_three_clear_groups_are_found(found: tuple[Segmentation, pd.DataFrame, np.ndarray]) -> None:
    from sklearn.metrics import adjusted_rand_score

    result, _, group = found
    assert result.model.labels == ("A", "B", "C")
    assert adjusted_rand_score(group, result.members["segment"]) > 0.85
    assert result.evidence["chosen"].sum() == 1
    assert set(result.evidence["method"]) >= {"latent_class", "gaussian_mixture", "kmeans"}
    sizes = result.members["segment"].value_counts()
    assert list(sizes.sort_index()) == sorted(sizes, reverse=True)


def test_saved_rules_give_the_same_members_in_another_process(found: tuple[Segmentation, pd.DataFrame, np.ndarray], tmp_path: Path) -> None:
    result, people, _ = found
    (tmp_path / "model.json").write_text(result.model.to_json(), encoding="utf-8")
    people.sample(frac=1.0, random_state=3).to_parquet(tmp_path / "people.parquet")
    code = (
        "import sys, pandas as pd\nfrom demand.segments.model import SegmentModel, assign_segments\nfolder = sys.argv[1]\n"
        "model = SegmentModel.from_json(open(folder + '/model.json', encoding='utf-8').read())\n"
        "assign_segments(model, pd.read_parquet(folder + '/people.parquet')).to_parquet(folder + '/members.parquet')\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    again = pd.read_parquet(tmp_path / "members.parquet")
    pd.testing.assert_frame_equal(again, result.members, check_exact=True)


@pytest.mark.parametrize("method", ["latent_class", "gaussian_mixture", "kmeans"])
def test_rules_place_people_as_the_fit_did(method: str) -> None:
    people, _ = three_groups(300)
    result = find_segments(people, SegmentSpec(method=method, count=3), seed=1)  # type: ignore[arg-type]
    assert result.model.method == method
    one_by_one = pd.concat([assign_segments(result.model, people.iloc[[i]]) for i in range(0, 300, 29)])
    together = result.members.set_index("person_id").loc[one_by_one["person_id"]].reset_index()
    pd.testing.assert_frame_equal(one_by_one.reset_index(drop=True), together, check_exact=True)


def test_a_new_category_and_a_missing_value_are_handled_and_counted(found: tuple[Segmentation, pd.DataFrame, np.ndarray]) -> None:
    result, people, _ = found
    next_year = people.head(3).assign(tenure=["boat", None, "rent"])
    members = assign_segments(result.model, next_year)
    assert members["segment"].isin(result.model.labels).all()
    assert members.attrs["handled"]["new"] == {"tenure": 1}
    assert members.attrs["handled"]["missing"]["tenure"] == 1


def test_the_first_episode_counts_not_what_was_learnt_later() -> None:
    people, _ = three_groups(300)
    people["opened"] = pd.Timestamp("2024-01-01")
    later = people.assign(opened=pd.Timestamp("2025-01-01"), income=9.0, visits=99, tenure="own")
    with_later = pd.concat([later, people], ignore_index=True)
    spec = SegmentSpec(method="kmeans", count=3)
    pd.testing.assert_frame_equal(find_segments(with_later, spec, seed=1).members, find_segments(people, spec, seed=1).members)


def test_independent_attributes_make_no_segments() -> None:
    rng = np.random.default_rng(0)
    n = 500
    people = pd.DataFrame({"person_id": [f"p{i}" for i in range(n)], "x": rng.gamma(1.5, size=n), "y": rng.normal(size=n),
                           "z": rng.choice(list("abc"), n), "w": rng.choice(["yes", "no"], n)})  # fmt: skip
    result = find_segments(people, seed=1)
    assert result.model.labels == ("all",)
    assert set(result.members["segment"]) == {"all"}
    assert any(note.startswith("No segments found") for note in result.notes)


def test_a_count_that_was_asked_for_is_called_bands_where_there_are_no_groups() -> None:
    rng = np.random.default_rng(0)
    people = pd.DataFrame(rng.normal(size=(300, 3)), columns=list("xyz")).assign(person_id=lambda t: [f"p{i}" for i in t.index])
    result = find_segments(people, SegmentSpec(count=3), seed=1)
    assert len(result.model.labels) == 3
    assert not result.model.groups
    assert any("bands for convenience" in note for note in result.notes)


def test_one_outlier_gets_no_segment_of_its_own() -> None:
    people, _ = three_groups(300)
    people.loc[0, "visits"] = 100_000
    people.loc[1, "income"] = 1e12
    sizes = find_segments(people, seed=1).members["segment"].value_counts()
    assert sizes.min() >= 10


def test_names_of_the_analyst_and_names_of_nobody() -> None:
    people, _ = three_groups(300)
    result = find_segments(people, SegmentSpec(method="latent_class", count=3, names={"A": "Owners", "Z": "Nobody"}), seed=1)
    assert result.model.labels == ("Owners", "B", "C")
    assert any("names Z" in note for note in result.notes)


def test_the_rules_are_plain_json_and_other_text_is_refused(found: tuple[Segmentation, pd.DataFrame, np.ndarray]) -> None:
    text = found[0].model.to_json()
    assert SegmentModel.from_json(text) == found[0].model
    assert json.loads(text)["method"] == found[0].model.method
    with pytest.raises(ModelError, match="unknown version"):
        SegmentModel.from_json('{"version": 99}')
    with pytest.raises(ModelError, match="cannot be read"):
        SegmentModel.from_json("{")


def test_no_segment_is_left_with_fewer_than_ten_people_once_the_unclear_are_out() -> None:
    rng = np.random.default_rng(8)
    table = pd.DataFrame({f"need {i}": rng.choice(["yes", "no"], 300) for i in range(5)}).assign(person_id=np.arange(300).astype(str))
    found = find_segments(table, SegmentSpec(method="latent_class", count=4, unclear=0.97), seed=1)
    sizes = found.members.loc[found.members["segment"] != "unclear", "segment"].value_counts()
    assert sizes.min() >= 10
    assert set(sizes.index) == set(found.model.labels)
    assert any("Lower segments.unclear, or ask for fewer segments." in note for note in found.notes)
