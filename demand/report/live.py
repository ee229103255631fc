"""What the workbook works out for itself: pounds by scenario, line and financial year, future by future, from input cells.

In: a `ReportInput` with the tables that `demand.budget` made for it. Out: `Live`, the same figures as arrays, so that each formula can be
stored with its value. Refuses nothing: where a table is missing, or the sheets would be too large, it is None, and the workbook is typed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from demand.report.inputs import ReportInput
from demand.spec import Assumption

__all__ = ["MOST_CELLS", "Block", "Live"]

MOST_CELLS = 500_000
"""Cells of numbers and formulas beyond which a workbook of possible futures is too large to be sent and opened: about 8 MB."""
PASSPORT = ("value", "unit", "low", "high", "source", "as_of", "owner")


@dataclass(frozen=True)
class Block:
    """What one line pays for in one financial year under one scenario.

    Parameters
    ----------
    scenario, line, year : str
    terms : tuple of (str, int, numpy.ndarray)
        Unit cost, how often it has been uplifted by then, quantity in each future; the unit cost is empty for pounds that stay as they are.
    """

    scenario: str
    line: str
    year: str
    terms: tuple[tuple[str, int, np.ndarray], ...]


@dataclass(frozen=True)
class Live:
    """The pounds of a run, ready to be worked out in a spreadsheet.

    Parameters
    ----------
    quantities, price_draws : pandas.DataFrame
        As stored in price_quantities.parquet and price_draws.parquet.
    assumptions : pandas.DataFrame
        The ledger.
    """

    quantities: pd.DataFrame
    price_draws: pd.DataFrame
    assumptions: pd.DataFrame

    @classmethod
    def of(cls, inputs: ReportInput) -> Live | None:
        """Take what a run has stored; None where it is not all there, too large, or the workbook is for the public."""
        tables = inputs.price_quantities, inputs.price_draws, inputs.assumptions
        if any(t is None or t.empty for t in tables) or inputs.spec.audience != "council":
            return None
        quantities, drawn, ledger = (t.assign() for t in tables if t is not None)
        quantities["cost"] = quantities["cost"].astype(str)
        if len(quantities) * 2 + len(drawn) * 3 > MOST_CELLS or not set(_names(drawn)) <= set(ledger["name"].astype(str)):
            return None
        return cls(quantities, drawn, ledger)

    @cached_property
    def count(self) -> int:
        """How many futures."""
        return int(self.quantities["draw"].max()) + 1

    @cached_property
    def costs(self) -> list[str]:
        """The unit costs whose prices are worked out."""
        return [str(c) for c in self.price_draws["cost"].unique()]

    @cached_property
    def names(self) -> frozenset[str]:
        """The numbers of the ledger that the workbook works with."""
        return frozenset(_names(self.price_draws))

    def places(self, cost: str, number: str) -> np.ndarray | None:
        """Give where a price's amount or uplift lay in its range, future by future; None where there is no such number."""
        rows = self.price_draws[(self.price_draws["cost"] == cost) & (self.price_draws["number"] == number)]
        return rows.sort_values("draw")["z"].to_numpy(dtype=float) if len(rows) else None

    def number(self, cost: str, number: str) -> np.ndarray:
        """Give the amount of a price, or what it is multiplied by each year, future by future."""
        row = self.assumptions[self.assumptions["name"] == f"{cost}: {number}"].iloc[0]
        places = self.places(cost, number)
        values = Assumption.model_validate({k: row[k] for k in PASSPORT}).at(places if places is not None else np.zeros(self.count))
        return values if number == "amount" else 1 + np.maximum(values, -1.0)

    def steps(self, cost: str) -> list[int]:
        """Give how often a price has been uplifted, in each year in which it is paid."""
        return sorted({int(s) for s in self.quantities.loc[self.quantities["cost"] == cost, "steps"]})

    def price(self, cost: str, steps: int) -> np.ndarray:
        """Give a price after some uplifts, future by future."""
        amount = self.number(cost, "amount")
        return amount if self.places(cost, "uplift") is None else amount * self.number(cost, "uplift") ** steps

    def blocks(self) -> Iterator[Block]:
        """Give what each line pays for, by scenario, financial year and line."""
        for (scenario, year, line), rows in self.quantities.groupby(["scenario", "financial_year", "line"], sort=False):
            terms = tuple(
                (str(cost), int(one["steps"].iloc[0]), one.sort_values("draw")["quantity"].to_numpy(dtype=float))
                for cost, one in rows.groupby("cost", sort=False)
            )
            yield Block(str(scenario), str(line), str(year), terms)


def _names(drawn: pd.DataFrame) -> list[str]:
    """The names in the ledger of the numbers that were drawn."""
    found = drawn[["cost", "number"]].drop_duplicates()
    return [f"{r.cost}: {r.number}" for r in found.itertuples()]
