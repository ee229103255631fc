"""What must hold in every example council, whatever its seed and size."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from demand.calendar import Frequency
from demand.data.example import Council, example_council
from demand.data.people import count_episodes

SERVICES = ("homelessness", "children", "adult_care")
COUNCILS = st.builds(example_council, st.integers(0, 10_000), st.integers(500, 3_000))


@settings(max_examples=8, deadline=None)
@given(COUNCILS, st.sampled_from(SERVICES))
def test_segments_add_up_to_the_whole(council: Council, service: str) -> None:
    people, whole = council.people(service), council.history(service)
    people["segment"] = people["person_id"].map(council.truth.segments(service))
    keys = [*council.keys(service), "segment"]
    parts = count_episodes(people, council.counts(service), keys=keys, frequency=Frequency("M"), first=council.first, last=council.last)
    summed = parts.wide.T.groupby(parts.wide.columns.str.rpartition("/").get_level_values(0)).sum().T
    pd.testing.assert_frame_equal(summed, whole.wide, check_names=False)


@settings(max_examples=8, deadline=None)
@given(COUNCILS, st.sampled_from(SERVICES))
def test_nobody_is_in_two_places_at_once(council: Council, service: str) -> None:
    people = council.people(service)
    places = people[people["price"].notna()].sort_values(["person_id", "opened", "closed"])
    same = places["person_id"].to_numpy()[1:] == places["person_id"].to_numpy()[:-1]
    begins, ended = places["opened"].to_numpy()[1:], places["closed"].to_numpy()[:-1]
    assert (begins >= ended)[same].all()


@settings(max_examples=8, deadline=None)
@given(COUNCILS, st.sampled_from(SERVICES))
def test_only_what_the_extract_could_know_is_in_it(council: Council, service: str) -> None:
    people = council.people(service)
    end = np.datetime64(council.extracted)
    assert (people["opened"] <= end).all()
    assert not (people["closed"] > end).any()
    flows = people[people["price"].isna()]
    assert (flows["opened"] >= council.first).all()
    assert (people["closed"].isna() | (people["closed"] > people["opened"])).all()
    assert (people["price"].dropna() > 0).all()


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(SERVICES))
def test_one_service_is_the_same_whether_or_not_others_are_made(seed: int, service: str) -> None:
    every, one = example_council(seed, 600), example_council(seed, 600, service=service)
    every.people("adult_care")
    pd.testing.assert_frame_equal(every.people(service), one.people(service))
