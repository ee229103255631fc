"""The notebooks run from top to bottom, are kept without output, and only call the front door."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NAMES = ("01_first_look", "02_segments", "03_forecast_and_track_record", "04_scenarios", "05_budget_and_report", "06_your_own_data")
MAY_IMPORT = {"demand", "pandas", "pathlib", "os", "IPython.display"}


def cells(name: str, kind: str) -> list[dict[str, Any]]:
    notebook = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == kind]


def code(name: str) -> str:
    """Give the Python of a notebook, without the lines that are for the notebook's own shell."""
    lines = "\n".join("".join(cell["source"]) for cell in cells(name, "code")).splitlines()
    return "\n".join(line for line in lines if not line.startswith("%"))


def beside_the_front_door(text: str) -> list[str]:
    """Give what a notebook may not hold: definitions of its own, and rooms behind the front door."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            found.append(type(node).__name__)
        names = (
            [a.name for a in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        found += [name for name in names if name not in MAY_IMPORT]
    return found


def test_there_are_six() -> None:
    assert tuple(sorted(p.stem for p in FOLDER.glob("*.ipynb"))) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_kept_without_output(name: str) -> None:
    assert [c for c in cells(name, "code") if c["outputs"] or c["execution_count"] is not None] == []
    assert cells(name, "markdown")


@pytest.mark.parametrize("name", NAMES)
def test_only_the_front_door(name: str) -> None:
    assert beside_the_front_door(code(name)) == []


@pytest.mark.parametrize("text", ["def f(): ...", "f = lambda x: x", "import demand.budget", "from demand.models import build"])
def test_a_planted_side_door_is_found(text: str) -> None:
    assert beside_the_front_door(text)


@pytest.mark.parametrize("name", NAMES)
def test_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONPATH", str(FOLDER.parent))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'tracking.db'}")
    monkeypatch.setenv("DEMAND_KEY_FILE", str(tmp_path / "key"))
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert any(cell.get("outputs") for cell in notebook.cells)
