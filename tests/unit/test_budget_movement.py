"""What moves a line from one year to the next: bridges, and increments for the medium-term plan."""

import numpy as np
import pandas as pd
import pytest
from planning_cases import change, forecast, number, unit_cost

from demand.budget import BudgetLine, BudgetSpec, price
from demand.budget.bridge import GAP, bridge, bridge_notes
from demand.budget.fixed import FixedCost
from demand.budget.grants import Grant
from demand.budget.items import with_items
from demand.budget.movement import steps_of
from demand.budget.mtfp import mtfp, mtfp_notes
from demand.scenario import Scenario, WhatIf, apply
from demand.tables import History, make_draws

WEEKS = 365 / 7


def flat(last, coming, *, kinds=("stock",) * 4, ahead=24):
    """Four series that stand still at `last` until March 2026 and at `coming` from then on."""
    _, history = forecast(kind=kinds, first="2024-04-01", past=24, draws=2)
    at = dict(zip(history.ids, last, strict=True))
    history = History(history.table.assign(y=history.table["unique_id"].map(at)), history.series, history.frequency)
    values = np.repeat(np.array(coming, dtype=float)[:, None, None], ahead, axis=1).repeat(3, axis=2)
    ds = history.frequency.after(history.last, ahead)
    return make_draws(values, history.series, ds, frequency=history.frequency, cutoff=history.last, seed=1, fingerprint="test"), history


def bridged(draws, history, costs, lines, scenarios=(), items=(), came=None):
    case = WhatIf(draws, tuple(scenarios), 1)
    cost = with_items(price(apply(draws, scenarios, seed=1)[0], costs, seed=1, history=history), items, seed=1)
    spec = BudgetSpec(lines=tuple(lines))
    found = steps_of(case, cost, spec, history, came=came)
    return bridge(found, spec), mtfp(found), found


def places(pounds=100.0, growth=None):
    uplift = None if growth is None else number(growth, unit="per year")
    return unit_cost("place", {}, number(pounds, unit="GBP/household/week"), uplift=uplift)


LINE = BudgetLine(name="ta", where={"area": ["North", "South"]})


def test_a_price_that_grows_is_a_step_of_price_alone() -> None:
    table, _, _ = bridged(*flat([10] * 4, [10] * 4), [places(growth=0.1)], [LINE])
    rows = table[(table["line"] == "ta") & (table["from"] == "2025-26")].set_index("step")["amount_pence"]
    assert rows["price"] == pytest.approx(40 * 100 * WEEKS * 0.1 * 100, abs=2)
    assert rows["volume"] == rows["mix"] == 0


def test_more_people_are_volume_and_dearer_places_are_mix() -> None:
    costs = [unit_cost(of, {"type": of}, number(p, unit="GBP/household/week")) for of, p in (("bnb", 500.0), ("hostel", 300.0))]
    draws, history = flat([10, 10, 10, 10], [12, 12, 12, 12])
    rows = bridged(draws, history, costs, [LINE])[0].query("line == 'ta' and to == '2026-27'").set_index("step")["amount_pence"]
    assert rows["mix"] == rows["price"] == 0
    assert rows["volume"] > 0
    draws, history = flat([10, 10, 10, 10], [14, 6, 14, 6])
    rows = bridged(draws, history, costs, [LINE])[0].query("line == 'ta' and to == '2026-27'").set_index("step")["amount_pence"]
    assert rows["volume"] == rows["price"] == 0
    assert rows["mix"] > 0


def test_longer_stays_are_told_from_more_starts_where_a_flow_is_counted() -> None:
    kinds = ("flow", "stock", "flow", "stock")
    draws, history = flat([10, 30, 10, 30], [10, 36, 10, 36], kinds=kinds, ahead=24)
    costs = [unit_cost("place", {"type": "hostel"}, number(100, unit="GBP/household/week"))]
    line = BudgetLine(name="places", where={"type": "hostel"}, starts={"type": "bnb"})
    table, _, found = bridged(draws, history, costs, [line])
    rows = table.query("line == 'places' and to == '2026-27'").set_index("step")["amount_pence"]
    assert rows["starts"] == 0
    assert rows["length of stay"] == rows["forecast"] - rows["volume x price"] > 0
    assert bridge_notes(found) == ()
    folded = bridged(draws, history, costs, [line.model_copy(update={"starts": {}})])[2]
    assert "starts and length of stay are one step, volume, for 'places'" in bridge_notes(folded)[0]


