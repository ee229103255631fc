"""Where the table lies within a sheet: below which titles, under which names, and which rows are no data.

In: the cells of a sheet as they stand, and the columns that are looked for. Out: the names of the columns, and the rows that are titles,
totals, footers or names told again. Refuses nothing; rows are left out only where they can be nothing else, and every one is listed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from demand.data.cells import filled, matches
from demand.data.formats import period_columns
from demand.data.numbers import to_numbers

__all__ = ["HEAD_ROWS", "SAYS_TOTAL", "WHOLE_TOTAL", "Header", "find_header", "furniture", "same_name"]

HEAD_ROWS = 40
"""The names of the columns stand in one of so many first rows."""
TOTAL = re.compile(r"(?:grand |sub[- ]?|overall |report )?totals?\b|(?:is-?)?gyfanswm\b|cyfanswm\b|sum of\b", re.IGNORECASE)
SAYS_TOTAL = re.compile(r"^\s*(?:" + TOTAL.pattern + ")", re.IGNORECASE)
FOOTER = re.compile(
    r"(?:report )?(?:run|printed|produced|generated|exported|created|extracted) (?:by|on|at|from)\b|page \d|end of (?:report|extract|file)"
    r"|sources?\b|notes?\b|\* |\[[a-z]\] |©|crown copyright|data (?:are|is) rounded|\d+ rows?\b|rows? (?:returned|selected)",
    re.IGNORECASE,
)
WHOLE_TOTAL = re.compile(r"^\s*(?:(?:(?:grand|overall|report) )?(?:sub[- ]?)?totals?|(?:is-?)?gyfanswm|cyfanswm)\s*:?\s*$", re.IGNORECASE)
"""A cell that says total and nothing else: "Total presentations" may be the name of a series."""
ENDS_TOTAL = re.compile(r"\s(?:sub[- ]?)?totals?$|\scyfanswm$", re.IGNORECASE)
UNIT_WORDS = re.compile(
    r"\(?(?:number|no\.?|n|count|%|per cent|percentage|rate|£|£\W?000s?|£m|households|people|persons|children|cases|placements|packages"
    r"|days|nights|weeks|hours|units|nifer)\)?",
    re.IGNORECASE,
)
WORDS = re.compile(r"\w+\W+\w+")
DATE = re.compile(
    r"\d{1,4}[/. -]|(?:\d{1,2} )?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ -]'?\d{2,4}$|q[1-4]\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Header:
    """The names of the columns and where they stand.

    Parameters
    ----------
    first : int
        How many rows lie above.
    depth : int
        1, or 2 where the names are told in two rows.
    names : list of str
        One a column; "column 3" where there is none.
    """

    first: int
    depth: int
    names: list[str]

    def below(self, rows: int) -> Header:
        """Give the same header so many rows further down."""
        return Header(self.first + rows, self.depth, self.names)


def same_name(name: str) -> str:
    """Give a name as it is compared: without case, blanks, - and _.

    Examples
    --------
    >>> same_name("Date Opened") == same_name("date_opened")
    True
    """
    return re.sub(r"[\s_\-]+", "", name).casefold()


def find_header(head: pd.DataFrame, expected: Sequence[str], *, periods: bool = False) -> Header:
    """Find the row, or the two rows, in which the names of the columns stand.

    Parameters
    ----------
    head : pandas.DataFrame
        The first rows of the sheet, as text.
    expected : sequence of str
        The names that are looked for. Without any, the names are the first row of words, as wide as what follows and without numbers.
    periods : bool
        Whether columns named by periods are looked for, too.

    Returns
    -------
    Header
        Where no row has any of the names: the first row that has something in it.
    """
    cells = [[str(v).strip() if pd.notna(v) else "" for v in row] for row in head.itertuples(index=False)]
    wanted = {same_name(e) for e in expected}
    best, most = _first_wide(cells), (0, 0)
    for first, row in enumerate(cells):
        for names, depth in ((row, 1), (_joined(cells, first), 2)):
            found = (len(wanted & {same_name(n) for n in names}), len(period_columns(names)) if periods else 0)
            if found > most:
                best, most = Header(first, depth, names), found
        if most[0] == len(wanted) > 0 and (most[1] or not periods):
            break
    last = max((i + 1 for i, n in enumerate(best.names) if n), default=0)
    return Header(best.first, best.depth, [n or f"column {i + 1}" for i, n in enumerate(best.names[:last])])


def _joined(cells: list[list[str]], first: int) -> list[str]:
    """Join two rows of names: a name above several columns (a merged cell) stands before each of the names below."""
    if first + 1 >= len(cells) or not any(cells[first]):
        return []
    above, names = "", []
    for top, low in zip(cells[first], cells[first + 1], strict=True):
        above = top or above
        names.append(" ".join(part for part in (above if low else top, low) if part))
    return names


def _first_wide(cells: list[list[str]]) -> Header:
    """Take the first row of words that is as wide as most of the rows below it; or another one below an empty row, before the figures."""
    found: Header | None = None
    for first, row in enumerate(cells):
        figures = _numeric(row) and not period_columns(row)
        if found is not None and figures:
            break
        below = [sum(map(bool, r)) for r in cells[first + 1 : first + 12] if any(r)]
        wide = sum(map(bool, row)) >= max(2, 0.7 * float(np.median(below))) if below else any(row)
        if wide and not figures and (found is None or not any(cells[first - 1])):
            found = _with_neighbour(cells, first)
    return found or Header(0, 1, cells[0] if cells else [])


def _with_neighbour(cells: list[list[str]], first: int) -> Header:
    """Join a row of names with the one below, where that stands under merged cells, or with the one above, where its own are told twice."""
    row, two, above = cells[first], _joined(cells, first), _joined(cells, first - 1) if first else []
    gaps = sum(map(bool, row)) < len(row) or len(set(row)) < len(row)
    if gaps and two and all(two[1:]) and not _numeric(cells[first + 1]) and any(map(_numeric, cells[first + 2 : first + 6])):
        return Header(first, 2, two)
    if len(set(filter(None, row))) < sum(map(bool, row)) and len(set(above)) == len(above) > 0 and sum(map(bool, cells[first - 1])) > 1:
        return Header(first - 1, 2, above)
    return Header(first, 1, row)


def _numeric(row: Sequence[str]) -> bool:
    """Say whether a row holds figures or days, as rows of data do."""
    given = pd.Series([c for c in row if c], dtype=object)
    numbers = to_numbers(given)
    return bool((~numbers.wrong & np.isfinite(numbers.values)).any()) or any(DATE.match(c) and c[:1].isdigit() for c in given)


def furniture(
    data: pd.DataFrame, anchors: Sequence[str], names: Mapping[str, str], *, totals: re.Pattern[str] | None = SAYS_TOTAL
) -> dict[str, np.ndarray]:
    """Find the rows that are no data.

    Parameters
    ----------
    data : pandas.DataFrame
        The rows below the names.
    anchors : sequence of str
        Columns that every row of data fills: the date, the reference.
    names : mapping of str to str
        Column -> its name as it stands in the file.
    totals : re.Pattern, optional
        What a cell of a row of totals says; None where the rows of totals are left out later, with what the config says of them.

    Returns
    -------
    dict of str to numpy.ndarray
        blank_rows, repeated_header, unit_row, total_rows, footer: bool, shape (rows,).
    """
    given = np.column_stack([filled(data[c]) for c in data.columns]) if len(data.columns) else np.zeros((len(data), 0), dtype=bool)
    full = given.sum(axis=1)
    again = np.full(len(data), bool(anchors))
    for c in anchors:
        again &= (data[c] == names[c]).to_numpy(dtype=bool, na_value=False)
    found = {
        "blank_rows": full == 0,
        "repeated_header": again,
        "total_rows": np.zeros(len(data), bool),
        "footer": np.zeros(len(data), bool),
    }
    found["unit_row"] = np.zeros(len(data), bool)
    top = [str(data.iat[0, c]).strip() for c in np.flatnonzero(given[0])] if len(data) > 1 else []
    found["unit_row"][:1] = len(top) > 0 and not given[0].all() and all(UNIT_WORDS.fullmatch(t) for t in top)
    at = [list(data.columns).index(c) for c in anchors]
    lacking: np.ndarray = np.asarray(~given[:, at].all(axis=1)) if at else np.zeros(len(data), dtype=bool)
    for c in anchors[-1:]:  # the day, where there is one
        lacking |= matches(data[c], SAYS_TOTAL)
    few = full <= min(2, len(data.columns) - 1)
    if totals and not at:  # where no cell tells a day, only the name does
        for c in data.columns[:2]:
            few |= matches(data[c], totals)
    known = np.flatnonzero(~lacking & ~few & ~again)
    last = int(known[-1]) if len(known) else -1
    for row in np.flatnonzero((lacking | few) & (full > 0) & ~again & ~found["unit_row"]):
        texts = [str(data.iat[row, c]).strip() for c in np.flatnonzero(given[row])]
        inside = bool(at) and bool(given[row, at].any())
        if totals and any(totals.match(t) or ENDS_TOTAL.search(t) for t in texts[:2]) and (lacking[row] or not at):
            found["total_rows"][row] = True
        elif len(texts) <= 2 and (lacking[row] or len(texts) == 1):
            lonely = len(texts) == 1 and row > last and _remark(texts[0], inside)
            found["footer"][row] = lonely or any(FOOTER.match(t) for t in texts)
    return found


def _remark(text: str, inside: bool) -> bool:
    """Say whether a lonely cell below the table is a sentence, and neither a day nor a reference."""
    return not inside or (bool(WORDS.search(text)) and not DATE.match(text))
