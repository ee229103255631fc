"""Draft a config by looking at a file.

In: a name and a table of counts, of people's episodes, or of what is known of people or places. Out: the text of a config, with a comment
wherever the draft guessed. Refuses files in which no column can be a date, a count or a description.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path

from demand.data.extracts import PeopleSpec, PlacesSpec
from demand.data.files import ROW, FileSpec, RawTable, open_table
from demand.data.formats import period_columns
from demand.data.quality import Finding, judge
from demand.data.read import HistorySpec, read_history
from demand.data.sheets import TYPES, open_sheets
from demand.errors import DataError, Fault, SettingsError, listed, raise_all
from pipelines.config import RESERVED
from pipelines.guessed_counts import NO_DATES, guess_history, unit_of
from pipelines.guesses import guess_codes, guess_described, guess_people, guess_policies

__all__ = ["SCHEMA_FILE", "draft_config"]

HORIZONS = {"D": 56, "W": 52, "M": 36, "Q": 12, "Y": 3}
PERIODS = {"D": "days", "W": "weeks", "M": "months", "Q": "quarters", "Y": "years"}
SCHEMA_FILE = "demand.schema.json"
"""Beside the config: editors complete its keys from it."""
ODD = "# Next: `demand check` says what is odd in the data, `demand run`"
NEXT = f"{ODD} forecasts. Prices, budgets and scenarios: the tutorial."


def draft_config(name: str, path: Path, *, exists: bool = False) -> str:
    """Draft a config for a table of counts, an extract of people, or a table that only describes people or places.

    Parameters
    ----------
    name : str
        The config's name.
    path : Path
        The file.
    exists : bool
        Whether NAME.yaml is there already.

    Returns
    -------
    str
        YAML with comments.

    Raises
    ------
    SettingsError
        Where the config exists already, or the name cannot be one.
    DataError
        Where the file cannot be read, or no column can be a date, a count or a description.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name) or name.lower() in RESERVED:
        near = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_") or "accommodation"
        raise SettingsError(Fault(f"'{name}' cannot be the name of a config", allowed="Letters, digits, - and _, such as accommodation",
                                  do_next=f"demand new {near} --from {path}"))  # fmt: skip
    if exists:
        raise SettingsError(Fault(f"{name}.yaml is there already", do_next="Mend it, move it away, or give another name"))
    if path.is_dir():
        raise DataError(Fault(f"'{path}' is a folder", do_next="Name the file in it: demand new NAME --from FOLDER/FILE.csv"))
    try:
        return _drafted(name, path, None)
    except DataError as error:
        for sheet in _sheets(path):
            with suppress(DataError):
                return _drafted(name, path, sheet)
        raise error


def _sheets(path: Path) -> list[str]:
    """The sheets of a workbook that has several: the first may say what the workbook is about, and hold no table."""
    if TYPES.get(path.suffix.lower()) != "excel" or not path.is_file():
        return []
    names = [s.name for s in open_sheets(path, None)[0]]
    return names if len(names) > 1 else []


def _drafted(name: str, path: Path, sheet: str | None) -> str:
    """Draft a config for a file, or for one sheet of it."""
    raw = open_table(FileSpec(path=path.name, sheet=sheet), path.parent, columns={}, every=True)
    people = guess_people(raw)
    if people is not None:
        return _people_config(name, path, raw, people)
    raise_all(raw.faults, DataError, during=f"reading {raw.name}")
    try:
        row = guess_history(path, raw)
    except DataError as error:
        described = guess_described(raw)
        if described is None or not any(NO_DATES in fault.do_next for fault in error.faults):
            raise
        return _described_config(name, path, sheet, described)
    row = {"path": row.pop("path"), **({"sheet": sheet} if sheet else {}), **row}
    told = ", ".join(f"{key}: {_flow(value)}" for key, value in row.items())
    family = str(row["frequency"])[0]
    return "\n".join(
        [
            *_head(name),
            "data:",
            "  history:",
            f"    {{{told},",
            f"     gaps: leave}}   # {_asked(row)}",
            *_unread(raw, row),
            _hierarchy(row),
            "forecast:",
            f"  horizon: {HORIZONS[family]}   # {PERIODS[family]} ahead: does that reach the end of the last year that you budget for?",
            "  models: auto",
            NEXT,
            "",
        ]
    )


def _head(name: str) -> list[str]:
    title = name.replace("_", " ").replace("-", " ").capitalize()
    return [
        f"# yaml-language-server: $schema={SCHEMA_FILE}",
        "# Drafted by looking at the file. Lines that end in a question are guesses: please check them.",
        f"name: {name}",
        f"title: {_quoted(title)}",
        "seed: 1",
    ]


