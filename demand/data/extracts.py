"""Extracts of people and profiles of places, read into checked tables.

In: the settings of a file and the folder it is in. Out: PEOPLE with pseudonyms in place of references, and places ready to be segmented.
Refuses, all at once and with row numbers: rows without a reference, episodes that are there twice or close before they open, columns that
name people, attributes that are numbers in most rows and text in a few. Messages about people name rows and columns, never values.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import Field

from demand.data.bands import AGE_BAND, POSTCODE_AREA, PostcodeSpec, bands_of_births, postcode_areas
from demand.data.cells import matches, rows_text, to_text
from demand.data.codes import code_gates
from demand.data.counts import read_figures
from demand.data.dates import format_note, read_days
from demand.data.episodes import episode_gates
from demand.data.files import ROW, FileSpec, RawTable, empty_faults, open_table
from demand.data.formats import DateFormat, Dates
from demand.data.identifiers import identifier_faults
from demand.data.people import BLANK_KEY, CountSpec, pseudonymise
from demand.data.policies import QualitySpec, leave_out
from demand.data.quality import Finding, ReadingError
from demand.data.systems import renamed_codes
from demand.errors import DataError, Fault, raise_all
from demand.spec import NameList

__all__ = ["Extract", "PeopleSpec", "PlacesSpec", "examine_people", "read_people", "read_places"]

YES_NO: Mapping[str, str] = {"yes": "yes", "y": "yes", "true": "yes", "no": "no", "n": "no", "false": "no"}
FAR_PAST = re.compile(
    r"^(?:1900-01-0[0-2]|1899-12-3[01]|1970-01-01|1753-01-01|000[01]-0[01]-0[01])\b"
    r"|^(?:0?[0-2][/. \-](?:0?1|jan)[/. \-]1900|3[01][/. \-](?:12|dec)[/. \-]1899|0?1[/. \-](?:0?1|jan)[/. \-](?:1970|1753|0001)"
    r"|00[/.\-]00[/.\-]0000)\b",
    re.IGNORECASE,
)
"""Days that systems write for "no day": the first of Excel, of Unix and of SQL Server."""
FAR_FUTURE = re.compile(
    r"^(?:9999|4000|3000|2999|2100|2099)(?:-|\d{4}$)|[-/. ](?:9999|4000|3000|2999|2100|2099)\b|^2079-06-06|^0?6[/.\-]0?6[/.\-]2079"
)
"""Years that systems write for "still open"."""
MOSTLY = 0.9
"""From this share of numbers on, the text in a column is a fault and not a category."""


class PeopleSpec(FileSpec):
    """An extract of episodes: one row a case, placement or package."""

    id: str
    """The column with the reference of the episode; without `person` it is the person's. `row` where the file has none: each row is
    somebody else, and nobody is known again in a later extract."""
    person: str | None = None
    """The column with the reference of the person; people who come back have several episodes."""
    opened: str | None = None
    """The column with the day on which the episode began; without it people are segmented but not counted."""
    closed: str | None = None
    """The column with the day on which it ended; empty means open."""
    keys: NameList = Field(default_factory=list)
    """The columns that become keys of the counts: area, service, type."""
    attributes: NameList = Field(default_factory=list)
    """The columns that describe the person: numbers, yes/no or words."""
    not_references: NameList = Field(default_factory=list)
    """Of keys and attributes, those whose codes or numbers are of places (schools, wards), organisations or sums and not of single cases:
    they are not refused as references. Nothing else that names people is let through by it."""
    not_names: NameList = Field(default_factory=list)
    """Those whose words are names of places (homes, schools, wards) or providers: they are not refused as names of people."""
    price: str | None = None
    """The column with the price in pounds a week."""
    date_format: DateFormat = "auto"
    """auto takes the one format that fits every row of a column, day first for slashes."""
    counts: list[CountSpec] = Field(default_factory=lambda: [CountSpec()])
    """What is counted of them; every episode opened, as people, where nothing is said."""
    activity: str | None = None
    """The column with the day on which anything last happened in the case: a contact, a payment, an update."""
    known_end: str | None = None
    """The column with the day by which an open episode will have ended: the run-off stops there."""
    household: str | None = None
    """The column with the reference of the household, where the person is somebody in it: yearly returns count households."""
    born: str | None = None
    """The column with the date of birth. Of it only `age_band` is kept, on the opening day (or that of the extract): name that among keys
    or attributes."""
    postcode: str | None = None
    """The column with the postcode. Of it only `postcode_area` is kept: its district (CF10), or what `postcodes` says. Name that among keys
    or attributes."""
    postcodes: PostcodeSpec | None = None
    """A table of postcodes with the areas that they lie in."""
    since: date | None = None
    """The day from which the extract holds everybody: counts begin with the first whole month from then on in which somebody has come.
    Without it they begin with the first opening, and where those who had left before are not in the extract, its first years count only
    who stayed."""
    extracted: date | None = None
    """The day on which the extract was made, where it is known; else the last day that anything happened in it."""
    purpose: str = ""
    """What people's data is used for, in words: pseudonyms of another purpose are others, so that two uses cannot be joined."""
    lawful_basis: str = ""
    """The basis in law: UK GDPR, article 6 (and 9), and the act that gives the task."""
    retention: str = ""
    """How long results that tell of persons are kept, and who deletes them."""


