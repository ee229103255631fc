"""Mixtures: the arithmetic of latent classes, Gaussian mixtures and k-means on coded rows, from many starts.

In: `Coded` rows and a count of groups. Out: `Fit`: how likely each row is in each group, the likelihood where there is one, and the
parameters as plain arrays. Latent classes use incomplete rows as they are; the other two work on the main components of the mixed data.
Refuses nothing: what a solution is worth is for `stability` to say.

StepMix fits latent classes from random starts at 10 ms an iteration; judging a solution takes several hundred fits. So the expectation and
maximisation steps stand here in matrix form, started from k-means, and StepMix is asked once more for the count that was chosen.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from demand.segments.attributes import Coded

__all__ = ["METHODS", "Fit", "components", "fit", "posterior", "refit", "stepmix_labels"]

METHODS = ("latent_class", "gaussian_mixture", "kmeans")
MOST_COMPONENTS = 8
MOST_STEPS, CONVERGED = 200, 2e-5
"""Steps of expectation and maximisation, and the gain in log-likelihood a row below which they end."""


@dataclass(frozen=True)
class Fit:
    """One solution.

    Parameters
    ----------
    method : str
    count : int
    gain : float
        How much better the rows are told with these groups than with one: log-likelihood (k-means: log of the variance) a row.
    bic : float
        Bayesian information criterion, smaller is better; for k-means of its spherical mixture.
    share : numpy.ndarray
        (rows, count): the posterior probability of each group.
    parameters : dict
        Plain arrays by name; see `demand.segments.model`.
    """

    method: str
    count: int
    gain: float
    bic: float
    share: np.ndarray
    parameters: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def labels(self) -> np.ndarray:
        """The likeliest group of each row."""
        return np.asarray(self.share.argmax(axis=1))


def components(coded: Coded) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the main components of mixed data: rows' scores, and loadings with offsets that make them.

    Numbers are standardised, a level's indicator is centred and divided by the root of its share; what is missing adds nothing.

    Returns
    -------
    scores : numpy.ndarray
        (rows, components).
    loadings : numpy.ndarray
        (columns of the indicator matrix, components): numbers first, then the levels of each category.
    shares : numpy.ndarray
        Of the levels, as used for centring.

    References
    ----------
    Pagès, J. (2004). Analyse factorielle de données mixtes. Revue de statistique appliquée 52(4), 93-111.
    """
    x, shares = indicator(coded)
    values, vectors = np.linalg.eigh(x.T @ x / max(len(x), 1))
    order = np.argsort(values)[::-1]
    keep = int(np.clip((values > 1.0).sum(), min(2, len(values)), MOST_COMPONENTS))
    vectors = vectors[:, order[:keep]]
    vectors = vectors * np.where(vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])] < 0, -1.0, 1.0)
    return x @ vectors, vectors, shares


