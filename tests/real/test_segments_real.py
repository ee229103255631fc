"""Segments of English housing authorities, one year and the next, and of 4,406 people who used health services."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from demand.segments.find import SegmentSpec, assign_segments, find_segments
from demand.segments.profile import profile


def authorities(folder: Path, wave: str) -> pd.DataFrame:
    return pd.read_csv(folder / f"homelessness_la_profile_{wave}.csv").rename(columns={"la_code": "place_id"})


def test_bands_of_authorities_mostly_stay_the_same_next_year(real_data: Path) -> None:
    places = authorities(real_data, "2024q2")
    found = find_segments(places, SegmentSpec(method="kmeans", count=3), seed=1)
    assert len(found.members) == 296
    assert any("'la' was not used" in note and "identifier" in note for note in found.notes)
    assert not any(a.name.startswith("share_age") for a in found.model.attributes)
    later = assign_segments(found.model, authorities(real_data, "2025q2")).merge(found.members, on="person_id")
    assert (later["segment_x"] == later["segment_y"]).mean() > 0.7


def test_segments_of_authorities_found_in_one_year_hold_in_the_next(real_data: Path) -> None:
    found = find_segments(authorities(real_data, "2024q2"), seed=1)
    assert len(found.model.labels) > 1
    assert found.model.groups
    chosen = found.evidence[found.evidence["chosen"]].iloc[0]
    assert chosen["stability"] > 0.6
    assert chosen["weakest"] > 0.5
    later = assign_segments(found.model, authorities(real_data, "2025q2")).merge(found.members, on="person_id")
    assert (later["segment_x"] == later["segment_y"]).mean() > 0.75


def test_people_who_used_services_are_described_by_what_was_not_used(real_data: Path) -> None:
    people = pd.read_csv(real_data / "service_use_people_us_1988.csv")
    people["person_id"] = [f"p{i:05d}" for i in range(len(people))]
    found = find_segments(people, SegmentSpec(method="latent_class", count=4), seed=1)
    assert {"age", "gender", "married", "afam"}.isdisjoint(a.name for a in found.model.attributes)
    told = profile(people, found.members)
    assert {"age", "gender", "married", "afam"} <= set(told["feature"])
    assert found.members["segment"].value_counts().min() >= 0.02 * len(people)
