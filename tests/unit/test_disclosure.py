"""Small numbers stay in the building."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from demand.disclosure import POLICIES, protect, protect_profile
from demand.errors import DisclosureError

TABLE = pd.DataFrame({"area": list("abcdef"), "people": [0, 1, 4, 5, 12, 128], "share": [0.0, 1.0, 0.5, 0.4, 0.333333, 0.25]})


@pytest.mark.parametrize(
    ("policy", "shown"),
    [
        ("wales", [0, "*", "*", 5, 10, 130]),
        ("wales_homelessness", [0, "*", 3, 6, 12, 129]),
        ("wales_children", [0, "[c]", "[c]", 5, 10, 130]),
        ("opensafely", [0, "*", "*", "*", 10, 130]),
        ("tre", ["*", "*", "*", "*", 10, 130]),
        ("internal", [0, 1, 4, 5, 12, 128]),
    ],
)
def test_each_policy_hides_and_rounds_as_it_says(policy: str, shown: list[object]) -> None:
    assert protect(TABLE, counts=["people"], values=["share"], policy=policy)["people"].tolist() == shown


def test_what_is_said_of_few_is_withheld() -> None:
    out = protect(TABLE, counts=["people"], values=["share"], policy="wales")
    assert out["share"].isna().tolist() == [True, True, True, True, False, False]
    assert out["share"].iloc[4] == 0.33
    assert out.attrs["disclosure"]["cells_hidden"] == 2


@pytest.mark.parametrize(
    ("table", "arguments", "message"),
    [
        (TABLE, {"counts": ["people"], "policy": "wales"}, "nobody said what the numbers in 'share' are"),
        (TABLE, {"counts": ["people"], "values": ["share"], "policy": "walse"}, "Did you mean 'wales'"),
        (TABLE, {"counts": ["peopel"], "plain": ["share", "people"], "policy": "wales"}, "Did you mean 'people'"),
        (
            TABLE.assign(person_id="x"),
            {"counts": ["people"], "values": ["share"], "policy": "wales"},
            "'person_id' tells of single persons",
        ),
        (TABLE.assign(people=0.5), {"counts": ["people"], "values": ["share"], "policy": "wales"}, "not whole"),
        (TABLE.assign(people=np.nan), {"counts": ["people"], "values": ["share"], "policy": "internal"}, "missing, negative or not whole"),
        (TABLE.assign(age=["1", 2, "3", 4, 5, 6]), {"counts": ["people"], "values": ["share"], "policy": "wales"}, "numbers in 'age'"),
    ],
)
def test_it_fails_closed(table: pd.DataFrame, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(DisclosureError, match=message):
        protect(table, **arguments)  # type: ignore[arg-type]


def test_shares_of_a_profile_come_from_rounded_counts() -> None:
    profile = pd.DataFrame(
        {
            "segment": "A", "feature": ["need", "need", "visits"], "level": ["yes", "no", "mean"], "people": [3, 38, 41],
            "share_or_mean": [3 / 41, 38 / 41, 3.14159], "average": [0.1, 0.9, 2.71828], "index": [73.0, 103.0, 115.6],
            "low": [0.0, 0.8, 2.9],
            "high": [0.2, 1.0, 3.4], "missing_share": [0.0234, 0.0234, 0.0], "known": 41, "segment_people": 42, "used": True,
        }
    )  # fmt: skip
    out = protect_profile(profile, policy="wales")
    assert out["people"].tolist() == ["*", 40, 40]
    assert out["share_or_mean"].isna().tolist() == [True, False, False]
    assert out["share_or_mean"].iloc[1] == 1.0
    assert out["share_or_mean"].iloc[2] == 3.1
    pd.testing.assert_frame_equal(protect_profile(profile, policy="internal"), profile)


def test_every_policy_names_its_source() -> None:
    assert all(p.source and p.name == name for name, p in POLICIES.items())
