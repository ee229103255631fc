"""Numbers and names as people in Wales say them.

In: counts, pounds, dates, chances, codes of the data. Out: plain words of the language that is spoken. Refuses nothing;
what is not a number is told as "not known".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal

import pandas as pd

from demand.languages import date_written, message, say

__all__ = [
    "BANNED",
    "about",
    "banned_in",
    "between",
    "capital",
    "chance",
    "closed",
    "count",
    "day",
    "feature",
    "join",
    "label",
    "legible",
    "month",
    "percent",
    "period",
    "pounds",
    "pounds_exact",
    "pounds_short",
    "shown",
    "spread",
]

ILLEGIBLE = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\ud800-\\udfff\\ufffe\\uffff]")
"""Control characters, and what XML has no place for: https://www.w3.org/TR/xml/#charsets."""
BANNED = (
    "quantile",
    "draws",
    "p10",
    "p50",
    "p80",
    "p90",
    "p95",
    "shap",
    "mase",
    "conformal",
    "crps",
    "rmse",
    "mape",
    "bootstrap",
    "covariate",
    "hyperparameter",
    "heteroscedastic",
    "autocorrelation",
    "standard deviation",
    "monte carlo",
    "probability distribution",
    "unique_id",
    "wql",
    "elasticity",
    "posterior",
    "stochastic",
    "residual",
    "reconciliation",
    "backtest",
    "cutoff",
    "baseline",
    "fingerprint",
    "median",
    "percentile",
    "interval",
)
"""Words of the trade that the first page and the workbook's labels do without."""

GLOSSARY = {
    "ta": message("temporary accommodation"),
    "b&b": message("bed and breakfast"),
    "gbp": message("pounds"),
    "la": message("local authority"),
    "baseline": message("no change"),
    "(others)": message("(others)"),
    "(not known)": message("(not known)"),
}
"""Codes that readers should not have to know."""
NUMBERS = {
    "amount": message("amount"),
    "uplift": message("uplift"),
    "likelihood": message("likelihood"),
    "avoids": message("avoids"),
    "half": message("half"),
    "lag": message("lag"),
    "income": message("income"),
    "grant": message("grant"),
    "fixed": message("fixed cost"),
    "step": message("step cost"),
    "saving": message("saving"),
    "budget": message("budget"),
}
"""The numbers of an assumption and the kinds of items, which stand before or after a name and a colon."""
OURS = frozenset(GLOSSARY.values())
"""Words for them, which each language has; all other names are the data's own."""

NUMBER = r"[-\u00a3]?\d[\d,.]*"
BANDS = (
    (rf"(?P<low>{NUMBER}) to (?P<high>{NUMBER})", message("{low} to {high}")),
    (rf"under (?P<number>{NUMBER})", message("under {number}")),
    (rf"(?P<number>{NUMBER}) or more", message("{number} or more")),
)
"""Bands of numbers, as they are cut here."""

FEATURES = (
    (r"^level$|^intercept$|^base(_value)?$|^bias$|^expected_value$", message("recent level")),
    (r"^trend$|^drift$|^growth$", message("trend")),
    (
        r"^season|^yearly$|^weekly$|^month(_of_year)?$|^quarter$|^week(_of_year)?$|^day_?of_?week$|^(month|week|season)_?(sin|cos)|^fourier",
        message("season"),
    ),
    (r"^lag|^rolling|^expanding|^exponentially|^seasonal_rolling|^diff", message("recent counts")),
    (r"^recent_changes$", message("recent changes")),
    (r"^limit$", message("what lies below nought")),
    (r"^size_of_series$", message("size of series")),
    (r"^holiday", message("holidays")),
    (r"^reconcil", message("making parts and totals agree")),
    (r"^calibrat", message("adjustment for past misses")),
)
"""Feature names of the models, and what they mean to a reader."""


def banned_in(text: str) -> list[str]:
    """Give the words of the trade that a text uses.

    Examples
    --------
    >>> banned_in("The P90 of all draws")
    ['draws', 'p90']
    """
    low = text.lower()
    return [w for w in BANNED if re.search(rf"(?<![a-z0-9]){re.escape(w)}s?(?![a-z0-9])", low)]


