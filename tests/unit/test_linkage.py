"""People who stand in the extracts twice, found with splink itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError

from demand.data.example import example_council
from demand.data.identities import LinkageSpec, read_identities
from demand.data.read import PeopleSpec
from demand.linkage import Links, demand_once, judged, link
from pipelines.config import load_config
from pipelines.erase import erase
from pipelines.inputs import Inputs
from pipelines.job import Job
from pipelines.store import Store, file_class

pytest.importorskip("splink", reason="the extra `linkage` is not installed")
CONFIG = """name: linked
data:
  people: {path: applications_register.csv, id: case_ref, person: applicant_ref, opened: date_presented, closed: closed_date, keys: [area],
           extracted: 2026-03-31}
linkage:
  forename: forename
  surname: surname
  born: born
  postcode: postcode
  others: [{path: care_register.csv, person: person_id, forename: First name, surname: Family name, born: born, postcode: postcode}]
  labels: {path: register_links.csv}
tracking: {uri: none}
"""


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("registers")
    example_council(71, "tiny", service=["homelessness", "adult_care"], files=True, mess=True, folder=folder)
    (folder / "linked.yaml").write_text(CONFIG, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def done(council: Path) -> Iterator[Job]:
    with pytest.MonkeyPatch.context() as patch:
        (council / "key").write_text("0123456789abcdef0123", encoding="utf-8")
        patch.setenv("DEMAND_KEY_FILE", str(council / "key"))
        config, place = load_config(council / "linked.yaml")
        job = Job(config, Inputs(config, place), Store(council / "out"))
        job.do("link")
        job.finish(None)
        yield job


def test_planted_duplicates_are_found_and_strangers_left_apart(done: Job) -> None:
    told = json.loads(done.store.path("linkage.json").read_text(encoding="utf-8"))
    assert told["judged"]["recall"]["pairs"] > 200
    assert told["judged"]["precision"]["share"] >= 0.97
    assert told["judged"]["recall"]["share"] >= 0.88
    assert set(told["pairs_taken_as_one_person"]) == {
        "applications_register.csv and applications_register.csv",
        "applications_register.csv and care_register.csv",
    }


def test_counting_them_once_gives_fewer_people_and_more_returns(done: Job) -> None:
    table = done.store.table("linkage_demand.csv").set_index(["area", "measure"])
    before, after = table["before"], table["after"]
    truth = pd.read_csv(done.inputs.folder / "register_links.csv")
    doubled = truth[truth["reference"].str.startswith("N")]
    assert before["all", "people"] - after["all", "people"] == pytest.approx(len(doubled), rel=0.15)
    assert after["all", "returns"] - before["all", "returns"] == before["all", "people"] - after["all", "people"]
    assert after["all", "first_time"] < before["all", "first_time"]
    assert (after.xs("open", level="measure") <= before.xs("open", level="measure")).all()


def test_nothing_that_names_a_person_is_written(done: Job, council: Path) -> None:
    assert done.store.has("links.parquet")
    held = pd.read_csv(council / "applications_register.csv", dtype=str).dropna(subset=["postcode"]).head(200)
    assert file_class("links.parquet") == "person-level"
    for file in (p for p in (council / "out").rglob("*") if p.is_file()):
        text = file.read_bytes()
        if file.suffix == ".parquet":
            text = pd.read_parquet(file).to_csv().encode()
        for value in [*held["postcode"], *held["applicant_ref"], *held["born"]]:
            assert value.encode() not in text, file.name
        assert b"llewellyn" not in text.lower(), file.name


def test_a_person_is_taken_out_of_the_pairs_too(done: Job) -> None:
    pairs = done.store.table("links.parquet")
    token, other = pairs["person_a"].iloc[0], pairs["person_b"].iloc[0]
    said = [s for s in erase(done, [token]) if "perhaps the same person" in s]
    assert len(said) == 1
    assert other in said[0]
    assert token not in said[0]
    left = done.store.table("links.parquet")
    assert 0 < len(left) < len(pairs)
    assert not left[["person_a", "person_b"]].isin([token]).any().any()


def test_the_same_seed_gives_the_same_pairs_whatever_the_order(council: Path) -> None:
    people = PeopleSpec(path="applications_register.csv", id="case_ref", person="applicant_ref")
    records = read_identities(
        people, LinkageSpec(surname="surname", forename="forename", born="born"), council, key=b"a published key for tests"
    )
    some = records.sample(frac=0.5, random_state=1).sort_index()
    first, again = link(some, seed=5), link(some, seed=5)
    pd.testing.assert_frame_equal(first.pairs, again.pairs)
    assert first.pairs["weight"].is_monotonic_decreasing or first.pairs["probability"].is_monotonic_decreasing


def test_groups_join_chains_and_are_judged_by_pairs() -> None:
    pairs = pd.DataFrame({"source_a": "x", "person_a": ["p1", "p2", "p8"], "source_b": "x", "person_b": ["p2", "p3", "p9"],
                          "weight": [9.0, 8.0, 1.0], "probability": [0.99, 0.98, 0.6]})  # fmt: skip
    groups = Links(pairs, 9).groups(0.9)
    assert groups.to_dict() == {"p1": "p1", "p2": "p1", "p3": "p1"}
    labels = pd.DataFrame({"person_id": ["p1", "p2", "p3", "p8", "p9"], "label": ["a", "a", "b", "c", "c"]})
    told = judged(groups, labels)
    assert told["precision"]["share"] == pytest.approx(1 / 3)
    assert told["recall"]["share"] == pytest.approx(1 / 2)
    assert told["recall"]["interval"][0] < 0.5 < told["recall"]["interval"][1]


def test_one_household_under_two_references_is_open_once() -> None:
    opened, closed = ["2024-01-01", "2025-06-01", "2025-07-01"], [None, None, "2025-08-01"]
    people = pd.DataFrame({"person_id": ["a", "b", "c"], "episode_id": ["1", "2", "3"], "area": ["N", "N", "S"],
                           "opened": pd.to_datetime(opened), "closed": pd.to_datetime(closed)})  # fmt: skip
    table = demand_once(people, pd.Series({"a": "a", "b": "a"}), keys=["area"], until=pd.Timestamp("2025-12-31")).set_index(
        ["area", "measure"]
    )
    assert table.loc[("all", "open")].tolist() == [2, 1]
    assert table.loc[("N", "first_time")].tolist() == [1, 0]
    assert table.loc[("N", "returns")].tolist() == [0, 1]
    assert table.loc[("S", "people")].tolist() == [1, 1]


def test_too_little_to_tell_people_apart_is_refused() -> None:
    with pytest.raises(ValidationError, match="too little tells people apart"):
        LinkageSpec(postcode="pc", forename="f")
    with pytest.raises(ValidationError, match="other columns than the first"):
        LinkageSpec(surname="s", born="b", others=[{"path": "x.csv", "person": "p", "surname": "s", "forename": "f"}])
