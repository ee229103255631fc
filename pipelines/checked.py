"""What a check keeps for the next one: scores of the data, and which columns and codes the files had.

In: a job. Out: the table of scores, and the content of mapping.yaml, which is reused with `data.mapping`. Refuses nothing: an earlier file
that cannot be read is as none.
"""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from demand.data.codes import proposed_codes
from demand.data.extracts import Extract
from demand.data.files import FileSpec
from demand.data.mapping import drift, seen_columns
from demand.data.quality import Finding
from demand.data.scores import quality_scores, with_trend
from demand.errors import DataError
from demand.spec import fingerprint
from pipelines.job import Job

__all__ = ["HEADING", "as_before", "drifted", "mapping", "scores"]

HEADING = """# Written by `demand check`: which columns each file has, and which spellings may mean one code.
# To use it: move what is right from 'proposed' to 'codes', put the file beside the config, and say there: data: {mapping: mapping.yaml}
"""


def mapping(job: Job) -> dict[str, Any]:
    """Give what is known of the columns and codes of each file.

    Returns
    -------
    dict
        By table: file, seen (column -> type), columns and codes (as the config has them), proposed (column -> code -> spellings).
    """
    told = {}
    for name, spec in _specs(job).items():
        try:
            seen = seen_columns(spec, job.inputs.folder, _named(spec))
        except DataError:
            seen = {}
        told[name] = {
            "file": spec.called, "seen": seen, "columns": spec.columns, "codes": spec.codes, "proposed": _proposed(job, name)
        }  # fmt: skip
    return told


def drifted(job: Job, now: dict[str, Any]) -> list[Finding]:
    """Name the columns that have changed since the mapping that the config names, or else since the last check."""
    before = {name: spec.seen for name, spec in _specs(job).items()}
    if not any(before.values()):
        before = _seen_before(job)
    return [
        f for name, about in now.items() if before.get(name) and about["seen"] for f in drift(before[name], about["seen"], about["file"])
    ]


def as_before(job: Job, now: dict[str, Any]) -> dict[str, Any]:
    """Leave the columns as the last check that went through saw them, where this one stops: what drifted is told until it is mended."""
    before = _seen_before(job)
    return {name: about | ({"seen": before[name]} if before.get(name) else {}) for name, about in now.items()}


def _seen_before(job: Job) -> dict[str, dict[str, str]]:
    if not job.store.has("mapping.yaml"):
        return {}
    text = job.store.path("mapping.yaml").read_text(encoding="utf-8").removeprefix(HEADING)
    return {name: about["seen"] for name, about in json.loads(text).items()}


def scores(job: Job) -> pd.DataFrame | None:
    """Give the scores of this run below those of the runs before; None where there are none at all."""
    extract, spec = _extract(job), job.config.data.people
    before = job.store.table("quality_scores.csv") if job.store.has("quality_scores.csv") else None
    if extract is None or spec is None:
        return before if spec is not None else None
    names = {"person_id": spec.person or spec.id, "episode_id": spec.id, "opened": spec.opened or "opened", "price": spec.price or "price"}
    found = [*extract.findings, *map(Finding.of_fault, extract.faults)]
    now = quality_scores(extract.people, extract.rows, found, keys=spec.keys, names=names)
    return with_trend(now, before, run=job.started, data=fingerprint(job.inputs.hashes.get("people", "")))


def _extract(job: Job) -> Extract | None:
    """The extract of people; None where it cannot be read at all, which the findings say."""
    try:
        return job.inputs.extract
    except DataError:
        return None


def _specs(job: Job) -> dict[str, FileSpec]:
    data = job.config.data
    given: dict[str, FileSpec | None] = {"people": data.people, "places": data.places, "history": data.history, "drivers": data.drivers}
    return {name: spec for name, spec in given.items() if spec is not None}


def _named(spec: FileSpec) -> list[str]:
    """The names of columns that the settings of a file mention."""
    about = spec.model_dump(exclude=set(FileSpec.model_fields))
    texts = [value for value in about.values() if isinstance(value, str)]
    return texts + [v for value in about.values() if isinstance(value, list) for v in value if isinstance(v, str)]


def _proposed(job: Job, name: str) -> dict[str, dict[str, list[str]]]:
    """Give the spellings that may be one code, of keys and of columns of words."""
    extract, spec = _extract(job), job.config.data.history
    if name == "people" and extract is not None and job.config.data.people is not None:
        people = job.config.data.people
        columns = {c: extract.people[c] for c in [*people.keys, *people.attributes] if extract.people[c].dtype == object}
    elif name == "history" and spec is not None:
        try:
            history = job.inputs.history
        except DataError:
            history = None
        columns = {k: history.series[k] for k in spec.keys} if history is not None else {}
    else:
        columns = {}
    found = {column: proposed_codes(texts.dropna().astype(str)) for column, texts in columns.items()}
    return {column: codes for column, codes in found.items() if codes}
