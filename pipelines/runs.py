"""The runs that were recorded, as a plain table.

In: what MLflow has kept. Out: text. Refuses a tracking place that cannot be used.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pipelines.tracking import recorded

__all__ = ["runs_table"]

COLUMNS = {
    "started": "Started (UTC)",
    "name": "Config",
    "status": "Ended",
    "minutes": "Minutes",
    "horizon": "Periods",
    "error": "Error*",
    "run": "Run",
}
STATUS = {"FINISHED": "well", "FAILED": "with an error", "KILLED": "killed", "RUNNING": "still running"}
ERROR = "mase/series/combined"


def runs_table(name: str, *, uri: str, last: int) -> str:
    """Give the last runs, the latest first.

    Parameters
    ----------
    name : str
        A config's name; empty for all.
    uri : str
        As in the config's `tracking`.
    last : int
        How many.

    Returns
    -------
    str

    Raises
    ------
    StoreError
        Where the tracking place cannot be used.
    """
    rows = [_cells(run) for run in recorded(uri, name=name, last=last)]
    if not rows:
        return "No runs are recorded here. Runs are recorded where they were started (mlflow.db), unless MLFLOW_TRACKING_URI is set."
    widths = {c: max(len(head), *(len(r[c]) for r in rows)) for c, head in COLUMNS.items()}
    lines = ["  ".join(head.ljust(widths[c]) for c, head in COLUMNS.items())]
    lines += ["  ".join(row[c].ljust(widths[c]) for c in COLUMNS).rstrip() for row in rows]
    return "\n".join([*lines, "", "* Size of past errors beside those of repeating last year: below 1 is better."])


def _cells(run: Mapping[str, Any]) -> dict[str, str]:
    error = run["metrics"].get(ERROR)
    return {
        "started": f"{datetime.fromtimestamp(run['started'] / 1000, UTC):%Y-%m-%d %H:%M}",
        "name": run["name"],
        "status": STATUS.get(run["status"], run["status"].lower()),
        "minutes": f"{run['metrics']['minutes']:.1f}" if "minutes" in run["metrics"] else "",
        "horizon": run["params"].get("forecast.horizon", ""),
        "error": "" if error is None else f"{error:.2f}",
        "run": run["run"],
    }
