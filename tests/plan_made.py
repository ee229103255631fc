"""Made-up tables of the budget round, with the columns that a run stores."""

from __future__ import annotations

from typing import Any

import pandas as pd

LINES = ("hostel", "bed_and_breakfast")
YEARS = ("2026-27", "2027-28")


def reconciliation() -> pd.DataFrame:
    rows = [("hostel", 96_000_000, 100_000_000), ("bed_and_breakfast", 210_000_000, 200_000_000), ("total", 306_000_000, 300_000_000)]
    told = [
        {"line": n, "financial_year": "2025-26", "modelled_pence": m, "outturn_pence": o, "gap_pence": o - m, "gap_share": (o - m) / o}
        for n, m, o in rows
    ]
    return pd.DataFrame(told).assign(tolerance=0.045, within=[True, False, True])


def bridge() -> pd.DataFrame:
    steps = [
        ("outturn", 100_000_000, "start"),
        ("not explained by volume x price", -4_000_000, "step"),
        ("volume", 12_000_000, "step"),
        ("price", 3_000_000, "step"),
        ("forecast", 111_000_000, "end"),
    ]
    rows = [("baseline", line, "2025-26", "2026-27", *step) for line in (*LINES, "total") for step in steps]
    table = pd.DataFrame(rows, columns=["scenario", "line", "from", "to", "step", "amount_pence", "kind"])
    table.loc[table["line"] == "total", "amount_pence"] *= 2
    return table


def mtfp() -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = []
    for line, times in (*((line, 1) for line in LINES), ("total", 2)):
        for year in YEARS:
            for item, pence, kind in (("demand", 5_050_050, "demand"), ("prices and uplift", 3_000_025, "price")):
                amount = pence * times
                rows.append(("baseline", line, year, item, True, None, amount, amount // 2, amount, amount * 2, kind))
    grant = (
        "baseline",
        "hostel",
        "2027-28",
        "Homelessness grant",
        False,
        20_000_000,
        25_000_000,
        20_000_000,
        20_000_000,
        20_000_000,
        "grant",
    )
    rows += [grant, ("baseline", "total", *grant[2:])]
    columns = ["scenario", "line", "financial_year", "item", "recurring", "part_year_pence", "full_year_pence", "low_pence", "medium_pence"]
    table = pd.DataFrame(rows, columns=[*columns, "high_pence", "kind"])
    return table.astype({c: "Int64" for c in table.columns if c.endswith("_pence")})


def backcast() -> pd.DataFrame:
    rows = []
    for year, needed in (("2022-23", 95_000_000), ("2023-24", 104_000_000), ("2024-25", 150_000_000)):
        for method, expected, ranged in (("forecast", 100_000_000, True), ("last year plus 3 %", 80_000_000, False)):
            low, high = (90_000_000, 110_000_000) if ranged else (None, None)
            inside = 90_000_000 <= needed <= 110_000_000 if ranged else None
            about = {"decided": "2022-03-31", "financial_year": year, "line": "total", "method": method, "expected_pence": expected}
            ends = {"p10_pence": low, "p90_pence": high, "actual_pence": needed, "error_pence": expected - needed, "inside": inside}
            rows.append({**about, **ends, "calibrated": True, "shock": None})
    return pd.DataFrame(rows).astype({"p10_pence": "Int64", "p90_pence": "Int64", "inside": "boolean"})


def sweep() -> pd.DataFrame:
    rows = [
        {"sweep": "team_and_hostel", "scenario": "early_help", "lever_1": "fewer entries", "value_1": a, "lever_2": "hostel", "value_2": b,
         "financial_year": "2027-28", "measure": "pounds", "mean": 3e6 + d, "low": 2e6 + d, "high": 4e6 + d, "difference": d,
         "difference_low": d - 9e4, "difference_high": d + 9e4}
        for a in (0.9, 1.0) for b in (0.2, 0.4) for d in [(a - 1) * 1e6 - b * 1e5]
    ]  # fmt: skip
    return pd.DataFrame(rows)


def plan_tables() -> dict[str, pd.DataFrame]:
    """Give all of them under the names of the report's input."""
    return {"reconciliation": reconciliation(), "bridge": bridge(), "mtfp": mtfp(), "backcast": backcast(), "sweep": sweep()}
