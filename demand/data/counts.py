"""The counts of a history: numbers that can have been counted, and counts that were hidden.

In: the column of counts of a file. Out: counts, each with the lowest and highest that it can be. Refuses text, negative counts, and numbers
without end. A hidden count is an interval, neither zero nor missing: models learn from its middle, and the interval stays beside it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from demand.data.cells import rows_text, to_text
from demand.data.files import RawTable
from demand.data.numbers import Numbers, decimal_commas
from demand.data.quality import Finding
from demand.errors import Fault, listed
from demand.tables import BOUNDS

__all__ = ["marked_figures", "read_counts", "read_figures", "with_bounds"]

FAR_ABOVE = 5.0
"""A mark that does not say what it hides, in a series that counts so many times more than it could: hidden for another reason."""


def read_counts(raw: RawTable, column: str, faults: list[Fault]) -> tuple[Numbers, np.ndarray]:
    """Read the column of counts.

    Parameters
    ----------
    raw : RawTable
    column : str
    faults : list of Fault
        Added to: what is no number, negative or without end.

    Returns
    -------
    counts : Numbers
    odd : numpy.ndarray
        bool, True where a row cannot be used.
    """
    counts, where = raw.numbers(column), f"{raw.name} > {column}"
    endless = np.isinf(counts.values)
    negative = (counts.values < 0) & ~endless
    if counts.wrong.any():
        marks = sorted(to_text(raw.data[column][counts.wrong]).unique())
        faults.append(Fault(f"{listed(marks)} instead of a number in {rows_text(raw.rows[counts.wrong])}", where=where,
                            allowed="A count is a number, such as 1234 or 1,234; '<5', '*' and '[c]' are hidden counts",
                            do_next="Ask for the counts; or, if a mark means that there is none, name it in 'missing', with 'gaps: leave'",
                            rule="not_a_number", rows=tuple(raw.rows[counts.wrong])))  # fmt: skip
    told = (
        (endless, "a count that is not finite", "A finite number", "not_finite"),
        (negative, "a negative count", "A count is 0 or more", "negative"),
    )
    for mask, found, allowed, rule in told:
        if mask.any():
            text = f"{found} in {rows_text(raw.rows[mask])}"
            faults.append(Fault(text, where=where, allowed=allowed, rule=rule, rows=tuple(raw.rows[mask])))
    return counts, counts.wrong | endless | negative


def with_bounds(table: pd.DataFrame, counts: Numbers, raw: RawTable, column: str) -> tuple[pd.DataFrame, list[Finding]]:
    """Put the counts into the table; hidden ones with their intervals.

    Parameters
    ----------
    table : pandas.DataFrame
        With `unique_id`, one row a row of the file.
    counts : Numbers
    raw : RawTable
    column : str

    Returns
    -------
    table : pandas.DataFrame
        y, and where any count is hidden also y_low and y_high. A mark that does not say what it hides, in a series whose other counts lie
        far above what it could, was hidden for another reason (so that a total gives nothing away): that count is not known.
    findings : list of Finding
    """
    where = f"{raw.name} > {column}"
    y, low, high = counts.values, counts.low, counts.high
    findings = marked_figures(raw, column)
    if not counts.hidden.any():
        return table.assign(y=y), findings
    known = pd.Series(np.where(counts.hidden, np.nan, y), index=table.index)
    usual = known.groupby(table["unique_id"]).transform("median").to_numpy()
    unknown = counts.assumed & (usual > FAR_ABOVE * np.maximum(high, 1.0))
    y, low, high = (np.where(unknown, np.nan, v) for v in (y, low, high))
    hidden = counts.hidden & ~unknown
    if hidden.any():
        spans = sorted({f"{a:g} to {b:g}" for a, b in zip(low[hidden], high[hidden], strict=True)})
        told = (
            f"hidden counts are taken as intervals ({', '.join(spans[:5])}): models learn from the middle of each, and the interval is kept"
        )
        findings.append(Finding.of("suppressed", "warn", where, rows=raw.rows[hidden], message=told))
    if unknown.any():
        told = "hidden counts in series that count far more than such marks hide: left empty. Say in 'suppressed' what they can stand for"
        findings.append(Finding.of("suppressed_unknown", "warn", where, rows=raw.rows[unknown], message=told))
    return table.assign(y=y, **dict(zip(BOUNDS, (low, high), strict=True))), findings


def marked_figures(raw: RawTable, column: str) -> list[Finding]:
    """Tell of figures on which something is hung: they are taken without it."""
    flagged = raw.numbers(column).flagged
    told = "numbers with a mark (revised, provisional, a footnote) are taken without it"
    where = f"{raw.name} > {column}"
    found = [Finding.of("marked_number", "note", where, rows=raw.rows[flagged], message=told)] if flagged.any() else []
    commas = decimal_commas(to_text(raw.data[column]).dropna().unique()) if raw.data[column].dtype == object else False
    told = "commas are taken as decimal ones: 12,5 is twelve and a half"
    return [*found, Finding.of("decimal_comma", "note", where, count=len(raw.rows), message=told)] if commas else found


def read_figures(raw: RawTable, column: str, faults: list[Fault]) -> np.ndarray:
    """Read a column of prices or other figures, which are not hidden as counts are.

    Parameters
    ----------
    raw : RawTable
    column : str
    faults : list of Fault
        Added to: what is no finite number.

    Returns
    -------
    numpy.ndarray
        float64, NaN where nothing is said.
    """
    numbers = raw.numbers(column)
    values, wrong = numbers.values, numbers.wrong | numbers.hidden | np.isinf(numbers.values)
    if wrong.any():
        faults.append(Fault(f"something else than a number in {rows_text(raw.rows[wrong])}", where=f"{raw.name} > {column}",
                            allowed="A finite number, or an empty cell", rule="not_a_number", rows=tuple(raw.rows[wrong])))  # fmt: skip
    return values
