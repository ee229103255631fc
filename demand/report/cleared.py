"""What the public may read beside the figures: sentences and the account of the data, with counts of people as the policy has them.

In: a `ReportInput`. Out: the same, with its sentences cleared where the report is for the public. Refuses nothing. Tables of counts are
protected where they are shown; here stands what would otherwise leave as plain words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from demand.disclosure import Policy, cleared_sentences, policy_named, strictest
from demand.report.inputs import ReportInput

__all__ = ["cleared"]

PER = 10_000
"""Rates beside other areas are per so many."""
COUNTED = ("people", "rows_of_people", "rows")
"""What quality.json counts of people."""


def cleared(inputs: ReportInput) -> ReportInput:
    """Clear the sentences of a public report.

    Parameters
    ----------
    inputs : ReportInput

    Returns
    -------
    ReportInput
        As it was, where the report is for the council.
    """
    if inputs.spec.audience != "public":
        return inputs
    rule = strictest([policy_named(name) for name in (inputs.policy, *inputs.policies.values())])
    public = replace(
        inputs,
        segment_notes=cleared_sentences(inputs.segment_notes, rule),
        notes=tuple(n if n.startswith(("driver", "combined: driver")) else cleared_sentences([n], rule)[0] for n in inputs.notes),
        quality=None if inputs.quality is None else _quality(inputs.quality, rule),
    )
    return public if rule.opens else _without_exact_counts(public, rule)


def _without_exact_counts(inputs: ReportInput, rule: Policy) -> ReportInput:
    """Give tables that tell exact counts as they may be read; prices of few, and counts at their price, are not for the public.

    Nor is what a month's counts did to the cost, at prices that are known, nor our exact rate in a sentence.
    """
    totals, beside = inputs.totals, inputs.comparators
    if totals is not None and "months_actual" in totals:  # less the months ahead, such a year would give the counts of the others
        totals = totals[~(totals["months_actual"].to_numpy(dtype=float, na_value=np.nan) > 0)]
    if beside is not None and not beside.empty:
        ours = beside["ours"].astype(bool).to_numpy()
        count = np.where(ours, [rule.rounded(n) for n in beside["count"]], beside["count"])
        told = beside.assign(count=count, rate=np.where(ours, PER * count / beside["population"], beside["rate"]))
        beside = None if rule.hides(beside.loc[ours, "count"].to_numpy()).any() else told
    gone: dict[str, Any] = {
        "start_prices": None,
        "finance_periods": None,
        "reconciliation": None,
        "moved": None,
        "said": None,
        "moved_notes": (),
        "comparator_notes": (),
    }
    return replace(inputs, totals=totals, comparators=beside, **gone)


def _quality(quality: Mapping[str, Any], rule: Policy) -> dict[str, Any]:
    """Round what was read, and tell findings without their counts and rows."""
    about = dict(quality.get("about") or {})
    for name in COUNTED:
        if isinstance(about.get(name), int):
            about[name] = rule.mark if about[name] < rule.hide_below else rule.rounded(about[name])
    findings = [
        {k: cleared_sentences([v], rule)[0] if isinstance(v, str) else v for k, v in dict(f).items() if k not in ("count", "rows")}
        for f in quality.get("findings") or []
    ]
    return {"verdict": quality.get("verdict"), "about": about, "findings": findings}
