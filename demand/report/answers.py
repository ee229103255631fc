"""The first page: six questions that a head of service and an elected member ask, each answered in one sentence.

In: a `ReportInput`. Out: `Answer`s with one number, its range in words and one picture. Refuses nothing: a question that the run
cannot answer says what would be needed.
"""

from __future__ import annotations

import math
from itertools import islice

import pandas as pd

from demand.languages import message, say, say_many, spoken
from demand.report import bars, figures, words
from demand.report.change_section import unsteady, year_change
from demand.report.facts import Line, Money, lines, none_counted, said_change, scenario_demand
from demand.report.inputs import BASELINE, ReportInput
from demand.report.parts import Answer, stacked
from demand.report.plan_facts import backcast_held, difference_or_cost, gap_sentence, ledger_caveat
from demand.report.record import last_judged, miss_summary, misses, years_held

__all__ = ["answers"]

UNTESTED = message("; the range could not be tested: too few earlier forecasts")


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
    question = say("What will happen?")
    if line is None or line.future.empty:
        return Answer(question, say("Not forecast"), "", say("This run has no forecast."))
    year = line.ahead
    picture = figures.fan(figures.Fan(line.title, line.past, line.future), write=line.write, events=line.events)
    if year is None:
        last = line.future.iloc[-1]
        said = say(
            "In {when} we expect about {number} {what}.", when=line.write(last["ds"]), number=words.about(last["mean"]), what=line.title
        )
        ends = words.capital(words.spread(last["low"], last["mean"], last["high"])) + _untested(inputs)
        return Answer(question, words.about(last["mean"]), ends, said, picture, of=words.label(line.unit, inputs.spec.names))
    name, mean = str(year["financial_year"]), float(year["mean"])
    before, against = line.past_years, ""
    if len(before) and (change := said_change(mean, float(before.iloc[-1]))):
        then = words.about(before.iloc[-1])
        against = say(": {change} the {number} of {year}", change=change, number=then, year=before.index[-1])
    told = {"year": name, "number": words.about(mean), "what": line.title, "against": against}
    sentence = (
        say("In {year} we expect about {number} {what} on average at any time{against}.", **told)
        if line.kind == "stock"
        else say("In {year} we expect about {number} {what} in the year{against}.", **told)
    )
    others = (said for other in found[1:] if (said := _one_more(other)))
    more = [*([_alone(line, found)] if line.alone else []), *islice(others, 3)]
    return Answer(
        question,
        words.about(mean),
        words.capital(words.spread(year["low"], mean, year["high"])) + _untested(inputs),
        sentence,
        picture,
        more=" ".join(more),
        of=words.label(line.unit, inputs.spec.names),
    )


def _alone(line: Line, found: list[Line]) -> str:
    """Say that the first page is about one series."""
    priced = line.inputs.cost is not None and not line.inputs.cost.empty
    return say(
        "This run adds nothing up: of its {number} series this page speaks of {which}.",
        number=len(found),
        which=say("the one that costs most") if priced else say("the largest"),
    )


def _of(line: Line, words_for_it: str = message(" of {what}")) -> str:
    """Name the series that a sentence is about, where it is not all there is."""
    return say(words_for_it, what=line.title) if line.alone else ""


def _one_more(line: Line) -> str:
    year = line.ahead
    if year is None:
        return ""
    told = {"number": words.about(year["mean"]), "what": line.title, "range": words.between(year["low"], year["high"])}
    if line.kind == "stock":
        return say("Also about {number} {what} at any time ({range}).", **told)
    return say("Also about {number} {what} in the year ({range}).", **told)


