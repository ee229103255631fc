"""Outputs are written whole or not at all: full disks, open workbooks, kills, flipped bits, formulas."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from demand.errors import StoreError
from pipelines.cells import as_given, neutral
from pipelines.store import Store, as_written

FORMULAS = ["=1+1", "+44 7700 900123", "-a", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "'=1", "''@x", '=HYPERLINK("http://x","y")']
PLAIN = ["Ann", "-5", "+3.5", "12%", "O'Neill", "'quoted'", "Tŷ ŵ", "", "<5"]


def write(store: Store, key: str, text: str) -> None:
    with store.writing("forecast", key) as writer:
        for name in ("a.txt", "b.txt", "share/c.txt"):
            writer.text(name, text)


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_target_that_is_in_the_way_leaves_all_as_they_were(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    store = Store(folder)
    with store.writing("forecast", "k1") as writer:
        writer.text("a.txt", "one")
    before = contents(folder)
    (folder / "share").write_text("a file where the folder should be")
    with pytest.raises(StoreError):
        write(store, "k2", "two")
    (folder / "share").unlink()
    assert contents(folder) == before
    assert Store(folder).fresh("forecast", "k1")
    assert store.fresh("forecast", "k1")


def test_a_workbook_that_windows_holds_open_leaves_all_as_they_were_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, moved = tmp_path / "out", Path.replace

    def as_windows_does(path: Path, target: Path) -> Path:
        if path == folder / "budget.xlsx":
            raise PermissionError(13, "The process cannot access the file because it is being used by another process", str(path))
        return moved(path, target)

    def write_all(key: str, text: str) -> None:
        with Store(folder).writing("report", key) as writer:
            for name in ("a.txt", "budget.xlsx", "report.txt"):
                writer.text(name, text)

    write_all("k1", "one")
    before = contents(folder)
    monkeypatch.setattr(Path, "replace", as_windows_does)
    with pytest.raises(StoreError, match=r"'budget.xlsx' cannot be written.*Close the file.*Earlier results are as they were"):
        write_all("k2", "two")
    assert contents(folder) == before


CHILD = """
import resource, sys
from pathlib import Path
from pipelines.store import Store, as_written
from demand.errors import StoreError
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store(Path(sys.argv[1]))
try:
    with store.writing("forecast", "k2") as writer:
        writer.text("a.txt", "two" * 50)
        writer.text("b.txt", "two" * 50000)
except StoreError as error:
    print(error)
    sys.exit(3)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits of files are of POSIX systems")
@pytest.mark.parametrize("room", [10, 200, 100_000])
def test_a_full_disk_leaves_the_earlier_results(tmp_path: Path, root: Path, room: int) -> None:
    folder = tmp_path / "out"
    write(Store(folder), "k1", "one")
    before = contents(folder)
    words = [sys.executable, "-c", CHILD, str(folder), str(room)]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(root)})
    assert done.returncode == 3, done.stderr
    assert "Earlier results are as they were" in done.stdout
    assert contents(folder) == before


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX systems")
def test_what_a_killed_run_left_half_done_is_cleared_away(tmp_path: Path, root: Path) -> None:
    folder = tmp_path / "out"
    write(Store(folder), "k1", "one")
    child = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom pipelines.store import Store\n"
        "with Store(Path(sys.argv[1])).writing('forecast', 'k2') as writer:\n"
        "    writer.text('a.txt', 'two')\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    words = [sys.executable, "-c", child, str(folder)]
    done = subprocess.run(words, cwd=root, check=False, env={**os.environ, "PYTHONPATH": str(root)})
    assert done.returncode == -signal.SIGKILL
    assert [p for p in folder.iterdir() if p.name.startswith(".half-")]
    assert Store(folder).fresh("forecast", "k1")
    write(Store(folder), "k3", "three")
    assert not [p for p in folder.iterdir() if p.name.startswith(".")]


def test_two_runs_do_not_write_into_one_folder(tmp_path: Path) -> None:
    with Store(tmp_path / "out").writing("forecast", "k1") as writer:
        writer.text("a.txt", "one")
        with pytest.raises(StoreError, match="another run is writing here"), Store(tmp_path / "out").writing("segment", "k"):
            pass


def test_a_flipped_bit_is_noticed_in_every_kind_of_file(tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    table = pd.DataFrame({"name": ["a", "b"], "y": [1.0, 2.0]})
    with store.writing("forecast", "k") as writer:
        writer.table("t.parquet", table)
        writer.table("t.csv", table)
        writer.json("t.json", {"a": 1})
        writer.bytes("t.xlsx", b"some bytes")
    for name in store.manifest["files"]:
        path = tmp_path / "out" / name
        whole = path.read_bytes()
        for place in range(0, len(whole), max(1, len(whole) // 25)):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(StoreError, match="has been changed"):
                store.path(name)
        path.write_bytes(whole)
        assert store.path(name) == path


def test_formulas_are_made_harmless_in_csv_and_come_back(tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    table = pd.DataFrame({"=name": [*FORMULAS, *PLAIN], "n": range(len(FORMULAS) + len(PLAIN))})
    with store.writing("forecast", "k") as writer:
        writer.table("t.csv", table)
    written = pd.read_csv(tmp_path / "out" / "t.csv", keep_default_na=False, dtype=str)
    assert list(written.columns) == ["'=name", "n"]
    assert written["'=name"].tolist() == [*[f"'{f}".replace("\r", "\n") for f in FORMULAS], *PLAIN]
    back = store.table("t.csv")
    assert back["=name"].fillna("").tolist() == [n.replace("\r", "\n") for n in table["=name"]]


def test_tables_without_formulas_are_not_touched() -> None:
    table = pd.DataFrame({"name": pd.Categorical(["a", "b"]), "x": [-1.0, 2.0]})
    pd.testing.assert_frame_equal(neutral(table), table)
    pd.testing.assert_frame_equal(as_given(neutral(table)), table)


def test_what_was_cleared_is_marked(tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    write(store, "k", "one")
    assert store.manifest["files"]["share/c.txt"]["class"] == "cleared"
    assert store.manifest["files"]["a.txt"]["class"] == "internal"
    assert store.path("share/c.txt").read_text() == "one"


def test_a_file_of_a_run_is_held_against_its_manifest_wherever_it_is_read(tmp_path: Path) -> None:
    write(Store(tmp_path / "out"), "k", "one")
    assert as_written(tmp_path / "out" / "a.txt").read_text() == "one"
    (tmp_path / "out" / "a.txt").write_text("onf")
    with pytest.raises(StoreError, match=r"a\.txt has been changed"):
        as_written(tmp_path / "out" / "a.txt")
    (tmp_path / "a.txt").write_text("of no run")
    assert as_written(tmp_path / "a.txt") == tmp_path / "a.txt"
