"""The records that law and good practice ask for, as far as a run can fill them: one page of Markdown.

In: a `ReportInput`, what the config says of governance and of people's data. Out: the text of governance.md: the transparency record
(ATRS), a model card, what a data protection impact assessment and a record of processing need, the log of assumptions, and the equality
impact table. Refuses to call itself complete while a field that it requires is empty; what a person must fill is listed first.

The fields of the transparency record are those of the Algorithmic Transparency Recording Standard (GDS and CDDO), under its attribute
names; the model card follows Mitchell et al. (2019); the duties are those of the Equality Act 2010, section 149, and of the Equality Act
2010 (Authorities subject to a duty regarding Socio-economic Inequalities) (Wales) Regulations 2021.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from pydantic import Field

from demand.disclosure import policy_named, protect
from demand.languages import message, say, speaking
from demand.report import words
from demand.report.cleared import cleared
from demand.report.inputs import ReportInput
from demand.segments.protected import PROTECTED
from demand.spec import Spec

__all__ = ["REQUIRED", "GovernanceSpec", "governance_page"]

ONE_TEXT = message(
    "This record is one text, in English, and is signed once. Whatever of it is published is for the public, who are owed it in Welsh too "
    "(Welsh Language Standards): have it translated before it leaves. Fields may be filled in either language."
)
EMPTY = "**TO BE FILLED BY A PERSON**"
LEAST_GROUP = 30
"""Below so many people a group's figures are held back: not enough data to compare groups."""
ATRS = {
    "name": "", "description": "What it is, in two sentences", "website": "", "contact_email": "", "organisation": "", "team": "",
    "senior_responsible_owner": "", "scope": "", "benefit": "", "alternatives_considered": "", "frequency_usage": "", "phase": "",
    "maintenance": "", "process_integration": "How figures enter decisions", "provided_information": "",
    "human_decisions": "What people decide with it", "required_training": "", "appeals_and_review": "", "data_collection": "",
    "data_sharing_agreements": "", "data_access_and_storage": "", "impact_assessment_name": "", "impact_assessment_date": "",
    "risk_description": "", "risk_mitigation": "",
}  # fmt: skip
DPIA = {
    "controller": "Who decides why and how", "data_protection_officer": "", "necessity": "Why the purpose cannot be met with less",
    "special_category_condition": "UK GDPR article 9, where health, ethnicity or the like are held", "consultation": "Who was asked",
    "recipients": "", "measures_approved_by": "",
}  # fmt: skip
EQUALITY = {"equality_consultation": "Who was asked", "equality_actions": "What is done about differences", "welsh_language_impact": "",
            "socio_economic_impact": "What it means for people in disadvantage"}  # fmt: skip
PEOPLE = ("purpose", "lawful_basis", "retention")
UNANSWERED = frozenset(
    (
        "tbc",
        "tba",
        "tbd",
        "todo",
        "to do",
        "to be confirmed",
        "to be filled",
        "to be filled by a person",
        "to be decided",
        "pending",
        "xxx",
        "x",
    )
)
"""What people write in the place of an answer."""
HEALTH = r"health|disab|impair|illness|diagnos|substance|drug|alcohol|medic|autis|learning|mobility|pregnan|ethnic|relig|orientation|offen"
"""Columns by their names that are perhaps special category or criminal offence data (UK GDPR, articles 9 and 10)."""
DISADVANTAGE = r"income|benefit|employ|tenure|arrears|depriv|wimd|free_school|universal_credit|council_tax_(?:band|reduction)"
"""Columns by their names that tell of socio-economic disadvantage (Equality Act 2010, section 1, in force in Wales since 31 March 2021)."""
REQUIRED = (*ATRS, *DPIA, *EQUALITY)
"""The fields that only a person can fill; `purpose`, `lawful_basis` and `retention` stand in the config under data.people."""


class GovernanceSpec(Spec):
    """The `governance` part of a config: what only people know."""

    fields: dict[str, str] = Field(default_factory=dict)
    """Answers by the name of the field, as governance.md lists them: {contact_email: data@council.example, phase: pilot}."""


def governance_page(
    inputs: ReportInput, spec: GovernanceSpec, *, people: Mapping[str, Any] | None, files: Mapping[str, Mapping[str, str]]
) -> str:
    """Write the records.

    Parameters
    ----------
    inputs : ReportInput
    spec : GovernanceSpec
    people : mapping, optional
        The settings under data.people; None where no people are read.
    files : mapping
        Name of an output -> its class.

    Returns
    -------
    str
        Markdown.
    """
    inputs = cleared(inputs)
    gaps = _gaps(spec, people)
    standing = (
        f"**DRAFT, NOT COMPLETE: {len(gaps)} {'field' if len(gaps) == 1 else 'fields'} to be filled by a person.** {', '.join(gaps)}."
        if gaps
        else "Every required field is filled. Nobody has approved it yet: that is a person's act, outside this page."
    )
    parts = [
        f"# Records of {_safe(inputs.title)}",
        f"Run {inputs.run.get('fingerprint', '')}, as of {inputs.run.get('as_of') or 'the end of the data'}. Internal.",
        standing,
        *_translation(inputs),
        "Fill fields in the config: `governance: {fields: {contact_email: ...}}`; `purpose`, `lawful_basis`, `retention`: `data.people`.",
        "## Transparency record (ATRS)",
        *_fields(ATRS, spec),
        *_known(inputs),
        "## Model card",
        *_card(inputs),
        "## Data protection: impact assessment and record of processing",
        *_protection(inputs, spec, people, files),
        "## Log of assumptions",
        *_assumptions(inputs),
        "## Equality impact",
        *_equality(inputs, spec, people),
    ]
    return "\n\n".join(parts) + "\n"


