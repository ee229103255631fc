"""What can be refused before any model is fitted: selectors that match nothing, impossible counts, prices that do not fit.

In: a job. Out: nothing, or an error with every fault. What is said of segments is checked later, when they are known.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from demand.budget import price, with_items
from demand.data.quality import impossible
from demand.errors import DataError, Fault, ScenarioError, raise_all
from demand.events import clean
from demand.scenario import Change, WhatIf, apply, by_name, sweep_faults, under, unfold
from demand.scenario.change import FLOWS, places
from demand.tables import History, make_draws, match
from pipelines.config import RunConfig
from pipelines.job import Job
from pipelines.results import found_prices, start_month

__all__ = ["check_config"]


def check_config(job: Job) -> None:
    """Hold the config against the data.

    Parameters
    ----------
    job : Job

    Raises
    ------
    ScenarioError
        With every selector that matches no series, change that does not fit what is counted, and name of a sweep that is not there.
    DataError
        With every count that is a thousand times all others of its series, and that no event sets aside.
    BudgetError
        With every price whose unit does not fit what is counted.
    """
    _check_selectors(job)
    _check_counts(job)
    _check_scenarios(job)
    _check_prices(job)


def _check_selectors(job: Job) -> None:
    """Refuse selectors that match no series, all at once; segments are not known yet, so what is said of them is checked later."""
    history = job.inputs.history
    faults: list[Fault] = []
    if history is None:
        return
    for at, where in job.config.selectors():
        known_now = {column: values for column, values in where.items() if column != "segment" or column in history.keys}
        try:
            match(history.series, known_now, at=f"{job.config.name} > {at}")
        except ScenarioError as error:
            faults += error.faults
    raise_all(faults, ScenarioError, during="looking for the series that the config means")


def _check_counts(job: Job) -> None:
    """Refuse counts that nobody can have counted."""
    history, settings = job.inputs.history, job.config.forecast
    if history is not None and settings is not None:
        events = [e for e in settings.events if set(e.where) <= {"unique_id", *history.keys}]  # segments are not known yet
        raise_all(impossible(clean(history, events)), DataError, during="looking at the counts")


def _check_scenarios(job: Job) -> None:
    """Refuse changes that do not fit what is counted, or that meet: each scenario is tried on a forecast of nothing.

    What drivers do, how stocks come about, and who is in which segment, is known later.
    """
    history, config = job.inputs.history, job.config
    faults = sweep_faults(config.sweeps, tuple(config.scenarios.values()))
    if history is not None and config.forecast is not None:
        faults += _tried(config, _nothing(history, config.forecast.horizon))
    raise_all(list(dict.fromkeys(faults)), ScenarioError, during="trying the scenarios")


def _tried(config: RunConfig, nothing: xr.DataArray) -> list[Fault]:
    scenarios = tuple(config.scenarios.values())
    case, known, faults = WhatIf(nothing, scenarios), by_name(scenarios), []
    for name, scenario in known.items():
        later = FLOWS if config.caseload is not None else ()
        tried = (i for i in unfold(scenario, known).items() if i[1].effect not in later)
        changes = {label: c for label, c in tried if not (c.driver or c.per or "segment" in _named(c))}
        at = {"": f"scenarios > {name}", **places(scenario, known)}
        try:
            under(case, changes, together=scenario.together, at={label: f"{config.name} > {place}" for label, place in at.items()})
        except ScenarioError as error:
            faults += list(error.faults)
    return faults


def _named(change: Change) -> set[str | None]:
    """Give the keys that a change names."""
    return {*change.where, *(change.to or {}), change.between}


def _nothing(history: History, periods: int) -> xr.DataArray:
    """Periods in which nobody comes."""
    ahead, about = history.frequency.after(history.last, periods), {"cutoff": history.last, "seed": 1, "fingerprint": ""}
    return make_draws(np.zeros((len(history.ids), periods, 2)), history.series, ahead, frequency=history.frequency, **about)


def _check_prices(job: Job) -> None:
    """Refuse prices whose units do not fit what is counted: one period of nothing is priced, before any model is fitted."""
    history = job.inputs.history
    found = found_prices(job, history) if history is not None else None
    costs = [*job.config.costs, *(found.costs if found else ())]
    if history is None or not costs or any("segment" in one.where for one in (*costs, *job.config.income, *job.config.step_costs)):
        return
    nothing = _nothing(history, 1)
    cost = price(apply(nothing, (), seed=1)[0], costs, seed=1, history=history, start_month=start_month(job.config))
    with_items(cost, [item.model_copy(update={"scenarios": []}) for item in job.config.items], seed=1)
