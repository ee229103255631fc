"""What each scenario does to demand, and which change does how much of it.

In: what the scenarios were made from (`WhatIf`), or DEMAND. Out: demand.parquet, and the waterfall from one scenario to another by change,
with an explicit row for what changes do only together. Refuses scenarios that it does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr

from demand.ended import with_ended
from demand.errors import Fault, ScenarioError, did_you_mean, raise_all
from demand.scenario.application import Outcome, under
from demand.scenario.case import Applied, WhatIf
from demand.scenario.change import BASELINE, Scenario, by_name, unfold
from demand.scenario.exposure import AVERAGE, Exposure
from demand.spec import fingerprint
from demand.tables import History, quantile_columns, summarise

__all__ = [
    "INTERACTION", "WATERFALL", "Measure", "baseline_of", "compare", "demand_table", "differences", "exposure_of", "measured", "steps",
    "taken_together", "unlike",
]  # fmt: skip

INTERACTION = "interaction"
"""The row for what changes do only together."""
WATERFALL = ["from", "to", "financial_year", "change", "measure", "amount", "from_total", "to_total", "low", "high", "difference_low",
             "difference_high"]  # fmt: skip
"""The columns of waterfall.csv. low to high is the 80 % range of an amount, difference_low to difference_high that of the whole difference;
both are ranges of differences within each draw, and ranges do not add up."""
TENTHS = (0.1, 0.9)
"""The ends of an 80 % range."""
Measure = Callable[[np.ndarray, np.ndarray, np.ndarray | None], dict[str, np.ndarray]]
"""From draws (rows, periods, draws), the positions of their series and by what prices are multiplied (None: 1) to amounts (rows, financial
years, draws) of each measure."""


def compare(
    case: WhatIf, a: str, b: str, *, other: WhatIf | None = None, history: History | None = None, start_month: int = 4
) -> pd.DataFrame:
    """Say what makes demand differ between two scenarios: one row a change, and one for what they do only together.

    The same draws lie under both, so the difference is theirs alone. Each change is measured alone against the baseline; one that only `a`
    has counts with the opposite sign. Flows are counted in the year; of stocks, how many there are on average at one time. Kinds and units
    are never added to each other.

    Parameters
    ----------
    case : WhatIf
    a, b : str
        Names of scenarios, or 'baseline'.
    other : WhatIf, optional
        What `b` was made from, where that is another run. Its baseline must be the same to the last bit.
    history : History, optional
        What was counted before the forecast, so that the current financial year is whole.
    start_month : int
        The month in which financial years begin.

    Returns
    -------
    pandas.DataFrame
        `WATERFALL`: the amounts of one year and measure add up to `to_total` - `from_total`.

    Raises
    ------
    ScenarioError
        Where a name is not known, a scenario cannot be applied, or the two runs cannot be compared, with the reason.
    """
    if other is not None:
        case, b = taken_together(case, other, b)
    exposure = exposure_of(case, history, start_month)
    return steps(case, [(a, b)], exposure=exposure, measure=lambda values, rows, _: measured(exposure, values, rows))


def taken_together(case: WhatIf, other: WhatIf, b: str) -> tuple[WhatIf, str]:
    """Take the scenarios of two runs together.

    Parameters
    ----------
    case, other : WhatIf
    b : str
        A scenario of `other`.

    Returns
    -------
    WhatIf
        With the scenarios of both.
    str
        What `b` is called there.

    Raises
    ------
    ScenarioError
        Where the runs do not stand on one baseline, or `b` is not there.
    """
    raise_all(list(unlike(case, other)), ScenarioError, during="comparing two runs")
    mine, theirs = by_name(case.scenarios), by_name(other.scenarios)
    if b == BASELINE:
        return case, b
    if b not in theirs:
        raise ScenarioError(
            Fault(f"'{b}' is not a scenario of the run that is compared with", allowed=did_you_mean(b, [BASELINE, *theirs]))
        )
    clash = {name: f"{name} (other run)" if name in mine and mine[name] != theirs[name] else name for name in theirs}
    added = [
        scenario.model_copy(update={"name": clash[name], "combines": tuple(clash[n] for n in scenario.combines)})
        for name, scenario in theirs.items()
        if clash[name] not in mine
    ]
    return replace(case, scenarios=(*case.scenarios, *added)), clash[b]


def unlike(one: WhatIf, other: WhatIf) -> Iterator[Fault]:
    """Say why what two runs say cannot be compared: only with the same draws under both is a difference that of the scenarios alone."""
    again = "Run both again on the same data, settings and version"
    for what, mine, theirs in (
        ("version", one.version, other.version),
        ("seed", one.seed, other.seed),
        ("first period of the forecast", *(str(c.draws["ds"].to_numpy()[0])[:10] for c in (one, other))),
        ("horizon", one.draws.sizes["ds"], other.draws.sizes["ds"]),
        ("number of draws", one.draws.sizes["draw"], other.draws.sizes["draw"]),
        ("list of series", *(fingerprint(*map(str, c.draws["series"].to_numpy())) for c in (one, other))),
        ("baseline", one.draws.attrs.get("fingerprint"), other.draws.attrs.get("fingerprint")),
    ):
        if mine != theirs:
            yield Fault(f"the two runs have another {what}: {mine} and {theirs}", do_next=again)
            return
    if not np.array_equal(one.draws.to_numpy(), other.draws.to_numpy()):
        yield Fault("the two runs have other possible futures where nothing is changed", do_next=again)


def exposure_of(case: WhatIf, history: History | None, start_month: int) -> Exposure:
    """Give the exposure of what scenarios are made from, with the series that ended in the current year after all others."""
    if history is None:
        return Exposure(case.draws, None, start_month)
    return Exposure(*with_ended(case.draws, history, start_month=start_month), start_month)


def measured(exposure: Exposure, values: np.ndarray, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Give demand by series, whole financial year and draw, for each kind and unit: 'households in the year', 'households at one time'.

    Parameters
    ----------
    exposure : Exposure
    values : numpy.ndarray
        Shape (rows, periods, draws).
    rows : numpy.ndarray
        Positions of the series.

    Returns
    -------
    dict of str to numpy.ndarray
        Shape (rows, years, draws); zero for series of another kind or unit.
    """
    about, found = exposure.series.iloc[rows], {}
    for kind, unit in sorted(set(zip(exposure.series["kind"], exposure.series["unit"], strict=True))):
        mine = np.flatnonzero((about["kind"] == kind) & (about["unit"] == unit))
        amounts = np.zeros((len(rows), len(exposure.labels), values.shape[2]))
        amounts[mine] = exposure.quantity(values[mine], rows[mine], per=None if kind == "flow" else AVERAGE)
        found[f"{unit} in the year" if kind == "flow" else f"{unit} at one time"] = amounts
    return found


