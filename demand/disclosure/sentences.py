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
    *(
        "condition",
        "draw",
        "attribute",
        "column",
        "level",
        "lag",
        "window",
        "step",
        "driver",
        "scenario",
        "line",
        "area",
        "method",
        "replay",
    ),
    *("fold", "interval", "degree", "band", "question", "horizon", "figure", "note", "file", "rule", "table"),
)
"""What may be counted before all: none of it is people. Also with an s."""
UNITS = (
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
)
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
WORDS = {
    **{w: n for n, w in enumerate((*UNITS, "sixteen", "seventeen", "eighteen", "nineteen"), start=1)},
    **{f"{t}{u and link}{u}": 10 * n + k for n, t in enumerate(TENS, start=2) for k, u in enumerate(("", *UNITS[:9])) for link in "- "},
    **dict.fromkeys(("a dozen", "dozen"), 12),
    **dict(zip(("a single", "both", "half a dozen", "a half-dozen", "two dozen"), (1, 2, 6, 6, 24), strict=True)),
    **dict(zip(("a couple of", "a pair of", "a handful of", "twins", "triplets"), (2, 2, 4, 2, 3), strict=True)),
    **dict(zip(("a couple", "a trio of", "a trio", "a quartet of", "the only one"), (2, 3, 3, 4, 1), strict=True)),
    **dict.fromkeys(("the only", "an only", "the lone", "a lone", "a solitary"), 1),
}
NO_FIGURES = frozenset({"both", "dozen", "twins", "triplets"})
"""Words for numbers that no larger number is made of."""
SPACED = r"[\s,-]+"
SCALES = {"thousand": 1_000, "million": 1_000_000}
TEENS = "|".join(sorted((w for w, n in WORDS.items() if w.isalpha() and n < 20 and w not in NO_FIGURES), key=len, reverse=True))
BELOW = rf"(?:(?:{'|'.join(TENS)})(?:[\s-]+(?:{'|'.join(UNITS[:9])}))?|{TEENS})(?!\w)"
HUNDRED = rf"(?:{BELOW}|\ban?|\d{{1,3}})\s+hundred(?:\s+(?:and\s+)?{BELOW}(?!\s+hundred))?"
MANY = "|".join(SCALES)
HUNDREDS = re.compile(
    rf"(?<![\w.,£$€-])(?:(?:{HUNDRED}|{BELOW}|an?|\d{{1,3}})\s+(?:{MANY})(?:,?\s+(?:and\s+)?(?:{HUNDRED}|{BELOW})\s+thousand)?"
    rf"(?:,?\s+(?:and\s+)?{HUNDRED}|\s+(?:and\s+)?{BELOW}(?!\s+hundred))?|{HUNDRED})(?![\w-]|\s+(?:hundred|{MANY}))",
    re.IGNORECASE,
)
"""Large numbers in letters: "two hundred and twenty five", "one million, two hundred thousand and three"."""
FOLLOWED = frozenset({"one", "both", "a couple", "a trio", "a single", "the only", "an only", "the lone", "a lone", "a solitary"})
"""Words that count people only where people follow."""
SOMEBODY = (
    r"(?:people|persons?|child(?:ren)?|households?|famil(?:y|ies)|wom[ae]n|m[ae]n|girls?|boys?|cases?|tenants?|adults?|residents?|users?"
    r"|applicants?|clients?|carers?|placements?|patients?|pupils?|individuals?|babies|baby|siblings?|mothers?|fathers?|mums?|dads?|parents?"
    r"|infants?|toddlers?|teenagers?|youths?|brothers?|sisters?|sons?|daughters?|twins?|triplets?|couples?|grand(?:parents?|mothers?|fathers?)"
    r"|husbands?|wife|wives|widows?|widowers?|pensioners?|veterans?|refugees?|students?|learners?|claimants?|minors?|newborns?|orphans?"
    r"|victims?|survivors?|offenders?|prisoners?)\b"
)
PEOPLE = re.compile(
    rf"\s*(?:of (?:the|these|those|our) )?(?:(?!(?:and|or|of|for|in|with|to|by|on|than|per|from)\b)[\w'-]+ ){{0,2}}{SOMEBODY}", re.I
)
"""People, also after a word or two that say which."""
ONE = rf"\d{{1,3}}(?:,\d{{3}})+|\d+|{'|'.join(sorted(WORDS, key=len, reverse=True))}"
NUMBER = re.compile(
    rf"(?<![\w.,£$€'/-])(?:(?P<share>(?:1|one) in (?:{ONE})|4 in 5|19 in 20)"
    rf"|(?P<low>{ONE})(?:(?:\s*[-–]\s*|\s+(?:of|to|or)\s+|(?<=between \d)\s+and\s+|(?<=between \d\d)\s+and\s+)(?P<high>{ONE}))?)"
    rf"(?!(?!{SOMEBODY})[\w'/]|[.,]\d|-\w)",
    re.IGNORECASE,
)
"""A number, also in letters, as a part of another or as a range; or a share."""
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
OF_YEARS = f"in|since|years?|until|till|after|before|during|{MONTHS}"
A_YEAR = re.compile(rf"\b(?:{OF_YEARS})\s+$", re.IGNORECASE)
A_YEAR_OR_COUNT = re.compile(rf"\b(?:{OF_YEARS}|from|by|of)\s+$", re.IGNORECASE)
"""A number in letters that follows may be a year, and its last word a count: "since two thousand two households left"."""
ADJECTIVES = "other|earlier|later|such|possible|joint|closed|whole|full|single|further|more|last|first|past|financial"
AT_END = re.compile(r"\s*(?:[.,;:)!?]|$)")
SMALL = re.compile(r"\s+(?:of|in|and|or|to|at|on|for|with|by|from|is|was|has|had|that|which|before|after|ahead|ago|later|earlier)\b")
"""A noun ends where one of these follows."""
HAPPENED = r"(?:was|were|had|moved|left|came|died|went|stayed|returned|lost|joined)\b"
BY_ITSELF = re.compile(rf"\s+(?:(?:more|other|further)\s+)?{HAPPENED}", re.IGNORECASE)
"""What one of them did: "one was moved"."""
WHICH = re.compile(
    r"\b(?:this|that|each|every|which|the|other|another|latest|first|last|earlier|later|old|new|no|any|of|about)\s+$", re.IGNORECASE
)
""""The latest one was fitted": not a person."""
COUNTED = re.compile(r"\b(?:had|has|only|just|was|were|then|but)\s+$", re.IGNORECASE)


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
    return tuple(_tidy(NUMBER.sub(lambda found: _cleared(found, rule), _plainly(s)), rule) for s in sentences)


