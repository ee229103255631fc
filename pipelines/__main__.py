"""The command line: `demand VERB CONFIG`, or `python -m pipelines VERB CONFIG` where programs may not be started.

In: words. Out: files in the output folder, a short summary, and an exit status: 0 done, 2 the user's input is at fault, 1 anything else.
"""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Callable
from typing import Annotated

import typer

VERBS = {
    "run": "The whole chain: check, segment, forecast, backtest, explain, scenario, budget, report.\n\n"
    "Example: demand run example:homelessness --set data.example.size=tiny",
    "check": "Read the data and say what is wrong with it, before any model sees it.\n\n"
    "Example: demand check accommodation.yaml, then open outputs/accommodation/quality.html",
    "segment": "Group service users (or places) and describe each group.\n\n"
    "Example: demand segment accommodation.yaml; with a new extract: demand segment accommodation.yaml --assign",
    "forecast": "Forecast demand for every series, with a range.\n\nExample: demand forecast accommodation.yaml --set forecast.horizon=24",
    "backtest": "Would the forecast have been right? Replay it at earlier dates.\n\n"
    'Example: demand backtest accommodation.yaml --set "forecast.backtest.cutoffs=[2023-03, 2024-03]"',
    "explain": "Say what each forecast is made of.\n\n"
    "Example: demand explain accommodation.yaml --series ta/hostel/Harbour; without --series, the report shows what it found",
    "scenario": "Apply the config's scenarios to the forecast.\n\nExample: demand scenario accommodation.yaml",
    "budget": "Price every scenario by financial year and hold it against the budget.\n\n"
    "Example: demand budget accommodation.yaml --inputs outputs/accommodation/budget.xlsx",
    "report": "Write the report and the workbook.\n\nExample: demand report accommodation.yaml --set report.audience=public",
    "link": "Find people who stand in the extracts twice, and what counting them once does to demand. Needs the extra `linkage`.\n\n"
    "Example: demand link accommodation.yaml, then look at outputs/accommodation/linkage.json",
    "publish": "Fill share/ with what may leave: forecasts and counts as open data, and the public report.\n\n"
    "Example: demand publish accommodation.yaml --set disclosure.policy=wales_homelessness",
}

FIRST, DEEPER, MONTHLY, OTHER = "Begin here", "Part by part", "The monthly job", "Looking after it"
PANELS = {"run": FIRST, "check": FIRST, "link": OTHER, "publish": OTHER}
"""Under which heading of the help a verb stands."""

app = typer.Typer(
    add_completion=True,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Forecast demand for council services, and turn scenarios into pounds by financial year.\n\n"
    "Try: demand run example:homelessness. Your own file: demand new NAME --from FILE.",
)


@app.callback()
def _everywhere(
    no_color: Annotated[bool, typer.Option("--no-color", is_eager=True, help="Without colours; before or after the verb.")] = False,
) -> None:
    """Take what holds for every verb; the words of the help are the app's."""
    if no_color:
        os.environ["NO_COLOR"] = "1"


Config = Annotated[
    str, typer.Argument(help="A config file, or example:homelessness, example:children, example:adult_care.", show_default=False)
]
DataDir = Annotated[
    str, typer.Option(help="Where the config's relative paths are looked up. Default: the config's folder.", show_default=False)
]
Output = Annotated[str, typer.Option(help="Where results are written. Default: outputs/NAME.", show_default=False)]
Jobs = Annotated[int, typer.Option(help="Cores to use; 0 means all.")]
SETTINGS = "Change a setting: --set forecast.horizon=24. May be given several times."
Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help=SETTINGS, show_default=False)]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")]


def _verb(name: str, text: str) -> None:
    def command(
        config: Config, data_dir: DataDir = "", output: Output = "", jobs: Jobs = 0, changes: Set = None, quiet: Quiet = False
    ) -> None:
        from pipelines.console import carry_out

        raise typer.Exit(carry_out(name, config, data_dir=data_dir, output=output, jobs=jobs, changes=changes or [], quiet=quiet))

    command.__name__ = name
    app.command(name, help=text, rich_help_panel=PANELS.get(name, DEEPER))(command)


