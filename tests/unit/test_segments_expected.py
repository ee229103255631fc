"""Who uses how much: expected use by group, tried on people and a year that were not seen; the equality table; pounds by segment."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from planning_cases import forecast, weekly_prices

from demand.budget import cost_by, price
from demand.errors import BudgetError, DataError
from demand.scenario import apply
from demand.segments.attributes import read_attributes
from demand.segments.by_group import calibrated, expected_by, joined
from demand.segments.counting_models import MODELS, deviance
from demand.segments.episodes import episodes
from demand.segments.equality import equality
from demand.segments.expected import ExpectedUse, _judged, expected_use
from demand.segments.snapshots import snapshot

DAY = pd.Timestamp("2026-03-31")


def people(n: int = 1500, *, beyond: bool, seed: int = 3) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Four years of episodes: the rate differs by segment, and with `beyond` by need within it."""
    rng = np.random.default_rng(seed)
    segment, need = rng.integers(0, 2, n), rng.random(n) < 0.5
    rate = np.array([0.3, 0.9])[segment] * (np.where(need, 2.4, 0.2) if beyond else 1.0)
    first = rng.integers(0, 400, n)
    again = [np.sort(rng.integers(f + 1, 1460, rng.poisson(r * (1460 - f) / 365))) for f, r in zip(first, rate, strict=True)]
    who = np.repeat(np.arange(n), [1 + len(a) for a in again])
    day = np.concatenate([np.append(f, a) for f, a in zip(first, again, strict=True)])
    opened = DAY - pd.Timedelta(days=1460) + pd.to_timedelta(day, unit="D")
    table = pd.DataFrame(
        {
            "person_id": [f"p{i:05d}" for i in who],
            "episode_id": [f"e{i:06d}" for i in range(len(who))],
            "opened": opened,
            "closed": opened + pd.Timedelta(days=20),
            "area": np.where(who % 3 == 0, "North", "South"),
            "sex": np.where(who % 2 == 0, "female", "male"),
            "need": np.where(need[who], "yes", "no"),
            "letter": rng.choice(list("xyz"), n)[who],
        }
    ).sample(frac=1.0, random_state=1)
    return table, pd.DataFrame({"person_id": [f"p{i:05d}" for i in range(n)], "segment": np.array(["A", "B"])[segment]})


def made(**kind: bool) -> ExpectedUse:
    table, members = people(**kind)
    return expected_use(table, members, read_attributes(table[["need", "letter"]], None).attributes, as_of=DAY)


def test_a_snapshot_sees_nothing_that_came_later() -> None:
    table, _ = people(beyond=True)
    day = DAY - pd.Timedelta(days=500)
    before = snapshot(table, day)
    other = table.assign(need=table["need"].where(table["opened"] <= day, "no"))
    other = other.assign(closed=other["closed"].where(other["closed"] <= day, DAY + pd.Timedelta(days=900)))
    later = snapshot(other, day)
    pd.testing.assert_frame_equal(before.rows.drop(columns="closed"), later.rows.drop(columns="closed"))
    assert before.later.sum() > 0
    gone = snapshot(table[table["opened"] <= day], day)
    assert gone.later.sum() == 0
    pd.testing.assert_frame_equal(gone.rows, before.rows)


def test_past_use_is_counted_by_hand() -> None:
    days = [pd.Timestamp("2025-01-01"), pd.Timestamp("2025-06-01"), pd.Timestamp("2025-06-01"), pd.Timestamp("2026-02-01")]
    table = pd.DataFrame({"person_id": "a", "opened": days, "closed": [days[0] + pd.Timedelta(days=10), pd.NaT, pd.NaT, pd.NaT]})
    table = episodes(table, keys=[])
    row = snapshot(table, pd.Timestamp("2025-12-31")).rows.iloc[0]
    assert (row["past_episodes"], row["past_episodes_year"], row["open_now"]) == (2, 2, 1)
    assert row["days_since_opened"] == 213
    assert row["days_in_service_year"] == 213 + 10
    assert snapshot(table, pd.Timestamp("2025-12-31")).later.tolist() == [1]


