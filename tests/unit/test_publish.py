"""What is published: whole numbers after disclosure control, codes of areas, and metadata that fits the files."""

from __future__ import annotations

import hashlib
import html
import io
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote_to_bytes
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
from openpyxl import load_workbook

from demand.calendar import Frequency
from demand.comparators import beside_others, comparator_sentence
from demand.disclosure import POLICIES
from demand.disclosure.open_data import PublishSpec, counts_table, forecast_table, scores_table
from demand.errors import SettingsError, StoreError
from demand.report.change_section import since_last_forecast
from demand.report.cleared import cleared
from demand.report.html import report_page
from demand.report.inputs import ReportInput, ReportSpec
from demand.report.workbook import workbook
from demand.tables import History
from pipelines import publish
from pipelines.console import open_job

TINY = ["data.example.size=tiny", "tracking.uri=none"]
WALES = POLICIES["wales"]


def history(counts: dict[str, list[int]]) -> History:
    months = pd.date_range("2026-01-01", periods=len(next(iter(counts.values()))), freq="MS")
    rows = [
        {"unique_id": f"{area}/{s}", "area": area, "segment": s, "ds": d, "y": float(n), "kind": "flow", "unit": "households"}
        for area, values in counts.items()
        for s, share in (("A", 0), ("B", 1))
        for d, n in zip(months, [v if share else 0 for v in values], strict=True)
    ]
    return History.of(pd.DataFrame(rows), Frequency("M", 12), keys=["area", "segment"])


def totals(means: list[float], actual: int = 0) -> pd.DataFrame:
    rows = [
        {"level": level, "area": area, "segment": None, "kind": "flow", "unit": "households", "ds": pd.Timestamp("2026-04-01"),
         "financial_year": None, "statistic": "sum", "months_actual": pd.NA, "mean": m, "q0.1": m / 2, "q0.5": m, "q0.9": 2 * m}
        for m, level, area in zip(means, ("total", "area", "area"), (None, "Gwynedd", "Harbour"), strict=True)
    ]  # fmt: skip
    year = {**rows[0], "ds": pd.NaT, "financial_year": "2026-27", "months_actual": actual, "mean": 1234.4, "q0.1": 1001.2, "q0.9": 1499.9}
    segment = {**rows[1], "level": "segment", "segment": "A", "mean": 77.0}
    return pd.DataFrame([*rows, year, segment]).astype({"months_actual": "Int64"})


def test_counts_leave_rounded_by_area_with_totals_and_codes_and_never_by_segment() -> None:
    made = counts_table(history({"Gwynedd": [12, 3], "Harbour": [41, 52]}), PublishSpec(codes={"Harbour": "W05000123"}), WALES)
    assert list(made.columns) == ["area", "area_code", "kind", "unit", "period", "counted"]
    assert made["area_code"].tolist() == ["W06000002", "W06000002", "W05000123", "W05000123", "", ""]
    shown = made.set_index(["area", "period"])["counted"]
    assert shown["Gwynedd", "2026-01-01"] == 10
    assert shown["Gwynedd", "2026-02-01"] == "*"
    assert shown["all", "2026-01-01"] == 55


def test_a_sum_that_holds_a_count_hidden_from_us_is_not_told_as_if_it_were_whole() -> None:
    table = history({"Gwynedd": [12, 31], "Harbour": [41, 52]}).table.assign(y_low=lambda t: t["y"], y_high=lambda t: t["y"])
    dark = (table["unique_id"] == "Gwynedd/B") & (table["ds"] == "2026-01-01")
    seen = history({"Gwynedd": [12, 31], "Harbour": [41, 52]})
    made = counts_table(History(table.assign(y_low=table["y"].mask(dark, 1.0)), seen.series, seen.frequency), PublishSpec(), WALES)
    shown = made.set_index(["area", "period"])["counted"]
    assert shown.to_dict() == {("Gwynedd", "2026-02-01"): 30, ("Harbour", "2026-01-01"): 40, ("Harbour", "2026-02-01"): 50,
                               ("all", "2026-02-01"): 85}  # fmt: skip


def test_a_small_count_cannot_be_had_from_the_total_of_a_month() -> None:
    exact = WALES.model_copy(update={"round_to": 1})
    made = counts_table(history({"Gwynedd": [3], "Harbour": [41], "Castle": [60]}), PublishSpec(), exact)
    assert (made["counted"] == "*").sum() >= 2


def test_forecasts_leave_as_whole_numbers_without_segments_and_few() -> None:
    made = forecast_table(totals([40.6, 36.2, 4.4]), ["area", "segment"], PublishSpec(), WALES)
    assert made["expected"].tolist() == [41, 36, "*", 1234]
    assert made["low"].tolist() == [20, 18, "*", 1001]
    assert made["area"].tolist() == ["all", "Gwynedd", "Harbour", "all"]
    assert "A" not in made.to_csv()


