"""One fault of a price, a line or an envelope, its message."""

import pandas as pd
import pytest
from planning_cases import forecast, number, unit_cost, weekly_prices
from pydantic import TypeAdapter, ValidationError

from demand.budget import (
    BudgetLine,
    BudgetSpec,
    FixedCost,
    FixedTotal,
    Grant,
    IncomeRule,
    Saving,
    StepCost,
    UnitCost,
    allocate,
    budget_table,
    pence,
    price,
    with_items,
)
from demand.budget.allocation import AllocationSpec, Bounds
from demand.budget.prevention import Prevention
from demand.errors import BudgetError, DataError
from demand.scenario import apply

DRAWS, HISTORY = forecast(draws=5)
DEMAND, _ = apply(DRAWS, [], seed=1)
WEEKLY = number(400, unit="GBP/household/week")


@pytest.mark.parametrize(
    ("amount", "uplift", "message"),
    [
        (number(400, unit="households/week"), None, "is in 'households/week'. Write for example 'GBP/household/week'"),
        (number(400, unit="GBP/week"), None, "says not for whom 'place' is paid"),
        (number(400, unit="GBP/household/hour"), None, "cannot be priced"),
        (WEEKLY, number(3, unit="GBP"), "the uplift of 'place' is in 'GBP'. Write 'per year'"),
        (WEEKLY, number(0.1, -1, 0.2, "per year"), "an uplift of -1 leaves nothing of 'place'"),
        (WEEKLY, {"2027-28": number(0.1)}, "the uplift of 'place' for 2027-28 is in 'ratio'. Write 'per year'"),
        (WEEKLY, {}, "the uplift of 'place' is a path without a year"),
    ],
)
def test_a_unit_cost_that_cannot_be(amount, uplift, message) -> None:
    with pytest.raises(ValidationError, match=message):
        unit_cost("place", {}, amount, uplift=uplift)


@pytest.mark.parametrize(
    ("costs", "message"),
    [
        ([unit_cost("place", {"type": "hostle"}, WEEKLY)], "place > where.type: 'hostle' matches no series. Known: 'bnb', 'hostel'."),
        ([unit_cost("place", {}, number(400, unit="GBP/person/week"))], "a price per person ('GBP/person/week') on series of"),
        ([unit_cost("place", {}, number(400, unit="GBP/household"))], "a price without a time ('GBP/household') on a stock."),
        ([*weekly_prices(), unit_cost("again", {"area": "North"}, WEEKLY)], "'North/hostel' already cost 'bed and breakfast'."),
        ([unit_cost("place", {}, WEEKLY), unit_cost("place", {}, WEEKLY)], "two unit costs are called 'place'"),
        ([unit_cost("place", {}, number(400, unit="GBP/person/week"))], "Or say how many one household is: size, in 'person/household'"),
        ([unit_cost("place", {}, number(9, unit="GBP/person/week"), size=number(2, unit="person/family"))], "a price per family"),
        ([unit_cost("place", {}, WEEKLY, uplift={"2027-29": number(0, unit="per year")})], "place > uplift: '2027-29' is not a financial"),
    ],
)  # fmt: skip
def test_a_price_that_does_not_fit_the_forecast(costs, message) -> None:
    with pytest.raises(BudgetError) as error:
        price(DEMAND, costs, seed=1, history=HISTORY)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"uplift_on": "30 February"}, "'30 February' is not a day that every year has. Write for example '1 July'."),
        ({"uplift_on": "29 February"}, "'29 February' is not a day that every year has."),
        ({"size": number(2, unit="room/household")}, r"the size of 'place' is in 'room/household', and its price per household"),
        ({"weeks": 5}, "greater than or equal to 52"),
        ({"amount": number(9, unit="GBP/household/night"), "weeks": 52}, "says how many weeks a year has, and has no price per week"),
    ],
)
def test_a_price_that_cannot_be(more, message) -> None:
    with pytest.raises(ValidationError, match=message):
        UnitCost.model_validate({"name": "place", "amount": WEEKLY, **more})


