"""The tables of money of a whole run, worked out once more from its draws and the prices of its config, one month and one series at a time.

Nothing of `demand.budget` is used: a figure that agrees here has been come to in two ways.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise, permutations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from demand.scenario import apply
from demand.tables import draws_from_arrow
from pipelines.config import RunConfig

PENNY = 1.0
"""The largest remainder may round an amount up or down: less than a penny."""


def year_of(day: pd.Timestamp) -> str:
    first = day.year if day.month >= 4 else day.year - 1
    return f"{first}-{(first + 1) % 100:02d}"


def amount(number: Any, places: np.ndarray) -> np.ndarray:
    return number.value + places * np.where(places < 0, number.value - number.low, number.high - number.value)


@pytest.fixture(scope="module")
def again(tiny_run: Callable[[str], Path]) -> SimpleNamespace:
    """Walk through every month of the last counted year and of the forecast."""
    folder = tiny_run("homelessness")
    config = RunConfig.model_validate(json.loads((folder / "manifest.json").read_text())["config"])
    draws, history = draws_from_arrow(pq.read_table(folder / "draws.parquet")), pd.read_parquet(folder / "history.parquet")
    effects, drivers = (pd.read_parquet(folder / f"{name}.parquet") for name in ("effects", "driver_futures"))
    demand, _ = apply(draws, tuple(config.scenarios.values()), seed=config.seed, effects=effects, drivers=drivers)
    places = {key: one.sort_values("draw")["z"].to_numpy() for key, one in
              pd.read_parquet(folder / "price_draws.parquet").groupby(["cost", "number"])}  # fmt: skip
    wide = history.pivot_table(index="ds", columns="unique_id", values="y")
    about = history.drop_duplicates("unique_id").set_index("unique_id")
    assert config.budget is not None

    def fits(uid: str, where: Any) -> bool:
        return all(str(about.loc[uid, key]) in ([values] if isinstance(values, str) else list(values)) for key, values in where.items())

    used, price = defaultdict(float), {}
    for scenario in demand["scenario"].to_numpy():
        for uid in (str(s) for s in draws["series"].to_numpy()):
            (cost,) = [c for c in config.costs if fits(uid, c.where)]
            counted = [(day, np.full(draws.sizes["draw"], y)) for day, y in wide[uid].items()]
            ahead = zip(demand["ds"].to_numpy(), demand.sel(scenario=scenario, series=uid).transpose("ds", "draw").to_numpy(), strict=True)
            months = [*counted, *((pd.Timestamp(day), closing.astype(float)) for day, closing in ahead)]
            for (_, opening), (day, closing) in pairwise(months):
                weeks = (opening + closing) / 2 * day.days_in_month / 7
                used[str(scenario), uid, year_of(day)] += weeks if "week" in cost.amount.unit else closing
                turns = int(year_of(day)[:4]) - int(year_of(pd.Timestamp(cost.amount.as_of))[:4])
                grown = (1 + amount(cost.uplift, places[cost.name, "uplift"])) ** turns
                price[uid, year_of(day)] = amount(cost.amount, places[cost.name, "amount"]) * grown
    lines = {uid: next(line.name for line in config.budget.lines if fits(uid, line.where)) for uid in {u for _, u, _ in used}}
    pounds = defaultdict(float)
    for (scenario, uid, year), quantity in used.items():
        for line in (lines[uid], "total"):
            pounds[scenario, line, year] += quantity * price[uid, year]
    budgets = {(line.name, year): pounds for line in config.budget.lines for year, pounds in line.years.items()}
    for year in {y for _, y in budgets}:
        budgets["total", year] = sum(budgets[line.name, year] for line in config.budget.lines)
    segment = about["segment"].astype(str).to_dict()
    return SimpleNamespace(folder=folder, used=used, price=price, lines=lines, pounds=pounds, budgets=budgets, segment=segment)


def table(again: SimpleNamespace, name: str) -> pd.DataFrame:
    found = pd.read_csv(again.folder / name)
    assert len(found) > 10
    return found


def test_budget_and_risk(again: SimpleNamespace) -> None:
    budget = table(again, "budget.csv")
    for row in budget.itertuples():
        pence = again.pounds[row.scenario, row.line, row.financial_year] * 100
        told = [row.gross_pence, row.expected_pence, row.p10_pence, row.p50_pence, row.p90_pence]
        assert told == pytest.approx([pence.mean(), pence.mean(), *np.quantile(pence, [0.1, 0.5, 0.9])], abs=PENNY)
        assert row.p_overspend == pytest.approx((pence > again.budgets[row.line, row.financial_year] * 100).mean())
    for row in table(again, "risk.csv").itertuples():
        over = (
            np.clip(again.pounds[row.scenario, row.line, row.financial_year] - again.budgets[row.line, row.financial_year], 0, None) * 100
        )
        told = [row.reserve_p80_pence, row.reserve_p95_pence, row.expected_overspend_pence]
        assert told == pytest.approx([*np.quantile(over, [0.8, 0.95]), over.mean()], abs=PENNY)
    periods = table(again, "finance_periods.csv").groupby(["scenario", "line", "financial_year"])[
        ["gross_pence", "paid_pence", "net_pence"]
    ]
    whole = budget.set_index(["scenario", "line", "financial_year"])["expected_pence"]
    assert periods.sum().sub(whole, axis=0).abs().to_numpy().max() == 0


def test_steps_between_scenarios_in_pounds(again: SimpleNamespace) -> None:
    steps = table(again, "waterfall.csv").query("measure == 'pounds'")
    for (a, b, year), block in steps.groupby(["from", "to", "financial_year"]):
        moved = again.pounds[b, "total", year] - again.pounds[a, "total", year]
        assert block["amount"].sum() == pytest.approx(moved.mean(), abs=0.01)
        told = block[["difference_low", "difference_high"]].iloc[0].tolist()
        assert told == pytest.approx(np.quantile(moved, [0.1, 0.9]).tolist(), abs=0.01)


def test_plan_and_bridge(again: SimpleNamespace) -> None:
    for (scenario, line, year), block in table(again, "mtfp.csv").groupby(["scenario", "line", "financial_year"]):
        before = f"{int(year[:4]) - 1}-{year[2:4]}"
        moved = again.pounds[scenario, line, year].mean() - again.pounds[scenario, line, before].mean()
        assert block["medium_pence"].sum() == pytest.approx(moved * 100, abs=PENNY)
    bridge = table(again, "bridge.csv")
    for (scenario, line, _, year), block in bridge.groupby(["scenario", "line", "from", "to"]):
        end = block["kind"] == "end"
        assert block.loc[~end, "amount_pence"].sum() == block.loc[end, "amount_pence"].sum()
        assert block.loc[end, "amount_pence"].item() == pytest.approx(again.pounds[scenario, line, year].mean() * 100, abs=PENNY)
    line, uids = "temporary accommodation", [u for u, of in again.lines.items() if of == "temporary accommodation"]
    for a, b in (("2025-26", "2026-27"), ("2026-27", "2027-28")):
        used = [np.array([again.used["baseline", u, year] for u in uids]) for year in (a, b)]
        factors = [
            [u.sum(axis=0), u / u.sum(axis=0), np.array([again.price[i, y] for i in uids])] for u, y in zip(used, (a, b), strict=True)
        ]
        shares = np.zeros(3)
        for order in permutations(range(3)):
            now, before = [0, 0, 0], (factors[0][0] * factors[0][1] * factors[0][2]).sum(axis=0).mean()
            for factor in order:
                now[factor] = 1
                after = np.prod(np.broadcast_arrays(*(factors[n][k] for k, n in enumerate(now))), axis=0).sum(axis=0).mean()
                shares[factor], before = shares[factor] + (after - before) / 6, after
        mine = (bridge["scenario"] == "baseline") & (bridge["line"] == line) & (bridge["from"] == a)
        told = bridge[mine].set_index("step")["amount_pence"][["volume", "mix", "price"]].tolist()
        assert told == pytest.approx((shares * 100).tolist(), abs=PENNY)


def test_pounds_by_segment(again: SimpleNamespace) -> None:
    for row in table(again, "segment_cost.csv").itertuples():
        mine = [uid for uid in again.lines if again.segment[uid] == row.segment]
        pence = sum(again.used[row.scenario, u, row.financial_year] * again.price[u, row.financial_year] for u in mine) * 100
        assert [row.expected_pence, row.p90_pence] == pytest.approx([pence.mean(), np.quantile(pence, 0.9)], abs=PENNY)
