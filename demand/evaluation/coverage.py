"""Whether ranges held: how often what came lay inside, with the interval that so few dates allow, and where in the range it lay.

In: sums with their ranges, at each date. Out: a table of coverage and of the histogram of positions, by level and span, from calibrated
dates alone. Fewer than twenty dates that do not overlap give "k of n", or "k of n figures at d dates",
and no verdict. Refuses nothing.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from demand.calibration import VERDICT, blocks, share
from demand.evaluation.sums import pooled, resting_on

__all__ = ["coverage", "deciles"]

RANGES = {"coverage80": ("q0.1", "q0.9", 0.8), "coverage95": ("q0.025", "q0.975", 0.95)}


def coverage(found: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Give the share of figures inside their ranges, and the deciles in which they lay.

    Parameters
    ----------
    found : pandas.DataFrame
        From `sums`.
    seed : int

    Returns
    -------
    pandas.DataFrame
        level, horizon, measure (coverage80, coverage95, pit1 ... pit10: the share of figures in each tenth of what was forecast, 0.1 each
        where ranges are true), value, n_cutoffs, n_series, n_rows, n_independent (cutoffs whose spans do not overlap), low and high (95 %
        by resampling whole blocks of such cutoffs), verdict ("k of n", with several figures a cutoff "k of n figures at d dates"; or
        "holds", "too narrow", "too wide").
    """
    used, rows = pooled(found[found["calibrated"].astype(bool)]), []
    about = resting_on(used).to_dict("index")
    for key, part in used.groupby(["level", "horizon"], sort=False):
        level, horizon = (str(k) for k in key)
        measures = _measures(part, seed=seed, histogram=not horizon.isdigit())
        rows += [{"level": level, "horizon": horizon, **about[key], **one} for one in measures]
    columns = ["level", "horizon", "measure", "value", "n_cutoffs", "n_series", "n_rows", "n_independent", "low", "high", "verdict"]
    return pd.DataFrame(rows, columns=columns)


def _measures(part: pd.DataFrame, *, seed: int, histogram: bool) -> list[dict[str, object]]:
    block = blocks(part["place"].to_numpy(), int(part["step"].max()))
    count, dates, found = int(block.max()) + 1, part["cutoff"].nunique(), []
    for name, (low, high, nominal) in RANGES.items():
        inside = part["y"].between(part[low], part[high]).to_numpy().astype(float)
        value, least, most = share(inside, block, seed=seed)
        said = f"{int(inside.sum())} of {len(inside)}" + (f" figures at {_dates(dates)}" if len(inside) > dates else "")
        if count >= VERDICT:
            said = "too narrow" if most < nominal else "too wide" if least > nominal else "holds"
        found.append({"measure": name, "value": value, "n_independent": count, "low": least, "high": most, "verdict": said})
    if histogram:
        for n, mass in enumerate(deciles(part["below"].to_numpy(), part["upto"].to_numpy()).T):
            value, least, most = share(mass, block, seed=seed)
            found.append({"measure": f"pit{n + 1}", "value": value, "n_independent": count, "low": least, "high": most, "verdict": ""})
    return found


def _dates(count: int) -> str:
    return "1 date" if count == 1 else f"{count} dates"


def deciles(below: np.ndarray, upto: np.ndarray) -> np.ndarray:
    """Say in which tenths of what was forecast each figure lay.

    Parameters
    ----------
    below, upto : numpy.ndarray
        Shape (rows,): the shares of the draws below what came, and not above it. They differ for counts.

    Returns
    -------
    numpy.ndarray
        Shape (rows, 10): shares that add up to 1 along each row; a count that many draws hit is spread over the tenths between the two.

    References
    ----------
    Czado, C., Gneiting, T. and Held, L. (2009). Predictive model assessment for count data. Biometrics 65(4).
    """
    edges = np.linspace(0, 1, 11)
    width = (upto - below)[:, None]
    spread = np.clip((edges[None, :] - below[:, None]) / np.where(width > 0, width, 1.0), 0.0, 1.0)
    place = np.minimum((below * 10).astype(int), 9)
    return np.asarray(np.where(width > 0, np.diff(spread, axis=1), np.eye(10)[place]))
