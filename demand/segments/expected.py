"""Who uses how much: how often people of each segment, area and group are expected to come in the next twelve months.

In: PEOPLE with dates (or one row each and a column that counts their use), and the members of segments. Out: `ExpectedUse`: sums by group,
never a figure of a person, with how much better than the segment's average they are, tried on people and a year that the model had not
seen. Refuses an outcome that does not count; where the past is too short or too few people came, it says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from demand.data.people import age_band
from demand.errors import DataError, Fault, did_you_mean
from demand.segments.attributes import KEYS, Attribute, normal_text, read_attributes
from demand.segments.by_group import PARTS, TENTHS, calibrated, expected_by, rough
from demand.segments.columns import tree_columns
from demand.segments.counting_models import MODELS, deviance, drivers_of_use, fit_counts
from demand.segments.model import first_rows, id_column
from demand.segments.protected import protected
from demand.segments.screening import unusable
from demand.segments.snapshots import PAST, YEAR, snapshot
from demand.spec import stream

__all__ = ["ExpectedUse", "expected_use", "use_of_episodes", "use_of_rows"]

FOLDS, MOST_ROWS, LEAST_ROWS, LEAST_EPISODES, RESAMPLES = 5, 20_000, 200, 50, 500
YEARS_NOT_BANDS = 16
"""An age column whose largest value is above this holds years."""
MOST_YEARS = 130
"""... and one whose largest value is above this holds years of birth."""
BLOCKS = 2000
"""Of more people than are drawn one by one, so many blocks of people are drawn."""
UNSEGMENTED = "No segment brings attributes along, so the model of use looks at all that are recorded, but for protected characteristics."
WHO = (
    "Expected use: episodes that begin in the twelve months after the last day of the data, of people who came in the three years before "
    "it; who has never come is not among them."
)


@dataclass(frozen=True)
class ExpectedUse:
    """What is expected of the next twelve months, and how good such a figure was.

    Parameters
    ----------
    scores : pandas.DataFrame
        model, deviance (mean Poisson deviance of people not seen; smaller is better), better (than the segment average: share of its
        deviance that is saved), low and high (95 %, people drawn anew), expected and observed (sums), chosen.
    calibration : pandas.DataFrame
        by (tenth of the expected, or a column), level, people, expected, observed (means), low and high (95 % of the observed); groups of
        fewer than ten are joined as (others); people are rounded to the nearest five.
    drivers : pandas.DataFrame
        feature, share: of the mean absolute SHAP values of the trees; adds up to 1.
    expected : pandas.DataFrame
        by, level, segment, people, expected (sum), per_person; within a segment, groups of fewer than ten are joined as (others).
    notes : tuple of str
        What to mind, in words; the first says how much better than the segment average it is.
    """

    scores: pd.DataFrame = field(default_factory=pd.DataFrame)
    calibration: pd.DataFrame = field(default_factory=pd.DataFrame)
    drivers: pd.DataFrame = field(default_factory=pd.DataFrame)
    expected: pd.DataFrame = field(default_factory=pd.DataFrame)
    notes: tuple[str, ...] = ()

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables that are written: expected, and how good it is."""
        return {"expected": self.expected, "expected_scores": self.scores, "expected_calibration": self.calibration,
                "expected_drivers": self.drivers}  # fmt: skip


def expected_use(
    table: pd.DataFrame, members: pd.DataFrame, attributes: Sequence[Attribute], *, outcome: str | None = None,
    as_of: pd.Timestamp | None = None, seed: int = 1,
) -> ExpectedUse:  # fmt: skip
    """Model how much people use, from episodes with dates or from a column that counts it.

    Parameters
    ----------
    table : pandas.DataFrame
        PEOPLE with dates, or one row a person with the column `outcome`.
    members : pandas.DataFrame
        person_id, segment.
    attributes : sequence of Attribute
        What may be used: `model.attributes`. Where there are none, those that the table has, as `read_attributes` chooses them.
    outcome : str, optional
        Where there are no dates: the column that counts how much each person used.
    as_of : pandas.Timestamp, optional
        The last day that the data hold whole; by default the last date in the table.
    seed : int

    Returns
    -------
    ExpectedUse
        By segment, and by area and protected characteristics.

    Raises
    ------
    DataError
        Where `outcome` is not a column, or holds what is not a count.
    """
    groups = [str(c) for c in table.columns if c == "area" or protected(str(c))]
    if not attributes:
        others = [str(c) for c in table.columns if c not in (*KEYS, outcome)]
        own = read_attributes(first_rows(table[others]), None).attributes
        told = _told_of(table, members, own, groups, outcome, as_of, seed)
        return replace(told, notes=(*told.notes, UNSEGMENTED)) if told.notes else told
    return _told_of(table, members, attributes, groups, outcome, as_of, seed)


