"""Finding segments: which people or places are alike, in how many groups, and on what evidence; or that there are none.

In: a table of people (the first episode of each counts) or places, and a `SegmentSpec`. Out: `Segmentation`: the rules, the members, the
evidence for every solution that was tried, and notes. Refuses tables without ids, unknown features and unknown methods.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Literal, cast

import numpy as np
import pandas as pd
from pydantic import Field

from demand.errors import DataError, Fault, did_you_mean, raise_all
from demand.segments.attributes import Coded, Reading, encode, protected, read_attributes
from demand.segments.drift import reference
from demand.segments.mixture import METHODS, Fit, Prepared, fit, posterior, refit, stepmix_labels
from demand.segments.model import ALL, SegmentModel, assign_segments, first_rows
from demand.segments.stability import Judgement, WithoutGroups, certainty, judge
from demand.spec import NameList, Spec, stream

__all__ = ["SegmentSpec", "Segmentation", "assign_segments", "find_segments"]

LEAST_PEOPLE = 10
LEAST_SHARE = 0.02
"""A segment of fewer than ten people, or of fewer than two in a hundred, is never given."""
STABLE, WEAKEST, CLEAR, EXCESS, STILL = 0.6, 0.5, 0.65, 4.0, 2.0
"""What a solution must reach: stability, the weakest segment's overlap (below 0.5 a cluster is 'dissolved', Hennig 2007), certainty of
membership, and gain in standard deviations of the gain in data without groups: one count of the method must reach the first figure, which
says that there are groups; any other count then needs the second. What reaches neither is not resampled."""
SEARCH_ROWS, FIT_ROWS, COUNTS = 2000, 20_000, range(2, 9)
NULLS, RESAMPLES, NEARLY = 7, 7, 0.85


class SegmentSpec(Spec):
    """How segments are looked for: the `segments` part of a config."""

    features: Literal["auto"] | NameList = "auto"
    """The attributes that may tell segments apart; auto takes all but protected characteristics, identifiers and dates."""
    method: Literal["auto", "latent_class", "gaussian_mixture", "kmeans"] = "auto"
    """auto compares all three."""
    count: Literal["auto"] | int = "auto"
    """How many segments; auto decides on evidence, and may find none."""
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
        One row a solution tried: method, count, bic, gain, without_groups, excess, stability, weakest, certainty, smallest_share,
        verdict, chosen.
    notes : list of str
        What was left out, what was done, and what to mind.
    """

    model: SegmentModel
    members: pd.DataFrame
    evidence: pd.DataFrame
    notes: list[str]


@dataclass(frozen=True)
class Candidate:
    """A solution, how it was judged, and why it cannot be taken ("" where it can)."""

    fit: Fit
    judgement: Judgement | None
    verdict: str

    @property
    def beyond(self) -> float:
        """Gain beyond data without groups, times stability."""
        return (self.fit.gain - self.judgement.without_groups) * self.judgement.stability if self.judgement else 0.0

    @property
    def row(self) -> dict[str, object]:
        """The row of the evidence."""
        sizes = np.bincount(self.fit.labels, minlength=self.fit.count)
        j = self.judgement
        told = {"without_groups": j.without_groups, "excess": j.excess, "stability": j.stability, "weakest": j.weakest} if j else {}
        return {"method": self.fit.method, "count": self.fit.count, "bic": self.fit.bic, "gain": self.fit.gain,
                **dict.fromkeys(("without_groups", "excess", "stability", "weakest"), np.nan), **told,
                "certainty": certainty(self.fit.share), "smallest_share": float(sizes.min() / sizes.sum()),
                "verdict": self.verdict or "can be taken"}  # fmt: skip


