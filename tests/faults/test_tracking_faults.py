"""MLflow that is new, killed, away or watched: results stand, nothing is lost, nothing is told. MLflow, SQLite and processes are real."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from demand.errors import SettingsError
from demand.secrets import redacted, with_secrets
from pipelines.store import Store

CANARY = "hunter2-canary"
START = """
import sys
from pathlib import Path
from pipelines.console import open_job
from pipelines.tracking import track
job = open_job("example:children", output=sys.argv[1], jobs=1, changes=["data.example.size=tiny", *sys.argv[2:]])
job.finish(None)
print(track(job.config, job.store))
"""
LEFT = """
import os, signal
from pipelines.mlflow_home import experiment, mlflow_at
from pipelines.tracking import PROCESS, _process
with mlflow_at("auto") as mlflow:
    experiment(mlflow, "children")
    with mlflow.start_run(tags={PROCESS: _process(os.getpid())}):
        with mlflow.start_run(nested=True):
            os.kill(os.getpid(), signal.SIGKILL)
"""
WATCH = """
import os, socket
def told(how):
    def refused(self, address, *rest):
        if isinstance(address, tuple):
            with open(os.environ["WATCHED"], "a") as file:
                file.write(f"{how} {address}\\n")
            raise OSError(101, "Network is unreachable")
        return real[how](self, address, *rest)
    return refused
real = {how: getattr(socket.socket, how) for how in ("connect", "connect_ex", "sendto")}
for how in real:
    setattr(socket.socket, how, told(how))
def no_name(*words, **more):
    with open(os.environ["WATCHED"], "a") as file:
        file.write(f"getaddrinfo {words[:1]}\\n")
    raise socket.gaierror(-2, "Name or service not known")
socket.getaddrinfo = no_name
"""


def start(root: Path, place: Path, code: str, *words: str, **env: str) -> subprocess.Popen[str]:
    place.mkdir(parents=True, exist_ok=True)
    named = {**os.environ, "PYTHONPATH": str(root), "MLFLOW_TRACKING_URI": f"sqlite:///{place / 'mlflow.db'}", **env}
    words = (sys.executable, "-c", code, *words)
    return subprocess.Popen(words, cwd=place, env=named, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> str:
    told, wrong = process.communicate()
    assert process.returncode == 0, wrong[-2000:]
    return told


def statuses(place: Path) -> list[str]:
    with sqlite3.connect(place / "mlflow.db") as database:
        return sorted(s for (s,) in database.execute("select status from runs"))


def together(root: Path, place: Path, processes: int) -> None:
    begun = [start(root, place, START, str(place / f"out{k}")) for k in range(processes)]
    for process in begun:
        ended(process)
    assert statuses(place) == ["FINISHED"] * processes
    assert (place / "mlflow.db").stat().st_mode & 0o077 == 0


def test_three_processes_that_start_at_once_on_a_fresh_folder_succeed(root: Path, tmp_path: Path) -> None:
    together(root, tmp_path / "fresh", 3)


@pytest.mark.long
def test_eight_processes_that_start_at_once_on_a_fresh_folder_succeed(root: Path, tmp_path: Path) -> None:
    together(root, tmp_path / "fresh", 8)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX systems")
def test_runs_of_a_killed_process_are_closed_by_the_next(root: Path, tmp_path: Path) -> None:
    process = start(root, tmp_path, LEFT)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert statuses(tmp_path) == ["RUNNING", "RUNNING"]
    ended(start(root, tmp_path, START, str(tmp_path / "out"), "name=children"))
    assert statuses(tmp_path) == ["FINISHED", "KILLED", "KILLED"]


def demand(root: Path, place: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    named = {**os.environ, "PYTHONPATH": str(root), **env}
    every = [
        sys.executable,
        "-m",
        "pipelines",
        "check",
        "example:children",
        "--output",
        str(place / "out"),
        "--set",
        "data.example.size=tiny",
    ]
    return subprocess.run([*every, *words], cwd=place, env=named, capture_output=True, text=True, check=False)


def test_a_server_that_is_away_loses_no_result_and_the_next_run_catches_up(root: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers
        done = demand(root, tmp_path, MLFLOW_TRACKING_URI=f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert done.returncode == 0
    assert "MLflow could not be used" in done.stderr
    assert (tmp_path / "out" / "quality.json").is_file()
    before = (tmp_path / "out" / "quality.json").stat().st_mtime_ns
    again = demand(root, tmp_path, MLFLOW_TRACKING_URI=f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert again.returncode == 0, again.stderr
    assert statuses(tmp_path) == ["FINISHED"]
    assert (tmp_path / "out" / "quality.json").stat().st_mtime_ns == before


class Trickle(BaseHTTPRequestHandler):
    """A server that is there and slow: it begins to answer, and goes on a byte at a time."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        for _ in range(600):
            try:
                self.wfile.write(b" ")
                self.wfile.flush()
            except OSError:
                return
            time.sleep(0.2)

    do_POST = do_GET  # noqa: N815 (the name that the library calls)

    def log_message(self, *_words: object) -> None:
        return None


