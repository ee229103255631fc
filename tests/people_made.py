"""Made-up tables of people: who is there, how segments were found, what moved."""

from __future__ import annotations

from typing import Any

import pandas as pd

from demand.moved import STEPS
from demand.report.inputs import ReportInput, ReportSpec
from demand.segments.portrait import Portrait
from demand.segments.rules import Condition, JudgedRule, Rule


def there(audience: str = "council") -> ReportInput:
    """Give the inputs of a report on who is there."""
    ds = pd.date_range("2026-04-01", periods=24, freq="MS").strftime("%Y-%m-%d")
    rows = [
        pd.DataFrame({"unique_id": i, "ds": ds, "item": item, "people": people, "pounds": 100.0 * people})
        for i in ("hotel", "flat")
        for item, people in (("open now", 6.0), ("new starts", 4.0), ("total", 10.0))
    ]
    stays = pd.DataFrame({
        "by": ["type"], "group": ["hotel"], "spells": [90], "ends": [60], "days_quarter": [20.0], "days_half": [61.0],
        "days_three_quarters": [None], "half_low": [50.0], "half_high": [70.0],
    })  # fmt: skip
    ends = pd.DataFrame(
        {"type": ["hotel", "hotel", "hotel"], "ends_in": ["left", "flat", "left"], "days": [365, 365, 28], "share": [0.5, 0.2, 0.1]}
    )
    returns = pd.DataFrame({"ds": pd.date_range("2024-04-01", periods=24, freq="MS"), "occurrences": 7.0, "individuals": 31.0})
    silent = pd.DataFrame({"unique_id": ["hotel"], "open": [9], "without_activity": [2], "with_activity": [7]})
    about = {"stays": stays, "stay_ends": ends, "returns_monthly": returns, "no_activity": silent}
    return ReportInput(title="Care", spec=ReportSpec(audience=audience), commitments=pd.concat(rows), **about)


def people_tables() -> dict[str, Any]:
    """Give the tables of people: who is there, what moved, the evidence and one portrait."""
    whole = there()
    tables = {name: getattr(whole, name) for name in ("commitments", "stays", "stay_ends", "returns_monthly", "no_activity")}
    late = {"ds": ["2026-03-01"], "day": ["opened"], "count": ["households"], "recorded": [9], "expected": [10], "low": [9], "high": [12]}
    steps = [{"line": "total", "financial_year": "2026-27", "order": i, "step": s, "before_pence": 90, "after_pence": 100,
              "amount_pence": 10} for i, s in enumerate(STEPS)]  # fmt: skip
    said = [{"line": "total", "financial_year": "2026-27", "forecast": f, "record": r, "counted_to": "2026-03-31", "expected_pence": 100,
             "p10_pence": 50, "p90_pence": 150, "projected_pence": None} for f, r in (("first", True), ("now", False))]  # fmt: skip
    conditions = [Condition(feature="count", kind=k, values=("first", "last"), number=3, or_unknown=u)
                  for k, u in (("is", True), ("is_not", False), ("at_least", False), ("at_most", False))]  # fmt: skip
    judged = JudgedRule(rule=Rule(segment="A", least=3, conditions=tuple(conditions)), held_out=3, in_segment=2, caught=2, both=2,
                        intervals=(0.5, 0.9, 0.4, 0.8))  # fmt: skip
    portrait = Portrait(segment="A", people=820, everybody=1242, marks={"household": 1.0}, found_again=0.9, balanced_accuracy=0.8,
                        chance=0.3, rule=judged)  # fmt: skip
    use = [{"segment": s, "people": n, "share_of_people": n / 1242, "episodes_per_person": 1.5, "median_stay_days": 66.0,
            "share_of_cost": 0.4} for s, n in (("A", 820), ("everybody", 1242), ("unclear", 2))]  # fmt: skip
    cost = [{"scenario": "baseline", "segment": "A", "financial_year": "2026-27", "expected_pence": 1e8, "p10_pence": 9e7, "p90_pence": 2e8,
             "share": 0.4, "net_pence": 9e7}]  # fmt: skip
    tried = {"method": "kmeans", "count": 2, "numbers_as": "bands", "bic": 9.0, "excess": 4.0, "stability": 0.7, "each": "0.9 0.8",
             "certainty": 0.6, "nowhere": 0.01, "smallest_share": 0.2}  # fmt: skip
    evidence = [
        tried | {"verdict": "not stable; mixtures see no groups", "chosen": False},
        tried | {"verdict": "can be taken", "chosen": True},
    ]
    split = [{"count": n, "segment": s, "came_from": 0, "share": 1 / n, "position": float(s), "method": "kmeans", "chosen": n == 2}
             for n in (1, 2) for s in range(n)]  # fmt: skip
    moves = [{"from": "A", "to": "unclear", "people": 9, "rate": 0.1, "low": 0.0, "high": 0.2}]
    equality = [{"characteristic": "count", "segment": "A", "level": "first", "people": 9, "known": 99, "share": 0.1, "average": 0.2,
                 "low": 0.0, "high": 0.2, "differs": True}]  # fmt: skip
    expected = [{"by": "segment", "level": "A", "segment": "A", "people": 9, "expected": 3.0, "per_person": 0.3}]
    frames = {"segment_use": use, "segment_cost": cost, "segment_evidence": evidence, "segment_clustergram": split,
              "segment_equality": equality,              "segment_transitions": moves, "moved": steps, "said": said}  # fmt: skip
    frames |= {"late_recording": late, "segment_expected": expected}
    return (
        tables
        | {"moved_since": {"name": "July 2026", "by": None, "gone": [], "on": []}}
        | {n: pd.DataFrame(rows) for n, rows in frames.items()}
        | {"segment_portraits": (portrait.model_dump(),)}
    )
