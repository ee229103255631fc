"""The example council itself: a place that does not exist, with everything that a council has, and the truth behind it.

In: a seed, a number of people, the services that are wanted. Out: `Council` with people, histories, drivers, prices, a budget and a return,
and `Truth`, which says what was planted. Refuses services that the council does not have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pandas as pd

from demand.calendar import FinancialYear, Frequency
from demand.data.example_drivers import driver_paths, published_drivers
from demand.data.example_people import Lives, attributes_of, intensity, live
from demand.data.example_truth import AREAS, FIRST, LAST, NOT_COLLECTED, PLANS, RECORDING_CHANGE, SHOCK, Plan
from demand.data.people import CountSpec, count_episodes, pseudonymise
from demand.errors import Fault, SettingsError, did_you_mean
from demand.spec import Assumption
from demand.tables import History

__all__ = ["EXAMPLE_KEY", "Council", "Truth"]

EXAMPLE_KEY = b"the published key of an example: never for real people"
"""The key of the example's pseudonyms: published, because nobody in the example is real."""
KEYS = ["service", "type", "area"]
MONTHLY = Frequency("M")
PAST_BUDGETS = ("2023-24", "2024-25", "2025-26")
"""Years that are over, whose budgets are remembered: each was the cost of the year before, and the same step."""
BUDGET_YEARS = ("2026-27", "2027-28", "2028-29")


