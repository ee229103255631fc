"""Stays: how long people stay in each kind of place, how stays end, and whom recent starters were like.

In: SPELLS as they were known on a day. Out: `Stays`: the hazard of an end by type, group and time served, the share of ends that are
moves and where they lead, how sure all that is, and recent starters to draw new ones from. Refuses spells without any time observed.

Hazards are constant within bands of time served (piecewise exponential: Friedman 1982, Annals of Statistics 10(1)), so that a stay which
began before anything was observed counts from the day on which it was (left truncation), one that is open counts until today
(censoring), and the tail goes on at the rate of the last band. Few ends borrow: a group from its type, a type from all types. Recent
years count more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from demand.caseload.spells import OUTSIDE
from demand.caseload.starters import YEAR, YEARS, starters
from demand.errors import DataError, Fault
from demand.spec import stream

__all__ = ["BANDS", "YEAR", "Stays", "labels_of", "learn_stays", "seen_since"]

BANDS = np.array([0, 14, 28, 56, 91, 182, 365, 547, 730, 1095, 1460, 2920], dtype=float)
"""First days of the bands of time served within which the hazard of an end is taken as constant: short ones up to three years, since
where a hazard falls within a band most are at risk early in it, and too many seem to end."""
FADE = 0.75
"""Each year back counts so much of the year after it: stays lengthen and shorten."""
BORROWED = 2.0
"""Ends that a type borrows in each band from all types, and a group from its type."""
TREND = 0.03
"""How much hazards are believed to change a year, as a standard deviation of the logarithm: an estimate is held towards 0 by it."""
LENT = 10.0
"""Ends that a band of time served borrows for its share of moves from all bands of its type."""
STEEP = (0.25, 4.0)
"""Ends of a band follow a change of lengths by so much: slopes of few ends say more."""
STRAY = 0.1
"""A month with fewer than this share of a usual month's ends was not recorded yet."""
WINDOWS = (1, 3, 12)
"""Months that are looked at together for that: in a small service one stray end is a tenth of a month's, and not of a year's."""


