"""Write the report and the workbook from what the other stages stored."""

from __future__ import annotations

from typing import Any

from demand.report.governance import governance_page
from demand.report.html import report_page
from demand.report.paste import pasted, summary_text
from demand.report.workbook import workbook
from pipelines.config import RunConfig
from pipelines.job import Job
from pipelines.report_input import report_input
from pipelines.store import Writer

__all__ = ["NEEDS", "missing", "rests_on", "run"]

NEEDS = ("check", "segment", "caseload", "forecast", "backtest", "explain", "scenario", "budget", "moved", "comparators")


def missing(config: RunConfig) -> str:
    """Say what the config lacks for this stage."""
    return "" if config.forecast or config.segments else "Add a `forecast` or a `segments` section"


def rests_on(config: RunConfig) -> list[object]:
    """Give the settings that the results depend on, beside the data and the stages before."""
    return [config.name, config.title, config.report, config.disclosure, config.publish, config.scenarios, config.governance]


def run(job: Job, writer: Writer) -> None:
    """Write report.html, budget.xlsx, what a committee paper needs, and the records that law and good practice ask for."""
    inputs = report_input(job.config, job.store, job.inputs.hashes)
    writer.text("report.html", report_page(inputs))
    writer.bytes("budget.xlsx", workbook(inputs))
    writer.text("summary.txt", summary_text(inputs))
    for name, content in pasted(inputs).items():
        writer.bytes(f"paste/{name}", content)
    page = governance_page(inputs, job.config.governance, people=_people(job), files=job.store.manifest.get("files", {}))
    writer.text("governance.md", page)


def _people(job: Job) -> dict[str, Any] | None:
    """Say what is read of people, and why."""
    if job.config.data.people is not None:
        return job.config.data.people.model_dump(mode="json")
    if job.inputs.people is None:
        return None
    made = dict.fromkeys(("purpose", "lawful_basis", "retention"), "an example: nobody in it is real")
    return {**made, "keys": job.inputs.keys, "attributes": job.inputs.attributes}
