"""The portrait of a segment in plain words: every statement is a number of the results, and no word says more than its number.

In: the profile (as it is, or as the disclosure policy left it), what sets the segment apart, its rule, and what it asks of services. Out:
`Portrait`, plain data for segment_portraits.json, and its sentences. Refuses nothing; what is withheld is not told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from demand.languages import message, say, say_many
from demand.segments.attributes import Attribute
from demand.segments.contrast import contrast
from demand.segments.model import UNCLEAR, first_rows, id_column
from demand.segments.rules import JudgedRule, find_rules
from demand.spec import Spec

__all__ = ["Portrait", "portraits", "rule_sentence", "sentences"]

MOST_MARKS, MOST_OTHERS, MOST_UNKNOWN, MUCH_UNKNOWN = 4, 3, 3, 0.2
Label = Callable[[str], str]


class Portrait(Spec):
    """What is known of one segment beside its profile."""

    segment: str
    people: int
    everybody: int
    """People or places in all segments together."""
    noun: str = "people"
    """What is in segments: people or places."""
    groups: bool = True
    """False where segments are bands for convenience, not groups that the data show."""
    marks: dict[str, float] = Field(default_factory=dict)
    """Attribute -> its share in telling the segment from the others (SHAP values of small trees); they add up to 1."""
    found_again: float | None = None
    """The share of the segment's people whom trees that had not seen them put back into it."""
    balanced_accuracy: float | None = None
    """The mean of that share over all segments."""
    chance: float | None = None
    """What guessing would reach."""
    rule: JudgedRule | None = None
    rule_words: str = ""
    """The rule in the names of the data."""
    text: str = ""
    """The sentences in the names of the data, nothing withheld."""


def portraits(
    table: pd.DataFrame, members: pd.DataFrame, profile: pd.DataFrame, *, attributes: Sequence[Attribute], use: pd.DataFrame | None = None,
    groups: bool = True, noun: str = "", seed: int = 1,
) -> list[Portrait]:  # fmt: skip
    """Draw the portrait of every segment that the profile describes.

    Parameters
    ----------
    table : pandas.DataFrame
        People (the first episode counts) or places, with the attributes.
    members : pandas.DataFrame
        person_id, segment.
    profile : pandas.DataFrame
        As `demand.segments.profile.profile` gives it.
    attributes : sequence of Attribute
        Those that found the segments: `model.attributes`.
    use : pandas.DataFrame, optional
        As `demand.segments.use.use` gives it.
    groups : bool
        Whether the data show the segments.
    noun : str
        people or places; by default what the id column says.
    seed : int

    Returns
    -------
    list of Portrait
    """
    rows = first_rows(table)
    segment = rows[id_column(rows)].astype(str).map(members.set_index("person_id")["segment"])
    # Who is unclear belongs to no segment, and would only blur what sets the segments apart.
    clear = (segment != UNCLEAR).to_numpy()
    apart = contrast(rows[clear], segment[clear], attributes, seed=seed)
    rules = find_rules(rows[clear], segment[clear], attributes, seed=seed)
    noun = noun or ("places" if id_column(rows) == "place_id" else "people")
    drawn = []
    for name, one in profile.groupby("segment", sort=True):
        marks = apart.marks[apart.marks["segment"] == name]
        again = apart.found_again.get(str(name))
        rule = rules.get(str(name))
        portrait = Portrait(
            segment=str(name), people=int((segment == name).sum()), everybody=len(rows), noun=noun, groups=groups,
            marks={str(f): round(float(s), 4) for f, s in zip(marks["feature"], marks["share"], strict=True)},
            found_again=None if again is None else round(again, 4), rule=rule, rule_words=rule.rule.words() if rule and rule.works else "",
            balanced_accuracy=None if again is None else round(apart.balanced_accuracy, 4), chance=None if again is None else apart.chance,
        )  # fmt: skip
        told = sentences(portrait, one, use) + ([rule_sentence(rule, noun=noun)] if rule else [])
        drawn.append(portrait.model_copy(update={"text": " ".join(told)}))
    return drawn


def sentences(portrait: Portrait, profile: pd.DataFrame, use: pd.DataFrame | None = None, *, label: Label = str) -> list[str]:
    """Say what a segment is like.

    Parameters
    ----------
    portrait : Portrait
    profile : pandas.DataFrame
        The rows of this segment; figures that were withheld are NaN, and are not told.
    use : pandas.DataFrame, optional
        What all segments ask of services; withheld figures are NaN.
    label : callable
        Gives the words for the names and codes of the data.

    Returns
    -------
    list of str
        Whole sentences. A difference is told only where the 95 % interval of the segment leaves out the figure of everybody; of people
        who are unclear, who are no segment, only how many they are.
    """
    told = [_size(profile, portrait.noun)]
    if portrait.segment == UNCLEAR:
        return [*told, say("They belong to no segment clearly enough to be put into one.")]
    clear = _clear(profile)
    own = _told(clear[clear["used"].astype(bool)], portrait.marks, MOST_MARKS, label)
    told.append(
        say("What tells them from all: {marks}.", marks=own)
        if own
        else say("No attribute that was used tells them from all beyond chance.")
    )
    if others := _told(clear[~clear["used"].astype(bool)], {}, MOST_OTHERS, label):
        told.append(say("Not used to find the segments, and different too: {marks}.", marks=others))
    unknown = profile.drop_duplicates("feature").set_index("feature")["missing_share"].dropna().sort_values(ascending=False, kind="stable")
    if len(unknown := unknown[unknown >= MUCH_UNKNOWN].head(MOST_UNKNOWN)):
        each = [say("{feature} of {share}", feature=label(str(f)), share=_percent(v)) for f, v in unknown.items()]
        told.append(say("Not known: {what}.", what=", ".join(each)))
    told += _asked(portrait.segment, use)
    return told if portrait.groups else [*told, say("It is a band for convenience: the data do not show it as a group of its own.")]


