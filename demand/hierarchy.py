"""Which series add up to what, and their sums, draw by draw.

In: the series of a history or of draws, and what the analyst says about totals. Out: levels (who adds up to what), and the table of totals
by period and by financial year. Different kinds or units are never added. Refuses keys and series that it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import xarray as xr
from pydantic import BeforeValidator, Field

from demand.calendar import FinancialYear, Frequency, average_stock, months_over, stock_weights, year_shares
from demand.ended import with_ended
from demand.errors import DataError, Fault, did_you_mean, raise_all
from demand.spec import Spec
from demand.tables import QUANTILES, History, frequency_of, quantile_columns, series_of

__all__ = ["HierarchySpec", "Level", "TotalSpec", "declared", "levels", "totals"]

GROUP = ("kind", "unit")


class TotalSpec(Spec):
    """One series of the data that is the sum of others."""

    total: str
    """The series that is a sum: it is not forecast by itself, its parts are added."""
    parts: list[str] = Field(min_length=1)
    """The series that add up to it; a part may be a declared total itself."""


def _as_list(value: Any) -> Any:
    if isinstance(value, Mapping):
        return [value]
    if isinstance(value, list) and value and all(isinstance(v, str) for v in value):
        return [value]
    return value


HierarchySpec = Annotated[Literal["auto", "none"] | list[list[str] | TotalSpec], BeforeValidator(_as_list)]
"""What adds up: "auto" (a total, and each key by itself), "none", or a list of key paths and of {total, parts}."""


@dataclass(frozen=True)
class Level:
    """A set of sums of series.

    Parameters
    ----------
    name : str
        "total", "area", "area/service", the name of a declared total, or "series" for the lowest level itself.
    keys : tuple of str
        The key columns that tell its groups apart.
    labels : pandas.DataFrame
        A row a group: the key columns, kind, unit.
    matrix : numpy.ndarray
        Shape (groups, series): 1 where a series belongs to a group.
    parts : tuple of str
        Of a declared total: the series that it is the sum of.
    """

    name: str
    keys: tuple[str, ...]
    labels: pd.DataFrame
    matrix: np.ndarray
    parts: tuple[str, ...] = ()


def levels(series: pd.DataFrame, spec: HierarchySpec = "auto") -> list[Level]:
    """Say which sums there are.

    Parameters
    ----------
    series : pandas.DataFrame
        The lowest level, as `History.series` has it.
    spec : HierarchySpec
        "auto" gives a total and each key by itself. Whatever is said, different kinds or units are not added.

    Returns
    -------
    list of Level
        From the top down; the last is "series", the lowest level itself.

    Raises
    ------
    DataError
        Where a key is not known.

    Examples
    --------
    >>> s = pd.DataFrame({"area": ["N", "S"], "kind": "flow", "unit": "people"}, index=pd.Index(["n", "s"], name="unique_id"))
    >>> [level.name for level in levels(s)]
    ['total', 'area', 'series']
    """
    keys = [c for c in series.columns if c not in GROUP]
    faults = [
        Fault(f"'{key}' is not a key of the data", where="hierarchy", allowed=did_you_mean(key, keys))
        for path in _paths(keys, spec)
        for key in path
        if key not in keys
    ]
    raise_all(faults, DataError, during="reading the hierarchy")
    found = [_by_keys(series, path) for path in _paths(keys, spec)]
    found += [_declared_level(series, total, parts) for total, parts in _resolved(spec).items()]
    return [level for level in found if len(level.labels)] + [_alone(series)]


def declared(history: History, spec: HierarchySpec) -> dict[str, tuple[str, ...]]:
    """Give the declared totals of a history and the lowest-level series that each is the sum of.

    Raises
    ------
    DataError
        Where a total or a part is not a series, a total is part of itself, or the parts differ in kind or unit.
    """
    if isinstance(spec, str):
        return {}
    faults = []
    for total in (t for t in spec if isinstance(t, TotalSpec)):
        unknown = [i for i in (total.total, *total.parts) if i not in history.series.index]
        faults += [
            Fault(f"'{i}' is not a series", where=f"hierarchy > {total.total}", allowed=did_you_mean(i, history.ids)) for i in unknown
        ]
        if not unknown and len(history.series.loc[[total.total, *total.parts], list(GROUP)].drop_duplicates()) > 1:
            faults.append(
                Fault(f"'{total.total}' and its parts differ in kind or unit", where="hierarchy", allowed="Only like adds up to like")
            )
    raise_all(faults, DataError, during="reading the hierarchy")
    return _resolved(spec)


def totals(draws: xr.DataArray, of: Sequence[Level], *, start_month: int = 4, history: History | None = None) -> pd.DataFrame:
    """Add draws up, draw by draw: by period, and by financial year with what was counted already.

    Parameters
    ----------
    draws : xarray.DataArray
        DRAWS.
    of : sequence of Level
        From `levels`, for the series of the draws.
    start_month : int
        The month in which financial years begin.
    history : History, optional
        What was counted, for the months of the current year that are over; series that ended in the year count in it (`with_ended`).
        Without it only years that the draws cover are shown.

    Returns
    -------
    pandas.DataFrame
        level, unique_id (lowest level only), key columns, kind, unit, ds or financial_year (the other is null), statistic ("sum", or "mean"
        for the year of a stock, by `average_stock` as everywhere), months_actual (whole months that are over), mean and quantiles. A year
        that is not covered whole, or of which a count is missing, is
        not shown.
    """
    given = draws.sizes["series"]
    if history is not None:
        draws, history = with_ended(draws, history, start_month=start_month)
    if draws.sizes["series"] > given:
        of = [_over(level, series_of(draws)) for level in of]
    keys = [c for c in series_of(draws).columns if c not in GROUP]
    ds = pd.DatetimeIndex(draws["ds"].to_numpy())
    years = list(_years(ds, frequency_of(draws), start_month, history))
    actual, opening = _actual(history, draws)
    rows = []
    for level in of:
        summed = _add_up(level, draws)
        # Where a part is missing the sum is NaN; the zeros only stand in for it while the others are added up.
        counted = np.where(level.matrix @ np.isnan(actual) > 0, np.nan, level.matrix @ np.where(np.isnan(actual), 0.0, actual))
        if level.name != "series":
            rows += [_rows(level, summed[:, t]).assign(ds=day, statistic="sum") for t, day in enumerate(ds)]
        rows += [_year_rows(level, year, summed=summed, counted=counted, opening=level.matrix @ opening) for year in years]
    columns = ["level", "unique_id", *keys, *GROUP, "ds", "financial_year", "statistic", "months_actual", "mean", *quantile_columns()]
    table = pd.concat([r for r in rows if len(r)], ignore_index=True).reindex(columns=columns) if rows else pd.DataFrame(columns=columns)
    table["ds"] = pd.to_datetime(table["ds"])
    table["months_actual"] = table["months_actual"].astype("Int64")
    return table


@dataclass(frozen=True)
class _Year:
    """How a financial year is put together: weights of the periods that are over, then of those ahead."""

    label: str
    shares_past: np.ndarray
    shares_ahead: np.ndarray
    days_past: np.ndarray
    days_ahead: np.ndarray
    months_actual: int


def _years(ds: pd.DatetimeIndex, frequency: Frequency, start_month: int, history: History | None) -> Iterator[_Year]:
    """Give the financial years that history and draws together cover whole, and that have a day ahead."""
    past = pd.DatetimeIndex(history.wide.index) if history is not None else ds[:0]
    past = past[past < ds.min()]
    both, n = past.append(ds), len(past)
    table, lengths = year_shares(both, frequency, start_month), frequency.days_in(both)
    for label in table.columns:
        shares = table[label].to_numpy()
        days, year = shares * lengths, FinancialYear.parse(label, start_month)
        whole = (year.end - year.start).days + 1
        if days[n:].sum() > 0 and round(days.sum()) == whole:
            yield _Year(label, shares[:n], shares[n:], days[:n] / whole, days[n:] / whole, months_over(year, ds[0]))


def _actual(history: History | None, draws: xr.DataArray) -> tuple[np.ndarray, np.ndarray]:
    """Give what was counted, of stocks the average of each period, and the count with which the forecast opens, draw by draw."""
    first = draws.isel(ds=0).transpose("series", "draw").to_numpy().astype(np.float64)
    if history is None:
        return np.empty((len(first), 0)), first
    wide = history.wide.loc[history.wide.index < pd.Timestamp(draws["ds"].to_numpy().min())]
    counts = wide.reindex(columns=draws["series"].to_numpy())
    closing, before = counts.to_numpy().T, counts.shift(1).to_numpy().T
    stock = (series_of(draws)["kind"] == "stock").to_numpy()[:, None]
    last = closing[:, -1:] if len(wide) else np.full((len(first), 1), np.nan)
    return np.where(stock, average_stock(closing, before), closing), np.where(np.isnan(last), first, last)


def _add_up(level: Level, draws: xr.DataArray) -> np.ndarray:
    """Sum in float64, one period at a time; shape (groups, periods, draws)."""
    values = draws.transpose("series", "ds", "draw").to_numpy()
    if level.name == "series":
        return np.asarray(values.astype(np.float64))
    return np.stack([level.matrix @ values[:, t].astype(np.float64) for t in range(values.shape[1])], axis=1)


def _year_rows(level: Level, year: _Year, *, summed: np.ndarray, counted: np.ndarray, opening: np.ndarray) -> pd.DataFrame:
    """Give the rows of one year: a flow is added up, a stock is averaged over the year's days."""
    stock = (level.labels["kind"] == "stock").to_numpy()
    closing, before = stock_weights(year.days_ahead)
    values = np.where(
        stock[:, None],
        np.einsum("gtd,t->gd", summed, closing) + opening * before + _past(counted, year.days_past)[:, None],
        np.einsum("gtd,t->gd", summed, year.shares_ahead) + _past(counted, year.shares_past)[:, None],
    )
    known = np.isfinite(values).all(axis=1)
    table = _rows(level, np.where(known[:, None], values, 0.0)).assign(statistic=np.where(stock, "mean", "sum"))
    return table.assign(financial_year=year.label, months_actual=year.months_actual)[known]


