"""Draft a config by looking at a file.

In: a name and a table of counts, or of people's episodes. Out: the text of a config, with a comment wherever the draft guessed. Refuses
files in which no column can be a date or a count.
"""

from __future__ import annotations

import re
from pathlib import Path

from demand.data.extracts import PeopleSpec
from demand.data.files import FileSpec, RawTable, open_table
from demand.errors import DataError, Fault, SettingsError, raise_all
from pipelines.config import RESERVED
from pipelines.guessed_counts import guess_history, unit_of
from pipelines.guesses import guess_codes, guess_people, guess_policies

__all__ = ["draft_config"]

HORIZONS = {"D": 56, "W": 52, "M": 36, "Q": 12, "Y": 3}


def draft_config(name: str, path: Path, *, exists: bool = False) -> str:
    """Draft a config for a long table of counts, or for an extract of people.

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
        Where no column can be a date or a count.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name) or name.lower() in RESERVED:
        raise SettingsError(Fault(f"'{name}' cannot be the name of a config", allowed="Letters, digits, - and _, such as accommodation",
                                  do_next="demand new NAME --from FILE"))  # fmt: skip
    if exists:
        raise SettingsError(Fault(f"{name}.yaml is there already", do_next="Give another name, or move it away"))
    raw = open_table(FileSpec(path=path.name), path.parent, columns={}, every=True)
    people = guess_people(raw)
    if people is not None:
        return _people_config(name, path, raw, people)
    raise_all(raw.faults, DataError, during=f"reading {raw.name}")
    row = guess_history(path, raw)
    told = ", ".join(f"{key}: {_flow(value)}" for key, value in row.items())
    return "\n".join(
        [
            "# Drafted by looking at the file. Lines that end in a question are guesses: please check them.",
            f"name: {name}",
            f"title: {_quoted(name.replace('_', ' ').replace('-', ' ').capitalize())}",
            "seed: 1",
            "data:",
            "  history:",
            f"    {{{told},",
            f"     gaps: leave}}   # {_asked(row)}",
            "  hierarchy: auto   # a total, and one for each key; write none where series overlap and may not be added up",
            "forecast:",
            f"  horizon: {HORIZONS[str(row['frequency'])[0]]}   # periods ahead: enough?",
            "  models: auto",
            "",
        ]
    )


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
    merged = [f"    #   {c}: {_flow(several)}" for c, several in codes.items()]
    unit = unit_of(" ".join([name, spec.id, str(spec.person)]))
    left = [
        f"      {rule}: leave_out   # {rows} rows: correct them in the system, then take this line out" for rule, rows in policies.items()
    ]
    return "\n".join(
        [
            "# Drafted by looking at the file. Please check which column is which; columns that are not named here are never loaded.",
            f"name: {name}",
            f"title: {_quoted(name.replace('_', ' ').replace('-', ' ').capitalize())}",
            "seed: 1",
            "data:",
            "  people:",
            *lines,
            f"    counts: [{{kind: flow, unit: {unit}, name: began}}, {{kind: stock, unit: {unit}, name: open}}]   # counted?",
            *(["    # codes:   # these spellings may be one code each: where they are, take the # away", *merged] if merged else []),
            *(["  quality:", "    rules:", *left] if left else []),
            "  hierarchy: auto",
            "forecast:",
            f"  horizon: {HORIZONS['M']}   # months ahead: enough?",
            "  models: auto",
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
    plain = text.replace("_", "").replace("-", "").replace(".", "").replace("/", "").isalnum() and not text[:1].isdigit()
    return text if plain and text.lower() not in ("y", "n", "yes", "no", "true", "false", "null") else f'"{text}"'
