"""The sheet Assumptions read back: which numbers finance has changed, from what to what, in which cell, and why.

In: the cells of the sheet as they lie, and the numbers of the config. Out: a table of changes. Refuses, all at once and by cell: a sheet
that is not the one that a run wrote, numbers that are none, ranges that do not hold their value, and names that the config does not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from demand.assumptions import CHANGES
from demand.errors import Fault, SettingsError, did_you_mean, raise_all
from demand.report.assumption_sheet import BUDGET, FIXED, KEY, SHEET
from demand.report.book import letter_of
from demand.spec import Assumption

__all__ = ["changes", "with_changes"]

NUMBERS = {"value": "Value", "low": "Low", "high": "High"}
SAME = 1e-12
"""Share of a number within which a spreadsheet program gives it back."""
AGAIN = "Write the workbook again with `demand report`, and change that one"


@dataclass(frozen=True)
class Grid:
    """The cells of the sheet, with the row of its headings found."""

    cells: pd.DataFrame
    file: str
    top: int
    columns: Mapping[str, int]
    faults: list[Fault] = field(default_factory=list)

    def at(self, row: int, name: str) -> Any:
        """Give what a cell holds; None where nothing."""
        value = self.cells.iat[row, self.columns[name]] if name in self.columns else None
        return None if value is None or (isinstance(value, float) and np.isnan(value)) or value == "" else value

    def address(self, row: int, name: str) -> str:
        """Give the address of a cell as the spreadsheet program shows it."""
        return f"{letter_of(self.columns[name])}{row + 1}"

    def number(self, row: int, name: str) -> float | None:
        """Give the number in a cell; None, and a fault, where there is none."""
        value = self.at(row, name)
        if isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value):
            return float(value)
        found = "the cell is empty" if value is None else f"'{value}' is not a number"
        place = f"{self.file} > {SHEET} > {self.address(row, name)}"
        self.faults.append(Fault(found, place, f"{name} of '{self.at(row, KEY)}'", "Type a number without a unit"))
        return None


def changes(cells: pd.DataFrame, numbers: Mapping[str, Assumption], budgets: Mapping[str, float], *, file: str) -> pd.DataFrame:
    """Compare the sheet with the config.

    Parameters
    ----------
    cells : pandas.DataFrame
        The sheet as it lies, without headings of its own.
    numbers : mapping
        The config's assumptions by their names in the ledger.
    budgets : mapping
        The config's budgets in GBP, by `budget_key`.
    file : str
        What the workbook is called.

    Returns
    -------
    pandas.DataFrame
        `CHANGES`: a row a number that differs, old and new.

    Raises
    ------
    SettingsError
        With every fault of the sheet.
    """
    grid = _grid(cells, file)
    found: list[dict[str, Any]] = []
    seen: set[str] = set()
    for row in range(grid.top + 1, len(cells)):
        key = grid.at(row, KEY)
        if key is None:
            continue
        name = str(key)
        if grid.at(row, "When a change counts") == FIXED:
            continue
        place = f"{file} > {SHEET} > {grid.address(row, KEY)}"
        if name in seen:
            grid.faults.append(Fault(f"'{name}' stands here twice", place, "One row a number", "Delete the row that was added"))
        seen.add(name)
        if name in numbers:
            found += _of_number(grid, row, numbers[name])
        elif name in budgets:
            found += _of_budget(grid, row, budgets[name])
        else:
            grid.faults.append(Fault(f"the config has no '{name}'", place, did_you_mean(name, [*numbers, *budgets]), AGAIN))
    for name in sorted(set(numbers) - seen):
        grid.faults.append(Fault(f"'{name}' of the config is not on the sheet", f"{file} > {SHEET}", do_next=AGAIN))
    raise_all(grid.faults, SettingsError, during=f"reading {file} back")
    return pd.DataFrame(found, columns=CHANGES)


def with_changes(number: Assumption, table: pd.DataFrame) -> Assumption:
    """Give a number with its changes: the rows of `changes` that are about it."""
    new = {str(row["number"]): float(row["new"]) for row in table.to_dict("records")}
    return Assumption.model_validate({**number.model_dump(), **new})


def _grid(cells: pd.DataFrame, file: str) -> Grid:
    for row in range(len(cells)):
        names = {str(v): i for i, v in enumerate(cells.iloc[row]) if isinstance(v, str)}
        if {"Assumption", *NUMBERS.values(), KEY} <= set(names):
            return Grid(cells, file, row, names)
    allowed = f"A row with the headings Assumption, Value, Low, High and {KEY}"
    raise SettingsError(Fault("the headings are not there", f"{file} > {SHEET}", allowed, AGAIN))


def _of_number(grid: Grid, row: int, number: Assumption) -> Iterator[dict[str, Any]]:
    typed = {name: grid.number(row, heading) for name, heading in NUMBERS.items()}
    value, low, high = typed["value"], typed["low"], typed["high"]
    unit = grid.at(row, "Unit")
    if unit is not None and str(unit) != number.unit:
        place = f"{grid.file} > {SHEET} > {grid.address(row, 'Unit')}"
        grid.faults.append(Fault(f"the unit '{unit}' of '{grid.at(row, KEY)}'", place, number.unit, "Change units in the config, not here"))
    if value is None or low is None or high is None:
        return
    if not low <= value <= high:
        place = f"{grid.file} > {SHEET} > {grid.address(row, 'Value')}:{grid.address(row, 'High')}"
        found = f"the range {low:g} to {high:g} of '{grid.at(row, KEY)}' does not hold the value {value:g}"
        grid.faults.append(Fault(found, place, "Low is not above the value, and high not below it", "Change the range with the value"))
        return
    for name, new in (("value", value), ("low", low), ("high", high)):
        old = float(getattr(number, name))
        if abs(new - old) > SAME * max(1.0, abs(old)):
            yield _change(grid, row, name, old=old, new=new, unit=number.unit)


def _of_budget(grid: Grid, row: int, old: float) -> Iterator[dict[str, Any]]:
    new = grid.number(row, "Value")
    if new is None:
        return
    if new < 0:
        place = f"{grid.file} > {SHEET} > {grid.address(row, 'Value')}"
        grid.faults.append(Fault(f"a budget of {new:,.2f}", place, "A budget is not below zero"))
    elif abs(new - old) > 0.005:
        yield _change(grid, row, BUDGET, old=old, new=new, unit="GBP")


def _change(grid: Grid, row: int, number: str, *, old: float, new: float, unit: str) -> dict[str, Any]:
    cell = grid.address(row, NUMBERS.get(number, "Value"))
    said = {column: str(grid.at(row, heading) or "") for column, heading in (("changed_by", "Changed by"), ("why", "Why it was changed"))}
    return {
        "sheet": SHEET,
        "cell": cell,
        "assumption": str(grid.at(row, KEY)),
        "number": number,
        "old": old,
        "new": new,
        "unit": unit,
        **said,
    }
