"""Codes: spellings that mean one thing, and what a code must look like.

In: columns of codes. Out: one spelling a code where the config says so, and proposals where it does not. Refuses nothing: a proposal is
applied only when it stands in `codes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from demand.data.cells import to_text
from demand.data.quality import Finding

__all__ = ["merge_codes"]


def merge_codes(
    data: pd.DataFrame, codes: Mapping[str, Mapping[str, Sequence[str]]], name: str, rows: np.ndarray
) -> tuple[pd.DataFrame, list[Finding]]:
    """Give one spelling to each code, as the config says.

    Parameters
    ----------
    data : pandas.DataFrame
    codes : mapping
        Column -> code -> its spellings.
    name : str
        The file, for messages.
    rows : numpy.ndarray
        Row numbers.

    Returns
    -------
    data : pandas.DataFrame
    findings : list of Finding
        codes_merged: how many cells were respelt.
    """
    findings = []
    for column in codes.keys() & set(data.columns):
        respelt = {spelling.strip(): code for code, spellings in codes[column].items() for spelling in spellings}
        text = to_text(data[column])
        changed = text.isin(set(respelt)) & (text.map(respelt) != text)
        if changed.any():
            data = data.assign(**{column: text.map(respelt).where(changed, text)})
            told = f"spellings were merged into {len(codes[column])} codes, as the config says"
            findings.append(Finding.of("codes_merged", "note", f"{name} > {column}", rows=rows[changed.to_numpy()], message=told))
    return data, findings
