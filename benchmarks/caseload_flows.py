"""Whether a stock forecast gains from its flows: python benchmarks/caseload_flows.py shelter_flow_toronto_monthly.csv.

The table has no people, but for each group the stock and what came and went in the month. At each cutoff the stock is carried on from
forecasts of who comes and of the share who leave; beside it stands the same engine on the counts of the stock alone, and the mean of
both. Prints the mean absolute error over groups, cutoffs and months ahead, over that of the engine without flows.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

from demand.calendar import Frequency
from demand.models import build
from demand.tables import History

MONTHLY, AHEAD, MODELS = Frequency("M"), 12, ("ces", "ets", "theta")
CAME = ("newly_identified", "returned_from_housing", "returned_to_shelter")
LEFT = ("moved_to_housing", "became_inactive")
STOCK = "actively_homeless"


def said(wide: pd.DataFrame, kind: str) -> np.ndarray:
    """Forecast each column with the mean of three models, shape (months, columns)."""
    long = wide.rename_axis("ds").reset_index().melt("ds", var_name="unique_id", value_name="y")
    history = History.of(long, MONTHLY, kind=kind)
    paths = [build(m).predict(history, AHEAD, seed=1).means.pivot(index="ds", columns="unique_id", values="mean") for m in MODELS]
    return np.asarray(np.mean([p[list(wide.columns)].to_numpy() for p in paths], axis=0))


def main() -> None:
    """Replay and tell."""
    table = pd.read_csv(sys.argv[1], parse_dates=["ds"])
    by = {m: t.pivot(index="ds", columns="population_group", values="y") for m, t in table.groupby("measure")}
    groups = [g for g in by[STOCK] if by[STOCK][g].notna().all() and all(g in by[m] for m in (*CAME, *LEFT))]
    stock = by[STOCK][groups]
    came, left = (sum(by[m][groups] for m in names) for names in (CAME, LEFT))
    gap = (stock.diff() - (came - left)).abs().sum() / stock.diff().abs().sum()
    print(f"{len(groups)} groups; what does not add up, of what changes: {gap.median():.2f} (median group)")
    errors: dict[str, list[np.ndarray]] = {}
    for end in range(36, len(stock) - AHEAD, 3):
        past, truth = slice(0, end), stock.iloc[end : end + AHEAD].to_numpy()
        plain = said(stock.iloc[past], "stock")
        coming = said(came.iloc[past], "flow")
        rate = (left / stock.shift()).iloc[past].tail(12).mean().to_numpy()
        now, path = stock.iloc[end - 1].to_numpy(), []
        for month in coming:
            now = now * (1 - rate) + month
            path.append(now)
        flow = np.array(path)
        size = stock.iloc[past].mean().to_numpy()
        for name, one in (("stock alone", plain), ("from flows", flow), ("mean of both", (plain + flow) / 2)):
            errors.setdefault(name, []).append(np.abs(one - truth) / size)
    base = np.mean(errors["stock alone"])
    for name, found in errors.items():
        each = [np.mean([e[k - 1].mean() for e in found]) / np.mean([e[k - 1].mean() for e in errors["stock alone"]]) for k in (1, 6, 12)]
        steps = " ".join(f"{e:.3f}" for e in each)
        print(f"{name:14} error {np.mean(found) / base:.3f}  after 1, 6, 12 months {steps}  ({len(found)} cutoffs)")


if __name__ == "__main__":
    main()
