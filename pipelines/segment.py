"""Group service users, or places, and describe each group."""

from __future__ import annotations

from demand.segments.episodes import episodes
from demand.segments.equality import equality
from demand.segments.expected import expected_use
from demand.segments.keeping import keep_segments
from demand.segments.model import nearest_share
from demand.segments.portrait import portraits
from demand.segments.profile import profile
from demand.segments.use import use
from pipelines.config import RunConfig
from pipelines.job import Job
from pipelines.kept import keep_earlier
from pipelines.store import Writer

__all__ = ["NEEDS", "missing", "rests_on", "run"]

NEEDS = ("check",)


def missing(config: RunConfig) -> str:
    """Say what the config lacks for this stage."""
    if config.segments is None:
        return "Add a `segments` section"
    given = config.data.people or config.data.places or config.data.example
    return "" if given else "Name `people` or `places` under `data`"


def rests_on(config: RunConfig) -> list[object]:
    """Give the settings that the results depend on, beside the data and the stages before."""
    return [config.segments]


def run(job: Job, writer: Writer) -> None:
    """Write segments.parquet (person-level), segment_profile.csv, segment_model.json, portraits, use, and the evidence for their number."""
    spec, inputs = job.config.segments, job.inputs
    table = inputs.people if inputs.people is not None else inputs.places
    if spec is None or table is None:
        return
    named = [c for c in ("person_id", "episode_id", "opened", "closed", "price") if c in table]
    table = table[[*named, *[c for c in dict.fromkeys([*inputs.keys, *inputs.attributes]) if c not in named]]]
    seed, attributes = job.config.seed, inputs.attributes
    (saved, last), (previous, earlier) = inputs.earlier(spec.saved), inputs.earlier(spec.previous)
    before = last if saved else earlier
    if saved and before is None and job.store.has("segments.parquet"):  # a frozen run holds no persons; the run before this one does
        before = job.store.table("segments.parquet")[["person_id", "segment"]]
    kept = keep_segments(
        table, spec, seed=seed, attributes=attributes, saved=saved, previous=previous, before=before, jobs=job.jobs, progress=job.progress
    )
    model, members = kept.model, kept.members
    told = profile(table, members, spec, used=model.attributes)
    spells = episodes(table, keys=inputs.keys, counts=inputs.counts) if "opened" in table else table
    asked = use(spells, members, as_of=inputs.last_day) if "opened" in table else None
    protected, absent = equality(table, members)
    ahead = expected_use(spells, members, model.attributes, outcome=spec.outcome, as_of=inputs.last_day, seed=seed)
    noun = "people" if inputs.people is not None else "places"
    drawn = portraits(table, members, told, attributes=model.attributes, use=asked, groups=model.groups, noun=noun, seed=seed)
    writer.table("segments.parquet", members)
    writer.text("segment_model.json", model.to_json())
    writer.table("segment_profile.csv", told)
    writer.json("segment_portraits.json", [p.model_dump(mode="json") for p in drawn])
    unknown = [f"Not recorded, so nobody can say how segments differ in it: {', '.join(absent)}."] if absent and noun == "people" else []
    writer.json("segment_notes.json", [*kept.notes, *keep_earlier(job.store, writer), *ahead.notes, *unknown])
    tables = {"evidence": kept.evidence, "equality": protected, **kept.tables, **ahead.tables}
    for name, made in tables.items():
        if len(made.columns):
            writer.table(f"segment_{name}.csv", made)
    if asked is not None:
        # Pounds by segment are of everybody, each in the likeliest one: so are these shares, for the two to be compared.
        writer.table("segment_use.csv", asked.assign(nearest_share=asked["segment"].map(nearest_share(model, table))))
