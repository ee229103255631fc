"""Welsh beside English: the catalogue is whole, the numbers are the same, and nothing is said past the catalogue."""

from __future__ import annotations

import gettext
import io
import re
import string
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import openpyxl
import pandas as pd
import pytest
from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from messages import ROOM, Message, in_source
from people_made import people_tables
from plan_made import plan_tables
from report_made import made

from demand import languages
from demand.data.policies import RULES
from demand.languages import say_many, speaking, spoken
from demand.report import ReportInput, words
from demand.report.answers import answers
from demand.report.geirfa import TERMS
from demand.report.html import quality_page, report_page, section_page
from demand.report.inputs import ReportSpec
from demand.report.monitor_section import ALARMS, NOT_COMPARED, TITLE, monitor_section
from demand.report.moved_section import moved_part
from demand.report.parts import Answer, Block, Figure, Section, Table
from demand.report.paste import papers, pasted, summary_text
from demand.report.rules_told import RULES_TOLD
from demand.report.sections import sections
from demand.report.words import count, label
from demand.report.workbook import workbook

MONTHS = ["Ionawr", "Chwefror", "Mawrth", "Ebrill", "Mai", "Mehefin", "Gorffennaf", "Awst", "Medi", "Hydref", "Tachwedd", "Rhagfyr"]

OF_THE_DATA = {
    "Digartrefedd",
    "first",
    "lockdown",
    "homelessness",
    "history",
    "csv",
    "abc",
    "abcdef",
    "pandas",
    "count",
    "the",
    "last",
    "months",
    *("Contract", "schedule", "finance", "team", "costs", "scenarios", "early_help", "hostel", "place", "bed", "and", "breakfast", "room"),
    "Harbour",
}
"""What the run is called, its event, its files and marks, why a series ended, and where assumptions come from, as they are stored."""
Part = Table | Figure | Block


@cache
def catalogue() -> Catalog:
    with (ROOM / "locale" / "cy" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale="cy")


@cache
def inputs() -> ReportInput:
    whole = replace(made(), **plan_tables(), **people_tables())
    joined = whole.history.assign(y_joined=lambda h: h["y"] * (1 + 0.1 * ((h["unique_id"] == h["unique_id"].iloc[0]) & (h["y"] > 40))))
    events = [{"name": "first lockdown", "start": "2020-03-01", "end": "2021-06-01", "kind": "shock"},
              {"name": "first", "start": "2020-04-01", "end": None, "kind": "recording"}]  # fmt: skip
    whole = replace(whole, history=joined, events=pd.DataFrame(events))
    spec = whole.spec.model_copy(
        update={"languages": ["en", "cy"], "names_in": {"cy": {whole.title: "Digartrefedd", "households": "aelwydydd"}}}
    )
    return replace(whole, spec=spec)


def forms(one: Message) -> list[str]:
    found = catalogue().get(one[0] if isinstance(one, tuple) else one)
    if found is None:
        return []
    return [found.string] if isinstance(found.string, str) else list(found.string)


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_message_has_its_welsh_and_no_welsh_is_left_over() -> None:
    said = in_source()
    assert [one for one in said if not forms(one) or not all(forms(one))] == []
    singles = {one[0] if isinstance(one, tuple) else one for one in said}
    assert [m.id for m in catalogue() if m.id and (m.id[0] if isinstance(m.id, tuple) else m.id) not in singles] == []
    assert {len(forms(one)) for one in said if isinstance(one, tuple)} == {6}


def test_both_sides_have_the_same_fields() -> None:
    wrong = [one for one in in_source() for text in forms(one) if fields(text) != fields(one[1] if isinstance(one, tuple) else one)]
    assert wrong == []


