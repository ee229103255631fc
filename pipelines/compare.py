"""What makes two scenarios differ, of one run or of two: each change's part, in people and in pounds.

In: the output folders of runs. Out: compare.csv's table, as waterfall.csv. Refuses runs that do not stand on one baseline, with the reason.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from demand.budget import price, waterfall
from demand.errors import BudgetError, Fault, StoreError
from demand.scenario import WhatIf, apply, taken_together
from pipelines.config import RunConfig
from pipelines.results import course_of, load_history, stored_case
from pipelines.store import Store

__all__ = ["compare_runs"]


def compare_runs(one: Path, other: Path, a: str, b: str) -> pd.DataFrame:
    """Compare a scenario of one run with a scenario of another, or of the same.

    Parameters
    ----------
    one, other : Path
        Output folders.
    a, b : str
        A scenario of `one`, and one of `other`.

    Returns
    -------
    pandas.DataFrame
        As waterfall.csv; pounds at the prices of both runs, gross. Where prices come from the extract, which no run keeps, only people.

    Raises
    ------
    StoreError
        Where a folder holds no run with a forecast.
    ScenarioError
        Where the runs cannot be compared, or a scenario is not there.
    BudgetError
        Where the runs have other prices.
    """
    (config, case), (config_2, case_2) = _read(one), _read(other)
    case, b = taken_together(case, case_2, b)
    history, first = load_history(one), config.budget.start_month if config.budget else 4
    if (config.costs, config.prices) != (config_2.costs, config_2.prices):
        raise BudgetError(
            Fault("the two runs have other prices", where="costs", do_next="Run one of them again at the prices of the other")
        )
    cost = None
    if config.costs and config.prices is None:
        demand, _ = apply(case.draws, (), seed=case.seed)
        cost = price(demand, config.costs, seed=case.seed, history=history, start_month=first, course=course_of(config, Store(one)))
    return waterfall(case, history=history, start_month=first, cost=cost, pairs=[(a, b)])


def _read(folder: Path) -> tuple[RunConfig, WhatIf]:
    store = Store(folder)
    if "config" not in store.manifest or not store.has("draws.parquet"):
        raise StoreError(Fault("there is no forecast here", where=str(folder), do_next="Name the output folder of a run: outputs/NAME"))
    config = RunConfig.model_validate(store.manifest["config"])
    return config, stored_case(config, store)
