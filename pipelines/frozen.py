"""Frozen runs: a copy of a run that nobody changes any more, with a hash of every file, so that later figures can refer to it.

In: an output folder whose run has ended. Out: a folder inside it with the run's files and record.json. Refuses a run of which a file was
changed or is missing, a frozen run that is there already, and, when it is looked at again, one of which a file was changed. Files about
persons are not copied: what is frozen are figures, and people have a right to be forgotten. A model that saw somebody who asked for that
goes, and its hash stays with the day and the reason: what was approved can still be told from what is there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from demand.errors import Fault, StoreError, listed, raise_all
from demand.spec import fingerprint
from pipelines.replacing import write_synced
from pipelines.store import Store

__all__ = [
    "APPROVED",
    "MONTHS",
    "RECORD",
    "check_whole",
    "erased_from",
    "freeze",
    "frozen",
    "latest",
    "marks",
    "opened",
    "recorded",
    "signed_off",
    "told_erased",
]

FIGURES = ("draws.parquet", "segment_model.json", "budget.csv", "waterfall.csv")
"""Files that say whether two runs have the same figures."""
RECORD, APPROVED, MONTHS = "record.json", "records", "months"
"""The file that describes a frozen run, and the folders of approved runs and of earlier months."""
ERASED = "erased on request"


def freeze(store: Store, into: Path, about: Mapping[str, Any]) -> dict[str, Any]:
    """Copy a run whole, but for files about persons, and write down the hash of every file.

    Parameters
    ----------
    store : Store
    into : Path
        A folder that is not there yet.
    about : mapping
        What is known of it beside: who approved it, its name...

    Returns
    -------
    dict
        The content of record.json; `hash` is that of all the rest of it.

    Raises
    ------
    StoreError
        Where the folder is there already, the run has not ended, or a file was changed since it was written.
    """
    check_whole(store, into)
    files = store.manifest["files"]
    kept = sorted(name for name, one in files.items() if one["class"] != "person-level")
    hashes = {}
    try:
        into.mkdir(parents=True)
        for name in [*kept, "manifest.json"]:
            content = (store.folder / name).read_bytes()
            (into / name).parent.mkdir(parents=True, exist_ok=True)  # what was published lies in a folder of its own
            (into / name).write_bytes(content)
            hashes[name] = hashlib.sha256(content).hexdigest()
        record = {**about, "run": store.manifest["config"]["name"], "files": hashes}
        record["hash"] = _hash(record)
        for name in hashes:
            (into / name).chmod(0o444)  # a reminder; what holds are the hashes
        _write(into, record)
    except OSError as error:
        raise StoreError(
            Fault(f"the run cannot be frozen: {error.strerror}", where=str(into), do_next="Look at the disk and the rights")
        ) from error
    return record


def check_whole(store: Store, into: Path) -> None:
    """Look whether a run can be frozen.

    Raises
    ------
    StoreError
        Where the folder is there already, the run has not ended, or a file was changed since it was written.
    """
    files = store.manifest.get("files", {})
    faults = [Fault(f"{name} has been changed, or is gone, since the run wrote it", where=str(store.folder), do_next="Run the config again")
              for name in files if not store.has(name)]  # fmt: skip
    if not files or "config" not in store.manifest:
        faults.append(Fault("there is no finished run here", where=str(store.folder), do_next="Name the output folder of a run that ended"))
    if into.exists():
        faults.append(Fault("this is frozen already", where=str(into), do_next="Give it another name"))
    raise_all(faults, StoreError, during="freezing a run")


def opened(folder: Path) -> tuple[Store, dict[str, Any]]:
    """Open a frozen run, and look whether it is as it was frozen.

    Returns
    -------
    store : Store
    record : dict
        The content of record.json.

    Raises
    ------
    StoreError
        Where a file was changed since it was frozen, or is gone for another reason than that somebody asked to be erased.
    """
    try:
        record: dict[str, Any] = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        gone = {n for n in record.get("erased", {}) if not (folder / n).exists()}
        left = {n: h for n, h in record["files"].items() if n not in gone}
        changed = [n for n, h in left.items() if hashlib.sha256((folder / n).read_bytes()).hexdigest() != h]
        changed += [] if record["hash"] == _hash(record) else [RECORD]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            Fault(f"a frozen run cannot be read: {error}", where=str(folder), do_next="Take the folder from the backup, or away")
        ) from error
    if changed:
        raise StoreError(Fault(f"{listed(changed)} changed since the run was frozen", where=str(folder),
                               do_next="Take the folder from the backup: what was approved cannot be told from this one"))  # fmt: skip
    return Store(folder), record


def erased_from(folder: Path, names: Iterable[str], *, day: str) -> list[str]:
    """Take files that saw a person out of a frozen run; the record keeps their hashes, and says when and why they went.

    Parameters
    ----------
    folder : Path
        A frozen run.
    names : iterable of str
    day : str
        Of the erasure.

    Returns
    -------
    list of str
        What was taken out: those of the names that were there.

    Raises
    ------
    StoreError
        Where the run was changed since it was frozen, or cannot be written.
    """
    _, record = opened(folder)
    out = [name for name in names if name in record["files"] and (folder / name).exists()]
    told = {name: {"sha256": record["files"][name], "why": ERASED, "on": day} for name in out}
    try:
        (folder / RECORD).chmod(0o644)
        _write(folder, {**record, "erased": {**record.get("erased", {}), **told}})
        for name in out:
            (folder / name).chmod(0o644)  # Windows removes no file that is only for reading
            (folder / name).unlink()
    except OSError as error:
        raise StoreError(
            Fault(f"nothing can be erased there: {error.strerror}", where=str(folder), do_next="Look at the rights")
        ) from error
    return out


def told_erased(record: Mapping[str, Any]) -> list[str]:
    """Say what is no longer in a frozen run, and why; nothing where all is there."""
    gone = record.get("erased", {})
    days = ", ".join(sorted({about["on"] for about in gone.values()}))
    return [f"{listed(sorted(gone))} of '{record['name']}' were {ERASED} on {days}; their hashes are kept."] if gone else []


def frozen(folder: Path, kind: str) -> Iterator[Path]:
    """Give the frozen runs of an output folder: approved ones, or those of earlier months, in the order of their names."""
    yield from sorted(p.parent for p in (folder / kind).glob(f"*/{RECORD}"))


def marks(folder: Path) -> list[str]:
    """Give the hashes of what the frozen runs of an output folder are described by: they change with each that comes and each erasure."""
    return [hashlib.sha256((p / RECORD).read_bytes()).hexdigest() for kind in (APPROVED, MONTHS) for p in frozen(folder, kind)]


def latest(folder: Path) -> Path | None:
    """Give the forecast of record of an output folder: the run that was approved last; None where none was."""
    found = [(json.loads((p / RECORD).read_text(encoding="utf-8")).get("approved", ""), p) for p in frozen(folder, APPROVED)]
    return max(found, key=lambda one: (one[0], str(one[1])))[1] if found else None


def recorded(store: Store) -> dict[str, object]:
    """Give what `signed_off` gives, and whether the run that lies in the folder now is the one that was approved: `stands`."""
    about: dict[str, object] = dict(signed_off(store.folder))
    folder = latest(store.folder)
    if folder is None:
        return {}
    files = json.loads((folder / RECORD).read_text(encoding="utf-8"))["files"]
    now = {name: one["sha256"] for name, one in store.manifest.get("files", {}).items()}
    return {**about, "stands": all(files.get(name) == now.get(name) for name in FIGURES)}


def signed_off(folder: Path) -> dict[str, str]:
    """Give what stands in the sign-off block: name, by, note and approved of the forecast of record; empty where there is none."""
    record = latest(folder)
    if record is None:
        return {}
    about = json.loads((record / RECORD).read_text(encoding="utf-8"))
    return {key: str(about[key]) for key in ("name", "by", "note", "approved", "hash")}


def _write(folder: Path, record: Mapping[str, Any]) -> None:
    write_synced(folder / f".{RECORD}.new", json.dumps(record, indent=2, ensure_ascii=False, sort_keys=True) + "\n")
    (folder / f".{RECORD}.new").replace(folder / RECORD)
    (folder / RECORD).chmod(0o444)


def _hash(record: Mapping[str, Any]) -> str:
    """Give the hash of what was frozen, which erasing does not change: the report that was signed off names it."""
    return fingerprint(json.dumps({k: v for k, v in record.items() if k not in ("hash", "erased")}, sort_keys=True, ensure_ascii=False))