@dataclass(frozen=True)
class Council:
    """A council with its tables. Nothing is made before it is asked for, and nothing is made twice.

    Parameters
    ----------
    seed : int
    size : int
        About how many people come to each service.
    services : tuple of str
    tiny : bool
        Whether it has two areas alone.
    """

    seed: int
    size: int
    services: tuple[str, ...]
    tiny: bool = False
    _made: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    name = "Example council"
    first, last = pd.Timestamp(FIRST), pd.Timestamp(LAST)

    @property
    def extracted(self) -> pd.Timestamp:
        """The day of the extract: the last day of the history."""
        return pd.Timestamp(MONTHLY.end_of(pd.DatetimeIndex([self.last]))[0])

    @property
    def areas(self) -> list[str]:
        """The areas of the council."""
        return list(AREAS[:2] if self.tiny else AREAS)

    def plan(self, service: str) -> Plan:
        """Give what was planted for a service.

        Raises
        ------
        SettingsError
            Where the council does not have the service.
        """
        if service not in self.services:
            raise SettingsError(Fault(f"'{service}' is not a service of this council", allowed=did_you_mean(service, self.services)))
        return PLANS[service]

    def keys(self, service: str) -> list[str]:
        """Give the key columns of a service: what its series are counted by."""
        self.plan(service)
        return list(KEYS)

    def attributes(self, service: str) -> list[str]:
        """Give the columns that are known about people when they come, for finding segments."""
        return ["age", *(a.name for a in self.plan(service).attributes), "times_before"]

    def counts(self, service: str) -> list[CountSpec]:
        """Give how episodes are counted: first contacts as a flow, places and packages as a stock."""
        plan = self.plan(service)
        return [
            CountSpec(where={"service": [plan.front]}, kind="flow", unit=plan.unit),
            CountSpec(where={"service": [plan.stock]}, kind="stock", unit=plan.unit),
        ]

    def people(self, service: str) -> pd.DataFrame:
        """Give PEOPLE of a service as an extract of 31 March 2026 would have them.

        Parameters
        ----------
        service : str

        Returns
        -------
        pandas.DataFrame
            One row an episode: person_id and episode_id (pseudonyms), opened, closed (missing = still open), the keys, the attributes,
            and price (GBP a week; missing for first contacts). First contacts of the ten years; places that were open in them.
        """
        if f"people {service}" not in self._made:
            self._made[f"people {service}"] = self._extract(service)
        return cast("pd.DataFrame", self._made[f"people {service}"].copy())

    def history(self, service: str) -> History:
        """Give the monthly HISTORY of a service, counted from its episodes."""
        return self._counted(self.people(service), service, self.first, self.last)

    def drivers(self, service: str) -> pd.DataFrame:
        """Give the published DRIVERS of a service: known to March 2026, projected with ranges to March 2031."""
        table = published_drivers(self.seed)
        return table[table["name"].isin(list(self.plan(service).elasticities))].reset_index(drop=True)

    @property
    def events(self) -> list[dict[str, str]]:
        """What happened that is neither level nor season, as a config would say it."""
        return [
            {"name": "the lockdowns", "start": SHOCK[0][:7], "end": SHOCK[1][:7], "kind": "shock"},
            {"name": "new case system", "start": RECORDING_CHANGE[:7], "kind": "recording"},
        ]

    @property
    def prices(self) -> Mapping[str, Mapping[str, Assumption]]:
        """What a week (of a place or package) or a case (of a first contact) costs on average in March 2026, by service and type."""
        return {service: self._prices(service) for service in self.services}

    @property
    def uplifts(self) -> Mapping[str, Assumption]:
        """How much prices are expected to rise a year, by service."""
        return {s: self._assumption(s, self.plan(s).price_growth, "per year", 0.015, digits=3) for s in self.services}

    @property
    def budget(self) -> pd.DataFrame:
        """The budget: service, line, financial_year, budget in GBP. Last year's cost and a fixed step a year, as councils often do."""
        rows = [row for service in self.services for row in self._budget(service)]
        return pd.DataFrame(rows, columns=["service", "line", "financial_year", "budget"])

    @property
    def returns(self) -> History:
        """The return on households in temporary accommodation, by type: two years of it were not collected."""
        table = self.history("homelessness").table.merge(self.history("homelessness").series.reset_index(), on="unique_id")
        stock = table[table["kind"] == "stock"].groupby(["type", "ds"], as_index=False)["y"].sum()
        missing = stock["ds"].between(pd.Timestamp(NOT_COLLECTED[0]), pd.Timestamp(NOT_COLLECTED[1]))
        long = stock.assign(y=stock["y"].mask(missing), unique_id="ta_return/" + stock["type"], **{"return": "ta_return"})
        return History.of(long, MONTHLY, keys=["return", "type"], kind="stock", unit="households")

    @property
    def truth(self) -> Truth:
        """What was planted, and what happens next."""
        return Truth(self)

    def lives(self, service: str) -> Lives:
        """Give everybody's whole life in the service, with what the extract cannot know: for tests and for the files."""
        if f"lives {service}" not in self._made:
            plan = self.plan(service)
            self._made[f"lives {service}"] = live(plan, round(self.size * plan.people_share), seed=self.seed, tiny=self.tiny)
        return cast("Lives", self._made[f"lives {service}"])

    def references(self, service: str, persons: np.ndarray) -> pd.Series:
        """Give the references under which the council's own systems know people, before they are pseudonyms."""
        letter = service[0].upper()
        return pd.Series([f"{letter}{n:07d}" for n in np.asarray(persons) + 1], dtype=object)

    def in_extract(self, service: str) -> np.ndarray:
        """Say which episodes of `lives` stand in the extract of 31 March 2026."""
        lives, (begin, end) = self.lives(service), self._window()
        flow = (lives.opened >= begin) & (lives.opened <= end) & lives.recorded
        return np.where(lives.type < 0, flow, (lives.opened <= end) & (lives.closed > begin))

    def _window(self) -> tuple[int, int]:
        return (self.first - pd.Timestamp(0)).days, (self.extracted - pd.Timestamp(0)).days

    def _extract(self, service: str) -> pd.DataFrame:
        plan, lives, keep = self.plan(service), self.lives(service), self.in_extract(service)
        closed = lives.closed[keep].astype("datetime64[D]").astype("datetime64[ns]")
        closed = np.where(lives.closed[keep] > self._window()[1], np.datetime64("NaT", "ns"), closed)
        person, opened = lives.person[keep], lives.opened[keep]
        table = self._keyed(plan, lives, keep)
        seen, place = np.unique(person, return_inverse=True)
        ids = pseudonymise(self.references(service, seen), EXAMPLE_KEY, purpose="person")
        table.insert(0, "person_id", ids.to_numpy()[place])
        table.insert(1, "episode_id", pseudonymise(self.references(service, np.flatnonzero(keep)), EXAMPLE_KEY, purpose="episode"))
        table.insert(3, "closed", closed)
        about = {name: values.iloc[person].reset_index(drop=True) for name, values in self._about(service).items()}
        age = np.floor((opened - lives.birth[person]) / 365.25)
        return table.assign(age=age, **about, times_before=lives.spell[keep], price=lives.price[keep])

    def _about(self, service: str) -> dict[str, pd.Series]:
        return attributes_of(self.plan(service), self.lives(service).segment, seed=self.seed)

    @staticmethod
    def _keyed(plan: Plan, lives: Lives, keep: np.ndarray) -> pd.DataFrame:
        """Give opening days and key columns of some episodes."""
        kind, types = lives.type[keep], np.array([*plan.prices, plan.front_type], dtype=object)
        opened = lives.opened[keep].astype("datetime64[D]").astype("datetime64[ns]")
        place = np.array(AREAS, dtype=object)[lives.place[keep]]
        return pd.DataFrame({"opened": opened, "service": np.where(kind < 0, plan.front, plan.stock), "type": types[kind], "area": place})

    def _counted(self, people: pd.DataFrame, service: str, first: pd.Timestamp, last: pd.Timestamp) -> History:
        return count_episodes(people, self.counts(service), keys=KEYS, frequency=MONTHLY, first=first, last=last)

    def _assumption(self, service: str, value: float, unit: str, spread: float, *, digits: int) -> Assumption:
        low, middle, high = (round(v, digits) for v in (value - spread, value, value + 1.2 * spread))
        return Assumption(value=middle, unit=unit, low=low, high=high, source="Example council, ledger and fee schedule, March 2026",
                          as_of=self.extracted.date(), owner=self.plan(service).owner)  # fmt: skip

    def _prices(self, service: str) -> Mapping[str, Assumption]:
        plan, people = self.plan(service), self.people(service)
        one = {"households": "household", "children": "child", "people": "person"}[plan.unit]
        mean = people[people["closed"].isna() & people["price"].notna()].groupby("type")["price"].mean()
        weekly = {t: self._assumption(service, v, f"GBP/{one}/week", 0.06 * v, digits=0) for t, v in mean.items()}
        return {**weekly, plan.front_type: self._assumption(service, plan.front_cost, f"GBP/{one}", 0.12 * plan.front_cost, digits=0)}

    def _budget(self, service: str) -> list[tuple[str, str, str, float]]:
        plan, history, prices = self.plan(service), self.history(service), self.prices[service]
        table = history.table.merge(history.series.reset_index(), on="unique_id")
        weeks = np.where(table["kind"] == "stock", MONTHLY.days_in(pd.DatetimeIndex(table["ds"])) / 7, 1.0)
        ago = np.array([FinancialYear.of(self.last).first - FinancialYear.of(day).first for day in table["ds"]])
        cost = table["y"] * weeks * table["type"].map({t: p.value for t, p in prices.items()}) * np.exp(-plan.price_growth * ago)
        rows = []
        for line, where in plan.lines.items():
            of = cost.where(np.logical_and.reduce([table[c].isin(v) for c, v in where.items()]), 0.0).groupby(ago).sum()
            steps = [(label, of[years], 1) for years, label in zip((3, 2, 1), PAST_BUDGETS, strict=True)]
            steps += [(label, of[0], n) for n, label in enumerate(BUDGET_YEARS, start=1)]
            rows += [(service, line, label, float(round(base * (1 + plan.budget_step) ** n, -4))) for label, base, n in steps]
        return rows


