"""What holds for every scenario: no change is the baseline, order does not matter, the waterfall adds up."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from planning_cases import change, effects, forecast, number

from demand.scenario import Change, Scenario, WhatIf, apply, compare, exposure_of, measured
from demand.scenario.timing import happens

FORECASTS = {kind: forecast(kind=kind, draws=12, ahead=24) for kind in ("flow", "stock")}
EFFECTS = effects(FORECASTS["flow"][0]).assign(half_life=lambda t: np.where(t["unique_id"].str.startswith("North"), 8.0, 0.0))
WHERE = st.sampled_from([{}, {"area": "North"}, {"type": ["bnb"]}, {"type": ["bnb", "hostel"], "area": "South"}])
MOST = {"multiply": 2.0, "driver": 1.5, "shift": 1.0, "add": 20.0, "cap": 100.0, "rate": 1.0, "level": 1.0}
NEEDED = {"driver": {"driver": "rents"}, "shift": {"to": {"type": "hostel"}}, "rate": {"rate_now": number(0.55, 0.5, 0.6)},
          "level": {"between": "area", "towards": "average"}}  # fmt: skip
START = st.sampled_from([None, "2026-10", "2027-04-15", "2028-01", "2040-01"])


@st.composite
def changes(draw, count=3):
    found = []
    for position in range(draw(st.integers(1, count))):
        effect = draw(st.sampled_from(list(MOST)))
        value = draw(st.floats(0.01, MOST[effect]))
        unit = "households" if effect in ("add", "cap") else "ratio"
        size = number(value, value * draw(st.floats(0, 1)), min(MOST[effect], value * draw(st.floats(1, 2))), unit)
        where = {"type": "bnb"} if effect == "shift" else {} if effect == "level" else draw(WHERE)
        more = {**NEEDED.get(effect, {}), **draw(st.sampled_from([{}, {"probability": number(0.6, 0.3, 0.9)}]))}
        start = draw(START)
        if start:
            delay = number(3, -2, 12, "months")
            more |= draw(st.sampled_from([{}, {"delay": delay}])) | {"ramp_months": draw(st.sampled_from([0, 6]))}
        found.append(change(f"change {position}", effect, size=size, where=where, start=start, **more))
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


NOTHING = {
    "multiply": {"size": number(1.0)},
    "driver": {"size": number(1.0)},
    "add": {"size": number(0.0, unit="households")},
    "cap": {"size": number(1e9, unit="households")},
    "shift": {"size": number(0.0)},
    "rate": {"size": number(0.55), "rate_now": number(0.55)},
    "level": {"size": number(0.0)},
}


@given(st.data(), START, st.sampled_from(list(NOTHING)), st.sampled_from([None, "multiply", "add"]))
@settings(max_examples=60, deadline=None)
def test_no_change_is_the_baseline_exactly(data, start, effect, together) -> None:
    draws, _ = FORECASTS["stock"]
    where = {"type": "bnb"} if effect == "shift" else {} if effect == "level" else data.draw(WHERE)
    none = change("none", effect, where=where, start=start, **{**NEEDED.get(effect, {}), **NOTHING[effect]})
    several = [none] if together is None else [none, change("none either", size=number(1.0))]
    demand, _ = apply(draws, [Scenario(name="s", changes=tuple(several), together=together)], seed=1, effects=EFFECTS)
    np.testing.assert_array_equal(demand[1].to_numpy(), draws.to_numpy())


@given(changes(count=1), st.sampled_from(["flow", "stock"]))
@settings(max_examples=40, deadline=None)
def test_what_does_not_happen_changes_nothing(found, kind) -> None:
    draws, _ = FORECASTS[kind]
    never = found[0].model_copy(update={"probability": number(0.0)})
    half = found[0].model_copy(update={"probability": number(0.5)})
    demand, _ = apply(draws, [Scenario(name=n, changes=(c,)) for n, c in (("never", never), ("half", half))], seed=1, effects=EFFECTS)
    np.testing.assert_array_equal(demand.sel(scenario="never").to_numpy(), draws.to_numpy())
    there = happens(WhatIf(draws, (), 1), half)
    np.testing.assert_array_equal(demand.sel(scenario="half").to_numpy()[:, :, ~there], draws.to_numpy()[:, :, ~there])


@given(changes())
@settings(max_examples=30, deadline=None)
def test_fingerprints_depend_on_content_alone(found) -> None:
    again = [Change.model_validate(c.model_dump()) for c in found]
    assert [c.fingerprint for c in again] == [c.fingerprint for c in found]
    assert [c.identity for c in again] == [c.identity for c in found]
    assert found[0].model_copy(update={"ramp_months": 99.0}).fingerprint != found[0].fingerprint


@given(changes(), st.sampled_from(["multiply", "add"]), st.sampled_from(["flow", "stock"]))
@settings(max_examples=20, deadline=None)
def test_children_sum_to_their_parents_in_every_scenario(found, together, kind) -> None:
    draws, history = FORECASTS[kind]
    scenarios = [Scenario(name="s", changes=tuple(found), together=together)]
    demand, _ = apply(draws, scenarios, seed=1, effects=EFFECTS)
    compared = compare(WhatIf(draws, tuple(scenarios), 1, EFFECTS), "baseline", "s", history=history)
    exposure = exposure_of(WhatIf(draws), history, 4)
    areas = [np.flatnonzero(demand["area"] == a) for a in ("North", "South")]
    for year, label in enumerate(exposure.labels):
        parts = [
            sum(v[:, year].mean(axis=1).sum() for v in measured(exposure, demand[1].to_numpy()[rows], rows).values()) for rows in areas
        ]
        whole = compared.loc[compared["financial_year"] == label, "to_total"].iloc[0]
        assert abs(sum(parts) - whole) <= 1e-6 * max(1.0, abs(whole))


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
