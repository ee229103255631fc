"""What each line costs and pays by finance period: 01 to 12, and 13 for what is owed when the year ends.

In: `Cost`, the budget's lines, and budget.csv. Out: finance_periods.csv, in pence that add up to it, and sentences on how to read it. Years
that budget.csv leaves out are left out here too; what is paid and owed is empty where it would rest on days that are not known. Refuses
what the lines refuse.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from demand.budget.lines import PAID, TOTAL, BudgetSpec, owning_lines, pence
from demand.budget.payment import Run
from demand.budget.prices import Cost, Part
from demand.calendar import FinancialYear
from demand.errors import listed
from demand.scenario import price_factors
from demand.scenario.exposure import Span

__all__ = ["FINANCE_PERIODS", "finance_period_notes", "finance_periods"]

FINANCE_PERIODS = [
    "scenario", "line", "financial_year", "period", "first_day", "last_day", "counted", "runs", "gross_pence", "received_pence",
    "net_pence", "paid_pence", "owed_pence",
]  # fmt: skip
ACCRUAL = 13
"""The period in which what is owed at the end of the year is put into it, and what was owed at its beginning taken out."""
CASH = ["paid_pence", "owed_pence"]
RECEIVED = ("income", "grant", "saving")
ONE_DAY, LONGEST = pd.Timedelta(days=1), pd.Timedelta(days=31)


class _Piece(NamedTuple):
    """Days of one month, at one price, that one run pays for. Months are counted from the first of the first financial year."""

    span: Span
    month: int
    paid: int


class _Months(NamedTuple):
    """What a line comes to, expected GBP: by month for which it is, by month in which it is paid, and owed when each year begins."""

    gross: np.ndarray
    paid: np.ndarray
    opening: np.ndarray


def finance_periods(cost: Cost, spec: BudgetSpec, budget: pd.DataFrame) -> pd.DataFrame:
    """Make finance_periods.csv.

    Parameters
    ----------
    cost : Cost
    spec : BudgetSpec
    budget : pandas.DataFrame
        budget.csv, to which the periods add up.

    Returns
    -------
    pandas.DataFrame
        `FINANCE_PERIODS`, expected pence by scenario, line (then `TOTAL`), financial year and period. Periods 1 to 12 are the months of
        the financial year. gross_pence is what is for the days of the period, received_pence what comes in for them (income, grants,
        savings: below zero), net_pence their sum; over the year they come to the gross and the net of budget.csv. paid_pence is what is
        paid in the period for gross; runs says how many runs of payments are done in it, where a unit cost says how it is paid. In period
        13 paid_pence is the accrual: what is owed when the year ends, less what was owed when it began; with it, what is paid adds up to
        the gross of the year. owed_pence is what is owed at the end of the period for days that are over; below zero where more was paid
        in advance. Both are empty for all of a year in which a run pays for days that are not known: days before the counts begin, or
        days after the forecast ends. counted is True of months that were over.

    Notes
    -----
    What stands beside the series falls evenly on those days of the year on which there is any of it, and is paid in its month.
    """
    months, names = _months(cost), [line.name for line in spec.lines] or [TOTAL]
    owners = owning_lines(cost, spec) if spec.lines else np.zeros(cost.years.sizes["series"], dtype=int)
    line_of = pd.Series(owners, index=cost.years["series"].to_numpy()).reindex(cost.exposure.series.index, fill_value=-1).to_numpy()
    pieces = [_pieces(part, cost, months) for part in cost.parts]
    items = [_items(cost, names, kinds, months) for kinds in (PAID, RECEIVED)]
    known = budget.set_index(["scenario", "line", "financial_year"])
    rows: list[tuple[object, ...]] = []
    for s, scenario in enumerate(str(n) for n in cost.years["scenario"].to_numpy()):
        for n, name in enumerate(names):
            found, runs = _line(cost, s, line_of == n, pieces=pieces, count=len(months)), _runs(cost, line_of == n, months)
            owed: int | None = None
            for y, year in enumerate(cost.labels):
                told = None
                if (scenario, name, year) in known.index:
                    told = _year(found, y, known.loc[(scenario, name, year)], paid=items[0][s, n], received=items[1][s, n], owed=owed)
                owed = None if told is None else told[-1][-1]
                for p, amounts in enumerate(told or ()):
                    first, last, _ = months[12 * y + min(p, 11)]
                    about = (p + 1, last if p == 12 else first, last, last < cost.exposure.ds[0], 0 if p == 12 else runs[12 * y + p])
                    rows.append((scenario, name, year, *about, *amounts))
    table = pd.DataFrame(rows, columns=FINANCE_PERIODS).astype(dict.fromkeys(CASH, "Int64"))
    return _with_total(table, names) if spec.lines else table


def finance_period_notes(cost: Cost, table: pd.DataFrame) -> tuple[str, ...]:
    """Say how the periods are to be read, and how many runs of payments there are in a year, where a unit cost says how it is paid."""
    paid = {part.cost.name: part.cost.paid for part in cost.parts if part.cost.paid is not None}
    if not paid or table.empty:
        return ()
    told = [
        "Finance periods: a run of payments pays for whole days, and falls into the month in which it is done. Period 13 holds what is "
        "owed when the year ends, less what was owed when it began, so that what is paid adds up to what the year costs."
    ]
    for name, terms in paid.items():
        days = [run.day for year in cost.exposure.years for run in terms.runs(year.start - LONGEST, year.end)]
        there = set(table["financial_year"])
        count = {str(y): len({d for d in days if y.start <= d <= y.end}) for y in cost.exposure.years if str(y) in there}
        told.append(f"{name}: paid every {terms.every}, {', '.join(f'{n} times in {y}' for y, n in count.items())}.")
    empty = table.loc[table["paid_pence"].isna(), ["line", "financial_year"]].drop_duplicates()
    for year, lines in empty.groupby("financial_year", sort=False)["line"]:
        told.append(
            f"Finance periods of {year}, {listed(lines)}: what is paid and what is owed are left empty, because a run of payments of that "
            "year pays for days before the counts begin or after the forecast ends. What the days of the year cost is there."
        )
    return tuple(told)


def _months(cost: Cost) -> list[Span]:
    """Give the months of the financial years, in order."""
    return [
        (month.start_time, month.end_time.normalize(), position)
        for position, year in enumerate(cost.exposure.years)
        for month in pd.period_range(year.start, year.end, freq="M")
    ]


def _pieces(part: Part, cost: Cost, months: Sequence[Span]) -> list[_Piece]:
    """Cut the days of the financial years, and those before and after that are paid in them, by month, price and run."""
    if not months:
        return []
    years, start, end = cost.exposure.years, months[0][0], months[-1][1]
    terms = part.cost.paid
    runs = [Run(first, first, last) for first, last, _ in months]
    if terms is not None:
        runs = [run for run in terms.runs(start - LONGEST, end) if run.day >= start or run.last >= start]
    last = max([end, *(run.last for run in runs if run.day <= end)])
    earlier = FinancialYear(years[0].first - 1, years[0].start_month)
    moves = [first for first, _, _ in part.cost.spans([earlier, *years, years[-1].next])]
    begins = pd.date_range(runs[0].first, last, freq="MS")
    cuts = sorted({d for d in [*(r.first for r in runs), *begins, *moves] if runs[0].first <= d <= last})
    found = []
    for first, following in zip(cuts, [*cuts[1:], last + ONE_DAY], strict=True):
        run = next(r for r in runs if r.first <= first <= r.last)
        found.append(_Piece((first, following - ONE_DAY, 0), _place(first, start), _place(run.day, start)))
    return found


def _place(day: pd.Timestamp, start: pd.Timestamp) -> int:
    return int((day.year - start.year) * 12 + day.month - start.month)


def _runs(cost: Cost, mine: np.ndarray, months: Sequence[Span]) -> list[int]:
    """Count the days of each month on which anything of a line is paid, where it is said how."""
    terms = [part.cost.paid for part in cost.parts if mine[part.rows].any() and part.cost.paid is not None]
    days = {run.day for one in terms for run in one.runs(months[0][0] - LONGEST, months[-1][1])} if months else set()
    return [sum(first <= day <= last for day in days) for first, last, _ in months]


def _line(cost: Cost, s: int, mine: np.ndarray, *, pieces: Sequence[Sequence[_Piece]], count: int) -> _Months:
    """Price one line under one scenario, piece by piece."""
    demand = cost.demand[s].transpose("series", "ds", "draw").to_numpy()
    factors, reach = price_factors(cost.demand), cost.exposure.frequency.end_of(cost.exposure.ds[-1:])[0]
    found = _Months(np.zeros(count), np.zeros(count), np.zeros(count // 12))
    for part, cut in zip(cost.parts, pieces, strict=True):
        rows = part.rows[mine[part.rows]]
        if not len(rows):
            continue
        before, within = [p for p in cut if p.month < 0], [p for p in cut if p.month >= 0]
        times = None if factors is None else factors[s, rows]
        quantity = part.quantity(cost.exposure, demand[rows], rows, times, spans=[p.span for p in within])[0]
        pounds = (quantity * part.span_prices([p.span for p in within])).mean(axis=1)
        pounds[[p.span[1] > reach for p in within]] = np.nan
        if before:
            counted = cost.exposure.before(rows, per=part.per, spans=[p.span for p in before]).sum(axis=0)
            pounds = np.concatenate([counted * part.span_prices([p.span for p in before]).mean(axis=1), pounds])
        month, paid = (np.array([p[k] for p in [*before, *within]]) for k in (1, 2))
        for at, into in ((month, found.gross), (paid, found.paid)):
            inside = (at >= 0) & (at < count)
            np.add.at(into, at[inside], pounds[inside])
        for y in range(count // 12):
            owed, early = (month < 12 * y) & (paid >= 12 * y), (month >= 12 * y) & (paid < 12 * y)
            found.opening[y] += pounds[owed].sum() - pounds[early].sum()
    return found


def _items(cost: Cost, names: Sequence[str], kinds: Sequence[str], months: Sequence[Span]) -> np.ndarray:
    """Spread items of some kinds over the months: expected GBP, shape (scenarios, lines, months)."""
    found = np.zeros((cost.years.sizes["scenario"], len(names), len(months)))
    about = [cost.items[c].to_numpy() for c in ("line", "kind", "first_day", "last_day")]
    means = cost.items.transpose("scenario", "item", "financial_year", "draw").to_numpy().mean(axis=-1)
    for k, (line, kind, first, last) in enumerate(zip(*about, strict=True)):
        if kind not in kinds or (list(names) != [TOTAL] and line not in names):
            continue
        n = 0 if list(names) == [TOTAL] else list(names).index(line)
        begin, stop = (pd.Timestamp(end) if np.isnat(day) else pd.Timestamp(day)
                       for day, end in ((first, months[0][0]), (last, months[-1][1])))  # fmt: skip
        days = np.array([max((min(b, stop) - max(a, begin)).days + 1, 0) for a, b, _ in months], dtype=float)
        for y in range(len(cost.labels)):
            year = slice(12 * y, 12 * y + 12)
            weights = days[year] if days[year].any() else np.ones(12)
            found[:, n, year] += means[:, k, [y]] * weights / weights.sum()
    return found


def _year(
    found: _Months, y: int, known: pd.Series, *, paid: np.ndarray, received: np.ndarray, owed: int | None
) -> list[tuple[int, int, int, int | None, int | None]] | None:
    """Give gross, received, net, paid and owed in pence for the thirteen periods of a year; None where its cost is not known."""
    year = slice(12 * y, 12 * y + 12)
    gross, cash = found.gross[year] + paid[year], found.paid[year] + paid[year]
    if not np.isfinite(gross).all():
        return None
    spent = pence([*gross, 0.0], total=int(known["gross_pence"]))
    income = pence([*received[year], 0.0], total=int(sum(known[f"{kind}_pence"] for kind in RECEIVED)))
    spent, income = (np.array([*part[:11], part[11] + part[12], 0]) for part in (spent, income))  # a rest of pence is the twelfth month's
    both = [(int(a), int(b), int(a + b)) for a, b in zip(spent, income, strict=True)]
    if not np.isfinite([*cash, found.opening[y]]).all():
        return [(*one, None, None) for one in both]
    start = int(np.rint(found.opening[y] * 100)) if owed is None else owed
    done = pence([*cash, gross.sum() - cash.sum()], total=int(known["gross_pence"]))
    left = start + np.cumsum(spent - done)
    left[12] = left[11]  # what is owed stays owed: period 13 puts it into the year
    return [(*one, int(c), int(d)) for one, c, d in zip(both, done, left, strict=True)]


def _with_total(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Put the sum of the lines after them, for years in which all of them are told; what is paid and owed is empty where that of one is."""
    by = ["scenario", "financial_year", "period", "first_day", "last_day", "counted"]
    sums = table.groupby(by, sort=False).agg(
        lines=("line", "nunique"), known=("paid_pence", "count"), runs=("runs", "max"),
        **{c: (c, "sum") for c in FINANCE_PERIODS if c.endswith("_pence")}
    ).reset_index()  # fmt: skip
    sums.loc[sums["known"] < sums["lines"], CASH] = pd.NA
    whole = sums[sums["lines"] == len(names)].assign(line=TOTAL)
    both = pd.concat([table, whole], ignore_index=True)[FINANCE_PERIODS]
    order = {name: n for n, name in enumerate([*names, TOTAL])}
    scenarios = {name: n for n, name in enumerate(dict.fromkeys(table["scenario"]))}
    keys = pd.DataFrame(
        {"s": both["scenario"].map(scenarios), "n": both["line"].map(order), "y": both["financial_year"], "p": both["period"]}
    )
    return both.loc[keys.sort_values(["s", "y", "n", "p"]).index].reset_index(drop=True)
