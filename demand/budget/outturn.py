"""What the year will have cost: spent so far, committed, and the rest as it is forecast, line by line and draw by draw.

In: `Cost`, the budget's lines, the ledger to the end of a period, and the history. Out: outturn.csv. Refuses what the lines refuse.

The rule against counting twice. The ledger speaks for everything up to the end of its period: what the forecast says of those months is not
used. Of the months after it, the forecast says what all demand will cost, and commitments are part of that demand: in each draw, what is
added to the spending to date is the commitments or what the forecast comes to, whichever is more, never both. Commitments for things that
the forecast does not price are marked `beside` and added.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from demand.budget.lines import KINDS, PAID, TOTAL, BudgetSpec, owning_lines, pence
from demand.budget.period_costs import by_period
from demand.budget.prices import Cost, price
from demand.calendar import FinancialYear
from demand.ended import with_ended
from demand.scenario import BASELINE
from demand.scenario.application import PRICES
from demand.tables import History, frequency_of

__all__ = ["OUTTURN", "outturn", "outturn_notes", "remainder"]

OUTTURN = [
    "line", "financial_year", "period", "original_budget_pence", "virement_pence", "current_budget_pence", "actual_pence", "accrual_pence",
    "commitment_pence", "remainder_pence", "projected_pence", "p10_pence", "p50_pence", "p90_pence", "variance_pence", "p_overspend",
    "previous_pence", "movement_pence",
]  # fmt: skip
"""The columns of outturn.csv."""
SPENT = ("original_budget", "virement", "current_budget", "actual", "accrual", "commitment")
MONTHS = 12


def last_day(year: FinancialYear, period: int) -> pd.Timestamp:
    """Give the last day of a finance period: P01 is the first month, closing periods are the end of the year."""
    return year.start + pd.DateOffset(months=min(period, MONTHS)) - pd.Timedelta(days=1)


def remainder(cost: Cost, history: History, *, until: pd.Timestamp, seed: int) -> xr.DataArray:
    """Price what falls after a day, to the end of its financial year, draw by draw, under the baseline.

    Parameters
    ----------
    cost : Cost
    history : History
        Counted before the forecast. Periods that were counted but lie after the day are priced as they were counted: the ledger is behind
        the count. Periods of the forecast before the day are left out: the ledger is ahead of it.
    until : pandas.Timestamp
        The last day that the ledger speaks for.
    seed : int
        The seed of `price`, so that prices are the same draws.

    Returns
    -------
    xarray.DataArray
        GBP, dims (series, draw), the priced series. A period that holds the day counts by its days after it. NaN where a period that is
        needed was not counted, and all NaN where the forecast ends before the year.
    """
    start = cost.exposure.start_month
    demand, counted = with_ended(cost.demand.sel(scenario=[BASELINE]).drop_vars(PRICES, errors="ignore"), history, start_month=start)
    frequency, wide = frequency_of(demand), counted.wide
    late = wide.index[frequency.end_of(pd.DatetimeIndex(wide.index)) > until]
    known: History | None = counted
    if len(late):
        before = wide.index[wide.index < late[0]]
        known = counted.until(before[-1]) if len(before) else None
        values = wide.loc[late, demand["series"].to_numpy()].to_numpy().T[None, :, :, None]
        shape = (1, demand.sizes["series"], len(late), demand.sizes["draw"])
        about = {n: c for n, c in demand.coords.items() if "ds" not in c.dims}
        seen = xr.DataArray(np.broadcast_to(values, shape), dims=("scenario", "series", "ds", "draw"), coords={**about, "ds": late})
        ordered = demand.transpose("scenario", "series", "ds", "draw")
        demand = xr.concat([seen, ordered], dim="ds", coords="minimal", compat="override").assign_attrs(demand.attrs)
    again = price(demand, [p.cost for p in cost.parts], seed=seed, history=known, start_month=start, course=cost.course)
    pounds = by_period(again).sel(scenario=BASELINE)
    ds = pd.DatetimeIndex(pounds["ds"].to_numpy())
    first, last, end = frequency.start_of(ds), frequency.end_of(ds), FinancialYear.of(until, start).end
    begins = first.where(first > until, until + pd.Timedelta(days=1))
    days = np.clip(np.asarray((last.where(last <= end, end) - begins).days) + 1, 0, None)
    used = np.flatnonzero(days > 0)
    if last[-1] < end:
        return pounds.isel(ds=0, drop=True) * np.nan
    share = xr.DataArray(days[used] / frequency.days_in(ds)[used], dims="ds")
    return (pounds.isel(ds=used) * share).sum("ds", skipna=False)


def outturn(
    cost: Cost, spec: BudgetSpec, ledger: pd.DataFrame, history: History, *, seed: int, previous: pd.DataFrame | None = None,
    commitments: Literal["within", "beside"] = "within", basis: Literal["net", "gross"] = "net",
) -> pd.DataFrame:  # fmt: skip
    """Project the outturn of the year: actual + accruals + commitments + what the forecast comes to beyond them.

    Parameters
    ----------
    cost : Cost
    spec : BudgetSpec
    ledger : pandas.DataFrame
        From `demand.data.ledger.read_actuals`.
    history : History
        Counted before the forecast, without declared totals.
    seed : int
        The run's seed.
    previous : pandas.DataFrame, optional
        The outturn.csv of an earlier month.
    commitments, basis : str
        See `ActualsSpec`.

    Returns
    -------
    pandas.DataFrame
        `OUTTURN`, a row a line of the ledger, then `TOTAL`. projected_pence = actual + accrual + commitment + remainder, to the penny, and
        lines add up to the total; variance_pence is the projection less the current budget; ranges come from the draws and do not add up.
        A line whose remainder cannot be told (a period was not counted) is left out.

    Notes
    -----
    Items of a line are known by the year and spread evenly over its months: of a net ledger all of them, of a gross one fixed and step
    costs, which are paid before anything comes in.
    """
    year = FinancialYear.parse(str(ledger["financial_year"].iloc[0]), cost.exposure.start_month)
    until = last_day(year, int(ledger["period"].iloc[0]))
    left = remainder(cost, history, until=until, seed=seed)
    owners = dict(zip(cost.years["series"].to_numpy(), owning_lines(cost, spec), strict=True))
    position = np.array([owners.get(i, -1) for i in left["series"].to_numpy()])
    values, draws = left.transpose("series", "draw").to_numpy(), left.sizes["draw"]
    rows, drawn, kept = [], [], []
    for at, line in enumerate(spec.lines):
        mine = ledger[ledger["line"] == line.name]
        ahead = values[position == at].sum(axis=0) + _items(cost, line.name, year, until, KINDS if basis == "net" else PAID)
        if mine.empty or not np.isfinite(ahead).all():
            continue
        spent = mine.iloc[0]
        beyond = ahead if commitments == "beside" else np.maximum(ahead - float(spent["commitment"]), 0.0)
        rows.append([float(spent[c]) for c in SPENT])
        drawn.append(float(spent["actual"] + spent["accrual"] + spent["commitment"]) + np.broadcast_to(beyond, draws))
        kept.append(line.name)
    if not kept:
        return pd.DataFrame(columns=OUTTURN)
    return _table(kept, np.array(rows), np.array(drawn), ledger, previous)


def _items(cost: Cost, line: str, year: FinancialYear, until: pd.Timestamp, kinds: Sequence[str]) -> np.ndarray | float:
    """Give the part of the year's items of a line, of some kinds, that falls after a day, spread evenly over the months."""
    if str(year) not in cost.labels or not cost.items.sizes["item"]:
        return 0.0
    mine = cost.items.sel(scenario=BASELINE, financial_year=str(year)).isel(
        item=np.flatnonzero((cost.items["line"].to_numpy() == line) & np.isin(cost.items["kind"].to_numpy(), kinds))
    )
    months = (year.end.year - until.year) * MONTHS + year.end.month - until.month
    return np.asarray(mine.transpose("item", "draw").sum("item").to_numpy() * months / MONTHS)


