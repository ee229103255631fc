"""What the command line says at the end: the answer in a few lines, and where to read on.

In: a finished job. Out: plain text. Refuses nothing: what was not run is not mentioned.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from demand.report.plan_facts import ledger_off
from demand.report.words import chance, legible, percent, pounds
from pipelines.job import Job

__all__ = ["summary"]

SHOWN = (
    "share/datapackage.json",
    "report.html",
    "summary.txt",
    "budget.xlsx",
    "quality.html",
    "quality_scores.csv",
    "mapping.yaml",
    "manifest.json",
)


def summary(job: Job) -> str:
    """Give the answer in a few lines."""
    lines = [job.config.heading, *_edits(job), *_data(job), *_segments(job), *_forecast(job), *_money(job)]
    done = ", ".join(f"{stage} {seconds:.0f} s" for stage, seconds in job.timings.items() if seconds >= 0.5)
    if done:
        lines.append(f"Took: {done}.")
    if job.reused:
        lines.append(f"Nothing had changed for: {', '.join(job.reused)}; earlier results stand.")
    lines += [f"  {job.store.folder / name}" for name in SHOWN if job.has(name)]
    return legible("\n".join(lines))


def _edits(job: Job) -> list[str]:
    """Say what a workbook that was read back has changed, old and new."""
    if job.edits is None:
        return []
    if job.edits.empty:
        return ["The workbook changes nothing: its numbers are the config's."]
    told = [
        f"  {r['assumption']}, {r['number']}: {r['old']:,.12g} -> {r['new']:,.12g} {r['unit']} ({r['sheet']} {r['cell']}"
        + (f", {r['changed_by']}" if r["changed_by"] else "")
        + ")"
        for r in job.edits.to_dict("records")
    ]
    return [f"Changed in the workbook ({len(told)}):", *told]


def _data(job: Job) -> list[str]:
    if not job.has("quality.json"):
        return []
    found = job.store.json("quality.json").get("findings", [])
    warned = sum(1 for f in found if f.get("severity") == "warn")
    return [f"Data: {warned} thing{'s' if warned > 1 else ''} to look at (quality.html)." if warned else "Data: nothing stood out."]


def _segments(job: Job) -> list[str]:
    if not job.has("segments.parquet"):
        return []
    sizes = job.store.table("segments.parquet")["segment"].value_counts()
    if len(sizes) == 1:
        return [f"Segments: none found among {sizes.sum():,}."]
    return [f"Segments: {', '.join(f'{name} {size:,}' for name, size in sizes.sort_index().items())}."]


def _forecast(job: Job) -> list[str]:
    if not job.has("forecast.parquet"):
        return []
    table = job.store.table("forecast.parquet")
    first, last = pd.Timestamp(table["ds"].min()), pd.Timestamp(table["period_end"].max())
    ended = len(job.store.table("not_forecast.csv")) if job.has("not_forecast.csv") else 0
    told = [
        f"Forecast: {table['unique_id'].nunique():,} series, {first:%B %Y} to {last:%B %Y}." + (f" {ended} have ended." if ended else "")
    ]
    told += _idle_drivers(job)
    if job.has("track_record.json"):
        told += job.store.json("track_record.json")[:2]
    return told


def _idle_drivers(job: Job) -> list[str]:
    """Say loudly which drivers no model used."""
    if not job.has("driver_use.parquet"):
        return []
    rows = job.store.table("driver_use.parquet").groupby("driver")
    told = {
        True: "These drivers move ranges and scenarios alone.",
        False: "What these drivers do could not be estimated, and they move nothing.",
    }
    idle, acting = ~rows["used"].any(), rows["effect"].count() > 0
    lists = {acts: [str(name) for name in idle.index[idle & (acting == acts)]] for acts in told}
    return [f"NO MODEL USED: {', '.join(names)}. {told[acts]}" for acts, names in lists.items() if names]


def _money(job: Job) -> list[str]:
    if not job.has("budget.csv"):
        return []
    rows = job.store.table("budget.csv")
    rows = rows[(rows["scenario"] == "baseline") & (rows["line"] == "total")]
    return [_year(r) for r in rows.itertuples()] + (_ledger(job) if rows["budget_pence"].notna().any() else [])


def _ledger(job: Job) -> list[str]:
    """Say so where the check against the ledger is outside what was allowed."""
    if not job.has("reconciliation.csv"):
        return []
    row = ledger_off(job.store.table("reconciliation.csv"))
    if row is None:
        return []
    return [
        f"THE LEDGER DOES NOT AGREE: counts and prices come to {percent(row['share'])} of what was spent in {row['financial_year']}; "
        "hold the cost against the budget only once that is cleared up."
    ]


def _year(row: Any) -> str:
    low, high = pounds(row.p10_pence / 100), pounds(row.p90_pence / 100)
    told = f"{row.financial_year}: {pounds(row.expected_pence / 100)} expected, {low} to {high} (4 years in 5)"
    if pd.isna(row.budget_pence):
        return f"{told}."
    return f"{told}; budget {pounds(row.budget_pence / 100)}, the chance of an overspend is {chance(row.p_overspend)}."
