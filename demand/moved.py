"""What moved since an earlier run, cause by cause, so that the causes add up.

In: the figures of the earlier run, those after each cause has been put in, one after the other in a fixed order, and those of now. Out:
moved.csv and sentences. Refuses nothing: a line that is only in one of the runs moves from or to nothing.

The order is fixed and named (`STEPS`): counts that were revised, counts that are new, drivers, known changes, then the model itself (its
settings, weights and fits, and the version of the package), then prices and lines. Each cause is what putting it in changes when all
before it are in already and all after it are not. Another order would share what two causes do together otherwise; the sum is the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from demand.languages import date_written, message, say

__all__ = ["MOVED", "STEPS", "erased_sentences", "month_said", "moved", "moved_sentences", "record_sentences", "since_said"]

STEPS = ("revised data", "new actuals", "drivers", "known changes", "model", "prices and lines")
"""The causes, in the order in which they are put in."""
MOVED = ["line", "financial_year", "order", "step", "before_pence", "after_pence", "amount_pence"]
KEYS = ["line", "financial_year"]
TOTAL = "total"
WORDS = {
    "revised data": message("counts of earlier periods that were revised"),
    "new actuals": message("what has been counted since"),
    "drivers": message("drivers and their futures"),
    "known changes": message("events and changes that are known now"),
    "model": message("the model itself, fitted and weighed anew"),
    "prices and lines": message("prices, grants and budget lines"),
}


def moved(figures: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Make moved.csv from the figures before, and after each of `STEPS`.

    Parameters
    ----------
    figures : sequence of pandas.DataFrame
        line, financial_year, expected_pence (whole pence): of the earlier run, then after each step; the last are those of now. Years that
        not all of them have are left out: they were not told both times.

    Returns
    -------
    pandas.DataFrame
        `MOVED`. The amounts of a line and year add up to the difference between now and then, to the penny.

    Raises
    ------
    ValueError
        Where there are not as many figures as steps, and one.
    """
    if len(figures) != len(STEPS) + 1:
        raise ValueError(f"{len(figures)} figures for {len(STEPS)} steps")
    years = set.intersection(*(set(f["financial_year"]) for f in figures))
    tables = [f[f["financial_year"].isin(years)].set_index(KEYS)["expected_pence"] for f in figures]
    index = pd.MultiIndex.from_tuples(list(dict.fromkeys(i for t in (tables[-1], tables[0]) for i in t.index)), names=KEYS)
    # A line that a run does not have cost nothing in it.
    values = [t.reindex(index).fillna(0).astype("int64") for t in tables]
    rows = []
    for order, (step, before, after) in enumerate(zip(STEPS, values[:-1], values[1:], strict=True)):
        rows.append(pd.DataFrame({"order": order, "step": step, "before_pence": before, "after_pence": after}, index=index).reset_index())
    table = pd.concat(rows, ignore_index=True).assign(amount_pence=lambda t: t["after_pence"] - t["before_pence"])
    place = {key: i for i, key in enumerate(index)}
    table["place"] = [place[key] for key in zip(table["line"], table["financial_year"], strict=True)]
    return table.sort_values(["place", "order"], ignore_index=True)[MOVED]