def steps(case: WhatIf, pairs: Sequence[tuple[str, str]], *, exposure: Exposure, measure: Measure) -> pd.DataFrame:
    """Make waterfalls in any measure; `compare` and the waterfall in pounds are both made here.

    Parameters
    ----------
    case : WhatIf
    pairs : sequence of (str, str)
        From which scenario to which.
    exposure : Exposure
        Of the measures. It may have series after those of the case, that ended: they are in the totals, and no scenario touches them.
    measure : callable
        From draws and the positions of their series to amounts by series, year and draw, by the name of the measure.

    Returns
    -------
    pandas.DataFrame
        `WATERFALL`. Years that a measure cannot tell (NaN) are left out.

    Raises
    ------
    ScenarioError
        Where a name is not known, or a scenario cannot be applied.
    """
    known = by_name(case.scenarios)
    base = baseline_of(case, exposure, measure)
    tables = [_waterfall(case, known, pair, base, measure) for pair in pairs]
    rows = [(*pair, exposure.labels[y], *rest) for pair, table in zip(pairs, tables, strict=True) for y, *rest in table]
    return pd.DataFrame(rows, columns=WATERFALL)


def baseline_of(case: WhatIf, exposure: Exposure, measure: Measure) -> dict[str, np.ndarray]:
    """Measure the baseline, with the series that ended after all others: (rows, years, draws) by the name of the measure."""
    everything = case.draws.transpose("series", "ds", "draw").to_numpy()
    ended = np.zeros((len(exposure.series) - len(everything), *everything.shape[1:]), dtype=everything.dtype)
    return measure(np.concatenate([everything, ended]), np.arange(len(exposure.series)), None)


