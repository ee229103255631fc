"""Stability: whether a solution is there in other people too, and is more than data without groups would show.

In: prepared rows and a solution. Out: agreement with fits to resampled people, as a whole and for each segment; and simulated people with
the same margins and correlations but no groups, against whom a gain is held. Refuses nothing; `search` draws the conclusion.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from demand.segments.attributes import Coded
from demand.segments.mixture import Fit, posterior
from demand.segments.prepared import Prepared, components

__all__ = ["certainty", "overlap", "resampled", "tied_together", "without_groups"]

HOPELESS_AFTER, HOPELESS, DISSOLVED = 3, 0.4, 0.25
"""A solution whose first three resamples agree less than this on average, or of which a segment is found again less than that, is not
looked at further."""
SWINGS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Spreads of the common scale (of its log) that are tried."""
LEANS = (-0.8, -0.4, 0.0, 0.4, 0.8)
"""Shapes of the common trait that are tried: the trait is exp(lean x normal), so that it reaches far at one end and not at the other."""


@dataclass(frozen=True)
class _Copula:
    """How attributes go together without groups: a root of their latent correlation, the swing of their scale, the lean of their trait."""

    root: np.ndarray
    swing: float = 0.0
    lean: float = 0.0

    @property
    def trait(self) -> np.ndarray:
        """How each attribute hangs on the common trait."""
        return _one_trait(self.root @ self.root.T)


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


def resampled(
    data: Prepared, solution: Fit, again: Callable[[Prepared, np.random.Generator], Fit | None], rng: np.random.Generator, *, repeats: int
) -> tuple[float, np.ndarray]:
    """Fit a solution to resampled people, place everybody by each fit, and say how far these agree with the solution.

    Parameters
    ----------
    data : Prepared
        The rows that the solution was fitted to.
    solution : Fit
    again : callable
        Fits the same method to other rows; None where it finds nothing there.
    rng : numpy.random.Generator
    repeats : int

    Returns
    -------
    stability : float
        Mean adjusted Rand index.
    jaccard : numpy.ndarray
        For each segment the mean overlap with its match.
    """
    from sklearn.metrics import adjusted_rand_score

    n = len(data)
    agreement: list[float] = []
    jaccards: list[np.ndarray] = []
    for turn in range(repeats):
        if turn == HOPELESS_AFTER and (np.mean(agreement) < HOPELESS or np.mean(jaccards, axis=0).min() < DISSOLVED):
            break
        other = again(data.rows(rng.integers(0, n, n)), rng)
        if other is None:
            agreement.append(0.0)
            jaccards.append(np.zeros(solution.count))
            continue
        labels = posterior(data, other).argmax(axis=1)
        agreement.append(adjusted_rand_score(solution.labels, labels))
        jaccards.append(overlap(solution.labels, labels, max(solution.count, other.count))[: solution.count])
    return float(np.mean(agreement)), np.mean(jaccards, axis=0)


def without_groups(data: Prepared, rng: np.random.Generator) -> Prepared:
    """Simulate rows with the margins, the rank correlations and the gaps of the real ones, but no groups: one copula.

    The correlations are those of resampled people, so that they vary as far as they are not known. Levels of a category have no order (but
    for bands); they are put in the order of their mean score on the first main component. Where large values of different attributes come
    together more than a normal copula has it, all attributes of a person swing together, which makes tails but no groups. Where they go
    together at one end of their common trait more than at the other (counts, of which the small ones are mostly chance), the trait reaches
    farther at that end.

    References
    ----------
    Skewed common traits: Krupskii, P. and Joe, H. (2013). Factor copula models for multivariate data. Journal of Multivariate Analysis 120,
    85-101.
    """
    columns = _in_line(data)
    at = rng.integers(0, len(data), len(data))
    resample = [c[at] for c in columns]
    copula = _Copula(_root(resample, rng))
    if lean := _lean(resample, copula, rng):
        copula = _Copula(_root(resample, rng, lean), lean=lean)
    copula = replace(copula, swing=_swing(resample, copula, rng))
    simulated = _simulate(data.coded, columns, copula, rng)
    # As many components as the real rows have: k-means gains less the more there are.
    return Prepared.of(simulated, data.floors, data.edges, data.scores.shape[1])


