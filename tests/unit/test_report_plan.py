"""The budget round on the page and in the workbook: the gap, the bridge, the plan, past budgets and levers."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from openpyxl import load_workbook
from plan_made import plan_tables
from planning_cases import forecast, weekly_prices
from report_made import made

from demand.budget import BudgetLine, FixedTotal, allocate, price
from demand.budget.allocation import allocation_table
from demand.budget.outturn import OUTTURN
from demand.budget.start_prices import START_PRICES
from demand.report import ReportInput
from demand.report.answers import answers
from demand.report.facts import Money
from demand.report.html import report_page
from demand.report.paste import reserve_sentence, summary_text
from demand.report.plan_facts import _more_or_less, backcast_held, backcast_off, cliffs, gap_sentence, ledger_caveat, ledger_off
from demand.report.sections import sections
from demand.report.words import banned_in
from demand.report.workbook import workbook
from demand.scenario import apply

PAGES = {"ledger", "bridge", "plan", "past-budgets", "levers"}
SHEETS = {"Against the ledger", "Year to year", "Medium-term plan", "Past budgets", "Levers"}


def told() -> ReportInput:
    return replace(made(), **plan_tables())


def rows_of(sheet: Any) -> list[dict[str, Any]]:
    top = int("".join(c for c in sheet.freeze_panes if c.isdigit())) - 1
    names = [cell.value for cell in sheet[top]]
    return [dict(zip(names, [c.value for c in row], strict=True)) for row in sheet.iter_rows(min_row=top + 1) if row[0].value]


def test_the_gap_that_is_not_explained_stands_on_the_first_page() -> None:
    sentence = gap_sentence(told())
    assert "£3.00 million that the ledger says were spent in 2025-26" in sentence
    assert "£3.06 million: £60,000 more (2%), within the 4" in sentence
    cost = next(a for a in answers(told()) if a.question == "What will it cost?")
    assert cost.more == sentence
    assert banned_in(sentence) == []


def test_how_many_past_budgets_held_is_told_as_k_of_n() -> None:
    assert "in 2 of 3 years" in backcast_held(told())
    before = next(a for a in answers(told()) if a.question == "Were we right before?")
    assert before.more.endswith(backcast_held(told()))
    assert "the forecast was off by £197,000 and the year before plus 3% was off by £363,000" in backcast_off(told())


def test_years_of_a_shock_are_set_aside_in_pounds_as_in_people() -> None:
    past = told().backcast
    assert past is not None
    shocked = past.assign(shock=["lockdown" if y == "2022-23" else None for y in past["financial_year"]])
    said = backcast_held(replace(told(), backcast=shocked))
    assert "in 1 of 2 years" in said
    assert said.endswith("Set aside, as no forecast could know of them: 2022-23 (lockdown).")


def test_where_a_shock_fell_into_every_year_nothing_is_counted() -> None:
    past = told().backcast
    assert past is not None
    said = backcast_held(replace(told(), backcast=past.assign(shock="lockdown")))
    assert said.startswith("Set aside, as no forecast could know of them: ")
    assert " 0 of " not in said


def test_where_not_every_line_has_an_outturn_those_that_have_are_summed() -> None:
    names = ["line", "financial_year", "modelled_pence", "outturn_pence", "gap_pence", "gap_share", "tolerance", "within"]
    rows = [("a", "2025-26", 50_00, 100_00, 50_00, 0.5, 0.03, False), ("b", "2025-26", 950_00, 900_00, -50_00, -0.06, 0.03, False)]
    assert ledger_off(pd.DataFrame(rows, columns=names)) is None
    one = replace(told(), reconciliation=pd.DataFrame([rows[0], (*rows[1][:2], 900_00, 900_00, 0, 0.0, 0.03, True)], columns=names))
    assert "come to 95% of what" in ledger_caveat(one)
    assert " for a and b in 2025-26" in gap_sentence(one)


def test_a_ledger_that_is_explained_in_full_when_rounded_needs_no_caveat() -> None:
    ledger = told().reconciliation
    assert ledger is not None
    near = ledger.assign(modelled_pence=(ledger["outturn_pence"] * 0.998).astype(int), within=False)
    assert ledger_caveat(replace(told(), reconciliation=near)) == ""


def test_a_difference_of_nothing_is_about_the_same() -> None:
    assert _more_or_less(-0.2, 0.3) == "about the same; 4 years in 5"
    assert _more_or_less(-0.2, 500) == "between £0 and £500 more; 4 years in 5"


def test_last_year_is_named_first_where_it_is_asked_whether_we_were_right() -> None:
    base = told()
    assert base.backtest_sums is not None
    before = next(a for a in answers(base) if a.question == "Were we right before?")
    year = base.backtest_sums["financial_year"].max()
    assert before.sentence.startswith(f"For {year} we would have said about ")
    assert before.number == f"Out by 3% in {year}"
    assert ": 3% too many, inside the range that we would have given (between " in before.sentence
    missed = base.backtest_sums.assign(y=lambda t: t["y"] * 2)
    before = next(a for a in answers(replace(base, backtest_sums=missed)) if a.question == "Were we right before?")
    assert "% too few, outside the range" in before.sentence


def test_a_ledger_that_is_not_explained_stands_beside_chance_and_reserve() -> None:
    ledger = told().reconciliation
    assert ledger is not None
    cost = next(a for a in answers(told()) if a.question == "What will it cost?")
    assert "only once that is cleared up" not in cost.sentence
    off = replace(told(), reconciliation=ledger.assign(modelled_pence=ledger["outturn_pence"] // 5, gap_pence=1, within=False))
    caveat = "These counts and prices explain only 20% of what was spent on these lines in 2025-26"
    assert caveat in next(a for a in answers(off) if a.question == "What will it cost?").sentence
    assert caveat in reserve_sentence(off, Money.of(off.budget))
    assert caveat in summary_text(off).replace("\n", " ")


def test_a_grant_that_ends_is_a_cliff() -> None:
    assert cliffs(told()) == [
        "Homelessness grant ends: from 2027-28 on, £200,000 a year more has to be found for hostel, or the grant renewed."
    ]


def test_each_table_has_its_page_with_a_picture_that_is_told_in_words() -> None:
    found = {s.id: s for s in sections(told()) if s.id in PAGES}
    assert set(found) == PAGES
    assert PAGES.isdisjoint(s.id for s in sections(made()))
    for name in ("bridge", "past-budgets", "levers"):
        pictures = [p for p in found[name].parts if p.kind == "figure"]
        assert pictures
        assert all(p.alt and p.table.rows and p.svg.startswith("<svg") and "<image" not in p.svg for p in pictures)
    assert found["ledger"].parts[0].kind == "warning"
    assert all(s.mark for s in found.values())
    page = report_page(told())
    assert "nothing is changed" in page


def test_the_sheets_add_up_and_are_in_plain_words() -> None:
    book = load_workbook(io.BytesIO(workbook(told())))
    stored = load_workbook(io.BytesIO(workbook(told())), data_only=True)
    assert set(book.sheetnames) >= SHEETS
    words = " ".join(str(c.value) for n in SHEETS for row in book[n].iter_rows() for c in row if c.data_type == "s")
    assert banned_in(words) == []
    assert {r["Adds up"] for r in rows_of(stored["Year to year"])} == {None, "yes"}
    plan, live = rows_of(stored["Medium-term plan"]), rows_of(book["Medium-term plan"])
    whole = [r for r in plan if r["What"] == "All together"]
    assert {r["Budget line"]: r["2027-28 expected"] for r in whole} == {
        "Hostel": 280_500.75,
        "Bed and breakfast": 80_500.75,
        "All lines": 361_001.5,
    }
    assert all(str(r["2027-28 expected"]).startswith("=SUM(") for r in live if r["What"] == "All together")
    grant = next(r for r in plan if r["What"] == "Homelessness grant")
    assert (grant["Recurs"], grant["Begins in"], grant["Part-year effect"], grant["Full-year effect"]) == (
        "ends",
        "2027-28",
        200_000,
        250_000,
    )
    ledger = rows_of(stored["Against the ledger"])
    assert [r["Within"] for r in ledger] == ["yes", "no", "yes"]
    assert [round(r["Not explained"]) for r in ledger] == [40_000, -100_000, -60_000]
    assert len(rows_of(stored["Levers"])) == 4


@pytest.mark.parametrize("name", ["reconciliation", "bridge", "mtfp", "backcast", "sweep"])
def test_a_table_without_a_row_leaves_page_and_workbook_whole(name: str) -> None:
    empty = pd.DataFrame(columns=plan_tables()[name].columns)
    inputs = replace(told(), **{name: empty})
    assert "Summary" in load_workbook(io.BytesIO(workbook(inputs))).sheetnames
    assert len({s.id for s in sections(inputs)} & PAGES) == 4


def test_one_lever_is_a_row_of_bars() -> None:
    one = plan_tables()["sweep"].drop_duplicates("value_1").assign(lever_2=None, value_2=float("nan"))
    found = next(s for s in sections(replace(told(), sweep=one)) if s.id == "levers")
    assert "Bar chart" in found.parts[0].alt


def test_what_others_pay_is_shown_where_anything_comes_in() -> None:
    base = made()
    assert base.budget is not None
    plain = base.budget.assign(gross_pence=base.budget["expected_pence"], income_pence=0, grant_pence=0, saving_pence=0)
    assert "net" not in {s.id for s in sections(replace(base, budget=plain))}
    paid = plain.assign(gross_pence=plain["gross_pence"] + 500_000, grant_pence=-500_000)
    inputs = replace(base, budget=paid)
    assert "net" in {s.id for s in sections(inputs)}
    rows = rows_of(load_workbook(io.BytesIO(workbook(inputs)), data_only=True)["Gross to net"])
    assert all(round((r["Gross"] + r["Income"] + r["Grants"] + r["Savings"]) * 100) == round(r["Net"] * 100) for r in rows)
    assert {r["Grants"] for r in rows} == {-5000}


def test_numbers_past_their_review_are_marked_wherever_they_are_used() -> None:
    base = made()
    assert base.assumptions is not None
    old = base.assumptions.assign(placeholder=False, overdue=[i == 0 for i in range(len(base.assumptions))], used_in="costs")
    inputs = replace(base, assumptions=old)
    marks = {s.id: s.mark for s in sections(inputs)}
    assert marks["budget"] == marks["risk"] == marks["assumptions"] == "PAST REVIEW"
    assert marks["forecast"] == ""
    page = report_page(inputs)
    assert "Numbers past review." in page
    book = load_workbook(io.BytesIO(workbook(inputs)))
    said = {s.title for s in book.worksheets if any("PAST REVIEW" in str(c.value) for row in s.iter_rows(max_row=4) for c in row)}
    assert {"Budget", "Risk", "Assumptions"} <= said
    assert "Forecast" not in said


def test_what_was_changed_in_the_workbook_and_what_one_step_does_is_told() -> None:
    base = made()
    assert base.sensitivity is not None
    changed = pd.DataFrame(
        [{"sheet": "Assumptions", "cell": "B7", "assumption": "hostel place: amount", "number": "value", "old": 409.0, "new": 425.0,
          "unit": "GBP/household/week", "changed_by": "Finance", "why": "new contract"}]
    )  # fmt: skip
    inputs = replace(base, inputs_changes=changed, sensitivity=base.sensitivity.assign(step="1 %", step_pence=1_234_500))
    found = {s.id: s for s in sections(inputs)}
    tables = [p for p in found["assumptions"].parts if p.kind == "table"]
    assert tables[0].rows == (("Hostel place: amount", "value", "409", "425", "GBP/household/week", "Finance", "new contract"),)
    steps = next(p for p in found["sensitivity"].parts if p.kind == "table")
    assert steps.rows[0][1:] == ("1 % more", "£12,345")


def test_going_beyond_what_was_observed_is_said_on_the_first_page_and_in_the_workbook() -> None:
    warned = pd.DataFrame({"scenario": ["rents_up"], "change": ["rents"], "warning": ["rents 30% higher were never observed"]})
    inputs = replace(made(), applied=warned)
    told = next(a for a in answers(inputs) if a.question == "What could be done?")
    assert "beyond anything observed" in told.more
    sheet = load_workbook(io.BytesIO(workbook(inputs)))["Scenarios"]
    assert any("never observed" in str(c.value) for row in sheet.iter_rows() for c in row)


def allocated(envelope: float) -> pd.DataFrame:
    draws, history = forecast(draws=60)
    cost = price(apply(draws, [], seed=1)[0], weekly_prices(), seed=1, history=history)
    lines = [BudgetLine(name="B&B", where={"type": "bnb"}, floor=8e5), BudgetLine(name="hostels", where={"type": "hostel"}, floor=5e5)]
    return allocation_table(allocate(cost, FixedTotal(years={"2027-28": envelope}), lines))


def test_who_gets_how_much_adds_up_and_a_duty_that_breaks_is_a_warning() -> None:
    found = {s.id: s for s in sections(replace(made(), allocation=allocated(2.5e6)))}["allocation"]
    assert found.parts[0].kind == "figure"
    broken = {s.id: s for s in sections(replace(made(), allocation=allocated(1.0e6)))}["allocation"].parts[0]
    assert broken.kind == "warning"
    assert broken.lines == ("2027-28: the envelope cannot pay for hostels: £300,000 short.",)
    book = load_workbook(io.BytesIO(workbook(replace(made(), allocation=allocated(2.5e6)))), data_only=True)
    assert next(r["Gets"] for r in rows_of(book["Allocation"]) if r["Line or programme"] == "All together") == 2_500_000
    assert banned_in(" ".join(str(c.value) for row in book["Allocation"].iter_rows() for c in row)) == []


def test_the_outturn_of_the_year_is_shown_with_what_is_still_to_come() -> None:
    row = dict.fromkeys(OUTTURN, 1_000_000) | {"line": "total", "financial_year": "2026-27", "period": 3, "p_overspend": 0.25}
    row |= {"projected_pence": 1_200_000, "variance_pence": 200_000}
    inputs = replace(made(), outturn=pd.DataFrame([row], columns=OUTTURN))
    table = {s.id: s for s in sections(inputs)}["outturn"].parts[0]
    assert table.rows[0][:3] == ("All lines", "2026-27", "P03")
    cost = answers(inputs)[3].sentence
    assert cost.endswith(" 2026-27, now under way, is projected to end at £12,000, £2,000 more than its budget of £10,000.")
    over = inputs.outturn.assign(period=12)
    assert answers(replace(inputs, outturn=over))[3].sentence == answers(made())[3].sentence
    stored = rows_of(load_workbook(io.BytesIO(workbook(inputs)), data_only=True)["Outturn"])
    assert (stored[0]["Projected"], stored[0]["Projected less budget"]) == (12_000, 2_000)
    live = rows_of(load_workbook(io.BytesIO(workbook(inputs)))["Outturn"])
    assert str(live[0]["Projected less budget"]).startswith("=K")


def test_what_one_more_placement_costs_is_shown_where_prices_come_from_the_extract() -> None:
    rows = [
        ("residential", 40, 12, 4100.0, 4300.5, 0.04, 0.01, 0.08, 0.5, 15_000_000, 22_000_000, 41_000_000, False),
        ("secure", 3, 0, float("nan"), 7000.0, 0.04, 0.01, 0.08, 0.5, 30_000_000, 36_000_000, 60_000_000, True),
    ]
    inputs = replace(made(), start_prices=pd.DataFrame(rows, columns=START_PRICES))
    section = {s.id: s for s in sections(inputs)}["prices"]
    assert "£220,000" in section.parts[0].alt
    assert section.parts[1].rows[1][-1] == "few starts: the spread of all types"
    stored = rows_of(load_workbook(io.BytesIO(workbook(inputs)), data_only=True)["One more placement"])
    assert [r["One more, a year"] for r in stored] == [220_000, 360_000]
    assert banned_in(" ".join(map(str, stored))) == []


def test_the_range_of_a_difference_stands_beside_it() -> None:
    base = made()
    assert base.waterfall is not None
    assert not [p for s in sections(base) for p in s.parts if p.kind == "table" and "how sure" in p.caption]
    told = base.waterfall.assign(from_total=3_000_000.0, to_total=2_750_000.0, difference_low=-300_000.0, difference_high=-190_000.0)
    parts = next(s for s in sections(replace(base, waterfall=told)) if s.id == "scenarios").parts
    table = next(p for p in parts if p.kind == "table" and "how sure" in p.caption)
    assert table.rows[0] == ("Early help", "2026-27", "-£250,000", "-£300,000", "-£190,000")
    done = next(a for a in answers(replace(base, waterfall=told)) if a.question == "What could be done?")
    assert done.range == "With ‘early help’ the cost is between £190,000 and £300,000 less; 4 years in 5"
