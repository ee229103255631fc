"""What the gates found: one finding a rule, with a count and the rows, never the values of people.

In: a HISTORY. Out: findings (stop, warn, note) and their summary for quality.json. Refuses nothing: what must stop a run is raised by the
readers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from demand.errors import DataError, Fault, Row, listed
from demand.tables import History

__all__ = ["Finding", "ReadingError", "impossible", "judge", "quality_summary", "spikes"]

Severity = Literal["stop", "warn", "note"]

ENDED_AFTER = {"D": 28, "W": 8, "M": 6, "Q": 3, "Y": 2}
"""A series without a count in so many last periods has ended: it is listed, not forecast."""
SHORT_SEASONS = 2
"""Fewer whole seasons than this show no seasonal pattern; of annual series, fewer than `SHORT_YEARS` years show no trend."""
SHORT_YEARS = 5
SPIKE = 10.0
"""A count that lies so many usual steps (1.4826 x the median one) from those around it is a spike."""
DIGIT, BEYOND_CHANCE = 8.0, 5.0
"""A count so many times those around it, or so small a part of them, and so many usual steps from them, has a digit too many or too few."""
IMPOSSIBLE = 1000.0
"""A count so many times the highest other count of its series (and of 1) is a slip of the keyboard, not people."""
LATE, LEAST_BUSY = 0.6, 10.0
"""A last period below so large a share of the usual, in a service that counts at least so many, was perhaps entered late."""
MOST_ROWS = 20
"""How many rows or series quality.json names of a finding."""


@dataclass(frozen=True)
class Finding:
    """One thing that a gate found.

    Parameters
    ----------
    rule : str
        The name of the rule, in one word or two: date_format, gap, spike...
    severity : {"stop", "warn", "note"}
        A stop was raised as an error; a warning may change what you believe; a note says what was taken for granted.
    where : str
        File and column, or series.
    count : int
        How many rows, periods or series it concerns.
    rows : tuple of int or str
        Row numbers in the file (the header is row 1).
    message : str
        In plain English.
    """

    rule: str
    severity: Severity
    where: str
    count: int
    rows: tuple[Row, ...]
    message: str

    @classmethod
    def of(cls, rule: str, severity: Severity, where: str, *, message: str, rows: Iterable[Row] = (), count: int = 0) -> Finding:
        """Make a finding from its rows, which are counted."""
        every = tuple(r if isinstance(r, str) else int(r) for r in rows)
        return cls(rule, severity, where, count or len(every), every, message)

    @classmethod
    def of_fault(cls, fault: Fault) -> Finding:
        """Make a finding of what stops the reading of a file."""
        return cls.of(fault.rule or "unreadable", "stop", fault.where, rows=fault.rows, count=len(fault.rows) or 1, message=str(fault))


class ReadingError(DataError):
    """A file that cannot be used, with all else that was found in it.

    Parameters
    ----------
    faults : sequence of Fault
    findings : sequence of Finding
        What was noticed besides.
    during : str
        What was being done.
    """

    def __init__(self, faults: Sequence[Fault], *, findings: Sequence[Finding] = (), during: str = "") -> None:
        super().__init__(faults, during=during)
        self.findings = tuple(findings)


TOTAL_WORDS = frozenset(
    ("total", "grand total", "sum", "all", "overall", "cyfanswm", "all people", "all persons", "all population", "all ages", "all types")
)
"""What a series is called, in part of its name, that is a sum of others."""


def judge(history: History, *, as_of: pd.Timestamp | None = None, totals: Sequence[str] = ()) -> list[Finding]:
    """Say what a careful reader would want to know before forecasting a history.

    Parameters
    ----------
    history : History
    as_of : pandas.Timestamp, optional
        The day on which the run stands: periods that end after it are not complete. Not checked where nothing is given.
    totals : sequence of str
        Series that the config declares as totals of others.

    Returns
    -------
    list of Finding
        gap, short_series, ended_series, spike, late_month, empty_month, all_zero, never_changed, undeclared_total, incomplete_period,
        stale. None of them stops a run.
    """
    wide = history.wide
    findings = [*_lengths(history, wide), *_gaps(wide), *_spikes(wide), *_thin_months(history, wide)]
    if as_of is not None:
        findings += _as_of(history, as_of)
    return findings + _totals(history, wide, set(totals))


def _lengths(history: History, wide: pd.DataFrame) -> list[Finding]:
    family = history.frequency.family
    counts = wide.notna().sum()
    least = SHORT_YEARS if family == "Y" else SHORT_SEASONS * history.frequency.season_length
    recent = wide.tail(ENDED_AFTER[family]).notna().any()
    short, ended, empty = wide.columns[(counts < least) & recent], wide.columns[~recent], wide.columns[wide.max() == 0]
    still = wide.columns[(wide.max() == wide.min()) & (wide.max() > 0) & (counts >= least) & recent]
    texts = [
        ("short_series", short, f"have fewer than {least} counts: their forecasts lean on simple methods"),
        ("ended_series", ended, f"have no count in the last {ENDED_AFTER[family]} periods: they are listed and not forecast"),
        ("all_zero", empty, "are zero throughout"),
        ("never_changed", still, "have the same count in every period, so that their ranges have next to no width: copied forward?"),
    ]
    return [_about_series(rule, "warn", names, text) for rule, names, text in texts if len(names)]


def _gaps(wide: pd.DataFrame) -> list[Finding]:
    inside = wide.isna() & wide.ffill().notna() & wide.bfill().notna()
    names = wide.columns[inside.any()]
    if not len(names):
        return []
    periods = int(inside.to_numpy().sum())
    text = f"{periods} periods inside {len(names)} series were not collected: {listed(names)}"
    return [Finding.of("gap", "warn", "history", count=periods, message=text)]


def spikes(wide: pd.DataFrame) -> np.ndarray:
    """Find counts far from the median of the five around them, in units of the usual step of the series.

    Parameters
    ----------
    wide : pandas.DataFrame
        As `History.wide`.

    Returns
    -------
    numpy.ndarray
        bool, shape (periods, series).
    """
    around = wide.rolling(5, center=True, min_periods=3).median()
    distance = (wide - around).abs()
    steps = np.maximum(distance.median(), wide.diff().abs().median())
    usual = np.maximum(1.4826 * steps, np.sqrt(np.maximum(wide.median(), 1.0)))
    return np.asarray((distance / usual > SPIKE).to_numpy())


def impossible(history: History) -> list[Fault]:
    """Name the counts that nobody can have counted: a thousand times all others of their series.

    Parameters
    ----------
    history : History
        Cleaned of events: a count that is set aside as a shock is not looked at.

    Returns
    -------
    list of Fault
        One a count.
    """
    wide = history.wide
    values = np.where(wide.notna(), wide.to_numpy(), -np.inf)
    if len(values) < 2:
        return []
    second = np.sort(values, axis=0)[-2]
    periods, series = np.nonzero(values > IMPOSSIBLE * np.maximum(second, 1.0))
    return [
        Fault(
            f"a count of {values[p, s]:g} for {wide.index[p]:%Y-%m-%d}, where no other is above {max(second[s], 0.0):g}",
            where=f"series '{wide.columns[s]}'",
            allowed=f"A count is at most {IMPOSSIBLE:g} times the others of its series",
            do_next="Correct it in the file, leave it empty, or set the period aside with an event of kind 'shock'",
        )
        for p, s in zip(periods, series, strict=True)
        if np.isfinite(second[s])
    ]


def _slips(wide: pd.DataFrame) -> np.ndarray:
    """Find counts with a digit too many or too few: far from those around them in proportion, and beyond chance."""
    around = wide.rolling(5, center=True, min_periods=3).median()
    usual = np.maximum(np.sqrt(np.maximum(around.to_numpy(), 1.0)), 1.4826 * (wide - around).abs().median().to_numpy())
    times = wide / around.where(around > 0)
    odd = ((times > DIGIT) | ((times < 1 / DIGIT) & (wide > 0))) & ((wide - around).abs() > BEYOND_CHANCE * usual)
    odd.iloc[-1:] = False  # a low last period was perhaps entered late
    return np.asarray(odd.to_numpy(dtype=bool))


def _spikes(wide: pd.DataFrame) -> list[Finding]:
    periods, series = np.nonzero(spikes(wide) | _slips(wide))
    if not len(periods):
        return []
    some = [f"{wide.columns[s]} {wide.index[p]:%Y-%m-%d}" for p, s in zip(periods, series, strict=True)]
    text = f"{len(some)} counts lie far from those around them: {listed(some)}. Mistyped, or an event to be named in 'events'?"
    return [Finding.of("spike", "warn", "history", count=len(some), message=text)]


def _thin_months(history: History, wide: pd.DataFrame) -> list[Finding]:
    """Find a last period that is far below the year before it (entered late), and periods in which a busy service counted nothing."""
    found = []
    for unit, ids in history.series[history.series["kind"] == "flow"].groupby("unit").groups.items():
        total = wide[list(ids)].sum(axis=1, min_count=1).dropna()
        season = max(history.frequency.season_length, 4)
        if len(total) <= season or history.frequency.family == "Y":
            continue
        usual, step = float(total.iloc[-season - 1 : -1].median()), float(total.diff().abs().median())
        if usual >= LEAST_BUSY and total.iloc[-1] < LATE * usual and usual - total.iloc[-1] > 4 * max(step, np.sqrt(usual)):
            told = f"the last period counts {total.iloc[-1]:g} {unit}, where {usual:g} are usual: entered late? See `as_of`"
            found.append(Finding.of("late_month", "warn", "history", count=1, message=told))
        around = total.rolling(season, center=True, min_periods=3).median()
        empty = total.index[(total == 0) & (around >= LEAST_BUSY)]
        if len(empty):
            told = f"nothing was counted in {listed([f'{d:%Y-%m-%d}' for d in empty])}, and many around it: not collected? Leave it empty"
            found.append(Finding.of("empty_month", "warn", "history", count=len(empty), message=told))
    return found


def _as_of(history: History, as_of: pd.Timestamp) -> list[Finding]:
    ends = history.frequency.end_of(pd.DatetimeIndex([history.last]))[0]
    if ends > as_of:
        text = f"the last period ends on {ends:%Y-%m-%d}, after {as_of:%Y-%m-%d}: it may not be complete"
        return [Finding.of("incomplete_period", "warn", "history", count=1, message=text)]
    behind = len(history.frequency.between(ends, as_of)) - 1
    if behind > ENDED_AFTER[history.frequency.family]:
        text = f"the data end {behind} periods before {as_of:%Y-%m-%d}"
        return [Finding.of("stale", "warn", "history", count=behind, message=text)]
    return []


def _totals(history: History, wide: pd.DataFrame, declared: set[str]) -> list[Finding]:
    """Find series that are the sum of the others beside them, which would be counted twice in every total."""
    about = history.series.assign(_family=[i.rpartition("/")[0] for i in history.ids])
    found = []
    for _, group in about.groupby(["_family", "kind", "unit"]):
        names = [i for i in group.index if i not in declared]
        if len(names) < 3:
            continue
        block = wide[names].dropna(how="all")
        sizes = block.sum()
        biggest = str(sizes.idxmax())
        rest = block.drop(columns=biggest).sum(axis=1, min_count=2)
        both = block[biggest].notna() & rest.notna()
        near = (block[biggest] - rest).abs() <= np.maximum(0.005 * block[biggest], 5.0)
        if both.sum() >= 3 and near[both].mean() >= 0.9:
            found.append(biggest)
        found += [i for i in names if i not in found and TOTAL_WORDS & {part.strip().replace("_", " ").casefold() for part in i.split("/")}]
    if not found:
        return []
    return [
        _about_series(
            "undeclared_total",
            "warn",
            found,
            "look like the sum of the series beside them, or are called so: leave them out, or declare them in 'hierarchy' as totals",
        )
    ]


def _about_series(rule: str, severity: Severity, names: Iterable[str], text: str) -> Finding:
    every = list(names)
    return Finding.of(rule, severity, "history", count=len(every), message=f"{len(every)} series {text}: {listed(every, most=MOST_ROWS)}")


def quality_summary(findings: Sequence[Finding], **about: Any) -> dict[str, Any]:
    """Give the findings as plain data for quality.json.

    Parameters
    ----------
    findings : sequence of Finding
    **about
        What else the page should say: numbers of series and rows, first and last period.

    Returns
    -------
    dict
        `verdict` (stop, warn or pass), `counts` by severity, `about`, and the `findings` with the gravest first.
    """
    order: dict[Severity, int] = {"stop": 0, "warn": 1, "note": 2}
    ranked = sorted(findings, key=lambda f: order[f.severity])
    counts = Counter(f.severity for f in ranked)
    verdict = "stop" if counts["stop"] else "warn" if counts["warn"] else "pass"
    return {
        "verdict": verdict,
        "counts": {name: counts[name] for name in order},
        "about": about,
        "findings": [{**asdict(f), "rows": list(f.rows[:MOST_ROWS])} for f in ranked],
    }
