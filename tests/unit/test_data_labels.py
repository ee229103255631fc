"""Periods as publications name them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from demand.data.dates import PeriodRule, to_periods
from demand.data.formats import parse_dates, period_columns
from demand.data.labels import FINANCIAL_YEAR
from demand.data.read import HistorySpec, read_history
from demand.errors import DataError


@pytest.mark.parametrize(
    ("words", "code", "first"),
    [
        (["Q1 2021-22", "Q2 2021-22"], "Q", "2021-04-01"),
        (["2021/22 Q4", "2022/23 Q1"], "Q", "2022-01-01"),
        (["Quarter 1 (Apr-Jun) 21/22"], "Q", "2021-04-01"),
        (["Chwarter 3 2021-22"], "Q", "2021-10-01"),
        (["Apr-Jun 2021", "Jul-Sep 2021"], "Q", "2021-04-01"),
        (["Oct 2021 to Dec 2021", "Jan 2022 to Mar 2022"], "Q", "2021-10-01"),
        (["Quarter ending June 2021", "Quarter ending 30 September 2021"], "Q", "2021-04-01"),
        (["Quarter 2 2021", "2021 Q3"], "Q", "2021-04-01"),
        (["2009-10", "2010-11", "2011-12"], "Y", "2009-04-01"),
        (["2021/22 [p]", "2022/23"], "Y", "2021-04-01"),
        (["FY 2021-22", "FY 2022-23"], "Y", "2021-04-01"),
        (["2021 to 2022", "2022 to 2023"], "Y", "2021-04-01"),
        (["Year ending March 2022", "Year ending March 2023"], "Y", "2021-04-01"),
        (["Apr 2021 to Mar 2022"], "Y", "2021-04-01"),
        (["P01 2021-22", "P12 2021-22"], "M", "2021-04-01"),
        (["March 2021-22"], "M", "2022-03-01"),
        (["Ebrill 2021", "Tachwedd 2021"], "M", "2021-04-01"),
        (["1 Rhag 2021", "1 Ion 2022"], "M", "2021-12-01"),
        (["2021 April", "2021 Sept"], "M", "2021-04-01"),
        (["Sept-21", "Oct-21"], "M", "2021-09-01"),
        (["Thursday 1st April 2021"], "M", "2021-04-01"),
        (["Week ending 04/04/2021", "w/e 11/04/2021"], "W-SUN", "2021-03-29"),
        (["wc 05/04/21", "W/C 12/04/21"], "W-MON", "2021-04-05"),
        (["Week commencing 5 April 2021"], "W-MON", "2021-04-05"),
        (["2021-W14", "2021-W15"], "W-MON", "2021-04-05"),
    ],
)
def test_periods_are_read_as_they_are_named(words: list[str], code: str, first: str) -> None:
    days = parse_dates(pd.Series(words, dtype=object))
    assert not days.wrong.any()
    periods = to_periods(days.values, PeriodRule(code), label=days.label)
    assert not periods.wrong.any()
    assert periods.ds[0] == pd.Timestamp(first)
    assert (periods.frequency.start_of(periods.ds) == periods.ds).all()


@pytest.mark.parametrize(
    "word", ["2021-23", "Q5 2021-22", "Q1 (Jul-Sep) 2021-22", "Apr-May 2021", "Week ending soon", "P13 2021-22", "FY2022", "Q1 21"]
)
def test_what_can_mean_two_things_or_none_is_not_read(word: str) -> None:
    assert parse_dates(pd.Series([word], dtype=object)).wrong.all()


def test_months_are_no_financial_years_and_one_alone_that_may_be_both_is_refused(tmp_path: Path) -> None:
    assert parse_dates(pd.Series(["2001-01", "2001-02", "2001-03"])).values[2] == pd.Timestamp("2001-03-01")
    assert parse_dates(pd.Series(["2010-11"])).wrong.all()
    assert parse_dates(pd.Series(["2021-11"])).values[0] == pd.Timestamp("2021-11-01")
    assert parse_dates(pd.Series(["FY 2010-11"])).label == FINANCIAL_YEAR
    (tmp_path / "w.csv").write_text("ds,area,y\n2010-11,North,5\n2010-11,South,6\n")
    with pytest.raises(DataError, match=r"may be November 2010, or April 2010 to March 2011.*Write the month as 2010-11-01"):
        read_history(HistorySpec(path="w.csv", keys=["area"], frequency="Y"), tmp_path)


def test_names_of_another_unit_than_is_counted_are_refused() -> None:
    days = parse_dates(pd.Series(["2021-22", "2022-23"]))
    assert "say 'frequency: Y'" in to_periods(days.values, PeriodRule("Q"), label=days.label).allowed
    rolling = parse_dates(pd.Series(["Year ending March 2022", "Year ending June 2022"]))
    assert to_periods(rolling.values, PeriodRule("Q"), label=rolling.label).wrong.all()
    assert to_periods(rolling.values, PeriodRule("Y"), label=rolling.label).wrong.any()
    academic = to_periods(days.values, PeriodRule("Y", year_end="08-31"), label=days.label)
    assert academic.ds[0] == pd.Timestamp("2021-09-01")
    assert to_periods(days.values, PeriodRule("Y", year_end="12-31"), label=days.label).wrong.all()


@pytest.mark.parametrize(
    ("names", "periods"),
    [
        (["Area", "2010", "2011", "2012"], 3),
        (["Area", "2017-18 Q1", "2017-18 Q2", "2017-18 Q3", "2017-18 Q4", "2017-18"], 4),
        (["Area", "2024-03-01 00:00:00", "2024-04-01 00:00:00", "2024-05-01 00:00:00"], 3),
        (["2019", "2411", "1987", "2020"], 0),
        (["ref", "01/02/2024", "14/09/2025", "15/09/2025"], 0),
        (["Area", "2021-22", "2022-23"], 0),
    ],
)
def test_columns_named_by_periods(names: list[str], periods: int) -> None:
    assert len(period_columns(names)) == periods