def _table(names: list[str], spent: np.ndarray, drawn: np.ndarray, ledger: pd.DataFrame, previous: pd.DataFrame | None) -> pd.DataFrame:
    """Round once: each amount to the penny, the remainder so that lines add up to their projections and these to their total."""
    whole = np.array([[int(v) for v in np.rint(row * 100)] for row in spent], dtype=np.int64)
    projected = pence(drawn.mean(axis=1))
    names, whole = [*names, TOTAL], np.vstack([whole, whole.sum(axis=0)])
    projected = np.append(projected, projected.sum())
    drawn = np.vstack([drawn, drawn.sum(axis=0)])
    budget = whole[:, SPENT.index("current_budget")]
    low, middle, high = np.rint(np.quantile(drawn, [0.1, 0.5, 0.9], axis=1) * 100).astype(np.int64)
    table = pd.DataFrame({f"{c}_pence": whole[:, j] for j, c in enumerate(SPENT)})
    table = table.assign(
        line=names,
        financial_year=ledger["financial_year"].iloc[0],
        period=ledger["period"].iloc[0],
        remainder_pence=projected - whole[:, 3:].sum(axis=1),
        projected_pence=projected,
        p10_pence=low,
        p50_pence=middle,
        p90_pence=high,
        variance_pence=projected - budget,
        p_overspend=(drawn * 100 > budget[:, None]).mean(axis=1),
    )
    before = {} if previous is None else _of_year(previous, str(table["financial_year"].iloc[0]))
    then = pd.array([before.get(name) for name in names], dtype="Int64")
    return table.assign(previous_pence=then, movement_pence=pd.array(table["projected_pence"], dtype="Int64") - then)[OUTTURN]


def _of_year(previous: pd.DataFrame, year: str) -> dict[str, int]:
    rows = previous[previous["financial_year"] == year]
    return {str(k): int(v) for k, v in zip(rows["line"], rows["projected_pence"], strict=True)}


def outturn_notes(table: pd.DataFrame, spec: BudgetSpec, ledger: pd.DataFrame, *, commitments: str = "within") -> tuple[str, ...]:
    """Say how the projection was made, and which lines have none.

    Parameters
    ----------
    table : pandas.DataFrame
        From `outturn`.
    spec : BudgetSpec
    ledger : pandas.DataFrame
    commitments : str
    """
    lost = [line.name for line in spec.lines if line.name not in set(table["line"])]
    rule = (
        "commitments are part of what the forecast prices, so in each possible future the larger of the two is added, never both"
        if commitments == "within"
        else "commitments are for things that the forecast does not price, so both are added"
    )
    period = int(ledger["period"].iloc[0])
    told = [f"Projected outturn: spent and accrued to the end of P{period:02d}, commitments, and the forecast of the months after; {rule}."]
    if lost:
        told.append(f"No projected outturn for {', '.join(lost)}: not in the ledger, or a month after it was not counted or not forecast.")
    return tuple(told)
