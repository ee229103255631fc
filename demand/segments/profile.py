"""What each segment is like, against everybody.

In: the table that segments were found in, and the members. Out: the profile, one row a segment, feature and level, with intervals and
what is not known. Protected characteristics are always described, whether they were used or not.
A segment of fewer than ten is not described.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import NormalDist

import numpy as np
import pandas as pd

from demand.errors import DataError, Fault
from demand.segments.attributes import NOT_ATTRIBUTES, OTHER, Attribute, normal_text, read_attributes
from demand.segments.find import LEAST_PEOPLE, SegmentSpec
from demand.segments.model import first_rows, id_column

__all__ = ["COLUMNS", "profile", "wilson"]

COLUMNS = ["segment", "feature", "level", "people", "share_or_mean", "average", "index", "low", "high", "missing_share", "known",
           "segment_people", "used"]  # fmt: skip
SCORE = NormalDist().inv_cdf(0.975)


def profile(table: pd.DataFrame, members: pd.DataFrame, spec: SegmentSpec | None = None) -> pd.DataFrame:
    """Describe segments by their attributes, the protected ones too.

    Parameters
    ----------
    table : pandas.DataFrame
        People (the first episode counts) or places, with their attributes.
    members : pandas.DataFrame
        person_id, segment.
    spec : SegmentSpec, optional
        Says which features were listed, for the column `used`.

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
    columns = [str(c) for c in rows.columns if c not in NOT_ATTRIBUTES]
    chosen = None if spec.features == "auto" else list(spec.features)
    used = {a.name for a in read_attributes(rows, chosen).attributes}
    sizes = segment.value_counts()
    described = sorted(s for s, n in sizes.items() if n >= LEAST_PEOPLE)
    out: list[dict[str, object]] = []
    for attribute in read_attributes(rows, columns).attributes:
        text = normal_text(rows[attribute.name])
        for name in described:
            inside = (segment == name).to_numpy()
            common = {"segment": name, "feature": attribute.name, "missing_share": float(text[inside].isna().mean()),
                      "segment_people": int(inside.sum()), "used": attribute.name in used}  # fmt: skip
            described_rows = _numbers(text, inside) if attribute.kind in ("number", "banded") else _levels(text, inside, attribute)
            out += [common | row for row in described_rows]
    return pd.DataFrame(out, columns=COLUMNS)


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


def _numbers(text: pd.Series, inside: np.ndarray) -> Iterator[dict[str, object]]:
    x = pd.to_numeric(text, errors="coerce").to_numpy(dtype=float)
    everybody, own = x[~np.isnan(x)], x[inside & ~np.isnan(x)]
    if not len(own):
        return
    mean, average = float(own.mean()), float(everybody.mean())
    half = SCORE * float(own.std(ddof=1)) / np.sqrt(len(own)) if len(own) > 1 else np.nan
    yield {"level": "mean", "people": len(own), "share_or_mean": mean, "average": average, "index": _index(mean, average),
           "low": mean - half, "high": mean + half, "known": len(own)}  # fmt: skip


def _levels(text: pd.Series, inside: np.ndarray, attribute: Attribute) -> Iterator[dict[str, object]]:
    known = text.notna().to_numpy()
    shown = text.where(text.isin(attribute.levels) | text.isna(), OTHER)
    base = int((inside & known).sum())
    if not base:
        return
    for level in attribute.levels:
        has = (shown == level).to_numpy()
        people = int((has & inside).sum())
        share, average = people / base, float(has[known].mean())
        low, high = wilson(people, base)
        yield {"level": level, "people": people, "share_or_mean": share, "average": average, "index": _index(share, average), "low": low,
               "high": high, "known": base}  # fmt: skip