def test_a_flow_has_no_price_per_week() -> None:
    draws, history = forecast(kind="flow", draws=5)
    with pytest.raises(BudgetError, match=r"a price per week on a flow.*count who came, not how long they stayed"):
        price(apply(draws, [], seed=1)[0], weekly_prices(), seed=1, history=history)


def test_a_history_that_does_not_lead_to_the_forecast() -> None:
    with pytest.raises(DataError, match="the forecast begins on 2026-07-01, and the last period of the history on 2026-05-01"):
        price(DEMAND, weekly_prices(), seed=1, history=HISTORY.until(pd.Timestamp("2026-05-01")))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([BudgetLine(name="B&B", where={"type": "bmb"})], "budget > lines > B&B > where.type: 'bmb' matches no series."),
        ([BudgetLine(name="all"), BudgetLine(name="North", where={"area": "North"})], "already belong to 'all'."),
        ([BudgetLine(name="all", years={"2030-31": 1e6})], "there is a budget for 2030-31, and the forecast ends before 2031-03-31."),
    ],
)
def test_a_line_that_does_not_fit_the_cost(lines, message) -> None:
    cost = price(DEMAND, weekly_prices(), seed=1, history=HISTORY)
    with pytest.raises(BudgetError) as error:
        budget_table(cost, BudgetSpec(lines=tuple(lines)))
    assert message in str(error.value)


def test_a_line_without_a_price_and_years_that_begin_elsewhere() -> None:
    cost = price(DEMAND, weekly_prices()[:1], seed=1, history=HISTORY)
    with pytest.raises(BudgetError, match="nothing in this line has a price"):
        budget_table(cost, BudgetSpec(lines=(BudgetLine(name="hostels", where={"type": "hostel"}),)))
    with pytest.raises(BudgetError, match="the budget's years begin in January"):
        budget_table(cost, BudgetSpec(year_start="January", lines=(BudgetLine(name="all", where={"type": "bnb"}),)))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([{"name": "total"}], "'total' is the name of a row that the package writes"),
        ([{"name": "a", "years": {"2026-27": -1}}], "the budget of 'a' for 2026-27 is below zero"),
        ([{"name": "a", "years": {"2026-28": 1}}], "'2026-28' is not a financial year"),
        ([{"name": "a"}, {"name": "a"}], "two budget lines are called 'a'"),
        ([{"name": "a", "floor": -5}], "greater than or equal to 0"),
        ([{"name": "a", "outturn": {"2025/26": 1}}], "a > outturn: '2025/26' is not a financial year"),
        ([{"name": "a", "tolerance": -0.1}], "greater than or equal to 0"),
    ],
)
def test_a_budget_that_cannot_be(lines, message) -> None:
    with pytest.raises(ValidationError, match=message):
        BudgetSpec.model_validate({"lines": lines})


def test_an_envelope_for_a_year_or_a_scenario_that_is_not_there() -> None:
    cost = price(DEMAND, weekly_prices(), seed=1, history=HISTORY)
    with pytest.raises(BudgetError, match="'2035-36' is not covered"):
        allocate(cost, FixedTotal(years={"2035-36": 1e6}), [BudgetLine(name="all")])
    with pytest.raises(BudgetError, match=r"'basline' is not a scenario\. Known: 'baseline'\. Did you mean 'baseline'\?"):
        allocate(cost, FixedTotal(years={"2026-27": 1e6}), [BudgetLine(name="all")], scenario="basline")


def test_pence_of_what_is_no_number() -> None:
    with pytest.raises(ValueError, match="an amount is not a number"):
        pence([float("nan")])


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([{"years": {"2026-28": 1}}], "grants > g > years: '2026-28' is not a financial year."),
        ([{"years": {"2027-28": 5}, "ends": "2027-03-31"}], "there is money for 2027-28, and the grant ends on 2027-03-31."),
        ([{"years": {}, "scenarios": "basline"}], "grants > g > scenarios: 'basline' is not a scenario. Known: 'baseline'."),
        ([{"years": {}}, {"years": {}}], "two items are called 'g'."),
    ],
)
def test_a_grant_that_does_not_fit(items, message) -> None:
    cost = price(DEMAND, weekly_prices(), seed=1, history=HISTORY)
    with pytest.raises(BudgetError) as error:
        with_items(cost, [Grant.model_validate({"name": "g", "line": "B&B", **item}) for item in items], seed=1)
    assert message in str(error.value)


