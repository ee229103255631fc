"""Reading configs: what travels with the package loads, settings can be changed, the schema is the one that is stored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from demand.assumptions import numbers_in, with_numbers
from demand.budget import FixedCost
from demand.errors import SettingsError
from pipelines.config import RunConfig, example_configs, load_config
from pipelines.schema import schema


@pytest.mark.parametrize("name", sorted(example_configs()))
def test_every_config_that_travels_loads(name: str) -> None:
    config, _folder = load_config(f"example:{name}")
    assert config.name
    assert config.heading


def test_an_unknown_example_is_named_with_the_nearest() -> None:
    with pytest.raises(SettingsError, match="Did you mean 'homelessness'"):
        load_config("example:homelesness")


def test_settings_can_be_changed_from_outside() -> None:
    config, _folder = load_config("example:homelessness", changes=["forecast.horizon=24", "report.audience=public"])
    assert config.forecast is not None
    assert config.forecast.horizon == 24
    assert config.report.audience == "public"


@pytest.mark.parametrize("change", ["forecast.horizon", "=3", "name.first=x"])
def test_a_change_that_changes_nothing_is_refused(change: str) -> None:
    with pytest.raises(SettingsError):
        load_config("example:homelessness", changes=[change])


def test_the_stored_schema_is_the_one_of_the_settings(root: Path) -> None:
    stored = json.loads((root / "configs" / "schema.json").read_text(encoding="utf-8"))
    assert stored == json.loads(json.dumps(schema())), "configs/schema.json is old: run `make schema`"


def test_every_key_of_the_schema_says_what_it_means() -> None:
    silent = [
        f"{name}.{key}"
        for name, part in schema()["$defs"].items()
        for key, about in part.get("properties", {}).items()
        if not about.get("description") and "$ref" not in about and key not in ("value",)
    ]
    assert silent == []


def test_yaml_is_read_as_its_version_1_2(tmp_path: Path) -> None:
    path = tmp_path / "no.yaml"
    path.write_text("name: no\ndata:\n  history: {path: x.csv, frequency: M, value: y}\n", encoding="utf-8")
    config, _folder = load_config(path)
    assert config.name == "no"
    assert config.data.history is not None
    assert config.data.history.value == "y"


ENTRY = "{{value: {0}, low: {0}, high: {0}, unit: {1}, source: a test, as_of: 2026-03-31, owner: tests}}"


def test_what_the_example_shows_of_grants_income_and_savings_loads_and_counts_under_combinations(tmp_path: Path) -> None:
    text = example_configs()["homelessness"].read_text(encoding="utf-8")
    shown = text[text.index("# grants:") : text.index("# The money that is set aside")]
    plain = "\n".join(line.removeprefix("# ") for line in shown.splitlines())
    units = {"lha_2011_one_bed": (80, "GBP/household/week"), "entitled": (0.85, "ratio"), "team_of_four": (2e5, "GBP/year"),
             "hostel_a_year": (4e5, "GBP/year")}  # fmt: skip
    entries = "\n".join(f"  {name}: {ENTRY.format(*about)}" for name, about in units.items())
    path = tmp_path / "shown.yaml"
    path.write_text(f"{text.replace(shown, '')}\n{plain}\nassumptions:\n{entries}\n", encoding="utf-8")
    config = load_config(path)[0]
    assert RunConfig.model_validate(config.model_dump(mode="json")).items == config.items
    items = {item.name: item for item in config.items}
    assert [item.kind for item in items.values()] == ["grant", "income", "fixed", "step", "saving"]
    assert items["early help team"].scenarios == ["early_help", "all_together"]
    assert items["move on faster"].scenarios == []


def test_what_prevention_may_do_is_in_the_ledger_and_can_be_replaced() -> None:
    config = load_config("example:homelessness")[0]
    numbers = dict(numbers_in(config.numbers()["allocation"]))
    assert list(numbers) == ["more early help: avoids", "more early help: half", "more early help: lag"]
    new = numbers["more early help: lag"].model_copy(update={"value": 10.0})
    changed = with_numbers(config.allocation, {"more early help: lag": new})
    assert changed.prevention[0].lag == new
    assert changed.prevention[0].avoids == numbers["more early help: avoids"]


def test_people_do_not_travel_to_a_cluster() -> None:
    with pytest.raises(SettingsError, match="learns from single people") as told:
        load_config("example:children", changes=["compute.dask=tcp://10.0.0.1:8786"])
    assert "tcp://10.0.0.1:8786" in str(told.value)
    assert load_config("example:homelessness", changes=["compute.dask=tcp://10.0.0.1:8786"])[0].compute.dask


def test_two_numbers_of_one_name_are_refused_since_a_workbook_could_not_tell_them_apart() -> None:
    config = load_config("example:homelessness")[0]
    cost = config.costs[0]
    number = cost.amount.model_copy(update={"unit": "GBP/year"})
    fields = {name: getattr(config, name) for name in RunConfig.model_fields}
    fixed = FixedCost(name=cost.name, line=config.budget.lines[0].name, amount=number)
    with pytest.raises(ValueError, match=f"two numbers are called '{cost.name}: amount'"):
        RunConfig.model_validate({**fields, "fixed_costs": [fixed]})
    assert RunConfig.model_validate({**fields, "fixed_costs": [fixed.model_copy(update={"name": "another"})]}).items
