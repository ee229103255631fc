"""What one step more of an assumption does, and what falls away with a grant."""

import pandas as pd
import pytest
from planning_cases import change, forecast, number, unit_cost

from demand.budget import price, sensitivity
from demand.budget.fixed import FixedCost
from demand.budget.grants import Grant
from demand.budget.items import with_items
from demand.scenario import Scenario, WhatIf, apply

DRAWS, HISTORY = forecast(draws=30)
WEEKLY = "GBP/household/week"


def table_of(amount, uplift=None, size=None, items=()):
    scenarios = [Scenario(name="fewer", changes=(change(size=size),))] if size else []
    cost = price(apply(DRAWS, scenarios, seed=1)[0], [unit_cost("place", {}, amount, uplift=uplift)], seed=1, history=HISTORY)
    cost = with_items(cost, items, seed=1)
    rows = sensitivity(WhatIf(DRAWS, tuple(scenarios), 1), cost).set_index(["assumption", "financial_year"])
    return rows, float(cost.years.sel(scenario="baseline", financial_year="2027-28").sum("series").mean())


@pytest.mark.parametrize("amount", [number(400, 300, 500, WEEKLY), number(400, unit=WEEKLY)])
def test_one_per_cent_more_of_a_price_is_one_per_cent_more_cost(amount) -> None:
    rows, _ = table_of(amount)
    _, certain = table_of(number(400, unit=WEEKLY))
    row = rows.loc[("place: amount", "2027-28")]
    assert row["step"] == "1 %"
    assert row["step_pence"] == pytest.approx(certain, rel=1e-6)  # 1 % of pounds, in pence


def test_a_rate_moves_by_a_point() -> None:
    rows, expected = table_of(number(400, unit=WEEKLY), uplift=number(0.03, 0.02, 0.04, "per year"))
    row = rows.loc[("place: uplift", "2027-28")]
    assert row["step"] == "1 point"
    assert row["step_pence"] == pytest.approx(expected * 100 * 2 * 0.01 / 1.03, rel=0.01)  # two years of uplift by then
    rows, _ = table_of(number(400, unit=WEEKLY), size=number(0.9, 0.8, 1.0))
    assert rows.loc[("fewer: fewer", "2027-28"), "step"] == "1 point"
    assert rows.loc[("fewer: fewer", "2027-28"), "step_pence"] > 0


def test_a_grant_that_ends_has_a_row_in_the_years_after() -> None:
    grant = Grant(name="prevention grant", line="any", years={"2026-27": 50_000.0}, ends="2027-03-31")
    rows, _ = table_of(number(400, unit=WEEKLY), items=[grant])
    cliff = rows[rows["kind"] == "grant"]
    assert cliff.index.get_level_values("financial_year").tolist() == ["2027-28", "2028-29"]
    assert cliff["low_pence"].tolist() == [-5_000_000] * 2
    assert cliff["high_pence"].tolist() == [0, 0]
    assert cliff["step_pence"].isna().all()
    assert cliff.index[0][0] == "prevention grant: ends 31 March 2027"
    lasting = Grant(name="lasting", line="any", years={"2026-27": 50_000.0, "2027-28": 50_000.0, "2028-29": 50_000.0})
    rows, _ = table_of(number(400, unit=WEEKLY), items=[lasting])
    assert isinstance(rows, pd.DataFrame)
    assert "grant" not in set(rows["kind"])


def test_an_item_of_two_scenarios_is_measured_under_the_first() -> None:
    draws, history = forecast()
    scenarios = [Scenario(name="a", changes=[change(start="2026-10")]), Scenario(name="b", combines=["a"])]
    team = FixedCost(name="team", line="all", amount=number(1e5, 9e4, 1.2e5, "GBP/year"), scenarios=["a", "b"])
    cost = with_items(price(apply(draws, scenarios, seed=1)[0], [], seed=1, history=history), [team], seed=1)
    table = sensitivity(WhatIf(draws, scenarios, 1), cost, [team]).query("assumption == 'team: amount'")
    assert set(table["scenario"]) == {"a"}
    # From the low end to the high one, whatever the mean of what was drawn.
    assert (table["high_pence"] - table["low_pence"]).tolist() == pytest.approx([3_000_000] * 3, abs=2)
