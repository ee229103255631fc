"""Every test is of one kind: the folder it stands in. Real data is found through DEMAND_REAL_DATA."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

KINDS = {p.name for p in Path(__file__).parent.iterdir() if p.is_dir() and not p.name.startswith(("_", "."))}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        kind = item.path.relative_to(Path(__file__).parent).parts[0]
        if kind not in KINDS or item.path.parent == Path(__file__).parent:
            raise pytest.UsageError(f"{item.path}: a test stands in a folder that is its kind: {sorted(KINDS)}")
        item.add_marker(kind)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of public statistics; without it the test is skipped, with the reason."""
    folder = os.environ.get("DEMAND_REAL_DATA")
    if not folder:
        pytest.skip("DEMAND_REAL_DATA names no folder of public statistics")
    return Path(folder)