class PlacesSpec(FileSpec):
    """Profiles of places: one row an area, for segmenting areas."""

    id: str
    """The column with the code or name of the place."""
    attributes: NameList = Field(default_factory=list)
    """The columns that describe it; all others where nothing is said."""


@dataclass(frozen=True)
class Extract:
    """An extract of people with all that was found in it.

    Parameters
    ----------
    people : pandas.DataFrame
        PEOPLE, every row that the file has.
    rows : numpy.ndarray
        Their row numbers.
    kept : numpy.ndarray
        bool, False where a policy leaves the row out.
    faults : tuple of Fault
        What stands against using it.
    findings : tuple of Finding
    name : str
        The file.
    """

    people: pd.DataFrame
    rows: np.ndarray
    kept: np.ndarray
    faults: tuple[Fault, ...]
    findings: tuple[Finding, ...]
    name: str

    def usable(self) -> tuple[pd.DataFrame, list[Finding]]:
        """Give the rows that stay, and what was found.

        Raises
        ------
        ReadingError
            With every fault of the file at once, and what else was found. Messages name rows, never references.
        """
        if self.faults:
            raise ReadingError(self.faults, findings=self.findings, during=f"reading {self.name}")
        return self.people[self.kept].reset_index(drop=True), list(self.findings)


def read_people(spec: PeopleSpec, folder: Path, *, key: bytes, quality: QualitySpec | None = None) -> tuple[pd.DataFrame, list[Finding]]:
    """Read an extract of people and put pseudonyms in place of their references.

    Parameters
    ----------
    spec : PeopleSpec
    folder : pathlib.Path
        Where a relative path is looked up.
    key : bytes
        The secret with which pseudonyms are made.
    quality : QualitySpec, optional
        Which rows are to be left out.

    Returns
    -------
    people : pandas.DataFrame
        person_id, episode_id, opened, closed (where there are dates), keys, attributes (float64 for numbers, "yes"/"no", or text; missing
        stays missing), price, activity, known_end, household.
    findings : list of Finding

    Raises
    ------
    ReadingError
        With every fault of the file at once, and what else was found. Messages name rows, never references.
    """
    return examine_people(spec, folder, key=key, quality=quality or QualitySpec()).usable()


def examine_people(spec: PeopleSpec, folder: Path, *, key: bytes, quality: QualitySpec) -> Extract:
    """Read an extract of people, whatever stands in it.

    Parameters
    ----------
    spec, folder, key, quality
        As in `read_people`.

    Returns
    -------
    Extract

    Raises
    ------
    DataError
        Where the file is not there, cannot be read or lacks a column.
    """
    raw = open_table(spec, folder, columns=_people_columns(spec))
    faults = list(raw.faults)
    findings = list(raw.findings)
    people = _identities(raw, spec, key, faults, folder)
    if spec.opened:
        people = people.join(_dates(raw, spec, faults, findings))
    people = people.join(_in_place(raw, spec, folder, people, faults=faults, findings=findings))
    described = [c for c in dict.fromkeys([*spec.keys, *spec.attributes]) if c not in people]
    for name in described:
        faults += identifier_faults(
            raw.data[name], raw.rows, f"{raw.name} > {name}", references=name not in spec.not_references, names=name not in spec.not_names
        )
        people[name] = _key(raw, name, spec.missing, findings) if name in spec.keys else _attribute(raw, name, spec.missing, faults)
        if "uprn" in name.casefold():  # whoever has the register of addresses has the home
            people[name] = pseudonymise(people[name], key, purpose="property")
    if spec.price:
        people["price"] = read_figures(raw, spec.price, faults)
    for name, column in (("activity", spec.activity), ("known_end", spec.known_end)):
        if column:
            people[name] = read_days(raw, column, setting=spec.date_format, missing=spec.missing, faults=faults, private=True).values
    if spec.household:
        people["household"] = pseudonymise(to_text(raw.data[spec.household], spec.missing), key, purpose="household")
    references = [c for c in (spec.id, spec.person, spec.household) if c and c not in described]
    findings += code_gates(raw.data[[*described, *references]], raw.name, raw.rows)
    extracted = pd.Timestamp(spec.extracted) if spec.extracted else None
    findings += episode_gates(people, raw.rows, where=raw.name, keys=spec.keys, extracted=extracted, quiet_days=quality.quiet_days)
    findings += renamed_codes(people, spec.keys, raw.name) if spec.opened else []
    kept, faults, findings = leave_out(raw.rows, faults, findings, quality)
    return Extract(people, raw.rows, kept, tuple(faults), tuple(findings), raw.name)


