"""The example council: its tables have the shapes that the other rooms expect, and its counts are counted from its episodes."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.data.example import EXAMPLE_KEY, SIZES, Council, example_council
from demand.data.people import CountSpec, count_episodes
from demand.data.read import DriversSpec, PeopleSpec, read_drivers, read_people
from demand.errors import SettingsError
from demand.spec import Unit
from demand.tables import History, content_hash

SERVICES = ("homelessness", "children", "adult_care")
UNITS = {"homelessness": "households", "children": "children", "adult_care": "people"}


@pytest.fixture(scope="module")
def tiny() -> Council:
    return example_council(size="tiny")


def counted_slowly(people: pd.DataFrame, history: History, name: str, month: pd.Timestamp) -> int:
    about = history.series.loc[name]
    rows = people[(people[history.keys] == about[history.keys]).all(axis=1)]
    begin, end = month, month + pd.offsets.MonthEnd(0)
    if about["kind"] == "flow":
        return int(((rows["opened"] >= begin) & (rows["opened"] <= end)).sum())
    return int(((rows["opened"] <= end) & ~(rows["closed"] <= end)).sum())


@pytest.mark.parametrize("service", SERVICES)
def test_counts_are_the_episodes(tiny: Council, service: str) -> None:
    history, people = tiny.history(service), tiny.people(service)
    for name in history.ids:
        for month in history.wide.index[[0, 50, 119]]:
            assert history.wide.loc[month, name] == counted_slowly(people, history, name, month)


@pytest.mark.parametrize("service", SERVICES)
def test_a_history_is_ten_financial_years_without_a_hole(tiny: Council, service: str) -> None:
    history = tiny.history(service)
    assert (history.wide.index[0], history.last, len(history.wide)) == (pd.Timestamp("2016-04-01"), pd.Timestamp("2026-03-01"), 120)
    assert history.wide.notna().all().all()
    assert set(history.series["unit"]) == {UNITS[service]}
    assert set(history.series["kind"]) == {"flow", "stock"}


@pytest.mark.parametrize("service", SERVICES)
def test_people_are_mixed_and_partly_unknown(tiny: Council, service: str) -> None:
    people, names = tiny.people(service), tiny.attributes(service)
    assert set(names) <= set(people.columns)
    about = people[names]
    assert about.select_dtypes("number").shape[1] >= 3
    assert sum(isinstance(d, pd.CategoricalDtype) and d.ordered for d in about.dtypes) >= 1
    assert sum(set(about[c].dropna().unique()) == {"yes", "no"} for c in names) >= 2
    assert 0.01 < about.isna().mean().mean() < 0.2
    assert people["closed"].isna().any()
    assert people["closed"].max() <= tiny.extracted
    assert not people["episode_id"].duplicated().any()
    assert not people["person_id"].str.contains(r"\b[HCA]\d{7}", regex=True).any()
    assert (people["closed"].dropna() >= people.loc[people["closed"].notna(), "opened"]).all()


@pytest.mark.parametrize("service", SERVICES)
def test_some_people_come_back(tiny: Council, service: str) -> None:
    people = tiny.people(service)
    first_contacts = people[people["service"] == tiny.plan(service).front]
    assert 0.02 < (first_contacts["times_before"] > 0).mean() < 0.4


@pytest.mark.parametrize("service", SERVICES)
def test_an_attribute_is_the_same_in_all_episodes_of_a_person(tiny: Council, service: str) -> None:
    people = tiny.people(service)
    fixed = [a.name for a in tiny.plan(service).attributes]
    assert people.astype(dict.fromkeys(fixed, object)).groupby("person_id")[fixed].nunique().max().max() == 1


@pytest.mark.parametrize("service", SERVICES)
def test_drivers_have_a_published_future(tiny: Council, service: str) -> None:
    drivers, last = tiny.drivers(service), tiny.last
    assert set(drivers["name"]) == set(tiny.truth.elasticities(service))
    for _, one in drivers.groupby("name"):
        past, future = one[one["ds"] <= last], one[one["ds"] > last]
        assert (len(past), len(future)) == (120, 60)
        assert past[["low", "high"]].isna().all().all()
        assert (future["low"] < future["value"]).all()
        assert (future["value"] < future["high"]).all()
        width = (future["high"] / future["low"]).to_numpy()
        assert width[-1] > width[0]


@pytest.mark.parametrize("service", SERVICES)
def test_prices_say_what_they_are_paid_for(tiny: Council, service: str) -> None:
    prices = tiny.prices[service]
    assert set(prices) == set(tiny.history(service).series["type"])
    nouns = {"homelessness": "household", "children": "child", "adult_care": "person"}
    for kind, price in prices.items():
        unit = Unit.parse(price.unit)
        assert (unit.of, unit.counted) == ("GBP", nouns[service])
        assert unit.period == (None if kind == tiny.plan(service).front_type else "week")


def test_the_return_has_a_hole_of_two_years(tiny: Council) -> None:
    wide, history = tiny.returns.wide, tiny.history("homelessness")
    assert wide.isna().all(axis=1).sum() == 24
    assert wide.loc["2020-03-01"].notna().all()
    assert wide.loc["2022-04-01"].notna().all()
    stock = history.series.index[history.series["kind"] == "stock"]
    assert wide.loc["2026-03-01"].sum() == history.wide.loc["2026-03-01", stock].sum()


def test_the_same_seed_is_the_same_council_and_another_is_another() -> None:
    one, two, other = (example_council(seed, "tiny", service="homelessness").people("homelessness") for seed in (1, 1, 2))
    assert content_hash(one) == content_hash(two)
    assert content_hash(one) != content_hash(other)


def test_a_table_that_is_changed_does_not_change_the_council(tiny: Council) -> None:
    before = content_hash(tiny.people("children"))
    tiny.people("children")["area"] = "somewhere else"
    assert content_hash(tiny.people("children")) == before


@pytest.mark.parametrize(("size", "people"), [("tiny", SIZES["tiny"]), ("standard", SIZES["standard"]), (5000, 5000)])
def test_a_size_is_about_so_many_people(size: str | int, people: int) -> None:
    council = example_council(size=size)
    for service in SERVICES:
        wanted = people * council.plan(service).people_share
        assert council.people(service)["person_id"].nunique() == pytest.approx(wanted, rel=0.12 if wanted > 1000 else 0.25)


def test_sizes_give_the_numbers_of_series_that_were_promised() -> None:
    for size, low, high in (("tiny", 8, 20), ("standard", 40, 70)):
        council = example_council(size=size)
        for service in SERVICES:
            people = council.people(service)
            keys = [people[k] for k in council.keys(service)]
            segments = people["person_id"].map(council.truth.segments(service))
            assert low <= people.groupby([*keys, segments]).ngroups <= high


def test_the_future_goes_on_where_the_history_ends(tiny: Council) -> None:
    history, future = tiny.history("adult_care"), tiny.truth.future("adult_care")
    assert future.wide.index[0] == history.last + pd.DateOffset(months=1)
    assert len(future.wide) == 60
    stock = history.series.index[history.series["kind"] == "stock"]
    change = future.wide.loc["2026-04-01", stock].sum() / history.wide.loc["2026-03-01", stock].sum()
    assert 0.9 < change < 1.1


def test_the_events_are_the_ones_that_were_planted(tiny: Council) -> None:
    shock, recording = tiny.events
    assert (shock["start"], shock["end"], shock["kind"]) == ("2020-03", "2021-06", "shock")
    assert (recording["start"], recording["kind"]) == ("2022-10", "recording")


def test_files_hold_the_same_episodes(tmp_path: Path, tiny: Council) -> None:
    folder = tmp_path
    example_council(size="tiny", files=True, folder=folder)
    read = {
        n: pd.read_csv(folder / f"{n}.csv", dtype=str)
        for n in ("homelessness_cases", "ta_placements", "children_placements", "adult_packages")
    }
    for name, service, front, opened, closed in (
        ("homelessness_cases", "homelessness", True, "date_presented", "closed_date"),
        ("ta_placements", "homelessness", False, "start_date", "end_date"),
        ("children_placements", "children", False, "placement_start", "placement_end"),
        ("adult_packages", "adult_care", False, "line_start", "line_end"),
    ):
        people = tiny.people(service)
        people = people[(people["service"] == tiny.plan(service).front) == front]
        for column, ours in ((opened, "opened"), (closed, "closed")):
            theirs = pd.to_datetime(read[name][column], format="%d/%m/%Y").to_numpy()
            np.testing.assert_array_equal(theirs, people[ours].to_numpy())


def test_an_extract_that_is_read_gives_the_same_counts_and_pseudonyms(tmp_path: Path, tiny: Council) -> None:
    example_council(size="tiny", service="homelessness", files=True, folder=tmp_path)
    spec = PeopleSpec(
        path="ta_placements.csv",
        person="household_ref",
        id="placement_id",
        opened="start_date",
        closed="end_date",
        keys=["ta_type", "area"],
        attributes=["n_children", "self_contained"],
        price="weekly_charge",
        counts=[CountSpec(kind="stock", unit="households")],
    )
    people, _ = read_people(spec, tmp_path, key=EXAMPLE_KEY)
    read = count_episodes(people, spec.counts, keys=spec.keys, frequency=Frequency("M"), first=tiny.first, last=tiny.last)
    ours = tiny.history("homelessness")
    stock = ours.wide[ours.series.index[ours.series["kind"] == "stock"]]
    pd.testing.assert_frame_equal(read.wide, stock.rename(columns=lambda i: i.removeprefix("ta/")), check_names=False)
    assert set(people["person_id"]) <= set(tiny.people("homelessness")["person_id"])


def test_drivers_that_are_read_are_the_published_ones(tmp_path: Path, tiny: Council) -> None:
    example_council(size="tiny", service="adult_care", files=True, folder=tmp_path)
    read, _ = read_drivers(DriversSpec(path="drivers.csv", low="low", high="high"), tmp_path, frequency=Frequency("M"))
    order = ["name", "ds"]
    pd.testing.assert_frame_equal(
        read[["ds", "name", "value", "low", "high"]].sort_values(order, ignore_index=True),
        tiny.drivers("adult_care").sort_values(order, ignore_index=True),
    )


def test_files_know_no_pseudonyms_and_can_be_read_by_anybody(tmp_path: Path) -> None:
    folder = tmp_path
    example_council(size="tiny", service="children", files=True, folder=folder)
    table = pd.read_csv(folder / "children_placements.csv")
    assert table["child_id"].str.fullmatch(r"C\d{7}").all()
    assert table.isna().any().any()
    text = io.StringIO()
    table.to_csv(text)
    assert "nan" not in text.getvalue()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": "standrad"}, "Did you mean 'standard'?"),
        ({"size": 20}, "500 or more"),
        ({"service": "homelesness"}, "Did you mean 'homelessness'?"),
        ({"files": True}, "no folder"),
    ],
)
def test_what_is_not_known_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        example_council(**arguments)  # type: ignore[arg-type]
    assert message in str(caught.value)


def test_a_council_made_for_one_service_has_no_other() -> None:
    with pytest.raises(SettingsError, match="not a service of this council"):
        example_council(size="tiny", service="children").people("homelessness")
