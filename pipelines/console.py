"""What the command line does with its words: a job, a progress bar, a short summary, an exit status.

In: a verb and its options. Out: an exit status (0 done, 2 the user's input is at fault, 1 anything else) and words on the screen. The
user's own mistakes are told in plain words and never as a traceback.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import typer

from demand.errors import DemandError, StoreError
from pipelines.job import Job
from pipelines.progress import progress
from pipelines.store import Store

__all__ = ["approve", "assign", "audited", "carry_out", "draft", "erased", "examined", "explained", "monitor", "open_job", "runs", "update"]


def open_job(
    config: str | Path, *, data_dir: str = "", output: str = "", jobs: int = 0, changes: list[str] | None = None, inputs: str = ""
) -> Job:
    """Make a job from what the command line was given.

    Parameters
    ----------
    config : str or Path
        A file or `example:NAME`.
    data_dir, output : str
        Folders; empty means the default.
    jobs : int
        Cores; 0 means all.
    changes : list of str, optional
        `key=value` words.
    inputs : str
        A workbook whose sheet Assumptions has changed numbers.

    Returns
    -------
    Job

    Raises
    ------
    SettingsError
        Where the config cannot be used.
    """
    from pipelines.config import load_config
    from pipelines.inputs import Inputs
    from pipelines.store import Store

    settings, folder = load_config(config, changes=changes or [])
    edits = None
    if inputs:
        from pipelines.edits import edited

        settings, edits = edited(settings, Path(inputs))
    store = Store(Path(output) if output else Path("outputs") / settings.name)
    return Job(
        settings,
        Inputs(settings, Path(data_dir) if data_dir else folder, store.folder.resolve()),
        store,
        jobs=jobs or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else jobs or os.cpu_count() or 1,
        edits=edits,
    )


def carry_out(verb: str, config: str, *, data_dir: str, output: str, jobs: int, changes: list[str], quiet: bool, inputs: str = "") -> int:
    """Carry out one verb.

    Parameters
    ----------
    verb : str
        `run`, or a stage.
    config, data_dir, output, jobs, changes, inputs
        As in `open_job`.
    quiet : bool
        Say nothing but errors.

    Returns
    -------
    int
        The exit status.
    """
    try:
        job = open_job(config, data_dir=data_dir, output=output, jobs=jobs, changes=changes, inputs=inputs)
        stages = job.wanted() if verb == "run" else [verb]
        from pipelines.cluster import computing

        with computing(job.config.compute, job.jobs) as job.jobs, progress(quiet) as job.progress:
            from pipelines.run import run

            trouble = run(job, stages)
    except StoreError as error:
        typer.echo(f"Error: {error}", err=True)
        return 1
    except DemandError as error:
        typer.echo(f"Error: {error}", err=True)
        return 2
    if trouble:
        typer.echo(f"Warning: {trouble}", err=True)
    if not quiet:
        from pipelines.summary import summary

        typer.echo(summary(job))
        if verb == "backtest":
            from pipelines.scoreboard import scoreboard

            typer.echo(scoreboard(job.store))
    return 0


def assign(config: str, *, model: str, output: str, changes: list[str]) -> list[str]:
    """Give the words that make a run keep saved segments: those of `model`, else those that lie in the output folder.

    Parameters
    ----------
    config : str
    model : str
        A segment_model.json, or the folder that holds one; empty for that of the output folder.
    output : str
        The output folder; empty for the default.
    changes : list of str
        `key=value` words that were given beside.

    Returns
    -------
    list of str
        Empty where the config cannot be read: the run itself then says why.
    """
    from pipelines.config import load_config

    try:
        settings, _ = load_config(config, changes=changes)
    except DemandError:
        return []
    path = Path(model) if model else (Path(output) if output else Path("outputs") / settings.name) / "segment_model.json"
    return [f"segments.saved={json.dumps(str(path.resolve()))}"]


def update(config: str, *, data_dir: str, output: str, jobs: int, changes: list[str], quiet: bool) -> int:
    """Freeze the run of last month, run the config on the new extract, and say what moved.

    Parameters
    ----------
    config, data_dir, output, jobs, changes, quiet
        As in `carry_out`.

    Returns
    -------
    int
        The exit status.
    """
    from pipelines.update import update_words

    try:
        job = open_job(config, data_dir=data_dir, output=output, jobs=jobs, changes=changes)
        words, told = update_words(job.store.folder, job.inputs)
    except StoreError as error:
        typer.echo(f"Error: {error}", err=True)
        return 1
    except DemandError as error:
        typer.echo(f"Error: {error}", err=True)
        return 2
    status = carry_out("run", config, data_dir=data_dir, output=output, jobs=jobs, changes=[*changes, *words], quiet=quiet)
    if status == 0 and not quiet:
        priced = job.config.costs or job.config.prices  # without them the file that is there is an earlier run's
        try:
            moved = Store(job.store.folder).json("moved_notes.json") if priced else ["What moved is told in pounds: it needs `costs`."]
        except StoreError as error:
            typer.echo(f"Error: {error}", err=True)
            return 1
        typer.echo("\n".join([*told, *moved]))
    return status


def approve(run: str, *, by: str, note: str, name: str) -> int:
    """Make a run the forecast of record.

    Returns
    -------
    int
        The exit status.
    """
    from pipelines.approve import approve as approved

    try:
        folder = approved(Path(run), by=by, note=note, name=name)
    except StoreError as error:
        typer.echo(f"Error: {error}", err=True)
        return 1
    except DemandError as error:
        typer.echo(f"Error: {error}", err=True)
        return 2
    typer.echo(f"'{name}' is the forecast of record, frozen in {folder}. Later runs refer to it.")
    return 0


def monitor(config: str, *, data_dir: str, output: str, jobs: int, changes: list[str], quiet: bool) -> int:
    """Hold what was counted since the forecast of record against it.

    Parameters
    ----------
    config, data_dir, output, jobs, changes, quiet
        As in `carry_out`.

    Returns
    -------
    int
        The exit status: 0 nothing to do, 3 look, 4 refit; 1 and 2 as everywhere.
    """
    from pipelines.monitor import watch

    try:
        told = watch(open_job(config, data_dir=data_dir, output=output, jobs=jobs, changes=changes))
    except StoreError as error:
        typer.echo(f"Error: {error}", err=True)
        return 1
    except DemandError as error:
        typer.echo(f"Error: {error}", err=True)
        return 2
    if not quiet:
        periods = "1 period" if told["months"] == 1 else f"{told['months']} periods"
        typer.echo(f"{told['record']['name']}, {periods} on: {told['action']}.")
        for one in told["signals"]:
            typer.echo(f"  {one['unique_id']}: {one['why']} ({one['action']})")
        typer.echo(
            f"  ranges: {told['coverage']['inside']} of {told['coverage']['of']} inside (4 in 5 expected): {told['coverage']['verdict']}"
        )
        typer.echo(f"  segments: {told['segments']['reason']} ({told['segments']['action']})")
        typer.echo(f"  challenger: {told['challenger']['why']} ({told['challenger']['verdict']} the model of record)")
        for one in (d for d in told["drivers"] if d["action"] != "nothing"):
            typer.echo(f"  {one['name']} came to {one['came']:,.6g}, outside what was expected ({one['expected']:,.6g})")
    return {"nothing": 0, "look": 3, "refit": 4}[told["action"]]


def erased(config: str, ids: list[str], *, data_dir: str, output: str, changes: list[str]) -> int:
    """Take people out of what a config's runs have stored.

    Returns
    -------
    int
        The exit status.
    """
    from pipelines.erase import erase

    try:
        said = erase(open_job(config, data_dir=data_dir, output=output, changes=changes), ids)
    except DemandError as error:
        typer.echo(f"Error: {error}", err=True)
        return 1 if isinstance(error, StoreError) else 2
    typer.echo("\n".join(said))
    return 0


def audited(file: str) -> int:
    """Say what a saved model would reveal.

    Returns
    -------
    int
        0 where it may leave, 2 where it may not.
    """
    from demand.disclosure.model_audit import audit_model

    try:
        found = audit_model(Path(file).name, Path(file).read_bytes())
    except OSError as error:
        typer.echo(f"Error: {file} cannot be read: {error.strerror}", err=True)
        return 2
    for one in found:
        typer.echo(f"{'NOT CLEARED' if one.grave else 'Note'}: {one.what}")
    grave = any(one.grave for one in found)
    typer.echo("This model must stay." if grave else "Nothing in it tells of few people.")
    return 2 if grave else 0


def examined(output: str) -> int:
    """Say what this computer would stumble over.

    Returns
    -------
    int
        0; what is found is told, and a run says again what it means for it.
    """
    from pipelines.doctor import examine

    for one in examine(Path(output) if output else Path("outputs")):
        typer.echo(f"{one.mark:<5} {one.what}" + (f" {one.do_next}" if one.do_next else ""))
    return 0


def compared(one: str, other: str, *, a: str, b: str, output: str, data_dir: str = "") -> int:
    """Say what makes two scenarios differ, and write it as a table.

    Returns
    -------
    int
        The exit status.
    """
    from pipelines.compare import compare_runs

    try:
        table = compare_runs(Path(one), Path(other) if other else None, a, b, data_dir=Path(data_dir) if data_dir else None)
    except DemandError as error:
        typer.echo(f"Error: {error}", err=True)
        return 2
    table.to_csv(output, index=False, lineterminator="\n")
    wide = table.pivot_table(index=["measure", "change"], columns="financial_year", values="amount", sort=False)
    typer.echo(f"From '{a}' to '{b}', what each change does, and what they do only together:\n")
    typer.echo(wide.round(0).to_string())
    typer.echo(f"\nWith ranges in {output}. Ranges are of differences within each possible future, and do not add up.")
    return 0


def draft(name: str, source: str) -> int:
    """Write NAME.yaml by looking at a file.

    Returns
    -------
    int
        The exit status.
    """
    from pipelines.new import SCHEMA_FILE, draft_config
    from pipelines.schema import schema

    path, beside = Path(f"{name}.yaml"), Path(SCHEMA_FILE)
    try:
        text = draft_config(name, Path(source), exists=path.exists())
    except DemandError as error:
        typer.echo(f"Error: {error}", err=True)
        return 2
    path.write_text(text, encoding="utf-8", newline="\n")
    if not beside.exists():
        beside.write_text(json.dumps(schema(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
    try:
        job = open_job(path)
        if job.config.data.people is None:  # people were read for the draft; to read them here would make the key of pseudonyms
            _ = job.inputs.history, job.inputs.places
    except DemandError as error:
        typer.echo(
            f"{path} is written, but its file cannot be used with it yet: mend it, or move it away and draft it anew. Error: {error}",
            err=True,
        )
        return 2
    typer.echo(f"{path} is written. Read its comments, then: demand check {path}, and demand run {path}")
    return 0


def explained(config: str, series: str, *, data_dir: str, output: str, changes: list[str]) -> int:
    """Say what the forecast of one series is made of, from what was stored.

    Returns
    -------
    int
        The exit status.
    """
    from demand.report.statement import told
    from pipelines.report_input import report_input

    try:
        job = open_job(config, data_dir=data_dir, output=output, changes=changes)
        typer.echo(told(report_input(job.config, job.store, job.inputs.hashes), series))
    except DemandError as error:
        typer.echo(f"Error: {error}", err=True)
        return 1 if isinstance(error, StoreError) else 2
    return 0


def runs(name: str, *, uri: str, last: int) -> int:
    """List the runs that were recorded.

    Returns
    -------
    int
        The exit status.
    """
    from pipelines.runs import runs_table

    try:
        typer.echo(runs_table(name, uri=uri, last=last))
    except StoreError as error:
        typer.echo(f"Error: {error}", err=True)
        return 1
    return 0
