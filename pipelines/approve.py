"""Make a run the forecast of record: "Budget 2027-28 as set".

In: the output folder of a run, who approves it, and a note. Out: a frozen copy in its folder `records`, to which later movements and the
monitoring refer. Refuses what freezing refuses, and an approval without a role or a note.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from demand.errors import Fault, SettingsError, raise_all
from pipelines.frozen import APPROVED, freeze
from pipelines.store import Store

__all__ = ["approve"]


def approve(run: Path, *, by: str, note: str, name: str) -> Path:
    """Approve a run.

    Parameters
    ----------
    run : Path
        Its output folder.
    by : str
        The role that answers for it: "section 151 officer".
    note : str
        Why, and where it was decided.
    name : str
        What it is called from now on.

    Returns
    -------
    Path
        The frozen copy.

    Raises
    ------
    SettingsError
        Where a word is missing.
    StoreError
        Where the run cannot be frozen.
    """
    given = {"--by": by, "--note": note, "--name": name}
    faults = [
        Fault("this says nothing", where=key, do_next="Say it: it stands in the report") for key, word in given.items() if not word.strip()
    ]
    if not (run / "manifest.json").is_file():
        faults.append(Fault("there is no run here", where=str(run), do_next="Name the output folder of a run: outputs/NAME"))
    raise_all(faults, SettingsError, during="approving a run")
    into = run / APPROVED / re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    freeze(Store(run), into, {"name": name.strip(), "by": by.strip(), "note": note.strip(), "approved": now})
    return into