def _translation(inputs: ReportInput) -> list[str]:
    """Say, where a report is in Welsh, that this record is not, and what is owed before any of it leaves: in both languages."""
    told = []
    for language in inputs.spec.languages if "cy" in inputs.spec.languages else ():
        with speaking(language):
            told.append(say(ONE_TEXT))
    return told


def _gaps(spec: GovernanceSpec, people: Mapping[str, Any] | None) -> list[str]:
    empty = [name for name in REQUIRED if not _filled(spec.fields.get(name))]
    return empty + [name for name in PEOPLE if people is not None and not _filled(people.get(name))]


def _filled(answer: object) -> bool:
    """Say whether somebody has answered: a word that stands for an answer to come is none."""
    said = str(answer or "").strip().strip(".?! ").casefold()
    return bool(re.search(r"\w", said)) and said not in UNANSWERED


def _safe(text: object) -> str:
    """Give text that Markdown shows as it is, on one line."""
    flat = " ".join(str(text).split())
    escaped = "".join(f"\\{c}" if c in "\\`*_{}[]()#+!|~" else c for c in flat)
    return escaped.replace("<", "&lt;").replace(">", "&gt;")


def _fields(fields: Mapping[str, str], spec: GovernanceSpec) -> list[str]:
    lines = [f"- {name}: {_safe(spec.fields[name]) if _filled(spec.fields.get(name)) else EMPTY + (f' ({hint})' if hint else '')}"
             for name, hint in fields.items()]  # fmt: skip
    return ["\n".join(lines)]


def _known(inputs: ReportInput) -> list[str]:
    run = inputs.run
    models = ", ".join(map(str, run.get("models", ()))) or "none: segments alone"
    lines = [
        f"- model_type: combined forecasts of counts by {models}; segments of people by latent classes or clusters. No person is scored.",
        f"- system_architecture: files in, files out, on one computer; versions: {_listed(run.get('versions'))}",
        f"- source_data_name: {_listed(run.get('data'))}",
        "- external_supplier: none; the software is open source under the MIT licence",
    ]
    return ["Filled from the run:", "\n".join(lines)]


def _listed(named: object) -> str:
    return "; ".join(f"{_safe(k)} {_safe(v)}" for k, v in named.items()) if isinstance(named, Mapping) and named else "not recorded"


def _card(inputs: ReportInput) -> list[str]:
    rows = ["- Intended use: planning services and budgets by area, service and segment.",
            "- Out of scope: decisions about one person; causes; what has no example in the past."]  # fmt: skip
    rows += [f"- Track record: {_safe(t)}" for t in inputs.track_record] or ["- Track record: none was measured"]
    return ["\n".join(rows), *_scores(inputs)]


def _scores(inputs: ReportInput) -> list[str]:
    table = inputs.backtest_summary
    if table is None or table.empty:
        return []
    whole = table[(table["model"] == "combined") & (table["horizon"].astype(str) == "all")]
    shown = whole[whole["measure"].isin(["mase", "bias", "miss", "skill", "coverage80", "coverage95"])]
    verdicts = shown["verdict"] if "verdict" in shown else pd.Series("", index=shown.index)
    rows = [
        [str(r.level), str(r.measure), f"{float(str(r.value)):.3f}", "" if pd.isna(v) else str(v)]
        for r, v in zip(shown.itertuples(), verdicts, strict=True)
    ]
    return ["How good it was, by level:", _table(["Level", "Measure", "Value", "On"], rows)]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(_safe(c) for c in row) + " |" for row in rows)])


