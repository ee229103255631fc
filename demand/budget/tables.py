"""The tables of money that are stored: cost.parquet, budget.csv and risk.csv.

In: `Cost` and the budget's lines. Out: tables. A line is integer pence, rounded once, so that lines add up to their total, and gross,
income, grants and savings of a line to its net; ranges of a total come from its own draws and are not the sum of the lines.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from demand.budget.lines import PAID, TOTAL, BudgetSpec, gross_costs, item_costs, line_budgets, line_costs, pence, shortfall
from demand.budget.prices import Cost
from demand.budget.shares import net_of_series
from demand.tables import QUANTILES, quantile_columns

__all__ = ["budget_table", "cost_table", "risk_table"]

MISSED = "saving not delivered: "
"""What comes before the name of a saving in risk.csv."""
COLUMNS = [
    "scenario", "line", "financial_year", "months_actual", "budget_pence", "gross_pence", "income_pence", "grant_pence", "saving_pence",
    "expected_pence", "p10_pence", "p50_pence", "p90_pence", "p_overspend", "tested",
]  # fmt: skip
"""The columns of budget.csv."""
SUMS = ("gross_pence", "income_pence", "grant_pence", "saving_pence", "expected_pence")
"""Those of them that add up: across, to the last one; and down, to the total."""


def budget_table(cost: Cost, spec: BudgetSpec, *, tested_until: pd.Timestamp | None = None) -> pd.DataFrame:
    """Make budget.csv: each line by scenario and whole financial year, in pence.

    Parameters
    ----------
    cost : Cost
    spec : BudgetSpec
    tested_until : pandas.Timestamp, optional
        A day in the last period that lies within the longest horizon that the backtest tried. Ranges of later years were not tested.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`. expected_pence is net, as are its range and p_overspend: the sum of gross_pence (fixed and step costs among it),
        income_pence, grant_pence and saving_pence, which are below zero. Lines add up to `TOTAL` in these five, to the penny; ranges do not
        add up. Missing where a line has no budget.
    """
    pounds = line_costs(cost, spec)
    names = [str(n) for n in pounds["line"].to_numpy()]
    budgets = line_budgets(spec, names, cost.labels)
    values, parts = pounds.to_numpy(), _parts(cost, spec)
    low, middle, high = np.quantile(values, [0.1, 0.5, 0.9], axis=-1) if values.size else np.empty((3, *values.shape[:-1]))
    expected = values.mean(axis=-1)
    over = (values > budgets[None, :, :, None]).mean(axis=-1)
    until = None if tested_until is None else cost.exposure.frequency.end_of(pd.DatetimeIndex([tested_until]))[0]
    rows = []
    for s, scenario in enumerate(pounds["scenario"].to_numpy()):
        for y, year in enumerate(cost.exposure.years):
            whole = _rounded(expected[s, :, y], parts[:, s, :, y], names)
            for n, name in enumerate(names):
                if np.isfinite(expected[s, n, y]):
                    budget = budgets[n, y]
                    rows.append({
                        "scenario": scenario, "line": name, "financial_year": str(year), "months_actual": cost.exposure.months_actual[y],
                        "budget_pence": _penny(budget), **dict(zip(SUMS, whole[n], strict=True)), "p10_pence": _penny(low[s, n, y]),
                        "p50_pence": _penny(middle[s, n, y]), "p90_pence": _penny(high[s, n, y]),
                        "p_overspend": over[s, n, y] if np.isfinite(budget) else np.nan, "tested": until is not None and year.end <= until,
                    })  # fmt: skip
    return _typed(pd.DataFrame(rows, columns=COLUMNS), "months_actual")


def risk_table(cost: Cost, spec: BudgetSpec) -> pd.DataFrame:
    """Make risk.csv: for each line with a budget, the chance of overspending and the reserve that would cover it.

    Returns
    -------
    pandas.DataFrame
        scenario, line, financial_year, p_overspend; reserve_p80_pence and reserve_p95_pence (what must lie beside the budget so that it
        suffices 4 years in 5, 19 in 20); expected_overspend_pence (averaged over all futures, those without an overspend among them);
        overspend_if_it_happens_pence (averaged over those with one; missing where there is none). Savings have rows of their own, with the
        line "saving not delivered: NAME": how likely, and by how much, less comes of them than was planned.
    """
    short = shortfall(cost, spec)
    rows = _risks(cost, short.to_numpy(), [str(n) for n in short["line"].to_numpy()])
    savings = cost.items.isel(item=np.flatnonzero(cost.items["kind"].to_numpy() == "saving"))
    missed = (savings["target"] + savings).transpose("scenario", "item", "financial_year", "draw").clip(min=0).to_numpy()
    missed[(savings["target"].transpose("scenario", "item", "financial_year") == 0).to_numpy()] = np.nan
    rows += _risks(cost, missed, [f"{MISSED}{name}" for name in savings["item"].to_numpy()])
    columns = ["scenario", "line", "financial_year", "p_overspend", "reserve_p80_pence", "reserve_p95_pence", "expected_overspend_pence",
               "overspend_if_it_happens_pence"]  # fmt: skip
    return _typed(pd.DataFrame(rows, columns=columns))


def _risks(cost: Cost, short: np.ndarray, names: Sequence[str]) -> list[dict[str, object]]:
    """Give a row for each scenario, name and year of what is short: GBP, shape (scenarios, names, years, draws)."""
    rows: list[dict[str, object]] = []
    for s, n, y in np.ndindex(*short.shape[:3]):
        over = short[s, n, y]
        if np.isfinite(over).all():
            reserve = np.quantile(over, [0.8, 0.95])
            happens = over[over > 0].mean() if (over > 0).any() else np.nan
            rows.append({
                "scenario": cost.years["scenario"].to_numpy()[s], "line": names[n], "financial_year": cost.labels[y],
                "p_overspend": (over > 0).mean(), "reserve_p80_pence": _penny(reserve[0]), "reserve_p95_pence": _penny(reserve[1]),
                "expected_overspend_pence": _penny(over.mean()), "overspend_if_it_happens_pence": _penny(happens),
            })  # fmt: skip
    return rows


def cost_table(cost: Cost, spec: BudgetSpec | None = None) -> pd.DataFrame:
    """Make cost.parquet: GBP by scenario, series and whole financial year.

    Parameters
    ----------
    cost : Cost
    spec : BudgetSpec, optional
        Its lines, for what stands beside the series; without it, nothing does.

    Returns
    -------
    pandas.DataFrame
        scenario, unique_id, financial_year, months_actual, expected, then the quantiles, all of them gross; net, expected too (see
        `net_of_series`). Only `expected` and `net` may be summed. Without a row where no financial year is covered whole.
    """
    values = cost.years.transpose("scenario", "series", "financial_year", "draw").to_numpy()
    index = pd.MultiIndex.from_product(
        [cost.years["scenario"].to_numpy(), cost.years["series"].to_numpy(), range(len(cost.labels))],
        names=["scenario", "unique_id", "year"],
    )
    table = index.to_frame(index=False)
    year = table.pop("year").to_numpy(dtype=int)
    table["financial_year"] = np.array(cost.labels, dtype=object)[year]
    table["months_actual"] = np.array(cost.exposure.months_actual, dtype=int)[year]
    flat = values.reshape(len(table), values.shape[-1])
    table["expected"] = flat.mean(axis=1)
    table[quantile_columns()] = np.quantile(flat, QUANTILES, axis=1).T
    table["net"] = table["expected"] if spec is None else net_of_series(cost, spec).reshape(len(table))
    return table[table["expected"].notna()].reset_index(drop=True)


def _parts(cost: Cost, spec: BudgetSpec) -> np.ndarray:
    """Give expected GBP of what each line is made of: shape (gross, income, grant and saving; scenarios, lines, years)."""
    paid = gross_costs(cost, spec) + item_costs(cost, spec, PAID)
    several = [paid, *(item_costs(cost, spec, (kind,)) for kind in ("income", "grant", "saving"))]
    return np.stack([one.to_numpy().mean(axis=-1) for one in several])


def _rounded(expected: np.ndarray, parts: np.ndarray, names: Sequence[str]) -> list[list[int]]:
    """Round one scenario and year so that lines add up to their total, and parts to their line. Gives, by line, the parts and then net."""
    lines = [n for n, name in enumerate(names) if name != TOTAL and np.isfinite(expected[n])]
    net = dict(zip(lines, pence(expected[lines]).tolist(), strict=True))
    known = {n: [*pence(parts[:, n], total=whole).tolist(), whole] for n, whole in net.items()}
    if not lines and np.isfinite(expected[-1]):
        whole = _penny(expected[-1])
        return [[]] * (len(names) - 1) + [[*pence(parts[:, -1], total=whole).tolist(), whole or 0]]
    return [*(known.get(n, []) for n in range(len(names) - 1)), np.sum(list(known.values()), axis=0).tolist() if known else []]


def _penny(pounds: float) -> int | None:
    return int(np.rint(pounds * 100)) if np.isfinite(pounds) else None


def _typed(table: pd.DataFrame, *more: str) -> pd.DataFrame:
    whole = [c for c in table.columns if c.endswith("_pence") or c in more]
    return table.astype(dict.fromkeys(whole, "Int64"))
