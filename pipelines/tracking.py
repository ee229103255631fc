"""What MLflow is told: what a run leaves in it, and how a forecast is kept without pickle.

In: the finished output folder. Out: an MLflow run with parameters, scores, hashes, artifacts, a registered model, and nested runs: one for
the forecast itself (the champion) and for each model that stood against it, one for each scenario. The manifest is the truth and MLflow a
mirror of it. Refuses to log person-level files.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demand.errors import Fault, StoreError
from demand.secrets import redacted
from demand.spec import fingerprint
from pipelines.mlflow_home import experiment, mlflow_at, sqlite_path
from pipelines.replacing import running
from pipelines.store import Store, file_class

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.config import RunConfig

__all__ = ["ForecastModel", "forget_runs", "load_model", "recorded", "track"]

CHAMPION = "combined"
"""The forecast itself, in the tables of the backtest."""
NOT_ARTIFACTS = frozenset({"draws.parquet"})
"""Too large for a mirror: made again from the registered model."""
PROCESS = "demand.process"
"""A tag: the computer and the process that a run belongs to."""
MADE = "demand.made"
"""A tag: what the forecast and its scores were made from. A run that made neither anew logs no model again: the one before it has it."""
MODEL_FILES = ("history.parquet", "replays.parquet", "model_settings.json", "model_parts.json")
"""What a forecast is made again from, bit for bit."""


def track(config: RunConfig, store: Store, *, drivers: pd.DataFrame | None = None) -> str | None:
    """Record a finished run.

    Parameters
    ----------
    config : RunConfig
    store : Store
        The finished output folder.
    drivers : pandas.DataFrame, optional
        DRIVERS, kept with the model where the forecast used them.

    Returns
    -------
    str or None
        The MLflow run's id; None where the config says `tracking: {uri: none}`.

    Raises
    ------
    StoreError
        Where the tracking place cannot be used. Results are complete all the same.
    """
    if config.tracking.uri == "none":
        return None
    with mlflow_at(config.tracking.uri) as mlflow:
        joined = bool(os.environ.get("MLFLOW_RUN_ID"))
        if not joined:
            experiment(mlflow, config.name)
            _close_dead(mlflow, config.name)
        with mlflow.start_run(run_name=None if joined else config.name, tags={PROCESS: _process(os.getpid())}) as run:
            _log_run(mlflow, config, store)
            made = _made(store)
            if made and made != _last_made(mlflow, run):
                if store.has("model_settings.json"):
                    _log_model(mlflow, config.name, store, drivers)
                if store.has("backtest_summary.csv"):
                    _log_contest(mlflow, store)
            mlflow.set_tag(MADE, made)
            if store.has("demand.parquet"):
                _log_scenarios(mlflow, config, store)
            return str(run.info.run_id)


def forget_runs(config: RunConfig) -> list[str]:
    """Take all that was recorded of a config out of MLflow for good: runs, artifacts, models; and out of the free pages of its database.

    Parameters
    ----------
    config : RunConfig

    Returns
    -------
    list of str
        What was done, a sentence each.

    Raises
    ------
    StoreError
        Where MLflow cannot be used.
    """
    if config.tracking.uri == "none":
        return []
    with mlflow_at(config.tracking.uri) as mlflow:
        client, found = mlflow.MlflowClient(), mlflow.get_experiment_by_name(config.name)
        if found is None:
            return ["MLflow has no runs of it."]
        gone = [found.experiment_id]
        runs = client.search_runs(gone, run_view_type=mlflow.entities.ViewType.ALL, max_results=50_000)
        models = client.search_logged_models(gone, max_results=50)
        while models:
            for model in models:
                client.delete_logged_model(model.model_id)
            models = client.search_logged_models(gone, max_results=50)
        if client.search_registered_models(f"name = '{config.name}'"):
            client.delete_registered_model(config.name)
        client.delete_experiment(found.experiment_id)
        address = mlflow.get_tracking_uri()
        path = sqlite_path(address)
        if path is None:
            return [f"{len(runs)} runs were marked as deleted. Whoever runs the MLflow server must remove them for good: mlflow gc"]
        _collect(address)
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.executescript("PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")
    return [f"{len(runs)} runs, their files and models were removed from MLflow for good, and its database was vacuumed."]


def recorded(uri: str, *, name: str = "", last: int = 20) -> list[dict[str, Any]]:
    """Give the last runs of a config, or of all, the latest first: run, name, status, started, ended (milliseconds), params, metrics.

    Raises
    ------
    StoreError
        Where the tracking place cannot be used.
    """
    with mlflow_at(uri) as mlflow:
        client = mlflow.MlflowClient()
        names = {e.experiment_id: e.name for e in client.search_experiments() if name in ("", e.name)}
        found = client.search_runs(list(names), order_by=["attributes.start_time DESC"], max_results=1000) if names else []
        return [
            {"run": r.info.run_id, "name": names[r.info.experiment_id], "status": r.info.status, "started": r.info.start_time,
             "ended": r.info.end_time, "params": r.data.params, "metrics": r.data.metrics}
            for r in [r for r in found if "mlflow.parentRunId" not in r.data.tags][:last]
        ]  # fmt: skip


def _collect(address: str) -> None:
    """Let MLflow remove all that is marked as deleted there: its own command, in a process of its own."""
    words = ["-m", "mlflow", "gc", "--backend-store-uri", address, "--tracking-uri", address]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, encoding="utf-8", errors="replace", check=False)
    if done.returncode != 0:
        raise StoreError(Fault("MLflow could not remove its runs for good", where="mlflow gc", do_next=redacted(done.stderr[-300:])))


def _process(number: int) -> str:
    return f"{socket.gethostname()} {number}"


def _close_dead(mlflow: Any, name: str) -> None:
    """Close runs that a killed process of this computer has left as running."""
    client, experiment = mlflow.MlflowClient(), mlflow.get_experiment_by_name(name)
    for run in client.search_runs([experiment.experiment_id], "attributes.status = 'RUNNING'") if experiment is not None else ():
        host, _, number = run.data.tags.get(PROCESS, "").partition(" ")
        parent = run.data.tags.get("mlflow.parentRunId")
        if parent and not number:
            host, _, number = client.get_run(parent).data.tags.get(PROCESS, "").partition(" ")
        if host == socket.gethostname() and number.isdigit() and not running(int(number)):
            client.set_terminated(run.info.run_id, "KILLED")


def _made(store: Store) -> str:
    """Give what the forecast and its scores were made from; empty where there is none."""
    stages = store.manifest.get("stages", {})
    return fingerprint(*keys) if (keys := [stages[s]["key"] for s in ("forecast", "backtest") if s in stages]) else ""


def _last_made(mlflow: Any, run: Any) -> str:
    """Give the same of the last run of the experiment that ended well."""
    asked = {"filter_string": f"tags.`{MADE}` != '' AND attributes.status = 'FINISHED'", "order_by": ["attributes.start_time DESC"]}
    last = mlflow.MlflowClient().search_runs([run.info.experiment_id], max_results=1, **asked)
    return str(last[0].data.tags[MADE]) if last else ""


class ForecastModel:
    """A forecast as the registry keeps it: history, settings, scores and the texts of its models; it is made again when asked.

    Parameters
    ----------
    folder : Path
        With the files of `MODEL_FILES` and, where the forecast used drivers, drivers.parquet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def predict(self, model_input: object = None, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Make the forecast again.

        Parameters
        ----------
        model_input : object
            Not used: the history that was forecast is kept with the model.
        params : mapping, optional
            `jobs`: cores to use.

        Returns
        -------
        pandas.DataFrame
            As forecast.parquet.
        """
        from pipelines.results import forecast_again, forecast_table

        del model_input
        return forecast_table(forecast_again(self.folder, jobs=int((params or {}).get("jobs", 1))))


def load_model(name: str, *, uri: str = "auto", model_version: str = "latest") -> Any:
    """Load a registered forecast; its `predict(None)` makes the forecast again.

    Parameters
    ----------
    name, uri, model_version : str
        The config's name; as in the config's `tracking`; a number, or "latest".

    Returns
    -------
    mlflow.pyfunc.PyFuncModel

    Raises
    ------
    StoreError
        Where there is no such model.
    """
    with mlflow_at(uri) as mlflow:
        return mlflow.pyfunc.load_model(f"models:/{name}/{model_version}")


def _load_pyfunc(path: str) -> ForecastModel:
    """Answer MLflow's call for a model that this module keeps."""
    return ForecastModel(Path(path))


def _log_run(mlflow: Any, config: RunConfig, store: Store) -> None:
    settings = redacted(config.model_dump(mode="json", exclude_none=True, exclude={"scenarios", "costs", "data"}))
    params = {_name(k).replace("/", "_"): v for k, v in _flat(settings).items() if len(str(v)) <= 250}
    mlflow.log_params({k: v for k, v in params.items() if k not in mlflow.active_run().data.params})
    mlflow.set_tags({_name(f"data.{name}"): value for name, value in store.manifest.get("data", {}).items()})
    mlflow.log_dict(redacted(config.model_dump(mode="json")), "config.json")
    mlflow.log_metrics({"minutes": store.manifest.get("took", 0.0) / 60, **_scores(store)})
    for name in sorted(store.manifest.get("files", {})):
        if file_class(name) != "person-level" and name not in NOT_ARTIFACTS:
            mlflow.log_artifact(str(store.path(name)), name.rpartition("/")[0] or None)


def _scores(store: Store) -> dict[str, float]:
    """Scores by model over all horizons, as measure/level/model."""
    if not store.has("backtest_summary.csv"):
        return {}
    rows = store.table("backtest_summary.csv").query("horizon == 'all'")
    return _finite({f"{r.measure}/{r.level}/{r.model}": r.value for r in rows.itertuples()})


def _finite(named: Mapping[str, Any]) -> dict[str, float]:
    """Leave out what MLflow cannot keep: values that are not numbers."""
    found = {_name(name): float(value) for name, value in named.items()}
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _name(text: str) -> str:
    """Give a name without the signs that MLflow refuses."""
    return re.sub(r"[^\w\-. /:]", "_", text)


def _log_contest(mlflow: Any, store: Store) -> None:
    """One nested run for the forecast itself and for each model: its part in the forecast, its scores, and on how much they rest."""
    rows = store.table("backtest_summary.csv").astype({"horizon": str})
    rows = rows[~rows["horizon"].str.isdigit() & ~rows["measure"].str.startswith("pit")]
    weights = store.json("model_settings.json")["weights"]
    for model, mine in rows.groupby("model", sort=True):
        with mlflow.start_run(run_name=f"model: {model}", nested=True):
            champion = model == CHAMPION
            mlflow.set_tags({"role": "champion" if champion else "challenger", "model": model})
            mlflow.log_param("weight", 1.0 if champion else weights.get(model, 0.0))
            scores = {f"{r.measure}/{r.level}/{r.horizon}": r.value for r in mine.itertuples()}
            mlflow.log_metrics(_finite(scores))
            whole = mine[(mine["level"] == "series") & (mine["horizon"] == "all")]
            mlflow.log_metrics({name: float(whole[name].max()) for name in ("n_cutoffs", "n_series", "n_rows") if len(whole)})
            said = mine[mine["verdict"].notna() & (mine["verdict"] != "")] if "verdict" in mine else mine[:0]
            mlflow.set_tags({_name(f"{r.measure}/{r.level}/{r.horizon}"): r.verdict for r in said.itertuples()})


def _log_model(mlflow: Any, name: str, store: Store, drivers: pd.DataFrame | None) -> None:
    from demand import __version__

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "forecast"
        folder.mkdir()
        for file in MODEL_FILES:
            (folder / file).write_bytes(store.path(file).read_bytes())
        if drivers is not None:
            drivers.to_parquet(folder / "drivers.parquet", index=False)
        with contextlib.redirect_stderr(io.StringIO()):  # MLflow prints what it registers
            mlflow.pyfunc.log_model(
                name="forecast",
                loader_module="pipelines.tracking",
                data_path=str(folder),
                pip_requirements=[f"demand=={__version__}"],
                registered_model_name=name,
            )


def _log_scenarios(mlflow: Any, config: RunConfig, store: Store) -> None:
    """One nested run a scenario, with what it costs by financial year."""
    budget = store.table("budget.csv") if store.has("budget.csv") else None
    for name, scenario in config.scenarios.items():
        with mlflow.start_run(run_name=name, nested=True):
            mlflow.set_tag("question", scenario.question)
            mlflow.log_param("fingerprint", scenario.fingerprint)
            mlflow.log_text(json.dumps(scenario.model_dump(mode="json"), indent=2, ensure_ascii=False), "scenario.json")
            if budget is not None:
                rows = budget[budget["scenario"] == name].groupby("financial_year")["expected_pence"].sum()
                mlflow.log_metrics({f"expected_pounds/{year}": pence / 100 for year, pence in rows.items()})


def _flat(content: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in content.items():
        found |= _flat(value, f"{before}{name}.") if isinstance(value, Mapping) else {f"{before}{name}": value}
    return found
