"""What somebody wants to know: changes, and scenarios made of them.

In: what an analyst wrote. Out: `Change` and `Scenario`, frozen, comparable, with fingerprints; and the list of changes that a scenario
comes to when the scenarios that it combines are unfolded. Refuses a change without what its effect needs, and combinations that name what
is not there.
"""

from __future__ import annotations

import calendar
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from demand.errors import Fault, ScenarioError, did_you_mean, raise_all
from demand.spec import Assumption, Spec, Unit, Where, fingerprint

__all__ = ["BASELINE", "Change", "Scenario", "by_name", "places", "unfold"]

BASELINE = "baseline"
"""The name of the forecast as it is: every comparison holds it."""


def _first_day(value: Any) -> Any:
    found = re.fullmatch(r"(\d{4})-(\d{2})", value) if isinstance(value, str) else None
    return f"{value}-01" if found else value


def _last_day(value: Any) -> Any:
    found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", value) if isinstance(value, str) else None
    return f"{value}-{calendar.monthrange(int(found[1]), int(found[2]))[1]:02d}" if found else value


FirstDay = Annotated[date, BeforeValidator(_first_day)]
"""A day, or a month written 2027-04, which means its first day."""
LastDay = Annotated[date, BeforeValidator(_last_day)]
"""A day, or a month written 2027-04, which means its last day."""


class Change(Spec):
    """One thing that would be different.

    Examples
    --------
    >>> size = {"value": 0.94, "low": 0.9, "high": 0.99, "unit": "ratio", "source": "pilot", "as_of": "2026-03-31", "owner": "finance"}
    >>> Change(name="fewer entries", effect="multiply", start="2027-04", ramp_months=6, size=size).start
    datetime.date(2027, 4, 1)
    """

    name: str
    """What it is called in tables and charts."""
    where: Where = Field(default_factory=dict)
    """Which series: key column -> values. Empty means all."""
    effect: Literal["multiply", "add", "cap", "driver", "shift"]
    """multiply: times `size`. add: plus `size`, for all series meant taken together. cap: at most `size`, taken together. driver: what
    `driver` times `size` would do, by the effects that were estimated. shift: the share (or number) `size` moves to the series of `to`."""
    driver: str | None = None
    """For `effect: driver`: the driver that takes another path."""
    to: Where | None = None
    """For `effect: shift`: where people go. They keep the keys that are not named here."""
    start: FirstDay | None = None
    """From this day or month on; without it, from the first day of the forecast."""
    end: LastDay | None = None
    """Until this day or month; without it, to the end."""
    ramp_months: float = Field(default=0, ge=0)
    """Months from `start` until the change has its whole size; it grows by the same step every day."""
    size: Assumption
    """How large, with range and source."""

    @model_validator(mode="after")
    def _holds(self) -> Change:
        if (self.effect == "driver") != (self.driver is not None):
            raise ValueError("'driver' belongs to 'effect: driver', and 'effect: driver' needs it.")
        if (self.effect == "shift") != (self.to is not None):
            raise ValueError("'to' belongs to 'effect: shift', and 'effect: shift' needs it.")
        if self.start and self.end and self.end < self.start:
            raise ValueError(f"'end' {self.end} is before 'start' {self.start}.")
        if self.ramp_months and self.start is None:
            raise ValueError("'ramp_months' needs a 'start'.")
        if self.effect in ("multiply", "driver") and Unit.parse(self.size.unit).of != "ratio":
            raise ValueError(f"'effect: {self.effect}' needs a size in 'ratio' (0.94 = six in a hundred fewer), not '{self.size.unit}'.")
        if self.effect != "add" and self.size.low < 0:
            raise ValueError(f"'effect: {self.effect}' cannot have a size below zero ({self.size.low:g}).")
        if self.effect == "shift" and self.is_share and self.size.high > 1:
            raise ValueError(f"a share that moves cannot be above 1 ({self.size.high:g}).")
        return self

    @property
    def is_share(self) -> bool:
        """True where the size is a ratio or a share, not a number of people."""
        return Unit.parse(self.size.unit).of in ("ratio", "share")

    @property
    def identity(self) -> str:
        """What the change is, whatever its size and dates: the same identity has the same random numbers in every scenario and run."""
        return fingerprint(self.name, self.effect, self.where, self.driver, self.to)

    def sized(self, value: float) -> Change:
        """Give the same change with a size that is certain."""
        return self.model_copy(update={"size": self.size.model_copy(update={"value": value, "low": value, "high": value})})


