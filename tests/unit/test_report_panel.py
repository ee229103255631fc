"""What the page's levers are told: how they meet, in which units, and which go by whole months, in both languages."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from lever_case import tried
from planning_cases import change, number
from report_made import made

from demand.budget.levers import levers
from demand.languages import speaking
from demand.report.panel import Panel, panel_section
from demand.scenario import Scenario


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Give levers of two scenarios of which each has its own value for a change of one name, and a date that is not certain."""
    run = tried()
    late = {"start": "2027-01", "delay": number(2, 0, 6, "months")}
    scenarios = [
        Scenario(name="modest", question="?", changes=[change("early help", size=number(0.95, 0.9, 0.99))]),
        Scenario(name="bold", question="?", changes=[change("early help", size=number(0.9, 0.9, 0.99), **late)]),
        Scenario(
            name="both",
            question="?",
            together="multiply",
            changes=[
                change("fewer"),
                change("more", "add", size=number(5, 0, 9, "households")),
                change("dearer", "price", size=number(1.1, 1, 1.2)),
                change("moved", "shift", where={"type": "bnb"}, to={"type": "hostel"}, size=number(0.3, 0.1, 0.4)),
            ],
        ),
    ]
    return levers(replace(run.case, scenarios=scenarios), history=run.history, cost=run.cost, spec=run.spec)


def _told(table: pd.DataFrame, language: str) -> dict[str, Any]:
    price = {"name": "bed and breakfast: amount", "value": 500, "low": 450, "high": 600, "unit": "GBP/household/week"}
    with speaking(language):
        section = panel_section(replace(made(), levers=table, assumptions=pd.DataFrame([price])))
    assert section is not None
    panel = next(p for p in section.parts if isinstance(p, Panel))
    return dict(json.loads(panel.data))


def test_units_are_said_in_the_language_and_whole_months_do_not_hang_on_it(table: pd.DataFrame) -> None:
    english, welsh = _told(table, "en"), _told(table, "cy")
    assert [english["prices"][0]["unit"], welsh["prices"][0]["unit"]] == ["pounds a household a week", "punnoedd yr aelwyd yr wythnos"]
    for told, unit in ((english, "months"), (welsh, "misoedd")):
        assert [(lever["unit"], lever["whole"]) for lever in told["levers"][2]] == [("", False), (unit, True)]


def test_a_run_without_prices_has_levers_of_people(table: pd.DataFrame) -> None:
    told = _told(table[(table["line"] == "") & table["per_pound"].isna()], "en")
    assert told["costs"] == told["lines"] == told["run"][0]["costs"][0][0] == []
    assert told["run"][0]["mean"][0][0][0] > 0


def test_a_lever_stands_where_its_own_scenario_has_it(table: pd.DataFrame) -> None:
    told = _told(table, "en")
    assert [told["levers"][at][0]["value"] for at in (1, 2)] == [0.95, 0.9]


def test_levers_meet_as_the_changes_of_a_scenario_do(table: pd.DataFrame) -> None:
    found = {lever["name"]: lever["joined"] for lever in _told(table, "en")["levers"][3]}
    assert found == {"Fewer": "times", "More": "plus where empty", "Dearer": "times", "Moved": "plus"}
    assert {lever["joined"] for lever in _told(table.assign(together="add"), "en")["levers"][3]} == {"plus", "times"}
