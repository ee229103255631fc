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

__all__ = ["BASELINE", "Change", "Scenario", "Variant", "by_name", "places", "standing", "unfold"]

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


class Variant(Spec):
    """One of several sizes that a change may have."""

    probability: float = Field(ge=0, le=1)
    """How likely it is taken to be. Where the probabilities of all variants come to less than 1, the rest stays as it was forecast."""
    size: Assumption
    """How large the change then is."""


NEEDS = {"driver": ("driver",), "shift": ("to",), "rate": ("rate_now",), "level": ("between", "towards")}
"""Keys that one effect needs, and no other has, but for those of `MAY_HAVE`."""
MAY_HAVE = {"elasticity": ("driver",), "counts": ("rate",), "per": ("level",), "household_size": ("add", "cap", "shift"),
            "to": ("shift", "moves", "cap")}  # fmt: skip
"""Keys that some effects may have, and no other has."""
FLOWS = ("entries", "stay", "moves")
"""Effects on how stocks come about, which need a `caseload`."""
RATIOS = ("multiply", "driver", "rate", "level", "price", *FLOWS)
"""Effects whose size is a ratio."""
SHARES = {"shift": "a share that moves", "level": "the share of a gap that is closed", "rate": "a rate"}


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
    effect: Literal["multiply", "add", "cap", "driver", "shift", "rate", "level", "entries", "stay", "moves", "price"]
    """multiply: times `size`. add: plus `size`, for all series meant taken together. cap: at most `size`, taken together; with `to`, who
    does not fit goes there. driver: what
    `driver` times `size` would do, by the effects that were estimated, or by `elasticity`. shift: the share (or number) `size` moves to the
    series of `to`. rate: a rate of success goes from `rate_now` to `size`, and with it those who are counted because it did not succeed.
    level: groups come nearer to each other, by the share `size` of the gap. price: what one costs is times `size`. With a `caseload`:
    entries, new starts from outside are times `size`; stay, what is left of each stay from then on is; moves, how many stays end in a move
    is, or with `to` in a move there. Stocks, and the price of a place, follow from these."""
    driver: str | None = None
    """For `effect: driver`: the driver that takes another path."""
    elasticity: Assumption | None = None
    """For `effect: driver`: an assumed effect in place of the estimated one; 0.5 means that 10 % more of the driver brings 5 % more."""
    to: Where | None = None
    """For `effect: shift`, and `cap`: where people go; they keep the keys that are not named here. For `effect: moves`: to where."""
    rate_now: Assumption | None = None
    """For `effect: rate`: the share of cases that succeed today, as a ratio."""
    counts: Literal["failures", "successes"] | None = None
    """For `effect: rate`: whether the series count those for whom it failed (the default: 0.55 to 0.65 is 0.35 / 0.45 of them) or those for
    whom it succeeded."""
    between: str | None = None
    """For `effect: level`: the key whose values are the groups: area, segment."""
    towards: Literal["highest", "lowest", "average"] | None = None
    """For `effect: level`: highest levels up, lowest levels down, average keeps the total and shares it out in proportion."""
    per: str | None = None
    """For `effect: level`: the driver with each group's population, so that rates are compared; without it, counts are."""
    start: FirstDay | None = None
    """From this day or month on; without it, from the first day of the forecast."""
    delay: Assumption | None = None
    """How many months later than `start` it may begin (below 0: earlier), drawn in whole months: for dates that are not certain."""
    end: LastDay | None = None
    """Until this day or month; without it, to the end."""
    ramp_months: float = Field(default=0, ge=0)
    """Months from `start` until the change has its whole size; it grows by the same step every day."""
    probability: Assumption | None = None
    """How likely it is that the change happens at all, as a ratio; without it, it is certain. In draws without it nothing is changed."""
    household_size: Assumption | None = None
    """People in a household: joins a size in people with series that count households, or the other way round."""
    size: Assumption | None = None
    """How large, with range and source."""
    variants: dict[str, Variant] = Field(default_factory=dict)
    """In place of `size`: several sizes by name, of which each draw takes one by its probability."""

    @model_validator(mode="after")
    def _holds(self) -> Change:
        for effect, keys in NEEDS.items():
            for key in keys:
                given, mine = getattr(self, key) is not None, self.effect == effect
                if (mine and not given) or (given and not mine and key not in MAY_HAVE):
                    raise ValueError(f"'{key}' belongs to 'effect: {effect}', and 'effect: {effect}' needs it.")
        for key, effects in MAY_HAVE.items():
            if getattr(self, key) is not None and self.effect not in effects:
                raise ValueError(f"'{key}' belongs to {' and '.join(f'effect: {effect}' for effect in effects)}.")
        if (self.size is None) != bool(self.variants):
            raise ValueError("a change has either a 'size', or 'variants' with a size each.")
        if sum(v.probability for v in self.variants.values()) > 1 + 1e-9:
            raise ValueError("the probabilities of the variants come to more than 1.")
        self._dates_hold()
        self._units_hold()
        for size in self.sizes:
            self._size_holds(size)
        return self

    def _dates_hold(self) -> None:
        if self.start and self.end and self.end < self.start:
            raise ValueError(f"'end' {self.end} is before 'start' {self.start}.")
        for key in ("ramp_months", "delay"):
            if getattr(self, key) and self.start is None:
                raise ValueError(f"'{key}' needs a 'start'.")

    def _units_hold(self) -> None:
        if self.delay and self.delay.unit not in ("months", "month"):
            raise ValueError(f"'delay' is in 'months', not '{self.delay.unit}'.")
        if self.household_size and str(Unit.parse(self.household_size.unit)) != "person/household":
            raise ValueError(f"'household_size' is in 'people/household', not '{self.household_size.unit}'.")
        for key in ("probability", "rate_now", "elasticity"):
            number = getattr(self, key)
            if number is not None and Unit.parse(number.unit).of not in ("ratio", "share"):
                raise ValueError(f"'{key}' is a 'ratio', not '{number.unit}'.")
            if number is not None and key != "elasticity" and not 0 <= number.low <= number.high <= 1:
                raise ValueError(f"'{key}' lies between 0 and 1, not between {number.low:g} and {number.high:g}.")
        if self.rate_now and (self.rate_now.high == 1 if self.counts != "successes" else self.rate_now.low == 0):
            raise ValueError("'rate_now' leaves nobody to count: its range must end before 1 (for successes: begin above 0).")

    def _size_holds(self, size: Assumption) -> None:
        unit, ratio = Unit.parse(size.unit), self.effect in RATIOS
        if ratio and unit.of not in (("ratio", "share") if self.effect in SHARES else ("ratio",)):
            raise ValueError(f"'effect: {self.effect}' needs a size in 'ratio' (0.94 = six in a hundred fewer), not '{size.unit}'.")
        if unit != Unit.parse(self.sizes[0].unit):
            raise ValueError(f"the variants of '{self.name}' have different units: '{self.sizes[0].unit}' and '{size.unit}'.")
        if self.effect != "add" and size.low < 0:
            raise ValueError(f"'effect: {self.effect}' cannot have a size below zero ({size.low:g}).")
        if self.effect in SHARES and self.is_share and size.high > 1:
            raise ValueError(f"{SHARES[self.effect]} cannot be above 1 ({size.high:g}).")

    @property
    def sizes(self) -> tuple[Assumption, ...]:
        """The size, or that of each variant."""
        return (self.size,) if self.size is not None else tuple(v.size for v in self.variants.values())

    @property
    def is_share(self) -> bool:
        """True where the size is a ratio or a share, not a number of people."""
        return Unit.parse(self.sizes[0].unit).of in ("ratio", "share")

    @property
    def identity(self) -> str:
        """What the change is, whatever its size and dates: the same identity has the same random numbers in every scenario and run."""
        return fingerprint(self.name, self.effect, self.where, self.driver, self.to)

    @property
    def ends(self) -> dict[str, tuple[float, float]]:
        """The low and the high end of each number that the change rests on, by its key; of variants, the smallest and the largest size."""
        numbers = {key: getattr(self, key) for key in ("delay", "probability", "rate_now", "elasticity", "household_size")}
        size = (self.size.low, self.size.high) if self.size else (min(s.value for s in self.sizes), max(s.value for s in self.sizes))
        return {"size": size, **{key: (number.low, number.high) for key, number in numbers.items() if number is not None}}

    def fixed(self, key: str, value: float) -> Change:
        """Give the same change with one of its numbers (a key of `ends`) certain."""
        number = self.sizes[0] if key == "size" else getattr(self, key)
        certain = number.model_copy(update={"value": value, "low": value, "high": value})
        return self.model_copy(update={key: certain, **({"variants": {}} if key == "size" else {})})

    @property
    def sentence(self) -> str:
        """What the change does, in words."""
        number = " or ".join(f"{s.value:g}" for s in self.sizes)
        counted = "" if self.is_share else f" {self.sizes[0].unit}"
        words = {
            "multiply": f"times {number}",
            "add": f"{number}{counted} more, shared out among the series",
            "cap": f"at most {number}{counted} together{f', the others to {_named(self.to)}' if self.to else ''}",
            "driver": f"what {self.driver} times {number} brings",
            "shift": f"{number}{counted or ' of them'} move to {_named(self.to or {})}",
            "rate": f"success goes from {self.rate_now.value if self.rate_now else 0:g} to {number} ({self.counts or 'failures'} counted)",
            "entries": f"entries times {number}",
            "stay": f"what is left of stays times {number}",
            "moves": f"moves{f' to {_named(self.to)}' if self.to else ''} times {number}",
            "price": f"price times {number}",
            "level": f"{number} of the gap to the {self.towards} of each {self.between} is closed",
        }
        when = f", from {self.start}" if self.start else ""
        late = f", or {self.delay.low:g} to {self.delay.high:g} months later" if self.delay else ""
        odds = f", if it happens (probability {self.probability.value:g})" if self.probability else ""
        return f"{_named(self.where) or 'everything'}: {words[self.effect]}{when}{late}{odds}"


