"""Totals that are forecast by themselves: which there are, how they move series, and that replay decides whether they do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.cube import Cube
from demand.explain import explain
from demand.forecast import ForecastSpec, forecast
from demand.reconcile import Totals, reconcile
from demand.replay import BUDGET, Origins, rough_seconds
from demand.sums import Sums, mint_gains, summed, sums_of
from demand.swings import Swings
from demand.tables import History, summarise

RNG = np.random.default_rng
MONTHS = pd.date_range("2018-01-01", periods=72, freq="MS")


def crossing(periods: int = 72, level: float = 30.0) -> History:
    """Counts by area, service, segment and age."""
    rng, tables = RNG(1), []
    season = 1 + 0.3 * np.sin(np.arange(periods) * np.pi / 6)
    for area in "NS":
        for service in ("hostel", "advice"):
            for segment in "AB":
                for age in ("young", "old"):
                    y = rng.poisson(level * season).astype(float)
                    about = {
                        "unique_id": f"{area}/{service}/{segment}/{age}",
                        "area": area,
                        "service": service,
                        "segment": segment,
                        "age": age,
                    }
                    tables.append(pd.DataFrame({**about, "ds": MONTHS[:periods], "y": y}))
    return History.of(pd.concat(tables), Frequency("M"), keys=["area", "service", "segment", "age"])


def test_totals_of_any_depth_and_of_crossing_keys_are_there_once() -> None:
    series = crossing().series
    deep = sums_of(series, [["area", "service", "segment", "age"]])
    assert len(deep.ids) == 1 + 2 + 4 + 8
    crossed = sums_of(series, [["area", "service"], ["segment"], ["age"]])
    assert len(crossed.ids) == len(set(crossed.ids)) == 1 + 2 + 4 + 2 + 2
    assert crossed.ids[:2] == ["sum of total (flow, people)", "sum of area N (flow, people)"]
    np.testing.assert_array_equal(crossed.matrix.sum(axis=1), [16, 8, 8, 4, 4, 4, 4, 8, 8, 8, 8])


def test_a_total_counts_only_where_all_its_parts_do() -> None:
    history = crossing()
    sums = sums_of(history.series, [["area"]])
    table = history.table.copy()
    late = table["unique_id"].eq("N/hostel/A/old") & (table["ds"] < "2019-01-01")
    whole = summed(History(table[~late].reset_index(drop=True), history.series, history.frequency), sums)
    assert whole is not None
    first = whole.table.groupby("unique_id")["ds"].min()
    assert first["sum of area N (flow, people)"] == pd.Timestamp("2019-01-01")
    assert first["sum of area S (flow, people)"] == MONTHS[0]
    south = history.wide[[i for i in history.ids if i.startswith("S")]].sum(axis=1)
    np.testing.assert_allclose(whole.wide["sum of area S (flow, people)"], south)
    assert summed(history.until(MONTHS[5]), sums) is None


@pytest.mark.parametrize("overlap", [0, 10**6])
def test_moves_are_those_of_mint_written_out_in_full(overlap: int) -> None:
    rng = RNG(2)
    matrix = np.array([[1.0, 1, 1, 1], [1, 1, 0, 0]])
    common = rng.normal(size=(60, 1))
    errors = common + rng.normal(0, [1, 2, 3, 4], (60, 4))
    above = errors @ matrix.T * 0.3 + rng.normal(0, 2, (60, 2))
    gains = mint_gains(errors, above, matrix, overlap=overlap)
    both = np.hstack([above, errors])
    moment = both.T @ both / 60
    share = 1.0 if overlap else 0.1
    w = share * np.diag(np.diag(moment)) + (1 - share) * moment
    s = np.vstack([matrix, np.eye(4)])
    # Wickramasuriya et al. 2019, equation 9: (S'W^-1 S)^-1 S'W^-1, whose first columns belong to the totals.
    g = np.linalg.inv(s.T @ np.linalg.inv(w) @ s) @ s.T @ np.linalg.inv(w)
    np.testing.assert_allclose(gains, g[:, :2], rtol=1e-6)


def world(*, noise_below: float, noise_above: float, cutoffs: int = 14) -> tuple[Cube, np.ndarray, Sums]:
    """Replays of six series with a shared surprise, and of their total."""
    rng, steps = RNG(5), 4
    y = 100 + rng.normal(0, 3, (cutoffs, 6, steps))
    shared = rng.normal(0, noise_below, (cutoffs, 1, 1))
    below = y + shared + rng.normal(0, 2, y.shape)
    above = y.sum(axis=1, keepdims=True) + rng.normal(0, noise_above, (cutoffs, 1, steps))
    series = pd.DataFrame({"kind": "flow", "unit": "people"}, index=pd.Index([f"s{i}" for i in range(6)], name="unique_id"))
    at = np.arange(cutoffs) * 4 + 30
    ds = pd.date_range("2015-01-01", periods=100, freq="MS")
    swings = Swings(np.full((100, 6), np.nan), np.zeros((100, 6)))
    calm = np.zeros(6, dtype=int), np.zeros((100, 6), dtype=bool)
    cube = Cube(list(series.index), pd.DatetimeIndex(ds[at]), at, y, {"theta": below}, swings, 12, int(at[-1]) + steps, *calm)
    return cube, above, sums_of(series)


def replays_of(cube: Cube, above: np.ndarray, sums: Sums) -> pd.DataFrame:
    rows = [
        {"cutoff": c, "unique_id": sums.ids[0], "ds": c + pd.DateOffset(months=h + 1), "model": "theta", "mean": above[k, 0, h]}
        for k, c in enumerate(cube.cutoffs)
        for h in range(above.shape[2])
    ]
    return pd.DataFrame(rows)


def history_of(cube: Cube) -> History:
    ds = pd.date_range("2015-01-01", periods=87, freq="MS")
    tables = [pd.DataFrame({"unique_id": i, "ds": ds, "y": 120.0}) for i in cube.ids]
    return History.of(pd.concat(tables), Frequency("M"))


def test_totals_that_were_nearer_move_the_series_and_others_do_not() -> None:
    mean = np.full((6, 4), 100.0)
    for below, above, used in ((12.0, 5.0, True), (1.0, 60.0, False)):
        cube, said, sums = world(noise_below=below, noise_above=above)
        about = {"totals": Totals(sums), "replays": replays_of(cube, said, sums), "seen": lambda cube=cube: history_of(cube)}
        choice = reconcile(cube, {"theta": 1.0}, mean, **about)
        assert choice.used is used, choice.note
        # The total's own forecast is 6 x 120.
        assert (abs(choice.mean.sum(axis=0) - 720) < 40).all() if used else (choice.mean == mean).all()
        assert "earlier cutoffs" in choice.note
        assert not reconcile(cube, {"theta": 1.0}, mean, **{**about, "totals": Totals.of(history_of(cube), "auto", "bottom_up")}).used


def test_the_choice_rests_on_what_was_known_alone() -> None:
    cube, said, sums = world(noise_below=12.0, noise_above=5.0)
    place, mean = int(cube.at[9]), np.full((6, 4), 100.0)
    later = replace(cube, y=np.where((np.arange(14) >= 9)[:, None, None], 10_000.0, cube.y))
    about = {"totals": Totals(sums), "replays": replays_of(cube, said, sums), "seen": lambda: history_of(cube)}
    one, other = (reconcile(c.known_by(place), {"theta": 1.0}, mean, **about) for c in (cube, later))
    np.testing.assert_array_equal(one.mean, other.mean)
    assert one.note == other.note


def test_a_reconciled_forecast_stays_counts_and_is_explained() -> None:
    history = crossing(level=4.0)
    spec = ForecastSpec(horizon=6, models=["seasonal_naive", "theta"], draws=80, reconcile="mint")
    made = forecast(history, spec, seed=1, hierarchy=[["area"], ["service"]])
    values = made.draws.to_numpy()
    np.testing.assert_array_equal(values, np.rint(values))
    assert values.min() >= 0
    parts = explain(made)
    change = parts[parts["feature"] == "reconciliation"]
    assert change["contribution"].abs().max() > 0.01
    told = parts.groupby(["unique_id", "ds"])["contribution"].sum()
    np.testing.assert_allclose(told, summarise(made.draws).set_index(["unique_id", "ds"])["mean"], atol=1e-6)
    assert made.notes["note"].str.contains("MinT").any()
    plain = forecast(history, spec.model_copy(update={"reconcile": "bottom_up"}), seed=1, hierarchy=[["area"], ["service"]])
    assert set(plain.replays["unique_id"]) == set(history.ids)
    moved = made.draws.mean("draw") / plain.draws.mean("draw")
    assert 0.5 < float(moved.min()) < float(moved.max()) < 2.0


def many(areas: int, periods: int) -> History:
    ds, rng = pd.date_range("2014-01-01", periods=periods, freq="MS"), RNG(3)
    about = [(f"{a}/{k}", f"{a:03d}") for a in range(areas) for k in "xy"]
    tables = [pd.DataFrame({"unique_id": i, "area": a, "ds": ds, "y": rng.poisson(20, periods).astype(float)}) for i, a in about]
    return History.of(pd.concat(tables), Frequency("M"), keys=["area"])


@pytest.mark.parametrize(("areas", "used"), [(3, {"theta", "ces", "ets"}), (199, {"theta", "ces"})])
def test_totals_are_replayed_within_the_budget_of_any_model(areas: int, used: set[str]) -> None:
    history = many(areas, 120)
    ds = list(history.wide.index)
    of, totals = Origins(tuple(ds[60:108:2]), tuple(ds[60:108:11]), 12), Totals.of(history, "auto", "auto")
    tasks = totals.plan(list(of.close), of, history)
    assert {t.model for t in tasks} == used
    for model in used:
        seconds = sum(rough_seconds(model, history, len(totals.sums.ids)) for t in tasks if t.model == model)
        assert seconds <= BUDGET["close"]


def test_what_totals_said_at_a_cutoff_is_not_asked_again_and_is_the_same() -> None:
    history, heard = many(2, 60), []
    ds = list(history.wide.index)
    of, totals = Origins((ds[40], ds[44]), (ds[44],), 6), Totals.of(history, "auto", "auto")
    plain = pd.DataFrame({"cutoff": of.close, "unique_id": history.ids[0], "ds": ds[50], "model": "theta", "mean": 1.0, "y": 1.0})
    replays = totals.replayed(plain, of, history, seed=1, events=(), progress=lambda what, _: heard.append(what))
    assert set(heard) == {"replay theta of totals", "replay ces of totals", "replay ets of totals"}

    def never() -> History:
        raise AssertionError("asked again")

    said = totals.ahead(never, 6, replays=replays, cutoff=ds[44], seed=1)
    asked = totals.ahead(lambda: history.until(ds[44]), 6, replays=replays, cutoff=None, seed=1)
    np.testing.assert_allclose(said, asked, rtol=1e-9)
    with pytest.raises(AssertionError, match="asked again"):
        totals.ahead(never, 6, replays=replays, cutoff=ds[40], seed=1)
