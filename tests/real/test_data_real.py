"""The configs for public statistics, read against the files themselves."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter
from ruamel.yaml import YAML

from demand.calendar import Frequency
from demand.data.quality import judge
from demand.data.read import HistorySpec, PlacesSpec, read_history, read_places
from demand.errors import DataError
from demand.hierarchy import HierarchySpec, declared

CONFIGS = Path(__file__).parents[2] / "configs"
NAMES = ["england_homelessness", "children_in_care", "emergency_wales"]


def history_of(name, folder):
    config = YAML(typ="safe", pure=True).load((CONFIGS / f"{name}.yaml").read_text(encoding="utf-8"))
    return read_history(HistorySpec.model_validate(config["data"]["history"]), folder), config["data"]


def test_england_has_both_regimes_and_parts_that_add_up(real_data):
    (history, findings), data = history_of("england_homelessness", real_data)
    assert history.frequency == Frequency("Q", 3)
    assert history.last == pd.Timestamp("2025-10-01")
    assert history.series["kind"].value_counts().to_dict() == {"flow": 8, "stock": 7}
    wide = history.wide
    for total, parts in declared(history, TypeAdapter(HierarchySpec).validate_python(data["hierarchy"])).items():
        gap = wide[total] - wide[list(parts)].sum(axis=1)
        assert np.nanmax(np.abs(gap)) <= 20, total
        assert wide[total].first_valid_index() <= pd.Timestamp("2018-04-01")
    assert wide.loc["2018-01-01", "MAIN/accepted"] == 13320
    assert wide.loc["2018-04-01", "MAIN/accepted"] == 7400
    assert not [f for f in findings if f.severity == "warn"]


def test_totals_that_nobody_declared_are_found(real_data):
    (history, _), data = history_of("england_homelessness", real_data)
    found = {f.rule: f for f in judge(history)}
    assert found["undeclared_total"].count == 3
    totals = [t["total"] for t in data["hierarchy"]]
    assert "undeclared_total" not in {f.rule for f in judge(history, totals=totals)}


def test_areas_that_ended_are_named(real_data):
    (history, findings), _ = history_of("children_in_care", real_data)
    assert history.frequency == Frequency("Y", 3)
    assert len(history.ids) > 600
    ended = next(f for f in judge(history) if f.rule == "ended_series")
    assert ended.count == 15
    assert "CPP_at_31_March/E06000028" in ended.message  # Bournemouth, merged in 2019
    assert {f.rule for f in findings} == {"date_format", "gap"}
    assert history.series.loc["CLA_start/E06000001"].tolist() == ["CLA_start", "North East", "Hartlepool", "flow", "entries"]


def test_rows_that_somebody_filled_are_not_counts(real_data):
    (history, _), _ = history_of("emergency_wales", real_data)
    assert history.wide["Cardiff_and_Vale/other"].isna().sum() == 5
    assert history.wide.drop(columns="Cardiff_and_Vale/other").notna().all(axis=None)


@pytest.mark.parametrize("name", NAMES)
def test_without_the_file_its_table_publisher_and_layout_are_named(tmp_path, name):
    with pytest.raises(DataError) as caught:
        history_of(name, tmp_path)
    for said in ("--data-dir", "Open Government Licence", "one row a series and", "unique_id"):
        assert said in str(caught.value)


def test_authorities_are_places(real_data):
    places, _ = read_places(PlacesSpec(path="homelessness_la_profile_2024q2.csv", id="la_code"), real_data)
    assert len(places) == 296
    assert places["ta_per_1000hh"].dtype == float
    assert set(places["region_group"]) >= {"district"}
