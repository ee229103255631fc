"""What a run is given: only whole months are counted from people, and nothing later than the day it stands on is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.config import load_config
from pipelines.inputs import Inputs

CONFIG = """name: cases
data:
  people: {path: cases.csv, id: ref, opened: opened, closed: closed, keys: [area], attributes: [need]EXTRA}
forecast: {horizon: 3, models: [seasonal_naive], draws: 20}
"""


def inputs(folder: Path, last: str, *changes: str, extra: str = "") -> Inputs:
    days = pd.date_range("2023-01-01", last, freq="D")
    rng = np.random.default_rng(5)
    table = pd.DataFrame({"ref": [f"r{i}" for i in range(len(days))], "opened": days.strftime("%Y-%m-%d"), "area": "North"})
    table.assign(closed="", need=rng.choice(["yes", "no"], len(days))).to_csv(folder / "cases.csv", index=False)
    (folder / "cases.yaml").write_text(CONFIG.replace("EXTRA", extra), encoding="utf-8")
    config, place = load_config(folder / "cases.yaml", changes=changes)
    return Inputs(config, place)


@pytest.fixture(autouse=True)
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("0123456789abcdef0123", encoding="utf-8")
    monkeypatch.setenv("DEMAND_KEY_FILE", str(tmp_path / "key"))


@pytest.mark.parametrize(
    ("last", "changes", "extra", "month", "told"),
    [
        ("2025-03-31", (), "", "2025-03", False),
        ("2025-03-12", (), "", "2025-02", True),
        ("2025-03-12", ("as_of=2025-08-31",), "", "2025-02", True),
        ("2025-03-12", ("as_of=2025-02-28",), "", "2025-02", False),
        ("2025-03-29", ("as_of=2025-03-31",), "", "2025-03", False),
        ("2025-03-29", (), ", extracted: 2025-03-29", "2025-02", True),
        ("2025-03-12", (), ", extracted: 2025-03-31", "2025-03", False),
    ],
)
def test_a_month_that_is_not_whole_is_not_counted_and_told(
    tmp_path: Path, last: str, changes: tuple[str, ...], extra: str, month: str, told: bool
) -> None:
    given = inputs(tmp_path, last, *changes, extra=extra)
    assert given.history is not None
    assert given.history.last == pd.Timestamp(month)
    assert ("half_month" in {f.rule for f in given.findings}) is told


def test_nothing_later_than_as_of_is_known(tmp_path: Path) -> None:
    given = inputs(tmp_path, "2025-03-31", "as_of=2024-06-30")
    assert given.people is not None
    assert given.people["opened"].max() <= pd.Timestamp("2024-06-30")
    assert given.history is not None
    assert given.history.last == pd.Timestamp("2024-06-01")
    assert given.history.wide.to_numpy().sum() == len(given.people)


def test_who_was_in_which_saved_segment_counts_as_a_source_beside_the_rules(tmp_path: Path) -> None:
    (tmp_path / "last").mkdir()
    (tmp_path / "last" / "segment_model.json").write_text("{}", encoding="utf-8")
    told = []
    for members in (b"one", b"other"):
        (tmp_path / "last" / "segments.parquet").write_bytes(members)
        told.append(inputs(tmp_path, "2023-03-31", "segments.saved=last").hashes)
    assert told[0]["segments.saved"] == told[1]["segments.saved"]
    assert told[0]["segments.saved.members"] != told[1]["segments.saved.members"]
