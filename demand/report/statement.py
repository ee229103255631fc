"""What the forecast of one series is made of, year by year, as a statement that adds up: people and pounds.

In: a `ReportInput` with an explanation, and the name of a series. Out: a table whose rows add up to what is expected, and text. Refuses
a series that was not forecast.
"""

from __future__ import annotations

import pandas as pd

from demand.calendar import year_shares
from demand.errors import Fault, ModelError, did_you_mean
from demand.report import words
from demand.report.change_section import BOOKKEEPING, HARD
from demand.report.facts import Line, why_parts
from demand.report.inputs import BASELINE, ReportInput

__all__ = ["hard_to_explain", "statement", "told"]

FIRST = ("recent level", "trend", "season", "recent counts", "recent changes")
EXPECTED = "expected"


def statement(inputs: ReportInput, series: str) -> pd.DataFrame:
    """Say what the forecast of a series is made of in each whole financial year.

    Parameters
    ----------
    inputs : ReportInput
    series : str
        A unique_id.

    Returns
    -------
    pandas.DataFrame
        financial_year, part, people, pounds: level, trend and season first, then what else it goes with (the largest first), then
        bookkeeping, then what is expected, which the rows of a year add up to. People are the sum of a flow and the average of a stock;
        the expected cost of a year is shared out as its people are, NaN where it was not priced.

    Raises
    ------
    ModelError
        Where the series was not forecast, or no whole financial year was.
    """
    line = _line(inputs, series)
    ds = pd.DatetimeIndex(sorted(inputs.explanation["ds"].unique())) if inputs.explanation is not None else pd.DatetimeIndex([])
    shares = year_shares(ds, inputs.frequency, inputs.start_month)
    days = shares.mul(inputs.frequency.days_in(ds), axis=0).sum()
    years = [str(y) for y in days.index[days >= 364.5]]
    if not years:
        raise ModelError(Fault("the forecast holds no whole financial year", where=series, do_next="Make `forecast.horizon` longer"))
    return pd.concat([_year(inputs, line, year) for year in years], ignore_index=True)


def _line(inputs: ReportInput, series: str) -> Line:
    explained = pd.Series(dtype=object) if inputs.explanation is None else inputs.explanation["unique_id"].astype(str)
    if inputs.history is None or not (explained == series).any():
        raise ModelError(Fault(f"'{series}' was not forecast", where="--series", allowed=did_you_mean(series, explained.unique())))
    mine = inputs.history[inputs.history["unique_id"] == series].iloc[0]
    rows = pd.DataFrame({"unique_id": [series], "level": ["series"]})
    return Line(inputs, str(mine["kind"]), str(mine["unit"]), {}, rows)


def _year(inputs: ReportInput, line: Line, year: str) -> pd.DataFrame:
    parts = why_parts(inputs, line, year)
    named = parts["amount"].groupby([words.feature(f, inputs.spec.names) for f in parts["feature"]]).sum()
    size = named.abs().sort_values(ascending=False, kind="stable").index
    order = [
        *(n for n in FIRST if n in named),
        *(n for n in size if n not in (*FIRST, *BOOKKEEPING)),
        *(n for n in BOOKKEEPING if n in named),
    ]
    people = named[order]
    total, cost = float(people.sum()), _cost(inputs, line.series, year)
    table = pd.DataFrame({"financial_year": year, "part": [*order, EXPECTED], "people": [*people, total]})
    return table.assign(pounds=table["people"] * (cost / total if total else float("nan")))


def _cost(inputs: ReportInput, series: str, year: str) -> float:
    table = inputs.cost
    if table is None or table.empty:
        return float("nan")
    mine = table[(table["unique_id"] == series) & (table["financial_year"].astype(str) == year) & (table["scenario"] == BASELINE)]
    return float(mine["expected"].iloc[0]) if len(mine) else float("nan")


def hard_to_explain(table: pd.DataFrame) -> list[str]:
    """Give the years of a statement of which bookkeeping is more than a fifth.

    Examples
    --------
    >>> rows = [("2026-27", "recent level", 70.0), ("2026-27", BOOKKEEPING[0], 30.0), ("2026-27", "expected", 100.0)]
    >>> hard_to_explain(pd.DataFrame(rows, columns=["financial_year", "part", "people"]))
    ['2026-27']
    """
    kept = table[table["part"].isin(BOOKKEEPING)].groupby("financial_year")["people"].agg(lambda v: v.abs().sum())
    whole = table[table["part"] == EXPECTED].set_index("financial_year")["people"].abs()
    return [str(y) for y in whole.index if kept.get(y, 0.0) > HARD * whole[y]]


def told(inputs: ReportInput, series: str) -> str:
    """Write the statement of a series as text.

    Parameters
    ----------
    inputs : ReportInput
    series : str

    Returns
    -------
    str
        A table, and what must be known to read it.

    Raises
    ------
    ModelError
        As `statement`.
    """
    table, line = statement(inputs, series), _line(inputs, series)
    how = "on average at any time" if line.kind == "stock" else "in the year"
    lines = [f"{words.capital(words.label(series, inputs.spec.names))}: {words.label(line.unit, inputs.spec.names)} {how}", ""]
    parts = list(dict.fromkeys([*table.loc[table["part"] != EXPECTED, "part"], EXPECTED]))
    cells = {(r.part, r.financial_year): (r.people, r.pounds) for r in table.itertuples()}
    years = list(dict.fromkeys(table["financial_year"]))
    wide = max(map(len, parts)) + 2
    lines.append(" " * wide + "".join(f"{y:>26}" for y in years))
    for part in parts:
        if part == EXPECTED:
            lines.append("-" * (wide + 26 * len(years)))
        shown = [cells.get((part, y), (0.0, float("nan"))) for y in years]
        money = [f"{words.pounds_exact(p)}" if pd.notna(p) else "" for _, p in shown]
        lines.append(
            f"{words.capital(part):<{wide}}"
            + "".join(f"{n if abs(n) >= 0.05 else 0:>12,.1f}{m:>14}" for (n, _), m in zip(shown, money, strict=True))
        )
    lines += ["", "Parts add up to what is expected. They say what goes with the forecast; that is not always what causes it."]
    priced = table["pounds"].notna().any()
    lines.append("The expected cost is shared out as people are." if priced else "Not priced: `demand budget` gives pounds.")
    if hard := hard_to_explain(table):
        lines.append(f"HARD TO EXPLAIN in {words.join(hard)}: more than a fifth is making parts and totals agree, and adjustment.")
    return "\n".join(lines)