def find_segments(
    people: pd.DataFrame,
    spec: SegmentSpec | None = None,
    *,
    seed: int = 1,
    attributes: Sequence[str] | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Segmentation:
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
        return _everybody(rows, seed, notes, pd.DataFrame())
    coded = encode(rows, reading.attributes)
    floors = np.array([a.floor for a in reading.attributes if a.kind in ("number", "ordered")])
    at = np.sort(stream(seed, "segments", "search").permutation(len(rows))[:SEARCH_ROWS])
    data = Prepared.of(coded.rows(at), floors)
    with _one_thread():
        candidates = _search(data, spec, seed, tell)
    evidence = pd.DataFrame([c.row for c in candidates])
    for chosen in _ranked(candidates, data.coded, spec):
        with _one_thread():
            model = _rules(chosen, data, coded, reading, seed)
        members = assign_segments(model, rows)
        if (sizes := members["segment"].value_counts()).min() >= _least(len(rows)) and len(sizes) == chosen.fit.count:
            model, members = _named(model, rows, sizes, spec)
            evidence["chosen"] = [c is chosen for c in candidates]
            return Segmentation(model, members, evidence, notes + _conclusion(chosen, model, members, spec))
    evidence["chosen"] = False
    notes.append(_none_found(candidates, spec))
    return _everybody(rows, seed, notes, evidence)


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
    reasoned = {name for name, reason in spec.reasons.items() if reason.strip()}
    bare = [
        f"'{a.name}' tells of {kin}, a protected characteristic, and was used to find segments because it was listed; segments.reasons "
        "does not say why. Say it there, or leave it out."
        for a in reading.attributes
        if (kin := protected(a.name)) and a.name not in reasoned
    ]
    return replace(reading, notes=(*reading.notes, *bare))


def _one_thread() -> AbstractContextManager[object]:
    """Hold the engines to one thread: many threads are slower on arrays of this size, and their sums differ from machine to machine.

    Only libraries that are loaded already can be held, so they are loaded first.
    """
    from threadpoolctl import threadpool_limits

    for engine in ("scipy.stats", "sklearn.cluster", "sklearn.metrics"):
        import_module(engine)
    return cast("AbstractContextManager[object]", threadpool_limits(1))


def _least(n: int) -> float:
    return max(LEAST_PEOPLE, LEAST_SHARE * n)


def _search(data: Prepared, spec: SegmentSpec, seed: int, tell: Callable[[str, float], None]) -> list[Candidate]:
    """Fit every method and count; judge those without tiny segments."""
    if spec.count == 1:
        return []
    methods = METHODS if spec.method == "auto" else (spec.method,)
    counts = [k for k in (COUNTS if spec.count == "auto" else (int(spec.count),)) if k * LEAST_PEOPLE <= len(data.design)]
    nothing = WithoutGroups(data, stream(seed, "segments", "without groups"), repeats=NULLS)
    support = not data.coded.sizes
    if not support and spec.method not in ("auto", "latent_class"):
        support = _best_excess(_large(_fits(data, "latent_class", counts, seed)), nothing) >= STILL
    out: list[Candidate] = []
    for i, method in enumerate(methods):
        tell(f"{method}: {counts[0]} to {counts[-1]} segments" if counts else method, i / len(methods))
        fits = _fits(data, method, counts, seed)
        if method == "latent_class":
            support = support or _best_excess(_large(fits), nothing) >= STILL
        tell(f"{method}: stability", (i + 0.5) / len(methods))
        out += _judged(data, fits, nothing, spec=spec, seed=seed, support=support)
    return out


def _fits(data: Prepared, method: str, counts: Sequence[int], seed: int) -> list[Fit]:
    return [fit(data, method, count, stream(seed, "segments", method, count), starts=3) for count in counts]


def _large(fits: Sequence[Fit]) -> list[Fit]:
    """Give the fits without a tiny segment."""
    return [f for f in fits if np.bincount(f.labels, minlength=f.count).min() >= min(_least(len(f.share)), LEAST_SHARE * len(f.share))]


def _best_excess(fits: Sequence[Fit], nothing: WithoutGroups) -> float:
    for f in fits:
        nothing.gains(f.method, f.count)
    return max((nothing.against(f)[1] for f in fits), default=-np.inf)


def _judged(data: Prepared, fits: list[Fit], nothing: WithoutGroups, *, spec: SegmentSpec, seed: int, support: bool) -> list[Candidate]:
    """Judge the solutions of one method."""
    large, fixed = _large(fits), spec.count != "auto"
    hope = fixed or (support and _best_excess(large, nothing) >= EXCESS)
    judged: list[Judgement | None] = []
    for f in fits:
        able = any(f is g for g in large)
        repeats = RESAMPLES if able and hope and (fixed or nothing.against(f)[1] >= STILL) else 0
        rng = stream(seed, "segments", "judge", f.method, f.count)
        judged.append(judge(data, f, nothing, rng, repeats=repeats) if able else None)
    pairs = list(zip(fits, judged, strict=True))
    least = STILL if any(j and not _verdict(f, j, EXCESS, support) for f, j in pairs) else EXCESS
    return [Candidate(f, j, _verdict(f, j, least, support) if j else "a segment is too small") for f, j in pairs]


def _verdict(f: Fit, j: Judgement, least: float, support: bool) -> str:
    """Say what stands against a solution.

    Categories make a lattice of the main components, and a method that works on these finds the lattice; it is believed on mixed data only
    where latent classes see something too (`support`).
    """
    faults = []
    if j.excess < least:
        faults.append("no better than in data without groups")
    elif not support:
        faults.append("latent classes see no groups")
    if j.stability < STABLE or j.weakest < WEAKEST:
        faults.append("not stable")
    if certainty(f.share) < CLEAR:
        faults.append("most people belong nowhere clearly")
    return "; ".join(faults)


def _ranked(candidates: Sequence[Candidate], coded: Coded, spec: SegmentSpec) -> list[Candidate]:
    """Give the solutions that may be taken, best first; with a count that the analyst set, all that were judged.

    Within a method the count goes first whose gain beyond data without groups, times its stability, is largest. With a likelihood, of the
    counts that come near that (0.85) the one that BIC prefers, and never more than BIC's own count: it errs to too many. Between
    methods the one goes first that tells most about the attributes, times its stability.
    """
    fixed = isinstance(spec.count, int)
    able = [c for c in candidates if c.judgement and (fixed or not c.verdict)]
    forward: list[Candidate] = []
    for method in METHODS:
        most = min((c for c in candidates if c.fit.method == method), key=lambda c: c.fit.bic, default=None)
        own = [c for c in able if c.fit.method == method and most and (method == "kmeans" or c.fit.count <= most.fit.count)]
        near = [c for c in own if c.beyond >= NEARLY * max(o.beyond for o in own)]
        forward += sorted(near, key=lambda c: -c.beyond if method == "kmeans" else c.fit.bic)[:1]
    worth = {id(c): _told(coded, c.fit) * (c.judgement.stability if c.judgement else 0.0) for c in able}
    rest = [c for c in able if not any(c is f for f in forward)]
    return sorted(forward, key=lambda c: -worth[id(c)]) + sorted(rest, key=lambda c: -worth[id(c)])


def _told(coded: Coded, solution: Fit) -> float:
    """Give how much the segments tell about the attributes: gain in log-likelihood a row, less the BIC penalty; alike for all methods."""
    labels, gain, free = solution.labels, 0.0, 0
    for x in coded.numbers.T:
        known = ~np.isnan(x)
        within = [x[known & (labels == k)] for k in range(solution.count)]
        gain += 0.5 * (known.sum() * np.log(max(x[known].var(), 1e-3)) - sum(len(w) * np.log(max(w.var(), 0.01)) for w in within if len(w)))
        free += 2 * (solution.count - 1)
    for codes, size in zip(coded.codes.T, coded.sizes, strict=True):
        table = np.zeros((solution.count, size))
        np.add.at(table, (labels[codes >= 0], codes[codes >= 0]), 1)
        expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / max(table.sum(), 1)
        gain += float((table * np.log(np.where(table > 0, table / np.maximum(expected, 1e-12), 1.0))).sum())
        free += (solution.count - 1) * (size - 1)
    return float(gain - 0.5 * free * np.log(len(labels))) / len(labels)


def _rules(chosen: Candidate, data: Prepared, coded: Coded, reading: Reading, seed: int) -> SegmentModel:
    """Ask StepMix too, fit the chosen solution to more people, and write it down."""
    solution = chosen.fit
    if solution.method == "latent_class":
        labels = stepmix_labels(data, solution.count, stream(seed, "segments", "stepmix"))
        if labels is not None and np.bincount(labels, minlength=solution.count).min() >= LEAST_SHARE * len(labels):
            solution = min(solution, refit(data, solution, labels), key=lambda f: f.bic)
    if len(coded) > len(data.design):
        at = np.sort(stream(seed, "segments", "fit").permutation(len(coded))[:FIT_ROWS])
        data = data.like(coded.rows(at))
        solution = refit(data, solution, posterior(data, solution).argmax(axis=1))
    return SegmentModel(
        method=solution.method,
        labels=tuple(letter(k) for k in range(solution.count)),
        attributes=reading.attributes,
        parameters={k: v.tolist() for k, v in solution.parameters.items()},
        people=len(coded),
        seed=seed,
        groups=not chosen.verdict,
    )


def letter(k: int) -> str:
    """Give A to Z, then AA, AB and so on."""
    return (letter(k // 26 - 1) if k >= 26 else "") + chr(ord("A") + k % 26)


def _named(model: SegmentModel, rows: pd.DataFrame, sizes: pd.Series, spec: SegmentSpec) -> tuple[SegmentModel, pd.DataFrame]:
    """Put the segments in the order of their size, and give them the analyst's names."""
    order = sorted(range(len(model.labels)), key=lambda k: (-int(sizes[model.labels[k]]), k))
    moved = {k: v if k in ("loadings", "shares") else [v[i] for i in order] for k, v in model.parameters.items()}
    labels = tuple(spec.names.get(letter(k), letter(k)) for k in range(len(order)))
    named = model.model_copy(update={"parameters": moved, "labels": labels, "unclear": spec.unclear})
    members = assign_segments(named, rows)
    known = reference(rows, members, named.attributes, labels, seed=model.seed)
    return named.model_copy(update={"reference": known}), members


def _everybody(rows: pd.DataFrame, seed: int, notes: list[str], evidence: pd.DataFrame) -> Segmentation:
    model = SegmentModel(method="none", labels=(ALL,), people=len(rows), seed=seed, groups=False)
    return Segmentation(model, assign_segments(model, rows), evidence, notes)


def _too_little(n: int) -> str:
    if n < 2 * LEAST_PEOPLE:
        return f"No segments found: {n} people or places are too few (at least {2 * LEAST_PEOPLE})."
    return "No segments found: no attribute is left that could tell people apart."


def _none_found(candidates: Sequence[Candidate], spec: SegmentSpec) -> str:
    if spec.count == 1:
        return "One segment was asked for, so everybody is in it."
    if not any(c.judgement for c in candidates):
        return "No segments found: every solution had a segment of fewer than ten people or 2 in 100."
    if isinstance(spec.count, int):
        return f"No {spec.count} segments of at least ten people and 2 in 100 could be made. Ask for fewer."
    return ("No segments found: no solution was both stable when people are resampled and better than the same method does on data without "
            "groups. Everybody is in one segment, 'all'; `count: N` makes bands for convenience.")  # fmt: skip


def _conclusion(chosen: Candidate, model: SegmentModel, members: pd.DataFrame, spec: SegmentSpec) -> list[str]:
    j = chosen.judgement
    words = chosen.fit.method.replace("_", " ")
    notes = [
        f"{len(model.labels)} segments by {words}"
        + (
            f": stability {j.stability:.2f} (adjusted Rand index over resampled people), weakest segment {j.weakest:.2f} (Jaccard)."
            if j
            else "."
        )
    ]
    if not model.groups:
        notes.append(f"These are bands for convenience, not groups: {chosen.verdict}.")
    unclear = int((members["certainty"] < model.unclear).sum())
    notes.append(f"{unclear:,} people are 'unclear': their certainty is below {model.unclear:g}, so they are in no segment.")
    if lost := sorted(set(spec.names) - {letter(k) for k in range(len(model.labels))}):
        notes.append(f"segments.names names {', '.join(lost)}, which is not among the segments found.")
    return notes
