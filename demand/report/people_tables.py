"""What segments are expected to ask and to cost, and who is in them: the tables behind the portraits.

In: a `ReportInput`. Out: tables of words, protected by the disclosure policy where the report is for the public. Refuses nothing; a table
that a run has not made is left out.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from demand.languages import message, say
from demand.report import words
from demand.report.inputs import BASELINE, ReportInput
from demand.report.parts import Table, table_of
from demand.segments.model import ALL, UNCLEAR
from demand.segments.movement import LEFT, NEW

__all__ = ["asked_tables", "segment_name"]

GROUPS = {ALL: message("all"), "everybody": message("everybody"), UNCLEAR: message("unclear"), "segment": message("segment"),
          NEW: message("(not there before)"), LEFT: message("(not there any more)")}  # fmt: skip
"""What the package calls groups and their column; other names are letters, or the config's."""


def asked_tables(inputs: ReportInput) -> list[Table]:
    """Give the tables of a segment's cost, of its expected use, of movement since an earlier run, and of equality.

    Parameters
    ----------
    inputs : ReportInput

    Returns
    -------
    list of Table
    """
    return [t for t in (_cost(inputs), _expected(inputs), _movement(inputs), _equality(inputs)) if t is not None]


def segment_name(name: object, inputs: ReportInput) -> str:
    """Say what a segment is called."""
    return say(GROUPS[str(name)]) if str(name) in GROUPS else words.label(name, inputs.spec.names)


def _label(values: pd.Series, inputs: ReportInput) -> list[str]:
    return [words.capital(segment_name(v, inputs)) for v in values]


def _cost(inputs: ReportInput) -> Table | None:
    """Hold each segment's share of the pounds against its share of people."""
    table = inputs.segment_cost
    if table is None or table.empty:
        return None
    shown = table[table["scenario"] == BASELINE].copy()
    shown["people"] = shown["segment"].map(_share_of_people(inputs))
    others = "net_pence" in shown and bool((shown["net_pence"] != shown["expected_pence"]).any())
    for column in ("expected_pence", "p10_pence", "p90_pence", *(["net_pence"] if others else [])):
        shown[column] = shown[column] / 100
    shown = shown.assign(segment=_label(shown["segment"], inputs))
    names = {"segment": "Segment", "financial_year": "Year", "expected_pence": "Expected cost", "p10_pence": "Low", "p90_pence": "High",
             "share": "Share of cost", "people": "Share of people so far"}  # fmt: skip
    names |= {"net_pence": message("Net of what comes in")} if others else {}
    formats = {
        **dict.fromkeys(("expected_pence", "p10_pence", "p90_pence", "net_pence"), "pounds"),
        "share": "percent",
        "people": "percent",
    }
    note = say(
        "At the unit costs of this report. Low to high holds four years in five; the ends of segments are no sum. Pounds and people are "
        "both of everybody, each in the segment that fits best; how many are unclear is said where the use of services is told."
    )
    return table_of(shown, say("What each segment is expected to cost"), names=names, formats=formats, note=note)


def _share_of_people(inputs: ReportInput) -> dict[str, float]:
    use = inputs.people.get("segment_use")
    if use is None or "nearest_share" not in use:
        return {}
    return dict(zip(use["segment"].astype(str), use["nearest_share"], strict=True))


def _expected(inputs: ReportInput) -> Table | None:
    """Say how much each segment is expected to use: sums of groups, never of a person."""
    shown = inputs.people.get("segment_expected")
    if shown is None:
        return None
    named = {"by": _label(shown["by"], inputs), "level": _label(shown["level"], inputs), "segment": _label(shown["segment"], inputs)}
    shown = shown.assign(**named)
    names = {"by": "By", "level": "Group", "segment": "Segment", "people": "People", "expected": "Expected use", "per_person": "Each"}
    formats: dict[str, str | Callable[[float], str]] = {"people": "count", "expected": "count", "per_person": "{:,.2f}".format}
    note = say("Expected values of groups; how good they were is said in the notes. Nothing is said of one person.")
    return table_of(shown, say("How much each segment is expected to use in twelve months"), names=names, formats=formats, note=note)


def _movement(inputs: ReportInput) -> Table | None:
    """Show who went from which segment to which."""
    shown = inputs.people.get("segment_transitions")
    if shown is None:
        return None
    shown = shown.assign(**{c: _label(shown[c], inputs) for c in ("from", "to")})
    names = {"from": "From", "to": "To", "people": "People", "rate": "Share of those from there", "low": "Low", "high": "High"}
    formats = {"people": "count", **dict.fromkeys(("rate", "low", "high"), "percent")}
    note = say("Since the earlier run; where there is none, within the last year, by each person's latest episode.")
    return table_of(shown, say("Who moved between segments"), names=names, formats=formats, note=note)


def _equality(inputs: ReportInput) -> Table | None:
    """Show the mix of each segment by protected characteristics."""
    table = inputs.people.get("segment_equality")
    if table is None:
        return None
    shown = table[["characteristic", "segment", "level", "people", "known", "share", "average", "low", "high", "differs"]]
    told = ["" if pd.isna(s) else say("yes") if d else say("no") for d, s in zip(shown["differs"], shown["share"], strict=True)]
    shown = shown.assign(
        characteristic=_label(shown["characteristic"], inputs), segment=_label(shown["segment"], inputs),
        level=[words.label(v, inputs.spec.names) for v in shown["level"]], differs=told,
    )  # fmt: skip
    names = {"characteristic": "Characteristic", "segment": "Segment", "level": "Group", "people": "People", "share": "Share",
             "average": "Everybody", "low": "Low", "high": "High", "differs": "Beyond chance"}  # fmt: skip
    formats = {"people": "count", **dict.fromkeys(("share", "average", "low", "high"), "percent")}
    note = say("Shares are of those of whom it is known. Low to high: 19 times in 20, from chance in who happened to come.")
    return table_of(shown, say("Who is in each segment, by protected characteristic"), names=names, formats=formats, note=note)
