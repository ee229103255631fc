"""Bands of authorities from one year to the next, and who uses how much among 4,406 people."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from demand.segments.expected import expected_use
from demand.segments.find import SegmentSpec
from demand.segments.keeping import keep_segments
from demand.segments.movement import stayed
from demand.segments.portrait import portraits
from demand.segments.profile import profile


def test_authorities_stay_in_their_bands_and_the_new_gaps_are_found(real_data: Path) -> None:
    then, now = (
        pd.read_csv(real_data / f"homelessness_la_profile_{wave}.csv").rename(columns={"la_code": "place_id"})
        for wave in ("2024q2", "2025q2")
    )
    spec = SegmentSpec(method="kmeans", count=3)
    found = keep_segments(then, spec, seed=1)
    kept = keep_segments(now, spec, saved=found.model, before=found.members)
    same, both = stayed(kept.tables["transitions"])
    assert both == 294
    assert same / both > 0.75
    drifted = kept.tables["drift"].set_index("feature")["drifted"]
    assert drifted["tashare_out_of_area"]  # given by 93 % of authorities in 2024 and by 60 % in 2025
    assert drifted.sum() <= 3
    drawn = portraits(then, found.members, profile(then, found.members, spec), attributes=found.model.attributes)
    assert all(" places. " in p.text for p in drawn)
    assert all(p.rule is not None and p.rule.works and len(p.rule.rule.conditions) <= 4 for p in drawn)


def test_a_model_of_visits_is_held_against_the_segments_average_and_a_plain_regression(real_data: Path) -> None:
    used = pd.read_csv(real_data / "service_use_people_us_1988.csv").reset_index(names="person_id")
    known = ["health", "chronic", "adl", "region", "school", "income", "employed", "insurance", "medicaid", "hospital"]
    spec = SegmentSpec(features=known, method="latent_class", count=4, outcome="visits")
    kept = keep_segments(used, spec, seed=1)
    told = expected_use(used, kept.members, kept.model.attributes, outcome="visits", seed=1)
    scores = told.scores.set_index("model")
    assert scores.loc["LightGBM", "low"] > 0.04
    assert scores.loc["LightGBM", "better"] == pytest.approx(scores.loc["Poisson regression", "better"], abs=0.02)
    assert scores.loc["mean of the two models", "better"] > scores.loc["Poisson regression", "better"]
    tenths = told.calibration[told.calibration["by"] == "tenth of the expected"]
    assert tenths["expected"].between(tenths["low"] - 0.35, tenths["high"] + 0.35).all()
    by_sex = told.calibration[told.calibration["by"] == "gender"]
    assert (by_sex["expected"] / by_sex["observed"]).between(0.93, 1.07).all()
