"""Dates of birth become age bands and postcodes areas; neither the day nor the postcode is kept."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from demand.data.bands import PostcodeSpec
from demand.data.quality import ReadingError
from demand.data.read import PeopleSpec, read_people
from demand.errors import DataError

KEY = b"a published key for tests"
LINES = """ref,opened,closed,born,home,area
1,01/04/2024,,02/04/2006,CF10 3NQ,North
2,02/04/2024,,02/04/2006,cf103nq,North
3,01/04/2024,01/05/2024,29/02/1948,LL55 1AB,South
4,01/04/2024,,,,South
5,01/04/2024,,01/01/1900,nowhere,South
6,01/04/2024,,01/06/2024,SA1-5RT,South
"""
ABOUT = {"path": "p.csv", "id": "ref", "opened": "opened", "closed": "closed", "extracted": "2024-12-31"}


def read(folder: Path, **more: object) -> tuple[pd.DataFrame, dict[str, tuple]]:
    (folder / "p.csv").write_text(LINES, encoding="utf-8")
    people, findings = read_people(PeopleSpec(**(ABOUT | more)), folder, key=KEY)
    return people, {f.rule: f.rows for f in findings}


def test_ages_are_those_of_the_opening_day(tmp_path: Path) -> None:
    people, told = read(tmp_path, born="born", attributes=["age_band"])
    assert [b or "" for b in people["age_band"]] == ["16-17", "18-24", "75+", "", "", ""]
    assert told["implausible_value"] == (6, 7)
    assert "born" not in people


def test_a_postcode_gives_its_district_or_what_a_table_says(tmp_path: Path) -> None:
    people, told = read(tmp_path, postcode="home", keys=["postcode_area"])
    assert people["postcode_area"].tolist() == ["CF10", "CF10", "LL55", "(not given)", "(not given)", "SA1"]
    assert told["postcode_unknown"] == (6,)
    (tmp_path / "areas.csv").write_text("pcds,ward\nCF10 3NQ,Harbour\nLL551AB,Castle\n", encoding="utf-8")
    lookup = PostcodeSpec(path="areas.csv", postcode="pcds", area="ward")
    people, told = read(tmp_path, postcode="home", postcodes=lookup, attributes=["postcode_area"])
    assert [a or "" for a in people["postcode_area"]] == ["Harbour", "Harbour", "Castle", "", "", ""]
    assert told["postcode_unknown"] == (6, 7)
    (tmp_path / "areas.csv").write_text("pcds,ward\nCF10 3NQ,Harbour\nCF103NQ,Castle\n", encoding="utf-8")
    with pytest.raises(DataError, match="lies in two areas, rows 2, 3"):
        read(tmp_path, postcode="home", postcodes=lookup)


def test_a_refused_column_says_how_it_can_be_used(tmp_path: Path) -> None:
    with pytest.raises(ReadingError, match="'postcode_area' among keys"):
        read(tmp_path, attributes=["home"])
    with pytest.raises(ReadingError, match="'age_band' among the attributes"):
        read(tmp_path, attributes=["born"])
