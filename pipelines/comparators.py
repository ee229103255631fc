"""The council beside others of its kind."""

from __future__ import annotations

from demand.comparators import beside_others, comparator_sentence
from demand.data.areas import read_areas
from pipelines.config import RunConfig
from pipelines.job import Job
from pipelines.store import Writer

__all__ = ["NEEDS", "missing", "rests_on", "run"]

NEEDS = ("check",)


def missing(config: RunConfig) -> str:
    """Say what the config lacks for this stage."""
    return "" if config.data.comparators else "Name a table of other areas under `data > comparators`"


def rests_on(_config: RunConfig) -> list[object]:
    """Rest on the data alone."""
    return []


def run(job: Job, writer: Writer) -> None:
    """Write comparators.csv, and where we stand in words."""
    spec = job.config.data.comparators
    if spec is None:
        return
    table = beside_others(read_areas(spec, job.inputs.folder)[0], ours=spec.ours)
    writer.table("comparators.csv", table)
    writer.json("comparator_notes.json", [comparator_sentence(table, what=spec.what)])
