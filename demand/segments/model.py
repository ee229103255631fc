"""The saved rules: plain JSON that puts next year's people into the same segments.

In: the parameters of the solution that was chosen, and a table. Out: members: person_id, segment, certainty. Each person is placed by sums
in a fixed order over that person's own attributes, so that the same person gets the same segment, whoever else is in the table. Refuses a
table without the attributes that the rules need, and rules written by another version.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field, ValidationError

from demand.errors import DataError, Fault, ModelError, did_you_mean, raise_all
from demand.segments.attributes import Attribute, Coded, encode
from demand.segments.covariance import in_order
from demand.segments.drift import Reference
from demand.segments.prepared import in_bands
from demand.segments.screening import share_words
from demand.spec import Spec

__all__ = ["ALL", "UNCLEAR", "SegmentModel", "assign_segments", "episode_segments", "first_rows", "id_column",
           "is_unclear", "nearest_share", "place_rows", "share_words", "unclear_note"]  # fmt: skip

ALL = "all"
"""The label of everybody, where no segments were found."""
UNCLEAR = "unclear"
"""The label of those whose certainty is below the threshold of the rules, and of those of whom nothing is known that the rules ask."""
VERSION = 1
CHUNK = 50_000
Nested = list[float] | list[list[float]] | list[list[list[float]]]


class SegmentModel(Spec):
    """Frozen rules of assignment, as they stand in segment_model.json."""

    version: int = VERSION
    method: str
    """latent_class, gaussian_mixture, kmeans, hdbscan, or none where no segments were found."""
    labels: tuple[str, ...]
    """Names of the segments, largest first."""
    attributes: tuple[Attribute, ...] = ()
    bands: tuple[tuple[float, ...], ...] | None = None
    """Where the bands of each number or ordered attribute begin (standardised), where latent classes tell numbers in bands."""
    parameters: dict[str, Nested] = Field(default_factory=dict)
    people: int
    """How many people or places the rules were made from."""
    seed: int
    groups: bool = True
    """False where the segments are bands for convenience, not groups that the data show."""
    unclear: float = 0.0
    """People whose certainty is below this are in no segment: they are "unclear"."""
    reference: Reference | None = None
    """What the people of the fit were like, counted: drift is measured against it."""

    def to_json(self) -> str:
        """Give the rules as text."""
        return json.dumps(self.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> SegmentModel:
        """Read the rules back.

        Raises
        ------
        ModelError
            Where the text is not the rules that `to_json` wrote.
        """
        try:
            found: dict[str, Any] = json.loads(text)
            if not isinstance(found, dict) or found.get("version") != VERSION:
                raise ModelError(
                    Fault("segment rules of an unknown version", allowed=f"Version {VERSION}", do_next="Run `demand segment` again")
                )
            return cls.model_validate(found)
        except (json.JSONDecodeError, ValidationError) as e:
            raise ModelError(
                Fault(f"segment rules that cannot be read: {str(e).splitlines()[0]}", do_next="Run `demand segment` again")
            ) from e


def id_column(table: pd.DataFrame) -> str:
    """Name the column that says who or where a row is about.

    Raises
    ------
    DataError
        Where there is neither person_id nor place_id.
    """
    found = next((c for c in ("person_id", "place_id") if c in table.columns), None)
    if found is None:
        raise DataError(Fault("a table of people or places without ids", allowed="A column person_id or place_id",
                              do_next=f"Name the id in the config. {did_you_mean('person_id', map(str, table.columns))}"))  # fmt: skip
    return found


def first_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Give one row a person: the first episode, so that nothing that was learnt later is used."""
    who = id_column(table)
    if table[who].is_unique:
        ordered = table if table[who].is_monotonic_increasing else table.sort_values(who, kind="stable")
        return ordered.reset_index(drop=True)
    order = [c for c in ("opened", "episode_id") if c in table.columns]
    ordered = table.sort_values([who, *order], kind="stable") if order else table.sort_values(who, kind="stable")
    return ordered.drop_duplicates(who).reset_index(drop=True)


def assign_segments(model: SegmentModel, table: pd.DataFrame) -> pd.DataFrame:
    """Put people or places into saved segments.

    Parameters
    ----------
    model : SegmentModel
    table : pandas.DataFrame
        With person_id or place_id, and the attributes that the rules use; where a person has several rows, the first episode counts.

    Returns
    -------
    pandas.DataFrame
        person_id, segment, certainty (0 to 1), sorted by person_id; `attrs["handled"]` counts by attribute the values that were missing and
        those that are new since the fit (they are taken as not known, or as other rare values where there are such).

    Raises
    ------
    DataError
        Where an attribute or the id is missing from the table.
    """
    rows = first_rows(table)
    members = place_rows(model, rows)
    return members.assign(person_id=rows[id_column(table)].astype(str))[["person_id", "segment", "certainty"]]


