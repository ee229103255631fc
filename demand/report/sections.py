"""The pages behind the first one, for those who ask more.

In: a `ReportInput`. Out: `Section`s of tables, pictures and words, in the order of the work. A section without its table is left out.
Refuses nothing.
"""

from __future__ import annotations

import re

import pandas as pd

from demand.languages import message, say, say_many
from demand.report import figures, words
from demand.report.about_sections import MODELS, method_section, quality_section, run_section
from demand.report.assumptions_section import assumptions_section
from demand.report.caseload_section import caseload_section
from demand.report.change_section import driver_order, hard_to_explain, since_last_forecast, since_last_year
from demand.report.comparators_section import comparators_section
from demand.report.facts import Line, Money, lines, none_counted, why_parts
from demand.report.inputs import ReportInput
from demand.report.joined_section import joined_section
from demand.report.money_sections import budget_section, risk_section, scenarios_section, sensitivity_section
from demand.report.moved_section import moved_part
from demand.report.panel import panel_section
from demand.report.parts import Block, Figure, Section, Table, table_of
from demand.report.people_sections import segments_section
from demand.report.plan_sections import agreement_section, bridge_section, levers_section, net_section, past_budgets_section, plan_section
from demand.report.price_tables import prices_section
from demand.report.reasons import dependence, over_time, spread
from demand.report.record import held_in_words, years_held
from demand.report.record_section import level_name, track_section
from demand.report.year_tables import allocation_section, outturn_section

__all__ = ["sections"]

MOST_SERIES = 12
"""How many small charts one picture can carry."""
MOST_NOTES = 25


def sections(inputs: ReportInput) -> list[Section]:
    """Give the sections of the page in order, without those that the run or the settings leave out.

    Parameters
    ----------
    inputs : ReportInput

    Returns
    -------
    list of Section
    """
    found, money = lines(inputs), Money.of(inputs.budget)
    line = found[0] if found else None
    known = money if money is not None and len(money.years()) else None
    made = [
        quality_section(inputs.quality, lines=False, forecast=0 if inputs.forecast is None else inputs.forecast["unique_id"].nunique()),
        joined_section(inputs),
        segments_section(inputs),
        forecast_section(inputs, found),
        caseload_section(inputs),
        track_section(inputs, found),
        why_section(inputs, found),
        scenarios_section(inputs, known, line),
        panel_section(inputs),
        levers_section(inputs),
        budget_section(inputs, money),
        prices_section(inputs),
        net_section(inputs),
        outturn_section(inputs),
        moved_part(inputs),
        agreement_section(inputs),
        bridge_section(inputs),
        plan_section(inputs),
        past_budgets_section(inputs),
        allocation_section(inputs),
        sensitivity_section(inputs, known),
        risk_section(inputs),
        comparators_section(inputs),
        assumptions_section(inputs),
        method_section(inputs),
        run_section(inputs),
    ]
    return [s for s in made if s is not None and s.id not in inputs.spec.hide]


def forecast_section(inputs: ReportInput, found: list[Line]) -> Section | None:
    """Show the forecast of every thing counted, split by each key."""
    if inputs.totals is None or not found:
        return None
    parts: list[Table | Figure | Block] = [
        figures.fan(figures.Fan(line.title, line.past, line.future), write=line.write, events=line.events)
        for line in found[1:5]
        if len(line.future)
    ]
    for line in found:
        for key in inputs.keys:
            picture = _by_key(inputs, line, key)
            if picture is not None:
                parts.append(picture)
    parts += [_years_table(inputs, inputs.totals)]
    parts += _not_forecast(inputs)
    return Section(
        "forecast",
        say("The forecast in parts"),
        tuple(parts),
        say("The same forecast, split by each key of the data. Parts add up to totals in every possible future."),
    )


def _not_forecast(inputs: ReportInput) -> list[Table]:
    """List the series that ended; declared totals are not missing, their parts are forecast."""
    table = inputs.not_forecast
    if table is None or table.empty:
        return []
    ended = table[~table["reason"].astype(str).str.startswith("declared as a total")]
    if ended.empty:
        return []
    ended = ended.assign(reason=[_reason(str(r)) for r in ended["reason"]])
    frame = ended.head(60).assign(unique_id=[words.label(u, inputs.spec.names) for u in ended["unique_id"].head(60)])
    frame["last"] = [words.period(d, inputs.frequency.family) if pd.notna(d) else "" for d in frame["last"]]
    caption = say("{number} series not forecast", number=len(ended))
    return [table_of(frame, caption, names={"unique_id": "Series", "last": "Last counted", "reason": "Why"}, formats={})]


