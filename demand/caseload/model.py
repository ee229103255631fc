"""The stock from flow as a model among models: it says what to expect of stocks, and replay decides what that is worth.

In: PEOPLE with days of opening and closing, what of them is counted as a stock, settings. Out: `Caseload`, a Forecaster of these stocks
that at each cutoff sees what was known then; and its joint draws of people and pounds. Refuses what `spells_of` refuses, and counts without
a stock.

New starts are forecast from the top: the total of all series by three models, shared out as starts were of late. Series of starts are so
small that by themselves they tell little; on the example council (three seeds, nine cutoffs) a year's starts by type came out 5 to 25 %
nearer from the top.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import xarray as xr
from pydantic import Field, model_validator

from demand.calendar import Frequency
from demand.caseload.known import KnownChange
from demand.caseload.levers import Lever, Pull
from demand.caseload.recorded import growth_of
from demand.caseload.runoff import run_on
from demand.caseload.spells import as_known, flows, spells_of
from demand.caseload.stays import Stays, labels_of, learn_stays, seen_since
from demand.data.people import CountSpec
from demand.errors import DataError, Fault
from demand.events import Event, clean
from demand.models import Note, Prediction
from demand.people import People, of_all, people_of
from demand.spec import Spec, Where, stream
from demand.tables import History, match

__all__ = ["Caseload", "CaseloadSpec", "caseload_of"]

STARTERS = ("ces", "ets", "theta")
"""The models whose mean is the forecast of all new starts."""
HALVED = 12.0
"""Months after which a start counts half, where the total of starts is shared out."""
CLOSED = 0.1
"""Of the starts of the year before, those below which a year's are those of a closed group: so abrupt an end is one of the extract."""
LEAST_STARTS = 20
"""Starts in a year from which so abrupt an end is no chance."""
LOOKS = 300_000
"""Stays drawn for an expected stock: few people are drawn often, many seldom."""


class CaseloadSpec(Spec):
    """How a stock is worked out from who comes, how long they stay and where they move."""

    type: str = "type"
    """The key by which stays and prices are learnt: the type of place."""
    group: str | None = None
    """A column of people within a type whose stays differ: unaccompanied, for example."""
    leaves_at: float | None = None
    """The birthday at which stays end: 18 for children. Who stayed on in the past goes on doing so."""
    moves_at: float | None = None
    """The birthday at which people move to another budget, their package as it was: 65 for adults."""
    moves_to: Where = Field(default_factory=dict)
    """Where they then are, such as {client_group: older}. They keep the keys that are not named here; where no series is like that, they
    stay."""
    known_end: str | None = None
    """A column with the day by which an open placement will have ended; where nothing is said, the one that people have under that name."""
    one_place: bool = True
    """Whether a person is in one place at a time; false where packages run side by side."""
    known_changes: str | None = None
    """A file of changes that somebody knows of, drawn as events: date, where, change, likelihood, owner, and price, to, name."""

    @model_validator(mode="after")
    def _turns(self) -> CaseloadSpec:
        if (self.moves_at is None) != (not self.moves_to):
            raise ValueError("'moves_at' and 'moves_to' go together: the birthday, and where people then are.")
        return self


