"""Segments that are kept: the same rules next year, who moved, what drifted, and the same names after a new fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from demand.errors import ModelError
from demand.segments.attributes import encode, read_attributes
from demand.segments.drift import drift, reference
from demand.segments.find import SegmentSpec, find_segments
from demand.segments.keeping import keep_segments, members_at
from demand.segments.model import UNCLEAR, SegmentModel, assign_segments, first_rows, nearest_share, place_rows
from demand.segments.movement import LEFT, NEW, match_segments, stayed, transitions
from pipelines.__main__ import app

SPEC = SegmentSpec(method="latent_class", count=2)


def people(n: int = 400, *, seed: int = 4, likely: float = 0.85) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    group = rng.random(n) < 0.4
    columns = {
        name: np.where(rng.random(n) < np.where(group, likely, 1 - likely), "yes", "no").astype(object)
        for name in ("drugs", "debts", "housed", "carer", "works")
    }
    table = pd.DataFrame(columns).mask(rng.random((n, 5)) < 0.1)
    return table.assign(visits=rng.poisson(np.where(group, 7, 2)), person_id=[f"p{i:04d}" for i in range(n)])


def test_saved_rules_place_the_same_people_alike_to_the_bit_and_episodes_by_what_they_say() -> None:
    table = people()
    found = find_segments(table, SPEC, seed=1)
    rules = SegmentModel.from_json(found.model.to_json())
    assert rules == found.model
    kept = keep_segments(table.sample(frac=0.5, random_state=1), SPEC, saved=rules)
    both = kept.members.merge(found.members, on="person_id")
    assert len(both) == 200
    assert (both["segment_x"] == both["segment_y"]).all()
    assert (both["certainty_x"] == both["certainty_y"]).all()
    one = table.iloc[[0]].assign(drugs="no", debts="no", housed="no", carer="no", works="no", visits=0)
    episodes = pd.concat([table.iloc[[0]], one, one.assign(drugs="yes", debts="yes", housed="yes", carer="yes", works="yes", visits=9)])
    assert place_rows(rules, episodes)["segment"].iloc[1] != place_rows(rules, episodes)["segment"].iloc[2]


def test_those_below_the_threshold_are_unclear_and_counted() -> None:
    table = people()
    found = find_segments(table, SPEC.model_copy(update={"unclear": 0.95}), seed=1)
    assert ((found.members["segment"] == UNCLEAR) == (found.members["certainty"] < 0.95)).all()
    unclear = (found.members["segment"] == UNCLEAR).sum()
    assert 0 < unclear < 200
    assert any(f"Of all, {100 * unclear / 400:.0f} % are 'unclear'" in note for note in found.notes)
    assert not (find_segments(table, SPEC, seed=1).members["segment"] == UNCLEAR).any()


@pytest.mark.parametrize("method", ["latent_class", "gaussian_mixture", "kmeans", "hdbscan"])
def test_of_whom_nothing_is_known_is_unclear_under_every_method(
    method: Literal["latent_class", "gaussian_mixture", "kmeans", "hdbscan"],
) -> None:
    numbers = np.random.default_rng(3).normal(size=(400, 3)).round(3) + np.where(np.arange(400) < 150, -3.0, 3.0)[:, None]
    table = pd.DataFrame(numbers, columns=["x", "y", "z"]).assign(person_id=[f"p{i:04d}" for i in range(400)])
    table.loc[:7, ["x", "y", "z"]] = np.nan
    found = find_segments(table, SegmentSpec(method=method, count=2, unclear=0.0), seed=1)
    assert found.model.method == method
    for members in (found.members, assign_segments(found.model, table)):
        unknown = members["person_id"].isin(table["person_id"].head(8))
        assert ((members["segment"] == UNCLEAR) == unknown).all()
        assert (members.loc[unknown, "certainty"] == 0).all()
    assert any("Of 2 % of all, nothing is known" in note for note in found.notes)
    shares = nearest_share(found.model, table)
    assert UNCLEAR not in shares
    assert sum(shares.values()) == pytest.approx(1.0)


def test_what_the_rules_have_never_seen_is_counted_and_told() -> None:
    rules = find_segments(people(), SPEC, seed=1).model
    later = people(seed=5)
    later.loc[:99, "works"] = "sometimes"
    kept = keep_segments(later, SPEC, saved=rules)
    assert "'works': values that the segments have never seen, of 25 % of all, were taken as not known." in kept.notes
    assert any("Drift since the fit: refit; more than one in ten have values" in note for note in kept.notes)
    told = kept.tables["drift"].set_index("feature")
    assert told.loc["works", "new_share"] == 0.25


def test_a_new_value_is_told_from_the_rare_ones_that_were_joined() -> None:
    table = people(1000)
    table["tenure"] = np.where(np.arange(1000) < 995, np.where(table["visits"] > 4, "rents", "owns"), "caravan")
    rules = find_segments(table, SPEC, seed=1).model
    tenure = next(a for a in rules.attributes if a.name == "tenure")
    assert tenure.levels[-1] == "(other)"
    assert "caravan" not in rules.to_json()
    later = table.assign(tenure=["houseboat"] * 120 + ["caravan"] * 60 + table["tenure"].tolist()[180:])
    kept = keep_segments(later, SPEC, saved=SegmentModel.from_json(rules.to_json()))
    assert "'tenure': values that the segments have never seen, of 12 % of all, were taken as other rare values are." in kept.notes
    assert kept.tables["drift"].set_index("feature").loc["tenure", "new_share"] == 0.12
    old = rules.model_copy(update={"attributes": tuple(a.model_copy(update={"joined": None}) for a in rules.attributes)})
    assert not assign_segments(old, later).attrs["handled"]["new"]  # rules that do not say what was joined call nothing new


def test_drift_reads_numbers_as_the_rules_do() -> None:
    table = people(600)
    words = table["visits"].astype(str).where(np.arange(600) % 200 != 0, "1_0")
    table = table.assign(visits=words.where(np.arange(600) % 200 != 1, " 4.0 "))
    rules = find_segments(table, SPEC, seed=1).model
    assert rules.reference is not None
    coded = encode(table, [a for a in rules.attributes if a.name == "visits"])
    read = int((coded.codes >= 0).sum() if coded.codes.size else (~np.isnan(coded.numbers)).sum())
    assert sum(rules.reference.counts["visits"][:-1]) == read == 597  # 1_0 is no number to either


def test_movement_counts_everybody_once() -> None:
    before = pd.DataFrame({"person_id": list("abcdef"), "segment": list("AAABBB")})
    after = pd.DataFrame({"person_id": list("abcdxy"), "segment": list("AABBAA")})
    table = transitions(before, after).set_index(["from", "to"])
    assert table["people"].to_dict() == {("A", "A"): 2, ("A", "B"): 1, ("B", "B"): 1, ("B", LEFT): 2, (NEW, "A"): 2}
    assert table.loc[("A", "A"), "rate"] == pytest.approx(2 / 3)
    assert stayed(table.reset_index()) == (3, 4)


def test_movement_within_one_extract_is_from_snapshot_to_snapshot() -> None:
    table, day = people(), pd.Timestamp("2024-01-01")
    first = table.assign(opened=day, closed=day)
    model = find_segments(first, SPEC, seed=1, attributes=["drugs", "debts", "housed", "carer", "works", "visits"]).model
    needy = first.iloc[:40].assign(
        opened=day + pd.Timedelta(days=500), drugs="yes", debts="yes", housed="yes", carer="yes", works="yes", visits=9
    )
    kept = keep_segments(pd.concat([first, needy]), SPEC, saved=model)
    moves = kept.tables["transitions"]
    assert moves["people"].sum() == 400
    assert stayed(moves) == (int((moves["from"] == moves["to"]) @ moves["people"]), 400)
    then = members_at(model, pd.concat([first, needy]), day)
    pd.testing.assert_frame_equal(then, members_at(model, first, day))
    many = members_at(model, needy, needy["opened"].max())["segment"].iloc[0]
    assert moves.loc[(moves["from"] != moves["to"]), "to"].unique().tolist() == [many]
    assert any("in the same segment by their latest episode" in note for note in kept.notes)


def test_no_drift_is_kept_and_a_planted_one_is_found() -> None:
    found = find_segments(people(1500), SPEC, seed=1)
    same = keep_segments(people(800, seed=9), SPEC, saved=found.model)
    assert not same.tables["drift"]["drifted"].any()
    assert any("Drift since the fit: keep" in note for note in same.notes)
    shifted = people(800, seed=9)
    shifted.loc[shifted.index % 4 == 0, "debts"] = "yes"
    moved = keep_segments(shifted, SPEC, saved=found.model).tables["drift"].set_index("feature")
    assert moved.loc["debts", "drifted"]
    assert not moved.loc[["drugs", "visits", "housed", "carer"], "drifted"].any()


def test_people_who_belong_less_clearly_ask_for_a_new_fit() -> None:
    found = find_segments(people(1500, likely=0.95), SPEC, seed=1)
    kept = keep_segments(people(800, seed=9, likely=0.6), SPEC, saved=found.model)
    assert any("Drift since the fit: refit; people belong to their segments less clearly" in note for note in kept.notes)


def test_drift_raises_few_false_alarms_at_a_hundred_people() -> None:
    found = find_segments(people(1000), SPEC, seed=1)
    alarms = 0
    for seed in range(40):
        rows = first_rows(people(100, seed=100 + seed))
        members = assign_segments(found.model, rows)
        told = drift(found.model.reference, rows, members, found.model.attributes, found.model.labels, seed=seed)
        alarms += bool(told.table["drifted"].any())
    assert alarms <= 6  # of 40: at 5 % false alarms, more than 6 come by chance once in 300


def test_rules_without_a_reference_cannot_tell_drift() -> None:
    rows = first_rows(people())
    with pytest.raises(ModelError, match="do not say what the people of the fit were like"):
        drift(None, rows, rows.assign(segment="A", certainty=1.0), (), ("A",), seed=1)


def test_the_reference_counts_people_and_holds_none() -> None:
    table = people()
    found = find_segments(table, SPEC, seed=1)
    rows = first_rows(table)
    told = reference(rows, found.members, found.model.attributes, found.model.labels, seed=1)
    assert all(sum(c) == 400 for c in told.counts.values())
    assert "p0001" not in found.model.to_json()


def test_matching_is_the_best_assignment_not_the_first() -> None:
    old = pd.Series(["A"] * 50 + ["B"] * 50)
    new = pd.Series(["x"] * 45 + ["y"] * 55)
    table = match_segments(old, new).set_index("new")
    assert table["old"].to_dict() == {"x": "A", "y": "B"}
    assert (table["verdict"] == "same").all()
    more = match_segments(old, pd.Series(["x"] * 45 + ["z"] * 10 + ["y"] * 45)).set_index("new")
    assert more.loc["z", "verdict"] == "new"
    assert set(match_segments(old, pd.Series(["x"] * 100))["verdict"]) == {"same", "gone"}


def test_a_new_fit_keeps_the_names_of_segments_that_are_the_same() -> None:
    named = SPEC.model_copy(update={"names": {"A": "Few needs", "B": "Many needs"}})
    first = find_segments(people(), named, seed=1)
    # Next year the larger segment is the other one, so that letters by size would change places.
    larger = people(3000, seed=7)
    many = larger[assign_segments(first.model, larger)["segment"].to_numpy() == "Many needs"]
    table = pd.concat([larger.head(300), many.iloc[:600]]).drop_duplicates("person_id")
    kept = keep_segments(table, named, seed=2, previous=first.model, before=first.members)
    both = kept.members.merge(assign_segments(first.model, table), on="person_id")
    assert (both["segment_x"] == both["segment_y"]).mean() > 0.9
    assert set(kept.tables["matches"]["verdict"]) == {"same"}
    assert any("the same as before: Many needs, Few needs" in note for note in kept.notes)
    assert kept.members["segment"].value_counts().idxmax() == "Many needs"


def test_assign_puts_a_new_extract_into_the_saved_segments(tmp_path: Path) -> None:
    people().to_csv(tmp_path / "people.csv", index=False)
    attributes = ["drugs", "debts", "housed", "carer", "works", "visits"]
    config = {"name": "care", "data": {"people": {"path": "people.csv", "id": "person_id", "attributes": attributes}},
              "segments": {"method": "latent_class", "count": 2}, "tracking": {"uri": "none"}}  # fmt: skip
    (tmp_path / "care.yaml").write_text(json.dumps(config), encoding="utf-8")
    words = ["segment", str(tmp_path / "care.yaml"), "--quiet", "--jobs", "1", "--output"]
    env = {"DEMAND_KEY_FILE": str(tmp_path / "key")}
    first = CliRunner().invoke(app, [*words, str(tmp_path / "one")], env=env)
    assert first.exit_code == 0, first.output
    rules = (tmp_path / "one" / "segment_model.json").read_bytes()
    people(440, seed=4).iloc[40:].to_csv(tmp_path / "people.csv", index=False)
    later = CliRunner().invoke(app, [*words, str(tmp_path / "two"), "--assign", "--model", str(tmp_path / "one")], env=env)
    assert later.exit_code == 0, later.output
    assert (tmp_path / "two" / "segment_model.json").read_bytes() == rules
    moved = pd.read_csv(tmp_path / "two" / "segment_transitions.csv")
    assert moved["people"].sum() == 440
    notes = json.loads((tmp_path / "two" / "segment_notes.json").read_text(encoding="utf-8"))
    assert any("nothing was searched" in note for note in notes)
    fit = [*words, str(tmp_path / "four"), "--set", f"segments.previous={json.dumps(str(tmp_path / 'one'))}"]
    again = CliRunner().invoke(app, fit, env=env)
    assert again.exit_code == 0, again.output
    matches = pd.read_csv(tmp_path / "four" / "segment_matches.csv")
    assert matches["verdict"].tolist() == ["same", "same"]
    assert matches["new"].tolist() == matches["old"].tolist()
    before = (tmp_path / "one" / "segments.parquet").read_bytes()
    for more in (["--assign"], ["--set", "segments.count=3"], ["--set", "segments.count=3"]):
        same = CliRunner().invoke(app, [*words, str(tmp_path / "one"), *more], env=env)
        assert same.exit_code == 0, same.output
        if more == ["--assign"]:
            assert (tmp_path / "one" / "segments_before.parquet").read_bytes() == before
            moved, made = (tmp_path / "one" / name for name in ("segment_transitions.csv", "manifest.json"))
            told = moved.read_bytes(), json.loads(made.read_text(encoding="utf-8"))["stages"]["segment"]["key"]
            assert CliRunner().invoke(app, [*words, str(tmp_path / "one"), *more], env=env).exit_code == 0
            # What the run itself wrote is no source of it: who moved stays told.
            assert (moved.read_bytes(), json.loads(made.read_text(encoding="utf-8"))["stages"]["segment"]["key"]) == told
            assert not [n for n in json.loads(made.read_text(encoding="utf-8"))["data"] if n.startswith("segments.")]
    (kept,) = (tmp_path / "one").glob("segment_model_*.json")
    assert kept.read_bytes() == rules
    assert f"kept as {kept.name}" in (tmp_path / "one" / "segment_notes.json").read_text(encoding="utf-8")
    files = json.loads((tmp_path / "one" / "manifest.json").read_text(encoding="utf-8"))["files"]
    assert (files["segments_before.parquet"]["class"], files[kept.name]["class"]) == ("person-level", "internal")
    nothing = CliRunner().invoke(app, [*words, str(tmp_path / "three"), "--assign"], env=env)
    assert nothing.exit_code == 2


def test_names_that_are_given_after_the_fit_move_nobody() -> None:
    table = people()
    found = find_segments(table, SPEC, seed=1)
    named = SPEC.model_copy(update={"names": {"A": "Settled", "B": "In need", "Q": "Nobody"}})
    kept = keep_segments(table, named, saved=found.model, before=found.members)
    assert any("100 % are in the same segment" in note for note in kept.notes)
    assert any("segments.names names Q, which is not among the saved segments (A, B)." in note for note in kept.notes)
    again = keep_segments(table, named, previous=found.model, before=found.members)
    assert set(again.members["segment"]) == {"Settled", "In need"}
    assert any("100 % are in the same segment" in note for note in again.notes)
    assert set(again.tables["matches"]["new"]) == set(again.tables["matches"]["old"]) == {"Settled", "In need"}
    third = keep_segments(table, named, previous=again.model, before=again.members)
    assert third.model.labels == again.model.labels


def test_everybody_is_no_segment_to_compare_with() -> None:
    table = people()
    one, two = find_segments(table, SPEC.model_copy(update={"count": 1}), seed=1), find_segments(table, SPEC, seed=1)
    kept = keep_segments(table, SPEC, previous=one.model, before=one.members)
    assert kept.model.labels == ("A", "B")
    assert "matches" not in kept.tables
    assert any("There were no segments then" in note for note in kept.notes)
    kept = keep_segments(table, SPEC.model_copy(update={"count": 1}), previous=two.model, before=two.members)
    assert kept.model.labels == ("all",)
    assert any("There are no segments now" in note for note in kept.notes)
    assert not any("in the same segment" in note for note in kept.notes)


@pytest.mark.parametrize("names", [{"A": "X", "B": "X"}, {"A": "unclear"}, {"A": "All"}, {"B": "everybody"}, {"A": "B"}, {"A": " "}])
def test_names_that_would_melt_segments_are_refused(names: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="each segment needs a name of its own"):
        SegmentSpec(names=names)
    assert SegmentSpec(names={"A": "B", "B": "A"}).names == {"A": "B", "B": "A"}


def test_reasons_are_said_at_the_fit_and_when_rules_are_kept() -> None:
    table = people().rename(columns={"works": "disabled", "carer": "religion"})
    spec = SPEC.model_copy(
        update={"features": ["drugs", "debts", "housed", "disabled", "religion"], "reasons": {"disabled": "adapted homes"}}
    )
    found = find_segments(table, spec, seed=1)
    for notes in (found.notes, keep_segments(table, spec, saved=found.model).notes):
        assert "'disabled' (disability, a protected characteristic) was used because: adapted homes" in notes
        assert any("'religion' tells of religion or belief" in note and "does not say why" in note for note in notes)


def test_drift_can_be_seen_among_very_many_attributes() -> None:
    rng = np.random.default_rng(3)
    then = pd.DataFrame(rng.choice(["yes", "no"], (400, 130)), columns=[f"need {i}" for i in range(130)])
    now = then.assign(**{"need 7": "yes"})
    known = read_attributes(then, None).attributes
    members = pd.DataFrame({"person_id": np.arange(400).astype(str), "segment": "A", "certainty": 1.0})
    told = drift(reference(then, members, known, ["A"], seed=1), now, members, known, ["A"], seed=1)
    assert list(told.table.loc[told.table["drifted"], "feature"]) == ["need 7"]


def test_numbers_are_read_alike_to_the_bit_as_text_and_as_numbers() -> None:
    x = np.random.default_rng(5).lognormal(3, 2, 2000)
    table = pd.DataFrame({"income": x})
    known = read_attributes(table, None).attributes
    text = pd.DataFrame({"income": [repr(float(v)) for v in x]}, dtype=object)
    assert (encode(text, known).numbers == encode(table, known).numbers).all()
    assert encode(pd.DataFrame({"income": ["1_000", "many", None]}), known).new == {"income": 2}
