"""What tells people apart, read for linkage alone: names, days of birth and postcodes, which no other part of the package ever loads.

In: the settings of extracts and the folder that they are in. Out: one record a reference, under its pseudonym. Refuses files that cannot be
read and extracts that name too little to tell people apart. The records are compared in memory and never written.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from pydantic import Field, model_validator

from demand.data.cells import to_text
from demand.data.extracts import PeopleSpec
from demand.data.files import FileSpec, open_table
from demand.data.formats import parse_dates
from demand.data.people import pseudonymise
from demand.spec import NameList, Spec

__all__ = ["COMPARED", "IdentitySpec", "LabelSpec", "LinkageSpec", "OtherExtract", "read_identities", "read_labels"]

COMPARED = ("forename", "surname", "born", "postcode")
"""What is compared by how alike it is; further columns are compared for being the same."""


class IdentitySpec(Spec):
    """The columns that tell people apart."""

    forename: str | None = None
    """The column of first names."""
    surname: str | None = None
    """The column of family names."""
    born: str | None = None
    """The column of dates of birth."""
    postcode: str | None = None
    """The column of postcodes."""
    exact: NameList = Field(default_factory=list)
    """Further columns that are the same for one person, such as sex. They are called the same in every extract."""

    @property
    def named(self) -> dict[str, str]:
        """What is compared -> its column."""
        return {c: getattr(self, c) for c in COMPARED if getattr(self, c)} | {c: c for c in self.exact}


class OtherExtract(FileSpec, IdentitySpec):
    """Another extract in which the same people may stand."""

    person: str
    """The column with the reference of the person."""


class LabelSpec(FileSpec):
    """Who is who, for some references: looked up by hand, and the links are judged by it."""

    reference: str = "reference"
    """The column of references."""
    person: str = "person"
    """The column that is the same for the references of one person."""


class LinkageSpec(IdentitySpec):
    """Which columns of the extract of people tell them apart, to find those who stand there twice: read by `demand link` alone."""

    others: list[OtherExtract] = Field(default_factory=list)
    """Other extracts, to find the people who stand in both."""
    labels: LabelSpec | None = None
    """References of which it is known who they are."""
    threshold: float = Field(default=0.9, gt=0.5, lt=1)
    """Pairs of which the model is at least so sure are taken as one person."""

    @property
    def files(self) -> dict[str, FileSpec]:
        """The files that are read beside the extract of people, by a name of their own."""
        return {f"linkage.{i}": spec for i, spec in enumerate([*self.others, *([self.labels] if self.labels else [])])}

    @model_validator(mode="after")
    def _enough(self) -> LinkageSpec:
        for spec in (self, *self.others):
            given = set(spec.named)
            if not {"born", "surname"} & given or len(given & set(COMPARED)) < 2:
                raise ValueError(
                    "too little tells people apart. Give at least two of forename, surname, born and postcode, one of them born or surname."
                )
            if given != set(self.named):
                raise ValueError(
                    "an extract under 'others' names other columns than the first. Give the same of forename, surname, born, postcode."
                )
        return self


def read_identities(people: PeopleSpec, spec: LinkageSpec, folder: Path, *, key: bytes) -> pd.DataFrame:
    """Read one record a reference.

    Parameters
    ----------
    people : PeopleSpec
        The extract of people.
    spec : LinkageSpec
    folder : pathlib.Path
    key : bytes
        The secret with which pseudonyms are made: those of PEOPLE.

    Returns
    -------
    pandas.DataFrame
        source (the file), person_id, and what is compared, as text without case; None where nothing is said. Of several rows of a reference
        the last that says something counts.

    Raises
    ------
    DataError
        Where a file cannot be read or lacks a column.
    """
    own = people.model_dump(include=set(FileSpec.model_fields)) | {"person": people.person or people.id}
    first = OtherExtract(**own, **{c: getattr(spec, c) for c in (*COMPARED, "exact")})
    return pd.concat([_records(one, folder, key) for one in (first, *spec.others)], ignore_index=True)


def read_labels(spec: LabelSpec, folder: Path, *, key: bytes) -> pd.DataFrame:
    """Read who is who.

    Parameters
    ----------
    spec : LabelSpec
    folder : pathlib.Path
    key : bytes

    Returns
    -------
    pandas.DataFrame
        person_id (the pseudonym of the reference), label.

    Raises
    ------
    DataError
        Where the file cannot be read or lacks a column.
    """
    raw = open_table(spec, folder, columns={"id": spec.reference, "person": spec.person})
    ids = pseudonymise(to_text(raw.data[spec.reference]), key, purpose="person")
    return pd.DataFrame({"person_id": ids, "label": to_text(raw.data[spec.person])}).dropna().drop_duplicates("person_id")


def _records(spec: OtherExtract, folder: Path, key: bytes) -> pd.DataFrame:
    raw = open_table(spec, folder, columns={"id": spec.person} | {f"linkage {use}": column for use, column in spec.named.items()})
    ids = pseudonymise(to_text(raw.data[spec.person], spec.missing), key, purpose="person")
    told = {use: to_text(raw.data[column], spec.missing).str.casefold() for use, column in spec.named.items()}
    if spec.born:
        told["born"] = parse_dates(raw.data[spec.born], missing=tuple(spec.missing)).values.dt.strftime("%Y-%m-%d")
    if spec.postcode:
        told["postcode"] = told["postcode"].str.upper()
    table = pd.DataFrame({"person_id": ids, **told}).dropna(subset=["person_id"])
    return (
        table.groupby("person_id", as_index=False, sort=True)
        .last()
        .assign(source=spec.called)
        .astype(object)
        .where(lambda t: t.notna(), None)
    )
