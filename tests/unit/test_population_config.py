"""A config that forecasts per head: from files by area to draws and a track record."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.console import carry_out

CONFIG = """name: heads
data:
  history: {path: counts.csv, series: unique_id, date: ds, value: y, frequency: M, kind: flow, unit: people, keys: [area]}
  drivers: {path: people.csv, keys: [area], low: low, high: high}
forecast: {horizon: 12, models: [seasonal_naive, theta], draws: 60, per: population}
"""


def test_population_by_area_is_read_and_forecast_per_head(tmp_path: Path) -> None:
    rng, months = np.random.default_rng(1), pd.date_range("2018-01-01", periods=96, freq="MS").strftime("%Y-%m-%d")
    areas = ("North", "South")
    counts = [pd.DataFrame({"unique_id": a, "area": a, "ds": months[:84], "y": rng.poisson(60, 84)}) for a in areas]
    people = [pd.DataFrame({"name": "population", "area": a, "ds": months, "value": np.linspace(9000, 9900, 96)}) for a in areas]
    table = pd.concat(people)
    later = table["ds"] >= "2025-01-01"
    pd.concat(counts).to_csv(tmp_path / "counts.csv", index=False)
    table.assign(low=(table["value"] * 0.9).where(later), high=(table["value"] * 1.1).where(later)).to_csv(
        tmp_path / "people.csv", index=False
    )
    (tmp_path / "heads.yaml").write_text(CONFIG, encoding="utf-8")
    out = tmp_path / "out"
    said = carry_out(
        "backtest", str(tmp_path / "heads.yaml"), data_dir="", output=str(out), jobs=1, changes=["tracking.uri=none"], quiet=True
    )
    assert said == 0
    futures = pd.read_parquet(out / "driver_futures.parquet")
    assert set(futures["name"]) == {"population (North)", "population (South)"}
    effects = pd.read_parquet(out / "effects.parquet")
    assert (effects["elasticity"] == 1).all()
    rows = pd.read_parquet(out / "backtest.parquet")
    assert np.array_equal(rows["y"], np.rint(rows["y"]))
    mean = pd.read_parquet(out / "forecast.parquet")["mean"]
    assert 50 < mean.mean() < 75
