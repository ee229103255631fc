"""One fault a file, and what is said about it: where, what, with the rows, and what to do."""

import pandas as pd
import pytest
from pydantic import ValidationError

from demand.calendar import Frequency
from demand.data.read import DriversSpec, HistorySpec, PeopleSpec, PlacesSpec, read_drivers, read_history, read_people, read_places
from demand.errors import DataError

KEY = b"a published key for tests"
HEAD = "unique_id,ds,y,area\n"
GOOD = "A,2024-01-01,1,North\nA,2024-02-01,2,North\n"


def spec(**more):
    return HistorySpec(**{"path": "h.csv", "series": "unique_id", "frequency": "M", "kind": "flow", "unit": "people", **more})


def message(folder, text, **more):
    (folder / "h.csv").write_text(text)
    with pytest.raises(DataError) as caught:
        read_history(spec(**more), folder)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "more", "said"),
    [
        (HEAD + "A,2024-01-01,few,North\nA,2024-02-01,-,North\n", {}, ["'-', 'few' instead of a number in rows 2, 3", "> y", "'missing'"]),
        (HEAD + GOOD + "A,2024-03-01,-4,North\n", {}, ["a negative count in row 4"]),
        (HEAD + GOOD + "A,2024-03-01,inf,North\n", {}, ["not finite in row 4"]),
        (HEAD + GOOD + "A,next week,3,North\n", {}, ["'next week' fits no format with the others, row 4", "year-month-day", "date_format"]),
        (HEAD + GOOD + "A,,3,North\n", {}, ["an empty cell in row 4", "h.csv > ds", "A date in every row"]),
        (HEAD + GOOD + "A,2024-02-01,3,North\n", {}, ["2 rows give a period", "rows 3, 4", "series 'A'"]),
        (HEAD + GOOD + ",2024-02-01,3,North\n", {}, ["no name of a series in row 4"]),
        (HEAD + GOOD + "A,2024-04-01,3,North\n", {}, ["1 periods inside 1 series", "'A 2024-03-01'", "gaps: leave"]),
        (HEAD + GOOD + "A,2024-03-01,3,South\n", {"keys": ["area"]}, ["'area' changes within 1 series: 'A'"]),
        (HEAD + GOOD, {"value": "count"}, ["there is no column 'count' (value)", "Known: 'unique_id', 'ds', 'y', 'area'"]),
        (HEAD + GOOD, {"keys": ["araea"]}, ["Did you mean 'area'?"]),
        (HEAD + GOOD, {"where": {"area": "Nort"}}, ["data > history > where > area: 'Nort' matches no row", "Did you mean 'North'?"]),
        (HEAD + GOOD + "B,2024-01-01,1,South\n", {"where": {"area": "South", "unique_id": "A"}}, ["no row of h.csv matches"]),
        (HEAD + GOOD, {"kind": {"column": "area"}}, ["'North' gives no kind, rows 2, 3", "'flow' or 'stock'"]),
        (HEAD + GOOD, {"split": ["group", "type"]}, ["no name of a series in rows 2, 3", "2 parts between slashes"]),
        (HEAD + GOOD, {"frequency": "W-FRI"}, ["2 dates are not where their period says", "rows 2, 3"]),
        (HEAD + GOOD, {"frequency": "Q"}, ["row 3", "in the first month of its quarter", "Jan, Apr, Jul, Oct"]),
        (HEAD + "A,01/01/2024,1,N\nA,02/01/2024,2,N\n", {}, ["2 rows give a period", "read as day/month/year", "date_format"]),
        (HEAD, {}, ["the file has no rows"]),
        ("", {}, ["'h.csv' cannot be read"]),
        (HEAD + GOOD + "A,2024-03-01,1,North,5,6\n", {}, ["more cells than names of columns in row 4", "a comma"]),
        (HEAD + "A,2024-01-01,,North\n", {}, ["there is not a single count"]),
        ("y,ds,y.1,unique_id\n", {"value": "z"}, ["there is no column 'z'"]),
    ],
)  # fmt: skip
def test_one_fault_one_message(tmp_path, text, more, said):
    told = message(tmp_path, text, **more)
    assert [s for s in said if s not in told] == [], told


def test_all_faults_of_a_file_are_told_at_once(tmp_path):
    told = message(tmp_path, HEAD + "A,2024-01-01,lots,N\nA,2024-02-01,-1,N\nA,soon,3,N\nA,2024-04-01,3,N\nA,2024-04-01,3,N\n")
    assert told.startswith("4 faults while reading h.csv:")
    for said in ("'lots'", "negative", "'soon'", "rows 5, 6"):
        assert said in told


