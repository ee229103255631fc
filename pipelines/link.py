"""Find people who stand in the extracts twice, and what counting them once does to demand."""

from __future__ import annotations

from demand.data.identities import read_identities, read_labels
from demand.linkage import demand_once, judged, link
from pipelines.config import RunConfig
from pipelines.job import Job
from pipelines.store import Writer

__all__ = ["NEEDS", "missing", "rests_on", "run"]

NEEDS = ("check",)


def missing(config: RunConfig) -> str:
    """Say what the config lacks for this stage."""
    if config.linkage is None:
        return "Say which columns tell people apart: linkage: {forename: ..., surname: ..., born: ..., postcode: ...}"
    return "" if config.data.people else "Name an extract of people under `data > people`"


def rests_on(config: RunConfig) -> list[object]:
    """Give the settings that the results depend on, beside the data and the stages before."""
    return [config.linkage]


def run(job: Job, writer: Writer) -> None:
    """Write links.parquet (person-level: pairs of pseudonyms with their weights), linkage.json and linkage_demand.csv."""
    spec, people, inputs = job.config.linkage, job.config.data.people, job.inputs
    table = inputs.people
    if spec is None or people is None or table is None:
        return
    records = read_identities(people, spec, inputs.folder, key=inputs.key)
    found = link(records, seed=job.config.seed)
    groups = found.groups(spec.threshold)
    writer.table("links.parquet", found.pairs)
    sure = found.pairs[found.pairs["probability"] >= spec.threshold]
    summary = {
        "records": {str(name): int(n) for name, n in records["source"].value_counts().items()},
        "compared": [c for c in records.columns if c not in ("source", "person_id")],
        "threshold": spec.threshold,
        "pairs_kept": len(found.pairs),
        "pairs_taken_as_one_person": {f"{a} and {b}": int(n) for (a, b), n in sure.groupby(["source_a", "source_b"]).size().items()},
        "people_with_several_references": int(groups.nunique()),
        "judged": judged(groups, read_labels(spec.labels, inputs.folder, key=inputs.key)) if spec.labels else None,
        "notes": list(found.notes),
    }
    writer.json("linkage.json", summary)
    if "opened" in table:
        writer.table("linkage_demand.csv", demand_once(table, groups, keys=inputs.keys, until=inputs.last_day or table["opened"].max()))