INCOME = {"name": "i", "line": "B&B", "where": {"type": "bnb"}}
YEARLY = number(5, unit="GBP/year")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"rule": "housing_benefits"}, "does not match any of the expected tags: 'housing_benefit', 'contribution', 'reimbursed'"),
        ({"rule": "reimbursed", "share": number(30, unit="ratio")}, r"a share of 'i' is 30 to 30 ratio\. Write a ratio: 0\.85 is 85 %"),
        ({"rule": "contribution", "amount": WEEKLY, "cap": number(9, unit="GBP/household/night")}, "the cap of 'i' is in"),
    ],
)
def test_an_income_that_cannot_be(more, message) -> None:
    with pytest.raises(ValidationError, match=message):
        TypeAdapter(IncomeRule).validate_python({**INCOME, **more})


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"rule": "contribution", "amount": number(9, unit="GBP/person/week")},
            "income > i: a price per person ('GBP/person/week') on series",
        ),
        ({"rule": "contribution", "amount": number(9, unit="GBP/household")}, "income > i: a price without a time"),
        ({"rule": "contribution", "amount": WEEKLY, "uplift": {"2027": number(0, unit="per year")}}, "'2027' is not a financial year."),
        ({"rule": "reimbursed", "share": number(0.3), "where": {"type": "bmb"}}, "income > i > where.type: 'bmb' matches no series."),
        (
            {"rule": "reimbursed", "share": number(0.3), "where": {"type": "hostel"}},
            "income > i > where: 'North/hostel', 'South/hostel' have",
        ),
    ],
)
def test_an_income_that_does_not_fit(more, message) -> None:
    cost = price(DEMAND, weekly_prices()[:1], seed=1, history=HISTORY)
    with pytest.raises(BudgetError) as error:
        with_items(cost, [TypeAdapter(IncomeRule).validate_python({**INCOME, **more})], seed=1)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        (FixedCost, {"amount": WEEKLY}, "the amount of 'i' is in 'GBP/household/week'. Write 'GBP/year'"),
        (
            FixedCost,
            {"amount": YEARLY, "start": "2027-01-01", "end": "2026-01-01"},
            "'i' ends on 2026-01-01, before it starts on 2027-01-01",
        ),
        (FixedCost, {"amount": YEARLY, "one_off": True}, "'i' is paid once. Say when: start"),
        (StepCost, {"amount": WEEKLY, "places": 30}, "the amount of a step of 'i' is in"),
        (StepCost, {"amount": YEARLY, "places": 0}, "greater than 0"),
        (Saving, {"chance": 0.5, "owner": "head"}, "'i' needs either its amounts by 'years', or an 'amount' a year with a 'start'"),
        (Saving, {"chance": 0.5, "owner": "head", "amount": 5.0}, "'start' and 'ramp_months' belong to an 'amount' a year"),
        (Saving, {"chance": 1.5, "owner": "head", "years": {"2027-28": 5.0}}, r"the chance of 'i' is 1\.5\. Write a ratio: 0\.7"),
        (Saving, {"chance": 0.5, "owner": "head", "years": {"2027-28": -5.0}}, "an amount of 'i' is below zero"),
        (
            Saving,
            {"chance": 0.5, "owner": "head", "amount": 5.0, "start": "2027-01-01", "one_off": True},
            "'i' does not come back. Write in",
        ),
    ],
)
def test_a_cost_or_a_saving_that_cannot_be(kind, content, message) -> None:
    with pytest.raises(ValidationError, match=message):
        kind.model_validate({"name": "i", "line": "B&B", **content})


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (Saving(name="i", line="x", years={"27": 5.0}, chance=1.0, owner="head"), "savings > i > years: '27' is not a financial year."),
        (StepCost(name="i", line="x", where={"type": "bmb"}, places=3, amount=YEARLY), "step_costs > i > where.type: 'bmb' matches no"),
        (FixedCost(name="i", line="x", amount=YEARLY, uplift={"27": number(0, unit="per year")}), "fixed_costs > i > uplift: '27' is not"),
    ],
)
def test_a_cost_or_a_saving_that_does_not_fit(item, message) -> None:
    cost = price(DEMAND, weekly_prices(), seed=1, history=HISTORY)
    with pytest.raises(BudgetError) as error:
        with_items(cost, [item], seed=1)
    assert message in str(error.value)


