"""A grid of levers: a scenario at every combination of some of its numbers.

In: a `Sweep`, and what its scenario is made from. Out: by combination of values, the draws that it comes to. Refuses scenarios, changes and
numbers that are not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from pydantic import Field, ValidationError

from demand.errors import Fault, ScenarioError, did_you_mean, raise_all
from demand.scenario.application import Outcome, resized, under
from demand.scenario.case import WhatIf
from demand.scenario.change import Change, Scenario, by_name, unfold
from demand.spec import Spec

__all__ = ["Lever", "Sweep", "grid", "sweep_faults"]


class Lever(Spec):
    """One number of one change, and the values that it is tried at."""

    change: str
    """The change's name."""
    number: str = "size"
    """Which of its numbers: size, probability, delay, rate_now, elasticity or household_size."""
    values: list[float] = Field(min_length=1)
    """What it is tried at, in the unit of the number."""


class Sweep(Spec):
    """What comes of a scenario when one or two of its numbers take every value of a list; all else is drawn as ever."""

    name: str
    """What it is called in sweep.csv."""
    scenario: str
    """The scenario that is tried."""
    levers: list[Lever] = Field(min_length=1, max_length=2)
    """One lever is a line, two are a table."""


def sweep_faults(sweeps: Sequence[Sweep], scenarios: Sequence[Scenario]) -> list[Fault]:
    """Find what sweeps name that is not there.

    Raises
    ------
    ScenarioError
        Where the scenarios themselves do not hold.
    """
    known, faults = by_name(scenarios), []
    for sweep in sweeps:
        at = f"sweeps > {sweep.name}"
        if sweep.scenario not in known:
            faults.append(Fault(f"'{sweep.scenario}' is not a scenario", f"{at} > scenario", did_you_mean(sweep.scenario, known)))
            continue
        changes = unfold(known[sweep.scenario], known)
        for position, lever in enumerate(sweep.levers):
            faults += _lever_faults(lever, changes, at=f"{at} > levers[{position}]")
    return faults


def _lever_faults(lever: Lever, changes: dict[str, Change], *, at: str) -> Iterator[Fault]:
    if lever.change not in changes:
        yield Fault(f"'{lever.change}' is not a change of this scenario", f"{at} > change", did_you_mean(lever.change, changes))
        return
    change = changes[lever.change]
    if lever.number not in change.ends:
        yield Fault(f"'{lever.change}' has no number '{lever.number}'", f"{at} > number", did_you_mean(lever.number, change.ends))
        return
    for value in lever.values:
        try:
            Change.model_validate(change.fixed(lever.number, value).model_dump())
        except ValidationError as error:
            said = error.errors()[0]["msg"].removeprefix("Value error, ")
            yield Fault(f"{value:g} cannot be: {said}", f"{at} > values")


def grid(case: WhatIf, sweep: Sweep) -> Iterator[tuple[tuple[float, ...], Outcome]]:
    """Give the outcome of a scenario at every combination of the levers' values.

    Parameters
    ----------
    case : WhatIf
    sweep : Sweep

    Yields
    ------
    tuple of float
        The values, in the order of the levers.
    Outcome

    Raises
    ------
    ScenarioError
        With all that the sweep names and that is not there.
    """
    raise_all(sweep_faults([sweep], case.scenarios), ScenarioError, during="reading the sweeps")
    known = by_name(case.scenarios)
    scenario = known[sweep.scenario]
    outcome = under(case, unfold(scenario, known), together=scenario.together)
    for values in product(*(lever.values for lever in sweep.levers)):
        numbers = {(lever.change, lever.number): value for lever, value in zip(sweep.levers, values, strict=True)}
        yield values, resized(case, outcome, numbers, together=scenario.together)
