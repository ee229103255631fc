"""Earlier segments: kept beside the new ones, so that no run replaces rules or members that somebody may still need.

In: the output folder and the stage's new files. Out: the earlier rules under a name of their own, the members of the run before, and a
sentence that says so. Refuses nothing.
"""

from __future__ import annotations

import hashlib

from pipelines.store import MEMBERS_BEFORE, Store, Writer

__all__ = ["keep_earlier"]


def keep_earlier(store: Store, writer: Writer) -> list[str]:
    """Carry earlier rules, and the members of the run before, over into a stage's new files.

    Parameters
    ----------
    store : Store
    writer : Writer
        Holds the new segment_model.json and segments.parquet already.

    Returns
    -------
    list of str
        What is said of it; empty where nothing was replaced.
    """
    said = []
    for name in store.manifest.get("stages", {}).get("segment", {}).get("files", ()):
        if name.startswith("segment_model_") and store.has(name):
            writer.bytes(name, store.path(name).read_bytes())
    new = {name: (writer.folder / name).read_bytes() for name in ("segment_model.json", "segments.parquet")}
    old = {name: store.path(name).read_bytes() for name in (*new, MEMBERS_BEFORE) if store.has(name)}
    rules = old.get("segment_model.json", new["segment_model.json"])
    if rules != new["segment_model.json"]:
        name = f"segment_model_{hashlib.sha256(rules).hexdigest()[:8]}.json"
        writer.bytes(name, rules)
        said.append(f"The rules that were here before are kept as {name}; `--assign --model` with that file uses them again.")
    if old.get("segments.parquet", new["segments.parquet"]) != new["segments.parquet"]:
        writer.bytes(MEMBERS_BEFORE, old["segments.parquet"])
        said.append(f"Who was in which segment in the run before is kept as {MEMBERS_BEFORE}.")
    elif MEMBERS_BEFORE in old:
        writer.bytes(MEMBERS_BEFORE, old[MEMBERS_BEFORE])
    return said
