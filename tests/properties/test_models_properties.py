"""What must hold for every model and every series: no sight past the cutoff, the order of rows does not matter, scale is kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demand.calendar import Frequency
from demand.models import CHEAP, MODELS, build
from demand.models.track import tracks
from demand.tables import History

COUNTS = st.lists(st.one_of(st.integers(0, 400), st.none()), min_size=1, max_size=60)
MONTHS = Frequency("M")


def history(*columns: list[int | None]) -> History:
    rows = [
        pd.DataFrame({"unique_id": f"s{i}", "ds": MONTHS.periods(pd.Timestamp("2019-01-01"), len(y)), "y": np.array(y, dtype=float)})
        for i, y in enumerate(columns)
    ]
    return History.of(pd.concat(rows), MONTHS)


@pytest.mark.parametrize("name", CHEAP)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(y=COUNTS)
def test_any_counts_give_paths_that_can_be_true_and_parts_that_add_up(name: str, y: list[int | None]) -> None:
    told = build(name).predict(history(y), 14, seed=1, explain=True)
    means = told.means["mean"].to_numpy()
    assert np.isfinite(means).all()
    assert (means >= 0).all()
    assert told.parts is not None
    np.testing.assert_allclose(told.parts.groupby("ds")["contribution"].sum().to_numpy(), means, atol=1e-6)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(y=COUNTS)
def test_tracks_keep_every_count_and_bridge_every_gap(y: list[int | None]) -> None:
    (track,) = tracks(history(y))
    there = [i for i, value in enumerate(y) if value is not None]
    assert np.isfinite(track.y).all()
    if there:
        assert len(track.y) == there[-1] - there[0] + 1
        assert all(track.y[i - there[0]] == y[i] for i in there)
        assert track.bridged == len(track.y) - len(there)
        assert track.gap == len(y) - 1 - there[-1]


@pytest.mark.parametrize("name", MODELS)
def test_no_model_sees_past_the_cutoff_or_the_order_of_rows(name: str) -> None:
    rng = np.random.default_rng(4)
    past = [[int(v) for v in rng.poisson(30, 40)] for _ in range(3)]
    longer = history(*[[*y, 9999, 0, 9999] for y in past])
    cutoff = pd.Timestamp("2022-04-01")
    shuffled = History.of(longer.table[longer.table["ds"] <= cutoff].sample(frac=1, random_state=1), MONTHS)
    a = build(name).predict(longer.until(cutoff), 6, seed=3).means
    b = build(name).predict(shuffled, 6, seed=3).means
    c = build(name).predict(history(*past), 6, seed=3).means
    pd.testing.assert_frame_equal(a, b, check_exact=True)
    pd.testing.assert_frame_equal(a, c, check_exact=True)
