"""Hidden counts through a forecast: learnt from in the middle of what each can be, and said so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from demand.data.read import HistorySpec, read_history
from demand.forecast import BacktestSpec, ForecastSpec, forecast
from demand.nested import whole_numbers
from demand.tables import History


@pytest.mark.parametrize("model", ["seasonal_naive", "theta", "lightgbm"])
def test_a_forecast_from_hidden_counts_says_so_and_lies_between_its_ends(tmp_path: Path, model: str) -> None:
    rng = np.random.default_rng(3)
    small, large = rng.poisson(4, 40), rng.poisson(60, 40)
    rows = [f"{2021 + m // 12}-{m % 12 + 1:02d},small,{n if n >= 5 else '<5'}" for m, n in enumerate(small)]
    rows += [f"{2021 + m // 12}-{m % 12 + 1:02d},large,{n}" for m, n in enumerate(large)]
    (tmp_path / "h.csv").write_text("month,series,n\n" + "\n".join(rows) + "\n")
    spec = HistorySpec(path="h.csv", date="month", value="n", series="series", frequency="M", kind="flow", unit="people")
    history, findings = read_history(spec, tmp_path)
    assert sum(f.count for f in findings if f.rule == "suppressed") == int((small < 5).sum())
    made = forecast(history, ForecastSpec(horizon=6, draws=80, models=[model], backtest=BacktestSpec(windows=2)), seed=1)
    told = made.notes[made.notes["note"].str.contains("hidden")]
    assert set(told["unique_id"]) == {"small"}
    mean = float(made.draws.sel(series="small").mean())
    assert np.where(small < 5, 0, small).mean() - 1 <= mean <= np.where(small < 5, 4, small).mean() + 1


def test_ranges_are_as_wide_as_what_hidden_counts_can_be(tmp_path: Path) -> None:
    rows = [f"{2021 + m // 12}-{m % 12 + 1:02d},small,*" for m in range(48)] + [
        f"{2021 + m // 12}-{m % 12 + 1:02d},large,60" for m in range(48)
    ]
    (tmp_path / "h.csv").write_text("month,series,n\n" + "\n".join(rows) + "\n")
    spec = HistorySpec(path="h.csv", date="month", value="n", series="series", frequency="M", kind="flow", unit="people",
                       suppressed={"*": (1, 9)})  # fmt: skip
    history, _ = read_history(spec, tmp_path)
    made = forecast(history, ForecastSpec(horizon=6, draws=200, models=["seasonal_naive"], backtest=BacktestSpec(windows=2)), seed=1)
    small, large = (made.draws.sel(series=name) for name in ("small", "large"))
    assert 4 <= float(small.mean()) <= 6
    assert float(small.quantile(0.9) - small.quantile(0.1)) >= 4  # 1 to 9, each as likely: seven in ten lie within 2 to 8
    assert float(large.quantile(0.9) - large.quantile(0.1)) <= 2  # what is hidden in one does not widen the other


def test_hidden_counts_stay_counts_though_their_middle_is_none(tmp_path: Path) -> None:
    rows = [f"{2021 + m // 12}-{m % 12 + 1:02d},small,{'<5' if m % 3 else 6 + m % 4}" for m in range(48)]
    (tmp_path / "h.csv").write_text("month,series,n\n" + "\n".join(rows) + "\n")
    spec = HistorySpec(path="h.csv", date="month", value="n", series="series", frequency="M", kind="flow", unit="people",
                       suppressed={"<5": (1, 4)})  # fmt: skip
    history, _ = read_history(spec, tmp_path)
    assert (history.table["y"] % 1 == 0.5).any()
    made = forecast(history, ForecastSpec(horizon=4, draws=50, models=["seasonal_naive"], backtest=BacktestSpec(windows=2)), seed=1)
    assert (made.draws.to_numpy() % 1 == 0).all()
    half = history.table.assign(y=history.table["y"].where(history.table["y_low"] < history.table["y_high"], 6.25))
    assert not whole_numbers(History(half, history.series, history.frequency)).any()
