"""Covariances: numbers that go together within a group, told from incomplete rows as they are.

In: standardised numbers, NaN where missing, and how likely each row is in each group. Out: the parameters that make these likelier, and the
densities of the rows: one step each of expectation and maximisation for a Gaussian mixture whose groups have one covariance in common, or
each its own. What is missing is expected given what is known and the group, with its spread. Refuses nothing.

References
----------
Ghahramani, Z. and Jordan, M. I. (1994). Supervised learning from incomplete data via an EM approach. Advances in Neural Information
Processing Systems 6, 120-127.
Hunt, L. and Jorgensen, M. (2003). Mixture model clustering for mixed data with missing information. Computational Statistics & Data
Analysis 41, 429-440. (Categories beside the numbers, independent within a group.)
Fraley, C. and Raftery, A. E. (2007). Bayesian regularization for normal mixture estimation and model-based clustering. Journal of
Classification 24, 155-181. (The prior of a group's own covariance.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Incomplete", "Spread", "in_order", "patterns"]

NARROWEST = 0.01
"""The least variance of a group in any direction, of standardised numbers: less is rounding, or one number that follows from others."""


@dataclass(frozen=True)
class Spread:
    """Numbers of each group: means (groups, numbers), covariances (1 or groups, numbers, numbers), and what rows make of them.

    `precisions` holds for each covariance and pattern the inverse of the part that is known, noughts elsewhere; `constants` the log of its
    determinant with the powers of 2 pi; `weighed` the known numbers of each row times their precision.
    """

    means: np.ndarray
    covariances: np.ndarray
    precisions: np.ndarray
    constants: np.ndarray
    weighed: np.ndarray


class Incomplete:
    """Rows of numbers, ordered by what is known of them."""

    def __init__(self, numbers: np.ndarray) -> None:
        from scipy.sparse import csr_array

        n = len(numbers)
        self.known, self.of = patterns(numbers)
        self.x = np.where(np.isnan(numbers), 0.0, numbers)
        self.by_pattern = csr_array((np.ones(n), (self.of, np.arange(n))), shape=(len(self.known), n))

    def first(self, share: np.ndarray, *, own: bool) -> Spread:
        """Begin with the means and variances of what is known, and no correlations."""
        known = self.known[self.of]
        mass = share @ known + 1.0
        means = share @ self.x / mass
        variances = np.maximum((share @ self.x**2 + 1.0) / mass - means**2, 0.05)
        if not own:
            variances = np.average(variances, axis=0, weights=share.sum(axis=1))[None]
        return self.spread(means, variances[:, :, None] * np.eye(self.x.shape[1]))

    def spread(self, means: np.ndarray, covariances: np.ndarray) -> Spread:
        """Make ready what both steps need."""
        known, gone = self.known, 1.0 - self.known
        at = np.arange(self.x.shape[1])
        part = covariances[:, None] * (known[:, :, None] * known[:, None, :])
        part[:, :, at, at] += gone
        constants = np.linalg.slogdet(part)[1] + known.sum(axis=1) * np.log(2 * np.pi)
        precisions = np.linalg.inv(part)
        precisions[:, :, at, at] -= gone
        weighed = np.stack([np.matmul(p[self.of], self.x[:, :, None])[:, :, 0] if len(p) > 1 else self.x @ p[0] for p in precisions])
        return Spread(means, covariances, precisions, constants, weighed)

    def density(self, s: Spread) -> np.ndarray:
        """Give the log density of the known numbers of each row in each group: (groups, rows)."""
        out = np.empty((len(s.means), len(self.x)))
        for j, groups in enumerate(_groups(s)):
            mean, weighed = s.means[groups], s.weighed[j]
            inside = np.matmul(mean, s.precisions[j])
            centre = (inside * mean).sum(axis=2) + s.constants[j][:, None]
            out[groups] = mean @ weighed.T - 0.5 * (self.x * weighed).sum(axis=1) - 0.5 * centre.T[:, self.of]
        return out

    def step(self, s: Spread, share: np.ndarray) -> Spread:
        """Give the means and covariances that make the shares likelier, what is missing expected by those of before."""
        size = share.sum(axis=1) + 1e-9
        means, scatters = np.empty_like(s.means), np.empty_like(s.covariances)
        for j, groups in enumerate(_groups(s)):
            mean, covariance, precision, weighed = s.means[groups], s.covariances[j], s.precisions[j], s.weighed[j]
            rows = share[groups]
            counted = (self.by_pattern @ rows.T).T
            inside = np.matmul(mean, precision).transpose(1, 0, 2)
            summed = self._summed(rows, weighed)
            off = rows @ weighed - (counted[:, :, None] * inside).sum(axis=1)
            moved = off @ covariance / size[groups, None]
            means[groups] = mean + moved
            p = len(covariance)
            flat, weight = inside.reshape(-1, p), counted.reshape(-1, 1)
            cross = summed.T @ flat
            squares = (weighed * rows.sum(axis=0)[:, None]).T @ weighed - cross - cross.T + flat.T @ (weight * flat)
            told = np.tensordot(counted.sum(axis=0), precision, 1)
            shift = (moved * size[groups, None]).T @ moved
            scatters[j] = covariance @ (squares - told) @ covariance + size[groups].sum() * covariance - shift
        return self.spread(means, self._regular(scatters, size))

    def _summed(self, share: np.ndarray, weighed: np.ndarray) -> np.ndarray:
        """Add up rows times shares by group and pattern: (groups x patterns, numbers)."""
        if len(self.known) == 1:
            return np.asarray(share @ weighed)
        n, p = weighed.shape
        each = (share.T[:, :, None] * weighed[:, None, :]).reshape(n, -1)
        return np.asarray((self.by_pattern @ each).reshape(-1, len(share), p).swapaxes(0, 1).reshape(-1, p))

    def _regular(self, scatters: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Divide sums of squares by people, beside one person spread as everybody is, or a prior around the covariance in common."""
        p, n = self.x.shape[1], len(self.x)
        common = (scatters.sum(axis=0) + np.eye(p)) / (n + 1)
        if len(scatters) == 1:
            return _no_narrower(common)[None]
        return np.stack([_no_narrower((s + (p + 2) * common) / (m + p + 2)) for s, m in zip(scatters, size, strict=True)])


