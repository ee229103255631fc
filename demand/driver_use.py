"""Which model used which driver, and how it responds to it.

In: what models said, with its parts, and the drivers that they were given. Out: a table with a row a driver and model, and what is to be
told of it: a driver that no model used is told loudly. A model's own response stands beside EFFECTS as a diagnostic: nothing rests on it,
because a response that is read off a model that walks on step by step grows along the path. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from demand.driver_futures import Futures
from demand.errors import listed
from demand.models import Forecaster, Prediction
from demand.tables import History

__all__ = ["USE_COLUMNS", "DriverUse", "driver_use"]

USE_COLUMNS = ("driver", "model", "weight", "used", "response_first", "response_last", "effect_low", "effect", "effect_high")
RAISED = 1.1
"""A model's response is read off a driver that is higher by this factor in every period ahead."""
MOST = 40
"""Series on which responses are read off, evenly taken from all."""


@dataclass(frozen=True)
class DriverUse:
    """Who used what.

    Parameters
    ----------
    table : pandas.DataFrame
        driver, model, weight, used, response_first and response_last (of a model that used it: the median over series of the elasticity
        that its path implies in the first and in the last period), effect_low, effect, effect_high (EFFECTS over all series: 10 %, mean,
        90 %; missing where the driver has no elasticity).
    notes : tuple of (str, str)
        Model ("combined": all of them) and text.
    """

    table: pd.DataFrame
    notes: tuple[tuple[str, str], ...] = ()

    def noted(self, notes: pd.DataFrame) -> pd.DataFrame:
        """Put what is to be said of the drivers before the notes of a forecast."""
        told = pd.DataFrame([("", model, text) for model, text in self.notes], columns=notes.columns)
        return pd.concat([told, notes], ignore_index=True) if len(told) else notes


def driver_use(
    said: Mapping[str, Prediction], weights: Mapping[str, float], futures: Futures, *, history: History, horizon: int, seed: int
) -> DriverUse:
    """Say which models used which driver.

    A model used a driver where the driver's part is not nothing in some forecast.

    Parameters
    ----------
    said : mapping of str to Prediction
        With parts.
    weights : mapping of str to float
    futures : Futures
    history : History
        That the models were fitted on.
    horizon, seed : int
        As the models were asked.

    Returns
    -------
    DriverUse
    """
    others = futures.people.without(futures.table)
    rows, notes = [], [("combined", text) for text in futures.notes]
    if others is None or others.empty:
        return DriverUse(pd.DataFrame(columns=list(USE_COLUMNS)), tuple(notes))
    names = [str(n) for n in pd.unique(others["name"])]
    for model, one in said.items():
        used = [n for n in names if _part(one, n) > 0]
        response = _responses(futures.people.build(model), one, futures.table, used, history=history, horizon=horizon, seed=seed)
        rows += [{"driver": n, "model": model, "weight": weights[model], "used": n in used, **response.get(n, {})} for n in names]
        if used:
            notes.append((model, f"uses the drivers {listed(used)}"))
    table = pd.DataFrame(rows).reindex(columns=list(USE_COLUMNS))
    effects = futures.effects.groupby("driver")["elasticity"].agg(
        effect_low=lambda v: v.quantile(0.1), effect="mean", effect_high=lambda v: v.quantile(0.9)
    )
    table = table.drop(columns=list(effects.columns)).join(effects, on="driver")[list(USE_COLUMNS)].astype({"used": bool})
    notes += [(row.model, _about(row)) for row in table[table["used"]].itertuples()]
    idle = [n for n in names if not table.loc[table["driver"] == n, "used"].any()]
    acting = [n for n in idle if n in effects.index]
    past = others[others["ds"] <= history.last]
    low = set(past.loc[past["value"] <= 0, "name"].astype(str))
    unknown = "Nothing follows {them}: no elasticity could be estimated, because "
    for some, what in (
        ([n for n in idle if n not in acting and n in low], unknown + "{they} not always above 0"),
        ([n for n in idle if n not in acting and n not in low], unknown + "no figures of {them} are known for the periods of the counts"),
        (acting, "The expected figures do not follow {them}; ranges and scenarios do, through the estimated effects"),
    ):
        if some:
            words = {"them": "them", "they": "they are"} if len(some) > 1 else {"them": "it", "they": "it is"}
            told = f"NO MODEL USED {'THESE DRIVERS' if len(some) > 1 else 'THE DRIVER'}: {listed(some)}. "
            notes.insert(0, ("combined", told + what.format(**words)))
    return DriverUse(table, tuple(notes))


def _part(one: Prediction, driver: str) -> float:
    if one.parts is None:
        return 0.0
    return float(one.parts.loc[one.parts["feature"] == driver, "contribution"].abs().sum())


def _responses(
    model: Forecaster, one: Prediction, drivers: pd.DataFrame, used: list[str], *, history: History, horizon: int, seed: int
) -> dict[str, dict[str, float]]:
    """Ask a fitted model again, with one driver raised at a time; nothing is fitted anew."""
    if not used or not one.saved:
        return {}
    ids = [history.ids[k] for k in np.unique(np.linspace(0, len(history.ids) - 1, MOST).round().astype(int))]
    sample, found = history.only(ids), {}
    sample = sample if sample.last == history.last else history
    plain = _paths(model, one, drivers, sample, horizon, seed)
    for name in used:
        higher = drivers["name"].eq(name) & (drivers["ds"] > history.last)
        raised = drivers.assign(value=np.where(higher, drivers["value"] * RAISED, drivers["value"]))
        path = _paths(model, one, raised, sample, horizon, seed)
        seen = (plain > 0) & (path > 0)
        implied = np.where(seen, np.log(np.where(seen, path, 1.0) / np.where(seen, plain, 1.0)), np.nan) / np.log(RAISED)
        middle = np.nanmedian(implied[seen.any(axis=1)], axis=0) if seen.any() else np.full(horizon, np.nan)
        found[name] = {"response_first": float(middle[0]), "response_last": float(middle[-1])}
    return found


def _paths(model: Forecaster, one: Prediction, drivers: pd.DataFrame, history: History, horizon: int, seed: int) -> np.ndarray:
    means = model.predict(history, horizon, seed=seed, drivers=drivers, saved=one.saved).means
    return np.asarray(means["mean"].to_numpy().reshape(-1, horizon))


def _about(row: object) -> str:
    driver, first, last = (getattr(row, n) for n in ("driver", "response_first", "response_last"))
    told = f"its own response to '{driver}', for comparison only: {first:+.2g}% in the first period for 1% more, {last:+.2g}% in the last"
    low, middle, high = (getattr(row, n) for n in ("effect_low", "effect", "effect_high"))
    if np.isnan(middle):
        return f"{told}; no elasticity could be estimated"
    return f"{told}; scenarios use what history says over all series, {middle:+.2g}% ({low:+.2g} to {high:+.2g})"
