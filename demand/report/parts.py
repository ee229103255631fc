"""The parts of a page: a table, a picture with the table behind it, an answer of the first page, a section.

In: words, numbers already written as words, pictures as SVG text. Out: frozen parts that the templates lay out. Refuses rows that do not
fit their columns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import quote

import pandas as pd

from demand.errors import DataError, Fault
from demand.languages import say
from demand.report.words import count, percent, pounds, pounds_exact

__all__ = ["Answer", "Block", "Figure", "Section", "Table", "stacked", "table_of"]

FORMATS: Mapping[str, Callable[[float], str]] = {"count": count, "pounds": pounds, "exact": pounds_exact, "percent": percent}
"""How a column's numbers are written."""


@dataclass(frozen=True)
class Table:
    """A table whose cells are already words.

    Parameters
    ----------
    caption : str
    columns : tuple of str
    rows : tuple of tuples of str
    numeric : frozenset of int
        The places of the columns that hold numbers, which stand on the right.
    note : str
        Said under the table.
    stored : frozenset of int
        The places of the columns whose sentences were written by another stage of the run, in English alone.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()
    note: str = ""
    stored: frozenset[int] = frozenset()
    kind: str = "table"

    @property
    def narrow(self) -> bool:
        """Whether two such tables stand side by side."""
        return len(self.columns) <= 4 and len(self.rows) <= 20 and max((len(c) for row in self.rows for c in row), default=0) < 40

    def __post_init__(self) -> None:
        """Refuse rows that do not fit.

        Raises
        ------
        DataError
            Where a row has more or fewer cells than there are columns.
        """
        if any(len(row) != len(self.columns) for row in self.rows):
            raise DataError(Fault(f"rows of the table '{self.caption}' do not fit its {len(self.columns)} columns"))


@dataclass(frozen=True)
class Figure:
    """A picture, what it shows in words, and the table behind it.

    Parameters
    ----------
    paint : callable
        Gives the picture as `svg` or as `png`.
    alt : str
        What the picture shows, for those who do not see it.
    table : Table
    heading : str
    """

    paint: Callable[[str], bytes] = field(repr=False, compare=False)
    alt: str
    table: Table
    heading: str = ""
    kind: str = "figure"

    @cached_property
    def svg(self) -> str:
        """The picture as SVG text; it is drawn when a page first needs it."""
        return self.paint("svg").decode()

    @property
    def png(self) -> bytes:
        """The picture for programs that take no SVG."""
        return self.paint("png")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height on the page, in pixels of CSS."""
        found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', self.svg)
        return (720, 360) if found is None else (round(float(found[1]) * 4 / 3), round(float(found[2]) * 4 / 3))

    @property
    def uri(self) -> str:
        """The picture as an address that needs no network."""
        return "data:image/svg+xml," + quote(self.svg, safe=" /:;,=()@!*+$?[]-._~|{}^")  # a quarter shorter than base64


@dataclass(frozen=True)
class Block:
    """Words: a paragraph, a list or a warning.

    `kind` is text, list or warning; `stored` sentences were written by another stage of the run, in English alone.
    """

    lines: tuple[str, ...]
    kind: str = "text"
    heading: str = ""
    stored: bool = False


@dataclass(frozen=True)
class Answer:
    """One answer of the first page: a question, one number with its range in words, one sentence, one picture.

    `of` says what the number counts; `mark` what is wrong with numbers that it rests on: that nobody has given them yet, or that their
    review is overdue.
    """

    question: str
    number: str
    range: str
    sentence: str
    figure: Figure | None = None
    mark: str = ""
    more: str = ""
    of: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the page for those who ask more; `mark` as for answers."""

    id: str
    title: str
    parts: tuple[Table | Figure | Block, ...]
    lead: str = ""
    mark: str = ""


def stacked(*tables: pd.DataFrame) -> pd.DataFrame:
    """Put tables under one another; empty ones have no say in the types of columns."""
    return pd.concat([t for t in tables if len(t)] or list(tables[:1]), ignore_index=True)


def table_of(
    frame: pd.DataFrame, caption: str, *, names: Mapping[str, str], formats: Mapping[str, str | Callable[[float], str]], note: str = "",
    stored: Sequence[str] = (),
) -> Table:  # fmt: skip
    """Write a table of numbers as a table of words.

    Parameters
    ----------
    frame : pandas.DataFrame
    caption : str
    names : mapping
        Column -> heading, in the order wanted; other columns are left out. Headings that are messages are said in the language spoken.
    formats : mapping
        Column -> count, pounds, exact, percent, or a function of a number; other columns are text.
    note : str
    stored : sequence of str
        Columns whose sentences are in English alone.

    Returns
    -------
    Table
    """
    wanted = [c for c in names if c in frame.columns]
    written = []
    for column in wanted:
        how = formats.get(column)
        if how is None:
            written.append(["" if pd.isna(v) else str(v) for v in frame[column]])
            continue
        write = FORMATS[how] if isinstance(how, str) else how
        written.append([v if isinstance(v, str) else "–" if pd.isna(v) else write(float(v)) for v in frame[column]])
    rows: Sequence[tuple[str, ...]] = list(zip(*written, strict=True))
    numeric = frozenset(i for i, c in enumerate(wanted) if c in formats)
    kept = frozenset(i for i, c in enumerate(wanted) if c in stored)
    return Table(caption, tuple(say(names[c]) for c in wanted), tuple(rows), numeric, note, kept)
