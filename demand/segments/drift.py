"""Drift: whether the people who come now are still like those whom the segments were made from.

In: what the rules remember of the fit (`Reference`: counts by band and level, nothing of a person), a new extract and its members. Out: one
row an attribute with the size of the shift and how often chance alone makes one as large, and what to do: keep, re-describe or refit.
Refuses rules without a reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from demand.errors import Fault, ModelError
from demand.segments.attributes import OTHER, Attribute, normal_text, numbers_of, unseen
from demand.spec import Spec, stream

__all__ = ["Drift", "Reference", "drift", "reference"]

MOST_ROWS, BANDS = 20_000, 10
PERMUTATIONS, FALSE_ALARMS = 1999, 0.05
LEAST_SHIFT = 0.02
"""A population stability index below this is too small to act on, however sure it is: a share of 30 % that becomes 36 %."""
MUCH_NEW = 0.1
"""Where more than one known value in ten was never seen before, the rules are about other people."""
SEGMENTS, CERTAINTY = "(segments)", "(certainty)"
STEPS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


class Reference(Spec):
    """What the rules remember of the people whom they were made from."""

    edges: dict[str, tuple[float, ...]]
    """Where the bands of a number begin, but for the first."""
    counts: dict[str, tuple[int, ...]]
    """People by band or level, and last those of whom it is not known; also by segment and by certainty."""


@dataclass(frozen=True)
class Drift:
    """What has moved since the fit.

    Parameters
    ----------
    table : pandas.DataFrame
        feature, shift (population stability index), p (how often chance makes one as large), drifted, known_then, known_now, new_share.
    advice : str
        keep, re-describe or refit.
    reason : str
        Why, in words.
    """

    table: pd.DataFrame
    advice: str
    reason: str


def reference(rows: pd.DataFrame, members: pd.DataFrame, attributes: Sequence[Attribute], labels: Sequence[str], *, seed: int) -> Reference:
    """Count the people of a fit by band and level.

    Parameters
    ----------
    rows : pandas.DataFrame
        One row a person or place, in the order of `members`.
    members : pandas.DataFrame
        person_id, segment, certainty.
    attributes : sequence of Attribute
    labels : sequence of str
        The segments.
    seed : int

    Returns
    -------
    Reference
        Of at most 20,000 people.
    """
    at = np.sort(stream(seed, "segments", "reference").permutation(len(rows))[:MOST_ROWS])
    rows, members = rows.iloc[at], members.iloc[at]
    edges: dict[str, tuple[float, ...]] = {}
    for a in attributes:
        if a.kind in ("number", "banded"):
            x = numbers_of(rows[a.name])[0]
            x = x[~np.isnan(x)]
            cuts = np.unique(np.quantile(x, np.arange(1, BANDS) / BANDS)) if len(x) else np.empty(0)
            edges[a.name] = tuple(float(v) for v in (a.edges or cuts[cuts > x.min()] if len(x) else cuts))
    counts = {a.name: _counts(rows[a.name], a, edges.get(a.name, ()))[0] for a in attributes}
    return Reference(edges=edges, counts={**counts, **_placed(members, labels)})


def drift(
    known: Reference | None, rows: pd.DataFrame, members: pd.DataFrame, attributes: Sequence[Attribute], labels: Sequence[str], *, seed: int
) -> Drift:
    """Hold a new extract against the fit.

    Parameters
    ----------
    known : Reference or None
        Of the fit.
    rows : pandas.DataFrame
        One row a person or place, in the order of `members`.
    members : pandas.DataFrame
        person_id, segment, certainty.
    attributes : sequence of Attribute
    labels : sequence of str
    seed : int

    Returns
    -------
    Drift

    Raises
    ------
    ModelError
        Where the rules hold no reference.

    Notes
    -----
    The people of the fit and those of now are put together and dealt out anew, attribute by attribute: counts are all that this needs. The
    p-values are held against one limit for all attributes together (Holm), so that at most one run in twenty raises an alarm where nothing
    has moved. Where most people are in both extracts it raises fewer.

    References
    ----------
    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6, 65-70. Population
    stability index: Siddiqi, N. (2006). Credit risk scorecards, chapter 11; its fixed limit of 0.1 is not used: at 100 people it is passed
    by chance alone.
    """
    if known is None:
        raise ModelError(Fault("the saved segments do not say what the people of the fit were like", do_next="Run `demand segment` again"))
    new_counts = {a.name: _counts(rows[a.name], a, known.edges.get(a.name, ())) for a in attributes}
    now = {**{name: c for name, (c, _) in new_counts.items()}, **_placed(members, labels)}
    lines = []
    deals = max(PERMUTATIONS, int(2 * len(known.counts) / FALSE_ALARMS) - 1)  # else no p could ever be below Holm's first limit
    for name, then in known.counts.items():
        shift, p = _tested(np.array(then), np.array(now[name]), stream(seed, "segments", "drift", name), deals)
        new = new_counts[name][1] if name in new_counts else 0
        lines.append({"feature": name, "shift": shift, "p": p, "known_then": _known(name, then), "known_now": _known(name, now[name]),
                      "new_share": new / max(len(rows), 1)})  # fmt: skip
    table = pd.DataFrame(lines)
    table.insert(3, "drifted", _holm(table["p"].to_numpy()))
    return Drift(table, *_advice(table, np.array(known.counts[CERTAINTY]), np.array(now[CERTAINTY])))


def _counts(values: pd.Series, a: Attribute, edges: tuple[float, ...]) -> tuple[tuple[int, ...], int]:
    """Count by band or level, then those not known; and how many of these have a value that the fit had not seen."""
    if a.kind in ("number", "banded"):
        x, missing = numbers_of(values)
        fine = ~np.isnan(x)
        found = np.bincount(np.searchsorted(np.array(edges), x[fine], side="right"), minlength=len(edges) + 1)
        new = int((~fine).sum()) - missing
    else:
        text = normal_text(values)
        place = {level: i for i, level in enumerate(a.levels)}
        code = text.map(place)
        new = int(unseen(text.where(text.notna(), None), a).sum())
        code = code.where(code.notna() | text.isna(), place.get(OTHER, np.nan))
        found = np.bincount(code.dropna().to_numpy(dtype=np.int64), minlength=len(a.levels))
    return (*(int(n) for n in found), int(len(values) - found.sum())), new


def _placed(members: pd.DataFrame, labels: Sequence[str]) -> dict[str, tuple[int, ...]]:
    sizes = members["segment"].value_counts()
    inside = [int(sizes.get(label, 0)) for label in labels]
    steps = np.bincount(np.searchsorted(np.array(STEPS), members["certainty"].to_numpy(), side="right"), minlength=len(STEPS) + 1)
    return {SEGMENTS: (*inside, len(members) - sum(inside)), CERTAINTY: tuple(int(n) for n in steps)}


def _known(name: str, counts: Sequence[int]) -> float:
    return float(sum(counts[:-1]) / max(sum(counts), 1)) if name not in (SEGMENTS, CERTAINTY) else float("nan")


def _tested(then: np.ndarray, now: np.ndarray, rng: np.random.Generator, deals: int) -> tuple[float, float]:
    """Give the shift, and how often people dealt out anew show one as large."""
    shift = float(_stability_index(then[None], now[None])[0])
    dealt = rng.multivariate_hypergeometric(then + now, int(now.sum()), size=deals)
    chance = _stability_index(then + now - dealt, dealt)
    return shift, float((1 + (chance >= shift - 1e-12).sum()) / (deals + 1))


def _stability_index(then: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Half a person is added to each cell, so that an empty one has a logarithm."""
    a = (then + 0.5) / (then + 0.5).sum(axis=1, keepdims=True)
    b = (now + 0.5) / (now + 0.5).sum(axis=1, keepdims=True)
    return np.asarray(((a - b) * np.log(a / b)).sum(axis=1))


