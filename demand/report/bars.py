"""Pictures made of bars and dots: years and their ranges, what adds and what takes away, steps, portraits.

In: small tables of numbers. Out: `Figure`s (SVG text, alternative text, table). Bars begin at nought, and nothing is told by colour alone.
Refuses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from demand.languages import message, say
from demand.report.canvas import BLUE, GREY, ORANGE, PINK, TURQUOISE, drawn, legend_below, number_axis, percent_axis
from demand.report.figures import wrapped
from demand.report.parts import Figure, table_of
from demand.report.words import about, capital, count, join, percent, pounds, pounds_short

__all__ = ["bars", "changes", "ranges", "steps"]

BUDGET = message("Budget")


def ranges(frame: pd.DataFrame, *, title: str, of: str, money: bool, mark: str = BUDGET, note: str = "") -> Figure:
    """Show expected values with their ranges beside what was set or counted.

    Parameters
    ----------
    frame : pandas.DataFrame
        name, mean, low, high (NaN where the value is known) and, where there is one, `mark`: a budget.
    title : str
    of : str
        What the rows are: financial year, scenario.
    money : bool
    mark : str
        What `mark` is.
    note : str

    Returns
    -------
    Figure
    """
    mark, (write, short) = say(mark), (pounds, pounds_short) if money else (count, _people_short)
    known = frame["low"].isna() | frame["high"].isna()

    def draw(canvas: Any) -> None:
        axes, at = canvas.subplots(), np.arange(len(frame))
        axes.bar(at, frame["mean"], width=0.68, color=[GREY if k else BLUE for k in known], zorder=2)
        some = frame[~known]
        axes.errorbar(
            at[~known],
            some["mean"],
            yerr=np.array([some["mean"] - some["low"], some["high"] - some["mean"]]),
            fmt="none",
            ecolor=ORANGE,
            elinewidth=3,
            capsize=7,
            capthick=3,
            zorder=3,
            label=say("4 years in 5"),
        )
        if "mark" in frame and frame["mark"].notna().any():
            axes.hlines(frame["mark"], at - 0.4, at + 0.4, color=PINK, lw=3, zorder=4, label=mark)
        tops = frame[["mean", "high"]].max(axis=1)
        set_at = frame.get("mark", tops).astype(float)
        most = float(np.nanmax([tops, set_at]))
        near = set_at.between(tops, tops + 0.1 * most)  # a number between the bar and what was set would lie on it
        places = set_at.where(near, tops)
        _on_bars(axes, list(zip(frame["mean"], places, [GREY if k else BLUE for k in known], strict=True)), short, most=most)
        axes.set_xticks(at, [wrapped(str(n), 12) for n in frame["name"]])
        axes.set_ylim(0, most * 1.14 if most > 0 else 1)
        axes.set_xlim(-0.6, max(len(frame) - 0.4, 2.4))
        number_axis(axes.yaxis, money)
        legend_below(canvas)

    said = join(
        f"{r.name} {write(r.mean)}"
        + ("" if pd.isna(r.low) else say(" (4 years in 5 between {low} and {high})", low=write(r.low), high=write(r.high)))
        + (f", {mark.lower()} {write(r.mark)}" if "mark" in frame and pd.notna(r.mark) else "")
        for r in frame.rename(columns={"name": "label"}).assign(name=frame["name"]).itertuples(index=False)
    )
    names = {"name": capital(of), "mean": "Expected", "low": "Low", "high": "High", "mark": mark}
    how = "exact" if money else "count"
    behind = table_of(
        frame,
        title,
        names=names,
        formats=dict.fromkeys(("mean", "low", "high", "mark"), how),
        note=note or say("Low to high: 4 years in 5. A row without them was counted."),
    )
    return Figure(partial(drawn, draw), say("Bar chart of {what}: {said}.", what=title, said=said), behind, capital(title))


def _on_bars(axes: Any, rows: list[tuple[float, float, str]], short: Callable[[float], str], *, most: float) -> None:
    """Write each bar's number at its foot, where it cannot be read as the budget's; a bar too low for it carries it on its range."""
    for x, (value, top, colour) in enumerate(rows):
        low = value < 0.15 * most or most <= 0
        axes.annotate(
            short(value),
            (x, top if low else 0),
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            fontsize=10 if len(rows) < 5 else 8.5,
            fontweight="bold",
            color=colour if low else "white",
            bbox=None if low else {"facecolor": colour, "linewidth": 0, "pad": 0.8},
            zorder=5,
        )


def bars(frame: pd.DataFrame, *, title: str, of: str, money: bool, share: bool = False, level: bool = False) -> Figure:
    """Show what adds and what takes away, as bars to the right and to the left.

    Parameters
    ----------
    frame : pandas.DataFrame
        name and value, or name, low and high: bars from low to high around nought.
    title, of : str
    money, share : bool
        A share is a chance.
    level : bool
        Whether values say how much there is, and not how much it changes: such numbers have no plus sign.

    Returns
    -------
    Figure
    """
    short = pounds_short if money else (_chance if share else count)
    two = {"low", "high"} <= set(frame)
    rows = frame.iloc[::-1].reset_index(drop=True)

    def signed(value: float) -> str:
        return short(value) if share or level else _signed(value, short)

    def draw(canvas: Any) -> None:
        axes, at = canvas.subplots(), np.arange(len(rows))
        for column, colour, hatch in (("low", TURQUOISE, None), ("high", BLUE, None)) if two else (("value", None, None),):
            values, end = rows[column], {"low": say("At its low end"), "high": say("At its high end")}.get(column)
            colours = colour or [BLUE if v >= 0 else TURQUOISE for v in values]
            axes.barh(at, values, color=colours, height=0.6, hatch=hatch, zorder=2, label=end)
            for y, v in zip(at, values, strict=True):
                side = 1 if v >= 0 else -1
                axes.annotate(
                    signed(v),
                    (v, y),
                    xytext=(5 * side, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize=9.5,
                    ha="left" if side > 0 else "right",
                )
        _bare(axes, at, list(rows["name"]), ends=rows[["low", "high"] if two else ["value"]].to_numpy(dtype=float))
        legend_below(canvas)

    columns = ("low", "high") if two else ("value",)
    said = join(
        f"{n} " + (say("{low} to {high}", low=signed(float(row[0])), high=signed(float(row[1]))) if two else signed(float(row[0])))
        for n, row in zip(frame["name"], frame[list(columns)].itertuples(index=False), strict=True)
    )
    how = "exact" if money else ("percent" if share else "count")
    names = {"name": capital(of), "value": "Effect", "low": "At its low end", "high": "At its high end"}
    behind = table_of(frame, title, names=names, formats=dict.fromkeys(columns, how))
    alt = say("Bar chart of {what}: {said}.", what=title, said=said)
    return Figure(partial(drawn, draw, size=(5.8, max(1.5, 0.4 * len(rows) + 0.8))), alt, behind, capital(title))


def _people_short(value: float) -> str:
    """Write a number of people as it fits into a bar."""
    return about(value).replace(f" {say('million')}", "m")


def _signed(value: float, write: Callable[[float], str]) -> str:
    """Write what adds with a plus, unless it is told as nought."""
    said = write(value)
    return f"+{said}" if value > 0 and re.search("[1-9]", said) else said


def _chance(value: float) -> str:
    """Write a chance that possible futures cannot tell from nought, or from certainty, as no more than they can."""
    return "<5%" if value < 0.05 else ">95%" if value > 0.95 else percent(value)


def steps(frame: pd.DataFrame, *, title: str, start: float, money: bool, total: str) -> Figure:
    """Show how one figure becomes another, step by step, as differences from where it starts.

    Parameters
    ----------
    frame : pandas.DataFrame
        name, amount: the steps in order.
    title : str
    start : float
        The figure before the first step.
    money : bool
    total : str
        What all steps together are called.

    Returns
    -------
    Figure
    """
    write, short = (pounds, pounds_short) if money else (count, count)
    amounts = frame["amount"].to_numpy(dtype=float)
    ends = np.cumsum(amounts)
    names, values = [*map(str, frame["name"]), total], [*amounts, float(ends[-1])]
    begins = np.array([0.0, *ends[:-1], 0.0])

    def draw(canvas: Any) -> None:
        axes, at = canvas.subplots(), np.arange(len(names))[::-1]
        colours = [*[BLUE if a >= 0 else TURQUOISE for a in amounts], GREY]
        axes.barh(at, values, left=begins, color=colours, height=0.6, zorder=2)
        for y, end in zip(at[:-1], ends, strict=True):
            axes.plot([end, end], [y - 0.3, y - 0.7], color="#505A5F", lw=1)
        narrow = min(*ends, 0.0) == 0.0  # nothing lies left of nought but names, on which a number would lie
        for y, begin, value in zip(at, begins, values, strict=True):
            side = 1 if value >= 0 or narrow else -1
            axes.annotate(
                _signed(value, short),
                (max(begin, begin + value) if side > 0 else begin + value, y),
                xytext=(5 * side, 0),
                textcoords="offset points",
                va="center",
                fontsize=9.5,
                ha="left" if side > 0 else "right",
                fontweight="bold" if y == 0 else "normal",
            )
        _bare(axes, at, names, ends=np.array([*begins, *(begins + values)]))

    lines = [f"{n} {_signed(v, write)}" for n, v in zip(names, values, strict=True)]
    alt = say(
        "Step chart of {what}. From {start}: {steps}. {total}, to {end}.",
        what=title,
        start=write(start),
        steps=say("; then ").join(lines[:-1]),
        total=lines[-1],
        end=write(start + float(ends[-1])),
    )
    table = pd.DataFrame({"name": [say("Before"), *names[:-1], say("After")], "amount": [start, *amounts, start + float(ends[-1])]})
    how = "exact" if money else (lambda v: f"{v:,.1f}")
    behind = table_of(
        table,
        title,
        names={"name": "Step", "amount": say("Pounds") if money else say("Number")},
        formats={"amount": how},
        note=say("The first row and the steps add up to the last row."),
    )
    return Figure(partial(drawn, draw, size=(5.8, max(1.6, 0.42 * len(names) + 0.6))), alt, behind, capital(title))


def _bare(axes: Any, at: np.ndarray, names: list[str], *, ends: np.ndarray) -> None:
    """Leave nought and the names: the numbers stand beside the bars."""
    axes.axvline(0, color="#0B0C0C", lw=1)
    axes.set_yticks(at, [wrapped(str(n)) for n in names])
    axes.grid(False)
    axes.xaxis.set_visible(False)
    for edge in ("bottom", "left"):
        axes.spines[edge].set_visible(False)
    axes.tick_params(axis="y", length=0)
    least, most = min(float(ends.min()), 0.0), max(float(ends.max()), 0.0)
    room = 0.45 * ((most - least) or 1.0)
    # Where all amounts are nought the axis still needs a length.
    axes.set_xlim(least - (room if least < 0 else 0), most + (room if most > 0 or least == 0 else 0))


def changes(frame: pd.DataFrame, *, title: str, of: str) -> Figure:
    """Show how a group differs from everybody: 100 is the same as all.

    Parameters
    ----------
    frame : pandas.DataFrame
        name, share, average, index.
    title, of : str

    Returns
    -------
    Figure
    """
    rows = frame.iloc[::-1].reset_index(drop=True)

    def draw(canvas: Any) -> None:
        axes, at = canvas.subplots(), np.arange(len(rows))
        axes.hlines(at, rows["average"], rows["share"], color="#6F777B", lw=2, zorder=2)
        axes.scatter(
            rows["average"], at, s=46, facecolors="white", edgecolors=GREY, linewidths=1.6, zorder=3, label=say("Everybody"), clip_on=False
        )
        axes.scatter(rows["share"], at, s=60, color=BLUE, zorder=4, label=say("This segment"), clip_on=False)
        axes.set_yticks(at, [wrapped(str(n), 34) for n in rows["name"]])
        percent_axis(axes.xaxis)
        axes.set_xlim(0, min(1.0, max(0.1, float(rows[["share", "average"]].max().max()) * 1.1)))
        axes.grid(axis="x")
        legend_below(canvas)

    said = join(
        say("{name} {share} against {other} of everybody", name=n, share=percent(s), other=percent(a))
        for n, s, a in zip(frame["name"], frame["share"], frame["average"], strict=True)
    )
    names = {"name": capital(of), "share": "This segment", "average": "Everybody", "index": "Index (100 = everybody)"}
    behind = table_of(frame, title, names=names, formats={"share": "percent", "average": "percent", "index": "count"})
    alt = say("Dot chart of {what}: {said}.", what=title, said=said)
    return Figure(partial(drawn, draw, size=(5.8, max(1.7, 0.36 * len(rows) + 0.9))), alt, behind, capital(title))
