"""Files put in the place of earlier ones: all of them or none, and by one run at a time.

In: a hidden folder with new files and the output folder. Out: the new files in their places. Refuses to begin where another run is writing.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from demand.errors import Fault, StoreError

__all__ = ["HALF", "alone", "running", "swap", "sync_folder", "write_synced"]

HALF = ".half-"
"""How the hidden folders begin in which a stage writes."""


def write_synced(path: Path, text: str) -> None:
    """Write text and wait until the disk has it."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make renames last: where a folder can be opened (not on Windows), the system is asked to write it down."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def swap(place: Path, folder: Path, names: Iterable[str], *, gone: Iterable[str]) -> None:
    """Put files in the place of earlier ones; where one cannot be replaced (it is open in another program), all earlier ones come back."""
    aside, moved, put = place / ".earlier", [], []
    try:
        for name in (*names, *gone):
            (aside / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            if (folder / name).exists():
                (folder / name).replace(aside / name)
                moved.append(name)
            if (place / name).exists():
                (place / name).replace(folder / name)
                put.append(name)
    except OSError:
        for name in put:
            (folder / name).unlink(missing_ok=True)
        for name in moved:
            (aside / name).replace(folder / name)
        raise


def running(process: int) -> bool:
    """Say whether a process of this computer is alive; where nobody can tell (on Windows), that it is."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let one run at a time write into a folder, and clear away what a killed one has left half done.

    Parameters
    ----------
    folder : Path

    Yields
    ------
    None

    Raises
    ------
    StoreError
        Where another run is at work there.
    """
    from filelock import FileLock, Timeout

    who = os.getuid() if hasattr(os, "getuid") else getpass.getuser()
    name = hashlib.sha256(f"{who} {folder.resolve()}".encode()).hexdigest()[:16]
    try:
        with FileLock(Path(tempfile.gettempdir()) / f"demand-{name}.lock", timeout=1):
            for half in folder.glob(f"{HALF}*"):
                shutil.rmtree(half, ignore_errors=True)
            yield
    except Timeout as error:
        fault = Fault("another run is writing here", where=str(folder), do_next="Wait for it, or give another folder with --output")
        raise StoreError(fault) from error
