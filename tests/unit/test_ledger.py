"""The ledger: numbers by name, marked when they are old, said when nobody uses or answers for them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from planning_cases import PASSPORT, change, number, weekly_prices

from demand.assumptions import COLUMNS, ledger, ledger_notes, numbers_in
from demand.errors import SettingsError
from demand.scenario import Scenario
from demand.spec import Assumption
from pipelines.config import RunConfig, load_config
from pipelines.reading import read_config

CONFIG = """
name: by_name
data: {history: {path: x.csv, frequency: M}}
forecast: {horizon: 12}
scenarios:
  fewer: {changes: [{name: fewer entries, effect: multiply, size: success}]}
costs: [{name: place, amount: week_of_a_place, uplift: real_living_wage_growth}]
"""
LEDGER = """
success: {value: 0.9, low: 0.8, high: 0.95, unit: ratio, source: pilot, as_of: 2026-03-31, owner: housing, review_by: 2026-06-30}
week_of_a_place: {value: 400, low: 380, high: 450, unit: GBP/household/week, source: contract, as_of: 2026-03-31, owner: finance}
nobody_asks: {value: 1, low: 1, high: 1, unit: ratio, source: pilot, as_of: 2026-03-31, owner: housing}
"""


def load(folder: Path, config: str, files: dict[str, str]) -> RunConfig:
    for name, text in {"config.yaml": config, **files}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return load_config(folder / "config.yaml")[0]


@pytest.fixture
def config(tmp_path: Path) -> RunConfig:
    return load(tmp_path, CONFIG + "assumptions: ledger.yaml", {"ledger.yaml": LEDGER})


def test_a_name_stands_for_the_number_of_the_ledger(config: RunConfig) -> None:
    assert config.scenarios["fewer"].changes[0].size == config.assumptions["success"]
    assert config.costs[0].amount.value == 400
    assert config.costs[0].uplift is not None
    assert config.costs[0].uplift.value == 0.05  # of the ledger that travels with the package


def test_a_ledger_in_the_config_says_the_same(config: RunConfig, tmp_path: Path) -> None:
    inside = CONFIG + "assumptions:\n" + "".join(f"  {line}\n" for line in LEDGER.strip().splitlines())
    assert load(tmp_path, inside, {}).fingerprint == config.fingerprint


def test_an_entry_of_ones_own_comes_before_the_one_that_travels(tmp_path: Path) -> None:
    own = "real_living_wage_growth: {value: 0.1, low: 0.1, high: 0.1, unit: per year, source: s, as_of: 2026-03-31, owner: o}\n"
    found = load(tmp_path, CONFIG + "assumptions: ledger.yaml", {"ledger.yaml": LEDGER + own})
    assert found.costs[0].uplift is not None
    assert found.costs[0].uplift.value == 0.1


def test_the_table_tells_the_entry_and_marks_what_is_past_its_review(config: RunConfig) -> None:
    table = ledger(config.numbers(), as_of=date(2026, 7, 1), entries=config.assumptions).set_index("name")
    assert table.reset_index().columns.tolist() == COLUMNS
    assert table["entry"].to_dict() == {"place: amount": "week_of_a_place", "place: uplift": "", "fewer: fewer entries": "success"}
    assert table["overdue"].to_dict() == {"place: amount": False, "place: uplift": False, "fewer: fewer entries": True}
    assert table.loc["place: uplift", "moves_with"] == "inflation 0.6"
    before = ledger(config.numbers(), as_of=date(2026, 6, 30))
    assert not before["overdue"].any()


def test_the_notes_say_what_is_old_not_answered_for_and_not_used() -> None:
    old, hollow = number(0.9, 0.8, 0.95, review_by="2026-06-30"), number(0.9, placeholder=True)
    scenario = Scenario(name="s", changes=(change("old", size=old), change("hollow", size=hollow)))
    notes = ledger_notes(ledger({"scenarios": [scenario]}, as_of=date(2027, 1, 1)), ["spare"])
    assert notes == (
        "'s: old' was to be reviewed by 2026-06-30: ask tests for a new figure.",
        "'s: hollow': a placeholder that nobody has answered for yet.",
        "'spare' of the ledger: used nowhere.",
    )


def test_every_number_of_a_part_is_found_whatever_holds_it() -> None:
    assert [name for name, _ in numbers_in({"a": [weekly_prices()[0]]})] == ["a: bed and breakfast: amount", "a: bed and breakfast: uplift"]


def test_the_ledger_that_travels_holds(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(CONFIG, encoding="utf-8")
    shipped = read_config(str(tmp_path / "c.yaml")).shipped
    for name, entry in shipped.items():
        found = Assumption.model_validate(entry)
        assert found.review_by is not None, name
        assert found.placeholder == ("placeholder" in found.source.casefold()), (
            f"{name}: says placeholder in its source, or is marked as one"
        )


@pytest.mark.parametrize(
    ("config", "ledger_text", "messages"),
    [
        (CONFIG, LEDGER.replace("success:", "sucess:"), ["config.yaml > scenarios > fewer > changes[0] > size", "Did you mean 'sucess'?"]),
        (CONFIG, LEDGER.replace("source: pilot, ", "", 1), ["ledger.yaml > assumptions > success > source: this key is missing"]),
        (CONFIG.replace("week_of_a_place", "weak_of_a_place").replace("size: success", "size: succes"), LEDGER,
         ["2 faults", "Did you mean 'success'?", "Did you mean 'week_of_a_place'?"]),
        (CONFIG, LEDGER + "extra: {value: 1, lo: 1}", ["ledger.yaml > assumptions > extra"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_once_with_the_nearest_name(tmp_path: Path, config: str, ledger_text: str, messages: list[str]) -> None:
    with pytest.raises(SettingsError) as error:
        load(tmp_path, config + "assumptions: ledger.yaml", {"ledger.yaml": ledger_text})
    for message in messages:
        assert message in str(error.value)
    assert str(error.value).count("this key is missing") <= 1 or "extra" in ledger_text


def test_a_ledger_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"there is no file 'ledgr\.yaml'"):
        load(tmp_path, CONFIG + "assumptions: ledgr.yaml", {})


def test_a_name_outside_of_a_config_needs_a_ledger() -> None:
    with pytest.raises(ValueError, match="There is no ledger of them"):
        Assumption.model_validate("success")
    assert Assumption.model_validate({"value": 1, "low": 1, "high": 1, "unit": "ratio", **PASSPORT}).value == 1


def test_an_entry_is_one_number_wherever_its_name_is_written(tmp_path: Path) -> None:
    two = CONFIG.replace("costs: [", "costs: [{name: another, amount: week_of_a_place, where: {type: hostel}}, ")
    found = load(tmp_path, two + "assumptions: ledger.yaml", {"ledger.yaml": LEDGER})
    one, other = (c.amount.draw(200, seed=1, name=f"price {c.name}") for c in found.costs)
    assert (one == other).all()
    assert one.std() > 0
    size = found.scenarios["fewer"].changes[0].size
    assert size is not None
    assert abs(np.corrcoef(one, size.draw(200, seed=1, name="change"))[0, 1]) < 0.3
    assert RunConfig.model_validate(found.model_dump(mode="json")) == found
