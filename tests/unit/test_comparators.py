"""The council beside others of its kind: limits that account for size, and that are passed as often as they say."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from demand.comparators import COLUMNS, beside_others, comparator_sentence
from demand.data.areas import ComparatorsSpec, read_areas
from demand.errors import DataError
from demand.report.comparators_section import comparators_section
from demand.report.inputs import ReportInput
from demand.report.workbook import workbook


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


def test_where_the_others_differ_of_themselves_the_limits_are_wider() -> None:
    rng = np.random.default_rng(4)
    even, uneven = beside_others(areas(rng), ours="a00"), beside_others(areas(rng, spread=0.3), ours="a00")
    assert even["spread"].iloc[0] < 1.6
    assert uneven["spread"].iloc[0] > 4
    # The spread is judged on the middle of the others, so a few more than one in twenty lie outside.
    assert (uneven["place"] != "as others").mean() < 0.25
    assert "times as much as by chance" in comparator_sentence(uneven, what="people")


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
