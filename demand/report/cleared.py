"""What the public may read beside the figures: sentences and the account of the data, with counts of people as the policy has them.

In: a `ReportInput`. Out: the same, with its sentences cleared where the report is for the public. Refuses nothing. Tables of counts are
protected where they are shown; here stands what would otherwise leave as plain words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pandas as pd

from demand.disclosure import Policy, cleared_sentences, policy_named, strictest
from demand.disclosure.open_data import scores_table
from demand.report.inputs import ReportInput

__all__ = ["cleared"]

PER = 10_000
"""Rates beside other areas are per so many."""
LEFT_OUT = (
    "Left out for the public: what was counted at its price, beside the ledger or beside earlier budgets, years of which months are "
    "counted, and notes that tell pounds. At prices that are known they would tell the counts themselves."
)
YEARLY = ("totals", "budget", "cost", "risk", "sensitivity", "allocation", "segment_cost", "sweep")
"""Tables that tell a financial year whole, in people or pounds."""
PUBLIC = frozenset(
    (
        *("title", "run", "spec", "policy", "policies", "counted", "before", "quality", "notes", "track_record", "questions", "parts"),
        *("history", "forecast", "totals", "effects", "backtest", "backtest_sums", "explanation", "demand", "not_forecast", "events"),
        *("waterfall", "cost", "budget", "sensitivity", "risk", "mtfp", "bridge", "allocation", "sweep", "outturn", "unpriced"),
        *("segment_profile", "segment_use", "segment_equality", "segment_expected", "segment_transitions", "segment_cost"),
        *("segment_portraits", "segment_notes", "assumptions", "applied"),
    )
)
"""What a public report is made from: whatever else a run stores does not reach it. History and replays are shown as `may_show` has them."""
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
        notes=_notes(inputs.notes, rule),
        quality=None if inputs.quality is None else _quality(inputs.quality, rule),
    )
    return public if rule.opens else _without_exact_counts(public, rule)


def _notes(notes: tuple[str, ...], rule: Policy) -> tuple[str, ...]:
    """Clear the notes; of those that tell pounds some tell counts at their price, so none of them leaves."""
    if rule.opens:
        return notes
    kept = [n for n in notes if not re.search(r"£|\bGBP\b|\bpounds?\b", n)]
    told = [n if n.startswith(("driver", "combined: driver")) else cleared_sentences([n], rule)[0] for n in kept]
    return (*told, *([LEFT_OUT] if len(kept) < len(notes) else []))


def _without_exact_counts(inputs: ReportInput, rule: Policy) -> ReportInput:
    """Give tables that tell exact counts as they may be read; prices of few, and counts at their price, are not for the public.

    Nor is what a month's counts did to the cost, at prices that are known, nor our exact rate in a sentence. A count at its price is told
    by what past budgets would have needed, by the step from a year that was counted to one that is expected, and by a year of which months
    are counted, less the months ahead: all of these stay, in every table of pounds.
    """
    beside = inputs.comparators
    if beside is not None and not beside.empty:
        ours = beside["ours"].astype(bool).to_numpy()
        count = np.where(ours, [rule.rounded(n) for n in beside["count"]], beside["count"])
        told = beside.assign(count=count, rate=np.where(ours, PER * count / beside["population"], beside["rate"]))
        beside = None if rule.hides(beside.loc[ours, "count"].to_numpy()).any() else told
    gone: dict[str, Any] = {f.name: f.default for f in fields(inputs) if f.name not in PUBLIC}
    scores = None if inputs.backtest_summary is None else scores_table(inputs.backtest_summary, rule)
    kept = {"comparators": beside, "backtest_summary": scores, **_of_years_ahead(inputs), **_of_many(inputs, rule)}
    return replace(inputs, **(gone | kept))


def _of_many(inputs: ReportInput, rule: Policy) -> dict[str, Any]:
    """Give the evidence for the segments without what is told of few people."""
    people = 0 if inputs.segment_use is None else inputs.segment_use["people"].max()
    evidence, picture = inputs.segment_evidence, inputs.segment_clustergram
    if evidence is not None:
        shares = [c for c in ("smallest_share", "nowhere") if c in evidence]
        evidence = evidence.assign(**{c: evidence[c].mask(evidence[c] * people < rule.least_base) for c in shares})
    if picture is not None and (picture["share"] * people < rule.least_base).any():
        picture = None
    return {"segment_evidence": evidence, "segment_clustergram": picture}


def _of_years_ahead(inputs: ReportInput) -> dict[str, Any]:
    """Give the tables of financial years without those that hold counted months, and what is told of one year beside another likewise."""
    known = [t for t in (inputs.totals, inputs.budget, inputs.cost) if t is not None and "months_actual" in t]
    months = pd.concat([t[["financial_year", "months_actual"]] for t in known]) if known else pd.DataFrame(columns=["financial_year"])
    held = set(months.loc[_some_counted(months), "financial_year"].dropna().astype(str))
    out: dict[str, Any] = {}
    for name in YEARLY:
        table = getattr(inputs, name)
        if table is not None and "financial_year" in table:
            out[name] = table[~(table["financial_year"].astype(str).isin(held) | _some_counted(table))]
    ahead = set(months["financial_year"].dropna().astype(str)) - held
    if inputs.bridge is not None:
        out["bridge"] = inputs.bridge[inputs.bridge["from"].astype(str).isin(ahead)]
    if inputs.mtfp is not None:
        out["mtfp"] = inputs.mtfp[inputs.mtfp["financial_year"].astype(str).isin(sorted(ahead)[1:])]
    return {name: None if table.empty else table for name, table in out.items()}


def _some_counted(table: pd.DataFrame) -> np.ndarray:
    if "months_actual" not in table:
        return np.zeros(len(table), dtype=bool)
    return np.asarray(table["months_actual"].to_numpy(dtype=float, na_value=np.nan) > 0)


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
