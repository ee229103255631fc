"""Run-off plus starters: everybody who is there stays on at their own price, and new starters come, in joint draws of people and pounds.

In: SPELLS known on a day, what they say about stays, and draws of new starts. Out: people and pounds by series, period and draw, with
the part that is already there apart. Refuses starts that are not whole numbers.

Each open placement is drawn in every draw: its end given the time already served, cut by a known end or a birthday; where it goes then;
and whoever moves or starts is drawn on in the same way, at a price of new starts. Nothing is averaged and no price distribution is
fitted: a new start takes age, group and price of one recent starter, at today's level and the trend of such prices, so that the dear
ones stay as dear.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, pairwise

import numpy as np
import pandas as pd
import xarray as xr

from demand.calendar import Frequency
from demand.caseload.known import Known, KnownChange
from demand.caseload.levers import Pull
from demand.caseload.luck import lots_of, split, uniform
from demand.caseload.stays import BANDS, YEAR, Stays, labels_of
from demand.caseload.tally import Some, Tally, day_numbers
from demand.errors import DataError, Fault

__all__ = ["run_on"]

AT_ONCE = 1_500_000
"""Stays drawn at once: more need more memory and are no faster."""
CENTURY = 36_525.0
UPPER = np.r_[BANDS[1:], CENTURY]
TINY = 1e-12
"""A drift a day in place of none, by which hazards are divided."""
ROUNDS = 12
"""Moves of one person within the horizon that are followed; hardly anybody has as many."""

WHOM, DAY, STAYS_ON, BIRTHDAY, TURN, PATIENCE, MOVES, WHERE, NEXT = range(9)
"""Which of a person's random numbers is for what."""

_End = tuple[np.ndarray, np.ndarray]
"""The days on which stays end, and the series to which they lead (-1: outside)."""


def run_on(
    spells: pd.DataFrame,
    stays: Stays,
    starts: np.ndarray,
    *,
    frequency: Frequency,
    seed: int,
    leaves_at: float | None = None,
    known_end: str | None = None,
    pull: Pull | None = None,
    changes: Sequence[KnownChange] = (),
) -> xr.Dataset:
    """Draw who is there, and what it costs.

    Parameters
    ----------
    spells : pandas.DataFrame
        SPELLS as known at the end of `stays.day`.
    stays : Stays
    starts : numpy.ndarray
        Shape (series, periods, draws): whole numbers of new starts from outside in the periods after `stays.day`, jointly drawn.
    frequency : Frequency
    seed : int
    leaves_at : float, optional
        The birthday at which stays end, but for the share who stay on; only the year of age at the opening is known, so the day is drawn.
    known_end : str, optional
        The column with the day at which an open placement is known to end at the latest.
    pull : Pull, optional
        What levers do to entries, stays and moves; all whom they do not touch are as they would be without.
    changes : sequence of KnownChange
        Who is known to come, leave or move, each drawn to happen or not; nobody is counted twice (see `demand.caseload.known`).

    Returns
    -------
    xarray.Dataset
        people (at the end of each period), weeks and pounds (within it), and of these committed_people and committed_pounds (those who
        are there already, until they leave or move); dims series, ds, draw. people_now and pounds_now (a week) by series. Pounds are NaN
        where no price is known. attrs: `without_price`, the open placements that were given their type's mean price.

    Raises
    ------
    DataError
        Where starts are not whole numbers of the right shape.
    """
    if starts.ndim != 3 or starts.shape[0] != len(stays.ids) or (starts != np.rint(starts)).any() or (starts < 0).any():
        raise DataError(Fault("new starts are whole numbers by series, period and possible future", allowed=f"{len(stays.ids)} series"))
    draws = starts.shape[2]
    ds = frequency.after(stays.day, starts.shape[1])
    engine = _Engine(stays, seed, draws, leaves_at, pull)
    open_now, without = _open(spells, stays, known_end)
    about = spells.drop_duplicates("unique_id").set_index("unique_id").reindex(stays.ids)
    left = starts if pull is None or pull.entries is None else pull.entries
    known = Known.of(changes, open_now, left, series=about, today=stays.day, ends=frequency.end_of(ds), seed=seed)
    old, new = Tally(starts.shape, ds, frequency), Tally(starts.shape, ds, frequency)
    now = [np.bincount(open_now["series"], of, minlength=len(stays.ids)).astype(float) for of in (None, open_now["price"])]
    old.people[:, 0, :] += now[0][:, None]
    old.weekly[:, 0, :] += now[1][:, None]
    moved = _leave(open_now, known, engine, old)
    _follow(chain(moved, _announced(known, engine), _starters(known.starts, engine, new)), engine, old, new)
    told = _told(old, new, stays, ds).assign_attrs(without_price=without)
    return told.assign(people_now=("series", now[0]), pounds_now=("series", now[1]))