def _people_columns(spec: PeopleSpec) -> dict[str, str]:
    given = {use: getattr(spec, use) for use in ("id", "person", "opened", "closed", "price", "activity", "known_end", "household")}
    given |= {"date of birth": spec.born, "postcode": spec.postcode}
    made = {AGE_BAND: spec.born, POSTCODE_AREA: spec.postcode}
    named = {f"key {k}": k for k in spec.keys if not made.get(k)} | {f"attribute {a}": a for a in spec.attributes if not made.get(a)}
    return {use: name for use, name in given.items() if name} | named


def _in_place(
    raw: RawTable, spec: PeopleSpec, folder: Path, people: pd.DataFrame, *, faults: list[Fault], findings: list[Finding]
) -> pd.DataFrame:
    """Give what stands in place of dates of birth and postcodes; as a key, a cell without either counts as not given."""
    made = {}
    if spec.born:
        day = pd.Series(pd.Timestamp(spec.extracted) if spec.extracted else pd.NaT, index=raw.data.index, dtype="datetime64[ns]")
        on = people.get("opened", day)
        made[AGE_BAND], found = bands_of_births(raw, spec.born, on, setting=spec.date_format, missing=spec.missing, faults=faults)
        findings += found
    if spec.postcode:
        made[POSTCODE_AREA], found = postcode_areas(raw, spec.postcode, lookup=spec.postcodes, folder=folder, missing=spec.missing)
        findings += found
    return pd.DataFrame({c: v.fillna(BLANK_KEY) if c in spec.keys else v for c, v in made.items()}, index=raw.data.index)


def read_places(spec: PlacesSpec, folder: Path) -> tuple[pd.DataFrame, list[Finding]]:
    """Read profiles of places.

    Parameters
    ----------
    spec : PlacesSpec
    folder : pathlib.Path

    Returns
    -------
    places : pandas.DataFrame
        person_id (the place's own code: segments are stored by this name, for people and places alike) and the attributes.
    findings : list of Finding

    Raises
    ------
    DataError
        With every fault of the file at once.
    """
    raw = open_table(spec, folder, columns={"id": spec.id} | {f"attribute {a}": a for a in spec.attributes}, every=not spec.attributes)
    faults = list(raw.faults)
    ids = to_text(raw.data[spec.id], spec.missing)
    faults += _identity_faults(ids, raw, spec.id, "place")
    names = spec.attributes or [str(c) for c in raw.data.columns if c != spec.id]
    attributes = {name: _attribute(raw, name, spec.missing, faults) for name in names}
    raise_all(faults, DataError, during=f"reading {raw.name}")
    return pd.DataFrame({"person_id": ids, **attributes}), list(raw.findings)


def _identities(raw: RawTable, spec: PeopleSpec, key: bytes, faults: list[Fault], folder: Path) -> pd.DataFrame:
    numbered = spec.id == ROW and (to_text(raw.data[ROW]) == raw.rows.astype(str)).all()
    ids = to_text(raw.data[spec.id], () if numbered else spec.missing)  # "99" may say nothing, yet row 99 is a row
    if numbered:  # row 17 of another extract is somebody else
        mark = spec.answer(folder).hash if spec.sql else hashlib.sha256((folder / spec.path).read_bytes()).hexdigest()
        ids = mark + ":" + ids
    faults += _identity_faults(ids, raw, spec.id, "episode" if spec.person else "person")
    people = to_text(raw.data[spec.person], spec.missing) if spec.person else ids
    if spec.person:
        faults += empty_faults(people.isna().to_numpy(), raw, spec.person, "the reference of a person")
    return pd.DataFrame({"person_id": pseudonymise(people, key, purpose="person"), "episode_id": pseudonymise(ids, key, purpose="episode")})