def _record(inputs: ReportInput, line: Line) -> str:
    """Say how often the range of such a year held before."""
    years = line.rows[line.rows["financial_year"].notna()].sort_values("financial_year")
    ahead = line.ahead
    found = next(iter(years_held(inputs, years[none_counted(years)])), None) if ahead is not None else None
    said = []
    if found is not None:
        said.append(
            say_many(
                "At earlier dates the range of the year that came next held in {held} of {number} year.",
                "At earlier dates the range of the year that came next held in {held} of {number} years.",
                found[1],
                held=found[0],
                number=found[1],
            )
        )
    factor = math.prod(inputs.run.get("widened", {}).values())
    if f"{factor:.1f}" != "1.0":
        why = say("because earlier ones held too seldom") if factor > 1 else say("because earlier ones held more often than they said")
        wide = message("Ranges are made {factor} times as wide as past errors alone would make them, {why}.")
        said.append(say(wide, factor=f"{factor:.1f}", why=why))
    return " ".join(said)


def _untested(inputs: ReportInput) -> str:
    """Say so where the past was replayed but too seldom to test a range."""
    summary = inputs.backtest_summary
    if summary is None or summary.empty:
        return ""
    tested = summary["measure"].astype(str).str.startswith("coverage") & summary["value"].notna()
    return "" if tested.any() else say(UNTESTED)


def _sure(inputs: ReportInput, line: Line | None) -> Answer:
    question = say("How sure are we?")
    if line is None or line.years.empty:
        return Answer(question, say("Not known"), "", say("Without a whole financial year in the forecast there is no yearly range."))
    years = line.years
    first, last = years.iloc[0], years.iloc[-1]
    ahead = line.ahead if line.ahead is not None else first
    half = (float(ahead["high"]) - float(ahead["low"])) / 2
    share = half / float(ahead["mean"]) if ahead["mean"] else float("nan")
    told = message("Four years in five the figure{of} for {year} should lie inside this range")
    sentence = say(told, of=_of(line), year=ahead["financial_year"])
    if len(years) > 1:
        wide = words.between(float(last["low"]), float(last["high"]))
        sentence += say("; by {year} it has widened to {range}", year=last["financial_year"], range=wide)
    table = years.assign(name=[_year_name(r) for r in years.itertuples()])
    counted = line.past_years.tail(2)
    known = pd.DataFrame({"name": [say("{year} (counted)", year=y) for y in counted.index], "mean": counted.to_numpy()})
    how = say("average at any time") if line.kind == "stock" else say("in the year")
    picture = bars.ranges(
        stacked(known, table[["name", "mean", "low", "high"]]),
        title=say("{what}, {how}, by financial year", what=line.title, how=how),
        of=say("Financial year"),
        money=False,
    )
    said = words.spread(ahead["low"], ahead["mean"], ahead["high"])
    number = say("Give or take {share}", share=words.percent(share))
    return Answer(question, number, words.capital(said) + _untested(inputs), sentence + ".", picture,
                  more=_record(inputs, line))  # fmt: skip


def _year_name(row: object) -> str:
    months = getattr(row, "months_actual", 0)
    year, some = str(getattr(row, "financial_year", "")), pd.notna(months) and 0 < months < 12
    return say("{year} ({months} months counted)", year=year, months=int(months)) if some else year


def _why(inputs: ReportInput, line: Line | None) -> Answer:
    question = say("Why?")
    year = None if line is None else line.ahead
    if line is None or year is None or inputs.explanation is None:
        return Answer(question, say("Not explained"), "", say("This run has not been asked for reasons."))
    since = year_change(inputs, line)
    if since is None:
        return Answer(question, say("Not explained"), "", say("There is no whole year before the forecast to compare with."))
    order, then, name = since.steps, since.start, since.then
    shown, rest = order.head(5), order.iloc[5:]
    if len(rest):
        shown = pd.concat([shown, pd.Series({say("everything else"): float(rest.sum())})])
    frame = pd.DataFrame({"name": [words.capital(n) for n in shown.index], "value": shown.to_numpy()})
    what = words.label(line.unit, inputs.spec.names)
    title = say("what the change from {then} to {now} goes with, in {what}", then=name, now=year["financial_year"], what=what)
    picture = bars.bars(frame, title=title, of=say("Reason"), money=False)
    silent = {words.feature(n, inputs.spec.names) for n in unsteady(inputs)}
    change = _difference(year["mean"], then)
    steady = order[~order.index.isin(silent)].round(0 if min(year["mean"], then) >= 9.95 else 1)
    sentence = _reasons(steady[steady != 0], name, of=_of(line, message(" in {what}")), change=change)
    change_said = _from_to(_difference(year["low"], then), _difference(year["high"], then))
    said = say("{change} than the {number} of {year}; 4 years in 5", change=change_said, number=words.about(then), year=name)
    return Answer(question, words.capital(_more(change)), said, sentence, picture)


