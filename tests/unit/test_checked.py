"""What a check keeps for the next one: scores with their trend, the mapping of columns and codes, and everything that stops a run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from demand.data.mapping import drift
from demand.data.quality import Finding
from demand.data.scores import quality_scores, with_trend
from demand.errors import DataError, SettingsError
from pipelines.checked import HEADING
from pipelines.config import load_config
from pipelines.inputs import Inputs
from pipelines.job import Job
from pipelines.store import Store
from pipelines.summary import summary

CONFIG = """name: cases
data:
  people: {path: cases.csv, id: ref, person: who, opened: opened, closed: closed, keys: [area, place], attributes: [need]}
"""


@pytest.fixture(autouse=True)
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("0123456789abcdef0123", encoding="utf-8")
    monkeypatch.setenv("DEMAND_KEY_FILE", str(tmp_path / "key"))


def table(n: int = 400) -> pd.DataFrame:
    days = pd.date_range("2023-01-01", "2025-03-31", periods=n)
    return pd.DataFrame({
        "ref": [f"r{i}" for i in range(n)], "who": [f"p{i}" for i in range(n)], "opened": days.strftime("%d/%m/%Y"), "closed": "",
        "area": ["North", "South"] * (n // 2), "place": ["Bed and breakfast"] * (n - 4) + ["B&B", "BB", "Hostel", "Hostel"], "need": "yes",
    })  # fmt: skip


def check(folder: Path, cases: pd.DataFrame, *changes: str) -> Job:
    cases.to_csv(folder / "cases.csv", index=False)
    (folder / "cases.yaml").write_text(CONFIG, encoding="utf-8")
    config, place = load_config(folder / "cases.yaml", changes=changes)
    job = Job(config, Inputs(config, place), Store(folder / "out"))
    job.do("check")
    return job


def told(folder: Path) -> dict[str, dict]:
    findings = json.loads((folder / "out" / "quality.json").read_text(encoding="utf-8"))["findings"]
    return {f["rule"]: f for f in reversed(findings)}  # the gravest of each rule


def test_everything_is_told_before_the_run_stops(tmp_path: Path) -> None:
    cases = table()
    cases.loc[3, "opened"] = "soon"
    cases.loc[5, "closed"] = "01/01/2020"
    cases.loc[[7, 8], "who"] = "p7"
    with pytest.raises(DataError, match=r"2 faults while checking the data:(.|\n)*row 5(.|\n)*row 7"):
        check(tmp_path, cases)
    found = told(tmp_path)
    assert (found["date_format"]["rows"], found["ended_before_started"]["rows"], found["overlap"]["rows"]) == ([5], [7], [10])
    assert (tmp_path / "out" / "quality.html").exists()
    with pytest.raises(DataError):  # also when nothing has changed and the check is not done again
        check(tmp_path, cases)
    left = ("data.quality.rules.date_format=leave_out", "data.quality.rules.ended_before_started=leave_out")
    job = check(tmp_path, cases, *left)
    assert job.inputs.people is not None
    assert len(job.inputs.people) == len(cases) - 2
    written = {name for name in job.store.manifest["files"] if name != "quality.json"}
    assert {"mapping.yaml", "quality_scores.csv"} <= written
    assert {line.strip() for line in summary(job).splitlines()} >= {str(job.store.folder / name) for name in written}


def test_a_warning_can_be_made_a_stop_and_a_note_be_left_away(tmp_path: Path) -> None:
    cases = table()
    cases.loc[8, "who"] = "p7"
    check(tmp_path, cases, "data.quality.rules.overlap=off")
    assert "overlap" not in told(tmp_path)
    with pytest.raises(DataError, match="double booking"):
        check(tmp_path, cases, "data.quality.rules.overlap=stop")


def test_scores_by_field_and_area_with_their_trend(tmp_path: Path) -> None:
    cases = table()
    check(tmp_path, cases)
    worse = cases.copy()
    worse.loc[::4, "need"] = ""
    worse.loc[8, "who"] = "p7"
    check(tmp_path, worse)
    scores = pd.read_csv(tmp_path / "out" / "quality_scores.csv")
    assert scores["run"].nunique() in (1, 2)  # two runs within one second begin at the same time
    assert scores["data"].nunique() == 2
    last = scores[scores["data"] == scores["data"].iloc[-1]].set_index(["measure", "field", "area"]).sort_index()
    assert last.loc[("completeness", "need", "all"), "score"] == 0.75
    assert last.loc[("completeness", "need", "all"), "change"] == -0.25
    assert last.loc[("completeness", "need", "North"), "score"] == 0.5
    assert last.loc[("completeness", "need", "South"), "change"] == 0
    assert last.loc[("accuracy", "episode", "all"), "score"] == pytest.approx(1 - 1 / 400, abs=1e-4)
    assert last.loc[("timeliness", "episode", "all"), "score"] > 0.8
    page = (tmp_path / "out" / "quality.html").read_text(encoding="utf-8")
    by_field = re.search(r"<tr>\s*<t[hd][^>]*>need</t[hd]>(.*?)</tr>", page, re.DOTALL)
    assert by_field is not None
    assert "75% (-25.0)" in by_field[1]
    assert re.search(r"<t[hd][^>]*>South</t[hd]>", page)
    check(tmp_path, worse, "seed=2")
    assert len(pd.read_csv(tmp_path / "out" / "quality_scores.csv")) == len(scores)


def test_months_that_arrive_late_and_rows_told_twice_lower_the_scores() -> None:
    days = pd.to_datetime([f"2024-{m:02d}-{d:02d}" for m in range(1, 13) for d in range(1, 21)] + ["2025-01-05", "2025-01-31"])
    people = pd.DataFrame({"person_id": range(len(days)), "opened": days, "area": "North"})
    rows = people.index.to_numpy() + 2
    twice = Finding.of("duplicate_episode", "warn", "p.csv", message="", rows=rows[:24])
    scores = quality_scores(people, rows, [twice], keys=["area"], names={})
    assert scores.query("measure == 'timeliness' and area == 'all'")["score"].item() == 0.1
    assert scores.query("measure == 'duplication' and area == 'North'")["score"].item() == pytest.approx(1 - 24 / 242, abs=1e-4)
    assert with_trend(scores, None, run="a", data="b")["change"].isna().all()


def test_the_mapping_proposes_and_is_used_when_it_is_named(tmp_path: Path) -> None:
    check(tmp_path, table())
    text = (tmp_path / "out" / "mapping.yaml").read_text(encoding="utf-8")
    known = json.loads(text.removeprefix(HEADING))
    assert known["people"]["proposed"] == {"place": {"Bed and breakfast": ["B&B", "BB"]}}
    assert known["people"]["seen"]["opened"] == "date"
    known["people"]["codes"] = known["people"].pop("proposed")
    (tmp_path / "mapping.yaml").write_text(HEADING + json.dumps(known), encoding="utf-8")
    job = check(tmp_path, table().rename(columns={"need": "Need"}), "data.mapping=mapping.yaml")
    assert job.inputs.people is not None
    assert sorted(job.inputs.people["place"].unique()) == ["Bed and breakfast", "Hostel"]
    assert "'need' is now written 'Need'" in told(tmp_path)["column_drift"]["message"]
    with pytest.raises(SettingsError, match=r"no file 'gone.yaml'"):
        check(tmp_path, table(), "data.mapping=gone.yaml")


def test_columns_that_drift_are_named() -> None:
    before = {"ref": "text", "date opened": "date", "fee": "number", "old": "text"}
    now = {"ref": "number", "Date Opened": "date", "fee": "number", "new": "text"}
    (finding,) = drift(before, now, "p.csv")
    assert finding.count == 4
    for said in ("'date opened' is now written 'Date Opened'", "gone since the last extract: 'old'", "new since the last extract: 'new'",
                 "'ref' held texts and now holds numbers"):  # fmt: skip
        assert said in finding.message
    assert drift(before, before, "p.csv") == []


def test_a_column_that_is_gone_is_named_with_what_has_drifted_and_can_be_named_again(tmp_path: Path) -> None:
    check(tmp_path, table())
    later = table().rename(columns={"need": "Support need", "place": "Place"}).assign(extra=1)
    later.loc[::2, "Support need"] = ""
    with pytest.raises(DataError, match="Did you mean 'Support need'"):
        check(tmp_path, later)
    found = told(tmp_path)
    assert found["missing_column"]["severity"] == "stop"
    for said in (
        "'place' is now written 'Place'",
        "gone since the last extract: 'need'",
        "new since the last extract: 'Support need', 'extra'",
    ):
        assert said in found["column_drift"]["message"]
    with pytest.raises(DataError, match="Did you mean 'Support need'"):
        check(tmp_path, later, "seed=3")
    assert "gone since the last extract" in told(tmp_path)["column_drift"]["message"]  # until it is mended
    check(tmp_path, later, 'data.people.columns={"need": ["Support need"]}')
    scores = pd.read_csv(tmp_path / "out" / "quality_scores.csv")
    last = scores[scores["data"] == scores["data"].iloc[-1]].set_index(["measure", "field", "area"])
    assert last.loc[("completeness", "need", "all"), ["score", "change"]].tolist() == [0.5, -0.5]
