"""From stored files back to the objects of the library, and the other way round.

In: an output folder (or the folder of a registered model). Out: History, DRAWS and forecasts as they were. Refuses files that were changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from demand.calendar import Frequency
from demand.data.areas import read_others
from demand.errors import DataError, Fault
from demand.events import Event, clean, joined
from demand.forecast import Earlier, Forecast, ForecastSpec, forecast
from demand.tables import History, draws_from_arrow, draws_to_arrow, quantile_columns, summarise
from pipelines.store import as_written

if TYPE_CHECKING:
    import xarray as xr

    from demand.budget import Cost, FoundPrices
    from demand.caseload.known import KnownChange
    from demand.caseload.model import Caseload
    from demand.course import Course
    from demand.scenario import Flows, WhatIf
    from demand.segments.model import SegmentModel
    from pipelines.config import RunConfig
    from pipelines.job import Job
    from pipelines.store import Store, Writer

__all__ = [
    "Planned",
    "course_of",
    "flows_of",
    "forecast_again",
    "forecast_table",
    "found_prices",
    "has_trend",
    "history_table",
    "known_changes_of",
    "load_draws",
    "load_forecast",
    "load_history",
    "others_of",
    "planned",
    "priced",
    "redrawn",
    "rules_of",
    "run_day",
    "start_month",
    "stocks_of",
    "stored_case",
    "stored_run_off",
    "tested_until",
    "without_known",
    "write_forecast",
]


NOISE = 1e-6
"""A difference of draws below this is one of rounding."""
TABLES = ("components", "means", "replays", "notes", "not_forecast", "effects", "driver_futures", "driver_use")
"""The tables of a Forecast that are stored under their own names."""


def history_table(history: History, events: Sequence[Event] = ()) -> pd.DataFrame:
    """Give HISTORY as one table: unique_id, ds, y, key columns, kind, unit and, where events join levels, y_joined."""
    level = joined(history, events)
    table = history.table if level is None else history.table.assign(y_joined=level.table["y"].to_numpy())
    return table.merge(history.series, left_on="unique_id", right_index=True)


def load_history(folder: Path) -> History:
    """Read HISTORY back from the folder that holds history.parquet and model_settings.json.

    Raises
    ------
    StoreError
        Where one of them has been changed since the run wrote it.
    """
    about = json.loads(as_written(folder / "model_settings.json").read_text(encoding="utf-8"))
    frequency = Frequency(about["frequency"], about["year_end_month"])
    return History.of(pd.read_parquet(as_written(folder / "history.parquet")), frequency, keys=about["keys"])


def load_draws(store: Store) -> xr.DataArray:
    """Read DRAWS back."""
    return draws_from_arrow(store.arrow("draws.parquet"))


def forecast_table(made: Forecast) -> pd.DataFrame:
    """Give forecast.parquet: unique_id, ds, mean, quantiles, period_end."""
    return summarise(made.draws)[["unique_id", "ds", "mean", *quantile_columns(), "period_end"]]


def write_forecast(writer: Writer, history: History, made: Forecast, about: Mapping[str, Any]) -> None:
    """Write a forecast, and what it is made again from: its settings, replays and models as text.

    Parameters
    ----------
    writer : Writer
    history : History
        As counted.
    made : Forecast
    about : mapping
        spec, hierarchy, seed.
    """
    places = {"frequency": history.frequency.code, "year_end_month": history.frequency.year_end_month, "keys": history.keys}
    writer.json("model_settings.json", {**about, **places, "history": history.fingerprint, "made": made.settings, "weights": made.weights})
    writer.json("model_parts.json", dict(made.saved))
    writer.table("history.parquet", history_table(history, [Event.model_validate(e) for e in about["spec"]["events"]]))
    writer.table("forecast.parquet", forecast_table(made))
    writer.table("draws.parquet", draws_to_arrow(made.draws))
    for name in TABLES:
        writer.table(f"{name}.parquet", getattr(made, name))


def load_forecast(store: Store) -> Forecast:
    """Read a forecast back as it was made.

    Raises
    ------
    StoreError
        Where a file is missing or has been changed.
    """
    about = store.json("model_settings.json")
    tables = {name: store.table(f"{name}.parquet") for name in TABLES}
    saved = store.json("model_parts.json")
    return Forecast(draws=load_draws(store), saved=saved, settings=about["made"], weights=about["weights"], **tables)


def forecast_again(folder: Path, *, jobs: int = 1) -> Forecast:
    """Make a forecast again from the files of `write_model`: nothing is replayed, saved models are not fitted again.

    Stocks from flow are not among the models then: they need people, who are not stored with a forecast.

    Parameters
    ----------
    folder : Path
    jobs : int
        Cores to use.

    Returns
    -------
    Forecast
    """
    from pydantic import TypeAdapter

    from demand.hierarchy import HierarchySpec

    about = json.loads((folder / "model_settings.json").read_text(encoding="utf-8"))
    drivers = folder / "drivers.parquet"
    return forecast(
        load_history(folder),
        ForecastSpec.model_validate(about["spec"]),
        seed=about["seed"],
        hierarchy=TypeAdapter(HierarchySpec).validate_python(about["hierarchy"]),
        drivers=pd.read_parquet(drivers) if drivers.is_file() else None,
        jobs=jobs,
        earlier=Earlier(pd.read_parquet(folder / "replays.parquet"), json.loads((folder / "model_parts.json").read_text(encoding="utf-8"))),
    )


def rules_of(job: Job) -> SegmentModel | None:
    """Give the rules by which people are counted in segments; None where they are not."""
    if not job.store.has("segment_model.json") or not job.inputs.counted:
        return None
    return job.inputs.earlier(str(job.store.path("segment_model.json").resolve()))[0]


def stocks_of(job: Job, history: History) -> Caseload | None:
    """Give the model of stocks from flow where the config asks for it.

    Parameters
    ----------
    job : Job
    history : History
        As it is forecast.

    Returns
    -------
    Caseload or None

    Raises
    ------
    DataError
        Where the stock is not counted from people.
    """
    config, inputs = job.config, job.inputs
    if config.caseload is None:
        return None
    if not inputs.counted:
        do_next = "Give `people` with opened and closed and no `history`, or take the section out"
        raise DataError(Fault("there are no people of whom a stock is counted", where="caseload", do_next=do_next))
    from demand.caseload.model import caseload_of

    people, keys = inputs.people_by(rules_of(job))
    events, per = (config.forecast.events, config.forecast.per) if config.forecast else ([], None)
    return caseload_of(people, inputs.counts, keys=keys, history=history, spec=config.caseload, events=events, late=inputs.late, per=per)


def others_of(job: Job, history: History) -> History | None:
    """Give what other areas counted, without the shocks that the config names for all; None where no table of several periods is named."""
    spec = job.config.data.comparators
    if spec is None or spec.date is None:
        return None
    events = job.config.forecast.events if job.config.forecast else []
    found = read_others(spec, job.inputs.folder, frequency=history.frequency)
    return clean(found, [e for e in events if e.kind in ("shock", "holiday") and not e.where])


def known_changes_of(job: Job) -> list[KnownChange]:
    """Give the known changes of the file that the config names; none where it names none."""
    named = job.config.caseload.known_changes if job.config.caseload else None
    if named is None:
        return []
    from demand.caseload.known import read_known_changes

    return read_known_changes(job.inputs.folder / named)


def has_trend(config: RunConfig) -> bool:
    """Say whether prices of new starts follow their own trend: they do where no uplift is given for them."""
    return config.prices.uplift is None if config.prices else not config.costs


def redrawn(made: Forecast, draws: xr.DataArray, *, feature: str) -> Forecast:
    """Give a forecast with other draws, and a row for what they change in what it is made of."""
    more = (draws - made.draws).mean("draw").transpose("series", "ds").to_series().rename("contribution").reset_index()
    part = more[more["contribution"].abs() > NOISE].rename(columns={"series": "unique_id"})[["unique_id", "ds", "contribution"]]
    part = part.assign(model="combined", feature=feature, value=np.nan)
    return replace(made, draws=draws, components=pd.concat([made.components, part], ignore_index=True)[list(made.components.columns)])


def stored_run_off(config: RunConfig, store: Store) -> xr.Dataset | None:
    """Read back what stays said of people and pounds; None where the run has no caseload."""
    if config.caseload is None or not store.has("run_off.parquet"):
        return None
    table = store.table("run_off.parquet").rename(columns={"unique_id": "series"}).set_index(["series", "ds", "draw"])
    found: xr.Dataset = table.to_xarray()
    people, pounds = (found[name].isel(ds=0, draw=0, drop=True) for name in ("people_now", "pounds_now"))
    return found.assign(run=found["run"].isel(series=0, ds=0, drop=True), people_now=people, pounds_now=pounds)


def start_month(config: RunConfig) -> int:
    """Give the month in which financial years begin."""
    return config.budget.start_month if config.budget else 4


def run_day(config: RunConfig, history: History) -> date:
    """Give the day of a run: as_of, or the last day that was counted."""
    return config.as_of or history.frequency.end_of(pd.DatetimeIndex([history.last]))[0].date()


@dataclass(frozen=True)
class Planned:
    """What the scenarios of a run come to: worked out once, read by the stages of scenarios and of money.

    Parameters
    ----------
    case : WhatIf
    history : History
    demand : xarray.DataArray
        DEMAND.
    applied : pandas.DataFrame
        What was changed, old and new.
    prices : FoundPrices or None
        Those of the extract.
    cost : demand.budget.Cost or None
        None where nothing has a price.
    """

    case: WhatIf
    history: History
    demand: xr.DataArray
    applied: pd.DataFrame
    prices: FoundPrices | None
    cost: Any


def planned(job: Job) -> Planned:
    """Apply a run's scenarios and price them; a second stage that asks gets what the first was given."""
    from demand.scenario import apply

    made: Planned | None = job.planned
    if made is None:
        history = load_history(job.store.folder)
        case = _what_if(job, history)
        demand, applied = apply(case.draws, case.scenarios, seed=case.seed, effects=case.effects, drivers=case.drivers, flows=case.flows)
        prices = found_prices(job, history)
        course = course_of(job.config, job.store)
        cost = priced(job, demand, history, prices, course) if job.config.costs or job.config.prices else None
        made = job.planned = Planned(case, history, demand, applied, prices, cost)
    return made


