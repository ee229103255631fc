"""Where counts changed at once: candidates for events, proposed and never applied.

In: a HISTORY, without the events that are declared already. Out: `Proposal`s: a shock (a stretch from which counts came back) or a step,
with its dates, its size, the evidence, and the line that would declare it. Refuses nothing: of short histories it says nothing.

Notes
-----
Logs of counts, less their season (medians by place in the year around a running median), are compared with the median of the stretch
before, over one, two and several periods. Each comparison is measured in units of its own usual size in the series (1.4826 x the median
absolute deviation), so that a series that always wanders proposes nothing. What many series did in the same period is found first, from
the median and from the mean size of these measures over series, again in units of what is usual for them: series that wander together
count as one. What one series does must come at once: a slow rise is no event.
Level shifts and outliers are told apart by what comes after, as in Chen and Liu (1993, Journal of the American Statistical Association
88, 284-297), by medians instead of a fitted model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from demand.calendar import Frequency
from demand.data.quality import Finding
from demand.errors import listed
from demand.tables import History

__all__ = ["HINT", "Proposal", "propose", "proposed_findings"]

HINT = "If you know what it was, declare it under `forecast: events:` (kind recording where the way of counting changed): "
"""What stands before the line of a config that would declare an event."""
BEFORE = {"W": 13, "M": 8, "Q": 5, "Y": 4}
"""Periods before a change that it is compared with."""
AFTER = {"W": (5, 13), "M": (1, 3, 6), "Q": (1, 2, 4), "Y": (1, 3)}
"""Over so many periods a change is looked at."""
NEVER = np.inf
SINGLE = {"W": (5.5, 5.0), "M": (NEVER, 6.0, 4.8), "Q": (NEVER, NEVER, 4.8), "Y": (NEVER, 5.0)}
"""Usual sizes from which a change of one series is proposed, by span: set on simulated series without events (noise, random walks,
autocorrelation, heavy tails), of which some 2 in 100 then propose one. One or two odd periods of one series are spikes, told elsewhere."""
LONGEST = {"W": 104, "M": 24, "Q": 8, "Y": 2}
"""A stretch from which counts come back within so many periods is a shock; else it is a step."""
FEWEST = {"W": 156, "M": 36, "Q": 16, "Y": 10}
"""Of a shorter history nothing is said: season and usual changes cannot be told."""
POOLED = 6.0
"""Usual sizes from which a change of many series together is proposed."""
TOGETHER = 4
"""From so many series they are looked at together."""
MOSTLY = 0.7
"""Where a smaller share of a group took part, the proposal names those that did."""
AFFECTED = 3.0
"""Usual sizes from which a series took part in a change of many."""
BACK = 0.4
"""Counts are back where less than this share of the change is left."""
SMALL = 0.05
"""Changes below 5 % are not proposed, whatever is usual."""
SHOWN = 12
"""Most single series of which a proposal is told in full, the strongest first."""
MOST = 4
"""Most events proposed for one series or group."""


@dataclass(frozen=True)
class Proposal:
    """A candidate for an event.

    Parameters
    ----------
    kind : {"shock", "step"}
    start, end : pandas.Timestamp
        First and last day; a step has no end.
    ratio : float
        The median count while it lasts (or after it) over the count before.
    where : dict of str to list of str
        The series that it concerns; empty for all of them.
    series : int
        How many series changed.
    of : int
        Among how many.
    strength : float
        The change in units of its usual size.
    early : bool
        Too near to the end to say whether it lasts.
    """

    kind: Literal["shock", "step"]
    start: pd.Timestamp
    end: pd.Timestamp | None
    ratio: float
    where: Mapping[str, list[str]]
    series: int
    of: int
    strength: float
    early: bool = False

    @property
    def line(self) -> str:
        """The line that declares it, to be pasted under `forecast: events:`."""
        parts = [f'name: "{self.kind} of {self.start:%B %Y}"', f"kind: {self.kind}", f"start: {self.start:%Y-%m-%d}"]
        parts += [f"end: {self.end:%Y-%m-%d}"] if self.end is not None else []
        if self.where:
            parts.append("where: {" + ", ".join(f"{k}: [{', '.join(_quoted(v) for v in vs)}]" for k, vs in self.where.items()) + "}")
        return "- {" + ", ".join(parts) + "}"

    @property
    def text(self) -> str:
        """What happened, with the evidence, in a sentence."""
        named = {("series" if k == "unique_id" else k): v for k, v in self.where.items()}
        where = "; ".join(f"{k} {listed(v, most=8)}" for k, v in named.items()) or "counts"
        who = f"{self.series} of {self.of} series" + (f" ({where})" if self.where else "") if self.of > 1 else where
        change = f"{'rose' if self.ratio > 1 else 'fell'} at once by {abs(self.ratio - 1):.0%}".replace("%", " %")
        until = "" if self.end is None else f", until {self.end:%d %B %Y}"
        lasts = "; too near to the end to say whether it lasts" if self.early else "" if self.kind == "shock" else ", and stayed there"
        middle = " (the middle one)" if self.series > 1 else ""
        return f"from {self.start:%d %B %Y}{until}: {who} {change}{middle}{lasts}. That is {self.strength:.0f} times the usual change"


def propose(history: History) -> list[Proposal]:
    """Look for shocks and steps.

    Parameters
    ----------
    history : History
        Cleaned of declared events. Days are looked at by week.

    Returns
    -------
    list of Proposal
        What concerns all series first, then groups of them by key, then single series; each by its strength.
    """
    looked = _by_week(history) if history.frequency.family == "D" else history
    family = looked.frequency.family
    wide = looked.wide
    if len(wide) < FEWEST[family]:
        return []
    long = wide.columns[(wide.notna().sum() >= FEWEST[family]) & (wide.max() > 0)]
    logs, found = np.log1p(wide[long]), []
    for where, ids in _groups(looked, list(long)):
        changes, logs[ids] = _changes(logs[ids], looked.frequency)
        found += [_told(one, looked, where, ids) for one in changes]
    _, measures = _measures(_deseasoned(logs, looked.frequency), family, counted=np.expm1(logs.mean().to_numpy()))
    strong = _known(np.abs(measures)).max(axis=1)
    strong = (strong >= np.array(SINGLE[family])[:, None]).any(axis=0)
    for name in logs.columns[strong]:
        changes, _ = _changes(logs[[name]], looked.frequency)
        where = {"unique_id": [str(name)]} if len(history.ids) > 1 else {}
        found += [_told(one, looked, where, [str(name)]) for one in changes]
    return found


def proposed_findings(history: History) -> list[Finding]:
    """Give proposals as findings for the quality report.

    Parameters
    ----------
    history : History
        Cleaned of declared events.

    Returns
    -------
    list of Finding
    """
    found = propose(history)
    single = sorted((p for p in found if p.of == 1), key=lambda p: -p.strength)
    shown = [p for p in found if p.of > 1] + single[:SHOWN]
    told = [Finding.of("event_proposed", "warn", "history", count=p.series, message=f"{p.text}. {HINT}{p.line}") for p in shown]
    if len(single) > SHOWN:
        names = [p.where["unique_id"][0] for p in single[SHOWN:]]
        text = f"weaker changes of single series, of which some 2 in 100 are chance: {listed(dict.fromkeys(names), most=20)}"
        told.append(Finding.of("event_proposed", "note", "history", count=len(names), message=text))
    return told


@dataclass(frozen=True)
class _Change:
    """One change: the period in which it began, the one before which it ended, and by how much each series (log) changed; 0 where not."""

    start: int
    end: int | None
    size: np.ndarray
    strength: float
    early: bool


def _by_week(history: History) -> History:
    """Add days up by week (stocks: their mean); weeks that are not whole are left out."""
    weeks = Frequency("W-MON")
    wide = history.wide
    starts = weeks.start_of(pd.DatetimeIndex(wide.index))
    grouped = wide.groupby(starts)
    mean = grouped.mean().where(grouped.count() == 7).dropna(how="all")
    factor = np.where(history.series["kind"] == "stock", 1.0, 7.0)
    long = (mean * factor).rename_axis(index="ds", columns="unique_id").stack(future_stack=True).rename("y").reset_index()
    return History.of(long.merge(history.series, left_on="unique_id", right_index=True), weeks, keys=history.keys)


def _groups(history: History, ids: list[str]) -> Iterator[tuple[dict[str, list[str]], list[str]]]:
    """Give all series, then those with one value of a key, where they are several."""
    if len(ids) >= TOGETHER:
        yield {}, ids
    about = history.series.loc[ids]
    for key in history.keys:
        for value, rows in about.groupby(key):
            if TOGETHER <= len(rows) < len(ids):
                yield {key: [str(value)]}, [str(i) for i in rows.index]


def _changes(block: pd.DataFrame, frequency: Frequency) -> tuple[list[_Change], pd.DataFrame]:
    """Find the changes of a block one after the other, and give the block without them."""
    found: list[_Change] = []
    for _ in range(MOST):
        one = _strongest(block, frequency)
        if one is None:
            break
        found, block = _joined(found, one, frequency), _without(block, one)
    return found, block


def _joined(found: list[_Change], one: _Change, frequency: Frequency) -> list[_Change]:
    """Add a change; shocks that touch each other are one, and so are a change and the change back."""
    apart, longest = max(frequency.season_length // 4, 1), LONGEST[frequency.family]
    for k, other in enumerate(found):
        first, last = sorted((one, other), key=lambda c: c.start)
        part = (first.size != 0) & (last.size != 0)
        both = np.median((first.size + last.size)[part]) if part.any() else np.inf
        undone = abs(both) <= 0.5 * abs(np.median(first.size[part])) if part.any() else False
        ends = [c.end for c in (first, last) if c.end is not None]
        meet = first.end is not None and last.start <= first.end + apart and (last.end is not None or undone)
        if meet or (first.end is None and last.end is None and undone and last.start - first.start <= longest):
            size = np.where(first.size != 0, first.size, last.size if ends else -last.size)
            end = max(ends) if len(ends) == 2 else last.start
            joined = _Change(first.start, end, size, max(one.strength, other.strength), one.early or other.early)
            return [*found[:k], joined, *found[k + 1 :]]
    return [*found, one]


def _strongest(block: pd.DataFrame, frequency: Frequency) -> _Change | None:
    """Find the strongest change of a block of logs of counts, if one is strong enough."""
    family, alone = frequency.family, block.shape[1] == 1
    flat = _deseasoned(block, frequency)
    sizes, measures = _measures(flat, family, counted=np.expm1(block.mean().to_numpy()))
    least = np.array(SINGLE[family])[:, None] if alone else POOLED
    score = _known((np.abs(measures[:, :, 0]) if alone else _together(measures)) / least)
    jumps = flat.diff().abs().to_numpy()
    jump = _known(pd.DataFrame(jumps / np.maximum(_known(_middle(jumps)), SMALL / 4)).mean(axis=1).to_numpy())
    for _ in range(MOST):
        k, t = np.unravel_index(int(score.argmax()), score.shape)
        if score[k, t] < 1:
            break
        near = slice(max(int(t) - max(AFTER[family]), 1), int(t) + max(AFTER[family]) + 1)
        close = np.flatnonzero(score[k, near] >= 0.6 * score[k, t]) + near.start
        start = int(close[jump[close].argmax()])
        strength = float(score[k, t] * np.ravel(least)[k if alone else 0])
        found = _course(flat, frequency, start, sizes[k, start], measures[k, start], strength=strength)
        if found is not None:
            return found
        score[:, near] = 0.0
    return None


def _deseasoned(block: pd.DataFrame, frequency: Frequency) -> pd.DataFrame:
    """Take the season out: medians by place in the year of what lies around a running median."""
    season = frequency.season_length
    if season == 1:
        return block
    around = block.rolling(season + 1 - season % 2, center=True, min_periods=season // 2).median()
    place = (pd.DatetimeIndex(block.index).dayofyear - 1) // 7 if frequency.family == "W" else np.arange(len(block)) % season
    shape = (block - around).groupby(np.asarray(place)).transform("median")
    return block - (shape - shape.mean())


def _measures(flat: pd.DataFrame, family: str, *, counted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compare what came with the stretch before; both of shape (spans, periods, series).

    Returns
    -------
    sizes : numpy.ndarray
        Changes of logs, less the usual one (the trend).
    measures : numpy.ndarray
        The same in units of the usual size, which is at least that of counting (Poisson).
    """
    m = BEFORE[family]
    before = flat.rolling(m, min_periods=(m + 1) // 2).median().shift(1)
    sizes, measures = [], []
    for k in AFTER[family]:
        ahead = flat[::-1].rolling(k, min_periods=(k + 1) // 2)
        after = (ahead.median() if k > 2 else ahead.mean())[::-1]
        size = (after - before).to_numpy()
        with np.errstate(all="ignore"):
            size = size - _known(_middle(size))
            counting = np.sqrt((1.57 / m + (1.57 if k > 2 else 1.0) / k) / np.maximum(counted, 0.5))
            usual = np.maximum(1.4826 * _known(_middle(np.abs(size))), np.maximum(counting, SMALL / 4))
        sizes.append(size)
        measures.append(size / usual)
    return np.stack(sizes), np.stack(measures)


def _middle(values: np.ndarray) -> np.ndarray:
    """Give the median over periods of each series, NaN where there is none."""
    return np.asarray(pd.DataFrame(values).median())


def _known(changes: np.ndarray) -> np.ndarray:
    """Take what is not known for no change: nothing is proposed where nothing was counted."""
    return np.where(np.isnan(changes), 0.0, changes)


def _together(measures: np.ndarray) -> np.ndarray:
    """Measure what many series did in a period: their median, and how large their changes were on average, in usual sizes of these."""
    spans, periods, series = measures.shape
    flat = pd.DataFrame(measures.reshape(spans * periods, series))
    enough = (flat.notna().mean(axis=1) >= 0.5).to_numpy()
    signed = np.where(enough, flat.median(axis=1), np.nan).reshape(spans, periods)
    large = np.where(enough, flat.abs().clip(upper=6.0).mean(axis=1), np.nan).reshape(spans, periods)
    took_part = np.where(enough, (flat.abs() >= AFFECTED).mean(axis=1), 0.0).reshape(spans, periods) >= 1 / 3
    scores = []
    for values, least in ((signed, 0.15), (large, 0.08)):
        off = values - _middle(values.T)[:, None]
        usual = np.maximum(1.4826 * _known(_middle(np.abs(off).T)), least)
        scores.append(off / usual[:, None])
    score = np.maximum(np.abs(scores[0]), scores[1])
    return np.where(took_part | (np.abs(signed) >= 1.0), score, 0.0)


def _course(
    flat: pd.DataFrame, frequency: Frequency, start: int, size: np.ndarray, measure: np.ndarray, *, strength: float
) -> _Change | None:
    """Follow a change until the counts are back, or to the end."""
    family, values = frequency.family, flat.to_numpy()
    middle = float(_middle(measure[:, None])[0])
    along = np.sign(middle) * measure >= 1.0 if abs(middle) >= 1.0 else np.zeros(len(measure), dtype=bool)
    part = np.isfinite(measure) & (size != 0) & ((np.abs(measure) >= AFFECTED) | along)
    if not part.any():
        return None
    m, season = BEFORE[family], max(frequency.season_length, 4)
    before = pd.DataFrame(values[max(start - m, 0) : start]).median().to_numpy()
    slope = _known(_middle(values[season:] - values[:-season]) / season)
    steps = np.arange(len(values) - start)[:, None] + (m + 1) / 2
    left = (values[start:] - before - slope * steps)[:, part] / size[part]
    path = pd.DataFrame(left).median(axis=1).to_numpy()
    back = path < BACK  # where nothing is known (NaN), counts are not back
    twice = back & np.append(back[1:], True)
    twice[0] = False
    ends = np.flatnonzero(twice)
    length = int(ends[0]) if len(ends) else len(path)
    early = not len(ends) and len(path) < max(AFTER[family])
    lasts = length > LONGEST[family] or (not len(ends) and not early)
    seen = path[: 2 * max(AFTER[family]) if lasts else length]
    whole = np.where(part, size * _known(_middle(seen[:, None])), 0.0)
    near = {"W": 5, "Y": 1}.get(family, 3)
    sudden = _known(_middle(values[start : start + near]) - _middle(values[max(start - near, 0) : start]))
    slow = values.shape[1] == 1 and abs(sudden[0]) < 0.5 * abs(size[0])
    if slow or np.median(np.abs(np.expm1(whole[part]))) < SMALL:
        return None
    return _Change(start, None if lasts else start + length, whole, strength, early)


def _without(block: pd.DataFrame, change: _Change) -> pd.DataFrame:
    """Give a block as if a change had not been, so that the next can be looked for."""
    values, part = block.to_numpy().copy(), change.size != 0
    part = np.ones(len(part), dtype=bool) if part.mean() >= MOSTLY else part
    if change.end is None:
        values[: change.start] += change.size
    else:
        values[change.start : change.end, part] = np.nan
    return pd.DataFrame(values, index=block.index, columns=block.columns)


def _told(change: _Change, history: History, where: Mapping[str, list[str]], ids: list[str]) -> Proposal:
    """Turn places into dates, and logs into ratios."""
    index, part = pd.DatetimeIndex(history.wide.index), change.size != 0
    end = None if change.end is None else history.frequency.end_of(index[[change.end - 1]])[0]
    ratio = float(np.exp(np.median(change.size[part])))
    kind: Literal["shock", "step"] = "step" if end is None else "shock"
    about = where if part.mean() >= MOSTLY else _narrowed(history, ids, part)
    return Proposal(kind, index[change.start], end, ratio, about, int(part.sum()), len(ids), change.strength, change.early)


def _narrowed(history: History, ids: list[str], part: np.ndarray) -> dict[str, list[str]]:
    """Name the series that took part: by the values of one key where those tell them apart, else one by one."""
    about = history.series.loc[ids]
    for key in history.keys:
        shares = pd.Series(part, index=about.index).groupby(about[key]).mean()
        if ((shares >= MOSTLY) | (shares <= 1 - MOSTLY)).all() and (shares >= MOSTLY).any():
            return {key: [str(v) for v in shares.index[shares >= MOSTLY]]}
    return {"unique_id": [name for name, took in zip(ids, part, strict=True) if took]}


def _quoted(value: str) -> str:
    return '"' + value.replace('"', '\\"') + '"'
