"""A person taken out of everything that a run has stored: tables, models, MLflow.

In: a job and the references (or pseudonyms) of people. Out: what was done, in words. Refuses references that nothing stored knows. What
lies in the council's own extracts is not touched: it is named, to be taken out there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from demand.data.files import ROW
from demand.data.people import pseudonymise
from demand.errors import DataError, Fault, listed
from pipelines.frozen import APPROVED, MONTHS, RECORD, erased_from, frozen
from pipelines.job import Job
from pipelines.store import Store

__all__ = ["MODELS_THAT_SAW", "erase", "holding", "tokens"]

PSEUDONYM = re.compile(r"[0-9a-f]{16}")
MODELS_THAT_SAW = ("segment_model", "segment_portraits", "segment_profile", "model_parts", "replays")
"""Files, by the beginning of their names, that were fitted to or tell of the people of a run."""
FIGURES = ("replays",)
"""Of those, sums that a frozen run keeps, as it keeps its forecasts: what moved since is told from them."""
STAGES = ("link", "segment", "caseload", "forecast", "backtest", "explain", "scenario", "budget", "report")
"""The stages that are done again without the person by the next run."""


def tokens(job: Job, ids: Sequence[str]) -> set[str]:
    """Give every form in which a person may be stored: the reference itself, and its pseudonym.

    Parameters
    ----------
    job : Job
    ids : sequence of str
        References as in the extract, or pseudonyms.

    Returns
    -------
    set of str
    """
    given = [i.strip() for i in ids if i.strip()]
    raw = pd.Series([i for i in given if not PSEUDONYM.fullmatch(i)], dtype=object)
    made = [] if raw.empty else [p for use in ("person", "episode") for p in pseudonymise(raw, job.inputs.key, purpose=use)]
    return {*given, *made}


def erase(job: Job, ids: Sequence[str]) -> list[str]:
    """Take people out of an output folder and of MLflow.

    Parameters
    ----------
    job : Job
    ids : sequence of str
        References as in the extract, or pseudonyms.

    Returns
    -------
    list of str
        What was done and what is left to do, a sentence each; no reference that was given is repeated.

    Raises
    ------
    DataError
        Where no file that is stored or read knows any of them, or where the extract has no references but only numbers its rows.
    StoreError
        Where a file cannot be written, or MLflow cannot be cleaned.
    """
    from pipelines.tracking import forget_runs

    people = job.config.data.people
    if people is not None and people.id == ROW and people.person is None and not all(PSEUDONYM.fullmatch(i.strip()) for i in ids):
        raise DataError(
            Fault("the people of this extract have no references: their rows are only numbered, and other extracts have the same numbers",
                  where="data.people.id", allowed="Pseudonyms of 16 signs, as in segments.parquet (person_id)",
                  do_next="Look up the row's attributes there and give its pseudonym. Then take the row out of the extract and run again")
        )  # fmt: skip
    wanted, store = tokens(job, ids), job.store
    rows, texts = _tables(store, wanted), [p for p in _own(store, wanted) if p.suffix not in (".parquet", ".csv")]
    sources = holding(job.inputs.folder, wanted, below=False) if job.config.data.example is None else []
    if not rows and not texts and not sources:
        known, hint = "A reference as in the extract, or a pseudonym", "Was the key for pseudonyms (DEMAND_KEY_FILE) another one?"
        raise DataError(Fault("nobody of that reference is stored", where=str(store.folder), allowed=known, do_next=hint))
    models = [n for n in store.manifest.get("files", {}) if n.startswith(MODELS_THAT_SAW)]
    frozen_without, linked = _out_of_frozen(store, wanted), _linked(store, wanted)
    dropped = sorted({*models, *(p.relative_to(store.folder).as_posix() for p in texts if p.name != "manifest.json")})
    store.erase({name: table for name, (table, _) in rows.items()}, drop=dropped, forget=STAGES)
    said = [f"{name}: {count} {'row was' if count == 1 else 'rows were'} taken out." for name, (_, count) in rows.items()]
    said += [f"Models and tables that saw the person were deleted: {listed(dropped)}."] if dropped else []
    said += forget_runs(job.config)
    left = [p.name for p in holding(store.folder, wanted)]
    said += (
        [f"STILL THERE, take it out by hand: {listed(left)}."] if left else ["A search of every byte of the output folder finds nothing."]
    )
    said += [*frozen_without, *linked]
    if sources:
        said.append(f"The extract still holds the person: {listed(p.name for p in sources)}. Take the rows out there before the next run.")
    return [*said, "The next `demand run` fits everything again, without the person."]


def holding(folder: Path, wanted: set[str], *, below: bool = True) -> list[Path]:
    """Give the files that hold any of some texts, in their bytes or, where they are compressed, in their cells.

    Parameters
    ----------
    folder : Path
    wanted : set of str
    below : bool
        Whether folders below are searched too.

    Returns
    -------
    list of Path
    """
    sought = [w.encode() for w in wanted]
    files = sorted(p for p in (folder.rglob("*") if below else folder.glob("*")) if p.is_file())
    return [p for p in files if any(w in content for content in _contents(p) for w in sought)]


def _own(store: Store, wanted: set[str]) -> list[Path]:
    """Give the files of the run itself that hold any of some texts: frozen runs have hashes of their own."""
    aside = [store.folder / kind for kind in (APPROVED, MONTHS)]
    return [p for p in holding(store.folder, wanted) if not any(p.is_relative_to(place) for place in aside)]


def _contents(path: Path) -> Iterator[bytes]:
    yield path.read_bytes()
    if path.suffix == ".parquet":
        table = pd.read_parquet(path)
        yield "\n".join(text for c in table.select_dtypes(exclude="number") for text in table[c].map(_said).unique()).encode()
    if path.suffix in (".xlsx", ".docx"):
        from zipfile import ZipFile

        with ZipFile(path) as file:
            yield b"".join(file.read(name) for name in file.namelist())


def _said(cell: object) -> str:
    """Give all that stands in a cell, be it a list."""
    return "\n".join(map(_said, cell)) if isinstance(cell, list | tuple | np.ndarray) else str(cell)


def _out_of_frozen(store: Store, wanted: set[str]) -> list[str]:
    """Take models that saw the person, and whatever names them, out of frozen runs; each keeps the hashes of what went, and says why."""
    said, day = [], datetime.now(UTC).date().isoformat()
    for folder in (run for kind in (APPROVED, MONTHS) for run in frozen(store.folder, kind)):
        models = {p.name for p in folder.iterdir() if p.name.startswith(MODELS_THAT_SAW) and not p.name.startswith(FIGURES)}
        naming = {p.relative_to(folder).as_posix() for p in holding(folder, wanted)} - {RECORD}
        gone = erased_from(folder, sorted(models | naming), day=day)
        if gone:
            told = f"{folder.relative_to(store.folder).as_posix()}: {listed(gone)} taken out; its record keeps their hashes and says why."
            said.append(f"{told} What was approved can still be told from the rest.")
    return said


def _linked(store: Store, wanted: set[str]) -> list[str]:
    """Name the other references under which a person perhaps stands: they are taken out where somebody says that it is the same person."""
    if not store.has("links.parquet"):
        return []
    pairs = store.table("links.parquet")[["person_a", "person_b"]]
    others = set(pairs[pairs.isin(wanted).any(axis=1)].to_numpy().ravel()) - wanted
    told = f"perhaps the same person, under another reference, and still stored: {listed(sorted(others), most=len(others))}."
    return [f"{told} If so, erase these pseudonyms too."] if others else []


def _tables(store: Store, wanted: set[str]) -> dict[str, tuple[pd.DataFrame, int]]:
    """Give the stored tables that hold a person, without the person's rows, and how many those were."""
    found = {}
    for path in _own(store, wanted):
        if path.suffix in (".parquet", ".csv"):
            table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype=str, keep_default_na=False)
            hit = table.select_dtypes(exclude="number").astype(str).isin(wanted).any(axis=1)
            left = table[~hit].reset_index(drop=True)
            for name in left.select_dtypes("category"):
                left[name] = left[name].cat.remove_unused_categories()
            found[path.relative_to(store.folder).as_posix()] = (left, int(hit.sum()))
    return found
