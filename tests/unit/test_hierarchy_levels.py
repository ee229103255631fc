"""What adds up to what: levels, declared totals, years with months that are over."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from planning_cases import forecast
from pydantic import TypeAdapter

from demand.calendar import Frequency
from demand.errors import DataError
from demand.hierarchy import HierarchySpec, TotalSpec, declared, levels, totals
from demand.scenario import Exposure, measured
from demand.tables import History, make_draws

MONTH = Frequency("M")


def history(periods: int = 33, start: str = "2022-01-01") -> History:
    ds = MONTH.periods(pd.Timestamp(start), periods)
    kinds = {"x": "stock", "y": "flow"}
    rows = [
        pd.DataFrame({"unique_id": f"{a}/{s}", "ds": ds, "y": np.arange(periods) + 10.0 * i, "area": a, "service": s, "kind": kinds[s]})
        for i, (a, s) in enumerate((a, s) for a in "NS" for s in "xy")
    ]
    return History.of(pd.concat(rows), MONTH, keys=["area", "service"])


def draws_of(h: History, ahead: int, count: int = 7):
    ds = h.frequency.after(h.last, ahead)
    values = np.random.default_rng(3).poisson(20, (len(h.ids), ahead, count)).astype(float)
    return make_draws(values, h.series, ds, frequency=h.frequency, cutoff=h.last, seed=1, fingerprint="t")


def test_auto_never_adds_kinds() -> None:
    found = levels(history().series)
    assert [level.name for level in found] == ["total", "area", "service", "series"]
    assert found[0].labels["kind"].tolist() == ["flow", "stock"]
    np.testing.assert_array_equal(found[0].matrix, [[0, 1, 0, 1], [1, 0, 1, 0]])


def test_paths_none_and_declared() -> None:
    series = history().series
    assert [level.name for level in levels(series, [["area", "service"]])] == ["total", "area", "area/service", "series"]
    assert [level.name for level in levels(series, "none")] == ["series"]
    spec = [TotalSpec(total="all/x", parts=["N/x", "S/x"])]
    named = levels(series, spec)[0]
    assert named.name == "all/x"
    np.testing.assert_array_equal(named.matrix, [[1, 0, 1, 0]])


def test_config_forms_are_read() -> None:
    read = TypeAdapter(HierarchySpec).validate_python
    assert read("none") == "none"
    assert read([["area"]]) == [["area"]]
    assert read(["area", "service"]) == [["area", "service"]]
    assert read({"total": "t", "parts": ["a"]}) == [TotalSpec(total="t", parts=["a"])]


def test_wrong_names_are_told_with_the_nearest() -> None:
    with pytest.raises(DataError, match="Did you mean 'area'"):
        levels(history().series, [["aera"]])
    with pytest.raises(DataError, match="Did you mean 'N/x'"):
        declared(history(), [TotalSpec(total="S/x", parts=["N/xx"])])
    with pytest.raises(DataError, match="kind or unit"):
        declared(history(), [TotalSpec(total="S/x", parts=["N/y"])])


def test_a_total_that_is_part_of_itself_is_refused() -> None:
    circle = [TotalSpec(total="N/x", parts=["S/x"]), TotalSpec(total="S/x", parts=["N/x"])]
    with pytest.raises(DataError, match="part of itself"):
        declared(history(), circle)


def test_totals_of_totals_reach_the_lowest_level() -> None:
    spec = [TotalSpec(total="N/x", parts=["S/x"]), TotalSpec(total="N/y", parts=["S/y"])]
    assert declared(history(), spec) == {"N/x": ("S/x",), "N/y": ("S/y",)}


def test_a_year_is_actuals_and_the_rest() -> None:
    h = history()  # to September 2024
    d = draws_of(h, 20)  # to May 2026
    table = totals(d, levels(h.series), history=h)
    years = table[(table["level"] == "series") & (table["unique_id"] == "N/y")].set_index("financial_year")
    assert years.index.tolist() == ["2024-25", "2025-26"]  # 2026-27 is not covered whole
    assert years["months_actual"].tolist() == [6, 0]
    counted = h.wide.loc["2024-04":, "N/y"].sum()
    ahead = d.sel(series="N/y").to_numpy()[:6].sum(axis=0)
    assert years.loc["2024-25", "mean"] == pytest.approx(counted + ahead.mean())
    assert years.loc["2024-25", "q0.5"] == pytest.approx(np.median(counted + ahead))


def test_a_stock_is_averaged_over_days() -> None:
    h = history(36)  # to December 2024
    d = draws_of(h, 15)
    table = totals(d, levels(h.series), history=h)
    row = table[(table["unique_id"] == "S/x") & (table["financial_year"] == "2025-26")].iloc[0]
    days = np.array([30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 28, 31])
    closing = d.sel(series="S/x").to_numpy()
    expected = ((closing[2:14] + closing[3:15]) / 2 * days[:, None]).sum(axis=0) / 365
    assert row["statistic"] == "mean"
    assert row["mean"] == pytest.approx(expected.mean())


@pytest.mark.parametrize(
    ("code", "first", "past", "ahead"), [("M", "2025-01-01", 9, 30), ("D", "2026-01-01", 354, 480), ("Q", "2025-04-01", 5, 9)]
)
def test_money_and_totals_mean_the_same_by_a_year_of_a_stock(code, first, past, ahead) -> None:
    d, h = forecast(code, first=first, past=past, ahead=ahead, draws=5)  # days to 20 December 2026
    exposure = Exposure(d, h)
    for level in levels(h.series)[1:]:
        table = totals(d, [level], history=h)
        table = table[table["financial_year"].isin(exposure.labels)].reset_index(drop=True)
        money = level.matrix @ measured(exposure, d.to_numpy(), np.arange(len(h.ids)))["households at one time"].mean(axis=2)
        assert table["financial_year"].unique().tolist() == list(exposure.labels)
        np.testing.assert_allclose(table["mean"].to_numpy().reshape(len(exposure.labels), -1).T, money, rtol=1e-6)
        assert table.groupby("financial_year")["months_actual"].first().tolist() == exposure.months_actual
    if code == "D":
        assert exposure.months_actual[0] == 8


def test_a_year_with_a_missing_count_is_not_shown() -> None:
    h = history()
    table = h.table.copy()
    table.loc[(table["unique_id"] == "N/y") & (table["ds"] == "2024-06-01"), "y"] = np.nan
    holed = History(table, h.series, h.frequency)
    found = totals(draws_of(holed, 20), levels(h.series), history=holed)
    this_year = found[found["financial_year"] == "2024-25"]
    assert "N/y" not in set(this_year["unique_id"].dropna())
    assert "S/y" in set(this_year["unique_id"].dropna())
    assert not ((this_year["level"] == "total") & (this_year["kind"] == "flow")).any()


def test_without_a_history_only_years_ahead_are_shown() -> None:
    h = history()
    found = totals(draws_of(h, 20), levels(h.series))
    assert set(found["financial_year"].dropna()) == {"2025-26"}
