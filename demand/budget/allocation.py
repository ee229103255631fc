"""Who gets how much of what there is.

In: `Cost`, the budget's lines with their floors, and an envelope: a fixed total, or a level of service to hold; bounds of lines and
programmes of prevention, where there are any. Out: `Allocation`, the plan by line and financial year, and allocation.csv. Refuses lines
that share a series. An envelope that cannot hold the duties is a result, not an error: it says which duty breaks, and by how much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
import pandas as pd
import xarray as xr
from pydantic import Field, model_validator

from demand.budget.lines import MONTHS, TOTAL, BudgetLine, BudgetSpec, line_costs, pence
from demand.budget.prevention import Prevention, Programmes, least_loss
from demand.budget.prices import Cost
from demand.errors import BudgetError, Fault, did_you_mean, listed, raise_all
from demand.scenario import BASELINE
from demand.spec import Spec

__all__ = [
    "ALLOCATION", "Allocation", "AllocationSpec", "Bounds", "Envelope", "FixedTotal", "HoldService", "allocate", "allocation_notes",
    "allocation_table",
]  # fmt: skip

ALLOCATION = ["scenario", "financial_year", "line", "kind", "allocated_pence", "floor_pence", "least_pence", "most_pence",
              "expected_cost_pence", "expected_shortfall_pence", "p_overspend", "marginal_pound", "saved_pence", "p_paid_back", "binds",
              "short_pence"]  # fmt: skip
LEFT = "left over"
"""The row for what no line would ever need."""
CENT = 0.005
"""Half a penny, in GBP: less is nothing."""
TIE = 1e-3
"""What a pound of cost weighs beside a pound of shortfall: of two plans that fall short by the same, the cheaper one is taken."""
STEP = 1000.0
"""GBP a year by which the next pound of prevention is measured."""


class FixedTotal(Spec):
    """An envelope: there is so much and no more, and it shall do as much as it can."""

    years: dict[str, Annotated[float, Field(ge=0)]]
    """GBP by financial year: {2026-27: 4100000}."""


class HoldService(Spec):
    """An envelope: as much as every line needs to suffice with a given chance."""

    chance: float = Field(default=0.8, gt=0, lt=1)
    """How likely each line shall suffice: 0.8 is 4 years in 5."""


Envelope = FixedTotal | HoldService


class Bounds(Spec):
    """Between what a line may get."""

    least: float = Field(default=0, ge=0)
    """GBP a year that it gets in any case."""
    most: float | None = Field(default=None, ge=0)
    """GBP a year that it gets at most."""


class AllocationSpec(Spec):
    """How an envelope is shared out among the lines of the budget, and what prevention may do."""

    total: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    """A fixed total: GBP by financial year, {2026-27: 14900000}. Or `hold`."""
    hold: float | None = Field(default=None, gt=0, lt=1)
    """Hold the service: as much as each line needs to suffice with this chance. 0.8 is 4 years in 5. Or `total`."""
    scenario: str = BASELINE
    """Under which scenario."""
    bounds: dict[str, Bounds] = Field(default_factory=dict)
    """Least and most by line. What statutory duties need is the `floor` of the line itself."""
    prevention: tuple[Prevention, ...] = ()
    """Programmes on which money can be spent so that a line costs less later."""

    @model_validator(mode="after")
    def _holds(self) -> AllocationSpec:
        if bool(self.total) == (self.hold is not None):
            raise ValueError("an allocation has either a 'total' by year or a chance to 'hold': give one of the two.")
        names = [p.name for p in self.prevention]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"two programmes are called '{twice[0]}'. Give each its own name.")
        for name, bound in self.bounds.items():
            if bound.most is not None and bound.least > bound.most:
                raise ValueError(f"'{name}' gets at least {bound.least:,.0f} GBP and at most {bound.most:,.0f}.")
        return self

    @property
    def lines(self) -> list[str]:
        """The budget lines that it speaks of."""
        return [*self.bounds, *(p.line for p in self.prevention)]

    @property
    def envelope(self) -> Envelope:
        """The envelope."""
        return FixedTotal(years=self.total) if self.hold is None else HoldService(chance=self.hold)


@dataclass(frozen=True)
class Allocation:
    """A plan.

    Parameters
    ----------
    table : pandas.DataFrame
        `ALLOCATION`, a row a line or programme and year: kind ("line", "prevention"), allocated_pence, the floor and bounds,
        expected_cost_pence (after prevention), expected_shortfall_pence, p_overspend, marginal_pound (of a line: the shortfall that one
        more pound would save; of a programme: the cost that it would save in the years planned), saved_pence (what a programme saves in
        the year), p_paid_back (how likely it has saved by the end of the year what it has cost until then), binds ("floor", "least",
        "most", "total", "demand": more would never be spent, "service"; of a programme also "balance": the next pound is worth as
        much elsewhere), short_pence (what a duty, or the service, lacks).
    broken : pandas.DataFrame
        financial_year, line, short_pence: the duties that cannot be paid.
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


