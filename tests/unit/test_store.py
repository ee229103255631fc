"""The output folder: whole or not at all, each file with its hash."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from demand.errors import DataError, StoreError
from pipelines.store import Store, source_hash


def write(store: Store, stage: str, key: str, **files: str) -> None:
    with store.writing(stage, key) as writer:
        for name, text in files.items():
            writer.text(f"{name}.txt", text)


def test_a_stage_that_ended_well_is_fresh_under_its_key_only(tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    write(store, "forecast", "k1", a="one")
    again = Store(tmp_path / "out")
    assert again.fresh("forecast", "k1")
    assert not again.fresh("forecast", "k2")
    assert not again.fresh("segment", "k1")


def test_a_changed_file_is_noticed_and_not_read(tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    write(store, "forecast", "k1", a="one")
    (tmp_path / "out" / "a.txt").write_text("two")
    again = Store(tmp_path / "out")
    assert not again.fresh("forecast", "k1")
    with pytest.raises(StoreError, match=r"a\.txt has been changed"):
        again.path("a.txt")


def test_a_stage_that_failed_leaves_the_earlier_results(tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    write(store, "forecast", "k1", a="one")

    def fail() -> None:
        with store.writing("forecast", "k2") as writer:
            writer.text("a.txt", "half")
            raise DataError("no")

    with pytest.raises(DataError):
        fail()
    assert (tmp_path / "out" / "a.txt").read_text() == "one"
    assert Store(tmp_path / "out").fresh("forecast", "k1")
    assert [p.name for p in (tmp_path / "out").iterdir() if p.name.startswith(".")] == []


def test_a_first_stage_that_failed_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError), Store(tmp_path / "out").writing("forecast", "k"):
        raise DataError("no")
    assert not (tmp_path / "out").exists()


def test_files_that_a_stage_no_longer_writes_go(tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    write(store, "forecast", "k1", a="one", b="two")
    write(store, "forecast", "k2", a="one")
    assert not (tmp_path / "out" / "b.txt").exists()
    assert set(json.loads((tmp_path / "out" / "manifest.json").read_text())["files"]) == {"a.txt"}


def test_files_of_a_stage_that_was_forgotten_go_when_it_writes_anew(tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    write(store, "check", "k1", q="one")
    write(store, "report", "k1", page="one", english="one", other="one")
    with store.writing("check", "k2") as writer:
        writer.text("q.txt", "two")
        writer.text("other.txt", "now of another stage")
        store.forget(["report", "budget"])
    again = Store(tmp_path / "out")
    assert not again.fresh("report", "k1")
    assert (tmp_path / "out" / "english.txt").exists()
    write(again, "report", "k2", page="two")
    assert {p.name for p in (tmp_path / "out").glob("*.txt")} == {"q.txt", "other.txt", "page.txt"}


def test_tables_come_back_as_they_were(tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    table = pd.DataFrame({"unique_id": ["Tŷ ŵ", "b"], "ds": pd.to_datetime(["2024-01-01", "2024-02-01"]), "y": [1.5, None]})
    with store.writing("forecast", "k") as writer:
        writer.table("t.parquet", table)
        writer.table("t.csv", table)
    pd.testing.assert_frame_equal(store.table("t.parquet"), table)
    assert store.table("t.csv")["unique_id"].tolist() == ["Tŷ ŵ", "b"]


def test_person_level_files_are_marked(tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    with store.writing("segment", "k") as writer:
        writer.table("segments.parquet", pd.DataFrame({"person_id": ["x"]}))
    assert store.manifest["files"]["segments.parquet"]["class"] == "person-level"


def test_the_source_hash_of_a_verb_covers_what_it_imports() -> None:
    assert source_hash("pipelines.store") != source_hash("demand.spec")
    assert len(source_hash("pipelines.store")) == 16
