"""The equality table: who is in each segment, by the nine protected characteristics and language, as far as they are recorded.

In: people with their segments. Out: one row a segment, characteristic and level, held against everybody, and the characteristics that are
not recorded. They are described whether they were used to find the segments or not. Refuses people in no segment.
"""

from __future__ import annotations

import pandas as pd

from demand.data.people import age_band
from demand.segments.model import first_rows, id_column
from demand.segments.profile import profile
from demand.segments.protected import PROTECTED, protected

__all__ = ["COLUMNS", "equality"]

COLUMNS = ["characteristic", "column", "segment", "level", "people", "known", "segment_people", "share", "average", "index", "low", "high",
           "missing_share", "differs"]  # fmt: skip


def equality(table: pd.DataFrame, members: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Describe the mix of each segment by protected characteristics.

    Parameters
    ----------
    table : pandas.DataFrame
        People (the first episode counts) or places, with whatever is recorded.
    members : pandas.DataFrame
        person_id, segment.

    Returns
    -------
    pandas.DataFrame
        characteristic, column, segment, level (ages in bands), people, known, segment_people, share (of those known), average (of everybody
        known), index (100 = average), low and high (95 %), missing_share, differs (the interval leaves out the average).
    list of str
        The characteristics of the Equality Act 2010, section 4, that no column tells of: nobody can say how the segments treat them.

    Raises
    ------
    DataError
        Where a person of the table is not among the members.
    """
    rows = first_rows(table)
    kin = {str(c): name for c in rows.columns if (name := protected(str(c)))}
    recorded = set(kin.values())
    absent = [name for name in PROTECTED if name not in recorded]
    shown = rows[[id_column(rows), *kin]].copy()
    for column, name in kin.items():
        numbers = pd.to_numeric(shown[column], errors="coerce")
        if name == "age" and numbers.notna().sum() >= 0.9 * shown[column].notna().sum() and 10 < numbers.max() <= 130:
            shown[column] = age_band(numbers)
    told = profile(shown, members)
    told = told[told["level"] != "mean"]
    characteristic = told["feature"].map(kin)
    differs = (told["low"] > told["average"]) | (told["high"] < told["average"])
    out = told.rename(columns={"feature": "column", "share_or_mean": "share"}).assign(characteristic=characteristic, differs=differs)
    return out[COLUMNS].sort_values(["characteristic", "column", "segment"], kind="stable", ignore_index=True), absent