def _unread(raw: RawTable, row: dict[str, object]) -> list[str]:
    """Name the columns that the draft leaves out."""
    used = {name for key in ("series", "date", "date_parts", "value", "keys", "fill_down", "across") for name in _names_in(row.get(key))}
    kind = row["kind"]
    used |= {*_names_in(kind["column"] if isinstance(kind, dict) else []), *period_columns([str(c) for c in raw.data.columns])}
    left = [_on_one_line(c) for c in raw.data.columns if str(c) not in used]
    if not left or row.get("across"):
        return []
    return [
        f"  # Not read: {listed(left, most=12)}. What says which part a count belongs to can be one of `keys`; what moves demand, a driver."
    ]


def _names_in(value: object) -> list[str]:
    return [str(v) for v in value] if isinstance(value, list) else [str(value)]


def _hierarchy(row: dict[str, object]) -> str:
    """Add series up, unless some look like totals of others; a file that cannot be read yet says so when it is checked."""
    found: list[Finding] = []
    with suppress(DataError):
        found = judge(read_history(HistorySpec.model_validate({**row, "gaps": "leave"}), Path())[0])
    doubled = next((f.count for f in found if f.rule == "undeclared_total"), 0)
    if not doubled:
        return "  hierarchy: auto   # a total, and one for each key; write none where series overlap and may not be added up"
    told = f"Series that look like the sum of those beside them, or are called a total: {doubled}. `demand check` names them."
    return f"  # {told}\n  hierarchy: none   # auto adds up all series and one for each key: would that count anything twice?"


def _asked(row: dict[str, object]) -> str:
    """Say what was guessed of what is counted, and what else it may be."""
    kind, unit = row["kind"], row["unit"]
    if not isinstance(kind, str):
        return f"counted in {unit}?"
    told = {
        "flow": "a flow (counted in the period), or a stock (there at its end)?",
        "stock": "a stock (there at the end), or a flow (counted in the period)?",
    }
    return f"{told[kind]} Counted in {unit}, or in something else?"


def _people_config(name: str, path: Path, raw: RawTable, spec: PeopleSpec) -> str:
    """Draft a config for an extract of people; rows that cannot be used are left out, and that is said."""
    policies = guess_policies(spec, path.parent)
    codes = guess_codes(raw, [*spec.keys, *spec.attributes])
    given = {
        "path": path.as_posix(), "id": spec.id, "person": spec.person, "opened": spec.opened, "closed": spec.closed,
        "keys": spec.keys, "attributes": spec.attributes, "price": spec.price, "activity": spec.activity,
    }  # fmt: skip
    lines = [f"    {key}: {_flow(value)}" for key, value in given.items() if value]
    merged = [f"    #   {_quoted(c)}: {_flow(several)}" for c, several in codes.items()]
    unit = unit_of(" ".join([name, spec.id, str(spec.person)]))
    left = [
        f"      {rule}: leave_out   # {rows} rows: correct them in the system, then take this line out" for rule, rows in policies.items()
    ]
    return "\n".join(
        [
            *_head(name),
            "# Which column is which? Those that are not named here are never loaded.",
            "data:",
            "  people:",
            *lines,
            f"    counts: [{{kind: flow, unit: {unit}, name: began}}, {{kind: stock, unit: {unit}, name: open}}]   # counted?",
            *(["    # codes:   # these spellings may be one code each: where they are, take the # away", *merged] if merged else []),
            *(["  quality:", "    rules:", *left] if left else []),
            "  hierarchy: auto",
            "forecast:",
            f"  horizon: {HORIZONS['M']}   # months ahead: does that reach the end of the last year that you budget for?",
            "  models: auto",
            NEXT,
            "",
        ]
    )


def _described_config(name: str, path: Path, sheet: str | None, spec: PeopleSpec | PlacesSpec) -> str:
    """Draft a config for a table without dates: groups can be found in it, and nothing is forecast."""
    given = {"path": path.as_posix(), "sheet": sheet, "id": spec.id, "attributes": spec.attributes}
    unsure = "   # no column names each row: each is taken for somebody else?" if spec.id == ROW else ""
    what = "people" if isinstance(spec, PeopleSpec) else "places"
    return "\n".join(
        [
            *_head(name),
            f"# No column holds dates: {what} are grouped by what the table says of them, and nothing is forecast.",
            "data:",
            f"  {what}:",
            *[f"    {key}: {_flow(value)}" + (unsure if key == "id" else "") for key, value in given.items() if value],
            "segments:",
            "  count: auto   # it may find that there are no groups",
            f"{ODD} looks for groups.",
            "",
        ]
    )


def _flow(value: object) -> str:
    """Write a value as YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    return f"[{', '.join(map(_quoted, value))}]" if isinstance(value, list) else _quoted(value)


def _quoted(value: object) -> str:
    text = str(value)
    plain = (
        text.replace("_", "").replace("-", "").replace(".", "").replace("/", "").isalnum() and text[0] not in "-." and not text[0].isdigit()
    )
    if plain and text.lower() not in ("y", "n", "yes", "no", "on", "off", "true", "false", "null"):
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())  # what JSON quotes, YAML reads


def _on_one_line(value: object) -> str:
    """A word of the file as a comment can hold it: nothing in it ends the line."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
