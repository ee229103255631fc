"""Demand per head: the people among whom demand arises, and models that forecast the rate.

In: DRIVERS with the figures of a population, for all series or by their keys, and the name of it. Out: `People`, which says whose figures
each series goes with, and gives models that see counts at today's population and say what to expect of tomorrow's. Refuses a population
that is not known for an area or a period, or not above 0.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pandas as pd

from demand.errors import DataError, Fault, SettingsError, did_you_mean, listed, raise_all
from demand.models import Forecaster, Note, Prediction, build
from demand.tables import BOUNDS, History

__all__ = ["ALONE", "POOLED", "Beside", "People", "of_all", "people_of", "whose"]

POOLED = ("lightgbm",)
"""Models to which series of other areas are given. On children's services in England (12 authorities, 40 others, three years ahead) their
error fell from 0.20 to 0.17 of the mean; smoothing of one series at a time did not change by 0.001."""
OTHER = "other area: "
"""What the names of their series begin with while they stand beside ours."""
LEAST = 6
"""Counts below which nothing is learnt from another area's series."""


@dataclass(frozen=True)
class Beside:
    """What takes part in a forecast beside our own counts.

    Parameters
    ----------
    stocks : Forecaster, optional
        A model of stocks from flow (see `demand.caseload`), where people are given: it knows who they are, so that new starts alone
        are forecast per head.
    others : History, optional
        What other areas counted: models that learn one course from all series (`POOLED`) learn from theirs too.
    behind : int
        By how many periods their counts end before ours: so it was at every earlier cutoff too.
    """

    stocks: Forecaster | None = None
    others: History | None = None
    behind: int = 0

    @classmethod
    def of(cls, stocks: Forecaster | None, others: History | None, history: History) -> Beside:
        """Put together what stands beside a history."""
        if others is None:
            return cls(stocks)
        last = others.table.loc[others.table["y"].notna(), "ds"].max()
        return cls(stocks, others, len(history.frequency.between(last, history.last)[1:]))


ALONE = Beside()
"""Nothing takes part beside our own counts."""


@dataclass(frozen=True)
class People:
    """The people behind each series.

    Parameters
    ----------
    per : str
        The population's name; "" where demand is not forecast per head.
    of : mapping of str to str
        Series to the driver whose figures count its people.
    beside : Beside
    """

    per: str = ""
    of: Mapping[str, str] = field(default_factory=dict)
    beside: Beside = ALONE

    def build(self, name: str) -> Forecaster:
        """Give the model of that name, of the rate where demand is forecast per head."""
        stocks, others = self.beside.stocks, self.beside.others
        if stocks is not None and name == stocks.name:
            return stocks
        model = _Pooled(build(name), others, self.beside.behind) if others is not None and name in POOLED else build(name)
        return _PerHead(model, self) if self.per else model

    def without(self, drivers: pd.DataFrame | None) -> pd.DataFrame | None:
        """Give the other drivers; None where there are none."""
        if drivers is None or not self.per:
            return drivers
        others = drivers[~drivers["name"].isin(set(self.of.values()))]
        return None if others.empty else others

    def today(self, history: History, drivers: pd.DataFrame) -> History:
        """Give counts as they would have been with the people of the last period."""
        if not self.per:
            return history
        rate = history.table["y"].to_numpy() / self.ratios(history.table, history, drivers)
        return History(history.table.assign(y=rate), history.series, history.frequency)

    def ratios(self, rows: pd.DataFrame, history: History, drivers: pd.DataFrame) -> np.ndarray:
        """Give people over those of the last period of the history, for rows of unique_id and ds."""
        ds = history.frequency.between(min(rows["ds"].min(), history.last), max(rows["ds"].max(), history.last))
        wide = drivers.pivot(index="ds", columns="name", values="value").reindex(ds).ffill()
        names = rows["unique_id"].map(dict(self.of))
        now = wide.loc[history.last]
        each = (wide / now).unstack().reindex(pd.MultiIndex.from_arrays([names, rows["ds"]]))
        return np.asarray(each.to_numpy(dtype=float))

    def effects(self, ids: list[str], draws: int, drivers: pd.DataFrame) -> pd.DataFrame:
        """Give EFFECTS of the population: demand goes with it one for one."""
        if not self.per:
            return pd.DataFrame()
        seen = drivers.groupby("name")["value"].agg(["min", "max"])
        index = pd.MultiIndex.from_product([ids, [self.per], range(draws)], names=["unique_id", "driver", "draw"])
        told = "in proportion, because demand is forecast per head"
        table = index.to_frame(index=False)
        mine = table["unique_id"].map(dict(self.of))
        low, high = mine.map(seen["min"]), mine.map(seen["max"])
        return table.assign(elasticity=1.0, source=told, observed_low=low, observed_high=high, half_life=0.0)


