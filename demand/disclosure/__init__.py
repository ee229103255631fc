"""What may leave the building, and in what form: small numbers hidden, all others rounded, and the audit of what was written.

In: tables of observed counts, sentences, and a policy. Out: the same, fit to leave. Fails closed: what nobody declared does not leave.
"""

from demand.disclosure.additive import Relation, relations
from demand.disclosure.attack import ranges, recovered, recovered_together
from demand.disclosure.people import protect_people, protect_profile
from demand.disclosure.policies import POLICIES, DisclosureSpec, Policy, policy_named, strictest
from demand.disclosure.protect import dominated, protect, protect_together
from demand.disclosure.sentences import cleared_sentences
from demand.disclosure.together import Leaving

__all__ = [
    "POLICIES",
    "DisclosureSpec",
    "Leaving",
    "Policy",
    "Relation",
    "cleared_sentences",
    "dominated",
    "policy_named",
    "protect",
    "protect_people",
    "protect_profile",
    "protect_together",
    "ranges",
    "recovered",
    "recovered_together",
    "relations",
    "strictest",
]
