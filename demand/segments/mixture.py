"""Mixtures: the arithmetic of latent classes, Gaussian mixtures and k-means on coded rows, from many starts.

In: `Prepared` rows and a count of groups. Out: `Fit`: how likely each row is in each group, the likelihood where there is one, and the
parameters as plain arrays. Latent classes and Gaussian mixtures use incomplete rows as they are, and differ in their numbers: independent
within a class, or going together (`covariance`); k-means works on the main components of the mixed data. Refuses nothing: what a solution
is worth is for `stability` to say.

StepMix fits latent classes from random starts at 10 ms an iteration; judging a solution takes several hundred fits. So the expectation and
maximisation steps stand here in matrix form, started from k-means, and StepMix is asked once more for the count that was chosen.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from demand.segments.prepared import Prepared

__all__ = ["IN_BANDS", "METHODS", "OWN", "PUBLIC", "SHARED", "WAYS", "Fit", "alone", "fit", "normal_groups", "partitions", "posterior",
           "refit", "stepmix_labels", "told"]  # fmt: skip

METHODS = ("latent_class", "gaussian_mixture", "kmeans", "hdbscan")
IN_BANDS, SHARED, OWN = "latent_class_in_bands", "gaussian_mixture", "gaussian_mixture_own"
WAYS = ("latent_class", IN_BANDS, SHARED, OWN, "kmeans")
"""What is fitted by a count of groups: latent classes with numbers as bell curves or in bands, Gaussian mixtures whose groups have one
covariance in common or each its own, and k-means."""
PUBLIC = {IN_BANDS: "latent_class", OWN: SHARED}
MOST_STEPS, CONVERGED = 100, 2e-5
"""Steps of expectation and maximisation, and the gain in log-likelihood a row below which they end."""
TRY_STEPS, MANY_STARTS = 6, 4
"""Steps after which the better half of more starts than this goes on, and then, after as many again, the best of all (Biernacki, Celeux
and Govaert 2003)."""
MOVES = 20
"""Steps of k-means: its partitions only begin; what is chosen goes on until nobody moves."""
STEPMIX_ROWS = 2000
Parameters = dict[str, Any]
Start = tuple[np.ndarray, Parameters | None]


@dataclass(frozen=True)
class Fit:
    """One solution.

    Parameters
    ----------
    method : str
        One of `WAYS`, or hdbscan.
    count : int
    gain : float
        How much better the rows are told with these groups than with one: log-likelihood (k-means: log of the variance) a row.
    bic : float
        Bayesian information criterion of the attributes, smaller is better: numbers in bands are told by their density in everybody within
        a band, so that all ways of telling numbers can be compared. Of k-means, that of its spherical mixture of the components.
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
    nowhere: float = 0.0
    """Share of the rows that the method itself puts into no group."""
    free: int = 0
    """How many parameters were fitted."""

    @property
    def public(self) -> str:
        """The method by its name in configs."""
        return PUBLIC.get(self.method, self.method)

    @property
    def labels(self) -> np.ndarray:
        """The likeliest group of each row."""
        return np.asarray(self.share.argmax(axis=1))


def fit(data: Prepared, method: str, count: int, rng: np.random.Generator, *, starts: Sequence[np.ndarray] | int = 3) -> Fit:
    """Fit one solution from several starts and keep the best.

    Parameters
    ----------
    data : Prepared
    method : str
        One of `WAYS`.
    count : int
        How many groups, at least two.
    rng : numpy.random.Generator
    starts : sequence of numpy.ndarray, or int
        Starting partitions, or how many are to be made by k-means on the components.

    Returns
    -------
    Fit
    """
    begun = partitions(data.scores, count, rng, starts) if isinstance(starts, int) else starts
    if method == "kmeans":
        return min((_kmeans(data, labels, count) for labels in begun), key=lambda f: -f.gain)
    return _mixture(data, method, count, _first_shares(begun, count))


def partitions(scores: np.ndarray, count: int, rng: np.random.Generator, starts: int) -> list[np.ndarray]:
    """Give starting partitions, each from k-means on scores, and each once."""
    from sklearn.cluster import KMeans

    seed = int(rng.integers(2**31 - 1))
    found: dict[bytes, np.ndarray] = {}
    for i in range(starts):
        labels = KMeans(count, n_init=1, random_state=seed + i, max_iter=MOVES).fit(scores).labels_
        place = np.unique(labels, return_index=True)[1].argsort().argsort()
        found.setdefault(place[labels].tobytes(), labels)
    return list(found.values())


