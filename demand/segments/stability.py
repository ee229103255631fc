"""Stability: whether a solution is there in other people too, and is more than data without groups would show.

In: prepared rows and a solution. Out: `Judgement`: agreement with fits to resampled people, as a whole and for the weakest segment, and the
gain against simulated people with the same margins and correlations but no groups. Refuses nothing; `find` draws the conclusion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demand.segments.attributes import Coded
from demand.segments.mixture import Fit, Prepared, components, fit, posterior

__all__ = ["Judgement", "WithoutGroups", "certainty", "judge", "overlap"]


HOPELESS_AFTER, HOPELESS = 3, 0.4
"""A solution whose first three resamples agree less than this on average is not looked at further."""


@dataclass(frozen=True)
class Judgement:
    """What is known about a solution beyond its fit.

    Parameters
    ----------
    stability : float
        Mean adjusted Rand index between the solution and fits to resampled people.
    weakest : float
        The least, over the segments, of the mean Jaccard overlap with their nearest match.
    without_groups : float
        Mean gain that the same method finds in data without groups.
    excess : float
        (gain - without_groups) in standard deviations of the gain without groups.
    """

    stability: float
    weakest: float
    without_groups: float
    excess: float


def certainty(share: np.ndarray) -> float:
    """Give the relative entropy of the memberships: 1 where everybody clearly belongs, 0 where nobody does.

    References
    ----------
    Celeux, G. and Soromenho, G. (1996). An entropy criterion for assessing the number of clusters. Journal of Classification 13, 195-212.
    """
    n, count = share.shape
    entropy = -(share * np.log(np.clip(share, 1e-12, 1.0))).sum()
    return float(1 - entropy / (n * np.log(count)))


def overlap(a: np.ndarray, b: np.ndarray, count: int) -> np.ndarray:
    """Give, for each segment of `a`, the Jaccard overlap with its match in `b` (matched one to one for the largest overlaps).

    References
    ----------
    Hennig, C. (2007). Cluster-wise assessment of cluster stability. Computational Statistics & Data Analysis 52, 258-271.
    """
    from scipy.optimize import linear_sum_assignment

    both = np.zeros((count, count))
    np.add.at(both, (a, b), 1)
    union = both.sum(axis=1)[:, None] + both.sum(axis=0)[None, :] - both
    jaccard = both / np.maximum(union, 1)
    row, column = linear_sum_assignment(-jaccard)
    return np.asarray(jaccard[row, column])


def judge(data: Prepared, solution: Fit, nothing: WithoutGroups, rng: np.random.Generator, *, repeats: int) -> Judgement:
    """Judge a solution by resampled people and by data without groups.

    Parameters
    ----------
    data : Prepared
        The rows that the solution was fitted to.
    solution : Fit
    nothing : WithoutGroups
        Simulated data without groups.
    rng : numpy.random.Generator
    repeats : int
        How many resamples; with none, stability is not known (NaN).

    Returns
    -------
    Judgement
    """
    from sklearn.metrics import adjusted_rand_score

    n = len(data.design)
    agreement: list[float] = []
    jaccards: list[np.ndarray] = []
    for turn in range(repeats):
        if turn == HOPELESS_AFTER and np.mean(agreement) < HOPELESS:
            break
        again = fit(data.rows(rng.integers(0, n, n)), solution.method, solution.count, rng, starts=2)
        labels = posterior(data, again).argmax(axis=1)
        agreement.append(adjusted_rand_score(solution.labels, labels))
        jaccards.append(overlap(solution.labels, labels, solution.count))
    mean, excess = nothing.against(solution)
    stability = float(np.mean(agreement)) if agreement else np.nan
    return Judgement(stability, float(np.mean(jaccards, axis=0).min()) if jaccards else np.nan, mean, excess)


class WithoutGroups:
    """Simulated rows with the margins, the rank correlations and the gaps of the real ones, but no groups: one Gaussian copula.

    The correlations are those of resampled people, so that they vary as far as they are not known. Levels of a category have no order
    (but for bands); they are put in the order of their mean score on the first main component.

    Parameters
    ----------
    data : Prepared
    rng : numpy.random.Generator
    repeats : int
        How many data sets.
    """

    def __init__(self, data: Prepared, rng: np.random.Generator, *, repeats: int) -> None:
        self._rng = rng
        self._known: dict[tuple[str, int], np.ndarray] = {}
        columns = _in_line(data)
        self._data = []
        for _ in range(repeats):
            at = rng.integers(0, len(data.design), len(data.design))
            root = _root([c[at] for c in columns], rng)
            self._data.append(Prepared.of(_simulate(data.coded, columns, root, rng), data.floors))

    def gains(self, method: str, count: int) -> np.ndarray:
        """Give the gain of `count` groups in each data set."""
        if (method, count) not in self._known:
            self._known[method, count] = np.array([fit(d, method, count, self._rng, starts=2).gain for d in self._data])
        return self._known[method, count]

    def against(self, solution: Fit) -> tuple[float, float]:
        """Give the mean gain without groups, and how far above it the solution's is, in standard deviations."""
        mean = float(self.gains(solution.method, solution.count).mean())
        return mean, float((solution.gain - mean) / max(abs(mean) * self.spread(solution.method), 1e-4))

    def spread(self, method: str) -> float:
        """Give the standard deviation of the gain over its mean: the median over the counts known, because one is told by few data sets."""
        ratios = [g.std(ddof=1) / max(abs(float(g.mean())), 1e-9) for (m, _), g in self._known.items() if m == method]
        return max(float(np.median(ratios)), 0.01)


