"""Planted effects of bank holidays and working days come back; nothing is found where nothing was planted; forecasts gain."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency, bank_holidays, working_days
from demand.forecast import ForecastSpec, forecast
from demand.models import build
from demand.models.working_days import day_kinds, working_day_factors
from demand.tables import History

WEEKS = Frequency("W-MON")


def council(days: int, *, series: int = 4, seed: int = 3, closed: float = 0.3, first: str = "2021-01-04") -> pd.DataFrame:
    """Simulate a front desk by day: quiet weekends, a winter peak, hardly anybody on bank holidays and more people the day after."""
    rng, ds = np.random.default_rng(seed), pd.date_range(first, periods=days, freq="D")
    off = np.asarray(ds.isin(bank_holidays(ds[0], ds[-1])))
    after = np.roll(off, 1) & ~off & np.asarray(ds.dayofweek < 5)
    week = np.where(ds.dayofweek >= 5, 0.35, 1.0)
    year = np.exp(0.2 * np.cos(2 * np.pi * (ds.dayofyear.to_numpy() - 20) / 365.25))
    extra = 1.2 if closed < 1 else 1.0
    expected = np.exp(rng.uniform(2.5, 4.5, series)) * (week * year * np.where(off, closed, 1.0) * np.where(after, extra, 1.0))[:, None]
    walk = np.exp(np.cumsum(0.005 * rng.normal(size=(days, series)), axis=0))
    return pd.DataFrame(rng.poisson(expected * walk).astype(float), index=ds, columns=[f"s{i}" for i in range(series)])


def by_week(daily: pd.DataFrame) -> pd.DataFrame:
    weeks = daily.resample("W-SUN").sum().iloc[:-1]
    return weeks.set_axis(weeks.index - pd.Timedelta(days=6))


def history(wide: pd.DataFrame, frequency: Frequency, kind: str = "flow") -> History:
    return History.of(wide.rename_axis("ds").reset_index().melt("ds", var_name="unique_id", value_name="y"), frequency, kind=kind)


def error(told: pd.DataFrame, truth: pd.DataFrame) -> float:
    said = told.pivot(index="ds", columns="unique_id", values="mean")
    return float((said - truth.loc[said.index]).abs().to_numpy().sum() / truth.loc[said.index].to_numpy().sum())


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_bank_holidays_by_day_come_back(seed: int) -> None:
    data = council(1000, seed=seed)
    found = working_day_factors(history(data, Frequency("D")), 365)
    assert found is not None
    past, ahead, told = found
    ds = Frequency("D").periods(data.index[0], 1365)
    kinds, factor = day_kinds(ds, Frequency("D")), np.concatenate([past, ahead])
    assert factor[kinds == 2].mean() == pytest.approx(0.3, abs=0.06), told
    assert factor[kinds == 4].mean() == pytest.approx(1.2, abs=0.08), told
    assert (factor[kinds == 0] == 1).all()
    assert "other bank holidays -" in told


@pytest.mark.parametrize(("code", "kind"), [("D", "flow"), ("W-MON", "flow"), ("M", "flow"), ("M", "stock")])
def test_nothing_is_found_where_nothing_was_planted(code: str, kind: str) -> None:
    found = []
    for seed in range(8):
        data = council(1000 if code == "D" else 2600, closed=1.0, seed=seed, first="2016-01-04")
        data = by_week(data) if code == "W-MON" else data
        if code == "M":
            months = pd.date_range("2016-01-01", periods=86, freq="MS")
            data = pd.DataFrame(np.random.default_rng(seed).poisson(150.0, (86, 4)).astype(float), index=months, columns=list("abcd"))
        found.append(working_day_factors(history(data, Frequency(code), kind), 12))
    assert sum(f is not None for f in found) <= 1, [f[2] for f in found if f]


def test_months_go_with_their_working_days() -> None:
    rng, ds = np.random.default_rng(1), pd.date_range("2016-01-01", periods=96, freq="MS")
    days = working_days(ds, Frequency("M"))
    data = pd.DataFrame(rng.poisson(rng.uniform(100, 400, 5) * (days / 21)[:, None]).astype(float), index=ds, columns=list("abcde"))
    found = working_day_factors(history(data, Frequency("M")), 12)
    assert found is not None
    ratio = np.ptp(np.log(found[0][:, 0])) / np.ptp(np.log(days) - pd.Series(np.log(days)).groupby(ds.month).transform("mean").to_numpy())
    assert ratio == pytest.approx(1.0, abs=0.35)
    assert working_day_factors(history(data, Frequency("M"), "stock"), 12) is None


@pytest.mark.parametrize("model", ["seasonal_naive", "theta", "lightgbm"])
def test_a_model_knows_next_years_bank_holidays_and_its_parts_add_up(model: str) -> None:
    data = council(1150)
    past, ahead = data.iloc[:1000], data.iloc[1000:]
    told = build(model).predict(history(past, Frequency("D")), len(ahead), seed=1, explain=True)
    plain = build(model).inner.predict(history(past, Frequency("D")), len(ahead), seed=1)  # type: ignore[attr-defined]
    assert error(told.means, ahead) < 0.97 * error(plain.means, ahead)
    assert told.parts is not None
    added = told.parts.groupby(["unique_id", "ds"])["contribution"].sum().to_numpy()
    np.testing.assert_allclose(added, told.means["mean"], rtol=1e-9, atol=1e-6)
    assert "working_days" in set(told.parts["feature"])
    assert any("bank holidays" in n.text for n in told.notes)


def test_weeks_beat_repeating_last_year_across_a_year_of_53_weeks() -> None:
    data = by_week(council(365 * 5 + 40, first="2016-10-03", series=5))  # 2020 has 53 weeks
    past, ahead = data.iloc[: 52 * 4], data.iloc[52 * 4 :]
    assert past.index[-1] < pd.Timestamp("2020-12-28") < ahead.index[-1]
    made = forecast(history(past, WEEKS), ForecastSpec(horizon=len(ahead), models=["seasonal_naive", "theta"], draws=100), seed=1)
    means = made.draws.mean("draw").to_pandas().T
    naive = pd.DataFrame(np.resize(past.to_numpy()[-52:], ahead.shape), index=ahead.index, columns=ahead.columns)
    ours = float((means - ahead).abs().to_numpy().sum())
    assert list(means.index) == list(ahead.index)
    assert ours < 0.95 * float((naive - ahead).abs().to_numpy().sum())


def test_days_beat_repeating_last_week_and_last_year() -> None:
    data = council(1100, series=3)
    past, ahead = data.iloc[:-90], data.iloc[-90:]
    made = forecast(history(past, Frequency("D")), ForecastSpec(horizon=90, models=["seasonal_naive", "theta"], draws=100), seed=1)
    ours = (made.draws.mean("draw").to_pandas().T - ahead).abs().to_numpy().sum()
    for season in (7, 364):
        naive = np.resize(past.to_numpy()[-season:], ahead.shape)
        assert ours < 0.9 * np.abs(naive - ahead.to_numpy()).sum()