@dataclass(frozen=True)
class _Case:
    """What is shared out: costs by line, year and draw, the bounds of each line, and the envelope."""

    names: list[str]
    labels: list[str]
    costs: np.ndarray = field(repr=False)
    floors: np.ndarray
    least: np.ndarray
    most: np.ndarray
    envelope: Envelope

    @property
    def totals(self) -> np.ndarray:
        """GBP by year; without end where a service is held."""
        given = self.envelope.years if isinstance(self.envelope, FixedTotal) else {}
        return np.array([given.get(label, np.inf) for label in self.labels])

    def shared(self, costs: np.ndarray, total: float) -> np.ndarray:
        """Share out one year: GBP by line; costs is (lines, draws)."""
        if isinstance(self.envelope, HoldService):
            needed = np.quantile(costs, self.envelope.chance, axis=1, method="inverted_cdf")
            return np.asarray(np.clip(needed, self.least, self.most))
        return _fixed(costs, self.floors, self.least, self.most, total)

    def lost(self, remains: np.ndarray, spent: np.ndarray) -> float:
        """Say what a plan loses over all years: shortfall, and a little cost (`TIE`); where a service is held, what is spent."""
        total = 0.0
        for y in range(len(self.labels)):
            costs, spending = self.costs[:, y] * remains[:, y], float(spent[:, y].sum())
            given = self.shared(costs, self.totals[y] - spending)
            short = np.clip(costs - given[:, None], 0, None).mean(axis=1).sum()
            if isinstance(self.envelope, HoldService):
                total += float(given.sum()) + spending
            else:
                total += float(short) + TIE * (float(costs.mean(axis=1).sum()) + spending)
        return total