def _difference(now: float, then: float) -> float:
    """Give how much one number is more than another as both are told, so that readers who subtract find the same."""
    return round(words.shown(now) - words.shown(then), 1)


def _reasons(steps: pd.Series, year: str, *, of: str, change: float) -> str:
    """Say what most of a change goes with, and what takes from it again; `steps` with the largest first."""
    big, same, told = steps.head(2), steps[steps * change > 0], {"year": year, "of": of}
    offset = big[big * change <= 0].head(1)
    whole = same.cumsum().abs()
    first = same.head(2) if offset.empty else same.head(int((whole <= abs(offset.iloc[0])).sum()) + 1)
    if steps.empty:
        return say("No single reason stands out.")
    if first.empty or (len(offset) and whole.iloc[-1] <= abs(offset.iloc[0])):  # the rest is in steps whose order is not steady
        return say("Compared with {year}, the largest movements{of} are: {reasons}.", reasons=_listed(big), **told)
    if offset.empty:
        return say("Compared with {year}, the change{of} goes mostly with {reasons}.", reasons=_listed(first), **told)
    partly = message("Compared with {year}, the change{of} goes mostly with {reasons}, partly offset by {other}.")
    return say(partly, reasons=_listed(first), other=_listed(offset), **told)


def _listed(steps: pd.Series) -> str:
    return words.join(f"{n} ({'+' if v > 0 else ''}{words.about(v)})" for n, v in steps.items())


def _from_to(low: float, high: float) -> str:
    if low < 0 < high:
        return say("Between {low} and {high}", low=_more(low), high=_more(high))
    ends = dict(zip(("low", "high"), map(words.about, sorted((abs(low), abs(high)))), strict=True))
    return say("Between {low} and {high} more", **ends) if low >= 0 else say("Between {low} and {high} fewer", **ends)


def _more(change: float) -> str:
    if abs(change) < 0.05:
        return say("no more")
    return say("{number} more", number=words.about(change)) if change > 0 else say("{number} fewer", number=words.about(-change))


def _cost(inputs: ReportInput, money: Money | None) -> Answer:
    question, mark = say("What will it cost?"), inputs.marked("cost", "price", "budget", "uplift", "item")
    if money is None or money.years().empty:
        lacks = say("Give unit costs and budget lines in the config, and this page tells pounds by financial year.")
        return Answer(question, say("Not priced"), "", lacks)
    year, years = money.year, money.years()
    row = money.at(BASELINE, year)
    expected = float(row["expected"])
    said = (
        words.spread(row["low"], expected, row["high"], money=True) if pd.notna(row["low"]) else say("the range of the total is not known")
    )
    if not row["tested"]:
        said += say(UNTESTED)
    sentence = say("In {year} we expect to need {money}", year=year, money=words.pounds(expected))
    if pd.notna(row["budget"]) and row["budget"] > 0:
        against = _against(expected, float(row["budget"]))
        sentence += say(", {change} the budget of {money}", change=against, money=words.pounds(row["budget"]))
        if pd.notna(row["p_overspend"]):
            sentence += say("; the chance of an overspend is {chance}", chance=words.chance(row["p_overspend"]))
    frame = years.assign(name=[_year_name(r) for r in years.itertuples()], mark=years["budget"])[["name", "mark", "low", "high"]]
    frame["mean"] = years["expected"]
    picture = bars.ranges(frame, title=say("what we expect to spend, by financial year"), of=say("Financial year"), money=True)
    more = gap_sentence(inputs)
    caveat = ledger_caveat(inputs) if pd.notna(row["budget"]) and row["budget"] > 0 else ""
    told = f"{sentence}. {caveat}".strip() + _year_under_way(inputs)
    return Answer(question, words.pounds(expected), words.capital(said), told, picture, mark=mark, more=more)


