"""How often `demand monitor` raises an alarm on real series: python benchmarks/alarms.py --data FOLDER [SET ...].

In: the sets of benchmarks/sets.yaml. Out: a line a cutoff at which a forecast of record is made and then held against what came, and the
share with any alarm. The forecasts are quick ones of a sample of eight series. Refuses sets that are not described.
What truly changed (a pandemic, a policy) raises alarms too, rightly: read what stands out before you call an alarm false.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks.sets import Set, described, windows_of  # noqa: E402
from demand.forecast import ForecastSpec, forecast  # noqa: E402
from demand.monitoring import monitor  # noqa: E402
from demand.spec import stream  # noqa: E402
from demand.tables import History  # noqa: E402

SERIES, WINDOWS = 8, 10
AFTER = {"M": (1, 3, 6), "Q": (1, 2, 4)}
"""Periods after the forecast of record in which it is looked at."""
STEP = {"M": 4, "Q": 2}
SETS = ("toronto_monthly", "wales_monthly", "england_quarterly", "australia_quarterly")


def looks(one: Set, folder: Path) -> Iterator[dict[str, object]]:
    """Give what the monitoring finds after each cutoff."""
    after = AFTER[one.frequency]
    for window in windows_of(replace(one, windows=WINDOWS, step=STEP[one.frequency], horizon=max(after)), folder):
        at = np.sort(stream(7, "benchmark alarms", str(window.cutoff)).permutation(len(window.known.ids))[:SERIES])
        ids = [window.known.ids[i] for i in at]
        known = window.known.only(ids)
        made = forecast(known, ForecastSpec(horizon=max(after), models=["seasonal_naive", "theta"], draws=300), seed=11)
        came = pd.DataFrame(window.actual[at].T, index=pd.DatetimeIndex(made.draws["ds"].to_numpy(), name="ds"), columns=ids)
        for periods in after:
            new = came.iloc[:periods].reset_index().melt("ds", var_name="unique_id", value_name="y")
            table = pd.concat([known.table, new.merge(known.table.drop(columns=["ds", "y"]).drop_duplicates("unique_id"), on="unique_id")])
            found = monitor(made.draws, History(table.sort_values(["unique_id", "ds"], ignore_index=True), known.series, known.frequency))
            what = "; ".join(f"{s.unique_id}: {s.why}" for s in found.signals.itertuples())
            yield {
                "cutoff": window.cutoff.date(),
                "periods": periods,
                "action": found.action,
                "inside": found.coverage["share"],
                "what": what,
            }


def main() -> None:
    """Print a line a look, and the share with any alarm by set and in all."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path, required=True)
    asked.add_argument("sets", nargs="*", default=SETS)
    words = asked.parse_args()
    known, every = described(Path(__file__).with_name("sets.yaml")), []
    for name in words.sets:
        told = pd.DataFrame(looks(known[name], words.data))
        print(told.to_string(index=False))
        alarm = told["action"] != "nothing"
        print(f"{name}: {alarm.sum()} of {len(told)} looks raised an alarm; {told['inside'].mean():.0%} of counts inside their ranges\n")
        every.append(alarm)
    all_of = pd.concat(every)
    print(f"all: {all_of.sum()} of {len(all_of)}, {all_of.mean():.1%}")


if __name__ == "__main__":
    main()
