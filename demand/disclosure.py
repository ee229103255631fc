"""Small numbers: what may leave the building, and in what form.

In: a table of observed counts and what is said of those counted, and a policy. Out: the table with small counts hidden, all others rounded,
and shares, means and costs withheld where too few stand behind them. Fails closed: a number that nobody declared, a column of persons, or a
policy that is not known is an error, never a way through.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from demand.errors import DisclosureError, Fault, did_you_mean, listed, raise_all
from demand.segments.profile import wilson
from demand.spec import Spec

__all__ = ["POLICIES", "DisclosureSpec", "Policy", "protect", "protect_profile"]

PERSONS = ("person_id", "episode_id")


class Policy(Spec):
    """A rule for small numbers."""

    name: str
    hide_below: int
    """Counts from 1 to one less than this are hidden."""
    round_to: int
    """All other counts are rounded to the nearest multiple of this; totals from their own exact value, not from rounded parts."""
    least_base: int
    """A share, mean or cost per head of fewer people than this is withheld."""
    hide_zero: bool = False
    """True where nobody is itself telling."""
    mark: str = "*"
    """What stands in place of a hidden count."""
    source: str = ""


POLICIES = {
    p.name: p
    for p in (
        Policy(name="wales", hide_below=5, round_to=5, least_base=10, source="StatsWales: 1 to 4 hidden, rounded to the nearest 5"),
        Policy(name="wales_homelessness", hide_below=3, round_to=3, least_base=10,
               source="Welsh Government homelessness statistics: below 3 hidden, rounded to the nearest 3"),
        Policy(name="wales_children", hide_below=5, round_to=5, least_base=10, mark="[c]",
               source="StatsWales, children looked after: rounded to the nearest 5, [c] where disclosive"),
        Policy(name="opensafely", hide_below=8, round_to=5, least_base=10,
            source="OpenSAFELY output checks: 7 or fewer hidden, rest rounded to 5"),
        Policy(name="tre", hide_below=10, round_to=5, least_base=10, hide_zero=True,
               source="SDAP handbook's rule of 10; ACRO's defaults: threshold 10, zeros disclosive, rounded to 5"),
        Policy(name="internal", hide_below=0, round_to=1, least_base=0, source="Nothing is changed: for those who may see the records"),
    )
}  # fmt: skip


class DisclosureSpec(Spec):
    """The `disclosure` part of a config."""

    policy: Literal["wales", "wales_homelessness", "wales_children", "opensafely", "tre", "internal"] = "wales"
    """The rule for small numbers in whatever leaves the council."""


def protect(
    table: pd.DataFrame, *, counts: Sequence[str], policy: Policy | str, values: Sequence[str] = (), plain: Sequence[str] = ()
) -> pd.DataFrame:
    """Make a table of observed counts fit to leave.

    Parameters
    ----------
    table : pandas.DataFrame
        Counts of people, what is said of those counted, and keys (text or dates).
    counts : sequence of str
        The columns that count people.
    policy : Policy or str
        One of `POLICIES`, by name or itself.
    values : sequence of str
        Columns that describe those whom the row counts (shares, means, costs): withheld where any count of the row is hidden or below the
        least base, else rounded to two significant figures.
    plain : sequence of str
        Columns of numbers that tell of nobody: years, prices, budgets.

    Returns
    -------
    pandas.DataFrame
        Counts as whole numbers or the policy's mark; withheld values are NaN. `attrs["disclosure"]` says the policy and how many cells were
        hidden and withheld.

    Raises
    ------
    DisclosureError
        Where the policy is not known, a column is missing or of persons, a number was not declared, or a count is not a whole number.

    Examples
    --------
    >>> table = pd.DataFrame({"area": ["Harbour", "Castle"], "people": [3, 128]})
    >>> protect(table, counts=["people"], policy="wales")["people"].tolist()
    ['*', 130]
    """
    rule = _policy(policy)
    _check(table, counts, values, plain)
    out = table.copy()
    if rule.name == "internal":
        return _stamped(out, rule, 0, 0)
    exact = table[list(counts)].apply(pd.to_numeric).to_numpy(dtype=float)
    small = (exact > 0) & (exact < rule.hide_below) | ((exact == 0) & rule.hide_zero)
    for j, column in enumerate(counts):
        out[column] = [_shown(n, s, rule) for n, s in zip(exact[:, j], small[:, j], strict=True)]
    thin = small.any(axis=1) | ~(exact >= rule.least_base).all(axis=1)
    for column in values:
        number = pd.to_numeric(table[column]).to_numpy(dtype=float)
        out[column] = np.where(thin, np.nan, _significant(number))
    return _stamped(out, rule, int(small.sum()), int(thin.sum()) * len(values))


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
    rule, counts = _policy(policy), ["people", "known", "segment_people"]
    values = ["share_or_mean", "average", "index", "low", "high", "missing_share"]
    flags = [c for c in ("used",) if c in profile.columns]
    out = protect(profile, counts=counts, policy=rule, values=values, plain=flags)
    if rule.name == "internal":
        return out
    for i in np.flatnonzero((profile["level"] != "mean").to_numpy()):
        people, known = out["people"].iloc[i], out["known"].iloc[i]
        at = out.index[i]
        if isinstance(people, str) or isinstance(known, str) or not known or np.isnan(out["share_or_mean"].iloc[i]):
            continue
        share, average = min(people / known, 1.0), float(out["average"].iloc[i])
        low, high = wilson(min(people, known), known)
        out.loc[at, ["share_or_mean", "low", "high"]] = np.round([share, low, high], 3)
        out.loc[at, "index"] = round(100 * share / average) if average > 0 else np.nan
    return out


def _policy(policy: Policy | str) -> Policy:
    if isinstance(policy, Policy):
        return policy
    if policy not in POLICIES:
        raise DisclosureError(
            Fault(f"no disclosure policy '{policy}'", where="disclosure.policy", allowed=did_you_mean(str(policy), POLICIES))
        )
    return POLICIES[policy]


def _check(table: pd.DataFrame, counts: Sequence[str], values: Sequence[str], plain: Sequence[str]) -> None:
    """Collect all that stands against letting the table go."""
    declared = [*counts, *values, *plain]
    columns = [str(c) for c in table.columns]
    faults = [Fault(f"no column '{c}'", allowed=did_you_mean(c, columns)) for c in declared if c not in columns]
    faults += [Fault(f"'{c}' tells of single persons", do_next="Count people before the table leaves") for c in PERSONS if c in columns]
    loose = [c for c in columns if c not in declared and _numeric(table[c])]
    if loose:
        faults.append(Fault(f"nobody said what the numbers in {listed(loose)} are", allowed="Each column of numbers is declared",
                            do_next="Name them in counts, in values or in plain"))  # fmt: skip
    for c in counts:
        if c in columns:
            number = pd.to_numeric(table[c], errors="coerce").to_numpy(dtype=float)
            if ((number < 0) | (number % 1 != 0)).any():
                faults.append(Fault(f"'{c}' holds counts that are missing, negative or not whole", allowed="Observed counts: 0, 1, 2...",
                                    do_next="Forecasts and expected values are estimates: declare them as plain"))  # fmt: skip
    raise_all(faults, DisclosureError, during="protecting small numbers")


def _numeric(column: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(column):
        return True
    return bool(column.dtype == object and column.dropna().map(lambda v: isinstance(v, int | float | np.number)).any())


def _shown(count: float, small: bool, rule: Policy) -> int | str:
    return rule.mark if small else int(np.floor(count / rule.round_to + 0.5) * rule.round_to)


def _significant(x: np.ndarray, figures: int = 2) -> np.ndarray:
    size = np.where((x == 0) | ~np.isfinite(x), 1.0, np.abs(x))
    unit = 10.0 ** (np.floor(np.log10(size)) - figures + 1)
    return np.asarray(np.round(x / unit) * unit)


def _stamped(table: pd.DataFrame, rule: Policy, hidden: int, withheld: int) -> pd.DataFrame:
    table.attrs["disclosure"] = {"policy": rule.name, "rule": rule.source, "cells_hidden": hidden, "figures_withheld": withheld}
    return table
