"""What those who are there go on to cost, beside new starts and known changes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.caseload.known import KnownChange
from demand.caseload.model import caseload_of
from demand.commitments import TOTAL, commitments, drawn_starts
from demand.data.people import CountSpec, count_episodes
from demand.forecast import ForecastSpec

LAST, HEADS = pd.Timestamp("2026-03-01"), (("foster", 900.0), ("home", 100.0))


@pytest.fixture(scope="module")
def stocks():
    rng = np.random.default_rng(1)
    n = 2400
    opened = pd.Timestamp("2018-04-01") + pd.to_timedelta(np.sort(rng.integers(0, 2922, n)), unit="D")
    kind = np.where(rng.random(n) < 0.5, "foster", "home")
    closed = opened + pd.to_timedelta(np.ceil(rng.exponential(np.where(kind == "foster", 200, 500))), unit="D")
    people = pd.DataFrame({"person_id": np.arange(n), "type": kind, "opened": opened, "price": np.where(kind == "foster", 600.0, 5000.0)})
    people["closed"] = closed.where(closed <= pd.Timestamp("2026-03-31"))
    counts = [CountSpec(kind="stock", unit="children")]
    history = count_episodes(people, counts, keys=["type"], frequency=Frequency("M"), last=LAST)
    return caseload_of(people, counts, keys=["type"], history=history)


def test_items_add_up_to_the_total_with_known_changes_on_lines_of_their_own(stocks):
    starts = np.random.default_rng(2).poisson(12, (2, 12, 200)).astype(float)
    said = {"date": "2026-06-01", "change": -2, "likelihood": 0.5, "owner": "team"}
    changes = [KnownChange.model_validate({**said, "where": {"type": t}}) for t in ("home", "foster")]
    _, draws, table = commitments(stocks, starts, LAST, seed=1, changes=changes)
    items = table[table["item"] != TOTAL].groupby(["unique_id", "ds"])[["people", "pounds"]].sum()
    total = table[table["item"] == TOTAL].set_index(["unique_id", "ds"])
    assert np.allclose(items, total[["people", "pounds"]])
    assert set(table["item"]) == {"open now", "new starts", "known: team, 01 June 2026", "known: team, 01 June 2026 (2)", TOTAL}
    assert (total["pounds_low"] <= total["pounds"]).all()
    assert (total["pounds"] <= total["pounds_high"]).all()
    first = table[table["item"] == "known: team, 01 June 2026"].set_index(["unique_id", "ds"])
    assert first.loc[("home", pd.Timestamp("2026-07-01")), "people"] == pytest.approx(-1, abs=0.3)
    assert float(draws["people"].sum()) == pytest.approx(float(total["people"].sum() * 200))


def test_new_starts_go_with_the_people_whom_they_are_forecast_per_and_those_who_are_there_only_leave(stocks):
    """A population, given by type, that stands still for years and is half as large again from the next month on."""
    ds = pd.date_range("2017-01-01", "2027-03-01", freq="MS")
    figures = [pd.DataFrame({"ds": ds, "name": "population", "type": t, "value": np.where(ds > LAST, 1.5, 1.0) * n}) for t, n in HEADS]
    drivers = pd.concat(figures, ignore_index=True)
    per = replace(stocks, per="population")
    starts = drawn_starts(per, LAST, ForecastSpec(horizon=12, draws=40), seed=1, drivers=drivers)
    assert starts.shape == (2, 12, 40)
    assert starts.sum() / 40 / 12 == pytest.approx(1.5 * 25, rel=0.25)  # 2,400 starts in 96 months
    named = drivers.assign(name=drivers["name"] + " (" + drivers["type"] + ")").drop(columns="type")
    expected = [s.expected_starts(LAST, 12, seed=1, drivers=d).sum() for s, d in ((stocks, None), (per, named))]
    assert expected[1] / expected[0] == pytest.approx(1.5)
    *_, table = commitments(stocks, starts, LAST, seed=1)
    kept = table[table["item"] == "open now"].pivot(index="ds", columns="unique_id", values="people")
    assert (kept.diff().dropna() <= 0).all(axis=None)
    assert (table.loc[table["item"] == "new starts", "people"] >= 0).all()
    lasting = stocks.lasting(LAST, 12).loc["foster"]
    assert lasting.iloc[-1] == pytest.approx(np.exp(-365 / 200), abs=0.04)
    assert (lasting.diff().dropna() < 0).all()