def _told_of(
    table: pd.DataFrame, members: pd.DataFrame, attributes: Sequence[Attribute], groups: Sequence[str], outcome: str | None,
    as_of: pd.Timestamp | None, seed: int,
) -> ExpectedUse:  # fmt: skip
    """Model use by what the table has: episodes with dates, or a column that counts."""
    if "opened" in table:
        last = table[["opened", "closed"]].max().max()
        end = last if as_of is None else min(as_of, last)
        return use_of_episodes(table, members, attributes, end=end, groups=groups, seed=seed)
    rows = first_rows(table)
    if outcome is None:
        return ExpectedUse()
    if outcome not in rows:
        allowed = did_you_mean(outcome, map(str, rows.columns))
        raise DataError(
            Fault(f"'{outcome}' is not a column", where="segments.outcome", allowed=allowed, do_next="Name it in people.attributes")
        )
    use = pd.to_numeric(rows[outcome], errors="coerce")
    known = use.notna().to_numpy()
    if not known.any() or (use[known] < 0).any() or use.isna().sum() > rows[outcome].isna().sum():
        raise DataError(
            Fault(f"'{outcome}' does not count how much each person used", where="segments.outcome", allowed="A column of counts")
        )
    rows = rows[known].reset_index(drop=True)
    segment = rows[id_column(rows)].astype(str).map(members.set_index("person_id")["segment"])
    used = [a for a in attributes if a.name != outcome]
    return use_of_rows(rows, use[known].to_numpy(dtype=float), segment.to_numpy(), used, groups=groups, seed=seed)


def use_of_episodes(
    people: pd.DataFrame,
    members: pd.DataFrame,
    attributes: Sequence[Attribute],
    *,
    end: pd.Timestamp,
    groups: Sequence[str] = (),
    seed: int = 1,
) -> ExpectedUse:
    """Model how often people come, from episodes with dates.

    Parameters
    ----------
    people : pandas.DataFrame
        PEOPLE, one row an episode.
    members : pandas.DataFrame
        person_id, segment.
    attributes : sequence of Attribute
        What may be used beside past use: `model.attributes`.
    end : pandas.Timestamp
        The last day that the data hold whole.
    groups : sequence of str
        Columns by which the expected use is told and its calibration is checked: area, and protected characteristics.
    seed : int

    Returns
    -------
    ExpectedUse

    Notes
    -----
    The model is made on the year that ended twelve months before `end`, with four fifths of the people, and tried on the last year of the
    other fifth: it has seen neither the people nor the year.
    """
    before, last = snapshot(people, end - pd.Timedelta(days=2 * YEAR)), snapshot(people, end - pd.Timedelta(days=YEAR))
    if (
        people["opened"].min() > end - pd.Timedelta(days=3 * YEAR)
        or min(len(before.rows), len(last.rows)) < LEAST_ROWS
        or before.later.sum() < LEAST_EPISODES
    ):
        return ExpectedUse(
            notes=("How much people will use is not modelled: that needs three years of episodes, 200 people and 50 returns.",)
        )
    segment = members.set_index("person_id")["segment"]
    tables = [_table(s.rows, attributes, PAST) for s in (before, last)]
    own = [s.rows["person_id"].astype(str).map(segment).to_numpy() for s in (before, last)]
    fold = _folds(pd.concat([before.rows["person_id"], last.rows["person_id"]]), seed)
    fold_before, fold_last = fold[: len(before.rows)], fold[len(before.rows) :]
    predicted = {name: np.zeros(len(last.rows)) for name in MODELS}
    for f in range(FOLDS):
        seen, new = fold_before != f, fold_last == f
        fitted = fit_counts(tables[0].columns(seen), before.later[seen], own[0][seen], seed)
        for name, values in fitted.predict(tables[1].columns(new), own[1][new]).items():
            predicted[name][new] = values
    told = _judged(predicted, last.later, seed)
    now = snapshot(people, end)
    chosen = str(told.loc[told["chosen"], "model"].iloc[0])
    final = fit_counts(tables[1].values, last.later, own[1], seed)
    table, mine = _table(now.rows, attributes, PAST), now.rows["person_id"].astype(str).map(segment).to_numpy()
    ahead = final.predict(table.values, mine)[chosen]
    by = _by(now.rows, mine, groups)
    calibration = calibrated(predicted[chosen], last.later, _by(last.rows, own[1], groups))
    drivers = drivers_of_use(tables[1].values, tables[1].owners, last.later, seed)
    notes = (*_words(told, "people and a year"), *_checked(calibration, drivers), WHO)
    return ExpectedUse(told, calibration, drivers, expected_by(ahead, by), notes)


