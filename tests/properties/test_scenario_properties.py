"""What holds for every scenario: no change is the baseline, order does not matter, the waterfall adds up."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from planning_cases import change, effects, forecast, number

from demand.scenario import Scenario, WhatIf, apply, compare

FORECASTS = {kind: forecast(kind=kind, draws=12, ahead=24) for kind in ("flow", "stock")}
EFFECTS = effects(FORECASTS["flow"][0])
WHERE = st.sampled_from([{}, {"area": "North"}, {"type": ["bnb"]}, {"type": ["bnb", "hostel"], "area": "South"}])
START = st.sampled_from([None, "2026-10", "2027-04-15", "2028-01", "2040-01"])


@st.composite
def changes(draw, count=3):
    found = []
    for position in range(draw(st.integers(1, count))):
        effect = draw(st.sampled_from(["multiply", "add", "cap", "driver", "shift"]))
        unit = "households" if effect in ("add", "cap") else "ratio"
        most = {"multiply": 2.0, "driver": 1.5, "shift": 1.0, "add": 20.0, "cap": 100.0}[effect]
        value = draw(st.floats(0.01, most))
        size = number(value, value * draw(st.floats(0, 1)), min(most, value * draw(st.floats(1, 2))), unit)
        where = {"type": "bnb"} if effect == "shift" else draw(WHERE)
        more = {"driver": {"driver": "rents"}, "shift": {"to": {"type": "hostel"}}}.get(effect, {})
        start = draw(START)
        ramp = draw(st.sampled_from([0, 6])) if start else 0
        found.append(change(f"change {position}", effect, size=size, where=where, start=start, ramp_months=ramp, **more))
    return found


@given(changes(), st.sampled_from(["multiply", "add"]), st.sampled_from(["flow", "stock"]), st.randoms())
@settings(max_examples=30, deadline=None)
def test_the_order_of_changes_does_not_matter(found, together, kind, random) -> None:
    draws, _ = FORECASTS[kind]
    mixed = list(found)
    random.shuffle(mixed)
    one, _ = apply(draws, [Scenario(name="s", changes=tuple(found), together=together)], seed=1, effects=EFFECTS)
    other, _ = apply(draws, [Scenario(name="s", changes=tuple(mixed), together=together)], seed=1, effects=EFFECTS)
    np.testing.assert_array_equal(one.to_numpy(), other.to_numpy())
    assert (one.to_numpy() >= 0).all()
    assert np.isfinite(one.to_numpy()).all()


@given(changes(), st.sampled_from(["multiply", "add"]), st.sampled_from(["flow", "stock"]))
@settings(max_examples=30, deadline=None)
def test_the_waterfall_adds_up(found, together, kind) -> None:
    draws, history = FORECASTS[kind]
    case = WhatIf(draws, (Scenario(name="s", changes=tuple(found), together=together),), 1, EFFECTS)
    table = compare(case, "baseline", "s", history=history)
    for _, rows in table.groupby(["financial_year", "measure"]):
        whole = rows["to_total"].iloc[0] - rows["from_total"].iloc[0]
        assert abs(rows["amount"].sum() - whole) <= 1e-9 * max(1.0, abs(rows["to_total"].iloc[0]))
        assert (rows["change"] == "interaction").sum() == 1


@given(WHERE, START, st.sampled_from(["multiply", "driver", "add"]), st.sampled_from([None, "multiply", "add"]))
@settings(max_examples=25, deadline=None)
def test_no_change_is_the_baseline_exactly(where, start, effect, together) -> None:
    draws, _ = FORECASTS["stock"]
    size = number(0.0, unit="households") if effect == "add" else number(1.0)
    none = change("none", effect, size=size, where=where, start=start, **({"driver": "rents"} if effect == "driver" else {}))
    several = [none] if together is None else [none, change("none either", size=number(1.0))]
    demand, _ = apply(draws, [Scenario(name="s", changes=tuple(several), together=together)], seed=1, effects=EFFECTS)
    np.testing.assert_array_equal(demand[1].to_numpy(), draws.to_numpy())


@given(st.floats(0, 1), START)
@settings(max_examples=25, deadline=None)
def test_a_shift_makes_and_loses_nobody(share, start) -> None:
    draws, _ = FORECASTS["stock"]
    moved = change("moved", "shift", where={"type": "bnb"}, to={"type": "hostel"}, size=number(share), start=start)
    demand, _ = apply(draws, [Scenario(name="s", changes=(moved,))], seed=1)
    np.testing.assert_allclose(demand[1].sum("series"), draws.sum("series"), rtol=1e-5)


@given(st.permutations(range(4)))
@settings(max_examples=8, deadline=None)
def test_shuffled_series_change_nothing(order) -> None:
    draws, _ = FORECASTS["stock"]
    parts = (change("cut", where={"area": "North"}), change("cap", "cap", size=number(50, 40, 60, "households"), where={"area": "South"}))
    scenario = [Scenario(name="s", changes=parts)]
    one, _ = apply(draws, scenario, seed=1)
    other, _ = apply(draws[list(order)], scenario, seed=1)
    np.testing.assert_allclose(other.sel(series=draws["series"].to_numpy()), one, rtol=1e-6)
