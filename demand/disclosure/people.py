"""The tables of people by segment: they tell of the same people, so they leave together.

In: the stored tables of a run, and a policy. Out: the same tables as they may leave. Refuses what `protect` refuses.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from demand.disclosure.policies import Policy, policy_named
from demand.disclosure.protect import protect_together
from demand.disclosure.together import Leaving, told_of
from demand.segments.profile import wilson

__all__ = ["leaving_people", "protect_people", "protect_profile"]

MONEY = ("cost", "cost_per_person", "cost_per_week", "share_of_cost")


def protect_people(tables: Mapping[str, pd.DataFrame], *, policy: Policy | str) -> dict[str, pd.DataFrame]:
    """Make the tables of people by segment fit to leave together.

    Parameters
    ----------
    tables : mapping
        segment_profile, segment_equality, segment_use, segment_expected, segment_transitions, as stored; those that there are.
    policy : Policy or str

    Returns
    -------
    dict of pandas.DataFrame
        Under the same names.

    Raises
    ------
    DisclosureError
        As `protect`.
    """
    rule = policy_named(policy)
    out = protect_together(leaving_people(tables), policy=rule)
    if "segment_profile" in out and not rule.opens:
        out["segment_profile"] = _shares_of_rounded(out["segment_profile"])
    return out


def leaving_people(tables: Mapping[str, pd.DataFrame]) -> dict[str, Leaving]:
    """Say who is counted in each of the tables.

    Parameters
    ----------
    tables : mapping
        As in `protect_people`.

    Returns
    -------
    dict of Leaving
    """
    return {name: WHO[name](table) for name, table in tables.items()}


def protect_profile(profile: pd.DataFrame, *, policy: Policy | str) -> pd.DataFrame:
    """Make a profile of segments fit to leave: shares, indexes and intervals are made anew from the rounded counts.

    Parameters
    ----------
    profile : pandas.DataFrame
        As `demand.segments.profile.profile` gives it.
    policy : Policy or str

    Returns
    -------
    pandas.DataFrame
        The same columns; where too few stand behind a row, its figures are withheld.

    Raises
    ------
    DisclosureError
        As `protect`.
    """
    return protect_people({"segment_profile": profile}, policy=policy)["segment_profile"]


def _profile(profile: pd.DataFrame) -> Leaving:
    """Say what the counts of a profile are of: those of a segment, those of them of whom an answer is known, and those who gave it."""
    counts = {"people": ("segment", "feature", "level"), "known": ("segment", "feature"), "segment_people": ("segment",)}
    values = [c for c in ("share_or_mean", "average", "index", "low", "high", "missing_share") if c in profile.columns]
    who = {count: told_of(profile, {k: k for k in keys}) for count, keys in counts.items()}
    return Leaving(profile, list(counts), values, [c for c in ("used",) if c in profile.columns], who=who)


def _equality(table: pd.DataFrame) -> Leaving:
    """The same people as in a profile, by a characteristic in place of a feature."""
    feature = "column" if "column" in table else "characteristic"
    keys = {"people": {"segment": "segment", "feature": feature, "level": "level"}, "known": {"segment": "segment", "feature": feature}}
    kept = table.drop(columns=[c for c in ("segment_people", "index", "missing_share") if c in table])
    who = {count: told_of(table, of) for count, of in keys.items()}
    return Leaving(kept, list(keys), [c for c in ("share", "average", "low", "high") if c in kept], ["differs"], who=who)


def _use(table: pd.DataFrame) -> Leaving:
    counts = [c for c in ("people", "episodes", "open_now") if c in table]
    values = [str(c) for c in table.columns if c not in (*counts, "segment")]
    return Leaving(
        table, counts, values, amounts={c: None for c in MONEY if c in values}, who={"people": told_of(table, {"segment": "segment"})}
    )


def _expected(table: pd.DataFrame) -> Leaving:
    """Those whose next year is expected: by segment, and by segment and the value of a key."""
    who = [
        frozenset({("of", "expected"), ("segment", str(r.segment)), *([] if r.by == "segment" else [(str(r.by), str(r.level))])})
        for r in table.itertuples()
    ]
    return Leaving(table, ["people"], ["expected", "per_person"], who={"people": who})


def _transitions(table: pd.DataFrame) -> Leaving:
    who = {
        "people": told_of(table, {"from": "from", "to": "to"}, of="moved"),
        "of": told_of(table, {"from": "from"}, of="moved"),
    }
    return Leaving(table, list(who), ["rate", "low", "high"], who=who)


WHO = {
    "segment_profile": _profile,
    "segment_equality": _equality,
    "segment_use": _use,
    "segment_expected": _expected,
    "segment_transitions": _transitions,
}


def _shares_of_rounded(out: pd.DataFrame) -> pd.DataFrame:
    """Make shares, indexes and intervals of a protected profile anew from its rounded counts."""
    told = {c: pd.to_numeric(out[c], errors="coerce").to_numpy(dtype=float) for c in ("people", "known", "segment_people")}
    if "missing_share" in out:
        missing = 1 - np.minimum(told["known"] / np.where(told["segment_people"] > 0, told["segment_people"], np.nan), 1)
        out["missing_share"] = np.where(out["missing_share"].isna(), np.nan, np.round(missing, 3))
    for i in np.flatnonzero((out["level"] != "mean").to_numpy()):
        people, known, at = told["people"][i], told["known"][i], out.index[i]
        if np.isnan(people) or np.isnan(known) or not known or np.isnan(out["share_or_mean"].iloc[i]):
            continue
        share, average = min(people / known, 1.0), float(out["average"].iloc[i])
        low, high = wilson(min(people, known), known)
        out.loc[at, ["share_or_mean", "low", "high"]] = np.round([share, low, high], 3)
        out.loc[at, "index"] = round(100 * share / average) if average > 0 else np.nan
    return out
