"""Reading counts: files, encodings, dates, periods, kinds, gaps."""

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.data.dates import PeriodRule, to_periods
from demand.data.formats import parse_dates
from demand.data.numbers import to_numbers
from demand.data.read import DriversSpec, HistorySpec, PeopleSpec, PlacesSpec, read_drivers, read_history, read_people, read_places
from demand.errors import DataError

KEY = b"a published key for tests"
LONG = 'unique_id,ds,y,area\nNorth/tŷ,2024-01-01,"1,204",North\nNorth/tŷ,2024-02-01,7,North\nSouth/ŵ,2024-02-01,0,South\n'


def spec(**more):
    return HistorySpec(**{"path": "h.csv", "series": "unique_id", "frequency": "M", "kind": "flow", "unit": "people", **more})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_every_encoding_gives_the_same_welsh_names(tmp_path, encoding):
    (tmp_path / "h.csv").write_bytes(LONG.encode(encoding))
    history, _ = read_history(spec(keys=["area"]), tmp_path)
    assert history.ids == ["North/tŷ", "South/ŵ"]
    assert history.table["y"].tolist() == [1204.0, 7.0, 0.0]


def test_an_old_windows_file_is_read_and_that_is_said(tmp_path):
    (tmp_path / "h.csv").write_bytes("unique_id,ds,y\nCafé,2024-01-01,1\n".encode("cp1252"))
    history, findings = read_history(spec(), tmp_path)
    assert history.ids == ["Café"]
    assert any(f.rule == "encoding" and "cp1252" in f.message for f in findings)


def test_excel_and_parquet_give_what_csv_gives(tmp_path):
    table = pd.DataFrame({"unique_id": ["001", "001"], "ds": pd.to_datetime(["2024-01-01", "2024-02-01"]), "y": [3, 4]})
    table.to_excel(tmp_path / "h.xlsx", index=False)
    table.to_parquet(tmp_path / "h.parquet")
    table.to_csv(tmp_path / "h.csv", index=False)
    prints = {read_history(spec(path=f"h.{kind}"), tmp_path)[0].fingerprint for kind in ("xlsx", "parquet", "csv")}
    assert len(prints) == 1


def test_semicolons_blank_lines_and_a_heading_above_the_names(tmp_path):
    (tmp_path / "h.csv").write_text("Table 1; households\nunique_id;ds;y\n\nA;01/02/2024;5\nA;01/03/2024;6\n")
    history, findings = read_history(spec(header_row=2), tmp_path)
    assert history.table["ds"].dt.month.tolist() == [2, 3]
    assert any(f.rule == "date_format" and "01/02/2024 is 1 February" in f.message for f in findings)


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (["01/02/2024", "13/02/2024"], "2024-02-01"),
        (["01/02/2024", "02/01/2024"], "2024-02-01"),
        (["02/13/2024", "03/01/2024"], "2024-02-13"),
        (["2024-02-01T00:00:00", "2024-03-01T00:00:00"], "2024-02-01"),
        (["2024-06-30T23:30:00Z", "2024-08-01T00:00:00Z"], "2024-07-01"),
        (["2024-02", "2024-03"], "2024-02-01"),
        (["1 February 2024", "2 March 2024"], "2024-02-01"),
        (["Feb-24", "Mar-24"], "2024-02-01"),
        (["45323", "45324"], "2024-02-01"),
        (["2024 Q2", "2024 Q3"], "2024-04-01"),
        (["20240201", "20240301"], "2024-02-01"),
    ],
)
def test_the_one_format_that_fits_every_row(words, first):
    days = parse_dates(pd.Series(words))
    assert not days.wrong.any()
    assert days.values[0] == pd.Timestamp(first)


def test_a_stated_format_is_obeyed():
    assert parse_dates(pd.Series(["01/02/2024"]), date_format="mdy").values[0] == pd.Timestamp("2024-01-02")


