"""How good an extract is, by field and area, in figures that can be followed from run to run.

In: PEOPLE with the rows that they came from, and what the gates found. Out: scores from 0 to 1 of completeness, accuracy, duplication and
timeliness (the dimensions of the Government Data Quality Framework that an extract alone can show). Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from demand.data.people import BLANK_KEY
from demand.data.quality import Finding

__all__ = ["SCORES", "quality_scores", "with_trend"]

SCORES = ["table", "field", "area", "measure", "score", "rows"]
AREA_WORDS = ("area", "ward", "locality", "place", "lsoa", "patch", "cluster", "district")
DOUBLED = frozenset({"duplicate_episode", "doubled_reference"})
EPISODE = "episode"
"""The field of what concerns whole rows."""
LEAST = 5.0
"""Months with fewer openings than this say nothing about how late they are."""


def quality_scores(
    people: pd.DataFrame, rows: np.ndarray, findings: Iterable[Finding], *, keys: Sequence[str], names: Mapping[str, str]
) -> pd.DataFrame:
    """Score an extract of people.

    Parameters
    ----------
    people : pandas.DataFrame
        All rows that could be read, also those that are left out afterwards.
    rows : numpy.ndarray
        Their row numbers.
    findings : iterable of Finding
    keys : sequence of str
        The key columns; the one that is called like an area gives the areas.
    names : mapping of str to str
        Column of PEOPLE -> its name in the file.

    Returns
    -------
    pandas.DataFrame
        `SCORES`: completeness is the share of cells that say something, accuracy of rows of which no gate says anything against the field,
        duplication of rows that are told once; timeliness is the last whole month's openings beside the median of the twelve before, at
        most 1: months that arrive late have a low one. Area "all" is the whole table.
    """
    area = next((k for k in keys if any(w in k.casefold() for w in AREA_WORDS)), None)
    areas = people[area].astype(str) if area else pd.Series("all", index=people.index)
    told = [f for f in findings if f.severity != "note" and f.rows]
    masks: dict[tuple[str, str], np.ndarray] = {}
    for field in (c for c in people.columns if c != "closed"):
        masks["completeness", names.get(field, field)] = ~(people[field].isna() | (people[field] == BLANK_KEY)).to_numpy()
    fields = dict.fromkeys([*(names.get(c, c) for c in people.columns), EPISODE])
    for field in fields:
        bad = [r for f in told if f.rule not in DOUBLED and (_field(f) == field) for r in f.rows]
        masks["accuracy", field] = ~pd.Index(rows).isin(bad)
    masks["duplication", EPISODE] = ~pd.Index(rows).isin([r for f in told if f.rule in DOUBLED for r in f.rows])
    scored = []
    for (measure, field), mask in masks.items():
        by = pd.Series(mask, index=people.index).groupby(areas).mean()
        scored += [(field, name, measure, value) for name, value in ({"all": mask.mean()} | (by.to_dict() if area else {})).items()]
    if "opened" in people:
        scored += [(EPISODE, name, "timeliness", value) for name, value in _timeliness(people["opened"], areas if area else None)]
    sizes = areas.value_counts().to_dict() | {"all": len(people)}
    table = [("people", field, name, measure, round(float(value), 4), sizes[name]) for field, name, measure, value in scored]
    return pd.DataFrame(table, columns=SCORES)


def with_trend(now: pd.DataFrame, before: pd.DataFrame | None, *, run: str, data: str) -> pd.DataFrame:
    """Put the scores of this run below those of earlier ones.

    Parameters
    ----------
    now : pandas.DataFrame
        `SCORES`.
    before : pandas.DataFrame or None
        What this function gave for the run before.
    run : str
        When this run began.
    data : str
        What the data of this run is known by: scores of the same data are written once.

    Returns
    -------
    pandas.DataFrame
        run, data, `SCORES` and change: the score less that of the run before, where there was one.
    """
    columns = ["run", "data", *SCORES, "change"]
    kept = None if before is None or list(before.columns) != columns else before[before["data"] != data]
    fresh = now.assign(run=run, data=data, change=np.nan)
    if kept is None or kept.empty:
        return fresh[columns]
    by = ["table", "field", "area", "measure"]
    last = kept.drop_duplicates(by, keep="last").astype(dict.fromkeys(by, str)).set_index(by)["score"]
    fresh["change"] = (fresh["score"] - last.reindex(pd.MultiIndex.from_frame(fresh[by])).to_numpy()).round(4)
    return pd.concat([kept, fresh[columns]], ignore_index=True)


def _field(finding: Finding) -> str:
    return finding.where.rpartition(" > ")[2] if " > " in finding.where else EPISODE


def _timeliness(opened: pd.Series, areas: pd.Series | None) -> list[tuple[str, float]]:
    """Compare the openings of the last whole month with those of the months before."""
    days = opened.dropna()
    if days.empty:
        return []
    last = days.max()
    month = days.dt.to_period("M")
    whole = last.to_period("M") if last.day >= last.days_in_month - 3 else last.to_period("M") - 1
    months = pd.period_range(whole - 12, whole, freq="M")
    found = []
    for name, inside in ({"all": month} | ({} if areas is None else {str(n): m for n, m in month.groupby(areas.loc[month.index])})).items():
        counted = inside.value_counts().reindex(months).to_numpy(dtype=float)
        counted = np.where(np.isnan(counted), 0.0, counted)
        usual = float(np.median(counted[:-1]))
        if usual >= LEAST:
            found.append((name, min(1.0, counted[-1] / usual)))
    return found
