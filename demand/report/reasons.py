"""Pictures of reasons: how parts are spread over series, what goes with each driver and where there was evidence, and parts over time.

In: a `ReportInput`. Out: `Figure`s of sums and series; a dot is a series, which may be of few. Without an explanation there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from demand.calendar import FinancialYear
from demand.languages import say
from demand.report import words
from demand.report.canvas import BLUE, GREY, ORANGE, PALE, PINK, TURQUOISE, dates, drawn, legend_below, percent_axis
from demand.report.facts import Line
from demand.report.figures import wrapped
from demand.report.inputs import ReportInput
from demand.report.parts import Figure, table_of

__all__ = ["dependence", "over_time", "spread"]

MOST_FEATURES, MOST_DOTS, MOST_DRIVERS = 7, 150, 6
LOOKS = [(BLUE, "-"), (ORANGE, (0, (5, 1.5))), (TURQUOISE, (0, (1.5, 1.2))), (PINK, (0, (6, 1.5, 1.5, 1.5))), (GREY, ":")]


def _parts(inputs: ReportInput, line: Line) -> pd.DataFrame:
    """Give what the line's forecast is made of: unique_id, ds, name, contribution."""
    table = inputs.explanation
    if table is None or table.empty:
        return pd.DataFrame(columns=["unique_id", "ds", "name", "contribution"])
    mine = table[table["unique_id"].isin(line.members["unique_id"].unique())]
    named = {f: words.capital(words.feature(f, inputs.spec.names)) for f in mine["feature"].unique()}
    return mine.assign(name=mine["feature"].map(named)).groupby(["unique_id", "ds", "name"], as_index=False)["contribution"].sum()


def spread(inputs: ReportInput, line: Line) -> Figure | None:
    """Show how each part differs from series to series in the first twelve months, a dot a series.

    The level is left out: it is the size of a series. Where there are too many series, those of one place and type are added up. The public
    is told of sums only: a series may be of few.
    """
    if inputs.spec.audience != "council":
        return None
    parts = _parts(inputs, line)
    first = sorted(parts["ds"].unique())[: round(inputs.frequency.per_year)]
    parts = parts[parts["ds"].isin(first) & (parts["name"] != words.capital(say("recent level")))]
    whole = [k for k in inputs.keys if k != "segment"]
    if inputs.history is not None and parts["unique_id"].nunique() > MOST_DOTS and whole:
        about = inputs.history.drop_duplicates("unique_id").set_index("unique_id")[whole].astype(str).agg("/".join, axis=1)
        parts = parts.assign(unique_id=parts["unique_id"].map(about))
    # A part that a series lacks adds nothing to it.
    wide = parts.groupby(["unique_id", "name"])["contribution"].sum().unstack("name").fillna(0.0) / max(len(first), 1)
    if len(wide) < 3 or wide.shape[1] < 2 or len(wide) > MOST_DOTS:
        return None
    order = wide.abs().sum().sort_values(ascending=False).head(MOST_FEATURES).index
    wide = wide[order]

    def draw(canvas: Any) -> None:
        axes = canvas.subplots()
        for place, name in enumerate(order[::-1]):
            values = np.sort(wide[name].to_numpy())
            axes.scatter(values, place + _apart(values, float(np.ptp(wide.to_numpy()))), s=16, color=BLUE, alpha=0.75, linewidths=0)
        axes.axvline(0, color="#0B0C0C", lw=1)
        axes.set_yticks(range(len(order)), [wrapped(str(n), 26) for n in order[::-1]])
        axes.set_ylim(-0.6, len(order) - 0.4)
        axes.grid(axis="x")
        axes.set_xlabel(say("{what} a period, more or fewer", what=words.label(line.unit, inputs.spec.names)), fontsize=9.5)

    frame = pd.DataFrame({"name": order, "low": wide.min(), "middle": wide.median(), "high": wide.max(), "up": (wide > 0).sum()})
    said = words.join(
        say("{name} from {low} to {high}", name=n, low=words.about(wide[n].min()), high=words.about(wide[n].max())) for n in order
    )
    title = say("{what}: how the parts differ from series to series", what=line.title)
    names = {"name": "Part", "low": "Least", "middle": "Half have less", "high": "Most", "up": "Series in which it adds"}
    formats: dict[str, str | Callable[[float], str]] = {**dict.fromkeys(("low", "middle", "high"), words.about), "up": "count"}
    note = say(
        "Of {number} series, on average over the first twelve months. A dot is a series, which may be of few people: not for publication.",
        number=len(wide),
    )
    behind = table_of(frame, say("{what}, first twelve months", what=words.capital(title)), names=names, formats=formats, note=note)
    alt = say("Dot chart of {what}, a dot a series: {said}.", what=title, said=said)
    return Figure(partial(drawn, draw, size=(5.8, 0.42 * len(order) + 0.9)), alt, behind, words.capital(title))


