"""The tables of people by segment: they tell of the same people, so they leave together.

In: the stored tables of a run, and a policy. Out: the same tables as they may leave. Refuses what `protect` refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from demand.disclosure.policies import Policy, policy_named
from demand.disclosure.protect import protect_together
from demand.disclosure.shares import made_anew
from demand.disclosure.together import Leaving, told_of

__all__ = ["leaving_people", "protect_people", "protect_profile"]

MONEY = ("cost", "cost_per_person", "cost_per_week", "share_of_cost")


def protect_people(
    tables: Mapping[str, pd.DataFrame], *, policy: Policy | str, earlier: Mapping[str, pd.DataFrame] | None = None
) -> dict[str, pd.DataFrame]:
    """Make the tables of people by segment fit to leave together.

    Parameters
    ----------
    tables : mapping
        segment_profile, segment_equality, segment_use, segment_expected, segment_transitions, as stored; those that there are.
    policy : Policy or str
    earlier : mapping, optional
        The same tables as they left before: nobody may learn a small number from the difference.

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
    out = protect_together(leaving_people(tables, earlier or {}), policy=rule)
    return out if rule.opens else {name: made_anew(name, table, tables[name], rule) for name, table in out.items()}


def leaving_people(tables: Mapping[str, pd.DataFrame], earlier: Mapping[str, pd.DataFrame] | None = None) -> dict[str, Leaving]:
    """Say who is counted in each of the tables.

    Parameters
    ----------
    tables : mapping
        As in `protect_people`.
    earlier : mapping, optional
        As in `protect_people`.

    Returns
    -------
    dict of Leaving
    """
    return {name: replace(WHO[name](table), earlier=(earlier or {}).get(name)) for name, table in tables.items()}


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
