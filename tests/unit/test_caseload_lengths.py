"""Lengths of stay for people to read; late recording, and cases without activity."""

import numpy as np
import pandas as pd
import pytest

from demand.caseload.late import fullness, no_activity, nowcast
from demand.caseload.lengths import how_stays_end, lengths_of_stay, what_goes_with_length
from demand.caseload.spells import as_known, spells_of
from demand.errors import DataError

DAY = pd.Timestamp("2026-03-31")


def lived(n=3000, seed=1):
    """Hotel stays of 60 days on average, shorter for the young by half; three in ten end in a flat."""
    rng = np.random.default_rng(seed)
    opened = pd.Timestamp("2022-04-01") + pd.to_timedelta(np.sort(rng.integers(0, 1460, n)), unit="D")
    young = rng.random(n) < 0.5
    stay = np.ceil(rng.exponential(np.where(young, 60, 120)))
    first = pd.DataFrame({"person_id": np.arange(n), "type": "hotel", "opened": opened, "age_group": np.where(young, "young", "old")})
    first["closed"] = first["opened"] + pd.to_timedelta(stay, unit="D")
    on = first[rng.random(n) < 0.3].assign(type="flat")
    on = on.assign(opened=on["closed"], closed=on["closed"] + pd.Timedelta(days=300))
    return as_known(spells_of(pd.concat([first, on], ignore_index=True), keys=["type"]), DAY)


def test_half_have_left_after_the_median_although_some_are_still_there():
    told = lengths_of_stay(lived(), DAY).set_index("group")
    assert told.loc["hotel", "half_low"] <= told.loc["hotel", "days_half"] <= told.loc["hotel", "half_high"]
    assert told.loc["hotel", "days_half"] == pytest.approx(57, abs=6)  # the middle of two exponentials with means 60 and 120
    assert told.loc["flat", "days_half"] == 300
    assert told.loc["flat", "ends"] < told.loc["flat", "spells"]


def test_nothing_is_told_of_what_lies_before_records_are_whole():
    since, spells = pd.Timestamp("2024-04-01"), lived()
    lost = spells["closed"].lt(since) & (spells["person_id"] % 10 > 0)  # nine ends in ten of the year before stand on its last day
    gappy = spells.assign(closed=spells["closed"].mask(lost & spells["closed"].ge("2023-04-01"), pd.Timestamp("2024-03-31")))
    told = lengths_of_stay(gappy, DAY, since=since).set_index("group")
    assert told.loc["hotel", "days_half"] == pytest.approx(57, abs=6)
    assert lengths_of_stay(gappy, DAY).set_index("group").loc["hotel", "days_half"] > 65
    ends = how_stays_end(gappy, DAY, since=since).set_index(["type", "ends_in", "days"])["share"]
    assert ends[("hotel", "flat", 365)] == pytest.approx(0.3, abs=0.04)
    whole, part = (what_goes_with_length(s, DAY, columns=["age_group"], since=since)["ratio"] for s in (spells, gappy))
    assert part.to_numpy() == pytest.approx(whole.to_numpy(), rel=0.02)


def test_the_young_leave_twice_as_fast():
    spells = lived()
    told = what_goes_with_length(spells[spells["type"] == "hotel"], DAY, columns=["age_group"])
    [row] = told.to_dict("records")
    assert row["feature"] == "age_group old (beside young)"
    assert row["low"] < 0.5 < row["high"]


def test_stays_end_as_was_planted_where_other_ends_compete():
    told = how_stays_end(lived(), DAY)
    hotel = told[(told["type"] == "hotel") & (told["days"] == 730)].set_index("ends_in")["share"]
    assert hotel["flat"] == pytest.approx(0.3, abs=0.03)
    assert hotel.sum() == pytest.approx(1, abs=0.01)
    assert told.groupby(["type", "days"])["share"].sum().max() <= 1 + 1e-9


def extracts(months=8):
    """Each month 70 % of its openings are recorded by its end, 90 % a month later, and all after two."""
    rng = np.random.default_rng(3)
    opened = pd.Timestamp("2024-04-01") + pd.to_timedelta(rng.integers(0, 730, 12_000), unit="D")
    delay = rng.choice([0, 1, 2], 12_000, p=[0.7, 0.2, 0.1])
    known = (opened.to_period("M") + delay).to_timestamp("M").normalize()
    made = pd.date_range(end="2026-03-31", periods=months, freq="ME")
    return {d: pd.DataFrame({"opened": opened[(known <= d) & (opened <= d)]}) for d in made}, opened


def test_late_recording_is_estimated_from_earlier_extracts_and_the_last_months_grow():
    all_of, opened = extracts()
    share = fullness(all_of).set_index("months_after")["share"]
    assert share[0] == pytest.approx(0.7 / 0.9, abs=0.03)
    assert share[1] == pytest.approx(0.9, abs=0.02)
    assert share[2] == 1
    told = nowcast(all_of, seed=1).set_index("ds")
    really = pd.Series(opened.to_period("M").to_timestamp()).value_counts()
    for month in told.index[-2:]:
        assert told.loc[month, "low"] <= really[month] <= told.loc[month, "high"]
        assert told.loc[month, "recorded"] < told.loc[month, "expected"]


def test_with_one_extract_late_recording_is_not_estimated():
    all_of, _ = extracts(1)
    assert nowcast(all_of, seed=1).empty
    with pytest.raises(DataError, match="no column 'begun'"):
        nowcast(all_of, day="begun", seed=1)


def test_cases_without_activity_are_shown_apart():
    spells = lived().assign(paid=DAY - pd.Timedelta(days=10))
    flat = (spells["type"] == "flat") & spells["closed"].isna()
    spells.loc[spells.index[flat][:7], "paid"] = DAY - pd.Timedelta(days=200)
    told = no_activity(spells, DAY, last_activity="paid").set_index("unique_id")
    assert told.loc["flat", "without_activity"] == 7
    assert told.loc["flat", "with_activity"] == told.loc["flat", "open"] - 7
    assert told.loc["hotel", "without_activity"] == 0
    with pytest.raises(DataError, match="last activity"):
        no_activity(spells, DAY, last_activity="seen")
