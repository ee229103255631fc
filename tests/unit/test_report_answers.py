"""What the first page says of a change: reasons of its own sign first, and differences that readers find by subtracting."""

from __future__ import annotations

import pandas as pd
import pytest

from demand.languages import speaking
from demand.report.answers import _difference, _reasons


@pytest.mark.parametrize(
    ("steps", "change", "said"),
    [
        ({"now": -50, "rents": 40, "trend": 30}, 20, "goes mostly with rents (+40) and trend (+30), partly offset by now (-50)."),
        ({"now": 50, "rents": -40, "trend": -30}, -20, "goes mostly with rents (-40) and trend (-30), partly offset by now (+50)."),
        ({"rents": 40, "now": -10}, 30, "goes mostly with rents (+40), partly offset by now (-10)."),
        ({"rents": 40, "trend": 30, "now": -50}, 20, "goes mostly with rents (+40) and trend (+30), partly offset by now (-50)."),
        ({"rents": 40, "trend": 30}, 70, "goes mostly with rents (+40) and trend (+30)."),
        ({"now": -50, "rents": 40}, 20, "the largest movements are: now (-50) and rents (+40)."),
        ({"now": -50}, 20, "the largest movements are: now (-50)."),
    ],
)
def test_reasons_of_the_change_s_own_sign_come_first(steps: dict[str, float], change: float, said: str) -> None:
    series = pd.Series(steps, dtype=float).sort_values(key=lambda v: -v.abs(), kind="stable")
    assert _reasons(series, "2025-26", of="", change=change).endswith(said)
    with speaking("cy"):
        welsh = _reasons(series, "2025-26", of="", change=change)
    first, _, offset = welsh.partition("gwrthbwyso")
    for name, amount in steps.items():
        assert f"{name} (" in (offset if amount * change < 0 and offset else first)


@pytest.mark.parametrize(
    ("now", "then", "change"),
    [(25_449, 24_951, 400), (460.4, 449.6, 10), (12.4, 9.4, 2.6), (3.42, 2.08, 1.3), (9.6, 10.2, -0.4), (10.4, 9.94, 0.1), (9.96, 10.2, 0)],
)
def test_a_difference_is_that_of_the_numbers_shown(now: float, then: float, change: float) -> None:
    assert _difference(now, then) == change
