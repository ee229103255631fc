"""Make a run the forecast of record: "Budget 2027-28 as set".

In: the output folder of a run, who approves it, and a note. Out: report and workbook with the sign-off, and a frozen copy in its folder
`records`, to which later movements and the monitoring refer. Refuses what freezing refuses, and an approval without a role or a note.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from demand.errors import Fault, SettingsError, raise_all
from demand.report.html import report_page
from demand.report.workbook import workbook
from pipelines.config import RESERVED, RunConfig
from pipelines.frozen import APPROVED, check_whole, freeze
from pipelines.report_input import report_input
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
    folder = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:64]
    if name.strip() and (not folder or folder in RESERVED):
        faults.append(
            Fault(f"no folder can be called '{name}'", where="--name", do_next='Give letters and figures: "Budget 2027-28 as set"')
        )
    raise_all(faults, SettingsError, during="approving a run")
    into = run / APPROVED / folder
    now = datetime.now(UTC).isoformat(timespec="seconds")
    store, about = Store(run), {"name": name.strip(), "by": by.strip(), "note": note.strip(), "approved": now}
    check_whole(store, into)
    if store.has("report.html"):
        _sign(store, about)
    freeze(store, into, about)
    return into


def _sign(store: Store, about: Mapping[str, str]) -> None:
    """Write report and workbook again, with the sign-off; all that they show is what the run has stored."""
    known, stage = store.manifest, store.manifest["stages"]["report"]
    config = RunConfig.model_validate(known["config"])
    inputs = report_input(config, store, known["data"], made_with=known["versions"], record={**about, "stands": True})
    kept = {name: store.path(name).read_bytes() for name in stage["files"]}
    with store.writing("report", stage["key"]) as writer:
        for name, content in kept.items():
            writer.bytes(name, content)
        writer.text("report.html", report_page(inputs))
        writer.bytes("budget.xlsx", workbook(inputs))
