"""The workbook's Welsh: the sheet Crynodeb with the answers, and the sheet Geirfa with names of sheets, headings and explanations.

In: the open book, whose other sheets are filled. Out: two sheets. Names of sheets, headings and formulas stay in English everywhere else,
because formulas refer to them and `--inputs` reads them back. Refuses nothing.
"""

from __future__ import annotations

from dataclasses import replace

from demand.languages import message, say, speaking
from demand.report.book import Book
from demand.report.sheets import summary

__all__ = ["TERMS", "crynodeb", "geirfa"]

NOTE = message(
    "Names of sheets and headings stay in English, because formulas refer to them and because the workbook is read back by them. Here is "
    "what they mean, and what the explanations on each sheet say. On the sheet Assumptions change coloured cells only: yellow ones work "
    "at once, blue ones when the workbook is read back."
)
TERMS = (
    message("Changing an input"),
    message("Low and high"),
    message("Every number that was given"),
    message("When a change counts"),
    message("State"),
    message("Why it was changed"),
    message("Value in the run"),
    message("Low in the run"),
    message("High in the run"),
    message("Name in the config"),
    message("Budget and expected cost by line and financial year"),
    message("Months already counted"),
    message("Low (not the sum of the lines)"),
    message("Middle (not the sum of the lines)"),
    message("High (not the sum of the lines)"),
    message("Range tested against the past"),
    message("Summary"),
    message("In short"),
    message("Range"),
    message("In a sentence"),
    message("Scenarios"),
    message("Expected cost under each scenario"),
    message("The steps from no change, as the run worked them out"),
    message("What each scenario asks"),
    message("What is counted"),
    message("Low (not the sum)"),
    message("High (not the sum)"),
    message("Risk"),
    message("Reserve enough 4 years in 5"),
    message("Reserve enough 19 years in 20"),
    message("Overspend, if there is one"),
    message("Who is there"),
    message("Medium-term plan: increments on the year before, in £000"),
    message("Begins in"),
    message("Part-year effect"),
    message("Full-year effect"),
    message("Year to year"),
    message("From one year to the next"),
    message("Adds up"),
    message("Against the ledger"),
    message("Past budgets"),
    message("Name"),
    message("First lever"),
    message("Its value"),
    message("Second lever"),
    message("Measured in"),
    message("What moves it"),
    message("Distance"),
    message("One step does"),
    message("Checks"),
    message("Total on the sheet Budget"),
    message("Total of the run"),
    message("Agrees"),
    message("Read me"),
    message("Possible prices"),
    message("Prices in each possible future"),
    message("What each line costs in each possible future"),
    message("Finance periods"),
    message("By finance period"),
    message("First day"),
    message("Last day"),
    message("Runs of payments"),
    message("Gross cost of these days"),
    message("What comes in"),
    message("Paid, gross"),
    message("Owed at the end"),
    message("Agrees with the sheet Budget"),
    message("Allocation"),
)
"""Labels that only the workbook has; all others are messages of the page."""
IN_CELLS = {
    "Assumptions": (
        message("At once"),
        message("When read back"),
        message("Fixed: worked out from the prices of the extract"),
        message("changed"),
        message("FAULT: not a number"),
        message("FAULT: low, value, high are not in order"),
        message("Inputs changed:"),
        message("The budget that was set"),
    ),
    "Budget": (
        message("no: too far ahead"),
        message("yes"),
        message("All lines"),
        message("No change"),
    ),
    "Finance periods": (
        message("Owed before"),
        message("Accrual"),
        message("The year"),
        message("inputs were changed"),
    ),
    "Forecast": (message("came in the year"), message("there on average")),
    "Medium-term plan": (message("All together"),),
    "Scenarios": (message("all steps"),),
}
"""Words that stand in cells, by the sheet on which they stand."""


def crynodeb(book: Book) -> None:
    """Write the answers in Welsh."""
    with speaking("cy"):
        summary(replace(book, inputs=book.inputs.named_in("cy"), labels={}), name="Crynodeb")


def geirfa(book: Book) -> None:
    """Write every name of a sheet, title, heading and explanation beside its Welsh, in the order of the sheets."""
    order = [s.get_name() for s in book.file.worksheets()]
    with speaking("cy"):
        sheet, row = book.sheet("Geirfa", title="Geirfa", note=say(NOTE), widths=[26, 52, 60])
        for where, texts in IN_CELLS.items():
            if where in order:
                book.labelled(book.file.get_worksheet_by_name(where), *texts)
        known = [
            (where, label, book.welsh.get(label) or say(label))
            for label, where in book.labels.items()
            if label in book.welsh or said_in_welsh(label)
        ]
    book.headings(sheet, row, ["Taflen / Sheet", "English", "Cymraeg"])
    for texts in sorted(known, key=lambda found: order.index(found[0])):
        row += 1
        for i, text in enumerate(texts):
            sheet.write_string(row, i, text, book.look("text"))
        book.fit(sheet, row, texts)
    sheet.print_area(0, 0, row, 2)


def said_in_welsh(label: str) -> bool:
    """Say whether the catalogue has a label, rather than the data."""
    return bool(label) and (label in TERMS or say(label) != label)
