"""What a run is given: the tables that its config names, read once and checked.

In: a RunConfig and the folder of the data. Out: PEOPLE, places, HISTORY and DRIVERS, what the gates found, and a hash of every source.
Refuses what the reading refuses.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from demand.calendar import Frequency
from demand.caseload.recorded import as_if_recorded, late_recording, late_sentence
from demand.data.drivers import as_said, read_drivers
from demand.data.extracts import Extract, examine_people, read_places
from demand.data.ledger import read_actuals
from demand.data.outturns import read_outturns
from demand.data.people import CountSpec, count_episodes
from demand.data.policies import settled
from demand.data.quality import Finding, judge
from demand.data.read import read_history
from demand.data.snapshots import counted_from, dated_files, read_snapshots, whole_until
from demand.data.systems import renamed_series
from demand.errors import DataError, Fault
from demand.events import clean
from demand.hierarchy import declared
from demand.proposals import proposed_findings
from demand.tables import History
from pipelines.config import RunConfig
from pipelines.key import pseudonym_key
from pipelines.store import as_written

if TYPE_CHECKING:
    from demand.data.example import Council
    from demand.segments.model import SegmentModel

__all__ = ["Inputs"]


@dataclass(frozen=True)
class Inputs:
    """The tables of one run, each read when it is first asked for.

    Parameters
    ----------
    config : RunConfig
    folder : Path
        Where relative paths are looked up.
    output : Path, optional
        Where results go, the whole path: rules and members of segments that a run itself writes are no source of it.
    """

    config: RunConfig
    folder: Path
    output: Path | None = None

    @cached_property
    def council(self) -> Council | None:
        """The example council, if the config asks for it."""
        from demand.data.example import example_council

        asked = self.config.data.example
        return None if asked is None else example_council(asked.seed, asked.size)

    @cached_property
    def key(self) -> bytes:
        """The pseudonym key: the published one for the example, else the analyst's own."""
        from demand.data.example import EXAMPLE_KEY

        if self.config.data.example:
            return EXAMPLE_KEY
        purpose = self.config.data.people.purpose if self.config.data.people else ""
        return hmac.digest(pseudonym_key(), purpose.encode(), "sha256") if purpose else pseudonym_key()

    @cached_property
    def people(self) -> pd.DataFrame | None:
        """PEOPLE up to the day `as_of`, or None."""
        table = self._people[0]
        as_of = self.config.as_of
        if table is None or as_of is None or "opened" not in table:
            return table
        day = pd.Timestamp(as_of)
        known = table[table["opened"] <= day]
        return known.assign(closed=known["closed"].where(known["closed"] <= day))

    @cached_property
    def extract(self) -> Extract | None:
        """The extract of people with all that was found in it, or None."""
        data = self.config.data
        return examine_people(data.people, self.folder, key=self.key, quality=data.quality) if data.people else None

    @cached_property
    def places(self) -> pd.DataFrame | None:
        """One row an area, or None."""
        return self._places[0]

    @cached_property
    def drivers(self) -> pd.DataFrame | None:
        """DRIVERS, or None."""
        table, spec = self._drivers[0], self.config.data.drivers
        return table if table is None or spec is None else as_said(table, spec)

    @property
    def actuals(self) -> pd.DataFrame | None:
        """The ledger in the year, or None."""
        return self._actuals[0]

    @property
    def late(self) -> pd.DataFrame | None:
        """What the last months will grow to, where earlier extracts show it, or None."""
        return self._late[0]

    @property
    def counted(self) -> bool:
        """Whether the HISTORY is counted from the people."""
        return self.config.data.history is None and self.people is not None and "opened" in self.people

    @cached_property
    def history(self) -> History | None:
        """HISTORY up to the day `as_of`, without segments, or None."""
        return self.history_by(None)

    def history_by(self, rules: SegmentModel | None) -> History | None:
        """Give HISTORY, with `segment` as a further key where it is counted from people.

        Parameters
        ----------
        rules : SegmentModel or None
            Each episode is counted in the segment in which its own attributes put it.

        Returns
        -------
        History or None

        Raises
        ------
        DataError
            Where nothing is left of the history up to `as_of`.
        """
        if not self.counted:
            found = self._history[0]
        else:
            (people, keys), spec, council = self.people_by(rules), self.config.data.people, self.council
            last = self._whole_until[0] if council is None else council.last
            first = counted_from(people, since=spec.since if spec else None, until=last) if council is None else council.first
            found = count_episodes(people, self.counts, keys=keys, frequency=Frequency("M"), first=first, last=last)
            found = as_if_recorded(found, people, self.counts, self.late) if self.late is not None else found
        return self._until(found) if found is not None else None

    def people_by(self, rules: SegmentModel | None) -> tuple[pd.DataFrame, list[str]]:
        """Give PEOPLE and the keys that they are counted by, with `segment` where there are rules.

        Raises
        ------
        DataError
            Where there are none.
        """
        if self.people is None:
            raise DataError(Fault("there are no people to count"))
        if rules is None:
            return self.people, self.keys
        from demand.segments.model import episode_segments

        return self.people.assign(segment=episode_segments(rules, self.people)), [*self.keys, "segment"]

    @property
    def keys(self) -> list[str]:
        """The key columns of PEOPLE."""
        if self.council is not None and self.config.data.example:
            return list(self.council.keys(self.config.data.example.service))
        return list(self.config.data.people.keys) if self.config.data.people else []

    @property
    def attributes(self) -> list[str]:
        """The columns of PEOPLE or places that may describe a segment."""
        if self.council is not None and self.config.data.example:
            return list(self.council.attributes(self.config.data.example.service))
        spec = self.config.data.people or self.config.data.places
        if self.places is not None and spec is not None and not spec.attributes:
            return [str(c) for c in self.places.columns if c != "person_id"]
        return list(spec.attributes) if spec else []

    @property
    def counts(self) -> list[CountSpec]:
        """What is counted from PEOPLE."""
        if self.council is not None and self.config.data.example:
            return list(self.council.counts(self.config.data.example.service))
        return list(self.config.data.people.counts) if self.config.data.people else []

    @cached_property
    def findings(self) -> list[Finding]:
        """All that the gates found in what was read, as the policies of the config say; what cannot be read is among it."""
        read, stopped = self._read
        return settled(read if stopped else [*read, *self._judged()], self.config.data.quality)

    @property
    def _read(self) -> tuple[list[Finding], bool]:
        """What was found in reading each table, and whether any of them cannot be used."""
        found: list[Finding] = []
        stopped = False
        for table in ("_people", "_places", "_history", "_drivers", "_actuals", "outturn", "_late"):
            if stopped and table == "_late":
                break
            try:
                found += getattr(self, table)[1]
            except DataError as error:
                found += [*getattr(error, "findings", ()), *map(Finding.of_fault, error.faults)]
                stopped = True
        return found, stopped

    def _judged(self) -> list[Finding]:
        """What was found in the tables together."""
        read = list(self._known_too_early)
        if self.counted and self.council is None:
            read += self._whole_until[1]
        if self.history is None:
            return read
        totals = list(declared(self.history, self.config.data.hierarchy))
        told = [*read, *judge(self.history, as_of=self.last_day, totals=totals), *renamed_series(self.history)]
        events = self.config.forecast.events if self.config.forecast else []
        known = [e for e in events if set(e.where) <= {"unique_id", *self.history.keys}]  # segments are not known yet
        return [*told, *proposed_findings(clean(self.history, known))]

    def earlier(self, path: str | None) -> tuple[SegmentModel | None, pd.DataFrame | None]:
        """Read the segments of an earlier run: its rules, and its members where they lie beside them.

        Parameters
        ----------
        path : str or None
            A segment_model.json, or the folder that holds one.

        Returns
        -------
        rules : SegmentModel or None
        members : pandas.DataFrame or None

        Raises
        ------
        DataError
            Where there are no such rules.
        ModelError
            Where they cannot be read.
        """
        if path is None:
            return None, None
        from demand.segments.model import SegmentModel

        file = self._of_run(path, "segment_model.json")
        if not file.is_file():
            raise DataError(Fault("there are no saved segments", where=str(file), do_next="Run `demand segment` without --assign first"))
        beside = file.parent / "segments.parquet"
        members = pd.read_parquet(as_written(beside), columns=["person_id", "segment"]) if beside.is_file() else None
        return SegmentModel.from_json(as_written(file).read_text(encoding="utf-8")), members

    def _of_run(self, path: str, name: str) -> Path:
        file = self.folder / path
        return file / name if file.is_dir() else file

    @cached_property
    def hashes(self) -> dict[str, str]:
        """A hash of every source: of the bytes of files, of what a database answered, of the settings of the example."""
        data, asked = self.config.data, self.config.segments
        specs = {"history": data.history, "people": data.people, "places": data.places, "drivers": data.drivers, "actuals": data.actuals,
                 "outturn": data.outturn, "comparators": data.comparators, "postcodes": data.people and data.people.postcodes}  # fmt: skip
        given = {n: spec for n, spec in specs.items() if spec is not None} | (self.config.linkage.files if self.config.linkage else {})
        paths = {name: self.folder / spec.path for name, spec in given.items() if spec.path}
        named = {n: path for n in ("saved", "previous") if (path := getattr(asked, n, None))}
        rules = {f"segments.{n}": self._of_run(path, "segment_model.json") for n, path in named.items()}
        rules = {name: file for name, file in rules.items() if file.parent.resolve() != self.output}
        paths |= rules | {f"{name}.members": file.parent / "segments.parquet" for name, file in rules.items()}
        if self.config.caseload is not None and self.config.caseload.known_changes is not None:
            paths["known_changes"] = self.folder / self.config.caseload.known_changes
        paths |= {"since": self.folder / self.config.since / "record.json"} if self.config.since else {}
        if data.actuals is not None and data.actuals.previous:
            paths["actuals.previous"] = self._of_run(data.actuals.previous, "outturn.csv")
        if data.snapshots is not None:
            paths |= {f"snapshots {day:%Y-%m-%d}": path for day, path in dated_files(data.snapshots, self.folder).items()}
        found = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in paths.items() if path.is_file()}
        found |= {name: spec.answer(self.folder).hash for name, spec in given.items() if spec.sql}
        if data.example is not None:
            return {"example": data.example.fingerprint, **found}
        return {**found, **({"pseudonym_key": hashlib.sha256(self.key).hexdigest()[:16]} if data.people or data.places else {})}

    @property
    def last_day(self) -> pd.Timestamp | None:
        """The day `as_of`, if the config says one."""
        return pd.Timestamp(self.config.as_of) if self.config.as_of else None

    def _until(self, history: History) -> History:
        if self.config.as_of is None:
            return history
        ends = history.frequency.end_of(pd.DatetimeIndex(history.table["ds"]))
        table = history.table[ends <= pd.Timestamp(self.config.as_of)]
        if table.empty:
            found, ends_in = f"no period had ended by {self.config.as_of:%d %B %Y}", f"The data ends in {history.last:%B %Y}"
            raise DataError(Fault(found, where="as_of", allowed=ends_in))
        return history.until(table["ds"].max())

    @cached_property
    def _whole_until(self) -> tuple[pd.Timestamp, list[Finding]]:
        """The last day of the last month that the extract holds whole, and what is said of the month in which it stops."""
        table, spec = self._people[0], self.config.data.people
        if table is None or spec is None:
            raise DataError(Fault("there are no people to count"))
        return whole_until(table, as_of=self.last_day, extracted=spec.extracted, name=spec.called)

    @property
    def _known_too_early(self) -> list[Finding]:
        """What is said where drivers of one vintage are looked at from an earlier day."""
        spec, day = self.config.data.drivers, self.last_day
        table = self._drivers[0]
        if spec is None or day is None or table is None or self._history[0] is None:
            return []
        later = (table["ds"] > day) & (table["ds"] <= self._history[0].last)
        if not later.any():
            return []
        told = "values after `as_of` are taken as projections, although they may have been known only later"
        return [Finding.of("later_vintage", "warn", spec.called, count=int(later.sum()), message=told)]

    @cached_property
    def _people(self) -> tuple[pd.DataFrame | None, list[Finding]]:
        data = self.config.data
        if self.council is not None and data.example is not None:
            return self.council.people(data.example.service), []
        return self.extract.usable() if self.extract is not None else (None, [])

    @cached_property
    def _late(self) -> tuple[pd.DataFrame | None, list[Finding]]:
        """What is recorded late; nothing where `as_of` looks back: by then more had been recorded than was on that day."""
        named, table, spec = self.config.data.snapshots, self._people[0], self.config.data.people
        if named is None or table is None or spec is None or self.people is None or not self.counted:
            return None, []
        until = self._whole_until[0]
        if (table["opened"] > until + pd.Timedelta(days=31)).any():
            return None, [
                Finding.of("late_recording", "note", "snapshots", count=1, message="not looked at: `as_of` is before this extract")
            ]
        files = dated_files(named, self.folder)
        earlier = read_snapshots(files, spec, key=self.key, quality=self.config.data.quality, before=until)
        late = late_recording({**earlier, until: self.people}, self.counts, seed=self.config.seed)
        told = late_sentence(late) or ("the last months are full" if len(late) else "no two extracts were made a month apart: not known")
        return late, [Finding.of("late_recording", "note", "snapshots", count=len(files), message=told)]

    @cached_property
    def _places(self) -> tuple[pd.DataFrame | None, list[Finding]]:
        spec = self.config.data.places
        return read_places(spec, self.folder) if spec else (None, [])

    @cached_property
    def _history(self) -> tuple[History | None, list[Finding]]:
        spec = self.config.data.history
        return read_history(spec, self.folder) if spec else (None, [])

    @cached_property
    def _actuals(self) -> tuple[pd.DataFrame | None, list[Finding]]:
        spec, budget = self.config.data.actuals, self.config.budget
        if spec is None or budget is None:
            return None, []
        return read_actuals(spec, self.folder, lines=[line.name for line in budget.lines], start_month=budget.start_month)

    @cached_property
    def outturn(self) -> tuple[pd.DataFrame | None, list[Finding]]:
        """The ledger of years that are over, by budget line, and what was found in it."""
        spec, budget = self.config.data.outturn, self.config.budget
        if spec is None or budget is None:
            return None, []
        return read_outturns(spec, self.folder, lines=[line.name for line in budget.lines], start_month=budget.start_month)

    def table_before(self, path: str | None, name: str) -> pd.DataFrame | None:
        """Read a table of an earlier run: the file, or the one of that name in a folder; None where none is named.

        Raises
        ------
        DataError
            Where it is not there.
        """
        if path is None:
            return None
        if not (file := self._of_run(path, name)).is_file():
            raise DataError(Fault(f"there is no earlier {name}", where=str(file), do_next="Name the folder of the run of the month before"))
        return pd.read_csv(as_written(file), float_precision="round_trip")

    @cached_property
    def _drivers(self) -> tuple[pd.DataFrame | None, list[Finding]]:
        data = self.config.data
        if self.council is not None and data.example is not None:
            return self.council.drivers(data.example.service), []
        if data.drivers is None:
            return None, []
        frequency = self.history.frequency if self.history is not None else Frequency("M")
        return read_drivers(data.drivers, self.folder, frequency=frequency)
