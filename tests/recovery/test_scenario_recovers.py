"""A scenario that repeats what the example council then does gives ranges that hold the truth, in pounds, for whole financial years.

From April 2027 some of those who would have come do not: in the council whole stays are taken out, so that its stock empties bit by bit;
the analyst says the same with a range, and with a ramp for the stock. The truth in pounds is counted from the episodes, night by night.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from planning_cases import change, number, unit_cost
from scipy.stats import binomtest

from demand.budget import price
from demand.calendar import FinancialYear, Frequency
from demand.data.example import Council, example_council
from demand.forecast import ForecastSpec, forecast
from demand.scenario import Scenario, apply
from demand.spec import stream
from demand.tables import History, make_draws

SERVICE, PEOPLE = "homelessness", 2000
START = "2027-04"
YEARS = ("2026-27", "2027-28", "2028-29")
SIZE = number(0.85, 0.75, 0.95, moves_with="early help")
UPLIFT = number(0.035, 0.02, 0.053, "per year")
HELP = Scenario(
    name="early_help",
    changes=(
        change("fewer come", where={"service": "prevention"}, start=START, size=SIZE),
        change("fewer are placed", where={"service": "ta"}, start=START, size=SIZE, ramp_months=18),
    ),
)


def costs(council: Council) -> list:
    prices = council.prices[SERVICE]
    return [unit_cost(kind, {"type": kind}, amount, uplift=UPLIFT) for kind, amount in prices.items()]


def left(council: Council, share: float, *, seed: int) -> np.ndarray:
    """Say which episodes there still are where only a share of the stays that begin from the start on take place."""
    lives = council.lives(SERVICE)
    stay = pd.MultiIndex.from_arrays([lives.person, lives.spell])
    begins = pd.Series(lives.opened, index=stay).groupby(level=[0, 1]).min()
    after = (begins >= (pd.Timestamp(START) - pd.Timestamp(0)).days).to_numpy()
    kept = ~after | (stream(seed, "who is helped").random(len(begins)) < share)
    return pd.Series(kept, index=begins.index).reindex(stay).to_numpy()


def spent(council: Council, there: np.ndarray, drawn: dict[str, float] | None = None) -> np.ndarray:
    """Count the pounds of each year, night by night; at the episodes' own prices, or at prices that were drawn."""
    lives, plan = council.lives(SERVICE), council.plan(SERVICE)
    types, found = [*plan.prices, plan.front_type], []
    for label in YEARS:
        year = FinancialYear.parse(label)
        first, last = ((d - pd.Timestamp(0)).days for d in (year.start, year.end))
        nights = np.clip(np.minimum(lives.closed, last + 1) - np.maximum(lives.opened, first), 0, None)
        steps = year.first - 2025
        total = 0.0
        for position, kind in enumerate(types):
            placed = there & (lives.type == (position if kind != plan.front_type else -1))
            if kind == plan.front_type:
                amount = drawn[kind] * drawn["growth"] ** steps if drawn else plan.front_cost * np.exp(plan.price_growth * steps)
                total += amount * (placed & (lives.opened >= first) & (lives.opened <= last)).sum()
            elif drawn:
                total += drawn[kind] * drawn["growth"] ** steps * nights[placed].sum() / 7
            else:
                total += (lives.price[placed] * nights[placed]).sum() / 7
        found.append(total)
    return np.array(found)


def spec_of(council: Council) -> ForecastSpec:
    events = [{**e, **({"where": {"service": ["prevention"]}} if e["kind"] == "recording" else {})} for e in council.events]
    return ForecastSpec(horizon=36, models=["theta", "ets"], draws=300, reconcile="bottom_up", events=events)


def inside(demand: xr.DataArray, council: Council, truth: np.ndarray, *, seed: int, history=None, scenario="early_help") -> np.ndarray:
    """Say for each year whether the truth lies in the 80 % range of the scenario's total."""
    cost = price(demand, costs(council), seed=seed, history=history)
    totals = cost.years.sel(scenario=scenario, financial_year=list(YEARS)).sum("series").to_numpy()
    low, high = np.quantile(totals, [0.1, 0.9], axis=1)
    return (low <= truth) & (truth <= high)


def held(found: np.ndarray) -> str:
    return f"{found.mean():.0%} of {found.size} totals of {len(found)} councils; by year {np.round(found.mean(axis=0), 2)}"


