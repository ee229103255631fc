"""Grants and other items beside the series: net, parts of a line, notes."""

from datetime import date

import numpy as np
import pytest
from planning_cases import change, forecast, number, weekly_prices

from demand.budget import (
    BudgetLine,
    BudgetSpec,
    Contribution,
    FixedCost,
    Grant,
    HousingBenefit,
    Reimbursed,
    Saving,
    StepCost,
    budget_notes,
    budget_table,
    cost_by,
    cost_table,
    line_costs,
    price,
    risk_table,
    waterfall,
    with_items,
)
from demand.budget.income import capped_mean
from demand.scenario import Scenario, WhatIf, apply

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


def certain(value, unit="GBP/year"):
    return number(value, unit=unit)


def test_subsidy_is_the_allowance_of_2011_and_never_more_than_the_rent(cost) -> None:
    rule = {"line": "B&B", "rule": "housing_benefit", "where": {"type": "bnb"}}
    lha = certain(100, "GBP/household/week")
    open_plan = HousingBenefit(name="rooms", lha_2011=lha, self_contained=False, **rule)
    flats = HousingBenefit(name="flats", lha_2011=lha, self_contained=True, share=certain(0.5, "ratio"), **rule)
    dear = HousingBenefit(name="dear", lha_2011=certain(9999, "GBP/household/week"), self_contained=False, **rule)
    items = with_items(cost, [open_plan, flats, dear], seed=1).items
    weeks = cost.exposure.quantity(cost.demand[0].to_numpy()[[0, 2]], np.array([0, 2]), per="week").sum(axis=0)
    np.testing.assert_allclose(items.sel(item="rooms", scenario="baseline"), -100 * weeks, rtol=1e-12)
    np.testing.assert_allclose(items.sel(item="flats", scenario="baseline"), -0.5 * 90 * weeks, rtol=1e-12)
    gross = cost.years.sel(series=["North/bnb", "South/bnb"]).sum("series")
    np.testing.assert_allclose(items.sel(item="dear"), -gross, rtol=1e-12)


def test_a_contribution_has_a_cap_and_grows_into_it(cost) -> None:
    unit = "GBP/household/week"
    paid = Contribution(
        name="charge", line="hostels", rule="contribution", where={"type": "hostel"}, amount=certain(90, unit), cap=certain(100, unit),
        uplift=certain(0.08, "per year"), uplift_on="1 July", price_base=date(2026, 4, 1),
    )  # fmt: skip
    with_paid = with_items(cost, [paid], seed=1)
    weeks = cost.exposure.quantity(cost.demand[0].to_numpy()[[1, 3]], np.array([1, 3]), per="week").sum(axis=0)
    rate = -with_paid.items.sel(item="charge", scenario="baseline").to_numpy() / weeks
    assert rate[0].mean() == pytest.approx(90 * (91 / 365) + 97.2 * (274 / 365), rel=0.01)
    assert rate[2].max() == pytest.approx(100)
    assert any("charge: all are taken to pay alike" in note for note in with_paid.notes)


def test_the_mean_of_what_is_capped_is_below_the_capped_mean() -> None:
    people = np.exp(0.6 * np.random.default_rng(1).standard_normal(400_000) - 0.18) * 90
    found = capped_mean(np.array([90.0]), np.array([100.0]), 0.6)[0]
    assert found == pytest.approx(np.minimum(people, 100).mean(), rel=0.005)
    assert found < 80


def test_a_share_of_cost_is_paid_back(cost) -> None:
    health = Reimbursed(name="health", line="B&B", rule="reimbursed", where={"area": "North", "type": "bnb"}, share=certain(0.3, "ratio"))
    items = with_items(cost, [health], seed=1).items.sel(item="health")
    np.testing.assert_allclose(items, -0.3 * cost.years.sel(series="North/bnb"), rtol=1e-12)


