"""The first page: six questions that a head of service and an elected member ask, each answered in one sentence.

In: a `ReportInput`. Out: `Answer`s with one number, its range in words and one picture. Refuses nothing: a question that the run
cannot answer says what would be needed.
"""

from __future__ import annotations

import math
from itertools import islice

import pandas as pd

from demand.report import bars, figures, words
from demand.report.change_section import year_change
from demand.report.facts import Line, Money, lines, none_counted, said_change, scenario_demand
from demand.report.inputs import BASELINE, ReportInput
from demand.report.parts import Answer, stacked
from demand.report.plan_facts import backcast_held, gap_sentence
from demand.report.record import miss_summary, misses, years_held

__all__ = ["answers"]

UNTESTED = "; the range could not be tested: too few earlier forecasts"


def answers(inputs: ReportInput) -> list[Answer]:
    """Answer the six questions of the first page.

    Parameters
    ----------
    inputs : ReportInput

    Returns
    -------
    list of Answer
    """
    found, money = lines(inputs), Money.of(inputs.budget)
    line = found[0] if found else None
    return [
        _what(inputs, line, found),
        _sure(inputs, line),
        _why(inputs, line),
        _cost(inputs, money),
        _options(inputs, line, money),
        _before(inputs, line),
    ]


def _what(inputs: ReportInput, line: Line | None, found: list[Line]) -> Answer:
    question = "What will happen?"
    if line is None or line.future.empty:
        return Answer(question, "Not forecast", "", "This run has no forecast.")
    year = line.ahead
    picture = figures.fan(figures.Fan(line.title, line.past, line.future), write=line.write, events=line.events)
    if year is None:
        last = line.future.iloc[-1]
        said = f"In {line.write(last['ds'])} we expect about {words.about(last['mean'])} {line.title}."
        ends = words.capital(words.spread(last["low"], last["mean"], last["high"])) + _untested(inputs)
        return Answer(question, words.about(last["mean"]), ends, said, picture)
    name, mean = str(year["financial_year"]), float(year["mean"])
    how = "on average at any time" if line.kind == "stock" else "in the year"
    before = line.past_years
    against = ""
    if len(before) and (change := said_change(mean, float(before.iloc[-1]))):
        against = f": {change} the {words.about(before.iloc[-1])} of {before.index[-1]}"
    sentence = f"In {name} we expect about {words.about(mean)} {line.title} {how}{against}."
    others = (said for other in found[1:] if (said := _one_more(other)))
    more = [*([_alone(line, found)] if line.alone else []), *islice(others, 3)]
    return Answer(
        question,
        words.about(mean),
        words.capital(words.spread(year["low"], mean, year["high"])) + _untested(inputs),
        sentence,
        picture,
        more=" ".join(more),
    )


def _alone(line: Line, found: list[Line]) -> str:
    """Say that the first page is about one series."""
    which = "the one that costs most" if line.inputs.cost is not None and not line.inputs.cost.empty else "the largest"
    return f"This run adds nothing up: of its {words.plural(len(found), 'series', 'series')} this page speaks of {which}."


def _of(line: Line, word: str = "of") -> str:
    """Name the series that a sentence is about, where it is not all there is."""
    return f" {word} {line.title}" if line.alone else ""


def _one_more(line: Line) -> str:
    year = line.ahead
    if year is None:
        return ""
    how = "at any time" if line.kind == "stock" else "in the year"
    return f"Also about {words.about(year['mean'])} {line.title} {how} ({words.between(year['low'], year['high'])})."


def _record(inputs: ReportInput, line: Line) -> str:
    """Say how often the range of such a year held before."""
    years = line.rows[line.rows["financial_year"].notna()].sort_values("financial_year")
    ahead = line.ahead
    found = next(iter(years_held(inputs, years[none_counted(years)])), None) if ahead is not None else None
    said = []
    if found is not None:
        said.append(f"At earlier dates the range of the year that came next held in {found[0]} of {words.plural(found[1], 'year')}.")
    factor = math.prod(inputs.run.get("widened", {}).values())
    if f"{factor:.1f}" != "1.0":
        why = "because earlier ones held too seldom" if factor > 1 else "because earlier ones held more often than they said"
        said.append(f"Ranges are made {factor:.1f} times as wide as past errors alone would make them, {why}.")
    return " ".join(said)


def _untested(inputs: ReportInput) -> str:
    """Say so where the past was replayed but too seldom to test a range."""
    summary = inputs.backtest_summary
    if summary is None or summary.empty:
        return ""
    tested = summary["measure"].astype(str).str.startswith("coverage") & summary["value"].notna()
    return "" if tested.any() else UNTESTED


