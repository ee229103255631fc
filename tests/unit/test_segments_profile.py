"""What segments are like, and what they ask of services."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from demand.data.people import CountSpec
from demand.errors import DataError
from demand.segments.attributes import read_attributes
from demand.segments.episodes import episodes
from demand.segments.find import SegmentSpec
from demand.segments.profile import profile
from demand.segments.use import back_within, median_stay, use


def people() -> tuple[pd.DataFrame, pd.DataFrame]:
    n = 60
    table = pd.DataFrame(
        {
            "person_id": [f"p{i:02d}" for i in range(n)],
            "need": ["yes"] * 20 + ["no"] * 10 + [None] * 10 + ["yes"] * 5 + ["no"] * 15,
            "visits": [4.0, 6.0] * 20 + [1.0, 2.0] * 10,
            "age": np.arange(n) % 7,
        }
    )
    return table, pd.DataFrame({"person_id": table["person_id"], "segment": ["A"] * 40 + ["B"] * 20})


def test_shares_are_of_those_known_and_missing_is_told() -> None:
    told = profile(*people()).set_index(["segment", "feature", "level"])
    row = told.loc[("A", "need", "yes")]
    assert (row["people"], row["known"], row["segment_people"]) == (20, 30, 40)
    assert row["share_or_mean"] == pytest.approx(2 / 3)
    assert row["average"] == pytest.approx(0.5)
    assert row["index"] == pytest.approx(100 * (2 / 3) / 0.5)
    assert row["missing_share"] == pytest.approx(0.25)
    assert row["low"] < 2 / 3 < row["high"]
    assert told.loc[("B", "visits", "mean"), "share_or_mean"] == pytest.approx(1.5)


def test_protected_characteristics_are_described_though_not_used() -> None:
    told = profile(*people(), SegmentSpec())
    assert not told.loc[told["feature"] == "age", "used"].any()
    assert told.loc[told["feature"] == "need", "used"].all()


def test_a_segment_of_fewer_than_ten_is_not_described() -> None:
    table, members = people()
    members.loc[members.index >= 51, "segment"] = "C"
    assert set(profile(table, members)["segment"]) == {"A", "B"}


def test_a_person_in_no_segment_is_an_error() -> None:
    table, members = people()
    with pytest.raises(DataError, match="3 people of the table are in no segment"):
        profile(table, members.iloc[3:])


def test_use_counts_those_still_there() -> None:
    day = pd.Timestamp("2025-01-01")
    episodes = pd.DataFrame(
        {
            "person_id": ["a", "a", "b", "c"],
            "opened": [day, day + pd.Timedelta(days=100), day, day + pd.Timedelta(days=86)],
            "closed": [day + pd.Timedelta(days=14), pd.NaT, day + pd.Timedelta(days=28), pd.NaT],
            "price": [70.0, 70.0, 140.0, np.nan],
        }
    )
    members = pd.DataFrame({"person_id": ["a", "b", "c"], "segment": ["A", "A", "B"]})
    told = use(episodes, members, as_of=day + pd.Timedelta(days=107)).set_index("segment")
    assert told.loc["A", "episodes_per_person"] == 1.5
    assert told.loc["A", "repeat_share"] == 0.5
    assert told.loc["everybody", "open_now"] == 2
    assert told.loc["A", "cost"] == pytest.approx(70 * 2 + 70 * 1 + 140 * 4)
    assert told.loc["A", "share_of_cost"] == 1.0
    assert told.loc["B", "priced_share"] == 0.0
    assert np.isnan(told.loc["B", "median_stay_days"])


def test_who_is_here_with_two_episodes_is_one_person() -> None:
    day = pd.Timestamp("2025-01-01")
    twice = pd.DataFrame({"person_id": ["a", "a", "b"], "opened": day, "closed": pd.NaT})
    told = use(twice, pd.DataFrame({"person_id": ["a", "b"], "segment": ["A", "B"]}), as_of=day).set_index("segment")
    assert told["open_now"].to_dict() == {"A": 1, "B": 1, "everybody": 2}


def test_the_median_stay_of_a_known_case() -> None:
    assert median_stay(np.array([1.0, 2, 3, 4, 5]), np.array([True] * 5)) == 3
    assert median_stay(np.array([5.0, 5, 5, 1]), np.array([False, False, False, True])) != median_stay(np.array([1.0]), np.array([True]))
    assert np.isnan(median_stay(np.array([]), np.array([], dtype=bool)))


def test_a_move_is_no_return_and_those_not_watched_for_a_year_are_not_taken_for_stayers_away() -> None:
    day = pd.Timestamp("2023-01-01")
    starts = {"a": [0, 30, 130], "b": [0], "c": [900], "d": [0, 500]}
    rows = [(who, day + pd.Timedelta(days=s), day + pd.Timedelta(days=s + 30)) for who, all_starts in starts.items() for s in all_starts]
    table = pd.DataFrame(rows, columns=["person_id", "opened", "closed"])
    members = pd.DataFrame({"person_id": list(starts), "segment": "A"})
    told = use(table, members, as_of=day + pd.Timedelta(days=1000)).set_index("segment")
    # a moved on day 30 and came back 70 days after the move ended; c was watched for 70 days; b and d were away for more than a year.
    assert told.loc["A", "back_within_year"] == pytest.approx(1 / 4)
    assert told.loc["A", "repeat_share"] == 0.5
    assert np.isnan(back_within(np.array([10.0, 20.0]), np.array([True, False]), 365))
    assert back_within(np.array([400.0, 500.0]), np.array([False, True]), 365) == 0.0
    assert back_within(np.array([100.0, 400.0, 50.0]), np.array([True, False, False]), 365) == pytest.approx(1 / 2)


def test_the_profile_of_a_later_extract_keeps_the_levels_of_the_rules() -> None:
    table, members = people()
    used = read_attributes(table[["need", "visits"]], None).attributes
    later = table.assign(need=table["need"].replace("no", "perhaps"))
    told = profile(later, members, used=used)
    assert set(told.loc[told["feature"] == "need", "level"]) == {"yes", "no"}
    assert told.loc[told["feature"].isin(["need", "visits"]), "used"].all()
    assert not told.loc[told["feature"] == "age", "used"].any()


def test_a_second_service_on_the_same_days_is_an_episode_of_its_own_and_a_start_beside_its_stay_is_not() -> None:
    day = pd.Timestamp("2025-01-01")
    table = pd.DataFrame(
        {
            "person_id": ["a", "a", "a", "b", "b", "b"],
            "opened": day,
            "closed": day + pd.Timedelta(days=14),
            "service": ["entries", "placements", "transport", "entries", "placements", "placements"],
            "price": [np.nan, 100.0, 30.0, np.nan, np.nan, 50.0],
        },
        index=[9, 9, 3, 2, 1, 0],
    )
    counts = [CountSpec(where={"service": ["entries"]}), CountSpec(where={"service": ["placements", "transport"]}, kind="stock")]
    one = episodes(table, keys=["service"], counts=counts)
    assert one["price"].tolist() == [100.0, 30.0, 50.0]
    told = use(one, pd.DataFrame({"person_id": ["a", "b"], "segment": "A"}), as_of=day + pd.Timedelta(days=30)).set_index("segment")
    assert told.loc["A", ["episodes", "cost"]].tolist() == [3, 2 * 180]
    assert len(episodes(table, keys=["service"])) == 5  # nobody said that a start is a start
