"""Opening a file: CSV, Excel or Parquet, in whatever encoding it was saved.

In: the settings of a file and the folder it should be in. Out: its rows as they stand (text stays text, leading zeros stay), with the row
numbers that a person sees. Refuses files that are missing, empty, cut short or of an unknown type, and columns that are not there.
"""

from __future__ import annotations

import codecs
import io
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pandas as pd
from pydantic import Field

from demand.data.quality import Finding
from demand.errors import DataError, Fault, did_you_mean, listed, raise_all
from demand.spec import NameList, Spec

__all__ = ["FileSpec", "RawTable", "empty_faults", "open_table", "rows_text", "to_numbers", "to_text"]

TYPES = {".csv": "text", ".txt": "text", ".tsv": "text", ".xlsx": "excel", ".xlsm": "excel", ".parquet": "parquet", ".pq": "parquet"}
SEPARATORS = (",", ";", "\t", "|")
BLANK = frozenset({"", "nan", "nat", "n/a", "#n/a", "null"})
"""Cells that say nothing, whatever the case of their letters. Marks such as `*` or `:` are named in `missing`."""
GROUPED = re.compile(r"^£?\s*([+-]?)(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?$")


class FileSpec(Spec):
    """A file, and what to say when it is not there."""

    path: str
    """The file, looked up in the folder of the data: .csv, .txt, .tsv, .xlsx, .xlsm or .parquet."""
    sheet: str | None = None
    """The sheet of a workbook; its first one where nothing is said."""
    header_row: int = Field(default=1, ge=1)
    """The row in which the names of the columns stand."""
    missing: NameList = Field(default_factory=list)
    """Marks that mean "there is no figure here", such as '*' or ':'; an empty cell always does."""
    source: str = ""
    """Which table this is, who publishes it and where: told when the file is not there."""
    layout: str = ""
    """The columns and rows expected: told when the file is not there or does not fit."""


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
        The row number of each, as a spreadsheet shows it.
    findings : tuple of Finding
        What was noticed on opening.
    """

    name: str
    data: pd.DataFrame
    rows: np.ndarray
    findings: tuple[Finding, ...] = ()

    def kept(self, mask: np.ndarray) -> RawTable:
        """Give some of the rows."""
        return RawTable(self.name, self.data[mask].reset_index(drop=True), self.rows[mask], self.findings)


def open_table(spec: FileSpec, folder: Path, *, columns: Mapping[str, str]) -> RawTable:
    """Open a file and look for its columns.

    Parameters
    ----------
    spec : FileSpec
    folder : pathlib.Path
        Where relative paths are looked up.
    columns : mapping of str to str
        What each column is for -> its name in the file.

    Returns
    -------
    RawTable

    Raises
    ------
    DataError
        Where the file is missing, cannot be read, has no rows, or lacks a column.
    """
    path = Path(folder) / spec.path
    expected = spec.layout or f"a table with the columns {listed(dict.fromkeys(columns.values()), most=12)}"
    if not path.is_file():
        raise DataError(_absent(spec, path, expected))
    kind = TYPES.get(path.suffix.lower())
    if kind is None:
        raise DataError(
            Fault(f"'{path.name}' is of a type that cannot be read", allowed=f"Files that can be read: {listed(TYPES, most=9)}")
        )
    data, findings = _read(path, kind, spec)
    data.columns = pd.Index([str(c).strip() for c in data.columns])
    rows = np.arange(len(data)) + spec.header_row + 1
    full = ~_all_blank(data)
    table = RawTable(path.name, data[full].reset_index(drop=True), rows[full], tuple(findings))
    raise_all(_column_faults(table, columns, expected), DataError, during=f"reading {path.name}")
    return table


def to_text(column: pd.Series, missing: Sequence[str] = ()) -> pd.Series:
    """Give a column as text without blanks at its ends; None where it says nothing.

    Parameters
    ----------
    column : pandas.Series
        Text, numbers, booleans or dates.
    missing : sequence of str
        Marks that say nothing, beside the usual ones.

    Returns
    -------
    pandas.Series
        object; whole numbers are written without a decimal point, dates as 2024-01-31.
    """
    codes, values = pd.factorize(column.astype(object), use_na_sentinel=True)
    nothing = BLANK | {m.strip().casefold() for m in missing}
    words = [_word(v) for v in values]
    lookup = np.array([*(None if w.casefold() in nothing else w for w in words), None], dtype=object)
    return pd.Series(lookup[codes], index=column.index, dtype=object)


def to_numbers(column: pd.Series, missing: Sequence[str] = ()) -> tuple[np.ndarray, np.ndarray]:
    """Give a column as numbers, and say which rows hold something else.

    "1,234" and "£1,234.50" are numbers; "<5" and "*" are not.

    Parameters
    ----------
    column : pandas.Series
    missing : sequence of str
        Marks that say nothing.

    Returns
    -------
    values : numpy.ndarray
        float64, NaN where there is nothing or no number.
    wrong : numpy.ndarray
        bool, True where there is something that is no number.
    """
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return column.to_numpy(dtype=float, na_value=np.nan), np.zeros(len(column), dtype=bool)
    text = to_text(column, missing)
    codes, words = pd.factorize(text, use_na_sentinel=True)
    parsed = np.array([*(_number(w) for w in words), np.nan])
    values = parsed[codes]
    return values, np.isnan(values) & text.notna().to_numpy()


def rows_text(rows: Iterable[int], most: int = 5) -> str:
    """Give row numbers as they are read: "row 7" or "rows 7, 9 and 12 more"."""
    every = [int(r) for r in rows]
    rest = f" and {len(every) - most} more" if len(every) > most else ""
    return f"row{'s' if len(every) > 1 else ''} {', '.join(str(r) for r in every[:most])}{rest}"


def empty_faults(empty: np.ndarray, raw: RawTable, column: str, what: str) -> list[Fault]:
    """Give a fault where cells that must say something are empty."""
    if not empty.any():
        return []
    found = f"an empty cell in {rows_text(raw.rows[empty])}"
    return [Fault(found, where=f"{raw.name} > {column}", allowed=f"{what[0].upper()}{what[1:]} in every row")]


def _absent(spec: FileSpec, path: Path, expected: str) -> Fault:
    there = sorted(p.name for p in path.parent.iterdir() if p.suffix.lower() in TYPES) if path.parent.is_dir() else []
    where = f"the folder '{path.parent}'" + ("" if path.parent.is_dir() else ", which does not exist")
    near = did_you_mean(path.name, there) if there else ""
    source = f"It is this table: {spec.source}. " if spec.source else ""
    return Fault(f"there is no file '{spec.path}' in {where}", allowed=f"{source}The layout expected: {expected}",
                 do_next=f"Put the file there, or name its folder with --data-dir. {near}".strip())  # fmt: skip


def _read(path: Path, kind: str, spec: FileSpec) -> tuple[pd.DataFrame, list[Finding]]:
    reason = ""
    try:
        if kind == "text":
            return _read_text(path, spec)
        if kind == "excel":
            sheet: str | int = spec.sheet if spec.sheet is not None else 0
            return pd.read_excel(
                path, sheet_name=sheet, header=spec.header_row - 1, dtype=object, keep_default_na=False, engine="openpyxl"
            ), []
        return pd.read_parquet(path, engine="pyarrow"), []
    except UnicodeError:
        reason = "its text is in no encoding that is known (UTF-8, UTF-16 or Windows-1252)"
    except (OSError, ValueError, KeyError, IndexError, EOFError, BadZipFile, pd.errors.ParserWarning) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
    raise DataError(Fault(f"'{path.name}' cannot be read: {reason}", do_next="Open it, look whether it is whole, and save it again"))


def _read_text(path: Path, spec: FileSpec) -> tuple[pd.DataFrame, list[Finding]]:
    raw = path.read_bytes()
    encoding = _encoding(raw)
    text = raw.decode(encoding)
    head = text.split("\n", spec.header_row)[spec.header_row - 1] if text.count("\n") >= spec.header_row - 1 else ""
    separator = max(SEPARATORS, key=head.count)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "error", pd.errors.ParserWarning
        )  # rows with more cells than the header: pandas would drop them with a warning
        data = pd.read_csv(io.StringIO(text), sep=separator, dtype=str, keep_default_na=False, skip_blank_lines=False, header=0,
                           skiprows=spec.header_row - 1, index_col=False)  # fmt: skip
    notes = []
    if encoding not in ("utf-8", "utf-8-sig"):
        notes.append(Finding.of("encoding", "note", path.name, message=f"read as {encoding}: the file is not UTF-8", count=1))
    return data, notes


def _encoding(raw: bytes) -> str:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if raw.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if b"\x00" in raw[:400]:
        return "utf-16-le" if raw[1:2] == b"\x00" else "utf-16-be"
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _all_blank(data: pd.DataFrame) -> np.ndarray:
    blank = np.ones(len(data), dtype=bool)
    for position in range(data.shape[1]):
        column = data.iloc[:, position]
        empty = column.isna().to_numpy()
        if column.dtype == object:
            empty |= (column == "").to_numpy(dtype=bool, na_value=False)
        blank &= empty
        if not blank.any():
            break
    return blank


def _column_faults(table: RawTable, columns: Mapping[str, str], expected: str) -> list[Fault]:
    there = [str(c) for c in table.data.columns]
    doubled = sorted({c for c in there if there.count(c) > 1} & set(columns.values()))
    faults = [Fault(f"the column '{c}' is there twice", where=table.name, do_next="Rename one of them") for c in doubled]
    for use, name in columns.items():
        if name not in there:
            faults.append(Fault(f"there is no column '{name}' ({use})", where=table.name, allowed=did_you_mean(name, there),
                                do_next=f"The layout expected: {expected}"))  # fmt: skip
    if not faults and table.data.empty:
        faults.append(Fault("the file has no rows", where=table.name, allowed=f"The layout expected: {expected}"))
    return faults


def _word(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    if isinstance(value, pd.Timestamp | np.datetime64) or hasattr(value, "isoformat"):
        return str(pd.Timestamp(value)).removesuffix(" 00:00:00")
    return str(value)


def _number(word: str) -> float:
    grouped = GROUPED.match(word)
    if grouped:
        return float("".join(part or "" for part in grouped.groups()).replace(",", ""))
    try:
        return float(word) if "_" not in word else float("nan")
    except ValueError:
        return float("nan")
