"""How models are put together: weights from replay, pooled over series, and what the combination would have said.

In: replays as arrays. Out: a weight for each model, and the combination's means, at earlier cutoffs and now. Evidence is pooled over all
series and shrunk towards what is believed beforehand: choosing a model for each series on little evidence loses more than it gains.
Refuses nothing: with no evidence at all belief decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from demand.cube import Cube
from demand.uncertainty import draw_paths, learn_errors

__all__ = ["PARTIAL", "combined", "joint_draws", "model_shares", "scores", "unused", "weigh"]

POWER = 6.0
"""Weights go with the error to this power, inverted: 2 is right for errors that do not hang together (Bates and Granger 1969); where they
do, as here, the better model deserves more. On development windows of seven public sets, 6 is 0.7 % better than 3, and 8 as good as 6."""
EQUAL = 1.0
"""Belief counts as much as the evidence of so many independent stretches of errors."""
BELIEF = {"seasonal_naive": 0.25, "lightgbm": 1.5}
"""What is believed of a model before there is evidence, beside 1 for the others: repeating the last year is a poor guess where there is
a season and one of the best where there is none, and what all series have in common is worth more than what one tells. Weighed
on public sets of months and quarters; years are taken as equal."""
NEAR = 1.5
"""A model whose error is more than so many times the best one's takes no part."""
EARNED = 0.9
"""A slow model that was raced on a sample takes part where its error, and a standard error more, is at most so many times that of the best
other: a small race is noisy, and on public series Prophet looked better in it than it was afterwards."""
APART = 0.1
"""How far the logarithms of models' scores are believed to lie apart, before a model was replayed on all series."""
PARTIAL = ("caseload",)
"""Models that speak of stocks alone."""
MOST = 0.95
"""The largest weight of such a model: the others speak of all the rest, and stay in."""
SMALL = 0.04
"""A weight below this is not worth its fit."""


def scores(cube: Cube, models: Sequence[str]) -> dict[str, float]:
    """Give each model's error over that of the model with the most replays, on the rows that both have.

    Parameters
    ----------
    cube : Cube
    models : sequence of str

    Returns
    -------
    dict of str to float
        The geometric mean of two ratios: of errors scaled by series (each series counts alike), and of plain errors (each person does).
        Models without a row are not in it.
    """
    return {m: float(np.exp(_log_ratio(sums.sum(axis=1)))) for m, sums in _compared(cube, models).items()}


def _compared(cube: Cube, models: Sequence[str]) -> dict[str, np.ndarray]:
    """Give each model's errors beside those of the model with the most replays, on the rows that both have; shape (4, series).

    By series: plain errors, the other's, errors scaled by the series, the other's.
    """
    errors = {m: np.abs(cube.told - cube.means[m]) for m in models if m in cube.means}
    rows = {m: int(np.isfinite(e).sum()) for m, e in errors.items()}
    if not any(rows.values()):
        return {}
    reference = errors[max(rows, key=lambda m: rows[m])]
    seen = np.isfinite(reference)
    size = np.where(seen, reference, 0.0).sum(axis=(0, 2)) / np.maximum(seen.sum(axis=(0, 2)), 1)
    size = np.maximum(size, 0.1 * size[size > 0].mean() if (size > 0).any() else 1.0)
    found = {}
    for model, error in errors.items():
        both = np.isfinite(error) & seen
        told = both.any(axis=(0, 2))
        if told.any():
            plain = np.stack([np.where(both, e, 0.0).sum(axis=(0, 2))[told] for e in (error, reference)])
            found[model] = np.concatenate([plain, plain / size[told]])
    return found


def _log_ratio(sums: np.ndarray) -> np.ndarray:
    """Give the logarithm of the geometric mean of two ratios, from the four sums of `_compared` (first axis)."""
    mine, theirs, scaled, scaled_theirs = sums
    plain = mine / np.maximum(theirs, 1e-12)
    return np.asarray(np.log(np.maximum(plain * scaled / np.maximum(scaled_theirs, 1e-12), 1e-24)) / 2)


