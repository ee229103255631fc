"""A config drafted by looking at a file works at the first try."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from demand.data.example import example_council
from demand.data.extracts import read_people
from demand.errors import DataError, SettingsError
from pipelines.config import load_config
from pipelines.console import draft
from pipelines.inputs import Inputs
from pipelines.job import Job
from pipelines.new import draft_config
from pipelines.store import Store


def drafted(folder: Path, table: pd.DataFrame) -> Inputs:
    table.to_csv(folder / "counts.csv", index=False)
    (folder / "mine.yaml").write_text(draft_config("mine", folder / "counts.csv"), encoding="utf-8")
    config, place = load_config(folder / "mine.yaml")
    return Inputs(config, place)


@pytest.mark.parametrize(
    ("dates", "code"),
    [
        (pd.date_range("2021-01-01", periods=24, freq="MS").strftime("%d/%m/%Y"), "M"),
        (pd.date_range("2019-03-31", periods=20, freq="QE").strftime("%Y-%m-%d"), "Q"),
        (pd.date_range("2010-03-31", periods=14, freq="YE-MAR").strftime("%Y-%m-%d"), "Y"),
        (pd.date_range("2024-01-01", periods=30, freq="W-MON").strftime("%Y-%m-%d"), "W-MON"),
        (pd.date_range("2024-01-01", periods=60, freq="D").strftime("%Y-%m-%d"), "D"),
    ],
)
def test_dates_counts_and_keys_are_found(tmp_path: Path, dates: pd.Index, code: str) -> None:
    rows = [
        pd.DataFrame({"month": dates, "area": area, "households": range(5, 5 + len(dates)), "rate": 0.5}) for area in ("North", "South")
    ]
    history = drafted(tmp_path, pd.concat(rows)).history
    assert history is not None
    assert history.frequency.code == code
    assert history.ids == ["North", "South"]
    assert history.wide["North"].tolist() == list(range(5, 5 + len(dates)))


def test_a_column_that_says_flow_or_stock_is_believed(tmp_path: Path) -> None:
    rows = [
        pd.DataFrame({"unique_id": f"{k}", "ds": pd.date_range("2021-01-01", periods=24, freq="MS"), "y": 7, "kind": k})
        for k in ("flow_in_month", "stock_at_end")
    ]
    history = drafted(tmp_path, pd.concat(rows)).history
    assert history is not None
    assert history.series["kind"].tolist() == ["flow", "stock"]


@pytest.mark.parametrize(
    ("file", "kind", "unit"),
    [
        ("temporary_accommodation.csv", "stock", "people"),
        ("children_looked_after.csv", "stock", "children"),
        ("emergency_attendances.csv", "flow", "attendances"),
        ("main_care_referrals.csv", "flow", "referrals"),
        ("children_becoming_looked_after.csv", "flow", "children"),
        ("entries_to_temporary_accommodation.csv", "flow", "people"),
        ("children_starting_in_care_stock_at_end.csv", "stock", "children"),
    ],
)
def test_names_say_what_is_counted_and_whether_it_stays(tmp_path: Path, file: str, kind: str, unit: str) -> None:
    pd.DataFrame({"ds": pd.date_range("2021-01-01", periods=24, freq="MS"), "y": 7}).to_csv(tmp_path / file, index=False)
    told = draft_config("mine", tmp_path / file)
    assert f"kind: {kind}, unit: {unit}" in told
    assert f"# a {kind} (" in told


def test_a_file_without_dates_is_refused(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}).to_csv(tmp_path / "counts.csv", index=False)
    with pytest.raises(DataError, match=r"no column holds dates.*comparators"):
        draft_config("mine", tmp_path / "counts.csv")


def test_a_table_without_dates_describes_places_or_people(tmp_path: Path) -> None:
    table = pd.DataFrame({"la_code": [f"W06{i:06}" for i in range(60)], "share": [i / 60 for i in range(60)], "homes": range(60)})
    table.to_csv(tmp_path / "places.csv", index=False)
    places = yaml.safe_load(draft_config("mine", tmp_path / "places.csv"))
    assert (places["data"]["places"]["id"], places["segments"]) == ("la_code", {"count": "auto"})
    kinds = {"health": ["good", "poor"] * 30, "age": [20 + i % 40 for i in range(60)], "employed": ["yes", "no", "no"] * 20}
    pd.DataFrame(kinds).to_csv(tmp_path / "people.csv", index=False)
    (tmp_path / "mine.yaml").write_text(draft_config("mine", tmp_path / "people.csv"), encoding="utf-8")
    config, place = load_config(tmp_path / "mine.yaml")
    people, _ = read_people(config.data.people, place, key=b"0123456789abcdef0123")
    assert config.data.people.id == "row"
    assert people["person_id"].nunique() == 60
    assert people["age"].tolist() == kinds["age"]
    again, _ = read_people(config.data.people, place, key=b"0123456789abcdef0123")
    assert again["person_id"].equals(people["person_id"])
    pd.DataFrame(kinds).assign(age=30).to_csv(tmp_path / "people.csv", index=False)
    later, _ = read_people(config.data.people, place, key=b"0123456789abcdef0123")
    assert not set(later["person_id"]) & set(people["person_id"])


def test_a_table_without_dates_proposes_no_names_and_not_every_column(tmp_path: Path) -> None:
    who = {"Resident": [f"Jane Smith{i % 30}" for i in range(60)], "GP": ["Dr Bebb", "Castle"] * 30, "Landlord": ["J Snape", "Pobl"] * 30}
    kinds = {f"kind {i}": ["a", "b", "c"] * 20 for i in range(12)}
    pd.DataFrame({**who, "Carer": ["yes", "no"] * 30, **kinds}).to_csv(tmp_path / "people.csv", index=False)
    proposed = yaml.safe_load(draft_config("mine", tmp_path / "people.csv"))["data"]["people"]["attributes"]
    assert proposed == ["Carer", *list(kinds)[:9]]


def test_the_sheet_that_holds_the_table_is_found_behind_the_one_that_tells_of_it(tmp_path: Path) -> None:
    months = pd.date_range("2021-01-01", periods=24, freq="MS")
    with pd.ExcelWriter(tmp_path / "book.xlsx") as book:
        pd.DataFrame({"Read me": ["This workbook holds one table"]}).to_excel(book, sheet_name="Read me", index=False)
        pd.DataFrame({"month": months, "children": range(24)}).to_excel(book, sheet_name="Table 1", index=False)
    (tmp_path / "mine.yaml").write_text(draft_config("mine", tmp_path / "book.xlsx"), encoding="utf-8")
    config, place = load_config(tmp_path / "mine.yaml")
    assert Inputs(config, place).history.wide.sum().tolist() == [276]


def test_a_sheet_an_area_is_a_key_and_columns_in_welsh_are_known(tmp_path: Path) -> None:
    months = pd.date_range("2021-01-01", periods=24, freq="MS")
    with pd.ExcelWriter(tmp_path / "book.xlsx") as book:
        for area in ("Harbour", "Valley"):
            pd.DataFrame({"Month": months, "Households": range(24)}).to_excel(book, sheet_name=area, index=False)
    (tmp_path / "mine.yaml").write_text(draft_config("mine", tmp_path / "book.xlsx"), encoding="utf-8")
    config, place = load_config(tmp_path / "mine.yaml")
    assert Inputs(config, place).history.ids == ["Harbour", "Valley"]
    began = pd.date_range("2021-01-01", periods=80, freq="9D")
    cases = {"Cyfeirnod": [f"A{i:03}" for i in range(80)], "Dyddiad dechrau": began, "Dyddiad gorffen": began + pd.Timedelta(days=30)}
    pd.DataFrame(cases | {"Ardal": ["De", "Gogledd"] * 40, "Math": ["Hostel", "Llety"] * 40}).to_csv(tmp_path / "achosion.csv", index=False)
    people = yaml.safe_load(draft_config("mine", tmp_path / "achosion.csv"))["data"]["people"]
    assert (people["id"], people["opened"], people["closed"]) == ("Cyfeirnod", "Dyddiad dechrau", "Dyddiad gorffen")
    assert people["keys"] == ["Math", "Ardal"]


def test_what_looks_like_a_total_is_not_added_to_its_parts_and_columns_left_out_are_named(tmp_path: Path) -> None:
    months = pd.date_range("2021-01-01", periods=24, freq="MS")
    rows = {"a": range(5, 29), "b": range(9, 33), "total": range(14, 62, 2)}
    table = pd.concat([pd.DataFrame({"type": name, "month": months, "households": y, "rate": 0.5}) for name, y in rows.items()])
    table.to_csv(tmp_path / "counts.csv", index=False)
    told = draft_config("mine", tmp_path / "counts.csv")
    assert yaml.safe_load(told)["data"]["hierarchy"] == "none"
    assert "are called a total: 1. `demand check` names them" in told
    assert "'total'" not in told
    assert "# Not read: 'rate'." in told
    table[table["type"] != "total"].to_csv(tmp_path / "counts.csv", index=False)
    assert yaml.safe_load(draft_config("mine", tmp_path / "counts.csv"))["data"]["hierarchy"] == "auto"


def test_words_of_the_file_add_no_keys_to_the_draft(tmp_path: Path) -> None:
    months = pd.date_range("2021-01-01", periods=24, freq="MS")
    more = {'area "A"\nseed: 7': "North", "rate\nseed: 9\nsecret: yes": 0.5, "note\x07\u2028seed: 8": "Jane"}
    inputs = drafted(tmp_path, pd.DataFrame({"month": months, "y": range(24), **more}))
    assert inputs.config.seed == 1
    assert inputs.history is not None
    assert inputs.history.wide.sum().tolist() == [276]
    told = (tmp_path / "mine.yaml").read_text(encoding="utf-8")
    assert "'rate seed: 9 secret: yes'" in told
    assert "'note seed: 8'" in told


def test_a_draft_is_tried_at_once_and_editors_find_its_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    months = pd.date_range("2021-01-01", periods=24, freq="MS").strftime("%m/%Y")
    pivot = pd.DataFrame([["North", *range(24)], ["Hostel", *range(24)], ["South", *range(24)], ["Hostel", *range(24)]])
    pivot.columns = ["Row Labels", *months]
    pivot.to_csv("pivot.csv", index=False)
    assert draft("mine", "pivot.csv") == 2
    assert "Repeat All Item Labels" in capsys.readouterr().err
    assert Path("mine.yaml").read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=demand.schema.json\n")
    assert "properties" in json.loads(Path("demand.schema.json").read_text(encoding="utf-8"))
    assert draft("again", ".") == 2
    assert "'.' is a folder" in capsys.readouterr().err


def test_a_config_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there already"):
        draft_config("mine", tmp_path / "counts.csv", exists=True)


MESSY = ["homelessness_cases.csv", "ta_placements.xlsx", "children_placements.csv", "adult_packages.csv", "ta_return.xlsx"]
REFERENCES = {
    "homelessness_cases.csv": ("case_ref", "applicant_id", "closed_date"),
    "ta_placements.xlsx": ("placement_id", "household_ref", "end_date"),
    "children_placements.csv": ("episode ref", "child id", "placement end"),  # names in two rows
    "adult_packages.csv": ("line_id", "person_id", "line_end"),
}


@pytest.fixture(scope="module")
def messy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("messy")
    example_council(51, "tiny", files=True, mess=True, folder=folder)
    return folder


@pytest.mark.parametrize("name", MESSY)
def test_extracts_as_they_arrive_give_configs_that_run(messy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / "key").write_text("0123456789abcdef0123", encoding="utf-8")
    monkeypatch.setenv("DEMAND_KEY_FILE", str(tmp_path / "key"))
    (tmp_path / "mine.yaml").write_text(draft_config("mine", messy / name), encoding="utf-8")
    quick = ["forecast.horizon=3", "forecast.draws=40", 'forecast.models=["seasonal_naive"]', "forecast.backtest.windows=2"]
    config, place = load_config(tmp_path / "mine.yaml", changes=quick)
    job = Job(config, Inputs(config, place), Store(tmp_path / "out"))
    job.do("forecast" if name == "ta_placements.xlsx" else "check")
    history = job.inputs.history
    assert history is not None
    assert history.last == pd.Timestamp("2026-03-01")
    if name in REFERENCES:
        spec = config.data.people
        assert spec is not None
        assert (spec.id, spec.person, spec.closed) == REFERENCES[name]
        assert len(spec.keys) == 2


def test_names_of_people_and_references_like_days_are_known_for_what_they_are(tmp_path: Path) -> None:
    days = pd.date_range("2020-01-06", periods=300, freq="5D")
    ended = (days + pd.Timedelta(days=40)).strftime("%Y%m%d")
    table = {"Person ID": range(45000, 45300), "Forename": ["Megan", "Rhys", "Carys"] * 100, "EPISODE_NO": range(300)}
    dated = {"DECOM": days.strftime("%d-%b-%y"), "DEC": ["99991231" if i % 7 == 0 else d for i, d in enumerate(ended)]}
    pd.DataFrame(table | dated | {"PLACE": ["U1", "K2"] * 150}).to_csv(tmp_path / "p.csv", index=False)
    people = yaml.safe_load(draft_config("mine", tmp_path / "p.csv"))["data"]["people"]
    assert (people["id"], people["person"], people["opened"], people["closed"]) == ("EPISODE_NO", "Person ID", "DECOM", "DEC")
    assert people["attributes"] == ["PLACE"]
    assert "quality" not in people


def test_a_draft_names_no_column_that_names_people(messy: Path, tmp_path: Path) -> None:
    table = pd.read_csv(
        messy / "adult_packages.csv", skiprows=2, encoding="cp1252", dtype=str, keep_default_na=False, usecols=range(12)
    ).iloc[:300]
    table = table.assign(
        contact="07700 900" + table.index.astype(str).str.zfill(3), home=[f"CF{i % 90 + 10} 3NQ" for i in range(len(table))]
    )
    table.assign(line_start="01/02/2024", line_end="").to_csv(tmp_path / "p.csv", index=False)
    text = draft_config("mine", tmp_path / "p.csv")
    assert "contact" not in text
    assert "home" not in text


@pytest.mark.parametrize("name", ["con", "LPT1", "my name", "../mine", "a/b", "ŵ", ""])
def test_a_name_that_no_file_can_have_everywhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="cannot be the name of a config"):
        draft_config(name, tmp_path / "counts.csv")