def _priced(name: str, text: str) -> None:
    def command(
        config: Config,
        data_dir: DataDir = "",
        output: Output = "",
        jobs: Jobs = 0,
        changes: Set = None,
        quiet: Quiet = False,
        inputs: Annotated[
            str,
            typer.Option(help="A budget.xlsx in which numbers were changed: they are taken in place of the config's.", show_default=False),
        ] = "",
    ) -> None:
        from pipelines.console import carry_out

        words = changes or []
        raise typer.Exit(carry_out(name, config, data_dir=data_dir, output=output, jobs=jobs, changes=words, quiet=quiet, inputs=inputs))

    command.__name__ = name
    app.command(name, help=text, rich_help_panel=PANELS.get(name, DEEPER))(command)


def _segment(
    config: Config,
    data_dir: DataDir = "",
    output: Output = "",
    jobs: Jobs = 0,
    changes: Set = None,
    quiet: Quiet = False,
    assign: Annotated[bool, typer.Option("--assign", help="Put people into saved segments; nothing is searched.")] = False,
    model: Annotated[
        str, typer.Option(help="The saved segments: a segment_model.json. Default: that of the output folder.", show_default=False)
    ] = "",
) -> None:
    from pipelines import console

    words = changes or []
    words = [*words, *console.assign(config, model=model, output=output, changes=words)] if assign or model else words
    raise typer.Exit(console.carry_out("segment", config, data_dir=data_dir, output=output, jobs=jobs, changes=words, quiet=quiet))


def _explain(
    config: Config,
    data_dir: DataDir = "",
    output: Output = "",
    jobs: Jobs = 0,
    changes: Set = None,
    quiet: Quiet = False,
    series: Annotated[
        str, typer.Option(help="A series, as in the report: what its forecast is made of, in people and pounds.", show_default=False)
    ] = "",
) -> None:
    from pipelines import console

    words = changes or []
    status = console.carry_out("explain", config, data_dir=data_dir, output=output, jobs=jobs, changes=words, quiet=quiet or bool(series))
    if series and status == 0:
        status = console.explained(config, series, data_dir=data_dir, output=output, changes=words)
    raise typer.Exit(status)


OWN: dict[str, Callable[..., None]] = {"segment": _segment, "explain": _explain}
"""Verbs with options of their own."""
for _name, _text in VERBS.items():
    if _name in OWN:
        app.command(_name, help=_text, rich_help_panel=DEEPER)(OWN[_name])
    else:
        (_priced if _name in ("run", "scenario", "budget", "report") else _verb)(_name, _text)


@app.command(
    "update",
    rich_help_panel=MONTHLY,
    help="The monthly job: run the config on the new extract, and say what moved since last month.\n\n"
    "Example: demand update accommodation.yaml, then open outputs/accommodation/moved.html",
)
def _update(config: Config, data_dir: DataDir = "", output: Output = "", jobs: Jobs = 0, changes: Set = None, quiet: Quiet = False) -> None:
    from pipelines.console import update

    raise typer.Exit(update(config, data_dir=data_dir, output=output, jobs=jobs, changes=changes or [], quiet=quiet))


@app.command(
    "approve",
    rich_help_panel=MONTHLY,
    help="Make a run the forecast of record, to which later runs are held.\n\n"
    'Example: demand approve outputs/accommodation --by "section 151 officer" --note "Cabinet, 3 March"',
)
def _approve(
    run: Annotated[str, typer.Argument(help="The output folder of a run.", show_default=False)],
    by: Annotated[str, typer.Option(help="The role that answers for it.", show_default=False)],
    note: Annotated[str, typer.Option(help="Why, and where it was decided.", show_default=False)],
    name: Annotated[str, typer.Option(help="What it is called from now on: 'Budget 2027-28 as set'.")] = "forecast of record",
) -> None:
    from pipelines.console import approve

    raise typer.Exit(approve(run, by=by, note=note, name=name))


@app.command(
    "monitor",
    rich_help_panel=MONTHLY,
    help="Hold what was counted since the forecast of record against it: exit 0 nothing to do, 3 look, 4 refit.\n\n"
    "Example: demand monitor accommodation.yaml --quiet, from a scheduler; monitor.json says why",
)
def _monitor(
    config: Config, data_dir: DataDir = "", output: Output = "", jobs: Jobs = 0, changes: Set = None, quiet: Quiet = False
) -> None:
    from pipelines.console import monitor

    raise typer.Exit(monitor(config, data_dir=data_dir, output=output, jobs=jobs, changes=changes or [], quiet=quiet))


