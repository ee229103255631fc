"""The ledger in the year: budgets and what has been spent, by budget line, to the end of a finance period.

In: the settings of a download of the ledger. Out: one row a line at its latest period, in pounds; what is of no line is told, with its sum.
Refuses, all at once and with row numbers: amounts that are none, periods that are none, and lines that the budget does not have.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from demand.calendar import FinancialYear
from demand.data.cells import rows_text, to_text
from demand.data.files import FileSpec, RawTable, open_table
from demand.data.quality import Finding
from demand.errors import DataError, Fault, SettingsError, did_you_mean, listed, raise_all
from demand.spec import NameList

__all__ = ["LEDGER_COLUMNS", "ActualsSpec", "read_actuals"]

LEDGER_COLUMNS = ["line", "financial_year", "period", "original_budget", "virement", "current_budget", "actual", "accrual", "commitment"]
PERIOD = re.compile(r"^\s*(?:p|period|month|m)?\s*0*(\d{1,2})\s*$", re.IGNORECASE)
TOTALS = re.compile(r"\b(sub-?total|total|cyfanswm)\b", re.IGNORECASE)
MOST_PERIODS = 16
"""Twelve months, and the closing periods after them."""


class ActualsSpec(FileSpec):
    """A download of the ledger: what is set aside and what has been spent in the current financial year, to the end of a period."""

    line: str = "line"
    """The column that says what a row is of: the budget line itself, or a cost centre (see `lines`)."""
    lines: dict[str, NameList] = Field(default_factory=dict)
    """Budget line -> the values of that column which belong to it; where nothing is said, the values are the lines' own names."""
    year: str = "financial_year"
    """The column of financial years: 2026-27."""
    period: str = "period"
    """The column of finance periods: P01 (the first month) to P12, and the closing periods after them, which count as the whole year."""
    original_budget: str = "original_budget"
    """The column of the budget as it was set."""
    virement: str | None = None
    """The column of what was moved to or from the line since."""
    actual: str = "actual_to_date"
    """The column of what has been paid since the year began, to the end of the period."""
    accrual: str | None = None
    """The column of what was received and is not yet paid: it is added to the actual."""
    commitment: str | None = None
    """The column of what is committed (orders raised) for the rest of the year."""
    commitments: Literal["within", "beside"] = "within"
    """within: they are for demand that the forecast prices too, so only what it comes to beyond them is added. beside: they are for things
    that it does not price, and are added to it."""
    basis: Literal["net", "gross"] = "net"
    """net: the ledger's amounts are after income and grants. gross: before them."""
    previous: str | None = None
    """The outturn.csv of the month before (or the folder of its run): projections are told with their movement since."""


def read_actuals(spec: ActualsSpec, folder: Path, *, lines: Sequence[str], start_month: int = 4) -> tuple[pd.DataFrame, list[Finding]]:
    """Read the ledger.

    Parameters
    ----------
    spec : ActualsSpec
    folder : pathlib.Path
        Where a relative path is looked up.
    lines : sequence of str
        The budget's lines.
    start_month : int
        The month in which financial years begin.

    Returns
    -------
    table : pandas.DataFrame
        `LEDGER_COLUMNS`: a row a line, at the last period of the last financial year in the file, in GBP; rows of one line are added up.
    findings : list of Finding

    Raises
    ------
    DataError
        With every fault of the file at once.
    """
    named = {"line": spec.line, "year": spec.year, "period": spec.period, "original budget": spec.original_budget, "actual": spec.actual}
    optional = {"virement": spec.virement, "accrual": spec.accrual, "commitment": spec.commitment}
    raw = open_table(spec, folder, columns=named | {k: v for k, v in optional.items() if v})
    of = to_text(raw.data[spec.line], spec.missing)
    known = {value: line for line, values in (spec.lines or {n: [n] for n in lines}).items() for value in values}
    faults = list(raw.faults) + [
        Fault(f"'{line}' is not a line of the budget", where="data > actuals > lines", allowed=did_you_mean(line, lines))
        for line in spec.lines
        if line not in lines
    ]
    periods, wrong = _periods(raw, spec, start_month)
    faults += wrong
    amounts = {}
    for name, column in {"original_budget": spec.original_budget, "actual": spec.actual, **optional}.items():
        if column is None:
            amounts[name] = np.zeros(len(raw.data))
            continue
        read = raw.numbers(column)
        if (odd := read.wrong | read.hidden).any():
            faults.append(
                Fault(
                    f"no amount in {rows_text(raw.rows[odd])}",
                    where=f"{raw.name} > {column}",
                    allowed="Pounds, such as 1,234.50",
                    do_next="Where a mark means that there is no amount, name it in 'missing'",
                    rule="not_a_number",
                    rows=tuple(raw.rows[odd]),
                )
            )
        amounts[name] = np.where(np.isnan(read.values), 0.0, read.values)  # an empty cell of a ledger is nothing spent
    raise_all(faults, DataError, during=f"reading {raw.name}")
    table = periods.assign(line=of.map(known), of=of, row=raw.rows, **amounts)
    found, findings = _latest(table, raw, lines)
    return found, [*raw.findings, *findings]


