"""Every placement at its own price: against one period and one future at a time, and what must hold whatever comes out of it."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from planning_cases import forecast, number, unit_cost, weekly_prices

from demand.budget import BudgetLine, BudgetSpec, line_costs, price
from demand.budget.bridge import bridge
from demand.budget.live import price_draws, quantities
from demand.budget.movement import KNOWN, steps_of
from demand.budget.period_costs import by_period
from demand.course import Course, joined, run_off_table, with_known
from demand.scenario import Scenario, WhatIf, apply

DRAWS, HISTORY = forecast(draws=30)
STOCKS = ["North/bnb", "South/bnb"]
SPEC = BudgetSpec(lines=[BudgetLine(name="bnb", where={"type": ["bnb"]}), BudgetLine(name="hostels", where={"type": ["hostel"]})])
COST = unit_cost("place", {"type": ["bnb"]}, number(500, unit="GBP/household/week"), uplift=number(0.03, 0.02, 0.05, "per year"))


def run_off(*, seed=3, leave=0.0, level=(400.0, 800.0)):
    """Two stocks whose people and prices wander together; `leave` of them go by known changes."""
    rng = np.random.default_rng(seed)
    shape = (2, DRAWS.sizes["ds"], DRAWS.sizes["draw"])
    people = rng.poisson(30, shape).astype(float)
    weeks = people * 4.3
    pounds = weeks * np.array(level)[:, None, None] * np.exp(0.1 * rng.standard_normal(shape))
    less = np.where(rng.random((2, 1, shape[2])) < leave, 1.0, 0.0) * np.ones(shape)
    dims, coords = ("series", "ds", "draw"), {"series": STOCKS, "ds": DRAWS["ds"].to_numpy(), "draw": np.arange(shape[2])}
    now = {"people_now": ("series", [30.0, 10.0]), "pounds_now": ("series", np.array(level) * [30.0, 10.0])}
    made = [
        xr.Dataset(
            {"people": (dims, people - k), "weeks": (dims, weeks - 4.3 * k), "pounds": (dims, pounds * (1 - 0.05 * k)), **now}, coords
        )
        for k in (0.0, less)
    ]
    return rng.poisson(2, shape).astype(float), made[0], made[1]


def priced(draws, course, costs=(COST,), scenarios=()):
    return price(apply(draws, list(scenarios), seed=1)[0], list(costs), seed=1, history=HISTORY, course=course)


def test_a_period_costs_its_people_at_the_price_of_its_own_future() -> None:
    table = joined(DRAWS, *run_off())
    cost = priced(DRAWS, Course.of(table))
    found, part = by_period(cost), cost.parts[0]
    today = (30 * 400 + 10 * 800) / 40
    for name in STOCKS:
        before = HISTORY.wide[name].iloc[-1]
        for k, day in enumerate(pd.DatetimeIndex(DRAWS["ds"].to_numpy())[:14]):
            for d in (0, 7, 29):
                here = {"series": name, "ds": day, "draw": d}
                people = (float(DRAWS.sel(series=name, draw=d)[k - 1] if k else before) + float(DRAWS.sel(**here))) / 2
                grown = part.rise.rates[""][d] ** ((day >= pd.Timestamp("2026-04-01")) + (day >= pd.Timestamp("2027-04-01")))
                expected = people * day.days_in_month / 7 * 500 * grown * float(table.price.sel(**here)) / today
                assert float(found.sel(scenario="baseline", **here)) == pytest.approx(expected, rel=1e-9)
    years = found.sel(scenario="baseline").groupby(found["ds"].dt.year + (found["ds"].dt.month >= 4)).sum("ds")
    whole = cost.years.sel(scenario="baseline", financial_year="2027-28")
    np.testing.assert_allclose(years.sel(group=2028).to_numpy(), whole.to_numpy(), rtol=1e-9)


def test_futures_are_joined_by_rank_and_kept_whole() -> None:
    starts, without, after = run_off()
    table = joined(DRAWS, starts, without, after)
    weight = xr.DataArray([400.0, 800.0], dims="series", coords={"series": STOCKS})
    mine, theirs = ((a.sel(series=STOCKS) * weight).sum(("series", "ds")).to_numpy() for a in (DRAWS, table.people))
    assert (np.diff(theirs[np.argsort(mine, kind="stable")]) >= 0).all()
    assert sorted(table.run.to_numpy()) == list(range(30))
    np.testing.assert_array_equal(table.people.to_numpy(), after.people.to_numpy()[:, :, table.run.to_numpy()])
    np.testing.assert_array_equal(table.starts.to_numpy(), starts[:, :, table.run.to_numpy()])
    assert len(run_off_table(table)) == table.price.size


def test_where_nothing_moves_the_price_is_that_of_the_ledger() -> None:
    starts, without, _ = run_off(level=(500.0, 500.0))
    still = without.assign(pounds=without.weeks * 500.0)
    flat = priced(DRAWS, Course.of(joined(DRAWS, starts, still, still)))
    np.testing.assert_allclose(flat.years.to_numpy(), priced(DRAWS, None).years.to_numpy(), rtol=1e-9)


def test_what_is_paid_on_top_and_what_is_paid_by_the_head_have_no_course() -> None:
    costs = [COST, unit_cost("security", {"type": ["bnb"]}, number(20, unit="GBP/household/week"), on_top=True)]
    assert [p.times is None for p in priced(DRAWS, Course.of(joined(DRAWS, *run_off())), costs).parts] == [False, True]


def test_a_price_with_an_uplift_of_its_own_does_not_follow_the_trend_of_new_starts_too() -> None:
    course = Course.of(joined(DRAWS, *run_off()), grows=True)
    own, free = priced(DRAWS, course), priced(DRAWS, course, [COST.model_copy(update={"uplift": None})])
    assert np.array_equal(own.years, priced(DRAWS, None).years)
    assert any("grows by its own uplift alone" in note for note in own.notes)
    assert free.parts[0].times is not None


def test_who_has_no_price_does_not_make_the_others_look_dearer() -> None:
    starts, without, _ = run_off()
    here = xr.DataArray(np.array(STOCKS) == "North/bnb", dims="series", coords={"series": STOCKS})
    some = without.assign(pounds=without.pounds.where(here), pounds_now=without.pounds_now.where(here))
    table = joined(DRAWS, starts, some, some)
    times = Course.of(table).times(pd.Index(STOCKS), pd.DatetimeIndex(DRAWS["ds"].to_numpy()), 30)
    assert times is not None
    np.testing.assert_allclose(times[0], table.price.sel(series="North/bnb").transpose("ds", "draw") / 400)
    assert (times[1] == 1).all()


def test_where_nobody_is_in_a_future_the_price_of_all_futures_stands_in() -> None:
    starts, without, _ = run_off()
    empty = without.copy(deep=True)
    for name in ("people", "weeks", "pounds"):
        empty[name][:, 3, 5] = 0.0
        empty[name][:, 4, :] = 0.0
    table = joined(DRAWS, starts, empty, empty)
    assert bool(table.price.notnull().all())
    every = empty.pounds[:, 3].sum("draw") / empty.weeks[:, 3].sum("draw")
    at = int(np.flatnonzero(table.run.to_numpy() == 5)[0])
    np.testing.assert_allclose(table.price[:, 3, at], every)
    np.testing.assert_allclose(table.price[:, 4, 0], every)


def test_lines_add_up_in_every_future_and_the_workbook_comes_to_the_same_pounds() -> None:
    costs = weekly_prices()
    cost = priced(DRAWS, Course.of(joined(DRAWS, *run_off())), costs, [Scenario(name="s", question="?")])
    lines = line_costs(cost, SPEC)
    np.testing.assert_allclose(lines.sel(line=["bnb", "hostels"]).sum("line").to_numpy(), lines.sel(line="total").to_numpy())
    table, z = (
        quantities(cost, SPEC, seed=1),
        price_draws(cost, SPEC, seed=1).pivot_table(index=["cost", "draw"], columns="number", values="z"),
    )
    amounts, rates = ({c.name: n for c in costs for n in [get(c)]} for get in (lambda c: c.amount, lambda c: c.uplift))
    rows = table.merge(z.reset_index(), on=["cost", "draw"])
    each = [
        q * amounts[c].at(np.array([a]))[0] * (1 + rates[c].at(np.array([u]))[0] if rates[c] else 1.0) ** s
        for q, c, a, u, s in zip(*(rows[n] for n in ("quantity", "cost", "amount", "uplift", "steps")), strict=True)
    ]
    told = rows.assign(pounds=each).groupby(["scenario", "line", "financial_year", "draw"])["pounds"].sum()
    expected = lines.sel(line=["bnb", "hostels"]).to_series()
    np.testing.assert_allclose(told.reindex(expected.index), expected, rtol=1e-9)


def test_known_changes_are_one_step_of_the_bridge_and_in_no_other() -> None:
    table = joined(DRAWS, *run_off(leave=0.5))
    after = with_known(DRAWS, table)
    assert float(after.mean()) < float(DRAWS.mean())
    np.testing.assert_array_equal(with_known(after, table, times=-1).to_numpy(), DRAWS.to_numpy())
    costs = [COST, weekly_prices()[1]]
    cost, without = priced(after, Course.of(table), costs), priced(DRAWS, Course.of(table, known=False), costs)
    steps = steps_of(WhatIf(after, (), 1), cost, SPEC, HISTORY, without_known=without)
    plain = steps_of(WhatIf(DRAWS, (), 1), without, SPEC, HISTORY)
    for line, year in (("bnb", "2027-28"), ("hostels", "2027-28")):
        drawn = {s.name: s.pounds for s in steps.steps if (s.line, s.year) == (line, year)}
        others = {s.name: s.pounds for s in plain.steps if (s.line, s.year) == (line, year)}
        assert (KNOWN in drawn) == (line == "bnb")
        for name, pounds in others.items():
            np.testing.assert_allclose(drawn[name], pounds)
        ends = [steps.pounds["baseline", line, y] for y in ("2026-27", "2027-28")]
        np.testing.assert_allclose(sum(drawn.values()), ends[1] - ends[0], atol=1e-6)
    rows = bridge(steps, SPEC).query("kind == 'step' and line == 'bnb'").groupby("to")["amount_pence"].sum()
    ends = bridge(steps, SPEC).query("kind == 'end' and line == 'bnb'").set_index("to")["amount_pence"]
    assert int(ends["2028-29"] - ends["2027-28"]) == int(rows["2028-29"])


def test_changes_known_a_month_ago_are_taken_up_in_the_months_that_are_left() -> None:
    table = joined(DRAWS, *run_off(leave=0.5))
    later = DRAWS.isel(ds=slice(2, None))
    np.testing.assert_array_equal(with_known(later, table).to_numpy(), with_known(DRAWS, table).isel(ds=slice(2, None)).to_numpy())
    earlier = Course.of(table.isel(ds=slice(2, None))).times(pd.Index(STOCKS), pd.DatetimeIndex(DRAWS["ds"].to_numpy()), 30)
    assert earlier is not None
    np.testing.assert_array_equal(earlier[:, 0], earlier[:, 2])  # periods before its own take the nearest
