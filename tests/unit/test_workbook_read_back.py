"""The sheet Assumptions read back: changes old and new, by cell; faults all at once; the config that they make."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from live_case import FEWER, SPEC, TEAM, made_live, prices
from openpyxl import load_workbook

from demand.assumptions import marked, numbers_in, with_numbers
from demand.errors import SettingsError
from demand.report.workbook import workbook
from pipelines.config import RunConfig
from pipelines.edits import edited

CONFIG = RunConfig.model_validate(
    {
        "name": "made",
        "data": {"example": {"name": "council"}},
        "forecast": {"horizon": 33},
        "costs": [c.model_dump() for c in prices()],
        "scenarios": {"fewer": FEWER.model_dump(exclude={"name"})},
        "budget": SPEC.model_dump(),
        "fixed_costs": [TEAM.model_dump()],
    }
)


def sheet_with(changes: dict[str, dict[str, Any]], folder: Path) -> Path:
    """Write the workbook with other cells: name in the config -> heading -> value."""
    book = load_workbook(io.BytesIO(workbook(made_live())))
    sheet = book["Assumptions"]
    heads = {c.value: c.column for row in sheet.iter_rows() if row[0].value == "Assumption" for c in row}
    rows = {row[heads["Name in the config"] - 1].value: row[0].row for row in sheet.iter_rows()}
    for name, cells in changes.items():
        for heading, value in cells.items():
            sheet.cell(rows[name], heads[heading]).value = value
    path = folder / "from finance.xlsx"
    book.save(path)
    return path


def test_a_workbook_that_was_not_changed_changes_nothing(tmp_path: Path) -> None:
    config, table = edited(CONFIG, sheet_with({}, tmp_path))
    assert table.empty
    assert config.fingerprint == CONFIG.fingerprint


def test_changes_are_listed_old_and_new_and_taken_up(tmp_path: Path) -> None:
    path = sheet_with(
        {
            "bed and breakfast: amount": {"Value": 610, "High": 700.5, "Changed by": "A. Accountant", "Why it was changed": "new contract"},
            "fewer: fewer": {"Value": 0.85},
            "budget: hostels: 2027-28": {"Value": 1_234_567.89},
        },
        tmp_path,
    )
    config, table = edited(CONFIG, path)
    told = {(r.assumption, r.number): (r.old, r.new, r.unit) for r in table.itertuples()}
    assert told == {
        ("bed and breakfast: amount", "value"): (500.0, 610.0, "GBP/household/week"),
        ("bed and breakfast: amount", "high"): (600.0, 700.5, "GBP/household/week"),
        ("fewer: fewer", "value"): (0.9, 0.85, "ratio"),
        ("budget: hostels: 2027-28", "budget"): (1_000_000.0, 1_234_567.89, "GBP"),
    }
    assert set(table["sheet"]) == {"Assumptions"}
    assert table["cell"].str.match(r"^[BD]\d+$").all()
    assert (config.costs[0].amount.value, config.costs[0].amount.low, config.costs[0].amount.high) == (610.0, 450.0, 700.5)
    assert config.costs[1:] == CONFIG.costs[1:]
    assert config.scenarios["fewer"].changes[0].size.value == 0.85
    assert config.budget is not None
    assert config.budget.lines[1].years["2027-28"] == 1_234_567.89
    assert config.budget.lines[0] == SPEC.lines[0]
    ledger = made_live().assumptions
    assert ledger is not None
    sources = dict(zip(ledger["name"], marked(ledger, table)["source"], strict=True))
    assert sources["bed and breakfast: amount"].startswith("edited in the workbook by A. Accountant, value 500 -> 610 (B")
    assert sources["bed and breakfast: amount"].endswith(": new contract. Before: test")
    assert sources["hostel place: amount"] == "test"


def test_every_fault_is_told_at_once_with_its_cell(tmp_path: Path) -> None:
    path = sheet_with(
        {
            "bed and breakfast: amount": {"Value": "about 600"},
            "hostel place: amount": {"Value": 999},
            "security: amount": {"Low": None},
            "fewer: fewer": {"Name in the config": "fever: fewer"},
            "budget: rooms: 2026-27": {"Value": -1},
        },
        tmp_path,
    )
    with pytest.raises(SettingsError) as caught:
        edited(CONFIG, path)
    told = str(caught.value)
    assert "6 faults while reading from finance.xlsx back" in told
    for part in ("'about 600' is not a number", "does not hold the value 999", "the cell is empty", "'fever: fewer'", "a budget of -1.00"):
        assert part in told
    assert "'fewer: fewer' of the config is not on the sheet" in told
    assert "from finance.xlsx > Assumptions > B" in told


@pytest.mark.parametrize(("content", "told"), [(None, "no such workbook"), (b"no workbook", "cannot be read"), ("sheet", "headings")])
def test_what_is_no_such_workbook_is_refused(content: object, told: str, tmp_path: Path) -> None:
    path = tmp_path / "budget.xlsx"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        path = sheet_with({}, tmp_path)
        book = load_workbook(path)
        book["Assumptions"].delete_rows(1, 5)
        book.save(path)
    with pytest.raises(SettingsError, match=told):
        edited(CONFIG, path)


def test_numbers_are_put_where_they_were_found() -> None:
    found = dict(numbers_in([*CONFIG.costs, *CONFIG.scenarios.values()]))
    new = {name: number.model_copy(update={"source": "other"}) for name, number in found.items()}
    again = [with_numbers(part, new) for part in [*CONFIG.costs, *CONFIG.scenarios.values()]]
    assert dict(numbers_in(again)) == new
    assert with_numbers(CONFIG.costs, {}) == CONFIG.costs


def test_numbers_found_in_the_extract_are_fixed_and_not_read_back(tmp_path: Path) -> None:
    inputs = made_live()
    assert inputs.assumptions is not None
    found = inputs.assumptions.assign(
        used_in=inputs.assumptions["used_in"].where(inputs.assumptions["name"] != "security: amount", "prices")
    )
    path = tmp_path / "budget.xlsx"
    path.write_bytes(workbook(replace(inputs, assumptions=found)))
    sheet = load_workbook(path)["Assumptions"]
    row = next(row for row in sheet.iter_rows() if row[17].value == "security: amount")
    assert str(row[10].value).startswith("Fixed")
    assert row[1].protection.locked
    without = CONFIG.model_copy(update={"costs": CONFIG.costs[:2]})
    assert edited(without, path)[1].empty


def test_a_changed_unit_and_a_row_that_stands_twice_are_refused(tmp_path: Path) -> None:
    path = sheet_with(
        {"hostel place: amount": {"Unit": "GBP/household/night"}, "security: amount": {"Name in the config": "bed and breakfast: amount"}},
        tmp_path,
    )
    with pytest.raises(SettingsError) as caught:
        edited(CONFIG, path)
    assert "the unit 'GBP/household/night' of 'hostel place: amount'" in str(caught.value)
    assert "'bed and breakfast: amount' stands here twice" in str(caught.value)
