"""Known changes: a step-down in May, four siblings coming in June: drawn to happen or not, and counted once.

In: `KnownChange`, as a row of known_changes.csv says it. Out: who of the open placements leaves when, in which draws, and who comes,
with the new starts that they take the place of. Refuses rows that name no series, no day or no likelihood, all faults of a file at once.

Who is known to leave or move is one of those who are there: the one whose price is nearest to the price that is said, else who has been
there longest; where a draw has them leave earlier, they leave earlier. Who is known to come takes the place of a new start that the
forecast expects from that period on, within a year: both are the same child.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import BeforeValidator, Field, ValidationError

from demand.errors import DataError, Fault, did_you_mean, raise_all
from demand.events import read_day
from demand.spec import Spec, Where, stream
from demand.tables import match

__all__ = ["Known", "KnownChange", "read_known_changes"]

COLUMNS = ("date", "where", "change", "likelihood", "owner")
"""What a row must have; price, to and name may be there too."""
REPLACED = 12
"""Periods within which who comes takes the place of an expected new start."""


class KnownChange(Spec):
    """One thing that somebody knows about people to come, to leave or to move."""

    date: Annotated[date, BeforeValidator(lambda v: read_day(v, end=False))]
    """The day; a month stands for its first day."""
    where: Where
    """The series: key column -> values. Where several are meant, the one with the most open placements."""
    change: int
    """How many come (+) or leave (-)."""
    likelihood: float = Field(ge=0, le=1)
    """How likely it is, 0 to 1: all of it happens, or nothing."""
    owner: str = Field(min_length=1)
    """Who knows it: a role, not a name."""
    price: float | None = Field(default=None, gt=0)
    """Pounds a week; without it those who come cost what recent starts do."""
    to: Where = Field(default_factory=dict)
    """Where those who leave go, for a step-down: no new start is used up by it."""
    name: str = ""
    """What it is called in the bridge; else its owner and date."""

    @property
    def label(self) -> str:
        """The name of its line."""
        return self.name or f"{self.owner}, {self.date:%d %B %Y}"


@dataclass
class Known:
    """Known changes, drawn.

    Parameters
    ----------
    starts : numpy.ndarray
        Shape (series, periods, draws): new starts that are left for others.
    come : list of tuple
        series, draws, day, price (NaN: that of a recent start).
    leave : dict of int to tuple
        Number of the open placement -> day, bool by draw, series where they go (-1: outside).
    """

    starts: np.ndarray
    come: list[tuple[int, np.ndarray, float, float]] = field(default_factory=list)
    leave: dict[int, tuple[float, np.ndarray, int]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        changes: Sequence[KnownChange],
        open_now: pd.DataFrame,
        starts: np.ndarray,
        *,
        series: pd.DataFrame,
        today: pd.Timestamp,
        ends: pd.DatetimeIndex,
        seed: int,
    ) -> Known:
        """Draw which changes happen, and say whom they mean.

        Parameters
        ----------
        changes : sequence of KnownChange
        open_now : pandas.DataFrame
            Open placements: series (number), begun (day), price.
        starts : numpy.ndarray
        series : pandas.DataFrame
            A row a series, indexed by unique_id, with its keys.
        today : pandas.Timestamp
        ends : pandas.DatetimeIndex
            Last days of the periods ahead; what is said of later days, or of days that are over, is left out.
        seed : int

        Returns
        -------
        Known

        Raises
        ------
        DataError
            Where more people are to leave than are there.
        """
        made = cls(starts if not changes else starts.copy())
        if not changes:
            return made
        there = np.bincount(open_now["series"], minlength=len(series))
        for number, change in enumerate(changes):
            day = pd.Timestamp(change.date)
            if not today < day <= ends[-1]:
                continue
            luck = stream(seed, "known change", number, change.label).random(starts.shape[2])
            happens = np.asarray(luck < change.likelihood)
            at = (day - pd.Timestamp(0)).days
            where, to = (_meant(series, there, w, change.label) if w else -1 for w in (change.where, change.to))
            if change.change > 0:
                made._come(change, where, happens, float(at), period=int(ends.searchsorted(day)))
            else:
                made._leave(change, where, to, happens, float(at), open_now)
        return made

    def left(self, part: np.ndarray, draw: np.ndarray, end: np.ndarray, went: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give ends and where they lead with those who are known to leave: on that day, where they would have stayed longer."""
        first = int(part[0]) if len(part) else 0
        for row in (r for r in self.leave if first <= r < first + len(part)):
            day, happens, to = self.leave[row]
            here = slice((row - first) * len(happens), (row - first + 1) * len(happens))
            sooner = happens[draw[here]] & (end[here] > day)
            end[here], went[here] = np.where(sooner, day, end[here]), np.where(sooner, to, went[here])
        return end, went

    def _come(self, change: KnownChange, where: int, happens: np.ndarray, day: float, *, period: int) -> None:
        price = np.nan if change.price is None else change.price
        self.come.append((where, np.repeat(np.flatnonzero(happens), change.change), day, price))
        left = np.where(happens, float(change.change), 0.0)
        for p in range(period, min(period + REPLACED, self.starts.shape[1])):
            taken = np.minimum(self.starts[where, p], left)
            self.starts[where, p] -= taken
            left -= taken

    def _leave(self, change: KnownChange, where: int, to: int, happens: np.ndarray, day: float, open_now: pd.DataFrame) -> None:
        free = open_now.reset_index(drop=True)
        free = free[(free["series"] == where) & ~free.index.isin(list(self.leave))]
        if len(free) < -change.change:
            found = f"{-change.change} are to leave and {len(free)} are there"
            raise DataError(Fault(found, where=f"known changes > {change.label}", do_next="Look at the series and the number"))
        far = (free["price"] - change.price).abs() if change.price is not None else free["begun"]
        for row in far.sort_values(kind="stable").index[: -change.change]:
            self.leave[int(row)] = (day, happens, to)