@dataclass(frozen=True)
class Stays:
    """What spells say about stays.

    Parameters
    ----------
    ids : list of str
        The series.
    types : list of str
    kind : numpy.ndarray
        Shape (series,): the number of each series' type.
    groups : list of str
        Values of the columns that tell people of one type apart; one alone where there are none.
    rate : numpy.ndarray
        Shape (types, groups, bands): ends a day.
    moving : numpy.ndarray
        Shape (types, bands, 2): of the ends, those that are moves; and how many ends that rests on.
    to : numpy.ndarray
        Shape (series, series): where a move leads; rows add up to 1, or are 0.
    rests : numpy.ndarray
        Shape (types, groups, bands): how many ends each hazard rests on.
    unsure : numpy.ndarray
        Shape (types,): standard deviation of the logarithm of a type's hazard beyond that, from how much years differed about their trend.
    drift : numpy.ndarray
        Shape (types, bands, 2): how much hazards change a year as a logarithm, and its standard error.
    back : float
        Years from the middle of what `rate` rests on to `day`; the trend has brought it from there to `day`.
    starters : mapping of int to pandas.DataFrame
        By number of series, recent starts in it: group, age, price (as of `day`), from_outside.
    growth : numpy.ndarray
        Shape (types, 2): growth of prices of new starts a year as a logarithm, and its standard error.
    day : pandas.Timestamp
        When all this was known.
    staying_on : float
        Of those who were there before the birthday at which stays end, those who were there after it.
    group : str or None
        The column that `groups` are values of.
    turn : (float, numpy.ndarray) or None
        A birthday, and by series the one where people then are, their stay and price as they were; -1: they stay.
    """

    ids: list[str]
    types: list[str]
    kind: np.ndarray
    groups: list[str]
    rate: np.ndarray
    moving: np.ndarray
    to: np.ndarray
    rests: np.ndarray
    unsure: np.ndarray
    drift: np.ndarray
    back: float
    starters: Mapping[int, pd.DataFrame]
    growth: np.ndarray
    day: pd.Timestamp
    staying_on: float = 0.0
    group: str | None = None
    turn: tuple[float, np.ndarray] | None = None

    def cumulative(self) -> np.ndarray:
        """Give the cumulative hazard at the first day of each band, shape (types, groups, bands)."""
        steps = self.rate[:, :, :-1] * np.diff(BANDS)
        return np.concatenate([np.zeros((*self.rate.shape[:2], 1)), steps.cumsum(axis=2)], axis=2)

    def luck(self, seed: int, what: str, draws: int) -> np.ndarray:
        """Draw standard normal numbers of each type, shape (types, draws), that go by its name."""
        return np.stack([stream(seed, "caseload", what, t).standard_normal(draws) for t in self.types])

    def drawn(self, seed: int, draws: int) -> np.ndarray:
        """Draw today's hazards as they may be: what `rate` is the best guess of.

        Parameters
        ----------
        seed : int
        draws : int

        Returns
        -------
        numpy.ndarray
            Shape (types, groups, bands, draws), ends a day.

        Notes
        -----
        The hazard of a band is a rate of ends, and so gamma distributed about what was seen: Gelman, A. et al. (2013). Bayesian Data
        Analysis, 3rd edition, section 2.6. What years differed by moves all bands of a type together. The trend is normal, as a
        regression with a known prior has it (ibid., section 14.8): one draw of it is what has brought the past to today and what comes
        (see `drawn_drift`).
        """
        noise = self.luck(seed, "levels", draws) * self.unsure[:, None]
        brought = (self.drawn_drift(seed, draws) - self.drift[..., :1]) * self.back
        found = np.empty((*self.rests.shape, draws))
        for (kind, group), shape in ((at, self.rests[at][:, None]) for at in np.ndindex(self.rests.shape[:2])):
            rng = stream(seed, "caseload", "hazards", self.types[kind], self.groups[group])
            found[kind, group] = rng.gamma(shape, 1 / shape, (len(shape), draws)) * np.exp(noise[kind] + brought[kind])
        return np.asarray(self.rate[..., None] * found)

    def drawn_drift(self, seed: int, draws: int) -> np.ndarray:
        """Draw how much hazards change a year from today on, as a logarithm, shape (types, bands, draws): all types go together."""
        return np.asarray(self.drift[..., :1] + self.drift[..., 1:] * stream(seed, "caseload", "trend").standard_normal(draws))

    def drawn_moves(self, seed: int, draws: int) -> np.ndarray:
        """Draw the share of ends that are moves as it may be, shape (types, bands, draws).

        Of ends that were seen, so many were moves: its posterior is a beta distribution (Gelman et al. 2013, section 2.4).
        """
        share, rests = self.moving[..., :1], self.moving[..., 1:]
        moved, not_moved = (np.maximum(s * rests, 1e-9) for s in (share, 1 - share))
        each = zip(self.types, moved, not_moved, strict=True)
        return np.stack([stream(seed, "caseload", "moves", name).beta(a, b, (len(a), draws)) for name, a, b in each])

    def hazard(self, kind: np.ndarray, group: np.ndarray, served: np.ndarray) -> np.ndarray:
        """Give the cumulative hazard after days served, shape (people, times), of people of these types and groups."""
        band = np.searchsorted(BANDS, served, side="right") - 1
        at = (kind[:, None], group[:, None], band)
        return np.asarray(self.cumulative()[at] + self.rate[at] * (served - BANDS[band]))

    def median(self, kind: int, group: int = 0) -> float:
        """Give the median stay in days of a type and group."""
        hazard = self.cumulative()[kind, group]
        band = int(np.searchsorted(hazard, np.log(2), side="right") - 1)
        return float(BANDS[band] + (np.log(2) - hazard[band]) / self.rate[kind, group, band])


def seen_since(spells: pd.DataFrame) -> pd.Timestamp:
    """Give the day from which ends were recorded: the first end of the first month with no mere stray ones.

    Who came and went before it is not in such an extract, so that those who are must not count as having stayed on. A month has mere
    strays where the ends in it, or in it and the months after it (`WINDOWS`), are fewer than `STRAY` of those of as many months of the
    busiest year to come.
    """
    ended = spells["closed"].dropna()
    if ended.empty:
        return pd.Timestamp(spells["opened"].min())
    month = ended.dt.year * 12 + ended.dt.month
    many = np.bincount(month - month.min())
    within = {n: np.convolve(np.r_[many, np.zeros(n - 1)], np.ones(n), "valid") for n in WINDOWS}
    busiest = np.maximum.accumulate(within[12][::-1])[::-1] / 12
    seen = (many > 0) & np.logical_and.reduce([ends >= STRAY * n * busiest for n, ends in within.items()])
    return pd.Timestamp(ended[month >= month.min() + int(np.argmax(seen))].min())


