"""What is loaded when: importing the library loads no engine, help loads next to nothing. Modules are counted, never seconds."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENGINES = {
    "mlflow", "statsforecast", "mlforecast", "lightgbm", "prophet", "cmdstanpy", "hierarchicalforecast", "shap", "stepmix", "sklearn",
    "matplotlib", "jinja2", "xlsxwriter", "openpyxl", "numba", "torch", "dask", "utilsforecast",
}  # fmt: skip
HELP_MAY_LOAD = {
    "annotated_doc", "annotated_types", "attr", "attrs", "click", "colorama", "markdown_it", "mdurl", "pydantic", "pydantic_core",
    "pygments", "rich", "shellingham", "typer", "typing_extensions", "typing_inspection",
}  # fmt: skip
"""typer, and what typer and rich themselves load."""
LOADED = "import json, sys; print(json.dumps(sorted(sys.modules)))"
HELP = """
import sys, runpy
sys.argv = {}
try:
    runpy.run_module("pipelines", run_name="__main__")
except SystemExit as stop:
    if stop.code:
        raise
"""
FOREIGN = """
import json, sys
from importlib.metadata import packages_distributions
print(json.dumps(sorted({m.split('.')[0] for m in sys.modules} & set(packages_distributions()))))
"""


def loaded(code: str, *, tell: str = LOADED) -> set[str]:
    """Run code in a Python of its own and give the modules that it left loaded."""
    done = subprocess.run([sys.executable, "-c", f"{code}\n{tell}"], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def heavy(modules: set[str], names: set[str]) -> set[str]:
    return {m.split(".")[0] for m in modules} & names


def modules_of(package: str) -> list[str]:
    files = (p for p in (ROOT / package).rglob("*.py") if p.name not in {"__main__.py", "__init__.py"})
    return sorted(".".join(p.relative_to(ROOT).with_suffix("").parts) for p in files)


def test_importing_demand_loads_nothing_foreign() -> None:
    assert heavy(loaded("import demand"), ENGINES | {"numpy", "pandas", "pyarrow", "xarray", "pydantic", "scipy"}) == set()


def test_importing_every_room_loads_no_engine() -> None:
    assert heavy(loaded("\n".join(f"import {m}" for m in modules_of("demand"))), ENGINES) == set()


def test_importing_every_verb_loads_no_engine() -> None:
    assert heavy(loaded("\n".join(f"import {m}" for m in modules_of("pipelines"))), ENGINES) == set()


def test_an_engine_that_is_loaded_is_seen() -> None:
    assert heavy(loaded("import demand\nimport jinja2"), ENGINES) == {"jinja2"}


@pytest.mark.parametrize("arguments", [["--help"], ["forecast", "--help"]])
def test_help_loads_the_command_line_alone(arguments: list[str]) -> None:
    code = HELP.format(["demand", *arguments])
    before, after = loaded("", tell=FOREIGN), loaded(code, tell=FOREIGN)
    assert after - before - HELP_MAY_LOAD - {"demand", "pipelines"} == set()
    assert {m for m in loaded(code) if m.startswith(("demand.", "pipelines."))} <= {"pipelines.__main__"}


def test_the_front_door_opens_every_room() -> None:
    done = loaded("import demand\nfor name in demand.__all__:\n    getattr(demand, name)")
    assert "demand.budget" in done
    assert heavy(done, ENGINES) == set()


def test_a_room_never_hides_the_function_of_its_name() -> None:
    rooms = "import demand.evaluation, demand.explain, demand.forecast"
    assert loaded(f"import demand\n{rooms}\nassert callable(demand.forecast) and callable(demand.explain)")
    assert loaded("import demand\nfor _ in range(2):\n    assert callable(demand.forecast) and callable(demand.explain)")
