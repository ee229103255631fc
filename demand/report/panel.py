"""Levers that readers move in the page: what the script works with, and what stands there without it.

In: a `ReportInput` with levers.parquet. Out: a `Panel`, or None for the public and where a run has no levers. Numbers are worked out in the
page from expected values that the run stored; the range of what was moved is only about right, and is told so. Refuses nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from demand.languages import message, say
from demand.report import words
from demand.report.facts import lines
from demand.report.inputs import BASELINE, ReportInput
from demand.report.parts import Block, Section, Table
from demand.report.script import as_data
from demand.spec import Unit

__all__ = ["Panel", "panel_section"]

POUNDS, ALL_LINES = "pounds", "all lines"
WAYS = {" in the year": message("{what} in the year"), " at one time": message("{what} at one time")}
"""How `demand.scenario.comparison` names what is counted, after its unit."""
WHOLE = 200
"""People from which whole numbers are near enough."""


@dataclass(frozen=True)
class Panel(Table):
    """A table with choices and levers: it stands in for itself until the script takes over.

    Parameters
    ----------
    data : str
        What the script works with, as JSON.
    """

    data: str = ""
    kind: str = "panel"


def panel_section(inputs: ReportInput) -> Section | None:
    """Let a reader choose scenario, part and year, and move a number or a price within its range.

    Parameters
    ----------
    inputs : ReportInput

    Returns
    -------
    Section or None
    """
    table = inputs.levers
    if table is None or table.empty or inputs.spec.audience != "council":
        return None
    desk = _Desk(inputs, table)
    data = desk.data()
    lead = say("Choose what to look at, then move a number within its range: people and pounds follow at once, in this page.")
    fixed = desk.fixed()
    return Section("try", say("Try it yourself"), (desk.first(data), *fixed), lead, mark=inputs.marked())


@dataclass(frozen=True)
class _Desk:
    """The levers of one run, laid out by scenario, part and year."""

    inputs: ReportInput
    table: pd.DataFrame

    def _counted(self, name: str) -> str:
        """Say what is counted and how."""
        for (end, told), kind in zip(WAYS.items(), ("flow", "stock"), strict=True):
            if name.endswith(end):
                unit = name.removesuffix(end)
                titles = [line.title for line in lines(self.inputs) if (line.kind, line.unit) == (kind, unit)]
                return words.capital(say(told, what=titles[0] if len(titles) == 1 else words.label(unit, self.inputs.spec.names)))
        return self._label(name)

    def _label(self, name: object) -> str:
        return words.capital(words.label(name, self.inputs.spec.names))

    @cached_property
    def parts(self) -> list[tuple[str, str]]:
        """The keys and values that can be chosen; everything comes first."""
        return list(self.table[["key", "part"]].drop_duplicates().itertuples(index=False, name=None))

    @cached_property
    def years(self) -> list[str]:
        """The financial years."""
        return [str(y) for y in self.table["financial_year"].unique()]

    @cached_property
    def run(self) -> pd.DataFrame:
        """What the run says."""
        return self.table[self.table["change"] == ""]

    @cached_property
    def people(self) -> list[str]:
        """What is counted."""
        ranged = self.run[self.run["low"].notna() & (self.run["line"] == "")]
        return [str(m) for m in ranged["measure"].unique()]

    @cached_property
    def costs(self) -> list[tuple[str, str]]:
        """Unit cost and line, for each that pays for anything."""
        paid = self.run[self.run["per_pound"].notna()]
        return list(paid[["measure", "line"]].drop_duplicates().itertuples(index=False, name=None))

    @cached_property
    def lines(self) -> list[str]:
        """The budget lines, and their sum where there are several."""
        named = [str(n) for n in self.run.loc[self.run["measure"] == POUNDS, "line"].unique()]
        return named if len(named) > 2 else named[:1]

    def data(self) -> dict[str, Any]:
        """Give all that the script needs; numbers have as many digits as a page can show."""
        scenarios = [str(s) for s in self.table["scenario"].unique()]
        asked = self.inputs.questions
        groups = [self._label(k) if k else "" for k, _ in self.parts]
        return {
            "texts": _texts(),
            "scenarios": [{"name": self._label(s), "question": asked.get(s, "")} for s in scenarios],
            "parts": [[g, self._label(p) if p else say("Everything")] for g, (_, p) in zip(groups, self.parts, strict=True)],
            "years": self.years,
            "people": [self._counted(m) for m in self.people],
            "lines": [words.capital(say(ALL_LINES)) if n == ALL_LINES else self._label(n) for n in self.lines],
            "costs": [self.lines.index(line) for _, line in self.costs],
            "prices": self._prices(),
            "run": [self._run(s) for s in scenarios],
            "levers": [self._levers(s) for s in scenarios],
        }

    def _grid(self, rows: pd.DataFrame, wanted: list[tuple[str, str]], column: str) -> list[list[list[float | None]]]:
        """Lay a column out by part, year and what is wanted (measure and line)."""
        names = ["key", "part", "financial_year", "measure", "line"]  # also of an empty index: a run may have no prices
        index = pd.MultiIndex.from_tuples([(*p, y, *w) for p in self.parts for y in self.years for w in wanted], names=names)
        found = rows.set_index(names)[column].reindex(index)
        shape = len(self.parts), len(self.years), len(wanted)
        return [[[_short(v) for v in year] for year in part] for part in found.to_numpy(dtype=float).reshape(shape)]

    def _run(self, scenario: str) -> dict[str, Any]:
        rows = self.run[self.run["scenario"] == scenario]
        ranged = [*((m, "") for m in self.people), *((POUNDS, n) for n in self.lines)]
        found = {c: self._grid(rows, ranged, c) for c in ("mean", "low", "high")}
        return {**found, "costs": self._grid(rows, self.costs, "mean"), "each": self._grid(rows, self.costs, "per_pound")}

    def _levers(self, scenario: str) -> list[dict[str, Any]]:
        rows = self.table[(self.table["scenario"] == scenario) & (self.table["change"] != "")]
        found = []
        for (change, number), one in rows.groupby(["change", "number"], sort=False):
            points = sorted(one["value"].unique())
            wanted = [*((m, "") for m in self.people), *self.costs]
            at = [self._grid(one[one["value"] == v], wanted, "mean") for v in points]
            stated, ends = one.iloc[0], [_short(v) for v in points]
            found.append(
                {
                    "name": self._label(change) + ("" if number == "size" else f": {words.label(number)}"),
                    "unit": _unit(stated["unit"]),
                    "whole": number == "delay",
                    "joined": _joined(stated["effect"], stated["together"]),
                    "value": float(stated["as_run"]),
                    "points": ends,
                    "at": at,
                }
            )
        return found

    def _prices(self) -> list[dict[str, Any]]:
        """Give the prices that have a range in the ledger; `of` says which unit costs each is."""
        ledger, found = self.inputs.assumptions, []
        for name in dict.fromkeys(c for c, _ in self.costs):
            rows = ledger[ledger["name"] == f"{name}: amount"] if ledger is not None else pd.DataFrame()
            if len(rows) and float(rows["low"].iloc[0]) < float(rows["high"].iloc[0]):
                of = [i for i, (cost, _) in enumerate(self.costs) if cost == name]
                row = rows.iloc[0]
                ends = {n: float(row[n]) for n in ("low", "value", "high")}
                found.append({"name": self._label(name), "unit": _unit(row["unit"]), "of": of, **ends})
        return found

    def first(self, data: dict[str, Any]) -> Panel:
        """Give the panel with its first choice: everything, in the first year, if nothing is changed."""
        run = data["run"][0]
        rows = []
        for i, name in enumerate([*data["people"], *data["lines"]]):
            write = _people if i < len(data["people"]) else words.pounds_exact
            mean, low, high = (run[c][0][0][i] for c in ("mean", "low", "high"))
            if mean is not None:
                rows.append((name, write(mean), say("{low} to {high}", low=write(low), high=write(high))))
        scenario = words.label(BASELINE)
        caption = say("What the run says: {scenario}, {year}", scenario=scenario, year=self.years[0])
        return Panel(caption, (say("What"), say("Expected"), say("4 years in 5")), tuple(rows), frozenset({1, 2}), data=as_data(data))

    def fixed(self) -> tuple[Block, ...]:
        """Say which numbers cannot be moved here."""
        moved = {str(n) for n in self.table["change"].unique() if n}
        applied = self.inputs.applied
        others = [] if applied is None else [str(c) for c in applied["change"].unique() if str(c) not in moved]
        said = []
        if others:
            told = message("These cannot be moved in the page, each value of theirs is a run of its own: {names}.")
            said.append(say(told, names=words.join(map(self._label, others))))
        money = pd.DataFrame() if self.inputs.budget is None else self.inputs.budget
        if any(money[c].abs().sum() > 0 for c in ("income_pence", "grant_pence", "saving_pence") if c in money):
            said.append(say("Pounds are before income, grants and savings."))
        return (Block(tuple(said)),) if said else ()


def _people(value: float) -> str:
    """Write people as the page's script does: to half a per cent and better."""
    return f"{value:,.0f}" if abs(value) >= WHOLE else f"{value:,.1f}"