def _sure(inputs: ReportInput, line: Line | None) -> Answer:
    question = "How sure are we?"
    if line is None or line.years.empty:
        return Answer(question, "Not known", "", "Without a whole financial year in the forecast there is no yearly range.")
    years = line.years
    first, last = years.iloc[0], years.iloc[-1]
    ahead = line.ahead if line.ahead is not None else first
    half = (float(ahead["high"]) - float(ahead["low"])) / 2
    share = half / float(ahead["mean"]) if ahead["mean"] else float("nan")
    sentence = f"Four years in five the figure{_of(line)} for {ahead['financial_year']} should lie inside this range"
    if len(years) > 1:
        wide = words.between(float(last["low"]), float(last["high"]))
        sentence += f"; by {last['financial_year']} it has widened to {wide}"
    table = years.assign(name=[_year_name(r) for r in years.itertuples()])
    counted = line.past_years.tail(2)
    known = pd.DataFrame({"name": [f"{y} (counted)" for y in counted.index], "mean": counted.to_numpy()})
    how = "average at any time" if line.kind == "stock" else "in the year"
    picture = bars.ranges(
        stacked(known, table[["name", "mean", "low", "high"]]),
        title=f"{line.title}, {how}, by financial year",
        of="Financial year",
        money=False,
    )
    said = words.spread(ahead["low"], ahead["mean"], ahead["high"])
    return Answer(question, f"Give or take {words.percent(share)}", words.capital(said) + _untested(inputs), sentence + ".", picture,
                  more=_record(inputs, line))  # fmt: skip


def _year_name(row: object) -> str:
    months = getattr(row, "months_actual", 0)
    return str(getattr(row, "financial_year", "")) + (f" ({int(months)} months counted)" if pd.notna(months) and 0 < months < 12 else "")


def _why(inputs: ReportInput, line: Line | None) -> Answer:
    question = "Why?"
    year = None if line is None else line.ahead
    if line is None or year is None or inputs.explanation is None:
        return Answer(question, "Not explained", "", "This run has not been asked for reasons.")
    change = year_change(inputs, line)
    if change is None:
        return Answer(question, "Not explained", "", "There is no whole year before the forecast to compare with.")
    order, then, name = change.steps, change.start, change.then
    total = float(order.sum())
    shown, rest = order.head(5), order.iloc[5:]
    if len(rest):
        shown = pd.concat([shown, pd.Series({"everything else": float(rest.sum())})])
    frame = pd.DataFrame({"name": [words.capital(n) for n in shown.index], "value": shown.to_numpy()})
    picture = bars.bars(
        frame, title=f"what the change from {name} to {year['financial_year']} goes with, in {line.unit}", of="Reason", money=False
    )
    big = [f"{n} ({'+' if v > 0 else ''}{words.about(v)})" for n, v in order.head(2).items()]
    sentence = f"Compared with {name}, the change{_of(line, 'in')} goes mostly with {words.join(big)}."
    said = f"{_from_to(float(year['low']) - then, float(year['high']) - then)} than the {words.about(then)} of {name}; 4 years in 5"
    return Answer(question, words.capital(_more(total)), said, sentence, picture)


def _from_to(low: float, high: float) -> str:
    if low < 0 < high:
        return f"Between {_more(low)} and {_more(high)}"
    ends = sorted((abs(low), abs(high)))
    return f"Between {words.about(ends[0])} and {words.about(ends[1])} {'more' if low >= 0 else 'fewer'}"


def _more(change: float) -> str:
    return "no more" if abs(change) < 0.05 else f"{words.about(abs(change))} {'more' if change > 0 else 'fewer'}"


def _cost(inputs: ReportInput, money: Money | None) -> Answer:
    question, mark = "What will it cost?", inputs.marked("cost", "price", "budget", "uplift", "item")
    if money is None or money.years().empty:
        return Answer(
            question, "Not priced", "", "Give unit costs and budget lines in the config, and this page tells pounds by financial year."
        )
    year, years = money.year, money.years()
    row = money.at(BASELINE, year)
    expected = float(row["expected"])
    said = words.spread(row["low"], expected, row["high"], money=True) if pd.notna(row["low"]) else "the range of the total is not known"
    if not row["tested"]:
        said += UNTESTED
    sentence = f"In {year} we expect to need {words.pounds(expected)}"
    if pd.notna(row["budget"]) and row["budget"] > 0:
        sentence += f", {_against(expected, float(row['budget']))} the budget of {words.pounds(row['budget'])}"
        if pd.notna(row["p_overspend"]):
            sentence += f"; the chance of an overspend is {words.chance(row['p_overspend'])}"
    frame = years.assign(name=[_year_name(r) for r in years.itertuples()], mark=years["budget"])[["name", "mark", "low", "high"]]
    frame["mean"] = years["expected"]
    picture = bars.ranges(frame, title="what we expect to spend, by financial year", of="Financial year", money=True)
    more = gap_sentence(inputs)
    return Answer(question, words.pounds(expected), words.capital(said), sentence + ".", picture, mark=mark, more=more)


def _against(expected: float, budget: float) -> str:
    gap = expected - budget
    if abs(gap) < 0.005 * budget:
        return "about the same as"
    return f"{words.pounds(abs(gap))} {'more' if gap > 0 else 'less'} than"


