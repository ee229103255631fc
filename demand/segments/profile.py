"""What each segment is like, against everybody.

In: the table that segments were found in, and the members. Out: the profile, one row a segment, feature and level, with intervals and
what is not known. Protected characteristics are always described, whether they were used or not.
A segment of fewer than ten is not described.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import pandas as pd

from demand.errors import DataError, Fault
from demand.segments.attributes import KEYS, NOT_ATTRIBUTES, OTHER, Attribute, normal_text, numbers_of, read_attributes
from demand.segments.find import LEAST_PEOPLE, SegmentSpec
from demand.segments.model import first_rows, id_column
from demand.segments.protected import protected

__all__ = ["COLUMNS", "profile", "wilson"]

COLUMNS = ["segment", "feature", "level", "people", "share_or_mean", "average", "index", "low", "high", "missing_share", "known",
           "segment_people", "used"]  # fmt: skip
SCORE = NormalDist().inv_cdf(0.975)


def profile(
    table: pd.DataFrame, members: pd.DataFrame, spec: SegmentSpec | None = None, *, used: Sequence[Attribute] | None = None
) -> pd.DataFrame:
    """Describe segments by their attributes, the protected ones too.

    Parameters
    ----------
    table : pandas.DataFrame
        People (the first episode counts) or places, with their attributes.
    members : pandas.DataFrame
        person_id, segment.
    spec : SegmentSpec, optional
        Says which features were listed, for the column `used`.
    used : sequence of Attribute, optional
        Those that found the segments (`model.attributes`): they are described by the levels of the rules, also in a later extract.

    Returns
    -------
    pandas.DataFrame
        segment, feature, level ("mean" for numbers), people (in the segment, with this level; for a mean, whose value is known),
        share_or_mean (of those known), average (of everybody known), index (100 = average), low and high (95 %), missing_share (of the
        segment), known (people in the segment whose value is known), segment_people, used (to find the segments).

    Raises
    ------
    DataError
        Where a person of the table is not among the members.

    References
    ----------
    Intervals of shares: Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. JASA 22, 209-212.
    """
    spec = spec or SegmentSpec()
    rows = first_rows(table)
    segment = rows[id_column(rows)].astype(str).map(members.set_index("person_id")["segment"])
    if segment.isna().any():
        raise DataError(
            Fault(f"{int(segment.isna().sum())} people of the table are in no segment", do_next="Put them into the segments first")
        )
    names, inside = np.unique(segment.to_numpy().astype(str), return_inverse=True)
    sizes = np.bincount(inside, minlength=len(names))
    described = [k for k, size in enumerate(sizes) if size >= LEAST_PEOPLE]
    out: list[dict[str, object]] = []
    for attribute, mark in _attributes(rows, spec, used):
        text = normal_text(rows[attribute.name])
        gaps = np.bincount(inside[text.isna().to_numpy()], minlength=len(names)) / sizes
        count = _numbers if attribute.kind in ("number", "banded") else _levels
        counted = count(text, inside, len(names), attribute)
        for k in described:
            common = {"segment": names[k], "feature": attribute.name, "missing_share": float(gaps[k]), "segment_people": int(sizes[k]),
                      "used": mark}  # fmt: skip
            out += [common | row for row in counted[k]]
    return pd.DataFrame(out, columns=COLUMNS)


def _attributes(rows: pd.DataFrame, spec: SegmentSpec, used: Sequence[Attribute] | None) -> list[tuple[Attribute, bool]]:
    """Give every column that can be described, in the order of the table, and whether it found the segments."""
    columns = [str(c) for c in rows.columns if c not in NOT_ATTRIBUTES]
    if used is None:
        chosen = None if spec.features == "auto" else set(spec.features)
        return [(a, a.name in chosen if chosen is not None else a.name not in KEYS and protected(a.name) is None)
                for a in read_attributes(rows, columns).attributes]  # fmt: skip
    known = {a.name: a for a in used if a.name in columns}
    others = {a.name: a for a in read_attributes(rows, [c for c in columns if c not in known]).attributes}
    return [(known.get(c) or others[c], c in known) for c in columns if c in known or c in others]


def wilson(part: float, whole: float) -> tuple[float, float]:
    """Give the 95 % interval of a share.

    Examples
    --------
    >>> [round(x, 3) for x in wilson(5, 50)]
    [0.043, 0.214]
    """
    if whole <= 0:
        return np.nan, np.nan
    share, squared = part / whole, SCORE**2
    centre = (share + squared / (2 * whole)) / (1 + squared / whole)
    half = SCORE * np.sqrt(share * (1 - share) / whole + squared / (4 * whole**2)) / (1 + squared / whole)
    return max(float(centre - half), 0.0), min(float(centre + half), 1.0)


def _index(value: float, average: float) -> float:
    return 100 * value / average if average > 0 and value >= 0 else np.nan


def _numbers(text: pd.Series, inside: np.ndarray, segments: int, _attribute: Attribute) -> list[list[dict[str, object]]]:
    """Give the mean of each segment against that of everybody."""
    x, _ = numbers_of(text)
    known = ~np.isnan(x)
    average = float(x[known].mean()) if known.any() else np.nan
    out: list[list[dict[str, object]]] = []
    for k in range(segments):
        own = x[known & (inside == k)]
        mean = float(own.mean()) if len(own) else np.nan
        half = SCORE * float(own.std(ddof=1)) / np.sqrt(len(own)) if len(own) > 1 else np.nan
        row: dict[str, object] = {"level": "mean", "people": len(own), "share_or_mean": mean, "average": average,
               "index": _index(mean, average), "low": mean - half, "high": mean + half, "known": len(own)}  # fmt: skip
        out.append([row] if len(own) else [])
    return out


def _levels(text: pd.Series, inside: np.ndarray, segments: int, attribute: Attribute) -> list[list[dict[str, object]]]:
    """Give the share of each level in each segment against that of everybody."""
    place = {level: i for i, level in enumerate(attribute.levels)}
    levels = [*attribute.levels] if OTHER in place else [*attribute.levels, OTHER]
    code = text.map(place).fillna(levels.index(OTHER)).to_numpy(dtype=np.int64)  # what has no level of its own is another one
    known = text.notna().to_numpy()
    table = np.bincount(inside[known] * len(levels) + code[known], minlength=segments * len(levels)).reshape(segments, len(levels))
    shares, bases = table.sum(axis=0) / max(int(table.sum()), 1), table.sum(axis=1)
    out: list[list[dict[str, object]]] = []
    for k in range(segments):
        rows: list[dict[str, object]] = []
        for i, level in enumerate(attribute.levels if bases[k] else ()):
            people, base, average = int(table[k, i]), int(bases[k]), float(shares[i])
            low, high = wilson(people, base)
            rows.append({"level": level, "people": people, "share_or_mean": people / base, "average": average,
                         "index": _index(people / base, average), "low": low, "high": high, "known": base})  # fmt: skip
        out.append(rows)
    return out