def _named(where: Where) -> str:
    return "; ".join(f"{key} {', '.join(values)}" for key, values in where.items())


class Scenario(Spec):
    """A what-if: changes, or other scenarios taken together. Data, never code."""

    name: str
    """What it is called in the config, in files and on the command line."""
    question: str = ""
    """The question that it answers, in plain words."""
    rationale: str = ""
    """Why it is asked, and what the figures rest on as a whole."""
    source: str = ""
    """Where the whole comes from: an Act, a plan, a statistical release."""
    status: str = ""
    """How far it has come: a bill, an Act not yet in force, in force, a proposal."""
    as_of: date | None = None
    """The day for which it was right."""
    expires: date | None = None
    """After this day it must be looked at again: it is then marked as old."""
    changes: tuple[Change, ...] = ()
    """What would be different."""
    combines: tuple[str, ...] = ()
    """Names of other scenarios whose changes are part of this one."""
    together: Literal["multiply", "add"] | None = None
    """What happens where two changes meet in one series and period: their ratios to the baseline are multiplied, or their differences from
    it are added; caps act last, on what the others have made. Changes of entries, stay and moves act on the same people at once, and
    multiply where they act on one thing. Without it, meeting is an error."""

    @model_validator(mode="after")
    def _holds(self) -> Scenario:
        if self.name == BASELINE:
            raise ValueError(f"'{BASELINE}' is the name of the forecast as it is. Choose another.")
        twice = [n for n, k in Counter(c.name for c in self.changes).items() if k > 1]
        if twice:
            raise ValueError(f"two changes are called '{twice[0]}'. Give each its own name.")
        return self


def standing(scenarios: Sequence[Scenario], as_of: date) -> tuple[str, ...]:
    """Say how far what scenarios ask about has come, and which are past the day on which they must be looked at again."""
    told = [f"The scenario '{s.name}': {s.status.rstrip('.')} ({s.source or 'no source'})." for s in scenarios if s.status]
    old = [s for s in scenarios if s.expires is not None and s.expires < as_of]
    return (*told, *(f"The scenario '{s.name}' was to be looked at again by {s.expires}: see whether it still holds." for s in old))


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
