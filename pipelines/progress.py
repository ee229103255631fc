"""What the screen shows while a run goes on: a bar a stage with the time left, or one line a stage where nobody watches.

In: whether to be quiet. Out: a function that is told what is being done. Colours are left out where NO_COLOR is set (no-color.org). Refuses
nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from pipelines.job import STAGES, Progress

__all__ = ["progress"]

DOING = {
    "check": "Checking the data",
    "segment": "Grouping service users",
    "caseload": "Looking at stays",
    "forecast": "Forecasting",
    "backtest": "Looking back: would it have been right?",
    "explain": "Explaining",
    "scenario": "Applying scenarios",
    "budget": "Pricing",
    "moved": "Telling what moved",
    "comparators": "Comparing with others",
    "report": "Writing the report",
    "publish": "Clearing what may leave",
    "link": "Finding people who are there twice",
    "record": "Recording the run",
}


@contextmanager
def progress(quiet: bool) -> Iterator[Progress]:
    """Give the function that a job tells its progress to.

    Parameters
    ----------
    quiet : bool
        Show nothing.

    Yields
    ------
    Progress
    """
    if quiet or not sys.stderr.isatty():
        yield _lines(quiet)
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    left = (TextColumn("left"), TimeRemainingColumn(compact=True))
    with Bar(TextColumn("{task.description:<42}"), BarColumn(), TimeElapsedColumn(), *left, console=Console(stderr=True)) as bar:
        tasks: dict[str, TaskID] = {}

        def told(what: str, share: float) -> None:
            stage = what if what in DOING else current[0]
            current[0] = stage
            if stage not in tasks:
                tasks[stage] = bar.add_task(DOING.get(stage, stage), total=1.0)
            bar.update(tasks[stage], completed=share)

        current = [STAGES[0]]
        yield told


def _lines(quiet: bool) -> Progress:
    seen: set[str] = set()

    def told(what: str, _share: float) -> None:
        if not quiet and what in DOING and what not in seen:
            seen.add(what)
            typer.echo(f"{DOING[what]} ...", err=True)

    return told