def _leave(open_now: pd.DataFrame, known: Known, engine: _Engine, old: Tally) -> list[Some]:
    """Draw when those who are there leave, some at a time; give who moved on."""
    moved = []
    for part in np.array_split(np.arange(len(open_now)), max(1, -(-len(open_now) * engine.draws // AT_ONCE))):
        some = engine.replicated(open_now.iloc[part])
        end, went = known.left(part, some.draw, *engine.ended(some))
        old.add(some, end, -1.0)
        moved.append(engine.arrived(some, end, went, float(old.ends[-1])))
    return moved


def _announced(known: Known, engine: _Engine) -> Iterator[Some]:
    """Give those who are known to come."""
    for number, (series, draw, begun, price) in enumerate(known.come):
        key = split(lots_of(engine.seed, "known", number), np.arange(len(draw)))
        some = engine.started(series, draw, np.full(len(draw), begun), 1.0, key)
        yield some if np.isnan(price) else replace(some, price=np.full(len(draw), price))


def _starters(starts: np.ndarray, engine: _Engine, new: Tally) -> Iterator[Some]:
    """Give starters from outside, a series at a time: whoever comes also where more or fewer come is the same person."""
    draws, days = starts.shape[2], new.ends - new.starts + 1
    for series, each in enumerate(starts.astype(np.int64)):
        lot = lots_of(engine.seed, "start", engine.stays.ids[series])
        for first, last in _pieces(each.sum(axis=1)):
            many = each[first:last].reshape(-1)
            cell = np.repeat(np.arange(first * draws, last * draws), many)
            rank = np.arange(len(cell)) - np.repeat(many.cumsum() - many, many)
            period, draw = np.divmod(cell, draws)
            yield engine.started(series, draw, new.starts[period], days[period], split(split(split(lot, period), draw), rank))


def _pieces(many: np.ndarray) -> list[tuple[int, int]]:
    """Give first periods, and those after the last, of pieces with not many more starters than are drawn at once."""
    lot = (many.cumsum() - many) // AT_ONCE
    edges = [0, *(np.flatnonzero(np.diff(lot)) + 1).tolist(), len(many)]
    return list(pairwise(edges))


def _follow(lots: Iterable[Some], engine: _Engine, old: Tally, new: Tally) -> None:
    """Count those who come, draw how long they stay, and follow them where they go after that."""
    for _ in range(ROUNDS):
        moved = []
        for some in lots:
            end, went = engine.ended(some)
            for ledger, which in ((old, some.there), (new, ~some.there)):
                if which.any():
                    mine = some if which.all() else some.of(which)
                    ledger.add(mine, mine.came, 1.0)
                    ledger.add(mine, end[which], -1.0)
            moved.append(engine.arrived(some, end, went, float(new.ends[-1])))
        lots = [some for some in moved if len(some)]
        if not lots:
            break


class _Engine:
    """How one stay is drawn."""

    def __init__(self, stays: Stays, seed: int, draws: int, leaves_at: float | None, pull: Pull | None) -> None:
        self.stays, self.seed, self.leaves_at, self.draws = stays, seed, leaves_at, draws
        self.pull = None if pull is None or (pull.stay is None and pull.moves is None) else pull
        self.turns_to = np.full(len(stays.ids), -1) if stays.turn is None else stays.turn[1]
        self.day = float(day_numbers(pd.DatetimeIndex([stays.day]))[0])
        self.rate = stays.drawn(seed, draws)
        drift = stays.drawn_drift(seed, draws) / YEAR
        self.drift = np.where(drift == 0, TINY, drift)
        self.moving = stays.drawn_moves(seed, draws)
        self.growth = stays.growth[:, :1] + stays.growth[:, 1:] * stays.luck(seed, "prices", draws)
        self.leads = stays.to.cumsum(axis=1)
        self.pools = {s: {c: t[c].to_numpy() for c in t} for s, t in stays.starters.items()}
        self.outside = {s: np.flatnonzero(p["from_outside"]) for s, p in self.pools.items()}

    def replicated(self, rows: pd.DataFrame) -> Some:
        """Give open placements once for each draw."""
        repeated = {c: np.repeat(rows[c].to_numpy(), self.draws) for c in ("series", "begun", "group", "age", "until", "price")}
        draw = np.tile(np.arange(self.draws), len(rows))
        key = split(split(lots_of(self.seed, "open"), np.repeat(rows["called"].to_numpy(), self.draws)), draw)
        age, came = repeated.pop("age"), np.full(len(draw), self.day)
        leaves, turns = self._birthdays(repeated["series"], age, repeated["begun"], key)
        return Some(draw=draw, came=came, leaves=leaves, turns=turns, there=np.ones(len(draw), dtype=bool), key=key, **repeated)

    def started(self, series: int, draw: np.ndarray, first: np.ndarray, days: np.ndarray | float, key: np.ndarray) -> Some:
        """Give new starters, each like one recent starter, on one of some days."""
        pool, outside = self.pools[series], self.outside[series]
        whom = outside if len(outside) else np.arange(len(pool["age"]))
        who = whom[_one_of(len(whom), uniform(key, WHOM))]
        begun = first + np.floor(uniform(key, DAY) * days)
        number = np.full(len(draw), series)
        leaves, turns = self._birthdays(number, pool["age"][who], begun, key)
        return Some(
            series=number, draw=draw, begun=begun, group=pool["group"][who], until=np.full(len(draw), np.inf), leaves=leaves,
            price=self._priced(number, draw, begun, pool["price"][who]), came=begun, turns=turns, there=np.zeros(len(draw), dtype=bool),
            key=key,
        )  # fmt: skip

    def arrived(self, some: Some, end: np.ndarray, went: np.ndarray, last: float) -> Some:
        """Give those who moved within the horizon where they went, at the price of a recent start there; at a birthday, at their own."""
        moved = np.flatnonzero((went >= 0) & (end <= last))
        one, begun, to = some.of(moved), end[moved], went[moved]
        key = split(one.key, NEXT)
        turned = (begun == np.maximum(one.turns, one.came + 1)) & (to == self.turns_to[one.series])
        price, luck = np.empty(len(moved)), uniform(key, WHOM)
        for series in np.unique(to):
            here, pool = to == series, self.pools[int(series)]["price"]
            price[here] = pool[_one_of(len(pool), luck[here])]
        price = np.where(turned, one.price, self._priced(to, one.draw, begun, price))
        turns = np.where(turned | (self.turns_to[to] < 0), np.inf, one.turns)
        until, stays_on = np.where(turned, one.until, np.inf), np.where(turned, one.begun, begun)
        return replace(one, series=to, begun=stays_on, until=until, price=price, came=begun, turns=turns, there=one.there & turned, key=key)

    def ended(self, some: Some) -> _End:
        """Draw the day on which each stay ends, and where it leads (-1: outside)."""
        since, patience, length = some.came, -np.log1p(-uniform(some.key, PATIENCE)), np.empty(len(some))
        cell = self.stays.kind[some.series] * len(self.stays.groups) + some.group
        order = np.argsort(cell, kind="stable")
        bounds = np.searchsorted(cell[order], np.arange(len(self.stays.rate) * len(self.stays.groups) + 1))
        for number in np.flatnonzero(np.diff(bounds)):
            here = order[bounds[number] : bounds[number + 1]]
            at = divmod(int(number), len(self.stays.groups))
            length[here] = self._length(at, since[here], some.begun[here], some.draw[here], patience[here])
        return self._end(some, length)

    def _length(self, at: tuple[int, int], since: np.ndarray, begun: np.ndarray, draw: np.ndarray, patience: np.ndarray) -> np.ndarray:
        """Give how long stays of a type and group last in all: until the hazard since a day has come to their patience.

        Hazards are those of a band of time served times exp(drift x years from today), whatever the horizon: proportional hazards with
        calendar time as a covariate, followed along a line of Lexis's diagram (Keiding, N. (1990). Statistical inference in the Lexis
        diagram. Philosophical Transactions A 332). Within a band that is Gompertz's law, whose hazard is summed and inverted exactly.
        """
        rate, drift, length = self.rate[at], self.drift[at[0]], np.full(len(begun), CENTURY)
        on, served, left = np.arange(len(begun)), since - begun, patience
        band = np.searchsorted(BANDS, served, side="right") - 1
        while len(on):
            slope = drift[band, draw]
            hazard = rate[band, draw] * np.exp(slope * (begun + served - self.day)) / slope
            here = hazard * np.expm1(slope * (UPPER[band] - served))
            ends = here >= left
            length[on[ends]] = served[ends] + np.log1p(left[ends] / hazard[ends]) / slope[ends]
            stays = np.flatnonzero(~ends & (band < len(BANDS) - 1))
            on, draw, begun, left, band = on[stays], draw[stays], begun[stays], left[stays] - here[stays], band[stays] + 1
            served = BANDS[band]
        return length

    def _end(self, some: Some, length: np.ndarray) -> _End:
        """Give the day on which each stay ends, and where it leads."""
        since, kind, pull = some.came, self.stays.kind[some.series], self.pull
        left = length - (since - some.begun)
        if pull is not None:
            left = pull.stretched(some.series, some.draw, since, left)
        end = np.maximum(np.ceil(since + left), since + 1)
        until = np.minimum(some.until, some.leaves)
        cut = end >= until
        end = np.maximum(np.where(cut, until, end), since + 1)
        chance = self.moving[kind, np.maximum(np.searchsorted(BANDS, length, side="left") - 1, 0), some.draw]
        if pull is not None:
            chance = np.minimum(chance * pull.more_moves(self.stays.to, some.series, some.draw, end), 1.0)
        went = np.full(len(some), -1)
        moves = np.flatnonzero((uniform(some.key, MOVES) < chance) & ~cut & (self.leads[some.series, -1] > 0))
        leads = self.leads[some.series[moves]]
        if pull is not None:
            leads = pull.led(self.stays.to, some.series[moves], some.draw[moves], end[moves]).cumsum(axis=1)
        where = uniform(some.key[moves], WHERE)[:, None] * leads[:, -1:]
        went[moves] = np.minimum((where >= leads).sum(axis=1), leads.shape[1] - 1)
        turned = end > some.turns
        end, went[turned] = np.where(turned, np.maximum(some.turns, since + 1), end), self.turns_to[some.series[turned]]
        return end, went

    def _birthdays(self, series: np.ndarray, age: np.ndarray, begun: np.ndarray, key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Draw the birthdays at which stays end, and at which they move to another budget; infinity where they do not."""
        leaves = turns = np.full(len(age), np.inf)
        if self.leaves_at is not None:
            leaves = self._birthday(self.leaves_at, age, begun, uniform(key, BIRTHDAY))
            leaves = np.where(uniform(key, STAYS_ON) < self.stays.staying_on, np.inf, leaves)
        if self.stays.turn is not None:
            turns = np.where(self.turns_to[series] >= 0, self._birthday(self.stays.turn[0], age, begun, uniform(key, TURN)), np.inf)
        return leaves, turns

    def _birthday(self, of: float, age: np.ndarray, begun: np.ndarray, luck: np.ndarray) -> np.ndarray:
        """Draw the day of a birthday: later than today, some time in the year that the age leaves open; infinity where it is over."""
        latest = begun + (of - age) * YEAR
        earliest = np.maximum(latest - YEAR, np.maximum(begun, self.day))
        drawn = np.floor(earliest + luck * (latest - earliest)) + 1
        return np.where(np.isfinite(latest) & (latest > earliest), drawn, np.inf)

    def _priced(self, series: np.ndarray, draw: np.ndarray, begun: np.ndarray, price: np.ndarray) -> np.ndarray:
        return np.asarray(price * np.exp(self.growth[self.stays.kind[series], draw] * (begun - self.day) / YEAR))


def _one_of(many: int, luck: np.ndarray) -> np.ndarray:
    """Give positions from 0 on, each as likely, by numbers between 0 and 1."""
    return np.asarray((luck * many).astype(np.int64))


def _open(spells: pd.DataFrame, stays: Stays, known_end: str | None) -> tuple[pd.DataFrame, int]:
    """Give open placements as numbers; one without a price takes the mean of its type, and is counted."""
    number = pd.Index(stays.ids).get_indexer(spells["unique_id"])
    rows = spells[spells["closed"].isna().to_numpy() & (number >= 0)]
    series = pd.Index(stays.ids).get_indexer(rows["unique_id"])
    price = rows["price"].astype(float).to_numpy() if "price" in rows else np.full(len(rows), np.nan)
    by_type = pd.Series(price).groupby(stays.kind[series]).transform("mean").to_numpy()
    until = pd.DatetimeIndex(rows[known_end]) if known_end is not None and known_end in rows else pd.DatetimeIndex([pd.NaT] * len(rows))
    who = rows[["person_id", "unique_id", "opened"]]
    called = split(pd.util.hash_pandas_object(who, index=False).to_numpy(), who.groupby(list(who)).cumcount().to_numpy())
    table = pd.DataFrame({
        "called": called, "series": series, "begun": day_numbers(pd.DatetimeIndex(rows["opened"])), "group": _groups(rows, stays),
        "age": rows["age"].to_numpy(dtype=float) if "age" in rows else np.nan,
        "until": np.where(until.isna(), np.inf, day_numbers(until.fillna(pd.Timestamp(0)))), "price": np.where(np.isnan(price), by_type,
        price),
    })  # fmt: skip
    return table, int(np.isnan(price).sum())


def _groups(rows: pd.DataFrame, stays: Stays) -> np.ndarray:
    return np.asarray(np.maximum(pd.Index(stays.groups).get_indexer(labels_of(rows, stays.group)), 0))


def _told(old: Tally, new: Tally, stays: Stays, ds: pd.DatetimeIndex) -> xr.Dataset:
    kept, arrived = old.told(), new.told()
    dims = ("series", "ds", "draw")
    of: Mapping[str, np.ndarray] = {
        "people": kept[0] + arrived[0], "weeks": kept[1] + arrived[1], "pounds": kept[2] + arrived[2],
        "committed_people": kept[0], "committed_pounds": kept[2],
    }  # fmt: skip
    coords = {"series": stays.ids, "ds": ds, "draw": np.arange(old.shape[2])}
    return xr.Dataset({name: (dims, values) for name, values in of.items()}, coords)
