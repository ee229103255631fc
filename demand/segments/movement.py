"""Movement: who was in which segment at one snapshot and is where at the next, and which segments of a new fit are the old ones.

In: members of two snapshots, or of two sets of rules on the same people. Out: a table of transitions with counts and rates, and a table of
matches. Counts are of people: both tables are internal. Refuses nothing; people who are in one snapshot alone have come or left.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from demand.segments.profile import wilson

__all__ = ["LEFT", "NEW", "kept_names", "match_segments", "stayed", "transitions"]

NEW, LEFT = "(not there before)", "(not there any more)"
SAME = 0.5
"""From this overlap (Jaccard) a segment counts as the same; below it, it is 'dissolved' (Hennig 2007)."""


def transitions(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Count who went from which segment to which.

    Parameters
    ----------
    before, after : pandas.DataFrame
        person_id, segment.

    Returns
    -------
    pandas.DataFrame
        from, to, people, rate (of those from there), low and high (95 %), of (how many were there); also who came and who left.

    Examples
    --------
    >>> then = pd.DataFrame({"person_id": ["a", "b", "c"], "segment": ["A", "A", "B"]})
    >>> now = pd.DataFrame({"person_id": ["a", "b", "d"], "segment": ["A", "B", "B"]})
    >>> transitions(then, now)[["from", "to", "people"]].to_numpy().tolist()[:2]
    [['A', 'A', 1], ['A', 'B', 1]]
    """
    then, now = (m.drop_duplicates("person_id").set_index("person_id")["segment"].astype(str) for m in (before, after))
    both = pd.concat([then.rename("from"), now.rename("to")], axis=1)
    both = both.assign(**{"from": both["from"].fillna(NEW), "to": both["to"].fillna(LEFT)})
    table = both.groupby(["from", "to"]).size().rename("people").reset_index()
    table["of"] = table.groupby("from")["people"].transform("sum")
    bounds = [wilson(p, n) for p, n in zip(table["people"], table["of"], strict=True)]
    table = table.assign(rate=table["people"] / table["of"], low=[b[0] for b in bounds], high=[b[1] for b in bounds])
    last = table["from"] == NEW
    return pd.concat([table[~last], table[last]], ignore_index=True)[["from", "to", "people", "rate", "low", "high", "of"]]


def stayed(table: pd.DataFrame) -> tuple[int, int]:
    """Give how many are in the segment in which they were, and how many were there both times."""
    there = table[(table["from"] != NEW) & (table["to"] != LEFT)]
    return int(there.loc[there["from"] == there["to"], "people"].sum()), int(there["people"].sum())


def match_segments(old: pd.Series, new: pd.Series) -> pd.DataFrame:
    """Say which segment of a new fit is which of the old ones.

    Parameters
    ----------
    old, new : pandas.Series
        The segments of the same people by the old rules and by the new ones, in the same order.

    Returns
    -------
    pandas.DataFrame
        new, old, people (in both), overlap (Jaccard), verdict: same, changed (its nearest is `old`, but they share less than half), new (no
        old one is left for it) or gone (no new one is left for it).

    References
    ----------
    The assignment whose overlaps add up to most: Kuhn, H. W. (1955). The Hungarian method for the assignment problem. Naval Research
    Logistics Quarterly 2, 83-97. Overlap of 0.5: Hennig, C. (2007). Cluster-wise assessment of cluster stability. CSDA 52, 258-271.
    """
    from scipy.optimize import linear_sum_assignment

    counts = pd.crosstab(new.to_numpy(), old.to_numpy())
    table = counts.to_numpy().astype(float)
    overlap = table / (table.sum(axis=1, keepdims=True) + table.sum(axis=0) - table)
    rows, columns = linear_sum_assignment(-overlap)
    names, before = [str(n) for n in counts.index], [str(o) for o in counts.columns]
    lines = [
        {"new": names[i], "old": before[j], "people": int(table[i, j]), "overlap": overlap[i, j],
         "verdict": "same" if overlap[i, j] >= SAME else "changed"}
        for i, j in zip(rows, columns, strict=True)
    ]  # fmt: skip
    lines += [{"new": n, "old": "", "people": 0, "overlap": 0.0, "verdict": "new"} for i, n in enumerate(names) if i not in rows]
    lines += [{"new": "", "old": o, "people": 0, "overlap": 0.0, "verdict": "gone"} for j, o in enumerate(before) if j not in columns]
    return pd.DataFrame(lines, columns=["new", "old", "people", "overlap", "verdict"])


def kept_names(matches: pd.DataFrame, labels: Sequence[str], old_labels: Sequence[str], letters: Sequence[str]) -> dict[str, str]:
    """Give the name of each new segment: the old one's where they are the same, else its own or the next letter that is free.

    Parameters
    ----------
    matches : pandas.DataFrame
        As `match_segments` gives it.
    labels, old_labels : sequence of str
    letters : sequence of str
        Names to choose from where a segment's own is taken by another old one.

    Returns
    -------
    dict of str to str
    """
    same = matches[matches["verdict"] == "same"]
    names = dict(zip(same["new"], same["old"], strict=True))
    taken = set(old_labels)
    for label in labels:
        if label not in names:
            free = label if label not in taken else next(n for n in letters if n not in taken)
            names[label] = free
            taken.add(free)
    return names
