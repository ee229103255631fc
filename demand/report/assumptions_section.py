"""The page of the ledger: every number that somebody answers for, and what finance changed in the workbook.

In: a `ReportInput`. Out: a `Section`, or None where the run has no ledger. Refuses nothing.
"""

from __future__ import annotations

import pandas as pd

from demand.languages import message, say, say_many
from demand.report import units, words
from demand.report.inputs import PAST_REVIEW, PLACEHOLDER, ReportInput
from demand.report.parts import Block, Figure, Section, Table, table_of

__all__ = ["assumptions_section"]


def assumptions_section(inputs: ReportInput) -> Section | None:
    """List every number that somebody answers for; placeholders first."""
    table = inputs.assumptions
    if table is None or table.empty:
        return None
    frame = table.copy()
    hollow = frame["placeholder"].astype(bool) if "placeholder" in frame else pd.Series(False, index=frame.index)
    old = frame["overdue"].astype(bool) if "overdue" in frame else pd.Series(False, index=frame.index)
    standing = [PLACEHOLDER if h else PAST_REVIEW if o else message("Sourced") for h, o in zip(hollow, old, strict=True)]
    frame = frame.assign(standing=[say(s) for s in standing], order=~hollow & ~old).sort_values("order", kind="stable")
    frame["name"] = [words.capital(words.label(n, inputs.spec.names)) for n in frame["name"]]
    for column in ("value", "low", "high"):
        frame[column] = [units.amount(float(v), str(u)) for v, u in zip(frame[column], table.loc[frame.index, "unit"], strict=True)]
    frame["unit"] = [units.unit(u) for u in frame["unit"]]
    frame["as_of"] = [words.day(d) if pd.notna(d) else "" for d in frame["as_of"]]
    names = {
        "standing": "Standing",
        "name": "Assumption",
        "value": "Value",
        "low": "Low",
        "high": "High",
        "unit": "Unit",
        "source": "Source",
        "as_of": "As of",
        "owner": "Answers for it",
        "used_in": "Used in",
    }
    parts: list[Table | Figure | Block] = []
    parts += _warnings(int(hollow.sum()), int(old.sum()))
    parts += _edited(inputs)
    parts.append(
        table_of(
            frame,
            say("The ledger of assumptions"),
            names=names,
            formats={},
            note=say("Low to high: 4 times in 5 the truth is expected inside."),
        )
    )
    return Section(
        "assumptions",
        say("Assumptions"),
        tuple(parts),
        say("Every number that was given to the forecast and not found in the data."),
        mark=inputs.marked(),
    )


def _warnings(hollow: int, old: int) -> list[Block]:
    """Say how many numbers nobody has given yet, and how many should have been looked at again."""
    found = []
    if hollow:
        warning = say_many(
            "{number} number in this table nobody has given yet: a placeholder. Every figure that rests on it is an illustration until it "
            "is replaced.",
            "{number} numbers in this table nobody has given yet: placeholders. Every figure that rests on them is an illustration until "
            "they are replaced.",
            hollow,
            number=hollow,
        )
        found.append(Block((warning,), kind="warning"))
    if old:
        warning = say_many(
            "{number} number in this table should have been looked at again by now: past review. Ask who answers for it whether it still "
            "holds.",
            "{number} numbers in this table should have been looked at again by now: past review. Ask who answers for them whether they "
            "still hold.",
            old,
            number=old,
        )
        found.append(Block((warning,), kind="warning"))
    return found


def _edited(inputs: ReportInput) -> list[Table]:
    """List what finance changed in the workbook, old and new."""
    table = inputs.inputs_changes
    if table is None or table.empty:
        return []
    frame = table.assign(name=[words.capital(words.label(n, inputs.spec.names)) for n in table["assumption"]])
    names = {
        "name": "Assumption",
        "number": "Number",
        "old": "Before",
        "new": "Now",
        "unit": "Unit",
        "changed_by": "Changed by",
        "why": "Why",
    }
    formats = dict.fromkeys(("old", "new"), lambda v: f"{v:,.6g}")
    return [table_of(frame, say("Changed in the workbook since the config was written"), names=names, formats=formats)]
