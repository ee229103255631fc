"""Does what was counted explain what was spent? Volume x price of the years that are over against the ledger, line by line.

In: `Cost`, the budget's lines with their outturn, and the history without declared totals. Out: reconciliation.csv, and sentences. What is
not explained is a figure of its own: no price and no forecast is ever scaled to make it go away. Refuses what the lines refuse.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from demand.budget.lines import TOTAL, BudgetSpec, pence
from demand.budget.past import past
from demand.budget.prices import Cost
from demand.errors import listed
from demand.tables import History

__all__ = ["RECONCILIATION", "reconciliation", "reconciliation_notes", "with_outturns"]

RECONCILIATION = ["line", "financial_year", "modelled_pence", "outturn_pence", "gap_pence", "gap_share", "tolerance", "within"]


def with_outturns(spec: BudgetSpec, ledger: pd.DataFrame) -> BudgetSpec:
    """Give the budget with the outturn that a ledger says, where a line does not say it itself.

    Parameters
    ----------
    spec : BudgetSpec
    ledger : pandas.DataFrame
        line, financial_year, outturn (GBP), as `read_outturns` gives it.
    """
    told: dict[str, dict[str, float]] = {}
    for row in ledger.itertuples():
        told.setdefault(str(row.line), {})[str(row.financial_year)] = float(str(row.outturn))
    lines = [line.model_copy(update={"outturn": {**told.get(line.name, {}), **line.outturn}}) for line in spec.lines]
    return spec.model_copy(update={"lines": tuple(lines)})


def reconciliation(cost: Cost, spec: BudgetSpec, history: History) -> pd.DataFrame:
    """Make reconciliation.csv: what was counted at the prices of its year, against the ledger's outturn.

    Prices are the expected ones of the year: the price base and its uplift, backwards. Both sides are gross.

    Parameters
    ----------
    cost : Cost
    spec : BudgetSpec
        With the outturn of its lines.
    history : History
        Without declared totals.

    Returns
    -------
    pandas.DataFrame
        `RECONCILIATION`, a row a line and year that can be told, and `TOTAL` where every line that is paid by series has an outturn:
        modelled_pence is volume x price, gap_pence the outturn less that (what is not explained), gap_share the gap over the outturn,
        within whether it lies in the tolerance (of the total: that of its lines, each weighted by its outturn). Lines add up to their
        total.
    """
    spent = past(cost, history).spent(spec)
    rows, counted = [], [line for line in spec.lines if not line.items_only]
    for year in spent.columns:
        told = [line for line in counted if year in line.outturn and np.isfinite(spent.loc[line.name, year])]
        modelled = pence([spent.loc[line.name, year] for line in told])
        outturn = pence([line.outturn[year] for line in told])
        rows += [_row(line.name, year, modelled[i], outturn[i], line.tolerance) for i, line in enumerate(told)]
        if len(told) == len(counted) and told:
            allowed = float(np.abs(outturn) @ [line.tolerance for line in told]) / max(float(np.abs(outturn).sum()), 1.0)
            rows.append(_row(TOTAL, year, modelled.sum(), outturn.sum(), allowed))
    return pd.DataFrame(rows, columns=RECONCILIATION)


def reconciliation_notes(table: pd.DataFrame, spec: BudgetSpec) -> tuple[str, ...]:
    """Say in sentences how the last year that is over agrees with the ledger, and which years could not be held against it.

    Parameters
    ----------
    table : pandas.DataFrame
        From `reconciliation`.
    spec : BudgetSpec
    """
    if not any(line.outturn for line in spec.lines):
        return ()
    notes = []
    if len(table):
        year = table["financial_year"].max()
        for row in table[table["financial_year"] == year].itertuples():
            told = "within" if row.within else "more than"
            notes.append(
                f"{year}, {row.line}: the ledger says {row.outturn_pence / 100:,.0f} GBP, what was counted at its price comes to "
                f"{row.modelled_pence / 100:,.0f}; {row.gap_pence / 100:,.0f} ({row.gap_share:.1%}) is not explained, {told} the tolerance "
                f"of {row.tolerance:.0%}. It is shown, not hidden in prices."
            )
    known = set(zip(table["line"], table["financial_year"], strict=True))
    for line in spec.lines:
        missing = sorted(y for y in line.outturn if (line.name, y) not in known)
        if missing:
            notes.append(
                f"{line.name}: the outturn of {listed(missing)} cannot be held against what was counted: "
                "the year is not over, or not counted whole."
            )
    return tuple(notes)


def _row(line: str, year: str, modelled: int, outturn: int, tolerance: float) -> dict[str, object]:
    gap = int(outturn - modelled)
    share = gap / abs(outturn) if outturn else np.nan
    within = abs(gap) <= tolerance * abs(outturn)
    return dict(zip(RECONCILIATION, (line, year, int(modelled), int(outturn), gap, share, tolerance, bool(within)), strict=True))