def test_starts_that_are_counted_from_placements_tell_stays_apart_too() -> None:
    draws, history = flat([20] * 4, [30] * 4)
    months = pd.date_range("2024-04-01", periods=48, freq="MS")
    came = pd.DataFrame([(i, day, 5.0 if day < pd.Timestamp("2026-04-01") else 7.5) for i in history.ids for day in months],
                        columns=["unique_id", "ds", "starts"])  # fmt: skip
    table, _, found = bridged(draws, history, [places()], [LINE], came=came)
    rows = table.query("line == 'ta' and to == '2026-27'").set_index("step")["amount_pence"]
    # Half as many again come and are there: all but the half month in which they have not yet come is starts.
    assert rows["starts"] == pytest.approx(rows["forecast"] - rows["volume x price"], rel=0.1)
    assert abs(rows["length of stay"]) < 0.1 * rows["starts"]
    assert bridge_notes(found) == ()
    holes = came.assign(starts=came["starts"].where(came["ds"] != pd.Timestamp("2025-07-01")))
    table = bridged(draws, history, [places()], [LINE], came=holes)[0].query("line == 'ta'")
    assert "volume" in set(table.loc[table["to"] == "2026-27", "step"])
    assert "starts" in set(table.loc[table["to"] == "2027-28", "step"])


def test_of_a_flow_who_comes_is_the_volume() -> None:
    draws, history = flat([10] * 4, [12] * 4, kinds=("flow",) * 4)
    table, _, found = bridged(draws, history, [unit_cost("case", {}, number(100, unit="GBP/household"))], [LINE])
    rows = table.query("line == 'ta' and to == '2026-27'").set_index("step")["amount_pence"]
    assert rows["starts"] == 4 * 2 * 12 * 100 * 100
    assert "volume" not in rows
    assert bridge_notes(found) == ()


def test_the_bridge_begins_at_the_outturn_and_the_gap_is_a_step() -> None:
    line = LINE.model_copy(update={"outturn": {"2025-26": 250_000.0}})
    table, _, _ = bridged(*flat([10] * 4, [10] * 4), [places()], [line])
    rows = table.query("line == 'ta' and to == '2026-27'").set_index("step")["amount_pence"]
    assert rows["outturn"] == 25_000_000
    assert rows[GAP] == pytest.approx(40 * 100 * WEEKS * 100 - 25_000_000, abs=2)
    assert rows["forecast"] == rows["outturn"] + rows[GAP]
    assert set(table.query("to == '2027-28' and kind == 'start'")["step"]) == {"forecast"}


def test_a_change_has_a_part_year_and_a_full_year() -> None:
    half = Scenario(name="half", changes=(change("half of them", size=number(0.5), start="2026-10"),))
    _, plan, found = bridged(*flat([10] * 4, [10] * 4, ahead=36), [places()], [LINE], [half])
    rows = plan.query("scenario == 'half' and line == 'ta' and item == 'half of them'").set_index("financial_year")
    assert list(rows.index) == ["2026-27", "2027-28", "2028-29"]
    full = -20 * 100 * WEEKS * 100
    assert rows["part_year_pence"].notna().tolist() == [True, False, False]
    assert rows.loc["2026-27", "part_year_pence"] == rows.loc["2026-27", "medium_pence"] == pytest.approx(full / 2, rel=0.1)
    assert rows.loc["2026-27", "full_year_pence"] == pytest.approx(full, rel=0.01)
    assert rows.loc["2026-27", "full_year_pence"] == rows.loc["2026-27", "medium_pence"] + rows.loc["2027-28", "medium_pence"]
    assert rows["recurring"].all()
    assert "3 of 5 years are covered" in mtfp_notes(found)[1]
    short = Scenario(name="half", changes=(change("half of them", size=number(0.5), start="2026-10", end="2027-09"),))
    _, plan, _ = bridged(*flat([10] * 4, [10] * 4), [places()], [LINE], [short])
    assert not plan.query("item == 'half of them'")["recurring"].any()