def tied_together(data: Prepared) -> np.ndarray:
    """Give how far attributes go together by correlation alone, in two measures of their normal scores.

    The information of the correlations, a tenth shrunk to independence; and the log of the largest eigenvalue, of what one trait would
    explain. Whatever finds groups finds more where attributes are more correlated; simulated people, whose correlations vary, are compared
    at the strength of the real ones.
    """
    together = _correlation(_in_line(data))
    r = 0.9 * together + 0.1 * np.eye(len(together))
    return np.array([-0.5 * np.linalg.slogdet(r)[1], np.log(np.linalg.eigvalsh(together)[-1])])


def _squares_together(columns: list[np.ndarray]) -> float:
    """Give how far squares of normal scores go together beyond what their correlation makes; 0 for a normal copula."""
    z = _normal_scores(columns)
    known = np.column_stack([~np.isnan(x) for x in columns]).astype(float)
    pairs = np.maximum(known.T @ known, 1)
    r = z.T @ z / pairs
    square = np.where(known > 0, z**2 - 1, 0.0)
    beyond = square.T @ square / pairs / 2 - r**2
    off = ~np.eye(len(columns), dtype=bool)
    return float(beyond[off].mean()) if off.any() else 0.0


def _ends_together(columns: list[np.ndarray], along: np.ndarray) -> float:
    """Give how much more attributes go together at the far end of a trait than at its near end: 0 for a normal copula."""
    z = _normal_scores(columns) * np.sign(along)
    halves = [half - half.mean(axis=0) for half in (np.maximum(z, 0.0), np.minimum(z, 0.0))]
    far, near = (half.T @ half for half in (h / np.maximum(np.linalg.norm(h, axis=0), 1e-9) for h in halves))
    return float((far - near)[~np.eye(len(along), dtype=bool)].mean())


def _lean(columns: list[np.ndarray], copula: _Copula, rng: np.random.Generator) -> float:
    """Give the lean that makes attributes go together at one end as in the data; 0 where that may be chance, or no trait makes it."""
    if len(columns) < 2:
        return 0.0
    along = copula.trait
    wanted = _ends_together(columns, along)
    shown = np.array([_ends_together(_draw(columns, replace(copula, lean=a), rng), along) for a in LEANS])
    noise = 2 / np.sqrt(len(columns[0]) * (len(columns) - 1))
    if abs(wanted - shown[LEANS.index(0.0)]) < noise or shown[-1] - shown[0] < 2 * noise:
        return 0.0
    return float(np.interp(wanted, np.maximum.accumulate(shown), LEANS))


def _swing(columns: list[np.ndarray], copula: _Copula, rng: np.random.Generator) -> float:
    """Give the spread of the log of the common scale that makes squares go together as in the data; 0 where they do so by correlation."""
    wanted = _squares_together(columns)
    shown = np.maximum.accumulate([_squares_together(_draw(columns, replace(copula, swing=s), rng)) for s in SWINGS])
    noise = 2 / np.sqrt(len(columns[0]) * max(len(columns) - 1, 1))
    return 0.0 if wanted < shown[0] + noise else float(np.interp(wanted, shown, SWINGS))


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


def _root(columns: list[np.ndarray], rng: np.random.Generator, lean: float = 0.0) -> np.ndarray:
    """Give a root of the latent correlation whose data, with a lean, show the correlation of the real ones.

    Chance, twice (in the real people, and in resampling them), makes correlations stronger, by about (1 - r^2)^2 / n each in their squares;
    what a common trait makes of them, and the rest, are each shrunk by their share of it, so that simulated people, to whom chance is added
    once more, show as much as the real ones. Ties weaken a correlation, by the part of a normal score that they leave in each column; what
    is clearly more than chance (three standard errors) is then corrected further by what simulated people show, twice.
    """
    target = _correlation(columns)
    clear = np.abs(target) > 3 / np.sqrt(len(columns[0]))
    known = np.column_stack([~np.isnan(x) for x in columns]).astype(float)
    off = ~np.eye(len(columns), dtype=bool)
    chance = 2 * ((1 - target**2) ** 2 / np.maximum(known.T @ known, 1))[off].sum()
    trait = _one_trait(target)
    common = np.outer(trait, trait)
    share = min(2 / max(len(columns) - 1, 1), 1.0)
    target = np.where(off, _less(common, share * chance, off) + _less(target - common, (1 - share) * chance, off), target)
    left = np.array([_left_by_ties(x) for x in columns])
    latent = np.clip(target / np.outer(left, left), -0.95, 0.95)
    np.fill_diagonal(latent, 1.0)
    for _ in range(2):
        shown = np.mean([_correlation(_draw(columns, _Copula(_positive_root(latent), lean=lean), rng)) for _ in range(3)], axis=0)
        ratio = np.divide(target, shown, out=np.ones_like(target), where=clear & (np.abs(shown) > 0.02))
        latent = np.clip(latent * np.clip(ratio, 0.7, 1.8), -0.995, 0.995)
        np.fill_diagonal(latent, 1.0)
    return _positive_root(latent)


