"""What the workbook works with: quantity x price is the cost of each line in every future, also at other prices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from planning_cases import change, forecast, number, unit_cost, weekly_prices

from demand.budget import BudgetLine, BudgetSpec, Cost, UnitCost, line_costs, price, price_draws, quantities, with_items
from demand.budget.grants import Grant
from demand.budget.income import HousingBenefit, Reimbursed
from demand.scenario import Scenario, apply

SEED = 5
SPEC = BudgetSpec(lines=[BudgetLine(name="bnb", where={"type": ["bnb"]}), BudgetLine(name="hostels", where={"type": ["hostel"]})])
SECURITY = unit_cost("security", {}, number(20, 10, 40, "GBP/household/week"), on_top=True)


def priced(costs: list[UnitCost]) -> Cost:
    draws, history = forecast()
    demand, _ = apply(draws, [Scenario(name="fewer", question="?", changes=(change(start="2027-04"),))], seed=SEED)
    return price(demand, costs, seed=SEED, history=history)


def worked_out(cost: Cost, spec: BudgetSpec, costs: list[UnitCost]) -> pd.Series:
    """Pounds by scenario, line, year and draw from the two tables and nothing else."""
    table, drawn = quantities(cost, spec, seed=SEED), price_draws(cost, spec, seed=SEED)
    z = drawn.pivot_table(index=["cost", "draw"], columns="number", values="z").reindex(columns=["amount", "uplift"])
    rows = table.merge(z, left_on=["cost", "draw"], right_index=True, how="left")
    known = {c.name: c for c in costs}

    def one(group: pd.DataFrame) -> pd.Series:
        unit = known.get(str(group["cost"].iloc[0]))
        if unit is None:
            return group["quantity"]
        one_rate = unit.uplift is not None and group["uplift"].notna().all()
        growth = 1 + unit.uplift.at(group["uplift"].to_numpy()) if one_rate else 1.0
        return group["quantity"] * unit.amount.at(group["amount"].to_numpy()) * growth ** group["steps"]

    rows["pounds"] = pd.concat([one(group) for _, group in rows.groupby("cost")])
    return rows.groupby(["scenario", "line", "financial_year", "draw"])["pounds"].sum()


@pytest.mark.parametrize("spec", [SPEC, BudgetSpec()])
def test_quantity_times_price_is_the_cost_of_each_line_in_every_future(spec: BudgetSpec) -> None:
    costs = [*weekly_prices(), SECURITY]
    cost = priced(costs)
    pounds = line_costs(cost, spec)
    found = worked_out(cost, spec, costs)
    names = [line.name for line in spec.lines] or ["total"]
    expected = pounds.sel(line=names).to_series()
    np.testing.assert_allclose(found.reindex(expected.index).to_numpy(), expected.to_numpy(), rtol=1e-9)
    assert len(found) == len(expected)
    assert set(quantities(cost, spec, seed=SEED)["cost"]) == {c.name for c in costs}


def test_the_same_tables_tell_the_cost_at_another_price() -> None:
    before = weekly_prices()
    wider = before[0].amount.model_copy(update={"value": 610.0, "low": 500.0, "high": 700.0})
    after = [before[0].model_copy(update={"amount": wider}), before[1]]
    expected = line_costs(priced(after), SPEC).sel(line=["bnb", "hostels"]).to_series()
    found = worked_out(priced(before), SPEC, after)
    np.testing.assert_allclose(found.reindex(expected.index).to_numpy(), expected.to_numpy(), rtol=1e-9)


GROWTH = number(0.03, 0.02, 0.05, "per year")
BILLED = {
    "per person": {"amount": number(200, 150, 260, "GBP/person/week"), "size": number(2.3, 2.0, 2.7, "person/household")},
    "52 weeks": {"weeks": 52},
    "in July": {"uplift_on": "1 July"},
    "along a path": {"uplift": {"2026-27": GROWTH, "2027-28": number(0.05, 0.04, 0.07, "per year")}},
}


@pytest.mark.parametrize("how", BILLED)
def test_however_it_is_billed_the_amount_can_be_changed(how: str) -> None:
    about = {"amount": number(500, 450, 600, "GBP/household/week"), "uplift": GROWTH, **BILLED[how]}
    before = UnitCost.model_validate({"name": "room", "where": {"type": "bnb"}, **about})
    dearer = before.amount.model_copy(update={"value": before.amount.value + 9, "high": before.amount.high + 70})
    rest = weekly_prices()[1]
    cost = priced([before, rest])
    assert set(quantities(cost, SPEC, seed=SEED)["cost"]) == {"room", "hostel place"}
    after = [before.model_copy(update={"amount": dearer}), rest]
    expected = line_costs(priced(after), SPEC).sel(line=["bnb", "hostels"]).to_series()
    found = worked_out(cost, SPEC, after)
    np.testing.assert_allclose(found.reindex(expected.index).to_numpy(), expected.to_numpy(), rtol=1e-9)
    assert ("uplift" in set(price_draws(cost, SPEC, seed=SEED)["number"])) == (how in ("per person", "52 weeks"))


def test_pounds_that_no_amount_and_uplift_explain_stand_as_they_are() -> None:
    cost = priced(weekly_prices())
    odd = replace(cost.parts[0], amounts=cost.parts[0].amounts + 1.0)
    shifted = replace(cost, parts=(odd, cost.parts[1]))
    table = quantities(shifted, SPEC, seed=SEED)
    assert set(table["cost"]) == {"", "hostel place"}
    assert set(price_draws(shifted, SPEC, seed=SEED)["cost"]) == {"hostel place"}
    pounds = line_costs(cost, SPEC).sel(line="bnb").to_series()
    fixed = table[table["cost"] == ""].set_index(["scenario", "financial_year", "draw"])["quantity"]
    np.testing.assert_allclose(fixed.to_numpy(), pounds.reindex(fixed.index).to_numpy(), rtol=1e-12)


def test_a_grant_leaves_prices_live_and_income_by_rule_does_not() -> None:
    grant = Grant(name="grant", line="bnb", years={"2026-27": 50_000.0, "2027-28": 50_000.0})
    benefit = HousingBenefit.model_validate(
        {"rule": "housing_benefit", "name": "benefit", "line": "hostels", "where": {"type": "hostel"},
         "lha_2011": number(100, 90, 120, "GBP/household/week"), "self_contained": False}
    )  # fmt: skip
    cost = with_items(priced(weekly_prices()), [grant, benefit], seed=SEED)
    table = quantities(cost, SPEC, seed=SEED)
    told = {str(line): set(rows["cost"]) for line, rows in table.groupby("line")}
    assert told == {"bnb": {"bed and breakfast", ""}, "hostels": {""}}
    assert set(price_draws(cost, SPEC, seed=SEED)["cost"]) == {"bed and breakfast"}
    expected = line_costs(cost, SPEC).sel(line=["bnb", "hostels"]).to_series()
    found = worked_out(cost, SPEC, weekly_prices())
    np.testing.assert_allclose(found.reindex(expected.index).to_numpy(), expected.to_numpy(), rtol=1e-9)


@pytest.mark.parametrize("spec", [BudgetSpec(), BudgetSpec(lines=[*SPEC.lines, BudgetLine(name="income", items_only=True)])])
def test_income_on_a_line_of_its_own_leaves_no_price_to_change_outside_a_run(spec: BudgetSpec) -> None:
    cost = priced(weekly_prices())
    back = Reimbursed(rule="reimbursed", name="health", line="income", where={"type": ["bnb"]}, share=number(0.3))
    cost = with_items(cost, [back], seed=SEED)
    assert price_draws(cost, spec, seed=SEED).empty
    table = quantities(cost, spec, seed=SEED)
    assert set(table["cost"]) == {""}
    whole = table[table["scenario"] == "baseline"].groupby(["financial_year", "draw"])["quantity"].sum().unstack()
    assert np.allclose(whole, line_costs(cost, spec).sel(scenario="baseline", line="total"))
