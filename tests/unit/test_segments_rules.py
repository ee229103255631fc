"""Rules that a caseworker can apply, what sets segments apart, and their portraits in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from demand.segments.attributes import read_attributes
from demand.segments.contrast import contrast
from demand.segments.portrait import portraits, rule_sentence, sentences
from demand.segments.profile import profile
from demand.segments.rules import Condition, JudgedRule, Rule, find_rules


def made(n: int = 1200, *, apart: bool = True) -> tuple[pd.DataFrame, pd.DataFrame]:
    """People of two segments: need and visits tell them, colour and size do not; a fifth of the needs are not known."""
    rng = np.random.default_rng(8)
    group = rng.integers(0, 2, n)
    truth = group if apart else rng.integers(0, 2, n)
    need = np.where(rng.random(n) < np.array([0.15, 0.85])[truth], "yes", "no").astype(object)
    need[rng.random(n) < 0.2] = None
    table = pd.DataFrame(
        {
            "person_id": [f"p{i:05d}" for i in range(n)],
            "need": need,
            "visits": rng.poisson(np.array([1, 6])[truth]),
            "colour": rng.choice(["red", "green", "blue"], n),
            "size": rng.normal(size=n).round(3),
        }
    )
    return table, pd.DataFrame({"person_id": table["person_id"], "segment": np.array(["A", "B"])[group]})


def read(table: pd.DataFrame) -> tuple:
    return read_attributes(table, None).attributes


def test_a_condition_means_what_it_says() -> None:
    text = pd.Series(["1", "3", None, "10"], dtype=object)
    assert Condition(feature="visits", kind="at_least", number=3).met(text).tolist() == [False, True, False, True]
    assert Condition(feature="visits", kind="at_most", number=3, or_unknown=True).met(text).tolist() == [True, True, True, False]
    assert Condition(feature="visits", kind="is_not", values=("3",)).met(text).tolist() == [True, False, False, True]
    assert Condition(feature="visits", kind="at_most", number=3, or_unknown=True).words() == "visits is 3 or less, or not known"
    assert Condition(feature="band", kind="is", values=("a", "b")).words() == "band is one of (a, b)"


def test_a_rule_counts_the_conditions_that_are_met() -> None:
    rows = pd.DataFrame({"need": ["yes", "yes", None, "no"], "visits": [5, 0, 7, 1]})
    conditions = (Condition(feature="need", kind="is", values=("yes",)), Condition(feature="visits", kind="at_least", number=4))
    assert Rule(segment="B", least=1, conditions=conditions).caught(rows).tolist() == [True, True, True, False]
    assert Rule(segment="B", least=2, conditions=conditions).caught(rows).tolist() == [True, False, False, False]
    assert Rule(segment="B", least=2, conditions=conditions).words() == "all of these: need is yes; visits is 4 or more"


def test_rules_find_planted_segments_on_people_held_out() -> None:
    table, members = made()
    rules = find_rules(table, members["segment"], read(table), seed=1)
    assert set(rules) == {"A", "B"}
    for judged in rules.values():
        assert judged.held_out == 360
        assert 1 <= len(judged.rule.conditions) <= 4
        assert {c.feature for c in judged.rule.conditions} <= {"need", "visits"}
        assert judged.recall > 0.75
        assert judged.precision > 0.75
        assert judged.intervals[0] < judged.recall < judged.intervals[1]


def test_a_rule_of_nothing_is_not_given() -> None:
    table, members = made(apart=False)
    for judged in find_rules(table, members["segment"], read(table), seed=1).values():
        assert not judged.works
        assert rule_sentence(judged).startswith("No rule of four conditions")


def test_the_same_rules_whatever_the_number_of_other_columns_that_say_nothing() -> None:
    table, members = made()
    attributes = read(table)
    first = find_rules(table, members["segment"], attributes, seed=1)
    assert first == find_rules(table.assign(more="x"), members["segment"], attributes, seed=1)


def test_what_sets_segments_apart_is_what_was_planted() -> None:
    table, members = made()
    apart = contrast(table, members["segment"], read(table), seed=1)
    assert apart.chance == 0.5
    assert apart.balanced_accuracy > 0.85
    top = apart.marks.groupby("segment").head(2)
    assert set(top["feature"]) == {"need", "visits"}
    assert np.allclose(apart.marks.groupby("segment")["share"].sum(), 1.0)
    nothing, labels = made(apart=False)
    assert contrast(nothing, labels["segment"], read(nothing), seed=1).balanced_accuracy == pytest.approx(0.5, abs=0.06)


def test_every_number_of_a_portrait_is_in_the_profile() -> None:
    table, members = made()
    told = profile(table, members)
    drawn = {p.segment: p for p in portraits(table, members, told, attributes=read(table), seed=1)}
    row = told.set_index(["segment", "feature", "level"]).loc[("B", "need", "yes")]
    text = drawn["B"].text
    assert text.startswith(f"{drawn['B'].people:,} people.")
    assert f"need is yes for {100 * row['share_or_mean']:.0f} % (all: {100 * row['average']:.0f} %)" in text
    assert "colour" not in text.split("Rule")[0]
    assert f"Not known: need of {100 * row['missing_share']:.0f} %" in text or row["missing_share"] < 0.2
    assert "judged on 360 people" in text


def test_a_portrait_of_people_like_all_others_says_so() -> None:
    table, members = made(apart=False)
    drawn = portraits(table, members, profile(table, members), attributes=read(table), groups=False, seed=3)
    assert any("No attribute that was used tells them from all beyond chance" in p.text for p in drawn)
    assert all("It is a band for convenience" in p.text for p in drawn)


def test_what_is_withheld_is_not_told() -> None:
    table, members = made()
    told = profile(table, members)
    (first, _) = portraits(table, members, told, attributes=read(table), seed=1)
    one = told[told["segment"] == "A"].copy()
    columns = ["share_or_mean", "average", "index", "low", "high", "missing_share"]
    one[columns] = np.nan
    one["segment_people"] = "*"
    assert sentences(first, one)[0] == "* people."
    assert not any("(all:" in s for s in sentences(first, one))
    nothing = {"recall": float("nan"), "precision": 0.5, "held_out": 10.0}
    assert "Too few people" in rule_sentence(first.rule, nothing)  # type: ignore[arg-type]


def test_who_is_unclear_is_a_line_and_no_portrait() -> None:
    table, members = made()
    members = members.assign(segment=members["segment"].where(members.index % 9 > 0, "unclear"))
    drawn = {p.segment: p for p in portraits(table, members, profile(table, members), attributes=read(table), seed=1)}
    size = int((members["segment"] == "unclear").sum())
    assert drawn["unclear"].text == f"{size} people. They belong to no segment clearly enough to be put into one."
    assert "need is" in drawn["B"].text


def test_one_segment_has_no_rule() -> None:
    table, _ = made()
    assert find_rules(table, pd.Series(["all"] * len(table)), read(table), seed=1) == {}
    assert JudgedRule.model_fields.keys() >= {"held_out", "in_segment", "caught", "both"}