def test_no_word_of_the_data_stands_where_welsh_would_change_its_first_letter() -> None:
    before = r"\b(?:am|ar|at|dan|dros|drwy|ei|gan|gyda|heb|hyd|i|o|trwy|wrth|yn|a|â|na|neu|un|dau|dwy) "
    changed = re.compile(
        before + r"\{(?:by|causes|feature|line|method|month|name|reasons|scenario|since|title|unit|what|when)\}", re.IGNORECASE
    )
    assert [text for one in in_source() for text in forms(one) if changed.search(text)] == []
    assert changed.search("Cyfrifwyd hyd at {when}.")


def test_years_and_times_are_counted_as_welsh_counts_them() -> None:
    """After 5, 7, 8, 9, 10, 12, 15, 18, 20 and 100 (and so 19 as it is written) a year is mlynedd; after 3, 4 and 6 blynedd."""
    welsh = " ".join(text for one in in_source() for text in forms(one))
    said = dict.fromkeys(re.findall(r"\b(\d+|pedair|pum|bum|tair|dwy) ([mbf]l(?:y|w)\w+)", welsh))
    assert {number for number, year in said if year.startswith("mlynedd")} <= {"19", "5", "10", "20", "pum", "bum"}
    assert {number for number, year in said if year.startswith("blynedd")} <= {"4", "3", "6", "pedair", "tair"}
    assert {("4", "blynedd"), ("19", "mlynedd"), ("bum", "mlynedd")} <= set(said)


def test_every_rule_of_the_gates_is_told_in_a_few_words() -> None:
    assert set(RULES_TOLD) == RULES


def test_what_moved_is_told_alike_in_both_languages() -> None:
    names = {"line": "hostel", "financial_year": "2026-27"}
    since = {"name": "June 2026", "by": "A. Finance", "gone": ["draws.parquet"], "on": ["2026-07-01"]}
    run = inputs()
    assert run.moved is not None
    run = replace(run, moved=pd.concat([run.moved, run.moved.assign(**names)]), spec=ReportSpec(names_in={"cy": {"hostel": "hostel ni"}}))

    def words_of(language: str, since: dict[str, object]) -> tuple[tuple[str, ...], str]:
        with speaking(language):
            part = moved_part(replace(run, moved_since=since).named_in(language))
        assert part is not None
        assert isinstance(part.parts[0], Block)
        return part.parts[0].lines, str(part.parts[1])

    english, table = words_of("en", since)
    assert "since June 2026 (approved by A. Finance)" in english[0]
    assert english[2] == "Erased on request from ‘June 2026’ (2026-07-01): draws.parquet. Their hashes are kept."
    assert "'Hostel'" in table
    welsh, table = words_of("cy", since)
    assert "Mehefin 2026 (cymeradwywyd gan: A. Finance)" in welsh[0]
    assert "o fewn yr amrediad" in welsh[1]
    assert "draws.parquet" in welsh[2]
    assert "'Hostel ni'" in table
    assert "rhediad Mehefin 2026" in words_of("cy", {**since, "by": None, "gone": []})[0][0]


def test_the_forms_after_numbers_are_those_of_cldr() -> None:
    by_name = {"zero": 0, "one": 1, "two": 2, "few": 3, "many": 4, "other": 5}
    plural = Locale("cy").plural_form
    rule = gettext.c2py(catalogue().plural_expr)  # type: ignore[attr-defined]
    assert [rule(n) for n in range(200)] == [by_name[plural(n)] for n in range(200)]
    with speaking("cy"):
        said = [say_many("{number} period", "{number} periods", n, number=n) for n in (1, 2, 3, 5, 6)]
    assert said == ["1 cyfnod", "2 gyfnod", "3 chyfnod", "5 cyfnod", "6 chyfnod"]


@pytest.mark.parametrize("value", [0, 9.9, 12, 1_234, 1_234_567])
def test_numbers_are_written_as_both_languages_write_them(value: float) -> None:
    assert {format_decimal(value, locale=code) for code in ("en_GB", "cy")} == {count(value)}


