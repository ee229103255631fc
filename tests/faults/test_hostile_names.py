"""Names that would do harm if they were believed: formulas, tags, paths, Welsh letters, very long ones, through every output."""

from __future__ import annotations

import io
from dataclasses import fields, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl
import pandas as pd
import pytest
from report_made import made

from demand.disclosure import POLICIES
from demand.disclosure.open_data import PublishSpec, data_package, forecast_table
from demand.report.governance import GovernanceSpec, governance_page
from demand.report.html import quality_page, report_page
from demand.report.inputs import ReportInput
from demand.report.paste import pasted, summary_text
from demand.report.workbook import workbook
from demand.spec import stream
from pipelines.cells import FORMULA
from pipelines.console import open_job
from pipelines.run import run
from pipelines.store import Store

CORPUS = [
    '=HYPERLINK("http://evil.example","x")',
    "=cmd|' /C calc'!A0",
    "+1-1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "\t=1+1",
    "＝1+1",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></title><svg onload=alert(1)>",
    "{{7*7}}{% for x in y %}",
    "javascript:alert(1)",
    "../../../etc/passwd",
    "C:\\Windows\\evil",
    "CON",
    "a\x1b[2Jb",
    "Tŷ ŵyl Llŷn ÂÊÎÔÛŴŶ",
    "\u202eevil\u202c",
    "$x^2_{\\frac{1}{0}}$",
    "%s%n${HOME}",
    "x" * 3000,
]
HARM = ("script>alert", "img src=x", "svg onload", "onerror")


PLACES = ("Harbour", "Uplands", "hostel", "bed_and_breakfast")
GROUPS = [CORPUS[k : k + len(PLACES)] for k in range(0, len(CORPUS), len(PLACES))]


def hostile(inputs: ReportInput, names: list[str]) -> ReportInput:
    """Call areas and types of a made-up run so, wherever they are named."""
    name = names[0]

    def put(value: Any) -> Any:
        if isinstance(value, str):
            for place, other in zip(PLACES, names, strict=False):
                value = value.replace(place, other)
            return value
        if isinstance(value, pd.DataFrame):
            named = value.select_dtypes("object").columns
            return value.assign(**{c: value[c].map(put) for c in named})
        if isinstance(value, tuple | list):
            return type(value)(put(v) for v in value)
        return {put(k): put(v) for k, v in value.items()} if isinstance(value, dict) else value

    changed = {f.name: put(getattr(inputs, f.name)) for f in fields(inputs) if f.name not in ("spec", "policy")}
    return replace(inputs, **{**changed, "title": f"Homes in {name}", "notes": (*changed["notes"], f"about {name}")})