def _first_shares(begun: Sequence[np.ndarray], count: int) -> list[np.ndarray]:
    each = np.eye(count) * 0.9 + 0.1 / count
    return [each[:, labels] for labels in begun]


def posterior(data: Prepared, solution: Fit) -> np.ndarray:
    """Give the posterior of other rows, coded and projected alike."""
    p: Parameters = solution.parameters
    if solution.public == SHARED:
        spread = data.incomplete.spread(p["means"], p["covariances"] if solution.method == OWN else p["covariance"][None])
        return _share(_together_densities(data, {"weights": p["weights"], "levels": p["levels"], "spread": spread}))[0].T
    if solution.public == "latent_class":
        return _share(_class_densities(_read(data, solution.method).design, p))[0].T
    return _share(_round_densities(data.scores, p))[0].T


def _read(data: Prepared, method: str) -> Prepared:
    """Give the rows as a method reads them."""
    return data.banded if method == IN_BANDS and data.banded else data


def _share(log_density: np.ndarray) -> tuple[np.ndarray, float]:
    """Give the posterior, (groups, rows), and the log-likelihood. Groups come first: sums over few long rows are quick."""
    top = log_density.max(axis=0)
    # Shares below e^-60 change no sum, but numbers that small are slow to multiply.
    weight = np.exp(np.maximum(log_density - top, -60.0))
    total = weight.sum(axis=0)
    weight /= total
    return weight, float((top + np.log(total)).sum())


def _class_densities(design: np.ndarray, p: dict[str, np.ndarray]) -> np.ndarray:
    mean, variance = p["means"], p["variances"]
    constant = -0.5 * np.log(2 * np.pi * variance) - mean**2 / (2 * variance)
    weights = np.column_stack([mean / variance, -0.5 / variance, constant, np.log(p["levels"])])
    return np.asarray(weights @ design.T + np.log(p["weights"])[:, None])


def _class_step(data: Prepared, share: np.ndarray, overall: np.ndarray) -> Parameters:
    """Give the parameters that make the shares likeliest, with one pseudo-person spread as everybody is."""
    p = data.coded.numbers.shape[1]
    sums = share @ data.design
    known = sums[:, 2 * p : 3 * p] + 1.0
    mean = sums[:, :p] / known
    variance = np.maximum((sums[:, p : 2 * p] + 1.0) / known - mean**2, data.floors)
    levels = _in_parts(sums[:, 3 * p :] + overall, data.coded.sizes)
    return {"weights": _weights(share), "means": mean, "variances": variance, "levels": levels}


