"""What happened to a service that its counts alone do not tell: shocks, steps, changes of recording, holidays, and what is known to come.

In: a history and the events that the analyst declares. Out: the history that models learn from, and factors for the periods ahead. The
history itself stays as it was counted. Refuses dates that cannot be read, and events that end before they begin.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import BeforeValidator, Field, model_validator

from demand.calendar import Frequency
from demand.pooling import shrunk
from demand.spec import Assumption, Spec, Unit, Where
from demand.tables import ASIDE, History, match

__all__ = ["Event", "begun", "by_then", "check_events", "clean", "concerned", "factors", "joined", "read_day", "remarks", "unsettled"]

NEIGHBOUR = {"D": 7, "W": 1}
"""Days and weeks with which a holiday is compared; in months and longer, a holiday is part of the season and left there."""
FEWEST = 3
"""A series keeps at least so many counts: where an event would leave fewer, its counts stay."""
DECILES = 2.563
"""Standard deviations of a normal between its first and last decile: an 80 % range."""


def read_day(value: Any, *, end: bool) -> Any:
    """Read a day, month or year as its first day, or its last; what is a day already stays."""
    if value is None or isinstance(value, date):
        return value
    period = pd.Period(str(value))
    return (period.end_time if end else period.start_time).date()


class Stretch(Spec):
    """A further stretch of a holiday."""

    start: Annotated[date, BeforeValidator(lambda v: read_day(v, end=False))]
    """The first day."""
    end: Annotated[date, BeforeValidator(lambda v: read_day(v, end=True))]
    """The last day."""


class Event(Spec):
    """Something that happened, or will, and that the history should not be read without."""

    name: str
    """For people: first lockdown."""
    start: Annotated[date, BeforeValidator(lambda v: read_day(v, end=False))]
    """The first day; 2020-03 means 1 March 2020."""
    end: Annotated[date | None, BeforeValidator(lambda v: read_day(v, end=True))] = None
    """The last day; 2021-06 means 30 June 2021. Not needed for a step or a change of recording."""
    kind: Literal["shock", "step", "recording", "holiday", "known"]
    """shock: set aside, learnt as neither level nor season. step, recording: what came before is joined to what came after. holiday: comes
    back every year on these days. known: will happen, with the size that is assumed; once it has begun, what it did is learnt from the
    counts (see `begun`), so that the same config can be run month by month."""
    size: Assumption | None = None
    """For a known event: the ratio by which it changes the counts while it lasts; 0.9 means a tenth fewer."""
    where: Where = Field(default_factory=dict)
    """The series that it concerns; all of them where nothing is said."""
    also: list[Stretch] = Field(default_factory=list)
    """Of a holiday whose days move, such as school holidays: its other stretches, past and to come; only these count."""

    @model_validator(mode="after")
    def _holds(self) -> Event:
        if self.end is None and self.kind in ("shock", "holiday"):
            raise ValueError(f"the {self.kind} '{self.name}' needs an 'end': the last day that it concerns.")
        if self.end is not None and self.end < self.start:
            raise ValueError(f"the event '{self.name}' ends on {self.end}, before it begins on {self.start}.")
        if self.also and self.kind != "holiday":
            raise ValueError(f"'also' gives further stretches of a holiday; '{self.name}' is a {self.kind}: declare each by itself.")
        if any(other.end < other.start for other in self.also):
            raise ValueError(f"a stretch of '{self.name}' ends before it begins.")
        if self.kind == "known" and self.size is None:
            raise ValueError(f"the known event '{self.name}' needs a 'size': a ratio with its range and source.")
        if self.size is not None:
            unit, tells = Unit.parse(self.size.unit), "Write a ratio, 'unit: ratio': 0.9 means a tenth fewer."
            if unit.of not in ("1", "ratio") or unit.per:
                raise ValueError(f"the size of '{self.name}' is in '{self.size.unit}'. {tells}")
            if self.size.low < 0 or self.size.value <= 0:
                raise ValueError(f"the size of '{self.name}' is {self.size.value:g}, from {self.size.low:g}: a ratio is above 0. {tells}")
        return self


def check_events(history: History, events: Sequence[Event]) -> None:
    """Refuse events that concern no series of the history.

    Parameters
    ----------
    history : History
        All of it.
    events : sequence of Event

    Raises
    ------
    ScenarioError
        With the nearest name, where a column or a value is not known.
    """
    for event in events:
        match(history.series, event.where, at=f"forecast > events > {event.name}")


def begun(history: History, events: Sequence[Event]) -> list[Event]:
    """Give the events as they are to be read now: known ones that have begun are in the counts, and must not act twice.

    One that is over is a shock: its periods are set aside. One that goes on is a step at its start: what came before is brought to the
    level since, by the counts and by the size that was assumed, weighed as they are certain; ahead, `factors` acts only after its end.

    Parameters
    ----------
    history : History
        Up to the cutoff.
    events : sequence of Event

    Returns
    -------
    list of Event
        In the same order.
    """
    end = history.frequency.end_of(pd.DatetimeIndex([history.last]))[0]
    kinds = {True: "shock", False: "step"}
    return [
        e.model_copy(update={"kind": kinds[e.end is not None and pd.Timestamp(e.end) <= end]})
        if e.kind == "known" and pd.Timestamp(e.start) <= end
        else e
        for e in events
    ]


def by_then(events: Sequence[Event], cutoff: pd.Timestamp, frequency: Frequency) -> list[Event]:
    """Give the events that had begun when the period of a cutoff ended: its count is known, and so is what disturbed it."""
    end = frequency.end_of(pd.DatetimeIndex([cutoff]))[0]
    return [e for e in events if pd.Timestamp(e.start) <= end]


def clean(history: History, events: Sequence[Event]) -> History:
    """Give the history as models should see it.

    Parameters
    ----------
    history : History
        Up to the cutoff; nothing after it is needed.
    events : sequence of Event

    Returns
    -------
    History
        Shocks and holidays are NaN; counts before a step or a change of recording are brought to the level after it. Of known events
        that have begun, as `begun` reads them. The table's column `ASIDE` says which counts were set aside, where any were.
    """
    if not events:
        return history
    index, values = pd.DatetimeIndex(history.wide.index), history.wide.to_numpy().copy()
    for event in sorted(begun(history, events), key=lambda e: e.start, reverse=True):
        there = concerned(history, event)
        if event.kind == "shock" or _is_holiday(event, history):
            cells = _inside(history, event, index)[:, None] & there[None, :]
            left = np.isfinite(np.where(cells, np.nan, values)).sum(axis=0)
            values[cells & (left >= FEWEST)[None, :]] = np.nan
        elif event.kind in ("step", "recording"):
            before = np.asarray(index < history.frequency.start_of(pd.DatetimeIndex([event.start]))[0])
            ratio = np.ones(len(there))
            if event.size is not None:  # a known event that goes on: a period that it covers in part tells neither level
                values[_in_part(history, event, index)[:, None] & there[None, :]] = np.nan
            ratio[there] = _ratio(values[:, there], before, history.frequency.season_length, assumed=event.size)
            values = values * np.where(before[:, None], ratio[None, :], 1.0)
    rows = history.table[["unique_id", "ds"]]
    at = index.get_indexer(pd.DatetimeIndex(rows["ds"])), history.series.index.get_indexer(rows["unique_id"])
    cleaned = rows.assign(y=values[at])
    aside = cleaned["y"].isna() & history.table["y"].notna()
    return History(cleaned.assign(**{ASIDE: aside}) if aside.any() else cleaned, history.series, history.frequency)


def remarks(history: History, events: Sequence[Event]) -> list[tuple[str, str]]:
    """Tell of each event that does nothing, or not what its kind says.

    Parameters
    ----------
    history : History
        As counted.
    events : sequence of Event

    Returns
    -------
    list of (str, str)
        The series ("" for all) and a sentence.
    """
    index, seen, found = pd.DatetimeIndex(history.wide.index), clean(history, events).wide.to_numpy(), []
    end, first = history.frequency.end_of(index)[-1], history.frequency.end_of(index)[0]
    for event, now in zip(events, begun(history, events), strict=True):
        what, start = f"the {event.kind} '{event.name}'", pd.Timestamp(event.start)
        if event.kind == "holiday" and not _is_holiday(event, history):
            found.append(("", f"{what} does nothing: in periods longer than a week a holiday is part of the season"))
        elif event.kind in ("shock", "step", "recording") and start > end:
            found.append(("", f"{what} begins after the last count and does nothing: what is to come is an event of kind 'known'"))
        elif event.kind in ("step", "recording") and start <= first:
            found.append(("", f"{what} begins no later than the counts and does nothing: there is no level before it"))
        elif event.kind == "shock" and not _inside(history, event, index).any():
            found.append(("", f"{what} is over before the first count and does nothing"))
        elif now.kind != event.kind:
            how = "its periods are set aside" if now.kind == "shock" else "the level since then holds it, and it acts no more until it ends"
            found.append(("", f"{what} has begun: {how}"))
        if now.kind == "shock":
            kept = (np.isfinite(seen) & _inside(history, event, index)[:, None] & concerned(history, event)[None, :]).any(axis=0)
            told = f"{what} is ignored here: fewer than {FEWEST} counts would be left"
            found += [(history.ids[i], told) for i in np.flatnonzero(kept)]
    return found


def joined(history: History, events: Sequence[Event]) -> History | None:
    """Give the history with its levels joined over steps and changes of recording, and all else as counted.

    Parameters
    ----------
    history : History
    events : sequence of Event

    Returns
    -------
    History or None
        None where no event joins levels.
    """
    joining = [e for e in begun(history, events) if e.kind in ("step", "recording")]
    return clean(history, joining) if joining else None


def unsettled(history: History, events: Sequence[Event]) -> np.ndarray:
    """Say at which periods less was known than at others because an event had just been.

    Within a shock, what is known ends before it, so that one step ahead is really many. After a shock, a step or a change of recording,
    the level rests on the counts since: too few for a season, or for four periods where there is none.

    Parameters
    ----------
    history : History
        As counted.
    events : sequence of Event

    Returns
    -------
    numpy.ndarray
        bool, shape (periods, series).
    """
    index, start_of = pd.DatetimeIndex(history.wide.index), history.frequency.start_of
    places, found = np.arange(len(index)), np.zeros(history.wide.shape, dtype=bool)
    for event in (e for e in begun(history, events) if e.kind in ("shock", "step", "recording")):
        days = pd.DatetimeIndex([event.start, event.end if event.kind == "shock" else event.start])
        first, last = index.searchsorted(start_of(days)) - (0, 0 if event.kind == "shock" else 1)
        when = (places >= first) & (places <= last + _span(history.frequency.season_length))
        found |= when[:, None] & concerned(history, event)[None, :]
    return found


def factors(history: History, events: Sequence[Event], ds: pd.DatetimeIndex, *, draws: int, seed: int) -> np.ndarray | None:
    """Say by what the events of the periods ahead multiply the counts.

    Parameters
    ----------
    history : History
        As counted: earlier holidays are measured in it.
    events : sequence of Event
    ds : pandas.DatetimeIndex
        The periods ahead.
    draws, seed : int
        The size of a known event is drawn from its range.

    Returns
    -------
    numpy.ndarray or None
        Shape (series, periods, draws); None where no event concerns the periods. A known event that has begun is in the level already:
        only after its end does it act, by what it did turned round.
    """
    found: np.ndarray | None = None
    for event, now in zip(events, begun(history, events), strict=True):
        inside = _inside(history, event, ds)
        if now.kind != event.kind:
            found = _after(history, events, now, ds, found)
            continue
        if not (event.kind == "known" or _is_holiday(event, history)) or not inside.any():
            continue
        there = concerned(history, event)
        if event.size is not None:
            size = np.broadcast_to(event.size.draw(draws, seed=seed, name=f"event {event.name}"), (len(there), draws))
        else:
            size = np.repeat(_holiday_size(history, event)[:, None], draws, axis=1)
        cells = there[:, None, None] & inside[None, :, None]
        found = (1.0 if found is None else found) * np.where(cells, size[:, None, :], 1.0)
    return found


def _after(history: History, events: Sequence[Event], event: Event, ds: pd.DatetimeIndex, found: np.ndarray | None) -> np.ndarray | None:
    """Take back what a known event that goes on did, in the periods after its end."""
    over = np.asarray(history.frequency.start_of(ds) > pd.Timestamp(event.end)) if event.end is not None else np.zeros(len(ds), dtype=bool)
    if event.kind != "step" or not over.any():
        return found
    others = clean(history, [e for e in events if e.name != event.name or e.start != event.start])
    index, there = pd.DatetimeIndex(others.wide.index), concerned(history, event)
    values = others.wide.to_numpy().copy()
    values[_in_part(history, event, index)] = np.nan
    ratio = np.ones(len(there))
    before = np.asarray(index < history.frequency.start_of(pd.DatetimeIndex([event.start]))[0])
    ratio[there] = _ratio(values[:, there], before, history.frequency.season_length, assumed=event.size)
    back = np.where(over[None, :], 1 / ratio[:, None], 1.0)[:, :, None]
    return back if found is None else found * back


def _in_part(history: History, event: Event, index: pd.DatetimeIndex) -> np.ndarray:
    """Say which period an event begins within, after its first day."""
    start = pd.Timestamp(event.start)
    return np.asarray((history.frequency.start_of(index) < start) & (start <= history.frequency.end_of(index)))


def concerned(history: History, event: Event) -> np.ndarray:
    """Say which series an event concerns, shape (series,): at an early cutoff, or in a sample of series, perhaps none of them."""
    about = history.series.reset_index(names="unique_id")
    found = np.ones(len(about), dtype=bool)
    for column, values in event.where.items():
        found &= about[column].astype(str).isin(list(values)).to_numpy()
    return found


def _is_holiday(event: Event, history: History) -> bool:
    return event.kind == "holiday" and history.frequency.family in NEIGHBOUR


def _inside(history: History, event: Event, ds: pd.DatetimeIndex) -> np.ndarray:
    """Say which periods an event touches; a holiday touches the same days of every year."""
    starts, ends = history.frequency.start_of(ds), history.frequency.end_of(ds)
    last = event.end or (date.max if event.kind == "known" else event.start)
    spans = [(event.start, last)]
    if event.also:
        spans += [(other.start, other.end) for other in event.also]
    elif event.kind == "holiday":
        years = range(int(starts.year.min()) - 1, int(ends.year.max()) + 2)
        shift = [y - event.start.year for y in years]
        spans = [(_moved(event.start, k), _moved(last, k)) for k in shift]
    touched = np.zeros(len(ds), dtype=bool)
    for first, final in spans:
        touched |= np.asarray((ends >= pd.Timestamp(first)) & (starts <= pd.Timestamp(min(final, pd.Timestamp.max.date()))))
    return touched


def _moved(day: date, years: int) -> date:
    moved: date = (pd.Timestamp(day) + pd.DateOffset(years=years)).date()
    return moved


def _ratio(values: np.ndarray, before: np.ndarray, season: int, assumed: Assumption | None = None) -> np.ndarray:
    """Estimate level after / level before for each series, from one season (at least four periods) on either side.

    Half of the earlier trend is taken to have gone on across the break. Each series' ratio is drawn towards that of all series of the
    event, the more so the fewer it counts: with seven people before and nine after, a ratio of its own says little. Where either side is
    empty or zero the ratio is 1. Where a size is assumed, the two are weighed by their variances in logs, as normals are.
    """
    span, logs, noise = _span(season), np.full(values.shape[1], np.nan), np.full(values.shape[1], np.nan)
    for i in range(values.shape[1]):
        y = values[:, i]
        earlier, later = y[before & np.isfinite(y)], y[~before & np.isfinite(y)][:span]
        near, far = earlier[-span:], earlier[-2 * span : -span]
        if near.sum() <= 0 or later.sum() <= 0:
            continue
        trend = (near.mean() / far.mean()) ** 0.5 if len(far) == span and far.sum() > 0 else 1.0
        logs[i] = np.log(later.mean() / (near.mean() * min(max(trend, 0.8), 1.25)))
        spread = [max(side.var() / side.mean(), 1.0) if len(side) > 1 else 1.0 for side in (near, later)]
        noise[i] = spread[0] / near.sum() + spread[1] / later.sum()
    if assumed is not None:
        prior = (np.log(max(assumed.high, assumed.value) / max(assumed.low, 1e-3 * assumed.value)) / DECILES) ** 2
        with_counts = np.where(np.isfinite(logs), prior / (prior + np.where(np.isfinite(noise), noise, 1.0)), 0.0)
        return np.asarray(np.exp(np.log(assumed.value) + with_counts * (np.where(np.isfinite(logs), logs, 0.0) - np.log(assumed.value))))
    return np.where(np.isfinite(logs), np.exp(shrunk(logs, noise)), 1.0)


def _span(season: int) -> int:
    """Give the periods on either side from which a change of level is read: one season, at least four."""
    return max(season, 4)


def _holiday_size(history: History, event: Event) -> np.ndarray:
    """Measure a holiday: its counts over the mean of the same phase the periods before and after; 1 where it was never seen."""
    values, season = history.wide.to_numpy(), NEIGHBOUR[history.frequency.family]
    inside = _inside(history, event, pd.DatetimeIndex(history.wide.index))[:, None]
    usual = pd.DataFrame(np.where(inside, np.nan, values))
    sides = np.stack([usual.shift(season).to_numpy(), usual.shift(-season).to_numpy()])
    weight = np.isfinite(sides).sum(axis=0)
    around = np.nansum(sides, axis=0) / np.maximum(weight, 1)
    seen = inside & np.isfinite(values) & (weight > 0)
    top, bottom = np.where(seen, values, 0.0).sum(axis=0), np.where(seen, around, 0.0).sum(axis=0)
    return np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1.0), 1.0)