def _reason(stored: str) -> str:
    """Say why a series was not forecast: that it ended is told in every language, all else as it was stored."""
    found = re.fullmatch(r"ended: no count in the last (\d+) periods", stored)
    return stored if found is None else say("ended: no count in the last {number} periods", number=found[1])


def _by_key(inputs: ReportInput, line: Line, key: str) -> Figure | None:
    totals = inputs.totals
    if totals is None or key in line.where or key not in totals:
        return None
    others = [k for k in inputs.keys if k in totals and k != key and k not in line.where]
    rows = totals[(totals["kind"] == line.kind) & (totals["unit"] == line.unit) & totals[key].notna() & (totals["level"] != "series")]
    rows = rows[rows[others].isna().all(axis=1)] if others else rows
    for name, value in line.where.items():
        rows = rows[rows[name].astype(str) == value]
    sizes = rows.groupby(key)["mean"].mean()
    values = sizes.index if key == "segment" else sizes.sort_values(ascending=False).index
    if len(values) < 2:
        return None
    fans = []
    for value in values[:MOST_SERIES]:
        part = Line(inputs, line.kind, line.unit, {**line.where, key: str(value)}, rows[rows[key] == value])
        if len(part.future):
            name = (say("Segment ") if key == "segment" else "") + words.label(value, inputs.spec.names)
            fans.append(figures.Fan(name, part.past, part.future))
    return (
        figures.grid(fans, unit=say("{what} by {key}", what=line.title, key=words.label(key, inputs.spec.names)), write=line.write)
        if fans
        else None
    )


def _years_table(inputs: ReportInput, totals: pd.DataFrame) -> Table:
    rows = totals[totals["financial_year"].notna()].copy()
    if len(rows) > 400:
        rows = rows[rows["level"] != "series"].head(400)
    rows["held"] = [held_in_words(h) for h in years_held(inputs, rows)]
    rows["what"] = [level_name(inputs, v) for v in rows["level"]]
    for key in inputs.keys:
        if key in rows:
            rows[key] = ["" if pd.isna(v) else words.label(v, inputs.spec.names) for v in rows[key]]
    rows["unit"] = [
        f"{words.label(u, inputs.spec.names)}, {say('in the year') if k == 'flow' else say('on average')}"
        for u, k in zip(rows["unit"], rows["kind"], strict=True)
    ]
    rows["counted"] = [
        say_many("{number} month", "{number} months", int(m), number=int(m)) if pd.notna(m) and m > 0 else "" for m in rows["months_actual"]
    ]
    names = (
        {"what": "Level"}
        | {k: words.capital(words.label(k, inputs.spec.names)) for k in inputs.keys}
        | {"unit": "Counted in", "financial_year": "Year", "counted": "Already counted", "mean": "Expected", "q0.1": "Low", "q0.9": "High"}
        | ({"held": "Such a range held"} if (rows["held"] != "").any() else {})
    )
    return table_of(
        rows,
        say("Expected numbers by financial year"),
        names=names,
        formats=dict.fromkeys(("mean", "q0.1", "q0.9"), "count"),
        note=say(
            "Low to high: 4 years in 5. The range of a total is not the sum of the ranges of its parts. Such a range held: "
            "at earlier dates, for a year as far ahead, so often of so many times."
        ),
    )


def why_section(inputs: ReportInput, found: list[Line]) -> Section | None:
    """Show what the forecast is made of, by year and by driver."""
    if inputs.explanation is None or inputs.explanation.empty or not found:
        return None
    parts: list[Table | Figure | Block] = []
    for line in found[:3]:
        picture = since_last_year(inputs, line)
        if picture is not None:
            parts.append(picture)
    parts += since_last_forecast(inputs)
    for line in found[:3]:
        made = _made_of(inputs, line)
        if made is not None:
            parts += [made, *hard_to_explain(inputs, line)]
    parts += [p for p in (over_time(inputs, found[0]), spread(inputs, found[0])) if p is not None]
    if inputs.effects is not None and not inputs.effects.empty:
        shown = dependence(inputs)
        parts += [*([shown] if shown is not None else []), _effects(inputs.effects, inputs), *(driver_order(inputs) or ())]
    if inputs.events is not None and not inputs.events.empty:
        frame = inputs.events.assign(
            start=[words.month(d) for d in inputs.events["start"]],
            end=[words.month(d) if pd.notna(d) else "" for d in inputs.events["end"]],
        )
        kinds = {
            "shock": message("Set aside: it is not taken for the normal level"),
            "step": message("The level before is joined to the level after"),
            "recording": message("The way of recording changed: the level before is joined to the level after"),
            "holiday": message("Known dates"),
            "known": message("Known beforehand"),
        }
        frame["kind"] = [say(kinds.get(str(k), str(k))) for k in frame["kind"]]
        parts.append(
            table_of(
                frame,
                say("Events in the past, and what was done about them"),
                names={"name": "Event", "start": "From", "end": "To", "kind": "What was done"},
                formats={},
            )
        )
    if inputs.notes:
        parts.append(Block(_grouped(inputs), kind="list", heading=say("What the models had to say"), stored=True))
    lead = say(
        "What goes together is not always cause and effect. These are the parts that add up to the expected figure, each as its model "
        "sees it."
    )
    return Section("why", say("Why the forecast is what it is"), tuple(parts), lead)