def allocate(
    cost: Cost,
    envelope: Envelope | AllocationSpec,
    lines: Sequence[BudgetLine] | BudgetSpec,
    *,
    scenario: str = BASELINE,
    seed: int = 1,
) -> Allocation:
    """Share an envelope out among the budget's lines, and among programmes of prevention.

    Fixed total: floors first, in the order of the lines, then what lines get in any case; each further pound goes where it is likeliest to
    be needed, which makes the expected shortfall of all lines together as small as it can be. (Each line's expected shortfall falls by
    P(cost > allocated) with the next pound, and never faster later on: a separable convex problem, which the greedy order of the draws
    solves exactly.) Hold service: each line gets what suffices with the given chance, within its bounds. Programmes get what makes the
    shortfall over all years (where a service is held: the spending) least: `least_loss`.

    Parameters
    ----------
    cost : Cost
    envelope : FixedTotal, HoldService or AllocationSpec
        The last has bounds, programmes and its own scenario.
    lines : sequence of BudgetLine, or BudgetSpec
    scenario : str
        Under which scenario.
    seed : int
        The run's seed, for the curves of prevention.

    Returns
    -------
    Allocation

    Raises
    ------
    BudgetError
        Where lines share a series or match nothing, a line or scenario is not known, or a year is not a whole year of the cost.

    References
    ----------
    Fox, B. (1966). Discrete optimization via marginal analysis. Management Science 13(3), 210-216.
    """
    asked = envelope if isinstance(envelope, AllocationSpec) else AllocationSpec.model_construct(scenario=scenario)
    envelope = envelope.envelope if isinstance(envelope, AllocationSpec) else envelope
    given = lines.lines if isinstance(lines, BudgetSpec) else tuple(lines)
    plain = tuple(line.model_copy(update={"years": {}}) for line in given)
    _refuse(cost, envelope, asked, {line.name: line.floor for line in plain})
    pounds = line_costs(cost, BudgetSpec(year_start=MONTHS[cost.exposure.start_month - 1], lines=plain)).sel(scenario=asked.scenario)
    names = [str(n) for n in pounds["line"].to_numpy() if n != TOTAL]
    labels = _told(pounds, [y for y in cost.labels if isinstance(envelope, HoldService) or y in envelope.years], envelope)
    floors = np.array([line.floor for line in plain])
    bounds = [asked.bounds.get(name, Bounds()) for name in names]
    most = np.array([np.inf if b.most is None else b.most for b in bounds])
    case = _Case(names, labels, pounds.sel(line=names, financial_year=labels).to_numpy(), floors,
                 np.maximum([b.least for b in bounds], floors), np.maximum(most, floors), envelope)  # fmt: skip
    programmes = Programmes(asked.prevention, names, len(labels), cost.years.sizes["draw"], seed)
    spent = _prevention(case, programmes)
    return _plan(case, programmes, spent, asked)


def _told(pounds: xr.DataArray, labels: Sequence[str], envelope: Envelope) -> list[str]:
    """Leave out years that cannot be told, where no amount was named for them."""
    holes = [y for y in labels if not np.isfinite(pounds.sel(financial_year=y)).all()]
    if holes and isinstance(envelope, FixedTotal):
        found = f"{listed(holes)} cannot be told: a period of it was not counted"
        raise BudgetError(
            Fault(found, "envelope > years", "Years that are counted or forecast whole", "Leave it out, or complete the counts")
        )
    return [y for y in labels if y not in holes]


def allocation_table(plan: Allocation) -> pd.DataFrame:
    """Make allocation.csv: the plan, and a row a year for what is left over: allocated_pence adds up to a fixed total, to the penny."""
    scenario = plan.table["scenario"].iloc[0] if len(plan.table) else BASELINE
    rows = [
        {"scenario": scenario, "financial_year": y, "line": LEFT, "kind": "left", "allocated_pence": p} for y, p in plan.left_pence.items()
    ]
    left = pd.DataFrame(rows, columns=ALLOCATION).astype(plan.table.dtypes.to_dict()) if rows else plan.table.head(0)
    return pd.concat([plan.table, left], ignore_index=True) if rows else plan.table


def allocation_notes(plan: Allocation) -> tuple[str, ...]:
    """Say which duties break, and when each programme pays back."""
    told = [f"{row.financial_year}: the envelope cannot pay for '{row.line}': {row.short_pence / 100:,.0f} GBP short."
            for row in plan.broken.itertuples()]  # fmt: skip
    for name, rows in plan.table[plan.table["kind"] == "prevention"].groupby("line", sort=False):
        spent = rows["allocated_pence"].sum() / 100
        if spent <= 0:
            best = rows["marginal_pound"].max()
            told.append(f"{name}: nothing is spent on it: its first pound would save {best:.2f} GBP within the years planned.")
            continue
        back = rows[rows["p_paid_back"] >= 0.5]["financial_year"]
        when = f"by the end of {back.iloc[0]} it has more likely than not paid back" if len(back) else "it does not pay back in these years"
        last = rows.iloc[-1]
        told.append(
            f"{name}: {spent:,.0f} GBP over {len(rows)} years; {when}; the chance that it has by the end of {last['financial_year']} is "
            f"{last['p_paid_back']:.0%}."
        )
    return tuple(told)


