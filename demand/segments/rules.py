"""A rule for each segment that a caseworker can apply: at most four conditions, in words.

In: people with their segments, and the attributes that found them. Out: `Rule`, and how it does on people on whom it was not made: how many
of the segment it catches (recall), and how many of those whom it catches belong (precision). Refuses nothing; with one segment there is no
rule. What is not known meets a condition only where the condition says "or not known".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from demand.languages import say
from demand.segments.attributes import OTHER, Attribute, normal_text, numbers_of
from demand.segments.profile import wilson
from demand.spec import Spec, stream

__all__ = ["Condition", "JudgedRule", "Rule", "find_rules"]

MOST_ROWS, HELD_OUT = 10_000, 0.3
MOST_CONDITIONS, BEAM, KEPT, KEPT_EACH = 4, 12, 80, 6
WORTH = 0.01
"""A further condition must make the rule better by this much (Matthews correlation), or it is left out."""
FEW_VALUES, THRESHOLDS = 15, np.arange(0.1, 1.0, 0.1)


class Condition(Spec):
    """One thing that a caseworker looks up."""

    feature: str
    kind: Literal["is", "is_not", "at_least", "at_most"]
    values: tuple[str, ...] = ()
    """The answers that are meant, for is and is_not."""
    number: float = 0.0
    """The limit, for at_least and at_most."""
    or_unknown: bool = False
    """True where people of whom it is not known are meant too."""

    def met(self, text: pd.Series) -> np.ndarray:
        """Say who meets it, given the attribute as `normal_text` gives it."""
        unknown = text.isna().to_numpy()
        if self.kind in ("at_least", "at_most"):
            x, _ = numbers_of(text)
            # A comparison with NaN is never true.
            holds = x >= self.number if self.kind == "at_least" else x <= self.number
        else:
            holds = text.isin(self.values).to_numpy()
            holds = ~holds & ~unknown if self.kind == "is_not" else holds
        return np.asarray(holds | unknown if self.or_unknown else holds)

    def words(self, label: Callable[[str], str] = str) -> str:
        """Say it in words; `label` gives the words for the names and codes of the data."""
        if self.kind in ("at_least", "at_most"):
            number = f"{self.number:,.6g}"
            what = say("{number} or more", number=number) if self.kind == "at_least" else say("{number} or less", number=number)
        else:
            named = [label(v) for v in self.values]
            what = named[0] if len(named) == 1 else say("one of ({names})", names=", ".join(named))
            what = say("not {what}", what=what) if self.kind == "is_not" else what
        told = say("{feature} is {what}", feature=label(self.feature), what=what)
        return say("{condition}, or not known", condition=told) if self.or_unknown else told


class Rule(Spec):
    """So many of these conditions must be met."""

    segment: str
    least: int
    conditions: tuple[Condition, ...]

    def caught(self, rows: pd.DataFrame) -> np.ndarray:
        """Say who is caught, by row."""
        met = [c.met(normal_text(rows[c.feature])) for c in self.conditions]
        return np.asarray(np.sum(met, axis=0) >= self.least)

    def words(self, label: Callable[[str], str] = str) -> str:
        """Say it in words."""
        each = [c.words(label) for c in self.conditions]
        if len(each) == 1:
            return each[0]
        if self.least == len(each):
            return say("all of these: {conditions}", conditions="; ".join(each))
        return say("at least {least} of these {number}: {conditions}", least=self.least, number=len(each), conditions="; ".join(each))


class JudgedRule(Spec):
    """A rule, and how it does on people on whom it was not made."""

    rule: Rule
    held_out: int
    """People on whom it was judged."""
    in_segment: int
    """How many of them are in the segment."""
    caught: int
    """How many of them the rule catches."""
    both: int
    """How many of those whom it catches belong."""
    intervals: tuple[float, ...]
    """95 %: of recall, then of precision."""

    @property
    def recall(self) -> float:
        """How many of the segment it catches."""
        return self.both / self.in_segment if self.in_segment else float("nan")

    @property
    def precision(self) -> float:
        """How many of those whom it catches belong."""
        return self.both / self.caught if self.caught else float("nan")

    @property
    def works(self) -> bool:
        """Whether those whom it catches belong more often than people do by chance: the whole 95 % interval lies above it."""
        return bool(self.in_segment and self.intervals[2] > self.in_segment / self.held_out)


def find_rules(rows: pd.DataFrame, segment: pd.Series, attributes: Sequence[Attribute], *, seed: int) -> dict[str, JudgedRule]:
    """Find a rule for each segment, and judge it on people held out.

    Parameters
    ----------
    rows : pandas.DataFrame
        One row a person or place.
    segment : pandas.Series
        The segment of each row.
    attributes : sequence of Attribute
        Those that found the segments: nothing else is asked of a person.
    seed : int

    Returns
    -------
    dict of str to JudgedRule

    References
    ----------
    Conditions are added one by one, the best dozen sets being kept (beam search); sets are ranked by the correlation of Matthews, B. W.
    (1975), Biochimica et Biophysica Acta 405, 442-451, which a segment of any size cannot flatter. "At least m of n" rules: Murphy, P. M.
    and Pazzani, M. J. (1991). ID2-of-3. Machine Learning Proceedings, 183-187.
    """
    names = sorted(map(str, segment.unique()))
    if len(names) < 2 or not attributes:
        return {}
    at = stream(seed, "segments", "rules").permutation(len(rows))[:MOST_ROWS]
    seen = np.sort(at[int(HELD_OUT * len(at)) :])
    new = rows.iloc[np.sort(at[: int(HELD_OUT * len(at))])]
    truth = segment.iloc[np.sort(at[: int(HELD_OUT * len(at))])].astype(str).to_numpy()
    sample, labels = rows.iloc[seen], segment.iloc[seen].astype(str).to_numpy()
    texts = {a.name: normal_text(sample[a.name]) for a in attributes}
    conditions = [c for a in attributes for c in _conditions(a, texts[a.name])]
    met = np.array([c.met(texts[c.feature]) for c in conditions], dtype=np.float32).reshape(len(conditions), len(sample))
    out = {}
    for name in names:
        least, chosen = _search(conditions, met, labels == name)
        if chosen:
            out[name] = _judged(Rule(segment=name, least=least, conditions=tuple(conditions[j] for j in chosen)), new, truth == name)
    return out


def _judged(rule: Rule, rows: pd.DataFrame, inside: np.ndarray) -> JudgedRule:
    caught = rule.caught(rows)
    both = int((caught & inside).sum())
    intervals = (*wilson(both, int(inside.sum())), *wilson(both, int(caught.sum())))
    bounds = tuple(round(v, 6) if np.isfinite(v) else -1.0 for v in intervals)
    return JudgedRule(rule=rule, held_out=len(rows), in_segment=int(inside.sum()), caught=int(caught.sum()), both=both, intervals=bounds)


def _conditions(attribute: Attribute, text: pd.Series) -> list[Condition]:
    """Give what could be asked of one attribute, with and without those of whom it is not known."""
    name, known = attribute.name, text.dropna()
    made: list[Condition] = []
    if attribute.kind in ("number", "banded"):
        x, _ = numbers_of(known)
        x = x[~np.isnan(x)]
        whole = bool((x % 1 == 0).all())
        limits = _limits(x, whole)
        made += [Condition(feature=name, kind="at_least", number=q) for q in limits if q < x.max()]
        made += [Condition(feature=name, kind="at_most", number=q) for q in limits if q > x.min()]
        ends = sorted({v for v in (x.min(), x.max()) if whole}) if len(x) else []
        made += [Condition(feature=name, kind="is", values=(f"{int(v)}",)) for v in ends]
    elif attribute.kind == "ordered":
        for i in range(1, len(attribute.levels)):
            few = min(attribute.levels[:i], attribute.levels[i:], key=len)
            # Of the two ends of a scale, the one with fewer levels is named in both.
            made += [Condition(feature=name, kind="is", values=few), Condition(feature=name, kind="is_not", values=few)]
    else:
        levels = tuple(v for v in attribute.levels if v != OTHER)
        made += [Condition(feature=name, kind="is", values=(v,)) for v in levels]
        made += [Condition(feature=name, kind="is_not", values=(v,)) for v in levels if len(attribute.levels) > 2]
    if text.isna().any():
        made += [c.model_copy(update={"or_unknown": True}) for c in made]
    return made


def _limits(x: np.ndarray, whole: bool) -> list[float]:
    """Give where a number may be cut: at each value where there are few, else at its deciles."""
    distinct = np.unique(x)
    cuts = distinct if len(distinct) <= FEW_VALUES else np.quantile(x, THRESHOLDS, method="higher")
    return sorted({float(q if whole else f"{q:.3g}") for q in cuts})


def _search(conditions: Sequence[Condition], met: np.ndarray, inside: np.ndarray) -> tuple[int, tuple[int, ...]]:
    """Give how many must be met, and which conditions: the best set on the people shown."""
    y = inside.astype(np.float32)
    alone = _matthews(met @ y, met.sum(axis=1), float(y.sum()), len(y))
    kept = _kept(conditions, alone)
    features = np.array([conditions[j].feature for j in kept], dtype=object)
    x = met[kept]
    beam: list[tuple[tuple[int, ...], np.ndarray]] = [((), np.zeros(len(y), dtype=np.int8))]
    best, least = -np.inf, 0
    chosen: tuple[int, ...] = ()
    for depth in range(1, MOST_CONDITIONS + 1):
        found: dict[frozenset[int], tuple[float, int, tuple[int, ...]]] = {}
        for members, count in beam:
            score, needed = _extended(x, y, count, depth)
            score[np.isin(features, features[list(members)])] = -np.inf
            for j in np.argsort(-score, kind="stable")[:BEAM]:
                if np.isfinite(score[j]):
                    found.setdefault(frozenset((*members, int(j))), (float(score[j]), int(needed[j]), (*members, int(j))))
        ranked = sorted(found.values(), key=lambda f: (-f[0], f[2]))[:BEAM]
        if not ranked:
            break
        if ranked[0][0] > best + (WORTH if chosen else 0.0):
            best, least, chosen = ranked[0]
        beam = [(m, x[list(m)].sum(axis=0).astype(np.int8)) for _, _, m in ranked]
    return least, tuple(int(kept[j]) for j in chosen)


def _kept(conditions: Sequence[Condition], alone: np.ndarray) -> np.ndarray:
    """Give the most telling conditions, a few of each attribute."""
    each: dict[str, int] = {}
    kept: list[int] = []
    for j in np.argsort(-alone, kind="stable").tolist():
        name = conditions[j].feature
        if alone[j] > 0 and each.get(name, 0) < KEPT_EACH and len(kept) < KEPT:
            each[name] = each.get(name, 0) + 1
            kept.append(j)
    return np.array(kept, dtype=int)


def _extended(x: np.ndarray, y: np.ndarray, count: np.ndarray, depth: int) -> tuple[np.ndarray, np.ndarray]:
    """Score every condition that could be added, with the best number that must be met."""
    scores = np.full((depth, len(x)), -np.inf)
    for least in range(1, depth + 1):
        enough, nearly = (count >= least).astype(np.float32), (count == least - 1).astype(np.float32)
        both = float(enough @ y) + x @ (nearly * y)
        caught = float(enough.sum()) + x @ nearly
        scores[least - 1] = _matthews(both, caught, float(y.sum()), len(y))
    # Of equal ones the one that asks for more.
    needed = depth - np.argmax(scores[::-1], axis=0)
    return scores.max(axis=0), needed


def _matthews(both: np.ndarray, caught: np.ndarray, inside: float, n: int) -> np.ndarray:
    caught = np.asarray(caught, dtype=float)
    spread = caught * (n - caught) * inside * (n - inside)
    return np.where(spread > 0, (np.asarray(both, dtype=float) * n - caught * inside) / np.sqrt(np.maximum(spread, 1.0)), -np.inf)
