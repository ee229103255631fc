"""The section on the track record: how earlier forecasts would have done, and how often their ranges held.

In: a `ReportInput` and its lines. Out: the section, or None where nothing was replayed. Refuses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd

from demand.languages import message, say, say_many
from demand.report import figures, words
from demand.report.about_sections import MODELS
from demand.report.facts import Line
from demand.report.inputs import ReportInput
from demand.report.parts import Block, Figure, Section, Table, table_of
from demand.report.record import misses

__all__ = ["level_name", "track_section"]

LEVELS = {"total": message("All together"), "series": message("Each series")}
MEASURES = {
    "mase": message("Size of the errors (MASE; smaller is better)"),
    "skill": message("Better than repeating last year, on the same counts (skill; below 0 is worse)"),
    "wql": message("Weighted quantile loss (WQL)"),
    "sql": message("Scaled quantile loss (SQL)"),
    "bias": message("Leaning (bias)"),
    "coverage80": message("Share inside the 4-in-5 range"),
    "coverage95": message("Share inside the 19-in-20 range"),
}
SPANS = {
    "all": message("Single periods"),
    "year 1": message("The financial year that comes next"),
    "year 2": message("The one after"),
    "year 3": message("The third"),
    "sum": message("The whole stretch that is forecast"),
}


VERDICTS = {"too narrow": message("too narrow"), "too wide": message("too wide"), "holds": message("holds")}


def level_name(inputs: ReportInput, level: object) -> str:
    """Say what a level of the totals is."""
    known = LEVELS.get(str(level))
    return words.capital(words.label(level, inputs.spec.names)) if known is None else say(known)


def track_section(inputs: ReportInput, found: list[Line]) -> Section | None:
    """Show how earlier forecasts would have done."""
    if inputs.backtest_summary is None and not inputs.track_record:
        return None
    parts: list[Table | Figure | Block] = []
    if inputs.track_record:
        parts.append(Block(tuple(map(inputs.in_words, inputs.track_record)), kind="list", stored=True))
    for line in found[1:4]:
        said = misses(inputs, line)
        if not said.empty:
            title = say("{what}: what we would have said a year ahead, and what happened", what=line.title)
            parts.append(figures.past(line.past, said, title=title, write=line.write))
    parts += _ranges_held(inputs)
    summary = inputs.backtest_summary
    if summary is not None and not summary.empty:
        whole = summary[summary["horizon"].astype(str) == "all"].copy()
        wide = whole.pivot_table(index=["level", "model"], columns="measure", values="value", sort=False).reset_index()
        series = whole.groupby(["level", "model"])["n_series"].max() if "n_series" in whole else pd.Series(dtype=int)
        if len(series):
            wide["n_series"] = series.reindex(pd.MultiIndex.from_frame(wide[["level", "model"]])).to_numpy()
        wide["level"] = [level_name(inputs, level) for level in wide["level"]]
        wide["model"] = [say(MODELS.get(str(m), words.label(m))) for m in wide["model"]]
        names = {"level": "Level", "model": "Model", "n_series": "Series"} | {m: text for m, text in MEASURES.items() if m in wide}
        formats = {m: ("percent" if m.startswith("coverage") else (lambda v: f"{v:z.2f}")) for m in MEASURES if m in wide}
        formats["n_series"] = "count"
        times = int(whole["n_cutoffs"].max()) if len(whole) else 0
        parts.append(
            table_of(
                wide,
                say_many(
                    "Accuracy over {number} earlier date, by model", "Accuracy over {number} earlier dates, by model", times, number=times
                ),
                names=names,
                formats=formats,
                note=say(
                    "Each earlier date used only what was known then. Ranges are judged where enough earlier dates stood behind them. "
                    "A slow model may have been tried on some of the series: only its skill compares like with like."
                ),
            )
        )
    return Section(
        "track",
        say("Track record"),
        tuple(parts),
        say("The whole way of forecasting was put back to earlier dates and asked what it would have said."),
    )


def _ranges_held(inputs: ReportInput) -> list[Table]:
    """Show how often ranges held, at each level and for each stretch of time."""
    summary = inputs.backtest_summary
    if summary is None or "verdict" not in summary:
        return []
    rows = summary[(summary["model"] == "combined") & summary["horizon"].astype(str).isin(list(SPANS))]
    wide = {m: rows[rows["measure"] == m].set_index(["level", "horizon"]) for m in ("coverage80", "coverage95", "miss", "bias")}
    held, frame = wide["coverage80"], []
    for level in dict.fromkeys(held.index.get_level_values("level")):
        for span in (s for s in SPANS if (level, s) in held.index):
            key = (level, span)
            off = {m: float(wide[m].loc[key, "value"]) if key in wide[m].index else float("nan") for m in ("miss", "bias")}
            said = {m: _said(wide[m].loc[key]) if key in wide[m].index else "" for m in ("coverage80", "coverage95")}
            name = level_name(inputs, level)
            frame.append({"level": name, "span": say(SPANS[span]), **said, "apart": held.loc[key, "n_independent"], **off})
    if not frame:
        return []
    names = {"level": "Level", "span": "Of", "coverage80": "4-in-5 range held", "coverage95": "19-in-20 range held",
             "apart": "Dates that do not overlap", "miss": "Typical miss", "bias": "All together too high or low"}  # fmt: skip
    note = say(
        "Forecasts that overlap in time are wrong together. With fewer than 20 dates that do not overlap, how often a range held is "
        "told and nothing is concluded from it."
    )
    formats: dict[str, str | Callable[[float], str]] = {
        "apart": "count",
        "miss": "percent",
        "bias": lambda v: "" if pd.isna(v) else f"{v:+.0%}",
    }
    return [table_of(pd.DataFrame(frame), say("How often ranges held"), names=names, formats=formats, note=note)]


def _said(row: pd.Series) -> str:
    """Give "5 of 6", or where there are enough dates the share and what is concluded."""
    verdict = str(row["verdict"])
    counted = re.fullmatch(r"(\d+) of (\d+)(?: figures at (\d+) dates?)?", verdict)
    if counted is None:
        return f"{row['value']:.0%}: {say(VERDICTS.get(verdict, verdict))}"
    held, of, dates = counted.groups()
    said = say("{held} of {number}", held=held, number=of)
    if dates is None:
        return said
    return say_many("{said} figures at {number} date", "{said} figures at {number} dates", int(dates), said=said, number=dates)
