"""The pages about money: budget, scenarios, sensitivity, risk.

In: a `ReportInput`. Out: a `Section`, or None where the run has no table for it. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from demand.languages import message, say, say_many
from demand.report import bars, figures, words
from demand.report.facts import Line, Money, scenario_demand
from demand.report.inputs import BASELINE, ReportInput
from demand.report.parts import Block, Figure, Section, Table, stacked, table_of
from demand.report.risk_curve import risk_curve, risk_table

__all__ = [
    "INTERACTION",
    "TOGETHER",
    "budget_section",
    "money_measure",
    "risk_section",
    "scenarios_section",
    "sensitivity_section",
    "step_rows",
]

INTERACTION = "interaction"
"""The row of the waterfall that tells what changes do together."""
LIKELY = 0.05
"""The least chance of an overspend that is worth a picture."""
MONEY = ("pounds, net", "pounds", "gbp", "cost", "£")
"""Measures that are money, the better first."""
TOGETHER = {INTERACTION: message("working together")}
NOT_A_SUM = message("Only expected values add up. The range of a total is worked out by itself and is not the sum of the lines.")


def budget_section(inputs: ReportInput, money: Money | None) -> Section | None:
    """Show what each budget line is expected to cost in each financial year."""
    if money is None:
        return None
    name = inputs.spec.names
    rows = money.lines[money.lines["scenario"] == BASELINE]
    whole = money.years()
    order = {name: place for place, name in enumerate(dict.fromkeys(rows["line"]))}
    rows = rows.sort_values(["line", "financial_year"], key=lambda c: c.map(order) if c.name == "line" else c, kind="stable")
    shown = stacked(rows, whole.assign(line=say("All lines"))) if len(order) > 1 else rows
    table = shown.assign(
        line=[words.capital(words.label(v, name)) for v in shown["line"]],
        gap=shown["expected"] - shown["budget"],
        counted=[
            say_many("{number} month", "{number} months", int(m), number=int(m)) if pd.notna(m) and m > 0 else ""
            for m in shown["months_actual"]
        ],
        trust=[say("tested") if t else say("not tested: further ahead than past forecasts could be checked") for t in shown["tested"]],
        risk=[words.chance(p) if pd.notna(p) and pd.notna(b) else "" for p, b in zip(shown["p_overspend"], shown["budget"], strict=True)],
    )
    names = {
        "line": "Budget line",
        "financial_year": "Year",
        **({"counted": "Already counted"} if any(table["counted"]) else {}),
        **({} if table["tested"].all() else {"trust": "The range is"}),
        "budget": "Budget",
        "expected": "Expected",
        "gap": "Expected less budget",
        "low": "Low",
        "high": "High",
        "risk": "Chance of overspend",
    }
    formats = dict.fromkeys(("budget", "expected", "gap", "low", "high"), "exact")
    parts: list[Table | Figure | Block] = []
    for line, one in rows.groupby("line", sort=False):
        if rows["line"].nunique() > 1:
            frame = one.assign(name=one["financial_year"], mean=one["expected"], mark=one["budget"])
            frame = frame[["name", "mean", "low", "high", "mark"]].reset_index(drop=True)
            title = say("{what}: expected spending by financial year", what=words.label(line, name))
            parts.append(bars.ranges(frame, title=title, of=say("Year"), money=True))
    parts.append(
        table_of(
            table,
            say("Budget and expected spending by line and financial year"),
            names=names,
            formats=formats,
            note=f"{say('Low to high: 4 years in 5.')} {say(NOT_A_SUM)}",
        )
    )
    parts += _unpriced(inputs)
    lead = say(
        "What each line is expected to cost, beside the budget that was set. The current year is what was counted so far and what is still "
        "to come."
    )
    return Section("budget", say("Budget"), tuple(parts), lead, mark=inputs.marked("cost", "price", "budget", "uplift", "item"))


def _unpriced(inputs: ReportInput) -> list[Block]:
    """Name the series without a price: they cost something, and nobody has said what."""
    if inputs.unpriced is None or inputs.unpriced.empty:
        return []
    table = inputs.unpriced
    if "reason" in table:
        table = table[table["reason"] == "no unit cost"]
    series = [words.label(u, inputs.spec.names) for u in table["unique_id"]]
    if not series:
        return []
    shown = "; ".join(series[:8]) + (say("; and {number} more", number=len(series) - 8) if len(series) > 8 else "")
    said = say("No unit cost was given for {number} series, and no pounds are counted for them: {shown}.", number=len(series), shown=shown)
    return [Block((said,), kind="warning")]


def step_rows(waterfall: pd.DataFrame, *, to: str, year: str | None, measure: str) -> pd.DataFrame:
    """Give the steps from no change to a scenario in one year and one measure: change, amount; the interaction last.

    Parameters
    ----------
    waterfall : pandas.DataFrame
    to : str
        The scenario.
    year : str or None
    measure : str

    Returns
    -------
    pandas.DataFrame
    """
    rows = waterfall[(waterfall["from"] == BASELINE) & (waterfall["to"] == to) & (waterfall["measure"] == measure)]
    if year is not None:
        rows = rows[rows["financial_year"].astype(str) == year]
    added = rows.groupby("change", sort=False)["amount"].sum().reset_index()
    last = added["change"] == INTERACTION
    return stacked(added[~last], added[last])


def money_measure(waterfall: pd.DataFrame) -> str | None:
    """Give the measure of the waterfall that is money, if there is one: net where anything comes in, as the budget is."""
    there = [str(m) for m in waterfall["measure"].unique()]
    return next((m for name in MONEY for m in there if m.lower() == name), None)


def scenarios_section(inputs: ReportInput, money: Money | None, line: Line | None) -> Section | None:
    """Set the scenarios side by side and show the steps from no change to each."""
    if not inputs.scenarios:
        return None
    parts: list[Table | Figure | Block] = [_questions(inputs)]
    if money is not None:
        parts.append(_side_by_side(inputs, money))
    parts += _differences(inputs)
    parts += list(_paths(inputs, line))
    parts += list(_waterfalls(inputs, money))
    if inputs.applied is not None and not inputs.applied.empty:
        parts += _applied(inputs, inputs.applied)
    lead = say(
        "Each scenario is laid over the same possible futures as ‘no change’, so a difference between two of them is the scenario and "
        "not chance."
    )
    return Section("scenarios", say("What if?"), tuple(parts), lead, mark=inputs.marked("scenario", "change", "cost", "price"))


def _questions(inputs: ReportInput) -> Block:
    said = [
        f"{words.capital(words.label(s, inputs.spec.names))}: {inputs.questions.get(s) or say('no question was written down.')}"
        for s in inputs.scenarios
    ]
    return Block(tuple(said), kind="list", heading=say("The questions"))


def _side_by_side(inputs: ReportInput, money: Money) -> Table:
    wide = money.totals.pivot_table(index="scenario", columns="financial_year", values="expected", sort=False)
    years = sorted(wide.columns)
    order = [s for s in (BASELINE, *inputs.scenarios) if s in wide.index]
    frame = wide.loc[order, years].reset_index()
    for year in years:
        frame[f"gap {year}"] = frame[year] - float(wide.loc[BASELINE, year])
    frame["scenario"] = [words.capital(words.label(s, inputs.spec.names)) for s in order]
    names = {"scenario": "Scenario"} | {y: y for y in years} | {f"gap {y}": say("Against no change, {year}", year=y) for y in years}
    return table_of(
        frame,
        say("Expected spending under each scenario, all lines together"),
        names=names,
        formats=dict.fromkeys([*years, *(f"gap {y}" for y in years)], "exact"),
    )


def _differences(inputs: ReportInput) -> list[Table]:
    """Say what each scenario does to the cost, with the range of the difference itself: both lie over the same possible futures."""
    table = inputs.waterfall
    if table is None or not {"difference_low", "difference_high"} <= set(table):
        return []
    rows = table[(table["measure"] == money_measure(table)) & (table["from"] == BASELINE)]
    rows = rows.drop_duplicates(["to", "financial_year"]).assign(gap=lambda t: t["to_total"] - t["from_total"])
    rows = rows[rows["gap"].abs() >= 0.5]
    if rows.empty:
        return []
    frame = rows.assign(name=[words.capital(words.label(s, inputs.spec.names)) for s in rows["to"]])
    names = {"name": "Scenario", "financial_year": "Year", "gap": "Against no change", "difference_low": "Low", "difference_high": "High"}
    note = say(
        "Low to high: 4 years in 5 the difference itself lies between them. It is surer than either cost: they share what is unknown."
    )
    formats = dict.fromkeys(("gap", "difference_low", "difference_high"), "exact")
    return [table_of(frame, say("What each scenario does to the cost, and how sure that is"), names=names, formats=formats, note=note)]


def _paths(inputs: ReportInput, line: Line | None) -> Iterator[Figure]:
    if line is None or inputs.demand is None:
        return
    table = scenario_demand(inputs, line)
    if table.empty or table["scenario"].nunique() < 2:
        return
    named = table.assign(
        name=[say("No change") if s == BASELINE else words.capital(words.label(s, inputs.spec.names)) for s in table["scenario"]]
    )
    yield figures.several(
        named,
        line.past.tail(3 * line.inputs.frequency.season_length),
        title=say("{what} under each scenario", what=line.title),
        write=line.write,
    )


def _waterfalls(inputs: ReportInput, money: Money | None) -> Iterator[Figure]:
    table = inputs.waterfall
    if table is None or table.empty or money is None:
        return
    measure = money_measure(table)
    if measure is None:
        return
    for scenario in inputs.scenarios:
        year = money.year_of_options([scenario])
        steps = step_rows(table, to=scenario, year=year, measure=measure).rename(columns={"change": "name"})
        steps = steps[steps["amount"].abs() >= 0.5]
        if len(steps) < 2:
            continue
        start, said = float(money.at(BASELINE, year)["expected"]), words.label(scenario, inputs.spec.names)
        steps["name"] = [
            words.capital(say(TOGETHER[str(n)]) if str(n) in TOGETHER else words.label(n, inputs.spec.names)) for n in steps["name"]
        ]
        title = say(
            "what ‘{name}’ does to the cost of {year}: from {before} to {after}",
            name=said,
            year=year,
            before=words.pounds(start),
            after=words.pounds(start + float(steps["amount"].sum())),
        )
        yield bars.steps(steps, title=title, start=start, money=True, total=say("All together"))


def _applied(inputs: ReportInput, applied: pd.DataFrame) -> Iterator[Table | Block]:
    """Say what each change did, old -> new, over the series that it touched; warnings first."""
    if inputs.warnings:
        yield Block(tuple(inputs.in_words(w) for w in inputs.warnings[:12]), kind="warning", stored=True)
    if not {"scenario", "change", "unique_id", "start", "old_mean", "new_mean"} <= set(applied):
        return
    gaps = (applied["new_mean"] - applied["old_mean"]).astype(float)
    counted = inputs.counted_in
    by = applied.assign(
        more=gaps.clip(lower=0), fewer=-gaps.clip(upper=0), unit=[counted.get(str(i), "") for i in applied["unique_id"]]
    ).groupby(["scenario", "change", "start", "unit"], sort=False, dropna=False)
    frame = by.agg(
        series=("unique_id", "nunique"), old=("old_mean", "sum"), new=("new_mean", "sum"), more=("more", "sum"), fewer=("fewer", "sum")
    ).reset_index()
    frame["said"] = [_does(more, fewer) for more, fewer in zip(frame["more"], frame["fewer"], strict=True)]
    for column in ("scenario", "change"):
        frame[column] = [words.capital(words.label(v, inputs.spec.names)) for v in frame[column]]
    frame["start"] = [words.day(d) if pd.notna(d) else say("the first period") for d in frame["start"]]
    names = {
        "scenario": "Scenario",
        "change": "Change",
        "start": "From",
        "series": "Series touched",
        "unit": "Counted in",
        "old": "Before",
        "new": "After",
        "said": "What it does",
    }
    note = say("Before and after: the expected number over all series touched, in an average period from then on.")
    yield table_of(
        frame, say("What each scenario changed"), names=names, formats=dict.fromkeys(("series", "old", "new"), "count"), note=note
    )


def _does(more: float, fewer: float) -> str:
    """Say what a change does to the numbers: how many move from one series to another, and how many more or fewer there are in all.

    Examples
    --------
    >>> _does(12.0, 12.0), _does(0.0, 30.2), _does(20.0, 12.0), _does(0.0, 0.0)
    ('12 move', '30 fewer', '12 move, 8 more', 'nothing')
    """
    moving, net = min(more, fewer), more - fewer
    said = [say("{number} move", number=words.about(moving))] if moving >= 0.05 else []
    if abs(net) >= 0.05:
        number = words.about(abs(net))
        said.append(say("{number} more", number=number) if net > 0 else say("{number} fewer", number=number))
    return ", ".join(said) or say("nothing")


def sensitivity_section(inputs: ReportInput, money: Money | None) -> Section | None:
    """Show how much each assumption moves the cost."""
    table = inputs.sensitivity
    if table is None or table.empty:
        return None
    years = sorted(table["financial_year"].astype(str).unique())
    year = money.year_of_options(inputs.scenarios) if money is not None else years[-1]
    one = table[table["financial_year"].astype(str) == year].assign(
        low=lambda t: t["low_pence"] / 100, high=lambda t: t["high_pence"] / 100
    )
    one["size"] = (one["high"] - one["low"]).abs()
    one = one.sort_values("size", ascending=False)
    one = one[one["size"] > 0].head(12)
    if one.empty:
        return None
    frame = pd.DataFrame(
        {
            "name": [words.capital(words.label(a, inputs.spec.names)) for a in one["assumption"]],
            "low": one["low"].to_numpy(),
            "high": one["high"].to_numpy(),
        }
    )
    row = None if money is None else money.at(BASELINE, year)
    if row is not None and (frame[["low", "high"]].to_numpy() > 0).all():
        frame[["low", "high"]] = frame[["low", "high"]] - float(row["expected"])
    picture = bars.bars(
        frame, title=say("how far each assumption alone moves the cost of {year}", year=year), of=say("Assumption"), money=True
    )
    lead = say(
        "Each assumption is set to its low and then to its high end, with all else as it was. The longest bars, at the top, deserve the "
        "first question."
    )
    return Section(
        "sensitivity",
        say("What moves the cost most"),
        (picture, *_one_step(inputs, one)),
        lead,
        mark=inputs.marked("cost", "price", "scenario", "change", "uplift", "item"),
    )


def _one_step(inputs: ReportInput, rows: pd.DataFrame) -> list[Table]:
    """Say what one step of each assumption does."""
    if "step_pence" not in rows or rows["step_pence"].isna().all():
        return []
    told = rows[rows["step_pence"].notna()]
    frame = told.assign(
        name=[words.capital(words.label(a, inputs.spec.names)) for a in told["assumption"]],
        said=[say("{number} more", number=say(s)) for s in told["step"]],
        pounds=told["step_pence"].astype(float) / 100,
    )
    names = {"name": "Assumption", "said": "One step", "pounds": "Does"}
    note = say("One less does about the opposite.")
    return [table_of(frame, say("What one step of each assumption does to the cost"), names=names, formats={"pounds": "exact"}, note=note)]


def risk_section(inputs: ReportInput) -> Section | None:
    """Show the chance of an overspend and what would cover it."""
    table = inputs.risk
    if table is None or table.empty:
        return None
    base = table[table["scenario"] == BASELINE].copy()
    if base.empty:
        return None
    for column in ("reserve_p80", "reserve_p95", "expected_overspend"):
        base[column] = base[f"{column}_pence"].astype(float) / 100
    base["line"] = [
        words.capital(say("all lines") if str(v).lower() == "total" else words.label(v, inputs.spec.names)) for v in base["line"]
    ]
    base["chance"] = [words.chance(p) for p in base["p_overspend"]]
    names = {
        "line": "Budget line",
        "financial_year": "Year",
        "chance": "Chance of an overspend",
        "reserve_p80": "Reserve that is enough 4 years in 5",
        "reserve_p95": "Reserve that is enough 19 years in 20",
        "expected_overspend": "Expected overspend",
    }
    formats = dict.fromkeys(("reserve_p80", "reserve_p95", "expected_overspend"), "exact")
    table_part = table_of(
        base,
        say("Risk and reserves if nothing is changed"),
        names=names,
        formats=formats,
        note=say("A reserve is what is needed on top of the budget. Reserves of lines do not add up to the reserve of all lines."),
    )
    frame = pd.DataFrame({"name": base["line"] + ", " + base["financial_year"].astype(str), "value": base["p_overspend"].astype(float)})
    likely = frame.dropna().head(14).reset_index(drop=True)
    pictures = risk_curve(inputs)
    if (likely["value"] >= LIKELY).any():
        title = say("the chance of an overspend")
        pictures.append(bars.bars(likely, title=title, of=say("Budget line and year"), money=False, share=True))
    return Section(
        "risk",
        say("Risk and reserves"),
        (*pictures, table_part, *risk_table(inputs)),
        say("How likely the budget is to be too small, and how much beside it would be enough."),
        mark=inputs.marked("cost", "price", "budget", "uplift", "item"),
    )
