"""A second attack on the refusal of columns that name people: the same kinds in other dress, made after the first had been answered.

What content alone cannot tell is left out: dates of birth of children (they lie as near as dates of cases), and telephone numbers without
their area.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from naming import FOREIGN, PLAIN, WELSH, nhs, nino, refused

REFUSED: dict[str, Sequence[object]] = {
    "nino slashes": [f"{nino(i)[:2]}/{nino(i)[2:8]}/{nino(i)[8]}" for i in range(4)],
    "nino brackets": [f"({nino(i)})" for i in range(4)],
    "nino underscore": [f"id_{nino(i)}" for i in range(4)],
    "nino fullwidth spaces": [nino(i)[:2] + "\xa0" + nino(i)[2:8] + "\xa0" + nino(i)[8] for i in range(4)],
    "nhs nbsp": [nhs(i)[:3] + "\xa0" + nhs(i)[3:6] + "\xa0" + nhs(i)[6:] for i in range(8)],
    "nhs few among text": ["ok"] * 200 + [nhs(i) for i in range(3)],
    "nhs leading apostrophe": ["'" + nhs(i) for i in range(8)],
    "nhs with commas": [f"{int(nhs(i)):,}" for i in range(8)],
    "postcode nbsp": ["CF10\xa03NQ", "SA1\xa05RT", "LL55\xa01AB"],
    "postcode quoted": ["'CF10 3NQ'", "'SA1 5RT'", "'LL55 1AB'"],
    "postcode comma": ["CF10,3NQ", "SA1,5RT", "LL55,1AB"],
    "postcode underscore": ["CF10_3NQ", "SA1_5RT"],
    "postcode last line": ["Cardiff,CF103NQ", "Bangor,LL571AB"],
    "mobile nbsp": [f"07700\xa0900\xa0{i:03d}" for i in range(5)],
    "mobile spread": ["0 7 7 0 0 9 0 0 1 2 3", "0 7 7 0 0 9 0 0 1 2 4"],
    "mobile +44 dash": [f"+44-7700-900-{i:03d}" for i in range(5)],
    "mobile (0)": ["+44 (0)7700 900123", "+44 (0)7700 900124"],
    "mobile tel": ["tel:07700900123", "mob:07700900124"],
    "mobile scientific": ["7.700900123E+09", "7.700900124E+09", "7.700900125E+09", "7.700900199E+09"] * 6,
    "mobile 2 numbers": ["07700900123/07700900124"] * 3,
    "email caps": ["GWEN@EXAMPLE.CO.UK", "HUW@EXAMPLE.CO.UK"],
    "email angle": ["Gwen <gwen@example.org>", "x"],
    "email AT": ["gwen AT example DOT org", "huw AT example DOT org", "nia AT example DOT org"],
    "names & partner": [f"{n} & {PLAIN[i - 1]}" for i, n in enumerate(PLAIN)],
    "names slash": [f"{n.split()[0]}/{n.split()[1]}" for n in PLAIN],
    "names with dob": [f"{n} 12/03/19{50 + i}" for i, n in enumerate(PLAIN)],
    "names with age": [f"{n}, {20 + i}" for i, n in enumerate(PLAIN)],
    "names in quotes": [f'"{n}"' for n in PLAIN],
    "names nickname": [f"{n.split()[0]} 'Bob' {n.split()[1]}" for n in PLAIN],
    "names Mr only": [f"Mr {n.split()[1]}" for n in PLAIN],
    "names mr lower": [f"mrs {n.split()[1].lower()}" for n in PLAIN],
    "welsh names hyphen": ["Llinos-Haf", "Mari-Wyn", "Sioned-Mair", "Gwen-Elin", "Cadi-Fflur"] * 6,
    "welsh upper no accents": [w.upper().replace("Ŵ", "W").replace("Ŷ", "Y") for w in WELSH],
    "foreign lower": [n.lower() for n in FOREIGN],
    "initials dob ref": [f"{n[0]}{n.split()[1][0]}{19500101 + i * 371}" for i, n in enumerate(PLAIN)],
    "initials only": [f"{n[0]}.{n.split()[1][0]}." for n in PLAIN],
    "name inside code": [f"{n.split()[1].upper()[:5]}{n[0]}{i:02d}" for i, n in enumerate(PLAIN)],
    "notes one": [""] * 30 + ["mum says he hit her again and she is frightened to go home tonight"],
    "notes few": ["no"] * 50
    + ["rang 3 times no answer, will try again on monday", "wants to move because of the neighbours and the noise at night"],
    "notes semicolons": [f"called {i}; no reply; visited; left card; police told; child seen" for i in range(20)],
    "note welsh": [f"wedi symud at ei chwaer ar ôl y tân yn y fflat {i}" for i in range(20)],
    "birth mdy": [f"{datetime(1940, 1, 1) + timedelta(days=401 * i):%m/%d/%Y}" for i in range(60)],
    "birth datetime text": [f"{datetime(1940, 1, 1) + timedelta(days=401 * i):%Y-%m-%d %H:%M:%S}" for i in range(60)],
    "birth few": [f"{datetime(1940, 1, 1) + timedelta(days=2401 * i):%d/%m/%Y}" for i in range(12)],
    "birth with blanks": [f"{datetime(1940, 1, 1) + timedelta(days=401 * i):%d/%m/%Y}" if i % 2 else "" for i in range(60)],
    "birth some wrong": [f"{datetime(1940, 1, 1) + timedelta(days=401 * i):%d/%m/%Y}" if i % 7 else "not known" for i in range(60)],
    "address no number": [f"{n} House, Heol Fawr" for n in ["Bryn", "Maes", "Ty", "Glan", "Pen", "Cae", "Nant", "Coed", "Tan", "Ynys"] * 3],
    "address with postcode missing": [f"Flat {i}, Ty Gwyn, High Street" for i in range(30)],
    "grid ref": [f"SN {58000 + i * 7} {81000 + i * 5}" for i in range(30)],
    "lat long": [f"{52.41 + i / 1000:.5f}, {-4.08 - i / 997:.5f}" for i in range(30)],
    "crime ref": [f"WP-2025{i:06d}" for i in range(30)],
    "uuid": [f"{i:08x}-12ab-4cde-9f01-{i * 77:012x}" for i in range(30)],
    "case url": [f"https://case.example/p/{1000 + i}" for i in range(30)],
}
DESCRIBES: dict[str, Sequence[object]] = {
    "street types": ["street", "hostel", "hotel"] * 10,
    "providers named": ["Llamau", "Wallich", "Shelter Cymru", "Pobl", "Adref"] * 8,
    "hostel names": ["St Davids House", "Ty Gwyn", "Ty Nant", "Victoria House"] * 8,
    "welsh areas": ["Aberystwyth", "Llanelli", "Caerfyrddin", "Llandeilo", "Rhydaman"] * 8,
    "welsh wards few": ["Llanbadarn Fawr", "Aberaeron", "Tregaron", "Borth", "Faenor", "Ciliau Aeron", "Llangeitho", "Melindwr"],
    "all wards once": [
        "Llanbadarn",
        "Aberaeron",
        "Tregaron",
        "Borth",
        "Faenor",
        "Ciliau",
        "Llangeitho",
        "Melindwr",
        "Lledrod",
        "Ystwyth",
        "Trefeurig",
        "Beulah",
        "Penparc",
        "Capel",
        "Troedyraur",
    ],
    "scores": [f"{i}/10" for i in range(11)] * 4,
    "times": ["09:00", "10:30"] * 10,
    "weeks": [f"2024-W{i:02d}" for i in range(1, 53)],
    "hb claim bands": ["A1", "A2", "B1"] * 10,
    "percent": ["10%", "20%"] * 10,
    "phones yes": ["has phone", "no phone"] * 10,
    "legal": ["full care order", "interim care order", "voluntary s76", "placement order"] * 10,
    "long legal": ["Section 66 prevention duty ended because accommodation was secured for at least six months", "Section 75 duty"] * 15,
    "case types": ["MARAC", "MAPPA", "none"] * 10,
    "days": [f"{datetime(2015, 1, 1) + timedelta(days=40 * i):%d/%m/%Y}" for i in range(90)],
    "lha": ["1 bed", "2 bed", "shared"] * 9,
    "codes6": [f"A{i:05d}" for i in range(40)],
    "years": [str(y) for y in range(1950, 2020)],
    "hours text": ["7h 30m", "14h"] * 9,
    "numbers as text": [f"{1000 + i * 13}" for i in range(60)],
    "mixed amounts": ["£1,200 pw", "£300 pw"] * 9,
}


@pytest.mark.parametrize("name", REFUSED)
def test_columns_that_name_people_are_refused(name: str) -> None:
    assert refused(REFUSED[name])


@pytest.mark.parametrize("name", DESCRIBES)
def test_columns_that_describe_are_taken(name: str) -> None:
    assert not refused(DESCRIBES[name])