def _apart(values: np.ndarray, span: float) -> np.ndarray:
    """Move dots that would hide each other up and down, nearest first; `values` are in order."""
    taken: dict[int, int] = {}
    found = []
    for value in values:
        place = round(value / (span / 60 if span > 0 else 1.0))
        count = taken[place] = taken.get(place, 0) + 1
        found.append((1 if count % 2 else -1) * (count // 2) * 0.07)
    return np.clip(found, -0.4, 0.4)


def dependence(inputs: ReportInput) -> Figure | None:
    """Show what goes with each driver along the values that were seen; beyond them there is no evidence, and nothing is drawn."""
    effects = inputs.effects
    if effects is None or effects.empty:
        return None
    drivers = [str(d) for d in effects["driver"].unique()][:MOST_DRIVERS]
    curves = {d: _curve(effects[effects["driver"] == d]) for d in drivers}
    curves = {d: c for d, c in curves.items() if len(c)}
    if not curves:
        return None
    named = {d: words.capital(words.label(d, inputs.spec.names)) for d in curves}

    def draw(canvas: Any) -> None:
        several = np.atleast_1d(canvas.subplots(1, len(curves), sharey=True))
        for axes, (driver, curve) in zip(several, curves.items(), strict=True):
            axes.fill_between(curve["at"], curve["low"], curve["high"], color=PALE, lw=0, label=say("4 times in 5"))
            axes.plot(curve["at"], curve["middle"], color=BLUE, lw=2, label=say("On average"))
            axes.axhline(0, color="#0B0C0C", lw=1)
            axes.set_title(wrapped(named[driver], 24), fontsize=10, loc="left")
            axes.locator_params(axis="x", nbins=4)
            axes.xaxis.set_major_formatter(lambda v, _: _plain(v))
        percent_axis(several[0].yaxis)
        legend_below(canvas)

    table = pd.concat([c.iloc[[0, len(c) // 2, -1]].assign(driver=named[d]) for d, c in curves.items()], ignore_index=True)
    ends = {d: c.iloc[-1] for d, c in curves.items()}
    said = words.join(
        say(
            "{name} at {at}, the highest seen: numbers {share} ({low} to {high})",
            name=named[d],
            at=_plain(e["at"]),
            share=words.percent(e["middle"], signed=True),
            low=words.percent(e["low"], signed=True),
            high=words.percent(e["high"], signed=True),
        )
        for d, e in ends.items()
    )
    title = say("what goes with each driver, over the values that were seen")
    signed = partial(words.percent, signed=True)
    behind = table_of(
        table,
        words.capital(title),
        names={"driver": "Driver", "at": "At", "middle": "Numbers are", "low": "Low", "high": "High"},
        formats={"at": _plain, "middle": signed, "low": signed, "high": signed},
        note=say("Against the middle of the values that were seen; on average over series. Low to high: 4 times in 5."),
    )
    alt = say("Line charts of {what}, against the middle of these values. {said}.", what=title, said=said)
    return Figure(partial(drawn, draw, size=(2.9 * max(len(curves), 2), 2.7)), alt, behind, words.capital(title))


def _curve(effects: pd.DataFrame) -> pd.DataFrame:
    """Give what goes with a driver at places between the lowest and the highest value that was seen: at, low, middle, high."""
    low, high = float(effects["observed_low"].min()), float(effects["observed_high"].max())
    if not 0 < low < high:
        return pd.DataFrame()
    at = np.linspace(low, high, 21)
    each = effects.groupby("draw")["elasticity"].mean().to_numpy(dtype=float)
    ratios = (at[:, None] / ((low + high) / 2)) ** each - 1
    ends = np.quantile(ratios, [0.1, 0.9], axis=1)
    return pd.DataFrame({"at": at, "low": ends[0], "middle": ratios.mean(axis=1), "high": ends[1]})


def over_time(inputs: ReportInput, line: Line) -> Figure | None:
    """Show how the parts of the forecast grow and shrink over the horizon; the level, which stays, is left out."""
    parts = _parts(inputs, line)
    moving = parts[parts["name"] != words.capital(say("recent level"))]
    # A part that a period lacks adds nothing to it.
    wide = moving.groupby(["ds", "name"])["contribution"].sum().unstack("name").fillna(0.0)
    if len(wide) < 3 or wide.shape[1] < 2:
        return None
    order = wide.abs().sum().sort_values(ascending=False).head(len(LOOKS)).index

    def draw(canvas: Any) -> None:
        axes = canvas.subplots()
        for (colour, dash), name in zip(LOOKS, order, strict=False):
            axes.plot(wide.index, wide[name], color=colour, ls=dash, lw=2, label=wrapped(str(name), 26))
        axes.axhline(0, color="#0B0C0C", lw=1)
        dates(axes)
        legend_below(canvas, columns=2, long=True)

    years = [str(FinancialYear.of(pd.Timestamp(d), inputs.start_month)) for d in wide.index]
    table = wide[order].groupby(years).mean().T.reset_index(names="name")
    columns = [c for c in table.columns if c != "name"]
    last = columns[-1]
    said = words.join(f"{n} {words.about(v)}" for n, v in zip(table["name"], table[last], strict=True))
    title = say("{what}: what the forecast goes with, over time", what=line.title)
    behind = table_of(
        table,
        say("{what}, a period on average", what=words.capital(title)),
        names={"name": "Part"} | {y: y for y in columns},
        formats=dict.fromkeys(columns, words.about),
        note=say("More or fewer than the recent level."),
    )
    alt = say(
        "Line chart of {what}, more or fewer than the recent level. In {year}, a period on average: {said}.",
        what=title,
        year=last,
        said=said,
    )
    return Figure(partial(drawn, draw), alt, behind, words.capital(title))


def _plain(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4g}"
