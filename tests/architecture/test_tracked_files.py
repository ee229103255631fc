"""What may not stand in any file that is kept: addresses of package registries, paths of one machine, work left open, large files."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".txt", ".cfg", ".json", ".ipynb", ".html", ".css", ".js", ".sh", ".j2", ".csv", ""}
SLASH = "/"
FORBIDDEN = {
    "a package registry's address": re.compile(
        r"--(?:extra-)?index-ur[l]|--find-link[s]|https?://[^\s']*"
        + SLASH
        + r"simple|registry = .https?:|py[p]i\.org|python[h]osted|registry\.npm[j]s"
    ),
    "a path of one machine": re.compile(r"(?<![\w.$}])/(?:root|home|tmp|mnt|srv|work)" + SLASH + r"[\w.-]+"),
    "work left open": re.compile(r"\b(?:TOD[O]|FIXM[E]|XX[X]|HAC[K])\b|raise NotImplemente[d]Error|pragma: no cove[r]|mark\.xfai[l]"),
}
PLANTED = {
    "a package registry's address": ["pip install --index" + "-url https://example.invalid/x", "see https://py" + "pi.org/project/x"],
    "a path of one machine": ["DATA = '/ho" + "me/ann/data.csv'", "cd /tm" + "p/x"],
    "work left open": ["# TO" + "DO later", "raise NotImplemented" + "Error"],
}
LARGEST = 1_000_000


def faults(path: str, text: str) -> list[str]:
    """Give the lines of one file that may not be there."""
    only_code = {"work left open"}
    return [
        f"{path}:{number}: {what}: {hit.group(0)}"
        for number, line in enumerate(text.splitlines(), 1)
        for what, pattern in FORBIDDEN.items()
        if (path.endswith(".py") or what not in only_code) and (hit := pattern.search(line))
    ]


@pytest.fixture(scope="module")
def tracked(tool: Callable[[str], str]) -> list[Path]:
    done = subprocess.run([tool("git"), "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_nothing_forbidden_is_kept(tracked: list[Path]) -> None:
    texts = [p for p in tracked if p.suffix in TEXT]
    found = [f for p in texts for f in faults(p.relative_to(ROOT).as_posix(), p.read_text(encoding="utf-8", errors="replace"))]
    assert not found, "\n".join(found)


def test_no_file_is_large(tracked: list[Path]) -> None:
    assert [p.name for p in tracked if p.stat().st_size > LARGEST] == []


@pytest.mark.parametrize(("what", "line"), [(what, line) for what, lines in PLANTED.items() for line in lines])
def test_a_planted_line_is_found(what: str, line: str) -> None:
    assert any(what in fault for fault in faults("planted.py", line))
