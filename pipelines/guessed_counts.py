"""Guesses about a table of counts: where its dates, counts and names of series stand, and whether counts stand side by side.

In: the table of a file. Out: settings that read it. Refuses files in which no column can be a date or a count; what it guesses is for a
person to check.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd

from demand.data.cells import to_text
from demand.data.files import SHEET, FileSpec, RawTable, open_table
from demand.data.formats import parse_dates, period_columns
from demand.data.identifiers import shape_faults
from demand.data.labels import FINANCIAL_YEAR, YEAR
from demand.data.layout import SAYS_TOTAL
from demand.data.numbers import to_numbers
from demand.data.read import HistorySpec
from demand.data.shapes import MEASURE, parts_of_years, reshaped
from demand.errors import DataError, Fault, listed
from demand.tables import RESERVED

__all__ = ["NO_DATES", "guess_history", "unit_of"]

MOST_VALUES, MOST_PARTS = 2000, 13
"""A column with more different texts than this names cases, not series; one of more parts of a year is none."""
NOUNS = ("households", "children", "people", "placements", "packages", "cases", "attendances", "referrals", "applications")
STOCK = re.compile(
    r"temporary accommodation|looked after|\bin care|caseload|population|waiting|\bon the list|in placement|open cases|"
    r"\bat (the )?end|\bstock|occupied|residents",
    re.IGNORECASE,
)
"""What is there at the end of a period, by how its file or its columns are called."""
AT_END = re.compile(
    r"\bat (the )?end|\bas at\b|\bat \d|\bstock|\bon the list|\bopen cases|(referrals?|applications?) waiting", re.IGNORECASE
)
FLOW = re.compile(
    r"\bentr(y|ies|ants?)\b|\benter(s|ed|ing)\b|\bstart(s|ed|ing|ers?)?\b|\bbec(oming|ame)\b|\bduring\b|\bin (the )?(month|quarter|year)\b|"
    r"\badmi(ssions?|tted)\b|\bnew\b|\bjoin(ed|ers|ing)\b|\bleav(ers|ing)\b|\bexits?\b|\bceas(ed|ing)\b|\bdischarge[sd]?\b|"
    r"\breferrals?\b|\bapplications?\b|\bpresentations?\b|\battendances?\b",
    re.IGNORECASE,
)
"""Who came or went in a period: said of those who are there at its end, it makes a flow of them, but for what is called a stock."""
DATE_NAMES = ("ds", "date", "month", "quarter", "year", "period", "week", "day")
VALUE_NAMES = ("y", "value", "data", "count", "number", "total", "obs_value", "nifer", "gwerth", "households", "people", "children")
NO_COUNT = re.compile(r"column \d+$|.*(?:\bid|_id|ref|_no|number of row|sort.?order|code)$", re.IGNORECASE)
"""Columns without a name, and those that are called as references or codes are, hold no counts."""
MONEY = re.compile(r"cost|price|spend|amount|charge|fee|£|budget", re.IGNORECASE)
SIX_FIGURES = r"(?:19|20)\d\d(?:0[1-9]|1[0-3])"
MOSTLY, BLANK_SHARE = 0.9, 0.3
"""A column of names that is empty in more rows than this is filled in the first row of each group only."""
NO_DATES = (
    "Forecasts need counts of several months, quarters or years, one row a series and period, or an extract of people with the day on "
    "which each case began. A table of areas on one day can stand beside a forecast: see `comparators` in docs/monthly.md"
)
ROWS = "one row a series and period, with a column that names the series and one that holds the counts"


def guess_history(path: Path, raw: RawTable) -> dict[str, object]:
    """Guess how a table of counts is to be read.

    Parameters
    ----------
    path : Path
    raw : RawTable
        The whole file.

    Returns
    -------
    dict
        As they stand under data > history.

    Raises
    ------
    DataError
        Where no column can be a date or a count.
    """
    found: dict[str, object] = {"path": path.as_posix()}
    if period_columns([str(c) for c in raw.data.columns]):
        raw, keys = _periods_across(raw)
        found |= {"across": "periods", "date": "period", "value": "count", "keys": keys}
        frequency = _frequency(raw.data, parse_dates(raw.data["period"]).values, keys)
        unit = unit_of(f"{path.stem} {' '.join(keys)}")
        return _settled(found | {"frequency": frequency, "kind": _kind(raw, path.stem), "unit": unit})
    years = _years_down(raw)
    if years:
        return _settled(found | years)
    raw, date, parts = _dated(path, raw)
    found |= {"date": date, "date_parts": parts}
    value = _value_column(raw, {date, *parts})
    down = _filled_once(raw, {date, value, *parts})
    for column in down:
        raw = replace(raw, data=raw.data.assign(**{column: to_text(raw.data[column]).ffill()}))
    keys, series = _names(raw, {date, value, *parts, SHEET})
    sheets = _sheet_of_rows(raw)
    if sheets is not None and not series and raw.data.duplicated([date, *keys]).any():
        raw, keys = replace(raw, data=raw.data.assign(**{SHEET: sheets})), [*keys, SHEET]
    beside = [] if keys or series else _beside(raw, value, {date, *parts})
    if beside:
        raw, keys = reshaped(raw, _spec(across=beside, keys=[MEASURE], date=date, value="count")), [MEASURE]
        value, found = "count", found | {"across": beside}
    frequency = _frequency(raw.data, parse_dates(raw.data[date]).values, [series] if series else keys)
    told = value if any(n in value.lower() for n in NOUNS) else f"{path.stem} {' '.join(beside or [value])}"
    about = {"frequency": frequency, "kind": _kind(raw, f"{path.stem} {value}"), "unit": unit_of(told)}
    return _settled(found | about | {"series": series, "value": value, "keys": keys, "fill_down": down})


def unit_of(text: str) -> str:
    """Guess what is counted from a name: "Open cases" counts cases.

    Examples
    --------
    >>> unit_of("Looked after children"), unit_of("y")
    ('children', 'people')
    """
    singular = {noun: "child" if noun == "children" else noun[:-1] for noun in NOUNS if noun != "people"}
    return next((noun for noun, one in singular.items() if one in text.lower()), "people")


def _sheet_of_rows(raw: RawTable) -> np.ndarray | None:
    """Give the sheet of each row where several stand one below the other, such as a sheet an area."""
    sheets = np.array([str(row).rpartition("!")[0] for row in raw.rows], dtype=object)
    return sheets if len(set(sheets)) > 1 else None


def _settled(found: dict[str, object]) -> dict[str, object]:
    """Put the settings into the order in which they are read, without those that say nothing."""
    order = ("path", "across", "series", "date", "date_parts", "value", "frequency", "kind", "unit", "keys", "fill_down")
    return {key: found[key] for key in order if found.get(key)}


def _spec(**given: object) -> HistorySpec:
    return HistorySpec.model_validate({"path": "looked_at.csv", "frequency": "M", **given})


def _periods_across(raw: RawTable) -> tuple[RawTable, list[str]]:
    """Turn columns named by periods into rows; what else names the rows are keys."""
    periods = set(period_columns([str(c) for c in raw.data.columns]))
    texts = {str(c): to_text(raw.data[c]) for c in raw.data.columns if str(c) not in periods}
    keys = [c for c, t in texts.items() if t.notna().any() and to_numbers(t.dropna()).wrong.any()][:6]
    return reshaped(raw, _spec(across="periods", date="period", value="count", keys=keys)), keys


def _years_down(raw: RawTable) -> dict[str, object]:
    """Settings for years in the rows and months or quarters in the columns; nothing where the table stands otherwise."""
    parts = parts_of_years([str(c) for c in raw.data.columns])
    texts = {str(c): to_text(raw.data[c]) for c in raw.data.columns if str(c) not in parts}
    year = next((c for c, t in texts.items() if parts and t.notna().any() and _only(t.dropna(), (YEAR, FINANCIAL_YEAR))), None)
    if year is None:
        return {}
    keys = [c for c, t in texts.items() if c != year and t.notna().any() and to_numbers(t.dropna()).wrong.any()][:6]
    about = {"frequency": "Q" if len(parts) == 4 else "M", "kind": _kind(raw, raw.name), "unit": unit_of(" ".join(texts))}
    return {"across": "periods", "date": "period", "date_parts": [year], "value": "count", "keys": keys, **about}


def _dated(path: Path, raw: RawTable) -> tuple[RawTable, str, list[str]]:
    """Find the column of dates, the two that make one together, or the sheets that are named by months."""
    parts = _parts(raw)
    if parts:
        spec = _spec(date="period", date_parts=parts)
        return reshaped(raw, spec), "period", parts
    date = _date_column(raw)
    if date is None and raw.sheet:
        sheets = open_table(FileSpec(path=path.name), path.parent, columns={"date": SHEET}, every=True)
        if not parse_dates(sheets.data[SHEET]).wrong.any():
            return sheets, SHEET, []
    if date is None:
        six = [str(c) for c in raw.data.columns if to_text(raw.data[c]).str.fullmatch(SIX_FIGURES).eq(True).mean() > MOSTLY]
        mend = f"In {listed(six)} 202104 may be April or the fourth period from April: write 2021-04 or P04 2021-22" if six else ""
        fault = Fault("no column holds dates", where=raw.name, allowed=f"Columns: {listed(raw.data.columns, most=12)}")
        raise DataError(replace(fault, do_next=mend or NO_DATES))
    return raw, date, []


def _parts(raw: RawTable) -> list[str]:
    """Give a column of years and one of quarters or months within them."""
    texts = {str(c): to_text(raw.data[c]) for c in raw.data.columns}
    years = [c for c, t in texts.items() if t.notna().all() and _only(t, (YEAR, FINANCIAL_YEAR))]
    within = [c for c, t in texts.items() if t.notna().all() and 1 < t.nunique() <= MOST_PARTS and c.casefold() not in VALUE_NAMES]
    for year, part in permutations(dict.fromkeys([*years, *within]), 2):
        if year not in years or part not in within:
            continue
        read = parse_dates(reshaped(raw, _spec(date="period", date_parts=[year, part])).data["period"])
        if not read.wrong.any() and read.values.nunique() > texts[year].nunique():
            return [year, part]
    return []


def _only(text: pd.Series, labels: Sequence[str]) -> bool:
    read = parse_dates(text)
    return read.label in labels and not read.wrong.any()


def _date_column(raw: RawTable) -> str | None:
    shares = {}
    for column in map(str, raw.data.columns):
        if column.lower() not in DATE_NAMES and not to_numbers(raw.data[column]).wrong.any():
            continue
        found = parse_dates(raw.data[column])
        if found.values.notna().mean() > 0.5:
            shares[column] = 1 - float(found.wrong.mean())
    likely = [c for c, share in shares.items() if share > 0.9]
    return next((c for c in likely if c.lower() in DATE_NAMES), likely[0] if likely else None)


def _value_column(raw: RawTable, taken: set[str]) -> str:
    counts = {}
    for column in map(str, raw.data.columns):
        numbers = to_numbers(raw.data[column])
        values, wrong = numbers.values, numbers.wrong
        whole = column not in taken and not wrong.any() and np.isfinite(values).mean() > 0.5
        if whole and not shape_faults(raw.data[column], raw.rows, column):
            known = values[np.isfinite(values)]
            counts[column] = (not MONEY.search(column), bool((known % 1 == 0).all()), len(np.unique(known)))
    likely = [c for c in counts if c.lower() not in DATE_NAMES and not NO_COUNT.match(c)]
    if not likely:
        columns = listed(raw.data.columns, most=12)
        fault = Fault("no column holds counts", where=raw.name, allowed=f"Columns: {columns}")
        raise DataError(replace(fault, do_next="One row a series and period is expected"))
    return next((c for name in VALUE_NAMES for c in likely if c.lower() == name), max(likely, key=counts.__getitem__))


def _filled_once(raw: RawTable, taken: set[str]) -> list[str]:
    """Give the columns of names that are filled in the first row of each group only."""
    texts = {str(c): to_text(raw.data[c]) for c in raw.data.columns if str(c) not in taken}
    return [c for c, t in texts.items() if t.isna().mean() > BLANK_SHARE and pd.notna(t.iloc[0]) and 1 < t.nunique() == t.notna().sum()]


def _beside(raw: RawTable, value: str, dates: set[str]) -> list[str]:
    """Give the columns that hold counts side by side, without their total.

    Raises
    ------
    DataError
        Where the other columns of numbers are no counts, so that nobody can tell which of them are series.
    """
    if value.lower() in ("y", "value", "data", "count", "number"):
        return []
    numbers = {c: to_numbers(raw.data[c]) for c in map(str, raw.data.columns) if c not in dates and not NO_COUNT.match(c)}
    counts = {c: n.values for c, n in numbers.items() if not n.wrong.any() and np.isfinite(n.values).any()}
    if len(counts) < 2:
        return []
    whole = all(np.all(v[np.isfinite(v)] % 1 == 0) for v in counts.values())
    if not whole:
        fault = Fault(
            f"{listed([value, *(c for c in counts if c != value)])} all hold numbers, and no column names a series", where=raw.name
        )
        mend = "Take out what is no count, or turn the columns into rows (in Excel: Power Query, Unpivot columns)"
        raise DataError(replace(fault, allowed=ROWS[0].upper() + ROWS[1:], do_next=mend))
    parts = [c for c in counts if not SAYS_TOTAL.match(c)]
    sums = {c for c in parts if len(parts) > 2 and np.array_equal(counts[c], sum(counts[o] for o in parts if o != c), equal_nan=True)}
    return [c for c in parts if c not in sums] or list(counts)


def _names(raw: RawTable, taken: set[str]) -> tuple[list[str], str]:
    """The key columns, and the column that names the series where there is one."""
    texts = {str(c): to_text(raw.data[c]) for c in raw.data.columns if str(c) not in taken and not pd.api.types.is_float_dtype(raw.data[c])}
    most = min(MOST_VALUES, max(len(raw.data) // 2, 2))
    usable = {c: t for c, t in texts.items() if 1 < t.nunique() <= most and to_numbers(t).wrong.any()}
    series = next((c for c in ("unique_id", "series", "id") if c in texts), "")
    if series:
        one = texts[series].groupby(texts[series]).ngroup()
        usable = {c: t for c, t in usable.items() if c != series and (t.groupby(one).nunique() <= 1).all()}
    return [c for c in usable if c != series and c not in RESERVED][:6], series


def _kind(raw: RawTable, about: str) -> str | dict[str, str]:
    """Believe a column that says flow or stock; without one, what the file and its counts are called."""
    if "kind" not in raw.data:
        called = about.replace("_", " ")
        return "stock" if AT_END.search(called) or (STOCK.search(called) and not FLOW.search(called)) else "flow"
    words = to_text(raw.data["kind"]).dropna().str.lower()
    return {"column": "kind"} if len(words) and words.str.match("flow|stock").all() else "flow"


def _frequency(data: pd.DataFrame, days: pd.Series, columns: Sequence[str]) -> str:
    names = data[list(columns)].astype(str).agg("/".join, axis=1) if columns else pd.Series("all", index=data.index)
    ordered = pd.DataFrame({"name": names.to_numpy(), "day": days.to_numpy()}).dropna().drop_duplicates().sort_values(["name", "day"])
    steps = ordered.groupby("name")["day"].diff().dt.days.dropna()
    step = float(steps[steps > 0].median()) if (steps > 0).any() else 30.0
    if step < 4:
        return "D"
    if step < 20:
        return f"W-{ordered['day'].iloc[0].strftime('%a').upper()}"
    return "M" if step < 60 else "Q" if step < 200 else "Y"
