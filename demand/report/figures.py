"""Pictures that say one thing each, with their words and the table behind them.

In: small tables of numbers. Out: `Figure`s (SVG text, alternative text, table). Axes of counts and pounds begin at nought, colours are
those of the Government Analysis Function's palette (safe for colour-blind readers), and nothing is told by colour alone. Refuses nothing.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from demand.languages import say, say_many
from demand.report.canvas import (
    BLUE,
    GREY,
    LINES,
    ORANGE,
    PALE,
    PALER,
    PINK,
    PURPLE,
    TURQUOISE,
    dates,
    drawn,
    label_ends,
    legend_below,
    number_axis,
)
from demand.report.parts import Figure, stacked, table_of
from demand.report.words import about, capital, count, join, percent

__all__ = ["Fan", "fan", "grid", "past", "several", "wrapped"]


@dataclass(frozen=True)
class Fan:
    """One line with its future: past (ds, y) and future (ds, mean, low, high and, where known, lower and upper)."""

    title: str
    past: pd.DataFrame
    future: pd.DataFrame


def _mark(axes: Any, events: pd.DataFrame, *, since: pd.Timestamp) -> None:
    """Shade the time of each event, or draw a line where it is one day, with its name."""
    for event in events.itertuples():
        first = pd.Timestamp(str(event.start))
        last = pd.Timestamp(str(event.end)) if pd.notna(event.end) else first
        if last < since:
            continue
        if last > first:
            axes.axvspan(max(first, since), last, color="#F3F2F1", zorder=0, lw=0)
        else:
            axes.axvline(first, color="#6F777B", lw=1, ls=":", zorder=0)
        name = textwrap.shorten(str(event.name), 34, placeholder="…")
        top = axes.get_xaxis_transform()
        text = axes.text(
            max(first, since), 0.98, f" {name}", transform=top, va="top", ha="right", fontsize=8.5, color="#505A5F", rotation=90
        )
        text.set_in_layout(False)
        text.set_bbox({"facecolor": "white", "alpha": 0.75, "pad": 0.6, "linewidth": 0})


def _one_fan(axes: Any, lines: Fan, events: pd.DataFrame | None, *, legend: bool) -> None:
    past, future = lines.past, lines.future
    if events is not None and len(past):
        _mark(axes, events, since=past["ds"].min())
    if {"lower", "upper"} <= set(future):
        axes.fill_between(future["ds"], future["lower"], future["upper"], color=PALER, lw=0, label=say("19 times in 20"))
    axes.fill_between(future["ds"], future["low"], future["high"], color=PALE, lw=0, label=say("4 times in 5"))
    axes.plot(past["ds"], past["y"], color=GREY, lw=1.6, label=say("Counted"))
    joined = stacked(past[["ds", "y"]].dropna().tail(1).rename(columns={"y": "mean"}), future[["ds", "mean"]])
    axes.plot(joined["ds"], joined["mean"], color=BLUE, lw=2, ls=(0, (4, 1.5)), label=say("Expected"))
    axes.set_ylim(bottom=0)
    number_axis(axes.yaxis, money=False)
    dates(axes)
    if legend:
        legend_below(axes.figure, columns=4)


def fan(lines: Fan, *, write: Callable[[object], str], events: pd.DataFrame | None = None) -> Figure:
    """Show what was counted and what is expected, with its ranges.

    Parameters
    ----------
    lines : Fan
    write : callable
        Writes the first day of a period as words.
    events : pandas.DataFrame, optional
        name, start, end: shaded.

    Returns
    -------
    Figure
    """

    def draw(canvas: Any) -> None:
        axes = canvas.subplots()
        _one_fan(axes, lines, events, legend=True)

    past, future = lines.past.dropna(subset=["y"]), lines.future
    last = future.iloc[-1]
    begin, heading = say("nothing yet"), capital(lines.title)
    if len(past):
        ends = [say("{number} in {when}", number=count(past["y"].iloc[at]), when=write(past["ds"].iloc[at])) for at in (0, -1)]
        begin = say("from {first} to {last}", first=ends[0], last=ends[1])
        if pd.Timestamp(past["ds"].iloc[-1]).month == pd.Timestamp(last["ds"]).month:  # else a season would be told as a change
            then = say("{number} in {when}", number=about(last["mean"]), when=write(last["ds"]))
            heading = say("{what}: {now}, and about {then} expected", what=heading, now=ends[1], then=then)
    alt = say(
        "Line chart of {what}. Counted: {begin}. Expected: about {number} in {when}, 4 times in 5 between {low} and {high}. "
        "The range widens with time.",
        what=lines.title,
        begin=begin,
        number=count(last["mean"]),
        when=write(last["ds"]),
        low=count(last["low"]),
        high=count(last["high"]),
    )
    table = stacked(lines.past.tail(12), future)
    table = table.assign(period=[write(d) for d in table["ds"]])
    names = {"period": "Period", "y": "Counted", "mean": "Expected", "low": "Low", "high": "High"}
    behind = table_of(
        table,
        say("{what}: the last periods counted, and what is expected", what=capital(lines.title)),
        names=names,
        formats=dict.fromkeys(("y", "mean", "low", "high"), "count"),
        note=say("Low to high: 4 times in 5 the truth is expected inside."),
    )
    return Figure(partial(drawn, draw), alt, behind, heading)


def grid(fans: Sequence[Fan], *, unit: str, write: Callable[[object], str]) -> Figure:
    """Show many lines side by side, each on its own axis.

    Parameters
    ----------
    fans : sequence of Fan
    unit : str
    write : callable

    Returns
    -------
    Figure
    """
    across = 3 if len(fans) > 2 else max(1, len(fans))
    down = -(-len(fans) // across)

    def draw(canvas: Any) -> None:
        cells = canvas.subplots(down, across, squeeze=False).ravel()
        for cell, lines in zip(cells, fans, strict=False):
            _one_fan(cell, lines, None, legend=False)
            cell.set_title(capital(lines.title), loc="left", fontsize=10)
            cell.tick_params(labelsize=8.5)
        for cell in cells[len(fans) :]:
            cell.set_axis_off()

    ends = pd.DataFrame(
        {
            "name": [capital(f.title) for f in fans],
            "now": [f.past["y"].dropna().iloc[-1] if f.past["y"].notna().any() else np.nan for f in fans],
            **{c: [f.future[c].iloc[-1] for f in fans] for c in ("mean", "low", "high")},
        }
    )
    when = write(fans[0].future["ds"].iloc[-1])
    said = join(
        say("{name} from {first} to about {last}", name=r.name, first=count(r.now), last=count(r.mean))
        for r in ends.set_index("name", drop=False).itertuples(index=False)
    )
    names = {"name": "Series", "now": "Last counted", "mean": say("Expected, {when}", when=when), "low": "Low", "high": "High"}
    behind = table_of(
        ends,
        f"{capital(unit)}, {when}",
        names=names,
        formats=dict.fromkeys(("now", "mean", "low", "high"), "count"),
        note=say("Low to high: 4 times in 5. Each small chart has its own scale."),
    )
    alt = say_many(
        "One small line chart of {what}, by {when}: {said}.",
        "{number} small line charts of {what}, by {when}: {said}.",
        len(fans),
        number=len(fans),
        what=unit,
        when=when,
        said=said,
    )
    return Figure(partial(drawn, draw, size=(10.5, 2.35 * down)), alt, behind, capital(unit))


def past(actual: pd.DataFrame, said_then: pd.DataFrame, *, title: str, write: Callable[[object], str]) -> Figure:
    """Show what was said at earlier dates beside what then happened.

    Parameters
    ----------
    actual : pandas.DataFrame
        ds, y.
    said_then : pandas.DataFrame
        cutoff, ds, y, mean: sums over series.
    title : str
    write : callable

    Returns
    -------
    Figure
    """
    cutoffs = sorted(said_then["cutoff"].unique())

    def draw(canvas: Any) -> None:
        axes = canvas.subplots()
        shown = actual[actual["ds"] >= pd.Timestamp(cutoffs[0]) - pd.DateOffset(years=1)]
        for i, cutoff in enumerate(cutoffs):
            one = said_then[said_then["cutoff"] == cutoff].sort_values("ds")
            axes.plot(
                one["ds"], one["mean"], color=ORANGE, lw=1.6, ls=(0, (4, 1.5)), label=say("What we would have said") if i == 0 else None
            )
            axes.plot(one["ds"].iloc[:1], one["mean"].iloc[:1], "o", color=ORANGE, ms=4)
        axes.plot(shown["ds"], shown["y"], color=GREY, lw=2, label=say("What happened"))
        axes.set_ylim(bottom=0)
        number_axis(axes.yaxis, money=False)
        dates(axes)
        legend_below(canvas)

    ends = said_then.sort_values("ds").groupby("cutoff").agg(ds=("ds", "last"), y=("y", "mean"), mean=("mean", "mean")).reset_index()
    ends["miss"] = ends["mean"] / ends["y"].where(ends["y"] > 0) - 1
    ends = ends.assign(when=[write(c) for c in ends["cutoff"]], until=[write(d) for d in ends["ds"]])
    parts = [say("standing in {when}: said {said}, was {was}", when=r.when, said=count(r.mean), was=count(r.y)) for r in ends.itertuples()]
    names = {
        "when": "Standing in",
        "until": "Looking ahead to",
        "mean": "Would have said (average)",
        "y": "Was (average)",
        "miss": "Out by",
    }
    formats: dict[str, str | Callable[[float], str]] = {"mean": "count", "y": "count", "miss": lambda v: percent(v, signed=True)}
    behind = table_of(ends, title, names=names, formats=formats)
    alt = say("Line chart of {what}: {said}.", what=title, said="; ".join(parts[-6:]))
    return Figure(partial(drawn, draw), alt, behind, capital(title))


def several(frame: pd.DataFrame, counted: pd.DataFrame, *, title: str, write: Callable[[object], str]) -> Figure:
    """Show the expected path under each of several scenarios.

    Parameters
    ----------
    frame : pandas.DataFrame
        name, ds, mean.
    counted : pandas.DataFrame
        ds, y: the last periods.
    title : str
    write : callable

    Returns
    -------
    Figure
    """
    names = list(dict.fromkeys(frame["name"]))
    looks = [
        (BLUE, "-"),
        (ORANGE, (0, (5, 1.5))),
        (TURQUOISE, (0, (1.5, 1.2))),
        (PINK, (0, (6, 1.5, 1.5, 1.5))),
        (PURPLE, "-"),
        (GREY, ":"),
    ]

    def draw(canvas: Any) -> None:
        axes = canvas.subplots()
        axes.plot(counted["ds"], counted["y"], color=GREY, lw=1.6, label=say("Counted"))
        ends: dict[str, tuple[float, str]] = {}
        for i, name in enumerate(names):
            one = frame[frame["name"] == name].sort_values("ds")
            colour, dash = looks[i % len(looks)]
            axes.plot(one["ds"], one["mean"], color=colour, ls=dash, lw=2.2, label=wrapped(str(name), 34))
            end = float(one["mean"].iloc[-1])
            ends[_end(str(name), count(end))] = (end, colour)
        axes.set_ylim(bottom=0)
        number_axis(axes.yaxis, money=False)
        dates(axes)
        label_ends(axes, ends)
        foot = legend_below(canvas, columns=2 if max(map(len, names)) > 16 else 3, long=True)
        lines = sum(label.count("\n") + 1 for label in ends)
        canvas.set_figheight(max(3.1, 0.17 * max(lines, LINES) + foot + 0.5))

    wide = frame.pivot_table(index="ds", columns="name", values="mean", sort=False).sort_index()
    last = wide.index[-1]
    said = join(f"{n} {count(wide.loc[last, n])}" for n in names)
    table = wide.assign(period=[write(d) for d in wide.index])
    behind = table_of(
        table,
        say("{what}: expected numbers", what=capital(title)),
        names={"period": "Period"} | {n: n for n in names},
        formats=dict.fromkeys(names, "count"),
    )
    alt = say("Line chart of {what}. In {when}: {said}.", what=title, when=write(last), said=said)
    return Figure(partial(drawn, draw), alt, behind, capital(title))


def _end(name: str, number: str) -> str:
    """Give what stands at the end of a line, its number included, in lines of at most 18 letters and a colon."""
    *before, last = wrapped(name, 18).split("\n")
    return "\n".join([*before, f"{last}: {number}"] if len(last) + len(number) <= 16 else [*before, f"{last}:", number])


def wrapped(text: str, width: int = 30) -> str:
    """Break a label into at most three lines."""
    found = textwrap.wrap(text, width)
    return "\n".join([*found[:2], f"{found[2][: width - 1]}…"] if len(found) > 3 else found) or text