def test_low_and_high_hold_the_increment_four_times_in_five() -> None:
    draws, history = forecast(first="2024-04-01", past=24, draws=400)
    _, plan, found = bridged(draws, history, [places(growth=0.03)], [LINE])
    assert (plan["low_pence"] <= plan["high_pence"]).all()
    step = next(s for s in found.steps if s.name == "volume" and s.year == "2027-28")
    row = plan.query("line == 'ta' and financial_year == '2027-28' and item == 'demand'").iloc[0]
    inside = (step.pounds * 100 >= row["low_pence"]) & (step.pounds * 100 <= row["high_pence"])
    assert inside.mean() == pytest.approx(0.8, abs=0.01)


def test_a_last_year_that_was_not_counted_whole_is_not_made_up() -> None:
    draws, history = forecast(first="2025-08-01", past=8, ahead=24, draws=4)
    _, _, found = bridged(draws, history, [places()], [LINE])
    assert found.counted == ""
    assert {s.before for s in found.steps} == {"2026-27"}
    assert any("was not counted whole" in note for note in bridge_notes(found))


def test_without_lines_all_that_is_priced_is_the_total() -> None:
    table, plan, _ = bridged(*flat([10] * 4, [11] * 4), [places()], [])
    assert set(table["line"]) == set(plan["line"]) == {"total"}
    assert isinstance(table, pd.DataFrame)


def test_a_grant_that_ends_is_a_step_and_the_first_year_says_that_the_year_before_is_gross() -> None:
    grant = Grant(name="prevention grant", line="ta", years={"2026-27": 50_000.0}, ends="2027-03-31")
    table, plan, _ = bridged(*flat([10] * 4, [10] * 4), [places()], [LINE], items=[grant])
    rows = plan.query("line == 'ta' and kind == 'grant'").set_index("financial_year")
    assert rows.loc["2027-28", ["item", "medium_pence", "recurring"]].tolist() == ["prevention grant", 5_000_000, False]
    assert rows.loc["2026-27", ["item", "medium_pence"]].tolist() == ["prevention grant (2025-26 is gross)", -5_000_000]
    one = table.query("line == 'ta' and to == '2027-28'")
    assert one.query("kind == 'start'")["amount_pence"].sum() + one.query("kind == 'step'")["amount_pence"].sum() == (
        one.query("kind == 'end'")["amount_pence"].sum()
    )


def test_a_line_of_items_alone_that_stands_still_keeps_the_total_told() -> None:
    grant = Grant(name="prevention grant", line="grants", years={"2026-27": 5000.004, "2027-28": 5000.004})
    lines = [LINE, BudgetLine(name="grants", items_only=True)]
    steps, plan, found = bridged(*flat([10] * 4, [12] * 4), [places(growth=0.1)], lines, items=[grant])
    expected = found.expected()
    for year in ("2026-27", "2027-28"):
        mine = plan[plan["financial_year"] == year].groupby("line")["medium_pence"].sum()
        assert mine["total"] == mine["ta"] + mine["grants"]
    assert mine["total"] == expected["baseline", "total", "2027-28"] - expected["baseline", "total", "2026-27"]
    assert "total" in set(steps.query("to == '2027-28'")["line"])


def test_a_contract_that_goes_on_does_not_begin_again_when_it_grows() -> None:
    certain = number(1000, unit="GBP/year")
    team = FixedCost(name="team", line="ta", amount=certain, uplift=number(0.1, unit="per year"))
    late = FixedCost(name="late", line="ta", amount=certain, start="2026-10-01")
    _, plan, _ = bridged(*flat([10] * 4, [10] * 4, ahead=36), [places()], [LINE], items=[team, late])
    rows = plan[(plan["line"] == "ta") & (plan["kind"] == "fixed")].set_index(["financial_year", "item"])
    first = rows.loc[("2026-27", "team (2025-26 is gross)")]
    assert (first["part_year_pence"], first["full_year_pence"]) == (110_000, 121_000)
    grown = rows.loc[("2027-28", "team")]
    assert pd.isna(grown["part_year_pence"])
    assert grown["full_year_pence"] == grown["medium_pence"] == 11_000
    half = rows.loc[("2026-27", "late (2025-26 is gross)")]
    assert half["part_year_pence"] == pytest.approx(100_000 * 182 / 365, abs=1)
    assert half["full_year_pence"] == 100_000
