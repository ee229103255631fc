"""Units of assumptions as people say them, and numbers as their units ask.

In: units as configs write them (GBP/household/week). Out: words of the language that is spoken. Refuses nothing; a word that is not known
stays as it is.
"""

from __future__ import annotations

import re

from demand.languages import message, say
from demand.report.words import label

__all__ = ["amount", "unit"]

UNITS = {"GBP": message("pounds"), "ratio": message("times"), "share": message("share")}
"""What a number is a number of."""
PERS = {
    "person": message("per person"),
    "household": message("per household"),
    "child": message("per child"),
    "adult": message("per adult"),
    "place": message("per place"),
    "placement": message("per placement"),
    "package": message("per package"),
    "case": message("per case"),
    "night": message("per night"),
    "day": message("per day"),
    "week": message("per week"),
    "fortnight": message("per fortnight"),
    "four weeks": message("per four weeks"),
    "month": message("per month"),
    "quarter": message("per quarter"),
    "year": message("per year"),
    "hour": message("per hour"),
    "visit": message("per visit"),
}
"""What it is for: each has its own mutation in Welsh. Other words are the config's own."""


def unit(text: str) -> str:
    """Say what a number counts.

    Examples
    --------
    >>> unit("GBP/household/week"), unit("per year"), unit("ratio"), unit("upper tier places/week")
    ('pounds per household per week', 'a year', 'times', 'upper tier places per week')
    """
    parts = [part.strip() for part in re.sub(r"\bper ", "/", text).split("/")]
    of = [say(UNITS[parts[0]]) if parts[0] in UNITS else label(parts[0])] if parts[0] else []
    per = [say(PERS[p]) if p in PERS else say("per {what}", what=label(p)) for p in parts[1:]]
    return " ".join((*of, *(per if of else [say("a year") if p == "year" else t for p, t in zip(parts[1:], per, strict=True)])))


def amount(value: float, of: str) -> str:
    """Write a number as its unit asks: pounds, per cent a year, or as it is.

    Examples
    --------
    >>> amount(412.5, "GBP/household/week"), amount(0.035, "per year"), amount(0.94, "ratio")
    ('£412.50', '3.5%', '0.94')
    """
    if of.startswith("GBP"):
        return f"£{value:,.2f}".removesuffix(".00")
    return f"{value * 100:.3g}%" if of.strip() == "per year" else f"{value:,.10g}"
