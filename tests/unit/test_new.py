"""A config drafted by looking at a file works at the first try."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from demand.errors import DataError, SettingsError
from pipelines.config import load_config
from pipelines.inputs import Inputs
from pipelines.new import draft_config


def drafted(folder: Path, table: pd.DataFrame) -> Inputs:
    table.to_csv(folder / "counts.csv", index=False)
    (folder / "mine.yaml").write_text(draft_config("mine", folder / "counts.csv"), encoding="utf-8")
    config, place = load_config(folder / "mine.yaml")
    return Inputs(config, place)


@pytest.mark.parametrize(
    ("dates", "code"),
    [
        (pd.date_range("2021-01-01", periods=24, freq="MS").strftime("%d/%m/%Y"), "M"),
        (pd.date_range("2019-03-31", periods=20, freq="QE").strftime("%Y-%m-%d"), "Q"),
        (pd.date_range("2010-03-31", periods=14, freq="YE-MAR").strftime("%Y-%m-%d"), "Y"),
        (pd.date_range("2024-01-01", periods=30, freq="W-MON").strftime("%Y-%m-%d"), "W-MON"),
        (pd.date_range("2024-01-01", periods=60, freq="D").strftime("%Y-%m-%d"), "D"),
    ],
)
def test_dates_counts_and_keys_are_found(tmp_path: Path, dates: pd.Index, code: str) -> None:
    rows = [
        pd.DataFrame({"month": dates, "area": area, "households": range(5, 5 + len(dates)), "rate": 0.5}) for area in ("North", "South")
    ]
    history = drafted(tmp_path, pd.concat(rows)).history
    assert history is not None
    assert history.frequency.code == code
    assert history.ids == ["North", "South"]
    assert history.wide["North"].tolist() == list(range(5, 5 + len(dates)))


def test_a_column_that_says_flow_or_stock_is_believed(tmp_path: Path) -> None:
    rows = [
        pd.DataFrame({"unique_id": f"{k}", "ds": pd.date_range("2021-01-01", periods=24, freq="MS"), "y": 7, "kind": k})
        for k in ("flow_in_month", "stock_at_end")
    ]
    history = drafted(tmp_path, pd.concat(rows)).history
    assert history is not None
    assert history.series["kind"].tolist() == ["flow", "stock"]


def test_a_file_without_dates_is_refused(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}).to_csv(tmp_path / "counts.csv", index=False)
    with pytest.raises(DataError, match="no column holds dates"):
        draft_config("mine", tmp_path / "counts.csv")


def test_a_config_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there already"):
        draft_config("mine", tmp_path / "counts.csv", exists=True)
