"""A hostel that closed in the year: who came before belongs to the year, in people and in pounds, and is counted once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from demand.budget import UnitCost, by_period, price, waterfall
from demand.calendar import Frequency
from demand.ended import with_ended
from demand.forecast import ForecastSpec, forecast
from demand.hierarchy import TotalSpec, levels, totals
from demand.scenario import Scenario, WhatIf, apply
from demand.spec import Assumption
from demand.tables import History, draws_from_arrow, draws_to_arrow

MONTH = Frequency("M")
SPEC = ForecastSpec(horizon=14, models=["seasonal_naive"], draws=20)


def history(*, with_total: bool = False, kind: str = "flow", gap: bool = False) -> History:
    """Monthly to January 2026; "Low Road" was last counted in July 2025, "Old Lane" in 2023."""
    ds = MONTH.between(pd.Timestamp("2021-04-01"), pd.Timestamp("2026-01-01"))
    y = pd.DataFrame({"High Street": 120.0, "Mill": 80.0 + np.arange(len(ds)) % 12, "Low Road": 100.0, "Old Lane": 30.0}, index=ds)
    if with_total:
        y["All"] = y[["High Street", "Low Road"]].sum(axis=1)
    y.loc["2025-08":, [c for c in ("Low Road", "All") if c in y]] = np.nan
    y.loc["2023-06":, "Old Lane"] = np.nan
    if gap:
        y.loc["2025-05", "Low Road"] = np.nan
    table = y.rename_axis(index="ds", columns="unique_id").stack().rename("y").reset_index()
    return History.of(table.assign(area=table["unique_id"].str[0], unit="people", kind=kind), MONTH, keys=["area"])


def year(table: pd.DataFrame, level: str, label: str = "2025-26") -> pd.Series:
    return table[(table["level"] == level) & (table["financial_year"] == label)].iloc[0]


def test_what_was_counted_of_a_series_that_ended_is_in_its_year_draw_by_draw() -> None:
    h = history()
    made = forecast(h, SPEC, seed=1)
    of = levels(h.only(made.draws["series"].to_numpy()).series)
    table = totals(made.draws, of, history=h)
    ahead = made.draws.to_numpy()[:, :2].sum(axis=(0, 1))
    counted = h.wide.loc["2025-04":].sum().sum()
    assert h.wide.loc["2025-04":, "Low Road"].sum() == 400
    assert year(table, "total")["mean"] == pytest.approx(counted + ahead.mean())
    assert year(table, "total")["q0.9"] == pytest.approx(np.quantile(counted + ahead, 0.9))
    assert year(table, "total", "2026-27")["mean"] == pytest.approx(made.draws.to_numpy()[:, 2:14].sum(axis=(0, 1)).mean())
    alone = table[(table["unique_id"] == "Low Road")].set_index("financial_year")["mean"]
    assert alone.to_dict() == {"2025-26": 400.0, "2026-27": 0.0}
    assert "Old Lane" not in set(table["unique_id"])


def test_draws_that_were_stored_still_know_who_ended() -> None:
    h = history()
    draws = draws_from_arrow(draws_to_arrow(forecast(h, SPEC, seed=1).draws))
    assert draws.attrs["ended"] == ["Low Road", "Old Lane"]
    grown, filled = with_ended(draws, h)
    assert list(grown["series"].to_numpy()) == ["High Street", "Mill", "Low Road"]
    assert grown["area"].to_numpy().tolist() == ["H", "M", "L"]
    assert filled.wide.loc["2025-06":, "Low Road"].tolist() == [100.0, 100.0] + [0.0] * 6
    assert with_ended(grown, filled)[0] is grown


def test_a_declared_total_is_not_counted_beside_its_parts() -> None:
    h, hierarchy = history(with_total=True), [TotalSpec(total="All", parts=["High Street", "Low Road"]), ["area"]]
    made = forecast(h, SPEC, seed=1, hierarchy=hierarchy)
    table = totals(made.draws, levels(h.only(made.draws["series"].to_numpy()).series, hierarchy), history=h)
    plain = history()
    expected = totals(forecast(plain, SPEC, seed=1).draws, levels(plain.series.loc[["High Street", "Mill"]]), history=plain)
    assert year(table, "total")["mean"] == pytest.approx(year(expected, "total")["mean"])
    assert year(table, "All")["mean"] == pytest.approx(12 * 120 + 400)


def test_a_gap_between_counts_stays_a_gap() -> None:
    h = history(gap=True)
    made = forecast(h, SPEC, seed=1)
    table = totals(made.draws, levels(h.only(made.draws["series"].to_numpy()).series), history=h)
    assert not ((table["level"] == "total") & (table["financial_year"] == "2025-26")).any()


def amount(unit: str) -> Assumption:
    return Assumption(value=10, low=10, high=10, unit=unit, source="contract", as_of="2025-04-01", owner="finance")


@pytest.mark.parametrize("kind", ["flow", "stock"])
def test_pounds_and_waterfalls_hold_what_ended(kind: str) -> None:
    h = history(kind=kind)
    made = forecast(h, SPEC, seed=1)
    case = WhatIf(made.draws, (Scenario(name="nothing", changes=[]),), 1, None, None)
    demand, _ = apply(made.draws, case.scenarios, seed=1)
    cost = price(demand, [UnitCost(name="bed", amount=amount("GBP/person" if kind == "flow" else "GBP/person/month"))], seed=1, history=h)
    pounds = cost.years.sel(scenario="baseline").mean("draw").to_pandas().to_dict("index")
    lived = 400.0 if kind == "flow" else 450.0  # of a stock, the month after the last count is taken at its half
    assert pounds["Low Road"] == pytest.approx({"2025-26": 10 * lived, "2026-27": 0.0})
    assert "Low Road" not in set(cost.unpriced["unique_id"])
    assert "Old Lane" in set(cost.unpriced["unique_id"])
    assert by_period(cost).sizes["series"] == 3
    told = waterfall(case, history=h, cost=cost)
    told = told[told["financial_year"] == "2025-26"].groupby("measure")["from_total"].first()
    assert told["pounds"] == pytest.approx(sum(row["2025-26"] for row in pounds.values()))
    people = totals(made.draws, levels(h.only(made.draws["series"].to_numpy()).series), history=h)
    assert told.drop("pounds").iloc[0] == pytest.approx(year(people, "total")["mean"])
