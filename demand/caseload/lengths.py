"""Lengths of stay for people to read: Kaplan-Meier by type, what goes with longer stays, and how stays end.

In: SPELLS as known on a day. Out: tables. Refuses columns that are not there. The run-off uses the same facts in another form (see
`demand.caseload.stays`); these are the standard estimates, so that somebody else can check them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from demand.caseload.spells import OUTSIDE
from demand.caseload.stays import labels_of, seen_since
from demand.errors import DataError, Fault, did_you_mean, raise_all

__all__ = ["how_stays_end", "lengths_of_stay", "what_goes_with_length"]

FEWEST = 20
"""Ends below which nothing is said of a group."""


def lengths_of_stay(spells: pd.DataFrame, day: pd.Timestamp, *, by: str = "type", since: pd.Timestamp | None = None) -> pd.DataFrame:
    """Say how long people stay, with those who are still there: half have left after so many days.

    Parameters
    ----------
    spells : pandas.DataFrame
        SPELLS as known on the day.
    day : pandas.Timestamp
    by : str
        The column whose values are told apart.
    since : pandas.Timestamp, optional
        The day from which records are whole: of what lies before it nothing is told.

    Returns
    -------
    pandas.DataFrame
        group, spells, ends, days_quarter, days_half, days_three_quarters (days after which a quarter, half and three quarters have left;
        NaN where fewer had), half_low, half_high (95 %).

    Raises
    ------
    DataError
        Where there is no such column.

    References
    ----------
    Kaplan, E. L. and Meier, P. (1958), JASA 53(282), with late entry for stays that began before ends were recorded.
    """
    from lifelines import KaplanMeierFitter

    _check(spells, [by])
    rows = []
    observed = _observed(spells, day, since)
    for group, part in observed.groupby(labels_of(spells, by).reindex(observed.index)):
        if part["ended"].sum() < FEWEST:
            continue
        fitted = KaplanMeierFitter().fit(part["days"], part["ended"], entry=part["entry"])
        left = [_first_below(fitted.survival_function_.iloc[:, 0], share) for share in (0.75, 0.5, 0.25)]
        bounds = [_first_below(fitted.confidence_interval_.iloc[:, k], 0.5) for k in (0, 1)]
        rows.append((group, len(part), int(part["ended"].sum()), *left, *bounds))
    columns = ["group", "spells", "ends", "days_quarter", "days_half", "days_three_quarters", "half_low", "half_high"]
    return pd.DataFrame(rows, columns=columns)


def what_goes_with_length(
    spells: pd.DataFrame,
    day: pd.Timestamp,
    *,
    columns: Sequence[str] = ("age", "segment"),
    kind: str = "type",
    since: pd.Timestamp | None = None,
) -> pd.DataFrame:
    """Say what goes with stays that end sooner or later, all else equal.

    Parameters
    ----------
    spells : pandas.DataFrame
    day : pandas.Timestamp
    columns : sequence of str
        Numbers (per ten units) or words (each value beside the commonest one).
    kind : str
        The type of place: each has a course of its own (strata).
    since : pandas.Timestamp, optional
        The day from which records are whole.

    Returns
    -------
    pandas.DataFrame
        feature, ratio (of the daily chance of an end; above 1: shorter stays), low, high (95 %), p.

    Raises
    ------
    DataError
        Where there is no such column, or fewer than twenty ends.

    References
    ----------
    Cox, D. R. (1972), Journal of the Royal Statistical Society B 34(2). It says what goes with what, not why.
    """
    from lifelines import CoxPHFitter

    _check(spells, [*columns, kind])
    observed = _observed(spells, day, since)
    if int(observed["ended"].sum()) < FEWEST:
        raise DataError(Fault(f"{int(observed['ended'].sum())} stays have ended", allowed=f"{FEWEST} or more"))
    parts = [_coded(spells.loc[observed.index, c]) for c in columns]
    table = pd.concat([observed, spells.loc[observed.index, kind].astype(str), *parts], axis=1).dropna()
    varied = [c for p in parts for c in p if table[c].nunique() > 1]
    table = table[[*observed.columns, kind, *varied]]
    fitted = CoxPHFitter(penalizer=0.001).fit(table, "days", "ended", entry_col="entry", strata=[kind])
    told = fitted.summary.reset_index()
    bounds = np.exp(told[["coef lower 95%", "coef upper 95%"]].to_numpy())
    return pd.DataFrame({
        "feature": told["covariate"], "ratio": told["exp(coef)"], "low": bounds[:, 0], "high": bounds[:, 1], "p": told["p"]
    })  # fmt: skip


def how_stays_end(
    spells: pd.DataFrame,
    day: pd.Timestamp,
    *,
    after: Sequence[int] = (28, 91, 182, 365, 730),
    kind: str = "type",
    since: pd.Timestamp | None = None,
) -> pd.DataFrame:
    """Say what share has left, and what share has moved to which type, after so many days.

    Parameters
    ----------
    spells : pandas.DataFrame
    day : pandas.Timestamp
    after : sequence of int
        Days.
    kind : str
    since : pandas.Timestamp, optional
        The day from which records are whole.

    Returns
    -------
    pandas.DataFrame
        type, ends_in ("left", or the type moved to), days, share.

    Raises
    ------
    DataError
        Where there is no such column.

    References
    ----------
    Aalen, O. and Johansen, S. (1978), Scandinavian Journal of Statistics 5(3): the share that ends in one way, where other ways compete.
    """
    _check(spells, [kind])
    whither = spells["goes"].map(spells.drop_duplicates("unique_id").set_index("unique_id")[kind]).where(spells["goes"] != OUTSIDE, "left")
    observed = _observed(spells, day, since)
    rows = []
    for name, part in observed.groupby(spells.loc[observed.index, kind].astype(str)):
        times, way = part["days"].to_numpy(), whither.reindex(part.index)
        order = np.unique(times[part["ended"].to_numpy()])
        risk = (part["entry"].to_numpy()[None, :] < order[:, None]) & (times[None, :] >= order[:, None])
        ending = (times[None, :] == order[:, None]) & part["ended"].to_numpy()[None, :]
        at_risk = np.maximum(risk.sum(axis=1), 1)
        there = np.r_[1.0, np.cumprod(1 - ending.sum(axis=1) / at_risk)[:-1]]
        for end in sorted(way[part["ended"]].astype(str).unique()):
            share = np.cumsum(there * ending[:, (way == end).to_numpy()].sum(axis=1) / at_risk)
            rows += [(name, end, d, float(share[order <= d][-1]) if (order <= d).any() else 0.0) for d in after]
    return pd.DataFrame(rows, columns=["type", "ends_in", "days", "share"])


def _first_below(there: pd.Series, share: float) -> float:
    """Give the first day on which no more than a share are still there."""
    days = there.index[there.to_numpy() <= share]
    return float(days[0]) if len(days) else np.nan


def _check(spells: pd.DataFrame, columns: Sequence[str]) -> None:
    known = [str(c) for c in spells.columns]
    raise_all(
        [Fault(f"spells have no column '{c}'", allowed=did_you_mean(c, known)) for c in columns if c not in known],
        DataError,
        during="looking at lengths of stay",
    )


def _observed(spells: pd.DataFrame, day: pd.Timestamp, since: pd.Timestamp | None) -> pd.DataFrame:
    """Give days, ended, and entry: the days served when ends began to be recorded."""
    last = spells["closed"].fillna(day + pd.Timedelta(days=1))
    days = (last - spells["opened"]).dt.days.astype(float)
    begin = max(seen_since(spells), since or pd.Timestamp.min)
    entry = (begin - pd.Timedelta(days=1) - spells["opened"]).dt.days.clip(lower=0).astype(float)
    table = pd.DataFrame({"days": days, "ended": spells["closed"].notna(), "entry": entry})
    return table[table["days"] > table["entry"]]


def _coded(column: pd.Series) -> pd.DataFrame:
    """Give a number per ten units, or a column for each value but the commonest."""
    if pd.api.types.is_numeric_dtype(column):
        return pd.DataFrame({f"{column.name}, ten more": column.astype(float) / 10})
    words = column.astype(object).where(column.notna(), "(not given)").astype(str)
    first = words.mode().iloc[0]
    return pd.DataFrame({f"{column.name} {v} (beside {first})": (words == v).astype(float) for v in sorted(words.unique()) if v != first})
