"""Read the data and say what is wrong with it, before any model sees it."""

from __future__ import annotations

import json

import pandas as pd

from demand.data.policies import settled
from demand.data.quality import quality_summary
from demand.errors import DataError, Fault, raise_all
from demand.report.html import quality_page
from pipelines.checked import HEADING, as_before, drifted, mapping, scores
from pipelines.config import RunConfig
from pipelines.job import Job
from pipelines.preflight import check_config
from pipelines.store import Writer

__all__ = ["NEEDS", "missing", "rests_on", "run"]

NEEDS: tuple[str, ...] = ()


def missing(_config: RunConfig) -> str:
    """Every config names data."""
    return ""


def rests_on(config: RunConfig) -> list[object]:
    """Give the settings that the results depend on, beside the data and the stages before."""
    units = [cost.model_dump(mode="json", exclude={"amount", "uplift"}) | {"unit": cost.amount.unit} for cost in config.costs]
    events = config.forecast.events if config.forecast else []
    return [config.title, config.name, list(config.selectors()), units, events, config.report.languages]


def run(job: Job, writer: Writer) -> None:
    """Write quality.json and quality.html and what the next check goes by; selectors that match nothing are found here.

    What stops a run is written too: the job stops when it has been. Where a file is absent nothing was checked, and nothing is written.

    Raises
    ------
    DemandError
        Of files that are absent, and of what the config says and the data does not have.
    """
    if any(f.rule == "absent_file" for f in job.inputs.findings):
        raise_all([Fault(f.message) for f in job.inputs.findings if f.severity == "stop"], DataError, during="reading the data")
    known = mapping(job)
    findings = [*job.inputs.findings, *settled(drifted(job, known), job.config.data.quality)]
    stopped = any(f.severity == "stop" for f in findings)
    if not stopped:
        check_config(job)
    summary = quality_summary(findings, title=job.config.heading, **({} if stopped else _extent(job)))
    writer.json("quality.json", summary)
    scored = scores(job)
    writer.text("quality.html", quality_page(summary, scored, languages=job.config.report.languages))
    if known:
        known = as_before(job, known) if stopped else known
        writer.text("mapping.yaml", HEADING + json.dumps(known, indent=2, ensure_ascii=False) + "\n")
    if scored is not None:
        writer.table("quality_scores.csv", scored)


def _extent(job: Job) -> dict[str, object]:
    """How much was read: series, rows, people, first and last period."""
    told: dict[str, object] = {}
    people, history = job.inputs.people, job.inputs.history
    if people is not None:
        told |= {"rows_of_people": len(people), "people": int(people["person_id"].nunique())}
    if job.inputs.places is not None:
        told |= {"places": len(job.inputs.places)}
    if history is not None:
        first = pd.Timestamp(history.table["ds"].min())
        told |= {"series": len(history.ids), "rows": len(history.table), "first": first.date(), "last": history.last.date()}
        told |= {"frequency": history.frequency.code}
    return told
