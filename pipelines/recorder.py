"""The process that records a run: MLflow takes two seconds to load, and is ready there by the time the work is done.

In: a config when the work begins, its output folder when it has ended. Out: the MLflow run's id. A run that is killed, or ends in an error,
leaves a process that sees its input end, and ends too.
"""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demand.errors import DemandError, Fault, SettingsError, StoreError

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.config import RunConfig
    from pipelines.store import Store

__all__ = ["Recorder", "serve"]

KINDS = {"SettingsError": SettingsError, "StoreError": StoreError}


class Recorder:
    """Records one run.

    Parameters
    ----------
    config : RunConfig
    """

    def __init__(self, config: RunConfig) -> None:
        self.config = config
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Recorder:
        """Start the process, where anything is to be recorded."""
        if self.config.tracking.uri != "none":
            words = [sys.executable, "-c", "from pipelines.recorder import serve; serve()"]
            place = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
            self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=place)
        return self

    def __exit__(self, *error: object) -> None:
        """End the process: it has nothing to do any more."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def record(self, store: Store, drivers: pd.DataFrame | None) -> str | None:
        """Record the run, which has ended.

        Parameters
        ----------
        store : Store
            The finished output folder.
        drivers : pandas.DataFrame or None
            As in `pipelines.tracking.track`.

        Returns
        -------
        str or None
            The MLflow run's id; None where nothing is to be recorded.

        Raises
        ------
        StoreError
            Where it could not be recorded. Results are complete all the same.
        SettingsError
            Where a secret is not in the environment.
        """
        if self._process is None:
            return None
        asked = {"config": self.config.model_dump(mode="json"), "folder": str(store.folder), "drivers": _packed(drivers)}
        process, self._process, seconds = self._process, None, self.config.tracking.patience_seconds
        if process.stdout is not None:
            process.stdout.readline()  # that it has loaded: patience is for servers
        try:
            told, _ = process.communicate(json.dumps(asked), timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            hint = (
                "Results in the output folder are complete, and the next run records them; `tracking: {patience_seconds: ...}` waits longer"
            )
            raise StoreError(Fault(f"MLflow did not answer within {seconds} seconds", where="tracking.uri", do_next=hint)) from None
        if not told.strip():
            raise StoreError(
                Fault("the process that records the run ended without a word", do_next="Results in the output folder are complete")
            )
        answer = json.loads(told.splitlines()[-1])
        if answer["faults"]:
            raise KINDS[answer["kind"]]([Fault(**one) for one in answer["faults"]])
        return str(answer["run_id"])


def serve() -> None:
    """Load MLflow, wait for a run to end, record it, and write its id, or what was wrong, as a line of JSON."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who stops the run ends this process's input
    from pipelines.config import RunConfig
    from pipelines.mlflow_home import load
    from pipelines.store import Store
    from pipelines.tracking import track

    load()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    said = sys.stdin.read()
    if not said:
        return
    asked = json.loads(said)
    answer: dict[str, Any] = {"faults": []}
    try:
        answer["run_id"] = track(
            RunConfig.model_validate(asked["config"]), Store(Path(asked["folder"])), drivers=_unpacked(asked["drivers"])
        )
    except DemandError as error:
        answer |= {"kind": type(error).__name__, "faults": [asdict(fault) for fault in error.faults]}
    sys.stdout.write(json.dumps(answer) + "\n")


def _packed(drivers: pd.DataFrame | None) -> str:
    """Give a table as text: Parquet in base 64."""
    return "" if drivers is None else base64.b64encode(drivers.to_parquet(index=False)).decode()


def _unpacked(text: str) -> pd.DataFrame | None:
    import pandas as pd

    return pd.read_parquet(io.BytesIO(base64.b64decode(text))) if text else None
