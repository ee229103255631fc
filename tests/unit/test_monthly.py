"""The monthly job: a run is approved and frozen, the next extract is run, and what moved adds up to the penny."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

from demand.errors import DataError, StoreError
from demand.moved import MOVED, STEPS, moved, moved_sentences, record_sentences
from demand.report.moved_section import moved_section
from pipelines.__main__ import app
from pipelines.console import open_job
from pipelines.frozen import RECORD, freeze, latest, opened, signed_off
from pipelines.moved import _of
from pipelines.run import run
from pipelines.store import Store
from pipelines.update import _before, update_words

CONFIG = """name: care
data:
  history: {path: history.csv, series: series, date: month, value: people, frequency: M, kind: stock, unit: people, keys: [type]}
  actuals: {path: ledger.csv, commitment: committed}
forecast: {horizon: 18, models: [seasonal_naive, theta], draws: 50}
costs:
  - {name: place, where: {}, amount: {value: 100, low: 90, high: 110, unit: GBP/person/week, source: s, as_of: 2026-03-31, owner: o}}
budget:
  lines:
    - {name: homes, where: {type: [home]}, years: {2026-27: 300000}}
    - {name: flats, where: {type: [flat]}, years: {2026-27: 300000}}
tracking: {uri: none}
"""
MONTHS = pd.date_range("2022-04-01", "2026-12-01", freq="MS")


def counts(until: str, *, revised: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    rows = [pd.DataFrame({"series": t, "type": t, "month": MONTHS, "people": rng.poisson(60, len(MONTHS)) + 0.0}) for t in ("home", "flat")]
    table = pd.concat(rows, ignore_index=True)
    table.loc[(table["month"] == "2026-05-01") & (table["series"] == "home"), "people"] += revised
    return table[table["month"] <= until]


def write(folder: Path, until: str, period: int, **more: float) -> None:
    counts(until, **more).to_csv(folder / "history.csv", index=False)
    row = f"2026-27,P{period:02d},300000,{period * 26_000},2000\n"
    text = "line,financial_year,period,original_budget,actual_to_date,committed\n"
    (folder / "ledger.csv").write_text(text + f"homes,{row}flats,{row}", encoding="utf-8")


def demand(*words: str) -> str:
    said = CliRunner().invoke(app, [*words])
    assert said.exit_code == 0, said.output
    return said.output


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in June, approved; an update in July with a count revised; an update in August after which the prices rose."""
    folder = tmp_path_factory.mktemp("monthly")
    (folder / "care.yaml").write_text(CONFIG, encoding="utf-8")
    words = [str(folder / "care.yaml"), "--output", str(folder / "out"), "--jobs", "1", "--quiet"]
    write(folder, "2026-06-01", 3)
    demand("run", *words)
    demand("approve", str(folder / "out"), "--by", "head of finance", "--note", "Cabinet, 1 July", "--name", "Budget 2026-27 as set")
    write(folder, "2026-07-01", 4, revised=9.0)
    demand("update", *words)
    (folder / "july.csv").write_bytes((folder / "out" / "moved.csv").read_bytes())
    write(folder, "2026-08-01", 5, revised=9.0)
    (folder / "care.yaml").write_text(CONFIG.replace("value: 100, low: 90, high: 110", "value: 120, low: 110, high: 130"), encoding="utf-8")
    demand("update", *words)
    return folder


def test_what_moved_adds_up_to_the_penny_from_then_to_now(months: Path) -> None:
    july, august = pd.read_csv(months / "july.csv"), pd.read_csv(months / "out" / "moved.csv")
    earlier = {"july": months / "out" / "months" / "2026-06-01", "august": months / "out" / "months" / "2026-07-01"}
    now = {"july": earlier["august"], "august": months / "out"}
    for name, table in {"july": july, "august": august}.items():
        assert table["step"].tolist()[: len(STEPS)] == list(STEPS)
        change = table.groupby(["line", "financial_year"])["amount_pence"].sum()
        then, later = (
            pd.read_csv(p / "budget.csv").set_index(["line", "financial_year"])["expected_pence"] for p in (earlier[name], now[name])
        )
        assert (change == later.reindex(change.index) - then.reindex(change.index)).all()
        assert (table["amount_pence"] == table["after_pence"] - table["before_pence"]).all()
    of = july[(july["line"] == "homes") & (july["financial_year"] == "2026-27")].set_index("step")["amount_pence"]
    assert of["revised data"] != 0
    assert of["new actuals"] != 0
    assert (of[["drivers", "known changes", "prices and lines"]] == 0).all()
    flats = july[(july["line"] == "flats") & (july["financial_year"] == "2026-27")].set_index("step")["amount_pence"]
    assert abs(flats["revised data"]) < abs(of["revised data"])
    prices = august[august["step"] == "prices and lines"].set_index(["line", "financial_year"])
    assert prices.loc[("total", "2026-27"), "amount_pence"] > 0.15 * prices.loc[("total", "2026-27"), "before_pence"]
    assert (august.loc[august["step"] == "revised data", "amount_pence"] == 0).all()