def place_rows(model: SegmentModel, rows: pd.DataFrame) -> pd.DataFrame:
    """Put every row into a saved segment by what it says itself: an episode by what was known when it began.

    Parameters
    ----------
    model : SegmentModel
    rows : pandas.DataFrame
        With the attributes that the rules use.

    Returns
    -------
    pandas.DataFrame
        segment, certainty, in the order and with the index of the rows; `attrs["handled"]` as for `assign_segments`.

    Raises
    ------
    DataError
        Where an attribute is missing from the table.
    """
    _check(model, rows)
    coded = encode(rows, model.attributes)
    codes, certainty = _nearest(model, coded)
    names = np.array([*model.labels, UNCLEAR], dtype=object)
    placed = names[np.where(is_unclear(certainty, model.unclear), len(model.labels), codes)]
    out = pd.DataFrame({"segment": placed, "certainty": certainty}, index=rows.index)
    handled = {"missing": coded.missing, "new": coded.new}
    out.attrs["handled"] = {what: {k: v for k, v in counts.items() if v} for what, counts in handled.items()}
    return out


def _check(model: SegmentModel, rows: pd.DataFrame) -> None:
    missing = [a.name for a in model.attributes if a.name not in rows.columns]
    faults = [Fault(f"the segments need the attribute '{m}'", allowed=did_you_mean(m, map(str, rows.columns))) for m in missing]
    raise_all(faults, DataError, during="putting people into segments")


def is_unclear(certainty: np.ndarray, threshold: float) -> np.ndarray:
    """Say who is in no segment: those below the threshold, and those of whom nothing is known, whose certainty is 0 whatever it is."""
    return np.asarray((certainty < threshold) | (certainty == 0))


def _nearest(model: SegmentModel, coded: Coded) -> tuple[np.ndarray, np.ndarray]:
    """Give the place in `labels` of the likeliest segment of each row, and the certainty: 0 where nothing is known that the rules ask."""
    parts = [_place(model, coded.rows(np.arange(at, min(at + CHUNK, len(coded))))) for at in range(0, len(coded), CHUNK)]
    codes = np.concatenate([p[0] for p in parts]) if parts else np.empty(0, np.int64)
    certainty = np.concatenate([p[1] for p in parts]) if parts else np.empty(0)
    nothing = np.isnan(coded.numbers).all(axis=1) & (coded.codes < 0).all(axis=1)
    return codes, np.where(nothing, 0.0, certainty) if model.attributes else certainty


def episode_segments(model: SegmentModel, people: pd.DataFrame) -> pd.Series:
    """Give the segment of each episode, as at its own time: by the attributes that were recorded with it, and nothing that came later.

    Parameters
    ----------
    model : SegmentModel
    people : pandas.DataFrame
        PEOPLE: one row an episode.

    Returns
    -------
    pandas.Series
        The likeliest segment of each row, with its index. Nobody is "unclear" here: who is left out of the segments' counts would be
        missing from their total.

    Raises
    ------
    DataError
        Where an attribute is missing from the table.
    """
    _check(model, people)
    codes, _ = _nearest(model, encode(people, model.attributes))
    return pd.Series(np.array(model.labels, dtype=object)[codes], index=people.index, name="segment")


def nearest_share(model: SegmentModel, table: pd.DataFrame) -> dict[str, float]:
    """Give each segment's share of the people where everybody counts in the likeliest, as the pounds of `episode_segments` do.

    Parameters
    ----------
    model : SegmentModel
    table : pandas.DataFrame
        As for `assign_segments`.

    Returns
    -------
    dict of str to float
        Adds up to 1.

    Raises
    ------
    DataError
        Where an attribute or the id is missing from the table.
    """
    return {str(k): float(v) for k, v in episode_segments(model, first_rows(table)).value_counts(normalize=True).items()}


def unclear_note(members: pd.DataFrame, threshold: float) -> str:
    """Say how many are in no segment, and of how many of these nothing is known.

    Parameters
    ----------
    members : pandas.DataFrame
        segment, certainty.
    threshold : float
    """
    unclear, nothing = int((members["segment"] == UNCLEAR).sum()), int((members["certainty"] == 0).sum())
    told = f"Everybody is in a segment: nobody's certainty is below {threshold:g}."
    if unclear:
        share = share_words(unclear, len(members))
        told = f"Of all, {share} are 'unclear': their certainty is below {threshold:g}, so they are in no segment."
    return told if not nothing else f"{told} Of {share_words(nothing, len(members))} of all, nothing is known that the segments ask."


