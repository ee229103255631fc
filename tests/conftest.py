"""Every test is of one kind: the folder it stands in. Real data is found through DEMAND_REAL_DATA, programs on the path.

Where DEMAND_REQUIRE_TOOLS is set, as in CI, a test that would be skipped for want of a program or a module fails instead.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from filelock import FileLock

KINDS = {p.name for p in Path(__file__).parent.iterdir() if p.is_dir() and not p.name.startswith(("_", "."))}
TOOLS = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "soffice": ("soffice", "libreoffice"),
    "pdftoppm": ("pdftoppm",),
    "pdftotext": ("pdftotext",),
    "git": ("git",),
}
"""Programs that tests drive, each with the names that it goes by."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        kind = item.path.relative_to(Path(__file__).parent).parts[0]
        if kind not in KINDS or item.path.parent == Path(__file__).parent:
            raise pytest.UsageError(f"{item.path}: a test stands in a folder that is its kind: {sorted(KINDS)}")
        item.add_marker(kind)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where every tool must be there; only the public statistics may be missing."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("DEMAND_REQUIRE_TOOLS") and not _lacks_data(item):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome, report.longrepr = "failed", f"{reason}. DEMAND_REQUIRE_TOOLS is set, so nothing may be skipped."
    return report


def _lacks_data(item: pytest.Item) -> bool:
    return "real_data" in getattr(item, "fixturenames", ()) and not os.environ.get("DEMAND_REAL_DATA")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of public statistics; without it the test is skipped, with the reason."""
    folder = os.environ.get("DEMAND_REAL_DATA")
    if not folder:
        pytest.skip("DEMAND_REAL_DATA names no folder of public statistics")
    return Path(folder)


@pytest.fixture(scope="session")
def tool() -> Callable[[str], str]:
    """Give the path of a program, for example tool("chromium"); without it the test is skipped, and in CI it fails."""

    def find(name: str) -> str:
        found = next((path for known in TOOLS.get(name, (name,)) if (path := shutil.which(known))), None)
        if found is None:
            pytest.skip(f"the program '{name}' is not on the path")
        return found

    return find


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the checkout."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Callable[[str], Path]:
    """Give the output folder of a whole chain on the tiny example, run once for all worker processes: tiny_run("homelessness").

    That of homelessness is recorded in MLflow, beside its folder in homelessness.db; to record the others would add nothing.
    """
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if os.environ.get("PYTEST_XDIST_WORKER") else shared

    def run(service: str) -> Path:
        folder = shared / f"tiny-{service}"
        with FileLock(shared / f"tiny-{service}.lock"):
            if not (folder / "budget.xlsx").exists():
                words = ["run", f"example:{service}", "--output", str(folder), "--set", "data.example.size=tiny", "--quiet", "--jobs", "1"]
                words += [] if service == "homelessness" else ["--set", "tracking.uri=none"]
                place = {"MLFLOW_TRACKING_URI": f"sqlite:///{shared / f'{service}.db'}", "PYTHONPATH": str(root)}
                done = subprocess.run(
                    [sys.executable, "-m", "pipelines", *words],
                    cwd=shared,
                    env={**os.environ, **place},
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert done.returncode == 0, done.stderr
        return folder

    return run