def test_each_forecast_of_the_year_is_told_and_the_outturn_moves_since_the_month_before(months: Path) -> None:
    said = pd.read_csv(months / "out" / "said.csv")
    total = said[(said["line"] == "total") & (said["financial_year"] == "2026-27")]
    assert total["forecast"].tolist() == ["Budget 2026-27 as set", "June 2026", "July 2026", "now"]
    assert total["record"].tolist() == [True, False, False, False]
    assert total["counted_to"].tolist() == ["2026-06-30", "2026-06-30", "2026-07-31", "2026-08-31"]
    outturn, before = (pd.read_csv(p / "outturn.csv").set_index("line") for p in (months / "out", months / "out" / "months" / "2026-07-01"))
    assert (outturn["movement_pence"] == outturn["projected_pence"] - before["projected_pence"]).all()
    assert outturn["period"].tolist() == [5, 5, 5]
    notes = json.loads((months / "out" / "moved_notes.json").read_text(encoding="utf-8"))
    first, now = total.iloc[0], total.iloc[-1]
    assert any(f"2026-27: Budget 2026-27 as set said £{first['expected_pence'] / 100:,.0f}" in n for n in notes)
    inside = first["p10_pence"] <= now["expected_pence"] <= first["p90_pence"]
    assert any(n.endswith("inside that range." if inside else "OUTSIDE that range.") for n in notes if n.startswith("2026-27: Budget"))
    page = (months / "out" / "moved.html").read_text(encoding="utf-8")
    assert "Budget 2026-27 as set" in page
    assert "since the run of July 2026" in page
    assert "Month by month: what each forecast expected" in page
    assert "Month by month: what each forecast expected" in (months / "out" / "report.html").read_text(encoding="utf-8")
    sheet = openpyxl.load_workbook(months / "out" / "budget.xlsx")["What has moved"]
    rows = [[c.value for c in row] for row in sheet.iter_rows()]
    start = next(i for i, r in enumerate(rows) if str(r[0]).startswith("Month by month"))
    year = rows[start + 1].index("2026-27")
    shown = [(r[1], r[year]) for r in rows[start + 2 : start + 6]]
    assert shown == [(f, pytest.approx(p / 100, abs=0.01)) for f, p in zip(total["forecast"], total["expected_pence"], strict=True)]


def test_what_was_approved_shows_who_answers_for_it_and_a_later_run_says_that_it_is_another(months: Path) -> None:
    record = latest(months / "out")
    assert record is not None
    page = (record / "report.html").read_text(encoding="utf-8")
    assert "“Budget 2026-27 as set”, approved by the head of finance on" in page
    assert "These figures are the forecast of record." in page
    cells = [c.value for row in openpyxl.load_workbook(record / "budget.xlsx")["Read me"].iter_rows() for c in row]
    assert {"Budget 2026-27 as set", "head of finance", "Cabinet, 1 July"} <= set(cells)
    later = (months / "out" / "report.html").read_text(encoding="utf-8")
    assert "Not “Budget 2026-27 as set”" in later
    assert "These figures are later than the forecast of record" in later
    assert json.loads((record / RECORD).read_text(encoding="utf-8"))["hash"] in later


