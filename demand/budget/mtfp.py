"""Increments for the medium-term financial plan: what each line needs more, or less, than in the year before, and why.

In: the steps of `steps_of`. Out: mtfp.csv, and a sentence on how to read it. The medium column adds up exactly; low and high do not.
Refuses nothing.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from demand.budget.movement import Row, Step, Steps, gross_mark

__all__ = ["DEMAND", "MTFP", "PRICES", "mtfp", "mtfp_notes"]

MTFP = ["scenario", "line", "financial_year", "item", "recurring", "part_year_pence", "full_year_pence", "low_pence", "medium_pence",
        "high_pence", "kind"]  # fmt: skip
DEMAND, PRICES = "demand", "prices and uplift"
"""The items of the forecast itself; all others are the changes of a scenario."""
YEARS = 5
"""Financial years of a medium-term plan."""


def mtfp(found: Steps) -> pd.DataFrame:
    """Make mtfp.csv: yearly increments on the year before, by line and item.

    Parameters
    ----------
    found : Steps

    Returns
    -------
    pandas.DataFrame
        `MTFP`, a row a scenario, line (then `TOTAL`), financial year and item. medium_pence is the expected increment: the items of a
        line and year add up, to the penny, to how much more is expected than in the year before. low_pence and high_pence: one time in
        ten the increment is below, or above; they do not add up. Of an item that begins in the year, part_year_pence is what it comes to
        in that year, and full_year_pence what it comes to in the next, the first whole one (missing where that is not forecast); of every
        other item full_year_pence is the increment itself. recurring is False where an item is known to end.
    """
    rows = found.rows(_item)
    last = max((r.year for r in rows), default="")
    later = {(r.scenario, r.line, r.before, r.item): r for r in rows}
    told = []
    for row in rows:
        part: int | None = None
        full: int | None = row.pence
        if row.begins and row.pounds.any():
            part, full = row.pence, _full_year(row, later, last)
        low, high = np.rint(np.quantile(row.pounds, [0.1, 0.9]) * 100)
        told.append((row.scenario, row.line, row.year, row.item, row.recurring, part, full, int(low), row.pence, int(high), row.kind))
    table = pd.DataFrame(told, columns=MTFP)
    return table.astype({c: "Int64" for c in MTFP if c.endswith("_pence")})


def mtfp_notes(found: Steps) -> tuple[str, ...]:
    """Say how the columns add up, and how many of the plan's years there are."""
    if not found.steps:
        return ()
    years = len({s.year for s in found.steps})
    notes = [
        "Medium-term plan: the medium column is what is expected, and adds up to the penny; low and high are what each increment stays "
        "above, and below, nine times in ten: they do not add up."
    ]
    if years < YEARS:
        notes.append(f"Medium-term plan: {years} of {YEARS} years are covered. Forecast further ahead (forecast.horizon) for the others.")
    return tuple(notes)


def _item(step: Step) -> str:
    return {"demand": DEMAND, "price": PRICES}.get(step.kind, step.name)


def _full_year(row: Row, later: dict[tuple[str, str, str, str], Row], last: str) -> int | None:
    """Give what an item comes to in the year after the one in which it begins; missing where that is not forecast."""
    if row.year == last:
        return None
    following = later.get((row.scenario, row.line, row.year, row.item.removesuffix(gross_mark(row.before))))
    return row.pence + (following.pence if following is not None else 0)
