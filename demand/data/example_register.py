"""Registers of the example council with the names that systems hold: some people stand in them twice, as systems and typing leave them.

In: the clean extracts and a seed. Out: two registers with invented names, and who is who. Refuses nothing. Names, days of birth and
postcodes are drawn and belong to nobody: no postcode area is called XN.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from demand.spec import stream

__all__ = ["registers"]

FORENAMES = [
    "Rhys", "Carys", "Dylan", "Megan", "Owen", "Siân", "Gareth", "Bethan", "Huw", "Nia", "Gwyn", "Eleri", "Iestyn", "Angharad",
    "Llŷr", "Ffion", "Mohammed", "Aisha", "Piotr", "Anna", "John", "Sarah", "David", "Emma", "James", "Laura", "Paul", "Karen",
    "Mark", "Susan", "Daniel", "Chloe", "Thomas", "Grace", "Jack", "Amy", "Callum", "Zoe", "Ryan", "Leah", "Fatima", "Yusuf", "Ewa",
    "Tomasz", "Maria", "Luca", "Amina", "Omar", "Mair", "Tegid", "Lowri", "Steffan", "Branwen", "Emrys", "Delyth", "Aled", "Rhian",
    "Ceri", "Wyn", "Heledd",
]  # fmt: skip
SURNAMES = [
    "Jones", "Davies", "Williams", "Evans", "Thomas", "Roberts", "Hughes", "Lewis", "Morgan", "Griffiths", "Edwards", "Owen", "James",
    "Rees", "Price", "Morris", "Phillips", "Lloyd", "Parry", "Powell", "Khan", "Ahmed", "Nowak", "Kowalska", "Smith", "Brown",
    "Taylor", "Wilson", "Walker", "Wright", "Green", "Hall", "Clarke", "Ap-Rhys", "Llewellyn", "Bowen", "Beynon", "Pugh", "Prosser",
    "Vaughan", "Gwynne", "O'Brien", "Murphy", "Osman", "Ali", "Begum", "Costa", "Silva", "Ionescu", "Popa", "Tudor", "Harries",
    "Mathias", "Probert", "Watkins", "Jenkins", "Meredith", "Howells", "Bevan", "Hopkin",
]  # fmt: skip
SHORT = {"David": "Dai", "Daniel": "Dan", "Thomas": "Tom", "James": "Jim", "Mohammed": "Mo", "Susan": "Sue", "Gareth": "Gaz",
         "Steffan": "Steff", "Angharad": "Haz", "Siân": "Sian", "Llŷr": "Llyr"}  # fmt: skip
HELD = ["forename", "surname", "born", "postcode"]
AGAIN, ALSO_IN_CARE = 0.3, 0.12
"""Shares: of people who come back, those who are entered anew; of people in care, those who are in the other register too."""


def registers(tables: dict[str, pd.DataFrame], seed: int) -> dict[str, pd.DataFrame]:
    """Make the registers.

    Parameters
    ----------
    tables : dict of str to pandas.DataFrame
        The clean extracts, by file name; without homelessness there is none.
    seed : int

    Returns
    -------
    dict of str to pandas.DataFrame
        applications_register.csv (an application a row), care_register.csv (a person a row, where there is adult care) and
        register_links.csv: reference, person, by which it can be judged whether the same people are found.
    """
    if "homelessness_cases.csv" not in tables:
        return {}
    cases, rng = tables["homelessness_cases.csv"], stream(seed, "example", "register")
    people = cases.drop_duplicates("applicant_id")[["applicant_id", "main_app_dob"]].reset_index(drop=True)
    people = _named(people.set_axis(["reference", "born"], axis=1), rng)
    rows = cases[["case_ref", "applicant_id", "area", "date_presented", "closed_date"]].rename(columns={"applicant_id": "person"})
    turn = rows.sort_values("date_presented", kind="stable").groupby("person").cumcount().reindex(rows.index)
    again = pd.Series(rng.random(len(people)) < AGAIN, index=people["reference"]).reindex(rows["person"]).to_numpy() & (turn > 0).to_numpy()
    new = pd.Series(people["reference"].str.replace("H", "N", regex=False).to_numpy(), index=people["reference"])
    rows = rows.assign(applicant_ref=rows["person"].where(~again, rows["person"].map(new)))
    second = people[people["reference"].isin(rows["person"][again])]
    held = pd.concat([people, _entered_again(second, rng).assign(reference=second["reference"].map(new))], ignore_index=True)
    written = {
        "applications_register.csv": rows.drop(columns="person")
        .merge(held, left_on="applicant_ref", right_on="reference")
        .drop(columns="reference")
    }
    links = [pd.DataFrame({"reference": rows["applicant_ref"], "person": rows["person"]}).drop_duplicates()]
    if "adult_packages.csv" in tables:
        care = tables["adult_packages.csv"].drop_duplicates("person_id")[["person_id", "dob"]].reset_index(drop=True)
        care = _named(care.set_axis(["reference", "born"], axis=1), rng)
        both = rng.choice(len(care), size=min(int(ALSO_IN_CARE * len(care)), len(people)), replace=False)
        same = people.iloc[rng.choice(len(people), size=len(both), replace=False)]
        care.loc[both, HELD] = _entered_again(same, rng)[HELD].to_numpy()
        person = care["reference"].copy()
        person[both] = same["reference"].to_numpy()
        written["care_register.csv"] = care.rename(columns={"reference": "person_id", "forename": "First name", "surname": "Family name"})
        links.append(pd.DataFrame({"reference": care["reference"], "person": person}))
    return {**written, "register_links.csv": pd.concat(links, ignore_index=True)}


def _named(people: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Give people names, common ones more often than rare ones, and postcodes."""
    chosen = {}
    for column, names in (("forename", FORENAMES), ("surname", SURNAMES)):
        weight = 1 / np.arange(3, len(names) + 3)
        chosen[column] = rng.choice(np.array(names, dtype=object), size=len(people), p=weight / weight.sum())
    return people.assign(**chosen, born=pd.to_datetime(people["born"]).dt.strftime("%d/%m/%Y"), postcode=_postcodes(len(people), rng))


