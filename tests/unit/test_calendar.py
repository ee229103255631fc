"""Periods that are handed out again and again are the same for everybody, and end before dates do."""

from __future__ import annotations

import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.errors import SettingsError

FIRST, LAST = pd.Timestamp("2024-01-05"), pd.Timestamp("2024-05-05")


@pytest.mark.parametrize("lay_out", [lambda f: f.periods(FIRST, 5), lambda f: f.between(FIRST, LAST)])
def test_who_writes_to_periods_writes_to_nobody_elses(lay_out) -> None:
    months = lay_out(Frequency("M"))
    months.name = "mine"
    with pytest.raises(ValueError, match="read-only"):
        months.to_numpy()[0] = pd.Timestamp("1999-01-01").to_datetime64()
    again = lay_out(Frequency("M"))
    assert again.name is None
    assert list(again) == list(pd.date_range("2024-01-01", periods=5, freq="MS"))
    assert list(again.take([0]).append(again[:1]).sort_values(ascending=False)) == [again[0]] * 2


@pytest.mark.parametrize("code", ["M", "Y", "D"])
def test_periods_between_end_before_dates_do(code: str) -> None:
    assert Frequency(code, 3).between(pd.Timestamp("2260-12-31"), pd.Timestamp("2261-12-31"))[-1].year == 2261
    with pytest.raises(SettingsError, match="Dates go to the year 2262"):
        Frequency(code, 3).between(FIRST, pd.Timestamp("2262-03-01"))
