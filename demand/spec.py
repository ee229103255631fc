"""Settings, and numbers with a passport.

In: what an analyst wrote. Out: `Spec`, the frozen parent of every room's settings, and `Assumption`, a number with its unit, 80 % range,
source, date and owner. Refuses unknown keys, ranges that do not hold their value, and units that nobody knows.
"""

from __future__ import annotations

import hashlib
import json
import math
from datetime import date
from statistics import NormalDist
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ModelWrapValidatorHandler, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from demand.errors import did_you_mean

if TYPE_CHECKING:
    import numpy as np

__all__ = ["LEDGER", "Assumption", "NameList", "Spec", "Unit", "Where", "fingerprint", "stream"]

LEDGER = "ledger"
"""Where validation finds the numbers that have names: `context={LEDGER: {name: Assumption}}`; None stands for an entry with faults."""
EIGHTY = NormalDist().inv_cdf(0.9)
"""Half the width of an 80 % range of a standard normal: 1.2816."""

NOUNS = {
    "people": "person", "persons": "person", "households": "household", "children": "child", "adults": "adult", "places": "place",
    "placements": "placement", "packages": "package", "cases": "case", "episodes": "episode", "applications": "application",
    "attendances": "attendance", "families": "family", "nights": "night", "days": "day", "weeks": "week", "months": "month",
    "quarters": "quarter", "years": "year", "hours": "hour", "visits": "visit", "rooms": "room", "units": "unit", "carers": "carer",
    "referrals": "referral", "plans": "plan", "prisoners": "prisoner", "beds": "bed", "ratios": "ratio", "pounds": "GBP", "£": "GBP",
}  # fmt: skip
"""Plural to singular: the words that stand in units."""
PERIODS = frozenset({"night", "day", "week", "fortnight", "four weeks", "month", "quarter", "year", "hour"})


def _factors(value: Any) -> Any:
    return {value: 1.0} if isinstance(value, str) else value


Factors = Annotated[dict[str, Annotated[float, Field(ge=-1, le=1)]], BeforeValidator(_factors)]
"""Name of what several numbers share -> rank correlation with it; a name alone means 1."""


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str | int | float | bool) else value


NameList = Annotated[list[str], BeforeValidator(lambda v: [str(x) for x in v] if isinstance(v := _as_list(v), list) else v)]
"""One name or several; one is taken as a list of one."""
Where = dict[str, NameList]
"""Selectors: key column -> the values meant. All columns must match; any of a column's values will do."""


class Spec(BaseModel):
    """The parent of all settings: frozen, checked, and closed to keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits made from the content alone."""
        return fingerprint(self.model_dump(mode="json"))


class Unit(Spec):
    """What a number counts, and per what: GBP per household and week, for example.

    Examples
    --------
    >>> Unit.parse("GBP/household/week").per
    ('household', 'week')
    """

    of: str
    """What is counted: GBP, person, household, ratio."""
    per: tuple[str, ...] = ()
    """What it is counted per, in the order written."""

    @classmethod
    def parse(cls, text: str) -> Unit:
        """Read "GBP/household/week", "ratio", "per year" or "people".

        Raises
        ------
        ValueError
            Where the text is empty or has an empty part.
        """
        words = text.strip().replace("per ", "1/", 1) if text.strip().startswith("per ") else text.strip()
        parts = [NOUNS.get(p.strip(), p.strip()) for p in words.replace(" per ", "/").split("/")]
        if not all(parts):
            raise ValueError(f"'{text}' is not a unit. Write for example 'GBP/household/week', 'ratio' or 'per year'.")
        return cls(of=parts[0], per=tuple(parts[1:]))

    @property
    def period(self) -> str | None:
        """The stretch of time in the unit, if there is one: night, week, year."""
        return next((p for p in self.per if p in PERIODS), None)

    @property
    def counted(self) -> str | None:
        """Who or what is paid for, if the unit says: household, child, placement."""
        return next((p for p in self.per if p not in PERIODS), None)

    def __str__(self) -> str:
        """Give the unit as it is written in a config."""
        return "/".join((self.of, *self.per))


