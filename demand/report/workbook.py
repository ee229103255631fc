"""The workbook: the same figures where finance can add them up, and change what they rest on.

In: a `ReportInput`. Out: the bytes of an .xlsx file. Expected costs, their totals, ranges, chances and reserves are live formulas over
input cells, with their values stored, where the run has stored every possible future; else expected totals alone are. All text is written
as text, also where it begins with = + - or @. Refuses nothing.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from demand.languages import message
from demand.report.assumption_sheet import assumptions, has_assumptions
from demand.report.book import Book
from demand.report.budget_sheet import budget, checks
from demand.report.caseload_section import caseload_sheet, caseload_tables
from demand.report.cleared import cleared
from demand.report.comparators_section import comparators_sheet
from demand.report.facts import Money
from demand.report.geirfa import crynodeb, geirfa
from demand.report.inputs import ReportInput
from demand.report.live import Live
from demand.report.live_sheets import FUTURES, PRICES, futures, prices
from demand.report.money_sheets import risk, scenarios, scenarios_priced, sensitivity
from demand.report.moved_section import moved_sheet
from demand.report.period_sheet import finance_period_sheet
from demand.report.plan_facts import net_rows
from demand.report.plan_sheets import bridge, ledger, levers, net, past_budgets, plan
from demand.report.price_tables import price_sheet
from demand.report.sheets import forecast, has_forecast, read_me, summary
from demand.report.year_tables import allocation_sheet, outturn_sheet

__all__ = ["workbook"]

FAST = datetime(2026, 1, 1)
"""The date written into the file's properties: a fixed one, so that the same run gives the same bytes."""


@dataclass(frozen=True)
class Sheet:
    """One sheet: what it is called, what it is for, and how it is filled."""

    name: str
    about: str
    write: Callable[[], None]
    early: int = 9
    """Which are filled first, so that others can refer to their cells."""


def workbook(inputs: ReportInput) -> bytes:
    """Write the workbook.

    Parameters
    ----------
    inputs : ReportInput

    Returns
    -------
    bytes
        An .xlsx file with a sheet Read me that says what the others hold, as far as the run has them.
    """
    import xlsxwriter

    inputs = cleared(inputs)
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    file = xlsxwriter.Workbook(out, options)
    file.set_properties({"title": inputs.title, "comments": f"Run {inputs.run.get('fingerprint', '')}", "created": FAST})
    file.set_calc_mode("auto")
    book = Book(file, inputs)
    sheets = [*_first(book), *_money(book)]
    if "cy" in inputs.spec.languages:
        about = "Cymraeg: beth yw enwau'r taflenni a'r penawdau. Welsh for the names of sheets and the headings of this workbook."
        sheets.append(Sheet("Geirfa", about, partial(geirfa, book), early=11))
    others = [(s.name, s.about) for s in sheets]
    sheets.insert(0, Sheet("Read me", "", partial(read_me, book, others), early=10))
    book.order([s.name for s in sheets])
    for sheet in sorted(sheets, key=lambda s: s.early):
        sheet.write()
    file.close()
    return out.getvalue()


def _first(book: Book) -> list[Sheet]:
    """Give the answers in each language of the report, in its order."""
    about = "Cymraeg: atebion tudalen gyntaf yr adroddiad. The same answers in Welsh."
    known = {
        "en": Sheet("Summary", message("The answers of the report's first page, in words."), partial(summary, book)),
        "cy": Sheet("Crynodeb", about, partial(crynodeb, book)),
    }
    return [known[language] for language in book.inputs.spec.languages]


def _money(book: Book) -> list[Sheet]:
    """Give the sheets that the run has tables for, in the order of reading."""
    inputs = book.inputs
    money = Money.of(inputs.budget)
    live = Live.of(inputs) if money is not None else None
    found: list[Sheet] = []
    if money is not None:
        about = message("What each line is expected to cost in each financial year, under each scenario: live formulas.")
        found.append(Sheet("Budget", about, partial(budget, book, money), early=4))
        if len(scenarios_priced(book, money)) > 1:
            found.append(Sheet("Scenarios", message("The scenarios side by side, and the steps to each."), partial(scenarios, book, money)))
    if has_forecast(book):
        found.append(Sheet("Forecast", message("Expected numbers by financial year."), partial(forecast, book)))
    if inputs.risk is not None and not inputs.risk.empty:
        found.append(Sheet("Risk", message("The chance of an overspend, and the reserve that would be enough."), partial(risk, book)))
    if caseload_tables(inputs):
        found.append(Sheet("Who is there", message("Who is there, for how long, and how stays end."), partial(caseload_sheet, book)))
    found += _plan(book)
    if inputs.sensitivity is not None and not inputs.sensitivity.empty:
        found.append(Sheet("What moves it", message("Each assumption at its low and its high end."), partial(sensitivity, book)))
    if has_assumptions(book):
        about = message("Every number that was given, with its range, source, date and owner; input cells for finance.")
        found.append(Sheet("Assumptions", about, partial(assumptions, book, live), early=1))
    if live is not None:
        found.append(Sheet(PRICES, "Each price in each possible future; from the input cells.", partial(prices, book, live), early=2))
        about = message("How much each line pays for and what it costs, in each possible future; all ranges come from here.")
        found.append(Sheet(FUTURES, about, partial(futures, book, live), early=3))
    if money is not None:
        found.append(
            Sheet("Checks", message("Live checks: each total against the figure that the run worked out."), partial(checks, book, money))
        )
    return found


def _plan(book: Book) -> list[Sheet]:
    """Give the sheets of the budget round that the run has tables for."""
    inputs = book.inputs
    known = (
        (net_rows(inputs), "Gross to net", message("What each line costs, what comes in for it, and what is left."), net),
        (
            inputs.finance_periods,
            "Finance periods",
            message("What each line costs, pays and owes by month, and at the end of the year."),
            finance_period_sheet,
        ),
        (inputs.start_prices, "One more placement", message("What those who are there, and new starts, cost by type."), price_sheet),
        (inputs.mtfp, "Medium-term plan", message("What each year needs more than the one before, in £000."), plan),
        (inputs.bridge, "Year to year", message("What moves each line from one year to the next, step by step."), bridge),
        (inputs.reconciliation, "Against the ledger", message("What was counted, at its price, against what was spent."), ledger),
        (inputs.backcast, "Past budgets", message("What each past April would have set aside, and what was needed."), past_budgets),
        (inputs.outturn, "Outturn", message("What the year under way will have cost."), outturn_sheet),
        (
            inputs.moved,
            "What has moved",
            message("What moved since the month before, and what each forecast of this year said."),
            moved_sheet,
        ),
        (inputs.allocation, "Allocation", message("Who gets how much of an envelope, and what holds it there."), allocation_sheet),
        (inputs.comparators, "Beside other areas", message("Our rate per 10,000 beside those of others."), comparators_sheet),
        (inputs.sweep, "Levers", message("A scenario at every combination of some of its numbers."), levers),
    )
    return [Sheet(name, about, partial(write, book)) for table, name, about, write in known if table is not None and not table.empty]
