"""Counts whose level was joined over a step or a change of recording: as counted, and as the models learnt from them.

In: a `ReportInput` whose history has `y_joined`. Out: a `Section`, or nothing where nothing was joined. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from demand.languages import say
from demand.report import words
from demand.report.canvas import GREY, ORANGE, dates, drawn, legend_below, number_axis
from demand.report.inputs import ReportInput
from demand.report.parts import Figure, Section, Table, table_of
from demand.report.words import capital, count

__all__ = ["joined_section"]

MOST_SERIES = 40
"""How many series the table shows: those that changed most come first."""


def joined_section(inputs: ReportInput) -> Section | None:
    """Show raw and joined counts side by side."""
    history = inputs.history
    if history is None or "y_joined" not in history:
        return None
    moved = history.assign(ratio=history["y_joined"] / history["y"].where(history["y"] > 0))
    changed = moved.groupby("unique_id")["ratio"].transform(lambda r: (r.sub(1).abs() > 1e-9).any())
    moved = moved[changed]
    if moved.empty:
        return None
    told = say(
        "Before a step or a change of recording, counts were brought to the level after it, so that each series means one thing. "
        "Models learn from the joined counts; what was counted stays as it is, and totals of past years are sums of it."
    )
    parts: list[Table | Figure] = []
    if inputs.spec.audience == "council":  # exact counts, perhaps of one small series, are not for everybody
        family, names = inputs.frequency.family, inputs.spec.names
        parts = [*(_figure(of, words.label(unit, names), family) for unit, of in moved.groupby("unit")), _table(moved, inputs)]
    return Section("joined", say("Counts that were joined"), tuple(parts), f"{told} {_events(inputs)}".strip())


def _events(inputs: ReportInput) -> str:
    if inputs.events is None:
        return ""
    joined = inputs.events[inputs.events["kind"].isin(["step", "recording"])]
    said = [f"{e.name} ({words.month(e.start)})" for e in joined.itertuples()]
    return say("Declared: {events}.", events=words.join(said)) if said else ""


def _figure(moved: pd.DataFrame, unit: str, family: str) -> Figure:
    """Draw the sums of the series that were joined."""
    sums = moved.groupby("ds")[["y", "y_joined"]].sum(min_count=1).dropna().reset_index()
    title = say("{unit} as counted and as joined", unit=unit)

    def draw(canvas: Any) -> None:
        axes = canvas.subplots()
        axes.plot(sums["ds"], sums["y_joined"], color=ORANGE, lw=2, label=say("Joined: what models learn from"))
        axes.plot(sums["ds"], sums["y"], color=GREY, lw=1.6, ls=(0, (4, 1.5)), label=say("As counted"))
        axes.set_ylim(bottom=0)
        number_axis(axes.yaxis, money=False)
        dates(axes)
        legend_below(canvas)

    behind = table_of(
        sums.assign(when=[words.period(d, family) for d in sums["ds"]]),
        title,
        names={"when": "Period", "y": "As counted", "y_joined": "Joined"},
        formats={"y": "count", "y_joined": "count"},
    )
    first = sums.iloc[0]
    alt = say(
        "Line chart of {title}; number of series together: {number}. The first period was {raw} as counted and {joined} as joined.",
        title=title, number=moved["unique_id"].nunique(), raw=count(first["y"]), joined=count(first["y_joined"]),
    )  # fmt: skip
    return Figure(partial(drawn, draw), alt, behind, capital(title))


def _table(moved: pd.DataFrame, inputs: ReportInput) -> Table:
    """Give each series with the counts of its joined stretch, raw and joined."""
    before = moved[(moved["ratio"] - 1).abs() > 1e-9]
    rows = before.groupby("unique_id").agg(until=("ds", "max"), raw=("y", "mean"), joined=("y_joined", "mean")).reset_index()
    rows["ratio"] = rows["joined"] / rows["raw"]
    rows = rows.loc[np.log(rows["ratio"]).abs().sort_values(ascending=False, kind="stable").index].head(MOST_SERIES)
    rows["until"] = [words.period(d, inputs.frequency.family) for d in rows["until"]]
    rows["unique_id"] = [words.label(i, inputs.spec.names) for i in rows["unique_id"]]
    names = {
        "unique_id": "Series",
        "until": "Joined to the period of",
        "raw": "Average as counted",
        "joined": "Average as joined",
        "ratio": "Multiplied by",
    }
    formats: dict[str, str | Callable[[float], str]] = {"raw": "count", "joined": "count", "ratio": lambda v: f"{v:.2f}"}
    return table_of(rows, say("Each series before the change"), names=names, formats=formats)