def test_fixed_costs_are_paid_by_days_and_once_where_they_are_one_off(cost) -> None:
    team = FixedCost(name="team", line="team", amount=certain(365_000), start=date(2026, 10, 1), end=date(2028, 3, 31))
    works = FixedCost(name="works", line="team", amount=certain(5e4, "GBP"), start=date(2027, 5, 1), one_off=True)
    made = with_items(cost, [team, works], seed=1)
    assert made.items.sel(item="team", scenario="baseline")[:, 0].to_numpy().tolist() == pytest.approx([182_000, 365_000, 0])
    assert made.items.sel(item="works", scenario="baseline")[:, 0].to_numpy().tolist() == [0, 5e4, 0]
    assert made.items["recurring"].to_numpy().tolist() == [False, False]  # one is known to end, the other is paid once
    assert FixedCost(name="for good", line="team", amount=certain(1.0)).recurring
    table = budget_table(made, SPEC).set_index(["scenario", "line", "financial_year"])
    assert table.loc[("baseline", "team", "2026-27"), "gross_pence"] == 18_200_000


def test_steps_are_whole_and_follow_the_fullest_month(cost) -> None:
    hostel = StepCost(name="hostel", line="team", where={"type": "hostel"}, places=30, included=1, amount=certain(1e5))
    items = with_items(cost, [hostel], seed=1).items.sel(item="hostel", scenario="baseline")
    assert set(np.unique(items)) <= {0.0, 1e5, 2e5, 3e5, 4e5}
    last = cost.demand[0].sel(series=["North/hostel", "South/hostel"]).sum("series").to_numpy()
    ds = cost.demand["ds"].to_numpy()
    year = last[(ds >= np.datetime64("2027-04-01")) & (ds < np.datetime64("2028-04-01"))]
    np.testing.assert_array_equal(items.sel(financial_year="2027-28"), (np.ceil(year.max(axis=0) / 30) - 1) * 1e5)


def test_a_saving_is_delivered_or_not_and_grows_from_its_start(cost) -> None:
    saving = Saving(
        name="move on", line="B&B", amount=certain(120_000), start=date(2027, 4, 1), ramp_months=12, chance=0.7, owner="head of housing"
    )
    made = with_items(cost, [saving], seed=1)
    items = made.items.sel(item="move on", scenario="baseline")
    assert (items.sel(financial_year="2026-27") == 0).all()
    assert items.sel(financial_year="2027-28").min() == pytest.approx(-120_000 * 367 / 366 / 2)
    assert set(np.unique(items.sel(financial_year="2028-29"))) == {-120_000.0, 0.0}
    delivered = (items.sel(financial_year="2028-29") < 0).mean()
    assert 0.55 < delivered < 0.85
    risk = risk_table(made, SPEC).set_index(["scenario", "line", "financial_year"])
    row = risk.loc[("baseline", "saving not delivered: move on", "2028-29")]
    assert row["p_overspend"] == pytest.approx(1 - delivered)
    assert row["overspend_if_it_happens_pence"] == 12_000_000
    assert ("baseline", "saving not delivered: move on", "2026-27") not in risk.index
    told = "move on: 120,000 GBP in 2028-29 if it is delivered, which is taken to happen 70% of the time. head of housing answers for it."
    assert told in made.notes


def test_all_kinds_of_items_stand_in_their_columns(cost) -> None:
    items = [
        GRANT,
        FixedCost(name="team", line="B&B", amount=number(1e5, 9e4, 1.2e5, "GBP/year")),
        StepCost(name="staff", line="hostels", where={"type": "hostel"}, places=30, amount=number(3e4, 2e4, 4e4, "GBP/year")),
        Reimbursed(name="health", line="B&B", rule="reimbursed", where={"type": "bnb"}, share=number(0.3, 0.2, 0.4)),
        Saving(name="s", line="hostels", years={"2027-28": 5e4}, chance=number(0.5, 0.3, 0.7), owner="head", one_off=True),
    ]
    made = with_items(cost, items, seed=1)
    table = budget_table(made, SPEC)
    assert (table[["gross_pence", "income_pence", "grant_pence", "saving_pence"]].sum(axis=1) == table["expected_pence"]).all()
    sums = ["gross_pence", "income_pence", "grant_pence", "saving_pence", "expected_pence"]
    wide = table.pivot(index=["scenario", "financial_year"], columns="line", values=sums)
    for column in sums:
        assert (wide[column][["B&B", "hostels", "team"]].sum(axis=1) == wide[column]["total"]).all()
    row = table.set_index(["scenario", "line", "financial_year"]).loc[("baseline", "total", "2027-28")]
    assert row["income_pence"] < 0
    assert row["grant_pence"] < 0
    assert row["saving_pence"] < 0


