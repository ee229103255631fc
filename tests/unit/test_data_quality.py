"""What a careful reader is told about a history before it is forecast."""

import json

import numpy as np
import pandas as pd

from demand.calendar import Frequency
from demand.data.quality import Finding, judge, quality_summary
from demand.tables import History


def history(series, *, code="M", first="2020-01-01"):
    frequency = Frequency(code)
    rows = [
        pd.DataFrame({"unique_id": name, "ds": frequency.periods(pd.Timestamp(first), len(y)), "y": np.asarray(y, dtype=float)})
        for name, y in series.items()
    ]
    return History.of(pd.concat(rows), frequency)


def rules(findings):
    return {f.rule: f for f in findings}


def wave(n=48, level=100.0):
    return level + 10 * np.sin(np.arange(n) / 12 * 2 * np.pi)


def test_a_plain_history_has_nothing_to_tell():
    assert judge(history({"A": wave(), "B": wave(level=300)})) == []


def test_short_ended_empty_and_gaps_are_named():
    holes = wave()
    holes[5:7] = np.nan
    found = rules(judge(history({"short": wave(12), "long": wave(), "zero": np.zeros(48), "holes": holes, "still": np.full(48, 7.0)})))
    assert found["ended_series"].message.endswith("'short'")
    assert "short_series" not in found  # a series that ended needs no second warning
    assert found["all_zero"].message.endswith("'zero'")
    assert found["never_changed"].message.endswith("'still'")
    assert found["gap"].count == 2


def test_a_mistyped_count_is_a_spike_and_a_steep_trend_is_not():
    typo = wave()
    typo[20] = 10_000
    found = rules(judge(history({"typo": typo, "trend": np.linspace(100, 4000, 48)})))
    assert found["spike"].count == 1
    assert "typo 2021-09-01" in found["spike"].message


def test_a_period_that_is_not_over_and_data_that_are_old():
    assert rules(judge(history({"A": wave()}), as_of=pd.Timestamp("2023-12-15")))["incomplete_period"].count == 1
    assert judge(history({"A": wave()}), as_of=pd.Timestamp("2023-12-31")) == []
    assert rules(judge(history({"A": wave()}), as_of=pd.Timestamp("2024-09-30")))["stale"].count == 9


def test_a_sum_among_its_parts_is_found_unless_declared():
    a, b = wave(), wave(level=300) + np.arange(48)
    series = history({"ta/hostel": a, "ta/leased": b, "ta/total": a + b})
    assert "'ta/total'" in rules(judge(series))["undeclared_total"].message
    assert judge(series, totals=["ta/total"]) == []


def test_the_summary_is_plain_data_with_the_gravest_first():
    findings = [
        Finding.of("date_format", "note", "h.csv > ds", count=5, message="read as day/month/year"),
        Finding.of("gap", "warn", "h.csv", rows=range(30), message="gaps"),
    ]
    summary = json.loads(json.dumps(quality_summary(findings, series=3)))
    assert summary["verdict"] == "warn"
    assert [f["rule"] for f in summary["findings"]] == ["gap", "date_format"]
    assert summary["findings"][0]["count"] == 30
    assert len(summary["findings"][0]["rows"]) == 20
    assert summary["counts"] == {"stop": 0, "warn": 1, "note": 1}
    assert summary["about"] == {"series": 3}


def test_a_last_month_that_was_entered_late_and_a_month_that_was_not_collected() -> None:
    counts = np.random.default_rng(4).poisson(60, 36).astype(float)
    days = pd.date_range("2021-01-01", periods=36, freq="MS")

    def rules(y: np.ndarray, kind: str = "flow") -> set[str]:
        return {f.rule for f in judge(History.of(pd.DataFrame({"unique_id": "a", "ds": days, "y": y}), Frequency("M"), kind=kind))}

    late, empty = counts.copy(), counts.copy()
    late[-1], empty[20] = 15, 0
    assert "late_month" in rules(late)
    assert "empty_month" in rules(empty)
    assert not {"late_month", "empty_month"} & (rules(counts) | rules(late, "stock"))
