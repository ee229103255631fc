"""The council beside others of its kind: limits that account for size, and that are passed as often as they say."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

from demand.calendar import Frequency
from demand.comparators import COLUMNS, beside_others, comparator_sentence
from demand.data.areas import ComparatorsSpec, read_areas, read_others
from demand.errors import DataError
from demand.people import Beside, People
from demand.report.comparators_section import comparators_section
from demand.report.inputs import ReportInput
from demand.report.workbook import workbook
from demand.tables import History
from pipelines.__main__ import app


def areas(rng: np.random.Generator, *, rate: float = 0.004, spread: float = 0.0, n: int = 60) -> pd.DataFrame:
    people = rng.integers(3_000, 300_000, n)
    count = rng.poisson(people * rate * np.exp(rng.normal(0, spread, n)))
    return pd.DataFrame({"area": [f"a{i:02d}" for i in range(n)], "count": count + 0.0, "population": people + 0.0})


def test_where_only_chance_is_at_work_limits_are_passed_as_often_as_they_say() -> None:
    rng = np.random.default_rng(3)
    told = pd.concat([beside_others(areas(rng), ours="a00") for _ in range(60)])
    assert (told["place"] != "as others").mean() == pytest.approx(0.05, abs=0.012)
    assert told["place"].isin(["very high", "very low"]).mean() < 0.008
    small = told[told["population"] < 10_000]
    assert ((small["high95"] - small["low95"]) > 3).all()  # one small area differs from another by chance, and much
    assert (small["place"] != "as others").mean() < 0.12


def test_where_the_others_differ_of_themselves_the_limits_are_wider_for_large_and_small_alike() -> None:
    rng = np.random.default_rng(4)
    even, uneven = beside_others(areas(rng), ours="a00"), beside_others(areas(rng, spread=0.3), ours="a00")
    assert even["spread"].iloc[0] < 1.6
    assert uneven["spread"].iloc[0] > 4
    assert "times as much as by chance" in comparator_sentence(uneven, what="people")
    told = pd.concat([beside_others(areas(rng, spread=0.3), ours="a00") for _ in range(40)])
    outside, large = told["place"] != "as others", told["population"] > 200_000
    # Limits that are multiplied instead leave out 12 in 100 here: 20 of the large ones, 8 of the others.
    assert outside.mean() == pytest.approx(0.05, abs=0.025)
    assert outside[large].mean() == pytest.approx(outside[~large].mean(), abs=0.03)


def test_by_hand() -> None:
    table = pd.DataFrame(
        {"area": list("abcdefg"), "count": [10.0, 20, 30, 40, 50, 60, 400], "population": [1e4, 2e4, 3e4, 4e4, 5e4, 6e4, 1e5]}
    )
    told = beside_others(table, ours="g")
    assert [*told.columns] == COLUMNS
    mine = told[told["ours"]].iloc[0]
    assert (mine["rate"], mine["others_rate"], mine["spread"], mine["place"]) == (40.0, 10.0, 1.0, "very high")
    assert mine["high95"] == pytest.approx((np.sqrt(100) + 1.959964 / 2) ** 2 / 10)
    assert comparator_sentence(told, what="households").startswith(
        "g has 40.0 households per 10,000 people, the others together 10.0: 1 of 7"
    )
    with pytest.raises(DataError, match="'gg' is not in the table"):
        beside_others(table, ours="gg")
    with pytest.raises(DataError, match="3 other areas are too few"):
        beside_others(table.tail(4), ours="g")


TABLE = 'area,year,families,people\nNorth,2024-25,5,"10,000"\nNorth,2025-26,12,10000\nSouth,2025-26,*,9000\nEast,2025-26,30,20000\n'


def test_a_published_table_is_read_for_one_year_and_hidden_counts_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "areas.csv").write_text(TABLE, encoding="utf-8")
    settings = {"path": "areas.csv", "count": "families", "population": "people", "ours": "North", "suppressed": {"*": (1, 4)}}
    table, findings = read_areas(ComparatorsSpec.model_validate({**settings, "where": {"year": "2025-26"}}), tmp_path)
    assert table["area"].tolist() == ["North", "South", "East"]
    assert table["count"].isna().tolist() == [False, True, False]
    assert any("hidden or not known" in f.message for f in findings)
    with pytest.raises(DataError, match="'North' are there more than once"):
        read_areas(ComparatorsSpec.model_validate(settings), tmp_path)
    with pytest.raises(DataError, match="no row is of our kind"):
        read_areas(ComparatorsSpec.model_validate({**settings, "where": {"year": "1999"}}), tmp_path)


def test_the_page_and_the_workbook_show_ours_first_and_every_area() -> None:
    table = beside_others(areas(np.random.default_rng(6)), ours="a07")
    inputs = ReportInput(title="Care", comparators=table)
    section = comparators_section(inputs)
    assert section is not None
    assert section.parts[0].rows[0][0] == "a07 (ours)"
    assert "20 more rows are in the workbook" in section.parts[0].note
    sheet = openpyxl.load_workbook(io.BytesIO(workbook(inputs)))["Beside other areas"]
    assert {f"a{i:02d}" for i in range(60)} - {"a07"} < {c.value for c in sheet["A"]}
    assert comparators_section(ReportInput(title="Care")) is None


def quarters(seed: int = 1) -> pd.DataFrame:
    """Households at the end of each quarter in thirty areas that all fall by 4 % a quarter."""
    rng, ends = np.random.default_rng(seed), pd.date_range("2019-06-30", periods=24, freq="QE")
    rows = []
    for k in range(30):
        t = np.arange(24)
        y = rng.poisson(np.exp(rng.uniform(5, 6)) * np.exp(-0.04 * t))
        rows.append(pd.DataFrame({"area": f"a{k:02d}", "day": ends, "count": y, "population": 50_000}))
    return pd.concat(rows, ignore_index=True)


def test_rates_are_of_the_last_period_in_which_ours_was_counted_and_others_are_read_as_series(tmp_path: Path) -> None:
    table = quarters()
    table[(table["area"] != "a00") | (table["day"] < "2025-01-01")].to_csv(tmp_path / "areas.csv", index=False)
    spec = ComparatorsSpec(path="areas.csv", ours="a00", date="day")
    found = read_areas(spec, tmp_path)[0]
    assert len(found) == 30
    last = table[table["day"] == "2024-12-31"].set_index("area")["count"]
    assert (found.set_index("area")["count"] == last).all()
    others = read_others(spec, tmp_path, frequency=Frequency("Q", 3))
    assert len(others.ids) == 29
    assert "a00" not in others.ids
    assert (others.series["kind"] == "stock").all()
    assert others.last == pd.Timestamp("2025-01-01")


def test_trees_learn_from_other_areas_up_to_the_day_of_the_forecast_and_speak_of_ours_alone(tmp_path: Path) -> None:
    table = quarters()
    table.to_csv(tmp_path / "areas.csv", index=False)
    others = read_others(ComparatorsSpec(path="areas.csv", ours="a00", date="day"), tmp_path, frequency=Frequency("Q", 3))
    mine = table[table["area"] == "a00"].assign(unique_id="hostel", y=lambda t: t["count"])
    mine["ds"] = Frequency("Q", 3).start_of(pd.DatetimeIndex(mine["day"]))
    ours = History.of(mine.iloc[6:16][["unique_id", "ds", "y"]].assign(type="hostel"), Frequency("Q", 3), keys=["type"], kind="stock")
    alone, pooled = (People(beside=Beside(others=o)).build("lightgbm").predict(ours, 4, seed=1) for o in (None, others))
    truth = mine.iloc[16:20]["y"].to_numpy()
    assert pooled.means["unique_id"].tolist() == ["hostel"] * 4
    assert np.abs(pooled.means["mean"] - truth).sum() < np.abs(alone.means["mean"] - truth).sum()
    assert [n.text for n in pooled.notes if "other areas" in n.text] == ["learnt from 29 series of other areas too"]
    early = History(others.table[others.table["ds"] <= ours.wide.index[-3]], others.series, others.frequency)
    late = [Beside.of(None, o, ours.until(ours.wide.index[-1])) for o in (early, others)]
    assert [b.behind for b in late] == [2, 0]
    known = ours.wide.index[-4]  # at an earlier cutoff what was published two periods later was not known, though it is now
    hidden = others.table.assign(y=others.table["y"].where(others.table["ds"] <= known, 9999.0))
    at = ours.until(ours.wide.index[-2])
    then = [
        People(beside=Beside(others=History(t, others.series, others.frequency), behind=2)).build("lightgbm").predict(at, 4, seed=1)
        for t in (others.table, hidden)
    ]
    pd.testing.assert_frame_equal(then[0].means, then[1].means)
    later = others.table.assign(y=others.table["y"].where(others.table["ds"] <= ours.last, 9999.0))
    told = People(beside=Beside(others=History(later, others.series, others.frequency))).build("lightgbm").predict(ours, 4, seed=1)
    pd.testing.assert_frame_equal(told.means, pooled.means)
    drivers = pd.DataFrame({"ds": Frequency("Q", 3).periods(mine["ds"].min(), 24), "name": "rent", "value": np.arange(24) + 100.0})
    kept = People(beside=Beside(others=others)).build("lightgbm").predict(ours, 4, seed=1, drivers=drivers)
    assert any("the drivers are of ours" in n.text for n in kept.notes)
    plain, same = (People(beside=Beside(others=o)).build("theta").predict(ours, 4, seed=1).means for o in (None, others))
    assert plain.equals(same)


CONFIG = """name: hostels
data:
  history: {path: ours.csv, series: area, date: day, value: count, frequency: Q, year_end: 03-31, kind: stock, unit: households}
  comparators: {path: areas.csv, ours: a00, date: day, what: households in hostels}
forecast: {horizon: 4, models: [theta, lightgbm], draws: 50, backtest: {windows: 4}}
tracking: {uri: none}
"""


def test_a_run_pools_with_the_table_of_its_comparators(tmp_path: Path) -> None:
    table = quarters()
    table.to_csv(tmp_path / "areas.csv", index=False)
    table[table["area"] == "a00"].to_csv(tmp_path / "ours.csv", index=False)
    (tmp_path / "hostels.yaml").write_text(CONFIG, encoding="utf-8")
    said = CliRunner().invoke(app, ["run", str(tmp_path / "hostels.yaml"), "--output", str(tmp_path / "out"), "--jobs", "1", "--quiet"])
    assert said.exit_code == 0, said.output
    notes = pd.read_parquet(tmp_path / "out" / "notes.parquet")
    assert "learnt from 29 series of other areas too" in set(notes["note"])
    assert set(pd.read_parquet(tmp_path / "out" / "forecast.parquet")["unique_id"]) == {"a00"}
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "a00 (ours)" in page
