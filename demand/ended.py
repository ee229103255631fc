"""Series that ended in the current financial year: nobody more comes, and who came before still counts in the year.

In: draws that name them (`attrs["ended"]`, as `demand.forecast` writes it) and the history. Out: both with a row for each, zero after its
last count. Declared totals are not among them: they would be counted twice. Refuses nothing.
"""

from __future__ import annotations

import pandas as pd
import xarray as xr

from demand.calendar import FinancialYear
from demand.tables import History, frequency_of, series_of

__all__ = ["named_ended", "with_ended"]


def named_ended(not_forecast: pd.DataFrame) -> dict[str, list[str]]:
    """Give the attribute of draws that names the series that ended.

    Parameters
    ----------
    not_forecast : pandas.DataFrame
        unique_id, last, reason, as `demand.forecast` says why it left a series out.

    Returns
    -------
    dict
        Empty where none ended.
    """
    ended = not_forecast.loc[not_forecast["reason"].astype(str).str.startswith("ended"), "unique_id"]
    return {"ended": [str(i) for i in ended]} if len(ended) else {}


def with_ended(draws: xr.DataArray, history: History, *, start_month: int = 4) -> tuple[xr.DataArray, History]:
    """Give draws and history with the series that ended in the year in which the draws begin.

    Parameters
    ----------
    draws : xarray.DataArray
        DRAWS or DEMAND.
    history : History
        What was counted before.
    start_month : int
        The month in which financial years begin.

    Returns
    -------
    draws : xarray.DataArray
        With a row of zeros for each of them, after all others.
    history : History
        With zeros before their first count of all and after their last; a gap between counts stays one.
    """
    there, frequency = set(draws["series"].to_numpy()), frequency_of(draws)
    wide, year = history.wide, FinancialYear.of(pd.Timestamp(draws["ds"].to_numpy()[0]), start_month)
    counted = wide.loc[frequency.end_of(pd.DatetimeIndex(wide.index)) >= year.start].notna().any()
    ended = [i for i in draws.attrs.get("ended", []) if i not in there and bool(counted.get(i, False))]
    if not ended:
        return draws, history
    about = pd.concat([series_of(draws), history.series.loc[ended]])
    grown = draws.reindex(series=about.index.to_numpy(dtype=object), fill_value=0.0)
    grown = grown.assign_coords({c: ("series", about[c].to_numpy(dtype=object)) for c in about.columns}).assign_attrs(draws.attrs)
    part = wide[ended]
    part = part.mask(part.ffill().isna() | part.bfill().isna(), 0.0)
    rows = part.rename_axis(index="ds", columns="unique_id").stack(future_stack=True).rename("y").reset_index()
    others = history.table[~history.table["unique_id"].isin(ended)]
    table = pd.concat([others, rows[["unique_id", "ds", "y"]]]).sort_values(["unique_id", "ds"], ignore_index=True)
    return grown, History(table, history.series, history.frequency)