def learn_stays(
    spells: pd.DataFrame,
    day: pd.Timestamp,
    *,
    ids: Sequence[str],
    kinds: Mapping[str, str],
    group: str | None = None,
    leaves_at: float | None = None,
    turn: tuple[float, np.ndarray] | None = None,
    since: pd.Timestamp | None = None,
) -> Stays:
    """Learn stays from what was known at the end of a day.

    Parameters
    ----------
    spells : pandas.DataFrame
        SPELLS; nothing after `day` is looked at (see `as_known`).
    day : pandas.Timestamp
    ids : sequence of str
        The series.
    kinds : mapping of str to str
        Series to type: stays are learnt by type, over all its series.
    group : str, optional
        A column of the spells, such as unaccompanied or segment: stays differ by it within a type.
    leaves_at : float, optional
        The birthday at which stays end, such as 18; needs the column `age`, in years at the opening. Time after the first day on which it
        could be is not counted, so that stays cut by a birthday do not shorten the others.
    turn : (float, numpy.ndarray), optional
        The birthday at which people move to another budget, and by series the one where they then are (-1: they stay). Time after it is
        not counted either, and such moves are none.
    since : pandas.Timestamp, optional
        The day from which records are whole; where ends show that they were so from a later one only, that one (see `seen_since`).

    Returns
    -------
    Stays

    Raises
    ------
    DataError
        Where no time in any place was observed.
    """
    names, begin = sorted(set(kinds.values())), max(seen_since(spells), since or pd.Timestamp.min)
    kind = np.array([names.index(kinds[i]) for i in ids])
    row = pd.Index(ids).get_indexer(spells["unique_id"])
    one = spells[row >= 0].assign(_row=row[row >= 0], _kind=kind[row[row >= 0]])
    labels = labels_of(one, group)
    groups = sorted(labels.unique())
    one = one.assign(_group=pd.Categorical(labels, categories=groups).codes)
    stop, turned = _stop(one, day, leaves_at), np.zeros(len(one), dtype=bool)
    if turn is not None and "age" in one:
        to = turn[1][one["_row"].to_numpy()]
        before = np.minimum(stop, _stop(one, day, turn[0]))
        young = (to >= 0) & (one["age"] < turn[0]).to_numpy()
        turned = young & (before < stop) & (pd.Index(ids).get_indexer(one["goes"]) == to)
        stop = np.where(young, before, stop)
    ends, moves, time = _years(one, stop, day=day, since=begin, shape=(len(names), len(groups)))
    if time.sum() <= 0:
        raise DataError(Fault("no time in any place was observed", where="data > people", do_next="Give placements with days of opening"))
    rate, rests, unsure, drift, back = _rates(ends, time, FADE ** np.arange(YEARS))
    return Stays(
        list(ids), names, kind, groups, rate, _moving(ends, moves), _led_to(one[~turned], list(ids), kind), rests, unsure, drift, back,
        *starters(one, day, kind, len(names)), day, _staying_on(one, day, leaves_at, since), group, turn,
    )  # fmt: skip


def labels_of(rows: pd.DataFrame, group: str | None) -> pd.Series:
    """Give the group of each row as text."""
    if group is None:
        return pd.Series("all", index=rows.index)
    return rows[group].astype(object).where(rows[group].notna(), "(not given)").astype(str)


def _stop(one: pd.DataFrame, day: pd.Timestamp, leaves_at: float | None) -> np.ndarray:
    """Give the days served at which watching a spell stops: its end, today, or the first day that the birthday could be."""
    opened = one["opened"].to_numpy()
    last = one["closed"].fillna(day + pd.Timedelta(days=1)).to_numpy()
    served = (last - opened) / np.timedelta64(1, "D")
    if leaves_at is None or "age" not in one:
        return np.asarray(served)
    surely = np.maximum((leaves_at - 1 - one["age"].to_numpy(dtype=float)) * YEAR, 0.0)
    return np.asarray(np.where(np.isfinite(surely), np.minimum(served, surely), served))


