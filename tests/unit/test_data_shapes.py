"""Tables that are no rows of series and period: each is drafted, read whole, and what was done is said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import yaml

from demand.data.numbers import to_numbers
from demand.data.quality import Finding
from demand.data.read import HistorySpec, read_history
from demand.errors import DataError
from demand.tables import History
from pipelines.new import draft_config

MONTHS = pd.date_range("2022-04-01", periods=12, freq="MS")


def read_as_drafted(path: Path) -> tuple[History, list[Finding]]:
    """Read a file as its draft says."""
    drafted = yaml.safe_load(draft_config("mine", path))["data"]["history"]
    return read_history(HistorySpec.model_validate(drafted), path.parent)


def workbook(path: Path, sheets: dict[str, Sequence[Sequence[object]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    return path


def test_a_column_a_quarter_below_a_title_with_a_total_and_remarks(tmp_path: Path) -> None:
    lines = ["Households by authority and quarter", "", "Code,Area,Apr-Jun 2022,Jul-Sep 2022,Oct-Dec 2022,Jan-Mar 2023,All"]
    lines += [
        "W06000001,Ynys Môn,10,20,*,40,74",
        'W06000002,Gwynedd,"1,010",30,[x],50,1090',
        ",Total,1020,50,,90,1164",
        "* suppressed,,,,,,",
    ]
    (tmp_path / "wide.csv").write_text("\n".join(lines), encoding="utf-8")
    history, findings = read_as_drafted(tmp_path / "wide.csv")
    assert history.frequency.code == "Q"
    assert history.wide["W06000002/Gwynedd"].tolist()[:2] == [1010, 30]
    assert history.wide.index[0] == pd.Timestamp("2022-04-01")
    assert history.table["y_high"].max() == 1010
    told = {f.rule: f for f in findings}
    assert "4 columns from 'Apr-Jun 2022' to 'Jan-Mar 2023'" in told["turned_columns"].message
    assert "'All'" in told["turned_columns"].message
    assert told["total_rows"].rows == (6,)
    assert told["footer"].rows == (7,)
    assert told["suppressed"].rows == ("4 (Oct-Dec 2022)",)


def test_quarters_below_merged_years_with_totals_between(tmp_path: Path) -> None:
    top = ["Area", *(cell for y in (2021, 2022) for cell in (f"{y}-{y - 1999}", None, None, None, None))]
    rows = [
        top,
        [None, *["Q1", "Q2", "Q3", "Q4", "Total"] * 2],
        ["North", 1, 2, 3, 4, 10, 5, 6, 7, 8, 26],
        ["South", 2, 2, 2, 2, 8, 3, 3, 3, 3, 12],
    ]
    history, _ = read_as_drafted(workbook(tmp_path / "w.xlsx", {"Table": rows}))
    assert history.frequency.code == "Q"
    assert history.wide["North"].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert history.wide.index[0] == pd.Timestamp("2021-04-01")


def test_months_as_dates_in_the_names(tmp_path: Path) -> None:
    rows = [["Type", *(d.to_pydatetime() for d in MONTHS), "Total"], *([k, *range(20, 32), 306] for k in ("B&B", "Hostel"))]
    history, _ = read_as_drafted(workbook(tmp_path / "w.xlsx", {"Table": [["Placements"], [], *rows]}))
    assert (history.frequency.code, history.ids) == ("M", ["B&B", "Hostel"])
    assert history.wide["Hostel"].tolist() == list(range(20, 32))


def test_kinds_side_by_side_become_series_and_their_total_is_left_out(tmp_path: Path) -> None:
    table = pd.DataFrame({"Month": MONTHS.strftime("%b-%y"), "B&B": range(12), "Hostel": range(5, 17), "Leased": 7})
    table.assign(Everything=table[["B&B", "Hostel", "Leased"]].sum(axis=1)).to_csv(tmp_path / "w.csv", index=False)
    history, findings = read_as_drafted(tmp_path / "w.csv")
    assert history.ids == ["B&B", "Hostel", "Leased"]
    assert history.keys == ["measure"]
    assert history.wide["Hostel"].tolist() == list(range(5, 17))
    assert "turned_columns" in {f.rule for f in findings}


@pytest.mark.parametrize(
    ("years", "parts", "code"),
    [
        (["2021/22"] * 4 + ["2022/23"] * 4, ["Q1", "Q2", "Q3", "Q4"] * 2, "Q"),
        (["2021-22"] * 4 + ["2022-23"] * 4, ["1", "2", "3", "4"] * 2, "Q"),
        (["2021"] * 4 + ["2022"] * 4, ["May", "June", "July", "August"] * 2, "M"),
    ],
)
def test_a_year_and_its_part_in_two_columns(tmp_path: Path, years: list[str], parts: list[str], code: str) -> None:
    pd.DataFrame({"Year": years, "Quarter": parts, "Count": range(8)}).to_csv(tmp_path / "w.csv", index=False)
    history, findings = read_as_drafted(tmp_path / "w.csv")
    assert history.frequency.code == code
    assert history.table["y"].dropna().tolist() == list(range(8))
    assert history.wide.index[0] == pd.Timestamp("2021-04-01" if code == "Q" else "2021-05-01")
    assert "joined_date" in {f.rule for f in findings}


@pytest.mark.parametrize(
    ("year", "parts", "first"),
    [
        (["2021", "2022"], ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec"], "2021-01-01"),
        (["2021-22", "2022-23"], ["Q1", "Q2", "Q3", "Q4"], "2021-04-01"),
    ],
)
def test_years_down_and_their_months_or_quarters_across(tmp_path: Path, year: list[str], parts: list[str], first: str) -> None:
    many = len(parts)
    rows = [[y, *range(i * many, (i + 1) * many), 0] for i, y in enumerate(year)]
    pd.DataFrame(rows, columns=["Year", *parts, "Total"]).to_csv(tmp_path / "w.csv", index=False)
    history, _ = read_as_drafted(tmp_path / "w.csv")
    assert history.frequency.code == ("Q" if many == 4 else "M")
    assert history.table["y"].tolist() == list(range(2 * many))
    assert history.wide.index[0] == pd.Timestamp(first)


FROM_APRIL = ["Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Jan", "Feb", "Mar"]
FROM_JANUARY = FROM_APRIL[9:] + FROM_APRIL[:9]
FROM_Q2 = ["Q2", "Q3", "Q4", "Q1"]


@pytest.mark.parametrize(
    ("columns", "year", "settings", "first"),
    [
        (FROM_APRIL, FROM_APRIL, {"dates": "start"}, "2021-04-01"),
        (FROM_APRIL, FROM_APRIL, {"dates": "end"}, "2020-04-01"),
        (FROM_APRIL[::-1], FROM_APRIL, {"dates": "start"}, "2021-04-01"),
        (FROM_JANUARY, FROM_APRIL, {"dates": "start", "year_end": "03-31"}, "2021-04-01"),
        (FROM_Q2, FROM_Q2, {"dates": "start"}, "2021-04-01"),
        (sorted(FROM_APRIL), FROM_JANUARY, {}, "2021-01-01"),
    ],
)
def test_plain_years_that_begin_in_april_are_read_once_it_is_said_which_they_are(
    tmp_path: Path, columns: list[str], year: list[str], settings: dict[str, object], first: str
) -> None:
    rows = [[2021 + i, *(year.index(c) + i * len(year) for c in columns)] for i in range(2)]
    pd.DataFrame(rows, columns=["Year", *columns]).to_csv(tmp_path / "w.csv", index=False)
    about = {"path": "w.csv", "across": "periods", "date_parts": ["Year"], "frequency": "M" if len(year) == 12 else "Q", **settings}
    history, _ = read_history(HistorySpec.model_validate(about), tmp_path)
    assert history.wide.index[0] == pd.Timestamp(first)
    assert history.table["y"].tolist() == list(range(2 * len(year)))
    if settings:
        with pytest.raises(DataError, match=r"may be the year that begins or the year that ends then.*dates: start"):
            read_history(HistorySpec.model_validate({**about, "dates": "auto"}), tmp_path)


def test_it_is_told_which_months_a_quarter_of_a_plain_year_is(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("Year,Quarter,n\n2021,1,5\n2021,2,6\n2021,3,7\n2021,4,8\n")
    _, findings = read_history(HistorySpec(path="w.csv", date_parts=["Year", "Quarter"], value="n", frequency="Q"), tmp_path)
    assert any(f.rule == "assumed" and "Q1 of a year such as 2024 is taken as January to March" in f.message for f in findings)


@pytest.mark.parametrize(
    ("names", "where", "ids"),
    [
        (["Total presentations", "Total in B&B", "Hostel", "Grand total"], None, ["Hostel", "Total in B&B", "Total presentations"]),
        (["Total households", "of which B&B"], ["Total households"], ["Total households"]),
        (["Total", "B&B", "Hostel"], ["Total"], ["Total"]),
        (["Total", "B&B", "Hostel"], None, ["B&B", "Hostel"]),
    ],
)
def test_a_total_is_a_cell_that_says_so_and_nothing_else(tmp_path: Path, names: list[str], where: list[str] | None, ids: list[str]) -> None:
    months = [f"{d:%b-%y}" for d in MONTHS]
    pd.DataFrame([[n, "Total", *range(12)] for n in names], columns=["Measure", "Sex", *months]).to_csv(tmp_path / "w.csv", index=False)
    spec = HistorySpec(path="w.csv", across="periods", keys=["Measure"], frequency="M", where={"Measure": where} if where else {})
    history, findings = read_history(spec, tmp_path)
    assert sorted(history.ids) == ids
    told = {f.rule for f in findings}
    assert ("total_rows" in told) == ("Grand total" in names or (names[0] == "Total" and not where))
    assert ("undeclared_total" in told) == ("Grand total" in names)


def test_a_group_called_total_is_no_series_beside_its_parts(tmp_path: Path) -> None:
    rows = [[kind if i == 0 else None, d.strftime("%b %Y"), i] for kind in ("Day", "Respite", "Total") for i, d in enumerate(MONTHS)]
    pd.DataFrame(rows, columns=["Service", "Month", "n"]).to_csv(tmp_path / "w.csv", index=False)
    about = {"path": "w.csv", "date": "Month", "value": "n", "keys": ["Service"], "fill_down": ["Service"], "frequency": "M"}
    history, findings = read_history(HistorySpec.model_validate(about), tmp_path)
    assert history.ids == ["Day", "Respite"]
    assert [len(f.rows) for f in findings if f.rule == "total_rows"] == [12]
    chosen, _ = read_history(HistorySpec.model_validate(about | {"where": {"Service": ["Total"]}}), tmp_path)
    assert chosen.ids == ["Total"]


def test_a_row_of_units_below_the_names_is_left_out(tmp_path: Path) -> None:
    rows = [["Month", "North", "South"], [None, "households", "households"], *([d.to_pydatetime(), i, 9] for i, d in enumerate(MONTHS))]
    history, findings = read_as_drafted(workbook(tmp_path / "w.xlsx", {"Table": rows}))
    assert history.wide["North"].tolist() == list(range(12))
    assert [f.rows for f in findings if f.rule == "unit_row"] == [(2,)]


def test_a_running_number_is_not_taken_for_the_counts(tmp_path: Path) -> None:
    rows = [[i, 30 + i % 5, f"{2010 + i}-{11 + i}", "Cardiff", 7] for i in range(10)]
    pd.DataFrame(rows, columns=["", "Data", "Period_ENG", "Area", "Area_SortOrder"]).to_csv(tmp_path / "w.csv", index=False)
    assert read_as_drafted(tmp_path / "w.csv")[0].table["y"].tolist() == [30 + i % 5 for i in range(10)]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("w.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "protected by a password, or an old workbook"),
        ("w.csv", b"<html><body><table><tr><td>Month</td></tr></table>", "is a web page"),
        ("w.csv", b"PK\x03\x04" + bytes(600), "is a workbook, whatever its ending says"),
        ("w.csv", b"Month,Area,Count\n", "the file has no rows"),
        ("w.csv", b"Period,Area,Spend\n202104,A,3\n202105,A,4\n202106,A,5\n", "no column holds dates.*may be April or the fourth period"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=said):
        draft_config("mine", tmp_path / name)


def test_sheets_named_by_months_give_the_dates(tmp_path: Path) -> None:
    sheets = {d.strftime("%b %Y"): [["Return"], ["Type", "Households"], ["B&B", i], ["Hostel", i + 9], ["Total", 2 * i + 9]]
              for i, d in enumerate(MONTHS)}  # fmt: skip
    history, _ = read_as_drafted(workbook(tmp_path / "w.xlsx", sheets))
    assert history.wide["Hostel"].tolist() == list(range(9, 21))
    assert history.ids == ["B&B", "Hostel"]


def test_names_of_groups_that_stand_once_hold_for_the_rows_below(tmp_path: Path) -> None:
    rows = [[kind if i == 0 else None, d.strftime("%b %Y"), i] for kind in ("Day", "Respite") for i, d in enumerate(MONTHS)]
    history, findings = read_as_drafted(workbook(tmp_path / "w.xlsx", {"Table": [["Service", "Month", "Open cases"], *rows]}))
    assert history.ids == ["Day", "Respite"]
    assert sum(len(f.rows) for f in findings if f.rule == "filled_down") == 22


def test_subtotals_named_at_their_end_are_left_out(tmp_path: Path) -> None:
    rows = [f"{a},{d:%b-%y},{i}" for a in ("North", "South") for i, d in enumerate(MONTHS)]
    (tmp_path / "w.csv").write_text("\n".join(["Area,Month,Placements", *rows[:12], "North Total,,66", *rows[12:], "South Total,,66"]))
    history, findings = read_as_drafted(tmp_path / "w.csv")
    assert history.ids == ["North", "South"]
    assert [f.rows for f in findings if f.rule == "total_rows"] == [(14, 27)]


def test_a_heading_of_two_cells_is_not_taken_for_the_names(tmp_path: Path) -> None:
    head = ['"Children at month end"', '"Council: Example","","Produced 01/10/2025"', '"","",""', '"Month ending","Number",""']
    (tmp_path / "w.csv").write_text("\n".join([*head, *(f'"{d:%d %B %Y}","{i}",""' for i, d in enumerate(MONTHS))]))
    assert read_as_drafted(tmp_path / "w.csv")[0].table["y"].tolist() == list(range(12))


def test_decimal_commas_are_read_where_they_can_be_nothing_else(tmp_path: Path) -> None:
    assert to_numbers(pd.Series(["1.234,50", "12,5", "7,25", "1.000", "3"])).values.tolist() == [1234.5, 12.5, 7.25, 1000, 3]
    assert to_numbers(pd.Series(["1,234", "12,5", "7,25", "3,5"])).wrong.tolist() == [False, True, True, True]
    rows = [f"{d:%d.%m.%Y};{i},5" for i, d in enumerate(MONTHS)]
    (tmp_path / "w.csv").write_text("\n".join(["Month;Hours", *rows]))
    history, findings = read_as_drafted(tmp_path / "w.csv")
    assert history.table["y"].tolist() == [i + 0.5 for i in range(12)]
    assert "decimal_comma" in {f.rule for f in findings}


def test_a_reference_that_looks_like_an_endless_number_is_text_and_breaks_nothing_down() -> None:
    assert to_numbers(pd.Series(["1E2155767033", "-4.45700e2155767033e-256", "1e3"])).wrong.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"across": "periods", "keys": ["area"]}, "no three columns are named by periods"),
        ({"across": ["a", "b"], "date": "month"}, "name it in 'keys'"),
        ({"across": "periods", "date_parts": ["month"]}, "no columns are named by months or quarters"),
    ],
)
def test_shapes_that_the_file_does_not_have_are_refused(tmp_path: Path, settings: dict[str, object], said: str) -> None:
    (tmp_path / "w.csv").write_text("area,month,count\nNorth,2024-01,3\n")
    with pytest.raises((DataError, ValueError), match=said):
        read_history(HistorySpec.model_validate({"path": "w.csv", "frequency": "M", **settings}), tmp_path)
