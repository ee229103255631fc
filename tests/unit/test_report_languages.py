"""Welsh beside English: the catalogue is whole, the numbers are the same, and nothing is said past the catalogue."""

from __future__ import annotations

import gettext
import re
import string
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest
from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from messages import ROOM, Message, in_source
from plan_made import plan_tables
from report_made import made

from demand.report import ReportInput, languages
from demand.report.answers import answers
from demand.report.html import report_page
from demand.report.inputs import ReportSpec
from demand.report.languages import say_many, speaking
from demand.report.parts import Answer
from demand.report.paste import summary_text
from demand.report.words import count

MONTHS = ["Ionawr", "Chwefror", "Mawrth", "Ebrill", "Mai", "Mehefin", "Gorffennaf", "Awst", "Medi", "Hydref", "Tachwedd", "Rhagfyr"]


@cache
def catalogue() -> Catalog:
    with (ROOM / "locale" / "cy" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale="cy")


@cache
def inputs() -> ReportInput:
    whole = replace(made(), **plan_tables())
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


def told(answer: Answer) -> Iterator[str]:
    yield from (answer.number, answer.range, answer.sentence, answer.more)
    if answer.figure is not None:
        table = answer.figure.table
        yield from (
            answer.figure.alt,
            answer.figure.heading,
            table.caption,
            table.note,
            *table.columns,
            *(c for r in table.rows for c in r),
        )


def test_the_welsh_answers_tell_the_numbers_of_the_english_ones() -> None:
    english = [Counter(re.findall(r"\d[\d,.]*\d|\d", " ".join(told(a)))) for a in answers(inputs())]
    with speaking("cy"):
        welsh = [Counter(re.findall(r"\d[\d,.]*\d|\d", " ".join(told(a)))) for a in answers(inputs().named_in("cy"))]
    # Of the record, the sentence that the evaluation has stored is in English alone.
    assert welsh[:5] == english[:5]
    assert welsh[5] <= english[5]


def test_no_word_of_the_first_page_is_said_past_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hidden(gettext.NullTranslations):
        def gettext(self, message: str) -> str:
            return re.sub(r"[^\W\d](?![^{]*})", "¤", message)

        def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
            return self.gettext(msgid1 if n == 1 else msgid2)

    monkeypatch.setattr(languages, "_catalogue", lambda _: Hidden())
    with speaking("cy"):
        words = re.findall(r"[^\W\d]{2,}", " ".join(t for a in answers(inputs()) for t in (a.question, *told(a))))
    assert sorted(set(words) - set(MONTHS)) == []


def test_the_page_holds_both_and_says_what_is_in_english_only() -> None:
    drawn = ["levers", "segments", "why", "forecast", "scenarios", "budget", "bridge", "plan", "prices", "sensitivity", "risk", "track"]
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
    assert "Mae'r rhan hon yn Saesneg yn unig." in welsh.replace("&#39;", "'")


def test_the_summary_is_given_in_both_languages() -> None:
    text = summary_text(inputs())
    english, welsh = text.split("-" * 78)
    assert english.strip() == summary_text(replace(inputs(), spec=ReportSpec())).strip()
    assert welsh.strip().startswith("Digartrefedd\n\nMewnol")
    assert "\n\nBeth fydd yn digwydd?\n" in welsh
    assert max(map(len, text.splitlines())) <= 78
