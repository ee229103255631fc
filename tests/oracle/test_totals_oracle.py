"""Totals by period and by financial year against a slow, obvious second implementation: one day, one series, one draw at a time."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from demand.calendar import FinancialYear, Frequency
from demand.hierarchy import levels, totals
from demand.tables import History, make_draws

DRAWS = 3


def council(code: str, first: str, past: int, *, gap: int | None, year_end: int) -> History:
    frequency, rng = Frequency(code, year_end), np.random.default_rng(5)
    ds = frequency.periods(pd.Timestamp(first), past)
    rows = []
    for area, kind in itertools.product(("N", "S"), ("flow", "stock")):
        y = rng.poisson(30, past).astype(float)
        if gap is not None and area == "S":
            y[gap] = np.nan
        rows.append(pd.DataFrame({"unique_id": f"{area}/{kind}", "ds": ds, "y": y, "area": area, "kind": kind}))
    return History.of(pd.concat(rows), frequency, keys=["area"])


def day_by_day(closing: list[float], opening: float, first: pd.Timestamp, frequency: Frequency, kind: str) -> dict[pd.Timestamp, float]:
    """Give what each day holds: of a flow its share of the period's count, of a stock the mean of the period's two ends."""
    found, day, before = {}, first, opening
    for count in closing:
        last = frequency.end_of(pd.DatetimeIndex([day]))[0]
        days = pd.date_range(day, last)
        start = count if np.isnan(before) else before
        for one in days:
            found[one] = count / len(days) if kind == "flow" else (start + count) / 2
        before, day = count, last + pd.Timedelta(days=1)
    return found


CASES = [
    ("M", "2022-01-01", 33, 20, 12, None, 4),
    ("M", "2022-01-01", 33, 20, 12, -2, 4),
    ("M", "2022-01-01", 33, 20, 12, -1, 4),
    ("M", "2022-04-01", 36, 13, 12, None, 1),
    ("Q", "2021-04-01", 14, 8, 3, None, 4),
    ("Q", "2021-04-01", 14, 8, 3, -2, 1),
    ("Y", "2018-04-01", 6, 3, 3, None, 4),
    ("W-WED", "2022-01-05", 100, 80, 12, None, 4),
    ("W-WED", "2022-01-05", 100, 80, 12, -1, 1),
    ("D", "2023-01-01", 500, 420, 12, None, 4),
]


@pytest.mark.parametrize(("code", "first", "past", "ahead", "year_end", "gap", "start_month"), CASES)
def test_years_of_flows_and_stocks(code: str, first: str, past: int, ahead: int, year_end: int, gap: int | None, start_month: int) -> None:
    history = council(code, first, past, gap=gap, year_end=year_end)
    frequency = history.frequency
    ds = frequency.after(history.last, ahead)
    values = np.random.default_rng(1).poisson(30, (4, ahead, DRAWS)).astype(float)
    draws = make_draws(values, history.series, ds, frequency=frequency, cutoff=history.last, seed=1, fingerprint="t")
    told = totals(draws, levels(history.series), start_month=start_month, history=history)
    told = told[(told["level"] == "series") & told["financial_year"].notna()]
    expected: dict[tuple[str, str], list[float]] = {}
    for (i, name), draw in itertools.product(enumerate(history.ids), range(DRAWS)):
        kind = str(history.series.loc[name, "kind"])
        path = [*history.wide[name], *values[i, :, draw]]
        # A stock that was not counted at the last period before the forecast opens with the first count ahead.
        days = day_by_day(path, np.nan, pd.Timestamp(history.wide.index[0]), frequency, kind)
        years = {str(FinancialYear.of(d, start_month)) for d in days}
        for label in years:
            year = FinancialYear.parse(label, start_month)
            wanted = pd.date_range(year.start, year.end)
            if wanted[-1] < ds[0] or not set(wanted) <= set(days):
                continue
            each = [days[d] for d in wanted]
            expected.setdefault((name, label), []).append(float(np.sum(each) if kind == "flow" else np.mean(each)))
    whole = {key: np.mean(v) for key, v in expected.items() if np.isfinite(v).all()}
    found = told.set_index(["unique_id", "financial_year"])["mean"]
    assert set(found.index) == set(whole)
    assert len(whole) >= 2
    for key, value in whole.items():
        assert found[key] == pytest.approx(value, rel=1e-6), key


def test_no_partial_year_is_shown_and_the_current_one_says_how_much_of_it_is_over() -> None:
    history = council("M", "2024-01-01", 32, gap=None, year_end=12)  # to August 2026
    ds = history.frequency.after(history.last, 12)
    draws = make_draws(np.ones((4, 12, 2)), history.series, ds, frequency=history.frequency, cutoff=history.last, seed=1, fingerprint="t")
    told = totals(draws, levels(history.series), history=history)
    assert told["financial_year"].dropna().unique().tolist() == ["2026-27"]
    assert told.loc[told["financial_year"].notna(), "months_actual"].unique().tolist() == [5]
    assert totals(draws, levels(history.series))["financial_year"].isna().all()  # without a history no year is whole