def _place(model: SegmentModel, coded: Coded) -> tuple[np.ndarray, np.ndarray]:
    """Give the place in `labels`, and the certainty to six places, of each row."""
    if model.method == "none":
        return np.zeros(len(coded), np.int64), np.ones(len(coded))
    arrays = {k: np.asarray(v, dtype=float) for k, v in model.parameters.items()}
    if model.bands is not None:
        coded = in_bands(coded, [np.asarray(b, dtype=float) for b in model.bands])
    densities = _by_component(coded, arrays) if "loadings" in arrays else _by_group(coded, arrays)
    stacked = np.round(np.column_stack(densities), 9)
    # Who fits nowhere (only HDBSCAN says so) is put into the nearest segment, but without certainty.
    inside = stacked[:, : len(model.labels)]
    top = inside.max(axis=1)
    # Summed from the smallest: the certainty does not depend on the order in which segments are listed.
    off = np.sort(stacked - top[:, None], axis=1)
    total = np.zeros(len(coded))
    for k in range(off.shape[1]):
        total += np.exp(np.minimum(np.ascontiguousarray(off[:, k]), 700.0))
    return inside.argmax(axis=1), np.round(1.0 / total, 6)


def _by_group(coded: Coded, p: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Log density of each latent class, or group of a Gaussian mixture: what is known counts, what is missing does not."""
    codes = [np.ascontiguousarray(coded.codes[:, j]) for j in range(coded.codes.shape[1])]
    numbers = _apart(coded, p) if "variances" in p else _together(coded, p)
    out = []
    for k, total in enumerate(numbers):
        at = 0
        for code, size in zip(codes, coded.sizes, strict=True):
            total += np.append(np.log(p["levels"][k, at : at + size]), 0.0)[code]
            at += size
        out.append(total)
    return out


def _together(coded: Coded, p: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Log weight of each group, and log density of numbers that go together within it."""
    covariances = p["covariances"] if "covariances" in p else p["covariance"][None]
    densities = in_order(coded.numbers, p["means"], covariances)
    return [np.log(weight) + density for weight, density in zip(p["weights"], densities, strict=True)]


def _apart(coded: Coded, p: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Log weight of each class, and log density of numbers that do not go together within it."""
    columns = [np.ascontiguousarray(coded.numbers[:, j]) for j in range(coded.numbers.shape[1])]
    out = []
    for weight, means, variances in zip(p["weights"], p["means"], p["variances"], strict=True):
        total = np.full(len(coded), np.log(weight))
        for x, mean, variance in zip(columns, means, variances, strict=True):
            total += np.where(np.isnan(x), 0.0, -0.5 * np.log(2 * np.pi * variance) - (x - mean) ** 2 / (2 * variance))
        out.append(total)
    return out


def _by_component(coded: Coded, p: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Log density of each group on the main components, whose scores are summed attribute by attribute."""
    loadings, shares = p["loadings"], p["shares"]
    scores = []
    for d in range(loadings.shape[1]):
        score = np.zeros(len(coded))
        for j in range(coded.numbers.shape[1]):
            score += np.where(np.isnan(x := np.ascontiguousarray(coded.numbers[:, j])), 0.0, x * loadings[j, d])
        at, first = 0, coded.numbers.shape[1]
        for j, size in enumerate(coded.sizes):
            indicator = (np.eye(size) - shares[at : at + size]) / np.sqrt(shares[at : at + size])
            value = [_in_order(row, loadings[first + at : first + at + size, d]) for row in indicator]
            score += np.append(value, 0.0)[np.ascontiguousarray(coded.codes[:, j])]
            at += size
        scores.append(score)
    groups = list(zip(p["means"], p["roots"], p["weights"], strict=True))
    if "nowhere_weight" in p:
        groups += list(zip(p["nowhere_mean"], p["nowhere_root"], p["nowhere_weight"], strict=True))
    return [_round_group(scores, mean, root, weight) for mean, root, weight in groups]


def _round_group(scores: Sequence[np.ndarray], mean: np.ndarray, root: np.ndarray, weight: float) -> np.ndarray:
    total = np.full(len(scores[0]), np.log(weight) + float(np.log(np.diag(root)).sum()))
    for e in range(len(scores)):
        y = np.zeros(len(total))
        for d in range(len(scores)):
            y += (scores[d] - mean[d]) * root[d, e]
        total -= 0.5 * y**2
    return total


def _in_order(a: np.ndarray, b: np.ndarray) -> float:
    total = 0.0
    for x, y in zip(a.tolist(), b.tolist(), strict=True):
        total += x * y
    return total
