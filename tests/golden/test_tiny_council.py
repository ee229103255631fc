"""Whole outputs of the tiny example against stored ones. One that is missing fails; `python tests/golden/store.py` writes them anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

STORED = Path(__file__).parent / "stored"
SERVICES = ("homelessness", "children", "adult_care")
TABLES = ("budget.csv", "risk.csv", "waterfall.csv", "sensitivity.csv", "backtest_summary.csv", "segment_profile.csv")
TOLERANCE = 2e-3
"""Across machines numbers agree to 1e-4 before they are rounded to pence or to whole people."""


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("name", TABLES)
def test_the_results_are_the_stored_ones(service: str, name: str, tiny_run: Callable[[str], Path]) -> None:
    stored = STORED / service / name
    assert stored.is_file(), f"{stored} is missing: look at the results, then store them with `python tests/golden/store.py`"
    now, before = pd.read_csv(tiny_run(service) / name), pd.read_csv(stored)
    pd.testing.assert_frame_equal(now, before, check_dtype=False, rtol=TOLERANCE, atol=1e-6)
