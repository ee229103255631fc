"""Which columns a file had, of which type, and which spellings of a code may be one: kept from one extract to the next.

In: a file, and what was kept of the last one. Out: its columns with their types, and what has drifted since. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from demand.data.cells import to_text
from demand.data.files import FileSpec
from demand.data.formats import parse_dates
from demand.data.layout import HEAD_ROWS, find_header, same_name
from demand.data.numbers import to_numbers
from demand.data.quality import Finding
from demand.data.sheets import TYPES, open_sheets
from demand.errors import listed

__all__ = ["drift", "seen_columns"]

MOSTLY = 0.9


def seen_columns(spec: FileSpec, folder: Path, expected: list[str]) -> dict[str, str]:
    """Give the columns of a file with their types, from its first rows.

    Parameters
    ----------
    spec : FileSpec
    folder : pathlib.Path
    expected : list of str
        Names that are looked for, so that the right row is taken for the names.

    Returns
    -------
    dict of str to str
        Column -> number, date, text or empty. Nothing where there is no such file.

    Raises
    ------
    DataError
        Where the file cannot be read.
    """
    if spec.sql:
        table = spec.answer(folder).rows
        return {str(name): _type(table[name].head(HEAD_ROWS)) for name in table}
    path = Path(folder) / spec.path
    if not path.is_file() or path.suffix.lower() not in TYPES:
        return {}
    sheet = open_sheets(path, spec.sheet)[0][0]
    header = find_header(sheet.head, expected)
    below = sheet.head.iloc[header.first + header.depth :]
    return {name: _type(below[i]) for i, name in enumerate(header.names) if i in below}


def drift(before: Mapping[str, str], now: Mapping[str, str], where: str) -> list[Finding]:
    """Name the columns that have changed since the last extract.

    Parameters
    ----------
    before, now : mapping of str to str
        Column -> type.
    where : str
        The file.

    Returns
    -------
    list of Finding
        column_drift: written otherwise, gone, new, or of another type.
    """
    gone, new = [c for c in before if c not in now], [c for c in now if c not in before]
    renamed = {old: name for old in gone for name in new if same_name(old) == same_name(name)}
    told = [f"'{old}' is now written '{name}'" for old, name in renamed.items()]
    lost, fresh = [c for c in gone if c not in renamed], [c for c in new if c not in renamed.values()]
    told += [f"gone since the last extract: {listed(lost)}"] if lost else []
    told += [f"new since the last extract: {listed(fresh)}"] if fresh else []
    turned = [c for c in now if c in before and "empty" not in (before[c], now[c]) and before[c] != now[c]]
    told += [f"'{c}' held {before[c]}s and now holds {now[c]}s" for c in turned]
    return [Finding.of("column_drift", "warn", where, count=len(told), message="; ".join(told))] if told else []


def _type(column: pd.Series) -> str:
    text = to_text(column).dropna()
    if text.empty:
        return "empty"
    numbers = to_numbers(text)
    if 1 - numbers.wrong.mean() >= MOSTLY:
        return "number"
    return "date" if 1 - parse_dates(text).wrong.mean() >= MOSTLY else "text"
