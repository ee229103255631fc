"""Pictures of reasons: sums and series, never a person; only where there was evidence; what is not steady is no reason."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from planning_cases import effects as made_effects
from planning_cases import forecast
from report_made import made

from demand.explain import WINDOWS, driver_windows, sizes
from demand.languages import speaking
from demand.report import ReportInput
from demand.report.answers import answers
from demand.report.change_section import driver_order, unsteady, year_change
from demand.report.facts import lines
from demand.report.reasons import dependence, over_time, spread


def _with(held: float, *, moved: bool = False) -> ReportInput:
    """Give a made-up run with two drivers, the first of which is first in this share of estimates; with `moved` not in one window."""
    first = [("private_rent", d, 2.0 if d < held * 100 else 0.1) for d in range(100)]
    rows = pd.DataFrame([*first, *(("unemployment", d, 1.0) for d in range(100))], columns=["driver", "draw", "elasticity"])
    effects = rows.assign(unique_id="ta/hostel", source="made up", observed_low=90.0, observed_high=110.0)
    places = [
        (w, n, 1 + ((n == "unemployment") != (moved and w == WINDOWS[-1]))) for w in WINDOWS for n in ("private_rent", "unemployment")
    ]
    return replace(made(), effects=effects, driver_windows=pd.DataFrame(places, columns=["window", "driver", "place"]))


@pytest.mark.parametrize(("held", "moved", "steady"), [(0.95, False, True), (0.6, False, False), (0.95, True, False)])
def test_a_driver_is_a_reason_only_where_its_place_holds(held: float, moved: bool, steady: bool) -> None:
    inputs = _with(held, moved=moved)
    assert unsteady(inputs) == (frozenset() if steady else {"private_rent", "unemployment"})
    found = driver_order(inputs)
    assert found is not None
    table, (said,) = found[0], found[1].lines
    assert table.columns[-len(WINDOWS) :] == tuple(w.capitalize() for w in WINDOWS)
    assert ("can be relied on" in said) == steady
    assert ("but not without the last two years" in said) == moved
    with speaking("cy"):
        welsh = driver_order(inputs)
    assert welsh is not None
    assert ("ond nid heb y ddwy flynedd ddiwethaf" in welsh[1].lines[0]) == moved
    assert "Y colofnau olaf" in welsh[0].note
    assert not set(welsh[0].columns) & set(table.columns)
    why = next(a for a in answers(inputs) if a.question == "Why?")
    change = year_change(inputs, lines(inputs)[0])
    assert change is not None
    drivers = [n for n in change.steps.index[:2] if "rent" in n]
    assert drivers
    assert any(n in why.sentence for n in drivers) == steady


def test_places_in_windows_are_those_of_estimates_from_less_history() -> None:
    _, history = forecast(past=60, draws=4)
    rng = np.random.default_rng(1)
    ds = sorted(history.table["ds"].unique())
    drivers = pd.concat([pd.DataFrame({"ds": ds, "name": n, "value": np.exp(rng.normal(5, 0.1, len(ds)))}) for n in ("a", "b")])
    found = driver_windows(history, drivers, draws=20, seed=1)
    assert list(found["window"].unique()) == list(WINDOWS)
    assert found.groupby("window")["place"].apply(sorted).tolist() == [[1, 2]] * len(WINDOWS)
    assert (found.sort_values(["window", "place"]).groupby("window")["does"].diff().dropna() <= 0).all()
    short = driver_windows(forecast(past=26, draws=4)[1], drivers, draws=20, seed=1)
    assert set(short["window"]) == {WINDOWS[0]}


def test_sizes_are_worked_out_by_hand() -> None:
    draws, _ = forecast(draws=3)
    effects = made_effects(draws).assign(elasticity=-0.5)
    assert sizes(effects)["rents"].to_numpy() == pytest.approx(0.5 * np.log(120 / 80))


def test_pictures_of_reasons_say_what_they_show() -> None:
    inputs = _with(0.5)
    line = lines(inputs)[0]
    beside, shown, time = spread(inputs, line), dependence(inputs), over_time(inputs, line)
    assert beside is not None
    assert shown is not None
    assert time is not None
    assert "a dot a series" in beside.alt
    assert "may be of few people: not for publication" in beside.table.note
    assert "Private rent at 110, the highest seen: numbers +11%" in shown.alt
    assert time.table.columns[1:] == ("2026-27", "2027-28", "2028-29")
    public = inputs.spec.model_copy(update={"audience": "public"})
    assert spread(replace(inputs, spec=public), line) is None
    bare = replace(inputs, explanation=None, effects=None)
    assert (spread(bare, line), dependence(bare), over_time(bare, line)) == (None, None, None)
