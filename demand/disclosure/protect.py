"""A table of counts made fit to leave: small counts hidden, others rounded, and what is said of few withheld.

In: a table of observed counts and what is said of those counted, a policy and, where an earlier release lies outside already, that release.
Out: the table as it may leave. Fails closed: a number that nobody declared, a column of persons, or a policy that is not known is an error,
never a way through.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from demand.disclosure.policies import Policy, policy_named
from demand.disclosure.releases import against_earlier
from demand.disclosure.shares import significant
from demand.disclosure.suppression import further_hidden
from demand.disclosure.together import Leaving, joined
from demand.errors import DisclosureError, Fault, did_you_mean, listed, raise_all

__all__ = ["dominated", "protect", "protect_together"]

PERSONS = ("person_id", "episode_id")


def protect(
    table: pd.DataFrame, *, counts: Sequence[str], policy: Policy | str, values: Sequence[str] = (), plain: Sequence[str] = (),
    sums: Mapping[int, Sequence[int]] | None = None, earlier: pd.DataFrame | None = None,
    amounts: Mapping[str, Sequence[Sequence[float]] | None] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Make a table of observed counts fit to leave.

    Parameters
    ----------
    table : pandas.DataFrame
        Counts of people, what is said of those counted, and keys (text or dates).
    counts : sequence of str
        The columns that count people.
    policy : Policy or str
        One of `POLICIES`, by name or itself.
    values : sequence of str
        Columns that describe those whom the row counts (shares, means, costs): withheld where any count of the row is hidden or below the
        least base, else rounded to two significant figures.
    plain : sequence of str
        Columns of numbers that tell of nobody: years, prices, budgets.
    sums : mapping, optional
        Row (counted from 0) -> the rows that it is the sum of, where totals are nested; plain totals are found in the numbers.
    earlier : pandas.DataFrame, optional
        The same table as it left before: nobody may learn a small number from the difference.
    amounts : mapping, optional
        Those of `values` that add up money -> by row, what each person or provider contributes. Under a policy with a rule of dominance an
        amount is withheld where few make most of it, and where the contributions are not given (None).

    Returns
    -------
    pandas.DataFrame
        Counts as whole numbers or the policy's mark; withheld values are NaN. `attrs["disclosure"]` says the policy and how many cells were
        hidden and withheld.

    Raises
    ------
    DisclosureError
        Where the policy is not known, a column is missing or of persons, a number was not declared, or a count is not a whole number.

    Examples
    --------
    >>> table = pd.DataFrame({"area": ["Harbour", "Castle"], "people": [3, 128]})
    >>> protect(table, counts=["people"], policy="wales")["people"].tolist()
    ['*', 130]
    """
    one = Leaving(table, counts, values, plain, sums=sums, earlier=earlier, amounts=amounts or {})
    return protect_together({"table": one}, policy=policy)["table"]


def protect_together(tables: Mapping[str, Leaving], *, policy: Policy | str) -> dict[str, pd.DataFrame]:
    """Make several tables fit to leave together: no count is hidden in one and told by another, or by a sum across them.

    Parameters
    ----------
    tables : mapping
        Name -> the table, with who is counted in it.
    policy : Policy or str

    Returns
    -------
    dict of pandas.DataFrame
        As `protect` gives them.

    Raises
    ------
    DisclosureError
        As `protect`.
    """
    rule = policy_named(policy)
    for one in tables.values():
        _check(one.table, one.counts, one.values, one.plain)
    if rule.opens:
        return {name: _stamped(one.table.copy(), rule, (0, 0, 0)) for name, one in tables.items()}
    cells = joined(list(tables.values()))
    small = rule.hides(cells.exact)
    shown = np.array([rule.rounded(n) for n in cells.exact], dtype=object)
    for one, place in zip(tables.values(), cells.places, strict=True):
        if one.earlier is not None:
            shown[place], before = against_earlier(one.table, one.earlier, shown[place], rule=rule, keys=one.keys, counts=one.counts)
            small[place] |= before
    hidden, left_out = further_hidden(cells.exact, small, cells.relations, rule)
    return {
        name: _written(one, rule, shown[place], hidden[place], left_out[place])
        for (name, one), place in zip(tables.items(), cells.places, strict=True)
    }


