"""What has changed, and how far the reasons can be trusted: against last year, against the forecast before, and the order of drivers.

In: a `ReportInput`. Out: pictures whose steps add up, tables and sentences; nothing where the run has not what they need. Refuses nothing.
Reasons are what goes with a forecast: only an analyst who declares evidence can say more.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from demand.explain import sizes
from demand.languages import message, say
from demand.report import bars, words
from demand.report.facts import TOTAL, Line, why_parts
from demand.report.inputs import ReportInput
from demand.report.parts import Block, Figure, Table, table_of

__all__ = ["YearChange", "driver_order", "hard_to_explain", "since_last_forecast", "since_last_year", "unsteady", "year_change"]

HARD = 0.2
"""The share of bookkeeping from which a forecast is called hard to explain."""
BOOKKEEPING = (words.feature("reconciliation"), words.feature("calibration"))
"""Parts that are no reason: they make parts and totals agree, and keep counts from being negative."""
SURE = 0.8
"""In which share of the estimates a driver must come first, that it is told as the first."""
CAUSES = {"revised data": message("counts that were revised"), "new actuals": message("new counts"), "model": message("the model")}
"""Steps of moved.csv that have another name where people read them."""
WINDOWS = (message("with other random numbers"), message("without the last year"), message("without the last two years"))
"""How drivers were estimated anew, as driver_windows.csv names it."""
MOST_STEPS = 7


@dataclass(frozen=True)
class YearChange:
    """The first year ahead against the last that was counted.

    Parameters
    ----------
    then, now : str
        The two financial years.
    start : float
        What was counted.
    steps : pandas.Series
        Reason -> how much of the change goes with it, the largest first; they add up to the change.
    """

    then: str
    now: str
    start: float
    steps: pd.Series


def year_change(inputs: ReportInput, line: Line) -> YearChange | None:
    """Say what the change from the last counted year to the first year ahead goes with.

    Parameters
    ----------
    inputs : ReportInput
    line : Line

    Returns
    -------
    YearChange or None
        None without an explanation, or without a whole year before or ahead.
    """
    year, before = line.ahead, line.past_years
    if year is None or inputs.explanation is None or before.empty:
        return None
    parts = why_parts(inputs, line, str(year["financial_year"]))
    if parts.empty:
        return None
    named = parts.assign(name=[words.feature(f, inputs.spec.names) for f in parts["feature"]]).groupby("name")["amount"].sum()
    start = float(before.iloc[-1])
    level = say("recent level")
    named[level] = float(named.get(level, 0.0)) - start
    said = {level: say("where we stand already"), say("recent counts"): say("how counts moved lately"), say("trend"): say("the trend")}
    named = named.rename(said)
    order = named.reindex(named.abs().sort_values(ascending=False).index)
    return YearChange(str(before.index[-1]), str(year["financial_year"]), start, order)


def since_last_year(inputs: ReportInput, line: Line) -> Figure | None:
    """Show the steps from the last counted year to the first year ahead."""
    change = year_change(inputs, line)
    if change is None:
        return None
    shown, rest = change.steps.head(MOST_STEPS), change.steps.iloc[MOST_STEPS:]
    if len(rest):
        shown = pd.concat([shown, pd.Series({say("everything else"): float(rest.sum())})])
    frame = pd.DataFrame({"name": [words.capital(n) for n in shown.index], "amount": shown.to_numpy()})
    title = say(
        "{what}, {how}: from {then} (counted) to {now} (expected), and what the change goes with",
        what=line.title,
        how=say("average at any time") if line.kind == "stock" else say("in the year"),
        then=change.then,
        now=change.now,
    )
    return bars.steps(frame, title=title, start=change.start, money=False, total=say("All together"))


def hard_to_explain(inputs: ReportInput, line: Line) -> list[Block]:
    """Warn where more than a fifth of the first year ahead is bookkeeping."""
    year = line.ahead
    parts = pd.DataFrame() if year is None else why_parts(inputs, line, str(year["financial_year"]))
    if parts.empty or year is None:
        return []
    kept = parts["amount"].abs()[[words.feature(f) in [say(b) for b in BOOKKEEPING] for f in parts["feature"]]].sum()
    if kept <= HARD * abs(float(parts["amount"].sum())):
        return []
    told = message("The forecast of {what} is hard to explain: {number} of it is making parts and totals agree, and adjustment.")
    said = say(told, what=line.title, number=words.count(kept))
    return [Block((said,), kind="warning")]


def since_last_forecast(inputs: ReportInput) -> list[Figure | Block]:
    """Show what moved the expected cost since the forecast before, cause by cause, year by year."""
    table = inputs.moved
    if table is None or table.empty:
        return []
    whole = table[table["line"].astype(str).str.lower().isin(TOTAL)]
    rows = whole if len(whole) else table[table["line"] == table["line"].iloc[0]]
    parts: list[Figure | Block] = []
    for year, one in rows.groupby("financial_year", sort=False):
        start, amounts = float(one["before_pence"].iloc[0]) / 100, one["amount_pence"].astype(float) / 100
        names = [words.capital(say(CAUSES[str(s)]) if str(s) in CAUSES else words.label(s, inputs.spec.names)) for s in one["step"]]
        frame = pd.DataFrame({"name": names, "amount": amounts.to_numpy()})
        frame = frame[frame["amount"].abs() >= 0.5]
        if len(frame):
            what = say("all lines") if len(whole) else words.label(one["line"].iloc[0], inputs.spec.names)
            title = say("what moved the expected cost of {what} in {year} since the forecast before", what=what, year=year)
            parts.append(bars.steps(frame, title=title, start=start, money=True, total=say("All together")))
    return parts[:3]


def driver_order(inputs: ReportInput) -> tuple[Table, Block] | None:
    """Say how sure the order of drivers is: each is ranked in every estimate by what it does over the values that were seen.

    Returns
    -------
    tuple of Table and Block, or None
        None with fewer than two drivers.
    """
    found = _ranked(inputs)
    if found is None:
        return None
    frame, windows = found
    named = {w: words.capital(say(w)) for w in windows}
    names = [words.capital(words.label(n, inputs.spec.names)) for n in frame["driver"]]
    note = say("Over the values that were seen, on average over series. Of all estimates that the history allows.")
    table = table_of(
        frame.assign(driver=names),
        say("How sure the order of drivers is"),
        names={"place": "Place", "driver": "Driver", "does": "Goes with a difference of", "held": "Has this place in", **named},
        formats={"place": "count", "does": "percent", "held": "percent", **dict.fromkeys(windows, "count")},
        note=" ".join([note, *([say("The last columns: its place when it is estimated anew.")] if windows else [])]),
    )
    first = say("{name} comes first in {share} of the estimates", name=names[0], share=words.percent(frame["held"].iloc[0]))
    moved = [say(w) for w in windows if frame[w].iloc[0] != 1]
    first = say("{said}, but not {windows}", said=first, windows=words.join(moved)) if moved else first
    said = (
        say("The order of drivers is not stable: {first}. None of them is told as the main reason.", first=first)
        if unsteady(inputs)
        else say("{first}: the order can be relied on.", first=first)
    )
    return table, Block((said,))


def unsteady(inputs: ReportInput) -> frozenset[str]:
    """Give the drivers that may not be told as a reason: all of them, where the first does not stay first; else none."""
    found = _ranked(inputs)
    if found is None:
        return frozenset()
    frame, windows = found
    steady = frame["held"].iloc[0] >= SURE and all(frame[w].iloc[0] == 1 for w in windows)
    return frozenset() if steady else frozenset(map(str, frame["driver"]))


def _ranked(inputs: ReportInput) -> tuple[pd.DataFrame, list[str]] | None:
    """Rank drivers: driver, place, held (the share of estimates in which it has the place), does, and its place in each window."""
    effects = inputs.effects
    if effects is None or effects.empty or effects["driver"].nunique() < 2:
        return None
    size = sizes(effects)
    if size.shape[1] < 2 or size.empty:
        return None
    place = size.rank(axis=1, ascending=False, method="first")
    order = place.mean().sort_values().index
    held = [float((place[name] == rank).mean()) for rank, name in enumerate(order, start=1)]
    frame = pd.DataFrame({"driver": order, "place": range(1, len(order) + 1), "held": held, "does": [float(size[n].mean()) for n in order]})
    windows = inputs.driver_windows
    if windows is None or set(windows["driver"]) != set(order):
        return frame, []
    wide = windows.pivot_table(index="driver", columns="window", values="place", sort=False)
    return frame.join(wide, on="driver"), [str(w) for w in wide.columns]
