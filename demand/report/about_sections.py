"""What a reader must know before and after the figures: the data, the method, its limits, the marks of the run.

In: a `ReportInput`, or the content of quality.json. Out: `Section`s. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from demand.languages import message, say, spoken
from demand.proposals import HINT
from demand.report import words
from demand.report.inputs import ReportInput
from demand.report.parts import Block, Figure, Section, Table, table_of
from demand.report.rules_told import RULES_TOLD
from demand.report.sign_off import sign_off_table

__all__ = ["MODELS", "method_section", "quality_section", "run_section"]

MODELS = {
    "combined": message("The forecast itself (all models together)"),
    "seasonal_naive": message("Repeating last year"),
    "ets": message("Smoothing (ETS)"),
    "theta": message("Theta"),
    "arima": message("ARIMA"),
    "prophet": message("Prophet"),
    "lightgbm": message("Trees (LightGBM)"),
    "ces": message("Complex smoothing (CES)"),
    "caseload": message("Who is there runs on, and new starts come"),
}
"""Models by their names in the config, and how readers know them."""


READ = {
    "rows": message("Rows of counts"),
    "rows_of_people": message("Rows of people's episodes"),
    "people": message("People"),
    "places": message("Places"),
    "series": message("Series in the counts"),
    "first": message("First period counted"),
    "last": message("Last period counted"),
    "frequency": message("Counted by"),
}
"""What quality.json says about the data, and how it is called."""
MEASURES = {
    "completeness": message("Filled in"),
    "accuracy": message("Nothing said against it"),
    "duplication": message("Told once"),
    "timeliness": message("Last month beside a usual one"),
}
"""The measures of quality_scores.csv, and how readers know them."""
CUTS = {"field": message("Field"), "area": message("Area")}
VERDICTS = {
    "stop": message("The data cannot be used as it is."),
    "warn": message("The data can be used; some of it needs a look."),
    "pass": message("Nothing stands against using the data."),
}
SEVERITIES = {"stop": message("Stop"), "warn": message("Look at it"), "note": message("Note")}
FREQUENCIES = {"D": message("day"), "W": message("week"), "M": message("month"), "Q": message("quarter"), "Y": message("year")}


def quality_section(
    quality: Mapping[str, object] | None, scores: pd.DataFrame | None = None, *, lines: bool = True, forecast: int = 0
) -> Section | None:
    """Say what the gates found in the data, and how good the extract of people is beside the last one.

    `lines`: with the lines of a config that some of it would need, which are for analysts; `forecast`: how many series are forecast.
    """
    if quality is None:
        return None
    findings = quality.get("findings", [])
    rows = [dict(f) for f in findings] if isinstance(findings, list) else []
    parts: list[Table | Figure | Block] = []
    about = quality.get("about")
    if isinstance(about, Mapping):
        family = str(about.get("frequency", ""))[:1]
        ends = {k: words.period(about[k], family) for k in ("first", "last") if family in tuple("MQY") and about.get(k)}
        read = tuple(f"{say(name)}: {ends.get(k) or _said(about[k])}" for k, name in READ.items() if about.get(k) not in (None, ""))
        if forecast > int(about.get("series") or forecast):
            read = (*read, say("Series that are forecast, with each segment on its own: {number}", number=forecast))
        parts += [Block(read, kind="list", heading=say("What was read"))] if read else []
    if rows:
        frame = pd.DataFrame(rows)
        if "message" in frame:
            frame["message"] = [words.capital(str(m) if lines else str(m).partition(HINT)[0].strip()) for m in frame["message"]]
        frame["severity"] = [say(SEVERITIES[str(s)]) for s in frame["severity"]]
        if "rows" in frame:
            frame["rows"] = [words.join(map(str, r)) if isinstance(r, list | tuple) else "" for r in frame["rows"]]
        names = {"severity": "How grave", "message": "What was found", "where": "Where", "count": "How many", "rows": "Rows of the file"}
        if spoken() != "en" and "message" in frame:
            frame["told"] = [say(RULES_TOLD[r]) if r in RULES_TOLD else "" for r in frame.get("rule", pd.Series("", index=frame.index))]
            names = {"severity": "How grave", "told": "What was found", "where": "Where", "count": "How many", "rows": "Rows of the file",
                     "message": message("In detail (in English)")}  # fmt: skip
        parts.append(table_of(frame, say("What was found in the data"), names=names, formats={"count": "count"}, stored=["message"]))
    parts += _score_tables(scores) if scores is not None and len(scores) else []
    lead = say(VERDICTS.get(str(quality.get("verdict")), message("What the checks found before anything was forecast.")))
    return Section("quality", say("The data"), tuple(parts), lead)


def _score_tables(scores: pd.DataFrame) -> list[Table]:
    """Write the scores of the last extract by field, and by area over all fields, each with its change since the extract before."""
    last = scores[scores["data"] == scores["data"].iloc[-1]]
    cuts = (
        ("field", last[last["area"] == "all"], say("How good the extract of people is, by field")),
        ("area", last[last["area"] != "all"], say("How good the extract of people is, by area: the mean of its fields")),
    )
    note = say("100% is best. In brackets: percentage points more or less than in the extract before.")
    tables = []
    for by, rows, caption in cuts:
        if rows.empty:
            continue
        mean = rows.groupby([by, "measure"], sort=False)[["score", "change"]].mean()
        told = [f"{words.percent(s)}{f' ({c * 100:+.1f})' if abs(c) >= 0.0005 else ''}" for s, c in mean.itertuples(index=False)]
        wide = pd.Series(told, index=mean.index).unstack("measure").reindex(columns=list(MEASURES))
        frame = wide.reindex(rows[by].unique()).dropna(axis="columns", how="all").reset_index()
        tables.append(table_of(frame, caption, names={by: CUTS[by], **MEASURES}, formats={}, note=note))
    return tables


def _said(value: object) -> str:
    if isinstance(value, list | tuple):
        return words.join(map(str, value))
    if isinstance(value, Mapping):
        return "; ".join(f"{words.label(k)} {_said(v)}" for k, v in value.items())
    if isinstance(value, int | float) and not isinstance(value, bool):
        return words.count(value)
    text = str(value)
    if text.split("-")[0] in FREQUENCIES:
        return say(FREQUENCIES[text.split("-")[0]])
    return words.day(text) if len(text) in (10, 19) and text[:4].isdigit() and text[4] == "-" else text


def method_section(inputs: ReportInput) -> Section:
    """Say how it was done, in the words of the trade too, and what it cannot do."""
    run = inputs.run
    models = run.get("models")
    names = words.join(say(MODELS.get(str(m), str(m))) for m in models) if isinstance(models, list | tuple) else say("several models")
    draws = words.count(float(run["draws"])) if run.get("draws") else say("a few hundred")
    how = (
        say(
            "Models: {names}. Each is replayed at earlier cutoffs; those that did better weigh more in the combined forecast.", names=names
        ),
        say(
            "Possible futures: {number} joint draws of all series at once. Their spread comes from the paths of past errors, so that "
            "months and series that went wrong together before go wrong together again. Quantiles are taken last and never added.",
            number=draws,
        ),
        say(
            "Scenarios change the same draws, so differences are paired. Costs are demand in each draw times a drawn price; a stock "
            "becomes weeks as the mean of opening and closing counts."
        ),
        say("Low to high is an 80% range (10% below, 10% above) unless said otherwise."),
    )
    limits = (
        say(
            "The past is the only teacher: a change of law, of policy or of recording that has no example in the data is not foreseen "
            "unless a scenario describes it."
        ),
        say("A range holds the truth four times in five only while the world goes wrong in the ways in which it went wrong before."),
        say("Counts of people who came are not counts of people in need; where places ran out, the count follows the places."),
        say("What goes with a driver need not be its effect."),
        say("Segments describe groups. They are not to be used to decide about one person."),
    )
    return Section(
        "method",
        say("Method and limits"),
        (Block(how, kind="list", heading=say("How it was done")), Block(limits, kind="list", heading=say("What it cannot tell"))),
    )


def _marked_as(inputs: ReportInput, key: str, value: object) -> str:
    if key == "as_of":
        return words.day(value)
    return words.period(value, inputs.frequency.family) if key == "cutoff" else str(value)


def run_section(inputs: ReportInput) -> Section:
    """Give the run's passport: what was put in, and its marks."""
    run, rows = inputs.run, []
    for key, text in (
        ("name", say("Run")),
        ("fingerprint", say("Fingerprint")),
        ("config_hash", say("Hash of the config")),
        ("as_of", say("As of")),
        ("cutoff", say("Last period counted")),
        ("seed", say("Seed")),
        ("draws", say("Possible futures")),
        ("horizon", say("Periods ahead")),
        ("frequency", say("Frequency")),
    ):
        if run.get(key) is not None:
            value = run[key]
            rows.append((text, _marked_as(inputs, key, value)))
    for key, text in (("data", say("Data")), ("versions", say("Version"))):
        found = run.get(key)
        if isinstance(found, Mapping):
            rows += [(f"{text}: {name}", str(mark)) for name, mark in sorted(found.items())]
    return Section(
        "run",
        say("Where this comes from"),
        (*sign_off_table(inputs), Table(say("The marks of this run"), (say("What"), say("Value")), tuple(rows))),
        say("Anyone with the same data, config and versions gets the same figures."),
    )
