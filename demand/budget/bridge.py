"""From last year's outturn to next year's forecast, step by step, in pence.

In: the steps of `steps_of`, and the outturn of the lines. Out: bridge.csv, and a sentence on what could not be told apart. The steps
between the first and the last row of a bridge add up exactly. Refuses nothing.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from demand.budget.lines import TOTAL, BudgetSpec
from demand.budget.movement import Row, Steps
from demand.budget.volumes import VOLUME
from demand.errors import listed

__all__ = ["BRIDGE", "GAP", "bridge", "bridge_notes"]

BRIDGE = ["scenario", "line", "from", "to", "step", "amount_pence", "kind"]
GAP = "not explained by volume x price"
"""The step from the ledger's outturn to what was counted, at its price."""


def bridge(found: Steps, spec: BudgetSpec) -> pd.DataFrame:
    """Make bridge.csv: from each financial year to the next, the first of them from the last year that was counted.

    Parameters
    ----------
    found : Steps
    spec : BudgetSpec
        With the outturn of its lines.

    Returns
    -------
    pandas.DataFrame
        `BRIDGE`; kind is "start" (the outturn of the ledger; volume x price, where there is none; the forecast, of later years), "step" or
        "end" (the expected cost of the next year). The steps of one scenario, line and pair of years add up to the end less the start, to
        the penny; lines add up to `TOTAL` in every end, and in every start that is of the same name.
    """
    expected = found.expected()
    outturn = {(line.name, year): int(np.rint(amount * 100)) for line in spec.lines for year, amount in line.outturn.items()}
    for year in {year for _, year in outturn}:
        if all((line.name, year) in outturn for line in spec.lines):
            outturn[TOTAL, year] = sum(outturn[line.name, year] for line in spec.lines)
    several: dict[tuple[str, str, str, str], list[Row]] = {}
    for row in found.rows(lambda step: step.name):
        several.setdefault((row.scenario, row.line, row.before, row.year), []).append(row)
    told = []
    for (scenario, line, before, year), rows in several.items():
        start, ledger = expected[scenario, line, before], outturn.get((line, before)) if before == found.counted else None
        begins = ("volume x price" if before == found.counted else "forecast", start) if ledger is None else ("outturn", ledger)
        gap = [] if ledger is None else [(GAP, start - ledger, "step")]
        steps = [(*begins, "start"), *gap, *((r.item, r.pence, "step") for r in rows), ("forecast", expected[scenario, line, year], "end")]
        told += [(scenario, line, before, year, *step) for step in steps]
    return pd.DataFrame(told, columns=BRIDGE).astype({"amount_pence": "Int64"})


def bridge_notes(found: Steps) -> tuple[str, ...]:
    """Say for which lines starts and length of stay could not be told apart, and which bridge begins without a year that was counted."""
    notes = []
    folded = {s.line for s in found.steps if s.name == VOLUME}
    if folded:
        notes.append(
            f"Bridge: starts and length of stay are one step, volume, for {listed(sorted(folded))}: only how many are there is "
            "counted. Name the series that count who comes under `starts` of the line, or count placements from people with a `caseload`."
        )
    if found.pounds and not found.counted:
        notes.append(
            "Bridge: the year before the first of the forecast was not counted whole, so the bridge begins at the first forecast year."
        )
    return tuple(notes)
