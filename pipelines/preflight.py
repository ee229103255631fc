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
from demand.scenario import WhatIf, apply, sweep_faults
from demand.scenario.effect import work_out
from demand.tables import History, make_draws, match
from pipelines.job import Job
from pipelines.results import start_month

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
    """Refuse changes that do not fit what is counted: each is tried on one period of nothing. Drivers are known later, as segments are."""
    history, scenarios = job.inputs.history, tuple(job.config.scenarios.values())
    faults = sweep_faults(job.config.sweeps, scenarios)
    case = None if history is None else WhatIf(_nothing(history), scenarios)
    for name, scenario in job.config.scenarios.items():
        for position, change in enumerate(scenario.changes):
            named = {*change.where, *(change.to or {}), change.between}
            if case is None or change.driver or change.per or "segment" in named:
                continue
            try:
                work_out(case, change, at=f"{job.config.name} > scenarios > {name} > changes[{position}]")
            except ScenarioError as error:
                faults += error.faults
    raise_all(faults, ScenarioError, during="trying the scenarios")


def _nothing(history: History) -> xr.DataArray:
    """One period in which nobody comes."""
    ahead, about = history.frequency.after(history.last, 1), {"cutoff": history.last, "seed": 1, "fingerprint": ""}
    return make_draws(np.zeros((len(history.ids), 1, 2)), history.series, ahead, frequency=history.frequency, **about)


def _check_prices(job: Job) -> None:
    """Refuse prices whose units do not fit what is counted: one period of nothing is priced, before any model is fitted."""
    history, costs = job.inputs.history, job.config.costs
    if history is None or not costs or any("segment" in one.where for one in (*costs, *job.config.income, *job.config.step_costs)):
        return
    nothing = _nothing(history)
    cost = price(apply(nothing, (), seed=1)[0], costs, seed=1, history=history, start_month=start_month(job.config))
    with_items(cost, [item.model_copy(update={"scenarios": []}) for item in job.config.items], seed=1)