def _past(counted: np.ndarray, weights: np.ndarray) -> np.ndarray:
    used = weights > 0
    return np.asarray(counted[:, used] @ weights[used])


def _rows(level: Level, values: np.ndarray) -> pd.DataFrame:
    quantiles = pd.DataFrame(np.quantile(values, QUANTILES, axis=1).T, columns=quantile_columns())
    return pd.concat([level.labels.assign(level=level.name, mean=values.mean(axis=1)), quantiles], axis=1)


def _paths(keys: Sequence[str], spec: HierarchySpec) -> list[tuple[str, ...]]:
    """Give the groupings: () is the grand total."""
    if spec == "none":
        return []
    if isinstance(spec, str):
        return list(dict.fromkeys([(), *((key,) for key in keys)]))
    paths = [path for path in spec if isinstance(path, list)]
    return list(dict.fromkeys(tuple(path[:depth]) for path in paths for depth in range(len(path) + 1)))


def _alone(series: pd.DataFrame) -> Level:
    """Give the lowest level itself."""
    keys = tuple(c for c in series.columns if c not in GROUP)
    return Level("series", keys, series.reset_index(names="unique_id"), np.eye(len(series)))


def _over(level: Level, series: pd.DataFrame) -> Level:
    """Give a level for other series than it was made for."""
    if level.name == "series":
        return _alone(series)
    return _declared_level(series, level.name, level.parts) if level.parts else _by_keys(series, level.keys)


