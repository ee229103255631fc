"""Prices that are taken from the extract: trend, spread, what one more costs, and wide ranges where few are there."""

import numpy as np
import pandas as pd
import pytest
from planning_cases import forecast, number

from demand.budget import BudgetSpec, StartPrices, budget_table, price, price_draws
from demand.budget.start_prices import START_PRICES
from demand.errors import BudgetError
from demand.scenario import apply

AS_OF = pd.Timestamp("2026-06-30")
SPEC = StartPrices(by="type", owner="placements")
DRAWS, HISTORY = forecast(draws=400)
DEMAND = apply(DRAWS, [], seed=1)[0]


def people(count=400, *, growth=0.06, sigma=0.5, first="2021-07-01", level=(1000.0, 400.0), hostels=None):
    """Placements whose prices grow by the day, with a heavy tail; a quarter of them are still there."""
    rng = np.random.default_rng(5)
    tables = []
    for value, middle, n in (("bnb", level[0], count), ("hostel", level[1], count if hostels is None else hostels)):
        opened = pd.Timestamp(first) + pd.to_timedelta(rng.integers(0, (AS_OF - pd.Timestamp(first)).days, n), unit="D")
        years = (opened - AS_OF).days / 365.25
        prices = middle * np.exp(growth * years + sigma * rng.standard_normal(n) - sigma**2 / 2)
        closed = (opened + pd.Timedelta(days=20)).to_series(index=range(n)).where(rng.random(n) > 0.25)
        tables.append(pd.DataFrame({"type": value, "opened": opened, "closed": closed, "price": prices}))
    return pd.concat(tables, ignore_index=True)


def found(table, spec=SPEC):
    return spec.found(table, HISTORY.series, as_of=AS_OF, seed=1)


def test_level_trend_and_spread_come_back() -> None:
    made = found(people(1500))
    assert made.table.columns.tolist() == START_PRICES
    row = made.table.set_index("type").loc["bnb"]
    assert row["price_of_start"] == pytest.approx(1000, rel=0.07)
    assert row["growth_low"] < np.expm1(0.06) < row["growth_high"]
    assert row["spread"] == pytest.approx(0.5, rel=0.1)
    assert row["one_more_pence"] == pytest.approx(100_000 * 365.25 / 7, rel=0.07)
    assert row["one_more_low_pence"] < row["one_more_pence"] < row["one_more_high_pence"]
    assert "One more placement of type bnb costs" in made.notes[0]
    assert "from 1500 starts." in made.notes[0]


def test_one_dear_placement_does_not_tilt_the_trend() -> None:
    table = people(60, sigma=0.1)
    last = table[table["type"] == "bnb"]["opened"].idxmax()
    before = found(table).table.set_index("type").loc["bnb"]
    after = found(table.assign(price=table["price"].where(table.index != last, 20_000))).table.set_index("type").loc["bnb"]
    assert after["growth"] == pytest.approx(before["growth"], abs=0.01)
    assert after["price_of_start"] > before["price_of_start"] + 100


def test_few_placements_give_wide_ranges_and_are_pooled() -> None:
    many, few = (found(people(400, hostels=n)) for n in (400, 8))
    wide = [(c.costs[1].amount.high - c.costs[1].amount.low) / c.costs[1].amount.value for c in (many, few)]
    assert wide[1] > 3 * wide[0]
    row = few.table.set_index("type").loc["hostel"]
    assert row["pooled"]
    assert row["growth"] == pytest.approx(few.table.set_index("type").loc["bnb", "growth"])
    assert "8 starts are too few for a spread of their own" in few.notes[1]


def test_draws_are_means_of_real_prices_with_their_tail() -> None:
    made = found(people(40, sigma=1.2))
    part = price(DEMAND, made.costs, seed=1, history=HISTORY).parts[0]
    amount = made.costs[0].amount
    assert np.quantile(part.amounts, 0.9) == pytest.approx(amount.high, rel=0.05)
    assert np.quantile(part.amounts, 0.1) == pytest.approx(amount.low, rel=0.05)
    assert part.amounts.max() - amount.value > 1.3 * (amount.value - part.amounts.min())
    assert part.amounts.min() >= amount.points[0] - 1e-9
    assert part.amounts.max() <= amount.points[-1] + 1e-9


def test_those_who_are_there_set_the_amount_and_the_trend_of_starts_what_it_becomes() -> None:
    table = people(400)
    made = found(table)
    there = table[(table["type"] == "bnb") & ~(table["closed"] <= AS_OF)]["price"].mean()
    cost = price(DEMAND, made.costs, seed=1, history=HISTORY)
    assert np.median(cost.parts[0].amounts) == pytest.approx(there, rel=0.03)
    assert made.costs[0].price_base == AS_OF.date()
    assert made.costs[0].uplift_on == "31 December"
    assert not len(cost.unpriced)
    assert len(budget_table(cost, BudgetSpec())) == 3
    z = price_draws(cost, BudgetSpec(), seed=1)
    assert z["z"].notna().all()


def test_the_same_extract_gives_the_same_prices() -> None:
    table = people(80)
    one, other = found(table), found(table.sample(frac=1, random_state=3))
    pd.testing.assert_frame_equal(one.table, other.table, rtol=1e-9)
    assert one.costs[0].amount.points == pytest.approx(other.costs[0].amount.points)


@pytest.mark.parametrize(
    ("table", "spec", "message"),
    [
        (None, SPEC, "prices: the extract of people has no prices with dates. Name the columns: data > people > price"),
        (people(20).drop(columns="price"), SPEC, "the extract of people has no prices with dates"),
        (people(20), StartPrices(by="tpye", owner="x"), "prices > by: 'tpye' is not a key of the people and of what is counted."),
        (
            people(20),
            StartPrices(by="type", values=["foster"], owner="x"),
            "prices > values: 'foster' of 'type' has no prices in the extract.",
        ),
        (people(20).assign(price=0.0), SPEC, "no type has prices and is counted as a stock"),
    ],
)
def test_an_extract_without_prices_is_refused(table, spec, message) -> None:
    with pytest.raises(BudgetError) as error:
        found(table, spec)
    assert message in str(error.value)


def test_an_extract_that_ends_half_a_year_before_a_leap_day_has_a_day_to_move_on() -> None:
    earlier = people(first="2018-07-01")
    made = SPEC.found(earlier, HISTORY.series, as_of=pd.Timestamp("2023-08-28"), seed=1)
    assert {cost.uplift_on for cost in made.costs} == {"01 March"}


def test_where_placements_run_on_the_price_of_those_who_are_there_is_known() -> None:
    table = people()
    usual, running = (SPEC.found(table, HISTORY.series, as_of=AS_OF, seed=1, run_off=r).costs[0] for r in (False, True))
    there = table[(table["type"] == "bnb") & ~(table["closed"] <= AS_OF)]["price"].mean()
    assert running.amount.low == running.amount.value == running.amount.high == pytest.approx(there)
    assert usual.uplift is not None
    assert running.uplift is None


def test_an_uplift_that_is_given_stands_in_place_of_the_trend() -> None:
    rate = number(0.04, 0.03, 0.06, "per year")
    made = found(people(), StartPrices(by="type", owner="placements", uplift=rate, uplift_on="1 July")).costs[0]
    assert (made.uplift, made.uplift_on) == (rate, "1 July")
    with pytest.raises(ValueError, match="the uplift of 'prices' is in 'ratio'"):
        StartPrices(by="type", owner="placements", uplift=number(0.04))
