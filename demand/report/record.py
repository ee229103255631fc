"""The record beside the forecast: what past forecasts missed by, and how often ranges like those that are shown held.

In: a `ReportInput`. Out: figures that the run has stored, or sums and counts of them. Refuses nothing; what was not judged is None.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from demand.languages import message, say
from demand.report import words
from demand.report.facts import Line, may_show, none_counted
from demand.report.inputs import ReportInput

__all__ = ["held", "held_in_words", "last_judged", "miss_summary", "misses", "years_held"]


def misses(inputs: ReportInput, line: Line) -> pd.DataFrame:
    """Add up what would have been said at each earlier date, and what then was.

    Parameters
    ----------
    inputs : ReportInput
    line : Line

    Returns
    -------
    pandas.DataFrame
        cutoff, ds, y, mean: sums over the line's series, for the year after each cutoff that was counted whole (or as far as replays go).
    """
    rows = inputs.backtest
    columns = ["cutoff", "ds", "y", "mean"]
    if rows is None or rows.empty:
        return pd.DataFrame(columns=columns)
    mine = rows[(rows["model"] == "combined") & rows["unique_id"].isin(line.members["unique_id"].unique())]
    mine = mine[mine["ds"] <= mine["cutoff"] + pd.DateOffset(years=1)]
    complete = mine.groupby(["cutoff", "ds"])["y"].transform(lambda v: v.notna().all()).astype(bool)
    added = mine[complete].groupby(["cutoff", "ds"], as_index=False)[["y", "mean"]].sum()[columns]
    there = added.drop_duplicates("ds").set_index("ds")["y"]
    shown = added.assign(y=added["ds"].map(may_show(line, there))).dropna(subset=["y"])
    counted = shown.groupby("cutoff")["ds"].transform("size")
    return shown[counted >= min(int(inputs.frequency.per_year), counted.max())] if len(shown) else shown


def miss_summary(said: pd.DataFrame) -> tuple[float, float, float, int] | None:
    """Give the typical, smallest and largest miss of the average over the year ahead, as shares, and the number of earlier dates."""
    if said.empty:
        return None
    ends = said.groupby("cutoff")[["y", "mean"]].sum()
    off = (ends["mean"] / ends["y"].where(ends["y"] > 0) - 1).abs().dropna()
    return None if off.empty else (float(off.mean()), float(off.min()), float(off.max()), len(off))


def last_judged(inputs: ReportInput, line: Line) -> tuple[str, str]:
    """Say of the last year that was judged what we would have said before it began, what came, and whether the range held.

    Parameters
    ----------
    inputs : ReportInput
    line : Line

    Returns
    -------
    tuple of str
        How far off, and the whole sentence; both empty where no whole year was judged, or where it may not be shown.
    """
    sums = inputs.backtest_sums
    about = line.rows[line.rows["financial_year"].notna()] if "financial_year" in line.rows else line.rows[:0]
    if sums is None or "financial_year" not in sums or about.empty:
        return "", ""
    row = about.iloc[0]
    named = (sums["level"] == str(row["level"])) & (sums["name"] == _name(row, inputs.keys))
    mine = sums[named & (sums["kind"] == line.kind) & (sums["unit"] == line.unit) & (sums["span"] == "year 1")]
    if mine.empty:
        return "", ""
    last = mine.sort_values("cutoff").iloc[-1]
    year = str(last["financial_year"])
    # For the public only what is published counts as what came.
    came = float(last["y"] if inputs.spec.audience == "council" else line.past_years.get(year, float("nan")))
    if not came > 0:
        return "", ""
    off = float(last["mean"]) / came - 1
    told = {"share": words.percent(abs(off)), "year": year}
    number = say("Out by {share} in {year}", **told)
    far = say("about right") if abs(off) < 0.005 else say("{share} too few", **told) if off < 0 else say("{share} too many", **told)
    within = ""
    if last["calibrated"]:
        where = message(", inside the range that we would have given ({range})")
        if not last["q0.1"] <= came <= last["q0.9"]:
            where = message(", outside the range that we would have given ({range})")
        within = say(where, range=words.between(last["q0.1"], last["q0.9"]))
    sentence = message("For {year} we would have said about {said} {what} in the year, and there were about {came}: {far}{within}.")
    if line.kind == "stock":
        sentence = message(
            "For {year} we would have said about {said} {what} on average at any time, and there were about {came}: {far}{within}."
        )
    said, there = words.about(last["mean"]), words.about(came)
    return number, say(sentence, year=year, said=said, what=line.title, came=there, far=far, within=within)


def held(inputs: ReportInput, *, level: str, name: str, kind: str, unit: str, span: str) -> tuple[int, int] | None:
    """Say how often the 4-in-5 range of a span held at earlier dates.

    Parameters
    ----------
    inputs : ReportInput
    level, name, kind, unit : str
        Which series or group, as in backtest_sums.parquet.
    span : str
        "year 1" is the first whole financial year after a date.

    Returns
    -------
    tuple of int or None
        How often it held, and how often it was judged; None where it never was.
    """
    sums = inputs.backtest_sums
    if sums is None or sums.empty:
        return None
    mine = sums[
        (sums["level"] == level) & (sums["name"] == name) & (sums["kind"] == kind) & (sums["unit"] == unit) & (sums["span"] == span)
    ]
    mine = mine[mine["calibrated"].astype(bool)]
    return (int(mine["y"].between(mine["q0.1"], mine["q0.9"]).sum()), len(mine)) if len(mine) else None


def years_held(inputs: ReportInput, rows: pd.DataFrame) -> list[tuple[int, int] | None]:
    """Say for rows of yearly totals how often the range of such a year held at earlier dates.

    Parameters
    ----------
    inputs : ReportInput
    rows : pandas.DataFrame
        Rows of `totals` with a financial year.

    Returns
    -------
    list
        As `held`, a row each; None for a year of which months were counted already.
    """
    ahead = rows[none_counted(rows)]
    number = {str(year): n + 1 for n, year in enumerate(sorted(ahead["financial_year"].astype(str).unique()))}
    found = []
    for at, row in rows.iterrows():
        span = f"year {number.get(str(row['financial_year']), 0)}"
        about = {"level": str(row["level"]), "name": _name(row, inputs.keys), "kind": str(row["kind"]), "unit": str(row["unit"])}
        found.append(held(inputs, **about, span=span) if at in ahead.index else None)
    return found


def _name(row: pd.Series, keys: Sequence[str]) -> str:
    """Give the name that a row of the totals has in the tables of the backtest."""
    level = str(row["level"])
    if level == "series":
        return str(row["unique_id"])
    path = level.split("/")
    return "/".join(str(row[key]) for key in path) if all(key in keys for key in path) else ""


def held_in_words(found: tuple[int, int] | None) -> str:
    """Give "5 of 6"; nothing where it was never judged."""
    return "" if found is None else say("{held} of {number}", held=found[0], number=found[1])