@pytest.mark.parametrize(
    ("days", "rule", "starts"),
    [
        (["2018-06-30"], PeriodRule("Q"), ["2018-04-01"]),
        (["2018-04-01"], PeriodRule("Q"), ["2018-04-01"]),
        (["2013-03-31", "2014-03-31"], PeriodRule("Y", "end", "03-31"), ["2012-04-01", "2013-04-01"]),
        (["2013-03-31", "2014-03-31"], PeriodRule("Y"), ["2012-04-01", "2013-04-01"]),
        (["2013-01-01", "2014-01-01"], PeriodRule("Y"), ["2013-01-01", "2014-01-01"]),
        (["2013-04-01"], PeriodRule("Y"), ["2013-04-01"]),
        (["2024-01-07"], PeriodRule("W-SUN", "end"), ["2024-01-01"]),
        (["2024-01-07"], PeriodRule("W-SUN"), ["2024-01-07"]),
        (["2024-02-29"], PeriodRule("M"), ["2024-02-01"]),
        (["2024-02-29"], PeriodRule("D"), ["2024-02-29"]),
    ],
)
def test_days_stand_for_their_periods(days, rule, starts):
    periods = to_periods(pd.Series(pd.to_datetime(days)), rule)
    assert not periods.wrong.any()
    assert periods.ds.strftime("%Y-%m-%d").tolist() == starts
    assert (periods.frequency.start_of(periods.ds) == periods.ds).all()


def test_years_named_alone_begin_or_end_as_stated():
    label = parse_dates(pd.Series(["2013"])).label
    day = pd.Series(pd.to_datetime(["2013-01-01"]))
    assert to_periods(day, PeriodRule("Y", "end", "03-31"), label=label).ds[0] == pd.Timestamp("2012-04-01")
    assert to_periods(day, PeriodRule("Y", "start", "03-31"), label=label).ds[0] == pd.Timestamp("2013-04-01")
    assert to_periods(day, PeriodRule("Y"), label=label).ds[0] == pd.Timestamp("2013-01-01")
    assert to_periods(day, PeriodRule("Y", "auto", "03-31"), label=label).wrong.all()


def test_quarters_named_alone_are_refused_where_years_do_not_end_in_december():
    words = pd.Series(["2024 Q1", "2024 Q2"])
    label, days = parse_dates(words).label, parse_dates(words).values
    for rule in (PeriodRule("Q"), PeriodRule("Q", "end"), PeriodRule("Q", "start", "12-31")):
        periods = to_periods(days, rule, label=label)
        assert not periods.wrong.any()
        assert periods.ds.strftime("%Y-%m-%d").tolist() == ["2024-01-01", "2024-04-01"]
    unsaid = to_periods(days, PeriodRule("Q", "auto", "03-31"), label=label)
    assert unsaid.wrong.all()
    assert "2024 Q1 is read as January to March" in unsaid.allowed


def test_numbers_as_people_write_them():
    read = to_numbers(pd.Series(["1,234", " 5 ", "£1,000.50", "", "12,5", "1_000", "N/A", "few", "-"]))
    assert np.allclose(read.values[:3], [1234, 5, 1000.5])
    assert read.wrong.tolist() == [False] * 4 + [True] * 2 + [False] + [True] * 2


def test_kinds_by_row_by_words_and_parts_of_names(tmp_path):
    (tmp_path / "h.csv").write_text(
        "unique_id,ds,y,how\nTA/hostel,2024-01-01,5,stock_end_of_quarter\nDUTY/relief,2024-01-01,6,flow_in_quarter\n"
    )
    history, _ = read_history(spec(kind={"column": "how"}, split=["group", "type"]), tmp_path)
    assert history.series.loc["TA/hostel"].tolist() == ["TA", "hostel", "stock", "people"]
    assert history.series.loc["DUTY/relief", "kind"] == "flow"
    named = spec(kind={"column": "how", "names": {"flow": ["stock_end_of_quarter"]}}, where={"how": "stock_end_of_quarter"})
    assert read_history(named, tmp_path)[0].series["kind"].tolist() == ["flow"]


def test_without_a_series_column_the_keys_name_the_series(tmp_path):
    (tmp_path / "h.csv").write_text("ds,y,area,service\n2024-01-01,5,North,advice\n2024-01-01,6,,advice\n")
    history, findings = read_history(spec(series=None, keys=["area", "service"]), tmp_path)
    assert history.ids == ["(not given)/advice", "North/advice"]
    assert [f.rows for f in findings if f.rule == "blank_key"] == [(3,)]


