"""Sizes that are numbers of people: what one of them is in the unit and the period of the series.

In: a `Change` whose size is a number, and the series that it acts on. Out: the factor from its unit to theirs. Refuses units that do not
fit: people and households are two measures, which only a household size joins.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from demand.errors import Fault, ScenarioError, listed, raise_all
from demand.scenario.case import WhatIf
from demand.scenario.change import Change
from demand.scenario.exposure import PERIODS_A_YEAR
from demand.spec import PERIODS, Unit
from demand.tables import frequency_of

__all__ = ["in_a_period", "one_measure"]

A_YEAR = {**PERIODS_A_YEAR, "day": 365.25, "night": 365.25, "week": 365.25 / 7}


def in_a_period(case: WhatIf, change: Change, series: pd.DataFrame, *, at: str) -> float | np.ndarray:
    """Check the unit of a number of people against the series, and say what one of it is in a period of theirs.

    Parameters
    ----------
    case : WhatIf
    change : Change
    series : pandas.DataFrame
        The series that it acts on.
    at : str
        The place in the config, for messages.

    Returns
    -------
    float or numpy.ndarray
        A factor on the size, shape (draws,) where a household size joins people and households.

    Raises
    ------
    ScenarioError
        Where the unit does not fit.
    """
    written, frequency = change.sizes[0].unit, frequency_of(case.draws)
    unit, faults = Unit.parse(written), one_measure(series, at=at)
    counted = {Unit.parse(str(u)).of for u in series["unit"]}
    joins = change.household_size is not None and {unit.of, *counted} == {"person", "household"}
    if counted != {unit.of} and not joins:
        allowed = (
            f"These series count {listed(sorted(counted))}. A size is in one unit; people and households are joined by 'household_size'"
        )
        faults.append(Fault(f"the unit '{written}' does not fit", where=f"{at}.size.unit", allowed=allowed))
    if unit.period and "stock" in set(series["kind"]):
        faults.append(Fault(f"a stock has no size per {unit.period}", where=f"{at}.size.unit", allowed=f"Write '{unit.of}'"))
    if unit.per and (unit.period is None or unit.period not in A_YEAR or len(unit.per) > 1):
        known = listed(sorted(PERIODS & set(A_YEAR)))
        faults.append(Fault(f"the unit '{written}' is not a number", f"{at}.size.unit", f"One of {known}"))
    raise_all(faults, ScenarioError)
    factor = A_YEAR[unit.period] / frequency.per_year if unit.period else 1.0
    return factor * _people(case, change, to=counted.pop()) if joins else factor


def one_measure(series: pd.DataFrame, *, at: str) -> list[Fault]:
    """Find flows and stocks that would be taken together."""
    mixed = series["kind"].nunique() > 1
    return [Fault("flows and stocks are taken together", where=f"{at}.where", do_next="Make one change for each")] if mixed else []


def _people(case: WhatIf, change: Change, *, to: str) -> np.ndarray:
    """Give households a person, or people a household, in every draw."""
    if change.household_size is None or to == Unit.parse(change.sizes[0].unit).of:
        return np.ones(1)
    size = np.maximum(change.household_size.draw(case.draws.sizes["draw"], seed=case.seed, name=f"household size {change.identity}"), 1.0)
    return np.asarray(1 / size if to == "household" else size)
