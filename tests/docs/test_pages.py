"""What the pages say to type can be typed: commands exist, links lead somewhere, configs load, and those about money run to the papers."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML
from typer.main import get_command
from typer.testing import CliRunner

from demand.errors import SettingsError
from demand.report.words import banned_in
from pipelines.__main__ import app
from pipelines.config import load_config

ROOT = Path(__file__).resolve().parents[2]
WORDS = "docs/glossary.md"
GUIDES = ("README.md", *(f"docs/{p.name}" for p in sorted((ROOT / "docs").glob("*.md")) if p.name != "glossary.md"))
PAGES = (*GUIDES, WORDS, "CONTRIBUTING.md", "CHANGELOG.md", "DECISIONS.md")
YAML_OF = YAML(typ="safe", pure=True)
VERBS = {str(command.name) for command in app.registered_commands}


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """Give the fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def base() -> dict[str, Any]:
    """Give the first config of the README, which the others go on from."""
    config: dict[str, Any] = YAML_OF.load(blocks(page("README.md"), "yaml")[0])
    return config


def put_in(config: dict[str, Any], section: dict[str, Any]) -> dict[str, Any]:
    """Put sections into a config as the pages say: in place of those of the same name; other counts in place of the counts."""
    data, new = config["data"], section.get("data", {})
    if {"people", "history"} & set(new):
        data = {k: v for k, v in data.items() if k not in ("people", "history")}
    return {**config, **section, "data": {**data, **new}}


def sections(name: str) -> list[dict[str, Any]]:
    return [YAML_OF.load(block) for block in blocks(page(name), "yaml")]


def anchors(text: str) -> set[str]:
    """Give the addresses of a page's headings."""
    return {re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], str]:
    """Do what a line of a page says after `demand`, in a folder of its own, and give what is printed; it must end well."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEMAND_KEY_FILE", str(tmp_path / "key"))

    def run(words: list[str]) -> str:
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, f"{words}: {done.output} {done.exception!r}"
        return done.output

    return run


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
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", page(name)) if not link.startswith("http")]
    lost = []
    for link in links:
        file, _, anchor = link.partition("#")
        path = (ROOT / name).parent / file if file else ROOT / name
        if not path.exists() or (anchor and anchor not in anchors(path.read_text(encoding="utf-8"))):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize("name", PAGES)
def test_commands_exist(name: str) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", page("Makefile").replace("\n.PHONY", ""), re.MULTILINE))
    typed = [line for block in blocks(page(name), "bash") + blocks(page(name), "bat") for line in block.splitlines()]
    asked = {t for line in typed if line.startswith("make ") for t in line.split("#")[0].split()[1:]}
    verbs = set(re.findall(r"(?:`demand|-m pipelines) ([a-z-]+)", page(name)))
    assert asked <= targets
    assert verbs <= VERBS


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_the_help_of_a_verb_teaches_by_an_example(verb: str) -> None:
    command = get_command(app).commands[verb]  # type: ignore[attr-defined]
    (example,) = re.findall(r"\n\nExample: demand (.+)$", command.help)
    assert example.split()[0].strip(";,") == verb
    assert set(re.findall(r"--[a-z-]+", example)) <= {option for parameter in command.params for option in parameter.opts}


def test_the_readme_begins_with_two_commands() -> None:
    assert [line.split("#")[0].strip() for line in blocks(page("README.md"), "bash")[0].splitlines()] == ["make demo", "make test"]


@pytest.mark.parametrize("name", GUIDES)
def test_every_snippet_loads_in_the_config_of_the_readme(name: str, tmp_path: Path) -> None:
    ledger = sections("docs/budget.md")[0] if name == "docs/budget.md" else {}
    assert sections(name)
    for section in sections(name):
        whole = put_in({**base(), **ledger}, section)
        YAML_OF.dump(whole, tmp_path / "one.yaml")
        load_config(tmp_path / "one.yaml")


def test_a_planted_fault_in_a_snippet_is_found(tmp_path: Path) -> None:
    YAML_OF.dump(put_in(base(), {"grants": [{"name": "g", "line": "nowhere"}]}), tmp_path / "one.yaml")
    with pytest.raises(SettingsError):
        load_config(tmp_path / "one.yaml")


def test_configs_run_from_data_to_the_budget_papers(typed: Callable[[list[str]], str], tmp_path: Path) -> None:
    """The README's config first; then with every section of docs/budget.md in it, and all its files are there and explained."""
    config = blocks(page("README.md"), "yaml")[0]
    assert len(config.splitlines()) <= 25
    (tmp_path / "accommodation.yaml").write_text(config, encoding="utf-8")
    households().to_csv(tmp_path / "history.csv", index=False)
    quick = ["--set", "forecast.draws=100", "--set", "forecast.models=[seasonal_naive, theta]", "--set", "tracking.uri=none"]
    typed(["run", "accommodation.yaml", "--quiet", *quick])
    out = tmp_path / "outputs/accommodation"
    budget = pd.read_csv(out / "budget.csv")
    assert {"2026-27", "2027-28"} <= set(budget.financial_year.astype(str))
    assert {"baseline", "prevention"} <= set(budget.scenario)
    whole = base()
    for section in sections("docs/budget.md"):
        whole = whole if "people" in section.get("data", {}) else put_in(whole, section)
    YAML_OF.dump(whole, tmp_path / "accommodation.yaml")
    ledger = {"line": "temporary accommodation", "financial_year": ["2023-24", "2024-25"], "actual": ["4,100,000", "4,510,000"]}
    pd.DataFrame(ledger).to_csv(tmp_path / "outturns.csv", index=False)
    typed(["budget", "accommodation.yaml", "--quiet", *quick])
    (landed,) = re.findall(r"^\| question.*?\n\n", page("docs/budget.md"), re.MULTILINE | re.DOTALL)
    assert [name for name in re.findall(r"\w+\.csv", landed) if not (out / name).is_file()] == []
    told = page("CONTRIBUTING.md")
    assert [p.name for p in out.iterdir() if p.is_file() and p.name not in told] == []