def _postcodes(n: int, rng: np.random.Generator) -> np.ndarray:
    letters = np.array(list("ABDEFGHJLNPQRSTUWXYZ"))
    return np.array([f"XN{rng.integers(1, 40)} {rng.integers(1, 10)}{''.join(rng.choice(letters, 2))}" for _ in range(n)], dtype=object)


def _entered_again(people: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Give people as another worker enters them: moved, shortened, misheard, mistyped, or not asked."""
    out = people.reset_index(drop=True).copy()
    for i in range(len(out)):
        forename, surname, born = (str(out.at[i, c]) for c in ("forename", "surname", "born"))
        chance = rng.random(6)
        if chance[0] < 0.15:
            out.at[i, "forename"] = SHORT.get(forename, forename[:-1] + forename[-1] * 2)
        if chance[1] < 0.12:
            at = int(rng.integers(1, len(surname) - 1))
            out.at[i, "surname"] = surname[:at] + surname[at + 1] + surname[at] + surname[at + 2 :]
        elif chance[1] < 0.18:
            out.at[i, "surname"] = str(rng.choice(np.array(SURNAMES, dtype=object)))
        day, month, year = born.split("/")
        if chance[2] < 0.06:
            out.at[i, "born"] = f"{day}/{month}/{int(year) + int(rng.choice([-10, -1, 1, 10]))}"
        elif chance[2] < 0.12 and int(day) <= 12:
            out.at[i, "born"] = f"{month}/{day}/{year}"
        elif chance[2] < 0.16:
            out.at[i, "born"] = ""
        if chance[3] < 0.35:
            out.at[i, "postcode"] = _postcodes(1, rng)[0] if chance[4] < 0.8 else ""
    return out.set_axis(people.index)
