"""What the public may read beside the figures: sentences and the account of the data, with counts of people as the policy has them.

In: a `ReportInput`. Out: the same, with its sentences cleared where the report is for the public. Refuses nothing. Tables of counts are
protected where they are shown; here stands what would otherwise leave as plain words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from demand.disclosure import Policy, cleared_sentences, policy_named
from demand.report.inputs import ReportInput

__all__ = ["cleared"]

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
    rule = policy_named(inputs.policy)
    return replace(
        inputs,
        segment_notes=cleared_sentences(inputs.segment_notes, rule),
        notes=tuple(n if n.startswith(("driver", "combined: driver")) else cleared_sentences([n], rule)[0] for n in inputs.notes),
        quality=None if inputs.quality is None else _quality(inputs.quality, rule),
        totals=None if inputs.totals is None else _years(inputs.totals, rule),
    )


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


def _years(totals: pd.DataFrame, rule: Policy) -> pd.DataFrame:
    """Round years that hold months already counted: less the months ahead, they would give the counts themselves."""
    if "months_actual" not in totals or rule.opens:
        return totals
    partly = totals["months_actual"].to_numpy(dtype=float, na_value=np.nan) > 0
    figures = [c for c in totals.columns if c == "mean" or str(c).startswith("q0.")]
    out = totals.copy()
    out[figures] = out[figures].astype(float)
    out.loc[partly, figures] = (out.loc[partly, figures] / rule.round_to).round() * rule.round_to
    return out
