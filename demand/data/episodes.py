"""Gates for extracts of people: what an episode cannot be, and what a system leaves behind.

In: PEOPLE as they were read, with the rows that they came from. Out: findings with rows. Refuses nothing: what stops a run is said by the
policies. Messages name rows and columns, never values.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from demand.data.quality import Finding

__all__ = ["episode_gates", "last_day"]

USUAL = 0.2
"""Where more of the episodes of people who have several overlap, several at once are how the service works: lines of a care package."""
BATCH_SHARE, BATCH_TIMES = 0.01, 5.0
"""A day with so large a share of all rows, and so many times as many as the busiest usual day: a system was filled or cleared then."""
LONG_TIMES = 1.5
"""An episode open so many times longer than 99.5 % of those of its kind lasted that have ended is perhaps forgotten."""
KINDS = ("service", "type", "kind")
"""Words in the names of keys that say what sort of episode it is."""
FEW = 30
"""Fewer ended episodes of a kind say nothing about how long they last."""
OLDEST = pd.Timestamp("1950-01-01")
WRONG_BY = 80.0
"""A price so many times above, or below, the usual one of its kind has a slip in it: three zeros too many, or pence for pounds."""
DIGIT, SPREADS = 7.0, 10.0
"""Where prices of a kind are alike, one so many times (and so many usual differences) away has a digit too many or too few."""
MOST_AGE = 110


def episode_gates(
    people: pd.DataFrame, rows: np.ndarray, *, where: str, keys: Sequence[str], extracted: pd.Timestamp | None, quiet_days: int
) -> list[Finding]:
    """Look at episodes as a careful reader of an extract would.

    Parameters
    ----------
    people : pandas.DataFrame
        As `read_people` gives it; with `activity` where the extract says when something last happened.
    rows : numpy.ndarray
        Their row numbers.
    where : str
        The file.
    keys : sequence of str
        The key columns.
    extracted : pandas.Timestamp or None
        The day of the extract, where it is known.
    quiet_days : int
        An open episode without activity for so long is perhaps forgotten.

    Returns
    -------
    list of Finding
        duplicate_episode, overlap (or several_at_once), next_day_move, later_than_extract, implausible_day, batch_day, forgotten,
        price_slip and implausible_value.
    """
    found = _values(people, rows, where, keys)
    if "opened" not in people:
        return found
    known = people["opened"].notna().to_numpy()
    table, rows = people[known].reset_index(drop=True), rows[known]
    if table.empty:
        return found
    same = table.duplicated("episode_id", keep=False)
    again = (table.duplicated(["person_id", "opened", "closed", *keys]) & ~same).to_numpy()
    overlap, several, moved = _neighbours(table, ~(again | table.duplicated("episode_id").to_numpy()), keys)
    stops = extracted if extracted is not None else last_day(table["opened"])
    later = (table["opened"] > stops) | (table["closed"] > stops + pd.Timedelta(days=0 if extracted is not None else 366))
    told = [
        ("duplicate_episode", "warn", again, "another row tells the same person, days and keys under another reference: counted twice"),
        (
            "overlap",
            "warn",
            overlap,
            "these begin before the same person's last one has ended: a double booking, or an end not entered",
        ),
        ("several_at_once", "note", several, "people have several episodes at once so often that this is how the service works"),
        (
            "next_day_move",
            "note",
            moved,
            "these begin the day after the same person's last one ended: moves, told as an end and a start",
        ),
        ("later_than_extract", "warn", later.to_numpy(), "days after that of the extract: planned, or mistyped"),
        ("implausible_day", "warn", (table["opened"] < OLDEST).to_numpy(), f"opening days before {OLDEST.year}: no day, or mistyped"),
        ("batch_day", "warn", _batches(table), "so many opened or closed on one day that a system was filled or cleared then"),
        (
            "forgotten",
            "warn",
            _forgotten(table, keys, stops, quiet_days),
            "open far longer than such episodes last, or long without activity",
        ),
    ]
    return found + [Finding.of(r, s, where, rows=rows[mask], message=m) for r, s, mask, m in told if mask.any()]  # type: ignore[arg-type]


def last_day(opened: pd.Series) -> pd.Timestamp:
    """Say when an extract ends that does not tell: the last opening day, but for days that lie years after nearly all others."""
    return pd.Timestamp(opened[opened <= opened.quantile(0.99) + pd.Timedelta(days=366)].max())


def _neighbours(table: pd.DataFrame, single: np.ndarray, keys: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compare each episode with the same person's earlier ones in the same service: overlapping, several as a rule, moved the next day."""
    overlap, moved = np.zeros(len(table), dtype=bool), np.zeros(len(table), dtype=bool)
    ended = table["closed"].fillna(pd.Timestamp.max)
    by = ["person_id", *(k for k in keys if k == "service")]
    ordered = table[by].assign(opened=table["opened"], ended=ended)[single].sort_values([*by, "opened", "ended"], kind="stable")
    groups = ordered.groupby(by, sort=False, dropna=False)
    before = groups["ended"].cummax().groupby([ordered[c] for c in by], sort=False, dropna=False).shift()
    at = ordered.index.to_numpy()
    overlap[at] = (ordered["opened"] < before).to_numpy()
    gap = (ordered["opened"] - before.where(before < pd.Timestamp("2262-01-01"))).dt.days
    moved[at] = (gap == 1).to_numpy()
    again = int(before.notna().sum())
    if again >= FEW and overlap.sum() / again > USUAL:
        return np.zeros(len(table), dtype=bool), overlap, moved
    return overlap, np.zeros(len(table), dtype=bool), moved