def _refuse(cost: Cost, envelope: Envelope, asked: AllocationSpec, floors: Mapping[str, float]) -> None:
    known = [str(n) for n in cost.years["scenario"].to_numpy()]
    faults = (
        [] if asked.scenario in known else [Fault(f"'{asked.scenario}' is not a scenario", "allocate", did_you_mean(asked.scenario, known))]
    )
    years = [label for label in envelope.years if label not in cost.labels] if isinstance(envelope, FixedTotal) else []
    allowed = f"Whole financial years of this cost: {listed(cost.labels)}"
    faults += [Fault(f"'{label}' is not covered", "envelope > years", allowed) for label in years]
    meant = [("bounds", name) for name in asked.bounds] + [(f"prevention > {p.name}", p.line) for p in asked.prevention]
    faults += [
        Fault(f"'{n}' is not a line of the budget", f"allocation > {at}", did_you_mean(n, floors)) for at, n in meant if n not in floors
    ]
    for name, bound in asked.bounds.items():
        if bound.most is not None and bound.most < floors.get(name, 0.0):
            found = f"it gets at most {bound.most:,.0f} GBP, and its floor is {floors[name]:,.0f}"
            faults.append(
                Fault(found, f"allocation > bounds > {name}", "A duty is never cut by a bound", "Raise 'most', or lower the floor")
            )
    raise_all(faults, BudgetError, during="reading the envelope")


def _fixed(draws: np.ndarray, floors: np.ndarray, least: np.ndarray, most: np.ndarray, total: float) -> np.ndarray:
    """Share out a fixed total: floors in their order, the least of each line in theirs, then the pounds that are likeliest to be needed."""
    given = np.zeros(len(floors))
    for wanted in (floors, least):
        more = wanted - given
        before = np.concatenate([[0.0], np.cumsum(more)[:-1]])
        given = given + np.clip(max(total, 0.0) - given.sum() - before, 0.0, more)
    rest = total - given.sum()
    if rest <= 0 or (given < least).any():
        return np.asarray(given)
    lines, count = draws.shape
    steps = np.clip(np.concatenate([np.zeros((lines, 1)), np.sort(draws, axis=1)], axis=1), least[:, None], most[:, None])
    room, needed = np.diff(steps, axis=1), np.broadcast_to(count - np.arange(count), (lines, count))
    order = np.argsort(-needed, axis=None, kind="stable")
    spent = np.clip(rest - np.concatenate([[0.0], np.cumsum(room.ravel()[order])[:-1]]), 0.0, room.ravel()[order])
    np.add.at(given, np.unravel_index(order, room.shape)[0], spent)
    return np.asarray(given)


def _prevention(case: _Case, programmes: Programmes) -> np.ndarray:
    """Give GBP by programme and year."""
    specs, years = programmes.specs, len(case.labels)
    least, most = (np.array([[getattr(p, key)] * years for p in specs]).reshape(len(specs), years) for key in ("least", "most"))
    if not specs:
        return least
    room = np.maximum(case.totals - case.floors.sum(), 0.0)
    fits = np.minimum(1.0, room / np.maximum(least.sum(axis=0), 1e-9))
    low = np.minimum(least * fits, most)
    return least_loss(
        lambda spent: case.lost(programmes.remains(spent), spent), low, most, np.where(np.isfinite(room), room, most.sum() + 1)
    )