def _short(value: float) -> float | None:
    """Write a number with eight digits: pounds of a council to the pound."""
    return None if not np.isfinite(value) else json.loads(f"{value:.8g}")


def _joined(effect: str, together: str) -> str:
    """Say how what a lever does meets what others do, as `demand.scenario.application` joins changes: times, plus, or plus where empty.

    Shifts share what the others leave, so that among themselves they add up. What has no ratio, because nobody is there, is added.
    """
    if effect != "price" and (together != "multiply" or effect == "shift"):
        return "plus"
    return "plus where empty" if effect == "add" else "times"


def _unit(unit: object) -> str:
    """Write a unit as a page shows it; what is not known stays as it is written."""
    if str(unit) in ("ratio", "share", "probability", "1", "nan", ""):
        return ""
    found = Unit.parse(str(unit))
    each = [say(EACH[p]) if p in EACH else say("a {thing}", thing=p) for p in found.per]
    counted = say(COUNTED[found.of]) if found.of in COUNTED else str(unit).partition("/")[0]
    return " ".join(each if found.of == "1" else [counted, *each])


def _texts() -> dict[str, str | list[str]]:
    """Give what the script says; its fields are filled in the page."""
    return {name: [say(t) for t in text] if isinstance(text, list) else say(text) for name, text in TEXTS.items()}


