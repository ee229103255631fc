"""`demand compare` on whole runs: the same scenario twice differs by nothing, two scenarios by their changes, two services not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from pipelines.console import compared


def test_scenarios_of_stored_runs_are_compared(tiny_run: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, written = str(tiny_run("homelessness")), str(tmp_path / "compare.csv")
    assert compared(run, run, a="early_help", b="early_help", output=written) == 0
    assert pd.read_csv(written)["amount"].abs().max() < 1e-6
    assert compared(run, "", a="early_help", b="new_hostel", output=written) == 0
    table = pd.read_csv(written)
    assert set(table["change"]) == {"without: fewer households placed", "bed and breakfast to hostel", "interaction"}
    stored = pd.read_csv(tiny_run("homelessness") / "waterfall.csv")
    for name, column in (("early_help", "from_total"), ("new_hostel", "to_total")):
        expected = stored[stored["to"] == name].groupby(["measure", "financial_year"])["to_total"].first()
        found = table.groupby(["measure", "financial_year"])[column].first()
        pd.testing.assert_series_equal(found, expected, check_names=False, rtol=1e-9)
    assert "bed and breakfast to hostel" in capsys.readouterr().out


def test_runs_on_another_baseline_are_refused(tiny_run: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = str(tiny_run("homelessness")), str(tiny_run("children"))
    assert compared(*runs, a="baseline", b="edge_of_care", output=str(tmp_path / "c.csv")) == 2
    assert "the two runs have another list of series" in capsys.readouterr().err
    assert compared(runs[0], str(tmp_path), a="baseline", b="baseline", output=str(tmp_path / "c.csv")) == 2
    assert "there is no forecast here" in capsys.readouterr().err
    assert not (tmp_path / "c.csv").exists()
