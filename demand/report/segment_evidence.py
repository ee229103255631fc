"""How the segments were found: the evidence as a table, and the picture of how segments split as their number grows.

In: a `ReportInput` with the stored evidence. Out: parts of a section. Shares of the people who were searched are drawn, never counts.
Refuses nothing; where no evidence is stored there is nothing to show.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from demand.languages import message, say
from demand.report.canvas import BLUE, GREY, ORANGE, drawn
from demand.report.inputs import ReportInput
from demand.report.parts import Block, Figure, Table, table_of
from demand.segments.search import thresholds

__all__ = ["evidence_parts"]

METHODS = {
    "latent_class": message("latent classes"),
    "gaussian_mixture": message("Gaussian mixture"),
    "kmeans": message("k-means"),
    "hdbscan": message("HDBSCAN"),
}
SAID = {
    "bell curves": message("bell curves"),
    "bands": message("bands"),
    "one covariance": message("one covariance"),
    "own covariances": message("own covariances"),
    "main components": message("main components"),
    "can be taken": message("can be taken"),
    "a segment is too small": message("a segment is too small"),
    "tells no more than one group": message("tells no more than one group"),
    "tells much less than another": message("tells much less than another"),
    "no better than in data without groups": message("no better than in data without groups"),
    "mixtures see no groups": message("mixtures see no groups"),
    "not looked at further": message("not looked at further"),
    "not stable": message("not stable"),
    "most people belong nowhere clearly": message("most people belong nowhere clearly"),
}
"""What segment_evidence.csv says in words."""
names = {
    "method": "Method",
    "count": "Segments",
    "numbers_as": "Numbers as",
    "bic": "BIC",
    "excess": "Beyond data without groups",
    "stability": "Stability",
    "each": "Stability of each segment",
    "certainty": "Certainty",
    "nowhere": "Belong nowhere clearly",
    "smallest_share": "Smallest segment",
    "verdict": "What stands against it",
}
NOTE = message(
    "BIC: smaller is better (not k-means, whose BIC is of other figures). Beyond data without groups: the gain over one group, less the"
    " gain on simulated people with the same answers and correlations but no groups, in standard deviations; at least one solution must"
    " reach {gain} ({gain_few} where fewer than {few} people are searched), a mixture or latent classes {itself}, and what is taken "
    "{itself} by itself; empty where another solution tells much more. Stability: agreement with the segments of resampled people "
    "(adjusted Rand index, at least {stability}) and of each segment, largest first (Jaccard overlap, at least {each}). Certainty: "
    "relative entropy, at least {certainty}."
)


def evidence_parts(inputs: ReportInput) -> list[Table | Figure | Block]:
    """Give the picture and the table of the evidence.

    Parameters
    ----------
    inputs : ReportInput

    Returns
    -------
    list
        Empty where no evidence is stored.
    """
    parts: list[Table | Figure | Block] = []
    if inputs.segment_notes:
        parts.append(Block(_in_words(inputs), "list", say("How the segments were found"), stored=True))
    picture = inputs.segment_clustergram
    if picture is not None and not picture.empty:
        parts.append(_clustergram(picture))
    if inputs.segment_evidence is not None and not inputs.segment_evidence.empty:
        parts.append(_table(inputs.segment_evidence))
    return parts


def _in_words(inputs: ReportInput) -> tuple[str, ...]:
    """Give the notes with the names of attributes as words: those in quotation marks, and others that the profile has."""
    profile = inputs.people.get("segment_profile")
    known = set() if profile is None else set(profile["feature"].astype(str))
    known |= {name for note in inputs.segment_notes for name in re.findall(r"'(\w+)'", note)} | {"days_since_opened"}

    def words(found: re.Match[str]) -> str:
        name = found.group()
        return inputs.spec.names.get(name, name.replace("_", " ")) if name in known else name

    return tuple(re.sub(r"\b\w+_\w+\b(?!\.)", words, note) for note in inputs.segment_notes)


def _table(evidence: pd.DataFrame) -> Table:
    shown = evidence.assign(
        method=[
            say("{method} (chosen)", method=_method(m)) if c else _method(m)
            for m, c in zip(evidence["method"], evidence["chosen"], strict=True)
        ],
        bic=[_number(v, ",.0f") for v in evidence["bic"]],
        excess=[_number(v, ".1f") for v in evidence["excess"]],
        stability=[_number(v, ".2f") for v in evidence["stability"]],
        certainty=[_number(v, ".2f") for v in evidence["certainty"]],
        each=["" if pd.isna(v) else str(v) for v in evidence["each"]],
    )
    for column in ("numbers_as", "verdict"):
        if column in shown:
            shown[column] = ["" if pd.isna(v) else "; ".join(say(SAID.get(p, p)) for p in str(v).split("; ")) for v in shown[column]]
    shown = shown[[c for c in names if c in shown]]
    formats = {"count": "count", "nowhere": "percent", "smallest_share": "percent"}
    note = say(NOTE, **thresholds())
    return table_of(shown, say("The evidence for each method and number of segments"), names=names, formats=formats, note=note)


def _method(name: object) -> str:
    return say(METHODS.get(str(name), str(name)))


def _number(value: object, form: str) -> str:
    return "" if pd.isna(value) else format(float(str(value)), form)


def _clustergram(picture: pd.DataFrame) -> Figure:
    """Draw a line for each stream of people from a segment to a segment of the next number, as wide as it is large."""
    places = picture.drop_duplicates(["count", "segment"]).set_index(["count", "segment"])["position"]
    sizes = picture.groupby(["count", "segment"])["share"].sum()
    chosen = [int(str(c)) for c in picture.loc[picture["chosen"].astype(bool), "count"].unique()]
    first = int(picture["count"].min())

    def draw(canvas: Any) -> None:
        axes = canvas.subplots()
        for row in picture[picture["count"] > first].itertuples():
            ends = [places[row.count - 1, row.came_from], places[row.count, row.segment]]
            axes.plot([row.count - 1, row.count], ends, color="#9DB9D3", lw=max(12 * float(str(row.share)), 0.3), solid_capstyle="butt")
        for (count, segment), share in sizes.items():
            colour = ORANGE if count in chosen else BLUE
            axes.scatter([count], [places[count, segment]], s=40 + 420 * float(share), color=colour, edgecolors="white", zorder=3)
        for count in chosen:
            axes.axvline(count, color=GREY, lw=1, ls=":", zorder=0)
        axes.set_xticks(np.unique(picture["count"]))
        axes.set_xlabel(say("Number of segments"))
        axes.set_ylabel(say("Place on the main component"))

    method = _method(picture["method"].iloc[0])
    split = say(
        "Clustergram of {method}: how segments split as their number grows from {first} to {last}.",
        method=method, first=first, last=int(picture["count"].max()),
    )  # fmt: skip
    alt = f"{split} {say('Taken: {number}.', number=chosen[0]) if chosen else say('None was taken.')}"
    rows = pd.DataFrame(
        [
            {"count": int(count), "segment": f"{int(segment)}", "share": float(share), "position": f"{float(places[count, segment]):.2f}"}
            for (count, segment), share in sizes.items()
        ]
    )
    names = {"count": "Number of segments", "segment": "Segment, largest first", "share": "Share of people", "position": "Place"}
    behind = table_of(rows, say("Segments by their number"), names=names, formats={"count": "count", "share": "percent"})
    return Figure(
        partial(drawn, draw, size=(5.8, 3.6)),
        alt,
        behind,
        say("How people split as the number of segments grows ({method})", method=method),
    )
