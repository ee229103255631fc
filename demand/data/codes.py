"""Codes: spellings that mean one thing, and what a code must look like.

In: columns of codes. Out: one spelling a code where the config says so, proposals where it does not, and cells that are no code of their
list. Refuses nothing: a proposal is applied only when it stands in `codes`.

Sources: GSS codes as in the ONS Register of Geographic Codes (nine characters; W06 the 22 unitary authorities of Wales, W05 wards, W01 and
W02 small areas, W92 the country). UPRN: up to twelve digits (GeoPlace). Ethnic groups: 19 in five of the 2021 Census of England and Wales.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from unicodedata import normalize

import numpy as np
import pandas as pd

from demand.data.cells import MOJIBAKE, to_text
from demand.data.quality import Finding

__all__ = ["ETHNIC_GROUPS", "WELSH_AUTHORITIES", "broader_group", "code_gates", "merge_codes", "pad_uprns", "proposed_codes", "uprn_text"]

WELSH_AUTHORITIES: Mapping[str, str] = {
    "W06000001": "Isle of Anglesey", "W06000002": "Gwynedd", "W06000003": "Conwy", "W06000004": "Denbighshire", "W06000005": "Flintshire",
    "W06000006": "Wrexham", "W06000008": "Ceredigion", "W06000009": "Pembrokeshire", "W06000010": "Carmarthenshire", "W06000011": "Swansea",
    "W06000012": "Neath Port Talbot", "W06000013": "Bridgend", "W06000014": "Vale of Glamorgan", "W06000015": "Cardiff",
    "W06000016": "Rhondda Cynon Taf", "W06000018": "Caerphilly", "W06000019": "Blaenau Gwent", "W06000020": "Torfaen",
    "W06000021": "Monmouthshire", "W06000022": "Newport", "W06000023": "Powys", "W06000024": "Merthyr Tydfil",
}  # fmt: skip
ETHNIC_GROUPS: Mapping[str, tuple[str, ...]] = {
    "Asian, Asian Welsh or Asian British": ("Indian", "Pakistani", "Bangladeshi", "Chinese", "Any other Asian background"),
    "Black, Black Welsh, Black British, Caribbean or African": (
        "Caribbean", "African", "Any other Black, Black British, Caribbean or African background"),
    "Mixed or Multiple ethnic groups": (
        "White and Black Caribbean", "White and Black African", "White and Asian", "Any other Mixed or multiple ethnic background"),
    "White": ("Welsh, English, Scottish, Northern Irish or British", "Irish", "Gypsy or Irish Traveller", "Roma",
              "Any other White background"),
    "Other ethnic group": ("Arab", "Any other ethnic group"),
}  # fmt: skip
UNKNOWN = frozenset(
    {"", "nk", "nknown", "notknown", "unknown", "refused", "notgiven", "notstated", "prefernottosay", "na", "none", "notrecorded"}
)
"""Ways of saying that nobody knows, without blanks and marks."""
TWINS = tuple(
    frozenset(words.split())
    for words in (
        "bandb bb bedandbreakfast bedandbreakfasthotel bandbhotel", "selfcontained sc selfcont", "housesinmultipleoccupation hmo",
        "privatesectorleasing psl privateleased privatesectorleased", "independentfosteringagency ifa ifafoster", "mentalhealth mh",
        "learningdisability ld", "physicaldisability pd", "olderpeople older op", "privaterentedsector prs",
        "directpayment directpayments dp",
    )
)  # fmt: skip
"""What services shorten and how."""
GSS = re.compile(r"[A-Z]\d{8}")
WELSH_LAST: Mapping[str, int] = {"W01": 2100, "W02": 450, "W05": 2000, "W92": 4}
"""Codes of Wales that have been given out, at most: small areas, wards (the last of each in 2023, and some room), the country."""
ALIKE_KINDS: Mapping[str, str] = {"07": "06", "08": "06", "09": "06", "12": "06", "13": "05"}
"""Councils of the four countries have several kinds of codes, and so have wards."""
MOST_CODES = 60
"""A column with more different texts than this holds no codes."""
ALIKE, RARE = 0.85, 0.05
"""A slip of the keyboard: so much alike, and so much rarer than the spelling that it is like."""
LONG_ENOUGH = 4
"""In words of more letters than this, an s at the end makes no other code."""
PROBED = 2000
"""About how many different cells are looked at to see what a column holds."""
MOST_OF = 0.8
"""From this share of cells on, a column of codes is of one kind of area."""
SHARE = 0.6
"""From this share of cells on, a column is taken to hold codes of a list."""


def merge_codes(
    data: pd.DataFrame, codes: Mapping[str, Mapping[str, Sequence[str]]], name: str, rows: np.ndarray
) -> tuple[pd.DataFrame, list[Finding]]:
    """Give one spelling to each code, as the config says.

    Parameters
    ----------
    data : pandas.DataFrame
    codes : mapping
        Column -> code -> its spellings.
    name : str
        The file, for messages.
    rows : numpy.ndarray
        Row numbers.

    Returns
    -------
    data : pandas.DataFrame
    findings : list of Finding
        codes_merged: how many cells were respelt.
    """
    findings = []
    for column in sorted(codes.keys() & set(data.columns)):
        respelt = {spelling.strip(): code for code, spellings in codes[column].items() for spelling in spellings}
        text = to_text(data[column])
        changed = text.isin(set(respelt)) & (text.map(respelt) != text)
        if changed.any():
            data = data.assign(**{column: text.map(respelt).where(changed, text)})
            told = f"spellings were merged into {len(codes[column])} codes, as the config says"
            findings.append(Finding.of("codes_merged", "note", f"{name} > {column}", rows=rows[changed.to_numpy()], message=told))
    return data, findings


def proposed_codes(texts: Iterable[str | None]) -> dict[str, list[str]]:
    """Propose which spellings mean one code.

    Parameters
    ----------
    texts : iterable of str or None
        The cells of a column.

    Returns
    -------
    dict of str to list of str
        The commonest spelling -> the others, where there are any: the same but for case, blanks and marks; shortened as services shorten
        words; or a rare slip of the keyboard. Words for "not known" belong together.

    Examples
    --------
    >>> proposed_codes(["B&B"] * 9 + ["Bed and breakfast", "BB", "hostel"])
    {'B&B': ['BB', 'Bed and breakfast']}
    """
    counted = Counter(t for t in texts if t)
    if not 1 < len(counted) <= MOST_CODES:
        return {}
    groups: dict[str, list[str]] = {}
    for text, times in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])):
        like = next((kept for kept in groups if _same(kept, text) or _slip(kept, text, times / counted[kept])), None)
        groups.setdefault(like or text, []).append(text)
    return {kept: sorted(texts[1:]) for kept, texts in groups.items() if len(texts) > 1}


def code_gates(data: pd.DataFrame, name: str, rows: np.ndarray) -> list[Finding]:
    """Look at columns of codes: spellings that mean one thing, and cells that are no code of the list that the others are of.

    Parameters
    ----------
    data : pandas.DataFrame
        The columns that are loaded as keys and attributes, and references.
    name : str
        The file.
    rows : numpy.ndarray
        Row numbers.

    Returns
    -------
    list of Finding
        mixed_codes, gss_code, uprn, ethnic_group, lost_zeros.
    """
    found = []
    for column in map(str, data.columns):
        text = to_text(data[column])
        for rule, mask, told in _column_gates(column, text):
            if mask.any():
                found.append(Finding.of(rule, "warn", f"{name} > {column}", rows=rows[mask], message=told))
    return found


def broader_group(groups: pd.Series) -> pd.Series:
    """Put ethnic groups of the 2021 census into the five broad ones; None where a group is not of its list.

    Parameters
    ----------
    groups : pandas.Series

    Returns
    -------
    pandas.Series
    """
    broad = {_bare(group): wide for wide, several in ETHNIC_GROUPS.items() for group in (wide, *several)}
    known = {str(g): broad.get(_bare(str(g))) or broad.get(_bare(re.split(r"[:\-–]", str(g))[-1])) for g in groups.dropna().unique()}
    return groups.map(known).astype(object)


def uprn_text(column: pd.Series) -> pd.Series:
    """Give unique property references as text of twelve digits.

    Examples
    --------
    >>> uprn_text(pd.Series(["199356", 100021066689])).tolist()
    ['000000199356', '100021066689']
    """
    text = to_text(column)
    return text.where(~text.fillna("").str.fullmatch(r"\d{1,12}"), text.str.zfill(12))


def pad_uprns(data: pd.DataFrame, name: str, rows: np.ndarray) -> tuple[pd.DataFrame, list[Finding]]:
    """Give property references back the zeros that a spreadsheet took, in columns that are called so.

    Parameters
    ----------
    data : pandas.DataFrame
    name : str
        The file, for messages.
    rows : numpy.ndarray
        Row numbers.

    Returns
    -------
    data : pandas.DataFrame
    findings : list of Finding
        uprn_padded: how many references were shorter than twelve digits.
    """
    findings = []
    for column in [c for c in data.columns if "uprn" in str(c).casefold()]:
        padded = uprn_text(data[column])
        changed = padded.notna() & (padded != to_text(data[column]))
        if changed.any():
            data = data.assign(**{column: padded})
            told = "property references were filled up with zeros to twelve digits"
            findings.append(Finding.of("uprn_padded", "note", f"{name} > {column}", rows=rows[changed.to_numpy()], message=told))
    return data, findings


def _column_gates(column: str, text: pd.Series) -> Iterable[tuple[str, np.ndarray, str]]:
    words = pd.Series(text.dropna().unique(), dtype=object).astype(str)
    if words.empty:
        return
    given = text.notna().to_numpy()
    name = column.casefold()
    if "uprn" in name:
        yield (
            "uprn",
            given & ~text.isin(set(words[words.str.fullmatch(r"\d{1,12}")])).to_numpy(),
            "no property reference: it has up to 12 digits",
        )
        return
    some = words.iloc[:: max(len(words) // PROBED, 1)]  # a million references are not all looked at to see that they are no codes
    if some.str.fullmatch(GSS).mean() > SHARE / 2:
        shaped = set(words[words.str.fullmatch(GSS)])
        if text.isin(shaped).sum() > SHARE * given.sum():
            told = "no code of the statistics office, a retired one, or of another kind of area than the others"
            yield "gss_code", given & ~text.isin(_fitting(shaped, text)).to_numpy(), told
            return
    if "ethnic" in name:
        known = set(words[broader_group(words).notna() | words.map(_bare).isin(UNKNOWN)])
        if text.isin(known).sum() > SHARE * given.sum():
            yield "ethnic_group", given & ~text.isin(known).to_numpy(), "no ethnic group of the 2021 census"
            return
    if some.str.fullmatch(r"\d+").mean() > SHARE:
        yield "lost_zeros", _lost_zeros(text, words), "references that have lost their leading zeros: the others are longer and have them"
    cut = words[words.str.contains("E+", regex=False)]
    if len(cut):
        yield "lost_digits", text.isin(set(cut[cut.str.fullmatch(r"\d\.\d+E\+\d+")])).to_numpy(), "references that Excel cut: 1.00012E+11"
    if len(words) <= MOST_CODES:
        others = {t for several in proposed_codes(text).values() for t in several if not MOJIBAKE.search(t)}
        yield "mixed_codes", text.isin(others).to_numpy(), "other spellings of a code; mapping.yaml proposes which, and 'codes' merges them"


def _fitting(shaped: set[str], text: pd.Series) -> set[str]:
    """Give the codes that are in use, and of the kind of area that most cells are of."""
    kind = {w: ALIKE_KINDS.get(w[1:3], w[1:3]) for w in shaped}
    cells = text.map(kind).value_counts(normalize=True)
    usual = str(cells.index[0]) if cells.iloc[0] > MOST_OF else ""
    known = {w for w in shaped if not w.startswith("W06") or w in WELSH_AUTHORITIES}
    return {w for w in known if 0 < int(w[3:]) <= WELSH_LAST.get(w[:3], int(w[3:])) and kind[w] in (usual or kind[w])}


def _lost_zeros(text: pd.Series, words: pd.Series) -> np.ndarray:
    """Find shorter references where nearly all have one length and some of them begin with 0."""
    digits = words[words.str.fullmatch(r"\d+")]
    if len(digits) < 0.9 * len(words) or len(words) < 20:
        return np.zeros(len(text), dtype=bool)
    lengths = digits.str.len()
    usual = int(lengths.mode()[0])
    full = digits[lengths == usual]
    if not full.str.startswith("0").any() or len(full) < 0.6 * len(digits):
        return np.zeros(len(text), dtype=bool)
    return np.asarray(text.isin(set(digits[lengths < usual])))


def _bare(text: str) -> str:
    """Give a text without case, blanks and marks, and with and for &."""
    letters = normalize("NFKD", text.casefold().replace("&", " and "))
    return re.sub(r"[^a-z0-9+<>]", "", letters)


def _same(one: str, other: str) -> bool:
    a, b = _bare(one), _bare(other)
    if len(a) > LONG_ENOUGH and a.removesuffix("s") == b.removesuffix("s"):
        return True
    return a == b or (a in UNKNOWN and b in UNKNOWN) or any(a in twins and b in twins for twins in TWINS)


def _slip(kept: str, other: str, share: float) -> bool:
    """Say whether a rare text is a slip of a common one: nearly the same letters, the same digits, and no prefix that turns the sense."""
    a, b = _bare(kept), _bare(other)
    if share > RARE or min(len(a), len(b)) < 5 or re.findall(r"\d+|[<>+]", a) != re.findall(r"\d+|[<>+]", b) or a[0] != b[0]:
        return False
    alike = sorted(a) == sorted(b) or SequenceMatcher(None, a, b).ratio() >= ALIKE
    return a not in b and b not in a and alike
