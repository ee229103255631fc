"""What a page needs to answer "what if" by itself: expected people and pounds by part of the service, as one number is moved.

In: what scenarios were made from, `Cost`, the budget's lines. Out: levers.parquet. Expected values add up and are worked out at points
of each number's range, all else drawn as ever; ranges of sums come from draws. Numbers of flows are left out: each value of theirs is a run
of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from demand.budget.lines import BudgetSpec, owning_lines
from demand.budget.prices import Cost, Part, priced
from demand.scenario import BASELINE, Change, Exposure, Outcome, WhatIf, by_name, exposure_of, measured, resized, under, unfold
from demand.scenario.change import FLOWS
from demand.spec import Assumption
from demand.tables import History

__all__ = ["LEVERS", "MOST_VALUES", "levers"]

LEVERS = ["scenario", "change", "number", "value", "unit", "key", "part", "financial_year", "measure", "line", "mean", "low", "high",
          "per_pound", "as_run", "effect", "together"]  # fmt: skip
"""The columns of levers.parquet."""
NUMBERS = ["value", "mean", "low", "high", "per_pound", "as_run"]
MOST_VALUES = 40
"""Values of a key beyond which a page cannot offer them in one list."""
STRAIGHT = ("multiply", "add", "shift", "level", "price")
"""Effects that grow evenly with their size: three points are enough, where others have five."""
ALL_LINES = "all lines"
Amounts = dict[str, np.ndarray]
"""People by kind and unit, pounds by unit cost: (series, years, draws)."""
Group = tuple[str, str, np.ndarray]
"""A key, one of its values (both empty for everything), and which series it is."""


def levers(
    case: WhatIf, *, history: History | None, start_month: int = 4, cost: Cost | None = None, spec: BudgetSpec | None = None
) -> pd.DataFrame:
    """Make levers.parquet: expected people and pounds by scenario, part and year, as they are and as each number of a scenario is moved.

    Parameters
    ----------
    case : WhatIf
    history : History, optional
        What was counted before the forecast.
    start_month : int
        The month in which financial years begin.
    cost : Cost, optional
    spec : BudgetSpec, optional

    Returns
    -------
    pandas.DataFrame
        `LEVERS`. Rows without a change are the run itself: people by measure, pounds by line ('all lines' for their sum) with the 80 %
        range, and by unit cost and line, with what one pound of its price comes to (`per_pound`; the price itself is `value`, in `unit`).
        Rows with a change have one of its numbers certain at `value`: the ends of its range, its value and, where the effect does not grow
        evenly, half-way; `as_run` is what the scenario has, `effect` and `together` say how its numbers come together. An empty part is
        everything.
    """
    book = _Book.of(case, history, start_month, cost, spec or BudgetSpec())
    known, rows = by_name(case.scenarios), list(book.as_run(BASELINE, book.base, None))
    for scenario in case.scenarios:
        outcome = under(case, unfold(scenario, known), together=scenario.together)
        rows += book.as_run(scenario.name, book.joined(outcome), outcome)
        before = {name: amounts.mean(axis=2) for name, amounts in book.base.items()}
        for label, (change, _) in outcome.parts.items():
            for number, values in _points(change):
                stated = _stated(change, number)
                how: dict[str, object] = {"as_run": stated.value, "effect": change.effect, "together": scenario.together or ""}
                for value in values:
                    moved = resized(case, outcome, {(label, number): value}, together=scenario.together)
                    head = {"scenario": scenario.name, "change": label, "number": number, "value": value, "unit": stated.unit, **how}
                    rows += book.expected(head, _put(before, book.measure(moved.values, moved.rows, moved.prices), moved.rows))
    table = pd.DataFrame(rows, columns=LEVERS)
    table[NUMBERS] = table[NUMBERS].astype("float64")  # also where no year is whole, and so there is no row
    return table[np.isfinite(table["mean"])].reset_index(drop=True)


def _stated(change: Change, number: str) -> Assumption:
    """Give a number of a change as it was stated; of variants, the first."""
    return change.sizes[0] if number == "size" else getattr(change, number)


def _points(change: Change) -> Iterator[tuple[str, list[float]]]:
    """Give the values at which each number of a change is worked out; one without a range, or with one whole month only, has none."""
    for number, (low, high) in change.ends.items() if change.effect not in FLOWS else ():
        value = _stated(change, number).value
        between = () if change.effect in STRAIGHT and number == "size" else ((low + value) / 2, (value + high) / 2)
        ends = sorted([low, value, high, *between])
        points = list(dict.fromkeys(float(v) for v in (map(round, ends) if number == "delay" else ends)))
        if len(points) > 1:
            yield number, points


def _put(before: Amounts, amounts: Amounts, rows: np.ndarray) -> Amounts:
    """Put the expected amounts of some series in the place of what was there."""
    found = {name: old.copy() for name, old in before.items()}
    for name, new in amounts.items():
        found[name][rows] = new.mean(axis=2)
    return found


@dataclass(frozen=True)
class _Book:
    """How series add up to parts and lines.

    Parameters
    ----------
    exposure : Exposure
    measure : callable
        From draws, the positions of their series and factors on prices to `Amounts`.
    base : Amounts
        The baseline.
    groups : list of Group
    lines : mapping
        Line -> which series it pays for.
    parts : mapping
        Unit cost -> `Part`, and the same at an amount of one pound.
    """

    exposure: Exposure
    measure: Callable[[np.ndarray, np.ndarray, np.ndarray | None], Amounts]
    base: Amounts
    groups: list[Group]
    lines: dict[str, np.ndarray]
    parts: dict[str, tuple[Part, Part]]
    values: np.ndarray

    @classmethod
    def of(cls, case: WhatIf, history: History | None, start_month: int, cost: Cost | None, spec: BudgetSpec) -> _Book:
        """Lay out a run."""
        exposure = cost.exposure if cost is not None else exposure_of(case, history, start_month)
        everything = case.draws.transpose("series", "ds", "draw").to_numpy()
        ended = np.zeros((len(exposure.series) - len(everything), *everything.shape[1:]), dtype=everything.dtype)
        values = np.concatenate([everything, ended])
        draws, years = values.shape[2], exposure
        parts = {}
        for part in cost.parts if cost is not None else ():
            one = part.cost.with_number("amount", 1.0)
            parts[part.cost.name] = part, Part.drawn(one, part.rows, draws=draws, seed=case.seed, start_month=start_month, times=part.times)

        def measure(values: np.ndarray, rows: np.ndarray, prices: np.ndarray | None) -> Amounts:
            values = values.astype(np.float32)
            return {**measured(years, values, rows), **{n: priced([p], years, values, rows, prices) for n, (p, _) in parts.items()}}

        lines = {} if cost is None else _lines(cost, spec, exposure)
        base = measure(values, np.arange(len(values)), None)
        return cls(exposure, measure, base, list(_groups(exposure.series)), lines, parts, values)

    def joined(self, outcome: Outcome) -> Amounts:
        """Give the amounts of a scenario."""
        found = {name: old.copy() for name, old in self.base.items()}
        for name, new in self.measure(outcome.values, outcome.rows, outcome.prices).items():
            found[name][outcome.rows] = new
        return found

    def as_run(self, scenario: str, amounts: Amounts, outcome: Outcome | None) -> Iterator[dict[str, object]]:
        """Give the rows of a scenario as the run has it, with ranges and with what a pound of each price comes to."""
        head: dict[str, object] = {"scenario": scenario, "change": "", "number": "", "unit": ""}
        for key, part, mine in self.groups:
            at = {**head, "key": key, "part": part}
            for name in (n for n in amounts if n not in self.parts):
                yield from self._ranges({**at, "measure": name, "line": ""}, amounts[name][mine].sum(axis=0))
            whole = np.zeros(amounts[next(iter(amounts))].shape[1:])
            for line, paid in self.lines.items():
                drawn = np.sum([amounts[n][mine & paid].sum(axis=0) for n in self.parts], axis=0)
                whole = whole + drawn
                yield from self._ranges({**at, "measure": "pounds", "line": line}, drawn)
            if self.lines:
                yield from self._ranges({**at, "measure": "pounds", "line": ALL_LINES}, whole)
        means = {name: amounts[name].mean(axis=2) for name in self.parts}
        yield from self.expected(head, means, per_pound=self._per_pound(outcome))

    def _per_pound(self, outcome: Outcome | None) -> Amounts:
        """Give what one pound of each price comes to, by series and year."""
        everything, found = np.arange(len(self.values)), {}
        for name, (_, one) in self.parts.items():
            found[name] = priced([one], self.exposure, self.values, everything).mean(axis=2)
            if outcome is not None:
                drawn = priced([one], self.exposure, outcome.values, outcome.rows, outcome.prices)
                found[name][outcome.rows] = drawn.mean(axis=2)
        return found

    def expected(self, head: dict[str, object], means: Amounts, *, per_pound: Amounts | None = None) -> Iterator[dict[str, object]]:
        """Give expected values by part and year: people, and pounds by unit cost and line."""
        for key, part, mine in self.groups:
            at = {**head, "key": key, "part": part}
            for name, amounts in means.items():
                if name not in self.parts:
                    yield from self._years({**at, "measure": name, "line": ""}, amounts[mine].sum(axis=0))
                    continue
                price = (
                    {}
                    if per_pound is None
                    else {"value": self.parts[name][0].cost.amount.value, "unit": self.parts[name][0].cost.amount.unit}
                )
                for line, paid in self.lines.items():
                    if (chosen := mine & paid & np.isin(np.arange(len(mine)), self.parts[name][0].rows)).any():
                        each = None if per_pound is None else per_pound[name][chosen].sum(axis=0)
                        yield from self._years({**at, **price, "measure": name, "line": line}, amounts[chosen].sum(axis=0), each)

    def _years(self, at: dict[str, object], means: np.ndarray, each: np.ndarray | None = None) -> Iterator[dict[str, object]]:
        for y, label in enumerate(self.exposure.labels):
            yield {**at, "financial_year": label, "mean": means[y], **({} if each is None else {"per_pound": each[y]})}

    def _ranges(self, at: dict[str, object], drawn: np.ndarray) -> Iterator[dict[str, object]]:
        for y, label in enumerate(self.exposure.labels):
            low, high = np.quantile(drawn[y], [0.1, 0.9])
            yield {**at, "financial_year": label, "mean": drawn[y].mean(), "low": low, "high": high}


def _groups(series: pd.DataFrame) -> Iterator[Group]:
    """Give everything, and each value of each key by which a page can be asked; segments are of people, and stay out."""
    yield "", "", np.ones(len(series), dtype=bool)
    for key in (k for k in series.columns if k not in ("kind", "unit", "segment")):
        named = series[key].astype(str)
        for value in dict.fromkeys(named) if 2 <= named.nunique() <= MOST_VALUES else ():
            yield str(key), value, (named == value).to_numpy()


def _lines(cost: Cost, spec: BudgetSpec, exposure: Exposure) -> dict[str, np.ndarray]:
    """Say which series each budget line pays for; without lines, everything that is priced is one."""
    place = exposure.series.index.get_indexer(cost.years["series"].to_numpy())
    owners = owning_lines(cost, spec) if spec.lines else np.zeros(len(place), dtype=int)
    names = [line.name for line in spec.lines] or ["everything that is priced"]
    found = {}
    for position, name in enumerate(names):
        paid = np.zeros(len(exposure.series), dtype=bool)
        paid[place[owners == position]] = True
        if paid.any():
            found[name] = paid
    return found
