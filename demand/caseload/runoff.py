"""Run-off plus starters: everybody who is there stays on at their own price, and new starters come, in joint draws of people and pounds.

In: SPELLS known on a day, what they say about stays, and draws of new starts. Out: people and pounds by series, period and draw, with
the part that is already there apart. Refuses starts that are not whole numbers.

Each open placement is drawn in every draw: its end given the time already served, cut by a known end or a birthday; where it goes then;
and whoever moves or starts is drawn on in the same way, at a price of new starts. Nothing is averaged and no price distribution is
fitted: a new start takes age, group and price of one recent starter, at today's level and the trend of such prices, so that the dear
ones stay as dear.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr

from demand.calendar import Frequency
from demand.caseload.known import Known, KnownChange
from demand.caseload.levers import Pull
from demand.caseload.stays import BANDS, YEAR, Stays, labels_of
from demand.caseload.tally import Some, Tally, day_numbers
from demand.errors import DataError, Fault
from demand.spec import stream

__all__ = ["run_on"]

AT_ONCE = 1_500_000
"""Stays drawn at once: more need more memory and are no faster."""
CENTURY = 36_525.0
WIDTHS = np.diff(BANDS)[:, None]
ROUNDS = 12
"""Moves of one person within the horizon that are followed; hardly anybody has as many."""


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
    engine = _Engine(stays, seed, draws, len(ds) / frequency.per_year, leaves_at, pull)
    open_now, without = _open(spells, stays, known_end)
    about = spells.drop_duplicates("unique_id").set_index("unique_id").reindex(stays.ids)
    left = starts if pull is None or pull.entries is None else pull.entries
    known = Known.of(changes, open_now, left, series=about, today=stays.day, ends=frequency.end_of(ds), seed=seed)
    old, new = Tally(starts.shape, ds, frequency), Tally(starts.shape, ds, frequency)
    now = [np.bincount(open_now["series"], of, minlength=len(stays.ids)).astype(float) for of in (None, open_now["price"])]
    old.people[:, 0, :] += now[0][:, None]
    old.weekly[:, 0, :] += now[1][:, None]
    moved, others = _leave(open_now, known, engine, old)
    for number, (series, draw, begun, price) in enumerate(known.come):
        engine.throw("known", number)
        others.append(engine.announced(series, draw, begun, price))
    _starters(starts, known.starts, engine, new, moved, others)
    _starters(np.maximum(known.starts - starts, 0), None, engine, new, others, others)
    _moved_on(moved, others, engine, old, new)
    told = _told(old, new, stays, ds).assign_attrs(without_price=without)
    return told.assign(people_now=("series", now[0]), pounds_now=("series", now[1]))


def _leave(open_now: pd.DataFrame, known: Known, engine: _Engine, old: Tally) -> tuple[list[Some], list[Some]]:
    """Draw when those who are there leave, some at a time; give who moved on, and who did so otherwise than without levers."""
    moved, others, last = [], list[Some](), float(old.ends[-1])
    for number, part in enumerate(np.array_split(np.arange(len(open_now)), max(1, -(-len(open_now) * engine.draws // AT_ONCE)))):
        engine.throw("open", number)
        some = engine.replicated(open_now.iloc[part])
        plain, so = engine.ended(some)
        so = known.left(part, some.draw, so[0].copy(), so[1].copy())
        old.add(some, so[0], -1.0)
        moved.append(engine.arrived(some.only(_same(plain, so)), *plain, last))
        others += engine.elsewhere(some, plain, so, last, "open", number)
    return moved, others


def _moved_on(moved: list[Some], others: list[Some], engine: _Engine, old: Tally, new: Tally) -> None:
    """Draw those who moved on, and where they go after that; `others` are those who are where they would not be without levers."""
    last = float(new.ends[-1])
    for turn in range(ROUNDS):
        waiting, moved = {"moved": moved, "others": [o for o in others if len(o)]}, []
        others = []
        for name, lots in waiting.items():
            for number, some in enumerate(lots):
                engine.throw(name, turn, number)
                plain, so = engine.ended(some)
                for ledger, which in ((old, some.there), (new, ~some.there)):
                    ledger.add(some.of(which), some.came[which], 1.0)
                    ledger.add(some.of(which), so[0][which], -1.0)
                if name == "others":
                    others.append(engine.arrived(some, *so, last))
                    continue
                moved.append(engine.arrived(some.only(_same(plain, so)), *plain, last))
                others += engine.elsewhere(some, plain, so, last, name, turn, number)
        if not any(len(m) for m in (*moved, *others)):
            break


def _same(one: _End, other: _End) -> np.ndarray:
    return np.asarray((one[0] == other[0]) & (one[1] == other[1]))


def _starters(starts: np.ndarray, left: np.ndarray | None, engine: _Engine, new: Tally, moved: list[Some], others: list[Some]) -> None:
    """Draw starters from outside, a few series and periods at a time; only who is `left` is counted. None: who comes beside them."""
    for series, each in enumerate(starts.astype(np.int64)):
        for period, many in enumerate(each):
            draw = np.repeat(np.arange(len(many)), many)
            if not len(draw):
                continue
            rank = np.arange(len(draw)) - np.repeat(many.cumsum() - many, many)
            counts = np.ones(len(draw), dtype=bool) if left is None else rank < left[series, period, draw]
            for number, part in enumerate(np.array_split(np.arange(len(draw)), -(-len(draw) // AT_ONCE))):
                name = "start" if left is not None else "more"
                engine.throw(name, series, period, number)
                some = engine.started(series, draw[part], new.starts[period], new.ends[period])
                some = replace(some, counts=counts[part])
                new.add(some, some.begun, 1.0)
                plain, so = engine.ended(some)
                new.add(some, so[0], -1.0)
                moved.append(engine.arrived(some.only(_same(plain, so)), *plain, float(new.ends[-1])))
                others += engine.elsewhere(some, plain, so, float(new.ends[-1]), name, series, period, number)


class _Engine:
    """How one stay is drawn."""

    def __init__(self, stays: Stays, seed: int, draws: int, years: float, leaves_at: float | None, pull: Pull | None) -> None:
        self.stays, self.seed, self.leaves_at, self.draws = stays, seed, leaves_at, draws
        self.pull = None if pull is None or (pull.stay is None and pull.moves is None) else pull
        self.turns_to = np.full(len(stays.ids), -1) if stays.turn is None else stays.turn[1]
        self.throw("levels")
        self.day = float(day_numbers(pd.DatetimeIndex([stays.day]))[0])
        self.rate = stays.drawn(self.rng, draws, years=years)
        self.served = np.concatenate([np.zeros_like(self.rate[:, :, :1]), (self.rate[:, :, :-1] * WIDTHS).cumsum(axis=2)], axis=2)
        self.growth = stays.growth[:, :1] + stays.growth[:, 1:] * self.rng.standard_normal((len(stays.growth), draws))
        self.leads = stays.to.cumsum(axis=1)
        self.pools = {s: {c: t[c].to_numpy() for c in t} for s, t in stays.starters.items()}
        self.outside = {s: np.flatnonzero(p["from_outside"]) for s, p in self.pools.items()}

    def throw(self, *what: object) -> None:
        """Take the random numbers of one lot of people: what happens to others does not change theirs."""
        self.rng = stream(self.seed, "caseload", *what)

    def replicated(self, rows: pd.DataFrame) -> Some:
        """Give open placements once for each draw."""
        repeated = {c: np.repeat(rows[c].to_numpy(), self.draws) for c in ("series", "begun", "group", "age", "until", "price")}
        draw = np.tile(np.arange(self.draws), len(rows))
        age, came = repeated.pop("age"), np.full(len(draw), self.day)
        leaves, turns = self._birthdays(repeated["series"], age, repeated["begun"])
        every = np.ones(len(draw), dtype=bool)
        return Some(draw=draw, came=came, leaves=leaves, turns=turns, there=every, counts=every, **repeated)

    def started(self, series: int, draw: np.ndarray, first: float, last: float) -> Some:
        """Give new starters of a period, each like one recent starter, on some day of it."""
        pool, outside = self.pools[series], self.outside[series]
        whom = outside if len(outside) else np.arange(len(pool["age"]))
        who = whom[self.rng.integers(0, len(whom), len(draw))]
        begun = np.floor(first + self.rng.random(len(draw)) * (last - first + 1))
        number = np.full(len(draw), series)
        leaves, turns = self._birthdays(number, pool["age"][who], begun)
        price, there = self._priced(number, draw, begun, pool["price"][who]), np.zeros(len(draw), dtype=bool)
        return Some(
            series=number, draw=draw, begun=begun, group=pool["group"][who], until=np.full(len(draw), np.inf), leaves=leaves, price=price,
            came=begun, turns=turns, there=there, counts=~there,
        )  # fmt: skip

    def announced(self, series: int, draw: np.ndarray, begun: float, price: float) -> Some:
        """Give those who are known to come on a day, at the price that is known, or that of a recent start."""
        some = self.started(series, draw, begun, begun)
        return some if np.isnan(price) else replace(some, price=np.full(len(draw), price))

    def arrived(self, some: Some, end: np.ndarray, went: np.ndarray, last: float) -> Some:
        """Give those who moved within the horizon where they went, at the price of a recent start there; at a birthday, at their own."""
        moved = np.flatnonzero((went >= 0) & (end <= last))
        one, begun, to = some.of(moved), end[moved], went[moved]
        turned = (begun == np.maximum(one.turns, one.came + 1)) & (to == self.turns_to[one.series])
        price = np.empty(len(moved))
        for series in np.unique(to):
            here = to == series
            price[here] = self.rng.choice(self.pools[int(series)]["price"], int(here.sum()))
        price = np.where(turned, one.price, self._priced(to, one.draw, begun, price))
        turns = np.where(turned | (self.turns_to[to] < 0), np.inf, one.turns)
        until, stays_on = np.where(turned, one.until, np.inf), np.where(turned, one.begun, begun)
        return replace(one, series=to, begun=stays_on, until=until, price=price, came=begun, turns=turns, there=one.there & turned)

    def elsewhere(self, some: Some, plain: _End, so: _End, last: float, *what: object) -> list[Some]:
        """Give those whose stay ends otherwise than without levers and known changes where they went."""
        others = some.counts & ~_same(plain, so)
        if not others.any():
            return []
        self.throw("elsewhere", *what)
        return [self.arrived(some.of(others), so[0][others], so[1][others], last)]

    def ended(self, some: Some) -> tuple[_End, _End]:
        """Draw the day on which each stay ends, and where it leads (-1: outside): without levers, and with them."""
        since = some.came
        patience, length = self.rng.standard_exponential(len(some)), np.empty(len(some))
        cell = self.stays.kind[some.series] * len(self.stays.groups) + some.group
        order = np.argsort(cell, kind="stable")
        bounds = np.searchsorted(cell[order], np.arange(len(self.stays.rate) * len(self.stays.groups) + 1))
        for number in np.flatnonzero(np.diff(bounds)):
            here = order[bounds[number] : bounds[number + 1]]
            at = divmod(int(number), len(self.stays.groups))
            length[here] = self._length(at, since[here] - some.begun[here], some.draw[here], patience[here])
        luck = self.rng.random((2, len(some)))
        plain = self._end(some, length, luck, None)
        return plain, plain if self.pull is None else self._end(some, length, luck, self.pull)

    def _length(self, at: tuple[int, int], served: np.ndarray, draw: np.ndarray, patience: np.ndarray) -> np.ndarray:
        """Give how long stays of a type and group last in all: until the hazard since today has come to their patience."""
        rate, before = self.rate[at], self.served[at]
        now = np.searchsorted(BANDS, served, side="right") - 1
        until = before[now, draw] + rate[now, draw] * (served - BANDS[now]) + patience
        band = now
        for later in range(1, len(BANDS)):
            band = np.where((later > now) & (before[later, draw] <= until), later, band)
        return np.asarray(np.minimum(BANDS[band] + (until - before[band, draw]) / rate[band, draw], CENTURY))

    def _end(self, some: Some, length: np.ndarray, luck: np.ndarray, pull: Pull | None) -> _End:
        """Give the day on which each stay ends, and where it leads."""
        since, kind = some.came, self.stays.kind[some.series]
        left = length - (since - some.begun)
        if pull is not None:
            left = pull.stretched(some.series, some.draw, since, left)
        end = np.maximum(np.ceil(since + left), since + 1)
        until = np.minimum(some.until, some.leaves)
        cut = end >= until
        end = np.maximum(np.where(cut, until, end), since + 1)
        chance = self.stays.moving[kind, np.maximum(np.searchsorted(BANDS, length, side="left") - 1, 0)]
        more = np.ones(len(some))
        if pull is not None:
            more = pull.moving(some.series, some.draw, end)
            chance = np.minimum(chance * (1 + (more - 1) * (self.stays.to @ pull.towards)[some.series]), 1.0)
        went = np.full(len(some), -1)
        moves = np.flatnonzero((luck[0] < chance) & ~cut & (self.leads[some.series, -1] > 0))
        leads = self.leads[some.series[moves]]
        if pull is not None:
            leads = (self.stays.to[some.series[moves]] * (1 + (more[moves] - 1)[:, None] * pull.towards)).cumsum(axis=1)
        went[moves] = np.minimum((luck[1][moves][:, None] * leads[:, -1:] >= leads).sum(axis=1), leads.shape[1] - 1)
        turned = end > some.turns
        end, went[turned] = np.where(turned, np.maximum(some.turns, since + 1), end), self.turns_to[some.series[turned]]
        return end, went

    def _birthdays(self, series: np.ndarray, age: np.ndarray, begun: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Draw the birthdays at which stays end, and at which they move to another budget; infinity where they do not."""
        leaves = turns = np.full(len(age), np.inf)
        if self.leaves_at is not None:
            leaves = self._birthday(self.leaves_at, age, begun)
            leaves = np.where(self.rng.random(len(age)) < self.stays.staying_on, np.inf, leaves)
        if self.stays.turn is not None:
            turns = np.where(self.turns_to[series] >= 0, self._birthday(self.stays.turn[0], age, begun), np.inf)
        return leaves, turns

    def _birthday(self, of: float, age: np.ndarray, begun: np.ndarray) -> np.ndarray:
        """Draw the day of a birthday: later than today, some time in the year that the age leaves open; infinity where it is over."""
        latest = begun + (of - age) * YEAR
        earliest = np.maximum(latest - YEAR, np.maximum(begun, self.day))
        drawn = np.floor(earliest + self.rng.random(len(age)) * (latest - earliest)) + 1
        return np.where(np.isfinite(latest) & (latest > earliest), drawn, np.inf)

    def _priced(self, series: np.ndarray, draw: np.ndarray, begun: np.ndarray, price: np.ndarray) -> np.ndarray:
        return np.asarray(price * np.exp(self.growth[self.stays.kind[series], draw] * (begun - self.day) / YEAR))


def _open(spells: pd.DataFrame, stays: Stays, known_end: str | None) -> tuple[pd.DataFrame, int]:
    """Give open placements as numbers; one without a price takes the mean of its type, and is counted."""
    number = pd.Index(stays.ids).get_indexer(spells["unique_id"])
    rows = spells[spells["closed"].isna().to_numpy() & (number >= 0)]
    series = pd.Index(stays.ids).get_indexer(rows["unique_id"])
    price = rows["price"].astype(float).to_numpy() if "price" in rows else np.full(len(rows), np.nan)
    by_type = pd.Series(price).groupby(stays.kind[series]).transform("mean").to_numpy()
    until = pd.DatetimeIndex(rows[known_end]) if known_end is not None and known_end in rows else pd.DatetimeIndex([pd.NaT] * len(rows))
    table = pd.DataFrame({
        "series": series, "begun": day_numbers(pd.DatetimeIndex(rows["opened"])), "group": _groups(rows, stays),
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
