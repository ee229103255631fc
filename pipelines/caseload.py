"""Who is there, for how long, how stays end, and what returns ask for: tables from placements as they are known."""

from __future__ import annotations

import pandas as pd

from demand.caseload.late import no_activity
from demand.caseload.lengths import how_stays_end, lengths_of_stay, what_goes_with_length
from demand.caseload.spells import as_known, monthly_return, yearly_return
from demand.errors import DataError, Fault
from pipelines.config import RunConfig
from pipelines.job import Job
from pipelines.results import rules_of, stocks_of
from pipelines.store import Writer

__all__ = ["NEEDS", "missing", "rests_on", "run"]

NEEDS = ("check", "segment")


def missing(config: RunConfig) -> str:
    """Say what the config lacks for this stage."""
    return "" if config.caseload is not None else "Add a `caseload` section (`{}` will do)"


def rests_on(config: RunConfig) -> list[object]:
    """Give the settings that the results depend on, beside the data and the stages before."""
    return [config.caseload, config.data.quality]


def run(job: Job, writer: Writer) -> None:
    """Write lengths of stay and what goes with them, how stays end, the statutory counts, and open cases without activity.

    Raises
    ------
    DataError
        Where the data holds nothing that can be counted.
    """
    history = job.inputs.history_by(rules_of(job))
    stocks = stocks_of(job, history) if history is not None else None
    if history is None or stocks is None:
        raise DataError(Fault("there are no people of whom a stock is counted", where="caseload"))
    day, how = stocks.day_of(history.last), stocks.spec
    known = as_known(stocks.spells, day)
    by = [c for c in dict.fromkeys((how.type, how.group)) if c is not None and c in known]
    stays = [lengths_of_stay(known, day, by=c, since=stocks.since).assign(by=c) for c in by]
    stays = stays or [lengths_of_stay(known, day, by="unique_id", since=stocks.since).assign(by="series")]
    writer.table("stays.csv", pd.concat(stays, ignore_index=True))
    if how.type in known:
        writer.table("stay_ends.csv", how_stays_end(known, day, kind=how.type, since=stocks.since))
        features = [c for c in dict.fromkeys(("age", how.group, "segment")) if c is not None and c in known]
        if features:
            writer.table("stay_features.csv", what_goes_with_length(known, day, columns=features, kind=how.type, since=stocks.since))
    first = pd.Timestamp(history.table["ds"].min())
    writer.table("returns_monthly.csv", monthly_return(known, first=first, last=day))
    household = "household" if "household" in known else "person_id" if (stocks.series["unit"] == "households").all() else None
    if household is not None:
        writer.table("returns_yearly.csv", yearly_return(known, first=first, last=day, household=household))
    if "activity" in known:
        quiet = job.config.data.quality.quiet_days
        writer.table("no_activity.csv", no_activity(known, day, last_activity="activity", limit_days=quiet))
    if job.inputs.late is not None:
        writer.table("late_recording.csv", job.inputs.late)
