"""The sheets of words and numbers: Read me, Summary, Forecast, Assumptions.

In: the open book. Out: sheets. Refuses nothing.
"""

from __future__ import annotations

import pandas as pd

from demand.report import words
from demand.report.answers import answers
from demand.report.book import NOT_A_SUM, Book, label_of
from demand.report.facts import Money

__all__ = ["assumptions", "forecast", "read_me", "summary"]


def read_me(book: Book, money: Money | None) -> None:
    """Write what the workbook holds and what its words mean."""
    run = book.inputs.run
    sheet, row = book.sheet("Read me", title=book.inputs.title, note="What this workbook holds and how to read it.", widths=[28, 100])
    about = [
        ("Summary", "The answers of the report's first page, in words."),
        (
            "Budget",
            "What each line is expected to cost in each financial year, under each scenario. Totals and differences are live formulas.",
        ),
        ("Scenarios", "The scenarios side by side, and the steps from no change to each."),
        ("Forecast", "Expected numbers by financial year."),
        ("Risk", "The chance of an overspend, and the reserve that would be enough."),
        ("What moves it", "Each assumption at its low and its high end."),
        ("Assumptions", "Every number that was given, with its range, source, date and owner."),
        ("Checks", "Live checks: each total against the figure that the run worked out."),
        ("Expected", "The average over all possible futures. Expected figures add up; nothing else does."),
        ("Low and high", NOT_A_SUM),
        ("Chance of overspend", "The share of possible futures in which the line needs more than its budget."),
        ("Already counted", "Months of the financial year that have passed and are in the figure as they were."),
        ("No change", "The forecast as it is, before any scenario."),
        ("Run", str(run.get("name", "")) + (f" {run['fingerprint']}" if run.get("fingerprint") else "")),
        ("As of", words.day(run["as_of"]) if run.get("as_of") else ""),
    ]
    made = {
        "Budget": money is not None,
        "Scenarios": money is not None,
        "Checks": money is not None,
        "Risk": book.inputs.risk is not None,
        "What moves it": book.inputs.sensitivity is not None,
        "Assumptions": book.inputs.assumptions is not None,
        "Forecast": book.inputs.totals is not None,
    }
    for name, text in about:
        if made.get(name, True) and text:
            sheet.write_string(row, 0, name, book.look("text", "bold"))
            sheet.write_string(row, 1, text, book.look("text"))
            book.fit(sheet, row, [name, text])
            row += 1
    if len(book.inputs.placeholders):
        sheet.write_string(row, 0, "PLACEHOLDER", book.look("hollow"))
        sheet.write_string(row, 1, "Some numbers nobody has given yet. Sheets that rest on them say so at the top.", book.look("text"))
        row += 1
    sheet.print_area(0, 0, row, 1)


def summary(book: Book) -> None:
    """Write the answers of the first page."""
    found = answers(book.inputs)
    sheet, row = book.sheet("Summary", title="In short", hollow=any(a.placeholder for a in found), widths=[26, 26, 60, 90])
    book.headings(sheet, row, ["Question", "Answer", "Range", "In a sentence"])
    for answer in found:
        row += 1
        book.fit(sheet, row, ["", "PLACEHOLDER: " + answer.number, answer.range, f"{answer.sentence} {answer.more}"])
        cells = (answer.question, answer.number, answer.range, f"{answer.sentence} {answer.more}".strip())
        for i, text in enumerate(cells):
            sheet.write_string(
                row,
                i,
                ("PLACEHOLDER: " if answer.placeholder and i == 1 else "") + text,
                book.look("text", "bold") if i == 1 else book.look("text"),
            )
    sheet.print_area(0, 0, row, 3)


def forecast(book: Book) -> None:
    """Write expected numbers by financial year."""
    totals = book.inputs.totals
    if totals is None or totals.empty:
        return
    rows = totals[totals["financial_year"].notna()]
    keys = [k for k in book.inputs.keys if k in rows]
    note = (
        "Expected numbers by financial year: the sum of the year for those who came, the average of the year for those who were there. "
        + NOT_A_SUM
    )
    sheet, row = book.sheet(
        "Forecast", title="Expected numbers by financial year", note=note, widths=[22, *[22] * len(keys), 24, 16, 12, 14, 14, 14]
    )
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


def assumptions(book: Book) -> None:
    """Write the ledger of assumptions."""
    table = book.inputs.assumptions
    if table is None or table.empty:
        return
    hollow = len(book.inputs.placeholders) > 0
    sheet, row = book.sheet(
        "Assumptions",
        title="Every number that was given",
        note="Low to high: 4 times in 5 the truth is expected inside.",
        hollow=hollow,
        widths=[16, 40, 14, 14, 14, 24, 60, 20, 24, 40],
    )
    book.headings(sheet, row, ["Standing", "Assumption", "Value", "Low", "High", "Unit", "Source", "As of", "Answers for it", "Used in"])
    for record in table.to_dict("records"):
        row += 1
        empty = bool(record.get("placeholder", False))
        sheet.write_string(row, 0, "PLACEHOLDER" if empty else "Sourced", book.look("hollow") if empty else book.look("text"))
        sheet.write_string(row, 1, label_of(book, record["name"]), book.look("text"))
        for i, column in enumerate(("value", "low", "high")):
            sheet.write_number(row, 2 + i, float(record[column]), book.look("number"))
        texts = [
            "",
            str(record["name"]),
            "",
            "",
            "",
            str(record["unit"]),
            str(record["source"]),
            "",
            str(record["owner"]),
            str(record.get("used_in") or ""),
        ]
        book.fit(sheet, row, texts)
        as_of = record.get("as_of")
        for i, text in ((5, record["unit"]), (6, record["source"]), (8, record["owner"]), (9, record.get("used_in") or "")):
            sheet.write_string(row, i, str(text), book.look("text"))
        if as_of is not None and pd.notna(as_of):
            sheet.write_datetime(row, 7, pd.Timestamp(str(as_of)).to_pydatetime(), book.look("date"))
    sheet.print_area(0, 0, row, 9)
