"""What flows between rooms: HISTORY, DRAWS and their summaries, checked at every door.

In: long tables and arrays. Out: the same, sorted and checked, as `History`, or as draws in an xarray.DataArray whose series carry their key
columns. Refuses duplicate periods, unknown kinds, non-finite draws, and selectors that match nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import xarray as xr

from demand.calendar import Frequency
from demand.errors import DataError, Fault, ScenarioError, did_you_mean, listed, raise_all

__all__ = [
    "ASIDE",
    "BOUNDS",
    "KINDS",
    "QUANTILES",
    "RESERVED",
    "History",
    "content_hash",
    "draws_from_arrow",
    "draws_to_arrow",
    "make_draws",
    "match",
    "quantile_columns",
    "series_of",
    "summarise",
]

BOUNDS = ("y_low", "y_high")
"""Columns that the table of a history has where counts were hidden: the lowest and highest that each can be; y is then the middle."""
ASIDE = "aside"
"""A column that the table of a cleaned history may have: this period was counted, and an event set the count aside."""
QUANTILES = (0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975)
"""The quantiles that are stored. They are leaves: no computation reads one."""
KINDS = ("flow", "stock")
"""A flow is counted in a period; a stock is counted at its end."""
ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}( 00:00:00)?$")
"""Text that can mean one day only."""
RESERVED = frozenset(
    "unique_id ds y y_joined kind unit draw scenario level financial_year statistic months_actual mean".split()  # noqa: SIM905 - one line
)
"""Names of columns that stored tables have beside the keys."""


def quantile_columns() -> list[str]:
    """Give the names of the quantile columns: q0.025 ... q0.975."""
    return [f"q{q:g}" for q in QUANTILES]


@dataclass(frozen=True)
class History:
    """HISTORY: what was counted, by series and period.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns unique_id (str), ds (first day of the period), y (float64, NaN where the period was not collected); sorted by both,
        every period of a series present. Where counts were hidden, y is the middle of what they can be, y_low and y_high its ends.
    series : pandas.DataFrame
        One row a series, indexed by unique_id in order: the key columns, then `kind` ("flow" or "stock") and `unit`.
    frequency : Frequency

    Raises
    ------
    DataError
        Where the tables do not agree with this description.
    """

    table: pd.DataFrame
    series: pd.DataFrame
    frequency: Frequency

    def __post_init__(self) -> None:
        """Check the contract."""
        raise_all(list(self._faults()), DataError, during="checking a history")

    @classmethod
    def of(
        cls, table: pd.DataFrame, frequency: Frequency, *, keys: Sequence[str] = (), kind: str = "flow", unit: str = "people"
    ) -> History:
        """Make a history from one long table with unique_id, ds, y, key columns and, where it has them, columns kind and unit.

        Parameters
        ----------
        table : pandas.DataFrame
        frequency : Frequency
        keys : sequence of str
            The columns that say what a series is about.
        kind, unit : str
            For all series, where the table has no column of that name.

        Returns
        -------
        History

        Raises
        ------
        DataError
            Where the table breaks the contract: dates as text of any but one shape, as numbers or with a time zone, counts as words.
        """
        raise_all(_cell_faults(table), DataError, during="making a history")
        long = table.assign(unique_id=table["unique_id"].astype(str), ds=pd.DatetimeIndex(table["ds"]), y=table["y"].astype(float))
        about = long.assign(kind=table.get("kind", kind), unit=table.get("unit", unit)).groupby("unique_id", sort=True)
        series = about[[*keys, "kind", "unit"]].first().astype(str)
        rows = long[["unique_id", "ds", "y", *(b for b in BOUNDS if b in long)]].sort_values(["unique_id", "ds"], ignore_index=True)
        return cls(rows, series, frequency)

    @property
    def keys(self) -> list[str]:
        """The key columns."""
        return [c for c in self.series.columns if c not in ("kind", "unit")]

    @property
    def ids(self) -> list[str]:
        """The series, in order."""
        return [str(i) for i in self.series.index]

    @cached_property
    def last(self) -> pd.Timestamp:
        """The last period that any series has."""
        return pd.Timestamp(self.table["ds"].max())

    @cached_property
    def wide(self) -> pd.DataFrame:
        """The counts with a row a period (all of them, first to last) and a column a series; NaN where a series has no count."""
        index = self.frequency.between(self.table["ds"].min(), self.last)
        return self.table.pivot(index="ds", columns="unique_id", values="y").reindex(index=index, columns=self.ids)

    def until(self, cutoff: pd.Timestamp) -> History:
        """Give what was known when `cutoff` was the last period; series that had not begun are left out."""
        table = self.table[self.table["ds"] <= cutoff].reset_index(drop=True)
        return History(table, self.series.loc[self.series.index.isin(table["unique_id"].unique())], self.frequency)

    def only(self, ids: Iterable[str]) -> History:
        """Give the history of some series."""
        wanted = set(ids)
        table = self.table[self.table["unique_id"].isin(wanted)].reset_index(drop=True)
        return History(table, self.series.loc[self.series.index.isin(wanted)], self.frequency)

    @property
    def fingerprint(self) -> str:
        """A hash of the content."""
        return content_hash(self.table, self.series.reset_index(), self.frequency.code, self.frequency.year_end_month)

    def _faults(self) -> Iterable[Fault]:
        missing = {"unique_id", "ds", "y"} - set(self.table.columns)
        if missing or self.table.empty:
            told = f"the history lacks {listed(sorted(missing))}" if missing else "the history has no rows"
            yield Fault(told, allowed="unique_id, ds, y")
            return
        unknown = set(self.table["unique_id"]) ^ set(self.series.index)
        if unknown:
            yield Fault(f"series {listed(sorted(unknown))} stand in one of the two tables of a history only")
        doubled = self.table.duplicated(["unique_id", "ds"])
        if doubled.any():
            yield Fault(f"{int(doubled.sum())} periods are there twice", where=listed(self.table.loc[doubled, "unique_id"].unique()))
        days = pd.DatetimeIndex(self.table["ds"].unique())
        off = pd.DatetimeIndex(self.table["ds"]).isin(days[days != self.frequency.start_of(days)])
        if off.any():
            yield Fault(f"{int(off.sum())} dates are not the first day of a period of frequency {self.frequency.code}")
        bad = sorted(set(self.series["kind"]) - set(KINDS))
        if bad:
            yield Fault(f"kind {listed(bad)}", allowed="A series is a 'flow' (counted in the period) or a 'stock' (counted at its end)")
        counts = self.table["y"].to_numpy()
        if (counts > 1e15).any():  # beyond, a float does not hold whole numbers, and squares overflow
            yield Fault("a count is infinite or above 1e15", allowed="A finite number; nothing (NaN) where a period was not counted")
        if (counts < 0).any():
            names = self.table.loc[counts < 0, "unique_id"].unique()
            yield Fault(f"{int((counts < 0).sum())} counts are negative", where=listed(names), allowed="A count is 0 or more")
        taken = [k for k in self.keys if k in RESERVED]
        if taken:
            yield Fault(f"key columns {listed(taken)} have names that the package needs", do_next="Rename them in the file")


def _cell_faults(table: pd.DataFrame) -> list[Fault]:
    """Name what would turn into another date or another number without a word: 01/02/2024 read as 2 January, 45292 as a second of 1970."""
    if not {"unique_id", "ds", "y"} <= set(table.columns) or table.empty:
        missing = sorted({"unique_id", "ds", "y"} - set(table.columns))
        told = f"the history lacks {listed(missing)}" if missing else "the history has no rows"
        return [Fault(told, allowed="unique_id, ds, y: a row a series and period")]
    faults, ds, mend = [], table["ds"], "Read the file with demand.read_history, or make the dates with pandas.to_datetime and its 'format'"
    if table["unique_id"].isna().any():
        faults.append(Fault(f"{int(table['unique_id'].isna().sum())} rows do not say their series", where="unique_id"))
    if ds.isna().any():
        faults.append(Fault(f"{int(ds.isna().sum())} rows have no date", where="ds", allowed="The first day of the period in every row"))
    if isinstance(ds.dtype, pd.DatetimeTZDtype):
        faults.append(Fault(f"dates with a time zone ({ds.dtype.tz})", where="ds", allowed="Days without a time zone",
                            do_next="Say in which zone a day begins: ds.dt.tz_convert('Europe/London').dt.tz_localize(None)"))  # fmt: skip
    elif not pd.api.types.is_datetime64_any_dtype(ds):
        odd = [v for v in ds.dropna().unique() if not (hasattr(v, "isoformat") or (isinstance(v, str) and ISO_DAY.match(v)))]
        if odd:
            faults.append(Fault(f"dates that could mean several days: {listed(odd, most=3)}", where="ds",
                                allowed="Dates, or text such as 2024-01-31", do_next=mend))  # fmt: skip
    words = pd.to_numeric(table["y"], errors="coerce").isna() & table["y"].notna()
    if words.any():
        faults.append(Fault(f"{listed(table.loc[words, 'y'].unique(), most=3)} instead of a count", where="y", allowed="A number, or NaN"))
    return faults


def match(series: pd.DataFrame, where: Mapping[str, Sequence[str]], *, at: str) -> np.ndarray:
    """Say which series a selector means.

    Parameters
    ----------
    series : pandas.DataFrame
        One row a series, indexed by unique_id, with key columns.
    where : mapping of column to values
        All columns must match; any of a column's values will do; `unique_id` may be named too. Empty means all.
    at : str
        The place in the config, for the message.

    Returns
    -------
    numpy.ndarray
        bool, shape (series,).

    Raises
    ------
    ScenarioError
        Where a column or a value is not known, or nothing matches.
    """
    table = series.reset_index(names="unique_id")
    found, faults = np.ones(len(table), dtype=bool), []
    for column, values in where.items():
        if column not in table.columns:
            keys = [c for c in table.columns if c not in ("kind", "unit")]
            faults.append(Fault(f"'{column}' is not a key of the data", where=f"{at}.{column}", allowed=did_you_mean(column, keys)))
            continue
        known = sorted(table[column].astype(str).unique())
        wrong = [v for v in values if v not in known]
        faults += [Fault(f"'{v}' matches no series", where=f"{at}.{column}", allowed=did_you_mean(v, known)) for v in wrong]
        found &= table[column].astype(str).isin(list(values)).to_numpy()
    if not faults and not found.any():
        faults.append(
            Fault(f"nothing matches {dict(where)} taken together", where=at, do_next="Each part is known, but no series has all of them")
        )
    raise_all(faults, ScenarioError, during="looking for the series that are meant")
    return found


def make_draws(
    values: np.ndarray,
    series: pd.DataFrame,
    ds: pd.DatetimeIndex,
    *,
    frequency: Frequency,
    cutoff: pd.Timestamp,
    seed: int,
    fingerprint: str,
) -> xr.DataArray:
    """Make DRAWS: one draw is one joint future of every series.

    Parameters
    ----------
    values : numpy.ndarray
        Shape (series, periods, draws); people, households or whatever the series count. Stored as float32.
    series : pandas.DataFrame
        As in `History.series`, in the order of the first axis.
    ds : pandas.DatetimeIndex
        First days of the periods.
    frequency : Frequency
    cutoff : pandas.Timestamp
        First day of the last period that was known.
    seed : int
    fingerprint : str
        Of what the draws were made from.

    Returns
    -------
    xarray.DataArray
        dims (series, ds, draw); the key columns, kind and unit are coordinates of `series`.

    Raises
    ------
    DataError
        Where a draw is not finite or is negative.
    """
    if not np.isfinite(values).all() or (values < 0).any():
        raise DataError(
            Fault("possible futures that are negative or not finite", do_next="This is a fault of the package: please report it")
        )
    about = {name: ("series", column.to_numpy(dtype=object)) for name, column in series.items()}
    attrs = {"frequency": frequency.code, "year_end_month": frequency.year_end_month, "cutoff": str(cutoff.date()), "seed": seed,
             "fingerprint": fingerprint}  # fmt: skip
    coords = {"series": np.asarray(series.index, dtype=object), "ds": ds, "draw": np.arange(values.shape[2]), **about}
    return xr.DataArray(values.astype(np.float32, copy=False), dims=("series", "ds", "draw"), coords=coords, attrs=attrs, name="y")


def frequency_of(draws: xr.DataArray) -> Frequency:
    """Give the frequency that draws were made with."""
    return Frequency(str(draws.attrs["frequency"]), int(draws.attrs["year_end_month"]))


def series_of(draws: xr.DataArray) -> pd.DataFrame:
    """Give the series of draws as `History.series` has them: indexed by unique_id, key columns, kind, unit."""
    about = {str(n): c.to_numpy() for n, c in draws.coords.items() if c.dims == ("series",) and n != "series"}
    return pd.DataFrame(about, index=pd.Index(draws["series"].to_numpy(), name="unique_id"))


def summarise(draws: xr.DataArray) -> pd.DataFrame:
    """Give mean and quantiles over the draws.

    Parameters
    ----------
    draws : xarray.DataArray
        With a dim `draw`; every other dim becomes a column (`series` becomes unique_id), in its order.

    Returns
    -------
    pandas.DataFrame
        The other dims, `mean` (float64) and the quantile columns. Where there is a `ds`, `period_end` is the last column.
    """
    others = [str(d) for d in draws.dims if d != "draw"]
    values = draws.transpose(*others, "draw").to_numpy().reshape(-1, draws.sizes["draw"]).astype(np.float64)
    index = pd.MultiIndex.from_product([draws[d].to_numpy() for d in others], names=["unique_id" if d == "series" else d for d in others])
    table = index.to_frame(index=False)
    table["mean"] = values.mean(axis=1)
    table[quantile_columns()] = np.quantile(values, QUANTILES, axis=1).T
    if "ds" in others:
        table["period_end"] = frequency_of(draws).end_of(pd.DatetimeIndex(table["ds"]))
    return table


def draws_to_arrow(draws: xr.DataArray) -> pa.Table:
    """Give draws as the table that is stored: unique_id, ds, draw, y; sorted, dictionary-coded, with all else in its metadata."""
    ordered = draws.sortby("series")
    n, periods, count = ordered.shape
    ids = pa.array(ordered["series"].to_numpy().astype(str))
    codes = pa.array(np.repeat(np.arange(n, dtype=np.int32), periods * count))
    table = pa.table(
        {
            "unique_id": pa.DictionaryArray.from_arrays(codes, ids),
            "ds": pa.array(np.tile(np.repeat(ordered["ds"].to_numpy().astype("datetime64[ms]"), count), n)),
            "draw": pa.array(np.tile(np.arange(count, dtype=np.int32), n * periods)),
            "y": pa.array(ordered.to_numpy().reshape(-1)),
        }
    )
    about = {"attrs": dict(draws.attrs), "series": series_of(ordered).reset_index().to_dict("list")}
    return table.replace_schema_metadata({**(table.schema.metadata or {}), b"demand": json.dumps(about).encode()})


def draws_from_arrow(table: pa.Table) -> xr.DataArray:
    """Give draws back from the stored table.

    Raises
    ------
    DataError
        Where the table was not written by `draws_to_arrow`.
    """
    raw = (table.schema.metadata or {}).get(b"demand")
    if raw is None:
        raise DataError(
            Fault("a table of possible futures without its metadata", do_next="Use the draws.parquet that `demand forecast` wrote")
        )
    about: dict[str, Any] = json.loads(raw)
    series = pd.DataFrame(about["series"]).set_index("unique_id")
    ds = pd.DatetimeIndex(table["ds"].unique().to_numpy()).sort_values().as_unit("ns")
    values = table["y"].to_numpy().reshape(len(series), len(ds), -1)
    attrs = about["attrs"]
    frequency = Frequency(attrs["frequency"], attrs["year_end_month"])
    cutoff, seed, mark = pd.Timestamp(attrs["cutoff"]), attrs["seed"], attrs["fingerprint"]
    return make_draws(values, series, ds, frequency=frequency, cutoff=cutoff, seed=seed, fingerprint=mark).assign_attrs(attrs)


def content_hash(*parts: pd.DataFrame | np.ndarray | str | float | None) -> str:
    """Give sixteen hexadecimal digits that stand for the content of tables, arrays and words.

    Parameters
    ----------
    *parts
        Tables are hashed with their column names, by row.

    Returns
    -------
    str
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, pd.DataFrame):
            digest.update(repr(list(part.columns)).encode())
            digest.update(pd.util.hash_pandas_object(part, index=False).to_numpy().tobytes())
        elif isinstance(part, np.ndarray):
            digest.update(np.ascontiguousarray(part).tobytes())
        else:
            digest.update(repr(part).encode())
        digest.update(b"\x1e")
    return digest.hexdigest()[:16]
