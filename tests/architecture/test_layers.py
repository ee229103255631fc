"""Imports go down only: the contracts of pyproject.toml hold, and each of them breaks where it should.

Lazy imports are seen too: import-linter reads the text of functions.
"""

import graphlib
import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
PLANTED = [
    ("demand/errors.py", "import demand.tables"),
    ("demand/spec.py", "def f():\n    from demand import calendar\n    return calendar"),
    ("demand/calendar.py", "import pipelines"),
    ("demand/tables.py", "def f():\n    import mlflow\n    return mlflow"),
    ("demand/nowhere.py", "import json"),
]
SIDE_BY_SIDE = ["effects", "uncertainty", "hierarchy", "models", "segments"]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the two packages, small enough to break."""
    for package in ("demand", "pipelines"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_contracts_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("path", "text"), PLANTED)
def test_a_planted_import_breaks_a_contract(house: Path, path: str, text: str) -> None:
    with (house / path).open("a", encoding="utf-8") as file:
        file.write(f"\n\n{text}\n")
    done = lint(house)
    assert done.returncode != 0
    assert "BROKEN" in done.stdout


def test_rooms_side_by_side_do_not_know_each_other(house: Path) -> None:
    for room in SIDE_BY_SIDE[:2]:
        (house / "demand" / f"{room}.py").write_text("")
    (house / "demand" / "effects.py").write_text("import demand.uncertainty\n")
    done = lint(house)
    assert done.returncode != 0
    assert "demand.effects is not allowed to import demand.uncertainty" in " ".join(done.stdout.split())


def circle(imports: dict[str, set[str]]) -> list[str]:
    """Give one circle of imports, or nothing."""
    try:
        list(graphlib.TopologicalSorter(imports).static_order())
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def test_no_circle_of_imports_not_even_a_lazy_one() -> None:
    graph = grimp.build_graph("demand", "pipelines", cache_dir=None)
    assert circle({module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}) == []


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) != []