def watched(**changed: object) -> Section:
    """Give the page of the monitor, with all that it can say of one series and of the total."""
    about = {"action": "look", "months": 4, "since": "2026-03-01", "false_alarms": ALARMS, "record": {"name": "abc", "by": "abcdef"}}
    signals = [{"unique_id": "first", "rule": rule, "value": 4.0, "action": "refit"} for rule in ("point", "change", "level", "direction")]
    found = {
        "signals": signals,
        "coverage": {"inside": 3, "of": 8, "verdict": "too few inside"},
        "drivers": [{"name": "last", "came": 900.0, "expected": 800.0, "action": "refit"}],
        "segments": {"advice": "keep", "reason": "in English", "action": "nothing"},
        "challenger": {"won": 9, "cutoffs": 10, "better": 0.1, "why": "in English", "verdict": "replace"},
    }
    months = pd.date_range("2026-04-01", periods=4, freq="MS")
    chart = pd.DataFrame({"unique_id": ["first"] * 4 + ["total: stock of months"] * 4, "ds": [*months, *months], "y": 9.0, "mean": 5.0})
    chart = chart.assign(**{"q0.1": 3.0, "q0.9": 7.0, "residual": [0, 0, 5.0, 5.0] * 2, "limit": 3.0, "moving_range": 1.0})
    return monitor_section({**about, **found, **changed}, chart.assign(moving_range_limit=3.0), write=lambda d: f"{d:%Y-%m}")


def told(answer: Answer) -> Iterator[str]:
    yield from (answer.number, answer.range, answer.sentence, answer.more)
    if answer.figure is not None:
        yield from texts(answer.figure)


def texts(part: Part) -> Iterator[str]:
    """Give what a part says, but for sentences that are stored in English."""
    if isinstance(part, Block):
        yield from (part.heading, *(() if part.stored else part.lines))
    elif isinstance(part, Figure):
        yield from (part.alt, part.heading, *texts(part.table))
    else:
        cells = (cell for row in part.rows for i, cell in enumerate(row) if i not in part.stored)
        yield from (part.caption, part.note, *part.columns, *cells)


def pages() -> dict[str, str]:
    """Give all that the sections and the papers say, but for the questions that an analyst has written down."""
    named = inputs().named_in(spoken())
    there = {f"page {s.id}": s for s in [*sections(named), watched()]} | {f"paper {s.id}": s for s in papers(named)}
    told = {name: " ".join([s.title, s.lead, *(t for p in s.parts for t in texts(p))]) for name, s in there.items()}
    return {name: re.sub(r"If the early-help.*?\?|What if rents.*?\?", "", text) for name, text in told.items()}


def numbers(text: str) -> Counter[str]:
    return Counter(re.findall(r"\d[\d,.]*\d|\d", text))


def test_the_welsh_answers_tell_the_numbers_of_the_english_ones() -> None:
    english = [numbers(" ".join(told(a))) for a in answers(inputs())]
    with speaking("cy"):
        welsh = [numbers(" ".join(told(a))) for a in answers(inputs().named_in("cy"))]
    # Of the record, the sentence that the evaluation has stored is in English alone.
    assert welsh[:5] == english[:5]
    assert welsh[5] <= english[5]


def test_the_welsh_sections_and_papers_tell_the_numbers_of_the_english_ones() -> None:
    english = {name: numbers(text) for name, text in pages().items()}
    with speaking("cy"):
        welsh = {name: numbers(text) for name, text in pages().items()}
    questions = (english.pop("paper questions"), welsh.pop("paper questions"))
    assert welsh == english
    assert len(english) > 15
    assert questions[1] <= questions[0]  # without the stored sentence of the record