def test_where_a_need_drives_use_a_model_beats_the_average_of_the_segment() -> None:
    told = made(beyond=True)
    scores = told.scores.set_index("model")
    assert tuple(scores.index) == MODELS
    assert scores.loc["LightGBM", "low"] > 0
    assert not scores.loc["segment average", "chosen"]
    assert "does better than the average of the segment" in told.notes[0]
    tenths = told.calibration[told.calibration["by"] == "tenth of the expected"]
    assert tenths["people"].sum() == told.calibration.loc[told.calibration["by"] == "segment", "people"].sum()
    assert (tenths["expected"].between(tenths["low"] - 0.1, tenths["high"] + 0.1)).mean() >= 0.8
    assert told.drivers["feature"].iloc[0] in ("need", "past_episodes", "past_episodes_two_years", "past_episodes_year")
    assert told.drivers["share"].sum() == pytest.approx(1.0)
    by = told.expected.groupby("by")["expected"].sum()
    assert by["area"] == pytest.approx(by["segment"])
    assert set(told.expected["by"]) == {"segment", "area", "sex"}


def test_where_segments_tell_all_it_says_that_no_model_is_better() -> None:
    told = made(beyond=False)
    assert told.scores.set_index("model").loc["segment average", "chosen"] or told.scores.set_index("model")["better"].max() < 0.15
    flat, members = people(beyond=False, n=400)
    same = members.assign(segment="A")
    few = expected_use(flat[flat["opened"] > DAY - pd.Timedelta(days=700)], same, (), as_of=DAY)
    assert few.scores.empty
    assert few.notes[0].startswith("How much people will use is not modelled")


def test_nothing_of_a_person_comes_out() -> None:
    told = made(beyond=True)
    for table in told.tables.values():
        assert "person_id" not in table
        assert not table.astype(str).apply(lambda column: column.str.contains(r"p\d{5}").any()).any()
    assert told.expected["people"].min() >= 10


def test_use_without_dates_is_split_by_person() -> None:
    rng = np.random.default_rng(5)
    need = rng.random(2000) < 0.5
    table = pd.DataFrame(
        {"person_id": [f"p{i}" for i in range(2000)], "need": np.where(need, "yes", "no"), "visits": rng.poisson(np.where(need, 6, 1))}
    )
    members = pd.DataFrame({"person_id": table["person_id"], "segment": rng.choice(["A", "B"], 2000)})
    attributes = read_attributes(table, None).attributes
    aged = table.assign(age=rng.integers(18, 90, 2000), disability_score=rng.normal(size=2000))
    groups = expected_use(aged, members, attributes, outcome="visits").expected
    assert {"18-24", "75+"} <= set(groups.loc[groups["by"] == "age", "level"])
    assert groups.loc[groups["by"] == "disability_score", "level"].str.match(r"-?[\d.]+ to -?[\d.]+").all()
    told = expected_use(table, members, attributes, outcome="visits").scores.set_index("model")
    assert told.loc["LightGBM", "better"] == pytest.approx(told.loc["Poisson regression", "better"], abs=0.02)
    assert told.loc["LightGBM", "low"] > 0.3
    assert expected_use(table, members, attributes).scores.empty
    with pytest.raises(DataError, match=r"'visit' is not a column.*Did you mean 'visits'"):
        expected_use(table, members, attributes, outcome="visit")
    with pytest.raises(DataError, match="'need' does not count how much each person used"):
        expected_use(table, members, attributes, outcome="need")


def test_the_equality_table_bands_ages_and_names_what_is_not_recorded() -> None:
    rng = np.random.default_rng(6)
    old = rng.random(400) < 0.5
    table = pd.DataFrame(
        {"person_id": [f"p{i}" for i in range(400)], "age": np.where(old, rng.integers(66, 90, 400), rng.integers(18, 40, 400)),
         "sex": rng.choice(["female", "male"], 400), "need": "yes"}
    )  # fmt: skip
    told, absent = equality(table, pd.DataFrame({"person_id": table["person_id"], "segment": np.where(old, "B", "A")}))
    assert set(told["characteristic"]) == {"age", "sex"}
    row = told.set_index(["column", "segment", "level"])
    assert row.loc[("age", "B", "75+"), "differs"]
    assert row.loc[("age", "A", "75+"), "people"] == 0
    assert not row.loc[("sex", "A", "female"), "differs"]
    assert {"disability", "race", "religion or belief"} <= set(absent)
    assert not {"age", "sex"} & set(absent)


def test_pounds_by_a_key_add_up_to_the_pence() -> None:
    draws, history = forecast()
    demand, _ = apply(draws, [], seed=1)
    cost = price(demand, weekly_prices(), seed=1, history=history)
    told = cost_by(cost, "area")
    whole = cost.years.sum("series").mean("draw").sel(scenario="baseline")
    for year, rows in told.groupby("financial_year"):
        assert rows["expected_pence"].sum() == pytest.approx(float(whole.sel(financial_year=year)) * 100, abs=1)
        assert rows["share"].sum() == pytest.approx(1.0)
        assert (rows["p10_pence"] < rows["expected_pence"]).all()
    with pytest.raises(BudgetError, match="not told apart by 'segmnt'"):
        cost_by(cost, "segmnt")


