"""The council beside others of its kind: rates, and how far they may differ by chance alone where populations are small.

In: one row an area: how many, of how many people; and which area is ours. Out: comparators.csv: rates per 10,000 with funnel limits, and a
sentence. Refuses a table without ours, and fewer than `FEWEST` others.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from demand.errors import DataError, Fault, did_you_mean

__all__ = ["COLUMNS", "beside_others", "comparator_sentence"]

COLUMNS = ["area", "ours", "count", "population", "rate", "others_rate", "low95", "high95", "low998", "high998", "spread", "place"]
PER = 10_000
FEWEST = 5
LIMITS = {"95": 1.959964, "998": 3.090232}
WINSOR = 0.1
"""The share of areas at each end that count as the last one inside, when the spread of all is judged."""
WORDS = {
    "very high": "far above what chance and size can explain",
    "high": "above most others of its size",
    "as others": "within what chance and size explain",
    "low": "below most others of its size",
    "very low": "far below what chance and size can explain",
}


def beside_others(table: pd.DataFrame, *, ours: str) -> pd.DataFrame:
    """Hold our rate against those of others.

    Parameters
    ----------
    table : pandas.DataFrame
        area, count, population; counts that are not known are NaN, and their areas are left out.
    ours : str
        The name of our area.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`, highest rate first: rate and others_rate (all others together) per 10,000 people; low95 to high998: between which rates
        an area of this size lies 95 and 99.8 times in 100 where it is like the others; spread: how many times as much the others vary as
        chance alone would make them (1: no more; their own differences widen the limits of large and small areas alike); place: as others,
        high, low (outside 95), very high, very low (outside 99.8).

    Raises
    ------
    DataError
        Where ours is not there or its count is not known, or there are too few others.

    References
    ----------
    Spiegelhalter, D. J. (2005). Funnel plots for comparing institutional performance. Statistics in Medicine 24, 1185-1202: square roots of
    counts, winsorised z-scores, and when the spread is more than chance (appendix A.3). That areas' own differences are added to chance,
    not multiplied with it: Spiegelhalter, D. J. (2005). Handling over-dispersion of performance indicators. Quality and Safety in Health
    Care 14, 347-351. How large they are: Paule, R. C. and Mandel, J. (1982). Consensus values and weighting factors. Journal of Research of
    the National Bureau of Standards 87, 377-385.
    """
    known = table.dropna(subset=["count", "population"])
    known = known[known["population"] > 0].reset_index(drop=True)
    mine = (known["area"] == ours).to_numpy()
    if mine.sum() != 1:
        told = "is not in the table of comparators, or its count is not known" if not mine.any() else "is there more than once"
        raise DataError(Fault(f"'{ours}' {told}", where="data > comparators > ours", allowed=did_you_mean(ours, table["area"].astype(str))))
    if (~mine).sum() < FEWEST:
        raise DataError(Fault(f"{int((~mine).sum())} other areas are too few to compare with", allowed=f"At least {FEWEST}"))
    count, people = known["count"].to_numpy(dtype=float), known["population"].to_numpy(dtype=float)
    centre = count[~mine].sum() / people[~mine].sum()
    apart, chance = np.sqrt(count / people) - np.sqrt(centre), 1 / (4 * people)
    spread, own = _spread(apart[~mine], chance[~mine])
    out = known[["area", "count", "population"]].assign(ours=mine, rate=PER * count / people, others_rate=PER * centre, spread=spread)
    for name, times in LIMITS.items():
        half = times * np.sqrt(chance + own)
        for side, sign in (("low", -1), ("high", 1)):
            out[f"{side}{name}"] = PER * np.maximum(np.sqrt(centre) + sign * half, 0.0) ** 2
    rate = out["rate"]
    place = np.select(
        [rate > out["high998"], rate > out["high95"], rate < out["low998"], rate < out["low95"]],
        ["very high", "high", "very low", "low"], "as others",
    )  # fmt: skip
    return out.assign(place=place).sort_values(["rate", "area"], ascending=[False, True], ignore_index=True)[COLUMNS]


def _spread(apart: np.ndarray, chance: np.ndarray) -> tuple[float, float]:
    """Give how many times as much areas vary as by chance, and the variance of their own differences: 1 and 0 where it is no more."""
    from scipy.optimize import brentq

    found = _varied(apart / np.sqrt(chance))
    if found <= 1 + 2 * np.sqrt(2 / len(apart)):
        return 1.0, 0.0
    return found, float(brentq(lambda own: _varied(apart / np.sqrt(chance + own)) - 1, 0.0, found * chance.max(), xtol=1e-15))


def _varied(z: np.ndarray) -> float:
    """Give the mean square of z-scores with both ends winsorised, over what it is for normal ones."""
    from scipy.stats import norm

    low, high = np.quantile(z, [WINSOR, 1 - WINSOR])
    end = norm.ppf(1 - WINSOR)
    normal = 1 - 2 * WINSOR - 2 * end * norm.pdf(end) + 2 * WINSOR * end**2
    return float((np.clip(z, low, high) ** 2).mean() / normal)


def comparator_sentence(table: pd.DataFrame, *, what: str) -> str:
    """Say where we stand.

    Parameters
    ----------
    table : pandas.DataFrame
        From `beside_others`.
    what : str
        What is counted: "households in temporary accommodation".
    """
    mine = table[table["ours"]].iloc[0]
    rank = int((table["rate"] > mine["rate"]).sum()) + 1
    own = (
        f" They differ from one another {np.sqrt(mine['spread']):.1f} times as much as by chance; the limits take that in."
        if mine["spread"] > 1
        else ""
    )
    return (
        f"{mine['area']} has {mine['rate']:.1f} {what} per 10,000 people, the others together {mine['others_rate']:.1f}: "
        f"{rank} of {len(table)} from the top, and {WORDS[str(mine['place'])]}.{own}"
    )