def _options(inputs: ReportInput, line: Line | None, money: Money | None) -> Answer:
    question, mark = "What could be done?", inputs.marked("scenario", "change", "cost", "price", "uplift")
    if not inputs.scenarios:
        return Answer(question, "No options tried", "", "Describe scenarios in the config, and this page compares them.")
    if money is None or money.years().empty or not set(inputs.scenarios) & set(money.totals["scenario"]):
        return _options_people(inputs, line, question, mark)
    year = money.year_of_options(inputs.scenarios)
    base = money.at(BASELINE, year)
    rows = [(s, money.at(s, year)) for s in inputs.scenarios if money.has(s, year)]
    gaps = {s: float(row["expected"] - base["expected"]) for s, row in rows}
    best, worst = min(gaps, key=lambda s: gaps[s]), max(gaps, key=lambda s: gaps[s])
    frame = pd.DataFrame({"name": [words.capital(words.label(s, inputs.spec.names)) for s in gaps], "value": list(gaps.values())})
    picture = bars.bars(frame, title=f"what each scenario does to the cost of {year}", of="Scenario", money=True)
    row = next(r for s, r in rows if s == best)
    name = words.label(best, inputs.spec.names)
    if gaps[best] < 0:
        ends = f"{words.pounds(row['expected'])} instead of {words.pounds(base['expected'])}"
        sentence = f"Of what was tried, ‘{name}’ lowers the cost of {year} most: {ends}"
        number = f"{words.pounds(-gaps[best])} less"
    else:
        sentence = f"Nothing that was tried lowers the cost of {year}; ‘{name}’ adds least"
        number = f"{words.pounds(gaps[best])} more"
    if gaps[worst] > 0 and worst != best:
        sentence += f"; ‘{words.label(worst, inputs.spec.names)}’ would add {words.pounds(gaps[worst])}"
    with_it = words.spread(row["low"], row["expected"], row["high"], money=True) if pd.notna(row["low"]) else words.pounds(row["expected"])
    more = "Some of what was tried goes beyond anything observed so far: see the warnings under What if?" if inputs.warnings else ""
    return Answer(question, number, f"With it the cost is {with_it}", sentence + ".", picture, mark=mark, more=more)


def _short(name: str) -> str:
    return figures.wrapped(name, 14)


def _options_people(inputs: ReportInput, line: Line | None, question: str, mark: str) -> Answer:
    if line is None or inputs.demand is None:
        return Answer(question, "Not compared", "", "The scenarios of this run have no forecast to act on.", mark=mark)
    table = scenario_demand(inputs, line)
    last = table["ds"].max()
    ends = table[table["ds"] == last].set_index("scenario")["mean"]
    gaps = (ends - ends[BASELINE]).drop(BASELINE)
    best = str(gaps.idxmin() if (gaps < 0).any() else gaps.abs().idxmax())
    frame = pd.DataFrame({"name": [_short(words.capital(words.label(s, inputs.spec.names))) for s in ends.index], "mean": ends.to_numpy()})
    frame = frame.assign(low=float("nan"), high=float("nan"))
    when = line.write(last)
    picture = bars.ranges(frame, title=f"{line.title} in {when} under each scenario", of="Scenario", money=False, note="Expected values.")
    verb = "fewer" if gaps[best] < 0 else "more"
    name, gap = words.label(best, inputs.spec.names), words.count(abs(gaps[best]))
    sentence = f"With ‘{name}’ we expect {gap} {verb} {line.title} in {when} than without it."
    said = f"about {words.count(ends[best])} with it, {words.count(ends[BASELINE])} without"
    return Answer(question, f"{words.count(abs(gaps[best]))} {verb}", words.capital(said), sentence, picture, mark=mark)


def _before(inputs: ReportInput, line: Line | None) -> Answer:
    question = "Were we right before?"
    said_then = pd.DataFrame() if line is None else misses(inputs, line)
    summary = miss_summary(said_then) if line is not None else None
    if line is None or summary is None:
        return Answer(question, "Not tested", "", "This run has not replayed its past. `demand backtest` does.")
    typical, least, most, times = summary
    stretch = int(said_then.groupby("cutoff").size().max())
    span = "year" if stretch >= int(inputs.frequency.per_year) else words.plural(stretch, "period")
    sentence = (
        f"We stood at {words.plural(times, 'earlier date')}, used only what was known then, and were out by {words.percent(typical)} "
        f"on average over the {span} that followed{_of(line, 'for')}"
    )
    what = "average number" if line.kind == "stock" else "total"
    about_all = () if line.alone else inputs.track_record
    level = str(line.rows["level"].iloc[0])
    named = line.unit if line.where or level == "total" else f"{line.unit} ({level})"
    mine = [s for s in about_all if f"the {what} of {named} " in s and f"the {what} of {named} (" not in s]
    record = next((s for s in mine if not words.banned_in(s)), "")
    title = f"{line.title}: what we would have said a year ahead, and what happened"
    picture = figures.past(line.past, said_then, title=title, write=line.write)
    said = f"Between {words.percent(least)} and {words.percent(most)} in {words.plural(times, 'test')}"
    return Answer(
        question, f"Out by {words.percent(typical)}", said, sentence + ".", picture, more=f"{record} {backcast_held(inputs)}".strip()
    )