def people_of(drivers: pd.DataFrame | None, per: str | None, history: History) -> tuple[People, pd.DataFrame | None]:
    """Say whose people each series goes with.

    Parameters
    ----------
    drivers : pandas.DataFrame or None
        DRIVERS; where it has columns that are keys of the history (area), a figure holds for the series that have the same values there.
    per : str or None
        The name of the population, or None.
    history : History
        Of the lowest level.

    Returns
    -------
    people : People
    drivers : pandas.DataFrame or None
        With one name for each population: "population (North)".

    Raises
    ------
    SettingsError
        Where no driver has that name.
    DataError
        Where people are not known for a series or a period, are not above 0, or another driver is given by key.
    """
    keys = [] if drivers is None else [c for c in history.keys if c in drivers.columns and drivers[c].notna().any()]
    named = drivers if drivers is None or not keys else drivers.assign(name=_names(drivers, keys)).drop(columns=keys)
    if named is not None and drivers is not None:
        named.attrs.update(drivers.attrs)
    if per is None:
        if keys:
            told = f"figures by {listed(keys)} of {listed(drivers['name'].unique())}" if drivers is not None else ""
            do_next = "Name the population in forecast > per; give other drivers without such columns"
            raise DataError(Fault(told, "data > drivers", "Only the population that demand is forecast per may differ by key", do_next))
        return People(), named
    known = [] if drivers is None else sorted(map(str, drivers["name"].unique()))
    if drivers is None or per not in known:
        hint = did_you_mean(per, known) if known else "No drivers are given"
        raise SettingsError(Fault(f"'{per}' is not a driver", "forecast > per", hint, "Give the population under data > drivers"))
    mine = drivers[drivers["name"] == per]
    if keys and drivers.loc[drivers["name"] != per, keys].notna().any(axis=None):
        raise DataError(
            Fault("a driver beside the population is given by key", "data > drivers", f"Only '{per}' may differ by {listed(keys)}")
        )
    used = [k for k in keys if mine[k].notna().any()]
    of = dict(zip(history.ids, _names(history.series.reset_index(drop=True).assign(name=per), used), strict=True)) if used else {}
    people = People(per, of or dict.fromkeys(history.ids, per))
    raise_all(_faults(people, named if named is not None else mine, history), DataError, during="looking for the people behind each series")
    return people, named


def of_all(drivers: pd.DataFrame | None, per: str | None, series: pd.DataFrame) -> pd.DataFrame | None:
    """Give drivers for the total of all series: a population that was given by key, or by name as "population (North)", is added up.

    Parameters
    ----------
    drivers : pandas.DataFrame or None
        DRIVERS, with columns of keys or with names as of `people_of`.
    per : str or None
        The population; None leaves drivers as they are.
    series : pandas.DataFrame
        As `History.series` has them: whose people are added up.

    Returns
    -------
    pandas.DataFrame or None
        The people of an area whose figures end early are those of its last one from then on, as where each area is forecast by itself. An
        area without a range has its figure for both ends.
    """
    if drivers is None or per is None:
        return drivers
    keys = [c for c in series.columns if c in drivers.columns and drivers[c].notna().any()]
    table = drivers.assign(name=_names(drivers, keys)).drop(columns=keys)
    known = set(table["name"])
    parts = set(whose(per, series, known - {per}).values())
    wide = {
        c: table[table["name"].isin({per} if per in known else parts)].pivot(index="ds", columns="name", values=c)
        for c in ("value", "low", "high")
        if c in table
    }
    ranged = {c: w.notna().any(axis=1) for c, w in wide.items()}
    whole = pd.DataFrame({c: w.fillna(wide["value"]).ffill().sum(axis=1, skipna=False).where(ranged[c]) for c, w in wide.items()})
    others = table.loc[~table["name"].isin(parts | {per}), ["ds", "name", *wide]]
    both = pd.concat([others, whole.reset_index().assign(name=per)], ignore_index=True)
    both.attrs.update(drivers.attrs)
    return both


def whose(driver: str, series: pd.DataFrame, known: Collection[str]) -> dict[str, str]:
    """Say which figures of a driver each series goes with.

    Parameters
    ----------
    driver : str
        As scenarios and EFFECTS name it: "population".
    series : pandas.DataFrame
        As `History.series` has them.
    known : collection of str
        The names that there are: "population", or "population (North)" where it was given by key.

    Returns
    -------
    dict of str to str
        Series to name; empty where not every series has figures.
    """
    keys, about = [c for c in series.columns if c not in ("kind", "unit")], series.reset_index(drop=True).assign(name=driver)
    for used in (list(some) for count in range(len(keys) + 1) for some in combinations(keys, count)):
        names = _names(about, used)
        if set(names) <= set(known):
            return dict(zip(map(str, series.index), names, strict=True))
    return {}


def _names(table: pd.DataFrame, keys: list[str]) -> list[str]:
    rows = zip(table["name"].astype(str), *(table[k] for k in keys), strict=True)
    values = [(name, [str(v) for v in rest if pd.notna(v)]) for name, *rest in rows]
    return [f"{name} ({', '.join(said)})" if said else name for name, said in values]


