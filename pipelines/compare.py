"""What makes two scenarios differ, of one run or of two: each change's part, in people and in pounds.

In: the output folders of runs and, for changes of flows and prices from the extract, the data that the runs were made from. Out:
compare.csv's table, as waterfall.csv. Refuses runs that do not stand on one baseline, and data that are not theirs, with the reason.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from demand.budget import Item, price, waterfall, with_items
from demand.errors import BudgetError, DataError, Fault, ScenarioError, StoreError, listed
from demand.scenario import BASELINE, WhatIf, apply, by_name, taken_together
from demand.scenario.change import FLOWS
from pipelines.config import RunConfig
from pipelines.inputs import Inputs
from pipelines.job import Job
from pipelines.results import course_of, flows_of, found_prices, load_history, stored_case
from pipelines.store import Store

__all__ = ["compare_runs"]

BESIDE = ("actuals", "since", "comparators", "linkage", "outturn", "segments.")
"""Data that no scenario rests on."""


def compare_runs(one: Path, other: Path | None, a: str, b: str, *, data_dir: Path | None = None) -> pd.DataFrame:
    """Compare a scenario of one run with a scenario of another, or of the same.

    Parameters
    ----------
    one : Path
        The output folder of a run.
    other : Path, optional
        That of another; without it, the same.
    a, b : str
        A scenario of `one`, and one of `other`.
    data_dir : Path, optional
        Where the data of the first run lie; not needed for the example. No run keeps people: changes of entries, stays and moves are drawn
        from them again, and prices of an extract taken from it.

    Returns
    -------
    pandas.DataFrame
        As waterfall.csv; pounds at the prices of both runs. Net too, where both have the same grants, income, fixed costs and savings.
        Where prices come from an extract that is not at hand, only people.

    Raises
    ------
    StoreError
        Where a folder holds no run with a forecast.
    DataError
        Where the data are not those of the run.
    ScenarioError
        Where the runs cannot be compared, a scenario is not there, or would be compared with itself.
    BudgetError
        Where the runs have other prices.
    """
    config, case = _read(one)
    if other is None and a == b:
        known = f"Known: {listed([BASELINE, *config.scenarios])}"
        mend = f"demand compare {one} --from baseline --to SCENARIO; to hold last month's run against this one: demand update"
        raise ScenarioError(Fault(f"'{a}' would be compared with itself", allowed=known, do_next=mend))
    config_2, case_2 = _read(other or one)
    asked, (case, b) = b, taken_together(case, case_2, b)
    case = _only(case, (a, b))
    history, first = load_history(one), config.budget.start_month if config.budget else 4
    if (config.costs, config.prices) != (config_2.costs, config_2.prices):
        raise BudgetError(
            Fault("the two runs have other prices", where="costs", do_next="Run one of them again at the prices of the other")
        )
    job = _job(config, one, data_dir)
    if job is not None and config.caseload is not None and any(c.effect in FLOWS for s in case.scenarios for c in s.changes):
        case = replace(case, flows=flows_of(job, history))
    found = found_prices(job, history) if job is not None else None
    cost = None
    if (config.costs or found) and (found or config.prices is None):
        items = config.items if config.items == config_2.items else []
        scenarios = case.scenarios if items else ()
        demand, _ = apply(case.draws, scenarios, seed=case.seed, effects=case.effects, drivers=case.drivers, flows=case.flows)
        costs = [*config.costs, *(found.costs if found else ())]
        cost = price(demand, costs, seed=case.seed, history=history, start_month=first, course=course_of(config, Store(one)))
        about = [_said_of(item, asked, b) for item in items]
        there = {BASELINE, *(s.name for s in case.scenarios)}
        cut = [i.model_copy(update={"scenarios": [s for s in i.scenarios if s in there]}) for i in about]
        cut = [now for now, item in zip(cut, about, strict=True) if now.scenarios or not item.scenarios]
        cost = with_items(cost, cut, seed=case.seed)
    return waterfall(case, history=history, start_month=first, cost=cost, pairs=[(a, b)])


def _only(case: WhatIf, names: tuple[str, ...]) -> WhatIf:
    """Keep the scenarios that are compared and those that they combine: what the others need may not be at hand."""
    known, kept, ahead = by_name(case.scenarios), set[str](), [n for n in names if n != BASELINE]
    if not known.keys() >= set(ahead):
        return case
    while ahead:
        kept.add(name := ahead.pop())
        ahead += known[name].combines
    return replace(case, scenarios=tuple(s for s in case.scenarios if s.name in kept))


def _said_of(item: Item, scenario: str, name: str) -> Item:
    """Let an item that counts in a scenario count under the scenario's other name too."""
    if scenario == name or scenario not in item.scenarios:
        return item
    return item.model_copy(update={"scenarios": [*item.scenarios, name]})


def _read(folder: Path) -> tuple[RunConfig, WhatIf]:
    store = Store(folder)
    if "config" not in store.manifest or not store.has("draws.parquet"):
        raise StoreError(Fault("there is no forecast here", where=str(folder), do_next="Name the output folder of a run: outputs/NAME"))
    config = RunConfig.model_validate(store.manifest["config"])
    return config, stored_case(config, store)


def _job(config: RunConfig, folder: Path, data_dir: Path | None) -> Job | None:
    """Give a run its data back; None where they are not at hand, or nothing here rests on them."""
    if (config.caseload is None and config.prices is None) or (data_dir is None and config.data.example is None):
        return None
    store, inputs = Store(folder), Inputs(config, data_dir or Path())
    then = store.manifest["data"]
    other = [n for n in {*inputs.hashes, *then} if inputs.hashes.get(n) != then.get(n) and not n.startswith(BESIDE)]
    if other:
        found = f"{', '.join(sorted(other))}: not what the run was made from"
        raise DataError(Fault(found, where=str(data_dir or ""), do_next="Name the folder of its data (--data-dir), or run it again"))
    return Job(config, inputs, store)
