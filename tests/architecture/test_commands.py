"""One list of verbs: the commands, the files of pipelines/ and the entry points of MLproject are the same."""

import re
from pathlib import Path

import pytest
from architecture_rules import VERBS
from ruamel.yaml import YAML

AFTER = {"update", "approve", "monitor", "compare"}
"""Commands that work on runs that are done, or month by month: they have entry points too."""
BESIDE = {"audit-model", "doctor", "erase", "new", "runs", "schema"}
"""Commands for whoever sits at the computer: nothing that MLflow would run."""
ROOT = Path(__file__).resolve().parents[2]


def entry_points(text: str) -> dict[str, str]:
    """Give the entry points of an MLproject file, each with its command."""
    return {name: point["command"] for name, point in YAML(typ="safe").load(text)["entry_points"].items()}


def astray(points: dict[str, str]) -> set[str]:
    """Give the entry points that do not call the verb of their name, and the verbs that have none."""
    calls = {name for name, command in points.items() if re.search(rf"\bpipelines {name}\b", command)}
    return (set(points) - {"main"}) ^ {*VERBS, *AFTER} | (set(points) - {"main"} - calls)


def options(command: str) -> tuple[str, set[str]]:
    """Give the verb that a command calls, and the options that it is given."""
    return command.split()[3], set(re.findall(r"--[a-z-]+", command))


def commands() -> set[str]:
    from pipelines.__main__ import app

    return {command.name for command in app.registered_commands if command.name}


def test_entry_points_are_the_verbs() -> None:
    assert astray(entry_points((ROOT / "MLproject").read_text(encoding="utf-8"))) == set()


def test_entry_points_give_options_that_the_commands_know() -> None:
    from typer.main import get_command

    from pipelines.__main__ import app

    known = get_command(app).commands  # type: ignore[attr-defined]
    for verb, given in map(options, entry_points((ROOT / "MLproject").read_text(encoding="utf-8")).values()):
        assert given <= {o for parameter in known[verb].params for o in parameter.opts}, verb


def test_commands_are_the_verbs_and_those_beside_the_chain() -> None:
    assert commands() == {*VERBS, *AFTER, *BESIDE}


def test_every_verb_has_a_file() -> None:
    assert [verb for verb in (*VERBS, *AFTER) if not (ROOT / "pipelines" / f"{verb}.py").is_file()] == []


@pytest.mark.parametrize(
    "points",
    [
        {verb: f"python -m pipelines {verb} x" for verb in (*VERBS[1:], *AFTER)},
        {verb: f"python -m pipelines {verb} x" for verb in VERBS},
        {verb: f"python -m pipelines {verb} x" for verb in (*VERBS, *AFTER, "guess")},
        dict.fromkeys((*VERBS, *AFTER), "python -m pipelines run x"),
    ],
)
def test_an_entry_point_astray_is_found(points: dict[str, str]) -> None:
    assert astray(points)
