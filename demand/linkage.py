"""Who stands in the extracts twice: pairs of references that are one person, and what counting them once does to demand.

In: one record a reference, under pseudonyms, with what tells people apart. Out: pairs with match weights, groups of references, how right
they are where it is known, and demand before and after. Refuses to work without splink. All is done in memory, on this computer.

The model is that of Fellegi and Sunter (A theory for record linkage, Journal of the American Statistical Association 64, 1969), as splink
estimates it (Linacre et al., International Journal of Population Data Science 7, 2022): without labels, by expectation maximisation.
Intervals of precision and recall are Wilson's (1927), at 95 %.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import pandas as pd

from demand.data.identities import COMPARED
from demand.errors import Fault, SettingsError

__all__ = ["LINK_COLUMNS", "Links", "demand_once", "judged", "link"]

LINK_COLUMNS = ["source_a", "person_a", "source_b", "person_b", "weight", "probability"]
SHOWN = 0.5
"""Pairs of which the model is less sure are not kept."""
MOST_PAIRS = 1e6
"""Pairs drawn to learn how often strangers agree."""
EXPECTED = 0.7
"""The share of true pairs that agree on all that is compared by name or day, to begin with: the estimate is refined from there."""
FEW = 300
"""Fewer records teach little of how alike strangers are."""


@dataclass(frozen=True)
class Links:
    """Pairs of references that are perhaps one person.

    Parameters
    ----------
    pairs : pandas.DataFrame
        `LINK_COLUMNS`, most likely first: match weights in bits (the logarithm to base 2 of how much likelier the pair is one person).
    records : int
    notes : tuple of str
    """

    pairs: pd.DataFrame
    records: int
    notes: tuple[str, ...] = ()

    def groups(self, threshold: float) -> pd.Series:
        """Give each reference that is linked the pseudonym that stands for its person: the first of its group.

        Parameters
        ----------
        threshold : float
            Pairs at least so probable are one person.

        Returns
        -------
        pandas.Series
            person_id -> person_id.
        """
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        sure = self.pairs[self.pairs["probability"] >= threshold]
        codes, names = pd.factorize(np.concatenate([sure["person_a"].to_numpy(), sure["person_b"].to_numpy()]), sort=True)
        half = len(sure)
        graph = coo_array((np.ones(half), (codes[:half], codes[half:])), shape=(len(names), len(names)))
        group = connected_components(graph, directed=False)[1] if half else np.zeros(0, dtype=int)
        table = pd.DataFrame({"name": names, "group": group})
        return pd.Series(table.groupby("group")["name"].transform("min").to_numpy(dtype=object), index=pd.Index(names, name="person_id"))


def link(records: pd.DataFrame, *, seed: int) -> Links:
    """Find pairs of references that are one person, within and between extracts.

    Parameters
    ----------
    records : pandas.DataFrame
        As `read_identities` gives them.
    seed : int
        For the pairs of strangers that are drawn.

    Returns
    -------
    Links

    Raises
    ------
    SettingsError
        Where splink is not installed.
    """
    try:
        import duckdb
        import splink
    except ImportError as error:
        hint = "Install the extra: pip install demand[linkage]"
        raise SettingsError(Fault("linkage needs splink, which is not installed", do_next=hint)) from error
    logging.getLogger("splink").setLevel(logging.ERROR)
    columns = [c for c in records.columns if c not in ("source", "person_id")]
    numbered = records.reset_index(drop=True)
    table = numbered[columns].assign(unique_id=np.arange(len(records)))
    local = duckdb.connect(
        ":memory:", config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false", "threads": "1"}
    )
    try:
        linker = splink.Linker(splink.DuckDBAPI(local).register(_arrow(table)), _settings(columns), log_level=logging.ERROR)
        rules = _rules(columns)
        linker.training.estimate_probability_two_random_records_match(rules[:1], recall=EXPECTED)
        linker.training.estimate_u_using_random_sampling(max_pairs=MOST_PAIRS, seed=seed)
        for rule in rules[1:]:
            linker.training.estimate_parameters_using_expectation_maximisation(rule)
        predicted: Any = linker.inference.predict(threshold_match_probability=SHOWN)
        found = predicted.as_pandas_dataframe()
    finally:
        local.close()
    return Links(_pairs(found, numbered), len(records), _notes(numbered, found))


def demand_once(people: pd.DataFrame, groups: pd.Series, *, keys: Sequence[str], until: pd.Timestamp) -> pd.DataFrame:
    """Say what counting linked people once does to demand.

    Parameters
    ----------
    people : pandas.DataFrame
        PEOPLE.
    groups : pandas.Series
        As `Links.groups` gives them.
    keys : sequence of str
    until : pandas.Timestamp
        The last day of the extract.

    Returns
    -------
    pandas.DataFrame
        The key columns ("all" for the total), measure (people: ever; open: on the last day; first_time: of the last twelve months, never
        there before; returns: episodes of people who had been there before), before, after.
    """
    once = people["person_id"].map(groups).fillna(people["person_id"])
    tables = [
        _measured(people.assign(person_id=ids), list(keys), until).rename(name)
        for name, ids in (("before", people["person_id"]), ("after", once))
    ]
    return pd.concat(tables, axis=1).reset_index().astype({"before": int, "after": int})


def judged(groups: pd.Series, labels: pd.DataFrame) -> dict[str, object]:
    """Say how right the links are, over references of which it is known who they are.

    Parameters
    ----------
    groups : pandas.Series
        As `Links.groups` gives them.
    labels : pandas.DataFrame
        person_id, label.

    Returns
    -------
    dict
        precision and recall of pairs, each with its 95 % interval and the pairs that it rests on.
    """
    table = labels.assign(group=labels["person_id"].map(groups).fillna(labels["person_id"]))
    linked, true = (_pairs_within(table, [c]) for c in ("group", "label"))
    both = _pairs_within(table, ["group", "label"])
    return {
        name: {"share": both / n if n else None, "interval": _wilson(both, n), "pairs": n}
        for name, n in (("precision", linked), ("recall", true))
    }


def _arrow(table: pd.DataFrame) -> object:
    import pyarrow as pa

    texts = {c: pa.array(table[c], type=pa.string()) for c in table.columns if c != "unique_id"}
    return pa.table({"unique_id": pa.array(table["unique_id"]), **texts})


def _settings(columns: Sequence[str]) -> Any:
    """Say what is compared and how; nothing of it is kept beside the pairs."""
    import splink
    import splink.comparison_library as compare

    named: Any = compare.NameComparison
    alike: dict[str, Callable[[], Any]] = {
        "forename": lambda: named("forename").configure(term_frequency_adjustments=True),
        "surname": lambda: named("surname").configure(term_frequency_adjustments=True),
        "born": lambda: compare.DateOfBirthComparison("born", input_is_string=True),
        "postcode": lambda: compare.PostcodeComparison("postcode"),
    }
    comparisons: list[Any] = [alike[c]() if c in alike else compare.ExactMatch(c) for c in columns]
    blocks: list[Any] = [splink.block_on(*names) for names in _blocks(columns)]
    return splink.SettingsCreator(link_type="dedupe_only", comparisons=comparisons, blocking_rules_to_generate_predictions=blocks,
                                  retain_matching_columns=False, retain_intermediate_calculation_columns=False)  # fmt: skip


def _blocks(columns: Sequence[str]) -> list[list[str]]:
    """Pairs that agree in any of these are compared: the same day of birth, the same full name, the same home."""
    wanted = [["born"], ["surname", "forename"], ["postcode", "forename"], ["postcode", "surname"]]
    return [names for names in wanted if set(names) <= set(columns)] or [["surname"]]


def _rules(columns: Sequence[str]) -> list[Any]:
    """Rules for learning: one under which a pair is almost surely one person, then those within which the rest is learnt."""
    import splink

    sure = [c for c in COMPARED[:3] if c in columns]
    within = [names for names in (["born"], ["surname", "forename"], ["surname"]) if set(names) <= set(columns)][:2]
    return [splink.block_on(*sure), *(splink.block_on(*names) for names in within)]


def _pairs(found: pd.DataFrame, records: pd.DataFrame) -> pd.DataFrame:
    sides = []
    for side, name in (("l", "a"), ("r", "b")):
        about = records.loc[found[f"unique_id_{side}"], ["source", "person_id"]].reset_index(drop=True)
        sides.append(about.set_axis([f"source_{name}", f"person_{name}"], axis=1))
    table = pd.concat(sides, axis=1).assign(
        weight=found["match_weight"].to_numpy().round(3), probability=found["match_probability"].to_numpy().round(6)
    )
    table = table[table["person_a"] != table["person_b"]]
    return table.sort_values(["probability", "person_a", "person_b"], ascending=[False, True, True], kind="stable", ignore_index=True)[
        LINK_COLUMNS
    ]


def _notes(records: pd.DataFrame, found: pd.DataFrame) -> tuple[str, ...]:
    told = []
    if len(records) < FEW:
        told.append(f"Only {len(records)} records: how often strangers agree is hardly known, and weights are rough.")
    if found.empty:
        told.append("No pair is likelier than not to be one person.")
    return tuple(told)


def _measured(people: pd.DataFrame, keys: list[str], until: pd.Timestamp) -> pd.Series:
    """Count people, those open, first comers of the last year and returns, by keys and in all."""
    people = people.sort_values(["opened", "episode_id"], kind="stable")
    first = ~people["person_id"].duplicated()
    recent = people["opened"] > until - pd.DateOffset(years=1)
    still = (people["opened"] <= until) & (people["closed"].isna() | (people["closed"] > until))
    found = {}
    for group, table in [(("all",) * len(keys), people), *(people.groupby(keys) if keys else [])]:
        at, place = table.index, group if isinstance(group, tuple) else (group,)
        found[(*place, "people")] = table["person_id"].nunique()
        found[(*place, "open")] = table["person_id"][still.loc[at]].nunique()
        found[(*place, "first_time")] = int((first & recent).loc[at].sum())
        found[(*place, "returns")] = int((~first).loc[at].sum())
    return pd.Series(found, index=pd.MultiIndex.from_tuples(list(found), names=[*keys, "measure"]))


def _pairs_within(table: pd.DataFrame, by: list[str]) -> int:
    size = table.groupby(by).size().to_numpy()
    return int((size * (size - 1) // 2).sum())


def _wilson(hits: int, n: int, z: float = 1.96) -> list[float] | None:
    if not n:
        return None
    middle, half = (hits + z * z / 2) / (n + z * z), z * sqrt(hits * (n - hits) / n + z * z / 4) / (n + z * z)
    return [round(max(0.0, middle - half), 4), round(min(1.0, middle + half), 4)]
