"""Columns that name people, told by what they hold and not by what they are called.

In: a column that somebody asked to load. Out: faults where it holds national insurance or NHS numbers, driving licences, bank details,
passports, postcodes, addresses, phone numbers, e-mail addresses, dates of birth, names of people, free text, or references of single
cases. Refuses such columns; messages say which kind and which rows, never what stands there. What a column is called adds to what it holds
and never takes away.

National insurance numbers: HMRC manual NIM39110, with prefixes that were never given out. Driving licences: DVLA, sixteen signs. Bank
details: ISO 13616 (IBAN, with its check modulo 97), ISO/IEC 7812 (cards, with Luhn's check), and sort codes with an account. NHS numbers:
ten digits, the last a check digit modulo 11 (NHS Data Dictionary).
Postcodes: BS 7666 as in the Government Data Standards Catalogue. A postcode district alone (CF10) is an area and is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import normalize

import numpy as np
import pandas as pd

from demand.data.cells import matches, rows_text, to_text
from demand.data.formats import parse_dates
from demand.data.names import named, of_places
from demand.data.numbers import to_numbers
from demand.errors import Fault, Row

__all__ = ["identifier_faults", "shape_faults"]

GAP = r"[ .,_/\-]{0,2}"
ORDINAL = r"(?-i:1st|2nd|3rd|[04-9]th|\dhr)\b"
DATE = r"0[1-9][/.-](?:(?:0[1-9]|1[0-2])[/.-](?:(?:19|20)\d\d|\d\d(?!\.))|(?:19|20)\d\d)(?!\d)"
"""What is no postcode though it follows a letter and a figure ("B1 1st tier"), and no phone number though it begins with a nought."""
KINDS = {
    "national insurance numbers": re.compile(
        rf"(?<![A-Z])(?:[A-Z]{{2}}{GAP}\d{{2}}{GAP}\d{{2}}{GAP}\d{{2}}{GAP}[A-D]|TN{GAP}(?:\d{{2}}{GAP}){{3}}[MF])\b", re.IGNORECASE
    ),
    "driving licence numbers": re.compile(
        rf"\b(?=[A-Z9]{{5}})[A-Z]{{1,5}}9{{0,4}}{GAP}\d(?:[05][1-9]|[16][0-2])(?:0[1-9]|[12]\d|3[01])\d{GAP}[A-Z9]{{2}}[A-Z\d]{GAP}[A-Z]{{2}}\b",
        re.IGNORECASE,
    ),
    "bank details": re.compile(
        r"\b\d{2}[- ]\d{2}[- ]\d{2}[^\w]{1,4}(?:[a-z]{2,8}[^\w]{1,4})?\d{8}\b",
        re.IGNORECASE,
    ),
    "passport numbers": re.compile(r"\b\d{9} ?GBR\b|\bpassport\W{1,3}(?:no\W{1,3}|number\W{1,3})?[A-Z]{0,2}\d{6,9}\b", re.IGNORECASE),
    "postcodes": re.compile(
        rf"\b(?:(?:[BEGLMNSW]|[A-PR-UWYZ][A-HK-Y])\d[A-Z\d]?|GIR){GAP}(?!{ORDINAL})\d[ABD-HJLNP-UW-Z]{{2}}\b", re.IGNORECASE
    ),
    "e-mail addresses": re.compile(r"[^\s@]+(?:@| ?[(\[]at[)\]] ?)[^\s@]+\.[A-Za-z]{2,}|\S+ at \S+ dot [a-z]{2,}", re.IGNORECASE),
    "phone numbers": re.compile(
        rf"(?<![\w.])(?<!\d\d\d\d-)(?!{DATE})(?:(?:\+44|0044) ?(?:\(0\))?|\(?0)(?=(?:[ ()./-]{{0,2}}\d){{9,10}}(?!\d))[ ()./-]{{0,2}}[1-9]"
        r"|(?<!\w)\+\d{1,3}(?=(?:[ ()./-]{0,2}\d){8,12}(?!\d))"
    ),
    "accounts of people": re.compile(
        r"(?:^|\s)@[a-z]\w{2,}|\b(?:facebook|instagram|twitter|linkedin|tiktok|snapchat)\.com/\S+", re.IGNORECASE
    ),
    "co-ordinates of homes": re.compile(r"(?<![\d.])(?:49|5\d|60)\.\d{4,}[,; /]+-?\d\.\d{4,}|///[a-z]{3,}\.[a-z]{3,}\.[a-z]{3,}"),
}
"""One cell is enough."""
IBAN_SIGNS = {
    "BE": 16, "BG": 22, "CY": 28, "CZ": 24, "DE": 22, "ES": 24, "FR": 27, "GB": 22, "GR": 27, "HU": 28, "IE": 22, "IT": 27, "LT": 20,
    "LV": 21, "NL": 18, "PL": 28, "PT": 25, "RO": 24, "SK": 24,
}  # fmt: skip
IBAN = re.compile(rf"(?<![A-Z\d])(?=((?:{'|'.join(IBAN_SIGNS)})\d\d(?:[ -]{{0,2}}[A-Z\d]){{12,24}}))", re.IGNORECASE)
CARD = re.compile(r"(?<![\d-])(?:4\d{3}|5[1-5]\d{2}|2[2-7]\d{2})(?:[ -]\d{4}){3}(?![\d-])")
"""Numbers of accounts and cards, before their check; an IBAN has so many signs in each country."""
NINO_GIVEN = re.compile(
    rf"(?<![A-Z])(?:[A-Z]{{2}}\d{{6}}[A-D]|(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]{GAP}(?:\d{{2}}{GAP}){{3}}[A-D])\b",
    re.IGNORECASE,
)
"""In counts a number with gaps ("FY 2022/23 A") must have a prefix that was given out."""
NINO_BARE = re.compile(r"^[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}$", re.IGNORECASE)
NHS = re.compile(r"(?<!\d)(\d{3})[ .,\-]?(\d{3})[ .,\-]?(\d{4})(?!\d)")
MOBILE = re.compile(r"^7[1-9]\d{8}(?:\.0)?$")
ADDRESS = re.compile(
    r"\b\d+[a-z]?,? +(?:[^\W\d]+ +){0,3}(?:street|st|road|rd|avenue|lane|close|drive|court|crescent|terrace|place|gardens|stryd|heol"
    r"|ffordd|lôn|maes|bryn|rhodfa|cilgant|teras|clos)\b",
    re.IGNORECASE,
)
LEAST, MANY, MOSTLY, MANY_DIFFERENT, NEARLY_ALL = 3, 20, 0.8, 0.3, 0.9
"""Names are told by their number: at least so many cells, most of them written like names, and so large a share of them different."""
LONG_WORDS, ONCE = 6, 5
"""Cells with more words than this are sentences; so many that stand there once are free text."""
NOTE_WORDS = 8
"""A cell with more words than this, which stands there once among cells of a word or two, is a note about somebody."""
SPOKEN = re.compile(
    r"\b(?:he|she|his|him|hers|mum|mam|dad|nan|husband|wife|boyfriend|girlfriend|keyworker|tel|t/c|rang|phoned|spoke|texted|upset|landlord"
    r" says|asked for|gŵr|gwraig|ffoniodd|dywedodd)\b",
    re.IGNORECASE,
)
"""Words of notes about somebody, which no list of reasons has."""
NOTE_LEAST = 3
"""A note has so many words at least."""
LONG_CODE = 7
"""Codes of so many signs, nearly all different, are references of single cases."""
LONG_NUMBER = 8
"""So are whole numbers of so many figures: accounts, addresses, passports, numbers that a health or tax office gave."""
LONGEST_COUNT = 8
"""Counts have no more figures."""
FEW = 6
"""So many long codes or numbers are enough where no two are alike: a column of them describes nothing."""
CALLED_REFERENCE = re.compile(
    r"(?:^|[\W_])(?:id|ref|reference|no|num|number|nhs|nino|ni|upn|uln|crn|passport|licen[cs]e|iban|account|rhif|cyfeirnod)s?$",
    re.IGNORECASE,
)
CALLED_NAME = re.compile(
    r"(?:fore|first|last|given|family|middle|sur|full|client|applicant|child|tenant|resident|patient|carer|officer|worker|known.?as.?)_?\s?-?names?\b|surname|nickname|cyfenw",
    re.IGNORECASE,
)
CALLED_NOTE = re.compile(r"(?:^|[\W_])(?:notes?|comments?|narrative|remarks?|nodiadau|sylwadau)$", re.IGNORECASE)
"""What columns are called that hold references, names and notes: there fewer cells are enough."""
LIFETIME_DAYS = 25 * 365
"""Days that lie further apart than this are dates of birth: systems are not so old."""
LEAVE_OUT = "Leave it out of 'keys' and 'attributes'; only columns that are named are loaded"
NO_NAME = "; where they are names of places, schools or providers, name it in 'not_names' (data > people)"
NO_REFERENCE = "; where its codes or numbers are of places, organisations or sums, name it in 'not_references' (data > people)"
AS_BAND = "Name the column as 'born' and 'age_band' among the attributes: only the band is kept"
AS_AREA = "Name the column as 'postcode' and 'postcode_area' among keys or attributes: only the area is kept"
REFERENCES, PEOPLE, NINO = "references of single cases", "names of people", "national insurance numbers"
MENDS = {"postcodes": AS_AREA, REFERENCES: LEAVE_OUT + NO_REFERENCE, PEOPLE: LEAVE_OUT + NO_NAME}
LIKE_CODES = {"postcodes", "phone numbers", NINO}
"""Kinds that codes and periods of counts may look like: there so many different cells are asked for (LEAST), or all of them."""
DIFFERENT = 50
"""From so many different codes on, each of which stands there thrice or less on average, they are references of people."""
AREA_CODE = r"(?:[A-Z]\d{8}|\d\d[A-Z]{2}(?:[A-Z]{2})?|\d{4}-?W\d\d|[A-Za-z]{1,2}\d[A-Za-z\d]?(?: ?\d)?)"
"""Codes of the statistics office (W05000001, and 00NAAB before 2011), weeks, and parts of postcodes: many, and of nobody."""
PERIOD = r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])?"
"""A month or a day as a number."""
DAY_OF_SIX = r"(?:0?[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d\d(?:\.0)?"
"""A day as ddmmyy, its nought in front perhaps lost."""
NUMBERED = r"(?i:team|ward|area|zone|patch|locality|cluster|district|school|provider|band|level|t[iî]m|ardal|ysgol|clwstwr) ?\d{1,3}"
"""Places and teams that are only numbered."""
PRICE = r"(?i:£ ?\d[\d,.]*\D{0,14}|\d[\d,.]* ?(?:pw|p\.w\.|p/w|pcm|(?:per|a) (?:week|month|night)))"
"""A price as it is written."""
SUMS = re.compile(
    r"£|(?:^|[\W_])(?:amount|arrears|charge|cost|debt|fee|income|price|rent|salary|savings|spend|value|wage)s?$", re.IGNORECASE
)
"""What a column of pounds is called."""
SHORT_CODE, CASE_DIGITS, CALLED_DIGITS = 5, 6, 4
"""Signs of a reference that stands there for several episodes; figures of a number that is one; and where the column is called so."""
PROBED = 5000
"""So many different cells are looked at."""


def identifier_faults(column: pd.Series, rows: np.ndarray, where: str, *, references: bool = True, names: bool = True) -> list[Fault]:
    """Say whether a column names people.

    Parameters
    ----------
    column : pandas.Series
    rows : numpy.ndarray
        Row numbers.
    where : str
        File and column.
    references : bool
        Whether references of single cases are looked for; False where somebody has said that the column holds none.
    names : bool
        The same for names of people.

    Returns
    -------
    list of Fault
        At most one.
    """
    if pd.api.types.is_bool_dtype(column):
        return []
    text = _plain(to_text(column))
    called = where.rpartition(" > ")[2].casefold()
    if _births(column, text, called):
        return [_fault("dates of birth", rows[text.notna().to_numpy()], where, AS_BAND)]
    if pd.api.types.is_datetime64_any_dtype(column):
        return []
    if _latitudes(text):
        return [_fault("co-ordinates of homes", rows[text.notna().to_numpy()], where, LEAVE_OUT)]
    for kind, mask in (*_patterns(text), *_by_number(text, called)):
        if mask.any() and (references or kind != REFERENCES) and (names or kind != PEOPLE):
            return [_fault(kind, rows[mask], where, MENDS.get(kind, LEAVE_OUT))]
    return []


def shape_faults(column: pd.Series, rows: np.ndarray, where: str) -> list[Fault]:
    """Say whether a column of counts, or of what is counted by, holds what has the shape of a person's own number or address.

    Parameters
    ----------
    column, rows, where
        As in `identifier_faults`.

    Returns
    -------
    list of Fault
        At most one. Names of people are not looked for: what is counted by bears names.
    """
    text = _plain(to_text(column))
    some = pd.Series(text.dropna().unique(), dtype=object).astype(str)
    alone = len(some) >= FEW and len(some) > NEARLY_ALL * text.notna().sum() and not SUMS.search(where.rpartition(" > ")[2].casefold())
    numbered = text.notna().to_numpy() & (alone and _case_numbers(some, LONGEST_COUNT + 1))
    for kind, mask in (*_patterns(text), ("NHS numbers", _nhs(text, some)), (REFERENCES, numbered)):
        found = mask & matches(text, NINO_GIVEN) if kind == NINO else mask
        if text[found].nunique() >= max(min(LEAST, len(some)) if kind in LIKE_CODES else 1, 1):
            return [_fault(kind, rows[found], where, "Name another column: this one is of persons")]
    return []


def _plain(text: pd.Series) -> pd.Series:
    """Give cells as they are meant: without odd blanks, quotes, commas between thousands, and powers of ten."""
    codes, words = pd.factorize(text, use_na_sentinel=True)
    plain = [normalize("NFKC", str(w)).strip("'\"‘’“” ") for w in words]
    plain = [w.replace(",", "") if re.fullmatch(r"\d{1,3}(?:,\d{3})+", w) else w for w in plain]
    plain = [f"{float(w):.0f}" if re.fullmatch(r"\d\.\d+E\+09", w) else w for w in plain]
    return pd.Series(np.array([*plain, None], dtype=object)[codes], index=text.index)


def _latitudes(text: pd.Series) -> bool:
    """Say whether a column holds the latitudes of homes in these islands, to ten metres or nearer."""
    given = text.dropna()
    return len(given) >= MANY and bool(given.str.fullmatch(r"(?:49|5\d|60)\.\d{4,}").mean() > NEARLY_ALL)


def _births(column: pd.Series, text: pd.Series, called: str) -> bool:
    """Say whether a column holds dates of birth: days over more than half a lifetime, or in a column that is called so."""
    figures = text.dropna().str.fullmatch(rf"{PERIOD.removesuffix('?')}|{DAY_OF_SIX}").mean() > NEARLY_ALL
    numeric = pd.api.types.is_numeric_dtype(column) and not figures
    if text.notna().sum() < LEAST or (numeric and "dob" not in called and "birth" not in called):
        return False
    six = text.dropna()[text.dropna().str.fullmatch(DAY_OF_SIX)]
    if len(six) > NEARLY_ALL * text.notna().sum() and six.str.removesuffix(".0").str[-2:].nunique() > LIFETIME_DAYS / 365:
        return True
    days = parse_dates(column)
    told = (
        "year (",
        "year-month (",
        "year month (",
        "year named",
        "financial year",
        "quarter",
        "month year",
        "month-year",
        "month/year",
        "month of",
        "week",
        "Excel",
    )
    if (days.wrong.sum() > (1 - MOSTLY) * text.notna().sum()) or (days.label.startswith(told) and "dob" not in called):
        return False
    known = days.values.dropna()
    apart = known.nunique() >= MANY // 2 and (known.quantile(0.98) - known.quantile(0.02)).days > LIFETIME_DAYS
    return apart or bool(len(known) and re.search(r"dob|birth|\bborn|geni", called))


def _patterns(text: pd.Series) -> Iterator[tuple[str, np.ndarray]]:
    """Find what has a shape of its own; a number alone is a phone number only where most of the column are."""
    for kind, pattern in KINDS.items():
        mask = matches(text, pattern)
        if kind == "bank details":
            mask |= text.isin({w for w in text.dropna().unique() if _account(str(w))}).to_numpy()
        bare = kind == "phone numbers" and mask.any() and mask.sum() < 0.5 * text.notna().sum() and not _spaced(text[mask])
        if not bare:
            yield kind, mask


def _account(cell: str) -> bool:
    """Say whether a cell holds the number of an account (modulo 97) or of a card (Luhn) with its right check digits."""
    for found in IBAN.finditer(cell):
        signs = re.sub(r"[ -]", "", found[1]).upper()
        signs = signs[: IBAN_SIGNS[signs[:2]]]
        whole = len(signs) == IBAN_SIGNS[signs[:2]] and sum(s.isdigit() for s in signs[4:]) >= LONG_NUMBER
        if whole and int("".join(str(int(s, 36)) for s in signs[4:] + signs[:4])) % 97 == 1:
            return True
    cards = ([int(d) for d in re.sub(r"\D", "", found[0])] for found in CARD.finditer(cell))
    return any(sum(sum(divmod(d * (2 - i % 2), 10)) for i, d in enumerate(card)) % 10 == 0 for card in cards)


def _by_number(text: pd.Series, called: str) -> Iterator[tuple[str, np.ndarray]]:
    """Find what shows only in many cells: numbers by their check digits, free text, names, references."""
    counted = text.dropna().astype(str).value_counts(sort=False)
    given = max(int(counted.sum()), 1)
    words = pd.Series(counted.index, dtype=object)
    some = words.iloc[:: max(len(words) // PROBED, 1)].reset_index(drop=True)
    yield "NHS numbers", _nhs(text, some)
    for kind, pattern, share in (("phone numbers", MOBILE, MOSTLY), (NINO, NINO_BARE, 0.5)):
        shaped = some[some.str.match(pattern)]
        varied = kind == "phone numbers" or shaped.str[:2].str.upper().nunique() > LEAST
        if len(shaped) >= LEAST and len(shaped) > share * len(some) and varied:
            yield kind, matches(text, pattern)
    long = some[some.str.count(r"\S+") > LONG_WORDS]
    once = long[counted.reindex(long).to_numpy() == 1]
    different = len(words) / given > MANY_DIFFERENT
    length = some.str.count(r"\S+")
    noted = (length > NOTE_WORDS) & (counted.reindex(some).to_numpy() == 1)  # a note among cells of a word or two
    rest = length[~noted].repeat(counted.reindex(some[~noted]).to_numpy())
    if (
        len(once) >= ONCE
        or (noted.any() and (rest.empty or rest.median() <= 2))
        or (different and len(long) >= max(LEAST, 0.5 * len(some)))
    ):
        yield "free text", text.isin(set(long)).to_numpy()
    addresses = some[some.str.contains(ADDRESS)]
    if different and len(addresses) >= max(LEAST, 0.1 * len(some)):
        yield "addresses", matches(text, ADDRESS)
    people = named(some, given=given, different=len(words), called=called)
    if len(people) or (CALLED_NAME.search(called) and not of_places(called) and _letters(some).sum() > max(LEAST, MOSTLY * len(some))):
        yield PEOPLE, text.isin(set(people if len(people) else some)).to_numpy()
    each = given >= FEW and len(words) > NEARLY_ALL * given
    yield (
        "free text",
        text.isin(
            set(_notes(some, counted.reindex(some).to_numpy() == 1, different=different, told=each or bool(CALLED_NOTE.search(called))))
        ).to_numpy(),
    )
    if "uprn" not in called and _of_cases(some, called, each=each, several=len(words) >= DIFFERENT and different):
        yield REFERENCES, text.notna().to_numpy()


def _letters(some: pd.Series) -> pd.Series:
    """Say which cells hold words and no figures."""
    return some.str.contains(r"[^\W\d]{2}") & ~some.str.contains(r"\d")


def _notes(some: pd.Series, once: np.ndarray, *, different: bool, told: bool) -> pd.Series:
    """Give the cells that are notes: as people speak of each other, or of several words with no two alike or called so.

    What is spoken and stands there again and again is a list's: "Husband or male partner".
    """
    several = some[some.str.count(r"[^\W\d]{2,}") >= NOTE_LEAST]
    spoken = several[several.str.contains(SPOKEN)]
    alone = int(once[spoken.index].sum())
    if alone > max(1, len(spoken) - alone) or (different and len(spoken) > max(1, 0.5 * len(some))):
        return spoken
    return several if told and len(several) > max(LEAST - 1, 0.5 * len(some)) else some.iloc[:0]


def _of_cases(some: pd.Series, called: str, *, each: bool, several: bool) -> bool:
    """Say whether cells are references of single cases: each its own, or so many that each stands for several episodes of somebody."""
    told = bool(CALLED_REFERENCE.search(called))
    sums = bool(SUMS.search(called))
    if each and (
        _references(some, SHORT_CODE if told else LONG_CODE) or (not sums and _case_numbers(some, CALLED_DIGITS if told else LONG_NUMBER))
    ):
        return True
    return several and (_references(some, SHORT_CODE) or (not sums and _case_numbers(some, CASE_DIGITS)))


def _nhs(text: pd.Series, some: pd.Series) -> np.ndarray:
    """Find ten digits in a cell of which most carry their right check digit."""
    parts = some.str.extract(NHS).dropna()
    ten = parts[0] + parts[1] + parts[2] if len(parts) else pd.Series(dtype=object)
    if len(ten) < LEAST or _checked(ten).mean() <= 0.5:
        return np.zeros(len(text), dtype=bool)
    return np.asarray(text.isin(set(some[ten.index])))


def _references(some: pd.Series, least: int) -> bool:
    """Say whether cells are codes of letters and figures, of so many signs at least: no numbers, no days, no codes of areas."""
    if some.str.fullmatch(r"[a-z]{3,}\.[a-z]{3,}\.[a-z]{3,}").mean() > NEARLY_ALL:  # three words for a square of three metres
        return True
    mixed = some.str.contains(r"\d", regex=True) & ~some.str.fullmatch(f"{AREA_CODE}|{NUMBERED}|{PRICE}") & (some.str.len() >= least)
    if mixed.sum() <= NEARLY_ALL * len(some) or parse_dates(some).wrong.mean() < 0.5:
        return False
    return bool(to_numbers(some).wrong.mean() > 0.5)


def _case_numbers(some: pd.Series, digits: int) -> bool:
    """Say whether cells are whole numbers of one length, as references are: neither months or days nor sums of money in hundreds."""
    whole = some[some.str.fullmatch(r"\d+(?:\.0)?")].str.removesuffix(".0")
    length = whole.str.len()
    if len(whole) <= NEARLY_ALL * len(some) or length.mode()[0] < digits or (length == length.mode()[0]).mean() < NEARLY_ALL:
        return False
    if whole.str.fullmatch(DAY_OF_SIX).mean() > NEARLY_ALL:
        return False
    return bool(whole.str.fullmatch(PERIOD).mean() < 0.5 and whole.str.endswith("00").mean() < 0.5)


def _spaced(text: pd.Series) -> bool:
    """Say whether numbers are written as phone numbers are: with blanks, +44 or 07."""
    return bool(text.str.contains(r"\d[ -]\d|\+44|^07\d{9}$", regex=True).any())


def _checked(numbers: pd.Series) -> pd.Series:
    """Say which NHS numbers carry their right check digit."""
    digits = np.array([[int(d) for d in word if d.isdigit()] for word in numbers])
    check = 11 - (digits[:, :9] * np.arange(10, 1, -1)).sum(axis=1) % 11
    return pd.Series(np.where(check == 11, 0, check) == digits[:, 9], index=numbers.index)


def _fault(kind: str, rows: np.ndarray, where: str, mend: str = LEAVE_OUT) -> Fault:
    every: tuple[Row, ...] = tuple(rows)
    allowed = "Columns that describe and do not name: bands, areas, yes or no"
    return Fault(f"the column holds {kind}, {rows_text(every)}", where, allowed, mend, rule="identifier", rows=every)