def _grouped(inputs: ReportInput) -> tuple[str, ...]:
    """Say a note of many series once, with their number."""
    ids = set() if inputs.forecast is None else set(inputs.forecast["unique_id"].astype(str))
    found: dict[str, list[str]] = {}
    for note in inputs.notes:
        head, mark, rest = note.partition(": ")
        if mark and set(head.split(", ")) <= set(MODELS):
            note = f"{words.join(say(MODELS[m]) for m in head.split(', '))}: {rest}"
        found.setdefault(inputs.in_words(rest if mark and head in ids else note), []).append(
            words.label(head, inputs.spec.names) if head in ids else ""
        )
    said = []
    for text, several in found.items():
        names = list(dict.fromkeys(several))
        who = f" ({words.join(names)})" if any(names) and len(names) <= 3 else f" ({len(names)} series)" if any(names) else ""
        said.append(f"{words.capital(text.rstrip('.'))}{who}.")
    return tuple(said[:MOST_NOTES]) + ((f"And {len(said) - MOST_NOTES} notes more, in notes.parquet.",) if len(said) > MOST_NOTES else ())


def _made_of(inputs: ReportInput, line: Line) -> Table | None:
    years = [str(y) for y in line.years.loc[none_counted(line.years), "financial_year"]]
    columns = {}
    for year in years:
        parts = why_parts(inputs, line, year)
        columns[year] = (
            parts.assign(name=[words.capital(words.feature(f, inputs.spec.names)) for f in parts["feature"]])
            .groupby("name")["amount"]
            .sum()
        )
    if not columns:
        return None
    frame = pd.DataFrame(columns)
    frame = frame.reindex(frame.iloc[:, 0].abs().sort_values(ascending=False).index)
    frame.loc[say("Expected")] = frame.sum()
    return table_of(
        frame.reset_index(names="name"),
        say("{what}: the parts of the expected figure", what=words.capital(line.title)),
        names={"name": "Part"} | {y: y for y in years},
        formats=dict.fromkeys(years, lambda v: f"{v:,.1f}".replace("-0.0", "0.0") if abs(v) < 0.05 else f"{v:,.1f}"),
        note=say("The parts add up to the last row."),
    )


def _effects(effects: pd.DataFrame, inputs: ReportInput) -> Table:
    grouped = effects.groupby(["driver", "source"], sort=True, dropna=False)
    frame = grouped.agg(
        middle=("elasticity", "mean"),
        low=("elasticity", lambda v: v.quantile(0.1)),
        high=("elasticity", lambda v: v.quantile(0.9)),
        seen_low=("observed_low", "min"),
        seen_high=("observed_high", "max"),
    ).reset_index()
    frame["driver"] = [words.capital(words.label(d, inputs.spec.names)) for d in frame["driver"]]
    for column in ("middle", "low", "high"):
        frame[column] = frame[column] / 100
    names = {
        "driver": "Driver",
        "middle": "When it is 1% higher, numbers are",
        "low": "Low",
        "high": "High",
        "seen_low": "Seen from",
        "seen_high": "Seen to",
        "source": "Where from",
    }
    return table_of(
        frame,
        say("What goes with each driver, over all series"),
        names=names,
        formats={
            "middle": _hundredth,
            "low": _hundredth,
            "high": _hundredth,
            "seen_low": _plain,
            "seen_high": _plain,
        },
        note=say("Low to high: 4 times in 5. Outside the values seen in the past there is no evidence."),
        stored=["source"],
    )


def _plain(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4g}"


def _hundredth(value: float) -> str:
    return f"{value * 100:+.2f}%"
