"""What a committee paper needs: tables and pictures to paste, questions that a member may ask, and a summary for an e-mail.

In: a `ReportInput`. Out: files by name (Word documents, pictures with their alternative text), and plain text. Every figure is one of the
report or of the workbook. Where the report is for the public, counts of people are protected as they are there. Refuses nothing: what a run
has no table for has no file.
"""

from __future__ import annotations

import textwrap
from dataclasses import replace

import pandas as pd

from demand.languages import message, say, speaking
from demand.report import bars, words
from demand.report.answers import answers
from demand.report.cleared import cleared
from demand.report.comparators_section import comparators_section
from demand.report.document import document
from demand.report.facts import Money
from demand.report.inputs import BASELINE, ReportInput
from demand.report.money_sections import risk_section, sensitivity_section
from demand.report.parts import Answer, Block, Figure, Section, Table, table_of
from demand.report.plan_facts import cliffs, ledger_caveat
from demand.report.plan_sections import plan_section
from demand.report.year_tables import outturn_section

__all__ = ["papers", "pasted", "summary_text"]

RESTS_ON = ("cost", "price", "budget", "uplift", "items")
LIMITS = message(
    "Changes of law, policy or recording that have no example in the past are in it only where a scenario describes them. It does not say "
    "what causes what, and it decides nothing about any one person."
)
INTERNAL = message("Internal: exact counts, not for publication. What may leave stands in share/, which `demand publish` fills.")
"""What every paper of the council says of itself."""
LINE = 78
"""How wide a line of an e-mail is."""


def pasted(inputs: ReportInput) -> dict[str, bytes]:
    """Give the files of the folder `paste`.

    Parameters
    ----------
    inputs : ReportInput

    Returns
    -------
    dict
        Name of a file -> its content: a Word document for each paper, its pictures as PNG, and pictures.txt with what each picture shows;
        those of another language than English in a folder of their own.
    """
    files: dict[str, bytes] = {}
    for language in inputs.spec.languages:
        with speaking(language):
            own = _in_language(inputs.named_in(language))
        files |= {name if language == "en" else f"{language}/{name}": content for name, content in own.items()}
    return files


def _in_language(inputs: ReportInput) -> dict[str, bytes]:
    """Give the files in the language that is spoken."""
    files: dict[str, bytes] = {}
    stamp = _stamp(inputs)
    shown: list[str] = []
    for paper in papers(inputs):
        files[f"{paper.id}.docx"] = document(paper, stamp=stamp)
        for number, picture in enumerate([p for p in paper.parts if isinstance(p, Figure)], start=1):
            name = f"{paper.id}_{number}.png"
            files[name] = picture.png
            shown.append(f"{name}\n{picture.alt}\n")
    if shown:
        files["pictures.txt"] = words.legible("\n".join([*([f"{stamp}\n"] if stamp else []), *shown])).encode()
    return files


def papers(inputs: ReportInput) -> list[Section]:
    """Give what a committee paper is made of: pressures, this year's outturn, what moves the cost, the reserve, comparators, questions.

    Parameters
    ----------
    inputs : ReportInput

    Returns
    -------
    list of Section
        Those for which the run has tables.
    """
    inputs = cleared(inputs)
    money = Money.of(inputs.budget)
    known = money if money is not None and len(money.years()) else None
    moves, outturn = sensitivity_section(inputs, known), outturn_section(inputs)
    made = [
        _pressures(inputs, known),
        None if outturn is None else replace(outturn, title=say("Projected outturn of this year")),
        moves,
        _reserve(inputs, known),
        _comparators(inputs),
        _questions(inputs, known),
    ]
    return [paper for paper in made if paper is not None]


def summary_text(inputs: ReportInput) -> str:
    """Say the six answers in the length of an e-mail, in every language of the report.

    Parameters
    ----------
    inputs : ReportInput

    Returns
    -------
    str
        Plain text.
    """
    inputs = cleared(inputs)
    parts = []
    for language in inputs.spec.languages:
        with speaking(language):
            parts.append(_summary(inputs.named_in(language)))
    return words.legible(words.closed(f"\n{'-' * LINE}\n\n".join(parts)))


def _summary(inputs: ReportInput) -> str:
    """Say the six answers in the language that is spoken."""
    stamp = _stamp(inputs)
    told = [inputs.title, "", *([textwrap.fill(stamp, LINE), ""] if stamp else [])]
    for answer in answers(inputs):
        mark = f" [{answer.mark}]" if answer.mark else ""
        told += [f"{answer.question}{mark}", textwrap.fill(_said(answer), LINE), ""]
    end = message(
        "'4 years in 5' means: of five such years, about four should end inside the range. The report says how this was worked out."
    )
    return "\n".join([*told, textwrap.fill(say(end), LINE), ""])


def _stamp(inputs: ReportInput) -> str:
    """Say that a paper of the council is not for everybody, and where the one is that may leave."""
    return say(INTERNAL) if inputs.spec.audience == "council" else ""


def _said(answer: Answer) -> str:
    """Give an answer as running text."""
    return f"{answer.sentence} {answer.range}." if answer.range else answer.sentence


