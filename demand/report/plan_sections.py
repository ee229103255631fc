"""The pages of the budget round: agreement with the ledger, from one year to the next, the medium-term plan, past budgets, levers.

In: a `ReportInput`. Out: a `Section`, or None where the run has no table for it. Refuses nothing.
"""

from __future__ import annotations

import pandas as pd

from demand.languages import say
from demand.report import bars, words
from demand.report.heat import heat
from demand.report.inputs import BASELINE, ReportInput
from demand.report.money_sections import money_measure
from demand.report.parts import Block, Figure, Section, Table, table_of
from demand.report.plan_facts import (
    backcast_held,
    backcast_off,
    backcast_rows,
    bridge_rows,
    cliffs,
    gap_rows,
    gap_sentence,
    net_rows,
    plan_rows,
)

__all__ = ["agreement_section", "bridge_section", "levers_section", "net_section", "past_budgets_section", "plan_section"]

RESTS_ON = ("cost", "price", "budget", "uplift", "items")


def agreement_section(inputs: ReportInput) -> Section | None:
    """Hold what was counted, at its price, against the ledger of the years that are over."""
    rows = gap_rows(inputs)
    if rows.empty:
        return None
    shown = rows.assign(held=[say("yes") if w else say("no") for w in rows["within"]])
    names = {
        "name": "Budget line",
        "financial_year": "Year",
        "modelled": "Counted, at its price",
        "outturn": "The ledger says",
        "gap": "Not explained",
        "gap_share": "Share",
        "tolerance": "Allowed",
        "held": "Within",
    }
    formats = {**dict.fromkeys(("modelled", "outturn", "gap"), "exact"), "gap_share": "percent", "tolerance": "percent"}
    table = table_of(shown, say("Numbers at their prices against the ledger, year by year"), names=names, formats=formats)
    year = rows["financial_year"].max()
    outside = rows[(rows["financial_year"] == year) & ~rows["within"].astype(bool)]
    parts: list[Table | Figure | Block] = [Block((gap_sentence(inputs),), kind="warning" if len(outside) else "text"), table]
    lead = say(
        "Before a forecast of pounds is believed, it should explain the year that is over. What it does not explain is shown here, stays a "
        "row of its own, and is never spread over the prices."
    )
    return Section("ledger", say("Does it agree with the ledger?"), tuple(parts), lead, mark=inputs.marked(*RESTS_ON))


def bridge_section(inputs: ReportInput) -> Section | None:
    """Show what moves spending from the last year to the next, step by step."""
    rows = bridge_rows(inputs)
    if rows.empty:
        return None
    parts: list[Table | Figure | Block] = []
    for first in dict.fromkeys(rows["from"]):
        pair = rows[rows["from"] == first]
        for _, one in pair[pair["whole"]].groupby("line") if pair["whole"].any() else pair.groupby("line", sort=False):
            picture = _bridge(one) if not parts or pair["whole"].any() else None
            parts += [picture] if picture is not None else []
    names = {"name": "Budget line", "from": "From", "to": "To", "said": "Step", "amount": "Pounds"}
    note = say("The first row of each line and pair of years, and its steps, add up to the last row.")
    parts.append(table_of(rows, say("From one year to the next, line by line"), names=names, formats={"amount": "exact"}, note=note))
    lead = say(
        "Why next year costs something else than this one: how many come, how long they stay, in which kinds of place, at which prices."
    )
    return Section("bridge", say("From last year to next year"), tuple(parts), lead, mark=inputs.marked(*RESTS_ON))


def _bridge(rows: pd.DataFrame) -> Figure | None:
    start, steps, end = (rows[rows["kind"] == kind] for kind in ("start", "step", "end"))
    moved = steps[steps["amount"].abs() >= 0.5]
    if start.empty or end.empty or moved.empty:
        return None
    first, last = start.iloc[0], end.iloc[0]
    title = say(
        "what moves {what} from {before} in {first} ({said}) to {after} in {last}",
        what=str(rows["name"].iloc[0]).lower() if not rows["whole"].any() else say("all lines"),
        before=words.pounds(first["amount"]),
        first=first["from"],
        said=first["said"].lower(),
        after=words.pounds(last["amount"]),
        last=first["to"],
    )
    frame = moved.assign(name=moved["said"])[["name", "amount"]]
    return bars.steps(frame, title=title, start=float(first["amount"]), money=True, total=say("All together"))


def plan_section(inputs: ReportInput) -> Section | None:
    """Show the increments that a medium-term financial plan asks for, in thousands."""
    rows = plan_rows(inputs)
    if rows.empty:
        return None
    years = sorted(rows["financial_year"].unique())
    wide = rows.pivot_table(index=["name", "said", "recurring"], columns="financial_year", values="medium", aggfunc="sum", sort=False)
    frame = wide.reset_index().assign(kind=lambda t: [say("every year") if r else say("ends") for r in t["recurring"]])
    names = {"name": "Budget line", "said": "What", "kind": "Recurs", **{y: y for y in years}}
    note = say(
        "Each figure is what is needed more (or less) than in the year before, as expected: rows of a line add up to its change. Low and "
        "high, part-year and full-year effect are in the workbook, on the sheet Medium-term plan."
    )
    table = table_of(
        frame,
        say("Increments on the year before, in £000, if nothing is changed"),
        names=names,
        formats=dict.fromkeys(years, _thousands),
        note=note,
    )
    ends = cliffs(inputs)
    parts: list[Table | Figure | Block] = [*([Block(tuple(ends), kind="warning")] if ends else []), table]
    lead = say("What the medium-term financial plan needs year by year, in the shape of its tables.")
    return Section("plan", say("Medium-term plan"), tuple(parts), lead, mark=inputs.marked(*RESTS_ON))