def indicator(coded: Coded, shares: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Give the standardised matrix of mixed data, and the shares of the levels."""
    levels = one_hot(coded)
    known = np.repeat(coded.codes >= 0, coded.sizes, axis=1) if coded.sizes else np.empty((len(coded), 0), bool)
    if shares is None:
        shares = np.maximum(levels.sum(axis=0) / np.maximum(known.sum(axis=0), 1), 1e-3)
    scaled = np.where(known, (levels - shares) / np.sqrt(shares), 0.0)
    return np.column_stack([silent(coded.numbers), scaled]), shares


def silent(numbers: np.ndarray) -> np.ndarray:
    """Give standardised numbers with 0 where missing: in a sum of products, what is not known then says nothing."""
    return np.where(np.isnan(numbers), 0.0, numbers)


def one_hot(coded: Coded) -> np.ndarray:
    """Give a column a level; all zero where a value is missing."""
    blocks = [coded.codes[:, [j]] == np.arange(size) for j, size in enumerate(coded.sizes)]
    return np.column_stack(blocks).astype(float) if blocks else np.empty((len(coded), 0))


@dataclass(frozen=True)
class Prepared:
    """Rows made ready once for many fits."""

    coded: Coded
    design: np.ndarray
    """Numbers, their squares, whether they are known, levels: all that latent classes need."""
    scores: np.ndarray
    loadings: np.ndarray
    shares: np.ndarray
    floors: np.ndarray

    @classmethod
    def of(cls, coded: Coded, floors: np.ndarray) -> Prepared:
        """Prepare coded rows; `floors` is the least variance of each number."""
        filled = silent(coded.numbers)
        design = np.column_stack([filled, filled**2, ~np.isnan(coded.numbers), one_hot(coded)])
        return cls(coded, design, *components(coded), floors)

    def like(self, coded: Coded) -> Prepared:
        """Prepare other rows with the same components."""
        filled = silent(coded.numbers)
        design = np.column_stack([filled, filled**2, ~np.isnan(coded.numbers), one_hot(coded)])
        return Prepared(coded, design, indicator(coded, self.shares)[0] @ self.loadings, self.loadings, self.shares, self.floors)

    def rows(self, index: np.ndarray) -> Prepared:
        """Give some of the rows, with the same components."""
        return Prepared(self.coded.rows(index), self.design[index], self.scores[index], self.loadings, self.shares, self.floors)


def fit(data: Prepared, method: str, count: int, rng: np.random.Generator, *, starts: int = 2) -> Fit:
    """Fit one solution from several starts and keep the best.

    Parameters
    ----------
    data : Prepared
    method : str
        One of `METHODS`.
    count : int
        How many groups, at least two.
    rng : numpy.random.Generator
    starts : int
        Starting partitions, each from k-means on the components.

    Returns
    -------
    Fit
    """
    from sklearn.cluster import KMeans

    seed = int(rng.integers(2**31 - 1))
    if method == "kmeans":
        return _kmeans(data, KMeans(count, n_init=starts, random_state=seed).fit(data.scores))
    fits = []
    for start in range(starts):
        labels = KMeans(count, n_init=1, random_state=seed + start, max_iter=20).fit(data.scores).labels_
        fits.append(_latent_class(data, count, labels) if method == "latent_class" else _gaussian(data, count, labels))
    return min(fits, key=lambda f: f.bic)


def posterior(data: Prepared, solution: Fit) -> np.ndarray:
    """Give the posterior of other rows, coded and projected alike."""
    p = solution.parameters
    if solution.method == "latent_class":
        return _share(_class_densities(data.design, p))[0].T
    return _share(_gaussian_densities(data.scores, p))[0].T


def _share(log_density: np.ndarray) -> tuple[np.ndarray, float]:
    """Give the posterior, (groups, rows), and the log-likelihood. Groups come first: sums over few long rows are quick."""
    top = log_density.max(axis=0)
    weight = np.exp(log_density - top)
    total = weight.sum(axis=0)
    weight /= total
    return weight, float((top + np.log(total)).sum())


def _class_densities(design: np.ndarray, p: dict[str, np.ndarray]) -> np.ndarray:
    mean, variance = p["means"], p["variances"]
    constant = -0.5 * np.log(2 * np.pi * variance) - mean**2 / (2 * variance)
    weights = np.column_stack([mean / variance, -0.5 / variance, constant, np.log(p["levels"])])
    return np.asarray(weights @ design.T + np.log(p["weights"])[:, None])


def _class_step(data: Prepared, share: np.ndarray, overall: np.ndarray) -> dict[str, np.ndarray]:
    """Give the parameters that make the shares likeliest, with one pseudo-person spread as everybody is."""
    p, count, n = data.coded.numbers.shape[1], *share.shape
    sums = share @ data.design
    known = sums[:, 2 * p : 3 * p] + 1.0
    mean = sums[:, :p] / known
    variance = np.maximum((sums[:, p : 2 * p] + 1.0) / known - mean**2, data.floors)
    levels = sums[:, 3 * p :] + overall
    at = 0
    for size in data.coded.sizes:
        levels[:, at : at + size] /= levels[:, at : at + size].sum(axis=1, keepdims=True)
        at += size
    return {"weights": (share.sum(axis=1) + 1e-6) / (n + 1e-6 * count), "means": mean, "variances": variance, "levels": levels}


def _latent_class(data: Prepared, count: int, labels: np.ndarray) -> Fit:
    p, n = data.coded.numbers.shape[1], len(data.design)
    overall = (data.design[:, 3 * p :].sum(axis=0) + 0.5) / (n + 0.5)
    alone = _share(_class_densities(data.design, _class_step(data, np.ones((1, n)), overall)))[1]
    share, before = np.eye(count)[:, labels] * 0.9 + 0.1 / count, -np.inf
    for _ in range(MOST_STEPS):
        parameters = _class_step(data, share, overall)
        share, likelihood = _share(_class_densities(data.design, parameters))
        if likelihood - before < CONVERGED * n:
            break
        before = likelihood
    free = count - 1 + count * (2 * p + sum(s - 1 for s in data.coded.sizes))
    return Fit("latent_class", count, (likelihood - alone) / n, free * np.log(n) - 2 * likelihood, share.T, parameters)


def _gaussian_densities(scores: np.ndarray, p: dict[str, np.ndarray]) -> np.ndarray:
    out = np.empty((len(p["weights"]), len(scores)))
    for k, root in enumerate(p["roots"]):
        out[k] = np.log(np.diag(root)).sum() - 0.5 * (((scores - p["means"][k]) @ root) ** 2).sum(axis=1)
    out += np.log(p["weights"])[:, None] - 0.5 * scores.shape[1] * np.log(2 * np.pi)
    return out


def _gaussian(data: Prepared, count: int, labels: np.ndarray) -> Fit:
    x = data.scores
    n, d = x.shape
    least = 0.15 * np.eye(d) * x.var(axis=0).mean()
    alone = _share(_gaussian_densities(x, _gaussian_step(x, np.ones((1, n)), least)))[1]
    share, before = np.eye(count)[:, labels], -np.inf
    for _ in range(MOST_STEPS):
        parameters = _gaussian_step(x, share, least)
        share, likelihood = _share(_gaussian_densities(x, parameters))
        if likelihood - before < CONVERGED * n:
            break
        before = likelihood
    free = count - 1 + count * (d + d * (d + 1) // 2)
    parameters |= {"loadings": data.loadings, "shares": data.shares}
    return Fit("gaussian_mixture", count, (likelihood - alone) / n, free * np.log(n) - 2 * likelihood, share.T, parameters)


def _gaussian_step(x: np.ndarray, share: np.ndarray, least: np.ndarray) -> dict[str, np.ndarray]:
    size = share.sum(axis=1) + 1e-6
    means = share @ x / size[:, None]
    roots = np.empty((len(share), x.shape[1], x.shape[1]))
    for k in range(len(share)):
        off = x - means[k]
        roots[k] = np.linalg.cholesky(np.linalg.inv((off.T * share[k]) @ off / size[k] + least))
    return {"weights": size / size.sum(), "means": means, "roots": roots}


def _kmeans(data: Prepared, found: Any) -> Fit:
    """Tell k-means as a mixture of equal round groups, so that it too has a certainty."""
    x, means, labels = data.scores, np.array(found.cluster_centers_, dtype=float), np.array(found.labels_)
    n, d = x.shape
    count = len(means)
    inside = float(((x - means[labels]) ** 2).sum())
    outside = float(((x - x.mean(axis=0)) ** 2).sum())
    roots = np.repeat(np.eye(d)[None] / np.sqrt(max(inside / (n * d), 1e-6)), count, axis=0)
    parameters = {"weights": np.full(count, 1 / count), "means": means, "roots": roots, "loadings": data.loadings, "shares": data.shares}
    share, likelihood = _share(_gaussian_densities(x, parameters))
    gain = float(np.log(outside / max(inside, 1e-12)))
    return Fit("kmeans", count, gain, (count * d + 1) * np.log(n) - 2 * likelihood, share.T, parameters)


def refit(data: Prepared, solution: Fit, labels: np.ndarray) -> Fit:
    """Fit a solution to other rows, from the partition that it gives them."""
    from sklearn.cluster import KMeans

    if solution.method == "latent_class":
        return _latent_class(data, solution.count, labels)
    if solution.method == "gaussian_mixture":
        return _gaussian(data, solution.count, labels)
    return _kmeans(data, KMeans(solution.count, init=solution.parameters["means"], n_init=1).fit(data.scores))


def stepmix_labels(data: Prepared, count: int, rng: np.random.Generator, *, starts: int = 2) -> np.ndarray | None:
    """Give the latent classes that StepMix finds from random starts, on the rows as they are, gaps included; None where it found none.

    Its variances have no floor, so numbers are first spread by what their rounding hides.
    """
    with warnings.catch_warnings():
        # StepMix's docstrings hold escapes that Python warns of when it compiles them, at the first import. A start that has not
        # ended after a hundred steps is a start like any other: its partition is fitted further by the caller.
        warnings.simplefilter("ignore")
        from stepmix import StepMix

        parts, rows = _stepmix_input(data, rng)
        model = StepMix(count, measurement=parts, n_init=starts, max_iter=100, abs_tol=CONVERGED, random_state=int(rng.integers(2**31 - 1)),
                        progress_bar=0)  # fmt: skip
        model.fit(rows)
        if not np.isfinite(model.lower_bound_):
            return None
        return np.asarray(model.predict(rows), dtype=np.int64)


def _stepmix_input(data: Prepared, rng: np.random.Generator) -> tuple[dict[str, dict[str, object]], np.ndarray]:
    """Give the measurement model and the rows as StepMix wants them: categories of one size together."""
    numbers, codes = data.coded.numbers, data.coded.codes
    columns = [numbers + rng.standard_normal(numbers.shape) * np.sqrt(data.floors)]
    parts: dict[str, dict[str, object]] = {}
    if numbers.shape[1]:
        parts["numbers"] = {"model": "gaussian_diag_nan", "n_columns": numbers.shape[1]}
    for size in sorted(set(data.coded.sizes)):
        alike = codes[:, [j for j, s in enumerate(data.coded.sizes) if s == size]].astype(float)
        parts[f"levels_{size}"] = {"model": "categorical_nan", "n_columns": alike.shape[1]}
        columns.append(np.where(alike < 0, np.nan, alike))
    return parts, np.column_stack(columns)