def _what_if(job: Job, history: History) -> WhatIf:
    """Give what the scenarios of a run are made from; where one of them changes flows, with the people whom these are made of."""
    from demand.scenario.change import FLOWS

    case = stored_case(job.config, job.store)
    flowing = job.config.caseload is not None and any(c.effect in FLOWS for s in case.scenarios for c in s.changes)
    return replace(case, flows=flows_of(job, history)) if flowing else case


def flows_of(job: Job, history: History) -> Flows | None:
    """Give the stocks of a run as they come about, for changes of entries, stays and moves; None where no people are counted."""
    from demand.scenario import Flows

    run_off, stocks = stored_run_off(job.config, job.store), stocks_of(job, history)
    if stocks is None or run_off is None:
        return None
    return Flows(stocks, run_off, history.last, job.config.seed, known_changes_of(job), has_trend(job.config))


def stored_case(config: RunConfig, store: Store) -> WhatIf:
    """Give what the scenarios of a stored run are made from."""
    from demand.scenario import WhatIf
    from pipelines.store import versions

    effects, drivers = store.table("effects.parquet"), store.table("driver_futures.parquet")
    version = str(store.manifest.get("versions", versions())["demand"])
    return WhatIf(load_draws(store), tuple(config.scenarios.values()), config.seed, effects, drivers, version)


