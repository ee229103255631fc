"""How often drift is seen where there is none, and where there is: python benchmarks/drift.py [runs].

In: how many simulations a setting. Out: a line a setting: false alarms of the test at 5 %, of the usual fixed limit (a population stability
index above 0.1 in any attribute), and how often a need that is 15 points more common is found. 300 runs take about ten minutes.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

from demand.segments.attributes import read_attributes
from demand.segments.drift import drift, reference
from demand.spec import stream

SETTINGS = ((1000, 100), (100, 100), (5000, 1000), (1000, 1000))
"""People of the fit, people of now."""
LABELS = ("A", "B")


def people(n: int, rng: np.random.Generator, *, shift: float = 0.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw people with eight attributes, some of them together, some skewed, one much missing; and their segments."""
    z = rng.normal(size=n)
    table = pd.DataFrame(
        {
            "score": z.round(2),
            "arrears": np.exp(0.7 * z + rng.normal(size=n)).round(),
            "tenure": rng.choice(list("abcd"), n, p=[0.4, 0.3, 0.2, 0.1]),
            "need": np.where(rng.random(n) < 0.3 + 0.1 * (z > 0) + shift, "yes", "no"),
            "visits": rng.poisson(1.2, n),
            "carer": np.where(rng.random(n) < 0.3, None, rng.choice(["yes", "no"], n)),
            "band": rng.choice(["low", "medium", "high"], n),
            "reason": rng.choice(list("abcdefghij"), n),
        }
    )
    segment = np.where(z + rng.normal(size=n) > 0, "A", "B")
    return table, pd.DataFrame({"person_id": np.arange(n).astype(str), "segment": segment, "certainty": rng.beta(5, 1, n).round(6)})


def rates(fit: int, now: int, runs: int, *, shift: float = 0.0) -> tuple[float, float, float]:
    """Give how often the test raises an alarm, how often it asks for more than keeping, and how often the fixed limit is passed."""
    told = []
    for run in range(runs):
        rng = stream(run, "benchmark drift", fit, now)
        table, members = people(fit, rng)
        attributes = read_attributes(table, None).attributes
        known = reference(table, members, attributes, LABELS, seed=run)
        later, placed = people(now, rng, shift=shift)
        found = drift(known, later, placed, attributes, LABELS, seed=run)
        told.append((found.table["drifted"].any(), found.advice != "keep", (found.table["shift"] > 0.1).any()))
    alarm, acted, fixed = np.mean(told, axis=0)
    return float(alarm), float(acted), float(fixed)


def main(runs: int) -> None:
    """Print a line a setting."""
    for fit, now in SETTINGS:
        alarm, acted, fixed = rates(fit, now, runs)
        power = rates(fit, now, max(runs // 5, 1), shift=0.15)[0]
        print(
            f"fit {fit:,}, now {now:,}: false alarms {alarm:.1%} (advice other than keep {acted:.1%}), fixed limit of 0.1 {fixed:.1%}; "
            f"a need 15 points more common is found in {power:.0%}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
