"""The sheets about money beside the budget: Scenarios, Risk, What moves it.

In: the open book, with the addresses of the sheet Budget. Out: sheets of live formulas with their values stored; what a run alone can work
out is typed, and says so as soon as an input is changed. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from demand.languages import message
from demand.report import words
from demand.report.book import Book, label_of, letter_of, money_cell, scenario_name
from demand.report.facts import Money
from demand.report.inputs import BASELINE
from demand.report.money_sections import INTERACTION, TOGETHER, money_measure

__all__ = ["risk", "scenarios", "scenarios_priced", "sensitivity"]

RISKS = ("reserve_p80", "reserve_p95", "expected_overspend", "overspend_if_it_happens")


def scenarios(book: Book, money: Money) -> None:
    """Write the scenarios side by side, what each changes, the steps to it, and the question that it answers."""
    names, years = scenarios_priced(book, money), [str(y) for y in money.years()["financial_year"]]
    sheet, row = book.sheet(
        "Scenarios",
        title="Expected cost under each scenario",
        note=message("All lines together. The first two tables are live formulas on the sheet Budget."),
        hollow=book.inputs.marked("scenario", "change", "cost", "price"),
        widths=[46, *[20] * max(len(years), 4)],
    )
    book.headings(sheet, row, ["Scenario", *years], words=1)
    top = row + 1
    for name in names:
        row += 1
        sheet.write_string(row, 0, scenario_name(book, name), book.look("text"))
        for i, year in enumerate(years):
            if money.has(name, year):
                total = round(float(money.at(name, year)["expected"]), 2)
                sheet.write_formula(row, 1 + i, f"={book.places['expected', name, 'total', year]}", book.look("pounds"), total)
    row = _table_head(book, sheet, row + 2, "Against no change", years)
    for k, name in enumerate(names[1:], start=1):
        row += 1
        sheet.write_string(row, 0, scenario_name(book, name), book.look("text"))
        for i, year in enumerate(years):
            if money.has(name, year):
                letter = letter_of(1 + i)
                gap = round(float(money.at(name, year)["expected"] - money.at(BASELINE, year)["expected"]), 2)
                sheet.write_formula(row, 1 + i, f"={letter}{top + 1 + k}-{letter}{top + 1}", book.look("pounds"), gap)
    row = _steps(book, sheet, row + 2)
    row = _questions(book, sheet, row + 2, names[1:], last=max(len(years), 4))
    for text in book.inputs.warnings:
        row = book.say(sheet, row + 1, f"Warning: {text}", "hollow")
    sheet.print_area(0, 0, row, max(len(years), 4))


def scenarios_priced(book: Book, money: Money) -> list[str]:
    """Give the scenarios that were priced in the year of the first page, no change first."""
    return [BASELINE, *[s for s in book.inputs.scenarios if money.has(s, money.year)]]


def _table_head(book: Book, sheet: Any, row: int, title: str, years: Sequence[str]) -> int:
    for i, name in enumerate([title, *years]):
        sheet.write_string(row, i, name, book.look("head", *(["right"] if i else [])))
    book.labelled(sheet, title, *filter(None, years))
    book.fit(sheet, row, [title])
    return row


def _questions(book: Book, sheet: Any, row: int, names: Sequence[str], *, last: int) -> int:
    row = _table_head(book, sheet, row, "What each scenario asks", [""] * last)
    for name in names:
        question = book.inputs.questions.get(name, "")
        row += 1
        sheet.write_string(row, 0, scenario_name(book, name), book.look("text"))
        sheet.merge_range(row, 1, row, last, "", book.look("text"))
        sheet.write_string(row, 1, question, book.look("text"))
        sheet.set_row(row, 15.0 * max(1, -(-len(question) // (18 * last))))
    return row


def _steps(book: Book, sheet: Any, row: int) -> int:
    """Write what each change does to the pounds, scenario by scenario; the figures are those of the run."""
    table = book.inputs.waterfall
    measure = None if table is None or table.empty else money_measure(table)
    if table is None or measure is None:
        return row
    rows = table[(table["measure"] == measure) & (table["from"] == BASELINE)]
    wide = rows.pivot_table(index=["to", "change"], columns="financial_year", values="amount", aggfunc="sum", sort=False)
    row = _table_head(book, sheet, row, "The steps from no change, as the run worked them out", [str(c) for c in wide.columns])
    for to, found in wide.groupby(level=0, sort=False):
        last = found.index.get_level_values(1) == INTERACTION
        block = pd.concat([found[~last], found[last]])
        first = row + 1
        for (_, change), amounts in block.iterrows():
            row += 1
            text = words.label(TOGETHER.get(str(change), change), book.inputs.spec.names)
            sheet.write_string(row, 0, f"{scenario_name(book, str(to))}: {text}", book.look("text"))
            for i, amount in enumerate(amounts):
                money_cell(book, sheet, (row, 1 + i), amount)
        row += 1
        sheet.write_string(row, 0, f"{scenario_name(book, str(to))}: all steps", book.look("total"))
        for i, year in enumerate(block.columns):
            letter, added = letter_of(1 + i), round(float(block[year].round(2).sum()), 2)
            sheet.write_formula(row, 1 + i, f"=SUM({letter}{first + 1}:{letter}{row})", book.look("pounds", "total"), added)
    return row


def risk(book: Book) -> None:
    """Write the chance of an overspend and the reserves, live where the possible futures are in the workbook."""
    table = book.inputs.risk
    if table is None or table.empty:
        return
    note = message("A reserve is what is needed on top of the budget. Reserves of lines do not add up to the reserve of all lines.")
    sheet, row = book.sheet(
        "Risk",
        title="Risk and reserves",
        note=note,
        hollow=book.inputs.marked("cost", "price", "budget", "uplift", "item"),
        widths=[26, 34, 14, 16, 24, 24, 24, 24],
    )
    book.headings(
        sheet,
        row,
        [
            *("Scenario", "Budget line", "Financial year", "Chance of overspend", "Reserve enough 4 years in 5"),
            *("Reserve enough 19 years in 20", "Expected overspend", "Overspend, if there is one"),
        ],
        words=3,
    )
    head = row
    for line in table.to_dict("records"):
        row += 1
        whole = str(line["line"]).lower() == "total"
        texts = (scenario_name(book, str(line["scenario"])), "All lines" if whole else label_of(book, line["line"]), line["financial_year"])
        for i, text in enumerate(texts):
            sheet.write_string(row, i, str(text))
        _risk_row(book, sheet, row, line)
    sheet.autofilter(head, 0, row, 7)
    sheet.print_area(0, 0, row, 7)


def _risk_row(book: Book, sheet: Any, row: int, line: Mapping[str, Any]) -> None:
    place = (str(line["scenario"]), str(line["line"]), str(line["financial_year"]))
    span, budget = book.places.get(("pounds", *place)), book.places.get(("budget", *place))
    pounds = [float(line.get(f"{name}_pence", float("nan"))) / 100 for name in RISKS]
    if span is None or budget is None:
        if pd.notna(line["p_overspend"]):
            sheet.write_number(row, 3, float(line["p_overspend"]), book.look("share"))
        for i, amount in enumerate(pounds):
            money_cell(book, sheet, (row, 4 + i), amount)
        return
    over, look = f"IF({span}>{budget},{span}-{budget},0)", book.look("pounds")
    sheet.write_formula(row, 3, f"=SUMPRODUCT(--({span}>{budget}))/COUNT({span})", book.look("share"), float(line["p_overspend"]))
    for i, share in enumerate((0.8, 0.95)):
        sheet.write_array_formula(row, 4 + i, row, 4 + i, f"{{=ROUND(PERCENTILE({over},{share}),2)}}", look, pounds[i])
    expected = f"=ROUND(SUMPRODUCT(({span}>{budget})*({span}-{budget}))/COUNT({span}),2)"
    sheet.write_formula(row, 6, expected, look, pounds[2])
    happens = f'=IF(D{row + 1}=0,"",ROUND(SUMPRODUCT(({span}>{budget})*({span}-{budget}))/SUMPRODUCT(--({span}>{budget})),2))'
    sheet.write_formula(row, 7, happens, look, "" if pd.isna(pounds[3]) else pounds[3])


def sensitivity(book: Book) -> None:
    """Write what each assumption does to the cost."""
    table = book.inputs.sensitivity
    if table is None or table.empty:
        return
    note = message(
        "Each assumption alone at its low and its high end, all else as it was; and what one step of it does: 1%, or one point of a share."
    )
    sheet, row = book.sheet(
        "What moves it",
        title="What moves the cost most",
        note=note,
        hollow=book.inputs.marked("cost", "price", "uplift", "item", "scenario"),
        typed=True,
        widths=[44, 14, 20, 20, 20, 12, 20],
    )
    book.headings(
        sheet, row, ["Assumption", "Financial year", "At its low end", "At its high end", "Distance", "One step", "One step does"], words=2
    )
    order = (table["high_pence"] - table["low_pence"]).abs().sort_values(ascending=False, kind="stable").index
    for line in table.loc[order].itertuples():
        row += 1
        sheet.write_string(row, 0, label_of(book, line.assumption), book.look("text"))
        sheet.write_string(row, 1, str(line.financial_year))
        low, high = float(line.low_pence) / 100, float(line.high_pence) / 100
        money_cell(book, sheet, (row, 2), low)
        money_cell(book, sheet, (row, 3), high)
        sheet.write_formula(row, 4, f"=ABS(D{row + 1}-C{row + 1})", book.look("pounds"), round(abs(high - low), 2))
        step = getattr(line, "step_pence", None)
        if step is not None and pd.notna(step):
            sheet.write_string(row, 5, f"{line.step} more", book.look("text", "right"))
            money_cell(book, sheet, (row, 6), float(step) / 100)
    sheet.print_area(0, 0, row, 6)
