"""Finding segments: which people or places are alike, in how many groups, and on what evidence; or that there are none.

In: a table of people (the first episode of each counts) or places, and a `SegmentSpec`. Out: `Segmentation`: the rules, the members, the
evidence for every solution that was tried, and notes. Refuses tables without ids, unknown features and unknown methods.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field, field_validator

from demand.errors import DataError, Fault, did_you_mean, raise_all
from demand.segments.attributes import Attribute, Reading, encode, protected, read_attributes
from demand.segments.clustergram import COLUMNS, clustergram
from demand.segments.drift import reference
from demand.segments.mixture import IN_BANDS, fit, posterior, refit, stepmix_labels
from demand.segments.model import ALL, UNCLEAR, SegmentModel, assign_segments, first_rows, is_unclear, unclear_note
from demand.segments.prepared import Prepared
from demand.segments.search import (
    EVIDENCE,
    LEAST_PEOPLE,
    LEAST_SHARE,
    Candidate,
    Scope,
    counts_for,
    least,
    one_thread,
    patchy,
    ranked,
    search,
)
from demand.spec import NameList, Spec, stream

__all__ = ["LEAST_PEOPLE", "SegmentSpec", "Segmentation", "assign_segments", "find_segments", "reason_notes"]

SEARCH_ROWS, FIT_ROWS = 3000, 20_000
"""Counts and methods are compared on so many rows, and the rules that are saved are made from so many."""
PATCHY = (
    "Gaussian mixtures were not tried: numbers are missing in so many combinations that each step would take very long. Leave out "
    "numbers that are mostly missing, or ask for method: gaussian_mixture."
)


class SegmentSpec(Spec):
    """How segments are looked for: the `segments` part of a config."""

    features: Literal["auto"] | NameList = "auto"
    """The attributes that may tell segments apart; auto takes all but protected characteristics, identifiers and dates."""
    method: Literal["auto", "latent_class", "gaussian_mixture", "kmeans", "hdbscan"] = "auto"
    """auto compares all four."""
    count: Literal["auto"] | int = "auto"
    """How many segments; auto decides on evidence, and may find none. A number gives bands for convenience where there are no groups."""
    reasons: dict[str, str] = Field(default_factory=dict)
    """Why a protected characteristic is used, by its column."""
    names: dict[str, str] = Field(default_factory=dict)
    """Names for the segments, by letter: {A: Young renters}."""
    unclear: float = Field(default=0.5, ge=0, lt=1)
    """People whose certainty is below this are in no segment, but "unclear": by default those who more likely belong elsewhere."""
    saved: str | None = None
    """A segment_model.json: people are put into the segments that it holds, and nothing is searched (`demand segment --assign`)."""
    previous: str | None = None
    """The segment_model.json of an earlier fit: new segments that are the same as old ones keep their names."""
    outcome: str | None = None
    """Where people have no dates: the column that counts how much each used, which is modelled and never finds segments."""

    @field_validator("names")
    @classmethod
    def _told_apart(cls, names: dict[str, str]) -> dict[str, str]:
        words = [word.strip() for word in names.values()]
        twice = sorted({word for word in words if words.count(word) > 1})
        taken = sorted({word for word in words if word.casefold() in ("", UNCLEAR, "everybody", ALL)})
        letters = sorted(word for word in words if len(word) == 1 and word.isupper() and word not in names)
        if twice or taken or letters:
            found = ", ".join(f"'{word}'" for word in dict.fromkeys([*twice, *taken, *letters]))
            raise ValueError(f"each segment needs a name of its own, and not unclear, everybody, all or another's letter: {found}")
        return names


@dataclass(frozen=True)
class Segmentation:
    """What was found.

    Parameters
    ----------
    model : SegmentModel
        The rules, as they are saved.
    members : pandas.DataFrame
        person_id, segment, certainty.
    evidence : pandas.DataFrame
        One row a solution tried: method, count, numbers_as (bell curves, bands, one covariance, own covariances or main components), bic
        (of the attributes, so that latent classes and Gaussian mixtures compare; k-means: of its components), gain (log-likelihood a row
        over one group; k-means and HDBSCAN: log of the variance), without_groups (the same in data without groups), excess (in standard
        deviations; these two only of solutions that tell much), stability (adjusted Rand index over resampled people), weakest and each
        (Jaccard overlap of the weakest and of each segment, largest segment first), certainty (relative entropy), nowhere (share of
        people who belong nowhere clearly), smallest_share, told (what the segments tell of the attributes: likelihood a row over the best
        single group, less the cost of parameters), verdict, chosen.
    notes : list of str
        What was left out, what was done, and what to mind.
    picture : pandas.DataFrame
        How segments split as their number grows; see `clustergram`.
    """

    model: SegmentModel
    members: pd.DataFrame
    evidence: pd.DataFrame
    notes: list[str]
    picture: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=COLUMNS))


def find_segments(
    people: pd.DataFrame, spec: SegmentSpec | None = None, *, seed: int = 1, attributes: Sequence[str] | None = None, jobs: int = 1,
    progress: Callable[[str, float], None] | None = None,
) -> Segmentation:  # fmt: skip
    """Put people or places into segments, where the data have any.

    Parameters
    ----------
    people : pandas.DataFrame
        PEOPLE with person_id, or an area profile with place_id; several rows a person are episodes, of which the first counts.
    spec : SegmentSpec, optional
    seed : int
        The run's seed.
    attributes : sequence of str, optional
        The columns that describe people; without it, all but ids, dates of episodes, prices and the keys area, service, type.
    jobs : int
        Cores; the results are the same for any number.
    progress : callable, optional
        Told what is done and the share done, 0 to 1.

    Returns
    -------
    Segmentation

    Raises
    ------
    DataError
        Where ids or listed features are missing, or there are no rows.

    Examples
    --------
    >>> import pandas as pd
    >>> find_segments(pd.DataFrame({"person_id": ["a", "b"], "need": ["yes", "no"]})).model.labels
    ('all',)
    """
    spec = spec or SegmentSpec()
    tell = progress or (lambda *_: None)
    rows = first_rows(people)
    reading = _read(rows, spec, attributes)
    notes = list(reading.notes)
    if len(rows) < 2 * LEAST_PEOPLE or not reading.attributes:
        notes.append(_too_little(len(rows)))
        return _everybody(rows, seed, notes, pd.DataFrame(columns=[*EVIDENCE, "chosen"]))
    floors = np.array([a.floor for a in reading.attributes if a.kind in ("number", "ordered")])
    at = np.sort(stream(seed, "segments", "search").permutation(len(rows))[:SEARCH_ROWS])
    with one_thread():
        data = Prepared.of(encode(rows.iloc[at], reading.attributes), floors)
    if spec.method == "auto" and patchy(data):
        notes.append(PATCHY)
    scope = Scope(spec.method, spec.count if isinstance(spec.count, int) else None)
    candidates = [] if spec.count == 1 else search(data, scope, seed=seed, jobs=jobs, tell=tell)
    evidence = pd.DataFrame([c.row for c in candidates], columns=EVIDENCE)
    for chosen in ranked(candidates, asked=scope.count is not None):
        with one_thread():
            model = _rules(chosen, data, rows, reading, seed)
        members = assign_segments(model, rows)
        sizes = members.loc[members["segment"] != UNCLEAR, "segment"].value_counts()
        if sizes.min() >= least(len(rows)) and len(sizes) == chosen.fit.count:
            model, members, order = _named(model, rows, members, spec)
            if thin := _thinned(members, chosen.fit.count, spec.unclear):
                notes += [thin] if thin not in notes else []
                continue
            evidence["chosen"] = [c is chosen for c in candidates]
            notes += _conclusion(chosen, model, members, spec, order)
            return Segmentation(model, members, evidence, notes, _picture(data, candidates, chosen, seed))
    evidence["chosen"] = False
    notes.append(_none_found(candidates, spec, len(rows)))
    return _everybody(rows, seed, notes, evidence, _picture(data, candidates, None, seed))


def _thinned(members: pd.DataFrame, count: int, unclear: float) -> str:
    """Say that a segment is too small once those who are unclear are out of it; empty where none is."""
    clear = members.loc[members["segment"] != UNCLEAR, "segment"].value_counts()
    if len(clear) == count and clear.min() >= LEAST_PEOPLE:
        return ""
    return (
        f"A solution of {count} segments was set aside: without those whose certainty is below {unclear:g}, one has fewer than ten people. "
        "Lower segments.unclear, or ask for fewer segments."
    )


def _picture(data: Prepared, candidates: Sequence[Candidate], chosen: Candidate | None, seed: int) -> pd.DataFrame:
    """Give the clustergram of the method that was chosen (of k-means for HDBSCAN, which takes no count), or of the one that tells most."""
    shown = chosen or max((c for c in candidates), key=lambda c: c.told, default=None)
    if shown is None:
        return pd.DataFrame(columns=COLUMNS)
    way = "kmeans" if shown.fit.method == "hdbscan" else shown.fit.method
    fits = {c.fit.count: c.fit for c in candidates if c.fit.method == way}
    with one_thread():
        for count in counts_for(len(data), None):
            if count not in fits:
                fits[count] = fit(data, way, count, stream(seed, "segments", "picture", way, count))
    return clustergram(data, list(fits.values()), chosen.fit.count if chosen else None)


def _read(rows: pd.DataFrame, spec: SegmentSpec, attributes: Sequence[str] | None) -> Reading:
    """Check the settings against the table, then read the attributes."""
    columns = [str(c) for c in rows.columns]
    listed_features = None if spec.features == "auto" else list(spec.features)
    wanted = {"segments.features": listed_features or [], "people.attributes": list(attributes or [])}
    faults = [Fault(f"'{name}' is not a column", where=where, allowed=did_you_mean(name, columns))
              for where, names in wanted.items() for name in names if name not in columns]  # fmt: skip
    if isinstance(spec.count, int) and spec.count < 1:
        faults.append(Fault(f"{spec.count} segments", where="segments.count", allowed="auto, or a whole number from 1"))
    if rows.empty:
        faults.append(Fault("there are no people or places to put into segments"))
    raise_all(faults, DataError, during="reading attributes")
    reading = read_attributes(rows, listed_features, attributes)
    return replace(reading, notes=(*reading.notes, *reason_notes(reading.attributes, spec)))


def reason_notes(attributes: Sequence[Attribute], spec: SegmentSpec) -> list[str]:
    """Say why each protected characteristic is used, or that nobody says why.

    Parameters
    ----------
    attributes : sequence of Attribute
        Those that find segments.
    spec : SegmentSpec

    Returns
    -------
    list of str
    """
    notes = []
    for name, kin in ((a.name, protected(a.name)) for a in attributes):
        reason = spec.reasons.get(name, "").strip()
        if kin and reason:
            notes.append(f"'{name}' ({kin}, a protected characteristic) was used because: {reason}")
        elif kin:
            notes.append(
                f"'{name}' tells of {kin}, a protected characteristic, and was used to find segments because it was listed; "
                "segments.reasons does not say why. Say it there, or leave it out."
            )
    return notes


def _rules(chosen: Candidate, data: Prepared, rows: pd.DataFrame, reading: Reading, seed: int) -> SegmentModel:
    """Ask StepMix too, fit the chosen solution to more people, and write it down."""
    solution = chosen.fit
    if solution.public == "latent_class":
        labels = stepmix_labels(data, solution.count, stream(seed, "segments", "stepmix"), method=solution.method)
        if labels is not None and np.bincount(labels, minlength=solution.count).min() >= LEAST_SHARE * len(labels):
            solution = min(solution, refit(data, solution, labels), key=lambda f: f.bic)
    if len(rows) > len(data) and solution.method != "hdbscan":
        at = np.sort(stream(seed, "segments", "fit").permutation(len(rows))[:FIT_ROWS])
        more = data.like(encode(rows.iloc[at], reading.attributes))
        solution = refit(more, solution, posterior(more, solution).argmax(axis=1))
    return SegmentModel(
        method=solution.public,
        labels=tuple(letter(k) for k in range(solution.count)),
        attributes=reading.attributes,
        bands=tuple(tuple(e.tolist()) for e in data.edges) if solution.method == IN_BANDS else None,
        parameters={k: v.tolist() for k, v in solution.parameters.items()},
        people=len(rows),
        seed=seed,
        groups=not chosen.verdict,
    )


def letter(k: int) -> str:
    """Give A to Z, then AA, AB and so on."""
    return (letter(k // 26 - 1) if k >= 26 else "") + chr(ord("A") + k % 26)


def _named(
    model: SegmentModel, rows: pd.DataFrame, members: pd.DataFrame, spec: SegmentSpec
) -> tuple[SegmentModel, pd.DataFrame, list[int]]:
    """Put the segments in the order of their size, and give them the analyst's names."""
    sizes = members["segment"].value_counts()
    order = sorted(range(len(model.labels)), key=lambda k: (-int(sizes[model.labels[k]]), k))
    common = ("loadings", "shares", "covariance", "nowhere_weight", "nowhere_mean", "nowhere_root")
    moved = {k: v if k in common else [v[i] for i in order] for k, v in model.parameters.items()}
    labels = tuple(spec.names.get(letter(k), letter(k)) for k in range(len(order)))
    named = model.model_copy(update={"parameters": moved, "labels": labels, "unclear": spec.unclear})
    called = members["segment"].map({model.labels[k]: label for k, label in zip(order, labels, strict=True)})
    members = members.assign(segment=called.mask(is_unclear(members["certainty"].to_numpy(), spec.unclear), UNCLEAR))
    known = reference(rows, members, named.attributes, labels, seed=model.seed)
    return named.model_copy(update={"reference": known}), members, order