@app.command(
    "compare",
    rich_help_panel=DEEPER,
    help="Say what makes two scenarios differ, of one run or of two on the same baseline, change by change.\n\n"
    "Example: demand compare outputs/accommodation --from baseline --to prevention",
)
def _compare(
    run: Annotated[str, typer.Argument(help="The output folder of a run.", show_default=False)],
    other: Annotated[str, typer.Argument(help="That of the other run; without it, the same.", show_default=False)] = "",
    a: Annotated[str, typer.Option("--from", help="A scenario of the first run.")] = "baseline",
    b: Annotated[str, typer.Option("--to", help="A scenario of the other run.")] = "baseline",
    output: Annotated[str, typer.Option(help="The table that is written.")] = "compare.csv",
    data_dir: Annotated[
        str, typer.Option(help="Where its data lie: for changes of entries, stay and moves, and prices of the extract.")
    ] = "",
) -> None:
    from pipelines.console import compared

    raise typer.Exit(compared(run, other, a=a, b=b, output=output, data_dir=data_dir))


@app.command(
    "runs",
    rich_help_panel=OTHER,
    help="List the runs that were recorded, the latest first.\n\nExample: demand runs accommodation; of all configs: demand runs",
)
def _runs(
    name: Annotated[str, typer.Argument(help="A config's name; without it, all.", show_default=False)] = "",
    uri: Annotated[str, typer.Option(help="Where runs are recorded, as `tracking.uri` of the config.")] = "auto",
    last: Annotated[int, typer.Option(help="How many.")] = 20,
) -> None:
    from pipelines.console import runs

    raise typer.Exit(runs(name, uri=uri, last=last))


@app.command(
    "new", rich_help_panel=FIRST, help="Draft a config by looking at a file.\n\nExample: demand new accommodation --from history.csv"
)
def _new(
    name: Annotated[str, typer.Argument(help="The config's name; NAME.yaml is written.", show_default=False)],
    source: Annotated[str, typer.Option("--from", help="A CSV, Excel or Parquet file.", show_default=False)],
) -> None:
    from pipelines.console import draft

    raise typer.Exit(draft(name, source))


@app.command(
    "schema",
    rich_help_panel=OTHER,
    help="Print the JSON schema of a config, for editors that complete keys.\n\nExample: demand schema > demand.schema.json",
)
def _schema() -> None:
    import json

    from pipelines.schema import schema

    typer.echo(json.dumps(schema(), indent=2, ensure_ascii=False))


@app.command(
    "erase",
    rich_help_panel=OTHER,
    help="Take a person out of everything that was stored: tables, models, MLflow.\n\n"
    "Example: demand erase accommodation.yaml --id H-10423",
)
def _erase(
    config: Config,
    ids: Annotated[list[str], typer.Option("--id", help="A reference as in the extract, or a pseudonym.", show_default=False)],
    data_dir: DataDir = "",
    output: Output = "",
    changes: Set = None,
) -> None:
    from pipelines.console import erased

    raise typer.Exit(erased(config, ids, data_dir=data_dir, output=output, changes=changes or []))


@app.command(
    "audit-model",
    rich_help_panel=OTHER,
    help="Say what a saved model would reveal of people: segment_model.json, model_parts.json, LightGBM's text.\n\n"
    "Example: demand audit-model outputs/accommodation/segment_model.json",
)
def _audit_model(file: Annotated[str, typer.Argument(help="The model's file.", show_default=False)]) -> None:
    from pipelines.console import audited

    raise typer.Exit(audited(file))


@app.command(
    "doctor",
    rich_help_panel=FIRST,
    help="Say what this computer would stumble over.\n\nExample: demand doctor --output outputs/accommodation",
)
def _doctor(output: Output = "") -> None:
    from pipelines.console import examined

    raise typer.Exit(examined(output))


def main() -> None:
    """Run the command line; letters that a screen or a file of an old encoding cannot show (ŵ on Windows) become question marks.

    What libraries say to their programmers is left out, and so are colours where --no-color stands anywhere (as no-color.org has it).
    """
    if not sys.warnoptions:
        warnings.filterwarnings("ignore", category=FutureWarning)
    if "--no-color" in sys.argv[2:]:
        sys.argv[1:] = ["--no-color", *(word for word in sys.argv[1:] if word != "--no-color")]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    app()


if __name__ == "__main__":
    main()
