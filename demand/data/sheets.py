"""The bytes of a file as sheets of cells: CSV in any encoding that councils use, Excel, Parquet.

In: a path. Out: its sheets, each with its first rows and a way to read some of its columns. Refuses files that cannot be read, saying why.
"""

from __future__ import annotations

import codecs
import io
import re
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from demand.data.cells import filled
from demand.data.layout import HEAD_ROWS, Header
from demand.data.quality import Finding
from demand.errors import DataError, Fault, did_you_mean

__all__ = ["TYPES", "Sheet", "held_table", "open_sheets"]

TYPES = {".csv": "text", ".txt": "text", ".tsv": "text", ".xlsx": "excel", ".xlsm": "excel", ".parquet": "parquet", ".pq": "parquet"}
SEPARATORS = (",", ";", "\t", "|")
MOST_COLUMNS = 16_384
"""As many as a sheet of Excel can have."""
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
"""How workbooks before 2007 begin, and those with a password (MS-CFB)."""
WEB_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|body|table|\?xml)", re.IGNORECASE)
UNREADABLE = (
    *(OSError, ValueError, KeyError, IndexError, EOFError, TypeError, AttributeError, OverflowError, NotImplementedError),
    *(BadZipFile, ParseError, struct.error, zlib.error),
)
"""What the readers of damaged workbooks raise."""


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook, or a whole file of another type.

    Parameters
    ----------
    name : str
        Empty where the file has no sheets.
    head : pandas.DataFrame
        Its first rows, as text, with numbers for names.
    read : callable
        Given a Header and positions of columns: the rows below the names, with the positions as names. A position behind the last name
        holds what stands there, if anything does.
    """

    name: str
    head: pd.DataFrame
    read: Callable[[Header, Sequence[int]], pd.DataFrame]


def open_sheets(path: Path, sheet: str | None) -> tuple[list[Sheet], list[Finding]]:
    """Open a file.

    Parameters
    ----------
    path : pathlib.Path
        Of one of `TYPES`.
    sheet : str or None
        The sheet that is wanted; all where nothing is said.

    Returns
    -------
    sheets : list of Sheet
    findings : list of Finding
        An encoding that is not UTF-8.

    Raises
    ------
    DataError
        Where the file cannot be read, or has no sheet of the name.
    """
    kind = TYPES[path.suffix.lower()]
    with _told(path):
        _other_kind(path, kind)
        if kind == "text":
            sheets, findings = _text(path)
        else:
            sheets, findings = (_workbook(path, sheet) if kind == "excel" else [_parquet(path)]), []
    return [replace(s, read=_safely(path, s.read)) for s in sheets], findings


def _other_kind(path: Path, kind: str) -> None:
    """Refuse files that are something else than their ending says, in words that help."""
    with path.open("rb") as file:
        begin = file.read(512)
    if kind == "excel" and begin.startswith(OLD_EXCEL):
        found = f"'{path.name}' is protected by a password, or an old workbook (.xls)"
        raise DataError(Fault(found, do_next="Open it in Excel and save it as .xlsx without a password", rule="unreadable_file"))
    if kind == "text" and WEB_PAGE.match(begin):
        found = f"'{path.name}' is a web page, whatever its ending says"
        raise DataError(Fault(found, do_next="Open it in Excel and save it as .xlsx or CSV (UTF-8)", rule="unreadable_file"))
    if kind == "text" and begin.startswith((b"PK\x03\x04", OLD_EXCEL)):
        found = f"'{path.name}' is a workbook, whatever its ending says"
        raise DataError(Fault(found, do_next="Give it the ending .xlsx, or save it as CSV (UTF-8)", rule="unreadable_file"))


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say in our own words that a file cannot be read."""
    reason = ""
    try:
        yield
    except UnicodeError:
        reason = "its text is in no encoding that is known (UTF-8, UTF-16 or Windows-1252)"
    except UNREADABLE as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
    if reason:
        mend = "Open it, look whether it is whole, and save it again"
        raise DataError(Fault(f"'{path.name}' cannot be read: {reason}", do_next=mend, rule="unreadable_file"))


def _safely(path: Path, read: Callable[[Header, Sequence[int]], pd.DataFrame]) -> Callable[[Header, Sequence[int]], pd.DataFrame]:
    def told(header: Header, columns: Sequence[int]) -> pd.DataFrame:
        with _told(path):
            return read(header, columns)

    return told