class Tags(HTMLParser):
    """The tags and attributes of a page, as a browser would see them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses |= {str(value)[:5] for name, value in attrs if name in ("src", "href", "action", "data")}


@pytest.fixture(scope="module")
def plain() -> ReportInput:
    return made()


@pytest.fixture(scope="module")
def tags(plain: ReportInput) -> Tags:
    return Tags(report_page(plain))


# Pictures of names of 3,000 letters, or with signs that their font lacks, are poor; they do no harm.
@pytest.mark.filterwarnings("ignore:Glyph", "ignore:constrained_layout")
@pytest.mark.parametrize("names", GROUPS, ids=range(len(GROUPS)))
def test_hostile_names_are_text_in_every_output(plain: ReportInput, tags: Tags, names: list[str]) -> None:
    inputs = hostile(plain, names)
    page = report_page(inputs)
    found = Tags(page)
    assert found.seen == tags.seen
    assert found.attributes == tags.attributes
    assert found.addresses <= {"data:", *(a for a in found.addresses if a.startswith("#"))}
    assert "default-src 'none'" in page
    assert not [h for h in HARM if f"<{h}" in page]

    book = openpyxl.load_workbook(io.BytesIO(workbook(inputs)))
    formulas = [str(c.value) for sheet in book for row in sheet.iter_rows() for c in row if c.data_type == "f"]
    assert formulas
    assert not [f for f in formulas if any(word in f for word in ("HYPERLINK", "cmd|", "evil", "SUM(1+1)", "1-1"))]

    papers = pasted(inputs)
    assert sorted(papers) == sorted(pasted(plain))
    told = [summary_text(inputs), papers["pictures.txt"].decode()]
    for name in (n for n in papers if n.endswith(".docx")):
        with ZipFile(io.BytesIO(papers[name])) as parts:
            told += [parts.read(n).decode() for n in parts.namelist() if n.endswith((".xml", ".rels"))]
    assert not [t for t in told if "\x1b" in t]
    assert not [t for t in told[2:] for h in HARM if f"<{h}" in t or 'TargetMode="External"' in t]

    records = governance_page(inputs, GovernanceSpec(), people=None, files={})
    assert not [h for h in HARM if f"<{h}" in records]


@pytest.mark.parametrize("name", CORPUS, ids=range(len(CORPUS)))
def test_a_hostile_name_is_text_in_files_and_their_descriptions(plain: ReportInput, tmp_path: Path, name: str) -> None:
    inputs = hostile(plain, [name])
    assert inputs.totals is not None
    table = forecast_table(inputs.totals.rename(columns={"measure": "statistic"}), inputs.keys, PublishSpec(), POLICIES["wales"])
    store = Store(tmp_path / "out")
    with store.writing("publish", "k") as writer:
        writer.table("share/forecast.csv", table)
        writer.json("share/datapackage.json", data_package(name, name, {"f.csv": table}, {"f.csv": ("", 0)}, PublishSpec(), {}))
        writer.text("quality.html", quality_page({"verdict": "warn", "findings": [{"severity": "warn", "message": name, "where": name}]}))
    cells = pd.read_csv(tmp_path / "out" / "share" / "forecast.csv", dtype=str, keep_default_na=False).to_numpy().ravel()
    assert not [c for c in cells if FORMULA.match(c) and not c.startswith("'")]
    areas = set(store.table("share/forecast.csv")["area"])
    assert {name.replace("\r", "\n"), "Uplands"} <= areas
    package = store.json("share/datapackage.json")
    assert package["name"].strip("abcdefghijklmnopqrstuvwxyz0123456789._-") == ""
    assert not [h for h in HARM if f"<{h}" in store.path("quality.html").read_text()]
    made_here = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file())
    assert made_here == ["out/manifest.json", "out/quality.html", "out/share/datapackage.json", "out/share/forecast.csv"]


CONFIG = """
name: hostile
data:
  history: {path: history.csv, series: series, date: month, value: households, frequency: M, kind: flow, unit: households, keys: [area]}
forecast: {horizon: 3, models: [seasonal_naive], draws: 20, backtest: {windows: 2}}
tracking: {uri: none}
"""


def test_a_whole_run_makes_its_own_file_names(tmp_path: Path) -> None:
    months, rng = pd.date_range("2022-04-01", "2026-03-01", freq="MS"), stream(1, "hostile")
    made_files = []
    for folder, names in (("plain", ["Castle", "Harbour"]), ("hostile", ["../../../evil", '=HYPERLINK("http://evil.example")'])):
        place = tmp_path / folder
        place.mkdir()
        rows = [(n, f"{d:%Y-%m}", int(c), n) for n in names for d, c in zip(months, rng.poisson(30, len(months)), strict=True)]
        pd.DataFrame(rows, columns=["series", "month", "households", "area"]).to_csv(place / "history.csv", index=False)
        (place / "hostile.yaml").write_text(CONFIG)
        job = open_job(place / "hostile.yaml", output=str(place / "out"), jobs=1)
        assert run(job, [*job.wanted(), "publish"]) == ""
        made_files.append(sorted(p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_file()))
        for path in (place / "out").rglob("*.csv"):
            text = pd.read_csv(path, dtype=str, keep_default_na=False, header=None).to_numpy().ravel()
            assert not [c for c in text if c.startswith("=")]
    assert made_files[0] == made_files[1]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["hostile", "plain"]