def _by_keys(series: pd.DataFrame, path: tuple[str, ...]) -> Level:
    by = [*path, *GROUP]
    labels = series[by].drop_duplicates().sort_values(by, ignore_index=True)
    group = pd.MultiIndex.from_frame(labels).get_indexer(pd.MultiIndex.from_frame(series[by]))
    return Level("/".join(path) or "total", path, labels, (group == np.arange(len(labels))[:, None]).astype(float))


def _resolved(spec: HierarchySpec) -> dict[str, tuple[str, ...]]:
    """Give for each declared total its parts at the lowest level."""
    if isinstance(spec, str):
        return {}
    known = {t.total: t.parts for t in spec if isinstance(t, TotalSpec)}

    def lowest(name: str, above: tuple[str, ...]) -> list[str]:
        if name in above:
            raise DataError(Fault(f"'{name}' is part of itself", where="hierarchy", allowed="A total is the sum of other series"))
        return [part for p in known[name] for part in lowest(p, (*above, name))] if name in known else [name]

    return {total: tuple(dict.fromkeys(lowest(total, ()))) for total in known}


def _declared_level(series: pd.DataFrame, total: str, parts: Sequence[str]) -> Level:
    """Give a declared total as a level of one group; parts that are not among the series add nothing."""
    belongs = np.asarray(series.index.isin(parts))
    labels = series.loc[belongs, list(GROUP)].drop_duplicates().reset_index(drop=True)
    return Level(total, (), labels, belongs[None, :].astype(float)[: len(labels)], tuple(parts))