class Assumption(Spec):
    """A number that somebody answers for.

    `low` to `high` is an 80 % range: four times in five the truth is expected inside it.
    """

    value: float
    """The best single figure, in the middle of what is expected."""
    unit: str
    """What the number counts: ratio, GBP/household/week, per year..."""
    low: float
    """One time in ten the truth is below this."""
    high: float
    """One time in ten the truth is above this."""
    source: str
    """Where the number comes from, so that another can look it up."""
    as_of: date
    """The day for which the number was right."""
    owner: str
    """Who answers for it: a role, not a name."""
    placeholder: bool = False
    """True where nobody has given the number yet: every page that uses it says so."""
    review_by: date | None = None
    """After this day the number is marked as old."""
    moves_with: Factors = Field(default_factory=dict)
    """What the number shares with others: inflation, or {inflation: 0.7}, its rank correlation with it. Numbers with the same name move
    together: two with a name alone go high and low at once, one with 0.7 follows them at a rank correlation of 0.7."""

    @model_validator(mode="wrap")
    @classmethod
    def _by_name(cls, data: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        if not isinstance(data, str):
            return handler(data)
        known = (info.context or {}).get(LEDGER, {})
        if data not in known:
            raise ValueError(f"no assumption has this name. {did_you_mean(data, known) if known else 'There is no ledger of them.'}")
        if known[data] is None:
            raise PydanticCustomError(LEDGER, "this entry of the ledger has faults of its own")
        return handler(known[data])

    @model_validator(mode="before")
    @classmethod
    def _range_defaults(cls, data: Any) -> Any:
        if isinstance(data, dict) and "value" in data and "low" not in data and "high" not in data:
            raise ValueError("'low' and 'high' are missing: the 80 % range. Give both; the value itself twice says that it is certain.")
        return data

    @model_validator(mode="after")
    def _holds(self) -> Assumption:
        if not self.low <= self.value <= self.high:
            raise ValueError(f"the range {self.low:g} to {self.high:g} does not hold the value {self.value:g}. Order: low, value, high.")
        if not self.source.strip() or not self.owner.strip():
            raise ValueError("'source' and 'owner' may not be empty: say where the number comes from and who answers for it.")
        if sum(_normal_correlation(rank) ** 2 for rank in self.moves_with.values()) > 1 + 1e-9:
            named = ", ".join(f"{name} {rank:g}" for name, rank in self.moves_with.items())
            raise ValueError(f"a number cannot move this closely with several others at once ({named}). Make the correlations smaller.")
        Unit.parse(self.unit)
        return self

    def draw(self, draws: int, *, seed: int, name: str) -> np.ndarray:
        """Draw possible values of the number.

        The middle draw is `value`, one in ten lies below `low` and one in ten above `high`: two halves of normals that meet at the
        median. Where `low` is not negative, no draw is. What the number `moves_with` is drawn once for all numbers that name it (a Gaussian
        copula with one factor a name), so that each keeps its own range.

        Parameters
        ----------
        draws : int
            How many.
        seed : int
            The run's seed.
        name : str
            What the number is used for; the same seed and name give the same draws, whatever else is drawn.

        Returns
        -------
        numpy.ndarray
            float64, shape (draws,).

        References
        ----------
        Two-piece normal, here joined at the median: Wallis, K. F. (2014). The two-piece normal, binormal, or double Gaussian distribution.
        Statistical Science 29(1), 106-112. Factor copula: Joe, H. (2014). Dependence Modeling with Copulas, section 3.10; from a rank
        correlation to that of normals: Kruskal, W. H. (1958). Ordinal Measures of Association. JASA 53, 814-861.
        """
        return self.at(self.places(draws, seed=seed, name=name))

    def places(self, draws: int, *, seed: int, name: str) -> np.ndarray:
        """Draw where in its range the number lies: -1 is the low end, 0 the value, 1 the high end; the ends do not matter for it."""
        import numpy as np

        z = stream(seed, "assumption", name).standard_normal(draws)
        if self.moves_with:
            shared = {factor: _normal_correlation(rank) for factor, rank in self.moves_with.items()}
            z = z * math.sqrt(max(0.0, 1 - sum(weight**2 for weight in shared.values())))
            z = z + sum(weight * stream(seed, "moves with", factor).standard_normal(draws) for factor, weight in sorted(shared.items()))
        return np.asarray(z / EIGHTY)

    def at(self, places: np.ndarray) -> np.ndarray:
        """Give the number at places in its range, as `places` gives them."""
        import numpy as np

        values = self.value + np.where(places < 0, places * (self.value - self.low), places * (self.high - self.value))
        return np.asarray(np.maximum(values, 0.0) if self.low >= 0 else values)


def _normal_correlation(rank: float) -> float:
    """Give the correlation of two normals whose ranks correlate by `rank` (Spearman): 2 sin(pi rank / 6)."""
    return rank if abs(rank) == 1 else 2 * math.sin(math.pi * rank / 6)  # 1 to the bit: a name alone means the same draws


def fingerprint(*parts: Any) -> str:
    """Give sixteen hexadecimal digits that stand for the content of plain data (sha256 of canonical JSON).

    Parameters
    ----------
    *parts
        Anything that JSON can hold; dates and paths are taken as text.

    Returns
    -------
    str
    """
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def stream(seed: int, *names: object) -> np.random.Generator:
    """Give the random numbers of one purpose: the same seed and names give the same numbers, in whatever order purposes are served.

    Parameters
    ----------
    seed : int
        The run's seed.
    *names
        What the numbers are for.

    Returns
    -------
    numpy.random.Generator
    """
    import numpy as np

    digest = hashlib.sha256("\x1f".join(map(str, names)).encode()).digest()
    return np.random.default_rng(np.random.SeedSequence([seed, *np.frombuffer(digest[:16], dtype=np.uint32).tolist()]))
