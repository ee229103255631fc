"""The outturn of the year under way, and who gets how much: the pages and the sheets.

In: a `ReportInput`, or the open book. Out: a `Section` (None where the run has no table for it), or a sheet whose sums are live formulas.
Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from demand.languages import message, say
from demand.report import bars, words
from demand.report.book import Book, money_cell
from demand.report.facts import TOTAL
from demand.report.inputs import ReportInput
from demand.report.parts import Block, Figure, Section, Table, table_of

__all__ = ["allocation_section", "allocation_sheet", "outturn_section", "outturn_sheet"]

RESTS_ON = ("cost", "price", "budget", "uplift", "items")
BINDS = {
    "floor": message("what duties need"),
    "least": message("the least that was set"),
    "most": message("the most that was set"),
    "total": message("the envelope"),
    "demand": message("nothing: more would never be spent"),
    "service": message("the level of service"),
    "balance": message("the next pound is worth as much elsewhere"),
}
"""What holds an amount where it is, in words."""
SPENT = {
    "original_budget": message("Original budget"),
    "virement": message("Virements"),
    "current_budget": message("Current budget"),
    "actual": message("Spent"),
    "accrual": message("Accruals"),
    "commitment": message("Committed"),
    "remainder": message("Still to come"),
    "projected": message("Projected"),
    "p10": message("Low"),
    "p90": message("High"),
    "variance": message("Projected less budget"),
}


def _rows(inputs: ReportInput, table: pd.DataFrame | None) -> pd.DataFrame:
    """Give a stored table in pounds, with lines as they are said."""
    if table is None or table.empty:
        return pd.DataFrame()
    pounds = {c.removesuffix("_pence"): pd.to_numeric(table[c]).astype(float) / 100 for c in table.columns if c.endswith("_pence")}
    named = [say("All lines") if str(n).lower() in TOTAL else words.capital(words.label(n, inputs.spec.names)) for n in table["line"]]
    return table.assign(**pounds, name=named)


def outturn_section(inputs: ReportInput) -> Section | None:
    """Show what the year under way will have cost: spent, committed, and still to come."""
    rows = _rows(inputs, inputs.outturn)
    if rows.empty:
        return None
    names = {"name": "Budget line", "financial_year": "Year", "period": "Ledger up to", **SPENT}
    shown = rows.assign(period=[f"P{int(p):02d}" for p in rows["period"]])
    note = say("Committed sums are part of what is still to come, never added to it twice. Low to high: 4 years in 5.")
    table = table_of(shown, say("Projected outturn of this year"), names=names, formats=dict.fromkeys(SPENT, "exact"), note=note)
    lead = say("The ledger up to its last period, and the rest of the year as it is forecast.")
    return Section("outturn", say("This year's outturn"), (table,), lead, mark=inputs.marked(*RESTS_ON))


def outturn_sheet(book: Book) -> None:
    """Write the projected outturn."""
    rows = _rows(book.inputs, book.inputs.outturn)
    note = message("The ledger up to its last period, and the rest of the year as it is forecast. Low to high: 4 years in 5.")
    sheet, row = book.sheet("Outturn", title="Projected outturn of this year", note=note, typed=True, widths=[28, 11, 10, *[15] * 11, 12],
                            hollow=book.inputs.marked(*RESTS_ON))  # fmt: skip
    book.headings(sheet, row, ["Budget line", "Financial year", "Ledger up to", *SPENT.values(), "Chance of overspend"], words=3)
    for line in rows.to_dict("records"):
        row += 1
        looks = ("total",) if line["name"] == "All lines" else ()
        for i, text in enumerate((line["name"], line["financial_year"], f"P{int(line['period']):02d}")):
            sheet.write_string(row, i, str(text), book.look("text", *looks))
        for i, name in enumerate(SPENT):
            money_cell(book, sheet, (row, 3 + i), line[name], *(["range"] if name in ("p10", "p90") else []), *looks)
        if pd.notna(line["variance"]) and pd.notna(line["current_budget"]):
            at = row + 1
            sheet.write_formula(row, 13, f"=K{at}-F{at}", book.look("pounds", *looks), round(float(line["variance"]), 2))
        if pd.notna(line["p_overspend"]):
            sheet.write_number(row, 14, float(line["p_overspend"]), book.look("share", *looks))
    sheet.print_area(0, 0, row, 14)


def allocation_section(inputs: ReportInput) -> Section | None:
    """Show who gets how much of an envelope, what holds it there, and which duties cannot be paid."""
    rows = _allocated(inputs)
    if rows.empty:
        return None
    parts: list[Table | Figure | Block] = []
    broken = rows[rows["short"] > 0]
    if len(broken):
        said = [
            say(
                "{year}: the envelope cannot pay for {what}: {money} short.",
                year=r["financial_year"],
                what=r["name"].lower(),
                money=words.pounds(r["short"]),
            )
            for r in broken.to_dict("records")
        ]
        parts.append(Block(tuple(said), kind="warning"))
    year = rows["financial_year"].min()
    one = rows[rows["financial_year"] == year]
    picture = pd.DataFrame({"name": one["name"], "value": one["allocated"]}).reset_index(drop=True)
    parts.append(
        bars.bars(picture, title=say("who gets how much in {year}", year=year), of=say("Line or programme"), money=True, level=True)
    )
    names = {
        "financial_year": "Year",
        "name": "Line or programme",
        "allocated": "Gets",
        "floor": "Duties need",
        "expected_cost": "Expected cost",
        "expected_shortfall": "Expected shortfall",
        "chance": "Chance of a shortfall",
        "held": "What holds it there",
        "marginal_pound": "The next pound is worth",
    }
    formats: dict[str, str | Callable[[float], str]] = dict.fromkeys(
        ("allocated", "floor", "expected_cost", "expected_shortfall", "saved"), "exact"
    )
    formats |= {"p_paid_back": "percent", "marginal_pound": lambda v: f"£{v:,.2f}"}
    parts.append(
        table_of(rows, say("The plan, year by year"), names=names, formats=formats, note=say("Nobody gets less than duties need."))
    )
    programmes = rows[rows["saved"].notna()]
    if len(programmes):
        names = {"financial_year": "Year", "name": "Line or programme", "allocated": "Gets", "saved": "Saves",
                 "p_paid_back": "Chance that it has paid back"}  # fmt: skip
        parts.append(table_of(programmes, say("What programmes save"), names=names, formats=formats))
    lead = say("An envelope shared out so that it does as much as it can, year by year.")
    return Section("allocation", say("Who gets how much"), tuple(parts), lead, mark=inputs.marked(*RESTS_ON, "allocation"))


def _allocated(inputs: ReportInput) -> pd.DataFrame:
    rows = _rows(inputs, inputs.allocation)
    if rows.empty:
        return rows
    chance = [words.chance(p) if pd.notna(p) else "" for p in rows["p_overspend"]]
    held = ["" if pd.isna(b) else say(BINDS.get(str(b), words.label(b))) for b in rows["binds"]]
    return rows.assign(chance=chance, held=held)


def allocation_sheet(book: Book) -> None:
    """Write who gets how much, with the sum of each year live."""
    rows = _allocated(book.inputs)
    note = message("An envelope shared out so that it does as much as it can. Nobody gets less than duties need.")
    widths = [12, 32, 18, 18, 18, 18, 13, 30, 13, 18, 13]
    sheet, row = book.sheet(
        "Allocation", title="Who gets how much", note=note, typed=True, widths=widths, hollow=book.inputs.marked(*RESTS_ON, "allocation")
    )
    heads = ["Financial year", "Line or programme", "Gets", "Duties need", "Expected cost", "Expected shortfall", "Chance of a shortfall"]
    book.headings(sheet, row, [*heads, "What holds it there", "The next pound is worth", "Saves", "Chance that it has paid back"], words=2)
    for year, block in rows.groupby("financial_year", sort=False):
        first = row + 2
        for line in block.to_dict("records"):
            row += 1
            for i, text in ((0, year), (1, line["name"]), (7, line["held"])):
                sheet.write_string(row, i, str(text), book.look("text"))
            for i, name in (
                (2, "allocated"),
                (3, "floor"),
                (4, "expected_cost"),
                (5, "expected_shortfall"),
                (8, "marginal_pound"),
                (9, "saved"),
            ):
                money_cell(book, sheet, (row, i), line[name])
            for i, name in ((6, "p_overspend"), (10, "p_paid_back")):
                if pd.notna(line[name]):
                    sheet.write_number(row, i, float(line[name]), book.look("share"))
        row += 1
        for i, text in enumerate((str(year), "All together")):
            sheet.write_string(row, i, text, book.look("total"))
        sheet.write_formula(row, 2, f"=SUM(C{first}:C{row})", book.look("pounds", "total"), round(float(block["allocated"].sum()), 2))
    sheet.print_area(0, 0, row, 10)