def _believed(cube: Cube, models: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Give each model's score, and what may be wrong with its logarithm because it was replayed on a sample of the series.

    The standard error is that of the jackknife over series (Efron and Stein 1981, Annals of Statistics 9, 586-596), nothing where all
    series were replayed; the score is drawn towards the mean of theirs by how much of it is chance (empirical Bayes; Efron and
    Morris 1973, JASA 68, 117-130).
    """
    every = _compared(cube, models)
    most, logs = max((s.shape[1] for s in every.values()), default=0), {m: float(_log_ratio(s.sum(axis=1))) for m, s in every.items()}
    mean, found = float(np.mean([logs[m] for m, s in every.items() if s.shape[1] == most])) if every else 0.0, {}
    for model, sums in every.items():
        count = sums.shape[1]
        without = _log_ratio(sums.sum(axis=1, keepdims=True) - sums) if count > 1 else np.zeros(1)
        noise = (1 - count / most) * ((count - 1) * float(without.var()) if count > 1 else np.inf) if count < most else 0.0
        own = APART**2 / (APART**2 + noise)
        found[model] = (float(np.exp(own * logs[model] + (1 - own) * mean)), float((1 - own) ** 0.5 * APART))
    return found


def weigh(cube: Cube, models: Sequence[str], *, stretches: float, raced: Sequence[str] = ()) -> dict[str, float]:
    """Give each model its weight.

    Parameters
    ----------
    cube : Cube
    models : sequence of str
        In the order of the config.
    stretches : float
        Independent stretches of errors that the evidence rests on.
    raced : sequence of str
        Models that were raced on a sample, and must earn their place.

    Returns
    -------
    dict of str to float
        Adding up to 1, in the order of `models`; 0 for a model that earned none. One of `PARTIAL` is weighed against the combination of the
        others, which among themselves are weighed as if it were not there.
    """
    others = [m for m in models if m not in PARTIAL]
    weights = _weighed(cube, others or models, stretches=stretches, raced=raced)
    for model in (m for m in models if others and m in PARTIAL):
        together = {"others": combined(cube.means, weights)} if any(w > 0 and m in cube.means for m, w in weights.items()) else {}
        both = together | ({model: cube.means[model]} if model in cube.means else {})
        share = min(_weighed(replace(cube, means=both), ["others", model], stretches=stretches)[model], MOST)
        weights = {**{m: w * (1 - share) for m, w in weights.items()}, model: share}
    return weights


def _weighed(cube: Cube, models: Sequence[str], *, stretches: float, raced: Sequence[str] = ()) -> dict[str, float]:
    """Weigh models that speak of the same series."""
    known = _believed(cube, models)
    found = {m: score for m, (score, _) in known.items()}
    belief = {m: BELIEF.get(m, 1.0) if cube.season > 1 or m != "seasonal_naive" else 1.0 for m in models}
    if not found:
        return {m: belief[m] / sum(belief.values()) for m in models}
    others = [v for m, v in found.items() if m not in raced]
    best = min(others, default=min(found.values()))
    near = [m for m in models if m in found and _takes_part(*known[m], best, must_earn=bool(m in raced and others))]
    inverse = {m: belief[m] * found[m] ** -POWER for m in near}
    trust, total, believed = stretches / (stretches + EQUAL), sum(inverse.values()), sum(belief[m] for m in near)
    raw = {m: trust * inverse[m] / total + (1 - trust) * belief[m] / believed for m in near}
    kept = {m: w for m, w in raw.items() if w >= SMALL}
    return {m: kept.get(m, 0.0) / sum(kept.values()) for m in models}


def _takes_part(score: float, doubt: float, best: float, *, must_earn: bool) -> bool:
    """Say whether a model is near enough to the best; one that must earn its place has to be better even where its race flattered it."""
    return score * float(np.exp(doubt)) <= EARNED * best if must_earn else score <= NEAR * best


def unused(cube: Cube, weights: Mapping[str, float], *, raced: Sequence[str] = ()) -> dict[str, str]:
    """Say of each model that was replayed and has no weight why, by the scores that decided.

    Parameters
    ----------
    cube : Cube
    weights : mapping of str to float
        From `weigh`.
    raced : sequence of str
        As they were weighed.

    Returns
    -------
    dict of str to str
    """
    among = [m for m in weights if m not in PARTIAL] or list(weights)
    told = _unused(_believed(cube, among), cube, weights, raced)
    for model in (m for m in weights if m not in among and weights[m] == 0 and m in cube.means):
        if any(w > 0 and m in cube.means for m, w in weights.items()):
            both = {"others": combined(cube.means, weights), model: cube.means[model]}
            told |= _unused(_believed(replace(cube, means=both), list(both)), cube, {model: 0.0}, (), "the others together")
    return told


def _unused(
    known: Mapping[str, tuple[float, float]], cube: Cube, weights: Mapping[str, float], raced: Sequence[str], beside: str = "the best model"
) -> dict[str, str]:
    """Tell it of models that were weighed against each other."""
    others, told = [score for m, (score, _) in known.items() if m not in raced], {}
    best = min(others, default=min((score for score, _ in known.values()), default=1.0))
    for model in (m for m, w in weights.items() if w == 0 and m in known):
        score, doubt = known[model]
        on = int(np.isfinite(cube.means[model]).any(axis=(0, 2)).sum())
        times = f"{score / best:.2f} times that of"
        if model in raced and others and not _takes_part(score, doubt, best, must_earn=True):
            told[model] = (
                f"it was not clearly enough better on a sample of {on} series: its error, as far as the sample is believed, was {times}"
                f" the best other model, {score * np.exp(doubt) / best:.2f} with a standard error more, and had to be at most {EARNED:.2f}"
            )
        else:
            told[model] = f"its error was {times} {beside}, in replays of {on} series"
            if _takes_part(score, doubt, best, must_earn=False):
                told[model] += f", and its weight would be less than {SMALL:.0%}"
    return told


def combined(means: Mapping[str, np.ndarray], weights: Mapping[str, float]) -> np.ndarray:
    """Give the weighted mean of models; where one has nothing to say, the others take its weight.

    Parameters
    ----------
    means : mapping of str to numpy.ndarray
        All of one shape; NaN where a model was not asked.
    weights : mapping of str to float

    Returns
    -------
    numpy.ndarray
        NaN where no model with a weight has a value.
    """
    used = [m for m, w in weights.items() if w > 0 and m in means]
    stack = np.stack([means[m] for m in used])
    weight = np.array([weights[m] for m in used]).reshape(-1, *[1] * (stack.ndim - 1)) * np.isfinite(stack)
    total = weight.sum(axis=0)
    return np.asarray(
        np.where(total > 0, np.where(np.isfinite(stack), stack * weight, 0.0).sum(axis=0) / np.where(total > 0, total, 1.0), np.nan)
    )


def model_shares(says: Mapping[str, pd.Series], weights: Mapping[str, float]) -> pd.DataFrame:
    """Give each model's share of each series: where one has nothing to say, the others take its weight.

    Parameters
    ----------
    says : mapping of str to pandas.Series
        By model, the unique_id of every series of which it says something.
    weights : mapping of str to float

    Returns
    -------
    pandas.DataFrame
        A row a series, a column a model.
    """
    table = pd.DataFrame({m: pd.Series(weights[m], index=ids.unique()) for m, ids in says.items()})
    return table.div(table.sum(axis=1), axis=0) if table.isna().any(axis=None) else table


def joint_draws(
    cube: Cube, weights: Mapping[str, float], mean: np.ndarray, *, whole: np.ndarray, draws: int, seed: int, widen: float = 1.0
) -> np.ndarray:
    """Draw joint futures around the combination's means, with the errors that the combination has had.

    Parameters
    ----------
    cube : Cube
        What was known when the forecast was made.
    weights : mapping of str to float
    mean : numpy.ndarray
        Shape (series, horizon): the combination's means.
    whole : numpy.ndarray
        bool, shape (series,): series of whole numbers.
    draws, seed : int
    widen : float
        Factor on all errors, where those of earlier ranges were too large.

    Returns
    -------
    numpy.ndarray
        Shape (series, horizon, draws).
    """
    said = _as_combined(cube, weights)
    then, now = cube.swings.at(cube.at), cube.swings.at(cube.now)
    errors = learn_errors(cube.told, said, horizon=mean.shape[1], whole=whole, swung=then, kinds=cube.kinds, aged=cube.now - cube.at)
    return draw_paths(mean, errors, whole=whole, draws=draws, seed=seed, keys=cube.ids, swung=now, widen=widen)


def _as_combined(cube: Cube, weights: Mapping[str, float]) -> np.ndarray:
    """Give the combination's means at earlier cutoffs.

    Where only some of the models were replayed, their errors are brought to the size that the errors of all have where all were.
    """
    if not any(w > 0 and m in cube.means for m, w in weights.items()):
        return np.full(cube.y.shape, np.nan)
    everything = combined(cube.means, weights)
    used = [m for m, w in weights.items() if w > 0 and m in cube.means]
    asked = np.stack([np.isfinite(cube.means[m]) for m in used])
    for model in set(PARTIAL) & set(used):  # of flows it never says anything: there nothing is missing
        asked[used.index(model)] |= ~asked[used.index(model)].any(axis=(0, 2))[None, :, None]
    full, common = asked.all(axis=0), [m for m, a in zip(used, asked, strict=True) if a.sum() == asked.sum(axis=(1, 2, 3)).max()]
    if full.all() or not full.any():
        return everything
    part = combined({m: cube.means[m] for m in common}, {m: weights[m] for m in common})
    both = full & np.isfinite(cube.y) & np.isfinite(part)
    size = np.abs(cube.y - part)[both].sum()
    ratio = float(np.clip(np.abs(cube.y - everything)[both].sum() / size, 0.7, 1.1)) if size > 0 else 1.0
    return np.where(full | ~np.isfinite(cube.y), everything, cube.y - ratio * (cube.y - everything))
