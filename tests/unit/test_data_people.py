"""Pseudonyms, bands, and episodes counted into series."""

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.data.people import CountSpec, age_band, count_episodes, pseudonymise
from demand.errors import DataError, SettingsError

KEY = b"a published key for tests"


def episodes():
    return pd.DataFrame(
        {
            "opened": pd.to_datetime(["2024-01-31", "2024-02-01", "2024-02-29", "2024-04-02"]),
            "closed": pd.to_datetime(["2024-02-29", None, "2024-03-31", None]),
            "area": ["North", "North", "South", "North"],
        }
    )


def test_flow_counts_openings_and_keeps_real_zeros():
    history = count_episodes(episodes(), keys=["area"], frequency=Frequency("M"))
    assert history.wide["North"].tolist() == [1, 1, 0, 1]
    assert history.wide["South"].tolist() == [0, 1, 0, 0]
    assert history.series.loc["North"].to_dict() == {"area": "North", "kind": "flow", "unit": "people"}


def test_stock_counts_who_is_there_at_the_end_of_the_last_day():
    history = count_episodes(episodes(), [CountSpec(kind="stock", unit="households")], keys=["area"], frequency=Frequency("M"))
    assert history.wide["North"].tolist() == [1, 1, 1, 2]  # closed on 29 February: not there on that night
    assert history.wide["South"].tolist() == [0, 1, 0, 0]


def test_first_and_last_bound_flows_but_earlier_openings_stay_in_the_stock():
    counts = [CountSpec(name="entries"), CountSpec(kind="stock", name="caseload")]
    bounds = {"first": pd.Timestamp("2024-02-15"), "last": pd.Timestamp("2024-03-01")}
    history = count_episodes(episodes(), counts, keys=["area"], frequency=Frequency("M"), **bounds)
    assert history.wide["North/entries"].tolist() == [1, 0]
    assert history.wide["North/caseload"].tolist() == [1, 1]
    assert history.keys == ["area", "count"]


def test_two_unnamed_counts_of_the_same_series_are_refused():
    with pytest.raises(DataError, match="two counts give the same series 'North', 'South'"):
        count_episodes(episodes(), [CountSpec(), CountSpec(kind="stock")], keys=["area"], frequency=Frequency("M"))


def test_a_count_of_nobody_says_what_there_is():
    with pytest.raises(SettingsError, match="Did you mean 'North'"):
        count_episodes(episodes(), [CountSpec(where={"area": ["Nort"]})], keys=["area"], frequency=Frequency("M"))


def test_pseudonyms_differ_by_purpose_and_key_and_keep_gaps():
    refs = pd.Series(["A1", " A1", None, "B2"])
    person = pseudonymise(refs, KEY, purpose="person")
    assert person[0] == person[1] != person[3]
    assert person[2] is None
    assert len(person[0]) == 16
    assert person[0] != pseudonymise(refs, KEY, purpose="episode")[0]
    assert person[0] != pseudonymise(refs, KEY + b"!", purpose="person")[0]
    with pytest.raises(DataError, match="16 bytes"):
        pseudonymise(refs, b"short", purpose="person")


def test_age_bands_hold_their_first_age_and_leave_gaps():
    bands = age_band(pd.Series([0, 15.9, 16, np.nan, 75]))
    assert bands.astype(object).where(bands.notna(), None).tolist() == ["0-15", "0-15", "16-17", None, "75+"]
    assert bands.cat.ordered
