"""One run of one config: which stages it needs, in which order, and which earlier results can stand.

In: a config, an output folder and how many cores to use. Out: the stages' files in the folder, and the manifest. Refuses a stage that the
config says nothing about.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from demand.errors import DataError, Fault, SettingsError, raise_all
from demand.secrets import redacted
from demand.spec import fingerprint
from pipelines.config import RunConfig
from pipelines.frozen import marks
from pipelines.inputs import Inputs
from pipelines.mlflow_home import address_of
from pipelines.store import Store, source_hash, versions

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["STAGES", "Job", "Progress"]

STAGES = ("check", "segment", "caseload", "forecast", "backtest", "explain", "scenario", "budget", "moved", "comparators", "report")
"""The stages, in the order of the work. Each is a module of this package with NEEDS, `missing`, `rests_on` and `run`."""
READ_BY = {
    "actuals": ("check", "budget"),
    "since": ("moved",),
    "comparators": ("comparators", "forecast", "backtest", "moved"),
    "linkage": ("link",),
    "segments.": ("segment",),
}
"""Data that only some stages look at: a new month of the ledger forecasts nothing anew."""
EDITS_IN = "scenario"
"""The first stage that writes down what a workbook has changed."""
TELLS_OF_FROZEN = "moved"
"""The stage that reads every frozen run: one that was approved, or from which somebody was erased since, is told anew."""
Progress = Callable[[str, float], None]
"""Told what is being done and how much of the stage is done, 0 to 1."""


def _silent(_what: str, _share: float) -> None:
    return None


@dataclass
class Job:
    """One run.

    Parameters
    ----------
    config : RunConfig
    inputs : Inputs
    store : Store
    jobs : int
        Cores to use.
    progress : Progress
        Called as the work goes on.
    edits : pandas.DataFrame, optional
        What a workbook changed in the config's numbers, where one was read back.
    planned : pipelines.results.Planned, optional
        What the scenarios come to, from the first stage that needs it to the last.
    """

    config: RunConfig
    inputs: Inputs
    store: Store
    jobs: int = 1
    progress: Progress = _silent
    edits: pd.DataFrame | None = None
    planned: Any = None
    timings: dict[str, float] = field(default_factory=dict)
    reused: list[str] = field(default_factory=list)
    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    _keys: dict[str, str] = field(default_factory=dict)

    def do(self, stage: str) -> None:
        """Do a stage and, before it, the stages that it needs; earlier results stand where nothing that they rest on has changed.

        Parameters
        ----------
        stage : str
            One of `STAGES`, or publish: what has left stays as it was until it is published again.

        Raises
        ------
        SettingsError
            Where the config lacks what the stage needs.
        DataError
            Where the check found what stops a run.
        """
        module = importlib.import_module(f"pipelines.{stage}")
        lacking = module.missing(self.config)
        if lacking:
            raise SettingsError(Fault(f"`demand {stage}` needs a section that this config does not have", allowed=lacking))
        for needed in self._needed(module.NEEDS):
            if needed not in self._keys:
                self.do(needed)
        if stage in self._keys:
            return
        self._keys[stage] = self._key(stage, module)
        if self.store.fresh(stage, self._keys[stage]):
            self.reused.append(stage)
            self.progress(stage, 1.0)
            self._stop_where_data_cannot_be_used(stage)
            return
        begun = time.perf_counter()
        self.progress(stage, 0.0)
        later = set(STAGES[STAGES.index(stage) + 1 :]) if stage in STAGES[1:] else {"report"} if stage == "check" else set()
        with self.store.writing(stage, self._keys[stage]) as writer:
            module.run(self, writer)
            self.store.forget(later - set(self._keys))
        self.timings[stage] = round(time.perf_counter() - begun, 3)
        self.progress(stage, 1.0)
        self._stop_where_data_cannot_be_used(stage)

    def wanted(self) -> list[str]:
        """Give the stages that the config says enough for."""
        return [s for s in STAGES if not importlib.import_module(f"pipelines.{s}").missing(self.config)]

    def has(self, name: str) -> bool:
        """Say whether a file is among the results of this run's stages, made now or earlier."""
        stages = self.store.manifest.get("stages", {})
        return any(name in stages[stage]["files"] for stage in self._keys if stage in stages) or name == "manifest.json"

    def finish(self, run_id: str | None) -> None:
        """Write down what this run was: the manifest's last words."""
        about: dict[str, Any] = {
            "config": redacted(self.config.model_dump(mode="json")),
            "seed": self.config.seed,
            "as_of": self.config.as_of,
            "data": self.inputs.hashes,
            "versions": versions(),
            "source": source_hash("pipelines.forecast"),
            "timings": {**self.store.manifest.get("timings", {}), **self.timings},
            "took": round(sum(self.timings.values()), 3),
            "started": self.started,
            "mlflow_run_id": run_id,
            "recorded_in": fingerprint(redacted(address_of(self.config.tracking.uri))) if run_id else None,
            "inputs_changes": [] if self.edits is None else self.edits.to_dict("records"),
        }
        self.store.update(about)

    def _stop_where_data_cannot_be_used(self, stage: str) -> None:
        """After the check has told all that it found: end the run where any of it stops it."""
        if stage == "check":
            stops = [f for f in self.store.json("quality.json")["findings"] if f["severity"] == "stop"]
            raise_all([Fault(f["message"]) for f in stops], DataError, during="checking the data")

    def _needed(self, names: tuple[str, ...]) -> list[str]:
        return [n for n in names if not importlib.import_module(f"pipelines.{n}").missing(self.config)]

    def _key(self, stage: str, module: Any) -> str:
        others = tuple(name for name, stages in READ_BY.items() if stage not in stages)
        hashes = {name: mark for name, mark in self.inputs.hashes.items() if not name.startswith(others)}
        data = self.config.data.model_copy(update={n: None for n in others if n in type(self.config.data).model_fields})
        rests_on = to_jsonable_python([self.config.seed, self.config.as_of, data, module.rests_on(self.config)])
        if stage == EDITS_IN and self.edits is not None:  # who changed a number and why is stored beside it
            rests_on = [*rests_on, self.edits.to_dict("records")]
        if stage == TELLS_OF_FROZEN:
            rests_on = [*rests_on, marks(self.store.folder)]
        before = [self._keys[n] for n in self._needed(module.NEEDS) if n != "check"]  # which makes nothing that others read
        return fingerprint(stage, rests_on, hashes, before, source_hash(f"pipelines.{stage}"), versions())