def _in_line(data: Prepared) -> list[np.ndarray]:
    """Give every column as numbers in a line, NaN where missing; a category's levels (not bands) by their score on the first component."""
    first = components(data.coded)[0][:, 0]
    columns = [data.coded.numbers[:, j] for j in range(data.coded.numbers.shape[1])]
    for j, size in enumerate(data.coded.sizes):
        code = data.coded.codes[:, j]
        if data.coded.lined[j]:
            columns.append(np.where(code >= 0, code, np.nan))
            continue
        score = np.array([first[code == level].mean() if (code == level).any() else 0.0 for level in range(size)])
        place = score.argsort(kind="stable").argsort().astype(float)
        columns.append(np.where(code >= 0, place[code], np.nan))
    return columns


def _normal_scores(columns: list[np.ndarray]) -> np.ndarray:
    from scipy.special import ndtri
    from scipy.stats import rankdata

    out = np.zeros((len(columns[0]), len(columns)))
    for j, x in enumerate(columns):
        known = ~np.isnan(x)
        z = ndtri((rankdata(x[known]) - 0.5) / known.sum())
        out[known, j] = (z - z.mean()) / (z.std() or 1.0)
    return out


def _correlation(columns: list[np.ndarray]) -> np.ndarray:
    z = _normal_scores(columns)
    known = np.column_stack([~np.isnan(x) for x in columns]).astype(float)
    pairs = known.T @ known
    r = np.where(pairs >= 20, z.T @ z / np.maximum(pairs, 1), 0.0)
    np.fill_diagonal(r, 1.0)
    return np.clip(r, -1.0, 1.0)


def _root(columns: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Give a root of the latent correlation whose data show the correlation of the real ones.

    Ties weaken a correlation; what is clearly more than chance (three standard errors) is strengthened in turn, twice. The rest is left.
    """
    target = _correlation(columns)
    clear = np.abs(target) > 3 / np.sqrt(len(columns[0]))
    latent = target
    for _ in range(2):
        shown = np.mean([_correlation(_draw(columns, _positive_root(latent), rng)) for _ in range(3)], axis=0)
        ratio = np.divide(target, shown, out=np.ones_like(target), where=clear & (np.abs(shown) > 0.02))
        latent = np.clip(latent * np.clip(ratio, 0.7, 1.8), -0.995, 0.995)
        np.fill_diagonal(latent, 1.0)
    return _positive_root(latent)


def _positive_root(r: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(r)
    root = vectors * np.sqrt(np.maximum(values, 1e-6))
    return np.asarray(root / np.sqrt((root**2).sum(axis=1, keepdims=True)))


def _draw(columns: list[np.ndarray], root: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    from scipy.special import ndtr

    n = len(columns[0])
    u = ndtr(rng.standard_normal((n, len(columns))) @ root.T)
    out = []
    for j, x in enumerate(columns):
        known = np.sort(x[~np.isnan(x)])
        drawn = known[np.minimum((u[:, j] * len(known)).astype(int), len(known) - 1)]
        out.append(np.where(np.isnan(x), np.nan, drawn))
    return out


def _simulate(coded: Coded, columns: list[np.ndarray], root: np.ndarray, rng: np.random.Generator) -> Coded:
    drawn = _draw(columns, root, rng)
    p = coded.numbers.shape[1]
    codes = np.full(coded.codes.shape, -1, dtype=np.int64)
    for j in range(len(coded.sizes)):
        line, real = columns[p + j], coded.codes[:, j]
        known = real >= 0
        level_at = dict(zip(line[known].tolist(), real[known].tolist(), strict=True))
        there = ~np.isnan(drawn[p + j])
        codes[there, j] = [level_at[v] for v in drawn[p + j][there].tolist()]
    return Coded(np.column_stack(drawn[:p]) if p else coded.numbers, codes, coded.sizes, {}, {}, coded.lined)