def _batches(table: pd.DataFrame) -> np.ndarray:
    """Find days on which far more opened, or closed, than on the busiest usual day."""
    mask = np.zeros(len(table), dtype=bool)
    for column in ("opened", "closed"):
        counted = table[column].value_counts()
        if len(counted) < FEW:
            continue
        usual = float(np.quantile(counted, 0.99))
        days = counted.index[(counted > BATCH_TIMES * usual) & (counted > BATCH_SHARE * len(table))]
        mask |= table[column].isin(days).to_numpy()
    return mask


def _forgotten(table: pd.DataFrame, keys: Sequence[str], stops: pd.Timestamp, quiet_days: int) -> np.ndarray:
    """Find open episodes that nobody seems to look after."""
    open_now = table["closed"].isna()
    if "activity" in table:
        return np.asarray(((stops - table["activity"]).dt.days > quiet_days) & open_now)
    by = [table[k].astype(str) for k in keys if any(w in k.casefold() for w in KINDS)] or [pd.Series("", index=table.index)]
    lasted = (table["closed"] - table["opened"]).dt.days
    groups = lasted.groupby(by)
    longest = groups.transform(lambda days: days.quantile(0.995)).where(groups.transform("count") >= FEW)
    longest = longest.fillna(longest.max())  # of a kind of which few have ended, the kind that lasts longest speaks
    so_far = (stops - table["opened"]).dt.days
    return np.asarray(open_now & (so_far > LONG_TIMES * longest))


def _slips(people: pd.DataFrame, keys: Sequence[str]) -> np.ndarray:
    """Find prices below nothing, or far from the usual one of their kind in proportion: as far as prices of that kind never lie."""
    price = np.log(people["price"].where(people["price"] > 0))
    wrong = people["price"] < 0
    for by in ([people[k].astype(str) for k in keys], [pd.Series("", index=people.index)]):
        if not by:
            continue
        away = (price - price.groupby(by).transform("median")).abs()
        usual = SPREADS * 1.4826 * away.groupby(by).transform("median")
        enough = price.groupby(by).transform("count") >= FEW
        most = usual.clip(np.log(DIGIT), np.log(WRONG_BY)).where(enough, np.log(WRONG_BY))
        wrong |= away > most
    return np.asarray(wrong)


def _values(people: pd.DataFrame, rows: np.ndarray, where: str, keys: Sequence[str]) -> list[Finding]:
    """Find prices with a slip in them, and ages and sizes that nobody has."""
    found = []
    if "price" in people:
        slip = _slips(people, keys)
        if slip.any():
            told = "prices below nothing, or so many times above or below the usual one of their kind that a digit slipped"
            found.append(Finding.of("price_slip", "warn", f"{where} > price", rows=rows[slip], message=told))
    for column in people.columns.difference(["price"]):
        words = set(column.casefold().split("_"))
        if not pd.api.types.is_numeric_dtype(people[column]):
            continue
        odd = (people[column] < 0) & bool(words & {"n", "age", "size", "count", "rooms"})
        odd |= (people[column] > MOST_AGE) & bool(words & {"age", "ages"})
        odd |= (people[column] == 0) & bool(words & {"size"})
        if odd.any():
            told = f"an age above {MOST_AGE}, a size of nothing, or a number below it"
            found.append(Finding.of("implausible_value", "warn", f"{where} > {column}", rows=rows[odd.to_numpy()], message=told))
    return found
