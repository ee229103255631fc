"""Asking a database: one SELECT, its values bound, opened for reading only.

In: an address with `${NAME}` for what is secret, a statement and the values of its :names. Out: the rows as a table, and a hash of them.
Refuses statements that do more than select, names without a value and values without a name, databases that cannot be reached or have no
such table; messages never hold the address's password, nor values.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pandas as pd

from demand.errors import DataError, Fault, did_you_mean, listed, raise_all
from demand.secrets import redacted, with_secrets

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

__all__ = ["Answer", "ask", "statement_faults"]

QUOTED = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/", re.DOTALL)
"""Texts, quoted names and remarks: what stands in them is no order."""
BOUND = re.compile(r"(?<![:\w\\]):([A-Za-z_]\w*)(?!:)")
"""A name whose value is bound, as SQLAlchemy's text() knows them; `::` is a change of type."""
ORDERS = re.compile(
    r"\b(insert|update|delete|merge|into|drop|alter|create|truncate|grant|attach|pragma|exec|execute|call)\b", re.IGNORECASE
)
"""Words that change something, also inside WITH and behind FOR."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What a database answered.

    Parameters
    ----------
    rows : pandas.DataFrame
    hash : str
        SHA-256 of the rows as CSV, with the names of the columns.
    """

    rows: pd.DataFrame
    hash: str


def statement_faults(sql: str, parameters: Mapping[str, object]) -> list[str]:
    """Say in sentences what stands against a statement.

    Parameters
    ----------
    sql : str
    parameters : mapping
        The values of its :names.

    Returns
    -------
    list of str

    Examples
    --------
    >>> statement_faults("SELECT * FROM cases WHERE opened >= :since", {"since": "2023-04-01"})
    []
    >>> statement_faults("DELETE FROM cases", {})
    ['the statement is not one SELECT or WITH: only reading is allowed.']
    """
    bare = QUOTED.sub(" ", sql).strip().rstrip("; \n\t")
    faults = []
    if not re.match(r"(select|with)\b", bare, re.IGNORECASE):
        faults.append("the statement is not one SELECT or WITH: only reading is allowed.")
    elif ";" in bare:
        faults.append("there are several statements in 'sql'. Write one SELECT.")
    elif found := ORDERS.search(bare):
        faults.append(f"the statement holds '{found[0]}': only reading is allowed. A column of that name is written in quotes.")
    asked = dict.fromkeys(BOUND.findall(bare))
    lacking = [name for name in asked if name not in parameters]
    unused = [name for name in parameters if name not in asked]
    faults += [f"no value is given for :{name}. {did_you_mean(name, parameters)}" for name in lacking]
    faults += [f"the parameter '{name}' is not in the statement: write :{name} where it belongs, without quotes." for name in unused]
    return faults


def ask(url: str, sql: str, parameters: Mapping[str, str | int | float | date], *, folder: Path, name: str) -> Answer:
    """Ask a database.

    Parameters
    ----------
    url : str
        As SQLAlchemy writes addresses, `${NAME}` from the environment: postgresql+psycopg://me:${PASSWORD}@host/db, sqlite:///cases.db.
    sql : str
        One SELECT, as `statement_faults` allows it.
    parameters : mapping
    folder : pathlib.Path
        Where the file of a SQLite database is looked up.
    name : str
        What messages call it.

    Returns
    -------
    Answer

    Raises
    ------
    DataError
        Where there is no driver, no such database or table, or the statement cannot be answered.
    SettingsError
        Where the environment lacks a name of the address.
    """
    from sqlalchemy import make_url, text

    faults = statement_faults(sql, parameters)
    raise_all([Fault(f, where=name) for f in faults], DataError)
    written = with_secrets(url)
    with _told(name, ()):
        address = make_url(written)
    secret = [s for s in (address.password, quote(str(address.password or "")), *map(str, address.query.values())) if s]
    with _told(name, secret):
        engine = _engine(address, Path(folder), name)
        try:
            with engine.connect() as connection:  # ends with a rollback: nothing is committed
                found = connection.execute(text(sql), dict(parameters))
                columns = [str(c) for c in found.keys()]  # noqa: SIM118 (a result is no mapping)
                rows = pd.DataFrame.from_records(found.fetchall(), columns=columns, coerce_float=True)
        finally:
            engine.dispose()
    twice = sorted({c for c in columns if columns.count(c) > 1})
    if twice:
        raise DataError(Fault(f"the query gives {listed(twice)} twice", where=name, do_next="Name one of them otherwise: SELECT a AS b"))
    return Answer(rows, hashlib.sha256(rows.to_csv(index=False).encode("utf-8", "surrogatepass")).hexdigest())


def _engine(address: URL, folder: Path, name: str) -> Engine:
    """Make ready to ask; a file of SQLite is opened for reading only, and must be there."""
    from sqlalchemy import NullPool, create_engine

    if address.get_backend_name() != "sqlite":
        return create_engine(address, poolclass=NullPool, hide_parameters=True)
    file = folder / (address.database or "")
    if not file.is_file():
        there = "Put the file there, or name its folder with --data-dir"
        raise DataError(Fault(f"there is no database '{file.name}' in the folder '{file.parent}'", where=name, do_next=there))
    path = file.resolve().as_posix()  # on Windows C:/folder/cases.db, or //server/share/cases.db
    place = f"file://{quote(path if path.startswith('/') else f'/{path}', safe='/:')}?mode=ro"
    return create_engine("sqlite://", creator=lambda: sqlite3.connect(place, uri=True), poolclass=NullPool, hide_parameters=True)


@contextmanager
def _told(name: str, secret: Sequence[str]) -> Iterator[None]:
    """Say in our own words why a database gives no answer, without what is secret."""
    from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError

    fault = None
    try:
        yield
    except (ImportError, NoSuchModuleError) as error:
        drivers = "Install it with pip: psycopg for PostgreSQL, pyodbc for SQL Server, oracledb for Oracle, pymysql for MySQL"
        fault = Fault(f"the driver for this kind of database is not installed ({_first(error, secret)})", where=name, do_next=drivers)
    except DBAPIError as error:
        mend = "Look at the names of tables and columns in 'sql', and whether the login may read them"
        fault = Fault(f"the database cannot answer: {_first(error.orig or error, secret)}", where=name, do_next=mend)
    except (SQLAlchemyError, ValueError):  # whose texts repeat the address
        fault = Fault("the address of the database cannot be read", where=name, allowed="Such as postgresql+psycopg://me:PASSWORD@host/db")
    if fault is not None:
        raise DataError(fault)


def _first(error: BaseException, secret: Sequence[str]) -> str:
    text = redacted(str(error).strip().split("\n")[0])
    for word in secret:
        text = text.replace(word, "***")
    return str(text)[:200]