def found_prices(job: Job, history: History) -> FoundPrices | None:
    """Give the prices that are taken from the extract; None where none are asked for."""
    asked = job.config.prices
    if asked is None:
        return None
    as_of = history.frequency.end_of(pd.DatetimeIndex([history.last]))[0]
    run_off = job.config.caseload is not None
    return asked.found(job.inputs.people, history.series, as_of=as_of, seed=job.config.seed, run_off=run_off)


def course_of(config: RunConfig, store: Store, *, known: bool = True) -> Course | None:
    """Give how prices move as people leave and start, with known changes or without; None where the run has no caseload."""
    from demand.course import Course

    run_off = stored_run_off(config, store)
    return None if run_off is None else Course.of(run_off, known=known, grows=has_trend(config))


def priced(job: Job, demand: xr.DataArray, history: History, found: FoundPrices | None, course: Course | None) -> Cost:
    """Price demand at the config's costs and those of the extract, with grants and all else that stands beside the series."""
    from demand.budget import price, with_items

    costs = [*job.config.costs, *(found.costs if found else ())]
    cost = price(demand, costs, seed=job.config.seed, history=history, start_month=start_month(job.config), course=course)
    return with_items(cost, job.config.items, seed=job.config.seed)


def without_known(job: Job, cost: Cost) -> Cost | None:
    """Price the baseline as it would be without known changes, at the same prices; None where nothing is known."""
    run_off = stored_run_off(job.config, job.store)
    if run_off is None or not bool((run_off.known != 0).any()):
        return None
    from demand.budget import price
    from demand.course import with_known
    from demand.scenario import apply

    seed, first = job.config.seed, cost.exposure.start_month
    demand = apply(with_known(load_draws(job.store), run_off, times=-1), (), seed=seed)[0]
    course = course_of(job.config, job.store, known=False)
    return price(demand, [p.cost for p in cost.parts], seed=seed, history=load_history(job.store.folder), start_month=first, course=course)


def tested_until(store: Store) -> pd.Timestamp | None:
    """Give the last day whose range was tried in replays: None where no earlier forecast had enough behind it to be judged."""
    from demand.evaluation import ENOUGH
    from demand.tables import frequency_of

    draws, made = load_draws(store), store.json("model_settings.json")["made"]
    frequency, steps = frequency_of(draws), int(made["steps"])
    if not steps:
        return None
    reach = [frequency.after(pd.Timestamp(c), steps)[-1] for c in made["cutoffs"]]
    if not any(sum(r <= pd.Timestamp(m) for r in reach) >= ENOUGH for m in made["main_cutoffs"]):
        return None
    return frequency.end_of(frequency.after(pd.Timestamp(draws.attrs["cutoff"]), steps))[-1]