def count(value: float) -> str:
    """Write a number of people: whole from 10 up, with commas.

    Examples
    --------
    >>> count(1234.4), count(3.42), count(0)
    ('1,234', '3.4', '0')
    """
    if pd.isna(value):
        return say("not known")
    if abs(value) >= 9.95:
        return f"{value:,.0f}"
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def pounds(value: float) -> str:
    """Write money as it is said: three figures from a million up, whole thousands from ten thousand up; halves go up.

    Examples
    --------
    >>> pounds(10_000_000), pounds(57_550_000), pounds(412_500), pounds(-950), pounds(float("inf"))
    ('£10.0 million', '£57.6 million', '£413,000', '-£950', 'not known')
    """
    if pd.isna(value) or abs(value) == float("inf"):
        return say("not known")
    sign, size = "-" if value < 0 else "", abs(value)
    for name, of, least in ((message("billion"), 1e9, 999_500_000), (message("million"), 1e6, 999_500)):
        if size >= least:
            digits = 0 if size >= 99.95 * of else 1 if size >= 9.995 * of else 2
            return f"{sign}£{_halves_up(size / of, digits):,.{digits}f} {say(name)}"
    if size >= 10_000:
        return f"{sign}£{_halves_up(size, -3):,.0f}"
    return f"{sign}£{_halves_up(size, 0):,.0f}" if size >= 0.5 else "£0"


