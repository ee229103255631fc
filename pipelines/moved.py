"""What moved since an earlier run of the same config, and what each forecast of this year said."""

from __future__ import annotations

import pandas as pd

from demand.errors import StoreError
from demand.languages import spoken
from demand.moved import moved
from demand.report.html import section_page
from demand.report.moved_section import TITLE, moved_section, what_moved
from demand.report.parts import Section
from demand.scenario import BASELINE
from pipelines.config import RunConfig
from pipelines.frozen import APPROVED, MONTHS, frozen, opened
from pipelines.job import Job
from pipelines.results import load_history
from pipelines.retold import retold
from pipelines.store import Store, Writer

__all__ = ["NEEDS", "missing", "rests_on", "run"]

NEEDS = ("forecast", "budget")
COLUMNS = ["line", "financial_year", "expected_pence", "p10_pence", "p90_pence"]


def missing(config: RunConfig) -> str:
    """Say what the config lacks for this stage."""
    return (
        "" if config.since and (config.costs or config.prices) else "Use `demand update`, or name a frozen run under `since` (and `costs`)"
    )


def rests_on(config: RunConfig) -> list[object]:
    """Give the settings that the results depend on, beside the data and the stages before."""
    return [config.since, config.report.languages, config.report.names, config.report.names_in]


def run(job: Job, writer: Writer) -> None:
    """Write moved.csv, said.csv, which run they are held against, and one page of all."""
    then, record = opened(job.inputs.folder / str(job.config.since))
    table = moved(retold(then, job))
    gone = record.get("erased", {})
    since = {"name": record["name"], "by": record["by"] if "approved" in record else None, "gone": sorted(gone),
             "on": sorted({about["on"] for about in gone.values()})}  # fmt: skip
    said, unread = _said(job)
    writer.table("moved.csv", table)
    writer.table("said.csv", said)
    writer.json("moved_since.json", since)
    writer.json("moved_notes.json", [*what_moved(table, said, since), *unread])
    report = job.config.report

    def section() -> Section:
        return moved_section(what_moved(table, said, since), table, said, names=report.words_in(spoken()))

    writer.text("moved.html", section_page(TITLE, section, report.languages))


def _said(job: Job) -> tuple[pd.DataFrame, list[str]]:
    """Give what each earlier month, each approved run and this one expected, by line and financial year, and which were damaged."""
    rows, unread = [], []
    for kind in (APPROVED, MONTHS):
        for folder in frozen(job.store.folder, kind):
            try:
                store, record = opened(folder)
            except StoreError as error:
                unread.append(f"What the frozen run {kind}/{folder.name} expected is left out: {error}")
                continue
            if store.has("budget.csv"):
                rows.append(_of(store).assign(forecast=record["name"], record=kind == APPROVED))
    rows.append(_of(job.store).assign(forecast="now", record=False))
    return pd.concat(rows).sort_values(["line", "financial_year", "counted_to"], kind="stable", ignore_index=True), unread


def _of(store: Store) -> pd.DataFrame:
    table = store.table("budget.csv")
    counted = load_history(store.folder)
    until = counted.frequency.end_of(pd.DatetimeIndex([counted.last]))[0].date()
    table = table.loc[table["scenario"] == BASELINE, COLUMNS].assign(counted_to=str(until), projected_pence=pd.NA)
    if store.has("outturn.csv"):
        projected = store.table("outturn.csv")[["line", "financial_year", "projected_pence"]]
        # A year that was counted to its end is forecast no more: what it will have cost still moves with the ledger.
        table = table.drop(columns="projected_pence").merge(projected, on=["line", "financial_year"], how="outer", sort=False)
        table = table.assign(counted_to=str(until)).astype(dict.fromkeys([c for c in table if str(c).endswith("_pence")], "Int64"))
    return table