def _groups(s: Spread) -> list[np.ndarray]:
    """Give for each covariance the groups that have it."""
    groups = np.arange(len(s.means))
    return [groups] if len(s.covariances) == 1 else [groups[[k]] for k in groups]


def _no_narrower(covariance: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return np.asarray((vectors * np.maximum(values, NARROWEST)) @ vectors.T)


def patterns(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give what is known (1) and missing (0) of numbers, each pattern once, and the pattern of each row."""
    known = ~np.isnan(numbers)
    _, first, of = np.unique(np.packbits(known, axis=1), axis=0, return_index=True, return_inverse=True)
    return known[first].astype(float), of.reshape(len(numbers))


def in_order(numbers: np.ndarray, means: np.ndarray, covariances: np.ndarray) -> list[np.ndarray]:
    """Give the log density of each row's known numbers in each group, by sums in a fixed order over that row alone.

    Parameters
    ----------
    numbers : numpy.ndarray
        (rows, numbers), NaN where missing.
    means : numpy.ndarray
        (groups, numbers).
    covariances : numpy.ndarray
        (1 or groups, numbers, numbers).

    Returns
    -------
    list of numpy.ndarray
        By group. The triangular root of a covariance is worked out element by element, once for each pattern of what is known: libraries
        of linear algebra sum in an order of their own, so that the last digits would differ from machine to machine.
    """
    known, of = patterns(numbers)
    seen = known[of]
    out: list[np.ndarray] = [np.zeros(0)] * len(means)
    for j, covariance in enumerate(covariances):
        root = _root(known, covariance)
        groups = range(len(means)) if len(covariances) == 1 else [j]
        off = {k: [np.where(seen[:, a] > 0, numbers[:, a] - means[k, a], 0.0) for a in range(len(covariance))] for k in groups}
        total = {k: np.zeros(len(numbers)) for k in groups}
        for a in range(len(covariance)):
            for b in range(a):
                along = root[a, b][of]
                for k in groups:
                    off[k][a] -= along * off[k][b]
            width = root[a, a][of]
            constant = np.log(width) + 0.5 * np.log(2 * np.pi) * seen[:, a]
            for k in groups:
                off[k][a] /= width
                total[k] -= 0.5 * off[k][a] ** 2 + constant
        for k in groups:
            out[k] = total[k]
    return out


def _root(known: np.ndarray, covariance: np.ndarray) -> dict[tuple[int, int], np.ndarray]:
    """Give the Cholesky root of the known part of a covariance, by pattern; what is missing stands alone, with variance 1."""
    root: dict[tuple[int, int], np.ndarray] = {}
    for a in range(len(covariance)):
        for b in range(a + 1):
            part = covariance[a, b] * known[:, a] * known[:, b] + (1.0 - known[:, a] if a == b else 0.0)
            for c in range(b):
                part = part - root[a, c] * root[b, c]
            root[a, b] = np.sqrt(part) if a == b else part / root[b, b]
    return root
