"""Demand for council services: who needs what, how much is coming, how sure we are, what it costs, and what if.

The rooms, in the order of the work: data, segments, models, forecast, evaluation, explain, scenario, budget, disclosure, report.
Every name below is loaded when it is first used, so that importing `demand` is quick.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

__version__ = "0.1.0"

_ROOMS = {
    "Assumption": "demand.spec",
    "BudgetError": "demand.errors",
    "DataError": "demand.errors",
    "DemandError": "demand.errors",
    "DisclosureError": "demand.errors",
    "ModelError": "demand.errors",
    "ScenarioError": "demand.errors",
    "SettingsError": "demand.errors",
    "History": "demand.tables",
    "Frequency": "demand.calendar",
    "example_council": "demand.data.example",
    "HistorySpec": "demand.data.read",
    "read_history": "demand.data.read",
    "PeopleSpec": "demand.data.extracts",
    "read_people": "demand.data.extracts",
    "judge": "demand.data.quality",
    "CountSpec": "demand.data.people",
    "count_episodes": "demand.data.people",
    "SegmentSpec": "demand.segments.find",
    "find_segments": "demand.segments.find",
    "assign_segments": "demand.segments.model",
    "episode_segments": "demand.segments.model",
    "profile": "demand.segments.profile",
    "episodes": "demand.segments.episodes",
    "use": "demand.segments.use",
    "portraits": "demand.segments.portrait",
    "equality": "demand.segments.equality",
    "expected_use": "demand.segments.expected",
    "keep_segments": "demand.segments.keeping",
    "ForecastSpec": "demand.forecast",
    "forecast": "demand.forecast",
    "CaseloadSpec": "demand.caseload.model",
    "caseload_of": "demand.caseload.model",
    "Event": "demand.events",
    "propose": "demand.proposals",
    "estimate_effects": "demand.effects",
    "backtest": "demand.evaluation",
    "explain": "demand.explain",
    "Change": "demand.scenario",
    "Scenario": "demand.scenario",
    "WhatIf": "demand.scenario",
    "apply": "demand.scenario",
    "compare": "demand.scenario",
    "BudgetLine": "demand.budget",
    "BudgetSpec": "demand.budget",
    "UnitCost": "demand.budget",
    "allocate": "demand.budget",
    "AllocationSpec": "demand.budget",
    "Prevention": "demand.budget",
    "backcast": "demand.budget",
    "bridge": "demand.budget",
    "mtfp": "demand.budget",
    "reconciliation": "demand.budget",
    "steps_of": "demand.budget",
    "budget_table": "demand.budget",
    "ledger": "demand.assumptions",
    "price": "demand.budget",
    "risk_table": "demand.budget",
    "sensitivity": "demand.budget",
    "shortfall": "demand.budget",
    "waterfall": "demand.budget",
}

__all__ = ["__version__", *_ROOMS]


def __getattr__(name: str) -> Any:
    """Load a name of the front door from its room."""
    if name not in _ROOMS:
        raise AttributeError(f"module 'demand' has no attribute '{name}'")
    return getattr(import_module(_ROOMS[name]), name)


def __dir__() -> list[str]:
    """List the front door."""
    return sorted(__all__)


class _FrontDoor(ModuleType):
    """The package itself. `demand.forecast` is the function, whatever was imported before: its room has the same name and would hide it."""

    def __setattr__(self, name: str, value: Any) -> None:
        """Keep the function where the import of a room would put the room."""
        if isinstance(value, ModuleType) and _ROOMS.get(name) == value.__name__:
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _FrontDoor