def test_a_frozen_run_is_whole_and_refuses_a_changed_file(months: Path, tmp_path: Path) -> None:
    record = latest(months / "out")
    assert record is not None
    store, about = opened(record)
    assert (about["name"], about["by"], about["note"]) == ("Budget 2026-27 as set", "head of finance", "Cabinet, 1 July")
    assert signed_off(months / "out") == {k: about[k] for k in ("name", "by", "note", "approved", "hash")}
    assert signed_off(record) == {}
    assert set(about["files"]) >= {"manifest.json", "budget.csv", "draws.parquet", "history.parquet", "report.html"}
    assert store.table("budget.csv").equals(pd.read_csv(months / "out" / "months" / "2026-06-01" / "budget.csv"))
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in [*about["files"], RECORD]:
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_bytes((record / name).read_bytes())
    opened(copy)
    (copy / "budget.csv").write_text("line,expected_pence\n", encoding="utf-8")
    with pytest.raises(StoreError, match=r"'budget.csv' changed since the run was frozen"):
        opened(copy)
    (copy / "budget.csv").write_bytes((record / "budget.csv").read_bytes())
    (copy / RECORD).write_text(json.dumps({**about, "by": "somebody else"}), encoding="utf-8")
    with pytest.raises(StoreError, match=r"'record.json' changed"):
        opened(copy)


def test_a_run_is_frozen_with_what_was_published_from_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    with store.writing("publish", "1") as writer:
        writer.text("share/report.html", "<p>cleared</p>")
    with store.writing("report", "2") as writer:
        writer.text("report.html", "<p>internal</p>")
    store.update({"config": {"name": "care"}})
    freeze(store, tmp_path / "there", {"name": "June 2026"})
    assert (tmp_path / "there/share/report.html").read_text(encoding="utf-8") == "<p>cleared</p>"
    assert set(opened(tmp_path / "there")[1]["files"]) == {"manifest.json", "report.html", "share/report.html"}


def test_what_cannot_be_approved(months: Path, tmp_path: Path) -> None:
    words = ["--by", "head of finance", "--note", "why", "--name", "Budget 2026-27 as set"]
    assert "frozen already" in _refused(["approve", str(months / "out"), *words], 1)
    assert "there is no run here" in _refused(["approve", str(tmp_path), *words], 2)
    assert "this says nothing" in _refused(["approve", str(months / "out"), "--by", " ", "--note", "x"], 2)
    for name in ("NUL", "???"):
        assert f"no folder can be called '{name}'" in _refused(["approve", str(months / "out"), *words[:-1], name], 2)
    (tmp_path / "out").mkdir()
    for name in ("manifest.json", "budget.csv"):
        (tmp_path / "out" / name).write_bytes((months / "out" / name).read_bytes())
    with pytest.raises(StoreError, match=r"draws.parquet has been changed, or is gone"):
        freeze(Store(tmp_path / "out"), tmp_path / "there", {})
    assert not (tmp_path / "there").exists()
    (tmp_path / "care.yaml").write_text(CONFIG, encoding="utf-8")
    write(tmp_path, "2026-06-01", 3)
    assert "no run to update" in _refused(["update", str(tmp_path / "care.yaml"), "--output", str(tmp_path / "nothing")], 1)


def _refused(words: list[str], status: int) -> str:
    said = CliRunner().invoke(app, words)
    assert said.exit_code == status, said.output
    return str(said.output)


def test_causes_are_what_each_step_changes_and_a_new_line_comes_from_nothing() -> None:
    def figures(a: int, b: int | None) -> pd.DataFrame:
        rows = [("A", "2026-27", a)] + ([("B", "2026-27", b)] if b is not None else []) + [("total", "2026-27", a + (b or 0))]
        return pd.DataFrame(rows, columns=["line", "financial_year", "expected_pence"])

    told = moved([figures(100, None), *[figures(v, None) for v in (110, 110, 105, 105, 90)], figures(95, 7)])
    assert [*told.columns] == MOVED
    assert told[told["line"] == "A"]["amount_pence"].tolist() == [10, 0, -5, 0, -15, 5]
    assert told[told["line"] == "B"]["amount_pence"].tolist() == [0, 0, 0, 0, 0, 7]
    assert told.groupby("line")["amount_pence"].sum().to_dict() == {"A": -5, "B": 7, "total": 2}
    (sentence,) = moved_sentences(told.assign(amount_pence=told["amount_pence"] * 100), since="May")
    assert sentence.startswith("2026-27: £1 is expected, +£2 since May")
    assert sentence.index("-£15 from the model") < sentence.index("+£12 from prices")
    same = moved([figures(100, 1)] * 7)
    assert "nothing has moved" in moved_sentences(same, since="May")[0]
    with pytest.raises(ValueError, match="2 figures for 6 steps"):
        moved([figures(1, 1)] * 2)


