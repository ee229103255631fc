"""What a council publishes: forecasts and counts as tidy tables with codes of areas, and the metadata that lets others use them.

In: totals of a forecast, HISTORY, and what the config says of the publication. Out: tables that passed disclosure control, and a Data
Package (datapackage.org, version 2) as plain data. Refuses counts by segment: a publication tells of areas and services, not of groups of
people.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from demand.data.codes import WELSH_AUTHORITIES
from demand.disclosure.policies import Policy
from demand.disclosure.protect import protect
from demand.disclosure.shares import significant
from demand.spec import Spec
from demand.tables import History

__all__ = ["ALL", "PublishSpec", "counts_table", "data_package", "forecast_table", "scores_table"]

ALL = "all"
"""The value of a key in a row that adds up all its values."""
GSS = re.compile(r"[EWSNK]\d{8}")
"""A code of the Government Statistical Service: a letter for the country and eight digits (ONS, Register of Geographic Codes)."""
WALES = {"Wales": "W92000004"} | {name: code for code, name in WELSH_AUTHORITIES.items()}
"""The codes of the country and of its unitary authorities, by name."""
LICENCES = {
    "OGL-UK-3.0": ("https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/", "Open Government Licence v3.0"),
    "CC-BY-4.0": ("https://creativecommons.org/licenses/by/4.0/", "Creative Commons Attribution 4.0"),
}
TOLD = {
    "period": "First day of the period",
    "financial_year": "Financial year; empty where the row is of one period",
    "kind": "flow: counted in the period. stock: counted at its end",
    "unit": "What is counted",
    "statistic": "sum or mean over the financial year; empty where the row is of one period",
    "expected": "Expected value, a model's estimate: figures add up over areas as far as rounding lets them",
    "low": "One time in ten the truth is expected below this",
    "middle": "As likely above as below",
    "high": "One time in ten the truth is expected above this; ends of ranges do not add up",
    "counted": "What was counted, rounded; the mark stands for a count that is small or that would give one away",
}
"""What the columns hold."""


class PublishSpec(Spec):
    """The `publish` part of a config: what others are told of the figures."""

    licence: str = "OGL-UK-3.0"
    """OGL-UK-3.0, CC-BY-4.0, or the address of another licence."""
    publisher: str = ""
    """Who publishes: the council's name."""
    contact: str = ""
    """Whom to ask: an address of a team, not of a person."""
    codes: dict[str, str] = Field(default_factory=dict)
    """GSS codes by the values of a key: {Gwynedd: W06000002}. Values that are codes themselves need none."""


def forecast_table(totals: pd.DataFrame, keys: Sequence[str], spec: PublishSpec, policy: Policy) -> pd.DataFrame:
    """Give forecasts as they may leave: whole numbers; withheld where fewer are expected than the policy hides.

    Parameters
    ----------
    totals : pandas.DataFrame
        As totals.parquet: level, keys, kind, unit, ds or financial_year, mean and quantiles.
    keys : sequence of str
    spec : PublishSpec
    policy : Policy

    Returns
    -------
    pandas.DataFrame
        One row a level, period and kind. Years that hold months already counted are left out: less the months ahead they would give counts.
    """
    shown = [k for k in keys if k != "segment"]
    rows = totals[~totals["level"].isin(["segment", *(["series"] if "segment" in keys else [])])]
    rows = rows[~(rows["months_actual"].to_numpy(dtype=float, na_value=np.nan) > 0)]
    if "scenario" in rows:
        rows = rows[rows["scenario"].isna() | (rows["scenario"] == "baseline")]
    out = rows[shown].astype(object).where(rows[shown].notna(), ALL).astype(str)
    out = _coded(out, spec).assign(
        kind=rows["kind"], unit=rows["unit"], period=rows["ds"].dt.strftime("%Y-%m-%d"), financial_year=rows["financial_year"],
        statistic=rows["statistic"].where(rows["financial_year"].notna()),
    )  # fmt: skip
    few = (rows["mean"] < policy.hide_below).to_numpy()
    for name, column in {"expected": "mean", "low": "q0.1", "middle": "q0.5", "high": "q0.9"}.items():
        figure = np.rint(rows[column].to_numpy(dtype=float))
        out[name] = pd.Series([policy.mark if f else int(v) for v, f in zip(figure, few, strict=True)], index=out.index, dtype=object)
    return out.reset_index(drop=True)


def counts_table(history: History, spec: PublishSpec, policy: Policy, earlier: pd.DataFrame | None = None) -> pd.DataFrame:
    """Give the counts that were forecast as they may leave, with their sums over each key and over all.

    Parameters
    ----------
    history : History
    spec : PublishSpec
    policy : Policy
    earlier : pandas.DataFrame, optional
        The same table as it left before.

    Returns
    -------
    pandas.DataFrame
        Keys (or the series, where there are none), kind, unit, period, counted. Periods that were not collected have no row, nor have
        counts that were hidden from us, or sums that hold one. All sums are protected together with their parts.

    Raises
    ------
    DisclosureError
        Where counts are no whole numbers, or the earlier table has other columns.
    """
    table = history.table.merge(history.series, left_on="unique_id", right_index=True)
    hidden = table["y_low"] < table["y_high"] if "y_low" in table else pd.Series(False, index=table.index)
    table["y"] = table["y"].mask(hidden)
    keys = [k for k in history.keys if k != "segment"]
    if not history.keys:
        keys, table["series"] = ["series"], table["unique_id"]
    by = [*keys, "kind", "unit", "ds"]
    parts = table.groupby(by, dropna=False, sort=True)["y"].agg(lambda v: v.sum(skipna=False)).dropna().reset_index()
    rows: list[pd.DataFrame] = [parts]
    sums: dict[int, list[int]] = {}
    for chosen in _summed_over(parts, keys):
        of = [*chosen, "kind", "unit", "ds"]
        told = parts[~pd.MultiIndex.from_frame(parts[of]).isin(pd.MultiIndex.from_frame(table.loc[hidden, of]))]
        grouped = told.groupby(of, sort=True)["y"]
        members, start = told.index.groupby(grouped.ngroup().to_numpy()), sum(map(len, rows))
        sums |= {start + int(i): [int(m) for m in own] for i, own in members.items()}
        rows.append(grouped.sum().reset_index().assign(**{k: ALL for k in keys if k not in chosen})[[*by, "y"]])
    out = pd.concat(rows, ignore_index=True).rename(columns={"y": "counted"})
    out["period"] = out.pop("ds").dt.strftime("%Y-%m-%d")
    out = _coded(out, spec)
    order = [c for c in out.columns if c not in ("kind", "unit", "period", "counted")]
    return protect(out[[*order, "kind", "unit", "period", "counted"]], counts=["counted"], policy=policy, sums=sums, earlier=earlier)