COUNTED = {
    "GBP": message("pounds"),
    "person": message("people"),
    "household": message("households"),
    "child": message("children"),
    "month": message("months"),
}
"""What units count, as `Unit` names it."""
EACH = {
    "person": message("a person"),
    "household": message("a household"),
    "child": message("a child"),
    "night": message("a night"),
    "day": message("a day"),
    "week": message("a week"),
    "month": message("a month"),
    "quarter": message("a quarter"),
    "year": message("a year"),
}
"""What units count it per, as `Unit` names it."""
TEXTS: dict[str, str | list[str]] = {
    "everything": message("Everything"),
    "scenario": message("If"),
    "part": message("For"),
    "year": message("In the year"),
    "levers": message("Numbers of this scenario"),
    "prices": message("Prices"),
    "none": message("Choose a scenario above to move its numbers."),
    "as_run": message("as in the run"),
    "held": message("held at {value}"),
    "ends": message("{at}; may be {low} to {high}"),
    "reset": message("Back to the run"),
    "caption": message("{scenario}: {part}, {year}"),
    "columns": [
        message("What"),
        message("The run says"),
        message("4 years in 5"),
        message("With your numbers"),
        message("Difference"),
        message("About 4 years in 5"),
    ],
    "range": message("{low} to {high}"),
    "told": message("{what}: {now}, {difference} than the run says."),
    "more": message("{amount} more"),
    "less": message("{amount} less"),
    "same": message("no more and no less"),
    "about": message(
        "Several numbers of the scenario are moved at once: together this is about right, and a run with them says it exactly."
    ),
}
"""What the script says."""
