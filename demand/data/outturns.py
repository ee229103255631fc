"""What was spent in years that are over: the ledger's outturn by budget line.

In: a file with a row a line (or cost centre) and financial year, or a finance period of it. Out: GBP by line and year; numbers as finance
writes them ("(1,234)", "1234-", £000) are understood. Refuses years that are none and amounts that are no numbers, with their rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from pydantic import Field

from demand.calendar import FinancialYear
from demand.data.cells import rows_text, to_text
from demand.data.files import FileSpec, open_table
from demand.data.quality import Finding, ReadingError
from demand.errors import Fault, SettingsError, did_you_mean, listed
from demand.spec import NameList

__all__ = ["OutturnSpec", "read_outturns"]


class OutturnSpec(FileSpec):
    """A ledger of years that are over."""

    line: str = "line"
    """The column that says what a row is of: the budget line itself, or a cost centre (see `lines`)."""
    lines: dict[str, NameList] = Field(default_factory=dict)
    """Budget line -> the values of that column which belong to it; where nothing is said, the values are the lines' own names."""
    year: str = "financial_year"
    """The column of financial years: 2025-26."""
    amount: str = "actual"
    """The column of what was spent in the row's year or period (not since the year began), gross of income and grants: rows of one line
    and year are added up. In thousands where its name says £000."""


def read_outturns(spec: OutturnSpec, folder: Path, *, lines: Sequence[str], start_month: int = 4) -> tuple[pd.DataFrame, list[Finding]]:
    """Read what was spent.

    Parameters
    ----------
    spec : OutturnSpec
    folder : pathlib.Path
        Where a relative path is looked up.
    lines : sequence of str
        The budget's lines.
    start_month : int
        The month in which financial years begin.

    Returns
    -------
    table : pandas.DataFrame
        line, financial_year, outturn (GBP).
    findings : list of Finding
        How the file was read, and which rows belong to no budget line, with their sum.

    Raises
    ------
    DataError
        Where the file cannot be read.
    ReadingError
        With every fault of the file at once, and what else was found.
    """
    raw = open_table(spec, folder, columns={"line": spec.line, "financial year": spec.year, "amount": spec.amount})
    of, years, amounts = to_text(raw.data[spec.line], spec.missing), to_text(raw.data[spec.year], spec.missing), raw.numbers(spec.amount)
    known = {value: line for line, values in (spec.lines or {n: [n] for n in lines}).items() for value in values}
    faults = list(raw.faults) + [
        Fault(f"'{line}' is not a line of the budget", where="data > outturn > lines", allowed=did_you_mean(line, lines))
        for line in spec.lines
        if line not in lines
    ]
    for label in years.dropna().unique():
        try:
            FinancialYear.parse(str(label), start_month)
        except SettingsError as error:
            faults += [Fault(f.found, where=f"{raw.name} > {spec.year}", allowed=f.allowed) for f in error.faults]
    odd, bare = amounts.wrong | amounts.hidden, years.isna().to_numpy() & of.isin(known).to_numpy()
    if odd.any():
        faults.append(Fault(f"no amount in {rows_text(raw.rows[odd])}", where=f"{raw.name} > {spec.amount}", allowed="Pounds: 1,234.50",
                            do_next="Where a mark means that there is no amount, name it in 'missing'",
                            rule="not_a_number", rows=tuple(raw.rows[odd])))  # fmt: skip
    if bare.any():
        faults.append(Fault(f"no year in {rows_text(raw.rows[bare])}", where=f"{raw.name} > {spec.year}"))
    findings = list(raw.findings)
    if faults:
        raise ReadingError(faults, findings=findings, during=f"reading {raw.name}")
    table = pd.DataFrame({"line": of.map(known), "of": of, "financial_year": years, "outturn": amounts.values}).dropna(subset=["outturn"])
    loose = table[table["line"].isna() & table["of"].notna()]
    if len(loose):
        told = (
            f"{len(loose)} rows are of no budget line and were left out ({listed(loose['of'].unique())}; {loose['outturn'].sum():,.0f} GBP)"
        )
        findings.append(Finding.of("ledger_line", "warn", raw.name, rows=raw.rows[loose.index], message=told))
    return table.dropna(subset=["line", "financial_year"]).groupby(["line", "financial_year"], as_index=False)["outturn"].sum(), findings
