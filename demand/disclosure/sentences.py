"""Sentences made fit to leave: counts of people in prose are rounded or replaced by words, as the policy does in tables.

In: sentences of a run, and a policy. Out: the same sentences. Fails closed: a whole number of which it is not plain what it counts is taken
for a count of people. Shares, years, dates, decimals and numbers of series, months, segments and the like stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from demand.disclosure.policies import Policy, policy_named

__all__ = ["cleared_sentences"]

HARMLESS = (
    *("segment", "series", "year", "date", "month", "week", "day", "quarter", "period", "cutoff", "time", "tenth", "group", "model"),
    *("condition", "draw", "attribute", "column", "level", "lag", "window", "step", "driver", "scenario", "line", "area"),
    *(
        "method",
        "replay",
        "fold",
        "earlier",
        "interval",
        "degree",
        "band",
        "question",
        "horizon",
        "figure",
        "note",
        "file",
        "rule",
        "table",
    ),
)
"""What may be counted before all: none of it is people. Also with an s."""
WORDS = {w: n for n, w in enumerate(("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"), start=1)} | {
    "a single": 1
}
SOMEBODY = (
    r"(?:people|persons?|child(?:ren)?|households?|famil(?:y|ies)|wom[ae]n|m[ae]n|girls?|boys?|cases?|tenants?|adults?|residents?|users?"
    r"|applicants?|clients?|carers?|placements?|patients?|pupils?|individuals?|babies|baby|siblings?)"
)
PEOPLED = re.compile(
    rf"(?<![\w.,£$€])(?P<low>\d{{1,3}}|{'|'.join(WORDS)})(?:\s*[-–]\s*(?P<high>\d{{1,3}}|{'|'.join(WORDS)}))?(?P<gap>\s*)"
    rf"(?=(?:of the [a-z]+ |[a-z]+ )?{SOMEBODY}\b)",
    re.IGNORECASE,
)
"""A number, also in letters or as a range, before a word for people."""
NUMBER = re.compile(
    r"(?<![\w.,£$€'/-])(?P<first>\d{1,3}(?:,\d{3})+|\d+)(?P<more>(?:\s+(?:of|in|to|and)\s+(?:\d{1,3}(?:,\d{3})+|\d+))?)(?![\w'/]|[.,]\d|-\w)"
)
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"


def cleared_sentences(sentences: Sequence[str], policy: Policy | str) -> tuple[str, ...]:
    """Make sentences fit to leave.

    Parameters
    ----------
    sentences : sequence of str
    policy : Policy or str

    Returns
    -------
    tuple of str

    Raises
    ------
    DisclosureError
        Where the policy is not known.

    Examples
    --------
    >>> cleared_sentences(["In all 146 were expected and 3 were counted, in 8 of 10 tenths."], "wales")
    ('In all 145 were expected and fewer than 5 were counted, in 8 of 10 tenths.',)
    """
    rule = policy_named(policy)
    if rule.opens:
        return tuple(sentences)
    first = [PEOPLED.sub(lambda found: _of_people(found, rule), s) for s in sentences]
    return tuple(NUMBER.sub(lambda found: _cleared(found, rule), s) for s in first)


def _of_people(found: re.Match[str], rule: Policy) -> str:
    """Clear a number of people in letters, without a blank or as a range; others are left for the rule of all numbers."""
    text, low, high = found.group(0), found["low"], found["high"]
    before = found.string[: found.start()]
    anybody = not low.isdigit() and WORDS[low.lower()] == 1 and re.search(r"\b(?:about|of|on|no|any|each|for|than|to)\s+$", before)
    if anybody or re.search(r"(?:fewer|less) than\s+$", before) or (low.isdigit() and not high and found["gap"]):
        return text
    ends = [_one(WORDS.get(v.lower()) or int(v), rule) for v in (low, high) if v]
    return " to ".join(dict.fromkeys(ends)) + " "


def _cleared(found: re.Match[str], rule: Policy) -> str:
    text, after, before = found.group(0), found.string[found.end() :], found.string[: found.start()]
    if _harmless(text, after, before):
        return text
    return re.sub(r"\d{1,3}(?:,\d{3})+|\d+", lambda one: _one(int(one.group(0).replace(",", "")), rule), text)


def _harmless(text: str, after: str, before: str) -> bool:
    if re.match(r"\s*%", after) or re.match(rf"\s+(?:{MONTHS})\b", after) or re.search(rf"(?:{MONTHS})\s+$", before):
        return True
    if re.fullmatch(r"(?:19|20)\d\d", text) or text == "4 in 5" or text == "19 in 20":
        return True
    if (
        re.search(r"(?:version|seed|below|at least|reach|level|more than|less than|fewer than|first|last|every|sheet|row)\s+$", before)
        and len(text) < 3
        and (not re.match(r"\s+(?:\S+\s+)?" + SOMEBODY + r"\b", after) or re.search(r"fewer than\s+$", before))
    ):
        return True
    ahead = re.match(r"\s+(?:(?:of|in|other|earlier|such|possible|joint|closed|whole|full|single|further)\s+)*([a-z][a-z -]*)", after)
    return bool(ahead and re.match(rf"(?:{'|'.join(HARMLESS)})s?(?![\w-])(?! managers?\b)", ahead.group(1)))


def _one(count: int, rule: Policy) -> str:
    if count == 0 and not rule.hide_zero:
        return "0"
    return f"fewer than {rule.hide_below}" if count < rule.hide_below else f"{rule.rounded(count):,}"