def _everybody(
    rows: pd.DataFrame, seed: int, notes: list[str], evidence: pd.DataFrame, picture: pd.DataFrame | None = None
) -> Segmentation:
    model = SegmentModel(method="none", labels=(ALL,), people=len(rows), seed=seed, groups=False)
    members = assign_segments(model, rows)
    return Segmentation(model, members, evidence, notes, pd.DataFrame(columns=COLUMNS) if picture is None else picture)


def _too_little(n: int) -> str:
    if n < 2 * LEAST_PEOPLE:
        return f"No segments found: {n} people or places are too few (at least {2 * LEAST_PEOPLE})."
    return "No segments found: no attribute is left that could tell people apart."


def _none_found(candidates: Sequence[Candidate], spec: SegmentSpec, n: int) -> str:
    if spec.count == 1:
        return "One segment was asked for, so everybody is in it."
    if isinstance(spec.count, int):
        most = int(min(n // LEAST_PEOPLE, 1 / LEAST_SHARE))
        asked = f"{spec.count} segments were asked for (segments.count), but {n:,} people or places"
        if spec.count > most:
            return f"{asked} make at most {most} of at least ten people and 2 in 100. Everybody is in one segment, 'all'; ask for fewer."
        return (
            f"{asked} could not be put into so many of at least ten people and 2 in 100. Everybody is in one segment, 'all'; ask for fewer."
        )
    if all(c.verdict == "a segment is too small" for c in candidates):
        return "No segments found: every solution had a segment of fewer than ten people or 2 in 100."
    return ("No segments found: no solution was both stable when people are resampled and better than the same method does on data without "
            "groups. Everybody is in one segment, 'all'; `count: N` makes bands for convenience.")  # fmt: skip


def _conclusion(chosen: Candidate, model: SegmentModel, members: pd.DataFrame, spec: SegmentSpec, order: Sequence[int]) -> list[str]:
    words = {"kmeans": "k-means", "hdbscan": "HDBSCAN"}.get(model.method, model.method.replace("_", " "))
    each = ", ".join(f"{label} {chosen.jaccard[k]:.2f}" for label, k in zip(model.labels, order, strict=True))
    notes = [
        f"{len(model.labels)} segments by {words}: stability {chosen.stability:.2f} (adjusted Rand index over resampled people); of each "
        f"segment (Jaccard overlap; below 0.5 it dissolves): {each}."
    ]
    asked = [f"segments.{key}: {value}" for key, value in (("method", spec.method), ("count", spec.count)) if value != "auto"]
    if asked:
        notes.append(f"The config overrules the evidence ({', '.join(asked)}); with auto, methods and counts are compared and chosen from.")
    if not model.groups:
        notes.append(f"These are bands for convenience, not groups: {chosen.verdict}.")
    if chosen.fit.nowhere > 0:
        notes.append(f"{chosen.fit.nowhere:.0%} of people fit nowhere; to them the rules give little certainty.")
    notes.append(unclear_note(members, model.unclear))
    if lost := sorted(set(spec.names) - {letter(k) for k in range(len(model.labels))}):
        notes.append(f"segments.names names {', '.join(lost)}, which is not among the segments found.")
    return notes
