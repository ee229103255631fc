"""Who answers for the figures: the sign-off of the forecast of record, for the page and the workbook.

In: a `ReportInput`, whose run may tell of a forecast of record. Out: rows of words, and one sentence. Refuses nothing. A run that came
after it is not what was approved, and says so; a public report tells neither role nor note.
"""

from __future__ import annotations

from demand.languages import message, say
from demand.report import words
from demand.report.inputs import ReportInput
from demand.report.parts import Table

__all__ = ["sign_off_rows", "sign_off_sentence", "sign_off_table"]

STANDS, LATER = (
    message("These figures are the forecast of record."),
    message("These figures are later than the forecast of record, which is frozen and has not changed."),
)


def sign_off_rows(inputs: ReportInput) -> tuple[tuple[str, str], ...]:
    """Give what stands in the block; nothing where no run was approved."""
    record = inputs.run.get("record") or {}
    if not record or inputs.spec.audience == "public":
        return ()
    rows = (
        (say("Forecast of record"), str(record["name"])),
        (say("Approved by"), str(record["by"])),
        (say("On"), words.day(str(record["approved"])[:10])),
        (say("Note"), str(record["note"])),
        (say("What this is"), say(STANDS if record.get("stands") else LATER)),
        (say("Hash of the frozen run"), str(record.get("hash", ""))),
    )
    return tuple(row for row in rows if row[1])


def sign_off_sentence(inputs: ReportInput) -> str:
    """Say in one sentence what was approved and whether this is it; empty where no run was approved."""
    record = inputs.run.get("record") or {}
    if not sign_off_rows(inputs):
        return ""
    told = {"name": record["name"], "role": record["by"], "day": words.day(str(record["approved"])[:10])}
    if record.get("stands"):
        return say("“{name}”, approved by the {role} on {day}.", **told)
    return say("Not “{name}”, approved by the {role} on {day}.", **told)


def sign_off_table(inputs: ReportInput) -> list[Table]:
    """Give the block of the page."""
    rows = sign_off_rows(inputs)
    return [Table(say("Sign-off"), (say("What"), say("Value")), rows)] if rows else []