def test_gaps_are_left_or_drawn_only_when_asked(tmp_path):
    (tmp_path / "h.csv").write_text("unique_id,ds,y\nA,2024-01-01,1\nA,2024-03-01,3\nA,2024-04-01,\nB,2024-01-01,\n")
    history, findings = read_history(spec(gaps="leave"), tmp_path)
    assert history.table["y"].isna().tolist() == [False, True, False]
    assert {f.rule for f in findings} >= {"gap", "empty_series"}
    assert read_history(spec(gaps="interpolate"), tmp_path)[0].table["y"].tolist() == [1, 2, 3]
    with pytest.raises(DataError, match=r"'A 2024-02-01'.*gaps: leave"):
        read_history(spec(), tmp_path)


def people_file(folder, text):
    (folder / "p.csv").write_text("case,client,start,end,area,age,drinks,tenure\n" + text)


def test_people_have_pseudonyms_and_typed_attributes(tmp_path):
    people_file(
        tmp_path, "C1,P1,01/02/2024,,North,34,Y,rent\nC2,P1,03/02/2024,31/12/9999,,n/a,N,\nC3,P2,04/02/2024,04/02/2024,South,51.5,,none\n"
    )
    given = {
        "person": "client",
        "id": "case",
        "opened": "start",
        "closed": "end",
        "keys": ["area"],
        "attributes": ["age", "drinks", "tenure"],
    }
    people, findings = read_people(PeopleSpec(path="p.csv", **given), tmp_path, key=KEY)
    assert people["person_id"].nunique() == 2
    assert people["episode_id"].nunique() == 3
    assert not people["person_id"].isin(["P1", "P2"]).any()
    assert people["closed"].isna().tolist() == [True, True, False]
    assert people["area"].tolist() == ["North", "(not given)", "South"]
    assert people["age"].isna().tolist() == [False, True, False]
    assert people["drinks"].where(people["drinks"].notna(), "?").tolist() == ["yes", "no", "?"]
    assert people["tenure"].where(people["tenure"].notna(), "?").tolist() == ["rent", "?", "none"]
    assert {f.rule for f in findings} == {"date_format", "far_future", "blank_key", "overlap"}


def test_places_keep_their_codes(tmp_path):
    (tmp_path / "a.csv").write_text("code,rate\nW06000001,1.5\nW06000002,\n")
    places, _ = read_places(PlacesSpec(path="a.csv", id="code"), tmp_path)
    assert places["person_id"].tolist() == ["W06000001", "W06000002"]
    assert places["rate"].dtype == float


def test_drivers_are_brought_to_the_frequency_of_the_history(tmp_path):
    (tmp_path / "d.csv").write_text("ds,name,value\n2024-01-01,rent,100\n2024-02-01,rent,110\n2024-03-01,rent,120\n2024-04-01,rent,130\n")
    monthly, _ = read_drivers(DriversSpec(path="d.csv"), tmp_path, frequency=Frequency("M"))
    assert list(monthly.columns) == ["ds", "name", "value", "low", "high"]
    assert monthly["value"].tolist() == [100, 110, 120, 130]
    quarterly, findings = read_drivers(DriversSpec(path="d.csv"), tmp_path, frequency=Frequency("Q"))
    assert quarterly["value"].tolist() == [110, 130]
    assert "driver_mean" in {f.rule for f in findings}


def test_marks_and_gaps_are_told_in_one_round(tmp_path) -> None:
    lines = [f"{s},2023-{m:02d}-01,{100 + m}" for s in "ab" for m in range(1, 13)]
    lines[3], lines[15], lines[20] = "a,2023-04-01,tbc", "b,2023-04-01,-7", "b,2023-09-01,*"
    del lines[7]
    (tmp_path / "h.csv").write_text("s,d,v\n" + "\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_history(HistorySpec(path="h.csv", series="s", date="d", value="v", frequency="M"), tmp_path)
    said = str(caught.value)
    for part in (
        "3 faults",
        "'tbc' instead of a number in row 5",
        "a negative count in row 16",
        "2 periods inside 2 series have no count: 'a 2023-08-01'",
    ):
        assert part in said
