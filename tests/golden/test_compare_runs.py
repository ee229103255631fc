"""`demand compare` on whole runs: the same scenario twice differs by nothing, two scenarios by their changes, two services not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
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


def test_changes_of_entries_are_drawn_again_from_the_data_of_the_run(
    tiny_run: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, written = tmp_path / "children", str(tmp_path / "c.csv")
    shutil.copytree(tiny_run("children"), run, ignore=shutil.ignore_patterns("report*", "*.xlsx", "*.docx", "*.png"))
    told = json.loads((run / "manifest.json").read_text())
    size = {"value": 0.5, "low": 0.4, "high": 0.6, "unit": "ratio", "source": "test", "as_of": "2026-03-31", "owner": "tests"}
    fewer = {"name": "half", "effect": "entries", "where": {"type": ["residential"]}, "start": "2027-04", "size": size}
    told["config"]["scenarios"]["front_door"] = {"name": "front_door", "changes": [fewer]}
    grant = {"name": "front door", "line": "family placements", "years": {"2027-28": 100_000}, "scenarios": ["front_door"]}
    told["config"]["grants"] = [grant]
    (run / "manifest.json").write_text(json.dumps(told))
    assert compared(str(run), "", a="baseline", b="front_door", output=written) == 0
    table = pd.read_csv(written)
    beside = table[table["change"] == "grant: front door"].set_index("financial_year")
    assert beside.loc["2027-28", ["measure", "amount"]].tolist() == ["pounds, net", -100_000]
    pounds = table[(table["measure"] == "pounds") & (table["change"] == "half")].set_index("financial_year")
    assert pounds.loc["2026-27", ["amount", "low", "high"]].tolist() == [0, 0, 0]
    assert (pounds.loc[["2027-28", "2028-29"], "amount"] < -1000).all()
    sums = table.groupby(["measure", "financial_year"]).agg(amount=("amount", "sum"), a=("from_total", "first"), b=("to_total", "first"))
    assert np.allclose(sums["amount"], sums["b"] - sums["a"], atol=1e-4)
    example = told["config"]["data"]["example"]
    grant["scenarios"] = ["front_door", "edge_of_care"]
    # the people are not at hand, and the two scenarios that are compared do not need them
    told["config"]["data"] |= {"example": None, "people": {"path": "people.csv", "id": "id", "opened": "opened"}}
    (run / "manifest.json").write_text(json.dumps(told))
    assert compared(str(run), "", a="baseline", b="edge_of_care", output=written) == 0
    assert "grant: front door" in set(pd.read_csv(written)["change"])
    told["config"]["data"] |= {"example": example, "people": None}
    told["data"]["example"] = "another"
    (run / "manifest.json").write_text(json.dumps(told))
    assert compared(str(run), "", a="baseline", b="front_door", output=written) == 2
    assert "example: not what the run was made from" in capsys.readouterr().err
