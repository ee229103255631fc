"""Files as councils have them: titles, two rows of names, totals, remarks, a sheet a month, numbers with marks, hidden counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.data.layout import find_header
from demand.data.numbers import scale_of, to_numbers
from demand.data.read import DriversSpec, HistorySpec, PeopleSpec, PlacesSpec, read_drivers, read_history, read_people, read_places
from demand.errors import DataError

KEY = b"a published key for tests"
MESSY = """Homelessness: households in temporary accommodation,,,
"Run for: Housing, Castle office",,,

Month,Area,Type,Households
01/04/2024,Castle,hostel,12
01/05/2024,Castle,hostel,"1,213"

01/06/2024,Castle,hostel,14
,Total Castle,,1239
Month,Area,Type,Households
01/04/2024,Tŷ Ŵen,hostel,3
01/05/2024,Tŷ Ŵen,hostel,4
01/06/2024,Tŷ Ŵen,hostel,5
Grand total,,,1251
Run by a user on 03/06/2025 09:14,,,
"""


def spec(**more: object) -> HistorySpec:
    given = {
        "path": "h.csv",
        "date": "Month",
        "value": "Households",
        "keys": ["Area", "Type"],
        "frequency": "M",
        "kind": "stock",
        "unit": "households",
    }
    return HistorySpec(**{**given, **more})


def rules(findings: list) -> dict[str, tuple]:
    return {f.rule: f.rows for f in findings}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_table_is_found_and_what_was_left_out_is_listed(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "h.csv").write_bytes(MESSY.encode(encoding))
    history, findings = read_history(spec(), tmp_path)
    assert history.ids == ["Castle/hostel", "Tŷ Ŵen/hostel"]
    assert history.wide["Castle/hostel"].tolist() == [12, 1213, 14]
    told = rules(findings)
    assert told["title_rows"] == (1, 2, 3)
    assert told["blank_rows"] == (7,)
    assert told["total_rows"] == (9, 14)
    assert told["repeated_header"] == (10,)
    assert told["footer"] == (15,)


def test_excel_gives_what_csv_gives(tmp_path: Path) -> None:
    (tmp_path / "h.csv").write_text(MESSY, encoding="utf-8")
    cells = pd.read_csv(tmp_path / "h.csv", header=None, names=range(4), dtype=str, keep_default_na=False, skip_blank_lines=False)
    cells.to_excel(tmp_path / "h.xlsx", header=False, index=False)
    (one, first), (two, second) = read_history(spec(), tmp_path), read_history(spec(path="h.xlsx"), tmp_path)
    assert one.fingerprint == two.fingerprint
    assert rules(first) == rules(second)


def test_names_told_in_two_rows_are_joined(tmp_path: Path) -> None:
    (tmp_path / "h.csv").write_text(
        "Table 3,,,\nPeriod,Households,,Children\n,Number,Rate,Number\n2024-01-01,5,0.1,7\n2024-02-01,6,0.2,8\n"
    )
    history, findings = read_history(spec(date="Period", value="Children Number", keys=[]), tmp_path)
    assert history.table["y"].tolist() == [7, 8]
    assert rules(findings)["two_row_header"] == (2, 3)
    assert read_history(spec(date="Period", value="Households Rate", keys=[]), tmp_path)[0].table["y"].tolist() == [0.1, 0.2]


def test_a_sheet_a_month_is_read_whole_and_columns_that_drift_are_named(tmp_path: Path) -> None:
    with pd.ExcelWriter(tmp_path / "h.xlsx") as book:
        pd.DataFrame({"Note": ["read me"]}).to_excel(book, sheet_name="Cover", index=False)
        for month in ("April 2024", "May 2024"):
            table = pd.DataFrame({"Area": ["Castle", "Harbour", "Total"], "Type": ["hostel", "hostel", None], "Households": [3, 4, 7]})
            (table.assign(Extra=1) if month.startswith("May") else table).to_excel(book, sheet_name=month, index=False)
    with pytest.raises(DataError, match="rows April 2024!2, April 2024!3, May 2024!2"):
        read_history(spec(path="h.xlsx", date="sheet", gaps="leave", keys=["Type"]), tmp_path)
    history, findings = read_history(spec(path="h.xlsx", date="sheet", where={"Area": ["Castle", "Harbour"]}), tmp_path)
    assert history.wide["Harbour/hostel"].tolist() == [4, 4]
    assert history.wide.index.month.tolist() == [4, 5]
    told = {f.rule: f.message for f in findings}
    assert "'Cover'" in told["sheets_left_out"]
    assert "'Extra'" in told["column_drift"]


def test_a_column_written_otherwise_is_taken_and_named(tmp_path: Path) -> None:
    (tmp_path / "h.csv").write_text("MONTH,area,Type,Number of households\n2024-01-01,Castle,hostel,5\n")
    history, findings = read_history(spec(columns={"Households": ["Number of households"]}), tmp_path)
    assert history.ids == ["Castle/hostel"]
    assert [f.where for f in findings if f.rule == "renamed_column"] == ["h.csv > Month", "h.csv > Households", "h.csv > Area"]
    with pytest.raises(DataError, match="no column 'Households'"):
        read_history(spec(), tmp_path)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1,234", 1234), ("(1,234)", -1234), ("1234-", -1234), ("-£5", -5), ("£-5", -5), ("£1.2m", 1.2e6), ("£3k", 3000), ("1 234", 1234),
        ("12 CR", -12), ("1,234 [p]", 1234), ("17 [r]", 17), ("88*", 88), ("9¹", 9), (".5", 0.5), ("−3", -3), ("1e3", 1000),
    ],
)  # fmt: skip
def test_numbers_as_finance_writes_them(word: str, value: float) -> None:
    read = to_numbers(pd.Series([word, "1"]))
    assert read.values[0] == value
    assert not read.wrong.any()
    assert not read.hidden.any()


@pytest.mark.parametrize("word", ["tbc", "see tab", "12,34", "1_000", "--5", "(5", "5)", "1.2k", "12/13", "£", "(-5)", "-"])
def test_what_is_no_number_is_not_made_one(word: str) -> None:
    assert to_numbers(pd.Series([word, "1"])).wrong.tolist() == [True, False]


@pytest.mark.parametrize(
    ("words", "low", "high"),
    [
        (["<5", "7"], 0, 4), (["<5", "0"], 1, 4), (["fewer than 3", "7"], 0, 2), (["1 to 4", "7"], 1, 4), (["*", "7"], 1, 4),
        (["[c]", "7"], 1, 4), (["[low]", "7"], 0, 0.5), (["#", "7"], 1, 9),
    ],
)  # fmt: skip
def test_a_hidden_count_is_an_interval(words: list[str], low: float, high: float) -> None:
    read = to_numbers(pd.Series(words), suppressed={"#": (1, 9)})
    assert (read.low[0], read.high[0], read.values[0]) == (low, high, (low + high) / 2)
    assert read.hidden.tolist() == [True, False]
    assert read.low[1] == read.values[1] == read.high[1]


@pytest.mark.parametrize("word", ["[x]", "[z]", ".", "..", ":", "not collected"])
def test_marks_that_say_that_there_is_no_figure(word: str) -> None:
    read = to_numbers(pd.Series([word, "1"]))
    assert np.isnan(read.values[0])
    assert not read.wrong.any()
    assert not read.hidden.any()


def test_hidden_counts_reach_the_history_with_their_ends(tmp_path: Path) -> None:
    rows = "".join(
        f"2024-0{m},{area},hostel,{n}\n" for area, ns in (("A", "3 <5 2 *"), ("B", "90 88 * 91")) for m, n in enumerate(ns.split(), 1)
    )
    (tmp_path / "h.csv").write_text("Month,Area,Type,Households\n" + rows)
    with pytest.raises(DataError, match="'B/hostel 2024-03-01'"):
        read_history(spec(), tmp_path)
    history, findings = read_history(spec(gaps="leave"), tmp_path)
    table = history.table.set_index(["unique_id", "ds"]).loc["A/hostel"]
    assert table["y"].tolist() == [3, 2, 2, 2.5]
    assert table["y_low"].tolist() == [3, 0, 2, 1]
    assert table["y_high"].tolist() == [3, 4, 2, 4]
    told = rules(findings)
    assert told["suppressed"] == (3, 5)
    assert told["suppressed_unknown"] == (8,)


def test_pounds_in_thousands_are_pounds(tmp_path: Path) -> None:
    assert [scale_of(n) for n in ("Cost £000", "Spend £'000", "(thousands)", "cost", "£ per week")] == [1000, 1000, 1000, 1, 1]
    (tmp_path / "d.csv").write_text("ds,name,Spend £000\n2024-01-01,grant,1.5\n2024-02-01,grant,(2)\n", encoding="utf-8")
    drivers, _ = read_drivers(DriversSpec(path="d.csv", value="Spend £000"), tmp_path, frequency=Frequency("M"))
    assert drivers["value"].tolist() == [1500, -2000]


def test_people_below_a_title_with_open_days_of_all_kinds(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(
        "Placements,,,\nref,name,start,end\n007,x,01/04/2024,31/12/9999\n008,x,02/04/2024,01/01/1900\n009,x,03/04/2024,05/04/2024\n"
        "Total,,,3\nPrinted by someone on 1 May 2024,,,\n"
    )
    people, findings = read_people(PeopleSpec(path="p.csv", id="ref", opened="start", closed="end"), tmp_path, key=KEY)
    assert people["closed"].isna().tolist() == [True, True, False]
    told = rules(findings)
    assert told["total_rows"] == (6,)
    assert told["footer"] == (7,)
    assert told["far_future"] == (3,)
    assert told["far_past"] == (4,)


def test_days_of_the_year_9999_in_excel_are_open(tmp_path: Path) -> None:
    import datetime as dt

    rows = [("1", dt.datetime(2024, 4, 1), dt.datetime(9999, 12, 31)), ("2", dt.datetime(2024, 4, 2), dt.datetime(2024, 4, 9))]
    pd.DataFrame(rows, columns=["ref", "start", "end"], dtype=object).to_excel(tmp_path / "p.xlsx", index=False)
    people, _ = read_people(PeopleSpec(path="p.xlsx", id="ref", opened="start", closed="end"), tmp_path, key=KEY)
    assert people["closed"].isna().tolist() == [True, False]


def test_places_below_a_title(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Profile of wards\n\ncode,rate\nW05000001,1.5\nW05000002,2\nSource: StatsWales\n")
    places, findings = read_places(PlacesSpec(path="a.csv", id="code"), tmp_path)
    assert places["rate"].tolist() == [1.5, 2.0]
    assert rules(findings)["footer"] == (6,)


def test_spellings_are_merged_only_when_the_config_says_so(tmp_path: Path) -> None:
    (tmp_path / "h.csv").write_text("Month,Area,Type,Households\n2024-01-01,A,B&B,5\n2024-02-01,A,BB,6\n")
    codes = {"Type": {"bed_and_breakfast": ["B&B", "BB"]}}
    assert read_history(spec(), tmp_path)[0].ids == ["A/B&B", "A/BB"]
    history, findings = read_history(spec(codes=codes), tmp_path)
    assert history.ids == ["A/bed_and_breakfast"]
    assert rules(findings)["codes_merged"] == (2, 3)


def test_damaged_welsh_letters_are_told(tmp_path: Path) -> None:
    (tmp_path / "h.csv").write_text("Month,Area,Type,Households\n2024-01-01,TÅ· LlÅµyd,hostel,5\n", encoding="utf-8")
    assert rules(read_history(spec(), tmp_path)[1])["damaged_letters"] == (2,)


def test_columns_that_nobody_asked_for_are_not_kept(tmp_path: Path) -> None:
    from demand.data.files import FileSpec, open_table

    (tmp_path / "p.csv").write_text("surname,ref,notes\nJones,1,long\n")
    table = open_table(FileSpec(path="p.csv"), tmp_path, columns={"id": "ref"})
    assert list(table.data.columns) == ["ref"]
    assert table.names == ("surname", "ref", "notes")


def test_without_names_to_look_for_the_first_wide_row_of_words_is_taken() -> None:
    cells = [["Title", "", ""], ["", "", ""], ["month", "area", "n"], ["2024-01", "A", "5"], ["2024-02", "A", "6"]]
    assert (find_header(pd.DataFrame(cells), []).first, find_header(pd.DataFrame(cells), []).names) == (2, ["month", "area", "n"])
