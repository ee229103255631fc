"""The live workbook, recalculated by LibreOffice: before and after an input was changed it tells what Python tells."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from live_case import FEWER, SPEC, TEAM, made_live, prices
from openpyxl import load_workbook
from spreadsheet import recalculated

from demand.budget import BudgetSpec, UnitCost
from demand.report import ReportInput
from demand.report.workbook import workbook
from pipelines.config import RunConfig
from pipelines.edits import edited as taken_up

NAMES = {"baseline": "No change", "fewer": "Fewer"}


def edited(inputs: ReportInput, changes: dict[str, tuple[float, ...]], path: Path) -> None:
    """Write a workbook with changed numbers on the sheet Assumptions, by the name in the config."""
    book = load_workbook(io.BytesIO(workbook(inputs)))
    sheet = book["Assumptions"]
    heads = next(row for row in sheet.iter_rows() if row[0].value == "Assumption")
    key = next(c.column for c in heads if c.value == "Name in the config")
    for name, values in changes.items():
        row = next(r for r in range(heads[0].row, sheet.max_row + 1) if sheet.cell(r, key).value == name)
        for i, value in enumerate(values):
            sheet.cell(row, 2 + i).value = value
    book.save(path)  # openpyxl drops the stored values: what is read below has been worked out anew


def label(name: str) -> str:
    return "All lines" if name == "total" else name.capitalize()


def agree(book: Any, expected: ReportInput) -> None:
    """Hold every figure of the sheets Budget and Risk against Python's."""
    assert expected.budget is not None
    assert expected.risk is not None
    told = {tuple(str(c.value) for c in row[:3]): [c.value for c in row] for row in book["Budget"].iter_rows()}
    for line in expected.budget.itertuples():
        cells = told[NAMES[line.scenario], line.financial_year, label(line.line)]
        assert round(cells[5] * 100) == line.expected_pence
        for cell, pence in zip(cells[7:10], (line.p10_pence, line.p50_pence, line.p90_pence), strict=True):
            assert abs(cell * 100 - pence) < 100
        if pd.notna(line.budget_pence):
            assert round(cells[4] * 100) == line.budget_pence
            assert round(cells[6] * 100) == line.expected_pence - line.budget_pence
            assert cells[10] == pytest.approx(line.p_overspend, abs=1e-9)
    risks = {(r[0].value, r[2].value, r[1].value): [c.value for c in r] for r in book["Risk"].iter_rows()}
    for line in expected.risk.itertuples():
        cells = risks[NAMES[line.scenario], line.financial_year, label(line.line)]
        assert cells[3] == pytest.approx(line.p_overspend, abs=1e-9)
        pences = (line.reserve_p80_pence, line.reserve_p95_pence, line.expected_overspend_pence, line.overspend_if_it_happens_pence)
        for cell, pence in zip(cells[4:8], pences, strict=True):
            assert (cell in (None, "") and pd.isna(pence)) or abs(cell * 100 - pence) < 100
    errors = [c.value for s in book.worksheets for r in s.iter_rows() for c in r if isinstance(c.value, str) and c.value.startswith("#")]
    assert errors == []


def dearer(costs: Sequence[UnitCost]) -> list[UnitCost]:
    amount = costs[0].amount.model_copy(update={"value": 610.5, "low": 480.0, "high": 733.25})
    uplift = costs[0].uplift.model_copy(update={"value": 0.04, "low": -0.01, "high": 0.09}) if costs[0].uplift else None
    return [costs[0].model_copy(update={"amount": amount, "uplift": uplift}), *costs[1:]]


def with_more(spec: BudgetSpec) -> BudgetSpec:
    more = spec.lines[0].model_copy(update={"years": {**spec.lines[0].years, "2027-28": 2_400_000.0}})
    return spec.model_copy(update={"lines": (more, *spec.lines[1:])})


@pytest.mark.parametrize("own_prices", [False, True])
def test_every_figure_is_pythons_before_and_after_inputs_were_changed(own_prices: bool, tool: Callable[[str], str], tmp_path: Path) -> None:
    inputs = made_live(own_prices=own_prices)
    edited(inputs, {}, tmp_path / "before.xlsx")
    before = recalculated(tool, tmp_path / "before.xlsx", tmp_path)
    agree(before, inputs)
    assert {row[4].value for row in before["Checks"].iter_rows(min_row=5) if row[0].value} == {"yes"}
    periods = [[c.value for c in row] for row in before["Finance periods"].iter_rows()]
    assert {row[12] for row in periods if row[4] == "The year"} == {"yes"}
    assert inputs.finance_periods is not None
    owed = [round(row[11] * 100) for row in periods if str(row[3]).isdigit()]
    assert owed == inputs.finance_periods["owed_pence"].tolist()
    changes = {
        "bed and breakfast: amount": (610.5, 480.0, 733.25),
        "bed and breakfast: uplift": (0.04, -0.01, 0.09),
        "budget: rooms: 2027-28": (2_400_000.0,),
        "team: amount": (150_000.0, 100_000.0, 160_000.0),
    }
    edited(inputs, changes, tmp_path / "after.xlsx")
    after = recalculated(tool, tmp_path / "after.xlsx", tmp_path)
    team = TEAM.model_copy(update={"amount": TEAM.amount.model_copy(update={"value": 150_000.0, "low": 100_000.0, "high": 160_000.0})})
    agree(after, made_live(dearer(prices()), with_more(SPEC), own_prices=own_prices, team=team))
    assert "inputs were changed" in {row[4].value for row in after["Checks"].iter_rows(min_row=5)}
    states = [c.value for row in after["Assumptions"].iter_rows() for c in row]
    assert states.count("changed") == 4


def test_without_lines_the_one_total_is_live_too(tool: Callable[[str], str], tmp_path: Path) -> None:
    inputs = made_live(spec=BudgetSpec())
    edited(inputs, {"hostel place: amount": (333.0, 250.0, 350.0)}, tmp_path / "one.xlsx")
    costs = prices()
    costs[1] = costs[1].model_copy(update={"amount": costs[1].amount.model_copy(update={"value": 333.0, "high": 350.0})})
    after = recalculated(tool, tmp_path / "one.xlsx", tmp_path)
    expected = made_live(costs, BudgetSpec())
    assert expected.budget is not None
    told = {tuple(str(c.value) for c in row[:3]): row[5].value for row in after["Budget"].iter_rows()}
    for line in expected.budget.itertuples():
        assert round(told[NAMES[line.scenario], line.financial_year, "All lines"] * 100) == line.expected_pence


def test_a_workbook_that_libreoffice_saved_is_read_back_to_the_same_figures(tool: Callable[[str], str], tmp_path: Path) -> None:
    config = RunConfig.model_validate(
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
    changes = {"hostel place: amount": (310.25, 250.0, 399.0), "budget: hostels: 2026-27": (1_111_111.11,)}
    edited(made_live(), changes, tmp_path / "finance.xlsx")
    saved = recalculated(tool, tmp_path / "finance.xlsx", tmp_path)
    now, table = taken_up(config, tmp_path / "out" / "finance.xlsx")
    assert sorted(table["number"]) == ["budget", "high", "value"]
    assert now.budget is not None
    agree(saved, made_live(now.costs, now.budget))
