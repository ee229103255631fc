"""What must hold for every table and every policy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demand.disclosure import POLICIES, protect
from demand.segments.find import Segmentation, SegmentSpec, assign_segments, find_segments
from demand.segments.model import UNCLEAR
from demand.segments.profile import profile


def people() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    group = rng.integers(0, 2, 200)
    table = pd.DataFrame(
        {
            "visits": rng.poisson(np.array([1, 9])[group]),
            "home": np.where(rng.random(200) < 0.8, np.array(["own", "rent"])[group], "other"),
            "need": np.where(rng.random(200) < np.array([0.2, 0.8])[group], "yes", "no"),
        }
    ).astype(object)
    return table.mask(rng.random(table.shape) < 0.1).assign(person_id=[f"p{i:03d}" for i in range(200)])


@pytest.fixture(scope="module")
def found() -> Segmentation:
    return find_segments(people(), SegmentSpec(method="latent_class", count=2), seed=1)


def test_shuffled_rows_change_nothing(found: Segmentation) -> None:
    again = find_segments(people().sample(frac=1.0, random_state=1), SegmentSpec(method="latent_class", count=2), seed=1)
    assert again.model == found.model
    pd.testing.assert_frame_equal(again.members, found.members)


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**12), 10**12), st.floats(allow_nan=True, allow_infinity=True), st.text(max_size=8)
)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=6))
def test_whatever_stands_in_a_new_extract_everybody_gets_a_segment_or_is_called_unclear(
    found: Segmentation, rows: list[tuple[object, object, object]]
) -> None:
    table = pd.DataFrame(rows, columns=["visits", "home", "need"], dtype=object).assign(person_id=[f"q{i}" for i in range(len(rows))])
    members = assign_segments(found.model, table)
    assert len(members) == len(rows)
    nothing = members["certainty"] == 0
    assert (members.loc[nothing, "segment"] == UNCLEAR).all()
    assert members.loc[~nothing, "segment"].isin(found.model.labels).all()
    assert members.loc[~nothing, "certainty"].between(0.5 - 1e-6, 1.0).all()
    nobody = table.set_index("person_id").isna().all(axis=1)
    assert nothing[members["person_id"].map(nobody)].all()
    alone = assign_segments(found.model, table.tail(1))
    assert alone.to_numpy().tolist() == members[members["person_id"] == alone["person_id"].iloc[0]].to_numpy().tolist()


def test_shares_of_a_feature_add_up_in_each_segment(found: Segmentation) -> None:
    told = profile(people(), found.members)
    shares = told[told["level"] != "mean"].groupby(["segment", "feature"])["share_or_mean"].sum()
    assert np.allclose(shares, 1.0)
    assert (told["low"] <= told["share_or_mean"] + 1e-12).all()
    assert (told["share_or_mean"] <= told["high"] + 1e-12).all()


@given(counts=st.lists(st.integers(0, 2000), min_size=1, max_size=8), policy=st.sampled_from(sorted(set(POLICIES) - {"internal"})))
def test_no_small_count_is_ever_shown_and_rounding_stays_near(counts: list[int], policy: str) -> None:
    rule = POLICIES[policy]
    shown = protect(pd.DataFrame({"people": counts}), counts=["people"], policy=policy)["people"]
    for count, cell in zip(counts, shown, strict=True):
        if cell == rule.mark:
            assert count < rule.hide_below
        else:
            assert count == 0 or count >= rule.hide_below
            assert int(cell) % rule.round_to == 0
            assert abs(int(cell) - count) <= rule.round_to / 2