def _meant(series: pd.DataFrame, there: np.ndarray, where: Where, label: str) -> int:
    rows = np.flatnonzero(match(series, where, at=f"known changes > {label} > where"))
    return int(rows[np.argmax(there[rows])])


def read_known_changes(path: Path) -> list[KnownChange]:
    """Read known_changes.csv: date, where ("type: residential; area: North"), change, likelihood, owner, and where known price, to, name.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    list of KnownChange

    Raises
    ------
    DataError
        Where the file is not there, a column is missing, or a row cannot be read: all faults at once.
    """
    if not path.is_file():
        raise DataError(Fault("there is no such file", where=str(path), do_next="Name the file of known changes, or take the key out"))
    table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    allowed = [*COLUMNS, "price", "to", "name"]
    lacking = [Fault(f"the column '{c}' is missing", where=path.name, allowed=", ".join(allowed)) for c in COLUMNS if c not in table]
    unknown = [
        Fault(f"the column '{c}' is not known", where=path.name, allowed=did_you_mean(c, allowed)) for c in table if c not in allowed
    ]
    raise_all([*lacking, *unknown], DataError, during="reading known changes")
    made, faults = [], []
    for number, row in enumerate(table.to_dict("records"), start=2):
        given = {str(k): str(v).strip() for k, v in row.items() if str(v).strip()}
        try:
            words = {k: _selectors(given[k]) for k in ("where", "to") if k in given}
            made.append(KnownChange.model_validate({**given, **words}))
        except ValidationError as error:
            faults += [Fault(e["msg"], where=f"{path.name} > row {number} > {'.'.join(map(str, e['loc']))}") for e in error.errors()]
    raise_all(faults, DataError, during="reading known changes")
    return made


def _selectors(text: str) -> dict[str, list[str]]:
    """Read "type: residential; area: North, South"."""
    parts = [p.partition(":") for p in text.replace("=", ":").split(";") if p.strip()]
    return {key.strip(): [v.strip() for v in values.split(",") if v.strip()] for key, _, values in parts}