def differences(base: dict[str, np.ndarray], measure: Measure, new: Outcome | Applied) -> dict[str, np.ndarray]:
    """Give what some series' new draws and prices change in all, by the name of the measure: shape (years, draws)."""
    amounts = measure(new.values.astype(np.float32), new.rows, new.prices)
    return {name: (amount - base[name][new.rows]).sum(axis=0) for name, amount in amounts.items()}


def _waterfall(
    case: WhatIf, known: dict[str, Scenario], pair: tuple[str, str], base: dict[str, np.ndarray], measure: Measure
) -> Iterator[tuple[int, str, str, *tuple[float, ...]]]:
    """Give year, change, measure, amount, both totals and the ranges of one waterfall."""
    ends = [_under(case, name, known) for name in pair]
    moved = [differences(base, measure, end) for end in ends]
    shared = set.intersection(*({change.fingerprint for change, _ in end.parts.values()} for end in ends))
    bars: list[tuple[str, dict[str, np.ndarray]]] = []
    for sign, end, everything in zip((-1, 1), ends, moved, strict=True):
        for label, (change, part) in end.parts.items():
            if change.fingerprint not in shared:
                alone = len(end.parts) == 1
                single = everything if alone else differences(base, measure, part)
                bars.append((label if sign == 1 else f"without: {label}", {name: sign * amounts for name, amounts in single.items()}))
    for name, series in base.items():
        start, end_ = (series.sum(axis=0) + difference[name] for difference in moved)
        whole = end_ - start
        rest = whole - sum(amounts[name] for _, amounts in bars)
        told = np.flatnonzero(np.isfinite(start + end_).all(axis=1))
        for label, bar in [*((label, amounts[name]) for label, amounts in bars), (INTERACTION, rest)]:
            for y in told:
                ranges = *np.quantile(bar[y], TENTHS), *np.quantile(whole[y], TENTHS)
                yield int(y), label, name, bar[y].mean(), start[y].mean(), end_[y].mean(), *ranges


def demand_table(demand: xr.DataArray) -> pd.DataFrame:
    """Make demand.parquet: mean and quantiles by scenario, series and period.

    Parameters
    ----------
    demand : xarray.DataArray
        DEMAND.

    Returns
    -------
    pandas.DataFrame
        scenario, unique_id, ds, mean, the quantiles, period_end. Series that a scenario leaves alone have the baseline's figures to the
        bit.
    """
    values = demand.transpose("scenario", "series", "ds", "draw").to_numpy()
    base = summarise(demand[0])
    figures = ["mean", *quantile_columns()]
    tables, periods = [], demand.sizes["ds"]
    for position, name in enumerate(demand["scenario"].to_numpy()):
        table = base.copy()
        moved = np.flatnonzero([not np.array_equal(values[position, row], values[0, row]) for row in range(values.shape[1])])
        if len(moved):
            rows = (moved[:, None] * periods + np.arange(periods)).ravel()
            table.loc[rows, figures] = summarise(demand[position, moved])[figures].to_numpy()
        table.insert(0, "scenario", str(name))
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _under(case: WhatIf, name: str, known: dict[str, Scenario]) -> Outcome:
    if name == BASELINE:
        return under(case, {}, together=None)
    if name not in known:
        raise ScenarioError(Fault(f"'{name}' is not a scenario", allowed=did_you_mean(name, [BASELINE, *known])))
    return under(case, unfold(known[name], known), together=known[name].together)
