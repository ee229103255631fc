"""How long run-off takes: python benchmarks/caseload.py [OPEN].

Makes a service with 20,000 open placements (or as many as are asked for) in 16 series of four types, with lengths of stay between some
months and some years and a heavy tail of prices. Puts the placements of ten years in order, learns stays, and draws 500 futures of 36
months. Prints CPU seconds and peak memory; exits 1 where that is more than 30 seconds or 2 GiB.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np
import pandas as pd

from demand.calendar import Frequency
from demand.caseload.runoff import run_on
from demand.caseload.spells import as_known, flows, spells_of
from demand.caseload.stays import learn_stays

DAY, DRAWS, MONTHS = pd.Timestamp("2026-03-31"), 500, 36
MOST_SECONDS, MOST_GIBIBYTES = 30.0, 2.0


def placements(wanted: int) -> pd.DataFrame:
    """Make ten years of placements of which about so many are open."""
    rng = np.random.default_rng(1)
    n = round(wanted * 5.1)
    kind = rng.integers(0, 4, n)
    opened = pd.Timestamp("2016-04-01") + pd.to_timedelta(rng.integers(0, 3652, n), unit="D")
    stay = np.ceil(np.array([210, 420, 630, 840])[kind] * np.exp(0.8 * rng.standard_normal(n)))
    about = {"person_id": np.arange(n), "type": np.array(list("abcd"))[kind], "area": rng.choice(list("NESW"), n)}
    price = np.exp(6 + 0.8 * rng.standard_normal(n))
    return pd.DataFrame({**about, "opened": opened, "closed": opened + pd.to_timedelta(stay, unit="D"), "price": price})


def main() -> None:
    """Draw and tell."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    people = placements(wanted)
    begin = time.process_time()
    spells = as_known(spells_of(people, keys=["type", "area"]), DAY)
    ids = sorted(spells["unique_id"].unique())
    stays = learn_stays(spells, DAY, ids=ids, kinds={i: i[0] for i in ids})
    recent = flows(spells, Frequency("M"), first=DAY - pd.Timedelta(days=360), last=DAY, ids=ids)
    mean = recent.groupby("unique_id")["starts"].mean().reindex(ids).to_numpy()
    starts = np.random.default_rng(2).poisson(mean[:, None, None], (len(ids), MONTHS, DRAWS)).astype(float)
    told = run_on(spells, stays, starts, frequency=Frequency("M"), seed=1)
    seconds, memory = time.process_time() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{int(spells['closed'].isna().sum())} open placements, {mean.sum():.0f} starts a month, {DRAWS} draws, {MONTHS} months")
    print(f"people after {MONTHS} months: {float(told['people'][:, -1].sum('series').mean()):.0f}")
    print(f"{seconds:.1f} CPU seconds (at most {MOST_SECONDS:g}), {memory:.2f} GiB at most (at most {MOST_GIBIBYTES:g})")
    sys.exit(0 if seconds <= MOST_SECONDS and memory <= MOST_GIBIBYTES else 1)


if __name__ == "__main__":
    main()