def test_no_table_of_expected_use_tells_of_fewer_than_ten_people_and_dates_of_birth_are_no_groups() -> None:
    table, members = people(beyond=True)
    who = table["person_id"].str[1:].astype(int)
    born = (pd.Timestamp("1930-01-01") + pd.to_timedelta(who * 17, unit="D")).dt.strftime("%Y-%m-%d")
    table = table.assign(date_of_birth=born, religion=np.where(who < 4, "rare", "usual"), nationality=[f"word {i}" for i in who])
    told = expected_use(table, members, read_attributes(table[["need", "letter"]], None).attributes, as_of=DAY)
    # Of two religions one has four people: the other, told, would tell of them too.
    assert set(told.calibration["by"]) == {"tenth of the expected", "segment", "area", "sex"}
    assert "religion" not in set(told.expected["by"])
    for one in (told.calibration, told.expected):
        assert one["people"].min() >= 10
    assert not set(told.expected["by"]) & {"date_of_birth", "nationality"}


def test_where_no_segment_was_found_use_is_modelled_from_all_attributes_and_it_is_said() -> None:
    table, members = people(beyond=True)
    everybody = members.assign(segment="all")
    dated = expected_use(table[["person_id", "opened", "closed", "need", "letter", "sex"]], everybody, (), as_of=DAY)
    assert {"need", "letter"} <= set(dated.drivers["feature"])
    assert "sex" not in set(dated.drivers["feature"])
    assert any("No segment brings attributes along" in note for note in dated.notes)
    rng = np.random.default_rng(1)
    need = rng.random(600) < 0.5
    ids = [f"p{i}" for i in range(600)]
    rows = pd.DataFrame({"person_id": ids, "need": np.where(need, "yes", "no"), "visits": rng.poisson(np.where(need, 4, 1))})
    counted = expected_use(rows, pd.DataFrame({"person_id": ids, "segment": "all"}), (), outcome="visits")
    assert counted.scores.set_index("model").loc["LightGBM", "better"] > 0.2
    bare = expected_use(rows[["person_id", "visits"]], pd.DataFrame({"person_id": ids, "segment": "all"}), (), outcome="visits")
    assert bare.scores.empty
    assert "no attribute is left that could tell" in bare.notes[0]


@pytest.mark.parametrize("n", [15_000, 40_000])
def test_how_much_better_a_model_is_has_an_interval_for_any_number_of_people(n: int) -> None:
    rng = np.random.default_rng(2)
    rate = rng.gamma(2, 0.5, n)
    use = rng.poisson(rate).astype(float)
    same = {name: np.ones(n) for name in MODELS}
    good = _judged({**same, "LightGBM": rate}, use, 1).set_index("model").loc["LightGBM"]
    part, base = deviance(use, rate), deviance(use, np.ones(n))
    # By the delta method: the ratio of two means over the same people.
    error = (part - base * part.sum() / base.sum()).std() / np.sqrt(n) / base.mean()
    assert good["low"] < good["better"] < good["high"]
    assert (good["high"] - good["low"]) / 2 == pytest.approx(1.96 * error, rel=0.15)


def test_no_small_group_is_a_total_less_what_is_shown() -> None:
    rng = np.random.default_rng(3)
    segment = np.repeat(np.array(["A", "B", "unclear"], dtype=object), [300, 100, 4])
    faith = np.where(np.arange(404) % 100 < 3, "rare", rng.choice(["one", "two", "three"], 404)).astype(object)
    faith[300:309] = "other"
    use = rng.random(404)
    told = expected_by(use, {"segment": segment, "religion": faith})
    whole = told[told["by"] == "segment"].set_index("segment")["people"]
    assert whole.to_dict() == {"A": 300, "B": 100}
    parts = told[told["by"] == "religion"]
    assert parts["people"].min() >= 10
    assert parts.groupby("segment")["people"].sum().to_dict() == whole.to_dict()  # nothing is left to be found by taking away
    assert np.allclose(parts.groupby("segment")["expected"].sum(), told[told["by"] == "segment"].set_index("segment")["expected"])
    assert "(others)" in set(parts["level"])
    held = calibrated(use, use, {"segment": segment, "religion": faith})
    religion = held[held["by"] == "religion"]
    assert (religion["people"] % 5 == 0).all()
    assert abs(religion["people"].sum() - 404) <= 10
    assert set(joined(np.array(["x"] * 7 + ["y"] * 2))) == {"(others)"}