def _year_under_way(inputs: ReportInput) -> str:
    """Say where the ledger's year is projected to end; empty without a ledger, once the year is over, and for the public."""
    table = inputs.outturn
    rows = table[table["line"].str.lower() == "total"] if table is not None else pd.DataFrame()
    if rows.empty or int(rows["period"].iloc[0]) >= 12 or inputs.spec.audience == "public":
        return ""
    year, projected, budget = (rows[c].iloc[0] for c in ("financial_year", "projected_pence", "current_budget_pence"))
    if not budget > 0:
        return " " + say("{year}, now under way, is projected to end at {money}.", year=year, money=words.pounds(projected / 100))
    return " " + say(
        "{year}, now under way, is projected to end at {money}, {change} its budget of {budget}.",
        year=year,
        money=words.pounds(projected / 100),
        change=_against(projected / 100, budget / 100),
        budget=words.pounds(budget / 100),
    )


def _against(expected: float, budget: float) -> str:
    gap = expected - budget
    if abs(gap) < 0.005 * budget:
        return say("about the same as")
    return say("{money} more than", money=words.pounds(gap)) if gap > 0 else say("{money} less than", money=words.pounds(-gap))


def _options(inputs: ReportInput, line: Line | None, money: Money | None) -> Answer:
    question, mark = say("What could be done?"), inputs.marked("scenario", "change", "cost", "price", "uplift")
    if not inputs.scenarios:
        return Answer(question, say("No options tried"), "", say("Describe scenarios in the config, and this page compares them."))
    if money is None or money.years().empty or not set(inputs.scenarios) & set(money.totals["scenario"]):
        return _options_people(inputs, line, question, mark)
    year = money.year_of_options(inputs.scenarios)
    base = money.at(BASELINE, year)
    rows = [(s, money.at(s, year)) for s in inputs.scenarios if money.has(s, year)]
    gaps = {s: float(row["expected"] - base["expected"]) for s, row in rows}
    best, worst = min(gaps, key=lambda s: gaps[s]), max(gaps, key=lambda s: gaps[s])
    frame = pd.DataFrame({"name": [words.capital(words.label(s, inputs.spec.names)) for s in gaps], "value": list(gaps.values())})
    picture = bars.bars(frame, title=say("what each scenario does to the cost of {year}", year=year), of=say("Scenario"), money=True)
    row = next(r for s, r in rows if s == best)
    name = words.label(best, inputs.spec.names)
    if gaps[best] < 0:
        ends = say("{money} instead of {before}", money=words.pounds(row["expected"]), before=words.pounds(base["expected"]))
        sentence = say("Of what was tried, ‘{name}’ lowers the cost of {year} most: {ends}", name=name, year=year, ends=ends)
        number = say("{money} less", money=words.pounds(-gaps[best]))
    else:
        sentence = say("Nothing that was tried lowers the cost of {year}; ‘{name}’ adds least", name=name, year=year)
        number = say("{money} more", money=words.pounds(gaps[best]))
    if gaps[worst] > 0 and worst != best:
        dearest = words.label(worst, inputs.spec.names)
        sentence += say("; ‘{name}’ would add {money}", name=dearest, money=words.pounds(gaps[worst]))
    beyond = message("Some of what was tried goes beyond anything observed so far: see the warnings under What if?")
    more, cost = (
        say(beyond) if inputs.warnings else "",
        say("With ‘{name}’ the cost is {range}", name=name, range=difference_or_cost(inputs, best, year, row)),
    )
    return Answer(question, number, cost, sentence + ".", picture, mark=mark, more=more)