def _halves_up(size: float, digits: int) -> Decimal:
    """Round as people do; of the number as it is written, as 57.55 is a little less in a computer."""
    return Decimal(repr(float(size))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def pounds_short(value: float) -> str:
    """Write money as it fits into a picture.

    Examples
    --------
    >>> pounds_short(1_234_000), pounds_short(4_000_000), pounds_short(3_341_700_000)
    ('£1.23m', '£4m', '£3.34bn')
    """
    number, _, unit = pounds(value).partition(" ")
    letter = {say("million"): "m", say("billion"): "bn"}.get(unit)
    return pounds(value) if letter is None else (number.rstrip("0").rstrip(".") if "." in number else number) + letter


def about(value: float) -> str:
    """Write a number of people as it is said: no more than three figures above ten thousand.

    Examples
    --------
    >>> about(138_083), about(1_234), about(25_449), about(1_118_636)
    ('138,000', '1,234', '25,400', '1.12 million')
    """
    if pd.isna(value) or abs(value) < 999_500:
        return count(shown(value))
    return f"{value / 1e6:,.2f}".rstrip("0").rstrip(".") + f" {say('million')}"


def shown(value: float) -> float:
    """Round a number of people to what `about` writes of it.

    Examples
    --------
    >>> shown(25_449), shown(12.4), shown(3.42)
    (25400.0, 12.0, 3.4)
    """
    size = abs(value)
    if pd.isna(value):
        return value
    limits = ((9.95, 1), (10_000, 0), (100_000, -2), (999_500, -3))
    return round(float(value), next((digits for most, digits in limits if size < most), -4))


def pounds_exact(value: float) -> str:
    """Write money in whole pounds: £4,100,000."""
    if pd.isna(value):
        return say("not known")
    return f"{'-' if round(value) < 0 else ''}£{abs(value):,.0f}"


def percent(share: float, *, signed: bool = False) -> str:
    """Write a share of 1 as per cent.

    Examples
    --------
    >>> percent(0.123), percent(0.04, signed=True)
    ('12%', '+4%')
    """
    if pd.isna(share):
        return say("not known")
    digits = 1 if 0 < abs(share) < 0.0095 else 0
    return f"{share * 100:{'+' if signed else ''}.{digits}f}%"


def closed(text: str) -> str:
    """Write per cent without a space before its sign, also in what others wrote.

    Examples
    --------
    >>> closed("within 8 % in 4 of 5")
    'within 8% in 4 of 5'
    """
    return re.sub(r"(?<=\d)[ \u00a0\u202f]%", "%", text)


def legible(text: str) -> str:
    """Put a mark in the place of letters that nobody can read: they steer terminals, and Word documents cannot hold them.

    Examples
    --------
    >>> legible("a" + chr(27) + "b") == "a" + chr(0xFFFD) + "b"
    True
    """
    return ILLEGIBLE.sub("\N{REPLACEMENT CHARACTER}", text)


def chance(probability: float) -> str:
    """Say a chance in tenths.

    Examples
    --------
    >>> chance(0.31), chance(0.01), chance(0.5)
    ('about 3 in 10', 'less than 1 in 20', 'about 1 in 2')
    """
    if pd.isna(probability):
        return say("not known")
    if probability < 0.05:
        return say("less than 1 in 20")
    if probability > 0.95:
        return say("more than 19 in 20")
    tenths = min(9, max(1, round(probability * 10)))
    least, of = {5: (1, 2), 2: (1, 5), 8: (4, 5)}.get(tenths, (tenths, 10))
    return say("about {number} in {of}", number=least, of=of)


def day(value: object) -> str:
    """Write a date: 1 April 2026."""
    return date_written(pd.Timestamp(str(value)), "d MMMM y")


def month(value: object) -> str:
    """Write a month: April 2026."""
    return date_written(pd.Timestamp(str(value)), "MMMM y")


def period(value: object, family: str) -> str:
    """Name the period that begins on a day, by the family of its frequency (D, W, M, Q, Y).

    Examples
    --------
    >>> period("2026-04-01", "Q"), period("2026-04-01", "M"), period("2026-03-30", "W")
    ('April to June 2026', 'April 2026', 'week from 30 March 2026')
    """
    stamp = pd.Timestamp(str(value))
    if family == "M":
        return month(stamp)
    if family == "Q":
        return say("{first} to {last}", first=date_written(stamp, "MMMM"), last=month(stamp + pd.DateOffset(months=2)))
    if family == "Y":
        end = stamp + pd.DateOffset(years=1) - pd.Timedelta(days=1)
        return f"{stamp:%Y}" if stamp.month == 1 else say("year to {day}", day=day(end))
    return say("week from {day}", day=day(stamp)) if family == "W" else day(stamp)


def between(low: float, high: float, *, money: bool = False) -> str:
    """Say a range: between 410 and 520.

    Examples
    --------
    >>> between(410, 520), between(3_700_000, 4_500_000, money=True)
    ('between 410 and 520', 'between £3.70 million and £4.50 million')
    """
    said = pounds if money else about
    if said(low) == said(high):
        return say("about {number}", number=said(low))
    return say("between {low} and {high}", low=said(low), high=said(high))


def spread(low: float, middle: float, high: float, *, money: bool = False) -> str:
    """Say a range with its middle and what it means.

    Examples
    --------
    >>> spread(410, 460, 520)
    'between 410 and 520, on average about 460; 4 years in 5'
    """
    said = pounds if money else about
    if said(low) == said(high):
        return say("about {number}, with next to no doubt", number=said(middle))
    return say("{range}, on average about {number}; 4 years in 5", range=between(low, high, money=money), number=said(middle))


def label(name: object, names: Mapping[str, str] | None = None) -> str:
    """Turn a code of the data into words. Those of the glossary are translated; other names stay as they are, or as `names` has them.

    Examples
    --------
    >>> label("bed_and_breakfast"), label("ta/hostel/Harbour"), label("x: amount", {"x": "Extra care"})
    ('bed and breakfast', 'temporary accommodation, hostel, Harbour', 'Extra care: amount')
    """
    text = re.sub(r"(?<=\d)_(?=\d)", " to ", str(name))
    known = {**GLOSSARY, **{k.lower(): v for k, v in (names or {}).items()}}
    if found := known.get(str(name).lower(), known.get(text.lower())):
        return _ours(found)
    if ": " in text:  # a number of something, or a kind of item and its name
        return ": ".join(say(NUMBERS[t]) if t in NUMBERS else label(t, names) for t in text.split(": "))
    parts = [_ours(known.get(p.lower(), re.sub(r"_+", " ", p).strip())) for p in text.split("/")]
    return closed(", ".join(p for p in parts if p))


def _ours(text: str) -> str:
    """Say what the glossary has, and bands of numbers, in the language that is spoken."""
    if text in OURS:
        return say(text)
    for pattern, words in BANDS:
        if band := re.fullmatch(pattern, text):
            return say(words, **band.groupdict())
    return text


def capital(text: str) -> str:
    """Begin with a capital letter and leave the rest alone."""
    return text[:1].upper() + text[1:]


def feature(name: str, names: Mapping[str, str] | None = None) -> str:
    """Say what a feature of a model means.

    Examples
    --------
    >>> feature("lag12"), feature("rent_index")
    ('recent counts', 'rent index')
    """
    known = next((words for pattern, words in FEATURES if re.search(pattern, name.lower())), None)
    return label(name.removeprefix("driver:"), names) if known is None else say(known)


def join(parts: Iterable[str]) -> str:
    """Join words as one does: a, b and c."""
    items = [str(p) for p in parts]
    return say("{first} and {last}", first=", ".join(items[:-1]), last=items[-1]) if len(items) > 1 else "".join(items)