def use_of_rows(
    rows: pd.DataFrame, use: np.ndarray, segment: np.ndarray, attributes: Sequence[Attribute], *, groups: Sequence[str] = (), seed: int = 1
) -> ExpectedUse:
    """Model how much people use from one row each, where there are no dates: split by person alone.

    Parameters
    ----------
    rows : pandas.DataFrame
        One row a person.
    use : numpy.ndarray
        How much each used: counts, not negative.
    segment : numpy.ndarray
        The segment of each row.
    attributes : sequence of Attribute
        What may be used; never what is counted in `use`.
    groups : sequence of str
        Columns by which the calibration is checked.
    seed : int

    Returns
    -------
    ExpectedUse
        What is expected is what people like these use in a year like that of the data.
    """
    if len(rows) < LEAST_ROWS or use.sum() < LEAST_EPISODES:
        return ExpectedUse(notes=("How much people will use is not modelled: that needs 200 people and a use of 50.",))
    table = _table(rows, attributes, ())
    if not len(table.values.columns):
        return ExpectedUse(notes=("How much people will use is not modelled: no attribute is left that could tell.",))
    fold = stream(seed, "segments", "use folds").permutation(len(rows)) % FOLDS
    predicted = {name: np.zeros(len(rows)) for name in MODELS}
    for f in range(FOLDS):
        fitted = fit_counts(table.columns(fold != f), use[fold != f], segment[fold != f], seed)
        for name, values in fitted.predict(table.columns(fold == f), segment[fold == f]).items():
            predicted[name][fold == f] = values
    told = _judged(predicted, use, seed)
    chosen = str(told.loc[told["chosen"], "model"].iloc[0])
    by = _by(rows, segment, groups)
    calibration = calibrated(predicted[chosen], use, by)
    drivers = drivers_of_use(table.values, table.owners, use, seed)
    same = "There are no dates, so the year that it was tried on is the year that it was made on."
    notes = (*_words(told, "people"), *_checked(calibration, drivers), same)
    return ExpectedUse(told, calibration, drivers, expected_by(predicted[chosen], by), notes)


@dataclass(frozen=True)
class Table:
    """Columns for models, and the feature that each belongs to."""

    values: pd.DataFrame
    owners: tuple[str, ...]

    def columns(self, rows: np.ndarray) -> pd.DataFrame:
        """Give some rows, numbered anew."""
        return self.values[rows].reset_index(drop=True)


def _table(rows: pd.DataFrame, attributes: Sequence[Attribute], past: Sequence[str]) -> Table:
    values, owners = tree_columns(rows, attributes)
    extra = rows[list(past)].astype(float).set_axis([f"p{i}" for i in range(len(past))], axis=1)
    return Table(pd.concat([values, extra], axis=1).reset_index(drop=True), (*owners, *past))


def _folds(persons: pd.Series, seed: int) -> np.ndarray:
    """Give a person the same fold in every snapshot."""
    codes, unique = pd.factorize(persons.astype(str), sort=True)
    return np.asarray((stream(seed, "segments", "use folds").permutation(len(unique)) % FOLDS)[codes])