def test_a_year_that_holds_counted_months_is_not_for_the_public() -> None:
    made = forecast_table(totals([40.6, 36.2, 4.4], actual=11), ["area", "segment"], PublishSpec(), WALES)
    assert made["financial_year"].isna().all()
    shown = cleared(ReportInput(title="", totals=totals([40.6, 36.2, 4.4], actual=11), spec=ReportSpec(audience="public"))).totals
    assert shown is not None
    assert shown["mean"].tolist() == [40.6, 36.2, 4.4, 77.0]


def test_our_own_rate_beside_others_is_that_of_the_rounded_count() -> None:
    rows = pd.DataFrame(
        {"area": ["Gwynedd", "Harbour"], "ours": [True, False], "count": [203, 204], "population": [10_000, 10_000], "rate": [203.0, 204.0]}
    )
    public = ReportInput(title="", comparators=rows, start_prices=rows, finance_periods=rows, spec=ReportSpec(audience="public"))
    shown = cleared(public)
    assert shown.comparators is not None
    assert shown.comparators[["count", "rate"]].to_numpy().tolist() == [[205, 205.0], [204, 204.0]]
    assert shown.start_prices is None
    assert shown.finance_periods is None
    assert cleared(replace(public, comparators=rows.assign(count=[3, 204]))).comparators is None


def test_what_our_counts_did_to_the_cost_and_our_exact_rate_are_in_no_public_page() -> None:
    moved = pd.DataFrame(
        {"line": "total", "financial_year": "2026-27", "step": ["new actuals", "model"], "before_pence": [9_000_000, 9_400_000],
         "after_pence": [9_400_000, 9_500_000], "amount_pence": [400_000, 100_000]}
    )  # fmt: skip
    said = pd.DataFrame(
        {
            "line": ["total"],
            "financial_year": "2026-27",
            "forecast": "now",
            "record": False,
            "counted_to": "2026-09-30",
            "expected_pence": 1,
        }
    )
    areas = [("Gwynedd", 3, 10_000), *((f"Area {i}", 40 + i, 10_000) for i in range(6))]
    beside = beside_others(pd.DataFrame(areas, columns=["area", "count", "population"]), ours="Gwynedd")
    told = (comparator_sentence(beside, what="households"),)
    inputs = ReportInput(title="", moved=moved, said=said, comparators=beside, comparator_notes=told)
    assert "Gwynedd has 3.0 households" in report_page(inputs)
    assert len(since_last_forecast(cleared(inputs))) == 1
    public = replace(inputs, spec=ReportSpec(audience="public"))
    assert "has 3.0" not in report_page(public)
    assert since_last_forecast(cleared(public)) == []
    assert "What has moved" not in load_workbook(io.BytesIO(workbook(public))).sheetnames


def test_no_year_that_was_counted_is_told_in_pounds() -> None:
    years = ["2025-26", "2026-27", "2027-28", "2028-29"]
    pounds = pd.DataFrame({"scenario": "baseline", "line": "homes", "financial_year": years, "months_actual": [12, 2, 0, 0]})
    steps = pd.DataFrame({"scenario": "baseline", "line": "homes", "from": years[:3], "to": years[1:], "amount_pence": 1})
    plan = pounds.drop(columns="months_actual").iloc[1:].assign(item="demand", medium_pence=1)
    moves = pd.DataFrame({"assumption": "a price", "financial_year": years, "step_pence": 1})
    public = ReportInput(title="", budget=pounds, bridge=steps, mtfp=plan, sensitivity=moves, backcast=pounds, reconciliation=pounds,
                         notes=("2025-26: counted at its price it comes to 2,294,871 GBP.", "2 of 5 years are covered."),
                         spec=ReportSpec(audience="public"))  # fmt: skip
    shown = cleared(public)
    assert shown.backcast is None
    assert shown.reconciliation is None
    assert [n[:20] for n in shown.notes] == ["2 of 5 years are cov", "Left out for the pub"]
    tables = {"budget": shown.budget, "mtfp": shown.mtfp, "sensitivity": shown.sensitivity}
    left = {name: None if t is None else t["financial_year"].tolist() for name, t in tables.items()}
    assert left == {"budget": years[2:], "mtfp": years[3:], "sensitivity": years[2:]}
    assert shown.bridge is not None
    assert shown.bridge["from"].tolist() == ["2027-28"]
    assert cleared(replace(public, budget=pounds.iloc[:2], bridge=steps.iloc[:1])).bridge is None