def rule_sentence(judged: JudgedRule, shown: Mapping[str, Any] | None = None, *, noun: str = "people", label: Label = str) -> str:
    """Say the rule of a segment and how it does.

    Parameters
    ----------
    judged : JudgedRule
    shown : mapping, optional
        recall, precision, held_out and intervals (95 %: low and high of recall, then of precision) as they may be shown; a recall or
        precision that is NaN was withheld.
    noun : str
        people or places.
    label : callable

    Returns
    -------
    str
    """
    if not judged.works:
        return say("No rule of four conditions tells them apart better than chance on others than it was made from.")
    told = say("Rule: {rule}.", rule=judged.rule.words(label))
    if shown is None:
        shown = {"recall": judged.recall, "precision": judged.precision, "held_out": judged.held_out, "intervals": judged.intervals}
    if pd.isna(shown["recall"]) or pd.isna(shown["precision"]):
        return f"{told} {say('Too few people were held out to say how well it does.')}"
    low, high, low_too, high_too = (_percent(max(v, 0.0)) for v in shown["intervals"])
    catches = say(
        "It catches {recall} of the segment (95 % interval {low} to {high}), and {precision} of those whom it catches belong ({low_too} to "
        "{high_too}): judged on {number} on whom it was not made.",
        recall=_percent(shown["recall"]), low=low, high=high, precision=_percent(shown["precision"]), low_too=low_too, high_too=high_too,
        number=_counted(int(shown["held_out"]), noun),
    )  # fmt: skip
    return f"{told} {catches}"


def _size(profile: pd.DataFrame, noun: str) -> str:
    return f"{_counted(profile['segment_people'].iloc[0], noun)}."


def _counted(size: object, noun: str) -> str:
    """Say how many there are; a number that the policy has rounded is text."""
    number, known = (f"{size:,}", int(size)) if isinstance(size, int | np.integer) else (str(size), 100)
    if noun == "places":
        return say_many("{number} place", "{number} places", known, number=number)
    return say_many("{number} person", "{number} people", known, number=number)


def _clear(profile: pd.DataFrame) -> pd.DataFrame:
    """Give the rows whose interval leaves out everybody's figure, the largest difference first and once by attribute."""
    known = profile.dropna(subset=["share_or_mean", "average", "low", "high"])
    apart = known[(known["low"] > known["average"]) | (known["high"] < known["average"])]
    # Of "yes" and "no", which differ alike, "yes" is told.
    apart = apart.assign(no=apart["level"] == "no").sort_values("no", kind="stable")
    width = ((apart["high"] - apart["low"]) / 2).clip(lower=1e-9)
    size = (apart["share_or_mean"] - apart["average"]).abs().round(9)
    # Shares are compared as shares; means, whose units differ, by how far out of their interval everybody's mean lies.
    size = size.where(apart["level"] != "mean", (size / width / 50).clip(upper=1.0))
    return apart.assign(size=size).sort_values("size", ascending=False, kind="stable").drop_duplicates("feature")


def _told(rows: pd.DataFrame, marks: Mapping[str, float], most: int, label: Label) -> str:
    rank = rows["feature"].map(lambda f: -marks.get(str(f), 0.0))
    ordered = rows.assign(rank=rank).sort_values(["rank", "size"], ascending=[True, False], kind="stable").head(most)
    return "; ".join(_one(row, label) for row in ordered.to_dict("records"))


def _one(row: Mapping[str, Any], label: Label) -> str:
    name, own, everybody = label(str(row["feature"])), float(row["share_or_mean"]), float(row["average"])
    if row["level"] == "mean":
        return say("{feature} is {own} on average (all: {all})", feature=name, own=_three(own), all=_three(everybody))
    level = label(str(row["level"]))
    return say("{feature} is {level} for {own} (all: {all})", feature=name, level=level, own=_percent(own), all=_percent(everybody))


def _asked(name: str, use: pd.DataFrame | None) -> list[str]:
    if use is None or use.empty or name not in set(use["segment"]):
        return []
    row, everybody = (use[use["segment"] == n].iloc[0] if n in set(use["segment"]) else None for n in (name, "everybody"))
    parts = []
    for column, words in (
        ("episodes_per_person", message("episodes a person: {number}")),
        ("median_stay_days", message("half of the stays last longer than {number} days")),
    ):
        if row is not None and column in row and pd.notna(row[column]):
            other = "" if everybody is None or pd.isna(everybody[column]) else " " + say("(all: {all})", all=_three(everybody[column]))
            parts.append(say(words, number=_three(row[column])) + other)
    if row is not None and pd.notna(row.get("share_of_cost")) and pd.notna(row.get("share_of_people")):
        shares = {"people": _percent(row["share_of_people"]), "cost": _percent(row["share_of_cost"])}
        parts.append(say("{people} of people and {cost} of cost", **shares))
    return [say("What they ask of services: {what}.", what="; ".join(parts))] if parts else []


def _three(value: float) -> str:
    """Write three figures, thousands whole, and two of what is below one.

    Examples
    --------
    >>> _three(1234.5), _three(33.84), _three(0.0245)
    ('1,234', '33.8', '0.025')
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.{3 if abs(value) >= 1 else 2}g}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 or share == 0 else say("under 1 %")
