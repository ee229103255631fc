"""A made-up run, small and without any engine, with the tables that a report reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from demand.calendar import FinancialYear
from demand.report import ReportInput, ReportSpec
from demand.tables import QUANTILES, quantile_columns

AREAS, TYPES, YEARS = ("Harbour", "Uplands"), ("bed_and_breakfast", "hostel"), ("2025-26", "2026-27", "2027-28", "2028-29")
CUTOFF, FUTURE = pd.Timestamp("2026-03-01"), pd.date_range("2026-04-01", periods=36, freq="MS")
NORMAL = np.array([-1.96, -1.645, -1.282, -0.842, -0.524, -0.253, 0, 0.253, 0.524, 0.842, 1.282, 1.645, 1.96])


def _series() -> pd.DataFrame:
    rows = [
        {"unique_id": f"ta/{t}/{a}", "service": "ta", "type": t, "area": a, "kind": "stock", "unit": "households"}
        for t in TYPES
        for a in AREAS
    ]
    rows += [
        {"unique_id": f"prevention/advice/{a}", "service": "prevention", "type": "advice", "area": a, "kind": "flow", "unit": "households"}
        for a in AREAS
    ]
    return pd.DataFrame(rows).sort_values("unique_id", ignore_index=True)


def _ranged(frame: pd.DataFrame, mean: np.ndarray, spread: np.ndarray) -> pd.DataFrame:
    values = np.maximum(mean[:, None] + spread[:, None] * NORMAL, 0)
    assert len(QUANTILES) == values.shape[1]
    return pd.concat([frame.reset_index(drop=True), pd.DataFrame({"mean": mean}), pd.DataFrame(values, columns=quantile_columns())], axis=1)


def _history(series: pd.DataFrame) -> pd.DataFrame:
    rng, ds = np.random.default_rng(1), pd.date_range("2018-04-01", CUTOFF, freq="MS")
    parts = []
    for i, row in enumerate(series.itertuples()):
        y = 40 + 15 * i + 0.25 * np.arange(len(ds)) + 5 * np.sin(np.arange(len(ds)) / 6 * np.pi) + rng.normal(0, 3, len(ds))
        parts.append(pd.DataFrame({"unique_id": row.unique_id, "ds": ds, "y": y.round()}))
    return pd.concat(parts).merge(series, on="unique_id")


def _forecast(history: pd.DataFrame) -> pd.DataFrame:
    parts = []
    for name, one in history.groupby("unique_id"):
        t = np.arange(1, 37)
        mean = one["y"].tail(12).mean() + 0.25 * (t + 6) + 5 * np.sin((t + 95) / 6 * np.pi)
        parts.append(
            _ranged(pd.DataFrame({"unique_id": name, "ds": FUTURE, "period_end": FUTURE + pd.offsets.MonthEnd(0)}), mean, 2 + 0.4 * t)
        )
    return pd.concat(parts, ignore_index=True)


def _totals(forecast: pd.DataFrame, series: pd.DataFrame) -> pd.DataFrame:
    about, out = forecast[["unique_id", "ds", "mean"]].merge(series, on="unique_id"), []
    for level, keys in (("total", []), ("service", ["service"]), ("type", ["type"]), ("area", ["area"])):
        by = [*keys, "kind", "unit"]
        periods = about.groupby([*by, "ds"])["mean"].sum().reset_index()
        months = ((periods["ds"].dt.year - 2026) * 12 + periods["ds"].dt.month - 3).to_numpy()
        out.append(
            _ranged(periods.drop(columns="mean"), periods["mean"].to_numpy(), (3 + 0.6 * months) * 1.6).assign(
                level=level, measure="sum", months_actual=0
            )
        )
        years = periods.assign(financial_year=[str(FinancialYear.of(d)) for d in periods["ds"]]).groupby([*by, "financial_year"])["mean"]
        for how, kind in (("sum", "flow"), ("mean", "stock")):
            table = years.agg(how).reset_index()
            table = table[table["kind"] == kind]
            mean = table["mean"].to_numpy()
            out.append(_ranged(table.drop(columns="mean"), mean, mean * 0.08).assign(level=level, measure=how, months_actual=0))
    return pd.concat(out, ignore_index=True).reindex(
        columns=[
            "level",
            "unique_id",
            "service",
            "type",
            "area",
            "kind",
            "unit",
            "ds",
            "financial_year",
            "measure",
            "months_actual",
            "mean",
            *quantile_columns(),
        ]
    )


def _money() -> dict[str, pd.DataFrame]:
    rows, sensitivity, steps = [], [], []
    for scenario, effect in (("baseline", 1.0), ("early_help", 0.94), ("rents_up", 1.05)):
        for i, year in enumerate(YEARS[1:]):
            lines = {"bed_and_breakfast": 2_345_678.91, "hostel": 1_234_567.89}
            for line, base in lines.items():
                rows.append((scenario, line, year, 0, base * 1e2, base * effect * (1.05**i) * 1e2, 0.09))
            rows.append((scenario, "total", year, 0, sum(lines.values()) * 1e2, 0, 0.07))
        steps += [
            ("baseline", scenario, y, c, "pounds", a)
            for y in YEARS[1:]
            for c, a in (("fewer entries", -250_000 * (effect < 1)), ("dearer rents", 180_000 * (effect > 1)), ("interaction", 0.0))
        ]
    table = pd.DataFrame(rows, columns=["scenario", "line", "financial_year", "months_actual", "budget_pence", "expected_pence", "spread"])
    table["expected_pence"], table["budget_pence"] = (
        table["expected_pence"].round().astype(np.int64),
        table["budget_pence"].round().astype(np.int64),
    )
    single = table[table["line"] != "total"].groupby(["scenario", "financial_year"])["expected_pence"].sum()
    whole = table["line"] == "total"
    table.loc[whole, "expected_pence"] = [
        single[s, y] for s, y in zip(table.loc[whole, "scenario"], table.loc[whole, "financial_year"], strict=True)
    ]
    for name, z in (("p10_pence", -1.28), ("p50_pence", 0.0), ("p90_pence", 1.28)):
        table[name] = (table["expected_pence"] * (1 + z * table["spread"])).round().astype(np.int64)
    table["p_overspend"] = np.where(table["expected_pence"] > table["budget_pence"], 0.63, 0.31)
    shares = (0.06, 0.14, 0.03)
    risk = [
        (r.scenario, r.line, r.financial_year, r.p_overspend, *(int(r.expected_pence * share) for share in shares))
        for r in table.itertuples()
    ]
    for i, name in enumerate(("hostel place", "bed and breakfast room", "uplift of hostel place")):
        sensitivity += [(name, y, int((-3 + i) * 6_000_000), int((3.5 - i) * 6_000_000)) for y in YEARS[1:]]
    risk_columns = [
        "scenario",
        "line",
        "financial_year",
        "p_overspend",
        "reserve_p80_pence",
        "reserve_p95_pence",
        "expected_overspend_pence",
    ]
    return {
        "budget": table.drop(columns="spread"),
        "risk": pd.DataFrame(risk, columns=risk_columns),
        "sensitivity": pd.DataFrame(sensitivity, columns=["assumption", "financial_year", "low_pence", "high_pence"]),
        "waterfall": pd.DataFrame(
            [s for s in steps if s[1] != "baseline"], columns=["from", "to", "financial_year", "change", "measure", "amount"]
        ),
    }


def _backtest(history: pd.DataFrame) -> pd.DataFrame:
    parts, rng = [], np.random.default_rng(3)
    for cutoff in pd.date_range("2021-03-01", "2025-03-01", freq="YS-MAR"):
        ahead = history[(history["ds"] > cutoff) & (history["ds"] <= cutoff + pd.DateOffset(years=1))][["unique_id", "ds", "y"]]
        mean = ahead["y"].to_numpy() * (1 + rng.normal(0, 0.04)) + rng.normal(0, 2, len(ahead))
        parts.append(_ranged(ahead.assign(cutoff=cutoff, model="combined", calibrated=True), mean, np.full(len(ahead), 6.0)))
    return pd.concat(parts, ignore_index=True)


def _sums(history: pd.DataFrame) -> pd.DataFrame:
    """Give yearly averages of all households, with ranges that four of five held in."""
    stock = history[history["kind"] == "stock"].groupby("ds")["y"].sum()
    cutoffs = pd.date_range("2021-03-01", "2025-03-01", freq="YS-MAR")
    y = np.array([stock.loc[c + pd.DateOffset(months=1) : c + pd.DateOffset(years=1)].mean() for c in cutoffs])
    about = {"level": "total", "name": "", "kind": "stock", "unit": "households", "span": "year 1", "calibrated": True}
    wide = y * np.array([0.01, 0.1, 0.1, 0.1, 0.1])
    years = [f"{c.year}-{c.year % 100 + 1}" for c in cutoffs]
    return _ranged(pd.DataFrame({"cutoff": cutoffs, "financial_year": years, "y": y, **about}), y * 1.03, wide)


def _explanation(forecast: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    level = history.groupby("unique_id")["y"].apply(lambda y: y.tail(12).mean())
    parts = []
    for share, model in ((0.6, "ets"), (0.4, "lightgbm")):
        rest = forecast["mean"] - forecast["unique_id"].map(level)
        for feature, amount in (
            ("level", forecast["unique_id"].map(level)),
            ("trend", rest * 0.7),
            ("season", rest * 0.1),
            ("private_rent", rest * 0.2),
        ):
            parts.append(forecast[["unique_id", "ds"]].assign(model=model, feature=feature, value=np.nan, contribution=amount * share))
    return pd.concat(parts, ignore_index=True)


def _assumptions() -> pd.DataFrame:
    row = {"unit": "GBP/household/week", "source": "Contract schedule 4", "as_of": "2026-03-31", "owner": "finance team"}
    return pd.DataFrame(
        [
            {
                **row,
                "name": "hostel place",
                "value": 412.0,
                "low": 380.0,
                "high": 450.0,
                "placeholder": False,
                "used_in": "costs > hostel place",
            },
            {
                **row,
                "name": "bed and breakfast room",
                "value": 455.0,
                "low": 400.0,
                "high": 520.0,
                "placeholder": True,
                "used_in": "costs > bed and breakfast room",
            },
            {
                **row,
                "name": "fewer entries",
                "value": 0.94,
                "low": 0.9,
                "high": 0.99,
                "unit": "ratio",
                "placeholder": False,
                "used_in": "scenarios > early_help",
            },
        ]
    )


def _profile() -> pd.DataFrame:
    rows = []
    for name, size in (("A", 820), ("B", 410), ("C", 12)):
        for feature, level, share, average in (
            ("household", "single", 0.7 if name == "A" else 0.2, 0.5),
            ("household", "with children", 0.1 if name == "A" else 0.6, 0.3),
            ("mental_health", "yes", 0.4, 0.33),
        ):
            people = round(size * share)
            row = {
                "segment": name,
                "feature": feature,
                "level": level,
                "people": people,
                "share_or_mean": people / size,
                "average": average,
            }
            ends = {"index": 100 * people / size / average, "low": share - 0.05, "high": share + 0.05, "missing_share": 0.0}
            rows.append(row | ends | {"average": average, "known": size, "segment_people": size, "used": True})
        rows.append(
            {"segment": name, "feature": "age", "level": "mean", "people": size, "share_or_mean": 34.2, "average": 36.0, "index": 95.0}
            | {"low": 33.0, "high": 35.4, "missing_share": 0.0, "known": size, "segment_people": size, "used": True}
        )
    return pd.DataFrame(rows)


def made(**other: Any) -> ReportInput:
    """Give the inputs of a whole report; a keyword replaces a table or a setting."""
    series = _series()
    history = _history(series)
    forecast = _forecast(history)
    demand = pd.concat(
        [
            forecast.assign(scenario=s, mean=forecast["mean"] * e)[["scenario", "unique_id", "ds", "mean", *quantile_columns()]]
            for s, e in (("baseline", 1), ("early_help", 0.94), ("rents_up", 1.05))
        ]
    )
    cost = pd.DataFrame(
        [("baseline", u, y, 900_000.0) for u in series["unique_id"] if u.startswith("ta") for y in YEARS[1:]],
        columns=["scenario", "unique_id", "financial_year", "expected"],
    )
    summary = [
        (m, level, "all", k, v, 5, 25, "holds" if k.startswith("coverage") else "")
        for m, f in (("combined", 1.0), ("seasonal_naive", 1.4))
        for level in ("series", "total")
        for k, v in (("mase", 0.71 * f), ("coverage80", 0.81), ("bias", 0.02))
    ]
    summary.append(("combined", "total", "year 1", "coverage80", 0.8, 5, 5, "4 of 5"))
    given: dict[str, Any] = {
        "title": "Homelessness and temporary accommodation",
        "run": {
            "name": "homelessness",
            "seed": 2026,
            "as_of": "2026-03-31",
            "cutoff": "2026-03-01",
            "frequency": "M",
            "draws": 500,
            "horizon": 36,
            "fingerprint": "0123456789abcdef",
            "models": ["seasonal_naive", "ets", "lightgbm"],
            "data": {"history.csv": "abc"},
            "versions": {"pandas": "2.3.3"},
        },
        "spec": ReportSpec(),
        "history": history,
        "forecast": forecast,
        "totals": _totals(forecast, series),
        "backtest": _backtest(history),
        "explanation": _explanation(forecast, history),
        "backtest_summary": pd.DataFrame(
            summary, columns=["model", "level", "horizon", "measure", "value", "n_cutoffs", "n_independent", "verdict"]
        ),
        "backtest_sums": _sums(history),
        "demand": demand,
        "cost": cost,
        "segment_profile": _profile(),
        "assumptions": _assumptions(),
        **_money(),
        "events": pd.DataFrame([{"name": "first lockdown", "start": "2020-03-01", "end": "2021-06-01", "kind": "shock"}]),
        "not_forecast": pd.DataFrame(
            [{"unique_id": "ta/night_shelter/Harbour", "last": "2021-05-01", "reason": "no count in the last 6 months"}]
        ),
        "quality": {
            "verdict": "warn",
            "counts": {"warn": 1},
            "about": {"series": 6, "first": "2018-04-01"},
            "findings": [
                {
                    "rule": "spike",
                    "severity": "warn",
                    "where": "ta/hostel/Harbour",
                    "count": 1,
                    "rows": [12],
                    "message": "One month is far from its neighbours",
                }
            ],
        },
        "track_record": ("In 4 of 5 years the average number of households was inside the range that we would have given.",),
        "questions": {
            "early_help": "If the early-help team opens in April 2027, how many placements do we avoid?",
            "rents_up": "What if rents rise by a tenth?",
        },
    }
    return ReportInput(**(given | other))