def test_nothing_reaches_the_public_that_is_not_named() -> None:
    table = pd.DataFrame({"financial_year": ["2026-27"], "who": ["an officer"], "amount_pence": [1]})
    inputs = ReportInput(title="", finance_periods=table, inputs_changes=table, price_draws=table, stays=table, levers=table,
                         spec=ReportSpec(audience="public"))  # fmt: skip
    shown = cleared(inputs)
    assert [getattr(shown, n) for n in ("finance_periods", "inputs_changes", "price_draws", "stays", "levers")] == [None] * 5
    council = cleared(replace(inputs, spec=ReportSpec()))
    assert council.finance_periods is table


def test_scores_of_few_forecasts_and_shares_of_few_people_are_withheld() -> None:
    scores = pd.DataFrame({"measure": "mase", "value": [1.23456, 0.5], "n_rows": [12, 2]})
    assert scores_table(scores, WALES).to_dict("list") == {"measure": ["mase"], "value": [1.23], "n_rows": [12]}
    use = pd.DataFrame({"segment": ["A", "everybody"], "people": [90, 100]})
    evidence = pd.DataFrame({"count": [2, 3], "smallest_share": [0.4, 0.03], "nowhere": [0.2, 0.01]})
    picture = pd.DataFrame({"share": [0.4, 0.03]})
    shown = cleared(ReportInput(title="", segment_use=use, segment_evidence=evidence, segment_clustergram=picture,
                                spec=ReportSpec(audience="public")))  # fmt: skip
    assert shown.segment_clustergram is None
    assert shown.segment_evidence is not None
    assert shown.segment_evidence["smallest_share"].isna().tolist() == [False, True]


def test_who_is_here_now_is_not_rounded_in_two_ways() -> None:
    use = pd.DataFrame({"segment": ["A", "B", "everybody"], "people": [40, 60, 100], "open_now": [5, 8, 13]})
    one = ReportInput(title="", segment_use=use, spec=ReportSpec(audience="public"))
    assert "open_now" in one.people["segment_use"]
    two = replace(one, policies={"counts": "wales_homelessness", "segments": "wales"})
    assert "open_now" not in two.people["segment_use"]


@pytest.mark.parametrize(("here", "told"), [([4, 4], False), ([20, 31], True)])
def test_a_total_that_the_counts_withhold_stands_in_no_table_beside_them(here: list[int], told: bool) -> None:
    use = pd.DataFrame({"segment": ["A", "B", "everybody"], "people": [40, 60, 100], "open_now": [0, sum(here), sum(here)]})
    rows = {"unique_id": ["x", "y"], "area": ["x", "y"], "ds": pd.Timestamp("2026-03-01"), "y": here, "kind": "stock", "unit": "people"}
    made = ReportInput(title="", segment_use=use, spec=ReportSpec(audience="public"), history=pd.DataFrame(rows))
    assert ("open_now" in made.people["segment_use"]) is told


@pytest.fixture(scope="module")
def published_once(tiny_run: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published") / "out"
    shutil.copytree(tiny_run("homelessness"), folder)
    share(folder)
    return folder


@pytest.fixture
def published(published_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published_once, tmp_path / "out"))


def _shared(folder: Path) -> list[Path]:
    return [p for p in (folder / "share").rglob("*") if p.is_file()]


def share(folder: Path, *changes: str) -> None:
    job = open_job("example:homelessness", output=str(folder), jobs=1, changes=[*TINY, *changes])
    with job.store.writing("publish", "key") as writer:
        publish.run(job, writer)


def test_what_is_shared_is_described_cleared_and_tells_of_nobody(published: Path) -> None:
    package = json.loads((published / "share" / "datapackage.json").read_text())
    assert package["licenses"][0]["name"] == "OGL-UK-3.0"
    for resource in package["resources"]:
        content = (published / "share" / resource["path"]).read_bytes()
        assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert resource["bytes"] == len(content)
        header = content.decode().splitlines()[0].split(",")
        assert [f["name"] for f in resource["schema"]["fields"]] == header
    counted = pd.read_csv(published / "share" / "counts.csv", na_values=["*"])["counted"].dropna()
    assert len(counted) > 400
    assert (counted % 3 == 0).all()
    files = json.loads((published / "manifest.json").read_text())["files"]
    assert {about["class"] for name, about in files.items() if name.startswith("share/")} == {"cleared"}
    assert {p.relative_to(published).as_posix() for p in _shared(published)} == {n for n in files if n.startswith("share/")}
    assert {"share/summary.txt", "share/paste/questions.docx"} <= set(files)
    assert "from_total" not in pd.read_csv(published / "share" / "waterfall.csv").columns
    person = pd.read_parquet(published / "segments.parquet")["person_id"]
    everything = b"".join(p.read_bytes() for p in _shared(published))
    assert not [p for p in person if p.encode() in everything]
    assert f"{len(person):,}".encode() not in everything
    assert b"Internal" not in everything