def _protection(
    inputs: ReportInput, spec: GovernanceSpec, people: Mapping[str, Any] | None, files: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    yield from _fields(DPIA, spec)
    if people is None:
        yield "No data of people is read: counts, or places, alone."
    else:
        given = [f"- {name}: {_safe(people[name]) if _filled(people.get(name)) else EMPTY}" for name in PEOPLE]
        kept = [str(c) for c in (*people.get("keys", ()), *people.get("attributes", ()))]
        special = [c for c in kept if re.search(HEALTH, c, re.IGNORECASE)]
        given += [
            f"- Perhaps special category or offence data, by their names: {_safe(', '.join(special)) or 'none was seen; look yourself'}",
            f"- Columns that are read of people: {_safe(', '.join(kept)) or 'dates alone'}; all others are never loaded",
            "- References are replaced by keyed pseudonyms (HMAC-SHA-256) as they are read: still personal data for whoever holds the key",
        ]
        yield "\n".join(given)
    held = sorted(set(inputs.segment_equality["characteristic"])) if inputs.segment_equality is not None else []
    yield f"Characteristics held that the law protects: {_safe(', '.join(held)) or 'none'}."
    persons = sorted(name for name, about in files.items() if about.get("class") == "person-level")
    rule = policy_named(inputs.policy)
    yield (
        f"Files that tell of persons and stay: {_safe(', '.join(persons)) or 'none'}. What leaves passes the policy {rule.name} "
        f"({rule.source}). A person is taken out with `demand erase`."
    )


def _assumptions(inputs: ReportInput) -> list[str]:
    """Give quality (is there a source, and how wide is the range) by impact (what it moves, in pounds)."""
    table = inputs.assumptions
    if table is None or table.empty:
        return ["No assumption was made."]
    moves = pd.Series(dtype=float)
    if inputs.sensitivity is not None and len(inputs.sensitivity):
        spread = (inputs.sensitivity["high_pence"] - inputs.sensitivity["low_pence"]).abs() / 100
        moves = spread.groupby(inputs.sensitivity["assumption"]).max()
    rows = []
    for r in table.to_dict("records"):
        value, width = float(r["value"]), float(r["high"]) - float(r["low"])
        quality = "PLACEHOLDER" if bool(r.get("placeholder", False)) else "wide" if value and abs(width / value) > 0.5 else "sourced"
        impact = moves.get(str(r["name"]), float("nan"))
        rows.append((impact, [str(r["name"]), f"{_number(value)} {r['unit']}", f"{_number(r['low'])} to {_number(r['high'])}", quality,
                              "not measured" if pd.isna(impact) else words.pounds(impact), str(r["source"]), str(r["owner"])]))  # fmt: skip
    ranked = [row for _, row in sorted(rows, key=lambda pair: (pd.isna(pair[0]), -pair[0] if pd.notna(pair[0]) else 0))]
    return [_table(["Assumption", "Value", "Range", "Quality", "Moves a year by up to", "Source", "Answers for it"], ranked)]


def _number(value: Any) -> str:
    """Write a number to four figures, without powers of ten."""
    return f"{float(value):,.0f}" if abs(float(value)) >= 10_000 else f"{float(value):,.4g}"


def _equality(inputs: ReportInput, spec: GovernanceSpec, people: Mapping[str, Any] | None) -> list[str]:
    table, parts = inputs.segment_equality, _fields(EQUALITY, spec)
    nine = [name for name in PROTECTED if name != "language"]
    held = set() if table is None else set(table["characteristic"])
    rows = [[words.capital(name), "held" if name in held else "not recorded: nobody can say how it differs", _errors(inputs, name)]
            for name in nine]  # fmt: skip
    told = [
        str(c) for c in (*(people or {}).get("keys", ()), *(people or {}).get("attributes", ())) if re.search(DISADVANTAGE, str(c), re.I)
    ]
    data = f"told in part by {', '.join(told)}; see socio_economic_impact" if told else "not recorded; see socio_economic_impact"
    rows.append(["Socio-economic disadvantage (duty in Wales)", data, _errors(inputs, "deprivation")])
    parts.append(_table(["Characteristic", "Data", "Error of the forecast by group"], rows))
    if table is not None and len(table):
        shown = protect(table[["characteristic", "segment", "level", "people", "known", "share", "average"]], counts=["people", "known"],
                        values=["share", "average"], policy=inputs.people_policy)  # fmt: skip
        enough = pd.to_numeric(table["known"]).to_numpy() * table["average"].to_numpy(dtype=float) >= LEAST_GROUP
        mix = [
            [str(r.characteristic), str(r.segment), str(r.level), str(r.people) if ok else "not enough data",
             words.percent(float(str(r.share))) if ok and pd.notna(r.share) else "held back"]
            for r, ok in zip(shown.itertuples(), enough, strict=True)
        ]  # fmt: skip
        parts += [
            "Segment mix by group; small groups are held back:",
            _table(["Characteristic", "Segment", "Group", "People", "Share"], mix),
        ]
    return parts


def _errors(inputs: ReportInput, characteristic: str) -> str:
    """Say the error by group where counts are kept by the characteristic: it is then a key of the series."""
    from demand.segments.protected import protected

    keys = [k for k in inputs.keys if protected(k) == characteristic or (characteristic == "deprivation" and "wimd" in k.lower())]
    table = inputs.backtest
    if not keys or table is None or inputs.history is None:
        return "not measured: counts are not kept by it"
    of = inputs.history.drop_duplicates("unique_id").set_index("unique_id")[keys[0]]
    mine = table[(table["model"] == "combined") & table["y"].notna()]
    group = mine["unique_id"].map(of)
    total = mine["y"].groupby(group).sum()
    share = (mine["mean"] - mine["y"]).abs().groupby(group).sum() / total.where(total >= LEAST_GROUP)
    return "; ".join(f"{g}: {'not enough data' if pd.isna(v) else words.percent(v)}" for g, v in share.items())
