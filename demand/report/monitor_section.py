"""Is the forecast of record still right? What was found and what to do about each, with control charts of what stands out.

In: the content of monitor.json and the chart of `demand.monitoring`. Out: a `Section` for a page of its own. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd

from demand.report import words
from demand.report.canvas import BLUE, GREY, ORANGE, drawn
from demand.report.parts import Block, Figure, Section, Table, table_of

__all__ = ["monitor_section"]

MOST = 6
"""Charts on the page: series that stand out first, then totals."""
TOTAL = "total: "
DO = {
    "nothing": "Nothing",
    "look": "Look at it: is the count right, and is there a reason that the forecast cannot know?",
    "refit": "Run the config on the new extract, and approve what comes of it",
}


def monitor_section(told: Mapping[str, Any], chart: pd.DataFrame, *, write: Callable[[object], str]) -> Section:
    """Lay out what was found.

    Parameters
    ----------
    told : mapping
        The content of monitor.json.
    chart : pandas.DataFrame
        `demand.monitoring.CHART`.
    write : callable
        Writes a period in words.

    Returns
    -------
    Section
    """
    record = told["record"]
    against = f"Held against “{record['name']}”, approved by the {record['by']}; {told['months']} periods since {told['since']}."
    first = (
        f"{DO[told['action']]}. {against}",
        f"{str(told['false_alarms']).capitalize()}.",
    )
    parts: list[Table | Figure | Block] = [Block(first, heading="What to do"), _found(told)]
    order = (
        [s["unique_id"] for s in told["signals"]] + [n for n in chart["unique_id"] if str(n).startswith(TOTAL)] + list(chart["unique_id"])
    )
    parts += [_chart(str(name), chart[chart["unique_id"] == name], write) for name in list(dict.fromkeys(order))[:MOST]]
    return Section(
        "monitor", "Is the forecast of record still right?", tuple(parts), "Counts since it was made, beside its own possible futures."
    )


def _found(told: Mapping[str, Any]) -> Table:
    """Everything that was looked at, and what to do about each."""
    coverage, rival, people = told["coverage"], told["challenger"], told["segments"]
    few = "refit" if coverage["verdict"] == "too few inside" else "nothing"
    rows = [(s["unique_id"], s["why"], s["action"]) for s in told["signals"]]
    if not rows:
        rows.append(("Series", "none stands out", "nothing"))
    rows.append(("Ranges", f"{coverage['inside']} of {coverage['of']} counts inside, 4 in 5 expected: {coverage['verdict']}", few))
    for one in told["drivers"]:
        said = f"came to {one['came']:,.6g}, {one['expected']:,.6g} expected"
        rows.append((f"Driver {one['name']}", said, one["action"]))
    rows.append(("Segments", people["reason"], people["action"]))
    rows.append(("Challenger", rival["why"], "refit" if rival["verdict"] == "replace" else "nothing"))
    frame = pd.DataFrame(rows, columns=["what", "found", "action"])
    frame = frame.assign(what=[words.capital(str(w)) for w in frame["what"]], found=[words.capital(str(f)) for f in frame["found"]])
    return table_of(frame, "What was looked at", names={"what": "What", "found": "Found", "action": "Do"}, formats={})


def _chart(name: str, rows: pd.DataFrame, write: Callable[[object], str]) -> Figure:
    """Draw residuals (X) above their changes (mR), each with its limit."""
    rows = rows.sort_values("ds").reset_index(drop=True)
    at, title = list(range(len(rows))), f"control chart of {words.label(name)}"

    def draw(canvas: Any) -> None:
        upper, lower = canvas.subplots(2, 1, sharex=True)
        for axes, column, limit, label in (
            (upper, "residual", "limit", "Residual"),
            (lower, "moving_range", "moving_range_limit", "Change"),
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
    note = "Residuals in standard deviations of the forecast. Limits are passed by chance one month in twenty by all series together."
    behind = table_of(shown, title, names=names, formats=formats, note=note)
    far = rows.loc[rows["residual"].abs() > rows["limit"], "ds"]
    said = f"outside its limits in {words.join(write(d) for d in far)}" if len(far) else "inside its limits throughout"
    return Figure(partial(drawn, draw), f"Control chart of {words.label(name)}: {said}.", behind, words.capital(title))


def _two(value: float) -> str:
    return f"{value:.2f}"
