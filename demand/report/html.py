"""One page that holds everything: no server, no network, one small script of its own.

In: a `ReportInput`, or the content of quality.json. Out: HTML text. All text is escaped by the templates; pictures travel inside the page.
The content policy names the only script by its hash, so that nothing else can run. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from demand.languages import CODES, NAMES, say, say_many, speaking, spoken
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
    pages = [_in_language(inputs, language) for language in inputs.spec.languages]
    title = " / ".join(dict.fromkeys(page["title"] for page in pages))
    page = _environment().get_template("report.html.j2").render(title=title, lang=pages[0]["lang"], pages=pages)
    return words.closed(page)


def _in_language(inputs: ReportInput, language: str) -> dict[str, Any]:
    """Write all that one language says: of several, the first has the plain addresses of its parts."""
    from markupsafe import Markup

    first, inputs = inputs.spec.languages[0], inputs.named_in(language)
    others = [{"language": other, "lang": CODES[other], "name": NAMES[other]} for other in inputs.spec.languages if other != language]
    run, until = inputs.run, inputs.run.get("cutoff")
    with speaking(language):
        html = (
            _environment()
            .get_template("language.html.j2")
            .render(
                at="" if language == first else f"{language}-",
                others=others,
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
        )
    return {"language": language, "lang": CODES[language], "title": inputs.title, "html": Markup(html)}


def _until(inputs: ReportInput, period: object) -> str:
    """Name the end of the last period that was counted."""
    end = inputs.frequency.end_of(pd.DatetimeIndex([pd.Timestamp(str(period))]))[0]
    return words.month(end) if inputs.frequency.family in "MQY" else words.day(end)


def quality_page(summary: Mapping[str, Any], scores: pd.DataFrame | None = None) -> str:
    """Write what the gates found as a page of its own.

    Parameters
    ----------
    summary : mapping
        The content of quality.json.
    scores : pandas.DataFrame, optional
        The content of quality_scores.csv.

    Returns
    -------
    str
        HTML.
    """
    return section_page("What the checks found in the data", quality_section(summary, scores))


def section_page(title: str, section: Section | None) -> str:
    """Write one section as an internal page of its own.

    Parameters
    ----------
    title : str
    section : Section or None

    Returns
    -------
    str
        HTML.
    """
    return words.closed(_environment().get_template("quality.html.j2").render(title=title, section=section))


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("demand.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.globals.update(script=Script.of(), say=say, say_many=say_many, spoken=spoken)
    return made