@dataclass(frozen=True)
class Truth:
    """What was planted in a council: nothing that an analyst could know, all that a test may ask.

    Parameters
    ----------
    council : Council
    """

    council: Council

    def segments(self, service: str) -> pd.Series:
        """Give the name of each person's true segment, by person_id, for everybody in the extract."""
        council, lives = self.council, self.council.lives(service)
        seen = np.unique(lives.person[council.in_extract(service)])
        names = np.array([s.name for s in council.plan(service).segments], dtype=object)
        ids = pseudonymise(council.references(service, seen), EXAMPLE_KEY, purpose="person")
        return pd.Series(names[lives.segment[seen]], index=pd.Index(ids, name="person_id"), name="segment")

    def elasticities(self, service: str) -> dict[str, float]:
        """Give by how many per cent entries change where a driver changes by 1 %, in the same month."""
        return dict(self.council.plan(service).elasticities)

    def growth(self, service: str) -> dict[str, float]:
        """Give the growth of first entries a year, by segment, apart from drivers."""
        return {s.name: s.growth for s in self.council.plan(service).segments}

    def season(self, service: str) -> tuple[float, ...]:
        """Give what multiplies entries from January to December."""
        return self.council.plan(service).season

    def stays(self, service: str) -> pd.DataFrame:
        """Give median days of stay in April 2016 by segment and type, with their growth a year and the spread of their logarithm."""
        plan = self.council.plan(service)
        rows = [(s.name, t, days, plan.stay_growth, plan.stay_sigma) for s in plan.segments for t, days in s.stays.items()]
        return pd.DataFrame(rows, columns=["segment", "type", "median_days", "growth", "sigma"])

    def returning(self, service: str) -> dict[str, float]:
        """Give the share of people who come back after an end, by segment."""
        return {s.name: s.returns for s in self.council.plan(service).segments}

    def recording(self, service: str) -> float:
        """Give first contacts recorded after October 2022 for one that was recorded before, all else equal."""
        return self.council.plan(service).recording

    def intensity(self, service: str) -> pd.DataFrame:
        """Give how strong first entries were and will be: a row a month, a column a segment."""
        return intensity(self.council.plan(service), seed=self.council.seed)

    def drivers(self, service: str) -> pd.DataFrame:
        """Give what the drivers really were and will be: a row a month, a column a driver."""
        return driver_paths(self.council.seed)[list(self.council.plan(service).elasticities)]

    def future(self, service: str) -> History:
        """Give the counts of the five years after the history, as they will happen."""
        council, lives = self.council, self.council.lives(service)
        keep = lives.recorded
        people = council._keyed(council.plan(service), lives, keep)
        people["closed"] = lives.closed[keep].astype("datetime64[D]").astype("datetime64[ns]")
        first = MONTHLY.after(council.last, 1)[0]
        return council._counted(people, service, first, pd.Timestamp(driver_paths(council.seed).index[-1]))
