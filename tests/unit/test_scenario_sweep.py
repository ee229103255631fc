"""Sweeps: a scenario at every combination of its numbers."""

import numpy as np
import pytest
from planning_cases import change, forecast, number, weekly_prices

from demand.budget import NET, POUNDS, Grant, Reimbursed, StepCost, price, sweep, waterfall, with_items
from demand.errors import ScenarioError
from demand.scenario import Scenario, Sweep, WhatIf, apply

LIKELY = number(0.5, 0.3, 0.7)
FEWER = change("fewer", where={"type": "bnb"}, start="2027-04", probability=LIKELY)
MOVED = change("moved", "shift", where={"type": "bnb"}, to={"type": "hostel"}, size=number(0.2, 0.1, 0.3))
SCENARIO = Scenario(name="s", changes=(FEWER, MOVED), together="multiply")
TABLE = {"name": "table", "scenario": "s", "levers": [{"change": "fewer", "values": [0.8, 1.0]}, {"change": "moved", "values": [0, 0.3]}]}


@pytest.fixture(scope="module")
def made():
    draws, history = forecast(draws=60)
    case = WhatIf(draws, (SCENARIO,), 1)
    return case, history, price(apply(draws, case.scenarios, seed=1)[0], weekly_prices(), seed=1, history=history)


def test_a_table_of_two_levers_has_every_combination(made) -> None:
    case, history, cost = made
    table = sweep(case, [Sweep.model_validate(TABLE)], history=history, cost=cost)
    year = table[(table["financial_year"] == "2027-28") & (table["measure"] == POUNDS)]
    assert list(zip(year["value_1"], year["value_2"], strict=True)) == [(0.8, 0), (0.8, 0.3), (1.0, 0), (1.0, 0.3)]
    assert year["difference"].iloc[2] == 0  # nobody is cut, nobody moves: the baseline
    assert (year["difference_high"] - year["difference_low"]).iloc[2] == 0
    assert (year["low"] < year["mean"]).all()
    assert (year["mean"] < year["high"]).all()


def test_a_value_is_what_the_scenario_gives_with_that_number_certain(made) -> None:
    case, history, cost = made
    one = Sweep.model_validate(
        {"name": "line", "scenario": "s", "levers": [{"change": "fewer", "number": "probability", "values": [0.0, 1.0]}]}
    )
    table = sweep(case, [one], history=history, cost=cost)
    assert table["lever_1"].unique().tolist() == ["fewer: probability"]
    assert table["lever_2"].eq("").all()
    assert table["value_2"].isna().all()
    sure = SCENARIO.model_copy(update={"changes": (FEWER.fixed("probability", 1.0), MOVED)})
    expected = waterfall(WhatIf(case.draws, (sure,), 1), history=history, cost=cost)
    found = table[(table["value_1"] == 1) & (table["measure"] == POUNDS)].set_index("financial_year")["mean"]
    there = expected[(expected["measure"] == POUNDS)].groupby("financial_year")["to_total"].first()
    np.testing.assert_allclose(found, there[found.index], rtol=1e-9)


def test_net_is_that_of_a_run_in_which_the_number_is_certain(made) -> None:
    case, history, cost = made
    likely = number(0.4, 0.3, 0.5)
    items = [
        Grant(name="grant", line="a", years={"2027-28": 1000}, scenarios=["s"]),
        Reimbursed(rule="reimbursed", name="back", line="a", where={"type": ["bnb"]}, share=likely),
        StepCost(name="house", line="a", where={"type": ["hostel"]}, places=7, amount=number(9000, 8000, 9900, "GBP/year")),
    ]
    one = Sweep.model_validate({"name": "line", "scenario": "s", "levers": [{"change": "fewer", "number": "probability", "values": [1.0]}]})
    table = sweep(case, [one], history=history, cost=with_items(cost, items, seed=1), items=items)
    sure = (SCENARIO.model_copy(update={"changes": (FEWER.fixed("probability", 1.0), MOVED)}),)
    there = with_items(price(apply(case.draws, sure, seed=1)[0], weekly_prices(), seed=1, history=history), items, seed=1)
    expected = waterfall(WhatIf(case.draws, sure, 1), history=history, cost=there)
    ends = expected[expected["measure"] == NET].groupby("financial_year")[["from_total", "to_total"]].first()
    found = table[table["measure"] == NET].set_index("financial_year")
    assert len(found) == len(ends) > 0
    np.testing.assert_allclose(found["mean"], ends["to_total"], rtol=1e-6)
    np.testing.assert_allclose(found["difference"], ends["to_total"] - ends["from_total"], rtol=1e-5, atol=0.01)


@pytest.mark.parametrize(
    ("sweep_of", "message"),
    [
        ({"scenario": "t"}, "sweeps > table > scenario: 't' is not a scenario"),
        ({"levers": [{"change": "fewr", "values": [1]}]}, r"'fewr' is not a change of this scenario.*Did you mean 'fewer'"),
        ({"levers": [{"change": "fewer", "number": "dely", "values": [1]}]}, "'fewer' has no number 'dely'"),
        ({"levers": [{"change": "moved", "values": [0.5, 1.5]}]}, r"1\.5 cannot be: a share that moves cannot be above 1"),
    ],
)
def test_what_is_not_there_is_said(made, sweep_of, message) -> None:
    case, history, _ = made
    with pytest.raises(ScenarioError, match=message):
        sweep(case, [Sweep.model_validate({**TABLE, **sweep_of})], history=history)