def scores_table(scores: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Give the scores of replays as they may leave: the exact error of one forecast that is known would give the count.

    Parameters
    ----------
    scores : pandas.DataFrame
        As backtest_summary.csv.
    policy : Policy

    Returns
    -------
    pandas.DataFrame
        To three significant figures, without what rests on fewer figures than the policy hides.
    """
    out = scores[scores["n_rows"].to_numpy(dtype=float) >= policy.hide_below] if "n_rows" in scores else scores
    numbers = [c for c in ("value", "low", "high") if c in out]
    return out.assign(**{c: significant(out[c].to_numpy(dtype=float), 3) for c in numbers}).reset_index(drop=True)


def _summed_over(parts: pd.DataFrame, keys: Sequence[str]) -> list[tuple[str, ...]]:
    """Give the keys that sums keep: each choice that is not the same as one with more keys, as where a type is of one service only."""
    found = []
    for size in range(len(keys) - 1, -1, -1):
        for chosen in combinations(keys, size):
            groups = parts.groupby([*chosen, "kind", "unit"])
            if size == 0 or all(groups[k].nunique().max() > 1 for k in keys if k not in chosen):
                found.append(chosen)
    return found


def _coded(table: pd.DataFrame, spec: PublishSpec) -> pd.DataFrame:
    """Put a column of GSS codes beside each key of which some values have one."""
    out, known = table.copy(), {**WALES, **spec.codes}
    for key in [c for c in table.columns if table[c].dtype == object]:
        codes = table[key].map(lambda v: known.get(v, v if isinstance(v, str) and GSS.fullmatch(v) else ""))
        if (codes != "").any():
            out.insert(int(out.columns.get_indexer([key])[0]) + 1, f"{key}_code", codes)
    return out


def data_package(
    name: str,
    title: str,
    tables: Mapping[str, pd.DataFrame],
    files: Mapping[str, tuple[str, int]],
    spec: PublishSpec,
    about: Mapping[str, Any],
) -> dict[str, Any]:
    """Describe what is published, so that a program can read it.

    Parameters
    ----------
    name, title : str
    tables : mapping
        Path of a file -> the table in it.
    files : mapping
        Path of a file -> its SHA-256 and its length in bytes.
    spec : PublishSpec
    about : mapping
        as_of, policy, rule, fingerprint.

    Returns
    -------
    dict
        The content of datapackage.json.

    Examples
    --------
    >>> made = data_package("ta", "Homes", {"a.csv": pd.DataFrame({"kind": ["flow"]})}, {"a.csv": ("00", 9)}, PublishSpec(), {})
    >>> made["resources"][0]["hash"], made["licenses"][0]["name"]
    ('sha256:00', 'OGL-UK-3.0')
    """
    path, text = LICENCES.get(spec.licence, (spec.licence, spec.licence))
    licence = {"path": path, "title": text} | ({"name": spec.licence} if spec.licence in LICENCES else {})
    people = {"title": spec.publisher, "roles": ["publisher"]} | ({"email": spec.contact} if "@" in spec.contact else {})
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": re.sub(r"[^a-z0-9._-]+", "-", name.lower()),
        "title": title,
        "description": "Counts are rounded and small ones hidden; forecasts are estimates with a range, and their ranges do not add up.",
        "licenses": [licence],
        **({"contributors": [people]} if spec.publisher else {}),
        "disclosure": {k: about[k] for k in ("policy", "rule") if k in about},
        "run": {k: str(about[k]) for k in ("as_of", "fingerprint") if about.get(k)},
        "resources": [_resource(place, table, files[place]) for place, table in tables.items()],
    }


def _resource(place: str, table: pd.DataFrame, file: tuple[str, int]) -> dict[str, Any]:
    counted = {"expected", "low", "middle", "high", "counted"}
    fields = [
        {"name": str(c), "type": "integer" if c in counted else "date" if c == "period" else "string",
         "description": TOLD.get(str(c), f"GSS code of {str(c)[:-5]}" if str(c).endswith("_code") else f"'{ALL}': added up over all")}
        for c in table.columns
    ]  # fmt: skip
    return {
        "name": re.sub(r"[^a-z0-9._-]+", "-", place.rsplit(".", 1)[0].lower()),
        "path": place,
        "type": "table",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": file[1],
        "hash": f"sha256:{file[0]}",
        "schema": {"fields": fields, "missingValues": ["", "*", "[c]"]},
    }
