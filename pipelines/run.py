"""The whole chain: every stage that the config says enough for, then the record of the run.

In: a Job. Out: the stages' files, the manifest, and a run in MLflow. Refuses what the stages refuse.
"""

from __future__ import annotations

import os

from demand.errors import StoreError
from demand.secrets import redacted
from demand.spec import fingerprint
from pipelines.job import Job
from pipelines.mlflow_home import address_of, sqlite_path
from pipelines.recorder import Recorder

__all__ = ["run"]


def run(job: Job, stages: list[str]) -> str:
    """Do some stages and what they need, and record the run.

    Parameters
    ----------
    job : Job
    stages : list of str
        From `pipelines.job.STAGES`.

    Returns
    -------
    str
        What could not be recorded, in words; empty where all is well.

    Raises
    ------
    DemandError
        Whatever a stage refuses.
    """
    recorded = job.store.manifest.get("mlflow_run_id") if _recorded_there(job) else None
    with Recorder(job.config) as recorder:
        for stage in stages:
            job.do(stage)
        if recorded and len(stages) == 1 and not job.timings and "MLFLOW_RUN_ID" not in os.environ:
            job.finish(recorded)  # one stage was looked at again and nothing is new: the run is recorded already
            return ""
        job.finish(None)
        job.progress("record", 0.0)
        try:
            run_id = recorder.record(job.store, job.inputs.drivers)
        except StoreError as error:
            return str(error)
    job.finish(run_id)
    job.progress("record", 1.0)
    return ""


def _recorded_there(job: Job) -> bool:
    """Say whether the last run was recorded where this one is to be, as far as can be told without asking a server."""
    address = address_of(job.config.tracking.uri)
    path = sqlite_path(address)
    return job.store.manifest.get("recorded_in") == fingerprint(redacted(address)) and (path is None or path.exists())