def _options_people(inputs: ReportInput, line: Line | None, question: str, mark: str) -> Answer:
    if line is None or inputs.demand is None:
        return Answer(question, say("Not compared"), "", say("The scenarios of this run have no forecast to act on."), mark=mark)
    table = scenario_demand(inputs, line)
    last = table["ds"].max()
    ends = table[table["ds"] == last].set_index("scenario")["mean"]
    gaps = (ends - ends[BASELINE]).drop(BASELINE)
    best = str(gaps.idxmin() if (gaps < 0).any() else gaps.abs().idxmax())
    frame = pd.DataFrame(
        {"name": [figures.wrapped(words.capital(words.label(s, inputs.spec.names)), 14) for s in ends.index], "mean": ends.to_numpy()}
    )
    frame = frame.assign(low=float("nan"), high=float("nan"))
    when = line.write(last)
    title = say("{what} in {when} under each scenario", what=line.title, when=when)
    picture = bars.ranges(frame, title=title, of=say("Scenario"), money=False, note=say("Expected values."))
    gap = _difference(ends[best], ends[BASELINE])
    number = _more(gap)
    told = {"name": words.label(best, inputs.spec.names), "number": words.about(abs(gap)), "what": line.title, "when": when}
    if not gap:
        sentence = say("With ‘{name}’ the expected number of {what} in {when} is about the same as without it.", **told)
    elif gap < 0:
        sentence = say("With ‘{name}’ the expected number of {what} in {when} is lower by {number} than without it.", **told)
    else:
        sentence = say("With ‘{name}’ the expected number of {what} in {when} is higher by {number} than without it.", **told)
    said = say("about {number} with it, {other} without", number=words.about(ends[best]), other=words.about(ends[BASELINE]))
    return Answer(question, number, words.capital(said), sentence, picture, mark=mark)


def _before(inputs: ReportInput, line: Line | None) -> Answer:
    question = say("Were we right before?")
    said_then = pd.DataFrame() if line is None else misses(inputs, line)
    summary = miss_summary(said_then) if line is not None else None
    if line is None or summary is None:
        return Answer(question, say("Not tested"), "", say("This run has not replayed its past. `demand backtest` does."))
    typical, least, most, times = summary
    stretch = int(said_then.groupby("cutoff").size().max())
    short = say_many("{number} period", "{number} periods", stretch, number=stretch)
    sentence = say_many(
        "We stood at {number} earlier date, used only what was known then, and were out by {share} on average over the {span} that "
        "followed{of}.",
        "We stood at {number} earlier dates, used only what was known then, and were out by {share} on average over the {span} that "
        "followed{of}.",
        times,
        number=times,
        share=words.percent(typical),
        span=say("year") if stretch >= int(inputs.frequency.per_year) else short,
        of=_of(line, message(" for {what}")),
    )
    what = "average number" if line.kind == "stock" else "total"
    about_all = () if line.alone else inputs.track_record
    level = str(line.rows["level"].iloc[0])
    named = line.unit if line.where or level == "total" else f"{line.unit} ({level})"
    mine = [s for s in about_all if f"the {what} of {named} " in s and f"the {what} of {named} (" not in s]
    record = next((s for s in mine if not words.banned_in(s)), "")
    if record and spoken() != "en":  # the sentences of the evaluation are stored as they were written
        record = say("More about this stands under Track record.")
    title = say("{what}: what we would have said a year ahead, and what happened", what=line.title)
    picture = figures.past(line.past, said_then, title=title, write=line.write)
    said = say_many(
        "Between {low} and {high} in {number} test",
        "Between {low} and {high} in {number} tests",
        times,
        low=words.percent(least),
        high=words.percent(most),
        number=times,
    )
    number, last = last_judged(inputs, line)
    sentence, number = f"{last} {sentence}".strip(), number or say("Out by {share}", share=words.percent(typical))
    return Answer(question, number, said, sentence, picture, more=f"{record} {backcast_held(inputs)}".strip())
