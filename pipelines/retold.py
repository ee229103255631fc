"""An earlier forecast told again with what is known now, one cause after the other.

In: a frozen run and a job whose budget has been done. Out: the expected cost by line and year after each step of `demand.moved`. The
earlier model is held: its settings, its replays (from which weights and ranges follow) and its saved fits; only what goes in is replaced.
Refuses nothing beside what forecasting refuses. A step in which nothing differs is not computed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import xarray as xr

from demand.budget import BudgetSpec, budget_table, horizon_needed
from demand.course import Course, with_known
from demand.forecast import Earlier, ForecastSpec, forecast
from demand.people import Beside
from demand.scenario import BASELINE, apply
from demand.tables import History
from pipelines.config import RunConfig
from pipelines.job import Job
from pipelines.results import course_of, found_prices, load_draws, load_history, others_of, priced, stocks_of, stored_run_off
from pipelines.store import Store, source_hash, versions

__all__ = ["expected", "retold"]


Made = tuple[RunConfig, Store]
"""A run: what it was told, and what it said."""


@dataclass(frozen=True)
class _Said:
    """What a forecast is made from, as far as it can move."""

    history: History
    drivers: pd.DataFrame | None
    events: list[Any]
    prices: Made
    """The run whose open placements say how prices move."""
    known: Made
    """The run whose known changes are in it."""


def expected(store: Store) -> pd.DataFrame:
    """Give what a stored run expects each line to cost: line, financial_year, expected_pence."""
    table = store.table("budget.csv")
    return table.loc[table["scenario"] == BASELINE, ["line", "financial_year", "expected_pence"]]


def retold(then: Store, job: Job) -> list[pd.DataFrame]:
    """Tell the earlier run again, step by step, until it is the run of now.

    Parameters
    ----------
    then : Store
        The earlier run.
    job : Job
        Its forecast and its budget have been done.

    Returns
    -------
    list of pandas.DataFrame
        As `expected`: of then, after each step, and of now.
    """
    about, config = then.json("model_settings.json"), RunConfig.model_validate(then.manifest["config"])
    before = replace(job, config=config)
    old, new = load_history(then.folder), load_history(job.store.folder)
    drivers = then.table("drivers.parquet") if then.has("drivers.parquet") else None
    spec = ForecastSpec.model_validate(about["spec"])
    now = job.config.forecast or spec
    first, last = (config, then), (job.config, job.store)
    told_anew = then.manifest.get("data", {}).get("known_changes") != job.inputs.hashes.get("known_changes")
    steps = [
        _Said(old, drivers, list(spec.events), first, first),
        _Said(_revised(old, new), drivers, list(spec.events), first, first),
        _Said(new, drivers, list(spec.events), last, first),
        _Said(new, job.inputs.drivers, list(spec.events), last, first),
        _Said(new, job.inputs.drivers, list(now.events), last, last if told_anew else first),
    ]
    told, same_code = [expected(then)], _code(then) == _code(None)
    for i, said in enumerate(steps):
        if i == 0:
            base = told[0] if same_code else _figures(said, then, before, about, spec)
        elif _alike(said, steps[i - 1]):
            told.append(told[-1] if i > 1 else base)
        else:
            told.append(_figures(said, then, before, about, spec))
    told = _without_code(told, base)
    demand = apply(load_draws(job.store), [], seed=config.seed)[0]
    told.append(_priced(before, demand, new, course_of(job.config, job.store)))
    return [*told, expected(job.store)]


def _without_code(told: list[pd.DataFrame], base: pd.DataFrame) -> list[pd.DataFrame]:
    """Move what a new version of the package changes by itself from the first step, where it came in, to the model's."""
    keys = ["line", "financial_year"]
    change = told[0].set_index(keys)["expected_pence"] - base.set_index(keys)["expected_pence"]
    if not change.any():
        return told
    out = [told[0]]
    for table in told[1:]:
        figures = table.set_index(keys)["expected_pence"]
        # A line or year that was not there then has not been changed by the version.
        out.append((figures + change.reindex(figures.index).fillna(0).astype("int64")).rename("expected_pence").reset_index())
    return out


def _code(store: Store | None) -> object:
    if store is not None:
        return [store.manifest.get("source"), store.manifest.get("versions")]
    return [source_hash("pipelines.forecast"), versions()]


def _alike(a: _Said, b: _Said) -> bool:
    same = a.drivers is b.drivers or (a.drivers is not None and b.drivers is not None and a.drivers.equals(b.drivers))
    return a.history.fingerprint == b.history.fingerprint and same and a.events == b.events and a.known == b.known


def _revised(old: History, new: History) -> History:
    """Give what is known now of the periods that were known then."""
    cut = min(old.last, new.last)
    return new.until(cut) if not new.until(cut).table.empty else old


def _figures(said: _Said, then: Store, before: Job, about: dict[str, Any], spec: ForecastSpec) -> pd.DataFrame:
    """Forecast and price with the earlier model and the earlier prices."""
    config, history = before.config, said.history
    needed = horizon_needed(config.budget, history.last, history.frequency) if config.budget else 0
    made = forecast(
        history,
        spec.model_copy(update={"events": said.events, "horizon": max(spec.horizon, needed)}),
        seed=about["seed"],
        drivers=said.drivers,
        hierarchy=config.data.hierarchy,
        jobs=before.jobs,
        # where the models were erased on request they are fitted again, to what is said to have been counted
        earlier=Earlier(then.table("replays.parquet"), then.json("model_parts.json") if then.has("model_parts.json") else None),
        beside=Beside.of(stocks_of(before, history), others_of(before, history), history),
    )
    known = stored_run_off(*said.known)
    draws = made.draws if known is None else with_known(made.draws, known)
    return _priced(before, apply(draws, [], seed=config.seed)[0], history, course_of(*said.prices))


def _priced(before: Job, demand: xr.DataArray, history: History, course: Course | None) -> pd.DataFrame:
    cost = priced(before, demand, history, found_prices(before, history), course)
    table = budget_table(cost, before.config.budget or BudgetSpec())
    return table.loc[table["scenario"] == BASELINE, ["line", "financial_year", "expected_pence"]]
