"""The sheets about money: Budget, Scenarios, Risk, What moves it, Checks.

In: the open book and the budget. Out: sheets whose expected totals and differences are live formulas with their values stored; ranges are
typed values. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from demand.report import words
from demand.report.book import NOT_A_SUM, Book, label_of, money_cell, scenario_name
from demand.report.facts import Money
from demand.report.inputs import BASELINE
from demand.report.money_sections import INTERACTION, TOGETHER, money_measure

__all__ = ["budget", "checks", "risk", "scenarios", "sensitivity"]


def budget(book: Book, money: Money) -> dict[tuple[str, str], str]:
    """Write the sheet of lines, and give the address of the expected total of each scenario and year."""
    note = "Expected figures add up. " + NOT_A_SUM
    sheet, top = book.sheet(
        "Budget",
        title="Budget and expected cost by line and financial year",
        note=note,
        hollow=book.inputs.marked("cost", "price", "budget", "uplift", "scenario", "change"),
        widths=[24, 12, 34, 10, 18, 18, 18, 18, 18, 18, 20, 16],
    )
    book.headings(
        sheet,
        top,
        [
            "Scenario",
            "Financial year",
            "Budget line",
            "Months already counted",
            "Budget",
            "Expected cost",
            "Expected less budget",
            "Low (not the sum of the lines)",
            "Middle (not the sum of the lines)",
            "High (not the sum of the lines)",
            "Chance of overspend",
            "Range tested against the past",
        ],
    )
    row, cells = top, {}
    for (scenario, year), block in money.lines.groupby(["scenario", "financial_year"], sort=False):
        first = row + 1
        for line in block.itertuples():
            row += 1
            _budget_row(book, sheet, row, line, scenario=str(scenario), name=label_of(book, line.line))
        row += 1
        if not money.has(str(scenario), str(year)):
            sheet.write_string(row, 0, "The total of this year is not known: a line has no figure for it.", book.look("range"))
            row += 1
            continue
        total = money.at(str(scenario), str(year))
        _total_row(book, sheet, row, total, first=first, head=(scenario_name(book, str(scenario)), str(year)), block=block)
        cells[str(scenario), str(year)] = f"F{row + 1}"
        row += 1
    sheet.autofilter(top, 0, row, 11)
    sheet.print_area(0, 0, row, 11)
    return cells


def _budget_row(book: Book, sheet: Any, row: int, line: Any, *, scenario: str, name: str) -> None:
    sheet.write_string(row, 0, scenario_name(book, scenario), book.look("text"))
    sheet.write_string(row, 1, str(line.financial_year), book.look("text"))
    sheet.write_string(row, 2, name, book.look("text"))
    if pd.notna(line.months_actual):
        sheet.write_number(row, 3, int(line.months_actual))
    money_cell(book, sheet, (row, 4), line.budget)
    money_cell(book, sheet, (row, 5), line.expected)
    if pd.notna(line.budget):
        sheet.write_formula(row, 6, f"=F{row + 1}-E{row + 1}", book.look("pounds"), round(line.expected - line.budget, 2))
    for i, value in enumerate((line.low, line.middle, line.high)):
        money_cell(book, sheet, (row, 7 + i), value, "range")
    if pd.notna(line.p_overspend) and pd.notna(line.budget):
        sheet.write_number(row, 10, float(line.p_overspend), book.look("share"))
    sheet.write_string(row, 11, "yes" if line.tested else "no: too far ahead")


def _total_row(book: Book, sheet: Any, row: int, total: pd.Series, *, first: int, head: tuple[str, str], block: pd.DataFrame) -> None:
    for i, text in enumerate((*head, "All lines")):
        sheet.write_string(row, i, text, book.look("total"))
    sheet.write_blank(row, 3, None, book.look("total"))
    span = f"{{0}}{first + 1}:{{0}}{row}"
    expected, budget = round(float(block["expected"].sum()), 2), float(block["budget"].sum(min_count=1))
    sheet.write_formula(row, 4, f"=SUM({span.format('E')})", book.look("pounds", "total"), 0 if pd.isna(budget) else round(budget, 2))
    sheet.write_formula(row, 5, f"=SUM({span.format('F')})", book.look("pounds", "total"), expected)
    difference = "" if pd.isna(budget) else round(expected - budget, 2)
    sheet.write_formula(row, 6, f'=IF(COUNT({span.format("E")})=0,"",F{row + 1}-E{row + 1})', book.look("pounds", "total"), difference)
    for i, column in enumerate(("low", "middle", "high")):
        money_cell(book, sheet, (row, 7 + i), total[column], "total", "range")
    if pd.notna(total["p_overspend"]) and pd.notna(budget):
        sheet.write_number(row, 10, float(total["p_overspend"]), book.look("share", "total"))
    else:
        sheet.write_blank(row, 10, None, book.look("total"))
    sheet.write_string(row, 11, "yes" if total["tested"] else "no: too far ahead", book.look("total"))


def scenarios(book: Book, money: Money, cells: Mapping[tuple[str, str], str]) -> None:
    """Write the scenarios side by side, and the steps to each."""
    names = [BASELINE, *[s for s in book.inputs.scenarios if (s, money.year) in cells]]
    if len(names) < 2:
        return
    years = sorted({y for s, y in cells if s == BASELINE})
    sheet, row = book.sheet(
        "Scenarios",
        title="Expected cost under each scenario",
        note="All lines together. Every figure is a live formula on the sheet Budget.",
        hollow=book.inputs.marked("scenario", "change", "cost", "price"),
        widths=[34, *[18] * (2 * len(years)), 70],
    )
    book.headings(sheet, row, ["Scenario", *[f"Expected cost {y}" for y in years], *[f"Against no change {y}" for y in years], "Question"])
    base = row + 1
    for name in names:
        row += 1
        sheet.write_string(row, 0, scenario_name(book, name), book.look("text"))
        for i, year in enumerate(years):
            if (name, year) in cells:
                total, zero = money.at(name, year), money.at(BASELINE, year)

                sheet.write_formula(row, 1 + i, f"=Budget!{cells[name, year]}", book.look("pounds"), float(total["expected"]))
                letter = chr(ord("B") + i)
                gap = round(float(total["expected"] - zero["expected"]), 2)
                sheet.write_formula(row, 1 + len(years) + i, f"={letter}{row + 1}-{letter}${base + 1}", book.look("pounds"), gap)
        question = book.inputs.questions.get(name, "")
        sheet.write_string(row, 1 + 2 * len(years), question, book.look("text"))
        book.fit(sheet, row, [*([""] * (1 + 2 * len(years))), question])
    row = _steps(book, sheet, row + 2)
    sheet.print_area(0, 0, row, 1 + 2 * len(years))


def _steps(book: Book, sheet: Any, row: int) -> int:
    table = book.inputs.waterfall
    measure = None if table is None or table.empty else money_measure(table)
    if table is None or measure is None:
        return row
    sheet.write_string(row, 0, "The steps from no change to each scenario", book.look("bold"))
    row += 1
    rows = table[(table["measure"] == measure) & (table["from"] == BASELINE)]
    wide = rows.pivot_table(index=["to", "change"], columns="financial_year", values="amount", aggfunc="sum", sort=False)
    for i, name in enumerate(["Change", *map(str, wide.columns)]):
        sheet.write_string(row, i, name, book.look("head"))
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
            letter = chr(ord("B") + i)
            sheet.write_formula(
                row,
                1 + i,
                f"=SUM({letter}{first + 1}:{letter}{row})",
                book.look("pounds", "total"),
                round(float(block[year].round(2).sum()), 2),
            )
    return row


def risk(book: Book) -> None:
    """Write the chance of an overspend and the reserves."""
    table = book.inputs.risk
    if table is None or table.empty:
        return
    note = "A reserve is what is needed on top of the budget. Reserves of lines do not add up to the reserve of all lines."
    sheet, row = book.sheet(
        "Risk",
        title="Risk and reserves",
        note=note,
        hollow=book.inputs.marked("cost", "price", "budget", "uplift"),
        widths=[26, 34, 14, 16, 24, 24, 24],
    )
    book.headings(
        sheet,
        row,
        [
            "Scenario",
            "Budget line",
            "Financial year",
            "Chance of overspend",
            "Reserve enough 4 years in 5",
            "Reserve enough 19 years in 20",
            "Expected overspend",
        ],
    )
    head = row
    for line in table.itertuples():
        row += 1
        name = "All lines" if str(line.line).lower() == "total" else label_of(book, line.line)
        for i, text in enumerate((scenario_name(book, str(line.scenario)), name, str(line.financial_year))):
            sheet.write_string(row, i, text)
        if pd.notna(line.p_overspend):
            sheet.write_number(row, 3, float(line.p_overspend), book.look("share"))
        for i, pence in enumerate((line.reserve_p80_pence, line.reserve_p95_pence, line.expected_overspend_pence)):
            if pd.notna(pence):
                money_cell(book, sheet, (row, 4 + i), float(pence) / 100)
    sheet.autofilter(head, 0, row, 6)
    sheet.print_area(0, 0, row, 6)


def sensitivity(book: Book) -> None:
    """Write what each assumption does to the cost."""
    table = book.inputs.sensitivity
    if table is None or table.empty:
        return
    note = "Each assumption alone at its low and its high end, all else as it was."
    sheet, row = book.sheet(
        "What moves it",
        title="What moves the cost most",
        note=note,
        hollow=book.inputs.marked("cost", "price", "uplift", "scenario"),
        widths=[44, 14, 20, 20, 20],
    )
    book.headings(sheet, row, ["Assumption", "Financial year", "At its low end", "At its high end", "Distance"])
    order = (table["high_pence"] - table["low_pence"]).abs().sort_values(ascending=False, kind="stable").index
    for line in table.loc[order].itertuples():
        row += 1
        sheet.write_string(row, 0, label_of(book, line.assumption), book.look("text"))
        sheet.write_string(row, 1, str(line.financial_year))
        low, high = float(line.low_pence) / 100, float(line.high_pence) / 100
        money_cell(book, sheet, (row, 2), low)
        money_cell(book, sheet, (row, 3), high)
        sheet.write_formula(row, 4, f"=ABS(D{row + 1}-C{row + 1})", book.look("pounds"), round(abs(high - low), 2))
    sheet.print_area(0, 0, row, 4)


def checks(book: Book, money: Money, cells: Mapping[tuple[str, str], str]) -> None:
    """Write live checks of the totals."""
    note = (
        "Each total on the sheet Budget against the figure that the run worked out by itself. A difference of a penny or more is a fault."
    )
    sheet, row = book.sheet("Checks", title="Checks", note=note, widths=[28, 16, 24, 24, 14])
    book.headings(sheet, row, ["Scenario", "Financial year", "Total on the sheet Budget", "Total of the run", "Agrees"])
    for (scenario, year), address in cells.items():
        total = money.at(scenario, year)
        row += 1
        value = round(float(total["expected"]), 2)
        block = money.lines[(money.lines["scenario"] == scenario) & (money.lines["financial_year"] == year)]
        added = round(float(block["expected"].sum()), 2)
        sheet.write_string(row, 0, scenario_name(book, scenario))
        sheet.write_string(row, 1, year)
        sheet.write_formula(row, 2, f"=Budget!{address}", book.look("pounds"), added)
        sheet.write_number(row, 3, value, book.look("pounds"))
        sheet.write_formula(
            row, 4, f'=IF(ABS(C{row + 1}-D{row + 1})<0.005,"yes","NO")', book.look("text"), "yes" if abs(added - value) < 0.005 else "NO"
        )
    sheet.print_area(0, 0, row, 4)
