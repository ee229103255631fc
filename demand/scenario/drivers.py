"""What another path of a driver does: by the effects that were estimated, or by an assumed one with a source.

In: a `Change` with `effect: driver`, and EFFECTS. Out: what demand is multiplied by, by series, period and draw. Refuses drivers without
effects; says where a driver would leave the range in which its effect was observed.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from demand.driver_futures import followed
from demand.errors import Fault, ScenarioError, did_you_mean, listed
from demand.people import whose
from demand.scenario.case import WhatIf
from demand.scenario.change import Change
from demand.scenario.timing import phase
from demand.tables import frequency_of, series_of

__all__ = ["driven"]

LEAST = 1e-12
"""A driver that would be gone has no logarithm; it is taken as this share of what it was."""


def driven(
    case: WhatIf, change: Change, ids: pd.Index, weight: np.ndarray, size: np.ndarray, *, at: str
) -> tuple[np.ndarray, dict[str, str]]:
    """Give what a driver's other path multiplies demand by, and what must be said of it.

    The ratio is (new / old) ^ elasticity in every draw. A stock that was found to follow a driver slowly (a half-life in EFFECTS) follows
    the new path as slowly, from where it stands.

    Parameters
    ----------
    case : WhatIf
    change : Change
    ids : pandas.Index
        The series meant.
    weight : numpy.ndarray
        How far the change has come, shape (series, periods, draws) or one for all draws.
    size : numpy.ndarray
        Shape (draws,).
    at : str
        The place in the config, for messages.

    Returns
    -------
    ratio : numpy.ndarray
        Shape (series, periods, draws); 1 where no effect is known, which is told.
    warnings : dict of str to str
        By unique_id; '' for the change as a whole.

    Raises
    ------
    ScenarioError
        Where nothing is known of the driver, or of what it does here.
    """
    elasticity, half_life, warnings = _effects(case, change, ids, at=at)
    path = 1 + weight * (size - 1)
    ratio = np.asarray(path ** elasticity[:, None, :])
    for row in np.flatnonzero(half_life.any(axis=1)):
        slow = followed(np.log(np.maximum(path[row], LEAST))[None], half_life[row])[0]
        ratio[row] = np.exp(elasticity[row] * slow)
    return ratio, warnings


def _effects(case: WhatIf, change: Change, ids: pd.Index, *, at: str) -> tuple[np.ndarray, np.ndarray, dict[str, str]]:
    """Give elasticities and half-lives by series and draw."""
    effects, count = case.effects, case.draws.sizes["draw"]
    if change.elasticity is not None:
        assumed = change.elasticity.draw(count, seed=case.seed, name=f"elasticity {change.identity}")
        told = f"the effect of '{change.driver}' is assumed ({change.elasticity.source}), not estimated"
        each = np.broadcast_to(assumed, (len(ids), count))
        return each, np.zeros(each.shape), {"": told}
    if effects is None or effects.empty:
        found = f"no effects of drivers are known, so what '{change.driver}' would do cannot be said"
        raise ScenarioError(
            Fault(found, f"{at}.driver", do_next="Give drivers under data.drivers, or the change an 'elasticity' with its source")
        )
    ours = effects[effects["driver"] == change.driver]
    if ours.empty:
        known = sorted(effects["driver"].astype(str).unique())
        raise ScenarioError(
            Fault(f"'{change.driver}' is not a driver of this forecast", f"{at}.driver", did_you_mean(str(change.driver), known))
        )
    table, slow = (_wide(ours, column, ids) for column in ("elasticity", "half_life"))
    missing = table.isna().all(axis=1).to_numpy()
    if missing.all():
        raise ScenarioError(Fault(f"no effect of '{change.driver}' is known on {listed(ids)}", f"{at}.where"))
    if table.shape[1] != count or table[~missing].isna().any(axis=None):
        found = f"the effects of '{change.driver}' have {table.shape[1]} draws, or holes; the forecast has {count} draws"
        raise ScenarioError(Fault(found, f"{at}.driver", do_next="Use the effects that were estimated with this forecast"))
    warnings = {str(i): f"no effect of '{change.driver}' is known here: left as it was" for i in ids[missing]}
    outside = _outside(case, change, ours[ours["unique_id"].isin(ids)])
    each, slowly = (np.where(missing[:, None], 0.0, t.to_numpy(dtype=np.float64)) for t in (table, slow))
    return each, slowly, {**warnings, **({"": outside} if outside else {})}


def _wide(effects: pd.DataFrame, column: str, ids: pd.Index) -> pd.DataFrame:
    """Give one column of EFFECTS by series and draw; effects that say nothing of a half-life act at once."""
    told = effects if column in effects else effects.assign(**{column: 0.0})
    return told.pivot(index="unique_id", columns="draw", values=column).reindex(ids)


def _outside(case: WhatIf, change: Change, effects: pd.DataFrame) -> str:
    """Say where the driver's new path leaves the range in which its effect was observed."""
    if case.drivers is None or not {"observed_low", "observed_high"} <= set(effects.columns):
        return ""
    ds = pd.DatetimeIndex(case.draws["ds"].to_numpy())
    of = whose(str(change.driver), series_of(case.draws), set(case.drivers["name"].astype(str)))
    weight, told = pd.Series(phase(ds, frequency_of(case.draws), change)[0], index=ds), []
    sizes = [size.value for size in change.sizes]
    for name, mine in effects.groupby(effects["unique_id"].astype(str).map(of), sort=False):
        path = case.drivers[(case.drivers["name"] == name) & case.drivers["ds"].isin(ds)]
        far = weight.reindex(path["ds"]).to_numpy()
        level = np.concatenate([path["value"].to_numpy(dtype=float) * (1 + far * (size - 1)) for size in sizes])
        low, high = mine["observed_low"].min(), mine["observed_high"].max()
        if ((level < low) | (level > high)).any():
            found = f"'{name}' would be {level.min():,.4g} to {level.max():,.4g}"
            told.append(f"{found}; its effect was observed from {low:,.4g} to {high:,.4g} only, so beyond that it is a guess")
    return "; ".join(told)
