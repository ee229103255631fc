"""Who gets how much of what there is.

In: `Cost`, the budget's lines with their floors, and an envelope: a fixed total, or a level of service to hold. Out: `Allocation`, the
plan by line and financial year. Refuses lines that share a series. An envelope that cannot hold the duties is a result, not an error: it
says which duty breaks, and by how much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from pydantic import Field

from demand.budget.lines import MONTHS, TOTAL, BudgetLine, BudgetSpec, line_costs, pence
from demand.budget.prices import Cost
from demand.errors import BudgetError, Fault, did_you_mean, listed, raise_all
from demand.scenario import BASELINE
from demand.spec import Spec

__all__ = ["Allocation", "Envelope", "FixedTotal", "HoldService", "allocate"]


class FixedTotal(Spec):
    """An envelope: there is so much and no more, and it shall do as much as it can."""

    years: dict[str, float]
    """GBP by financial year: {2026-27: 4100000}."""


class HoldService(Spec):
    """An envelope: as much as every line needs to suffice with a given chance."""

    chance: float = Field(default=0.8, gt=0, lt=1)
    """How likely each line shall suffice: 0.8 is 4 years in 5."""


Envelope = FixedTotal | HoldService


@dataclass(frozen=True)
class Allocation:
    """A plan.

    Parameters
    ----------
    table : pandas.DataFrame
        financial_year, line, allocated_pence, floor_pence, expected_shortfall_pence, p_overspend (also what one more pound would save, in
        pounds), binds ("floor", "total", "demand": more would never be spent, "service").
    broken : pandas.DataFrame
        financial_year, line, short_pence: the duties whose floor cannot be paid.
    left_pence : mapping of str to int
        By financial year: what no line would ever need.
    """

    table: pd.DataFrame
    broken: pd.DataFrame
    left_pence: dict[str, int] = field(default_factory=dict)

    @property
    def feasible(self) -> bool:
        """True where every duty can be paid."""
        return len(self.broken) == 0


def allocate(cost: Cost, envelope: Envelope, lines: Sequence[BudgetLine] | BudgetSpec, *, scenario: str = BASELINE) -> Allocation:
    """Share an envelope out among the budget's lines.

    Fixed total: floors first, in the order of the lines; each further pound goes where it is likeliest to be needed, which makes the
    expected shortfall of all lines together as small as it can be. (Each line's expected shortfall falls by P(cost > allocated) with the
    next pound, and never faster later on: a separable convex problem, which the greedy order of the draws solves exactly.) Hold service:
    each line gets what suffices with the given chance, and never less than its floor.

    Parameters
    ----------
    cost : Cost
    envelope : FixedTotal or HoldService
    lines : sequence of BudgetLine, or BudgetSpec
    scenario : str
        Under which scenario.

    Returns
    -------
    Allocation

    Raises
    ------
    BudgetError
        Where lines share a series or match nothing, the scenario is not known, or a year of the envelope is not a whole year of the cost.

    References
    ----------
    Fox, B. (1966). Discrete optimization via marginal analysis. Management Science 13(3), 210-216.
    """
    given_lines = lines.lines if isinstance(lines, BudgetSpec) else tuple(lines)
    plain = tuple(line.model_copy(update={"years": {}}) for line in given_lines)
    _refuse(cost, envelope, scenario)
    pounds = line_costs(cost, BudgetSpec(year_start=MONTHS[cost.exposure.start_month - 1], lines=plain)).sel(scenario=scenario)
    names = [str(n) for n in pounds["line"].to_numpy() if n != TOTAL]
    floors = np.array([line.floor for line in plain])
    tables, broken, left = [], [], {}
    for label in cost.labels if isinstance(envelope, HoldService) else envelope.years:
        draws = pounds.sel(line=names, financial_year=label).to_numpy()
        if isinstance(envelope, FixedTotal):
            given, rest = _fixed(draws, floors, envelope.years[label])
            left[label] = int(np.rint(rest * 100))
        else:
            given = np.maximum(np.quantile(draws, envelope.chance, axis=1, method="inverted_cdf"), floors)
        tables.append(_plan(label, names, draws, given, floors, envelope))
        short = floors - given
        broken += [(label, names[i], int(np.rint(short[i] * 100))) for i in np.flatnonzero(short > 0.005)]
    return Allocation(pd.concat(tables, ignore_index=True), pd.DataFrame(broken, columns=["financial_year", "line", "short_pence"]), left)


def _refuse(cost: Cost, envelope: Envelope, scenario: str) -> None:
    known = [str(n) for n in cost.years["scenario"].to_numpy()]
    faults = [] if scenario in known else [Fault(f"'{scenario}' is not a scenario", "allocate", did_you_mean(scenario, known))]
    asked = [label for label in envelope.years if label not in cost.labels] if isinstance(envelope, FixedTotal) else []
    allowed = f"Whole financial years of this cost: {listed(cost.labels)}"
    faults += [Fault(f"'{label}' is not covered", "envelope > years", allowed) for label in asked]
    raise_all(faults, BudgetError, during="reading the envelope")


def _fixed(draws: np.ndarray, floors: np.ndarray, total: float) -> tuple[np.ndarray, float]:
    """Share out a fixed total: floors in their order, then the pounds that are likeliest to be needed. Gives amounts, and what is left."""
    before = np.concatenate([[0.0], np.cumsum(floors)[:-1]])
    given = np.clip(total - before, 0.0, floors)
    rest = total - given.sum()
    if rest <= 0 or (given < floors).any():
        return given, max(rest, 0.0)
    lines, count = draws.shape
    steps = np.maximum(np.concatenate([np.zeros((lines, 1)), np.sort(draws, axis=1)], axis=1), floors[:, None])
    room, needed = np.diff(steps, axis=1), np.broadcast_to(count - np.arange(count), (lines, count))
    order = np.argsort(-needed, axis=None, kind="stable")
    spent = np.clip(rest - np.concatenate([[0.0], np.cumsum(room.ravel()[order])[:-1]]), 0.0, room.ravel()[order])
    np.add.at(given, np.unravel_index(order, room.shape)[0], spent)
    return given, float(rest - spent.sum())


def _plan(label: str, names: list[str], draws: np.ndarray, given: np.ndarray, floors: np.ndarray, envelope: Envelope) -> pd.DataFrame:
    over = draws > given[:, None] + 1e-9
    binds = np.where(given <= floors, "floor", np.where(over.any(axis=1), "total", "demand"))
    if isinstance(envelope, HoldService):
        binds = np.where(given <= floors, "floor", "service")
    return pd.DataFrame(
        {
            "financial_year": label,
            "line": names,
            "allocated_pence": pence(given),
            "floor_pence": np.rint(floors * 100).astype(np.int64),
            "expected_shortfall_pence": np.rint(np.clip(draws - given[:, None], 0, None).mean(axis=1) * 100).astype(np.int64),
            "p_overspend": over.mean(axis=1),
            "binds": binds,
        }
    )
