"""A map of two levers: each square says what comes of one combination of values.

In: rows of a sweep. Out: a `Figure` with its table. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from demand.languages import say
from demand.report.canvas import INK, drawn
from demand.report.parts import Figure, table_of
from demand.report.words import capital, count, pounds, pounds_short

__all__ = ["heat"]


def heat(rows: pd.DataFrame, *, title: str, levers: tuple[str, str], money: bool) -> Figure:
    """Show the difference from no change at every combination of two levers.

    Parameters
    ----------
    rows : pandas.DataFrame
        value_1, value_2, difference, difference_low, difference_high: a row a combination.
    title : str
    levers : (str, str)
        What the two are called: down, across.
    money : bool

    Returns
    -------
    Figure
    """
    write, short = (pounds, pounds_short) if money else (count, count)
    wide = rows.pivot_table(index="value_1", columns="value_2", values="difference")

    def draw(canvas: Any) -> None:
        axes, values = canvas.subplots(), wide.to_numpy(dtype=float)
        most = float(np.nanmax(np.abs(values))) or 1.0
        mesh = axes.pcolormesh(values, cmap="PuOr", vmin=-most, vmax=most, edgecolors="white", linewidth=2)
        mesh.update_scalarmappable()
        grounds = np.reshape(mesh.get_facecolors(), (*values.shape, 4))
        for (i, j), value in np.ndenumerate(values):
            told = "" if np.isnan(value) else ("+" if value > 0 else "") + short(value)
            axes.text(j + 0.5, i + 0.5, told, ha="center", va="center", fontsize=9.5, color=_ink(grounds[i, j]))
        axes.set_xticks(np.arange(wide.shape[1]) + 0.5, [f"{v:g}" for v in wide.columns])
        axes.set_yticks(np.arange(wide.shape[0]) + 0.5, [f"{v:g}" for v in wide.index])
        axes.set_xlabel(levers[1])
        axes.set_ylabel(levers[0])
        axes.grid(False)

    least, most = rows.loc[rows["difference"].idxmin()], rows.loc[rows["difference"].idxmax()]
    found = [
        say(
            "{change} at {down} {first} and {across} {second}",
            change=("+" if row["difference"] > 0 else "") + write(row["difference"]),
            down=levers[0],
            first=f"{row['value_1']:g}",
            across=levers[1],
            second=f"{row['value_2']:g}",
        )
        for row in (least, most)
    ]
    said = say("least {least} and most {most}", least=found[0], most=found[1])
    names = {
        "value_1": capital(levers[0]),
        "value_2": capital(levers[1]),
        "difference": "Against no change",
        "difference_low": "Low",
        "difference_high": "High",
    }
    how = "exact" if money else "count"
    formats: dict[str, str | Callable[[float], str]] = {
        **dict.fromkeys(("value_1", "value_2"), lambda v: f"{v:g}"),
        **dict.fromkeys(list(names)[2:], how),
    }
    behind = table_of(rows, title, names=names, formats=formats, note=say("Low to high: 4 years in 5."))
    size = (5.8, max(2.0, 0.5 * len(wide) + 1.0))
    return Figure(partial(drawn, draw, size=size), say("Map of {what}: {said}.", what=title, said=said), behind, capital(title))


def _ink(ground: np.ndarray) -> str:
    """Give the letters that stand out more: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio, of white and of black."""
    red, green, blue = np.where(ground[:3] <= 0.04045, ground[:3] / 12.92, ((ground[:3] + 0.055) / 1.055) ** 2.4)
    bright = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "white" if 1.05 / (bright + 0.05) > (bright + 0.05) / 0.05 else INK