def _identity_faults(ids: pd.Series, raw: RawTable, column: str, noun: str) -> list[Fault]:
    faults = empty_faults(ids.isna().to_numpy(), raw, column, f"the reference of the {noun}")
    twice = (ids.duplicated(keep=False) & ids.notna()).to_numpy()
    if twice.any():
        more = "; name the column of people as 'person' where people come back" if noun == "person" else ""
        faults.append(Fault(f"{int(twice.sum())} rows share a reference with another row, {rows_text(raw.rows[twice])}",
                            where=f"{raw.name} > {column}", allowed=f"Each {noun} once{more}", rule="doubled_reference",
                            rows=tuple(raw.rows[twice])))  # fmt: skip
    return faults


def _dates(raw: RawTable, spec: PeopleSpec, faults: list[Fault], findings: list[Finding]) -> pd.DataFrame:
    opened = read_days(raw, str(spec.opened), setting=spec.date_format, missing=spec.missing, faults=faults, private=True)
    findings.append(format_note(raw, str(spec.opened), opened))
    blank = opened.values.isna().to_numpy() & ~opened.wrong
    faults += empty_faults(blank, raw, str(spec.opened), "an opening day")
    closed = pd.Series(np.datetime64("NaT", "ns"), index=raw.data.index)
    if spec.closed:
        ended = _closing(raw, spec, faults, findings)
        closed = ended.values
        early = (closed < opened.values).to_numpy()
        if early.any():
            faults.append(Fault(f"{int(early.sum())} episodes close before they open, {rows_text(raw.rows[early])}",
                                where=f"{raw.name} > {spec.closed}", allowed="A closing day on or after the opening day",
                                    do_next="Correct the rows, or state 'date_format' if days and months were mixed up",
                                rule="ended_before_started", rows=tuple(raw.rows[early])))  # fmt: skip
    return pd.DataFrame({"opened": opened.values, "closed": closed})


def _closing(raw: RawTable, spec: PeopleSpec, faults: list[Fault], findings: list[Finding]) -> Dates:
    """Read closing days; the years that systems write for "still open" are taken as open, and that is said."""
    column = str(spec.closed)
    text = to_text(raw.data[column], spec.missing)
    table = raw
    marks = (("far_future", FAR_FUTURE, "closing days in 2099 or later"), ("far_past", FAR_PAST, "closing days such as 01/01/1900"))
    for rule, pattern, what in marks:
        far = matches(text, pattern)
        if far.any():
            text = text.mask(far)
            told = f"{what} are taken as: still open"
            findings.append(Finding.of(rule, "warn", f"{raw.name} > {column}", rows=raw.rows[far], message=told))
            table = replace(raw, data=raw.data.assign(**{column: text}))
    days = read_days(table, column, setting=spec.date_format, missing=spec.missing, faults=faults, private=True)
    if days.values.notna().any():
        findings.append(format_note(raw, column, days))
    return days


def _key(raw: RawTable, name: str, missing: Sequence[str], findings: list[Finding]) -> pd.Series:
    text = to_text(raw.data[name], missing)
    empty = text.isna().to_numpy()
    if empty.any():
        message = f"empty cells of a key are counted as '{BLANK_KEY}'"
        findings.append(Finding.of("blank_key", "warn", f"{raw.name} > {name}", rows=raw.rows[empty], message=message))
    return text.fillna(BLANK_KEY)


def _attribute(raw: RawTable, name: str, missing: Sequence[str], faults: list[Fault]) -> pd.Series:
    """Give an attribute as numbers, as yes and no, or as words."""
    column = raw.data[name]
    text = to_text(column, missing)
    words = {str(w).casefold() for w in text.dropna().unique()}
    if "uprn" in name.casefold():  # digits that are no number: their zeros in front belong to them
        return text
    if pd.api.types.is_bool_dtype(column) or (words and words <= set(YES_NO)):
        return text.str.casefold().map(YES_NO).astype(object).where(text.notna(), None)
    numbers = raw.numbers(name)
    values, wrong = numbers.values, numbers.wrong | numbers.hidden
    given = int(text.notna().sum())
    if not wrong.any() and given:
        return pd.Series(np.where(np.isinf(values), np.nan, values), index=column.index)
    if given and 1 - wrong.sum() / given >= MOSTLY:
        faults.append(Fault(f"text among numbers in {rows_text(raw.rows[wrong])}", where=f"{raw.name} > {name}",
                            allowed="Numbers in every row, or empty cells",
                            do_next="Where a mark means 'not known', name it in 'missing'", rule="text_among_numbers",
                            rows=tuple(raw.rows[wrong])))  # fmt: skip
    return text
