"""Names and numbers of people who do not exist, for tests of what a column is refused for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from demand.data.identifiers import identifier_faults

WELSH = [
    "Siân ap Rhys", "Llŷr Gruffydd", "Angharad Llywelyn", "Dafydd ab Owain", "Gwenllian ferch Llywelyn", "Ŵyn Pritchard",
    "Ifan Prys-Jones", "Branwen Tŷ-Gwyn", "Heledd Wyn Hughes", "Cadwaladr Price", "Nest Morgan", "Elin Fflur Roberts",
    "Rhodri Mawr", "Tegwen Harries", "Owain Glyn", "Mair Beynon", "Huw Bevan", "Lowri Probert", "Emrys Pugh", "Menna Rees",
    "Iestyn Llwyd", "Non Evans",
]  # fmt: skip
FOREIGN = [
    "Nguyễn Văn An", "Łukasz Wiśniewski", "José María García", "Øystein Åsen", "Zoë Müller", "Fatma Şahin", "Đorđe Petrović",
    "Ana Gonçalves", "Mohammed al-Sayed", "Abd el Rahman", "Xi Wang", "Li Na", "Olena Шевченко", "Иван Петров", "محمد علي", "李小龙",
    "Sinéad O'Connor", "D'Angelo Russo", "Van der Berg, Jan", "De la Cruz, Eva", "Ngozi Okonjo", "Adaeze Nwosu", "Tadesse Bekele",
    "Amélie Dupont",
]  # fmt: skip
PLAIN = [
    "John Smith", "Mary Jones", "Peter Brown", "Susan Clark", "David Lewis", "Linda Walker", "Paul Hall", "Karen Allen",
    "Mark Young", "Lisa King", "Steven Wright", "Donna Scott", "Kevin Green", "Carol Baker", "Brian Adams", "Ruth Nelson",
    "George Hill", "Helen Ramirez", "Edward Campbell", "Sandra Mitchell", "Ronald Carter", "Betty Phillips",
]  # fmt: skip


def nhs(i: int) -> str:
    """A number of ten digits with its right check digit."""
    while True:
        nine = f"{400_000_000 + 7_919 * i:09d}"
        check = 11 - sum(int(d) * w for d, w in zip(nine, range(10, 1, -1), strict=True)) % 11
        if check != 10:
            return nine + str(0 if check == 11 else check)
        i += 13


def nino(i: int) -> str:
    return f"{'ABCEGHJKLM'[i % 10]}{'ABCEGHJKLM'[(i // 3) % 10]}{(123456 + 7919 * i) % 1_000_000:06d}{'ABCD'[i % 4]}"


def refused(values: Sequence[object]) -> bool:
    column = pd.Series(values)
    return bool(identifier_faults(column, np.arange(len(column)) + 2, "extract.csv > harmless"))
