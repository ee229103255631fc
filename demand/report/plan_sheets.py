"""The sheets of the budget round: Against the ledger, Medium-term plan, Year to year, Past budgets, Levers.

In: the open book. Out: sheets, in £000 where papers ask for them, whose sums are live formulas; the figures themselves are the run's, and
say so as soon as an input is changed. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from demand.languages import message, speaking
from demand.report.book import Book, label_of, letter_of, money_cell, scenario_name
from demand.report.inputs import ReportInput
from demand.report.plan_facts import (
    backcast_held,
    backcast_off,
    backcast_rows,
    bridge_rows,
    cliffs,
    gap_rows,
    gap_sentence,
    net_rows,
    plan_rows,
)

__all__ = ["bridge", "ledger", "levers", "net", "past_budgets", "plan"]

RESTS_ON = ("cost", "price", "budget", "uplift", "items")


def _lead(book: Book, sheet: Any, row: int, tell: Callable[[ReportInput], Sequence[str]]) -> int:
    """Write sentences above a table, and keep their Welsh."""
    row -= 1
    with speaking("cy"):
        welsh = tell(book.inputs.named_in("cy"))
    for text, other in zip(tell(book.inputs), welsh, strict=True):
        if text:
            row = book.say(sheet, row, text, "bold")
            book.labelled(sheet, text)
            book.welsh[text] = other
    return row + 1


def ledger(book: Book) -> None:
    """Write what was counted, at its price, against the ledger."""
    rows = gap_rows(book.inputs)
    note = message("What numbers and prices do not explain is shown, not hidden in prices.")
    widths = [34, 14, 20, 20, 20, 12, 12, 12]
    sheet, row = book.sheet("Against the ledger", title="Does it agree with the ledger?", note=note, typed=True, widths=widths,
                            hollow=book.inputs.marked(*RESTS_ON))  # fmt: skip
    row = _lead(book, sheet, row, lambda inputs: [gap_sentence(inputs)])
    names = ["Budget line", "Financial year", "Counted, at its price", "The ledger says", "Not explained", "Share", "Allowed", "Within"]
    book.headings(sheet, row, names, words=2)
    for line in rows.itertuples():
        row += 1
        looks = ("total",) if line.whole else ()
        for i, text in ((0, line.name), (1, line.financial_year), (7, "yes" if line.within else "no")):
            sheet.write_string(row, i, str(text), book.look("middle" if i == 7 else "text", *looks))
        for i, value in ((2, line.modelled), (3, line.outturn)):
            money_cell(book, sheet, (row, i), value, *looks)
        sheet.write_formula(row, 4, f"=D{row + 1}-C{row + 1}", book.look("pounds", *looks), round(line.gap, 2))
        sheet.write_formula(row, 5, f'=IF(D{row + 1}=0,"",E{row + 1}/D{row + 1})', book.look("share", *looks), line.gap_share)
        sheet.write_number(row, 6, float(line.tolerance), book.look("share", *looks))
    sheet.print_area(0, 0, row, 7)


def plan(book: Book) -> None:
    """Write the increments of the medium-term plan in £000: low, expected and high by year, a block a scenario."""
    rows = (
        {str(s): plan_rows(book.inputs, str(s)) for s in dict.fromkeys(book.inputs.mtfp["scenario"])}
        if book.inputs.mtfp is not None
        else {}
    )
    years = sorted({str(y) for table in rows.values() for y in table["financial_year"]})
    note = message(
        "£000: what is needed more (or less) than in the year before. Expected figures add up to the change of the line; low and high do "
        "not. Cells hold pounds and pence; their format shows thousands. Part-year effect: of what begins, in the year in which it begins; "
        "full-year effect: in the first whole year."
    )
    widths = [20, 26, 32, 11, *[11] * (3 * len(years)), 11, 11, 11]
    sheet, row = book.sheet("Medium-term plan", title="Medium-term plan: increments on the year before, in £000", note=note, typed=True,
                            widths=widths, hollow=book.inputs.marked(*RESTS_ON, "scenario"))  # fmt: skip
    row = _lead(book, sheet, row, cliffs)
    columns = [f"{year} {end}" for year in years for end in ("low", "expected", "high")]
    heads = ["Scenario", "Budget line", "What", "Recurs", *columns, "Begins in", "Part-year effect", "Full-year effect"]
    book.headings(sheet, row, heads, words=4)
    top = row
    for scenario, table in rows.items():
        for name, block in table.groupby("name", sort=False):
            row = _plan_block(book, sheet, row + 1, block, head=(scenario_name(book, scenario), str(name)), years=years)
    sheet.autofilter(top, 0, row, len(heads) - 1)
    sheet.print_area(0, 0, row, len(heads) - 1)


def _plan_block(book: Book, sheet: Any, row: int, block: pd.DataFrame, *, head: tuple[str, str], years: Sequence[str]) -> int:
    """Write the items of one line under one scenario, and their sum; gives its row."""
    first, last = row + 1, 4 + 3 * len(years)
    for (said, recurring), item in block.groupby(["said", "recurring"], sort=False):
        for i, text in enumerate((*head, said, "every year" if recurring else "ends")):
            sheet.write_string(row, i, str(text), book.look("text"))
        for line in item.itertuples():
            at = 4 + 3 * list(years).index(str(line.financial_year))
            for i, value in enumerate((line.low, line.medium, line.high)):
                sheet.write_number(row, at + i, float(value), book.look("thousands", *([] if i == 1 else ["range"])))
        begins = item[item["part_year"].notna()]
        if len(begins):
            sheet.write_string(row, last, str(begins["financial_year"].iloc[0]), book.look("text", "right"))
            for i, name in enumerate(("part_year", "full_year")):
                if pd.notna(begins[name].iloc[0]):
                    sheet.write_number(row, last + 1 + i, float(begins[name].iloc[0]), book.look("thousands"))
        row += 1
    for i in range(last + 3):
        sheet.write_string(row, i, (*head, "All together")[i] if i < 3 else "", book.look("total"))
    for k, year in enumerate(years):
        letter = letter_of(5 + 3 * k)
        added = round(float(block.loc[block["financial_year"] == year, "medium"].sum()), 2)
        sheet.write_formula(row, 5 + 3 * k, f"=SUM({letter}{first}:{letter}{row})", book.look("thousands", "total"), added)
    return row


def bridge(book: Book) -> None:
    """Write the steps from one year to the next, line by line, with a live check that they add up."""
    rows = bridge_rows(book.inputs)
    note = message("If nothing is changed. The first row of each block and its steps add up to its last row, to the penny.")
    sheet, row = book.sheet("Year to year", title="From one year to the next", note=note, typed=True, widths=[34, 14, 14, 44, 22, 12],
                            hollow=book.inputs.marked(*RESTS_ON))  # fmt: skip
    book.headings(sheet, row, ["Budget line", "From", "To", "Step", "Pounds", "Adds up"], words=4)
    top = row
    for _, block in rows.groupby(["line", "from", "to"], sort=False):
        first = row + 2
        for line in block.itertuples():
            row += 1
            looks = ("total",) if line.kind == "end" else ()
            for i, text in enumerate((line.name, line.to if line.kind == "end" else block["from"].iloc[0], line.to, line.said)):
                sheet.write_string(row, i, str(text), book.look("text", *looks))
            money_cell(book, sheet, (row, 4), line.amount, *looks)
            if line.kind == "end":
                formula = f'=IF(ABS(SUM(E{first}:E{row})-E{row + 1})<0.005,"yes","no")'
                good = abs(float(block["amount"].iloc[:-1].sum()) - float(line.amount)) < 0.005
                sheet.write_formula(row, 5, formula, book.look("middle", "total"), "yes" if good else "no")
    sheet.autofilter(top, 0, row, 5)
    sheet.print_area(0, 0, row, 5)


def past_budgets(book: Book) -> None:
    """Write what each past April would have set aside, and what was needed."""
    rows = backcast_rows(book.inputs)
    note = message("Only what was known in that April was used. What was needed is what was counted, at its price.")
    widths = [12, 28, 26, 20, 20, 20, 20, 22, 12, 24]
    sheet, row = book.sheet("Past budgets", title="Past budgets, had they been set this way", note=note, typed=True, widths=widths,
                            hollow=book.inputs.marked(*RESTS_ON))  # fmt: skip
    row = _lead(book, sheet, row, lambda inputs: [backcast_held(inputs), backcast_off(inputs)])
    names = [
        "Financial year",
        "Budget line",
        "Decided by",
        "Would have been set aside",
        "Low",
        "High",
        "Was needed",
        "Too much (or too little)",
    ]
    book.headings(sheet, row, [*names, "Inside the range", "What fell into the year"], words=3)
    top = row
    for line in rows.to_dict("records"):
        row += 1
        held = "" if pd.isna(line["inside"]) else "yes" if line["inside"] else "no"
        shock = line.get("shock")
        for i, text in ((0, line["financial_year"]), (1, line["name"]), (2, line["way"]), (8, held), (9, "" if pd.isna(shock) else shock)):
            sheet.write_string(row, i, str(text), book.look("text"))
        for i, name in ((3, "expected"), (4, "p10"), (5, "p90"), (6, "actual")):
            money_cell(book, sheet, (row, i), line[name], *(["range"] if i in (4, 5) else []))
        sheet.write_formula(row, 7, f"=D{row + 1}-G{row + 1}", book.look("pounds"), round(float(line["error"]), 2))
    sheet.autofilter(top, 0, row, 9)
    sheet.print_area(0, 0, row, 9)


def levers(book: Book) -> None:
    """Write what comes of each combination of levers."""
    table = book.inputs.sweep
    if table is None:
        return
    note = message("One or two numbers of a scenario take every value of a list; all else is as it was. Differences are from no change.")
    widths = [22, 18, 24, 8, 24, 8, 10, 16, *[15] * 6]
    sheet, row = book.sheet(
        "Levers", title="Levers", note=note, typed=True, widths=widths, hollow=book.inputs.marked(*RESTS_ON, "scenario")
    )
    names = ["Name", "Scenario", "First lever", "Its value", "Second lever", "Its value", "Financial year", "Measured in"]
    book.headings(sheet, row, [*names, "Expected", "Low", "High", "Against no change", "Low", "High"])
    top = row
    for line in table.to_dict("records"):
        row += 1
        texts = ((0, "sweep"), (1, "scenario"), (2, "lever_1"), (4, "lever_2"), (6, "financial_year"), (7, "measure"))
        for i, name in texts:
            text = "" if pd.isna(line[name]) else str(line[name]) if i == 6 else label_of(book, line[name])
            sheet.write_string(row, i, text, book.look("text"))
        figures = ("mean", "low", "high", "difference", "difference_low", "difference_high")
        for i, name in ((3, "value_1"), (5, "value_2"), *((8 + k, f) for k, f in enumerate(figures))):
            if pd.notna(line[name]):
                money = i >= 8 and line["measure"] in ("pounds", "pounds, net")
                sheet.write_number(row, i, float(line[name]), book.look("pounds" if money else "number"))
    sheet.autofilter(top, 0, row, len(names) + 5)
    sheet.print_area(0, 0, row, len(names) + 5)


def net(book: Book) -> None:
    """Write what each line costs, what comes in for it, and what is left."""
    rows = net_rows(book.inputs)
    note = message(
        "Expected figures. What comes in, and savings, are below zero: each row adds up to what is left, the net of the sheet Budget."
    )
    sheet, row = book.sheet("Gross to net", title="From gross to net", note=note, typed=True, widths=[22, 11, 32, 19, 19, 19, 19, 19],
                            hollow=book.inputs.marked(*RESTS_ON))  # fmt: skip
    names = ["Scenario", "Financial year", "Budget line", "Gross", "Income", "Grants", "Savings", "Net"]
    book.headings(sheet, row, names, words=3)
    top = row
    for line in rows.itertuples():
        row += 1
        looks = ("total",) if line.whole else ()
        for i, text in enumerate((scenario_name(book, str(line.scenario)), line.financial_year, line.name)):
            sheet.write_string(row, i, str(text), book.look("text", *looks))
        for i, value in enumerate((line.gross, line.income, line.grant, line.saving)):
            money_cell(book, sheet, (row, 3 + i), value, *looks)
        sheet.write_formula(row, 7, f"=SUM(D{row + 1}:G{row + 1})", book.look("pounds", *looks), round(float(line.expected), 2))
    sheet.autofilter(top, 0, row, 7)
    sheet.print_area(0, 0, row, 7)