def test_no_word_is_said_past_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hidden(gettext.NullTranslations):
        def gettext(self, message: str) -> str:
            return re.sub(r"[^\W\d](?![^{]*})", "¤", message)

        def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
            return self.gettext(msgid1 if n == 1 else msgid2)

    class Everything(frozenset[str]):
        def __contains__(self, _: object) -> bool:
            return True

    monkeypatch.setattr(languages, "_catalogue", lambda _: Hidden())
    monkeypatch.setattr(words, "OURS", Everything())  # names of the data are hidden too
    challenger = {"why": NOT_COMPARED, "verdict": "keep"}
    with speaking("cy"):
        quiet = watched(signals=[], challenger=challenger, action="nothing")
        rest = {"monitor": " ".join(t for p in quiet.parts for t in texts(p))}
        said = rest | {"first page": " ".join(t for a in answers(inputs()) for t in (a.question, *told(a))), **pages()}
    known = {*MONTHS, *OF_THE_DATA}
    assert {name: left for name, text in said.items() if (left := sorted(set(re.findall(r"[^\W\d]{3,}", text)) - known))} == {}


def test_names_of_the_data_are_those_of_the_config_or_stay_as_they_are() -> None:
    names = {"few": "No", "hostel": "hostel brys", "flats": "bed and breakfast"}
    with speaking("cy"):
        assert [label(n, names) for n in ("day", "Open", "no", "On", "few")] == ["day", "Open", "no", "On", "No"]
        assert label("people_18_64", {"people_18_64": "pobl 18 i 64"}) == "pobl 18 i 64"
        assert label("On/hostel/ta", names) == "On, hostel brys, llety dros dro"
        assert label("bed_and_breakfast") == label("flats", names) == "gwely a brecwast"


def test_the_page_holds_both_and_marks_what_is_stored_in_english() -> None:
    drawn = [
        "levers",
        "segments",
        "joined",
        "why",
        "forecast",
        "scenarios",
        "budget",
        "bridge",
        "plan",
        "prices",
        "sensitivity",
        "risk",
        "track",
    ]
    page = report_page(replace(inputs(), spec=inputs().spec.model_copy(update={"hide": drawn})))
    english, welsh = re.findall(r'<div class="language".*?(?=<div class="language"|</body>)', page, re.DOTALL)
    assert 'id="en" lang="en-GB"' in english
    assert 'id="cy" lang="cy"' in welsh
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'<a[^>]* href="#([^"]+)"', page)) <= set(ids)
    assert '<a href="#cy" lang="cy" hreflang="cy">Cymraeg</a>' in english
    assert "What will happen?" in english
    assert "Beth fydd yn digwydd?" in welsh
    assert '<td lang="en-GB">One month is far from its neighbours</td>' in welsh
    assert "<td>One month is far from its neighbours</td>" in english
    assert "Nifer ymhell o&#39;i gymdogion" in welsh


def test_pages_for_the_analyst_hold_both_languages_too() -> None:
    finding = {"severity": "warn", "rule": "spike", "message": "One month stands out", "where": "first", "count": 1}
    quality = {"verdict": "warn", "about": {"people": 900, "frequency": "M"}, "findings": [finding]}
    for page, english, welsh in (
        (quality_page(quality, languages=["cy", "en"]), "Counted by: month", "Cyfrifir fesul: mis"),
        (section_page(TITLE, watched, ["cy", "en"]), "The last count is far from", "Mae&#39;r cyfrif diwethaf ymhell"),
    ):
        first, second = re.findall(r'<div class="language".*?(?=<div class="language"|</body>)', page, re.DOTALL)
        assert welsh in first
        assert english not in first
        assert english in second
        assert '<a href="#en" lang="en-GB" hreflang="en-GB">English</a>' in first
        ids = re.findall(r'\bid="([^"]+)"', page)
        assert len(ids) == len(set(ids))
        assert page.count("<h1>") == page.count("<main") == 2
    assert '<td lang="en-GB">One month stands out</td>' in quality_page(quality, languages=["cy"])
    assert 'class="language"' not in quality_page(quality)