def test_publishing_again_gives_the_same_and_needs_the_earlier_release(published: Path) -> None:
    before = {p: p.read_bytes() for p in _shared(published)}
    share(published)
    assert {p: p.read_bytes() for p in _shared(published)} == before
    (published / "share" / "counts.csv").write_text("changed")
    with pytest.raises(StoreError, match=r"share/counts\.csv has been changed"):
        share(published)


def test_nothing_is_cleared_under_the_policy_internal(published: Path) -> None:
    with pytest.raises(SettingsError, match="clears nothing"):
        share(published, "disclosure.policy=internal")


def test_pictures_show_no_dot_for_a_person(published: Path) -> None:
    people = len(pd.read_parquet(published / "segments.parquet"))
    for page in (published / "report.html", published / "share" / "report.html"):
        drawn = [unquote_to_bytes(c) for c in re.findall(r"data:image/svg\+xml,([^\"]+)", page.read_text())]
        assert drawn
        assert max(picture.count(b"<use") for picture in drawn) < people / 4
        assert not [picture for picture in drawn if np.any([n in picture for n in (b"person_id", b"episode_id")])]


def _words_and_pictures(path: Path) -> tuple[str, list[str]]:
    """What somebody can read in a file without opening it as its maker meant: all text, and the drawing instructions of pictures."""
    content = path.read_bytes()
    if path.suffix == ".docx":
        with ZipFile(io.BytesIO(content)) as file:
            content = b" ".join(file.read(n) for n in file.namelist() if n.endswith(".xml"))
    text = re.sub(r"<(?!/?table)[^>]*>", " | ", content.decode("utf-8", "replace")) if path.suffix != ".html" else content.decode()
    pictures = [unquote_to_bytes(c).decode() for c in re.findall(r"data:image/svg\+xml,([^\"]+)", text)]
    return html.unescape(re.sub(r"data:image/svg\+xml,[^\"]*", "", text)), pictures


def _counted_pounds(text: str, sought: set[int]) -> set[int]:
    """Which sums of pounds stand in a text, or are the sum or the difference of two figures of one table."""
    found = set()
    for table in [*re.findall(r"(?s)<table.*?</table>", text), re.sub(r"(?s)<table.*?</table>", "", text)]:
        figures = np.array([float(n.replace(",", "")) for n in re.findall(r"\d{1,3}(?:,\d{3})+|\d{5,}", table)][:1500])
        pairs = np.concatenate([figures, (figures[:, None] + figures).ravel(), (figures[:, None] - figures).ravel()])
        found |= {p for p in sought if (np.abs(pairs - p) < 1).any()}
    return found


def _curves_told(pictures: list[str], past: list[np.ndarray]) -> int:
    """How many lines of pictures are the exact counts of somebody, stretched and moved: the axes tell how."""
    told = 0
    for path in (d for picture in pictures for d in re.findall(r' d="([^"]+)"', picture)):
        drawn = np.array([float(y) for _, y in re.findall(r"(-?\d+\.?\d*) (-?\d+\.?\d*)", path)])
        ends = [p[-len(drawn) :] for p in past if 12 <= len(drawn) <= len(p) and np.std(p[-len(drawn) :]) > 0 and np.std(drawn) > 0]
        told += any(abs(np.corrcoef(end, drawn)[0, 1]) > 0.99999 for end in ends)
    return told


def test_no_file_that_is_shared_gives_what_another_withholds(published_once: Path) -> None:
    sums = [
        pd.read_csv(published_once / "reconciliation.csv")["modelled_pence"],
        pd.read_csv(published_once / "backcast.csv")["actual_pence"],
    ]
    sought = {round(p / 100) for p in pd.concat(sums)}
    history = pd.read_parquet(published_once / "history.parquet")
    groups: list[list[str]] = [["unique_id"], ["service"], ["service", "area"], ["type"], ["area", "type"]]
    past = [g.groupby("ds")["y"].sum().to_numpy() for by in groups for _, g in history.groupby(by)]
    text, pictures = _words_and_pictures(published_once / "report.html")
    assert len(_counted_pounds(text, sought)) > 4  # or the attack is asleep
    assert _curves_told(pictures, past) > 0
    for path in _shared(published_once):
        text, pictures = _words_and_pictures(path)
        assert not _counted_pounds(text, sought), path.name
        assert not _curves_told(pictures, past), path.name