def test_with_the_generators_own_future_ranges_hold_at_their_nominal_rate() -> None:
    """Take the futures of other councils as draws, so that only the scenario and the prices are tried, not a model."""
    worlds = [example_council(seed, PEOPLE, service=SERVICE) for seed in range(160)]
    futures = [w.truth.future(SERVICE) for w in worlds]
    ids, ds = futures[0].ids, pd.DatetimeIndex(futures[0].wide.index)[:36]
    values = np.stack([f.wide.reindex(index=ds, columns=ids).to_numpy().T for f in futures], axis=2)
    first, judged, found, without = worlds[0], range(100, 160), [], []
    for seed in judged:
        draws = make_draws(values[:, :, :100], futures[0].series.loc[ids], ds, frequency=Frequency("M"), cutoff=pd.Timestamp("2026-03-01"),
                           seed=seed, fingerprint="generator")  # fmt: skip
        prices = first.prices[SERVICE]
        drawn = {kind: float(a.draw(1, seed=seed, name=f"truth {kind}")[0]) for kind, a in prices.items()}
        drawn["growth"] = 1 + float(UPLIFT.draw(1, seed=seed, name="truth growth")[0])
        share = float(SIZE.model_copy(update={"moves_with": {}}).draw(1, seed=seed, name="truth share")[0])
        truth = spent(worlds[seed], left(worlds[seed], share, seed=seed), drawn)
        demand, _ = apply(draws, [HELP], seed=seed)
        found.append(inside(demand, first, truth, seed=seed))
        without.append(inside(demand, first, truth, seed=seed, scenario="baseline")[-1])
    found = np.array(found)
    hits = found[:, -1].sum()  # the years of one council are no separate evidence
    assert binomtest(int(hits), len(found), 0.8).pvalue > 0.01, held(found)
    assert abs(found.mean() - 0.8) < 0.12, held(found)
    assert np.mean(without) < 0.65, "the forecast without the scenario does as well: nothing was tried"


@pytest.mark.long
def test_with_a_forecast_ranges_hold_the_truth_of_the_council_itself() -> None:
    """Forecast each council from its history, and hold the scenario's range against what that council then does, at its own prices.

    The scenario's own ranges (who is helped, what prices do) are in the total. The forecast alone holds less in its third year: demand
    grows by 6 % a year, trends of the models are damped, and nearly all misses lie above (DECISIONS, 2026-11-23).
    """
    found = []
    for seed in range(1, 31):
        council = example_council(seed, PEOPLE, service=SERVICE)
        history = council.history(SERVICE)
        made = forecast(history, spec_of(council), seed=seed)
        share = float(SIZE.model_copy(update={"moves_with": {}}).draw(1, seed=seed, name="truth share")[0])
        truth = spent(council, left(council, share, seed=seed))
        found.append(inside(apply(made.draws, [HELP], seed=seed)[0], council, truth, seed=seed, history=history))
    found = np.array(found)
    rates = [binomtest(int(hits), len(found), 0.8).pvalue for hits in found.sum(axis=0)]
    assert min(rates) > 0.01, held(found)


@pytest.mark.long
def test_each_april_ranges_of_the_next_year_hold_at_their_nominal_rate() -> None:
    """Forecast each council each April; pounds of the next year at the prices of March 2026."""
    found = []
    for seed in range(1, 11):
        council = example_council(seed, PEOPLE, service=SERVICE)
        prices = {kind: amount.value for kind, amount in council.prices[SERVICE].items()}
        known, ahead = council.history(SERVICE), council.truth.future(SERVICE)
        every = History.of(pd.concat([known.table, ahead.table]).merge(known.series, on="unique_id"), known.frequency, keys=known.keys)
        hits = []
        for year in range(2023, 2029):
            draws = forecast(every.until(pd.Timestamp(year, 3, 1)), spec_of(council), seed=seed).draws[:, :12]
            came = every.wide.loc[pd.DatetimeIndex(draws["ds"]), draws["series"].to_numpy()].to_numpy().T
            weeks = np.where(draws["kind"] == "stock", 365 / 12 / 7, 1.0) * [prices[t] for t in draws["type"].to_numpy()]
            low, high = np.quantile((draws.to_numpy() * weeks[:, None, None]).sum(axis=(0, 1)), [0.1, 0.9])
            hits.append(low <= (came * weeks[:, None]).sum() <= high)
        found.append(hits)
    found = np.array(found)
    assert abs(found.mean() - 0.8) < 0.12, held(found)
