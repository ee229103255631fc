"""The risk curve: the chance that a line needs more than a sum of money, for every sum.

In: a `ReportInput` with what the run has stored of each possible future. Out: one `Figure`, or none where the run has not stored it or the
readers may not have it. Refuses nothing.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from demand.languages import say
from demand.report import words
from demand.report.canvas import BLUE, PINK, drawn, legend_below, number_axis, percent_axis
from demand.report.facts import Money
from demand.report.figures import wrapped
from demand.report.inputs import BASELINE, ReportInput
from demand.report.live import Live
from demand.report.parts import Figure, Table, table_of

__all__ = ["needs_by_future", "risk_curve", "risk_table"]

CHANCES = ((0.9, 9, 10), (0.75, 3, 4), (0.5, 1, 2), (0.25, 1, 4), (0.1, 1, 10), (0.05, 1, 20))
"""The chances that the table tells, each with its words."""
MOST = 6
"""Curves in one picture: all lines together, then the dearest lines."""
SHARES = np.linspace(0.01, 0.99, 50)


def needs_by_future(inputs: ReportInput, year: str, scenario: str = BASELINE) -> pd.DataFrame:
    """Give what each line needs in one financial year of one scenario, future by future.

    Parameters
    ----------
    inputs : ReportInput
    year, scenario : str

    Returns
    -------
    pandas.DataFrame
        A row a future, a column a line, in pounds: quantity times price, added up. Empty where the run has not stored them all, and for
        the public.
    """
    tables = inputs.price_quantities, inputs.price_draws, inputs.assumptions
    if any(t is None or t.empty for t in tables) or inputs.spec.audience != "council":
        return pd.DataFrame()
    quantities, drawn_prices, ledger = (t for t in tables if t is not None)
    mine = (quantities["scenario"] == scenario) & (quantities["financial_year"].astype(str) == year)
    live = Live(quantities[mine].astype({"cost": str}), drawn_prices, ledger)
    if not mine.any() or not live.names <= set(ledger["name"].astype(str)):
        return pd.DataFrame()
    return pd.DataFrame(
        {
            block.line: sum(((live.price(cost, steps) if cost else 1.0) * quantity for cost, steps, quantity in block.terms), 0.0)
            for block in live.blocks()
        }
    )


def risk_curve(inputs: ReportInput) -> list[Figure]:
    """Draw the chance that we need more than x, for all lines together and for each line, in the year of the first page.

    Parameters
    ----------
    inputs : ReportInput

    Returns
    -------
    list of Figure
        One, or none.
    """
    money = Money.of(inputs.budget)
    needs = pd.DataFrame() if money is None or money.years().empty else needs_by_future(inputs, money.year)
    if money is None or needs.empty:
        return []
    rows = money.lines[(money.lines["scenario"] == BASELINE) & (money.lines["financial_year"] == money.year)]
    budgets = {str(n): float(b) for n, b in zip(rows["line"], rows["budget"], strict=True)}
    dear = needs[needs.mean().sort_values(ascending=False, kind="stable").index]
    named = {words.capital(words.label(n, inputs.spec.names)): (dear[n], budgets.get(str(n), np.nan)) for n in dear}
    if len(named) > 1:
        whole = float(money.at(BASELINE, money.year)["budget"])
        named = {say("All lines"): (needs.sum(axis=1), whole), **named}
    return [_picture(dict(list(named.items())[:MOST]), money.year)]


def risk_table(inputs: ReportInput) -> list[Table]:
    """Tell the sums that are exceeded with each chance, all lines together, for every scenario and financial year.

    Parameters
    ----------
    inputs : ReportInput

    Returns
    -------
    list of Table
        One, or none.
    """
    money = Money.of(inputs.budget)
    if money is None:
        return []
    chances = {f"{n}/{of}": (share, say("{number} in {of}", number=n, of=of)) for share, n, of in CHANCES}
    rows = []
    for scenario in (BASELINE, *inputs.scenarios):
        for year in money.years()["financial_year"].astype(str):
            needs = needs_by_future(inputs, year, scenario).sum(axis=1)
            if len(needs):
                sums = {key: float(needs.quantile(1 - share)) for key, (share, _) in chances.items()}
                name = words.capital(words.label(scenario, inputs.spec.names))
                rows.append({"scenario": name, "year": year, **sums, "budget": float(money.at(scenario, year)["budget"])})
    if not rows:
        return []
    names = {"scenario": "Scenario", "year": "Year", **{key: said for key, (_, said) in chances.items()}, "budget": "Budget"}
    title = say("What is exceeded with each chance, all lines together, by scenario and year")
    return [table_of(pd.DataFrame(rows), title, names=names, formats=dict.fromkeys([*chances, "budget"], "exact"))]


def _picture(named: dict[str, tuple[pd.Series, float]], year: str) -> Figure:
    across = min(3, len(named))
    down = -(-len(named) // across)

    def draw(canvas: Any) -> None:
        cells = canvas.subplots(down, across, squeeze=False, sharey=True).ravel()
        for cell, (name, (needs, budget)) in zip(cells, named.items(), strict=False):
            _curve(cell, needs, budget)
            cell.set_title(wrapped(name, 34), loc="left", fontsize=10)
        for cell in cells[len(named) :]:
            cell.set_axis_off()
        legend_below(canvas)

    title = say("the chance that more than a given sum is needed in {year}", year=year)
    table = pd.DataFrame(
        {
            "chance": [say("{number} in {of}", number=n, of=of) for _, n, of in CHANCES] + [say("Budget")],
            **{name: [*(float(needs.quantile(1 - share)) for share, _, _ in CHANCES), budget] for name, (needs, budget) in named.items()},
        }
    )
    said = "; ".join(
        say(
            "{name}: a chance of {first} of needing more than {low}, of {middle} more than {half}, of {last} more than {high}",
            name=name,
            first=table["chance"].iloc[0],
            middle=table["chance"].iloc[2],
            last=table["chance"].iloc[4],
            **{k: words.pounds(table[name].iloc[i]) for k, i in (("low", 0), ("half", 2), ("high", 4))},
        )
        for name in named
    )
    behind = table_of(
        table,
        title,
        names={"chance": say("Chance of needing more"), **{name: name for name in named}},
        formats=dict.fromkeys(named, "exact"),
        note=say("A row a chance: the sum that is exceeded with it. The last row is the budget that was set."),
    )
    size = (3.6 * across if across > 1 else 5.8, 2.7 * down + 0.3)
    return Figure(
        partial(drawn, draw, size=size), say("Line chart of {what}: {said}.", what=title, said=said), behind, words.capital(title)
    )


def _curve(axes: Any, needs: pd.Series, budget: float) -> None:
    axes.plot(needs.quantile(1 - SHARES), SHARES, color=BLUE, lw=2)
    if np.isfinite(budget):
        axes.axvline(budget, color=PINK, lw=2, ls=(0, (4, 1.5)), label=say("Budget"))
    axes.set_ylim(0, 1)
    percent_axis(axes.yaxis)
    number_axis(axes.xaxis, money=True, places=4)
    axes.tick_params(labelsize=8.5)
