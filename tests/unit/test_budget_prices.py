"""Prices by financial year: what is whole, what is actual, what is uplifted, and what is left out."""

import numpy as np
import pandas as pd
import pytest
from planning_cases import forecast, number, unit_cost, weekly_prices

from demand.budget import by_period, price, yearly
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
    np.testing.assert_array_equal(one.rise.rates[""], other.rise.rates[""])
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
    periods = by_period(cost)
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


@pytest.mark.parametrize(("start", "on", "days_after"), [(4, "1 July", 275), (4, "15 March", 17), (1, "1 April", 275)])
def test_a_price_may_move_within_a_financial_year(start, on, days_after) -> None:
    growth = number(0.1, unit="per year")
    costs = [unit_cost("all", {}, number(100, unit="GBP/household/day"), uplift=growth, uplift_on=on, price_base="2026-03-20")]
    cost = priced(costs=costs, start_month=start, first="2025-01-01", past=12, ahead=36)
    label = "2027-28" if start == 4 else "2027"
    year = next(y for y in cost.exposure.years if str(y) == label)
    days = (year.end - year.start).days + 1
    average = (110 * (days - days_after) + 121 * days_after) / days
    assert cost.parts[0].prices([year])[0, 0] == pytest.approx(average)


def test_a_price_may_follow_a_path_of_rates() -> None:
    path = {"2026-27": number(0.1, unit="per year"), "2027-28": number(0.2, unit="per year")}
    cost = priced(costs=[unit_cost("all", {}, number(100, unit="GBP/household/week"), uplift=path, price_base="2026-06-30")])
    assert cost.parts[0].prices(cost.exposure.years)[:, 0] == pytest.approx([100, 120, 144])
    earlier = priced(costs=[unit_cost("all", {}, number(132, unit="GBP/household/week"), uplift=path, price_base="2027-06-30")])
    assert earlier.parts[0].prices(earlier.exposure.years)[:, 0] == pytest.approx([110, 132, 158.4])
    assert any("no rate is given for '2028-29', so that of the nearest year holds" in note for note in cost.notes)


def test_a_path_prices_a_forecast_that_holds_no_whole_year() -> None:
    path = {"2026-27": number(0.1, unit="per year")}
    cost = priced(costs=[unit_cost("all", {}, number(100, unit="GBP/household/week"), uplift=path)], first="2026-02-01", past=1, ahead=1)
    assert cost.years.sizes["financial_year"] == 0


def test_rates_of_a_path_are_drawn_year_by_year_and_shared_by_their_source() -> None:
    path = {"2027-28": number(0.1, 0.05, 0.15, "per year"), "2028-29": number(0.1, 0.05, 0.15, "per year")}
    costs = [unit_cost(of, {"type": of}, number(9, unit="GBP/household/week"), uplift=path) for of in ("bnb", "hostel")]
    one, other = (part.prices(priced(costs=costs).exposure.years) for part in priced(costs=costs).parts)
    np.testing.assert_array_equal(one, other)
    assert not np.array_equal(one[1] / one[0], one[2] / one[1])


def test_a_bill_may_count_people_where_the_series_counts_households() -> None:
    people = number(2.5, 2.2, 2.8, "person/household")
    per_person = unit_cost("all", {}, number(65, unit="GBP/person/night"), size=people)
    per_home = priced(costs=[unit_cost("all", {}, number(65, unit="GBP/household/night"))])
    found = priced(costs=[per_person])
    ratio = found.years / per_home.years
    assert float(ratio.median()) == pytest.approx(2.5, rel=0.05)
    assert float(ratio.std()) > 0.05


@pytest.mark.parametrize("weeks", [52, 52.143])
def test_a_year_has_as_many_weeks_as_are_said(weeks) -> None:
    daily = priced(costs=[unit_cost("all", {}, number(1, unit="GBP/household/day"))]).years
    weekly = priced(costs=[unit_cost("all", {}, number(1, unit="GBP/household/week"), weeks=weeks)]).years
    days = np.array([365, 366, 365])[None, None, :, None]
    np.testing.assert_allclose(weekly, daily / days * weeks, rtol=1e-12)


def test_four_weeks_are_twenty_eight_days() -> None:
    daily = priced(costs=[unit_cost("all", {}, number(1, unit="GBP/household/day"))]).years
    billed = priced(costs=[unit_cost("all", {}, number(28, unit="GBP/household/four weeks"))]).years
    np.testing.assert_allclose(billed, daily, rtol=1e-12)
