"""Whatever stands in a file or a config: it is read, or refused in our own words."""

from __future__ import annotations

import io
import string
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demand.calendar import Frequency
from demand.data.numbers import to_numbers
from demand.data.policies import QualitySpec
from demand.data.read import DriversSpec, HistorySpec, PeopleSpec, PlacesSpec, read_drivers, read_history, read_people, read_places
from demand.errors import DemandError
from pipelines.config import load_config
from pipelines.new import draft_config

KEY = b"a published key for tests"
FEW = {"text": 100, "workbooks": 33, "configs": 100}
MANY = {"text": 40_000, "workbooks": 10_000, "configs": 50_000}
"""Inputs of each kind: few are read in every way that there is, many in one way each."""
WORDS = st.sampled_from(
    [
        *(
            "ds",
            "y",
            "ref",
            "area",
            "start",
            "end",
            "name",
            "value",
            "Total",
            "Grand total",
            "Run by a user on 03/06/2025",
            "NK",
            "B&B",
            "BB",
        ),
        *("01/02/2024", "2024-02-01", "31/12/9999", "01/01/1900", "45323", "Q1 2024", "Feb-24", "32/13/2024", "00/00/0000", "0001-01-01"),
        *(
            "2024-02-30T25:61:00Z",
            "1,234",
            "(1,234)",
            "1234-",
            "£1.2m",
            "<5",
            "*",
            "[c]",
            "[x]",
            "..",
            "1e400",
            "-1",
            "nan",
            "inf",
            "1e-400",
        ),
        *("tŷ", "TÅ·", "", " ", '"', "'", "=1+1", "1.00012E+11", "AB123456C", "CF10 3NQ", "0007", "99999999999999999999", "\x00", "a\nb"),
        *("<script>", "1_000", "١٢٣", "²", "½", "--5"),
    ]
)
CELLS = st.one_of(WORDS, WORDS, st.text(max_size=12), st.integers(-(10**20), 10**20).map(str), st.floats().map(str), st.dates().map(str))
GRIDS = st.lists(st.lists(CELLS, max_size=8), max_size=14)
HEADS = st.sampled_from([[], ["ds", "y", "area"], ["ref", "who", "start", "end", "area", "fee"], ["ds", "name", "value"], ["Title"]])


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """A file of text: a table more or less, in some encoding, with some bytes changed."""
    grid = [*([draw(HEADS)] if draw(st.booleans()) else []), draw(HEADS), *draw(GRIDS)]
    separator = draw(st.sampled_from([",", ";", "\t", "|"]))
    content = draw(st.sampled_from(["\n", "\r\n", "\r"])).join(separator.join(row) for row in grid)
    raw = content.encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])), errors="replace")
    return _changed(draw, raw)


@st.composite
def workbooks(draw: st.DrawFn) -> bytes:
    """A workbook of one or two sheets, with some bytes changed now and then."""
    out = io.BytesIO()
    with pd.ExcelWriter(out, engine="openpyxl") as book:
        for name in draw(st.sampled_from([["Sheet1"], ["April 2024", "May 2024"]])):
            grid = [draw(HEADS), *draw(GRIDS)]
            clean = [["".join(c for c in cell if c.isprintable()) for cell in row] for row in grid]
            typed = [[_typed(draw, cell) for cell in row] for row in clean]
            pd.DataFrame(typed).to_excel(book, sheet_name=name, index=False, header=False)
    return _changed(draw, out.getvalue()) if draw(st.integers(0, 3)) == 0 else out.getvalue()


def _typed(draw: st.DrawFn, cell: str) -> object:
    kind = draw(st.integers(0, 5))
    value = pd.to_numeric(cell, errors="coerce")
    if kind == 0 and pd.notna(value) and abs(float(value)) < 1e300:
        return float(value)
    return pd.Timestamp("2024-02-01") if kind == 1 else cell


def _changed(draw: st.DrawFn, raw: bytes) -> bytes:
    """Change some bytes, or cut the file off; places are shares of its length, which in workbooks differs by the time of day."""
    for share, byte in draw(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 255)), max_size=3)):
        at = share * len(raw) // 1000
        raw = raw[:at] + bytes([byte]) + raw[at + 1 :]
    return raw[: draw(st.integers(0, 1000)) * len(raw) // 1000] if draw(st.integers(0, 5)) == 0 else raw


def read_every_way(path: Path, turn: int | None) -> None:
    """Read a file as each kind of table, or as one of them; our own errors are the only ones."""
    readers = [
        lambda: read_history(HistorySpec(path=path.name, frequency="M", keys=["area"], gaps="leave"), path.parent),
        lambda: read_history(HistorySpec(path=path.name, frequency="Q", date="sheet", gaps="interpolate"), path.parent),
        lambda: read_people(PEOPLE.model_copy(update={"path": path.name}), path.parent, key=KEY, quality=LENIENT),
        lambda: read_places(PlacesSpec(path=path.name, id="ref"), path.parent),
        lambda: read_drivers(DriversSpec(path=path.name), path.parent, frequency=Frequency("M")),
        lambda: draft_config("fuzz", path),
    ]
    for read in readers if turn is None else [readers[turn]]:
        try:
            read()
        except DemandError:
            continue


PEOPLE = PeopleSpec(path="x.csv", id="ref", person="who", opened="start", closed="end", keys=["area"], price="fee")
LEFT_OUT = ("date_format", "empty_cell", "ended_before_started", "doubled_reference", "not_a_number", "shifted_row")
LENIENT = QualitySpec(rules=dict.fromkeys(LEFT_OUT, "leave_out"))
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture]


