"""The configs of the example say what the example council says: prices, budgets, units, selectors, events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from demand.budget import BudgetSpec, UnitCost
from demand.data.example import Council, example_council
from demand.forecast import ForecastSpec
from demand.scenario import Scenario
from demand.segments.find import SegmentSpec
from demand.tables import match

SERVICES = ("homelessness", "children", "adult_care")
CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture(scope="module")
def council() -> Council:
    return example_council()


def config(service: str) -> dict[str, Any]:
    return dict(YAML(typ="safe").load(CONFIGS / f"{service}.yaml"))


@pytest.mark.parametrize("service", SERVICES)
def test_a_config_runs_on_its_own_service(service: str) -> None:
    told = config(service)
    assert told["name"] == service
    assert told["data"] == {"example": {"name": "council", "service": service, "size": "standard", "seed": 2026}}


@pytest.mark.parametrize("service", SERVICES)
def test_prices_are_those_of_the_council(service: str, council: Council) -> None:
    costs = [UnitCost.model_validate(c) for c in config(service)["costs"]]
    ours = council.prices[service]
    assert {c.where["type"][0]: c.amount for c in costs} == ours
    assert all(c.uplift == council.uplifts[service] for c in costs)


@pytest.mark.parametrize("service", SERVICES)
def test_the_budget_is_that_of_the_council(service: str, council: Council) -> None:
    told = BudgetSpec.model_validate(config(service)["budget"])
    ours = council.budget[council.budget["service"] == service]
    assert [(line.name, y, v) for line in told.lines for y, v in line.years.items()] == list(
        ours[["line", "financial_year", "budget"]].itertuples(index=False, name=None)
    )


@pytest.mark.parametrize("service", SERVICES)
def test_every_series_has_one_price_and_one_line(service: str, council: Council) -> None:
    series, told = council.history(service).series, config(service)
    for what in (told["costs"], BudgetSpec.model_validate(told["budget"]).lines):
        wheres = [UnitCost.model_validate(w).where if isinstance(w, dict) else w.where for w in what]
        assert (sum(match(series, w, at="test").astype(int) for w in wheres) == 1).all()


@pytest.mark.parametrize("size", ["tiny", "standard"])
@pytest.mark.parametrize("service", SERVICES)
def test_scenarios_and_events_mean_series_that_exist_at_every_size(service: str, size: str) -> None:
    council, told = example_council(size=size), config(service)
    series, drivers = council.history(service).series, set(council.drivers(service)["name"])
    scenarios = [Scenario.model_validate({"name": n, **s}) for n, s in told["scenarios"].items()]
    assert len(scenarios[-1].combines) == 3
    for change in [c for s in scenarios for c in s.changes]:
        meant = series[match(series, change.where, at=change.name)]
        assert change.driver is None or change.driver in drivers
        for _, one in meant.iterrows() if change.to else ():
            keys = {**one[council.keys(service)], **{k: v[0] for k, v in (change.to or {}).items()}}
            assert (series[list(keys)] == keys).all(axis=1).sum() == 1
    events = ForecastSpec.model_validate(told["forecast"]).events
    assert [(e["start"], e["kind"]) for e in council.events] == [(f"{e.start:%Y-%m}", e.kind) for e in events]
    for event in events:
        match(series, event.where, at=event.name)


@pytest.mark.parametrize("service", SERVICES)
def test_segments_use_known_attributes_and_other_sections_are_valid(service: str, council: Council) -> None:
    told = config(service)
    spec = SegmentSpec.model_validate(told["segments"])
    assert set(spec.features) <= set(council.attributes(service))
    assert told["disclosure"]["policy"].startswith("wales")
    assert set(told["report"]) <= {"languages", "audience", "names", "names_in"}
    text = (CONFIGS / f"{service}.yaml").read_text(encoding="utf-8")
    assert "*" not in text.replace("# ", "")
    assert max(map(len, text.splitlines())) <= 140
