"""Known changes are drawn to happen or not, and nobody is counted twice."""

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.caseload.known import KnownChange, read_known_changes
from demand.caseload.runoff import run_on
from demand.caseload.spells import as_known, spells_of
from demand.caseload.stays import learn_stays
from demand.errors import DataError, ScenarioError

DAY = pd.Timestamp("2026-03-31")
IDS = ["foster", "residential"]


def placements(seed=2, n=1500):
    """Stays of some years, so that hardly anybody leaves in the first months."""
    rng = np.random.default_rng(seed)
    opened = pd.Timestamp("2014-04-01") + pd.to_timedelta(rng.integers(0, 4383, n), unit="D")
    closed = opened + pd.to_timedelta(np.ceil(rng.exponential(900, n)), unit="D")
    kind = np.where(rng.random(n) < 0.7, "foster", "residential")
    table = pd.DataFrame({"person_id": np.arange(n), "type": kind, "opened": opened, "closed": closed})
    return as_known(spells_of(table.assign(price=np.where(kind == "foster", 600.0, 5000.0)), keys=["type"]), DAY)


def change(**given):
    return KnownChange.model_validate(
        {"date": "2026-05-01", "where": {"type": "residential"}, "likelihood": 1, "owner": "placements team", **given}
    )


def run(changes, *, starts=0, draws=400, spells=None):
    table = placements() if spells is None else spells
    each = np.full((2, 6, draws), float(starts))
    stays = learn_stays(table, DAY, ids=IDS, kinds={i: i for i in IDS})
    return run_on(table, stays, each, frequency=Frequency("M"), seed=1, changes=changes)


def moved(changes, **about):
    """What changes do: by series, at the end of May and in October, mean people."""
    plain, known = run([], **about), run(changes, **about)
    return (known["people"] - plain["people"]).mean("draw").to_numpy()


def test_who_is_known_to_leave_is_one_of_those_who_are_there():
    one, longest = placements(), None
    there = one[one["closed"].isna() & (one["type"] == "residential")]
    longest = there.sort_values("opened").index[0]
    dear = one.assign(price=one["price"].where(one.index != there.index[3], 9000.0))
    before, after = run([], spells=dear), run([change(change=-1, price=8800)], spells=dear)
    less = (before["pounds"] - after["pounds"]).sel(series="residential").mean("draw").to_numpy()
    stayed = (before["people"] - after["people"]).sel(series="residential").mean("draw").to_numpy()
    assert less[0] == pytest.approx(0)
    assert less[2] == pytest.approx(9000 * 30 / 7 * stayed[2], rel=0.05)
    assert 0.8 < stayed[1] <= 1  # in some draws they would have left by then anyhow: not counted twice
    plain, first = run([]), run([change(change=-1)])
    weeks = (plain["pounds"] - first["pounds"]).sel(series="residential").mean("draw").to_numpy()
    assert longest is not None
    assert weeks[2] == pytest.approx(5000 * 30 / 7, rel=0.15)


def test_all_happens_or_nothing_as_likely_as_said():
    both = moved([change(change=-4, likelihood=0.5)], draws=2000)
    assert both[1, 1] == pytest.approx(-4 * 0.5, abs=0.25)
    less = (run([], draws=2000)["people"] - run([change(change=-4, likelihood=0.5)], draws=2000)["people"]).sel(series="residential")[1]
    assert set(np.unique(less)) <= {0.0, 1.0, 2.0, 3.0, 4.0}  # fewer than 4 where some had left by then
    assert float((less == 0).mean()) == pytest.approx(0.5, abs=0.05)


def test_who_is_known_to_come_takes_the_place_of_a_new_start():
    come = change(change=4, where={"type": "foster"}, price=1000)
    alone = moved([come])
    assert alone[0, 0] == pytest.approx(0)
    assert alone[0, 1] == pytest.approx(4, abs=0.3)
    among = moved([come], starts=10)
    assert among[0, 1] == pytest.approx(0, abs=0.3)
    dearer = (run([come], starts=10)["pounds"] - run([], starts=10)["pounds"]).sel(series="foster").mean("draw").to_numpy()
    assert dearer[2] == pytest.approx(4 * 400 * 30 / 7, rel=0.2)


def test_a_step_down_moves_one_person_and_uses_up_no_start():
    down = moved([change(change=-1, to={"type": "foster"})], starts=3)
    assert down[1, 1] == pytest.approx(-1, abs=0.15)
    assert down[0, 1] == pytest.approx(1, abs=0.15)


def test_nothing_said_changes_nothing_and_what_is_over_is_left_out():
    plain = run([])
    assert plain.equals(run([change(change=3, date="2026-03-01"), change(change=3, date="2030-01-01")]))


def test_more_than_are_there_cannot_leave_and_a_series_must_be_known():
    with pytest.raises(DataError, match="5000 are to leave and"):
        run([change(change=-5000)])
    with pytest.raises(ScenarioError, match="Did you mean 'residential'"):
        run([change(change=-1, where={"type": "residental"})])


def test_the_file_is_read_and_all_its_faults_are_told_at_once(tmp_path):
    path = tmp_path / "known_changes.csv"
    path.write_text(
        "date,where,change,price,likelihood,owner\n2026-05,type: residential; area: Castle,-2,,0.8,placements team\n", encoding="utf-8"
    )
    [one] = read_known_changes(path)
    assert (one.change, one.likelihood, one.where, one.price) == (-2, 0.8, {"type": ["residential"], "area": ["Castle"]}, None)
    assert one.label == "placements team, 01 May 2026"
    path.write_text("date,where,change,likelihood,owner\n2026-05,type: a,two,0.5,us\n2026-06,type: a,1,1.5,us\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"(?s)row 2 > change.*row 3 > likelihood"):
        read_known_changes(path)
    path.write_text("date,where,changes,likelihood,owner\n", encoding="utf-8")
    with pytest.raises(DataError, match="'change' is missing"):
        read_known_changes(path)
