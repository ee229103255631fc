"""The library of scenarios: each has its passport, is not out of date, and can be applied to the example council's series."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.data.example_council import KEYS
from demand.data.example_truth import AREAS, PLANS
from demand.errors import SettingsError
from demand.scenario import Scenario, apply, compare, standing
from demand.scenario.case import WhatIf
from demand.tables import make_draws
from pipelines.config import load_config
from pipelines.reading import library, read_scenario

SERVICES = {
    "homelessness_act_2026": ["homelessness"],
    "profit_removal_children": ["children"],
    "local_housing_allowance": ["homelessness"],
    "real_living_wage": ["adult_care"],
    "population_variants": ["homelessness", "children", "adult_care"],
}


def scenario(name: str) -> Scenario:
    return Scenario.model_validate({"name": name, **read_scenario(name)})


def draws_of(service: str):
    """Five years of made draws with the series of the example council."""
    plan = PLANS[service]
    rows = [(plan.front, plan.front_type, area, "flow") for area in AREAS]
    rows += [(plan.stock, kind, area, "stock") for kind in plan.prices for area in AREAS]
    table = pd.DataFrame(rows, columns=[*KEYS, "kind"]).assign(unit=plan.unit)
    table.index = pd.Index(table[KEYS].agg("/".join, axis=1), name="unique_id")
    frequency = Frequency("M")
    ds = frequency.after(pd.Timestamp("2026-03-01"), 60)
    values = np.random.default_rng(1).poisson(30, (len(table), len(ds), 200))
    return make_draws(values, table, ds, frequency=frequency, cutoff=pd.Timestamp("2026-03-01"), seed=1, fingerprint="made")


def test_every_file_is_tried_here() -> None:
    assert set(library()) == set(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_each_says_where_it_comes_from_and_what_is_a_placeholder(name: str) -> None:
    found = scenario(name)
    for key in ("question", "rationale", "source", "status"):
        assert getattr(found, key), f"{name} has no {key}"
    assert found.question.endswith("?")
    assert found.as_of is not None
    assert found.expires is not None
    numbers = [n for c in found.changes for n in (*c.sizes, c.delay, c.probability, c.rate_now, c.elasticity) if n is not None]
    assert numbers
    for number in numbers:
        assert number.low < number.value < number.high or number.low == 0 or number.low == 1, number
        assert number.placeholder == number.source.startswith("Placeholder"), number.source
        assert number.review_by is not None
        assert number.review_by <= found.expires


@pytest.mark.parametrize("name", SERVICES)
def test_none_is_out_of_date(name: str) -> None:
    """Read the clock on purpose: when this fails, look whether the law or the figures have moved, then move the date."""
    assert not any("looked at again" in note for note in standing([scenario(name)], date.today())), (
        f"configs/scenarios/{name}.yaml must be looked at again"
    )


def test_one_that_is_out_of_date_is_said() -> None:
    status, old = standing([scenario("homelessness_act_2026")], date(2030, 1, 1))
    assert status.startswith("The scenario 'homelessness_act_2026': Act of 1 April 2026, not in force")
    assert "'homelessness_act_2026' was to be looked at again by 2027-05-31" in old


@pytest.mark.parametrize(("name", "service"), [(name, service) for name, services in SERVICES.items() for service in services])
def test_each_changes_the_example_council(name: str, service: str) -> None:
    draws, found = draws_of(service), scenario(name)
    demand, applied = apply(draws, [found], seed=1)
    assert set(applied["change"]) == {c.name for c in found.changes}
    assert float(abs(demand[1] - demand[0]).max()) > 0
    table = compare(WhatIf(draws, (found,), 1), "baseline", name)
    for _, rows in table.groupby(["financial_year", "measure"]):
        assert rows["amount"].sum() == pytest.approx(rows["to_total"].iloc[0] - rows["from_total"].iloc[0], abs=1e-6)


@pytest.mark.parametrize(("name", "service"), [(name, services[0]) for name, services in SERVICES.items()])
def test_each_can_be_taken_into_a_config_by_its_name(name: str, service: str) -> None:
    config, _ = load_config(f"example:{service}", changes=[f"scenarios.mine=library:{name}"])
    assert config.scenarios["mine"].changes == scenario(name).changes
    assert config.scenarios["mine"].name == "mine"


def test_one_that_is_not_there_is_said_with_the_nearest() -> None:
    with pytest.raises(
        SettingsError, match=r"scenarios > mine: 'library:homelesness_act' is not a scenario.*Did you mean 'homelessness_act_2026'"
    ):
        load_config("example:homelessness", changes=["scenarios.mine=library:homelesness_act"])
    with pytest.raises(SettingsError, match="the library has no scenario 'x'"):
        read_scenario("x")


def test_the_parts_of_the_act_begin_together_in_each_possible_future() -> None:
    first, second, third = (c.delay for c in scenario("homelessness_act_2026").changes)
    draws = [d.draw(200, seed=1, name=str(i)) for i, d in enumerate((first, second, third))]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert (draws[2] >= draws[0] - 1e-9).all()
