"""What holds for every file: the order of rows, the way dates are written, and the way episodes are cut do not matter."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from demand.calendar import Frequency
from demand.data.formats import parse_dates
from demand.data.people import CountSpec, count_episodes
from demand.data.read import HistorySpec, read_history

DAYS = st.dates(min_value=pd.Timestamp("1990-01-01").date(), max_value=pd.Timestamp("2060-12-31").date())
WRITTEN = ["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %B %Y", "%Y%m%d", "%Y-%m-%d %H:%M:%S"]


@given(days=st.lists(DAYS, min_size=1, max_size=20), pattern=st.sampled_from(WRITTEN))
@settings(max_examples=60, deadline=None)
def test_days_come_back_however_they_were_written(days, pattern):
    read = parse_dates(pd.Series([d.strftime(pattern) for d in days], dtype=object))
    assert not read.wrong.any()
    assert [d.date() for d in read.values] == days


@given(order=st.permutations(range(24)))
@settings(max_examples=15, deadline=None)
def test_the_order_of_rows_does_not_matter(tmp_path_factory, order):
    folder = tmp_path_factory.mktemp("rows")
    months = pd.date_range("2023-01-01", periods=12, freq="MS")
    table = pd.DataFrame({"id": np.repeat(["A", "B"], 12), "day": [*months, *months], "n": np.arange(24)})
    spec = HistorySpec(path="h.csv", series="id", date="day", value="n", frequency="M")
    prints = set()
    for rows in (table, table.iloc[list(order)]):
        rows.to_csv(folder / "h.csv", index=False)
        prints.add(read_history(spec, folder)[0].fingerprint)
    assert len(prints) == 1


@st.composite
def extracts(draw):
    rows = draw(
        st.lists(st.tuples(st.integers(0, 400), st.one_of(st.none(), st.integers(0, 300)), st.sampled_from("NS")), min_size=1, max_size=25)
    )
    start = pd.Timestamp("2023-01-01")
    opened = [start + pd.Timedelta(days=o) for o, _, _ in rows]
    closed = [pd.NaT if length is None else day + pd.Timedelta(days=length) for day, (_, length, _) in zip(opened, rows, strict=True)]
    return pd.DataFrame({"opened": pd.DatetimeIndex(opened), "closed": pd.DatetimeIndex(closed), "area": [a for _, _, a in rows]})


@given(people=extracts(), code=st.sampled_from(["D", "W-MON", "M", "Q"]))
@settings(max_examples=60, deadline=None)
def test_counting_agrees_with_looking_at_every_day(people, code):
    frequency = Frequency(code)
    flow = count_episodes(people, keys=["area"], frequency=frequency).wide
    stock = count_episodes(people, [CountSpec(kind="stock")], keys=["area"], frequency=frequency).wide
    ends = frequency.end_of(pd.DatetimeIndex(flow.index))
    for area, rows in people.groupby("area"):
        slow_flow = [int(rows["opened"].between(a, b).sum()) for a, b in zip(flow.index, ends, strict=True)]
        slow_stock = [int(((rows["opened"] <= b) & ~(rows["closed"] <= b)).sum()) for b in ends]
        assert flow[area].tolist() == slow_flow
        assert stock[area].tolist() == slow_stock
    assert flow.to_numpy().sum() == len(people)
