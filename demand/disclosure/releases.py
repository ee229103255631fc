"""Two releases of one table: what changed between them must not tell of few people.

In: a table, and the same table as it left before. Out: what may be shown now. Refuses an earlier release with other columns.

Where counts are rounded, a figure stays as it was published until the count has moved by a whole rounding step from it, and what was hidden
stays hidden until the count has grown well past the limit: so a difference never tells of fewer than the policy hides. Where counts are
exact, a count that moved by less than the policy hides is hidden, as is all that was hidden before.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from demand.disclosure.policies import Policy
from demand.errors import DisclosureError, Fault, listed

__all__ = ["against_earlier"]


def against_earlier(
    table: pd.DataFrame, earlier: pd.DataFrame, shown: np.ndarray, *, rule: Policy, keys: Sequence[str], counts: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Hold a table against the one that left before.

    Parameters
    ----------
    table : pandas.DataFrame
        Exact counts.
    earlier : pandas.DataFrame
        The release before, as it was written or as it was read back: its keys are compared as text.
    shown : numpy.ndarray
        (row, count): the figures that would be shown.
    rule : Policy
    keys, counts : sequence of str

    Returns
    -------
    shown : numpy.ndarray
        With figures held where they were.
    hidden : numpy.ndarray of bool
        What must be hidden because of the earlier release.

    Raises
    ------
    DisclosureError
        Where the earlier release lacks a column, so that it cannot be compared.
    """
    lacking = [c for c in (*keys, *counts) if c not in earlier.columns]
    if lacking:
        what = f"the earlier release has no column {listed(lacking)}"
        hint = "Publish under another name, or take the earlier release back"
        raise DisclosureError(Fault(what, allowed="The same columns as now, so that the two can be compared", do_next=hint))
    exact = table[list(counts)].apply(pd.to_numeric).to_numpy(dtype=float)
    before = dict(zip(_labels(earlier, keys), earlier[list(counts)].astype(object).to_numpy(), strict=True))
    out, hidden = shown.copy(), np.zeros(exact.shape, dtype=bool)
    for i, label in enumerate(_labels(table, keys)):
        for j, was in enumerate(before.get(label, ())):
            figure = pd.to_numeric(was, errors="coerce")
            if pd.isna(figure):
                hidden[i, j] = rule.round_to == 1 or exact[i, j] < max(2 * rule.hide_below - 1, rule.hide_below + rule.round_to - 1)
            elif rule.round_to == 1:
                hidden[i, j] = 0 < abs(exact[i, j] - figure) < rule.hide_below
            else:
                held = 0 < abs(exact[i, j] - figure) < rule.round_to and exact[i, j] > 0 and figure > 0
                near = rule.rounded(exact[i, j]) == figure
                if held and (near or exact[i, j] >= rule.hide_below):
                    out[i, j] = int(figure)
    return out, hidden


def _labels(table: pd.DataFrame, keys: Sequence[str]) -> list[tuple[str, ...]]:
    columns = []
    for key in keys:
        column = table[key]
        text = column.dt.strftime("%Y-%m-%d") if pd.api.types.is_datetime64_any_dtype(column) else column.astype(object)
        columns.append(text.where(column.notna(), "").astype(str))
    return list(zip(*columns, strict=True)) if columns else [()] * len(table)