def test_rules_that_together_bring_more_than_is_paid_are_told(cost) -> None:
    rule = {"rule": "reimbursed", "line": SPEC.lines[0].name, "where": SPEC.lines[0].where}
    health, schools = (Reimbursed(name=n, share=number(s), **rule) for n, s in (("health", 0.7), ("schools", 0.6)))
    assert not any("together" in note for note in budget_notes(with_items(cost, [health], seed=1), SPEC))
    told = [note for note in budget_notes(with_items(cost, [health, schools], seed=1), SPEC) if "together bring more" in note]
    assert len(told) == 1
    assert told[0].startswith(rule["line"])


def test_what_was_paid_once_before_the_years_shown_is_said(cost) -> None:
    works = FixedCost(name="works", line="team", amount=certain(5e4, "GBP"), start=date(2025, 5, 1), one_off=True)
    assert works.notes(cost) == ["works: nothing is paid within the years that are shown."]
    assert works.model_copy(update={"one_off": False}).notes(cost) == []


def test_net_stands_beside_gross_by_scenario_series_and_group_and_adds_up() -> None:
    draws, history = forecast(draws=50)
    demand, _ = apply(draws, [FEWER], seed=1)
    week = number(60, 50, 70, "GBP/household/week")
    paid = Contribution(name="charges", line="B&B", rule="contribution", where={"type": "bnb", "area": "North"}, amount=week)
    team = FixedCost(name="fewer", line="hostels", amount=number(1e5, unit="GBP/year"), start=date(2027, 10, 1), scenarios=["fewer"])
    gross = price(demand, weekly_prices(), seed=1, history=history)
    cost = with_items(gross, [GRANT, paid, team], seed=1)
    table = waterfall(WhatIf(draws, (FEWER,), 1), history=history, cost=cost)
    net = table[table["measure"] == "pounds, net"]
    assert set(net["change"]) == {"fewer", "interaction", "income: charges", "fixed: fewer"}  # the grant is the same under both
    assert not net.duplicated(["change", "financial_year"]).any()  # an item that is called as a change is has a row of its own
    whole = line_costs(cost, SPEC).sel(line="total").mean("draw")
    for year, block in net.groupby("financial_year"):
        ends = [float(whole.sel(scenario=name, financial_year=year)) for name in ("baseline", "fewer")]
        assert block["amount"].sum() == pytest.approx(ends[1] - ends[0], abs=1e-6)
        assert block[["from_total", "to_total"]].to_numpy() == pytest.approx(np.tile(ends, (len(block), 1)))
    by_series = cost_table(cost, SPEC).groupby(["scenario", "financial_year"])["net"].sum()
    by_area = cost_by(cost, "area", SPEC)
    for (scenario, year), pence in by_area.groupby(["scenario", "financial_year"])["net_pence"].sum().items():
        expected = float(whole.sel(scenario=scenario, financial_year=year))
        assert by_series[scenario, year] == pytest.approx(expected, abs=1e-6)
        assert pence == round(expected * 100)
    less = by_area.set_index(["scenario", "financial_year", "area"]).eval("expected_pence - net_pence")
    assert less["baseline", "2028-29", "South"] == 0  # charges are for the North alone
    assert less["baseline", "2028-29", "North"] > 1_000_000
    assert (waterfall(WhatIf(draws, (FEWER,), 1), history=history, cost=gross)["measure"] != "pounds, net").all()
