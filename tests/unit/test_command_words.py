"""What the command line says by itself: help that teaches by example, no colours where none are wanted, completion, the recorded runs."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from demand.report.words import banned_in
from pipelines.__main__ import app
from pipelines.console import carry_out, open_job, runs
from pipelines.job import STAGES
from pipelines.summary import summary

COMMANDS = sorted(c.name for c in app.registered_commands if c.name)
COLOUR = re.compile(r"\x1b\[[0-9;]*(?:3[0-7]|4[0-7]|9[0-7])m")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches_by_example_in_plain_words(command: str) -> None:
    said = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"}).output
    assert re.search(rf"Example: demand {command}\b", said)
    said = said.replace("forecast.backtest.cutoffs", "")  # a key of the config, in an example
    assert set(banned_in(said)) <= {"backtest", "baseline"}  # names of a verb and of a scenario


def test_colours_are_off_where_asked() -> None:
    bright = CliRunner().invoke(app, ["run", "--help"], env={"FORCE_COLOR": "1"}, color=True).output
    plain = CliRunner().invoke(app, ["run", "--help"], env={"FORCE_COLOR": "1", "NO_COLOR": "1"}, color=True).output
    assert "Example" in plain
    assert not COLOUR.search(plain)
    assert re.sub(r"\x1b\[[0-9;]*m", "", bright) == re.sub(r"\x1b\[[0-9;]*m", "", plain)


def test_colours_are_off_by_a_word_of_the_command(root: Path) -> None:
    place = {**os.environ, "PYTHONPATH": str(root), "FORCE_COLOR": "1"}
    done = subprocess.run([sys.executable, "-m", "pipelines", "run", "--help", "--no-color"], env=place, capture_output=True, text=True)
    assert done.returncode == 0
    assert "Example" in done.stdout
    assert not COLOUR.search(done.stdout)


def test_the_tab_key_completes_verbs() -> None:
    asked = {"_DEMAND_COMPLETE": "complete_bash", "COMP_WORDS": "demand sce", "COMP_CWORD": "1"}
    done = CliRunner().invoke(app, [], env=asked, prog_name="demand")
    assert done.output.split() == ["scenario"]


def test_recorded_runs_are_listed_the_latest_first(
    tiny_run: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tiny_run("homelessness")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder.parent / 'homelessness.db'}")
    assert runs("homelessness", uri="auto", last=5) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].split()[:3] == ["Started", "(UTC)", "Config"]
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d  homelessness  well +\d+\.\d +36 +\d\.\d\d +[0-9a-f]{32}$", said[1])
    took = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["timings"]
    assert float(said[1].split()[4]) == pytest.approx(sum(took.values()) / 60, abs=0.06)
    assert not [line for line in said if "early_help" in line]
    assert runs("another", uri="auto", last=5) == 0
    assert "No runs are recorded here" in capsys.readouterr().out


def test_what_a_run_says_at_the_end_is_plain(tiny_run: Callable[[str], Path]) -> None:
    job = open_job("example:homelessness", output=str(tiny_run("homelessness")), changes=["data.example.size=tiny"])
    job._keys = dict.fromkeys(STAGES, "done before")
    said = summary(job)
    assert "4 years in 5" in said
    assert "Forecast:" in said
    assert banned_in(said) == []


def test_looking_again_at_one_stage_is_no_further_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'tracking.db'}")
    asked = {"data_dir": "", "output": str(tmp_path / "out"), "jobs": 1, "changes": ["data.example.size=tiny"], "quiet": True}
    ids = []
    for _ in range(2):
        assert carry_out("check", "example:children", **asked) == 0
        ids.append(json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))["mlflow_run_id"])
    assert ids[0] == ids[1] is not None
    with closing(sqlite3.connect(tmp_path / "tracking.db")) as database:
        assert database.execute("select count(*) from runs").fetchone() == (1,)


def test_no_record_is_no_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert runs("", uri=f"sqlite:///{tmp_path / 'none.db'}", last=5) == 0
    assert "No runs are recorded here" in capsys.readouterr().out


def test_a_screen_of_an_old_encoding_shows_question_marks_and_ends_nothing(root: Path, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("Tŷ,Ŵyn\na,b\n", encoding="utf-8")
    words = [sys.executable, "-m", "pipelines", "new", "mine", "--from", "x.csv"]
    place = {**os.environ, "PYTHONPATH": str(root), "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    done = subprocess.run(words, cwd=tmp_path, env=place, capture_output=True, check=False)
    assert done.returncode == 2
    assert b"no column holds dates. Columns: 'T?', '?yn'" in b" ".join(done.stderr.split())
