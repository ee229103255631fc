"""One fault, its message."""

from __future__ import annotations

import pandas as pd
import pytest
from pydantic import ValidationError

from demand.errors import DataError
from demand.segments.find import SegmentSpec, assign_segments, find_segments
from demand.segments.model import SegmentModel
from demand.segments.use import use

PEOPLE = pd.DataFrame({"person_id": [f"p{i}" for i in range(60)], "visits": [0, 5, 9] * 20, "need": ["yes", "no"] * 30})


@pytest.mark.parametrize(
    ("table", "spec", "message"),
    [
        (PEOPLE, {"features": ["visit", "need"]}, "segments.features: 'visit' is not a column.*Did you mean 'visits'"),
        (PEOPLE, {"count": 0}, "segments.count: 0 segments"),
        (PEOPLE.drop(columns="person_id"), {}, "without ids"),
        (PEOPLE.head(0), {}, "no people or places"),
    ],
)
def test_what_cannot_be_segmented(table: pd.DataFrame, spec: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        find_segments(table, SegmentSpec.model_validate(spec), seed=1)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(DataError) as e:
        find_segments(PEOPLE, SegmentSpec(features=["a", "b"], count=0), seed=1)
    assert len(e.value.faults) == 3


def test_an_unknown_method_or_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="latent_class"):
        SegmentSpec.model_validate({"method": "magic"})
    with pytest.raises(ValidationError, match="feature"):
        SegmentSpec.model_validate({"feature": ["visits"]})


@pytest.mark.parametrize(
    ("table", "note"),
    [(PEOPLE.head(15), "too few"), (PEOPLE.assign(visits=1, need=None), "no attribute is left")],
)
def test_too_little_to_go_on_is_one_segment_and_a_note(table: pd.DataFrame, note: str) -> None:
    found = find_segments(table, seed=1)
    assert found.model.labels == ("all",)
    assert len(found.members) == len(table)
    assert note in found.notes[-1]


def test_a_protected_characteristic_without_a_reason_is_noted() -> None:
    table = PEOPLE.rename(columns={"need": "gender"})
    bare = find_segments(table, SegmentSpec(features=["visits", "gender"], count=1), seed=1)
    assert any("'gender' tells of sex" in n and "segments.reasons" in n for n in bare.notes)
    reasoned = find_segments(table, SegmentSpec(features=["visits", "gender"], count=1, reasons={"gender": "refuge places"}), seed=1)
    about = [n for n in reasoned.notes if "gender" in n]
    assert len(about) == 1
    assert "was used because: refuge places" in about[0]


def test_an_attribute_that_the_rules_need_is_missing() -> None:
    model = SegmentModel(method="none", labels=("all",), people=60, seed=1).model_copy(
        update={"attributes": find_segments(PEOPLE, SegmentSpec(count=2, method="kmeans"), seed=1).model.attributes}
    )
    with pytest.raises(DataError, match=r"need the attribute 'visits'.*Did you mean 'visit'"):
        assign_segments(model, PEOPLE.rename(columns={"visits": "visit"}))


def test_use_without_dates_is_refused() -> None:
    with pytest.raises(DataError, match="no column 'opened'"):
        use(PEOPLE, pd.DataFrame({"person_id": ["p1"], "segment": ["A"]}))
