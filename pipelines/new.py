"""Draft a config by looking at a file.

In: a name and a table of counts, or of people's episodes. Out: the text of a config, with a comment wherever the draft guessed. Refuses
files in which no column can be a date or a count.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from demand.data.cells import to_text
from demand.data.dates import parse_dates
from demand.data.extracts import PeopleSpec
from demand.data.files import FileSpec, RawTable, open_table
from demand.data.numbers import to_numbers
from demand.errors import DataError, Fault, SettingsError, listed, raise_all
from demand.tables import RESERVED
from pipelines.guesses import guess_codes, guess_people, guess_policies

__all__ = ["draft_config"]

HORIZONS = {"D": 56, "W": 52, "M": 36, "Q": 12, "Y": 3}
MOST_VALUES = 2000
"""A column with more different texts than this names cases, not series."""
NOUNS = ("households", "children", "people", "placements", "packages", "cases")
DATE_NAMES = ("ds", "date", "month", "quarter", "year", "period", "week", "day")
VALUE_NAMES = ("y", "value", "count", "number", "total", "households", "people", "children")


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
        Where the config exists already.
    DataError
        Where no column can be a date or a count.
    """
    if exists:
        raise SettingsError(Fault(f"{name}.yaml is there already", do_next="Give another name, or move it away"))
    raw = open_table(FileSpec(path=path.name), path.parent, columns={}, every=True)
    people = guess_people(raw)
    if people is not None:
        return _people_config(name, path, raw, people)
    raise_all(raw.faults, DataError, during=f"reading {raw.name}")
    date, value = _date_column(raw), _value_column(raw)
    keys, series = _names(raw, {date, value})
    _check_long(raw, value, date, named=bool(keys or series))
    days = pd.DatetimeIndex(parse_dates(raw.data[date]).values.dropna())
    frequency = _frequency(raw, days, keys, series)
    row = {"path": path.as_posix(), "series": series, "date": date, "value": value, "frequency": frequency}
    told = ", ".join(f"{k}: {_quoted(v)}" for k, v in row.items() if v) + f", kind: {_kind(raw)}, unit: {_unit(value)}"
    told += f", keys: [{', '.join(map(_quoted, keys))}]" if keys else ""
    return "\n".join(
        [
            "# Drafted by looking at the file. Lines that end in a question are guesses: please check them.",
            f"name: {name}",
            f"title: {_quoted(name.replace('_', ' ').replace('-', ' ').capitalize())}",
            "seed: 1",
            "data:",
            "  history:",
            f"    {{{told},",
            "     gaps: leave}   # is it a flow (counted in the period) or a stock (at its end)? Of people, households, children?",
            "  hierarchy: auto   # a total, and one for each key; write none where series overlap and may not be added up",
            "forecast:",
            f"  horizon: {HORIZONS[frequency[0]]}   # periods ahead: enough?",
            "  models: auto",
            "",
        ]
    )


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
    unit = _unit(" ".join([name, spec.id, str(spec.person)]))
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


def _date_column(raw: RawTable) -> str:
    shares = {}
    for column in map(str, raw.data.columns):
        if column.lower() not in DATE_NAMES and not to_numbers(raw.data[column]).wrong.any():
            continue
        found = parse_dates(raw.data[column])
        shares[column] = 1 - float(found.wrong.mean()) if found.values.notna().any() else 0.0
    likely = [c for c, share in shares.items() if share > 0.9 and parse_dates(raw.data[c]).values.notna().mean() > 0.5]
    if not likely:
        columns = listed(raw.data.columns, most=12)
        raise DataError(
            Fault("no column holds dates", where=raw.name, allowed=f"Columns: {columns}", do_next="One row a series and period is expected")
        )
    return next((c for c in likely if c.lower() in DATE_NAMES), likely[0])


def _value_column(raw: RawTable) -> str:
    counts = {}
    for column in map(str, raw.data.columns):
        numbers = to_numbers(raw.data[column])
        values, wrong = numbers.values, numbers.wrong
        if not wrong.any() and np.isfinite(values).mean() > 0.5:
            counts[column] = len(np.unique(values[np.isfinite(values)]))
    likely = [c for c in counts if c.lower() not in DATE_NAMES]
    if not likely:
        columns = listed(raw.data.columns, most=12)
        raise DataError(
            Fault(
                "no column holds counts", where=raw.name, allowed=f"Columns: {columns}", do_next="One row a series and period is expected"
            )
        )
    return next((c for name in VALUE_NAMES for c in likely if c.lower() == name), max(likely, key=counts.__getitem__))


def _check_long(raw: RawTable, value: str, date: str, *, named: bool) -> None:
    others = [str(c) for c in raw.data.columns if str(c) not in (value, date) and not to_numbers(raw.data[c]).wrong.any()]
    if others and not named:
        fault = Fault(f"{listed([value, *others])} all hold numbers, and no column names a series", where=raw.name)
        shape = "one row a series and period, with a column that names the series and one that holds the counts"
        raise DataError(replace(fault, allowed=shape, do_next="Turn the columns into rows (in Excel: Power Query, Unpivot columns)"))


def _names(raw: RawTable, taken: set[str]) -> tuple[list[str], str]:
    """The key columns, and the column that names the series where there is one."""
    texts = {str(c): to_text(raw.data[c]) for c in raw.data.columns if str(c) not in taken and not pd.api.types.is_float_dtype(raw.data[c])}
    usable = {c: t for c, t in texts.items() if 1 < t.nunique() <= MOST_VALUES and to_numbers(t).wrong.any()}
    series = next((c for c in ("unique_id", "series", "id") if c in texts), "")
    if series:
        one = texts[series].groupby(texts[series]).ngroup()
        usable = {c: t for c, t in usable.items() if c != series and (t.groupby(one).nunique() <= 1).all()}
    return [c for c in usable if c != series and c not in RESERVED][:6], series


def _unit(value: str) -> str:
    singular = {noun: "child" if noun == "children" else noun[:-1] for noun in NOUNS if noun != "people"}
    return next((noun for noun, one in singular.items() if one in value.lower()), "people")


def _kind(raw: RawTable) -> str:
    if "kind" not in raw.data:
        return "flow"
    words = to_text(raw.data["kind"]).dropna().str.lower()
    return "{column: kind}" if len(words) and words.str.match("flow|stock").all() else "flow"


def _frequency(raw: RawTable, days: pd.DatetimeIndex, keys: list[str], series: str) -> str:
    columns = [series] if series else keys
    names = raw.data[columns].astype(str).agg("/".join, axis=1) if columns else pd.Series("all", index=raw.data.index)
    ordered = pd.DataFrame({"name": names.iloc[: len(days)].to_numpy(), "day": days}).drop_duplicates().sort_values(["name", "day"])
    steps = ordered.groupby("name")["day"].diff().dt.days.dropna()
    step = float(steps[steps > 0].median()) if (steps > 0).any() else 30.0
    if step < 4:
        return "D"
    if step < 20:
        return f"W-{days[0].strftime('%a').upper()}"
    return "M" if step < 60 else "Q" if step < 200 else "Y"


def _quoted(value: object) -> str:
    text = str(value)
    plain = text.replace("_", "").replace("-", "").replace(".", "").replace("/", "").isalnum() and not text[:1].isdigit()
    return text if plain and text.lower() not in ("y", "n", "yes", "no", "true", "false", "null") else f'"{text}"'
