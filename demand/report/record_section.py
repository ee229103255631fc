"""The section on the track record: how earlier forecasts would have done, and how often their ranges held.

In: a `ReportInput` and its lines. Out: the section, or None where nothing was replayed. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from demand.report import figures, words
from demand.report.about_sections import MODELS
from demand.report.facts import Line
from demand.report.inputs import ReportInput
from demand.report.languages import say
from demand.report.parts import Block, Figure, Section, Table, table_of
from demand.report.record import misses

__all__ = ["LEVELS", "track_section"]

LEVELS = {"total": "All together", "series": "Each series"}
MEASURES = {
    "mase": "Size of the errors (MASE; smaller is better)",
    "skill": "Better than repeating last year, on the same counts (skill; below 0 is worse)",
    "wql": "Weighted quantile loss (WQL)",
    "sql": "Scaled quantile loss (SQL)",
    "bias": "Leaning (bias)",
    "coverage80": "Share inside the 4-in-5 range",
    "coverage95": "Share inside the 19-in-20 range",
}
SPANS = {"all": "Single periods", "year 1": "The financial year that comes next", "year 2": "The one after", "year 3": "The third",
         "sum": "The whole stretch that is forecast"}  # fmt: skip


def track_section(inputs: ReportInput, found: list[Line]) -> Section | None:
    """Show how earlier forecasts would have done."""
    if inputs.backtest_summary is None and not inputs.track_record:
        return None
    parts: list[Table | Figure | Block] = []
    if inputs.track_record:
        parts.append(Block(inputs.track_record, kind="list"))
    for line in found[1:4]:
        said = misses(inputs, line)
        if not said.empty:
            title = f"{line.title}: what we would have said a year ahead, and what happened"
            parts.append(figures.past(line.past, said, title=title, write=line.write))
    parts += _ranges_held(inputs)
    summary = inputs.backtest_summary
    if summary is not None and not summary.empty:
        whole = summary[summary["horizon"].astype(str) == "all"].copy()
        wide = whole.pivot_table(index=["level", "model"], columns="measure", values="value", sort=False).reset_index()
        series = whole.groupby(["level", "model"])["n_series"].max() if "n_series" in whole else pd.Series(dtype=int)
        if len(series):
            wide["n_series"] = series.reindex(pd.MultiIndex.from_frame(wide[["level", "model"]])).to_numpy()
        wide["level"] = wide["level"].replace(LEVELS)
        wide["model"] = [MODELS.get(str(m), words.label(m)) for m in wide["model"]]
        names = {"level": "Level", "model": "Model", "n_series": "Series"} | {m: text for m, text in MEASURES.items() if m in wide}
        formats = {m: ("percent" if m.startswith("coverage") else (lambda v: f"{v:.2f}")) for m in MEASURES if m in wide}
        formats["n_series"] = "count"
        times = int(whole["n_cutoffs"].max()) if len(whole) else 0
        parts.append(
            table_of(
                wide,
                f"Accuracy over {words.plural(times, 'earlier date')}, by model",
                names=names,
                formats=formats,
                note="Each earlier date used only what was known then. Ranges are judged where enough earlier dates stood behind them. "
                "A slow model may have been tried on some of the series: only its skill compares like with like.",
            )
        )
    return Section(
        "track",
        say("Track record"),
        tuple(parts),
        "The whole way of forecasting was put back to earlier dates and asked what it would have said.",
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
            name = LEVELS.get(str(level), words.capital(words.label(level, inputs.spec.names)))
            frame.append({"level": name, "span": SPANS[span], **said, "apart": held.loc[key, "n_independent"], **off})
    if not frame:
        return []
    names = {"level": "Level", "span": "Of", "coverage80": "4-in-5 range held", "coverage95": "19-in-20 range held",
             "apart": "Dates that do not overlap", "miss": "Typical miss", "bias": "All together too high or low"}  # fmt: skip
    note = "Forecasts that overlap in time are wrong together. With fewer than 20 dates that do not overlap, how often a range held is "
    note += "told and nothing is concluded from it."
    formats: dict[str, str | Callable[[float], str]] = {
        "apart": "count",
        "miss": "percent",
        "bias": lambda v: "" if pd.isna(v) else f"{v:+.0%}",
    }
    return [table_of(pd.DataFrame(frame), "How often ranges held", names=names, formats=formats, note=note)]


def _said(row: pd.Series) -> str:
    """Give "5 of 6", or where there are enough dates the share and what is concluded."""
    verdict = str(row["verdict"])
    return verdict if " of " in verdict else f"{row['value']:.0%}: {verdict}"