def test_a_server_that_never_ends_its_answer_loses_no_result_and_the_next_run_catches_up(root: Path, tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Trickle)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    done = demand(root, tmp_path, "--set", "tracking.patience_seconds=3", MLFLOW_TRACKING_URI=address)
    server.shutdown()
    server.server_close()
    assert Trickle.asked
    assert done.returncode == 0
    assert "MLflow did not answer within 3 seconds" in done.stderr
    assert "the next run records them" in done.stderr
    store = Store(tmp_path / "out")
    assert store.manifest["mlflow_run_id"] is None
    assert all(store.has(name) for name in store.manifest["files"])
    before = (tmp_path / "out" / "quality.json").stat().st_mtime_ns
    again = demand(root, tmp_path, MLFLOW_TRACKING_URI=f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert again.returncode == 0, again.stderr
    assert statuses(tmp_path) == ["FINISHED"]
    assert Store(tmp_path / "out").manifest["mlflow_run_id"]
    assert (tmp_path / "out" / "quality.json").stat().st_mtime_ns == before


def test_nothing_is_sent_anywhere(root: Path, tmp_path: Path) -> None:
    (tmp_path / "watch").mkdir()
    (tmp_path / "watch" / "sitecustomize.py").write_text(WATCH)
    watched = tmp_path / "watched.txt"
    done = demand(root, tmp_path, PYTHONPATH=f"{tmp_path / 'watch'}{os.pathsep}{root}", WATCHED=str(watched),
                  MLFLOW_TRACKING_URI=f"sqlite:///{tmp_path / 'mlflow.db'}")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert statuses(tmp_path) == ["FINISHED"]
    assert not watched.exists(), watched.read_text()
    probe = "import socket; socket.socket().connect(('127.0.0.1', 9))"
    place = {**os.environ, "PYTHONPATH": str(tmp_path / "watch"), "WATCHED": str(watched)}
    asked = subprocess.run([sys.executable, "-c", probe], env=place, capture_output=True, check=False)
    assert asked.returncode != 0
    assert "127.0.0.1" in watched.read_text()


def test_a_password_in_an_address_is_found_nowhere(root: Path, tmp_path: Path) -> None:
    named = f"report.names.db=postgresql://me:{CANARY}@db/homes"
    for words in (("--set", f"tracking.uri=http://me:{CANARY}@127.0.0.1:9"), ("--set", named)):
        done = demand(root, tmp_path, *words, MLFLOW_TRACKING_URI=f"sqlite:///{tmp_path / 'mlflow.db'}")
        assert done.returncode == 0, done.stderr
        assert CANARY not in done.stdout + done.stderr
    done = demand(root, tmp_path, "--set", "tracking.uri=postgresql://me:${CANARY_PASSWORD}@127.0.0.1:9/db", CANARY_PASSWORD=CANARY)
    assert "MLflow could not be used" in done.stderr
    assert CANARY not in done.stdout + done.stderr
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert "mlflow.db" in {p.name for p in files}
    assert [p.name for p in files if CANARY.encode() in p.read_bytes()] == []


def test_secrets_are_blotted_out_and_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert redacted({"a": ["x://me:p@ss:w/rd@host/db"], "api_key": "k", "n": 3}) == {"a": ["x://me:***@host/db"], "api_key": "***", "n": 3}
    monkeypatch.setenv("DB_PASSWORD", "abc")
    assert with_secrets("x://me:${DB_PASSWORD}@h") == "x://me:abc@h"
    with pytest.raises(SettingsError, match="the environment has no NOT_THERE"):
        with_secrets("x://${NOT_THERE}@h")
