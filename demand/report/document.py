"""A section as a Word document, to be pasted into a committee paper.

In: a `Section` of tables, pictures and words. Out: the bytes of a .docx file, the same for the same section. Refuses nothing.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import fields, replace
from typing import Any

from demand.languages import CODES, spoken
from demand.report.parts import Block, Figure, Section, Table
from demand.report.words import capital, legible

__all__ = ["document"]

WIDTH_MM = 170
"""What an A4 page holds between margins of 20 mm."""
LETTERS_PT, MANY, VERY_MANY = (10.0, 8.0, 7.0), 5, 10
"""The size of letters in a table, in one of more columns than `MANY`, and in one of more than `VERY_MANY`, for which the page is turned."""
TURNED_MM = WIDTH_MM + 297 - 210
"""What a turned page holds."""
MOST_OF_TEXT = 110
"""Letters of a text that count for the width of its column: longer ones go on in the next line."""
LETTER_MM, AROUND_MM = 0.23, 4.0
"""How wide a letter of one point is, of a wide kind of letters, and what stands empty at both sides of a cell."""
MOST_LETTERS = 255
"""Of a property of a Word document."""
STYLES = {"list": "List Bullet", "text": "Normal", "warning": "Intense Quote"}
FIXED = (2026, 1, 1, 0, 0, 0)
"""The date of every part of the file: a fixed one, so that the same run gives the same bytes."""


def document(section: Section, *, stamp: str = "") -> bytes:
    """Write a section as a Word document on A4, with real tables, headings that repeat, and a text for every picture.

    Parameters
    ----------
    section : Section
    stamp : str
        Who may have it: stands at the head of every page.

    Returns
    -------
    bytes
        A .docx file.
    """
    from docx import Document
    from docx.enum.section import WD_ORIENT
    from docx.shared import Mm

    section = _legible(section)
    file = Document()
    page = file.sections[0]
    tables = [t for p in section.parts for t in [getattr(p, "table", p)] if isinstance(t, Table)]
    turned = any(len(t.columns) > VERY_MANY or sum(_least(t, LETTERS_PT[-1])) > WIDTH_MM for t in tables)
    page.page_width, page.page_height = (Mm(297), Mm(210)) if turned else (Mm(210), Mm(297))
    page.orientation = WD_ORIENT.LANDSCAPE if turned else WD_ORIENT.PORTRAIT
    width = TURNED_MM if turned else WIDTH_MM
    page.left_margin = page.right_margin = Mm(20)
    file.styles["Normal"].font.name = "Arial"
    file.core_properties.title, file.core_properties.author = section.title[:MOST_LETTERS], ""
    file.core_properties.language = CODES[spoken()]
    file.add_heading(section.title, level=1)
    file.sections[0].header.paragraphs[0].text = stamp
    for text in (section.mark, section.lead):
        if text:
            file.add_paragraph(text)
    for part in section.parts:
        if isinstance(part, Block):
            _words(file, part)
        elif isinstance(part, Figure):
            _picture(file, part, Mm(WIDTH_MM))
            _table(file, part.table, width)
        else:
            _table(file, part, width, said=section.title)
    out = io.BytesIO()
    file.save(out)
    return _same_each_time(out.getvalue())


def _legible(part: Any) -> Any:
    """Write whatever is said in letters that a Word document can hold."""
    if isinstance(part, str):
        return legible(part)
    if isinstance(part, tuple):
        return tuple(map(_legible, part))
    if isinstance(part, Section | Table | Figure | Block):
        return replace(part, **{f.name: _legible(getattr(part, f.name)) for f in fields(part)})
    return part


def _words(file: Any, block: Block) -> None:
    if block.heading:
        file.add_heading(block.heading, level=2)
    for line in block.lines:
        file.add_paragraph(line, style=STYLES[block.kind])


def _picture(file: Any, figure: Figure, width: Any) -> None:
    file.add_heading(figure.heading, level=2)
    shape = file.add_picture(io.BytesIO(figure.png), width=width)
    about = shape._inline.docPr  # python-docx has no other way to a picture's alternative text
    about.set("descr", figure.alt)
    about.set("title", figure.heading)


def _table(file: Any, table: Table, width: float, *, said: str = "") -> None:
    """Write a table whose first row is repeated on each page; numbers stand on the right. `said` is what stands above it already.

    A row stands on one page, and the last one never alone.
    """
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    if capital(table.caption) != capital(said):
        file.add_paragraph(capital(table.caption), style="Caption").paragraph_format.keep_with_next = True
    grid = file.add_table(rows=1, cols=len(table.columns), style="Table Grid")
    grid.autofit = False
    about = OxmlElement("w:tblCaption")
    about.set(qn("w:val"), table.caption)
    grid._tbl.tblPr.append(about)
    repeated = OxmlElement("w:tblHeader")
    grid.rows[0]._tr.get_or_add_trPr().append(repeated)
    for i, name in enumerate(table.columns):
        cell = grid.rows[0].cells[i].paragraphs[0]
        cell.add_run(name).bold = True
        cell.alignment = WD_ALIGN_PARAGRAPH.RIGHT if i in table.numeric else WD_ALIGN_PARAGRAPH.LEFT
    for row in table.rows:
        for i, (cell, text) in enumerate(zip(grid.add_row().cells, row, strict=True)):
            cell.text = text
            cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT if i in table.numeric else WD_ALIGN_PARAGRAPH.LEFT
    for row in grid.rows:
        row._tr.get_or_add_trPr().insert(0, OxmlElement("w:cantSplit"))
    for cell in grid.rows[-2].cells if len(table.rows) > 1 else ():
        cell.paragraphs[0].paragraph_format.keep_with_next = True
    few = LETTERS_PT[(len(table.columns) > MANY) + (len(table.columns) > VERY_MANY) :]
    letters = next((size for size in few if sum(_least(table, size)) <= width), few[-1])
    _fitted(grid, _wide(table, width, letters), letters)
    if table.note:
        file.add_paragraph(table.note).runs[0].italic = True


def _least(table: Table, letters: float) -> list[float]:
    """Give the least width of each column in millimetres: that of its longest number or word, so that none is broken."""
    texts = [[name, *(row[i] for row in table.rows)] for i, name in enumerate(table.columns)]
    longest = [max((len(w) for text in column for w in text.split()), default=1) for column in texts]
    return [AROUND_MM + LETTER_MM * letters * n for n in longest]


def _wide(table: Table, whole_mm: float, letters: float) -> list[float]:
    """Give the width of each column in millimetres: what it needs at least, and of what is left more to longer texts."""
    least = _least(table, letters)
    spare = whole_mm - sum(least)
    if spare <= 0:
        return [whole_mm * w / sum(least) for w in least]
    texts = [max((len(row[i]) for row in table.rows), default=0) for i in range(len(table.columns))]
    more = [max(1.0, AROUND_MM + LETTER_MM * letters * min(n, MOST_OF_TEXT) - w) for n, w in zip(texts, least, strict=True)]
    return [w + spare * m / sum(more) for w, m in zip(least, more, strict=True)]


def _fitted(grid: Any, wide: list[float], letters: float) -> None:
    """Give each column its width, and all cells letters of one size."""
    from docx.shared import Mm, Pt

    for row in grid.rows:
        for cell, width in zip(row.cells, wide, strict=True):
            cell.width = Mm(width)
            for run in cell.paragraphs[0].runs:
                run.font.size = Pt(letters)
    for column, width in zip(grid.columns, wide, strict=True):
        column.width = Mm(width)


def _same_each_time(content: bytes) -> bytes:
    """Write the parts of the file anew without the time at which they were written."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(zipfile.ZipInfo(part.filename, FIXED), old.read(part), zipfile.ZIP_DEFLATED)
    return out.getvalue()