def _years(
    one: pd.DataFrame, stop: np.ndarray, *, day: pd.Timestamp, since: pd.Timestamp, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count ends, moves and days at risk by year back from `day`, type, group and band of time served."""
    size = (YEARS, *shape, len(BANDS))
    ends, moves, time = np.zeros(size), np.zeros(size), np.zeros(size)
    opened = one["opened"].to_numpy()
    cell = one["_kind"].to_numpy() * shape[1] + one["_group"].to_numpy()
    whole = (one["closed"].fillna(day + pd.Timedelta(days=1)).to_numpy() - opened) / np.timedelta64(1, "D")
    ended, moved = one["closed"].notna().to_numpy() & (stop >= whole), (one["goes"] != OUTSIDE).to_numpy()
    upper = np.r_[BANDS[1:], np.inf]
    flat = shape[0] * shape[1]
    for year in range(YEARS):
        begin, finish = day - pd.Timedelta(days=round((year + 1) * YEAR)), day - pd.Timedelta(days=round(year * YEAR))
        low = np.maximum((np.datetime64(max(begin, since)) - opened) / np.timedelta64(1, "D"), 0.0)
        high = np.minimum(stop, (np.datetime64(finish) - opened) / np.timedelta64(1, "D"))
        inside = ended & (stop > low) & (stop <= (np.datetime64(finish) - opened) / np.timedelta64(1, "D"))
        band = np.searchsorted(BANDS, stop, side="left") - 1
        at = cell[inside] * len(BANDS) + np.maximum(band[inside], 0)
        ends[year] = np.bincount(at, minlength=flat * len(BANDS)).reshape(*shape, -1)
        moves[year] = np.bincount(at, moved[inside].astype(float), minlength=flat * len(BANDS)).reshape(*shape, -1)
        for b in range(len(BANDS)):
            spent = np.clip(np.minimum(high, upper[b]) - np.maximum(low, BANDS[b]), 0.0, None)
            time[year, :, :, b] = np.bincount(cell, spent, minlength=flat).reshape(shape)
    return ends, moves, time


def _rates(ends: np.ndarray, time: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]:
    """Give `rate`, where each group borrows from its type and each type from all types, with `rests`, `unsure`, `drift` and `back`."""
    e, t = np.einsum("y,ykgb->kgb", weight, ends), np.einsum("y,ykgb->kgb", weight, time)
    level = e.sum() / max(t.sum(), 1e-9)
    every = (e.sum(axis=(0, 1)) + BORROWED) / (t.sum(axis=(0, 1)) + BORROWED / max(level, 1e-6))
    height = (e.sum(axis=(1, 2)) + BORROWED) / ((t.sum(axis=1) * every).sum(axis=1) + BORROWED)
    prior = height[:, None] * every
    by_kind = (e.sum(axis=1) + BORROWED) / (t.sum(axis=1) + BORROWED / prior)
    tall = (e.sum(axis=2) + BORROWED) / ((t * by_kind[:, None]).sum(axis=2) + BORROWED)
    prior_group = tall[:, :, None] * by_kind[:, None]
    rate = (e + BORROWED) / (t + BORROWED / prior_group)
    expected = np.einsum("kgb,ykgb->yk", rate, time)
    slope, error, back = _trend_of_all(ends, expected.sum(axis=1), weight)
    steep = _steepness(by_kind, e.sum(axis=1))[:, None]
    rate = rate * np.exp(slope * back * steep)
    years = -np.arange(len(ends)) - 0.5
    expected = np.stack([(time[y] * rate * np.exp(slope * year * steep)).sum(axis=(1, 2)) for y, year in enumerate(years)])
    seen = expected > 5
    ratio = np.where(seen, np.log(np.maximum(ends.sum(axis=(2, 3)), 0.5) / np.maximum(expected, 0.5)), np.nan)
    count = np.maximum(seen.sum(axis=0), 1)
    swing = np.where(seen, ratio**2 - 1 / np.maximum(expected, 1), 0.0).sum(axis=0) / count
    rests = e**2 / np.maximum(np.einsum("y,ykgb->kgb", weight**2, ends), 1e-9) + BORROWED
    return rate, rests, np.sqrt(np.clip(swing, 0.0, 0.25)), steep[:, 0, :, None] * [slope, error], back


def _moving(ends: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Give by type and band the share of ends that are moves, and on how many ends it rests.

    Bands borrow from their type, no more than it has. A type with fewer ends than bands borrow takes what it lacks from all types, so
    that one end in all does not say that none is a move, or each.
    """
    weight = FADE ** np.arange(YEARS)
    by_kind, led, squared = (np.einsum("y,ykgb->kb", w, n) for w, n in ((weight, ends), (weight, moves), (weight**2, ends)))
    of_type, moved = by_kind.sum(axis=1, keepdims=True), led.sum(axis=1, keepdims=True)
    known = of_type**2 / np.maximum(squared.sum(axis=1, keepdims=True), 1e-9)
    lacks = np.maximum(LENT - known, 0.0)
    overall = (moved + lacks * moved.sum() / max(of_type.sum(), 1e-9)) / np.maximum(of_type + lacks, 1e-9)
    share = (led + LENT * overall) / (by_kind + LENT)
    rests = np.maximum(by_kind**2 / np.maximum(squared, 1e-9), np.clip(known, 1.0, LENT))
    return np.stack([share, rests], axis=2)


def _steepness(rate: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Give how much more than all ends together those of a type and band follow a trend; shape (types, bands), about 1 on average.

    Where stays lengthen, a clock runs slower: h(t) becomes a h(a t), so that ends fall by 1 + d log h / d log t for 1 % of length, and
    early ends of stays that seldom end early fall fastest (accelerated failure time: Kalbfleisch and Prentice 2002, The Statistical
    Analysis of Failure Time Data, 2nd edition, section 2.3.4).
    """
    middle = np.log(np.r_[(BANDS[:-1] + BANDS[1:]) / 2, BANDS[-1] * 1.5])
    follows = np.clip(1 + np.gradient(np.log(rate), middle, axis=1), *STEEP)
    return np.asarray(follows / ((follows * ends).sum() / max(ends.sum(), 1e-9)) if ends.sum() > 0 else np.ones_like(follows))


def _trend_of_all(ends: np.ndarray, expected: np.ndarray, weight: np.ndarray) -> tuple[float, float, float]:
    """Give the change of hazards a year as a logarithm, held towards none, its error, and how many years today is from their middle."""
    seen = ends.sum(axis=(1, 2, 3))
    kept = expected > 20
    if kept.sum() < 3:
        return 0.0, TREND, 0.0
    x, y, w = -np.arange(len(seen))[kept] - 0.5, np.log(np.maximum(seen[kept], 0.5) / expected[kept]), expected[kept]
    centre = (w * x).sum() / w.sum()
    slope = (w * (x - centre) * y).sum() / (w * (x - centre) ** 2).sum()
    noise = 1 / (w * (x - centre) ** 2).sum()
    held, faded = TREND**2 / (TREND**2 + noise), weight[kept] * w
    return float(slope * held), float(np.sqrt(noise * held)), float(-(faded * x).sum() / faded.sum())


def _led_to(one: pd.DataFrame, ids: list[str], kind: np.ndarray) -> np.ndarray:
    """Give where moves lead: as from each series, borrowing ten moves from all series of its type, to the series that share most keys."""
    moved = one[one["goes"] != OUTSIDE]
    target = pd.Index(ids).get_indexer(moved["goes"])
    counts = np.zeros((len(ids), len(ids)))
    np.add.at(counts, (moved["_row"].to_numpy()[target >= 0], target[target >= 0]), 1.0)
    parts = [set(i.split("/")) for i in ids]
    alike = np.array([[4.0 ** len(a & b) for b in parts] for a in parts]) * (counts.sum(axis=0) > 0)
    types = np.eye(kind.max() + 1)[kind]
    to_type = types.T @ counts @ types
    share = to_type / np.maximum(to_type.sum(axis=1, keepdims=True), 1e-9)
    within = alike / np.maximum(alike @ types @ types.T, 1e-9)
    prior = share[kind][:, kind] * within
    mixed = counts + 10 * prior
    total = mixed.sum(axis=1, keepdims=True)
    return np.asarray(np.where(total > 0, mixed / np.maximum(total, 1e-9), 0.0))


def _staying_on(one: pd.DataFrame, day: pd.Timestamp, leaves_at: float | None, since: pd.Timestamp | None) -> float:
    """Give the share who are there when the birthday has surely passed, of those who were there shortly before it."""
    if leaves_at is None or "age" not in one:
        return 0.0
    left = leaves_at - one["age"]
    before = one["opened"] + pd.to_timedelta((left - 1) * YEAR, unit="D")
    after = one["opened"] + pd.to_timedelta(left * YEAR, unit="D")
    could = (left > 0) & (after <= day) & (after > max(seen_since(one), since or pd.Timestamp.min)) & ~(one["closed"] < before)
    return float((could & ~(one["closed"] <= after + pd.Timedelta(days=7))).sum() / max(int(could.sum()), 1))