def moved_sentences(table: pd.DataFrame, *, since: str, line: str = TOTAL) -> list[str]:
    """Say what moved a line's expected cost, year by year, the largest cause first.

    Parameters
    ----------
    table : pandas.DataFrame
        From `moved`.
    since : str
        Which run it is held against, in words.
    line : str

    Returns
    -------
    list of str
    """
    told = []
    for year, rows in table[table["line"] == line].groupby("financial_year", sort=True):
        change = int(rows["amount_pence"].sum())
        then, now = int(rows["before_pence"].iloc[0]), int(rows["after_pence"].iloc[-1])
        if not rows["amount_pence"].any():
            told.append(
                say("{year}: nothing has moved since {since}: {now} is expected, as then.", year=year, since=since, now=_pounds(now))
            )
            continue
        ordered = rows[rows["amount_pence"] != 0].sort_values("amount_pence", key=lambda a: -a.abs(), kind="stable")
        each = [
            say("{amount} from {cause}", amount=_signed(int(a)), cause=say(WORDS[s]))
            for s, a in zip(ordered["step"], ordered["amount_pence"], strict=True)
        ]
        told.append(
            say(
                "{year}: {now} is expected, {change} since {since} ({then}). Of this: {causes}.",
                year=year,
                now=_pounds(now),
                change=_signed(change),
                since=since,
                then=_pounds(then),
                causes="; ".join(each),
            )
        )
    return told


def record_sentences(said: pd.DataFrame, *, line: str = TOTAL) -> list[str]:
    """Say how what is expected now stands to the forecast of record.

    Parameters
    ----------
    said : pandas.DataFrame
        line, financial_year, forecast, record (True for approved ones), counted_to, expected_pence, p10_pence, p90_pence (NA for a year
        that was counted to its end); the last forecast of a line and year is that of now.
    line : str

    Returns
    -------
    list of str
        A sentence for each year that the last approved forecast spoke of; none where nothing was approved.
    """
    told = []
    for year, rows in said[said["line"] == line].groupby("financial_year", sort=True):
        known = rows.dropna(subset=["expected_pence"])
        approved, now = known[known["record"].astype(bool)], known[known["forecast"] == "now"]
        if approved.empty or now.empty:
            continue
        then, came = approved.iloc[-1], int(now["expected_pence"].iloc[0])
        inside = then["p10_pence"] <= came <= then["p90_pence"]
        low, high = _pounds(then["p10_pence"]), _pounds(then["p90_pence"])
        held = {"year": year, "forecast": then["forecast"], "then": _pounds(then["expected_pence"]), "low": low, "high": high}
        told.append(
            say("{year}: {forecast} said {then} ({low} to {high}, 4 years in 5); {now} is expected now, inside that range.",
                now=_pounds(came), **held)
            if inside
            else say("{year}: {forecast} said {then} ({low} to {high}, 4 years in 5); {now} is expected now, OUTSIDE that range.",
                     now=_pounds(came), **held)
        )  # fmt: skip
    return told


def since_said(since: Mapping[str, Any]) -> str:
    """Name the run that now is held against.

    Parameters
    ----------
    since : mapping
        name; by (who approved it; None where nobody did, and its name is its month); empty where it is not known.

    Returns
    -------
    str
    """
    if not since:
        return say("the forecast before")
    if since["by"]:
        return say("{name} (approved by {by})", name=month_said(str(since["name"])), by=since["by"])
    return say("the run of {month}", month=month_said(str(since["name"])))


def month_said(name: str) -> str:
    """Say a name that is a month, July 2026, in the language that is spoken; another name as it is.

    Examples
    --------
    >>> month_said("July 2026"), month_said("Budget as set")
    ('July 2026', 'Budget as set')
    """
    first = pd.to_datetime(name, format="%B %Y", errors="coerce")
    return name if pd.isna(first) else date_written(first, "MMMM y")


def erased_sentences(since: Mapping[str, Any]) -> list[str]:
    """Say what of the earlier run was erased on request: `since` with gone (names of files) and on (days); none where all is there."""
    if not since or not since["gone"]:
        return []
    files, days = "; ".join(since["gone"]), ", ".join(since["on"])
    told = message("Erased on request from ‘{name}’ ({days}): {files}. Their hashes are kept.")
    return [say(told, name=month_said(str(since["name"])), days=days, files=files)]


def _pounds(pence: int) -> str:
    return f"£{pence / 100:,.0f}"


def _signed(pence: int) -> str:
    return f"{'+' if pence >= 0 else '-'}£{abs(pence) / 100:,.0f}"