def _one_trait(r: np.ndarray) -> np.ndarray:
    """Give how each column hangs on the common trait that makes most of a correlation: its first principal factor."""
    communality = np.abs(r - np.eye(len(r))).max(axis=0)
    for _ in range(10):
        values, vectors = np.linalg.eigh(r - np.diag(1.0 - communality))
        trait = np.sqrt(max(values[-1], 0.0)) * vectors[:, -1]
        communality = np.clip(trait**2, 0.0, 0.98)
    return np.asarray(trait)


def _less(part: np.ndarray, chance: float, off: np.ndarray) -> np.ndarray:
    """Shrink a part of correlations by what chance adds to its squares."""
    return np.asarray(part * np.sqrt(max(1 - chance / max((part[off] ** 2).sum(), 1e-12), 0.0)))


def _left_by_ties(x: np.ndarray) -> float:
    """Give the correlation of a column's normal scores with the normal number behind it: 1 without ties, 0.8 where half say yes."""
    from scipy.special import ndtri
    from scipy.stats import norm

    share = np.unique(x[~np.isnan(x)], return_counts=True)[1] / max((~np.isnan(x)).sum(), 1)
    ends = np.concatenate([[0.0], share.cumsum()])
    score = ndtri((ends[1:] + ends[:-1]) / 2)
    spread = np.sqrt((share * score**2).sum() - (share * score).sum() ** 2)
    cut = norm.pdf(ndtri(np.clip(ends, 0.0, 1.0)))
    return float(np.clip((score * (cut[:-1] - cut[1:])).sum() / max(spread, 1e-9), 0.3, 1.0))


def _positive_root(r: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(r)
    root = vectors * np.sqrt(np.maximum(values, 1e-6))
    return np.asarray(root / np.sqrt((root**2).sum(axis=1, keepdims=True)))


def _draw(columns: list[np.ndarray], copula: _Copula, rng: np.random.Generator) -> list[np.ndarray]:
    from scipy.special import ndtr
    from scipy.stats import rankdata

    n = len(columns[0])
    if copula.lean:
        along, trait = copula.trait, rng.standard_normal((n, 1))
        values, vectors = np.linalg.eigh(copula.root @ copula.root.T - np.outer(along, along))
        around = rng.standard_normal((n, len(columns))) @ (vectors * np.sqrt(np.maximum(values, 0.0))).T
        far = np.sign(copula.lean) * np.exp(copula.lean * trait)
        z = (far - far.mean()) / far.std() * along + around
    else:
        z = rng.standard_normal((n, len(columns))) @ copula.root.T
    if copula.swing:
        z = z * np.exp(copula.swing * rng.standard_normal((n, 1)))
    u = (rankdata(z, axis=0) - 0.5) / n if copula.lean or copula.swing else ndtr(z)
    out = []
    for j, x in enumerate(columns):
        known = np.sort(x[~np.isnan(x)])
        drawn = known[np.minimum((u[:, j] * len(known)).astype(int), len(known) - 1)]
        out.append(np.where(np.isnan(x), np.nan, drawn))
    return out


def _simulate(coded: Coded, columns: list[np.ndarray], copula: _Copula, rng: np.random.Generator) -> Coded:
    drawn = _draw(columns, copula, rng)
    p = coded.numbers.shape[1]
    codes = np.full(coded.codes.shape, -1, dtype=np.int64)
    for j in range(len(coded.sizes)):
        line, real = columns[p + j], coded.codes[:, j]
        known = real >= 0
        level_at = dict(zip(line[known].tolist(), real[known].tolist(), strict=True))
        there = ~np.isnan(drawn[p + j])
        codes[there, j] = [level_at[v] for v in drawn[p + j][there].tolist()]
    return Coded(np.column_stack(drawn[:p]) if p else coded.numbers, codes, coded.sizes, {}, {}, coded.lined)