def _in_parts(levels: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    at = 0
    for size in sizes:
        levels[:, at : at + size] /= levels[:, at : at + size].sum(axis=1, keepdims=True)
        at += size
    return levels


def _weights(share: np.ndarray) -> np.ndarray:
    count, n = share.shape
    return np.asarray((share.sum(axis=1) + 1e-6) / (n + 1e-6 * count))


def _together_step(data: Prepared, share: np.ndarray, overall: np.ndarray, before: Parameters | None, *, own: bool) -> Parameters:
    """As `_class_step`, where numbers go together within a group: what is missing is expected by the parameters of before."""
    rows = data.incomplete
    spread = rows.step(before["spread"], share) if before else rows.first(share, own=own)
    levels = _in_parts(share @ data.design[:, 3 * rows.x.shape[1] :] + overall, data.coded.sizes)
    return {"weights": _weights(share), "levels": levels, "spread": spread}


def _together_densities(data: Prepared, p: Parameters) -> np.ndarray:
    levels = data.design[:, 3 * data.incomplete.x.shape[1] :]
    return np.asarray(data.incomplete.density(p["spread"]) + np.log(p["levels"]) @ levels.T + np.log(p["weights"])[:, None])


def _climb(
    step: Callable[[np.ndarray, Parameters | None], Parameters], density: Callable[[Parameters], np.ndarray], shares: list[np.ndarray]
) -> tuple[float, np.ndarray, Parameters]:
    """Go up from all starts by expectation and maximisation: halve them by likelihood, then from the best of them to the top."""

    def ascend(share: np.ndarray, parameters: Parameters | None, steps: int) -> tuple[float, np.ndarray, Parameters]:
        before = -np.inf
        for _ in range(steps):
            parameters = step(share, parameters)
            share, likelihood = _share(density(parameters))
            if likelihood - before < CONVERGED * share.shape[1]:
                break
            before = likelihood
        return likelihood, share, parameters or {}

    def best(begun: list[Start], steps: int, many: int) -> list[Start]:
        tried = sorted((ascend(*start, steps) for start in begun), key=lambda end: -end[0])
        return [(share, parameters) for _, share, parameters in tried[:many]]

    ends: list[Start] = [(share, None) for share in shares]
    if len(ends) > MANY_STARTS:
        ends = best(ends, TRY_STEPS, (len(ends) + 1) // 2)
        ends = best(ends, TRY_STEPS, 1)
    elif len(ends) > 1:
        ends = best(ends, 2 * TRY_STEPS, 1)
    return ascend(*ends[0], MOST_STEPS)


def _reached(data: Prepared, method: str, shares: list[np.ndarray]) -> tuple[float, np.ndarray, Parameters]:
    """Give the log-likelihood of a mixture, the shares and the parameters, from the best of several starts."""
    rows = _read(data, method)
    p, n = rows.coded.numbers.shape[1], len(rows)
    overall = (rows.design[:, 3 * p :].sum(axis=0) + 0.5) / (n + 0.5)
    if method in (SHARED, OWN):
        return _climb(lambda r, q: _together_step(rows, r, overall, q, own=method == OWN), lambda q: _together_densities(rows, q), shares)
    return _climb(lambda r, _: _class_step(rows, r, overall), lambda q: _class_densities(rows.design, q), shares)


def _mixture(data: Prepared, method: str, count: int, shares: list[np.ndarray]) -> Fit:
    n = len(data)
    likelihood, share, parameters = _reached(data, method, shares)
    one = likelihood if count == 1 else data.once(method, lambda: _reached(data, method, [np.ones((1, n))])[0])
    if method in (SHARED, OWN):
        spread = parameters.pop("spread")
        parameters |= {"means": spread.means}
        parameters |= {"covariances": spread.covariances} if method == OWN else {"covariance": spread.covariances[0]}
    within, cells = data.within_bands if method == IN_BANDS else (0.0, 0)
    free = _free(data, method, count) + cells
    return Fit(method, count, (likelihood - one) / n, free * np.log(n) - 2 * (likelihood + within), share.T, parameters, free=free)


def _free(data: Prepared, method: str, count: int) -> int:
    """Count the free parameters of a mixture."""
    rows = _read(data, method)
    p, levels = rows.coded.numbers.shape[1], sum(s - 1 for s in rows.coded.sizes)
    covariances = {SHARED: 1, OWN: count}.get(method, 0) * p * (p + 1) // 2 or count * p
    return int(count - 1 + count * (p + levels) + covariances)


def alone(data: Prepared, ways: Sequence[str]) -> float:
    """Give the best that one group tells of the attributes, whichever way numbers are told; see `told`."""
    return max(_credit(data, _mixture(data, way, 1, [np.ones((1, len(data)))])) for way in ways if way != "kmeans")


def _credit(data: Prepared, solution: Fit) -> float:
    """Give log-likelihood less half the parameters times the log of people: the sample-size adjusted BIC, turned and halved.

    Of what is no mixture of attributes (k-means, HDBSCAN), that of latent classes in bands with the same members.
    """
    n = len(data)
    if solution.public in ("kmeans", "hdbscan"):
        way = IN_BANDS if data.banded else "latent_class"
        rows = _read(data, way)
        overall = (rows.design[:, 3 * rows.coded.numbers.shape[1] :].sum(axis=0) + 0.5) / (n + 0.5)
        likelihood = _share(_class_densities(rows.design, _class_step(rows, solution.share.T, overall)))[1]
        within, cells = data.within_bands if data.banded else (0.0, 0)
        likelihood, free = likelihood + within, _free(data, way, solution.count) + cells
    else:
        free = solution.free
        likelihood = (free * np.log(n) - solution.bic) / 2
    return float(likelihood - 0.5 * free * np.log((n + 2) / 24))


def told(data: Prepared, solution: Fit, single: float) -> float:
    """Give how much the groups tell about the attributes: gain in log-likelihood a row over one group, less what their parameters cost.

    The same measure for all methods: the density of numbers and the shares of levels. The one group is the one that tells most (`alone`):
    where numbers only go together, groups tell nothing. The cost is that of the sample-size adjusted BIC, because BIC itself asks too much
    of a few hundred people; `stability` guards against too many groups.

    References
    ----------
    Sclove, S. L. (1987). Application of model-selection criteria to some problems in multivariate analysis. Psychometrika 52, 333-343.
    """
    return (_credit(data, solution) - single) / len(data)


def _round_densities(scores: np.ndarray, p: Parameters) -> np.ndarray:
    out = np.empty((len(p["weights"]), len(scores)))
    for k, root in enumerate(p["roots"]):
        out[k] = np.log(np.diag(root)).sum() - 0.5 * (((scores - p["means"][k]) @ root) ** 2).sum(axis=1)
    out += np.log(p["weights"])[:, None] - 0.5 * scores.shape[1] * np.log(2 * np.pi)
    return out


def _round_step(x: np.ndarray, share: np.ndarray, least: np.ndarray) -> Parameters:
    size = share.sum(axis=1) + 1e-6
    means = share @ x / size[:, None]
    roots = np.empty((len(share), x.shape[1], x.shape[1]))
    for k in range(len(share)):
        off = x - means[k]
        roots[k] = np.linalg.cholesky(np.linalg.inv((off.T * share[k]) @ off / size[k] + least))
    return {"weights": size / size.sum(), "means": means, "roots": roots}


def _kmeans(data: Prepared, labels: np.ndarray, count: int) -> Fit:
    """Tell k-means as a mixture of equal round groups, so that it too has a certainty."""
    x = data.scores
    n, d = x.shape
    inside_each = np.eye(count)[:, labels]
    means = inside_each @ x / np.maximum(inside_each.sum(axis=1, keepdims=True), 1)
    inside = float(((x - means[labels]) ** 2).sum())
    outside = float(((x - x.mean(axis=0)) ** 2).sum())
    roots = np.repeat(np.eye(d)[None] / np.sqrt(max(inside / (n * d), 1e-6)), count, axis=0)
    parameters = {"weights": np.full(count, 1 / count), "means": means, "roots": roots, "loadings": data.loadings, "shares": data.shares}
    share, likelihood = _share(_round_densities(x, parameters))
    gain = float(np.log(outside / max(inside, 1e-12)))
    return Fit("kmeans", count, gain, (count * d + 1) * np.log(n) - 2 * likelihood, share.T, parameters)


def normal_groups(data: Prepared, labels: np.ndarray) -> Fit:
    """Tell groups of any kind as normal ones on the main components, with one wide group for those who fit nowhere (label -1).

    The rules need no person's own values then, as nearest neighbours would.
    """
    x, count = data.scores, int(labels.max()) + 1
    n, d = x.shape
    least = 0.15 * np.eye(d) * x.var(axis=0).mean()
    parameters = _round_step(x, np.eye(count)[:, labels] * (labels >= 0), least)
    wide = _round_step(x, np.ones((1, n)), least)
    nowhere = float((labels < 0).mean())
    share = _share(_round_densities(x, parameters))[0]
    centre = np.where((labels >= 0)[:, None], parameters["means"][labels], x.mean(axis=0))
    gain = float(np.log(((x - x.mean(axis=0)) ** 2).sum() / max(float(((x - centre) ** 2).sum()), 1e-12)))
    parameters["weights"] = parameters["weights"] * (1 - nowhere)
    parameters |= {"nowhere_weight": np.array([max(nowhere, 1e-6)]), "nowhere_mean": wide["means"], "nowhere_root": wide["roots"]}
    parameters |= {"loadings": data.loadings, "shares": data.shares}
    return Fit("hdbscan", count, gain, np.nan, share.T, parameters, nowhere)


def refit(data: Prepared, solution: Fit, labels: np.ndarray) -> Fit:
    """Fit a solution to other rows, from the partition that it gives them; -1 belongs nowhere."""
    from sklearn.cluster import KMeans

    if solution.public in ("latent_class", SHARED):
        return _mixture(data, solution.method, solution.count, _first_shares([labels], solution.count))
    if solution.method == "hdbscan":
        return normal_groups(data, labels)
    return _kmeans(data, KMeans(solution.count, init=solution.parameters["means"], n_init=1).fit(data.scores).labels_, solution.count)


def stepmix_labels(data: Prepared, count: int, rng: np.random.Generator, *, method: str = "latent_class") -> np.ndarray | None:
    """Give the latent classes that StepMix finds from two random starts, on the rows as they are, gaps included; None where it found none.

    It learns from the first two thousand rows. Its variances have no floor, so numbers are first spread by what their rounding hides.
    """
    data = _read(data, method)
    with warnings.catch_warnings():
        # StepMix's docstrings hold escapes that Python warns of when it compiles them, at the first import. A start that has not
        # ended after a hundred steps is a start like any other: its partition is fitted further by the caller.
        warnings.simplefilter("ignore")
        from stepmix import StepMix

        parts, rows = _stepmix_input(data, rng)
        model = StepMix(count, measurement=parts, n_init=2, max_iter=100, abs_tol=CONVERGED, random_state=int(rng.integers(2**31 - 1)),
                        progress_bar=0)  # fmt: skip
        model.fit(rows[:STEPMIX_ROWS])
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