def _written(one: Leaving, rule: Policy, shown: np.ndarray, hidden: np.ndarray, left_out: np.ndarray) -> pd.DataFrame:
    out, exact = one.table.copy(), one.exact
    for j, column in enumerate(one.counts):
        out[column] = pd.Series([rule.mark if h else int(n) for n, h in zip(shown[:, j], hidden[:, j], strict=True)],
                                index=out.index, dtype=object if hidden[:, j].any() else "int64")  # fmt: skip
        if left_out[:, j].any():
            out[column] = out[column].astype(object).mask(left_out[:, j])
    thin = hidden.any(axis=1) | ~(exact >= rule.least_base).all(axis=1)
    for column in one.values:
        number = pd.to_numeric(one.table[column]).to_numpy(dtype=float)
        held = thin | _dominated(column, one.amounts, rule, len(out))
        out[column] = np.where(held, np.nan, significant(number))
    return _stamped(out, rule, (int(rule.hides(exact).sum()), int(hidden.sum()), int(thin.sum()) * len(one.values)))


def dominated(contributions: Sequence[float], policy: Policy | str) -> bool:
    """Say whether few contributors make most of an amount, so that it would tell of them.

    Parameters
    ----------
    contributions : sequence of float
        What each person or provider adds to the amount.
    policy : Policy or str

    Returns
    -------
    bool
        True where the first N make more than K of it, or where the amount without the first two is less than p of the first: then the
        second could estimate the first (Hundepool et al. 2012, Statistical Disclosure Control, section 4.2).

    Raises
    ------
    DisclosureError
        Where the policy is not known.

    Examples
    --------
    >>> dominated([900, 50, 30, 20], "tre"), dominated([100] * 20, "tre")
    (True, False)
    """
    rule = policy_named(policy)
    parts = np.sort(np.abs(np.asarray(contributions, dtype=float)))[::-1]
    total = parts.sum()
    if total <= 0:
        return False
    few = rule.dominance is not None and parts[: rule.dominance[0]].sum() > rule.dominance[1] * total
    near = rule.p_percent is not None and total - parts[:2].sum() < rule.p_percent * parts[0]
    return bool(few or near)


def _dominated(column: str, amounts: Mapping[str, Sequence[Sequence[float]] | None], rule: Policy, rows: int) -> np.ndarray:
    if column not in amounts or (rule.dominance is None and rule.p_percent is None):
        return np.zeros(rows, dtype=bool)
    given = amounts[column]
    return np.ones(rows, dtype=bool) if given is None else np.array([dominated(parts, rule) for parts in given])


def _check(table: pd.DataFrame, counts: Sequence[str], values: Sequence[str], plain: Sequence[str]) -> None:
    """Collect all that stands against letting the table go."""
    declared = [*counts, *values, *plain]
    columns = [str(c) for c in table.columns]
    faults = [Fault(f"no column '{c}'", allowed=did_you_mean(c, columns)) for c in declared if c not in columns]
    faults += [Fault(f"'{c}' tells of single persons", do_next="Count people before the table leaves") for c in PERSONS if c in columns]
    loose = [c for c in columns if c not in declared and _numeric(table[c])]
    if loose:
        faults.append(Fault(f"nobody said what the numbers in {listed(loose)} are", allowed="Each column of numbers is declared",
                            do_next="Name them in counts, in values or in plain"))  # fmt: skip
    for c in counts:
        if c in columns:
            number = pd.to_numeric(table[c], errors="coerce").to_numpy(dtype=float)
            if ((number < 0) | (number % 1 != 0)).any():
                faults.append(Fault(f"'{c}' holds counts that are missing, negative or not whole", allowed="Observed counts: 0, 1, 2...",
                                    do_next="Forecasts and expected values are estimates: declare them as plain"))  # fmt: skip
    raise_all(faults, DisclosureError, during="protecting small numbers")


def _numeric(column: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(column):
        return True
    return bool(column.dtype == object and column.dropna().map(lambda v: isinstance(v, int | float | np.number)).any())


def _stamped(table: pd.DataFrame, rule: Policy, done: tuple[int, int, int]) -> pd.DataFrame:
    small, hidden, withheld = done
    about: dict[str, Any] = {"policy": rule.name, "rule": rule.source, "cells_hidden": hidden, "figures_withheld": withheld}
    table.attrs["disclosure"] = {**about, "hidden_to_protect_others": hidden - small}
    return table
