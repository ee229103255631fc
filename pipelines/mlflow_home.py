"""Where MLflow keeps its records, and how it is opened: quiet, local, its owner's alone unless another address is given.

In: an address, or auto. Out: MLflow, set to it while it is used and as it was afterwards. Refuses an address that cannot be used.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from demand.errors import Fault, StoreError
from demand.secrets import redacted, with_secrets

__all__ = ["address_of", "experiment", "load", "mlflow_at", "sqlite_path"]

QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}


def load() -> None:
    """Load MLflow and its SQLite store, for a process of its own; where that fails, who needs them says so."""
    os.environ.update(QUIET)
    with contextlib.suppress(ImportError):
        importlib.import_module("mlflow.store.tracking.sqlalchemy_store")


@contextlib.contextmanager
def mlflow_at(uri: str) -> Iterator[Any]:
    """Give MLflow, set to an address.

    Parameters
    ----------
    uri : str
        As in the config's `tracking`: auto is what the environment says, else mlflow.db in the folder at hand.

    Yields
    ------
    module

    Raises
    ------
    StoreError
        Where it cannot be used.
    SettingsError
        Where a secret of the address is not in the environment.
    """
    before = {name: os.environ.get(name) for name in (*QUIET, "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_ID")}
    os.environ.update(QUIET)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*Any type hint.*")  # of MLflow about classes of its own
            import mlflow
            import mlflow.pyfunc
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        logger, earlier = logging.getLogger("mlflow"), mlflow.get_tracking_uri()
        level = logger.level
        logger.setLevel(logging.ERROR)
        address = with_secrets(address_of(uri))
        try:
            _prepare(mlflow, address)
            mlflow.set_tracking_uri(address)
            yield mlflow
        except (MlflowException, SQLAlchemyError, OSError, ImportError) as error:
            first = redacted(str(error).splitlines()[0])[:300]
            hint = "Results in the output folder are complete; `tracking: {uri: none}` leaves MLflow out"
            raise StoreError(Fault(f"MLflow could not be used: {first}", where="tracking.uri", do_next=hint)) from None
        finally:
            mlflow.set_tracking_uri(earlier)
            logger.setLevel(level)
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def address_of(uri: str) -> str:
    """Give the address that a config means, before its secrets are put in."""
    return (os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db") if uri == "auto" else uri


def sqlite_path(address: str) -> Path | None:
    """Give the file of a local store; None for any other address."""
    return Path(address.removeprefix("sqlite:///")) if address.startswith("sqlite:///") else None


def _prepare(mlflow: Any, address: str) -> None:
    """Make a local SQLite store once, readable by its owner only: several runs that start together would each try to make it."""
    path = sqlite_path(address)
    if path is None or path.exists():
        return
    from filelock import FileLock

    path.parent.mkdir(parents=True, exist_ok=True)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    making = path.with_name(f".{path.name}.new")
    with FileLock(path.with_name(f".{path.name}.lock")):
        if not path.exists():
            making.unlink(missing_ok=True)
            making.touch(mode=0o600)
            mlflow.MlflowClient(f"sqlite:///{making}").search_experiments(max_results=1)
            whole = path.with_name(f".{path.name}.whole")  # a copy: Windows renames no file that MLflow holds open
            whole.unlink(missing_ok=True)
            whole.touch(mode=0o600)
            shutil.copyfile(making, whole)
            whole.replace(path)
            with contextlib.suppress(PermissionError):
                making.unlink()


def experiment(mlflow: Any, name: str) -> None:
    """Set MLflow to the experiment of a config, and make it where it is not there yet."""
    if mlflow.get_experiment_by_name(name) is None:
        path = sqlite_path(mlflow.get_tracking_uri())
        place = None if path is None else (path.parent.resolve() / "mlartifacts").as_uri()
        with contextlib.suppress(mlflow.exceptions.MlflowException):
            mlflow.create_experiment(name, artifact_location=place)
    mlflow.set_experiment(name)
