"""What travels: the wheel holds every package and the example configs, and both are found from any folder."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from architecture_rules import sources

ROOT = Path(__file__).resolve().parents[2]
MODULES = {"python-docx": "docx", "scikit-learn": "sklearn"}
"""Packages whose module has another name."""
FLOORS = {"numba": "statsforecast compiles with it, and asks for none in particular: older ones do not know today's numpy"}
"""Packages that are named only so that they are new enough."""
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def packages(root: Path) -> set[str]:
    """Give every folder of Python files below the two packages."""
    return {".".join(p.parent.relative_to(root).parts) for name in ("demand", "pipelines") for p in (root / name).rglob("__init__.py")}


def unused(dependencies: list[str], text: str) -> list[str]:
    """Give the dependencies that no line of the packages imports or names as an engine."""
    names = {d: re.split(r"[<>=\[;~! ]", d)[0] for d in dependencies}
    modules = {d: MODULES.get(name, name.replace("-", "_")) for d, name in names.items()}
    return [d for d, m in modules.items() if m not in FLOORS and not re.search(rf'(?:import|from) {re.escape(m)}\b|"{re.escape(m)}"', text)]


def configs(root: Path) -> set[str]:
    return {p.relative_to(root / "configs").as_posix() for p in (root / "configs").rglob("*.*") if p.suffix in {".yaml", ".json"}}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The content of the wheel, unpacked in a folder of its own, as an installation would."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(_copy(folder))]
    subprocess.run([sys.executable, *build], check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder / "installed")
    return folder / "installed"


def _copy(folder: Path) -> Path:
    """Copy what is built, so that building leaves nothing in the checkout."""
    import shutil

    for name in ("demand", "pipelines", "configs"):
        shutil.copytree(ROOT / name, folder / "checkout" / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / "checkout")
    return folder / "checkout"


def test_every_package_is_declared() -> None:
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == packages(ROOT) | {"pipelines.configs"}


def test_every_dependency_is_used() -> None:
    text = "\n".join(source.text for source in sources(ROOT))
    assert unused(PROJECT["project"]["dependencies"], text) == []
    assert unused(["numpy>=2", "left-pad"], text) == ["left-pad"]


def test_the_wheel_holds_configs_and_templates(installed: Path) -> None:
    assert configs(installed / "pipelines") == configs(ROOT)
    templates = {p.name for p in (ROOT / "demand/report/templates").glob("*")}
    assert {p.name for p in (installed / "demand/report/templates").glob("*")} == templates
    assert (installed / "demand/locale/cy/LC_MESSAGES/messages.po").is_file()


def test_an_example_is_found_from_another_folder(installed: Path, tmp_path: Path) -> None:
    code = "from pipelines.config import example_configs; print(example_configs()['homelessness'])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(installed)}, capture_output=True, text=True, check=True
    )
    found = Path(done.stdout.strip())
    assert found.is_relative_to(installed)
    assert found.name == "homelessness.yaml"
