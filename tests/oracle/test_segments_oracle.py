"""The rules against slow, obvious second implementations."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from demand.segments.attributes import encode, read_attributes
from demand.segments.covariance import Incomplete, in_order
from demand.segments.find import SegmentSpec, find_segments
from demand.segments.mixture import fit, refit, stepmix_labels
from demand.segments.model import UNCLEAR, assign_segments, first_rows
from demand.segments.prepared import Prepared


def people(n: int = 240) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    group = rng.integers(0, 2, n)
    table = pd.DataFrame(
        {
            "visits": rng.poisson(np.array([1, 7])[group]),
            "income": rng.normal(np.array([1.0, 5.0])[group], 1.0),
            "home": np.where(rng.random(n) < 0.8, np.array(["own", "rent"])[group], "other"),
        }
    ).astype(object)
    return table.mask(rng.random(table.shape) < 0.2).assign(person_id=[f"p{i:03d}" for i in range(n)])


def test_latent_classes_place_each_person_as_the_formula_says() -> None:
    table = people()
    model = find_segments(table, SegmentSpec(method="latent_class", count=2), seed=1).model
    p, members = model.parameters, assign_segments(model, table)
    for i, row in first_rows(table).iterrows():
        if row[[a.name for a in model.attributes]].isna().all():
            assert (members["segment"][i], members["certainty"][i]) == (UNCLEAR, 0)  # type: ignore[index]
            continue
        weight = []
        for k in range(2):
            total, number, level_at = math.log(p["weights"][k]), 0, 0  # type: ignore[arg-type]
            for a in model.attributes:
                value = row[a.name]
                if a.kind == "category":
                    if pd.notna(value):
                        total += math.log(p["levels"][k][level_at + a.levels.index(value)])  # type: ignore[index, arg-type]
                    level_at += len(a.levels)
                    continue
                if pd.notna(value):
                    x = math.log1p(value) if a.log else float(value)
                    x = (min(max(x, a.low), a.high) - a.centre) / a.scale
                    mean, variance = p["means"][k][number], p["variances"][k][number]  # type: ignore[index]
                    total += -0.5 * math.log(2 * math.pi * variance) - (x - mean) ** 2 / (2 * variance)  # type: ignore[operator, arg-type]
                number += 1
            weight.append(math.exp(total))
        best = max(range(2), key=weight.__getitem__)
        assert members["segment"][i] == model.labels[best]  # type: ignore[index]
        assert (
            members["certainty"][i] == round(weight[best] / sum(weight), 6)
            or abs(  # type: ignore[index]
                members["certainty"][i] - weight[best] / sum(weight)  # type: ignore[index]
            )
            < 1e-6 * 1.01
        )


def test_stepmix_from_random_starts_finds_the_same_classes() -> None:
    table = people()
    attributes = read_attributes(table.drop(columns="person_id"), None).attributes
    data = Prepared.of(encode(table, attributes), np.array([a.floor for a in attributes if a.kind in ("number", "ordered")]))
    ours = fit(data, "latent_class", 2, np.random.default_rng(0), starts=3)
    labels = stepmix_labels(data, 2, np.random.default_rng(1))
    assert labels is not None
    theirs = refit(data, ours, labels)
    assert abs(ours.bic - theirs.bic) < 1.0
    assert max((ours.labels == theirs.labels).mean(), (ours.labels != theirs.labels).mean()) > 0.98


def incomplete(n: int = 60, p: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(n, p)) @ (np.eye(p) + 0.5 * rng.normal(size=(p, p)))
    x[rng.random((n, p)) < 0.4] = np.nan
    roots = np.eye(p) + 0.4 * rng.normal(size=(2, p, p))
    return x, rng.normal(size=(2, p)), roots @ roots.transpose(0, 2, 1)


def test_the_density_of_what_is_known_is_that_of_the_textbook() -> None:
    from scipy.stats import multivariate_normal

    x, means, covariances = incomplete()
    wanted = np.zeros((2, len(x)))
    for k in range(2):
        for i, row in enumerate(x):
            if (known := ~np.isnan(row)).any():
                wanted[k, i] = multivariate_normal.logpdf(row[known], means[k, known], covariances[k][np.ix_(known, known)])
    rows = Incomplete(x)
    np.testing.assert_allclose(rows.density(rows.spread(means, covariances)), wanted, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(in_order(x, means, covariances), wanted, rtol=1e-9, atol=1e-9)
    one_alone = in_order(x[[7]], means, covariances[:1])
    assert one_alone[1][0] == in_order(x, means, covariances[:1])[1][7]


def test_a_step_of_expectation_and_maximisation_is_that_of_ghahramani_and_jordan() -> None:
    """Row by row: what is missing is its mean given what is known, with its covariance left; see their equations for mixtures."""
    x, means, covariances = incomplete()
    n, p = x.shape
    share = np.random.default_rng(5).dirichlet(np.ones(2), n).T
    rows = Incomplete(x)
    stepped = rows.step(rows.spread(means, covariances), share)
    filled, left = np.zeros((2, n, p)), np.zeros((2, n, p, p))
    for k, covariance in enumerate(covariances):
        for i, row in enumerate(x):
            o, m = ~np.isnan(row), np.isnan(row)
            slope = covariance[np.ix_(m, o)] @ np.linalg.inv(covariance[np.ix_(o, o)])
            filled[k, i, o], filled[k, i, m] = row[o], means[k, m] + slope @ (row[o] - means[k, o])
            left[k, i][np.ix_(m, m)] = covariance[np.ix_(m, m)] - slope @ covariance[np.ix_(o, m)]
    size = share.sum(axis=1)
    wanted = np.stack([share[k] @ filled[k] / size[k] for k in range(2)])
    np.testing.assert_allclose(stepped.means, wanted, atol=1e-7)
    off = filled - wanted[:, None]
    scatter = np.einsum("kn,kna,knb->kab", share, off, off) + np.einsum("kn,knab->kab", share, left)
    common = (scatter.sum(axis=0) + np.eye(p)) / (n + 1)
    own = (scatter + (p + 2) * common) / (size[:, None, None] + p + 2)
    np.testing.assert_allclose(stepped.covariances, own, atol=1e-6)