def test_a_scheduler_reads_the_exit_status_and_monitor_json(months: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(months / "out", out)
    (tmp_path / "care.yaml").write_text(CONFIG, encoding="utf-8")
    write(tmp_path, "2026-09-01", 6)
    words = ["monitor", str(tmp_path / "care.yaml"), "--output", str(out)]
    calm = CliRunner().invoke(app, words)
    assert calm.exit_code == 0, calm.output
    told = json.loads((out / "monitor.json").read_text(encoding="utf-8"))
    assert (told["record"]["name"], told["months"], told["action"]) == ("Budget 2026-27 as set", 3, "nothing")
    assert "challenger" in calm.output
    table = pd.read_csv(tmp_path / "history.csv")
    table.loc[table["month"] > "2026-06-01", "people"] *= 2
    table.to_csv(tmp_path / "history.csv", index=False)
    loud = CliRunner().invoke(app, [*words, "--quiet"])
    assert loud.exit_code == 4, loud.output
    told = json.loads((out / "monitor.json").read_text(encoding="utf-8"))
    assert {"point", "level"} <= {s["rule"] for s in told["signals"]}
    chart = pd.read_csv(out / "monitor_chart.csv")
    assert set(chart["unique_id"]) == {"home", "flat", "total: stock of people"}
    page = (out / "monitor.html").read_text(encoding="utf-8")
    assert "Run the config on the new extract, and approve what comes of it" in page
    assert "Control chart of " in page
    assert "no forecast of record" in _refused(["monitor", str(tmp_path / "care.yaml"), "--output", str(tmp_path / "nothing")], 1)


def test_a_year_that_is_over_still_says_what_it_will_have_cost(months: Path, tmp_path: Path) -> None:
    shutil.copytree(months / "out", tmp_path / "out")
    store = Store(tmp_path / "out")
    budget, outturn = (store.table(name) for name in ("budget.csv", "outturn.csv"))
    with store.writing("budget", "next April") as writer:
        writer.table("budget.csv", budget.replace({"financial_year": {"2026-27": "2027-28"}}))
        writer.table("outturn.csv", outturn)
    now = _of(store).assign(forecast="now", record=False)
    over = now[now["financial_year"] == "2026-27"].set_index("line")
    assert over["projected_pence"].to_dict() == outturn.set_index("line")["projected_pence"].to_dict()
    assert over["expected_pence"].isna().all()
    then = now.assign(forecast="as set", record=True).fillna({"expected_pence": 1, "p10_pence": 0, "p90_pence": 2})
    assert [told[:8] for told in record_sentences(pd.concat([then, now]))] == ["2027-28:"]
    section = moved_section([], pd.read_csv(tmp_path / "out" / "moved.csv"), now, names={})
    assert any(row[1] == "2026-27" and row[4] == "–" for row in section.parts[-1].rows)


def test_a_run_instead_of_an_update_is_held_against_what_was_approved_before(months: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(months / "out", out)
    assert [p.name for p in _before(out, pd.Timestamp("2026-08-01"))] == ["budget-2026-27-as-set", "2026-06-01", "2026-07-01"]
    shutil.rmtree(out / "months")
    assert [p.name for p in _before(out, pd.Timestamp("2026-08-01"))] == ["budget-2026-27-as-set"]
    assert _before(out, pd.Timestamp("2026-06-01")) == []


def test_a_damaged_run_that_is_not_used_stops_no_update_and_one_that_is_used_does(months: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(months / "out", out)
    for name in ("history.csv", "ledger.csv", "care.yaml"):
        (tmp_path / name).write_bytes((months / name).read_bytes())
    job = open_job(str(tmp_path / "care.yaml"), output=str(out))
    words, _ = update_words(out, job.inputs)
    damaged(out / "months" / "2026-06-01" / "history.parquet")
    assert update_words(out, job.inputs)[0] == words
    job = open_job(str(tmp_path / "care.yaml"), output=str(out), changes=words)
    assert run(job, ["moved"]) == ""
    assert "months/2026-06-01 expected is left out" in job.store.json("moved_notes.json")[-1]
    damaged(out / "months" / "2026-07-01" / "history.parquet")
    with pytest.raises(StoreError, match="changed since the run was frozen"):
        update_words(out, job.inputs)


def test_an_update_without_costs_does_not_tell_what_moved_in_an_earlier_one(months: Path, tmp_path: Path) -> None:
    shutil.copytree(months / "out", tmp_path / "out")
    write(tmp_path, "2026-08-01", 5, revised=9.0)
    plain = "".join(line for line in CONFIG.partition("costs:")[0].splitlines(keepends=True) if "actuals" not in line)
    (tmp_path / "care.yaml").write_text(plain + "tracking: {uri: none}\n", encoding="utf-8")
    said = demand("update", str(tmp_path / "care.yaml"), "--output", str(tmp_path / "out"), "--jobs", "1")
    assert said.rstrip().endswith("What moved is told in pounds: it needs `costs`.")


def damaged(file: Path) -> None:
    file.chmod(0o644)
    file.write_bytes(b"damaged")


def test_what_moved_is_told_anew_once_a_run_was_approved(months: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(months / "out", out)
    for name in ("history.csv", "ledger.csv", "care.yaml"):
        (tmp_path / name).write_bytes((months / name).read_bytes())
    words = [f"since={json.dumps(str(out / 'months' / '2026-07-01'))}"]
    run(open_job(str(tmp_path / "care.yaml"), output=str(out), changes=words), ["moved"])
    demand("approve", str(out), "--by", "me", "--note", "n", "--name", "Set again")
    job = open_job(str(tmp_path / "care.yaml"), output=str(out), changes=words)
    run(job, ["moved"])
    assert set(job.timings) == {"moved"}
    assert "Set again" in set(job.store.table("said.csv")["forecast"])
    run(again := open_job(str(tmp_path / "care.yaml"), output=str(out), changes=words), ["moved"])
    assert again.timings == {}


def test_an_update_that_stopped_half_way_can_be_done_again_and_one_without_anything_new_says_so(months: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(months / "out", out)
    for name in ("history.csv", "ledger.csv", "care.yaml"):
        (tmp_path / name).write_bytes((months / name).read_bytes())
    job = open_job(str(tmp_path / "care.yaml"), output=str(out))
    words, told = update_words(out, job.inputs)
    assert told == ["Nothing has been counted since the run that was here: both end with August 2026."]
    with Store(out).writing("budget", "stopped"):
        pass
    again, told = update_words(out, job.inputs)
    assert (again, told) == (words, [])
    assert "2026-07-01" in again[0]
    for kind in ("months", "records"):
        shutil.rmtree(out / kind)
    with pytest.raises(StoreError, match="no run to update"):
        update_words(out, job.inputs)


def test_an_earlier_extract_is_refused_other_names_are_told_and_a_month_without_a_ledger_is_bridged(months: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(months / "out", out)
    (tmp_path / "care.yaml").write_text(CONFIG, encoding="utf-8")
    write(tmp_path, "2026-07-01", 4)
    with pytest.raises(DataError, match="the data ends with July 2026, the run that is here with August 2026"):
        update_words(out, open_job(str(tmp_path / "care.yaml"), output=str(out)).inputs)
    write(tmp_path, "2026-08-01", 5)
    table = pd.read_csv(tmp_path / "history.csv").replace({"series": {"flat": "flats"}})
    table.to_csv(tmp_path / "history.csv", index=False)
    (out / "months" / "2026-07-01" / "outturn.csv").unlink()
    record = out / "months" / "2026-07-01" / RECORD
    about = json.loads(record.read_text(encoding="utf-8"))
    record.chmod(0o644)
    record.write_text(json.dumps({**about, "erased": {"outturn.csv": {}}}), encoding="utf-8")
    words, told = update_words(out, open_job(str(tmp_path / "care.yaml"), output=str(out)).inputs)
    assert told[-1].startswith("1 of 2 series are no longer counted")
    assert "2026-07-01" in words[0]
    assert words[-1].startswith("data.actuals.previous=")
    assert "2026-06-01" in words[-1]
    table.assign(area="all").to_csv(tmp_path / "history.csv", index=False)
    (tmp_path / "care.yaml").write_text(CONFIG.replace("keys: [type]", "keys: [type, area]"), encoding="utf-8")
    _, told = update_words(out, open_job(str(tmp_path / "care.yaml"), output=str(out)).inputs)
    assert told[-1].startswith("Series are counted by type, area and no longer by type")
