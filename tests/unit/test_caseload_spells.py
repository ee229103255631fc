"""Placements put in order, and stocks that add up from flows."""

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.caseload.spells import as_known, flows, monthly_return, spells_of, yearly_return
from demand.data.example import example_council
from demand.errors import DataError


def placements(*rows):
    table = pd.DataFrame(rows, columns=["person_id", "type", "opened", "closed", "price"])
    return table.assign(opened=pd.to_datetime(table["opened"]), closed=pd.to_datetime(table["closed"]))


def told(spells):
    return [
        (r.person_id, r.unique_id, f"{r.opened:%m-%d}", "" if pd.isna(r.closed) else f"{r.closed:%m-%d}", r.came, r.goes)
        for r in spells.itertuples()
    ]


def test_a_stay_that_goes_on_the_next_day_in_one_type_is_one_spell_at_the_last_price():
    spells = spells_of(
        placements(("a", "hostel", "2024-01-01", "2024-01-31", 300.0), ("a", "hostel", "2024-02-01", None, 350.0)), keys=["type"]
    )
    assert told(spells) == [("a", "hostel", "01-01", "", "", "")]
    assert spells["price"].tolist() == [350.0]


def test_a_move_of_the_next_day_is_a_move_and_the_night_between_counts_where_they_were():
    spells = spells_of(placements(("a", "hotel", "2024-01-01", "2024-01-10", 1.0), ("a", "flat", "2024-01-11", None, 1.0)), keys=["type"])
    assert told(spells) == [("a", "hotel", "01-01", "01-11", "", "flat"), ("a", "flat", "01-11", "", "hotel", "")]


def test_a_longer_gap_is_a_new_start():
    spells = spells_of(placements(("a", "hotel", "2024-01-01", "2024-01-10", 1.0), ("a", "flat", "2024-01-12", None, 1.0)), keys=["type"])
    assert [t[4:] for t in told(spells)] == [("", ""), ("", "")]


def test_where_stays_overlap_the_earlier_ends_and_what_lies_within_another_is_left_out():
    rows = placements(
        ("a", "foster", "2024-01-01", "2024-06-01", 1.0), ("a", "respite", "2024-02-01", "2024-02-08", 1.0),
        ("a", "home", "2024-05-01", None, 1.0), ("b", "foster", "2024-03-01", "2024-03-01", 1.0),
    )  # fmt: skip
    spells = spells_of(rows, keys=["type"])
    assert told(spells) == [("a", "foster", "01-01", "05-01", "", "home"), ("a", "home", "05-01", "", "foster", "")]
    assert spells.attrs["left_out"] == {"of no night": 1, "within another": 1}


def test_packages_may_run_side_by_side_where_that_is_said():
    rows = placements(("a", "care", "2024-01-01", "2024-06-01", 1.0), ("a", "meals", "2024-02-01", "2024-02-08", 1.0))
    assert len(spells_of(rows, keys=["type"], one_place=False)) == 2


def test_a_later_end_is_not_known_earlier():
    spells = spells_of(placements(("a", "hotel", "2024-01-01", "2024-01-10", 1.0), ("a", "flat", "2024-01-10", None, 1.0)), keys=["type"])
    assert told(as_known(spells, pd.Timestamp("2024-01-05"))) == [("a", "hotel", "01-01", "", "", "")]


@pytest.mark.parametrize("code", ["D", "W-MON", "W-SUN", "M", "Q", "Y"])
def test_stock_is_what_came_less_what_went_in_every_period(code):
    rng, frequency = np.random.default_rng(4), Frequency(code)
    opened = pd.Timestamp("2019-11-20") + pd.to_timedelta(rng.integers(0, 900, 400), unit="D")
    closed = (opened + pd.to_timedelta(rng.integers(0, 300, 400), unit="D")).where(rng.random(400) < 0.8)
    people = pd.DataFrame(
        {"person_id": rng.integers(0, 120, 400), "type": rng.choice(list("xyz"), 400), "opened": opened, "closed": closed}
    )
    spells = spells_of(people, keys=["type"])
    table = flows(spells, frequency, first=pd.Timestamp("2020-02-01"), last=pd.Timestamp("2021-01-03"))  # a 29 February and a week 53
    assert (table["stock"] == table["opening"] + table["starts"] - table["ends"] + table["moved_in"] - table["moved_out"]).all()
    assert table.groupby("ds")["moved_in"].sum().tolist() == table.groupby("ds")["moved_out"].sum().tolist()
    begin = frequency.start_of(pd.DatetimeIndex(["2020-02-01"]))[0]
    days = pd.date_range(begin, frequency.end_of(pd.DatetimeIndex([table["ds"].max()]))[0])
    there = [int(((spells["opened"] <= d) & ~(spells["closed"] <= d)).sum()) for d in days]
    assert table["nights"].sum() == sum(there)
    assert table.groupby("ds")["stock"].sum().iloc[-1] == there[-1]


def test_the_example_council_counts_the_same_from_flows_as_by_counting():
    council = example_council(size="tiny", service="children")
    spells = spells_of(council.people("children"), keys=["service", "type", "area"], where={"service": ["looked_after"]})
    table = flows(spells, Frequency("M"), first=council.first, last=council.last)
    both = table.merge(council.history("children").table, on=["unique_id", "ds"])
    assert len(both) == len(table)
    assert (both["y"] == both["stock"]).all()


def test_returns_count_individuals_by_month_and_households_by_year():
    rows = placements(
        ("a", "hotel", "2024-03-01", "2024-03-20", 1.0), ("a", "flat", "2024-03-20", None, 1.0), ("b", "hotel", "2024-03-05", None, 1.0)
    ).assign(individuals=[3, 3, 1], household=["h", "h", "h"])
    spells = spells_of(rows, keys=["type"])
    monthly = monthly_return(spells, first=pd.Timestamp("2024-03-01"), last=pd.Timestamp("2024-03-01"))
    assert monthly[["occurrences", "individuals"]].to_numpy().tolist() == [[4.0, 4.0]]  # the transfer is no occurrence
    yearly = yearly_return(spells, first=pd.Timestamp("2024-01-01"), last=pd.Timestamp("2024-12-31"), household="household")
    assert yearly["households"].tolist() == [1]
    with pytest.raises(DataError, match="no column 'family'"):
        yearly_return(spells, first=pd.Timestamp("2024-01-01"), last=pd.Timestamp("2024-12-31"), household="family")


def test_faults_of_columns_are_told_together():
    with pytest.raises(DataError, match=r"(?s)'closed'.*'kind'"):
        spells_of(placements(("a", "x", "2024-01-01", None, 1.0)).drop(columns="closed"), keys=["kind"])
