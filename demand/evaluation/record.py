"""The track record in words: how near the year's figure would have been, had we forecast then as we do now.

In: sums of what was forecast and what came, from each date, and the record of each series. Out: sentences. Refuses nothing: what was not
looked back on is not mentioned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from demand.calendar import FinancialYear, Frequency
from demand.errors import listed
from demand.evaluation.looks import Look
from demand.evaluation.sums import SUM, YEAR
from demand.events import Event

__all__ = ["set_aside", "track_record"]

WITHIN = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 75, 100)
"""Percentages in which the track record speaks."""
MOSTLY = 0.75
"""It names the smallest of them that held in so large a share of the years."""
NEAR = 20
"""The largest percentage that is told as something that held: of what is further off, each year's miss is told."""
MOST_TOLD = 6
"""Years whose misses are told one by one."""
MANY = 3
"""Dates that are listed one by one."""
NOUNS = {"D": "day", "W": "week", "M": "month", "Q": "quarter", "Y": "year"}


def set_aside(look: Look, events: Sequence[Event], frequency: Frequency, start_month: int = 4) -> list[tuple[str, pd.Timestamp, str, str]]:
    """Say which stretches ahead of a date a shock set aside, so that nothing, or less, can be held against them.

    Parameters
    ----------
    look : Look
    events : sequence of Event
    frequency : Frequency
    start_month : int

    Returns
    -------
    list of tuple
        Span ("year 1", "sum"), cutoff, financial year ("" for the whole horizon), name of the shock.
    """
    begins, until = frequency.end_of(pd.DatetimeIndex([look.cutoff]))[0] + pd.Timedelta(days=1), frequency.end_of(look.ds[-1:])[0]
    year = FinancialYear.of(begins, begins.month if frequency.family == "Y" else start_month)
    year = FinancialYear(year.first + 1, year.start_month) if begins > year.start else year
    found = []
    for event in (e for e in events if e.kind == "shock" and e.end is not None):
        first, last = pd.Timestamp(event.start), pd.Timestamp(str(event.end))
        if year.end <= until and first <= year.end and last >= year.start:
            found.append((f"{YEAR} 1", look.cutoff, str(year), event.name))
        if first <= until and last >= begins:
            found.append((SUM, look.cutoff, "", event.name))
    return found


def track_record(
    found: pd.DataFrame,
    groups: pd.DataFrame,
    frequency: Frequency,
    *,
    aside: Sequence[tuple[str, pd.Timestamp, str, str]] = (),
    ended: int = 0,
    drivers: bool = False,
) -> list[str]:
    """Tell how forecasts of the year would have done.

    Parameters
    ----------
    found : pandas.DataFrame
        From `sums`, of all dates.
    groups : pandas.DataFrame
        From `by_group`.
    frequency : Frequency
    aside : sequence of tuple
        From `set_aside`, of all dates.
    ended : int
        Series that ended, and are in no past total.
    drivers : bool
        Whether the forecast's ranges take in what drivers may do.

    Returns
    -------
    list of str
        A sentence for the total of each thing that is counted and for each declared total, one for single series, one for the series
        that the seasonal naive forecast would have hit better, and what the record leaves out.
    """
    if found.empty:
        return []
    years = found[found["span"] == f"{YEAR} 1"]
    whole = years if len(years) else found[found["span"] == SUM]
    reach = int(whole["step"].max()) if len(whole) else 0
    noun = NOUNS[frequency.family]
    span = "the year" if len(years) else f"the next {reach} {noun}s" if reach > 1 else f"the next {noun}"
    told = []
    totals = whole[(whole["level"] != "series") & (whole["name"] == "")]
    for (level, kind, unit), rows in totals.groupby(["level", "kind", "unit"], sort=False):
        named = unit if level == "total" else f"{unit} ({level})"
        what = f"the {'total' if kind == 'flow' else 'average number'} of {named} over {span}"
        told += _sentence(rows.sort_values("cutoff"), what, frequency, "years" if len(years) else "times", aside)
    told += _of_series(whole[whole["level"] == "series"], span)
    return told + list(_naive(groups, frequency)) + list(_left_out(ended, drivers))


def _sentence(
    rows: pd.DataFrame, what: str, frequency: Frequency, times: str, aside: Sequence[tuple[str, pd.Timestamp, str, str]]
) -> list[str]:
    rows = rows[rows["y"] > 0]
    if rows.empty:
        return []
    off = (100 * (rows["q0.5"] - rows["y"]).abs() / rows["y"]).round(6)
    within = next((p for p in WITHIN if (off <= p).mean() >= MOSTLY), None)
    near = (
        f"within {within}% in {int((off <= within).sum())} of {len(off)} {times}" if within and within <= NEAR else _far(rows, off, times)
    )
    text = f"Had we forecast {_dates(rows, frequency)}{_without(rows, aside)}, {what} would have been {near}"
    judged = rows[rows["calibrated"].astype(bool)]
    if len(judged):
        text += f", and inside its range in {_inside(judged)} of {len(judged)} (4 in 5 expected)"
    signed = 100 * (rows["mean"].sum() / rows["y"].sum() - 1)
    if len(rows) > 1:
        text += ". All together, forecasts came to " + (
            "about what happened" if abs(signed) < 0.5 else f"{abs(signed):.0f}% {'more' if signed > 0 else 'less'} than what happened"
        )
    return [text + "."]


