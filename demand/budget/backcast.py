"""What the budget would have been, had each past April been decided by the forecast: in pounds, beside two other ways.

In: `Cost`, the budget's lines, the history without declared totals, and what the replayed forecasts said of the year ahead, draw by draw
(`demand.evaluation`, where publication lags hold). Out: backcast.csv, and sentences. Nothing is forecast again. Refuses nothing that was
not refused before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from demand.budget.lines import TOTAL, BudgetLine, BudgetSpec
from demand.budget.past import Past, line_of, past
from demand.budget.prices import Cost
from demand.calendar import FinancialYear
from demand.errors import listed
from demand.events import Event
from demand.scenario.exposure import DAYS, PERIODS_A_YEAR
from demand.tables import History

__all__ = ["BACKCAST", "FORECAST", "LAST_YEAR", "SET", "backcast", "backcast_notes"]

BACKCAST = ["decided", "financial_year", "line", "method", "expected_pence", "p10_pence", "p90_pence", "actual_pence", "error_pence",
            "inside", "calibrated", "shock"]  # fmt: skip
FORECAST, LAST_YEAR, SET = "forecast", "last year plus 3 %", "budget that was set"
"""The ways of deciding."""
LIMITS = (
    " Only series that are still forecast are judged, and past years are priced at the prices and uplifts of the config: how wrong prices "
    "would have been is not in these figures."
)
"""What a back-cast of volumes cannot show."""
RISE = 1.03
"""What budgets are often set by: the year before and three per cent."""


def backcast(cost: Cost, spec: BudgetSpec, history: History, ahead: pd.DataFrame, *, events: Sequence[Event] = ()) -> pd.DataFrame:
    """Make backcast.csv: for each past financial year what would have been budgeted at its beginning, and what was needed.

    What was needed is what was counted at its price, so that all ways are held against the same figure; the ledger's gap stands in the
    reconciliation. The forecast knows the prices of the year before, and draws the uplift. Series of which nothing was said at the time
    (they have ended since, or had hardly begun) are left out on both sides; the budget that was set is held against all of its line.

    Parameters
    ----------
    cost : Cost
    spec : BudgetSpec
        Lines whose `years` name past years too have a third way: the budget that was set.
    history : History
        Without declared totals.
    ahead : pandas.DataFrame
        `NEXT_YEAR`, as `demand.evaluation.backtest` gives it.
    events : sequence of Event
        Years that a shock fell into are marked with its name.

    Returns
    -------
    pandas.DataFrame
        `BACKCAST`, a row a year, line (then `TOTAL`) and way: error_pence is what was expected less what was needed; inside is whether
        that lay between p10 and p90 (missing where there is no range). calibrated is False where too few earlier errors stood behind the
        range: such years count in no "k of n".
    """
    behind, rows = past(cost, history), []
    lines = [line for line in spec.lines if not line.items_only] or [BudgetLine.model_construct(name=TOTAL, years={})]
    years = dict(zip(behind.labels, behind.years, strict=True))
    for cutoff, said in ahead.groupby("cutoff", sort=True):
        label = str(said["financial_year"].iloc[0])
        if label not in years:
            continue
        decided = history.frequency.end_of(pd.DatetimeIndex([pd.Timestamp(str(cutoff))]))[0]
        about = {"decided": decided, "financial_year": label, "shock": _shock(events, years[label])}
        calibrated = bool(said["calibrated"].all())
        told = [_look(behind, spec, line.name, said.set_index("unique_id")["said"], years[label]) for line in lines]
        budgets = [line.years.get(label) for line in lines]
        sure = [t for t in told if t is not None]
        if lines[0].name != TOTAL and len(sure) == len(told):
            together, needed, before, whole = (
                np.sum([getattr(t, name) for t in sure], axis=0) for name in ("said", "needed", "before", "whole")
            )
            told.append(_Look(together, needed, before, whole, any(t.asked for t in sure)))
            budgets.append(None if None in budgets else sum(b for b in budgets if b is not None))
        for name, one, budget in zip([*(line.name for line in lines), TOTAL], told, budgets, strict=False):
            rows += [{**about, "line": name, **row} for row in _ways(one, budget, calibrated=calibrated)] if one is not None else []
    whole = {c: "Int64" for c in BACKCAST if c.endswith("_pence")}
    return pd.DataFrame(rows, columns=BACKCAST).astype({**whole, "inside": "boolean"})


def backcast_notes(table: pd.DataFrame) -> tuple[str, ...]:
    """Say in sentences how far each way of deciding would have been off, over the years that all of them were asked in.

    Parameters
    ----------
    table : pandas.DataFrame
        From `backcast`.
    """
    total = table[table["line"] == TOTAL]
    told = [_sentence(rows, str(method)) for method, rows in total.groupby("method", sort=False)]
    shocks = sorted({f"{y} ({s})" for y, s in zip(total["financial_year"], total["shock"], strict=True) if s})
    more = f" Among them are {listed(shocks)}, which no forecast could know of." if shocks else ""
    return (" ".join(told) + more + LIMITS,) if told else ()


@dataclass(frozen=True)
class _Look:
    """What was said of a line for one year, and what was needed, in GBP."""

    said: np.ndarray
    """Shape (draws,)."""
    needed: float
    """Of the series of which something was said."""
    before: float
    """What the same series came to in the year before."""
    whole: float
    """What all series of the line came to."""
    asked: bool
    """Whether anything was said of it at the time."""


def _look(behind: Past, spec: BudgetSpec, line: str, said: pd.Series, year: FinancialYear) -> _Look | None:
    """Price what was said and what came; None where the year, or the year before, cannot be told."""
    owners = line_of(behind.series, spec)
    before = FinancialYear(year.first - 1, year.start_month)
    if before not in behind.years:
        return None
    y, b = behind.years.index(year), behind.years.index(before)
    draws = len(said.iloc[0])
    pounds, sums, asked = np.zeros(draws), np.zeros(3), False
    for part in behind.parts:
        rows = behind.rows(part)
        rows = rows[((owners.iloc[rows] == line) | (line == TOTAL)).to_numpy()]
        ids, quantity = behind.series.index[rows], behind.quantity(rows, per=part.per)
        there = ids.isin(said.index)
        was, now = part.prices([before])[0], part.prices([year])[0]
        grown = np.resize(now / was, draws)
        if there.any():
            asked = True
            average = np.stack(said.loc[ids[there]].tolist()).astype(float).sum(axis=0)
            pounds += average * _length(year, part.per) * was.mean() * grown
        sums += [quantity[there, y].sum() * now.mean(), quantity[there, b].sum() * was.mean(), quantity[:, y].sum() * now.mean()]
    needed, spent, whole = map(float, sums)
    return _Look(pounds, needed, spent, whole, asked) if np.isfinite(sums).all() else None


def _ways(look: _Look, budget: float | None, *, calibrated: bool) -> Iterator[dict[str, object]]:
    """Give one row a way of deciding."""
    low, high = np.quantile(look.said, [0.1, 0.9])
    ways = [(FORECAST, look.said.mean(), look.needed), (LAST_YEAR, look.before * RISE, look.needed)] if look.asked else []
    ways += [(SET, budget, look.whole)] if budget is not None else []
    for method, expected, needed in ways:
        mine = method == FORECAST
        yield {
            "method": method,
            "expected_pence": round(expected * 100),
            "p10_pence": round(low * 100) if mine else None,
            "p90_pence": round(high * 100) if mine else None,
            "actual_pence": round(needed * 100),
            "error_pence": round(expected * 100) - round(needed * 100),
            "inside": bool(low <= needed <= high) if mine else None,
            "calibrated": calibrated,
        }


def _length(year: FinancialYear, per: str | None) -> float:
    """Give how many nights, weeks, months... an average stock of one lives through in a year; 1 for a flow."""
    if per is None:
        return 1.0
    return float(PERIODS_A_YEAR[per]) if per in PERIODS_A_YEAR else ((year.end - year.start).days + 1) / DAYS[per]


def _shock(events: Sequence[Event], year: FinancialYear) -> str:
    names = [e.name for e in events if e.kind == "shock" and pd.Timestamp(e.start) <= year.end]
    ends = {e.name: pd.Timestamp(e.end) for e in events if e.kind == "shock" and e.end is not None}
    return "; ".join(n for n in names if n in ends and ends[n] >= year.start)


def _sentence(rows: pd.DataFrame, method: str) -> str:
    off, needed = rows["error_pence"].abs().mean() / 100, rows["actual_pence"].mean() / 100
    years = sorted(rows["financial_year"])
    about = f"{len(rows)} years, {years[0]} to {years[-1]}"
    told = f"{method[0].upper()}{method[1:]}: {off:,.0f} GBP off on average ({off / needed:.1%}) in {about}"
    judged = rows[rows["calibrated"].astype(bool)].dropna(subset=["inside"])
    if len(judged):
        told += f"; {int(judged['inside'].sum())} of {len(judged)} inside the range that was to hold 4 in 5"
    return told + "."
