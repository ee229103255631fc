"""A workbook that finance has changed, taken up in place of the config's numbers.

In: a RunConfig, and a workbook that a run wrote. Out: the config with the numbers of the sheet Assumptions, and what was changed, old and
new. Refuses files that are no such workbook, and what the sheet's reading refuses, all at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import pandas as pd
from pydantic import ValidationError

from demand.assumptions import numbers_in, with_numbers
from demand.errors import Fault, SettingsError
from demand.report.assumption_sheet import BUDGET, SHEET, budget_key
from demand.report.read_back import changes, with_changes
from pipelines.config import RunConfig

__all__ = ["edited"]


def edited(config: RunConfig, path: Path) -> tuple[RunConfig, pd.DataFrame]:
    """Take up the numbers of a workbook.

    Parameters
    ----------
    config : RunConfig
    path : Path
        A budget.xlsx, as a run wrote it, with other numbers in its input cells.

    Returns
    -------
    config : RunConfig
        With the numbers of the workbook.
    table : pandas.DataFrame
        `demand.assumptions.CHANGES`.

    Raises
    ------
    SettingsError
        With every fault, by cell.
    """
    numbers = {name: number for parts in config.numbers().values() for part in parts for name, number in numbers_in(part)}
    lines = config.budget.lines if config.budget else ()
    budgets = {budget_key(line.name, year): amount for line in lines for year, amount in line.years.items()}
    table = changes(_cells(path), numbers, budgets, file=path.name)
    moved = table[table["number"] != BUDGET]
    new = {str(name): with_changes(numbers[str(name)], rows) for name, rows in moved.groupby("assumption")}
    money = {str(r["assumption"]): float(r["new"]) for r in table[table["number"] == BUDGET].to_dict("records")}
    try:
        return RunConfig.model_validate(_replaced(config, new, money)), table
    except ValidationError as error:
        faults = [Fault(str(e["msg"]).removeprefix("Value error, "), f"{path.name} > {SHEET}") for e in error.errors(include_url=False)]
        raise SettingsError(faults, during=f"reading {path.name} back") from error


def _replaced(config: RunConfig, new: dict[str, Any], money: dict[str, float]) -> dict[str, Any]:
    """Give the config's fields, with other numbers in those that hold assumptions or budgets."""
    fields = {name: getattr(config, name) for name in RunConfig.model_fields}
    for name, part in fields.items():
        if name != "assumptions":
            several = isinstance(part, dict)
            fields[name] = {k: with_numbers(v, new) for k, v in part.items()} if several else with_numbers(part, new)
    if config.budget is not None and money:
        lines = [
            line.model_copy(update={"years": {y: money.get(budget_key(line.name, y), amount) for y, amount in line.years.items()}})
            for line in fields["budget"].lines
        ]
        fields["budget"] = fields["budget"].model_copy(update={"lines": tuple(lines)})
    return fields


def _cells(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise SettingsError(Fault("there is no such workbook", str(path), "The budget.xlsx of a run, with changed input cells"))
    try:
        return pd.read_excel(path, sheet_name=SHEET, header=None, dtype=object, keep_default_na=False, engine="openpyxl")
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        hint = "Give the budget.xlsx of a run; close it if it is open in another program"
        raise SettingsError(Fault(f"it cannot be read: {reason}", path.name, f"A workbook with the sheet {SHEET}", hint)) from error