def test_steps_of_flows_and_stocks_together() -> None:
    draws, history = forecast(kind=["flow", "stock", "flow", "stock"], draws=5)
    cost = price(apply(draws, [], seed=1)[0], [], seed=1, history=history)
    with pytest.raises(BudgetError, match="differ in their kind: 'flow', 'stock'"):
        with_items(cost, [StepCost(name="i", line="x", places=3, amount=YEARLY)], seed=1)


@pytest.mark.parametrize(
    ("amount", "message"),
    [(-5.0, "an amount of 'g' is below zero"), (number(3, unit="GBP/week"), r"an amount of 'g' is in 'GBP/week'\. Write 'GBP/year'")],
)
def test_a_grant_that_cannot_be(amount, message) -> None:
    with pytest.raises(ValidationError, match=message):
        Grant(name="g", line="B&B", years={"2026-27": amount})


def test_a_line_of_items_that_names_series() -> None:
    with pytest.raises(ValidationError, match="'team' says 'items_only', and which series are paid from it"):
        BudgetLine(name="team", where={"area": "North"}, items_only=True)


CURVE = {"avoids": number(0.2), "half": number(1e5, unit="GBP/year"), "lag": number(6, unit="month")}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({}, "either a 'total' by year or a chance to 'hold'"),
        ({"total": {"2026-27": 1}, "hold": 0.8}, "either a 'total' by year or a chance to 'hold'"),
        ({"total": {"2026-27": -1}}, "greater than or equal to 0"),
        ({"hold": 1.2}, "less than 1"),
        ({"hold": 0.8, "bounds": {"all": {"least": 5, "most": 4}}}, "'all' gets at least 5 GBP and at most 4"),
        ({"hold": 0.8, "prevention": [{"name": "a", "line": "all", "most": 1, **CURVE}] * 2}, "two programmes are called 'a'"),
    ],
)
def test_an_allocation_that_cannot_be(spec, message) -> None:
    with pytest.raises(ValidationError, match=message):
        AllocationSpec.model_validate(spec)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"avoids": number(20, unit="%")}, "'avoids' of 'early help' is in '%'. Write 'ratio'"),
        ({"avoids": number(0.2, 0.1, 1.2)}, "cannot avoid 0.1 to 1.2 of a cost. 0.15 is 15 in a hundred"),
        ({"half": number(5, unit="GBP")}, "'half' of 'early help' is in 'GBP'. Write 'GBP/year'"),
        ({"half": number(5, 0, 9, "GBP/year")}, "'half' of 'early help' has to be above zero"),
        ({"lag": number(2, unit="year")}, "'lag' of 'early help' is in 'year'. Write 'month'"),
        ({"least": 5e5}, "has to have at least 500,000 GBP and may have at most 100,000"),
    ],
)
def test_a_programme_that_cannot_be(more, message) -> None:
    with pytest.raises(ValidationError, match=message):
        Prevention.model_validate({"name": "early help", "line": "all", "most": 1e5, **CURVE, **more})


def test_an_allocation_for_lines_that_are_not_there_or_below_a_duty() -> None:
    cost = price(DEMAND, weekly_prices(), seed=1, history=HISTORY)
    asked = AllocationSpec(
        hold=0.8, bounds={"al": Bounds(), "all": Bounds(most=5)}, prevention=[Prevention(name="p", line="hostles", most=1, **CURVE)]
    )
    with pytest.raises(BudgetError) as error:
        allocate(cost, asked, [BudgetLine(name="all", floor=10)])
    assert "allocation > bounds: 'al' is not a line of the budget. Known: 'all'. Did you mean 'all'?" in str(error.value)
    assert "allocation > prevention > p: 'hostles' is not a line of the budget" in str(error.value)
    assert "allocation > bounds > all: it gets at most 5 GBP, and its floor is 10. A duty is never cut by a bound" in str(error.value)
