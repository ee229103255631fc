"""Shares of people as they may leave: made anew from the counts that are shown, so that they tell nothing more than those.

In: a table of people by segment as it was stored, and the same with its counts hidden and rounded. Out: the latter with its shares, rates,
averages and intervals made from what it shows. Refuses nothing. An exact share of a rounded count would give the count itself: "0.77 % of
about 1,950" is 15 people and no other number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from demand.disclosure.policies import Policy
from demand.segments.profile import wilson

__all__ = ["made_anew", "significant"]

MEAN = "mean"
"""The level of a row that tells the average of a number."""


def significant(x: np.ndarray, figures: int = 2) -> np.ndarray:
    """Round to so many significant figures."""
    size = np.where((x == 0) | ~np.isfinite(x), 1.0, np.abs(x))
    unit = 10.0 ** (np.floor(np.log10(size)) - figures + 1)
    return np.asarray(np.round(x / unit) * unit)


def made_anew(name: str, out: pd.DataFrame, stored: pd.DataFrame, rule: Policy) -> pd.DataFrame:
    """Make the shares of a protected table anew from the counts that it shows.

    Parameters
    ----------
    name : str
        segment_profile, segment_equality, segment_use, segment_expected or segment_transitions.
    out : pandas.DataFrame
        With counts hidden and rounded; figures of few are NaN and stay so.
    stored : pandas.DataFrame
        The same rows with exact counts: a share that stands for few people is withheld.
    rule : Policy

    Returns
    -------
    pandas.DataFrame
    """
    return ANEW[name](out, stored, rule)


def _told(out: pd.DataFrame, column: str) -> np.ndarray:
    return np.asarray(pd.to_numeric(out[column], errors="coerce").to_numpy(dtype=float))


def _set(out: pd.DataFrame, column: str, values: np.ndarray) -> None:
    """Give a column its new figures; what is withheld stays withheld."""
    if column in out:
        out[column] = np.where(out[column].isna(), np.nan, values)


def _profile(out: pd.DataFrame, _stored: pd.DataFrame, rule: Policy) -> pd.DataFrame:
    known, people = _told(out, "known"), _told(out, "segment_people")
    if "missing_share" in out:
        missing = 1 - np.minimum(known / np.where(people > 0, people, np.nan), 1)
        _set(out, "missing_share", np.round(missing, 3))
    return _levels(out, rule, of="feature", share="share_or_mean")


def _equality(out: pd.DataFrame, _stored: pd.DataFrame, rule: Policy) -> pd.DataFrame:
    return _levels(out, rule, of="column" if "column" in out else "characteristic", share="share")


def _levels(out: pd.DataFrame, rule: Policy, *, of: str, share: str) -> pd.DataFrame:
    """Make the share of each answer anew, in its segment and in all; averages of numbers stay."""
    people, known = _told(out, "people"), _told(out, "known")
    middle = rule.hide_below / 2
    told = pd.DataFrame({"of": out[of].to_numpy(), "level": out["level"].astype(str).to_numpy(), "people": people, "known": known})
    sums = told.fillna({"people": middle, "known": middle}).groupby(["of", "level"])[["people", "known"]].transform("sum")
    average = np.minimum(sums["people"].to_numpy() / np.maximum(sums["known"].to_numpy(), 1), 1.0)
    for i in np.flatnonzero((out["level"].astype(str) != MEAN).to_numpy()):
        at = out.index[i]
        if np.isnan(out[share].iloc[i]) or np.isnan(people[i]) or np.isnan(known[i]) or not known[i]:
            out.loc[at, [c for c in (share, "average", "low", "high", "index") if c in out]] = np.nan
            continue
        own = min(people[i] / known[i], 1.0)
        out.loc[at, [share, "average", "low", "high"]] = np.round([own, average[i], *wilson(min(people[i], known[i]), known[i])], 3)
        if "index" in out:
            out.loc[at, "index"] = round(100 * own / average[i]) if average[i] > 0 else np.nan
    return out


def _use(out: pd.DataFrame, stored: pd.DataFrame, rule: Policy) -> pd.DataFrame:
    people, all_of = _told(out, "people"), out["segment"].astype(str).to_numpy() == "everybody"
    everybody = float(people[all_of][0]) if all_of.any() and people[all_of][0] > 0 else np.nan
    if "nearest_share" in out:
        exact = float(stored["people"].astype(float)[all_of].sum()) if all_of.any() else np.nan
        _set(out, "nearest_share", _share(stored["nearest_share"], np.full(len(out), exact), np.full(len(out), everybody), rule))
    for column, of in {"repeat_share": "people", "back_within_year": "people", "priced_share": "episodes"}.items():
        if column in out and of in out:
            _set(out, column, _share(stored[column], stored[of].to_numpy(dtype=float), _told(out, of), rule))
    _set(out, "share_of_people", np.round(np.minimum(people / everybody, 1.0), 3))
    base = np.where(people > 0, people, np.nan)
    if "episodes" in out:
        _set(out, "episodes_per_person", significant(_told(out, "episodes") / base))
    if "cost" in out:
        cost = out["cost"].to_numpy(dtype=float)
        whole = float(cost[all_of][0]) if all_of.any() else np.nan
        _set(out, "cost_per_person", significant(cost / base))
        _set(out, "share_of_cost", np.round(np.minimum(cost / whole, 1.0), 3) if whole > 0 else np.full(len(out), np.nan))
    return out


def _share(share: pd.Series, exact: np.ndarray, shown: np.ndarray, rule: Policy) -> np.ndarray:
    """Give the share of a rounded part in a rounded whole; none where the part, or what is left of the whole, is few."""
    part = np.rint(share.to_numpy(dtype=float) * exact)
    known = np.isfinite(part) & np.isfinite(shown) & (shown > 0)
    few = rule.hides(np.where(known, part, 0)) | rule.hides(np.where(known, exact - part, 0))
    rounded = np.array([rule.rounded(p) if k else np.nan for p, k in zip(part, known, strict=True)])
    return np.where(known & ~few, np.round(np.minimum(rounded / np.where(known, shown, 1), 1.0), 3), np.nan)


def _expected(out: pd.DataFrame, _stored: pd.DataFrame, _rule: Policy) -> pd.DataFrame:
    _set(out, "expected", significant(_told(out, "people") * out["per_person"].to_numpy(dtype=float)))
    return out


def _transitions(out: pd.DataFrame, _stored: pd.DataFrame, _rule: Policy) -> pd.DataFrame:
    people, of = _told(out, "people"), _told(out, "of")
    both: Sequence[tuple[float, float]] = [(min(p, n), n) if n > 0 else (np.nan, np.nan) for p, n in zip(people, of, strict=True)]
    ends = np.array([wilson(p, n) if n > 0 else (np.nan, np.nan) for p, n in both]).reshape(len(out), 2)
    _set(out, "rate", np.round([p / n for p, n in both], 3))
    _set(out, "low", np.round(ends[:, 0], 3))
    _set(out, "high", np.round(ends[:, 1], 3))
    return out


ANEW: dict[str, Callable[[pd.DataFrame, pd.DataFrame, Policy], pd.DataFrame]] = {
    "segment_profile": _profile,
    "segment_equality": _equality,
    "segment_use": _use,
    "segment_expected": _expected,
    "segment_transitions": _transitions,
}
