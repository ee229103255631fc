"""The whole chain: every stage that the config says enough for, then the record of the run.

In: a Job. Out: the stages' files, the manifest, and a run in MLflow. Refuses what the stages refuse.
"""

from __future__ import annotations

from threading import Thread

from demand.errors import Fault, StoreError
from pipelines.job import Job

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
    for stage in stages:
        job.do(stage)
    job.finish(None)
    job.progress("record", 0.0)
    try:
        run_id = _recorded(job)
    except StoreError as error:
        return str(error)
    job.finish(run_id)
    job.progress("record", 1.0)
    return ""


def _recorded(job: Job) -> str | None:
    """Record the run; a tracking server that is slow, or never answers, is waited for as long as the config says, and no longer."""
    from pipelines.tracking import track

    ended: list[str | StoreError | None] = []

    def record() -> None:
        try:
            ended.append(track(job.config, job.store, drivers=job.inputs.drivers))
        except StoreError as error:
            ended.append(error)

    seconds = job.config.tracking.patience_seconds
    worker = Thread(target=record, daemon=True)  # which the end of the program does not wait for
    worker.start()
    worker.join(seconds)
    if worker.is_alive():
        hint = "Results in the output folder are complete, and the next run records them; `tracking: {patience_seconds: ...}` waits longer"
        raise StoreError(Fault(f"MLflow did not answer within {seconds} seconds", where="tracking.uri", do_next=hint))
    if not ended:
        raise StoreError(Fault("MLflow stopped with a fault of its own, told above", do_next="Results in the output folder are complete"))
    if isinstance(ended[0], StoreError):
        raise ended[0]
    return ended[0]
