"""Prices by financial year: what is whole, what is actual, what is uplifted, and what is left out."""

import numpy as np
import pandas as pd
import pytest
from planning_cases import forecast, number, unit_cost, weekly_prices

from demand.budget import price, yearly
from demand.scenario import AVERAGE, Exposure, apply
from demand.tables import History


def priced(code="M", costs=None, seed=1, start_month=4, **more):
    draws, history = forecast(code, **more)
    demand, _ = apply(draws, [], seed=seed)
    return price(demand, costs or weekly_prices(), seed=seed, history=history, start_month=start_month)


def test_the_current_year_is_actuals_and_the_rest() -> None:
    cost = priced()
    assert cost.labels == ("2026-27", "2027-28", "2028-29")
    assert cost.years["months_actual"].to_numpy().tolist() == [3, 0, 0]
    assert yearly(cost).dims == ("scenario", "series", "financial_year", "draw")
    assert yearly(cost).dtype == np.float64


def test_a_year_that_is_not_covered_is_not_shown() -> None:
    assert priced(ahead=20).labels == ("2026-27",)
    assert priced(first="2026-05-01", past=2, ahead=33).labels == ("2027-28", "2028-29")


def test_without_a_history_only_years_ahead_are_whole() -> None:
    draws, _ = forecast()
    demand, _ = apply(draws, [], seed=1)
    assert price(demand, weekly_prices(), seed=1, history=None).labels == ("2027-28", "2028-29")


@pytest.mark.parametrize(
    ("code", "first", "past", "ahead", "labels", "months"),
    [
        ("Q", "2025-04-01", 5, 11, ("2026-27", "2027-28", "2028-29"), [3, 0, 0]),
        ("Y", "2020-04-01", 6, 3, ("2026-27", "2027-28", "2028-29"), [0, 0, 0]),
        ("W-MON", "2026-01-05", 30, 100, ("2026-27", "2027-28"), [4, 0]),
        ("D", "2026-03-01", 100, 700, ("2026-27", "2027-28"), [2, 0]),
    ],
)
def test_any_frequency_falls_into_years(code, first, past, ahead, labels, months) -> None:
    cost = priced(code, first=first, past=past, ahead=ahead)
    assert cost.labels == labels
    assert cost.years["months_actual"].to_numpy().tolist() == months
    each = float(cost.years.sel(series="North/hostel", financial_year="2027-28").mean())
    assert each == pytest.approx(30 * 300 * 365 / 7, rel=0.15)


def test_years_may_begin_in_another_month() -> None:
    assert priced(start_month=1).labels == ("2026", "2027", "2028")


def test_a_price_is_uplifted_once_for_every_financial_year_since_its_base() -> None:
    growth = number(0.1, unit="per year")
    cost = priced(costs=[unit_cost("all", {}, number(100, unit="GBP/household/week"), uplift=growth, price_base="2025-04-01")])
    prices = cost.parts[0].prices(cost.exposure.years)
    assert prices[:, 0] == pytest.approx([110, 121, 133.1])


def test_uplifts_from_one_source_move_together_and_amounts_do_not() -> None:
    growth = number(0.03, 0.02, 0.05, "per year")
    costs = [unit_cost(of, {"type": of}, number(9, 8, 10, "GBP/household/week"), uplift=growth) for of in ("bnb", "hostel")]
    one, other = priced(costs=costs).parts
    np.testing.assert_array_equal(one.growth, other.growth)
    assert not np.array_equal(one.amounts, other.amounts)


def test_a_flow_is_priced_by_the_number_that_came() -> None:
    cost = priced(costs=[unit_cost("advice", {}, number(50, unit="GBP/household"))], kind="flow")
    assert float(cost.years.sel(financial_year="2027-28").mean()) == pytest.approx(50 * 12 * 30, rel=0.05)


@pytest.mark.parametrize(("per", "times"), [("night", 365.0), ("day", 365.0), ("week", 365 / 7), ("month", 12.0), ("year", 1.0)])
def test_time_is_counted_in_the_unit_of_the_price(per, times) -> None:
    cost = priced(costs=[unit_cost("place", {}, number(10, unit=f"GBP/household/{per}"))], past=12, ahead=12)
    average = cost.exposure.quantity(cost.demand[0].to_numpy(), np.arange(4), per=AVERAGE)
    # Months are taken as equal parts of the year, days as they are: the two differ by at most a day in a month.
    np.testing.assert_allclose(cost.years[0].to_numpy(), 10 * times * average, rtol=0.01 if per in ("month", "year") else 1e-9)


def test_what_has_no_price_is_listed_and_not_free() -> None:
    cost = priced(costs=weekly_prices()[:1])
    assert cost.years["series"].to_numpy().tolist() == ["North/bnb", "South/bnb"]
    assert cost.unpriced["unique_id"].tolist() == ["North/hostel", "South/hostel"]
    assert set(cost.unpriced["reason"]) == {"no unit cost"}


def test_a_cost_may_come_on_top_of_another() -> None:
    costs = weekly_prices()
    extra = unit_cost("security", {"type": "bnb"}, number(50, unit="GBP/household/week"), on_top=True)
    more = priced(costs=[*costs, extra]).years - priced(costs=costs).years
    assert float(more.sel(series="North/hostel").max()) == 0
    assert float(more.sel(series="North/bnb", financial_year="2027-28").mean()) == pytest.approx(50 * 30 * 365 / 7, rel=0.1)


def test_a_period_that_was_not_counted_leaves_its_year_out_and_says_so() -> None:
    draws, history = forecast()
    table = history.table.copy()
    table.loc[(table["unique_id"] == "North/bnb") & (table["ds"] == pd.Timestamp("2026-05-01")), "y"] = np.nan
    demand, _ = apply(draws, [], seed=1)
    cost = price(demand, weekly_prices(), seed=1, history=History(table, history.series, history.frequency))
    assert cost.years.sel(series="North/bnb", financial_year="2026-27").isnull().all()
    assert cost.years.sel(series="North/bnb", financial_year="2027-28").notnull().all()
    assert any("2026-27" in note and "'North/bnb'" in note for note in cost.notes)


def test_the_cost_by_period_adds_up_to_the_years_that_lie_ahead() -> None:
    cost = priced()
    periods = cost.draws
    assert periods.dims == ("scenario", "series", "ds", "draw")
    ahead = periods.sel(ds=slice("2027-04-01", "2028-03-31")).sum("ds")
    np.testing.assert_allclose(ahead, cost.years.sel(financial_year="2027-28"), rtol=1e-9)


def test_no_uplift_and_placeholders_are_said() -> None:
    amount = number(9, 8, 10, "GBP/household/week", placeholder=True)
    notes = priced(costs=[unit_cost("all", {}, amount)]).notes
    assert any("no uplift" in note for note in notes)
    assert any("placeholder" in note for note in notes)


def test_the_average_stock_of_a_year_is_between_its_least_and_its_most() -> None:
    draws, history = forecast()
    exposure = Exposure(draws, history)
    values = draws.to_numpy()
    average = exposure.quantity(values, np.arange(4), per=AVERAGE)[:, 1]
    assert (average >= values[:, 8:21].min(axis=1)).all()
    assert (average <= values[:, 8:21].max(axis=1)).all()