def _judged(predicted: dict[str, np.ndarray], use: np.ndarray, seed: int) -> pd.DataFrame:
    parts = {name: deviance(use, mean) for name, mean in predicted.items()}
    base = parts[MODELS[0]]
    rng = stream(seed, "segments", "use resamples")
    # Of very many people, blocks are drawn anew in their stead: each a chance part of all.
    many = len(use) > MOST_ROWS
    block = rng.permutation(len(use)) % BLOCKS if many else np.arange(len(use))
    sums = {name: np.bincount(block, weights=part) for name, part in parts.items()}
    n = len(sums[MODELS[0]])
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
    rows = []
    for name, part in parts.items():
        saved = 1 - part.sum() / base.sum()
        spread = 1 - (drawn @ sums[name]) / (drawn @ sums[MODELS[0]])
        low, high = np.quantile(spread, [0.025, 0.975])
        rows.append({"model": name, "deviance": float(part.mean()), "better": float(saved), "low": float(low), "high": float(high),
                     "expected": rough(predicted[name].sum()), "observed": rough(use.sum())})  # fmt: skip
    table = pd.DataFrame(rows)
    sure = table[(table["low"] > 0) | (table["model"] == MODELS[0])]
    return table.assign(chosen=table.index == sure["deviance"].idxmin())


def _by(rows: pd.DataFrame, segment: np.ndarray, groups: Sequence[str]) -> dict[str, np.ndarray]:
    """Give, by column, the level of each row: the segment first; ages in bands, other numbers in fifths.

    A column that names persons is no group: identifiers, dates, and those of which nearly every row has its own value.
    """
    out = {"segment": segment.astype(str)}
    for column in groups:
        values = rows[column]
        if values.nunique() > 1 and unusable(column, values, normal_text(values)):
            continue
        if pd.api.types.is_numeric_dtype(values) and values.nunique() > PARTS:
            values = age_band(values) if protected(column) == "age" and YEARS_NOT_BANDS < values.max() <= MOST_YEARS else _fifths(values)
        out[column] = values.astype(object).where(values.notna(), "(not known)").astype(str).to_numpy()
    return out


def _fifths(values: pd.Series) -> pd.Series:
    bands = pd.qcut(values, 5, duplicates="drop")
    ends = values.groupby(bands, observed=True).agg(["min", "max"])
    names = {band: f"{low:,.6g} to {high:,.6g}" for band, low, high in ends.itertuples()}
    return bands.astype(object).map(names)


def _checked(calibration: pd.DataFrame, drivers: pd.DataFrame) -> tuple[str, str]:
    """Say how well the expected met the observed, and what the trees look at."""
    fits = calibration["expected"].between(calibration["low"], calibration["high"])
    tenth = calibration["by"] == TENTHS
    top = ", ".join(f"{f} ({100 * s:.0f} %)" for f, s in zip(drivers["feature"].head(3), drivers["share"].head(3), strict=True))
    inside, groups = int(fits[~tenth].sum()), int((~tenth).sum())
    return (
        f"The expected use lies inside the 95 % interval of what was counted in {int(fits[tenth].sum())} of {int(tenth.sum())} tenths of "
        f"the people, and in {inside} of {groups} groups (by chance 19 in 20 do).",
        f"What LightGBM looks at most: {top}.",
    )


def _words(scores: pd.DataFrame, unseen: str) -> tuple[str, ...]:
    told = scores.set_index("model")
    best = str(scores.loc[scores["chosen"], "model"].iloc[0])
    trees = told.loc["LightGBM"]
    if best == MODELS[0]:
        first = "No model of a person's use is better than the average of the segment, so the segment's average is what is expected."
    else:
        row = told.loc[best]
        first = (
            f"How much people use: {best} does better than the average of the segment by {100 * row['better']:.0f} % of its deviance "
            f"(95 % interval {100 * row['low']:.0f} to {100 * row['high']:.0f} %), on {unseen} that it had not seen."
        )
    plain, row = told.loc["Poisson regression", "better"], told.loc[best]
    second = (
        f"LightGBM: {100 * trees['better']:.1f} %; a plain Poisson regression: {100 * plain:.1f} %. In all {row['expected']:,.0f} were "
        f"expected and {row['observed']:,.0f} were counted."
    )
    return first, second
