"""Columns that name people, made by hand as an adversary would, and columns beside them that only describe: whatever they are called."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from naming import FOREIGN, PLAIN, WELSH, nhs, nino, refused

from demand.data.identifiers import identifier_faults, shape_faults

WORDS = ["moved", "in", "with", "sister", "after", "the", "flat", "was", "flooded", "and", "asked", "for", "help", "with", "rent"]


def numbers(n: int, make: object) -> list[str]:
    return [make(i) for i in range(n)]  # type: ignore[operator]


def spaced(word: str, *sizes: int) -> str:
    out, at = [], 0
    for size in sizes:
        out.append(word[at : at + size])
        at += size
    return " ".join(out)


POSTCODE = ["CF10 3NQ", "SA1 5RT", "LL55 1AB", "NP20 4HG", "LD1 6AA", "CF5 2YX", "SY23 3DD", "LL11 2BQ"]
DAYS = [datetime(1941, 3, 2) + timedelta(days=397 * i) for i in range(60)]
REFUSED: dict[str, Sequence[object]] = {
    "nino": numbers(5, nino),
    "nino lower": numbers(5, lambda i: nino(i).lower()),
    "nino spaced": numbers(5, lambda i: spaced(nino(i), 2, 2, 2, 2, 1)),
    "nino dashes": numbers(5, lambda i: "-".join([nino(i)[:2], nino(i)[2:4], nino(i)[4:6], nino(i)[6:8], nino(i)[8]])),
    "nino without its letter": numbers(30, lambda i: nino(i)[:8]),
    "nino odd gaps": numbers(5, lambda i: nino(i)[:2] + "  " + nino(i)[2:8] + " " + nino(i)[8]),
    "nino among blanks": ["", "", "n/a", nino(3), "", ""],
    "nino in text": ["ni no is ab123456c see file", "none", "none"],
    "nino after colon": ["NI:QQ123456C".replace("QQ", "AB"), "", ""],
    "nino dots": ["AB.12.34.56.C", "CE.65.43.21.A", "GH.11.22.33.B"],
    "nhs": numbers(12, nhs),
    "nhs spaced": numbers(12, lambda i: spaced(nhs(i), 3, 3, 4)),
    "nhs dashes": numbers(12, lambda i: spaced(nhs(i), 3, 3, 4).replace(" ", "-")),
    "nhs as numbers": [int(nhs(i)) for i in range(12)],
    "nhs as floats": [float(nhs(i)) for i in range(12)],
    "nhs as float text": numbers(12, lambda i: nhs(i) + ".0"),
    "nhs with gaps": [*numbers(12, nhs), *[None] * 30],
    "nhs dots": numbers(12, lambda i: spaced(nhs(i), 3, 3, 4).replace(" ", ".")),
    "nhs labelled": numbers(12, lambda i: "NHS " + nhs(i)),
    "nhs in text": numbers(12, lambda i: f"see record {nhs(i)} today"),
    "nhs among words": [*numbers(4, nhs), *["not known"] * 20],
    "nhs scientific": [f"{float(nhs(i)):.9E}" for i in range(12)],
    "postcode": POSTCODE,
    "postcode lower": [p.lower() for p in POSTCODE],
    "postcode closed": [p.replace(" ", "") for p in POSTCODE],
    "postcode lower closed": [p.replace(" ", "").lower() for p in POSTCODE],
    "postcode two blanks": [p.replace(" ", "  ") for p in POSTCODE],
    "postcode dash": [p.replace(" ", "-") for p in POSTCODE],
    "postcode one": ["Harbour", "Castle", "CF10 3NQ"],
    "postcode London": ["SW1A 1AA", "EC1A 1BB", "W1A 0AX"],
    "postcode in text": ["lives at cf103nq now", "no", "no"],
    "postcode sector and name": ["Cardiff CF10 3NQ", "Swansea SA1 5RT", "Bangor LL57 2DG"],
    "postcode letter o": ["CF1O 3NQ", "SA1O 5RT", "LL3O 1AB", "NP2O 4HG"],
    "postcode dotted": ["CF10.3NQ", "SA1.5RT", "LL55.1AB"],
    "address": [f"{i + 1} Castle Street, Aberystwyth" for i in range(30)],
    "address lower": [f"flat {i}, {i + 3} stryd fawr" for i in range(30)],
    "address Welsh": [f"{i + 1} Heol y Bont" for i in range(30)],
    "mobile": [f"07700 900{i:03d}" for i in range(5)],
    "mobile closed": [f"07700900{i:03d}" for i in range(5)],
    "mobile +44": [f"+447700900{i:03d}" for i in range(5)],
    "mobile 0044": [f"00447700900{i:03d}" for i in range(5)],
    "mobile dashes": [f"07700-900-{i:03d}" for i in range(5)],
    "mobile dots": [f"07700.900.{i:03d}" for i in range(5)],
    "landline": [f"029 2018 {i:04d}" for i in range(5)],
    "landline brackets": [f"(01970) 62{i:04d}" for i in range(5)],
    "mobile slashes": [f"07700/900{i:03d}" for i in range(5)],
    "mobile as numbers": [7700900000 + 137 * i for i in range(30)],
    "mobile as floats": [7700900000.0 + 137 * i for i in range(30)],
    "mobile in text": ["call her on 07700900123 after six", "", ""],
    "mobile lost zero text": [f"77009{i:05d}" for i in range(0, 90000, 3001)],
    "foreign phone": [f"+48 601 234 {i:03d}" for i in range(5)],
    "e-mail": ["a.b@example.org", "c@example.co.uk", "d@cyngor.cymru"],
    "e-mail one": ["none", "none", "gwen@example.wales"],
    "e-mail hidden at": ["gwen (at) example.org", "huw [at] example.org", "nia (at) example.org"],
    "names": PLAIN,
    "names lower": [n.lower() for n in PLAIN],
    "names upper": [n.upper() for n in PLAIN],
    "names Welsh": WELSH,
    "names Welsh lower": [n.lower() for n in WELSH],
    "names foreign": FOREIGN,
    "names surname first": [f"{n.split()[-1]}, {n.split()[0]}" for n in PLAIN],
    "names SURNAME First": [f"{n.split()[-1].upper()} {n.split()[0]}" for n in PLAIN],
    "names with titles": [f"{'Mr' if i % 2 else 'Mrs'} {n}" for i, n in enumerate(PLAIN)],
    "names initials": [f"{n[0]}. {n.split()[-1]}" for n in PLAIN],
    "names initials behind": [f"{n.split()[-1]} {n[0]}" for n in PLAIN],
    "names initials closed": [f"{n[0]}{'ABCDEF'[i % 6]} {n.split()[-1]}" for i, n in enumerate(PLAIN)],
    "names with reference": [f"{n} ({1000 + i})" for i, n in enumerate(PLAIN)],
    "names in a list": [f"{n}; {PLAIN[i - 1]}" for i, n in enumerate(PLAIN)],
    "names twice each": [*PLAIN, *PLAIN],
    "names four each": PLAIN * 4,
    "surnames": [n.split()[-1] for n in PLAIN + WELSH],
    "forenames": [n.split()[0] for n in PLAIN + WELSH],
    "names dotted": [n.replace(" ", ".").lower() for n in PLAIN],
    "names dashed": [n.replace(" ", "_").lower() for n in PLAIN],
    "names few": ["Angharad Llywelyn", "Dafydd Owain", "Siân Rhys", "Llŷr Gruffydd", "Mair Beynon", "Huw Bevan"],
    "free text": [" ".join([*WORDS[i % 7 :], str(i)]) for i in range(30)],
    "free text rare": ["yes"] * 40 + [" ".join(WORDS[i:]) for i in range(6)],
    "free text short": [f"saw {n.split()[0]} today, upset" for n in PLAIN],
    "free text in capitals": [" ".join(WORDS[i % 7 :]).upper() + f" {i}" for i in range(30)],
    "free text twice each": [" ".join(WORDS[i % 15 :] + WORDS[: i % 15]) for i in range(30)],
    "births": [f"{d:%d/%m/%Y}" for d in DAYS],
    "births typed": DAYS,
    "births ISO": [f"{d:%Y-%m-%d}" for d in DAYS],
    "births in words": [f"{d.day} {d:%B %Y}" for d in DAYS],
    "births dotted": [f"{d:%d.%m.%y}" for d in DAYS],
    "births closed": [f"{d:%Y%m%d}" for d in DAYS],
    "invoices": [f"INV{20250000 + i}" for i in range(40)],
    "ip": [f"10.0.{i}.{i * 3 % 250}" for i in range(30)],
    "passport": [f"{123456789 + 7919 * i}" + "GBR" for i in range(30)],
    "bank": [f"12-34-{i:02d} 1234{i:04d}" for i in range(30)],
    "uprn": [f"{100090012345 + 17 * i}" for i in range(40)],
    "car": [f"CP{51 + i % 20} {'ABC'[i % 3]}{'DEF'[i % 3]}{'GHJ'[i % 3]}" for i in range(30)],
}  # fmt: skip
DESCRIBES: dict[str, Sequence[object]] = {
    "districts": ["CF10", "CF5", "NP20", "SA1"] * 5,
    "areas": ["Harbour", "Castle", "Riverside", "Uplands"] * 10,
    "places": ["Tŷ Castell", "Llŷn", "Y Bala"] * 12,
    "wards": [f"W0500{i:04d}" for i in range(1, 60)],
    "small areas": [f"W0100{i:04d}" for i in range(1, 90)],
    "teams": ["Harbour housing options", "Castle housing options"] * 20,
    "tenure": ["private rented", "social", "owner", "no fixed abode"] * 9,
    "reasons": ["parent no longer willing", "relationship breakdown", "rent arrears", "left care"] * 12,
    "long reasons":
        ["parent/family no longer willing or able to accommodate the household any more",
        "loss of rented home by section 173 notice because of sale"] * 20,
    "languages": ["Welsh", "English", "Polish", "Arabic", "Kurdish", "Ukrainian"] * 8,
    "nationalities": ["British", "Irish", "Syrian", "Eritrean", "Afghan"] * 9,
    "ages": list(range(16, 90)),
    "prices": [f"£{300 + i}.50" for i in range(60)],
    "incomes": [round(231.37 + 17.91 * i, 2) for i in range(80)],
    "days of cases": [f"{datetime(2018, 1, 1) + timedelta(days=31 * i):%d/%m/%Y}" for i in range(80)],
    "months": ["2024-04", "2024-05"] * 20,
    "codes": [f"TA{i:02d}" for i in range(40)],
    "cost centres": [f"C{10000 + 37 * i}" for i in range(40)],
    "rates": [i / 7 for i in range(60)],
    "big numbers": [1_000_000 + 7919 * i for i in range(40)],
    "financial years": ["2023-24", "2024-25"] * 10,
    "yes": ["Y", "N", None] * 20,
    "bands": ["100 to 199", "200 to 299", "300 or more"] * 10,
    "needs": ["mental_health", "substance_use", "domestic_abuse"] * 12,
    "hotels": ["Premier Inn", "Travelodge", "Castle Hotel", "Sea View", "Harbour House"] * 10,
    "providers": ["PR01", "PR02", "PR03"] * 9,
    "hours": [7.5, 14.0, 21.0] * 20,
    "categories": ["Domestic Abuse", "Prison Leaver", "Care Leaver", "Young Person", "Armed Forces", "Rough Sleeper", "Other"] * 6,
    "ethnic groups": ["White: Welsh, English, Scottish, Northern Irish or British", "Asian: Indian", "Other ethnic group: Arab"] * 12,
    "needs of few":
        ["Mental health", "Substance use", "Physical disability", "Learning disability", "Old age", "None", "Domestic abuse", "Offending"],
    "health boards": ["Aneurin Bevan", "Betsi Cadwaladr", "Hywel Dda", "Cardiff and Vale", "Cwm Taf Morgannwg", "Powys", "Swansea Bay"] * 5,
    "housing associations": ["Evans House", "Morgan Court", "Ty Lloyd", "Adams Court", "Walker Road", "Tresillian", "Huggard", "Oak"] * 6,
    "accounts of a ledger": [f"{51000 + i}" for i in range(12)],
    "homes": ["Tŷ Cadi", "Tŷ Mali", "Tŷ Nansi"] * 9,
    "homes in Welsh": ["Plas Gwyn", "Ty Dewi", "Llys Elin", "Cartref Alaw", "Llys Gwenllian"] * 6,
    "schools in Welsh": ["Ysgol Dewi Sant", "Ysgol Taliesin", "Ysgol Bro Idris, Dolgellau"] * 6,
    "schools": ["St Mary RC", "St Peter RC Primary", "St Joseph RC"] * 6,
    "roads": ["Stuart House", "Gordon House", "Clare Road", "Lewis Street"] * 6,
    "charities": ["Marie Curie", "Claire House", "Martin House"] * 6,
    "services": ["LT01 Long Term Care", "ES01 Safeguarding", "SK03 Homelessness"] * 6,
    "carers": ["Husband or male partner", "Wife or female partner", "Friend", "With mum and dad"] * 6 + ["Tel call from GP"],
    "sources": ["Child asked for an advocate", "Tel call from GP", "Letter", "E-mail", "Visit"] * 6,
    "property types": ["1 bed flat", "2 bed house", "studio", "3 bed house"] * 9,
}  # fmt: skip


def twice(values: Sequence[object]) -> list[object]:
    """Everybody came twice: no reference stands alone."""
    return [*values, *values]


def mixed(i: int, size: int) -> str:
    """Figures that follow no order."""
    return str(
        (7_919_317 * (i + 11) ** 3 + 104_729 * i) % 9 * 10 ** (size - 1) + 10 ** (size - 1) + (48_271 * (i + 1) ** 2) % 10 ** (size - 1)
    )[:size]


def letters(i: int, size: int) -> str:
    return "".join("ABCEHJKLMPRSTWXY"[(i * (3 + k) + i // (5 + k)) % 16] for k in range(size))


AGAIN = {
    "pupil numbers": lambda i: "A" + mixed(i, 12),
    "learner numbers": lambda i: int(mixed(i, 10)),
    "user names": lambda i: f"{letters(i, 1).lower()}pritchard{i:02d}",
    "initials and birth": lambda i: f"{letters(i, 2)}{DAYS[i].strftime('%d%m%y')}",
    "three words": lambda i: ".".join(WORDS[(i * k + i // 7) % 15] + "s" * 2 for k in (1, 2, 4)),
    "three words marked": lambda i: f"///{WORDS[i % 15]}s.{WORDS[i % 7]}s.{WORDS[i % 11]}s",
    "eastings": lambda i: 300_000 + 4_813 * i % 29_989,
    "grid references": lambda i: f"ST {mixed(i, 5)} {mixed(i + 3, 5)}",
    "latitudes": lambda i: 51.4 + (i * 0.003171 + 0.000013),
    "latitude, longitude": lambda i: f"{51.4 + i * 0.003171:.5f}, -{3.1 + i * 0.001713:.5f}",
    "number plates": lambda i: f"{letters(i, 2)}{10 + i % 60} {letters(i + 5, 3)}",
    "sort codes": lambda i: f"{mixed(i, 2)}-{mixed(i + 1, 2)}-{10 + i}",
    "bank accounts": lambda i: int(mixed(i, 8)),
    "IBAN": lambda i: f"GB{10 + i}NWBK{mixed(i, 14)}",
    "case system numbers": lambda i: int(mixed(i, 6)),
    "short case numbers": lambda i: f"H-{1000 + 37 * i}",
    "asylum references": lambda i: f"{10 + i}/{mixed(i, 2)}/{mixed(i, 5)}",
    "births as eight figures": lambda i: int(DAYS[i].strftime("%Y%m%d")),
    "births as six figures": lambda i: int(DAYS[i].strftime("%d%m%y")),
    "handles": lambda i: f"@{WORDS[i % 15]}{i}",
    "pages": lambda i: f"facebook.com/{WORDS[i % 15]}.{i}",
    "flats": lambda i: f"Flat {i}, 1{i} Tŷ Gwyn Row",
    "house and district": lambda i: f"{3 * i + 1} CF{10 + i % 5}",
    "Welsh names in small letters": lambda i: f"{WELSH[i % 22].split()[0].lower()}a {WELSH[i * 7 % 19].split()[-1].lower()}",
}
"""Forms of people who come more than once, so that few cells stand alone."""
DESCRIBES_TWICE = {
    "incomes": lambda i: 8_000 + 797 * i,
    "rents": lambda i: round(180 + 3.37 * i, 2),
    "values of homes": lambda i: 100_000 + 7_000 * i,
    "small areas": lambda i: f"W0100{100 + i:04d}",
    "postcode sectors": lambda i: f"CF{3 + i % 30} {i % 9}",
    "months": lambda i: int(f"20{10 + i // 12}{1 + i % 12:02d}"),
    "days": lambda i: int((datetime(2023, 1, 1) + timedelta(days=9 * i)).strftime("%Y%m%d")),
    "arrears": lambda i: round(17.31 * i, 2),
}


@pytest.mark.parametrize("name", AGAIN)
def test_references_of_people_who_come_more_than_once_are_refused(name: str) -> None:
    assert refused(twice([AGAIN[name](i) for i in range(60)]))


@pytest.mark.parametrize("name", DESCRIBES_TWICE)
def test_figures_that_differ_from_person_to_person_are_taken(name: str) -> None:
    assert not refused(twice([DESCRIBES_TWICE[name](i) for i in range(60)]))


def test_notes_of_very_many_people_are_refused_too() -> None:
    assert refused([f"Mum says {'later' if i % 2 else 'no'} {chr(97 + i % 26)}{i}x" for i in range(10_001)])


@pytest.mark.parametrize("name", REFUSED)
def test_columns_that_name_people_are_refused(name: str) -> None:
    assert refused(REFUSED[name])


@pytest.mark.parametrize("name", DESCRIBES)
def test_columns_that_describe_are_taken(name: str) -> None:
    assert not refused(DESCRIBES[name])


FEW: dict[str, list[object]] = {
    "surnames": ["Hughes", "Bebb", "Okafor", "Penry", "Llewelyn", "Crowther", "Patel"],
    "surnames in capitals, again and again": ["HUGHES", "BEBB", "OKAFOR", "PENRY", "LLEWELYN", "CROWTHER"] * 30,
    "families": ["Hughes family", "Mr Bebb", "Mrs Patel", "Teulu Llewelyn"],
    "driving licence": ["none held", "MORGA657054SM9IJ"],
    "driving licence spaced": ["MORGA 657054 SM9IJ", ""],
    "IBAN": ["GB29 NWBK 6016 1331 9268 19", ""],
    "sort code and account": ["20-00-00 55779911", ""],
    "IBAN of Germany, in small letters": ["to de89 3704 0044 0532 0130 00 please", ""],
    "bank card": ["pays by 4539 1488 0343 6467", ""],
    "names with places in brackets": ["John Smith (Rose House)", "Sarah Jones (Care Team)", "Emma Evans (Support)", "Jane Davies at home"],
    "names with addresses": ["John Smith, Rose House", "Mary Jones, Ty Gwyn", "Huw Bevan, Castle Road", "Elin Rees, Llys Elin"],
    "passports": ["533380006GBR", ""],
    "passport numbers": [str(533_380_006 + 7_919_117 * i) for i in range(7)],
    "old health numbers": ["ABCD 123", "KXRT 45", "MNPQ 301", "WHHS 17", "LLMB 208", "ZZTF 99"],
    "temporary insurance number": ["TN 12 03 81 M", ""],
    "insurance number that was never given out": ["QQ 12 34 56 C", ""],
    "two notes": ["None"] * 30 + ["sister says he left on Monday", "rang mum, no reply yet"],
    "short notes, no two alike": ["Sofa surfing with aunt", "Fled from Rhyl", "Bail hostel until Friday", "Ring after four",
                                  "Rent paid by brother", "Needs ground floor flat"],
}  # fmt: skip


@pytest.mark.parametrize("name", FEW)
def test_few_cells_that_name_people_are_enough(name: str) -> None:
    assert refused(FEW[name])


@pytest.mark.parametrize(
    ("called", "values"),
    [
        ("Client name", ["Bebb", "Penry", "Crowther", "Whitcombe"]),
        ("Mosaic id", [str(20_311 + 733 * i) for i in range(8)]),
        ("tenant_full_name", ["Bebb", "Penry", "Crowther", "Whitcombe"]),
        ("Notes", ["sofa surfing in Rhyl", "two dogs, large", "prefers ground floor"] * 4),
    ],
)
def test_what_a_column_is_called_tells_where_few_cells_do_not(called: str, values: list[object]) -> None:
    column = pd.Series(values)
    assert identifier_faults(column, np.arange(len(column)), f"extract.csv > {called}")
    assert not refused(values)


@pytest.mark.parametrize(
    ("called", "values"),
    [
        ("ward", ["Walker", "Harrison", "Clarke", "Collins", "Riverside", "Uplands", "Castle", "Harbour"] * 4),
        ("home care agency", ["Harris", "Jones", "Williams"] * 4),
        ("ward_full_name", ["Beulah", "Penparc", "Borth", "Faenor"]),
        ("provider full name", ["Llamau", "Wallich", "Pobl", "Adref"]),
        ("rent", [f"£{300 + i} pw" for i in range(40)]),
    ],
)
def test_places_and_providers_may_be_called_as_people_are(called: str, values: list[object]) -> None:
    column = pd.Series(values)
    assert not identifier_faults(column, np.arange(len(column)), f"extract.csv > {called}")
    assert identifier_faults(pd.Series(PLAIN * 2), np.arange(len(PLAIN) * 2), f"extract.csv > {called}")


@pytest.mark.parametrize(
    ("called", "values"),
    [
        ("Resident", [f"Jane Smith{i}" for i in range(30)]),
        ("Resident", ["Zelda Blogg", "Quentin Fanshaw", "Hepzibah Crook", "Xanthe Pym"]),
        ("GP", ["Dr Patel", "Dr Jones", "Dr Lee"]),
        ("harmless", ["Dr. A Quirke", "Miss Snape", "Castle Surgery"]),
        ("Landlord", ["J Evans", "T Rees"]),
        ("harmless", ["J Evans", "T Rees"]),
        ("allocated_worker", ["Bloggs, K", "Quirke, P"]),
        ("Housing officer", ["Sarah Jones", "Wilf Snape"]),
        ("Worker", ["Sarah", "Bev", "Mo"]),
        ("harmless", ["Evans J (Cardiff)", "Rees T (Barry)"]),
        ("harmless", ["Evans J 2", "Rees T 14"]),
        ("harmless", ["MR JONES", "MS PATEL", "DR EVANS"]),
        ("harmless", ["MRS SNAPE", "MISS QUIRKE"]),
        ("harmless", ["Ms Quirke", "ms snape"]),
        ("allocated_to", ["Zelda Blogg", "Quentin Fanshaw", "Hepzibah Crook"]),
        ("Assigned to", ["Zelda Blogg", "Quentin Fanshaw", "Hepzibah Foster"]),
        ("person 12", ["Zelda Blogg", "Quentin Fanshaw", "Hepzibah Crook"]),
    ],
)
def test_people_who_come_again_and_again_are_names_all_the_same(called: str, values: list[str]) -> None:
    column = pd.Series(values * 15)
    assert identifier_faults(column, np.arange(len(column)), f"extract.csv > {called}")


@pytest.mark.parametrize(
    ("called", "values"),
    [
        ("Resident", [f"Resident {i}" for i in range(30)]),
        ("Landlord", ["Pobl Group", "Linc Cymru", "Taff Housing", "Private landlord"]),
        ("Carer", ["Husband", "Full Time", "Part Time", "Lives Elsewhere"]),
        ("Contact", ["Phone", "Refused", "Not Known", "Home Visit"]),
        ("Worker", ["Social Worker", "Support Worker", "Occupational Therapist"]),
        ("client", ["Type A", "Level B", "Zone C"]),
        ("harmless", ["A Wing", "B Wing", "C Wing"]),
        ("harmless", ["Y Bala", "Y Barri", "Y Drenewydd"]),
        ("title", ["Mr", "Mrs", "Miss", "Dr"]),
        ("Need", ["MS", "MS Relapsing", "MS Progressive"]),
        ("Diagnosis", ["MS Relapsing", "MS Progressive", "Stroke"]),
        ("contact", ["Face To Face", "Text Message", "Video Chat", "Drop In"]),
        ("tenant", ["Secure Tenancy", "Introductory Tenancy", "Assured Shorthold", "Licence Holder"]),
        ("carers", ["Grandmother Paternal", "Aunt Maternal", "Foster Carers", "Kinship Placement"]),
        ("allocated_to", ["Duty Desk", "North Team", "Adult Services", "Hospital Hub"]),
    ],
)
def test_kinds_of_people_and_places_are_no_names_of_people(called: str, values: list[str]) -> None:
    column = pd.Series(values * 15)
    assert not identifier_faults(column, np.arange(len(column)), f"extract.csv > {called}")


@pytest.mark.parametrize("called", ["value", "rent"])
def test_references_are_refused_though_the_column_is_called_as_sums_are(called: str) -> None:
    assert identifier_faults(pd.Series([f"HOM-24-{1003 + 7 * i:05d}" for i in range(40)]), np.arange(40), f"extract.csv > {called}")


COUNTED = {
    "tiers": ["A1 1st tier", "B1 2nd tier", "M1 3rd tier", "B1 2hr"],
    "services": ["Q1 2nd", "P1 2hr", "H1 3ab"],
    "cost centres": ["H112AB", "S112AB", "Harbour", "Castle"],
    "periods": ["01/04/2022-31/03/2023", "01/04/2023-31/03/2024", "01.04.22 - 31.03.23", "2022-04-01/2023-03-31"],
    "years": ["FY 2022/23 A", "FY 2023/24 A", "FY 2024/25 B"],
}


@pytest.mark.parametrize("name", COUNTED)
def test_what_is_counted_by_may_look_like_postcodes_days_and_numbers(name: str) -> None:
    assert not shape_faults(pd.Series(COUNTED[name] * 3), np.arange(3 * len(COUNTED[name])), "counts.csv > series")


@pytest.mark.parametrize(
    "values", [POSTCODE, [spaced(nino(i), 2, 2, 2, 2, 1) for i in range(4)], [f"01970 62{i:04d}" for i in range(4)], ["a@example.org", "x"]]
)
def test_what_is_counted_by_is_not_of_persons(values: list[str]) -> None:
    assert shape_faults(pd.Series(values * 3), np.arange(3 * len(values)), "counts.csv > series")
