"""What moves the pounds of each line from one financial year to the next, draw by draw.

In: what the scenarios were made from, `Cost`, the budget's lines, and the history without declared totals. Out: `Steps`; those of one
scenario, line and pair of years add up to the difference of the line's pounds in every draw. Years that cannot be told are left out.
Refuses what the lines and the scenarios refuse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd

from demand.budget.lines import TOTAL, BudgetLine, BudgetSpec, gross_costs, line_costs, pence
from demand.budget.past import line_of, past
from demand.budget.prices import Cost, priced
from demand.budget.volumes import PRICE, volumes_of
from demand.scenario import BASELINE, INTERACTION, WhatIf, by_name, under, unfold
from demand.tables import History

__all__ = ["KNOWN", "Row", "Step", "Steps", "gross_mark", "steps_of"]


KNOWN = "known changes"
"""What somebody knows of people to come, to leave or to move."""


@dataclass(frozen=True)
class Step:
    """One reason why a line moves from one financial year to the next.

    Parameters
    ----------
    scenario, line : str
    before, year : str
        The two financial years.
    name : str
        `STARTS`, `STAY`, `VOLUME`, `MIX`, `PRICE`, `KNOWN`, the label of a change, or `INTERACTION`.
    kind : str
        "demand", "price", "known", "change", "interaction", or that of an item: "grant", "income"...
    pounds : numpy.ndarray
        GBP, shape (draws,).
    recurring : bool
        False where it is known to end.
    begins : bool
        True of changes and items of which there was nothing in the year before, or nothing is known.
    """

    scenario: str
    line: str
    before: str
    year: str
    name: str
    kind: str
    pounds: np.ndarray = field(repr=False)
    recurring: bool = True
    begins: bool = False


@dataclass(frozen=True)
class Row:
    """What one reason, or several that are told as one, does to a line (or to `TOTAL`) from one financial year to the next."""

    scenario: str
    line: str
    before: str
    year: str
    item: str
    kind: str
    recurring: bool
    pence: int
    """Expected; the rows of one scenario, line and year add up to the difference of its expected pence."""
    pounds: np.ndarray = field(repr=False)
    begins: bool = False


@dataclass(frozen=True)
class Steps:
    """All steps, and the pounds between which they lead.

    Parameters
    ----------
    steps : tuple of Step
    pounds : mapping of (scenario, line, financial year) to numpy.ndarray
        GBP, shape (draws,): what the line comes to. The year before the first of the forecast is volume x price of what was counted.
    counted : str
        That year; "" where not all of it was counted.
    """

    steps: tuple[Step, ...]
    pounds: Mapping[tuple[str, str, str], np.ndarray] = field(repr=False)
    counted: str

    def expected(self) -> dict[tuple[str, str, str], int]:
        """Give expected pence by scenario, line and year, rounded as in budget.csv; of `TOTAL` where every line can be told."""
        found: dict[tuple[str, str, str], int] = {}
        for scenario, year in dict.fromkeys((s, y) for s, _, y in self.pounds):
            means = {n: p.mean() for (s, n, y), p in self.pounds.items() if (s, y) == (scenario, year)}
            told = {n: m for n, m in means.items() if np.isfinite(m)}
            whole = pence(list(told.values()))
            found |= {(scenario, n, year): int(p) for n, p in zip(told, whole, strict=True)}
            if len(told) == len(means):
                found[scenario, TOTAL, year] = int(whole.sum())
        return found

    def rows(self, item: Callable[[Step], str]) -> list[Row]:
        """Put steps that have the same item together, and give them in pence that add up; then the same for `TOTAL`.

        Parameters
        ----------
        item : callable
            What a step is told as.
        """
        expected, found = self.expected(), []
        several: dict[tuple[str, str, str, str], dict[str, list[Step]]] = {}
        for step in self.steps:
            about = (step.scenario, step.line, step.before, step.year)
            several.setdefault(about, {}).setdefault(item(step), []).append(step)
        totals: dict[tuple[str, str, str], dict[str, list[Row]]] = {}
        lines = len({line for _, line, _ in self.pounds})
        for (scenario, line, before, year), items in several.items():
            pounds = [np.sum([s.pounds for s in steps], axis=0) for steps in items.values()]
            whole = pence([p.mean() for p in pounds], total=expected[scenario, line, year] - expected[scenario, line, before])
            for (name, steps), amount, drawn in zip(items.items(), whole, pounds, strict=True):
                lasts, begins = all(s.recurring for s in steps), all(s.begins for s in steps)
                row = Row(scenario, line, before, year, name, steps[0].kind, lasts, int(amount), drawn, begins)
                found.append(row)
                totals.setdefault((scenario, before, year), {}).setdefault(name, []).append(row)
        for (scenario, before, year), names in totals.items():
            if line == TOTAL or len({r.line for rows in names.values() for r in rows}) < lines:
                continue
            for name, rows in names.items():
                whole_line = np.sum([r.pounds for r in rows], axis=0)
                lasts, begins = all(r.recurring for r in rows), all(r.begins for r in rows)
                found.append(Row(scenario, TOTAL, before, year, name, rows[0].kind, lasts, sum(r.pence for r in rows), whole_line, begins))
        return found


def steps_of(
    case: WhatIf,
    cost: Cost,
    spec: BudgetSpec,
    history: History,
    *,
    came: pd.DataFrame | None = None,
    without_known: Cost | None = None,
) -> Steps:
    """Say what moves each line from each financial year to the next, under every scenario.

    Parameters
    ----------
    case : WhatIf
    cost : Cost
    spec : BudgetSpec
        Without lines, all that is priced is one line, `TOTAL`.
    history : History
        Without declared totals: the year before the first of the forecast is told where all of it was counted.
    came : pandas.DataFrame, optional
        unique_id, ds, starts: who came into each stock, counted and then expected, where stays are known (`Caseload.coming`).
    without_known : Cost, optional
        The baseline without the changes that somebody knows of: what these do is then a step of its own, and in no other.

    Returns
    -------
    Steps

    Notes
    -----
    Pounds are starts x length of stay x mix x price (volume x mix x price, where starts are not counted): volume is what all series of
    the line used together, mix the share of each, price what one of it costs. What several of them do together is shared between them
    equally (`shapley`). Volume = starts x length of stay is Little's law: the average number there is how many come in a time, times
    how long they stay.

    References
    ----------
    Little, J. D. C. (1961). A proof for the queuing formula L = lambda W. Operations Research 9(3), 383-387.
    """
    volumes = volumes_of(without_known or cost, past(cost, history), spec, came)
    net, labels = line_costs(cost, spec), volumes.labels
    known = [] if without_known is None else [_known(cost, without_known, spec)]
    effects = {s.name: _effects(case, cost, spec, s.name) for s in case.scenarios}
    steps: list[Step] = []
    pounds: dict[tuple[str, str, str], np.ndarray] = {}
    for line in spec.lines or (BudgetLine.model_construct(name=TOTAL, where={}, starts={}),):
        for scenario in [str(n) for n in net["scenario"].to_numpy()]:
            for y, year in enumerate(labels):
                ahead = year in cost.labels
                pounds[scenario, line.name, year] = (
                    net.sel(scenario=scenario, line=line.name, financial_year=year).to_numpy() if ahead else volumes.pounds(line.name, y)
                )
        for y, (before, year) in enumerate(pairwise(labels)):
            if not (np.isfinite(pounds[BASELINE, line.name, before]).all() and np.isfinite(pounds[BASELINE, line.name, year]).all()):
                continue
            # A line that no series is paid from does not move by itself; it still has a row, so that the total is told of all lines.
            reasons = volumes.reasons(line.name, y, y + 1) or {PRICE: np.zeros(cost.years.sizes["draw"])}
            for scenario in [str(n) for n in net["scenario"].to_numpy()]:
                about = (scenario, line.name, before, year)
                steps += [Step(*about, name, "price" if name == PRICE else "demand", amount) for name, amount in reasons.items()]
                steps += _of_changes(about, [*known, *effects.get(scenario, [])], cost.labels)
                steps += _of_items(about, cost)
    return Steps(tuple(steps), pounds, "" if labels[:1] == cost.labels[:1] else labels[0])


@dataclass(frozen=True)
class _Effect:
    """What one change does to each line, against the baseline: GBP by line, shape (years, draws)."""

    label: str
    kind: str
    recurring: bool
    pounds: Mapping[str, np.ndarray] = field(repr=False)


def _known(cost: Cost, without: Cost, spec: BudgetSpec) -> _Effect:
    """Give what known changes do to the baseline."""
    more = gross_costs(cost, spec).sel(scenario=BASELINE) - gross_costs(without, spec).sel(scenario=BASELINE)
    return _Effect(KNOWN, "known", True, {str(n): more.sel(line=n).to_numpy() for n in more["line"].to_numpy()})


def _effects(case: WhatIf, cost: Cost, spec: BudgetSpec, name: str) -> list[_Effect]:
    """Give what each change of a scenario does alone, and what they do only together."""
    known = by_name(case.scenarios)
    outcome = under(case, unfold(known[name], known), together=known[name].together)
    owners = line_of(cost.exposure.series, spec).to_numpy()
    names = [line.name for line in spec.lines] or [TOTAL]
    base = cost.demand.sel(scenario=BASELINE).transpose("series", "ds", "draw").to_numpy()
    gross = gross_costs(cost, spec)
    rest = {n: (gross.sel(scenario=name, line=n) - gross.sel(scenario=BASELINE, line=n)).to_numpy() for n in names}
    found = []
    for label, (change, part) in outcome.parts.items():
        moved = priced(cost.parts, cost.exposure, part.values.astype(np.float32), part.rows, part.prices)
        moved -= priced(cost.parts, cost.exposure, base[part.rows], part.rows)
        pounds = {n: moved[(owners[part.rows] == n) | (n == TOTAL)].sum(axis=0) for n in names}
        rest = {n: rest[n] - pounds[n] for n in names}
        found.append(_Effect(label, "change", change.end is None, pounds))
    return [*found, _Effect(INTERACTION, INTERACTION, True, rest)]


def _of_changes(about: tuple[str, str, str, str], effects: Sequence[_Effect], labels: Sequence[str]) -> Iterator[Step]:
    """Give what each change does more in one year than in the year before; before the forecast it does nothing."""
    _, line, before, year = about
    for effect in effects:
        pounds = effect.pounds[line]
        earlier = pounds[labels.index(before)] if before in labels else np.zeros(1)
        more = pounds[labels.index(year)] - earlier
        if more.any():
            yield Step(*about, effect.label, effect.kind, more, effect.recurring, not earlier.any())


def _of_items(about: tuple[str, str, str, str], cost: Cost) -> Iterator[Step]:
    """Give what each grant, income, fixed cost or saving comes to more than in the year before.

    What was counted is gross: of the first year of the forecast the whole item is a step, and its name says so.
    """
    scenario, line, before, year = about
    for position, (name, of, kind) in enumerate(zip(*(cost.items[c].to_numpy() for c in ("item", "line", "kind")), strict=True)):
        pounds = cost.items.isel(item=position).sel(scenario=scenario)
        gross = before not in cost.labels
        earlier = np.zeros(1) if gross else pounds.sel(financial_year=before).to_numpy()
        more = pounds.sel(financial_year=year).to_numpy() - earlier
        if line in (of, TOTAL) and more.any():
            told = f"{name}{gross_mark(before)}" if gross else str(name)
            yield Step(*about, told, str(kind), more, bool(cost.items["recurring"][position]), not earlier.any())


def gross_mark(year: str) -> str:
    """Say, after the name of an item, that what was counted in the year before has no items."""
    return f" ({year} is gross)"
