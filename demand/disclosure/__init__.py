"""What may leave the building, and in what form: small numbers hidden, all others rounded, and the audit of what was written.

In: tables of observed counts, sentences, and a policy. Out: the same, fit to leave. Fails closed: what nobody declared does not leave.
"""

from demand.disclosure.additive import Relation, relations
from demand.disclosure.attack import ranges, recovered
from demand.disclosure.policies import POLICIES, DisclosureSpec, Policy, policy_named
from demand.disclosure.protect import dominated, protect, protect_profile
from demand.disclosure.sentences import cleared_sentences

__all__ = [
    "POLICIES",
    "DisclosureSpec",
    "Policy",
    "Relation",
    "cleared_sentences",
    "dominated",
    "policy_named",
    "protect",
    "protect_profile",
    "ranges",
    "recovered",
    "relations",
]
