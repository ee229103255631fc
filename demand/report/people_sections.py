"""Who uses the service: the portraits of segments, and what each asks of services.

In: a `ReportInput`. Out: a `Section`, protected by the disclosure policy where the report is for the public. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from demand.disclosure import protect
from demand.languages import message, say
from demand.report import bars, words
from demand.report.inputs import ReportInput
from demand.report.parts import Block, Figure, Section, Table, table_of
from demand.report.people_tables import asked_tables, segment_name
from demand.report.segment_evidence import evidence_parts
from demand.segments.model import ALL, UNCLEAR
from demand.segments.portrait import Portrait, rule_sentence, sentences
from demand.segments.profile import wilson
from demand.segments.rules import JudgedRule

__all__ = ["segments_section"]

names = {
    "segment": "Segment",
    "people": "People",
    "share_of_people": "Share of people",
    "episodes_per_person": "Times each came",
    "repeat_share": "Came back",
    "back_within_year": "Back within a year",
    "open_now": "People here now, in any service",
    "median_stay_days": "Usual stay, days",
    "share_of_cost": "Share of cost",
    "cost_per_person": "Cost per person",
    "cost_per_week": "Cost per week",
}
USE_FORMATS = {
    "people": "count",
    "open_now": "count",
    "share_of_people": "percent",
    "repeat_share": "percent",
    "back_within_year": "percent",
    "share_of_cost": "percent",
    "episodes_per_person": "count",
    "median_stay_days": "count",
    "cost_per_person": "exact",
    "cost_per_week": "exact",
}


def segments_section(inputs: ReportInput) -> Section | None:
    """Draw each segment's portrait: what tells it from everybody."""
    if "segment_profile" not in inputs.people:
        found = evidence_parts(inputs)
        return Section("segments", say("Who uses the service"), tuple(found)) if found else None
    table = inputs.people["segment_profile"]
    hidden = int(table["share_or_mean"].isna().sum()) if inputs.spec.audience == "public" else 0
    drawn = {p.segment: p for p in map(Portrait.model_validate, inputs.segment_portraits)}
    use = inputs.people.get("segment_use")
    parts: list[Table | Figure | Block] = []
    for name, one in table.groupby("segment", sort=True):
        told = _sentences(drawn.get(str(name)), one, use, inputs)
        parts += told if name == UNCLEAR else [*told, *_portrait(str(name), one, inputs)]
    shown = table.assign(
        segment=[words.capital(segment_name(s, inputs)) for s in table["segment"]],
        feature=[words.capital(words.label(f, inputs.spec.names)) for f in table["feature"]],
        level=[say("average") if m else words.label(v, inputs.spec.names) for m, v in zip(_is_mean(table), table["level"], strict=True)],
    )
    for column in ("share_or_mean", "average", "low", "high"):
        shown[column] = [_share_or_mean(v, bool(n)) for v, n in zip(shown[column], _is_mean(table), strict=True)]
    names = {
        "segment": "Segment",
        "feature": "What",
        "level": "Answer",
        "people": "People",
        "share_or_mean": "Share or average",
        "low": "Low",
        "high": "High",
        "average": "Everybody",
        "index": "Index (100 = everybody)",
        "missing_share": "Not known",
    }
    formats = {"people": "count", "index": "count", "missing_share": "percent"}
    note = say("Low to high: 19 times in 20, from chance in who happened to come.")
    if hidden:
        note += " " + say("Figures hidden because few people stand behind them: {number}.", number=hidden)
    parts += [*_use(use, inputs), *asked_tables(inputs)]
    parts.append(table_of(shown, say("Portraits of the segments in full"), names=names, formats=formats, note=note))
    parts += evidence_parts(inputs)
    lead = _lead(list(drawn.values()))
    return Section("segments", say("Who uses the service"), tuple(parts), lead)


def _lead(drawn: list[Portrait]) -> str:
    """Say what the segments are: groups that the data show, bands for convenience, or everybody; of people or of places."""
    places = any(p.noun == "places" for p in drawn)
    if drawn and {p.segment for p in drawn} == {ALL}:
        return (
            say("No groups were found: all places are described together.")
            if places
            else say("No groups were found: all people are described together.")
        )
    alike = say("bands for convenience") if drawn and not any(p.groups for p in drawn) else say("groups that are alike")
    if places:
        return say(
            "Places were put into {alike}, by what is recorded of them. A segment describes a group; it says nothing certain about one "
            "place.",
            alike=alike,
        )
    return say(
        "People were put into {alike}, by what was known when they first came. A segment describes a group; it says nothing certain about "
        "one person.",
        alike=alike,
    )


