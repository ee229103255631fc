"""A person is taken out of tables, models and MLflow, and no byte of the reference is left. Files and SQLite are the real ones."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from demand.errors import DataError, StoreError
from demand.report.document import document
from demand.report.parts import Section, Table
from demand.spec import stream
from pipelines.console import open_job
from pipelines.erase import erase, holding, tokens
from pipelines.frozen import erased_from, freeze, opened, told_erased
from pipelines.job import Job
from pipelines.run import run

CANARY = "CANARY-4711"
CONFIG = """
name: people
data:
  people: {path: people.csv, person: client, id: episode, opened: opened, closed: closed, keys: [area], attributes: [need, visits]}
segments: {method: latent_class, count: 2}
"""


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of `segment` of 160 people, one of them the canary."""
    folder = tmp_path_factory.mktemp("erase")
    rng, n = stream(1, "erase"), 160
    group = rng.integers(0, 2, n)
    people = pd.DataFrame(
        {
            "client": [CANARY, *[f"C{i:04d}" for i in range(1, n)]],
            "episode": [f"E{i:04d}" for i in range(n)],
            "opened": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 700, n), "D"),
            "closed": "",
            "area": np.where(rng.random(n) < 0.5, "Castle", "Harbour"),
            "need": np.where(rng.random(n) < np.where(group, 0.9, 0.1), "yes", "no"),
            "visits": rng.poisson(np.where(group, 12, 2)),
        }
    )
    people.to_csv(folder / "people.csv", index=False)
    (folder / "people.yaml").write_text(CONFIG + "tracking: {uri: none}\n")
    (folder / "key").write_text("a key for the tests of erasing")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEMAND_KEY_FILE", str(folder / "key"))
        run(job(folder), ["segment"])
    return folder


