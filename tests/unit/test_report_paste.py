"""What is pasted into committee papers: Word tables equal to the workbook, pictures with words, and counts protected where it leaves."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from functools import cache
from typing import Any

import pandas as pd
import pytest
from openpyxl import load_workbook
from plan_made import plan_tables
from report_made import made

from demand.report import ReportInput, ReportSpec
from demand.report.answers import answers
from demand.report.paste import papers, pasted, summary_text
from demand.report.words import banned_in, pounds_exact
from demand.report.workbook import workbook

OUTTURN = {"original_budget": 90, "virement": 10, "current_budget": 100, "actual": 40, "accrual": 5, "commitment": 20, "remainder": 60,
           "projected": 105, "p10": 95, "p90": 115, "variance": 5}  # fmt: skip


@cache
def inputs() -> ReportInput:
    others = [(f"Area {i}", False, 100 + 10 * i, 40_000 + 3_000 * i) for i in range(6)]
    rates = pd.DataFrame([("Ours", True, 117, 50_000), *others], columns=["area", "ours", "count", "population"])
    rates = rates.assign(
        rate=10_000 * rates["count"] / rates["population"],
        others_rate=25.5,
        low95=20.0,
        high95=31.0,
        low998=17.0,
        high998=35.0,
        place="as others",
    )
    outturn = pd.DataFrame([{"line": "hostel", "financial_year": "2026-27", "period": 6, "p_overspend": 0.6,
                             **{f"{k}_pence": v * 1_000_099 for k, v in OUTTURN.items()}}])  # fmt: skip
    return replace(made(), **plan_tables(), comparators=rates, outturn=outturn)


@cache
def files() -> dict[str, bytes]:
    return pasted(inputs())


def opened(name: str, content: dict[str, bytes] | None = None) -> Any:
    from docx import Document

    return Document(io.BytesIO((content or files())[name]))


def rows(table: Any) -> list[dict[str, str]]:
    heads, *body = [[cell.text for cell in row.cells] for row in table.rows]
    return [dict(zip(heads, row, strict=True)) for row in body]


def test_there_is_a_paper_for_each_thing_that_a_committee_asks() -> None:
    names = ["pressures", "outturn", "sensitivity", "reserve", "comparators", "questions"]
    assert [p.id for p in papers(inputs())] == names
    assert {n for n in files() if n.endswith(".docx")} == {f"{n}.docx" for n in names}
    assert [p.id for p in papers(replace(made(), budget=None, risk=None, sensitivity=None))] == ["questions"]


def test_money_is_that_of_the_workbook_to_the_pound() -> None:
    book = load_workbook(io.BytesIO(workbook(inputs())), data_only=True)
    told = {(r["Year"], r["Budget line"]): r for r in rows(opened("pressures.docx").tables[1])}
    sheet = book["Budget"]
    top = int("".join(c for c in sheet.freeze_panes if c.isdigit())) - 1
    names = [c.value for c in sheet[top]]
    found = [dict(zip(names, values, strict=True)) for values in sheet.iter_rows(min_row=top + 1, values_only=True)]
    found = [r for r in found if r["Scenario"] == "No change" and r["Financial year"]]
    assert len(found) == len(told) == 9
    for row in found:
        mine = told[row["Financial year"], row["Budget line"]]
        for heading, name in (("Budget", "Budget"), ("Expected cost", "Expected"), ("Expected less budget", "Expected less budget")):
            assert mine[name] == pounds_exact(row[heading])
    cells = {c for row in book["Risk"].iter_rows(values_only=True) for c in row if isinstance(c, int | float)}
    reserves = rows(opened("reserve.docx").tables[1])
    assert reserves
    pounds = {f"£{c:,.0f}" for c in cells}
    assert all(r[n] in pounds for r in reserves for n in r if n.startswith("Reserve"))
    moved = {f"{'-' if c < 0 else ''}£{abs(c):,.0f}" for row in book["What moves it"].iter_rows(values_only=True) for c in row
             if isinstance(c, int | float)}  # fmt: skip
    assert all(r["At its low end"] in moved and r["At its high end"] in moved for r in rows(opened("sensitivity.docx").tables[0]))
    spent = {f"£{c:,.0f}" for row in book["Outturn"].iter_rows(values_only=True) for c in row if isinstance(c, int | float)}
    assert all(r[n] in spent for r in rows(opened("outturn.docx").tables[0]) for n in ("Spent", "Projected", "Low", "High"))


def test_pictures_say_what_they_show_and_headings_of_tables_repeat() -> None:
    pictures = [n for n in files() if n.endswith(".png")]
    assert len(pictures) >= 4
    assert all(files()[n].startswith(b"\x89PNG") for n in pictures)
    assert all(n in files()["pictures.txt"].decode() for n in pictures)
    for name in (n for n in files() if n.endswith(".docx")):
        file = opened(name)
        assert all(len(s._inline.docPr.get("descr")) > 40 for s in file.inline_shapes)
        assert all(t.rows[0]._tr.xpath("./w:trPr/w:tblHeader") and t._tbl.xpath("./w:tblPr/w:tblCaption") for t in file.tables)
    assert len(opened("sensitivity.docx").inline_shapes) == 1


def test_no_number_is_wider_than_its_column() -> None:
    """A digit of Arial is 0.556 of its size wide, and a cell keeps 1.9 mm free on either side."""
    for name in (n for n in files() if n.endswith(".docx")):
        for table in opened(name).tables:
            for cell in (c for row in table.rows[1:] for c in row.cells if re.fullmatch(r"-?£[\d,]+", c.text)):
                size = cell.paragraphs[0].runs[0].font.size
                assert 0.556 * size.mm * len(cell.text) + 3.8 <= cell.width.mm, (name, cell.text)


def test_papers_of_the_council_say_on_every_page_that_they_are_not_for_publication() -> None:
    public = pasted(replace(inputs(), spec=ReportSpec(audience="public")))
    for name in (n for n in files() if n.endswith(".docx")):
        assert opened(name).sections[0].header.paragraphs[0].text.startswith("Internal: exact counts, not for publication")
        assert not any(p.text.startswith("Internal") for p in opened(name).paragraphs)
    assert "not for publication" in files()["pictures.txt"].decode()
    assert not any("Internal" in opened(n, public).paragraphs[1].text + opened(n, public).sections[0].header.paragraphs[0].text
                   for n in public if n.endswith(".docx"))  # fmt: skip
    assert "Internal" not in public["pictures.txt"].decode()


def test_the_same_run_gives_the_same_bytes() -> None:
    assert pasted(inputs()) == files()


def test_questions_have_answers_in_plain_words_and_none_claims_a_cause() -> None:
    asked = rows(opened("questions.docx").tables[0])
    assert len(asked) >= 10
    said = " ".join(r["Answer"] for r in asked)
    assert all(r["Question"].endswith("?") and r["Answer"].endswith(".") for r in asked)
    assert banned_in(said) == []
    assert not re.search(r"caused by|because of", said)
    expected = next(a for a in answers(inputs()) if a.question == "What will it cost?").number
    assert expected in next(r["Answer"] for r in asked if "budget enough" in r["Question"])


def test_a_reserve_is_said_as_the_run_worked_it_out() -> None:
    risk = inputs().risk
    assert risk is not None
    row = risk[(risk["scenario"] == "baseline") & (risk["line"] == "total") & (risk["financial_year"] == "2026-27")].iloc[0]
    said = next(p for p in papers(inputs()) if p.id == "reserve").parts[0].lines[0]
    assert f"£{round(row['reserve_p80_pence'] / 1e5) * 1000:,}" in said
    none = risk.assign(reserve_p80_pence=0, reserve_p95_pence=0)
    assert "no reserve is needed" in next(p for p in papers(replace(inputs(), risk=none)) if p.id == "reserve").parts[0].lines[0]


def test_what_leaves_has_a_rounded_count_or_none() -> None:
    table, spec = inputs().comparators, ReportSpec(audience="public")
    assert table is not None
    public = pasted(replace(inputs(), spec=spec))
    told = {r["Area"]: r for r in rows(opened("comparators.docx", public).tables[0])}["Ours (ours)"]
    assert (told["Count"], told["Per 10,000"]) == ("115", f"{10_000 * 115 / 50_000:.1f}")
    inside = {r["Area"]: r for r in rows(opened("comparators.docx").tables[0])}["Ours (ours)"]
    assert inside["Per 10,000"] == f"{10_000 * 117 / 50_000:.1f}"
    few = pasted(replace(inputs(), spec=spec, comparators=table.assign(count=table["count"].mask(table["ours"], 3))))
    assert "comparators.docx" not in few


@pytest.mark.parametrize("audience", ["council", "public"])
def test_the_summary_is_an_email_in_plain_words(audience: str) -> None:
    told = summary_text(replace(inputs(), spec=ReportSpec(audience=audience)))
    assert len(told.split()) < 320
    assert max(map(len, told.splitlines())) <= 78
    assert ("not for publication" in told) == (audience == "council")
    assert banned_in(told) == []
    for answer in answers(inputs()):
        assert answer.question in told