def _holm(p: np.ndarray) -> np.ndarray:
    order = np.argsort(p, kind="stable")
    passed = np.logical_and.accumulate(p[order] <= FALSE_ALARMS / np.arange(len(p), 0, -1))
    out = np.zeros(len(p), dtype=bool)
    out[order] = passed
    return out


def _advice(table: pd.DataFrame, sure_then: np.ndarray, sure_now: np.ndarray) -> tuple[str, str]:
    moved = table[table["drifted"] & (table["shift"] >= LEAST_SHIFT)]
    names = ", ".join(str(f) for f in moved["feature"] if f not in (SEGMENTS, CERTAINTY))
    unknown = table[table["new_share"] > MUCH_NEW]
    if len(unknown):
        return "refit", f"more than one in ten have values that the segments have never seen: {', '.join(unknown['feature'])}"
    steps = np.arange(len(sure_then))
    less_sure = (sure_now @ steps) / max(sure_now.sum(), 1) < (sure_then @ steps) / max(sure_then.sum(), 1)
    if CERTAINTY in set(moved["feature"]) and less_sure:
        return "refit", "people belong to their segments less clearly than at the fit" + (f"; moved: {names}" if names else "")
    if len(moved):
        return "re-describe", f"people have changed, and the segments still fit them; moved: {names or 'the sizes of the segments'}"
    return "keep", "nothing has moved by more than chance, or by enough to matter"
