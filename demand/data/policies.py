"""What is done about a finding: the council's own policies, by the name of the rule.

In: findings and faults, and `data.quality` of the config. Out: the same with the severities that the policies give them, and the rows that
are to be left out. Refuses names of rules that no gate has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field, field_validator

from demand.data.quality import Finding
from demand.errors import Fault, did_you_mean
from demand.spec import Spec

__all__ = ["LEAVES_OUT", "RULES", "QualitySpec", "leave_out", "settled"]

LEAVES_OUT = frozenset({
    "ended_before_started", "empty_cell", "shifted_row", "date_format", "not_a_number", "doubled_reference", "text_among_numbers",
    "duplicate_episode", "overlap", "later_than_extract", "implausible_day", "price_slip", "implausible_value", "forgotten",
    "postcode_unknown",
})  # fmt: skip
"""Rules that name rows, which can be left out."""
RULES = LEAVES_OUT | frozenset({
    "several_at_once", "next_day_move", "batch_day", "mixed_codes", "gss_code", "uprn", "ethnic_group", "lost_zeros", "lost_digits",
    "encoding", "damaged_letters", "sheets", "renamed_column", "column_drift", "sheets_left_out", "title_rows", "two_row_header",
    "blank_rows", "total_rows", "repeated_header", "footer", "blank_key", "far_future", "far_past", "suppressed", "suppressed_unknown",
    "marked_number", "codes_merged", "gap", "short_series", "ended_series", "all_zero", "spike", "incomplete_period", "stale",
    "undeclared_total", "empty_series", "late_month", "empty_month", "half_month", "assumed", "driver_mean", "later_vintage",
    "late_recording", "identifier", "uprn_padded", "system_change", "event_proposed", "ledger_total", "ledger_line", "ledger_gap",
    "turned_columns", "unit_row", "filled_down", "joined_date", "decimal_comma", "never_changed",
})  # fmt: skip
"""The rules that a policy can be given for."""


class QualitySpec(Spec):
    """What is done about what the gates find."""

    rules: dict[str, Literal["stop", "warn", "note", "off", "leave_out"]] = Field(default_factory=dict)
    """By the name of a rule: stop the run, warn, only note it, say nothing, or leave its rows out (and say so). What cannot be read stops
    unless its rows are left out."""
    quiet_days: int = Field(default=365, ge=1)
    """An open episode without activity for so many days is perhaps forgotten."""

    @field_validator("rules")
    @classmethod
    def _known(cls, rules: dict[str, str]) -> dict[str, str]:
        for rule, policy in rules.items():
            if rule not in RULES:
                raise ValueError(f"'{rule}' is not a rule. {did_you_mean(rule, sorted(RULES))}")
            if policy == "leave_out" and rule not in LEAVES_OUT:
                raise ValueError(f"'{rule}' names no rows that could be left out. {did_you_mean(rule, sorted(LEAVES_OUT))}")
        return rules


def leave_out(
    rows: np.ndarray, faults: Sequence[Fault], findings: Sequence[Finding], quality: QualitySpec
) -> tuple[np.ndarray, list[Fault], list[Finding]]:
    """Say which rows stay.

    Parameters
    ----------
    rows : numpy.ndarray
        Row numbers of the table.
    faults, findings : sequence of Fault, of Finding
    quality : QualitySpec

    Returns
    -------
    kept : numpy.ndarray
        bool, shape (rows,).
    faults : list of Fault
        Those that stand.
    findings : list of Finding
        With what was left out.
    """
    out = {rule for rule, policy in quality.rules.items() if policy == "leave_out"}
    told = [Finding.of_fault(f) for f in faults if f.rule in out and f.rows] + [f for f in findings if f.rule in out and f.rows]
    if not told:
        return np.ones(len(rows), dtype=bool), list(faults), list(findings)
    kept = ~pd.Index(rows).isin([r for f in told for r in f.rows])
    left = [replace(f, severity="warn", message=f"{f.message.rstrip('.')}. These rows are left out, as the config says") for f in told]
    return np.asarray(kept), [f for f in faults if not (f.rule in out and f.rows)], [*(f for f in findings if f not in told), *left]


def settled(findings: Iterable[Finding], quality: QualitySpec) -> list[Finding]:
    """Give findings the severities that the policies say; what is off is left away, and what cannot be read stops whatever they say."""
    given = []
    for finding in findings:
        policy = quality.rules.get(finding.rule)
        if policy == "off" and finding.severity != "stop":
            continue
        if policy in ("stop", "warn", "note") and finding.severity != "stop":
            finding = replace(finding, severity=policy)
        given.append(finding)
    return given