def test_a_file_that_is_not_there_names_its_table_publisher_and_layout(tmp_path):
    (tmp_path / "history.csv").write_text(HEAD + GOOD)
    with pytest.raises(DataError) as caught:
        read_history(spec(path="histori.csv", source="Live table TA1, MHCLG", layout="one row a quarter"), tmp_path)
    for said in ("'histori.csv'", "Live table TA1, MHCLG", "one row a quarter", "--data-dir", "Did you mean 'history.csv'?"):
        assert said in str(caught.value)
    with pytest.raises(DataError, match="which does not exist"):
        read_history(spec(), tmp_path / "nowhere")


def test_files_of_another_type_or_damaged(tmp_path):
    for name, said in {"h.docx": "of a type that cannot be read", "h.xlsx": "cannot be read", "h.parquet": "cannot be read"}.items():
        (tmp_path / name).write_bytes(b"PK nothing of the kind")
        with pytest.raises(DataError, match=said):
            read_history(spec(path=name), tmp_path)


@pytest.mark.parametrize(
    ("more", "said"),
    [({"frequency": "W-MOON"}, "Did you mean 'W-MON'"), ({"year_end": "03-30"}, "not the last day of a month"), ({"gap": "x"}, "gap")],
)
def test_settings_that_cannot_be(more, said):
    with pytest.raises(ValidationError, match=said):
        spec(**more)


PEOPLE = "case,start,end,age,area\n"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("C1,2024-01-01,,30,N\nC1,2024-02-01,,31,N\n", ["2 rows share a reference", "rows 2, 3", "'person'"]),
        (",2024-01-01,,30,N\n", ["an empty cell in row 2", "p.csv > case"]),
        ("C1,2024-02-01,2024-01-01,30,N\n", ["1 episodes close before they open, row 2"]),
        ("C1,,,30,N\n", ["an opening day in every row".capitalize(), "row 2"]),
        ("C1,2024-02-01,sometime,30,N\n", ["p.csv > end", "row 2"]),
        (
            "".join(f"C{i},2024-02-01,,3{i},N\n" for i in range(10)) + "C99,2024-02-01,,old,N\n",
            ["text among numbers in row 12", "p.csv > age"],
        ),
    ],
)
def test_faults_of_people_name_rows_and_no_values(tmp_path, rows, said):
    (tmp_path / "p.csv").write_text(PEOPLE + rows)
    given = PeopleSpec(path="p.csv", id="case", opened="start", closed="end", keys=["area"], attributes=["age"])
    with pytest.raises(DataError) as caught:
        read_people(given, tmp_path, key=KEY)
    told = str(caught.value)
    assert [s for s in said if s not in told] == [], told
    assert not any(value in told for value in ("C1", "C99", "'old'", "sometime"))


def test_faults_of_places_and_drivers(tmp_path):
    (tmp_path / "a.csv").write_text("code,rate\nX,1\nX,2\n")
    with pytest.raises(DataError, match="Each place once"):
        read_places(PlacesSpec(path="a.csv", id="code"), tmp_path)
    (tmp_path / "d.csv").write_text("ds,name,value\n2024-01-01,rent,100\n2024-04-01,rent,lots\n2024-05-01,,3\n")
    with pytest.raises(DataError) as caught:
        read_drivers(DriversSpec(path="d.csv"), tmp_path, frequency=Frequency("M"))
    assert "row 3" in str(caught.value)
    assert "row 4" in str(caught.value)
    (tmp_path / "d.csv").write_text(
        "ds,name,value\n2024-01-01,rent,100\n2024-02-01,rent,..\n2024-03-01,rent,101\n"
    )  # a mark: not available
    with pytest.raises(DataError, match="driver 'rent' has no figure in 1 period"):
        read_drivers(DriversSpec(path="d.csv"), tmp_path, frequency=Frequency("M"))
    (tmp_path / "d.csv").write_text("ds,name,value\n2024-01-01,rent,100\n2024-02-01,rent,..\n2024-01-01,wages,..\n")
    with pytest.raises(DataError, match="drivers without a single figure: 'wages'"):
        read_drivers(DriversSpec(path="d.csv"), tmp_path, frequency=Frequency("M"))
    (tmp_path / "d.csv").write_text("ds,name,value\n2024-01-01,rent,100\n2024-02-01,rent,..\n")
    assert list(read_drivers(DriversSpec(path="d.csv"), tmp_path, frequency=Frequency("M"))[0]["value"]) == [100.0]
    (tmp_path / "d.csv").write_text("ds,name,value\n2024-01-01,rent,100\n2024-04-01,rent,101\n")
    with pytest.raises(DataError, match="driver 'rent' has no figure in 2 periods"):
        read_drivers(DriversSpec(path="d.csv"), tmp_path, frequency=Frequency("M"))


def test_two_columns_of_one_name_are_refused(tmp_path):
    pd.DataFrame([["A", "2024-01-01", 1, 2]], columns=["unique_id", "ds", "y", "y "]).to_excel(tmp_path / "h.xlsx", index=False)
    with pytest.raises(DataError, match="the column 'y' is there twice"):
        read_history(spec(path="h.xlsx"), tmp_path)
