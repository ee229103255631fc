"""What `demand backtest` shows: how each model did, whether the ranges held, and which series were hard.

In: the output folder. Out: text with tables. Refuses nothing: what was not judged is not shown.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pandas as pd

from pipelines.store import Store

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["scoreboard"]

WIDTH = 118
MOST = 12
"""Levels that are shown."""
HORIZONS = {
    "all": "single periods",
    "year 1": "the next financial year",
    "year 2": "the one after",
    "year 3": "the third",
    "sum": "the whole horizon",
}


def scoreboard(store: Store) -> str:
    """Give the main figures as tables, and the record of past years in words.

    Parameters
    ----------
    store : Store
        With the results of the backtest.

    Returns
    -------
    str
    """
    from rich.console import Console

    summary = store.table("backtest_summary.csv").astype({"horizon": str})
    if summary.empty:
        return "The history is too short to look back."
    text = io.StringIO()
    page = Console(file=text, width=WIDTH, force_terminal=False)
    page.print(_models(summary, store.json("model_settings.json")["weights"]))
    ranges = _ranges(summary)
    if ranges.row_count:
        page.print(ranges)
    for sentence in store.json("track_record.json"):
        page.print(f"- {sentence}", highlight=False, markup=False)
    return text.getvalue().rstrip()


def _models(summary: pd.DataFrame, weights: dict[str, float]) -> Table:
    """Give a row a model, the forecast itself first, then by error."""
    table = _table("Single periods, by model", "model", "weight", "error (MASE)", "better than naive", "bias", "series", "dates")
    rows = summary[(summary["level"] == "series") & (summary["horizon"] == "all")]
    wide = rows.pivot_table(index="model", columns="measure", values="value").reindex(columns=["mase", "skill", "bias"])
    about = rows.groupby("model")[["n_series", "n_cutoffs"]].max()
    for model in sorted(wide.index, key=lambda m: (m != "combined", wide.loc[m, "mase"])):
        mase, skill, bias = wide.loc[model]
        weight = "the forecast" if model == "combined" else f"{weights.get(model, 0):.2f}"
        table.add_row(str(model), weight, f"{mase:.2f}", _percent(skill), _percent(bias), *(f"{n:.0f}" for n in about.loc[model]))
    return table


def _ranges(summary: pd.DataFrame) -> Table:
    """Give a row a level and horizon: how often ranges held, and how far off sums were."""
    table = _table("Ranges and sums of the forecast", "level", "of", "80 % range held", "95 % range held", "apart", "typical miss", "bias")
    rows = summary[(summary["model"] == "combined") & summary["horizon"].isin(list(HORIZONS))]
    wide = rows.pivot_table(index=["level", "horizon"], columns="measure", values="value", sort=False)
    held = rows[rows["measure"] == "coverage80"].set_index(["level", "horizon"])
    also = rows[rows["measure"] == "coverage95"].set_index(["level", "horizon"])
    for level in list(dict.fromkeys(held.index.get_level_values("level")))[:MOST]:
        for horizon, words in HORIZONS.items():
            key = (level, horizon)
            if key in held.index:
                miss, bias = (wide.loc[key, m] if m in wide else float("nan") for m in ("miss", "bias"))
                apart = f"{held.loc[key, 'n_independent']:.0f}"
                table.add_row(
                    str(level), words, _held(held.loc[key]), _held(also.loc[key]), apart, _percent(miss, sign=False), _percent(bias)
                )
    table.caption = "apart: dates whose forecasts do not overlap. With fewer than 20 of them there is no verdict."
    return table


def _table(title: str, *columns: str) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(title=title, box=SIMPLE, title_justify="left", caption_justify="left")
    for n, column in enumerate(columns):
        table.add_column(column, justify="left" if n < (2 if columns[1] == "of" else 1) else "right")
    return table


def _held(row: pd.Series) -> str:
    """Say how often a range held: in numbers alone where there are too few dates for a share."""
    return str(row["verdict"]) if " of " in str(row["verdict"]) else f"{row['value']:.0%}, {row['verdict']}"


def _percent(value: float, *, sign: bool = True) -> str:
    return "" if pd.isna(value) else f"{value:+.0%}" if sign else f"{value:.0%}"
