"""The sheets of words and numbers: Read me, Summary, Forecast.

In: the open book. Out: sheets. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from demand.languages import message, say
from demand.report import words
from demand.report.answers import answers
from demand.report.book import NOT_A_SUM, Book, label_of
from demand.report.inputs import PAST_REVIEW
from demand.report.sign_off import sign_off_rows

__all__ = ["forecast", "has_forecast", "read_me", "summary"]

CHANGING = message(
    "Change a yellow cell on the sheet Assumptions: expected cost, ranges, chances and reserves on the sheets Budget, Scenarios and Risk "
    "follow at once. Blue cells are taken up by a run alone: the sizes of scenarios change how many people there are, and where income "
    "follows a rule, what comes in depends on what is paid. For that, save the workbook and ask for: demand budget CONFIG --inputs "
    "budget.xlsx. No forecast is made again; the changes are listed, old and new."
)
CHANGING_TYPED = message(
    "The figures of this workbook are typed: they are too many to be formulas, or the run has not stored what they rest on. Change a blue "
    "cell on the sheet Assumptions, save, and ask for: demand budget CONFIG --inputs budget.xlsx. No forecast is made again; the changes "
    "are listed, old and new."
)
NOBODY = message("Some numbers nobody has given yet. Sheets that rest on them say so at the top.")
LATE = message("Some numbers should have been looked at again by now. Sheets that rest on them say so.")


def read_me(book: Book, sheets: Sequence[tuple[str, str]]) -> None:
    """Write what the workbook holds and what its words mean: `sheets` are the others, each with what it is for."""
    run = book.inputs.run
    sheet, row = book.sheet(
        "Read me", title=book.inputs.title, note=message("What this workbook holds and how to read it."), widths=[28, 100]
    )
    live = any(name == "Possible futures" for name, _ in sheets)
    about = [
        *sheets,
        ("Changing an input", CHANGING if live else CHANGING_TYPED) if book.inputs.spec.audience == "council" else ("", ""),
        ("Expected", message("The average over all possible futures. Expected figures add up; nothing else does.")),
        ("Low and high", NOT_A_SUM),
        ("Chance of overspend", message("The share of possible futures in which the line needs more than its budget.")),
        ("Already counted", message("Months of the financial year that have passed and are in the figure as they were.")),
        ("No change", message("The forecast as it is, before any scenario.")),
        *sign_off_rows(book.inputs),
        ("Run", str(run.get("name", "")) + (f" {run['fingerprint']}" if run.get("fingerprint") else "")),
        ("As of", words.day(run["as_of"]) if run.get("as_of") else ""),
        ("Possible futures", f"{run['draws']} were tried." if run.get("draws") else "") if not live else ("", ""),
        ("Data", "; ".join(f"{name} {str(mark)[:16]}" for name, mark in dict(run.get("data") or {}).items())),
    ]
    for name, text in about:
        if text:
            sheet.write_string(row, 0, name, book.look("text", "bold"))
            sheet.write_string(row, 1, text, book.look("text"))
            book.fit(sheet, row, [name, text])
            book.labelled(sheet, name, text)
            row += 1
    book.labelled(sheet, NOBODY, LATE)
    if len(book.inputs.placeholders):
        sheet.write_string(row, 0, "PLACEHOLDER", book.look("hollow"))
        sheet.write_string(row, 1, NOBODY, book.look("text"))
        row += 1
    if len(book.inputs.overdue):
        sheet.write_string(row, 0, PAST_REVIEW, book.look("hollow"))
        sheet.write_string(row, 1, LATE, book.look("text"))
        row += 1
    sheet.print_area(0, 0, row, 1)


def summary(book: Book, name: str = "Summary") -> None:
    """Write the answers of the first page, in the language that is spoken."""
    found = answers(book.inputs)
    hollow = " ".join(a.mark for a in found)
    sheet, row = book.sheet(name, title=say("In short"), hollow=hollow, typed=True, widths=[22, 22, 36, 76])
    book.headings(sheet, row, [say("Question"), say("Answer"), say("Range"), say("In a sentence")])
    for answer in found:
        row += 1
        book.fit(sheet, row, ["", f"{answer.mark}: {answer.number}", answer.range, f"{answer.sentence} {answer.more}"])
        cells = (answer.question, answer.number, answer.range, f"{answer.sentence} {answer.more}".strip())
        for i, text in enumerate(cells):
            sheet.write_string(
                row,
                i,
                (f"{answer.mark}: " if answer.mark and i == 1 else "") + text,
                book.look("text", "bold") if i == 1 else book.look("text"),
            )
    sheet.print_area(0, 0, row, 3)


def has_forecast(book: Book) -> bool:
    """Say whether the run has totals to show."""
    return book.inputs.totals is not None and not book.inputs.totals.empty


def forecast(book: Book) -> None:
    """Write expected numbers by financial year."""
    totals = book.inputs.totals
    if totals is None or totals.empty:
        return
    rows = totals[totals["financial_year"].notna()]
    keys = [k for k in book.inputs.keys if k in rows]
    note = message(
        "Expected numbers by financial year: the sum of the year for those who came, the average of the year for those who were there."
    )
    sheet, row = book.sheet(
        "Forecast",
        title="Expected numbers by financial year",
        note=(note, NOT_A_SUM),
        widths=[22, *[22] * len(keys), 24, 16, 12, 14, 14, 14],
    )
    n_text = len(keys) + 3
    book.headings(
        sheet,
        row,
        [
            "Level",
            *[label_of(book, k) for k in keys],
            "What is counted",
            "Financial year",
            "Months already counted",
            "Expected",
            "Low (not the sum)",
            "High (not the sum)",
        ],
        words=n_text,
    )
    head, n = row, len(keys)
    for record in rows.to_dict("records"):
        row += 1
        how = "came in the year" if record["kind"] == "flow" else "there on average"
        texts = [
            label_of(book, record["level"]),
            *["" if pd.isna(record[k]) else label_of(book, record[k]) for k in keys],
            f"{label_of(book, record['unit'])}, {how}",
            str(record["financial_year"]),
        ]
        for i, text in enumerate(texts):
            sheet.write_string(row, i, text)
        if pd.notna(record["months_actual"]):
            sheet.write_number(row, n + 3, int(record["months_actual"]))
        for i, column in enumerate(("mean", "q0.1", "q0.9")):
            if pd.notna(record[column]):
                sheet.write_number(row, n + 4 + i, float(record[column]), book.look("count", *(["range"] if i else [])))
    sheet.autofilter(head, 0, row, n + 6)
    sheet.print_area(0, 0, row, n + 6)