def test_the_tutorial_leads_from_a_file_to_the_papers(typed: Callable[[list[str]], str], tmp_path: Path) -> None:
    """Every command of the tutorial in its order, each after the sections that stand before it."""
    households().to_csv(tmp_path / "history.csv", index=False)
    quick = ["--set", "forecast.draws=100", "--set", "forecast.models=[seasonal_naive, theta]", "--set", "tracking.uri=none"]
    for language, block in re.findall(r"^```(yaml|bash)\n(.*?)^```$", page("docs/tutorial.md"), re.MULTILINE | re.DOTALL):
        config = tmp_path / "accommodation.yaml"
        if language == "yaml":
            YAML_OF.dump(put_in(YAML_OF.load(config.read_text(encoding="utf-8")), YAML_OF.load(block)), config)
            continue
        for line in block.splitlines():
            _, verb, *rest = shlex.split(line)
            said = typed([verb, *rest, *(quick if rest[0] == config.name else [])])
            if verb == "explain":
                assert "Recent level" in said
    out = tmp_path / "outputs/accommodation"
    named = re.findall(r"[a-z]+\.(?:docx|html|txt|xlsx)", page("docs/tutorial.md"))
    assert len(named) >= 8
    assert [name for name in named if not (out / name).is_file() and not (out / "paste" / name).is_file()] == []
    lines = [line for block in blocks(page("docs/howto.md"), "bash") for line in block.splitlines()]
    asked = [line for line in lines if shlex.split(line)[1] in ("explain", "publish") or "--inputs" in line]
    assert len(asked) == 3
    for line in asked:
        _, verb, *rest = shlex.split(line)
        typed([verb, *rest, *quick])
    made_here = tmp_path / "outputs/accommodation"
    assert (made_here / "inputs_changes.csv").is_file()
    assert (made_here / "share/report.html").is_file()


def test_the_glossary_explains_what_the_report_says() -> None:
    told = page(WORDS)
    assert [
        w for w in ("4 years in 5", "possible future", "goes with", "placeholder", "track record", "reserve") if w not in told.lower()
    ] == []
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", told, re.MULTILINE)[2:]
    assert len(rows) > 20
    assert [left for left, meaning, _ in rows if banned_in(f"{left} {meaning}")] == []


def test_the_layers_are_those_that_are_held() -> None:
    contracts = tomllib.loads(page("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    (rooms,) = [c["layers"] for c in contracts if c["id"] == "rooms"]
    (told,) = re.findall(r"^    (pipelines > .*?)\n\n", page("CONTRIBUTING.md"), re.MULTILINE | re.DOTALL)
    assert " ".join(told.split()).split(" > ") == ["pipelines", *rooms]


def test_the_readme_python_runs(tmp_path: Path) -> None:
    (code,) = blocks(page("README.md"), "python")
    place = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"\d{4}-\d\d", done.stdout)
