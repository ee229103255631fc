"""The rules for small numbers, each with its source, and which of them a config takes for which table.

In: a policy's name. Out: the policy. Refuses names that it does not know.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from demand.errors import DisclosureError, Fault, did_you_mean
from demand.spec import Spec

__all__ = ["POLICIES", "DisclosureSpec", "Policy", "PolicyName", "policy_named", "strictest"]

PolicyName = Literal["wales", "wales_homelessness", "wales_children", "opensafely", "tre", "internal"]


class Policy(Spec):
    """A rule for small numbers."""

    name: str
    hide_below: int
    """Counts from 1 to one less than this are hidden."""
    round_to: int
    """All other counts are rounded to the nearest multiple of this; totals from their own exact value, not from rounded parts. 1 = exact:
    further counts are then hidden, so that no small one can be worked out from totals."""
    least_base: int
    """A share, mean or cost per head of fewer people than this is withheld."""
    hide_zero: bool = False
    """True where nobody is itself telling."""
    mark: str = "*"
    """What stands in place of a hidden count, be it small or hidden to protect a small one."""
    dominance: tuple[int, float] | None = None
    """An amount is withheld where so many contributors make more than this share of it (the (N, K) rule)."""
    p_percent: float | None = None
    """An amount is withheld where the second contributor could estimate the first to within this share (the p % rule)."""
    source: str = ""

    @property
    def opens(self) -> bool:
        """Say whether everything is shown as it is."""
        return self.hide_below <= 1 and self.round_to <= 1 and not self.hide_zero

    def hides(self, exact: np.ndarray) -> np.ndarray:
        """Say which counts are hidden because they are small."""
        return np.asarray((exact > 0) & (exact < self.hide_below) | ((exact == 0) & self.hide_zero))

    def rounded(self, count: float) -> int:
        """Round a count that is shown."""
        return int(math.floor(count / self.round_to + 0.5) * self.round_to)

    def told(self, shown: int) -> tuple[int, int]:
        """Give the least and the greatest count that a shown figure can stand for."""
        half = self.round_to / 2
        low, high = math.ceil(shown - half), math.ceil(shown + half) - 1
        if shown == 0:
            return 0, high if self.hide_below <= high else 0
        return max(low, self.hide_below, 1), high


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
        Policy(name="tre", hide_below=10, round_to=5, least_base=10, hide_zero=True, dominance=(2, 0.9), p_percent=0.1,
               source="SDAP handbook's rule of 10; ACRO's defaults: threshold 10, zeros disclosive, (2, 90 %), p = 10 %, rounded to 5"),
        Policy(name="internal", hide_below=0, round_to=1, least_base=0, source="Nothing is changed: for those who may see the records"),
    )
}  # fmt: skip


SAME_PEOPLE = {
    "counts": ("counts", "history"),
    "forecast": ("forecast", "totals"),
    "segments": ("segments", "segment_profile", "segment_equality", "segment_use", "segment_expected", "segment_transitions"),
}
"""Tables that tell of the same people: a count that is rounded in two ways, or hidden in one place alone, is told."""


class DisclosureSpec(Spec):
    """The `disclosure` part of a config."""

    policy: PolicyName = "wales"
    """The rule for small numbers in whatever leaves the council."""
    tables: dict[str, PolicyName] = Field(default_factory=dict)
    """Another rule for single tables, by their name without ending: {history: wales_homelessness, segments: tre}. Tables that tell of the
    same people (history and counts; all that is told of segments) take the strictest that is named for any of them."""

    @model_validator(mode="after")
    def _tables_that_there_are(self) -> DisclosureSpec:
        known = [name for group in SAME_PEOPLE.values() for name in group]
        if wrong := [name for name in self.tables if name not in known]:
            raise ValueError(f"tables: nothing that leaves is called '{wrong[0]}'. {did_you_mean(wrong[0], known)}")
        return self

    def of(self, table: str) -> Policy:
        """Give the policy of a table."""
        group = next((names for names in SAME_PEOPLE.values() if table in names), (table,))
        named = [POLICIES[self.tables[name]] for name in group if name in self.tables]
        return strictest(named) if named else POLICIES[self.policy]

    @property
    def strictest(self) -> Policy:
        """The policy for sentences, which may tell of anything."""
        return strictest([POLICIES[name] for name in (self.policy, *self.tables.values())])


def strictest(policies: Sequence[Policy]) -> Policy:
    """Give the policy that hides most, of those the one that rounds most."""
    return max(policies, key=lambda p: (p.hide_below, p.hide_zero, p.round_to))


def policy_named(policy: Policy | str) -> Policy:
    """Give a policy by its name, or as it is.

    Raises
    ------
    DisclosureError
        Where nobody knows it.
    """
    if isinstance(policy, Policy):
        return policy
    if policy not in POLICIES:
        raise DisclosureError(
            Fault(f"no disclosure policy '{policy}'", where="disclosure.policy", allowed=did_you_mean(str(policy), POLICIES))
        )
    return POLICIES[policy]