def _text(path: Path) -> tuple[list[Sheet], list[Finding]]:
    raw = path.read_bytes()
    encoding = _encoding(raw)
    text = raw.decode(encoding)
    lines = text.split("\n", 3 * HEAD_ROWS)[: 3 * HEAD_ROWS]
    separator = max(SEPARATORS, key=lambda mark: _steady(lines, mark))
    width = min(max((line.count(separator) for line in lines), default=0) + 1, MOST_COLUMNS)
    head = _cells("\n".join(lines), separator, skip=0, width=width, columns=range(width)).head(HEAD_ROWS)

    def read(header: Header, columns: Sequence[int]) -> pd.DataFrame:
        return _cells(text, separator, skip=header.first + header.depth, width=len(header.names) + 1, columns=columns)

    said = f"read as {encoding}: the file is not UTF-8"
    notes = [] if encoding.startswith("utf-8") else [Finding.of("encoding", "note", path.name, message=said, count=1)]
    return [Sheet("", head, read)], notes


def _steady(lines: Sequence[str], mark: str) -> tuple[int, int]:
    """Say how many lines hold a mark equally often, and how often."""
    counted = Counter(n for n in (line.count(mark) for line in lines) if n)
    return max(((times, n) for n, times in counted.items()), default=(0, 0))


def _cells(text: str, separator: str, *, skip: int, width: int, columns: Sequence[int]) -> pd.DataFrame:
    """Read some columns of text; rows may be shorter or longer than the names."""
    wanted = sorted({int(c) for c in columns})
    full = max(width, wanted[-1] + 1)
    first = separator.join(['""'] * full) + "\n"  # as wide as any row may be: pandas takes the width from what it meets
    cells, names = io.StringIO(first + text), list(range(full))
    table = pd.read_csv(cells, sep=separator, dtype=str, keep_default_na=False, skip_blank_lines=False, header=None, names=names,
                        usecols=wanted, skiprows=range(1, skip + 1), index_col=False, low_memory=False)  # fmt: skip
    return table.iloc[1:].reset_index(drop=True)


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


def _workbook(path: Path, sheet: str | None) -> list[Sheet]:
    with pd.ExcelFile(path, engine="openpyxl") as book:
        names = [str(n) for n in book.sheet_names]
        if sheet is not None and sheet not in names:
            raise DataError(Fault(f"there is no sheet '{sheet}'", where=path.name, allowed=did_you_mean(sheet, names)))
        wanted = [sheet] if sheet is not None else names
        cells = {n: book.parse(n, header=None, dtype=object, keep_default_na=False) for n in wanted}
    return [_held(n if len(names) > 1 else "", table) for n, table in cells.items()]


def _held(name: str, cells: pd.DataFrame) -> Sheet:
    """Make a sheet of cells that are in memory already."""
    cells.columns = range(cells.shape[1])

    def read(header: Header, columns: Sequence[int]) -> pd.DataFrame:
        below, last = cells.iloc[header.first + header.depth :], len(header.names)
        table = below.reindex(columns=sorted({int(c) for c in columns}))
        if last in table and below.shape[1] > last:
            full = np.logical_or.reduce([filled(below.iloc[:, at]) for at in range(last, below.shape[1])])
            table[last] = pd.Series("more", index=below.index).where(full)
        return table.reset_index(drop=True)

    return Sheet(name, cells.head(HEAD_ROWS).astype(object), read)


def held_table(table: pd.DataFrame) -> Sheet:
    """Make a sheet of a table whose columns have names and types already."""
    names = [str(n) for n in table.columns]

    def read(_header: Header, columns: Sequence[int]) -> pd.DataFrame:
        wanted = sorted({int(c) for c in columns})
        return table.set_axis(range(len(names)), axis=1).reindex(columns=wanted)

    return Sheet("", pd.DataFrame([names], columns=range(len(names)), dtype=object), read)


def _parquet(path: Path) -> Sheet:
    import pyarrow.parquet as pq

    names = pq.read_schema(path).names
    head = pd.DataFrame([names], columns=range(len(names)), dtype=object)

    def read(_header: Header, columns: Sequence[int]) -> pd.DataFrame:
        wanted = sorted({int(c) for c in columns if c < len(names)})
        table = pd.read_parquet(path, engine="pyarrow", columns=[names[c] for c in wanted])
        table.columns = pd.Index(wanted)
        return table.reindex(columns=sorted({int(c) for c in columns}))

    return Sheet("", head, read)
