"""Keeping segments: the same rules next year, what has moved since, and the same names after a new fit.

In: a table of people or places, and the rules of an earlier run where they are kept or compared with. Out: `Kept`: rules, members, and, as
far as there is an earlier run, transitions, drift and matches, with notes in words. Refuses what finding and assigning refuse.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from demand.errors import DataError
from demand.segments.attributes import KEYS, NOT_ATTRIBUTES, OTHER
from demand.segments.drift import drift, reference
from demand.segments.find import SegmentSpec, find_segments, letter, reason_notes
from demand.segments.model import UNCLEAR, SegmentModel, assign_segments, first_rows, place_rows, share_words, unclear_note
from demand.segments.movement import kept_names, match_segments, stayed, transitions

__all__ = ["Kept", "keep_segments", "members_at"]

YEAR = pd.Timedelta(days=365)
FEW = 0.05
"""Where fewer of the people than this were there before, somebody should look whether their pseudonyms were made with the same key."""


@dataclass(frozen=True)
class Kept:
    """Segments of one run, found or kept.

    Parameters
    ----------
    model : SegmentModel
    members : pandas.DataFrame
        person_id, segment, certainty.
    evidence : pandas.DataFrame
        For the number of segments; empty where they were kept.
    tables : dict of str to pandas.DataFrame
        clustergram, where segments were searched; transitions, drift, matches: those that an earlier run allows.
    notes : list of str
    """

    model: SegmentModel
    members: pd.DataFrame
    evidence: pd.DataFrame
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def keep_segments(
    table: pd.DataFrame, spec: SegmentSpec, *, seed: int = 1, attributes: Sequence[str] | None = None, saved: SegmentModel | None = None,
    previous: SegmentModel | None = None, before: pd.DataFrame | None = None, jobs: int = 1,
    progress: Callable[[str, float], None] | None = None,
) -> Kept:  # fmt: skip
    """Put people into saved segments, or find segments and keep the names of those that are the same as before.

    Parameters
    ----------
    table : pandas.DataFrame
        People (the first episode of each counts) or places.
    spec : SegmentSpec
    seed : int
    attributes : sequence of str, optional
        The columns that describe people.
    saved : SegmentModel, optional
        Rules that are kept: nothing is searched.
    previous : SegmentModel, optional
        Rules of an earlier fit, for the names of new segments.
    before : pandas.DataFrame, optional
        The members of the earlier run: person_id, segment.
    jobs : int
        Cores; the results are the same for any number.
    progress : callable, optional

    Returns
    -------
    Kept

    Raises
    ------
    DataError
        Where ids, listed features or attributes of the saved rules are missing.
    """
    if saved is not None:
        return _assigned(table, spec, saved, before, seed)
    if spec.outcome is not None:
        given = attributes if attributes is not None else [str(c) for c in table.columns if c not in (*NOT_ATTRIBUTES, *KEYS)]
        attributes = [a for a in given if a != spec.outcome]
    # Beside earlier segments, the analyst's names are given last: first come the letters and names that were there.
    free = spec if previous is None else spec.model_copy(update={"names": {}})
    found = find_segments(table, free, seed=seed, attributes=attributes, jobs=jobs, progress=progress)
    kept = Kept(found.model, found.members, found.evidence, {"clustergram": found.picture}, list(found.notes))
    if previous is not None:
        kept = _named_alike(table, kept, previous, spec, seed)
        before = None if "none" in (kept.model.method, previous.method) else _renamed(before, spec)
    return _moved(kept, table, before)


def _renamed(before: pd.DataFrame | None, spec: SegmentSpec) -> pd.DataFrame | None:
    """Give the members of the earlier run under the names of now: a new name is no move."""
    return None if before is None else before.assign(segment=before["segment"].map(lambda s: spec.names.get(s, s)))


def _assigned(table: pd.DataFrame, spec: SegmentSpec, saved: SegmentModel, before: pd.DataFrame | None, seed: int) -> Kept:
    """Use the saved rules as they are; only names may be given anew."""
    model = saved.model_copy(update={"labels": tuple(spec.names.get(label, label) for label in saved.labels)})
    rows = first_rows(table)
    members = assign_segments(model, rows)
    notes = [f"People were put into the {len(model.labels)} saved segments, made from {model.people:,}; nothing was searched."]
    handled = members.attrs["handled"]
    if lost := [n for n, word in spec.names.items() if n not in saved.labels and word not in saved.labels]:
        notes.append(f"segments.names names {', '.join(lost)}, which is not among the saved segments ({', '.join(saved.labels)}).")
    used = [a.name for a in model.attributes]
    if used and spec.features != "auto" and set(spec.features) != set(used):
        notes.append(f"segments.features lists {', '.join(spec.features)}; the saved segments were made from {', '.join(used)}, "
                     "and are kept as they are: `demand segment` finds new ones.")  # fmt: skip
    notes += reason_notes(model.attributes, spec)
    joined = {a.name for a in model.attributes if OTHER in a.levels}
    notes += [
        f"'{n}': values that the segments have never seen, of {share_words(k, len(rows))} of all, were taken as "
        f"{'other rare values are' if n in joined else 'not known'}."
        for n, k in handled["new"].items()
    ]
    if not len(members):
        return Kept(model, members, pd.DataFrame(), {}, notes)
    notes.append(unclear_note(members, model.unclear))
    found = {}
    if model.reference is not None and model.attributes:
        told = drift(model.reference, rows, members, model.attributes, model.labels, seed=seed)
        found["drift"] = told.table
        notes.append(f"Drift since the fit: {told.advice}; {told.reason}.")
    elif model.attributes:
        notes.append("The saved segments do not say what the people of the fit were like, so drift cannot be told: find them again once.")
    return _moved(Kept(model, members, pd.DataFrame(), found, notes), table, _renamed(before, spec))


def _moved(kept: Kept, table: pd.DataFrame, before: pd.DataFrame | None) -> Kept:
    """Count who moved: since the earlier run where there is one, else within the last year of the episodes themselves."""
    model, members = kept.model, kept.members
    if before is not None:
        moves = transitions(before, members)
        same, both = stayed(moves)
        told = f"Of those who were there before, {share_words(same, both)} are in the same segment." if both else ""
        if both < FEW * len(members):
            told += " Few people of the earlier run are in this one: were their pseudonyms made with the same key?"
        return replace(kept, tables={**kept.tables, "transitions": moves}, notes=[*kept.notes, told.strip()])
    last = table["opened"].max() if "opened" in table else pd.NaT
    if pd.isna(last) or not model.attributes or table["opened"].min() > last - YEAR:
        return kept
    then, now = members_at(model, table, last - YEAR), members_at(model, table, last)
    moves = transitions(then, now)
    same, both = stayed(moves)
    told = f"Of those known a year before the last episode, {share_words(same, both)} are in the same segment by their latest episode."
    return replace(kept, tables={**kept.tables, "transitions": moves}, notes=[*kept.notes, told])


def members_at(model: SegmentModel, people: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """Put people into segments as at a day: by the latest episode that had begun, and nothing that came later.

    Parameters
    ----------
    model : SegmentModel
    people : pandas.DataFrame
        PEOPLE with `opened`; several rows a person are episodes.
    day : pandas.Timestamp

    Returns
    -------
    pandas.DataFrame
        person_id, segment, certainty of those known by the day.

    Raises
    ------
    DataError
        Where an attribute is missing from the table.
    """
    order = ["person_id", "opened", *(c for c in ("episode_id",) if c in people)]
    rows = people[people["opened"] <= day].sort_values(order, kind="stable").drop_duplicates("person_id", keep="last")
    return place_rows(model, rows).assign(person_id=rows["person_id"].astype(str))[["person_id", "segment", "certainty"]]


def _named_alike(table: pd.DataFrame, kept: Kept, previous: SegmentModel, spec: SegmentSpec, seed: int) -> Kept:
    """Put everybody into the old segments too, match the new ones to them, and give the same ones their names."""
    rows = first_rows(table)
    if "none" in (kept.model.method, previous.method):
        which = "are no segments now" if kept.model.method == "none" else "were no segments then"
        return _called(kept, rows, {}, spec, f"There {which}, so none is compared with the earlier ones.", seed)
    try:
        old = assign_segments(previous, rows)
    except DataError as error:
        return _called(kept, rows, {}, spec, f"The new segments could not be compared with the earlier ones: {error}", seed)
    clear = ((old["segment"] != UNCLEAR) & (kept.members["segment"] != UNCLEAR)).to_numpy()
    matches = match_segments(old["segment"][clear], kept.members["segment"][clear])
    letters = [letter(k) for k in range(2 * (len(previous.labels) + len(kept.model.labels)))]
    # A letter whose name an earlier segment bears is not free either.
    taken = [*previous.labels, *(n for n, word in spec.names.items() if word in previous.labels)]
    names = kept_names(matches, kept.model.labels, taken, letters)
    final = {n: spec.names.get(n, n) for n in [*names.values(), *previous.labels]}
    matches = matches.assign(
        new=[final.get(names.get(str(n), str(n)), str(n)) for n in matches["new"]],
        old=[final.get(str(o), str(o)) for o in matches["old"]],
    )
    named = _called(kept, rows, names, spec, _told(matches), seed)
    return replace(named, tables={**named.tables, "matches": matches})


def _called(kept: Kept, rows: pd.DataFrame, names: dict[str, str], spec: SegmentSpec, note: str, seed: int) -> Kept:
    """Give the new segments the names of the same ones before, and then those of the analyst."""
    inner = [names.get(label, label) for label in kept.model.labels]
    model = kept.model.model_copy(update={"labels": tuple(spec.names.get(n, n) for n in inner)})
    members = assign_segments(model, rows)
    if model.reference is not None:
        known = reference(rows, members, model.attributes, model.labels, seed=seed)
        model = model.model_copy(update={"reference": known})
    lost = [n for n, word in spec.names.items() if n not in inner and word not in inner]
    more = [f"segments.names names {', '.join(lost)}, which is not among the segments found."] if lost else []
    return Kept(model, members, kept.evidence, kept.tables, [*kept.notes, note, *more])


def _told(matches: pd.DataFrame) -> str:
    parts = []
    for verdict, words in (("same", "the same as before"), ("changed", "near to an earlier one but not the same"), ("new", "new")):
        names = list(matches.loc[matches["verdict"] == verdict, "new"])
        parts += [f"{words}: {', '.join(names)}"] if names else []
    gone = list(matches.loc[matches["verdict"].isin(["gone", "changed"]), "old"])
    parts += [f"gone: {', '.join(gone)}"] if gone else []
    return f"Compared with the earlier segments on the same people: {'; '.join(parts)}."
