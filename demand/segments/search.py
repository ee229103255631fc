"""The search: every method over a range of counts, each held against data without groups and against resampled people.

In: prepared rows, the methods and counts that are allowed. Out: `Candidate`s with all that is known of them and what stands against each,
in the order in which they were tried; `ranked` puts them in the order in which they would be taken. Results do not depend on how many cores
are used. Refuses nothing; that none can be taken is an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from typing import Any, cast

import numpy as np

from demand.processes import apart, many
from demand.segments.dense import SMALLEST, dense_groups
from demand.segments.mixture import IN_BANDS, OWN, PUBLIC, SHARED, WAYS, Fit, alone, fit, partitions, told
from demand.segments.prepared import Prepared
from demand.segments.stability import certainty, resampled, tied_together, without_groups
from demand.spec import stream

__all__ = [
    "EVIDENCE",
    "LEAST_PEOPLE",
    "LEAST_SHARE",
    "Candidate",
    "Scope",
    "counts_for",
    "least",
    "one_thread",
    "patchy",
    "ranked",
    "search",
    "thresholds",
]

LEAST_PEOPLE = 10
LEAST_SHARE = 0.02
"""A segment of fewer than ten people, or of fewer than two in a hundred, is never given."""
STABLE, WEAKEST, VALID, CLEAR, INSIDE = 0.6, 0.5, 0.75, 0.5, 0.5
"""What a solution must reach: stability; the weakest segment's overlap (below 0.5 a cluster is 'dissolved', from 0.75 'valid': Hennig
2007); certainty; and the share of people whom the method puts into a segment."""
CHANCE, EARLY, FUTILE, STILL = 0.006, 0.0003, 1.0, 2.0
"""One solution must gain so much more than in data without groups that chance would bring it with this probability (by Student's t: 3.1
standard deviations of twelve data sets), and a mixture the last, in standard deviations: then there are groups. Others then need the last.
Half the data sets are enough where there are mixtures and all of them gain so much more that chance would bring it with the second
probability (two looks: Lan and DeMets 1983), or where no solution gains the third, in standard deviations."""
COUNTS = range(2, 9)
MOST_OWN, MOST_GROUPS = 8, 5
"""With more numbers or groups than this, covariances of each group's own have more parameters than its people can tell."""
MOST_PATCHES = 150_000
"""Ways in which rows have gaps in their numbers, times numbers squared, up to which `auto` tries mixtures of correlated numbers: each step
inverts a covariance for each way."""
FEW_PEOPLE, NULLS, MANY_NULLS, RESAMPLES = 1000, 12, 24, 7
"""Data sets without groups (of few people many, for they are quick, and much is decided by chance there), and resamples."""
STARTS, FEWER_STARTS = 8, 2
"""Starts of the solutions themselves, also in resampled people (sought less well there, a clear solution looks as if it were not stable),
and of the many data sets without groups."""
PROMISING, BEST_WAYS = 0.7, 1
"""Solutions that tell less than this part of what the best of the same method tells, or of whose method and count another way tells
more, are not held against data without groups, nor resampled people."""
EACH = 2e-4
"""Rough seconds that a row costs, by each way and count."""
EVIDENCE = ["method", "count", "numbers_as", "bic", "gain", "without_groups", "excess", "stability", "weakest", "each", "certainty",
            "nowhere", "smallest_share", "told", "verdict"]  # fmt: skip
"""The columns of the evidence."""
ON_COMPONENTS = ("kmeans", "hdbscan")
"""Methods that see the main components alone."""
Tell = Callable[[str, float], None]
Key = tuple[str, float]


