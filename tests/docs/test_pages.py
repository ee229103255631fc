"""What README and CONTRIBUTING say to type can be typed: commands exist, links lead somewhere, the config and the Python run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.__main__ import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "DECISIONS.md")
VERBS = {str(command.name) for command in app.registered_commands}


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """Give the fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    place = {
        "PYTHONPATH": str(ROOT),
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'tracking.db'}",
        "DEMAND_KEY_FILE": str(folder / "key"),
    }
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env={**os.environ, **place}, capture_output=True, text=True, check=False
    )


def households() -> pd.DataFrame:
    """Sixty months of four stocks, as the README's config expects them."""
    months = pd.date_range("2021-04-01", periods=60, freq="MS")
    rng = np.random.default_rng(1)
    level = {
        ("Harbour", "bed_and_breakfast"): 60,
        ("Harbour", "private_lease"): 90,
        ("Uplands", "bed_and_breakfast"): 25,
        ("Uplands", "private_lease"): 40,
    }
    tables = [
        pd.DataFrame(
            {
                "series": f"{area}/{kind}",
                "month": months,
                "households": rng.poisson(y * np.linspace(1, 1.4, 60)),
                "area": area,
                "type": kind,
            }
        )
        for (area, kind), y in level.items()
    ]
    return pd.concat(tables, ignore_index=True)


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page(name))
    assert [link for link in links if not link.startswith("http") and not (ROOT / link).exists()] == []


@pytest.mark.parametrize("name", PAGES)
def test_commands_exist(name: str) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", page("Makefile").replace("\n.PHONY", ""), re.MULTILINE))
    typed = [line for block in blocks(page(name), "bash") + blocks(page(name), "bat") for line in block.splitlines()]
    asked = {t for line in typed if line.startswith("make ") for t in line.split("#")[0].split()[1:]}
    verbs = set(re.findall(r"(?:`demand|-m pipelines) ([a-z-]+)", page(name)))
    assert asked <= targets
    assert verbs <= VERBS


def test_the_readme_begins_with_two_commands() -> None:
    assert [line.split("#")[0].strip() for line in blocks(page("README.md"), "bash")[0].splitlines()] == ["make demo", "make test"]


def test_the_readme_config_runs_from_data_to_pounds(tmp_path: Path) -> None:
    (config,) = blocks(page("README.md"), "yaml")
    assert len(config.splitlines()) <= 25
    (tmp_path / "accommodation.yaml").write_text(config, encoding="utf-8")
    households().to_csv(tmp_path / "history.csv", index=False)
    quick = ["--set", "forecast.draws=100", "--set", "forecast.models=[seasonal_naive, theta]", "--set", "tracking.uri=none"]
    done = run(["-m", "pipelines", "run", "accommodation.yaml", "--quiet", *quick], tmp_path)
    assert done.returncode == 0, done.stderr
    budget = pd.read_csv(tmp_path / "outputs/accommodation/budget.csv")
    assert {"2026-27", "2027-28"} <= set(budget.financial_year.astype(str))
    assert {"baseline", "prevention"} <= set(budget.scenario)


def test_the_readme_python_runs(tmp_path: Path) -> None:
    (code,) = blocks(page("README.md"), "python")
    done = run(["-c", code], tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"\d{4}-\d\d", done.stdout)