@dataclass(frozen=True)
class Caseload:
    """Stocks as they come about.

    Parameters
    ----------
    spells : pandas.DataFrame
        SPELLS of the stocks.
    series : pandas.DataFrame
        The stocks: as `History.series` has them.
    kinds : mapping of str to str
        Series to type.
    frequency : Frequency
    spec : CaseloadSpec
    events : tuple of Event
        Shocks are set aside in new starts too.
    growth : mapping of Timestamp to float
        Last months -> how many times as many starts they will have once all are recorded.
    last : pandas.Timestamp, optional
        The last period of the extract: ends that are known are used from then on alone, since nobody says when they came to be known.
    per : str, optional
        The population, by its name among the drivers, that new starts are forecast per.
    since : pandas.Timestamp, optional
        The first period that was counted: of what lies before it nothing is learnt.
    """

    spells: pd.DataFrame
    series: pd.DataFrame
    kinds: Mapping[str, str]
    frequency: Frequency
    spec: CaseloadSpec
    events: tuple[Event, ...] = ()
    growth: Mapping[pd.Timestamp, float] = field(default_factory=dict)
    last: pd.Timestamp | None = None
    per: str | None = None
    since: pd.Timestamp | None = None

    name = "caseload"

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
        """Say what to expect of the stocks of a history (see `Forecaster`).

        Of other series nothing is said, and at a cutoff by which no whole period of new starts had been recorded nothing at all.

        Raises
        ------
        DataError
            Where today there is no such period.
        """
        del saved, jobs
        day = self.day_of(history.last)
        known = as_known(self.spells, day)
        first = self._since(known)
        if not self._is_now(day) and (first is None or first > history.last):
            return Prediction(pd.DataFrame({"unique_id": [], "ds": pd.DatetimeIndex([]), "mean": []}).astype({"unique_id": object}))
        there = int(known["closed"].isna().sum())
        draws = int(np.clip(LOOKS // max(there, 1), 20, 400))
        mean = self.expected_starts(history.last, horizon, seed=seed, drivers=drivers)
        starts = stream(seed, "caseload", "starts").poisson(mean[:, :, None], (*mean.shape, draws)).astype(float)
        stays = self.stays(known, day)
        people = self._ran(known, stays, starts, seed).people.mean("draw").to_numpy()
        wanted = [i for i in history.ids if i in set(self.series.index)]
        people = people * self._counted(history, known)[:, None]
        index = pd.MultiIndex.from_product([self.series.index, self.frequency.after(history.last, horizon)], names=["unique_id", "ds"])
        means = index.to_frame(index=False).assign(mean=people.reshape(-1))
        notes = self._remarks(known, history.last) if explain else ()
        return Prediction(means[means["unique_id"].isin(wanted)].reset_index(drop=True), notes=notes)

    def draws(
        self,
        starts: np.ndarray,
        last: pd.Timestamp,
        *,
        seed: int,
        levers: Sequence[Lever] = (),
        changes: Sequence[KnownChange] = (),
        trend: bool = True,
    ) -> xr.Dataset:
        """Draw people and pounds after a period.

        Parameters
        ----------
        starts : numpy.ndarray
            Shape (series, periods, draws): new starts (see `run_on`).
        last : pandas.Timestamp
            The last period that is known.
        seed : int
            The same seed gives everybody whom nothing touches the same future under other levers and changes.
        levers : sequence of Lever
            What is done about entries, stays and moves, all at once.
        changes : sequence of KnownChange
        trend : bool
            Whether the price of new starts goes on growing as it did; if not, all is at the prices of today.

        Returns
        -------
        xarray.Dataset
            As `run_on` gives it.

        Raises
        ------
        DataError, ScenarioError
            Where a known change means more people than are there, or matches no series.
        """
        day, ds = self.day_of(last), self.frequency.after(last, starts.shape[1])
        known = as_known(self.spells, day)
        edges = np.r_[np.asarray(ds).astype("datetime64[D]").astype(float), (self.day_of(ds[-1]) - pd.Timestamp(0)).days + 1.0]
        pull = Pull.of(levers, starts, edges, ids=list(self.series.index), seed=seed)
        stays = self.stays(known, day)
        stays = stays if trend else replace(stays, growth=np.zeros_like(stays.growth))
        return self._ran(known, stays, starts, seed, pull=pull, changes=changes)

    def starts(self, last: pd.Timestamp) -> History:
        """Give the HISTORY of new starts from outside, up to a period, cleaned of shocks that had begun.

        Raises
        ------
        DataError
            Where there is no whole period in which starts were recorded.
        """
        known = as_known(self.spells, self.day_of(last))
        first = self._since(known)
        if first is None or first > last:
            raise DataError(Fault("no whole period of new starts was recorded", do_next="Give placements of a longer time"))
        table = flows(known, self.frequency, first=first, last=last, ids=list(self.series.index))
        whole = table["starts"] * [self.growth.get(ds, 1.0) for ds in table["ds"]]
        long = table[["unique_id", "ds"]].assign(y=whole.astype(float)).merge(self.series.assign(kind="flow"), on="unique_id")
        history = History.of(long, self.frequency, keys=[c for c in self.series.columns if c not in ("kind", "unit")])
        return clean(history, [e for e in self.events if e.kind in ("shock", "holiday") and pd.Timestamp(e.start) <= last])

    def stays(self, known: pd.DataFrame, day: pd.Timestamp) -> Stays:
        """Learn stays from SPELLS as known on a day."""
        how, ids = self.spec, list(self.series.index)
        return learn_stays(
            known, day, ids=ids, kinds=self.kinds, group=how.group, leaves_at=how.leaves_at, turn=self.turn, since=self.since
        )

    @property
    def turn(self) -> tuple[float, np.ndarray] | None:
        """The birthday at which people move to another budget, and by series the position of the one where they then are; -1: they stay.

        Raises
        ------
        ScenarioError
            Where `moves_to` matches no series.
        """
        if self.spec.moves_at is None:
            return None
        there = match(self.series, self.spec.moves_to, at="caseload > moves_to")
        keep = [c for c in self.series.columns if c not in self.spec.moves_to]
        likes = list(self.series[keep].itertuples(index=False, name=None))
        homes = {likes[row]: row for row in np.flatnonzero(there)}
        return self.spec.moves_at, np.array([-1 if there[row] else homes.get(like, -1) for row, like in enumerate(likes)])

    def expected_starts(self, last: pd.Timestamp, horizon: int, *, seed: int, drivers: pd.DataFrame | None = None) -> np.ndarray:
        """Give the new starts expected in each series and period ahead, shape (series, horizon)."""
        total, weighed = self.all_starts(last)
        people, given = people_of(of_all(drivers, self.per, self.series), self.per, total) if self.per else (People(), None)
        said = (people.build(m).predict(total, horizon, seed=seed, drivers=given) for m in STARTERS)
        ahead = np.mean([one.means["mean"].to_numpy() for one in said], axis=0)
        return np.asarray((weighed + 0.5)[:, None] / (weighed + 0.5).sum() * ahead[None, :])

    def all_starts(self, last: pd.Timestamp) -> tuple[History, np.ndarray]:
        """Give the HISTORY of the total of new starts, and how many came into each series, older ones counting less."""
        wide = self.starts(last).wide[list(self.series.index)]
        whole = pd.DataFrame({"unique_id": "all", "ds": wide.index, "y": wide.sum(axis=1, min_count=len(wide.columns)).to_numpy()})
        age = (len(wide) - 1 - np.arange(len(wide))) * 12 / self.frequency.per_year
        return History.of(whole, self.frequency), np.nansum(wide.to_numpy() * (0.5 ** (age / HALVED))[:, None], axis=0)

    def coming(self, last: pd.Timestamp, horizon: int, *, seed: int, drivers: pd.DataFrame | None = None) -> pd.DataFrame:
        """Give new starts by series and period, as counted and then as expected: unique_id, ds, starts."""
        ahead = pd.DataFrame(
            self.expected_starts(last, horizon, seed=seed, drivers=drivers).T, self.frequency.after(last, horizon), self.series.index
        )
        wide = pd.concat([self.starts(last).wide, ahead]).rename_axis(index="ds", columns="unique_id")
        return wide.stack(future_stack=True).rename("starts").reset_index()[["unique_id", "ds", "starts"]]

    def lasting(self, last: pd.Timestamp, horizon: int, day: str = "opened") -> pd.DataFrame:
        """Give the share still there at the end of each period ahead, by series (index) and period (columns).

        Of those who start now, as who is not recorded yet; with "closed" as `day` of those who are there, as whose end is not recorded is.
        """
        today, ds = self.day_of(last), self.frequency.after(last, horizon)
        known = as_known(self.spells, today)
        stays = self.stays(known, today)
        days = (self.frequency.end_of(ds) - today).days.to_numpy().astype(float)
        if day == "closed":
            there = known[known["closed"].isna() & known["unique_id"].isin(stays.ids)]
            served = (today - there["opened"]).dt.days.to_numpy(dtype=float)[:, None]
            of, series = labels_of(there, self.spec.group), there["unique_id"]
        else:
            pools = {i: stays.starters[s]["group"] for s, i in enumerate(stays.ids)}
            one = pd.concat(pools, names=["unique_id"]).reset_index("unique_id")
            served, of, series = np.zeros((len(one), 1)), one["group"].map(dict(enumerate(stays.groups))), one["unique_id"]
        at = stays.kind[pd.Index(stays.ids).get_indexer(series)], np.maximum(pd.Index(stays.groups).get_indexer(of), 0)
        share = np.exp(stays.hazard(*at, served) - stays.hazard(*at, served + days))
        return pd.DataFrame(share, columns=ds).groupby(series.to_numpy()).mean().reindex(stays.ids, fill_value=1.0)

    def day_of(self, last: pd.Timestamp) -> pd.Timestamp:
        """Give the last day of a period."""
        return pd.Timestamp(self.frequency.end_of(pd.DatetimeIndex([last]))[0])

    def _is_now(self, day: pd.Timestamp) -> bool:
        return self.last is None or day >= self.day_of(self.last)

    def _since(self, known: pd.DataFrame) -> pd.Timestamp | None:
        """Give the first whole period in which new starts were recorded, by SPELLS as known on a day; None where nobody had come."""
        if known.empty:
            return None
        return max(self.frequency.after(seen_since(known), 1)[0], self.since or pd.Timestamp.min)

    def _ran(
        self,
        known: pd.DataFrame,
        stays: Stays,
        starts: np.ndarray,
        seed: int,
        *,
        pull: Pull | None = None,
        changes: Sequence[KnownChange] = (),
    ) -> xr.Dataset:
        how, frequency = self.spec, self.frequency
        return run_on(
            known,
            stays,
            starts,
            frequency=frequency,
            seed=seed,
            leaves_at=how.leaves_at,
            known_end=how.known_end if self._is_now(stays.day) else None,
            pull=pull,
            changes=changes,
        )

    def _remarks(self, known: pd.DataFrame, last: pd.Timestamp) -> tuple[Note, ...]:
        """Say what a reader has to know: prices that nobody gave, and an extract in which hardly anybody comes any more."""
        told, there = [], known[known["closed"].isna()]
        without = int(there["price"].isna().sum()) if "price" in there else 0
        if 0 < without < len(there):
            told.append(f"{without:,} of {len(there):,} open placements have no price: each is taken to cost what others of its type do")
        year, wide = round(self.frequency.per_year), self.starts(last).wide.sum(axis=1)
        now, before = float(wide.iloc[-year:].sum()), float(wide.iloc[:-year].rolling(year).sum().max())
        if before >= LEAST_STARTS and now < CLOSED * before:
            told.append(
                f"hardly anybody comes any more: {now:,.0f} in the last year, up to {before:,.0f} in a year before it. Those who are there "
                "run off with next to no new starts; where that is not so, the extract holds one group of people alone: ask for the others"
            )
        return tuple(Note("", self.name, text) for text in told)

    def _counted(self, history: History, known: pd.DataFrame) -> np.ndarray:
        """Give by how much the count of a stock differs from spells put in order; 1 where either is 0 or not there."""
        now = known[known["closed"].isna()].groupby("unique_id").size().reindex(self.series.index).to_numpy(dtype=float)
        counted = history.wide.iloc[-1].reindex(self.series.index).to_numpy(dtype=float)
        usable = np.isfinite(now) & np.isfinite(counted) & (counted > 0)
        return np.where(usable, counted / np.where(usable, now, 1.0), 1.0)


def caseload_of(
    people: pd.DataFrame,
    counts: Sequence[CountSpec],
    *,
    keys: Sequence[str],
    history: History,
    spec: CaseloadSpec | None = None,
    events: Sequence[Event] = (),
    late: pd.DataFrame | None = None,
    per: str | None = None,
) -> Caseload:
    """Make the model of the stocks that are counted from people.

    Parameters
    ----------
    people : pandas.DataFrame
        PEOPLE as they were counted, with the same keys.
    counts : sequence of CountSpec
        What was counted; the first stock among them is meant.
    keys : sequence of str
    history : History
        That was counted from them: its series are the ones to forecast.
    spec : CaseloadSpec, optional
    events : sequence of Event
    late : pandas.DataFrame, optional
        What the last months will grow to (see `late_recording`).
    per : str, optional
        The population that new starts are forecast per; None forecasts their number.

    Returns
    -------
    Caseload

    Raises
    ------
    DataError
        Where no stock is counted, or none of its series is in the history.
    """
    spec = spec or CaseloadSpec()
    stock = next((c for c in counts if c.kind == "stock"), None)
    if stock is None:
        raise DataError(Fault("no stock is counted from people", where="caseload", do_next="Count one with `kind: stock` under people"))
    if spec.known_end is None and "known_end" in people:
        spec = spec.model_copy(update={"known_end": "known_end"})
    spells = spells_of(people, keys=keys, where=stock.where, one_place=spec.one_place)
    if any(c.name for c in counts):
        named = stock.name or f"stock of {stock.unit}"
        spells = spells.assign(**{c: spells[c].where(spells[c] == "", spells[c] + "/" + named) for c in ("unique_id", "came", "goes")})
    series = history.series[history.series.index.isin(spells["unique_id"].unique()) & (history.series["kind"] == "stock")]
    if series.empty:
        raise DataError(Fault("no series of the history is a stock of these people", where="caseload"))
    kinds = {str(i): str(row[spec.type]) if spec.type in series else str(i) for i, row in series.iterrows()}
    growth = {} if late is None else growth_of(late, stock)
    return Caseload(spells, series, kinds, history.frequency, spec, tuple(events), growth, history.last, per, history.wide.index[0])
