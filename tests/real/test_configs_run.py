"""The configs for public statistics run from file to report."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pipelines.console import carry_out

NAMES = ("england_homelessness", "children_in_care", "emergency_wales")
QUICK = ["forecast.models=[seasonal_naive, theta]", "forecast.draws=100"]


def outputs(name: str, real_data: Path, folder: Path, changes: list[str]) -> Path:
    status = carry_out(
        "run", f"example:{name}", data_dir=str(real_data), output=str(folder), jobs=2, changes=[*changes, "tracking.uri=none"], quiet=True
    )
    assert status == 0
    return folder


def check(folder: Path) -> None:
    told, draws = pd.read_parquet(folder / "forecast.parquet"), pd.read_parquet(folder / "draws.parquet")
    assert (draws["y"] >= 0).all()
    assert told["mean"].notna().all()
    budget = pd.read_csv(folder / "budget.csv")
    lines = budget[budget["line"] != "total"].groupby(["scenario", "financial_year"])["expected_pence"].sum()
    totals = budget[budget["line"] == "total"].set_index(["scenario", "financial_year"])["expected_pence"]
    assert lines.empty or (lines.reindex(totals.index) == totals).all()
    explained = pd.read_parquet(folder / "explanation.parquet").groupby(["unique_id", "ds"])["contribution"].sum()
    wanted = told.set_index(["unique_id", "ds"])["mean"]
    assert (explained.reindex(wanted.index) - wanted).abs().max() < 1e-6 * max(1.0, wanted.max())
    bridge = pd.read_csv(folder / "bridge.csv")
    for _, rows in bridge.groupby(["scenario", "line", "from", "to"]):
        start, step, end = (rows.loc[rows["kind"] == kind, "amount_pence"].sum() for kind in ("start", "step", "end"))
        assert start + step == end
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "PLACEHOLDER" in page.upper()


@pytest.mark.parametrize("name", NAMES)
def test_from_file_to_report(name: str, real_data: Path, tmp_path: Path) -> None:
    folder = outputs(name, real_data, tmp_path / "out", QUICK)
    check(folder)
    if name == "england_homelessness":
        past = pd.read_csv(folder / "backcast.csv").query("line == 'total'")
        off = past.groupby("method")["error_pence"].agg(lambda e: e.abs().mean())
        assert (past["method"] == "forecast").sum() >= 10
        assert off["forecast"] < off["last year plus 3 %"]


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_from_file_to_report_with_all_models(name: str, real_data: Path, tmp_path: Path) -> None:
    check(outputs(name, real_data, tmp_path / "out", []))


@pytest.mark.parametrize("name", NAMES)
def test_an_absent_file_says_what_it_is_and_who_publishes_it(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = carry_out("run", f"example:{name}", data_dir=str(tmp_path), output=str(tmp_path / "out"), jobs=1, changes=[], quiet=True)
    told = capsys.readouterr().err
    assert status == 2
    assert any(publisher in told for publisher in ("Ministry of Housing", "Department for Education", "StatsWales"))
    assert "column" in told
    assert not (tmp_path / "out").exists()
