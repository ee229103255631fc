"""Grants and other items beside the series: net, parts of a line, notes."""

from datetime import date

import numpy as np
import pytest
from planning_cases import change, forecast, number, weekly_prices

from demand.budget import BudgetLine, BudgetSpec, Grant, budget_notes, budget_table, line_costs, price, risk_table, with_items
from demand.scenario import Scenario, apply

FEWER = Scenario(name="fewer", changes=(change(where={"type": "bnb"}, start="2027-04"),))
SPEC = BudgetSpec(
    lines=(
        BudgetLine(name="B&B", where={"type": "bnb"}, years={"2027-28": 1.6e6}),
        BudgetLine(name="hostels", where={"type": "hostel"}, years={"2027-28": 9e5}),
        BudgetLine(name="team", items_only=True),
    )
)
GRANT = Grant(
    name="prevention grant",
    line="B&B",
    years={"2026-27": 4e5, "2027-28": number(3e5, 2e5, 4e5, "GBP/year")},
    ends=date(2028, 3, 31),
)


@pytest.fixture(scope="module")
def cost():
    draws, history = forecast(draws=100)
    demand, _ = apply(draws, [FEWER], seed=1)
    return price(demand, weekly_prices(), seed=1, history=history)


def test_a_grant_comes_off_its_line_in_every_draw_and_ends(cost) -> None:
    net = line_costs(with_items(cost, [GRANT], seed=1), SPEC)
    off = net - line_costs(cost, SPEC)
    assert (off.sel(line="hostels") == 0).all()
    np.testing.assert_allclose(off.sel(line="B&B", financial_year="2026-27"), -4e5)
    assert np.median(off.sel(line="B&B", financial_year="2027-28", scenario="fewer")) == pytest.approx(-3e5, rel=0.1)
    assert (off.sel(financial_year="2028-29") == 0).all()
    np.testing.assert_allclose(off.sel(line="total"), off.sel(line="B&B"), atol=1e-6)


def test_parts_of_a_line_add_up_to_what_is_expected(cost) -> None:
    table = budget_table(with_items(cost, [GRANT], seed=1), SPEC)
    assert (table[["gross_pence", "income_pence", "grant_pence", "saving_pence"]].sum(axis=1) == table["expected_pence"]).all()
    row = table.set_index(["scenario", "line", "financial_year"]).loc[("baseline", "B&B", "2026-27")]
    assert row["grant_pence"] == -40_000_000
    before = budget_table(cost, SPEC).set_index(["scenario", "line", "financial_year"])["expected_pence"]
    assert row["gross_pence"] == pytest.approx(before[("baseline", "B&B", "2026-27")], abs=1)
    assert set(table["line"]) == {"B&B", "hostels", "team", "total"}


def test_the_budget_is_compared_with_net(cost) -> None:
    at = ("baseline", "B&B", "2027-28")
    before, after = (
        risk_table(c, SPEC).set_index(["scenario", "line", "financial_year"]).loc[at] for c in (cost, with_items(cost, [GRANT], seed=1))
    )
    assert after["p_overspend"] < before["p_overspend"]


def test_an_item_can_belong_to_one_scenario(cost) -> None:
    only = GRANT.model_copy(update={"scenarios": ["fewer"]})
    items = with_items(cost, [only], seed=1).items
    assert (items.sel(scenario="baseline") == 0).all()
    assert (items.sel(scenario="fewer", financial_year="2026-27") == -4e5).all()


def test_items_say_what_they_are(cost) -> None:
    items = with_items(cost, [GRANT], seed=1).items
    assert items.dims == ("scenario", "item", "financial_year", "draw")
    about = {n: items[n].to_numpy().tolist()[0] for n in ("item", "line", "kind", "recurring")}
    assert about == {"item": "prevention grant", "line": "B&B", "kind": "grant", "recurring": False}
    assert items["last_day"].to_numpy()[0] == np.datetime64("2028-03-31")


def test_the_notes_tell_of_the_cliff_and_of_years_without_an_amount(cost) -> None:
    told = " ".join(budget_notes(with_items(cost, [GRANT], seed=1), SPEC))
    assert "prevention grant ends on 2028-03-31: nothing comes in from 2028-29 on, 300,000 GBP a year less than in 2027-28." in told
    open_ended = Grant(name="other", line="team", years={"2026-27": 1e5})
    told = " ".join(budget_notes(with_items(cost, [open_ended], seed=1), SPEC))
    assert "other: no amount is given for '2027-28', '2028-29', so nothing is counted on." in told
    lost = " ".join(budget_notes(with_items(cost, [open_ended.model_copy(update={"line": "teem"})], seed=1), SPEC))
    assert "Of a line that the budget does not have, and so not in its total: 'other (teem)'." in lost
