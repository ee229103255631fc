"""Fill share/ with what may leave: forecasts and counts as open data, the public report, and the metadata that describes them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from demand.disclosure.open_data import data_package, forecast_table, scores_table
from demand.errors import Fault, SettingsError
from demand.report.html import report_page
from demand.report.paste import pasted, summary_text
from pipelines.config import RunConfig
from pipelines.job import Job
from pipelines.report_input import PUBLISHED_PEOPLE, cleared_counts, report_input
from pipelines.results import load_history
from pipelines.store import SHARE, Writer

__all__ = ["NEEDS", "missing", "rests_on", "run"]

NEEDS = ("check", "segment", "forecast", "backtest", "explain", "scenario", "budget", "report")
PLAIN = ("backtest_summary.csv", "waterfall.csv")
"""Tables that hold estimates and scores alone."""
WITH_COUNTS = ["from_total", "to_total"]
"""Columns of theirs that hold months already counted: they stay."""


def missing(config: RunConfig) -> str:
    """Say what the config lacks for this stage."""
    return "" if config.forecast else "Add a `forecast` section"


def rests_on(config: RunConfig) -> list[object]:
    """Give the settings that the results depend on, beside the data and the stages before."""
    return [config.name, config.title, config.report, config.disclosure, config.publish, config.scenarios]


def run(job: Job, writer: Writer) -> None:
    """Write share/: only what passed disclosure control.

    Raises
    ------
    SettingsError
        Where the policy is `internal`, which clears nothing.
    """
    config, store = job.config, job.store
    if any(config.disclosure.of(name).opens for name in ("forecast", "counts", "segments")):
        fault = Fault("the policy 'internal' clears nothing", where="disclosure", allowed="wales, wales_homelessness, wales_children...",
                      do_next="Name the policy under which figures leave, for example: --set disclosure.policy=wales")  # fmt: skip
        raise SettingsError(fault)
    history, spec = load_history(store.folder), config.publish
    tables = {
        "forecast.csv": forecast_table(store.table("totals.parquet"), history.keys, spec, config.disclosure.of("forecast")),
        "counts.csv": cleared_counts(config, store),
    }
    tables |= {name: store.table(name).drop(columns=WITH_COUNTS, errors="ignore") for name in PLAIN if store.has(name)}
    if "backtest_summary.csv" in tables:
        tables["backtest_summary.csv"] = scores_table(tables["backtest_summary.csv"], config.disclosure.of("counts"))
    for name, table in tables.items():
        writer.table(SHARE + name, table)
    inputs = report_input(job.config, job.store, job.inputs.hashes)
    rule = config.disclosure.of("counts")
    about = {"policy": rule.name, "rule": rule.source, "as_of": config.as_of or "", "fingerprint": inputs.run["fingerprint"]}
    open_data = {n: t for n, t in tables.items() if n not in PLAIN}
    files = {n: _measured(writer, SHARE + n) for n in open_data}
    writer.json(SHARE + "datapackage.json", data_package(config.name, config.heading, open_data, files, spec, about))
    public = replace(inputs, spec=inputs.spec.model_copy(update={"audience": "public"}), counted=tables["counts.csv"])
    writer.text(SHARE + "report.html", report_page(public))
    writer.json(PUBLISHED_PEOPLE, {name: json.loads(t.to_json(orient="records")) for name, t in public.people.items()})
    writer.text(SHARE + "summary.txt", summary_text(public))
    for name, content in pasted(public).items():
        writer.bytes(f"{SHARE}paste/{name}", content)


def _measured(writer: Writer, name: str) -> tuple[str, int]:
    content = (writer.folder / name).read_bytes()
    return hashlib.sha256(content).hexdigest(), len(content)
