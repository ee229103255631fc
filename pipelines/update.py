"""The monthly job: the run of last month is frozen, the config is run again on the new extract, and what moved is told.

In: a config's output folder. Out: the words that make a run an update: `since`, the saved segments, and the outturn of the month before.
Refuses a folder without a finished run.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from demand.errors import DataError, Fault, StoreError
from demand.tables import History
from pipelines.frozen import APPROVED, MONTHS, RECORD, freeze, frozen, opened
from pipelines.inputs import Inputs
from pipelines.results import load_history
from pipelines.store import Store

__all__ = ["update_words"]


def update_words(output: Path, inputs: Inputs) -> tuple[list[str], list[str]]:
    """Freeze the earlier run, and say what the new one refers to.

    Parameters
    ----------
    output : Path
        The output folder, with the run of the month before.
    inputs : Inputs
        The new extract.

    Returns
    -------
    words : list of str
        `key=value` words. Where nothing has been counted since that run, it is this month's own, and the month before stays what is
        referred to.
    told : list of str
        What the analyst should know: that nothing has been counted since, that series have other names.

    Raises
    ------
    StoreError
        Where there is no finished run, or one of its files was changed.
    DataError
        Where the data ends before the run that is there.
    """
    store, config, new = Store(output), inputs.config, inputs.history
    ended = store.has("model_settings.json") and (store.has("budget.csv") or not (config.costs or config.prices))
    last = load_history(output).last if ended else None
    if last is not None and new is not None and new.last < last:
        raise DataError(
            Fault(f"the data ends with {new.last:%B %Y}, the run that is here with {last:%B %Y}", where=str(output),
                  do_next="Put the new extract in place of the old one, and `as_of` on its day; `demand run` looks back")
        )  # fmt: skip
    if last is not None and new is not None and new.last > last:
        _keep(store, output / MONTHS, last)
    before = _before(output, new.last if new is not None else last)
    if not before and last is not None:
        _keep(store, output / MONTHS, last)
        before = list(frozen(output, MONTHS))
    if not before:  # a run that stopped half-way leaves what was frozen before it
        raise StoreError(
            Fault("there is no run to update", where=str(output), do_next="Run `demand run` first; next month, `demand update`")
        )
    since = opened(before[-1])[0].folder.resolve()
    words = [f"since={json.dumps(str(since))}"]
    if config.segments is not None and (since / "segment_model.json").is_file():
        words.append(f"segments.saved={json.dumps(str(since / 'segment_model.json'))}")
    projected = [p for p in before if (p / "outturn.csv").is_file()]
    if config.data.actuals is not None and projected:  # a month without a ledger projects nothing
        words.append(f"data.actuals.previous={json.dumps(str(opened(projected[-1])[0].folder.resolve()))}")
    same = last is not None and new is not None and new.last == last
    told = [f"Nothing has been counted since the run that was here: both end with {last:%B %Y}."] if same else []
    return words, [*told, *_other_series(load_history(since), new)]


def _other_series(old: History, new: History | None) -> list[str]:
    """Say how many series of then are not counted any more: what moved takes those of another name for others."""
    keys = [k for k in old.keys if k != "segment"]
    if new is None:
        return []
    if keys != list(new.keys):
        return [
            f"Series are counted by {', '.join(new.keys)} and no longer by {', '.join(keys)}: nothing says which of then is which of now."
        ]
    then, now = (set(map(tuple, h.series[keys].astype(str).to_numpy())) if "segment" in old.keys else set(h.ids) for h in (old, new))
    gone = len(then - now)
    return (
        [f"{gone} of {len(then)} series are no longer counted: were they renamed? What moved takes a new name for another series."]
        if gone
        else []
    )


def _before(output: Path, now: pd.Timestamp | None) -> list[Path]:
    """Give the frozen runs that had counted less than now, oldest first; of one month, approved ones before that month's own.

    One whose counts cannot be read stands where it may stand at the latest: it is refused if it is used, and stops nothing if it is not.
    """
    if now is None:
        return []
    counted = [(_counted_to(p, now), p) for kind in (APPROVED, MONTHS) for p in frozen(output, kind)]
    return [p for last, p in sorted(counted, key=lambda one: one[0]) if last < now]


def _counted_to(folder: Path, now: pd.Timestamp) -> pd.Timestamp:
    """Give the last period that a frozen run had counted; of one that was damaged the day of its approval, or that in its name."""
    try:
        return load_history(folder).last
    except (StoreError, OSError, ValueError, KeyError):
        latest = now - pd.Timedelta(days=1)
    try:
        known = json.loads((folder / RECORD).read_text(encoding="utf-8")).get("approved", folder.name)
    except (OSError, ValueError):
        return latest
    day = pd.to_datetime(known[: len("2026-01-01")], errors="coerce")
    return latest if pd.isna(day) else min(day, latest)


def _keep(store: Store, months: Path, last: pd.Timestamp) -> None:
    """Freeze the run of a month, once; where it was run again since, beside the earlier one."""
    there = sorted(months.glob(f"{last:%Y-%m-%d}*"))
    if there and Store(there[-1]).manifest.get("files") == store.manifest.get("files"):
        return
    name = f"{last:%Y-%m-%d}" + (f"-{len(there) + 1}" if there else "")
    day = load_history(store.folder).frequency.end_of(pd.DatetimeIndex([last]))[0]
    freeze(store, months / name, {"name": f"{day:%B %Y}"})