def _faults(people: People, drivers: pd.DataFrame, history: History) -> list[Fault]:
    faults, where = [], "data > drivers"
    wide = drivers.pivot_table(index="ds", columns="name", values="value", aggfunc="first")
    begins = history.table.dropna(subset=["y"]).groupby("unique_id")["ds"].min()
    for name in dict.fromkeys(people.of.values()):
        if name not in wide:
            lacking = [i for i, n in people.of.items() if n == name]
            told = f"there are no people for the series {listed(lacking)}: '{name}' has no figures"
            faults.append(Fault(told, where, did_you_mean(name, list(map(str, wide.columns))), "Add its figures to the file of drivers"))
            continue
        first = begins.reindex([i for i, n in people.of.items() if n == name]).min()
        figures = wide[name].reindex(history.frequency.between(first, history.last)) if pd.notna(first) else wide[name]
        until = wide[name].last_valid_index()
        empty = figures.index[figures.isna() & (figures.index <= until)]
        if len(empty):
            days = listed([f"{d:%Y-%m-%d}" for d in empty], most=3)
            hint = f"Figures from {figures.index[0]:%Y-%m-%d}, where its series begin"
            faults.append(
                Fault(f"'{name}' has no figure in {len(empty)} periods: {days}", where, hint, "Add them, or begin the series later")
            )
        if (wide[name] <= 0).any():
            faults.append(Fault(f"'{name}' is not always above 0", where, "A number of people"))
    return faults


@dataclass(frozen=True)
class _Pooled:
    """A model that learns from what other areas counted by then, and speaks of ours alone."""

    model: Forecaster
    others: History
    behind: int

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name

    def predict(
        self,
        history: History,
        horizon: int,
        *,
        seed: int,
        drivers: pd.DataFrame | None = None,
        explain: bool = False,
        saved: Mapping[str, str] | None = None,
        jobs: int = 1,
    ) -> Prediction:
        """Say what to expect (see `Forecaster`). Drivers are of our area: beside them the others would teach the wrong thing."""
        both = history if drivers is not None else self._joined(history)
        said = self.model.predict(both, horizon, seed=seed, drivers=drivers, explain=explain, saved=saved, jobs=jobs)
        mine, count = set(history.ids), len(both.ids) - len(history.ids)
        told = f"learnt from {count} series of other areas too" if count else "did not learn from other areas: the drivers are of ours"
        return Prediction(
            said.means[said.means["unique_id"].isin(mine)].reset_index(drop=True),
            None if said.parts is None else said.parts[said.parts["unique_id"].isin(mine)].reset_index(drop=True),
            (*(n for n in said.notes if not n.unique_id or n.unique_id in mine), Note("", self.name, told)),
            said.saved,
        )

    def _joined(self, history: History) -> History:
        """Give both together: ours, and of the others what had been published by the last period of ours."""
        until = pd.date_range(end=history.last, periods=self.behind + 1, freq=history.frequency.alias)[0]
        known = self.others.table[self.others.table["ds"] <= until]
        enough = known.groupby("unique_id")["y"].transform("count") >= LEAST
        bounds = {b: known["y"] for b in BOUNDS if b in history.table}
        known = known.assign(unique_id=OTHER + known["unique_id"], **bounds).loc[enough, history.table.columns]
        series = self.others.series.rename(index=lambda i: f"{OTHER}{i}").reindex(columns=history.series.columns, fill_value="")
        table = pd.concat([history.table, known]).sort_values(["unique_id", "ds"], ignore_index=True)
        about = pd.concat([history.series, series[series.index.isin(known["unique_id"])]]).sort_index()
        return History(table, about, history.frequency)


@dataclass(frozen=True)
class _PerHead:
    """A model of the rate: it sees counts as they would have been with the people of the last period, and its path goes with theirs."""

    model: Forecaster
    people: People

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name

    def predict(
        self,
        history: History,
        horizon: int,
        *,
        seed: int,
        drivers: pd.DataFrame | None = None,
        explain: bool = False,
        saved: Mapping[str, str] | None = None,
        jobs: int = 1,
    ) -> Prediction:
        """Say what to expect (see `Forecaster`); the people of a period that is not published yet are those of the last one that is."""
        if drivers is None:
            raise DataError(Fault(f"demand per '{self.people.per}' cannot be forecast without its figures", "data > drivers"))
        today, others = self.people.today(history, drivers), self.people.without(drivers)
        said = self.model.predict(today, horizon, seed=seed, drivers=others, explain=explain, saved=saved, jobs=jobs)
        later = self.people.ratios(said.means, history, drivers)
        parts = None
        if said.parts is not None:
            more = said.means.assign(feature=self.people.per, value=np.nan, contribution=said.means["mean"] * (later - 1))
            parts = pd.concat([said.parts, more[list(said.parts.columns)]], ignore_index=True)
        return Prediction(said.means.assign(mean=said.means["mean"] * later), parts, said.notes, said.saved)
