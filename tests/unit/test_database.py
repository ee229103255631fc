"""Tables from a database: what is asked, what is refused, and what is told of it."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import OperationalError

from demand.calendar import Frequency
from demand.data.database import _engine
from demand.data.drivers import DriversSpec, read_drivers
from demand.data.extracts import PeopleSpec, PlacesSpec, read_people, read_places
from demand.data.files import FileSpec, open_table
from demand.data.read import HistorySpec, read_history
from demand.errors import DataError, DemandError, SettingsError
from pipelines.config import load_config
from pipelines.inputs import Inputs
from pipelines.job import Job
from pipelines.store import Store

CANARY = "hunter2-canary"
URL = "${DEMAND_DATABASE_URL}"
CONFIG = """
name: cases
data:
  history:
    sql: SELECT area, month, people FROM counts WHERE month >= :since AND area <> :never
    url: ${DEMAND_DATABASE_URL}
    parameters: {since: 2023-03-01, never: "x' OR '1'='1"}
    date: month
    value: people
    keys: [area]
    frequency: M
tracking: {uri: none}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEMAND_DATABASE_URL", "sqlite:///cases #1.db")
    with closing(sqlite3.connect(tmp_path / "cases #1.db")) as base:
        base.execute("CREATE TABLE counts (area TEXT, month TEXT, people INTEGER)")
        months = [f"{2023 + i // 12}-{i % 12 + 1:02d}-01" for i in range(24)]
        base.executemany("INSERT INTO counts VALUES (?, ?, ?)", [(a, m, 10 + i) for a in ("North", "Môn") for i, m in enumerate(months)])
        base.execute("CREATE TABLE cases (ref TEXT, opened TEXT, closed TEXT, age INTEGER)")
        base.executemany("INSERT INTO cases VALUES (?, ?, ?, ?)", [(f"00{i}", f"2023-05-{i + 1:02d}", None, 20 + i) for i in range(9)])
        base.execute("CREATE TABLE rates (name TEXT, month TEXT, rate REAL)")
        base.executemany("INSERT INTO rates VALUES ('rent', ?, ?)", [(m, 1.5) for m in months])
        base.commit()
    return tmp_path


def config(folder: Path, text: str = CONFIG) -> Job:
    (folder / "cases.yaml").write_text(text, encoding="utf-8")
    settings, place = load_config(folder / "cases.yaml")
    return Job(settings, Inputs(settings, place), Store(folder / "out"))


def test_every_table_is_read_from_a_database_as_from_a_file(folder: Path) -> None:
    asked = {"url": URL, "parameters": {"since": "2023-03-01"}}
    history, _ = read_history(
        HistorySpec(sql="SELECT * FROM counts WHERE month >= :since", date="month", value="people", keys=["area"], frequency="M", **asked),
        folder,
    )
    assert (len(history.table), sorted(history.ids)) == (44, ["Môn", "North"])
    people, _ = read_people(
        PeopleSpec(sql="SELECT * FROM cases", url=URL, id="ref", opened="opened", closed="closed", attributes=["age"]),
        folder,
        key=b"k" * 16 * 16,
    )
    assert people["age"].tolist() == [20.0 + i for i in range(9)]
    assert not set(people["person_id"]) & {f"00{i}" for i in range(9)}
    places, _ = read_places(PlacesSpec(sql="SELECT area, max(people) AS most FROM counts GROUP BY area", url=URL, id="area"), folder)
    assert sorted(places["most"]) == [33.0, 33.0]
    rates = DriversSpec(sql="WITH r AS (SELECT * FROM rates) SELECT * FROM r;", url=URL, date="month", value="rate")
    drivers, _ = read_drivers(rates, folder, frequency=Frequency("M"))
    assert len(drivers) == 24
    assert drivers["value"].eq(1.5).all()


