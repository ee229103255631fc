"""The words of the first page, as they were when somebody last read and approved them."""

from __future__ import annotations

from pathlib import Path

from report_made import made

from demand.report.answers import answers

STORED = Path(__file__).parent / "report_first_page.txt"


def test_the_first_page_says_what_was_approved() -> None:
    told = "\n\n".join("\n".join(filter(None, (a.question, a.number, a.range, a.sentence, a.more))) for a in answers(made())) + "\n"
    assert told == STORED.read_text(encoding="utf-8")
