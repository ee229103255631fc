"""A birthday at which people move to another budget, their package and its price as they were."""

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.caseload.model import CaseloadSpec, caseload_of
from demand.data.people import CountSpec, count_episodes
from demand.errors import ScenarioError

DAY = pd.Timestamp("2026-03-31")
COUNTS = [CountSpec(kind="stock", unit="people")]
KEYS = ["client_group", "type"]


def packages(n=1500, *, seed=1):
    """Adults between 40 and 75 in two types of package of four years each; at 65 the line is closed, and one opens for older people."""
    rng = np.random.default_rng(seed)
    opened = pd.Timestamp("2014-04-01") + pd.to_timedelta(np.sort(rng.integers(0, 4383, n)), unit="D")
    stay = np.ceil(rng.exponential(1460, n)) + 1
    exact = rng.uniform(40, 75, n)
    kind = np.where(rng.random(n) < 0.5, "home_care", "residential")
    price = np.where(kind == "home_care", 300.0, 1100.0) * np.exp(0.3 * rng.standard_normal(n))
    whole = pd.DataFrame({"person_id": np.arange(n), "type": kind, "opened": opened, "price": price, "age": np.floor(exact)})
    end, birthday = opened + pd.to_timedelta(stay, unit="D"), opened + pd.to_timedelta(np.ceil((65 - exact) * 365.25), unit="D")
    turns = (exact < 65) & (birthday < end)
    first = whole.assign(client_group=np.where(exact < 65, "adult", "older"), closed=np.where(turns, birthday, end))
    second = whole.assign(client_group="older", opened=birthday, closed=end, age=65.0)[turns]
    table = pd.concat([first, second], ignore_index=True).assign(closed=lambda t: pd.to_datetime(t["closed"]))
    table = table[(table["opened"] <= DAY) & (table["opened"] < table["closed"])].reset_index(drop=True)
    return table.assign(closed=table["closed"].where(table["closed"] <= DAY))


def made(**settings):
    table = packages()
    history = count_episodes(table, COUNTS, keys=KEYS, frequency=Frequency("M"), last=pd.Timestamp("2026-03-01"))
    return caseload_of(table, COUNTS, keys=KEYS, history=history, spec=CaseloadSpec(**settings))


def ran(stocks, *, ahead=36, draws=60):
    return stocks.draws(np.zeros((4, ahead, draws)), pd.Timestamp("2026-03-01"), seed=1)


def test_people_move_on_their_birthday_at_their_own_price_and_nobody_is_lost():
    stocks = made(moves_at=65, moves_to={"client_group": ["older"]})
    assert list(stocks.turn[1]) == [2, 3, -1, -1]
    told = ran(stocks)
    open_now = stocks.spells[stocks.spells["closed"].isna()]
    due = open_now[(open_now["client_group"] == "adult")]
    at_end = (pd.Timestamp("2029-03-31") - due["opened"]).dt.days / 365.25 + due["age"]
    left = told["people"].isel(ds=-1).mean("draw").to_series()
    assert left[["adult/home_care", "adult/residential"]].sum() < (at_end < 65).sum()  # those who are surely 65 by then are gone
    assert np.array_equal(told["people"], told["committed_people"])  # a package that moves on is none that is new
    np.testing.assert_allclose(told["pounds"], told["committed_pounds"])
    for kind in ("home_care", "residential"):
        mine = told.sel(series=[f"adult/{kind}", f"older/{kind}"]).sum("series")
        price = float((mine["pounds"].isel(ds=-1) / mine["weeks"].isel(ds=-1)).mean())
        assert price == pytest.approx(open_now.loc[open_now["type"] == kind, "price"].mean(), rel=0.05)


def test_moves_at_the_birthday_are_not_learnt_as_moves_and_stays_are_as_long_as_they_are():
    stocks = made(moves_at=65, moves_to={"client_group": ["older"]})
    stays = stocks.stays(stocks.spells, DAY)
    plain = made()
    assert stays.to[:2].sum() == 0
    assert plain.stays(plain.spells, DAY).to[:2].sum() > 0
    both = ran(stocks)["people"].sum("series").isel(ds=-1).mean()
    now = float(stocks.spells["closed"].isna().sum())
    assert float(both) == pytest.approx(now * np.exp(-36 / 48), rel=0.1)  # packages of four years, whichever budget pays


def test_without_the_key_nothing_changes_and_without_a_place_it_is_refused():
    assert made().turn is None
    with pytest.raises(ScenarioError, match="Did you mean 'older'"):
        ran(made(moves_at=65, moves_to={"client_group": ["oldr"]}))
    with pytest.raises(ValueError, match="go together"):
        CaseloadSpec(moves_at=65)
