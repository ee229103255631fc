"""Write the report and the workbook from what the other stages stored."""

from __future__ import annotations

from demand.report.html import report_page
from demand.report.workbook import workbook
from pipelines.config import RunConfig
from pipelines.job import Job
from pipelines.report_input import report_input
from pipelines.store import Writer

__all__ = ["NEEDS", "missing", "rests_on", "run"]

NEEDS = ("check", "segment", "forecast", "backtest", "explain", "scenario", "budget", "moved")


def missing(config: RunConfig) -> str:
    """Say what the config lacks for this stage."""
    return "" if config.forecast or config.segments else "Add a `forecast` or a `segments` section"


def rests_on(config: RunConfig) -> list[object]:
    """Give the settings that the results depend on, beside the data and the stages before."""
    return [config.name, config.title, config.report, config.disclosure, config.scenarios]


def run(job: Job, writer: Writer) -> None:
    """Write report.html and budget.xlsx."""
    inputs = report_input(job)
    writer.text("report.html", report_page(inputs))
    writer.bytes("budget.xlsx", workbook(inputs))
