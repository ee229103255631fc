"""Messy files of other councils and other systems, written by hand: each with what the gates should say of it, and with plain files beside.

They were written before the gates were looked at, and are laid out otherwise than the example's extracts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from demand.data.quality import Finding, ReadingError, judge
from demand.data.read import HistorySpec, PeopleSpec, read_history, read_people
from demand.data.systems import renamed_series
from demand.errors import DataError
from demand.events import clean
from demand.proposals import proposed_findings

KEY = b"a published key for tests"
ABOUT = {"assumed", "encoding", "several_at_once", "late_month"}
"""What is said of a whole file, and is no fault of a row."""
Rows = dict[str, Sequence[int | str]]


@dataclass(frozen=True)
class Case:
    """A file and what should be said of it.

    Parameters
    ----------
    name : str
    lines : list
        Lines of text, or rows of cells for a workbook.
    spec : PeopleSpec or HistorySpec
    expected : dict
        Rule -> the rows.
    """

    name: str
    lines: list
    spec: PeopleSpec | HistorySpec
    expected: Rows = field(default_factory=dict)
    encoding: str = "utf-8"


def stays(n: int = 90) -> list[list[str]]:
    """Rows of a plain extract: reference, household, kind, ward, first and last day, pounds a week."""
    kinds, wards = ["Hotel", "Dispersed unit", "Refuge"], ["W05001280", "W05001281", "W05001282"]
    rows = []
    for i in range(n):
        first = date(2022, 1, 3) + timedelta(days=13 * i)
        last = first + timedelta(days=20 + (i * 37) % 90)
        rows.append(
            [
                f"TA/{2200 + i}",
                f"HH{7000 + i}",
                kinds[i % 3],
                wards[i % 3],
                f"{first:%d.%m.%Y}",
                f"{last:%d.%m.%Y}",
                f"{280 + (i * 7) % 45}.50",
            ]
        )
    return rows


NAMES = ["Ref", "Household No", "Type of accommodation", "Ward code", "Moved in", "Moved out", "Rent pw"]
STAYS = {"id": "Ref", "person": "Household No", "opened": "Moved in", "closed": "Moved out", "keys": ["Type of accommodation"],
         "attributes": ["Ward code"], "price": "Rent pw", "extracted": "2025-12-31"}  # fmt: skip


def stays_case(name: str, changes: dict[tuple[int, int], str], expected: Rows, **about: object) -> Case:
    """A plain extract with some cells changed: (row as a spreadsheet numbers it, column) -> text."""
    rows = stays()
    for (row, column), text in changes.items():
        rows[row - 2][column] = text
    return Case(name, [";".join(r) for r in [NAMES, *rows]], PeopleSpec(path=f"{name}.csv", **(STAYS | about)), expected)


def counts(values: Sequence[object], *, start: int = 2021) -> list[list[object]]:
    """Rows of a plain return: month, team, count."""
    months = [date(start + i // 12, i % 12 + 1, 1) for i in range(len(values))]
    return [[f"{m:%b-%y}", "Gwasanaeth Tai", v] for m, v in zip(months, values, strict=True)]


LEVEL = [61, 58, 66, 63, 59, 70, 64, 62, 57, 60, 68, 65]
RETURN = {"date": "Month", "value": "Presentations", "frequency": "M", "keys": ["Team"], "unit": "households"}


def counts_case(
    name: str, values: Sequence[object], expected: Rows, *, above: Sequence[str] = (), below: Sequence[str] = (), **about: object
) -> Case:
    lines = ["\t".join(map(str, r)) for r in [["Month", "Team", "Presentations"], *counts(values)]]
    return Case(name, [*above, *lines, *below], HistorySpec(path=f"{name}.tsv", **(RETURN | about)), expected)


def changed(values: Sequence[object], **at: object) -> list[object]:
    """Put values at places: at(i12=...)."""
    out = list(values)
    for place, value in at.items():
        out[int(place[1:])] = value
    return out


THREE_YEARS = [*LEVEL, *[v + 2 for v in LEVEL], *[v - 1 for v in LEVEL]]
CASES = [
    stays_case("plain_stays", {}, {}),
    counts_case("plain_counts", THREE_YEARS, {}),
    # --- days
    stays_case("left_before_moving_in", {(9, 5): "01.02.2021", (40, 5): "11.05.2020"}, {"ended_before_started": [9, 40]}),
    stays_case("open_as_2999", {(80, 5): "31.12.2999", (85, 5): "31.12.2999"}, {"far_future": [80, 85], "forgotten": [80, 85]}),
    stays_case("open_as_1899", {(80, 5): "30.12.1899"}, {"far_past": [80], "forgotten": [80]}),
    stays_case("open_as_1970", {(80, 5): "01.01.1970", (82, 5): "01.01.1970"}, {"far_past": [80, 82], "forgotten": [80, 82]}),
    stays_case("american_day", {(33, 4): "02.28.2023"}, {"date_format": [33]}),
    stays_case("day_in_words", {(12, 4): "last Tuesday"}, {"date_format": [12]}),
    stays_case("serial_among_days", {(15, 4): "44743", (16, 4): "44756"}, {"date_format": [15, 16]}),
    stays_case("thirtieth_of_february", {(21, 4): "30.02.2022"}, {"date_format": [21]}),
    stays_case("year_3022", {(25, 4): "02.11.3022"}, {"date_format": [25]}),
    stays_case("year_0202", {(25, 4): "02.11.0202"}, {"date_format": [25]}),
    stays_case("no_day", {(25, 4): ""}, {"empty_cell": [25]}),
    # --- prices and figures
    stays_case("pounds_times_thousand", {(30, 6): "312500.00"}, {"price_slip": [30]}),
    stays_case("pence_for_pounds", {(30, 6): "31250", (31, 6): "29950", (60, 6): "30100"}, {"price_slip": [30, 31, 60]}),
    stays_case("price_in_thousands", {(30, 6): "0.31"}, {"price_slip": [30]}),
    stays_case("one_digit_too_many", {(30, 6): "3125.00"}, {"price_slip": [30]}),
    stays_case("one_digit_too_few", {(30, 6): "31.25"}, {"price_slip": [30]}),
    stays_case("price_below_nought", {(44, 6): "-300.50"}, {"price_slip": [44]}),
    stays_case("price_in_words", {(44, 6): "awaiting invoice"}, {"not_a_number": [44]}),
    stays_case("price_as_finance_writes_it", {(44, 6): "£1,300.50", (45, 6): "£ 302.00"}, {}),
    # --- references
    stays_case("reference_twice", {(51, 0): "TA/2203"}, {"doubled_reference": [5, 51]}),
    stays_case("no_reference", {(51, 0): ""}, {"empty_cell": [51]}),
    stays_case("household_without_number", {(51, 1): ""}, {"empty_cell": [51]}),
    stays_case("entered_again", {(52, i): c for i, c in enumerate(stays()[8]) if i != 0}, {"duplicate_episode": [52]}),
    stays_case("two_rooms_at_once", {(52, 1): "HH7049"}, {"overlap": [52]}),
    # --- codes
    stays_case("hotel_typed_over", {(2, 2): "hotel", (5, 2): "Hotel ", (8, 2): "HOTEL"}, {"mixed_codes": [2, 8]}),
    stays_case("spelt_wrong", {(3, 2): "Dispersd unit", (6, 2): "Dispersed units"}, {"mixed_codes": [3, 6]}),
    stays_case("kind_not_known", {(3, 2): ""}, {"blank_key": [3]}),
    stays_case("ward_letter_o", {(3, 3): "W05O01281"}, {"gss_code": [3]}),
    stays_case("ward_cut_short", {(6, 3): "W0500128"}, {"gss_code": [6]}),
    stays_case("ward_of_england", {(9, 3): "E05001281"}, {}),  # an English ward can be true
    stays_case("small_area_among_wards", {(9, 3): "W01001281"}, {"gss_code": [9]}),
    stays_case("ward_that_never_was", {(9, 3): "W05009999"}, {"gss_code": [9]}),
    # --- rows
    stays_case("pushed_along", {(20, 2): "Hotel;overflow"}, {"shifted_row": [20]}),
    # --- counts
    counts_case("three_zeros_too_many", changed(THREE_YEARS, i20=57000), {"spike": ["1 in all"]}),
    counts_case("one_zero_too_many", changed(THREE_YEARS, i20=570), {"spike": ["1 in all"]}),
    counts_case("a_digit_lost", changed(THREE_YEARS, i20=5), {"spike": ["1 in all"]}),
    counts_case("hidden", changed([v // 15 for v in THREE_YEARS], i4="<5", i9="< 5", i22="[c]"), {"suppressed": [6, 11, 24]}),
    counts_case("fewer_than", changed([v // 15 for v in THREE_YEARS], i4="fewer than 5", i9="1 to 4"), {"suppressed": [6, 11]}),
    counts_case("revised", changed(THREE_YEARS, i4="59 [r]", i9="60(p)", i22="57 r"), {"marked_number": [6, 11, 24]}),
    counts_case("daggers", changed(THREE_YEARS, i4="59†", i9="60¹", i22="57 (1)"), {"marked_number": [6, 11, 24]}),
    counts_case("text_for_a_count", changed(THREE_YEARS, i4="see note"), {"not_a_number": [6]}),
    counts_case("below_nought", changed(THREE_YEARS, i4=-59), {"negative": [6]}),
    counts_case("half_entered", changed(THREE_YEARS, i35=9), {"late_month": ["1 in all"], "event_proposed": ["1 in all"]}),
    counts_case("nothing_collected", changed(THREE_YEARS, i14=0), {"empty_month": ["1 in all"]}),
    counts_case("not_collected", changed(THREE_YEARS, i14="[x]"), {"gap": ["1 in all"]}, gaps="leave"),
    counts_case("title_total_and_source", THREE_YEARS, {"title_rows": [1, 2, 3], "total_rows": [41], "footer": [42, 43]},
                above=["Presentations by month", "Data as at 4 January 2024", ""],
                below=["Cyfanswm\t\t2244", "Source: Housing Options", "© Crown copyright"]),
    counts_case("new_definition", [*LEVEL, *LEVEL, *[v * 2 for v in LEVEL], *[v * 2 + 1 for v in LEVEL]], {"event_proposed": ["1 in all"]}),
    counts_case("new_system", [*LEVEL, *LEVEL, *[v // 3 for v in LEVEL], *[v // 3 + 1 for v in LEVEL]], {"event_proposed": ["1 in all"]}),
]  # fmt: skip


def written(case: Case, folder: Path) -> None:
    (folder / case.spec.path).write_bytes(("\r\n".join(case.lines) + "\r\n").encode(case.encoding))


def told(case: Case, folder: Path) -> list[Finding]:
    """All that the gates say of a file, whether it can be used or not."""
    try:
        if isinstance(case.spec, PeopleSpec):
            return read_people(case.spec, folder, key=KEY)[1]
        history, findings = read_history(case.spec, folder)
        return [*findings, *judge(history), *renamed_series(history), *proposed_findings(clean(history, []))]
    except ReadingError as error:
        return [*error.findings, *map(Finding.of_fault, error.faults)]
    except DataError as error:
        return [Finding.of_fault(f) for f in error.faults]


def found(findings: Iterable[Finding]) -> set[tuple[str, str]]:
    """Rule and row; findings of series have a count in place of rows."""
    return {(f.rule, str(row)) for f in findings if f.severity != "note" or f.rows for row in (f.rows or (f"{f.count} in all",))}


def recoded() -> Case:
    """From one day on another system calls a kind otherwise, and gives references of another shape."""
    rows = stays()
    for i, row in enumerate(rows[50:]):
        row[0], row[2] = f"{900100 + i}", {"Hotel": "B&B nightly", "Refuge": "Women's refuge (WA)"}.get(row[2], row[2])
    return Case("recoded", [";".join(r) for r in [NAMES, *rows]], PeopleSpec(path="recoded.csv", **STAYS), {"system_change": ["2 in all"]})


def new_kind() -> Case:
    """A kind that is new, and none that ends: a service that grew."""
    rows = stays()
    for row in rows[50::6]:
        row[2] = "Night shelter"
    return Case("new_kind", [";".join(r) for r in [NAMES, *rows]], PeopleSpec(path="new_kind.csv", **STAYS), {})


def two_rows_of_names() -> Case:
    """A name above several columns, and the names below."""
    above = ["", "Household", "", "", "Stay", "", "Rent"]
    below = ["Ref", "No", "Type of accommodation", "Ward code", "in", "out", "pw"]
    lines = ["Temporary accommodation register;;;;;;", *(";".join(r) for r in [above, below, *stays()])]
    names = {"person": "Household No", "opened": "Stay in", "closed": "Stay out", "price": "Rent pw", "id": "Ref",
             "keys": ["Household Type of accommodation"], "attributes": ["Household Ward code"]}  # fmt: skip
    expected: Rows = {"title_rows": [1], "two_row_header": [2, 3]}
    return Case("two_rows", lines, PeopleSpec(path="two_rows.csv", extracted="2025-12-31", **names), expected)


def properties(changes: dict[int, str], rule: str) -> Case:
    """Property references of twelve digits; some as Excel leaves them."""
    rows = stays()
    for i, row in enumerate(rows):
        row[3] = changes.get(i + 2, f"{10090012345 + 17 * i:012d}" if rule == "uprn_padded" else f"{100090012345 + 17 * i}")
    names = [*NAMES[:3], "Property UPRN", *NAMES[4:]]
    about = STAYS | {"attributes": ["Property UPRN"]}
    return Case(
        f"uprn_{rule}", [";".join(r) for r in [names, *rows]], PeopleSpec(path=f"uprn_{rule}.csv", **about), {rule: sorted(changes)}
    )


def groups() -> Case:
    """Ethnic groups in the words of a system, of which two are in no list."""
    rows = stays()
    words = ["White: Welsh, English, Scottish, Northern Irish or British", "Asian, Asian Welsh or Asian British: Indian", "White: Roma",
             "Black, Black Welsh, Black British, Caribbean or African: African", "Other ethnic group: Arab"]  # fmt: skip
    for i, row in enumerate(rows):
        row[3] = words[i % 5]
    rows[10][3], rows[20][3] = "Martian", "WBX"
    names = [*NAMES[:3], "Ethnicity", *NAMES[4:]]
    about = STAYS | {"attributes": ["Ethnicity"]}
    return Case("groups", [";".join(r) for r in [names, *rows]], PeopleSpec(path="groups.csv", **about), {"ethnic_group": [12, 22]})


def team_renamed() -> Case:
    """A return in which a new system gives a team another name."""
    lines = ["Month\tTeam\tPresentations"]
    for place, (month, _, value) in enumerate(counts(THREE_YEARS)):
        lines.append(f"{month}\t{'Housing Solutions' if place < 20 else 'Datrysiadau Tai'}\t{value}")
        lines.append(f"{month}\tYouth\t{value // 2}")
    return Case(
        "renamed_series",
        lines,
        HistorySpec(path="renamed_series.tsv", **RETURN),
        {"system_change": ["1 in all"], "ended_series": ["1 in all"], "short_series": ["1 in all"]},
    )


CASES += [recoded(), new_kind(), two_rows_of_names(), groups(), team_renamed()]
CASES += [properties({14: "1.0009E+11", 30: "1.00090012E+11"}, "uprn"), properties({14: "10090012549", 30: "10090012821"}, "uprn_padded")]


def measured(case: Case, folder: Path) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """What was found and what should have been."""
    written(case, folder)
    given = {(rule, row) for rule, row in found(told(case, folder)) if rule not in ABOUT - set(case.expected)}
    return given, {(rule, str(row)) for rule, rows in case.expected.items() for row in rows}


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_each_file_is_judged_as_a_careful_reader_would(case: Case, tmp_path: Path) -> None:
    given, expected = measured(case, tmp_path)
    assert given == expected


def test_a_month_whose_column_is_called_otherwise_is_not_lost_in_silence(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for month, start in ((1, "Start"), (2, "Start date"), (3, "Start")):
        sheet = book.create_sheet(f"2024-{month:02d}")
        for row in (
            ["Ref", "HH", "Type", start],
            *([f"P{month}{i}", f"H{month}{i}", "Hotel", f"{i:02d}/{month:02d}/2024"] for i in range(1, 9)),
        ):
            sheet.append(row)
    book.create_sheet("Lookups").append(["Code", "Meaning"])
    book.save(tmp_path / "months.xlsx")
    spec = PeopleSpec(path="months.xlsx", id="Ref", person="HH", opened="Start", keys=["Type"])
    left = [(f.severity, f.where, f.message) for f in read_people(spec, tmp_path, key=KEY)[1] if f.rule == "sheets_left_out"]
    assert [severity for severity, _, _ in left] == ["warn", "note"]
    assert left[0][1] == "months.xlsx > 2024-02"
    assert "'Start'" in left[0][2]
    assert "'Lookups'" in left[1][2]
    whole, _ = read_people(spec.model_copy(update={"columns": {"Start": ["Start date"]}}), tmp_path, key=KEY)
    assert len(whole) == 24


def test_a_return_in_welsh_is_read(tmp_path: Path) -> None:
    months = ["Ionawr", "Chwefror", "Mawrth", "Ebrill", "Mai", "Mehefin", "Gorffennaf", "Awst", "Medi", "Hydref", "Tachwedd", "Rhagfyr"]
    lines = ["Mis;Ardal;Nifer"]
    for i in range(30):
        month = f"{months[i % 12]} {2021 + i // 12}"
        lines += [f"{month};Gogledd;{40 + i % 7}", f"{month};De;{60 + i % 5}", f"Is-gyfanswm;;{100 + i % 7 + i % 5}"]
    (tmp_path / "cy.csv").write_bytes("\n".join([*lines, "Cyfanswm;;3000", "Ffynhonnell: Cyngor"]).encode("utf-16"))
    history, findings = read_history(HistorySpec(path="cy.csv", date="Mis", value="Nifer", frequency="M", keys=["Ardal"]), tmp_path)
    assert {f.rule: f.count for f in findings if f.rule in ("total_rows", "footer")} == {"total_rows": 31, "footer": 1}
    assert history.table.groupby("unique_id")["y"].count().to_dict() == {"De": 30, "Gogledd": 30}
    assert history.last == pd.Timestamp("2023-06-01")
