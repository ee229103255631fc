"""Earlier extracts: the last months are counted as they will be once all is recorded, and what else is read of people for the run-off."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from demand.calendar import Frequency
from demand.caseload.recorded import as_if_recorded, late_recording, late_sentence, with_unrecorded
from demand.data.people import CountSpec, count_episodes
from demand.data.snapshots import dated_files, whole_month
from demand.errors import DataError, SettingsError
from pipelines.config import load_config
from pipelines.inputs import Inputs

COUNTS = [CountSpec(where={"what": ["visit"]}, unit="people", name="visits"), CountSpec(where={"what": ["bed"]}, kind="stock", name="beds")]
CONFIG = """name: care
data:
  people: {path: now.csv, id: ref, person: who, opened: start, closed: end, keys: [type], activity: paid,
           known_end: planned, household: home, extracted: 2026-03-31, counts: [{kind: stock, unit: people}]}
  snapshots: earlier
forecast: {horizon: 12}
caseload: {}
tracking: {uri: none}
"""


def truth() -> pd.DataFrame:
    """Visits and beds over two years; openings are recorded 0, 1 or 2 months late, 70, 20 and 10 times in 100, and closings at once."""
    rng, n = np.random.default_rng(5), 24_000
    opened = pd.Timestamp("2024-04-01") + pd.to_timedelta(rng.integers(0, 730, n), unit="D")
    what = np.where(rng.random(n) < 0.5, "visit", "bed")
    closed = opened + pd.to_timedelta(rng.integers(20, 120, n), unit="D")
    table = pd.DataFrame({"what": what, "area": rng.choice(["north", "south"], n), "opened": opened, "closed": closed})
    months = table["opened"].dt.to_period("M") + rng.choice([0, 1, 2], n, p=[0.7, 0.2, 0.1])
    table["opened_seen"] = months.dt.to_timestamp("M").dt.normalize()
    table["closed_seen"] = np.maximum(table["closed"], table["opened_seen"])
    return table


def as_on(table: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    seen = table[(table["opened_seen"] <= day) & (table["opened"] <= day)]
    return seen.assign(closed=seen["closed"].where((seen["closed_seen"] <= day) & (seen["closed"] <= day)))


def test_what_is_not_recorded_yet_widens_stocks_and_leaves_flows() -> None:
    table, day = truth(), pd.Timestamp("2026-03-31")
    extracts = {d: as_on(table, d) for d in pd.date_range(end=day, periods=8, freq="ME")}
    late = late_recording(extracts, COUNTS, seed=1)
    history = count_episodes(extracts[day], COUNTS, keys=["what", "area"], frequency=Frequency("M"), last=day)
    ds, ids = history.frequency.after(history.last, 6), history.ids
    sure = xr.DataArray(np.full((len(ids), 6, 2000), 900.0), {"series": ids, "ds": ds}, ("series", "ds", "draw"))
    told = with_unrecorded(sure, history, COUNTS, late, seed=1)
    beds = [i for i in ids if i.startswith("bed")]
    assert len(beds) == 2
    assert (told.sel(series=[i for i in ids if i not in beds]) == 900).all()
    rows = late[late["count"] == "beds"]
    spread = np.sqrt((((rows["high"] - rows["low"]) / 2.5631) ** 2).sum())
    assert float(told.sel(series=beds).sum("series").std("draw")[-1]) == pytest.approx(spread, rel=0.06)
    assert float(told.sel(series=beds).mean()) == pytest.approx(900, rel=0.01)
    assert (told % 1 == 0).all()  # counts stay counts
    leaving = pd.DataFrame(np.tile(0.5 ** np.arange(1, 7), (len(beds), 1)), index=beds, columns=ds)
    fewer = with_unrecorded(sure, history, COUNTS, late, seed=1, lasting=lambda *_: leaving).sel(series=beds).sum("series").std("draw")
    assert fewer.to_numpy()[:3] == pytest.approx(spread * 0.5 ** np.arange(1, 4), rel=0.1)  # who is not recorded leaves as others do
    half = with_unrecorded(sure + 0.5, history, COUNTS, late, seed=1)
    assert (half.sel(series=beds) % 1 != 0.5).any()


def test_flows_and_stocks_of_the_last_months_come_near_what_they_will_be() -> None:
    table, day = truth(), pd.Timestamp("2026-03-31")
    extracts = {d: as_on(table, d) for d in pd.date_range(end=day, periods=8, freq="ME")}
    late = late_recording(extracts, COUNTS, seed=1)
    about = {"keys": ["what", "area"], "frequency": Frequency("M"), "last": day}
    whole = count_episodes(table[table["opened"] <= day], COUNTS, **about).wide
    recorded = count_episodes(extracts[day], COUNTS, **about)
    grown = as_if_recorded(recorded, extracts[day], COUNTS, late).wide
    assert list(grown.columns) == list(whole.columns)
    for name in grown:
        last = slice("2026-02-01", "2026-03-01")
        before, after = (abs(w.loc[last, name] / whole.loc[last, name] - 1).max() for w in (recorded.wide, grown))
        assert after < 0.12
        assert after < before
    pd.testing.assert_frame_equal(grown.loc[:"2025-09-01"], recorded.wide.loc[:"2025-09-01"])
    assert "visits, March 2026" in late_sentence(late)
    assert set(late["day"][late["count"] == "visits"]) == {"opened"}


def test_without_extracts_a_month_apart_nothing_is_said() -> None:
    table, day = truth(), pd.Timestamp("2026-03-31")
    assert late_recording({day: as_on(table, day)}, COUNTS, seed=1).empty


def write(folder: Path) -> None:
    table, day = truth(), pd.Timestamp("2026-03-31")
    table = table[table["what"] == "bed"].iloc[:3000].reset_index(drop=True)
    table = table.assign(ref=[f"R{i}" for i in range(len(table))], who=[f"P{i}" for i in range(len(table))], type="hotel")
    table = table.assign(home=[f"H{i // 2}" for i in range(len(table))], planned="2026-06-30", paid="2026-03-01")
    (folder / "earlier").mkdir()
    names = {
        "ref": "ref",
        "who": "who",
        "type": "type",
        "opened": "start",
        "closed": "end",
        "paid": "paid",
        "planned": "planned",
        "home": "home",
    }
    for made in pd.date_range(end=day, periods=5, freq="ME"):
        path = folder / "now.csv" if made == day else folder / "earlier" / f"beds_{made:%Y-%m-%d}.csv"
        as_on(table, made)[list(names)].rename(columns=names).to_csv(path, index=False)


def test_a_folder_of_earlier_extracts_is_read_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMAND_PSEUDONYM_KEY", os.environ.get("DEMAND_PSEUDONYM_KEY") or "a key that is long enough for this")
    write(tmp_path)
    (tmp_path / "care.yaml").write_text(CONFIG, encoding="utf-8")
    inputs = Inputs(*load_config(tmp_path / "care.yaml"))
    assert inputs.people is not None
    assert {"activity", "known_end", "household"} <= set(inputs.people.columns)
    assert inputs.people["household"].nunique() < inputs.people["person_id"].nunique()
    told = next(f for f in inputs.findings if f.rule == "late_recording")
    assert "March 2026" in told.message
    assert told.count == 4
    assert inputs.late is not None
    assert inputs.history is not None
    assert sum(name.startswith("snapshots ") for name in inputs.hashes) == 4
    plain = Inputs(*load_config(tmp_path / "care.yaml", changes=["data.snapshots=null"]))
    later = Inputs(*load_config(tmp_path / "care.yaml", changes=["data.snapshots=null", "data.people.since=2025-04-01"])).history
    assert later.table["ds"].min() == pd.Timestamp("2025-04-01")  # the extract is whole from then on
    pd.testing.assert_frame_equal(later.wide, plain.history.wide.loc["2025-04-01":], check_freq=False)
    for day, month in (("2025-04-15", "2025-05-01"), ("2001-01-01", plain.history.table["ds"].min())):
        since = ["data.snapshots=null", f"data.people.since={day}"]
        assert Inputs(*load_config(tmp_path / "care.yaml", changes=since)).history.table["ds"].min() == pd.Timestamp(month)
    with pytest.raises(DataError, match=r"data.people.since.*no whole month.*last whole month is March 2026"):
        _ = Inputs(*load_config(tmp_path / "care.yaml", changes=["data.snapshots=null", "data.people.since=2027-01-01"])).history
    assert plain.history is not None
    assert inputs.history.wide.iloc[-1].sum() != plain.history.wide.iloc[-1].sum()
    early = Inputs(*load_config(tmp_path / "care.yaml", changes=["as_of=2025-12-31"]))
    assert early.late is None
    assert any("`as_of` is before this extract" in f.message for f in early.findings)


def test_names_without_a_day_and_folders_that_are_not_there_are_refused(tmp_path: Path) -> None:
    (tmp_path / "beds.csv").write_text("a\n1\n", encoding="utf-8")
    with pytest.raises(DataError, match="the name holds no day"):
        dated_files(["beds.csv"], tmp_path)
    with pytest.raises(DataError, match="there is no such folder"):
        dated_files("lost", tmp_path)
    with pytest.raises(DataError, match="no file here has a day in its name"):
        dated_files(".", tmp_path)
    for name in ("beds_2026-03-31.csv", "beds-20260331.csv"):
        (tmp_path / name).write_text("a\n1\n", encoding="utf-8")
    with pytest.raises(DataError, match="is of the same day"):
        dated_files(".", tmp_path)
    assert whole_month(pd.Timestamp("2026-03-03")) == pd.Timestamp("2026-02-28")


def test_snapshots_without_people_are_refused(tmp_path: Path) -> None:
    text = "name: care\ndata: {history: {path: h.csv, frequency: M}, snapshots: earlier}\n"
    (tmp_path / "care.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match="'snapshots' are earlier extracts of 'people'"):
        load_config(tmp_path / "care.yaml")
