"""The search: every method over a range of counts, each held against data without groups and against resampled people.

In: prepared rows, the methods and counts that are allowed. Out: `Candidate`s with all that is known of them and what stands against each,
in the order in which they were tried; `ranked` puts them in the order in which they would be taken. Results do not depend on how many cores
are used. Refuses nothing; that none can be taken is an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import Any, cast

import numpy as np

from demand.segments.dense import SMALLEST, dense_groups
from demand.segments.mixture import IN_BANDS, WAYS, Fit, fit, partitions, told
from demand.segments.prepared import Prepared
from demand.segments.stability import certainty, resampled, tied_together, without_groups
from demand.spec import stream

__all__ = ["EVIDENCE", "LEAST_PEOPLE", "LEAST_SHARE", "Candidate", "Scope", "counts_for", "least", "one_thread", "ranked", "search"]

LEAST_PEOPLE = 10
LEAST_SHARE = 0.02
"""A segment of fewer than ten people, or of fewer than two in a hundred, is never given."""
STABLE, WEAKEST, VALID, CLEAR, INSIDE = 0.6, 0.5, 0.75, 0.65, 0.5
"""What a solution must reach: stability; the weakest segment's overlap (below 0.5 a cluster is 'dissolved', from 0.75 'valid': Hennig
2007); certainty; and the share of people whom the method puts into a segment."""
EXCESS, STILL = 3.5, 0.0
"""The gain over data without groups, in standard deviations: one solution must reach the first, which says that there are groups; any other
then needs the second."""
COUNTS = range(2, 9)
NULLS, RESAMPLES = 8, 7
STARTS, FEWER_STARTS = 8, 2
"""Starts of the solutions themselves, and of the many that they are held against."""
PROMISING = 0.5
"""Solutions that tell less than this part of what the best tells are not held against resampled people."""
WORTH_CORES = 1000
"""Fewer rows than this are searched faster by one core than others are woken."""
EVIDENCE = ["method", "count", "numbers_as", "bic", "gain", "without_groups", "excess", "stability", "weakest", "each", "certainty",
            "nowhere", "smallest_share", "told", "verdict"]  # fmt: skip
"""The columns of the evidence."""
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
        return {"auto": WAYS, "latent_class": WAYS[:2], "hdbscan": ()}.get(self.method, (self.method,))

    def keys(self, data: Prepared) -> list[Key]:
        """Give all that is tried, each by its way and its count (HDBSCAN: the smallest share)."""
        counts = counts_for(len(data), self.count)
        ways = [w for w in self.ways if w != IN_BANDS or data.banded is not None]
        dense = SMALLEST if self.method in ("auto", "hdbscan") else ()
        return [(w, k) for w in ways for k in counts] + [("hdbscan", s) for s in dense]


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
    return {"latent_class": "bell curves", IN_BANDS: "bands"}.get(solution.method, "main components")


def least(n: int) -> float:
    """Give how many people a segment must hold, of `n`."""
    return max(LEAST_PEOPLE, LEAST_SHARE * n)


def counts_for(n: int, asked: int | None) -> list[int]:
    """Give the counts that `n` rows can hold, of those that are looked at."""
    return [k for k in (COUNTS if asked is None else (asked,)) if k * LEAST_PEOPLE <= n and k > 1]


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
    asked = keys if scope.ways[:1] == WAYS[:1] or not data.coded.sizes else [*Scope("latent_class", scope.count).keys(data), *keys]
    jobs = 1 if len(data) < WORTH_CORES else jobs
    groups = [[k for k in asked if k[1] == setting] for setting in dict.fromkeys(k[1] for k in asked)]
    work: list[Callable[[], Any]] = [partial(_fits, data, group, seed) for group in groups]
    work += [partial(_gains, data, asked, seed, i) for i in range(NULLS)]
    done = list(_carried_out(work, jobs, tell, "fitting, and data without groups", (0.0, 0.5)))
    fits: dict[Key, Fit | None] = {key: one for part in done[: len(groups)] for key, one in part.items()}
    ties = np.array([tied for tied, _ in done[len(groups) :]])
    off = ties - tied_together(data)
    nulls = {key: _expected(np.array([gains[key] for _, gains in done[len(groups) :]]), off) for key in asked}
    candidates = [_held_against(data, key, one, nulls) for key in asked if (one := fits[key]) is not None]
    candidates = [c for c in candidates if scope.count in (None, c.fit.count)]
    support = max((c.excess for c in candidates if c.fit.public == "latent_class"), default=np.inf)
    candidates = [c for c in candidates if c.key in keys]
    hope = scope.count is not None or (support >= STILL and any(c.excess >= EXCESS and not c.verdict for c in candidates))
    enough = PROMISING * max((c.told for c in candidates if not c.verdict), default=0.0)
    judged = [i for i, c in enumerate(candidates) if hope and not c.verdict and (scope.count or (c.excess >= STILL and c.told >= enough))]
    work = [partial(_resampled, data, candidates[i], seed) for i in judged]
    told_by = dict(zip(judged, _carried_out(work, jobs, tell, "resampled people", (0.5, 1.0)), strict=True))
    candidates = [_with(c, *told_by[i]) if i in told_by else c for i, c in enumerate(candidates)]
    needed = STILL if any(not _against(c, EXCESS, support) for c in candidates) else EXCESS
    return [_with(c, c.stability, c.jaccard, _against(c, needed, support)) for c in candidates]


def _carried_out(work: Sequence[Callable[[], Any]], jobs: int, tell: Tell, what: str, span: tuple[float, float]) -> Iterable[Any]:
    """Do the work in its order, on some cores."""
    from joblib import Parallel, delayed

    results = Parallel(n_jobs=jobs, return_as="generator")(delayed(_quietly)(one) for one in work)
    for i, result in enumerate(results):
        tell(what, span[0] + (span[1] - span[0]) * (i + 1) / len(work))
        yield result


def _quietly(one: Callable[[], Any]) -> Any:
    with one_thread():
        return one()


def _fit_all(data: Prepared, keys: Sequence[Key], rng: np.random.Generator, starts: int) -> dict[Key, Fit | None]:
    """Fit several ways and counts; all ways of one count begin from the same partitions."""
    begun = {k: partitions(data, int(k), rng, starts) for k in dict.fromkeys(setting for way, setting in keys if way != "hdbscan")}
    return {(way, k): dense_groups(data, k) if way == "hdbscan" else fit(data, way, int(k), rng, starts=begun[k]) for way, k in keys}


def _fits(data: Prepared, keys: Sequence[Key], seed: int) -> dict[Key, Fit | None]:
    return _fit_all(data, keys, stream(seed, "segments", "fit", keys[0][1]), STARTS)


def _gains(data: Prepared, keys: Sequence[Key], seed: int, turn: int) -> tuple[float, dict[Key, float]]:
    """Give, for one data set without groups, how far its attributes are correlated, and the gain of each way and count."""
    rng = stream(seed, "segments", "without groups", turn)
    nothing = without_groups(data, rng)
    fits = _fit_all(nothing, keys, rng, FEWER_STARTS)
    return tied_together(nothing), {key: one.gain if one else 0.0 for key, one in fits.items()}


def _expected(gains: np.ndarray, off: np.ndarray) -> tuple[float, float]:
    """Give the gain without groups at the correlations of the real data, and the standard deviation of one more such gain.

    A line through the simulated data sets, of which `off` says how much more correlated each is than the real data (a control variate:
    Glasserman 2003, section 4.1).
    """
    n, mean, centred = len(gains), float(gains.mean()), off - off.mean()
    squares = max(float((centred**2).sum()), 1e-12)
    slope = float((gains * centred).sum()) / squares
    rest = gains - mean - slope * centred
    spread = float(np.sqrt((rest**2).sum() / (n - 2) * (1 + 1 / n + off.mean() ** 2 / squares)))
    return mean - slope * float(off.mean()), spread


def _resampled(data: Prepared, c: Candidate, seed: int) -> tuple[float, np.ndarray]:
    rng = stream(seed, "segments", "resampled", *c.key)
    return resampled(data, c.fit, lambda rows, r: _fit_all(rows, [c.key], r, FEWER_STARTS)[c.key], rng, repeats=RESAMPLES)


def _held_against(data: Prepared, key: Key, solution: Fit, nulls: dict[Key, tuple[float, float]]) -> Candidate:
    """Hold a solution against data without groups.

    The spread of the gain there is told by few data sets, so it is not taken for less than the median over the counts of one way (in parts
    of the mean).
    """
    mean, spread = nulls[key]
    parts = [s / max(abs(m), 1e-9) for (way, _), (m, s) in nulls.items() if way == key[0]]
    usual = 0.05 if key[0] == "hdbscan" else max(abs(mean) * max(float(np.median(parts)), 0.01), 1e-4)
    made = Candidate(solution, key, certainty(solution.share), told(data, solution), mean, (solution.gain - mean) / max(spread, usual))
    small = made.sizes.min() < min(least(len(data)), LEAST_SHARE * len(data)) or made.sizes.min() < LEAST_PEOPLE / 2
    return _with(made, np.nan, made.jaccard, "a segment is too small" if small else "")


def _with(c: Candidate, stability: float, jaccard: np.ndarray, verdict: str = "") -> Candidate:
    return Candidate(c.fit, c.key, c.certainty, c.told, c.without_groups, c.excess, stability, jaccard, verdict)


def _against(c: Candidate, needed: float, support: float) -> str:
    """Say what stands against a solution."""
    if c.verdict:
        return c.verdict
    faults = []
    if c.excess < needed:
        faults.append("no better than in data without groups")
    elif support < STILL:
        faults.append("latent classes see no groups")
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
