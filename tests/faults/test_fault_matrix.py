"""The 22 broken inputs of the published fault matrix, each through `forecast` with every model, and through the reading of files.

Each ends in a clear error or in a forecast that can be true, with a note where something stood in. The numbers in comments are those of the
matrix: what other packages answered with nonsense.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.data.quality import judge
from demand.data.read import HistorySpec, read_history
from demand.errors import DataError
from demand.events import Event
from demand.forecast import BacktestSpec, Forecast, ForecastSpec, forecast
from demand.models import MODELS
from demand.tables import History

N, AHEAD = 40, 4
RNG = np.random.default_rng(11)
GOOD = RNG.poisson(100 * (1 + 0.2 * np.sin(2 * np.pi * np.arange(N) / 12))).astype(float)
DAYS = pd.date_range("2020-09-01", periods=N, freq="MS")
TABLE = pd.DataFrame({"unique_id": "a", "ds": DAYS, "y": GOOD})
MONTHS = Frequency("M")


def _with(places: list[int], value: float) -> np.ndarray:
    y = GOOD.copy()
    y[places] = value
    return y


FORECAST = {
    "all zero": np.zeros(N),
    "constant": np.full(N, 7.0),
    "1 point": GOOD[-1:],
    "2 points": GOOD[-2:],
    "NaN in y": _with([20], np.nan),
    "last y NaN": _with([N - 1], np.nan),
    "3 missing months": _with([20, 21, 22], np.nan),
    "single non-zero": np.where(np.arange(N) == 30, 1.0, 0.0),
    "all NaN": np.full(N, np.nan),
}
"""Inputs that can be forecast beside others, or are listed as not forecast."""

STOPPED = {
    "1 point": (TABLE.tail(1), "too short: fewer than 3 counts"),
    "2 points": (TABLE.tail(2), "too short: fewer than 3 counts"),
    "0 rows": (TABLE.iloc[:0], "no rows"),
    "all NaN": (TABLE.assign(y=np.nan), "never counted"),
    "inf in y": (TABLE.assign(y=_with([3], np.inf)), "a count is infinite"),
    "1e300 throughout": (TABLE.assign(y=1e300 * GOOD), "above 1e15"),
    "negative count (-500)": (TABLE.assign(y=_with([3], -500.0)), "1 counts are negative"),
    "-1e16 is no large count": (TABLE.assign(y=_with([3], -1e16)), r"\A(?s:(?!.*infinite).*)1 counts are negative"),
    "duplicate row": (pd.concat([TABLE, TABLE.tail(1)]), "there twice"),
    "same month, other value 9999": (pd.concat([TABLE, TABLE.tail(1).assign(y=9999.0)]), "there twice"),
    "y as text": (TABLE.assign(y=[*map(str, GOOD[:-1]), "<5"]), "'<5' instead of a count"),
    "UK text dates": (TABLE.assign(ds=DAYS.strftime("%d/%m/%Y")), "'01/09/2020', '01/10/2020'.*read_history"),
    "Excel serials": (TABLE.assign(ds=(DAYS - pd.Timestamp("1899-12-30")).days), "could mean several days: '44075'.*read_history"),
    "tz-aware dates": (TABLE.assign(ds=DAYS.tz_localize("Europe/London")), r"dates with a time zone \(Europe/London\)"),
    "NaT in ds": (TABLE.assign(ds=TABLE["ds"].where(TABLE.index != 5)), "1 rows have no date"),
    "1e12 typo in the last month": (TABLE.assign(y=_with([N - 1], 1e12)), r"a count of 1e\+12 for 2023-12-01.*kind 'shock'"),
    "month-end dates": (TABLE.assign(ds=DAYS + pd.offsets.MonthEnd(0)), "not the first day of a period"),
    "no series": (TABLE.assign(unique_id=None), "do not say their series"),
}
"""Inputs that stop, alone."""

SPEC = ForecastSpec(horizon=AHEAD, draws=60, backtest=BacktestSpec(windows=2))


def together() -> History:
    tables = [pd.DataFrame({"unique_id": name, "ds": DAYS[-len(y) :], "y": y}) for name, y in FORECAST.items()]
    return History.of(pd.concat([TABLE, *tables]), MONTHS)


def made(history: History, model: str, **more: object) -> Forecast:
    return forecast(history, SPEC.model_copy(update={"models": [model], **more}), seed=1)


@pytest.mark.parametrize("model", MODELS)
def test_what_can_be_forecast_is_plausible_and_labelled(model: str) -> None:
    told = made(together(), model)
    assert list(told.not_forecast["unique_id"]) == ["all NaN"]
    draws = told.draws
    assert pd.Timestamp(draws["ds"].to_numpy()[0]) == pd.Timestamp("2024-01-01")
    values = {str(i): draws.sel(series=i).to_numpy() for i in draws["series"].to_numpy()}
    for name, path in values.items():
        assert np.isfinite(path).all(), name
        assert (path >= 0).all(), name
        seen = GOOD if name == "a" else FORECAST[name]
        assert np.median(path, axis=1).max() <= 3 * np.nanmax(seen), name
    assert (values["all zero"].mean(axis=1) < 0.5).all()
    np.testing.assert_allclose(np.median(values["constant"], axis=1), 7.0, atol=2.0)
    for name in ("NaN in y", "last y NaN", "3 missing months"):  # the matrix: "forecasts all 0", "NaN = 0"
        assert 60 < np.median(values[name]) < 150, name
    for name in ("1 point", "2 points"):  # the matrix: "zero-width interval"
        assert np.quantile(values[name], 0.9) - np.quantile(values[name], 0.1) > 5, name
    assert {"1 point", "2 points"} <= set(told.notes["unique_id"]), told.notes


@pytest.mark.parametrize("name", STOPPED)
def test_what_cannot_be_forecast_stops_with_what_to_do(name: str) -> None:
    table, said = STOPPED[name]
    with pytest.raises(DataError, match=said):
        made(History.of(table, MONTHS), MODELS[0])


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", ["all zero", "constant", "single non-zero"])
def test_alone_and_without_a_change_to_learn_from(model: str, name: str) -> None:
    told = made(History.of(TABLE.assign(y=FORECAST[name]), MONTHS), model)
    middle = np.median(told.draws.to_numpy(), axis=2)
    assert (middle <= 3 * FORECAST[name].max()).all()
    assert (told.draws.to_numpy() >= 0).all()
    if name == "constant":
        np.testing.assert_allclose(middle, 7.0)


@pytest.mark.parametrize("model", MODELS)
def test_a_slip_of_the_keyboard_stops_every_model_and_can_be_set_aside(model: str) -> None:
    history = History.of(TABLE.assign(y=_with([N - 1], 1e12)), MONTHS)
    with pytest.raises(DataError, match="Correct it in the file"):
        made(history, model)
    if model == "seasonal_naive":
        aside = Event(name="mistyped", kind="shock", start="2023-12", end="2023-12")
        assert made(history, model, events=[aside]).draws.max() < 400
        assert "spike" in {f.rule for f in judge(history)}


def test_a_count_that_is_only_odd_is_told_beside_the_forecast() -> None:
    told = made(History.of(TABLE.assign(y=_with([N - 1], 9999.0)), MONTHS), "theta")
    said = told.notes[told.notes["unique_id"] == "a"]
    assert said["note"].str.contains("far from those around it").any()


def test_the_order_of_rows_changes_nothing() -> None:
    mixed = TABLE.sample(frac=1.0, random_state=3)
    np.testing.assert_array_equal(made(History.of(mixed, MONTHS), "theta").draws, made(History.of(TABLE, MONTHS), "theta").draws)


def test_counts_as_text_that_are_numbers_are_read_as_numbers() -> None:
    pd.testing.assert_frame_equal(History.of(TABLE.assign(y=GOOD.astype(str)), MONTHS).table, History.of(TABLE, MONTHS).table)


def write(folder: Path, ds: object, y: object = GOOD) -> HistorySpec:
    pd.DataFrame({"unique_id": "a", "ds": ds, "y": y}).to_csv(folder / "h.csv", index=False)
    return HistorySpec(path="h.csv", series="unique_id", frequency="M", kind="flow", unit="people")


READ = {
    "UK text dates": DAYS.strftime("%d/%m/%Y"),
    "UK text dates, two figures": DAYS.strftime("%d/%m/%y"),
    "Excel serials": (DAYS - pd.Timestamp("1899-12-30")).days,
    "month-end dates": DAYS + pd.offsets.MonthEnd(0),
    "month-end UK text dates": (DAYS + pd.offsets.MonthEnd(0)).strftime("%d/%m/%Y"),
    "tz-aware dates": DAYS.tz_localize("Europe/London").strftime("%Y-%m-%dT%H:%M:%S%z"),
    "names of months": DAYS.strftime("%B %Y"),
}


@pytest.mark.parametrize("name", READ)
def test_dates_in_a_file_are_the_same_months_however_they_are_written(tmp_path: Path, name: str) -> None:
    found, _ = read_history(write(tmp_path, READ[name]), tmp_path)
    pd.testing.assert_frame_equal(found.table, History.of(TABLE, MONTHS).table)


def test_rows_of_a_file_in_any_order(tmp_path: Path) -> None:
    places = RNG.permutation(N)
    found, _ = read_history(write(tmp_path, DAYS[places], GOOD[places]), tmp_path)
    pd.testing.assert_frame_equal(found.table, History.of(TABLE, MONTHS).table)


@pytest.mark.parametrize(
    ("ds", "y", "said"),
    [
        (DAYS, _with([3], np.inf), "not finite in row 5"),
        (DAYS, _with([3], -500.0), "negative count in row 5"),
        (DAYS, np.full(N, np.nan), "not a single count"),
        (DAYS, [*map(str, GOOD[:-1]), "tbc"], "'tbc' instead of a number in row 41"),
        ([*DAYS[:-1], DAYS[-2]], GOOD, "rows 40, 41"),
        ([*DAYS[:-1], None], GOOD, "an empty cell in row 41"),
        (DAYS.delete([20, 21, 22]), np.delete(GOOD, [20, 21, 22]), "3 periods inside 1 series have no count"),
        (DAYS[:0], GOOD[:0], "no rows"),
    ],
    ids=["inf", "negative", "all NaN", "text", "duplicate", "NaT", "missing months", "0 rows"],
)
def test_faults_of_a_file_stop_with_their_rows(tmp_path: Path, ds: object, y: object, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_history(write(tmp_path, ds, y), tmp_path)
