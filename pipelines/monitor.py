"""Is the forecast of record still right? For a scheduler: an exit status, and monitor.json.

In: a job, whose output folder holds an approved run. Out: monitor.json, monitor_chart.csv, monitor.html, and what to do: nothing, look or
refit. Refuses a folder without an approved run, and an approved run of which a file was changed.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd

from demand.errors import Fault, StoreError
from demand.languages import spoken
from demand.monitoring import ACTIONS, contest, drivers_apart, monitor
from demand.report.html import section_page
from demand.report.monitor_section import ALARMS, NOT_COMPARED, SEGMENTS, TITLE, monitor_section
from demand.report.parts import Section
from demand.report.words import period
from demand.segments.drift import drift
from demand.segments.model import SegmentModel, assign_segments, first_rows
from demand.spec import fingerprint
from pipelines.frozen import latest, opened, told_erased
from pipelines.job import Job
from pipelines.results import load_draws, load_history
from pipelines.store import Store

__all__ = ["watch"]


def watch(job: Job) -> dict[str, Any]:
    """Hold what has been counted since the forecast of record against it, and write what was found.

    Parameters
    ----------
    job : Job

    Returns
    -------
    dict
        The content of monitor.json: `action` is the gravest of all that is asked for.

    Raises
    ------
    StoreError
        Where no run was approved, or one of its files was changed.
    DataError
        Where nothing of what was forecast has been counted.
    """
    folder = latest(job.store.folder)
    if folder is None:
        raise StoreError(Fault("there is no forecast of record", where=str(job.store.folder),
                               do_next="Approve a run: demand approve FOLDER --by ROLE --note WHY"))  # fmt: skip
    store, record = opened(folder)
    rules = (
        SegmentModel.from_json(store.path("segment_model.json").read_text(encoding="utf-8")) if store.has("segment_model.json") else None
    )
    if rules is None and "segment" in load_history(store.folder).keys and (gone := told_erased(record)):
        raise StoreError(Fault(f"what was forecast by segment cannot be counted so any more: {gone[0]}", where=str(folder),
                               do_next="Approve a run that was made since: demand approve FOLDER --by ROLE --note WHY"))  # fmt: skip
    history = job.inputs.history_by(rules if job.inputs.counted else None)
    if history is None:
        raise StoreError(Fault("this config counts nothing", do_next="Name `history`, or `people` with a column for `opened`"))
    found, since = monitor(load_draws(store), history), load_history(store.folder).last
    drivers, people = _drivers(job, store, since), _people(job, rules)
    rival = _challenger(job, store)
    series = found.signals.to_dict("records")
    asked = [found.action, *(d["action"] for d in drivers), people["action"], "refit" if rival["verdict"] == "replace" else "nothing"]
    told = {
        "record": {**{k: record[k] for k in ("name", "by", "approved", "hash")}, "erased": told_erased(record)},
        "since": str(since.date()),
        "counted_to": str(history.last.date()),
        "months": found.months,
        "action": max(asked, key=ACTIONS.index),
        "false_alarms": ALARMS,
        "signals": series,
        "coverage": found.coverage,
        "drivers": drivers,
        "segments": people,
        "challenger": rival,
    }
    with job.store.writing("monitor", fingerprint(record["hash"], job.inputs.hashes)) as writer:
        writer.json("monitor.json", told)
        writer.table("monitor_chart.csv", found.chart)
        write, report = partial(period, family=history.frequency.family), job.config.report

        def section() -> Section:
            return monitor_section(told, found.chart, write=write, names=report.words_in(spoken()))

        writer.text("monitor.html", section_page(TITLE, section, report.languages))
    return told


def _drivers(job: Job, store: Store, since: pd.Timestamp) -> list[dict[str, Any]]:
    now = job.inputs.drivers
    return [] if now is None else drivers_apart(store.table("driver_futures.parquet"), now, since)


def _people(job: Job, rules: SegmentModel | None) -> dict[str, Any]:
    """Say whether the people of now are still like those whom the segments were made from."""
    table = job.inputs.people if job.inputs.people is not None else job.inputs.places
    if rules is None or rules.reference is None or table is None or not rules.attributes:
        return {"advice": "none", "reason": SEGMENTS["none"], "action": "nothing"}
    rows = first_rows(table)
    told = drift(rules.reference, rows, assign_segments(rules, rows), rules.attributes, rules.labels, seed=job.config.seed)
    action = {"keep": "nothing", "re-describe": "look", "refit": "refit"}[told.advice]
    return {"advice": told.advice, "reason": told.reason, "action": action}


def _challenger(job: Job, store: Store) -> dict[str, Any]:
    if not job.store.has("backtest.parquet"):
        return {
            "cutoffs": 0,
            "won": 0,
            "verdict": "keep",
            "why": NOT_COMPARED,
        }
    return contest(job.store.table("backtest.parquet"), store.json("model_settings.json")["weights"])
