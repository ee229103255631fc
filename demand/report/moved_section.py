"""What moved since last month: the sentences, the causes that add up, and what each forecast of this year said.

In: the tables of the stage `moved`. Out: a `Section` for a page of its own. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from demand.report.parts import Block, Figure, Section, Table, table_of

__all__ = ["moved_section"]


def moved_section(told: Sequence[str], table: pd.DataFrame, said: pd.DataFrame) -> Section:
    """Lay out what moved.

    Parameters
    ----------
    told : sequence of str
        From `demand.moved.moved_sentences`.
    table : pandas.DataFrame
        From `demand.moved.moved`.
    said : pandas.DataFrame
        line, financial_year, forecast (which), counted_to, expected_pence, p10_pence, p90_pence, projected_pence.

    Returns
    -------
    Section
    """
    wide = table.pivot(index=["line", "financial_year"], columns="step", values="amount_pence")[list(dict.fromkeys(table["step"]))] / 100
    ends = table.groupby(["line", "financial_year"], sort=False).agg(then=("before_pence", "first"), now=("after_pence", "last")) / 100
    causes = ends[["then"]].join(wide).join(ends[["now"]]).loc[ends.index].reset_index()
    names = {"line": "Line", "financial_year": "Year", "then": "Then", **{c: str(c).capitalize() for c in wide.columns}, "now": "Now"}
    pounds = {c: "exact" for c in names if c not in ("line", "financial_year")}
    note = (
        "Pounds. Then, the causes and now add up. Each cause is put in after those to the left of it, with the earlier model held until "
        "its turn."
    )
    parts: list[Table | Figure | Block] = [
        Block(tuple(told), heading="In words"),
        table_of(causes, "What moved, cause by cause", names=names, formats=pounds, note=note),
    ]
    money = said.assign(**{c: pd.to_numeric(said[c]) / 100 for c in said.columns if str(c).endswith("_pence")})
    heads = {"line": "Line", "financial_year": "Year", "forecast": "Forecast", "counted_to": "Counted to", "expected_pence": "Expected",
             "p10_pence": "Low", "p90_pence": "High", "projected_pence": "Projected outturn"}  # fmt: skip
    formats = dict.fromkeys(("expected_pence", "p10_pence", "p90_pence", "projected_pence"), "exact")
    parts.append(table_of(money, "What each forecast said", names=heads, formats=formats, note="Low to high holds four years in five."))
    return Section("moved", "What has moved", tuple(parts), "What has changed in what is expected, and why.")