def _far(rows: pd.DataFrame, off: pd.Series, times: str) -> str:
    """Tell forecasts that were not all near: "too far off to rely on: 52% too high, 23% too low", or of many the largest."""
    how = "too far off to rely on" if off.median() > NEAR else "out"
    if len(off) > MOST_TOLD:
        return f"{how}: by {off.median():.0f}% or more in half of {len(off)} {times}, at most {off.max():.0f}%"
    missed = [
        "right" if m < 0.5 else f"{m:.0f}% too {'high' if y < q else 'low'}" for m, q, y in zip(off, rows["q0.5"], rows["y"], strict=True)
    ]
    return f"{how}: {', '.join(missed)}"


def _without(rows: pd.DataFrame, aside: Sequence[tuple[str, pd.Timestamp, str, str]]) -> str:
    """Name what is missing because of shocks: ", leaving out 2020-21 (first lockdown)", in whole or for some of the series.

    A year next before the first that is judged is told as set aside before it; years long before are missing for want of history,
    shock or not, and not named.
    """
    size, span = rows.groupby("cutoff")["n_series"].max() if "n_series" in rows else pd.Series(dtype=float), rows["span"].iloc[0]
    whole: dict[str, set[str]] = {}
    before: dict[str, set[str]] = {}
    part: dict[str, set[str]] = {}
    mine, first = [a for a in aside if a[0] == span], rows["cutoff"].min()
    for cutoff in sorted({a[1] for a in mine if a[1] < first}, reverse=True):
        first = cutoff if first - cutoff <= pd.Timedelta(days=366) else first
    for _, cutoff, year, name in (a for a in mine if a[1] >= first):
        if cutoff not in set(rows["cutoff"]):
            (before if year and cutoff < rows["cutoff"].min() else whole).setdefault(year or "other dates", set()).add(name)
        elif cutoff in size and size[cutoff] < size.max():
            part.setdefault(year or "some dates", set()).add(name)
    told, earlier = ([f"{year} ({', '.join(sorted(names))})" for year, names in sorted(t.items())] for t in (whole, before))
    told += [f"some series in {year} ({', '.join(sorted(names))})" for year, names in sorted(part.items())]
    said = f", with {' and '.join(earlier)} before that set aside" if earlier else ""
    return said + (f", leaving out {' and '.join(told)}" if told else "")


def _inside(rows: pd.DataFrame) -> int:
    return int(rows["y"].between(rows["q0.1"], rows["q0.9"]).sum())


def _dates(rows: pd.DataFrame, frequency: Frequency) -> str:
    """Say when the forecasts would have been made: "each April since 2019", or one date after the other."""
    cutoffs = pd.DatetimeIndex(rows["cutoff"].unique())
    ends = frequency.end_of(cutoffs)
    starts = ends + pd.Timedelta(days=1)
    following = len(starts) > 1 and bool((np.diff(starts.year) == 1).all()) and starts.month.nunique() == 1
    if following:
        return f"each {starts[0]:%B} since {starts[0].year}"
    if len(starts) > MANY and starts.month.nunique() == 1:
        return f"in {len(starts)} {starts[0]:%B}s from {starts[0].year} to {starts[-1].year}"
    return "after " + ", ".join(f"{day:%B %Y}" for day in ends)


def _of_series(rows: pd.DataFrame, span: str) -> list[str]:
    judged = rows[rows["calibrated"].astype(bool)]
    series, dates = judged["name"].nunique(), judged["cutoff"].nunique()
    if series < 2:
        return []
    several = f"{dates} dates" if dates > 1 else "one date"
    return [
        f"For single series the figure for {span} was inside its range in {_inside(judged)} of {len(judged)} cases (4 in 5 expected): "
        f"{series} series, {several}."
    ]


def _naive(groups: pd.DataFrame, frequency: Frequency) -> Iterator[str]:
    """Name the series for which the seasonal naive forecast would have been nearer."""
    rows = groups[(groups["level"] == "series") & (groups["horizon"] == "all")].dropna(subset=["skill"])
    lost = rows[rows["skill"] < 0].sort_values("skill")
    if len(lost):
        how = (
            "The last counts again, with the season as far as it could be told," if frequency.season_length > 1 else "The last count again"
        )
        yield f"{how} would have been nearer for {len(lost)} of {len(rows)} series: {listed(lost['name'])}."


def _left_out(ended: int, drivers: bool) -> Iterator[str]:
    """Say what the record does not take in."""
    if ended:
        which = "1 series that has ended is" if ended == 1 else f"{ended} series that have ended are"
        yield f"{which} in no figure of this record: it speaks of the series that lasted, and may look better for it."
    if drivers:
        yield "The forecast's ranges take in what its drivers may do; those of this record do not."