def _pressures(inputs: ReportInput, money: Money | None) -> Section | None:
    """Show what each year needs beside its budget, and what it needs more than the year before."""
    if money is None:
        return None
    years = money.years().assign(gap=lambda t: t["expected"] - t["budget"])
    frame = years.assign(name=years["financial_year"], mark=years["budget"], mean=years["expected"])
    picture = bars.ranges(frame[["name", "mean", "low", "high", "mark"]], title=say("what we expect to spend, by financial year"),
                          of=say("Financial year"), money=True)  # fmt: skip
    single = money.lines[money.lines["scenario"] == BASELINE].assign(gap=lambda t: t["expected"] - t["budget"])
    lines = single.assign(name=[words.capital(words.label(n, inputs.spec.names)) for n in single["line"]])
    both = pd.concat([lines, years.assign(name=say("All lines"))], ignore_index=True).sort_values("financial_year", kind="stable")
    names = {"financial_year": "Year", "name": "Budget line", "budget": "Budget", "expected": "Expected", "gap": "Expected less budget",
             "low": "Low", "high": "High"}  # fmt: skip
    note = say("Low to high: 4 years in 5. Expected costs of lines add up to that of all lines; their ranges do not.")
    table = table_of(both, say("Expected cost beside the budget"), names=names, formats=dict.fromkeys(list(names)[2:], "exact"), note=note)
    plan = plan_section(inputs)
    parts = (picture, table, *(() if plan is None else plan.parts))
    lead = say("What the service is expected to cost if nothing is changed, and what each year needs more than the one before.")
    return Section("pressures", say("Pressures: {title}", title=inputs.title), parts, lead, mark=inputs.marked(*RESTS_ON))


def _reserve(inputs: ReportInput, money: Money | None) -> Section | None:
    found = risk_section(inputs)
    if found is None:
        return None
    said = reserve_sentence(inputs, money)
    return replace(found, id="reserve", title=say("Risk and reserve"), parts=(*((Block((said,)),) if said else ()), *found.parts))


def reserve_sentence(inputs: ReportInput, money: Money | None) -> str:
    """Say which reserve beside the budget would be enough; empty where no budget was set."""
    if money is None or inputs.risk is None:
        return ""
    table, year = inputs.risk, money.year
    mine = table[(table["scenario"] == BASELINE) & (table["financial_year"].astype(str) == year)]
    whole = mine[mine["line"].astype(str).str.lower() == "total"]
    rows = whole if len(whole) else mine if len(mine) == 1 else whole
    if rows.empty or pd.isna(rows["reserve_p80_pence"].iloc[0]):
        return ""
    row, budget = rows.iloc[0], float(money.at(BASELINE, year)["budget"])
    beside = say(" beside the budget of {money}", money=words.pounds(budget)) if pd.notna(budget) else ""
    enough, safer = (float(row[f"reserve_p{p}_pence"]) / 100 for p in (80, 95))
    caveat = ledger_caveat(inputs) if pd.notna(budget) else ""
    if safer < 0.5:
        said = say("For {year} no reserve is needed{beside}: it is enough in at least 19 years in 20.", year=year, beside=beside)
        return f"{said} {caveat}".strip()
    said = say(
        "A reserve of {money}{beside} would be enough for {year} 4 years in 5, one of {more} 19 years in 20.",
        money=words.pounds(enough),
        beside=beside,
        year=year,
        more=words.pounds(safer),
    )
    return f"{said} {caveat}".strip()


def _comparators(inputs: ReportInput) -> Section | None:
    """Show our rate per 10,000 beside those of others, with a picture."""
    found, table = comparators_section(inputs), inputs.comparators
    if found is None or table is None or not isinstance(found.parts[0], Table):
        return None
    named = [say("{area} (ours)", area=r.area) if r.ours else str(r.area) for r in table.itertuples()]
    frame = pd.DataFrame({"name": named, "value": table["rate"]}).dropna().reset_index(drop=True)
    picture = replace(bars.bars(frame, title=say("rate per 10,000 people"), of=say("Area"), money=False, level=True), table=found.parts[0])
    return replace(found, parts=(picture,))


def _questions(inputs: ReportInput, money: Money | None) -> Section:
    """Give the questions that a member may ask, with their answers."""
    what, sure, why, cost, options, before = answers(inputs)
    asked = [
        (say("How many people will need this service?"), _said(what)),
        (say("How sure is that?"), f"{sure.number}. {_said(sure)} {sure.more}".strip()),
        (say("Why is it changing?"), f"{_said(why)} {say('What goes together is not always cause and effect.')}"),
        (say("What will it cost, and is the budget enough?"), _said(cost)),
        (say("What if it is not enough?"), reserve_sentence(inputs, money)),
        (say("Which number should we question first?"), _first_question(inputs, money)),
        (say("Can we trust the prices behind it?"), cost.more),
        (say("Do grants end?"), " ".join(cliffs(inputs))),
        (say("What could we do, and what would it save?"), _said(options)),
        (say("Were the forecasts right before?"), f"{_said(before)} {before.more}".strip()),
        (say("How do we compare with others?"), _compared(inputs)),
        (say("What does the forecast not tell us?"), say(LIMITS)),
    ]
    rows = tuple((question, words.closed(answer)) for question, answer in asked if answer)
    table = Table(say("Questions that a member may ask"), (say("Question"), say("Answer")), rows)
    return Section("questions", say("Questions that a member may ask"), (table,), mark=inputs.marked())


def _first_question(inputs: ReportInput, money: Money | None) -> str:
    found = sensitivity_section(inputs, money)
    if found is None or not isinstance(found.parts[0], Figure) or not found.parts[0].table.rows:
        return ""
    name, low, high = found.parts[0].table.rows[0][:3]
    told = message(
        "{name}. At its low end it moves the expected cost by {low}, at its high end by {high}; no other assumption moves it further."
    )
    return say(told, name=name, low=low, high=high)


def _compared(inputs: ReportInput) -> str:
    table = inputs.comparators
    if table is None or table.empty:
        return ""
    mine = table[table["ours"].astype(bool)].iloc[0]
    if pd.isna(mine["rate"]):
        return ""
    return say(
        "{area} has {rate} per 10,000 people; the others together have {others}.",
        area=mine["area"],
        rate=f"{mine['rate']:.1f}",
        others=f"{mine['others_rate']:.1f}",
    )
