"""One fault of a scenario, its message."""

import pytest
from planning_cases import change, effects, forecast, number
from pydantic import ValidationError

from demand.errors import ScenarioError
from demand.scenario import Scenario, WhatIf, apply, compare

DRAWS, HISTORY = forecast(draws=5)
MIXED, _ = forecast(draws=5, kind=["flow", "flow", "stock", "stock"])


def scenario(*changes, **more):
    return Scenario(name="early_help", changes=changes, **more)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"effect": "driver"}, "'effect: driver' needs it"),
        ({"driver": "rents"}, "'driver' belongs to 'effect: driver'"),
        ({"effect": "shift"}, "'effect: shift' needs it"),
        ({"to": {"type": "bnb"}}, "'to' belongs to 'effect: shift'"),
        ({"start": "2027-04", "end": "2027-03"}, "'end' 2027-03-31 is before 'start' 2027-04-01"),
        ({"ramp_months": 6}, "'ramp_months' needs a 'start'"),
        ({"ramp_months": -1, "start": "2027-04"}, "greater than or equal to 0"),
        ({"size": number(12, unit="people")}, "needs a size in 'ratio'"),
        ({"size": number(0.5, -0.1, 0.9)}, "cannot have a size below zero"),
        ({"effect": "shift", "to": {"type": "bnb"}, "size": number(0.9, 0.8, 1.2)}, "a share that moves cannot be above 1"),
        ({"start": "2027-13"}, "month"),
        ({"effekt": "multiply"}, "Extra inputs are not permitted"),
    ],
)
def test_a_change_that_cannot_be(settings, message) -> None:
    with pytest.raises(ValidationError, match=message.replace("(", r"\(")):
        change(**settings)


def test_the_baselines_name_is_taken_and_changes_have_names_of_their_own() -> None:
    with pytest.raises(ValidationError, match="'baseline' is the name of the forecast as it is"):
        Scenario(name="baseline")
    with pytest.raises(ValidationError, match="two changes are called 'fewer'"):
        scenario(change(), change())


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (change(where={"area": "Nortth"}), "scenarios > early_help > changes[0].where.area: 'Nortth' matches no series. "
         "Known: 'North', 'South'. Did you mean 'North'?"),
        (change(where={"aera": "North"}), "'aera' is not a key of the data. Known: 'unique_id', 'area', 'type'. Did you mean 'area'?"),
        (change(effect="add", size=number(5, unit="people")), "the unit 'people' does not fit. These series count 'household'."),
        (change(effect="add", size=number(5, unit="households/month")), "a stock has no size per month. Write 'household'."),
        (change(effect="cap", size=number(5, unit="households/area")), "the unit 'households/area' is not a number."),
        (change(effect="driver", driver="rents", size=number(1.1)), "no effects of drivers are known, so what 'rents'"),
        (change(effect="shift", where={"type": "bnb"}, to={"type": "hotel"}), "changes[0].to.type: 'hotel' matches no series."),
        (change(effect="shift", where={"type": "bnb"}, to={"type": "bnb"}), "people who leave 'North/bnb' have nowhere to go."),
    ],
)  # fmt: skip
def test_a_change_that_does_not_fit_the_forecast(made, message) -> None:
    with pytest.raises(ScenarioError) as error:
        apply(DRAWS, [scenario(made)], seed=1)
    assert message in str(error.value)


def test_an_unknown_driver_and_effects_of_another_forecast() -> None:
    with pytest.raises(ScenarioError, match=r"'rent' is not a driver of this forecast\. Known: 'rents'\. Did you mean"):
        apply(DRAWS, [scenario(change(effect="driver", driver="rent", size=number(1.1)))], seed=1, effects=effects(DRAWS))
    few = effects(DRAWS)[lambda t: t["draw"] < 4]
    with pytest.raises(ScenarioError, match="have 4 draws, or holes; the forecast has 5 draws"):
        apply(DRAWS, [scenario(change(effect="driver", driver="rents", size=number(1.1)))], seed=1, effects=few)


def test_flows_and_stocks_are_not_taken_together() -> None:
    with pytest.raises(ScenarioError, match="flows and stocks are taken together"):
        apply(MIXED, [scenario(change(effect="cap", size=number(5, unit="households")))], seed=1)
    with pytest.raises(ScenarioError, match="people who leave 'North/bnb' have nowhere to go"):
        apply(MIXED, [scenario(change(effect="shift", where={"area": "North"}, to={"area": "South"}))], seed=1)


def test_changes_that_meet_need_a_rule() -> None:
    one, other = change("one", where={"area": "North"}, start="2027-04"), change("other", where={"type": "bnb"}, start="2027-10")
    with pytest.raises(ScenarioError) as error:
        apply(DRAWS, [scenario(one, other)], seed=1)
    assert "both act on 'North/bnb' from 2027-10-01. Say 'together: multiply'" in str(error.value)
    apply(DRAWS, [scenario(one, change("after", where={"type": "bnb"}, start="2027-04", end="2027-09"), together="add")], seed=1)
    ended = change("one", where={"area": "North"}, start="2027-04", end="2027-09")
    apply(DRAWS, [scenario(ended, other)], seed=1)


def test_combinations_that_cannot_be() -> None:
    with pytest.raises(ScenarioError, match=r"> combines: 'erly' is not a scenario\. Known: 's', 'early'\. Did you mean 'early'\?"):
        apply(DRAWS, [Scenario(name="s", combines=("erly",)), Scenario(name="early")], seed=1)
    with pytest.raises(ScenarioError, match="'a' combines itself"):
        apply(DRAWS, [Scenario(name="a", combines=("b",)), Scenario(name="b", combines=("a",))], seed=1)
    with pytest.raises(ScenarioError, match="two scenarios are called 'a'"):
        apply(DRAWS, [Scenario(name="a"), Scenario(name="a")], seed=1)


def test_all_faults_of_all_scenarios_come_at_once_and_once() -> None:
    a = Scenario(name="a", changes=(change("x", where={"area": "Nrth"}), change("y", where={"type": "bbn"})))
    b = Scenario(name="b", combines=("a",), changes=(change("z", where={"colour": "red"}),))
    with pytest.raises(ScenarioError) as error:
        apply(DRAWS, [a, b], seed=1)
    assert len(error.value.faults) == 3


def test_a_waterfall_to_nowhere() -> None:
    with pytest.raises(ScenarioError, match="'b' is not a scenario"):
        compare(WhatIf(DRAWS, (scenario(change()),), 1), "baseline", "b", history=HISTORY)
