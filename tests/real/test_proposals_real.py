"""What is known to have happened is proposed from the counts alone."""

from pathlib import Path

import pandas as pd
import pytest

from demand.data.read import HistorySpec, read_history
from demand.proposals import propose


@pytest.mark.parametrize(("name", "code"), [("homelessness_england_quarterly.csv", "Q"), ("emergency_attendances_wales_monthly.csv", "M")])
def test_the_first_lockdown_is_proposed_for_all_series(real_data: Path, name: str, code: str) -> None:
    history, _ = read_history(HistorySpec(path=name, series="unique_id", frequency=code, gaps="leave"), real_data)
    found = [p for p in propose(history) if p.of > 4 and p.start in (pd.Timestamp("2020-03-01"), pd.Timestamp("2020-04-01"))]
    assert [p.kind for p in found] == ["shock"]
    assert found[0].ratio < 0.9


def test_the_new_count_of_2018_is_proposed_where_it_changed_the_figures(real_data: Path) -> None:
    spec = HistorySpec(path="homelessness_england_quarterly.csv", series="unique_id", frequency="Q", gaps="leave")
    found = [p for p in propose(read_history(spec, real_data)[0]) if p.start == pd.Timestamp("2018-04-01")]
    assert {"MAIN/total_decisions", "MAIN/not_homeless"} <= {p.where["unique_id"][0] for p in found}
