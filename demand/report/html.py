"""One page that holds everything: no server, no network, one small script of its own.

In: a `ReportInput`, or the content of quality.json. Out: HTML text. All text is escaped by the templates; pictures travel inside the page.
The content policy names the only script by its hash, so that nothing else can run. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from demand.languages import CODES, NAMES, message, say, say_many, speaking, spoken
from demand.report import words
from demand.report.about_sections import quality_section
from demand.report.answers import answers
from demand.report.cleared import cleared
from demand.report.inputs import ReportInput
from demand.report.parts import Section
from demand.report.script import Script
from demand.report.sections import sections
from demand.report.sign_off import sign_off_sentence

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["quality_page", "report_page", "section_page"]


def report_page(inputs: ReportInput) -> str:
    """Write the report as one self-contained page.

    Parameters
    ----------
    inputs : ReportInput

    Returns
    -------
    str
        HTML: the first page with six answers, then the sections.
    """
    inputs = cleared(inputs)
    languages = inputs.spec.languages
    return _page([_in_language(inputs, language) for language in languages], languages)


def _in_language(inputs: ReportInput, language: str) -> tuple[str, str]:
    """Give the title and all that one language says."""
    inputs = inputs.named_in(language)
    run, until = inputs.run, inputs.run.get("cutoff")
    with speaking(language):
        html = _part(
            "language.html.j2",
            inputs.spec.languages,
            title=inputs.title,
            internal=inputs.spec.audience == "council",
            answers=answers(inputs),
            sections=sections(inputs),
            as_of=words.day(run["as_of"]) if run.get("as_of") else "",
            until=_until(inputs, until) if until else "",
            mark=str(run.get("fingerprint", "")),
            signed=sign_off_sentence(inputs),
            overdue=list(inputs.overdue["name"]),
            placeholders=list(inputs.placeholders["name"]),
        )
    return inputs.title, html


def _part(template: str, languages: Sequence[str], **told: object) -> str:
    """Write what the language that is spoken says: of several, the first has the plain addresses of its parts."""
    own = spoken()
    others = [{"language": other, "lang": CODES[other], "name": NAMES[other]} for other in languages if other != own]
    return _environment().get_template(template).render(at="" if own == languages[0] else f"{own}-", others=others, **told)


def _page(parts: Sequence[tuple[str, str]], languages: Sequence[str]) -> str:
    """Put together what each language says, title and text, to one page of which CSS shows one language."""
    from markupsafe import Markup

    pages = [{"language": one, "lang": CODES[one], "html": Markup(text)} for one, (_, text) in zip(languages, parts, strict=True)]
    with speaking(languages[0]):
        page = (
            _environment()
            .get_template("page.html.j2")
            .render(title=" / ".join(dict.fromkeys(title for title, _ in parts)), lang=CODES[languages[0]], pages=pages)
        )
    return words.closed(page)


def _until(inputs: ReportInput, period: object) -> str:
    """Name the end of the last period that was counted."""
    end = inputs.frequency.end_of(pd.DatetimeIndex([pd.Timestamp(str(period))]))[0]
    return words.month(end) if inputs.frequency.family in "MQY" else words.day(end)


def quality_page(summary: Mapping[str, Any], scores: pd.DataFrame | None = None, *, languages: Sequence[str] = ("en",)) -> str:
    """Write what the gates found as a page of its own.

    Parameters
    ----------
    summary : mapping
        The content of quality.json.
    scores : pandas.DataFrame, optional
        The content of quality_scores.csv.
    languages : sequence of str
        The first is shown first.

    Returns
    -------
    str
        HTML.
    """
    title = message("What the checks found in the data")
    return section_page(title, lambda: quality_section(summary, scores), languages)


def section_page(title: str, section: Callable[[], Section | None], languages: Sequence[str] = ("en",)) -> str:
    """Write one section as an internal page of its own.

    Parameters
    ----------
    title : str
        A message.
    section : callable
        Gives the section in the language that is spoken.
    languages : sequence of str
        The first is shown first.

    Returns
    -------
    str
        HTML.
    """
    parts = []
    for language in languages:
        with speaking(language):
            parts.append((say(title), _part("section.html.j2", languages, title=say(title), section=section())))
    return _page(parts, languages)


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("demand.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.globals.update(script=Script.of(), say=say, say_many=say_many, spoken=spoken)
    return made