def _plainly(text: str) -> str:
    """Say numbers in one way: "2,3 children" as two numbers, "3.0" and "'3'" as 3, "one (1)" as one, "a child was moved" as one child."""
    ahead = rf"\d{{1,2}}(?!\d)(?:\s+(?:or|and)\s+\d+)?{PEOPLE.pattern}"
    text = re.sub(rf"(?<![\w.,])(\d{{1,2}}),(?={ahead})", r"\1, ", text, flags=re.IGNORECASE)
    text = re.sub(rf"(?<![\w.,])['\"]?(\d+)(?:\.0+)?['\"]?(?!\d)(?={PEOPLE.pattern})", r"\1", text, flags=re.IGNORECASE)
    text = HUNDREDS.sub(_in_figures, text)
    text = re.sub(rf"\b({'|'.join(TENS)})\s+(?=(?:{'|'.join(UNITS[:9])})\b)", r"\1 ", text, flags=re.IGNORECASE)
    text = re.sub(
        rf"\b({ONE}) \((\d+)\)", lambda found: found[1] if _count(found[1]) == int(found[2]) else found[0], text, flags=re.IGNORECASE
    )
    text = re.sub(rf"(?<=between )({'|'.join(WORDS)})(?= and )", lambda found: str(WORDS[found[0].lower()]), text, flags=re.IGNORECASE)
    return re.sub(rf"\ban?(?= (?:[\w'-]+ )?{SOMEBODY} {HAPPENED})", "one", text, flags=re.IGNORECASE)


def _count(text: str) -> int:
    """Give the number that figures or letters say."""
    return WORDS.get(text.lower()) or int(text.replace(",", ""))


def _in_figures(found: re.Match[str]) -> str:
    """Give "two hundred and twenty five" as 225; "a hundred" is round and stays."""
    said = re.split(SPACED, found[0].lower())
    if said[0] in {"a", "an"} and len(said) == 2:
        return found[0]
    few = _few_at_end(found)
    return f"{_large(re.split(SPACED, found[0][: -len(few)].lower().strip())):,} {few}" if few else f"{_large(said):,}"