def test_welsh_alone_is_a_whole_report() -> None:
    few = replace(inputs(), **dict.fromkeys(("budget", "sensitivity", "risk", "history", "totals", "explanation", "backtest"), None))
    alone = replace(few, spec=ReportSpec.model_validate({**inputs().spec.model_dump(), "languages": ["cy"]}))
    page = report_page(alone)
    assert '<html lang="cy">' in page
    assert "Neidio i&#39;r cynnwys" in page
    assert "Beth fydd yn digwydd?" in page
    assert not [text for text in ("What will happen?", "Skip to the content", 'class="others"', 'class="language"') if text in page]
    assert summary_text(alone).startswith("Digartrefedd\n\nMewnol")
    assert "What will happen?" not in summary_text(alone)
    assert {name.partition("/")[0] for name in pasted(alone)} == {"cy"}
    sheets = openpyxl.load_workbook(io.BytesIO(workbook(alone))).sheetnames
    assert sheets[:2] == ["Read me", "Crynodeb"]
    assert "Summary" not in sheets


def test_the_summary_is_given_in_both_languages() -> None:
    text = summary_text(inputs())
    english, welsh = text.split("-" * 78)
    assert english.strip() == summary_text(replace(inputs(), spec=ReportSpec())).strip()
    assert welsh.strip().startswith("Digartrefedd\n\nMewnol")
    assert "\n\nBeth fydd yn digwydd?\n" in welsh
    assert max(map(len, text.splitlines())) <= 78


def test_the_workbook_has_its_answers_and_its_headings_in_welsh() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook(inputs())))
    told = [row for row in book["Crynodeb"].iter_rows(values_only=True) if row[0] == "Beth fydd yn digwydd?"]
    assert len(told) == 1
    terms = {row[1]: row[2] for row in book["Geirfa"].iter_rows(min_row=5, values_only=True)}
    heads = {c.value for s in book if s.title not in ("Crynodeb", "Geirfa") for row in s.iter_rows() for c in row
             if isinstance(c.value, str) and c.value and c.fill.fgColor.rgb == "FF12436D"}  # fmt: skip
    assert len(heads) > 80
    of_the_data = re.compile(r"\d{4}-\d\d.*|Service|Segment|Flat|Model|Net|first|Future|.*[Hh]ostel.*|.*[Bb]ed and breakfast.*")
    assert [h for h in sorted(heads - set(terms)) if not of_the_data.fullmatch(h)] == []
    assert terms["Expected less budget"] == "Disgwyliedig llai'r gyllideb"
    assert {"Read me", "came in the year", "there on average", "Changing an input"} <= set(terms)
    notes = {line for s in book for line in (s["A2"].value, s["B2"].value) if s.title not in ("Crynodeb", "Geirfa") and line}
    explained = {n.removeprefix("Internal. ") for n in notes} - {"Internal. "}
    left = [n for n in explained if re.sub("|".join(map(re.escape, sorted(terms, key=len, reverse=True))), "", n).strip()]
    assert left == []
    assert len(explained) > 10
    gap = next(t for t in terms if t.startswith("Of the £"))
    assert numbers(terms[gap]) == numbers(gap)
    assert any("DALFAN: mae'r ffigurau ar y daflen hon" in str(row[0]) for row in book["Crynodeb"].iter_rows(values_only=True))
    assert set(TERMS) <= {one for one in in_source() if isinstance(one, str)}


def test_papers_are_given_in_both_languages() -> None:
    from docx import Document

    only = replace(inputs(), spec=inputs().spec.model_copy(update={"languages": ["en", "cy"]}), budget=None, sensitivity=None, risk=None)
    files = pasted(only)
    assert set(files) == {"questions.docx", "cy/questions.docx"}
    english, welsh = (Document(io.BytesIO(files[name])) for name in ("questions.docx", "cy/questions.docx"))
    assert (english.core_properties.language, welsh.core_properties.language) == ("en-GB", "cy")
    assert welsh.paragraphs[0].text == "Cwestiynau y gall aelod eu gofyn"
    assert len(welsh.tables[0].rows) == len(english.tables[0].rows)