def fuzz_text(folder: Path, examples: dict[str, int]) -> None:
    @given(raw=st.one_of(texts(), texts(), st.binary(max_size=200)), turn=st.integers(0, 5) if examples is MANY else st.none())
    @settings(max_examples=examples["text"], deadline=None, suppress_health_check=QUIET, database=None)
    def one(raw: bytes, turn: int | None) -> None:
        (folder / "x.csv").write_bytes(raw)
        read_every_way(folder / "x.csv", turn)

    one()


def fuzz_workbooks(folder: Path, examples: dict[str, int]) -> None:
    @given(raw=st.one_of(workbooks(), workbooks(), st.binary(max_size=200)), turn=st.integers(0, 5) if examples is MANY else st.none())
    @settings(max_examples=examples["workbooks"], deadline=None, suppress_health_check=QUIET, database=None)
    def one(raw: bytes, turn: int | None) -> None:
        (folder / "x.xlsx").write_bytes(raw)
        read_every_way(folder / "x.xlsx", turn)

    one()


LINES = st.one_of(
    st.sampled_from(
        [
            *("name: a", "data:", "  history: {path: h.csv, frequency: M}", "  example: {service: homelessness}", "seed: -1", "seed: 010"),
            *("forecast: {horizon: 3}", "  - x", "a: &b [*b]", "? [1]", "!!python/object:os.system x", "\t", "name: no", "<<: 1"),
            *("as_of: 2024-02-30", "scenarios: {a: library:b}", "assumptions: nothing.yaml", "  mapping: nothing.yaml", "report: null"),
            "costs: [1, {}]",
        ]
    ),
    st.text(alphabet=string.printable + "ŵŷ\u2028\x85", max_size=30),
)


def fuzz_configs(folder: Path, examples: dict[str, int]) -> None:
    @given(lines=st.lists(LINES, max_size=12), raw=st.one_of(st.none(), st.none(), st.binary(max_size=80)))
    @settings(max_examples=examples["configs"], deadline=None, suppress_health_check=QUIET, database=None)
    def one(lines: list[str], raw: bytes | None) -> None:
        (folder / "x.yaml").write_bytes(raw if raw is not None else "\n".join(lines).encode("utf-8", errors="replace"))
        try:
            load_config(folder / "x.yaml")
        except DemandError:
            return

    one()


CLOSED_LATE = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""openpyxl leaves files that are no workbooks to be closed when it happens."""
FUZZERS = [fuzz_text, fuzz_workbooks, fuzz_configs]


@CLOSED_LATE
@pytest.mark.parametrize("fuzz", FUZZERS)
def test_files_are_read_or_refused_in_our_own_words(tmp_path: Path, fuzz) -> None:
    fuzz(tmp_path, FEW)


@CLOSED_LATE
@pytest.mark.long
@pytest.mark.parametrize("fuzz", FUZZERS)
def test_many_files_are_read_or_refused_in_our_own_words(tmp_path: Path, fuzz) -> None:
    fuzz(tmp_path, MANY)


@given(words=st.lists(CELLS, max_size=12))
@settings(max_examples=100, deadline=None)
def test_numbers_are_read_alike_alone_and_together_and_never_without_end_by_chance(words: list[str]) -> None:
    together = to_numbers(pd.Series(words, dtype=object))
    assert not (together.wrong & together.hidden).any()
    known = ~pd.isna(together.values)
    assert (together.low[known] <= together.values[known]).all()
    assert (together.values[known] <= together.high[known]).all()
    for i, word in enumerate(words):
        alone = to_numbers(pd.Series([word], dtype=object))
        if not together.hidden[i]:
            assert alone.wrong[0] == together.wrong[i]
            assert alone.values[0] == together.values[i] or pd.isna(alone.values[0])


def test_a_day_that_there_is_not_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("name: a\nas_of: 2024-02-30\n", encoding="utf-8")
    with pytest.raises(DemandError, match="day is out of range"):
        load_config(tmp_path / "x.yaml")


@pytest.mark.parametrize("key", ["0[", "DataSpec", "literal", "function-x"])
def test_a_key_that_looks_like_a_type_of_ours_is_told_as_it_stands(tmp_path: Path, key: str) -> None:
    (tmp_path / "x.yaml").write_text(f"name: a\n{key}: 1\ndata: {{example: {{service: homelessness}}}}\n", encoding="utf-8")
    with pytest.raises(DemandError, match="this key is not known") as caught:
        load_config(tmp_path / "x.yaml")
    assert f"> {key}:" in str(caught.value)
