"""One fault of a scenario, its message."""

import pytest
from planning_cases import change, effects, forecast, number
from pydantic import ValidationError

from demand.errors import ScenarioError
from demand.scenario import Change, Scenario, WhatIf, apply, compare

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
        ({"to": {"type": "bnb"}}, "'to' belongs to effect: shift and effect: moves and effect: cap"),
        ({"effect": "stay", "to": {"type": "bnb"}}, "'to' belongs to effect: shift"),
        ({"effect": "entries", "size": number(5, unit="households")}, "'effect: entries' needs a size in 'ratio'"),
        ({"start": "2027-04", "end": "2027-03"}, "'end' 2027-03-31 is before 'start' 2027-04-01"),
        ({"ramp_months": 6}, "'ramp_months' needs a 'start'"),
        ({"ramp_months": -1, "start": "2027-04"}, "greater than or equal to 0"),
        ({"size": number(12, unit="people")}, "needs a size in 'ratio'"),
        ({"size": number(0.5, -0.1, 0.9)}, "cannot have a size below zero"),
        ({"effect": "shift", "to": {"type": "bnb"}, "size": number(0.9, 0.8, 1.2)}, "a share that moves cannot be above 1"),
        ({"start": "2027-13"}, "month"),
        ({"effect": "rate", "size": number(0.65)}, "'effect: rate' needs it"),
        ({"rate_now": number(0.5)}, "'rate_now' belongs to 'effect: rate'"),
        ({"effect": "rate", "size": number(0.65, 0.6, 1.2), "rate_now": number(0.5)}, "a rate cannot be above 1"),
        ({"effect": "rate", "size": number(0.65), "rate_now": number(1)}, "'rate_now' leaves nobody to count"),
        ({"effect": "rate", "size": number(0.65), "rate_now": number(55)}, "'rate_now' lies between 0 and 1, not between 55 and 55"),
        ({"counts": "failures"}, "'counts' belongs to effect: rate"),
        ({"effect": "level", "size": number(1), "between": "area"}, "'towards' belongs to 'effect: level'"),
        ({"effect": "level", "size": number(1, 0.5, 1.1), "between": "area", "towards": "lowest"}, "the share of a gap that is closed"),
        ({"elasticity": number(0.5)}, "'elasticity' belongs to effect: driver"),
        ({"household_size": number(2, unit="people/household")}, "'household_size' belongs to effect: add and effect: cap"),
        ({"effect": "add", "size": number(5, unit="people"), "household_size": number(2)}, "'household_size' is in 'people/household'"),
        ({"delay": number(3, unit="months")}, "'delay' needs a 'start'"),
        ({"delay": number(3, unit="weeks"), "start": "2027-04"}, "'delay' is in 'months', not 'weeks'"),
        ({"probability": number(60, unit="percent")}, "'probability' is a 'ratio', not 'percent'"),
        ({"probability": number(60)}, "'probability' lies between 0 and 1"),
        ({"variants": {"a": {"probability": 0.5, "size": number(1)}}}, "either a 'size', or 'variants'"),
        ({"effekt": "multiply"}, "Extra inputs are not permitted"),
    ],
)
def test_a_change_that_cannot_be(settings, message) -> None:
    with pytest.raises(ValidationError, match=message.replace("(", r"\(")):
        change(**settings)


def test_variants_that_cannot_be() -> None:
    most = {"a": {"probability": 0.7, "size": number(1)}, "b": {"probability": 0.4, "size": number(1)}}
    with pytest.raises(ValidationError, match="come to more than 1"):
        Change(name="v", effect="multiply", variants=most)
    mixed = {"a": {"probability": 0.5, "size": number(1, unit="people")}, "b": {"probability": 0.4, "size": number(1, unit="households")}}
    with pytest.raises(ValidationError, match="the variants of 'v' have different units"):
        Change(name="v", effect="add", variants=mixed)
    with pytest.raises(ValidationError, match="either a 'size', or 'variants'"):
        Change(name="v", effect="add")


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
        (change(effect="level", size=number(1), between="aera", towards="lowest"), "'aera' is not a key of the data. Known: 'area', "
         "'type'. Did you mean 'area'?"),
        (change(effect="level", size=number(1), between="area", towards="lowest", where={"area": "North"}), "there is one group only"),
        (change(effect="level", size=number(1), between="area", towards="lowest", per="people"), "no population 'people' is known"),
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


LONGER, _ = forecast(draws=5, ahead=34)
OTHER, _ = forecast(draws=5, mean=31)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (WhatIf(LONGER, (scenario(change()),), 1), "another horizon: 33 and 34"),
        (WhatIf(DRAWS, (scenario(change()),), 2), "another seed: 1 and 2"),
        (WhatIf(DRAWS, (scenario(change()),), 1, version="0.2.0"), "another version: 0.1.0 and 0.2.0"),
        (WhatIf(DRAWS[::-1], (scenario(change()),), 1), "another list of series"),
        (WhatIf(DRAWS.assign_attrs(fingerprint="new"), (scenario(change()),), 1), "another baseline: test and new"),
        (WhatIf(OTHER, (scenario(change()),), 1), "other possible futures where nothing is changed"),
        (WhatIf(DRAWS, (scenario(change()),), 1), "'early_halp' is not a scenario of the run that is compared with"),
    ],
)
def test_runs_that_cannot_be_compared(other, message) -> None:
    version = other.version and "0.1.0"
    name = "early_halp" if "halp" in message else "early_help"
    with pytest.raises(ScenarioError, match=message):
        compare(WhatIf(DRAWS, (scenario(change()),), 1, version=version), "baseline", name, other=other, history=HISTORY)
