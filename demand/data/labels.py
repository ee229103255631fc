"""Periods as publications name them: "Q1 2021-22", "Apr-Jun 2021", "2021/22", "P01 2024-25", "w/e 05/04/2024".

In: words of one column, months in English. Out: the first day of what each names, by the way in which it is named; missing where it is
named otherwise. Refuses nothing. Years of two calendar years are financial years, from April to March, as in all statistics of public money
in the United Kingdom ("2021-22": HM Treasury, Public Expenditure Statistical Analyses); `year_end` in the config says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd

__all__ = [
    "FINANCIAL_YEAR",
    "ISO_WEEK",
    "NAMED",
    "PART_OF_YEAR",
    "QUARTER",
    "UNITS",
    "WEEK_BEGINNING",
    "WEEK_ENDING",
    "YEAR",
    "first_month",
    "in_english",
    "month_or_year",
    "without_week",
]

QUARTER, YEAR = "quarter (2024 Q1)", "year (2024)"
FINANCIAL_QUARTER = "quarter of a financial year (Q1 2021-22 is April to June 2021)"
FINANCIAL_MONTH = "month of a financial year (P01 2021-22 is April 2021)"
FINANCIAL_YEAR = "financial year (2021-22 is April 2021 to March 2022)"
MONTHS_QUARTER = "quarter named by its months (Apr-Jun 2021)"
MONTHS_YEAR = "year named by its months (Apr 2021 to Mar 2022)"
WEEK_BEGINNING, WEEK_ENDING = "week beginning (w/c 01/04/2024)", "week ending (w/e 07/04/2024)"
ISO_WEEK = "week of the year (2024-W05, ISO 8601)"
UNITS = {
    **dict.fromkeys((YEAR, FINANCIAL_YEAR, MONTHS_YEAR), "Y"),
    **dict.fromkeys((QUARTER, FINANCIAL_QUARTER, MONTHS_QUARTER), "Q"),
    **dict.fromkeys((FINANCIAL_MONTH,), "M"),
    **dict.fromkeys((ISO_WEEK, WEEK_BEGINNING, WEEK_ENDING), "W"),
}
"""What each way of naming names: a quarter can be counted by quarter and not by month."""
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH = r"(?:(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*)"
FLAG = re.compile(r"\s*(?:\[(?:[a-z]|note \d+|\d+)\]|\((?:[rpe]|\d|provisional|revised|estimated?)\))$", re.IGNORECASE)
"""What is hung on a period: provisional, revised, a footnote."""
TWO_YEARS = re.compile(r"(?<![\d/.-])(?:FY ?)?(?P<first>(?:19|20)\d\d) ?(?:[-/–]|to) ?(?P<last>(?:19|20)?\d\d)(?![\d/.-])", re.IGNORECASE)
SHORT_YEARS = re.compile(r"(?<![\d/.-])(?P<first>\d\d) ?[-/–] ?(?P<last>\d\d)(?![\d/.-])")
IN_QUARTERS = re.compile(r"(?:q|qtr|quarter|chwarter|ch) ?(?P<quarter>[1-4])", re.IGNORECASE)
IN_PERIODS = re.compile(r"(?:p|period|month|m|mis|cyfnod) ?0?(?P<period>[1-9]|1[0-2])", re.IGNORECASE)
IN_YEARS = re.compile(r"(?:fy|financial year|year|blwyddyn ariannol|blwyddyn)?", re.IGNORECASE)
SPAN = re.compile(rf"(?P<from>{MONTH}) ?(?P<year>\d{{4}})? ?(?:-|–|to|i) ?(?P<to>{MONTH}) ?(?P<last>\d{{4}})", re.IGNORECASE)
BRACKET = re.compile(rf" ?\((?P<from>{MONTH}) ?(?:-|–|to) ?(?P<to>{MONTH})\)", re.IGNORECASE)
ENDING = re.compile(rf"(?P<unit>quarter|year|q|y) ?(?:ending|ended|to|e)(?: \d\d?)? (?P<month>{MONTH}) (?P<year>\d{{4}})", re.IGNORECASE)
CALENDAR = re.compile(r"(?P<a>\d{4})[ -]?(?:Q|Qtr |Quarter )(?P<b>[1-4])|(?:Q|Qtr |Quarter )(?P<c>[1-4])[ -]?(?P<d>\d{4})", re.IGNORECASE)
WEEK = re.compile(
    r"(?:(?P<begins>w[./ ]?[cb][.:]?|(?:week|wk)\.? (?:commencing|beginning|starting|from)|wythnos yn (?:dechrau|cychwyn))"
    r"|(?P<ends>w[./ ]?e[.:]?|(?:week|wk)\.? (?:ending|ended|to)|wythnos yn (?:gorffen|dod i ben)))\s*[:-]?\s*(?=\d)",
    re.IGNORECASE,
)
WELSH = ("Ionawr|Ion", "Chwefror|Chwef?", "Mawrth|Maw", "Ebrill|Ebr", "Mai", "Mehefin|Meh", "Gorffennaf|Gorff?", "Awst|Aws", "Medi",
         "Hydref|Hyd", "Tachwedd|Tach?", "Rhagfyr|Rhag?")  # fmt: skip
WELSH_MONTH = {
    rf"(?i)\b(?:{welsh})\b\.?": english
    for welsh, english in zip(WELSH, pd.date_range("2024-01-01", periods=12, freq="MS").strftime("%B"), strict=True)
}
WRITTEN_OTHERWISE = {
    r"\s+": " ",
    r"(?<=\d)(?:st|nd|rd|th)\b": "",
    r"(?i)\bsept\b\.?": "Sep",
    r"(?i)^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? (?=\d)": "",
    **WELSH_MONTH,
}
PART_OF_YEAR = re.compile(rf"(?:{MONTH}|(?:q|qtr|quarter|chwarter|ch) ?[1-4]|{'|'.join(WELSH)})\.?(?: ?\(.*\))?", re.IGNORECASE)
"""Months and quarters without a year, as columns are named where years stand in the rows."""
NOT_A_DAY = np.datetime64("NaT", "ns")


def in_english(words: pd.Series) -> tuple[pd.Series, bool]:
    """Give dates with their months in English, and without what is hung on them (and whether there was anything).

    Examples
    --------
    >>> in_english(pd.Series(["Ebrill 2024 [p]", "1st Ion 2024"], dtype=object))[0].tolist()
    ['April 2024', '1 January 2024']
    """
    if words.empty:
        return words, False
    bare = words.str.replace(FLAG, "", regex=True)
    return bare.replace(WRITTEN_OTHERWISE, regex=True), bool((bare != words).any())


def without_week(words: pd.Series) -> tuple[pd.Series, str]:
    """Take "week beginning" or "week ending" away from days, and say which of the two stood before all of them.

    Examples
    --------
    >>> without_week(pd.Series(["w/e 05/04/2024", "Week ending 12/04/2024"], dtype=object))[0].tolist()
    ['05/04/2024', '12/04/2024']
    """
    found = [WEEK.match(w) for w in words]
    if not found or not all(found):
        return words, ""
    ends = {bool(f["ends"]) for f in found if f}
    label = (WEEK_ENDING if ends == {True} else WEEK_BEGINNING) if len(ends) == 1 else ""
    return (pd.Series([w[f.end() :] for w, f in zip(words, found, strict=True) if f], dtype=object), label) if label else (words, "")


def _month(name: str) -> int:
    return MONTHS.index(name[:3].lower()) + 1


def _first_day(year: int, month: int) -> np.datetime64:
    return np.datetime64(f"{year:04d}-{month:02d}-01", "ns")


def _years(word: str, pattern: re.Pattern[str] = TWO_YEARS) -> tuple[int, str] | None:
    """Find a financial year within a word: its first year, and what else the word says."""
    found = pattern.search(word)
    if found is None:
        return None
    first = int(found["first"]) + (2000 if len(found["first"]) == 2 else 0)
    last = int(found["last"]) if len(found["last"]) == 4 else None
    if (last if last is not None else int(found["last"])) != (first + 1 if last is not None else (first + 1) % 100):
        return None
    return first, (word[: found.start()] + " " + word[found.end() :]).strip(" ,:-")


def _financial(word: str, parts: re.Pattern[str], months: int) -> np.datetime64:
    """Read "Q1 2021-22" and "P01 2021-22": the part of a financial year, so many months long."""
    bracket = BRACKET.search(word)
    bare = BRACKET.sub("", word)
    told = _years(bare) or _years(bare, SHORT_YEARS)
    part = parts.fullmatch(told[1]) if told else None
    if told is None or (part is None and not (months == 1 and re.fullmatch(MONTH, told[1], re.IGNORECASE))):
        return NOT_A_DAY
    first = 3 + months * (int(part[1]) - 1) if part else 3 + (_month(told[1]) - 4) % 12
    if bracket and (_month(bracket["from"]) - 1 != first % 12 or _month(bracket["to"]) - 1 != (first + months - 1) % 12):
        return NOT_A_DAY
    return _first_day(told[0] + first // 12, first % 12 + 1)


def _whole_year(word: str) -> np.datetime64:
    told = _years(word)
    return _first_day(told[0], 4) if told and IN_YEARS.fullmatch(told[1]) else NOT_A_DAY


def _span(word: str, months: int) -> np.datetime64:
    """Read "Apr-Jun 2021" and "quarter ending June 2021": so many months, the last of them in the last year that is named."""
    span, ending = SPAN.fullmatch(word), ENDING.fullmatch(word)
    if span:
        last, end = int(span["last"]), _month(span["to"])
        begin = _month(span["from"])
        first = int(span["year"]) if span["year"] else last - (begin > end)
        long = (last - first) * 12 + end - begin + 1
        return _first_day(first, begin) if long == months else NOT_A_DAY
    if ending and (3 if ending["unit"][0] in "qQ" else 12) == months:
        before = int(ending["year"]) * 12 + _month(ending["month"]) - months
        return _first_day(before // 12, before % 12 + 1)
    return NOT_A_DAY


def _calendar_quarter(word: str) -> np.datetime64:
    found = CALENDAR.fullmatch(word)
    return _first_day(int(found["a"] or found["d"]), int(found["b"] or found["c"]) * 3 - 2) if found else NOT_A_DAY


def _by_word(read: Callable[[str], np.datetime64]) -> Callable[[pd.Series], pd.Series]:
    def every(words: pd.Series) -> pd.Series:
        return pd.Series(np.array([read(str(w)) for w in words], dtype="datetime64[ns]"), index=words.index)

    return every


def month_or_year(words: pd.Series) -> bool:
    """Say whether all that is named may be a month as well as a financial year: 2010-11 alone, which nobody can tell.

    Examples
    --------
    >>> month_or_year(pd.Series(["2010-11"])), month_or_year(pd.Series(["2010-11", "2011-12"])), month_or_year(pd.Series(["2021-11"]))
    (True, False, False)
    """
    one = str(words.iloc[0]) if len(words) == 1 else ""
    return bool(re.fullmatch(r"\d{4}[-/](?:0[1-9]|1[0-2])", one)) and _years(one) is not None


def first_month(part: str) -> int:
    """Give the month in which a month or quarter of the calendar year begins.

    Examples
    --------
    >>> first_month("Ebrill"), first_month("Sept."), first_month("Q2")
    (4, 9, 4)
    """
    quarter = IN_QUARTERS.match(part)
    return int(quarter["quarter"]) * 3 - 2 if quarter else _month(in_english(pd.Series([part], dtype=object))[0].iloc[0])


def _financial_years(words: pd.Series) -> pd.Series:
    """Read financial years, but not one alone that may be a month too (2010-11)."""
    days = _by_word(_whole_year)(words)
    return days.where(~pd.Series(month_or_year(words), index=words.index))


NAMED: dict[str, tuple[str, Callable[[pd.Series], pd.Series]]] = {
    FINANCIAL_YEAR: ("iso", _financial_years),
    QUARTER: ("iso", _by_word(_calendar_quarter)),
    FINANCIAL_QUARTER: ("dmy", _by_word(lambda word: _financial(word, IN_QUARTERS, 3))),
    MONTHS_QUARTER: ("dmy", _by_word(lambda word: _span(word, 3))),
    MONTHS_YEAR: ("dmy", _by_word(lambda word: _span(word, 12))),
    FINANCIAL_MONTH: ("dmy", _by_word(lambda word: _financial(word, IN_PERIODS, 1))),
}
"""Ways of naming, each with the family of its format and what reads it."""
