"""Is the forecast of record still right? What was found and what to do about each, with control charts of what stands out.

In: the content of monitor.json and the chart of `demand.monitoring`. Out: a `Section` for a page of its own. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd

from demand.languages import message, say, spoken
from demand.monitoring import contest_said, signal_said
from demand.report import words
from demand.report.canvas import BLUE, GREY, ORANGE, drawn
from demand.report.parts import Block, Figure, Section, Table, table_of

__all__ = ["ALARMS", "NOT_COMPARED", "SEGMENTS", "TITLE", "monitor_section"]

TITLE = message("Is the forecast of record still right?")
ALARMS = message("a month raises any alarm about series by chance 5 times in 100, all series and rules together")
NOT_COMPARED = message("not compared: run the config (or `demand update`) on the new extract first")
MOST = 6
"""Charts on the page: series that stand out first, then totals."""
TOTAL = "total: "
TOTALS = {"stock": message("total: stock of {what}"), "flow": message("total: flow of {what}")}
DO = {
    "nothing": message("Nothing"),
    "look": message("Look at it: is the count right, and is there a reason that the forecast cannot know?"),
    "refit": message("Run the config on the new extract, and approve what comes of it"),
}
ACTIONS = {"nothing": message("nothing"), "look": message("look"), "refit": message("refit")}
SEGMENTS = {
    "none": message("no segments to watch"),
    "keep": message("nothing has moved by more than chance, or by enough to matter"),
    "re-describe": message("people have changed, and the segments still fit them"),
    "refit": message("the segments do not fit the people of now any more"),
}
"""What the people of now are like beside those of the fit; the names of what moved are in the stored English sentence alone."""


def monitor_section(
    told: Mapping[str, Any], chart: pd.DataFrame, *, write: Callable[[object], str], names: Mapping[str, str] | None = None
) -> Section:
    """Lay out what was found, in the language that is spoken.

    Parameters
    ----------
    told : mapping
        The content of monitor.json.
    chart : pandas.DataFrame
        `demand.monitoring.CHART`.
    write : callable
        Writes a period in words.
    names : mapping, optional
        Words for the codes of the data.

    Returns
    -------
    Section
    """
    record, known = told["record"], names or {}
    against = say("Held against “{name}”, approved by the {by}; {months} periods since {since}.", name=record["name"], by=record["by"],
                  months=told["months"], since=write(pd.Timestamp(told["since"])))  # fmt: skip
    first = (say(DO[told["action"]]), against, f"{words.capital(say(str(told['false_alarms'])))}.")
    parts: list[Table | Figure | Block] = [Block(first, heading=say("What to do")), _found(told, known)]
    order = (
        [s["unique_id"] for s in told["signals"]] + [n for n in chart["unique_id"] if str(n).startswith(TOTAL)] + list(chart["unique_id"])
    )
    parts += [_chart(chart[chart["unique_id"] == n], write, _named(str(n), known)) for n in list(dict.fromkeys(order))[:MOST]]
    return Section("monitor", say(TITLE), tuple(parts), say("Counts since it was made, beside its own possible futures."))


def _named(name: str, names: Mapping[str, str]) -> str:
    """Name a series, or the total of a kind and a unit."""
    kind, _, unit = name.removeprefix(TOTAL).partition(" of ")
    if name.startswith(TOTAL) and kind in TOTALS:
        return say(TOTALS[kind], what=words.label(unit, names))
    return words.label(name, names)


def _found(told: Mapping[str, Any], names: Mapping[str, str]) -> Table:
    """Everything that was looked at, and what to do about each."""
    coverage, rival, people = told["coverage"], told["challenger"], told["segments"]
    few = "refit" if coverage["verdict"] == "too few inside" else "nothing"
    rows = [(_named(s["unique_id"], names), signal_said(s["rule"], s["value"]), s["action"]) for s in told["signals"]]
    if not rows:
        rows.append((say("Series"), say("none stands out"), "nothing"))
    inside = say("{inside} of {number} counts inside, 4 in 5 expected: {verdict}", inside=coverage["inside"], number=coverage["of"],
                 verdict=say(coverage["verdict"]))  # fmt: skip
    rows.append((say("Ranges"), inside, few))
    for one in told["drivers"]:
        said = say("came to {came}, {expected} expected", came=f"{one['came']:,.6g}", expected=f"{one['expected']:,.6g}")
        rows.append((say("Driver {name}", name=words.label(one["name"], names)), said, one["action"]))
    rows.append((say("Segments"), _people_said(people), people["action"]))
    contest = say(rival["why"]) if rival.get("better") is None else contest_said(rival["won"], rival["cutoffs"], rival["better"])
    rows.append((say("Challenger"), contest, "refit" if rival["verdict"] == "replace" else "nothing"))
    frame = pd.DataFrame([(words.capital(what), words.capital(found), say(ACTIONS[do])) for what, found, do in rows],
                         columns=["what", "found", "action"])  # fmt: skip
    return table_of(frame, say("What was looked at"), names={"what": "What", "found": "Found", "action": "Do"}, formats={})


def _people_said(people: Mapping[str, Any]) -> str:
    """Say what was found of the people: in full where it is stored in the language that is spoken."""
    return str(people["reason"]) if spoken() == "en" else say(SEGMENTS[people["advice"]])


def _chart(rows: pd.DataFrame, write: Callable[[object], str], called: str) -> Figure:
    """Draw residuals (X) above their changes (mR), each with its limit."""
    rows = rows.sort_values("ds").reset_index(drop=True)
    at, title = list(range(len(rows))), say("control chart of {what}", what=called)

    def draw(canvas: Any) -> None:
        upper, lower = canvas.subplots(2, 1, sharex=True)
        for axes, column, limit, label in (
            (upper, "residual", "limit", say("Residual")),
            (lower, "moving_range", "moving_range_limit", say("Change")),
        ):
            axes.plot(at, rows[column], color=BLUE, marker="o", lw=1.6)
            axes.plot(at, rows[limit], color=ORANGE, ls=(0, (4, 1.5)), lw=1.4)
            axes.set_ylabel(label)
        upper.plot(at, -rows["limit"], color=ORANGE, ls=(0, (4, 1.5)), lw=1.4)
        upper.axhline(0, color=GREY, lw=1)
        lower.set_xticks(at[:: max(len(at) // 6, 1)], [write(d) for d in rows["ds"][:: max(len(at) // 6, 1)]], fontsize=9)

    shown = rows.assign(when=[write(d) for d in rows["ds"]])
    names = {"when": "Period", "y": "Counted", "mean": "Forecast", "q0.1": "Low", "q0.9": "High", "residual": "Residual", "limit": "Limit",
             "moving_range": "Change", "moving_range_limit": "Limit of change"}  # fmt: skip
    formats: dict[str, str | Callable[[float], str]] = dict.fromkeys(("y", "mean", "q0.1", "q0.9"), "count")
    formats |= dict.fromkeys(("residual", "limit", "moving_range", "moving_range_limit"), _two)
    note = say("Residuals in standard deviations of the forecast. Limits are passed by chance one month in twenty by all series together.")
    behind = table_of(shown, title, names=names, formats=formats, note=note)
    far = [write(d) for d in rows.loc[rows["residual"].abs() > rows["limit"], "ds"]]
    said = say("outside its limits in {periods}", periods=words.join(far)) if far else say("inside its limits throughout")
    alt = say("Control chart of {what}: {said}.", what=called, said=said)
    return Figure(partial(drawn, draw), alt, behind, words.capital(title))


def _two(value: float) -> str:
    return f"{value:.2f}"
