"""The workbook: the same figures where finance can add them up.

In: a `ReportInput`. Out: the bytes of an .xlsx file. Expected totals and differences are live formulas with their values stored; ranges are
typed values, labelled as not being sums. All text is written as text, also where it begins with = + - or @. Refuses nothing.
"""

from __future__ import annotations

import io
from datetime import datetime

from demand.report.book import Book
from demand.report.facts import Money
from demand.report.inputs import ReportInput
from demand.report.money_sheets import budget, checks, risk, scenarios, sensitivity
from demand.report.sheets import assumptions, forecast, read_me, summary

__all__ = ["workbook"]

FAST = datetime(2026, 1, 1)
"""The date written into the file's properties: a fixed one, so that the same run gives the same bytes."""


def workbook(inputs: ReportInput) -> bytes:
    """Write the workbook.

    Parameters
    ----------
    inputs : ReportInput

    Returns
    -------
    bytes
        An .xlsx file with the sheets Read me, Summary, Budget, Scenarios, Forecast, Risk, What moves it, Assumptions and Checks, as far
        as the run has them.
    """
    import xlsxwriter

    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    file = xlsxwriter.Workbook(out, options)
    file.set_properties({"title": inputs.title, "comments": f"Run {inputs.run.get('fingerprint', '')}", "created": FAST})
    file.set_calc_mode("auto")
    book, money = Book(file, inputs), Money.of(inputs.budget)
    read_me(book, money)
    summary(book)
    cells = budget(book, money) if money is not None else {}
    if money is not None:
        scenarios(book, money, cells)
    forecast(book)
    risk(book)
    sensitivity(book)
    assumptions(book)
    if money is not None:
        checks(book, money, cells)
    file.close()
    return out.getvalue()
