"""Bringing groups nearer to each other: level up, level down, or share out in proportion.

In: a `Change` with `effect: level`. Out: by series, what its baseline is multiplied by where the gap is closed whole. Refuses keys that the
data does not have, and populations that are not known by group.

A group's level is its expected demand over the whole forecast, per head of its population where one is named (`per`), else the count
itself. Levelling up brings each group to the highest, levelling down to the lowest; towards the average, what all groups expect together
stays the same, and each gets its share by population (or the same count).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from demand.errors import Fault, ScenarioError, did_you_mean, raise_all
from demand.people import whose
from demand.scenario.case import WhatIf
from demand.scenario.change import Change
from demand.scenario.units import one_measure
from demand.tables import series_of

__all__ = ["gaps"]


def gaps(case: WhatIf, change: Change, rows: np.ndarray, *, at: str) -> tuple[np.ndarray, dict[str, str]]:
    """Say how far each series is from where levelling would bring its group.

    Parameters
    ----------
    case : WhatIf
    change : Change
    rows : numpy.ndarray
        Positions of the series meant.
    at : str
        The place in the config, for messages.

    Returns
    -------
    ratio : numpy.ndarray
        The group's target over its level, shape (rows,); 1 for groups without any demand, which are told.
    warnings : dict of str to str

    Raises
    ------
    ScenarioError
        Where there are no two groups that can be compared.
    """
    series = series_of(case.draws).iloc[rows]
    key = str(change.between)
    if key not in series or key in ("kind", "unit"):
        keys = [c for c in series.columns if c not in ("kind", "unit")]
        raise ScenarioError(Fault(f"'{key}' is not a key of the data", f"{at}.between", did_you_mean(key, keys)))
    faults = one_measure(series, at=at)
    if series["unit"].nunique() > 1:
        faults.append(Fault("different units are taken together", f"{at}.where", do_next="Make one change for each"))
    groups = series[key].astype(str)
    if groups.nunique() < 2:
        faults.append(Fault(f"there is one group only: {key} {groups.iloc[0]}", f"{at}.where", "Two or more groups, to be compared"))
    raise_all(faults, ScenarioError)
    expected = case.draws.transpose("series", "ds", "draw").to_numpy()[rows].mean(axis=(1, 2), dtype=np.float64)
    count = pd.Series(expected, index=groups.to_numpy()).groupby(level=0, sort=False).sum()
    people = pd.Series(1.0, index=count.index) if change.per is None else _people(case, change, groups, at=at)
    rate = count / people
    target = {"highest": rate.max(), "lowest": rate.min(), "average": count.sum() / people.sum()}[str(change.towards)]
    empty = rate[rate <= 0].index
    ratio = (target / rate.where(rate > 0)).fillna(1.0)  # where nothing is expected a ratio has no meaning: left, and told
    told = {str(i): "no demand is expected here, so there is nothing to level: left as it was" for i in series.index[groups.isin(empty)]}
    return ratio.reindex(groups).to_numpy(), told


def _people(case: WhatIf, change: Change, groups: pd.Series, *, at: str) -> pd.Series:
    """Give the mean population of each group over the forecast."""
    known = set() if case.drivers is None else set(case.drivers["name"].astype(str))
    of = whose(str(change.per), series_of(case.draws), known)
    named = groups.index.to_series().astype(str).map(of)
    if case.drivers is None or not of:
        bases = sorted({name.split(" (")[0] for name in known})
        raise ScenarioError(
            Fault(f"no population '{change.per}' is known for every series", f"{at}.per", did_you_mean(str(change.per), bases))
        )
    ahead = case.drivers[case.drivers["ds"].isin(case.draws["ds"].to_numpy())]
    means = ahead.groupby(ahead["name"].astype(str))["value"].mean()
    whole = pd.DataFrame({"group": groups.to_numpy(), "name": named.to_numpy()}).drop_duplicates()
    if whole["name"].duplicated().any():
        found = f"'{change.per}' is not given by {change.between}: groups would share one population"
        raise ScenarioError(Fault(found, f"{at}.per", do_next="Give the population by this key (data.drivers.keys), or leave 'per' out"))
    return whole.assign(people=whole["name"].map(means)).groupby("group", sort=False)["people"].sum()