@dataclass(frozen=True)
class Scope:
    """What is looked at: ways of fitting, counts, and whether the count was asked for."""

    method: str
    count: int | None

    @property
    def ways(self) -> tuple[str, ...]:
        """The ways of fitting that belong to the method."""
        return tuple(way for way in WAYS if self.method in ("auto", PUBLIC.get(way, way)))

    def ways_for(self, data: Prepared) -> list[str]:
        """Give the ways that the numbers of these rows can be told in."""
        numbers = data.coded.numbers.shape[1]
        able = self.method != "auto" or not patchy(data)
        fits = {IN_BANDS: numbers > 0, SHARED: able and (numbers > 0 or self.method != "auto"), OWN: able and 1 < numbers <= MOST_OWN}
        return [w for w in self.ways if fits.get(w, True)]

    def keys(self, data: Prepared) -> list[Key]:
        """Give all that is tried, each by its way and its count (HDBSCAN: the smallest share)."""
        counts = counts_for(len(data), self.count)
        dense = SMALLEST if self.method in ("auto", "hdbscan") else ()
        ways = [(w, k) for w in self.ways_for(data) for k in counts if w != OWN or k <= MOST_GROUPS or self.count]
        return [*ways, *(("hdbscan", s) for s in dense)]


@dataclass(frozen=True)
class Candidate:
    """A solution, what is known of it, and why it cannot be taken ("" where it can)."""

    fit: Fit
    key: Key
    certainty: float
    told: float
    without_groups: float = np.nan
    excess: float = np.nan
    stability: float = np.nan
    jaccard: np.ndarray = field(default_factory=lambda: np.empty(0))
    verdict: str = ""

    @property
    def sizes(self) -> np.ndarray:
        """How many of the rows that were searched each segment holds."""
        return np.bincount(self.fit.labels, minlength=self.fit.count)

    @property
    def weakest(self) -> float:
        """The least stable segment's overlap."""
        return float(self.jaccard.min()) if len(self.jaccard) else np.nan

    @property
    def nowhere(self) -> float:
        """Share of the rows that belong nowhere clearly: left outside by the method, or with a certainty below 0.6."""
        return max(self.fit.nowhere, float((self.fit.share.max(axis=1) < 0.6).mean()))

    @property
    def worth(self) -> float:
        """What the segments tell about the attributes, for the share of people who are in one; less where one is not quite stable."""
        return self.told * (1 - self.fit.nowhere) * min(1.0, self.weakest / VALID)

    @property
    def row(self) -> dict[str, object]:
        """The row of the evidence."""
        order = np.argsort(-self.sizes, kind="stable")
        each = " ".join(f"{self.jaccard[k]:.2f}" for k in order) if len(self.jaccard) else ""
        return {"method": self.fit.public, "count": self.fit.count, "numbers_as": _numbers_as(self.fit), "bic": self.fit.bic,
                "gain": self.fit.gain, "without_groups": self.without_groups, "excess": self.excess, "stability": self.stability,
                "weakest": self.weakest, "each": each, "certainty": self.certainty, "nowhere": self.nowhere,
                "smallest_share": float(self.sizes.min() / self.sizes.sum()), "told": self.told,
                "verdict": self.verdict or "can be taken"}  # fmt: skip


def _numbers_as(solution: Fit) -> str:
    words = {"latent_class": "bell curves", IN_BANDS: "bands", SHARED: "one covariance", OWN: "own covariances"}
    return words.get(solution.method, "main components")


def patchy(data: Prepared) -> bool:
    """Say whether gaps in numbers are of so many kinds that mixtures of correlated numbers would take very long."""
    kinds, numbers = data.incomplete.known.shape
    return bool(kinds * numbers**2 > MOST_PATCHES)


def least(n: int) -> float:
    """Give how many people a segment must hold, of `n`."""
    return max(LEAST_PEOPLE, LEAST_SHARE * n)


def counts_for(n: int, asked: int | None) -> list[int]:
    """Give the counts that `n` rows can hold, of those that are looked at."""
    return [k for k in (COUNTS if asked is None else (asked,)) if k * LEAST_PEOPLE <= n and k > 1]


def _bar(sets: int, chance: float = CHANCE) -> float:
    """Give how many standard deviations more than in so many data sets without groups chance brings with a probability."""
    from scipy.stats import t

    return float(t.isf(chance, sets - 3))


