"""From a file to the quality report: events are proposed with a line that works and never applied; slips of the keyboard stop."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from demand.errors import DataError
from pipelines.config import load_config
from pipelines.inputs import Inputs
from pipelines.job import Job
from pipelines.store import Store

CONFIG = """name: desk
data:
  history: {path: h.csv, series: unique_id, frequency: M, kind: flow, unit: people}
forecast:
  horizon: 3
  models: [seasonal_naive]
  draws: 20
  events: EVENTS
"""


def job(folder: Path, events: str = "[]", last: float | None = None) -> Job:
    rng, months = np.random.default_rng(2), pd.date_range("2018-04-01", periods=72, freq="MS")
    shut = (months >= "2020-04-01") & (months < "2021-01-01")
    rows = []
    for name in ("North", "South", "East", "West", "Mid"):
        y = rng.poisson(np.where(shut, 40, 100)).astype(float)
        y[-1] = y[-1] if last is None or name != "Mid" else last
        rows.append(pd.DataFrame({"unique_id": name, "ds": months, "y": y}))
    pd.concat(rows).to_csv(folder / "h.csv", index=False)
    (folder / "desk.yaml").write_text(CONFIG.replace("EVENTS", events), encoding="utf-8")
    config, place = load_config(folder / "desk.yaml")
    return Job(config, Inputs(config, place), Store(folder / "out"))


def test_a_shock_is_proposed_and_once_declared_no_more(tmp_path: Path) -> None:
    one = job(tmp_path)
    one.do("check")
    quality = json.loads((tmp_path / "out" / "quality.json").read_text(encoding="utf-8"))
    told = [f["message"] for f in quality["findings"] if f["rule"] == "event_proposed"]
    assert len(told) == 1
    assert "5 of 5 series fell at once" in told[0]
    assert "start: 2020-04-01, end: 2020-12-31" in (tmp_path / "out" / "quality.html").read_text(encoding="utf-8")
    assert one.inputs.history is not None
    assert one.inputs.history.table["y"].notna().all()
    line = YAML(typ="safe", pure=True).load(told[0][told[0].index("- {") :])
    again = job(tmp_path, json.dumps([{**e, "start": str(e["start"]), "end": str(e["end"])} for e in line]))
    assert "event_proposed" not in {f.rule for f in again.inputs.findings}


def test_a_slip_of_the_keyboard_stops_before_any_model_unless_it_is_set_aside(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'Mid': a count of 1e\+12 for 2024-03-01"):
        job(tmp_path, last=1e12).do("check")
    aside = "[{name: mistyped, kind: shock, start: 2024-03, end: 2024-03, where: {unique_id: [Mid]}}]"
    job(tmp_path, aside, last=1e12).do("check")
