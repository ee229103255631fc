"""Small forecasts, changes, prices and budgets for the tests of scenarios and money."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from demand.budget import UnitCost
from demand.calendar import Frequency
from demand.scenario import Change
from demand.spec import Assumption
from demand.tables import History, make_draws

PASSPORT = {"source": "test", "as_of": "2026-03-31", "owner": "tests"}
SERIES = [(area, kind_of) for area in ("North", "South") for kind_of in ("bnb", "hostel")]


def number(value: float, low: float | None = None, high: float | None = None, unit: str = "ratio", **more: Any) -> Assumption:
    low, high = value if low is None else low, value if high is None else high
    return Assumption.model_validate({"value": value, "low": low, "high": high, "unit": unit, **PASSPORT, **more})


def change(name: str = "fewer", effect: str = "multiply", *, size: Assumption | None = None, **more: Any) -> Change:
    return Change.model_validate({"name": name, "effect": effect, "size": size or number(0.9, 0.8, 0.95), **more})


def unit_cost(name: str, where: dict[str, Any], amount: Assumption, *, uplift: Assumption | None = None, **more: Any) -> UnitCost:
    return UnitCost.model_validate({"name": name, "where": where, "amount": amount, "uplift": uplift, **more})


def forecast(
    code: str = "M", *, kind: str | Sequence[str] = "stock", unit: str = "households", first: str = "2025-04-01", past: int = 15,
    ahead: int = 33, draws: int = 40, mean: float = 30.0, year_end_month: int = 3,
) -> tuple[xr.DataArray, History]:  # fmt: skip
    """Four series in two areas: counted `past` periods from `first` on, then forecast."""
    rng = np.random.default_rng(7)
    frequency = Frequency(code, year_end_month)
    ds = frequency.periods(pd.Timestamp(first), past)
    kinds = [kind] * len(SERIES) if isinstance(kind, str) else list(kind)
    rows = [
        {"unique_id": f"{area}/{of}", "ds": day, "y": float(rng.poisson(mean)), "area": area, "type": of, "kind": k, "unit": unit}
        for (area, of), k in zip(SERIES, kinds, strict=True)
        for day in ds
    ]
    history = History.of(pd.DataFrame(rows), frequency, keys=["area", "type"])
    values = rng.poisson(mean, (len(SERIES), ahead, draws))
    future = frequency.after(history.last, ahead)
    return make_draws(values, history.series, future, frequency=frequency, cutoff=history.last, seed=1, fingerprint="test"), history


def weekly_prices() -> list[UnitCost]:
    growth = number(0.03, 0.02, 0.05, "per year")
    return [
        unit_cost("bed and breakfast", {"type": "bnb"}, number(500, 450, 600, "GBP/household/week"), uplift=growth),
        unit_cost("hostel place", {"type": "hostel"}, number(300, 250, 320, "GBP/household/week")),
    ]


def effects(draws: xr.DataArray, driver: str = "rents", elasticity: float = 0.8) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    index = pd.MultiIndex.from_product([draws["series"].to_numpy(), range(draws.sizes["draw"])], names=["unique_id", "draw"])
    table = index.to_frame(index=False).assign(driver=driver, source="test", observed_low=80.0, observed_high=120.0)
    return table.assign(elasticity=elasticity + 0.1 * rng.standard_normal(len(table)))