def _plan(case: _Case, programmes: Programmes, spent: np.ndarray, asked: AllocationSpec) -> Allocation:
    remains, rows, left = programmes.remains(spent), [], {}
    hold = isinstance(case.envelope, HoldService)
    for y, label in enumerate(case.labels):
        costs, spending = case.costs[:, y] * remains[:, y], spent[:, y]
        given = case.shared(costs, case.totals[y] - spending.sum())
        rest = [] if hold else [max(case.totals[y] - given.sum() - spending.sum(), 0.0)]
        whole = pence([*given, *spending, *rest], total=None if hold else int(np.rint(case.totals[y] * 100)))
        if rest:
            left[label] = int(whole[-1])
        about = {"scenario": asked.scenario, "financial_year": label}
        rows += [{**about, **row} for row in _line_rows(case, costs, given, whole)]
        backs = _programme_rows(case, programmes, spent, y)
        rows += [{**about, **row, "allocated_pence": int(p)} for row, p in zip(backs, whole[len(given) :], strict=False)]
    table = pd.DataFrame(rows, columns=ALLOCATION)
    table = table.astype({c: "Int64" for c in ALLOCATION if c.endswith("_pence")})
    broken = table[(table["short_pence"] > 0) & (table["kind"] == "line")][["financial_year", "line", "short_pence"]]
    return Allocation(table, broken.astype({"short_pence": "int64"}).reset_index(drop=True), left)


def _line_rows(case: _Case, costs: np.ndarray, given: np.ndarray, whole: np.ndarray) -> list[dict[str, object]]:
    """Give what each line gets in a year; a line is short of its floor or, where a service is held, of what that takes."""
    hold = isinstance(case.envelope, HoldService)
    over = costs > given[:, None] + 1e-9
    needed = case.floors
    if isinstance(case.envelope, HoldService):
        needed = np.maximum(np.quantile(costs, case.envelope.chance, axis=1, method="inverted_cdf"), case.floors)
    binds = np.where(over.any(axis=1), "service" if hold else "total", "service" if hold else "demand")
    binds = np.where(given >= case.most - CENT, "most", binds)
    binds = np.where(given <= case.least + CENT, np.where(case.least > case.floors, "least", "floor"), binds)
    return [
        {
            "line": name, "kind": "line", "allocated_pence": int(whole[n]), "floor_pence": _penny(case.floors[n]),
            "least_pence": _penny(case.least[n]), "most_pence": _penny(case.most[n]), "expected_cost_pence": _penny(costs[n].mean()),
            "expected_shortfall_pence": _penny(np.clip(costs[n] - given[n], 0, None).mean()), "p_overspend": over[n].mean(),
            "marginal_pound": over[n].mean(), "binds": binds[n],
            "short_pence": _penny(max(needed[n] - given[n], 0.0)) if needed[n] - given[n] > CENT else 0,
        }
        for n, name in enumerate(case.names)
    ]  # fmt: skip


def _programme_rows(case: _Case, programmes: Programmes, spent: np.ndarray, y: int) -> list[dict[str, object]]:
    """Give what each programme gets in a year, what it saves, and how likely it has paid back by then."""
    rows = []
    for p, spec in enumerate(programmes.specs):
        mine = case.names.index(spec.line)
        without = programmes.remains(spent, without=p)[mine]
        saved = case.costs[mine] * (without - programmes.remains(spent)[mine])
        more = spent.copy()
        more[p, y] += STEP
        next_pound = (case.costs[mine] * (programmes.remains(spent)[mine] - programmes.remains(more)[mine])).sum(axis=0).mean() / STEP
        until, amount = np.cumsum(saved, axis=0)[y], spent[p, : y + 1].sum()
        binds = "most" if spent[p, y] >= spec.most - CENT else "least" if spent[p, y] <= spec.least + CENT else "balance"
        rows.append({
            "line": spec.name, "kind": "prevention", "least_pence": _penny(spec.least), "most_pence": _penny(spec.most),
            "marginal_pound": next_pound, "saved_pence": _penny(saved[y].mean()), "binds": binds,
            "p_paid_back": (until >= amount).mean() if amount > CENT else np.nan,
            "short_pence": _penny(max(spec.least - spent[p, y], 0.0)),
        })  # fmt: skip
    return rows


def _penny(pounds: float) -> int | None:
    return int(np.rint(pounds * 100)) if np.isfinite(pounds) else None