def _periods(raw: RawTable, spec: ActualsSpec, start_month: int) -> tuple[pd.DataFrame, list[Fault]]:
    years, periods = to_text(raw.data[spec.year], spec.missing), to_text(raw.data[spec.period], spec.missing)
    faults, good = [], np.ones(len(raw.data), dtype=bool)
    for label in years.dropna().unique():
        try:
            FinancialYear.parse(str(label), start_month)
        except SettingsError as error:
            faults.append(Fault(str(error), where=f"{raw.name} > {spec.year}"))
    found = [PERIOD.match(p) if isinstance(p, str) else None for p in periods]
    number = np.array([int(m[1]) if m else 0 for m in found])
    good = (number >= 1) & (number <= MOST_PERIODS) & years.notna().to_numpy()
    if not good.all():
        faults.append(Fault(f"no finance period or no year in {rows_text(raw.rows[~good])}", where=f"{raw.name} > {spec.period}",
                            allowed="P01 to P12, or 1 to 12, and closing periods after them"))  # fmt: skip
    return pd.DataFrame({"financial_year": years.to_numpy(), "period": number}), faults


def _latest(table: pd.DataFrame, raw: RawTable, lines: Sequence[str]) -> tuple[pd.DataFrame, list[Finding]]:
    """Add up the rows of each line at the last period, and tell what was left out."""
    findings: list[Finding] = []
    now = table[table["financial_year"] == table["financial_year"].max()]
    now = now[now["period"] == now["period"].max()]
    loose = now[now["line"].isna()]
    totals = loose["of"].map(lambda v: v is None or TOTALS.search(v) is not None).astype(bool)
    if totals.any():
        told = "rows of totals, or without a name, were left out: their lines are there themselves"
        findings.append(Finding.of("ledger_total", "note", raw.name, rows=loose.loc[totals, "row"], message=told))
    if len(rest := loose[~totals]):
        told = f"rows of no budget line were left out ({listed(rest['of'].unique())}); actual to date {rest['actual'].sum():,.0f} GBP"
        findings.append(Finding.of("ledger_line", "warn", raw.name, rows=rest["row"], message=told))
    kept = now.dropna(subset=["line"])
    if kept.empty:
        raise DataError(Fault("no row of the ledger is of a line of the budget", where=raw.name, allowed=f"The lines: {listed(lines)}",
                              do_next="Say which values belong to which line in data.actuals.lines"))  # fmt: skip
    out = kept.groupby("line", sort=False)[["original_budget", "virement", "actual", "accrual", "commitment"]].sum()
    missing = [line for line in lines if line not in out.index]
    if missing:
        told = f"nothing in the ledger at P{int(now['period'].iloc[0]):02d} for {listed(missing)}: these lines have no projected outturn"
        findings.append(Finding.of("ledger_gap", "warn", raw.name, count=len(missing), message=told))
    out = out.reindex([line for line in lines if line in out.index]).rename_axis("line").reset_index()
    out = out.assign(financial_year=now["financial_year"].iloc[0], period=int(now["period"].iloc[0]))
    return out.assign(current_budget=out["original_budget"] + out["virement"])[LEDGER_COLUMNS], findings