def test_the_hash_is_of_the_rows_that_were_read(folder: Path) -> None:
    job = config(folder)
    before = job.inputs.hashes["history"]
    with closing(sqlite3.connect(folder / "cases #1.db")) as base:
        base.execute("UPDATE counts SET people = 99 WHERE month < '2023-03-01'")  # which the query does not give
        base.commit()
        assert config(folder).inputs.hashes["history"] == before
        base.execute("UPDATE counts SET people = 99")
        base.commit()
    assert config(folder).inputs.hashes["history"] != before
    assert job.inputs.history is not None
    assert 99 not in set(job.inputs.history.table["y"])  # what was hashed is what is read, whatever has happened since


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("DELETE FROM counts", "not one SELECT or WITH"),
        ("SELECT 1; DROP TABLE counts", "several statements"),
        ("/* SELECT */ UPDATE counts SET people = 1", "not one SELECT or WITH"),
        ("WITH x AS (DELETE FROM counts RETURNING *) SELECT * FROM x", "holds 'DELETE'"),
        ("SELECT * INTO other FROM counts", "holds 'INTO'"),
        ("SELECT * FROM counts WHERE month > :sinse", "no value is given for :sinse"),
        ("SELECT * FROM counts", "the parameter 'since' is not in the statement"),
        ("SELECT * FROM counts WHERE month > ':since'", "the parameter 'since' is not in the statement"),
    ],
)
def test_what_does_more_than_select_is_refused_before_it_is_asked(sql: str, told: str) -> None:
    with pytest.raises(ValueError, match="(?s)" + told.replace("(", "\\(")):
        FileSpec(sql=sql, url=URL, parameters={"since": "2023-03-01"})


def test_words_in_quotes_are_no_orders(folder: Path) -> None:
    spec = FileSpec(sql="""SELECT area AS "update; drop", people FROM counts WHERE area <> 'delete; into' -- insert""", url=URL)
    assert len(open_table(spec, folder, columns={"value": "people"}).data) == 48


def test_sqlite_is_opened_for_reading_only(folder: Path) -> None:
    engine = _engine(make_url("sqlite:///cases #1.db"), folder, "query")
    with engine.connect() as connection, pytest.raises(OperationalError, match="readonly database"):
        connection.execute(text("DELETE FROM counts"))


def test_values_are_bound_and_never_part_of_the_statement(folder: Path) -> None:
    spec = FileSpec(sql="SELECT * FROM counts WHERE area = :area", url=URL, parameters={"area": "x' OR '1'='1"})
    with pytest.raises(DataError, match="the query gives no rows"):
        open_table(spec, folder, columns={"value": "people"})


@pytest.mark.parametrize(
    ("url", "sql", "told"),
    [
        ("sqlite:///cases #1.db", "SELECT * FROM kases", "no such table: kases"),
        ("sqlite:///none.db", "SELECT 1", "there is no database 'none.db'"),
        (f"oracle+nodriver://me:{CANARY}@host/db", "SELECT 1", "driver .* is not installed"),
        (f"nonsense://me:{CANARY}@host/db", "SELECT 1", "driver .* is not installed"),
        (f"postgresql://me:{CANARY}@host:{CANARY}/db", "SELECT 1", "the address of the database cannot be read"),
        (CANARY, "SELECT 1", "the address of the database cannot be read"),
    ],
)
def test_what_cannot_be_asked_is_told_without_the_password(
    folder: Path, monkeypatch: pytest.MonkeyPatch, url: str, sql: str, told: str
) -> None:
    monkeypatch.setenv("DEMAND_DATABASE_URL", url)
    with pytest.raises(DataError, match=told) as error:
        open_table(FileSpec(sql=sql, url=URL), folder, columns={"value": "people"})
    assert CANARY not in str(error.value)
    assert "query" in str(error.value)


def test_a_name_that_the_environment_lacks_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEMAND_DATABASE_URL")
    with pytest.raises(SettingsError, match="the environment has no DEMAND_DATABASE_URL"):
        open_table(FileSpec(sql="SELECT 1", url=URL), folder, columns={"value": "people"})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("${DEMAND_DATABASE_URL}", f"postgresql://me:{CANARY}@host/db"), "there is a password in 'url'"),
        (("    url: ${DEMAND_DATABASE_URL}\n", ""), "'sql' and 'url' belong together"),
        (("    date: month", "    path: counts.csv\n    date: month"), "give either 'path', a file, or 'sql'"),
    ],
)
def test_a_config_says_one_source_and_no_password(folder: Path, change: tuple[str, str], told: str) -> None:
    with pytest.raises(DemandError, match=told) as error:
        config(folder, CONFIG.replace(*change))
    assert CANARY not in str(error.value)


def test_a_password_is_found_nowhere_in_what_a_check_writes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMAND_DATABASE_URL", f"sqlite:///cases #1.db?password={CANARY}")
    job = config(folder)
    job.do("check")
    job.finish(None)
    written = [p for p in (folder / "out").rglob("*") if p.is_file()]
    assert json.loads((folder / "out" / "manifest.json").read_text())["data"]["history"] == job.inputs.hashes["history"]
    assert [p.name for p in written if CANARY.encode() in p.read_bytes()] == []
    assert "quality.json" in {p.name for p in written}