def _few_at_end(found: re.Match[str]) -> str:
    """Give the last word of a number where it may be a count by itself, after a year: it must be cleared then."""
    before, after, words = found.string[: found.start()], found.string[found.end() :], found[0].split()
    if not (PEOPLE.match(after) or BY_ITSELF.match(after)) or words[-1].lower() not in WORDS or "-" in words[-1]:
        return ""
    if words[-2].lower() == "and" or not A_YEAR_OR_COUNT.search(before):
        return ""
    year = 1900 <= _large(re.split(SPACED, " ".join(words[:-1]).lower())) < 2100 and A_YEAR.search(before)
    return words[-1] if year or words[-2].lower() in {"hundred", *SCALES} or "and" not in found[0].lower().split() else ""


def _large(words: Sequence[str]) -> int:
    """Give the number that the words of a large number say."""
    whole = part = 0
    for word in words:
        if word in SCALES:
            whole, part = whole + part * SCALES[word], 0
        elif word == "hundred":
            part *= 100
        elif word != "and":
            part += 1 if word in {"a", "an"} else _count(word)
    return whole + part


def _cleared(found: re.Match[str], rule: Policy) -> str:
    text, after, before = found.group(0), found.string[found.end() :], found.string[: found.start()]
    if found["share"] or _harmless(found, after, before, rule):
        return text
    gap = " " if re.match(r"\w", after) else ""
    return re.sub(ONE, lambda one: _number(one.group(0), rule, after), text, flags=re.IGNORECASE) + gap


def _number(text: str, rule: Policy, after: str) -> str:
    if re.fullmatch(r"(?:19|20)\d\d", text) and not re.match(rf"\s+{SOMEBODY}", after):
        return text
    return _one(_count(text), rule)


def _harmless(found: re.Match[str], after: str, before: str, rule: Policy) -> bool:
    """Say whether it is plain that a number counts no people."""
    text, low, high = found.group(0), found["low"].lower(), found["high"]
    count = _count(low)
    if re.match(r"\s*(?:%|per ?cent\b)", after) or re.match(rf"\s+(?:{MONTHS})\b", after) or re.fullmatch(r"(?:19|20)\d\d[-–]\d\d", text):
        return True
    if re.search(r"\b(?:version|seed|sheet|row|table|times in)\s+$", before) or _is_age(before, after):
        return True
    if re.search(r"\b(?:fewer|less) than\s+$", before) and not high and count >= rule.hide_below:
        return True
    if (
        not high
        and low == "one"
        and not WHICH.search(before)
        and (BY_ITSELF.match(after) or (COUNTED.search(before) and AT_END.match(after)))
    ):
        return False
    if not high and low in FOLLOWED:
        anybody = low == "one" and re.search(r"\b(?:about|of|on|no|any|each|for|than|to)\s+$", before)
        alone = low in {"both", "a couple", "a trio"} and BY_ITSELF.match(after)
        return bool(anybody) or not (alone or PEOPLE.match(after) or re.match(r"\s+of (?:them|whom)\b", after))
    return _of_things(after, alone=count == 1 and not high)


def _is_age(before: str, after: str) -> bool:
    if re.match(r"(?:\s+and\s+\d+)?[\s-]+years?[\s-]olds?\b", after) or re.search(r"\bage[ds]?(?: (?:is|of|between|from))?\s+$", before):
        return True
    return bool(re.search(r"\baged \d+ and\s+$", before) and AT_END.match(after))


def _of_things(after: str, *, alone: bool) -> bool:
    """Say whether something harmless is counted. In the singular it says of which kind something else is: "3 group homes"."""
    ahead = re.match(rf"\s+(?:(?:{ADJECTIVES})\s+)*(?P<what>{'|'.join(HARMLESS)})(?P<many>s?)(?![\w-])", after)
    if ahead is None:
        return False
    rest = after[ahead.end() :]
    return bool(ahead["many"] or ahead["what"] == "series" or (alone and (AT_END.match(rest) or SMALL.match(rest))))


def _tidy(text: str, rule: Policy) -> str:
    """Say once what became the same: between 15 and 15, no more than fewer than 5."""
    few = f"fewer than {rule.hide_below}"
    text = re.sub(rf"\b[Bb]etween ({few}|[\d,]+) and \1(?![\w,])", r"\1", text)
    text = re.sub(rf"({few}|(?<![\w.,])[\d,]+)(?: to | or |\s*[-–]\s*)\1(?![\w,.])", r"\1", text)
    text = re.sub(rf"{few} of {few}\b", few, text)
    return re.sub(rf"\b(?:no more|not more|fewer|less) than {few}\b", few, text, flags=re.IGNORECASE)


def _one(count: int, rule: Policy) -> str:
    if count == 0 and not rule.hide_zero:
        return "0"
    return f"fewer than {rule.hide_below}" if count < rule.hide_below else f"{rule.rounded(count):,}"