def _thousands(value: float) -> str:
    return f"{value / 1000:,.0f}".replace("-0", "0") if abs(value) < 500 else f"{value / 1000:,.0f}"


def net_section(inputs: ReportInput) -> Section | None:
    """Show what comes in for each line, beside what it costs."""
    rows = net_rows(inputs)
    if rows.empty:
        return None
    rows = rows[rows["scenario"] == BASELINE]
    names = {
        "name": "Budget line",
        "financial_year": "Year",
        "gross": "Gross",
        "income": "Income",
        "grant": "Grants",
        "saving": "Savings",
        "expected": "Net",
    }
    table = table_of(rows, say("From gross to net, if nothing is changed"), names=names, formats=dict.fromkeys(list(names)[2:], "exact"))
    ends = cliffs(inputs)
    parts: list[Table | Figure | Block] = [*([Block(tuple(ends), kind="warning")] if ends else []), table]
    lead = say("What each line costs, what others pay towards it, and what is left: the budget is compared with what is left.")
    return Section("net", say("Who else pays"), tuple(parts), lead, mark=inputs.marked(*RESTS_ON))


def past_budgets_section(inputs: ReportInput) -> Section | None:
    """Show what each past April would have set aside, and what was needed."""
    rows = backcast_rows(inputs)
    if rows.empty:
        return None
    parts: list[Table | Figure | Block] = [Block((f"{backcast_held(inputs)} {backcast_off(inputs)}".strip(),))]
    whole = rows[rows["whole"]] if rows["whole"].any() else rows[rows["line"] == rows["line"].iloc[0]]
    mine = whole[whole["p10"].notna()]
    if len(mine):
        frame = pd.DataFrame(
            {"name": mine["financial_year"], "mean": mine["expected"], "low": mine["p10"], "high": mine["p90"], "mark": mine["actual"]}
        )
        title = say("what each past April would have set aside, and what was then needed")
        parts.append(bars.ranges(frame.reset_index(drop=True), title=title, of=say("Year"), money=True, mark=say("What was needed")))
    names = {
        "financial_year": "Year",
        "name": "Budget line",
        "way": "Decided by",
        "expected": "Would have been set aside",
        "p10": "Low",
        "p90": "High",
        "actual": "Was needed",
        "error": "Too much (or too little)",
        "held": "Inside the range",
        "shock": "What fell into the year",
    }
    held = ["" if pd.isna(i) else say("yes") if i else say("no") for i in rows["inside"]]
    if "shock" in rows:
        rows = rows.assign(shock=["" if pd.isna(s) else words.label(s, inputs.spec.names) for s in rows["shock"]])
    formats = dict.fromkeys(("expected", "p10", "p90", "actual", "error"), "exact")
    note = say("Only what was known in that April was used. What was needed is what was counted, at its price.")
    parts.append(table_of(rows.assign(held=held), say("Past budgets, year by year"), names=names, formats=formats, note=note))
    lead = say(
        "Had each past budget been set by this forecast, how far off would it have been in pounds, beside two other ways of setting it?"
    )
    return Section("past-budgets", say("Past budgets, had they been set this way"), tuple(parts), lead, mark=inputs.marked(*RESTS_ON))


def levers_section(inputs: ReportInput) -> Section | None:
    """Show what comes of a scenario at each combination of its levers."""
    table = inputs.sweep
    if table is None or table.empty:
        return None
    measure = money_measure(table)
    measure = measure if measure is not None else str(table["measure"].iloc[0])
    parts: list[Table | Figure | Block] = []
    for name, rows in table[table["measure"] == measure].groupby("sweep", sort=False):
        year = rows["financial_year"].max()
        one = rows[rows["financial_year"] == year]
        said = words.label(name, inputs.spec.names)
        money = money_measure(rows) is not None
        levers = [words.capital(words.label(one[c].iloc[0], inputs.spec.names)) for c in ("lever_1", "lever_2") if one[c].notna().any()]
        what = words.label(measure)
        title = (
            say("‘{name}’: what it does to the cost of {year}", name=said, year=year)
            if money
            else say("‘{name}’: what it does to {what} in {year}", name=said, what=what, year=year)
        )
        if len(levers) == 2:
            parts.append(heat(one, title=title, levers=(levers[0], levers[1]), money=money))
        else:
            frame = pd.DataFrame({"name": [f"{v:g}" for v in one["value_1"]], "value": one["difference"].to_numpy()})
            parts.append(bars.bars(frame, title=title, of=levers[0], money=money))
    lead = say("One or two numbers of a scenario take every value of a list, and all else is as it was: differences from no change.")
    return Section("levers", say("Levers"), tuple(parts), lead, mark=inputs.marked(*RESTS_ON, "scenario"))