class Scenario(Spec):
    """A what-if: changes, or other scenarios taken together. Data, never code."""

    name: str
    """What it is called in the config, in files and on the command line."""
    question: str = ""
    """The question that it answers, in plain words."""
    changes: tuple[Change, ...] = ()
    """What would be different."""
    combines: tuple[str, ...] = ()
    """Names of other scenarios whose changes are part of this one."""
    together: Literal["multiply", "add"] | None = None
    """What happens where two changes meet in one series and period: their ratios to the baseline are multiplied, or their differences from
    it are added; caps act last, on what the others have made. Without it, meeting is an error."""

    @model_validator(mode="after")
    def _holds(self) -> Scenario:
        if self.name == BASELINE:
            raise ValueError(f"'{BASELINE}' is the name of the forecast as it is. Choose another.")
        twice = [n for n, k in Counter(c.name for c in self.changes).items() if k > 1]
        if twice:
            raise ValueError(f"two changes are called '{twice[0]}'. Give each its own name.")
        return self


def by_name(scenarios: Sequence[Scenario]) -> dict[str, Scenario]:
    """Give scenarios by their names.

    Raises
    ------
    ScenarioError
        Where two have the same name, or one combines what is not there, or itself.
    """
    known = {s.name: s for s in scenarios}
    faults = [Fault(f"two scenarios are called '{n}'", where="scenarios") for n, k in Counter(s.name for s in scenarios).items() if k > 1]
    for scenario in scenarios:
        at = f"scenarios > {scenario.name} > combines"
        faults += [Fault(f"'{n}' is not a scenario", where=at, allowed=did_you_mean(n, known)) for n in scenario.combines if n not in known]
        if _reaches(scenario.name, scenario, known, set()):
            faults.append(
                Fault(f"'{scenario.name}' combines itself", where=at, do_next="Take it out of the list, or out of the lists it names")
            )
    raise_all(faults, ScenarioError, during="reading the scenarios")
    return known


def unfold(scenario: Scenario, known: Mapping[str, Scenario]) -> dict[str, Change]:
    """Give all changes of a scenario by their labels, those of the scenarios that it combines among them.

    A change that comes in twice with the same content counts once. Where two changes have the same name, the label tells the scenario too.

    Parameters
    ----------
    scenario : Scenario
    known : mapping of name to Scenario
        As `by_name` gives them.

    Returns
    -------
    dict of str to Change
        In the order of their identity, so that the order in which they were written changes nothing, not even the last bit.
    """
    return {label: change for label, _, change in _labelled(scenario, known)}


def places(scenario: Scenario, known: Mapping[str, Scenario]) -> dict[str, str]:
    """Give the place in the config of each change that `unfold` gives, by the same labels: 'scenarios > early_help > changes[0]'."""
    return {label: place for label, place, _ in _labelled(scenario, known)}


def _labelled(scenario: Scenario, known: Mapping[str, Scenario]) -> list[tuple[str, str, Change]]:
    found = {change.fingerprint: (origin, position, change) for origin, position, change in _collect(scenario, known)}
    names = Counter(change.name for _, _, change in found.values())
    ordered = sorted(found.values(), key=lambda written: (written[2].identity, written[2].fingerprint))
    return [
        (change.name if names[change.name] == 1 else f"{origin}: {change.name}", f"scenarios > {origin} > changes[{position}]", change)
        for origin, position, change in ordered
    ]


def _collect(scenario: Scenario, known: Mapping[str, Scenario]) -> list[tuple[str, int, Change]]:
    """Walk through the combinations; each change comes with the name of the scenario that wrote it, and its position there."""
    inner = [written for name in scenario.combines for written in _collect(known[name], known)]
    return inner + [(scenario.name, position, change) for position, change in enumerate(scenario.changes)]


def _reaches(target: str, scenario: Scenario, known: Mapping[str, Scenario], seen: set[str]) -> bool:
    for name in scenario.combines:
        if name == target:
            return True
        if name in known and name not in seen and _reaches(target, known[name], known, seen | {name}):
            return True
    return False