def thresholds() -> dict[str, str]:
    """Give what a solution must reach, as the evidence tells it.

    Examples
    --------
    >>> thresholds()["gain"], thresholds()["itself"]
    ('3.1', '2.0')
    """
    reached = {"gain": _bar(NULLS), "gain_few": _bar(MANY_NULLS), "itself": STILL, "stability": STABLE, "each": WEAKEST, "certainty": CLEAR}
    return {"few": f"{FEW_PEOPLE:,}", **{name: f"{value:.1f}" for name, value in reached.items()}}


def one_thread() -> AbstractContextManager[object]:
    """Hold the engines to one thread: many threads are slower on arrays of this size, and their sums differ from machine to machine.

    Only libraries that are loaded already can be held, so they are loaded first.
    """
    from threadpoolctl import threadpool_limits

    for engine in ("scipy.stats", "sklearn.cluster", "sklearn.metrics"):
        import_module(engine)
    return cast("AbstractContextManager[object]", threadpool_limits(1))


def search(data: Prepared, scope: Scope, *, seed: int, jobs: int, tell: Tell) -> list[Candidate]:
    """Fit every method and count, and judge those that could be taken.

    Parameters
    ----------
    data : Prepared
    scope : Scope
    seed : int
    jobs : int
        Cores; the results are the same for any number.
    tell : callable
        Told what is done and the share done.

    Returns
    -------
    list of Candidate
        In the order tried; HDBSCAN only where it found two groups or more, and as many as were asked for.
    """
    keys = scope.keys(data)
    # Categories make a lattice of the main components, and a method that works on these finds the lattice: latent classes are asked too.
    asked = keys if scope.method not in ON_COMPONENTS or not data.coded.sizes else [*Scope("latent_class", scope.count).keys(data), *keys]
    jobs = jobs if apart(jobs, items=NULLS, seconds=len(data) * len(asked) * EACH) else 1
    groups = [[k for k in asked if k[1] == setting] for setting in dict.fromkeys(k[1] for k in asked)]
    done = _carried_out([partial(_fits, data, group, seed) for group in groups], jobs=jobs, tell=tell, what="fitting", span=(0.0, 0.2))
    fits = {key: one for part in done for key, one in part.items() if one is not None and scope.count in (None, one.count)}
    with one_thread():
        single = alone(data, Scope("auto", None).ways_for(data))
        candidates = [_first_look(data, key, fits[key], single) for key in asked if key in fits]
    promising = [c.key for c in candidates] if scope.count else _promising(candidates)
    simulated = partial(_carried_out, jobs=jobs, tell=tell, what="data without groups")
    candidates, wanted = _against_nothing(data, candidates, promising, seed, simulated)
    support = max((c.excess for c in candidates if c.fit.public not in ON_COMPONENTS and c.key in promising), default=np.inf)
    candidates = [c for c in candidates if c.key in keys]
    hope = scope.count is not None or (support >= STILL and any(c.excess >= wanted and not c.verdict for c in candidates))
    judged = [i for i, c in enumerate(candidates) if hope and not c.verdict and (scope.count or c.excess >= STILL)]
    work = [partial(_resampled, data, candidates[i], seed) for i in judged]
    told_by = dict(zip(judged, _carried_out(work, jobs=jobs, tell=tell, what="resampled people", span=(0.6, 1.0)), strict=True))
    candidates = [replace(c, stability=told_by[i][0], jaccard=told_by[i][1]) if i in told_by else c for i, c in enumerate(candidates)]
    needed = STILL if any(not _against(c, wanted, support) for c in candidates) else wanted
    return [replace(c, verdict=_against(c, needed, support)) for c in candidates]


