"""Opening a file: CSV, Excel or Parquet, in whatever encoding it was saved and wherever in it the table lies; or asking a database.

In: the settings of a file and the folder it should be in. Out: the rows of its table as they stand (text stays text, leading zeros stay),
with the row numbers that a person sees, and what was left out. Refuses files that are missing, empty, cut short or of an unknown type,
columns that are not there, and rows with more cells than the names. Columns that nobody asked for are not kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from pydantic import Field, PrivateAttr, model_validator

from demand.data.cells import MOJIBAKE, filled, matches, rows_text
from demand.data.codes import merge_codes, pad_uprns
from demand.data.database import Answer, ask, statement_faults
from demand.data.layout import SAYS_TOTAL, WHOLE_TOTAL, Header, find_header, furniture, same_name
from demand.data.numbers import Numbers, scale_of, to_numbers
from demand.data.quality import Finding
from demand.data.sheets import TYPES, Sheet, held_table, open_sheets
from demand.errors import DataError, Fault, did_you_mean, listed, raise_all
from demand.secrets import written_out
from demand.spec import NameList, Spec

__all__ = ["FileSpec", "RawTable", "empty_faults", "open_table"]

BEYOND, FIRST = "\0beyond", "\0first"
"""The cells behind the last name, and the first column where nobody asked for it: looked at, and not kept."""
SHEET = "sheet"
"""The column that names the sheet of each row, where the config asks for it and the sheets have none of that name."""
ROW = "row"
"""The column that numbers the rows, where the config asks for it and the file has none of that name: if nothing else tells them apart."""
ANCHORS = ("id", "date", "opened")
"""What every row of data tells; a row without it may be a total or a footer."""
LEFT_OUT: Mapping[str, str] = {
    "blank_rows": "blank rows are left out",
    "repeated_header": "the names of the columns stand again in the middle: these rows are left out",
    "unit_row": "a row of units below the names is left out",
    "total_rows": "rows of totals are left out: the rows above are added up here",
    "footer": "remarks below or between the rows are left out",
}


class FileSpec(Spec):
    """A file, or a question to a database, and what to say when it is not there."""

    path: str = ""
    """The file, looked up in the folder of the data: .csv, .txt, .tsv, .xlsx, .xlsm or .parquet."""
    sql: str = ""
    """In place of a file: one SELECT (or WITH ... SELECT) to a database, with :names where values are bound. Row 2 is its first row."""
    url: str = ""
    """The address of that database, such as ${DEMAND_DATABASE_URL}: what is secret in it comes from the environment. SQLite is opened for
    reading only; nothing is ever committed to others, and the login should be one that may only read."""
    parameters: dict[str, str | int | float | date] = Field(default_factory=dict)
    """The values of the :names, bound by the database and never written into the statement: {since: 2023-04-01}."""
    sheet: str | None = None
    """The sheet of a workbook; where nothing is said, every sheet that has the columns, one below the other. A column named `sheet` can be
    asked for: it says which sheet a row stands in, such as the month."""
    header_row: int | None = Field(default=None, ge=1)
    """The row in which the names of the columns stand; where nothing is said it is looked for, and so are names in two rows."""
    missing: NameList = Field(default_factory=list)
    """Marks that mean "there is no figure here", such as '*' or '-'; an empty cell always does, and so do '[x]', '[z]', '.' and '..'."""
    suppressed: dict[str, tuple[float, float]] = Field(default_factory=dict)
    """Marks of hidden counts, each with the lowest and the highest that it can stand for: {'*': [1, 4]}. '<5' speaks for itself."""
    columns: dict[str, NameList] = Field(default_factory=dict)
    """Other names that a column goes by in some files: {date_opened: [Opened, Start date]}."""
    codes: dict[str, dict[str, NameList]] = Field(default_factory=dict)
    """Spellings that mean one code: column -> code -> spellings, {ta_type: {bed_and_breakfast: [B&B, BB]}}."""
    seen: dict[str, str] = Field(default_factory=dict)
    """The columns that the last extract had, each with its type, as `mapping.yaml` has them: what has changed since is named."""
    source: str = ""
    """Which table this is, who publishes it and where: told when the file is not there."""
    layout: str = ""
    """The columns and rows expected: told when the file is not there or does not fit."""
    _answer: Answer | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if bool(self.path) == bool(self.sql):
            raise ValueError("give either 'path', a file, or 'sql' with 'url', a question to a database.")
        if bool(self.sql) != bool(self.url) or (self.parameters and not self.sql):
            raise ValueError("'sql' and 'url' belong together, and 'parameters' to them. Give both, or neither.")
        if written_out(self.url):
            raise ValueError("there is a password in 'url'. Put the address into the environment and write ${DEMAND_DATABASE_URL}.")
        faults = statement_faults(self.sql, self.parameters) if self.sql else []
        if faults:
            raise ValueError(" ".join(faults))
        return self

    @property
    def called(self) -> str:
        """What messages call it: the file as it is named, or the query by the table that it gives."""
        return self.path or f"{type(self).__name__.removesuffix('Spec').lower()} query"

    def answer(self, folder: Path) -> Answer:
        """Ask the database, once: what is hashed is what is read.

        Raises
        ------
        DataError
            Where it cannot be asked.
        """
        if self._answer is None:
            self._answer = ask(self.url, self.sql, self.parameters, folder=folder, name=self.called)
        return self._answer


@dataclass(frozen=True)
class RawTable:
    """The rows of a file as they stand.

    Parameters
    ----------
    name : str
        The file's name, for messages.
    data : pandas.DataFrame
        Columns of text, or of numbers and dates where the file has types.
    rows : numpy.ndarray
        The row number of each, as a spreadsheet shows it; with the sheet before it where there are several.
    findings : tuple of Finding
        What was noticed on opening.
    spec : FileSpec, optional
        As it was asked for.
    names : tuple of str
        All names of columns that the file has, also of those that were not kept.
    sheet : str
        The sheet, where the file has several.
    faults : tuple of Fault
        Rows that cannot be used and are not among the others.
    """

    name: str
    data: pd.DataFrame
    rows: np.ndarray
    findings: tuple[Finding, ...] = ()
    spec: FileSpec | None = None
    names: tuple[str, ...] = ()
    sheet: str = ""
    faults: tuple[Fault, ...] = ()

    def kept(self, mask: np.ndarray) -> RawTable:
        """Give some of the rows."""
        return replace(self, data=self.data[mask].reset_index(drop=True), rows=self.rows[mask])

    def numbers(self, column: str) -> Numbers:
        """Give a column as numbers, with the marks that the config knows, and in pounds where its name says £000."""
        spec = self.spec or FileSpec(path=self.name)
        read, scale = to_numbers(self.data[column], spec.missing, spec.suppressed), scale_of(column)
        if scale == 1.0:
            return read
        return replace(read, values=read.values * scale, low=read.low * scale, high=read.high * scale)


def open_table(spec: FileSpec, folder: Path, *, columns: Mapping[str, str], every: bool = False, periods: bool = False) -> RawTable:
    """Open a file and look for its columns.

    Parameters
    ----------
    spec : FileSpec
    folder : pathlib.Path
        Where relative paths are looked up.
    columns : mapping of str to str
        What each column is for -> its name in the file.
    every : bool
        Whether to keep the columns that nobody named, too.
    periods : bool
        Whether columns named by periods are looked for.

    Returns
    -------
    RawTable
        Several sheets stand one below the other.

    Raises
    ------
    DataError
        Where the file is missing, cannot be read, has no rows, or lacks a column.
    """
    named = f" with the columns {listed(dict.fromkeys(columns.values()), most=12)}" if columns else ""
    expected = spec.layout or f"a table{named}, and rows below their names"
    name, sheets, findings = _opened(spec, Path(folder), expected)
    wanted = list(dict.fromkeys(columns.values()))
    headed = [(s, _header(s, spec, wanted, periods=periods)) for s in sheets]
    chosen, left = _chosen(headed, spec, wanted)
    lacking = {s.name: set(wanted) - _places(h.names, spec, wanted).keys() for s, h in headed if s.name in left}
    for sheet_name in [
        n for n in left if len(lacking[n]) <= len(wanted) / 2
    ]:  # a month whose column is called otherwise, not another table
        left.remove(sheet_name)
        told = f"the sheet is left out: it has no {listed(sorted(lacking[sheet_name]))}. Is it called otherwise there? Name it in 'columns'"
        findings.append(Finding.of("sheets_left_out", "warn", f"{name} > {sheet_name}", count=1, message=told))
    if left:
        told = f"sheets without these columns are left out: {listed(left)}"
        findings.append(Finding.of("sheets_left_out", "note", name, count=len(left), message=told))
    faults = [f for sheet, header in chosen for f in _column_faults(name, header.names, spec, columns, expected)]
    raise_all(faults, DataError, during=f"reading {name}")
    anchors = [columns[a] for a in ANCHORS if a in columns]
    several = len(chosen) > 1
    tables = [_table(name, s, h, spec, wanted=wanted, anchors=anchors, keep=(every, several)) for s, h in chosen]
    whole = tables[0] if len(tables) == 1 else _stacked(name, tables)
    whole = _without_overfull(whole)
    if whole.data.empty:
        raise DataError(
            Fault("the query gives no rows" if spec.sql else "the file has no rows", where=name, allowed=f"The layout expected: {expected}")
        )
    merged, notes = merge_codes(whole.data.drop(columns=BEYOND, errors="ignore"), spec.codes, whole.name, whole.rows)
    padded, filled_up = pad_uprns(merged, whole.name, whole.rows)
    return replace(whole, data=padded, findings=(*findings, *whole.findings, *notes, *filled_up, *_damaged(whole)))


def empty_faults(empty: np.ndarray, raw: RawTable, column: str, what: str) -> list[Fault]:
    """Give a fault where cells that must say something are empty."""
    if not empty.any():
        return []
    found = f"an empty cell in {rows_text(raw.rows[empty])}"
    allowed = f"{what[0].upper()}{what[1:]} in every row"
    return [Fault(found, where=f"{raw.name} > {column}", allowed=allowed, rule="empty_cell", rows=tuple(raw.rows[empty]))]


def _opened(spec: FileSpec, folder: Path, expected: str) -> tuple[str, list[Sheet], list[Finding]]:
    """Give the sheets of a file, or the rows of a query as one."""
    if spec.sql:
        return spec.called, [held_table(spec.answer(folder).rows)], []
    path = folder / spec.path
    if not path.is_file():
        raise DataError(_absent(spec, path, expected))
    if path.suffix.lower() not in TYPES:
        raise DataError(
            Fault(
                f"'{path.name}' is of a type that cannot be read",
                allowed=f"Files that can be read: {listed(TYPES, most=9)}",
                do_next="Open it in Excel and save it as .xlsx or CSV (UTF-8)",
            )
        )
    sheets, findings = open_sheets(path, spec.sheet)
    if all(s.head.empty for s in sheets):
        raise DataError(Fault(f"'{path.name}' cannot be read: it is empty", allowed=f"The layout expected: {expected}"))
    return path.name, sheets, findings


def _absent(spec: FileSpec, path: Path, expected: str) -> Fault:
    there = sorted(p.name for p in path.parent.iterdir() if p.suffix.lower() in TYPES) if path.parent.is_dir() else []
    where = f"the folder '{path.parent}'" + ("" if path.parent.is_dir() else ", which does not exist")
    near = did_you_mean(path.name, there) if there else ""
    source = f"It is this table: {spec.source}. " if spec.source else ""
    return Fault(f"there is no file '{spec.path}' in {where}", allowed=f"{source}The layout expected: {expected}",
                 do_next=f"Put the file there, or name its folder with --data-dir. {near}".strip(), rule="absent_file")  # fmt: skip


def _header(sheet: Sheet, spec: FileSpec, wanted: Sequence[str], *, periods: bool) -> Header:
    if spec.header_row is None:
        return find_header(sheet.head, [*wanted, *(other for names in spec.columns.values() for other in names)], periods=periods)
    if spec.header_row > len(sheet.head):
        return Header(spec.header_row - 1, 1, [])
    return find_header(sheet.head.iloc[[spec.header_row - 1]], wanted).below(spec.header_row - 1)


def _chosen(sheets: list[tuple[Sheet, Header]], spec: FileSpec, wanted: Sequence[str]) -> tuple[list[tuple[Sheet, Header]], list[str]]:
    """Choose the sheets that have every column; the first one where none has, so that its faults are told."""
    model = sheets[0][1].names
    fit = [(s, h) for s, h in sheets if (_places(h.names, spec, wanted).keys() >= set(wanted) if wanted else h.names == model)]
    chosen = fit or sheets[:1]
    return chosen, [s.name for s, _ in sheets if s.name not in {c.name for c, _ in chosen}]


def _places(names: Sequence[str], spec: FileSpec, wanted: Sequence[str]) -> dict[str, list[int]]:
    """Say where each wanted column stands: under its name, another that the config gives it, or the same one written otherwise."""
    found = {}
    for name in wanted:
        exact = [i for i, n in enumerate(names) if n == name]
        other = [i for i, n in enumerate(names) if n in spec.columns.get(name, ())]
        alike = [i for i, n in enumerate(names) if same_name(n) == same_name(name)]
        places = exact or other or alike
        if places:
            found[name] = places
        elif name in (SHEET, ROW):
            found[name] = []
    return found


def _column_faults(name: str, names: Sequence[str], spec: FileSpec, columns: Mapping[str, str], expected: str) -> list[Fault]:
    places = _places(names, spec, list(columns.values()))
    twice = [c for c, at in places.items() if len(at) > 1]
    faults = [Fault(f"the column '{c}' is there twice", where=name, do_next="Rename one of them", rule="column_twice") for c in twice]
    for use, column in columns.items():
        if column not in places:
            faults.append(Fault(f"there is no column '{column}' ({use})", where=name, allowed=did_you_mean(column, names),
                                do_next=f"The layout expected: {expected}", rule="missing_column"))  # fmt: skip
    return faults


def _table(
    name: str, sheet: Sheet, header: Header, spec: FileSpec, *, wanted: Sequence[str], anchors: Sequence[str], keep: tuple[bool, bool]
) -> RawTable:
    """Read the columns of one sheet and leave out rows that are no data; `keep`: other columns too, and sheets in names of rows."""
    every, several = keep
    places = {c: at[0] for c, at in _places(header.names, spec, wanted).items() if at}
    others = {n: i for i, n in enumerate(header.names) if every and i not in places.values() and n not in places}
    kept = {**places, **others}
    at = {**kept, **({BEYOND: len(header.names)} if header.names else {}), **({} if 0 in kept.values() else {FIRST: 0})}
    read = sheet.read(header, list(at.values()))
    data = pd.DataFrame({c: read[i] for c, i in at.items() if i in read})
    rows = np.arange(len(data)) + header.first + header.depth + 1
    if several:
        rows = np.array([f"{sheet.name}!{row}" for row in rows], dtype=object)
    inside = data.drop(columns=BEYOND, errors="ignore")
    shown = [a for a in anchors if a in inside]
    totals = SAYS_TOTAL if shown or not every else None if wanted else WHOLE_TOTAL  # names alone tell: those that `where` selects are kept
    found = furniture(inside, shown, {a: header.names[at[a]] for a in shown}, totals=totals)
    where = f"{name} > {sheet.name}" if sheet.name else name
    findings = [Finding.of(rule, "note", where, rows=rows[mask], message=LEFT_OUT[rule]) for rule, mask in found.items() if mask.any()]
    if header.first:
        told = f"the names of the columns stand in row {header.first + 1}; what lies above is left out"
        findings.insert(0, Finding.of("title_rows", "note", where, rows=range(1, header.first + 1), message=told))
    if header.depth == 2:
        told = "the names of the columns are told in two rows, and were joined"
        findings.insert(0, Finding.of("two_row_header", "note", where, rows=(header.first + 1, header.first + 2), message=told))
    for column, i in places.items():
        if header.names[i] != column:
            told = f"'{header.names[i]}' is taken as '{column}'"
            findings.append(Finding.of("renamed_column", "warn", f"{where} > {column}", count=1, message=told))
    full = ~np.logical_or.reduce(list(found.values()))
    data = data[full].reset_index(drop=True).drop(columns=FIRST, errors="ignore")
    if SHEET in wanted and SHEET not in places:
        data[SHEET] = sheet.name
    if ROW in wanted and ROW not in places:
        data[ROW] = rows[full].astype(str)
    return RawTable(name, data, rows[full], tuple(findings), spec, tuple(header.names), sheet.name)


def _stacked(name: str, tables: list[RawTable]) -> RawTable:
    """Put sheets one below the other; a row is then named by its sheet and its number."""
    rows = np.concatenate([t.rows for t in tables])
    findings = [f for t in tables for f in t.findings]
    told = f"{len(tables)} sheets were read, one below the other: {listed([t.sheet for t in tables], most=12)}"
    findings.append(Finding.of("sheets", "note", name, count=len(tables), message=told))
    every = dict.fromkeys(n for t in tables for n in t.names)
    for t in tables:
        lacking, new = set(tables[0].names) - set(t.names), set(t.names) - set(tables[0].names)
        if lacking or new:
            told = f"the columns differ from the first sheet's: without {listed(sorted(lacking))}, with {listed(sorted(new))} beside"
            findings.append(Finding.of("column_drift", "warn", f"{name} > {t.sheet}", count=len(lacking | new), message=told))
    data = pd.concat([t.data for t in tables], ignore_index=True)
    return replace(tables[0], data=data, rows=rows, findings=tuple(findings), names=tuple(every))


def _without_overfull(table: RawTable) -> RawTable:
    """Take out the rows that have more cells than there are names: a comma too many moves what follows into the wrong columns."""
    more = filled(table.data[BEYOND]) if BEYOND in table.data else np.zeros(len(table.data), dtype=bool)
    if not more.any():
        return table
    found = f"more cells than names of columns in {rows_text(table.rows[more])}"
    mend = "Look for a comma that is no separator: put its cell in quotes"
    fault = Fault(found, table.name, "A cell under each name", mend, rule="shifted_row", rows=tuple(table.rows[more]))
    return replace(table.kept(~more), faults=(*table.faults, fault))


def _damaged(table: RawTable) -> list[Finding]:
    """Tell of letters that were saved in one encoding and read in another, such as Å· for ŷ."""
    found = []
    for column in table.data.columns:
        if column == BEYOND or table.data[column].dtype != object:
            continue
        bad = matches(table.data[column], MOJIBAKE)
        if bad.any():
            told = "letters that were damaged when the file was saved, such as 'Å·' for 'ŷ': save it as UTF-8 from the system itself"
            found.append(Finding.of("damaged_letters", "warn", f"{table.name} > {column}", rows=table.rows[bad], message=told))
    return found
