"""A population that demand cannot be forecast per: each fault with its message."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.errors import DemandError
from demand.people import of_all, people_of
from demand.tables import History

MONTHS = pd.date_range("2021-01-01", periods=36, freq="MS")


def history() -> History:
    tables = [pd.DataFrame({"unique_id": a, "area": a, "ds": MONTHS, "y": 10.0}) for a in ("North", "South")]
    return History.of(pd.concat(tables), Frequency("M"), keys=["area"])


def people() -> pd.DataFrame:
    tables = [pd.DataFrame({"ds": MONTHS, "name": "population", "area": a, "value": 1000.0}) for a in ("North", "South")]
    return pd.concat(tables, ignore_index=True)


FAULTS: list[tuple[Callable[[pd.DataFrame], pd.DataFrame | None], str | None, str]] = [
    (lambda t: t[t["area"] == "North"], "population", r"no people for the series 'South': 'population \(South\)' has no figures"),
    (lambda t: t[t["ds"] >= "2021-04-01"], "population", r"'population \(North\)' has no figure in 3 periods: '2021-01-01'"),
    (lambda t: t[t["ds"] != "2022-05-01"], "population", r"has no figure in 1 periods: '2022-05-01'"),
    (lambda t: t.assign(value=np.where(t["ds"] == MONTHS[3], 0.0, t["value"])), "population", "is not always above 0"),
    (lambda t: t, "populaton", "Did you mean 'population'"),
    (lambda _: None, "population", "No drivers are given"),
    (lambda t: t, None, "Name the population in forecast > per"),
    (lambda t: pd.concat([t, t.assign(name="rent")]), "population", "a driver beside the population is given by key"),
]


@pytest.mark.parametrize(("change", "per", "told"), FAULTS)
def test_a_population_that_does_not_fit_is_refused(change: Callable[[pd.DataFrame], pd.DataFrame], per: str | None, told: str) -> None:
    with pytest.raises(DemandError, match=told):
        people_of(change(people()), per, history())


def test_one_population_for_all_and_one_for_each_area_are_both_understood() -> None:
    by_area, named = people_of(people(), "population", history())
    assert by_area.of == {"North": "population (North)", "South": "population (South)"}
    assert named is not None
    assert "area" not in named
    one, _ = people_of(people()[people()["area"] == "North"].drop(columns="area"), "population", history())
    assert one.of == {"North": "population", "South": "population"}


def test_the_people_of_all_areas_are_those_of_each_carried_on_and_no_other_driver() -> None:
    drivers, series = people(), history().series
    short = drivers[(drivers["area"] == "South") | (drivers["ds"] < MONTHS[24])].assign(low=np.nan, high=np.nan)
    short.loc[(short["area"] == "South") & (short["ds"] >= MONTHS[30]), ["low", "high"]] = [900.0, 1100.0]
    older = pd.DataFrame({"ds": MONTHS, "name": "population (85+)", "value": 50.0})
    named = short.assign(name=short["name"] + " (" + short["area"] + ")").drop(columns="area")
    for given in (short, named):
        told = of_all(pd.concat([given, older]), "population", series)
        assert told is not None
        whole = told[told["name"] == "population"].set_index("ds")
        assert (whole["value"] == 2000).all()
        assert whole["low"].iloc[:30].isna().all()
        assert (whole.iloc[30:][["low", "high"]] == [1900, 2100]).all(axis=None)
        assert (told.loc[told["name"] == "population (85+)", "value"] == 50).all()
    both = of_all(pd.concat([named, older, older.assign(name="population", value=3000.0)]), "population", series)
    assert both is not None
    assert (both.loc[both["name"] == "population", "value"] == 3000).all()