@pytest.fixture
def stored(pristine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that folder for each test."""
    shutil.copytree(pristine, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("DEMAND_KEY_FILE", str(tmp_path / "key"))
    return tmp_path


@pytest.fixture
def recorded(stored: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, with its record in a SQLite store of MLflow."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{stored / 'store' / 'mlflow.db'}")
    (stored / "people.yaml").write_text(CONFIG)
    mine = job(stored)
    assert run(mine, ["segment"]) == ""
    assert "segment" in mine.reused
    return stored


def job(folder: Path) -> Job:
    return open_job(folder / "people.yaml", output=str(folder / "out"), jobs=1)


def plant(folder: Path, token: str) -> None:
    """Leave the pseudonym where a careless hand could have put it: a tag, a parameter, an artifact, a run that was deleted softly."""
    code = (
        "import mlflow, sys\nmlflow.set_experiment('people')\n"
        "with mlflow.start_run() as run:\n    mlflow.set_tag('who', sys.argv[1])\n    mlflow.log_param('who', sys.argv[1])\n"
        "    mlflow.log_text('seen: ' + sys.argv[1], 'note.txt')\nmlflow.delete_run(run.info.run_id)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, token], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_person_is_found_before_and_nowhere_after(recorded: Path) -> None:
    mine = job(recorded)
    wanted = tokens(mine, [CANARY])
    token = next(t for t in wanted if t in set(pd.read_parquet(recorded / "out" / "segments.parquet")["person_id"]))
    plant(recorded, token)
    freeze(mine.store, recorded / "out" / "records" / "budget-2027-28", {"name": "Budget 2027-28"})
    before = {p.name for p in holding(recorded / "out", wanted) + holding(recorded / "store", wanted)}
    assert {"segments.parquet", "mlflow.db", "note.txt"} <= before
    people = len(pd.read_parquet(recorded / "out" / "segments.parquet"))

    said = "\n".join(erase(mine, [CANARY]))

    assert [p.name for p in holding(recorded / "out", wanted) + holding(recorded / "store", wanted)] == []
    assert len(pd.read_parquet(recorded / "out" / "segments.parquet")) == people - 1
    assert not (recorded / "out" / "segment_model.json").exists()
    assert "segment_model.json" in said
    assert "records/budget-2027-28: 'segment_model.json', 'segment_portraits.json', 'segment_profile.csv' taken out" in said
    assert "The extract still holds the person: 'people.csv'" in said
    assert CANARY not in said
    assert token not in said
    with sqlite3.connect(recorded / "store" / "mlflow.db") as database:
        assert database.execute("select count(*) from runs").fetchone() == (0,)
    assert mine.store.has("segments.parquet")
    assert "segment" not in json.loads((recorded / "out" / "manifest.json").read_text())["stages"]


def test_a_frozen_run_keeps_the_hash_of_what_was_erased_and_says_so(stored: Path) -> None:
    mine, folder = job(stored), stored / "out" / "records" / "budget-2027-28"
    approved = freeze(mine.store, folder, {"name": "Budget 2027-28"})
    assert told_erased(approved) == []
    erase(mine, [CANARY])
    store, record = opened(folder)
    assert record["hash"] == approved["hash"]  # which the report that was signed off names
    assert record["files"] == approved["files"]
    assert set(record["erased"]) == {"segment_model.json", "segment_portraits.json", "segment_profile.csv"}
    assert all(about["sha256"] == approved["files"][name] for name, about in record["erased"].items())
    assert "of 'Budget 2027-28' were erased on request on 20" in told_erased(record)[0]
    assert store.has("segment_use.csv")
    assert not store.has("segment_model.json")
    (folder / "segment_use.csv").chmod(0o644)
    (folder / "segment_use.csv").unlink()  # which nobody asked for
    with pytest.raises(StoreError, match="cannot be read"):
        opened(folder)


def test_a_file_that_was_erased_and_is_there_again_is_held_against_its_hash(stored: Path) -> None:
    mine, folder = job(stored), stored / "out" / "records" / "budget-2027-28"
    freeze(mine.store, folder, {"name": "Budget 2027-28"})
    assert erased_from(folder, ["segment_model.json", "no such file"], day="2026-11-22") == ["segment_model.json"]
    opened(folder)
    (folder / "segment_model.json").write_text("another")
    with pytest.raises(StoreError, match=r"'segment_model\.json' changed since"):
        opened(folder)


def test_the_next_run_fits_again_without_the_person(stored: Path) -> None:
    table = pd.read_csv(stored / "people.csv", dtype=str, keep_default_na=False)
    erase(job(stored), [CANARY])
    table[table["client"] != CANARY].to_csv(stored / "people.csv", index=False)
    mine = job(stored)
    assert run(mine, ["segment"]) == ""
    assert (stored / "out" / "segment_model.json").exists()
    assert holding(stored / "out", tokens(mine, [CANARY])) == []
    alone = open_job(stored / "people.yaml", output=str(stored / "never"), jobs=1, changes=["tracking.uri=none"])
    run(alone, ["segment"])
    for name in ("segments.parquet", "segment_model.json", "segment_profile.csv"):
        assert (stored / "never" / name).read_bytes() == (stored / "out" / name).read_bytes()


def test_word_documents_are_searched_too(tmp_path: Path) -> None:
    paper = Section("questions", "Questions", (Table("Who", ("Reference",), ((CANARY,),)),))
    (tmp_path / "questions.docx").write_bytes(document(paper))
    assert [p.name for p in holding(tmp_path, {CANARY})] == ["questions.docx"]


def test_a_cell_that_holds_a_list_is_searched_too(tmp_path: Path) -> None:
    pd.DataFrame({"who": [["a", "0123456789abcdef"], ["b"]], "n": [1, 2]}).to_parquet(tmp_path / "lists.parquet")
    assert [p.name for p in holding(tmp_path, {"0123456789abcdef"})] == ["lists.parquet"]
    assert holding(tmp_path, {"fedcba9876543210"}) == []


def test_the_number_of_a_row_names_nobody(stored: Path) -> None:
    config = (stored / "people.yaml").read_text(encoding="utf-8")
    (stored / "people.yaml").write_text(config.replace("person: client, id: episode", "id: row"), encoding="utf-8")
    before = (stored / "out" / "segments.parquet").read_bytes()
    with pytest.raises(DataError, match=r"rows are only numbered.*pseudonym"):
        erase(job(stored), ["17"])
    assert (stored / "out" / "segments.parquet").read_bytes() == before


def test_a_pseudonym_will_do_and_a_stranger_will_not(stored: Path) -> None:
    mine = job(stored)
    token = pd.read_parquet(stored / "out" / "segments.parquet")["person_id"].iloc[3]
    assert any("1 row was taken out" in s for s in erase(mine, [token]))
    with pytest.raises(DataError, match="nobody of that reference is stored"):
        erase(job(stored), ["C9999"])
