"""What a check keeps for the next one: scores of the data, and which columns and codes the files had.

In: a job. Out: the table of scores, and the content of mapping.yaml, which is reused with `data.mapping`. Refuses nothing: an earlier file
that cannot be read is as none.
"""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from demand.data.codes import proposed_codes
from demand.data.files import FileSpec
from demand.data.mapping import drift, seen_columns
from demand.data.quality import Finding
from demand.data.scores import quality_scores, with_trend
from demand.errors import DataError
from demand.spec import fingerprint
from pipelines.job import Job

__all__ = ["HEADING", "drifted", "mapping", "scores"]

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
    if not any(before.values()) and job.store.has("mapping.yaml"):
        text = job.store.path("mapping.yaml").read_text(encoding="utf-8").removeprefix(HEADING)
        before = {name: about["seen"] for name, about in json.loads(text).items()}
    return [
        f for name, about in now.items() if before.get(name) and about["seen"] for f in drift(before[name], about["seen"], about["file"])
    ]


def scores(job: Job) -> pd.DataFrame | None:
    """Give the scores of this run below those of the runs before; None where no extract of people is read."""
    extract, spec = job.inputs.extract, job.config.data.people
    if extract is None or spec is None:
        return None
    names = {"person_id": spec.person or spec.id, "episode_id": spec.id, "opened": spec.opened or "opened", "price": spec.price or "price"}
    found = [*extract.findings, *map(Finding.of_fault, extract.faults)]
    now = quality_scores(extract.people, extract.rows, found, keys=spec.keys, names=names)
    before = job.store.table("quality_scores.csv") if job.store.has("quality_scores.csv") else None
    return with_trend(now, before, run=job.started, data=fingerprint(job.inputs.hashes.get("people", "")))


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
    extract, spec = job.inputs.extract, job.config.data.history
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
