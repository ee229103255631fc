"""Rows made ready once for many fits: the matrices that latent classes need, and the main components that the other methods work on.

In: `Coded` rows. Out: `Prepared`. Numbers can be told in two ways: as bell curves within each class, or in bands, which takes more people
to learn but fits any shape. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from demand.segments.attributes import Coded
from demand.segments.covariance import Incomplete

__all__ = ["Prepared", "components", "in_bands"]

MOST_COMPONENTS = 8
BANDS, PEOPLE_A_BAND = (4, 8), 60
"""A number is cut into so many bands, at least and at most, and a band is given for so many people."""
LEAST_SPREAD = 0.01
"""Directions of standardised numbers that spread less are rounding, or one number that follows from others."""
CELL, NARROWEST = 0.33, 0.1
"""The density of a number in everybody is told by cells that are a third of its standard deviation wide, none narrower than a tenth."""


def components(coded: Coded, kept: int | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the main components of mixed data: rows' scores, and loadings with offsets that make them.

    Numbers are standardised, a level's indicator is centred and divided by the root of its share; what is missing adds nothing.

    Parameters
    ----------
    coded : Coded
    kept : int, optional
        How many; without it, those that tell more than one column would.

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
    keep = kept or int(np.clip((values > 1.0).sum(), min(2, len(values)), MOST_COMPONENTS))
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


def cuts(numbers: np.ndarray) -> tuple[np.ndarray, ...]:
    """Give for each number where its bands begin, but for the first: between values, with about as many people in each."""
    known = [x[~np.isnan(x)] for x in numbers.T]
    return tuple(_cut(x, int(np.clip(len(x) // PEOPLE_A_BAND, *BANDS))) for x in known)


def _cut(known: np.ndarray, wanted: int) -> np.ndarray:
    distinct, count = np.unique(known, return_counts=True)
    if len(distinct) <= wanted:
        return np.asarray((distinct[1:] + distinct[:-1]) / 2)
    share = np.cumsum(count) / len(known)
    at = np.unique(np.searchsorted(share, np.arange(1, wanted) / wanted))
    at = at[at < len(distinct) - 1]
    return np.asarray((distinct[at] + distinct[at + 1]) / 2)


def _within(x: np.ndarray, edges: np.ndarray) -> tuple[float, int]:
    """Give the log density of a number in everybody, within the band that it falls into, and how many cells tell it beyond the bands."""
    known = x[~np.isnan(x)]
    distinct = np.unique(known)
    if len(distinct) < 2:
        return 0.0, 0
    between = np.unique(np.searchsorted(distinct, np.arange(distinct[0], distinct[-1], CELL), side="right"))
    between = between[between < len(distinct)]
    cells = np.union1d((distinct[between - 1] + distinct[between]) / 2, edges)
    least, most = 1.5 * distinct[0] - 0.5 * distinct[1], 1.5 * distinct[-1] - 0.5 * distinct[-2]
    width = np.maximum(np.diff([least, *cells, most]), NARROWEST)
    count = np.bincount(np.searchsorted(cells, known, side="right"), minlength=len(width))
    band = np.searchsorted(edges, [*cells, np.inf], side="left")
    told = np.where(count > 0, np.log(np.maximum(count, 1) / np.maximum(np.bincount(band, count)[band], 1) / width), 0.0)
    return float(count @ told), int((count > 0).sum()) - 1 - len(edges)


def in_bands(coded: Coded, edges: Sequence[np.ndarray]) -> Coded:
    """Give the same rows with numbers told by the band they fall into, before the categories."""
    codes = [np.where(np.isnan(x), -1, np.searchsorted(e, x, side="right")) for x, e in zip(coded.numbers.T, edges, strict=True)]
    sizes = tuple(len(e) + 1 for e in edges)
    joined = np.column_stack([*codes, coded.codes]).astype(np.int64)
    return Coded(np.empty((len(coded), 0)), joined, sizes + coded.sizes, {}, {}, (True,) * len(sizes) + coded.lined)


@dataclass(frozen=True)
class Prepared:
    """Rows made ready.

    Parameters
    ----------
    coded : Coded
    design : numpy.ndarray
        Numbers, their squares, whether they are known, levels: all that latent classes need.
    scores, loadings, shares : numpy.ndarray
        See `components`.
    floors : numpy.ndarray
        The least variance of each number.
    edges : tuple of numpy.ndarray
        Where the bands of each number begin.
    banded : Prepared, optional
        The same rows with numbers in bands; None where there are no numbers.
    """

    coded: Coded
    design: np.ndarray
    scores: np.ndarray
    loadings: np.ndarray
    shares: np.ndarray
    floors: np.ndarray
    edges: tuple[np.ndarray, ...] = ()
    banded: Prepared | None = None
    known: dict[str, float] = field(default_factory=dict, compare=False, repr=False)
    """What was worked out of these rows once; see `once`."""

    @cached_property
    def incomplete(self) -> Incomplete:
        """The numbers, ordered by what is known of each row."""
        return Incomplete(self.coded.numbers)

    @cached_property
    def apart(self) -> np.ndarray:
        """The numbers seen from where they fall apart most: turned and scaled to spread alike, directions of least kurtosis first.

        Groups may lie apart in a direction in which people hardly differ, which main components do not show.

        References
        ----------
        Tyler, D. E., Critchley, F., Dümbgen, L. and Oja, H. (2009). Invariant co-ordinate selection. Journal of the Royal Statistical
        Society B 71, 549-592.
        """
        x = silent(self.coded.numbers)
        values, vectors = np.linalg.eigh(x.T @ x / max(len(x), 1))
        some = values > LEAST_SPREAD
        z = x @ vectors[:, some] / np.sqrt(values[some])
        return np.asarray(z @ np.linalg.eigh((z * (z**2).sum(axis=1)[:, None]).T @ z / max(len(x), 1))[1])

    @cached_property
    def within_bands(self) -> tuple[float, int]:
        """The log density of all numbers in everybody, within their bands, and how many parameters tell it."""
        parts = [_within(x, e) for x, e in zip(self.coded.numbers.T, self.edges, strict=True)]
        return sum(p[0] for p in parts), sum(p[1] for p in parts)

    def once(self, name: str, work: Callable[[], float]) -> float:
        """Give a figure of these rows, worked out when it is first asked for."""
        if name not in self.known:
            self.known[name] = work()
        return self.known[name]

    @classmethod
    def of(cls, coded: Coded, floors: np.ndarray, edges: tuple[np.ndarray, ...] | None = None, kept: int | None = None) -> Prepared:
        """Prepare coded rows.

        Parameters
        ----------
        coded : Coded
        floors : numpy.ndarray
        edges : tuple of numpy.ndarray, optional
            Where bands begin; without them, bands are made of these rows.
        kept : int, optional
            How many main components; see `components`.
        """
        return cls._with(coded, components(coded, kept), floors, cuts(coded.numbers) if edges is None else edges)

    def like(self, coded: Coded) -> Prepared:
        """Prepare other rows with the same components and bands."""
        scores = indicator(coded, self.shares)[0] @ self.loadings
        return self._with(coded, (scores, self.loadings, self.shares), self.floors, self.edges)

    @classmethod
    def _with(
        cls, coded: Coded, parts: tuple[np.ndarray, np.ndarray, np.ndarray], floors: np.ndarray, edges: tuple[np.ndarray, ...]
    ) -> Prepared:
        banded = None
        if edges:
            other = in_bands(coded, edges)
            banded = cls(other, one_hot(other), *parts, floors[:0])
        filled = silent(coded.numbers)
        design = np.column_stack([filled, filled**2, ~np.isnan(coded.numbers), one_hot(coded)])
        return cls(coded, design, *parts, floors, edges, banded)

    def rows(self, index: np.ndarray) -> Prepared:
        """Give some of the rows, with the same components and bands."""
        banded = self.banded.rows(index) if self.banded else None
        return Prepared(self.coded.rows(index), self.design[index], self.scores[index], self.loadings, self.shares, self.floors, self.edges,
                        banded)  # fmt: skip

    def __len__(self) -> int:
        """Give how many rows there are."""
        return len(self.design)