def _carried_out(work: Sequence[Callable[[], Any]], *, jobs: int, tell: Tell, what: str, span: tuple[float, float]) -> Iterable[Any]:
    """Do the work in its order, on some cores of this computer: it holds single people."""
    for i, result in enumerate(many(_quietly, work, jobs=jobs, here=True)):
        tell(what, span[0] + (span[1] - span[0]) * (i + 1) / len(work))
        yield result


def _quietly(one: Callable[[], Any]) -> Any:
    with one_thread():
        return one()


def _fit_all(data: Prepared, keys: Sequence[Key], rng: np.random.Generator, starts: int) -> dict[Key, Fit | None]:
    """Fit several ways and counts; ways of one count begin from the same partitions, mixtures of correlated numbers also from others."""
    counts = dict.fromkeys(int(setting) for way, setting in keys if way != "hdbscan")
    begun = {k: partitions(data.scores, k, rng, starts) for k in counts}
    together = data.coded.numbers.shape[1] > 1 and any(way in (SHARED, OWN) for way, _ in keys)
    more = {k: partitions(data.apart[:, : k - 1], k, rng, starts // 2) for k in counts} if together else {}

    def one(way: str, k: float) -> Fit | None:
        if way == "hdbscan":
            return dense_groups(data, k)
        return fit(data, way, int(k), rng, starts=begun[int(k)] + (more.get(int(k), []) if way in (SHARED, OWN) else []))

    return {(way, k): one(way, k) for way, k in keys}


def _fits(data: Prepared, keys: Sequence[Key], seed: int) -> dict[Key, Fit | None]:
    return _fit_all(data, keys, stream(seed, "segments", "fit", keys[0][1]), STARTS)


def _gains(data: Prepared, keys: Sequence[Key], seed: int, turn: int) -> tuple[np.ndarray, dict[Key, float]]:
    """Give, for one data set without groups, how far its attributes are correlated, and the gain of each way and count."""
    rng = stream(seed, "segments", "without groups", turn)
    nothing = without_groups(data, rng)
    fits = _fit_all(nothing, keys, rng, FEWER_STARTS)
    return tied_together(nothing), {key: one.gain if one else 0.0 for key, one in fits.items()}


def _against_nothing(
    data: Prepared, candidates: list[Candidate], promising: Sequence[Key], seed: int, carried_out: Callable[..., Iterable[Any]]
) -> tuple[list[Candidate], float]:
    """Hold solutions against data without groups, and say how much more one must gain for there to be groups."""
    most = MANY_NULLS if len(data) < FEW_PEOPLE else NULLS
    if not promising:
        return candidates, _bar(most)
    real = tied_together(data)
    gains: list[tuple[np.ndarray, dict[Key, float]]] = []
    for first, times, chance in ((0, most // 2, EARLY), (most // 2, most, CHANCE)):
        work = [partial(_gains, data, promising, seed, i) for i in range(first, times)]
        gains += carried_out(work, span=(0.2 + 0.4 * first / most, 0.2 + 0.4 * times / most))
        off = np.array([tied for tied, _ in gains]) - real
        nulls = {key: _expected(np.array([gain[key] for _, gain in gains]), off) for key in promising}
        held, wanted = [_held_against(c, nulls) for c in candidates], _bar(times, chance)
        against = [c for c in held if c.key in nulls]
        mixtures = [c for c in against if c.fit.public not in ON_COMPONENTS]
        if (mixtures and all(c.excess >= wanted for c in mixtures)) or max(c.excess for c in against) < FUTILE:
            break
    return held, wanted


def _expected(gains: np.ndarray, off: np.ndarray) -> tuple[float, float]:
    """Give the gain without groups at the correlations of the real data, and the standard deviation of one more such gain.

    A plane through the simulated data sets, of which `off` (data sets, measures) says how much more correlated each is than the real data
    (control variates: Glasserman 2003, section 4.1). It goes two standard deviations beyond them at most: where simulated people cannot be
    as correlated as the real ones, that is no chance.
    """
    n, measures = off.shape
    mean, centred = float(gains.mean()), off - off.mean(axis=0)
    slope = np.linalg.lstsq(centred, gains - mean, rcond=None)[0]
    rest = gains - mean - centred @ slope
    far = 2 * centred.std(axis=0, ddof=1)
    away = np.clip(off.mean(axis=0), -far, far)
    reach = float(away @ np.linalg.pinv(centred.T @ centred) @ away)
    spread = float(np.sqrt((rest**2).sum() / (n - 1 - measures) * (1 + 1 / n + reach)))
    return mean - float(slope @ away), spread


def _resampled(data: Prepared, c: Candidate, seed: int) -> tuple[float, np.ndarray]:
    rng = stream(seed, "segments", "resampled", *c.key)
    return resampled(data, c.fit, lambda rows, r: _fit_all(rows, [c.key], r, STARTS)[c.key], rng, repeats=RESAMPLES)


def _promising(candidates: Sequence[Candidate]) -> list[Key]:
    """Give the solutions that are looked at further: of each method those that tell most, a few ways of each count.

    Each method by itself: numbers of few values make a lattice that a covariance tells well, and data without groups have it too.
    """
    out: list[Key] = []
    for method in dict.fromkeys(c.fit.public for c in candidates):
        own = [c for c in candidates if c.fit.public == method and not c.verdict and c.told > 0]
        enough = PROMISING * max((c.told for c in own), default=0.0)
        able = sorted((c for c in own if c.told >= enough), key=lambda c: -c.told)
        out += [c.key for c in able if [other.key for other in able if other.key[1] == c.key[1]].index(c.key) < BEST_WAYS]
    return out


def _first_look(data: Prepared, key: Key, solution: Fit, single: float) -> Candidate:
    """Say what can be said of a solution by itself."""
    made = Candidate(solution, key, certainty(solution.share), told(data, solution, single))
    small = made.sizes.min() < min(least(len(data)), LEAST_SHARE * len(data)) or made.sizes.min() < LEAST_PEOPLE / 2
    return replace(made, verdict="a segment is too small" if small else "")


def _held_against(c: Candidate, nulls: dict[Key, tuple[float, float]]) -> Candidate:
    """Hold a solution against data without groups.

    The spread of the gain there is told by few data sets, so it is not taken for less than the median over the counts of one way (in parts
    of the mean).
    """
    if c.key not in nulls:
        return c
    mean, spread = nulls[c.key]
    parts = [s / max(abs(m), 1e-9) for (way, _), (m, s) in nulls.items() if way == c.key[0]]
    usual = 0.05 if c.key[0] == "hdbscan" else max(abs(mean) * max(float(np.median(parts)), 0.01), 1e-4)
    return replace(c, without_groups=mean, excess=(c.fit.gain - mean) / max(spread, usual))


def _against(c: Candidate, needed: float, support: float) -> str:
    """Say what stands against a solution."""
    if c.verdict:
        return c.verdict
    if c.told <= 0:
        return "tells no more than one group"
    if np.isnan(c.excess):
        return "tells much less than another"
    faults = []
    if c.excess < needed:
        faults.append("no better than in data without groups")
    elif support < STILL:
        faults.append("mixtures see no groups")
    if np.isnan(c.stability):
        faults.append("not looked at further")
    elif c.stability < STABLE or c.weakest < WEAKEST:
        faults.append("not stable")
    if c.certainty < CLEAR or 1 - c.fit.nowhere < INSIDE:
        faults.append("most people belong nowhere clearly")
    return "; ".join(faults)


def ranked(candidates: Sequence[Candidate], *, asked: bool) -> list[Candidate]:
    """Give the solutions that may be taken, best first; where the count was asked for, all that were judged.

    Best is what tells most about the attributes (likelihood over one group, less the cost of the parameters; alike for all methods), for
    the share of people who are in a segment, less where a segment is not quite stable.
    """
    able = [c for c in candidates if (not np.isnan(c.stability) if asked else not c.verdict)]
    return sorted(able, key=lambda c: -c.worth)