def _is_mean(table: pd.DataFrame) -> pd.Series:
    level = table["level"].where(table["level"].notna(), "").astype(str).str.lower()
    return level.isin(["", "mean", "average"])


def _share_or_mean(value: object, mean: bool) -> str:
    if pd.isna(value):
        return say("hidden")
    return f"{float(str(value)):,.1f}" if mean else words.percent(float(str(value)))


def _portrait(name: str, one: pd.DataFrame, inputs: ReportInput) -> Iterator[Figure]:
    shares = one[~_is_mean(one) & one["share_or_mean"].notna() & one["average"].notna()]
    shares = shares[(shares["share_or_mean"] - shares["average"]).abs() >= 0.01]
    if shares.empty:
        return
    top = shares.reindex((shares["share_or_mean"] - shares["average"]).abs().sort_values(ascending=False).index).head(7)
    frame = pd.DataFrame(
        {
            "name": [
                f"{words.capital(words.label(f, inputs.spec.names))}: {words.label(v, inputs.spec.names)}"
                for f, v in zip(top["feature"], top["level"], strict=True)
            ],
            "share": top["share_or_mean"].to_numpy(),
            "average": top["average"].to_numpy(),
            "index": top["index"].to_numpy(),
        }
    )
    yield bars.changes(
        frame, title=say("segment {name}: what tells it from everybody", name=segment_name(name, inputs)), of=message("Answer")
    )


def _sentences(portrait: Portrait | None, one: pd.DataFrame, use: pd.DataFrame | None, inputs: ReportInput) -> list[Block]:
    """Tell a segment's portrait in words, from what the disclosure policy left."""
    if portrait is None:
        return []

    def label(name: str) -> str:
        return words.label(name, inputs.spec.names)

    told = sentences(portrait, one, use, label=label)
    if (rule := portrait.rule) is not None:
        told.append(rule_sentence(rule, _protected_rule(rule, inputs), noun=portrait.noun, label=label))
    again = _protected_share(portrait, inputs)
    if portrait.balanced_accuracy is not None and again is not None and portrait.chance is not None:
        told.append(
            say(
                "Small trees that had not seen them put {again} of the segment back into it (all segments on average: {average}; guessing: "
                "{chance}).",
                again=words.percent(again),
                average=words.percent(portrait.balanced_accuracy),
                chance=words.percent(portrait.chance),
            )
        )
    return [Block(tuple(words.closed(t) for t in told), heading=say("Segment {name}", name=segment_name(portrait.segment, inputs)))]


def _protected_rule(rule: JudgedRule, inputs: ReportInput) -> dict[str, Any] | None:
    """Give how a rule does as the public may read it: made anew from rounded counts, as `protect_profile` does; None where all is shown."""
    if inputs.spec.audience != "public":
        return None
    counts = {"held_out": rule.held_out, "in_segment": rule.in_segment, "caught": rule.caught, "both": rule.both}
    row = pd.DataFrame([{**counts, "recall": rule.recall, "precision": rule.precision}])
    kept = protect(row, counts=list(counts), values=["recall", "precision"], policy=inputs.people_policy).iloc[0]
    if pd.isna(kept["recall"]) or pd.isna(kept["precision"]) or not kept["in_segment"] or not kept["caught"]:
        return {"recall": float("nan"), "precision": float("nan")}
    held, inside, caught = (int(kept[c]) for c in ("held_out", "in_segment", "caught"))
    both = min(int(kept["both"]), inside, caught)
    bounds = (*wilson(both, inside), *wilson(both, caught))
    return {"recall": both / inside, "precision": both / caught, "held_out": held, "intervals": bounds}


def _protected_share(portrait: Portrait, inputs: ReportInput) -> float | None:
    """Give the share of a segment that was found again as it may be shown: of rounded counts for the public, None where it is withheld."""
    if inputs.spec.audience != "public" or portrait.found_again is None:
        return portrait.found_again
    row = pd.DataFrame([{"people": portrait.people, "again": round(portrait.found_again * portrait.people), "share": portrait.found_again}])
    kept = protect(row, counts=["people", "again"], values=["share"], policy=inputs.people_policy).iloc[0]
    return None if pd.isna(kept["share"]) or not kept["people"] else min(int(kept["again"]) / int(kept["people"]), 1.0)


def _use(table: pd.DataFrame | None, inputs: ReportInput) -> list[Table]:
    """Say what each segment asks of services."""
    if table is None or table.empty:
        return []
    shown = table.assign(segment=[words.capital(segment_name(s, inputs)) for s in table["segment"]])
    note = say(
        "Usual stay: half stay longer, half less; those who are still here are counted as such. Cost: as far as prices were recorded."
    )
    return [table_of(shown, say("What each segment asks of services"), names=names, formats=USE_FORMATS, note=note)]
